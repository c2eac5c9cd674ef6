/* client.c: the HTTP client: calls, connections, responses.  After Go's
 * net/http/client.go and transport.go.
 *
 * A connection belongs to one exchange at a time, or lies in its client's list
 * of idle ones.  A body longer than a buffer is written by a task of its own, so
 * that a server may answer while it still comes.  An end of the context moves
 * the connection's deadline to now.
 *
 * Invariants: a response's strings do not depend on its connection; an exchange
 * gives its connection away exactly once (x->pc becomes NULL), to the list only
 * if the response was read to its end, the request was sent and nothing else
 * came. */
#include "http.h"
#include "../libc.h"

#define MAX_HEADER (64 * 1024)
#define MAX_REDIRECTS 10
#define IDLE_PER_HOST 2
#define IDLE_TIMEOUT (90 * Second)
#define CONTINUE_WAIT Second                /* as Go's ExpectContinueTimeout */
#define WRITE_WAIT (50 * Millisecond)       /* as Go's maxWriteWaitBeforeConnReuse */
#define INLINE_MAX 4096                     /* of a body, sent together with the head */
#define INFORMATIONAL_MAX 5                 /* 1xx before a response; as Go */
#define DRAIN_MAX (64 * 1024)

define_error(http_err_url, "invalid URL");
define_error(http_err_response, "malformed HTTP response");
define_error(http_err_header_too_large, "server response headers too large");
define_error(http_err_redirects, "too many redirects");
define_error(http_err_body_length, "request body is not as long as was said");
define_error(http_err_body_closed, "read on closed response body");

struct client_conn {
	struct client_conn *next, **link; /* of the client's idle ones; under its mu */
	http_client *client;
	conn *conn;
	string addr;                /* whom it is connected to */
	int64 idle_since;
	timer *expiry;
	bool reused, heard;         /* in this exchange something came */
	struct message m;
	byte *in;                   /* IN_MAX bytes, noscan */
};

/* A body that is being written by its own task. */
struct upload {
	conn *conn;
	slice(byte) body;
	io_reader reader;
	int64 left;                 /* of reader; -1: in chunks */
	chan(bool) go_on;           /* Expect: 100-continue: whether to send it; else NULL */
	chan(error) done;           /* gets how it ended; has room for it */
	bool failed;                /* because of the body; atomic, release after `why` */
	error why;
};

typedef struct header {
	string name, value;
} header;
declare_slice(header);

struct client_exchange {
	http_client *client;
	struct client_conn *pc;     /* NULL: given away */
	struct upload *upload;
	context *ctx;               /* NULL: none */
	context_call *watch;        /* moves the deadline when ctx ends */
	int64 deadline;             /* of the call; 0 none */
	bool keep;                  /* the connection may be used again */
	bool ended;                 /* the body was read to its end */
	error failed;               /* what reading says from now on */
	slice(header) headers;
	string what;                /* `Get "http://x/"` */
};

static http_client shared;

/* ---- connections ---------------------------------------------------------------- */

static error fill(struct message *m)
{
	struct client_conn *pc = (struct client_conn *)((char *)m - offsetof(struct client_conn, m));
	size_t n;
	error err = conn_read(pc->conn, pc->in, IN_MAX, &n);
	if (err)
		return err;
	pc->heard = true;
	m->in_at = 0;
	m->in_end = (uint32_t)n;
	return NULL;
}

/* In another task: an idle connection's time is over, unless it was used again. */
static void expire(struct client_conn *pc)
{
	http_client *c = pc->client;
	mutex_lock(&c->mu);
	bool over = pc->link && nanotime() - pc->idle_since >= c->idle_timeout;
	if (over)
		link_out(pc);
	mutex_unlock(&c->mu);
	if (over)
		errors_ignore(conn_close(pc->conn));
}

static void put_idle(struct client_conn *pc)
{
	http_client *c = pc->client;
	int max = c->max_idle_per_host, n = 0;
	conn_set_deadline(pc->conn, 0);
	mutex_lock(&c->mu);
	for (struct client_conn *i = c->idle; i; i = i->next)
		n += string_eq(i->addr, pc->addr);
	bool keep = n < max;
	if (keep) {
		pc->idle_since = nanotime();
		link_in(&c->idle, pc);
		pc->expiry = after_func(c->idle_timeout, (void (*)(void *))expire, pc);
	}
	mutex_unlock(&c->mu);
	if (!keep)
		errors_ignore(conn_close(pc->conn));
}

/* An idle connection to that address that is still good; NULL: none. */
static struct client_conn *take_idle(http_client *c, string addr)
{
	for (;;) {
		mutex_lock(&c->mu);
		struct client_conn *pc = c->idle;
		while (pc && !string_eq(pc->addr, addr))
			pc = pc->next;
		if (pc) {
			link_out(pc);
			timer_stop(pc->expiry);
		}
		mutex_unlock(&c->mu);
		if (!pc || !conn_ready(pc->conn)) /* what is ready is its end, or what nobody asked for */
			return pc;
		errors_ignore(conn_close(pc->conn));
	}
}

void http_close_idle(http_client *c)
{
	mutex_lock(&c->mu);
	while (c->idle) {
		struct client_conn *pc = c->idle;
		link_out(pc);
		timer_stop(pc->expiry);
		errors_ignore(conn_close(pc->conn));
	}
	mutex_unlock(&c->mu);
}

/* A connection on its way, made by a task of its own so that a context may end the
 * wait for it. */
enum dial_state { DIALLING, DIALLED, GIVEN_UP };
struct dial {
	string addr;
	int64 deadline;
	enum dial_state state; /* atomic, acq_rel: who leaves DIALLING first decides whose conn it is */
	conn *conn;
	error err;
	chan(bool) done;
};

static bool leave_dialling(struct dial *d, enum dial_state to)
{
	enum dial_state from = DIALLING;
	return __atomic_compare_exchange_n(&d->state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static error dial_now(string addr, int64 deadline, conn **out)
{
	return deadline ? net_dial_timeout(S("tcp"), addr, deadline - nanotime(), out)
	                : net_dial(S("tcp"), addr, out);
}

static void dial_task(struct dial *d)
{
	d->err = dial_now(d->addr, d->deadline, &d->conn);
	if (leave_dialling(d, DIALLED))
		close(d->done);
	else if (!d->err)
		errors_ignore(conn_close(d->conn));
}

static error dial(string addr, context *ctx, int64 deadline, conn **out)
{
	if (!ctx)
		return dial_now(addr, deadline, out);
	struct dial *d = new(struct dial, .addr = addr, .deadline = deadline, .done = make_chan(bool, 0));
	go(dial_task, d);
	bool x;
	select {
		case_recv(d->done, &x) { }
		case_recv(context_done(ctx), &x) { }
	}
	if (leave_dialling(d, GIVEN_UP))
		return context_err(ctx);
	if (!d->err)
		*out = d->conn;
	return d->err;
}

static error get_conn(struct client_exchange *x, string addr, bool fresh)
{
	struct client_conn *pc = fresh ? NULL : take_idle(x->client, addr);
	x->pc = pc;
	x->upload = NULL;
	if (pc) {
		pc->reused = true;
	} else {
		conn *c;
		error err = dial(addr, x->ctx, x->deadline, &c);
		if (err)
			return err;
		pc = x->pc = new(struct client_conn, .client = x->client, .conn = c, .addr = addr);
		pc->in = rt_malloc(IN_MAX, RT_NOSCAN);
	}
	pc->heard = false;
	conn_set_deadline(pc->conn, x->deadline);
	return NULL;
}

/* ---- the end of an exchange -------------------------------------------------------- */

/* The context ended. */
static void cut_off(struct client_conn *pc)
{
	conn_set_deadline(pc->conn, 1);
}

/* Whether the request's body went out as well; it may just be doing so. */
static bool upload_done(struct upload *u)
{
	error err = NULL;
	bool done = true;
	int64 t;
	if (!u)
		return true;
	select {
		case_recv(u->done, &err) { done = err == NULL; }
		case_recv(after(WRITE_WAIT), &t) { done = false; }
	}
	return done;
}

/* Gives the connection away: kept, if that is still possible. */
static void release(struct client_exchange *x, bool keep)
{
	struct client_conn *pc = x->pc;
	if (!pc)
		return;
	x->pc = NULL;
	if (x->watch && !context_stop(x->watch))
		keep = false;
	x->watch = NULL;
	if (x->upload && x->upload->go_on)
		close(x->upload->go_on);
	if (keep && upload_done(x->upload) && pc->m.in_at == pc->m.in_end)
		put_idle(pc);
	else
		errors_ignore(conn_close(pc->conn));
}

/* Why the call fails, when the connection says err. */
static error reason(struct client_exchange *x, error err)
{
	struct upload *u = x->upload;
	int64 at;
	if (u && __atomic_load_n(&u->failed, __ATOMIC_ACQUIRE))
		err = u->why;
	else if (x->ctx && context_err(x->ctx))
		err = context_err(x->ctx);
	else if (x->ctx && context_deadline(x->ctx, &at) && at <= nanotime())
		err = context_deadline_exceeded; /* the connection's timer was quicker */
	else if (err == message_malformed)
		err = x->pc && x->pc->m.too_large ? http_err_header_too_large : http_err_response;
	else if (err == io_eof)
		err = io_unexpected_eof;
	return errorf("%s: %s", x->what, errors_wrap(err));
}

/* ---- requests ----------------------------------------------------------------------- */

static error upload_failed(struct upload *u, error why)
{
	u->why = why;
	__atomic_store_n(&u->failed, true, __ATOMIC_RELEASE);
	return why;
}

static error send_body(struct upload *u)
{
	if (!u->reader.read)
		return conn_write(u->conn, u->body.ptr, u->body.len, NULL);
	slice(byte) buf = make_slice(byte, OUT_MAX);
	error err = NULL, end = NULL;
	while (!err && !end && u->left) {
		size_t n, max = u->left > 0 && u->left < OUT_MAX ? (size_t)u->left : OUT_MAX;
		end = io_read(u->reader, slice_to(buf, max), &n);
		if (end && end != io_eof)
			return upload_failed(u, end);
		string size = u->left < 0 && n ? sprint("%zx\r\n", n) : S("");
		if (size.len)
			err = conn_write(u->conn, size.ptr, size.len, NULL);
		if (!err && n)
			err = conn_write(u->conn, buf.ptr, n, NULL);
		if (!err && size.len)
			err = conn_write(u->conn, "\r\n", 2, NULL);
		if (u->left > 0)
			u->left -= (int64)n;
	}
	if (!err && u->left > 0)
		return upload_failed(u, http_err_body_length);
	if (!err && u->left < 0)
		err = conn_write(u->conn, "0\r\n\r\n", 5, NULL);
	return err;
}

static void upload_task(struct upload *u)
{
	bool go_on = true;
	int64 t;
	if (u->go_on) {
		select {
			case_recv(u->go_on, &go_on) { }
			case_recv(after(CONTINUE_WAIT), &t) { }
		}
	}
	error err = go_on ? send_body(u) : net_err_closed;
	if (u->failed) /* the server waits for the rest */
		conn_set_deadline(u->conn, 1);
	send(u->done, err);
}

static bool has_header(string head, string name)
{
	return head_without(head, name).len != head.len;
}

/* Sends the head, and begins with the body. */
static error send_request(struct client_exchange *x, const http_call *call, string method, const struct url *u)
{
	builder b = { 0 };
	bool stream = call->reader.read != NULL;
	int64 length = stream ? (call->content_length ? call->content_length : -1) : (int64)call->body.len;
	bool wants_length = length > 0 || string_eq(method, S("POST")) || string_eq(method, S("PUT")) ||
	                    string_eq(method, S("PATCH"));
	builder_printf(&b, "%s %s HTTP/1.1\r\n", method, u->target);
	if (!has_header(call->header, S("Host")))
		builder_printf(&b, "Host: %s\r\n", u->host);
	if (!has_header(call->header, S("User-Agent")))
		builder_write(&b, S("User-Agent: Ingot\r\n"));
	if (length < 0)
		builder_write(&b, S("Transfer-Encoding: chunked\r\n"));
	else if (wants_length)
		builder_printf(&b, "Content-Length: %lld\r\n", (long long)length);
	if (call->expect_continue && length)
		builder_write(&b, S("Expect: 100-continue\r\n"));
	builder_write(&b, call->header);
	builder_write(&b, S("\r\n"));
	bool at_once = !stream && !call->expect_continue && call->body.len <= INLINE_MAX;
	if (at_once)
		builder_write(&b, string_view(call->body));
	conn *c = x->pc->conn;
	error err = conn_write(c, b.buf.ptr, b.buf.len, NULL);
	if (err || at_once || length == 0)
		return err;
	x->upload = new(struct upload, .conn = c, .body = call->body, .reader = call->reader, .left = length,
	                .done = make_chan(error, 1));
	if (call->expect_continue)
		x->upload->go_on = make_chan(bool, INFORMATIONAL_MAX + 2); /* never full */
	go(upload_task, x->upload);
	return NULL;
}

/* ---- responses ---------------------------------------------------------------------- */

/* The head of the response, after those that only inform. */
static error read_response_head(struct client_exchange *x, bool no_body)
{
	struct client_conn *pc = x->pc;
	struct message *m = &pc->m;
	error err = NULL;
	message_begin(m, HTTP_RESPONSE, pc->in, 0, x->client->max_header_bytes);
	m->fill = fill;
	m->no_body = no_body;
	for (int i = 0; !err; i++) {
		err = message_read_head(m);
		int status = m->parser.status_code;
		if (err || status >= 200)
			break;
		if (status == 101 || i == INFORMATIONAL_MAX)
			return http_err_response; /* nobody asked to switch */
		if (status == 100 && x->upload && x->upload->go_on)
			send(x->upload->go_on, true);
		err = message_read_body(m); /* there is none: to its end */
	}
	/* Not asked for the body any more: it is not sent. */
	if (!err && x->upload && x->upload->go_on)
		send(x->upload->go_on, false);
	return err;
}

static http_response *new_response(struct client_exchange *x, string url)
{
	struct message *m = &x->pc->m;
	http_response *r = new(http_response, .status = m->parser.status_code, .url = url, .x = x,
	                       .content_length = message_length(m));
	r->reason = message_text(m, m->target);
	r->http10 = m->parser.http_major == 1 && m->parser.http_minor == 0;
	x->headers = make_slice(header, m->nheaders);
	for (size_t i = 0; i < m->nheaders; i++)
		message_header_at(m, i, &x->headers.ptr[i].name, &x->headers.ptr[i].value);
	x->keep = llhttp_should_keep_alive(&m->parser);
	return r;
}

/* No more of the body is read; complete: that was all. */
static void end_body(struct client_exchange *x, bool complete)
{
	x->ended = true;
	release(x, complete && x->keep);
}

error http_response_read(http_response *r, void *buf, size_t n, size_t *got)
{
	struct client_exchange *x = r->x;
	*got = 0;
	if (x->failed || x->ended)
		return x->failed ? x->failed : io_eof;
	error err = message_read(&x->pc->m, buf, n, got);
	if (err == io_eof) {
		end_body(x, true);
	} else if (err) {
		err = x->failed = reason(x, err);
		release(x, false);
	}
	return err;
}

static error read_response(void *r, void *buf, size_t n, size_t *got)
{
	return http_response_read(r, buf, n, got);
}

static error reader_read(void *self, slice(byte) p, size_t *n)
{
	return http_response_read(self, p.ptr, p.len, n);
}

io_reader http_response_body(http_response *r)
{
	return (io_reader){ reader_read, r };
}

error http_response_read_all(http_response *r, size_t limit, slice(byte) *out)
{
	return read_all(read_response, r, r->content_length, limit, out);
}

/* For what has come already only. */
static error fill_at_once(struct message *m)
{
	struct client_conn *pc = (struct client_conn *)((char *)m - offsetof(struct client_conn, m));
	return conn_ready(pc->conn) ? fill(m) : net_err_timeout;
}

void http_response_close(http_response *r)
{
	struct client_exchange *x = r->x;
	error err = NULL;
	size_t dropped = 0;
	if (!x->failed && !x->ended) {
		struct message *m = &x->pc->m;
		m->fill = fill_at_once;
		while (!err && !m->done && dropped <= DRAIN_MAX) {
			dropped += m->body_n;
			m->body_n = 0;
			err = message_read_body(m);
		}
		end_body(x, m->done && !err);
	}
	if (!x->failed)
		x->failed = http_err_body_closed;
}

string http_response_header(http_response *r, string name)
{
	for (size_t i = 0; i < r->x->headers.len; i++)
		if (equal_fold(r->x->headers.ptr[i].name, name))
			return r->x->headers.ptr[i].value;
	return S("");
}

size_t http_response_header_count(http_response *r)
{
	return r->x->headers.len;
}

void http_response_header_at(http_response *r, size_t i, string *name, string *value)
{
	if (i >= r->x->headers.len)
		rt_panic("http: header %zu of %zu", i, r->x->headers.len);
	*name = r->x->headers.ptr[i].name;
	*value = r->x->headers.ptr[i].value;
}

/* ---- calls ------------------------------------------------------------------------------ */

static bool may_repeat(const http_call *call, string method)
{
	return !call->reader.read && (string_eq(method, S("GET")) || string_eq(method, S("HEAD")) ||
	                              string_eq(method, S("OPTIONS")) || string_eq(method, S("TRACE")));
}

/* One request on one connection. */
static error try_once(struct client_exchange *x, const http_call *call, string method, const struct url *u,
                      bool fresh)
{
	error err = get_conn(x, u->addr, fresh);
	if (err)
		return err;
	if (x->ctx)
		x->watch = context_after_func(x->ctx, (void (*)(void *))cut_off, x->pc);
	err = send_request(x, call, method, u);
	error heard = read_response_head(x, string_eq(method, S("HEAD"))); /* even if not all was taken */
	return heard && err ? err : heard;
}

static error round_trip(struct client_exchange *x, const http_call *call, string method, const struct url *u,
                        http_response **out)
{
	for (bool fresh = false;; fresh = true) {
		error err = try_once(x, call, method, u, fresh);
		if (!err)
			break;
		bool stale = x->pc && x->pc->reused && !x->pc->heard && !errors_is(err, net_err_timeout);
		err = reason(x, err);
		release(x, false);
		if (!stale || !may_repeat(call, method))
			return err;
	}
	http_response *r = new_response(x, call->url);
	if (x->pc->m.no_body || r->content_length == 0) { /* nothing is to be read */
		error err = message_read_body(&x->pc->m);
		end_body(x, !err);
	}
	*out = r;
	return NULL;
}

/* Whether r says where to go on, and how: *call is what to ask then. */
static bool redirected(http_response *r, http_call *call, string *method)
{
	string to = http_response_header(r, S("Location"));
	bool again = r->status == 307 || r->status == 308;
	if (to.len == 0 || (!again && r->status != 301 && r->status != 302 && r->status != 303))
		return false;
	if (again && call->reader.read)
		return false; /* it cannot be read twice */
	if (!again) {
		if (!string_eq(*method, S("HEAD")))
			*method = S("GET");
		call->body = (slice(byte)){};
		call->reader = (io_reader){};
		call->expect_continue = false;
		call->header = head_without(call->header, S("Content-Type"));
	}
	call->url = url_resolve(call->url, to);
	return true;
}

/* `Get "http://x/"`, as Go puts it. */
static string what(string method, string url)
{
	return sprint("%s%s \"%s\"", slice_to(method, 1), strings_to_lower(slice_from(method, 1)), url);
}

static void set_up(http_client *c)
{
	mutex_lock(&c->mu);
	if (c->max_header_bytes == 0)
		c->max_header_bytes = MAX_HEADER;
	if (c->max_redirects == 0)
		c->max_redirects = MAX_REDIRECTS;
	if (c->max_idle_per_host == 0)
		c->max_idle_per_host = IDLE_PER_HOST;
	if (c->idle_timeout == 0)
		c->idle_timeout = IDLE_TIMEOUT;
	mutex_unlock(&c->mu);
}

error http_do(http_client *client, http_call *given, http_response **out)
{
	http_client *c = client ? client : &shared;
	http_call call = *given;
	string method = call.method.len ? call.method : S("GET"), host = S("");
	int64 deadline = c->timeout > 0 ? nanotime() + c->timeout : 0, at;
	if (!header_clean(method, S("")))
		rt_panic("http: method \"%.*s\"", (int)method.len, method.ptr);
	set_up(c);
	if (call.ctx && context_deadline(call.ctx, &at) && (!deadline || at < deadline))
		deadline = at;
	for (int hops = 0;; hops++) {
		struct client_exchange *x = new(struct client_exchange, .client = c, .ctx = call.ctx,
		                                .deadline = deadline, .what = what(method, call.url));
		struct url u;
		error err = url_parse(call.url, &u);
		if (!err && hops && hops > c->max_redirects)
			err = http_err_redirects;
		if (!err && call.ctx)
			err = context_err(call.ctx);
		if (err)
			return reason(x, err);
		if (hops && !string_eq(host, u.host)) /* secrets are not for others */
			call.header = head_without(head_without(head_without(call.header, S("Authorization")), S("Cookie")),
			                           S("Host"));
		host = u.host;
		err = round_trip(x, &call, method, &u, out);
		if (err || c->max_redirects < 0 || !redirected(*out, &call, &method))
			return err;
		http_response_close(*out);
	}
}

error http_get(string url, http_response **out)
{
	http_call call = { .url = url };
	return http_do(NULL, &call, out);
}

error http_post(string url, string type, slice(byte) body, http_response **out)
{
	http_call call = { .method = S("POST"), .url = url, .body = body };
	http_call_header(&call, S("Content-Type"), type);
	return http_do(NULL, &call, out);
}

void http_call_header(http_call *call, string name, string value)
{
	if (!header_clean(name, value))
		rt_panic("http: header \"%.*s\" is not one", (int)name.len, name.ptr);
	call->header = concat(head_without(call->header, name), name, S(": "), value, S("\r\n"));
}
