/* bench.c: Ingot's side of the peers' benchmarks, under the same names: the
 * harness, and the ops that need no second look.
 *
 * Prints "name value unit minimum maximum" lines, the median of RUNS samples.
 * The same source runs hosted (beside Go, `make bench`) and booted with
 * -icount, where a nanosecond is an instruction (`make counts`).
 *
 *     bench [-q 1] [-s MS] [-r RUNS] [-p TASKS] [NAME...]
 *
 * -s is the length of a sample (200 ms), -q 1 takes the peers' -quick sizes,
 * -p parks so many tasks beforehand.  What an op is: see the peers' README and
 * RESULTS.md beside this file; loops are written as the Go programs are. */
#include <stdlib.h>
#include <string.h>
#include "bench.h"

bool quick;
static int64 sample = 200 * Millisecond;
static int runs = 5;
static int nwanted;
static char **wanted;

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void emit(const char *name, const char *unit, double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, by_value);
	print("%s %.3f %s %.3f %.3f\n", name, v[n / 2], unit, v[0], v[n - 1]);
}

void emit1(const char *name, const char *unit, double v)
{
	emit(name, unit, &v, 1);
}

void emit_spread(const char *name, const char *unit, double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, by_value);
	print("%s_p50 %.3f %s %.3f %.3f\n", name, v[n / 2], unit, v[0], v[n - 1]);
	print("%s_p99 %.3f %s %.3f %.3f\n", name, v[n * 99 / 100], unit, v[0], v[n - 1]);
	print("%s_max %.3f %s %.3f %.3f\n", name, v[n - 1], unit, v[0], v[n - 1]);
}

bool want(const char *name)
{
	for (int i = 0; i < nwanted; i++)
		if (strcmp(wanted[i], name) == 0)
			return true;
	return nwanted == 0;
}

/* Finds n so that f(n) takes about a sample, then reports ns/op. */
void micro(const char *name, void (*f)(int64 n))
{
	if (!want(name))
		return;
	int64 n = 1;
	for (;;) {
		int64 t = nanotime();
		f(n);
		int64 d = nanotime() - t;
		if (d >= sample / 2) {
			n = (int64)((double)n * (double)sample / (double)d);
			break;
		}
		double k = d > 0 ? 1.2 * (double)sample / (double)d : 100;
		n = (int64)((double)n * (k > 100 ? 100 : k < 1.5 ? 1.5 : k)) + 1;
	}
	if (n < 1)
		n = 1;
	double v[64];
	for (int i = 0; i < runs; i++) {
		gc();
		int64 t = nanotime();
		f(n);
		v[i] = (double)(nanotime() - t) / (double)n;
	}
	emit(name, "ns/op", v, runs);
}

/* ---- scheduler --------------------------------------------------------------- */

static void yielder(int64 n, wait_group *wg)
{
	for (int64 i = 0; i < n; i++)
		gosched();
	wait_group_done(wg);
}
static void yield(int64 n)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 1);
	go(yielder, n / 2, &wg);
	for (int64 i = 0; i < n / 2; i++)
		gosched();
	wait_group_wait(&wg);
}

static void echo(chan(int) a, chan(int) b, int64 n, wait_group *wg)
{
	for (int64 i = 0; i < n; i++)
		send(b, recv(a));
	wait_group_done(wg);
}
static void chan_pingpong(int64 n)
{
	chan(int) a = make_chan(int), b = make_chan(int);
	wait_group wg = { 0 };
	wait_group_add(&wg, 1);
	go(echo, a, b, n, &wg);
	for (int64 i = 0; i < n; i++) {
		send(a, (int)i);
		recv(b);
	}
	wait_group_wait(&wg);
}

static void drain(chan(int) c, chan(bool) done)
{
	for_recv(v, c)
		(void)v;
	send(done, true);
}
static void chan_buffered(int64 n)
{
	chan(int) c = make_chan(int, 128);
	chan(bool) done = make_chan(bool);
	go(drain, c, done);
	for (int64 i = 0; i < n; i++)
		send(c, (int)i);
	close(c);
	recv(done);
}

static void spawn(int64 n)
{
	wait_group wg = { 0 };
	while (n > 0) {
		int64 k = n < 1000 ? n : 1000;
		wait_group_add(&wg, (int)k);
		for (int64 i = 0; i < k; i++)
			go(wait_group_done, &wg);
		wait_group_wait(&wg);
		n -= k;
	}
}

static void spawn_join(int64 n)
{
	wait_group wg = { 0 };
	for (int64 i = 0; i < n; i++) {
		wait_group_add(&wg, 1);
		go(wait_group_done, &wg);
		wait_group_wait(&wg);
	}
}

static void select_2ready(int64 n)
{
	chan(int) a = make_chan(int, 1), b = make_chan(int, 1);
	send(a, 1);
	send(b, 1);
	for (int64 i = 0; i < n; i++) {
		select {
			case_recv(a, NULL) { send(a, 1); }
			case_recv(b, NULL) { send(b, 1); }
		}
	}
}

static void feed_4(chan(int) *ch, int64 n)
{
	for (int64 i = 0; i < n; i++)
		send(ch[i & 3], (int)i);
}
static void select_4_blocking(int64 n)
{
	chan(int) ch[4];
	for (int i = 0; i < 4; i++)
		ch[i] = make_chan(int);
	go(feed_4, ch, n);
	for (int64 i = 0; i < n; i++) {
		select {
			case_recv(ch[0], NULL) { }
			case_recv(ch[1], NULL) { }
			case_recv(ch[2], NULL) { }
			case_recv(ch[3], NULL) { }
		}
	}
}

static mutex uncontended;
static void mutex_uncontended(int64 n)
{
	for (int64 i = 0; i < n; i++) {
		mutex_lock(&uncontended);
		mutex_unlock(&uncontended);
	}
}

/* ---- allocation --------------------------------------------------------------- */

struct ptr16 {
	struct ptr16 *a, *b;
};
struct bytes16 {
	char b[16];
};
struct bytes64 {
	char b[64];
};
struct ptr64 {
	int64 *p[8];
};
struct bytes1k {
	char b[1024];
};
static void *sink;

#define ALLOC(name, ...) \
	static void name(int64 n) \
	{ \
		for (int64 i = 0; i < n; i++) \
			sink = __VA_ARGS__; \
	}
ALLOC(alloc_8_tiny, new(int64))
ALLOC(alloc_16_noscan, rt_malloc(16, &rt_type_noscan))
ALLOC(alloc_16_ptr, new(struct ptr16))
ALLOC(alloc_64, rt_malloc(64, &rt_type_noscan))
ALLOC(alloc_64_ptr, new(struct ptr64))
ALLOC(alloc_1k, rt_malloc(1024, &rt_type_noscan))

static void wait_for_ever(chan(bool) c)
{
	recv(c);
}
static void park_tasks(int n)
{
	chan(bool) c = make_chan(bool);
	for (int i = 0; i < n; i++)
		go(wait_for_ever, c);
	sleep(Millisecond); /* runs when nothing else is left to do */
}

int main(int argc, char **argv)
{
	while (argc > 2 && argv[1][0] == '-') {
		if (strcmp(argv[1], "-s") == 0)
			sample = atol(argv[2]) * Millisecond;
		else if (strcmp(argv[1], "-r") == 0)
			runs = atoi(argv[2]);
		else if (strcmp(argv[1], "-q") == 0)
			quick = atoi(argv[2]);
		else if (strcmp(argv[1], "-p") == 0)
			park_tasks(atoi(argv[2]));
		argc -= 2;
		argv += 2;
	}
	if (runs < 1 || runs > 64)
		runs = 5;
	nwanted = argc - 1;
	wanted = argv + 1;
	micro("alloc_8_tiny", alloc_8_tiny);
	micro("alloc_16_noscan", alloc_16_noscan);
	micro("alloc_16_ptr", alloc_16_ptr);
	micro("alloc_64", alloc_64);
	micro("alloc_64_ptr", alloc_64_ptr);
	micro("alloc_1k", alloc_1k);
	micro("spawn", spawn);
	micro("spawn_join", spawn_join);
	micro("yield", yield);
	micro("chan_pingpong", chan_pingpong);
	micro("chan_buffered", chan_buffered);
	micro("select_2ready", select_2ready);
	micro("select_4_blocking", select_4_blocking);
	micro("mutex_uncontended", mutex_uncontended);
	bench_timers();
	bench_latency();
	bench_tasks();
	bench_sync();
	bench_values();
	bench_heap();
	bench_churn();
	bench_panics();
	bench_gc();
	return 0;
}
