/* syncmap.c: maps for many tasks, from the outside. */
#include "ingot.h"
#include "test.h"

enum { TASKS = 12, KEYS = 64, ROUNDS = 600 };

TEST(each_operation)
{
	sync_map(string, int) m = make_sync_map(string, int);
	int v = 7;
	CHECK(!sync_map_load(m, S("a"), &v));
	CHECK_EQ(v, 0);
	sync_map_store(m, S("a"), 1);
	CHECK(sync_map_load(m, sprint("%c", 'a'), &v)); /* by content */
	CHECK_EQ(v, 1);
	CHECK(sync_map_load_or_store(m, S("a"), 5, &v));
	CHECK_EQ(v, 1);
	CHECK(!sync_map_load_or_store(m, S("b"), 5, &v));
	CHECK_EQ(v, 5);
	CHECK(sync_map_swap(m, S("b"), 6, &v));
	CHECK_EQ(v, 5);
	CHECK(!sync_map_swap(m, S("c"), 9, &v));
	CHECK_EQ(v, 0);
	CHECK(!sync_map_compare_and_swap(m, S("c"), 8, 10));
	CHECK(sync_map_compare_and_swap(m, S("c"), 9, 10));
	CHECK(!sync_map_compare_and_swap(m, S("d"), 0, 1));
	CHECK(!sync_map_compare_and_delete(m, S("c"), 9));
	CHECK(sync_map_compare_and_delete(m, S("c"), 10));
	CHECK(!sync_map_load(m, S("c"), &v));
	CHECK(sync_map_load_and_delete(m, S("b"), &v));
	CHECK_EQ(v, 6);
	CHECK(!sync_map_load_and_delete(m, S("b"), &v));
	CHECK_EQ(v, 0);
	sync_map_delete(m, S("a"));
	sync_map_delete(m, S("a"));
	for_sync_map(k, n, m)
		TEST_FAIL("%.*s is left with %d", STR(k), n);
}

struct point {
	int x, y;
};

TEST(kinds_of_keys_and_values)
{
	int a = 0, b = 0;
	sync_map(void *, string) p = make_sync_map(void *, string);
	sync_map_store(p, (void *)&a, S("a"));
	sync_map_store(p, (void *)&b, S("b"));
	string s;
	CHECK(sync_map_load(p, (void *)&b, &s) && string_eq(s, S("b")));
	CHECK(sync_map_compare_and_swap(p, (void *)&b, concat(S("b"), S("")), S("c")));
	CHECK(!sync_map_compare_and_swap(p, (void *)&a, S("x"), S("c")));

	sync_map(struct point, struct point) q = make_sync_map(struct point, struct point);
	struct point k = { 1, 2 }, v;
	sync_map_store(q, k, ((struct point){ 3, 4 }));
	CHECK(sync_map_load(q, ((struct point){ 1, 2 }), &v) && v.x == 3 && v.y == 4);
	int n = 0;
	for_sync_map_of(struct point, kk, vv, q)
		n += kk.y == 2 && vv.y == 4;
	CHECK_EQ(n, 1);

	sync_map(uint8, int) small = make_sync_map(uint8, int);
	for (int i = 0; i < 512; i++)
		sync_map_store(small, (uint8)i, i);
	n = 0;
	for_sync_map(i, x, small) {
		CHECK_EQ(x, 256 + i);
		n++;
	}
	CHECK_EQ(n, 256);
}

TEST(walks)
{
	sync_map(int, int) m = make_sync_map(int, int);
	for (int i = 0; i < 1000; i++)
		sync_map_store(m, i, i * i);
	int seen[1000] = { 0 }, n = 0;
	for_sync_map(k, v, m) {
		if (k >= 1000)
			continue; /* one of those stored meanwhile */
		CHECK_EQ(v, k * k);
		seen[k]++;
		/* The walk holds no lock. */
		sync_map_delete(m, k);
		sync_map_store(m, k + 1000, 0);
		if (++n == 500)
			break;
	}
	CHECK_EQ(n, 500);
	for_sync_map(k, v, m)
		if (k < 1000)
			seen[k]++;
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(seen[i], 1);
	sync_map_clear(m);
	for_sync_map(k, v, m)
		TEST_FAIL("%d: %d", k, v);
	sync_map_store(m, 1, 1);
	CHECK(sync_map_load(m, 1, &n));
}

static void counter(sync_map(int, int64) m, wait_group *wg)
{
	for (int i = 0; i < ROUNDS; i++) {
		int64 was;
		int k = i % KEYS;
		do
			sync_map_load_or_store(m, k, 0, &was);
		while (!sync_map_compare_and_swap(m, k, was, was + 1));
		if (i % 64 == 0)
			gosched();
	}
	wait_group_done(wg);
}

static void noise(sync_map(int, int64) m, int *stop, wait_group *wg)
{
	for (int i = 0; !atomic_load(stop); i++) {
		int64 v;
		sync_map_store(m, KEYS + i % 500, i);
		sync_map_load_and_delete(m, KEYS + (i + 250) % 500, &v);
		if (i % 100 == 0)
			for_sync_map(k, n, m)
				if (k < KEYS && (n < 0 || n > TASKS * ROUNDS))
					TEST_FAIL("%d counted %lld", k, (long long)n);
		if (i % 16 == 0)
			gosched();
	}
	wait_group_done(wg);
}

/* No update is lost while other keys come, go and are walked over. */
TEST(many_tasks)
{
	sync_map(int, int64) m = make_sync_map(int, int64);
	wait_group count = { 0 }, rest = { 0 };
	int stop = 0;
	wait_group_add(&count, TASKS);
	wait_group_add(&rest, 3);
	for (int i = 0; i < 3; i++)
		go(noise, m, &stop, &rest);
	for (int i = 0; i < TASKS; i++)
		go(counter, m, &count);
	wait_group_wait(&count);
	atomic_store(&stop, 1);
	wait_group_wait(&rest);
	int64 sum = 0;
	for_sync_map(k, v, m)
		sum += k < KEYS ? v : 0;
	CHECK_EQ(sum, TASKS * ROUNDS);
	gc_verify();
}

static int64 firsts;

static void storer(sync_map(string, int) m, int me, wait_group *wg)
{
	for (int i = 0; i < 200; i++) {
		int got;
		bool loaded = sync_map_load_or_store(m, strconv_itoa(i), me, &got);
		if (!loaded)
			atomic_add(&firsts, 1);
		if (!loaded && got != me)
			TEST_FAIL("stored %d, got %d", me, got);
	}
	wait_group_done(wg);
}

TEST(one_wins_load_or_store)
{
	sync_map(string, int) m = make_sync_map(string, int);
	wait_group wg = { 0 };
	wait_group_add(&wg, TASKS);
	for (int i = 0; i < TASKS; i++)
		go(storer, m, i, &wg);
	wait_group_wait(&wg);
	CHECK_EQ(firsts, 200);
}

/* The map keeps its entries alive. */
TEST(entries_survive_collections)
{
	sync_map(string, string) m = make_sync_map(string, string);
	for (int i = 0; i < 300; i++)
		sync_map_store(m, sprint("key %d", i), sprint("value %d", i));
	gc();
	for (int i = 0; i < 300; i++)
		new(int64);
	for (int i = 0; i < 300; i++) {
		string v;
		CHECK(sync_map_load(m, sprint("key %d", i), &v) && string_eq(v, sprint("value %d", i)));
	}
	int n = 0;
	for_sync_map(k, v, m) {
		if (n++ % 50 == 0)
			gc();
		CHECK(string_eq(slice_from(k, 4), slice_from(v, 6)));
	}
	CHECK_EQ(n, 300);
}

TEST_MAIN
{
	RUN(each_operation);
	RUN(kinds_of_keys_and_values);
	RUN(walks);
	RUN(many_tasks);
	RUN(one_wins_load_or_store);
	RUN(entries_survive_collections);
}
