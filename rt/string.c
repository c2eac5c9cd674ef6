/* string.c: making, comparing, hashing and building strings (Go:
 * runtime/string.go, strings.Builder).
 *
 * A string's bytes are one noscan object, never changed after the string is
 * returned.  Text longer than LINE bytes is formatted twice, once to measure:
 * nothing large lies on a task's stack. */
#include "rt.h"
#include "api_value.h"
#include "hash.h"

static char *new_bytes(size_t n)
{
	return rt_malloc(n, RT_NOSCAN);
}

string string_from_bytes(const void *p, size_t n)
{
	char *b;

	if (!n)
		return (string){};
	b = new_bytes(n);
	memcpy(b, p, n);
	return (string){ b, n };
}

string rt_string_of_c(const char *p)
{
	return p ? string_from_bytes(p, strlen(p)) : (string){};
}

string rt_string_of_string(string s)
{
	return string_from_bytes(s.ptr, s.len);
}

slice(byte) bytes_of(string s)
{
	return append_slice((slice(byte)){}, s);
}

char *cstr(string s)
{
	char *p = new_bytes(s.len + 1);

	if (s.len)
		memcpy(p, s.ptr, s.len);
	p[s.len] = 0;
	return p;
}

string rt_concat(const string *v, size_t n)
{
	const string *one = NULL;
	size_t total = 0, parts = 0;
	char *b, *p;

	for (size_t i = 0; i < n; i++) {
		if (!v[i].len)
			continue;
		if (__builtin_add_overflow(total, v[i].len, &total))
			rt_panic("runtime error: string concatenation too long");
		one = &v[i];
		parts++;
	}
	if (parts == 0)
		return (string){};
	if (parts == 1)
		return *one;
	p = b = new_bytes(total);
	for (size_t i = 0; i < n; i++) {
		if (v[i].len)
			memcpy(p, v[i].ptr, v[i].len);
		p += v[i].len;
	}
	return (string){ b, total };
}

int string_cmp(string a, string b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

uint64_t string_hash(string s, uint64_t seed)
{
	return hash_bytes(s.ptr, s.len, seed);
}

/* ---- builder ------------------------------------------------------------- */

void builder_write(builder *b, string s)
{
	b->buf = append_slice(b->buf, s);
}

void builder_write_byte(builder *b, byte c)
{
	b->buf = append(b->buf, c);
}

void builder_write_rune(builder *b, rune r)
{
	char p[4];

	builder_write(b, (string){ p, utf8_encode_rune(p, r) });
}

/* Room for n more bytes without another allocation. */
void builder_grow(builder *b, size_t n)
{
	struct rt_slice s = { b->buf.ptr, b->buf.len, b->buf.cap };

	if (b->buf.cap - b->buf.len >= n)
		return;
	rt_growslice(&s, n, 1, RT_NOSCAN);
	b->buf.ptr = s.ptr;
	b->buf.cap = s.cap;
}

void builder_reset(builder *b)
{
	*b = (builder){};
}

void builder_printf(builder *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		builder_grow(b, (size_t)n + 1);
		vsnprintf((char *)b->buf.ptr + b->buf.len, (size_t)n + 1, fmt, again);
		b->buf.len += (size_t)n;
	}
	va_end(again);
}

/* ---- printing --------------------------------------------------------------- */

#define LINE 128

string rt_vsprint(const char *fmt, va_list ap)
{
	char line[LINE], *p;
	va_list again;
	string s = {};
	int n;

	va_copy(again, ap);
	n = vsnprintf(line, sizeof line, fmt, ap);
	if (n >= (int)sizeof line) {
		p = new_bytes((size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, fmt, again);
		s = (string){ p, (size_t)n };
	} else if (n > 0) {
		s = string_from_bytes(line, (size_t)n);
	}
	va_end(again);
	return s;
}

string rt_sprint(const char *fmt, ...)
{
	va_list ap;
	string s;

	va_start(ap, fmt);
	s = rt_vsprint(fmt, ap);
	va_end(ap);
	return s;
}

void rt_print(const char *fmt, ...)
{
	char line[LINE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < (int)sizeof line) {
		if (n > 0)
			plat_write(line, (size_t)n);
		return;
	}
	va_start(ap, fmt);
	print_string(rt_vsprint(fmt, ap));
	va_end(ap);
}

void print_string(string s)
{
	if (s.len)
		plat_write(s.ptr, s.len);
}
