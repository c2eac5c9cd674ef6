/* server.c: connections and requests.  After Go's net/http/server.go; the syntax
 * is llhttp's.
 *
 * llhttp is fed what was read and stopped where a request's head ends, at each
 * piece of its body and at its end.  Its spans of the head are collected in
 * c->scratch and copied once, so that a request's strings outlive the buffer;
 * those of the body are read in place.
 *
 * Invariants: between requests the parser stands at a message's beginning; all
 * of a body is parsed before the next head.  c->conn is written to only by its
 * task, and closed by it, or by shutdown when it is idle. */
#include "http.h"
#include "../libc.h"

#define MAX_HEADER (64 * 1024)
#define READ_HEADER_TIMEOUT (10 * Second)
#define IDLE_TIMEOUT (75 * Second)
#define WRITE_TIMEOUT (60 * Second)
#define SKIP_MAX (256 * 1024) /* of a body that the handler left; as Go */

define_error(http_err_too_large, "http: request body too large");
define_error(http_err_server_closed, "http: Server closed");
static define_error(err_malformed, "http: malformed request");

/* ---- llhttp's calls ----------------------------------------------------------- */

static struct http_conn *of(llhttp_t *p)
{
	return p->data;
}

/* Adds to the head; s: the span that it belongs to, which grows. */
static int collect(struct http_conn *c, struct span *s, const char *p, size_t n)
{
	if (c->scratch.len + n > c->server->max_header_bytes) {
		c->too_large = true;
		return HPE_USER;
	}
	if (s->n == 0)
		s->at = (uint32_t)c->scratch.len;
	c->scratch = append_slice(c->scratch, ((slice(byte)){ (byte *)p, n, n }));
	s->n += (uint32_t)n;
	return 0;
}

static int on_begin(llhttp_t *p)
{
	struct http_conn *c = of(p);
	c->scratch.len = 0;
	c->method = c->target = c->names[0] = (struct span){ 0, 0 };
	c->nheaders = 0;
	c->head_done = c->message_done = c->expect_continue = false;
	c->body_n = 0;
	return 0;
}

static int on_method(llhttp_t *p, const char *at, size_t n)
{
	return collect(of(p), &of(p)->method, at, n);
}

static int on_target(llhttp_t *p, const char *at, size_t n)
{
	return collect(of(p), &of(p)->target, at, n);
}

static int on_name(llhttp_t *p, const char *at, size_t n)
{
	struct http_conn *c = of(p);
	if (c->head_done)
		return 0; /* trailers are skipped */
	if (c->nheaders == HEADERS_MAX) {
		c->too_large = true;
		return HPE_USER;
	}
	return collect(c, &c->names[c->nheaders], at, n);
}

static int on_name_done(llhttp_t *p)
{
	struct http_conn *c = of(p);
	if (!c->head_done) {
		c->values[c->nheaders++] = (struct span){ (uint32_t)c->scratch.len, 0 };
		if (c->nheaders < HEADERS_MAX)
			c->names[c->nheaders].n = 0;
	}
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct http_conn *c = of(p);
	return c->head_done ? 0 : collect(c, &c->values[c->nheaders - 1], at, n);
}

static int on_head(llhttp_t *p)
{
	of(p)->head_done = true;
	return HPE_PAUSED;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct http_conn *c = of(p);
	c->body_at = (const byte *)at;
	c->body_n = n;
	return HPE_PAUSED;
}

static int on_done(llhttp_t *p)
{
	of(p)->message_done = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_message_begin = on_begin,
	.on_method = on_method,
	.on_url = on_target,
	.on_header_field = on_name,
	.on_header_field_complete = on_name_done,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_done,
};

/* ---- reading -------------------------------------------------------------------- */

/* Goes on until the parser stops, or wants more than there is. */
static error parse(struct http_conn *c)
{
	const char *begin = (const char *)c->in + c->in_at;
	llhttp_errno_t e = llhttp_execute(&c->parser, begin, c->in_end - c->in_at);
	if (e == HPE_OK) {
		c->in_at = c->in_end;
		return NULL;
	}
	c->in_at = (uint32_t)(llhttp_get_error_pos(&c->parser) - (const char *)c->in);
	if (e == HPE_PAUSED) {
		llhttp_resume(&c->parser);
		return NULL;
	}
	if (e == HPE_PAUSED_UPGRADE) { /* CONNECT, Upgrade: we do not */
		llhttp_resume_after_upgrade(&c->parser);
		c->close = true;
		return NULL;
	}
	return err_malformed;
}

static void set_read_deadline(struct http_conn *c, int64 timeout)
{
	c->read_deadline = nanotime() + timeout;
	conn_set_read_deadline(c->conn, c->read_deadline);
}

/* At least half of the idle time from now on: timers are not moved for each
 * request. */
static void refresh_read_deadline(struct http_conn *c)
{
	int64 left = c->read_deadline - nanotime(), idle = c->server->idle_timeout;
	if (left < idle / 2 || left > idle || c->slow) {
		c->slow = false;
		set_read_deadline(c, idle);
	}
}

/* More bytes of the client; what was answered goes out before it is waited for. */
static error fill(struct http_conn *c)
{
	size_t n;
	error err = out_flush(c);
	if (!err)
		err = conn_read(c->conn, c->in, IN_MAX, &n);
	if (err)
		return err;
	c->in_at = 0;
	c->in_end = (uint32_t)n;
	return NULL;
}

static string text_of(const struct http_conn *c, struct span s)
{
	return (string){ c->head.ptr + s.at, s.n };
}

size_t http_header_count(http_request *r)
{
	return r->conn->nheaders;
}

void http_header_at(http_request *r, size_t i, string *name, string *value)
{
	struct http_conn *c = r->conn;
	if (i >= c->nheaders)
		rt_panic("http: header %zu of %u", i, c->nheaders);
	*name = text_of(c, c->names[i]);
	*value = text_of(c, c->values[i]);
}

string http_header(http_request *r, string name)
{
	struct http_conn *c = r->conn;
	for (uint32_t i = 0; i < c->nheaders; i++)
		if (c->names[i].n == name.len && equal_fold(text_of(c, c->names[i]), name))
			return text_of(c, c->values[i]);
	return S("");
}

/* The parsed head as a request.  False: it is not one that we serve; answered. */
static bool take_head(struct http_conn *c)
{
	http_request *r = &c->request;
	c->head = string_from_bytes(c->scratch.ptr, c->scratch.len);
	for (uint32_t i = 0; i < c->nheaders; i++) { /* llhttp keeps the space after a value */
		struct span *v = &c->values[i];
		while (v->n && (c->head.ptr[v->at + v->n - 1] == ' ' || c->head.ptr[v->at + v->n - 1] == '\t'))
			v->n--;
	}
	*r = (http_request){ .method = text_of(c, c->method), .target = text_of(c, c->target), .conn = c,
		             .remote = conn_remote_addr(c->conn) };
	r->http10 = c->parser.http_major == 1 && c->parser.http_minor == 0;
	const char *query = memchr(r->target.ptr, '?', r->target.len);
	string path = { r->target.ptr, query ? (size_t)(query - r->target.ptr) : r->target.len };
	if (query)
		r->query = (string){ query + 1, r->target.len - path.len - 1 };
	bool ok = url_decode(path, false, &r->path);
	r->host = http_header(r, S("Host"));
	r->content_length = c->parser.flags & F_CHUNKED ? -1 : (int64)c->parser.content_length;
	if (!llhttp_should_keep_alive(&c->parser) || c->parser.upgrade)
		c->close = true;
	c->expect_continue = equal_fold(http_header(r, S("Expect")), S("100-continue"));
	writer_begin(c);
	int refuse = !ok ? 400 : c->parser.http_major != 1 ? 505 : !r->http10 && r->host.len == 0 ? 400 : 0;
	if (refuse) {
		c->close = true;
		http_error(&c->writer, refuse, http_status_text(refuse));
	}
	return !refuse;
}

/* The next request's head.  io_eof between requests: the client is done. */
static error read_head(struct http_conn *c)
{
	error err = NULL;
	bool begun = c->in_at < c->in_end;
	c->head_done = false;
	c->scratch.len = 0; /* as long as it is, nothing of a request has come */
	while (!err && !c->head_done) {
		if (c->in_at == c->in_end) {
			if (begun && !c->slow) { /* seldom: a head in several pieces */
				c->slow = true;
				set_read_deadline(c, c->server->read_header_timeout);
			}
			err = fill(c);
			begun = true;
		}
		if (!err)
			err = parse(c);
	}
	return err;
}

/* Makes c->body_n more than 0, or c->message_done true. */
static error read_body(struct http_conn *c)
{
	error err = NULL;
	while (!err && c->body_n == 0 && !c->message_done) {
		err = parse(c); /* even of nothing: the end may be where it stopped */
		if (err || c->body_n || c->message_done || c->in_at < c->in_end)
			continue;
		if (c->expect_continue) {
			c->expect_continue = false;
			err = out_put(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		}
		if (!err) {
			refresh_read_deadline(c);
			err = fill(c);
		}
	}
	return err;
}

error http_read(http_request *r, void *buf, size_t n, size_t *got)
{
	struct http_conn *c = r->conn;
	*got = 0;
	if (n == 0)
		return NULL;
	error err = read_body(c);
	if (err || c->body_n == 0) {
		c->close |= err != NULL;
		return err ? err : io_eof;
	}
	size_t k = n < c->body_n ? n : c->body_n;
	memcpy(buf, c->body_at, k);
	c->body_at += k;
	c->body_n -= k;
	*got = k;
	return NULL;
}

error http_read_all(http_request *r, size_t limit, slice(byte) *out)
{
	byte buf[1024];
	size_t n;
	error err;
	if (r->content_length > 0 && (uint64_t)r->content_length > limit)
		return http_err_too_large;
	slice(byte) all = make_slice(byte, 0, r->content_length > 0 ? (size_t)r->content_length : 0);
	while (!(err = http_read(r, buf, sizeof buf, &n))) {
		if (n > limit - all.len)
			return http_err_too_large;
		all = append_slice(all, ((slice(byte)){ buf, n, n }));
	}
	*out = all;
	return err == io_eof ? NULL : err;
}

/* What the handler left of the body; too much of it ends the connection. */
static void skip_body(struct http_conn *c)
{
	http_request *r = &c->request;
	size_t skipped = 0;
	bool waits = c->expect_continue && r->content_length; /* the client does not send it */
	if (waits || r->content_length > SKIP_MAX) {
		c->close = true;
		return;
	}
	c->expect_continue = false;
	while (!c->message_done) {
		skipped += c->body_n;
		c->body_n = 0;
		if (skipped > SKIP_MAX || read_body(c)) {
			c->close = true;
			return;
		}
	}
}

/* ---- a connection's task ------------------------------------------------------------ */

/* Deferred: a panic of the handler ends its connection only. */
static void survive(struct http_conn *c)
{
	const panicked *p = recover();
	if (!p)
		return;
	string who = net_addr_string(c->request.remote);
	rt_printf("http: panic serving %.*s: %.*s\n", (int)who.len, who.ptr, (int)p->text.len, p->text.ptr);
	c->close = true;
	c->writer.failed = true;
}

static void run_handler(http_handler fn, struct http_conn *c)
{
	defer(survive, c);
	fn(&c->writer, &c->request);
}

static void answer(struct http_conn *c)
{
	string allow;
	http_handler fn = mux_find(c->server->mux, c, &allow);
	if (fn) {
		run_handler(fn, c);
	} else if (allow.len) {
		http_set_header(&c->writer, S("Allow"), allow);
		http_error(&c->writer, 405, http_status_text(405));
	} else {
		http_error(&c->writer, 404, S("404 page not found"));
	}
}

/* An answer to what was no request. */
static void refuse(struct http_conn *c, int code)
{
	c->request = (http_request){ .conn = c };
	c->close = true;
	writer_begin(c);
	http_error(&c->writer, code, http_status_text(code));
	errors_ignore(writer_end(c));
	errors_ignore(out_flush(c));
}

/* Between requests, busy false, shutdown ends the wait for the next one. */
static bool set_busy(struct http_conn *c, bool busy)
{
	mutex_lock(&c->server->mu);
	c->busy = busy;
	bool closing = c->server->closing;
	if (!busy && !closing)
		refresh_read_deadline(c);
	mutex_unlock(&c->server->mu);
	return closing;
}

static void serve_conn(struct http_conn *c)
{
	http_server *s = c->server;
	llhttp_init(&c->parser, HTTP_REQUEST, &callbacks);
	c->parser.data = c;
	c->close = set_busy(c, false);
	while (!c->close) {
		error err = read_head(c);
		if (err) {
			if (err == err_malformed)
				refuse(c, c->too_large ? 431 : 400);
			else if (errors_is(err, net_err_timeout) && c->scratch.len && !c->head_done)
				refuse(c, 408);
			break;
		}
		if (set_busy(c, true))
			c->close = true;
		if (take_head(c)) {
			answer(c);
			if (!c->writer.failed)
				skip_body(c);
		}
		if (c->writer.failed || writer_end(c))
			break;
		if (set_busy(c, false))
			c->close = true;
	}
	errors_ignore(out_flush(c));
	errors_ignore(conn_close(c->conn));
	mutex_lock(&s->mu);
	link_out(c);
	bool last = s->closing && !s->conns;
	mutex_unlock(&s->mu);
	if (last)
		close(s->drained);
}

/* ---- servers ---------------------------------------------------------------------------- */

static void default_to(int64 *field, int64 value)
{
	if (*field == 0)
		*field = value;
}

error http_serve(http_server *s, listener *l)
{
	mutex_lock(&s->mu);
	if (s->max_header_bytes == 0)
		s->max_header_bytes = MAX_HEADER;
	default_to(&s->read_header_timeout, READ_HEADER_TIMEOUT);
	default_to(&s->idle_timeout, IDLE_TIMEOUT);
	default_to(&s->write_timeout, WRITE_TIMEOUT);
	s->l = l;
	if (!s->drained)
		s->drained = make_chan(bool, 0);
	bool closing = s->closing;
	mutex_unlock(&s->mu);
	conn *one;
	error err = closing ? http_err_server_closed : NULL;
	while (!err) {
		err = listener_accept(l, &one);
		if (err)
			break;
		struct http_conn *c = new(struct http_conn);
		c->server = s;
		c->conn = one;
		mutex_lock(&s->mu);
		closing = s->closing;
		if (!closing) {
			link_in(&s->conns, c);
		}
		mutex_unlock(&s->mu);
		if (closing)
			errors_ignore(conn_close(one));
		else
			go(serve_conn, c);
	}
	mutex_lock(&s->mu);
	closing = s->closing;
	mutex_unlock(&s->mu);
	return closing ? http_err_server_closed : err;
}

error http_listen_and_serve(string addr, http_mux *mux)
{
	listener *l;
	error err = net_listen(S("tcp"), addr, &l);
	return err ? err : http_serve(new(http_server, .mux = mux), l);
}

error http_shutdown(http_server *s, int64 timeout)
{
	mutex_lock(&s->mu);
	bool first = !s->closing, none = !s->conns;
	s->closing = true;
	if (!s->drained)
		s->drained = make_chan(bool, 0);
	if (first && s->l)
		errors_ignore(listener_close(s->l));
	/* Idle ones wake with the end of their read, the others see `closing`. */
	for (struct http_conn *c = s->conns; c; c = c->next)
		if (!c->busy)
			conn_set_read_deadline(c->conn, nanotime());
	if (first && none)
		close(s->drained);
	mutex_unlock(&s->mu);
	bool in_time = true;
	bool x;
	int64 t;
	select {
		case_recv(s->drained, &x) { in_time = true; }
		case_recv(after(timeout), &t) { in_time = false; }
	}
	return in_time ? NULL : net_err_timeout;
}
