/* runq.c: the run queues: a ring per P and the global list.  After Go's
 * runqput, runqget, runqgrab, globrunqget (proc.go).  The two calls that are
 * on every path, runq_put and runq_get, are inline in proc.h.
 *
 * Invariants: only the owner writes tail and runq_put()s; anyone may take
 * from head by CAS; tail - head <= RUNQ_SIZE.  A ring slot is written before
 * tail is released and read before head is CASed.  The owner takes from the
 * tail while RUNQ_STEAL_MAX are left (runq_take_newest()).  runnext is taken by
 * CAS. */
#include "proc.h"

/* Appends n linked Gs, first to last, to the global queue. */
static void globrunq_append(struct g *first, struct g *last, uint32_t n)
{
	lock(&sched.lock);
	if (sched.runq_tail)
		sched.runq_tail->next = first;
	else
		sched.runq_head = first;
	sched.runq_tail = last;
	at_store(&sched.runq_size, sched.runq_size + n);
	unlock(&sched.lock);
}

/* Moves half of the full ring and g to the global queue. */
COLD static bool runq_put_slow(struct p *p, struct g *g, uint32_t h, uint32_t t)
{
	uint32_t n = (t - h) / 2;
	/* Take the batch first: the links may only be written once it is ours. */
	struct g *batch[RUNQ_SIZE / 2];
	for (uint32_t i = 0; i < n; i++)
		batch[i] = at_load(&p->runq[(h + i) & RUNQ_MASK]);
	uint32_t expect = h;
	if (!__atomic_compare_exchange_n(&p->runq_head, &expect, h + n, false, __ATOMIC_RELEASE,
	                                 __ATOMIC_RELAXED))
		return false;
	struct g *first = batch[0], *last = first;
	for (uint32_t i = 1; i < n; i++) {
		last->next = batch[i];
		last = batch[i];
	}
	last->next = g;
	g->next = NULL;
	globrunq_append(first, g, n + 1);
	return true;
}

struct overflow {
	struct p *p;
	struct g *g;
	uint32_t h, t;
	bool done;
};
static void overflow_system(void *a)
{
	struct overflow *o = a;
	o->done = runq_put_slow(o->p, o->g, o->h, o->t);
}

/* The ring was found full. */
COLD void runq_put_full(struct p *p, struct g *g)
{
	for (;;) {
		uint32_t h = at_load_acq(&p->runq_head), t = p->runq_tail;
		if (t - h < RUNQ_SIZE) {
			at_store(&p->runq[t & RUNQ_MASK], g);
			at_store_rel(&p->runq_tail, t + 1);
			return;
		}
		struct overflow o = { p, g, h, t, false };
		rt_systemstack(overflow_system, &o);
		if (o.done)
			return;
	}
}

/* Has not begun: its stack is as newproc() left it. */
static bool is_new(const struct g *g)
{
	return (uintptr_t)g->entry_arg == g->sp + NEW_FRAME_SIZE;
}

/* Of a ring that holds more than a thief takes, the task at the tail t if that is a
 * new one; NULL: the head's turn.  So tasks that make tasks are worked off depth
 * first: first in, first out would begin all there are to begin before one
 * ends, each with a stack.  Every 61st dispatch begins at the head all the same.
 *
 * A thief takes only from the head that it read before the tail.  So it cannot have
 * taken this one while as many as it takes are left, if the head is looked at after
 * the tail was lowered (tests/model/runq.pml). */
NOSPLIT NOINLINE struct g *runq_take_newest(struct p *p, uint32_t t, bool alone)
{
	struct g *g = p->runq[(t - 1) & RUNQ_MASK];
	if (turn_61(p->schedtick + 30) || !is_new(g))
		return NULL;
	at_store(&p->runq_tail, t - 1);
	if (alone)
		return g;
	at_fence();
	/* Signed: a thief may have taken all there was up to t. */
	if ((int32_t)(t - 1 - at_load(&p->runq_head)) >= RUNQ_STEAL_MAX)
		return g;
	at_store_rel(&p->runq_tail, t);
	return NULL;
}

bool runq_empty(const struct p *p)
{
	/* head, tail and runnext are read one by one: a put with next kicks the
	 * old runnext to the ring, so look until the tail stands still. */
	for (;;) {
		uint32_t h = at_load_acq(&p->runq_head), t = at_load_acq(&p->runq_tail);
		struct g *n = at_load(&p->runnext);
		if (t == at_load_acq(&p->runq_tail))
			return h == t && !n;
	}
}

/* Moves half of victim's ring, at most RUNQ_STEAL_MAX, to p's and returns one of them; takes the
 * victim's runnext only if take_next and nothing else is there. */
struct g *runq_steal(struct p *p, struct p *victim, bool take_next)
{
	uint32_t t = p->runq_tail;
	for (;;) {
		uint32_t vh = at_load_acq(&victim->runq_head), vt = at_load_acq(&victim->runq_tail);
		uint32_t n = vt - vh;
		n -= n / 2;
		if (n == 0) {
			struct g *g = take_next ? at_load(&victim->runnext) : NULL;
			if (!g)
				return NULL;
			if (!__atomic_compare_exchange_n(&victim->runnext, &g, NULL, false, __ATOMIC_ACQ_REL,
			                                 __ATOMIC_RELAXED))
				continue;
			return g;
		}
		if (n > RUNQ_SIZE / 2) /* head and tail read inconsistently */
			continue;
		if (n > RUNQ_STEAL_MAX)
			n = RUNQ_STEAL_MAX;
		/* Our own ring was empty when we began, so n - 1 fit. */
		for (uint32_t i = 0; i < n; i++)
			at_store(&p->runq[(t + i) & RUNQ_MASK], at_load(&victim->runq[(vh + i) & RUNQ_MASK]));
		if (!__atomic_compare_exchange_n(&victim->runq_head, &vh, vh + n, false, __ATOMIC_RELEASE,
		                                 __ATOMIC_RELAXED))
			continue;
		struct g *g = at_load(&p->runq[(t + n - 1) & RUNQ_MASK]);
		if (n > 1)
			at_store_rel(&p->runq_tail, t + n - 1);
		return g;
	}
}

/* Appends g to the global queue.  system. */
void globrunq_put(struct g *g)
{
	g->next = NULL;
	globrunq_append(g, g, 1);
}

/* Takes one task from the global queue, and this P's share of the rest (at
 * most max, 0: half a ring) into its own.  system. */
struct g *globrunq_get(struct p *p, uint32_t max)
{
	if (at_load(&sched.runq_size) == 0)
		return NULL;
	lock(&sched.lock);
	uint32_t size = sched.runq_size, n = size / rt_nps + 1;
	if (n > size)
		n = size;
	if (max && n > max)
		n = max;
	if (n > RUNQ_SIZE / 2)
		n = RUNQ_SIZE / 2;
	struct g *g = NULL;
	if (n > 0) {
		uint32_t room = RUNQ_SIZE - (p->runq_tail - at_load_acq(&p->runq_head));
		if (n - 1 > room)
			n = room + 1;
		g = sched.runq_head;
		sched.runq_head = g->next;
		uint32_t t = p->runq_tail;
		for (uint32_t i = 1; i < n; i++) {
			struct g *x = sched.runq_head;
			sched.runq_head = x->next;
			at_store(&p->runq[t & RUNQ_MASK], x);
			t++;
		}
		at_store_rel(&p->runq_tail, t);
		if (!sched.runq_head)
			sched.runq_tail = NULL;
		at_store(&sched.runq_size, size - n);
	}
	unlock(&sched.lock);
	return g;
}
