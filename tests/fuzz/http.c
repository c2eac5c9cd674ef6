/* http.c: HTTP/1 messages.
 *
 *   http_message  the parser alone: the first byte says request or response and how many
 *                 bytes come at a time, each in memory of exactly that size
 *   http_server   a server with files, ranges, forms and patterns, over the loopback
 *                 interface, by a client that sends the input and no more
 *   http_client   the client, whose server answers each request with a part of the input;
 *                 parts end at a zero byte */
#include <string.h>
#include "rt/http/http.h"
#include "rt/net/net.h"
#include <lwip/priv/tcp_priv.h>
#include "ingot.h"
#include "fuzz.h"

/* ---- the parser ------------------------------------------------------------------ */

struct feed {
	struct message m;
	const uint8_t *p;
	size_t n, step;
};

static error feed_fill(struct message *m)
{
	struct feed *f = (struct feed *)m;
	size_t k = f->step < f->n ? f->step : f->n;

	if (k == 0)
		return io_eof;
	if (m->in)
		fuzz_free(m->in);
	m->in = fuzz_copy(f->p, k);
	m->in_at = 0;
	m->in_end = (uint32_t)k;
	f->p += k, f->n -= k;
	return NULL;
}

FUZZ(http_message, NULL)
{
	static struct feed f;
	uint8_t how = fuzz_byte(&p, &n);
	byte buf[64];
	string name, value;

	f = (struct feed){ .p = p, .n = n, .step = how >> 1 ? how >> 1 : 4096 };
	f.m.fill = feed_fill;
	message_begin(&f.m, how & 1 ? HTTP_RESPONSE : HTTP_REQUEST, NULL, 0, 512);
	while (!message_read_head(&f.m)) {
		size_t body = 0, got;
		int64 length = message_length(&f.m);
		error err;

		FUZZ_CHECK(f.m.head.len <= 512 && f.m.nheaders <= HEADERS_MAX);
		message_text(&f.m, f.m.method), message_text(&f.m, f.m.target);
		for (size_t i = 0; i < f.m.nheaders; i++) {
			message_header_at(&f.m, i, &name, &value);
			FUZZ_CHECK(name.ptr >= f.m.head.ptr && value.ptr + value.len <= f.m.head.ptr + f.m.head.len);
		}
		has_token(message_header(&f.m, S("connection")), S("close"));
		while (!(err = message_read(&f.m, buf, sizeof buf, &got))) {
			FUZZ_CHECK(got > 0 && got <= sizeof buf);
			body += got;
		}
		if (err != io_eof)
			break;
		if (length >= 0 && !f.m.no_body && !(how & 1) && f.m.parser.method != HTTP_CONNECT)
			FUZZ_CHECK(body == (size_t)length);
		f.m.no_body = false;
	}
	if (f.m.in)
		fuzz_free(f.m.in);
}

/* ---- the server ------------------------------------------------------------------------ */

static listener *server_at, *origin_at;
static string origin_url;
static http_server server = { .max_body_bytes = 2000, .max_header_bytes = 2000 };

static listener *listen_somewhere(void)
{
	listener *l;
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &l));
	return l;
}

static void serve(listener *l)
{
	errors_ignore(http_serve(&server, l));
}

static void bytes_page(http_writer *w, http_request *r)
{
	static byte page[3000];
	http_serve_bytes(w, r, S("page.txt"), (slice(byte)){ page, sizeof page, sizeof page });
}

static void echo_page(http_writer *w, http_request *r)
{
	slice(byte) body;

	if (http_read_all(r, 1000, &body)) {
		http_error(w, 400, S("no"));
		return;
	}
	http_print(w, "%s %s\n", http_path_value(r, S("name")), http_query_value(r, S("q")));
	errors_ignore(http_write(w, body.ptr, body.len));
}

static void server_setup(void)
{
	server.mux = new_http_mux();
	http_handle(server.mux, S("GET /page"), bytes_page);
	http_handle(server.mux, S("/echo/{name}/{rest...}"), echo_page);
	server_at = listen_somewhere();
	go(serve, server_at);
	gosched();
}

void fuzz_forget_ends(void)
{
	net_lock();
	while (tcp_tw_pcbs)
		tcp_abort(tcp_tw_pcbs);
	net_unlock();
}

/* What the other side sends, to its end. */
static void drain(conn *c)
{
	byte buf[1024];
	size_t got;

	while (!conn_read(c, buf, sizeof buf, &got))
		;
	errors_ignore(conn_close(c));
}

FUZZ(http_server, server_setup)
{
	conn *c;

	must(net_dial(S("tcp"), net_addr_string(listener_addr(server_at)), &c));
	errors_ignore(conn_write(c, p, n, NULL));
	errors_ignore(conn_close_write(c));
	drain(c);
	fuzz_forget_ends();
}

/* ---- the client -------------------------------------------------------------------------- */

static const uint8_t *answers;
static size_t answers_n;

static void origin(void)
{
	for (;;) {
		conn *c;
		byte buf[2048];
		size_t got;

		if (listener_accept(origin_at, &c))
			return;
		/* The client may wait for more, or for the end. */
		while (conn_set_read_deadline(c, nanotime() + 2 * Millisecond), !conn_read(c, buf, sizeof buf, &got) && answers_n) {
			const uint8_t *end = memchr(answers, 0, answers_n);
			size_t k = end ? (size_t)(end - answers) : answers_n;

			errors_ignore(conn_write(c, answers, k, NULL));
			answers += k + (end != NULL);
			answers_n -= k + (end != NULL);
			if (!answers_n)
				break;
		}
		errors_ignore(conn_close(c));
	}
}

static void client_setup(void)
{
	origin_at = listen_somewhere();
	origin_url = sprint("http://%s/x", net_addr_string(listener_addr(origin_at)));
	go(origin);
	gosched();
}

FUZZ(http_client, client_setup)
{
	static http_client client = { .max_redirects = 3, .max_header_bytes = 2000 };
	int method = fuzz_byte(&p, &n);

	answers = p;
	answers_n = n;
	for (int i = 0; i < 3 && answers_n; i++) {
		http_call call = { .method = method & 1 ? S("HEAD") : method & 2 ? S("POST") : S("GET"), .url = origin_url,
			           .expect_continue = method & 4 };
		http_response *r;
		slice(byte) body;
		string name, value;

		if (method & 2)
			call.body = (slice(byte)){ (byte *)"body", 4, 4 };
		if (http_do(&client, &call, &r))
			continue;
		for (size_t k = 0; k < http_response_header_count(r); k++)
			http_response_header_at(r, k, &name, &value);
		errors_ignore(http_response_read_all(r, 4000, &body));
		http_response_close(r);
	}
	http_close_idle(&client);
	fuzz_forget_ends();
}
