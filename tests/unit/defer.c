/* defer.c: deferred calls, panics, recover and goexit, by Go's rules. */
#include "ingot.h"
#include "test.h"

/* What happened, in order. */
static char trace[256];
static size_t traced;

static void note(char c)
{
	if (traced < sizeof trace - 1)
		trace[traced++] = c;
	trace[traced] = 0;
}

static void reset(void)
{
	traced = 0;
	trace[0] = 0;
}

static void note_int(int n)
{
	note((char)('0' + n));
}

static __attribute__((noinline)) int in_order(int n)
{
	defer(note, 'a');
	defer(note, 'b');
	note('-');
	return n * 2;
}

TEST(order_is_last_first)
{
	reset();
	CHECK_EQ(in_order(21), 42);
	note('!');
	CHECK_STR(trace, "-ba!");
}

static void in_loop(int n)
{
	for (int i = 0; i < n; i++) {
		defer(note_int, i);
		if (i % 2) {
			defer(note, 'x');
		}
	}
	note('-');
}

TEST(loop_and_branch_wait_for_the_function)
{
	reset();
	in_loop(5);
	CHECK_STR(trace, "-4x32x10");
	for (int i = 0; i < 1000; i++)
		in_loop(20); /* more than the pool keeps */
}

static void arguments(int n)
{
	defer(note_int, n);
	n = 7;
	note_int(n);
}

TEST(arguments_are_taken_at_the_defer)
{
	reset();
	arguments(3);
	CHECK_STR(trace, "73");
}

static void set(int *p, int v)
{
	*p = v;
}

static void see(const int *p, int *out)
{
	*out = *p;
}

static __attribute__((noinline)) void locals(int *out)
{
	int x = 1, y[40];

	for (int i = 0; i < 40; i++)
		y[i] = i;
	defer(see, &x, out);
	defer(set, &y[39], 5);
	defer(see, &y[38], out);
	x = 2;
}

TEST(locals_live_until_the_deferred_calls_ran)
{
	int out = 0;

	locals(&out);
	CHECK_EQ(out, 2);
}

struct big {
	int64 v[20];
};

static struct big big_result(int n)
{
	struct big b = {};

	defer(note, 'd');
	b.v[19] = n;
	return b;
}

static double float_result(double d)
{
	defer(note, 'd');
	return d / 2;
}

static struct { int64 a; double b; } pair_result(void)
{
	__typeof__(pair_result()) r = { 5, 1.5 };

	defer(note, 'd');
	return r;
}

TEST(results_are_kept)
{
	CHECK_EQ(big_result(9).v[19], 9);
	CHECK(float_result(3) == 1.5);
	CHECK(pair_result().a == 5 && pair_result().b == 1.5);
}

struct args {
	int64 v[30];
};

static void many(struct args a, string s, double d, int64 x, int *out)
{
	*out = a.v[29] == 4 && string_eq(s, S("text")) && d == 0.5 && x == -1;
}

static void defer_many(int *out)
{
	struct args a = {};

	a.v[29] = 4;
	defer(many, a, S("text"), 0.5, (int64)-1, out);
}

TEST(large_arguments)
{
	int out = 0;

	defer_many(&out);
	CHECK(out);
}

static inline void small_function(char c)
{
	defer(note, c);
}

static void calls_small(void)
{
	small_function('a');
	note('-');
	small_function('b');
	note('-');
}

TEST(is_not_inlined_into_its_caller)
{
	reset();
	calls_small();
	CHECK_STR(trace, "a-b-");
}

static int deep(int n)
{
	char pad[200];

	memset(pad, n, sizeof pad);
	defer(note, pad[n % 200] == (char)n ? '.' : '!');
	return n ? deep(n - 1) + 1 : 0;
}

TEST(through_many_stack_segments)
{
	reset();
	CHECK_EQ(deep(5000), 5000);
	CHECK(strchr(trace, '!') == 0);
}

/* A call of itself at the end is not made a jump: each has a frame to return from. */
static __attribute__((noinline)) void calls_itself_last(int n, char c)
{
	if (n % 2) {
		defer(note, (char)(c + n));
	}
	if (n == 0)
		return;
	note('.');
	calls_itself_last(n - 1, c);
}

TEST(a_last_call_is_a_call)
{
	reset();
	calls_itself_last(5, 'a');
	CHECK_STR(trace, ".....bdf");
}

/* Each way to keep the arguments: two words in place, a block, a block elsewhere. */
static int64 added;

static void add1(int64 *to)
{
	++*to;
}

static void add2(int64 *to, int n)
{
	*to += n;
}

static void add3(int64 *to, int a, int64 b)
{
	*to += a + b;
}

static int add_int(int64 *to, int n)
{
	*to += n;
	return 7;
}

static void add_float(int64 *to, double d)
{
	*to += (int64)(d * 2);
}

static void add_string(int64 *to, string s)
{
	*to += (int64)s.len;
}

static void add_strings(int64 *to, string s, string t, string u)
{
	*to += (int64)(s.len + t.len + u.len);
}

static double every_kind(int64 *to)
{
	defer(add1, to);                                       /* 1 */
	defer(add2, to, -3);                                   /* -2 */
	defer(add3, to, 10, (int64)1 << 40);
	defer(add_int, to, 100);
	defer(add_float, to, 0.5);
	defer(add_string, to, S("four"));
	defer(add_strings, to, S("1"), S("22"), S("333"));
	return 0.25;
}

TEST(arguments_of_every_kind)
{
	added = 0;
	CHECK(every_kind(&added) == 0.25);
	CHECK_EQ(added, ((int64)1 << 40) + 1 - 3 + 10 + 100 + 1 + 4 + 6);
}

/* Around the end of each chunk of records, up and down, one chunk kept or taken anew. */
static int64 up_and_down(int depth, int64 *ran)
{
	defer(add2, ran, depth);
	if (depth == 0)
		return 0;
	int64 n = up_and_down(depth - 1, ran) + depth;
	if (depth < 40)
		n += up_and_down(depth / 8, ran) * 0;
	return n;
}

static void many_in_one(int n, int64 *ran)
{
	for (int i = 0; i < n; i++) {
		defer(add2, ran, i);
		if (i % 3 == 0) {
			defer(add_string, ran, S(""));
		}
	}
}

TEST(any_number_at_a_time)
{
	for (int depth = 0; depth < 60; depth++) {
		int64 ran = 0, calls = 0;
		CHECK_EQ(up_and_down(depth, &ran), depth * (depth + 1) / 2);
		CHECK(ran >= depth * (depth + 1) / 2);
		many_in_one(depth, &calls);
		CHECK_EQ(calls, depth * (depth - 1) / 2);
	}
	int64 calls = 0;
	many_in_one(100000, &calls);
	CHECK_EQ(calls, (int64)100000 * 99999 / 2);
}

/* ---- panic and recover --------------------------------------------------- */

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	note('r');
	caught = p ? p->text : S("none");
}

static void not_direct(void)
{
	catch();
	note('c'); /* no tail call: its callee would count as called directly */
}

static __attribute__((noinline)) int panics(int n)
{
	defer(note, '1');
	defer(catch);
	defer(note, '2');
	if (n)
		panic("number %d", n);
	return 5;
}

TEST(recover_returns_to_the_caller)
{
	reset();
	CHECK_EQ(panics(3), 0);
	note('!');
	CHECK_STR(trace, "2r1!");
	CHECK(string_eq(caught, S("number 3")));
	reset();
	CHECK_EQ(panics(0), 5);
	CHECK_STR(trace, "2r1");
	CHECK(string_eq(caught, S("none")));
}

static void inner(void)
{
	defer(note, 'i');
	defer(not_direct);
	panic("through");
}

static void middle(void)
{
	defer(note, 'm');
	inner();
	note('!');
}

static void outer(void)
{
	defer(catch);
	middle();
	note('!');
}

TEST(recover_only_directly)
{
	reset();
	caught = S("");
	outer();
	CHECK_STR(trace, "rcimr");
	CHECK(string_eq(caught, S("through")));
}

static int callee_saved(int a, int b, int c, int d, int e, int f)
{
	int v = panics(a);

	return v + a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6;
}

TEST(registers_survive_a_recover)
{
	int sum = 0;

	for (int i = 1; i < 100; i++)
		sum += callee_saved(i, i + 1, i + 2, i + 3, i + 4, i + 5);
	CHECK_EQ(sum, 110880);
}

static void catch_index(void)
{
	const panicked *p = recover();

	CHECK(p && p->runtime_error);
	caught = p ? p->text : S("none");
}

static int index_of(slice(int) s, int i)
{
	defer(catch_index);
	return at(s, i);
}

TEST(runtime_errors)
{
	slice(int) s = make_slice(int, 3);

	index_of(s, 5);
	CHECK(string_eq(caught, S("runtime error: index out of range [5] with length 3")));
	index_of(s, -1);
	CHECK(string_eq(caught, S("runtime error: index out of range [-1]")));
}

static void panics_again(void)
{
	note('p');
	panic("second");
}

static void nested(void)
{
	defer(catch);
	defer(panics_again);
	defer(note, 'n');
	panic("first");
}

TEST(a_panic_replaces_a_panic)
{
	reset();
	nested();
	CHECK_STR(trace, "npr");
	CHECK(string_eq(caught, S("second")));
	CHECK(recover() == 0);
}

static void handles_its_own(void)
{
	CHECK_EQ(panics(1), 0);
	CHECK(string_eq(caught, S("number 1")));
}

static void nested_inside(void)
{
	defer(catch);
	defer(handles_its_own);
	panic("kept");
}

TEST(a_panic_inside_a_deferred_call_leaves_the_outer_one)
{
	reset();
	nested_inside();
	CHECK(string_eq(caught, S("kept")));
}

/* Deep below, some frames of which recover, and go on. */
static int recovers_at(int depth, int every)
{
	defer(note, '.');
	if (depth % every == every - 1) {
		defer(catch);
	}
	if (depth == 0)
		panic("at the bottom");
	return recovers_at(depth - 1, every) + 1;
}

TEST(recover_at_any_depth)
{
	for (int every = 1; every <= 67; every++) {
		reset();
		CHECK_EQ(recovers_at(66, every), 67 - every);
		CHECK_S(caught, every <= 33 ? S("none") : S("at the bottom"));
		CHECK_EQ(traced, 67 + 67 / every);
	}
}

static void panics_on_return(void)
{
	defer(note, '1');
	defer(catch);
	defer(panics_again);
	note('-');
}

TEST(a_panic_while_returning_is_recovered_by_the_same_function)
{
	reset();
	panics_on_return();
	CHECK_STR(trace, "-pr1");
	CHECK(string_eq(caught, S("second")));
}

static int seven;

static void catch_value(void)
{
	const panicked *p = recover();

	CHECK(p && p->value == &seven && !p->runtime_error);
}

static void with_value(void)
{
	defer(catch_value);
	panic_value(&seven, "seven");
}

TEST(a_panic_carries_a_value)
{
	with_value();
}

static void raise(int depth)
{
	char pad[300];

	memset(pad, 1, sizeof pad);
	if (depth < 0)
		return;
	if (depth == 0)
		panic("deep");
	raise(depth - 1);
	CHECK(pad[17] == 1);
}

static void from_deep(void)
{
	defer(catch);
	raise(2000);
}

TEST(recover_from_another_stack_segment)
{
	for (int i = 0; i < 20; i++) {
		caught = S("");
		from_deep();
		CHECK(string_eq(caught, S("deep")));
	}
}

/* ---- where blocks end ------------------------------------------------------- */

/* The calls are made at the function's end, though the block ends before. */
static __attribute__((noinline)) int result_after_the_block(int n)
{
	int x = n;

	{
		defer(set, &x, 5);
	}
	return x;
}

static __attribute__((noinline)) int work_after_the_block(int n)
{
	int x = n;

	if (n) {
		defer(set, &x, 5);
	}
	note((char)('0' + x));
	return x * 2;
}

static int at_end;

static __attribute__((noinline)) void store_after_the_block(void)
{
	{
		defer(set, &at_end, 1);
	}
	at_end = 2;
}

static __attribute__((noinline)) int64 *pointer_after_the_block(int64 **p)
{
	{
		defer(set, (int *)p[0], 3);
	}
	return p[1];
}

TEST(a_block_that_ends_earlier_changes_nothing)
{
	int64 a = 0, b = 0, *p[] = { &a, &b };

	reset();
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(result_after_the_block(1 + i), 1 + i);
		CHECK_EQ(work_after_the_block(i), 2 * i);
		store_after_the_block();
		CHECK_EQ(at_end, 1);
		CHECK(pointer_after_the_block(p) == &b);
		CHECK_EQ(a, 3);
	}
	CHECK_STR(trace, "012");
}

/* Into the midst of a block, past a defer, and back before one. */
static __attribute__((noinline)) int jumps(int way)
{
	int n = 0;

	switch (way) {
	case 1:
		defer(note, 'a');
		break;
	case 2:
		note('-');
		break;
	case 3:
	again:;
		defer(note, (char)('0' + n));
		if (++n < 3)
			goto again;
		note('-');
		break;
	default:
		return 7;
	}
	return way;
}

TEST(jumps_past_a_defer_and_back)
{
	static const char *const want[] = { "", "a", "-", "-210" };

	for (int twice = 0; twice < 2; twice++)
		for (int way = 0; way < 4; way++) {
			reset();
			CHECK_EQ(jumps(way), way ? way : 7);
			CHECK_STR(trace, want[way]);
		}
}

static __attribute__((noinline)) int returns_inside(int n)
{
	defer(note, 'o');
	for (int i = 0; i < 3; i++) {
		defer(note_int, i);
		if (i == n) {
			defer(note, 'i');
			return i + 40;
		}
	}
	defer(note, 'e');
	return -1;
}

TEST(returns_from_inside_of_blocks)
{
	static const char *const want[] = { "i0o", "i10o", "i210o", "e210o" };

	for (int n = 0; n < 4; n++) {
		reset();
		CHECK_EQ(returns_inside(n), n < 3 ? n + 40 : -1);
		CHECK_STR(trace, want[n]);
	}
}

/* A deferred call that defers takes the place of the record that it came from. */
static void defers_too(struct args a, int64 *to, string s)
{
	defer(add_string, to, s);
	defer(add_strings, to, s, s, S(""));
	*to += a.v[29];
}

static void defers_small(int64 *to, double d, string s)
{
	defer(add_float, to, d);
	defer(add_string, to, s);
	*to += (int64)d;
}

static __attribute__((noinline)) void defers_what_defers(int64 *to)
{
	struct args a = {};

	a.v[29] = 1000;
	defer(defers_too, a, to, S("four"));
	defer(defers_small, to, 8.0, S("7 bytes"));
}

TEST(a_deferred_call_defers)
{
	int64 n = 0;

	defers_what_defers(&n);
	CHECK_EQ(n, 4 + 8 + 1000 + 16 + 7 + 8);
}

/* Panics of the calls that are made at a block's end. */
static __attribute__((noinline)) int64 *ends_in_panics(int64 *p)
{
	defer(note, '1');
	defer(catch);
	defer(note, '2');
	defer(panics_again);
	defer(note, '3');
	return p;
}

static __attribute__((noinline)) void ends_in_a_panic_for_the_caller(void)
{
	defer(panics_again);
}

static __attribute__((noinline)) int calls_what_ends_in_a_panic(int n)
{
	defer(catch);
	ends_in_a_panic_for_the_caller();
	return n;
}

static __attribute__((noinline)) int goes_on_after_it(int a, int b, int c, int d)
{
	return calls_what_ends_in_a_panic(a) + a + b * 2 + c * 3 + d * 4;
}

TEST(panics_of_calls_at_the_end)
{
	for (int i = 0; i < 3; i++) {
		reset();
		CHECK(ends_in_panics(&added) == NULL);
		CHECK_STR(trace, "3p2r1");
		caught = S("");
		CHECK_EQ(goes_on_after_it(1, 2, 3, 4), 30);
		CHECK_S(caught, S("second"));
	}
}

/* ---- tasks ------------------------------------------------------------------ */

static void done(chan(int) c, int v)
{
	send(c, v);
}

static void exits(chan(int) c)
{
	defer(done, c, 1);
	defer(catch);
	goexit();
}

static void exits_deep(chan(int) c, int depth)
{
	char pad[500];

	memset(pad, depth, sizeof pad);
	if (depth == 0) {
		defer(done, c, pad[3] + 3);
		goexit();
	}
	exits_deep(c, depth - 1);
	note(pad[5]);
}

TEST(goexit_runs_deferred_calls)
{
	chan(int) c = make_chan(int);

	go(exits, c);
	CHECK_EQ(recv(c), 1);
	CHECK(string_eq(caught, S("none")));
	for (int i = 0; i < 10; i++) {
		go(exits_deep, c, 1000);
		CHECK_EQ(recv(c), 3);
	}
}

static void worker(chan(int) c, int n)
{
	defer(done, c, n);
	defer(catch);
	for (int i = 0; i < 20; i++) {
		in_order(i);
		gosched();
	}
	panic("worker %d", n);
}

TEST(many_tasks)
{
	chan(int) c = make_chan(int, 4);
	int sum = 0;

	for (int i = 0; i < 200; i++)
		go(worker, c, i);
	for (int i = 0; i < 200; i++)
		sum += recv(c);
	CHECK_EQ(sum, 199 * 200 / 2);
}

static void check_kept(int64 **p)
{
	gc();
	CHECK_EQ(**p, 77);
}

static __attribute__((noinline)) int64 holds_an_object(void)
{
	int64 *only = new(int64);

	*only = 77;
	defer(check_kept, &only);
	return 1;
}

TEST(the_collector_sees_a_returning_frame)
{
	for (int i = 0; i < 20; i++)
		CHECK_EQ(holds_an_object(), 1);
}

TEST_MAIN
{
	RUN(order_is_last_first);
	RUN(loop_and_branch_wait_for_the_function);
	RUN(arguments_are_taken_at_the_defer);
	RUN(locals_live_until_the_deferred_calls_ran);
	RUN(results_are_kept);
	RUN(large_arguments);
	RUN(is_not_inlined_into_its_caller);
	RUN(through_many_stack_segments);
	RUN(a_last_call_is_a_call);
	RUN(arguments_of_every_kind);
	RUN(any_number_at_a_time);
	RUN(recover_returns_to_the_caller);
	RUN(recover_only_directly);
	RUN(registers_survive_a_recover);
	RUN(runtime_errors);
	RUN(a_panic_replaces_a_panic);
	RUN(a_panic_inside_a_deferred_call_leaves_the_outer_one);
	RUN(recover_at_any_depth);
	RUN(a_panic_while_returning_is_recovered_by_the_same_function);
	RUN(a_panic_carries_a_value);
	RUN(recover_from_another_stack_segment);
	RUN(a_block_that_ends_earlier_changes_nothing);
	RUN(jumps_past_a_defer_and_back);
	RUN(returns_from_inside_of_blocks);
	RUN(a_deferred_call_defers);
	RUN(panics_of_calls_at_the_end);
	RUN(goexit_runs_deferred_calls);
	RUN(many_tasks);
	RUN(the_collector_sees_a_returning_frame);
}
