/* sweep.c: turns mark bits into allocation bits.
 *
 * Lazily: an allocation that needs a span sweeps one of its class; what is left
 * over the next cycle sweeps before it marks.  Sweeping a span needs no lock,
 * its taker owns it alone.  Mark bits are clear again afterwards, so every span
 * enters a cycle unmarked. */
#include "heap.h"

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
	uint64_t *marks = mark_bits(s->page), *alloc = alloc_bits(s->page);
	uint32_t count = 0;
	if (unlikely(s->specials != NULL))
		special_hooks.sweep(s);
	if (unlikely(rt_settings.junkfill) && SPANCLASS_SIZE(s->spanclass))
		junk_fill(s, marks);
	for (uint32_t w = 0; w < (s->nelems + 63u) / 64; w++) {
		alloc[w] = marks[w];
		marks[w] = 0;
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

bool sweep_one(size_t *pages)
{
	if (!at_load(&mheap.sweeping))
		return false;
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++) {
		struct mspan *s = mcentral_pop_unswept(&mheap.central[spc]);
		if (s == NULL)
			continue;
		if (pages)
			*pages += s->npages;
		if (!span_sweep(s, false))
			mcentral_uncache_span(s);
		return true;
	}
	/* A span that another core has popped and not yet swept is that core's to
	 * finish: it does so before it can stop. */
	at_store(&mheap.sweeping, 0);
	return false;
}

void sweep_all(void)
{
	while (sweep_one(NULL))
		;
}
