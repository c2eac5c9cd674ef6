/* A worker pool: three workers take jobs from one channel and answer on another. */
#include "ingot.h"

typedef struct result {
	int n, divisors;
} result;

static void worker(chan(int) jobs, chan(result) results)
{
	for_recv(n, jobs) {
		result r = { .n = n };
		for (int d = 1; d <= n; d++)
			if (n % d == 0)
				r.divisors++;
		send(results, r);
	}
}

int main(void)
{
	chan(int) jobs = make_chan(int, 100);
	chan(result) results = make_chan(result, 100);
	for (int w = 0; w < 3; w++)
		go(worker, jobs, results);
	for (int n = 1; n <= 100; n++)
		send(jobs, n);
	close(jobs);
	result best = {};
	for (int i = 0; i < 100; i++) {
		result r = recv(results);
		if (r.divisors > best.divisors || (r.divisors == best.divisors && r.n < best.n))
			best = r;
	}
	println("%d has %d divisors", best.n, best.divisors);
	return 0;
}
