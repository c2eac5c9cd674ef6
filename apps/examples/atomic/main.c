/* Atomic operations: a counter, a maximum and a flag without a lock. */
#include "ingot.h"

static int64 hits, highest;
static int32 leader;

static void visit(int64 id, wait_group *wg)
{
	defer(wait_group_done, wg);
	if (atomic_compare_and_swap(&leader, 0, 1))
		println("one of them is the leader");
	for (int n = 0; n < 1000; n++)
		atomic_add(&hits, 1);
	int64 old = atomic_load(&highest);
	while (old < id && !atomic_compare_and_swap(&highest, old, id))
		old = atomic_load(&highest);
}

int main(void)
{
	wait_group wg = {};
	for (int id = 1; id <= 20; id++) {
		wait_group_add(&wg, 1);
		go(visit, id, &wg);
	}
	wait_group_wait(&wg);
	println("hits %ld highest %ld", hits, highest);
	return 0;
}
