/* api_group.h: weighted semaphores, and groups of tasks that wait for the first
 * error (part of ingot.h).  Go's golang.org/x/sync, semaphore and errgroup.
 *
 * All calls are from a task. */
#ifndef INGOT_API_GROUP_H
#define INGOT_API_GROUP_H

#ifndef INGOT_API_CONTEXT_H
#error "include ingot.h"
#endif

/* ---- semaphores ------------------------------------------------------------- */

struct semaphore_waiter;

/* n units to share, first come first served: a large request is not overtaken
 * by small ones behind it.  Set size (or use new_semaphore) before the first
 * use.  Not to be copied while in use. */
typedef struct semaphore {
	int64_t size; /* constant */
	int64_t cur;  /* units taken, under mu */
	mutex mu;
	struct semaphore_waiter *first, *last; /* under mu */
} semaphore;

/* Go: semaphore.NewWeighted(n). */
semaphore *new_semaphore(int64_t n);
/* Takes n units, waiting for them; ctx's error if that ends first, and then
 * nothing was taken.  More than there are can only wait for ctx. */
error semaphore_acquire(semaphore *s, context *ctx, int64_t n) must_check;
/* The same without waiting; false if it would have to. */
bool semaphore_try_acquire(semaphore *s, int64_t n);
/* Gives n units back.  Panics when more are given than were taken. */
void semaphore_release(semaphore *s, int64_t n);

/* ---- groups of tasks -------------------------------------------------------- */

/* Tasks that work on one thing.  The zero value is a group without a context
 * and without a limit.  Not to be copied while in use. */
typedef struct task_group {
	wait_group wg;
	semaphore slots;   /* while size > 0: the limit + 1, one taken for good (0 is none) */
	mutex mu;
	error err;         /* the first, under mu */
	context *ctx;      /* cancelled by the first error and by wait, or NULL */
} task_group;

/* Makes *g a new group; the context it returns ends with the first error, or
 * when task_group_wait returns.  Go: errgroup.WithContext. */
context *task_group_with_context(task_group *g, context *parent);
/* At most n tasks at a time; n < 0: any number.  Panics while tasks run. */
void task_group_set_limit(task_group *g, int n);
/* Waits for all its tasks; the first error that one returned, or NULL. */
error task_group_wait(task_group *g) must_check;

/* task_group_go(g, f, args...): runs f(args...), which returns an error or
 * NULL, in a task of the group; waits first if the limit is reached.
 * task_group_try_go: does not wait; false if it would have to.  Arguments as
 * for go. */
#define task_group_go(g, f, ...) ((void)RT_GROUP_GO(true, g, f, ##__VA_ARGS__))
#define task_group_try_go(g, f, ...) RT_GROUP_GO(false, g, f, ##__VA_ARGS__)
#define RT_GROUP_GO(wait, tg, f, ...) \
	({ \
		struct task_group *rt_tg = (tg); \
		__auto_type rt_call_f = &*(f); \
		RT_EACH(RT_CALL_EVAL, , ##__VA_ARGS__) \
		struct rt_call_block { \
			struct task_group *group; \
			__typeof__(rt_call_f) fn; \
			RT_EACH(RT_CALL_FIELD, , ##__VA_ARGS__) \
		}; \
		_Static_assert(sizeof(struct rt_call_block) <= 1024, "task_group_go: arguments over 1 KiB"); \
		void rt_call_thunk(void *rt_call_p) \
		{ \
			struct rt_call_block *rt_call_q = rt_call_p; \
			/* Deferred, for a task that ends by goexit. */ \
			defer(rt_group_done, rt_call_q->group); \
			error rt_tg_err = rt_call_q->fn(RT_EACH(RT_CALL_ARG, , ##__VA_ARGS__)); \
			rt_group_error(rt_call_q->group, rt_tg_err); \
		} \
		struct rt_call_block rt_call_v = { .group = rt_tg, .fn = rt_call_f, RT_EACH(RT_CALL_INIT, , ##__VA_ARGS__) }; \
		bool rt_tg_ok = rt_group_begin(rt_tg, wait); \
		if (rt_tg_ok) \
			rt_go(rt_call_v.fn ? rt_call_thunk : (void (*)(void *))0, &rt_call_v, sizeof rt_call_v); \
		rt_tg_ok; \
	})
bool rt_group_begin(task_group *g, bool wait);
void rt_group_done(task_group *g);
void rt_group_error(task_group *g, error err);

#endif
