/* park.c: what tasks cost in memory, and what happens when there are too many
 * or one goes too deep; for tests/system/park.py.
 *
 *   park N            N tasks wait, then end; prints bytes for each
 *   park fill N       starts tasks that wait until memory is out
 *   park deep BYTES   one of ten thousand tasks recurses; BYTES: its limit, 0: the default
 *   park below BYTES  the same to just below the limit, and back */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ingot.h"

static struct mem_stats stats(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
	return m;
}

static void wait_to_end(chan(int) c, wait_group *wg)
{
	recv(c);
	wait_group_done(wg);
}

static void start(int64 n, chan(int) c, wait_group *wg)
{
	for (int64 i = 0; i < n; i++) {
		wait_group_add(wg, 1);
		go(wait_to_end, c, wg);
		if (i % 256 == 255)
			gosched();
	}
	gosched();
}

static void park(int64 n)
{
	chan(int) c = make_chan(int);
	wait_group wg = { 0 };
	start(1000, c, &wg); /* what does not grow with the tasks is there already */
	gc();
	uint64 before = stats().heap_idle;
	start(n, c, &wg);
	uint64 parked = stats().heap_idle;
	print("parked %lld bytes_each %lld\n", (long long)num_task() - 1, (long long)(before - parked) / n);
	close(c);
	wait_group_wait(&wg);
	gc();
	gc();
	print("ended bytes_each %lld\n", (long long)(before - stats().heap_idle) / n);
}

static int64 frame; /* bytes between two frames of down() */

static __attribute__((noinline)) int64 down(int64 n, char *above)
{
	char here[1000];
	memset(here, 1, sizeof here);
	__asm__ volatile("" : : "r"(here) : "memory");
	if (n > 0)
		return down(n - 1, here) + here[n % 1000];
	frame = above - here;
	return 1;
}

static void dive(int64 bytes, chan(int64) out)
{
	down(20, NULL); /* the last of them lie side by side */
	send(out, down(bytes / frame, NULL));
}

static int64 number(const char *s)
{
	return s ? atoll(s) : 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int64 n = number(argc > 2 ? argv[2] : NULL);
	chan(int64) out = make_chan(int64);
	chan(int) c = make_chan(int);
	wait_group wg = { 0 };
	if (strcmp(what, "fill") == 0) {
		start(n, c, &wg);
		print("there was room\n");
	} else if (strcmp(what, "deep") == 0 || strcmp(what, "below") == 0) {
		int64 limit = n ? n : 64 << 20, bytes = what[0] == 'd' ? limit : limit - 16384;
		start(10000, c, &wg);
		if (n)
			go_stack((size_t)n, dive, bytes, out);
		else
			go(dive, bytes, out);
		print("came back from %lld frames\n", (long long)recv(out));
	} else {
		park(number(what));
	}
	return 0;
}
