/* strconv.c: integers and truth values to text and back (Go: package strconv;
 * floating-point numbers are in ftoa.c and atof.c, literals in quote.c).
 *
 * The syntax and the nearest values are Go's; an error also says where. */
#include "rt.h"
#include "type.h"
#include "text.h"

define_error(strconv_err_syntax, "invalid syntax");
define_error(strconv_err_range, "value out of range");

static string num_error_text(error err)
{
	const num_error *e = (const num_error *)err;
	builder b = {};

	builder_printf(&b, "strconv.%s: parsing %s: %s", e->func, strconv_quote(e->num), e->err);
	if (e->err == strconv_err_syntax)
		builder_printf(&b, " at byte %zu", e->pos);
	return builder_string(&b);
}

static error num_error_unwrap(error err)
{
	return ((const num_error *)err)->err;
}

define_error_type(num_error, .text = num_error_text, .unwrap = num_error_unwrap);

error num_error_new(const char *func, string num, error err, size_t pos)
{
	return new_error(num_error, .func = func, .num = string_from_bytes(num.ptr, num.len), .err = err, .pos = pos);
}

/* ---- to text ------------------------------------------------------------- */

#define DIGITS 65 /* the longest: 64 binary digits and a sign */

static string format(char buf[DIGITS], uint64_t u, bool minus, int base)
{
	char *p = buf + DIGITS;

	if (base < 2 || base > 36)
		rt_panic("strconv: illegal AppendInt/FormatInt base");
	do {
		*--p = "0123456789abcdefghijklmnopqrstuvwxyz"[u % (unsigned)base];
		u /= (unsigned)base;
	} while (u);
	if (minus)
		*--p = '-';
	return (string){ p, (size_t)(buf + DIGITS - p) };
}

static string format_int(char buf[DIGITS], int64_t n, int base)
{
	return format(buf, n < 0 ? -(uint64_t)n : (uint64_t)n, n < 0, base);
}

string strconv_format_int(int64_t n, int base)
{
	char buf[DIGITS];

	return rt_string_of_string(format_int(buf, n, base));
}

string strconv_itoa(int64_t n)
{
	return strconv_format_int(n, 10);
}

string strconv_format_uint(uint64_t n, int base)
{
	char buf[DIGITS];

	return rt_string_of_string(format(buf, n, false, base));
}

slice(byte) strconv_append_int(slice(byte) b, int64_t n, int base)
{
	char buf[DIGITS];

	return append_slice(b, format_int(buf, n, base));
}

slice(byte) strconv_append_uint(slice(byte) b, uint64_t n, int base)
{
	char buf[DIGITS];

	return append_slice(b, format(buf, n, false, base));
}

string strconv_format_bool(bool v)
{
	return v ? S("true") : S("false");
}

/* ---- from text ------------------------------------------------------------- */

ptrdiff_t bad_underscore(string s)
{
	enum { START, DIGIT, UNDERSCORE, OTHER } before = START;
	size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
	bool hex = false;

	if (s.len - i >= 2 && s.ptr[i] == '0') {
		char c = s.ptr[i + 1] | 0x20;

		if (c == 'b' || c == 'o' || c == 'x') {
			before = DIGIT; /* the prefix counts as one */
			hex = c == 'x';
			i += 2;
		}
	}
	for (; i < s.len; i++) {
		if (digit_value((byte)s.ptr[i]) < (hex ? 16 : 10)) {
			before = DIGIT;
		} else if (s.ptr[i] == '_') {
			if (before != DIGIT)
				return (ptrdiff_t)i;
			before = UNDERSCORE;
		} else {
			if (before == UNDERSCORE)
				return (ptrdiff_t)i - 1;
			before = OTHER;
		}
	}
	return before == UNDERSCORE ? (ptrdiff_t)s.len - 1 : -1;
}

/* What parse() found. */
struct found {
	error err; /* NULL, syntax, range, or about base or bits */
	size_t pos;
};

/* The unsigned number that is s from byte i on; whole is for underscores only. */
static struct found parse(string s, size_t i, int base, int bits, uint64_t *v)
{
	bool by_prefix = base == 0, underscores = false;
	uint64_t most;

	*v = 0;
	if (i >= s.len)
		return (struct found){ strconv_err_syntax, s.len };
	if (base < 0 || base == 1 || base > 36)
		return (struct found){ errorf("invalid base %d", base), 0 };
	if (bits < 0 || bits > 64)
		return (struct found){ errorf("invalid bit size %d", bits), 0 };
	if (by_prefix) {
		base = 10;
		if (s.ptr[i] == '0') {
			char c = s.len - i >= 3 ? s.ptr[i + 1] | 0x20 : 0;

			base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
			i += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
		}
	}
	most = bits == 0 || bits == 64 ? UINT64_MAX : (1ull << bits) - 1;
	for (; i < s.len; i++) {
		unsigned d = digit_value((byte)s.ptr[i]);

		if (s.ptr[i] == '_' && by_prefix) {
			underscores = true;
			continue;
		}
		if (d >= (unsigned)base) {
			*v = 0;
			return (struct found){ strconv_err_syntax, i };
		}
		if (__builtin_mul_overflow(*v, (unsigned)base, v) || __builtin_add_overflow(*v, d, v) || *v > most) {
			*v = most;
			return (struct found){ strconv_err_range, i };
		}
	}
	if (underscores && bad_underscore(s) >= 0) {
		*v = 0;
		return (struct found){ strconv_err_syntax, (size_t)bad_underscore(s) };
	}
	return (struct found){ NULL, 0 };
}

error strconv_parse_uint(string s, int base, int bits, uint64_t *v)
{
	struct found f = parse(s, 0, base, bits, v);

	return f.err ? num_error_new("ParseUint", s, f.err, f.pos) : NULL;
}

static error parse_int(const char *func, string s, int base, int bits, int64_t *v)
{
	bool minus = s.len && s.ptr[0] == '-';
	uint64_t u, limit = 1ull << (bits <= 0 || bits > 64 ? 63 : bits - 1);
	struct found f = parse(s, minus || (s.len && s.ptr[0] == '+'), base, bits, &u);

	if (!f.err || f.err == strconv_err_range) {
		if (u > limit - !minus) {
			u = limit - !minus;
			f.err = strconv_err_range;
		}
	}
	*v = (int64_t)(minus ? -u : u);
	return f.err ? num_error_new(func, s, f.err, f.pos) : NULL;
}

error strconv_parse_int(string s, int base, int bits, int64_t *v)
{
	return parse_int("ParseInt", s, base, bits, v);
}

error strconv_atoi(string s, int64_t *v)
{
	return parse_int("Atoi", s, 10, 64, v);
}

error strconv_parse_bool(string s, bool *v)
{
	static const char *const words[] = { "1", "t", "T", "TRUE", "true", "True",
	                                     "0", "f", "F", "FALSE", "false", "False" };
	const size_t n = sizeof words / sizeof words[0];

	for (size_t i = 0; i < n; i++) {
		if (string_eq(s, cstring(words[i]))) {
			*v = i < n / 2;
			return NULL;
		}
	}
	*v = false;
	return num_error_new("ParseBool", s, strconv_err_syntax, 0);
}
