/* syncmap.c: maps for many tasks.
 *
 * Such a map is a fixed number of shards, each a plain map (map.c) with a
 * lock for readers and writers; a key's hash says which.  Why not Go's designs:
 * its first one (a map for reading, another one for what is new) makes loads of
 * settled keys free of locks but copies the whole map again and again while
 * keys come and go, and keeps each value behind a pointer of its own; its
 * second one (a trie of hashes, Go 1.24) allocates a node for each entry and
 * needs the collector to make the nodes' reuse safe.  Shards cost two atomics a
 * load on a line that only tasks at the same shard share, allocate nothing for
 * an entry, hold values in place, and every operation has one obvious place
 * where it happens: inside the lock.
 *
 * Invariants: an entry is in the shard of its key's hash; a shard's map is
 * touched with its lock only.  No call of the program's runs with a lock held:
 * a walk copies a shard's entries and lets go. */
#include "rt.h"
#include "type.h"
#include "hash.h"
#include "api_value.h"
#include "api_sync.h"
#include "api_syncmap.h"

struct shard {
	rwmutex mu;
	struct rt_map *map; /* NULL: nothing was stored yet */
} __attribute__((aligned(CACHE_LINE)));

struct rt_sync_map {
	const struct rt_map_type *type;
	const struct rt_type *group_type, *slot_type;
	uint64_t seed;
	unsigned shift;       /* hash >> shift is the shard */
	size_t nshards;       /* a power of two */
	struct shard *shards;
};

struct rt_sync_map *rt_make_sync_map(const struct rt_map_type *t, const struct rt_type *group,
                                     const struct rt_type *slot)
{
	struct rt_sync_map *m = rt_malloc(sizeof *m, RT_TYPE(struct rt_sync_map));
	m->type = t;
	m->group_type = group;
	m->slot_type = slot;
	m->seed = (uint64_t)rt_fastrand() << 32 | rt_fastrand();
	m->nshards = 8;
	m->shift = 64 - 3;
	while (m->nshards < 4ul * plat_ncores) {
		m->nshards *= 2;
		m->shift--;
	}
	m->shards = rt_malloc(m->nshards * sizeof *m->shards, RT_TYPE(struct shard));
	return m;
}

static struct shard *shard_of(const struct rt_sync_map *m, const void *k)
{
	const string *s = k;
	uint64_t h = m->type->kind == RT_KEY_STRING ? hash_bytes(s->ptr, s->len, m->seed)
	                                            : hash_bytes(k, m->type->key_size, m->seed);
	return &m->shards[h >> m->shift];
}

/* Gives *v what is at p, or zero. */
static bool give(const struct rt_sync_map *m, void *v, const void *p)
{
	if (v && p)
		memcpy(v, p, m->type->val_size);
	else if (v)
		memset(v, 0, m->type->val_size);
	return p != NULL;
}

static void put(const struct rt_sync_map *m, struct shard *s, const void *k, const void *v)
{
	if (!s->map)
		s->map = rt_makemap(m->type, m->group_type, 0);
	memcpy(rt_map_assign(s->map, k), v, m->type->val_size);
}

bool rt_sync_map_load(struct rt_sync_map *m, const void *k, void *v)
{
	struct shard *s = shard_of(m, k);
	rwmutex_rlock(&s->mu);
	bool ok = give(m, v, rt_map_find(s->map, k));
	rwmutex_runlock(&s->mu);
	return ok;
}

bool rt_sync_map_swap(struct rt_sync_map *m, const void *k, const void *v, void *old)
{
	struct shard *s = shard_of(m, k);
	rwmutex_lock(&s->mu);
	void *p = rt_map_find(s->map, k);
	bool ok = give(m, old, p);
	if (p)
		memcpy(p, v, m->type->val_size);
	else
		put(m, s, k, v);
	rwmutex_unlock(&s->mu);
	return ok;
}

bool rt_sync_map_load_or_store(struct rt_sync_map *m, const void *k, const void *v, void *actual)
{
	if (rt_sync_map_load(m, k, actual)) /* the usual case: with the other readers */
		return true;
	struct shard *s = shard_of(m, k);
	rwmutex_lock(&s->mu);
	void *p = rt_map_find(s->map, k);
	if (!p)
		put(m, s, k, v);
	give(m, actual, p ? p : v);
	rwmutex_unlock(&s->mu);
	return p != NULL;
}

bool rt_sync_map_delete(struct rt_sync_map *m, const void *k, void *old)
{
	struct shard *s = shard_of(m, k);
	rwmutex_lock(&s->mu);
	bool ok = give(m, old, rt_map_find(s->map, k));
	if (ok)
		rt_map_delete(s->map, k);
	rwmutex_unlock(&s->mu);
	return ok;
}

/* new NULL: deletes. */
bool rt_sync_map_compare(struct rt_sync_map *m, const void *k, const void *old, const void *new,
                         bool strings)
{
	struct shard *s = shard_of(m, k);
	rwmutex_lock(&s->mu);
	void *p = rt_map_find(s->map, k);
	const string *a = p, *b = old;
	bool ok = p && (strings ? a->len == b->len && (a->len == 0 || memcmp(a->ptr, b->ptr, a->len) == 0)
	                        : memcmp(p, old, m->type->val_size) == 0);
	if (ok && new)
		memcpy(p, new, m->type->val_size);
	else if (ok)
		rt_map_delete(s->map, k);
	rwmutex_unlock(&s->mu);
	return ok;
}

/* One moment for the whole map: all locks, in their order. */
void rt_sync_map_clear(struct rt_sync_map *m)
{
	for (size_t i = 0; i < m->nshards; i++)
		rwmutex_lock(&m->shards[i].mu);
	for (size_t i = 0; i < m->nshards; i++) {
		m->shards[i].map = NULL;
		rwmutex_unlock(&m->shards[i].mu);
	}
}

/* Copies the next shard that has entries; false at the end. */
static bool next_shard(struct rt_sync_map_iter *it)
{
	const struct rt_map_type *t = it->m->type;
	it->n = it->at = 0;
	while (it->n == 0 && it->shard < it->m->nshards) {
		struct shard *s = &it->m->shards[it->shard++];
		rwmutex_rlock(&s->mu);
		size_t n = rt_map_len(s->map);
		if (n) {
			it->slots = rt_malloc(n * t->slot_size, it->m->slot_type);
			struct rt_map_iter in = rt_map_iter(s->map);
			while (it->n < n && rt_map_next(&in)) {
				char *slot = it->slots + it->n++ * t->slot_size;
				memcpy(slot, in.key, t->key_size);
				memcpy(slot + t->val_off, in.val, t->val_size);
				in.broke = false;
			}
		}
		rwmutex_runlock(&s->mu);
	}
	return it->n != 0;
}

bool rt_sync_map_next(struct rt_sync_map_iter *it)
{
	if (it->broke || (it->at == it->n && !next_shard(it)))
		return false;
	char *slot = it->slots + it->at++ * it->m->type->slot_size;
	it->key = slot;
	it->val = slot + it->m->type->val_off;
	it->run = it->broke = true;
	return true;
}
