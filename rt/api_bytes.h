/* api_bytes.h: package bytes (part of ingot.h): what package strings does, on
 * slices of bytes, and buffers.
 *
 * Results that are a part of the argument share it, with no capacity beyond
 * their length; functions that change bytes return new ones.  Context any where
 * nothing is allocated, else task. */
#ifndef INGOT_API_BYTES_H
#define INGOT_API_BYTES_H

#ifndef INGOT_API_IO_H
#error "include ingot.h"
#endif

/* The type []byte as one word, for [][]byte: slice(byte_slice). */
typedef slice(byte) byte_slice;
declare_slice(byte_slice);

/* ---- package bytes: see strings_... in api_string.h ------------------------------ */

static inline slice(byte) rt_bytes_of_part(string s)
{
	return (slice(byte)){ (byte *)s.ptr, s.len, s.len };
}
/* The same bytes; <0, 0, >0 by bytes; equal but for the case of letters. */
static inline bool bytes_equal(slice(byte) a, slice(byte) b)
{
	return string_eq(string_view(a), string_view(b));
}
static inline int bytes_compare(slice(byte) a, slice(byte) b)
{
	return string_cmp(string_view(a), string_view(b));
}
static inline bool bytes_equal_fold(slice(byte) a, slice(byte) b)
{
	return strings_equal_fold(string_view(a), string_view(b));
}
/* The index of the first (last) t, byte, code point, code point of chars, code point for
 * which f is true; -1 if there is none. */
static inline ptrdiff_t bytes_index(slice(byte) b, slice(byte) t)
{
	return strings_index(string_view(b), string_view(t));
}
static inline ptrdiff_t bytes_last_index(slice(byte) b, slice(byte) t)
{
	return strings_last_index(string_view(b), string_view(t));
}
static inline ptrdiff_t bytes_index_byte(slice(byte) b, byte c)
{
	return strings_index_byte(string_view(b), c);
}
static inline ptrdiff_t bytes_last_index_byte(slice(byte) b, byte c)
{
	return strings_last_index_byte(string_view(b), c);
}
static inline ptrdiff_t bytes_index_rune(slice(byte) b, rune r)
{
	return strings_index_rune(string_view(b), r);
}
static inline ptrdiff_t bytes_index_any(slice(byte) b, string chars)
{
	return strings_index_any(string_view(b), chars);
}
static inline ptrdiff_t bytes_index_func(slice(byte) b, bool (*f)(rune))
{
	return strings_index_func(string_view(b), f);
}
/* Whether t is in b; how often, without overlap; whether b begins, ends with it. */
static inline bool bytes_contains(slice(byte) b, slice(byte) t)
{
	return bytes_index(b, t) >= 0;
}
static inline size_t bytes_count(slice(byte) b, slice(byte) t)
{
	return strings_count(string_view(b), string_view(t));
}
static inline bool bytes_has_prefix(slice(byte) b, slice(byte) prefix)
{
	return strings_has_prefix(string_view(b), string_view(prefix));
}
static inline bool bytes_has_suffix(slice(byte) b, slice(byte) suffix)
{
	return strings_has_suffix(string_view(b), string_view(suffix));
}
/* b without white space, code points of cutset, code points for which f is true, at both
 * ends or one; without one prefix or suffix.  Shares b. */
static inline slice(byte) bytes_trim_space(slice(byte) b)
{
	return rt_bytes_of_part(strings_trim_space(string_view(b)));
}
static inline slice(byte) bytes_trim(slice(byte) b, string cutset)
{
	return rt_bytes_of_part(strings_trim(string_view(b), cutset));
}
static inline slice(byte) bytes_trim_left(slice(byte) b, string cutset)
{
	return rt_bytes_of_part(strings_trim_left(string_view(b), cutset));
}
static inline slice(byte) bytes_trim_right(slice(byte) b, string cutset)
{
	return rt_bytes_of_part(strings_trim_right(string_view(b), cutset));
}
static inline slice(byte) bytes_trim_func(slice(byte) b, bool (*f)(rune))
{
	return rt_bytes_of_part(strings_trim_func(string_view(b), f));
}
static inline slice(byte) bytes_trim_prefix(slice(byte) b, slice(byte) prefix)
{
	return rt_bytes_of_part(strings_trim_prefix(string_view(b), string_view(prefix)));
}
static inline slice(byte) bytes_trim_suffix(slice(byte) b, slice(byte) suffix)
{
	return rt_bytes_of_part(strings_trim_suffix(string_view(b), string_view(suffix)));
}
/* b cut at the first t, as strings_cut(); shares b. */
bool bytes_cut(slice(byte) b, slice(byte) t, slice(byte) *before, slice(byte) *after);
/* The words between white space, or code points for which f is true; the pieces between
 * occurrences of sep, at most n, or each with its sep.  As strings_fields(),
 * strings_split(); they share b. */
slice(byte_slice) bytes_fields(slice(byte) b);
slice(byte_slice) bytes_fields_func(slice(byte) b, bool (*f)(rune));
slice(byte_slice) bytes_split(slice(byte) b, slice(byte) sep);
slice(byte_slice) bytes_split_n(slice(byte) b, slice(byte) sep, int64_t n);
slice(byte_slice) bytes_split_after(slice(byte) b, slice(byte) sep);
/* All of v with sep between. */
slice(byte) bytes_join(slice(byte_slice) v, slice(byte) sep);
/* As the functions of strings with these names; new bytes, also where nothing changes. */
slice(byte) bytes_clone(slice(byte) b);
slice(byte) bytes_repeat(slice(byte) b, int64_t n);
slice(byte) bytes_replace(slice(byte) b, slice(byte) from, slice(byte) to, int64_t n);
slice(byte) bytes_replace_all(slice(byte) b, slice(byte) from, slice(byte) to);
slice(byte) bytes_map(rune (*f)(rune), slice(byte) b);
slice(byte) bytes_to_lower(slice(byte) b);
slice(byte) bytes_to_upper(slice(byte) b);
slice(byte) bytes_to_valid_utf8(slice(byte) b, slice(byte) with);

/* ---- buffers --------------------------------------------------------------------- */

/* Go: bytes.Buffer.  The zero value is empty and ready; not to be copied in use.
 * Written at the end, read from the front. */
typedef struct bytes_buffer {
	slice(byte) buf;
	size_t off;         /* buf[off:] is what is not read yet */
	int last;           /* what can be unread: bytes of a code point, -1 one byte, 0 nothing */
} bytes_buffer;
/* A buffer that begins with b's bytes and goes on to use its memory. */
static inline bytes_buffer new_buffer(slice(byte) b)
{
	return (bytes_buffer){ .buf = b };
}
/* What is not read yet: how much, the bytes (shared, until the next change), a copy. */
static inline size_t buffer_len(const bytes_buffer *b)
{
	return b->buf.len - b->off;
}
slice(byte) buffer_bytes(const bytes_buffer *b);
string buffer_string(const bytes_buffer *b);
/* Empties it and keeps its memory. */
void buffer_reset(bytes_buffer *b);
/* Forgets all but the first n unread bytes; panics if there are fewer. */
void buffer_truncate(bytes_buffer *b, size_t n);
void buffer_grow(bytes_buffer *b, int64_t n); /* room for n bytes more; panics when n < 0 */

/* At the end: bytes, a string, a byte, a code point in UTF-8. */
void buffer_write(bytes_buffer *b, slice(byte) p);
void buffer_write_string(bytes_buffer *b, string s);
void buffer_write_byte(bytes_buffer *b, byte c);
void buffer_write_rune(bytes_buffer *b, rune r);
/* buffer_printf(b, fmt, ...): formats of api_format.h.  Go: fmt.Fprintf. */
#define buffer_printf(b, fmt, ...) \
	({ \
		bytes_buffer *rt_fb = (b); \
		RT_FMT_EVALS(__VA_ARGS__) \
		rt_buffer_printf(rt_fb, RT_FMT_KINDS(__VA_ARGS__), fmt RT_FMT_ARGS(__VA_ARGS__)); \
	})
void rt_buffer_printf(bytes_buffer *b, unsigned kinds, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Bytes, a byte, a code point from the front; io_eof when it is empty. */
error buffer_read(bytes_buffer *b, slice(byte) p, size_t *n) must_check;
error buffer_read_byte(bytes_buffer *b, byte *c) must_check;
error buffer_read_rune(bytes_buffer *b, rune *r, size_t *size) must_check;
/* What was read last is there again; only once. */
error buffer_unread_byte(bytes_buffer *b) must_check;
error buffer_unread_rune(bytes_buffer *b) must_check;
/* Up to delim, and with it; all there is and io_eof if it is not there. */
error buffer_read_bytes(bytes_buffer *b, byte delim, slice(byte) *p) must_check;
error buffer_read_string(bytes_buffer *b, byte delim, string *s) must_check;
/* The next n bytes, or as many as there are; shared until the next change. */
slice(byte) buffer_next(bytes_buffer *b, size_t n);
/* All of r behind it; all of it to w.  n may be NULL. */
error buffer_read_from(bytes_buffer *b, io_reader r, int64_t *n) must_check;
error buffer_write_to(bytes_buffer *b, io_writer w, int64_t *n) must_check;
/* It as a reader, a writer. */
io_reader buffer_reader(bytes_buffer *b);
io_writer buffer_writer(bytes_buffer *b);

#endif
