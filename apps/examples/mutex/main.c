/* A mutex: a counter by name that many tasks use. */
#include "ingot.h"

typedef struct counter {
	mutex mu;
	map(string, int) n;
} counter;

static void inc(counter *c, string name)
{
	mutex_lock(&c->mu);
	defer(mutex_unlock, &c->mu);
	map_at(c->n, name)++;
}

static void count(counter *c, wait_group *wg, string name, int times)
{
	defer(wait_group_done, wg);
	for (int i = 0; i < times; i++)
		inc(c, name);
}

int main(void)
{
	counter c = { .n = make_map(string, int) };
	wait_group wg = {};
	wait_group_add(&wg, 3);
	go(count, &c, &wg, S("a"), 1000);
	go(count, &c, &wg, S("b"), 2000);
	go(count, &c, &wg, S("a"), 3000);
	wait_group_wait(&wg);
	print_value(c.n);
	return 0;
}
