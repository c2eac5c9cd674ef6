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
}
