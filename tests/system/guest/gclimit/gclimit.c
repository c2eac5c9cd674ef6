/* gclimit.c: a heap whose limit leaves the collector no peace, and one that nobody uses
 * (tests/system/gclimit.py). */
#include <stdlib.h>
#include <string.h>
#include "ingot.h"

struct node {
	struct node *next;
	int64 v[3];
};

static struct node *list;

static struct mem_stats stats(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
	return m;
}

static void garbage(int64 bytes)
{
	for (; bytes > 0; bytes -= 1024)
		rt_malloc(1024, &rt_type_noscan);
}

/* Says how much of the time collections took, once they had taken a second more than
 * the rest, and how far the heap went past its goal. */
static void limit(int nodes)
{
	gomaxprocs(1);
	for (int i = 0; i < nodes; i++)
		list = new(struct node, .next = list);
	gc();
	set_memory_limit(1 << 20);
	int64 start = nanotime();
	while (!stats().limiter_last_enabled && nanotime() - start < 20 * Second)
		garbage(1 << 20);
	struct mem_stats a = stats(), b;
	int64 past = 0, from = nanotime(), now;
	do {
		garbage(1 << 20);
		b = stats();
		past = max(past, (int64)(b.heap_alloc - b.next_gc));
		now = nanotime();
	} while (now - from < 2 * Second);
	print("enabled %d after %ld ms, share %ld %%, past the goal %ld KiB, %u cycles\n", b.limiter_last_enabled != 0,
	      (from - start) / Millisecond, (int64)(b.gc_cpu_ns - a.gc_cpu_ns) * 100 / (now - from), past / 1024,
	      b.num_gc - a.num_gc);
	int left = 0;
	for (struct node *p = list; p; p = p->next)
		left++;
	set_memory_limit(INT64_MAX);
	gc_verify();
	print("%d of %d nodes\n", left, nodes);
}

/* Waits for n collections that nobody asks for; for one, a second. */
static void period(uint32 n)
{
	gc();
	struct mem_stats m = stats();
	uint32 first = m.num_gc, forced = m.num_forced_gc;
	int64 start = nanotime();
	while (stats().num_gc < first + n && nanotime() - start < (n > 1 ? 20 : 1) * Second)
		sleep(10 * Millisecond);
	m = stats();
	print("%u more in %ld ms, %u forced\n", m.num_gc - first, (nanotime() - start) / Millisecond,
	      m.num_forced_gc - forced);
}

/* Nobody is left to wake anybody. */
static void deadlock(void)
{
	gc();
	recv(make_chan(bool));
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;
	if (argc > 2 && strcmp(argv[1], "limit") == 0)
		limit(n);
	else if (argc > 2 && strcmp(argv[1], "period") == 0)
		period((uint32)n);
	else
		deadlock();
	return 0;
}
