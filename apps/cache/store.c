/* store.c: the keys, in shards with a lock each.
 *
 * A shard has its entries in a map and in an array, from which eviction and
 * expiry take their samples and SCAN its pages.  Values are strings and never
 * change, so a reply may use one after the lock is gone.
 *
 * Eviction is Redis' allkeys-lru: of some keys drawn at random the one whose
 * last use is longest ago. */
#include "cache.h"

#define SAMPLES 8
#define TICK (100 * Millisecond) /* of the expirer */
#define BATCH 32                 /* keys of a shard in one tick */
#define PER_KEY 64               /* of map and array */

struct store store;
static uint64 seed;
static int64 with_expiry; /* keys; atomic */
static chan(bool) wake_expirer;

int64 now_ms(void)
{
	return nanotime() / Millisecond;
}

shard *shard_of(string key)
{
	return &store.shards[string_hash(key, seed) % NSHARDS];
}

uint64 shards_lock(slice(string) a, size_t step)
{
	uint64 set = 0;

	for (size_t i = 0; i < len(a); i += step)
		set |= (uint64)1 << (shard_of(at(a, i)) - store.shards);
	for (size_t i = 0; i < NSHARDS; i++)
		if (set >> i & 1)
			mutex_lock(&store.shards[i].lock);
	return set;
}

void shards_unlock(uint64 set)
{
	for (size_t i = 0; i < NSHARDS; i++)
		if (set >> i & 1)
			mutex_unlock(&store.shards[i].lock);
}

static int64 size_of(string key, string value)
{
	return (int64)(rt_malloc_size(sizeof(entry)) + rt_malloc_size(len(key)) + rt_malloc_size(len(value)) + PER_KEY);
}

/* Takes e out of its shard. */
static void drop(shard *s, entry *e)
{
	entry *last = at(s->all, len(s->all) - 1);

	store_expire(s, e, 0);
	at(s->all, e->index) = last;
	last->index = e->index;
	at(s->all, len(s->all) - 1) = NULL;
	s->all = slice_to(s->all, len(s->all) - 1);
	delete(s->map, e->key);
	atomic_add(&store.bytes, -size_of(e->key, e->value));
}

static bool drop_expired(shard *s, entry *e)
{
	if (!e->expires || e->expires > now_ms())
		return false;
	s->expired++;
	drop(s, e);
	return true;
}

entry *store_find(shard *s, string key)
{
	entry *e = map_get(s->map, key);

	if (!e || drop_expired(s, e)) {
		s->misses++;
		return NULL;
	}
	s->hits++;
	e->used = (uint32)now_ms();
	return e;
}

bool store_fits(string key, string value)
{
	return size_of(key, value) <= atomic_load(&store.limit);
}

bool store_set(shard *s, string key, string value, int64 expires)
{
	entry *e = map_get(s->map, key);

	if (!store_fits(key, value))
		return false;
	atomic_add(&store.bytes, size_of(key, value) - (e ? size_of(e->key, e->value) : 0));
	if (!e) {
		e = new(entry, .key = string_of(key), .index = (uint32)len(s->all));
		s->all = append(s->all, e);
		map_set(s->map, e->key, e);
	}
	e->value = string_of(value);
	e->used = (uint32)now_ms();
	store_expire(s, e, expires);
	return true;
}

void store_expire(shard *s, entry *e, int64 expires)
{
	int64 more = (expires != 0) - (e->expires != 0);

	e->expires = expires;
	s->with_expiry += more;
	if (more && atomic_add(&with_expiry, more) == 1 && more > 0)
		select {
			case_send(wake_expirer, true) {}
			case_default {}
		}
}

bool store_delete(shard *s, string key)
{
	entry *e = map_get(s->map, key);

	if (!e || drop_expired(s, e))
		return false;
	drop(s, e);
	return true;
}

void store_evict(void)
{
	while (atomic_load(&store.bytes) > atomic_load(&store.limit)) {
		shard *from = NULL;
		entry *oldest = NULL;
		uint32 age = 0, now = (uint32)now_ms();

		for (int i = 0; i < SAMPLES; i++) {
			shard *s = &store.shards[rand_int_n(NSHARDS)];

			mutex_lock(&s->lock);
			entry *e = len(s->all) ? at(s->all, rand_int_n((int64)len(s->all))) : NULL;
			if (e && (!oldest || now - e->used > age)) {
				from = s;
				oldest = e;
				age = now - e->used;
			}
			mutex_unlock(&s->lock);
		}
		if (!from)
			continue;
		mutex_lock(&from->lock);
		if (map_get(from->map, oldest->key) == oldest) {
			from->evicted++;
			drop(from, oldest);
		}
		mutex_unlock(&from->lock);
	}
}

void store_clear(void)
{
	for (shard *s = store.shards; s < store.shards + NSHARDS; s++) {
		mutex_lock(&s->lock);
		while (len(s->all))
			drop(s, at(s->all, len(s->all) - 1));
		mutex_unlock(&s->lock);
	}
}

/* cursor: the shard + 1, and above 16 bits how many of its keys are still to come
 * (0: all).  From the end down: a removed key's place is taken by the last, which
 * was given already. */
slice(string) store_scan(uint64 *cursor, int64 count)
{
	slice(string) keys = {};
	size_t i = *cursor ? (*cursor & 0xffff) - 1 : 0, n = *cursor >> 16;

	for (; i < NSHARDS && (int64)len(keys) < count; i++, n = 0) {
		shard *s = &store.shards[i];

		mutex_lock(&s->lock);
		if (!n || n > len(s->all))
			n = len(s->all);
		for (; n && (int64)len(keys) < count; n--) {
			entry *e = at(s->all, n - 1);

			if (!drop_expired(s, e))
				keys = append(keys, e->key);
		}
		mutex_unlock(&s->lock);
		if (n)
			break;
	}
	*cursor = i < NSHARDS ? (uint64)n << 16 | (i + 1) : 0;
	return keys;
}

/* Keys that nobody asks for any more.  Sleeps while none has an expiry. */
static void expirer(void)
{
	for (;;) {
		if (!atomic_load(&with_expiry))
			recv(wake_expirer);
		sleep(TICK);
		for (shard *s = store.shards; s < store.shards + NSHARDS; s++) {
			size_t gone;

			do {
				gone = 0;
				mutex_lock(&s->lock);
				for (size_t i = 0; i < BATCH && s->with_expiry; i++) {
					if (s->sweep >= len(s->all))
						s->sweep = 0;
					if (drop_expired(s, at(s->all, s->sweep)))
						gone++;
					else
						s->sweep++;
				}
				mutex_unlock(&s->lock);
			} while (gone > BATCH / 4);
		}
	}
}

void store_start(int64 limit)
{
	store.limit = limit;
	seed = maphash_make_seed();
	for (shard *s = store.shards; s < store.shards + NSHARDS; s++)
		s->map = make_map(string, entry_ptr);
	wake_expirer = make_chan(bool, 1);
	go(expirer);
}
