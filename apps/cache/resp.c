/* resp.c: the protocol, RESP2 (redis.io/docs/reference/protocol-spec).
 *
 * A command is an array of bulk strings, or a line of words.  Words are not
 * copied: they are parts of the buffer, which holds the command being read and
 * what the client has sent ahead of time.  What is malformed gets Redis' answer
 * and ends the connection. */
#include <string.h>
#include "cache.h"

#define IN_SIZE 4096
#define OUT_SIZE ((size_t)16 << 10)  /* sent when it has so much */
#define KEEP ((size_t)64 << 10)      /* larger buffers go when they are empty */
#define LINE_MAX ((size_t)64 << 10)
#define WORDS_MAX (1 << 20)
#define PIECE ((size_t)64 << 10)     /* of which some must have gone before the timeout */

int64 write_timeout = 60 * Second;

/* ---- replies ----------------------------------------------------------------- */

error write_out(client *c, const byte *p, size_t n)
{
	error err = NULL;

	while (n && !err) {
		size_t k = n < PIECE ? n : PIECE;
		int64 now = nanotime();

		if (c->deadline < now + write_timeout / 8 * 7) { /* not each time: it moves a timer */
			c->deadline = now + write_timeout;
			conn_set_write_deadline(c->conn, c->deadline);
		}
		err = conn_write(c->conn, p, k, NULL);
		p += k;
		n -= k;
	}
	return err;
}

static void send_bytes(client *c, const void *p, size_t n)
{
	if (c->failed)
		return;
	if (!c->queue) {
		c->failed = write_out(c, p, n);
		return;
	}
	atomic_add(&c->queued, (int64)n);
	send(c->queue, string_from_bytes(p, n));
}

void flush(client *c)
{
	if (!len(c->out))
		return;
	send_bytes(c, c->out.ptr, len(c->out));
	c->out = cap(c->out) > KEEP ? (slice(byte)){} : slice_to(c->out, 0);
}

static void put(client *c, string s)
{
	if (len(c->out) + len(s) > OUT_SIZE)
		flush(c);
	if (len(s) > OUT_SIZE)
		send_bytes(c, s.ptr, len(s));
	else
		c->out = append_slice(c->out, s);
}

static void put_number(client *c, char kind, int64 n)
{
	char text[24], *p = text + sizeof text;
	uint64 u = n < 0 ? -(uint64)n : (uint64)n;

	*--p = '\n', *--p = '\r';
	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	if (n < 0)
		*--p = '-';
	*--p = kind;
	put(c, (string){ p, (size_t)(text + sizeof text - p) });
}

static void put_line(client *c, string kind, string s)
{
	put(c, kind);
	/* It must stay one line. */
	put(c, strings_contains_any(s, S("\r\n")) ? strings_replace_all(strings_replace_all(s, S("\r"), S(" ")), S("\n"), S(" ")) : s);
	put(c, S("\r\n"));
}

void reply_status(client *c, string s)
{
	put_line(c, S("+"), s);
}

void reply_ok(client *c)
{
	put(c, S("+OK\r\n"));
}

void reply_error_text(client *c, string s)
{
	put_line(c, S("-"), s);
}

void reply_int(client *c, int64 n)
{
	put_number(c, ':', n);
}

void reply_bulk(client *c, string s)
{
	put_number(c, '$', (int64)len(s));
	put(c, s);
	put(c, S("\r\n"));
}

void reply_nil(client *c)
{
	put(c, S("$-1\r\n"));
}

void reply_array(client *c, size_t n)
{
	put_number(c, '*', (int64)n);
}

/* ---- commands ------------------------------------------------------------------- */

/* More bytes behind those that are there. */
static error fill(client *c)
{
	size_t have = c->end - c->begin;

	if (c->end == len(c->in) || (!have && len(c->in) > KEEP)) {
		size_t size = 2 * have > IN_SIZE ? 2 * have : IN_SIZE;
		const byte *old = c->in.ptr + c->begin;
		slice(byte) to = have && size <= len(c->in) ? c->in : make_slice(byte, size);

		if (have)
			memmove(to.ptr, old, have);
		for_slice(i, a, c->args)
			a->ptr = (const char *)to.ptr + ((const byte *)a->ptr - old);
		c->in = to;
		c->begin = 0;
		c->end = have;
	}
	size_t got = 0;
	error err = conn_read(c->conn, c->in.ptr + c->end, len(c->in) - c->end, &got);

	c->end += got;
	return err;
}

static string rest(client *c)
{
	size_t at = c->begin + c->pos;

	return (string){ (const char *)c->in.ptr + at, c->end - at };
}

/* The line that comes next, without its end, if all of it is there. */
static bool take_line(client *c, string *line)
{
	string r = rest(c);
	ptrdiff_t n = strings_index_byte(r, '\n');

	if (n < 0)
		return false;
	c->pos += (size_t)n + 1;
	*line = strings_trim_suffix(slice_to(r, n), S("\r"));
	return true;
}

/* A count as every client sends it, kind and at most eight digits: taken if all of its
 * line is there.  What is not so is for take_line() and number(). */
static bool take_count(client *c, string r, byte kind, int64 max, int64 *n)
{
	size_t i = 1;
	int64 v = 0;

	if (len(r) < 4 || (byte)r.ptr[0] != kind)
		return false;
	for (; i < len(r) && i <= 8 && r.ptr[i] >= '0' && r.ptr[i] <= '9'; i++)
		v = v * 10 + (r.ptr[i] - '0');
	if (i == 1 || i + 2 > len(r) || r.ptr[i] != '\r' || r.ptr[i + 1] != '\n' || v > max)
		return false;
	c->pos += i + 2;
	*n = v;
	return true;
}

static error protocol_error(string what)
{
	return errors_new(concat(S("ERR Protocol error: "), what));
}

static bool number(string s, int64 max, int64 *n)
{
	return !strconv_parse_int(s, 10, 64, n) && *n <= max;
}

/* Goes on with what is there; *whole when the command is. */
static error parse(client *c, bool *whole)
{
	string line;

	*whole = false;
	while (!c->left) {
		string r = rest(c);

		if (!len(r))
			return NULL;
		if (take_count(c, r, '*', WORDS_MAX, &c->left))
			continue;
		if (!take_line(c, &line))
			return len(r) > LINE_MAX ? protocol_error(at(r, 0) == '*' ? S("too big mbulk count string")
			                                                         : S("too big inline request"))
			                         : NULL;
		if (!strings_has_prefix(line, S("*"))) {
			c->args = append_slice(c->args, strings_fields(line));
			if (len(c->args)) {
				*whole = true;
				return NULL;
			}
		} else if (!number(slice_from(line, 1), WORDS_MAX, &c->left)) {
			return protocol_error(S("invalid multibulk length"));
		}
		if (c->left < 0)
			c->left = 0;
	}
	for (; c->left; c->left--) {
		size_t before = c->pos;
		string r = rest(c);
		int64 n, max = atomic_load(&store.limit);

		if (!take_count(c, r, '$', max, &n)) {
			if (len(r) && at(r, 0) != '$')
				return protocol_error(sprint("expected '$', got '%c'", at(r, 0)));
			if (!take_line(c, &line))
				return len(r) > LINE_MAX ? protocol_error(S("too big bulk count string")) : NULL;
			if (!number(slice_from(line, 1), max, &n) || n < 0)
				return protocol_error(S("invalid bulk length"));
		}
		r = rest(c);
		if (len(r) < (size_t)n + 2) {
			c->pos = before;
			return NULL;
		}
		c->args = append(c->args, slice_to(r, n));
		c->pos += (size_t)n + 2;
	}
	*whole = true;
	return NULL;
}

error read_command(client *c)
{
	c->begin += c->pos;
	c->pos = 0;
	c->args = slice_to(c->args, 0);
	for (;;) {
		bool whole;
		error err = parse(c, &whole);

		if (err)
			reply_error_text(c, error_text(err));
		if (err || whole)
			return err;
		flush(c);
		err = c->failed ? c->failed : fill(c);
		if (err)
			return err;
	}
}
