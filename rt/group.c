/* group.c: weighted semaphores, and groups of tasks.  After x/sync's semaphore
 * and errgroup.
 *
 * A semaphore is a count under a mutex and a FIFO of waiters.  Each has a
 * channel, closed when its units are taken for it, so that it can wait for a
 * context at the same time.
 *
 * A group's limit is such a semaphore.  Its tasks' first error is kept, and
 * cancels the group's context.
 *
 * Invariants: 0 <= cur <= size; while there are waiters the first does not
 * fit; a waiter's record is on its stack and in the list until its units are
 * taken or it gives up, both under mu. */
#include "rt.h"
#include "type.h"
#include "chan.h"
#include "api_value.h"
#include "api_task.h"
#include "api_context.h"
#include "api_group.h"

struct semaphore_waiter {
	int64_t n;
	struct hchan *ready; /* closed when it has its units */
	struct semaphore_waiter *next;
	bool has;            /* the units are its; under mu */
};

semaphore *new_semaphore(int64_t n)
{
	semaphore *s = rt_malloc(sizeof *s, RT_TYPE(semaphore));
	s->size = n;
	return s;
}

/* Gives waiters, from the first on, what there is.  mu held. */
static void serve(semaphore *s)
{
	struct semaphore_waiter *w;
	while ((w = s->first) && w->n <= s->size - s->cur) {
		s->cur += w->n;
		if (!(s->first = w->next))
			s->last = NULL;
		w->has = true;
		rt_chan_close(w->ready); /* w itself stays until its task gets mu */
	}
}

static void unlist(semaphore *s, struct semaphore_waiter *w)
{
	struct semaphore_waiter **link = &s->first, *before = NULL;
	for (; *link != w; link = &(*link)->next)
		before = *link;
	*link = w->next;
	if (s->last == w)
		s->last = before;
}

static void need_units(int64_t n)
{
	if (n < 0)
		rt_panic("semaphore: negative weight");
}

error semaphore_acquire(semaphore *s, context *ctx, int64_t n)
{
	need_units(n);
	struct hchan *done = (struct hchan *)context_done(ctx);
	error err = context_err(ctx);
	if (err)
		return err;
	mutex_lock(&s->mu);
	if (!s->first && n <= s->size - s->cur) {
		s->cur += n;
		mutex_unlock(&s->mu);
		return NULL;
	}
	struct semaphore_waiter w = { .n = n, .ready = rt_make_chan(sizeof(bool), RT_NOSCAN, 0) };
	if (n <= s->size) { /* more than there is must not hold up the others */
		if (s->last)
			s->last->next = &w;
		else
			s->first = &w;
		s->last = &w;
	}
	mutex_unlock(&s->mu);
	struct rt_case cases[2] = { { .c = w.ready }, { .c = done } };
	bool gave_up = rt_select(cases, 2, true) == 1;
	mutex_lock(&s->mu);
	if (gave_up && w.has) { /* both came: as if the context had been first */
		s->cur -= n;
		serve(s);
	} else if (gave_up && n <= s->size) {
		bool was_first = s->first == &w;
		unlist(s, &w);
		if (was_first)
			serve(s); /* those behind may fit */
	}
	mutex_unlock(&s->mu);
	return gave_up ? context_err(ctx) : NULL;
}

bool semaphore_try_acquire(semaphore *s, int64_t n)
{
	need_units(n);
	mutex_lock(&s->mu);
	bool ok = !s->first && n <= s->size - s->cur;
	if (ok)
		s->cur += n;
	mutex_unlock(&s->mu);
	return ok;
}

void semaphore_release(semaphore *s, int64_t n)
{
	need_units(n);
	mutex_lock(&s->mu);
	if (n > s->cur) {
		mutex_unlock(&s->mu);
		rt_panic("semaphore: released more than held");
	}
	s->cur -= n;
	serve(s);
	mutex_unlock(&s->mu);
}

/* ---- groups ---------------------------------------------------------------- */

context *task_group_with_context(task_group *g, context *parent)
{
	*g = (task_group){ .ctx = context_with_cancel(parent) };
	return g->ctx;
}

void task_group_set_limit(task_group *g, int n)
{
	mutex_lock(&g->slots.mu);
	int64_t active = g->slots.size ? g->slots.cur - 1 : 0;
	if (active == 0)
		active = (int64_t)(at_load(&g->wg.state) >> 32); /* those without a limit */
	if (active == 0) {
		g->slots.size = n < 0 ? 0 : (int64_t)n + 1;
		g->slots.cur = 1;
	}
	mutex_unlock(&g->slots.mu);
	if (active)
		rt_panic("errgroup: modify limit while %lld goroutines in the group are still active",
		         (long long)active);
}

bool rt_group_begin(task_group *g, bool wait)
{
	if (g->slots.size) {
		if (!wait && !semaphore_try_acquire(&g->slots, 1))
			return false;
		if (wait)
			errors_ignore(semaphore_acquire(&g->slots, context_background(), 1)); /* never ends */
	}
	wait_group_add(&g->wg, 1);
	return true;
}

void rt_group_done(task_group *g)
{
	if (g->slots.size)
		semaphore_release(&g->slots, 1);
	wait_group_done(&g->wg); /* g may be gone from here on */
}

void rt_group_error(task_group *g, error err)
{
	if (!err)
		return;
	mutex_lock(&g->mu);
	if (!g->err) {
		g->err = err;
		if (g->ctx)
			context_cancel_cause(g->ctx, err);
	}
	mutex_unlock(&g->mu);
}

error task_group_wait(task_group *g)
{
	wait_group_wait(&g->wg);
	if (g->ctx)
		context_cancel_cause(g->ctx, g->err);
	return g->err;
}
