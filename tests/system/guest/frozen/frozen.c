/* frozen.c: what becomes of tasks without stack pages, chosen by the first
 * argument; tests/system/frozen.py knows what each must print. */
#include "ingot.h"
#include <stdlib.h>
#include <string.h>

static struct mem_stats stats(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
	return m;
}

static __attribute__((noinline, noclone)) void wait_here(chan(int) c, int depth)
{
	volatile char frame[8];
	frame[0] = (char)depth;
	if (depth > 0)
		wait_here(c, depth - 1);
	else
		recv(c);
	frame[1] = frame[0];
}

static void waiter(chan(int) c)
{
	wait_here(c, 2);
}

static void receiver(chan(int) c)
{
	recv(c);
}

/* So many may stay: they share a page with a task that is not parked. */
#define BESIDE 8

/* n tasks that wait for c, some of them frozen already when the last is made. */
static void freeze_waiters(chan(int) c, int n)
{
	for (int i = 0; i < n; i++) {
		go(waiter, c);
		if (i % 1000 == 999)
			gosched();
		if (i % 4000 == 3999)
			compact_stacks();
	}
	while (stats().frozen_tasks + BESIDE < (uint64)n) {
		gosched();
		compact_stacks();
	}
	print("frozen, all but %d of %d\n", BESIDE, n);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 100;
	chan(int) c = make_chan(int);

	if (strcmp(how, "deadlock") == 0) {
		freeze_waiters(c, n);
		recv(c);
	} else if (strcmp(how, "dump") == 0) {
		freeze_waiters(c, n);
		uint64 thaws = stats().thaws;
		task_dump();
		print("thaws %lu\n", (unsigned long)(stats().thaws - thaws));
	} else if (strcmp(how, "panic") == 0) {
		freeze_waiters(c, n);
		panic("boom");
	} else if (strcmp(how, "wake") == 0) {
		/* All of them need their pages again. */
		freeze_waiters(c, n);
		close(c);
		while (num_task() > 1)
			gosched();
		print("woken, frozen %lu in %lu bytes\n", (unsigned long)stats().frozen_tasks,
		      (unsigned long)stats().frozen_bytes);
	} else if (strcmp(how, "alone") == 0) {
		/* Nobody asks for it. */
		for (int i = 0; i < n; i++)
			go(waiter, c);
		for (int i = 0; i < 100 && stats().frozen_tasks + BESIDE < (uint64)n; i++)
			sleep(20 * Millisecond);
		print(stats().frozen_tasks ? "frozen\n" : "none\n");
	} else if (strcmp(how, "memory") == 0) {
		struct mem_stats a, b, d;
		gc();
		read_mem_stats(&a);
		for (int i = 0; i < n; i++)
			go(receiver, c);
		sleep(Millisecond);
		read_mem_stats(&b);
		while (stats().frozen_tasks + BESIDE < (uint64)n)
			compact_stacks();
		read_mem_stats(&d);
		print("%d parked: %lu bytes each, frozen %lu, longest stop %lu us\n", n,
		      (unsigned long)(a.heap_idle - b.heap_idle) / (unsigned long)n,
		      (unsigned long)(a.heap_idle - d.heap_idle) / (unsigned long)n,
		      (unsigned long)d.freeze_pause_max_ns / 1000);
	}
	return 0;
}
