/* mheap.c: the page heap.  Hands out runs of 8 KiB pages, lowest address first.
 *
 * All memory of plat_memory() is one array of pages from mheap.lo on, holes
 * included (they stay marked allocated for ever).  A bit per page says what is
 * taken; over the bits stands a radix tree of summaries (free pages at the
 * start, longest free run, free pages at the end), as in Go's mpagealloc.go: a
 * chunk of 512 pages, 64 chunks, 4096 chunks, and a plain list on top.  In
 * front of it are two blocks of 64 pages, one for memory without pointers, from
 * which short runs are cut without touching the tree; with several memory nodes two
 * for each, and a P takes pages of its own node while there are any.  A block in
 * which nothing holds pointers is not tracked: writing to it costs nothing.
 *
 * Memory is taken into use chunk by chunk from below, so that starting costs
 * nothing per byte of memory, and tables are touched only for what is used.
 *
 * Also here: page-granular memory for the runtime itself (manual), metadata
 * that is never freed (persistent), and 4 KiB frames, two to a page.
 *
 * Invariants (gc_verify_heap checks them): pages_inuse counts the taken pages of
 * used chunks; no free page lies below mheap.search; a page's index entry is
 * nonzero exactly while a span owns it. */
#include "heap.h"

struct mheap mheap NOSCAN_BSS;

/* ---- the bitmap and its summaries ------------------------------------- */

#define CHUNK_WORDS (CHUNK_PAGES / 64)

static const uint32_t level_pages[SUM_LEVELS] = {
	CHUNK_PAGES, CHUNK_PAGES * SUM_FAN, CHUNK_PAGES * SUM_FAN * SUM_FAN
};

static struct page_sum chunk_summary(const uint64_t *bits)
{
	struct page_sum s = { 0, 0, 0 };
	uint32_t run = 0;
	bool at_start = true;
	for (unsigned i = 0; i < CHUNK_WORDS; i++) {
		uint64_t used = bits[i];
		if (used == 0) {
			run += 64;
			continue;
		}
		unsigned pos = 0;
		while (pos < 64) {
			uint64_t rest = used >> pos;
			unsigned free = rest ? (unsigned)__builtin_ctzll(rest) : 64 - pos;
			run += free;
			pos += free;
			if (pos == 64)
				break;
			if (at_start) {
				s.start = run;
				at_start = false;
			}
			if (run > s.max)
				s.max = run;
			run = 0;
			rest = ~(used >> pos);
			pos += rest ? (unsigned)__builtin_ctzll(rest) : 64 - pos;
			if (pos > 64)
				pos = 64;
		}
	}
	if (at_start)
		s.start = run;
	if (run > s.max)
		s.max = run;
	s.end = run;
	return s;
}

static struct page_sum merge_summaries(const struct page_sum *v, uint32_t n, uint32_t each)
{
	struct page_sum s = { 0, 0, 0 };
	uint32_t run = 0;
	bool at_start = true;
	for (uint32_t i = 0; i < n; i++) {
		if (v[i].start == each) {
			run += each;
			continue;
		}
		run += v[i].start;
		if (at_start) {
			s.start = run;
			at_start = false;
		}
		if (run > s.max)
			s.max = run;
		if (v[i].max > s.max)
			s.max = v[i].max;
		run = v[i].end;
	}
	if (at_start)
		s.start = run;
	if (run > s.max)
		s.max = run;
	s.end = run;
	return s;
}

/* Recomputes what lies above chunks [c0, c1]. */
static void summaries_update(uint32_t c0, uint32_t c1)
{
	for (uint32_t c = c0; c <= c1; c++)
		mheap.sum[0][c] = chunk_summary(mheap.pagebits + (size_t)c * CHUNK_WORDS);
	for (unsigned l = 1; l < SUM_LEVELS; l++) {
		c0 /= SUM_FAN;
		c1 /= SUM_FAN;
		for (uint32_t i = c0; i <= c1; i++) {
			uint32_t first = i * SUM_FAN, n = mheap.nsum[l - 1] - first;
			mheap.sum[l][i] = merge_summaries(mheap.sum[l - 1] + first,
			                                  n < SUM_FAN ? n : SUM_FAN, level_pages[l - 1]);
		}
	}
}

static void bits_set_range(uint32_t page, uint32_t n, bool used)
{
	while (n) {
		uint64_t *w = mheap.pagebits + page / 64;
		uint32_t sh = page % 64, k = 64 - sh < n ? 64 - sh : n;
		uint64_t m = (k == 64 ? ~0ull : (1ull << k) - 1) << sh;
		if (used)
			*w |= m;
		else
			*w &= ~m;
		page += k;
		n -= k;
	}
}

/* First run of n free pages within a chunk that has one. */
static uint32_t chunk_find(uint32_t chunk, uint32_t n)
{
	const uint64_t *bits = mheap.pagebits + (size_t)chunk * CHUNK_WORDS;
	uint32_t run = 0, start = 0;
	for (uint32_t i = 0; i < CHUNK_WORDS; i++) {
		uint64_t used = bits[i];
		for (uint32_t pos = 0; pos < 64;) {
			uint64_t rest = used >> pos;
			uint32_t free = rest ? (uint32_t)__builtin_ctzll(rest) : 64 - pos;
			if (free) {
				if (run == 0)
					start = i * 64 + pos;
				run += free;
				if (run >= n)
					return chunk * CHUNK_PAGES + start;
				pos += free;
			}
			if (pos >= 64)
				break;
			run = 0;
			rest = ~(used >> pos);
			pos += rest ? (uint32_t)__builtin_ctzll(rest) : 64;
		}
	}
	throw("chunk_find: the summary promised %u pages in chunk %u", n, chunk);
}

/* Lowest run of n free pages, or false.  Walks one level at a time: at each,
 * either a run crosses the border of two entries, or one entry holds it whole. */
static bool tree_find(uint32_t n, uint32_t *page)
{
	uint32_t first = mheap.search / level_pages[SUM_LEVELS - 1];
	uint32_t end = mheap.nsum[SUM_LEVELS - 1];
	for (unsigned l = SUM_LEVELS; l-- > 0;) {
		const struct page_sum *v = mheap.sum[l];
		uint32_t each = level_pages[l], run = 0, i;
		for (i = first; i < end; i++) {
			if (run + v[i].start >= n) {
				*page = i * each - run;
				return true;
			}
			if (v[i].max >= n)
				break;
			run = v[i].start == each ? run + each : v[i].end;
		}
		if (i == end)
			return false;
		if (l == 0) {
			*page = chunk_find(i, n);
			return true;
		}
		first = i * SUM_FAN;
		end = first + SUM_FAN < mheap.nsum[l - 1] ? first + SUM_FAN : mheap.nsum[l - 1];
	}
	return false;
}

/* Takes the next chunks into use.  False when all are. */
static bool heap_grow(uint32_t npages)
{
	uint32_t c0 = mheap.used_chunks, n = npages / CHUNK_PAGES + 1;
	if (c0 == mheap.nchunks)
		return false;
	if (n > mheap.nchunks - c0)
		n = mheap.nchunks - c0;
	uint32_t p0 = c0 * CHUNK_PAGES, p1 = (c0 + n) * CHUNK_PAGES;
	if (!plat_memory_zeroed) {
		memset(mheap.index + p0, 0, (size_t)(p1 - p0) * sizeof mheap.index[0]);
		memset(mheap.kind + p0, 0, p1 - p0);
	}
	bits_set_range(p0, p1 - p0, true);
	for (unsigned r = 0; r < mheap.nranges; r++) {
		size_t a = (mheap.ranges[r].base - mheap.lo) >> PAGE_SHIFT;
		size_t b = a + (mheap.ranges[r].len >> PAGE_SHIFT);
		if (a < p0)
			a = p0;
		if (b > p1)
			b = p1;
		if (a < b)
			bits_set_range((uint32_t)a, (uint32_t)(b - a), false);
	}
	mheap.used_chunks = c0 + n;
	summaries_update(c0, c0 + n - 1);
	/* release: lookups that see the new bound see zeroed index entries */
	at_store_rel(&mheap.used_bytes, (size_t)p1 << PAGE_SHIFT);
	return true;
}

/* The lowest free run in the node's own memory, which is taken into use as far as needed. */
static NOINLINE bool node_find(uint32_t n, unsigned node, uint32_t *page)
{
	for (unsigned r = 0; r < mheap.nranges; r++) {
		if (mheap.node[r] != node)
			continue;
		size_t first = (mheap.ranges[r].base - mheap.lo) >> PAGE_SHIFT;
		size_t past = first + (mheap.ranges[r].len >> PAGE_SHIFT), run = 0;
		/* Whole chunks; one on a border between nodes is left to tree_find(). */
		for (uint32_t c = (uint32_t)((first + CHUNK_PAGES - 1) / CHUNK_PAGES);
		     (size_t)(c + 1) * CHUNK_PAGES <= past; c++) {
			while (c >= mheap.used_chunks)
				if (!heap_grow((c - mheap.used_chunks) * CHUNK_PAGES))
					return false;
			const struct page_sum *v = &mheap.sum[0][c];
			if (run + v->start >= n) {
				*page = c * CHUNK_PAGES - (uint32_t)run;
				return true;
			}
			if (v->max >= n) {
				*page = chunk_find(c, n);
				return true;
			}
			run = v->start == CHUNK_PAGES ? run + CHUNK_PAGES : v->end;
		}
	}
	return false;
}

/* A free run: the lowest of the node's, else the lowest there is. */
static bool run_find(uint32_t n, unsigned node, uint32_t *page)
{
	if (unlikely(plat_nnodes > 1) && node_find(n, node, page))
		return true;
	while (!tree_find(n, page))
		if (!heap_grow(n))
			return false;
	return true;
}

struct page_cache *page_cache_of(uint32_t page)
{
	for (unsigned i = 0; i < 2 * plat_nnodes; i++) {
		struct page_cache *c = &mheap.cache[i % 2][i / 2];
		if (c->bits && c->page / 64 == page / 64)
			return c;
	}
	return NULL;
}

unsigned page_node(uint32_t page)
{
	for (unsigned r = 0; r < mheap.nranges; r++)
		if (page_addr(page) - mheap.ranges[r].base < mheap.ranges[r].len)
			return mheap.node[r];
	return 0;
}

static void cache_flush(struct page_cache *c)
{
	if (c->bits == 0)
		return;
	mheap.pagebits[c->page / 64] &= ~c->bits;
	summaries_update(c->page / CHUNK_PAGES, c->page / CHUNK_PAGES);
	if (c->page < mheap.search)
		mheap.search = c->page;
	c->bits = 0;
}

void page_cache_flush(void)
{
	for (unsigned i = 0; i < 2 * plat_nnodes; i++)
		cache_flush(&mheap.cache[i % 2][i / 2]);
}

/* Lowest run of n ones in bits, or 64. */
static unsigned find_run(uint64_t bits, unsigned n)
{
	/* After the loop a bit is left exactly where n ones begin. */
	for (unsigned have = 1; have < n && bits;) {
		unsigned step = have < n - have ? have : n - have;
		bits &= bits >> step;
		have += step;
	}
	return bits ? __builtin_ctzll(bits) : 64;
}

/* Pages just taken out of what is free: of memory that may hold pointers every
 * block is tracked; what has nothing else in its blocks leaves them. */
static void blocks_note(uint32_t page, uint32_t n, bool noscan)
{
	uint32_t b = noscan ? (page + 63) / 64 : page / 64, end = noscan ? (page + n) / 64 : (page + n + 63) / 64;
	for (; b < end; b++) {
		uint64_t *w = &mheap.tracked[b / 64], m = 1ull << b % 64;
		if (!(*w & m) == noscan)
			continue;
		at_store(w, *w ^ m);
		if (noscan)
			plat_track(TRACK_LEAVE, page_addr(b * 64), page_addr(b * 64 + 64), NULL, NULL);
	}
}

static bool page_find(uint32_t n, unsigned node, bool noscan, uint32_t *page)
{
	struct page_cache *c = &mheap.cache[noscan][node];
	unsigned at = n <= 16 ? find_run(c->bits, n) : 64;
	if (at == 64) {
		/* A short run comes from a new block: the 64 pages around the lowest that fits. */
		if (n <= 16)
			cache_flush(c);
		if (!run_find(n, node, page))
			return false;
		if (n > 16 || *page % 64 + n > 64) {
			bits_set_range(*page, n, true);
			summaries_update(*page / CHUNK_PAGES, (*page + n - 1) / CHUNK_PAGES);
			blocks_note(*page, n, noscan);
			return true;
		}
		uint64_t *w = &mheap.pagebits[*page / 64];
		c->page = *page & ~63u;
		c->bits = ~*w;
		*w = ~0ull;
		if (!noscan || c->bits == ~0ull)
			blocks_note(c->page, 64, noscan);
		summaries_update(*page / CHUNK_PAGES, *page / CHUNK_PAGES);
		at = *page % 64;
		if (n == 1 && plat_nnodes == 1) /* it was the lowest free page, and its block is taken */
			mheap.search = c->page + 64;
	}
	c->bits &= ~((~0ull >> (64 - n)) << at);
	*page = c->page + at;
	return true;
}

bool page_alloc(uint32_t n, bool noscan, uint32_t *page)
{
	unsigned node = unlikely(plat_nnodes > 1) && rt_self.p ? rt_self.p->node : 0;
	if (n == 0 || n > mheap.npages)
		return false;
	if (!page_find(n, node, noscan, page)) {
		page_cache_flush();
		if (!page_find(n, node, noscan, page))
			return false;
	}
	mheap.pages_inuse += n;
	if (unlikely(mheap.released))
		mheap.took(*page, n);
	return true;
}

void page_take(uint32_t page, uint32_t n)
{
	bits_set_range(page, n, true);
	summaries_update(page / CHUNK_PAGES, (page + n - 1) / CHUNK_PAGES);
	mheap.pages_inuse += n;
}

void page_free(uint32_t page, uint32_t n)
{
	mheap.pages_inuse -= n;
	struct page_cache *c = page_cache_of(page);
	if (c && page % 64 + n <= 64) {
		c->bits |= (~0ull >> (64 - n)) << page % 64;
		return;
	}
	bits_set_range(page, n, false);
	summaries_update(page / CHUNK_PAGES, (page + n - 1) / CHUNK_PAGES);
	if (page < mheap.search)
		mheap.search = page;
}

bool page_is_free(uint32_t page)
{
	/* What a cache has left of a block may be another's block. */
	for (unsigned i = 0; i < 2 * plat_nnodes; i++) {
		const struct page_cache *c = &mheap.cache[i % 2][i / 2];
		if (c->page / 64 == page / 64 && c->bits >> page % 64 & 1)
			return true;
	}
	return !(mheap.pagebits[page / 64] >> page % 64 & 1);
}

uint32_t mheap_pages_free(void)
{
	return (uint32_t)(mheap.total_pages - mheap.pages_inuse);
}

/* ---- the runtime's own memory -------------------------------------------- */

void *mheap_alloc_manual(size_t npages)
{
	uint32_t page;
	if (npages == 0 || npages > mheap.npages)
		return NULL;
	lock(&mheap.lock);
	bool ok = page_alloc((uint32_t)npages, false, &page);
	if (ok) {
		mheap.pages_manual += npages;
		if (page + npages > mheap.zeroed_base)
			mheap.zeroed_base = page + (uint32_t)npages;
	}
	unlock(&mheap.lock);
	return ok ? (void *)page_addr(page) : NULL;
}

void mheap_free_manual(void *p, size_t npages)
{
	lock(&mheap.lock);
	mheap.pages_manual -= npages;
	page_free((uint32_t)(((uintptr_t)p - mheap.lo) >> PAGE_SHIFT), (uint32_t)npages);
	unlock(&mheap.lock);
}

void *persistent_alloc_locked(size_t size)
{
	size = (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
	if (mheap.meta_end - mheap.meta < size) {
		uint32_t page, n = (uint32_t)((size + PAGE_SIZE - 1) >> PAGE_SHIFT);
		/* Small machines take a page at a time. */
		if (n < 8 && mheap.total_pages > 8192)
			n = 8;
		if (!page_alloc(n, false, &page))
			return NULL;
		mheap.pages_manual += n;
		bool zero = page < mheap.zeroed_base || !plat_memory_zeroed;
		if (page + n > mheap.zeroed_base)
			mheap.zeroed_base = page + n;
		mheap.meta = page_addr(page);
		mheap.meta_end = mheap.meta + ((size_t)n << PAGE_SHIFT);
		if (zero)
			memset((void *)mheap.meta, 0, (size_t)n << PAGE_SHIFT);
	}
	void *p = (void *)mheap.meta;
	mheap.meta += size;
	return p;
}

struct persistent_args {
	size_t size;
	void *p;
};

static void persistent_system(void *arg)
{
	struct persistent_args *a = arg;
	lock(&mheap.lock);
	a->p = persistent_alloc_locked(a->size);
	unlock(&mheap.lock);
}

void *persistent_alloc(size_t size)
{
	struct persistent_args a = { size, NULL };
	rt_systemstack(persistent_system, &a);
	if (a.p == NULL)
		throw("persistent_alloc: out of memory for %zu bytes of the runtime's own", size);
	return a.p;
}

/* ---- frames --------------------------------------------------------------- */

/* A free 4 KiB half of a page, linked through itself (direct map).  Which
 * halves of a frame page are in use is kept in its first word of allocation
 * bits, which belongs to no span. */
#define FRAME_SIZE ((size_t)4096)

struct frame_node {
	struct frame_node *next, *prev;
};

static uint64_t *frame_state(const void *frame, unsigned *half)
{
	uintptr_t off = (uintptr_t)frame - plat_direct_offset - mheap.lo;
	*half = off / FRAME_SIZE & 1;
	return alloc_bits((uint32_t)(off >> PAGE_SHIFT));
}

static void frame_push(struct frame_node *f)
{
	f->prev = NULL;
	f->next = mheap.frames;
	if (f->next)
		f->next->prev = f;
	mheap.frames = f;
}

static void frame_unlink(struct frame_node *f)
{
	if (f->prev)
		f->prev->next = f->next;
	else
		mheap.frames = f->next;
	if (f->next)
		f->next->prev = f->prev;
}

void *rt_frame_alloc(void)
{
	unsigned half;
	lock(&mheap.lock);
	struct frame_node *f = mheap.frames;
	if (f) {
		frame_unlink(f);
		uint64_t *state = frame_state(f, &half);
		*state |= 1ull << half;
	} else {
		uint32_t page;
		if (page_alloc(1, false, &page)) {
			mheap.pages_manual++;
			if (page + 1 > mheap.zeroed_base)
				mheap.zeroed_base = page + 1;
			f = direct((void *)page_addr(page));
			*alloc_bits(page) = 1;
			frame_push((struct frame_node *)((uintptr_t)f + FRAME_SIZE));
		}
	}
	unlock(&mheap.lock);
	return f;
}

void rt_frame_free(void *frame)
{
	unsigned half;
	lock(&mheap.lock);
	uint64_t *state = frame_state(frame, &half);
	if (!(*state >> half & 1)) {
		unlock(&mheap.lock);
		throw("rt_frame_free: frame %p is free already", frame);
	}
	*state &= ~(1ull << half);
	if (*state) {
		frame_push(frame);
	} else {
		frame_unlink((struct frame_node *)((uintptr_t)frame ^ FRAME_SIZE));
		mheap.pages_manual--;
		page_free((uint32_t)(((uintptr_t)frame - plat_direct_offset - mheap.lo) >> PAGE_SHIFT), 1);
	}
	unlock(&mheap.lock);
}

/* ---- start ------------------------------------------------------------------ */

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

/* Cuts n bytes off the end of the largest range. */
static void *carve(size_t n)
{
	unsigned best = 0;
	n = round_up(n, PAGE_SIZE);
	for (unsigned r = 1; r < mheap.nranges; r++)
		if (mheap.ranges[r].len > mheap.ranges[best].len)
			best = r;
	if (mheap.nranges == 0 || mheap.ranges[best].len < n + 16 * PAGE_SIZE)
		throw("mallocinit: %zu KiB of memory are too little for the heap",
		      plat_memory_total() >> 10);
	mheap.ranges[best].len -= n;
	mheap.sys_bytes += n;
	return (void *)(mheap.ranges[best].base + mheap.ranges[best].len);
}

/* Tables for every page between the lowest and the highest address cost 2.5 %
 * of it.  Memory above a hole so large that this is more than an eighth of the
 * memory is left out. */
#define TABLE_BYTES_PER_PAGE (8 + 4 + 1 + 3 * BIT_WORDS * 8)

static void heap_ranges(void)
{
	struct plat_range r[MAX_RANGES];
	unsigned n = plat_memory(r, MAX_RANGES);
	size_t have = 0;
	for (unsigned i = 0; i < n; i++) {
		uintptr_t a = round_up(r[i].base, PAGE_SIZE), b = (r[i].base + r[i].len) & ~(PAGE_SIZE - 1);
		if (a >= b)
			continue;
		if (mheap.nranges == 0)
			mheap.lo = a;
		size_t tables = (b - mheap.lo) / PAGE_SIZE * TABLE_BYTES_PER_PAGE;
		if (mheap.nranges && tables > (have + (b - a)) / 8) {
			rt_printf("heap: %zu MiB at %#zx lie too far from the rest and are not used\n",
			          (size_t)(b - a) >> 20, (size_t)a);
			continue;
		}
		have += b - a;
		mheap.node[mheap.nranges] = (uint8_t)plat_memory_node(r[i].base);
		mheap.ranges[mheap.nranges++] = (struct plat_range){ a, b - a };
	}
}

void mheap_init(void)
{
	lock_init(&mheap.lock, RANK_MHEAP);
	heap_ranges();
	if (mheap.nranges == 0)
		throw("mallocinit: the machine has no memory to give");
	const struct plat_range *last = &mheap.ranges[mheap.nranges - 1];
	size_t span = last->base + last->len - mheap.lo;
	mheap.nchunks = (uint32_t)(round_up(span, CHUNK_PAGES * PAGE_SIZE) / (CHUNK_PAGES * PAGE_SIZE));
	mheap.npages = mheap.nchunks * CHUNK_PAGES;

	size_t npages = round_up(span, PAGE_SIZE) / PAGE_SIZE, sums = 0;
	uint32_t n = mheap.nchunks;
	for (unsigned l = 0; l < SUM_LEVELS; l++) {
		mheap.nsum[l] = n;
		sums += n;
		n = (n + SUM_FAN - 1) / SUM_FAN;
	}
	/* The bits tables end with memory; index and page bits with the last chunk. */
	size_t index_bytes = (size_t)mheap.npages * 8, next_bytes = (size_t)mheap.npages * 4, kind_bytes = mheap.npages;
	size_t bit_bytes = npages * BIT_WORDS * 8;
	size_t page_bytes = (size_t)mheap.nchunks * CHUNK_WORDS * 8;
	size_t sum_bytes = round_up(sums * sizeof(struct page_sum), 8);
	size_t block_bytes = round_up(mheap.npages / BLOCK_PAGES / 8, 8);
	char *m = carve(index_bytes + next_bytes + kind_bytes + 3 * bit_bytes + page_bytes + sum_bytes + block_bytes);
	mheap.mark = (uint64_t *)m;
	m += bit_bytes;
	mheap.alloc = (uint64_t *)m;
	m += bit_bytes;
	mheap.black = (uint64_t *)m;
	m += bit_bytes;
	mheap.index = (uint64_t *)m;
	m += index_bytes;
	mheap.grey_next = (uint32_t *)m;
	m += next_bytes;
	mheap.kind = (uint8_t *)m;
	m += kind_bytes;
	mheap.pagebits = (uint64_t *)m;
	m += page_bytes;
	if (!plat_memory_zeroed)
		memset(m, 0, sum_bytes + block_bytes);
	for (unsigned l = 0; l < SUM_LEVELS; l++) {
		mheap.sum[l] = (struct page_sum *)m;
		m += mheap.nsum[l] * sizeof(struct page_sum);
	}
	mheap.tracked = (uint64_t *)((char *)mheap.sum[0] + sum_bytes);
	for (unsigned r = 0; r < mheap.nranges; r++)
		mheap.total_pages += mheap.ranges[r].len >> PAGE_SHIFT;
}

/* Throws if a summary of this level is not what its bits say. */
void page_summaries_verify(unsigned level)
{
	for (uint32_t i = 0; i * level_pages[level] < mheap.used_chunks * CHUNK_PAGES; i++) {
		struct page_sum s;
		if (level == 0) {
			s = chunk_summary(mheap.pagebits + (size_t)i * CHUNK_WORDS);
		} else {
			uint32_t first = i * SUM_FAN, n = mheap.nsum[level - 1] - first;
			s = merge_summaries(mheap.sum[level - 1] + first, n < SUM_FAN ? n : SUM_FAN,
			                    level_pages[level - 1]);
		}
		if (memcmp(&s, &mheap.sum[level][i], sizeof s))
			throw("gc_verify_heap: summary %u of level %u is wrong", i, level);
	}
}
