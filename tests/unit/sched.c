/* sched.c: what the scheduler promises about whose turn it is: no task waits
 * beside a sleeping core, none is passed over.
 *
 * test: limit=240
 *
 * Only orders are compared, never times: on one core the tasks note in one log
 * who runs after whom. */
#include <stdlib.h>
#include "ingot.h"
#include "rounds.h"

/* ---- no task waits beside a sleeping core (I3) ------------------------------- */

#define BOUND (300 * Millisecond)
#ifdef INGOT_NASTY
#define TRIES 100
#else
#define TRIES 300
#endif

/* The core that calls sched_watch() gives no task its turn while it sees one
 * wait, so each waiting one must get another core's. */
static void get(chan(int) c, chan(int) back)
{
	int v;
	while (recv(c, &v))
		send(back, v);
	close(back);
}

TEST(who_receives_gets_an_idle_core)
{
	chan(int) c = make_chan(int), back = make_chan(int, 1);
	go(get, c, back);
	for (int i = 0; i < TRIES; i++) {
		sleep(100 * Microsecond); /* the others sleep, too */
		send(c, i);
		CHECK(sched_watch(BOUND) < BOUND);
		CHECK_EQ(recv(back), i);
	}
	close(c);
	CHECK(!recv(back, NULL));
}

static void count(int64 *n)
{
	atomic_add(n, 1);
}

TEST(a_new_task_gets_an_idle_core)
{
	int64 n = 0;
	for (int i = 0; i < TRIES; i++) {
		sleep(100 * Microsecond);
		go(count, &n);
		go(count, &n);
		CHECK(sched_watch(BOUND) < BOUND);
	}
	while (num_task() > 1)
		gosched();
	CHECK_EQ(n, 2 * TRIES);
}

static void watch_once(int64 *n)
{
	CHECK(sched_watch(BOUND) < BOUND);
	atomic_add(n, 1);
}

/* The task that gave way is behind one that keeps its core. */
TEST(who_yields_gets_an_idle_core)
{
	int64 n = 0;
	for (int i = 0; i < 10 * TRIES; i++) {
		if (i % 4 == 0)
			sleep(20 * Microsecond);
		go(watch_once, &n);
		for (int k = i % 3; k >= 0; k--)
			gosched();
	}
	while (num_task() > 1)
		gosched();
	CHECK_EQ(n, 10 * TRIES);
}

static void watch_often(int64 until)
{
	for (int64 now; (now = nanotime()) < until;) {
		while (nanotime() < now + 30 * Microsecond)
			;
		CHECK(sched_watch(BOUND) < BOUND);
	}
}

/* The task that gave way has taken, for its core, one that was preempted on
 * another, which then had nothing to do. */
TEST(who_yields_to_a_preempted_task_gets_its_core)
{
	int was = gomaxprocs(2);
	go(watch_often, nanotime() + budget);
	while (num_task() > 1)
		gosched();
	gomaxprocs(was);
}

static void wake_later(timer *t, int64 *n)
{
	recv(t->c);
	CHECK(sched_watch(BOUND) < BOUND);
	atomic_add(n, 1);
}

/* Several are woken at one moment by one core's timer. */
TEST(who_is_woken_by_a_timer_gets_an_idle_core)
{
	int64 n = 0;
	for (int i = 0; i < TRIES; i++) {
		for (int k = 0; k < 6; k++)
			go(wake_later, new_timer(300 * Microsecond), &n);
		while (num_task() > 1)
			sleep(100 * Microsecond);
	}
	CHECK_EQ(n, 6 * TRIES);
}

/* ---- whose turn it is, on one core --------------------------------------------- */

#define LOG_MAX 4000
static volatile int log_of[LOG_MAX]; /* who ran, in order; one core: plain stores */
static volatile int nlog;
static int nturns; /* of them before the tasks were told to stop */
static volatile int last, stop; /* not bool: UBSan hoists that load */

/* Called often by every task of the test: notes when it is another's turn. */
static inline void here(int me)
{
	if (last != me) {
		last = me;
		if (nlog < LOG_MAX)
			log_of[nlog++] = me;
		else
			stop = 1;
	}
}

static void loop(int me)
{
	while (!stop)
		here(me);
}

static void yield(int me)
{
	while (!stop) {
		here(me);
		gosched();
	}
}

/* No tight loop (1..loops) runs more than twice between two turns of another
 * task (fair is once; one that is preempted on its way into the log is noted a
 * turn late). */
static void check_turns(int loops, int tasks)
{
	for (int me = 1; me <= tasks; me++) {
		int seen[64] = { 0 }, first = -1;
		for (int i = 0; i < nturns; i++) {
			int who = log_of[i];
			if (who == me) {
				memset(seen, 0, sizeof seen);
				first = i;
			} else if (first >= 0 && who <= loops && ++seen[who] > 2) {
				TEST_FAIL("task %d waited for more than two turns of loop %d, since turn %d", me, who, first);
				return;
			}
		}
		if (first < 0)
			TEST_FAIL("task %d of %d never ran in %d turns", me, tasks, nturns);
	}
}

static void run_log(int loops, int yields, int turns)
{
	int was = gomaxprocs(1);
	nlog = last = stop = 0;
	for (int i = 1; i <= loops; i++)
		go(loop, i);
	for (int i = loops + 1; i <= loops + yields; i++)
		go(yield, i);
	while (nlog < turns && !stop)
		gosched(); /* this task is 0 and not in the log */
	nturns = nlog;
	stop = 1;
	while (num_task() > 1)
		gosched();
	gomaxprocs(was);
}

/* Tight loops alone: the preempted one goes behind all the others. */
TEST(tight_loops_take_turns)
{
	run_log(8, 0, 100);
	check_turns(8, 8);
}

/* A yielding task waits for one loop's quantum, not for one of each: who was
 * preempted stands behind it, in the global queue.  (For one more at a 61st
 * dispatch, and for all when it was preempted itself: seldom, but on a machine
 * that is busy elsewhere.) */
TEST(who_yields_waits_for_one_loop)
{
	const int loops = 6, me = 7;
	int since = 0, turns = 0, long_waits = 0;
	run_log(loops, 1, 200);
	check_turns(loops, loops + 1);
	for (int i = 3 * loops; i < nturns; i++) { /* at first the loops stand in the local queue */
		since++;
		if (log_of[i] == me) {
			turns++;
			long_waits += since > 3; /* two loops, and itself */
			since = 0;
		}
	}
	CHECK(turns > 0);
	CHECK(2 * long_waits < turns);
}

/* A preempted loop waits in the global queue, and tasks that yield to each
 * other on the local one: every 61st dispatch comes from the global queue. */
TEST(the_global_queue_is_not_passed_over)
{
	run_log(1, 2, 1000);
	int since = 0, most = 0;
	for (int i = 0; i < nturns; i++) {
		since = log_of[i] == 1 ? 0 : since + 1;
		most = since > most ? since : most;
	}
	/* The others may stand before it there, when they were preempted. */
	CHECK(most <= 3 * 61);
	CHECK(nturns >= 1000);
}

/* ---- many new tasks --------------------------------------------------------------- */

static int most_live, leaves;

static void fork_join(int depth, wait_group *done)
{
	wait_group wg = { 0 };
	int live = num_task(), most = most_live;
	while (live > most && !atomic_compare_and_swap(&most_live, most, live))
		most = most_live;
	if (depth > 0) {
		wait_group_add(&wg, 2);
		go(fork_join, depth - 1, &wg);
		go(fork_join, depth - 1, &wg);
		wait_group_wait(&wg);
	} else {
		atomic_add(&leaves, 1);
	}
	wait_group_done(done);
}

/* Tasks that make tasks are worked off depth first, so of 65,535 in all few have
 * a stack at a time: what a ring holds, and those that wait for them. */
TEST(who_forks_and_joins_takes_little_memory)
{
	for (int ps = 1; ps <= 2 && ps <= num_cpu(); ps++) {
		int was = gomaxprocs(ps);
		wait_group wg = { 0 };
		most_live = leaves = 0;
		wait_group_add(&wg, 1);
		go(fork_join, 15, &wg);
		wait_group_wait(&wg);
		gomaxprocs(was);
		CHECK_EQ(leaves, 1 << 15);
		CHECK(most_live > 15);
#ifndef INGOT_NASTY /* a ring of 4 spills into the global queue */
		CHECK(most_live < 2000);
#endif
		print("%d Ps: %d tasks at a time\n", ps, most_live);
	}
}

enum { EARLY = 50, FLOOD = 150, LATE = 100000 }; /* both fit a ring */
static int late, early, waited;
static wait_group all_early;

static void early_task(void)
{
	if (atomic_add(&early, 1) == EARLY)
		waited = late;
	wait_group_done(&all_early);
}

static void late_task(void)
{
	if (atomic_add(&late, 1) > LATE)
		return;
	if (num_task() < EARLY + FLOOD - 1 && early < EARLY) {
		go(late_task);
		go(late_task);
	}
}

/* New tasks go first only where many wait, and every 61st time the others do. */
TEST(new_tasks_pass_nobody_over)
{
	int was = gomaxprocs(1);
	early = late = 0;
	wait_group_add(&all_early, EARLY);
	for (int i = 0; i < EARLY; i++)
		go(early_task);
	for (int i = 0; i < FLOOD; i++)
		go(late_task);
	wait_group_wait(&all_early);
	gomaxprocs(was);
	CHECK_EQ(early, EARLY);
	print("%d others began before the last of %d\n", waited, EARLY);
	CHECK(waited < LATE / 4);
}

/* ---- stops follow each other closely ----------------------------------------- */

static void stop_often(int n, wait_group *wg)
{
	for (int i = 0; i < n; i++) {
		sched_check(); /* in its stop every other P must be stopped */
		if (i % 8 == 0)
			sleep(20 * Microsecond);
	}
	wait_group_done(wg);
}

static void resize_often(int n, wait_group *wg)
{
	for (int i = 0; i < n; i++) {
		gomaxprocs(1 + i % num_cpu());
		sleep(10 * Microsecond);
	}
	gomaxprocs(num_cpu());
	wait_group_done(wg);
}

TEST(a_stop_may_begin_while_another_ends)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 4);
	for (int i = 0; i < 3; i++)
		go(stop_often, TRIES * 5, &wg);
	go(resize_often, TRIES, &wg);
	wait_group_wait(&wg);
	sched_check();
}

static void take_one(chan(int) c, int *there, int *leave)
{
	atomic_store(there, 1);
	while (!atomic_load(leave))
		;
	recv(c);
}

/* The one task that still runs goes from a core that goes out of use to one that
 * looks for the last time: there is no deadlock. */
TEST(a_core_that_goes_out_of_use_leaves_its_task)
{
	for (int i = 0; i < TRIES * 10; i++) {
		chan(int) c = make_chan(int);
		int there = 0, leave = 0;
		gomaxprocs(2);
		go(take_one, c, &there, &leave); /* on this core, so this task gets the other */
		while (!atomic_load(&there))
			gosched();
		atomic_store(&leave, 1);
		for (volatile int k = 0; k < i % 8000; k++)
			;
		gomaxprocs(1);
		send(c, 1);
	}
	gomaxprocs(num_cpu());
	sched_check();
}

/* One core has no other to wake. */
#define RUN_SMP(name) \
	do { \
		if (num_cpu() > 1) \
			RUN(name); \
		else \
			print("skip " #name ": needs two cores\n"), (void)test_##name; \
	} while (0)

TEST_MAIN
{
	budget_args();
	RUN_SMP(who_receives_gets_an_idle_core);
	RUN_SMP(a_new_task_gets_an_idle_core);
	RUN_SMP(who_yields_gets_an_idle_core);
	RUN_SMP(who_yields_to_a_preempted_task_gets_its_core);
	RUN_SMP(who_is_woken_by_a_timer_gets_an_idle_core);
	RUN_SMP(a_stop_may_begin_while_another_ends);
	RUN_SMP(a_core_that_goes_out_of_use_leaves_its_task);
	RUN(tight_loops_take_turns);
	RUN(who_yields_waits_for_one_loop);
	RUN(the_global_queue_is_not_passed_over);
	RUN(who_forks_and_joins_takes_little_memory);
	RUN(new_tasks_pass_nobody_over);
}
