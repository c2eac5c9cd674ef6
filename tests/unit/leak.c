/* leak.c: task_leaks() finds the tasks that nobody can wake, and never one that
 * somebody can.  The order of tests matters: those that nothing may be found
 * in come before anything is leaked. */
#include "ingot.h"
#include "test.h"

#define NOINLINE __attribute__((noinline))

/* What a test leaks is made by a task that has ended when it is looked for, so
 * no stack or register of the looker holds a pointer to it. */
static void run_and_end(void (*f)(void), wait_group *wg)
{
	f();
	wait_group_done(wg);
}

/* Tasks that wait before anybody looks. */
static int settled(void)
{
	for (int quiet = 0, last = -1; quiet < 20; quiet++) {
		int n = num_task();
		if (n != last)
			quiet = 0;
		last = n;
		sleep(Millisecond / 2);
	}
	return task_leaks(false);
}

/* How many tasks f leaked: the ones before it stay leaked.  What is found is
 * leaked, but a stale word on a reused stack may hide one. */
static int leaked_by(void (*f)(void))
{
	wait_group wg = { 0 };
	int before = settled();

	wait_group_add(&wg, 1);
	go(run_and_end, f, &wg);
	wait_group_wait(&wg);
	return settled() - before;
}

static bool finds(void (*f)(void), int n)
{
	int found = 0;
	for (int attempt = 0; attempt < 5 && found < n; attempt++)
		found = leaked_by(f);
	return found >= n;
}

/* ---- leaked: one of each kind ---------------------------------------------- */

static void receives(chan(int) c)
{
	recv(c);
}
static void sends(chan(int) c)
{
	send(c, 1);
}
static void selects(chan(int) a, chan(int) b)
{
	select {
		case_recv(a, NULL) { }
		case_send(b, 1) { }
	}
}
static void selects_many(int n)
{
	select {
		for (int i = 0; i < n; i++)
			case_recv(make_chan(int), NULL) { }
	}
}
static void selects_nothing(void)
{
	select { }
}
static void locks(mutex *m)
{
	mutex_lock(m);
}
static void rlocks(rwmutex *m)
{
	rwmutex_rlock(m);
}
static void wlocks(rwmutex *m)
{
	rwmutex_lock(m);
}
static void waits(wait_group *wg)
{
	wait_group_wait(wg);
}
struct event {
	mutex m;
	cond c;
};
static void waits_event(struct event *e)
{
	e->c.l = &e->m;
	mutex_lock(&e->m);
	cond_wait(&e->c);
}

static void leak_recv(void) { go(receives, make_chan(int)); }
static void leak_send(void) { go(sends, make_chan(int)); }
static void leak_nil(void) { go(receives, (chan(int))NULL); go(sends, (chan(int))NULL); }
static void leak_select(void) { go(selects, make_chan(int), make_chan(int)); go(selects, (chan(int))NULL, (chan(int))NULL); }
static void leak_select_many(void) { go(selects_many, 14); }
static void leak_select_nothing(void) { go(selects_nothing); }
static void leak_mutex(void)
{
	mutex *m = new(mutex);
	mutex_lock(m);
	go(locks, m);
}
static void leak_rwmutex(void)
{
	rwmutex *m = new(rwmutex), *n = new(rwmutex);
	rwmutex_lock(m);
	go(rlocks, m);
	go(wlocks, m);
	rwmutex_rlock(n);
	go(wlocks, n);
}
static void leak_wait_group(void)
{
	wait_group *wg = new(wait_group);
	wait_group_add(wg, 1);
	go(waits, wg);
	go(waits, wg);
}
static void leak_cond(void) { go(waits_event, new(struct event)); }
static void acquires(semaphore *k)
{
	must(semaphore_acquire(k, context_background(), 1));
}
static void leak_semaphore(void)
{
	semaphore *s = new_semaphore(1);
	must(semaphore_acquire(s, context_background(), 1));
	go(acquires, s);
}
static void waits_for_timer(timer *t)
{
	recv(t->c);
}
static void leak_stopped_timer(void)
{
	timer *t = new_timer(1000 * Second);
	timer_stop(t);
	go(waits_for_timer, t);
}

TEST(finds_every_kind)
{
	CHECK(finds(leak_recv, 1));
	CHECK(finds(leak_send, 1));
	CHECK(finds(leak_nil, 2));
	CHECK(finds(leak_select, 2));
	CHECK(finds(leak_select_many, 1));
	CHECK(finds(leak_select_nothing, 1));
	CHECK(finds(leak_mutex, 1));
	CHECK(finds(leak_rwmutex, 3));
	CHECK(finds(leak_wait_group, 2));
	CHECK(finds(leak_cond, 1));
	CHECK(finds(leak_semaphore, 1));
	CHECK(finds(leak_stopped_timer, 1));
	gc_verify();
}

/* ---- leaked together ---------------------------------------------------------- */

static void receives_then_sends(chan(int) from, chan(int) to)
{
	send(to, recv(from));
}
static void leak_circle(void)
{
	enum { N = 10 };
	chan(int) c[N];
	for (int i = 0; i < N; i++)
		c[i] = make_chan(int);
	for (int i = 0; i < N; i++)
		go(receives_then_sends, c[i], c[(i + 1) % N]);
}

TEST(finds_tasks_that_wait_for_each_other)
{
	CHECK(finds(leak_circle, 10));
}

/* ---- not leaked ----------------------------------------------------------------- */

static chan(int) global_chan;
static mutex global_mutex;
struct box {
	chan(int) c;
	struct box *next;
};
static struct box *boxes;

static void wait_on_globals(void)
{
	boxes = new(struct box);
	boxes->next = new(struct box);
	boxes->next->c = make_chan(int);
	global_chan = make_chan(int);
	mutex_lock(&global_mutex);
	go(receives, global_chan);
	go(selects, (chan(int))NULL, boxes->next->c);
	go(locks, &global_mutex);
}

static void sleeps_with(chan(int) c, int64 ns)
{
	sleep(ns);
	send(c, 1);
}
static void wait_on_a_sleeper(void)
{
	chan(int) c = make_chan(int);
	go(receives, c);
	go(sleeps_with, c, 100000 * Second);
}

static void sends_late(void *c)
{
	send((chan(int))c, 1);
}
static void selects_after(void)
{
	select {
		case_recv(make_chan(int), NULL) { }
		case_recv(after(100000 * Second), NULL) { }
	}
}
static void wait_on_timers(void)
{
	chan(int) c = make_chan(int);
	go(receives, c);
	after_func(100000 * Second, sends_late, c);
	go(waits_for_timer, new_timer(100000 * Second));
	go(waits_for_timer, new_ticker(100000 * Second));
	go(selects_after);
}

static void done_late(wait_group *w, chan(int) k)
{
	recv(k);
	wait_group_done(w);
}
static void waits_on_own_stack(chan(int) c)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 1);
	go(done_late, &wg, c);
	wait_group_wait(&wg);
}
static void wait_on_a_stack(void)
{
	go(waits_on_own_stack, global_chan);
}

TEST(never_calls_a_live_task_leaked)
{
	CHECK_EQ(leaked_by(wait_on_globals), 0);
	CHECK_EQ(leaked_by(wait_on_a_sleeper), 0);
	CHECK_EQ(leaked_by(wait_on_timers), 0);
	CHECK_EQ(leaked_by(wait_on_a_stack), 0);
}

/* ---- chains: each keeps the next one alive ---------------------------------------- */

enum { CHAIN = 600 };
static chan(int) chain_head;
static uint32_t seed;
static uint32_t pseudo_random(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * n >> 32);
}

/* In random order, so that a look at all tasks in any order finds few. */
static void make_chain(void)
{
	chan(int) *c = rt_make(chan(int), CHAIN + 1);
	int order[CHAIN];
	for (int i = 0; i <= CHAIN; i++)
		c[i] = make_chan(int);
	for (int i = 0; i < CHAIN; i++)
		order[i] = i;
	for (int i = CHAIN - 1; i > 0; i--) {
		int j = (int)pseudo_random((uint32_t)i + 1), t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
	for (int i = 0; i < CHAIN; i++)
		go(receives_then_sends, c[order[i]], c[order[i] + 1]);
	chain_head = c[0];
	boxes = new(struct box, .c = c[CHAIN]);
}

static void make_and_drop(void)
{
	make_chain();
	chain_head = NULL;
	boxes = NULL;
}
TEST(chains)
{
	CHECK_EQ(leaked_by(make_chain), 0);
	chan(int) last = boxes->c;
	send(chain_head, 7);
	CHECK_EQ(recv(last), 7);
	boxes = NULL;
	CHECK(finds(make_and_drop, CHAIN));
}

/* ---- while tasks are being woken ---------------------------------------------------- */

static volatile bool enough;

/* Those below wake all that wait for something nobody else knows, as their last
 * act.  This one does not even leave the channel in a frame above the close. */
static void close_waiter(chan(int) k, wait_group *wg)
{
	recv(k);
	wait_group_done(wg);
}
static NOINLINE void make_to_close(chan(int) *place, int n, wait_group *wg)
{
	chan(int) c = make_chan(int);
	for (int i = 0; i < n; i++)
		go(close_waiter, c, wg);
	*place = c;
}
static NOINLINE void take_and_close(chan(int) *place)
{
	chan(int) c = *place;
	*place = NULL;
	close(c);
}
static NOINLINE void wake_by_close(int n, wait_group *wg)
{
	chan(int) *place = new(chan(int));
	make_to_close(place, n, wg);
	gosched();
	take_and_close(place);
}
static void reader(rwmutex *k, wait_group *wg)
{
	rwmutex_rlock(k);
	rwmutex_runlock(k);
	wait_group_done(wg);
}
static NOINLINE void wake_by_unlock(int n, wait_group *wg)
{
	rwmutex *m = new(rwmutex);
	rwmutex_lock(m);
	for (int i = 0; i < n; i++)
		go(reader, m, wg);
	gosched();
	rwmutex_unlock(m);
}
static void event_waiter(struct event *k, chan(int) r, wait_group *wg)
{
	mutex_lock(&k->m);
	send(r, 1);
	cond_wait(&k->c);
	mutex_unlock(&k->m);
	wait_group_done(wg);
}
static NOINLINE void wake_by_broadcast(int n, wait_group *wg)
{
	struct event *e = new(struct event);
	e->c.l = &e->m;
	chan(int) ready = make_chan(int, n);
	for (int i = 0; i < n; i++)
		go(event_waiter, e, ready, wg);
	for (int i = 0; i < n; i++)
		recv(ready);
	mutex_lock(&e->m);
	mutex_unlock(&e->m);
	cond_broadcast(&e->c);
}
static void group_waiter(wait_group *k, wait_group *wg)
{
	wait_group_wait(k);
	wait_group_done(wg);
}
static NOINLINE void wake_by_group(int n, wait_group *wg)
{
	wait_group *w = new(wait_group);
	wait_group_add(w, 1);
	for (int i = 0; i < n; i++)
		go(group_waiter, w, wg);
	gosched();
	wait_group_done(w);
}
static void pair(chan(int) a, chan(int) b, wait_group *wg)
{
	select {
		case_recv(a, NULL) { }
		case_recv(b, NULL) { }
	}
	wait_group_done(wg);
}
static NOINLINE void wake_by_send(int n, wait_group *wg)
{
	for (int i = 0; i < n; i++) {
		chan(int) a = make_chan(int);
		go(pair, a, make_chan(int), wg);
		send(a, i);
	}
}

static void waker(wait_group *all)
{
	wait_group wg = { 0 };
	while (!enough) {
		enum { N = 20 };
		wait_group_add(&wg, 5 * N);
		wake_by_close(N, &wg);
		wake_by_unlock(N, &wg);
		wake_by_broadcast(N, &wg);
		wake_by_group(N, &wg);
		wake_by_send(N, &wg);
		wait_group_wait(&wg);
	}
	wait_group_done(all);
}

TEST(tasks_about_to_be_woken_are_live)
{
	wait_group all = { 0 };
	CHECK_EQ(settled(), 0);
	enough = false;
	wait_group_add(&all, 3);
	for (int i = 0; i < 3; i++)
		go(waker, &all);
	int64 until = nanotime() + 300 * Millisecond;
	for (int i = 0; i < 100 || nanotime() < until; i++) {
		int now = task_leaks(false);
		if (now != 0) {
			CHECK_EQ(now, 0);
			break;
		}
	}
	enough = true;
	wait_group_wait(&all);
}

TEST_MAIN
{
	RUN(never_calls_a_live_task_leaked);
	RUN(tasks_about_to_be_woken_are_live);
	RUN(chains);
	RUN(finds_every_kind);
	RUN(finds_tasks_that_wait_for_each_other);
}
