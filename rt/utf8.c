/* utf8.c: UTF-8 as Go's package unicode/utf8 reads it: a byte that does not
 * begin a well-formed sequence (surrogates, overlong forms and values above
 * U+10FFFF are not) is RuneError of width 1. */
#include "rt.h"
#include "api_value.h"

static bool is_continuation(byte c)
{
	return (c & 0xC0) == 0x80;
}

rune utf8_decode_rune(string s, size_t *size)
{
	const byte *p = (const byte *)s.ptr;
	size_t need;
	rune r, least;

	*size = 1;
	if (s.len == 0) {
		*size = 0;
		return RuneError;
	}
	if (p[0] < 0x80)
		return p[0];
	if (p[0] >= 0xC2 && p[0] <= 0xDF) {
		need = 2;
		r = p[0] & 0x1F;
		least = 0x80;
	} else if ((p[0] & 0xF0) == 0xE0) {
		need = 3;
		r = p[0] & 0x0F;
		least = 0x800;
	} else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
		need = 4;
		r = p[0] & 0x07;
		least = 0x10000;
	} else {
		return RuneError;
	}
	if (s.len < need)
		return RuneError;
	for (size_t i = 1; i < need; i++) {
		if (!is_continuation(p[i]))
			return RuneError;
		r = r << 6 | (p[i] & 0x3F);
	}
	if (r < least || r > 0x10FFFF || (r >= 0xD800 && r <= 0xDFFF))
		return RuneError;
	*size = need;
	return r;
}

size_t utf8_encode_rune(char p[4], rune r)
{
	if (r < 0 || r > 0x10FFFF || (r >= 0xD800 && r <= 0xDFFF))
		r = RuneError;
	if (r < 0x80) {
		p[0] = (char)r;
		return 1;
	}
	if (r < 0x800) {
		p[0] = (char)(0xC0 | r >> 6);
		p[1] = (char)(0x80 | (r & 0x3F));
		return 2;
	}
	if (r < 0x10000) {
		p[0] = (char)(0xE0 | r >> 12);
		p[1] = (char)(0x80 | (r >> 6 & 0x3F));
		p[2] = (char)(0x80 | (r & 0x3F));
		return 3;
	}
	p[0] = (char)(0xF0 | r >> 18);
	p[1] = (char)(0x80 | (r >> 12 & 0x3F));
	p[2] = (char)(0x80 | (r >> 6 & 0x3F));
	p[3] = (char)(0x80 | (r & 0x3F));
	return 4;
}

string string_of_rune(rune r)
{
	char p[4];

	return string_from_bytes(p, utf8_encode_rune(p, r));
}

size_t utf8_rune_count(string s)
{
	size_t n = 0;

	for_rune(i, r, s)
		n++;
	return n;
}

bool utf8_valid(string s)
{
	size_t size;

	for (size_t i = 0; i < s.len; i += size) {
		if (utf8_decode_rune((string){ s.ptr + i, s.len - i }, &size) == RuneError && size == 1)
			return false;
	}
	return true;
}

/* for_rune's step: false at the end or after a break. */
bool rt_rune_next(struct rt_rune_iter *it)
{
	size_t size;

	if (it->broke || it->next >= it->s.len)
		return false;
	it->pos = it->next;
	it->r = utf8_decode_rune((string){ it->s.ptr + it->pos, it->s.len - it->pos }, &size);
	it->next = it->pos + size;
	it->run = it->broke = true;
	return true;
}
