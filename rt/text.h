/* text.h: between the files of packages strings and strconv. */
#ifndef RT_TEXT_H
#define RT_TEXT_H

#include "api_value.h"

/* The part of s from byte i to j; keeps the base when empty. */
static inline string part(string s, size_t i, size_t j)
{
	return (string){ i == j ? s.ptr : s.ptr + i, j - i };
}

/* memcpy, without its call when n is small. */
static inline __attribute__((always_inline)) void copy_short(void *to, const void *from, size_t n)
{
	char *p = to;
	const char *q = from;

	if (n > 32) {
		memcpy(p, q, n);
	} else if (n >= 16) { /* the ends, which overlap */
		__builtin_memcpy(p, q, 16);
		__builtin_memcpy(p + n - 16, q + n - 16, 16);
	} else if (n >= 8) {
		__builtin_memcpy(p, q, 8);
		__builtin_memcpy(p + n - 8, q + n - 8, 8);
	} else if (n >= 4) {
		__builtin_memcpy(p, q, 4);
		__builtin_memcpy(p + n - 4, q + n - 4, 4);
	} else if (n) {
		p[0] = q[0];
		p[n / 2] = q[n / 2];
		p[n - 1] = q[n - 1];
	}
}

/* What a digit stands for in a base of up to 36; 99: it is none. */
static inline unsigned digit_value(byte c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10u : 99;
}

error num_error_new(const char *func, string num, error err, size_t pos);
/* The index of the first '_' in a number that does not stand between digits (or
 * behind a prefix), -1 if there is none. */
ptrdiff_t bad_underscore(string s);

#endif
