/* format.c: formatting into strings and onto the console. */
#include <stdio.h>
#include "ingot.h"
#include "test.h"

TEST(plain_formats)
{
	string s = S("go");

	CHECK_S(sprint("%.*s-%d-%5.2f", STR(s), 42, 3.14159), S("go-42- 3.14"));
	CHECK_EQ(len(sprint("%s", "")), 0);
	CHECK_EQ(len(sprint("%5000d", 1)), 5000);
	CHECK_S(sprint("no arguments 100%%"), S("no arguments 100%"));
}

static const char *volatile no_text;

TEST(strings_as_arguments)
{
	string s = S("go"), part = slice_of(S("xabcx"), 1, 4), zero = S("a\0b");

	CHECK_S(sprint("%s", s), S("go"));
	CHECK_S(sprint("[%5s|%-5s|%.1s|%5.1s]", s, s, s, s), S("[   go|go   |g|    g]"));
	CHECK_S(sprint("[%*s|%-*s|%.*s|%*s]", 4, s, 4, s, 1, s, -3, s), S("[  go|go  |g|go ]"));
	CHECK_S(sprint("%s %s %s", part, "c", S("")), S("abc c "));
	CHECK_S(sprint("%s", zero), S("a\0b"));
	CHECK_S(sprint("%s", ((string){})), S(""));
	CHECK_S(sprint("%s%s", s, no_text), S("go(null)"));
	CHECK_EQ(len(sprint("%s%s", strings_repeat(S("x"), 3000), s)), 3002);
}

/* A string beside each of C's conversions changes nothing about them. */
#define SAME(fmt, ...) \
	do { \
		char want[400]; \
		snprintf(want, sizeof want, fmt, ##__VA_ARGS__); \
		CHECK_S(sprint("%s" fmt, s, ##__VA_ARGS__), concat(s, cstring(want))); \
	} while (0)

TEST(every_conversion_beside_a_string)
{
	string s = S("s:");
	void *p = &s;

	SAME("%d %i %5d|%-5d|%05d|%+d|% d", 1, -2, 3, 4, 5, 6, 7);
	SAME("%u %x %X %o %#x %#o", 1u, 255u, 255u, 8u, 255u, 8u);
	SAME("%hhd %hd %ld %lld %zu %td %jd", (signed char)-1, (short)-2, -3L, -4LL, (size_t)5, (ptrdiff_t)-6, (intmax_t)7);
	SAME("%lu %llx", ~0ul, ~0ull);
	SAME("%c%c%5c|%-5c|", 'a', 'b', 'c', 'd');
	SAME("%f %.3f %10.2f %e %g %G %a", 1.5, 2.25, 3.125, 1e100, 1e-10, 1e20, 1.0);
	SAME("%Lf %.2Lf", 1.5L, 2.5L);
	SAME("%p %s %10s %.2s", p, "text", "right", "cut");
	SAME("%*d %-*d %.*d", 6, 1, 6, 2, 4, 3);
	SAME("%%%d%%", 5);
	SAME("%f", 1e300);   /* longer than the first try */
	SAME("%250d|", 7);
	SAME("%s", "plain behind");
}

TEST(errors_as_arguments)
{
	error e = errors_new(S("broken"));

	CHECK_S(sprint("%s: %d %8s", e, 5, e), S("broken: 5   broken"));
	e = NULL;
	CHECK_S(sprint("%s", e), S("<nil>"));
}

static int evaluated;

static string name(void)
{
	evaluated++;
	return S("name");
}

static int number(void)
{
	return ++evaluated;
}

TEST(arguments_are_evaluated_once_and_in_order)
{
	builder b = {}, *p = &b;
	string v[] = { S("a"), S("b") }, *q = v;

	evaluated = 0;
	CHECK_S(sprint("%d %s %d %d", number(), name(), number(), number()), S("1 name 3 4"));
	builder_printf(p++, "%s%s", *q, q[1]);
	CHECK(p == &b + 1);
	CHECK_S(sprint("%s%s", *q++, S("-")), S("a-"));
	CHECK(q == v + 1);
	CHECK_S(builder_string(&b), S("ab"));
}

TEST(many_arguments)
{
	string s = S("s");

	CHECK_S(sprint("%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%s", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, s), S("012345678901234s"));
	CHECK_S(sprint("%s%f%s%f%s%f%s%f%s%f%s%f%s%f%s%f", s, 1., s, 2., s, 3., s, 4., s, 5., s, 6., s, 7., s, 8.),
	        S("s1.000000s2.000000s3.000000s4.000000s5.000000s6.000000s7.000000s8.000000"));
}

TEST(builders_go_on)
{
	builder b = {};

	builder_printf(&b, "%d", 1);
	builder_printf(&b, "%s", S(" two"));
	builder_printf(&b, "%0300d", 3);
	CHECK_EQ(len(builder_string(&b)), 305);
	CHECK(strings_has_prefix(builder_string(&b), S("1 two000")));
}

TEST(onto_the_console)
{
	string s = S("console");

	print("%s %s\n", s, "prints");
	println("%s %d %s", s, 7, S("lines"));
	println("plain");
}

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static void bad_format(const char *fmt)
{
	defer(catch);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	print(fmt, S("x"));
#pragma GCC diagnostic pop
}

TEST(a_bad_conversion_panics)
{
	bad_format("%y");
	CHECK_S(caught, S("print: bad conversion \"%y\" in a format"));
	bad_format("%");
	CHECK_S(caught, S("print: bad conversion \"%\" in a format"));
	bad_format("%-+ #0-+ #0-+ #0-+ #0-+ #0-+ #0-+ #0-+ #0-+ #0-+ #0-+ #099999999999999999999.99999999999999999999999999llllllllllllllllllllllllllllllly");
	CHECK(strings_has_prefix(caught, S("print: bad conversion \"%-+ #0-")));
}

static void panics(string s, error e)
{
	defer(catch);
	panic("%s %d: %s", s, 5, e);
}

TEST(a_panic_with_a_string)
{
	panics(S("cannot"), errors_new(S("why")));
	CHECK_S(caught, S("cannot 5: why"));
}

TEST_MAIN
{
	RUN(plain_formats);
	RUN(strings_as_arguments);
	RUN(every_conversion_beside_a_string);
	RUN(errors_as_arguments);
	RUN(arguments_are_evaluated_once_and_in_order);
	RUN(many_arguments);
	RUN(builders_go_on);
	RUN(onto_the_console);
	RUN(a_bad_conversion_panics);
	RUN(a_panic_with_a_string);
}
