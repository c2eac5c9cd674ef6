/* sweep.c: turns mark bits into allocation bits.
 *
 * Lazily: an allocation that needs a span sweeps one of its class, one that needs new
 * pages sweeps until as many are free (sweep_reclaim), cores without tasks sweep,
 * and what is left over the next cycle sweeps before it marks.  Swept all at once,
 * spans would be taken apart that the next allocation puts together again.  Sweeping
 * a span needs no lock, its taker owns it alone.  Mark bits are clear again afterwards, so every span
 * enters a cycle unmarked. */
#include "heap.h"

#define RECLAIM_SPANS 100u

struct special_hooks special_hooks;

static void junk_fill(const struct mspan *s, const uint64_t *marks)
{
	for (uint32_t i = 0; i < s->nelems; i++)
		if (object_allocated(s, i) && !(marks[i / 64] >> i % 64 & 1))
			memset((void *)(s->base + i * s->elemsize), 0xdb, s->elemsize);
}

/* True if the span died: nothing in it is marked, and it was not to be kept. */
bool span_sweep(struct mspan *s, bool preserve)
{
	if (s->sweepgen != mheap.sweepgen - 2)
		throw("span_sweep: span %#zx has generation %u in %u", (size_t)s->base, s->sweepgen,
		      mheap.sweepgen);
	uint64_t *marks = mark_bits(s->page), *alloc = alloc_bits(s->page), *black = black_bits(s->page);
	uint32_t count = 0;
	if (unlikely(s->specials != NULL))
		special_hooks.sweep(s);
	if (unlikely(rt_settings.junkfill) && SPANCLASS_SIZE(s->spanclass))
		junk_fill(s, marks);
	for (uint32_t w = 0; w < (s->nelems + 63u) / 64; w++) {
		alloc[w] = marks[w];
		marks[w] = black[w] = 0;
		count += (uint32_t)__builtin_popcountll(alloc[w]);
	}
	if (count < s->nelems)
		s->needzero = 1;
	s->alloc_count = (uint16_t)count;
	s->freeindex = 0;
	s->sweepgen = mheap.sweepgen;
	if (count == 0 && !preserve) {
		mspan_free(s);
		return true;
	}
	return false;
}

static bool sweep_one(uint32_t *freed)
{
	if (!at_load(&mheap.sweeping))
		return false;
	/* None of a class is added during a generation. */
	for (uint32_t spc; (spc = at_load(&mheap.sweep_class)) < NUM_SPAN_CLASSES;
	     at_cas(&mheap.sweep_class, &spc, spc + 1)) {
		struct mspan *s = mcentral_pop_unswept(&mheap.central[spc]);
		if (s == NULL)
			continue;
		uint32_t npages = s->npages;
		if (!span_sweep(s, false))
			mcentral_uncache_span(s);
		else
			*freed += npages;
		return true;
	}
	/* A span that another core has popped and not yet swept is that core's to
	 * finish: it does so before it can stop. */
	at_store(&mheap.sweeping, 0);
	return false;
}

bool sweep_some(unsigned n)
{
	uint32_t freed;
	while (n--)
		if (!sweep_one(&freed))
			return false;
	return true;
}

void sweep_all(void)
{
	while (sweep_some(64))
		;
}

/* The heap must not grow while as much of it is dead: npages are about to be taken.
 * After mheap.reclaim of Go's mheap.c; bounded, so some growth remains. */
void sweep_reclaim(uint32_t npages)
{
	uint32_t freed = 0;
	for (unsigned n = 0; freed < npages && n < RECLAIM_SPANS; n++)
		if (!sweep_one(&freed))
			break;
}

