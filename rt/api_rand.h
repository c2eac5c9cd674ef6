/* api_rand.h: pseudo-random numbers (part of ingot.h).  Go: math/rand/v2.
 *
 * rand_...() draw from a source of the core they run on, which begins with
 * entropy of the hardware (plat_entropy: RDRAND or RDSEED; a machine without
 * takes the jitter of its clocks against each other) and takes no lock.  A
 * source of one's own, new_chacha8(seed), gives Go's numbers for that seed; it
 * is for one task at a time.  Each function exists in both forms:
 * rand_int_n(10), chacha8_int_n(source, 10).  The generator is strong, but for
 * keys take entropy(), which mixes in the hardware's each time.
 *
 * All are for tasks. */
#ifndef INGOT_API_RAND_H
#define INGOT_API_RAND_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* A source.  Go: *rand.ChaCha8 with *rand.Rand's methods. */
typedef struct chacha8 chacha8;
/* A new one from 32 bytes.  Go: rand.NewChaCha8(seed). */
chacha8 *new_chacha8(const byte seed[32]);

/* n unpredictable bytes.  Go: crypto/rand.Read.  any. */
void entropy(void *buf, size_t n);

/* 64 or 32 random bits; non-negative numbers of 63 or 31.  Go: rand.Uint64 ... */
uint64_t chacha8_uint64(chacha8 *r);
#define rand_uint64() chacha8_uint64((chacha8 *)0)
uint32_t chacha8_uint32(chacha8 *r);
#define rand_uint32() chacha8_uint32((chacha8 *)0)
int64_t chacha8_int64(chacha8 *r);
#define rand_int64() chacha8_int64((chacha8 *)0)
int32_t chacha8_int32(chacha8 *r);
#define rand_int32() chacha8_int32((chacha8 *)0)

/* A number from 0 to n - 1.  Panics "invalid argument to Int64N" when n <= 0.
 * Go: rand.Int64N, Uint64N; IntN is the first. */
int64_t chacha8_int_n(chacha8 *r, int64_t n);
#define rand_int_n(n) chacha8_int_n((chacha8 *)0, n)
uint64_t chacha8_uint_n(chacha8 *r, uint64_t n);
#define rand_uint_n(n) chacha8_uint_n((chacha8 *)0, n)

/* From 0 up to but not 1; normally distributed (mean 0, deviation 1);
 * exponentially (rate 1).  Go: rand.Float64, Float32, NormFloat64, ExpFloat64. */
double chacha8_float64(chacha8 *r);
#define rand_float64() chacha8_float64((chacha8 *)0)
float chacha8_float32(chacha8 *r);
#define rand_float32() chacha8_float32((chacha8 *)0)
double chacha8_norm_float64(chacha8 *r);
#define rand_norm_float64() chacha8_norm_float64((chacha8 *)0)
double chacha8_exp_float64(chacha8 *r);
#define rand_exp_float64() chacha8_exp_float64((chacha8 *)0)

/* The numbers from 0 to n - 1 in random order; panics when n < 0.  Go: rand.Perm. */
slice(int) chacha8_perm(chacha8 *r, int n);
#define rand_perm(n) chacha8_perm((chacha8 *)0, n)

/* Brings a slice's elements into random order.  Go: rand.Shuffle. */
#define chacha8_shuffle(r, s) \
	({ \
		chacha8 *rt_rr = (r); \
		__auto_type rt_rs = (s); \
		rt_shuffle(rt_rr, rt_rs.ptr, rt_rs.len, sizeof *rt_rs.ptr); \
	})
#define rand_shuffle(s) chacha8_shuffle((chacha8 *)0, s)
void rt_shuffle(chacha8 *r, void *v, size_t n, size_t size);

/* Fills the slice with random bytes.  Go: (*rand.ChaCha8).Read. */
void chacha8_read(chacha8 *r, slice(byte) b);
#define rand_read(b) chacha8_read((chacha8 *)0, b)

#endif
