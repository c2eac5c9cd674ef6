/* gc.c: what lives and what dies.  Objects are counted by their address kept
 * disguised (inverted), and by what they hold; freed memory is recognised by the
 * collector giving it out again, so most tests allocate after a collection. */
#include "ingot.h"
#include "test.h"

struct node {
	struct node *left, *right;
	long key;   /* no pointer: exact types do not scan it */
	long check;
};

static struct node *global_node;
static struct node **global_vec;

static struct node *node_new(long key)
{
	return new(struct node, .key = key, .check = ~key);
}

static bool node_ok(const struct node *n, long key)
{
	return n && n->key == key && n->check == ~key;
}

/* Collects, then fills what was freed with other content. */
static void collect_and_trample(void)
{
	gc();
	for (int i = 0; i < SCALED(4000); i++) {
		struct node *n = new(struct node);
		n->key = n->check = 0x7777;
		memset(rt_malloc(64, &rt_type_noscan), 0x77, 64);
		memset(rt_malloc(512, &rt_type_noscan), 0x77, 512);
	}
}

/* Overwrites what earlier calls left below the stack pointer. */
static __attribute__((noinline)) void scrub_stack(void)
{
	char junk[2048];
	memset(junk, 0, sizeof junk);
	__asm__ volatile("" : : "r"(junk) : "memory");
}

static uint64_t objects(void)
{
	struct mem_stats m;
	gc();
	read_mem_stats(&m);
	return m.heap_objects;
}

static struct node *tree(int depth, long *key)
{
	struct node *n = node_new((*key)++);
	if (depth) {
		n->left = tree(depth - 1, key);
		n->right = tree(depth - 1, key);
	}
	return n;
}

static bool tree_ok(const struct node *n, int depth, long *key)
{
	if (!node_ok(n, (*key)++))
		return false;
	if (depth == 0)
		return !n->left && !n->right;
	return tree_ok(n->left, depth - 1, key) && tree_ok(n->right, depth - 1, key);
}

TEST(tree_survives)
{
	long k = 0;
	global_node = tree(12, &k);
	for (int i = 0; i < 3; i++) {
		collect_and_trample();
		k = 0;
		CHECK(tree_ok(global_node, 12, &k));
	}
	global_node = NULL;
}

static __attribute__((noinline)) void drop_tree(void)
{
	long k = 0;
	global_node = tree(13, &k);
	global_node = NULL;
}

TEST(garbage_dies)
{
	uint64_t before = objects();
	drop_tree();
	scrub_stack();
	uint64_t after = objects();
	CHECK(after < before + 2000);
}

TEST(long_list)
{
	const long count = SCALED(300000);
	for (long i = 0; i < count; i++) {
		struct node *n = node_new(i);
		n->left = global_node;
		global_node = n;
	}
	collect_and_trample();
	long i = count;
	for (struct node *n = global_node; n; n = n->left)
		if (!node_ok(n, --i)) {
			TEST_FAIL("node %ld is damaged", i);
			break;
		}
	CHECK_EQ(i, 0);
	global_node = NULL;
}

TEST(wide_vector)
{
	long n = SCALED(200000);
	global_vec = rt_make(struct node *, n);
	for (long i = 0; i < n; i++)
		global_vec[i] = node_new(i);
	collect_and_trample();
	for (long i = 0; i < n; i++)
		if (!node_ok(global_vec[i], i)) {
			TEST_FAIL("node %ld is damaged", i);
			break;
		}
	global_vec = NULL;
}

TEST(interior_pointer_holds)
{
	static long *inside;
	struct node *n = node_new(7);
	inside = &n->check;
	n = NULL;
	scrub_stack();
	collect_and_trample();
	CHECK_EQ(*inside, ~7l);
	inside = NULL;
}

/* A compiler may keep only the end of an array in a register. */
TEST(end_pointer_holds)
{
	static struct node **end;
	for (size_t n = 2; n <= 64; n *= 2) {
		struct node **v = rt_make(struct node *, n);
		for (size_t i = 0; i < n; i++)
			v[i] = node_new((long)i);
		end = v + n;
		v = NULL;
		scrub_stack();
		collect_and_trample();
		for (size_t i = 0; i < n; i++)
			CHECK(node_ok(end[(ptrdiff_t)i - (ptrdiff_t)n], (long)i));
	}
	end = NULL;
}

static void holder_task(chan(int) start, chan(int) done)
{
	struct node *mine = node_new(4711);
	mine->left = node_new(4712);
	send(start, 1);
	recv(done);
	CHECK(node_ok(mine, 4711));
	CHECK(node_ok(mine->left, 4712));
	send(start, 1);
}

TEST(parked_stack_holds)
{
	chan(int) start = make_chan(int), done = make_chan(int);
	for (int i = 0; i < 50; i++)
		go(holder_task, start, done);
	for (int i = 0; i < 50; i++)
		recv(start);
	collect_and_trample();
	for (int i = 0; i < 50; i++)
		send(done, 1);
	for (int i = 0; i < 50; i++)
		recv(start);
}

static int stop_spinning;

static void spinner_task(chan(int) done)
{
	register struct node *mine = node_new(99);
	mine->right = node_new(100);
	while (!__atomic_load_n(&stop_spinning, __ATOMIC_RELAXED))
		__asm__ volatile("" : "+r"(mine)); /* it lives in a register */
	CHECK(node_ok(mine, 99));
	CHECK(node_ok(mine->right, 100));
	send(done, 1);
}

TEST(running_registers_hold)
{
	chan(int) done = make_chan(int, 4);
	stop_spinning = 0;
	for (int i = 0; i < 4; i++)
		go(spinner_task, done);
	for (int i = 0; i < 20; i++) {
		gosched();
		collect_and_trample();
	}
	__atomic_store_n(&stop_spinning, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 4; i++)
		recv(done);
}

TEST(buffered_channel_holds)
{
	chan(struct node *) c = make_chan(struct node *, 100);
	for (long i = 0; i < 100; i++)
		send(c, node_new(i));
	collect_and_trample();
	for (long i = 0; i < 100; i++)
		CHECK(node_ok(recv(c), i));
}

/* ---- types ---------------------------------------------------------------- */

struct big {
	long a[70];
	struct node *first;
	long b[130];
	struct node *last;
	long c[7];
};

struct odd { /* 10 words: maps straddle the 64-bit words they are kept in */
	long a;
	struct node *p;
	long b[3];
	struct node *q;
	long c[3];
	struct node *r;
};

union either {
	struct node *p;
	double d;
};

struct holder {
	union either u[3];
	uintptr_t hidden;
};

TEST(types_find_their_pointers)
{
	for (int n = 1; n < 200; n += 33) {
		struct big *b = rt_make(struct big, n);
		struct odd *o = rt_make(struct odd, n);
		struct holder *h = rt_make(struct holder, n);
		for (int i = 0; i < n; i++) {
			b[i].first = node_new(i);
			b[i].last = node_new(-i);
			o[i].p = node_new(3 * i);
			o[i].q = node_new(5 * i);
			o[i].r = node_new(6 * i);
			h[i].u[2].p = node_new(7 * i);
			h[i].hidden = (uintptr_t)node_new(9 * i);
		}
		collect_and_trample();
		for (int i = 0; i < n; i++) {
			CHECK(node_ok(b[i].first, i));
			CHECK(node_ok(b[i].last, -i));
			CHECK(node_ok(o[i].p, 3 * i));
			CHECK(node_ok(o[i].q, 5 * i));
			CHECK(node_ok(o[i].r, 6 * i));
			CHECK(node_ok(h[i].u[2].p, 7 * i));
			CHECK(node_ok((struct node *)h[i].hidden, 9 * i));
		}
	}
}

TEST(odd_sizes_side_by_side)
{
	struct odd **v = rt_make(struct odd *, 2000);
	for (long i = 0; i < 2000; i++)
		v[i] = new(struct odd, .p = node_new(i), .q = node_new(-i), .r = node_new(~i));
	collect_and_trample();
	for (long i = 0; i < 2000; i++) {
		CHECK(node_ok(v[i]->p, i));
		CHECK(node_ok(v[i]->q, -i));
		CHECK(node_ok(v[i]->r, ~i));
	}
}

/* Memory of unknown type is scanned word by word, also when its only pointer is the end. */
TEST(unknown_memory_holds)
{
	for (size_t n = 16; n <= 70000; n = n * 3 + 8) {
		struct node **v = rt_malloc(n, NULL);
		v[0] = node_new(1);
		v[n / 8 - 1] = node_new(2);
		collect_and_trample();
		CHECK(node_ok(v[n / 8 - 1], 2));
		CHECK(n < 16 || node_ok(v[0], 1));
	}
}

static __attribute__((noinline)) void hide_nodes(long *where, int n)
{
	for (int i = 0; i < n; i++)
		where[i] = (long)node_new(i);
}

/* Integers of exact types and noscan memory do not hold anything. */
TEST(no_pointers_are_no_roots)
{
	struct counts {
		struct node *none;
		long addr[4000];
	} *c = new(struct counts);
	long *plain = rt_malloc(4000 * sizeof(long), &rt_type_noscan);
	uint64_t before = objects();
	hide_nodes(c->addr, 4000);
	hide_nodes(plain, 4000);
	scrub_stack();
	uint64_t after = objects();
	CHECK(after < before + 1000);
	CHECK(c->addr[0] != 0 && plain[0] != 0);
}

/* ---- load --------------------------------------------------------------------- */

static void grow_and_check(chan(int) done)
{
	int bad = 0;
	for (int round = 0; round < 15; round++) {
		long k = round, depth = 6 + round % 5;
		struct node *t = tree((int)depth, &k);
		k = round;
		bad += !tree_ok(t, (int)depth, &k);
		gosched();
		k = round;
		bad += !tree_ok(t, (int)depth, &k);
	}
	send(done, bad);
}

TEST(tasks_allocate_and_collect)
{
	chan(int) done = make_chan(int);
	for (int i = 0; i < 16; i++)
		go(grow_and_check, done);
	for (int i = 0; i < 5; i++)
		gc();
	for (int i = 0; i < 16; i++)
		CHECK_EQ(recv(done), 0);
	gc_verify();
}

static void gc_task(chan(int) done)
{
	for (int i = 0; i < 10; i++)
		gc();
	send(done, 1);
}

TEST(many_ask_at_once)
{
	chan(int) done = make_chan(int);
	struct mem_stats a, b;
	read_mem_stats(&a);
	for (int i = 0; i < 6; i++)
		go(gc_task, done);
	for (int i = 0; i < 6; i++)
		recv(done);
	read_mem_stats(&b);
	CHECK(b.num_gc - a.num_gc >= 10);
	gc_verify();
}

static __attribute__((noinline)) void make_garbage(uint64_t bytes)
{
	for (uint64_t n = 0; n < bytes; n += 1040) {
		new(struct node);
		rt_malloc(1008, NULL);
	}
}

TEST(heap_stays_within_its_goal)
{
	struct mem_stats m;
	gc();
	read_mem_stats(&m);
	uint64_t bound = m.next_gc + m.next_gc / 2 + (1 << 20);
	uint32_t cycles = m.num_gc;
	for (int i = 0; i < 20; i++) {
		make_garbage(2 << 20);
		read_mem_stats(&m);
		if (m.heap_inuse > bound)
			TEST_FAIL("%llu bytes in use, bound %llu", (unsigned long long)m.heap_inuse,
			          (unsigned long long)bound);
	}
	CHECK(m.num_gc > cycles);
}

TEST(gc_percent_off_and_on)
{
	struct mem_stats a, b;
	int old = set_gc_percent(-1);
	gc();
	read_mem_stats(&a);
	make_garbage(SCALED(6 << 20));
	read_mem_stats(&b);
	CHECK_EQ(b.num_gc - b.num_forced_gc, a.num_gc - a.num_forced_gc);
	CHECK_EQ(set_gc_percent(old), -1);
	make_garbage(16 << 20);
	read_mem_stats(&b);
	CHECK(b.num_gc > a.num_gc);
	gc_verify();
}

TEST_MAIN
{
	RUN(tree_survives);
	RUN(garbage_dies);
	RUN(long_list);
	RUN(wide_vector);
	RUN(interior_pointer_holds);
	RUN(end_pointer_holds);
	RUN(parked_stack_holds);
	RUN(running_registers_hold);
	RUN(buffered_channel_holds);
	RUN(types_find_their_pointers);
	RUN(odd_sizes_side_by_side);
	RUN(unknown_memory_holds);
	RUN(no_pointers_are_no_roots);
	RUN(tasks_allocate_and_collect);
	RUN(many_ask_at_once);
	RUN(heap_stays_within_its_goal);
	RUN(gc_percent_off_and_on);
}
