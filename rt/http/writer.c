/* writer.c: answers.
 *
 * The body collects in c->body.  If it is complete before that is full its
 * length is known and head and body go to c->out in one piece; else the head
 * goes out with Transfer-Encoding: chunked and each full buffer is a chunk.
 * c->out is sent when it is full, and before the connection's task waits for
 * more of the client: so pipelined answers share segments. */
#include "http.h"
#include "../api_strconv.h"
#include "../libc.h"

#define THROUGH_MAX (64 * 1024)

define_error(http_err_content_length, "http: wrote more than the declared Content-Length");

static const struct {
	short code;
	const char *text;
} status_texts[] = {
	{ 100, "Continue" }, { 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" },
	{ 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" }, { 301, "Moved Permanently" },
	{ 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" }, { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
	{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
	{ 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" }, { 411, "Length Required" },
	{ 412, "Precondition Failed" }, { 413, "Request Entity Too Large" }, { 414, "Request URI Too Long" },
	{ 415, "Unsupported Media Type" }, { 416, "Requested Range Not Satisfiable" },
	{ 417, "Expectation Failed" }, { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" },
	{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
};

string http_status_text(int code)
{
	for (size_t i = 0; i < sizeof status_texts / sizeof status_texts[0]; i++)
		if (status_texts[i].code == code)
			return (string){ status_texts[i].text, strlen(status_texts[i].text) };
	return S("");
}

/* At least half of the write timeout from now on. */
static void refresh_write_deadline(struct http_conn *c)
{
	int64 now = nanotime();
	if (c->write_deadline < now + c->server->write_timeout / 2) {
		c->write_deadline = now + c->server->write_timeout;
		conn_set_write_deadline(c->conn, c->write_deadline);
	}
}

static error send_now(struct http_exchange *x, const void *p, size_t n)
{
	refresh_write_deadline(x->c);
	error err = conn_write(x->c->conn, p, n, NULL);
	if (err)
		x->writer.failed = x->c->close = true;
	return err;
}

error out_flush(struct http_exchange *x)
{
	size_t n = x->out_n;
	x->out_n = 0;
	return n ? send_now(x, x->out, n) : NULL;
}

error out_put(struct http_exchange *x, const void *p, size_t n)
{
	const char *from = p;
	error err = NULL;
	if (likely(n < OUT_MAX - x->out_n)) {
		memcpy(x->out + x->out_n, p, n);
		x->out_n += (uint32_t)n;
		return NULL;
	}
	while (n && !err) {
		size_t k = OUT_MAX - x->out_n < n ? OUT_MAX - x->out_n : n;
		memcpy(x->out + x->out_n, from, k);
		x->out_n += (uint32_t)k;
		from += k;
		n -= k;
		if (x->out_n == OUT_MAX)
			err = out_flush(x);
	}
	return err;
}

void writer_begin(struct http_exchange *x)
{
	x->writer = (struct http_writer){ .x = x, .code = 200,
		                          .no_body = string_eq(x->request.method, S("HEAD")) };
	x->body_len = 0;
}

static void set_length(http_writer *w, string value)
{
	uint64_t n;
	if (strconv_parse_uint(value, 10, 63, &n))
		rt_panic("http: Content-Length \"%.*s\"", (int)value.len, value.ptr);
	w->has_length = true;
	w->length = (int64_t)n;
}

void http_set_header(http_writer *w, string name, string value)
{
	if (!header_clean(name, value))
		rt_panic("http: header \"%.*s\" is not one", (int)name.len, name.ptr);
	if (w->sent_head)
		return;
	if (equal_fold(name, S("Content-Type")))
		w->has_type = true;
	else if (equal_fold(name, S("Content-Length")))
		set_length(w, value);
	else if (equal_fold(name, S("Date")))
		w->has_date = true;
	else if (equal_fold(name, S("Connection"))) {
		w->has_connection = true;
		if (equal_fold(value, S("close")))
			w->x->c->close = true;
	}
	w->head = concat(head_without(w->head, name), name, S(": "), value, S("\r\n"));
}

void http_status(http_writer *w, int code)
{
	if (code < 100 || code > 999)
		rt_panic("http: status %d", code);
	if (!w->sent_head)
		w->code = code;
}

/* A failure is in w->failed. */
static void put(struct http_exchange *x, string s)
{
	if (s.len) /* an empty string may have no address */
		errors_ignore(out_put(x, s.ptr, s.len));
}

static void put_number(struct http_exchange *x, uint64_t v, int base)
{
	byte digits[20];
	slice(byte) s = strconv_append_uint((slice(byte)){ .ptr = digits, .cap = sizeof digits }, v, base);
	put(x, (string){ (char *)s.ptr, s.len });
}

/* Date is the same for all answers of a second. */
static void put_date(struct http_exchange *x)
{
	static mutex mu;
	static int64_t second;
	static string line;
	int64_t now = unix_nano() / Second;
	mutex_lock(&mu);
	if (now != second || !line.len) {
		line = sprint("Date: %s\r\n", rt_time_format(time_unix(now, 0), S("Mon, 02 Jan 2006 15:04:05 GMT")));
		second = now;
	}
	string copy = line;
	mutex_unlock(&mu);
	put(x, copy);
}

/* The head; length < 0: not known; body: its first n bytes. */
static void put_head(http_writer *w, int64_t length, const byte *body, size_t n)
{
	struct http_exchange *x = w->x;
	w->sent_head = true;
	if (likely(w->code == 200)) {
		put(x, S("HTTP/1.1 200 OK\r\n"));
	} else {
		put(x, S("HTTP/1.1 "));
		put_number(x, (uint64_t)w->code, 10);
		put(x, S(" "));
		put(x, http_status_text(w->code));
		put(x, S("\r\n"));
	}
	put(x, w->head);
	if (!w->has_date)
		put_date(x);
	bool bodyless = w->code < 200 || w->code == 204 || w->code == 304;
	if (!w->has_type && !bodyless && n) {
		put(x, S("Content-Type: "));
		put(x, http_detect_type(body, n));
		put(x, S("\r\n"));
	}
	if (bodyless) {
		w->no_body = true;
	} else if (!w->has_length) {
		if (length >= 0) {
			put(x, S("Content-Length: "));
			put_number(x, (uint64_t)length, 10);
			put(x, S("\r\n"));
		} else if (x->request.http10) {
			x->c->close = true; /* the end of the connection is the end of the body */
		} else {
			w->chunked = !w->no_body;
			put(x, S("Transfer-Encoding: chunked\r\n"));
		}
	}
	if (!w->has_connection && x->c->close)
		put(x, S("Connection: close\r\n"));
	else if (!w->has_connection && x->request.http10)
		put(x, S("Connection: keep-alive\r\n"));
	put(x, S("\r\n"));
}

/* What has collected of the body, after the head. */
static void put_body(http_writer *w)
{
	struct http_exchange *x = w->x;
	if (!w->no_body && x->body_len) {
		if (w->chunked) {
			put_number(x, x->body_len, 16);
			put(x, S("\r\n"));
		}
		put(x, (string){ (char *)x->body, x->body_len });
		if (w->chunked)
			put(x, S("\r\n"));
	}
	x->body_len = 0;
}

static error failed(const http_writer *w)
{
	return w->failed ? net_err_closed : NULL;
}

/* Whole buffers of a body whose length is known go out from where they lie. */
static void write_through(http_writer *w, const byte *p, size_t n)
{
	errors_ignore(out_flush(w->x));
	while (n && !w->failed) {
		size_t k = n < THROUGH_MAX ? n : THROUGH_MAX; /* each within the write timeout */
		errors_ignore(send_now(w->x, p, k));
		p += k;
		n -= k;
	}
}

error http_write(http_writer *w, const void *p, size_t n)
{
	struct http_exchange *x = w->x;
	const byte *from = p;
	bool too_much = w->has_length && n > (uint64_t)(w->length - w->written);
	if (too_much)
		n = (size_t)(w->length - w->written);
	w->written += (int64_t)n;
	while (n && !w->failed && !(w->no_body && w->sent_head)) {
		if (w->has_length && !w->no_body && !x->body_len && n >= OUT_MAX) {
			if (!w->sent_head)
				put_head(w, w->length, from, n);
			write_through(w, from, n);
			break;
		}
		if (x->body_len == OUT_MAX) {
			if (!w->sent_head)
				put_head(w, -1, x->body, x->body_len);
			put_body(w);
		}
		size_t k = OUT_MAX - x->body_len < n ? OUT_MAX - x->body_len : n;
		memcpy(x->body + x->body_len, from, k);
		x->body_len += (uint32_t)k;
		from += k;
		n -= k;
	}
	return w->failed ? net_err_closed : too_much ? http_err_content_length : NULL;
}

static error writer_write(void *w, slice(byte) p, size_t *n)
{
	error err = http_write(w, p.ptr, p.len);
	*n = err ? 0 : p.len;
	return err;
}

io_writer http_body(http_writer *w)
{
	return (io_writer){ writer_write, w };
}

error http_flush(http_writer *w)
{
	struct http_exchange *x = w->x;
	if (!w->sent_head)
		put_head(w, -1, x->body, x->body_len);
	put_body(w);
	errors_ignore(out_flush(x));
	return failed(w);
}

error writer_end(struct http_exchange *x)
{
	http_writer *w = &x->writer;
	if (!w->sent_head)
		put_head(w, x->body_len, x->body, x->body_len);
	put_body(w);
	if (w->has_length && !w->no_body && w->written < w->length)
		x->c->close = true; /* the client must not take what follows for the rest */
	if (w->chunked)
		put(x, S("0\r\n\r\n"));
	return failed(w);
}

void http_error(http_writer *w, int code, string text)
{
	if (w->sent_head)
		return;
	w->x->body_len = 0;
	w->written = 0;
	w->has_length = false; /* they were meant for another body; as Go */
	w->head = head_without(head_without(head_without(w->head, S("Content-Length")), S("Content-Encoding")), S("ETag"));
	http_status(w, code);
	http_set_header(w, S("Content-Type"), S("text/plain; charset=utf-8"));
	http_set_header(w, S("X-Content-Type-Options"), S("nosniff"));
	http_print(w, "%s\n", text);
}

void http_redirect(http_writer *w, int code, string to)
{
	http_set_header(w, S("Location"), to);
	http_error(w, code, http_status_text(code));
}
