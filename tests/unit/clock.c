/* clock.c: the monotonic clock agrees across cores and never goes back, and
 * the time of day goes with it.
 *
 * A reading that happens after another, on whatever core, is not smaller:
 * looked at through an atomic variable that all tasks share, and along
 * channels whose tasks move from core to core. */
#include "ingot.h"
#include "test.h"

static int64 shared; /* atomic: the most that anybody has read and said */

static void look(int n, wait_group *wg)
{
	int64 back = 0, worst = 0, last = 0;
	for (int i = 0; i < n; i++) {
		int64 said = atomic_load(&shared), t = nanotime();
		int64 least = said > last ? said : last;
		if (t < least) {
			back++;
			worst = least - t > worst ? least - t : worst;
		}
		last = t;
		while (said < t && !atomic_compare_and_swap(&shared, said, t))
			said = atomic_load(&shared);
		if (i % 1024 == 0)
			gosched();
	}
	if (back)
		TEST_FAIL("went back %ld times, by up to %ld ns", (long)back, (long)worst);
	wait_group_done(wg);
}

TEST(cores_agree)
{
	int n = 2 * num_cpu();
	wait_group wg = { 0 };
	wait_group_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(look, 3000000 / n, &wg);
	wait_group_wait(&wg);
}

static void pass_on(chan(int64) from, chan(int64) to, wait_group *wg)
{
	int64 back = 0;
	for_recv(said, from) {
		int64 t = nanotime();
		back += t < said;
		send(to, t);
	}
	close(to);
	CHECK_EQ(back, 0);
	wait_group_done(wg);
}

TEST(time_passes_along_channels)
{
	enum { RING = 8, N = 20000 };
	chan(int64) first = make_chan(int64, 2), at = first;
	wait_group wg = { 0 };
	wait_group_add(&wg, RING);
	for (int i = 0; i < RING; i++) {
		chan(int64) next = make_chan(int64, i % 3);
		go(pass_on, at, next, &wg);
		at = next;
	}
	int64 back = 0, last = 0, in_flight = 0;
	for (int i = 0; i < N; i++) {
		send(first, nanotime());
		if (++in_flight < 6)
			continue;
		int64 said = recv(at);
		in_flight--;
		back += said < last;
		last = said;
		back += nanotime() < said;
	}
	close(first);
	for_recv(said, at) {
		back += said < last;
		last = said;
	}
	CHECK_EQ(back, 0);
	wait_group_wait(&wg);
}

/* A sleeper wakes when the clock of the core where it wakes says so. */
static void sleeper(int n, wait_group *wg)
{
	int64 early = 0;
	for (int i = 0; i < n; i++) {
		int64 d = i % 7 * 10 * Microsecond, t = nanotime();
		sleep(d);
		early += nanotime() - t < d;
	}
	CHECK_EQ(early, 0);
	wait_group_done(wg);
}

TEST(nobody_wakes_early)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 20);
	for (int i = 0; i < 20; i++)
		go(sleeper, 100, &wg);
	wait_group_wait(&wg);
}

static void wall_and_monotonic(wait_group *wg)
{
	for (int i = 0; i < 1000; i++) {
		int64 a = nanotime(), w = unix_nano(), b = nanotime(), v = unix_nano(), c = nanotime();
		/* v - w lies between the steps of the other clock. */
		CHECK(v >= w && v - w <= c - a && b >= a);
		if (i % 100 == 0)
			gosched();
	}
	wait_group_done(wg);
}

TEST(the_time_of_day_goes_with_it)
{
	CHECK(unix_nano() > 0);
	wait_group wg = { 0 };
	wait_group_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		go(wall_and_monotonic, &wg);
	wait_group_wait(&wg);
}

TEST_MAIN
{
	RUN(cores_agree);
	RUN(time_passes_along_channels);
	RUN(nobody_wakes_early);
	RUN(the_time_of_day_goes_with_it);
}
