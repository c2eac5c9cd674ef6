/* heap.h: types of the memory allocator, shared by its files only.
 *
 * The parts, as in Go's runtime (malloc.go):
 *   mheap     the page heap: hands out runs of 8 KiB pages            mheap.c
 *   mspan     a run of pages in use, cut into objects of one size     mspan.c
 *   mcentral  all spans of one span class, swept and unswept          mcentral.c
 *   mcache    a P's own span of each class: allocation without locks  mcache.c
 *   malloc    size to class, zeroing, pointer maps                    malloc.c
 *   gc*, sweep  who lives                                             gc.c, gcmark.c, sweep.c
 *
 * An allocation walks down that list, and back up: rt_malloc -> mcache slot ->
 * mcentral -> mheap -> plat_memory().
 *
 * Where we differ from Go, and why:
 *  - The page index packs span class and distance to the span's first page
 *    beside the mspan pointer, and mark and allocation bits lie in tables
 *    indexed by page.  A pointer reaches its mark bit by two dependent loads
 *    (index entry, bit), not three, and the index is small enough for the cache.
 *  - Objects of 8 bytes that hold a pointer use the 16-byte class, so that one
 *    page needs at most 512 bits.  (Without pointers they are tiny objects.)
 *  - Scan objects above 512 bytes have no header: their type is a 32-bit entry
 *    in the page's bit area, which such few objects leave empty.  So 1 KiB stays
 *    1 KiB and 16-byte alignment is free.
 *
 * Lock order: mcentral.lock, then mheap.lock.  Everything that takes one runs
 * on the system stack. */
#ifndef RT_HEAP_H
#define RT_HEAP_H

#include "rt.h"
#include "sizeclasses.h"
#include "type.h"

#define PAGE_SHIFT 13
#define PAGE_SIZE ((size_t)1 << PAGE_SHIFT)
#define NUM_SPAN_CLASSES (NUM_SIZE_CLASSES * 2)
#define MAX_HEAPBITS_SIZE 512  /* objects up to here carry one bit a word in the span's tail */
#define HEAPBITS_PER_PAGE (PAGE_SIZE / 8 / 8)
#define BIT_WORDS 8            /* words of mark (and of allocation) bits per page */
#define PAGE_BITS (BIT_WORDS * 64)
#define TINY_SIZE 16
#define TINY_CLASS 2           /* size class of 16 bytes */

/* Span class: size class * 2 + noscan. */
typedef uint8_t spanclass_t;
#define SPANCLASS(c, noscan) ((spanclass_t)((c) * 2 + (noscan)))
#define SPANCLASS_NOSCAN(spc) ((spc) & 1)
#define SPANCLASS_SIZE(spc) ((spc) >> 1)

/* Facts of a span class that a pointer lookup needs, one cache line's quarter. */
struct class_info {
	uint32_t magic;    /* divides an offset by size; 0 for large objects */
	uint32_t size;     /* bytes; 0 for large objects */
	uint16_t nelems;   /* objects in a span */
	uint16_t npages;
	uint32_t heapbits; /* offset of the heap bits in the span; 0: none */
};
extern struct class_info class_info[NUM_SPAN_CLASSES];

/* The life of a span:
 *
 *   DEAD -> IN_USE -> DEAD    (the mspan is reused for other pages)
 *
 * The index entries of its pages are written last and cleared first; during
 * marking no span leaves IN_USE. */
enum mspan_state { MSPAN_DEAD, MSPAN_IN_USE };

struct mspan {
	struct mspan *next;    /* in a set of its mcentral, or the free list of mspans */
	uintptr_t base;
	size_t elemsize;       /* of a large object: the whole span */
	const struct rt_type *large_type; /* large scan object: its type, NULL conservative */
	uint32_t page;         /* index of the first page */
	uint32_t npages;
	uint32_t sweepgen;     /* mheap.sweepgen: swept; -2: needs sweeping; +3: in an mcache.
	                        * Written by whoever holds the span alone */
	uint16_t nelems;
	uint16_t freeindex;    /* slots below it are allocated, above it as the allocation bits
	                        * say.  While an mcache holds the span: as of the last publish */
	uint16_t alloc_count;  /* objects in it as of the last sweep or uncache */
	spanclass_t spanclass;
	uint8_t state;         /* enum mspan_state */
	uint8_t needzero;      /* free slots may hold anything */
	uint8_t specials_gen;  /* SPECIALS_GEN() when they were last looked at; special.c */
	uint8_t pad[2];
	struct special *specials; /* of its objects, by address, or NULL; special.c */
};
_Static_assert(sizeof(struct mspan) == 64, "an mspan is one cache line");

struct special;
/* What a program needs only if it uses it; NULL before it does.  special.c */
extern struct special_hooks {
	/* s has specials and is about to be swept: marks what lives on because of them.  system */
	void (*sweep)(struct mspan *s);
	/* Piece number i of the objects with a finalizer, whose contents are roots: their
	 * addresses (0, or odd: none).  While marking. */
	const uint64_t *(*roots)(uint32_t i, uint32_t *n);
	uint32_t npieces; /* grows; stored with release */
} special_hooks;

/* A P's current span of one class, and in it a run of free slots, [next, end), that
 * are zero already and whose heap bits are: an allocation takes the first.  A run
 * lies in one group of 64 slots; `rest` are the group's free ones behind it. */
struct mcache_slot {
	uintptr_t next, end;
	uintptr_t heapbits;    /* map of the words at address p: p/128*2 further; 0: none */
	uint32_t elemsize;
	uint16_t group;        /* index of the group: slot number / 64 */
	uint16_t ngroups;
	uint64_t rest;
	uintptr_t group_base;
	struct mspan *span;    /* &empty_span when there is none */
	uint16_t run_max;      /* slots in a run, at most */
	uint16_t needzero;
	uint32_t pad;
};
_Static_assert(sizeof(struct mcache_slot) == RT_TYPE_SLOT_BYTES, "an mcache slot is one cache line");

/* A P's cache.  Owner with preemption off, or anyone during a stop. */
struct mcache {
	struct mcache_slot slot[NUM_SPAN_CLASSES]; /* first: see RT_TYPE_SLOT_SHIFT */
	uintptr_t tiny;        /* current tiny block, 0: none */
	size_t tiny_offset;
	uint64_t ntiny;        /* tiny objects handed out */
	uint64_t nsmall[NUM_SPAN_CLASSES]; /* objects handed out: large, and from spans given back */
	uint64_t large_bytes;
	struct mcache *all_next;
	uint64_t nmalloc;      /* for gcstress and allocfail */
} __attribute__((aligned(CACHE_LINE)));

struct mcentral {
	struct lock lock;
	/* [sweepgen/2 % 2] is the swept set; a span is in exactly one set, or
	 * owned by one core (an mcache, a sweeper). */
	struct mspan *partial[2], *full[2];
} __attribute__((aligned(CACHE_LINE)));

/* A summary of a run of pages: free pages at its start, longest run, at its end. */
struct page_sum {
	uint32_t start, max, end;
};

#define CHUNK_PAGES 512        /* pages of one leaf of the page allocator: 4 MiB */
#define SUM_FAN 64
#define SUM_LEVELS 3           /* chunk, 64 chunks, 4096 chunks */
#define MAX_RANGES 64

/* A block of 64 pages in front of the tree, those in bits are free; two for each
 * node: memory without pointers comes from blocks of its own where it can. */
#define BLOCK_PAGES 64
struct page_cache {
	uint32_t page;
	uint64_t bits;
};

struct mheap {
	struct lock lock;

	/* Constant after mallocinit(). */
	uintptr_t lo;          /* address of page 0 */
	uint32_t npages;       /* pages the tables have room for */
	uint32_t nchunks;
	struct plat_range ranges[MAX_RANGES]; /* page aligned, metadata taken out */
	uint8_t node[MAX_RANGES]; /* of each range */
	unsigned nranges;
	size_t total_pages;    /* sum of ranges */
	uint64_t *index;       /* per page: see index_entry() */
	uint64_t *mark, *alloc; /* BIT_WORDS per page; those of a span begin at its first page */
	uint64_t *black;       /* the same, of scan objects up to MAX_HEAPBITS_SIZE: marked, and
	                        * scanned or about to be.  Clear outside of cycles */
	uint32_t *grey_next;   /* per page, links gcmark.c's queue of spans; 0: not in it */
	uint8_t *kind;         /* per page: class of the span of one page that it is, else 0 */
#define GREY_NEVER 0xffffffffu /* its objects are not scanned by spans */

	/* Address space below lo + used_bytes has valid index entries.  Grows by
	 * whole chunks; stored with release, read by lookups. */
	size_t used_bytes;

	/* The rest under lock. */
	uint32_t used_chunks;
	uint64_t *pagebits;    /* 1: allocated or no memory; 8 words per chunk */
	struct page_sum *sum[SUM_LEVELS];
	uint32_t nsum[SUM_LEVELS];
	uint32_t search;       /* no free page below */
	uint32_t zeroed_base;  /* pages from here on were never handed out */
	struct page_cache cache[2][PLAT_MAX_NODES]; /* [noscan] */
	uint64_t *tracked;     /* of each block: something in it may hold pointers, so the collector
	                        * wants to know when it is written.  Read without the lock, relaxed */
	struct mspan *free_mspans;
	uintptr_t meta, meta_end; /* persistent_alloc's current piece */
	struct frame_node *frames; /* free halves of pages, direct map */

	size_t pages_inuse;    /* spans, manual, metadata; under lock */
	size_t pages_manual;   /* manual memory, frames and metadata taken from pages */
	size_t sys_bytes;      /* metadata carved at the start */

	/* scavenge.c; hooks are NULL until it runs. */
	size_t released;       /* free pages given back to the host; under lock, read relaxed */
	uint64_t *released_bits; /* of each page, NULL: none yet; under lock, read relaxed */
	void (*took)(uint32_t page, uint32_t npages); /* allocated while some are; under lock */
	void (*goal_set)(uint64_t old, uint64_t goal);
	void (*scavenge_kick)(void);
	uint32_t scavenge_due; /* a task is to call scavenge_kick().  Relaxed */

	/* Collection state; gc.c. */
	uint32_t sweepgen;     /* += 2 in each stop */
	uint64_t heap_live;    /* bytes allocated since or marked by the last cycle, a little ahead
	                        * of the truth: whole spans count when cached.  Relaxed */
	uint64_t gc_trigger;   /* heap_live at which the next cycle begins */
	uint32_t sweeping;     /* unswept spans may be left.  Relaxed */
	uint32_t sweep_class;  /* classes below it have none.  Relaxed */

	struct mcentral central[NUM_SPAN_CLASSES];
};
extern struct mheap mheap;
extern struct mcache *all_mcaches; /* by all_next, append only, under mheap.lock */

/* Index entry of a page in a span: mspan pointer in the low 48 bits, distance
 * to the span's first page (small classes; 0 for large ones) in 8, span class
 * in 8.  0: no object here. */
static inline uint64_t index_entry(const struct mspan *s, uint32_t dist)
{
	return ((uintptr_t)s & 0xffffffffffffull) | (uint64_t)dist << 48 | (uint64_t)s->spanclass << 56;
}
static inline struct mspan *index_span(uint64_t e)
{
	return (struct mspan *)(uintptr_t)((int64_t)(e << 16) >> 16);
}
#define INDEX_DIST(e) ((e) >> 48 & 0xff)
#define INDEX_CLASS(e) ((e) >> 56)

static inline uint64_t *mark_bits(uint32_t page)
{
	return mheap.mark + (size_t)page * BIT_WORDS;
}
static inline uint64_t *alloc_bits(uint32_t page)
{
	return mheap.alloc + (size_t)page * BIT_WORDS;
}
static inline uint64_t *black_bits(uint32_t page)
{
	return mheap.black + (size_t)page * BIT_WORDS;
}
/* Types of a span of scan objects above 512 bytes: after the allocation bits. */
static inline uint32_t *span_types(uint32_t page)
{
	return (uint32_t *)(alloc_bits(page) + 1);
}
static inline const struct rt_type *type_from32(uint32_t t)
{
	return (const struct rt_type *)(intptr_t)(int32_t)t;
}
static inline uintptr_t page_addr(uint32_t page)
{
	return mheap.lo + ((uintptr_t)page << PAGE_SHIFT);
}
static inline void *direct(const void *p)
{
	return (void *)((uintptr_t)p + plat_direct_offset);
}

/* An object found from a word. */
struct object {
	uintptr_t base;
	size_t size;
	struct mspan *span;
	uint32_t idx;
};

/* mheap.c; all system context */
void mheap_init(void);
bool page_alloc(uint32_t npages, bool noscan, uint32_t *page); /* under mheap.lock */
void page_free(uint32_t page, uint32_t npages);   /* under mheap.lock */
void page_take(uint32_t page, uint32_t npages);   /* these, which are free; under mheap.lock */
void page_cache_flush(void);                      /* under mheap.lock */
void page_summaries_verify(unsigned level);
struct page_cache *page_cache_of(uint32_t page);  /* the one whose block has it, or NULL */
unsigned page_node(uint32_t page);                /* whose memory it is */
bool page_is_free(uint32_t page);                 /* under mheap.lock, or a stop */
uint32_t mheap_pages_free(void);                  /* pages that could still be had */
void *persistent_alloc_locked(size_t size);       /* NULL when out */

/* mspan.c */
struct mspan *mspan_alloc(uint32_t npages, spanclass_t spc); /* NULL when out */
void mspan_free(struct mspan *s);
bool object_find(uintptr_t p, struct object *o);  /* allocated objects only; any word */
bool object_allocated(const struct mspan *s, uint32_t idx);

/* mcentral.c */
struct mspan *mcentral_cache_span(struct mcentral *c, spanclass_t spc); /* NULL when out */
void mcentral_uncache_span(struct mspan *s);
void mcentral_add_large(struct mspan *s);
struct mspan *mcentral_pop_unswept(struct mcentral *c);

/* mcache.c */
extern struct mspan empty_span;
bool mcache_next_run(struct mcache_slot *k); /* any; next == end before; false: the span is used up */
void mcache_trim(struct mcache_slot *k, size_t keep); /* leaves so many slots to the run; its owner */
bool mcache_refill(struct mcache *c, spanclass_t spc); /* system; false when out */
uint32_t mcache_slot_free(const struct mcache_slot *k); /* slots of its span that are free; owner or stop */
void mcache_publish(struct mcache *c);  /* freeindex to the spans, for lookups; stop */
void mcache_arm(struct mcache *c);      /* marking begins: publishes, allocates black; stop */
void mcache_flush(struct mcache *c);    /* gives all spans back; stop */

/* sweep.c; system context, holding s alone */
bool span_sweep(struct mspan *s, bool preserve); /* true: the span was freed */
bool sweep_some(unsigned n);            /* n spans; false: nothing left to sweep */
void sweep_all(void);
void sweep_reclaim(uint32_t npages);    /* before so many are taken */

/* gc.c */
enum gc_phase { GC_OFF, GC_MARK };
extern uint32_t gc_phase;               /* changes in a stop; relaxed */
void gc_init(void);
noreturn void gc_controller(void *unused); /* a system task */
/* Asks for a cycle if heap_live is above the trigger; force: returns when one
 * that began after the call is complete.  task, nothing held. */
void gc_start(bool force);
/* An allocation of so many bytes while marking: marks in proportion when the
 * goal is near.  task, nothing held. */
void gc_assist(uint64_t bytes);
bool gc_idle(struct p *p);              /* a P without tasks marks or sweeps a little; false: nothing to do.  On g0 */
bool gc_can_start(void);                /* this context may run a cycle */
extern uint32_t gc_cycles;              /* completed; relaxed */
uint64_t gc_memory_limit(void);         /* bytes: GOMEMLIMIT, or what the machine has */
struct mem_stats;
void gc_stats(struct mem_stats *m);     /* stop: sets the collector's figures in it */
uint64_t gc_goal(void);                 /* bytes; any */
void gc_goal_update(void);              /* stop: a setting has changed */

/* How long the world stood still for cycle n, and when that ended; of the last ones, at
 * n % GC_PAUSES.  Written in a stop. */
#define GC_PAUSES 256u
struct gc_pause_note {
	uint64_t ns, end;
};
extern struct gc_pause_note gc_pauses[GC_PAUSES];

/* What a cycle was like; times are plat_now()'s. */
struct gc_note {
	uint32_t number;
	bool forced;
	uint64_t start, end, stops[2];         /* stops: of the world, in ns */
	uint64_t heap_before, heap_after, live, goal;
};
extern void (*gc_noted)(const struct gc_note *n); /* NULL, or called at a cycle's end.  Stop */

/* mstats.c */
void in_stop(const char *why, void (*fn)(void *), void *arg); /* fn(arg) in a stop of the world.  task */

/* oom.c */
noreturn void heap_exhausted(size_t size);
/* NULL in programs that need none of it. */
extern struct oom_hooks {
	void (*out)(size_t size);           /* task; returns if it cannot panic */
	void (*collected)(void);            /* the heap was exhausted, and was collected.  task */
	void (*print_profile)(void);        /* nobody else runs */
} oom_hooks;

/* malloc.c */
extern uint32_t malloc_checks;          /* some allocation test mode is on */
void class_info_init(void);

/* gcmark.c */
void pool_cleanup(void);                /* stop: pool.c, drops what pools hold too long */
/* Marking, beside the running tasks:
 *   gc_mark_start    stop: resets the work state; the roots are work
 *   gc_mark_piece    a bounded piece of it; false: found nothing to do
 *   gc_mark_idle     no work is left and nobody has any
 *   gc_mark_last     stop: work is what was written (gctrack.c) and the globals; all: every
 *                    root once more; leaks: leak.c will follow; until: ns, see gc_mark_done
 *   gc_mark_worker   stop: all of it, on each core by stw_parallel()
 *   gc_mark_done     after that: it was complete before the time was over; else
 *                    what is left is work beside the tasks
 *   gc_mark_finish   stop: rescans after overflow; bytes marked */
void gc_mark_init(void);
void gc_mark_start(void);
bool gc_mark_piece(uint64_t bytes);
bool gc_mark_idle(void);
bool gc_mark_some(void);                /* a hint: there is work to take */
void gc_mark_last(bool all, bool leaks, uint64_t until);
bool gc_mark_done(void);
extern uint64_t gc_mark_bytes;          /* marked so far; relaxed */
void gc_mark_worker(void *unused);
uint64_t gc_mark_finish(void);
void gc_mark_tidy(void);                /* after a cycle: keeps a few buffers, frees the rest; nobody marks */
void gc_mark_leave(const struct g *g);  /* returns when nobody reads the stack of g, who is dead */
/* Calls fn for each word of the object that may be a pointer. */
void object_each_pointer(const struct object *o, void (*fn)(uintptr_t *slot, void *), void *arg);
/* Registers [base, base+len) as a root besides the globals; for ever.  system. */
void gc_add_root(void *base, size_t len);
void gc_verify_marks(void);             /* heapverify.c */
void gc_checkmark(void);                /* checkmark.c; stop: after gc_mark_finish() */
/* Checks after each cycle, in the variants with assertions. */
#if defined INGOT_DEBUG || defined INGOT_SABOTAGE
#define GC_CHECKS true
#else
#define GC_CHECKS false
#endif
extern uint64_t gc_stack_bytes, gc_global_bytes; /* scanned by the last cycle */

#endif
