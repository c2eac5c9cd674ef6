/* utf8.c: UTF-8 as Go's package unicode/utf8 reads it: a byte that does not
 * begin a well-formed sequence (surrogates, overlong forms and values above
 * U+10FFFF are not) is RuneError of width 1. */
#include "rt.h"
#include "api_value.h"

bool utf8_valid_rune(rune r)
{
	return r >= 0 && r <= MaxRune && !(r >= 0xD800 && r <= 0xDFFF);
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
		if (utf8_rune_start(p[i]))
			return RuneError;
		r = r << 6 | (p[i] & 0x3F);
	}
	if (r < least || !utf8_valid_rune(r))
		return RuneError;
	*size = need;
	return r;
}

size_t utf8_encode_rune(char p[4], rune r)
{
	if (!utf8_valid_rune(r))
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

rune utf8_decode_last_rune(string s, size_t *size)
{
	/* Back to the last byte that can begin one; it counts only if it reaches the end. */
	for (size_t n = 1; n <= UTFMax && n <= s.len; n++) {
		if (!utf8_rune_start((byte)s.ptr[s.len - n]))
			continue;

		rune r = utf8_decode_rune((string){ s.ptr + s.len - n, n }, size);

		if (*size == n)
			return r;
		break;
	}
	*size = s.len ? 1 : 0;
	return RuneError;
}

int utf8_rune_len(rune r)
{
	if (!utf8_valid_rune(r))
		return -1;
	return r < 0x80 ? 1 : r < 0x800 ? 2 : r < 0x10000 ? 3 : 4;
}

slice(byte) utf8_append_rune(slice(byte) b, rune r)
{
	char p[4];

	return append_slice(b, ((string){ p, utf8_encode_rune(p, r) }));
}

bool utf8_full_rune(string s)
{
	const byte *p = (const byte *)s.ptr;

	if (s.len == 0)
		return false;

	/* The second byte's range depends on the first (Unicode, table 3-7). */
	size_t need = p[0] < 0xC2 || p[0] > 0xF4 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	byte lo = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
	byte hi = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;

	return s.len >= need || (s.len > 1 && (p[1] < lo || p[1] > hi)) || (s.len > 2 && utf8_rune_start(p[2]));
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

/* The index of the first bad byte, or the length. */
static size_t first_bad(string s)
{
	size_t size;

	for (size_t i = 0; i < s.len; i += size) {
		if (utf8_decode_rune((string){ s.ptr + i, s.len - i }, &size) == RuneError && size == 1)
			return i;
	}
	return s.len;
}

bool utf8_valid(string s)
{
	return first_bad(s) == s.len;
}

error utf8_check(string s)
{
	size_t i = first_bad(s);

	if (i == s.len)
		return NULL;
	return errorf("utf8: byte 0x%02x at byte %zu begins no code point", (byte)s.ptr[i], i);
}

slice(rune) runes_of(string s)
{
	slice(rune) v = make_slice(rune, 0, (int64_t)utf8_rune_count(s));

	for_rune(i, r, s)
		v = append(v, r);
	return v;
}

string string_of_runes(slice(rune) v)
{
	builder b = {};

	builder_grow(&b, v.len);
	for_slice(i, r, v)
		builder_write_rune(&b, *r);
	return builder_string(&b);
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
