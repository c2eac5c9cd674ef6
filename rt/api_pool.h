/* api_pool.h: pools of objects for reuse (part of ingot.h).  Go's sync.Pool.
 *
 * A pool keeps objects between uses to save allocations.  It may drop any of
 * them at any time, and what lies in it unused for two collections is
 * collected.  What comes out is as it was put in; clear it if that matters.
 *
 *	static struct buffer *new_buffer(void) { return new(struct buffer); }
 *	pool(struct buffer) free_buffers = make_pool(struct buffer, new_buffer);
 *	struct buffer *b = pool_get(free_buffers);
 *	pool_put(free_buffers, b);
 *
 * Many tasks may use one.  All calls are from a task. */
#ifndef INGOT_API_POOL_H
#define INGOT_API_POOL_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

struct rt_pool;

/* The type of pools of T objects, a pointer; copies are the same pool. */
#define pool(T) __typeof__(__typeof__(T) *(**)(struct rt_pool *))
/* T * of a pool. */
#define RT_POOL_PTR(p) __typeof__((*(p))((struct rt_pool *)0))

struct rt_pool *rt_make_pool(void *(*make)(void));
void *rt_pool_get(struct rt_pool *p);
void rt_pool_put(struct rt_pool *p, void *x);

/* make_pool(T, f): an empty pool of T objects; f, a T *(*)(void), makes one
 * when there is none, or is NULL.  Go: sync.Pool{New: f}. */
#define make_pool(T, f) \
	({ \
		__typeof__(T) *(*rt_po_f)(void) = (f); \
		(pool(T))rt_make_pool((void *(*)(void))rt_po_f); \
	})

/* pool_get(p): takes an object out, or makes one; NULL when there is none and
 * the pool cannot make any.  Go: p.Get(). */
#define pool_get(p) \
	({ \
		__auto_type rt_po = (p); \
		(RT_POOL_PTR(rt_po))rt_pool_get((struct rt_pool *)rt_po); \
	})

/* pool_put(p, x): gives x to the pool; the caller does not use it any more.
 * NULL is ignored.  Go: p.Put(x). */
#define pool_put(p, x) \
	({ \
		__auto_type rt_po = (p); \
		RT_POOL_PTR(rt_po) rt_po_x = (x); \
		rt_pool_put((struct rt_pool *)rt_po, rt_po_x); \
	})

#endif
