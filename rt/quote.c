/* quote.c: text to Go literals and back (Go: strconv.Quote, Unquote). */
#include "rt.h"
#include "text.h"

static const char escapes[] = "abfnrtv", meanings[] = "\a\b\f\n\r\t\v";

static void put_rune(builder *b, rune r, rune quote, bool ascii)
{
	const char *p = r > 0 && r < 0x80 ? memchr(meanings, r, sizeof meanings - 1) : NULL;

	if (r == quote || r == '\\') {
		builder_write_byte(b, '\\');
		builder_write_byte(b, (byte)r);
	} else if (ascii ? r < RuneSelf && unicode_is_print(r) : unicode_is_print(r)) {
		builder_write_rune(b, r);
	} else if (p) {
		builder_write_byte(b, '\\');
		builder_write_byte(b, (byte)escapes[p - meanings]);
	} else if (r < ' ' || r == 0x7F) {
		builder_printf(b, "\\x%02x", (unsigned)r);
	} else if (r < 0x10000) {
		builder_printf(b, "\\u%04x", (unsigned)r);
	} else {
		builder_printf(b, "\\U%08x", (unsigned)r);
	}
}

static void quote_into(builder *b, string s, bool ascii)
{
	size_t n;

	builder_write_byte(b, '"');
	for (; s.len; s.ptr += n, s.len -= n) {
		rune r = utf8_decode_rune(s, &n);

		if (r == RuneError && n == 1)
			builder_printf(b, "\\x%02x", (byte)s.ptr[0]);
		else
			put_rune(b, r, '"', ascii);
	}
	builder_write_byte(b, '"');
}

string strconv_quote(string s)
{
	builder b = {};

	quote_into(&b, s, false);
	return builder_string(&b);
}

string strconv_quote_to_ascii(string s)
{
	builder b = {};

	quote_into(&b, s, true);
	return builder_string(&b);
}

slice(byte) strconv_append_quote(slice(byte) buf, string s)
{
	builder b = { buf };

	quote_into(&b, s, false);
	return b.buf;
}

string strconv_quote_rune(rune r)
{
	builder b = {};

	builder_write_byte(&b, '\'');
	put_rune(&b, utf8_valid_rune(r) ? r : RuneError, '\'', false);
	builder_write_byte(&b, '\'');
	return builder_string(&b);
}

/* n digits of the base at s[*i]; -1 if they are not there. */
static int64_t number(string s, size_t *i, size_t n, int base)
{
	uint64_t v;
	string part = { s.ptr + *i, n };

	if (s.len - *i < n || strconv_parse_uint(part, base, 64, &v))
		return -1;
	*i += n;
	return (int64_t)v;
}

/* Adds what the character or escape at s[*i] means, and goes behind it; false if
 * it means nothing. */
static bool take(builder *b, string s, size_t *i, char quote)
{
	string rest = { s.ptr + *i, s.len - *i };
	const char *p;
	size_t n;
	int64_t v;

	if (rest.ptr[0] != '\\') {
		if (rest.ptr[0] == '\n')
			return false;
		builder_write_rune(b, utf8_decode_rune(rest, &n));
		*i += n;
		return true;
	}
	if (rest.len < 2)
		return false;
	*i += 2;
	switch (rest.ptr[1]) {
	case 'x':
		v = number(s, i, 2, 16);
		break;
	case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7':
		--*i;
		v = number(s, i, 3, 8);
		v = v > 255 ? -1 : v;
		break;
	case 'u':
	case 'U':
		v = number(s, i, rest.ptr[1] == 'u' ? 4 : 8, 16);
		if (v < 0 || v > MaxRune || !utf8_valid_rune((rune)v))
			return false;
		builder_write_rune(b, (rune)v);
		return true;
	case '\\':
		v = '\\';
		break;
	case '\'':
	case '"':
		v = rest.ptr[1] == quote ? quote : -1;
		break;
	default:
		p = memchr(escapes, rest.ptr[1], sizeof escapes - 1);
		v = p ? meanings[p - escapes] : -1;
	}
	if (v < 0)
		return false;
	builder_write_byte(b, (byte)v);
	return true;
}

static error bad(string s, size_t i)
{
	return num_error_new("Unquote", s, strconv_err_syntax, i);
}

error strconv_unquote(string s, string *v)
{
	char quote = s.len ? s.ptr[0] : 0;
	builder b = {};
	size_t i = 1, end = s.len - 1;

	*v = (string){};
	if (quote != '"' && quote != '`' && quote != '\'')
		return bad(s, 0);
	if (s.len < 2 || s.ptr[end] != quote)
		return bad(s, s.len);
	if (quote == '`') {
		string in = slice_of(s, 1, end);
		ptrdiff_t at = strings_index_byte(in, '`');

		if (at >= 0)
			return bad(s, 1 + (size_t)at);
		*v = strings_replace_all(in, S("\r"), S(""));
		return NULL;
	}
	while (i < end) {
		size_t at = i;

		if (s.ptr[i] == quote || (quote == '\'' && i > 1) || !take(&b, (string){ s.ptr, end }, &i, quote))
			return bad(s, at);
	}
	if (quote == '\'' && i == 1)
		return bad(s, 1);
	*v = builder_string(&b);
	return NULL;
}
