/* timers.c: timers that are stopped, and timers and sleeps among many others. */
#include "bench.h"

static void timer_create_stop(int64 n)
{
	for (int64 i = 0; i < n; i++)
		timer_stop(new_timer(Hour));
}

static void bench_timer_reset(int64 n)
{
	timer *t = new_timer(Hour);
	for (int64 i = 0; i < n; i++)
		timer_reset(t, Hour);
	timer_stop(t);
}

/* ---- among others -------------------------------------------------------------- */

/* Spread evenly over some minutes an hour from now, the same in each run. */
static int64 far_off(int64 i)
{
	return Hour + (int64)((uint64)i * 0x9e3779b97f4a7c15u >> 32) * 100;
}

static void nothing(void *unused)
{
	(void)unused;
}

static timer *some[64]; /* of those in the heap */

/* A timer with a function stands in its P's heap: out of it and in again, many
 * by turns, for what one costs depends on who stands around it. */
static void timer_among(int64 n)
{
	for (int64 i = 0; i < n; i++)
		timer_reset(some[i & 63], far_off(i));
}

/* Due at once: into the heap, the interrupt, out of the heap, the switch. */
static void sleep_among(int64 n)
{
	for (int64 i = 0; i < n; i++)
		sleep(1);
}

static void among(void)
{
	static const struct { int n; const char *timer, *sleep; } sizes[] = {
		{ 100, "timer_among_1e2", "sleep_among_1e2" },
		{ 10000, "timer_among_1e4", "sleep_among_1e4" },
		{ 1000000, "timer_among_1e6", "sleep_among_1e6" },
	};
	int have = 0;
	for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		if (!want(sizes[i].timer) && !want(sizes[i].sleep))
			continue;
		for (; have < sizes[i].n; have++)
			some[have & 63] = after_func(far_off(have), nothing, NULL);
		micro(sizes[i].timer, timer_among);
		micro(sizes[i].sleep, sleep_among);
	}
}

/* ---- a hundred thousand that fire -------------------------------------------------- */

struct late {
	int64 due;
	double *late; /* us */
	wait_group *wg;
};

static void note(void *a)
{
	struct late *l = a;
	*l->late = (double)(nanotime() - l->due) / 1e3;
	wait_group_done(l->wg);
}

/* Due over 1 s, from 0.5 s on: what making one costs, and how late they are. */
static void timers_1e5(void)
{
	int n = quick ? 10000 : 100000;
	if (!want("timers_1e5"))
		return;
	double *late = rt_make(double, (size_t)n);
	struct late *l = rt_make(struct late, (size_t)n);
	wait_group wg = { 0 };
	wait_group_add(&wg, n);
	uint64 x = 1;
	int64 t = nanotime(), base = t + 500 * Millisecond;
	for (int i = 0; i < n; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		l[i] = (struct late){ base + (int64)(x >> 34), &late[i], &wg };
		after_func(l[i].due - nanotime(), note, &l[i]);
	}
	emit1("timers_1e5_create", "ns/timer", (double)(nanotime() - t) / n);
	wait_group_wait(&wg);
	emit_spread("timers_1e5_late", "us", late, n);
}

void bench_timers(void)
{
	micro("timer_create_stop", timer_create_stop);
	micro("timer_reset", bench_timer_reset);
	timers_1e5();
	among();
}
