/* bufio.c: buffered readers and writers (Go: package bufio; scanners are in
 * bufioscan.c).
 *
 * Reader: buf[r:w] is what was read and not yet taken; err is the reader's, kept
 * until that is taken.  Writer: buf[0:n] waits to be written. */
#include "rt.h"
#include "type.h"
#include "text.h"
#include "api_io.h"
#include "api_bufio.h"

#define SIZE 4096
#define LEAST 16
#define EMPTY_READS 100

struct bufio_reader {
	io_reader rd;
	slice(byte) buf;
	size_t r, w;
	error err;
	int last;         /* the byte read last, -1: none */
	size_t last_rune; /* bytes of the code point read last, 0: it was none */
};

struct bufio_writer {
	io_writer wr;
	slice(byte) buf;
	size_t n;
	error err;
};

define_error(bufio_buffer_full, "bufio: buffer full");
define_error(bufio_invalid_unread_byte, "bufio: invalid use of UnreadByte");
define_error(bufio_invalid_unread_rune, "bufio: invalid use of UnreadRune");

bufio_reader *bufio_new_reader_size(io_reader r, size_t size)
{
	bufio_reader *b = rt_malloc(sizeof *b, RT_TYPE(bufio_reader));

	*b = (bufio_reader){ .rd = r, .buf = make_slice(byte, size < LEAST ? LEAST : size), .last = -1 };
	return b;
}

bufio_reader *bufio_new_reader(io_reader r)
{
	return bufio_new_reader_size(r, SIZE);
}

size_t bufio_buffered(const bufio_reader *b)
{
	return b->w - b->r;
}

static error take_err(bufio_reader *b)
{
	error err = b->err;

	b->err = NULL;
	return err;
}

/* Reads once, for room that there must be. */
static void fill(bufio_reader *b)
{
	size_t n = 0;

	if (b->r) {
		copy(b->buf, slice_of(b->buf, b->r, b->w));
		b->w -= b->r;
		b->r = 0;
	}
	for (int empty = 0; empty < EMPTY_READS; empty++) {
		b->err = io_read(b->rd, slice_of(b->buf, b->w, b->buf.len), &n);
		b->w += n;
		if (n || b->err)
			return;
	}
	b->err = io_no_progress;
}

/* n bytes are done with. */
static void advance(bufio_reader *b, size_t n)
{
	b->r += n;
	b->last = n ? b->buf.ptr[b->r - 1] : b->last;
	b->last_rune = 0;
}

error bufio_read(bufio_reader *b, slice(byte) p, size_t *n)
{
	size_t got = 0;

	if (n)
		*n = 0;
	if (!p.len)
		return b->r < b->w ? NULL : take_err(b);
	if (b->r == b->w) {
		if (b->err)
			return take_err(b);
		if (p.len >= b->buf.len) { /* not by way of the buffer */
			b->err = io_read(b->rd, p, &got);
			if (got) {
				b->last = p.ptr[got - 1];
				b->last_rune = 0;
			}
			if (n)
				*n = got;
			return take_err(b);
		}
		b->r = b->w = 0;
		b->err = io_read(b->rd, b->buf, &got);
		if (!got)
			return take_err(b);
		b->w = got;
	}
	got = copy(p, slice_of(b->buf, b->r, b->w));
	advance(b, got);
	if (n)
		*n = got;
	return NULL;
}

static error reader_read(void *self, slice(byte) p, size_t *n)
{
	return bufio_read(self, p, n);
}

io_reader bufio_reader_reader(bufio_reader *b)
{
	return (io_reader){ reader_read, b };
}

error bufio_read_byte(bufio_reader *b, byte *c)
{
	*c = 0;
	while (b->r == b->w) {
		if (b->err)
			return take_err(b);
		fill(b);
	}
	*c = b->buf.ptr[b->r];
	advance(b, 1);
	return NULL;
}

error bufio_unread_byte(bufio_reader *b)
{
	if (b->last < 0 || (b->r == 0 && b->w > 0))
		return bufio_invalid_unread_byte;
	if (b->r > 0)
		b->r--;
	else
		b->w = 1;
	b->buf.ptr[b->r] = (byte)b->last;
	b->last = -1;
	b->last_rune = 0;
	return NULL;
}

error bufio_read_rune(bufio_reader *b, rune *r, size_t *size)
{
	string s;

	for (;;) {
		s = string_view(slice_of(b->buf, b->r, b->w));
		if (b->w - b->r >= UTFMax || utf8_full_rune(s) || b->err)
			break;
		fill(b);
	}
	*r = utf8_decode_rune(s, size);
	if (!*size) {
		*r = 0;
		return take_err(b);
	}
	advance(b, *size);
	b->last_rune = *size;
	return NULL;
}

error bufio_unread_rune(bufio_reader *b)
{
	if (!b->last_rune || b->r < b->last_rune)
		return bufio_invalid_unread_rune;
	b->r -= b->last_rune;
	b->last = -1;
	b->last_rune = 0;
	return NULL;
}

error bufio_peek(bufio_reader *b, size_t n, slice(byte) *p)
{
	b->last = -1;
	b->last_rune = 0;
	while (b->w - b->r < n && b->w - b->r < b->buf.len && !b->err)
		fill(b);
	if (n > b->buf.len) {
		*p = slice_of3(b->buf, b->r, b->w, b->w);
		return bufio_buffer_full;
	}
	if (b->w - b->r < n) {
		*p = slice_of3(b->buf, b->r, b->w, b->w);
		return b->err ? take_err(b) : bufio_buffer_full;
	}
	*p = slice_of3(b->buf, b->r, b->r + n, b->r + n);
	return NULL;
}

error bufio_discard(bufio_reader *b, size_t n, size_t *done)
{
	size_t left = n;

	while (left) {
		size_t have = b->w - b->r < left ? b->w - b->r : left;

		advance(b, have);
		left -= have;
		if (!left)
			break;
		if (b->err)
			break;
		fill(b);
	}
	if (done)
		*done = n - left;
	return left ? take_err(b) : NULL;
}

error bufio_read_slice(bufio_reader *b, byte delim, slice(byte) *p)
{
	error err = NULL;
	size_t seen = 0;

	for (;;) {
		string s = string_view(slice_of(b->buf, b->r + seen, b->w));
		ptrdiff_t i = strings_index_byte(s, delim);

		if (i >= 0) {
			*p = slice_of3(b->buf, b->r, b->r + seen + (size_t)i + 1, b->r + seen + (size_t)i + 1);
			break;
		}
		if (b->err || b->w - b->r == b->buf.len) {
			err = b->err ? take_err(b) : bufio_buffer_full;
			*p = slice_of3(b->buf, b->r, b->w, b->w);
			break;
		}
		seen = b->w - b->r;
		fill(b);
	}
	advance(b, p->len);
	return err;
}

error bufio_read_bytes(bufio_reader *b, byte delim, slice(byte) *p)
{
	slice(byte) all = {}, more;
	error err;

	do {
		err = bufio_read_slice(b, delim, &more);
		all = append_slice(all, more);
	} while (err == bufio_buffer_full);
	*p = all;
	return err;
}

error bufio_read_string(bufio_reader *b, byte delim, string *s)
{
	slice(byte) p;
	error err = bufio_read_bytes(b, delim, &p);

	*s = string_view(p);
	return err;
}

/* ---- writing ----------------------------------------------------------------- */

bufio_writer *bufio_new_writer_size(io_writer w, size_t size)
{
	bufio_writer *b = rt_malloc(sizeof *b, RT_TYPE(bufio_writer));

	*b = (bufio_writer){ .wr = w, .buf = make_slice(byte, size ? size : SIZE) };
	return b;
}

bufio_writer *bufio_new_writer(io_writer w)
{
	return bufio_new_writer_size(w, SIZE);
}

size_t bufio_available(const bufio_writer *b)
{
	return b->buf.len - b->n;
}

error bufio_flush(bufio_writer *b)
{
	size_t done = 0;

	if (b->err || !b->n)
		return b->err;
	b->err = io_write(b->wr, slice_to(b->buf, b->n), &done);
	if (b->err) /* what was not written stays */
		copy(b->buf, slice_of(b->buf, done, b->n));
	b->n -= done;
	return b->err;
}

error bufio_write(bufio_writer *b, slice(byte) p, size_t *n)
{
	size_t total = 0, put;

	while (p.len > bufio_available(b) && !b->err) {
		if (!b->n) { /* not by way of the buffer */
			b->err = io_write(b->wr, p, &put);
		} else {
			put = copy(slice_from(b->buf, b->n), p);
			b->n += put;
			errors_ignore(bufio_flush(b)); /* it stays in b->err */
		}
		total += put;
		p = slice_from(p, put);
	}
	if (!b->err) {
		put = copy(slice_from(b->buf, b->n), p);
		b->n += put;
		total += put;
	}
	if (n)
		*n = total;
	return b->err;
}

error bufio_write_string(bufio_writer *b, string s)
{
	return bufio_write(b, (slice(byte)){ (byte *)s.ptr, s.len, s.len }, NULL);
}

error bufio_write_byte(bufio_writer *b, byte c)
{
	return bufio_write(b, (slice(byte)){ &c, 1, 1 }, NULL);
}

error bufio_write_rune(bufio_writer *b, rune r)
{
	char p[UTFMax];

	return bufio_write_string(b, (string){ p, utf8_encode_rune(p, r) });
}

static error writer_write(void *self, slice(byte) p, size_t *n)
{
	return bufio_write(self, p, n);
}

io_writer bufio_writer_writer(bufio_writer *b)
{
	return (io_writer){ writer_write, b };
}
