/* mcache.c: a P's own span of each class.
 *
 * A slot holds the free slots of 64 consecutive objects as a bit set, so that
 * an allocation is: lowest bit, multiply, clear the bit.  When it is empty the
 * next 64 of the span are looked at, then the span is exchanged for another.
 *
 * Slots are handed out in ascending order, so all below the lowest free bit are
 * allocated; that number is the span's freeindex, stored by mcache_publish().
 *
 * heap_live counts a cached span's free slots as allocated from the moment it
 * is cached; what is left over is taken off when it is given back. */
#include "heap.h"

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
	k->free = free;
}

bool mcache_next_group(struct mcache_slot *k)
{
	while (k->free == 0) {
		if (k->group + 1u >= k->ngroups)
			return false;
		slot_group(k, k->group + 1u, 0);
	}
	return true;
}

static uint32_t slot_freeindex(const struct mcache_slot *k)
{
	uint32_t i = k->group * 64u + (k->free ? (uint32_t)__builtin_ctzll(k->free) : 64u);
	return i < k->span->nelems ? i : k->span->nelems;
}

static uint32_t slot_remaining(const struct mcache_slot *k)
{
	uint32_t n = (uint32_t)__builtin_popcountll(k->free);
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
	uint32_t left = slot_remaining(k), count = s->nelems - left;
	s->freeindex = (uint16_t)slot_freeindex(k);
	c->nsmall[spc] += count - s->alloc_count;
	s->alloc_count = (uint16_t)count;
	if (left)
		at_sub(&mheap.heap_live, (uint64_t)left * s->elemsize);
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
	k->word_mask = ci->size >= 512 ? ~0ull : (1ull << ci->size / 8) - 1;
	k->heapbits = ci->heapbits ? (uint64_t *)(s->base + ci->heapbits) : NULL;
	k->span_base = s->base;
	k->ngroups = (uint16_t)((s->nelems + 63) / 64);
	slot_group(k, s->freeindex / 64, s->freeindex % 64);
	at_add_relaxed(&mheap.heap_live, (uint64_t)(s->nelems - s->alloc_count) * s->elemsize);
	return mcache_next_group(k);
}

void mcache_publish(struct mcache *c)
{
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
		if (c->slot[spc].span != &empty_span)
			c->slot[spc].span->freeindex = (uint16_t)slot_freeindex(&c->slot[spc]);
}

void mcache_flush(struct mcache *c)
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
