/* reach.c: what the roots reach, breadth first, each object with the word where it
 * was found.
 *
 * By the collector's own rules for what is a pointer, and by none of its means: one
 * core, in a stop, with bits of its own.  The objects found so far stand in a queue
 * with the place of each, so the way to one is there when it is found.  Memory for
 * it, 24 bytes an object and a bit for each slot, comes from the page heap.
 *
 * Invariant: the state is in use from reach_begin() to reach_end(), in one stop. */
#include "freeze.h"
#include "proc.h"
#include "reach.h"
#include "special.h"
#include "timer.h"

#define CHUNK_PAGES_Q 24u
#define CHUNK_ENTRIES (CHUNK_PAGES_Q * PAGE_SIZE / sizeof(struct found))
#define MAX_CHUNKS 8192

static struct search {
	enum reach (*judge)(const struct object *, const struct found *);
	uint64_t *seen;      /* BIT_WORDS for each page, like mark bits */
	size_t seen_pages;
	struct found *chunk[MAX_CHUNKS];
	uint32_t nchunks, n; /* entries */
	uint32_t hit;        /* its entry + 1, 0: not yet */
	bool out_of_memory;
	/* Where words are being looked at. */
	uint32_t from, kind;
	bool ends;
} search NOSCAN_BSS;

struct found *reach_entry(uint32_t i)
{
	return &search.chunk[i / CHUNK_ENTRIES][i % CHUNK_ENTRIES];
}

static void note(const struct object *o, uintptr_t where)
{
	struct found f = { o->base, where, search.from, search.kind };
	uint64_t *w = search.seen + (size_t)o->span->page * BIT_WORDS + o->idx / 64, m = 1ull << o->idx % 64;
	enum reach how;
	if (*w & m || search.hit || (how = search.judge(o, &f)) == REACH_PASS)
		return;
	*w |= m;
	if (search.n == search.nchunks * CHUNK_ENTRIES) {
		void *p = search.nchunks < MAX_CHUNKS ? mheap_alloc_manual(CHUNK_PAGES_Q) : NULL;
		if (!p) {
			search.out_of_memory = true;
			return;
		}
		search.chunk[search.nchunks++] = p;
	}
	*reach_entry(search.n++) = f;
	if (how == REACH_HIT)
		search.hit = search.n;
}

/* A word of a heap object. */
static void look_exact(uintptr_t *slot, void *unused)
{
	struct object o;
	if (object_find(*slot, &o))
		note(&o, (uintptr_t)slot);
}

/* A range of words that may be anything. */
NOASAN static void look_range(uintptr_t lo, uintptr_t hi, void *unused)
{
	struct object o;
	for (lo = (lo + 7) & ~7ul; lo + 8 <= hi; lo += 8) {
		uintptr_t v = *(uintptr_t *)lo;
		bool in = object_find(v, &o);
		if (in)
			note(&o, lo);
		/* A pointer to a start is an end only if nothing better is found. */
		if ((!in || (o.base == v && search.ends)) && object_find(v - 1, &o) && o.base + o.size == v)
			note(&o, lo);
	}
}

static void look_at_roots(void)
{
	struct plat_range r[32];
	unsigned n = plat_globals(r, 32);
	search.kind = ROOT_GLOBAL;
	for (unsigned i = 0; i < n; i++)
		look_range(r[i].base, r[i].base + r[i].len, NULL);
	search.from = 0;
	for (struct g *g = at_load_acq(&rt_allgs); g; g = g->all_next, search.from++) {
		search.kind = ROOT_TASK;
		look_range((uintptr_t)g->gc_begin, (uintptr_t)g->gc_end, NULL);
		search.kind = ROOT_STACK;
		if (g->status != G_DEAD)
			stack_scan_ranges(g, look_range, NULL);
	}
	search.kind = ROOT_TIMER;
	for (search.from = 0; search.from < plat_ncores; search.from++) {
		uintptr_t lo = 0, hi = 0;
		timers_range(rt_ps[search.from], &lo, &hi);
		look_range(lo, hi, NULL);
	}
	search.kind = ROOT_FINALIZER;
	for (uint32_t piece = 0; piece < special_hooks.npieces; piece++) {
		uint32_t k;
		const uint64_t *v = special_hooks.roots(piece, &k);
		for (uint32_t i = 0; i < k; i++) {
			struct object o;
			if (v[i] && !(v[i] & 1) && object_find(v[i], &o))
				object_each_pointer(&o, look_exact, NULL);
		}
	}
}

bool reach_begin(void)
{
	search.seen_pages = ((mheap.used_bytes >> PAGE_SHIFT) * BIT_WORDS * 8 + PAGE_SIZE - 1) / PAGE_SIZE;
	search.seen = mheap_alloc_manual(search.seen_pages);
	search.nchunks = search.n = search.hit = 0;
	search.out_of_memory = !search.seen;
	if (search.seen)
		memset(search.seen, 0, search.seen_pages * PAGE_SIZE);
	return search.seen;
}

uint32_t reach_search(enum reach (*judge)(const struct object *, const struct found *), bool ends)
{
	search.judge = judge;
	search.ends = ends;
	look_at_roots();
	search.kind = NO_ROOT;
	for (search.from = 0; search.from < search.n && !search.hit; search.from++) {
		struct object o;
		if (object_find(reach_entry(search.from)->obj, &o))
			object_each_pointer(&o, look_exact, NULL);
	}
	return search.hit;
}

bool reach_short(void)
{
	return search.out_of_memory;
}

struct g *reach_task(uint32_t n)
{
	struct g *g = at_load_acq(&rt_allgs);
	for (; n; n--)
		g = g->all_next;
	return g;
}

void reach_end(void)
{
	for (uint32_t i = 0; i < search.nchunks; i++)
		mheap_free_manual(search.chunk[i], CHUNK_PAGES_Q);
	if (search.seen)
		mheap_free_manual(search.seen, search.seen_pages);
}
