/* latency.c: how long tasks wait: behind tight loops, past a sleep's end, for
 * a core that slept.
 *
 * Times are distributions (_p50, _p99, _max).  The two ops in ticks are the
 * time-stamp counter's: cycles on hardware, instructions under -icount, where
 * they are exact. */
#include <stdlib.h>
#include "bench.h"

static inline int64 ticks(void)
{
	return (int64)__builtin_ia32_rdtsc();
}

/* ---- tight loops --------------------------------------------------------------- */

static volatile bool stop;
static volatile uint64 turns; /* of all loops */

static void tight_loop(wait_group *wg)
{
	while (!stop)
		turns++;
	wait_group_done(wg);
}

static void loops_start(wait_group *wg, int n)
{
	stop = false;
	wait_group_add(wg, n);
	for (int i = 0; i < n; i++)
		go(tight_loop, wg);
}
static void loops_stop(wait_group *wg)
{
	stop = true;
	wait_group_wait(wg);
}

/* A task that yields shares one P with n tight loops: how long it waits for
 * its turn, counting only the yields that let a loop in. */
static void preempt_wait(const char *name, int loops)
{
	if (!want(name))
		return;
	int was = gomaxprocs(1), n = quick ? 20 : 100;
	double v[100];
	wait_group wg = { 0 };
	loops_start(&wg, loops);
	for (int i = 0; i < n;) {
		uint64 before = turns;
		int64 t = nanotime();
		gosched();
		int64 d = nanotime() - t;
		if (turns != before)
			v[i++] = (double)d / 1e6;
	}
	loops_stop(&wg);
	gomaxprocs(was);
	emit_spread(name, "ms", v, n);
}

/* What a sleep takes beyond its length, on cores that are idle or busy. */
static void sleep_over(const char *name, int64 length, bool busy)
{
	if (!want(name))
		return;
	int n = quick ? 200 : 1000;
	double *v = rt_make(double, (size_t)n);
	wait_group wg = { 0 };
	if (busy)
		loops_start(&wg, gomaxprocs(0));
	for (int i = 0; i < n; i++) {
		int64 t = nanotime();
		sleep(length);
		v[i] = (double)(nanotime() - t - length) / 1e3;
	}
	if (busy)
		loops_stop(&wg);
	emit_spread(name, "us", v, n);
}

/* ---- preemption, from the interrupt to the next task's first instruction -------
 *
 * Means, because every other time the next task comes from the global queue. */

static volatile int64 seen; /* time << 1 | who: one store, for an interrupt may come between two */
static struct {
	int64 n, sum;
} volatile gaps[2]; /* till the same task again; till the other */

/* Notes the gaps in its own time.  One that is interrupted between the clock and
 * the store leaves a time of long ago: such gaps are left out. */
static void watch(int me, wait_group *wg)
{
	while (!stop) {
		int64 now = ticks(), last = seen, gap = now - (last >> 1);
		seen = now << 1 | me;
		int other = (last & 1) != me;
		if (gap > 150 && gap < 50000) {
			gaps[other].n++;
			gaps[other].sum += gap;
			stop = gaps[1].n >= 400;
		}
	}
	wait_group_done(wg);
}

static void preempt_switch(void)
{
	if (!want("preempt_switch") && !want("timer_irq"))
		return;
	int was = gomaxprocs(1);
	int64 quantum = set_quantum(200 * Microsecond);
	wait_group wg = { 0 };
	wait_group_add(&wg, 2);
	stop = false;
	for (int i = 0; i < 2; i++)
		gaps[i].n = gaps[i].sum = 0;
	seen = ticks() << 1;
	go(watch, 0, &wg);
	go(watch, 1, &wg);
	wait_group_wait(&wg);
	set_quantum(quantum);
	gomaxprocs(was);
	if (want("preempt_switch"))
		emit1("preempt_switch", "ticks", (double)gaps[1].sum / (double)gaps[1].n);
	if (want("timer_irq"))
		emit1("timer_irq", "ticks", (double)gaps[0].sum / (double)gaps[0].n);
}

/* ---- waking a core ---------------------------------------------------------------- */

static volatile int64 woken_at;

static void sleeper(chan(bool) c)
{
	for_recv(unused, c) {
		(void)unused;
		woken_at = ticks();
	}
}

/* From a send on this core to the receiver's first instruction on another,
 * which was asleep: this one does not give way. */
static void wake_core(void)
{
	if (!want("wake_core") && !want("wake_core_time"))
		return;
	if (gomaxprocs(0) < 2)
		return;
	int n = quick ? 50 : 500;
	double *v = rt_make(double, (size_t)n), *w = rt_make(double, (size_t)n);
	chan(bool) c = make_chan(bool);
	go(sleeper, c);
	for (int i = 0; i < n; i++) {
		/* By then it waits, and its core sleeps. */
		for (int64 t = nanotime(); nanotime() - t < 300 * Microsecond;)
			__builtin_ia32_pause();
		woken_at = 0;
		int64 t = nanotime(), begin = ticks();
		send(c, true);
		while (woken_at == 0)
			__builtin_ia32_pause();
		w[i] = (double)(nanotime() - t) / 1e3;
		v[i] = (double)(woken_at - begin);
	}
	close(c);
	if (want("wake_core"))
		emit("wake_core", "ticks", v, n);
	if (want("wake_core_time"))
		emit_spread("wake_core_time", "us", w, n);
}

void bench_latency(void)
{
	preempt_switch();
	wake_core();
	preempt_wait("preempt_wait", 1);
	preempt_wait("preempt_wait_4", 4);
	sleep_over("sleep_100us_over", 100 * Microsecond, false);
	sleep_over("sleep_1ms_over", Millisecond, false);
	sleep_over("sleep_1ms_over_busy", Millisecond, true);
}
