/* server.c: connections and requests.  After Go's net/http/server.go.
 *
 * An idle connection is a task, a struct http_conn and what the network has for
 * it.  All else, parser, buffers, request, is a struct http_exchange, which is
 * lent when the first byte of a request has come (conn_read_lent) and given back
 * when nothing is left to parse or to send.
 *
 * Invariants: between requests the parser stands at a message's beginning; all
 * of a body is parsed before the next head.  c->conn is written to only by its
 * task, and closed by it, or by http_close(). */
#include "http.h"
#include "../libc.h"

#define MAX_HEADER (64 * 1024)
#define READ_HEADER_TIMEOUT (10 * Second)
#define IDLE_TIMEOUT (75 * Second)
#define WRITE_TIMEOUT (60 * Second)
#define SKIP_MAX (256 * 1024) /* of a body that the handler left; as Go */
#define SCRATCH_KEPT 1024 /* of an exchange in the pool */
#define LINGER (500 * Millisecond) /* as Go's rstAvoidanceDelay */

define_error(http_err_server_closed, "http: Server closed");

/* ---- exchanges ------------------------------------------------------------------ */

static struct http_exchange *new_exchange(void)
{
	struct http_exchange *x = new(struct http_exchange);
	x->b = rt_malloc(sizeof *x->b, RT_NOSCAN);
	x->out = x->b->out;
	x->body = x->b->body;
	return x;
}

static pool(struct http_exchange) exchanges;

static error fill(struct message *m);

/* For conn_read_lent(): c gets an exchange, whose buffer that is. */
static void *lend(void *arg)
{
	struct http_conn *c = arg;
	c->x = pool_get(exchanges);
	c->x->c = c;
	return c->x->b->in;
}

static void give_back(struct http_conn *c)
{
	struct http_exchange *x = c->x;
	c->x = NULL;
	x->c = NULL;
	if (x->m.scratch.cap > SCRATCH_KEPT)
		x->m.scratch = (slice(byte)){};
	x->m.head = S("");
	x->request = (http_request){};
	x->writer = (http_writer){};
	for (uint32_t i = 0; i < x->nparams; i++)
		x->param_names[i] = x->param_values[i] = S("");
	pool_put(exchanges, x);
}

/* ---- reading -------------------------------------------------------------------- */

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

/* More bytes of the client, within a request; what was answered goes out before
 * they are waited for. */
static error fill(struct message *m)
{
	struct http_exchange *x = (struct http_exchange *)((char *)m - offsetof(struct http_exchange, m));
	struct http_conn *c = x->c;
	size_t n;
	error err = NULL;
	if (m->head_done) {
		if (x->expect_continue) {
			x->expect_continue = false;
			err = out_put(x, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		}
		if (c->server->read_timeout == 0)
			refresh_read_deadline(c);
	} else if (!c->slow) { /* seldom: a head in several pieces */
		c->slow = true;
		set_read_deadline(c, c->server->read_header_timeout);
	}
	if (!err)
		err = out_flush(x);
	if (!err)
		err = conn_read(c->conn, m->in, IN_MAX, &n);
	if (err)
		return err;
	m->in_at = 0;
	m->in_end = (uint32_t)n;
	return NULL;
}

size_t http_header_count(http_request *r)
{
	return r->x->m.nheaders;
}

void http_header_at(http_request *r, size_t i, string *name, string *value)
{
	message_header_at(&r->x->m, i, name, value);
}

string http_header(http_request *r, string name)
{
	return message_header(&r->x->m, name);
}

/* What is wrong with a request whose syntax is right: a status, 0 nothing. */
static int objection(struct http_exchange *x, bool path_ok)
{
	http_request *r = &x->request;
	string expect = http_header(r, S("Expect"));
	if (x->m.parser.http_major != 1)
		return 505;
	if (!path_ok || (!r->http10 && r->host.len == 0))
		return 400;
	if (expect.len && !x->expect_continue)
		return 417;
	return r->content_length > x->body_left ? 413 : 0;
}

/* The parsed head as a request.  False: it is not one that we serve; answered. */
static bool take_head(struct http_exchange *x)
{
	struct message *m = &x->m;
	struct http_conn *c = x->c;
	http_request *r = &x->request;
	*r = (http_request){ .method = message_text(m, m->method), .target = message_text(m, m->target), .x = x,
		             .remote = conn_remote_addr(c->conn) };
	r->http10 = m->parser.http_major == 1 && m->parser.http_minor == 0;
	const char *query = memchr(r->target.ptr, '?', r->target.len);
	string path = { r->target.ptr, query ? (size_t)(query - r->target.ptr) : r->target.len };
	if (query)
		r->query = (string){ query + 1, r->target.len - path.len - 1 };
	bool ok = url_decode(path, false, &r->path);
	r->host = http_header(r, S("Host"));
	r->content_length = message_length(m);
	if (!llhttp_should_keep_alive(&m->parser) || m->parser.upgrade)
		c->close = true;
	x->expect_continue = equal_fold(http_header(r, S("Expect")), S("100-continue"));
	x->body_left = c->server->max_body_bytes;
	writer_begin(x);
	int refuse = objection(x, ok);
	if (refuse) {
		c->close = c->linger = true;
		http_error(&x->writer, refuse, http_status_text(refuse));
	} else if (c->server->read_timeout && r->content_length) {
		c->slow = true;
		set_read_deadline(c, c->server->read_timeout);
	}
	return !refuse;
}

error http_read(http_request *r, void *buf, size_t n, size_t *got)
{
	struct http_exchange *x = r->x;
	*got = 0;
	if (x->body_left < 0)
		return http_err_too_large;
	error err = message_read(&x->m, buf, n, got);
	if (err && err != io_eof)
		x->c->close = true;
	x->body_left -= (int64_t)*got;
	if (x->body_left >= 0)
		return err;
	*got = (size_t)((int64_t)*got + x->body_left); /* what was left before */
	x->body_left = -1;
	x->c->close = x->c->linger = true;
	return *got ? NULL : http_err_too_large;
}

static error read_request(void *r, void *buf, size_t n, size_t *got)
{
	return http_read(r, buf, n, got);
}

error http_read_all(http_request *r, size_t limit, slice(byte) *out)
{
	return read_all(read_request, r, r->content_length, limit, out);
}

void http_limit_body(http_request *r, int64 n)
{
	if (n < r->x->body_left)
		r->x->body_left = n;
}

/* What the handler left of the body; too much of it ends the connection. */
static void skip_body(struct http_exchange *x)
{
	struct http_conn *c = x->c;
	size_t skipped = 0;
	if (x->m.done)
		return;
	bool waits = x->expect_continue && x->request.content_length; /* the client does not send it */
	bool skip = !waits && !c->linger && x->request.content_length <= SKIP_MAX;
	x->expect_continue = false;
	while (skip && !x->m.done) {
		skipped += x->m.body_n;
		x->m.body_n = 0;
		skip = skipped <= SKIP_MAX && !message_read_body(&x->m);
	}
	if (!skip)
		c->close = c->linger = true;
}

/* ---- a connection's task ------------------------------------------------------------ */

/* Deferred: a panic of the handler ends its connection only. */
static void survive(struct http_exchange *x)
{
	const panicked *p = recover();
	if (!p)
		return;
	string who = net_addr_string(x->request.remote);
	rt_printf("http: panic serving %.*s: %.*s\n", (int)who.len, who.ptr, (int)p->text.len, p->text.ptr);
	x->c->close = true;
	x->writer.failed = true;
}

static void run_handler(http_handler fn, struct http_exchange *x)
{
	defer(survive, x);
	fn(&x->writer, &x->request);
}

static void answer(struct http_exchange *x)
{
	string allow;
	http_handler fn = mux_find(x->c->server->mux, x, &allow);
	if (fn) {
		run_handler(fn, x);
	} else if (allow.len) {
		http_set_header(&x->writer, S("Allow"), allow);
		http_error(&x->writer, 405, http_status_text(405));
	} else {
		http_error(&x->writer, 404, S("404 page not found"));
	}
}

/* An answer to what was no request. */
static void refuse(struct http_exchange *x, int code)
{
	x->request = (http_request){ .x = x };
	x->c->close = x->c->linger = true;
	writer_begin(x);
	http_error(&x->writer, code, http_status_text(code));
	errors_ignore(writer_end(x));
}

/* Between requests, busy false, shutdown ends the wait for the next one by its
 * deadline.  Either it sees busy, or we see closing; both are seq_cst. */
static void set_busy(struct http_conn *c, bool busy)
{
	__atomic_store_n(&c->busy, busy, __ATOMIC_SEQ_CST);
	if (!busy)
		refresh_read_deadline(c);
	if (!__atomic_load_n(&c->server->closing, __ATOMIC_SEQ_CST))
		return;
	c->close = true;
	if (busy) /* shutdown may have ended it just now */
		set_read_deadline(c, c->server->idle_timeout);
}

/* Waits for the first bytes of a request. */
static error wait_for_request(struct http_conn *c)
{
	size_t n;
	error err = conn_read_lent(c->conn, lend, c, IN_MAX, &n);
	if (!err) {
		message_begin(&c->x->m, HTTP_REQUEST, c->x->b->in, n, c->server->max_header_bytes);
		c->x->m.fill = fill;
	}
	return err;
}

/* One request and its answer; false: there are no more. */
static bool serve_one(struct http_conn *c)
{
	error err = c->x ? NULL : wait_for_request(c);
	struct http_exchange *x = c->x;
	if (err)
		return false;
	err = message_read_head(&x->m);
	if (err) {
		if (err == message_malformed)
			refuse(x, x->m.too_large ? 431 : 400);
		else if (errors_is(err, net_err_timeout) && x->m.scratch.len && !x->m.head_done)
			refuse(x, 408);
		return false;
	}
	set_busy(c, true);
	if (take_head(x)) {
		answer(x);
		if (x->watch)
			watch_stop(x);
		if (!x->writer.failed)
			skip_body(x);
	}
	if (x->writer.failed || writer_end(x))
		return false;
	set_busy(c, false);
	if (!c->close && x->m.in_at == x->m.in_end) {
		if (out_flush(x))
			return false;
		give_back(c);
	}
	return !c->close;
}

/* Who still sends when we close would get a reset, perhaps before the answer. */
static void linger(struct http_conn *c)
{
	size_t n, left = SKIP_MAX;
	if (conn_close_write(c->conn))
		return;
	set_read_deadline(c, LINGER);
	while (!conn_read(c->conn, c->x->b->in, IN_MAX, &n) && n < left)
		left -= n;
}

static void serve_conn(struct http_conn *c)
{
	http_server *s = c->server;
	set_busy(c, false);
	while (!c->close && serve_one(c))
		;
	if (c->x) {
		errors_ignore(out_flush(c->x));
		if (c->linger && !c->x->writer.failed)
			linger(c);
	}
	errors_ignore(conn_close(c->conn));
	if (c->x)
		give_back(c);
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

static void prepare(http_server *s, listener *l)
{
	static mutex mu;
	mutex_lock(&mu);
	if (!exchanges)
		exchanges = make_pool(struct http_exchange, new_exchange);
	mutex_unlock(&mu);
	if (s->max_header_bytes == 0)
		s->max_header_bytes = MAX_HEADER;
	default_to(&s->read_header_timeout, READ_HEADER_TIMEOUT);
	default_to(&s->idle_timeout, IDLE_TIMEOUT);
	default_to(&s->write_timeout, WRITE_TIMEOUT);
	default_to(&s->max_body_bytes, INT64_MAX);
	s->l = l;
	if (!s->drained)
		s->drained = make_chan(bool, 0);
}

/* A task for a connection; false: the server is closing. */
static bool begin(http_server *s, conn *one)
{
	struct http_conn *c = new(struct http_conn);
	c->server = s;
	c->conn = one;
	mutex_lock(&s->mu);
	bool closing = s->closing;
	if (!closing)
		link_in(&s->conns, c);
	mutex_unlock(&s->mu);
	if (!closing)
		go(serve_conn, c);
	return !closing;
}

error http_serve(http_server *s, listener *l)
{
	mutex_lock(&s->mu);
	prepare(s, l);
	error err = s->closing ? http_err_server_closed : NULL;
	mutex_unlock(&s->mu);
	conn *one;
	while (!err) {
		err = listener_accept(l, &one);
		if (!err && !begin(s, one))
			errors_ignore(conn_close(one));
	}
	mutex_lock(&s->mu);
	bool closing = s->closing;
	mutex_unlock(&s->mu);
	return closing ? http_err_server_closed : err;
}

error http_listen_and_serve(string addr, http_mux *mux)
{
	listener *l;
	error err = net_listen(S("tcp"), addr, &l);
	return err ? err : http_serve(new(http_server, .mux = mux), l);
}

/* No more connections.  Under s->mu. */
static void stop_accepting(http_server *s)
{
	bool first = !s->closing;
	__atomic_store_n(&s->closing, true, __ATOMIC_SEQ_CST);
	if (!s->drained)
		s->drained = make_chan(bool, 0);
	if (!first)
		return;
	if (s->l)
		errors_ignore(listener_close(s->l));
	if (!s->conns)
		close(s->drained);
}

error http_shutdown(http_server *s, int64 timeout)
{
	mutex_lock(&s->mu);
	stop_accepting(s);
	/* Idle ones wake with the end of their read, the others see `closing`. */
	for (struct http_conn *c = s->conns; c; c = c->next)
		if (!__atomic_load_n(&c->busy, __ATOMIC_SEQ_CST))
			conn_set_read_deadline(c->conn, nanotime());
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

void http_close(http_server *s)
{
	mutex_lock(&s->mu);
	stop_accepting(s);
	for (struct http_conn *c = s->conns; c; c = c->next)
		errors_ignore(conn_close(c->conn));
	mutex_unlock(&s->mu);
}
