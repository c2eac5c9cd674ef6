/* time.c: timers and sleep.  After Go's time.go.
 *
 * Each P has a 4-ary heap of timers, ordered by deadline, under its own lock.
 * The core's one-shot hardware timer is armed for the earliest; its
 * interrupt only sets p->timer_due, and the scheduler runs what is due on g0.
 * Because every core has a timer of its own, no P ever looks at another's
 * heap, except to take a timer out that it owns no longer.
 *
 * Invariants: t->heap_pos is the timer's index + 1 in t->p's heap, 0 when it
 * is in none; p->timer_when mirrors the root's deadline (UINT64_MAX none).
 * A timer's function runs on g0 and neither blocks nor allocates. */
#include "timer.h"

#define PAGE_SIZE 8192ul

struct entry {
	uint64_t when;
	struct rt_timer *t;
};

struct timer_heap {
	struct lock lock;
	uint32_t n, cap;
	struct entry *e; /* whole pages of the mheap, not collected */
};

void timers_init(struct p *p)
{
	p->timers = persistent_alloc(sizeof *p->timers);
	lock_init(&p->timers->lock, RANK_TIMERS);
	p->timer_when = UINT64_MAX;
}

static inline void place(struct timer_heap *h, uint32_t i, struct entry e)
{
	h->e[i] = e;
	e.t->heap_pos = i + 1;
}

static void sift_up(struct timer_heap *h, uint32_t i, struct entry e)
{
	while (i > 0) {
		uint32_t up = (i - 1) / 4;
		if (h->e[up].when <= e.when)
			break;
		place(h, i, h->e[up]);
		i = up;
	}
	place(h, i, e);
}

static void sift_down(struct timer_heap *h, uint32_t i, struct entry e)
{
	for (;;) {
		uint32_t c = 4 * i + 1, best = c;
		if (c >= h->n)
			break;
		for (uint32_t k = c + 1; k < c + 4 && k < h->n; k++)
			if (h->e[k].when < h->e[best].when)
				best = k;
		if (h->e[best].when >= e.when)
			break;
		place(h, i, h->e[best]);
		i = best;
	}
	place(h, i, e);
}

static void mirror(struct p *p)
{
	at_store(&p->timer_when, p->timers->n ? p->timers->e[0].when : UINT64_MAX);
}

static void grow_system(void *a)
{
	struct timer_heap *h = a;
	size_t pages = h->cap ? 2 * (h->cap * sizeof *h->e / PAGE_SIZE) : 1;
	struct entry *e = mheap_alloc_manual(pages);
	if (!e)
		throw("out of memory (timers)");
	if (h->n)
		memcpy(e, h->e, h->n * sizeof *e);
	if (h->cap)
		mheap_free_manual(h->e, h->cap * sizeof *h->e / PAGE_SIZE);
	h->e = e;
	h->cap = (uint32_t)(pages * PAGE_SIZE / sizeof *e);
}

static void insert(struct p *p, struct rt_timer *t)
{
	struct timer_heap *h = p->timers;
	if (h->n == h->cap)
		rt_systemstack(grow_system, h);
	t->p = p;
	sift_up(h, h->n++, (struct entry){ t->when, t });
	mirror(p);
}

/* Arms the core's timer for what comes first: quantum tick or timer. */
void timer_rearm(struct p *p)
{
	uint64_t t = at_load(&p->timer_when);
	plat_timer_arm(t < p->quantum_end ? t : p->quantum_end);
}

/* Puts a timer that is in no heap into the caller's P's.  Preemption may be
 * on; task or system. */
void timer_add(struct rt_timer *t)
{
	struct g *me = preempt_off();
	struct p *p = rt_self.p;
	lock(&p->timers->lock);
	RT_ASSERT(t->heap_pos == 0);
	insert(p, t);
	bool first = t->heap_pos == 1;
	unlock(&p->timers->lock);
	if (first)
		timer_rearm(p);
	preempt_on(me);
}

static void remove_at(struct p *p, uint32_t i)
{
	struct timer_heap *h = p->timers;
	h->e[i].t->heap_pos = 0;
	struct entry last = h->e[--h->n];
	if (i < h->n) {
		if (i > 0 && last.when < h->e[(i - 1) / 4].when)
			sift_up(h, i, last);
		else
			sift_down(h, i, last);
	}
	mirror(p);
}

/* Takes a timer out of its heap; false if it was in none (it has fired, or
 * was never added).  After it returns the function does not start any more
 * for that deadline.  task or system. */
bool timer_del(struct rt_timer *t)
{
	for (;;) {
		struct p *p = at_load_acq(&t->p);
		if (!p)
			return false;
		lock(&p->timers->lock);
		if (at_load(&t->p) != p) { /* moved by gomaxprocs meanwhile */
			unlock(&p->timers->lock);
			continue;
		}
		bool was = t->heap_pos != 0;
		if (was)
			remove_at(p, t->heap_pos - 1);
		unlock(&p->timers->lock);
		return was;
	}
}

/* Runs the due timers of p, the caller's.  On g0. */
void timers_run(struct p *p)
{
	struct timer_heap *h = p->timers;
	uint64_t now = plat_now();
	lock(&h->lock);
	while (h->n && h->e[0].when <= now) {
		struct rt_timer *t = h->e[0].t;
		void (*fn)(void *, uint64_t) = t->fn;
		void *arg = t->arg;
		if (t->period) {
			/* The next multiple after now: a late ticker drops, it does not pile up. */
			t->when += t->period * (1 + (now - t->when) / t->period);
			sift_down(h, 0, (struct entry){ t->when, t });
			mirror(p);
		} else {
			remove_at(p, 0);
		}
		unlock(&h->lock);
		fn(arg, now);
		lock(&h->lock);
	}
	unlock(&h->lock);
	timer_rearm(p);
}

void timers_move(struct p *from, struct p *to)
{
	struct timer_heap *h = from->timers;
	bool any = h->n > 0;
	for (;;) {
		lock(&h->lock);
		struct rt_timer *t = h->n ? h->e[0].t : NULL;
		if (t)
			remove_at(from, 0);
		unlock(&h->lock);
		if (!t)
			break;
		lock(&to->timers->lock);
		insert(to, t);
		unlock(&to->timers->lock);
	}
	if (any) { /* the other core arms its own timer when it looks */
		at_store(&to->timer_due, 1);
		attn_set(to);
		at_add(&to->wakeword, 1); /* it may be on its way into plat_idle */
		plat_preempt(to->id);
	}
}

void timers_range(const struct p *p, uintptr_t *lo, uintptr_t *hi)
{
	const struct timer_heap *h = p->timers;
	*lo = (uintptr_t)h->e;
	*hi = (uintptr_t)(h->e + h->n);
}

bool timers_none(void)
{
	for (unsigned i = 0; i < plat_ncores; i++)
		if (at_load(&rt_ps[i]->timer_when) != UINT64_MAX)
			return false;
	return true;
}

/* ---- sleep ------------------------------------------------------------------ */

static void sleep_wake(void *g, uint64_t now)
{
	(void)now;
	ready(g, false);
}

static bool sleep_start(struct g *g, void *t)
{
	(void)g;
	timer_add(t);
	return true;
}

void sleep(int64_t ns)
{
	if (ns <= 0)
		return;
	struct rt_timer t = { .fn = sleep_wake, .arg = rt_self.g };
	uint64_t now = plat_now();
	t.when = (uint64_t)ns > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + (uint64_t)ns;
	park(sleep_start, &t, WAIT_SLEEP);
}

int64_t nanotime(void)
{
	return (int64_t)plat_now();
}
