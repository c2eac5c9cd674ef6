/* select.c: select from the outside: whom it chooses, how many cases it
 * takes, what it is as a statement.  With channels' own tests: chan.c. */
#include "ingot.h"
#include "test.h"

typedef chan(int) int_chan;

/* ---- uniform choice --------------------------------------------------------- */

enum { MOST = 12, EACH = 1600 };

/* Of n cases those in mask can go, every third of all a send: each is chosen
 * as often as the others.  60 is beyond the 1e-7 quantile of chi square with
 * 11 degrees of freedom. */
static void uniform(int n, uint32 mask)
{
	int_chan c[MOST];
	int count[MOST] = { 0 }, k = __builtin_popcount(mask), draws = EACH * k;
	for (int i = 0; i < n; i++) {
		c[i] = make_chan(int, 1);
		if ((i % 3 == 2) != (mask >> i & 1))
			send(c[i], i);
	}
	for (int d = 0; d < draws; d++) {
		int got = -1, v = -1;
		select {
			for (int i = 0; i < n; i++) {
				if (i % 3 == 2)
					case_send(c[i], i) { got = i; }
				if (i % 3 != 2)
					case_recv(c[i], &v) { got = i; }
			}
		}
		if (got < 0 || !(mask >> got & 1)) {
			TEST_FAIL("case %d of mask %x", got, mask);
			return;
		}
		count[got]++;
		if (got % 3 == 2) {
			CHECK_EQ(recv(c[got]), got);
		} else {
			CHECK_EQ(v, got);
			send(c[got], got);
		}
	}
	double chi2 = 0;
	for (int i = 0; i < n; i++)
		if (mask >> i & 1)
			chi2 += (count[i] - (double)EACH) * (count[i] - (double)EACH) / EACH;
	if (chi2 > 60)
		TEST_FAIL("%d of %d cases, mask %x: chi square %d", k, n, mask, (int)chi2);
}

static void uniform_all(void)
{
	uniform(1, 1);
	uniform(2, 3);
	uniform(3, 7);
	uniform(4, 0xf);
	uniform(8, 0xff);
	uniform(8, 0x13); /* neighbours and gaps: no matter */
	uniform(8, 0xc1);
	uniform(12, 0xfff);
	uniform(12, 0x813);
}

TEST(choice_is_uniform)
{
	uniform_all();
	int procs = gomaxprocs(1);
	gosched();
	uniform_all();
	gomaxprocs(procs);
}

/* The same two ready cases, as the compiler unrolls them. */
TEST(choice_of_two_is_uniform)
{
	int_chan a = make_chan(int, 1), b = make_chan(int, 1);
	int n[2] = { 0 };
	send(a, 1);
	for (int i = 0; i < 2000; i++) {
		select {
			case_recv(a, NULL) { n[0]++; send(a, 1); }
			case_send(b, 2) { n[1]++; recv(b); }
		}
	}
	CHECK(n[0] + n[1] == 2000 && n[0] > 850 && n[0] < 1150);
}

/* ---- many cases ----------------------------------------------------------------- */

static void send_later(int_chan c, int v)
{
	gosched();
	send(c, v);
}

/* A receive from one of n cases on k channels in turn; -1: from none. */
static int pick(int_chan *c, int k, int n, int *v, bool block)
{
	int got = -1;
	if (block)
		select {
			for (int i = 0; i < n; i++)
				case_recv(c[i % k], v) { got = i; }
		}
	else
		select {
			for (int i = 0; i < n; i++)
				case_recv(c[i % k], v) { got = i; }
			case_default { got = -1; }
		}
	return got;
}

TEST(many_cases)
{
	enum { CHANS = 3000 };
	static int_chan c[CHANS];
	const int chans[] = { 1, 20, CHANS }, cases[] = { 1, 8, 9, 17, 1000, 65536 };
	for (int i = 0; i < CHANS; i++)
		c[i] = make_chan(int, 1);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 6; j++) {
			int n = cases[j], k = chans[i] < n ? chans[i] : n, at = k * 2 / 3, v = -1;
			CHECK_EQ(pick(c, k, n, &v, false), -1);
			send(c[at], 5);
			CHECK(pick(c, k, n, &v, false) % k == at && v == 5);
			send(c[at], 6);
			CHECK(pick(c, k, n, &v, true) % k == at && v == 6);
			go(send_later, c[at], 7);
			CHECK(pick(c, k, n, &v, true) % k == at && v == 7);
			CHECK_EQ(pick(c, k, n, &v, false), -1);
		}
}

static string caught;
static void catch_it(void)
{
	const panicked *p = recover();
	caught = p ? p->text : S("no panic");
}
static void pick_one_of(int n, bool block)
{
	int_chan c = make_chan(int, 1);
	int v;
	defer(catch_it);
	send(c, 1);
	pick(&c, 1, n, &v, block);
}

TEST(too_many_cases)
{
	for (int block = 0; block < 2; block++) {
		pick_one_of(65536, block);
		CHECK(string_eq(caught, S("no panic")));
		pick_one_of(65537, block);
		CHECK(string_eq(caught, S("reflect.Select: too many cases (max 65536)")));
	}
}

/* ---- one channel in several cases -------------------------------------------------- */

static void twice(int_chan c, int_chan d, int n, int_chan done)
{
	int sent = 0, got = 0;
	while (sent < n || got < n) {
		int_chan in = got < n ? c : NULL, out = sent < n ? d : NULL;
		int v = -1;
		select {
			case_recv(in, &v) { CHECK_EQ(v, got); got++; }
			case_send(out, sent) { sent++; }
			case_recv(in, &v) { CHECK_EQ(v, got); got++; }
			case_send(out, sent) { sent++; }
			case_recv((int_chan)NULL, &v) { got = sent = n + 1; }
		}
	}
	send(done, sent + got);
}

TEST(channels_in_several_cases)
{
	enum { N = 3000 };
	for (int room = 0; room < 3; room++) {
		int_chan a = make_chan(int, room), b = make_chan(int, room), done = make_chan(int);
		go(twice, a, b, N, done);
		go(twice, b, a, N, done);
		CHECK_EQ(recv(done) + recv(done), 4 * N);
	}
}

/* ---- closed channels ---------------------------------------------------------------- */

static void send_to_one_of(int_chan closed, int_chan open, int *sent)
{
	defer(catch_it);
	for (;;)
		select {
			case_send(closed, 1) { *sent = -1; }
			case_send(open, 1) { ++*sent; recv(open); }
		}
}

/* A closed channel can go like any other: it is drawn sooner or later. */
TEST(closed_channels_are_chosen)
{
	int_chan closed = make_chan(int, 1), open = make_chan(int, 1);
	int sent = 0, n[2] = { 0 };
	close(closed);
	send_to_one_of(closed, open, &sent);
	CHECK(string_eq(caught, S("send on closed channel")));
	CHECK(sent >= 0);
	send(open, 1);
	for (int i = 0; i < 1000; i++) {
		int v = 9;
		bool ok = true;
		select {
			case_recv_ok(closed, &v, &ok) { n[0]++; CHECK(!ok && v == 0); }
			case_recv(open, &v) { n[1]++; send(open, 1); }
		}
	}
	CHECK(n[0] > 350 && n[1] > 350);
}

/* ---- as a statement -------------------------------------------------------------------- */

static int returns(int_chan c)
{
	select {
		case_recv(c, NULL) { return 1; }
		case_default { return 2; }
	}
	return 3;
}

TEST(a_statement_like_any_other)
{
	int_chan a = make_chan(int, 8), b = make_chan(int, 8);
	int steps = 0, v = 0;
	CHECK_EQ(returns(a), 2);
	send(a, 1);
	CHECK_EQ(returns(a), 1);
	for (int i = 0; i < 3; i++) {
		select {
			case_send(a, i) {
				if (i == 1)
					break; /* of the select */
				steps++;
			}
		}
	}
	CHECK(steps == 2 && len(a) == 3);
	for (int i = 0; i < 3; i++) {
		select {
			case_recv(a, &v) {
				if (v == 1)
					continue; /* leaves the select, too */
				steps += 10;
			}
		}
		steps += 100;
	}
	CHECK_EQ(steps, 322);
	if (len(a) == 0)
		select {
			case_default { steps = 0; }
		}
	else
		steps = 5;
	CHECK_EQ(steps, 0);
	/* One inside another, and both names used again. */
	send(a, 1);
	send(b, 2);
	int outer = 0, inner = 0;
	select {
		case_recv(a, &outer) {
			select {
				case_recv(b, &inner) { outer += 10; }
				case_recv(a, &inner) { outer += 20; }
			}
			outer += 100;
		}
		case_recv((int_chan)NULL, &inner) { outer = -1; }
	}
	CHECK(outer == 111 && inner == 2);
	goto into;
again:
	steps++;
into:
	select {
		case_send(b, 1) { if (steps < 3) goto again; }
	}
	CHECK(steps == 3 && len(b) == 4);
	bool ok = false;
	select {
		case_recv_ok(b, NULL, &ok) { }
	}
	CHECK(ok);
	select {
		case_default { }
	}
}

struct big {
	int64 a[40];
};

/* Values to send are taken when the select begins: also those that do not fit
 * in the frame, and in cases beyond those that do. */
TEST(values_are_taken_first)
{
	chan(struct big) c = make_chan(struct big, 20);
	int_chan never = NULL;
	struct big v = { { 0 } };
	for (int i = 0; i < 20; i++) {
		v.a[39] = i;
		select {
			for (int j = 0; j < (i % 2 ? 20 : 3); j++)
				case_send(never, j) { }
			case_send(c, v) { v.a[39] = -1; }
			case_recv((v.a[39] = 77, never), NULL) { }
		}
		CHECK_EQ(v.a[39], -1);
	}
	for (int i = 0; i < 20; i++)
		CHECK_EQ(recv(c).a[39], i);
}

TEST_MAIN
{
	RUN(choice_is_uniform);
	RUN(choice_of_two_is_uniform);
	RUN(many_cases);
	RUN(too_many_cases);
	RUN(channels_in_several_cases);
	RUN(closed_channels_are_chosen);
	RUN(a_statement_like_any_other);
	RUN(values_are_taken_first);
}
