/* pool.c: pools, from the outside.
 *
 * What a pool may drop depends on the collector, which comes when it likes in
 * nasty mode: so only what may never happen is checked there, and what must
 * happen is checked between collections (num_gc unchanged). */
#include "ingot.h"
#include "test.h"

enum { TASKS = 12, ROUNDS = 400, OBJECTS = 300 };

struct thing {
	struct thing *self; /* a wrong or freed object shows */
	int64 owner;        /* the task that has it, 0: none */
	int64 n;
};

static int64 made;

static struct thing *new_thing(void)
{
	struct thing *t = new(struct thing);
	t->self = t;
	atomic_add(&made, 1);
	return t;
}

static uint32 collections(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
	return m.num_gc;
}

TEST(what_is_put_comes_back)
{
	int was = gomaxprocs(1);
	bool seen = false;
	for (int i = 0; i < 1000 && !seen; i++) {
		uint32 before = collections();
		pool(struct thing) p = make_pool(struct thing, NULL);
		CHECK(!pool_get(p));
		struct thing *a = new_thing(), *b = new_thing();
		pool_put(p, a);
		pool_put(p, b);
		pool_put(p, NULL);
		struct thing *x = pool_get(p), *y = pool_get(p);
		CHECK(!x || x == a || x == b);
		CHECK(!y || ((y == a || y == b) && y != x));
		CHECK(!pool_get(p));
		if (collections() == before) {
			CHECK(x && y);
			seen = true;
		}
	}
	CHECK(seen);
	gomaxprocs(was);
}

TEST(makes_one_when_empty)
{
	pool(struct thing) p = make_pool(struct thing, new_thing);
	int64 before = made;
	struct thing *a = pool_get(p), *b = pool_get(p);
	CHECK(a && b && a != b);
	CHECK_EQ(made - before, 2);
}

/* More than fits in one place or one chunk: all come back, each once. */
TEST(many_come_back_once)
{
	int was = gomaxprocs(1);
	bool seen = false;
	for (int i = 0; i < 20 && !seen; i++) {
		pool(struct thing) p = make_pool(struct thing, NULL);
		uint32 before = collections();
		struct thing *t;
		int got = 0;
		for (int k = 0; k < OBJECTS; k++)
			pool_put(p, new_thing());
		while ((t = pool_get(p))) {
			CHECK(t->self == t);
			CHECK_EQ(++t->n, 1);
			got++;
		}
		seen = collections() <= before + 1; /* then all was here or among the victims */
		if (seen)
			CHECK_EQ(got, OBJECTS);
		else
			CHECK(got <= OBJECTS);
	}
	gomaxprocs(was);
}

static void user(pool(struct thing) p, int64 me, wait_group *wg)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct thing *t[3];
		for (int k = 0; k < 3; k++) {
			t[k] = pool_get(p);
			if (t[k]->self != t[k])
				TEST_FAIL("not a thing");
			if (!atomic_compare_and_swap(&t[k]->owner, 0, me))
				TEST_FAIL("tasks %lld and %lld have the same", (long long)t[k]->owner, (long long)me);
		}
		if (i % 16 == 0)
			gosched();
		for (int k = 0; k < 3; k++) {
			if (atomic_swap(&t[k]->owner, 0) != me)
				TEST_FAIL("somebody else's");
			pool_put(p, t[k]);
		}
		if (i % 128 == 127 && me == 1)
			gc();
	}
	wait_group_done(wg);
}

TEST(one_object_is_in_one_hand)
{
	pool(struct thing) p = make_pool(struct thing, new_thing);
	wait_group wg = { 0 };
	wait_group_add(&wg, TASKS);
	for (int i = 0; i < TASKS; i++)
		go(user, p, i + 1, &wg);
	wait_group_wait(&wg);
	gc_verify();
}

/* A tight user makes far fewer than it uses. */
TEST(objects_are_used_again)
{
	int was = gomaxprocs(1);
	pool(struct thing) p = make_pool(struct thing, new_thing);
	uint32 gcs = collections();
	int64 before = made;
	for (int i = 0; i < 1000; i++)
		pool_put(p, pool_get(p));
	/* A collection drops nothing that is in use at least every second cycle. */
	CHECK(made - before <= 1 + (int64)(collections() - gcs));
	gomaxprocs(was);
}

static __attribute__((noinline)) void fill(pool(struct thing) p, int n)
{
	for (int i = 0; i < n; i++)
		pool_put(p, new_thing());
}

static uint64 live(void)
{
	struct mem_stats m;
	gc();
	read_mem_stats(&m);
	return m.heap_live;
}

/* Victims: one collection leaves them, two take them. */
TEST(goes_after_two_collections)
{
	int was = gomaxprocs(1);
	pool(struct thing) p = make_pool(struct thing, NULL);
	bool seen = false;
	for (int i = 0; i < 1000 && !seen; i++) {
		fill(p, 2);
		uint32 before = collections();
		gc();
		struct thing *t = pool_get(p);
		seen = collections() == before + 1;
		if (seen)
			CHECK(t && t->self == t);
	}
	CHECK(seen);
	fill(p, 5);
	gc();
	gc();
	CHECK(!pool_get(p));
	gomaxprocs(was);
}

/* Nor do forgotten pools stay. */
TEST(forgotten_pools_are_collected)
{
	uint64 before = live();
	for (int i = 0; i < 300; i++) {
		pool(struct thing) p = make_pool(struct thing, NULL);
		fill(p, 40);
	}
	gc();
	gc();
	uint64 after = live();
	if (after > before + 300 * 40 * sizeof(struct thing) / 4)
		TEST_FAIL("%llu bytes lived, now %llu", (unsigned long long)before, (unsigned long long)after);
}

TEST_MAIN
{
	RUN(what_is_put_comes_back);
	RUN(makes_one_when_empty);
	RUN(many_come_back_once);
	RUN(one_object_is_in_one_hand);
	RUN(objects_are_used_again);
	RUN(goes_after_two_collections);
	RUN(forgotten_pools_are_collected);
}
