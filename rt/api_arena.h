/* api_arena.h: arenas, memory that is freed at once (part of ingot.h).  Go's arena package.
 *
 *	arena *a = arena_new();
 *	struct node *n = arena_alloc(a, struct node);
 *	slice(int) s = arena_slice(a, int, 100);
 *	arena_free(a);
 *
 * What comes from an arena is zeroed, may point anywhere, and keeps alive what it
 * points to, like what comes from new(T).  An arena that is forgotten, not freed,
 * is collected once nothing points into it.
 *
 * After arena_free() none of it may be used.  A pointer that is left over points to
 * memory of this or a later arena, never to anything else; under GODEBUG=junkfill=1
 * freed arenas are filled with 0xdb and not used again while something points there,
 * so that a pointer read from one faults.  Using the arena itself panics.
 *
 * One task at a time uses an arena.  All calls are from a task. */
#ifndef INGOT_API_ARENA_H
#define INGOT_API_ARENA_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* Go: *arena.Arena. */
typedef struct arena arena;

/* An empty arena.  Go: arena.NewArena(). */
arena *arena_new(void);
/* Takes all that came from it; panics if that has been done.  Go: a.Free(). */
void arena_free(arena *a);
void *rt_arena_alloc(arena *a, int64_t n, const struct rt_type *type);

/* arena_alloc(a, T): a zeroed T, as T *.  Go: arena.New[T](a). */
#define arena_alloc(a, T) ((__typeof__(T) *)rt_arena_alloc((a), 1, RT_TYPE(T)))

/* arena_slice(a, T, n): n zeroed elements; panics when n is negative or too large.
 * append moves it to the heap when it outgrows n.  Go: arena.MakeSlice[T](a, n, n). */
#define arena_slice(a, T, n) \
	({ \
		int64_t rt_an = (int64_t)RT_CONV(int64_t, n); \
		struct slice_##T rt_as; \
		rt_as.ptr = rt_arena_alloc((a), rt_an, RT_TYPE(T)); \
		rt_as.len = rt_as.cap = (size_t)rt_an; \
		rt_as; \
	})

#endif
