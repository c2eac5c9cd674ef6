/* select.c: waiting on several channels at once.  After Go's select.go.
 *
 * Three steps.  (1) Look at all cases without their locks; of those that can
 * go draw one, lock its channel and try: cheap, and uniform when several are
 * ready.  (2) Lock all channels in address order, look again: now "none is
 * ready" is true at one moment, so default may be taken or the task may wait.
 * (3) Put a sudog on each channel and park; the waker that flips
 * g->select_done wins, the losers find it flipped and pass on.
 * When no other core runs (rt_alone), all is one moment while preemption is
 * off: step 2 and its locks fall away.
 *
 * Invariants: locks are taken in address order, each channel once however
 * many cases name it; select_done is 0 before the first sudog is enqueued
 * and every sudog is out of its queue before the select returns. */
#include "chan.h"
#include "freeze.h"
#include "leak.h"
#include "type.h"
#include "api_select.h"

/* What a select of n cases needs when it does not go at once. */
struct work {
	struct rt_case *cases;
	uint32_t n, nchans;   /* nchans: in chans, 0 before sort_chans() */
	uint16_t *ready;      /* cases that can go */
	struct hchan **chans; /* by address, each once */
	struct sudog *sudogs; /* of each case */
};

/* Can c go?  Exact under its channel's lock, or alone, but that all who wait
 * there may be selects that have been served; else racy on purpose: what
 * becomes ready now may be missed, but step 2 looks under all locks. */
static inline __attribute__((always_inline)) bool can_go(const struct rt_case *c)
{
	const struct hchan *h = c->c;
	if (unlikely(!h))
		return false;
	return c->is_send ? (at_load(&h->recvq.first) != NULL) | (at_load(&h->qcount) < h->dataqsiz)
	                  : ((uint64_t)at_load(&h->sendq.first) | at_load(&h->qcount)) != 0;
}

/* The cases that can go, without a branch on that. */
static inline __attribute__((always_inline)) uint32_t look(const struct rt_case *cases, uint32_t n, uint16_t *ready)
{
	uint32_t k = 0;
	for (uint32_t i = 0; i < n; i++) {
		ready[k] = (uint16_t)i;
		k += can_go(&cases[i]);
	}
	return k;
}

/* Takes one of k by chance. */
static inline __attribute__((always_inline)) uint32_t draw(uint16_t *ready, uint32_t k)
{
	uint32_t j = (uint32_t)((uint64_t)rt_fastrand() * k >> 32), i = ready[j];
	ready[j] = ready[k - 1];
	return i;
}

/* Tries one case.  Lock held, released when true. */
static inline __attribute__((always_inline)) bool try_case(struct rt_case *c, bool alone)
{
	struct hchan *h = c->c;
	if (!c->is_send)
		return recv_now(h, c->elem, &c->ok, alone);
	if (unlikely(chan_is_closed(h))) {
		unlock_nopreempt(&h->lock, alone);
		c->ok = false;
		return true;
	}
	c->ok = true;
	return send_now(h, c->elem, alone);
}

static inline int32_t finish(const struct rt_case *c, uint32_t i)
{
	if (unlikely(c->is_send && !c->ok))
		chan_panic_closed_send();
	return (int32_t)i;
}

/* ---- all locks ---------------------------------------------------------- */

/* Heap sort by address: no recursion, no worst case. */
static void heap_sort(struct hchan **a, uint32_t n)
{
	for (uint32_t end = n, start = n / 2; end > 1;) {
		if (start > 0) {
			start--;
		} else {
			end--;
			struct hchan *t = a[0];
			a[0] = a[end];
			a[end] = t;
		}
		for (uint32_t root = start, c; (c = 2 * root + 1) < end; root = c) {
			if (c + 1 < end && a[c] < a[c + 1])
				c++;
			if (a[root] >= a[c])
				break;
			struct hchan *t = a[root];
			a[root] = a[c];
			a[c] = t;
		}
	}
}

static void insertion_sort(struct hchan **a, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct hchan *h = a[i];
		uint32_t j = i;
		for (; j > 0 && a[j - 1] > h; j--)
			a[j] = a[j - 1];
		a[j] = h;
	}
}

static void sort_chans(struct work *w)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->n; i++)
		if (w->cases[i].c)
			w->chans[n++] = w->cases[i].c;
	if (n <= RT_SELECT_INLINE)
		insertion_sort(w->chans, n);
	else
		heap_sort(w->chans, n);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || w->chans[i] != w->chans[w->nchans - 1])
			w->chans[w->nchans++] = w->chans[i];
}

static inline void lock_all(struct work *w, bool alone)
{
	if (alone)
		return;
	if (w->nchans == 0)
		sort_chans(w);
	for (uint32_t i = 0; i < w->nchans; i++)
		lock_nopreempt(&w->chans[i]->lock, false);
}

/* Unlocks all but `except`, which is unlocked already. */
static inline void unlock_all(struct work *w, const struct hchan *except, bool alone)
{
	if (alone)
		return;
	for (uint32_t i = w->nchans; i-- > 0;)
		if (w->chans[i] != except)
			unlock_nopreempt(&w->chans[i]->lock, false);
}

/* ---- waiting ------------------------------------------------------------ */

/* Queues the caller on all channels, waits, and takes it out of those it was
 * not woken by; their locks are released. */
static inline __attribute__((always_inline)) int32_t select_wait(struct work *w, struct g *g, bool alone)
{
	at_store(&g->select_done, 0);
	for (uint32_t i = 0; i < w->n; i++) {
		struct rt_case *c = &w->cases[i];
		struct sudog *s = &w->sudogs[i];
		s->queued = false;
		if (unlikely(!c->c))
			continue;
		s->g = g;
		s->elem = c->elem;
		s->is_select = s->queued = s->success = true;
		waitq_push(c->is_send ? &c->c->sendq : &c->c->recvq, s);
		if (unlikely(chan_is_timer(c->c)) && !c->is_send)
			timer_chan_wait(c->c);
	}
	g->wait_on = w;
	park_mark(g, WAIT_SELECT);
	unlock_all(w, NULL, alone);
	park_switch(g, alone);
	alone = rt_alone;
	struct sudog *won = g->param;
	g->param = NULL;
	lock_all(w, alone);
	for (uint32_t i = 0; i < w->n; i++) {
		struct rt_case *c = &w->cases[i];
		if (w->sudogs[i].queued)
			waitq_remove(c->is_send ? &c->c->sendq : &c->c->recvq, &w->sudogs[i]);
		if (unlikely(c->c && chan_is_timer(c->c)))
			timer_chan_left(c->c);
	}
	unlock_all(w, NULL, alone);
	preempt_on(g);
	uint32_t i = (uint32_t)(won - w->sudogs);
	w->cases[i].ok = won->success;
	return finish(&w->cases[i], i);
}

/* Steps 2 and 3; looked: since preemption is off, none could go.  Preemption is
 * on at the end. */
static inline __attribute__((always_inline)) int32_t select_locked(struct work *w, bool block, bool looked)
{
	struct g *g = rt_self.g;
	bool alone = rt_alone;
	lock_all(w, alone);
	for (uint32_t k = alone && looked ? 0 : look(w->cases, w->n, w->ready); k > 0; k--) {
		uint32_t i = draw(w->ready, k);
		struct rt_case *c = &w->cases[i];
		if (alone) /* not done by lock_all(): only a debug build does anything here */
			lock_nopreempt(&c->c->lock, true);
		if (try_case(c, alone)) {
			unlock_all(w, c->c, alone);
			preempt_on(g);
			return finish(c, i);
		}
		if (alone)
			unlock_nopreempt(&c->c->lock, true);
	}
	if (!block) {
		unlock_all(w, NULL, alone);
		preempt_on(g);
		return -1;
	}
	return select_wait(w, g, alone);
}

static NOINLINE JUMP_RETURN int32_t select_few(struct rt_case *cases, uint32_t n, bool block, bool looked)
{
	uint16_t ready[RT_SELECT_INLINE];
	struct hchan *chans[RT_SELECT_INLINE];
	struct sudog sudogs[RT_SELECT_INLINE];
	struct work w;
	w.cases = cases;
	w.n = n;
	w.nchans = 0;
	w.ready = ready;
	w.chans = chans;
	w.sudogs = sudogs;
	return select_locked(&w, block, looked);
}

/* Any number of cases. */
static NOINLINE JUMP_RETURN int32_t select_many(struct rt_case *cases, uint32_t n, bool block)
{
	if (n == 0) {
		if (!block)
			return -1;
		park(NULL, NULL, WAIT_SELECT_NONE);
		throw("unreachable");
	}
	if (n > RT_SELECT_MAX)
		rt_panic("reflect.Select: too many cases (max 65536)");
	/* What it points to, the cases keep alive. */
	struct work w = { .cases = cases, .n = n };
	w.sudogs = rt_malloc(n * (sizeof *w.sudogs + sizeof *w.chans + sizeof *w.ready), RT_NOSCAN);
	w.chans = (struct hchan **)(w.sudogs + n);
	w.ready = (uint16_t *)(w.chans + n);
	uint32_t k = look(cases, n, w.ready);
	if (k > 0) {
		uint32_t i = draw(w.ready, k);
		struct rt_case *c = &cases[i];
		lock(&c->c->lock);
		if (try_case(c, rt_alone)) {
			preempt_on(rt_self.g);
			return finish(c, i);
		}
		unlock(&c->c->lock);
	}
	sort_chans(&w); /* with preemption on, since it takes long */
	preempt_off();
	return select_locked(&w, block, false);
}

/* Case i, which could go; preemption is off. */
static NOINLINE int32_t select_try(struct rt_case *cases, uint32_t n, bool block, uint32_t i)
{
	struct rt_case *c = &cases[i];
	struct hchan *h = c->c;
	bool alone = rt_alone;
	lock_nopreempt(&h->lock, alone);
	if (likely(try_case(c, alone))) {
		preempt_on(rt_self.g);
		return finish(c, i);
	}
	unlock_nopreempt(&h->lock, alone);
	return select_few(cases, n, block, false);
}

static NOINLINE int32_t select_ready(uint32_t i, struct g *g)
{
	ready_preempt_on(g);
	return (int32_t)i;
}

static COLD int32_t select_resched(uint32_t i)
{
	preempt_resched();
	return (int32_t)i;
}

/* Chooses and performs one of n cases; -1: none was ready and block is
 * false.  cases[i].ok: the received value is not from a close.  task. */
NOSPLIT int32_t rt_select(struct rt_case *cases, uint32_t n, bool block)
{
	uint16_t ready[RT_SELECT_INLINE];
	if (unlikely(n - 1 >= RT_SELECT_INLINE))
		return select_many(cases, n, block);
	struct g *g = preempt_off_outer();
	bool alone = rt_alone;
	uint32_t k = look(cases, n, ready), i;
	if (k > 1) {
		i = ready[(uint64_t)rt_fastrand() * k >> 32];
	} else if (k == 1) {
		i = ready[0];
	} else if (block || (n > 1 && !alone)) {
		return select_few(cases, n, block, true);
	} else {
		i = -1u;
		goto out;
	}
	struct rt_case *c = &cases[i];
	struct g *wake;
	if (unlikely(!alone))
		return select_try(cases, n, block, i);
	lock_nopreempt(&c->c->lock, true);
	enum hot did = c->is_send ? send_hot(c->c, c->elem, true, &wake) : recv_hot(c->c, c->elem, true, &wake);
	if (unlikely(did == HOT_ANY || did == HOT_WAIT)) {
		unlock_nopreempt(&c->c->lock, true);
		return select_try(cases, n, block, i);
	}
	c->ok = true;
	if (did == HOT_WAKE && unlikely(!ready_fast(wake, true)))
		return select_ready(i, wake);
out:
	return unlikely(preempt_dropped_outer(g)) ? select_resched(i) : (int32_t)i;
}

/* Room for another case where n are: the frame's array is full, or the heap's. */
struct rt_case *rt_select_grow(struct rt_case *cases, uint32_t n)
{
	if (n & (n - 1)) /* room doubles at powers of two */
		return cases;
	struct rt_case *bigger = rt_malloc(2 * n * sizeof *bigger, RT_TYPE(struct rt_case));
	memcpy(bigger, cases, n * sizeof *bigger);
	return bigger;
}

void *rt_select_value(size_t size)
{
	return rt_malloc(size, NULL);
}

bool select_reachable(const struct g *g)
{
	/* On g's stack, which may be frozen; the cases too, or in the heap. */
	const struct work *w = g->wait_on;
	const struct rt_case *cases = (const struct rt_case *)stack_word((uintptr_t)&w->cases);
	uint32_t n = (uint32_t)stack_word((uintptr_t)&w->n);
	for (uint32_t i = 0; i < n; i++) {
		const void *c = (const void *)stack_word((uintptr_t)&cases[i].c);
		if (c && gc_marked(c))
			return true;
	}
	return false;
}
