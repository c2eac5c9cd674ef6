/* api_encoding.h: bytes as text (part of ingot.h).  Go: encoding/hex,
 * encoding/base64.
 *
 * x is a slice of bytes or a string.  All calls are from a task; decoders give
 * what they had read when they return an error. */
#ifndef INGOT_API_ENCODING_H
#define INGOT_API_ENCODING_H

#ifndef INGOT_API_HASH_H
#error "include ingot.h"
#endif

/* Lower-case digits.  Go: hex.EncodeToString(x). */
#define hex_encode(x) RT_OF_BYTES(rt_hex_encode, , x)
string rt_hex_encode(const void *p, size_t n);
/* The bytes of digits in either case.  Go: hex.DecodeString(s). */
error hex_decode(string s, slice(byte) *out) must_check;

/* RFC 4648: the alphabet's last two + and /, or - and _; with or without = at
 * the end. */
enum base64_encoding { StdEncoding, URLEncoding, RawStdEncoding, RawURLEncoding };
/* Go: base64.StdEncoding.EncodeToString(x). */
#define base64_encode(encoding, x) RT_OF_BYTES(rt_base64_encode, RT_COMMA(encoding), x)
string rt_base64_encode(enum base64_encoding e, const void *p, size_t n);
/* Passes over line ends.  Go: base64.StdEncoding.DecodeString(s). */
error base64_decode(enum base64_encoding e, string s, slice(byte) *out) must_check;

#endif
