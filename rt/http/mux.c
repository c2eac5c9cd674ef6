/* mux.c: from a request's method and path to its handler.  After Go 1.22's
 * net/http/pattern.go.
 *
 * Patterns are few: a list in order of precedence.  Where two paths first
 * differ, a literal segment stands before {name}, that before the end of a
 * path with all below, or {name...}; of equal paths one with a method stands
 * before one without.  So the first that matches is the one. */
#include "http.h"
#include "../libc.h"

#define SEGMENTS_MAX 16

enum kind { LITERAL, ONE, REST }; /* in order of precedence */

struct segment {
	enum kind kind;
	string text;          /* the literal, or the wildcard's name */
};

struct pattern {
	struct pattern *next;
	string method;        /* "": any */
	http_handler fn;
	void *arg;
	unsigned n;
	struct segment seg[SEGMENTS_MAX];
};

struct http_mux {
	rwmutex mu;
	struct pattern *first;
};

http_mux *new_http_mux(void)
{
	return new(http_mux);
}

/* The next segment of a path that begins after its '/': up to the next. */
static string next_segment(string *path)
{
	const char *end = memchr(path->ptr, '/', path->len);
	string s = { path->ptr, end ? (size_t)(end - path->ptr) : path->len };
	path->ptr += s.len + (end != NULL);
	path->len -= s.len + (end != NULL);
	return s;
}

static noreturn void bad_pattern(string p, const char *why)
{
	rt_panic("http: pattern \"%.*s\": %s", (int)p.len, p.ptr, why);
}

static struct segment parse_segment(string pattern, string s, bool last)
{
	if (s.len == 0 || s.ptr[0] != '{')
		return (struct segment){ LITERAL, s };
	if (s.ptr[s.len - 1] != '}')
		bad_pattern(pattern, "a wildcard is a whole segment");
	string name = { s.ptr + 1, s.len - 2 };
	bool rest = name.len >= 3 && memcmp(name.ptr + name.len - 3, "...", 3) == 0;
	if (rest)
		name.len -= 3;
	if (name.len == 0)
		bad_pattern(pattern, "a wildcard without a name");
	if (rest && !last)
		bad_pattern(pattern, "{name...} is not at the end");
	return (struct segment){ rest ? REST : ONE, name };
}

static struct pattern *parse(string s)
{
	struct pattern *p = new(struct pattern);
	string left = s;
	const char *space = s.len ? memchr(s.ptr, ' ', s.len) : NULL;
	if (space) {
		p->method = (string){ s.ptr, (size_t)(space - s.ptr) };
		left = (string){ space + 1, s.len - p->method.len - 1 };
	}
	if (left.len == 0 || left.ptr[0] != '/')
		bad_pattern(s, "want [METHOD ]/PATH");
	left.ptr++;
	left.len--;
	unsigned params = 0;
	for (bool more = true; more;) {
		string before = left, seg = next_segment(&left);
		more = seg.len < before.len; /* a '/' came after it */
		if (p->n == SEGMENTS_MAX)
			bad_pattern(s, "too many segments");
		if (!more && seg.len == 0) { /* the path ends in '/': all below */
			p->seg[p->n++] = (struct segment){ REST, S("") };
			break;
		}
		if (!more && seg.len == 3 && memcmp(seg.ptr, "{$}", 3) == 0) {
			p->seg[p->n++] = (struct segment){ LITERAL, S("") };
			break;
		}
		p->seg[p->n] = parse_segment(s, seg, !more);
		params += p->seg[p->n++].kind != LITERAL;
	}
	if (params > PARAMS_MAX)
		bad_pattern(s, "too many wildcards");
	return p;
}

static int compare(const struct pattern *a, const struct pattern *b)
{
	for (unsigned i = 0; i < a->n && i < b->n; i++) {
		const struct segment *x = &a->seg[i], *y = &b->seg[i];
		if (x->kind != y->kind)
			return (int)x->kind - (int)y->kind;
		if (x->kind == LITERAL && !string_eq(x->text, y->text))
			return string_cmp(x->text, y->text);
	}
	if (a->n != b->n)
		return (int)b->n - (int)a->n;
	if ((a->method.len == 0) != (b->method.len == 0))
		return a->method.len == 0 ? 1 : -1;
	return string_cmp(a->method, b->method);
}

void http_handle(http_mux *m, string pattern, http_handler fn)
{
	http_handle_with(m, pattern, fn, NULL);
}

void http_handle_with(http_mux *m, string pattern, http_handler fn, void *arg)
{
	struct pattern *p = parse(pattern);
	if (!fn)
		rt_panic("http: nil handler");
	p->fn = fn;
	p->arg = arg;
	rwmutex_lock(&m->mu);
	struct pattern **link = &m->first;
	int c = 1;
	while (*link && (c = compare(*link, p)) < 0)
		link = &(*link)->next;
	if (*link && c == 0) {
		rwmutex_unlock(&m->mu);
		bad_pattern(pattern, "there is one like it");
	}
	p->next = *link;
	*link = p;
	rwmutex_unlock(&m->mu);
}

/* Segments are compared decoded: "/a%2fb" has one. */
static bool match(const struct pattern *p, string path, bool escaped, struct http_exchange *x)
{
	uint32_t n = 0;
	bool more = true;
	for (unsigned i = 0; i < p->n; i++) {
		const struct segment *g = &p->seg[i];
		string seg;
		if (!more)
			return false;
		if (g->kind == REST) {
			seg = path;
			more = false;
		} else {
			string before = path;
			if (!escaped && g->kind == LITERAL && g->text.len && path.len && path.ptr[0] != g->text.ptr[0])
				return false; /* most differ at once */
			seg = next_segment(&path);
			more = seg.len < before.len;
		}
		if (escaped && !url_decode(seg, false, &seg))
			return false;
		if (g->kind == LITERAL) {
			if (!string_eq(seg, g->text))
				return false;
		} else if (g->kind == ONE && seg.len == 0) {
			return false;
		} else if (g->text.len) {
			x->param_names[n] = g->text;
			x->param_values[n++] = seg;
		}
	}
	x->nparams = n;
	return !more;
}

http_handler mux_find(http_mux *m, struct http_exchange *x, string *allow)
{
	string path = x->request.target, method = x->request.method;
	http_handler fn = NULL;
	bool escaped = x->request.path.ptr != path.ptr; /* take_head() had something to decode */
	if (x->request.query.ptr)
		path.len = (size_t)(x->request.query.ptr - 1 - path.ptr);
	*allow = S("");
	if (path.len == 0 || path.ptr[0] != '/')
		return NULL;
	path.ptr++;
	path.len--;
	rwmutex_rlock(&m->mu);
	for (struct pattern *p = m->first; p && !fn; p = p->next) {
		if (!match(p, path, escaped, x))
			continue;
		if (p->method.len == 0 || string_eq(p->method, method) ||
		    (string_eq(p->method, S("GET")) && string_eq(method, S("HEAD")))) {
			fn = p->fn;
			x->request.arg = p->arg;
		} else if (!has_token(*allow, p->method)) {
			*allow = allow->len ? sprint("%s, %s", *allow, p->method) : p->method;
		}
	}
	rwmutex_runlock(&m->mu);
	return fn;
}

string http_path_value(http_request *r, string name)
{
	struct http_exchange *x = r->x;
	for (uint32_t i = 0; i < x->nparams; i++)
		if (string_eq(x->param_names[i], name))
			return x->param_values[i];
	return S("");
}
