/* timers.c: timers in numbers, and how they end; tests/system/timers.py chooses
 * by the first argument.
 *
 *	dropped N   makes N tickers that run and that nobody can reach, then waits
 *	            for ever: with no timer in any heap that is a deadlock
 *	kept        the same with one AfterFunc: it fires
 *	sleepers N  N tasks sleep at once, and wake in the order of their times */
#include <stdlib.h>
#include <string.h>
#include "ingot.h"

static uint64 live(void)
{
	struct mem_stats m;
	gc();
	gc();
	read_mem_stats(&m);
	return m.heap_alloc;
}

static __attribute__((noinline)) void make_tickers(int n)
{
	for (int i = 0; i < n; i++) {
		timer *t = new_ticker(i % 100 ? Millisecond : 100 * Microsecond);
		if (i % 100 == 0)
			recv(t->c); /* so for a while it stood in a heap */
	}
}

static void dropped(int n)
{
	uint64 before = live();
	make_tickers(n);
	struct mem_stats m;
	read_mem_stats(&m);
	println("%lu bytes before, %lu with tickers and garbage, %lu left", before, (uint64)m.heap_alloc, live());
}

static void say(void *what)
{
	println("%s", (const char *)what);
	exit(0);
}

static int64 order;   /* atomic: the latest deadline of those awake */
static int64 early, late_first;

static void sleeper(int64 due, wait_group *wg)
{
	int64 now = nanotime();
	sleep(due - now);
	if (nanotime() < due)
		atomic_add(&early, 1);
	int64 last = atomic_load(&order);
	if (due < last && last - due > Second) /* cores differ by what they have to do */
		atomic_add(&late_first, 1);
	atomic_store(&order, due);
	wait_group_done(wg);
}

static void sleepers(int n)
{
	wait_group wg = { 0 };
	uint64 x = 1;
	wait_group_add(&wg, n);
	int64 begin = nanotime(), first = begin + 2 * Second + n * 3 * Microsecond;
	for (int i = 0; i < n; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		go(sleeper, first + (int64)(x >> 32) % (n * Microsecond), &wg);
	}
	int64 made = nanotime();
	wait_group_wait(&wg);
	int64 end = nanotime();
	println("%d slept: made in %ld us, all awake %ld us after the first; %ld early, %ld out of order", n,
	        (long)((made - begin) / 1000), (long)((end - first) / 1000), (long)early, (long)late_first);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 1000;
	if (strcmp(how, "dropped") == 0 || strcmp(how, "kept") == 0) {
		dropped(n);
		if (strcmp(how, "kept") == 0)
			after_func(Millisecond, say, "fired");
		gc();
		recv(make_chan(bool));
	}
	sleepers(n);
	return 0;
}
