/* reflect.c: types at run time: values as text, compared in depth, and carried
 * by panics. */
#include "ingot.h"
#include "test.h"

enum colour { RED, GREEN = 5, BLUE = -1 };
typedef enum { NORTH, SOUTH } side;
typedef struct point {
	int x, y;
} point;
declare_slice(point);
typedef point *point_ptr;
declare_slice(point_ptr);
typedef int celsius;
typedef slice(int) slice_int_t;
typedef slice(point) slice_point_in_map;
typedef struct node {
	int v;
	struct node *next;
} node;
/* A tree by slices: may contain itself. */
typedef struct tree tree;
declare_slice(tree);
struct tree {
	int v;
	slice(tree) kids;
};
typedef struct {
	bool on;
	char c;
	int8 i8;
	uint8 u8;
	int16 i16;
	uint64 u64;
	float f;
	double d;
	string s;
	const char *cs;
	char text[8];
	enum colour col;
	side dir;
	point at;
	point_ptr ptr;
	slice(int) ints;
	map(string, int) m;
	chan(int) ch;
	void (*fn)(void);
	int grid[2][3];
	struct { int inner; };
	union { int a; char b[4]; } u;
	unsigned bit3 : 3;
	int sbit : 4;
	uint64 wide : 60;
	_Complex double z;
	celsius deg;
} all;

static void nothing(void)
{
}

/* The text of x, and that it is w. */
#define TEXT(x, w) \
	do { \
		string text_ = (x); \
		if (!string_eq(text_, S(w))) \
			TEST_FAIL("%s is \"%.*s\", not \"%s\"", #x, STR(text_), w); \
	} while (0)

TEST(scalars)
{
	TEXT(fmt_v(42), "42");
	TEXT(fmt_v(-42L), "-42");
	TEXT(fmt_v((uint8)200), "200");
	TEXT(fmt_v((int8)-3), "-3");
	TEXT(fmt_v(UINT64_MAX), "18446744073709551615");
	TEXT(fmt_v(INT64_MIN), "-9223372036854775808");
	TEXT(fmt_v((bool)1), "true");
	TEXT(fmt_v((bool)0), "false");
	TEXT(fmt_v((char)'a'), "'a'");
	TEXT(fmt_v((char)'\n'), "'\\n'");
	TEXT(fmt_v((char)0), "'\\0'");
	TEXT(fmt_v((char)200), "'\\xc8'");
	TEXT(fmt_v(S("text")), "text");
	TEXT(fmt_v("literal"), "literal");
	TEXT(fmt_v((char *)NULL), "<nil>");
	TEXT(fmt_v((string){}), "");
	TEXT(fmt_v(RED), "0"); /* a C enumerator is an int */
	TEXT(fmt_v((enum colour)RED), "RED");
	TEXT(fmt_v((enum colour)GREEN), "GREEN");
	TEXT(fmt_v((enum colour)BLUE), "BLUE");
	TEXT(fmt_v((enum colour)7), "colour(7)");
	TEXT(fmt_v((side)SOUTH), "SOUTH");
	TEXT(fmt_v((celsius)21), "21");
	TEXT(fmt_v((rune)0x20ac), "8364");
	TEXT(fmt_v((__int128)1 << 64), "0x00000000000000010000000000000000");
}

/* As Go's fmt prints them. */
TEST(floats)
{
	TEXT(fmt_v(0.0), "0");
	TEXT(fmt_v(-0.0), "-0");
	TEXT(fmt_v(1.0), "1");
	TEXT(fmt_v(0.1), "0.1");
	TEXT(fmt_v(0.1f), "0.1");
	TEXT(fmt_v(16777216.0f), "1.6777216e+07");
	TEXT(fmt_v(1.5), "1.5");
	TEXT(fmt_v(100.0), "100");
	TEXT(fmt_v(123456789.0), "1.23456789e+08");
	TEXT(fmt_v(1e20), "1e+20");
	TEXT(fmt_v(1e21), "1e+21");
	TEXT(fmt_v(1e-4), "0.0001");
	TEXT(fmt_v(1e-5), "1e-05");
	TEXT(fmt_v(0.1 + 0.2), "0.30000000000000004");
	TEXT(fmt_v(5e-324), "5e-324");
	TEXT(fmt_v(1.7976931348623157e308), "1.7976931348623157e+308");
	TEXT(fmt_v(1 / 0.0), "+Inf");
	TEXT(fmt_v(-1 / 0.0), "-Inf");
	TEXT(fmt_v(0 / 0.0), "NaN");
	TEXT(fmt_v((long double)2.5), "2.5");
	_Complex double z = 1.0 - 2.5 * (_Complex double)__builtin_complex(0.0, 1.0);
	TEXT(fmt_v(z), "(1-2.5i)");
}

TEST(structs)
{
	point p = { 1, -2 }, *pp = &p, *none = NULL;

	TEXT(fmt_v(p), "{1 -2}");
	TEXT(fmt_plus_v(p), "{x:1 y:-2}");
	TEXT(fmt_v(pp), "&{1 -2}");
	TEXT(fmt_plus_v(&p), "&{x:1 y:-2}");
	TEXT(fmt_v(none), "<nil>");
	TEXT(fmt_v(((struct { point a; struct { bool b; }; }){ p, { true } })), "{{1 -2} true}");
	all a = {
		true, 'c', -8, 8, -16, 64, 0.5f, 2.25, S("str"), "cs", "text", GREEN, SOUTH, p, NULL, {}, NULL, NULL, NULL,
		{ { 1, 2, 3 }, { 4, 5, 6 } }, { 7 }, { 0x01020304 }, 5, -3, 1ull << 59, 1 + 2 * (_Complex double)__builtin_complex(0.0, 1.0), 30
	};
	a.ints = append(a.ints, 1, 2);
	a.m = make_map(string, int);
	map_set(a.m, S("b"), 2);
	map_set(a.m, S("a"), 1);
	TEXT(fmt_plus_v(a), "{on:true c:'c' i8:-8 u8:8 i16:-16 u64:64 f:0.5 d:2.25 s:str cs:cs text:text col:GREEN "
	     "dir:SOUTH at:{x:1 y:-2} ptr:<nil> ints:[1 2] m:map[a:1 b:2] ch:<nil> fn:<nil> "
	     "grid:[[1 2 3] [4 5 6]] inner:7 u:0x01020304 bit3:5 sbit:-3 wide:576460752303423488 z:(1+2i) deg:30}");
	TEXT(fmt_v(a), "{true 'c' -8 8 -16 64 0.5 2.25 str cs text GREEN SOUTH {1 -2} <nil> [1 2] map[a:1 b:2] <nil> <nil> "
	     "[[1 2 3] [4 5 6]] 7 0x01020304 5 -3 576460752303423488 (1+2i) 30}");
	/* Pointers inside are addresses. */
	a.ptr = &p;
	a.fn = nothing;
	string t = fmt_plus_v(&a);
	CHECK(strings_contains(t, sprint("ptr:0x%lx ", (unsigned long)&p)));
	CHECK(strings_contains(t, sprint("fn:0x%lx ", (unsigned long)nothing)));
	CHECK(strings_has_prefix(t, S("&{on:true ")));
}

TEST(containers)
{
	slice(int) s = {};
	slice(byte) b = make_slice(byte, 2);
	slice(string) words = slice_lit(string, S("a"), S("b c"));
	slice(point) ps = slice_lit(point, ((point){ 1, 2 }), ((point){ 3, 4 }));
	map(celsius, point) m = make_map(celsius, point);
	map(point, bool) by_point = make_map(point, bool);
	map(double, int) by_float = make_map(double, int);
	int three[3] = { 1, 2, 3 };
	point_ptr two[2] = { NULL, NULL };
	char word[] = "word";

	TEXT(fmt_v(s), "[]");
	TEXT(fmt_v(append(s, 1, 2, 3)), "[1 2 3]");
	TEXT(fmt_v(b), "[0 0]");
	TEXT(fmt_v(words), "[a b c]");
	TEXT(fmt_v(ps), "[{1 2} {3 4}]");
	TEXT(fmt_v(&ps), "&[{1 2} {3 4}]");
	TEXT(fmt_plus_v(ps), "[{x:1 y:2} {x:3 y:4}]");
	TEXT(fmt_v(three), "[1 2 3]");
	TEXT(fmt_v(&three), "&[1 2 3]");
	TEXT(fmt_v(two), "[<nil> <nil>]");
	TEXT(fmt_v(word), "word");
	TEXT(fmt_v(m), "map[]");
	TEXT(fmt_v((map(int, int))NULL), "map[]");
	for (int i = 40; i > -3; i -= 21)
		map_set(m, i, ((point){ i, 0 }));
	TEXT(fmt_v(m), "map[-2:{-2 0} 19:{19 0} 40:{40 0}]");
	TEXT(fmt_v(&m), "&map[-2:{-2 0} 19:{19 0} 40:{40 0}]");
	map_set(by_point, ((point){ 2, 1 }), true);
	map_set(by_point, ((point){ 1, 9 }), false);
	map_set(by_point, ((point){ 1, 2 }), true);
	TEXT(fmt_plus_v(by_point), "map[{x:1 y:2}:true {x:1 y:9}:false {x:2 y:1}:true]");
	map_set(by_float, 1.5, 1);
	map_set(by_float, -1.5, 2);
	map_set(by_float, 0 / 0.0, 3);
	TEXT(fmt_v(by_float), "map[NaN:3 -1.5:2 1.5:1]");
	TEXT(fmt_v((chan(int))NULL), "<nil>");
	CHECK(strings_has_prefix(fmt_v(make_chan(int)), S("0x")));
	map(int, int) large = make_map(int, int);
	builder want = {};
	for (int i = 0; i < 500; i++) {
		map_set(large, i * 7919 % 500, i * 7919 % 500);
		builder_printf(&want, "%s%d:%d", i ? " " : "map[", i, i);
	}
	builder_write(&want, S("]"));
	CHECK(string_eq(fmt_v(large), builder_string(&want)));
}

TEST(names_of_types)
{
	point p = {}, *pp = &p;
	map(string, slice_point_in_map) mm = NULL;
	int grid[2][3];
	int64 i64 = 1;
	celsius deg = 1;

	TEXT(fmt_t(1), "int");
	TEXT(fmt_t(i64), "int64");
	TEXT(fmt_t((bool)1), "bool");
	TEXT(fmt_t(S("")), "string");
	TEXT(fmt_t(p), "point");
	TEXT(fmt_t(pp), "*point");
	TEXT(fmt_t((slice(int)){}), "[]int");
	TEXT(fmt_t((slice(point)){}), "[]point");
	TEXT(fmt_t(grid), "[2][3]int");
	TEXT(fmt_t((map(string, int))NULL), "map[string]int");
	TEXT(fmt_t(mm), "map[string]slice_point_in_map");
	TEXT(fmt_t((map(point, map(int, double)))NULL), "map[point]map[int]double");
	TEXT(fmt_t((chan(point *))NULL), "chan *point");
	TEXT(fmt_t(&nothing), "func");
	TEXT(fmt_t((enum colour)RED), "colour");
	TEXT(fmt_t(deg), "celsius");
	TEXT(fmt_t((void *)0), "*void");
	TEXT(fmt_t(((struct { int a; point *b; }){})), "struct { a int; b *point }");
}

TEST(errors_are_text)
{
	struct { error err; int n; } e = { errors_new(S("gone")), 1 }, none = {};

	TEXT(fmt_v(e), "{gone 1}");
	TEXT(fmt_plus_v(none), "{err:<nil> n:0}");
	TEXT(fmt_v(e.err), "gone");
	CHECK(deep_equal(e, e) && !deep_equal(e, none));
	CHECK(deep_equal(e.err, errors_new(S("gone"))) && !deep_equal(e.err, errors_new(S("here"))));
}

/* A value that contains itself ends, at once and whole. */
TEST(cycles_are_cut)
{
	slice(tree) top = make_slice(tree, 2);
	node n = { 1, &n };

	top.ptr[0] = (tree){ 1, top };
	top.ptr[1] = (tree){ 2, {} };
	TEXT(fmt_v(top), "[{1 <cycle>} {2 []}]");
	TEXT(fmt_v(top.ptr[0]), "{1 [{1 <cycle>} {2 []}]}");
	CHECK(strings_has_prefix(fmt_v(&n), S("&{1 0x")));
	/* The same part twice, side by side, is no cycle. */
	slice(tree) leaf = slice_lit(tree, ((tree){ 9, {} }));
	slice(tree) twice = slice_lit(tree, ((tree){ 1, leaf }), ((tree){ 2, leaf }));
	TEXT(fmt_v(twice), "[{1 [{9 []}]} {2 [{9 []}]}]");
}

static int calls;
static point next_point(void)
{
	calls++;
	return (point){ calls, 0 };
}

TEST(arguments_are_evaluated_once)
{
	int i = 0;
	point v[2][1] = { { { 1, 1 } }, { { 2, 2 } } };

	calls = 0;
	TEXT(fmt_v(next_point()), "{1 0}");
	TEXT(fmt_plus_v(next_point()), "{x:2 y:0}");
	CHECK(deep_equal(next_point(), ((point){ 3, 0 })));
	CHECK_EQ(calls, 3);
	TEXT(fmt_v(v[i++]), "[{1 1}]");
	CHECK_EQ(i, 1);
	CHECK(deep_equal(v[i--], v[1]));
	CHECK_EQ(i, 0);
	TEXT(fmt_t(v[i++]), "[1]point");
	CHECK_EQ(i, 0); /* as sizeof */
}

/* ---- deep_equal --------------------------------------------------------------- */

TEST(equal_values)
{
	double nan = 0 / 0.0;
	point p = { 1, 2 }, q = { 1, 2 }, r = { 1, 3 };

	CHECK(deep_equal(1, 1) && !deep_equal(1, 2));
	CHECK(deep_equal(S("ab"), concat(S("a"), S("b"))) && !deep_equal(S("a"), S("b")));
	CHECK(deep_equal("ab", "ab") && !deep_equal((const char *)"ab", (const char *)"ac"));
	CHECK(!deep_equal(nan, nan));
	CHECK(deep_equal(&nan, &nan)); /* the same pointer: Go's rule */
	CHECK(deep_equal(0.0, -0.0));
	CHECK(deep_equal(p, q) && !deep_equal(p, r));
	CHECK(deep_equal(&p, &q) && !deep_equal(&p, &r));
	CHECK(!deep_equal(&p, (point *)NULL) && deep_equal((point *)NULL, (point *)NULL));
	CHECK(!deep_equal(&nothing, &nothing) && deep_equal((void (*)(void))NULL, (void (*)(void))NULL));
	CHECK(!deep_equal((void *)&p, (void *)&q) && deep_equal((void *)&p, (void *)&p));
	struct padded { char c; int64 v; } a, b;
	memset(&a, 1, sizeof a);
	memset(&b, 2, sizeof b);
	a.c = b.c = 3;
	a.v = b.v = 4;
	CHECK(deep_equal(a, b)); /* whatever lies between */
	struct bits { unsigned x : 3, y : 5; } c = { 1, 2 }, d = { 1, 3 };
	CHECK(deep_equal(c, c) && !deep_equal(c, d));
	char t1[8] = "ab\0c", t2[8] = "ab\0d";
	CHECK(deep_equal(t1, t2));
	int v1[2] = { 1, 2 }, v2[2] = { 1, 3 };
	CHECK(deep_equal(v1, v1) && !deep_equal(v1, v2));
}

TEST(equal_containers)
{
	slice(int) nil = {}, empty = make_slice(int, 0), a = slice_lit(int, 1, 2, 3), b = slice_lit(int, 1, 2, 3);
	map(string, slice_int_t) none = NULL, m = make_map(string, slice_int_t), n = make_map(string, slice_int_t);
	double nan = 0 / 0.0;
	slice(double) f = slice_lit(double, nan), g = slice_lit(double, nan);
	map(double, int) mf = make_map(double, int);

	CHECK(deep_equal(nil, nil) && deep_equal(empty, make_slice(int, 0)));
	CHECK(!deep_equal(nil, empty));
	CHECK(deep_equal(a, b) && !deep_equal(a, slice_to(b, 2)));
	at(b, 2) = 4;
	CHECK(!deep_equal(a, b) && deep_equal(slice_to(a, 2), slice_to(b, 2)));
	CHECK(deep_equal(f, f) && !deep_equal(f, g)); /* the same array: not looked into */
	CHECK(deep_equal(m, n) && !deep_equal(none, m) && deep_equal(none, none));
	map_set(m, S("k"), a);
	CHECK(!deep_equal(m, n));
	for (int i = 0; i < 20; i++) {
		map_set(m, sprint("%d", i), make_slice(int, i));
		map_set(n, sprint("%d", i), make_slice(int, i));
	}
	map_set(n, S("k"), slice_lit(int, 1, 2, 3));
	CHECK(deep_equal(m, n));
	map_set(n, S("k"), b);
	CHECK(!deep_equal(m, n));
	map_set(mf, nan, 1);
	CHECK(deep_equal(mf, mf));
	map(double, int) mg = make_map(double, int);
	map_set(mg, nan, 1);
	CHECK(!deep_equal(mf, mg));
	chan(int) ch = make_chan(int);
	CHECK(deep_equal(ch, ch) && !deep_equal(ch, make_chan(int)));
}

static node *ring(int n, int last)
{
	node *first = new(node, .v = 0), *p = first;

	for (int i = 1; i < n; i++)
		p = p->next = new(node, .v = i);
	p->v = last;
	p->next = first;
	return first;
}

TEST(equal_cycles)
{
	CHECK(deep_equal(ring(10, 0), ring(10, 0)));
	CHECK(!deep_equal(ring(10, 0), ring(10, 1)));
	CHECK(deep_equal(ring(2000, 5), ring(2000, 5)));
	slice(tree) a = make_slice(tree, 1), b = make_slice(tree, 1);
	a.ptr[0] = (tree){ 1, a };
	b.ptr[0] = (tree){ 1, b };
	CHECK(deep_equal(a, b));
	b.ptr[0].v = 2;
	CHECK(!deep_equal(a, b));
	/* Two slices of one array with different lengths: the longer is looked at too. */
	slice(int) x = slice_lit(int, 1, 2), y = slice_lit(int, 1, 3);
	struct { slice(int) s, l; } p = { slice_to(x, 1), x }, q = { slice_to(y, 1), y };
	CHECK(!deep_equal(p, q));
}

/* ---- panics that carry values ------------------------------------------------ */

static const panicked *caught;

static void catch(void)
{
	caught = recover();
}

static void raise_point(point p)
{
	defer(catch);
	panic_any(p);
}

static void raise_int(int i)
{
	defer(catch);
	panic_any(i);
}

static void raise_celsius(celsius i)
{
	defer(catch);
	panic_any(i);
}

static void raise_string(string s)
{
	defer(catch);
	panic_any(s);
}

static void raise_text(void)
{
	defer(catch);
	panic("text");
}

TEST(panics_carry_values)
{
	raise_point((point){ 3, 4 });
	gc();
	point *p = panicked_as(caught, point);
	CHECK(p && p->x == 3 && p->y == 4 && !caught->runtime_error);
	CHECK(panicked_as(caught, int) == NULL && panicked_as(caught, tree) == NULL);
	TEXT(caught->text, "(point) {x:3 y:4}");
	raise_int(5);
	CHECK(panicked_as(caught, int) && *panicked_as(caught, int) == 5 && !panicked_as(caught, celsius));
	TEXT(caught->text, "5");
	raise_celsius(5);
	CHECK(panicked_as(caught, celsius) && !panicked_as(caught, int));
	TEXT(caught->text, "celsius(5)");
	raise_string(S("why"));
	CHECK(panicked_as(caught, string) && string_eq(*panicked_as(caught, string), S("why")));
	TEXT(caught->text, "why");
	raise_text();
	CHECK(panicked_as(caught, string) == NULL);
	CHECK(panicked_as((const panicked *)NULL, int) == NULL);
}

static void raise_wild(void)
{
	slice(int) bad = { NULL, 3, 3 };

	defer(catch);
	fmt_v(bad);
}

TEST(a_bad_value_is_a_panic)
{
	caught = NULL;
	raise_wild();
	CHECK(caught && caught->runtime_error);
}

TEST_MAIN
{
	RUN(scalars);
	RUN(floats);
	RUN(structs);
	RUN(containers);
	RUN(names_of_types);
	RUN(errors_are_text);
	RUN(cycles_are_cut);
	RUN(arguments_are_evaluated_once);
	RUN(equal_values);
	RUN(equal_containers);
	RUN(equal_cycles);
	RUN(panics_carry_values);
	RUN(a_bad_value_is_a_panic);
}
