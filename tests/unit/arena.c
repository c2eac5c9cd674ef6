/* arena.c: arenas, from the outside: what they give, keep, and take back, and misuse. */
#include "ingot.h"
#include "test.h"

struct node {
	struct node *left, *right;
	int64 key;
};
typedef struct node *node_ptr;
declare_slice(node_ptr);

static bool junk_mode(void)
{
	arena *a = arena_new();
	struct node *n = arena_alloc(a, struct node);
	n->key = 7;
	arena_free(a);
	return (uint64)n->key == 0xdbdbdbdbdbdbdbdbu;
}

/* Many small objects of both kinds, apart from each other, zero, aligned. */
TEST(objects_are_apart)
{
	enum { N = 20000 };
	arena *a = arena_new();
	struct node **all = rt_make(node_ptr, N);
	slice(byte) text[N / 100];
	for (int i = 0; i < N; i++) {
		struct node *n = all[i] = arena_alloc(a, struct node);
		CHECK(is_zero(n, sizeof *n) && (uintptr_t)n % 8 == 0);
		n->left = n->right = n;
		n->key = i;
		if (i % 100 == 0) {
			slice(byte) s = text[i / 100] = arena_slice(a, byte, 1 + i / 100);
			CHECK(len(s) == (size_t)(1 + i / 100) && is_zero(s.ptr, len(s)));
			memset(s.ptr, 0xee, len(s));
		}
	}
	int bad = 0;
	for (int i = 0; i < N; i++)
		bad += all[i]->key != i || all[i]->left != all[i] || all[i]->right != all[i];
	for (int i = 0; i < N / 100; i++)
		for (size_t k = 0; k < len(text[i]); k++)
			bad += text[i].ptr[k] != 0xee;
	CHECK_EQ(bad, 0);
	arena_free(a);
	gc_verify();
}

/* What comes back in a later arena is zero, and comes back without a collection. */
TEST(freed_memory_is_used_again)
{
	struct mem_stats before, after;
	gc();
	read_mem_stats(&before);
	int64 total = 0;
	for (int round = 0; round < 400; round++) {
		arena *a = arena_new();
		for (int i = 0; i < 6000; i++) { /* 144 KiB, three chunks */
			struct node *n = arena_alloc(a, struct node);
			if (!is_zero(n, sizeof *n))
				TEST_FAIL("object %d of round %d is dirty", i, round);
			memset(n, 0x77, sizeof *n);
			total += sizeof *n;
		}
		arena_free(a);
	}
	read_mem_stats(&after);
	if (!junk_mode()) {
		CHECK(total > 50 << 20);
		CHECK(after.total_alloc - before.total_alloc < 4 << 20);
		CHECK(after.num_gc - before.num_gc <= 1);
	}
}

/* An arena keeps what it points to, through large objects as well. */
TEST(keeps_what_it_points_to)
{
	arena *a = arena_new();
	struct node *n = arena_alloc(a, struct node);
	slice(node_ptr) big = arena_slice(a, node_ptr, 30000);
	n->left = new(struct node, .key = 41);
	n->right = arena_alloc(a, struct node);
	n->right->left = new(struct node, .key = 42);
	for (int i = 0; i < 30000; i += 100)
		big.ptr[i] = new(struct node, .key = i);
	for (int i = 0; i < 3; i++) {
		gc();
		for (int k = 0; k < 10000; k++)
			new(struct node)->key = -1;
	}
	CHECK_EQ(n->left->key, 41);
	CHECK_EQ(n->right->left->key, 42);
	int bad = 0;
	for (int i = 0; i < 30000; i += 100)
		bad += big.ptr[i]->key != i;
	CHECK_EQ(bad, 0);
	arena_free(a);
}

static __attribute__((noinline)) struct node *forget(int64 key)
{
	arena *a = arena_new();
	struct node *n = NULL;
	for (int i = 0; i < 100000; i++) { /* 2.4 MB */
		struct node *m = arena_alloc(a, struct node);
		if (i == 50000)
			n = m;
	}
	n->key = key;
	arena_slice(a, byte, 1 << 20);
	return n;
}

/* Without arena_free(): a pointer to one object keeps that, the rest is collected. */
TEST(forgotten_arenas_are_collected)
{
	struct mem_stats m;
	enum { N = 8 };
	struct node **kept = rt_make(node_ptr, N);
	gc();
	read_mem_stats(&m);
	uint64 before = m.heap_alloc;
	for (int i = 0; i < N; i++)
		kept[i] = forget(i);
	for (int i = 0; i < 3; i++)
		gc();
	read_mem_stats(&m);
	if (m.heap_alloc > before + 3 * 3500000)
		TEST_FAIL("%lu bytes are alive for %d objects", m.heap_alloc - before, N);
	for (int i = 0; i < N; i++)
		CHECK_EQ(kept[i]->key, i);
}

static string said;

static void note_panic(void)
{
	const panicked *p = recover();
	said = p ? p->text : S("nothing");
}

static void in_task(void (*f)(arena *), arena *a, chan(bool) done)
{
	f(a);
	send(done, true);
}

#define SAYS(f, arg, text) \
	do { \
		chan(bool) done_ = make_chan(bool); \
		go(in_task, f, arg, done_); \
		recv(done_); \
		if (!string_eq(said, S(text))) \
			TEST_FAIL("says \"%.*s\", not \"%s\"", STR(said), text); \
	} while (0)

static void free_it(arena *a)
{
	defer(note_panic);
	arena_free(a);
}
static void alloc_from(arena *a)
{
	defer(note_panic);
	arena_alloc(a, struct node);
}
static void slice_of_minus_one(arena *a)
{
	defer(note_panic);
	arena_slice(a, int, -1);
}
static void slice_of_too_many(arena *a)
{
	defer(note_panic);
	arena_slice(a, int64, INT64_MAX);
}

TEST(misuse_panics)
{
	arena *a = arena_new(), *b = arena_new();
	arena_alloc(a, struct node);
	arena_free(a);
	SAYS(free_it, a, "arena double free");
	SAYS(alloc_from, a, "arena use after free");
	SAYS(free_it, NULL, "runtime error: invalid memory address or nil pointer dereference");
	SAYS(slice_of_minus_one, b, "runtime error: makeslice: len out of range");
	SAYS(slice_of_too_many, b, "runtime error: makeslice: len out of range");
	SAYS(free_it, b, "nothing");
	arena *c = arena_new();
	CHECK(arena_slice(c, int, 0).len == 0);
	arena_free(c);
}

/* Under junkfill a pointer left over finds junk, for as long as it is there. */
TEST(use_after_free_finds_junk)
{
	bool junk = junk_mode();
#ifdef INGOT_NASTY
	CHECK(junk); /* GODEBUG=junkfill=1 belongs to the nasty ring */
#endif
	arena *a = arena_new();
	struct node *n = arena_alloc(a, struct node);
	n->key = 7;
	n->left = n;
	arena_free(a);
	for (int i = 0; i < 50; i++) {
		arena *b = arena_new();
		for (int k = 0; k < 3000; k++)
			arena_alloc(b, struct node)->key = 5;
		arena_free(b);
	}
	if (junk) {
		CHECK((uint64)n->key == 0xdbdbdbdbdbdbdbdbu);
		CHECK((uint64)n->left == 0xdbdbdbdbdbdbdbdbu);
	} else {
		CHECK(n->key == 0 || n->key == 5); /* an arena's memory still, whichever's */
	}
}

static void worker(int64 seed, chan(int64) result)
{
	int64 bad = 0;
	for (int round = 0; round < 30; round++) {
		arena *a = arena_new();
		struct node *list = NULL;
		for (int64 i = 0; i < 2000; i++) {
			struct node *n = arena_alloc(a, struct node);
			n->left = list;
			n->right = i % 64 ? NULL : new(struct node, .key = seed + i);
			n->key = seed + i;
			list = n;
			if (i % 500 == 0)
				gosched();
		}
		for (int64 i = 1999; list; i--, list = list->left)
			bad += list->key != seed + i || (list->right && list->right->key != seed + i);
		if (round % 3)
			arena_free(a);
	}
	send(result, bad);
}

TEST(many_tasks)
{
	chan(int64) result = make_chan(int64);
	for (int i = 0; i < 8; i++)
		go(worker, i * 1000000, result);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(recv(result), 0);
	gc_verify();
}

TEST_MAIN
{
	RUN(objects_are_apart);
	RUN(freed_memory_is_used_again);
	RUN(keeps_what_it_points_to);
	RUN(forgotten_arenas_are_collected);
	RUN(misuse_panics);
	RUN(use_after_free_finds_junk);
	RUN(many_tasks);
}
