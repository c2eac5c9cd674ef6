/* mcentral.c: all spans of one span class that no mcache holds.
 *
 * Four sets: spans with free slots (partial) and without (full), each swept and
 * unswept.  The sweep generation rises by 2 in each collection, which turns all
 * swept sets into unswept ones without moving a span.  Taking a span out of a
 * set makes the taker its only owner. */
#include "heap.h"

static inline unsigned swept(void)
{
	return mheap.sweepgen / 2 % 2;
}

static struct mspan *set_pop(struct mspan **set)
{
	struct mspan *s = *set;
	if (s)
		*set = s->next;
	return s;
}

static void set_push(struct mcentral *c, struct mspan **set, struct mspan *s)
{
	lock(&c->lock);
	s->next = *set;
	*set = s;
	unlock(&c->lock);
}

/* Puts a swept span that its owner gives up where it belongs. */
void mcentral_uncache_span(struct mspan *s)
{
	struct mcentral *c = &mheap.central[s->spanclass];
	s->sweepgen = mheap.sweepgen;
	set_push(c, s->alloc_count == s->nelems ? &c->full[swept()] : &c->partial[swept()], s);
}

struct mspan *mcentral_pop_unswept(struct mcentral *c)
{
	unsigned u = !swept();
	if (at_load(&c->partial[u]) == NULL && at_load(&c->full[u]) == NULL)
		return NULL;
	lock(&c->lock);
	struct mspan *s = set_pop(&c->partial[u]);
	if (s == NULL)
		s = set_pop(&c->full[u]);
	unlock(&c->lock);
	return s;
}

/* A span with at least one free slot, now the caller's.  Sweeps on the way, but
 * gives up after 100 full ones and makes a new span, as in Go: the search must
 * not take longer than what it saves. */
struct mspan *mcentral_cache_span(struct mcentral *c, spanclass_t spc)
{
	lock(&c->lock);
	struct mspan *s = set_pop(&c->partial[swept()]);
	unlock(&c->lock);
	for (unsigned budget = 100; s == NULL && budget-- && at_load(&mheap.sweeping);) {
		struct mspan *u = mcentral_pop_unswept(c);
		if (u == NULL)
			break;
		span_sweep(u, true);
		if (u->alloc_count < u->nelems)
			s = u;
		else
			mcentral_uncache_span(u);
	}
	if (s == NULL)
		s = mspan_alloc(class_info[spc].npages, spc);
	if (s)
		s->sweepgen = mheap.sweepgen + 3;
	return s;
}
