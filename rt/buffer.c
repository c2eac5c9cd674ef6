/* buffer.c: buffers of bytes (Go: bytes.Buffer).
 *
 * buf[off:] is what is not read yet.  When room is wanted, what was read is
 * dropped first, if that is at least half. */
#include "rt.h"
#include "text.h"
#include "api_io.h"
#include "api_bytes.h"

static define_error(unread_byte, "bytes.Buffer: UnreadByte: previous operation was not a successful read");
static define_error(unread_rune, "bytes.Buffer: UnreadRune: previous operation was not a successful ReadRune");

slice(byte) buffer_bytes(const bytes_buffer *b)
{
	return slice_from(b->buf, b->off);
}

string buffer_string(const bytes_buffer *b)
{
	return string_of(buffer_bytes(b));
}

void buffer_reset(bytes_buffer *b)
{
	b->buf.len = b->off = 0;
	b->last = 0;
}

void buffer_truncate(bytes_buffer *b, size_t n)
{
	if (n > buffer_len(b))
		rt_panic("bytes.Buffer: truncation out of range");
	b->last = 0;
	if (n == 0)
		buffer_reset(b);
	else
		b->buf.len = b->off + n;
}

static void room(bytes_buffer *b, size_t n)
{
	b->last = 0;
	if (b->off == b->buf.len)
		b->buf.len = b->off = 0;
	if (b->buf.cap - b->buf.len >= n)
		return;
	if (b->off && b->off >= b->buf.cap / 2) {
		size_t left = copy(b->buf, buffer_bytes(b));

		b->buf.len = left;
		b->off = 0;
	}
	if (n > INT64_MAX)
		rt_panic("bytes.Buffer: too large");
	b->buf = slices_grow(b->buf, (int64_t)n);
}

void buffer_grow(bytes_buffer *b, int64_t n)
{
	if (n < 0)
		rt_panic("bytes.Buffer.Grow: negative count");
	room(b, (size_t)n);
}

void buffer_write_string(bytes_buffer *b, string s)
{
	room(b, s.len);
	b->buf = append_slice(b->buf, s);
}

void buffer_write(bytes_buffer *b, slice(byte) p)
{
	buffer_write_string(b, string_view(p));
}

void buffer_write_byte(bytes_buffer *b, byte c)
{
	room(b, 1);
	b->buf = append(b->buf, c);
}

void buffer_write_rune(bytes_buffer *b, rune r)
{
	char p[UTFMax];

	buffer_write_string(b, (string){ p, utf8_encode_rune(p, r) });
}

void rt_buffer_printf(bytes_buffer *b, unsigned kinds, const char *fmt, ...)
{
	builder text;
	va_list ap;

	room(b, 0);
	text.buf = b->buf;
	va_start(ap, fmt);
	rt_vformat(&text, NULL, kinds, fmt, ap);
	va_end(ap);
	b->buf = text.buf;
}

/* ---- reading ----------------------------------------------------------------- */

error buffer_read(bytes_buffer *b, slice(byte) p, size_t *n)
{
	size_t got = copy(p, buffer_bytes(b));

	b->last = got ? -1 : 0;
	b->off += got;
	if (n)
		*n = got;
	return got || !p.len ? NULL : io_eof;
}

error buffer_read_byte(bytes_buffer *b, byte *c)
{
	return buffer_read(b, slice_from_array(byte, c, 1), NULL);
}

error buffer_read_rune(bytes_buffer *b, rune *r, size_t *size)
{
	*r = utf8_decode_rune(string_view(buffer_bytes(b)), size);
	b->last = (int)*size;
	b->off += *size;
	if (*size)
		return NULL;
	*r = 0;
	return io_eof;
}

error buffer_unread_byte(bytes_buffer *b)
{
	if (!b->last)
		return unread_byte;
	b->last = 0;
	b->off--;
	return NULL;
}

error buffer_unread_rune(bytes_buffer *b)
{
	if (b->last <= 0)
		return unread_rune;
	b->off -= (size_t)b->last;
	b->last = 0;
	return NULL;
}

slice(byte) buffer_next(bytes_buffer *b, size_t n)
{
	slice(byte) p = buffer_bytes(b);

	p = slice_of3(p, 0, n < p.len ? n : p.len, n < p.len ? n : p.len);
	b->off += p.len;
	b->last = p.len ? -1 : 0;
	return p;
}

error buffer_read_bytes(bytes_buffer *b, byte delim, slice(byte) *p)
{
	slice(byte) rest = buffer_bytes(b);
	ptrdiff_t i = bytes_index_byte(rest, delim);

	*p = bytes_clone(buffer_next(b, i < 0 ? rest.len : (size_t)i + 1));
	return i < 0 ? io_eof : NULL;
}

error buffer_read_string(bytes_buffer *b, byte delim, string *s)
{
	slice(byte) p;
	error err = buffer_read_bytes(b, delim, &p);

	*s = string_view(p);
	return err;
}

error buffer_read_from(bytes_buffer *b, io_reader r, int64_t *n)
{
	return io_copy(buffer_writer(b), r, n);
}

error buffer_write_to(bytes_buffer *b, io_writer w, int64_t *n)
{
	size_t done = 0;
	error err = buffer_len(b) ? io_write(w, buffer_bytes(b), &done) : NULL;

	b->off += done;
	b->last = 0;
	if (n)
		*n = (int64_t)done;
	return err;
}

static error as_reader(void *self, slice(byte) p, size_t *n)
{
	return buffer_read(self, p, n);
}

static error as_writer(void *self, slice(byte) p, size_t *n)
{
	buffer_write(self, p);
	*n = p.len;
	return NULL;
}

io_reader buffer_reader(bytes_buffer *b)
{
	return (io_reader){ as_reader, b };
}

io_writer buffer_writer(bytes_buffer *b)
{
	return (io_writer){ as_writer, b };
}
