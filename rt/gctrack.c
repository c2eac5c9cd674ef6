/* gctrack.c: what was written behind the marker's back: pages of the heap, and
 * tasks, as the platform's dirty pages tell it.
 *
 * A page of the heap is a bit, found by a summary with a bit for each 64 pages,
 * and that by one with a bit for each 64 of its words: the last stop looks at a
 * word for each GiB.
 * A task is on the list `written` when it may hold other pointers than before.
 * Its stack was written, by whomever: whoever leaves the core pushes there.  Or its
 * struct g was, and what is in there is more than that the task ran: pages hold
 * many structs, and most of their tasks did nothing.
 *
 * Invariants: pages and list are filled by the controller while nobody marks,
 * and taken by workers under the mark queue's lock.  g->gc_next is not NULL
 * while g is on the list. */
#include "gctrack.h"
#include "stack.h"

#define TRACK_SHIFT 12
#define BLOCK_BYTES ((size_t)BLOCK_PAGES << PAGE_SHIFT)
#define SLICE ((size_t)64 << 20) /* looked at with preemption off */
#define END ((struct g *)1)

struct pages {
	uint64_t *bit, *sum, *top; /* a bit of sum or top: what is below is not 0 */
};
static struct pages dirty NOSCAN_DATA, kept NOSCAN_DATA; /* kept: for the next time */
static size_t next_top, end_top; /* words of dirty.top still to be taken */
/* Lists by gc_next, in the order of memory; noted: not given out yet. */
static struct g *noted = END, *written = END, **noted_end = &noted;
static size_t nnoted; /* how many */

static void pages_init(struct pages *p)
{
	/* As many as the heap's tables have room for. */
	size_t n = ((size_t)mheap.npages << PAGE_SHIFT >> TRACK_SHIFT >> 6) + 1;
	p->bit = persistent_alloc(n * 8);
	p->sum = persistent_alloc((n / 64 + 1) * 8);
	p->top = persistent_alloc((n / 64 / 64 + 1) * 8);
}

void gc_track_init(void)
{
	pages_init(&dirty);
	pages_init(&kept);
}

/* ---- noting --------------------------------------------------------------- */

/* 64 pages. */
static void pages_set(struct pages *p, size_t i, uint64_t bits)
{
	p->bit[i] |= bits;
	p->sum[i / 64] |= 1ull << i % 64;
	p->top[i / 64 / 64] |= 1ull << i / 64 % 64;
}

/* The next 64 pages below a word of p->top, not 0 if there are any. */
static inline __attribute__((always_inline)) uint64_t pages_take(struct pages *p, size_t top, size_t *i)
{
	uint64_t t = p->top[top];
	if (!t)
		return 0;
	size_t sum = top * 64 + (size_t)__builtin_ctzll(t);
	uint64_t s = p->sum[sum];
	*i = sum * 64 + (size_t)__builtin_ctzll(s);
	p->sum[sum] = s &= s - 1;
	if (!s)
		p->top[top] = t & (t - 1);
	uint64_t bits = p->bit[*i];
	p->bit[*i] = 0;
	return bits;
}

static void note_pages(uintptr_t lo, uintptr_t hi, void *count)
{
	size_t a = (lo - mheap.lo) >> TRACK_SHIFT, b = (hi - mheap.lo) >> TRACK_SHIFT;
	*(size_t *)count += b - a;
	for (; a < b; a++)
		pages_set(&dirty, a / 64, 1ull << a % 64);
}

static void note_task(struct g *g)
{
	if (!g || g->gc_next || SABOTAGED(gc_ran))
		return;
	g->gc_next = END;
	at_store(&g->gc_missed, 0);
	*noted_end = g;
	noted_end = &g->gc_next;
	nnoted++;
}

/* Its struct was written.  Roots are there, or were left in its registers; or it was on
 * its core when the marker came, and had written to its stack before that was asked. */
static void note_struct(struct g *g)
{
	if (g->defers || g->panics || g->param || at_load(&g->gc_missed) || g_preempted(g))
		note_task(g);
}

/* Things side by side, each a task's. */
struct row {
	uintptr_t base;
	size_t each;
	uint32_t n;
	enum { SLOT, STRUCT, EXT } kind;
};

static void note_row(uintptr_t lo, uintptr_t hi, void *arg)
{
	const struct row *r = arg;
	size_t i = (lo - r->base) / r->each, end = (hi - 1 - r->base) / r->each + 1;
	for (; i < end && i < r->n; i++)
		if (r->kind == STRUCT)
			note_struct(&stacks.gs[i]);
		else
			note_task(r->kind == EXT ? at_load(&stacks.exts[i].g) : &stacks.gs[i]);
}

static void note_large(uintptr_t lo, uintptr_t hi, void *arg)
{
	const struct row *r = arg;
	for (uint32_t i = 0; i < r->n; i++) {
		const struct stack_seg *s = &stacks.exts[i].seg[1];
		if (s->base && s->base < hi && lo < s->hi)
			note_task(at_load(&stacks.exts[i].g));
	}
}

/* ---- looking -------------------------------------------------------------- */

struct look {
	enum plat_track how;
	uintptr_t at, stop;
	void (*fn)(uintptr_t, uintptr_t, void *);
	void *arg;
};

static void look_slice(void *arg)
{
	struct look *l = arg;
	plat_track(l->how, l->at, l->stop, l->fn, l->arg);
}

static void look(enum plat_track how, uintptr_t at, size_t len, void (*fn)(uintptr_t, uintptr_t, void *),
                 void *arg)
{
	struct look l = { how, at, 0, fn, arg };
	if (unlikely(!rt_settings.gctrack)) {
		if (len && fn)
			fn(at, at + len, arg);
		return;
	}
	for (uintptr_t end = at + len; l.at < end; l.at = l.stop) {
		/* In a stop at once: there is less to see the more was cleared just before. */
		l.stop = how == TRACK_SEE || end - l.at < SLICE ? end : l.at + SLICE;
		rt_systemstack(look_slice, &l);
	}
}

/* The first block from b on whose bit in mheap.tracked is not as in those. */
static size_t block_next(size_t b, size_t end, uint64_t those)
{
	while (b < end) {
		const uint64_t *t = &mheap.tracked[b / 64];
		if (b % 64 == 0 && end - b >= 8 * 64 && /* 256 MiB at once */
		    !(those ? ~(t[0] & t[1] & t[2] & t[3] & t[4] & t[5] & t[6] & t[7])
		            : t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7])) {
			b += 8 * 64;
			continue;
		}
		uint64_t w = (at_load(t) ^ those) >> b % 64;
		if (w) {
			b += (size_t)__builtin_ctzll(w);
			return b < end ? b : end;
		}
		b = (b | 63) + 1;
	}
	return end;
}

/* The blocks of the heap that are tracked. */
static void look_heap(enum plat_track how, void (*fn)(uintptr_t, uintptr_t, void *), struct gc_written *found)
{
	size_t end = at_load_acq(&mheap.used_bytes) / BLOCK_BYTES;
	for (size_t b = 0, first; b < end;) {
		b = block_next(b, end, 0);
		first = b;
		b = block_next(b, end, ~0ull);
		found->of += (b - first) * BLOCK_BYTES / TRACK_PAGE;
		look(how, mheap.lo + first * BLOCK_BYTES, (b - first) * BLOCK_BYTES, fn, &found->pages);
	}
}

static struct gc_written look_all(enum plat_track how, bool note)
{
	struct gc_written found = { 0 };
	uint32_t ngs = at_load_acq(&stacks.nslots), nexts = at_load_acq(&stacks.nexts);
	struct row rows[] = {
		{ stacks.slots, plat_stack_slot, ngs, SLOT },
		{ (uintptr_t)stacks.gs, sizeof(struct g), ngs, STRUCT },
		{ (uintptr_t)stacks.exts, sizeof(struct stack_ext), nexts, EXT },
		{ stacks.windows, STACK_WINDOW, nexts, EXT },
	};
	look_heap(how, note ? note_pages : NULL, &found);
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		look(how, rows[i].base, (rows[i].each * rows[i].n + STACK_PAGE - 1) & ~(STACK_PAGE - 1),
		     note ? note_row : NULL, &rows[i]);
	uintptr_t large = stack_large_low();
	look(how, large, stacks.end - large, note ? note_large : NULL, &rows[2]);
	found.tasks = nnoted;
	return found;
}

static void flush_system(void *unused)
{
	(void)unused;
	plat_track_flush();
}

void gc_track_rescan(void)
{
	uint64_t bits;
	end_top = (mheap.used_bytes >> TRACK_SHIFT >> 18) + 1;
	for (size_t n = 0, i; n < end_top; n++)
		while ((bits = pages_take(&kept, n, &i)))
			pages_set(&dirty, i, bits);
	at_store_rel(&next_top, 0);
	at_store_rel(&written, noted); /* it was taken whole */
	noted = END;
	noted_end = &noted;
	nnoted = 0;
}

struct gc_written gc_track_forget(bool note)
{
	look_all(TRACK_PREPARE, false);
	rt_systemstack(flush_system, NULL);
	struct gc_written n = look_all(TRACK_FORGET, note && !SABOTAGED(gc_collect));
	if (!SABOTAGED(gc_flush))
		rt_systemstack(flush_system, NULL);
	return n;
}

struct gc_written gc_track_see(void)
{
	struct gc_written n = { 0 };
	if (!SABOTAGED(gc_last_collect))
		n = look_all(TRACK_SEE, true);
	gc_track_rescan();
	return n;
}

void gc_track_end(void)
{
	if (rt_settings.gctrack)
		look(TRACK_LEAVE, mheap.lo, at_load_acq(&mheap.used_bytes), NULL, NULL);
}

/* ---- taking --------------------------------------------------------------- */

bool gc_track_left(void)
{
	return at_load(&next_top) < end_top || at_load(&written) != END;
}

uint64_t gc_track_take_pages(uintptr_t *lo)
{
	for (size_t i; next_top < end_top; at_store(&next_top, next_top + 1)) {
		uint64_t bits = pages_take(&dirty, next_top, &i);
		if (bits) {
			*lo = mheap.lo + (i << TRACK_SHIFT << 6);
			return bits;
		}
	}
	return 0;
}

void gc_track_put_back(uintptr_t lo, uint64_t pages)
{
	size_t i = (lo - mheap.lo) >> TRACK_SHIFT >> 6;
	pages_set(&dirty, i, pages);
	if (i / 64 / 64 < next_top)
		at_store(&next_top, i / 64 / 64);
}

void gc_track_keep(uintptr_t lo, uint64_t pages)
{
	pages_set(&kept, (lo - mheap.lo) >> TRACK_SHIFT >> 6, pages);
}

struct g *gc_track_take_task(void)
{
	struct g *g = written;
	if (g == END)
		return NULL;
	at_store(&written, g->gc_next);
	g->gc_next = NULL;
	return g;
}
