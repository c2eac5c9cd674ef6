/* wait.c: tasks that wait for the network, until a deadline.  After Go's
 * netpoll.go.
 *
 * A deadline's timer only wakes; whether it has passed is seen from the clock,
 * so a timer that fires late for a deadline already moved does no harm. */
#include "net.h"

void waiter_wait(struct waiter *w)
{
	w->waiting = true;
	net_unlock_to_wait();
	io_wait(&w->ev);
	net_lock();
	w->waiting = false;
}

static void fire(struct rt_timer *t, uint64_t now)
{
	io_signal(&((struct waiter *)((char *)t - offsetof(struct waiter, timer)))->ev);
}

bool waiter_expired(const struct waiter *w)
{
	int64_t d = __atomic_load_n(&w->deadline, __ATOMIC_RELAXED);
	return d && nanotime() >= d;
}

void waiter_set_deadline(struct waiter *w, int64_t t)
{
	if (w->deadline)
		timer_del(&w->timer);
	w->timer.fn = fire;
	__atomic_store_n(&w->deadline, t, __ATOMIC_RELAXED);
	if (!t)
		return;
	if (waiter_expired(w))
		waiter_wake(w);
	else
		timer_add(&w->timer, (uint64_t)t);
}
