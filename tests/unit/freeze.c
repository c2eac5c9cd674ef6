/* freeze.c: tasks whose stack pages were given back while they were parked:
 * they must find everything as it was, whoever touches their stacks first.
 *
 * test: limit=400 */
#include "ingot.h"
#include "test.h"
#include <cpuid.h>

#define NOINLINE __attribute__((noinline, noclone))
#define WORDS 12

static struct mem_stats stats(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
	return m;
}

/* Compacts until n tasks are frozen: those that were still on their way to
 * where they wait have got there. */
static void freeze(uint64 n)
{
	for (int i = 0; stats().frozen_tasks < n; i++) {
		if (i == 20000) {
			TEST_FAIL("%lld tasks are frozen, not %lld", (long long)stats().frozen_tasks, (long long)n);
			return;
		}
		gosched();
		compact_stacks();
	}
}

static uint64 mix(uint64 x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
	return x ^ x >> 29;
}

static NOINLINE void fill(uint64 *v, uint64 seed)
{
	for (int i = 0; i < WORDS; i++)
		v[i] = mix(seed * WORDS + (uint64)i + 1);
}

static NOINLINE int wrong(const uint64 *v, uint64 seed)
{
	int bad = 0;
	for (int i = 0; i < WORDS; i++)
		bad += v[i] != mix(seed * WORDS + (uint64)i + 1);
	return bad;
}

/* So many may stay: they share a page with a task that is not parked. */
#define BESIDE 8

static void shuffle(int *v, int n, uint64 seed)
{
	for (int i = 0; i < n; i++)
		v[i] = i;
	for (int i = n - 1; i > 0; i--) {
		int k = (int)(mix(seed + (uint64)i) % (uint64)(i + 1)), t = v[i];
		v[i] = v[k];
		v[k] = t;
	}
}

/* ---- every way to wait, woken in random order from all sides ------------------ */

enum { IN_RECV, IN_SEND, IN_SELECT, IN_SLEEP, IN_MUTEX, IN_RWMUTEX, IN_COND, IN_WAITGROUP, KINDS };

struct sleeper {
	chan(uint64) c;
	mutex m;
	rwmutex rw;
	cond cond;
	wait_group wg;
	uint64 *local;     /* its array, on its stack */
	int ready;
};

static struct sleeper *sleepers;
static int bad;
static int64 wake_at;

static void wait_for_something(int i, wait_group *done)
{
	struct sleeper *s = &sleepers[i];
	uint64 mine[WORDS], got = 0;
	fill(mine, (uint64)i);
	s->local = mine;
	__atomic_store_n(&s->ready, 1, __ATOMIC_RELEASE);
	switch (i % KINDS) {
	case IN_RECV:
		got = recv(s->c);
		break;
	case IN_SEND:
		send(s->c, (uint64)i * 7);
		got = (uint64)i * 7;
		break;
	case IN_SELECT: {
		chan(uint64) never = make_chan(uint64);
		select {
			case_recv(never, &got) { got = 1; }
			case_recv(s->c, &got) {}
			case_send(never, got) { got = 2; }
		}
		break;
	}
	case IN_SLEEP:
		sleep(wake_at - nanotime());
		got = (uint64)i * 7;
		break;
	case IN_MUTEX:
		mutex_lock(&s->m);
		mutex_unlock(&s->m);
		got = (uint64)i * 7;
		break;
	case IN_RWMUTEX:
		rwmutex_rlock(&s->rw);
		rwmutex_runlock(&s->rw);
		got = (uint64)i * 7;
		break;
	case IN_COND:
		mutex_lock(&s->m);
		while (s->ready == 1)
			cond_wait(&s->cond);
		mutex_unlock(&s->m);
		got = (uint64)i * 7;
		break;
	case IN_WAITGROUP:
		wait_group_wait(&s->wg);
		got = (uint64)i * 7;
		break;
	}
	/* Who woke it has turned the array over. */
	for (int k = 0; k < WORDS; k++)
		mine[k] = ~mine[k];
	if (i % KINDS == IN_SLEEP)
		for (int k = 0; k < WORDS; k++)
			mine[k] = ~mine[k];
	if (got != (uint64)i * 7 || wrong(mine, (uint64)i))
		__atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
	wait_group_done(done);
}

static void wake(int i)
{
	struct sleeper *s = &sleepers[i];
	if (i % KINDS != IN_SLEEP)
		for (int k = 0; k < WORDS; k++)
			s->local[k] = ~s->local[k];
	switch (i % KINDS) {
	case IN_RECV:
	case IN_SELECT:
		send(s->c, (uint64)i * 7);
		break;
	case IN_SEND:
		if (recv(s->c) != (uint64)i * 7)
			__atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
		break;
	case IN_MUTEX:
		mutex_unlock(&s->m);
		break;
	case IN_RWMUTEX:
		rwmutex_unlock(&s->rw);
		break;
	case IN_COND:
		mutex_lock(&s->m);
		s->ready = 2;
		cond_signal(&s->cond);
		mutex_unlock(&s->m);
		break;
	case IN_WAITGROUP:
		wait_group_done(&s->wg);
		break;
	}
}

static void wake_some(const int *order, int n, wait_group *done)
{
	for (int i = 0; i < n; i++) {
		wake(order[i]);
		if (i % 16 == 0)
			gosched();
	}
	wait_group_done(done);
}

static void all_kinds(int n)
{
	wait_group done = { 0 };
	int *order = rt_make(int, n);
	bad = 0;
	wake_at = nanotime() + (n > 1000 ? 4 : 1) * Second;
	sleepers = rt_make(struct sleeper, n);
	for (int i = 0; i < n; i++) {
		struct sleeper *s = &sleepers[i];
		s->c = make_chan(uint64);
		s->cond.l = &s->m;
		if (i % KINDS == IN_MUTEX)
			mutex_lock(&s->m);
		if (i % KINDS == IN_RWMUTEX)
			rwmutex_lock(&s->rw);
		if (i % KINDS == IN_WAITGROUP)
			wait_group_add(&s->wg, 1);
		wait_group_add(&done, 1);
		go(wait_for_something, i, &done);
	}
	for (int i = 0; i < n; i++)
		while (!__atomic_load_n(&sleepers[i].ready, __ATOMIC_ACQUIRE))
			gosched();
	freeze((uint64)(n - n / KINDS - BESIDE)); /* sleepers may be through already */
	shuffle(order, n, (uint64)n);
	wait_group_add(&done, 4);
	for (int k = 0; k < 4; k++)
		go(wake_some, order + k * (n / 4), k < 3 ? n / 4 : n - 3 * (n / 4), &done);
	wait_group_wait(&done);
	CHECK_EQ(bad, 0);
	sleepers = NULL;
}

TEST(every_way_to_wait)
{
	all_kinds(10000);
}

TEST(again_and_again)
{
	for (int round = 0; round < 5; round++)
		all_kinds(400);
}

/* ---- several cores touch one frozen page at once ------------------------------- */

struct shared {
	uint64 *page;      /* WORDS words on a frozen stack */
	uint32 arrived, go;
	int bad;
};

static void touch(struct shared *s, int who, uint64 seed, wait_group *wg)
{
	__atomic_add_fetch(&s->arrived, 1, __ATOMIC_SEQ_CST);
	for (int n = 0; !__atomic_load_n(&s->go, __ATOMIC_ACQUIRE); n++)
		if (n % 100 == 99)
			gosched();
	if (s->page[who] != mix(seed * WORDS + (uint64)who + 1))
		__atomic_add_fetch(&s->bad, 1, __ATOMIC_SEQ_CST);
	s->page[who + 4] = ~s->page[who + 4];
	wait_group_done(wg);
}

static void own_page(struct shared *s, uint64 seed, chan(int) c, chan(int) out)
{
	uint64 mine[WORDS];
	fill(mine, seed);
	s->page = mine;
	send(out, 0);
	recv(c);
	for (int i = 4; i < 8; i++)
		mine[i] = ~mine[i];
	send(out, wrong(mine, seed));
}

TEST(four_cores_touch_one_page)
{
	chan(int) c = make_chan(int), out = make_chan(int);
	for (uint64 round = 0; round < 300; round++) {
		struct shared *s = new(struct shared);
		wait_group wg = { 0 };
		go_stack(1 << 20, own_page, s, round, c, out); /* no other task begins on its page */
		recv(out);
		for (int k = 0; k < 4; k++) {
			wait_group_add(&wg, 1);
			go(touch, s, k, round, &wg);
		}
		while (__atomic_load_n(&s->arrived, __ATOMIC_ACQUIRE) < 4)
			gosched();
		freeze(1);
		uint64 thaws = stats().thaws;
		__atomic_store_n(&s->go, 1, __ATOMIC_RELEASE);
		wait_group_wait(&wg);
		CHECK_EQ(s->bad, 0);
		CHECK(stats().thaws > thaws);
		send(c, 0);
		CHECK_EQ(recv(out), 0);
	}
}

/* ---- the collector --------------------------------------------------------------- */

struct node {
	struct node *next;
	uint64 v[5];
};

static NOINLINE struct node *list(uint64 seed, int n)
{
	struct node *l = NULL;
	for (int i = n; i-- > 0;)
		l = new(struct node, .next = l, .v = { mix(seed + (uint64)i), 1, 2, 3, ~seed });
	return l;
}

static NOINLINE int list_wrong(const struct node *l, uint64 seed, int n)
{
	for (int i = 0; i < n; i++, l = l->next)
		if (!l || l->v[0] != mix(seed + (uint64)i) || l->v[1] != 1 || l->v[2] != 2 || l->v[3] != 3 ||
		    l->v[4] != ~seed)
			return i + 1;
	return l != NULL;
}

static void hold_list(uint64 seed, chan(int) c, wait_group *wg)
{
	struct node *volatile only = list(seed, 20);
	recv(c);
	if (list_wrong(only, seed, 20))
		__atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
	wait_group_done(wg);
}

TEST(what_only_frozen_stacks_hold_lives)
{
	enum { N = 500 };
	chan(int) c = make_chan(int);
	wait_group wg = { 0 };
	bad = 0;
	for (int i = 0; i < N; i++) {
		wait_group_add(&wg, 1);
		go(hold_list, (uint64)i * 1000, c, &wg);
	}
	freeze(N - BESIDE);
	uint64 thaws = stats().thaws;
	for (int i = 0; i < 5; i++) {
		gc();
		for (int k = 0; k < 20000; k++) /* whoever was freed is given to somebody else */
			list((uint64)k, 1);
	}
	gc_verify();
	sched_check();
	if (stats().thaws > thaws + 20)
		TEST_FAIL("collections thawed %lld stacks", (long long)(stats().thaws - thaws));
	close(c);
	wait_group_wait(&wg);
	CHECK_EQ(bad, 0);
}

/* ---- stacks of other shapes ----------------------------------------------------- */

static NOINLINE int64 deep(int n, chan(int) c, wait_group *parked)
{
	volatile char here[200];
	here[n % 200] = (char)n;
	int64 r = n;
	if (n > 0) {
		r = deep(n - 1, c, parked) + 1;
	} else if (parked) {
		wait_group_done(parked);
		recv(c);
	}
	return r + (here[n % 200] != (char)n);
}

/* Was deep once, or is deep while it waits. */
static void go_deep(int before, int while_parked, chan(int) c, wait_group *parked, wait_group *wg)
{
	uint64 mine[WORDS];
	fill(mine, (uint64)before);
	int64 a = deep(before, c, NULL);
	int64 b = deep(while_parked, c, parked);
	int64 d = deep(before, c, NULL);
	if (a != before || d != before || b != while_parked || wrong(mine, (uint64)before))
		__atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
	wait_group_done(wg);
}

TEST(deep_stacks)
{
	chan(int) c = make_chan(int);
	wait_group parked = { 0 }, wg = { 0 };
	uint64 n = 0;
	bad = 0;
	for (int before = 0; before < 2000; before = before * 2 + 1)
		for (int depth = 0; depth < 2000; depth = depth * 2 + 1) {
			wait_group_add(&parked, 1);
			wait_group_add(&wg, 1);
			go(go_deep, before, depth, c, &parked, &wg);
			n += depth < 3;
		}
	wait_group_wait(&parked);
	uint64 before = stats().stack_inuse;
	freeze(n - BESIDE);
	gc();
	print("# stacks %lld KiB before, %lld after\n", (long long)before >> 10, (long long)stats().stack_inuse >> 10);
	CHECK(stats().stack_inuse + (2 << 20) < before);
	close(c);
	wait_group_wait(&wg);
	CHECK_EQ(bad, 0);
}

/* ---- the fault leaves no trace ---------------------------------------------------- */

struct wide {
	uint64 v[16][4];
};

/* Reads *word while all vector registers hold in; out is what they hold then. */
static NOINLINE uint64 touch_with_registers(const uint64 *word, const struct wide *in, struct wide *out, bool avx)
{
	uint64 got;
	if (avx)
		__asm__ volatile(
			"vmovdqu (%2), %%ymm0\n vmovdqu 32(%2), %%ymm1\n vmovdqu 64(%2), %%ymm2\n vmovdqu 96(%2), %%ymm3\n"
			"vmovdqu 128(%2), %%ymm4\n vmovdqu 160(%2), %%ymm5\n vmovdqu 192(%2), %%ymm6\n vmovdqu 224(%2), %%ymm7\n"
			"vmovdqu 256(%2), %%ymm8\n vmovdqu 288(%2), %%ymm9\n vmovdqu 320(%2), %%ymm10\n vmovdqu 352(%2), %%ymm11\n"
			"vmovdqu 384(%2), %%ymm12\n vmovdqu 416(%2), %%ymm13\n vmovdqu 448(%2), %%ymm14\n vmovdqu 480(%2), %%ymm15\n"
			"movq (%1), %0\n"
			"vmovdqu %%ymm0, (%3)\n vmovdqu %%ymm1, 32(%3)\n vmovdqu %%ymm2, 64(%3)\n vmovdqu %%ymm3, 96(%3)\n"
			"vmovdqu %%ymm4, 128(%3)\n vmovdqu %%ymm5, 160(%3)\n vmovdqu %%ymm6, 192(%3)\n vmovdqu %%ymm7, 224(%3)\n"
			"vmovdqu %%ymm8, 256(%3)\n vmovdqu %%ymm9, 288(%3)\n vmovdqu %%ymm10, 320(%3)\n vmovdqu %%ymm11, 352(%3)\n"
			"vmovdqu %%ymm12, 384(%3)\n vmovdqu %%ymm13, 416(%3)\n vmovdqu %%ymm14, 448(%3)\n vmovdqu %%ymm15, 480(%3)\n"
			"vzeroupper"
			: "=&r"(got)
			: "r"(word), "r"(in), "r"(out)
			: "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
			  "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	else
		__asm__ volatile(
			"movups (%2), %%xmm0\n movups 32(%2), %%xmm1\n movups 64(%2), %%xmm2\n movups 96(%2), %%xmm3\n"
			"movups 128(%2), %%xmm4\n movups 160(%2), %%xmm5\n movups 192(%2), %%xmm6\n movups 224(%2), %%xmm7\n"
			"movq (%1), %0\n"
			"movups %%xmm0, (%3)\n movups %%xmm1, 32(%3)\n movups %%xmm2, 64(%3)\n movups %%xmm3, 96(%3)\n"
			"movups %%xmm4, 128(%3)\n movups %%xmm5, 160(%3)\n movups %%xmm6, 192(%3)\n movups %%xmm7, 224(%3)"
			: "=&r"(got)
			: "r"(word), "r"(in), "r"(out)
			: "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
	return got;
}

static bool have_avx(void)
{
	unsigned a, b, c, d;
	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) && (c & bit_AVX);
}

TEST(a_thaw_keeps_vector_registers)
{
	chan(int) c = make_chan(int), out = make_chan(int);
	static struct wide in, now;
	bool avx = have_avx();
	int rows = avx ? 16 : 8, columns = avx ? 4 : 2;
	for (uint64 round = 0; round < 50; round++) {
		struct shared *s = new(struct shared);
		for (int i = 0; i < 64; i++)
			in.v[i / 4][i % 4] = mix(round * 64 + (uint64)i);
		go_stack(1 << 20, own_page, s, round, c, out); /* no other task begins on its page */
		recv(out);
		freeze(1);
		uint64 got = touch_with_registers(&s->page[1], &in, &now, avx);
		CHECK_EQ(got, mix(round * WORDS + 2));
		for (int i = 0; i < rows; i++)
			for (int k = 0; k < columns; k++)
				if (in.v[i][k] != now.v[i][k])
					TEST_FAIL("register %d, word %d", i, k);
		for (int i = 4; i < 8; i++)
			s->page[i] = ~s->page[i];
		send(c, 0);
		CHECK_EQ(recv(out), 0);
	}
}

/* The panic of a fault is entered below the stack pointer, on memory that may
 * never have been touched. */
static void recovered(chan(int) out)
{
	send(out, recover() != NULL);
}

static NOINLINE void nil_dereference(int room, int *volatile nobody)
{
	char *untouched = __builtin_alloca((size_t)room * 16 + 16);
	__asm__ volatile("movl (%1), %%eax" : : "r"(untouched), "r"(nobody) : "eax", "memory");
}

static NOINLINE void recovers(int room, chan(int) out)
{
	defer(recovered, out);
	nil_dereference(room, NULL);
}

static void on_a_fresh_stack(int room, chan(int) all, chan(int) out)
{
	recv(all);
	recovers(room, out);
}

TEST(faults_become_panics_as_before)
{
	enum { N = 512 };
	chan(int) all = make_chan(int), out = make_chan(int, 1);
	for (int room = 0; room < N; room++)
		go(on_a_fresh_stack, room, all, out);
	close(all);
	for (int room = 0; room < N; room++)
		CHECK_EQ(recv(out), 1);
}

/* ---- with everything else going on ------------------------------------------------- */

static void ping(chan(int) a, chan(int) b, int n, wait_group *wg)
{
	uint64 mine[WORDS];
	fill(mine, (uint64)n);
	for (int i = 0; i < n; i++) {
		send(a, i);
		if (recv(b) != i)
			__atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
		if (i % 64 == 0)
			sleep(10 * Microsecond);
	}
	if (wrong(mine, (uint64)n))
		__atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
	close(a);
	wait_group_done(wg);
}

static void pong(chan(int) a, chan(int) b, wait_group *wg)
{
	int v;
	while (recv(a, &v))
		send(b, v);
	wait_group_done(wg);
}

static void compact_often(int *stop, wait_group *wg)
{
	for (int i = 0; !__atomic_load_n(stop, __ATOMIC_ACQUIRE); i++) {
		compact_stacks();
		if (i % 8 == 0)
			gc();
		if (i % 16 == 0)
			sched_check();
		gosched();
	}
	wait_group_done(wg);
}

TEST(while_tasks_run)
{
	wait_group wg = { 0 }, compactors = { 0 };
	int stop = 0, cores = num_cpu();
	bad = 0;
	for (int i = 0; i < 16; i++) {
		chan(int) a = make_chan(int, i % 3), b = make_chan(int, i % 2);
		wait_group_add(&wg, 2);
		go(ping, a, b, 300, &wg);
		go(pong, a, b, &wg);
	}
	wait_group_add(&compactors, 2);
	go(compact_often, &stop, &compactors);
	go(compact_often, &stop, &compactors);
	for (int i = 0; i < 20; i++) {
		gomaxprocs(1 + i % cores);
		gosched();
	}
	gomaxprocs(cores);
	wait_group_wait(&wg);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	wait_group_wait(&compactors);
	CHECK_EQ(bad, 0);
}

/* ---- memory ------------------------------------------------------------------------- */

static void wait_to_end(chan(int) c, wait_group *wg)
{
	recv(c);
	wait_group_done(wg);
}


TEST(memory_comes_back)
{
	enum { N = 4000 };
	wait_group wg = { 0 };
	chan(int) c = make_chan(int);
	gc();
	struct mem_stats none = stats();
	for (int i = 0; i < N; i++) {
		wait_group_add(&wg, 1);
		go(wait_to_end, c, &wg);
	}
	for (int i = 0; i < 3; i++)
		sleep(Millisecond);
	struct mem_stats before = stats();
	freeze(N - BESIDE);
	struct mem_stats frozen = stats();
	print("# %d tasks: stacks %lld KiB before, %lld after, and %lld of copies; longest stop %lld us\n", N,
	      (long long)(before.stack_inuse >> 10), (long long)(frozen.stack_inuse >> 10),
	      (long long)(frozen.frozen_bytes >> 10), (long long)frozen.freeze_pause_max_ns / 1000);
	CHECK(frozen.stack_inuse + N * 1500 < before.stack_inuse);
	CHECK(frozen.frozen_bytes < N * 1000);
	CHECK(none.frozen_bytes <= frozen.frozen_bytes);
	close(c);
	wait_group_wait(&wg);
	struct mem_stats end = stats();
	CHECK(end.frozen_tasks < 8);
	CHECK(end.frozen_bytes <= 8 * 8192);
}

TEST(the_runtime_freezes_by_itself)
{
	enum { N = 3000 };
	wait_group wg = { 0 };
	chan(int) c = make_chan(int);
	for (int i = 0; i < N; i++) {
		wait_group_add(&wg, 1);
		go(wait_to_end, c, &wg);
	}
	for (int i = 0; stats().frozen_tasks < N - BESIDE && i < 600; i++)
		sleep(100 * Millisecond);
	CHECK(stats().frozen_tasks >= N - BESIDE);
	close(c);
	wait_group_wait(&wg);
}

static bool cannot;

TEST(compaction_says_if_it_can)
{
	chan(int) c = make_chan(int);
	wait_group wg = { 0 };
	for (int i = 0; i < 2 * BESIDE; i++) {
		wait_group_add(&wg, 1);
		go(wait_to_end, c, &wg);
	}
	while (!cannot && stats().frozen_tasks == 0) {
		gosched();
		cannot = compact_stacks() < 0;
	}
	close(c);
	wait_group_wait(&wg);
	CHECK_EQ(stats().frozen_tasks, 0);
	if (cannot)
		print("skip the other tests of freeze: Linux gives this process no userfaultfd\n");
}

TEST_MAIN
{
	RUN(compaction_says_if_it_can);
	if (cannot)
		return;
	RUN(every_way_to_wait);
	RUN(again_and_again);
	RUN(four_cores_touch_one_page);
	RUN(what_only_frozen_stacks_hold_lives);
	RUN(deep_stacks);
	RUN(a_thaw_keeps_vector_registers);
	RUN(faults_become_panics_as_before);
	RUN(while_tasks_run);
	RUN(memory_comes_back);
	RUN(the_runtime_freezes_by_itself);
}
