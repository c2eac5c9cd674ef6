/* mprof.c: the allocation profile: which stacks allocated what, and how much of it
 * lives.  After Go's mprof.go.
 *
 * One object in each `rate` bytes, on average, is sampled: the distances are drawn
 * from an exponential distribution, so that each byte has the same chance whatever
 * the pattern of sizes.  The fast path of an allocation knows nothing of this:
 * an mcache clears a run of free slots at a time, and when a run is made it is cut
 * off before an object that is to be sampled, whose allocation then comes by the
 * slow path.  Without a profile that costs a test for each run.
 *
 * A sample adds to the bucket of its stack and size, and hangs on the object as a
 * special, so that the sweeper counts its death.  So that an object's birth is
 * not seen without the deaths of those before it, counts go to one of three
 * generations and reach the visible sum when the collection that could have freed
 * what was allocated then is swept: allocations in cycle c count to generation
 * c + 2, deaths found by the sweep of collection c to c + 1 (Go's memRecordCycle).
 *
 * Buckets and records are memory of the runtime's own: a sample must not allocate
 * from the heap.  When that memory is out, a sample is lost and counted. */
#include "mprof.h"
#include "special.h"
#include "proc.h"
#include "api_value.h"
#include "api_heap.h"

#define STACK_MAX 32
#define NBUCKETS 4096 /* of the hash table */

struct mprof_hooks mprof_hooks;

struct counts {
	uint64_t allocs, frees, alloc_bytes, free_bytes;
};

struct bucket {
	struct bucket *next;     /* of its hash */
	struct bucket *all_next; /* published with release */
	uint64_t hash, size;
	uint32_t published;      /* generations up to this one are in `sum` */
	uint32_t nstack;
	struct counts sum, future[3];
	uintptr_t stack[];
};

static struct lock prof_lock = LOCK_INIT(RANK_LEAF); /* buckets, records, memory */
static struct {
	struct bucket **table;
	struct bucket *all;
	struct special *free;    /* records */
	char *mem;               /* a page of which `left` bytes are not used */
	size_t left;
	uint64_t bytes, lost;
	uint64_t rate;           /* bytes; 0: off.  Relaxed */
	struct countdown {
		int64_t bytes;       /* to the next sample on that P */
	} __attribute__((aligned(CACHE_LINE))) *left_of;
} prof NOSCAN_BSS;

/* ---- when ---------------------------------------------------------------------- */

/* 65536 * log2(x), x >= 1: the bits of the fraction come by squaring. */
static uint32_t log2_fixed(uint32_t x)
{
	uint32_t n = 31 - (uint32_t)__builtin_clz(x), r = n;
	uint64_t z = (uint64_t)x << (31 - n);
	for (int i = 0; i < 16; i++) {
		z = z * z >> 31;
		r = r << 1 | z >> 32;
		z >>= z >> 32;
	}
	return r;
}

/* Exponentially distributed with mean `rate`. */
static int64_t draw(void)
{
	uint64_t rate = at_load(&prof.rate);
	if (rate <= 1)
		return 0;
	uint32_t q = (rt_fastrand() & ((1u << 26) - 1)) + 1;
	uint64_t log = (26u << 16) - log2_fixed(q); /* -log2 of q / 2^26 */
	return (int64_t)(log * 45426 / 65536 * rate >> 16); /* 65536 * ln 2 */
}

static bool on_run(struct mcache_slot *k)
{
	int64_t *left = &prof.left_of[rt_self.p->id].bytes;
	int64_t each = k->elemsize, n = (int64_t)(k->end - k->next) / each;
	if (*left >= n * each) {
		*left -= n * each;
		return false;
	}
	int64_t before = *left / each, keep = before ? before : 1;
	if (keep < n)
		mcache_trim(k, (size_t)keep);
	if (before) {
		*left -= before * each;
		return false;
	}
	*left = draw();
	return true;
}

static bool on_large(size_t size)
{
	int64_t *left = &prof.left_of[rt_self.p->id].bytes;
	if (*left >= (int64_t)size) {
		*left -= (int64_t)size;
		return false;
	}
	*left = draw();
	return true;
}

/* ---- memory --------------------------------------------------------------------- */

/* Under the lock, which is released meanwhile if another page is needed; NULL: out. */
static void *prof_alloc(size_t size)
{
	while (prof.left < size) {
		unlock(&prof_lock);
		char *page = mheap_alloc_manual(1);
		lock(&prof_lock);
		if (!page)
			return NULL;
		prof.bytes += PAGE_SIZE;
		prof.mem = page;
		prof.left = PAGE_SIZE;
	}
	void *p = prof.mem;
	prof.mem += size;
	prof.left -= size;
	memset(p, 0, size);
	return p;
}

static struct bucket *bucket_find(uint64_t hash, uint64_t size, const uintptr_t *stack, uint32_t n)
{
	for (struct bucket *b = prof.table[hash % NBUCKETS]; b; b = b->next)
		if (b->hash == hash && b->size == size && b->nstack == n &&
		    memcmp(b->stack, stack, n * sizeof *stack) == 0)
			return b;
	return NULL;
}

/* The bucket of this size and stack; NULL: no memory.  Under the lock. */
static struct bucket *bucket_get(uint64_t size, const uintptr_t *stack, uint32_t n)
{
	uint64_t hash = size;
	for (uint32_t i = 0; i < n; i++)
		hash = (hash ^ stack[i]) * 0x9e3779b97f4a7c15u, hash ^= hash >> 29;
	struct bucket *b = bucket_find(hash, size, stack, n);
	if (b)
		return b;
	struct bucket *fresh = prof_alloc(sizeof *b + n * sizeof *stack);
	if (!fresh)
		return NULL;
	/* The lock may have been released. */
	if ((b = bucket_find(hash, size, stack, n)))
		return b;
	*fresh = (struct bucket){ .hash = hash, .size = size, .nstack = n, .published = at_load(&gc_cycles) };
	memcpy(fresh->stack, stack, n * sizeof *stack);
	fresh->next = prof.table[hash % NBUCKETS];
	prof.table[hash % NBUCKETS] = fresh;
	fresh->all_next = prof.all;
	at_store_rel(&prof.all, fresh);
	return fresh;
}

/* ---- counting ---------------------------------------------------------------------- */

static void counts_add(struct counts *to, const struct counts *c)
{
	to->allocs += c->allocs;
	to->frees += c->frees;
	to->alloc_bytes += c->alloc_bytes;
	to->free_bytes += c->free_bytes;
}

/* Generations up to `upto` become visible.  Under the lock. */
static void publish(struct bucket *b, uint32_t upto)
{
	for (unsigned n = 0; (int32_t)(upto - b->published) > 0; n++) {
		b->published++;
		if (n >= 3) { /* all three have been added */
			b->published = upto;
			return;
		}
		struct counts *c = &b->future[b->published % 3];
		counts_add(&b->sum, c);
		*c = (struct counts){ 0 };
	}
}

/* Where what belongs to a generation is counted. */
static struct counts *generation(struct bucket *b, uint32_t gen)
{
	publish(b, at_load(&gc_cycles));
	return (int32_t)(gen - b->published) > 0 ? &b->future[gen % 3] : &b->sum;
}

/* The fn of a record. */
static void sampled_died(void *arg)
{
	struct special *x = arg;
	struct bucket *b = x->strong;
	lock(&prof_lock);
	struct counts *c = generation(b, at_load(&gc_cycles) + 1);
	c->frees++;
	c->free_bytes += b->size;
	x->next = prof.free;
	prof.free = x;
	unlock(&prof_lock);
}

struct sample_args {
	void *p;
	uint64_t size;
	uint32_t n;
	uintptr_t stack[STACK_MAX];
};

static void sample_system(void *arg)
{
	struct sample_args *a = arg;
	lock(&prof_lock);
	struct bucket *b = bucket_get(a->size, a->stack, a->n);
	struct special *x = b ? prof.free : NULL;
	if (x)
		prof.free = x->next;
	else if (b)
		x = prof_alloc(sizeof *x);
	if (!x) {
		prof.lost++;
		unlock(&prof_lock);
		return;
	}
	struct counts *c = generation(b, at_load(&gc_cycles) + 2);
	c->allocs++;
	c->alloc_bytes += b->size;
	unlock(&prof_lock);
	*x = (struct special){ .ptr = (uint64_t)a->p, .kind = SPECIAL_PROFILE, .fn = sampled_died, .strong = b };
	struct mspan *s = special_span(x->ptr, NULL);
	lock(&special_lock);
	special_insert(s, x);
	unlock(&special_lock);
}

static NOINLINE void on_sample(void *p, size_t size)
{
	struct sample_args a = { .p = p, .size = size };
	a.n = callers((uintptr_t)__builtin_frame_address(0), a.stack, STACK_MAX);
	rt_systemstack(sample_system, &a);
	keep_alive(p);
}

/* mprof_hooks.site: the innermost frame that is not the allocator's. */
static uintptr_t site_of(const struct special *x)
{
	const struct bucket *b = x->strong;
	struct rt_sym s;
	for (uint32_t i = 0; i < b->nstack; i++)
		if (!rt_symbolize(b->stack[i] - 1, &s) || strcmp(s.file, "rt/malloc.c") != 0)
			return b->stack[i];
	return 0;
}

/* ---- what tasks call ------------------------------------------------------------------ */

static void print_top_stacks(void);

struct start_args {
	bool ok;
};

static void start_system(void *arg)
{
	struct start_args *a = arg;
	size_t pages = (NBUCKETS * sizeof *prof.table + PAGE_SIZE - 1) / PAGE_SIZE;
	size_t more = (plat_ncores * sizeof *prof.left_of + PAGE_SIZE - 1) / PAGE_SIZE;
	char *p = mheap_alloc_manual(pages + more);
	if (!p)
		return;
	memset(p, 0, (pages + more) * PAGE_SIZE);
	lock(&prof_lock);
	a->ok = true;
	if (!prof.table) {
		prof.table = (struct bucket **)p;
		prof.left_of = (struct countdown *)(p + pages * PAGE_SIZE);
		prof.bytes += (pages + more) * PAGE_SIZE;
		p = NULL;
	}
	unlock(&prof_lock);
	if (p)
		mheap_free_manual(p, pages + more);
}

size_t set_mem_profile_rate(size_t bytes)
{
	struct start_args a = { prof.table != NULL };
	if (bytes > 1u << 30)
		bytes = 1u << 30;
	if (bytes && !a.ok)
		rt_systemstack(start_system, &a);
	if (bytes && !a.ok)
		rt_panic("runtime error: out of memory for a profile");
	size_t was = at_swap(&prof.rate, bytes);
	if (bytes) {
		special_init();
		for (unsigned i = 0; i < plat_ncores; i++)
			at_store(&prof.left_of[i].bytes, draw());
		oom_hooks.print_profile = print_top_stacks;
		mprof_hooks.sample = on_sample;
		mprof_hooks.site = site_of;
		mprof_hooks.large = on_large;
		/* The others before: who sees a run cut off may use them. */
		at_store_rel(&mprof_hooks.run, on_run);
	} else {
		at_store(&mprof_hooks.run, NULL);
		at_store(&mprof_hooks.large, NULL);
	}
	return was;
}

slice(mem_profile_record) read_mem_profile(bool inuse_zero)
{
	slice(mem_profile_record) v = { 0 };
	/* What a finished sweep has found is complete. */
	uint32_t upto = at_load(&gc_cycles) + !at_load(&mheap.sweeping);
	for (struct bucket *b = at_load_acq(&prof.all); b; b = b->all_next) {
		lock(&prof_lock);
		publish(b, upto);
		struct counts c = b->sum;
		unlock(&prof_lock);
		if (c.allocs == 0 || (c.allocs == c.frees && !inuse_zero))
			continue;
		mem_profile_record r = { .size = b->size, .alloc_objects = c.allocs,
			.alloc_bytes = c.alloc_bytes, .free_objects = c.frees,
			.free_bytes = c.free_bytes, .stack = b->stack, .nstack = b->nstack };
		v = append(v, r);
	}
	return v;
}

/* What one sampled object of that size stands for: 1 / (1 - e^(-size/rate)). */
static double weight(uint64_t size)
{
	uint64_t rate = at_load(&prof.rate);
	if (rate <= 1)
		return 1;
	double x = (double)size / (double)rate, e = 1 + x / 4096;
	if (x > 40)
		return 1;
	for (int i = 0; i < 12; i++)
		e *= e;
	return e / (e - 1);
}

double mem_profile_scale(size_t size)
{
	return size ? weight(size) : 0;
}

/* oom_hooks.print_profile: the stacks that hold most, as far as the last collection knows. */
static void print_top_stacks(void)
{
	enum { TOP = 4, FRAMES = 8 };
	const struct bucket *shown[TOP] = { 0 };
	for (unsigned n = 0; n < TOP; n++) {
		const struct bucket *best = NULL;
		double most = 0;
		for (struct bucket *b = prof.all; b; b = b->all_next) {
			bool seen = false;
			for (unsigned i = 0; i < n; i++)
				seen |= shown[i] == b;
			struct counts c = b->sum;
			for (unsigned i = 0; i < 3; i++)
				counts_add(&c, &b->future[i]);
			double bytes = (double)(c.alloc_bytes - c.free_bytes) * weight(b->size);
			if (!seen && bytes > most) {
				most = bytes;
				best = b;
			}
		}
		if (!best)
			return;
		shown[n] = best;
		if (n == 0)
			rt_printf("top users by stack, estimated from samples:\n");
		rt_printf("%14llu bytes in objects of %llu\n", (unsigned long long)most,
		          (unsigned long long)best->size);
		for (unsigned i = 0; i < best->nstack && i < FRAMES; i++)
			print_frame(NULL, best->stack[i], true);
	}
}
