/* digest.c: SHA-256, SHA-1 and MD5 (FIPS 180-4, RFC 1321).
 *
 * All three work on blocks of 64 bytes and end with a 1 bit, zeros and the
 * length in bits; they differ in the block function and the order of bytes. */
#include "rt.h"
#include "api_value.h"
#include "api_hash.h"

typedef void block_fn(uint32_t h[8], const byte *p);

static inline uint32_t rotl(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

static inline uint32_t rotr(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static inline uint32_t load_le(const byte *p)
{
	uint32_t x;

	memcpy(&x, p, 4);
	return x;
}

static inline uint32_t load_be(const byte *p)
{
	return __builtin_bswap32(load_le(p));
}

static void sha256_block(uint32_t h[8], const byte *p)
{
	/* The first 32 bits of the fractions of the cube roots of the first 64 primes. */
	static const uint32_t k[64] = {
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
	};
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++)
		w[i] = load_be(p + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + (rotr(x, 7) ^ rotr(x, 18) ^ x >> 3) + w[i - 7] +
		       (rotr(y, 17) ^ rotr(y, 19) ^ y >> 10);
	}
	memcpy(s, h, sizeof s);
	for (int i = 0; i < 64; i++) {
		uint32_t e = s[4], a = s[0];
		uint32_t t1 = s[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & s[5]) ^ (~e & s[6])) +
		              k[i] + w[i];
		uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
		              ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

static void sha1_block(uint32_t h[8], const byte *p)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (int i = 0; i < 16; i++)
		w[i] = load_be(p + 4 * i);
	for (int i = 16; i < 80; i++)
		w[i] = rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f, k, t;

		if (i < 20) {
			f = (b & c) | (~b & d);
			k = 0x5a827999;
		} else if (i < 40) {
			f = b ^ c ^ d;
			k = 0x6ed9eba1;
		} else if (i < 60) {
			f = (b & c) | (b & d) | (c & d);
			k = 0x8f1bbcdc;
		} else {
			f = b ^ c ^ d;
			k = 0xca62c1d6;
		}
		t = rotl(a, 5) + f + e + k + w[i];
		e = d;
		d = c;
		c = rotl(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

static void md5_block(uint32_t h[8], const byte *p)
{
	/* floor(2^32 * |sin(i + 1)|) */
	static const uint32_t k[64] = {
		0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
		0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
		0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
		0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
		0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
		0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
		0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
		0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391
	};
	static const byte turn[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } };
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3];

	for (int i = 0; i < 64; i++) {
		uint32_t f, t;
		int g;

		if (i < 16) {
			f = (b & c) | (~b & d);
			g = i;
		} else if (i < 32) {
			f = (d & b) | (~d & c);
			g = (5 * i + 1) & 15;
		} else if (i < 48) {
			f = b ^ c ^ d;
			g = (3 * i + 5) & 15;
		} else {
			f = c ^ (b | ~d);
			g = (7 * i) & 15;
		}
		t = a + f + k[i] + load_le(p + 4 * g);
		a = d;
		d = c;
		c = b;
		b += rotl(t, turn[i / 16][i & 3]);
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
}

static void write(struct rt_digest *d, const byte *p, size_t n, block_fn *block)
{
	size_t have = d->n & 63;

	if (n == 0) /* p may be NULL */
		return;
	d->n += n;
	if (have) {
		size_t take = n < 64 - have ? n : 64 - have;

		memcpy(d->block + have, p, take);
		p += take;
		n -= take;
		if (have + take < 64)
			return;
		block(d->h, d->block);
	}
	for (; n >= 64; n -= 64, p += 64)
		block(d->h, p);
	if (n)
		memcpy(d->block, p, n);
}

/* The digest of what came so far, `words` of h, in the given order of bytes. */
static void sum(const struct rt_digest *so_far, byte *out, int words, bool big_endian, block_fn *block)
{
	static const byte end[64] = { 0x80 };
	struct rt_digest d = *so_far;
	uint64_t bits = d.n * 8;

	if (big_endian)
		bits = __builtin_bswap64(bits);
	write(&d, end, 1 + ((55 - d.n) & 63), block);
	write(&d, (const byte *)&bits, 8, block);
	for (int i = 0; i < words; i++) {
		uint32_t x = big_endian ? __builtin_bswap32(d.h[i]) : d.h[i];

		memcpy(out + 4 * i, &x, 4);
	}
}

#define DIGEST(name, words, big_endian, ...) \
	name name##_new(void) \
	{ \
		return (name){ { .h = { __VA_ARGS__ } } }; \
	} \
	void rt_##name##_write(name *h, const void *p, size_t n) \
	{ \
		write(&h->d, p, n, name##_block); \
	} \
	name##_digest name##_sum(const name *h) \
	{ \
		name##_digest d; \
		sum(&h->d, d.b, words, big_endian, name##_block); \
		return d; \
	} \
	name##_digest rt_##name(const void *p, size_t n) \
	{ \
		name h = name##_new(); \
		rt_##name##_write(&h, p, n); \
		return name##_sum(&h); \
	}
DIGEST(sha256, 8, true, 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
       0x5be0cd19)
DIGEST(sha1, 5, true, 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
DIGEST(md5, 4, false, 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
