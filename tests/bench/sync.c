/* sync.c: locks, with one holder and with several tasks after them; semaphores
 * in the shape of wait groups and conds; pools; the clock.
 *
 * Results named contended or par are wall time over the ops of all tasks. */
#include "bench.h"

static uint64 counter;

/* Runs f in k tasks, n ops split between them. */
static void part(void (*f)(int64), int64 n, wait_group *wg)
{
	f(n);
	wait_group_done(wg);
}
static void par(int k, int64 n, void (*f)(int64))
{
	wait_group wg = { 0 };
	wait_group_add(&wg, k);
	for (int i = 0; i < k; i++)
		go(part, f, n / k + 1, &wg);
	wait_group_wait(&wg);
}

static mutex mu;
static void lock_unlock(int64 n)
{
	for (int64 i = 0; i < n; i++) {
		mutex_lock(&mu);
		counter++;
		mutex_unlock(&mu);
	}
}
static void mutex_contended(int64 n)
{
	par(4 * gomaxprocs(0), n, lock_unlock);
}

static rwmutex rw;
static void rwmutex_read(int64 n)
{
	for (int64 i = 0; i < n; i++) {
		rwmutex_rlock(&rw);
		rwmutex_runlock(&rw);
	}
}
static void rwmutex_read_par(int64 n)
{
	par(gomaxprocs(0), n, rwmutex_read);
}

static void waitgroup(int64 n)
{
	wait_group wg = { 0 };
	for (int64 i = 0; i < n; i++) {
		wait_group_add(&wg, 1);
		wait_group_done(&wg);
		wait_group_wait(&wg);
	}
}

static once the_once;
static void count(void)
{
	counter++;
}
static void once_again(int64 n)
{
	for (int64 i = 0; i < n; i++)
		once_do(&the_once, count);
}

struct bytes64 {
	char b[64];
};
static struct bytes64 *make64(void)
{
	return new(struct bytes64);
}
static void pool_getput(int64 n)
{
	pool(struct bytes64) p = make_pool(struct bytes64, make64);
	for (int64 i = 0; i < n; i++)
		pool_put(p, pool_get(p));
}

/* One round trip of Signal and Wait between two tasks. */
struct game {
	mutex mu;
	cond cv;
	int turn;
};
static void play(struct game *g, int me, int64 n)
{
	mutex_lock(&g->mu);
	for (int64 i = 0; i < n; i++) {
		while (g->turn != me)
			cond_wait(&g->cv);
		g->turn = 1 - me;
		cond_signal(&g->cv);
	}
	mutex_unlock(&g->mu);
}
static void play_along(struct game *g, int64 n, chan(bool) done)
{
	play(g, 1, n);
	send(done, true);
}
static void cond_pingpong(int64 n)
{
	struct game *g = new(struct game);
	g->cv.l = &g->mu;
	chan(bool) done = make_chan(bool);
	go(play_along, g, n, done);
	play(g, 0, n);
	recv(done);
}

static void read_time(int64 n)
{
	for (int64 i = 0; i < n; i++)
		counter += (uint64)nanotime();
}

void bench_sync(void)
{
	micro("mutex_contended", mutex_contended);
	micro("rwmutex_read", rwmutex_read);
	micro("rwmutex_read_par", rwmutex_read_par);
	micro("waitgroup", waitgroup);
	micro("once", once_again);
	micro("pool_getput", pool_getput);
	micro("cond_pingpong", cond_pingpong);
	micro("time_now", read_time);
}
