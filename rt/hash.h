/* hash.h: the hash of maps and strings.  A folded 64 x 64 -> 128 bit multiply
 * (the step of wyhash, public domain, whose constants these are), seeded. */
#ifndef RT_HASH_H
#define RT_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_K0 0xa0761d6478bd642full
#define HASH_K1 0xe7037ed1a0b428dbull
#define HASH_K2 0x8ebc6af09c88c6e3ull

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t hash_word(uint64_t k, uint64_t seed)
{
	return hash_mix(k ^ seed, HASH_K1);
}

static inline uint64_t hash_load8(const char *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, 8);
	return v;
}

static inline uint64_t hash_load4(const char *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, 4);
	return v;
}

/* hash_bytes() of 8 to 16 bytes: the first and the last 8. */
static inline uint64_t hash_two_words(uint64_t a, uint64_t b, size_t n, uint64_t seed)
{
	return hash_mix(HASH_K1 ^ n, hash_mix(a ^ HASH_K1, b ^ seed ^ HASH_K0));
}

/* n bytes at p. */
static inline uint64_t hash_bytes(const void *data, size_t n, uint64_t seed)
{
	const char *p = data;
	uint64_t a, b, h = seed ^ HASH_K0;
	size_t left = n;

	if (n <= 16) {
		if (n >= 8) {
			a = hash_load8(p);
			b = hash_load8(p + n - 8);
		} else if (n >= 4) {
			a = hash_load4(p);
			b = hash_load4(p + n - 4);
		} else if (n) {
			a = (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[n >> 1] << 8 | (uint8_t)p[n - 1];
			b = 0;
		} else {
			a = b = 0;
		}
		return hash_mix(HASH_K1 ^ n, hash_mix(a ^ HASH_K1, b ^ h));
	}
	for (; left > 32; left -= 32, p += 32) {
		uint64_t g = hash_mix(hash_load8(p) ^ HASH_K1, hash_load8(p + 8) ^ h);

		h = g ^ hash_mix(hash_load8(p + 16) ^ HASH_K2, hash_load8(p + 24) ^ h);
	}
	for (; left > 16; left -= 16, p += 16)
		h = hash_mix(hash_load8(p) ^ HASH_K1, hash_load8(p + 8) ^ h);
	a = hash_load8(p + left - 16);
	b = hash_load8(p + left - 8);
	return hash_mix(HASH_K1 ^ n, hash_mix(a ^ HASH_K1, b ^ h));
}

#endif
