/* bytes.c: package bytes, by way of package strings.  Where that may return its
 * argument, the bytes are copied: they can be changed. */
#include "rt.h"
#include "type.h"
#include "text.h"
#include "api_io.h"
#include "api_bytes.h"

/* s, which was made of b, as bytes of its own. */
static slice(byte) own(string s, slice(byte) b)
{
	bool shared = s.ptr >= (const char *)b.ptr && s.ptr <= (const char *)b.ptr + b.len;

	return shared ? bytes_of(s) : rt_bytes_of_part(s);
}

slice(byte) bytes_clone(slice(byte) b)
{
	return bytes_of(string_view(b));
}

bool bytes_cut(slice(byte) b, slice(byte) t, slice(byte) *before, slice(byte) *after)
{
	string x, y;
	bool found = strings_cut(string_view(b), string_view(t), &x, &y);

	*before = rt_bytes_of_part(x);
	*after = rt_bytes_of_part(y);
	return found;
}

static slice(byte_slice) all_bytes(slice(string) v)
{
	slice(byte_slice) w = make_slice(byte_slice, v.len);

	for_slice(i, s, v)
		w.ptr[i] = rt_bytes_of_part(*s);
	return w;
}

slice(byte_slice) bytes_fields(slice(byte) b)
{
	return all_bytes(strings_fields(string_view(b)));
}

slice(byte_slice) bytes_fields_func(slice(byte) b, bool (*f)(rune))
{
	return all_bytes(strings_fields_func(string_view(b), f));
}

slice(byte_slice) bytes_split(slice(byte) b, slice(byte) sep)
{
	return all_bytes(strings_split(string_view(b), string_view(sep)));
}

slice(byte_slice) bytes_split_n(slice(byte) b, slice(byte) sep, int64_t n)
{
	return all_bytes(strings_split_n(string_view(b), string_view(sep), n));
}

slice(byte_slice) bytes_split_after(slice(byte) b, slice(byte) sep)
{
	return all_bytes(strings_split_after(string_view(b), string_view(sep)));
}

slice(byte) bytes_join(slice(byte_slice) v, slice(byte) sep)
{
	slice(string) w = make_slice(string, v.len);

	for_slice(i, b, v)
		w.ptr[i] = string_view(*b);
	return v.len == 1 ? bytes_clone(v.ptr[0]) : rt_bytes_of_part(strings_join(w, string_view(sep)));
}

slice(byte) bytes_repeat(slice(byte) b, int64_t n)
{
	return own(strings_repeat(string_view(b), n), b);
}

slice(byte) bytes_replace(slice(byte) b, slice(byte) from, slice(byte) to, int64_t n)
{
	return own(strings_replace(string_view(b), string_view(from), string_view(to), n), b);
}

slice(byte) bytes_replace_all(slice(byte) b, slice(byte) from, slice(byte) to)
{
	return bytes_replace(b, from, to, -1);
}

slice(byte) bytes_map(rune (*f)(rune), slice(byte) b)
{
	return own(strings_map(f, string_view(b)), b);
}

slice(byte) bytes_to_lower(slice(byte) b)
{
	return own(strings_to_lower(string_view(b)), b);
}

slice(byte) bytes_to_upper(slice(byte) b)
{
	return own(strings_to_upper(string_view(b)), b);
}

slice(byte) bytes_to_valid_utf8(slice(byte) b, slice(byte) with)
{
	return own(strings_to_valid_utf8(string_view(b), string_view(with)), b);
}
