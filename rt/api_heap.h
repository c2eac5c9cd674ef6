/* api_heap.h: what is in the heap, and why (part of ingot.h).
 *
 * Figures as such are in api_mem.h (read_mem_stats). */
#ifndef INGOT_API_HEAP_H
#define INGOT_API_HEAP_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* Objects of one size class, with or without pointers, since the start and now. */
typedef struct class_stats {
	uint32_t size;            /* bytes of an object; 0: large ones, of any size */
	bool noscan;              /* they hold no pointers */
	uint64_t mallocs, frees;  /* frees up to the last sweep */
	uint64_t objects;         /* allocated and not yet swept */
	uint64_t spans, bytes;    /* in use for them now */
	uint64_t waste;           /* of these bytes, those in no object */
} class_stats;
declare_slice(class_stats);

/* The classes that were ever used, small ones first.  Stops the world.  task.
 * Go: MemStats.BySize. */
slice(class_stats) read_class_stats(void);

/* ---- the allocation profile ----------------------------------------------------- */

/* Samples one allocation for each so many bytes, on average; 1: every one; 0: none, as
 * at the start.  Go's default is 524288.  Returns the former rate.  What was
 * sampled stays in the profile.  task.  Go: runtime.MemProfileRate. */
size_t set_mem_profile_rate(size_t bytes);

/* What the samples of one stack and size amount to, as of the last collection that is
 * swept (gc() completes one).  Go: runtime.MemProfileRecord. */
typedef struct mem_profile_record {
	uint64_t size;                        /* bytes of each object */
	uint64_t alloc_objects, alloc_bytes;  /* sampled since the start */
	uint64_t free_objects, free_bytes;    /* those of them that were freed */
	const uintptr_t *stack;               /* return addresses, innermost (the allocator's own)
	                                       * first; live for ever */
	size_t nstack;
} mem_profile_record;
declare_slice(mem_profile_record);

/* The records of all stacks; those of which nothing lives only with inuse_zero.
 * task.  Go: runtime.MemProfile. */
slice(mem_profile_record) read_mem_profile(bool inuse_zero);
/* How many objects of that size one sampled one stands for, at the present rate.  any */
double mem_profile_scale(size_t size);

#endif
