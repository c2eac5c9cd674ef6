/* Timers and tickers: after a time, each time, called by itself, and stopped in time. */
#include "ingot.h"

static void call(void *done)
{
	send((chan(bool))done, true);
}

int main(void)
{
	int64 began = nanotime();
	timer *ticker = new_ticker(5 * Millisecond);
	for (int i = 1; i <= 3; i++) {
		recv(ticker->c);
		println("tick %d", i);
	}
	timer_stop(ticker);
	bool slow = nanotime() - began >= 15 * Millisecond;
	println("three ticks took 15ms: %s", fmt_v(slow));

	chan(bool) done = make_chan(bool);
	after_func(Millisecond, call, done);
	recv(done);
	println("called");

	timer *alarm = new_timer(Hour);
	println("stopped in time: %s", fmt_v(timer_stop(alarm)));
	timer_reset(alarm, Millisecond);
	recv(alarm->c);
	println("fired; stopped in time: %s", fmt_v(timer_stop(alarm)));
	return 0;
}
