/* rand.c: pseudo-random numbers.  What is expected of one seed is what Go's
 * math/rand/v2 gives for it. */
#include "ingot.h"
#include "test.h"

static chacha8 *fresh(void)
{
	return new_chacha8((const byte *)"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456");
}

TEST(the_stream_of_a_seed)
{
	/* chacha8rand's golden output (C2SP). */
	static const uint64 first[] = { 0xb773b6063d4616a5, 0x1160af22a66abc3c, 0x8c2599d9418d287c,
		                        0x7ee07e037edc5cd6, 0xcfaa9ee02d1c16ad, 0x0e090eef8febea79 };
	chacha8 *r = fresh();
	uint64 x = 0, fold = 0;

	for (int i = 0; i < 372; i++) {
		x = chacha8_uint64(r);
		CHECK(i >= 6 || x == first[i]);
		fold = fold * 31 + x;
	}
	CHECK(x == 0xddd9c6d34bffa11f && fold == 0x65190a252beb2af2);
	for (int i = 372; i < 100000; i++) {
		x = chacha8_uint64(r);
		fold = fold * 31 + x;
	}
	CHECK(x == 0xf05df0b84089adc && fold == 0x7041adc01991d30);
}

TEST(ranges)
{
	static const int64 small[] = { 716, 67, 547, 495, 811, 54, 236, 610 };
	static const int64 large[] = { 6038665488761411966, 1481683458875657031, 6456559315792401419,
		                       232637609104773524 };
	chacha8 *r = fresh();

	for (int i = 0; i < 8; i++)
		CHECK_EQ(chacha8_int_n(r, 1000), small[i]);
	for (int i = 0; i < 4; i++) /* with rejections */
		CHECK_EQ(chacha8_uint_n(r, 3ull << 61), large[i]);
	r = fresh();
	CHECK_EQ(chacha8_uint32(r), 0xb773b606);
	CHECK_EQ(chacha8_int32(r), 0x1160af22 >> 1);
	CHECK_EQ(chacha8_int64(r), 0x8c2599d9418d287c & INT64_MAX);
	CHECK_EQ(chacha8_int_n(r, 16), 6);
}

TEST(fractions)
{
	chacha8 *r = fresh();

	CHECK(chacha8_float64(r) == 0.61596977202926395 && chacha8_float64(r) == 0.021378827126575128);
	CHECK(chacha8_float64(r) == 0.17503035357482544 && chacha8_float64(r) == 0.015382526183112644);
	CHECK(chacha8_float32(r) == 0.66648674f && chacha8_float32(r) == 0.0353841186f);
}

static bool near(double a, double b)
{
	double d = a - b;

	return d < 1e-9 && d > -1e-9;
}

/* Sums of many, so that the rare cases are among them; the next number shows
 * that as many were drawn. */
TEST(distributions)
{
	static const double norm[] = { 0.26744673456239898, -0.78516544132122812, 0.97379400518749715,
		                       -2.0715875855262613, 0.35153454044051236, 0.22140658750407483 };
	static const double ex[] = { 0.050903076394949107, 0.40234965485217794, 0.85835178600620399,
		                     0.068041476620836705, 0.63584067451097082, 2.4766243155368723 };
	chacha8 *r = fresh();
	double sum = 0;

	for (int i = 0; i < 6; i++)
		CHECK(chacha8_norm_float64(r) == norm[i]);
	for (int i = 0; i < 100000; i++)
		sum += chacha8_norm_float64(r);
	CHECK(near(sum, -305.345064011478) && chacha8_uint64(r) == 0x1db48d6de0abadef);
	r = fresh();
	sum = 0;
	for (int i = 0; i < 6; i++)
		CHECK(chacha8_exp_float64(r) == ex[i]);
	for (int i = 0; i < 100000; i++)
		sum += chacha8_exp_float64(r);
	CHECK(near(sum, 100262.049093387) && chacha8_uint64(r) == 0xc4c00d4706379343);
}

struct three {
	int v[3];
};
typedef struct three three;
declare_slice(three);

TEST(permutations)
{
	static const int want[] = { 6, 5, 1, 2, 8, 9, 3, 4, 0, 7 };
	slice(int) p = chacha8_perm(fresh(), 10);
	slice(three) v = make_slice(three, 10);

	for (int i = 0; i < 10; i++) {
		CHECK_EQ(at(p, i), want[i]);
		at(v, i) = (three){ { i, i, i } };
	}
	chacha8_shuffle(fresh(), v);
	for (int i = 0; i < 10; i++)
		CHECK(at(v, i).v[0] == want[i] && at(v, i).v[2] == want[i]);
	CHECK(len(rand_perm(0)) == 0 && at(rand_perm(1), 0) == 0);
	rand_shuffle((slice(three)){});
}

TEST(bytes)
{
	slice(byte) b = make_slice(byte, 21);

	chacha8_read(fresh(), slice_to(b, 19));
	CHECK(at(b, 0) == 0xa5 && at(b, 7) == 0xb7 && at(b, 8) == 0x3c && at(b, 18) == 0x8d && at(b, 19) == 0);
	rand_read((slice(byte)){});
}

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static void no_range(int64 n)
{
	defer(catch);
	rand_int_n(n);
}

static void no_unsigned_range(void)
{
	defer(catch);
	rand_uint_n(0);
}

TEST(bad_ranges)
{
	no_range(0);
	CHECK(string_eq(caught, S("invalid argument to Int64N")));
	no_range(INT64_MIN);
	CHECK(string_eq(caught, S("invalid argument to Int64N")));
	no_unsigned_range();
	CHECK(string_eq(caught, S("invalid argument to Uint64N")));
}

enum { TASKS = 8, DRAWS = 2000 };

static void draw(uint64 *to, wait_group *wg)
{
	for (int i = 0; i < DRAWS; i++) {
		to[i] = rand_uint64();
		if (i % 50 == 0)
			gosched();
	}
	wait_group_done(wg);
}

/* All cores at once: no number comes twice, each bit is set in half of them. */
TEST(sources_of_the_cores)
{
	uint64 *v = rt_make(uint64, TASKS * DRAWS);
	map(uint64, bool) seen = make_map(uint64, bool);
	wait_group wg = {};
	int ones[64] = {};

	wait_group_add(&wg, TASKS);
	for (int i = 0; i < TASKS; i++)
		go(draw, v + i * DRAWS, &wg);
	wait_group_wait(&wg);
	for (int i = 0; i < TASKS * DRAWS; i++) {
		map_set(seen, v[i], true);
		for (int b = 0; b < 64; b++)
			ones[b] += (int)(v[i] >> b & 1);
	}
	CHECK_EQ(len(seen), TASKS * DRAWS);
	for (int b = 0; b < 64; b++) /* ten deviations of 63 */
		CHECK(ones[b] > 7370 && ones[b] < 8630);
	uint64 a[4] = {}, b[4] = {};
	entropy(a, sizeof a);
	entropy(b, sizeof b);
	CHECK(memcmp(a, b, sizeof a) != 0 && a[3] != 0 && a[0] != a[1]);
	for (int i = 0; i < 100; i++)
		CHECK(rand_float64() < 1 && rand_int_n(3) < 3 && rand_exp_float64() >= 0);
}

TEST_MAIN
{
	RUN(the_stream_of_a_seed);
	RUN(ranges);
	RUN(fractions);
	RUN(distributions);
	RUN(permutations);
	RUN(bytes);
	RUN(bad_ranges);
	RUN(sources_of_the_cores);
}
