/* stack.c: shapes of C frames that a growing stack has to carry: growth and
 * the change to the second segment must leave no trace in what a function is
 * given, returns, or points to.
 *
 * Each shape runs at many depths, a few bytes apart, so that every one of
 * its calls is once the one that meets the limit. */
#include "ingot.h"
#include "test.h"
#include <stdarg.h>

#define NOINLINE __attribute__((noinline, noclone))

/* A shape returns its argument if all went well. */
typedef int64 (*shape)(int64);

static NOINLINE int64 at_depth(int depth, shape f, int64 arg)
{
	volatile char here[48];
	here[depth % 48] = 1;
	int64 r = depth > 0 ? at_depth(depth - 1, f, arg) : f(arg);
	return r + (here[depth % 48] != 1);
}

static void run_at(int depth, shape f, chan(int64) out)
{
	volatile char *pad = __builtin_alloca(16 + (size_t)(depth * 48) % 144); /* off the frames' own raster */
	pad[0] = 1;
	send(out, at_depth(depth, f, depth) + (pad[0] != 1));
}

/* From an empty stack to well beyond the window's end. */
static void everywhere(shape f)
{
	chan(int64) out = make_chan(int64);
	for (int depth = 0; depth < 1100; depth += depth % 300 < 60 ? 1 : 3) {
		go(run_at, depth, f, out);
		int64 got = recv(out);
		if (got != depth) {
			TEST_FAIL("at depth %d: %lld", depth, (long long)got);
			return;
		}
	}
}

/* ---- what is passed ----------------------------------------------------------- */

static NOINLINE double sum_small(int n, ...)
{
	double s = 0;
	va_list ap;
	va_start(ap, n);
	for (int i = 0; i < n; i++)
		s += i % 3 == 2 ? (double)va_arg(ap, int64) : va_arg(ap, double);
	va_end(ap);
	return s;
}

static NOINLINE double sum_large(int n, ...)
{
	volatile char room[5000];
	double s = 0;
	va_list ap, again;
	room[n] = 1;
	va_start(ap, n);
	va_copy(again, ap);
	for (int i = 0; i < n; i++)
		s += i % 3 == 2 ? (double)va_arg(ap, int64) : va_arg(ap, double);
	for (int i = 0; i < n; i++)
		s -= i % 3 == 2 ? (double)va_arg(again, int64) : va_arg(again, double);
	va_end(again);
	va_end(ap);
	return s + room[n];
}

/* 18 doubles, 9 integers: registers of both kinds and the stack. */
#define MANY \
	27, 1.0, 2.0, (int64)3, 4.0, 5.0, (int64)6, 7.0, 8.0, (int64)9, 10.0, 11.0, (int64)12, 13.0, 14.0, \
		(int64)15, 16.0, 17.0, (int64)18, 19.0, 20.0, (int64)21, 22.0, 23.0, (int64)24, 25.0, 26.0, (int64)27

static int64 varargs(int64 x)
{
	return x + (sum_small(MANY) != 378) + (sum_large(MANY) != 1);
}

struct of40 {
	int64 v[5];
};
struct of400 {
	int64 v[50];
};
struct of4000 {
	int64 v[500];
};

/* Large frames: these calls are the ones to meet a limit. */
static NOINLINE struct of40 turn40(struct of40 a, int64 x)
{
	volatile char room[2000];
	room[0] = 1;
	a.v[x % 5] ^= x * room[0];
	return a;
}
static NOINLINE struct of400 turn400(struct of400 a, struct of40 b, int64 x)
{
	volatile char room[3000];
	room[0] = 1;
	a.v[x % 50] += b.v[x % 5] * room[0];
	return a;
}
static NOINLINE struct of4000 turn4000(struct of4000 a, int64 x)
{
	a.v[x % 500] += x;
	return a;
}

static int64 structs(int64 x)
{
	struct of40 a = { { 1, 2, 3, 4, 5 } };
	struct of400 b;
	int bad = 0;
	for (int i = 0; i < 50; i++)
		b.v[i] = i;
	a = turn40(a, x);
	for (int i = 0; i < 5; i++)
		bad += a.v[i] != (i == x % 5 ? (i + 1) ^ x : i + 1);
	b = turn400(b, a, x);
	for (int i = 0; i < 50; i++)
		bad += b.v[i] != i + (i == x % 50 ? a.v[x % 5] : 0);
	return x + bad;
}

/* The caller's frame is small, what it copies below it is not. */
static NOINLINE int64 big_struct(int64 x)
{
	static struct of4000 in, out;
	in.v[x % 500] = 1;
	out = turn4000(in, x);
	in.v[x % 500] = 0;
	return x + (out.v[x % 500] != x + 1);
}

/* ---- what is returned ------------------------------------------------------ */

struct two_doubles {
	double a, b;
};
struct mixed {
	double a;
	int64 b;
};

static NOINLINE long double ret_long_double(long double x)
{
	volatile char room[3000];
	room[0] = 1;
	return x / 3 + room[0];
}
static NOINLINE _Complex long double ret_complex(long double x)
{
	volatile char room[3000];
	room[0] = 1;
	return x + 1 + (x + 2) * __builtin_complex((long double)0, (long double)1) + room[0];
}
static NOINLINE __int128 ret_int128(__int128 x)
{
	volatile char room[3000];
	room[0] = 1;
	return (x << 64) + x + room[0];
}
static NOINLINE struct two_doubles ret_two(double x)
{
	volatile char room[3000];
	room[0] = 1;
	return (struct two_doubles){ x + room[0], -x };
}
static NOINLINE struct mixed ret_mixed(int64 x)
{
	volatile char room[3000];
	room[0] = 1;
	return (struct mixed){ (double)x, x + room[0] };
}

static int64 returned(int64 x)
{
	_Complex long double c = ret_complex(x);
	__int128 i = ret_int128(x);
	struct two_doubles d = ret_two((double)x);
	struct mixed m = ret_mixed(x);
	int bad = ret_long_double(x) != (long double)x / 3 + 1;
	bad += __real__ c != x + 2 || __imag__ c != x + 2;
	bad += (int64)(i >> 64) != x || (int64)i != x + 1;
	bad += d.a != x + 1 || d.b != -x;
	bad += m.a != x || m.b != x + 1;
	return x + bad;
}

/* ---- frames --------------------------------------------------------------------- */

/* Writes all of a frame, and reads it after a call below it. */
#define FRAME(name, size, below) \
	static NOINLINE int64 name(int64 x) \
	{ \
		unsigned char room[size]; \
		memset(room, (int)x & 0xff, sizeof room); \
		__asm__ volatile("" : : "r"(room) : "memory"); \
		int64 r = below; \
		for (size_t i = 0; i < sizeof room; i += 61) \
			r += room[i] != (x & 0xff); \
		return r + (room[sizeof room - 1] != (x & 0xff)); \
	}
FRAME(frame_100, 100, x)
FRAME(frame_250, 250, frame_100(x))
FRAME(frame_3k, 3 << 10, frame_250(x))
FRAME(frame_9k, 9 << 10, frame_3k(x))
FRAME(frame_100k, 100 << 10, frame_9k(x))

static int64 frames(int64 x)
{
	return frame_250(x) + frame_3k(x) - x + frame_9k(x) - x;
}

static NOINLINE int64 vla(int64 x, size_t n)
{
	unsigned char v[n], w[2 * n];
	memset(v, 1, n);
	memset(w, 2, 2 * n);
	__asm__ volatile("" : : "r"(v), "r"(w) : "memory");
	int64 r = frame_3k(x);
	return r + (v[0] != 1) + (v[n - 1] != 1) + (w[0] != 2) + (w[2 * n - 1] != 2);
}

static NOINLINE int64 allocas(int64 x)
{
	char *p[20];
	for (int i = 0; i < 20; i++) {
		p[i] = __builtin_alloca(300);
		memset(p[i], i, 300);
	}
	int64 r = frame_250(x);
	for (int i = 0; i < 20; i++)
		r += p[i][0] != i || p[i][299] != i;
	return r;
}

static int64 variable(int64 x)
{
	int bad = 0;
	for (size_t n = 16; n < 4096; n = n * 3 + 8)
		bad += vla(x, n) != x;
	return allocas(x) + bad;
}

/* Nested functions get their static chain in a register that the prologue wants too. */
static int64 nested(int64 x)
{
	int64 here = x;
	NOINLINE int64 inner(int64 y)
	{
		volatile char room[700];
		room[0] = 1;
		here += room[0];
		return y > 0 ? inner(y - 1) : here;
	}
	int64 got = inner(4);
	return got + here - x - 10;
}

TEST(variable_arguments) { everywhere(varargs); }
TEST(structs_by_value) { everywhere(structs); }
TEST(large_structs_by_value) { everywhere(big_struct); }
TEST(values_returned) { everywhere(returned); }
TEST(frames_of_many_sizes) { everywhere(frames); }
TEST(a_frame_larger_than_the_window) { everywhere(frame_100k); }
TEST(variable_frames) { everywhere(variable); }
TEST(nested_functions) { everywhere(nested); }

/* ---- tasks beside each other ----------------------------------------------------- */

/* Writes the other task's local until told to stop. */
static void neighbour(volatile int64 *its, volatile int *stop, chan(int64) out)
{
	int64 n = 0;
	while (!*stop) {
		*its = ++n;
		gosched();
	}
	send(out, n);
}

static void owner(chan(int64) done)
{
	volatile int64 mine = 0;
	volatile int stop = 0;
	chan(int64) out = make_chan(int64);
	go(neighbour, &mine, &stop, out);
	int64 bad = 0;
	for (int i = 0; i < 200; i++) {
		int64 before = mine;
		bad += at_depth(i * 7, frame_250, i) != i;
		gosched();
		bad += mine < before;
	}
	stop = 1;
	int64 last = recv(out);
	send(done, bad + (mine != last));
}

TEST(pointers_to_locals_survive_growth)
{
	chan(int64) done = make_chan(int64);
	for (int i = 0; i < 8; i++)
		go(owner, done);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(recv(done), 0);
}

static int64 growing_bad;
static void grower(int seed, wait_group *wg)
{
	int64 bad = 0;
	unsigned r = (unsigned)seed * 2654435761u;
	for (int i = 0; i < 40; i++) {
		r = r * 1664525u + 1013904223u;
		bad += at_depth((int)(r >> 16) % 900, r & 1 ? varargs : returned, i) != i;
		if (r & 6)
			gosched();
	}
	__atomic_add_fetch(&growing_bad, bad, __ATOMIC_SEQ_CST);
	wait_group_done(wg);
}

TEST(many_grow_at_once)
{
	wait_group wg = { 0 };
	for (int i = 0; i < 300; i++) {
		wait_group_add(&wg, 1);
		go(grower, i, &wg);
	}
	wait_group_wait(&wg);
	CHECK_EQ(growing_bad, 0);
}

/* ---- memory ------------------------------------------------------------------------ */

static uint64 stack_now(void)
{
	struct mem_stats m;
	for (int i = 0; i < 1000 && num_task() > 1; i++)
		gosched();
	read_mem_stats(&m);
	return m.stack_inuse;
}

static void go_down(int64 bytes, chan(int64) out)
{
	send(out, at_depth((int)(bytes / 128), frame_250, 7));
}

static void some_mib_deep(int ntasks)
{
	chan(int64) out = make_chan(int64);
	for (int i = 0; i < ntasks; i++)
		go(go_down, (int64)6 << 20, out);
	for (int i = 0; i < ntasks; i++)
		CHECK_EQ(recv(out), 7);
}

TEST(stacks_of_finished_tasks_come_back)
{
	uint64 before = stack_now();
	for (int round = 0; round < 10; round++)
		some_mib_deep(3);
	uint64 after = stack_now();
	/* The core of the last may still be at it. */
	for (int i = 0; i < 200 && after > before + (1 << 20); i++, after = stack_now())
		sleep(5 * Millisecond);
	if (after > before + (1 << 20))
		TEST_FAIL("stacks took %lld bytes, then %lld", (long long)before, (long long)after);
}

static void wait_to_end(chan(int) c, wait_group *wg)
{
	recv(c);
	wait_group_done(wg);
}

/* The slots of many tasks that have ended, after some collections. */
TEST(slots_of_finished_tasks_come_back)
{
	enum { N = 20000 };
	for (int round = 0; round < 3; round++) {
		chan(int) c = make_chan(int);
		wait_group wg = { 0 };
		gc();
		gc();
		uint64 before = stack_now();
		for (int i = 0; i < N; i++) {
			wait_group_add(&wg, 1);
			go(wait_to_end, c, &wg);
		}
		gosched();
		struct mem_stats m;
		read_mem_stats(&m);
		uint64 parked = m.stack_inuse - before;
		close(c);
		wait_group_wait(&wg);
		int64 left = (int64)(stack_now() - before);
		/* The last may still be on their way out at the first collections. */
		for (int i = 0; i < 10 && left > 1 << 20; i++) {
			gc();
			left = (int64)(stack_now() - before);
		}
		if (left * 20 > (int64)parked && left > 1 << 20)
			TEST_FAIL("%d tasks' stacks took %lld bytes, %lld are left", N, (long long)parked, (long long)left);
	}
}

/* ---- leaving segments ---------------------------------------------------------- */

static int recovered;
static void recovers(void)
{
	recovered += recover() != NULL;
}

static NOINLINE void panics_at(int depth)
{
	volatile char here[200];
	here[depth % 200] = 1;
	if (depth < 0)
		return;
	if (depth == 0)
		panic("deep");
	panics_at(depth - 1);
	here[0] = here[1];
}

static NOINLINE int64 frame_with_recover(int depth)
{
	defer(recovers);
	panics_at(depth);
	return 0;
}

static int64 panicking(int64 x)
{
	static const int depths[] = { 0, 2, 5, 10, 40, 200, 400, 1000 };
	for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
		frame_with_recover(depths[i]);
		x += frame_250(7) != 7; /* the limit is that of the segment it is on */
		x += frame_9k(3) != 3;
	}
	return x;
}

TEST(recover_on_another_segment)
{
	recovered = 0;
	chan(int64) out = make_chan(int64);
	for (int depth = 0; depth < 400; depth += depth < 60 ? 1 : 17) {
		go(run_at, depth, panicking, out);
		CHECK_EQ(recv(out), depth);
	}
	CHECK_EQ(recovered % 8, 0);
	CHECK(recovered >= 8 * 60);
}

/* ---- limits -------------------------------------------------------------------- */

static NOINLINE bool max_panics(size_t bytes)
{
	recovered = 0;
	defer(recovers);
	set_max_stack(bytes);
	return false;
}
static NOINLINE bool go_stack_panics(size_t bytes, void (*f)(int))
{
	recovered = 0;
	defer(recovers);
	go_stack(bytes, f, 1);
	return false;
}
static void nothing(int x)
{
	(void)x;
}

static void deeper_than_64_mib(chan(int64) out)
{
	send(out, at_depth(70 << 20 >> 7, frame_250, 7));
}

TEST(limits)
{
	CHECK_EQ(set_max_stack(128 << 20), 64 << 20);
	CHECK_EQ(set_max_stack(64 << 20), 128 << 20);
	static const size_t bad[] = { 0, 1, 68 << 10 >> 1, (1ul << 30) + 1, SIZE_MAX };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		max_panics(bad[i]);
		CHECK_EQ(recovered, 1);
		go_stack_panics(bad[i], nothing);
		CHECK_EQ(recovered, 1);
	}
	go_stack_panics(1 << 20, NULL);
	CHECK_EQ(recovered, 1);
	CHECK_EQ(set_max_stack(64 << 20), 64 << 20);
	chan(int64) out = make_chan(int64);
	go_stack(128 << 20, deeper_than_64_mib, out);
	CHECK_EQ(recv(out), 7);
}

TEST_MAIN
{
	RUN(variable_arguments);
	RUN(structs_by_value);
	RUN(large_structs_by_value);
	RUN(values_returned);
	RUN(frames_of_many_sizes);
	RUN(a_frame_larger_than_the_window);
	RUN(variable_frames);
	RUN(nested_functions);
	RUN(pointers_to_locals_survive_growth);
	RUN(many_grow_at_once);
	RUN(stacks_of_finished_tasks_come_back);
	RUN(slots_of_finished_tasks_come_back);
	RUN(recover_on_another_segment);
	RUN(limits);
}
