/* budget.h: how long the tests of the memory model run (litmus.c,
 * happens_before.c).
 *
 * They count runs, and each goes on for a slice of time: ms=N on the command
 * line is that slice, 40 milliseconds unless said.  What must be seen (a
 * control's weak outcome) is waited for, whatever the time. */
#ifndef BUDGET_H
#define BUDGET_H

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

/* A number below n from one's own state. */
static inline uint32 pick(uint32 *state, uint32 n)
{
	*state = *state * 1664525 + 1013904223; /* Numerical Recipes' generator */
	return (uint32)((uint64)*state * n >> 32);
}

#endif
