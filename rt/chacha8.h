/* chacha8.h: the generator of api_rand.h, Go's chacha8rand (C2SP's
 * specification of that name): ChaCha with 8 rounds, four blocks side by side,
 * the last 32 of 1,024 bytes being the next seed. */
#ifndef RT_CHACHA8_H
#define RT_CHACHA8_H

#include <stdint.h>

struct chacha8 {
	uint64_t buf[32];
	uint64_t seed[4];
	uint32_t i, n;    /* buf[i .. n) is to come */
	uint32_t counter; /* of buf's first block */
};

void chacha8_init(struct chacha8 *s, const uint64_t seed[4]);
/* Makes the next values: buf[0 .. n). */
void chacha8_refill(struct chacha8 *s);

static inline uint64_t chacha8_next(struct chacha8 *s)
{
	if (__builtin_expect(s->i >= s->n, 0))
		chacha8_refill(s);
	return s->buf[s->i++];
}

#endif
