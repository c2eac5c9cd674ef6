/* select.c: waiting on several channels at once.  After Go's select.go.
 *
 * Three steps.  (1) Look at the cases in random order, one lock at a time;
 * the first that can go, goes: cheap, and uniform when several are ready.
 * (2) Lock all channels in address order, look again: now "none is ready" is
 * true at one moment, so default may be taken or the task may wait.
 * (3) Put a sudog on each channel and park; the waker that flips
 * g->select_done wins, the losers find it flipped and pass on.
 *
 * Invariants: locks are taken in address order, each channel once however
 * many cases name it; select_done is 0 before the first sudog is enqueued
 * and every sudog is out of its queue before the select returns. */
#include "chan.h"
#include "timer.h"
#include "api_select.h"


#define INLINE_CASES 8

/* Everything a select of n cases needs beyond the cases, in one block. */
struct work {
	struct rt_case *cases;
	uint32_t n;
	uint32_t *poll; /* random order */
	uint32_t *lock; /* address order */
	struct sudog *sudogs;
};

static inline bool quiet(const struct rt_case *c)
{
	const struct hchan *h = c->c;
	if (!h)
		return true;
	/* Racy on purpose: a case that becomes ready now may be missed here,
	 * but step 2 looks under all locks. */
	if (at_load(&h->closed))
		return false;
	return c->is_send ? !at_load(&h->recvq.first) && at_load(&h->qcount) == h->dataqsiz
	                  : !at_load(&h->sendq.first) && at_load(&h->qcount) == 0 && !h->timer;
}

/* Tries one case under its lock; keep_lock: the lock is held already. */
static bool try_case(struct rt_case *c)
{
	struct hchan *h = c->c;
	if (!c->is_send)
		return chan_try_recv(h, c->elem, &c->ok);
	if (h->closed) {
		unlock(&h->lock);
		return c->ok = false, true;
	}
	c->ok = true;
	return chan_try_send(h, c->elem);
}

/* The k-th case of a random order, which is drawn as far as it is needed:
 * poll[0..k) is decided, the rest waits (Fisher and Yates). */
static inline uint32_t draw(struct work *w, uint32_t k)
{
	uint32_t j = k + (uint32_t)((uint64_t)rt_fastrand() * (w->n - k) >> 32), c = w->poll[j];
	w->poll[j] = w->poll[k];
	w->poll[k] = c;
	return c;
}

static inline uintptr_t addr_of(const struct work *w, uint32_t i)
{
	return (uintptr_t)w->cases[w->lock[i]].c;
}

/* Heap sort by channel address: no recursion, no worst case. */
static void sort_locks(struct work *w)
{
	uint32_t n = w->n;
	for (uint32_t i = 0; i < n; i++)
		w->lock[i] = i;
	for (uint32_t end = n, start = n / 2; end > 1;) {
		if (start > 0) {
			start--;
		} else {
			end--;
			uint32_t t = w->lock[0];
			w->lock[0] = w->lock[end];
			w->lock[end] = t;
		}
		for (uint32_t root = start, c; (c = 2 * root + 1) < end; root = c) {
			if (c + 1 < end && addr_of(w, c) < addr_of(w, c + 1))
				c++;
			if (addr_of(w, root) >= addr_of(w, c))
				break;
			uint32_t t = w->lock[root];
			w->lock[root] = w->lock[c];
			w->lock[c] = t;
		}
	}
}

static void lock_all(struct work *w)
{
	uintptr_t last = 0;
	for (uint32_t i = 0; i < w->n; i++)
		if (addr_of(w, i) != last) {
			last = addr_of(w, i);
			lock(&((struct hchan *)last)->lock);
		}
}

/* Unlocks all but `except`, which is unlocked already. */
static void unlock_all(struct work *w, const struct hchan *except)
{
	uintptr_t last = 0;
	for (uint32_t i = w->n; i-- > 0;) {
		uintptr_t a = addr_of(w, i);
		if (a != last && a) {
			last = a;
			if ((struct hchan *)a != except)
				unlock(&((struct hchan *)a)->lock);
		}
	}
}

static bool park_unlock_all(struct g *g, void *w)
{
	(void)g;
	unlock_all(w, NULL);
	return true;
}

static int32_t finish(struct rt_case *c, uint32_t i)
{
	if (unlikely(c->is_send && !c->ok))
		chan_panic_closed_send();
	return (int32_t)i;
}

static NOINLINE int32_t select_slow(struct work *w, bool block)
{
	sort_locks(w);
	lock_all(w);
	for (uint32_t k = 0; k < w->n; k++) {
		struct rt_case *c = &w->cases[w->poll[k]];
		if (c->c && try_case(c)) {
			unlock_all(w, c->c);
			return finish(c, w->poll[k]);
		}
	}
	if (!block) {
		unlock_all(w, NULL);
		return -1;
	}
	struct g *g = rt_self.g;
	at_store(&g->select_done, 0);
	for (uint32_t i = 0; i < w->n; i++) {
		struct rt_case *c = &w->cases[i];
		w->sudogs[i] = (struct sudog){ .g = g, .elem = c->elem, .c = c->c, .index = i, .is_select = true };
		if (!c->c)
			continue;
		waitq_push(c->is_send ? &c->c->sendq : &c->c->recvq, &w->sudogs[i]);
		if (unlikely(c->c->timer != NULL) && !c->is_send)
			timer_chan_wait(c->c);
	}
	g->param = NULL;
	bool any = addr_of(w, w->n - 1) != 0;
	if (any)
		park(park_unlock_all, w, WAIT_SELECT);
	else
		park(NULL, NULL, WAIT_SELECT); /* all channels nil: for ever */
	struct sudog *won = g->param;
	g->param = NULL;
	lock_all(w);
	for (uint32_t i = 0; i < w->n; i++) {
		struct rt_case *c = &w->cases[i];
		if (!c->c)
			continue;
		waitq_remove(c->is_send ? &c->c->sendq : &c->c->recvq, &w->sudogs[i]);
		if (unlikely(c->c->timer != NULL))
			timer_chan_left(c->c);
	}
	unlock_all(w, NULL);
	struct rt_case *c = &w->cases[won->index];
	c->ok = won->success;
	return finish(c, won->index);
}

static inline int32_t select_run(struct rt_case *cases, uint32_t n, bool block, struct work *w)
{
	w->cases = cases;
	w->n = n;
	for (uint32_t i = 0; i < n; i++)
		w->poll[i] = i;
	for (uint32_t k = 0; k < n; k++) {
		struct rt_case *c = &cases[draw(w, k)];
		if (quiet(c))
			continue;
		lock(&c->c->lock);
		if (try_case(c))
			return finish(c, w->poll[k]);
		unlock(&c->c->lock);
	}
	if (n == 1 && !block)
		return -1;
	return select_slow(w, block);
}

static NOINLINE int32_t select_many(struct rt_case *cases, uint32_t n, bool block)
{
	uint32_t *order = rt_malloc(2 * sizeof *order * n, RT_NOSCAN);
	struct work w = { .poll = order, .lock = order + n };
	w.sudogs = block ? rt_malloc(sizeof *w.sudogs * n, NULL) : NULL;
	return select_run(cases, n, block, &w);
}

/* Chooses and performs one of n cases; -1: none was ready and block is
 * false.  cases[i].ok: the received value is not from a close.  task. */
int32_t rt_select(struct rt_case *cases, uint32_t n, bool block)
{
	if (unlikely(n == 0)) {
		if (!block)
			return -1;
		park(NULL, NULL, WAIT_SELECT_NONE);
		throw("unreachable");
	}
	if (n == 1 && !block && quiet(cases))
		return -1;
	if (unlikely(n > INLINE_CASES)) {
		if (n > 65536)
			rt_panic("reflect.Select: too many cases (max 65536)");
		return select_many(cases, n, block);
	}
	uint32_t order[2 * INLINE_CASES];
	struct sudog sudogs[INLINE_CASES];
	struct work w = { .poll = order, .lock = order + INLINE_CASES, .sudogs = sudogs };
	return select_run(cases, n, block, &w);
}

/* More cases than fit in the caller's frame. */
struct rt_case *rt_select_grow(struct rt_select *s)
{
	if ((s->n & (s->n - 1)) == 0) { /* a power of two: full */
		struct rt_case *bigger = rt_malloc(2 * s->n * sizeof *bigger, NULL);
		memcpy(bigger, s->cases, s->n * sizeof *bigger);
		s->cases = bigger;
	}
	return &s->cases[s->n];
}

void *rt_select_value(size_t size)
{
	return rt_malloc(size, NULL);
}
