/* values.c: maps, append and strings. */
#include <string.h>
#include "bench.h"

#define N 1000000
static uint64 *keys, sum;
static map(uint64, uint64) big, small;
static void *sink;

static void map_insert_int(int64 n)
{
	while (n > 0) {
		map(uint64, uint64) m = make_map(uint64, uint64);
		for (uint64 i = 0; i < N && n > 0; i++, n--)
			map_set(m, keys[i], i);
		sink = (void *)m;
	}
}

/* Far apart in the table, and never the same twice in a row. */
#define STEP(j) ((j) += 7919, (j) -= (j) >= N ? N : 0)

static void map_get_int(int64 n)
{
	for (int64 i = 0, j = 0; i < n; i++, STEP(j))
		sum += map_get(big, keys[j]);
}
static void map_get_miss_int(int64 n)
{
	for (uint64 i = 0; i < (uint64)n; i++)
		sum += map_get(big, i);
}
static void map_delete_insert_int(int64 n)
{
	for (int64 i = 0, j = 0; i < n; i++, STEP(j)) {
		delete(big, keys[j]);
		map_set(big, keys[j], 1);
	}
}
static void map_get_int_16(int64 n)
{
	for (uint64 i = 0; i < (uint64)n; i++)
		sum += map_get(small, i & 15);
}

static string *names;
static map(string, int) by_name;
static void map_insert_string(int64 n)
{
	while (n > 0) {
		map(string, int) m = make_map(string, int);
		for (int i = 0; i < N && n > 0; i++, n--)
			map_set(m, names[i], i);
		sink = (void *)m;
	}
}
static void map_get_string(int64 n)
{
	for (int64 i = 0, j = 0; i < n; i++, STEP(j))
		sum += (uint64)map_get(by_name, names[j]);
}

static void maps(void)
{
	static const char *const ints[] = { "map_insert_int", "map_get_int", "map_get_miss_int", "map_delete_insert_int" };
	bool any = false;
	for (unsigned i = 0; i < sizeof ints / sizeof *ints; i++)
		any |= want(ints[i]);
	if (any) {
		keys = rt_make(uint64, N);
		uint64 x = 88172645463325252;
		big = make_map(uint64, uint64);
		for (uint64 i = 0; i < N; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			keys[i] = x;
			map_set(big, x, i);
		}
		micro("map_insert_int", map_insert_int);
		micro("map_get_int", map_get_int);
		micro("map_get_miss_int", map_get_miss_int);
		micro("map_delete_insert_int", map_delete_insert_int);
		keys = NULL;
		big = NULL;
	}
	small = make_map(uint64, uint64);
	for (uint64 i = 0; i < 16; i++)
		map_set(small, i, i);
	micro("map_get_int_16", map_get_int_16);
	if (want("map_insert_string") || want("map_get_string")) {
		names = rt_make(string, N);
		by_name = make_map(string, int);
		for (int i = 0; i < N; i++) {
			names[i] = sprint("key:%012lu", (uint64)i * 2654435761 % 1000000007);
			map_set(by_name, names[i], i);
		}
		micro("map_insert_string", map_insert_string);
		micro("map_get_string", map_get_string);
	}
}

static void append_1e6(int64 n)
{
	while (n > 0) {
		slice(int64) s = { 0 };
		for (int64 i = 0; i < 1000000 && n > 0; i++, n--)
			s = append(s, i);
		sink = s.ptr;
	}
}
static void append_16(int64 n)
{
	for (; n > 0; n -= 16) {
		slice(int64) s = { 0 };
		for (int64 i = 0; i < 16; i++)
			s = append(s, i);
		sink = s.ptr;
	}
}
static void string_concat(int64 n)
{
	string a = strings_repeat(S("a"), 16), b = strings_repeat(S("b"), 16);
	for (int64 i = 0; i < n; i++)
		sink = (void *)concat(a, b).ptr;
}

/* An op copies and sorts 10^6 pseudo-random ints. */
static slice(int64) unsorted, sorted;
static void sort_1e6(int64 n)
{
	while (n-- > 0) {
		copy(sorted, unsorted);
		sort(sorted);
	}
}
static int by_value(const int64 *a, const int64 *b)
{
	return (*a > *b) - (*a < *b);
}
static void sort_func_1e6(int64 n)
{
	while (n-- > 0) {
		copy(sorted, unsorted);
		sort_func(sorted, by_value);
	}
}
static void sorts(void)
{
	if (!want("sort_1e6") && !want("sort_func_1e6"))
		return;
	unsorted = make_slice(int64, N);
	sorted = make_slice(int64, N);
	uint64 x = 88172645463325252;
	for (int i = 0; i < N; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		at(unsorted, i) = (int64)x;
	}
	micro("sort_1e6", sort_1e6);
	micro("sort_func_1e6", sort_func_1e6);
	unsorted = sorted = (slice(int64)){ 0 };
}

void bench_values(void)
{
	sorts();
	maps();
	micro("append_1e6", append_1e6);
	micro("append_16", append_16);
	micro("string_concat", string_concat);
}
