/* malloc.c: rt_malloc(), from a size and a type to zeroed memory.
 *
 * Small objects (up to 32 KiB) come from the P's mcache with preemption off and
 * no lock or atomic: class by table, the next of a run that is clear already, pointer
 * map.  Objects without pointers below 16 bytes share 16-byte blocks (tiny).
 * Everything else (a run that is used up, a large object, a test mode, in which all
 * runs are) leaves the fast path.
 *
 * How the collector knows an object's pointers:
 *   noscan span              there are none
 *   scan, up to 512 bytes    one bit a word in the span's tail, "look at it"
 *   scan, up to 32 KiB       32-bit type address per object, 0: every word
 *   large                    mspan.large_type, NULL: every word
 * A type that describes only part of the object (its size does not divide the
 * object's) makes the rest conservative.
 *
 * Memory of unknown content (type NULL) is made a byte longer than asked for, so
 * that a pointer to its end still points into it. */
#include "api_mem.h"
#include "heap.h"
#include "mprof.h"

const struct rt_type rt_type_noscan = {
	.magic = RT_TYPE_MAGIC,
	.flags = RT_TYPE_FILLED | RT_TYPE_NOSCAN,
	.size = 1,
	.align = 1,
};

/* What type NULL stands for: never filled, so every word counts. */
static const struct rt_type rt_type_unknown = { .magic = RT_TYPE_MAGIC, .size = 1, .align = 16 };

uint32_t malloc_checks;
static char zero_object[16] __attribute__((aligned(16)));

/* One bit for each word of an object of size <= 512 that must be looked at. */
static NOINLINE uint64_t type_bits(size_t size, const struct rt_type *t)
{
	size_t words = (size + 7) / 8;
	uint64_t all = words >= 64 ? ~0ull : (1ull << words) - 1;
	if (!(t->flags & RT_TYPE_FILLED))
		return all;
	if (t->size == 8)
		return t->ptrmask & 1 ? all : 0;
	if (t->size % 8) /* no room for a pointer that stays aligned in an array */
		return size == t->size ? t->ptrmask & all : all;
	size_t each = t->size / 8;
	uint64_t bits = t->ptrmask;
	if (each >= words)
		return bits & all;
	if (size % t->size) /* what follows the first element is unknown */
		return bits | (all & ~0ull << each);
	for (size_t at = each; at < words; at += each)
		bits |= t->ptrmask << at;
	return bits;
}

/* The type as a scan object above 512 bytes keeps it.  0, look at every word, for
 * a type outside the image's 2 GiB or one that does not fill the object. */
static uint32_t type32(size_t size, const struct rt_type *t)
{
	uint32_t t32 = (uint32_t)(uintptr_t)t;
	if (type_from32(t32) != t || !(t->flags & RT_TYPE_FILLED) || t->size % 8 ||
	    (size != t->size && size % t->size))
		return 0;
	return t32;
}

/* The next object of a run that has one. */
static inline __attribute__((always_inline)) char *slot_take(struct mcache_slot *k)
{
	uintptr_t p = k->next;
	k->next = p + k->elemsize;
	return (char *)p;
}

/* Records which of up to 16 words of p the collector looks at; they are clear. */
typedef uint32_t heapbits32 __attribute__((aligned(2), may_alias));
static inline __attribute__((always_inline)) void
heapbits_set(const struct mcache_slot *k, uintptr_t p, uint32_t bits)
{
	*(heapbits32 *)(k->heapbits + (p >> 7) * 2) |= bits << (p >> 3 & 15);
}

/* The general form: any class, any type.  Preemption is off. */
static NOINLINE void *slot_take_any(struct mcache_slot *k, size_t size, const struct rt_type *type,
                                    bool noscan)
{
	char *p = slot_take(k);
	if (noscan)
		return p;
	if (k->heapbits)
		for (uint64_t at = 0, bits = type_bits(size, type); bits; at += 128, bits >>= 16)
			heapbits_set(k, (uintptr_t)p + at, bits & 0xffff);
	else
		span_types(k->span->page)[((uintptr_t)p - k->span->base) / k->elemsize] = type32(size, type);
	return p;
}

static inline __attribute__((always_inline)) spanclass_t spanclass_of(size_t size, bool noscan)
{
	unsigned c = size <= SMALL_SIZE_MAX ?
		size_to_class8[(size + SMALL_SIZE_DIV - 1) / SMALL_SIZE_DIV] :
		size_to_class128[(size - SMALL_SIZE_MAX + LARGE_SIZE_DIV - 1) / LARGE_SIZE_DIV];
	return SPANCLASS(c, noscan);
}

/* ---- the slow paths ----------------------------------------------------------- */

struct alloc_args {
	struct mcache *c;
	size_t size;
	const struct rt_type *type;
	struct mspan *span;
	spanclass_t spc;
	bool ok;
};

static void refill_system(void *arg)
{
	struct alloc_args *a = arg;
	a->ok = mcache_refill(a->c, a->spc);
}

static void large_system(void *arg)
{
	struct alloc_args *a = arg;
	uint32_t npages = (uint32_t)((a->size + PAGE_SIZE - 1) >> PAGE_SHIFT);
	a->span = mspan_alloc(npages, a->spc);
	if (a->span == NULL)
		return;
	a->span->alloc_count = 1;
	a->span->freeindex = 1;
	if (at_load(&gc_phase) == GC_MARK && !SABOTAGED(gc_black))
		__atomic_fetch_or(mark_bits(a->span->page), 1, __ATOMIC_RELAXED);
	at_add_relaxed(&mheap.heap_live, a->span->elemsize);
	mcentral_uncache_span(a->span);
}

static void sweep_system(void *arg)
{
	sweep_all();
}

/* Memory ran out: everything that can be freed, from cheap to dear.  False when
 * the `try`-th attempt has nothing left to try. */
static bool reclaim(unsigned try)
{
	if (try == 0) {
		rt_systemstack(sweep_system, NULL);
		return true;
	}
	if (try == 1 && gc_can_start()) {
		gc_start(true);
		rt_systemstack(sweep_system, NULL);
		if (oom_hooks.collected)
			oom_hooks.collected();
		return true;
	}
	return false;
}

/* Before an allocation that takes a span of bytes. */
static void gc_if_due(uint64_t bytes)
{
	if (at_load(&mheap.heap_live) >= at_load(&mheap.gc_trigger) && gc_can_start()) {
		gc_start(false);
		gc_assist(bytes);
	}
}

/* After one. */
static inline void scavenge_if_due(void)
{
	if (unlikely(at_load(&mheap.scavenge_due)))
		mheap.scavenge_kick();
}

/* A 16-byte object of which `size` bytes are taken becomes the tiny block. */
static inline void tiny_begin(struct mcache *c, void *p, size_t size, spanclass_t spc)
{
	if (size < TINY_SIZE && SPANCLASS_NOSCAN(spc)) {
		c->tiny = (uintptr_t)p;
		c->tiny_offset = size;
	}
}

static NOINLINE void *malloc_refill(size_t size, const struct rt_type *type, spanclass_t spc,
                                    bool may_fail)
{
	bool asked = false;
	for (unsigned try = 0;;) {
		struct g *g = preempt_off();
		struct mcache *c = rt_self.mcache;
		struct mcache_slot *k = &c->slot[spc];
		bool fresh = k->next == k->end;
		if (!fresh || mcache_next_run(k)) {
			bool sample = fresh && unlikely(mprof_hooks.run != NULL) && mprof_hooks.run(k);
			void *p = slot_take_any(k, size, type, SPANCLASS_NOSCAN(spc));
			tiny_begin(c, p, size, spc);
			preempt_on(g);
			if (unlikely(sample))
				mprof_hooks.sample(p, class_info[spc].size);
			return p;
		}
		/* Before a span is taken: who waits for a cycle must hold none. */
		if (!asked && at_load(&mheap.heap_live) >= at_load(&mheap.gc_trigger)) {
			asked = true;
			preempt_on(g);
			gc_if_due(class_info[spc].npages * PAGE_SIZE);
			continue;
		}
		struct alloc_args a = { .c = c, .spc = spc };
		rt_systemstack(refill_system, &a);
		if (a.ok) {
			bool sample = unlikely(mprof_hooks.run != NULL) && mprof_hooks.run(k);
			void *p = slot_take_any(k, size, type, SPANCLASS_NOSCAN(spc));
			tiny_begin(c, p, size, spc);
			preempt_on(g);
			if (unlikely(sample))
				mprof_hooks.sample(p, class_info[spc].size);
			scavenge_if_due();
			return p;
		}
		preempt_on(g);
		if (reclaim(try++))
			continue;
		if (may_fail)
			return NULL;
		heap_exhausted(size);
	}
}

/* keep: so many bytes at the start need not be zero. */
static NOINLINE void *malloc_large(size_t size, const struct rt_type *type, bool noscan, bool may_fail, size_t keep)
{
	struct alloc_args a = { .size = size, .spc = SPANCLASS(0, noscan) };
	if (size > (size_t)mheap.npages << PAGE_SHIFT) {
		if (may_fail)
			return NULL;
		heap_exhausted(size);
	}
	/* Before, not after: the new object may be most of the heap. */
	if (at_load(&mheap.heap_live) + size >= at_load(&mheap.gc_trigger) && gc_can_start()) {
		at_add_relaxed(&mheap.heap_live, size);
		gc_if_due(size);
		if (at_load(&mheap.heap_live) >= size)
			at_sub(&mheap.heap_live, size);
	}
	struct g *g;
	for (unsigned try = 0;;) {
		g = preempt_off();
		rt_systemstack(large_system, &a);
		if (a.span)
			break;
		preempt_on(g);
		if (reclaim(try++))
			continue;
		if (may_fail)
			return NULL;
		heap_exhausted(size);
	}
	struct mcache *c = rt_self.mcache;
	c->nsmall[a.spc]++;
	c->large_bytes += a.span->elemsize;
	void *p = (void *)a.span->base;
	bool sample = unlikely(mprof_hooks.large != NULL) && mprof_hooks.large(size);
	preempt_on(g);
	if (unlikely(sample))
		mprof_hooks.sample(p, size);
	scavenge_if_due();
	/* A collection that strikes here scans what was there before: all of it
	 * conservatively, as its type is not set yet, and finds it live from this frame. */
	if (a.span->needzero)
		memset((char *)p + keep, 0, a.span->elemsize - keep);
	if (!noscan)
		a.span->large_type = type32(size, type) ? type : NULL;
	return p;
}

/* Objects that need more than 16-byte alignment: a class whose size is a
 * multiple of it. */
static NOINLINE void *malloc_aligned(size_t size, const struct rt_type *type, bool noscan, bool may_fail)
{
	if (type->align > PAGE_SIZE)
		throw("rt_malloc: alignment %u is not supported", type->align);
	if (size > MAX_SMALL_SIZE)
		return malloc_large(size, type, noscan, may_fail, 0);
	spanclass_t spc = spanclass_of(size, noscan);
	while (class_info[spc].size % type->align)
		spc += 2;
	return malloc_refill(size, type, spc, may_fail);
}

/* Room for a byte behind the end, and 16-byte alignment in every class. */
static inline size_t unknown_size(size_t size)
{
	return size && size < SIZE_MAX - 16 ? (size + 16) & ~(size_t)15 : size;
}

/* Test modes: a collection at each n-th allocation, failure of each n-th that
 * may fail: then false. */
static NOINLINE bool malloc_check(bool may_fail)
{
	struct g *g = preempt_off();
	uint64_t n = ++rt_self.mcache->nmalloc;
	preempt_on(g);
	if (rt_settings.gcstress && n % rt_settings.gcstress == 0 && gc_can_start())
		gc_start(true);
	return !(may_fail && rt_settings.allocfail && n % rt_settings.allocfail == 0);
}

/* What the fast path does not do itself: large, aligned, empty, a run that is used
 * up, an object or a type that takes longer. */
static NOINLINE void *malloc_general(size_t size, const struct rt_type *type, bool may_fail)
{
	if (unlikely(malloc_checks) && !malloc_check(may_fail))
		return NULL;
	if (type == NULL) {
		type = &rt_type_unknown;
		size = unknown_size(size);
	}
	bool noscan = type->flags & RT_TYPE_NOSCAN;
	if (size == 0)
		return zero_object;
	if (size > MAX_SMALL_SIZE)
		return malloc_large(size, type, noscan, may_fail, 0);
	if (type->align > 16)
		return malloc_aligned(size, type, noscan, may_fail);
	return malloc_refill(size, type, spanclass_of(size < TINY_SIZE ? TINY_SIZE : size, noscan), may_fail);
}

void *rt_malloc_over(size_t size, size_t keep, const struct rt_type *type)
{
	if (size <= MAX_SMALL_SIZE || !(type->flags & RT_TYPE_NOSCAN) || malloc_checks)
		return rt_malloc(size, type);
	return malloc_large(size, type, true, false, keep);
}

/* ---- the fast path -------------------------------------------------------------- */

/* Gives way and returns p: tail calls keep the fast path free of saved registers. */
static NOINLINE void *resched_return(void *p)
{
	if (rt_self.g->nopreempt == 0)
		preempt_resched();
	return p;
}

static inline __attribute__((always_inline)) void *
malloc_inline(size_t size, const struct rt_type *type, bool may_fail)
{
	if (unlikely(size - 1 >= MAX_SMALL_SIZE || type == NULL || type->align > 16)) /* 0 too */
		return malloc_general(size, type, may_fail);
	struct g *g = preempt_off_alloc();
	struct mcache *c = rt_self.mcache;
	struct mcache_slot *k;
	char *p;
	if (type->flags & RT_TYPE_NOSCAN) {
		if (size < TINY_SIZE) {
			size_t align = size & 7 ? size & 3 ? size & 1 ? 1 : 2 : 4 : 8;
			size_t off = (c->tiny_offset + align - 1) & -align;
			if (off + size <= TINY_SIZE && c->tiny) {
				p = (char *)(c->tiny + off);
				c->tiny_offset = off + size;
				c->ntiny++;
				goto done;
			}
			k = &c->slot[SPANCLASS(TINY_CLASS, 1)];
			if (unlikely(k->next == k->end))
				goto general;
			p = slot_take(k);
			c->tiny = (uintptr_t)p;
			c->tiny_offset = size;
			goto done;
		}
		k = &c->slot[spanclass_of(size, true)];
		if (unlikely(k->next == k->end))
			goto general;
		p = slot_take(k);
		goto done;
	}
	k = &c->slot[spanclass_of(size < TINY_SIZE ? TINY_SIZE : size, false)];
	if (unlikely(k->next == k->end || type->size != size || size > RT_TYPE_FAST_MAX ||
	             !(type->flags & RT_TYPE_FILLED)))
		goto general;
	p = slot_take(k);
	heapbits_set(k, (uintptr_t)p, (uint32_t)type->ptrmask);
done:
	if (preempt_dropped_alloc(g))
		return resched_return(p);
	return p;
general:
	preempt_dropped_alloc(g); /* gives way when it has preemption on again */
	return malloc_general(size, type, may_fail);
}

static NOINLINE void *malloc_one_slow(const struct rt_type *type)
{
	if (type->flags >> RT_TYPE_SLOT_SHIFT)
		return malloc_general(type->size, type, false);
	return malloc_inline(type->size, type, false);
}

/* A type that the post-link tool has prepared names its slot: it is small, and its
 * map is one word.  Others name slot 0, which is always empty. */
NOSPLIT void *rt_new(const struct rt_type *type)
{
	_Static_assert(offsetof(struct mcache, slot) == 0, "the offset in the type's flags");
	uint32_t flags = type->flags;
	struct g *g = preempt_off_alloc();
	struct mcache_slot *k =
		(struct mcache_slot *)((char *)rt_self.mcache + (flags >> RT_TYPE_SLOT_SHIFT));
	if (unlikely(k->next == k->end)) {
		preempt_dropped_alloc(g); /* gives way when it has preemption on again */
		return malloc_one_slow(type);
	}
	char *p = slot_take(k);
	if (!(flags & RT_TYPE_NOSCAN))
		heapbits_set(k, (uintptr_t)p, (uint32_t)type->ptrmask);
	if (preempt_dropped_alloc(g))
		return resched_return(p);
	return p;
}

void *rt_malloc(size_t size, const struct rt_type *type)
{
	return malloc_inline(size, type, false);
}

void *rt_malloc_may_fail(size_t size, const struct rt_type *type)
{
	return malloc_inline(size, type, true);
}

void *rt_malloc_array(size_t n, const struct rt_type *type)
{
	size_t size;
	if (__builtin_mul_overflow(n, type->size, &size) || (ptrdiff_t)size < 0)
		rt_panic("runtime error: makeslice: len out of range");
	return rt_malloc(size, type);
}

size_t rt_malloc_size(size_t size)
{
	if (size == 0)
		return 0;
	if (size < TINY_SIZE)
		return size <= 8 ? 8 : TINY_SIZE;
	if (size <= MAX_SMALL_SIZE)
		return class_info[spanclass_of(size, false)].size;
	return size > SIZE_MAX - PAGE_SIZE ? size : (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

void mallocinit(void)
{
	mheap_init();
	class_info_init();
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
		lock_init(&mheap.central[spc].lock, RANK_SPANSET);
	gc_init();
	malloc_checks = rt_settings.gcstress || rt_settings.allocfail;
}
