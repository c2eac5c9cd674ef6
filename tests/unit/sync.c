/* sync.c: locks, wait groups, once and cond, from the outside. */
#include "ingot.h"
#include "test.h"

enum { TASKS = 16, ROUNDS = 2000 };

static mutex mu;
static int64 count;
static int inside;

static void locker(int rounds, wait_group *wg)
{
	for (int i = 0; i < rounds; i++) {
		mutex_lock(&mu);
		if (++inside != 1)
			TEST_FAIL("%d tasks hold the mutex", inside);
		count++;
		if (i % 64 == 0)
			gosched();
		inside--;
		mutex_unlock(&mu);
	}
	wait_group_done(wg);
}

TEST(mutex_excludes)
{
	wait_group wg = { 0 };
	count = 0;
	wait_group_add(&wg, TASKS);
	for (int i = 0; i < TASKS; i++)
		go(locker, ROUNDS, &wg);
	wait_group_wait(&wg);
	CHECK_EQ(count, (int64)TASKS * ROUNDS);
	CHECK(mutex_try_lock(&mu));
	CHECK(!mutex_try_lock(&mu));
	mutex_unlock(&mu);
	sched_check();
}

static volatile int hog_stop;
static void hog(wait_group *wg)
{
	while (!hog_stop) {
		mutex_lock(&mu);
		for (volatile int i = 0; i < 20000; i++)
			;
		mutex_unlock(&mu);
	}
	wait_group_done(wg);
}

/* Without the starvation mode the hogs would keep it for themselves. */
TEST(a_waiter_is_not_starved)
{
	wait_group wg = { 0 };
	hog_stop = 0;
	wait_group_add(&wg, 2);
	go(hog, &wg);
	go(hog, &wg);
	for (int i = 0; i < 10; i++) {
		mutex_lock(&mu);
		mutex_unlock(&mu);
		gosched();
	}
	hog_stop = 1;
	wait_group_wait(&wg);
}

static rwmutex rw;
static int readers, writers;

static void reader(wait_group *wg)
{
	for (int i = 0; i < ROUNDS; i++) {
		rwmutex_rlock(&rw);
		__atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&writers, __ATOMIC_SEQ_CST))
			TEST_FAIL("a writer beside a reader");
		if (i % 128 == 0)
			gosched();
		__atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
		rwmutex_runlock(&rw);
	}
	wait_group_done(wg);
}

static void writer(wait_group *wg)
{
	for (int i = 0; i < ROUNDS / 10; i++) {
		rwmutex_lock(&rw);
		if (__atomic_add_fetch(&writers, 1, __ATOMIC_SEQ_CST) != 1 ||
		    __atomic_load_n(&readers, __ATOMIC_SEQ_CST))
			TEST_FAIL("a writer is not alone");
		if (i % 16 == 0)
			gosched();
		__atomic_sub_fetch(&writers, 1, __ATOMIC_SEQ_CST);
		rwmutex_unlock(&rw);
	}
	wait_group_done(wg);
}

TEST(rwmutex_many_readers_or_one_writer)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 12);
	for (int i = 0; i < 9; i++)
		go(reader, &wg);
	for (int i = 0; i < 3; i++)
		go(writer, &wg);
	wait_group_wait(&wg);
}

static once first;
static int ran;
static void run_once(void)
{
	sleep(2 * Millisecond);
	ran++;
}
static void caller(wait_group *wg)
{
	once_do(&first, run_once);
	if (ran != 1)
		TEST_FAIL("once_do returned before the function had run");
	wait_group_done(wg);
}

TEST(once_runs_once)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		go(caller, &wg);
	wait_group_wait(&wg);
	CHECK_EQ(ran, 1);
}

static cond ready_cond;
static int tokens, taken;

static void consumer(wait_group *wg)
{
	mutex_lock(&mu);
	while (tokens == 0)
		cond_wait(&ready_cond);
	tokens--;
	taken++;
	mutex_unlock(&mu);
	wait_group_done(wg);
}

TEST(cond_signal_and_broadcast)
{
	wait_group wg = { 0 };
	ready_cond.l = &mu;
	tokens = taken = 0;
	wait_group_add(&wg, 20);
	for (int i = 0; i < 20; i++)
		go(consumer, &wg);
	for (int i = 0; i < 10; i++) {
		mutex_lock(&mu);
		tokens++;
		mutex_unlock(&mu);
		cond_signal(&ready_cond);
		gosched();
	}
	mutex_lock(&mu);
	tokens += 10;
	mutex_unlock(&mu);
	cond_broadcast(&ready_cond);
	wait_group_wait(&wg);
	CHECK_EQ(taken, 20);
	CHECK_EQ(tokens, 0);
}

static string caught;
static void catch_it(void)
{
	const panicked *p = recover();
	caught = p ? p->text : S("no panic");
}
static void negative(void)
{
	wait_group wg = { 0 };
	defer(catch_it);
	wait_group_add(&wg, -1);
}
static void nil_function(void)
{
	void (*f)(void) = NULL;
	defer(catch_it);
	go(f);
}
/* Sanitizers report these faults before the machine does. */
__attribute__((no_sanitize("undefined"), no_sanitize_address)) static void nil_store(void)
{
	int *volatile p = NULL;
	defer(catch_it);
	*p = 1;
}
__attribute__((no_sanitize("undefined"))) static void divide(void)
{
	volatile int zero = 0;
	defer(catch_it);
	zero = 100 / zero; /* 1 / x would be compiled as comparisons */
}

TEST(misuse_panics_in_gos_words)
{
	negative();
	CHECK(string_eq(caught, S("sync: negative WaitGroup counter")));
	nil_function();
	CHECK(string_eq(caught, S("go of nil func value")));
	sched_check();
}

TEST(faults_are_panics)
{
	for (int i = 0; i < 100; i++) {
		caught = S("");
		nil_store();
		CHECK(string_eq(caught, S("runtime error: invalid memory address or nil pointer dereference")));
		divide();
		CHECK(string_eq(caught, S("runtime error: integer divide by zero")));
	}
}

static void churn(int depth, chan(int) c, wait_group *wg)
{
	if (depth > 0) {
		wait_group_add(wg, 2);
		go(churn, depth - 1, c, wg);
		go(churn, depth - 1, c, wg);
		send(c, depth);
	}
	wait_group_done(wg);
}

TEST(scheduler_stays_consistent)
{
	chan(int) c = make_chan(int, 3);
	wait_group wg = { 0 };
	wait_group_add(&wg, 1);
	go(churn, 9, c, &wg);
	for (int i = 0; i < 511; i++) {
		recv(c);
		if (i % 16 == 0)
			sched_check();
	}
	wait_group_wait(&wg);
	sched_check();
}

static void clobber(void)
{
	volatile char here[512];
	for (unsigned i = 0; i < sizeof here; i++)
		here[i] = -1;
}
static void short_lived(void)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		go(wait_group_done, &wg);
	wait_group_wait(&wg);
}

/* The last done may still be at work when the waiter's frame is gone. */
TEST(wait_groups_may_die_with_their_frames)
{
	for (int i = 0; i < 5000; i++) {
		short_lived();
		clobber();
	}
}

TEST_MAIN
{
	RUN(mutex_excludes);
	RUN(a_waiter_is_not_starved);
	RUN(rwmutex_many_readers_or_one_writer);
	RUN(once_runs_once);
	RUN(cond_signal_and_broadcast);
	RUN(misuse_panics_in_gos_words);
	RUN(faults_are_panics);
	RUN(scheduler_stays_consistent);
	RUN(wait_groups_may_die_with_their_frames);
}
