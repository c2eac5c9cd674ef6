/* hash.c: hashes and checksums.  The numbers are what Go's packages give. */
#include "ingot.h"
#include "test.h"

static uint64 folded(const byte *p, size_t n)
{
	uint64 x = 0;

	for (size_t i = 0; i < n; i++)
		x = x * 31 + p[i];
	return x;
}

/* As the Go program did: every length to 300, so each path and rest. */
TEST(all_of_them_at_every_length)
{
	static const uint64 want[] = { 0xb58ba8079d8f0504, 0x7ebcb6c9fd3c053e, 0x6259d149356868e4,
		                       0xf17aa84f78d3657e, 0xe085603f5bbfc598, 0x3c7f77d1bbf8e809,
		                       0x6699b24c4a0849a7, 0x4846d0bd22a26f9d, 0xffa25051ab108cf6,
		                       0x83e6eeec0ab4d6be };
	slice(byte) b = make_slice(byte, 70000);
	uint64 f[10] = {};

	for (int i = 0; i < 70000; i++)
		at(b, i) = (byte)(i * 7 + 3 + i / 256);
	for (int i = 0; i <= 302; i++) {
		slice(byte) p = slice_to(b, i <= 300 ? i : i == 301 ? 70000 : 4096 + 13);
		sha256_digest s = sha256_of(p);
		sha1_digest t = sha1_of(p);
		md5_digest m = md5_of(p);
		uint64 v[] = { fnv32(p), fnv32a(p), fnv64(p), fnv64a(p), crc32_ieee(p), crc32_castagnoli(p),
			       adler32(p), folded(s.b, 32), folded(t.b, 20), folded(m.b, 16) };

		for (int k = 0; k < 10; k++)
			f[k] = f[k] * 31 + v[k];
	}
	for (int k = 0; k < 10; k++)
		if (f[k] != want[k])
			TEST_FAIL("hash %d", k);
}

TEST(known_values)
{
	CHECK_EQ(crc32_ieee(S("123456789")), 0xcbf43926);
	CHECK_EQ(crc32_castagnoli(S("123456789")), 0xe3069283);
	CHECK_EQ(adler32(S("Wikipedia")), 0x11e60398);
	CHECK_EQ(fnv32a(S("")), 0x811c9dc5);
	CHECK_EQ(fnv64a(S("a")), (int64)0xaf63dc4c8601ec8c);
	sha256_digest d = sha256_of(S("abc"));
	CHECK(d.b[0] == 0xba && d.b[1] == 0x78 && d.b[31] == 0xad);
	CHECK_EQ(crc32_ieee((slice(byte)){}), 0);
}

/* In pieces of all sizes, and asked in between. */
TEST(in_pieces)
{
	string all = strings_repeat(S("0123456789abcdefghi"), 300);

	for (size_t piece = 1; piece < 200; piece += 13) {
		sha256 h = sha256_new();
		sha1 h1 = sha1_new();
		md5 h5 = md5_new();
		uint32 crc = 0, castagnoli = 0, adler = 1, f32 = fnv32a(S(""));
		uint64 f64 = fnv64(S(""));

		for (size_t i = 0; i < len(all); i += piece) {
			string s = slice_of(all, i, min(i + piece, len(all)));

			sha256_write(&h, s);
			sha1_write(&h1, s);
			md5_write(&h5, s);
			sha256_sum(&h);
			crc = crc32_ieee_update(crc, s);
			castagnoli = crc32_castagnoli_update(castagnoli, s);
			adler = adler32_update(adler, s);
			f32 = fnv32a_update(f32, s);
			f64 = fnv64_update(f64, s);
		}
		sha256_digest d = sha256_sum(&h), e = sha256_of(all);
		sha1_digest d1 = sha1_sum(&h1), e1 = sha1_of(all);
		md5_digest d5 = md5_sum(&h5), e5 = md5_of(all);
		CHECK(memcmp(&d, &e, sizeof d) == 0 && memcmp(&d1, &e1, sizeof d1) == 0);
		CHECK(memcmp(&d5, &e5, sizeof d5) == 0);
		CHECK(crc == crc32_ieee(all) && castagnoli == crc32_castagnoli(all) && adler == adler32(all));
		CHECK(f32 == fnv32a(all) && f64 == fnv64(all));
	}
}

TEST(maphash_differs_by_seed)
{
	uint64 a = maphash_make_seed(), b = maphash_make_seed();

	CHECK(a != b && maphash_bytes(a, S("x")) != maphash_bytes(b, S("x")));
	CHECK(maphash_bytes(a, S("hello")) == maphash_bytes(a, bytes_of(S("hello"))));
	/* Half of the bits differ for the least change. */
	int bits = 0;
	for (int i = 0; i < 64; i++) {
		byte p[8] = {}, q[8] = {};
		q[i / 8] = (byte)(1 << i % 8);
		bits += __builtin_popcountll(maphash_bytes(a, slice_from_array(byte, p, 8)) ^
		                             maphash_bytes(a, slice_from_array(byte, q, 8)));
	}
	CHECK(bits > 64 * 28 && bits < 64 * 36);
}

TEST_MAIN
{
	RUN(all_of_them_at_every_length);
	RUN(known_values);
	RUN(in_pieces);
	RUN(maphash_differs_by_seed);
}
