/* slice.c: slices. */
#include "ingot.h"
#include "test.h"

struct point {
	int x, y;
};
typedef struct point point;
typedef point *point_ptr;
declare_slice(point);
declare_slice(point_ptr);

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static bool caught_is(const char *text)
{
	return string_eq(caught, cstring(text));
}

TEST(the_zero_value_is_nil)
{
	slice(int) s = {};

	CHECK_EQ(len(s), 0);
	CHECK_EQ(cap(s), 0);
	for_slice(i, p, s)
		CHECK(0);
	s = append(s, 1);
	CHECK_EQ(at(s, 0), 1);
}

TEST(append_adds_behind)
{
	slice(int) s = {};

	for (int i = 0; i < 10000; i++)
		s = append(s, i);
	CHECK_EQ(len(s), 10000);
	for_slice(i, p, s)
		CHECK_EQ(*p, i);
	s = append(s, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
	CHECK_EQ(len(s), 10016);
	CHECK_EQ(at(s, 10015), 16);
}

TEST(append_grows_like_go)
{
	/* Of int64, as Go 1.26 gives them: cap after each growth from 1. */
	static const int want[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 848, 1280, 1792, 2560 };
	slice(int64) s = {};
	size_t at = 0, c = 0;

	while (at < sizeof want / sizeof want[0]) {
		s = append(s, 0);
		if (cap(s) != c) {
			c = cap(s);
			CHECK_EQ(c, want[at++]);
		}
	}
	CHECK_EQ(cap(append((slice(byte)){}, 'a')), 8);
	CHECK_EQ(cap(append((slice(byte)){}, 1, 2, 3, 4, 5, 6, 7, 8, 9)), 16);
	CHECK_EQ(cap(slice_lit(byte, 1, 2, 3, 4, 5, 6, 7, 8, 9)), 9);
	CHECK_EQ(cap(append(make_slice(int64, 5), 1)), 10);
}

TEST(append_leaves_the_old_slice)
{
	slice(int) a = make_slice(int, 2, 4);
	slice(int) b = append(a, 7), c = append(a, 8);

	CHECK_EQ(len(a), 2);
	CHECK_EQ(at(b, 2), 8); /* shared, as in Go */
	CHECK_EQ(at(c, 2), 8);
	c = append(b, 1, 2);
	at(c, 0) = 5;
	CHECK_EQ(at(a, 0), 0); /* grown: no longer shared */
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
	evaluated = 0;
	CHECK_EQ(len(append(once_only(), one(), one())), 5);
	CHECK_EQ(evaluated, 3);
	CHECK_EQ(at(once_only(), one()), 2);
	CHECK_EQ(evaluated, 5);
	CHECK_EQ(len(slice_of(once_only(), one(), 1 + one())), 1);
	CHECK_EQ(evaluated, 8);
	CHECK_EQ(copy(once_only(), once_only()), 3);
	CHECK_EQ(evaluated, 10);
	CHECK_EQ(len(append_slice(once_only(), once_only())), 6);
	CHECK_EQ(evaluated, 12);
	CHECK_EQ(len(make_slice(int, one(), 4 * one())), 1);
	CHECK_EQ(evaluated, 14);
}

TEST(structures_and_pointers)
{
	slice(point) s = slice_lit(point, ((point){ 1, 2 }), ((point){ 3, 4 }));
	slice(point_ptr) q = {};

	at(s, 1).y = 9;
	CHECK_EQ(at(s, 1).y, 9);
	for (int i = 0; i < 500; i++)
		q = append(q, new(point, .x = i));
	gc();
	for_slice(i, p, q)
		CHECK_EQ((*p)->x, i);
}

TEST(slicing_shares)
{
	slice(int) s = slice_lit(int, 0, 1, 2, 3, 4), t = slice_of(s, 1, 3);

	CHECK_EQ(len(t), 2);
	CHECK_EQ(cap(t), cap(s) - 1);
	at(t, 0) = 10;
	CHECK_EQ(at(s, 1), 10);
	CHECK_EQ(len(slice_from(s, 5)), 0);
	CHECK_EQ(len(slice_to(s, 0)), 0);
	t = slice_of3(s, 1, 2, 2);
	CHECK_EQ(cap(t), 1);
	t = append(t, 99);
	CHECK_EQ(at(s, 2), 2);
	t = slice_of(t, 0, cap(t)); /* up to the capacity */
	CHECK_EQ(len(t), cap(t));
}

TEST(an_empty_rest_stays_inside_the_object)
{
	slice(int64) s = make_slice(int64, 4, 4), t = slice_from(s, 4);
	string a = S("abc"), b = slice_from(a, 3);

	CHECK(t.ptr == s.ptr && cap(t) == 0);
	CHECK(b.ptr == a.ptr && len(b) == 0);
}

TEST(copy_overlaps)
{
	slice(int) s = slice_lit(int, 1, 2, 3, 4, 5);
	slice(byte) b = make_slice(byte, 3);

	CHECK_EQ(copy(slice_from(s, 1), s), 4);
	CHECK_EQ(at(s, 0), 1);
	CHECK_EQ(at(s, 1), 1);
	CHECK_EQ(at(s, 4), 4);
	CHECK_EQ(copy(b, S("hello")), 3);
	CHECK(string_eq(string_view(b), S("hel")));
	b = append_slice(b, S("p me"));
	CHECK(string_eq(string_view(b), S("help me")));
}

static int array_sum(slice(int) s)
{
	int sum = 0;

	for_slice(i, p, s) {
		if (*p == 99)
			continue;
		if (*p == 100)
			break;
		sum += *p;
	}
	return sum;
}

TEST(a_c_array_as_a_slice)
{
	int v[] = { 1, 2, 99, 3, 100, 4 };

	CHECK_EQ(array_sum(slice_from_array(int, v, 6)), 6);
}

static void index_at(slice(int) s, int64 i)
{
	defer(catch);
	at(s, i)++;
}

static void cut(slice(int) s, int64 i, int64 j)
{
	defer(catch);
	s = slice_of(s, i, j);
	caught = S("fine");
}

static void cut3(slice(int) s, int64 i, int64 j, int64 k)
{
	defer(catch);
	s = slice_of3(s, i, j, k);
}

static void cut_string(string s, int64 i, int64 j)
{
	defer(catch);
	s = slice_of(s, i, j);
}

static void make(int64 n, int64 c)
{
	defer(catch);
	slice(int64) s = make_slice(int64, n, c);
	CHECK(len(s) > 1ull << 60);
}

TEST(bounds)
{
	slice(int) s = make_slice(int, 3, 5);

	index_at(s, 3);
	CHECK(caught_is("runtime error: index out of range [3] with length 3"));
	index_at(s, -1);
	CHECK(caught_is("runtime error: index out of range [-1]"));
	index_at((slice(int)){}, 0);
	CHECK(caught_is("runtime error: index out of range [0] with length 0"));
	cut(s, 0, 6);
	CHECK(caught_is("runtime error: slice bounds out of range [:6] with capacity 5"));
	cut(s, 4, 3);
	CHECK(caught_is("runtime error: slice bounds out of range [4:3]"));
	cut(s, -1, 3);
	CHECK(caught_is("runtime error: slice bounds out of range [-1:]"));
	cut(s, 1, -2);
	CHECK(caught_is("runtime error: slice bounds out of range [:-2]"));
	cut3(s, 0, 1, 6);
	CHECK(caught_is("runtime error: slice bounds out of range [::6] with capacity 5"));
	cut3(s, 0, 4, 3);
	CHECK(caught_is("runtime error: slice bounds out of range [:4:3]"));
	cut3(s, 3, 2, 3);
	CHECK(caught_is("runtime error: slice bounds out of range [3:2:]"));
	cut_string(S("abc"), 0, 4);
	CHECK(caught_is("runtime error: slice bounds out of range [:4] with length 3"));
	make(-1, 0);
	CHECK(caught_is("runtime error: makeslice: len out of range"));
	make(INT64_MAX / 8, INT64_MAX / 8);
	CHECK(caught_is("runtime error: makeslice: len out of range"));
	make(5, 4);
	CHECK(caught_is("runtime error: makeslice: cap out of range"));
	make(0, INT64_MAX);
	CHECK(caught_is("runtime error: makeslice: cap out of range"));
}

TEST(len_of_maps_and_channels)
{
	map(int, int) m = make_map(int, int), none = NULL;
	chan(int) c = make_chan(int, 3), no_chan = NULL;

	map_set(m, 1, 2);
	send(c, 5);
	CHECK_EQ(len(m), 1);
	CHECK_EQ(len(none), 0);
	CHECK_EQ(len(c), 1);
	CHECK_EQ(cap(c), 3);
	CHECK_EQ(len(no_chan), 0);
	CHECK_EQ(cap(no_chan), 0);
	CHECK_EQ(len(S("four")), 4);
}

TEST_MAIN
{
	RUN(the_zero_value_is_nil);
	RUN(append_adds_behind);
	RUN(append_grows_like_go);
	RUN(append_leaves_the_old_slice);
	RUN(arguments_are_evaluated_once);
	RUN(structures_and_pointers);
	RUN(slicing_shares);
	RUN(an_empty_rest_stays_inside_the_object);
	RUN(copy_overlaps);
	RUN(a_c_array_as_a_slice);
	RUN(bounds);
	RUN(len_of_maps_and_channels);
}
