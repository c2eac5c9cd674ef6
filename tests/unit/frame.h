/* frame.h: numbers and sums in frames as they are on a wire, for tests that write them. */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t get16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static inline uint32_t get32(const uint8_t *p) { return get16(p) << 16 | get16(p + 2); }
static inline void put16(uint8_t *p, size_t v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static inline void put32(uint8_t *p, uint32_t v) { put16(p, v >> 16), put16(p + 2, v); }

/* The Internet's sum (RFC 1071) of n bytes and s, not inverted. */
static inline uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static inline void put_sum(uint8_t *p, uint32_t s)
{
	put16(p, ~s & 0xffff);
}

#endif
