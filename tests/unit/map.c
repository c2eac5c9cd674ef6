/* map.c: maps. */
#include "ingot.h"
#include "test.h"

struct key {
	int a, b;
	char c[12];
};

struct value {
	int64 v[5];
	int *p;
};

TEST(set_and_get)
{
	map(int, int) m = make_map(int, int);
	int v = 1;

	CHECK_EQ(map_get(m, 5), 0);
	CHECK(!map_lookup(m, 5, &v) && v == 0);
	map_set(m, 5, 50);
	CHECK(map_lookup(m, 5, &v) && v == 50);
	map_set(m, 5, 51);
	CHECK_EQ(map_get(m, 5), 51);
	CHECK_EQ(len(m), 1);
	map_at(m, 6)++;
	map_at(m, 6) += 2;
	CHECK_EQ(map_get(m, 6), 3);
	CHECK(map_has(m, 6) && !map_has(m, 7));
	CHECK(map_find(m, 7) == 0 && *map_find(m, 6) == 3);
	delete(m, 6);
	delete(m, 7);
	CHECK_EQ(len(m), 1);
	CHECK_EQ(map_get(m, 6), 0);
}

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static void set_in(map(string, int) m)
{
	defer(catch);
	map_set(m, S("a"), 1);
}

TEST(nil_map)
{
	map(string, int) m = NULL;

	CHECK_EQ(map_get(m, S("a")), 0);
	CHECK_EQ(len(m), 0);
	delete(m, S("a"));
	map_clear(m);
	for_map(k, v, m)
		CHECK(0);
	set_in(m);
	CHECK(string_eq(caught, S("assignment to entry in nil map")));
}

/* Against a plain array, through growth and deletion. */
TEST(random_operations)
{
	enum { KEYS = 5000, STEPS = 20000 };
	map(int64, uint32) m = make_map(int64, uint32);
	static uint32 model[KEYS];
	static bool there[KEYS];
	size_t n = 0;

	for (int i = 0; i < STEPS; i++) {
		uint64 r = next_random();
		int k = (int)(r % KEYS);
		/* Mostly grow, then mostly shrink. */
		bool add = (r >> 32) % 10 < (i < STEPS / 2 ? 7 : 3);
		uint32 v;

		CHECK(map_lookup(m, (int64)k - 100, &v) == there[k]);
		CHECK(v == (there[k] ? model[k] : 0));
		if (add) {
			map_set(m, (int64)k - 100, (uint32)i);
			n += !there[k];
			there[k] = true;
			model[k] = (uint32)i;
		} else {
			delete(m, k - 100); /* an int becomes an int64 */
			n -= there[k];
			there[k] = false;
		}
		CHECK_EQ(len(m), n);
	}
	for_map(k, v, m) {
		CHECK(there[k + 100] && model[k + 100] == v);
		n--;
	}
	CHECK_EQ(n, 0);
	map_clear(m);
	CHECK_EQ(len(m), 0);
	for_map(k, v, m)
		CHECK(0);
}

TEST(keys_of_every_width)
{
	map(byte, int) b = make_map(byte, int);
	map(short, int) h = make_map(short, int);
	map(uint64, int) u = make_map(uint64, int);
	map(bool, string) t = make_map(bool, string);
	map(void *, int) p = make_map(void *, int);
	map(float, int) f = make_map(float, int);
	int x, y;

	for (int i = 0; i < 1000; i++) {
		map_at(b, (byte)i)++;
		map_at(h, (short)-i) = i;
		map_at(u, (uint64)i << 40) = i;
		map_at(f, (float)i / 4) = i;
	}
	CHECK_EQ(len(b), 256);
	CHECK_EQ(map_get(b, 7), 4);
	CHECK_EQ(len(h), 1000);
	CHECK_EQ(map_get(h, -999), 999);
	CHECK_EQ(map_get(u, 999ull << 40), 999);
	CHECK_EQ(map_get(f, 0.75), 3);
	map_set(t, true, S("yes"));
	CHECK(string_eq(map_get(t, 1), S("yes")) && len(map_get(t, false)) == 0);
	map_set(p, &x, 1);
	map_set(p, &y, 2);
	map_set(p, NULL, 3);
	CHECK(map_get(p, &x) == 1 && map_get(p, &y) == 2 && map_get(p, NULL) == 3);
}

TEST(string_keys)
{
	map(string, int) m = make_map(string, int, 1000);

	for (int i = 0; i < 2000; i++)
		map_set(m, sprint("key-%d", i), i);
	gc();
	CHECK_EQ(len(m), 2000);
	for (int i = 0; i < 2000; i++) {
		char buf[20];
		int n = 0;

		for (const char *p = "key-"; *p; p++)
			buf[n++] = *p;
		string d = strconv_itoa(i);

		for (size_t j = 0; j < len(d); j++)
			buf[n++] = at(d, j);
		CHECK_EQ(map_get(m, ((string){ buf, (size_t)n })), i);
	}
	CHECK_EQ(map_get(m, S("key-")), 0);
	map_set(m, S(""), 5);
	CHECK_EQ(map_get(m, (string){}), 5);
}

TEST(structures)
{
	map(struct key, struct value) m = make_map(struct key, struct value);

	for (int i = 0; i < 700; i++) {
		struct key k = { i, -i, "name" };
		struct value v = { { i, 0, 0, 0, i }, new(int, i) };

		map_set(m, k, v);
	}
	gc();
	for (int i = 0; i < 700; i++) {
		struct key k = { i, -i, "name" };
		struct value v = map_get(m, k);

		CHECK(v.v[4] == i && v.p && *v.p == i);
	}
	for_map_of(struct key, k, v, m) {
		CHECK(k.a == -k.b && *v.p == k.a);
		delete(m, k);
	}
	CHECK_EQ(len(m), 0);
}

TEST(floats)
{
	map(double, int) m = make_map(double, int);
	double nan = __builtin_nan("");
	size_t n = 0;

	map_set(m, 0.0, 1);
	CHECK_EQ(map_get(m, -0.0), 1);
	for (int i = 0; i < 20; i++) {
		map_set(m, nan, 1);
		CHECK(!map_has(m, nan));
	}
	CHECK_EQ(len(m), 21);
	delete(m, nan);
	for_map(k, v, m) {
		n++;
		if (n == 3) /* grows while NaNs are on their way */
			for (int i = 1; i < 100; i++)
				map_set(m, i, 0);
		if (k != k)
			CHECK_EQ(v, 1);
	}
	CHECK(n >= 21);
	map_clear(m);
	CHECK_EQ(len(m), 0);
}

/* Each entry that stays comes once, a deleted one not after its deletion. */
TEST(iterate_while_changing)
{
	for (int round = 0; round < 50; round++) {
		map(int, int) m = make_map(int, int);
		int seen[400] = {}, n = 10 + round * 6;
		bool gone[400] = {};

		for (int i = 0; i < n; i++)
			map_set(m, i, i);
		for_map(k, v, m) {
			int victim = (int)(next_random() % (uint64)n);

			CHECK(k >= 1000 || !gone[k]);
			if (k < 1000)
				seen[k]++;
			if (round % 2) {
				delete(m, victim);
				gone[victim] = true;
			}
			if (len(m) < 3000)
				for (int i = 0; i < 10; i++)
					map_set(m, 1000 + (int)(next_random() % 100000), 0);
			if (!gone[n / 2])
				map_set(m, n / 2, n / 2);
		}
		for (int i = 0; i < n; i++)
			CHECK(gone[i] ? seen[i] <= 1 : seen[i] == 1);
	}
}

TEST(iteration_order_is_random)
{
	map(int, int) m = make_map(int, int);
	int first = -1, differs = 0;

	for (int i = 0; i < 100; i++)
		map_set(m, i, i);
	for (int i = 0; i < 50; i++) {
		for_map(k, v, m) {
			if (first < 0)
				first = k;
			differs += first != k;
			break;
		}
	}
	CHECK(differs > 10);
}

TEST(break_and_nesting)
{
	map(int, int) m = make_map(int, int);
	int outer = 0, inner = 0;

	for (int i = 0; i < 20; i++)
		map_set(m, i, i);
	for_map(k, v, m) {
		outer++;
		for_map(k2, v2, m) {
			if (k2 == k)
				continue;
			if (++inner % 5 == 0)
				break;
		}
		if (outer == 7)
			break;
	}
	CHECK_EQ(outer, 7);
	CHECK_EQ(inner, 35);
}

TEST(maps_of_maps)
{
	map(string, map(int, string)) m = make_map(string, map(int, string));

	for (int i = 0; i < 100; i++) {
		string k = sprint("%d", i % 10);

		if (!map_has(m, k))
			map_set(m, k, make_map(int, string));
		map_set(map_get(m, k), i, k);
	}
	gc();
	CHECK_EQ(len(m), 10);
	CHECK_EQ(len(map_get(m, S("3"))), 10);
	CHECK(string_eq(map_get(map_get(m, S("3")), 93), S("3")));
}

static void fill(map(int, int) m, wait_group *wg)
{
	for (int i = 0; i < 10000; i++) {
		map_set(m, i, i);
		if (i % 100 == 0)
			gosched();
	}
	wait_group_done(wg);
}

TEST(one_map_for_each_task)
{
	wait_group wg = {};
	map(int, int) m[8];

	wait_group_add(&wg, 8);
	for (int i = 0; i < 8; i++) {
		m[i] = make_map(int, int);
		go(fill, m[i], &wg);
	}
	wait_group_wait(&wg);
	for (int i = 0; i < 8; i++)
		CHECK(len(m[i]) == 10000 && map_get(m[i], 9999) == 9999);
}

/* Bytes between a's and b's that no one sets; large enough to be copied whole. */
struct padded {
	char a;
	int64 b;
	char c[9];
	int64 d[4];
};

static __attribute__((noinline)) void set_padded(map(struct padded, int) m, byte junk, int n)
{
	struct padded k;

	memset(&k, junk, sizeof k);
	k.a = (char)n;
	k.b = n * 1000;
	memset(k.c, 0, sizeof k.c);
	memset(k.d, 0, sizeof k.d);
	__asm__ volatile("" : "+m"(k)); /* so that k is copied whole */
	map_set(m, k, n);
	CHECK_EQ(map_get(m, k), n);
}

TEST(padding_does_not_count)
{
	map(struct padded, int) m = make_map(struct padded, int);

	for (int junk = 0; junk < 256; junk += 51)
		for (int n = 0; n < 100; n++)
			set_padded(m, (byte)junk, n);
	CHECK_EQ(len(m), 100);
	delete(m, ((struct padded){ .a = 5, .b = 5000 }));
	CHECK_EQ(len(m), 99);
}

/* Names without regard to case. */
struct name {
	string s;
};

static uint64 name_hash(const struct name *n, uint64 seed)
{
	return string_hash(strings_to_lower(n->s), seed);
}

static bool name_equal(const struct name *a, const struct name *b)
{
	return string_eq(strings_to_lower(a->s), strings_to_lower(b->s));
}

static uint64 same_hash(const struct name *n, uint64 seed)
{
	return 7;
}

TEST(hash_of_ones_own)
{
	map(struct name, int) m = make_map_func(struct name, int, name_hash, name_equal, 5);

	for (int i = 0; i < 300; i++) {
		map_set(m, ((struct name){ sprint("Key%d", i) }), i);
		map_at(m, ((struct name){ sprint("kEY%d", i) }))++;
	}
	gc();
	CHECK_EQ(len(m), 300);
	CHECK_EQ(map_get(m, (struct name){ S("KEY77") }), 78);
	delete(m, (struct name){ S("KEY77") });
	CHECK(!map_has(m, (struct name){ S("key77") }));
	map(struct name, int) c = map_clone(m);
	map_set(c, (struct name){ S("KEY77") }, 78);
	CHECK(len(c) == 300 && len(m) == 299 && map_get(c, (struct name){ S("kEy9") }) == 10);
}

/* Slow, but right: each probe passes all of them. */
/* Each length has its way to be hashed and compared; every byte counts. */
TEST(string_keys_of_every_length)
{
	map(string, int) m = make_map(string, int);
	char text[40];

	for (int n = 0; n <= 40; n++)
		for (int at = 0; at < (n ? n : 1); at++) {
			memset(text, 'x', sizeof text);
			if (n)
				text[at] = 'y';
			map_set(m, string_from_bytes(text, (size_t)n), n * 100 + at);
		}
	CHECK_EQ(len(m), 1 + 40 * 41 / 2);
	for (int n = 0; n <= 40; n++)
		for (int at = 0; at < (n ? n : 1); at++) {
			memset(text, 'x', sizeof text);
			if (n)
				text[at] = 'y';
			CHECK_EQ(map_get(m, string_from_bytes(text, (size_t)n)), n * 100 + at);
			if (n)
				text[at] = 'z';
			CHECK(!n || !map_has(m, string_from_bytes(text, (size_t)n)));
		}
}

TEST(keys_that_all_hash_alike)
{
	enum { N = 600 };
	map(struct name, int) m = make_map_func(struct name, int, same_hash, name_equal);
	size_t n = 0;

	for (int i = 0; i < N; i++)
		map_set(m, ((struct name){ strconv_itoa(i) }), i);
	for (int i = 0; i < N; i += 3)
		delete(m, ((struct name){ strconv_itoa(i) }));
	CHECK_EQ(len(m), N - N / 3);
	for (int i = 0; i < N; i++)
		CHECK(map_get(m, ((struct name){ strconv_itoa(i) })) == (i % 3 ? i : 0));
	for_map_of(struct name, k, v, m)
		n++;
	CHECK_EQ(n, N - N / 3);
}

TEST(a_million_entries)
{
	int n = 1000000;
	map(uint64, uint32) m = make_map(uint64, uint32);
	uint64 sum = 0;

	for (int i = 0; i < n; i++)
		map_set(m, (uint64)i * 0x9E3779B97F4A7C15, (uint32)i);
	CHECK_EQ(len(m), n);
	for (int i = 0; i < n; i++)
		sum += map_get(m, (uint64)i * 0x9E3779B97F4A7C15) == (uint32)i;
	CHECK_EQ(sum, n);
	for_map(k, v, m)
		sum += v;
	CHECK_EQ(sum, (uint64)n + (uint64)n * (uint64)(n - 1) / 2);
}

/* 1,000 keys at a time, all different: the table stays as large as it was. */
TEST(delete_heavy_use_does_not_grow)
{
	map(uint64, uint64) m = make_map(uint64, uint64);
	int n = 200000;
	size_t early = 0, late = 0;

	for (int i = 0; i < n; i++) {
		map_set(m, (uint64)i, 1);
		if (i >= 1000)
			delete(m, (uint64)i - 1000);
		if (i == 10000)
			rt_object_base(map_find(m, (uint64)i), &early);
	}
	CHECK_EQ(len(m), 1000);
	rt_object_base(map_find(m, (uint64)n - 1), &late);
	CHECK(early > 1000 * 16 && early <= 4096 * 17);
	CHECK_EQ(late, early);
}

TEST(clone_and_copy)
{
	map(string, int) m = make_map(string, int), nil = NULL;

	CHECK(map_clone(nil) == NULL && len(map_clone(m)) == 0);
	for (int i = 0; i < 500; i++)
		map_set(m, strconv_itoa(i), i);
	map(string, int) c = map_clone(m);
	CHECK(map_equal(c, m));
	map_set(c, S("7"), 70);
	delete(c, S("8"));
	CHECK(map_get(m, S("7")) == 7 && map_has(m, S("8")) && !map_equal(c, m));
	gc();
	map_copy(m, c);
	CHECK(len(m) == 500 && map_get(m, S("7")) == 70);
	map_copy(m, nil);
	delete(m, S("8"));
	CHECK(map_equal(m, c));

	map(double, double) f = make_map(double, double);
	map_set(f, 1, 0.0);
	map(double, double) g = map_clone(f);
	map_set(g, 1, -0.0);
	CHECK(map_equal(f, g));
	map_set(g, 1, __builtin_nan(""));
	CHECK(!map_equal(g, g));
	map_set(f, __builtin_nan(""), 1);
	CHECK(len(map_clone(f)) == 2 && !map_equal(f, f));
}

static bool by_length(const string *a, const string *b)
{
	return len(*a) == len(*b);
}

TEST(equal_and_exports)
{
	map(int, string) a = make_map(int, string), b = make_map(int, string), nil = NULL;

	CHECK(map_equal(a, nil) && map_equal(nil, nil));
	for (int i = 0; i < 100; i++) {
		map_set(a, i, strconv_itoa(i));
		map_set(b, 99 - i, strconv_itoa(99 - i));
	}
	CHECK(map_equal(a, b));
	map_set(b, 50, S("51"));
	CHECK(!map_equal(a, b) && map_equal_func(a, b, by_length));
	map_set(b, 50, S("x"));
	CHECK(!map_equal_func(a, b, by_length));

	slice(int) keys = map_keys(int, a);
	slice(string) values = map_values(string, a);
	int sum = 0;
	size_t bytes = 0;

	CHECK(len(keys) == 100 && len(values) == 100 && len(map_keys(int, nil)) == 0);
	for_slice(i, p, keys)
		sum += *p;
	for_slice(i, p, values)
		bytes += len(*p);
	CHECK(sum == 4950 && bytes == 190);
}

TEST_MAIN
{
	RUN(set_and_get);
	RUN(nil_map);
	RUN(random_operations);
	RUN(keys_of_every_width);
	RUN(string_keys);
	RUN(structures);
	RUN(floats);
	RUN(iterate_while_changing);
	RUN(iteration_order_is_random);
	RUN(break_and_nesting);
	RUN(maps_of_maps);
	RUN(one_map_for_each_task);
	RUN(padding_does_not_count);
	RUN(hash_of_ones_own);
	RUN(string_keys_of_every_length);
	RUN(keys_that_all_hash_alike);
	RUN(a_million_entries);
	RUN(delete_heavy_use_does_not_grow);
	RUN(clone_and_copy);
	RUN(equal_and_exports);
}
