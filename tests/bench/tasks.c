/* tasks.c: many tasks: fork-join, fan-in, a hundred thousand and a million parked. */
#include <stdio.h>
#include "bench.h"

/* ---- fork-join --------------------------------------------------------------- */

static int fib(int n);
static void fib_task(chan(int) c, int n)
{
	send(c, fib(n));
}
static int fib(int n)
{
	if (n < 2)
		return n;
	chan(int) c = make_chan(int, 1);
	go(fib_task, c, n - 1);
	int y = fib(n - 2);
	return recv(c) + y;
}

/* A task and a channel for every inner node of the tree. */
static void fork_join(void)
{
	int n = quick ? 20 : 30, tasks = quick ? 10945 : 1346268;
	if (!want("fib"))
		return;
	fib(15);
	int64 t = nanotime();
	fib(n);
	int64 d = nanotime() - t;
	emit1("fib_total", "ms", (double)d / 1e6);
	emit1("fib", "ns/task", (double)d / tasks);
}

/* ---- fan-in --------------------------------------------------------------------- */

static void produce(chan(int) c, int64 n)
{
	for (int64 i = 0; i < n; i++)
		send(c, (int)i);
}
static void fanin(int64 n, int capacity)
{
	chan(int) c = make_chan(int, capacity);
	int64 per = n / 8 + 1;
	for (int p = 0; p < 8; p++)
		go(produce, c, per);
	for (int64 i = 0; i < 8 * per; i++)
		recv(c);
}
static void fanin_8(int64 n)
{
	fanin(n, 128);
}
static void fanin_8_unbuf(int64 n)
{
	fanin(n, 0);
}

/* ---- parked tasks ----------------------------------------------------------------- */

static void parked_task(chan(bool) c, wait_group *wg)
{
	recv(c);
	wait_group_done(wg);
}

/* Of the machine's memory, all of which is `sys` from the start. */
static uint64 taken(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
	return m.heap_inuse + m.stack_inuse + m.other_sys;
}

static void parked(const char *name, int n)
{
	if (!want(name))
		return;
	if (quick)
		n /= 10;
	gc();
	uint64 before = taken();
	chan(bool) c = make_chan(bool);
	wait_group wg = { 0 };
	wait_group_add(&wg, n);
	int64 t = nanotime();
	for (int i = 0; i < n; i++)
		go(parked_task, c, &wg);
	/* All are parked when none is left to run. */
	for (int i = 0; i < 3; i++) {
		gosched();
		sleep(Millisecond);
	}
	int64 d = nanotime() - t - 3 * Millisecond;
	uint64 after = taken();
	char s[64];
	emit1(name, "ns/task", (double)d / n);
	snprintf(s, sizeof s, "%s_sys", name);
	emit1(s, "bytes/task", (double)(after - before) / n);
	t = nanotime();
	gc();
	snprintf(s, sizeof s, "%s_gc", name);
	emit1(s, "ms", (double)(nanotime() - t) / 1e6);
	t = nanotime();
	close(c);
	wait_group_wait(&wg);
	snprintf(s, sizeof s, "%s_release", name);
	emit1(s, "ns/task", (double)(nanotime() - t) / n);
}

void bench_tasks(void)
{
	micro("chan_fanin_8", fanin_8);
	micro("chan_fanin_8_unbuf", fanin_8_unbuf);
	fork_join();
	parked("spawn_1e5_parked", 100000);
	parked("spawn_1e6_parked", 1000000);
}
