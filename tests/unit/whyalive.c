/* whyalive.c: why an object is alive.  What is printed is checked by
 * tests/system/whyalive.py; here, what is found. */
#include "ingot.h"
#include "test.h"

struct node {
	struct node *next;
	int64 n;
};

static struct node *global_list;
static struct {
	int64 pad[3];
	struct node *inside;
} global_struct;

static __attribute__((noinline)) void scrub_stack(void)
{
	char junk[4096];
	memset(junk, 0, sizeof junk);
	__asm__ volatile("" : : "r"(junk) : "memory");
}

static __attribute__((noinline)) struct node *chain_of(int n)
{
	struct node *l = NULL;
	while (n--)
		l = new(struct node, .next = l, .n = n);
	return l;
}

static __attribute__((noinline)) uintptr_t last_of(struct node *l)
{
	while (l->next)
		l = l->next;
	return ~(uintptr_t)l; /* in disguise */
}

static __attribute__((noinline)) enum alive ask(uintptr_t disguised)
{
	return why_alive((void *)~disguised);
}

TEST(from_a_global)
{
	global_list = chain_of(5);
	uintptr_t last = last_of(global_list);
	scrub_stack();
	print("expect: global global_list+0, 5 objects\n");
	CHECK_EQ(ask(last), ALIVE_REACHED);
	print("end\n");
	global_list = NULL;
	global_struct.inside = chain_of(1);
	print("expect: global global_struct+24, 1 object\n");
	CHECK_EQ(ask(last_of(global_struct.inside)), ALIVE_REACHED);
	print("end\n");
	global_struct.inside = NULL;
}

TEST(long_chain)
{
	global_list = chain_of(20000);
	uintptr_t last = last_of(global_list);
	scrub_stack();
	CHECK_EQ(ask(last), ALIVE_REACHED);
	global_list = NULL;
}

static __attribute__((noinline)) void keeper(chan(uintptr_t) told, chan(int) end)
{
	struct node *mine = chain_of(3);
	send(told, last_of(mine));
	recv(end);
	CHECK_EQ(mine->n, 0);
}

declare_slice(uintptr_t);

TEST(from_a_stack)
{
	chan(uintptr_t) told = make_chan(uintptr_t);
	chan(int) end = make_chan(int);
	go(keeper, told, end);
	uintptr_t last = recv(told);
	print("expect: stack of keeper, 3 objects\n");
	CHECK_EQ(ask(last), ALIVE_REACHED);
	print("end\n");
	send(end, 1);
}

static __attribute__((noinline)) uintptr_t drop(void)
{
	return last_of(chain_of(2));
}

/* Garbage on stacks may hold one by luck, not all. */
TEST(unreachable)
{
	int n = 0;
	for (int i = 0; i < 10; i++) {
		uintptr_t gone = drop();
		scrub_stack();
		n += ask(gone) == ALIVE_UNREACHABLE;
	}
	CHECK(n >= 5);
}

static void final(struct node *n)
{
}

static __attribute__((noinline)) uintptr_t final_of(void)
{
	struct node *n = chain_of(2);
	uintptr_t held = ~(uintptr_t)n->next;
	set_finalizer(n, final);
	return held;
}

TEST(by_a_finalizer)
{
	uintptr_t held = final_of();
	scrub_stack();
	print("expect: finalizer, 1 object\n");
	CHECK_EQ(ask(held), ALIVE_REACHED);
	print("end\n");
}

static __attribute__((noinline)) void allocate_here(void)
{
	global_list = chain_of(2);
}

TEST(allocated_by)
{
	set_mem_profile_rate(1);
	for (int i = 0; i < 300; i++)
		allocate_here();
	print("expect: allocated by chain_of\n");
	CHECK_EQ(ask(last_of(global_list)), ALIVE_REACHED);
	print("end\n");
	set_mem_profile_rate(0);
	global_list = NULL;
}

TEST(not_in_the_heap)
{
	int64 local;
	CHECK_EQ(why_alive(&local), ALIVE_NOT_IN_HEAP);
	CHECK_EQ(why_alive(&global_list), ALIVE_NOT_IN_HEAP);
	CHECK_EQ(why_alive(NULL), ALIVE_NOT_IN_HEAP);
	gc_verify();
}

TEST(dump)
{
	global_list = chain_of(3);
	uintptr_t last = last_of(global_list);
	print("expect: a line of a dump: %#zx 16 +0->%#zx\n", (size_t)global_list, (size_t)global_list->next);
	heap_dump();
	print("end\n");
	CHECK_EQ(ask(last), ALIVE_REACHED);
	global_list = NULL;
}

TEST_MAIN
{
	RUN(from_a_global);
	RUN(long_chain);
	RUN(from_a_stack);
	RUN(unreachable);
	RUN(by_a_finalizer);
	RUN(allocated_by);
	RUN(not_in_the_heap);
	RUN(dump);
}
