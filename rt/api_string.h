/* api_string.h: strings, UTF-8, builders, numbers, printing (part of
 * ingot.h).  Names are Go's package and function: strings_index is
 * strings.Index.
 *
 * A string never changes and does not own its bytes: slicing and copying
 * share them, the collector keeps them.  Functions that allocate say so by
 * returning new bytes; all of them are for tasks, the others for any context. */
#ifndef INGOT_API_STRING_H
#define INGOT_API_STRING_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif
#include <stdarg.h>

/* S("text"): a literal as a string; no allocation, NUL bytes allowed. */
#define S(lit) ((string){ "" lit "", sizeof(lit) - 1 })
/* The two arguments for "%.*s".  s must be a variable (it is named twice). */
#define STR(s) (int)(&(s))->len, (&(s))->ptr

/* ---- making ------------------------------------------------------------- */

/* The bytes up to the NUL, shared: p must stay unchanged as long as the string lives. */
static inline string cstring(const char *p)
{
	return (string){ p, p ? __builtin_strlen(p) : 0 };
}
/* n bytes copied to the heap. */
string string_from_bytes(const void *p, size_t n);
/* string_of(x): a copy of a C string, slice(byte), slice(char) or string.  Go: string(x). */
#define string_of(x) \
	_Generic((x), char *: rt_string_of_c, const char *: rt_string_of_c, \
	         slice(char): rt_string_of_chars, slice(byte): rt_string_of_slice, \
	         slice(uint8): rt_string_of_uint8s, string: rt_string_of_string)(x)
string rt_string_of_c(const char *p);
string rt_string_of_string(string s);
static inline string rt_string_of_slice(slice(byte) b)
{
	return string_from_bytes(b.ptr, b.len);
}
static inline string rt_string_of_uint8s(slice(uint8) b)
{
	return string_from_bytes(b.ptr, b.len);
}
static inline string rt_string_of_chars(slice(char) b)
{
	return string_from_bytes(b.ptr, b.len);
}
/* The slice's bytes as a string, shared: they must not change while it lives.
 * any.  Go: unsafe.String. */
static inline string string_view(slice(byte) b)
{
	return (string){ (const char *)b.ptr, b.len };
}
/* A copy of the bytes.  Go: []byte(s). */
slice(byte) bytes_of(string s);
/* A NUL-terminated copy for C functions. */
char *cstr(string s);
/* The UTF-8 form of one code point.  Go: string(r). */
string string_of_rune(rune r);

/* concat(a, b, ...): one string of up to 16, in one allocation.  Go: a + b. */
#define concat(...) \
	rt_concat((const string[]){ __VA_ARGS__ }, sizeof((const string[]){ __VA_ARGS__ }) / sizeof(string))
string rt_concat(const string *v, size_t n);

/* ---- comparing -------------------------------------------------------------- */

/* a == b */
static inline bool string_eq(string a, string b)
{
	return a.len == b.len &&
	       (a.ptr == b.ptr || a.len == 0 || __builtin_memcmp(a.ptr, b.ptr, a.len) == 0);
}
/* <0, 0, >0 by bytes, the shorter first.  Go: strings.Compare. */
int string_cmp(string a, string b);
/* A hash of the bytes; differs with the seed.  Go: maphash.String. */
uint64_t string_hash(string s, uint64_t seed);

/* ---- package strings ---------------------------------------------------------- */

/* Byte index of the first (last) t in s, -1 if there is none. */
ptrdiff_t strings_index(string s, string t);
ptrdiff_t strings_last_index(string s, string t);
ptrdiff_t strings_index_byte(string s, byte c);
bool strings_contains(string s, string t);
bool strings_has_prefix(string s, string prefix);
bool strings_has_suffix(string s, string suffix);
/* How often t occurs in s without overlap; runes + 1 for an empty t. */
size_t strings_count(string s, string t);
/* s without leading and trailing white space (Unicode's Latin-1 and ASCII
 * space), code points of cutset, or one prefix or suffix; shares s. */
string strings_trim_space(string s);
string strings_trim(string s, string cutset);
string strings_trim_prefix(string s, string prefix);
string strings_trim_suffix(string s, string suffix);
/* s cut at t: before and after share s; false and all in before if t is absent. */
bool strings_cut(string s, string t, string *before, string *after);
/* The words between runs of white space; the pieces between occurrences of
 * sep (an empty sep splits into code points).  They share s. */
slice(string) strings_fields(string s);
slice(string) strings_split(string s, string sep);
/* All of v with sep between. */
string strings_join(slice(string) v, string sep);
string strings_repeat(string s, int64_t n);
string strings_replace_all(string s, string from, string to);
/* ASCII letters changed, other bytes kept; s itself when nothing changes. */
string strings_to_lower(string s);
string strings_to_upper(string s);

/* ---- UTF-8 ---------------------------------------------------------------------- */

#define RuneError ((rune)0xFFFD)
/* The first code point of s and how many bytes it takes: RuneError and 1 for
 * a bad sequence, RuneError and 0 for an empty s.  Go: utf8.DecodeRuneInString. */
rune utf8_decode_rune(string s, size_t *size);
/* Writes r (RuneError if it is no code point) to p, returns the bytes, 1 to 4. */
size_t utf8_encode_rune(char p[4], rune r);
size_t utf8_rune_count(string s);
bool utf8_valid(string s);

struct rt_rune_iter {
	string s;
	size_t pos, next;
	rune r;
	bool run, broke;
};
bool rt_rune_next(struct rt_rune_iter *it);
/* for_rune(i, r, s): for each code point, its byte index i (size_t) and value
 * r (rune), RuneError for a bad byte.  Go: for i, r := range s. */
#define for_rune(i, r, s) RT_FOR_RUNE(i, r, s, RT_UNIQUE(rt_fr))
#define RT_FOR_RUNE(i, v, str, it) \
	for (struct rt_rune_iter it = { .s = (str) }; rt_rune_next(&it);) \
		for (size_t i __attribute__((unused)) = it.pos; it.run; it.run = false) \
			for (rune v __attribute__((unused)) = it.r; it.run; \
			     it.run = false, it.broke = false)

/* ---- numbers (package strconv) ------------------------------------------------------ */

/* Decimal, or base 2 to 36. */
string strconv_itoa(int64_t n);
string strconv_format_int(int64_t n, int base);
string strconv_format_uint(uint64_t n, int base);
/* The number all of s is: optional sign, digits of base (0: by prefix 0x 0b
 * 0o).  False, with *v the nearest, when s is malformed or out of range. */
bool strconv_parse_int(string s, int base, int64_t *v);
bool strconv_parse_uint(string s, int base, uint64_t *v);
bool strconv_atoi(string s, int64_t *v);

/* ---- building ------------------------------------------------------------------------- */

/* Go: strings.Builder; the zero value is ready.  Not to be copied in use. */
typedef struct builder {
	slice(byte) buf;
} builder;
void builder_write(builder *b, string s);
void builder_write_byte(builder *b, byte c);
void builder_write_rune(builder *b, rune r);
void builder_printf(builder *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void builder_grow(builder *b, size_t n);
void builder_reset(builder *b);
/* What was written so far; shares the bytes (they are only ever added to). */
static inline string builder_string(const builder *b)
{
	return string_view(b->buf);
}

/* ---- printing ---------------------------------------------------------------------------- */

/* C's printf formats, checked at compile time; a string is "%.*s", STR(s).
 * print and println write to the console in one piece; println needs a
 * literal format and adds the newline; sprint returns a new string. */
#define print(...) rt_print(__VA_ARGS__)
#define println(fmt, ...) rt_print(fmt "\n", ##__VA_ARGS__)
#define sprint(...) rt_sprint(__VA_ARGS__)
void rt_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
string rt_sprint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
string rt_vsprint(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
/* All bytes of s to the console. */
void print_string(string s);

#endif
