/* Runes: a string is bytes, read as UTF-8; a byte that is no UTF-8 counts as U+FFFD. */
#include "ingot.h"

static void describe(string s)
{
	println("%zu bytes, %zu runes, valid: %s", len(s), utf8_rune_count(s), fmt_v(utf8_valid(s)));
	for_rune(i, r, s)
		println("%3zu U+%04X %s letter: %s", i, r, string_of_rune(r), fmt_v(unicode_is_letter(r)));
}

static string reverse(string s)
{
	slice(rune) runes = runes_of(s);
	slices_reverse(runes);
	return string_of_runes(runes);
}

int main(void)
{
	describe(S("Gö1世"));
	describe(S("a\xff" "b"));
	println("%s", reverse(S("Hello, 世界")));
	return 0;
}
