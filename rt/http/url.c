/* url.c: paths and queries of URLs; absolute URLs. */
#include "http.h"
#include "../text.h"
#include "../libc.h"

bool url_decode(string s, bool plus, string *out)
{
	/* An empty string may have no address: "?q". */
	if (!s.len || (!memchr(s.ptr, '%', s.len) && !(plus && memchr(s.ptr, '+', s.len)))) {
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

/* ---- absolute and relative ones (the client's) -------------------------------------- */

static bool has_space(string s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((byte)s.ptr[i] <= ' ' || s.ptr[i] == 127)
			return true;
	return false;
}

/* "scheme:" at the beginning of s; its length without the colon, 0 none. */
static size_t scheme_len(string s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)(s.ptr[i] | 32);
		if (s.ptr[i] == ':')
			return i;
		if (!(c >= 'a' && c <= 'z') && (i == 0 || !strings_contains_rune(S("0123456789+-."), s.ptr[i])))
			return 0;
	}
	return 0;
}

static error bad_url(string s, string why)
{
	return errorf("parse \"%s\": %s: %s", s, errors_wrap(http_err_url), why);
}

error url_parse(string s, struct url *u)
{
	string rest, fragment;
	size_t n = scheme_len(s);
	if (has_space(s))
		return bad_url(s, S("it has a space or a control character"));
	if (!equal_fold((string){ s.ptr, n }, S("http")))
		return bad_url(s, n ? S("unsupported protocol scheme") : S("missing protocol scheme"));
	if (!strings_cut_prefix((string){ s.ptr + n, s.len - n }, S("://"), &rest))
		return bad_url(s, S("no host"));
	strings_cut(rest, S("#"), &rest, &fragment);
	ptrdiff_t end = strings_index_any(rest, S("/?"));
	u->host = end < 0 ? rest : (string){ rest.ptr, (size_t)end };
	u->target = end < 0 ? S("/") : (string){ rest.ptr + end, rest.len - (size_t)end };
	if (u->target.ptr[0] == '?')
		u->target = concat(S("/"), u->target);
	if (strings_contains(u->host, S("@")))
		return bad_url(s, S("user names are not supported"));
	ptrdiff_t colon = strings_last_index_byte(u->host, ':');
	if (colon >= 0 && strings_last_index_byte(u->host, ']') > colon)
		colon = -1; /* within [::1] */
	if (colon == 0 || u->host.len == 0)
		return bad_url(s, S("no host"));
	if (colon + 1 == (ptrdiff_t)u->host.len) /* "host:" */
		u->host.len--, colon = -1;
	u->addr = colon < 0 ? concat(u->host, S(":80")) : u->host;
	return NULL;
}

/* A path without "." and "..": RFC 3986, 5.2.4. */
static string remove_dots(string path)
{
	builder b = { 0 };
	bool more = true;
	strings_cut_prefix(path, S("/"), &path);
	while (more) {
		string one;
		more = strings_cut(path, S("/"), &one, &path);
		bool up = string_eq(one, S(".."));
		if (up || string_eq(one, S("."))) {
			ptrdiff_t slash = up ? strings_last_index_byte(builder_string(&b), '/') : -1;
			if (slash >= 0)
				b.buf.len = (size_t)slash;
			if (!more)
				builder_write(&b, S("/"));
			continue;
		}
		builder_write(&b, S("/"));
		builder_write(&b, one);
	}
	return builder_string(&b);
}

string url_resolve(string base, string ref)
{
	string path, query, base_path, none;
	if (scheme_len(ref))
		return ref;
	strings_cut(base, S("#"), &base, &none);
	ptrdiff_t n = strings_index(base, S("://"));
	if (n < 0)
		return ref;
	if (strings_has_prefix(ref, S("//")))
		return concat(((string){ base.ptr, (size_t)n + 1 }), ref);
	strings_cut(ref, S("#"), &ref, &none);
	string after = { base.ptr + n + 3, base.len - (size_t)n - 3 };
	ptrdiff_t slash = strings_index_any(after, S("/?"));
	size_t root = slash < 0 ? base.len : (size_t)(n + 3 + slash);
	string origin = { base.ptr, root }, base_target = { base.ptr + root, base.len - root };
	if (ref.len == 0)
		return base;
	strings_cut(base_target, S("?"), &base_path, &none);
	bool has_query = strings_cut(ref, S("?"), &path, &query);
	if (path.len == 0)
		path = base_path.len ? base_path : S("/");
	else if (path.ptr[0] != '/')
		path = concat(((string){ base_path.ptr, (size_t)(strings_last_index_byte(base_path, '/') + 1) }), path);
	path = remove_dots(path);
	return has_query ? concat(origin, path, S("?"), query) : concat(origin, path);
}
