/* gcmark.c: marking.  Finds everything reachable, beside the running tasks in
 * bounded pieces, and at last, with the world stopped, on all cores at once.
 *
 * What a task writes behind the marker's back is found by pages: an object that
 * is marked and lies on a page written since is scanned again where the page
 * has it.  So a word that is read while it changes costs nothing but time, and
 * stacks of parked tasks are read without a lock: who runs meanwhile is read
 * again in the stop.
 *
 * A worker keeps a stack of words that may be pointers (a workbuf).  A word that
 * is popped is looked up in the page index and goes, with its cache lines
 * prefetched, through a short queue (the ring); only when it leaves the ring is
 * its mark bit tested and set and the object scanned.  So some 16 loads are in
 * flight where a plain depth-first walk waits for each.
 *
 * Full buffers go to a list for all workers.  A worker without work waits until
 * the list has some or nobody works any more.
 *
 * Running out of memory for buffers marks objects without scanning them and sets
 * `overflow`; at the end all marked objects are scanned again until none was.  So marking
 * needs no memory to succeed.
 *
 * Words of stacks, registers, globals and the runtime's own roots are not typed: for
 * them only allocated slots count, and a word that may be the end address of an
 * object holds that object too (the compiler may keep only `end`).  Words found
 * in heap objects are taken without looking whether their slot is allocated: a
 * stale one costs a slot until the next cycle and can do no harm. */
#include "gctrack.h"
#include "leak.h"
#include "proc.h"
#include "timer.h"

#define RING 16                  /* power of two */
#define WORKBUF_WORDS (PAGE_SIZE / 8 - 2)
#define OBLET ((size_t)128 << 10) /* larger objects are scanned in pieces of this */
#define MAX_BIG 64
#define MAX_ROOTS 64
#define ROOT_PIECE ((size_t)64 << 10)
#define TIMERS_PIECE ((size_t)4096)
#ifdef INGOT_NASTY
#define STOP_PIECE ((uint64_t)512)
#else
#define STOP_PIECE ((uint64_t)16 << 10) /* bytes between two looks at the clock, in a stop */
#endif

struct workbuf {
	struct workbuf *next;
	size_t n;
	uintptr_t w[WORKBUF_WORDS];
};
_Static_assert(sizeof(struct workbuf) == PAGE_SIZE, "a workbuf is one page");

/* A large object whose pieces are being handed out. */
struct big {
	uintptr_t base;
	size_t size, next;
	const struct rt_type *type;
};

static struct {
	struct lock lock;        /* everything but the marked relaxed fields */
	struct workbuf *full, *empty;
	uint32_t nfull;          /* also read relaxed, as a hint */
	uint32_t active;         /* workers that have or look for roots and work */
	uint32_t waiting;        /* workers without; read relaxed, as a hint */
	bool done;
	bool late;               /* the stop's time is over; relaxed */
	uint64_t until;          /* ns; UINT64_MAX: it has all the time */
	bool overflow;           /* a word was dropped; set relaxed */
	bool leaks;              /* leak.c holds back the stacks of waiting tasks */
	uint32_t minute;         /* wait_since() of this cycle */
	unsigned nbig;
	struct big big[MAX_BIG];
	bool stopped;            /* the world is: the last part of the cycle */
	struct g *next_g;        /* next task to scan */
	unsigned next_p;         /* next P whose timers to scan, */
	size_t timers_off;       /* from here on */
	uint32_t next_special;   /* next piece of the objects with a finalizer */
	unsigned root, root_off; /* next piece of the ranges */
	unsigned nranges;
	struct plat_range range[MAX_ROOTS];
	uint64_t stack_bytes;
} work NOSCAN_BSS;

static struct plat_range extra_roots[MAX_ROOTS / 2];
static unsigned nextra;

uint64_t gc_stack_bytes, gc_global_bytes, gc_mark_bytes;

struct item {
	uintptr_t obj;
	uintptr_t span_base;
	uint64_t *mark;
	uint32_t bit;
	uint32_t spc;
};

struct worker {
	uintptr_t *p, *lo, *hi;  /* stack of words: [lo, p) in use, up to hi */
	struct workbuf *buf;     /* holds it, or NULL: `fallback` does */
	uintptr_t heap_lo;
	size_t heap_bytes;
	bool atomic;             /* other workers may mark too */
	bool checked;            /* after an overflow: push only what is not marked */
	bool quit;               /* the piece has had its time */
	bool beside;             /* the tasks: ends when a stop waits */
	bool count_stacks;       /* each task's comes once in a cycle */
	uint64_t budget;         /* bytes after which it has; UINT64_MAX: none */
	uint64_t bytes, stack_bytes; /* marked; of stacks */
	uint64_t cost;           /* bytes looked at besides */
	struct item ring[RING];
	uintptr_t fallback[128];
};

void gc_mark_init(void)
{
	lock_init(&work.lock, RANK_LEAF);
}

/* ---- buffers ---------------------------------------------------------------- */

static struct workbuf *buf_get_empty(void)
{
#if defined INGOT_NASTY || defined INGOT_SABOTAGE
	static uint32_t calls NOSCAN_DATA;
	if (at_add_relaxed(&calls, 1) % 3 == 0)
		return NULL; /* so that overflow is a common case */
#endif
	lock(&work.lock);
	struct workbuf *b = work.empty;
	if (b)
		work.empty = b->next;
	unlock(&work.lock);
	return b ? b : mheap_alloc_manual(1);
}

static void buf_put_empty(struct workbuf *b)
{
	lock(&work.lock);
	b->next = work.empty;
	work.empty = b;
	unlock(&work.lock);
}

static void buf_put_full(struct workbuf *b, size_t n)
{
	b->n = n;
	lock(&work.lock);
	b->next = work.full;
	work.full = b;
	at_store(&work.nfull, work.nfull + 1);
	unlock(&work.lock);
}

static void worker_use(struct worker *w, struct workbuf *b, size_t n)
{
	w->buf = b;
	w->lo = b ? b->w : w->fallback;
	w->hi = w->lo + (b ? WORKBUF_WORDS : sizeof w->fallback / sizeof w->fallback[0]);
	w->p = w->lo + n;
}

/* Gives the older half of the stack to the others. */
static COLD bool worker_share(struct worker *w)
{
	struct workbuf *b = buf_get_empty();
	if (b == NULL)
		return false;
	size_t n = (size_t)(w->p - w->lo), give = n / 2;
	memcpy(b->w, w->lo, give * sizeof b->w[0]);
	memmove(w->lo, w->lo + give, (n - give) * sizeof b->w[0]);
	w->p = w->lo + (n - give);
	buf_put_full(b, give);
	return true;
}

static NOINLINE bool word_is_unmarked(uintptr_t v);
static bool find_bit(uintptr_t v, struct object *o, uint64_t **mark, uint64_t *m);

static COLD void push_slow(struct worker *w, uintptr_t v)
{
	if (w->buf == NULL) {
		struct workbuf *b = buf_get_empty();
		if (b) {
			size_t n = (size_t)(w->p - w->lo);
			memcpy(b->w, w->lo, n * sizeof b->w[0]);
			worker_use(w, b, n);
			*w->p++ = v;
			return;
		}
	} else if (worker_share(w)) {
		*w->p++ = v;
		return;
	}
	/* What held v may be no object that is scanned again: so it is marked. */
	struct object o;
	uint64_t *mark, m;
	if (!find_bit(v, &o, &mark, &m) || __atomic_fetch_or(mark, m, __ATOMIC_RELAXED) & m)
		return;
	w->bytes += o.size;
	at_store(&work.overflow, true);
}

static inline __attribute__((always_inline)) void push(struct worker *w, uintptr_t v)
{
	if (v - w->heap_lo >= w->heap_bytes)
		return;
	if (unlikely(w->checked) && !word_is_unmarked(v))
		return;
	if (likely(w->p < w->hi))
		*w->p++ = v;
	else
		push_slow(w, v);
}

/* ---- scanning an object --------------------------------------------------------- */

/* Words of [lo, hi) of an object at base that consists of elements of type t. */
static void scan_typed(struct worker *w, uintptr_t base, size_t lo, size_t hi, const struct rt_type *t)
{
	if (t == NULL) {
		for (size_t o = lo; o + 8 <= hi; o += 8)
			push(w, *(uintptr_t *)(base + o));
		return;
	}
	size_t each = t->size, ptr_bytes = t->ptrwords * 8;
	if (ptr_bytes == 0)
		return;
	for (size_t e = lo / each * each; e < hi; e += each) {
		size_t a = e > lo ? e : lo, b = e + ptr_bytes < hi ? e + ptr_bytes : hi;
		if (each <= MAX_HEAPBITS_SIZE) {
			for (uint64_t bits = t->ptrmask; bits; bits &= bits - 1) {
				size_t o = e + (size_t)__builtin_ctzll(bits) * 8;
				if (o >= a && o + 8 <= b)
					push(w, *(uintptr_t *)(base + o));
			}
			continue;
		}
		for (size_t o = a; o + 8 <= b; o += 8) {
			size_t i = (o - e) / 8;
			if (t->bits[i / 32] >> (i % 32 * 2) & 3)
				push(w, *(uintptr_t *)(base + o));
		}
	}
}

/* The word map of a small scan object, from its span's tail. */
static inline uint64_t heapbits_read(uintptr_t span_base, const struct class_info *k, uintptr_t obj)
{
	size_t word = (obj - span_base) / 8;
	unsigned sh = word % 64, n = k->size / 8;
	const uint64_t *h = (const uint64_t *)(span_base + k->heapbits) + word / 64;
	uint64_t bits = h[0] >> sh;
	if (sh + n > 64)
		bits |= h[1] << (64 - sh);
	return n == 64 ? bits : bits & ((1ull << n) - 1);
}

static COLD NOINLINE void scan_large(struct worker *w, const struct item *it)
{
	struct mspan *s = index_span(mheap.index[(it->obj - w->heap_lo) >> PAGE_SHIFT]);
	w->bytes += s->elemsize;
	if (SPANCLASS_NOSCAN(it->spc))
		return;
	if (s->elemsize > OBLET) {
		lock(&work.lock);
		bool room = work.nbig < MAX_BIG;
		if (room)
			work.big[work.nbig++] = (struct big){ s->base, s->elemsize, 0, s->large_type };
		unlock(&work.lock);
		if (room)
			return;
	}
	scan_typed(w, s->base, 0, s->elemsize, s->large_type);
}

static void scan_medium(struct worker *w, const struct item *it, size_t size)
{
	uint32_t page = (uint32_t)((it->span_base - w->heap_lo) >> PAGE_SHIFT);
	scan_typed(w, it->obj, 0, size, type_from32(span_types(page)[it->bit]));
}

/* Sets the item's mark; false if it was set. */
static inline __attribute__((always_inline)) bool item_set_mark(const struct item *it, bool atomic)
{
	uint64_t m = 1ull << (it->bit & 63);
	if (*it->mark & m)
		return false;
	if (SABOTAGED(gc_atomic)) {
		uint64_t was = at_load(it->mark);
		sabotage_pause();
		at_store(it->mark, was | m);
		return true;
	}
	if (!atomic) {
		*it->mark |= m;
		return true;
	}
	return !(__atomic_fetch_or(it->mark, m, __ATOMIC_RELAXED) & m);
}

/* A marked object of any kind. */
static NOINLINE void item_scan(struct worker *w, const struct item *it)
{
	const struct class_info *k = &class_info[it->spc];
	if (k->size == 0) {
		scan_large(w, it);
		return;
	}
	w->bytes += k->size;
	if (SPANCLASS_NOSCAN(it->spc))
		return;
	if (k->heapbits == 0) {
		scan_medium(w, it, k->size);
		return;
	}
	const uintptr_t *v = (const uintptr_t *)it->obj;
	for (uint64_t bits = heapbits_read(it->span_base, k, it->obj); bits; bits &= bits - 1)
		push(w, v[__builtin_ctzll(bits)]);
}

/* Looks a word up and prefetches what marking it will touch.  False: no object. */
static inline __attribute__((always_inline)) bool item_find(const struct worker *w, uintptr_t v,
                                                           struct item *it)
{
	size_t page = (v - w->heap_lo) >> PAGE_SHIFT;
	uint64_t e = mheap.index[page];
	if (e == 0)
		return false;
	uint32_t spc = (uint32_t)INDEX_CLASS(e);
	const struct class_info *k = &class_info[spc];
	page -= INDEX_DIST(e);
	uintptr_t base = w->heap_lo + (page << PAGE_SHIFT);
	uint32_t idx = 0;
	if (likely(k->size)) {
		idx = (uint32_t)((v - base) * k->magic >> 32);
		if (idx >= k->nelems)
			return false;
	} else {
		struct mspan *s = index_span(e);
		base = s->base;
		page = s->page;
	}
	it->span_base = base;
	it->obj = base + (uintptr_t)idx * k->size;
	it->mark = mheap.mark + page * BIT_WORDS + idx / 64;
	it->bit = idx;
	it->spc = spc;
	__builtin_prefetch(it->mark, 1);
	if (!SPANCLASS_NOSCAN(spc)) {
		__builtin_prefetch((void *)it->obj);
		__builtin_prefetch((void *)(base + k->heapbits + (it->obj - base) / 64));
	}
	return true;
}

/* Works until the local stack and the ring are empty, or only the ring when the
 * budget is used up or a stop waits.  The stack pointer and the ring's ends live
 * in registers; w has them only around calls. */
static void drain_local(struct worker *w)
{
	uintptr_t *p = w->p, *lo = w->lo, *hi = w->hi, *floor = lo;
	const uintptr_t heap_lo = w->heap_lo, heap_bytes = w->heap_bytes;
	const bool atomic = w->atomic, checked = w->checked;
	uint32_t head = 0, tail = 0;
	uint64_t bytes = 0;
	for (;;) {
		if (likely(p > floor)) {
			if (unlikely(tail % 64 == 63)) {
				if (at_load(&work.waiting) && at_load(&work.nfull) == 0 && p - lo > 16) {
					w->p = p;
					worker_share(w);
					p = w->p;
				}
				/* Without a buffer there is nowhere to leave the rest. */
				if (unlikely(w->bytes + w->cost + bytes >= w->budget) && w->buf) {
					w->quit = true;
					floor = (uintptr_t *)UINTPTR_MAX;
					continue;
				}
				if (w->beside && at_load(&sched.stopping))
					w->budget = 0;
			}
			if (!item_find(w, *--p, &w->ring[tail % RING]))
				continue;
			if (++tail - head < RING)
				continue;
		} else if (head == tail) {
			break;
		}
		const struct item *it = &w->ring[head++ % RING];
		if (!item_set_mark(it, atomic))
			continue;
		const struct class_info *k = &class_info[it->spc];
		if (unlikely(k->heapbits == 0 || checked || hi - p < 64)) {
			if (SPANCLASS_NOSCAN(it->spc) && k->size) {
				bytes += k->size;
				continue;
			}
			w->p = p;
			item_scan(w, it);
			p = w->p, lo = w->lo, hi = w->hi;
			if (!w->quit)
				floor = lo;
			continue;
		}
		bytes += k->size;
		/* From the last word down: the first is popped first, so that what was
		 * allocated in order is visited in order.  (Storing every word and keeping it
		 * without a branch was slower: what is popped next then waits for the load.) */
		const uintptr_t *v = (const uintptr_t *)it->obj;
		uint64_t bits = heapbits_read(it->span_base, k, it->obj);
		while (bits) {
			unsigned i = 63 - (unsigned)__builtin_clzll(bits);
			bits ^= 1ull << i;
			uintptr_t word = v[i];
			if (word - heap_lo < heap_bytes)
				*p++ = word;
		}
	}
	w->p = p;
	w->bytes += bytes;
}

/* ---- words without a type ---------------------------------------------------------- */

static bool find_bit(uintptr_t v, struct object *o, uint64_t **mark, uint64_t *m)
{
	if (!object_find(v, o))
		return false;
	*mark = mark_bits(o->span->page) + o->idx / 64;
	*m = 1ull << o->idx % 64;
	return true;
}

static COLD bool word_is_unmarked(uintptr_t v)
{
	struct object o;
	uint64_t *mark, m;
	return find_bit(v, &o, &mark, &m) && !(at_load(mark) & m);
}

/* Where there is nothing to scan, marking is all. */
static inline void mark_found(struct worker *w, const struct object *o)
{
	const struct class_info *k = &class_info[o->span->spanclass];
	if (!SPANCLASS_NOSCAN(o->span->spanclass) || !k->size) {
		push(w, o->base);
		return;
	}
	struct item it = { .mark = mark_bits(o->span->page) + o->idx / 64, .bit = o->idx };
	if (item_set_mark(&it, w->atomic))
		w->bytes += k->size;
}

static void push_conservative(struct worker *w, uintptr_t v)
{
	struct object o;
	if (v - w->heap_lo - 1 >= w->heap_bytes) /* the end of the heap too */
		return;
	bool in = object_find(v, &o);
	if (in)
		mark_found(w, &o);
	if ((!in || o.base == v) && object_find(v - 1, &o) && o.base + o.size == v)
		mark_found(w, &o);
}

/* Another task's stack may hold anything, also what a sanitizer poisoned. */
NOASAN static void scan_conservative(uintptr_t lo, uintptr_t hi, void *arg)
{
	struct worker *w = arg;
	lo = (lo + 7) & ~(uintptr_t)7;
	for (; lo + 8 <= hi; lo += 8) {
		uintptr_t v = *(uintptr_t *)lo;
		if (v - w->heap_lo - 1 < w->heap_bytes)
			push_conservative(w, v);
	}
}

static void scan_stack(uintptr_t lo, uintptr_t hi, void *arg)
{
	struct worker *w = arg;
	w->stack_bytes += w->count_stacks ? hi - lo : 0;
	w->cost += hi - lo;
	scan_conservative(lo, hi, w);
}

/* ---- roots ------------------------------------------------------------------------- */

void gc_add_root(void *base, size_t len)
{
	lock(&work.lock);
	if (nextra == sizeof extra_roots / sizeof extra_roots[0])
		throw("gc_add_root: too many roots");
	extra_roots[nextra++] = (struct plat_range){ (uintptr_t)base, len };
	unlock(&work.lock);
}

/* Beside the tasks, of who runs only what the stop sees counts: leaving the core
 * writes to g.  Who dies waits for us before his windows go (gc_mark_leave). */
static void scan_task(struct worker *w, struct g *g)
{
	struct p *p = rt_self.p;
	if (!work.stopped) {
		at_store_sc(&p->scanned, g);
		if (at_load_sc(&g->status) == G_DEAD || at_load_acq(&g->on_cpu)) {
			at_store(&p->scanned, NULL);
			return;
		}
	}
	scan_conservative((uintptr_t)g->gc_begin, (uintptr_t)g->gc_end, w);
	if (!stack_scan_ranges(g, scan_stack, w) && work.stopped)
		throw("gc: goroutine %lu: its stack pointer is not on its stack", (unsigned long)g->id);
	at_store_rel(&p->scanned, NULL);
}

COLD void gc_mark_leave(const struct g *g)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < plat_ncores; i++)
		for (unsigned n = 0; rt_ps[i] && at_load_acq(&rt_ps[i]->scanned) == g; n++)
			plat_relax(n);
}

/* What the timers have of a written page of the runtime's own memory. */
static void rescan_timers(struct worker *w, uintptr_t lo, uintptr_t hi)
{
	for (unsigned i = 0; i < plat_ncores; i++) {
		uintptr_t a, b;
		timers_range(rt_ps[i], &a, &b);
		scan_conservative(a > lo ? a : lo, b < hi ? b : hi, w);
	}
}

/* Scans what a written page has of the marked objects on it; true: it must be
 * looked at again in the stop. */
static bool rescan_page(struct worker *w, uintptr_t lo)
{
	uintptr_t hi = lo + TRACK_PAGE;
	uint64_t e = at_load_acq(&mheap.index[(lo - w->heap_lo) >> PAGE_SHIFT]);
	if (e == 0) {
		if (work.stopped)
			rescan_timers(w, lo, hi);
		return !work.stopped;
	}
	if (SPANCLASS_NOSCAN(INDEX_CLASS(e)))
		return false;
	const struct class_info *k = &class_info[INDEX_CLASS(e)];
	struct mspan *s = index_span(e);
	uint32_t i = (uint32_t)((lo - s->base) * k->magic >> 32);
	for (; i < s->nelems; i++) {
		uintptr_t obj = s->base + i * s->elemsize;
		if (obj >= hi)
			break;
		if (!(at_load(&mark_bits(s->page)[i / 64]) >> i % 64 & 1))
			continue;
		size_t from = obj < lo ? lo - obj : 0, to = obj + s->elemsize > hi ? hi - obj : s->elemsize;
		if (k->heapbits == 0) {
			const struct rt_type *t = k->size ? type_from32(span_types(s->page)[i]) : s->large_type;
			scan_typed(w, obj, from, to, t);
			continue;
		}
		const uintptr_t *v = (const uintptr_t *)obj;
		for (uint64_t bits = heapbits_read(s->base, k, obj); bits; bits &= bits - 1) {
			unsigned n = (unsigned)__builtin_ctzll(bits);
			if (n * 8 >= from && n * 8 < to)
				push(w, v[n]);
		}
	}
	w->cost += hi - lo;
	return false;
}

static COLD void rescan_pages(struct worker *w, uintptr_t lo, uint64_t pages)
{
	uint64_t keep = 0;
	for (; pages && w->bytes + w->cost < w->budget; pages &= pages - 1)
		if (rescan_page(w, lo + (size_t)__builtin_ctzll(pages) * TRACK_PAGE))
			keep |= SABOTAGED(gc_keep) ? 0 : pages & -pages;
	if (keep | pages) {
		lock(&work.lock);
		if (keep)
			gc_track_keep(lo, keep);
		if (pages)
			gc_track_put_back(lo, pages);
		unlock(&work.lock);
	}
}

/* The next piece of a P's timers.  What moves meanwhile is on a page written. */
static void scan_timers(struct worker *w, unsigned i, size_t off)
{
	if (timers_scan(rt_ps[i], off, TIMERS_PIECE, scan_conservative, w))
		return;
	lock(&work.lock);
	if (work.next_p == i) {
		work.next_p++;
		work.timers_off = 0;
	}
	unlock(&work.lock);
}

/* How long it has waited is known from now on. */
static void note_waiting(struct g *g)
{
	uint32_t why = at_load(&g->wait_reason);
	if (at_load(&g->status) == G_WAITING && !(why >> WAIT_SINCE_SHIFT))
		at_cas(&g->wait_reason, &why, why | work.minute);
}

/* What objects with a finalizer hold, not they themselves. */
static COLD void scan_finalizable(struct worker *w, uint32_t piece)
{
	uint32_t n;
	struct object o;
	const uint64_t *v = special_hooks.roots(piece, &n);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t p = at_load(&v[i]);
		if (p == 0 || p & 1 || !object_find(p, &o))
			continue;
		struct item it = { o.base, o.span->base, NULL, o.idx, o.span->spanclass };
		uint64_t bytes = w->bytes;
		item_scan(w, &it);
		w->bytes = bytes;
		drain_local(w);
	}
}

/* Scans one piece of the roots; false when none is left. */
static COLD bool scan_root(struct worker *w)
{
	uintptr_t lo = 0, hi;
	struct g *g;
	lock(&work.lock);
	uint64_t pages = gc_track_take_pages(&lo);
	if (pages) {
		unlock(&work.lock);
		rescan_pages(w, lo, pages);
		return true;
	}
	if (unlikely(work.next_special < at_load_acq(&special_hooks.npieces))) {
		uint32_t piece = work.next_special++;
		unlock(&work.lock);
		scan_finalizable(w, piece);
		return true;
	}
	if (work.root < work.nranges) {
		const struct plat_range *r = &work.range[work.root];
		size_t n = r->len - work.root_off < ROOT_PIECE ? r->len - work.root_off : ROOT_PIECE;
		lo = r->base + work.root_off;
		hi = lo + n;
		work.root_off += n;
		if (work.root_off == r->len) {
			work.root++;
			work.root_off = 0;
		}
		unlock(&work.lock);
		scan_conservative(lo, hi, w);
		w->cost += hi - lo;
		return true;
	}
	if (work.next_p < plat_ncores) {
		unsigned i = work.next_p;
		size_t off = work.timers_off;
		work.timers_off += TIMERS_PIECE;
		unlock(&work.lock);
		scan_timers(w, i, off);
		return true;
	}
	g = gc_track_take_task();
	bool held = false, first = !g && work.next_g;
	if (first) {
		g = work.next_g;
		work.next_g = at_load_acq(&g->all_next);
		held = work.leaks && leak_hooks.hold(g);
	}
	unlock(&work.lock);
	if (!g)
		return false;
	stack_scan_soon(g);
	w->count_stacks = first;
	if (first)
		note_waiting(g);
	if (!held)
		scan_task(w, g);
	w->cost += 64;
	return true;
}

/* ---- workers ------------------------------------------------------------------------ */

/* Takes work that others left; under work.lock, which it releases if true. */
static COLD bool worker_take(struct worker *w)
{
	struct workbuf *b = work.full;
	struct big piece = { 0 };
	size_t hi = 0;
	if (b) {
		work.full = b->next;
		at_store(&work.nfull, work.nfull - 1);
	} else if (work.nbig) {
		struct big *big = &work.big[work.nbig - 1];
		piece = *big;
		hi = piece.size - piece.next > OBLET ? piece.next + OBLET : piece.size;
		big->next = hi;
		if (hi == big->size)
			work.nbig--;
	} else {
		return false;
	}
	unlock(&work.lock);
	if (b) {
		if (w->buf)
			buf_put_empty(w->buf);
		worker_use(w, b, b->n);
	} else {
		scan_typed(w, piece.base, piece.next, hi, piece.type);
	}
	return true;
}

/* More work from the others.  false: marking is complete. */
static COLD bool worker_get(struct worker *w)
{
	bool idle = false;
	for (unsigned spins = 0;; spins++) {
		lock(&work.lock);
		if (idle && (work.full || work.nbig)) {
			idle = false;
			work.active++;
			at_store(&work.waiting, work.waiting - 1);
		}
		if (worker_take(w))
			return true;
		if (!idle) {
			idle = true;
			work.active--;
			at_store(&work.waiting, work.waiting + 1);
		}
		if (work.active == 0)
			work.done = true;
		bool done = work.done || at_load(&work.late);
		unlock(&work.lock);
		if (done)
			return false;
		plat_relax(spins);
	}
}

static COLD void worker_init(struct worker *w)
{
	memset(w, 0, offsetof(struct worker, ring));
	w->heap_lo = mheap.lo;
	w->heap_bytes = mheap.used_bytes;
	w->atomic = rt_nps > 1;
	w->budget = UINT64_MAX;
	worker_use(w, buf_get_empty(), 0);
}

static COLD void worker_end(struct worker *w)
{
	if (w->buf)
		buf_put_empty(w->buf);
	lock(&work.lock);
	at_store(&gc_mark_bytes, gc_mark_bytes + w->bytes);
	work.stack_bytes += w->stack_bytes;
	unlock(&work.lock);
}

/* What it has not come to is for others. */
static COLD void worker_leave(struct worker *w)
{
	if (w->p > w->lo && w->buf) {
		buf_put_full(w->buf, (size_t)(w->p - w->lo));
		w->buf = NULL;
	} else if (w->p > w->lo) {
		w->budget = UINT64_MAX;
		drain_local(w);
	}
	worker_end(w);
}

/* Is the stop's time over?  Asked at each piece. */
static COLD bool worker_late(struct worker *w)
{
	if (w->bytes + w->cost >= w->budget) {
		w->quit = false;
		w->budget = w->bytes + w->cost + STOP_PIECE;
		if (plat_now() >= work.until)
			at_store(&work.late, true);
	}
	return at_load(&work.late);
}

COLD void gc_mark_worker(void *unused)
{
	struct worker w;
	lock(&work.lock);
	bool ended = work.done || at_load(&work.late);
	if (!ended)
		work.active++;
	unlock(&work.lock);
	if (ended)
		return;
	worker_init(&w);
	if (work.until != UINT64_MAX)
		w.budget = STOP_PIECE;
	for (;;) {
		drain_local(&w);
		bool more = w.quit;
		if (worker_late(&w))
			break;
		if (!more && !scan_root(&w) && !worker_get(&w))
			break;
	}
	worker_leave(&w);
}

COLD bool gc_mark_done(void)
{
	if (!work.done) {
		work.stopped = work.late = false;
		work.active = work.waiting = 0;
	}
	return work.done;
}

/* ---- beside the tasks -------------------------------------------------------------- */

COLD bool gc_mark_piece(uint64_t bytes)
{
	struct worker w;
	bool any = false;
	lock(&work.lock);
	work.active++;
	unlock(&work.lock);
	worker_init(&w);
	w.budget = bytes;
	w.beside = true;
	for (;;) {
		drain_local(&w);
		if (w.quit || w.bytes + w.cost >= w.budget || at_load(&sched.stopping))
			break;
		if (!scan_root(&w)) {
			lock(&work.lock);
			if (!worker_take(&w)) {
				unlock(&work.lock);
				break;
			}
		}
		any = true;
	}
	worker_leave(&w);
	lock(&work.lock);
	work.active--;
	unlock(&work.lock);
	return any;
}

COLD bool gc_mark_some(void)
{
	return at_load(&work.nfull) || work.nbig || gc_track_left() || work.root < work.nranges ||
	       work.next_p < plat_ncores || work.next_g || work.next_special < at_load(&special_hooks.npieces);
}

COLD bool gc_mark_idle(void)
{
	lock(&work.lock);
	bool idle = work.active == 0 && !gc_mark_some();
	unlock(&work.lock);
	return idle;
}

/* The roots, from the first one. */
static void roots_all(void)
{
	work.root = work.root_off = 0;
	work.next_g = at_load_acq(&rt_allgs);
	work.next_p = 0;
	work.next_special = 0;
	work.timers_off = 0;
	work.stack_bytes = 0;
}

COLD void gc_mark_last(bool all, bool leaks, uint64_t until)
{
	work.until = until;
	work.late = false;
	work.stopped = true;
	work.leaks = leaks;
	work.done = false;
	work.active = work.waiting = 0;
	if (all) {
		roots_all();
	} else {
		if (!SABOTAGED(gc_globals))
			work.root = work.root_off = 0;
		if (!SABOTAGED(gc_finalizers))
			work.next_special = 0; /* they may be unmarked: their pages do not tell */
	}
}

COLD void gc_mark_start(void)
{
	work.stopped = work.leaks = false;
	work.minute = wait_since(plat_now());
	work.active = work.waiting = 0;
	work.done = work.overflow = false;
	gc_mark_bytes = 0;
	roots_all();
	work.nranges = plat_globals(work.range, MAX_ROOTS / 2);
	for (unsigned i = 0; i < nextra; i++)
		work.range[work.nranges++] = extra_roots[i];
	gc_global_bytes = 0;
	unsigned n = 0;
	for (unsigned i = 0; i < work.nranges; i++)
		if (work.range[i].len) {
			gc_global_bytes += work.range[i].len;
			work.range[n++] = work.range[i];
		}
	work.nranges = n;
}

/* A worker when all others have finished. */
static void worker_alone(struct worker *w)
{
	work.done = false;
	work.active = 1;
	worker_init(w);
}

static void drain_alone(struct worker *w)
{
	do
		drain_local(w);
	while (work.nfull + work.nbig && worker_get(w));
}

/* Scans every marked object again, one by one, pushing only what is unmarked. */
static COLD void rescan_heap(struct worker *w)
{
	uint32_t end = (uint32_t)(w->heap_bytes >> PAGE_SHIFT);
	for (uint32_t page = 0; page < end;) {
		uint64_t e = mheap.index[page];
		if (e == 0) {
			page++;
			continue;
		}
		struct mspan *s = index_span(e);
		page += s->npages;
		if (SPANCLASS_NOSCAN(s->spanclass))
			continue;
		for (uint32_t i = 0; i < s->nelems; i++) {
			uint64_t *mark = mark_bits(s->page) + i / 64;
			if (!(*mark >> i % 64 & 1))
				continue;
			struct item it = { s->base + i * s->elemsize, s->base, mark, i, s->spanclass };
			uint64_t bytes = w->bytes;
			item_scan(w, &it);
			w->bytes = bytes;
			drain_alone(w);
		}
	}
}

COLD bool gc_mark_caught_up(void)
{
	if (SABOTAGED(gc_overflow))
		return false;
	bool was = work.overflow;
	while (work.overflow) {
		struct worker w;
		work.overflow = false;
		worker_alone(&w);
		w.checked = true;
		rescan_heap(&w);
		worker_end(&w);
	}
	return was;
}

COLD void gc_mark_task(struct g *g)
{
	struct worker w;
	worker_alone(&w);
	scan_task(&w, g);
	drain_alone(&w);
	worker_end(&w);
}

bool gc_marked(const void *p)
{
	struct object o;
	uint64_t *mark, m;
	return !find_bit((uintptr_t)p, &o, &mark, &m) || *mark & m;
}

COLD uint64_t gc_mark_finish(void)
{
	gc_mark_caught_up();
	gc_stack_bytes = work.stack_bytes;
	/* Keep a few buffers, give the rest back. */
	struct workbuf *b = work.empty, *next;
	work.empty = NULL;
	for (unsigned kept = 0; b; b = next) {
		next = b->next;
		if (kept++ < 2 * rt_nps)
			buf_put_empty(b);
		else
			mheap_free_manual(b, 1);
	}
	return gc_mark_bytes;
}

/* ---- for the verifier and the profiles -------------------------------------------- */

void object_each_pointer(const struct object *o, void (*fn)(uintptr_t *, void *), void *arg)
{
	const struct mspan *s = o->span;
	const struct class_info *k = &class_info[s->spanclass];
	uintptr_t *v = (uintptr_t *)o->base;
	if (SPANCLASS_NOSCAN(s->spanclass))
		return;
	if (k->heapbits) {
		for (uint64_t bits = heapbits_read(s->base, k, o->base); bits; bits &= bits - 1)
			fn(v + __builtin_ctzll(bits), arg);
		return;
	}
	const struct rt_type *t = k->size ? type_from32(span_types(s->page)[o->idx]) : s->large_type;
	for (size_t i = 0; i < o->size / 8; i++) {
		size_t in = t ? i % (t->size / 8) : 0;
		if (t == NULL || (t->bits[in / 32] >> (in % 32 * 2) & 3))
			fn(v + i, arg);
	}
}
