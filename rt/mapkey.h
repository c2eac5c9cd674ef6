/* mapkey.h: hash and equality of keys by what kind they are, for the maps
 * (map.c, pmap.c).  Keys with functions of their own (RT_KEY_FUNC) are the
 * caller's matter. */
#ifndef RT_MAPKEY_H
#define RT_MAPKEY_H

#include "rt.h"
#include "hash.h"
#include "api_value.h"

/* -0 hashes like 0, each NaN at random. */
static inline uint64_t hash_float(double d, uint64_t seed)
{
	uint64_t u;

	if (d == 0)
		return hash_word(0, seed);
	if (d != d)
		return hash_word((uint64_t)rt_fastrand() << 32 | rt_fastrand(), seed);
	memcpy(&u, &d, 8);
	return hash_word(u, seed);
}

static inline uint64_t key_hash(const struct rt_map_type *t, const void *k, uint64_t seed)
{
	switch (t->kind) {
	case RT_KEY_STRING: {
		const string *s = k;
		return hash_bytes(s->ptr, s->len, seed);
	}
	case RT_KEY_FLOAT:
		return hash_float(*(const float *)k, seed);
	case RT_KEY_DOUBLE:
		return hash_float(*(const double *)k, seed);
	case RT_KEY_BYTES:
		if (t->key_size == 8)
			return hash_word(*(const uint64_t *)k, seed);
		if (t->key_size == 4)
			return hash_word(*(const uint32_t *)k, seed);
		return hash_bytes(k, t->key_size, seed);
	case RT_KEY_FUNC:
		break;
	}
	throw("map: bad key kind %d", (int)t->kind);
}

static inline bool key_equal(const struct rt_map_type *t, const void *a, const void *b)
{
	switch (t->kind) {
	case RT_KEY_STRING:
		return string_eq(*(const string *)a, *(const string *)b);
	case RT_KEY_FLOAT:
		return *(const float *)a == *(const float *)b;
	case RT_KEY_DOUBLE:
		return *(const double *)a == *(const double *)b;
	case RT_KEY_BYTES:
		return memcmp(a, b, t->key_size) == 0;
	case RT_KEY_FUNC:
		break;
	}
	throw("map: bad key kind %d", (int)t->kind);
}

#endif
