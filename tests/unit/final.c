/* final.c: finalizers and cleanups.  The collector finds pointers on stacks by
 * luck too, so most tests make many objects and allow a few to stay; and they
 * collect until it happened. */
#include "ingot.h"
#include "test.h"

enum { N = 60, SPARE = 6, TRIES = 300 };

struct thing {
	struct thing *other;
	int64 n;
};

static int64 ran, wrong, order[N];
static struct thing *rescued[N];

/* Overwrites what earlier calls left below the stack pointer. */
static __attribute__((noinline)) void scrub_stack(void)
{
	char junk[4096];
	memset(junk, 0, sizeof junk);
	__asm__ volatile("" : : "r"(junk) : "memory");
}

/* Collects until *what is at least n; false: it does not come. */
static bool collect_until(int64 *what, int64 n)
{
	for (int i = 0; i < TRIES && atomic_load(what) < n; i++) {
		scrub_stack();
		gc();
		for (int k = 0; k < 20 && atomic_load(what) < n; k++)
			gosched();
		if (i > 5)
			sleep(Millisecond);
	}
	return atomic_load(what) >= n;
}

/* A few collections in which nothing of what is tested may happen. */
static void collect_some(void)
{
	for (int i = 0; i < 4; i++) {
		scrub_stack();
		gc();
		sleep(100 * Microsecond);
	}
}

static void begin(void)
{
	collect_some();
	ran = wrong = 0;
}

static void count(struct thing *t)
{
	if (t->n < 0 || t->n >= N || (t->other && t->other->n != t->n + 1000))
		atomic_add(&wrong, 1);
	t->n = -1;
	atomic_add(&ran, 1);
}

static __attribute__((noinline)) void make(int n, void (*f)(struct thing *))
{
	for (int i = 0; i < n; i++) {
		struct thing *t = new(struct thing, .n = i);
		t->other = new(struct thing, .n = i + 1000);
		set_finalizer(t, f);
	}
}

/* Each runs, once, with the object and what it points to intact. */
TEST(runs_once)
{
	begin();
	make(N, count);
	CHECK(collect_until(&ran, N - SPARE));
	collect_some();
	CHECK(ran <= N);
	CHECK_EQ(wrong, 0);
	gc_verify();
}

TEST(not_while_held)
{
	begin();
	struct thing *t = new(struct thing, .n = 1);
	set_finalizer(t, count);
	collect_some();
	CHECK_EQ(ran, 0);
	keep_alive(t);
	set_finalizer(t, NULL);
}

static __attribute__((noinline)) void make_and_clear(void)
{
	for (int i = 0; i < N; i++) {
		struct thing *t = new(struct thing, .n = i);
		set_finalizer(t, count);
		set_finalizer(t, NULL);
		set_finalizer(t, NULL);
	}
}

TEST(null_clears)
{
	begin();
	make_and_clear();
	collect_some();
	CHECK_EQ(ran, 0);
}

static void rescue(struct thing *t)
{
	rescued[t->n] = t;
	atomic_add(&ran, 1);
}

/* A finalizer may store its object; it is then like any other. */
TEST(resurrection)
{
	begin();
	make(N, rescue);
	CHECK(collect_until(&ran, N - SPARE));
	int64 first = ran;
	collect_some();
	CHECK(ran - first <= SPARE);
	for (int i = 0; i < N; i++)
		if (rescued[i]) {
			CHECK_EQ(rescued[i]->n, i);
			CHECK_EQ(rescued[i]->other->n, i + 1000);
		}
	/* Once more, with a finalizer set anew. */
	ran = 0;
	int64 again = 0;
	for (int i = 0; i < N; i++)
		if (rescued[i]) {
			set_finalizer(rescued[i], count);
			rescued[i] = NULL;
			again++;
		}
	CHECK(collect_until(&ran, again - SPARE));
	CHECK_EQ(wrong, 0);
}

static void again_and_again(struct thing *t)
{
	if (atomic_add(&ran, 1) < 5)
		set_finalizer(t, again_and_again);
}

TEST(sets_itself_again)
{
	begin();
	make(1 + SPARE, again_and_again);
	CHECK(collect_until(&ran, 5));
}

static int64 noted;

static void note_order(struct thing *t)
{
	int64 i = atomic_add(&noted, 1) - 1;
	if (i < N)
		order[i] = t->n;
}

static __attribute__((noinline)) void make_chain(int n)
{
	struct thing *prev = NULL;
	for (int i = n - 1; i >= 0; i--) {
		struct thing *t = new(struct thing, .n = i, .other = prev);
		set_finalizer(t, note_order);
		prev = t;
	}
}

/* What points comes before what is pointed to, each in a collection of its own. */
TEST(order_of_a_chain)
{
	begin();
	noted = 0;
	make_chain(5);
	scrub_stack();
	CHECK(collect_until(&noted, 5));
	for (int i = 0; i < 5; i++)
		CHECK_EQ(order[i], i);
}

static __attribute__((noinline)) void make_cycle(void)
{
	struct thing *a = new(struct thing, .n = 0), *b = new(struct thing, .n = 1, .other = a);
	a->other = b;
	set_finalizer(a, note_order);
	set_finalizer(b, note_order);
}

TEST(a_cycle_never)
{
	begin();
	noted = 0;
	make_cycle();
	collect_some();
	CHECK_EQ(noted, 0);
}

static void count_small(int64 *p)
{
	wrong += *p != 77;
	atomic_add(&ran, 1);
}

struct large {
	struct thing *first;
	char body[100000];
	struct thing *last;
};

static void count_large(struct large *p)
{
	if (p->first->n != 1 || p->last->n != 2)
		atomic_add(&wrong, 1);
	atomic_add(&ran, 1);
}

static __attribute__((noinline)) void make_sizes(void)
{
	for (int i = 0; i < N; i++) {
		int64 *p = new(int64);
		*p = 77;
		set_finalizer(p, count_small);
	}
	for (int i = 0; i < 5; i++) {
		struct large *p = new(struct large);
		p->first = new(struct thing, .n = 1);
		p->last = new(struct thing, .n = 2);
		set_finalizer(p, count_large);
	}
}

TEST(tiny_and_large)
{
	begin();
	make_sizes();
	CHECK(collect_until(&ran, N + 5 - SPARE));
	CHECK_EQ(wrong, 0);
}

/* More than one piece of what the marker looks at, set and cleared in any order. */
TEST(thousands)
{
	enum { M = 3000 };
	begin();
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < M; i++) {
			struct thing *t = new(struct thing, .n = i % N);
			t->other = new(struct thing, .n = i % N + 1000);
			set_finalizer(t, count);
			if (i % 3 == 0)
				set_finalizer(t, NULL);
			t = NULL;
		}
	CHECK(collect_until(&ran, 3 * M * 2 / 3 - SPARE));
	CHECK_EQ(wrong, 0);
	gc_verify();
}

static void count_gone(int64 *n)
{
	atomic_add(n, 1);
}

static void setter(wait_group *wg)
{
	for (int i = 0; i < 200; i++) {
		struct thing *t = new(struct thing, .n = i % N);
		set_finalizer(t, count);
		add_cleanup(t, count_gone, &ran);
		if (i % 40 == 39)
			gc();
	}
	wait_group_done(wg);
}

TEST(many_tasks)
{
	begin();
	wait_group wg = { 0 };
	wait_group_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		go(setter, &wg);
	wait_group_wait(&wg);
	CHECK(collect_until(&ran, 2 * 8 * (200 - SPARE)));
	CHECK_EQ(wrong, 0);
	gc_verify();
}

/* ---- the task they run in ------------------------------------------------------- */

static chan(int) gate;
static int64 passed;

static void blocks(struct thing *t)
{
	recv(gate);
	atomic_add(&passed, 1);
}

static int64 cleaned;

static void clean(int64 n)
{
	atomic_add(&cleaned, n);
}

static __attribute__((noinline)) void make_cleanups(int n)
{
	for (int i = 0; i < n; i++)
		add_cleanup(new(struct thing), clean, 1);
}

/* A finalizer that blocks holds up those behind it, and nobody else. */
TEST(one_that_blocks)
{
	begin();
	passed = 0;
	gate = make_chan(int);
	make(N, blocks);
	collect_some();
	CHECK_EQ(passed, 0);
	cleaned = 0;
	make_cleanups(N);
	CHECK(collect_until(&cleaned, N - SPARE));
	CHECK_EQ(passed, 0);
	send(gate, 1);
	send(gate, 1);
	for (int i = 0; i < 10000 && atomic_load(&passed) < 2; i++)
		gosched();
	collect_some();
	CHECK_EQ(passed, 2);
	close(gate);
	CHECK(collect_until(&passed, N - SPARE));
}

static int64 recovered;

static void note_panic(void)
{
	const panicked *p = recover();
	if (p && string_eq(p->text, S("in a finalizer")))
		atomic_add(&recovered, 1);
}

static void panics(struct thing *t)
{
	defer(note_panic);
	panic("in a finalizer");
}

TEST(one_that_panics_and_recovers)
{
	begin();
	recovered = 0;
	make(N, panics);
	CHECK(collect_until(&recovered, N - SPARE));
}

static void exits(struct thing *t)
{
	atomic_add(&ran, 1);
	goexit();
}

TEST(one_that_ends_its_task)
{
	begin();
	make(N, exits);
	CHECK(collect_until(&ran, N - SPARE));
	ran = 0;
	make(N, count);
	CHECK(collect_until(&ran, N - SPARE));
}

static void allocates(struct thing *t)
{
	struct thing *list = NULL;
	for (int i = 0; i < 50; i++)
		list = new(struct thing, .other = list, .n = i);
	gc();
	for (int i = 49; list; list = list->other, i--)
		if (list->n != i)
			atomic_add(&wrong, 1);
	atomic_add(&ran, 1);
}

TEST(one_that_allocates_and_collects)
{
	begin();
	make(20, allocates);
	CHECK(collect_until(&ran, 20 - SPARE));
	CHECK_EQ(wrong, 0);
}

/* ---- cleanups --------------------------------------------------------------------- */

static void note_args(int a, struct thing *b, double c)
{
	if (b->n != a || c != a / 2.0)
		atomic_add(&wrong, 1);
	atomic_add(&ran, 1);
}

static __attribute__((noinline)) void make_with_args(void)
{
	for (int i = 0; i < N; i++) {
		struct thing *t = new(struct thing);
		add_cleanup(t, note_args, i, new(struct thing, .n = i), i / 2.0);
		add_cleanup(&t->n, note_args, i, new(struct thing, .n = i), i / 2.0);
	}
}

/* Several on an object, with arguments that live until then. */
TEST(cleanups_get_their_arguments)
{
	begin();
	make_with_args();
	collect_some();
	for (int i = 0; i < 2000; i++)
		new(struct thing, .n = -5);
	CHECK(collect_until(&ran, 2 * (N - SPARE)));
	CHECK_EQ(wrong, 0);
}

static cleanup stops[N];

static __attribute__((noinline)) void make_stopped(void)
{
	for (int i = 0; i < N; i++) {
		struct thing *t = new(struct thing);
		stops[i] = add_cleanup(t, clean, 1);
		add_cleanup(t, clean, 1000);
		if (i % 2)
			cleanup_stop(stops[i]);
	}
}

TEST(stopped_cleanups_do_not_run)
{
	begin();
	cleaned = 0;
	make_stopped();
	CHECK(collect_until(&cleaned, 1000 * (N - SPARE)));
	collect_some();
	CHECK(cleaned % 1000 <= N / 2);
	CHECK(cleaned % 1000 >= N / 2 - SPARE);
	/* Later it does nothing. */
	for (int i = 0; i < N; i++)
		cleanup_stop(stops[i]);
	cleanup_stop((cleanup){ 0, 0 });
}

static void rescue_first(struct thing *t)
{
	rescued[t->n] = t;
	if (atomic_load(&cleaned))
		atomic_add(&wrong, 1);
	atomic_add(&ran, 1);
}

static __attribute__((noinline)) void make_both(void)
{
	for (int i = 0; i < N; i++) {
		struct thing *t = new(struct thing, .n = i);
		add_cleanup(t, clean, 1);
		set_finalizer(t, rescue_first);
	}
}

/* A cleanup waits until no finalizer brings the object back. */
TEST(cleanup_after_finalizer)
{
	begin();
	cleaned = 0;
	memset(rescued, 0, sizeof rescued);
	make_both();
	CHECK(collect_until(&ran, N - SPARE));
	collect_some();
	CHECK_EQ(cleaned, 0);
	CHECK_EQ(wrong, 0);
	memset(rescued, 0, sizeof rescued);
	CHECK(collect_until(&cleaned, N - SPARE));
}

/* ---- bad input ---------------------------------------------------------------------- */

static void note_text(string *text)
{
	const panicked *p = recover();
	*text = p ? p->text : S("no panic");
}

static void call(void (*f)(void), string *text)
{
	defer(note_text, text);
	f();
}

#define PANICS(f, words) \
	do { \
		string text_ = S("did not return"); \
		call(f, &text_); \
		if (!string_eq(text_, S(words))) \
			TEST_FAIL("%s: \"%.*s\", not \"%s\"", #f, STR(text_), words); \
	} while (0)

static struct thing global_thing;

static void final_nil(void) { set_finalizer((struct thing *)NULL, count); }
static void final_interior(void) { struct thing *t = new(struct thing); set_finalizer(&t->n, count_small); }
static void final_stack(void) { struct thing t = { 0 }; set_finalizer(&t, count); }
static void final_twice(void)
{
	struct thing *t = new(struct thing);
	set_finalizer(t, rescue);
	defer(rt_set_finalizer, t, (void (*)(void *))NULL);
	set_finalizer(t, rescue);
}
static void cleanup_nil(void) { add_cleanup((struct thing *)NULL, clean, 1); }
static void cleanup_nil_f(void)
{
	void (*volatile f)(int) = NULL;
	add_cleanup(new(struct thing), f, 1);
}
static void cleanup_stack(void) { struct thing t = { 0 }; add_cleanup(&t, clean, 1); }
static void cleanup_itself(void)
{
	struct thing *t = new(struct thing);
	add_cleanup(t, count, t);
}
static void cleanup_inside(void)
{
	struct thing *t = new(struct thing);
	add_cleanup(t, count_small, &t->n);
}

TEST(misuse)
{
	PANICS(final_nil, "runtime.SetFinalizer: first argument is nil");
	PANICS(final_interior, "runtime.SetFinalizer: pointer not at beginning of allocated block");
	PANICS(final_stack, "runtime.SetFinalizer: pointer not in heap");
	PANICS(final_twice, "runtime.SetFinalizer: finalizer already set");
	PANICS(cleanup_nil, "runtime.AddCleanup: ptr is nil");
	PANICS(cleanup_nil_f, "runtime.AddCleanup: cleanup is nil");
	PANICS(cleanup_stack, "runtime.AddCleanup: ptr not in allocated block");
	PANICS(cleanup_itself, "runtime.AddCleanup: ptr is equal to arg, cleanup will never run");
	PANICS(cleanup_inside, "runtime.AddCleanup: arg points into ptr's object, cleanup will never run");
	begin();
	set_finalizer(&global_thing, count);
	CHECK_EQ(add_cleanup(&global_thing, clean, 1).id, 0);
	collect_some();
	CHECK_EQ(ran, 0);
	gc_verify();
}

TEST_MAIN
{
	RUN(runs_once);
	RUN(not_while_held);
	RUN(null_clears);
	RUN(resurrection);
	RUN(sets_itself_again);
	RUN(order_of_a_chain);
	RUN(a_cycle_never);
	RUN(tiny_and_large);
	RUN(thousands);
	RUN(many_tasks);
	RUN(one_that_blocks);
	RUN(one_that_panics_and_recovers);
	RUN(one_that_ends_its_task);
	RUN(one_that_allocates_and_collects);
	RUN(cleanups_get_their_arguments);
	RUN(stopped_cleanups_do_not_run);
	RUN(cleanup_after_finalizer);
	RUN(misuse);
}
