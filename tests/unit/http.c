/* http.c: the HTTP server, asked over the loopback interface in HTTP's own words. */
#include "test.h"

static http_server *server;
static string address;

static void hello(http_writer *w, http_request *r) { http_print(w, "Hello, World!\n"); }
static void name(http_writer *w, http_request *r) { http_print(w, "name=%s q=%s", http_path_value(r, S("name")), http_query_value(r, S("q"))); }
static void rest(http_writer *w, http_request *r) { http_print(w, "rest=%s", http_path_value(r, S("rest"))); }
static void below(http_writer *w, http_request *r) { http_print(w, "below %s", r->path); }
static void post(http_writer *w, http_request *r)
{
	slice(byte) body;
	error err = http_read_all(r, 100000, &body);
	if (err == http_err_too_large) {
		http_error(w, 413, S("too large"));
		return;
	}
	if (err)
		return;
	http_status(w, 201);
	http_set_header(w, S("Content-Type"), S("application/x-thing"));
	errors_ignore(http_write(w, body.ptr, body.len));
}
static void ignore_body(http_writer *w, http_request *r) { http_print(w, "ignored"); }
static void big(http_writer *w, http_request *r)
{
	for (int i = 0; i < 5000; i++)
		http_print(w, "%04d\n", i);
}
static void flushes(http_writer *w, http_request *r)
{
	http_print(w, "one");
	errors_ignore(http_flush(w));
	http_print(w, "two");
}
static void no_content(http_writer *w, http_request *r) { http_status(w, 204); }
static void panics(http_writer *w, http_request *r) { panic("out of eggs"); }
static void moved(http_writer *w, http_request *r) { http_redirect(w, 302, S("/hello")); }
static void headers(http_writer *w, http_request *r)
{
	string n, v;
	for (size_t i = 0; i < http_header_count(r); i++) {
		http_header_at(r, i, &n, &v);
		http_print(w, "%s=%s;", n, v);
	}
	http_set_header(w, S("X-A"), S("1"));
	http_set_header(w, S("x-a"), S("2"));
}
static chan(int) gate, entered;
static void slow(http_writer *w, http_request *r)
{
	int x;
	send(entered, 1);
	recv(gate, &x);
	http_print(w, "slow");
}

static chan(error) results;
/* Reads the body and says how that ended. */
static void report_end(http_writer *w, http_request *r)
{
	slice(byte) body;
	error err = http_read_all(r, 1000, &body);
	send(results, err);
	http_print(w, "%s", err);
}
static void limited(http_writer *w, http_request *r)
{
	http_limit_body(r, 5);
	report_end(w, r);
}
static void events(http_writer *w, http_request *r)
{
	context *ctx = http_context(r);
	error err = http_send_event(w, (http_event){ .event = S("first"), .id = S("1"), .data = S("a\r\nb\nc"), .retry = 2 * Second });
	send(results, err);
	recv(context_done(ctx), NULL);
	send(results, context_err(ctx));
}
static void counted(http_writer *w, http_request *r)
{
	bool more = string_eq(r->query, S("more"));
	http_set_header(w, S("Content-Length"), S("6000"));
	error err = NULL;
	for (int i = 0; i < (more ? 7 : 5) && !err; i++)
		err = http_print(w, "%01000d", i);
	send(results, err);
}
static void at_once(http_writer *w, http_request *r)
{
	static char big[20000];
	memset(big, 'x', sizeof big);
	http_set_header(w, S("Content-Length"), S("20001"));
	errors_ignore(http_write(w, "<", 1));
	errors_ignore(http_write(w, big, sizeof big));
}

static void serve_all(http_server *s, listener *l, chan(error) done) { send(done, http_serve(s, l)); }

/* Writes until it fails, and says how that ended. */
static void flood(http_writer *w, http_request *r)
{
	static const byte piece[4096];
	error err = NULL;
	while (!err)
		err = http_write(w, piece, sizeof piece);
	send(results, err);
}

static chan(error) start(http_server *s)
{
	listener *l;
	http_mux *m = new_http_mux();
	http_handle(m, S("/hello"), hello);
	http_handle(m, S("GET /name/{name}"), name);
	http_handle(m, S("/name/literal"), below);
	http_handle(m, S("/rest/{rest...}"), rest);
	http_handle(m, S("/below/"), below);
	http_handle(m, S("/exact/{$}"), below);
	http_handle(m, S("POST /post"), post);
	http_handle(m, S("PUT /post"), post);
	http_handle(m, S("/ignore"), ignore_body);
	http_handle(m, S("/big"), big);
	http_handle(m, S("/flush"), flushes);
	http_handle(m, S("/none"), no_content);
	http_handle(m, S("/panic"), panics);
	http_handle(m, S("/moved"), moved);
	http_handle(m, S("/headers"), headers);
	http_handle(m, S("/slow"), slow);
	http_handle(m, S("/end"), report_end);
	http_handle(m, S("/limited"), limited);
	http_handle(m, S("/events"), events);
	http_handle(m, S("/counted"), counted);
	http_handle(m, S("/at_once"), at_once);
	http_handle(m, S("/flood"), flood);
	s->mux = m;
	server = s;
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &l));
	address = net_addr_string(listener_addr(l));
	chan(error) done = make_chan(error, 1);
	go(serve_all, s, l, done);
	return done;
}

static conn *connect(void)
{
	conn *c;
	must(net_dial(S("tcp"), address, &c));
	conn_set_deadline(c, nanotime() + 60 * Second);
	return c;
}

/* All that comes until the server closes. */
static string read_to_end(conn *c)
{
	slice(byte) all = { 0 };
	byte buf[512];
	size_t n;
	while (!conn_read(c, buf, sizeof buf, &n))
		all = append_slice(all, ((slice(byte)){ buf, n, n }));
	return string_of(all);
}

/* Sends the text and returns all that comes. */
static string ask(const char *text)
{
	conn *c = connect();
	must(conn_write(c, text, strlen(text), NULL));
	string s = read_to_end(c);
	must(conn_close(c));
	return s;
}

static bool has(string s, const char *what)
{
	return strings_contains(s, string_of(what));
}

#define CHECK_HAS(s, what) \
	do { \
		string has_s = (s); \
		if (!has(has_s, what)) \
			TEST_FAIL("no \"%s\" in \"%s\"", what, has_s); \
	} while (0)

#define GET(path) ask("GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

TEST(an_answer_and_its_head)
{
	string s = GET("/hello");
	CHECK(strings_has_prefix(s, S("HTTP/1.1 200 OK\r\n")));
	CHECK_HAS(s, "\r\nContent-Length: 14\r\n");
	CHECK_HAS(s, "\r\nContent-Type: text/plain; charset=utf-8\r\n");
	CHECK_HAS(s, "\r\nConnection: close\r\n");
	CHECK_HAS(s, "\r\nDate: ");
	CHECK(strings_has_suffix(s, S(" GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\nConnection: close\r\n\r\nHello, World!\n")));
}

TEST(routes)
{
	CHECK_HAS(GET("/name/bob?q=a+b%21"), "\r\n\r\nname=bob q=a b!");
	CHECK_HAS(GET("/name/a%2fb"), "name=a/b");
	CHECK_HAS(GET("/name/literal"), "below /name/literal");
	CHECK_HAS(GET("/name/"), "404 Not Found");
	CHECK_HAS(GET("/name"), "404 Not Found");
	CHECK_HAS(GET("/rest/a/b/c"), "rest=a/b/c");
	CHECK_HAS(GET("/below/"), "below /below/");
	CHECK_HAS(GET("/below/x/y"), "below /below/x/y");
	CHECK_HAS(GET("/exact/"), "below /exact/");
	CHECK_HAS(GET("/exact/x"), "404 Not Found");
	CHECK_HAS(GET("/nothing"), "404 page not found");
	string s = GET("/post");
	CHECK_HAS(s, "HTTP/1.1 405 Method Not Allowed");
	CHECK(has(s, "Allow: POST, PUT\r\n") || has(s, "Allow: PUT, POST\r\n"));
	CHECK_HAS(GET("/moved"), "HTTP/1.1 302 Found\r\nLocation: /hello\r\n");
}

TEST(bodies)
{
	CHECK_HAS(ask("POST /post HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"), "HTTP/1.1 201 Created\r\n");
	CHECK_HAS(ask("POST /post HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"), "\r\n\r\nhello");
	CHECK_HAS(ask("POST /post HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
	              "3\r\nabc\r\n0005;ext=1\r\ndefgh\r\n0\r\nTrailer: x\r\n\r\n"), "\r\n\r\nabcdefgh");
	CHECK_HAS(ask("POST /post HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"),
	          "HTTP/1.1 201 Created");
	CHECK_HAS(ask("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nGET / GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
	          "Hello, World!");
	CHECK_HAS(ask("POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"), "HTTP/1.1 413");
}

TEST(a_client_that_expects_to_be_told_to_continue)
{
	conn *c = connect();
	char buf[100];
	size_t n;
	const char *head = "POST /post HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
	must(conn_write(c, head, strlen(head), NULL));
	must(conn_read(c, buf, sizeof buf, &n));
	CHECK_EQ(n, 25);
	must(conn_write(c, "abc", 3, NULL));
	CHECK_HAS(read_to_end(c), "\r\n\r\nabc");
	must(conn_close(c));
}

TEST(long_answers_come_in_chunks)
{
	string s = GET("/big");
	CHECK_HAS(s, "\r\nTransfer-Encoding: chunked\r\n");
	CHECK_HAS(s, "\r\n\r\n1000\r\n0000\n0001\n");
	CHECK(strings_has_suffix(s, S("4999\n\r\n0\r\n\r\n")));
	s = GET("/flush");
	CHECK_HAS(s, "\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
	s = ask("GET /big HTTP/1.0\r\n\r\n");
	CHECK(!has(s, "chunked"));
	CHECK(strings_has_suffix(s, S("\n4998\n4999\n")));
	s = ask("HEAD /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	CHECK(strings_has_suffix(s, S("\r\n\r\n")));
	s = ask("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	CHECK_HAS(s, "\r\nContent-Length: 14\r\n");
	CHECK(strings_has_suffix(s, S("\r\n\r\n")));
	s = GET("/none");
	CHECK_HAS(s, "HTTP/1.1 204 No Content\r\n");
	CHECK(!has(s, "Content-Length"));
}

TEST(connections_stay_open_and_requests_come_in_a_row)
{
	conn *c = connect();
	char buf[4000];
	size_t n, done = 0, answers = 0;
	char text[3000] = "";
	for (int i = 0; i < 20; i++)
		strcat(text, i % 2 ? "GET /name/x HTTP/1.1\r\nHost: x\r\n\r\n" : "GET /hello HTTP/1.1\r\nHost: y\r\nA: b\r\n\r\n");
	/* In pieces that end anywhere. */
	for (size_t at = 0; at < strlen(text); at += n) {
		n = strlen(text) - at < 37 ? strlen(text) - at : 37;
		must(conn_write(c, text + at, n, NULL));
		gosched();
	}
	while (answers < 20 && !conn_read(c, buf + done, sizeof buf - done, &n)) {
		done += n;
		answers = 0;
		for (size_t i = 0; i + 15 <= done; i++)
			answers += memcmp(buf + i, "HTTP/1.1 200 OK", 15) == 0;
	}
	CHECK_EQ(answers, 20);
	must(conn_close(c));
	string s = ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n");
	CHECK_EQ(strings_count(s, S("Hello, World!")), 2);
}

TEST(headers_are_found_in_any_case)
{
	string s = ask("GET /headers HTTP/1.1\r\nHOST: x\r\nconnection: close\r\nA:  b c \r\nEmpty:\r\n\r\n");
	CHECK_HAS(s, "HOST=x;connection=close;A=b c;Empty=;");
	CHECK_HAS(s, "\r\nx-a: 2\r\n");
	CHECK(!has(s, "X-A: 1"));
}

TEST(what_is_no_request_is_refused)
{
	static const char *const bad[] = {
		"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost x\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
		"GET /hello HTTP/1.1\r\n\r\n", "GET /hel%zzlo HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /hello HTTP/1.1\r\nHost: x\r\nBad\x01Name: y\r\n\r\n", "\x16\x03\x01\x02",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		string s = ask(bad[i]);
		if (!strings_has_prefix(s, S("HTTP/1.1 400 Bad Request\r\n")))
			TEST_FAIL("\"%s\" is answered \"%s\"", bad[i], s);
	}
	builder b = { 0 };
	builder_write(&b, S("GET /hello HTTP/1.1\r\nHost: x\r\nLong: "));
	for (int i = 0; i < 7000; i++)
		builder_write(&b, S("0123456789"));
	conn *c = connect();
	string s = builder_string(&b);
	errors_ignore(conn_write(c, s.ptr, s.len, NULL));
	CHECK_HAS(read_to_end(c), "HTTP/1.1 431 ");
	must(conn_close(c));
	b = (builder){ 0 };
	builder_write(&b, S("GET /hello HTTP/1.1\r\n"));
	for (int i = 0; i < 200; i++)
		builder_write(&b, S("A: b\r\n"));
	c = connect();
	s = builder_string(&b);
	errors_ignore(conn_write(c, s.ptr, s.len, NULL));
	CHECK_HAS(read_to_end(c), "HTTP/1.1 431 ");
	must(conn_close(c));
}

TEST(a_handler_that_panics_loses_its_connection_only)
{
	CHECK_EQ(GET("/panic").len, 0);
	CHECK_HAS(GET("/hello"), "Hello, World!");
}

TEST(who_is_slow_with_the_head_is_cut_off)
{
	conn *c = connect();
	must(conn_write(c, "GET /hello HT", 13, NULL));
	string s = read_to_end(c);
	CHECK_HAS(s, "HTTP/1.1 408 Request Timeout");
	must(conn_close(c));
	c = connect(); /* says nothing: idle */
	CHECK_EQ(read_to_end(c).len, 0);
	must(conn_close(c));
}

static void bad_patterns(const char *p)
{
	http_mux *m = new_http_mux();
	http_handle(m, S("/a"), hello);
	http_handle(m, string_of(p), hello);
}
static void note_panic(int *n) { *n += recover() != NULL; }
static void try_pattern(const char *p, int *n)
{
	defer(note_panic, n);
	bad_patterns(p);
}

TEST(bad_patterns_are_panics)
{
	static const char *const bad[] = { "", "a", "GET a", "/{}", "/{x", "/{x...}/y", "/a", "/{...}" };
	int n = 0;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		try_pattern(bad[i], &n);
		if (n != (int)i + 1) {
			TEST_FAIL("\"%s\" is taken", bad[i]);
			n = (int)i + 1;
		}
	}
}

static void ask_slow(chan(string) out) { send(out, ask("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")); }

TEST(shutdown_lets_requests_end)
{
	chan(error) done = start(new(http_server));
	chan(string) out = make_chan(string, 1);
	int x;
	error err;
	string s;
	gate = make_chan(int, 0);
	entered = make_chan(int, 0);
	conn *idle = connect();
	must(conn_write(idle, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", 32, NULL));
	char buf[500];
	size_t n;
	must(conn_read(idle, buf, sizeof buf, &n));
	go(ask_slow, out);
	recv(entered, &x);
	CHECK(errors_is(http_shutdown(server, 5 * Millisecond), net_err_timeout)); /* /slow is on */
	recv(done, &err);
	CHECK(err == http_err_server_closed);
	err = conn_read(idle, buf, sizeof buf, &n);
	if (err != io_eof)
		TEST_FAIL("an idle connection ends with %s, %zu bytes", err, n);
	must(conn_close(idle));
	send(gate, 1);
	recv(out, &s);
	CHECK_HAS(s, "\r\n\r\nslow");
	must(http_shutdown(server, 60 * Second));
	conn *c;
	CHECK(errors_is(net_dial(S("tcp"), address, &c), net_err_refused));
}

static error next_result(void)
{
	error err;
	recv(results, &err);
	return err;
}

TEST(a_body_that_stops_is_no_whole_body)
{
	conn *c = connect();
	const char *text = "POST /end HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf";
	results = make_chan(error, 10);
	must(conn_write(c, text, strlen(text), NULL));
	must(conn_close_write(c));
	CHECK(next_result() == io_unexpected_eof);
	must(conn_close(c));
	c = connect();
	text = "POST /end HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
	must(conn_write(c, text, strlen(text), NULL));
	must(conn_close_write(c));
	CHECK(next_result() == io_unexpected_eof);
	must(conn_close(c));
}

TEST(a_client_that_sends_no_more_gets_its_answer)
{
	conn *c = connect();
	const char *text = "GET /big HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
	must(conn_write(c, text, strlen(text), NULL));
	must(conn_close_write(c));
	string s = read_to_end(c);
	CHECK_HAS(s, "4999\n");
	CHECK(strings_has_suffix(s, S("Hello, World!\n")));
	must(conn_close(c));
}

TEST(bodies_have_limits)
{
	results = make_chan(error, 10);
	CHECK_HAS(ask("POST /limited HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"), "<nil>");
	CHECK(!next_result());
	string s = ask("POST /limited HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nhello!GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK_HAS(s, "\r\nConnection: close\r\n");
	CHECK_HAS(s, "http: body too large");
	CHECK(!has(s, "Hello"));
	CHECK(next_result() == http_err_too_large);
	http_server *old = server;
	string old_address = address;
	start(new(http_server, .max_body_bytes = 8));
	CHECK_HAS(ask("POST /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 8\r\n\r\n12345678"), "<nil>");
	CHECK(!next_result());
	CHECK_HAS(ask("POST /end HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"), "HTTP/1.1 413 Request Entity Too Large\r\n");
	CHECK_HAS(ask("POST /end HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n"),
	          "http: body too large");
	CHECK(next_result() == http_err_too_large);
	must(http_shutdown(server, 60 * Second));
	server = old;
	address = old_address;
}

/* What comes until it contains the text. */
static string read_until(conn *c, const char *text)
{
	builder b = { 0 };
	char buf[500];
	size_t n;
	while (!has(builder_string(&b), text) && !conn_read(c, buf, sizeof buf, &n))
		builder_write(&b, (string){ buf, n });
	return builder_string(&b);
}

/* Neither waits for ever, nor makes another wait. */
TEST(who_takes_nothing_or_sends_nothing_is_cut_off)
{
	http_server *old = server;
	string old_address = address;
	results = make_chan(error, 10);
	start(new(http_server, .write_timeout = 300 * Millisecond, .read_timeout = 300 * Millisecond));
	conn *c = connect();
	must(conn_write(c, "GET /flood HTTP/1.1\r\nHost: x\r\n\r\n", 33, NULL));
	CHECK_HAS(GET("/hello"), "Hello, World!\n");
	CHECK(next_result() == net_err_closed); /* what writers see of it */
	CHECK(!has(read_to_end(c), "\r\n0\r\n\r\n"));
	must(conn_close(c));
	const char *text = "POST /end HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf";
	c = connect();
	must(conn_write(c, text, strlen(text), NULL));
	CHECK_HAS(GET("/hello"), "Hello, World!\n");
	CHECK(errors_is(next_result(), net_err_timeout));
	read_to_end(c);
	must(conn_close(c));
	must(http_shutdown(server, 60 * Second));
	server = old;
	address = old_address;
}

TEST(events_go_out_at_once_and_end_with_the_client)
{
	results = make_chan(error, 10);
	for (int how = 0; how < 3; how++) {
		int before = num_task();
		conn *c = connect();
		must(conn_write(c, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n", 34, NULL));
		string s = read_until(c, "data: c\n\n");
		CHECK_HAS(s, "\r\nContent-Type: text/event-stream\r\n");
		CHECK_HAS(s, "\r\nevent: first\nid: 1\nretry: 2000\ndata: a\ndata: b\ndata: c\n\n");
		CHECK(!next_result());
		if (how == 0)
			must(conn_close(c));
		else if (how == 1)
			must(conn_close_write(c));
		else /* it has sent what nobody reads: reset */
			must(conn_write(c, "GET /hello HTTP/1.1\r\n", 21, NULL)), must(conn_close(c));
		CHECK(next_result() == context_canceled);
		if (how == 1) {
			CHECK_HAS(read_to_end(c), "0\r\n\r\n");
			must(conn_close(c));
		}
		while (num_task() > before)
			sleep(Millisecond);
	}
}

TEST(a_declared_length_is_kept)
{
	results = make_chan(error, 10);
	string s = ask("GET /counted?more HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	CHECK_HAS(s, "\r\nContent-Length: 6000\r\n");
	CHECK(strings_has_suffix(s, S("00005")));
	CHECK(next_result() == http_err_content_length);
	/* Too little: the next request's answer must not fill it up. */
	s = ask("GET /counted HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(strings_has_suffix(s, S("00004")));
	CHECK(!next_result());
	s = GET("/at_once");
	CHECK_EQ(strings_count(s, S("x")), 20000 + strings_count(S("text"), S("x")));
	CHECK_HAS(s, "\r\n\r\n<xxx");
	s = ask("HEAD /at_once HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	CHECK_HAS(s, "\r\nContent-Length: 20001\r\n");
	CHECK(strings_has_suffix(s, S("\r\n\r\n")));
}

TEST(a_server_that_is_closed_closes_all)
{
	results = make_chan(error, 10);
	chan(error) done = start(new(http_server));
	conn *c = connect(), *idle = connect();
	error err;
	must(conn_write(idle, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", 32, NULL));
	CHECK_HAS(read_until(idle, "World!\n"), "200 OK");
	must(conn_write(c, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n", 34, NULL));
	CHECK(!next_result());
	http_close(server);
	recv(done, &err);
	CHECK(err == http_err_server_closed);
	CHECK(next_result() == context_canceled);
	CHECK(!has(read_to_end(c), "0\r\n\r\n"));
	CHECK_EQ(read_to_end(idle).len, 0);
	must(conn_close(c));
	must(conn_close(idle));
	must(http_shutdown(server, 60 * Second));
}

TEST(what_is_expected_besides_is_refused)
{
	CHECK_HAS(ask("POST /post HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\nContent-Length: 2\r\n\r\n"), "HTTP/1.1 417 ");
}

static int type_of(string want, const char *p, size_t n)
{
	string got = http_detect_type(p, n);
	if (!strings_has_prefix(got, want))
		TEST_FAIL("%s is taken for %s", want, got);
	return 0;
}
#define TYPE(want, text) type_of(S(want), text, sizeof(text) - 1)

TEST(types)
{
	TYPE("text/html", " \n<!DOCTYPE HTML>");
	TYPE("text/html", "<a href=x>");
	TYPE("text/html", "<!-- x");
	TYPE("text/plain", "<ab");
	TYPE("text/plain", "");
	TYPE("text/xml", "<?xml version");
	TYPE("application/octet-stream", "\0\1\2");
	TYPE("image/png", "\x89PNG\r\n\x1a\n....");
	TYPE("image/webp", "RIFF....WEBPVP");
	TYPE("application/wasm", "\0asm\1\0\0\0");
	CHECK(string_eq(http_type_by_name(S("a/b.c/x.HTML")), S("text/html; charset=utf-8")));
	CHECK(string_eq(http_type_by_name(S("a.css/x")), S("")));
	CHECK(string_eq(http_type_by_name(S("x.svg")), S("image/svg+xml")));
	CHECK(string_eq(http_type_by_name(S("x.")), S("")));
}

TEST_MAIN
{
	start(new(http_server, .read_header_timeout = 50 * Millisecond, .idle_timeout = 100 * Millisecond));
	RUN(who_is_slow_with_the_head_is_cut_off);
	start(new(http_server));
	RUN(an_answer_and_its_head);
	RUN(routes);
	RUN(bodies);
	RUN(a_client_that_expects_to_be_told_to_continue);
	RUN(long_answers_come_in_chunks);
	RUN(connections_stay_open_and_requests_come_in_a_row);
	RUN(headers_are_found_in_any_case);
	RUN(what_is_no_request_is_refused);
	RUN(a_handler_that_panics_loses_its_connection_only);
	RUN(bad_patterns_are_panics);
	RUN(a_body_that_stops_is_no_whole_body);
	RUN(a_client_that_sends_no_more_gets_its_answer);
	RUN(bodies_have_limits);
	RUN(who_takes_nothing_or_sends_nothing_is_cut_off);
	RUN(events_go_out_at_once_and_end_with_the_client);
	RUN(a_declared_length_is_kept);
	RUN(what_is_expected_besides_is_refused);
	RUN(types);
	RUN(a_server_that_is_closed_closes_all);
	RUN(shutdown_lets_requests_end);
}
