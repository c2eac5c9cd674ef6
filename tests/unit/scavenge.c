/* scavenge.c: free memory goes back to the host, comes again when it is used, and the
 * heap's books stay right.  On a machine that takes nothing back nothing changes. */
#include "ingot.h"
#include "test.h"

enum { BLOCK = 200000, NBLOCKS = 400 }; /* 80 MB */
static char **blocks;

static bool releasable(void)
{
	struct mem_stats m;
	char *p = rt_malloc(4 << 20, &rt_type_noscan);
	memset(p, 1, 4 << 20);
	p = NULL;
	free_os_memory();
	read_mem_stats(&m);
	return m.heap_released > 0;
}

static __attribute__((noinline)) void fill(int c)
{
	int bad = 0;
	blocks = rt_make(char *, NBLOCKS);
	for (int i = 0; i < NBLOCKS; i++) {
		char *p = blocks[i] = rt_malloc(BLOCK, &rt_type_noscan);
		for (int k = 0; k < BLOCK; k += 64)
			bad += p[k] != 0;
		memset(p, c, BLOCK);
	}
	CHECK_EQ(bad, 0);
}

static int damaged(int c)
{
	int bad = 0;
	for (int i = 0; i < NBLOCKS; i++)
		for (int k = 0; blocks[i] && k < BLOCK; k += 64)
			bad += blocks[i][k] != (char)c;
	return bad;
}

TEST(free_os_memory_gives_all_back)
{
	struct mem_stats m;
	bool can = releasable();
	for (int round = 1; round <= 4; round++) {
		fill(round);
		for (int i = 0; i < NBLOCKS; i += 2)
			blocks[i] = NULL;
		free_os_memory();
		read_mem_stats(&m);
		CHECK(m.heap_released <= m.heap_idle);
		if (can)
			CHECK(m.heap_released > NBLOCKS / 2 * (uint64)BLOCK * 9 / 10);
		else
			CHECK_EQ(m.heap_released, 0);
		gc_verify();
		CHECK_EQ(damaged(round), 0);
		blocks = NULL;
	}
	free_os_memory();
	gc_verify();
}

/* Used again, it counts no more as released; live memory never does. */
TEST(released_memory_comes_back)
{
	struct mem_stats before, after;
	free_os_memory();
	read_mem_stats(&before);
	fill(7);
	read_mem_stats(&after);
	if (before.heap_released)
		CHECK(after.heap_released + NBLOCKS * (uint64)BLOCK * 9 / 10 < before.heap_released + (10 << 20));
	CHECK_EQ(damaged(7), 0);
	gc_verify();
	blocks = NULL;
}

static struct pair {
	struct pair *a, *b;
} *sink;

/* By itself, a little at a time, while the program goes on. */
TEST(background)
{
	struct mem_stats m;
	if (!releasable()) {
		print("background: this machine takes no memory back\n");
		return;
	}
	fill(9);
	blocks = NULL;
	gc();
	read_mem_stats(&m);
	uint64 before = m.heap_released;
	int64 begun = nanotime();
	do {
		for (int i = 0; i < 20000; i++)
			sink = new(struct pair);
		sleep(Millisecond);
		read_mem_stats(&m);
	} while (m.heap_released < before + (40 << 20) && nanotime() - begun < 60 * Second);
	CHECK(m.heap_released >= before + (40 << 20));
	CHECK(m.heap_idle - m.heap_released > 0);
	gc_verify();
}

static char *held[8][64]; /* keeps some */

static void churn(uint64 seed, wait_group *wg)
{
	for (int i = 0; i < 1500; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t n = 1000 + seed % 100000;
		int at = (int)(seed >> 40 & 63), row = (int)(seed >> 50 & 7);
		char *p = rt_malloc(n, &rt_type_noscan);
		if (p[0] || p[n - 1] || p[n / 2])
			TEST_FAIL("%zu bytes are not zero", n);
		memset(p, 1, n);
		held[row][at] = p;
	}
	wait_group_done(wg);
}

/* Released under the hands of tasks that allocate. */
TEST(beside_allocations)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(churn, i, &wg);
	for (int i = 0; i < 20; i++) {
		free_os_memory();
		gosched();
	}
	wait_group_wait(&wg);
	gc_verify();
}

TEST(two_at_once)
{
	wait_group wg = { 0 };
	fill(3);
	blocks = NULL;
	wait_group_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(free_os_memory);
	for (int i = 0; i < 4; i++)
		go(churn, i + 100, &wg);
	wait_group_wait(&wg);
	gc_verify();
}

TEST_MAIN
{
	RUN(free_os_memory_gives_all_back);
	RUN(released_memory_comes_back);
	RUN(background);
	RUN(beside_allocations);
	RUN(two_at_once);
}
