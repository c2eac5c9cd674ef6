/* strconv.c: numbers and literals to text and back.  The tables in
 * strconv_go.h are what Go prints (its strconv, 1.19). */
#include "ingot.h"
#include "test.h"

static const struct format_case {
	uint64 v;
	char fmt;
	int prec, bits;
	const char *text;
} format_cases[] = {
#define STRCONV_FMT
#include "strconv_go.h"
#undef STRCONV_FMT
};
static const struct parse_float_case {
	const char *in;
	int bits;
	uint64 v;
	char err;
} parse_float_cases[] = {
#define STRCONV_PARSEF
#include "strconv_go.h"
#undef STRCONV_PARSEF
};
static const struct parse_int_case {
	const char *in;
	int base, bits;
	int64 v;
	char err;
	uint64 u;
	char uerr;
} parse_int_cases[] = {
#define STRCONV_PARSEI
#include "strconv_go.h"
#undef STRCONV_PARSEI
};
static const struct quote_case {
	const char *in;
	size_t len;
	const char *quoted, *ascii;
} quote_cases[] = {
#define STRCONV_QUOTE
#include "strconv_go.h"
#undef STRCONV_QUOTE
};
static const struct unquote_case {
	const char *in;
	size_t len;
	const char *out;
	size_t out_len;
	char err;
} unquote_cases[] = {
#define STRCONV_UNQUOTE
#include "strconv_go.h"
#undef STRCONV_UNQUOTE
};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static uint64 bits_of(double v)
{
	uint64 u;

	if (v != v)
		return 0x7ff8000000000001; /* as the table has it */
	memcpy(&u, &v, 8);
	return u;
}

/* As the tables have it: 0, 's', 'r', 'o'. */
static int kind(error e)
{
	return !e ? 0 : errors_is(e, strconv_err_syntax) ? 's' : errors_is(e, strconv_err_range) ? 'r' : 'o';
}

TEST(floats_to_text)
{
	for (size_t i = 0; i < COUNT(format_cases); i++) {
		const struct format_case *c = &format_cases[i];
		double v;

		memcpy(&v, &c->v, 8);
		string s = strconv_format_float(v, c->fmt, c->prec, c->bits);

		if (!string_eq(s, cstring(c->text)))
			TEST_FAIL("%a '%c' %d %d is %s, not %s", v, c->fmt, c->prec, c->bits, s, c->text);
	}
	CHECK_S(strconv_format_float(1, 'q', -1, 64), S("%q"));
	CHECK_S(string_view(strconv_append_float(bytes_of(S("x=")), 0.1, 'g', -1, 64)), S("x=0.1"));
	CHECK_EQ(len(strconv_format_float(1, 'f', 2000, 64)), 2002);
}

TEST(text_to_floats)
{
	for (size_t i = 0; i < COUNT(parse_float_cases); i++) {
		const struct parse_float_case *c = &parse_float_cases[i];
		double v = 5;
		error e = strconv_parse_float(cstring(c->in), c->bits, &v);

		if (kind(e) != c->err || bits_of(v) != c->v)
			TEST_FAIL("\"%s\" %d is %a '%c', not %lx '%c'", c->in, c->bits, v, kind(e), c->v, c->err);
	}
}

/* Every value comes back. */
TEST(shortest_floats_read_back)
{
	uint64 x = 88172645463325252;

	for (int i = 0; i < 300; i++) {
		double v, w;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		memcpy(&v, &x, 8);
		if (v != v || v - v != 0)
			continue;
		must(strconv_parse_float(strconv_format_float(v, 'e', -1, 64), 64, &w));
		CHECK(bits_of(v) == bits_of(w));
		float f = (float)v;
		if (f - f != 0)
			continue;
		must(strconv_parse_float(strconv_format_float(f, 'g', -1, 32), 32, &w));
		CHECK(f == (float)w);
	}
}

TEST(text_to_integers)
{
	for (size_t i = 0; i < COUNT(parse_int_cases); i++) {
		const struct parse_int_case *c = &parse_int_cases[i];
		int64 v = 5;
		uint64 u = 5;
		int e = kind(strconv_parse_int(cstring(c->in), c->base, c->bits, &v));
		int ue = kind(strconv_parse_uint(cstring(c->in), c->base, c->bits, &u));

		if (e != c->err || v != c->v)
			TEST_FAIL("\"%s\" %d %d is %ld '%c', not %ld '%c'", c->in, c->base, c->bits, v, e, c->v, c->err);
		if (ue != c->uerr || u != c->u)
			TEST_FAIL("unsigned \"%s\" %d %d is %lu '%c', not %lu '%c'", c->in, c->base, c->bits, u, ue, c->u,
			          c->uerr);
	}
}

static void error_is(error e, string want)
{
	if (!string_eq(error_text(e), want))
		TEST_FAIL("the error is \"%s\", not \"%s\"", e, want);
}

TEST(errors_say_what_why_and_where)
{
	int64 v = 1;
	uint64 u;
	double f;
	bool b = true;
	string s;
	const num_error *ne = NULL;
	error e = strconv_atoi(S("12x4"), &v);

	error_is(e, S("strconv.Atoi: parsing \"12x4\": invalid syntax at byte 2"));
	CHECK(errors_as(e, num_error, &ne) && ne->pos == 2 && v == 0);
	CHECK_S(ne ? ne->num : S(""), S("12x4"));
	error_is(strconv_parse_int(S("-"), 10, 64, &v), S("strconv.ParseInt: parsing \"-\": invalid syntax at byte 1"));
	error_is(strconv_parse_int(S("1\0"), 10, 64, &v), S("strconv.ParseInt: parsing \"1\\x00\": invalid syntax at byte 1"));
	error_is(strconv_parse_int(S("300"), 10, 8, &v), S("strconv.ParseInt: parsing \"300\": value out of range"));
	CHECK_EQ(v, 127);
	error_is(strconv_parse_uint(S("1"), 37, 64, &u), S("strconv.ParseUint: parsing \"1\": invalid base 37"));
	error_is(strconv_parse_uint(S("1"), 10, 65, &u), S("strconv.ParseUint: parsing \"1\": invalid bit size 65"));
	error_is(strconv_parse_int(S("0x__1"), 0, 64, &v), S("strconv.ParseInt: parsing \"0x__1\": invalid syntax at byte 3"));
	error_is(strconv_parse_float(S("1.2.3"), 64, &f), S("strconv.ParseFloat: parsing \"1.2.3\": invalid syntax at byte 3"));
	error_is(strconv_parse_float(S("1e"), 64, &f), S("strconv.ParseFloat: parsing \"1e\": invalid syntax at byte 2"));
	error_is(strconv_parse_bool(S("yes"), &b), S("strconv.ParseBool: parsing \"yes\": invalid syntax at byte 0"));
	CHECK(!b);
	error_is(strconv_unquote(S("\"a\\qb\""), &s), S("strconv.Unquote: parsing \"\\\"a\\\\qb\\\"\": invalid syntax at byte 2"));
}

TEST(integers_to_text)
{
	int64 v;

	CHECK_S(strconv_itoa(0), S("0"));
	CHECK_S(strconv_itoa(INT64_MIN), S("-9223372036854775808"));
	CHECK_S(strconv_format_uint(UINT64_MAX, 16), S("ffffffffffffffff"));
	CHECK_S(strconv_format_uint(UINT64_MAX, 2), strings_repeat(S("1"), 64));
	CHECK_S(strconv_format_int(-5, 2), S("-101"));
	CHECK_S(strconv_format_int(INT64_MIN, 2), concat(S("-1"), strings_repeat(S("0"), 63)));
	CHECK_S(string_view(strconv_append_int(bytes_of(S("n=")), -35, 36)), S("n=-z"));
	CHECK_S(string_view(strconv_append_uint((slice(byte)){}, 7, 10)), S("7"));
	for (int base = 2; base <= 36; base++) {
		for (int64 n = -100000; n <= 100000; n += 9973) {
			must(strconv_parse_int(strconv_format_int(n, base), base, 64, &v));
			CHECK_EQ(v, n);
		}
	}
}

TEST(truth_values)
{
	bool b = false;

	CHECK_S(strconv_format_bool(true), S("true"));
	CHECK_S(strconv_format_bool(false), S("false"));
	CHECK(!strconv_parse_bool(S("T"), &b) && b);
	CHECK(!strconv_parse_bool(S("False"), &b) && !b);
	CHECK(strconv_parse_bool(S("tRUE"), &b) && strconv_parse_bool(S(""), &b));
}

TEST(quoting)
{
	for (size_t i = 0; i < COUNT(quote_cases); i++) {
		const struct quote_case *c = &quote_cases[i];
		string in = { c->in, c->len }, back;

		CHECK_S(strconv_quote(in), cstring(c->quoted));
		CHECK_S(strconv_quote_to_ascii(in), cstring(c->ascii));
		CHECK(!strconv_unquote(strconv_quote(in), &back));
		CHECK_S(back, in);
	}
	CHECK_S(strconv_quote_rune('\''), S("'\\''"));
	CHECK_S(strconv_quote_rune(0x263A), S("'\xE2\x98\xBA'"));
	CHECK_S(strconv_quote_rune('"'), S("'\"'"));
	CHECK_S(strconv_quote_rune(0xD800), S("'\xEF\xBF\xBD'"));
	CHECK_S(string_view(strconv_append_quote(bytes_of(S("x=")), S("\n"))), S("x=\"\\n\""));
}

TEST(unquoting)
{
	for (size_t i = 0; i < COUNT(unquote_cases); i++) {
		const struct unquote_case *c = &unquote_cases[i];
		string out;
		error e = strconv_unquote((string){ c->in, c->len }, &out);

		if (kind(e) != c->err)
			TEST_FAIL("unquote %s gives %s", strconv_quote((string){ c->in, c->len }), e);
		CHECK_S(out, ((string){ c->out, c->out_len }));
	}
}

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static void in_base(int base)
{
	defer(catch);
	strconv_format_int(1, base);
}

TEST(misuse)
{
	in_base(1);
	CHECK_S(caught, S("strconv: illegal AppendInt/FormatInt base"));
	in_base(37);
	CHECK_S(caught, S("strconv: illegal AppendInt/FormatInt base"));
}

TEST_MAIN
{
	RUN(floats_to_text);
	RUN(text_to_floats);
	RUN(shortest_floats_read_back);
	RUN(text_to_integers);
	RUN(errors_say_what_why_and_where);
	RUN(integers_to_text);
	RUN(truth_values);
	RUN(quoting);
	RUN(unquoting);
	RUN(misuse);
}
