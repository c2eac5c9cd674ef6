/* ticker.c: timers and tickers with channels or functions.  After Go's
 * time/sleep.go and tick.go, on the heaps of time.c.
 *
 * A firing runs on g0 without the heap's lock, so a stop on another core may
 * come between "due" and "sent".  A lock in the timer decides: each setting
 * has a generation, a firing sends only if its generation still is the
 * current one, and a stop or reset raises it and empties the channel, all
 * under that lock.
 *
 * Invariants: the channel has room for one value, which only a firing fills;
 * fire_gen is the generation of what lies in the heap, written before it is
 * put there and after it was taken out.  A timer in a heap is alive: the
 * collector scans the heaps (timers_roots). */
#include "timer.h"
#include "chan.h"
#include "type.h"

struct ticker {
	struct hchan *c; /* all that the public struct timer shows */
	struct rt_timer t;
	struct lock lock;  /* gen, and sending against it */
	uint32_t gen;      /* settings so far, under lock */
	uint32_t fire_gen;
	void (*f)(void *); /* after_func's */
	void *arg;
};

struct call {
	void (*f)(void *);
	void *arg;
};

static void call_task(void *a)
{
	struct call *c = a;
	c->f(c->arg);
}

static void fire(void *arg, uint64_t now)
{
	struct ticker *k = arg;
	int64_t v = (int64_t)now;
	lock(&k->lock);
	if (k->gen == k->fire_gen) {
		if (k->c) {
			lock(&k->c->lock);
			if (!chan_try_send(k->c, &v))
				unlock(&k->c->lock); /* full: the receiver is slow */
		} else {
			rt_go(call_task, &(struct call){ k->f, k->arg }, sizeof(struct call));
		}
	}
	unlock(&k->lock);
}

/* Puts it into the caller's heap; it is in none. */
static void start(struct ticker *k, int64_t d)
{
	uint64_t now = plat_now(), max = UINT64_MAX - 1 - now;
	k->t.when = d <= 0 ? now : now + ((uint64_t)d > max ? max : (uint64_t)d);
	k->fire_gen = k->gen;
	timer_add(&k->t);
}

static struct ticker *make(bool with_chan)
{
	struct ticker *k = rt_malloc(sizeof *k, RT_TYPE(struct ticker));
	lock_init(&k->lock, RANK_TICKER);
	if (with_chan)
		k->c = rt_make_chan(sizeof(int64_t), RT_NOSCAN, 1);
	k->t.fn = fire;
	k->t.arg = k;
	return k;
}

struct ticker *new_timer(int64_t d)
{
	struct ticker *k = make(true);
	start(k, d);
	return k;
}

struct ticker *after_func(int64_t d, void (*f)(void *), void *arg)
{
	struct ticker *k = make(false);
	k->f = f;
	k->arg = arg;
	start(k, d);
	return k;
}

struct ticker *new_ticker(int64_t d)
{
	if (d <= 0)
		rt_panic("non-positive interval for NewTicker");
	struct ticker *k = make(true);
	k->t.period = (uint64_t)d;
	start(k, d);
	return k;
}

/* Ends the current setting; true if it had yet to fire, or nobody had seen
 * that it did.  Lock held. */
static bool end_setting(struct ticker *k)
{
	bool was = timer_del(&k->t), ok;
	int64_t v;
	k->gen++;
	if (k->c) {
		lock(&k->c->lock);
		if (k->c->qcount && chan_try_recv(k->c, &v, &ok))
			was = true;
		else
			unlock(&k->c->lock);
	}
	return was;
}

bool timer_stop(struct ticker *k)
{
	lock(&k->lock);
	bool was = end_setting(k);
	unlock(&k->lock);
	return was;
}

bool timer_reset(struct ticker *k, int64_t d)
{
	if (k->t.period && d <= 0)
		rt_panic("non-positive interval for Ticker.Reset");
	lock(&k->lock);
	bool was = end_setting(k);
	if (k->t.period)
		k->t.period = (uint64_t)d;
	start(k, d);
	unlock(&k->lock);
	return was;
}
