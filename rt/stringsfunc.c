/* stringsfunc.c: Go's package strings: what goes by code points, their class or
 * their case. */
#include "rt.h"
#include "text.h"

/* A test of code points: a function, or a set given as a string. */
struct class {
	bool (*f)(rune);
	const string *set;
};

static bool in(rune r, const struct class *c)
{
	return c->f ? c->f(r) : strings_index_rune(*c->set, r) >= 0;
}

/* The first, or last, code point whose being in the class is `want`. */
static ptrdiff_t index_class(string s, const struct class *c, bool want)
{
	for_rune(i, r, s) {
		if (in(r, c) == want)
			return (ptrdiff_t)i;
	}
	return -1;
}

/* *end is behind it. */
static ptrdiff_t last_index_class(string s, const struct class *c, bool want, size_t *end)
{
	size_t n;

	for (*end = s.len; *end; *end -= n) {
		if (in(utf8_decode_last_rune(part(s, 0, *end), &n), c) == want)
			return (ptrdiff_t)(*end - n);
	}
	return -1;
}

ptrdiff_t strings_index_rune(string s, rune r)
{
	char p[4];

	if (r >= 0 && r < RuneSelf)
		return strings_index_byte(s, (byte)r);
	if (r == RuneError) { /* a bad byte is one, too */
		for_rune(i, c, s) {
			if (c == RuneError)
				return (ptrdiff_t)i;
		}
		return -1;
	}
	if (!utf8_valid_rune(r))
		return -1;
	return strings_index(s, (string){ p, utf8_encode_rune(p, r) });
}

bool strings_contains_rune(string s, rune r)
{
	return strings_index_rune(s, r) >= 0;
}

ptrdiff_t strings_index_any(string s, string chars)
{
	return index_class(s, &(struct class){ .set = &chars }, true);
}

ptrdiff_t strings_last_index_any(string s, string chars)
{
	size_t end;

	return last_index_class(s, &(struct class){ .set = &chars }, true, &end);
}

bool strings_contains_any(string s, string chars)
{
	return strings_index_any(s, chars) >= 0;
}

ptrdiff_t strings_index_func(string s, bool (*f)(rune))
{
	return index_class(s, &(struct class){ .f = f }, true);
}

ptrdiff_t strings_last_index_func(string s, bool (*f)(rune))
{
	size_t end;

	return last_index_class(s, &(struct class){ .f = f }, true, &end);
}

static string trim(string s, const struct class *c, bool left, bool right)
{
	size_t end = s.len;
	ptrdiff_t begin = 0;

	if (left) {
		begin = index_class(s, c, false);
		if (begin < 0)
			return part(s, 0, 0);
	}
	if (right)
		last_index_class(s, c, false, &end);
	return part(s, (size_t)begin, end);
}

string strings_trim_func(string s, bool (*f)(rune))
{
	return trim(s, &(struct class){ .f = f }, true, true);
}

string strings_trim_space(string s)
{
	return strings_trim_func(s, unicode_is_space);
}

string strings_trim(string s, string cutset)
{
	return trim(s, &(struct class){ .set = &cutset }, true, true);
}

string strings_trim_left(string s, string cutset)
{
	return trim(s, &(struct class){ .set = &cutset }, true, false);
}

string strings_trim_right(string s, string cutset)
{
	return trim(s, &(struct class){ .set = &cutset }, false, true);
}

slice(string) strings_fields_func(string s, bool (*f)(rune))
{
	slice(string) v = {};
	size_t begin = 0;
	bool in_word = false;

	for_rune(i, r, s) {
		bool between = f(r);

		if (between && in_word)
			v = append(v, part(s, begin, i));
		if (!between && !in_word)
			begin = i;
		in_word = !between;
	}
	return in_word ? append(v, part(s, begin, s.len)) : v;
}

slice(string) strings_fields(string s)
{
	return strings_fields_func(s, unicode_is_space);
}

string strings_map(rune (*f)(rune), string s)
{
	builder b = {};
	bool changed = false;
	size_t n;

	for (size_t i = 0; i < s.len; i += n) {
		rune r = utf8_decode_rune(part(s, i, s.len), &n), to = f(r);

		if (!changed && (to != r || (r == RuneError && n == 1))) {
			changed = true;
			builder_grow(&b, s.len + UTFMax);
			builder_write(&b, part(s, 0, i));
		}
		if (changed && to >= 0)
			builder_write_rune(&b, to);
	}
	return changed ? builder_string(&b) : s;
}

/* The case of ASCII's letters from lo to lo + 25 flipped; false, and nothing
 * done, if s has other than ASCII. */
static bool map_ascii(string *s, byte lo)
{
	bool any = false;
	char *p;

	for (size_t i = 0; i < s->len; i++) {
		byte c = (byte)s->ptr[i];

		if (c >= RuneSelf)
			return false;
		any |= (byte)(c - lo) < 26;
	}
	if (!any)
		return true;
	p = rt_malloc(s->len, RT_NOSCAN);
	for (size_t i = 0; i < s->len; i++) {
		byte c = (byte)s->ptr[i];

		p[i] = (char)((byte)(c - lo) < 26 ? c ^ 0x20 : c);
	}
	s->ptr = p;
	return true;
}

string strings_to_lower(string s)
{
	return map_ascii(&s, 'A') ? s : strings_map(unicode_to_lower, s);
}

string strings_to_upper(string s)
{
	return map_ascii(&s, 'a') ? s : strings_map(unicode_to_upper, s);
}

bool strings_equal_fold(string a, string b)
{
	while (a.len && b.len) {
		size_t n, m;
		rune r = utf8_decode_rune(a, &n), t = utf8_decode_rune(b, &m);

		if (r != t && unicode_fold(r) != unicode_fold(t))
			return false;
		a = part(a, n, a.len);
		b = part(b, m, b.len);
	}
	return a.len == b.len;
}

string strings_to_valid_utf8(string s, string with)
{
	builder b = {};
	bool bad_before = false;
	size_t n;

	if (utf8_valid(s))
		return s;
	for (; s.len; s = part(s, n, s.len)) {
		bool bad = utf8_decode_rune(s, &n) == RuneError && n == 1;

		if (!bad || !bad_before)
			builder_write(&b, bad ? with : part(s, 0, n));
		bad_before = bad;
	}
	return builder_string(&b);
}
