/* atomic.c: the atomic operations, from the outside. */
#include "ingot.h"
#include "test.h"

enum { TASKS = 8, ROUNDS = 1000 };

TEST(each_type)
{
	int32 a = 5;
	int64 b = -1;
	uint32 c = 0xffffffffu;
	uint64 d = 1;
	bool e = false;
	int x = 1, y = 2, *p = &x;

	CHECK_EQ(atomic_load(&a), 5);
	CHECK_EQ(atomic_add(&a, -7), -2);
	CHECK_EQ(atomic_swap(&a, 9), -2);
	CHECK_EQ(a, 9);
	CHECK_EQ(atomic_add(&b, 1), 0);
	CHECK(atomic_add(&c, 1) == 0); /* wraps */
	CHECK(atomic_add(&d, (uint64)-2) == UINT64_MAX);
	atomic_store(&d, 0xf0);
	CHECK(atomic_or(&d, 0x0f) == 0xf0);
	CHECK(atomic_and(&d, 0x3c) == 0xff);
	CHECK(d == 0x3c);
	CHECK(!atomic_swap(&e, true));
	CHECK(atomic_load(&e));
	CHECK(atomic_compare_and_swap(&e, true, false));
	CHECK(!atomic_compare_and_swap(&e, true, false));
	CHECK(!atomic_compare_and_swap(&p, &y, NULL));
	CHECK(atomic_compare_and_swap(&p, &x, &y));
	CHECK(atomic_load(&p) == &y);
	CHECK(atomic_swap(&p, NULL) == &y && !p);
}

TEST(arguments_are_evaluated_once)
{
	int64 v[4] = { 0 }, *p = v;
	int n = 0;
	atomic_store(p++, n++);
	CHECK_EQ(atomic_add(p++, ++n), 2);
	CHECK(atomic_compare_and_swap(p++, n++ - 2, 7));
	CHECK_EQ(p - v, 3);
	CHECK_EQ(n, 3);
	CHECK_EQ(v[2], 7);
}

static int64 sum, by_cas;
static uint64 bits;

static void adder(int me, wait_group *wg)
{
	for (int i = 0; i < ROUNDS; i++) {
		int64 was;
		atomic_add(&sum, me);
		do
			was = atomic_load(&by_cas);
		while (!atomic_compare_and_swap(&by_cas, was, was + me));
		atomic_or(&bits, UINT64_C(1) << me);
		if (i + 1 < ROUNDS)
			atomic_and(&bits, ~(UINT64_C(1) << me));
		if (i % 128 == 0)
			gosched();
	}
	wait_group_done(wg);
}

TEST(no_update_is_lost)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, TASKS);
	for (int i = 0; i < TASKS; i++)
		go(adder, i, &wg);
	wait_group_wait(&wg);
	int64 want = (int64)ROUNDS * TASKS * (TASKS - 1) / 2;
	CHECK_EQ(sum, want);
	CHECK_EQ(by_cas, want);
	CHECK(bits == (1 << TASKS) - 1);
}

/* A lock from a swap: what was written under it is seen under it. */
static bool held;
static int64 plain;

static void swapper(wait_group *wg)
{
	for (int i = 0; i < ROUNDS / 4; i++) {
		while (atomic_swap(&held, true))
			gosched();
		plain++;
		atomic_store(&held, false);
	}
	wait_group_done(wg);
}

TEST(writes_before_are_seen_after)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, TASKS);
	for (int i = 0; i < TASKS; i++)
		go(swapper, &wg);
	wait_group_wait(&wg);
	CHECK_EQ(plain, TASKS * ROUNDS / 4);
}

/* Store buffering: each stores its own, then loads the other's; that both
 * miss the other's store is what sequential consistency forbids. */
static int32 flag[2], saw[2], start, both, next;

/* Both are here for the round-th time. */
static void meet(int32 *count, int round)
{
	atomic_add(count, 1);
	for (int spin = 0; atomic_load(count) < 2 * round; spin++)
		if (spin > 200)
			gosched();
}

static void litmus(int me, wait_group *wg)
{
	for (int i = 1; i <= 2 * ROUNDS; i++) {
		meet(&start, i);
		atomic_store(&flag[me], i);
		saw[me] = atomic_load(&flag[!me]) == i;
		meet(&both, i);
		if (me == 0 && !saw[0] && !saw[1])
			TEST_FAIL("round %d: both loads came before both stores", i);
		meet(&next, i);
	}
	wait_group_done(wg);
}

TEST(a_store_comes_before_a_later_load)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 2);
	go(litmus, 0, &wg);
	go(litmus, 1, &wg);
	wait_group_wait(&wg);
}

TEST_MAIN
{
	RUN(each_type);
	RUN(arguments_are_evaluated_once);
	RUN(no_update_is_lost);
	RUN(writes_before_are_seen_after);
	RUN(a_store_comes_before_a_later_load);
}
