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

/* A collection's stops of the world together, in ns, and when the last of them ended, by nanotime(). */
typedef struct gc_pause {
	int64 ns, end;
} gc_pause;
declare_slice(gc_pause);

/* Those of the last collections, up to 256, the newest first.  Stops the world.  task.
 * Go: debug.ReadGCStats; PauseNs and PauseEnd of MemStats. */
slice(gc_pause) read_gc_pauses(void);

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

/* ---- single objects ----------------------------------------------------------------- */

/* What why_alive() found. */
enum alive {
	ALIVE_NOT_IN_HEAP, /* no object of the heap */
	ALIVE_UNREACHABLE, /* the next collection may take it once the caller lets go */
	ALIVE_REACHED,
	ALIVE_UNKNOWN,     /* there was not enough memory to look */
};

/* why_alive(p): prints, on the console, a shortest chain of pointers that keeps p's
 * object alive: the root (a global by name, a task's stack by function, a register, a
 * timer, a finalizer), then each object with the offset of the pointer in the one before:
 *
 *	why_alive(0x7000012340): global cache+16
 *	    -> object 0x7000012000, 64 bytes
 *	    +24 -> object 0x7000012340, 48 bytes, allocated by load main.c:42
 *
 * Pointers of the calling task itself to it do not count.  Who allocated it is known when
 * a profile has sampled it: set_mem_profile_rate(1) samples all.  Stops the world for
 * as long as a collection's marking takes on one core, or more.  task.  Go: no such thing
 * (viewcore of a heap dump). */
enum alive why_alive(const volatile void *p);

/* heap_dump(): writes each object of the heap to the console, a line each, "address size
 * +offset->address ..." with the objects that it points to, then their number.  Stops
 * the world meanwhile.  task.  Go: debug.WriteHeapDump. */
void heap_dump(void);

#endif
