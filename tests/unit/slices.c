/* slices.c: package slices, bytes, and what api_value.h refuses at run time. */
#include "ingot.h"
#include "test.h"

typedef struct point {
	int x, y;
} point;
typedef int *int_ptr;
declare_slice(point);
declare_slice(int_ptr);

/* A slice's content as text: {1 2 3}. */
static string show(slice(int) s)
{
	builder b = {};

	for_slice(i, p, s)
		builder_printf(&b, "%s%d", i ? " " : "", *p);
	return builder_string(&b);
}

TEST(index_and_contains)
{
	slice(int) s = slice_lit(int, 5, 6, 7, 6);
	slice(byte) b = bytes_of(S("hello"));
	slice(string) v = strings_fields(S("a bb ccc"));
	slice(double) d = slice_lit(double, 1.5, __builtin_nan(""), -0.0);
	int x = 1, y = 2;
	slice(int_ptr) p = slice_lit(int_ptr, &x, &y);

	CHECK_EQ(slices_index(s, 6), 1);
	CHECK_EQ(slices_index(s, 9), -1);
	CHECK_EQ(slices_index((slice(int)){}, 9), -1);
	CHECK_EQ(slices_index(b, 'l'), 2);
	CHECK_EQ(slices_index(v, S("ccc")), 2);
	CHECK_EQ(slices_index(d, __builtin_nan("")), -1); /* unlike itself */
	CHECK_EQ(slices_index(d, 0.0), 2);
	CHECK_EQ(slices_index(p, &y), 1);
	CHECK_EQ(slices_index(slice_lit(int16, 1, -2), -2), 1);
	CHECK_EQ(slices_index(slice_lit(bool, false, true), true), 1);
	CHECK(slices_contains(v, S("bb")) && !slices_contains(v, S("b")));
}

static bool sum_is(point p, int sum)
{
	return p.x + p.y == sum;
}

static bool is_odd(int x)
{
	return x & 1;
}

static bool same_tens(int a, int b)
{
	return a / 10 == b / 10;
}

TEST(with_functions)
{
	slice(point) s = slice_lit(point, ((point){ 1, 2 }), ((point){ 3, 4 }));
	slice(int) v = slice_lit(int, 1, 2, 3, 4, 5);

	CHECK_EQ(slices_index_func(s, sum_is, 7), 1);
	CHECK_EQ(slices_index_func(s, sum_is, 8), -1);
	CHECK(slices_contains_func(v, is_odd) && !slices_contains_func(slice_lit(int, 2), is_odd));
	CHECK_S(show(slices_delete_func(v, is_odd)), S("2 4"));
	CHECK_EQ(v.ptr[2], 0); /* cleared */
	CHECK_S(show(slices_compact_func(slice_lit(int, 11, 12, 25, 21, 13), same_tens)), S("11 25 13"));
	CHECK(slices_equal_func(slice_lit(int, 11, 22), slice_lit(int, 12, 21), same_tens));
	CHECK(!slices_equal_func(slice_lit(int, 11, 22), slice_lit(int, 12, 31), same_tens));
}

TEST(equal)
{
	slice(double) d = slice_lit(double, 0.0, 1), e = slice_lit(double, -0.0, 1);

	CHECK(slices_equal(slice_lit(int, 1, 2), slice_lit(int, 1, 2)));
	CHECK(!slices_equal(slice_lit(int, 1, 2), slice_lit(int, 1)));
	CHECK(!slices_equal(slice_lit(int, 1, 2), slice_lit(int, 1, 3)));
	CHECK(slices_equal((slice(int)){}, make_slice(int, 0)));
	CHECK(slices_equal(strings_fields(S("a b")), strings_split(S("a,b"), S(","))));
	CHECK(slices_equal(d, e));
	at(e, 1) = __builtin_nan("");
	CHECK(!slices_equal(e, e));
}

TEST(insert)
{
	slice(int) s = slice_lit(int, 1, 2, 3);

	CHECK_S(show(slices_insert(s, 0, 9)), S("9 1 2 3"));
	s = slice_lit(int, 1, 2, 3);
	CHECK_S(show(slices_insert(s, 3, 8, 9)), S("1 2 3 8 9"));
	s = make_slice(int, 3, 10);
	at(s, 2) = 3;
	slice(int) t = slices_insert(s, 1, 7, 7);
	CHECK(t.ptr == s.ptr && cap(t) == 10); /* in place */
	CHECK_S(show(t), S("0 7 7 0 3"));
	CHECK_S(show(slices_insert_slice(t, 1, t)), S("0 0 7 7 0 3 7 7 0 3")); /* itself, in place */
	s = slice_lit(int, 1, 2);
	CHECK_S(show(slices_insert_slice(s, 1, slice_lit(int, 4, 5, 6, 7, 8, 9))), S("1 4 5 6 7 8 9 2"));
	CHECK_S(show(slices_insert_slice(s, 2, s)), S("1 2 1 2"));
}

TEST(delete_and_replace)
{
	slice(int) s = slice_lit(int, 0, 1, 2, 3, 4, 5), t = s;

	s = slices_delete(s, 1, 3);
	CHECK_S(show(s), S("0 3 4 5"));
	CHECK(at(t, 4) == 0 && at(t, 5) == 0);
	CHECK_S(show(slices_delete(s, 0, 0)), S("0 3 4 5"));
	CHECK_S(show(slices_delete(s, 0, len(s))), S(""));
	s = slice_lit(int, 0, 1, 2, 3);
	CHECK_S(show(slices_replace(s, 1, 3, slice_lit(int, 7))), S("0 7 3"));
	s = slice_lit(int, 0, 1, 2, 3);
	CHECK_S(show(slices_replace(s, 1, 2, slice_lit(int, 7, 8, 9))), S("0 7 8 9 2 3"));
	s = slice_lit(int, 0, 1, 2, 3);
	CHECK_S(show(slices_replace(s, 0, 2, slice_from(s, 1))), S("1 2 3 2 3"));
}

TEST(reverse_compact_clone)
{
	slice(int) s = slice_lit(int, 1, 2, 3), t = slices_clone(s);
	slice(string) v = strings_fields(S("a b c d"));

	slices_reverse(s);
	CHECK_S(show(s), S("3 2 1"));
	CHECK_S(show(t), S("1 2 3"));
	slices_reverse(v);
	CHECK_S(strings_join(v, S("")), S("dcba"));
	slice(byte) odd = bytes_of(S("abcdefghijk"));
	slices_reverse(odd);
	CHECK_S(string_view(odd), S("kjihgfedcba"));
	CHECK_S(show(slices_compact(slice_lit(int, 1, 1, 2, 2, 2, 1))), S("1 2 1"));
	CHECK_S(strings_join(slices_compact(strings_fields(S("a a b"))), S(" ")), S("a b"));
	CHECK_EQ(len(slices_compact((slice(int)){})), 0);
}

TEST(grow_clip_concat_repeat)
{
	slice(int) s = slice_lit(int, 1, 2), t = slices_grow(s, 100);

	CHECK(cap(t) >= 102 && len(t) == 2);
	CHECK(slices_grow(t, 50).ptr == t.ptr);
	t = slices_clip(t);
	CHECK_EQ(cap(t), 2);
	CHECK_S(show(slices_concat(s, s, slice_lit(int, 3))), S("1 2 1 2 3"));
	CHECK_EQ(len(slices_concat((slice(int)){})), 0);
	CHECK_S(show(slices_repeat(s, 3)), S("1 2 1 2 1 2"));
	CHECK_EQ(len(slices_repeat(s, 0)), 0);
}

TEST(pointers_survive)
{
	slice(int_ptr) s = {};

	for (int i = 0; i < 200; i++)
		s = slices_insert(s, len(s) / 2, new(int));
	for_slice(i, p, s)
		**p = (int)i;
	slice(int_ptr) all = slices_clone(s);
	s = slices_concat(slices_delete(s, 50, 100), all);
	slices_reverse(s);
	gc();
	for_slice(i, p, s)
		CHECK(**p >= 0 && **p < 200);
}

TEST(c_arrays)
{
	int a[3] = { 1, 2, 3 }, b[2];
	slice(int) s = slice_from_array(int, a, 3);

	at(s, 1) = 7;
	CHECK_EQ(a[1], 7);
	slice_to_array(b, s);
	CHECK_EQ(b[1], 7);
	s = append(s, 4); /* not into what follows a */
	CHECK(s.ptr != a);
}

/* ---- what is refused ------------------------------------------------------------ */

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

#define PANICS(statement, want) \
	({ \
		auto void test_body(void); \
		caught = S("none"); \
		test_call(test_body); \
		CHECK_S(caught, S(want)); \
		void test_body(void) \
		{ \
			defer(catch); \
			statement; \
		} \
	})

static void test_call(void (*f)(void))
{
	f();
}

static slice(int) three;
static slice(int64) wide;
static slice(byte) narrow;
static string text;
static size_t sink;

TEST(bounds)
{
	three = make_slice(int, 3, 3);
	text = S("abc");
	PANICS(sink = (size_t)at(three, 5), "runtime error: index out of range [5] with length 3");
	PANICS(sink = (size_t)at(three, 3), "runtime error: index out of range [3] with length 3");
	PANICS(sink = (size_t)at(three, -1), "runtime error: index out of range [-1]");
	PANICS(sink = (size_t)at(three, SIZE_MAX), "runtime error: index out of range [18446744073709551615] with length 3");
	PANICS(sink = (size_t)at(three, INT64_MIN), "runtime error: index out of range [-9223372036854775808]");
	PANICS(sink = (size_t)at(text, 3), "runtime error: index out of range [3] with length 3");
	PANICS(sink = len(slice_to(three, 5)), "runtime error: slice bounds out of range [:5] with capacity 3");
	PANICS(sink = len(slice_to(text, 5)), "runtime error: slice bounds out of range [:5] with length 3");
	PANICS(sink = len(slice_from(three, 4)), "runtime error: slice bounds out of range [4:3]");
	PANICS(sink = len(slice_from(three, -2)), "runtime error: slice bounds out of range [-2:]");
	PANICS(sink = len(slice_of(three, 2, 1)), "runtime error: slice bounds out of range [2:1]");
	PANICS(sink = len(slice_of(three, 0, SIZE_MAX)),
	       "runtime error: slice bounds out of range [:18446744073709551615] with capacity 3");
	PANICS(sink = len(slice_of(three, SIZE_MAX, 3)), "runtime error: slice bounds out of range [18446744073709551615:3]");
	PANICS(sink = len(slice_of3(three, 0, 1, -1)), "runtime error: slice bounds out of range [::-1]");
	PANICS(sink = len(slice_of3(three, 0, -1, 2)), "runtime error: slice bounds out of range [:-1:]");
	PANICS(sink = len(slice_of3(three, -1, 1, 2)), "runtime error: slice bounds out of range [-1::]");
	PANICS(sink = len(slice_of3(three, 0, 3, 2)), "runtime error: slice bounds out of range [:3:2]");
	PANICS(sink = len(slice_of3(three, 2, 1, 3)), "runtime error: slice bounds out of range [2:1:]");
	PANICS(sink = len(slice_of3(three, 0, 1, 4)), "runtime error: slice bounds out of range [::4] with capacity 3");
	PANICS(int a[4]; slice_to_array(a, three); sink = (size_t)a[0],
	       "runtime error: cannot convert slice with length 3 to array or pointer to array with length 4");
}

TEST(bounds_of_package_slices)
{
	three = make_slice(int, 3, 8);
	PANICS(sink = len(slices_insert(three, 4, 1)), "runtime error: slice bounds out of range [4:3:]");
	PANICS(sink = len(slices_insert(three, -1, 1)), "runtime error: slice bounds out of range [-1::]");
	PANICS(sink = len(slices_delete(three, 1, 4)), "runtime error: slice bounds out of range [:4:3]");
	PANICS(sink = len(slices_delete(three, 2, 1)), "runtime error: slice bounds out of range [2:1:]");
	PANICS(sink = len(slices_replace(three, 0, 9, three)), "runtime error: slice bounds out of range [:9:3]");
	PANICS(sink = cap(slices_grow(three, -1)), "cannot be negative");
	PANICS(sink = cap(slices_repeat(three, -1)), "cannot be negative");
	PANICS(sink = cap(slices_repeat(three, INT64_MAX)), "the result of (len(x) * count) overflows");
}

/* A slice of a length that no memory can have. */
static __attribute__((noipa)) slice(int64) endless(size_t n)
{
	return (slice(int64)){ wide.ptr, n, n };
}

TEST(capacity_overflow)
{
	wide = make_slice(int64, 1);
	narrow = make_slice(byte, 1);
	PANICS(sink = len(make_slice(int64, INT64_MAX / 4)), "runtime error: makeslice: len out of range");
	PANICS(sink = len(make_slice(byte, -1)), "runtime error: makeslice: len out of range");
	PANICS(sink = len(make_slice(byte, SIZE_MAX)), "runtime error: makeslice: len out of range");
	PANICS(sink = len(make_slice(byte, 0, INT64_MAX)), "runtime error: makeslice: cap out of range");
	PANICS(sink = len(make_slice(byte, 2, 1)), "runtime error: makeslice: cap out of range");
	PANICS(sink = len(append_slice(wide, endless(SIZE_MAX))), "runtime error: growslice: len out of range");
	PANICS(sink = len(append_slice(wide, endless(SIZE_MAX / 2))), "runtime error: growslice: len out of range");
	PANICS(sink = len(append(endless(SIZE_MAX), 1)), "runtime error: growslice: len out of range");
	PANICS(sink = len(append(endless(SIZE_MAX / 8), 1)), "runtime error: growslice: len out of range");
	PANICS(sink = cap(slices_grow(narrow, INT64_MAX)), "runtime error: growslice: len out of range");
	PANICS(sink = len(slices_insert_slice(wide, 0, endless(SIZE_MAX))), "runtime error: growslice: len out of range");
	PANICS(sink = len(slices_concat(endless(SIZE_MAX), wide)), "len out of range");
	PANICS(sink = len(strings_repeat(S("ab"), INT64_MAX)), "strings: Repeat output length overflow");
	PANICS(sink = len(strings_repeat(S("ab"), -1)), "strings: negative Repeat count");
}

static int evaluated;

static slice(int) once_only(void)
{
	evaluated++;
	return slice_lit(int, 1, 2, 3);
}

static int one(void)
{
	evaluated++;
	return 1;
}

TEST(arguments_are_evaluated_once)
{
	int a[2];

	evaluated = 0;
	CHECK_EQ(slices_index(once_only(), one()), 0);
	CHECK(slices_contains_func(once_only(), same_tens, one()));
	CHECK(slices_equal(once_only(), once_only()));
	CHECK_EQ(evaluated, 6);
	CHECK_EQ(len(slices_insert(once_only(), one(), one(), one())), 5);
	CHECK_EQ(len(slices_insert_slice(once_only(), one(), once_only())), 6);
	CHECK_EQ(len(slices_replace(once_only(), one(), 1 + one(), once_only())), 5);
	CHECK_EQ(len(slices_delete(once_only(), one(), 1 + one())), 2);
	CHECK_EQ(evaluated, 20);
	CHECK_EQ(len(slices_delete_func(once_only(), same_tens, one())), 0);
	CHECK_EQ(len(slices_compact(once_only())), 3);
	CHECK_EQ(len(slices_clone(once_only())), 3);
	CHECK_EQ(len(slices_grow(once_only(), one())), 3);
	CHECK_EQ(len(slices_clip(once_only())), 3);
	CHECK_EQ(len(slices_concat(once_only(), once_only())), 6);
	CHECK_EQ(len(slices_repeat(once_only(), one())), 3);
	slices_reverse(once_only());
	slice_to_array(a, once_only());
	CHECK_EQ(evaluated, 33);
}

/* ---- package bytes ------------------------------------------------------------ */

static rune rot13(rune r)
{
	return r >= 'a' && r <= 'z' ? 'a' + (r - 'a' + 13) % 26 : r == 'X' ? -1 : r;
}

#define B(lit) bytes_of(S(lit))

TEST(package_bytes)
{
	slice(byte) b = B("a,b,c"), x, y;
	slice(byte_slice) v = bytes_split(b, B(","));

	CHECK_EQ(len(v), 3);
	at(at(v, 1), 0) = 'B'; /* shares */
	CHECK_S(string_view(b), S("a,B,c"));
	at(v, 0) = append(at(v, 0), 'x'); /* but does not write over what follows */
	CHECK_S(string_view(b), S("a,B,c"));
	CHECK_S(string_view(bytes_join(v, B("-"))), S("ax-B-c"));
	CHECK(bytes_cut(b, B(","), &x, &y) && len(x) == 1 && len(y) == 3);
	CHECK_S(string_view(bytes_trim_space(B(" hi "))), S("hi"));
	CHECK_EQ(len(bytes_fields(B(" a  b "))), 2);
	CHECK(bytes_equal(bytes_to_upper(B("abc")), B("ABC")) && bytes_compare(B("a"), B("b")) < 0);
	x = B("same");
	y = bytes_to_lower(x);
	at(y, 0) = 'X';
	CHECK_S(string_view(x), S("same"));
	y = bytes_replace_all(x, B("zz"), B("y"));
	CHECK(y.ptr != x.ptr);
	CHECK_S(string_view(bytes_map(rot13, B("helXlo"))), S("uryyb"));
	CHECK_S(string_view(bytes_repeat(B("ab"), 3)), S("ababab"));
	CHECK(bytes_contains(B("seafood"), B("foo")) && bytes_index_byte(B("abc"), 'c') == 2);
	CHECK_EQ(bytes_count(B("cheese"), B("e")), 3);
}

TEST_MAIN
{
	RUN(index_and_contains);
	RUN(with_functions);
	RUN(equal);
	RUN(insert);
	RUN(delete_and_replace);
	RUN(reverse_compact_clone);
	RUN(grow_clip_concat_repeat);
	RUN(pointers_survive);
	RUN(c_arrays);
	RUN(bounds);
	RUN(bounds_of_package_slices);
	RUN(capacity_overflow);
	RUN(arguments_are_evaluated_once);
	RUN(package_bytes);
}
