/* url.c: paths and queries of URLs. */
#include "http.h"
#include "../libc.h"

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

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
			int a = i + 2 < s.len ? hex(s.ptr[i + 1]) : -1, b = a >= 0 ? hex(s.ptr[i + 2]) : -1;
			if (b < 0)
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
	string q = r->query, name, value;
	while (q.len) {
		const char *end = memchr(q.ptr, '&', q.len);
		string pair = { q.ptr, end ? (size_t)(end - q.ptr) : q.len };
		q.ptr += pair.len + (end != NULL);
		q.len -= pair.len + (end != NULL);
		const char *eq = memchr(pair.ptr, '=', pair.len);
		size_t n = eq ? (size_t)(eq - pair.ptr) : pair.len;
		if (url_decode((string){ pair.ptr, n }, true, &name) && name.len == key.len &&
		    memcmp(name.ptr, key.ptr, key.len) == 0 &&
		    url_decode((string){ pair.ptr + n + (eq != NULL), pair.len - n - (eq != NULL) }, true, &value))
			return value;
	}
	return S("");
}
