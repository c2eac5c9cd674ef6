/* encoding.c: hex and base64.  The tables are what Go's packages give. */
#include "ingot.h"
#include "test.h"

struct base64_case {
	enum base64_encoding e;
	const char *text, *bytes, *err; /* bytes NULL: not looked at */
};
static const struct base64_case base64_cases[] = {
	{ StdEncoding, "", "", "" },
	{ URLEncoding, "", "", "" },
	{ RawStdEncoding, "", "", "" },
	{ RawURLEncoding, "", "", "" },
	{ StdEncoding, "Zg==", "f", "" },
	{ URLEncoding, "Zg==", "f", "" },
	{ RawStdEncoding, "Zg==", NULL, "illegal base64 data at input byte 2" },
	{ RawURLEncoding, "Zg==", NULL, "illegal base64 data at input byte 2" },
	{ StdEncoding, "Zm8=", "fo", "" },
	{ URLEncoding, "Zm8=", "fo", "" },
	{ RawStdEncoding, "Zm8=", NULL, "illegal base64 data at input byte 3" },
	{ RawURLEncoding, "Zm8=", NULL, "illegal base64 data at input byte 3" },
	{ StdEncoding, "Zm9v", "foo", "" },
	{ URLEncoding, "Zm9v", "foo", "" },
	{ RawStdEncoding, "Zm9v", "foo", "" },
	{ RawURLEncoding, "Zm9v", "foo", "" },
	{ StdEncoding, "Zg", NULL, "illegal base64 data at input byte 0" },
	{ URLEncoding, "Zg", NULL, "illegal base64 data at input byte 0" },
	{ RawStdEncoding, "Zg", "f", "" },
	{ RawURLEncoding, "Zg", "f", "" },
	{ StdEncoding, "Zm8", NULL, "illegal base64 data at input byte 0" },
	{ URLEncoding, "Zm8", NULL, "illegal base64 data at input byte 0" },
	{ RawStdEncoding, "Zm8", "fo", "" },
	{ RawURLEncoding, "Zm8", "fo", "" },
	{ StdEncoding, "Zg=", NULL, "illegal base64 data at input byte 3" },
	{ URLEncoding, "Zg=", NULL, "illegal base64 data at input byte 3" },
	{ RawStdEncoding, "Zg=", NULL, "illegal base64 data at input byte 2" },
	{ RawURLEncoding, "Zg=", NULL, "illegal base64 data at input byte 2" },
	{ StdEncoding, "Z", NULL, "illegal base64 data at input byte 0" },
	{ URLEncoding, "Z", NULL, "illegal base64 data at input byte 0" },
	{ RawStdEncoding, "Z", NULL, "illegal base64 data at input byte 0" },
	{ RawURLEncoding, "Z", NULL, "illegal base64 data at input byte 0" },
	{ StdEncoding, "Zm9vYg==", "foob", "" },
	{ URLEncoding, "Zm9vYg==", "foob", "" },
	{ RawStdEncoding, "Zm9vYg==", NULL, "illegal base64 data at input byte 6" },
	{ RawURLEncoding, "Zm9vYg==", NULL, "illegal base64 data at input byte 6" },
	{ StdEncoding, "Zm9v\x0aYg=\x0d\x0a=\x0a", "foob", "" },
	{ URLEncoding, "Zm9v\x0aYg=\x0d\x0a=\x0a", "foob", "" },
	{ RawStdEncoding, "Zm9v\x0aYg=\x0d\x0a=\x0a", NULL, "illegal base64 data at input byte 7" },
	{ RawURLEncoding, "Zm9v\x0aYg=\x0d\x0a=\x0a", NULL, "illegal base64 data at input byte 7" },
	{ StdEncoding, "Zg==x", NULL, "illegal base64 data at input byte 4" },
	{ URLEncoding, "Zg==x", NULL, "illegal base64 data at input byte 4" },
	{ RawStdEncoding, "Zg==x", NULL, "illegal base64 data at input byte 2" },
	{ RawURLEncoding, "Zg==x", NULL, "illegal base64 data at input byte 2" },
	{ StdEncoding, "Zm8=Zg==", NULL, "illegal base64 data at input byte 4" },
	{ URLEncoding, "Zm8=Zg==", NULL, "illegal base64 data at input byte 4" },
	{ RawStdEncoding, "Zm8=Zg==", NULL, "illegal base64 data at input byte 3" },
	{ RawURLEncoding, "Zm8=Zg==", NULL, "illegal base64 data at input byte 3" },
	{ StdEncoding, "=", NULL, "illegal base64 data at input byte 0" },
	{ URLEncoding, "=", NULL, "illegal base64 data at input byte 0" },
	{ RawStdEncoding, "=", NULL, "illegal base64 data at input byte 0" },
	{ RawURLEncoding, "=", NULL, "illegal base64 data at input byte 0" },
	{ StdEncoding, "Z=", NULL, "illegal base64 data at input byte 1" },
	{ URLEncoding, "Z=", NULL, "illegal base64 data at input byte 1" },
	{ RawStdEncoding, "Z=", NULL, "illegal base64 data at input byte 1" },
	{ RawURLEncoding, "Z=", NULL, "illegal base64 data at input byte 1" },
	{ StdEncoding, "Zg=x", NULL, "illegal base64 data at input byte 2" },
	{ URLEncoding, "Zg=x", NULL, "illegal base64 data at input byte 2" },
	{ RawStdEncoding, "Zg=x", NULL, "illegal base64 data at input byte 2" },
	{ RawURLEncoding, "Zg=x", NULL, "illegal base64 data at input byte 2" },
	{ StdEncoding, "+/+/", "\xfb\xff\xbf", "" },
	{ URLEncoding, "+/+/", NULL, "illegal base64 data at input byte 0" },
	{ RawStdEncoding, "+/+/", "\xfb\xff\xbf", "" },
	{ RawURLEncoding, "+/+/", NULL, "illegal base64 data at input byte 0" },
	{ StdEncoding, "-_-_", NULL, "illegal base64 data at input byte 0" },
	{ URLEncoding, "-_-_", "\xfb\xff\xbf", "" },
	{ RawStdEncoding, "-_-_", NULL, "illegal base64 data at input byte 0" },
	{ RawURLEncoding, "-_-_", "\xfb\xff\xbf", "" },
	{ StdEncoding, "Zm9*", NULL, "illegal base64 data at input byte 3" },
	{ URLEncoding, "Zm9*", NULL, "illegal base64 data at input byte 3" },
	{ RawStdEncoding, "Zm9*", NULL, "illegal base64 data at input byte 3" },
	{ RawURLEncoding, "Zm9*", NULL, "illegal base64 data at input byte 3" },
	{ StdEncoding, "Zm9v Yg==", NULL, "illegal base64 data at input byte 4" },
	{ URLEncoding, "Zm9v Yg==", NULL, "illegal base64 data at input byte 4" },
	{ RawStdEncoding, "Zm9v Yg==", NULL, "illegal base64 data at input byte 4" },
	{ RawURLEncoding, "Zm9v Yg==", NULL, "illegal base64 data at input byte 4" },
	{ StdEncoding, "Zm9vY", NULL, "illegal base64 data at input byte 4" },
	{ URLEncoding, "Zm9vY", NULL, "illegal base64 data at input byte 4" },
	{ RawStdEncoding, "Zm9vY", NULL, "illegal base64 data at input byte 4" },
	{ RawURLEncoding, "Zm9vY", NULL, "illegal base64 data at input byte 4" },
	{ StdEncoding, "====", NULL, "illegal base64 data at input byte 0" },
	{ URLEncoding, "====", NULL, "illegal base64 data at input byte 0" },
	{ RawStdEncoding, "====", NULL, "illegal base64 data at input byte 0" },
	{ RawURLEncoding, "====", NULL, "illegal base64 data at input byte 0" },
	{ StdEncoding, "Zm9vYmE=", "fooba", "" },
	{ URLEncoding, "Zm9vYmE=", "fooba", "" },
	{ RawStdEncoding, "Zm9vYmE=", NULL, "illegal base64 data at input byte 7" },
	{ RawURLEncoding, "Zm9vYmE=", NULL, "illegal base64 data at input byte 7" },
	{ StdEncoding, "Zh==", "f", "" },
	{ URLEncoding, "Zh==", "f", "" },
	{ RawStdEncoding, "Zh==", NULL, "illegal base64 data at input byte 2" },
	{ RawURLEncoding, "Zh==", NULL, "illegal base64 data at input byte 2" },
	{ StdEncoding, "\xff", NULL, "illegal base64 data at input byte 0" },
	{ URLEncoding, "\xff", NULL, "illegal base64 data at input byte 0" },
	{ RawStdEncoding, "\xff", NULL, "illegal base64 data at input byte 0" },
	{ RawURLEncoding, "\xff", NULL, "illegal base64 data at input byte 0" },
};

struct hex_case {
	struct {
		const char *ptr;
		size_t len;
	} text;
	size_t n;
	const char *bytes, *err;
};
#define T(s) { s, sizeof s - 1 }
static const struct hex_case hex_cases[] = {
	{ T(""), 0, "", "" },
	{ T("00ff"), 2, "\x00\xff", "" },
	{ T("7A7a"), 2, "zz", "" },
	{ T("0"), 0, "", "encoding/hex: odd length hex string" },
	{ T("abc"), 1, "\xab", "encoding/hex: odd length hex string" },
	{ T("xy"), 0, "", "encoding/hex: invalid byte: U+0078 'x'" },
	{ T("0g"), 0, "", "encoding/hex: invalid byte: U+0067 'g'" },
	{ T("0\x00"), 0, "", "encoding/hex: invalid byte: U+0000" },
	{ T("zz0"), 0, "", "encoding/hex: invalid byte: U+007A 'z'" },
	{ T("01\xe9"), 1, "\x01", "encoding/hex: invalid byte: U+00E9 '\xc3\xa9'" },
	{ T("ab cd"), 1, "\xab", "encoding/hex: invalid byte: U+0020 ' '" },
	{ T("1\xad"), 0, "", "encoding/hex: invalid byte: U+00AD" },
};
#define COUNT(v) (sizeof(v) / sizeof *(v))

TEST(hex)
{
	slice(byte) b;

	for (size_t i = 0; i < COUNT(hex_cases); i++) {
		const struct hex_case *c = &hex_cases[i];
		error err = hex_decode(((string){ c->text.ptr, c->text.len }), &b);
		string text = err ? error_text(err) : S("");

		if (!string_eq(text, cstring(c->err)) || len(b) != c->n || (c->n && memcmp(b.ptr, c->bytes, c->n)))
			TEST_FAIL("%s: %s, %zu bytes", c->text.ptr, text, len(b));
	}
	CHECK(string_eq(hex_encode(S("\x00\xff\x1a")), S("00ff1a")) && len(hex_encode((slice(byte)){})) == 0);
}

TEST(base64)
{
	slice(byte) b;

	for (size_t i = 0; i < COUNT(base64_cases); i++) {
		const struct base64_case *c = &base64_cases[i];
		error err = base64_decode(c->e, cstring(c->text), &b);
		string text = err ? error_text(err) : S("");

		if (!string_eq(text, cstring(c->err)))
			TEST_FAIL("%d %s: %s, not %s", (int)c->e, c->text, text, c->err);
		else if (c->bytes && !string_eq(string_view(b), cstring(c->bytes)))
			TEST_FAIL("%d %s: other bytes", (int)c->e, c->text);
	}
	CHECK(string_eq(base64_encode(StdEncoding, S("f")), S("Zg==")));
	CHECK(string_eq(base64_encode(RawStdEncoding, S("fo")), S("Zm8")));
	CHECK(string_eq(base64_encode(StdEncoding, S("\xfb\xff\xbf")), S("+/+/")));
	CHECK(string_eq(base64_encode(URLEncoding, S("\xfb\xff\xbf")), S("-_-_")));
	CHECK(string_eq(base64_encode(URLEncoding, S("")), S("")));
}

/* There and back again, at every length. */
TEST(round_trips)
{
	slice(byte) all = make_slice(byte, 300), b;

	for (int i = 0; i < 300; i++)
		at(all, i) = (byte)(i * 37);
	for (size_t n = 0; n <= 300; n++) {
		slice(byte) part = slice_to(all, n);

		for (int e = StdEncoding; e <= RawURLEncoding; e++) {
			error err = base64_decode((enum base64_encoding)e, base64_encode((enum base64_encoding)e, part), &b);
			CHECK(!err && len(b) == n && memcmp(b.ptr, all.ptr, n) == 0);
		}
		error err = hex_decode(hex_encode(part), &b);
		CHECK(!err && len(b) == n && memcmp(b.ptr, all.ptr, n) == 0);
	}
}

TEST_MAIN
{
	RUN(hex);
	RUN(base64);
	RUN(round_trips);
}
