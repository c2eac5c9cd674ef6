/* api_strconv.h: numbers and quoted text to strings and back (part of ingot.h).
 * Go's package strconv.
 *
 * What is parsed must be all of the string.  The error of a parse is a
 * num_error that wraps strconv_err_syntax or strconv_err_range and says which
 * call, which text, why and where:
 *
 *	strconv.ParseInt: parsing "12x": invalid syntax at byte 2
 *
 * (Go's without the position.)  *v is set also then: 0 after a syntax error,
 * the nearest value after a range error. */
#ifndef INGOT_API_STRCONV_H
#define INGOT_API_STRCONV_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

declare_error(strconv_err_syntax); /* "invalid syntax" */
declare_error(strconv_err_range);  /* "value out of range" */

/* Go: *strconv.NumError. */
typedef struct num_error {
	error_head head;
	const char *func; /* "ParseInt" */
	string num;       /* a copy of the input */
	error err;        /* strconv_err_syntax, strconv_err_range, or about base or bits */
	size_t pos;       /* syntax: byte index of what cannot stand there; of the end: the length */
} num_error;
/* For errors_as(err, num_error, &p). */
declare_error_type(num_error);

/* Decimal. */
error strconv_atoi(string s, int64_t *v) must_check;
/* Optional sign (parse_int), digits of base 2 to 36; base 0: by the prefix 0b,
 * 0o, 0 or 0x, and with '_' between digits.  The value must fit into bits (0: 64). */
error strconv_parse_int(string s, int base, int bits, int64_t *v) must_check;
error strconv_parse_uint(string s, int base, int bits, uint64_t *v) must_check;
/* Decimal or hexadecimal (0x1.8p3), also "inf", "infinity" and "nan" in any
 * case; the nearest double, or float (bits 32).  Out of range: +-infinity. */
error strconv_parse_float(string s, int bits, double *v) must_check;
/* 1 t T TRUE true True, 0 f F FALSE false False. */
error strconv_parse_bool(string s, bool *v) must_check;

/* The other way; all return new strings.  base is 2 to 36, else it panics. */
string strconv_itoa(int64_t n);
string strconv_format_int(int64_t n, int base);
string strconv_format_uint(uint64_t n, int base);
string strconv_format_bool(bool v);
/* fmt: 'e' -d.dddde+dd, 'f' -ddd.dddd, 'g' the shorter of both, 'E', 'G', 'x'
 * -0x1.yyyyp+dd; prec: digits after the point ('g': all digits), -1: as few as
 * give v back when parsed; bits: 32 if v was a float, else 64. */
string strconv_format_float(double v, char fmt, int prec, int bits);
/* The same behind b. */
slice(byte) strconv_append_int(slice(byte) b, int64_t n, int base);
slice(byte) strconv_append_uint(slice(byte) b, uint64_t n, int base);
slice(byte) strconv_append_float(slice(byte) b, double v, char fmt, int prec, int bits);
slice(byte) strconv_append_quote(slice(byte) b, string s);

/* A Go literal of s: in double quotes, escaped what is not printable, or (_to_ascii)
 * not ASCII; quote_rune in single quotes. */
string strconv_quote(string s);
string strconv_quote_to_ascii(string s);
string strconv_quote_rune(rune r);
/* What a literal in double quotes, back quotes or single quotes (one code
 * point) means; strconv_err_syntax if it is none. */
error strconv_unquote(string s, string *v) must_check;

#endif
