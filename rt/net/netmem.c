/* netmem.c: the network's memory: lwIP's, and frames.
 *
 * Manual memory, size classes in slabs.  The collector neither scans nor frees
 * it, and it stays in place: a device may read and write it.  So it must not
 * hold the last pointer to a collected object; connections are reached from a
 * list of their own (net.h).
 *
 * Invariants: all calls under the network lock.  A slab is aligned to its size
 * and begins with its header, as does a block too large for the classes, whose
 * pages are its own: any block's header is found by masking.  A slab with free
 * slots is in its class's list; of empty ones a class keeps one. */
#include "../rt.h"
#include "../heap.h"
#include "../api_mem.h"
#include "../libc.h"
#include "../link.h"
#include "lwip/arch/cc.h" /* not net.h: musl's limits.h, which lwIP wants, has a PAGE_SIZE too */

#define SLAB_PAGES 2
#define SLAB (SLAB_PAGES * PAGE_SIZE)
#define HEADER CACHE_LINE

struct slab {
	struct slab *next, **link; /* in the class's list; link NULL: not in it */
	void *free;                /* a free slot's first word is the next one */
	uint32_t nfree, nslots;    /* nslots 0: one large block */
	uint32_t class, npages;
};
_Static_assert(sizeof(struct slab) <= HEADER, "fits before the slots");

/* lwIP's structures, small answers, a full frame (1,514 bytes and its pbuf), and
 * what divides a slab without rest. */
static const uint16_t sizes[] = { 32, 64, 96, 128, 192, 256, 384, 512, 768, 1008, 1632, 2032, 4080 };
#define NCLASSES (sizeof sizes / sizeof sizes[0])
static struct slab *partial[NCLASSES];
static struct slab *empty[NCLASSES]; /* one that is kept; also in partial */

struct pages {
	size_t n;
	char *got;
};

/* An aligned run: of twice the pages the ends go back. */
static void take_pages(void *arg)
{
	struct pages *p = arg;
	size_t spare = SLAB_PAGES - 1;
	char *at = mheap_alloc_manual(p->n + spare);
	p->got = NULL;
	if (!at)
		return;
	p->got = (char *)(((uintptr_t)at + SLAB - 1) & ~(uintptr_t)(SLAB - 1));
	size_t before = (size_t)(p->got - at) / PAGE_SIZE;
	if (before)
		mheap_free_manual(at, before);
	if (spare - before)
		mheap_free_manual(p->got + p->n * PAGE_SIZE, spare - before);
}

static void give_pages(void *arg)
{
	struct pages *p = arg;
	mheap_free_manual(p->got, p->n);
}

static struct slab *pages_get(size_t n)
{
	struct pages p = { .n = n };
	rt_systemstack(take_pages, &p);
	if (!p.got) { /* the collector may have some to give */
		gc();
		rt_systemstack(take_pages, &p);
	}
	return (struct slab *)p.got;
}

static void pages_put(struct slab *s)
{
	struct pages p = { .n = s->npages, .got = (char *)s };
	rt_systemstack(give_pages, &p);
}

static void list_add(struct slab *s)
{
	link_in(&partial[s->class], s);
}

static void list_remove(struct slab *s)
{
	link_out(s);
}

static struct slab *slab_new(uint32_t class)
{
	struct slab *s = pages_get(SLAB_PAGES);
	if (!s)
		return NULL;
	uint32_t n = (uint32_t)((SLAB - HEADER) / sizes[class]);
	*s = (struct slab){ .nfree = n, .nslots = n, .class = class, .npages = SLAB_PAGES };
	for (uint32_t i = n; i-- > 0;) {
		void **slot = (void **)((char *)s + HEADER + (size_t)i * sizes[class]);
		*slot = s->free;
		s->free = slot;
	}
	list_add(s);
	return s;
}

void *net_malloc(size_t n)
{
	if (n > sizes[NCLASSES - 1]) {
		size_t pages = (n + HEADER + PAGE_SIZE - 1) / PAGE_SIZE;
		struct slab *s = pages_get(pages);
		if (!s)
			return NULL;
		*s = (struct slab){ .npages = (uint32_t)pages };
		return (char *)s + HEADER;
	}
	uint32_t class = 0;
	while (sizes[class] < n)
		class++;
	struct slab *s = partial[class];
	if (!s && !(s = slab_new(class)))
		return NULL;
	void **slot = s->free;
	s->free = *slot;
	if (s->nfree == s->nslots && empty[class] == s)
		empty[class] = NULL;
	if (--s->nfree == 0)
		list_remove(s);
	return slot;
}

void *net_calloc(size_t n, size_t size)
{
	void *p = net_malloc(n * size); /* lwIP asks for one of something small */
	return p ? memset(p, 0, n * size) : NULL;
}

void net_free(void *p)
{
	struct slab *s = (struct slab *)((uintptr_t)p & ~(uintptr_t)(SLAB - 1));
	if (s->nslots == 0) {
		pages_put(s);
		return;
	}
	void **slot = p;
	*slot = s->free;
	s->free = slot;
	if (s->nfree++ == 0)
		list_add(s);
	if (s->nfree < s->nslots)
		return;
	if (!empty[s->class]) {
		empty[s->class] = s;
		return;
	}
	list_remove(s);
	pages_put(s);
}
