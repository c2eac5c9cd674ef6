/* chan.c: channels and select, from the outside. */
#include "ingot.h"
#include "test.h"

typedef struct pair {
	int64 a;
	string s;
} pair;

static void send_n(chan(int) c, int from, int n)
{
	for (int i = 0; i < n; i++)
		send(c, from + i);
	close(c);
}

TEST(unbuffered_in_order)
{
	chan(int) c = make_chan(int);
	go(send_n, c, 0, 1000);
	int want = 0;
	for_recv(v, c)
		CHECK_EQ(v, want++);
	CHECK_EQ(want, 1000);
	int v = 7;
	CHECK(!recv(c, &v));
	CHECK_EQ(v, 0);
}

TEST(buffered_holds_cap_values)
{
	chan(int) c = make_chan(int, 4);
	CHECK_EQ(cap(c), 4);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(len(c), i);
		send(c, i);
	}
	bool full = false;
	select {
		case_send(c, 99) { }
		case_default { full = true; }
	}
	CHECK(full);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(recv(c), i);
	CHECK_EQ(len(c), 0);
}

TEST(close_keeps_what_was_sent)
{
	chan(int) c = make_chan(int, 3);
	send(c, 1);
	send(c, 2);
	close(c);
	int v;
	CHECK(recv(c, &v) && v == 1);
	CHECK(recv(c, &v) && v == 2);
	CHECK(!recv(c, &v) && v == 0);
	CHECK(!recv(c, NULL));
}

static void recv_one(chan(int) c, chan(int) out)
{
	int v = 5;
	send(out, recv(c, &v) ? 100 + v : v);
}

TEST(close_wakes_all_receivers)
{
	chan(int) c = make_chan(int), out = make_chan(int);
	for (int i = 0; i < 10; i++)
		go(recv_one, c, out);
	for (int i = 0; i < 20; i++)
		gosched();
	close(c);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(recv(out), 0);
}

struct empty { };
struct large {
	char b[10000];
};

static void send_large(chan(struct large) c)
{
	struct large l;
	memset(l.b, 'x', sizeof l.b);
	send(c, l);
	memset(l.b, 'y', sizeof l.b);
	send(c, l);
}

TEST(elements_of_every_size)
{
	chan(struct empty) e = make_chan(struct empty, 2);
	send(e, (struct empty){});
	send(e, (struct empty){});
	CHECK_EQ(len(e), 2);
	CHECK(recv(e, NULL));
	chan(pair) p = make_chan(pair, 1);
	send(p, ((pair){ 42, S("answer") }));
	pair got = recv(p);
	CHECK(got.a == 42 && got.s.len == 6);
	chan(struct large) l = make_chan(struct large);
	go(send_large, l);
	struct large v;
	recv(l, &v);
	CHECK(v.b[0] == 'x' && v.b[9999] == 'x');
	recv(l, &v);
	CHECK(v.b[0] == 'y' && v.b[9999] == 'y');
	chan(char) ch = make_chan(char, 3);
	send(ch, 'a');
	send(ch, 'b');
	CHECK(recv(ch) == 'a' && recv(ch) == 'b');
}

static void many_senders(chan(int64) c, int id, int n, wait_group *wg)
{
	for (int i = 0; i < n; i++)
		send(c, (int64)id << 32 | (int64)i);
	wait_group_done(wg);
}
static void many_receivers(chan(int64) c, int64 *sum, wait_group *wg)
{
	for_recv(v, c)
		__atomic_add_fetch(sum, (int64)(int32)v, __ATOMIC_SEQ_CST);
	wait_group_done(wg);
}

static void fan(int capacity, int n)
{
	chan(int64) c = make_chan(int64, capacity);
	wait_group s = { 0 }, r = { 0 };
	int64 sum = 0;
	wait_group_add(&s, 8);
	wait_group_add(&r, 4);
	for (int i = 0; i < 4; i++)
		go(many_receivers, c, &sum, &r);
	for (int i = 0; i < 8; i++)
		go(many_senders, c, i, n, &s);
	wait_group_wait(&s);
	close(c);
	wait_group_wait(&r);
	CHECK_EQ(sum, 8 * (int64)n * (n - 1) / 2);
}

TEST(many_to_many_loses_nothing)
{
	fan(0, 2000);
	fan(1, 2000);
	fan(100, 5000);
}

TEST(select_picks_uniformly)
{
	chan(int) a = make_chan(int, 1), b = make_chan(int, 1), c = make_chan(int, 1);
	int n[3] = { 0 };
	for (int i = 0; i < 3000; i++) {
		if (!len(a))
			send(a, 1);
		if (!len(b))
			send(b, 1);
		if (!len(c))
			send(c, 1);
		select {
			case_recv(a, NULL) { n[0]++; }
			case_recv(b, NULL) { n[1]++; }
			case_recv(c, NULL) { n[2]++; }
		}
	}
	for (int i = 0; i < 3; i++)
		CHECK(n[i] > 800 && n[i] < 1200);
}

TEST(select_evaluates_once)
{
	chan(int) a = make_chan(int, 8);
	int evals = 0, bodies = 0;
	for (int i = 0; i < 5; i++) {
		select {
			case_send((evals++, a), (evals++, i)) { bodies++; }
			case_recv((evals++, (chan(int))NULL), NULL) { bodies += 100; }
		}
	}
	CHECK_EQ(evals, 15);
	CHECK_EQ(bodies, 5);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(recv(a), i);
}

static void pump(chan(int) in, chan(int) out, chan(bool) quit)
{
	for (;;) {
		int v;
		bool stop = false;
		select {
			case_recv(in, &v) { send(out, v * 2); }
			case_recv(quit, &stop) { }
		}
		if (stop)
			return;
	}
}

TEST(select_waits)
{
	chan(int) in = make_chan(int), out = make_chan(int);
	chan(bool) quit = make_chan(bool);
	go(pump, in, out, quit);
	for (int i = 0; i < 1000; i++) {
		send(in, i);
		CHECK_EQ(recv(out), 2 * i);
	}
	send(quit, true);
}

TEST(select_sees_close)
{
	chan(int) c = make_chan(int);
	int v = 3;
	bool ok = true;
	close(c);
	select {
		case_recv_ok(c, &v, &ok) { }
	}
	CHECK(!ok && v == 0);
}

static void feeder(chan(int) c, int n, wait_group *wg)
{
	for (int i = 0; i < n; i++)
		send(c, 1);
	wait_group_done(wg);
}

TEST(selects_compete_without_loss)
{
	enum { N = 3000 };
	chan(int) c[4];
	wait_group wg = { 0 };
	wait_group_add(&wg, 4);
	for (int i = 0; i < 4; i++) {
		c[i] = make_chan(int, i);
		go(feeder, c[i], N, &wg);
	}
	int got[4] = { 0 };
	for (int i = 0; i < 4 * N; i++) {
		select {
			case_recv(c[0], NULL) { got[0]++; }
			case_recv(c[1], NULL) { got[1]++; }
			case_recv(c[2], NULL) { got[2]++; }
			case_recv(c[3], NULL) { got[3]++; }
		}
	}
	wait_group_wait(&wg);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(got[i], N);
}

/* Both sides select on the same two channels, in opposite order: no deadlock,
 * and nothing is sent to oneself. */
static void left(chan(int) a, chan(int) b, int n, chan(int) done)
{
	int sent = 0, received = 0;
	while (sent + received < n) {
		select {
			case_send(a, sent) { sent++; }
			case_recv(b, NULL) { received++; }
		}
	}
	send(done, sent + received);
}
static void right(chan(int) a, chan(int) b, int n, chan(int) done)
{
	int sent = 0, received = 0;
	while (sent + received < n) {
		select {
			case_send(b, sent) { sent++; }
			case_recv(a, NULL) { received++; }
		}
	}
	send(done, sent + received);
}

TEST(opposite_selects_do_not_deadlock)
{
	chan(int) a = make_chan(int), b = make_chan(int), done = make_chan(int);
	go(left, a, b, 20000, done);
	go(right, a, b, 20000, done);
	CHECK_EQ(recv(done), 20000);
	CHECK_EQ(recv(done), 20000);
}

TEST(same_channel_twice_in_a_select)
{
	chan(int) c = make_chan(int, 1);
	int n = 0;
	for (int i = 0; i < 100; i++) {
		select {
			case_send(c, 1) { n++; }
			case_recv(c, NULL) { n--; }
			case_send(c, 2) { n++; }
		}
		CHECK(n == 0 || n == 1);
	}
}

TEST(select_of_many_cases)
{
	chan(int) c[12];
	for (int i = 0; i < 12; i++)
		c[i] = make_chan(int, 1);
	for (int i = 0; i < 12; i++) {
		send(c[i], i);
		int v = -1;
		select {
			case_recv(c[0], &v) { }
			case_recv(c[1], &v) { }
			case_recv(c[2], &v) { }
			case_recv(c[3], &v) { }
			case_recv(c[4], &v) { }
			case_recv(c[5], &v) { }
			case_recv(c[6], &v) { }
			case_recv(c[7], &v) { }
			case_recv(c[8], &v) { }
			case_recv(c[9], &v) { }
			case_recv(c[10], &v) { }
			case_recv(c[11], &v) { }
		}
		CHECK_EQ(v, i);
	}
}

static void double_close(chan(int) c)
{
	close(c);
	close(c);
}
static void send_closed(chan(int) c)
{
	send(c, 1);
}
static void select_send_closed(chan(int) c)
{
	select {
		case_send(c, 1) { }
	}
}

static void close_timer(chan(int) c)
{
	(void)c;
	close(new_timer(Hour)->c);
}

static string caught;
static void catch_it(void)
{
	const panicked *p = recover();
	caught = p ? p->text : S("no panic");
}
static void panic_text(void (*f)(chan(int)), chan(int) c)
{
	defer(catch_it);
	f(c);
}

/* ---- capacity ------------------------------------------------------------- */

static void make_ints(int64 n)
{
	CHECK_EQ(cap(make_chan(int, n)), n);
}
static void make_large(int64 n)
{
	CHECK_EQ(cap(make_chan(struct large, n)), n);
}
static void make_pointers(int64 n)
{
	CHECK_EQ(cap(make_chan(char *, n)), n);
}
static void make_panics(void (*make)(int64), int64 n)
{
	caught = S("");
	defer(catch_it);
	make(n);
}

TEST(capacity_out_of_range)
{
	void (*const makes[])(int64) = { make_ints, make_large, make_pointers };
	const int64 bad[] = { -1, INT64_MIN, INT64_MAX, (int64)1 << 60, (int64)1 << 46 };
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 5; j++) {
			make_panics(makes[i], bad[j]);
			CHECK(string_eq(caught, S("makechan: size out of range")));
		}
	make_panics(make_ints, 0);
	CHECK(string_eq(caught, S("no panic")));
	/* Nothing needs no room. */
	chan(struct empty) c = make_chan(struct empty, INT64_MAX);
	CHECK_EQ(cap(c), INT64_MAX);
	for (int i = 0; i < 5; i++)
		send(c, (struct empty){});
	CHECK_EQ(len(c), 5);
}

/* ---- elements of every size by every way ------------------------------------ */

/* True if all n bytes at p are k. */
static bool all_are(const void *p, size_t n, int k)
{
	for (size_t i = 0; i < n; i++)
		if (((const unsigned char *)p)[i] != (unsigned char)k)
			return false;
	return true;
}

static void fill(void *p, size_t n, int k)
{
	memset(p, k, n);
}

enum { SIZED_ROUNDS = 12 };
/* bool, because an array of char may hold pointers, which have a size of 8. */
#define SIZED(N) \
	struct sized_##N { \
		bool b[N]; \
	}; \
	static void put_##N(chan(struct sized_##N) c) \
	{ \
		struct sized_##N v; \
		for (int i = 1; i <= SIZED_ROUNDS; i++) { \
			fill(&v, N, i); \
			if (i % 2) \
				send(c, v); \
			else \
				select { \
					case_send(c, v) { } \
				} \
			fill(&v, N, 99); /* it is the receiver's no longer */ \
		} \
	} \
	static void take_##N(chan(struct sized_##N) c, chan(bool) done) \
	{ \
		bool good = true; \
		for (int i = 1; i <= SIZED_ROUNDS; i++) { \
			struct { \
				char before; \
				struct sized_##N v; \
				char after; \
			} r; \
			memset(&r, 77, sizeof r); \
			bool ok = false; \
			if (i % 5 == 0) { \
				good &= recv(c, NULL); \
				continue; \
			} \
			if (i % 3) \
				ok = recv(c, &r.v); \
			else \
				select { \
					case_recv_ok(c, &r.v, &ok) { } \
				} \
			good &= ok && r.before == 77 && r.after == 77 && all_are(&r.v, N, i); \
		} \
		send(done, good); \
	} \
	static void sized_##N(int64 n) \
	{ \
		chan(bool) done = make_chan(bool); \
		chan(struct sized_##N) c = make_chan(struct sized_##N, n); \
		/* Who comes first waits: the sender here, there the receiver. */ \
		go(put_##N, c); \
		gosched(); \
		go(take_##N, c, done); \
		CHECK(recv(done)); \
		go(take_##N, c, done); \
		gosched(); \
		go(put_##N, c); \
		CHECK(recv(done)); \
		close(c); \
		struct sized_##N v; \
		bool ok = true; \
		fill(&v, N, 55); \
		CHECK(!recv(c, &v) && all_are(&v, N, 0)); \
		fill(&v, N, 55); \
		select { \
			case_recv_ok(c, &v, &ok) { } \
		} \
		CHECK(!ok && all_are(&v, N, 0)); \
	}
SIZED(0)
SIZED(1)
SIZED(2)
SIZED(3)
SIZED(4)
SIZED(5)
SIZED(8)
SIZED(9)
SIZED(12)
SIZED(16)
SIZED(24)
SIZED(100)
SIZED(4096)
SIZED(4097)
SIZED(20000)

TEST(every_size_by_every_way)
{
	void (*const sized[])(int64) = { sized_0, sized_1, sized_2, sized_3, sized_4, sized_5, sized_8, sized_9,
		                         sized_12, sized_16, sized_24, sized_100, sized_4096, sized_4097, sized_20000 };
	for (size_t i = 0; i < sizeof sized / sizeof *sized; i++)
		for (int n = 0; n < 4; n++)
			sized[i](n);
}

/* ---- nil, FIFO, close with waiters ------------------------------------------- */

static int reached; /* by tasks that should wait for ever; atomic */

static void on_nil(int way)
{
	chan(int) c = NULL;
	int v;
	switch (way) {
	case 0: send(c, 1); break;
	case 1: recv(c); break;
	case 2: recv(c, &v); break;
	case 3:
		select {
			case_recv(c, &v) { }
			case_send(c, 1) { }
		}
		break;
	case 4: select { } break;
	}
	__atomic_add_fetch(&reached, 1, __ATOMIC_SEQ_CST);
}

TEST(nil_channels_wait_for_ever)
{
	while (num_task() > 1) /* those of the tests before */
		gosched();
	int before = num_task();
	for (int way = 0; way < 5; way++)
		go(on_nil, way);
	for (int i = 0; i < 200; i++)
		gosched();
	CHECK_EQ(reached, 0);
	CHECK_EQ(num_task(), before + 5);
	CHECK_EQ(len((chan(int))NULL), 0);
	CHECK_EQ(cap((chan(int))NULL), 0);
	int v = 3, way = 0;
	select {
		case_recv((chan(int))NULL, &v) { way = 1; }
		case_send((chan(int))NULL, 1) { way = 2; }
		case_default { way = 3; }
	}
	CHECK(way == 3 && v == 3);
}

static int arrived; /* tasks that are about to wait */

/* On one P: lets the task started last come to where it waits. */
static void until_it_waits(int n)
{
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < n)
		gosched();
	for (int i = 0; i < 20; i++)
		gosched();
}

static void take_turn(chan(int) c, int id, chan(bool) done)
{
	int v = -1;
	chan(int) never = make_chan(int);
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	if (id % 3 == 0)
		v = recv(c);
	else if (id % 3 == 1)
		select {
			case_recv(never, NULL) { }
			case_recv(c, &v) { }
		}
	else
		select {
			case_recv(c, &v) { }
			case_send(never, 1) { }
			case_recv(c, &v) { }
		}
	send(done, v == id);
}
static void give_turn(chan(int) c, int id)
{
	chan(int) never = make_chan(int);
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	if (id % 2)
		send(c, id);
	else
		select {
			case_send(c, id) { }
			case_send(never, 1) { }
		}
}

TEST(waiters_are_served_in_order)
{
	enum { N = 9 };
	int procs = gomaxprocs(1);
	chan(int) c = make_chan(int);
	chan(bool) done = make_chan(bool, N);
	arrived = 0;
	for (int i = 0; i < N; i++) {
		go(take_turn, c, i, done);
		until_it_waits(i + 1);
	}
	for (int i = 0; i < N; i++)
		send(c, i);
	for (int i = 0; i < N; i++)
		CHECK(recv(done));
	for (int room = 0; room < 3; room++) {
		chan(int) d = make_chan(int, room);
		arrived = 0;
		for (int i = 0; i < N; i++) {
			go(give_turn, d, i);
			until_it_waits(i + 1);
		}
		for (int i = 0; i < N; i++)
			CHECK_EQ(recv(d), i);
	}
	gomaxprocs(procs);
}

static void report_panic(chan(bool) out)
{
	const panicked *p = recover();
	send(out, p && string_eq(p->text, S("send on closed channel")));
}
static void waits_to_send(chan(int) c, bool by_select, chan(bool) out)
{
	defer(report_panic, out);
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	if (by_select)
		select {
			case_send(c, 1) { }
			case_recv((chan(int))NULL, NULL) { }
			case_send(c, 2) { }
		}
	else
		send(c, 1);
}
static void waits_to_recv(chan(int) c, chan(bool) out)
{
	int v = 5;
	bool ok = true;
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	select {
		case_recv((chan(int))NULL, NULL) { }
		case_recv_ok(c, &v, &ok) { }
	}
	send(out, v == 0 && !ok);
}

TEST(close_with_waiters)
{
	for (int room = 0; room < 2; room++) {
		chan(int) c = make_chan(int, room), d = make_chan(int, room);
		chan(bool) out = make_chan(bool);
		arrived = 0;
		for (int i = 0; i < room; i++)
			send(c, 42);
		for (int i = 0; i < 6; i++)
			go(waits_to_send, c, i % 2 == 1, out);
		for (int i = 0; i < 3; i++)
			go(waits_to_recv, d, out);
		until_it_waits(9);
		close(c);
		close(d);
		for (int i = 0; i < 9; i++)
			CHECK(recv(out));
		for (int i = 0; i < room; i++)
			CHECK_EQ(recv(c), 42);
		CHECK(!recv(c, NULL));
	}
}

struct wide {
	int64 a;
	char *p;
	int64 b;
};

/* What 64 objects of 64 KiB that went through a channel of each kind left alive. */
TEST(received_values_are_garbage)
{
	enum { N = 64, SIZE = 64 << 10 };
	struct mem_stats before, after;
	chan(char *) c = make_chan(char *, N);
	chan(struct wide) w = make_chan(struct wide, N);
	gc();
	read_mem_stats(&before);
	for (int i = 0; i < N; i++) {
		send(c, (char *)rt_malloc(SIZE, &rt_type_noscan));
		send(w, ((struct wide){ i, rt_malloc(SIZE, &rt_type_noscan), i }));
	}
	gc();
	read_mem_stats(&after);
	CHECK(after.heap_live > before.heap_live + 2 * (N - 4) * SIZE);
	for (int i = 0; i < N; i++) {
		switch (i % 3) {
		case 0:
			CHECK(recv(c) != NULL);
			CHECK_EQ(recv(w).b, i);
			break;
		case 1:
			CHECK(recv(c, NULL) && recv(w, NULL));
			break;
		default:
			select {
				case_recv(c, NULL) { }
			}
			select {
				case_recv(w, NULL) { }
			}
		}
	}
	gc();
	read_mem_stats(&after);
	CHECK(after.heap_live < before.heap_live + 8 * SIZE);
	CHECK(len(c) == 0 && len(w) == 0);
}

/* ---- all at once ------------------------------------------------------------- */

enum { MIX_CHANS = 3, MIX_TASKS = 5, MIX_VALUES = 1500 };
typedef chan(int) int_chan;

static void mix_put(int_chan *c, int id, wait_group *wg)
{
	uint32 r = 2463534242u * (uint32)(id + 1);
	for (int i = 0; i < MIX_VALUES; i++) {
		int v = id * MIX_VALUES + i;
		r ^= r << 13, r ^= r >> 17, r ^= r << 5;
		int_chan a = c[r % MIX_CHANS], b = c[r / 64 % MIX_CHANS];
		bool sent = false;
		switch (r / 4096 % 4) {
		case 0:
			send(a, v);
			break;
		case 1:
			select {
				case_send(a, v) { }
				case_send(b, v) { }
			}
			break;
		case 2:
			select {
				case_send(a, v) { sent = true; }
				case_send(b, v) { sent = true; }
				case_default { }
			}
			if (!sent)
				send(a, v);
			break;
		default:
			select {
				case_send(c[0], v) { }
				case_send(c[1], v) { }
				case_send(c[2], v) { }
			}
		}
	}
	wait_group_done(wg);
}

static void mix_take(int_chan *shared, byte *seen, wait_group *wg)
{
	int_chan c[MIX_CHANS] = { shared[0], shared[1], shared[2] };
	while (c[0] || c[1] || c[2]) {
		int v = -1, from = 0;
		bool ok = false;
		select {
			case_recv_ok(c[0], &v, &ok) { from = 0; }
			case_recv_ok(c[1], &v, &ok) { from = 1; }
			case_recv_ok(c[2], &v, &ok) { from = 2; }
		}
		if (ok && v >= 0 && v < MIX_TASKS * MIX_VALUES)
			__atomic_add_fetch(&seen[v], 1, __ATOMIC_SEQ_CST);
		else
			c[from] = NULL;
		for (int i = 0; i < MIX_CHANS; i++) {
			ok = false;
			select {
				case_recv_ok(c[i], &v, &ok) { }
				case_default { }
			}
			if (ok)
				__atomic_add_fetch(&seen[v], 1, __ATOMIC_SEQ_CST);
		}
	}
	wait_group_done(wg);
}

static void mix_drain(int_chan c, byte *seen, wait_group *wg)
{
	for_recv(v, c)
		__atomic_add_fetch(&seen[v], 1, __ATOMIC_SEQ_CST);
	wait_group_done(wg);
}

TEST(mixed_operations_lose_nothing)
{
	int_chan c[MIX_CHANS] = { make_chan(int), make_chan(int, 1), make_chan(int, 7) };
	byte *seen = rt_malloc(MIX_TASKS * MIX_VALUES, &rt_type_noscan);
	wait_group put = { 0 }, take = { 0 };
	wait_group_add(&put, MIX_TASKS);
	wait_group_add(&take, MIX_TASKS + MIX_CHANS);
	for (int i = 0; i < MIX_CHANS; i++)
		go(mix_drain, c[i], seen, &take);
	for (int i = 0; i < MIX_TASKS; i++) {
		go(mix_put, c, i, &put);
		go(mix_take, c, seen, &take);
	}
	wait_group_wait(&put);
	for (int i = 0; i < MIX_CHANS; i++)
		close(c[i]);
	wait_group_wait(&take);
	int wrong = 0;
	for (int i = 0; i < MIX_TASKS * MIX_VALUES; i++)
		wrong += seen[i] != 1;
	CHECK_EQ(wrong, 0);
}

TEST(misuse_panics_in_gos_words)
{
	chan(int) c = make_chan(int, 1);
	panic_text(double_close, c);
	CHECK(string_eq(caught, S("close of closed channel")));
	panic_text(send_closed, c);
	CHECK(string_eq(caught, S("send on closed channel")));
	panic_text(select_send_closed, c);
	CHECK(string_eq(caught, S("send on closed channel")));
	panic_text(double_close, NULL);
	CHECK(string_eq(caught, S("close of nil channel")));
	panic_text(close_timer, NULL);
	CHECK(string_eq(caught, S("close of receive-only channel")));
}

TEST_MAIN
{
	RUN(unbuffered_in_order);
	RUN(buffered_holds_cap_values);
	RUN(close_keeps_what_was_sent);
	RUN(close_wakes_all_receivers);
	RUN(elements_of_every_size);
	RUN(many_to_many_loses_nothing);
	RUN(select_picks_uniformly);
	RUN(select_evaluates_once);
	RUN(select_waits);
	RUN(select_sees_close);
	RUN(selects_compete_without_loss);
	RUN(opposite_selects_do_not_deadlock);
	RUN(same_channel_twice_in_a_select);
	RUN(select_of_many_cases);
	RUN(misuse_panics_in_gos_words);
	RUN(capacity_out_of_range);
	RUN(every_size_by_every_way);
	RUN(nil_channels_wait_for_ever);
	RUN(waiters_are_served_in_order);
	RUN(close_with_waiters);
	RUN(received_values_are_garbage);
	RUN(mixed_operations_lose_nothing);
}
