/* string.c: making, comparing, hashing and building strings (Go:
 * runtime/string.go, strings.Builder).
 *
 * A string's bytes are one noscan object, never changed after the string is
 * returned. */
#include "rt.h"
#include "text.h"
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
		if (__builtin_add_overflow(total, v[i].len, &total) || total > INT64_MAX)
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
		copy_short(p, v[i].ptr, v[i].len);
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
