/* context.c: cancellation, deadlines and values.  After Go's context package.
 *
 * A context is one structure whatever made it; what it is shows in its fields.
 * One that can end has `ends` set, a lock, a channel made when first asked
 * for, and a list of the contexts that end with it: those made from it,
 * directly or through contexts that only carry values, and the calls of
 * context_after_func, which are contexts that nobody sees.
 *
 * Lock order: a context's lock before its children's.  The end goes down the
 * tree with the ancestors' locks held, so a child made meanwhile is either in
 * the list or sees the end.
 *
 * Invariants: err is set once, before the channel is closed; a context that
 * ended has no children, is in no list once its end has returned, and its
 * timer is stopped. */
#include "rt.h"
#include "type.h"
#include "chan.h"
#include "api_value.h"
#include "api_task.h"
#include "api_context.h"
#include "link.h"

struct context {
	struct context *parent;  /* constant; NULL: the root */
	struct context *ender;   /* constant: the nearest that can end, itself if it can; NULL: never */
	bool ends;               /* constant: can end */
	bool cancels;            /* constant: context_cancel may be called */
	bool timed;              /* constant: has a deadline of its own */
	int64_t deadline;        /* constant */
	error late_cause;        /* constant: the deadline's */
	const void *key;         /* constant, or NULL */
	void *val;

	mutex mu;                /* the rest */
	error err;               /* atomic: release after cause, before the channel is closed */
	error cause;
	struct hchan *done;      /* atomic: NULL until asked for */
	struct context *children;
	struct context *next, **link; /* in the list of parent->ender; under that one's mu */
	timer *timer;
	void (*f)(void *);       /* called in a task at the end */
	void *arg;
};

define_error(context_canceled, "context canceled");
define_error(context_deadline_exceeded, "context deadline exceeded");

static struct context background, todo;

context *context_background(void)
{
	return &background;
}

context *context_todo(void)
{
	return &todo;
}

static void need_parent(const context *parent)
{
	if (!parent)
		rt_panic("cannot create context from nil parent");
}

static context *make(context *parent, bool ends)
{
	context *c = rt_malloc(sizeof *c, RT_TYPE(struct context));
	c->parent = parent;
	c->ends = ends;
	c->ender = ends ? c : parent->ender;
	return c;
}

/* Takes c out of its ender's list; that one's mu held. */
static void unlist(context *c)
{
	link_out(c);
}

/* Ends c and what is below; false if it had ended.  quiet: without its call. */
static bool end(context *c, error err, error cause, bool quiet)
{
	mutex_lock(&c->mu);
	if (c->err) {
		mutex_unlock(&c->mu);
		return false;
	}
	IN_ORDER(context_order, c->cause = cause ? cause : err, at_store_rel(&c->err, err));
	if (c->done)
		rt_chan_close(c->done);
	while (c->children) {
		context *k = c->children;
		unlist(k);
		end(k, err, c->cause, false);
	}
	if (c->timer)
		timer_stop(c->timer);
	c->timer = NULL;
	if (c->f && !quiet)
		rt_go_call(c->f, c->arg);
	mutex_unlock(&c->mu);
	return true;
}

/* The same from outside: out of the list it is in, too. */
static bool end_alone(context *c, error err, error cause, bool quiet)
{
	bool first = end(c, err, cause, quiet);
	context *above = c->parent->ender;
	if (first && above) {
		mutex_lock(&above->mu);
		unlist(c);
		mutex_unlock(&above->mu);
	}
	return first;
}

/* From now on c ends with what it was made from. */
static void follow(context *c)
{
	context *above = c->parent->ender;
	if (!above)
		return;
	mutex_lock(&above->mu);
	error err = above->err, cause = above->cause;
	if (!err) {
		link_in(&above->children, c);
	}
	mutex_unlock(&above->mu);
	if (err)
		end(c, err, cause, false);
}

context *context_with_cancel(context *parent)
{
	need_parent(parent);
	context *c = make(parent, true);
	c->cancels = true;
	follow(c);
	return c;
}

static void too_late(void *p)
{
	context *c = p;
	end_alone(c, context_deadline_exceeded, c->late_cause, false);
}

context *context_with_deadline_cause(context *parent, int64_t at, error cause)
{
	int64_t theirs;
	need_parent(parent);
	if (context_deadline(parent, &theirs) && theirs <= at)
		return context_with_cancel(parent); /* that one comes first */
	context *c = make(parent, true);
	c->cancels = true;
	c->timed = true;
	c->deadline = at;
	c->late_cause = cause;
	follow(c);
	int64_t now = nanotime();
	if (at <= now) {
		too_late(c);
		return c;
	}
	mutex_lock(&c->mu);
	if (!c->err)
		c->timer = after_func(at - now, too_late, c);
	mutex_unlock(&c->mu);
	return c;
}

context *context_with_deadline(context *parent, int64_t at)
{
	return context_with_deadline_cause(parent, at, NULL);
}

context *context_with_timeout_cause(context *parent, int64_t d, error cause)
{
	int64_t at;
	if (__builtin_add_overflow(nanotime(), d, &at))
		at = INT64_MAX;
	return context_with_deadline_cause(parent, at, cause);
}

context *context_with_timeout(context *parent, int64_t d)
{
	return context_with_timeout_cause(parent, d, NULL);
}

context *context_without_cancel(context *parent)
{
	need_parent(parent);
	context *c = make(parent, false);
	c->ender = NULL;
	return c;
}

context *rt_context_with_value(context *parent, const void *key, void *val)
{
	need_parent(parent);
	if (!key)
		rt_panic("nil key");
	context *c = make(parent, false);
	c->key = key;
	c->val = val;
	return c;
}

void *rt_context_value(context *c, const void *key)
{
	for (; c; c = c->parent)
		if (key && c->key == key)
			return c->val;
	return NULL;
}

void context_cancel_cause(context *c, error cause)
{
	if (!c->cancels)
		rt_panic("context: cancel of a context that has no cancel function");
	end_alone(c, context_canceled, cause, false);
}

void context_cancel(context *c)
{
	context_cancel_cause(c, NULL);
}

chan(bool) context_done(context *ctx)
{
	context *c = ctx->ender;
	if (!c)
		return NULL;
	struct hchan *done = at_load_acq(&c->done);
	if (!done) {
		mutex_lock(&c->mu);
		if (!(done = c->done)) {
			done = rt_make_chan(sizeof(bool), RT_NOSCAN, 0);
			if (c->err)
				rt_chan_close(done);
			at_store_rel(&c->done, done);
		}
		mutex_unlock(&c->mu);
	}
	return (chan(bool))done;
}

error context_err(context *c)
{
	return c->ender ? at_load_acq(&c->ender->err) : NULL;
}

error context_cause(context *c)
{
	return context_err(c) ? c->ender->cause : NULL; /* constant once err is set */
}

bool context_deadline(context *ctx, int64_t *at)
{
	for (context *c = ctx->ender; c; c = c->parent->ender)
		if (c->timed) {
			*at = c->deadline;
			return true;
		}
	return false;
}

context_call *context_after_func(context *ctx, void (*f)(void *), void *arg)
{
	need_parent(ctx);
	if (!f)
		rt_panic("context: nil function");
	context *c = make(ctx, true);
	c->f = f;
	c->arg = arg;
	follow(c);
	return (context_call *)c;
}

bool context_stop(context_call *call)
{
	return end_alone((context *)call, context_canceled, NULL, true);
}
