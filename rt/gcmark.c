/* gcmark.c: marking.  Finds everything reachable, beside the running tasks in
 * bounded pieces, and at last, with the world stopped, on all cores at once.
 *
 * What a task writes behind the marker's back is found by pages: an object that
 * is marked and lies on a page written since is scanned again where the page
 * has it (one of up to 512 bytes whole: it is no longer black, and its span queued).
 * So a word that is read while it changes costs nothing but time, and stacks of
 * parked tasks are read without a lock: who runs meanwhile is read again in the stop.
 *
 * A word that may be a pointer is looked up in the page index and goes, its mark
 * bit's cache line prefetched, through a short queue (the ring); only when it leaves
 * that is the bit tested and set.  So some 16 loads are in flight where a plain
 * walk waits for each.  What follows depends on the object:
 *   no pointers   nothing
 *   up to 512 B   its span is queued, unless it is already (spans).  When its turn comes, all
 *                 objects in it that are marked and not black are scanned, in the
 *                 order of their addresses, and black from then on.  The queue is first
 *                 in, first out: a span waits, and the longer it does the more of it there
 *                 is to scan at once.  What it leads to in itself is marked, without
 *                 the ring, and scanned before it is left: a tree that was built depth first
 *                 is done in a few visits.  After mgcmark_greenteagc.go, but for that and for
 *                 where the bits lie
 *   others        it goes to a stack of objects (a workbuf); the largest in pieces
 *
 * Spans are scanned in batches: while one is scanned, the objects of the next are
 * being loaded.
 *
 * Full buffers and spans go to lists for all workers.  A worker without work waits until
 * these have some or nobody works any more.
 *
 * The spans' queue is linked through a table.  Running out of memory for buffers marks objects
 * without scanning them and sets `overflow`; at the end all marked objects above 512 bytes
 * are scanned again until it is not.  So marking needs no memory to succeed.
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
#define TAKE 32                  /* spans taken from the queue at a time */
#define BATCH 48                 /* objects in a batch, or one span's more */
#define PARTS 24                 /* of 64 objects each, at most */
#define FEW 16                   /* spans in the queue: their objects are loaded at once */
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

/* Spans in the order they are to be scanned in, linked by mheap.grey_next, which is 1
 * for the last and 2 + page for one that another follows. */
struct spans {
	uint32_t n, first, last;
};

static struct {
	struct lock lock;        /* everything but the marked relaxed fields */
	struct workbuf *full, *empty;
	uint32_t nfull;          /* also read relaxed, as a hint */
	struct spans spans;      /* n: also read relaxed, as a hint */
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

/* Objects of a span that are to be scanned: of 64 side by side, those in todo. */
struct part {
	uintptr_t base;          /* of the first of the 64 */
	const uint64_t *heapbits; /* theirs */
	uint64_t todo;
	uint32_t words;          /* of an object */
	uint32_t page;           /* the span's */
	uint32_t n;              /* in todo */
};

/* The span that is being scanned. */
struct own {
	uintptr_t off;           /* of its first object from the heap's begin; */
	uint32_t bytes;          /* its objects' */
	uint32_t magic;
	uint64_t *mark;
	uint32_t page;
};

struct batch {
	uint32_t n;
	struct part part[PARTS];
};

struct worker {
	uintptr_t *p, *lo, *hi;  /* stack of marked objects: [lo, p) in use, up to hi */
	struct workbuf *buf;     /* holds it, or NULL: `fallback` does */
	uintptr_t heap_lo;
	size_t heap_bytes;
	uint64_t *mark, *index;  /* mheap's */
	uint32_t *next;
	uint8_t *kind;
	bool atomic;             /* other workers may mark too */
	bool quit;               /* the piece has had its time */
	bool beside;             /* the tasks: ends when a stop waits */
	bool count_stacks;       /* each task's comes once in a cycle */
	uint64_t budget;         /* bytes after which it has; UINT64_MAX: none */
	uint64_t bytes, stack_bytes; /* scanned, or marked and not to be; of stacks */
	uint64_t cost;           /* bytes looked at besides */
	struct spans spans;      /* not in the common list yet */
	uint32_t ntaken, at;     /* taken[at .. ntaken): to be scanned next, their bits are being loaded */
	uint32_t pos;            /* in the ring, of the oldest */
	uint64_t ring[RING];     /* numbers of mark bits + 1, or 0 */
	struct own own;
	uint32_t nmore;          /* groups of it that have any in more, a bit each */
	uint64_t more[BIT_WORDS]; /* what was found in it meanwhile: of each group of 64; 0 but in batch_scan() */
	uint32_t taken[TAKE];
	struct batch batch[2];
	uintptr_t fallback[128];
};

/* Called by cold functions only, it would be taken for one. */
#define HOT NOINLINE __attribute__((hot))

/* What a lookup needs of a span class. */
static struct {
	uint32_t magic;          /* as in class_info */
	uint32_t nelems;
} divide[NUM_SPAN_CLASSES] NOSCAN_BSS;

void gc_mark_init(void)
{
	lock_init(&work.lock, RANK_LEAF);
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++) {
		divide[spc].magic = class_info[spc].magic;
		divide[spc].nelems = class_info[spc].nelems;
	}
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

static const struct mspan *span_of(const struct worker *w, uintptr_t obj)
{
	return index_span(w->index[(obj - w->heap_lo) >> PAGE_SHIFT]);
}

static COLD void push_slow(struct worker *w, uintptr_t obj)
{
	if (w->buf == NULL) {
		struct workbuf *b = buf_get_empty();
		if (b) {
			size_t n = (size_t)(w->p - w->lo);
			memcpy(b->w, w->lo, n * sizeof b->w[0]);
			worker_use(w, b, n);
			*w->p++ = obj;
			return;
		}
	} else if (worker_share(w)) {
		*w->p++ = obj;
		return;
	}
	w->bytes += span_of(w, obj)->elemsize;
	at_store(&work.overflow, true);
}

/* ---- the queue of spans --------------------------------------------------------- */

static void spans_append(struct spans *to, const struct spans *s)
{
	if (s->n == 0)
		return;
	if (to->n == 0)
		to->first = s->first;
	else
		mheap.grey_next[to->last] = s->first + 2;
	to->last = s->last;
	at_store(&to->n, to->n + s->n);
}

static uint32_t spans_take(struct spans *s)
{
	uint32_t page = s->first, *next = &mheap.grey_next[page];
	s->first = *next - 2;
	*next = 1;
	at_store(&s->n, s->n - 1);
	return page;
}

/* An object of a span that was not in the queue has just been marked. */
static HOT void span_grey(struct worker *w, uint32_t page, uint32_t idx)
{
	uint32_t zero = 0;
	if (w->atomic && !at_cas(&mheap.grey_next[page], &zero, 1))
		return;
	mheap.grey_next[page] = 1;
	spans_append(&w->spans, &(struct spans){ 1, page, page });
	if (w->spans.n < FEW) {
		const struct class_info *k = &class_info[INDEX_CLASS(w->index[page])];
		uintptr_t base = w->heap_lo + ((uintptr_t)page << PAGE_SHIFT);
		__builtin_prefetch(black_bits(page) + idx / 64, 1);
		__builtin_prefetch((void *)(base + idx * k->size));
		__builtin_prefetch((void *)(base + k->heapbits + idx * k->size / 64));
	}
}

/* Under work.lock: our spans for all, and the next ones for us. */
static void spans_exchange(struct worker *w)
{
	spans_append(&work.spans, &w->spans);
	w->spans = (struct spans){ 0 };
	for (w->at = w->ntaken = 0; w->ntaken < TAKE && work.spans.n;)
		w->taken[w->ntaken++] = spans_take(&work.spans);
}

/* The next ones of our own while the others have enough and we know no older ones. */
static bool spans_next(struct worker *w)
{
	w->at = w->ntaken = 0;
	if (at_load(&work.spans.n) || (w->spans.n > 1 && at_load(&work.waiting))) {
		lock(&work.lock);
		spans_exchange(w);
		unlock(&work.lock);
	} else {
		while (w->ntaken < TAKE && w->spans.n)
			w->taken[w->ntaken++] = spans_take(&w->spans);
	}
	for (uint32_t i = 0; i < w->ntaken; i++) {
		__builtin_prefetch(mark_bits(w->taken[i]));
		__builtin_prefetch(black_bits(w->taken[i]), 1);
		__builtin_prefetch(&mheap.index[w->taken[i]]);
	}
	return w->ntaken != 0;
}

/* What is taken and not begun goes back. */
static void spans_put_back(struct worker *w)
{
	for (; w->at < w->ntaken; w->at++)
		spans_append(&w->spans, &(struct spans){ 1, w->taken[w->at], w->taken[w->at] });
	if (w->spans.n) {
		lock(&work.lock);
		spans_append(&work.spans, &w->spans);
		unlock(&work.lock);
		w->spans = (struct spans){ 0 };
	}
}

/* ---- marking ---------------------------------------------------------------------- */

/* Sets bits, of marks or of black ones; returns those that were not set.  Atomic, it is
 * sequentially consistent: marked() needs that, and elsewhere it costs nothing more. */
static inline __attribute__((always_inline)) uint64_t set_bits(uint64_t *at, uint64_t m, bool atomic)
{
	if (atomic)
		return m & ~at_or(at, m);
	m &= ~*at;
	*at |= m;
	return m;
}

/* set_bits() for marks, with its sabotage. */
static inline __attribute__((always_inline)) uint64_t set_marks(uint64_t *mark, uint64_t m, bool atomic)
{
	if (SABOTAGED(gc_atomic)) {
		uint64_t was = at_load(mark);
		sabotage_pause();
		at_store(mark, was | m);
		return m & ~was;
	}
	return set_bits(mark, m, atomic);
}

/* Has been marked and is not one of a span's that is queued. */
static NOINLINE void marked_other(struct worker *w, uint32_t page, uint32_t idx)
{
	const struct mspan *s = index_span(w->index[page]);
	uintptr_t obj = s->base + idx * s->elemsize;
	if (SPANCLASS_NOSCAN(s->spanclass))
		w->bytes += s->elemsize;
	else if (likely(w->p < w->hi))
		*w->p++ = obj;
	else
		push_slow(w, obj);
}

/* An object has been marked. */
static inline __attribute__((always_inline)) void marked(struct worker *w, uint32_t page, uint32_t idx)
{
	/* After the mark: who takes the span looks at these the other way round. */
	uint32_t next = at_load_sc(&w->next[page]);
	if (next == 0)
		span_grey(w, page, idx);
	else if (unlikely(next == GREY_NEVER))
		marked_other(w, page, idx);
}

/* It leaves the ring. */
static inline __attribute__((always_inline)) void item_mark(struct worker *w, uint64_t bit)
{
	uint64_t *mark = &w->mark[bit / 64], m = 1ull << (bit & 63);
	if (!(*mark & m) && set_marks(mark, m, w->atomic))
		marked(w, (uint32_t)(bit / PAGE_BITS), (uint32_t)(bit % PAGE_BITS));
}

#define NONE UINT64_MAX

/* The mark bit of what lies at off from the heap's begin on, in a span of several pages; or NONE. */
static HOT uint64_t other_bit(const struct worker *w, uintptr_t off)
{
	uint64_t e = w->index[off >> PAGE_SHIFT];
	if (e == 0)
		return NONE;
	const struct mspan *s = index_span(e);
	uint64_t idx = (off - ((uintptr_t)s->page << PAGE_SHIFT)) * divide[INDEX_CLASS(e)].magic >> 32;
	return idx < s->nelems ? (uint64_t)s->page * PAGE_BITS + idx : NONE;
}

static inline __attribute__((always_inline)) void push_off(struct worker *w, uintptr_t off)
{
	size_t page = off >> PAGE_SHIFT;
	unsigned spc = w->kind[page];
	uint64_t bit;
	if (likely(spc)) {
		uint64_t idx = off % PAGE_SIZE * divide[spc].magic >> 32;
		if (unlikely(idx >= divide[spc].nelems))
			return;
		__builtin_prefetch(&w->next[page], 1);
		bit = page * PAGE_BITS + idx;
	} else {
		bit = other_bit(w, off);
		if (bit == NONE)
			return;
	}
	uint64_t old = w->ring[w->pos];
	__builtin_prefetch(&w->mark[bit / 64], 1);
	w->ring[w->pos] = bit + 1;
	w->pos = (w->pos + 1) % RING;
	if (likely(old))
		item_mark(w, old - 1);
}

/* A word of an object of the span w->own.  What it leads to in the same span is scanned
 * with it, and marked then: a group of objects with one locked instruction. */
static inline __attribute__((always_inline)) void push(struct worker *w, uintptr_t v)
{
	uintptr_t off = v - w->heap_lo;
	if (off >= w->heap_bytes)
		return;
	uintptr_t in = off - w->own.off;
	if (in < w->own.bytes) {
		uint64_t idx = in * w->own.magic >> 32;
		if (w->own.mark[idx / 64] & 1ull << (idx & 63))
			return;
		w->more[idx / 64] |= 1ull << (idx & 63);
		w->nmore |= 1u << idx / 64;
		return;
	}
	push_off(w, off);
}

static HOT void push_one(struct worker *w, uintptr_t v)
{
	if (v - w->heap_lo < w->heap_bytes)
		push_off(w, v - w->heap_lo);
}

static void ring_empty(struct worker *w)
{
	uint64_t any = 0;
	for (unsigned i = 0; i < RING; i++)
		any |= w->ring[i];
	if (!any) /* as at most pieces of a stop */
		return;
	for (unsigned i = 0; i < RING; i++) {
		uint64_t bit = w->ring[w->pos];
		w->ring[w->pos] = 0;
		w->pos = (w->pos + 1) % RING;
		if (bit)
			item_mark(w, bit - 1);
	}
}

static inline uint32_t ones(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	return (uint32_t)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56);
}

/* What of the span's objects has anything in [lo, hi) is no longer black, and to be scanned again. */
static COLD void span_again(struct worker *w, uint32_t page, uintptr_t lo, uintptr_t hi)
{
	const struct class_info *k = &class_info[w->kind[page]];
	uintptr_t base = w->heap_lo + ((uintptr_t)page << PAGE_SHIFT);
	uint32_t from = (uint32_t)((lo - base) * k->magic >> 32), to = (uint32_t)((hi - 1 - base) * k->magic >> 32);
	uint32_t n = 0;
	for (uint32_t i = from / 64; i <= to / 64; i++) {
		uint64_t *black = &black_bits(page)[i], these = *black;
		if (i == from / 64)
			these &= ~0ull << from % 64;
		if (i == to / 64)
			these &= ~0ull >> (63 - to % 64);
		if (!these)
			continue; /* another may be changing the word */
		if (w->atomic)
			these &= __atomic_fetch_and(black, ~these, __ATOMIC_SEQ_CST);
		else
			*black &= ~these;
		n += ones(these);
	}
	/* It counts as marked once. */
	w->bytes -= n * k->size;
	w->cost += n * k->size + 256;
	if (n && at_load_sc(&w->next[page]) == 0)
		span_grey(w, page, from);
}

/* ---- scanning --------------------------------------------------------------------- */

/* Words of [lo, hi) of an object at base that consists of elements of type t. */
static HOT void scan_typed(struct worker *w, uintptr_t base, size_t lo, size_t hi, const struct rt_type *t)
{
	if (t == NULL) {
		for (size_t o = lo; o + 8 <= hi; o += 8)
			push_one(w, *(uintptr_t *)(base + o));
		return;
	}
	size_t each = t->size, ptr_bytes = t->ptrwords * 8;
	if (ptr_bytes == 0)
		return;
	for (size_t e = lo / each * each; e < hi; e += each) {
		size_t a = e > lo ? e : lo, b = e + ptr_bytes < hi ? e + ptr_bytes : hi;
		for (size_t o = a; o + 8 <= b; o += 8) {
			size_t i = (o - e) / 8;
			if (t->bits[i / 32] >> (i % 32 * 2) & 3)
				push_one(w, *(uintptr_t *)(base + o));
		}
	}
}

/* n bits of a map of words, from bit `at` on. */
static inline uint64_t map_read(const uint64_t *map, size_t at, unsigned n)
{
	unsigned sh = at % 64;
	uint64_t bits = map[at / 64] >> sh;
	if (sh + n > 64)
		bits |= map[at / 64 + 1] << (64 - sh);
	return n == 64 ? bits : bits & ((1ull << n) - 1);
}

/* The word map of a small scan object, from its span's tail. */
static inline uint64_t heapbits_read(uintptr_t span_base, const struct class_info *k, uintptr_t obj)
{
	return map_read((const uint64_t *)(span_base + k->heapbits), (obj - span_base) / 8, k->size / 8);
}

/* What a marked object of any kind has in its bytes [lo, hi). */
static void scan_object(struct worker *w, const struct mspan *s, uint32_t idx, size_t lo, size_t hi)
{
	const struct class_info *k = &class_info[s->spanclass];
	uintptr_t obj = s->base + idx * s->elemsize;
	if (SPANCLASS_NOSCAN(s->spanclass))
		return;
	if (k->heapbits == 0) {
		scan_typed(w, obj, lo, hi, k->size ? type_from32(span_types(s->page)[idx]) : s->large_type);
		return;
	}
	const uintptr_t *v = (const uintptr_t *)obj;
	for (uint64_t bits = heapbits_read(s->base, k, obj); bits; bits &= bits - 1) {
		unsigned n = (unsigned)__builtin_ctzll(bits);
		if (n * 8 >= lo && n * 8 < hi)
			push_one(w, v[n]);
	}
}

/* One from the stack. */
static void scan_other(struct worker *w, uintptr_t obj)
{
	const struct mspan *s = span_of(w, obj);
	w->bytes += s->elemsize;
	if (s->elemsize > OBLET) {
		lock(&work.lock);
		bool room = work.nbig < MAX_BIG;
		if (room)
			work.big[work.nbig++] = (struct big){ s->base, s->elemsize, 0, s->large_type };
		unlock(&work.lock);
		if (room)
			return;
	}
	scan_object(w, s, s->nelems > 1 ? (uint32_t)((obj - s->base) / s->elemsize) : 0, 0, s->elemsize);
}

/* So many bytes. */
static HOT uint32_t part_set(struct part *t, uintptr_t base, uint32_t page, uint32_t group, uint64_t todo)
{
	const struct class_info *k = &class_info[mheap.kind[page]];
	*t = (struct part){ base + (uintptr_t)group * 64 * k->size, (const uint64_t *)(base + k->heapbits) + group * (k->size / 8), todo,
	                    k->size / 8, page, ones(todo) };
	return t->n * k->size;
}

/* The objects of the span that are to be scanned are ours from here on, and being loaded. */
static HOT uint32_t span_blacken(struct worker *w, struct batch *b, uint32_t page)
{
	const struct class_info *k = &class_info[INDEX_CLASS(w->index[page])];
	uint64_t *marks = mark_bits(page), *black = black_bits(page);
	uintptr_t base = w->heap_lo + ((uintptr_t)page << PAGE_SHIFT);
	uint32_t size = k->size, objects = 0;
	/* Those that lie in one cache line. */
	uint32_t shift = size == 16 ? 3 : size == 32 ? 1 : 0;
	uint64_t line = (2ull << shift) - 1;
	/* Before the marks are looked at; see span_grey(). */
	if (w->atomic)
		at_swap(&mheap.grey_next[page], 0);
	else
		mheap.grey_next[page] = 0;
	for (uint32_t i = 0; i * 64 < k->nelems; i++) {
		uint64_t todo = marks[i] & ~black[i];
		if (!todo)
			continue;
		todo = set_bits(&black[i], todo, w->atomic);
		struct part *t = &b->part[b->n++];
		w->bytes += part_set(t, base, page, i, todo);
		objects += t->n;
		__builtin_prefetch(t->heapbits);
		for (uint64_t left = todo; left;) {
			unsigned at = (unsigned)__builtin_ctzll(left);
			__builtin_prefetch((void *)(t->base + at * size));
			left &= ~(line << (at & ~shift));
		}
	}
	return objects;
}

static HOT bool batch_fill(struct worker *w, struct batch *b)
{
	b->n = 0;
	for (uint32_t objects = 0; objects < BATCH && b->n + 8 <= PARTS;) {
		if (w->at == w->ntaken && !spans_next(w))
			break;
		objects += span_blacken(w, b, w->taken[w->at++]);
	}
	return b->n != 0;
}

/* Each bit of the lower half twice. */
static inline __attribute__((always_inline)) uint64_t twice(uint64_t x)
{
	x = (x | x << 16) & 0x0000ffff0000ffff;
	x = (x | x << 8) & 0x00ff00ff00ff00ff;
	x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
	x = (x | x << 2) & 0x3333333333333333;
	x = (x | x << 1) & 0x5555555555555555;
	return x * 3;
}

/* What was found in w->own since; a group of it. */
static HOT void more_take(struct worker *w, struct part *t)
{
	unsigned i = (unsigned)__builtin_ctz(w->nmore);
	uint64_t todo = set_marks(&w->own.mark[i], w->more[i], w->atomic);
	w->nmore &= w->nmore - 1;
	w->more[i] = 0;
	todo = set_bits(&black_bits(w->own.page)[i], todo, w->atomic); /* the span may be queued, and another's already */
	w->bytes += part_set(t, w->heap_lo + w->own.off, w->own.page, i, todo);
}

static HOT void own_set(struct worker *w, uint32_t page)
{
	unsigned spc = w->kind[page];
	w->own = (struct own){ (uintptr_t)page << PAGE_SHIFT, divide[spc].nelems * class_info[spc].size, divide[spc].magic,
	                       mark_bits(page), page };
}

static HOT void batch_scan(struct worker *w, const struct batch *b)
{
	struct part t;
	for (uint32_t i = 0; w->nmore || i < b->n;) {
		if (w->nmore) {
			more_take(w, &t);
		} else {
			t = b->part[i];
			if (i++ == 0 || t.page != w->own.page)
				own_set(w, t.page);
		}
		const uintptr_t *v = (const uintptr_t *)t.base;
		uint32_t n = t.words; /* of the map for 64 objects, too */
		const bool wordwise = (n == 2 || n == 4) && t.n >= 4 * n;
		for (uint64_t todo = t.todo, k = 0; todo; k++) {
			uint64_t bits, at;
			if (wordwise) { /* of 64 words all that are to be looked at */
				uint64_t mask = todo;
				for (uint32_t each = n; each > 1; each /= 2)
					mask = twice(mask);
				bits = t.heapbits[k] & mask;
				at = k * 64;
				todo >>= n == 2 ? 32 : 16;
			} else {
				at = (unsigned)__builtin_ctzll(todo) * n;
				bits = map_read(t.heapbits, at, n);
				todo &= todo - 1;
			}
			for (; bits; bits &= bits - 1)
				push(w, v[at + (unsigned)__builtin_ctzll(bits)]);
		}
	}
}

/* Works until nothing is left that is not the others'; or only what cannot be left, when
 * the budget is used up or a stop waits. */
static void drain(struct worker *w)
{
	bool more;
	w->batch[0].n = 0;
	for (unsigned i = 0;; i ^= 1) {
		struct batch *now = &w->batch[i], *next = &w->batch[i ^ 1];
		if (w->beside && at_load(&sched.stopping))
			w->budget = 0;
		/* Without a buffer there is nowhere to leave the objects. */
		if (unlikely(w->bytes + w->cost >= w->budget))
			w->quit = true;
		more = !w->quit && batch_fill(w, next);
		if (!more)
			next->n = 0;
		batch_scan(w, now);
		while (w->p > w->lo && (!w->quit || !w->buf)) {
			if (at_load(&work.waiting) && at_load(&work.nfull) == 0 && w->p - w->lo > 16)
				worker_share(w);
			scan_other(w, *--w->p);
			if (w->bytes + w->cost >= w->budget)
				w->quit = true;
		}
		if (more)
			continue;
		ring_empty(w);
		if (w->quit ? w->buf || w->p == w->lo : w->p == w->lo && w->spans.n == 0 && w->at == w->ntaken && !at_load(&work.spans.n))
			break;
	}
}

/* ---- words without a type ---------------------------------------------------------- */

static void push_conservative(struct worker *w, uintptr_t v)
{
	struct object o;
	if (v - w->heap_lo - 1 >= w->heap_bytes) /* the end of the heap too */
		return;
	bool in = object_find(v, &o);
	if (in)
		push_one(w, o.base);
	if ((!in || o.base == v) && object_find(v - 1, &o) && o.base + o.size == v)
		push_one(w, o.base);
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

COLD void gc_add_root(void *base, size_t len)
{
	lock(&work.lock);
	if (nextra == sizeof extra_roots / sizeof extra_roots[0])
		throw("gc_add_root: too many roots");
	extra_roots[nextra++] = (struct plat_range){ (uintptr_t)base, len };
	unlock(&work.lock);
}

/* Beside the tasks, of who runs only what a later look sees counts.  Who dies waits for us
 * before his windows go (gc_mark_leave). */
static void scan_task(struct worker *w, struct g *g)
{
	struct p *p = rt_self.p;
	if (!work.stopped) {
		at_store_sc(&p->scanned, g);
		bool missed = at_load_acq(&g->on_cpu);
		if (at_load_sc(&g->status) == G_DEAD || missed) {
			if (missed)
				at_store(&g->gc_missed, 1);
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
		return !work.stopped && timers_on(lo, hi);
	}
	if (SPANCLASS_NOSCAN(INDEX_CLASS(e)))
		return false;
	const struct class_info *k = &class_info[INDEX_CLASS(e)];
	if (k->heapbits) {
		span_again(w, (uint32_t)((lo - w->heap_lo) >> PAGE_SHIFT), lo, hi);
		return false;
	}
	struct mspan *s = index_span(e);
	uint32_t i = (uint32_t)((lo - s->base) * k->magic >> 32);
	for (; i < s->nelems; i++) {
		uintptr_t obj = s->base + i * s->elemsize;
		if (obj >= hi)
			break;
		if (!(at_load(&mark_bits(s->page)[i / 64]) >> i % 64 & 1))
			continue;
		size_t from = obj < lo ? lo - obj : 0, to = obj + s->elemsize > hi ? hi - obj : s->elemsize;
		scan_object(w, s, i, from, to);
	}
	w->cost += TRACK_PAGE;
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
		scan_object(w, o.span, o.idx, 0, o.size);
		drain(w);
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
	} else if (work.spans.n) {
		spans_exchange(w);
	} else {
		return false;
	}
	unlock(&work.lock);
	if (b) {
		if (w->buf)
			buf_put_empty(w->buf);
		worker_use(w, b, b->n);
	} else if (hi) {
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
		if (idle && (work.full || work.nbig || work.spans.n)) {
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
	memset(w, 0, offsetof(struct worker, taken));
	w->heap_lo = mheap.lo;
	w->heap_bytes = mheap.used_bytes;
	w->mark = mheap.mark;
	w->index = mheap.index;
	w->next = mheap.grey_next;
	w->kind = mheap.kind;
	w->atomic = rt_nps > 1;
	w->budget = UINT64_MAX;
	worker_use(w, buf_get_empty(), 0);
}

static COLD void worker_end(struct worker *w)
{
	if (w->buf)
		buf_put_empty(w->buf);
	lock(&work.lock);
	at_add_relaxed(&gc_mark_bytes, w->bytes);
	work.stack_bytes += w->stack_bytes;
	unlock(&work.lock);
}

/* What it has not come to is for others. */
static COLD void worker_leave(struct worker *w)
{
	spans_put_back(w);
	if (w->p > w->lo) {
		buf_put_full(w->buf, (size_t)(w->p - w->lo));
		w->buf = NULL;
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
		drain(&w);
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
		drain(&w);
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
	return at_load(&work.nfull) || at_load(&work.spans.n) || work.nbig || gc_track_left() || work.root < work.nranges ||
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
		drain(w);
	while (work.nfull + work.nbig + work.spans.n && worker_get(w));
}

/* Scans every marked object of those that go to a stack again. */
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
		if (SPANCLASS_NOSCAN(s->spanclass) || class_info[s->spanclass].heapbits)
			continue;
		for (uint32_t i = 0; i < s->nelems; i++)
			if (mark_bits(s->page)[i / 64] >> i % 64 & 1) {
				scan_object(w, s, i, 0, s->elemsize);
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
	return !object_find((uintptr_t)p, &o) || mark_bits(o.span->page)[o.idx / 64] >> o.idx % 64 & 1;
}

COLD uint64_t gc_mark_finish(void)
{
	gc_mark_caught_up();
	gc_stack_bytes = work.stack_bytes;
	if (GC_CHECKS && (int64_t)gc_mark_bytes < 0)
		throw("gc: %lld bytes are marked", (long long)gc_mark_bytes);
	return gc_mark_bytes;
}

COLD void gc_mark_tidy(void)
{
	struct workbuf *b = work.empty, *next;
	work.empty = NULL;
	for (unsigned kept = 0; b; b = next) {
		next = b->next;
		if (kept++ < 2 * rt_nps)
			buf_put_empty(b);
		else
			mheap_free_manual(b, 1);
	}
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
