/* strings.c: Go's package strings, the part that programs use daily.
 * Results that are a part of the argument share it. */
#include "rt.h"
#include "api_value.h"

/* The part of s from byte i to j; keeps the base when empty. */
static string part(string s, size_t i, size_t j)
{
	return (string){ i == j ? s.ptr : s.ptr + i, j - i };
}

ptrdiff_t strings_index_byte(string s, byte c)
{
	const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return p ? p - s.ptr : -1;
}

ptrdiff_t strings_index(string s, string t)
{
	size_t i = 0;

	if (t.len == 0)
		return 0;
	while (s.len - i >= t.len && i <= s.len) {
		const char *p = memchr(s.ptr + i, (byte)t.ptr[0], s.len - i - t.len + 1);

		if (!p)
			return -1;
		if (memcmp(p, t.ptr, t.len) == 0)
			return p - s.ptr;
		i = (size_t)(p - s.ptr) + 1;
	}
	return -1;
}

ptrdiff_t strings_last_index(string s, string t)
{
	if (t.len > s.len)
		return -1;
	for (size_t i = s.len - t.len + 1; i-- > 0;) {
		if (t.len == 0 || memcmp(s.ptr + i, t.ptr, t.len) == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}

bool strings_contains(string s, string t)
{
	return strings_index(s, t) >= 0;
}

bool strings_has_prefix(string s, string prefix)
{
	return s.len >= prefix.len && string_eq(part(s, 0, prefix.len), prefix);
}

bool strings_has_suffix(string s, string suffix)
{
	return s.len >= suffix.len && string_eq(part(s, s.len - suffix.len, s.len), suffix);
}

size_t strings_count(string s, string t)
{
	size_t n = 0;

	if (t.len == 0)
		return utf8_rune_count(s) + 1;
	for (ptrdiff_t i; (i = strings_index(s, t)) >= 0; n++)
		s = part(s, (size_t)i + t.len, s.len);
	return n;
}

static bool is_space(rune r)
{
	return r == ' ' || (r >= '\t' && r <= '\r') || r == 0x85 || r == 0xA0;
}

static bool in_set(rune r, string set)
{
	for_rune(i, c, set) {
		if (c == r)
			return true;
	}
	return false;
}

/* The last code point of s. */
static rune last_rune(string s, size_t *size)
{
	size_t lo = s.len > 4 ? s.len - 4 : 0;

	for (size_t i = lo; i < s.len; i++) {
		rune r = utf8_decode_rune(part(s, i, s.len), size);

		if (i + *size == s.len)
			return r;
	}
	*size = s.len ? 1 : 0;
	return RuneError;
}

/* Trims code points of the set, or white space if there is none. */
static string trim(string s, const string *set)
{
	size_t n;

	while (s.len) {
		rune r = utf8_decode_rune(s, &n);

		if (!(set ? in_set(r, *set) : is_space(r)))
			break;
		s = part(s, n, s.len);
	}
	while (s.len) {
		rune r = last_rune(s, &n);

		if (!(set ? in_set(r, *set) : is_space(r)))
			break;
		s = part(s, 0, s.len - n);
	}
	return s;
}

string strings_trim_space(string s)
{
	return trim(s, NULL);
}

string strings_trim(string s, string cutset)
{
	return trim(s, &cutset);
}

string strings_trim_prefix(string s, string prefix)
{
	return strings_has_prefix(s, prefix) ? part(s, prefix.len, s.len) : s;
}

string strings_trim_suffix(string s, string suffix)
{
	return strings_has_suffix(s, suffix) ? part(s, 0, s.len - suffix.len) : s;
}

bool strings_cut(string s, string t, string *before, string *after)
{
	ptrdiff_t i = strings_index(s, t);

	*before = i < 0 ? s : part(s, 0, (size_t)i);
	*after = i < 0 ? (string){} : part(s, (size_t)i + t.len, s.len);
	return i >= 0;
}

slice(string) strings_fields(string s)
{
	slice(string) v = {};
	size_t begin = 0;
	bool in_word = false;

	for_rune(i, r, s) {
		if (is_space(r)) {
			if (in_word)
				v = append(v, part(s, begin, i));
			in_word = false;
		} else if (!in_word) {
			begin = i;
			in_word = true;
		}
	}
	if (in_word)
		v = append(v, part(s, begin, s.len));
	return v;
}

slice(string) strings_split(string s, string sep)
{
	slice(string) v = {};

	if (sep.len == 0) {
		size_t n;

		for (; s.len; s = part(s, n, s.len)) {
			utf8_decode_rune(s, &n);
			v = append(v, part(s, 0, n));
		}
		return v;
	}
	for (ptrdiff_t i; (i = strings_index(s, sep)) >= 0; s = part(s, (size_t)i + sep.len, s.len))
		v = append(v, part(s, 0, (size_t)i));
	return append(v, s);
}

string strings_join(slice(string) v, string sep)
{
	builder b = {};
	size_t total = 0;

	if (v.len == 0)
		return (string){};
	if (v.len == 1)
		return v.ptr[0];
	for (size_t i = 0; i < v.len; i++)
		total += v.ptr[i].len + (i ? sep.len : 0);
	builder_grow(&b, total);
	for (size_t i = 0; i < v.len; i++) {
		if (i)
			builder_write(&b, sep);
		builder_write(&b, v.ptr[i]);
	}
	return builder_string(&b);
}

string strings_repeat(string s, int64_t n)
{
	builder b = {};
	size_t total;

	if (n < 0)
		rt_panic("strings: negative Repeat count");
	if (__builtin_mul_overflow(s.len, (size_t)n, &total))
		rt_panic("strings: Repeat output length overflow");
	if (!total)
		return (string){};
	builder_grow(&b, total);
	while (n-- > 0)
		builder_write(&b, s);
	return builder_string(&b);
}

string strings_replace_all(string s, string from, string to)
{
	builder b = {};
	ptrdiff_t i;

	if (from.len == 0) {
		for_rune(at, r, s) {
			builder_write(&b, to);
			builder_write_rune(&b, r);
		}
		builder_write(&b, to);
		return builder_string(&b);
	}
	if (strings_index(s, from) < 0)
		return s;
	while ((i = strings_index(s, from)) >= 0) {
		builder_write(&b, part(s, 0, (size_t)i));
		builder_write(&b, to);
		s = part(s, (size_t)i + from.len, s.len);
	}
	builder_write(&b, s);
	return builder_string(&b);
}

/* Adds flip to the bytes from lo to hi; s itself if there are none. */
static string change_case(string s, byte lo, byte hi, int flip)
{
	for (size_t i = 0; i < s.len; i++) {
		byte c = (byte)s.ptr[i];

		if (c >= lo && c <= hi) {
			string copy_of = string_from_bytes(s.ptr, s.len);
			char *p = (char *)copy_of.ptr;

			for (; i < s.len; i++) {
				c = (byte)p[i];
				p[i] = (char)(c >= lo && c <= hi ? c + flip : c);
			}
			return copy_of;
		}
	}
	return s;
}

string strings_to_lower(string s)
{
	return change_case(s, 'A', 'Z', 'a' - 'A');
}

string strings_to_upper(string s)
{
	return change_case(s, 'a', 'z', 'A' - 'a');
}
