/* events.c: answers that go on: a request's context, and server-sent events
 * (WHATWG HTML, section 9.2).
 *
 * The context is made when a handler asks for it.  A task of its own then waits
 * for the connection's end, which lwIP's callbacks signal (lend.h), and cancels
 * it; at the request's end that task is woken and ends. */
#include "http.h"

struct watch {
	struct io_event ev;
	conn *conn;
	context *ctx;
	bool over;   /* the request is; atomic, release before ev's signal */
};

static void watch_end(struct watch *w)
{
	while (!__atomic_load_n(&w->over, __ATOMIC_ACQUIRE) && !conn_ended(w->conn))
		io_wait(&w->ev);
	context_cancel(w->ctx);
}

context *http_context(http_request *r)
{
	struct http_exchange *x = r->x;
	if (!x->watch) {
		x->watch = new(struct watch, .conn = x->c->conn, .ctx = context_with_cancel(context_background()));
		conn_notify_end(x->c->conn, &x->watch->ev);
		go(watch_end, x->watch);
	}
	return x->watch->ctx;
}

void watch_stop(struct http_exchange *x)
{
	struct watch *w = x->watch;
	x->watch = NULL;
	conn_notify_end(x->c->conn, NULL);
	__atomic_store_n(&w->over, true, __ATOMIC_RELEASE);
	io_signal(&w->ev);
}

/* A field of one line: what ends lines would end it. */
static void put_field(builder *b, string name, string value)
{
	if (value.len == 0)
		return;
	if (strings_contains_any(value, S("\r\n")))
		rt_panic("http: event %.*s of several lines", (int)name.len, name.ptr);
	builder_write(b, name);
	builder_write(b, S(": "));
	builder_write(b, value);
	builder_write(b, S("\n"));
}

/* Where the first line ends that \n, \r or \r\n may end. */
static bool cut_line(string s, string *line, string *rest)
{
	ptrdiff_t i = strings_index_any(s, S("\r\n"));
	*line = i < 0 ? s : (string){ s.ptr, (size_t)i };
	if (i < 0)
		return false;
	size_t skip = (size_t)i + 1 + (s.ptr[i] == '\r' && (size_t)i + 1 < s.len && s.ptr[i + 1] == '\n');
	*rest = (string){ s.ptr + skip, s.len - skip };
	return true;
}

error http_send_event(http_writer *w, http_event e)
{
	builder b = { 0 };
	string line, left = e.data;
	bool more = true;
	if (!w->sent_head) {
		http_set_header(w, S("Content-Type"), S("text/event-stream"));
		http_set_header(w, S("Cache-Control"), S("no-store"));
	}
	put_field(&b, S("event"), e.event);
	put_field(&b, S("id"), e.id);
	if (e.retry)
		builder_printf(&b, "retry: %lld\n", (long long)(e.retry / Millisecond));
	if (left.len == 0) /* without a line of data an event does not happen; a comment never does */
		builder_write(&b, e.event.len ? S("data:\n") : S(":\n"));
	while (left.len && more) {
		more = cut_line(left, &line, &left);
		builder_printf(&b, "data: %s\n", line);
	}
	builder_write(&b, S("\n"));
	error err = http_write(w, b.buf.ptr, b.buf.len);
	return err ? err : http_flush(w);
}
