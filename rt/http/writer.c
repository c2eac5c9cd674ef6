/* writer.c: answers.
 *
 * The body collects in c->body.  If it is complete before that is full its
 * length is known and head and body go to c->out in one piece; else the head
 * goes out with Transfer-Encoding: chunked and each full buffer is a chunk.
 * c->out is sent when it is full, and before the connection's task waits for
 * more of the client: so pipelined answers share segments. */
#include "http.h"
#include "../libc.h"

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

error out_flush(struct http_conn *c)
{
	if (c->out_n == 0)
		return NULL;
	size_t n = c->out_n;
	c->out_n = 0;
	int64 now = nanotime();
	if (c->write_deadline < now + c->server->write_timeout / 2) {
		c->write_deadline = now + c->server->write_timeout;
		conn_set_write_deadline(c->conn, c->write_deadline);
	}
	error err = conn_write(c->conn, c->out, n, NULL);
	if (err)
		c->writer.failed = c->close = true;
	return err;
}

error out_put(struct http_conn *c, const void *p, size_t n)
{
	const char *from = p;
	error err = NULL;
	while (n && !err) {
		size_t k = OUT_MAX - c->out_n < n ? OUT_MAX - c->out_n : n;
		memcpy(c->out + c->out_n, from, k);
		c->out_n += (uint32_t)k;
		from += k;
		n -= k;
		if (c->out_n == OUT_MAX)
			err = out_flush(c);
	}
	return err;
}

void writer_begin(struct http_conn *c)
{
	c->writer = (struct http_writer){ .c = c, .code = 200,
		                          .no_body = string_eq(c->request.method, S("HEAD")) };
	c->body_len = 0;
}

/* A header must not end itself, nor the head. */
static bool clean(string s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == 0)
			return false;
	return true;
}

/* The lines of the head but that of this name. */
static string without(string head, string name)
{
	for (size_t at = 0; at < head.len;) {
		const char *nl = memchr(head.ptr + at, '\n', head.len - at);
		size_t end = (size_t)(nl - head.ptr) + 1;
		if (end - at > name.len && head.ptr[at + name.len] == ':' &&
		    equal_fold((string){ head.ptr + at, name.len }, name))
			return sprint("%s%s", ((string){ head.ptr, at }), ((string){ head.ptr + end, head.len - end }));
		at = end;
	}
	return head;
}

void http_set_header(http_writer *w, string name, string value)
{
	if (name.len == 0 || !clean(name) || !clean(value) || memchr(name.ptr, ':', name.len))
		rt_panic("http: header \"%.*s\" is not one", (int)name.len, name.ptr);
	if (w->sent_head)
		return;
	if (equal_fold(name, S("Content-Type")))
		w->has_type = true;
	else if (equal_fold(name, S("Content-Length")))
		w->has_length = true;
	else if (equal_fold(name, S("Date")))
		w->has_date = true;
	else if (equal_fold(name, S("Connection"))) {
		w->has_connection = true;
		if (equal_fold(value, S("close")))
			w->c->close = true;
	}
	w->head = sprint("%s%s: %s\r\n", without(w->head, name), name, value);
}

void http_status(http_writer *w, int code)
{
	if (code < 100 || code > 999)
		rt_panic("http: status %d", code);
	if (!w->sent_head)
		w->code = code;
}

/* A failure is in w->failed. */
static void put(struct http_conn *c, string s)
{
	errors_ignore(out_put(c, s.ptr, s.len));
}

/* Date is the same for all answers of a second. */
static void put_date(struct http_conn *c)
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
	put(c, copy);
}

/* What browsers would guess too, from the first bytes. */
static string guess_type(const byte *p, size_t n)
{
	for (size_t i = 0; i < n && i < 512; i++)
		if (p[i] < 9 || (p[i] > 13 && p[i] < 32 && p[i] != 27))
			return S("application/octet-stream");
	while (n && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
		p++;
		n--;
	}
	if (n >= 5 && (equal_fold((string){ (const char *)p, 5 }, S("<html")) ||
	               equal_fold((string){ (const char *)p, 5 }, S("<!doc"))))
		return S("text/html; charset=utf-8");
	return S("text/plain; charset=utf-8");
}

/* The head; length < 0: not known. */
static void put_head(http_writer *w, int64_t length)
{
	struct http_conn *c = w->c;
	char line[64];
	w->sent_head = true;
	put(c, (string){ line, (size_t)snprintf(line, sizeof line, "HTTP/1.1 %d ", w->code) });
	put(c, http_status_text(w->code));
	put(c, S("\r\n"));
	put(c, w->head);
	if (!w->has_date)
		put_date(c);
	bool bodyless = w->code < 200 || w->code == 204 || w->code == 304;
	if (!w->has_type && !bodyless && c->body_len) {
		put(c, S("Content-Type: "));
		put(c, guess_type(c->body, c->body_len));
		put(c, S("\r\n"));
	}
	if (bodyless) {
		w->no_body = true;
	} else if (!w->has_length) {
		if (length >= 0) {
			int n = snprintf(line, sizeof line, "Content-Length: %lld\r\n", (long long)length);
			put(c, (string){ line, (size_t)n });
		} else if (c->request.http10) {
			c->close = true; /* the end of the connection is the end of the body */
		} else {
			w->chunked = !w->no_body;
			put(c, S("Transfer-Encoding: chunked\r\n"));
		}
	}
	if (!w->has_connection && c->close)
		put(c, S("Connection: close\r\n"));
	else if (!w->has_connection && c->request.http10)
		put(c, S("Connection: keep-alive\r\n"));
	put(c, S("\r\n"));
}

/* What has collected of the body, after the head. */
static void put_body(http_writer *w)
{
	struct http_conn *c = w->c;
	if (!w->no_body && c->body_len) {
		char size[16];
		if (w->chunked)
			put(c, (string){ size, (size_t)snprintf(size, sizeof size, "%x\r\n", c->body_len) });
		put(c, (string){ (char *)c->body, c->body_len });
		if (w->chunked)
			put(c, S("\r\n"));
	}
	c->body_len = 0;
}

static error failed(const http_writer *w)
{
	return w->failed ? net_err_closed : NULL;
}

error http_write(http_writer *w, const void *p, size_t n)
{
	struct http_conn *c = w->c;
	const char *from = p;
	while (n && !w->failed) {
		if (c->body_len == OUT_MAX) {
			if (!w->sent_head)
				put_head(w, -1);
			put_body(w);
		}
		size_t k = OUT_MAX - c->body_len < n ? OUT_MAX - c->body_len : n;
		memcpy(c->body + c->body_len, from, k);
		c->body_len += (uint32_t)k;
		from += k;
		n -= k;
	}
	return failed(w);
}

error http_flush(http_writer *w)
{
	if (!w->sent_head)
		put_head(w, -1);
	put_body(w);
	errors_ignore(out_flush(w->c));
	return failed(w);
}

error writer_end(struct http_conn *c)
{
	http_writer *w = &c->writer;
	if (!w->sent_head)
		put_head(w, c->body_len);
	put_body(w);
	if (w->chunked)
		put(c, S("0\r\n\r\n"));
	return failed(w);
}

void http_error(http_writer *w, int code, string text)
{
	if (w->sent_head)
		return;
	w->c->body_len = 0;
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
