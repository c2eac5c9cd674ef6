/* Strings: cut, split, joined, searched and replaced; they never change, so parts share them. */
#include "ingot.h"

static rune shift(rune r)
{
	if (r >= 'a' && r <= 'z')
		return 'a' + (r - 'a' + 13) % 26;
	return r;
}

int main(void)
{
	string line = S("  key = one, two,three  "), key, value;
	bool found = strings_cut(strings_trim_space(line), S(" = "), &key, &value);
	println("%s %s %s", strconv_quote(key), strconv_quote(value), fmt_v(found));
	slice(string) parts = strings_split(value, S(","));
	for_slice(i, part, parts)
		*part = strings_to_upper(strings_trim_space(*part));
	println("%zu %s", len(parts), strings_join(parts, S("|")));

	string text = S("the quick brown fox");
	println("%s %td %s", slice_of(text, 4, 9), strings_index(text, S("brown")),
	        fmt_v(strings_contains(text, S("cat"))));
	println("%s", strings_replace_all(text, S(" "), S("_")));
	println("%s %zu", strings_repeat(S("="), 10), strings_count(S("cheese"), S("e")));
	println("%s %s", fmt_v(strings_has_prefix(text, S("the"))), fmt_v(strings_equal_fold(S("Go"), S("GO"))));
	string whole = concat(S("the "), S("quick "), slice_from(text, 10));
	println("%s %s", strings_map(shift, text), fmt_v(string_eq(text, whole)));
	return 0;
}
