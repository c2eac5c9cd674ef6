/* url.c: paths and queries of URLs. */
#include "http.h"
#include "../text.h"
#include "../libc.h"

bool url_decode(string s, bool plus, string *out)
{
	if (!memchr(s.ptr, '%', s.len) && !(plus && memchr(s.ptr, '+', s.len))) {
		*out = s;
		return true;
	}
	char *p = rt_malloc(s.len, RT_NOSCAN);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '%') {
			unsigned a = i + 2 < s.len ? digit_value((byte)s.ptr[i + 1]) : 99;
			unsigned b = i + 2 < s.len ? digit_value((byte)s.ptr[i + 2]) : 99;
			if (a >= 16 || b >= 16)
				return false;
			p[n++] = (char)(a << 4 | b);
			i += 2;
		} else {
			p[n++] = plus && s.ptr[i] == '+' ? ' ' : s.ptr[i];
		}
	}
	*out = (string){ p, n };
	return true;
}

/* ASCII only, as names of headers are: not strings_equal_fold(). */
bool equal_fold(string a, string b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		char x = a.ptr[i], y = b.ptr[i];
		x = x >= 'A' && x <= 'Z' ? (char)(x | 32) : x;
		y = y >= 'A' && y <= 'Z' ? (char)(y | 32) : y;
		if (x != y)
			return false;
	}
	return true;
}

string http_query_value(http_request *r, string key)
{
	string q = r->query, pair, name, value;
	while (q.len) {
		strings_cut(q, S("&"), &pair, &q);
		strings_cut(pair, S("="), &name, &value);
		if (url_decode(name, true, &name) && string_eq(name, key) && url_decode(value, true, &value))
			return value;
	}
	return S("");
}
