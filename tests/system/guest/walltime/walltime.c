/* walltime.c: prints the time of day, many times over from several tasks, and
 * that it never went back.  tests/system/walltime.py knows what it should be. */
#include "ingot.h"

static void look(int64 *least, int64 *most, int64 *back, wait_group *wg)
{
	int64 last = unix_nano();
	*least = last;
	for (int i = 0; i < 1000; i++) {
		int64 t = unix_nano();
		*back += t < last;
		last = t;
		if (i % 64 == 0)
			gosched();
	}
	*most = last;
	wait_group_done(wg);
}

int main(void)
{
	enum { N = 8 };
	int64 least[N], most[N], back[N] = { 0 };
	wait_group wg = { 0 };
	int64 up = nanotime();
	wait_group_add(&wg, N);
	for (int i = 0; i < N; i++)
		go(look, &least[i], &most[i], &back[i], &wg);
	wait_group_wait(&wg);
	int64 lo = least[0], hi = most[0], backs = 0;
	for (int i = 0; i < N; i++) {
		lo = least[i] < lo ? least[i] : lo;
		hi = most[i] > hi ? most[i] : hi;
		backs += back[i];
	}
	println("unix %ld to %ld ns, up %ld to %ld ns, %ld times back", lo, hi, up, nanotime(), backs);
	return 0;
}
