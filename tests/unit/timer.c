/* timer.c: timers and tickers, from the outside.
 *
 * No check depends on how late the machine is: only on order, on what may
 * never happen (early, stale, twice) and on what must happen in the end. */
#include "ingot.h"
#include "test.h"

TEST(fires_once_and_not_early)
{
	int64 t = nanotime();
	timer *k = new_timer(3 * Millisecond);
	int64 at = recv(k->c);
	CHECK(at - t >= 3 * Millisecond);
	CHECK(!timer_stop(k));
	bool again = false;
	select {
		case_recv(k->c, NULL) { again = true; }
		case_recv(after(5 * Millisecond), NULL) { }
	}
	CHECK(!again);
}

TEST(stopped_never_fires)
{
	timer *k = new_timer(Hour);
	CHECK(timer_stop(k));
	CHECK(!timer_stop(k));
	k = new_timer(2 * Millisecond);
	CHECK(timer_stop(k));
	sleep(5 * Millisecond);
	CHECK_EQ(len(k->c), 0);
}

/* Go 1.23: a value that was sent and not received is taken back. */
TEST(no_stale_value_after_stop_or_reset)
{
	timer *k = new_timer(-1);
	sleep(3 * Millisecond);
	CHECK(timer_stop(k));
	CHECK_EQ(len(k->c), 0);
	for (int i = 0; i < 200; i++) {
		int64 t = nanotime();
		timer_reset(k, i % 3 * 100 * Microsecond);
		if (i % 2)
			gosched();
		timer_reset(k, 200 * Microsecond);
		CHECK(recv(k->c) - t >= 200 * Microsecond);
	}
}

static void resetter(timer *k, int n, wait_group *wg)
{
	for (int i = 0; i < n; i++) {
		timer_reset(k, i % 4 * 20 * Microsecond);
		if (i % 16 == 0)
			timer_stop(k);
	}
	wait_group_done(wg);
}

TEST(resets_may_race)
{
	timer *k = new_timer(Hour);
	wait_group wg = { 0 };
	wait_group_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(resetter, k, 500, &wg);
	wait_group_wait(&wg);
	timer_stop(k);
	CHECK_EQ(len(k->c), 0);
	timer_reset(k, 0);
	recv(k->c);
}

TEST(ticker_ticks_and_drops)
{
	timer *k = new_ticker(Millisecond);
	int64 last = 0;
	for (int i = 0; i < 5; i++) {
		int64 at = recv(k->c);
		CHECK(at > last);
		last = at;
	}
	sleep(10 * Millisecond); /* a slow receiver finds one tick, not ten */
	CHECK(len(k->c) <= 1);
	timer_reset(k, 2 * Millisecond);
	recv(k->c);
	CHECK(timer_stop(k) || true);
	CHECK_EQ(len(k->c), 0);
}

static void called(void *p)
{
	wait_group_done(p);
}

TEST(after_func_runs_in_its_own_task)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 2);
	after_func(Millisecond, called, &wg);
	after_func(-5, called, &wg);
	timer *k = after_func(Hour, called, &wg);
	wait_group_wait(&wg);
	CHECK(timer_stop(k));
}

/* Only the heap of timers refers to it. */
TEST(a_waiting_timer_survives_collections)
{
	chan(int64) c = after(20 * Millisecond);
	for (int i = 0; i < 20; i++) {
		gc();
		new(int64);
	}
	CHECK(recv(c) > 0);
	wait_group wg = { 0 };
	wait_group_add(&wg, 50);
	for (int i = 0; i < 50; i++)
		after_func(i * 100 * Microsecond, called, &wg);
	for (int i = 0; i < 20; i++)
		gc();
	wait_group_wait(&wg);
}

TEST(select_with_a_time_limit)
{
	chan(int) never = make_chan(int);
	bool late = false;
	select {
		case_recv(never, NULL) { }
		case_recv(after(Millisecond), NULL) { late = true; }
	}
	CHECK(late);
}

TEST(huge_durations)
{
	timer *k = new_timer(INT64_MAX);
	CHECK(timer_stop(k));
	k = new_ticker(INT64_MAX);
	CHECK(timer_stop(k));
}

static string caught;
static void catch_it(void)
{
	const panicked *p = recover();
	caught = p ? p->text : S("no panic");
}
static void bad_ticker(void)
{
	defer(catch_it);
	new_ticker(0);
}

TEST(misuse_panics_in_gos_words)
{
	bad_ticker();
	CHECK(string_eq(caught, S("non-positive interval for NewTicker")));
}

TEST(many_timers_fire_in_order)
{
	enum { N = 500 };
	int was = gomaxprocs(1);
	timer *k[N];
	int64 first[N], last[N], at[N]; /* the deadline lies between first and last */
	for (int i = 0; i < N; i++) {
		int64 d = (i * 7919 % N) * 20 * Microsecond;
		first[i] = nanotime() + d;
		k[i] = new_timer(d);
		last[i] = nanotime() + d;
	}
	for (int i = 0; i < N; i++)
		at[i] = recv(k[i]->c);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			if (last[i] < first[j] && at[i] > at[j])
				TEST_FAIL("timer %d fired after timer %d", i, j);
	gomaxprocs(was);
}

TEST_MAIN
{
	RUN(fires_once_and_not_early);
	RUN(stopped_never_fires);
	RUN(no_stale_value_after_stop_or_reset);
	RUN(resets_may_race);
	RUN(ticker_ticks_and_drops);
	RUN(after_func_runs_in_its_own_task);
	RUN(a_waiting_timer_survives_collections);
	RUN(select_with_a_time_limit);
	RUN(huge_durations);
	RUN(misuse_panics_in_gos_words);
	RUN(many_timers_fire_in_order);
}
