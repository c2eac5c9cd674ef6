/* weak.c: weak pointers.  They are asked while collections run beside, from many
 * tasks: what comes out is the whole object or NULL. */
#include "ingot.h"
#include "test.h"

enum { N = 60, SPARE = 6 };

struct thing {
	struct thing *self;
	int64 n, check;
};

static weak(struct thing) weaks[N];
static struct thing *rescued[N];
static struct thing global_thing;

static __attribute__((noinline)) void scrub_stack(void)
{
	char junk[4096];
	memset(junk, 0, sizeof junk);
	__asm__ volatile("" : : "r"(junk) : "memory");
}

static struct thing *thing_new(int64 n)
{
	struct thing *t = new(struct thing, .n = n, .check = ~n);
	t->self = t;
	return t;
}

static bool thing_ok(const struct thing *t)
{
	return (t->self == t || !t->self) && t->check == ~t->n;
}

static __attribute__((noinline)) void make(void)
{
	for (int i = 0; i < N; i++)
		weaks[i] = weak_make(thing_new(i));
}

static __attribute__((noinline)) int alive(void)
{
	int n = 0;
	for (int i = 0; i < N; i++) {
		struct thing *t = weak_get(weaks[i]);
		if (t && (!thing_ok(t) || t->n != i))
			TEST_FAIL("weak pointer %d gives something else", i);
		n += t != NULL;
	}
	return n;
}

static int collected(void)
{
	for (int i = 0; i < 4; i++) {
		scrub_stack();
		gc();
		sleep(100 * Microsecond);
	}
	scrub_stack();
	return alive();
}

TEST(goes_with_its_object)
{
	make();
	CHECK(collected() <= SPARE);
	gc_verify();
}

TEST(stays_with_its_object)
{
	struct thing *t[N];
	for (int i = 0; i < N; i++) {
		t[i] = thing_new(i);
		weaks[i] = weak_make(t[i]);
	}
	CHECK_EQ(collected(), N);
	for (int i = 0; i < N; i++)
		CHECK(weak_get(weaks[i]) == t[i]);
	keep_alive(&t);
}

static weak(struct thing) others[N];

static __attribute__((noinline)) void make_twice(void)
{
	for (int i = 0; i < N; i++) {
		struct thing *t = thing_new(i);
		weaks[i] = weak_make(t);
		others[i] = weak_make(t);
	}
}

TEST(equality)
{
	struct thing *a = thing_new(1), *b = thing_new(2);
	CHECK(weak_make(a) == weak_make(a));
	CHECK(weak_make(a) != weak_make(b));
	CHECK((void *)weak_make(&a->n) != (void *)weak_make(a));
	CHECK(weak_make(&a->n) == weak_make(&a->n));
	CHECK(weak_get(weak_make(&a->check)) == &a->check);
	keep_alive(a);
	keep_alive(b);
	make_twice();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < N; i++)
			CHECK(weaks[i] == others[i] && (i == 0 || weaks[i] != weaks[i - 1]));
		CHECK(collected() <= (round ? SPARE : N));
	}
}

TEST(nil_and_globals)
{
	weak(struct thing) none = NULL;
	CHECK(weak_get(none) == NULL);
	CHECK(weak_make((struct thing *)NULL) == NULL);
	weak(struct thing) w = weak_make(&global_thing);
	collected();
	CHECK(weak_get(w) == &global_thing);
	CHECK(w == weak_make(&global_thing));
}

static int64 ran;

static void rescue(struct thing *t)
{
	if (weak_get(weaks[t->n])) /* gone before the finalizer runs */
		TEST_FAIL("weak pointer %lld is not NULL", (long long)t->n);
	if (t->check != ~t->n)
		TEST_FAIL("finalizer with something else");
	rescued[t->n] = t;
	atomic_add(&ran, 1);
}

static __attribute__((noinline)) void make_final(void)
{
	for (int i = 0; i < N; i++) {
		struct thing *t = thing_new(i);
		t->self = NULL; /* what points to itself is never found dead */
		weaks[i] = weak_make(t);
		set_finalizer(t, rescue);
	}
}

/* A finalizer that brings the object back does not bring the weak pointer back. */
TEST(before_finalizers)
{
	make_final();
	for (int i = 0; i < 200 && atomic_load(&ran) < N - SPARE; i++)
		collected();
	CHECK(atomic_load(&ran) >= N - SPARE);
	for (int i = 0; i < N; i++)
		if (rescued[i]) {
			CHECK(weak_get(weaks[i]) == NULL);
			weak(struct thing) w = weak_make(rescued[i]);
			CHECK(w != weaks[i]);
			CHECK(weak_get(w) == rescued[i]);
			rescued[i] = NULL;
		}
}

/* ---- beside collections ------------------------------------------------------------ */

enum { SLOTS = 64, ROUNDS = 400, TASKS = 6 };
static struct thing *strong[SLOTS];
static weak(struct thing) slot[SLOTS];
static mutex mu;
static bool stop;

/* Keeps some, drops some; asks for what another dropped, and puts it back. */
static void juggle(int me, wait_group *wg)
{
	uint32 r = (uint32)me * 7919 + 1;
	for (int i = 0; i < ROUNDS; i++) {
		r = r * 1664525 + 1013904223;
		uint32 k = r >> 16 & (SLOTS - 1);
		mutex_lock(&mu);
		weak(struct thing) w = slot[k];
		mutex_unlock(&mu);
		struct thing *t = weak_get(w);
		if (t && !thing_ok(t))
			TEST_FAIL("not a thing");
		if (!t)
			t = thing_new(i);
		weak(struct thing) nw = weak_make(t);
		mutex_lock(&mu);
		slot[k] = nw;
		strong[k] = r >> 30 ? t : NULL;
		mutex_unlock(&mu);
		if (i % 16 == 0)
			gosched();
	}
	wait_group_done(wg);
}

static void collector(wait_group *wg)
{
	while (!atomic_load(&stop)) {
		gc();
		gosched();
	}
	wait_group_done(wg);
}

TEST(beside_collections)
{
	wait_group wg = { 0 }, c = { 0 };
	stop = false;
	wait_group_add(&wg, TASKS);
	wait_group_add(&c, 1);
	go(collector, &c);
	for (int i = 0; i < TASKS; i++)
		go(juggle, i, &wg);
	wait_group_wait(&wg);
	atomic_store(&stop, true);
	wait_group_wait(&c);
	for (int i = 0; i < SLOTS; i++)
		if (strong[i])
			CHECK(weak_get(slot[i]) == strong[i] && thing_ok(strong[i]));
	memset(strong, 0, sizeof strong);
	gc_verify();
}

static uint32 collections(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
	return m.num_gc;
}

/* Between the end of a collection and the sweep of its span, an object that was found
 * dead looks like any other.  What a weak pointer gives then must not be freed. */
TEST(after_marking_before_sweeping)
{
	static struct thing *got[N];
	gc();
	for (int round = 0; round < 5; round++) {
		make();
		scrub_stack();
		uint32 before = collections();
		while (collections() == before) /* other sizes, so that these are not swept */
			for (int i = 0; i < 100; i++)
				rt_malloc(1000, NULL);
		for (int i = 0; i < N; i++)
			got[i] = weak_get(weaks[i]);
		gc();
		for (int i = 0; i < 10 * N; i++)
			thing_new(-1);
		for (int i = 0; i < N; i++) {
			if (got[i] && (!thing_ok(got[i]) || got[i]->n != i))
				TEST_FAIL("what weak pointer %d gave was freed", i);
			CHECK(weak_get(weaks[i]) == got[i]);
		}
		memset(got, 0, sizeof got);
	}
}

static void note_text(string *text)
{
	const panicked *p = recover();
	*text = p ? p->text : S("no panic");
}

static void of_a_stack(string *text)
{
	struct thing t = { 0 };
	defer(note_text, text);
	weak_make(&t);
}

TEST(misuse)
{
	string text = S("did not return");
	of_a_stack(&text);
	CHECK(string_eq(text, S("weak.Make: pointer to a stack")));
}

TEST_MAIN
{
	RUN(goes_with_its_object);
	RUN(stays_with_its_object);
	RUN(equality);
	RUN(nil_and_globals);
	RUN(before_finalizers);
	RUN(beside_collections);
	RUN(after_marking_before_sweeping);
	RUN(misuse);
}
