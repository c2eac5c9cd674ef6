/* ftoa.c: floating-point numbers to text (Go: strconv.FormatFloat).
 *
 * With a given precision C's printf, which is exact, does it.  The shortest
 * text that reads back as the same value is searched for: the p-digit decimal
 * nearest to it, for the least p that is enough.  That is Go's answer but where
 * the interval of what reads back is lopsided, at powers of two: there the next
 * p-digit decimal away from zero may do where the nearest does not. */
#include "rt.h"
#include "text.h"

#define DIGITS64 17 /* always enough for a double; 9 for a float */
#define DIGITS32 9

/* 0.d1 d2 ... dn times 10 to the dp. */
struct decimal {
	char d[DIGITS64 + 1];
	int n, dp;
};

/* What v's p-digit decimal is, v > 0. */
static struct decimal digits_of(double v, int p)
{
	struct decimal x = { .n = p };
	char text[DIGITS64 + 16];
	int at = p + (p > 1) + 1, e = 0, n = snprintf(text, sizeof text, "%.*e", p - 1, v);

	x.d[0] = text[0];
	if (p > 1)
		memcpy(x.d + 1, text + 2, (size_t)p - 1);
	for (int i = at + 1; i < n; i++)
		e = e * 10 + (text[i] - '0');
	x.dp = (text[at] == '-' ? -e : e) + 1;
	return x;
}

/* One more in the last place. */
static struct decimal next_up(struct decimal x)
{
	int i = x.n - 1;

	for (; i >= 0 && x.d[i] == '9'; i--)
		x.d[i] = '0';
	if (i >= 0) {
		x.d[i]++;
	} else {
		x.d[0] = '1';
		x.dp++;
	}
	return x;
}

static bool reads_back(struct decimal x, double v, int bits)
{
	char text[DIGITS64 + 16];

	snprintf(text, sizeof text, "0.%.*se%d", x.n, x.d, x.dp);
	return bits == 32 ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v;
}

/* Of the fraction of a float the same holds, it is the upper part of this one. */
static bool power_of_two(double v)
{
	uint64_t u;

	memcpy(&u, &v, sizeof u);
	return (u & ((1ull << 52) - 1)) == 0;
}

static struct decimal shortest(double v, int bits)
{
	int lo = 1, hi = bits == 32 ? DIGITS32 : DIGITS64;
	struct decimal x;

	if (v == 0)
		return (struct decimal){ .d = "0", .n = 1, .dp = 1 };
	if (power_of_two(v)) {
		for (; lo < hi; lo++) {
			x = digits_of(v, lo);
			if (reads_back(x, v, bits))
				break;
			x = next_up(x);
			if (reads_back(x, v, bits))
				break;
		}
	} else {
		while (lo < hi) {
			int mid = (lo + hi) / 2;

			if (reads_back(digits_of(v, mid), v, bits))
				hi = mid;
			else
				lo = mid + 1;
		}
		hi = lo;
	}
	if (lo == hi)
		x = digits_of(v, hi);
	while (x.n > 1 && x.d[x.n - 1] == '0')
		x.n--;
	return x;
}

/* -d.ddde+dd */
static slice(byte) put_e(slice(byte) b, const struct decimal *x, char e)
{
	char tail[16];
	int exp = x->dp - 1;

	b = append(b, (byte)x->d[0]);
	if (x->n > 1) {
		b = append(b, '.');
		b = append_slice(b, ((string){ x->d + 1, (size_t)x->n - 1 }));
	}
	snprintf(tail, sizeof tail, "%c%c%02d", e, exp < 0 ? '-' : '+', exp < 0 ? -exp : exp);
	return append_slice(b, cstring(tail));
}

/* -ddd.ddd */
static slice(byte) put_f(slice(byte) b, const struct decimal *x)
{
	if (x->dp <= 0)
		b = append(b, '0');
	for (int i = x->dp < 0 ? x->dp : 0; i < x->n || i < x->dp; i++) {
		if (i == (x->dp < 0 ? x->dp : 0) ? x->dp <= 0 : i == x->dp)
			b = append(b, '.');
		b = append(b, i >= 0 && i < x->n ? (byte)x->d[i] : '0');
	}
	return b;
}

/* -0x1.yyyp+dd */
static slice(byte) put_x(slice(byte) b, double v, int prec, char fmt)
{
	const char *hex = fmt == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	uint64_t u, m;
	char tail[16];
	int e;

	memcpy(&u, &v, sizeof u);
	m = u & ((1ull << 52) - 1);
	e = (int)(u >> 52 & 0x7FF);
	if (e)
		m |= 1ull << 52;
	else
		e = 1;
	e -= 1023;
	m <<= 8; /* the leading 1 goes to bit 60 */
	if (m == 0)
		e = 0;
	while (m && !(m >> 60)) {
		m <<= 1;
		e--;
	}
	if (prec >= 0 && prec < 15) {
		int shift = prec * 4;
		uint64_t rest = m << shift & ((1ull << 60) - 1);

		m >>= 60 - shift;
		if ((rest | (m & 1)) > 1ull << 59)
			m++;
		m <<= 60 - shift;
		if (m >> 61) {
			m >>= 1;
			e++;
		}
	}
	b = append(b, '0', (byte)fmt, (byte)('0' + (m >> 60 & 1)));
	m <<= 4;
	if (prec < 0 ? m != 0 : prec > 0)
		b = append(b, '.');
	for (int i = 0; prec < 0 ? m != 0 : i < prec; i++) {
		b = append(b, (byte)hex[m >> 60]);
		m <<= 4;
	}
	snprintf(tail, sizeof tail, "%c%c%02d", fmt == 'X' ? 'P' : 'p', e < 0 ? '-' : '+', e < 0 ? -e : e);
	return append_slice(b, cstring(tail));
}

/* C's conversion. */
static slice(byte) put_c(slice(byte) b, double v, char fmt, int prec)
{
	const char form[] = { '%', '.', '*', fmt, 0 };
	int n = snprintf(NULL, 0, form, prec, v);
	char *text = rt_malloc((size_t)n + 1, RT_NOSCAN);

	snprintf(text, (size_t)n + 1, form, prec, v);
	return append_slice(b, ((string){ text, (size_t)n }));
}

slice(byte) strconv_append_float(slice(byte) b, double v, char fmt, int prec, int bits)
{
	struct decimal x;

	if (bits != 32 && bits != 64)
		rt_panic("strconv: illegal AppendFloat/FormatFloat bitSize");
	if (bits == 32)
		v = (float)v;
	if (__builtin_isnan(v))
		return append_slice(b, S("NaN"));
	if (__builtin_isinf(v))
		return append_slice(b, v < 0 ? S("-Inf") : S("+Inf"));
	if (__builtin_signbit(v)) {
		b = append(b, '-');
		v = -v;
	}
	switch (fmt) {
	case 'x':
	case 'X':
		return put_x(b, v, prec, fmt);
	case 'e':
	case 'E':
	case 'f':
	case 'g':
	case 'G':
		break;
	default:
		return append(b, '%', (byte)fmt);
	}
	if (prec >= 0)
		return put_c(b, v, fmt, prec);
	x = shortest(v, bits);
	if (fmt == 'f')
		return put_f(b, &x);
	if (fmt == 'e' || fmt == 'E')
		return put_e(b, &x, fmt);
	/* 'g' */
	if (x.dp - 1 < -4 || x.dp - 1 >= 6)
		return put_e(b, &x, (char)(fmt - 'g' + 'e'));
	return put_f(b, &x);
}

string strconv_format_float(double v, char fmt, int prec, int bits)
{
	return string_view(strconv_append_float((slice(byte)){}, v, fmt, prec, bits));
}
