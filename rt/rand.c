/* rand.c: pseudo-random numbers (Go: math/rand/v2, runtime/rand.go).
 *
 * The derivations from 64 random bits are Go's, so that one seed gives one
 * sequence of numbers in both: products instead of remainders for ranges, the
 * ziggurat for distributions (tables: rt/gen/mkziggurat.c).
 *
 * The sources of the cores are made at the first use of any and never freed.
 * A core's is touched with preemption off, so no lock is needed; a refill,
 * every 32 numbers, is four blocks of ChaCha8, well below a microsecond. */
#include "rt.h"
#include "api_value.h"
#include "api_rand.h"
#include "chacha8.h"
#include "ziggurat.h"

static struct core_source {
	struct chacha8 s;
	bool seeded;
} __attribute__((aligned(CACHE_LINE))) *of_cores; /* compare-and-swap/acquire: the memory is zero */

chacha8 *new_chacha8(const byte seed[32])
{
	chacha8 *r = rt_malloc(sizeof *r, RT_NOSCAN);
	uint64_t words[4];

	memcpy(words, seed, sizeof words);
	chacha8_init(r, words);
	return r;
}

void entropy(void *buf, size_t n)
{
	plat_entropy(buf, n);
}

/* Two cores may both come here first: one's memory is then left alone. */
static NOINLINE struct core_source *make_sources(void)
{
	struct core_source *made = persistent_alloc(plat_ncores * sizeof *made), *none = NULL;

	return at_cas(&of_cores, &none, made) ? made : at_load_acq(&of_cores);
}

static uint64_t core_uint64(void)
{
	struct core_source *all = at_load_acq(&of_cores), *mine;
	struct g *g;
	uint64_t x;

	if (unlikely(!all))
		all = make_sources();
	g = preempt_off();
	mine = &all[rt_self.p->id];
	if (unlikely(!mine->seeded)) {
		uint64_t seed[4];

		plat_entropy(seed, sizeof seed);
		chacha8_init(&mine->s, seed);
		mine->seeded = true;
	}
	x = chacha8_next(&mine->s);
	preempt_on(g);
	return x;
}

uint64_t chacha8_uint64(chacha8 *r)
{
	return r ? chacha8_next(r) : core_uint64();
}

uint32_t chacha8_uint32(chacha8 *r)
{
	return (uint32_t)(chacha8_uint64(r) >> 32);
}

int64_t chacha8_int64(chacha8 *r)
{
	return (int64_t)(chacha8_uint64(r) << 1 >> 1);
}

int32_t chacha8_int32(chacha8 *r)
{
	return (int32_t)(chacha8_uint64(r) >> 33);
}

/* The high half of x * n, with those x left out that would favour a number. */
static uint64_t below(chacha8 *r, uint64_t n)
{
	unsigned __int128 p;

	if ((n & (n - 1)) == 0)
		return chacha8_uint64(r) & (n - 1);
	p = (unsigned __int128)chacha8_uint64(r) * n;
	if ((uint64_t)p < n) {
		uint64_t least = -n % n;

		while ((uint64_t)p < least)
			p = (unsigned __int128)chacha8_uint64(r) * n;
	}
	return (uint64_t)(p >> 64);
}

int64_t chacha8_int_n(chacha8 *r, int64_t n)
{
	if (n <= 0)
		rt_panic("invalid argument to Int64N");
	return (int64_t)below(r, (uint64_t)n);
}

uint64_t chacha8_uint_n(chacha8 *r, uint64_t n)
{
	if (n == 0)
		rt_panic("invalid argument to Uint64N");
	return below(r, n);
}

double chacha8_float64(chacha8 *r)
{
	return (double)(chacha8_uint64(r) << 11 >> 11) / (double)(1ull << 53);
}

float chacha8_float32(chacha8 *r)
{
	return (float)(chacha8_uint32(r) << 8 >> 8) / (float)(1 << 24);
}

/* In most cases the first x is inside its strip.  Else: the tail (strip 0), or
 * a second draw against the curve. */
double chacha8_norm_float64(chacha8 *r)
{
	const double tail = 3.442619855899;

	for (;;) {
		uint64_t u = chacha8_uint64(r);
		int32_t j = (int32_t)u;
		unsigned i = u >> 32 & 127;
		double x = j * (double)wn[i], y;

		if ((j < 0 ? -(uint32_t)j : (uint32_t)j) < kn[i])
			return x;
		if (i == 0) {
			do {
				x = -log(chacha8_float64(r)) * (1 / tail);
				y = -log(chacha8_float64(r));
			} while (y + y < x * x);
			return j > 0 ? tail + x : -tail - x;
		}
		if (fn[i] + (float)chacha8_float64(r) * (fn[i - 1] - fn[i]) < (float)exp(-.5 * x * x))
			return x;
	}
}

double chacha8_exp_float64(chacha8 *r)
{
	const double tail = 7.69711747013104972;

	for (;;) {
		uint64_t u = chacha8_uint64(r);
		uint32_t j = (uint32_t)u;
		unsigned i = u >> 32 & 255;
		double x = j * (double)we[i];

		if (j < ke[i])
			return x;
		if (i == 0)
			return tail - log(chacha8_float64(r));
		if (fe[i] + (float)chacha8_float64(r) * (fe[i - 1] - fe[i]) < (float)exp(-x))
			return x;
	}
}

/* Fisher and Yates. */
void rt_shuffle(chacha8 *r, void *v, size_t n, size_t size)
{
	for (size_t i = n; i-- > 1;) {
		char *a = (char *)v + i * size, *b = (char *)v + below(r, i + 1) * size, t[64];

		for (size_t left = size; left;) {
			size_t k = left < sizeof t ? left : sizeof t;

			memcpy(t, a, k);
			memmove(a, b, k); /* a may be b */
			memcpy(b, t, k);
			a += k;
			b += k;
			left -= k;
		}
	}
}

slice(int) chacha8_perm(chacha8 *r, int n)
{
	slice(int) p = make_slice(int, n);

	for (int i = 0; i < n; i++)
		p.ptr[i] = i;
	rt_shuffle(r, p.ptr, p.len, sizeof *p.ptr);
	return p;
}

/* Eight bytes at a time; what is left of the last eight is not used. */
void chacha8_read(chacha8 *r, slice(byte) b)
{
	for (size_t i = 0; i < b.len; i += 8) {
		uint64_t x = chacha8_uint64(r);

		memcpy(b.ptr + i, &x, b.len - i < 8 ? b.len - i : 8);
	}
}
