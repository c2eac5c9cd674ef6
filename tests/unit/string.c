/* string.c: strings, UTF-8, numbers, formatting. */
#include "ingot.h"
#include "test.h"

TEST(literals)
{
	string s = S("a\0b");

	CHECK_EQ(len(s), 3);
	CHECK_EQ(at(s, 2), 'b');
	CHECK_EQ(len(S("")), 0);
	CHECK_EQ(len((string){}), 0);
	CHECK_S(cstring("abc"), S("abc"));
	CHECK_EQ(len(cstring(0)), 0);
}

TEST(conversions)
{
	char buf[] = "hello";
	string s = string_of(buf);
	slice(byte) b = bytes_of(s);

	buf[0] = 'j';
	at(b, 1) = 'u';
	CHECK_S(s, S("hello"));
	CHECK_S(string_of(b), S("hullo"));
	CHECK_STR(cstr(slice_of(s, 1, 3)), "el");
	CHECK_S(string_of_rune(0x20AC), S("\xE2\x82\xAC"));
}

TEST(comparing)
{
	CHECK(string_eq(S("a"), S("a")) && !string_eq(S("a"), S("ab")) && !string_eq(S("a"), S("b")));
	CHECK(string_cmp(S("a"), S("b")) < 0 && string_cmp(S("ab"), S("a")) > 0);
	CHECK(string_cmp(S("\xff"), S("a")) > 0 && string_cmp(S(""), S("")) == 0);
	CHECK(string_hash(S("abc"), 1) == string_hash(S("abc"), 1));
	CHECK(string_hash(S("abc"), 1) != string_hash(S("abc"), 2));
	for (size_t n = 0; n < 100; n++) { /* every length and every byte counts */
		char p[100] = {};
		uint64 h = string_hash((string){ p, n }, 7);

		CHECK(h != string_hash((string){ p, n + 1 }, 7));
		for (size_t i = 0; i < n; i++) {
			p[i] = 1;
			CHECK(h != string_hash((string){ p, n }, 7));
			p[i] = 0;
		}
	}
}

TEST(concatenation)
{
	string a = S("abc");

	CHECK_S(concat(a, S("-"), a), S("abc-abc"));
	CHECK(concat(S(""), a, S("")).ptr == a.ptr);
	CHECK_EQ(len(concat(S(""), S(""))), 0);
}

TEST(searching)
{
	string s = S("chicken");

	CHECK_EQ(strings_index(s, S("ken")), 4);
	CHECK_EQ(strings_index(s, S("dmr")), -1);
	CHECK_EQ(strings_index(s, S("")), 0);
	CHECK_EQ(strings_index(S(""), S("a")), -1);
	CHECK_EQ(strings_index(S("aaab"), S("aab")), 1);
	CHECK_EQ(strings_last_index(S("go gopher"), S("go")), 3);
	CHECK_EQ(strings_last_index(S("go"), S("")), 2);
	CHECK_EQ(strings_index_byte(s, 'k'), 4);
	CHECK(strings_contains(s, S("hick")) && !strings_contains(s, S("hack")));
	CHECK(strings_has_prefix(s, S("chi")) && !strings_has_prefix(S("c"), S("chi")));
	CHECK(strings_has_suffix(s, S("ken")) && !strings_has_suffix(s, S("kin")));
	CHECK_EQ(strings_count(S("cheese"), S("e")), 3);
	CHECK_EQ(strings_count(S("five"), S("")), 5);
	CHECK_EQ(strings_count(S("aaaa"), S("aa")), 2);
}

TEST(trimming)
{
	string before, after;

	CHECK_S(strings_trim_space(S(" \t\n a b\r\n")), S("a b"));
	CHECK_S(strings_trim_space(S("   ")), S(""));
	CHECK_S(strings_trim(S("xxhixyx"), S("yx")), S("hi"));
	CHECK_S(strings_trim(S("\xC3\xA9t\xC3\xA9"), S("\xC3\xA9")), S("t"));
	CHECK_S(strings_trim_prefix(S("goo"), S("go")), S("o"));
	CHECK_S(strings_trim_suffix(S("a.c"), S(".c")), S("a"));
	CHECK(strings_cut(S("key=value=x"), S("="), &before, &after));
	CHECK_S(before, S("key"));
	CHECK_S(after, S("value=x"));
	CHECK(!strings_cut(S("key"), S("="), &before, &after));
}

TEST(splitting_and_joining)
{
	slice(string) v = strings_fields(S("  foo bar  baz   "));

	CHECK_EQ(len(v), 3);
	CHECK_S(strings_join(v, S(", ")), S("foo, bar, baz"));
	CHECK_EQ(len(strings_fields(S("  "))), 0);
	v = strings_split(S("a,b,,c"), S(","));
	CHECK_EQ(len(v), 4);
	CHECK_S(at(v, 2), S(""));
	CHECK_S(strings_join(v, S(",")), S("a,b,,c"));
	CHECK_EQ(len(strings_split(S(""), S(","))), 1);
	CHECK_EQ(len(strings_split(S("h\xC3\xA9"), S(""))), 2);
	CHECK_S(strings_repeat(S("ab"), 3), S("ababab"));
	CHECK_EQ(len(strings_repeat(S("ab"), 0)), 0);
	CHECK_S(strings_replace_all(S("oink oink oink"), S("oink"), S("moo")), S("moo moo moo"));
	CHECK_S(strings_replace_all(S("ab"), S(""), S("-")), S("-a-b-"));
}

TEST(letter_case)
{
	string s = S("already lower 1"), t = S("A1 b\xC3\x89");

	CHECK(strings_to_lower(s).ptr == s.ptr);
	CHECK_S(strings_to_lower(t), S("a1 b\xC3\xA9"));
	CHECK_S(strings_to_upper(S("stra\xC3\x9F" "e \xCE\xB1\xCF\x82")), S("STRA\xC3\x9F" "E \xCE\x91\xCE\xA3"));
	CHECK_S(strings_to_upper(S("\xC3\xA9\xFFx")), S("\xC3\x89\xEF\xBF\xBDX"));
	CHECK_S(strings_to_upper(S("aZz{`")), S("AZZ{`"));
}

TEST(utf8)
{
	/* a, e-acute, euro, an emoji, then bad: lone continuation, overlong,
	 * surrogate, above the end, cut short. */
	string s = S("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
	static const rune want[] = { 'a', 0xE9, 0x20AC, 0x1F600 };
	static const size_t where[] = { 0, 1, 3, 6 };
	static const char *const bad[] = { "\x80", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
	                                   "\xE2\x82", "\xF8", "\xC3" };
	size_t n = 0, size;

	for_rune(i, r, s) {
		CHECK_EQ(i, where[n]);
		CHECK_EQ(r, want[n]);
		n++;
	}
	CHECK_EQ(n, 4);
	for_rune(i, r, s) {
		if (r == 'a')
			continue;
		if (r == 0x20AC)
			break;
		n++;
	}
	CHECK_EQ(n, 5);
	CHECK(utf8_valid(s));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK(!utf8_valid(cstring(bad[i])));
		CHECK_EQ(utf8_decode_rune(cstring(bad[i]), &size), RuneError);
		CHECK_EQ(size, 1);
		CHECK_EQ(utf8_rune_count(cstring(bad[i])), strlen(bad[i]));
	}
	CHECK(utf8_valid(S("\xEF\xBF\xBD")));
	CHECK_EQ(utf8_decode_rune(S(""), &size), RuneError);
	CHECK_EQ(size, 0);
	for (rune r = 0; r <= 0x10FFFF; r += 37) {
		char p[4];
		size_t w = utf8_encode_rune(p, r);
		rune back = utf8_decode_rune((string){ p, w }, &size);

		CHECK_EQ(back, r >= 0xD800 && r <= 0xDFFF ? RuneError : r);
		CHECK_EQ(size, w);
	}
}

TEST(builders)
{
	builder b = {};

	for (int i = 0; i < 1000; i++) {
		builder_printf(&b, "%d", i);
		builder_write_byte(&b, ' ');
		builder_write(&b, S("x"));
		builder_write_rune(&b, 0xE9);
	}
	CHECK(strings_has_prefix(builder_string(&b), S("0 x\xC3\xA9" "1 x\xC3\xA9")));
	CHECK(strings_has_suffix(builder_string(&b), S("999 x\xC3\xA9")));
	builder_reset(&b);
	CHECK_EQ(len(builder_string(&b)), 0);
}

static bool is_x(rune r)
{
	return r == 'x';
}

static rune shift(rune r)
{
	return r == '-' ? -1 : r == 'a' ? 0x20AC : r;
}

TEST(searching_by_code_points)
{
	string s = S("a\xC3\xA9\xE2\x82\xAC\xFFx");

	CHECK_EQ(strings_index_rune(s, 0x20AC), 3);
	CHECK_EQ(strings_index_rune(s, RuneError), 6);
	CHECK_EQ(strings_index_rune(s, -1), -1);
	CHECK_EQ(strings_index_rune(s, 0xD800), -1);
	CHECK_EQ(strings_index_any(s, S("\xE2\x82\xACx")), 3);
	CHECK_EQ(strings_index_any(s, S("")), -1);
	CHECK_EQ(strings_last_index_any(s, S("a\xC3\xA9")), 1);
	CHECK_EQ(strings_index_func(s, is_x), 7);
	CHECK_EQ(strings_last_index_func(S("xaxa"), is_x), 2);
	CHECK_EQ(strings_last_index_func(S("aa"), is_x), -1);
	CHECK_EQ(strings_last_index_byte(S("abab"), 'a'), 2);
	CHECK(strings_contains_rune(s, 0xE9) && !strings_contains_rune(s, 'b'));
	CHECK(strings_contains_any(s, S("zx")) && !strings_contains_any(s, S("zy")));
}

TEST(more_trimming_and_cutting)
{
	string rest;

	CHECK_S(strings_trim_left(S("xxaxx"), S("x")), S("axx"));
	CHECK_S(strings_trim_right(S("xxaxx"), S("x")), S("xxa"));
	CHECK_S(strings_trim_func(S("xxaxx"), is_x), S("a"));
	CHECK_S(strings_trim_func(S("xx"), is_x), S(""));
	CHECK_S(strings_trim_space(S("\xE3\x80\x80 a\xC2\xA0\xE2\x80\xA8")), S("a"));
	CHECK_S(strings_trim(S("\xFF\xFF" "a\xFF"), S("\xFF")), S("a")); /* a bad byte is RuneError */
	CHECK(strings_cut_prefix(S("gopher"), S("go"), &rest) && string_eq(rest, S("pher")));
	CHECK(!strings_cut_prefix(S("gopher"), S("a"), &rest) && string_eq(rest, S("gopher")));
	CHECK(strings_cut_suffix(S("a.c"), S(".c"), &rest) && string_eq(rest, S("a")));
}

TEST(more_splitting)
{
	CHECK_S(strings_join(strings_split_n(S("a,b,c,d"), S(","), 2), S("|")), S("a|b,c,d"));
	CHECK_EQ(len(strings_split_n(S("a,b"), S(","), 0)), 0);
	CHECK_EQ(len(strings_split_n(S("a,b"), S(","), 9)), 2);
	CHECK_S(strings_join(strings_split_after(S("a,b,c"), S(",")), S("|")), S("a,|b,|c"));
	CHECK_S(strings_join(strings_split_after_n(S("a,b,c"), S(","), 2), S("|")), S("a,|b,c"));
	CHECK_S(strings_join(strings_split_n(S("abc"), S(""), 2), S("|")), S("a|bc"));
	CHECK_S(strings_join(strings_split(S("a\xFF\xC3\xA9"), S("")), S("|")), S("a|\xFF|\xC3\xA9"));
	CHECK_S(strings_join(strings_fields_func(S("xxaxbxx"), is_x), S("|")), S("a|b"));
	CHECK_S(strings_join(strings_fields(S("\xE3\x80\x80" "a\xC2\x85" "b")), S("|")), S("a|b"));
	CHECK_EQ(len(strings_split(S(""), S(""))), 0);
}

TEST(replacing_and_mapping)
{
	string s = S("unchanged");

	CHECK_S(strings_replace(S("aaaa"), S("a"), S("b"), 2), S("bbaa"));
	CHECK_S(strings_replace(S("aaaa"), S("aa"), S("b"), -1), S("bb"));
	CHECK(strings_replace(s, S("x"), S("y"), -1).ptr == s.ptr && strings_replace(s, S("u"), S("y"), 0).ptr == s.ptr);
	CHECK_S(strings_replace(S("a\xFF" "b"), S(""), S("-"), -1), S("-a-\xFF-b-")); /* keeps bad bytes */
	CHECK_S(strings_replace(S("ab"), S(""), S("-"), 2), S("-a-b"));
	CHECK_S(strings_map(shift, S("a-b-\xFF")), S("\xE2\x82\xAC" "b\xEF\xBF\xBD"));
	CHECK(strings_map(shift, s).len == s.len + 2);
	CHECK_S(strings_to_valid_utf8(S("a\xFF\xFF" "b\xFF"), S("?")), S("a?b?"));
	CHECK(strings_to_valid_utf8(s, S("?")).ptr == s.ptr);
}

TEST(folding)
{
	CHECK(strings_equal_fold(S("Go"), S("GO")) && !strings_equal_fold(S("Go"), S("Goo")));
	CHECK(strings_equal_fold(S("\xE2\x84\xAA\xC5\xBF"), S("KS")));   /* Kelvin sign, long s */
	CHECK(strings_equal_fold(S("\xCE\xA3\xCF\x82\xCF\x83"), S("\xCF\x83\xCE\xA3\xCF\x82"))); /* sigmas */
	CHECK(!strings_equal_fold(S("\xC4\xB1"), S("I")) && !strings_equal_fold(S("\xC4\xB0"), S("i")));
	CHECK(!strings_equal_fold(S("\xFF"), S("a")));
}

TEST(unicode)
{
	size_t n = 0;
	string s = string_of_runes(slice_lit(rune, 'a', 0xE9, 0xD800, 0x1F600));

	CHECK_S(s, S("a\xC3\xA9\xEF\xBF\xBD\xF0\x9F\x98\x80"));
	CHECK_EQ(len(runes_of(s)), 4);
	CHECK_EQ(at(runes_of(s), 3), 0x1F600);
	for (size_t end = len(s); end; end -= n) {
		rune r = utf8_decode_last_rune(slice_to(s, end), &n);

		CHECK(r == RuneError ? n == 3 : r == 'a' || r == 0xE9 || r == 0x1F600);
	}
	CHECK_EQ(utf8_decode_last_rune(S("\xE2\x82"), &n), RuneError);
	CHECK_EQ(n, 1);
	CHECK_EQ(utf8_decode_last_rune(S(""), &n), RuneError);
	CHECK_EQ(n, 0);
	CHECK(utf8_full_rune(S("a")) && !utf8_full_rune(S("\xE2\x82")) && utf8_full_rune(S("\xE2\x41")));
	CHECK(utf8_full_rune(S("\xC0")) && utf8_full_rune(S("\xED\xA0")) && !utf8_full_rune(S("\xF0\x9F\x98")));
	CHECK(!utf8_full_rune(S("")) && utf8_full_rune(S("\xF4\x90")) && utf8_full_rune(S("\xE0\x80")));
	CHECK_EQ(utf8_rune_len(0x20AC), 3);
	CHECK_EQ(utf8_rune_len(0xDFFF), -1);
	CHECK(!utf8_check(s));
	CHECK_S(error_text(utf8_check(S("ab\xC3\xA9\xE2\x82"))), S("utf8: byte 0xe2 at byte 4 begins no code point"));
	CHECK(unicode_is_letter(0xE9) && unicode_is_letter(0x4E2D) && !unicode_is_letter('1') && !unicode_is_letter(-5));
	CHECK(unicode_is_upper(0xC9) && unicode_is_lower(0xE9) && unicode_is_digit(0x0663) && unicode_is_number(0xBD));
	CHECK(unicode_is_space(0x3000) && unicode_is_punct(0xBF) && unicode_is_control(0x85));
	CHECK(unicode_is_print(' ') && !unicode_is_print(0xA0) && !unicode_is_print(0xAD) && !unicode_is_print(0x110000));
	CHECK(unicode_to_upper(0xFF) == 0x178 && unicode_to_lower(0x178) == 0xFF && unicode_to_upper(0xDF) == 0xDF);
	CHECK(unicode_to_upper(-1) == -1 && unicode_to_lower(0x7FFFFFFF) == 0x7FFFFFFF);
}

TEST(empty_strings)
{
	string e = {}, s;

	CHECK_EQ(len(concat(e, e)), 0);
	CHECK(strings_index(e, e) == 0 && strings_last_index(e, e) == 0 && strings_count(e, e) == 1);
	CHECK(strings_has_prefix(e, e) && strings_equal_fold(e, e) && utf8_valid(e) && string_cmp(e, S("")) == 0);
	CHECK_EQ(len(strings_trim_space(e)), 0);
	CHECK_EQ(len(strings_fields(e)), 0);
	CHECK_EQ(len(strings_repeat(e, INT64_MAX)), 0);
	CHECK_EQ(len(strings_to_upper(e)), 0);
	CHECK_S(strings_replace_all(e, e, S("x")), S("x"));
	CHECK_S(strings_join((slice(string)){}, S(",")), S(""));
	CHECK(!strings_cut(e, S("x"), &s, &s) && cstr(e)[0] == 0 && len(bytes_of(e)) == 0);
	CHECK_S(sprint("%s|%5s|", e, e), S("|     |"));
}

TEST(a_string_of_1_gib)
{
	const size_t gib = (size_t)1 << 30;

#ifdef INGOT_DEBUG
	const char *why = "a build with checks takes minutes";
#else
	const char *why = memory_total() < 6 * gib ? "needs 6 GiB of memory" : NULL;
#endif
	if (why) {
		println("skip a_string_of_1_gib: %s", why);
		return;
	}
	string s = strings_repeat(S("0123456789abcdef"), (int64)(gib / 16)), t;

	CHECK_EQ(len(s), gib);
	CHECK_EQ(at(s, gib - 1), 'f');
	CHECK_EQ(strings_index(s, S("x")), -1);
	CHECK_EQ(strings_last_index_byte(s, '0'), gib - 16);
	t = concat(s, S("x"));
	CHECK_EQ(len(t), gib + 1);
	CHECK_EQ(strings_index(slice_from(t, gib - 20), S("fx")), 19);
	CHECK(string_eq(slice_to(t, gib), s) && string_cmp(s, t) < 0);
	s = t = (string){};
	gc();
}

TEST_MAIN
{
	RUN(literals);
	RUN(conversions);
	RUN(comparing);
	RUN(concatenation);
	RUN(searching);
	RUN(trimming);
	RUN(splitting_and_joining);
	RUN(letter_case);
	RUN(utf8);
	RUN(builders);
	RUN(searching_by_code_points);
	RUN(more_trimming_and_cutting);
	RUN(more_splitting);
	RUN(replacing_and_mapping);
	RUN(folding);
	RUN(unicode);
	RUN(empty_strings);
	RUN(a_string_of_1_gib);
}
