/* bench.h: what the files of tests/bench share.  The harness is bench.c. */
#ifndef BENCH_H
#define BENCH_H

#include "ingot.h"

/* -q: the peers' -quick, smaller sizes where one run is the sample. */
extern bool quick;

/* True if the command line asks for this result. */
bool want(const char *name);
/* Prints the median, minimum and maximum of n values. */
void emit(const char *name, const char *unit, double *v, int n);
/* One value. */
void emit1(const char *name, const char *unit, double v);
/* NAME_p50, NAME_p99, NAME_max of n values. */
void emit_spread(const char *name, const char *unit, double *v, int n);
/* Finds n so that f(n) takes about a sample, then reports ns/op. */
void micro(const char *name, void (*f)(int64 n));

void bench_timers(void);
void bench_tasks(void);
void bench_sync(void);
void bench_values(void);
void bench_heap(void);
void bench_gc(void);
void bench_churn(void);
void bench_panics(void);
void bench_latency(void);

#endif
