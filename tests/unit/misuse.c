/* misuse.c: bad input to tasks and what they synchronise with.  Each has a
 * defined end, in Go's words, in the task that did it alone: all is done again
 * and again beside a crowd that must notice nothing.  Misuse that ends the
 * image is in tests/system/ends.py. */
#include "ingot.h"
#include "test.h"
#include <limits.h>

/* ---- the crowd ---------------------------------------------------------------- */

enum { CROWD = 6 };
static volatile bool enough;
static mutex shared;
static int64 total;

static int64 work(int i, chan(int64) in, chan(int64) out)
{
	int64 own = 0;
	timer *t = new_ticker(Millisecond);

	for (int64 n = 1; !enough; n++) {
		int64 got = 0;
		mutex_lock(&shared);
		total += n;
		mutex_unlock(&shared);
		select {
			case_send(out, n) { }
			case_default { }
		}
		select {
			case_recv(in, &got) { CHECK(got > 0); }
			case_recv(t->c, NULL) { }
		}
		own += n;
		if (n % 8 == i % 8)
			CHECK_EQ(*new(int64), 0);
	}
	timer_stop(t);
	return own;
}

static void member(int i, chan(int64) in, chan(int64) out, chan(int64) result)
{
	send(result, work(i, in, out));
}

static void one(void (*f)(void), wait_group *wg)
{
	f();
	wait_group_done(wg);
}

/* Does f in many tasks while the crowd works; the crowd's sums are right and
 * nothing is left over. */
static void beside_others(void (*f)(void))
{
	chan(int64) c[CROWD], result = make_chan(int64);
	wait_group wg = { 0 };
	int64 sum = 0;
	int before = num_task();

	enough = false;
	total = 0;
	for (int i = 0; i < CROWD; i++)
		c[i] = make_chan(int64, 4);
	for (int i = 0; i < CROWD; i++)
		go(member, i, c[i], c[(i + 1) % CROWD], result);
	for (int i = 0; i < 30; i++) {
		wait_group_add(&wg, 1);
		go(one, f, &wg);
		if (i % 10 == 0)
			gc();
	}
	wait_group_wait(&wg);
	enough = true;
	for (int i = 0; i < CROWD; i++)
		sum += recv(result);
	CHECK_EQ(total, sum);
	for (int i = 0; i < 1000000 && num_task() > before; i++)
		gosched();
	CHECK_EQ(num_task(), before);
	sched_check();
	gc_verify();
}

/* ---- panics --------------------------------------------------------------------- */

static void note(string *text)
{
	const panicked *p = recover();
	*text = p ? p->text : S("no panic");
}

static void call(void (*f)(void), string *text)
{
	defer(note, text);
	f();
}

static string text_of(void (*f)(void))
{
	string text = S("did not return");
	call(f, &text);
	return text;
}

/* f panics with these words. */
#define PANICS(f, words) \
	do { \
		string text_ = text_of(f); \
		if (!string_eq(text_, S(words))) \
			TEST_FAIL("%s: \"%.*s\", not \"%s\"", #f, STR(text_), words); \
	} while (0)

struct block {
	char bytes[1024];
};

static void go_nil(void)
{
	void (*volatile f)(int) = NULL;
	go(f, 1);
}
static void chan_negative(void) { make_chan(int, -1); }
static void chan_most_negative(void) { make_chan(struct block, INT64_MIN); }
static void chan_huge(void) { make_chan(char, INT64_MAX); }
static void chan_overflow(void) { make_chan(struct block, INT64_MAX / 512); }
static void close_twice(void)
{
	chan(int) c = make_chan(int, 1);
	close(c);
	close(c);
}
static void close_nil(void) { close((chan(int))NULL); }
static void close_timer(void) { close(new_timer(Second)->c); }
static void send_closed(void)
{
	chan(int) c = make_chan(int, 1);
	close(c);
	send(c, 1);
}
static void closes(chan(int) c)
{
	close(c);
}
static void send_and_be_closed(void)
{
	chan(int) c = make_chan(int);
	go(closes, c);
	send(c, 1);
}
static void select_closed(void)
{
	chan(int) c = make_chan(int), d = make_chan(int);
	close(c);
	select {
		case_recv(d, NULL) { }
		case_send(c, 1) { }
	}
}

static void group_negative(void)
{
	wait_group wg = { 0 };
	wait_group_add(&wg, 2);
	wait_group_add(&wg, -3);
}
static void group_done_unused(void)
{
	wait_group wg = { 0 };
	wait_group_done(&wg);
}
static void group_add_beside_wait(void)
{
	wait_group wg = { .state = 1 }; /* a waiter has come as the counter fell to 0 */
	wait_group_add(&wg, 1);
}

static void semaphore_too_much(void)
{
	semaphore *s = new_semaphore(3);
	must(semaphore_acquire(s, context_background(), 2));
	semaphore_release(s, 3);
}
static void semaphore_negative(void) { must(semaphore_acquire(new_semaphore(3), context_background(), -1)); }
static void semaphore_negative_try(void) { semaphore_try_acquire(new_semaphore(3), INT64_MIN); }
static void semaphore_negative_release(void) { semaphore_release(new_semaphore(3), -1); }

static void ticker_zero(void) { new_ticker(0); }
static void ticker_negative(void) { new_ticker(-Second); }
static void ticker_reset(void)
{
	timer *t = new_ticker(Second);
	timer_reset(t, 0);
}
static void context_nil_parent(void) { context_with_cancel(NULL); }

static void all_panics(void)
{
	PANICS(go_nil, "go of nil func value");
	PANICS(chan_negative, "makechan: size out of range");
	PANICS(chan_most_negative, "makechan: size out of range");
	PANICS(chan_huge, "makechan: size out of range");
	PANICS(chan_overflow, "makechan: size out of range");
	PANICS(close_twice, "close of closed channel");
	PANICS(close_nil, "close of nil channel");
	PANICS(close_timer, "close of receive-only channel");
	PANICS(send_closed, "send on closed channel");
	PANICS(send_and_be_closed, "send on closed channel");
	PANICS(select_closed, "send on closed channel");
	PANICS(group_negative, "sync: negative WaitGroup counter");
	PANICS(group_done_unused, "sync: negative WaitGroup counter");
	PANICS(group_add_beside_wait, "sync: WaitGroup misuse: Add called concurrently with Wait");
	PANICS(semaphore_too_much, "semaphore: released more than held");
	PANICS(semaphore_negative, "semaphore: negative weight");
	PANICS(semaphore_negative_try, "semaphore: negative weight");
	PANICS(semaphore_negative_release, "semaphore: negative weight");
	PANICS(ticker_zero, "non-positive interval for NewTicker");
	PANICS(ticker_negative, "non-positive interval for NewTicker");
	PANICS(ticker_reset, "non-positive interval for Ticker.Reset");
	PANICS(context_nil_parent, "cannot create context from nil parent");
}

TEST(misuse_panics_beside_others)
{
	beside_others(all_panics);
}

/* ---- defined without a panic -------------------------------------------------------- */

static void odd_arguments(void)
{
	int64 t0 = nanotime();
	sleep(-1);
	sleep(INT64_MIN);
	sleep(0);
	CHECK(nanotime() >= t0);
	chan(int) empty = make_chan(int, 0), c = make_chan(int, 1);
	CHECK_EQ(cap(empty), 0);
	close(c);
	CHECK_EQ(recv(c), 0);
	CHECK(!recv(c, NULL));
	CHECK_EQ(len((chan(int))NULL) + cap((chan(int))NULL), 0);
	CHECK_EQ(recv(after(INT64_MIN)) > 0, 1);
	timer *t = new_timer(INT64_MAX);
	CHECK(timer_stop(t));
	CHECK(!timer_stop(t));
	wait_group wg = { 0 };
	wait_group_wait(&wg);
	wait_group_add(&wg, INT_MAX);
	wait_group_add(&wg, -INT_MAX);
	wait_group_wait(&wg);
	mutex m = { 0 };
	mutex_lock(&m);
	CHECK(!mutex_try_lock(&m));
	mutex_unlock(&m);
	/* More than the semaphore has is never granted, and holds up nobody. */
	semaphore *s = new_semaphore(1);
	CHECK(!semaphore_try_acquire(s, INT64_MAX));
	CHECK(semaphore_try_acquire(s, 1));
	semaphore_release(s, 1);
	semaphore_release(s, 0);
}

TEST(odd_arguments_are_defined)
{
	beside_others(odd_arguments);
}

static void sleeps_for_ever(int64 ns, volatile bool *woken)
{
	sleep(ns);
	*woken = true;
}

TEST(huge_sleeps)
{
	static volatile bool woken;
	go(sleeps_for_ever, INT64_MAX, &woken);
	go(sleeps_for_ever, INT64_MAX - nanotime(), &woken); /* the deadline is near the largest */
	go(sleeps_for_ever, (int64)1 << 60, &woken);
	beside_others(odd_arguments);
	sleep(20 * Millisecond);
	CHECK(!woken);
}

TEST(gomaxprocs_of_anything)
{
	int was = gomaxprocs(0);
	CHECK(was >= 1 && was <= num_cpu());
	CHECK_EQ(gomaxprocs(-1), was);
	CHECK_EQ(gomaxprocs(INT_MIN), was);
	CHECK_EQ(gomaxprocs(10000), was);
	CHECK_EQ(gomaxprocs(0), num_cpu());
	beside_others(odd_arguments);
	CHECK_EQ(gomaxprocs(INT_MAX), num_cpu());
	CHECK_EQ(gomaxprocs(1), num_cpu());
	beside_others(odd_arguments);
	CHECK_EQ(gomaxprocs(was), 1);
	CHECK_EQ(gomaxprocs(0), was);
}

static wait_group *reused;
static void wait_reused(void)
{
	wait_group_wait(reused);
}
static void waits_and_tells(chan(string) text)
{
	send(text, text_of(wait_reused));
}

/* Add before a woken waiter has returned from Wait: a race by nature, so it is
 * tried until the waiter is late. */
TEST(wait_group_reused_too_early)
{
	bool seen = false;
	for (int i = 0; i < 100000 && !seen; i++) {
		chan(string) text = make_chan(string);
		reused = new(wait_group);
		wait_group_add(reused, 1);
		go(waits_and_tells, text);
		while ((uint32_t)__atomic_load_n(&reused->state, __ATOMIC_SEQ_CST) == 0)
			gosched();
		sleep(10 * Microsecond); /* it is asleep by now, mostly */
		wait_group_done(reused);
		wait_group_add(reused, 1);
		string t = recv(text);
		seen = string_eq(t, S("sync: WaitGroup is reused before previous Wait has returned"));
		CHECK(seen || string_eq(t, S("no panic")));
	}
	CHECK(seen);
}

TEST_MAIN
{
	RUN(misuse_panics_beside_others);
	RUN(odd_arguments_are_defined);
	RUN(gomaxprocs_of_anything);
	RUN(huge_sleeps);
	RUN(wait_group_reused_too_early);
}
