/* oom.c: the end of memory as a panic of the task that asked.  Without it, and when
 * there is nothing left to panic with, see tests/system/ends.py.
 * test: mem=64M */
#include "ingot.h"
#include "test.h"

struct node {
	struct node *next;
	char body[8000];
};

static int64 recovered;

static void note(void)
{
	const panicked *p = recover();
	if (p && p->runtime_error && strings_has_prefix(p->text, S("runtime error: out of memory: cannot allocate ")))
		atomic_add(&recovered, 1);
}

/* Takes memory until there is none. */
static __attribute__((noinline)) void take_all(size_t each)
{
	void **list = NULL;
	defer(note);
	for (;;) {
		void **p = rt_malloc(each, NULL);
		*p = list;
		list = p;
	}
}

static __attribute__((noinline)) void scrub_stack(void)
{
	char junk[8192];
	memset(junk, 0, sizeof junk);
	__asm__ volatile("" : : "r"(junk) : "memory");
}

TEST(large)
{
	for (int i = 1; i <= 5; i++) {
		take_all(memory_total() / 16);
		CHECK_EQ(recovered, i);
		scrub_stack();
	}
	gc();
	gc_verify();
}

static void one_too_large(size_t n)
{
	defer(note);
	rt_malloc(n, NULL);
}

TEST(too_large_at_once)
{
	recovered = 0;
	one_too_large(memory_total() * 2);
	one_too_large(SIZE_MAX / 2);
	one_too_large(SIZE_MAX - 20);
	one_too_large(SIZE_MAX);
	CHECK_EQ(recovered, 4);
}

static void other(wait_group *wg)
{
	struct node *list = NULL;
	for (int i = 0; i < 20; i++) {
		list = new(struct node, .next = list);
		if (i % 5 == 0)
			gosched();
	}
	int n = 0;
	for (; list; list = list->next)
		n++;
	CHECK_EQ(n, 20);
	wait_group_done(wg);
}

static void greedy(wait_group *wg)
{
	take_all(memory_total() / 16);
	wait_group_done(wg);
}

/* It is the panic of one task; the others, which ask for little, go on. */
TEST(beside_others)
{
	wait_group wg = { 0 };
	recovered = 0;
	wait_group_add(&wg, 5);
	go(greedy, &wg);
	for (int i = 0; i < 4; i++)
		go(other, &wg);
	wait_group_wait(&wg);
	CHECK_EQ(recovered, 1);
	scrub_stack();
	gc();
	gc_verify();
}

/* To the last small object, again and again: what is left serves for the panic. */
TEST(small)
{
#ifdef INGOT_NASTY
	print("skip small: collecting at each allocation, it takes too long to fill the memory\n");
	return;
#endif
	recovered = 0;
	for (int i = 1; i <= 3; i++) {
		take_all(1000);
		CHECK_EQ(recovered, i);
		scrub_stack();
	}
	gc();
	gc_verify();
}

TEST_MAIN
{
	CHECK(!set_panic_on_out_of_memory(true));
	CHECK(set_panic_on_out_of_memory(true));
	RUN(large);
	RUN(too_large_at_once);
	RUN(beside_others);
	RUN(small);
}
