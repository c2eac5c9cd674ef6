/* string.c: strings, UTF-8, numbers, formatting. */
#include "ingot.h"
#include "test.h"

#define CHECK_S(a, b) \
	do { \
		string test_s = (a), test_t = (b); \
		if (!string_eq(test_s, test_t)) \
			TEST_FAIL("%s is \"%.*s\", not \"%.*s\"", #a, STR(test_s), STR(test_t)); \
	} while (0)

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
}
