/* api_mem.h: memory, the part of ingot.h about new and the collector.
 *
 *   new(T)            zeroed T, collected                       Go's new(T)
 *   new(T, .a = 1)    the same with these members set           Go's &T{a: 1}
 *   rt_make(T, n)     zeroed array of n T
 *   gc()              a full collection                         runtime.GC()
 *   free_os_memory()  and all free memory back to the host      debug.FreeOSMemory()
 *   compact_stacks()  memory of parked tasks back, at once; Go: no such thing
 *   read_mem_stats    Go's runtime.ReadMemStats, the fields that mean something here
 *   set_gc_percent    debug.SetGCPercent: returns the old value, -1 off
 *   set_memory_limit  debug.SetMemoryLimit
 * Memory is freed by nobody but the collector. */
#ifndef API_MEM_H
#define API_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "type.h"

/* Zeroed memory for size bytes of elements described by the type (NULL: unknown
 * content).  Never NULL; out of memory ends the image.  task. */
void *rt_malloc(size_t size, const struct rt_type *type);
/* rt_malloc(type->size, type), quicker. */
void *rt_new(const struct rt_type *type);
/* rt_malloc, but NULL when memory is exhausted even after a collection. */
void *rt_malloc_may_fail(size_t size, const struct rt_type *type);
/* rt_malloc(n * type->size), with a check of the product.  task. */
void *rt_malloc_array(size_t n, const struct rt_type *type);
extern const struct rt_type rt_type_noscan;

/* new(T): a zeroed T on the heap, as T *.  new(T, .a = 1): with these members set, up to
 * 16.  Never NULL.  task.  Go: new(T), &T{a: 1}. */
#define new(T, ...) RT_NEW_PICK(T, ##__VA_ARGS__, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, \
	RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, \
	RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_INIT, RT_NEW_ZERO) \
	(T, ##__VA_ARGS__)
/* The 18th argument tells `new(T)` from `new(T, ...)`, up to 16 members. */
#define RT_NEW_PICK(T, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, name, ...) name
#define RT_NEW_ZERO(T) ((__typeof__(T) *)rt_new(RT_TYPE(T)))
#define RT_NEW_INIT(T, ...) \
	({ \
		__typeof__(T) *rt_new_ = rt_new(RT_TYPE(T)); \
		*rt_new_ = (__typeof__(T)){ __VA_ARGS__ }; \
		rt_new_; \
	})
#define rt_make(T, n) ((__typeof__(T) *)rt_malloc_array((n), RT_TYPE(T)))

/* Gives back the stack pages of all tasks that are parked now; each gets one
 * again when it, or another task, touches its stack.  The runtime does so by
 * itself with tasks that stay parked for some seconds (GODEBUG=stackfreeze).
 * Returns the bytes given back, before what the copies take; -1 if this machine
 * cannot.  task */
int64_t compact_stacks(void);

/* The number of memory nodes of the machine (1: all memory is equally far); the one that holds the
 * object at p, the one near to the core that runs the task now.  What a task allocates
 * comes from there while there is any, but small objects may reuse any node's. */
int num_nodes(void);
int memory_node(const void *p);
int core_node(void);

/* A full collection, swept when it returns; objects that die by it are free then.
 * task.  Go: runtime.GC(). */
void gc(void);
/* Collects, and gives every free page back to the host where it takes them: on metal by
 * virtio-balloon with free page reporting, which is looked for at the first call; from
 * then on memory also goes back in the background.  task.  Go: debug.FreeOSMemory */
void free_os_memory(void);
/* GOGC from now on; negative: off.  Returns the former one.  task */
int set_gc_percent(int percent);
/* GOMEMLIMIT from now on, in bytes, INT64_MAX: none; negative: only asks.  Returns the
 * former one.  A limit below what is live makes collections frequent, not endless: each
 * leaves room for a sixteenth more.  task */
int64_t set_memory_limit(int64_t bytes);
/* What happens when an allocation finds no memory, after a collection and a report:
 * true: that task panics ("runtime error: out of memory: ..."), which it may recover
 * from; false, as at the start: the image ends with status 2.  It ends all the same
 * when memory for the panic itself is out, or the task is inside the runtime.  Returns
 * the former setting.  task.  Go: no such thing. */
bool set_panic_on_out_of_memory(bool on);
/* Checks the whole heap's invariants with the world stopped; ends the image with
 * a report if one is broken.  For tests. */
void gc_verify(void);
/* What an allocation of size bytes really gets. */
size_t rt_malloc_size(size_t size);
/* The start of the object that p points into and its size (may be NULL), or NULL. */
void *rt_object_base(const void *p, size_t *size);

/* The number of bytes, objects, cycles or nanoseconds, under Go's names. */
struct mem_stats {
	uint64_t total_alloc, mallocs, frees; /* since the start, frees up to the last sweep */
	uint64_t heap_alloc, heap_objects;    /* allocated and not yet swept */
	uint64_t heap_inuse, heap_idle, heap_sys; /* bytes of spans, of free pages, taken into use */
	uint64_t heap_released;               /* of heap_idle: given back to the host */
	uint64_t heap_live;                   /* marked by the last collection */
	uint64_t stack_inuse, other_sys, sys;
	uint64_t mspan_inuse, mcache_inuse;   /* parts of other_sys */
	uint64_t next_gc, last_gc, pause_total_ns;
	uint64_t frozen_tasks, frozen_bytes;  /* parked without a stack page; memory of their copies */
	uint64_t freezes, thaws;              /* pages, since the start */
	uint64_t freeze_pause_max_ns;         /* longest stop of the world for freezing */
	uint64_t gc_cpu_ns;                   /* the cores' time that collections took, but that of idle ones */
	double gc_cpu_fraction;               /* of all cores' time up to the last collection */
	uint32_t num_gc, num_forced_gc;
	uint32_t limiter_last_enabled;        /* the last collection that was kept to half of the time while
	                                       * the heap passed its goal, 0: none.  Go: runtime/metrics
	                                       * /gc/limiter/last-enabled:gc-cycle */
	bool enable_gc;                       /* GOGC is not off */
};
void read_mem_stats(struct mem_stats *m); /* stops the world.  task */

#endif
