/* chacha8.c: the ChaCha8 generator, see chacha8.h.
 *
 * Vectors hold one word of four blocks each, which is also the order of the
 * output (so it is Go's on any machine).  Each 16 blocks the seed is replaced:
 * who reads the state later cannot compute what came before. */
#include "rt.h"
#include "chacha8.h"

enum {
	STEP = 4,    /* blocks made at once */
	BLOCKS = 16, /* blocks of one seed */
	WORDS = 32,  /* of 64 bits, in STEP blocks */
	RESEED = 4   /* words that become the next seed */
};

typedef uint32_t v4 __attribute__((vector_size(16)));

static inline v4 rotate(v4 x, int n)
{
	return x << n | x >> (32 - n);
}

#define QUARTER(a, b, c, d) \
	do { \
		a += b; \
		d = rotate(d ^ a, 16); \
		c += d; \
		b = rotate(b ^ c, 12); \
		a += b; \
		d = rotate(d ^ a, 8); \
		c += d; \
		b = rotate(b ^ c, 7); \
	} while (0)

static inline v4 all(uint32_t x)
{
	return (v4){ x, x, x, x };
}

static void block(const uint64_t seed[4], uint64_t out[WORDS], uint32_t counter)
{
	/* "expand 32-byte k" */
	v4 b[16] = { all(0x61707865), all(0x3320646e), all(0x79622d32), all(0x6b206574) }, key[8];

	for (int i = 0; i < 4; i++) {
		key[2 * i] = all((uint32_t)seed[i]);
		key[2 * i + 1] = all((uint32_t)(seed[i] >> 32));
	}
	for (int i = 0; i < 8; i++)
		b[4 + i] = key[i];
	b[12] = (v4){ counter, counter + 1, counter + 2, counter + 3 };
	for (int round = 0; round < 8; round += 2) {
		QUARTER(b[0], b[4], b[8], b[12]);
		QUARTER(b[1], b[5], b[9], b[13]);
		QUARTER(b[2], b[6], b[10], b[14]);
		QUARTER(b[3], b[7], b[11], b[15]);
		QUARTER(b[0], b[5], b[10], b[15]);
		QUARTER(b[1], b[6], b[11], b[12]);
		QUARTER(b[2], b[7], b[8], b[13]);
		QUARTER(b[3], b[4], b[9], b[14]);
	}
	for (int i = 0; i < 8; i++)
		b[4 + i] += key[i];
	memcpy(out, b, sizeof b);
}

void chacha8_init(struct chacha8 *s, const uint64_t seed[4])
{
	memcpy(s->seed, seed, sizeof s->seed);
	s->counter = 0;
	s->i = 0;
	s->n = WORDS;
	block(s->seed, s->buf, 0);
}

void chacha8_refill(struct chacha8 *s)
{
	s->counter += STEP;
	if (s->counter == BLOCKS) {
		memcpy(s->seed, s->buf + WORDS - RESEED, sizeof s->seed);
		s->counter = 0;
	}
	block(s->seed, s->buf, s->counter);
	s->i = 0;
	s->n = s->counter == BLOCKS - STEP ? WORDS - RESEED : WORDS;
}
