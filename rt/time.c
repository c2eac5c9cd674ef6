/* time.c: deadlines and sleep.  After Go's time.go.
 *
 * Each P has a 4-ary heap of deadlines under its own lock: of timers, and of
 * sleeping tasks, which stand in it directly, so that neither their stacks nor
 * anything else but the heap's array is touched while it is put in order.  The
 * four children of a node share a cache line.
 *
 * The core's one-shot hardware timer is armed for the earliest deadline or the
 * quantum, lazily: it is told only of what comes earlier than what it is armed
 * for, and nothing when a timer goes away; an interrupt that then comes too
 * early arms it anew.  The interrupt itself only sets p->timer_due, and the
 * scheduler runs what is due on g0.  Because every core has a timer of its
 * own, no P ever looks at another's heap, except to take a timer out that
 * another core has put there.  (Go, whose threads have none, lets Ps that look
 * for work run the others' timers.)
 *
 * Invariants: t->heap_pos is the timer's index + 1 in t->p's heap, 0 when it
 * is in none, MOVING between two; p->timer_when mirrors the root's deadline (UINT64_MAX none); the
 * hardware fires at p->armed or before, and at the earlier of timer_when and
 * quantum_end or before.  A timer's function runs on g0 and neither blocks nor
 * allocates. */
#include "heap.h"
#include "timer.h"

struct entry {
	uint64_t when;
	uintptr_t what; /* a struct rt_timer, or a sleeping struct g + 1 */
};

/* Entries left free so that e[1] to e[4], e[5] to e[8], ... are a cache line each. */
#define LEAD 3
_Static_assert((LEAD + 1) * sizeof(struct entry) == CACHE_LINE, "a node's children share a line");

#define MOVING UINT32_MAX /* heap_pos on the way from one P's heap to another's */

struct timer_heap {
	struct lock lock;
	uint32_t n, cap;
	struct entry *e; /* LEAD entries into whole pages of the mheap, not collected; NULL: none yet */
	size_t pages;
};

struct rt_timer *timer_background[TIMERS_BACKGROUND];

void timers_init(struct p *p)
{
	p->timers = persistent_alloc(sizeof *p->timers);
	lock_init(&p->timers->lock, RANK_TIMERS);
	p->timer_when = p->armed = UINT64_MAX;
}

/* ---- the heap; its lock held ---------------------------------------------------- */

static inline void place(struct timer_heap *h, uint32_t i, struct entry e)
{
	h->e[i] = e;
	if (!(e.what & 1))
		at_store_rel(&((struct rt_timer *)e.what)->heap_pos, i + 1); /* after t->p: timer_del */
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
		uint32_t first = 4 * i + 1;
		const struct entry *c = &h->e[first], *d = c + 2;
		if (likely(first + 3 < h->n)) { /* four: the least without a branch */
			c += c[1].when < c[0].when;
			d += d[1].when < d[0].when;
			c = d->when < c->when ? d : c;
		} else if (first < h->n) {
			for (uint32_t k = first + 1; k < h->n; k++)
				if (h->e[k].when < c->when)
					c = &h->e[k];
		} else {
			break;
		}
		if (c->when >= e.when)
			break;
		place(h, i, *c);
		i = (uint32_t)(c - h->e);
	}
	place(h, i, e);
}

struct resize {
	struct timer_heap *h;
	size_t pages;
};

static void resize_system(void *arg)
{
	struct resize *r = arg;
	struct timer_heap *h = r->h;
	struct entry *mem = mheap_alloc_manual(r->pages);
	if (!mem) {
		if (h->n == h->cap)
			throw("out of memory (timers)");
		return; /* it was to become smaller */
	}
	if (h->n)
		memcpy(mem + LEAD, h->e, h->n * sizeof *mem);
	if (h->e)
		mheap_free_manual(h->e - LEAD, h->pages);
	h->e = mem + LEAD;
	h->pages = r->pages;
	h->cap = (uint32_t)(r->pages * PAGE_SIZE / sizeof *mem) - LEAD;
}

static COLD void resize(struct timer_heap *h, size_t pages)
{
	rt_systemstack(resize_system, &(struct resize){ h, pages });
}

bool timer_room(void)
{
	return mheap_pages_free() >= 64; /* more than a heap of any likely size asks for */
}

/* True if it has become the first. */
static bool insert(struct p *p, uint64_t when, uintptr_t what)
{
	struct timer_heap *h = p->timers;
	if (unlikely(h->n == h->cap))
		resize(h, h->pages ? 2 * h->pages : 1);
	if (!(what & 1))
		at_store_rel(&((struct rt_timer *)what)->p, p);
	sift_up(h, h->n++, (struct entry){ when, what });
	if (h->e[0].what != what)
		return false;
	at_store(&p->timer_when, when);
	return true;
}

static void remove_at(struct p *p, uint32_t i)
{
	struct timer_heap *h = p->timers;
	if (!(h->e[i].what & 1))
		at_store(&((struct rt_timer *)h->e[i].what)->heap_pos, 0);
	struct entry last = h->e[--h->n];
	if (i < h->n) {
		if (i > 0 && last.when < h->e[(i - 1) / 4].when)
			sift_up(h, i, last);
		else
			sift_down(h, i, last);
	}
	if (i == 0)
		at_store(&p->timer_when, h->n ? h->e[0].when : UINT64_MAX);
	if (unlikely(h->n < h->cap / 8 && h->pages > 1))
		resize(h, h->pages / 2);
}

/* ---- timers ------------------------------------------------------------------------ */

/* Sees to it that the core's timer fires in time for what comes first: quantum
 * tick or deadline.  An interrupt between the lines finds the same or a later
 * time, so the hardware is never armed too late.  Own P, preemption off. */
void timer_rearm(struct p *p)
{
	uint64_t t = at_load(&p->timer_when);
	if (p->quantum_end < t)
		t = p->quantum_end;
	if (t >= at_load(&p->armed))
		return;
	at_store(&p->armed, t);
	plat_timer_arm(t);
}

static void add(uint64_t when, uintptr_t what)
{
	struct g *me = preempt_off();
	struct p *p = rt_self.p;
	lock(&p->timers->lock);
	bool first = insert(p, when, what);
	unlock(&p->timers->lock);
	if (first)
		timer_rearm(p);
	preempt_on(me);
}

/* Preemption may be on; task or system. */
void timer_add(struct rt_timer *t, uint64_t when)
{
	RT_ASSERT(t->heap_pos == 0);
	add(when, (uintptr_t)t);
}

/* False: it has fired, or was never added.  After it returns the function does
 * not start any more for that deadline.  task or system. */
bool timer_del(struct rt_timer *t)
{
	for (;;) {
		struct p *p = at_load_acq(&t->p);
		if (!p)
			return false;
		lock(&p->timers->lock);
		/* The place first: where it is in no heap another core may add it to
		 * its own meanwhile, and that place is none in this one. */
		uint32_t pos = at_load_acq(&t->heap_pos);
		if (at_load(&t->p) != p || pos == MOVING) { /* another heap's by now: look again */
			unlock(&p->timers->lock);
			plat_relax(0);
			continue;
		}
		if (pos)
			remove_at(p, pos - 1);
		unlock(&p->timers->lock);
		return pos != 0;
	}
}

/* Runs what is due of p, the caller's.  On g0.  A stop that waits comes first:
 * a million tasks may wake at once. */
void timers_run(struct p *p)
{
	struct timer_heap *h = p->timers;
	uint64_t now = plat_now();
	lock(&h->lock);
	while (h->n && h->e[0].when <= now) {
		if (unlikely(at_load(&sched.stopping))) {
			at_store(&p->timer_due, 1);
			attn_set(p);
			break;
		}
		uintptr_t what = h->e[0].what;
		remove_at(p, 0);
		unlock(&h->lock);
		struct rt_timer *t = (struct rt_timer *)what;
		if (what & 1)
			ready((struct g *)(what - 1), false);
		else
			t->fn(t, now);
		lock(&h->lock);
	}
	unlock(&h->lock);
	timer_rearm(p);
}

COLD void timers_move(struct p *from, struct p *to)
{
	struct timer_heap *h = from->timers;
	bool any = h->n > 0;
	for (;;) {
		struct entry e = { 0, 0 };
		lock(&h->lock);
		if (h->n) {
			e = h->e[0];
			remove_at(from, 0);
			if (!(e.what & 1))
				at_store(&((struct rt_timer *)e.what)->heap_pos, MOVING);
		}
		unlock(&h->lock);
		if (!e.what)
			break;
		lock(&to->timers->lock);
		insert(to, e.when, e.what);
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

COLD bool timers_on(uintptr_t lo, uintptr_t hi)
{
	bool any = false;
	for (unsigned i = 0; i < plat_ncores && !any; i++) {
		uintptr_t a, b;
		lock(&rt_ps[i]->timers->lock);
		timers_range(rt_ps[i], &a, &b);
		unlock(&rt_ps[i]->timers->lock);
		any = a < hi && lo < b;
	}
	return any;
}

COLD bool timers_scan(struct p *p, size_t off, size_t n, void (*fn)(uintptr_t, uintptr_t, void *), void *arg)
{
	uintptr_t lo, hi;
	lock(&p->timers->lock);
	timers_range(p, &lo, &hi);
	size_t len = hi - lo;
	if (off < len)
		fn(lo + off, n < len - off ? lo + off + n : hi, arg);
	unlock(&p->timers->lock);
	return off < len && n < len - off;
}

/* One that counts: the background's own do not. */
static bool has_timer(const struct p *p)
{
	uint32_t background = 0;
	if (at_load(&p->timer_when) == UINT64_MAX)
		return false;
	for (unsigned i = 0; i < TIMERS_BACKGROUND; i++) {
		const struct rt_timer *t = at_load(&timer_background[i]);
		background += t && at_load(&t->heap_pos) && at_load(&t->p) == p;
	}
	return at_load(&p->timers->n) > background;
}

uint32_t timers_count(const struct p *p)
{
	return at_load(&p->timers->n);
}

/* All Ps are idle, or the answer does not count (check_dead): heaps stand still. */
bool timers_none(void)
{
	static unsigned found; /* relaxed, a hint: where there was one last time */
	if (has_timer(rt_ps[at_load(&found)]))
		return false;
	for (unsigned i = 0; i < plat_ncores; i++)
		if (has_timer(rt_ps[i])) {
			at_store(&found, i);
			return false;
		}
	return true;
}

/* ---- sleep ------------------------------------------------------------------ */

static bool sleep_start(struct g *g, void *when)
{
	add(*(uint64_t *)when, (uintptr_t)g + 1);
	return true;
}

void sleep(int64_t ns)
{
	if (ns <= 0)
		return;
	uint64_t now = plat_now();
	uint64_t when = (uint64_t)ns > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + (uint64_t)ns;
	park(sleep_start, &when, WAIT_SLEEP);
}

/* ---- clocks ------------------------------------------------------------------- */

int64_t nanotime(void)
{
	return (int64_t)plat_now();
}

/* The time of day is asked of the machine once, when first wanted: by then the
 * monotonic clock goes on for both. */
static struct {
	struct lock lock;  /* asking */
	uint32_t known;    /* base is set: release, acquire */
	int64_t base;      /* Unix nanoseconds when plat_now() was 0; changes later by wall_set() only, relaxed */
} wall NOSCAN_DATA = { .lock = LOCK_INIT(RANK_LEAF) };

static void ask_system(void *unused)
{
	int64_t ns = 0;
	(void)unused;
	lock(&wall.lock);
	if (!wall.known) {
		if (plat_wall(&ns))
			wall.base = ns - (int64_t)plat_now();
		at_store_rel(&wall.known, 1);
	}
	unlock(&wall.lock);
}

void wall_set(int64_t base)
{
	lock(&wall.lock);
	at_store(&wall.base, base);
	at_store_rel(&wall.known, 1);
	unlock(&wall.lock);
}

int64_t unix_nano(void)
{
	if (unlikely(!at_load_acq(&wall.known)))
		rt_systemstack(ask_system, NULL);
	return at_load(&wall.base) + (int64_t)plat_now();
}
