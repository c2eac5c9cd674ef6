/* ticker.c: timers and tickers with channels or functions.  After Go's
 * time/sleep.go, tick.go and the channel timers of Go 1.23's runtime/time.go.
 *
 * A timer with a channel is mostly just a number: the time when it is due.
 * It stands in a heap only while some task waits for it on its channel; whoever
 * comes later looks at the clock himself.  So making and stopping a timer
 * that nobody waits for touches neither a heap nor the hardware, and a timer
 * that nobody can reach is garbage, running or not: only the tasks that wait
 * keep it, and they have it on their stacks.
 *
 * The channel has no buffer (Go 1.23: length and capacity 0).  A due timer
 * hands its value to who receives, and is then over (or a ticker set to its
 * next tick).  No value lies anywhere meanwhile, so there is none to be stale
 * after a stop or reset.  The value is the time when the timer was due.
 *
 * A timer with a function stands in a heap until it fires; the heaps are
 * roots of the collector.
 *
 * Invariants, under the channel's lock: a timer with a channel is in a heap,
 * for its `when`, if and only if it is set and a task is queued to receive, but
 * for moments between a firing's leaving the heap and its having the lock, and
 * between a task's wake-up by another case of its select and its leaving. */
#include "timer.h"
#include "chan.h"
#include "type.h"

/* The public struct timer of either kind is the first field. */
struct ticker {
	struct hchan *c;   /* &chan; constant */
	struct rt_timer t;
	uint64_t when;     /* due, 0: stopped or over; under chan.lock */
	uint64_t period;   /* ns, 0: fires once; under chan.lock */
	struct hchan chan;
};

static inline struct ticker *ticker_of(struct hchan *c)
{
	return (struct ticker *)((char *)c - offsetof(struct ticker, chan));
}

struct func_timer {
	struct hchan *c;   /* NULL; constant */
	struct rt_timer t;
	struct lock lock;  /* resets against each other */
	void (*f)(void *); /* constant */
	void *arg;         /* constant */
};

static uint64_t deadline(int64_t d)
{
	uint64_t now = plat_now(), max = UINT64_MAX - 1 - now;
	return d <= 0 ? now : now + ((uint64_t)d > max ? max : (uint64_t)d);
}

/* ---- with a channel; its lock held -------------------------------------------- */

static inline bool due(const struct ticker *k, uint64_t now)
{
	return k->when - 1 < now; /* 0 is not */
}

/* What it being due at `now` gives: the value.  A late ticker drops ticks. */
static int64_t take(struct ticker *k, uint64_t now)
{
	uint64_t v = k->when;
	k->when = k->period ? v + k->period * (1 + (now - v) / k->period) : 0;
	return (int64_t)v;
}

/* After a change of `when` or of the queue: makes the invariant hold. */
static void settle(struct ticker *k)
{
	if (at_load(&k->t.heap_pos)) /* who puts it there has the lock */
		timer_del(&k->t);
	if (k->when && k->chan.recvq.first)
		timer_add(&k->t, k->when);
}

bool timer_chan_take(struct hchan *c, void *elem)
{
	struct ticker *k = ticker_of(c);
	uint64_t now = plat_now();
	if (!due(k, now) || c->recvq.first) /* others were first: it is about to fire for them */
		return false;
	int64_t v = take(k, now);
	if (elem)
		*(int64_t *)elem = v;
	return true;
}

void timer_chan_wait(struct hchan *c)
{
	struct ticker *k = ticker_of(c);
	if (k->when && !at_load(&k->t.heap_pos))
		timer_add(&k->t, k->when);
}

void timer_chan_left(struct hchan *c)
{
	struct ticker *k = ticker_of(c);
	if (!c->recvq.first && at_load(&k->t.heap_pos))
		timer_del(&k->t);
}

static void fire(struct rt_timer *t, uint64_t now)
{
	struct ticker *k = (struct ticker *)((char *)t - offsetof(struct ticker, t));
	struct sudog *s = NULL;
	lock(&k->chan.lock);
	if (due(k, now) && (s = waitq_pop(&k->chan.recvq, rt_alone))) {
		int64_t v = take(k, now);
		if (s->elem)
			*(int64_t *)s->elem = v;
	}
	settle(k);
	struct g *g = s ? s->g : NULL;
	unlock(&k->chan.lock);
	if (g)
		ready(g, true);
}

/* Without pointers for the collector: its only one is into itself. */
static inline struct ticker *make(int64_t d, int64_t period)
{
	struct ticker *k = rt_malloc(sizeof *k, RT_NOSCAN);
	k->t.fn = fire;
	k->when = deadline(d);
	k->period = (uint64_t)period;
	lock_init(&k->chan.lock, RANK_CHAN);
	k->chan.qcount = CHAN_TIMER;
	k->c = &k->chan;
	return k;
}

struct ticker *new_timer(int64_t d)
{
	return make(d, 0);
}

struct ticker *new_ticker(int64_t d)
{
	if (d <= 0)
		rt_panic("non-positive interval for NewTicker");
	return make(d, d);
}

/* ---- with a function --------------------------------------------------------------- */

static void call(struct rt_timer *t, uint64_t now)
{
	struct func_timer *k = (struct func_timer *)((char *)t - offsetof(struct func_timer, t));
	(void)now;
	rt_go_call(k->f, k->arg);
}

struct ticker *after_func(int64_t d, void (*f)(void *), void *arg)
{
	struct func_timer *k = rt_malloc(sizeof *k, RT_TYPE(struct func_timer));
	lock_init(&k->lock, RANK_TICKER);
	k->t.fn = call;
	k->f = f;
	k->arg = arg;
	timer_add(&k->t, deadline(d));
	return (struct ticker *)k;
}

/* ---- both ---------------------------------------------------------------------------- */

bool timer_stop(struct ticker *k)
{
	if (!k->c)
		return timer_del(&((struct func_timer *)k)->t);
	lock(&k->chan.lock);
	bool was = k->when != 0;
	k->when = 0;
	if (unlikely(at_load(&k->t.heap_pos)))
		settle(k);
	unlock(&k->chan.lock);
	return was;
}

bool timer_reset(struct ticker *k, int64_t d)
{
	bool was;
	if (!k->c) {
		struct func_timer *f = (struct func_timer *)k;
		lock(&f->lock);
		was = timer_del(&f->t);
		timer_add(&f->t, deadline(d));
		unlock(&f->lock);
		return was;
	}
	if (at_load(&k->period) && d <= 0)
		rt_panic("non-positive interval for Ticker.Reset");
	lock(&k->chan.lock);
	was = k->when != 0;
	k->when = deadline(d);
	if (k->period)
		at_store(&k->period, (uint64_t)d);
	if (unlikely(k->chan.recvq.first != NULL || at_load(&k->t.heap_pos)))
		settle(k);
	unlock(&k->chan.lock);
	return was;
}
