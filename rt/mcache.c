/* mcache.c: a P's own span of each class.
 *
 * A slot's span is used up group by group (64 slots), a group run by run: up to 2 KiB
 * of free slots side by side are cleared at once, with their heap bits, and then an
 * allocation is one addition.  (In the test modes a run is one object, so that each
 * allocation comes by malloc.c's slow path.)
 *
 * Slots are handed out in ascending order, so all below the run are allocated; that
 * number is the span's freeindex, stored by mcache_publish().
 *
 * heap_live counts a cached span's free slots as allocated from the moment it
 * is cached; what is left over is taken off when it is given back. */
#include "heap.h"

#define RUN_BYTES 2048u

/* Stands for "no span": full. */
struct mspan empty_span;

struct mcache *all_mcaches NOSCAN_DATA;

static void slot_clear(struct mcache_slot *k)
{
	*k = (struct mcache_slot){ .span = &empty_span };
}

/* Points the slot at group g of its span; bits below `from` are allocated. */
static void slot_group(struct mcache_slot *k, uint32_t g, unsigned from)
{
	struct mspan *s = k->span;
	uint64_t free = ~alloc_bits(s->page)[g] & (~0ull << from);
	if (g == k->ngroups - 1u && s->nelems % 64)
		free &= (1ull << s->nelems % 64) - 1;
	k->group = (uint16_t)g;
	k->group_base = s->base + (size_t)g * 64 * k->elemsize;
	k->rest = free;
}

/* The group's slots that are still free: those of the run too. */
static uint64_t slot_left(const struct mcache_slot *k)
{
	if (k->next == k->end)
		return k->rest;
	unsigned i = (unsigned)((k->next - k->group_base) / k->elemsize);
	unsigned n = (unsigned)((k->end - k->next) / k->elemsize);
	return k->rest | ~0ull >> (64 - n) << i;
}

/* Allocates black: while marking, the slots of the run in hand are marked
 * beforehand.  They are clear, so the marker may read them; what is left in the
 * end is unmarked again. */
static void mark_run(const struct mcache_slot *k)
{
	uint64_t run = slot_left(k) & ~k->rest;
	if (!run || SABOTAGED(gc_black))
		return;
	/* The other way round its marks would be seen neither by the span's marker nor by one who
	 * makes the page grey again. */
	__atomic_fetch_or(&mark_bits(k->span->page)[k->group], run, __ATOMIC_RELEASE);
	__atomic_fetch_or(&black_bits(k->span->page)[k->group], run, __ATOMIC_RELAXED);
}

/* In a cycle: these of the group's slots are not handed out, some of them are in the run.  Where the
 * span was made grey meanwhile those were taken from what is marked, though they had never
 * been added. */
static void unmark(const struct mcache_slot *k, uint64_t left)
{
	const struct mspan *s = k->span;
	uint64_t run = left & ~k->rest;
	if (at_load(&gc_phase) != GC_MARK)
		return;
	if (GC_CHECKS && run & ~at_load(&mark_bits(s->page)[k->group]))
		throw("mcache: slots of the span at %#zx were handed out unmarked", (size_t)s->base);
	__atomic_fetch_and(&mark_bits(s->page)[k->group], ~left, __ATOMIC_RELAXED);
	uint64_t grey = run & ~__atomic_fetch_and(&black_bits(s->page)[k->group], ~left, __ATOMIC_RELAXED);
	if (grey)
		at_add_relaxed(&gc_mark_bytes, (uint64_t)__builtin_popcountll(grey) * s->elemsize);
}

static void heapbits_clear(uintptr_t bits, uintptr_t lo, uintptr_t hi)
{
	/* From word 16 * (address / 128) of the map on; the whole 16 bits inside by memset. */
	uint16_t *h = (uint16_t *)(bits + (lo >> 7) * 2), *e = (uint16_t *)(bits + (hi >> 7) * 2);
	uint16_t below = (uint16_t)((1u << (lo >> 3 & 15)) - 1), above = (uint16_t)~((1u << (hi >> 3 & 15)) - 1);
	if (h == e) {
		*h &= below | above;
		return;
	}
	*h++ &= below;
	while (h < e)
		*h++ = 0;
	if (hi >> 3 & 15)
		*h &= above;
}

bool mcache_next_run(struct mcache_slot *k)
{
	while (k->rest == 0) {
		if (k->group + 1u >= k->ngroups)
			return false;
		slot_group(k, k->group + 1u, 0);
	}
	unsigned i = (unsigned)__builtin_ctzll(k->rest);
	uint64_t used = ~(k->rest >> i);
	unsigned n = used ? (unsigned)__builtin_ctzll(used) : 64;
	if (n > k->run_max)
		n = k->run_max;
	k->rest &= ~(~0ull >> (64 - n) << i);
	size_t bytes = (size_t)n * k->elemsize;
	k->next = k->group_base + (size_t)i * k->elemsize;
	k->end = k->next + bytes;
	if (k->needzero) {
		memset((void *)k->next, 0, bytes);
		if (k->heapbits)
			heapbits_clear(k->heapbits, k->next, k->end);
	}
	if (unlikely(at_load(&gc_phase) == GC_MARK))
		mark_run(k);
	return true;
}

static uint32_t slot_freeindex(const struct mcache_slot *k)
{
	uint64_t left = slot_left(k);
	uint32_t i = k->group * 64u + (left ? (uint32_t)__builtin_ctzll(left) : 64u);
	return i < k->span->nelems ? i : k->span->nelems;
}

uint32_t mcache_slot_free(const struct mcache_slot *k)
{
	uint32_t n = (uint32_t)__builtin_popcountll(slot_left(k));
	const struct mspan *s = k->span;
	for (uint32_t g = k->group + 1u; g < k->ngroups; g++) {
		uint64_t free = ~alloc_bits(s->page)[g];
		if (g == k->ngroups - 1u && s->nelems % 64)
			free &= (1ull << s->nelems % 64) - 1;
		n += (uint32_t)__builtin_popcountll(free);
	}
	return n;
}

/* Gives the slot's span back to its mcentral. */
static void slot_release(struct mcache *c, spanclass_t spc)
{
	struct mcache_slot *k = &c->slot[spc];
	struct mspan *s = k->span;
	if (s == &empty_span)
		return;
	uint32_t left = mcache_slot_free(k), count = s->nelems - left;
	s->freeindex = (uint16_t)slot_freeindex(k);
	c->nsmall[spc] += count - s->alloc_count;
	s->alloc_count = (uint16_t)count;
	if (left) {
		at_sub(&mheap.heap_live, (uint64_t)left * s->elemsize);
		unmark(k, slot_left(k));
	}
	slot_clear(k);
	mcentral_uncache_span(s);
}

bool mcache_refill(struct mcache *c, spanclass_t spc)
{
	struct mcache_slot *k = &c->slot[spc];
	slot_release(c, spc);
	struct mspan *s = mcentral_cache_span(&mheap.central[spc], spc);
	if (s == NULL)
		return false;
	const struct class_info *ci = &class_info[spc];
	k->span = s;
	k->elemsize = ci->size;
	k->needzero = s->needzero;
	k->heapbits = ci->heapbits ? s->base + ci->heapbits - (s->base >> 7) * 2 : 0;
	k->run_max = (uint16_t)(malloc_checks || ci->size > RUN_BYTES ? 1 : RUN_BYTES / ci->size);
	k->ngroups = (uint16_t)((s->nelems + 63) / 64);
	slot_group(k, s->freeindex / 64, s->freeindex % 64);
	at_add_relaxed(&mheap.heap_live, (uint64_t)(s->nelems - s->alloc_count) * s->elemsize);
	return mcache_next_run(k);
}

void mcache_trim(struct mcache_slot *k, size_t keep)
{
	uint64_t was = slot_left(k);
	k->end = k->next + keep * k->elemsize;
	uint64_t cut = was & ~slot_left(k);
	unmark(k, cut);
	k->rest |= cut;
}

COLD void mcache_publish(struct mcache *c)
{
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
		if (c->slot[spc].span != &empty_span)
			c->slot[spc].span->freeindex = (uint16_t)slot_freeindex(&c->slot[spc]);
}

COLD void mcache_arm(struct mcache *c)
{
	mcache_publish(c);
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
		mark_run(&c->slot[spc]);
}

COLD void mcache_flush(struct mcache *c)
{
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
		slot_release(c, (spanclass_t)spc);
	c->tiny = 0;
	c->tiny_offset = 0;
}

struct mcache *mcache_alloc(void)
{
	struct mcache *c = persistent_alloc(sizeof *c);
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
		slot_clear(&c->slot[spc]);
	c->all_next = all_mcaches;
	/* release: other cores walk the list */
	at_store_rel(&all_mcaches, c);
	return c;
}
