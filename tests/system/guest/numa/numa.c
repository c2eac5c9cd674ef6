/* numa.c: says where memory comes from; for tests/system/numa.py.
 *
 * Each task allocates blocks of 100 KB; one counts as near when the core that asked
 * was of the same node before and after.  "fill MIB" allocates so much in one task. */
#include <string.h>
#include <stdlib.h>
#include "ingot.h"

enum { N = 400, TASKS = 4 };
static int64 near, far, seen[8];

static void taker(wait_group *wg)
{
	void **kept = rt_make(void *, N);
	for (int i = 0; i < N; i++) {
		int before = core_node();
		char *p = kept[i] = rt_malloc(100000, &rt_type_noscan);
		memset(p, 1, 100000);
		if (core_node() != before)
			continue;
		atomic_add(&seen[before], 1);
		atomic_add(memory_node(p) == before ? &near : &far, 1);
		if (i % 10 == 0)
			gosched();
	}
	gc_verify();
	wait_group_done(wg);
}

static void fill(int mib)
{
	int64 at[8] = { 0 };
	void **kept = rt_make(void *, mib);
	for (int i = 0; i < mib; i++) {
		kept[i] = rt_malloc(1 << 20, &rt_type_noscan);
		at[memory_node(kept[i])]++;
	}
	gc_verify();
	for (int i = 0; i < num_nodes(); i++)
		print("node %d has %ld MiB\n", i, at[i]);
}

int main(int argc, char **argv)
{
	print("%d nodes\n", num_nodes());
	if (argc > 2 && strcmp(argv[1], "fill") == 0) {
		fill(atoi(argv[2]));
		return 0;
	}
	wait_group wg = { 0 };
	wait_group_add(&wg, TASKS);
	for (int i = 0; i < TASKS; i++)
		go(taker, &wg);
	wait_group_wait(&wg);
	print("near %ld far %ld\n", near, far);
	for (int i = 0; i < num_nodes(); i++)
		print("cores of node %d asked %ld times\n", i, seen[i]);
	return 0;
}
