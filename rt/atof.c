/* atof.c: text to floating-point numbers (Go: strconv.ParseFloat).
 *
 * Go's syntax is checked here; the value, which is the nearest one, comes from
 * C's strtod and strtof. */
#include "rt.h"
#include "text.h"

/* The index of what is wrong in s, or s.len.  *clean receives what strtod
 * shall read: s without underscores. */
static size_t check_number(string s, char *clean, bool *underscores)
{
	size_t i = 0, n = 0, digits = 0;
	bool hex = false, point = false, exponent = false;

	if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-'))
		clean[n++] = s.ptr[i++];
	if (s.len - i > 2 && s.ptr[i] == '0' && (s.ptr[i + 1] | 0x20) == 'x') {
		hex = true;
		clean[n++] = s.ptr[i++];
		clean[n++] = s.ptr[i++];
	}
	for (; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '_') {
			*underscores = true;
			continue;
		}
		if (c == '.' && !point)
			point = true;
		else if ((c >= '0' && c <= '9') || (hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
			digits++;
		else
			break;
		clean[n++] = c;
	}
	if (!digits)
		return i < s.len ? i : s.len + 1;
	if (i < s.len && (s.ptr[i] | 0x20) == (hex ? 'p' : 'e')) {
		clean[n++] = s.ptr[i++];
		if (i < s.len && (s.ptr[i] == '+' || s.ptr[i] == '-'))
			clean[n++] = s.ptr[i++];
		for (; i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '_'); i++) {
			exponent |= s.ptr[i] != '_';
			*underscores |= s.ptr[i] == '_';
			if (s.ptr[i] != '_')
				clean[n++] = s.ptr[i];
		}
		if (!exponent)
			return i < s.len ? i : s.len + 1;
	} else if (hex) {
		return i < s.len ? i : s.len + 1; /* p is not optional */
	}
	clean[n] = 0;
	return i;
}

/* inf, infinity, with a sign, and nan; any case. */
static bool special(string s, double *v)
{
	bool minus = s.len && s.ptr[0] == '-', sign = minus || (s.len && s.ptr[0] == '+');
	string word = { s.ptr + sign, s.len - sign };

	if (strings_equal_fold(word, S("inf")) || strings_equal_fold(word, S("infinity"))) {
		*v = minus ? -__builtin_inf() : __builtin_inf();
		return true;
	}
	*v = __builtin_nan("");
	return !sign && strings_equal_fold(word, S("nan"));
}

error strconv_parse_float(string s, int bits, double *v)
{
	char line[64], *clean = s.len < sizeof line ? line : rt_malloc(s.len + 1, RT_NOSCAN);
	bool underscores = false;
	size_t bad;

	if (s.len && ((s.ptr[s.len - 1] | 0x20) == 'y' || (s.ptr[s.len - 1] | 0x20) == 'f' ||
	              (s.ptr[s.len - 1] | 0x20) == 'n') && special(s, v))
		return NULL;
	bad = check_number(s, clean, &underscores);
	if (bad == s.len && underscores && bad_underscore(s) >= 0)
		bad = (size_t)bad_underscore(s);
	if (bad != s.len || !s.len) {
		*v = 0;
		return num_error_new("ParseFloat", s, strconv_err_syntax, bad < s.len ? bad : s.len);
	}
	*v = bits == 32 ? (double)strtof(clean, NULL) : strtod(clean, NULL);
	if (__builtin_isinf(*v))
		return num_error_new("ParseFloat", s, strconv_err_range, 0);
	return NULL;
}
