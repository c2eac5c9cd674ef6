/* text.c: what parses words that users send: numbers, dates, durations, quotes, UTF-8,
 * encodings, URLs and lists.  The first byte says which.  What was read is written and read
 * again: it must be the same. */
#include <math.h>
#include <string.h>
#include "rt/http/http.h"
#include "ingot.h"
#include "fuzz.h"

static void numbers(string s, int base)
{
	int64 i, back;
	uint64 u;
	double d, e;
	bool b;

	base = base % 38 == 1 ? 10 : base % 38 == 37 ? 0 : base % 38;
	if (!strconv_parse_int(s, base, 64, &i) && base)
		FUZZ_CHECK(!strconv_parse_int(strconv_format_int(i, base), base, 64, &back) && back == i);
	if (!strconv_parse_uint(s, base, 32, &u))
		FUZZ_CHECK(u <= UINT32_MAX);
	if (!strconv_parse_float(s, 64, &d)) {
		FUZZ_CHECK(!strconv_parse_float(strconv_format_float(d, 'g', -1, 64), 64, &e));
		FUZZ_CHECK(d == e || (isnan(d) && isnan(e)));
		sprint("%g %.3f %e", d, d, d);
	}
	if (!strconv_parse_float(s, 32, &d) && !isnan(d))
		FUZZ_CHECK((double)(float)d == d);
	errors_ignore(strconv_parse_bool(s, &b));
	errors_ignore(strconv_atoi(s, &i));
}

static void dates(string s, uint8_t which)
{
	static const char *const layouts[] = { "2006-01-02T15:04:05Z07:00", "Mon, 02 Jan 2006 15:04:05 MST",
		"Monday, 02-Jan-06 15:04:05 MST", "Mon Jan _2 15:04:05 2006", "2006-01-02 15:04:05.999999999 -0700 MST",
		"3:04PM", "02/Jan/2006:15:04:05 -0700", "2006-002 15.000" };
	string layout = cstring(layouts[which % 8]), text;
	datetime t, u;
	int64 d, e;

	if (which & 8 && strings_cut(s, S("\n"), &layout, &text))
		s = text;
	if (!rt_time_parse(layout, s, &t)) {
		string whole = S("2006-01-02T15:04:05.999999999Z07:00");
		int64 year = time_fields(t).year;

		rt_time_format(t, layout);
		if (year >= 0 && year <= 9999)
			FUZZ_CHECK(!rt_time_parse(whole, rt_time_format(t, whole), &u) && time_equal(t, u));
	}
	if (!duration_parse(s, &d))
		FUZZ_CHECK(!duration_parse(duration_string(d), &e) && d == e);
}

static void quotes(string s)
{
	string v, w;

	if (!strconv_unquote(s, &v) && utf8_valid(v))
		FUZZ_CHECK(!strconv_unquote(strconv_quote(v), &w) && string_eq(v, w));
	FUZZ_CHECK(!strconv_unquote(strconv_quote(s), &w) && string_eq(s, w));
	FUZZ_CHECK(!strconv_unquote(strconv_quote_to_ascii(s), &w) && string_eq(s, w));
}

static void runes(string s)
{
	size_t n = 0, at = 0, k;
	int64 end = (int64)len(s);

	while (at < len(s)) {
		rune r = utf8_decode_rune(slice_from(s, at), &k);
		FUZZ_CHECK(k >= 1 && k <= 4 && at + k <= len(s));
		FUZZ_CHECK(utf8_valid_rune(r));
		FUZZ_CHECK(unicode_to_upper(r) <= 0x10ffff && unicode_to_lower(r) <= 0x10ffff && unicode_fold(r) <= 0x10ffff);
		at += k, n++;
	}
	for (; end > 0; end -= (int64)k)
		utf8_decode_last_rune(slice_to(s, end), &k);
	FUZZ_CHECK(end == 0 && n == utf8_rune_count(s) && n == len(runes_of(s)));
	if (utf8_valid(s))
		FUZZ_CHECK(string_eq(string_of_runes(runes_of(s)), s));
	errors_ignore(utf8_check(s));
	strings_to_upper(s), strings_to_lower(s), strings_fields(s);
}

static void encodings(string s, uint8_t which)
{
	slice(byte) v;

	if (!hex_decode(s, &v))
		FUZZ_CHECK(len(v) == len(s) / 2);
	if (!base64_decode(which % 4, s, &v))
		FUZZ_CHECK(len(v) <= len(s) / 4 * 3 + 3);
}

static void urls(string s)
{
	struct url u;
	string base, ref, out;

	url_decode(s, true, &out);
	if (strings_cut(s, S("\n"), &base, &ref))
		url_resolve(base, ref);
	if (!url_parse(s, &u))
		FUZZ_CHECK(len(u.target) && len(u.addr));
	has_token(s, S("chunked"));
	http_detect_type(s.ptr, len(s));
	http_type_by_name(s);
	if (strings_cut(s, S(":"), &base, &ref))
		header_clean(base, ref);
}

static error few_bytes(void *arg, slice(byte) buf, size_t *got)
{
	string *s = arg;
	size_t most = len(buf) < 3 ? len(buf) : 3;

	*got = len(*s) < most ? len(*s) : most;
	memcpy(buf.ptr, s->ptr, *got);
	*s = slice_from(*s, *got);
	return *got ? NULL : io_eof;
}

static void tokens(string s, uint8_t which)
{
	static const bufio_split splits[] = { bufio_scan_lines, bufio_scan_words, bufio_scan_runes, bufio_scan_bytes };
	bufio_scanner *sc = bufio_new_scanner((io_reader){ few_bytes, &s });

	bufio_scanner_split(sc, splits[which % 4]);
	bufio_scanner_max(sc, 64);
	while (bufio_scan(sc))
		FUZZ_CHECK(len(bufio_text(sc)) <= 64);
	errors_ignore(bufio_scanner_err(sc));
}

FUZZ(text, NULL)
{
	uint8_t what = fuzz_byte(&p, &n);
	string s = { (const char *)p, n };

	switch (what % 7) {
	case 0: numbers(s, what / 7); break;
	case 1: dates(s, what / 7); break;
	case 2: quotes(s); break;
	case 3: runes(s); break;
	case 4: encodings(s, what / 7); break;
	case 5: urls(s); break;
	case 6: tokens(s, what / 7);
	}
}
