/* persist.c: vectors and maps that never change. */
#include "ingot.h"
#include "test.h"

typedef struct point {
	int x;
	char *text;
	char fill[3];
} point;
declare_slice(point);

static point some_point(int i)
{
	return (point){ i, cstr(strconv_itoa(i)), "ab" };
}

static bool is_point(point p, int i)
{
	return p.x == i && string_eq(cstring(p.text), strconv_itoa(i)) && p.fill[1] == 'b';
}

/* Every length across the boundaries of leaves and levels: 32, 1,056, 32,800. */
TEST(vectors_grow_and_shrink)
{
	enum { N = 34000 };
	pvector(int) v = make_pvector(int), kept[6];
	static const size_t keep[] = { 0, 32, 33, 1056, 1057, 32801 };

	for (int i = 0; i < N; i++) {
		for (int k = 0; k < 6; k++)
			if (keep[k] == (size_t)i)
				kept[k] = v;
		v = pvector_push(v, i);
		CHECK(pvector_get(v, i) == i && pvector_get(v, i / 2) == i / 2);
	}
	CHECK_EQ(pvector_len(v), N);
	gc();
	for (int k = 0; k < 6; k++) {
		size_t n = 0;

		for_pvector(i, p, kept[k])
			n += *p == (int)i && i == n;
		CHECK(n == keep[k] && pvector_len(kept[k]) == keep[k]);
	}
	for (int i = N - 1; i >= 0; i--) {
		v = pvector_pop(v);
		CHECK_EQ(pvector_len(v), i);
		if (i)
			CHECK(pvector_get(v, i - 1) == i - 1 && pvector_get(v, i / 3) == i / 3);
	}
	CHECK_EQ(pvector_len(pvector_push(v, 1)), 1);
}

TEST(vectors_share_but_do_not_change)
{
	pvector(point) v = make_pvector(point), w;

	for (int i = 0; i < 1500; i++)
		v = pvector_push(v, some_point(i));
	w = v;
	for (int i = 0; i < 1500; i += 7)
		w = pvector_set(w, i, some_point(-i));
	gc();
	for_pvector(i, p, v)
		CHECK(is_point(*p, (int)i));
	for_pvector(i, p, w)
		CHECK(is_point(*p, i % 7 ? (int)i : -(int)i));
}

TEST(vectors_and_slices)
{
	static const size_t sizes[] = { 0, 1, 31, 32, 33, 64, 65, 1024, 1056, 1057, 5000, 33000 };

	for (unsigned z = 0; z < sizeof sizes / sizeof *sizes; z++) {
		slice(int) s = make_slice(int, sizes[z]), t;

		for_slice(i, p, s)
			*p = (int)i * 3;
		pvector(int) v = pvector_from(s);
		v = pvector_push(v, -1);
		t = pvector_slice(int, v);
		CHECK_EQ(len(t), sizes[z] + 1);
		for (size_t i = 0; i < sizes[z]; i++)
			CHECK(at(t, i) == (int)i * 3);
		CHECK_EQ(at(t, sizes[z]), -1);
	}
}

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static void get_beyond(pvector(int) v, int64 i)
{
	defer(catch);
	pvector_get(v, i);
}

static void set_beyond(pvector(int) v, size_t i)
{
	defer(catch);
	pvector_set(v, i, 1);
}

static void pop_nothing(pvector(int) v)
{
	defer(catch);
	pvector_pop(v);
}

TEST(indexes_are_checked)
{
	pvector(int) v = pvector_from(slice_lit(int, 1, 2));

	get_beyond(v, 2);
	CHECK(string_eq(caught, S("runtime error: index out of range [2] with length 2")));
	get_beyond(v, -1);
	CHECK(string_eq(caught, S("runtime error: index out of range [-1]")));
	set_beyond(v, SIZE_MAX);
	CHECK(string_eq(caught, S("runtime error: index out of range [-1]")));
	pop_nothing(make_pvector(int));
	CHECK(string_eq(caught, S("runtime error: index out of range [-1]")));
}

/* Against an array; older versions stay as they were. */
TEST(maps_against_an_array)
{
	enum { KEYS = 2000, STEPS = 12000, EVERY = 3000 };
	pmap(int, uint32) m = make_pmap(int, uint32), old[STEPS / EVERY];
	static uint32 model[KEYS], old_model[STEPS / EVERY][KEYS];
	size_t n = 0;

	for (int i = 0; i < STEPS; i++) {
		uint64 r = next_random();
		int k = (int)(r % KEYS);
		bool add = (r >> 32) % 10 < (i < STEPS / 2 ? 7 : 3);
		uint32 v;

		if (i % EVERY == 0) {
			old[i / EVERY] = m;
			memcpy(old_model[i / EVERY], model, sizeof model);
		}
		CHECK(pmap_lookup(m, k, &v) == (model[k] != 0) && v == model[k]);
		if (add) {
			m = pmap_set(m, k, (uint32)i + 1);
			n += !model[k];
			model[k] = (uint32)i + 1;
		} else {
			m = pmap_delete(m, k);
			n -= model[k] != 0;
			model[k] = 0;
		}
		CHECK_EQ(pmap_len(m), n);
	}
	gc();
	for (int o = 0; o < STEPS / EVERY; o++) {
		size_t seen = 0;

		for_pmap(k, v, old[o]) {
			CHECK(old_model[o][k] == v);
			seen++;
		}
		CHECK_EQ(seen, pmap_len(old[o]));
	}
	for (int k = 0; k < KEYS; k++)
		m = pmap_delete(m, k);
	CHECK(pmap_len(m) == 0 && !pmap_has(m, 5) && pmap_get(m, 5) == 0);
	for_pmap(k, v, m)
		CHECK(0);
	CHECK(pmap_delete(m, 7) == m);
}

TEST(maps_of_strings_and_structs)
{
	pmap(string, point) m = make_pmap(string, point);
	pmap(point, string) p = make_pmap(point, string);
	point k = { .x = 1 };

	for (int i = 0; i < 1000; i++)
		m = pmap_set(m, sprint("key %d", i), some_point(i));
	pmap(string, point) half = m;
	for (int i = 0; i < 1000; i += 2)
		half = pmap_delete(half, sprint("key %d", i));
	gc();
	CHECK(pmap_len(m) == 1000 && pmap_len(half) == 500);
	for (int i = 0; i < 1000; i++) {
		CHECK(is_point(pmap_get(m, sprint("key %d", i)), i));
		CHECK(pmap_has(half, sprint("key %d", i)) == i % 2);
	}
	p = pmap_set(p, k, S("one"));
	k.x = 2;
	p = pmap_set(p, k, S("two"));
	for_pmap_of(point, q, v, p)
		CHECK(string_eq(v, q.x == 1 ? S("one") : S("two")));
	CHECK(string_eq(pmap_get(p, k), S("two")));
}

static uint64 one_of_three(const int *k, uint64 seed)
{
	return (uint64)(*k % 3);
}

static bool same(const int *a, const int *b)
{
	return *a == *b;
}

/* Lists at the end of the hash. */
TEST(keys_that_hash_alike)
{
	pmap(int, int) m = make_pmap_func(int, int, one_of_three, same), all;
	int n = 0;

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 90; i++)
			m = pmap_set(m, i, i + round);
	all = m;
	for (int i = 0; i < 90; i += 2) {
		m = pmap_delete(m, i);
		CHECK(pmap_delete(m, i) == m);
	}
	CHECK(pmap_len(all) == 90 && pmap_len(m) == 45 && !pmap_has(m, 92));
	for (int i = 0; i < 90; i++)
		CHECK(pmap_get(all, i) == i + 1 && pmap_get(m, i) == (i % 2 ? i + 1 : 0));
	for_pmap(k, v, all)
		n += v - k;
	CHECK_EQ(n, 90);
	for (int i = 1; i < 90; i += 2) {
		m = pmap_delete(m, i);
		CHECK_EQ(pmap_get(m, 89), i < 89 ? 90 : 0);
	}
	CHECK_EQ(pmap_len(m), 0);
}

TEST(keys_that_are_floats)
{
	pmap(double, int) m = make_pmap(double, int);
	double nan = __builtin_nan("");
	int n = 0;

	m = pmap_set(m, 0.0, 1);
	m = pmap_set(m, -0.0, 2);
	CHECK(pmap_len(m) == 1 && pmap_get(m, 0.0) == 2);
	for (int i = 0; i < 40; i++)
		m = pmap_set(m, nan, 7);
	CHECK(pmap_len(m) == 41 && !pmap_has(m, nan) && pmap_delete(m, nan) == m);
	for_pmap(k, v, m)
		n += v;
	CHECK_EQ(n, 2 + 40 * 7);
}

static void reader(chan(pmap(int, int)) in, chan(int) out)
{
	for_recv(m, in) {
		int sum = 0, n = 0;

		for_pmap(k, v, m) {
			sum += v - k;
			n++;
		}
		send(out, sum == n * 10 && n == (int)pmap_len(m));
	}
}

/* Versions go to readers while the writer makes the next. */
TEST(tasks_read_while_one_writes)
{
	enum { VERSIONS = 300 };
	chan(pmap(int, int)) in = make_chan(pmap(int, int), 4);
	chan(int) out = make_chan(int, VERSIONS);
	pmap(int, int) m = make_pmap(int, int);
	int good = 0;

	for (int i = 0; i < 4; i++)
		go(reader, in, out);
	for (int i = 0; i < VERSIONS; i++) {
		m = pmap_set(m, i, i + 10);
		if (i % 3 == 0)
			m = pmap_delete(m, i / 2);
		send(in, m);
	}
	close(in);
	for (int i = 0; i < VERSIONS; i++)
		good += recv(out);
	CHECK_EQ(good, VERSIONS);
}

TEST_MAIN
{
	RUN(vectors_grow_and_shrink);
	RUN(vectors_share_but_do_not_change);
	RUN(vectors_and_slices);
	RUN(indexes_are_checked);
	RUN(maps_against_an_array);
	RUN(maps_of_strings_and_structs);
	RUN(keys_that_hash_alike);
	RUN(keys_that_are_floats);
	RUN(tasks_read_while_one_writes);
}
