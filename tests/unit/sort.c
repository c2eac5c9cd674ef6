/* sort.c: sorting, searching, min and max. */
#include <math.h>
#include "ingot.h"
#include "test.h"

/* An odd size, and a pointer that the collector must not lose. */
typedef struct item {
	int key, place;
	char *text;
	char fill[5];
} item;
declare_slice(item);

enum { SHAPES = 10 };

/* The i-th of n numbers in an order that sorts dislike. */
static int64 shaped(int shape, size_t i, size_t n)
{
	int64 x = (int64)i, m = (int64)n;

	switch (shape) {
	case 0: return (int64)next_random();
	case 1: return x;
	case 2: return m - x;
	case 3: return 7;
	case 4: return (int64)(next_random() % 5);
	case 5: return x < m / 2 ? x : m - x;      /* organ pipe */
	case 6: return x % 64;                     /* sawtooth */
	case 7: return i % 97 == 0 ? -x : x;       /* nearly sorted */
	case 8: return x ^ 1;
	default: return x < m / 2 ? m - x : x - m; /* valley */
	}
}

static const size_t sizes[] = { 0, 1, 2, 3, 12, 13, 20, 21, 49, 50, 51, 64, 100, 1000, 4096, 20000 };

/* Sorted, and the same elements: by their sum, and that of their mixed bits. */
#define CHECK_SORT(T, CONV) \
	for (unsigned z = 0; z < sizeof sizes / sizeof *sizes; z++) \
		for (int shape = 0; shape < SHAPES; shape++) { \
			size_t n = sizes[z]; \
			slice(T) s = make_slice(T, n); \
			uint64 before = 0, after = 0; \
			for (size_t i = 0; i < n; i++) { \
				at(s, i) = (T)CONV(shaped(shape, i, n)); \
				before += mixed(&at(s, i), sizeof(T)); \
			} \
			sort(s); \
			for (size_t i = 0; i < n; i++) \
				after += mixed(&at(s, i), sizeof(T)); \
			if (before != after || !is_sorted(s)) \
				TEST_FAIL(#T ", %zu elements of shape %d", n, shape); \
		}
#define AS_IT_IS(x) (x)

static uint64 mixed(const void *p, size_t size)
{
	uint64 x = 0;

	memcpy(&x, p, size);
	x *= 0x9E3779B97F4A7C15;
	return x ^ x >> 29;
}

TEST(integers)
{
	CHECK_SORT(int, AS_IT_IS)
	CHECK_SORT(int64, AS_IT_IS)
	CHECK_SORT(uint64, AS_IT_IS)
	CHECK_SORT(uint32, AS_IT_IS)
	CHECK_SORT(int8, AS_IT_IS)
	CHECK_SORT(uint8, AS_IT_IS)
	CHECK_SORT(int16, AS_IT_IS)
	CHECK_SORT(uint16, AS_IT_IS)
	slice(int) s = slice_lit(int, 3, -1, 2);
	sort(slice_to(s, 2));
	CHECK(at(s, 0) == -1 && at(s, 1) == 3 && at(s, 2) == 2 && !is_sorted(s));
	slice(uint) u = slice_lit(uint, 1u << 31, 5);
	sort(u);
	CHECK(at(u, 0) == 5);
}

static double some_double(int64 x)
{
	return x % 11 == 0 ? (double)NAN : x % 13 == 0 ? -0.0 : (double)x / 3;
}

TEST(floats)
{
	CHECK_SORT(double, some_double)
	CHECK_SORT(float, some_double)
	slice(double) s = slice_lit(double, 2, NAN, -INFINITY, NAN, 1, INFINITY, NAN);
	sort(s);
	CHECK(isnan(at(s, 0)) && isnan(at(s, 1)) && isnan(at(s, 2)));
	CHECK(at(s, 3) == -INFINITY && at(s, 4) == 1 && at(s, 5) == 2 && at(s, 6) == INFINITY);
}

TEST(strings)
{
	slice(string) s = make_slice(string, 0);

	for (int i = 0; i < 3000; i++)
		s = append(s, strconv_itoa((int64)(next_random() % 2000)));
	s = append(s, S(""), S("a"), S("a\0"), S("a\0b"));
	sort(s);
	gc();
	CHECK(is_sorted(s) && len(at(s, 0)) == 0 && len(at(s, len(s) - 1)) == 3);
	for (size_t i = 1; i < len(s); i++)
		CHECK(string_cmp(at(s, i - 1), at(s, i)) <= 0);
}

static int64 calls;

static int bits(int64 n)
{
	return 64 - __builtin_clzll((uint64)n | 1);
}

static int by_key(const item *a, const item *b)
{
	calls++;
	return (a->key > b->key) - (a->key < b->key);
}

static slice(item) items(int shape, size_t n)
{
	slice(item) s = make_slice(item, n);

	for_slice(i, p, s) {
		p->key = (int)(shaped(shape, i, n) % 1000);
		p->place = (int)i;
		p->text = cstr(strconv_itoa(p->key));
	}
	return s;
}

static bool intact(slice(item) s)
{
	int64 places = 0;

	for_slice(i, p, s) {
		places += p->place;
		if (!string_eq(cstring(p->text), strconv_itoa(p->key)))
			return false;
	}
	return places == (int64)len(s) * ((int64)len(s) - 1) / 2;
}

TEST(with_a_comparison)
{
	for (unsigned z = 0; z < sizeof sizes / sizeof *sizes; z++)
		for (int shape = 0; shape < SHAPES && sizes[z] <= 4096; shape++) {
			slice(item) s = items(shape, sizes[z]);
			int64 n = (int64)sizes[z];

			calls = 0;
			sort_func(s, by_key);
			CHECK(calls <= 2 * n * bits(n) + 20);
			CHECK(is_sorted_func(s, by_key) && intact(s));
		}
}

static int by_int64(const int64 *a, const int64 *b)
{
	return (*a > *b) - (*a < *b);
}

static int by_string(const string *a, const string *b)
{
	return string_cmp(*a, *b);
}

typedef struct node {
	int64 key;
	char *text;
	int64 more;
} node;
declare_slice(node);

static int by_node(const node *a, const node *b)
{
	return by_int64(&a->key, &b->key);
}

TEST(elements_of_one_to_three_words)
{
	for (int shape = 0; shape < SHAPES; shape++) {
		slice(int64) one = make_slice(int64, 2000);
		slice(string) two = make_slice(string, 2000);
		slice(node) three = make_slice(node, 2000);
		uint64 before = 0, after = 0;

		for (size_t i = 0; i < 2000; i++) {
			int64 x = shaped(shape, i, 2000);

			at(one, i) = x;
			at(two, i) = strconv_itoa(x);
			at(three, i) = (node){ x, cstr(at(two, i)), -x };
			before += mixed(&x, 8);
		}
		sort_func(one, by_int64);
		sort_func(two, by_string);
		sort_func(three, by_node);
		gc();
		for_slice(i, p, three) {
			after += mixed(&p->key, 8);
			CHECK(p->more == -p->key && p->key == at(one, i));
			CHECK(string_eq(cstring(p->text), strconv_itoa(p->key)));
		}
		CHECK(before == after && is_sorted(one) && is_sorted(two) && is_sorted_func(three, by_node));
	}
}

TEST(stable)
{
	for (unsigned z = 0; z < sizeof sizes / sizeof *sizes; z++)
		for (int shape = 0; shape < SHAPES && sizes[z] <= 4096; shape++) {
			slice(item) s = items(shape, sizes[z]);

			sort_stable_func(s, by_key);
			CHECK(is_sorted_func(s, by_key) && intact(s));
			for (size_t i = 1; i < len(s); i++)
				CHECK(at(s, i - 1).key != at(s, i).key || at(s, i - 1).place < at(s, i).place);
		}
}

/* McIlroy's adversary: answers so that every pivot is a bad one. */
static int64 gas, solid, candidate;
static int64 value_of[4000];

static int adversary(const int *a, const int *b)
{
	calls++;
	if (value_of[*a] == gas && value_of[*b] == gas)
		value_of[candidate == *a ? *a : *b] = solid++;
	if (value_of[*a] == gas)
		candidate = *a;
	else if (value_of[*b] == gas)
		candidate = *b;
	return (value_of[*a] > value_of[*b]) - (value_of[*a] < value_of[*b]);
}

TEST(no_input_is_quadratic)
{
	enum { N = 4000 };
	slice(int) s = make_slice(int, N);

	gas = N;
	for (int i = 0; i < N; i++) {
		at(s, i) = i;
		value_of[i] = gas;
	}
	calls = 0;
	sort_func(s, adversary);
	CHECK(calls < 6 * N * 12);
	for (int i = 1; i < N; i++)
		CHECK(value_of[at(s, i - 1)] <= value_of[at(s, i)]);
}

/* A comparison without sense must not reach beyond the slice. */
static int senseless(const int *a, const int *b)
{
	return (int)(next_random() % 3) - 1;
}

TEST(a_senseless_comparison_stays_inside)
{
	slice(int) s = make_slice(int, 1002);

	for (int round = 0; round < 50; round++) {
		int64 sum = 0;

		for (int i = 0; i < 1002; i++)
			at(s, i) = i;
		sort_func(slice_of(s, 1, 1001), senseless);
		sort_stable_func(slice_of(s, 1, 1001), senseless);
		for (int i = 1; i <= 1000; i++)
			sum += at(s, i);
		CHECK(at(s, 0) == 0 && at(s, 1001) == 1001 && sum == 500500);
	}
}

static int name_of(const item *e, const string *s)
{
	return string_cmp(cstring(e->text), *s);
}

static bool at_least(size_t i, void *arg)
{
	return i >= *(size_t *)arg;
}

TEST(searching)
{
	slice(int) s = slice_lit(int, 1, 3, 3, 3, 7);
	slice(item) v = make_slice(item, 0);
	size_t at_ = 99;

	CHECK(binary_search(s, 3, &at_) && at_ == 1);
	CHECK(!binary_search(s, 4, &at_) && at_ == 4);
	CHECK(!binary_search(s, 0, &at_) && at_ == 0);
	CHECK(!binary_search(s, 8, &at_) && at_ == 5);
	CHECK(!binary_search((slice(int)){}, 8, &at_) && at_ == 0);
	CHECK(binary_search(slice_lit(double, NAN, 1, 2), NAN, &at_) && at_ == 0);
	CHECK(binary_search(slice_lit(string, S("a"), S("b")), S("b"), &at_) && at_ == 1);
	for (int i = 100; i < 200; i++)
		v = append(v, ((item){ .key = i, .text = cstr(strconv_itoa(i)) }));
	string wanted = S("150");
	CHECK(binary_search_func(v, &wanted, name_of, &at_) && at_ == 50);
	wanted = S("99");
	CHECK(!binary_search_func(v, &wanted, name_of, &at_) && at_ == 100);
	for (size_t i = 0; i <= 20; i++)
		CHECK_EQ(sort_search(20, at_least, &i), i);
}

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static void min_of_none(void)
{
	defer(catch);
	CHECK_EQ(slice_min((slice(int)){}), 1);
}

static void max_of_none(void)
{
	defer(catch);
	CHECK_EQ(slice_max((slice(int)){}), 1);
}

TEST(min_and_max)
{
	int a = 3, n = 0;
	size_t big = 5;

	CHECK_EQ(min(a, -1), -1);
	CHECK_EQ(max(a, -1), 3);
	CHECK_EQ(min(big, 7), 5);
	CHECK_EQ(max(1, 2, 3), 3);
	CHECK_EQ(min(4, 2, 3, 1 + a), 2);
	CHECK_EQ(max(n++, n++), 1);
	CHECK_EQ(n, 2);
	CHECK(max(1, 2.5) == 2.5 && max((int64)1 << 40, 1) == (int64)1 << 40);
	CHECK(isnan(min(1.0, NAN)) && isnan(max(NAN, 1.0)));
	CHECK(signbit(min(0.0, -0.0)) && !signbit(max(-0.0, 0.0)) && signbit(min(-0.0, 0.0)));
	CHECK(string_eq(min(S("b"), S("a"), S("c")), S("a")) && string_eq(max(S("b"), S("a")), S("b")));
	CHECK_EQ(slice_min(slice_lit(int, 5, -3, 9)), -3);
	CHECK_EQ(slice_max(slice_lit(byte, 5, 200, 9)), 200);
	CHECK(isnan(slice_max(slice_lit(double, 5, NAN, 9))));
	min_of_none();
	CHECK(string_eq(caught, S("slices.Min: empty list")));
	max_of_none();
	CHECK(string_eq(caught, S("slices.Max: empty list")));
}

TEST_MAIN
{
	RUN(integers);
	RUN(floats);
	RUN(strings);
	RUN(with_a_comparison);
	RUN(elements_of_one_to_three_words);
	RUN(stable);
	RUN(no_input_is_quadratic);
	RUN(a_senseless_comparison_stays_inside);
	RUN(searching);
	RUN(min_and_max);
}
