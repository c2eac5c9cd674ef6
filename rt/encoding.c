/* encoding.c: hex and base64 (Go: encoding/hex, encoding/base64). */
#include "rt.h"
#include "api_value.h"
#include "api_error.h"
#include "api_hash.h"
#include "api_encoding.h"
#include "text.h"

#define MAX_TEXT ((size_t)1 << 46)

static char *text(size_t n)
{
	if (n > MAX_TEXT)
		rt_panic("runtime error: encoding: text too long");
	return rt_malloc(n, RT_NOSCAN);
}

string rt_hex_encode(const void *data, size_t n)
{
	const byte *p = data;
	char *to = n ? text(2 * n) : NULL;

	for (size_t i = 0; i < n; i++) {
		to[2 * i] = "0123456789abcdef"[p[i] >> 4];
		to[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
	}
	return (string){ to, 2 * n };
}

static error bad_byte(byte c)
{
	if (c < ' ' || (c >= 0x7f && c < 0xa1) || c == 0xad) /* what Go does not print */
		return errorf("encoding/hex: invalid byte: U+%04X", c);
	return errorf("encoding/hex: invalid byte: U+%04X '%s'", c, string_of_rune(c));
}

error hex_decode(string s, slice(byte) *out)
{
	slice(byte) b = make_slice(byte, 0, (int64_t)(s.len / 2));

	*out = b;
	for (size_t i = 0; i < s.len; i++) {
		unsigned d = digit_value((byte)s.ptr[i]);

		if (d >= 16)
			return bad_byte((byte)s.ptr[i]);
		if (i % 2) {
			b.ptr[i / 2] = (byte)(digit_value((byte)s.ptr[i - 1]) << 4 | d);
			out->len++;
		}
	}
	return s.len % 2 ? errors_new(S("encoding/hex: odd length hex string")) : NULL;
}

/* ---- base64 ------------------------------------------------------------------ */

static const char *const alphabet[] = {
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
};

static bool url(enum base64_encoding e)
{
	return e == URLEncoding || e == RawURLEncoding;
}

static bool padded(enum base64_encoding e)
{
	return e == StdEncoding || e == URLEncoding;
}

string rt_base64_encode(enum base64_encoding e, const void *data, size_t n)
{
	const byte *p = data;
	const char *letters = alphabet[url(e)];
	size_t whole = n / 3 * 3, rest = n - whole;
	size_t len = n / 3 * 4 + (rest == 0 ? 0 : padded(e) ? 4 : rest + 1);
	char *start = len ? text(len) : NULL, *to = start;

	for (size_t i = 0; i < whole; i += 3) {
		uint32_t x = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];

		*to++ = letters[x >> 18];
		*to++ = letters[x >> 12 & 63];
		*to++ = letters[x >> 6 & 63];
		*to++ = letters[x & 63];
	}
	if (rest) {
		uint32_t x = (uint32_t)p[whole] << 16 | (rest == 2 ? (uint32_t)p[whole + 1] << 8 : 0);

		*to++ = letters[x >> 18];
		*to++ = letters[x >> 12 & 63];
		if (rest == 2)
			*to++ = letters[x >> 6 & 63];
		while (to < start + len)
			*to++ = '=';
	}
	return (string){ start, len };
}

static int letter(enum base64_encoding e, char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == (url(e) ? '-' : '+') ? 62 : c == (url(e) ? '_' : '/') ? 63 : -1;
}

static bool line_end(char c)
{
	return c == '\r' || c == '\n';
}

static size_t skip_line_ends(string s, size_t i)
{
	while (i < s.len && line_end(s.ptr[i]))
		i++;
	return i;
}

static error corrupt(size_t at)
{
	return errorf("illegal base64 data at input byte %zu", at);
}

/* Checks the padding from the '=' at i on, behind `have` letters of four. */
static error check_padding(string s, size_t i, int have)
{
	if (have < 2)
		return corrupt(i);
	if (have == 2) {
		i = skip_line_ends(s, i + 1);
		if (i == s.len)
			return corrupt(s.len);
		if (s.ptr[i] != '=')
			return corrupt(i - 1);
	}
	i = skip_line_ends(s, i + 1);
	return i < s.len ? corrupt(i) : NULL;
}

error base64_decode(enum base64_encoding e, string s, slice(byte) *out)
{
	slice(byte) b = make_slice(byte, 0, (int64_t)(s.len / 4 * 3 + 3));
	uint32_t x = 0;
	int have = 0;
	error err = NULL;
	size_t i;

	for (i = 0; i < s.len; i++) {
		int d = letter(e, s.ptr[i]);

		if (d >= 0) {
			x = x << 6 | (uint32_t)d;
			if (++have == 4) {
				b.ptr[b.len++] = (byte)(x >> 16);
				b.ptr[b.len++] = (byte)(x >> 8);
				b.ptr[b.len++] = (byte)x;
				have = 0;
			}
		} else if (!line_end(s.ptr[i])) {
			err = padded(e) && s.ptr[i] == '=' ? check_padding(s, i, have) : corrupt(i);
			break;
		}
	}
	if (i == s.len && have && (have == 1 || padded(e)))
		err = corrupt(s.len - (size_t)have);
	else if (!err && have >= 2) {
		x <<= 6 * (4 - have);
		b.ptr[b.len++] = (byte)(x >> 16);
		if (have == 3)
			b.ptr[b.len++] = (byte)(x >> 8);
	}
	*out = b;
	return err;
}
