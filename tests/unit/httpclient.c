/* httpclient.c: the HTTP client, with our own server over the loopback interface, and with
 * one that says what a script has. */
#include "test.h"

static string base; /* "http://127.0.0.1:PORT" of our server */
static http_server *server;
static chan(int) gate, entered;
static chan(string) seen;

static string url(const char *path) { return concat(base, cstring(path)); }

/* ---- what our server does --------------------------------------------------------- */

static void who(http_writer *w, http_request *r)
{
	http_set_header(w, S("X-Kind"), S("test"));
	http_print(w, "%s", net_addr_string(r->remote));
}
static void show(http_writer *w, http_request *r)
{
	slice(byte) body;
	string n, v;
	must(http_read_all(r, 1000, &body));
	http_print(w, "%s %s [%s]", r->method, r->target, string_view(body));
	for (size_t i = 0; i < http_header_count(r); i++) {
		http_header_at(r, i, &n, &v);
		http_print(w, "\n%s: %s", n, v);
	}
}
static void echo(http_writer *w, http_request *r)
{
	byte buf[3000];
	size_t n;
	error err;
	while (!(err = http_read(r, buf, sizeof buf, &n)) && !http_write(w, buf, n))
		;
	if (seen)
		send(seen, error_text(err));
}
static void big(http_writer *w, http_request *r)
{
	for (int i = 0; i < 50000; i++)
		if (http_print(w, "%07d\n", i))
			break;
}
static void stuck(http_writer *w, http_request *r)
{
	int x;
	if (string_eq(r->query, S("body"))) {
		http_print(w, "begun");
		errors_ignore(http_flush(w));
	}
	send(entered, 1);
	recv(gate, &x);
}
static void refuses(http_writer *w, http_request *r) { http_error(w, 413, S("no")); }
static void redirect(http_writer *w, http_request *r)
{
	string code, to;
	if (!strings_cut(r->query, S(","), &code, &to))
		to = S("/show");
	int64_t n;
	must(strconv_parse_int(code, 10, 64, &n));
	http_redirect(w, (int)n, to);
}
static void loop(http_writer *w, http_request *r) { http_redirect(w, 302, S("/loop")); }

static void serve(http_server *s, listener *l) { errors_ignore(http_serve(s, l)); }

static void start(http_server *s)
{
	listener *l;
	server = s;
	s->mux = new_http_mux();
	http_handle(s->mux, S("/who"), who);
	http_handle(s->mux, S("/show"), show);
	http_handle(s->mux, S("/dir/show"), show);
	http_handle(s->mux, S("/echo"), echo);
	http_handle(s->mux, S("/big"), big);
	http_handle(s->mux, S("/stuck"), stuck);
	http_handle(s->mux, S("/refuses"), refuses);
	http_handle(s->mux, S("/redirect"), redirect);
	http_handle(s->mux, S("/dir/redirect"), redirect);
	http_handle(s->mux, S("/loop"), loop);
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &l));
	base = concat(S("http://"), net_addr_string(listener_addr(l)));
	go(serve, s, l);
}

/* ---- what a script says -------------------------------------------------------------- */

static string script;

static void play(listener *l)
{
	conn *c;
	char buf[4096];
	size_t n, all = 0;
	while (!listener_accept(l, &c)) {
		for (all = 0; all < 4 || !strings_contains((string){ buf, all }, S("\r\n\r\n")); all += n)
			if (conn_read(c, buf + all, sizeof buf - all, &n))
				break;
		errors_ignore(conn_write(c, script.ptr, script.len, NULL));
		errors_ignore(conn_close_write(c));
		while (!conn_read(c, buf, sizeof buf, &n))
			;
		errors_ignore(conn_close(c));
	}
}

static string scripted;

/* One call to the scripted server. */
static error call_script(const char *text, http_response **r)
{
	script = cstring(text);
	static http_client c = { .max_idle_per_host = -1 };
	http_call call = { .url = scripted };
	return http_do(&c, &call, r);
}

/* ---- tests ------------------------------------------------------------------------------- */

static string text_of(http_response *r)
{
	slice(byte) b = {};
	error err = http_response_read_all(r, 1 << 20, &b);
	if (err)
		return sprint("(%s)", err);
	http_response_close(r);
	return string_view(b);
}

static string get(http_client *c, const char *path)
{
	http_response *r;
	http_call call = { .url = url(path) };
	error err = http_do(c, &call, &r);
	return err ? sprint("(%s)", err) : text_of(r);
}

#define CHECK_HAS(s, what) \
	do { \
		string has_s = (s); \
		if (!strings_contains(has_s, S(what))) \
			TEST_FAIL("no \"%s\" in \"%s\"", what, has_s); \
	} while (0)
#define CHECK_IS(err, want) \
	do { \
		error is_e = (err); \
		if (!errors_is(is_e, want)) \
			TEST_FAIL("%s: %s, not %s", #err, is_e, want); \
	} while (0)

TEST(a_response_and_its_parts)
{
	http_response *r;
	must(http_get(url("/who"), &r));
	CHECK_EQ(r->status, 200);
	CHECK_S(r->reason, S("OK"));
	CHECK(string_eq(http_response_header(r, S("x-KIND")), S("test")));
	CHECK(string_eq(http_response_header(r, S("none")), S("")));
	CHECK_EQ(http_response_header_count(r), 4);
	string n, v;
	http_response_header_at(r, 1, &n, &v);
	CHECK(!r->http10 && r->content_length > 0 && string_eq(r->url, url("/who")));
	string s = text_of(r);
	CHECK_EQ((int64_t)s.len, r->content_length);
	byte b;
	size_t k;
	CHECK_IS(http_response_read(r, &b, 1, &k), http_err_body_closed);
	http_response_close(r);
	must(http_get(url("/nothing?x#y"), &r));
	CHECK_EQ(r->status, 404);
	CHECK_HAS(text_of(r), "404 page");
	http_call call = { .method = S("HEAD"), .url = url("/who") };
	must(http_do(NULL, &call, &r));
	CHECK(r->content_length > 0 && text_of(r).len == 0);
	must(http_get(url("/big"), &r));
	CHECK_EQ(r->content_length, -1);
	s = text_of(r);
	CHECK_EQ(s.len, 400000);
	CHECK(strings_has_suffix(s, S("0049999\n")));
	must(http_get(url("/big"), &r));
	slice(byte) data;
	CHECK_IS(http_response_read_all(r, 399999, &data), http_err_too_large);
	http_response_close(r);
}

TEST(what_is_sent)
{
	http_response *r;
	http_call call = { .url = url("?a=%20b") };
	call.url = concat(base, S("/show?a=%20b#part"));
	http_call_header(&call, S("X-A"), S("1"));
	http_call_header(&call, S("x-a"), S("2"));
	http_call_header(&call, S("User-Agent"), S("me"));
	must(http_do(NULL, &call, &r));
	CHECK(string_eq(text_of(r), sprint("GET /show?a=%%20b []\nHost: %s\nx-a: 2\nUser-Agent: me", slice_from(base, 7))));
	must(http_post(url("/show"), S("text/x"), bytes_of(S("hello")), &r));
	string s = text_of(r);
	CHECK_HAS(s, "POST /show [hello]");
	CHECK_HAS(s, "\nUser-Agent: Ingot\nContent-Length: 5\nContent-Type: text/x");
	must(http_post(url("/show"), S("text/x"), (slice(byte)){}, &r));
	CHECK_HAS(text_of(r), "\nContent-Length: 0\n");
}

static error failing(void *self, slice(byte) p, size_t *n)
{
	int *calls = self;
	*n = 0;
	if ((*calls)++ == 2)
		return fs_closed;
	memset(p.ptr, 'x', *n = 10);
	return NULL;
}

TEST(bodies_of_requests)
{
	http_response *r;
	slice(byte) data = make_slice(byte, 300000);
	for (size_t i = 0; i < data.len; i++)
		data.ptr[i] = (byte)(i * 7 + (i >> 8));
	for (int how = 0; how < 4; how++) { /* the server answers while it still comes */
		http_call call = { .method = S("POST"), .url = url("/echo") };
		if (how == 0)
			call.body = data;
		else
			call.reader = bytes_new_reader(data);
		call.content_length = how == 2 ? (int64)data.len : how == 3 ? 100000 : 0;
		must(http_do(NULL, &call, &r));
		string s = text_of(r);
		CHECK_EQ(s.len, how == 3 ? 100000 : data.len);
		CHECK(memcmp(s.ptr, data.ptr, s.len) == 0);
	}
	seen = make_chan(string, 1);
	string s;
	http_call call = { .method = S("PUT"), .url = url("/echo"), .reader = strings_new_reader(S("short")), .content_length = 6 };
	error err = http_do(NULL, &call, &r);
	if (!err) {
		err = http_response_read_all(r, 1000, &data);
		http_response_close(r);
	}
	CHECK_IS(err, http_err_body_length);
	recv(seen, &s);
	CHECK_S(s, S("unexpected EOF"));
	int calls = 0;
	call = (http_call){ .method = S("PUT"), .url = url("/echo"), .reader = { failing, &calls } };
	err = http_do(NULL, &call, &r);
	if (!err) {
		err = http_response_read_all(r, 1000, &data);
		http_response_close(r);
	}
	CHECK_IS(err, fs_closed);
	recv(seen, &s);
	CHECK_S(s, S("unexpected EOF"));
	seen = NULL;
}

TEST(connections_are_kept)
{
	http_client c = { .max_idle_per_host = 2 };
	http_response *r, *r2, *r3;
	string a = get(&c, "/who");
	CHECK(string_eq(a, get(&c, "/who")));
	get(&c, "/big");
	CHECK(string_eq(a, get(&c, "/who")));
	get(&c, "/nothing"); /* errors of the server, too */
	CHECK(string_eq(a, get(&c, "/who")));
	http_call call = { .url = url("/who") }, call_big = { .url = url("/big") };
	must(http_do(&c, &call, &r)); /* closed unread, but all has come with the head */
	http_response_close(r);
	CHECK(string_eq(a, get(&c, "/who")));
	must(http_do(&c, &call_big, &r));
	http_response_close(r);
	string b = get(&c, "/who");
	CHECK(!string_eq(a, b)); /* nobody waits for what is left of a long body */
	/* Three at a time: two are kept. */
	must(http_do(&c, &call_big, &r));
	must(http_do(&c, &call_big, &r2));
	must(http_do(&c, &call_big, &r3));
	text_of(r);
	text_of(r2);
	text_of(r3);
	string all[3], k;
	for (int i = 0; i < 3; i++)
		must(http_do(&c, &call, i == 0 ? &r : i == 1 ? &r2 : &r3));
	all[0] = text_of(r), all[1] = text_of(r2), all[2] = text_of(r3);
	CHECK(string_eq(all[0], b) + string_eq(all[1], b) + string_eq(all[2], b) <= 1);
	k = get(&c, "/who");
	http_close_idle(&c);
	CHECK(!string_eq(k, get(&c, "/who")));
	http_close_idle(&c);
	http_client none = { .max_idle_per_host = -1 };
	a = get(&none, "/who");
	CHECK(!string_eq(a, get(&none, "/who")));
	/* Kept for a time only. */
	http_client quick = { .idle_timeout = 20 * Millisecond };
	a = get(&quick, "/who");
	for (int i = 0; i < 5000 && quick.idle; i++)
		sleep(Millisecond);
	CHECK(!quick.idle);
	CHECK(!string_eq(a, get(&quick, "/who")));
	http_close_idle(&quick);
}

TEST(a_connection_that_the_server_closed_is_replaced)
{
	string old = base;
	http_server *old_server = server;
	start(new(http_server, .idle_timeout = 30 * Millisecond));
	http_client c = { 0 };
	for (int i = 0; i < 6; i++) {
		string s = get(&c, "/who");
		if (!strings_has_prefix(s, S("127.0.0.1:")))
			TEST_FAIL("%s", s);
		sleep(i * 10 * Millisecond + i * Millisecond); /* just when the server closes, too */
	}
	http_close_idle(&c);
	must(http_shutdown(server, 10 * Second));
	CHECK_HAS(get(&c, "/who"), "connection refused");
	base = old;
	server = old_server;
}

static string follow(const char *path, const char *method, const char *body)
{
	http_response *r;
	http_call call = { .method = cstring(method), .url = url(path), .body = bytes_of(cstring(body)) };
	http_call_header(&call, S("Content-Type"), S("text/x"));
	error err = http_do(NULL, &call, &r);
	return err ? sprint("(%s)", err) : sprint("%d %s", r->status, text_of(r));
}

TEST(redirects)
{
	CHECK_HAS(follow("/redirect?302", "GET", ""), "200 GET /show []");
	CHECK_HAS(follow("/redirect?301", "HEAD", ""), "200 ");
	string s = follow("/redirect?303", "POST", "hello");
	CHECK_HAS(s, "200 GET /show []");
	CHECK(!strings_contains(s, S("Content-")));
	CHECK_HAS(follow("/redirect?302", "PUT", "hello"), "200 GET /show []");
	s = follow("/redirect?307", "POST", "hello");
	CHECK_HAS(s, "200 POST /show [hello]");
	CHECK_HAS(s, "Content-Type: text/x");
	CHECK_HAS(follow("/redirect?308", "PUT", "hello"), "200 PUT /show [hello]");
	CHECK_HAS(follow("/redirect?304", "GET", ""), "304 ");
	CHECK_HAS(follow("/dir/redirect?302,show", "GET", ""), "200 GET /dir/show []");
	CHECK_HAS(follow("/dir/redirect?302,../show?x=1", "GET", ""), "200 GET /show?x=1 []");
	CHECK_HAS(follow("/dir/redirect?302,./../dir/./show#y", "GET", ""), "200 GET /dir/show []");
	CHECK_HAS(follow("/dir/redirect?302,?302,/show?q", "GET", ""), "200 GET /show?q []");
	CHECK_HAS(follow(strings_has_prefix(base, S("http:")) ? "/redirect?302,ftp://x/" : "", "GET", ""), "unsupported protocol scheme");
	s = follow("/loop", "GET", "");
	CHECK_HAS(s, "(Get \"http://127.0.0.1:");
	CHECK_HAS(s, "/loop\": too many redirects)");
	http_client c = { .max_redirects = -1 };
	http_call call = { .url = url("/loop") };
	http_response *r;
	must(http_do(&c, &call, &r));
	CHECK_EQ(r->status, 302);
	text_of(r);
	http_close_idle(&c);
	/* To another host: without what is a secret. */
	string to = concat(S("http://localhost"), slice_from(base, 16), S("/show"));
	call = (http_call){ .url = concat(url("/redirect?302,"), to) };
	http_call_header(&call, S("Authorization"), S("secret"));
	http_call_header(&call, S("Cookie"), S("secret"));
	http_call_header(&call, S("X-Other"), S("kept"));
	must(http_do(NULL, &call, &r));
	CHECK(string_eq(r->url, to));
	s = text_of(r);
	CHECK_HAS(s, "X-Other: kept");
	CHECK_HAS(s, "Host: localhost:");
	CHECK(!strings_contains(s, S("secret")));
	call.url = url("/redirect?302");
	must(http_do(NULL, &call, &r));
	CHECK_HAS(text_of(r), "Authorization: secret");
	call = (http_call){ .method = S("POST"), .url = url("/redirect?307"), .reader = strings_new_reader(S("once")) };
	must(http_do(NULL, &call, &r));
	CHECK_EQ(r->status, 307); /* what can be read once is not sent twice */
	http_response_close(r);
}

static void cancel_soon(context *ctx)
{
	int x;
	recv(entered, &x);
	context_cancel(ctx);
}

TEST(timeouts_and_contexts)
{
	http_client c = { .timeout = 100 * Millisecond };
	http_call call = { .url = url("/stuck") };
	http_response *r;
	slice(byte) data;
	gate = make_chan(int, 0);
	entered = make_chan(int, 10);
	CHECK_IS(http_do(&c, &call, &r), net_err_timeout);
	call.url = url("/stuck?body");
	must(http_do(&c, &call, &r));
	CHECK_IS(http_response_read_all(r, 100, &data), net_err_timeout);
	http_response_close(r);
	int x;
	recv(entered, &x);
	recv(entered, &x);
	/* A context that is cancelled while the head, then while the body is waited for. */
	call = (http_call){ .url = url("/stuck"), .ctx = context_with_cancel(context_background()) };
	go(cancel_soon, call.ctx);
	CHECK_IS(http_do(NULL, &call, &r), context_canceled);
	CHECK_IS(http_do(NULL, &call, &r), context_canceled);
	call = (http_call){ .url = url("/stuck?body"), .ctx = context_with_cancel(context_background()) };
	must(http_do(NULL, &call, &r));
	go(cancel_soon, call.ctx);
	CHECK_IS(http_response_read_all(r, 100, &data), context_canceled);
	http_response_close(r);
	call = (http_call){ .url = url("/stuck"), .ctx = context_with_timeout(context_background(), 50 * Millisecond) };
	CHECK_IS(http_do(NULL, &call, &r), context_deadline_exceeded);
	recv(entered, &x);
	context_cancel(call.ctx);
	/* One that is not needed any more does no harm to the connection. */
	call = (http_call){ .url = url("/who"), .ctx = context_with_cancel(context_background()) };
	must(http_do(NULL, &call, &r));
	string a = text_of(r);
	context_cancel(call.ctx);
	CHECK(string_eq(a, get(NULL, "/who")));
	for (int i = 0; i < 5; i++)
		send(gate, 1);
}

TEST(a_body_that_waits_to_be_asked_for)
{
	http_response *r;
	http_call call = { .method = S("POST"), .url = url("/echo"), .body = bytes_of(S("wanted")), .expect_continue = true };
	must(http_do(NULL, &call, &r));
	CHECK_S(text_of(r), S("wanted"));
	int calls = 0;
	call = (http_call){ .method = S("POST"), .url = url("/refuses"), .reader = { failing, &calls }, .expect_continue = true };
	must(http_do(NULL, &call, &r));
	CHECK_EQ(r->status, 413);
	text_of(r);
	CHECK_EQ(calls, 0);
	/* Who does not know the word is not waited for for ever. */
	call = (http_call){ .method = S("POST"), .url = scripted, .body = bytes_of(S("x")), .expect_continue = true };
	script = S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	must(http_do(NULL, &call, &r));
	CHECK_S(text_of(r), S("ok"));
}

static string played(const char *text)
{
	http_response *r;
	error err = call_script(text, &r);
	return err ? sprint("(%s)", err) : sprint("%d %lld %s", r->status, (long long)r->content_length, text_of(r));
}

TEST(responses_of_other_servers)
{
	CHECK_S(played("HTTP/1.1 200 OK\r\n\r\nto the end"), S("200 -1 to the end"));
	CHECK_S(played("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"), S("200 3 abc"));
	CHECK_S(played("HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc"), S("200 3 abc"));
	CHECK_S(played("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
	        S("204 0 "));
	CHECK_S(played("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"), S("304 10 "));
	CHECK_S(played("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"),
	        S("200 -1 abc0123456789"));
	CHECK_HAS(played("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), "unexpected EOF");
	CHECK_HAS(played("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), "unexpected EOF");
	CHECK_HAS(played("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nabc\r\n"), "malformed HTTP response");
	CHECK_HAS(played("HTTP/1.1 200 OK\r\nContent-"), "unexpected EOF");
	CHECK_HAS(played("220 mail.example.org ESMTP\r\n"), "malformed HTTP response");
	CHECK_HAS(played(""), "unexpected EOF");
	CHECK_HAS(played("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), "malformed HTTP response");
	CHECK_HAS(played("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), "malformed HTTP response");
	CHECK_HAS(played("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "malformed HTTP response");
	builder b = { 0 };
	builder_write(&b, S("HTTP/1.1 200 OK\r\nLong: "));
	builder_write(&b, strings_repeat(S("0123456789"), 7000));
	CHECK_HAS(played(cstr(builder_string(&b))), "server response headers too large");
	b = (builder){ 0 };
	for (int i = 0; i < 50; i++)
		builder_write(&b, S("HTTP/1.1 102 Processing\r\n\r\n"));
	CHECK_HAS(played(cstr(builder_string(&b))), "malformed HTTP response");
	/* More than was announced is nobody's: the connection ends. */
	http_client c = { 0 };
	http_call call = { .url = scripted };
	http_response *r;
	script = S("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
	for (int i = 0; i < 2; i++) {
		must(http_do(&c, &call, &r));
		CHECK_S(text_of(r), S("abc"));
		CHECK(!c.idle);
	}
}

TEST(bad_urls)
{
	static const char *const bad[] = {
		"", "/x", "x", "https://x/", "http:", "http:/x", "http://", "http:///x", "http://:80/", "http://a b/",
		"http://x/a b", "http://x/\r\nX: y", "http://me:secret@x/", "ftp://x/",
	};
	http_response *r;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		error err = http_get(cstring(bad[i]), &r);
		if (!errors_is(err, http_err_url))
			TEST_FAIL("\"%s\": %s", bad[i], err);
	}
	CHECK_S(error_text(http_get(S("https://x/"), &r)),
	        S("Get \"https://x/\": parse \"https://x/\": invalid URL: unsupported protocol scheme"));
	CHECK_HAS(error_text(http_get(S("http://127.0.0.1:1/"), &r)), "dial tcp 127.0.0.1:1: connection refused");
	CHECK_HAS(error_text(http_get(S("http://127.0.0.1:99999/"), &r)), "dial tcp 127.0.0.1:99999");
	CHECK_HAS(error_text(http_get(S("http://[::1]:1?x"), &r)), "dial tcp [::1]:1: connection refused");
}

TEST(nothing_is_left)
{
	http_client c = { 0 };
	for (int i = 0; i < 3; i++)
		get(&c, "/big");
	http_close_idle(&c);
	http_close_idle(&(http_client){});
	must(http_shutdown(server, 10 * Second));
	http_response *r;
	CHECK_IS(http_get(url("/who"), &r), net_err_refused); /* closes those kept by the shared client, too */
	for (int i = 0; i < 10000 && num_task() > 2; i++)
		sleep(Millisecond);
	CHECK_EQ(num_task(), 2); /* this, and the scripted server */
}

TEST_MAIN
{
	listener *l;
	start(new(http_server));
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &l));
	scripted = concat(S("http://"), net_addr_string(listener_addr(l)), S("/"));
	go(play, l);
	RUN(a_response_and_its_parts);
	RUN(what_is_sent);
	RUN(bodies_of_requests);
	RUN(connections_are_kept);
	RUN(a_connection_that_the_server_closed_is_replaced);
	RUN(redirects);
	RUN(timeouts_and_contexts);
	RUN(a_body_that_waits_to_be_asked_for);
	RUN(responses_of_other_servers);
	RUN(bad_urls);
	RUN(nothing_is_left);
}
