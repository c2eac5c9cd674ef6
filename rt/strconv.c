/* strconv.c: integers to text and back (Go's package strconv). */
#include "rt.h"
#include "api_value.h"

static string format(uint64_t u, bool minus, int base)
{
	char buf[65], *p = buf + sizeof buf;

	if (base < 2 || base > 36)
		rt_panic("strconv: illegal base %d", base);
	do {
		*--p = "0123456789abcdefghijklmnopqrstuvwxyz"[u % (unsigned)base];
		u /= (unsigned)base;
	} while (u);
	if (minus)
		*--p = '-';
	return string_from_bytes(p, (size_t)(buf + sizeof buf - p));
}

string strconv_itoa(int64_t n)
{
	return strconv_format_int(n, 10);
}

string strconv_format_int(int64_t n, int base)
{
	return format(n < 0 ? -(uint64_t)n : (uint64_t)n, n < 0, base);
}

string strconv_format_uint(uint64_t n, int base)
{
	return format(n, false, base);
}

static unsigned digit(byte c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10u : 99;
}

bool strconv_parse_uint(string s, int base, uint64_t *v)
{
	size_t i = 0;

	*v = 0;
	if (base == 0) {
		char c = s.len > 2 && s.ptr[0] == '0' ? (char)(s.ptr[1] | 0x20) : 0;

		base = c == 'x' ? 16 : c == 'b' ? 2 : c == 'o' ? 8 : 10;
		i = base == 10 ? 0 : 2;
		if (base == 10 && s.len > 1 && s.ptr[0] == '0') {
			base = 8;
			i = 1;
		}
	}
	if (base < 2 || base > 36 || i >= s.len)
		return false;
	for (; i < s.len; i++) {
		unsigned d = digit((byte)s.ptr[i]);

		if (d >= (unsigned)base)
			return false;
		if (__builtin_mul_overflow(*v, (unsigned)base, v) || __builtin_add_overflow(*v, d, v)) {
			*v = UINT64_MAX;
			return false;
		}
	}
	return true;
}

bool strconv_parse_int(string s, int base, int64_t *v)
{
	bool minus = s.len && s.ptr[0] == '-', ok;
	uint64_t u, most = (uint64_t)INT64_MAX + minus;

	if (minus || (s.len && s.ptr[0] == '+')) {
		s.ptr++;
		s.len--;
	}
	ok = strconv_parse_uint(s, base, &u);
	if (u > most) {
		u = most;
		ok = false;
	}
	*v = (int64_t)(minus ? -u : u);
	return ok;
}

bool strconv_atoi(string s, int64_t *v)
{
	return strconv_parse_int(s, 10, v);
}
