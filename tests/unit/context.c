/* context.c: contexts, semaphores and groups of tasks, from the outside.
 *
 * Deadlines are an hour away, where they must not come, or are waited for:
 * nothing depends on how late the machine is. */
#include "ingot.h"
#include "test.h"

static define_error(b_first, "b first");
static define_error(then_a, "then a");
static define_error(from_above, "from above");
static define_error(too_late, "too late");

static bool is_done(context *ctx)
{
	bool done = false;
	select {
		case_recv(context_done(ctx), NULL) { done = true; }
		case_default { }
	}
	CHECK(done == (context_err(ctx) != NULL));
	return done;
}

TEST(the_root_never_ends)
{
	context *b = context_background();
	int64 at;
	CHECK(!context_done(b) && !context_err(b) && !context_cause(b) && !context_deadline(b, &at));
	CHECK(context_todo() != b);
}

TEST(a_cancel_reaches_all_below)
{
	static context_key(int) key;
	int seven = 7;
	context *a = context_with_cancel(context_background());
	context *b = context_with_cancel(a), *c = context_with_value(b, &key, &seven);
	context *d = context_with_timeout(c, Hour), *e = context_without_cancel(d), *f = context_with_cancel(e);
	chan(bool) done = context_done(c);
	CHECK(!is_done(a) && !is_done(b) && !is_done(c) && !is_done(d));
	CHECK(done == context_done(b));
	context_cancel(b);
	CHECK(!is_done(a) && is_done(b) && is_done(c) && is_done(d));
	CHECK(!is_done(e) && !is_done(f));
	CHECK(!recv(done, NULL));
	CHECK(context_err(d) == context_canceled);
	CHECK(string_eq(error_text(context_err(d)), S("context canceled")));
	context_cancel(b);
	context *late = context_with_cancel(c);
	CHECK(is_done(late));
	context_cancel(a);
	CHECK(is_done(a));
	CHECK(context_value(f, &key) == &seven);
}

TEST(the_first_cause_stays)
{
	context *a = context_with_cancel(context_background()), *b = context_with_cancel(a);
	CHECK(!context_cause(a));
	context_cancel_cause(b, b_first);
	context_cancel_cause(a, then_a);
	CHECK(context_cause(b) == b_first);
	CHECK(context_cause(a) == then_a);
	CHECK(context_err(a) == context_canceled);
	a = context_with_cancel(context_background());
	b = context_with_cancel(a);
	context_cancel_cause(a, from_above);
	CHECK(context_cause(b) == from_above);
	CHECK(context_cause(context_with_cancel(b)) == from_above);
	a = context_with_cancel(context_background());
	context_cancel(a);
	CHECK(context_cause(a) == context_canceled);
}

TEST(values)
{
	static context_key(int) one, two;
	static context_key(const char) text;
	int x = 1, y = 2;
	context *a = context_with_value(context_background(), &one, &x);
	context *b = context_with_value(context_with_cancel(a), &two, &y);
	context *c = context_with_value(b, &one, &y);
	CHECK(context_value(b, &one) == &x);
	CHECK(context_value(c, &one) == &y);
	CHECK(context_value(c, &two) == &y);
	CHECK(!context_value(a, &two) && !context_value(c, &text));
	const char *t = context_value(context_with_value(c, &text, "t"), &text);
	CHECK_STR(t, "t");
}

TEST(deadlines)
{
	int64 t = nanotime(), at = 0;
	context *a = context_with_timeout(context_background(), 3 * Millisecond);
	CHECK(context_deadline(a, &at) && at >= t + 3 * Millisecond);
	recv(context_done(a));
	CHECK(nanotime() >= at);
	CHECK(context_err(a) == context_deadline_exceeded);
	CHECK(string_eq(error_text(context_cause(a)), S("context deadline exceeded")));
	context *b = context_with_timeout_cause(context_background(), -1, too_late);
	CHECK(is_done(b));
	CHECK(context_cause(b) == too_late);
	CHECK(context_err(b) == context_deadline_exceeded);
	/* The earlier one counts. */
	context *c = context_with_deadline(context_background(), 5 * Hour);
	context *d = context_with_deadline(c, 4 * Hour), *e = context_with_deadline(d, 6 * Hour);
	CHECK(context_deadline(d, &at) && at == 4 * Hour);
	CHECK(context_deadline(e, &at) && at == 4 * Hour);
	CHECK(!context_deadline(context_without_cancel(e), &at));
	context_cancel(c);
	CHECK(context_err(e) == context_canceled);
	context *f = context_with_timeout(context_background(), INT64_MAX);
	CHECK(!is_done(f));
	context_cancel(f);
}

static void count_up(void *n)
{
	atomic_add((int *)n, 1);
}

static void wait_for(int *n, int value)
{
	while (atomic_load(n) < value)
		gosched();
}

TEST(after_func)
{
	static int n;
	n = 0;
	context *a = context_with_cancel(context_background());
	context_call *x = context_after_func(a, count_up, &n), *y = context_after_func(a, count_up, &n);
	CHECK(context_stop(y));
	CHECK(!context_stop(y));
	context_cancel(a);
	wait_for(&n, 1);
	CHECK(!context_stop(x));
	context_after_func(a, count_up, &n);
	wait_for(&n, 2);
	for (int i = 0; i < 20; i++)
		gosched();
	CHECK_EQ(n, 2);
}

static void waiter(context *ctx, int depth, wait_group *wg)
{
	context *mine = context_with_cancel(ctx);
	if (depth > 0) {
		wait_group_add(wg, 2);
		go(waiter, mine, depth - 1, wg);
		go(waiter, mine, depth - 1, wg);
	}
	if (depth % 3 == 1) {
		gosched();
		context_cancel(mine);
	}
	recv(context_done(mine));
	CHECK(context_err(mine) == context_canceled);
	wait_group_done(wg);
}

TEST(a_tree_of_tasks_ends)
{
	for (int i = 0; i < 4; i++) {
		context *root = context_with_cancel(context_background());
		wait_group wg = { 0 };
		wait_group_add(&wg, 1);
		go(waiter, root, 7, &wg);
		for (int k = 0; k < i * 10; k++)
			gosched();
		context_cancel(root);
		wait_group_wait(&wg);
	}
	sched_check();
}

static void racer(context *ctx, int *calls, wait_group *wg)
{
	for (int i = 0; i < 100; i++) {
		context *c = context_with_timeout(ctx, i % 3 ? Hour : i % 7 * 10 * Microsecond);
		context_call *f = context_after_func(c, count_up, calls);
		if (i % 2)
			gosched();
		if (i % 5 && context_stop(f))
			atomic_add(calls, 1);
		context_cancel(c);
		CHECK(is_done(c));
	}
	wait_group_done(wg);
}

/* Each call is made or stopped, never both. */
TEST(ends_may_race)
{
	static int calls;
	calls = 0;
	context *root = context_with_cancel(context_background());
	wait_group wg = { 0 };
	wait_group_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		go(racer, root, &calls, &wg);
	gosched();
	context_cancel(root);
	wait_group_wait(&wg);
	wait_for(&calls, 800);
	for (int i = 0; i < 100; i++)
		gosched();
	CHECK_EQ(calls, 800);
}

static uint64 live(void)
{
	struct mem_stats m;
	gc();
	read_mem_stats(&m);
	return m.heap_live;
}

static __attribute__((noinline)) void make_and_end(context *root, int n)
{
	for (int i = 0; i < n; i++) {
		context *c = context_with_timeout(root, Hour);
		context_done(c);
		context_stop(context_after_func(c, count_up, NULL));
		context_cancel(context_with_cancel(c));
		context_cancel(c);
	}
}

/* Neither the parent nor the timers keep what was cancelled. */
TEST(nothing_is_kept)
{
	context *root = context_with_cancel(context_background());
	make_and_end(root, 200);
	uint64 before = live();
	make_and_end(root, 3000);
	uint64 after = live();
	if (after > before + 3000 * 64)
		TEST_FAIL("%llu bytes lived, now %llu", (unsigned long long)before, (unsigned long long)after);
	context_cancel(root);
}

static string caught;
static void catch_it(void)
{
	const panicked *p = recover();
	caught = p ? p->text : S("no panic");
}
static void nil_parent(void)
{
	defer(catch_it);
	context_with_cancel(NULL);
}
static void not_to_cancel(void)
{
	defer(catch_it);
	context_cancel(context_background());
}

/* ---- semaphores ------------------------------------------------------------ */

static void too_much(void)
{
	semaphore s = { .size = 3 };
	defer(catch_it);
	semaphore_release(&s, 1);
}

static int64 inside;

static void sharer(semaphore *s, int64 n, wait_group *wg)
{
	for (int i = 0; i < 100; i++) {
		CHECK(!semaphore_acquire(s, context_background(), n));
		if (atomic_add(&inside, n) > 10)
			TEST_FAIL("more than 10 units are taken");
		if (i % 8 == 0)
			gosched();
		atomic_add(&inside, -n);
		semaphore_release(s, n);
	}
	wait_group_done(wg);
}

TEST(semaphore_shares)
{
	semaphore *s = new_semaphore(10);
	wait_group wg = { 0 };
	wait_group_add(&wg, 12);
	for (int i = 0; i < 12; i++)
		go(sharer, s, i % 10 + 1, &wg);
	wait_group_wait(&wg);
	CHECK(semaphore_try_acquire(s, 10));
	CHECK(!semaphore_try_acquire(s, 1));
	semaphore_release(s, 10);
}

static int order[4], norder;

static void taker(semaphore *s, int64 n, wait_group *wg)
{
	must(semaphore_acquire(s, context_background(), n));
	order[atomic_add(&norder, 1) - 1] = (int)n;
	semaphore_release(s, n);
	wait_group_done(wg);
}

static const void *last_of(semaphore *s)
{
	mutex_lock(&s->mu);
	const void *last = s->last;
	mutex_unlock(&s->mu);
	return last;
}

/* Starts a taker and returns when it waits in the queue. */
static void queue(semaphore *s, int64 n, wait_group *wg)
{
	const void *last = last_of(s);
	wait_group_add(wg, 1);
	go(taker, s, n, wg);
	while (last_of(s) == last)
		gosched();
}

/* A small request does not overtake a large one before it. */
TEST(semaphore_is_fair)
{
	semaphore s = { .size = 4 };
	wait_group wg = { 0 };
	norder = 0;
	CHECK(semaphore_try_acquire(&s, 3));
	queue(&s, 4, &wg);
	CHECK(!semaphore_try_acquire(&s, 1));
	queue(&s, 1, &wg);
	CHECK_EQ(norder, 0);
	semaphore_release(&s, 3);
	wait_group_wait(&wg);
	CHECK_EQ(order[0], 4);
	CHECK_EQ(order[1], 1);
}

TEST(semaphore_gives_up_with_its_context)
{
	semaphore s = { .size = 2 };
	wait_group wg = { 0 };
	norder = 0;
	CHECK(semaphore_try_acquire(&s, 1));
	context *ctx = context_with_timeout(context_background(), 2 * Millisecond);
	/* What waits behind goes when the one before gives up. */
	CHECK(semaphore_acquire(&s, ctx, 2) == context_deadline_exceeded);
	CHECK(!s.first && !s.last);
	CHECK(semaphore_acquire(&s, ctx, 1) == context_deadline_exceeded);
	ctx = context_with_timeout(context_background(), Millisecond);
	CHECK(semaphore_acquire(&s, ctx, 3) == context_deadline_exceeded); /* more than there is */
	CHECK(semaphore_try_acquire(&s, 1));
	queue(&s, 2, &wg);
	ctx = context_with_cancel(context_background());
	context_cancel(ctx);
	CHECK(semaphore_acquire(&s, ctx, 1) == context_canceled);
	semaphore_release(&s, 2);
	wait_group_wait(&wg);
	CHECK_EQ(s.cur, 0);
}

static void canceled_taker(semaphore *s, context *ctx, int64 n, wait_group *wg)
{
	CHECK(semaphore_acquire(s, ctx, n) == context_canceled);
	wait_group_done(wg);
}

/* Starts one and returns when it waits in the queue. */
static void queue_canceled(semaphore *s, context *ctx, int64 n, wait_group *wg)
{
	const void *last = last_of(s);
	wait_group_add(wg, 1);
	go(canceled_taker, s, ctx, n, wg);
	while (last_of(s) == last)
		gosched();
}

TEST(semaphore_serves_those_behind_who_gave_up)
{
	semaphore s = { .size = 2 };
	wait_group wg = { 0 };
	norder = 0;
	CHECK(semaphore_try_acquire(&s, 1));
	context *ctx = context_with_cancel(context_background());
	queue_canceled(&s, ctx, 2, &wg);
	queue(&s, 1, &wg);
	context_cancel(ctx);
	wait_group_wait(&wg);
	CHECK_EQ(order[0], 1);
	CHECK_EQ(s.cur, 1);
}

/* Units that come for one who has given up but does not know go back. */
TEST(semaphore_takes_back)
{
	int was = gomaxprocs(1);
	for (int i = 0; i < 20; i++) {
		semaphore s = { .size = 1 };
		wait_group wg = { 0 };
		CHECK(semaphore_try_acquire(&s, 1));
		context *ctx = context_with_cancel(context_background());
		queue_canceled(&s, ctx, 1, &wg);
		context_cancel(ctx);
		semaphore_release(&s, 1);
		wait_group_wait(&wg);
		CHECK_EQ(s.cur, 0);
	}
	gomaxprocs(was);
}

static void impatient(semaphore *s, wait_group *wg)
{
	for (int i = 0; i < 60; i++) {
		context *ctx = context_with_timeout(context_background(), i % 4 * 20 * Microsecond);
		if (!semaphore_acquire(s, ctx, i % 3 + 1)) {
			gosched();
			semaphore_release(s, i % 3 + 1);
		}
		context_cancel(ctx);
	}
	wait_group_done(wg);
}

TEST(semaphore_loses_no_unit)
{
	semaphore s = { .size = 4 };
	wait_group wg = { 0 };
	wait_group_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		go(impatient, &s, &wg);
	wait_group_wait(&wg);
	CHECK_EQ(s.cur, 0);
	CHECK(!s.first && !s.last);
	CHECK(semaphore_try_acquire(&s, 4));
}

/* ---- groups ---------------------------------------------------------------- */

static define_error(first_error, "the first");
static define_error(second_error, "the second");

static error work(int *n)
{
	gosched();
	atomic_add(n, 1);
	return NULL;
}

static error fail(error why)
{
	return why;
}

static error until(context *ctx, error why)
{
	recv(context_done(ctx));
	return why;
}

TEST(group_waits_for_all)
{
	task_group g = { 0 };
	int n = 0;
	for (int i = 0; i < 50; i++)
		task_group_go(&g, work, &n);
	CHECK(!task_group_wait(&g));
	CHECK_EQ(n, 50);
}

TEST(group_returns_the_first_error)
{
	task_group g;
	context *ctx = task_group_with_context(&g, context_background());
	int n = 0;
	for (int i = 0; i < 10; i++)
		task_group_go(&g, until, ctx, second_error);
	task_group_go(&g, work, &n);
	CHECK(!context_err(ctx));
	task_group_go(&g, fail, first_error);
	CHECK(task_group_wait(&g) == first_error);
	CHECK(context_cause(ctx) == first_error);
	CHECK_EQ(n, 1);
	ctx = task_group_with_context(&g, context_background());
	CHECK(!task_group_wait(&g));
	CHECK(context_err(ctx) == context_canceled);
}

static error limited(int *at_once)
{
	if (atomic_add(at_once, 1) > 3)
		TEST_FAIL("more than three at a time");
	gosched();
	atomic_add(at_once, -1);
	return NULL;
}

static error ends_early(void)
{
	goexit();
}

static void limit_while_active(task_group *g)
{
	defer(catch_it);
	task_group_set_limit(g, 1);
}

TEST(group_has_a_limit)
{
	task_group g = { 0 };
	int at_once = 0;
	task_group_set_limit(&g, 3);
	for (int i = 0; i < 60; i++)
		task_group_go(&g, limited, &at_once);
	for (int i = 0; i < 5; i++)
		task_group_go(&g, ends_early);
	CHECK(!task_group_wait(&g));

	context *ctx = context_with_cancel(context_background());
	for (int i = 0; i < 3; i++)
		CHECK(task_group_try_go(&g, until, ctx, NULL));
	CHECK(!task_group_try_go(&g, fail, first_error));
	limit_while_active(&g);
	CHECK(string_eq(caught, S("errgroup: modify limit while 3 goroutines in the group are still active")));
	context_cancel(ctx);
	CHECK(!task_group_wait(&g));
	task_group_set_limit(&g, -1);
	for (int i = 0; i < 20; i++)
		CHECK(task_group_try_go(&g, fail, NULL));
	CHECK(!task_group_wait(&g));
}

TEST(misuse_panics)
{
	nil_parent();
	CHECK(string_eq(caught, S("cannot create context from nil parent")));
	not_to_cancel();
	CHECK(string_eq(caught, S("context: cancel of a context that has no cancel function")));
	too_much();
	CHECK(string_eq(caught, S("semaphore: released more than held")));
}

TEST_MAIN
{
	RUN(the_root_never_ends);
	RUN(a_cancel_reaches_all_below);
	RUN(the_first_cause_stays);
	RUN(values);
	RUN(deadlines);
	RUN(after_func);
	RUN(a_tree_of_tasks_ends);
	RUN(ends_may_race);
	RUN(nothing_is_kept);
	RUN(semaphore_shares);
	RUN(semaphore_is_fair);
	RUN(semaphore_gives_up_with_its_context);
	RUN(semaphore_serves_those_behind_who_gave_up);
	RUN(semaphore_takes_back);
	RUN(semaphore_loses_no_unit);
	RUN(group_waits_for_all);
	RUN(group_returns_the_first_error);
	RUN(group_has_a_limit);
	RUN(misuse_panics);
}
