/* api_hash.h: hashes and checksums of bytes (part of ingot.h).  Go: hash/fnv,
 * hash/crc32, hash/adler32, hash/maphash, crypto/sha256, crypto/sha1, crypto/md5.
 *
 * x is a slice of bytes or a string, everywhere.  A hash goes on by its
 * _update or _write form.  Nothing allocates; all from any context, but
 * maphash_make_seed (task). */
#ifndef INGOT_API_HASH_H
#define INGOT_API_HASH_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* f(first..., pointer, length) of x's bytes; first ends in a comma. */
#define RT_OF_BYTES(f, first, x) \
	({ \
		__auto_type rt_hx = (x); \
		_Static_assert(RT_IS_CHAR(rt_hx.ptr), "not bytes"); \
		f(first (const void *)rt_hx.ptr, rt_hx.len); \
	})
#define RT_COMMA(x) x,

/* FNV-1 and FNV-1a of 32 and 64 bits; the update forms go on from h. */
#define fnv32(x) fnv32_update(UINT32_C(0x811c9dc5), x)
#define fnv32a(x) fnv32a_update(UINT32_C(0x811c9dc5), x)
#define fnv64(x) fnv64_update(UINT64_C(0xcbf29ce484222325), x)
#define fnv64a(x) fnv64a_update(UINT64_C(0xcbf29ce484222325), x)
#define fnv32_update(h, x) RT_OF_BYTES(rt_fnv32, RT_COMMA(h), x)
#define fnv32a_update(h, x) RT_OF_BYTES(rt_fnv32a, RT_COMMA(h), x)
#define fnv64_update(h, x) RT_OF_BYTES(rt_fnv64, RT_COMMA(h), x)
#define fnv64a_update(h, x) RT_OF_BYTES(rt_fnv64a, RT_COMMA(h), x)
uint32_t rt_fnv32(uint32_t h, const void *p, size_t n);
uint32_t rt_fnv32a(uint32_t h, const void *p, size_t n);
uint64_t rt_fnv64(uint64_t h, const void *p, size_t n);
uint64_t rt_fnv64a(uint64_t h, const void *p, size_t n);

/* CRC-32 of Ethernet and gzip (crc32.ChecksumIEEE), and Castagnoli's of iSCSI
 * and ext4; by the processor's instructions where it has them.  The update
 * forms begin with 0. */
#define crc32_ieee(x) crc32_ieee_update(0, x)
#define crc32_castagnoli(x) crc32_castagnoli_update(0, x)
#define crc32_ieee_update(crc, x) RT_OF_BYTES(rt_crc32_ieee, RT_COMMA(crc), x)
#define crc32_castagnoli_update(crc, x) RT_OF_BYTES(rt_crc32_castagnoli, RT_COMMA(crc), x)
uint32_t rt_crc32_ieee(uint32_t crc, const void *p, size_t n);
uint32_t rt_crc32_castagnoli(uint32_t crc, const void *p, size_t n);

/* Adler-32 of zlib; the update form begins with 1. */
#define adler32(x) adler32_update(1, x)
#define adler32_update(a, x) RT_OF_BYTES(rt_adler32, RT_COMMA(a), x)
uint32_t rt_adler32(uint32_t a, const void *p, size_t n);

/* A seed for maphash_bytes(), another one each time.  task.  Go: maphash.MakeSeed(). */
uint64_t maphash_make_seed(void);
/* A hash of x for tables, good in all bits; another one for each seed.  Go:
 * maphash.Bytes(seed, x). */
#define maphash_bytes(seed, x) RT_OF_BYTES(rt_maphash, RT_COMMA(seed), x)
uint64_t rt_maphash(uint64_t seed, const void *p, size_t n);

/* ---- digests ------------------------------------------------------------------ */

/* What has come so far. */
struct rt_digest {
	uint64_t n;           /* bytes */
	uint32_t h[8];
	byte block[64];
};

/* SHA-256 (FIPS 180-4).
 *
 *	sha256_digest d = sha256_of(x);                  sha256.Sum256(x)
 *	sha256 h = sha256_new();                         h := sha256.New()
 *	sha256_write(&h, x);                             h.Write(x)
 *	sha256_digest d = sha256_sum(&h);                d := h.Sum(nil); h may go on
 */
typedef struct sha256 {
	struct rt_digest d;
} sha256;
/* The sum: 32 bytes. */
typedef struct sha256_digest {
	byte b[32];
} sha256_digest;
/* sha256_new(): of nothing yet; sha256_write(&h, x) goes on; sha256_sum(&h) gives the sum so
 * far, and h may go on; sha256_of(x): of x alone. */
sha256 sha256_new(void);
#define sha256_write(h, x) RT_OF_BYTES(rt_sha256_write, RT_COMMA(h), x)
sha256_digest sha256_sum(const sha256 *h);
#define sha256_of(x) RT_OF_BYTES(rt_sha256, , x)
void rt_sha256_write(sha256 *h, const void *p, size_t n);
sha256_digest rt_sha256(const void *p, size_t n);

/* SHA-1, likewise; for old formats, not for security. */
typedef struct sha1 {
	struct rt_digest d;
} sha1;
/* The sum: 20 bytes. */
typedef struct sha1_digest {
	byte b[20];
} sha1_digest;
/* sha1_new(): of nothing yet; sha1_write(&h, x) goes on; sha1_sum(&h) gives the sum so
 * far, and h may go on; sha1_of(x): of x alone. */
sha1 sha1_new(void);
#define sha1_write(h, x) RT_OF_BYTES(rt_sha1_write, RT_COMMA(h), x)
sha1_digest sha1_sum(const sha1 *h);
#define sha1_of(x) RT_OF_BYTES(rt_sha1, , x)
void rt_sha1_write(sha1 *h, const void *p, size_t n);
sha1_digest rt_sha1(const void *p, size_t n);

/* MD5 (RFC 1321), likewise; for old formats, not for security. */
typedef struct md5 {
	struct rt_digest d;
} md5;
/* The sum: 16 bytes. */
typedef struct md5_digest {
	byte b[16];
} md5_digest;
/* md5_new(): of nothing yet; md5_write(&h, x) goes on; md5_sum(&h) gives the sum so
 * far, and h may go on; md5_of(x): of x alone. */
md5 md5_new(void);
#define md5_write(h, x) RT_OF_BYTES(rt_md5_write, RT_COMMA(h), x)
md5_digest md5_sum(const md5 *h);
#define md5_of(x) RT_OF_BYTES(rt_md5, , x)
void rt_md5_write(md5 *h, const void *p, size_t n);
md5_digest rt_md5(const void *p, size_t n);

#endif
