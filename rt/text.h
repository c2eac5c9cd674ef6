/* text.h: between the files of packages strings and strconv. */
#ifndef RT_TEXT_H
#define RT_TEXT_H

#include "api_value.h"

/* The part of s from byte i to j; keeps the base when empty. */
static inline string part(string s, size_t i, size_t j)
{
	return (string){ i == j ? s.ptr : s.ptr + i, j - i };
}

error num_error_new(const char *func, string num, error err, size_t pos);
/* The index of the first '_' in a number that does not stand between digits (or
 * behind a prefix), -1 if there is none. */
ptrdiff_t bad_underscore(string s);

#endif
