/* timers.c: mixes about time: sleeps, timers, after_func, tickers.  Nothing
 * fires early, twice, or after it was stopped. */
#include "soak.h"

static void sleeper(struct run *r, struct rng g, wait_group *wg)
{
	for (int i = pick(&g, 1, 12); i > 0; i--) {
		int64 d = one_in(&g, 10) ? -pick(&g, 0, 5) : pick(&g, 0, 3000) * Microsecond, t = nanotime();
		sleep(d);
		LAW(r, nanotime() - t >= d, "slept %ld ns less than %ld", (long)(d - (nanotime() - t)), (long)d);
		op(r);
	}
	wait_group_done(wg);
}

void mix_sleep(struct run *r)
{
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 60); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(sleeper, r, split(&r->rng), &wg);
	}
	wait_group_wait(&wg);
}

/* Each setting of a timer ends in exactly one way: its value is received, or
 * stop or reset says that it was running.  After those no value is there. */
static void setter(struct run *r, struct rng g, wait_group *wg)
{
	int64 at, set = nanotime(), d = pick(&g, 0, 500) * Microsecond;
	timer *t = new_timer(d);
	int64 settings = 1, ended = 0;
	for (int i = pick(&g, 1, 30); i > 0; i--) {
		bool running = ended < settings;
		switch (pick(&g, 0, 3)) {
		case 0:
			if (running) {
				LAW(r, recv(t->c, &at), "a timer's channel is closed");
				LAW(r, at - set >= d, "a timer fired %ld ns early", (long)(d - (at - set)));
				ended++;
			}
			break;
		case 1:
			LAW(r, timer_stop(t) == running, "stop of a timer that %s: wrong", running ? "runs" : "ended");
			ended += running;
			select {
				case_recv(t->c, NULL) { broken(r, __FILE__, __LINE__, "a value after stop"); }
				case_default { }
			}
			break;
		case 2:
			d = pick(&g, 0, 500) * Microsecond;
			set = nanotime();
			LAW(r, timer_reset(t, d) == running, "reset of a timer that %s: wrong", running ? "runs" : "ended");
			ended += running;
			settings++;
			break;
		default:
			sleep(pick(&g, 0, 600) * Microsecond);
		}
		op(r);
	}
	if (timer_stop(t))
		ended++;
	SAME(r, "settings that ended", ended, settings);
	wait_group_done(wg);
}

void mix_timers(struct run *r)
{
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 30); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(setter, r, split(&r->rng), &wg);
	}
	wait_group_wait(&wg);
}

/* after_func: called once, unless stop says it never will be. */
struct calls {
	struct run *r;
	int64 called; /* atomic */
	wait_group wg;
};

static void called(void *arg)
{
	struct calls *k = arg;
	atomic_add(&k->called, 1);
	op(k->r);
	wait_group_done(&k->wg);
}

void mix_after_func(struct run *r)
{
	struct rng *g = &r->rng;
	for (int round = pick(g, 1, 6); round > 0; round--) {
		struct calls *k = new(struct calls, .r = r);
		timer *t[40];
		int n = pick(g, 1, 40), stopped = 0;
		wait_group_add(&k->wg, n);
		for (int i = 0; i < n; i++) {
			t[i] = after_func(pick(g, 0, 1000) * Microsecond, called, k);
			churn(g);
		}
		for (int i = pick(g, 0, n); i > 0; i--)
			if (timer_stop(t[pick(g, 0, n - 1)])) {
				stopped++;
				wait_group_done(&k->wg);
			}
		wait_group_wait(&k->wg);
		SAME(r, "functions called or stopped", k->called + stopped, n);
	}
}

static void tick_reader(struct run *r, struct rng g, wait_group *wg)
{
	int64 period = pick(&g, 50, 800) * Microsecond, at, last = 0;
	timer *t = new_ticker(period);
	for (int i = pick(&g, 1, 15); i > 0; i--) {
		LAW(r, recv(t->c, &at), "a ticker's channel is closed");
		LAW(r, at > last, "a ticker's times do not rise: %ld, %ld", (long)last, (long)at);
		last = at;
		op(r);
		if (one_in(&g, 8)) {
			int64 was = nanotime();
			period = pick(&g, 50, 800) * Microsecond;
			timer_reset(t, period);
			LAW(r, recv(t->c, &at), "a ticker's channel is closed");
			LAW(r, at - was >= period, "a ticker's first tick came %ld ns early", (long)(period - (at - was)));
		}
		churn(&g);
	}
	timer_stop(t);
	select {
		case_recv(t->c, NULL) { broken(r, __FILE__, __LINE__, "a tick after stop"); }
		case_default { }
	}
	wait_group_done(wg);
}

void mix_tickers(struct run *r)
{
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 12); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(tick_reader, r, split(&r->rng), &wg);
	}
	wait_group_wait(&wg);
}
