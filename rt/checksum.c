/* checksum.c: FNV, CRC-32, Adler-32 and the hash of maps for programs (Go:
 * hash/fnv, hash/crc32, hash/adler32, hash/maphash).
 *
 * CRC-32 is computed eight bytes at a time by tables (Kounavis and Berry's
 * slicing), which are made at the first use; or by the processor: SSE 4.2 has
 * Castagnoli's, PCLMULQDQ multiplies for the other (Gopal and others, "Fast CRC
 * Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009, whose
 * constants these are). */
#include <cpuid.h>
#include <immintrin.h>
#include "rt.h"
#include "hash.h"
#include "api_value.h"
#include "api_hash.h"


#define FNV(name, T, prime, STEP) \
	T rt_##name(T h, const void *data, size_t n) \
	{ \
		const byte *p = data; \
		for (size_t i = 0; i < n; i++) { \
			STEP(prime) \
		} \
		return h; \
	}
#define FNV_1(prime) h *= prime; h ^= p[i];
#define FNV_1A(prime) h ^= p[i]; h *= prime;
FNV(fnv32, uint32_t, UINT32_C(0x01000193), FNV_1)
FNV(fnv32a, uint32_t, UINT32_C(0x01000193), FNV_1A)
FNV(fnv64, uint64_t, UINT64_C(0x100000001b3), FNV_1)
FNV(fnv64a, uint64_t, UINT64_C(0x100000001b3), FNV_1A)

uint32_t rt_adler32(uint32_t adler, const void *data, size_t n)
{
	enum { PRIME = 65521, RUN = 5552 }; /* b stays below 2^32 for RUN bytes */
	const byte *p = data;
	uint32_t a = adler & 0xffff, b = adler >> 16;

	while (n) {
		size_t run = n < RUN ? n : RUN;

		n -= run;
		while (run--) {
			a += *p++;
			b += a;
		}
		a %= PRIME;
		b %= PRIME;
	}
	return b << 16 | a;
}

uint64_t maphash_make_seed(void)
{
	uint64_t seed;

	plat_entropy(&seed, sizeof seed);
	return seed;
}

uint64_t rt_maphash(uint64_t seed, const void *p, size_t n)
{
	return hash_bytes(p, n, seed);
}

/* ---- CRC-32 ------------------------------------------------------------------ */

struct crc_table {
	uint32_t t[8][256];
	uint32_t ready; /* release: t is filled */
};
/* Two tasks may fill one at the same time: with the same numbers. */
static struct crc_table ieee NOSCAN_BSS, castagnoli NOSCAN_BSS;

static const struct crc_table *table(struct crc_table *c, uint32_t polynomial)
{
	if (likely(at_load_acq(&c->ready)))
		return c;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
		c->t[0][i] = crc;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			c->t[k][i] = c->t[k - 1][i] >> 8 ^ c->t[0][c->t[k - 1][i] & 255];
	at_store_rel(&c->ready, 1);
	return c;
}

/* crc is inverted here and below. */
static uint32_t by_table(const struct crc_table *c, uint32_t crc, const byte *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t x = hash_load8((const char *)p) ^ crc;

		crc = 0;
		for (int k = 0; k < 8; k++)
			crc ^= c->t[7 - k][x >> 8 * k & 255];
	}
	for (; n; n--)
		crc = crc >> 8 ^ c->t[0][(crc ^ *p++) & 255];
	return crc;
}

enum { CPU_KNOWN = 1, CPU_CRC32 = 2, CPU_CLMUL = 4 };

/* Asked once: under a hypervisor the instruction is slow. */
static unsigned cpu(void)
{
	static unsigned features; /* relaxed: a number by itself */
	unsigned f = at_load(&features), a, b, c = 0, d;

	if (unlikely(!f)) {
		f = CPU_KNOWN;
		if (__get_cpuid(1, &a, &b, &c, &d)) {
			f |= c & bit_SSE4_2 ? CPU_CRC32 : 0;
			f |= (c & bit_PCLMUL) && (c & bit_SSE4_1) ? CPU_CLMUL : 0;
		}
		at_store(&features, f);
	}
	return f;
}

__attribute__((target("sse4.2"))) static uint32_t by_crc32(uint32_t crc, const byte *p, size_t n)
{
	uint64_t x = crc;

	for (; n >= 8; n -= 8, p += 8)
		x = _mm_crc32_u64(x, hash_load8((const char *)p));
	crc = (uint32_t)x;
	for (; n; n--)
		crc = _mm_crc32_u8(crc, *p++);
	return crc;
}

#define CLMUL __attribute__((target("pclmul,sse4.1")))

CLMUL static inline __m128i load16(const byte *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

/* x moved on by the distance that k stands for, onto what is there. */
CLMUL static inline __m128i fold(__m128i x, __m128i k, __m128i there)
{
	return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x00),
	                                   _mm_clmulepi64_si128(x, k, 0x11)), there);
}

/* n is 64 or more, and a multiple of 16. */
CLMUL static uint32_t by_clmul(uint32_t crc, const byte *p, size_t n)
{
	const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
	const __m128i by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
	const __m128i by_8 = _mm_set_epi64x(0, 0x163cd6124);
	const __m128i barrett = _mm_set_epi64x(0x1f7011641, 0x1db710641);
	const __m128i low = _mm_set_epi32(0, -1, 0, -1);
	__m128i a = _mm_xor_si128(load16(p), _mm_cvtsi32_si128((int)crc));
	__m128i b = load16(p + 16), c = load16(p + 32), d = load16(p + 48), x;

	for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
		a = fold(a, by_64, load16(p));
		b = fold(b, by_64, load16(p + 16));
		c = fold(c, by_64, load16(p + 32));
		d = fold(d, by_64, load16(p + 48));
	}
	x = fold(fold(fold(a, by_16, b), by_16, c), by_16, d);
	for (; n; p += 16, n -= 16)
		x = fold(x, by_16, load16(p));
	/* 128 bits to 64, to 32, and Barrett's reduction. */
	x = _mm_xor_si128(_mm_srli_si128(x, 8), _mm_clmulepi64_si128(x, by_16, 0x10));
	x = _mm_xor_si128(_mm_srli_si128(x, 4), _mm_clmulepi64_si128(_mm_and_si128(x, low), by_8, 0x00));
	a = _mm_clmulepi64_si128(_mm_and_si128(x, low), barrett, 0x10);
	a = _mm_clmulepi64_si128(_mm_and_si128(a, low), barrett, 0x00);
	return (uint32_t)_mm_extract_epi32(_mm_xor_si128(x, a), 1);
}

uint32_t rt_crc32_ieee(uint32_t crc, const void *data, size_t n)
{
	const byte *p = data;

	crc = ~crc;
	if (n >= 64 && (cpu() & CPU_CLMUL)) {
		crc = by_clmul(crc, p, n & ~(size_t)15);
		p += n & ~(size_t)15;
		n &= 15;
	}
	return ~by_table(table(&ieee, 0xedb88320), crc, p, n);
}

uint32_t rt_crc32_castagnoli(uint32_t crc, const void *data, size_t n)
{
	if (cpu() & CPU_CRC32)
		return ~by_crc32(~crc, data, n);
	return ~by_table(table(&castagnoli, 0x82f63b78), ~crc, data, n);
}
