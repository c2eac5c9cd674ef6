/* A read-write mutex: many readers look things up while now and then one writer adds. */
#include "ingot.h"

typedef struct table {
	rwmutex mu;
	map(int, int) roots;
} table;

static bool get(table *t, int n, int *r)
{
	rwmutex_rlock(&t->mu);
	defer(rwmutex_runlock, &t->mu);
	return map_lookup(t->roots, n, r);
}

static int root(table *t, int n)
{
	int r;
	if (get(t, n, &r))
		return r;
	rwmutex_lock(&t->mu);
	defer(rwmutex_unlock, &t->mu);
	for (r = 0; r * r < n; r++)
		;
	map_set(t->roots, n, r);
	return r;
}

static void add_roots(table *t, chan(int) sums)
{
	int sum = 0;
	for (int n = 0; n < 1000; n++)
		sum += root(t, n % 100);
	send(sums, sum);
}

int main(void)
{
	table t = { .roots = make_map(int, int) };
	chan(int) sums = make_chan(int);
	for (int i = 0; i < 4; i++)
		go(add_roots, &t, sums);
	for (int i = 0; i < 4; i++)
		println("sum %d", recv(sums));
	println("%zu roots known", len(t.roots));
	return 0;
}
