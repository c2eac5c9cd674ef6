/* strings.c: Go's package strings: searching, trimming, cutting and joining.
 * Results that are a part of the argument share it.  What goes by the class or
 * case of code points is in stringsfunc.c. */
#include "rt.h"
#include "text.h"

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

ptrdiff_t strings_last_index_byte(string s, byte c)
{
	for (size_t i = s.len; i-- > 0;) {
		if ((byte)s.ptr[i] == c)
			return (ptrdiff_t)i;
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

bool strings_cut_prefix(string s, string prefix, string *rest)
{
	bool has = strings_has_prefix(s, prefix);

	*rest = strings_trim_prefix(s, prefix);
	return has;
}

bool strings_cut_suffix(string s, string suffix, string *rest)
{
	bool has = strings_has_suffix(s, suffix);

	*rest = strings_trim_suffix(s, suffix);
	return has;
}

/* At most n pieces, each with keep bytes of its sep. */
static slice(string) split(string s, string sep, int64_t n, size_t keep)
{
	slice(string) v = {};
	size_t most = n < 0 ? SIZE_MAX : (size_t)n, pieces;
	ptrdiff_t i;

	if (most == 0)
		return v;
	pieces = sep.len ? strings_count(s, sep) + 1 : utf8_rune_count(s);
	v = make_slice(string, 0, (int64_t)(pieces < most ? pieces : most));
	if (sep.len == 0) {
		size_t size;

		for (; s.len && v.len + 1 < most; s = part(s, size, s.len)) {
			utf8_decode_rune(s, &size);
			v = append(v, part(s, 0, size));
		}
		return s.len ? append(v, s) : v;
	}
	while (v.len + 1 < most && (i = strings_index(s, sep)) >= 0) {
		v = append(v, part(s, 0, (size_t)i + keep));
		s = part(s, (size_t)i + sep.len, s.len);
	}
	return append(v, s);
}

slice(string) strings_split(string s, string sep)
{
	return split(s, sep, -1, 0);
}

slice(string) strings_split_n(string s, string sep, int64_t n)
{
	return split(s, sep, n, 0);
}

slice(string) strings_split_after(string s, string sep)
{
	return split(s, sep, -1, sep.len);
}

slice(string) strings_split_after_n(string s, string sep, int64_t n)
{
	return split(s, sep, n, sep.len);
}

string strings_join(slice(string) v, string sep)
{
	size_t total = 0;
	char *b, *p;

	if (v.len == 0)
		return (string){};
	if (v.len == 1)
		return v.ptr[0];
	if (__builtin_mul_overflow(sep.len, v.len - 1, &total))
		rt_panic("strings: Join output length overflow");
	for (size_t i = 0; i < v.len; i++) {
		if (__builtin_add_overflow(total, v.ptr[i].len, &total) || total > INT64_MAX)
			rt_panic("strings: Join output length overflow");
	}
	p = b = rt_malloc(total, RT_NOSCAN);
	for (size_t i = 0; i < v.len; i++) {
		if (i && sep.len)
			memcpy(p, sep.ptr, sep.len);
		p += i ? sep.len : 0;
		if (v.ptr[i].len)
			memcpy(p, v.ptr[i].ptr, v.ptr[i].len);
		p += v.ptr[i].len;
	}
	return (string){ b, total };
}

string strings_repeat(string s, int64_t n)
{
	size_t total, done;
	char *b;

	if (n < 0)
		rt_panic("strings: negative Repeat count");
	if (__builtin_mul_overflow(s.len, (size_t)n, &total) || total > INT64_MAX)
		rt_panic("strings: Repeat output length overflow");
	if (!total)
		return (string){};
	b = rt_malloc(total, RT_NOSCAN);
	memcpy(b, s.ptr, s.len);
	for (done = s.len; done < total;) { /* doubling */
		size_t more = done < total - done ? done : total - done;

		memcpy(b + done, b, more);
		done += more;
	}
	return (string){ b, total };
}

string strings_replace(string s, string from, string to, int64_t n)
{
	size_t found, total;
	builder b = {};

	if (n == 0 || string_eq(from, to))
		return s;
	found = strings_count(s, from);
	if (found == 0)
		return s;
	if (n > 0 && (size_t)n < found)
		found = (size_t)n;
	if (__builtin_mul_overflow(to.len, found, &total) || __builtin_add_overflow(total, s.len, &total) || total > INT64_MAX)
		rt_panic("strings: Replace output length overflow");
	builder_grow(&b, total - found * from.len);
	for (size_t k = 0; k < found; k++) {
		size_t i = 0;

		if (from.len)
			i = (size_t)strings_index(s, from);
		else if (k)
			utf8_decode_rune(s, &i);
		builder_write(&b, part(s, 0, i));
		builder_write(&b, to);
		s = part(s, i + from.len, s.len);
	}
	builder_write(&b, s);
	return builder_string(&b);
}

string strings_replace_all(string s, string from, string to)
{
	return strings_replace(s, from, to, -1);
}
