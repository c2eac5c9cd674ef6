/* api_string.h: strings and builders (part of ingot.h).  Names are Go's package
 * and function: strings_index is strings.Index.  UTF-8 and classes of characters
 * are in api_unicode.h, numbers in api_strconv.h, formats in api_format.h.
 *
 * A string never changes and does not own its bytes: slicing and copying
 * share them, the collector keeps them.  Functions that allocate say so by
 * returning new bytes; all of them are for tasks, the others for any context. */
#ifndef INGOT_API_STRING_H
#define INGOT_API_STRING_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* S("text"): a literal as a string; no allocation, NUL bytes allowed. */
#define S(lit) ((string){ "" lit "", sizeof(lit) - 1 })
/* The two arguments of "%.*s" for C's own functions (ours take a string for %s).
 * s is a variable or a member, named twice: what has a side effect is refused. */
#define STR(s) \
	({ \
		if (!__builtin_constant_p(((void)(s), 1))) \
			rt_str_side_effect(); \
		(int)(&(s))->len; \
	}), (&(s))->ptr
void rt_str_side_effect(void) __attribute__((error("STR: the argument has a side effect")));

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
	({ \
		const string rt_cc[] = { RT_EACH(RT_ELEMENT, string, __VA_ARGS__) }; \
		rt_concat(rt_cc, sizeof rt_cc / sizeof rt_cc[0]); \
	})
string rt_concat(const string *v, size_t n);

/* ---- comparing -------------------------------------------------------------- */

/* The same bytes.  Go: a == b. */
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
/* The index of a byte; of a code point (RuneError: also of a bad byte); of any code point
 * in chars; of one for which f is true. */
ptrdiff_t strings_index_byte(string s, byte c);
ptrdiff_t strings_last_index_byte(string s, byte c);
ptrdiff_t strings_index_rune(string s, rune r);
ptrdiff_t strings_index_any(string s, string chars);
ptrdiff_t strings_last_index_any(string s, string chars);
ptrdiff_t strings_index_func(string s, bool (*f)(rune));
ptrdiff_t strings_last_index_func(string s, bool (*f)(rune));
/* Whether t, the code point r, one of chars is in s. */
bool strings_contains(string s, string t);
bool strings_contains_rune(string s, rune r);
bool strings_contains_any(string s, string chars);
/* Whether s begins with prefix, ends with suffix. */
bool strings_has_prefix(string s, string prefix);
bool strings_has_suffix(string s, string suffix);
/* Equal but for the case of letters, by Unicode's simple folding. */
bool strings_equal_fold(string a, string b);
/* How often t occurs in s without overlap; code points + 1 for an empty t. */
size_t strings_count(string s, string t);

/* s without leading and trailing white space, code points of cutset, code
 * points for which f is true, or one prefix or suffix; shares s. */
string strings_trim_space(string s);
string strings_trim(string s, string cutset);
string strings_trim_left(string s, string cutset);
string strings_trim_right(string s, string cutset);
string strings_trim_func(string s, bool (*f)(rune));
string strings_trim_prefix(string s, string prefix);
string strings_trim_suffix(string s, string suffix);
/* s cut at the first t: before and after share s; false and all in before if t
 * is absent.  The others cut off a prefix or suffix; false and all in *rest if
 * s has none. */
bool strings_cut(string s, string t, string *before, string *after);
bool strings_cut_prefix(string s, string prefix, string *rest);
bool strings_cut_suffix(string s, string suffix, string *rest);

/* The words between runs of white space, or of code points for which f is
 * true; the pieces between occurrences of sep (an empty sep splits into code
 * points).  _n: at most n pieces, the last the rest (n < 0: all; 0: none);
 * _after: each with its sep.  They share s. */
slice(string) strings_fields(string s);
slice(string) strings_fields_func(string s, bool (*f)(rune));
slice(string) strings_split(string s, string sep);
slice(string) strings_split_n(string s, string sep, int64_t n);
slice(string) strings_split_after(string s, string sep);
slice(string) strings_split_after_n(string s, string sep, int64_t n);

/* All of v with sep between, in one allocation. */
string strings_join(slice(string) v, string sep);
/* n times s; panics when n < 0. */
string strings_repeat(string s, int64_t n);
/* The first n occurrences of from (n < 0: all) replaced; an empty from is found
 * before each code point and at the end. */
string strings_replace(string s, string from, string to, int64_t n);
string strings_replace_all(string s, string from, string to);
/* Each code point r replaced by f(r), or dropped if that is negative; a bad byte
 * counts as RuneError.  s itself when nothing changes. */
string strings_map(rune (*f)(rune), string s);
/* Letters in the other case, by Unicode's simple mappings; likewise. */
string strings_to_lower(string s);
string strings_to_upper(string s);
/* Bad bytes, each run of them, replaced by with. */
string strings_to_valid_utf8(string s, string with);

/* ---- building ------------------------------------------------------------------------- */

/* Go: strings.Builder; the zero value is ready.  Not to be copied in use. */
typedef struct builder {
	slice(byte) buf;
} builder;
/* At the end: a string, a byte, a code point in UTF-8. */
void builder_write(builder *b, string s);
void builder_write_byte(builder *b, byte c);
void builder_write_rune(builder *b, rune r);
/* builder_printf(b, fmt, ...): formats of api_format.h. */
#define builder_printf(b, fmt, ...) \
	({ \
		struct builder *rt_fb = (b); \
		RT_FMT_EVALS(__VA_ARGS__) \
		rt_builder_printf(rt_fb, RT_FMT_KINDS(__VA_ARGS__), fmt RT_FMT_ARGS(__VA_ARGS__)); \
	})
void rt_builder_printf(builder *b, unsigned kinds, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Room for n bytes more without another allocation. */
void builder_grow(builder *b, size_t n);
/* Empties it, without the memory that builder_string()'s results share. */
void builder_reset(builder *b);
/* What was written so far; shares the bytes (they are only ever added to). */
static inline string builder_string(const builder *b)
{
	return string_view(b->buf);
}

#endif
