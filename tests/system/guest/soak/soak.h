/* soak.h: what the mixes of the soak share; soak.c has the account. */
#ifndef SOAK_H
#define SOAK_H

#include <string.h>
#include "ingot.h"

/* Pseudo-random numbers: each task has its own sequence, so what a task does
 * follows from the seed, however the tasks interleave. */
struct rng {
	uint64 s;
};

static inline uint64 rnd64(struct rng *g)
{
	/* splitmix64, Steele, Lea, Flood 2014 */
	uint64 z = g->s += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* lo..hi, both included. */
static inline int pick(struct rng *g, int lo, int hi)
{
	return lo + (int)(rnd64(g) % (uint64)(hi - lo + 1));
}

static inline bool one_in(struct rng *g, int n)
{
	return rnd64(g) % (uint64)n == 0;
}

static inline struct rng split(struct rng *g)
{
	return (struct rng){ rnd64(g) };
}

/* One mix at work in a round. */
struct run {
	const char *name;
	struct rng rng; /* its first task's */
	int64 ops;      /* progress; atomic */
	bool done;      /* atomic */
};

static inline void op(struct run *r)
{
	atomic_add(&r->ops, 1);
}

/* A law of a mix is broken: reports it with the seed, and ends. */
_Noreturn void broken(struct run *r, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#define LAW(r, c, ...) \
	do { \
		if (!(c)) \
			broken(r, __FILE__, __LINE__, __VA_ARGS__); \
	} while (0)

/* Two counts that must be equal. */
#define SAME(r, what, a, b) \
	do { \
		long long law_a = (long long)(a), law_b = (long long)(b); \
		LAW(r, law_a == law_b, "%s: %lld, not %lld", what, law_a, law_b); \
	} while (0)

/* Between two steps of a task: mostly nothing, sometimes another task's turn. */
static inline void churn(struct rng *g)
{
	uint64 x = rnd64(g);
	if (x % 8 == 0)
		gosched();
	else if (x % 64 == 1)
		sleep((int64)(x >> 32) % (300 * Microsecond));
}

typedef void mix(struct run *r);
/* tasks.c */
mix mix_tree, mix_join, mix_yield, mix_hogs, mix_deep, mix_parked, mix_panics;
/* chans.c */
mix mix_pipes, mix_ring, mix_close, mix_select;
/* timers.c */
mix mix_sleep, mix_timers, mix_after_func, mix_tickers;
/* locks.c */
mix mix_mutex, mix_rwmutex, mix_wait_groups, mix_cond, mix_semaphore, mix_atomics, mix_context, mix_groups;
/* memory.c */
mix mix_objects, mix_values, mix_pool, mix_sync_map;
/* moves.c */
mix mix_moves;

#endif
