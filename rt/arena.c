/* arena.c: memory that is freed at once.  After Go's runtime/arena.go.
 *
 * An arena cuts its objects off chunks of 64 KiB, one for types with pointers and
 * one for those without.  To the collector a chunk is an ordinary object, scanned
 * conservatively or not at all: so whatever points into it keeps it, and it goes
 * when nothing does, whether its arena was freed or forgotten.
 *
 * arena_free() clears what was used of the chunks and puts them into a pool, from
 * which the next arena takes them: no collection is needed for that, and the pool
 * gives back what is not used for two collections.  (Go unmaps a freed chunk until a
 * collection finds no pointer to it.  Here that is what junkfill does, by junk.)
 * What is larger than a quarter of a chunk is an object of its own.
 *
 * Invariant: a chunk in a pool is zero. */
#include "rt.h"
#include "type.h"
#include "api_value.h"
#include "api_mem.h"
#include "api_pool.h"
#include "api_arena.h"

#define CHUNK ((size_t)64 << 10)
#define CHUNK_ROOM (CHUNK - 16) /* an end pointer still points into it */

struct arena_chunk {
	struct arena_chunk *next;
	char *mem;
	size_t used; /* bytes that may not be zero; of the chunk in hand, when it is left */
	bool noscan, own; /* own: one large object */
};

struct arena_part {
	char *next, *end; /* of the chunk in hand, or NULL */
	struct arena_chunk *chunk;
};

struct arena {
	struct arena_part part[2]; /* [1]: noscan */
	struct arena_chunk *chunks;
	bool freed;
};

static struct rt_pool *chunk_pool[2]; /* each made once, by CAS */

static struct rt_pool *pool_of(bool noscan)
{
	struct rt_pool *p = at_load_acq(&chunk_pool[noscan]), *none = NULL;
	if (p)
		return p;
	p = rt_make_pool(NULL);
	return at_cas(&chunk_pool[noscan], &none, p) ? p : none;
}

arena *arena_new(void)
{
	return new(arena);
}

static struct arena_chunk *chunk_new(arena *a, size_t size, bool noscan, bool own)
{
	struct arena_chunk *c = own ? NULL : rt_pool_get(pool_of(noscan));
	if (c == NULL) {
		c = new(struct arena_chunk);
		c->mem = rt_malloc(size, noscan ? &rt_type_noscan : NULL);
		c->noscan = noscan;
		c->own = own;
	}
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

static NOINLINE void *alloc_slow(arena *a, size_t size, const struct rt_type *type)
{
	bool noscan = type->flags & RT_TYPE_NOSCAN;
	if (a->freed)
		rt_panic("arena use after free");
	if (type->align > 16)
		rt_panic("arena: alignment %u is not supported", type->align);
	if (size == 0)
		return rt_malloc(0, type);
	if (size > CHUNK / 4) {
		struct arena_chunk *c = chunk_new(a, size, noscan, true);
		c->used = size;
		return c->mem;
	}
	struct arena_part *part = &a->part[noscan];
	if (part->chunk)
		part->chunk->used = (size_t)(part->next - part->chunk->mem);
	struct arena_chunk *c = chunk_new(a, CHUNK_ROOM, noscan, false);
	*part = (struct arena_part){ c->mem + size, c->mem + CHUNK_ROOM, c };
	return c->mem;
}

void *rt_arena_alloc(arena *a, int64_t n, const struct rt_type *type)
{
	size_t size;
	if (unlikely(n < 0 || __builtin_mul_overflow((size_t)n, type->size, &size) || (ptrdiff_t)size < 0))
		rt_panic("runtime error: makeslice: len out of range");
	if (unlikely(a == NULL))
		rt_panic("runtime error: invalid memory address or nil pointer dereference");
	struct arena_part *part = &a->part[type->flags & RT_TYPE_NOSCAN ? 1 : 0];
	uintptr_t p = ((uintptr_t)part->next + type->align - 1) & -(uintptr_t)type->align;
	if (unlikely(size - 1 >= (uintptr_t)part->end - p || p >= (uintptr_t)part->end || type->align > 16))
		return alloc_slow(a, size, type);
	part->next = (char *)p + size;
	return (void *)p;
}

void arena_free(arena *a)
{
	if (a == NULL)
		rt_panic("runtime error: invalid memory address or nil pointer dereference");
	if (a->freed)
		rt_panic("arena double free");
	a->freed = true;
	for (unsigned i = 0; i < 2; i++) {
		struct arena_part *part = &a->part[i];
		if (part->chunk)
			part->chunk->used = (size_t)(part->next - part->chunk->mem);
		*part = (struct arena_part){ 0 };
	}
	struct arena_chunk *next;
	for (struct arena_chunk *c = a->chunks; c; c = next) {
		next = c->next;
		c->next = NULL;
		if (unlikely(rt_settings.junkfill)) {
			memset(c->mem, 0xdb, c->used);
		} else if (!c->own) {
			memset(c->mem, 0, c->used);
			rt_pool_put(pool_of(c->noscan), c);
		}
	}
	a->chunks = NULL;
}
