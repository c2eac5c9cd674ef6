/* net.c: the network over the loopback interface: connections, datagrams,
 * deadlines, addresses, and what goes wrong. */
#include "test.h"

/* ---- an echo server and its clients ------------------------------------------- */

static void echo(conn *c)
{
	char buf[4096];
	size_t n;
	while (!conn_read(c, buf, sizeof buf, &n))
		if (conn_write(c, buf, n, NULL))
			break;
	errors_ignore(conn_close(c));
}

static void serve(listener *l, void (*each)(conn *))
{
	conn *c;
	while (!listener_accept(l, &c))
		go(each, c);
}

static listener *listen_any(string at)
{
	listener *l;
	must(net_listen(S("tcp"), at, &l));
	return l;
}

/* The listener's address as a client on this machine writes it. */
static string address_of(listener *l)
{
	net_addr a = listener_addr(l);
	net_addr none = { 0 };
	if (memcmp(a.ip, none.ip, 16) == 0)
		a.ip[a.is_v6 ? 15 : 3] = 1;
	if (!a.is_v6)
		a.ip[0] = 127;
	return net_addr_string(a);
}

static conn *dial_to(listener *l)
{
	conn *c = NULL;
	must(net_dial(S("tcp"), address_of(l), &c));
	return c;
}

static size_t read_full(conn *c, char *p, size_t n)
{
	size_t done = 0, k;
	while (done < n && !conn_read(c, p + done, n - done, &k))
		done += k;
	return done;
}

static void echoes(string at)
{
	listener *l = listen_any(at);
	go(serve, l, echo);
	conn *c = dial_to(l);
	char back[8] = "";
	must(conn_write(c, "hello", 5, NULL));
	CHECK(read_full(c, back, 5) == 5 && strcmp(back, "hello") == 0);
	CHECK_EQ(conn_remote_addr(c).port, listener_addr(l).port);
	CHECK(conn_local_addr(c).port != 0);
	must(conn_close(c));
	must(listener_close(l));
}

TEST(bytes_come_back_over_ipv4) { echoes(S("127.0.0.1:0")); }
TEST(bytes_come_back_over_ipv6) { echoes(S("[::1]:0")); }
TEST(a_listener_without_a_host_has_all_addresses) { echoes(S(":0")); }

static uint32 mix(uint32 x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	return x * 0x846ca68b;
}

/* Sends messages of many sizes and compares what comes back. */
static void client(listener *l, uint32 seed, wait_group *wg)
{
	conn *c = dial_to(l);
	slice(byte) out = make_slice(byte, 9000), in = make_slice(byte, 9000);
	for (int i = 0; i < 20; i++) {
		size_t n = 1 + mix(seed + (uint32)i) % 9000;
		for (size_t k = 0; k < n; k++)
			out.ptr[k] = (byte)(seed + k * 7 + (size_t)i);
		must(conn_write(c, out.ptr, n, NULL));
		CHECK_EQ(read_full(c, (char *)in.ptr, n), n);
		CHECK(memcmp(in.ptr, out.ptr, n) == 0);
	}
	must(conn_close(c));
	wait_group_done(wg);
}

TEST(many_connections_at_once)
{
	listener *l = listen_any(S("127.0.0.1:0"));
	wait_group wg = { 0 };
	go(serve, l, echo);
	for (uint32 i = 0; i < 50; i++) {
		wait_group_add(&wg, 1);
		go(client, l, i * 1000, &wg);
	}
	wait_group_wait(&wg);
	must(listener_close(l));
}

#define BULK (3 << 20)

static void pour(conn *c)
{
	slice(byte) b = make_slice(byte, 100000);
	for (size_t done = 0; done < BULK;) {
		size_t n = BULK - done < 100000 ? BULK - done : 100000;
		for (size_t k = 0; k < n; k++)
			b.ptr[k] = (byte)mix((uint32)(done + k));
		must(conn_write(c, b.ptr, n, NULL));
		done += n;
	}
	must(conn_close_write(c));
}

TEST(a_slow_reader_holds_the_writer_and_gets_all)
{
	listener *l = listen_any(S("127.0.0.1:0"));
	conn *a = dial_to(l), *b;
	must(listener_accept(l, &b));
	go(pour, b);
	slice(byte) buf = make_slice(byte, 30000);
	size_t done = 0, n;
	bool same = true;
	error err;
	while (!(err = conn_read(a, buf.ptr, 1 + mix((uint32)done) % 30000, &n))) {
		for (size_t k = 0; k < n; k++)
			same &= buf.ptr[k] == (byte)mix((uint32)(done + k));
		done += n;
		if (done % 7 == 0)
			sleep(Millisecond);
	}
	CHECK(err == io_eof);
	CHECK_EQ(done, BULK);
	CHECK(same);
	must(conn_write(a, "late", 4, NULL)); /* the other half is still open */
	CHECK_EQ(read_full(b, (char *)buf.ptr, 4), 4);
	must(conn_close(a));
	must(conn_close(b));
	must(listener_close(l));
}

/* ---- ends and times ------------------------------------------------------------ */

static void pair_of(conn **a, conn **b)
{
	listener *l = listen_any(S("127.0.0.1:0"));
	*a = dial_to(l);
	must(listener_accept(l, b));
	must(listener_close(l));
}

TEST(a_deadline_ends_a_read_and_can_be_moved)
{
	conn *a, *b;
	char c;
	size_t n;
	pair_of(&a, &b);
	int64 t = nanotime() + 20 * Millisecond;
	conn_set_read_deadline(a, t);
	error err = conn_read(a, &c, 1, &n);
	CHECK(errors_is(err, net_err_timeout));
	CHECK(nanotime() >= t);
	CHECK(errors_is(conn_read(a, &c, 1, &n), net_err_timeout)); /* still past */
	conn_set_read_deadline(a, 0);
	must(conn_write(b, "x", 1, NULL));
	must(conn_read(a, &c, 1, &n));
	CHECK(n == 1 && c == 'x');
	conn_set_deadline(a, 1);
	CHECK(errors_is(conn_write(a, &c, 1, NULL), net_err_timeout));
	must(conn_close(a));
	must(conn_close(b));
}

static void read_one(conn *c, chan(error) out)
{
	char x;
	size_t n;
	send(out, conn_read(c, &x, 1, &n));
}

TEST(a_deadline_set_by_another_task_ends_a_read)
{
	conn *a, *b;
	chan(error) out = make_chan(error, 0);
	error err;
	pair_of(&a, &b);
	go(read_one, a, out);
	sleep(2 * Millisecond);
	conn_set_read_deadline(a, nanotime() - 1);
	recv(out, &err);
	CHECK(errors_is(err, net_err_timeout));
	must(conn_close(a));
	must(conn_close(b));
}

TEST(closing_ends_reads_here_and_there)
{
	conn *a, *b;
	chan(error) out = make_chan(error, 0);
	error err;
	pair_of(&a, &b);
	go(read_one, a, out);
	go(read_one, b, out);
	sleep(2 * Millisecond);
	must(conn_close(a));
	int closed = 0, ended = 0;
	for (int i = 0; i < 2; i++) {
		recv(out, &err);
		closed += errors_is(err, net_err_closed);
		ended += err == io_eof;
	}
	CHECK(closed == 1 && ended == 1);
	CHECK(errors_is(conn_close(a), net_err_closed));
	CHECK(errors_is(conn_write(a, "x", 1, NULL), net_err_closed));
	must(conn_close(b));
}

TEST(unread_data_at_close_resets_the_peer)
{
	conn *a, *b;
	char x;
	size_t n;
	pair_of(&a, &b);
	must(conn_write(a, "unread", 6, NULL));
	sleep(2 * Millisecond);
	must(conn_close(b));
	CHECK(errors_is(conn_read(a, &x, 1, &n), net_err_reset));
	must(conn_close(a));
}

static void write_until_error(conn *c, chan(error) out)
{
	slice(byte) b = make_slice(byte, 65536);
	error err;
	while (!(err = conn_write(c, b.ptr, 65536, NULL)))
		;
	send(out, err);
}

TEST(closing_ends_a_write_that_waits)
{
	conn *a, *b;
	chan(error) out = make_chan(error, 0);
	error err;
	pair_of(&a, &b);
	go(write_until_error, a, out);
	sleep(5 * Millisecond);
	must(conn_close(a));
	recv(out, &err);
	CHECK(errors_is(err, net_err_closed));
	must(conn_close(b));
}

static void accept_one(listener *l, chan(error) out)
{
	conn *c;
	send(out, listener_accept(l, &c));
}

TEST(closing_and_deadlines_end_an_accept)
{
	listener *l = listen_any(S("127.0.0.1:0"));
	chan(error) out = make_chan(error, 0);
	conn *c;
	error err;
	listener_set_deadline(l, nanotime() + 5 * Millisecond);
	CHECK(errors_is(listener_accept(l, &c), net_err_timeout));
	listener_set_deadline(l, 0);
	go(accept_one, l, out);
	sleep(2 * Millisecond);
	must(listener_close(l));
	recv(out, &err);
	CHECK(errors_is(err, net_err_closed));
	CHECK(errors_is(listener_close(l), net_err_closed));
}

TEST(nobody_listens_is_refused)
{
	listener *l = listen_any(S("127.0.0.1:0"));
	string at = address_of(l);
	conn *c;
	must(listener_close(l));
	error err = net_dial(S("tcp"), at, &c);
	CHECK(errors_is(err, net_err_refused));
	CHECK(string_eq(error_text(err), sprint("dial tcp %s: connection refused", at)));
}

TEST(a_port_is_listened_on_once)
{
	listener *l = listen_any(S("127.0.0.1:0")), *m;
	CHECK(errors_is(net_listen(S("tcp"), address_of(l), &m), net_err_in_use));
	string at = address_of(l);
	conn *c = dial_to(l); /* leaves something in TIME_WAIT */
	must(conn_close(c));
	must(listener_close(l));
	must(net_listen(S("tcp"), at, &l));
	must(listener_close(l));
}

TEST(those_not_accepted_are_reset_when_the_listener_closes)
{
	listener *l = listen_any(S("127.0.0.1:0"));
	conn *c = dial_to(l);
	char x;
	size_t n;
	must(listener_close(l));
	CHECK(errors_is(conn_read(c, &x, 1, &n), net_err_reset));
	must(conn_close(c));
}

/* ---- datagrams ------------------------------------------------------------------ */

static packet_conn *packets(string at)
{
	packet_conn *c;
	must(net_listen_packet(S("udp"), at, &c));
	return c;
}

TEST(datagrams_keep_their_bounds)
{
	packet_conn *a = packets(S("127.0.0.1:0")), *b = packets(S("127.0.0.1:0"));
	char buf[2000];
	size_t n;
	net_addr from;
	must(packet_write_to(a, "one", 3, packet_local_addr(b)));
	must(packet_write_to(a, "", 0, packet_local_addr(b)));
	must(packet_write_to(a, "three", 5, packet_local_addr(b)));
	must(packet_read_from(b, buf, sizeof buf, &n, &from));
	CHECK(n == 3 && memcmp(buf, "one", 3) == 0);
	CHECK_EQ(from.port, packet_local_addr(a).port);
	must(packet_read_from(b, buf, sizeof buf, &n, &from));
	CHECK_EQ(n, 0);
	must(packet_read_from(b, buf, 2, &n, &from)); /* the rest is lost */
	CHECK(n == 2 && memcmp(buf, "th", 2) == 0);
	packet_set_deadline(b, nanotime() + 5 * Millisecond);
	CHECK(errors_is(packet_read_from(b, buf, sizeof buf, &n, &from), net_err_timeout));
	CHECK(errors_is(packet_write_to(a, buf, 70000, from), net_err_too_long));
	must(packet_close(a));
	must(packet_close(b));
	CHECK(errors_is(packet_write_to(a, "x", 1, from), net_err_closed));
}

TEST(udp_with_one_peer)
{
	packet_conn *b = packets(S("[::1]:0"));
	conn *c;
	char buf[100];
	size_t n;
	net_addr from;
	must(net_dial(S("udp"), net_addr_string(packet_local_addr(b)), &c));
	must(conn_write(c, "ping", 4, NULL));
	must(packet_read_from(b, buf, sizeof buf, &n, &from));
	must(packet_write_to(b, buf, n, from));
	must(conn_read(c, buf, sizeof buf, &n));
	CHECK(n == 4 && memcmp(buf, "ping", 4) == 0);
	conn_set_read_deadline(c, nanotime() + 5 * Millisecond);
	CHECK(errors_is(conn_read(c, buf, sizeof buf, &n), net_err_timeout));
	must(conn_close(c));
	must(packet_close(b));
}

static void large_datagrams(string at)
{
	packet_conn *a = packets(at), *b = packets(at);
	slice(byte) out = make_slice(byte, 60000), in = make_slice(byte, 60000);
	size_t n;
	net_addr from;
	for (int i = 0; i < 60000; i++)
		out.ptr[i] = (byte)mix((uint32)i);
	must(packet_write_to(a, out.ptr, 60000, packet_local_addr(b)));
	must(packet_read_from(b, in.ptr, 60000, &n, &from));
	CHECK(n == 60000 && memcmp(in.ptr, out.ptr, n) == 0);
	must(packet_close(a));
	must(packet_close(b));
}

TEST(large_datagrams_are_fragmented)
{
	large_datagrams(S("127.0.0.1:0"));
	large_datagrams(S("[::1]:0"));
}

/* ---- addresses, names, interfaces ------------------------------------------------ */

TEST(addresses_as_text_and_back)
{
	static const char *const good[][2] = {
		{ "1.2.3.4:80", "1.2.3.4:80" },   { ":80", "0.0.0.0:80" },      { "[::1]:65535", "[::1]:65535" },
		{ "10.0.0.1:0", "10.0.0.1" },     { "[2001:DB8::5]:53", "[2001:db8::5]:53" },
		{ "[::]:1", "[::]:1" }, { "[1::]:0", "1::" }, { "[0:0:1:0:0:0:0:2]:1", "[0:0:1::2]:1" },
		{ "[::ffff:1.2.3.4]:9", "[::ffff:102:304]:9" }, { "[1:0:3:4:5:6:7:8]:1", "[1:0:3:4:5:6:7:8]:1" },
		{ "[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1" },
		{ "255.255.255.255:1", "255.255.255.255:1" },
	};
	static const char *const bad[] = {
		"", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3:80", "1.2.3.4.5:80", "256.1.1.1:80", "01.2.3.4:80",
		"::1:80", "[::1:80", "[::1]", "[:::1]:80", "a.b:80", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4:8x", "[]:80",
		"1.2.3.4 :80", "0x1.2.3.4:80", "[1:2:3:4:5:6:7:8:9]:80", "[12345::]:80", "[1::2::3]:80", "[1:2:3:4:5:6:7:8::]:80",
		"[1:2:3:4:5:6:7:1.2.3.4]:80", "[::1.2.3]:80", "[1:]:80", "[:1]:80", "[::g]:80",
	};
	net_addr a;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		must(net_parse_addr(string_of(good[i][0]), &a));
		CHECK_S(net_addr_string(a), string_of(good[i][1]));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (!errors_is(net_parse_addr(string_of(bad[i]), &a), net_err_argument))
			TEST_FAIL("\"%s\" is taken for an address", bad[i]);
}

TEST(bad_networks_and_addresses)
{
	conn *c;
	listener *l;
	packet_conn *p;
	CHECK_S(error_text(net_dial(S("tpc"), S("1.2.3.4:5"), &c)), S("dial tpc 1.2.3.4:5: unknown network: invalid argument"));
	CHECK(errors_is(net_dial(S("tcp"), S("1.2.3.4"), &c), net_err_argument));
	CHECK(errors_is(net_dial(S("tcp6"), S("127.0.0.1:5"), &c), net_err_no_host));
	CHECK(errors_is(net_listen(S("udp"), S(":0"), &l), net_err_argument));
	CHECK(errors_is(net_listen_packet(S("tcp"), S(":0"), &p), net_err_argument));
	CHECK(net_listen(S("tcp"), S("127.0.0.1:99999"), &l) != NULL);
}

TEST(this_machine_by_name)
{
	slice(net_addr) a;
	must(net_lookup_host(S("localhost"), &a));
	CHECK_EQ(len(a), 2);
	CHECK_S(net_addr_string(a.ptr[0]), S("127.0.0.1"));
	CHECK_S(net_addr_string(a.ptr[1]), S("::1"));
	must(net_lookup_host(S("10.1.2.3"), &a));
	CHECK_EQ(len(a), 1);
	CHECK(errors_is(net_lookup_host(S(""), &a), net_err_no_host));
	bool lo = false;
	slice(net_interface) all = net_interfaces();
	for (size_t i = 0; i < len(all); i++)
		lo |= string_eq(all.ptr[i].name, S("lo")) && all.ptr[i].up && len(all.ptr[i].addrs) >= 2;
	CHECK(lo);
}

TEST(echo_requests_are_answered)
{
	int64 rtt;
	net_addr a = { .ip = { 127, 0, 0, 1 } }, b = { .ip = { [15] = 1 }, .is_v6 = true };
	must(net_ping(a, 5 * Second, &rtt));
	CHECK(rtt > 0);
	must(net_ping(b, 5 * Second, &rtt));
}

/* rt/net/stack.c: how often lwIP's timers made a task run. */
extern uint64_t net_wakes;

TEST(a_stack_with_idle_connections_sleeps)
{
	enum { N = 50 };
	listener *l = listen_any(S("127.0.0.1:0"));
	conn *here[N], *there[N];
	for (int i = 0; i < N; i++) {
		here[i] = dial_to(l);
		must(listener_accept(l, &there[i]));
	}
	sleep(Second); /* delayed acknowledgements have been sent */
	uint64_t before = __atomic_load_n(&net_wakes, __ATOMIC_RELAXED);
	sleep(2 * Second);
	uint64_t woken = __atomic_load_n(&net_wakes, __ATOMIC_RELAXED) - before;
	CHECK(woken <= 3); /* each 250 ms: 8; lwIP's own loop: 40 */
	for (int i = 0; i < N; i++) {
		must(conn_close(here[i]));
		must(conn_close(there[i]));
	}
	must(listener_close(l));
}

TEST_MAIN
{
	RUN(bytes_come_back_over_ipv4);
	RUN(bytes_come_back_over_ipv6);
	RUN(a_listener_without_a_host_has_all_addresses);
	RUN(many_connections_at_once);
	RUN(a_slow_reader_holds_the_writer_and_gets_all);
	RUN(a_deadline_ends_a_read_and_can_be_moved);
	RUN(a_deadline_set_by_another_task_ends_a_read);
	RUN(closing_ends_reads_here_and_there);
	RUN(unread_data_at_close_resets_the_peer);
	RUN(closing_ends_a_write_that_waits);
	RUN(closing_and_deadlines_end_an_accept);
	RUN(nobody_listens_is_refused);
	RUN(a_port_is_listened_on_once);
	RUN(those_not_accepted_are_reset_when_the_listener_closes);
	RUN(datagrams_keep_their_bounds);
	RUN(udp_with_one_peer);
	RUN(large_datagrams_are_fragmented);
	RUN(addresses_as_text_and_back);
	RUN(bad_networks_and_addresses);
	RUN(this_machine_by_name);
	RUN(echo_requests_are_answered);
	RUN(a_stack_with_idle_connections_sleeps);
}
