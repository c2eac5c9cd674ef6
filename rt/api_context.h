/* api_context.h: cancellation, deadlines and values that go along with a task's
 * work (part of ingot.h).  Go's package context.
 *
 * A context is made from another one, its parent; what ends the parent ends
 * it too.  Functions take it as their first parameter and give up when
 * context_done's channel is closed:
 *
 *	context *ctx = context_with_timeout(context_background(), 50 * Millisecond);
 *	defer(context_cancel, ctx);
 *	select {
 *		case_recv(work, &w) { ... }
 *		case_recv(context_done(ctx), NULL) { return context_err(ctx); }
 *	}
 *
 * Where Go returns a cancel function, C calls context_cancel(ctx).  Cancel every
 * context that can be, when its work is over: until then its parent, if that
 * can be cancelled, and its timer keep it.
 *
 * The two errors of contexts are compared by errors_is.  Times are nanotime()'s.
 * Contexts are in collected memory and may be used by many tasks.  All calls
 * are from a task. */
#ifndef INGOT_API_CONTEXT_H
#define INGOT_API_CONTEXT_H

#ifndef INGOT_API_TASK_H
#error "include ingot.h"
#endif

/* Go: context.Context. */
typedef struct context context;

declare_error(context_canceled);          /* "context canceled" */
declare_error(context_deadline_exceeded); /* "context deadline exceeded" */

/* The one that never ends and has no values: the root.  context_todo is the
 * same, for where the right one is not known yet. */
context *context_background(void);
context *context_todo(void);

/* A context that ends by context_cancel, or with its parent. */
context *context_with_cancel(context *parent);
/* The same, and at the time, or after d.  Go: WithDeadlineCause with cause. */
context *context_with_deadline(context *parent, int64_t at);
context *context_with_deadline_cause(context *parent, int64_t at, error cause);
context *context_with_timeout(context *parent, int64_t d);
context *context_with_timeout_cause(context *parent, int64_t d, error cause);
/* The same values, but neither the end nor the deadline of its parent. */
context *context_without_cancel(context *parent);

/* Ends it and all that were made from it; again has no effect.  Panics on a
 * context that no with_cancel, with_deadline or with_timeout made. */
void context_cancel(context *ctx);
/* The same with a cause (NULL: context_canceled).  Go: WithCancelCause's. */
void context_cancel_cause(context *ctx, error cause);

/* Is closed when it ends; nil if it never can. */
chan(bool) context_done(context *ctx);
/* NULL before the end, then context_canceled or context_deadline_exceeded. */
error context_err(context *ctx);
/* Why it ended: the cause given first, else as context_err. */
error context_cause(context *ctx);
/* True and *at, when it has a deadline.  Go: ctx.Deadline(). */
bool context_deadline(context *ctx, int64_t *at);

/* What context_after_func gives, to stop it. */
typedef struct context_call context_call;
/* Calls f(arg) in a task of its own when ctx ends; at once if it has.  Stop it
 * by context_stop: true if that keeps f from being called. */
context_call *context_after_func(context *ctx, void (*f)(void *), void *arg);
bool context_stop(context_call *c);

/* Values: a key is a variable of type context_key(T), known by its address,
 * and gives access to a T *.
 *
 *	static context_key(struct user) user_key;
 *	ctx = context_with_value(ctx, &user_key, u);
 *	struct user *u = context_value(ctx, &user_key);     NULL if it has none */
#define context_key(T) \
	struct { \
		__typeof__(T) *rt_key[0]; \
		char rt_room; \
	}
#define context_with_value(parent, key, v) \
	({ \
		context *rt_cx_p = (parent); \
		__auto_type rt_cx_k = (key); \
		__typeof__(rt_cx_k->rt_key[0]) rt_cx_v = (v); \
		rt_context_with_value(rt_cx_p, rt_cx_k, (void *)rt_cx_v); \
	})
#define context_value(ctx, key) \
	({ \
		context *rt_cx_p = (ctx); \
		__auto_type rt_cx_k = (key); \
		(__typeof__(rt_cx_k->rt_key[0]))rt_context_value(rt_cx_p, rt_cx_k); \
	})
context *rt_context_with_value(context *parent, const void *key, void *val);
void *rt_context_value(context *ctx, const void *key);

#endif
