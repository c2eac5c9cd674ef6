/* atomic.c: the atomic operations, from the outside. */
#include "ingot.h"
#include "test.h"

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

/* Tasks overlap only where there are two cores, and when these have come to
 * steal them: so they meet first, and go on at one time. */
enum { LONG = 20000 };
static int64 sum __attribute__((aligned(64)));
static int64 by_cas __attribute__((aligned(64)));
static uint64 bits __attribute__((aligned(64)));
static int32 here __attribute__((aligned(64)));

/* Waits until n have come, mostly without giving way. */
static void meet(int n)
{
	atomic_add(&here, 1);
	for (int spin = 0; atomic_load(&here) < n; spin++)
		if (spin % 1024 == 1023 || gomaxprocs(0) == 1)
			gosched();
}

static void adder(int64 me, wait_group *wg)
{
	meet(2);
	for (int i = 0; i < LONG; i++)
		atomic_add(&sum, me);
	meet(4);
	for (int i = 0; i < LONG; i++) {
		int64 was;
		do
			was = atomic_load(&by_cas);
		while (!atomic_compare_and_swap(&by_cas, was, was + me));
	}
	meet(6);
	for (int i = 0; i < LONG; i++) {
		if (atomic_or(&bits, UINT64_C(1) << me) >> me & 1)
			TEST_FAIL("bit %lld came back", (long long)me);
		if (!(atomic_and(&bits, ~(UINT64_C(1) << me)) >> me & 1))
			TEST_FAIL("bit %lld is gone", (long long)me);
	}
	wait_group_done(wg);
}

TEST(no_update_is_lost)
{
	for (int i = 0; i < 4; i++) {
		wait_group wg = { 0 };
		sum = by_cas = 0;
		here = 0;
		wait_group_add(&wg, 2);
		go(adder, 1, &wg);
		go(adder, 2, &wg);
		wait_group_wait(&wg);
		CHECK_EQ(sum, LONG * 3);
		CHECK_EQ(by_cas, LONG * 3);
		CHECK(bits == 0);
	}
}

/* A lock from a swap: what was written under it is seen under it. */
static bool held __attribute__((aligned(64)));
static int64 plain __attribute__((aligned(64)));

static void swapper(wait_group *wg)
{
	meet(2);
	for (int i = 0; i < 5 * LONG; i++) {
		for (int spin = 0; atomic_swap(&held, true); spin++)
			if (spin % 64 == 63)
				gosched();
		plain++;
		atomic_store(&held, false);
	}
	wait_group_done(wg);
}

TEST(writes_before_are_seen_after)
{
	wait_group wg = { 0 };
	here = 0;
	wait_group_add(&wg, 2);
	go(swapper, &wg);
	go(swapper, &wg);
	wait_group_wait(&wg);
	CHECK_EQ(plain, 10 * LONG);
}

/* Store buffering: each stores its own, then loads the other's; that both
 * miss the other's store is what sequential consistency forbids.  They keep
 * step by meeting before and after each batch. */
enum { BATCH = 16, BATCHES = 3000 };
static int32 flag[2][BATCH] __attribute__((aligned(64)));
static int32 saw[2][BATCH] __attribute__((aligned(64)));

static void litmus(int me, wait_group *wg)
{
	for (int i = 1; i <= BATCHES; i++) {
		meet(4 * i - 2);
		for (int k = 0; k < BATCH; k++) {
			atomic_store(&flag[me][k], i);
			saw[me][k] = atomic_load(&flag[!me][k]) == i;
		}
		meet(4 * i);
		for (int k = 0; me == 0 && k < BATCH; k++)
			if (!saw[0][k] && !saw[1][k])
				TEST_FAIL("batch %d: both loads came before both stores", i);
	}
	wait_group_done(wg);
}

TEST(a_store_comes_before_a_later_load)
{
	wait_group wg = { 0 };
	here = 0;
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
