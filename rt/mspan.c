/* mspan.c: spans, and finding the object that a word points into.
 *
 * A span is published by its index entries, written last (release) when it is
 * made and cleared first when it is freed.  No span is freed while marking, so
 * a lookup needs no lock.
 *
 * An address is an object only if its slot is allocated: below freeindex, or
 * its allocation bit is set.  Slots that an mcache has handed out count from the
 * next publish on (every stop does it). */
#include "heap.h"

/* Its words (8192 bytes, magic 2^19: 0x200000080000) look like addresses of the heap. */
struct class_info class_info[NUM_SPAN_CLASSES] NOSCAN_BSS;

COLD void class_info_init(void)
{
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++) {
		unsigned c = SPANCLASS_SIZE(spc);
		struct class_info *k = &class_info[spc];
		if (c == 0) {
			k->nelems = 1;
			continue;
		}
		size_t bytes = class_to_npages[c] * PAGE_SIZE;
		k->magic = class_to_divmagic[c];
		k->size = class_to_size[c];
		k->npages = class_to_npages[c];
		if (!SPANCLASS_NOSCAN(spc) && k->size <= MAX_HEAPBITS_SIZE) {
			bytes -= class_to_npages[c] * HEAPBITS_PER_PAGE;
			k->heapbits = (uint32_t)bytes;
		}
		k->nelems = (uint16_t)(bytes / k->size);
		/* Types lie behind one word of allocation bits. */
		if (k->size > MAX_HEAPBITS_SIZE && (k->nelems > 64 || 8 + 4u * k->nelems > 64u * k->npages))
			throw("class_info_init: types of class %u do not fit", c);
	}
}

/* Under mheap.lock; NULL when out of memory. */
static struct mspan *mspan_new(void)
{
	if (mheap.free_mspans == NULL) {
		unsigned n = mheap.total_pages > 8192 ? 256 : 32;
		struct mspan *v = persistent_alloc_locked(n * sizeof *v);
		if (v == NULL)
			return NULL;
		while (n--) {
			v[n].next = mheap.free_mspans;
			mheap.free_mspans = &v[n];
		}
	}
	struct mspan *s = mheap.free_mspans;
	mheap.free_mspans = s->next;
	return s;
}

struct mspan *mspan_alloc(uint32_t npages, spanclass_t spc)
{
	const struct class_info *k = &class_info[spc];
	uint32_t page;
	if (at_load(&mheap.sweeping))
		sweep_reclaim(npages);
	lock(&mheap.lock);
	struct mspan *s = mspan_new();
	if (s == NULL || !page_alloc(npages, SPANCLASS_NOSCAN(spc), &page)) {
		if (s) {
			s->next = mheap.free_mspans;
			mheap.free_mspans = s;
		}
		unlock(&mheap.lock);
		return NULL;
	}
	bool fresh = page >= mheap.zeroed_base && plat_memory_zeroed;
	if (page + npages > mheap.zeroed_base)
		mheap.zeroed_base = page + npages;
	unlock(&mheap.lock);

	*s = (struct mspan){
		.base = page_addr(page),
		.elemsize = k->size ? k->size : (size_t)npages << PAGE_SHIFT,
		.page = page,
		.npages = npages,
		.sweepgen = mheap.sweepgen,
		.nelems = k->nelems,
		.spanclass = spc,
		.state = MSPAN_IN_USE,
		.needzero = !fresh,
	};
	/* A large span uses one bit only. */
	size_t bits = (k->size ? npages : 1) * BIT_WORDS * 8;
	memset(mark_bits(page), 0, bits);
	memset(alloc_bits(page), 0, bits);
	memset(black_bits(page), 0, bits);
	mheap.grey_next[page] = k->heapbits ? 0 : GREY_NEVER;
	/* release: who finds the span finds it initialised */
	for (uint32_t i = 0; i < npages; i++)
		at_store_rel(&mheap.index[page + i], index_entry(s, k->size ? i : 0));
	if (k->npages == 1)
		at_store_rel(&mheap.kind[page], spc);
	return s;
}

void mspan_free(struct mspan *s)
{
	for (uint32_t i = 0; i < s->npages; i++)
		at_store(&mheap.index[s->page + i], 0);
	at_store(&mheap.kind[s->page], 0);
	if (unlikely(rt_settings.junkfill))
		memset((void *)s->base, 0xdb, (size_t)s->npages << PAGE_SHIFT);
	s->state = MSPAN_DEAD;
	lock(&mheap.lock);
	page_free(s->page, s->npages);
	s->next = mheap.free_mspans;
	mheap.free_mspans = s;
	unlock(&mheap.lock);
}

bool object_allocated(const struct mspan *s, uint32_t idx)
{
	return idx < s->freeindex || (alloc_bits(s->page)[idx / 64] >> idx % 64 & 1);
}

/* The slot that p lies in, allocated or not. */
static bool slot_find(uintptr_t p, struct object *o)
{
	uintptr_t off = p - mheap.lo;
	if (off >= at_load_acq(&mheap.used_bytes))
		return false;
	uint64_t e = at_load_acq(&mheap.index[off >> PAGE_SHIFT]);
	if (e == 0)
		return false;
	struct mspan *s = index_span(e);
	uint32_t magic = class_info[INDEX_CLASS(e)].magic;
	o->span = s;
	o->idx = (uint32_t)((uint64_t)(p - s->base) * magic >> 32);
	o->size = s->elemsize;
	o->base = s->base + o->idx * s->elemsize;
	return o->idx < s->nelems;
}

bool object_find(uintptr_t p, struct object *o)
{
	return slot_find(p, o) && object_allocated(o->span, o->idx);
}

/* What an mcache has handed out since the last publish is not known here, so a
 * free slot is given as an object too. */
void *rt_object_base(const void *p, size_t *size)
{
	struct object o;
	if (!slot_find((uintptr_t)p, &o))
		return NULL;
	if (size)
		*size = o.size;
	return (void *)o.base;
}
