/* rounds.h: what the tests of the memory model share (litmus.c,
 * happens_before.c): many short rounds by tasks that run at the same time.
 *
 * Each test goes on for a slice of time and counts its rounds: ms=N on the
 * command line is the slice, 40 milliseconds unless said.  What must happen is
 * waited for, whatever the time. */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "test.h"

static int64 budget = 40 * Millisecond;

/* Takes ms=N out of the arguments.  First in TEST_MAIN. */
static inline void budget_args(void)
{
	int n = 0;
	for (int i = 0; i < test_argc; i++)
		if (strncmp(test_argv[i], "ms=", 3) == 0)
			budget = strtoll(test_argv[i] + 3, NULL, 10) * Millisecond;
		else
			test_argv[n++] = test_argv[i];
	test_argc = n;
}

/* A number below n; *state is the caller's. */
static inline uint32 pick(uint32 *state, uint32 n)
{
	*state = *state * 1664525 + 1013904223; /* Numerical Recipes' generator */
	return (uint32)((uint64)*state * n >> 32);
}

/* A few cycles.  (Not the pause instruction, for which QEMU leaves its loop.) */
static inline void dawdle(uint32 n)
{
	while (n-- > 0)
		__asm__ volatile("");
}

/* One step of a busy wait: spin counts from 1.  Tasks that wait for each other
 * spin, so that they go on at one time; who else is on the core must run too. */
static inline void spin_step(uint32 spin)
{
	if (spin % 1024 == 0)
		gosched();
	if (spin % 32768 == 0)
		sleep(10 * Microsecond); /* more cores than CPUs below them */
}

/* Where n tasks meet, again and again. */
struct gate {
	int32 n;
	int32 arrived __attribute__((aligned(64)));
};

/* The round-th meeting, from 1. */
static inline void meet(struct gate *g, int32 round)
{
	atomic_add(&g->arrived, 1);
	for (uint32 spin = 1; atomic_load(&g->arrived) - round * g->n < 0; spin++)
		spin_step(spin);
}

#endif
