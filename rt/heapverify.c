/* heapverify.c: checks the heap's invariants, all of them, in one walk.
 *
 * With the world stopped (or one core), mcaches flushed or not.  Throws at the
 * first thing that is wrong, saying what and where.  Runs in each collection in
 * the test modes.
 *
 * What objects point to is looked at, too: at the end of marking that of all marked
 * ones, otherwise that of objects in swept spans.  A pointer to a free slot or a free
 * page was hidden from the collector (inverted, in a file, in memory said to have no
 * pointers) and written back later: a bug of the program, where the type says that the
 * word is a pointer.  It may be the end of the
 * object before it, if its holder points into that, too. */
#include "heap.h"

#define CHECK(c, ...) \
	do { \
		if (!(c)) \
			throw("gc_verify_heap: " __VA_ARGS__); \
	} while (0)

static bool in_mcache(const struct mspan *s)
{
	for (struct mcache *c = all_mcaches; c; c = c->all_next)
		if (c->slot[s->spanclass].span == s)
			return true;
	return false;
}

static uint32_t allocated_objects(const struct mspan *s)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->nelems; i++)
		n += object_allocated(s, i);
	return n;
}

static void verify_span(const struct mspan *s, uint32_t page)
{
	const struct class_info *k = &class_info[s->spanclass];
	size_t at = (size_t)s->base;
	CHECK(s->state == MSPAN_IN_USE, "span %#zx is indexed but not in use", at);
	CHECK(s->page == page && s->base == page_addr(page), "span %#zx lies at page %u", at, page);
	CHECK(s->nelems == k->nelems, "span %#zx has %u objects, its class %u", at, s->nelems, k->nelems);
	CHECK(k->size == 0 || (s->elemsize == k->size && s->npages == k->npages),
	      "span %#zx differs from its class %u", at, s->spanclass);
	CHECK(k->size || s->elemsize == (size_t)s->npages << PAGE_SHIFT, "large span %#zx: size", at);
	for (uint32_t i = 0; i < s->npages; i++) {
		uint64_t e = mheap.index[page + i];
		CHECK(e == index_entry(s, k->size ? i : 0), "index entry of page %u of span %#zx", i, at);
		CHECK(!page_is_free(page + i), "page %u of span %#zx is free", i, at);
	}
	bool unswept = s->sweepgen == mheap.sweepgen - 2;
	CHECK(unswept || s->sweepgen == mheap.sweepgen || s->sweepgen == mheap.sweepgen + 3,
	      "span %#zx has sweep generation %u in %u", at, s->sweepgen, mheap.sweepgen);
	CHECK((s->sweepgen == mheap.sweepgen + 3) == in_mcache(s),
	      "span %#zx: its generation and the mcaches disagree", at);
	if (!unswept && gc_phase == GC_OFF)
		for (uint32_t w = 0; w < (s->nelems + 63u) / 64; w++)
			CHECK((mark_bits(page)[w] | black_bits(page)[w]) == 0, "swept span %#zx has mark bits", at);
	if (!in_mcache(s))
		CHECK(allocated_objects(s) == s->alloc_count, "span %#zx counts %u objects and has %u", at,
		      s->alloc_count, allocated_objects(s));
	CHECK(gc_phase == GC_MARK || mheap.grey_next[page] == (k->heapbits ? 0 : GREY_NEVER), "span %#zx is still in the marker's queue", at);
	CHECK(mheap.kind[page] == (k->npages == 1 ? s->spanclass : 0), "span %#zx has another class to the marker", at);
	CHECK(s->freeindex <= s->nelems, "span %#zx: freeindex %u", at, s->freeindex);
}

/* A run in hand is clear. */
static void verify_run(const struct mcache_slot *k)
{
	for (uintptr_t p = k->next; p < k->end; p += 8) {
		CHECK(*(uint64_t *)p == 0, "the run at %#zx is not clear at %#zx", (size_t)k->next, (size_t)p);
		CHECK(!k->heapbits || !(*(uint16_t *)(k->heapbits + (p >> 7) * 2) >> (p >> 3 & 15) & 1),
		      "the run at %#zx has a heap bit at %#zx", (size_t)k->next, (size_t)p);
	}
}

/* ---- marking was complete --------------------------------------------------- */

struct holder {
	const struct object *o;
};

static bool is_marked(const struct object *o)
{
	return mark_bits(o->span->page)[o->idx / 64] >> o->idx % 64 & 1;
}

/* Clears *arg when the word points into that object. */
static void find_pointer_into(uintptr_t *slot, void *arg)
{
	struct object **o = arg;
	if (*o && *slot - (*o)->base < (*o)->size)
		*o = NULL;
}

static void note_word(uintptr_t *slot, void *arg)
{
	uintptr_t *next = arg;
	if (*next == (uintptr_t)slot)
		*next += 8;
}

/* The word was made to hold a pointer.  Memory of no type has stale words too: saved
 * registers, padding that came with a copy.  Of a small object only the map is known:
 * who has no type has no gap in it, but for the end of its slot. */
static bool certain(const struct object *in, const uintptr_t *slot)
{
	const struct class_info *k = &class_info[in->span->spanclass];
	if (k->heapbits) {
		uintptr_t gap = in->base;
		object_each_pointer(in, note_word, &gap);
		return gap + in->size / 8 + 8 < in->base + in->size;
	}
	const struct rt_type *t = k->size ? type_from32(span_types(in->span->page)[in->idx]) : in->span->large_type;
	size_t i = ((uintptr_t)slot - in->base) / 8 % (t ? t->size / 8 : 1);
	return t && (t->bits[i / 32] >> (i % 32 * 2) & 3) == 1; /* exact, see type.h */
}

/* What the word of object `in` points to is no object.  (A slot may be marked that is
 * none: what it holds does not count.) */
static void verify_not_freed(const uintptr_t *slot, const struct object *in)
{
	struct object before;
	uintptr_t v = *slot, page = (v - mheap.lo) >> PAGE_SHIFT;
	if (v - mheap.lo >= mheap.used_bytes || !object_allocated(in->span, in->idx))
		return;
	if (mheap.index[page] ? !rt_object_base((void *)v, NULL) : !page_is_free((uint32_t)page))
		return;
	if (object_find(v - 1, &before) && before.base + before.size == v) {
		struct object *o = &before;
		object_each_pointer(in, find_pointer_into, &o);
		if (!o)
			return;
	}
	if (!certain(in, slot))
		return;
	throw("gc_verify_heap: object %#zx of %zu bytes holds at +%zu a pointer to freed memory, %#zx",
	      (size_t)in->base, in->size, (size_t)((uintptr_t)slot - in->base), (size_t)v);
}

static void verify_pointer(uintptr_t *slot, void *arg)
{
	struct object o;
	const struct holder *h = arg;
	if (object_find(*slot, &o))
		CHECK(is_marked(&o), "marked object %#zx holds unmarked %#zx", (size_t)h->o->base, (size_t)o.base);
	else
		verify_not_freed(slot, h->o);
}

static void verify_marks(struct mspan *s)
{
	for (uint32_t i = 0; i < s->nelems; i++) {
		struct object o = { s->base + i * s->elemsize, s->elemsize, s, i };
		struct holder h = { &o };
		if (mark_bits(s->page)[i / 64] >> i % 64 & 1)
			object_each_pointer(&o, verify_pointer, &h);
	}
}

/* Outside marking, of an object in a swept span. */
static void verify_live_pointer(uintptr_t *slot, void *arg)
{
	struct object o;
	const struct holder *h = arg;
	if (!object_find(*slot, &o))
		verify_not_freed(slot, h->o);
	else if (o.span->sweepgen == mheap.sweepgen - 2)
		CHECK(is_marked(&o), "object %#zx holds %#zx, which nothing held when it was last looked for",
		      (size_t)h->o->base, (size_t)o.base);
}

static void verify_objects(struct mspan *s)
{
	for (uint32_t i = 0; i < s->nelems; i++) {
		struct object o = { s->base + i * s->elemsize, s->elemsize, s, i };
		struct holder h = { &o };
		if (object_allocated(s, i))
			object_each_pointer(&o, verify_live_pointer, &h);
	}
}

/* Every word of a marked object that points to an object points to a marked one.
 * In the stop, between marking and the end of the cycle. */
void gc_verify_marks(void)
{
	for (uint32_t page = 0; page < mheap.used_bytes >> PAGE_SHIFT;) {
		uint64_t e = mheap.index[page];
		if (e)
			verify_marks(index_span(e));
		page += e ? index_span(e)->npages : 1;
	}
}

/* ---- structure ---------------------------------------------------------------- */

/* Returns the spans in the set, each of which must belong there. */
static uint32_t verify_set(const struct mspan *s, spanclass_t spc, uint32_t gen, bool full, bool swept)
{
	uint32_t n = 0;
	for (; s; s = s->next) {
		size_t at = (size_t)s->base;
		CHECK(s->spanclass == spc, "span %#zx is in the sets of class %u", at, spc);
		CHECK(s->sweepgen == gen, "span %#zx: generation %u in a set of %u", at, s->sweepgen, gen);
		if (swept)
			CHECK((s->alloc_count == s->nelems) == full, "span %#zx is in the wrong set", at);
		CHECK(++n <= mheap.npages, "a set of class %u is a ring", spc);
	}
	return n;
}

void gc_verify_heap(void)
{
	uint32_t spans = 0, listed = 0, used = mheap.used_chunks * CHUNK_PAGES;
	size_t taken = 0, in_spans = 0;
	for (struct mcache *c = all_mcaches; c; c = c->all_next) {
		mcache_publish(c);
		for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
			verify_run(&c->slot[spc]), spans -= c->slot[spc].span != &empty_span;
	}
	for (uint32_t page = 0; page < used;) {
		uint64_t e = mheap.index[page];
		if (e == 0) {
			page++;
			continue;
		}
		struct mspan *s = index_span(e);
		verify_span(s, page);
		if (s->sweepgen != mheap.sweepgen - 2)
			verify_objects(s);
		spans++;
		in_spans += s->npages;
		page += s->npages;
	}
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++) {
		const struct mcentral *c = &mheap.central[spc];
		unsigned sw = mheap.sweepgen / 2 % 2;
		uint32_t gen = mheap.sweepgen;
		listed += verify_set(c->partial[sw], (spanclass_t)spc, gen, false, true);
		listed += verify_set(c->full[sw], (spanclass_t)spc, gen, true, true);
		listed += verify_set(c->partial[!sw], (spanclass_t)spc, gen - 2, false, false);
		listed += verify_set(c->full[!sw], (spanclass_t)spc, gen - 2, true, false);
	}
	CHECK(listed == spans, "%u spans, %u in the sets of the mcentrals", spans, listed);
	for (unsigned r = 0; r < mheap.nranges; r++) {
		size_t p = (mheap.ranges[r].base - mheap.lo) >> PAGE_SHIFT;
		for (size_t i = 0; i < mheap.ranges[r].len >> PAGE_SHIFT && p + i < used; i++) {
			bool is_free = page_is_free((uint32_t)(p + i));
			taken += !is_free;
			CHECK(!is_free || p + i >= mheap.search || page_cache_of((uint32_t)(p + i)),
			      "page %zu is free below the search start %u", p + i, mheap.search);
		}
	}
	CHECK(taken == mheap.pages_inuse, "%zu pages are taken, %zu counted", taken, mheap.pages_inuse);
	CHECK(taken == in_spans + mheap.pages_manual, "%zu pages in spans, %zu manual, %zu taken", in_spans,
	      mheap.pages_manual, taken);
	for (unsigned l = 0; l < SUM_LEVELS; l++)
		page_summaries_verify(l);
}
