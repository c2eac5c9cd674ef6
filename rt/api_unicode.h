/* api_unicode.h: UTF-8 and classes of code points (part of ingot.h).  Go's
 * packages unicode/utf8 and unicode; the tables are Unicode 14's.  Context any. */
#ifndef INGOT_API_UNICODE_H
#define INGOT_API_UNICODE_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* ---- package utf8 --------------------------------------------------------------- */

#define RuneError ((rune)0xFFFD)  /* what stands for a bad byte */
#define RuneSelf 0x80             /* a byte below is a code point by itself */
#define MaxRune ((rune)0x10FFFF)  /* the last code point */
#define UTFMax 4                  /* bytes of a code point, at most */

/* The first (last) code point of s and how many bytes it takes: RuneError and 1
 * for a bad sequence, RuneError and 0 for an empty s.  Go: DecodeRuneInString. */
rune utf8_decode_rune(string s, size_t *size);
rune utf8_decode_last_rune(string s, size_t *size);
/* Writes r (RuneError if it is no code point) to p, returns the bytes, 1 to 4. */
size_t utf8_encode_rune(char p[4], rune r);
/* b with r's bytes added.  task. */
slice(byte) utf8_append_rune(slice(byte) b, rune r);
/* How many bytes r takes; -1 if it is no code point. */
int utf8_rune_len(rune r);
/* Code points in s, a bad byte counting as one. */
size_t utf8_rune_count(string s);
/* Whether all of s is UTF-8; whether r is a code point. */
bool utf8_valid(string s);
bool utf8_valid_rune(rune r);
/* NULL, or an error that names the first bad byte and where it is.  task. */
error utf8_check(string s) must_check;
/* Whether s begins with a whole code point, or with bytes that can never be one. */
bool utf8_full_rune(string s);
/* Whether c can begin a code point: it is no continuation byte. */
static inline bool utf8_rune_start(byte c)
{
	return (c & 0xC0) != 0x80;
}

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

/* The code points of s.  task.  Go: []rune(s), string(v). */
slice(rune) runes_of(string s);
string string_of_runes(slice(rune) v);

/* ---- package unicode --------------------------------------------------------------- */

bool unicode_is_letter(rune r);  /* category L, letters */
bool unicode_is_upper(rune r);   /* category Lu */
bool unicode_is_lower(rune r);   /* category Ll */
bool unicode_is_digit(rune r);   /* category Nd: decimal digits */
bool unicode_is_number(rune r);  /* category N: all numbers */
bool unicode_is_punct(rune r);   /* category P: punctuation */
bool unicode_is_space(rune r);   /* property White_Space */
bool unicode_is_control(rune r); /* category Cc */
bool unicode_is_print(rune r);   /* categories L, M, N, P, S, and ' ' */
/* The simple mapping: r itself if it has none. */
rune unicode_to_upper(rune r);
rune unicode_to_lower(rune r);
/* The same value for code points that differ in case only. */
rune unicode_fold(rune r);

#endif
