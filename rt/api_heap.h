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

#endif
