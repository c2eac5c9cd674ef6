/* heap.c: allocation beyond the smallest sizes, in parallel, trees, arenas. */
#include <string.h>
#include "bench.h"

static void *sink;

static void alloc_256(int64 n)
{
	for (int64 i = 0; i < n; i++)
		sink = rt_malloc(256, &rt_type_noscan);
}
static void alloc_1m(int64 n)
{
	for (int64 i = 0; i < n; i++)
		sink = rt_malloc(1 << 20, &rt_type_noscan);
}

static struct {
	void *p;
	char fill[120];
} sinks[64];

static void alloc_64_task(int64 n, int i, wait_group *wg)
{
	for (; n > 0; n--)
		sinks[i].p = rt_malloc(64, &rt_type_noscan);
	wait_group_done(wg);
}
/* Time over all allocations, one task a P. */
static void alloc_64_parallel(int64 n)
{
	wait_group wg = { 0 };
	int k = gomaxprocs(0);
	wait_group_add(&wg, k);
	for (int i = 0; i < k; i++)
		go(alloc_64_task, n / k, i % 64, &wg);
	wait_group_wait(&wg);
}

/* ---- binary trees, as usual --------------------------------------------------- */

struct tree {
	struct tree *left, *right;
};

static struct tree *bottom_up(int depth)
{
	struct tree *t = new(struct tree);
	if (depth > 0) {
		t->left = bottom_up(depth - 1);
		t->right = bottom_up(depth - 1);
	}
	return t;
}
static int64 nodes(const struct tree *t)
{
	return t->left ? 1 + nodes(t->left) + nodes(t->right) : 1;
}
static void some_trees(int64 n, int depth, int64 *sum, wait_group *wg)
{
	int64 s = 0;
	for (; n > 0; n--)
		s += nodes(bottom_up(depth));
	atomic_add(sum, s);
	wait_group_done(wg);
}
static int64 trees(int n, int k)
{
	int64 sum = nodes(bottom_up(n + 1));
	struct tree *keep = bottom_up(n);
	for (int d = 4; d <= n; d += 2) {
		wait_group wg = { 0 };
		wait_group_add(&wg, k);
		for (int i = 0; i < k; i++)
			if (k == 1)
				some_trees(1l << (n - d + 4), d, &sum, &wg);
			else
				go(some_trees, (1l << (n - d + 4)) / k, d, &sum, &wg);
		wait_group_wait(&wg);
	}
	return sum + nodes(keep);
}
static void binary_trees(const char *name, int n, bool parallel)
{
	if (!want(name))
		return;
	gc();
	int64 t = nanotime();
	trees(quick ? n - 4 : n, parallel ? gomaxprocs(0) : 1);
	emit1(name, "s", (double)(nanotime() - t) / 1e9);
	struct mem_stats m;
	read_mem_stats(&m);
	char heap[64];
	strcat(strcpy(heap, name), "_heap");
	emit1(heap, "MiB", (double)m.heap_sys / (1 << 20));
}

/* ---- arenas -------------------------------------------------------------------- */

static void arena_16_ptr(int64 n)
{
	while (n > 0) {
		arena *a = arena_new();
		for (int i = 0; i < 10000 && n > 0; i++, n--)
			sink = arena_alloc(a, struct tree);
		arena_free(a);
	}
}

void bench_heap(void)
{
	micro("alloc_256", alloc_256);
	micro("alloc_1m", alloc_1m);
	micro("alloc_64_parallel", alloc_64_parallel);
	micro("arena_16_ptr", arena_16_ptr);
	binary_trees("binary_trees_18", 18, false);
	binary_trees("binary_trees_par_18", 18, true);
}
