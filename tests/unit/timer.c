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

static void sleep_and_say(int64 d, bool *woke)
{
	sleep(d);
	*woke = true;
}

TEST(sleeps_of_any_length)
{
	static bool woke[4];
	static const int64 none[] = { 0, -1, INT64_MIN, 1 };
	int64 t = nanotime();
	for (int i = 0; i < 4; i++)
		sleep(none[i]);
	CHECK(nanotime() > t);
	static const int64 ever[] = { INT64_MAX, INT64_MAX - 1, 1LL << 62, 290LL * 365 * 24 * Hour };
	for (int i = 0; i < 4; i++)
		go(sleep_and_say, ever[i], &woke[i]);
	sleep(2 * Millisecond);
	for (int i = 0; i < 4; i++)
		CHECK(!woke[i]);
}

static string caught;
static void catch_it(void)
{
	const panicked *p = recover();
	caught = p ? p->text : S("no panic");
}
static void bad_ticker(int64 d)
{
	defer(catch_it);
	new_ticker(d);
}
static void bad_reset(timer *k, int64 d)
{
	defer(catch_it);
	timer_reset(k, d);
}

TEST(misuse_panics_in_gos_words)
{
	static const int64 bad[] = { 0, -1, INT64_MIN };
	timer *k = new_ticker(Hour), *once = new_timer(Hour);
	for (int i = 0; i < 3; i++) {
		caught = S("");
		bad_ticker(bad[i]);
		CHECK(string_eq(caught, S("non-positive interval for NewTicker")));
		caught = S("");
		bad_reset(k, bad[i]);
		CHECK(string_eq(caught, S("non-positive interval for Ticker.Reset")));
		caught = S("");
		bad_reset(once, bad[i]); /* but a timer that was due in the past fires at once */
		CHECK(string_eq(caught, S("no panic")));
		recv(once->c);
	}
	CHECK(timer_stop(k)); /* the bad ones changed nothing */
}

/* ---- Go 1.23: channels without a buffer, values without a past -------------------- */

TEST(a_timers_channel_has_no_buffer)
{
	timer *k = new_timer(-1), *t = new_ticker(1);
	sleep(Millisecond);
	CHECK_EQ(len(k->c), 0);
	CHECK_EQ(cap(k->c), 0);
	CHECK_EQ(len(t->c), 0);
	CHECK_EQ(cap(t->c), 0);
	bool got = false;
	select { /* yet it is there to be received */
		case_recv(k->c, NULL) { got = true; }
		case_default { }
	}
	CHECK(got);
	CHECK(recv(t->c) > 0);
	CHECK(timer_stop(t));
	select {
		case_recv(t->c, NULL) { TEST_FAIL("a tick after the stop"); }
		case_recv(k->c, NULL) { TEST_FAIL("a second firing"); }
		case_default { }
	}
}

TEST(the_value_is_when_it_was_due)
{
	int64 before = nanotime();
	timer *k = new_timer(2 * Millisecond), *t = new_ticker(2 * Millisecond);
	int64 after = nanotime();
	sleep(9 * Millisecond); /* nobody was there when they were */
	int64 at = recv(k->c), tick = recv(t->c), next = recv(t->c);
	CHECK(at >= before + 2 * Millisecond && at <= after + 2 * Millisecond);
	CHECK(tick >= before + 2 * Millisecond && tick <= after + 2 * Millisecond);
	CHECK_EQ((next - tick) % (2 * Millisecond), 0);
	CHECK(next - tick >= 6 * Millisecond); /* what was missed is missed */
	CHECK(timer_stop(t));
}

TEST(a_stopped_timer_can_be_set_again)
{
	for (int i = 0; i < 20; i++) {
		timer *k = new_timer(i % 2 ? Hour : -1);
		CHECK(timer_stop(k));
		CHECK(!timer_reset(k, Millisecond));
		CHECK(timer_reset(k, i % 3 ? -1 : Millisecond));
		recv(k->c);
		CHECK(!timer_stop(k));
	}
}

/* A reset while tasks wait: they get the new setting's values, one each. */
static void get_one(chan(int64) c, int64 *at, wait_group *wg)
{
	*at = recv(c);
	wait_group_done(wg);
}

TEST(waiters_follow_resets)
{
	enum { N = 5 };
	timer *k = new_ticker(Hour);
	int64 at[N];
	wait_group wg = { 0 };
	wait_group_add(&wg, N);
	for (int i = 0; i < N; i++)
		go(get_one, k->c, &at[i], &wg);
	for (int i = 0; i < 10; i++)
		gosched();
	timer_stop(k); /* while they wait */
	sleep(Millisecond);
	int64 t = nanotime();
	CHECK(!timer_reset(k, 300 * Microsecond));
	wait_group_wait(&wg);
	timer_stop(k);
	for (int i = 0; i < N; i++) {
		CHECK(at[i] >= t + 300 * Microsecond);
		for (int j = 0; j < i; j++)
			CHECK(at[i] != at[j]);
	}
}

/* Every setting ends once: by a value received, or by the stop or reset that
 * says so.  Receivers by all ways of receiving, and resets from many tasks. */
static struct {
	timer *k;
	int64 ended;            /* atomic: stops and resets that were true */
	int64 received;         /* atomic */
	int64 settings;         /* atomic */
	bool over;              /* atomic */
} race;

static void racing_setter(int n, uint32_t seed, wait_group *wg)
{
	for (int i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		bool was;
		if (seed >> 28 == 0) {
			was = timer_stop(race.k);
		} else {
			was = timer_reset(race.k, (int64)(seed >> 16) % 8 * 10 * Microsecond - 10 * Microsecond);
			atomic_add(&race.settings, 1);
		}
		if (was)
			atomic_add(&race.ended, 1);
		if (seed >> 24 & 1)
			gosched();
		else if ((seed >> 20 & 15) == 0)
			sleep(20 * Microsecond);
	}
	wait_group_done(wg);
}

static void racing_receiver(int how, chan(bool) quit, wait_group *wg)
{
	for (bool over = false; !over;) {
		bool got = false;
		if (how == 0) {
			select {
				case_recv(race.k->c, NULL) { got = true; }
				case_recv(quit, NULL) { over = true; }
			}
		} else if (how == 1) {
			select {
				case_recv(race.k->c, NULL) { got = true; }
				case_recv(after(30 * Microsecond), NULL) { over = atomic_load(&race.over); }
			}
		} else {
			select {
				case_recv(race.k->c, NULL) { got = true; }
				case_default { over = atomic_load(&race.over); gosched(); }
			}
		}
		if (got)
			atomic_add(&race.received, 1);
	}
	wait_group_done(wg);
}

TEST(each_setting_ends_once)
{
	enum { SETTERS = 4, RECEIVERS = 6, N = 1000 };
	chan(bool) quit = make_chan(bool);
	wait_group setters = { 0 }, receivers = { 0 };
	race.k = new_timer(0);
	race.ended = race.received = 0;
	race.settings = 1;
	race.over = false;
	wait_group_add(&setters, SETTERS);
	wait_group_add(&receivers, RECEIVERS);
	for (int i = 0; i < RECEIVERS; i++)
		go(racing_receiver, i % 3, quit, &receivers);
	for (int i = 0; i < SETTERS; i++)
		go(racing_setter, N, (uint32_t)i * 77777 + 1, &setters);
	wait_group_wait(&setters);
	if (timer_stop(race.k))
		atomic_add(&race.ended, 1);
	atomic_store(&race.over, true);
	close(quit);
	wait_group_wait(&receivers);
	CHECK_EQ(atomic_load(&race.ended) + atomic_load(&race.received), atomic_load(&race.settings));
	CHECK(!timer_stop(race.k));
}

static void count_call(void *p)
{
	atomic_add((int64 *)p, 1);
}

TEST(each_setting_of_a_function_ends_once)
{
	static int64 calls;
	enum { SETTERS = 4, N = 500 };
	wait_group wg = { 0 };
	wait_group_add(&wg, SETTERS);
	calls = 0;
	race.k = after_func(0, count_call, &calls);
	race.ended = 0;
	race.settings = 1;
	for (int i = 0; i < SETTERS; i++)
		go(racing_setter, N, (uint32_t)i * 99991 + 5, &wg);
	wait_group_wait(&wg);
	if (timer_stop(race.k))
		atomic_add(&race.ended, 1);
	while (atomic_load(&calls) + race.ended < race.settings) /* some may be about to run */
		gosched();
	sleep(Millisecond);
	CHECK_EQ(atomic_load(&calls) + race.ended, race.settings);
}

/* The timers of a core that goes out of use move: none is lost or stopped twice. */
static void count_settings(timer **k, int n, uint32_t seed, int64 *sums, wait_group *wg)
{
	int64 ended = 0, settings = 0;
	for (int i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		timer *t = k[seed >> 8 & 63];
		if (seed >> 30 == 0) {
			ended += timer_stop(t);
		} else {
			ended += timer_reset(t, seed >> 29 & 1 ? Hour : (int64)(seed >> 16) % 64 * Microsecond);
			settings++;
		}
		if (i % 8 == 0)
			gosched();
	}
	atomic_add(&sums[0], settings);
	atomic_add(&sums[1], ended);
	atomic_add(&sums[2], -1);
	wait_group_done(wg);
}

TEST(timers_move_with_gomaxprocs)
{
	static int64 calls, sums[3];
	static timer *k[64];
	wait_group wg = { 0 };
	calls = 0;
	sums[0] = 64;
	sums[1] = 0;
	sums[2] = 4; /* setters at work */
	for (int i = 0; i < 64; i++)
		k[i] = after_func(Hour, count_call, &calls);
	wait_group_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(count_settings, k, 3000, (uint32_t)i * 31337 + 7, sums, &wg);
	int was = gomaxprocs(0);
	for (int i = 0; i < 1000 && atomic_load(&sums[2]); i++) {
		gomaxprocs(1 + i % was);
		gosched();
	}
	gomaxprocs(was);
	wait_group_wait(&wg);
	for (int i = 0; i < 64; i++)
		sums[1] += timer_stop(k[i]);
	while (atomic_load(&calls) + sums[1] < sums[0])
		gosched();
	sleep(Millisecond);
	CHECK_EQ(atomic_load(&calls) + sums[1], sums[0]);
}

static struct {
	timer *k;
	int n;
	bool stopped;
	chan(bool) done;
} self;
static void set_itself(void *unused)
{
	(void)unused;
	if (++self.n < 5) {
		timer_reset(self.k, 50 * Microsecond);
		return;
	}
	self.stopped = timer_stop(self.k); /* it runs: no more */
	send(self.done, true);
}

TEST(a_function_may_set_and_stop_its_timer)
{
	self.done = make_chan(bool);
	self.n = 0;
	self.k = after_func(Hour, set_itself, NULL);
	CHECK(timer_reset(self.k, 0));
	recv(self.done);
	CHECK(!self.stopped);
	CHECK_EQ(self.n, 5);
	CHECK(!timer_stop(self.k));
}

/* ---- what nobody can reach ------------------------------------------------------- */

static uint64 heap_after_gc(void)
{
	struct mem_stats m;
	gc();
	gc();
	read_mem_stats(&m);
	return m.heap_alloc;
}

static __attribute__((noinline)) void make_and_drop(int n)
{
	for (int i = 0; i < n; i++) {
		timer *k = i % 2 ? new_ticker(Millisecond) : new_timer(Hour);
		if (i % 16 == 1) /* was in a heap, for this */
			recv(k->c);
		if (i % 16 == 3) {
			select {
				case_recv(k->c, NULL) { }
				case_recv(after(Microsecond), NULL) { }
			}
		}
	}
}

TEST(running_timers_that_nobody_can_reach_are_freed)
{
	struct mem_stats m;
	enum { N = 4000 };
	uint64 before = heap_after_gc();
	make_and_drop(N);
	read_mem_stats(&m);
	uint64 most = m.heap_alloc, left = heap_after_gc();
	CHECK(most > before + N * 100 || m.num_gc > 0);
	/* What a stale word on a stack may still hold is a few. */
	if (left > before + 20 * 144)
		TEST_FAIL("%lu bytes before, %lu left of %d timers", (unsigned long)before, (unsigned long)left, N);
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
	RUN(sleeps_of_any_length);
	RUN(misuse_panics_in_gos_words);
	RUN(a_timers_channel_has_no_buffer);
	RUN(the_value_is_when_it_was_due);
	RUN(a_stopped_timer_can_be_set_again);
	RUN(waiters_follow_resets);
	RUN(each_setting_ends_once);
	RUN(each_setting_of_a_function_ends_once);
	RUN(timers_move_with_gomaxprocs);
	RUN(a_function_may_set_and_stop_its_timer);
	RUN(running_timers_that_nobody_can_reach_are_freed);
	RUN(many_timers_fire_in_order);
}
