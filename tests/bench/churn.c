/* churn.c: a day of a server's allocations: how much memory the heap needs for it.
 *
 * Sizes come from a table of weights (small ones dominate, a few are large); most
 * objects die young, the others at random; how many are alive follows the hours of a
 * day.  Random numbers are seeded, so churn.go does exactly the same.  Prints the most
 * bytes the heap had, the most that spans had, their mean, and the mean that was
 * alive.  compare: tests/bench/churn.py. */
#include "bench.h"

static const uint32 sizes[] = { 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512, 640, 768,
	1024, 1536, 2048, 3072, 4096, 6144, 8192, 16384, 32768, 65536, 131072, 524288 };
static const uint32 weights[] = { 600, 1700, 900, 1500, 1200, 1100, 500, 400, 250, 300, 240, 200, 260, 120, 100,
	180, 70, 60, 140, 60, 70, 30, 60, 14, 24, 10, 6, 3, 2, 1 };

enum { SLOTS = 1 << 18, HOURS = 24, PER_HOUR = 400000, SAMPLES = 240 };

static uint64 x = 88172645463325252;

static uint64 rnd(void)
{
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

struct block {
	byte *p;
	uint64 n;
};

static double mib(uint64 v)
{
	return (double)v / (1 << 20);
}

static void churn(void)
{
	struct block *live = rt_make(struct block, SLOTS);
	uint32 total = 0;
	for (unsigned i = 0; i < sizeof weights / sizeof weights[0]; i++)
		total += weights[i];
	uint64 peak_sys = 0, peak_inuse = 0, sum_inuse = 0, sum_live = 0, bytes = 0, n = 0;
	for (int step = 0; step < HOURS * PER_HOUR; step++) {
		uint32 r = (uint32)(rnd() % total);
		int k = 0;
		while (r >= weights[k])
			r -= weights[k++];
		uint32 size = sizes[k] - (uint32)(rnd() % (sizes[k] / 4 + 1));
		/* The load of the hour: slots in use, from a quarter at night to all at noon. */
		int h = step / PER_HOUR, up = h > 12 ? 24 - h : h;
		uint64 use = (uint64)(SLOTS / 4 + SLOTS * 3 / 4 * up / 12);
		uint64 at = rnd() % use;
		if (rnd() % 4 != 0) /* most objects die young: they take turns in a few slots */
			at = rnd() % (use / 64);
		bytes += size - live[at].n;
		live[at] = (struct block){ rt_malloc(size, &rt_type_noscan), size };
		if (step % 16 == 0) { /* who is above the load of the hour goes */
			uint64 i = use + rnd() % SLOTS;
			if (i < SLOTS && live[i].p) {
				bytes -= live[i].n;
				live[i] = (struct block){ 0 };
			}
		}
		if (step % (HOURS * PER_HOUR / SAMPLES) == 0) {
			struct mem_stats m;
			read_mem_stats(&m);
			peak_sys = max(peak_sys, m.heap_sys);
			peak_inuse = max(peak_inuse, m.heap_inuse);
			sum_inuse += m.heap_inuse;
			sum_live += bytes;
			n++;
		}
	}
	print("churn sys %.1f inuse %.1f mean %.1f live %.1f MiB\n", mib(peak_sys), mib(peak_inuse),
	      mib(sum_inuse) / (double)n, mib(sum_live) / (double)n);
}

void bench_churn(void)
{
	if (want("churn"))
		churn();
}
