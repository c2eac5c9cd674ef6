/* A rate limiter: a bucket of tokens allows bursts, a ticker puts in one each 10 ms. */
#include "ingot.h"

static void refill(chan(bool) bucket, int64 period)
{
	for_recv(now, new_ticker(period)->c)
		select {
			case_send(bucket, true) {}
			case_default {}
		}
}

int main(void)
{
	const int burst = 3;
	const int64 period = 10 * Millisecond;
	chan(bool) bucket = make_chan(bool, burst);
	for (int i = 0; i < burst; i++)
		send(bucket, true);
	int64 began = nanotime();
	go(refill, bucket, period);
	for (int request = 1; request <= 8; request++) {
		recv(bucket);
		println("request %d", request);
	}
	bool waited = nanotime() - began >= 5 * period;
	println("five of them waited: %s", fmt_v(waited));
	return 0;
}
