/* task.c: tasks, the scheduler, stacks and preemption, from the outside. */
#include "ingot.h"
#include "test.h"

static void add_one(int64 *n, wait_group *wg)
{
	__atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
	wait_group_done(wg);
}

TEST(go_runs_each_task_once)
{
	static int64 n;
	wait_group wg = { 0 };
	n = 0;
	for (int i = 0; i < 20000; i++) {
		wait_group_add(&wg, 1);
		go(add_one, &n, &wg);
	}
	wait_group_wait(&wg);
	CHECK_EQ(n, 20000);
	for (int i = 0; i < 1000000 && num_task() != 1; i++)
		gosched();
	CHECK_EQ(num_task(), 1);
}

struct big_arg {
	int64 v[40];
};
static void take(struct big_arg a, double d, char c, chan(int64) out)
{
	int64 sum = 0;
	for (int i = 0; i < 40; i++)
		sum += a.v[i];
	send(out, sum + (int64)(d * 2) + c);
}

TEST(go_copies_arguments_of_any_type)
{
	chan(int64) out = make_chan(int64);
	struct big_arg a;
	for (int i = 0; i < 40; i++)
		a.v[i] = i;
	int evaluated = 0;
	go(take, a, 1.5, (char)(evaluated++, 'A'), out);
	a.v[0] = 1000; /* too late to matter */
	CHECK_EQ(recv(out), 780 + 3 + 'A');
	CHECK_EQ(evaluated, 1);
}

static error tell(string s, chan(string) out)
{
	send(out, s);
	return NULL;
}

/* Macros of many arguments within the arguments of others. */
static void tell_all(chan(string) out)
{
	task_group g = {};
	defer(tell, sprint("%s %d", S("deferred"), 3), out);
	go(tell, sprint("%s %d", S("go"), 1), out);
	task_group_go(&g, tell, concat(S("group"), sprint(" %d", 2)), out);
	must(task_group_wait(&g));
}

TEST(arguments_may_be_macros_of_the_same_kind)
{
	chan(string) out = make_chan(string, 3);
	tell_all(out);
	slice(string) told = slice_lit(string, recv(out), recv(out), recv(out));
	sort(told);
	CHECK_S(strings_join(told, S(",")), S("deferred 3,go 1,group 2"));
}

static int order[300], norder;
static void note(int i)
{
	order[__atomic_fetch_add(&norder, 1, __ATOMIC_SEQ_CST)] = i;
	for (int k = 0; k < 3; k++)
		gosched();
}

TEST(gosched_is_fair)
{
	int was = gomaxprocs(1);
	norder = 0;
	for (int i = 0; i < 100; i++)
		go(note, i);
	for (int i = 0; i < 1000000 && num_task() > 1; i++)
		gosched();
	CHECK_EQ(norder, 100);
	CHECK_EQ(num_task(), 1);
	gomaxprocs(was);
}

static int depth_reached;
static int64 deep(int n, int64 *up)
{
	volatile int64 here[16];
	here[0] = n;
	here[15] = up ? *up : 0;
	if (n == 0)
		return 0;
	int64 mine = n;
	int64 r = deep(n - 1, &mine) + 1;
	depth_reached++;
	return r + (here[0] != n) + (mine != n);
}

static void go_deep(int n, chan(int64) out)
{
	send(out, deep(n, NULL));
}

TEST(stacks_grow_in_place)
{
	chan(int64) out = make_chan(int64);
	int depths[] = { 1, 10, 100, 300, 1000, 10000, 100000 };
	for (unsigned i = 0; i < sizeof depths / sizeof *depths; i++) {
		go(go_deep, depths[i], out);
		CHECK_EQ(recv(out), depths[i]);
	}
}

static int64 sum_varargs(int n, ...)
{
	char pad[3000];
	memset(pad, n, sizeof pad);
	__builtin_va_list ap;
	__builtin_va_start(ap, n);
	int64 s = 0;
	for (int i = 0; i < n; i++)
		s += i % 2 ? (int64)__builtin_va_arg(ap, double) : __builtin_va_arg(ap, int64);
	__builtin_va_end(ap);
	return s + pad[5] - n;
}

static int64 many_args(int64 a, int64 b, int64 c, int64 d, int64 e, int64 f, int64 g, int64 h, double x,
                       int depth)
{
	volatile char frame[700];
	frame[0] = (char)depth;
	if (depth == 0)
		return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + (int64)x;
	int64 v = sum_varargs(6, (int64)1, 2.0, (int64)3, 4.0, (int64)5, 6.0);
	return many_args(a, b, c, d, e, f, g, h, x, depth - 1) + (v - 21) + (frame[0] - (char)depth);
}

static void go_args(chan(int64) out)
{
	for (int depth = 0; depth < 200; depth++)
		send(out, many_args(1, 2, 3, 4, 5, 6, 7, 8, 9.5, depth));
}

/* Each depth crosses the stack limit, and once the segment's end, somewhere else. */
TEST(stack_arguments_survive_growth)
{
	chan(int64) out = make_chan(int64);
	go(go_args, out);
	for (int depth = 0; depth < 200; depth++)
		CHECK_EQ(recv(out), 204 + 9);
}

static int64 boundary(int n)
{
	volatile char big[2000];
	big[n % 2000] = 1;
	return n ? boundary(n - 1) + big[n % 2000] : 0;
}
static void at_boundary(chan(int64) out)
{
	int64 s = 0;
	for (int i = 0; i < 2000; i++)
		s += boundary(i % 64);
	send(out, s);
}
TEST(loops_across_the_segment_boundary)
{
	chan(int64) out = make_chan(int64);
	go(at_boundary, out);
	int64 want = 0;
	for (int i = 0; i < 2000; i++)
		want += i % 64;
	CHECK_EQ(recv(out), want);
}

static volatile int stop_spinning; /* not bool: UBSan hoists that load */
static void spin(volatile int64 *rounds)
{
	while (!stop_spinning)
		(*rounds)++;
}

TEST(a_tight_loop_is_preempted)
{
	int was = gomaxprocs(1);
	volatile int64 rounds = 0;
	stop_spinning = false;
	go(spin, &rounds);
	gosched();
	CHECK(rounds > 0);
	int64 t = nanotime();
	sleep(20 * Millisecond);
	CHECK(nanotime() - t >= 20 * Millisecond);
	stop_spinning = true;
	while (num_task() > 1)
		gosched();
	gomaxprocs(was);
}

static int64 resizer_rounds;
static void resize(int seed)
{
	for (int i = 0; i < 200; i++) {
		gomaxprocs(1 + (i + seed) % num_cpu());
		atomic_add(&resizer_rounds, 1);
		gosched();
	}
}

static void collect(chan(int64) in)
{
	for (int i = 0; i < 20; i++)
		gc();
	send(in, 1);
}

/* Two that change the number of cores, one that stops the world, and a chain
 * of tasks that must lose no value meanwhile. */
TEST(cores_come_and_go_between_stops)
{
	int was = gomaxprocs(0);
	chan(int64) in = make_chan(int64);
	resizer_rounds = 0;
	go(resize, 0);
	go(resize, 1);
	go(collect, in);
	int64 one = 0;
	CHECK(recv(in, &one));
	CHECK_EQ(one, 1);
	while (num_task() > 1)
		gosched();
	CHECK_EQ(resizer_rounds, 400);
	gomaxprocs(was);
}

static int npreempt_bad;
/* Keeps a different value in every register class across preemptions. */
static void keep_registers(int64 seed, wait_group *wg)
{
	double a = (double)seed, b = a * 2, c = a * 3, d = a * 4;
	int64 i = seed, j = seed * 3, k = seed * 5, l = seed * 7;
	for (int n = 0; n < 3000000; n++) {
		a += 1, b += 2, c += 3, d += 4;
		i += 1, j += 2, k += 3, l += 4;
		__asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+r"(i), "+r"(j), "+r"(k), "+r"(l));
	}
	if (a != (double)i || b != (double)(j - seed) || c != (double)(k - 2 * seed) ||
	    d != (double)(l - 3 * seed))
		__atomic_add_fetch(&npreempt_bad, 1, __ATOMIC_SEQ_CST);
	wait_group_done(wg);
}

TEST(preemption_keeps_registers)
{
	wait_group wg = { 0 };
	npreempt_bad = 0;
	for (int i = 1; i <= 8; i++) {
		wait_group_add(&wg, 1);
		go(keep_registers, (int64)i * 1000, &wg);
	}
	wait_group_wait(&wg);
	CHECK_EQ(npreempt_bad, 0);
}

TEST(sleep_sleeps)
{
	int64 t = nanotime();
	sleep(0);
	sleep(-5);
	sleep(2 * Millisecond);
	CHECK(nanotime() - t >= 2 * Millisecond);
}

static void sleeper(int ms, chan(bool) early)
{
	int64 t = nanotime();
	sleep(ms * Millisecond);
	send(early, nanotime() - t < ms * Millisecond);
}

TEST(many_sleepers_none_early)
{
	chan(bool) early = make_chan(bool);
	for (int i = 0; i < 200; i++)
		go(sleeper, i * 7 % 31, early);
	for (int i = 0; i < 200; i++)
		CHECK(!recv(early));
}

static void busy_tree(int depth, wait_group *wg)
{
	if (depth > 0) {
		wait_group_add(wg, 2);
		go(busy_tree, depth - 1, wg);
		go(busy_tree, depth - 1, wg);
		gosched();
	}
	wait_group_done(wg);
}

TEST(gomaxprocs_up_and_down_while_running)
{
	int cores = num_cpu();
	CHECK(cores >= 1);
	CHECK_EQ(gomaxprocs(0), cores);
	for (int round = 0; round < 20; round++) {
		wait_group wg = { 0 };
		wait_group_add(&wg, 1);
		go(busy_tree, 9, &wg);
		CHECK_EQ(gomaxprocs(1 + round % cores), round ? 1 + (round - 1) % cores : cores);
		wait_group_wait(&wg);
	}
	gomaxprocs(10000);
	CHECK_EQ(gomaxprocs(0), cores);
}

static void exits(int *after, wait_group *wg)
{
	wait_group_done(wg);
	goexit();
	*after = 1;
}

TEST(goexit_ends_only_the_task)
{
	wait_group wg = { 0 };
	int after = 0;
	wait_group_add(&wg, 1);
	go(exits, &after, &wg);
	wait_group_wait(&wg);
	for (int i = 0; i < 1000000 && num_task() > 1; i++)
		gosched();
	CHECK_EQ(after, 0);
}

static int exit_deep(int n, wait_group *wg)
{
	volatile char frame[500];
	frame[n % 500] = 1;
	if (n == 0) {
		wait_group_done(wg);
		goexit();
	}
	if (n < 0)
		return 0;
	return exit_deep(n - 1, wg) + frame[n % 500];
}
static void exits_deep(int n, wait_group *wg)
{
	exit_deep(n, wg);
}

/* The next task on that stack must find it as a new one's. */
TEST(a_task_may_end_deep_in_its_stack)
{
	wait_group wg = { 0 };
	for (int i = 0; i < 60; i++) {
		wait_group_add(&wg, 1);
		go(exits_deep, i % 3 * 300, &wg);
		if (i % 4 == 0)
			wait_group_wait(&wg);
	}
	wait_group_wait(&wg);
	sched_check();
}

TEST_MAIN
{
	RUN(go_runs_each_task_once);
	RUN(go_copies_arguments_of_any_type);
	RUN(arguments_may_be_macros_of_the_same_kind);
	RUN(gosched_is_fair);
	RUN(stacks_grow_in_place);
	RUN(stack_arguments_survive_growth);
	RUN(loops_across_the_segment_boundary);
	RUN(a_tight_loop_is_preempted);
	RUN(cores_come_and_go_between_stops);
	RUN(preemption_keeps_registers);
	RUN(sleep_sleeps);
	RUN(many_sleepers_none_early);
	RUN(gomaxprocs_up_and_down_while_running);
	RUN(goexit_ends_only_the_task);
	RUN(a_task_may_end_deep_in_its_stack);
}
