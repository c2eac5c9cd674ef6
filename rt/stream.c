/* stream.c: readers and writers (Go: package io; the pipe is in pipe.c). */
#include "rt.h"
#include "type.h"
#include "text.h"
#include "api_io.h"

define_error(io_eof, "EOF");
define_error(io_unexpected_eof, "unexpected EOF");
define_error(io_short_write, "short write");
define_error(io_no_progress, "multiple Read calls return no data or error");

#define COPY_SIZE ((size_t)32 << 10) /* bytes io_copy moves at a time */
#define READ_ALL_SIZE 512            /* room io_read_all begins with */
#define EMPTY_READS 100              /* reads without a byte in a row that are too many */

error io_read(io_reader r, slice(byte) p, size_t *n)
{
	size_t got = 0;
	error err = r.read(r.self, p, &got);

	if (got > p.len)
		rt_panic("io: a reader returned %zu bytes for %zu", got, p.len);
	if (n)
		*n = got;
	return err;
}

error io_write(io_writer w, slice(byte) p, size_t *n)
{
	size_t done = 0;
	error err = w.write(w.self, p, &done);

	if (done > p.len)
		rt_panic("io: a writer took %zu bytes of %zu", done, p.len);
	if (!err && done < p.len)
		err = io_short_write;
	if (n)
		*n = done;
	return err;
}

error io_write_string(io_writer w, string s)
{
	return io_write(w, (slice(byte)){ (byte *)s.ptr, s.len, s.len }, NULL);
}

error rt_io_printf(io_writer w, unsigned kinds, const char *fmt, ...)
{
	builder b = {};
	va_list ap;

	va_start(ap, fmt);
	rt_vformat(&b, NULL, kinds, fmt, ap);
	va_end(ap);
	return io_write(w, b.buf, NULL);
}

error io_read_at_least(io_reader r, slice(byte) p, size_t min, size_t *n)
{
	size_t total = 0, got;
	error err = NULL;

	if (min > p.len)
		rt_panic("io: ReadAtLeast of %zu bytes into %zu", min, p.len);
	for (int empty = 0; total < min && !err; total += got) {
		err = io_read(r, slice_from(p, total), &got);
		empty = got ? 0 : empty + 1;
		if (!err && empty == EMPTY_READS)
			err = io_no_progress;
	}
	if (n)
		*n = total;
	if (total >= min)
		return NULL;
	return total && err == io_eof ? io_unexpected_eof : err;
}

error io_read_full(io_reader r, slice(byte) p, size_t *n)
{
	return io_read_at_least(r, p, p.len, n);
}

error io_read_all(io_reader r, slice(byte) *b)
{
	slice(byte) v = make_slice(byte, 0, READ_ALL_SIZE);
	error err = NULL;
	size_t got;

	for (int empty = 0; !err; v.len += got) {
		if (v.len == v.cap)
			v = slices_grow(v, READ_ALL_SIZE);
		err = io_read(r, slice_of(v, v.len, v.cap), &got);
		empty = got ? 0 : empty + 1;
		if (!err && empty == EMPTY_READS)
			err = io_no_progress;
	}
	*b = v;
	return err == io_eof ? NULL : err;
}

/* Up to n bytes, all if n < 0; io_eof only by the reader's end. */
static error copy_some(io_writer w, io_reader r, int64_t n, int64_t *done)
{
	size_t size = n < 0 || n > (int64_t)COPY_SIZE ? COPY_SIZE : (size_t)n;
	slice(byte) buf = make_slice(byte, size);
	int empty = 0;
	error err = NULL;

	for (*done = 0; n < 0 || *done < n;) {
		size_t got, put = 0;
		size_t most = n >= 0 && n - *done < (int64_t)size ? (size_t)(n - *done) : size;
		error end = io_read(r, slice_to(buf, most), &got);

		if (got)
			err = io_write(w, slice_to(buf, got), &put);
		*done += (int64_t)put;
		empty = got ? 0 : empty + 1;
		if (!err)
			err = !end && empty == EMPTY_READS ? io_no_progress : end;
		if (err)
			return err;
	}
	return NULL;
}

error io_copy(io_writer w, io_reader r, int64_t *n)
{
	int64_t done;
	error err = copy_some(w, r, -1, &done);

	if (n)
		*n = done;
	return err == io_eof ? NULL : err;
}

error io_copy_n(io_writer w, io_reader r, int64_t n, int64_t *done)
{
	int64_t did;
	error err = copy_some(w, r, n < 0 ? 0 : n, &did);

	if (done)
		*done = did;
	return did == n ? NULL : err;
}

/* ---- readers of readers ------------------------------------------------------ */

struct limited {
	io_reader r;
	int64_t left;
};

static error limited_read(void *self, slice(byte) p, size_t *n)
{
	struct limited *l = self;

	if (l->left <= 0)
		return io_eof;
	if ((int64_t)p.len > l->left)
		p = slice_to(p, l->left);

	error err = io_read(l->r, p, n);

	l->left -= (int64_t)*n;
	return err;
}

io_reader io_limit_reader(io_reader r, int64_t n)
{
	struct limited *l = rt_malloc(sizeof *l, RT_TYPE(struct limited));

	*l = (struct limited){ r, n };
	return (io_reader){ limited_read, l };
}

struct tee {
	io_reader r;
	io_writer w;
};

static error tee_read(void *self, slice(byte) p, size_t *n)
{
	struct tee *t = self;
	error err = io_read(t->r, p, n), werr = *n ? io_write(t->w, slice_to(p, *n), NULL) : NULL;

	return werr ? werr : err;
}

io_reader io_tee_reader(io_reader r, io_writer w)
{
	struct tee *t = rt_malloc(sizeof *t, RT_TYPE(struct tee));

	*t = (struct tee){ r, w };
	return (io_reader){ tee_read, t };
}

static error multi_read(void *self, slice(byte) p, size_t *n)
{
	slice(io_reader) *v = self;

	for (; v->len; *v = slice_from(*v, 1)) {
		error err = io_read(v->ptr[0], p, n);

		if (err != io_eof)
			return err;
		if (*n) {
			*v = slice_from(*v, 1);
			return v->len ? NULL : io_eof;
		}
	}
	return io_eof;
}

io_reader rt_io_multi_reader(slice(io_reader) v)
{
	slice(io_reader) *kept = rt_malloc(sizeof v, RT_TYPE(slice(io_reader)));

	*kept = v;
	return (io_reader){ multi_read, kept };
}

static error multi_write(void *self, slice(byte) p, size_t *n)
{
	slice(io_writer) *v = self;

	for (size_t i = 0; i < v->len; i++) {
		error err = io_write(v->ptr[i], p, n);

		if (err)
			return err;
	}
	*n = p.len;
	return NULL;
}

io_writer rt_io_multi_writer(slice(io_writer) v)
{
	slice(io_writer) *kept = rt_malloc(sizeof v, RT_TYPE(slice(io_writer)));

	*kept = v;
	return (io_writer){ multi_write, kept };
}

/* ---- ends ------------------------------------------------------------------------ */

static error discard_write(void *self, slice(byte) p, size_t *n)
{
	*n = p.len;
	return NULL;
}

static error stdout_write(void *self, slice(byte) p, size_t *n)
{
	print_string(string_view(p));
	*n = p.len;
	return NULL;
}

const io_writer io_discard = { discard_write, NULL }, os_stdout = { stdout_write, NULL };

static error string_read(void *self, slice(byte) p, size_t *n)
{
	string *s = self;

	if (!s->len)
		return io_eof;
	*n = copy(p, *s);
	*s = slice_from(*s, *n);
	return NULL;
}

io_reader strings_new_reader(string s)
{
	string *rest = rt_malloc(sizeof *rest, RT_TYPE(string));

	*rest = s;
	return (io_reader){ string_read, rest };
}

io_reader bytes_new_reader(slice(byte) b)
{
	return strings_new_reader(string_view(b));
}
