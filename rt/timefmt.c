/* timefmt.c: dates and durations as text and back (Go: time/format.go).
 *
 * A layout is cut into elements by next_element(): the longest form that stands
 * there, as Go finds it.  Format and parse walk over the same elements.  Errors
 * have Go's words (those of 1.20 and later): what could not be read, as what. */
#include "rt.h"
#include "api_value.h"
#include "api_error.h"
#include "api_task.h"
#include "api_date.h"

enum element {
	NONE, LONG_MONTH, MONTH, NUM_MONTH, ZERO_MONTH, LONG_WEEKDAY, WEEKDAY, DAY, UNDER_DAY, ZERO_DAY,
	UNDER_YEAR_DAY, ZERO_YEAR_DAY, HOUR, HOUR12, ZERO_HOUR12, MINUTE, ZERO_MINUTE, SECOND,
	ZERO_SECOND, LONG_YEAR, YEAR, UPPER_PM, LOWER_PM, ZONE, OFFSET, FRACTION_0, FRACTION_9
};

/* Of an OFFSET: what is written of it. */
enum { Z_FOR_UTC = 1, COLON = 2, SHORT = 4, SECONDS = 8 };

struct chunk {
	string before, text, rest; /* of the layout */
	enum element kind;
	unsigned form;             /* of an OFFSET */
};

static bool digit_at(string s, size_t i)
{
	return i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9';
}

static bool starts(string s, size_t i, const char *text)
{
	size_t n = strlen(text);

	return s.len - i >= n && memcmp(s.ptr + i, text, n) == 0;
}

/* The element at layout[i] and its length; NONE if none begins there. */
static enum element element_at(string s, size_t i, size_t *n, unsigned *form)
{
	static const struct {
		char text[10];
		unsigned char kind, form;
	} forms[] = { /* of one letter: the longer one first */
		{ "January", LONG_MONTH, 0 }, { "Jan", MONTH, 0 }, { "Monday", LONG_WEEKDAY, 0 },
		{ "Mon", WEEKDAY, 0 }, { "MST", ZONE, 0 }, { "01", ZERO_MONTH, 0 }, { "02", ZERO_DAY, 0 },
		{ "03", ZERO_HOUR12, 0 }, { "04", ZERO_MINUTE, 0 }, { "05", ZERO_SECOND, 0 }, { "06", YEAR, 0 },
		{ "002", ZERO_YEAR_DAY, 0 }, { "15", HOUR, 0 }, { "1", NUM_MONTH, 0 }, { "2006", LONG_YEAR, 0 },
		{ "2", DAY, 0 }, { "_2", UNDER_DAY, 0 }, { "__2", UNDER_YEAR_DAY, 0 }, { "3", HOUR12, 0 },
		{ "4", MINUTE, 0 }, { "5", SECOND, 0 }, { "PM", UPPER_PM, 0 }, { "pm", LOWER_PM, 0 },
		{ "-070000", OFFSET, SECONDS }, { "-07:00:00", OFFSET, COLON | SECONDS }, { "-0700", OFFSET, 0 },
		{ "-07:00", OFFSET, COLON }, { "-07", OFFSET, SHORT }, { "Z070000", OFFSET, Z_FOR_UTC | SECONDS },
		{ "Z07:00:00", OFFSET, Z_FOR_UTC | COLON | SECONDS }, { "Z0700", OFFSET, Z_FOR_UTC },
		{ "Z07:00", OFFSET, Z_FOR_UTC | COLON }, { "Z07", OFFSET, Z_FOR_UTC | SHORT }
	};
	char c = s.ptr[i];

	if (c == '.' || c == ',') {
		size_t j = i + 1;

		while (j < s.len && s.ptr[j] == s.ptr[i + 1])
			j++;
		*n = j - i;
		if (j == i + 1 || (s.ptr[i + 1] != '0' && s.ptr[i + 1] != '9') || digit_at(s, j))
			return NONE;
		return s.ptr[i + 1] == '0' ? FRACTION_0 : FRACTION_9;
	}
	for (unsigned k = 0; k < sizeof forms / sizeof *forms; k++) {
		if (!starts(s, i, forms[k].text))
			continue;
		*n = strlen(forms[k].text);
		*form = forms[k].form;
		/* Not within a word: Month has no Mon. */
		if ((forms[k].kind == MONTH || forms[k].kind == WEEKDAY) && i + 3 < s.len &&
		    s.ptr[i + 3] >= 'a' && s.ptr[i + 3] <= 'z')
			return NONE;
		/* A literal _ and a year. */
		if (forms[k].kind == UNDER_DAY && starts(s, i, "_2006"))
			return NONE;
		return forms[k].kind;
	}
	return NONE;
}

static struct chunk next_element(string layout)
{
	struct chunk c = { layout, {}, {}, NONE, 0 };

	for (size_t i = 0, n = 0; i < layout.len; i++) {
		c.kind = element_at(layout, i, &n, &c.form);
		if (c.kind != NONE) {
			c.before = slice_to(layout, i);
			c.text = slice_of(layout, i, i + n);
			c.rest = slice_from(layout, i + n);
			break;
		}
	}
	return c;
}

/* ---- format ----------------------------------------------------------------------- */

/* At least width digits, filled up with `fill`. */
static void number(builder *b, int64_t n, int width, char fill)
{
	char buf[24], *p = buf + sizeof buf;
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;

	if (n < 0)
		builder_write_byte(b, '-');
	do {
		*--p = (char)('0' + u % 10);
		width--;
	} while (u /= 10);
	while (width-- > 0)
		*--p = fill;
	builder_write(b, (string){ p, (size_t)(buf + sizeof buf - p) });
}

static void write_offset(builder *b, int offset, unsigned form)
{
	int minutes = offset / 60;

	if (offset == 0 && (form & Z_FOR_UTC)) {
		builder_write_byte(b, 'Z');
		return;
	}
	builder_write_byte(b, minutes < 0 ? '-' : '+');
	minutes = minutes < 0 ? -minutes : minutes;
	number(b, minutes / 60, 2, '0');
	if (form & COLON)
		builder_write_byte(b, ':');
	if (!(form & SHORT))
		number(b, minutes % 60, 2, '0');
	if (form & SECONDS) {
		if (form & COLON)
			builder_write_byte(b, ':');
		number(b, (offset < 0 ? -offset : offset) % 60, 2, '0');
	}
}

/* text is the layout's ".000" or ",999". */
static void write_fraction(builder *b, int nanosecond, string text, bool trim)
{
	char buf[10] = { text.ptr[0] };
	size_t n = text.len - 1 < 9 ? text.len - 1 : 9;

	for (int i = 9, u = nanosecond; i > 0; i--, u /= 10)
		buf[i] = (char)('0' + u % 10);
	while (trim && n > 0 && buf[n] == '0')
		n--;
	if (n || !trim)
		builder_write(b, (string){ buf, n + 1 });
}

string rt_time_format(datetime t, string layout)
{
	date_fields f = time_fields(t);
	int hour12 = f.hour % 12 ? f.hour % 12 : 12;
	builder b = {};

	builder_grow(&b, layout.len + 10);
	while (layout.len) {
		struct chunk c = next_element(layout);

		builder_write(&b, c.before);
		layout = c.rest;
		switch (c.kind) {
		case NONE:
			break;
		case YEAR:
			number(&b, (f.year < 0 ? -f.year : f.year) % 100, 2, '0');
			break;
		case LONG_YEAR:
			number(&b, f.year, 4, '0');
			break;
		case MONTH:
			builder_write(&b, slice_to(month_string(f.month), 3));
			break;
		case LONG_MONTH:
			builder_write(&b, month_string(f.month));
			break;
		case NUM_MONTH:
			number(&b, f.month, 0, '0');
			break;
		case ZERO_MONTH:
			number(&b, f.month, 2, '0');
			break;
		case WEEKDAY:
			builder_write(&b, slice_to(weekday_string(f.weekday), 3));
			break;
		case LONG_WEEKDAY:
			builder_write(&b, weekday_string(f.weekday));
			break;
		case DAY:
			number(&b, f.day, 0, '0');
			break;
		case UNDER_DAY:
			number(&b, f.day, 2, ' ');
			break;
		case ZERO_DAY:
			number(&b, f.day, 2, '0');
			break;
		case UNDER_YEAR_DAY:
			number(&b, f.year_day, 3, ' ');
			break;
		case ZERO_YEAR_DAY:
			number(&b, f.year_day, 3, '0');
			break;
		case HOUR:
			number(&b, f.hour, 2, '0');
			break;
		case HOUR12:
			number(&b, hour12, 0, '0');
			break;
		case ZERO_HOUR12:
			number(&b, hour12, 2, '0');
			break;
		case MINUTE:
			number(&b, f.minute, 0, '0');
			break;
		case ZERO_MINUTE:
			number(&b, f.minute, 2, '0');
			break;
		case SECOND:
			number(&b, f.second, 0, '0');
			break;
		case ZERO_SECOND:
			number(&b, f.second, 2, '0');
			break;
		case UPPER_PM:
			builder_write(&b, f.hour >= 12 ? S("PM") : S("AM"));
			break;
		case LOWER_PM:
			builder_write(&b, f.hour >= 12 ? S("pm") : S("am"));
			break;
		case ZONE:
			if (t.offset)
				write_offset(&b, t.offset, 0);
			else
				builder_write(&b, S("UTC"));
			break;
		case OFFSET:
			write_offset(&b, t.offset, c.form);
			break;
		case FRACTION_0:
		case FRACTION_9:
			write_fraction(&b, f.nanosecond, c.text, c.kind == FRACTION_9);
			break;
		}
	}
	return builder_string(&b);
}

/* ---- parse -------------------------------------------------------------------------- */

/* A piece of input as Go quotes it in these errors. */
static string quoted(string s)
{
	builder b = {};

	builder_write_byte(&b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c >= 0x80 || c < ' ') {
			builder_printf(&b, "\\x%02x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			builder_write_byte(&b, '\\');
		builder_write_byte(&b, c);
	}
	builder_write_byte(&b, '"');
	return builder_string(&b);
}

/* What is read so far. */
struct reading {
	string value;         /* what is left */
	const char *range;    /* what is out of its range, or NULL */
	int64_t year;
	int month, day, year_day; /* -1: not seen */
	int hour, minute, second, nanosecond;
	int offset;           /* has_offset: of the layout's -0700 */
	int named_offset;     /* of a name as GMT+3; not subtracted, as in Go */
	bool pm, am, utc, has_offset;
};

static void advance(string *s, size_t n)
{
	*s = slice_from(*s, n);
}

/* Up to max digits, at least min. */
static bool read_digits(string *s, int min, int max, int *n)
{
	int k = 0;

	*n = 0;
	for (; k < max && digit_at(*s, (size_t)k); k++)
		*n = *n * 10 + (s->ptr[k] - '0');
	if (k < min)
		return false;
	advance(s, (size_t)k);
	return true;
}

static bool read_ranged(struct reading *r, int min_digits, int *n, int lo, int hi, const char *what)
{
	if (!read_digits(&r->value, min_digits, 2, n))
		return false;
	if (*n < lo || *n > hi)
		r->range = what;
	return true;
}

/* A name, or its first three letters, in any case; *i: which. */
static bool read_name(string *s, string (*name)(int), int first, int n, bool whole, int *i)
{
	for (int k = first; k < first + n; k++) {
		string t = name(k);
		size_t len = whole ? t.len : 3, j = 0;

		while (s->len >= len && j < len && (s->ptr[j] | 0x20) == (t.ptr[j] | 0x20))
			j++;
		if (j == len) {
			*i = k;
			advance(s, len);
			return true;
		}
	}
	return false;
}

/* "." or "," and n - 1 digits, of which nine count. */
static bool read_fraction(struct reading *r, size_t n)
{
	int ns = 0;

	if (r->value.len < n || (r->value.ptr[0] != '.' && r->value.ptr[0] != ','))
		return false;
	for (size_t i = 1; i < 10; i++) {
		if (i < n && !digit_at(r->value, i))
			return false;
		ns = ns * 10 + (i < n ? r->value.ptr[i] - '0' : 0);
	}
	r->nanosecond = ns;
	advance(&r->value, n);
	return true;
}

/* How many digits follow the value's "." or ",". */
static size_t fraction_digits(string s)
{
	size_t n = 0;

	if (s.len && (s.ptr[0] == '.' || s.ptr[0] == ','))
		while (digit_at(s, n + 1))
			n++;
	return n;
}

/* A second, and its fraction though the layout has none. */
static bool read_second(struct reading *r, int min_digits, string layout)
{
	enum element next;
	size_t n;

	if (!read_ranged(r, min_digits, &r->second, 0, 59, "second"))
		return false;
	n = fraction_digits(r->value);
	next = next_element(layout).kind;
	if (r->range || n == 0 || next == FRACTION_0 || next == FRACTION_9)
		return true;
	return read_fraction(r, n + 1);
}

static bool read_offset(struct reading *r, unsigned form)
{
	string s = r->value;
	int hour, minute = 0, second = 0;
	char sign;

	if ((form & Z_FOR_UTC) && s.len && s.ptr[0] == 'Z') {
		advance(&r->value, 1);
		return r->utc = true;
	}
	if (s.len == 0 || (s.ptr[0] != '+' && s.ptr[0] != '-'))
		return false;
	sign = s.ptr[0];
	advance(&s, 1);
	if (!read_digits(&s, 2, 2, &hour))
		return false;
	for (int *p = &minute; !(form & SHORT); p = &second) {
		if (form & COLON) {
			if (s.len == 0 || s.ptr[0] != ':')
				return false;
			advance(&s, 1);
		}
		if (!read_digits(&s, 2, 2, p))
			return false;
		if (p == &second || !(form & SECONDS))
			break;
	}
	/* Some write 24 hours or 60 minutes. */
	r->range = hour > 24 ? "time zone offset hour" : minute > 60 ? "time zone offset minute" :
	           second > 60 ? "time zone offset second" : NULL;
	r->offset = (hour * 60 + minute) * 60 + second;
	if (sign == '-')
		r->offset = -r->offset;
	r->has_offset = true;
	r->value = s;
	return true;
}

/* Length of "+3" or "-11" at the beginning, up to 23; 0 if it is none. */
static size_t signed_offset(string s, int *hours)
{
	size_t n = 1;

	*hours = 0;
	if (s.len == 0 || (s.ptr[0] != '+' && s.ptr[0] != '-'))
		return 0;
	for (; digit_at(s, n) && *hours <= 23; n++)
		*hours = *hours * 10 + (s.ptr[n] - '0');
	if (n == 1 || *hours > 23)
		return 0;
	if (s.ptr[0] == '-')
		*hours = -*hours;
	return n;
}

/* A zone's name: 3 to 5 capital letters, the last of 4 or 5 a T. */
static bool read_zone(struct reading *r)
{
	string s = r->value;
	size_t upper = 0, n;
	int hours = 0;

	if (starts(s, 0, "UTC") || starts(s, 0, "GMT")) {
		n = 3 + (s.ptr[0] == 'G' ? signed_offset(slice_from(s, 3), &hours) : 0);
		r->utc |= s.ptr[0] == 'U';
		r->named_offset = hours * 3600;
		advance(&r->value, n);
		return true;
	}
	if (s.len < 3)
		return false;
	n = signed_offset(s, &hours);
	if (starts(s, 0, "ChST") || starts(s, 0, "MeST"))
		n = 4;
	while (upper < 6 && upper < s.len && s.ptr[upper] >= 'A' && s.ptr[upper] <= 'Z')
		upper++;
	if (n == 0 && (upper == 3 || ((upper == 4 || upper == 5) && s.ptr[upper - 1] == 'T') ||
	               (upper == 4 && starts(s, 0, "WITA"))))
		n = upper;
	advance(&r->value, n);
	return n != 0;
}

static bool read_half(struct reading *r, const char *am, const char *pm)
{
	if (starts(r->value, 0, pm))
		r->pm = true;
	else if (starts(r->value, 0, am))
		r->am = true;
	else
		return false;
	advance(&r->value, 2);
	return true;
}

static bool read_element(struct reading *r, const struct chunk *c)
{
	int n;
	bool ok;

	switch (c->kind) {
	case NONE:
		return true;
	case YEAR:
		ok = read_digits(&r->value, 2, 2, &n);
		r->year = n + (n >= 69 ? 1900 : 2000);
		return ok;
	case LONG_YEAR:
		ok = read_digits(&r->value, 4, 4, &n);
		r->year = n;
		return ok;
	case MONTH:
	case LONG_MONTH:
		return read_name(&r->value, month_string, January, 12, c->kind == LONG_MONTH, &r->month);
	case NUM_MONTH:
	case ZERO_MONTH:
		return read_ranged(r, c->kind == ZERO_MONTH ? 2 : 1, &r->month, 1, 12, "month");
	case WEEKDAY:
	case LONG_WEEKDAY: /* read, but not compared */
		return read_name(&r->value, weekday_string, Sunday, 7, c->kind == LONG_WEEKDAY, &n);
	case UNDER_DAY:
		if (r->value.len && r->value.ptr[0] == ' ')
			advance(&r->value, 1);
		return read_digits(&r->value, 1, 2, &r->day);
	case DAY:
		return read_digits(&r->value, 1, 2, &r->day);
	case ZERO_DAY:
		return read_digits(&r->value, 2, 2, &r->day);
	case UNDER_YEAR_DAY:
		for (int i = 0; i < 2 && r->value.len && r->value.ptr[0] == ' '; i++)
			advance(&r->value, 1);
		return read_digits(&r->value, 1, 3, &r->year_day);
	case ZERO_YEAR_DAY:
		return read_digits(&r->value, 3, 3, &r->year_day);
	case HOUR:
		return read_ranged(r, 1, &r->hour, 0, 23, "hour");
	case HOUR12:
	case ZERO_HOUR12:
		return read_ranged(r, c->kind == ZERO_HOUR12 ? 2 : 1, &r->hour, 0, 12, "hour");
	case MINUTE:
	case ZERO_MINUTE:
		return read_ranged(r, c->kind == ZERO_MINUTE ? 2 : 1, &r->minute, 0, 59, "minute");
	case SECOND:
	case ZERO_SECOND:
		return read_second(r, c->kind == ZERO_SECOND ? 2 : 1, c->rest);
	case UPPER_PM:
		return read_half(r, "AM", "PM");
	case LOWER_PM:
		return read_half(r, "am", "pm");
	case ZONE:
		return read_zone(r);
	case OFFSET:
		return read_offset(r, c->form);
	case FRACTION_0:
		return read_fraction(r, c->text.len);
	case FRACTION_9: /* may be left out; more digits than nine stay */
		n = (int)fraction_digits(r->value);
		return n == 0 || read_fraction(r, 1 + (size_t)(n < 9 ? n : 9));
	}
	return false;
}

/* Takes the layout's literal text off the value; a run of spaces stands for any,
 * also for none at the end. */
static bool read_literal(string *s, string text)
{
	while (text.len) {
		if (text.ptr[0] == ' ') {
			if (s->len && s->ptr[0] != ' ')
				return false;
			while (text.len && text.ptr[0] == ' ')
				advance(&text, 1);
			while (s->len && s->ptr[0] == ' ')
				advance(s, 1);
			continue;
		}
		if (s->len == 0 || s->ptr[0] != text.ptr[0])
			return false;
		advance(s, 1);
		advance(&text, 1);
	}
	return true;
}

static bool leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int64_t year, int month)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == February && leap(year));
}

/* Month and day of the day of the year, if there is one, and their defaults;
 * returns what is wrong with them. */
static const char *settle_day(struct reading *r)
{
	if (r->year_day >= 0) {
		int month = January, day = r->year_day;

		if (day < 1 || day > 365 + leap(r->year))
			return "day-of-year out of range";
		for (; day > days_in(r->year, month); month++)
			day -= days_in(r->year, month);
		if (r->month >= 0 && r->month != month)
			return "day-of-year does not match month";
		if (r->day >= 0 && r->day != day)
			return "day-of-year does not match day";
		r->month = month;
		r->day = day;
		return NULL;
	}
	if (r->month < 0)
		r->month = January;
	if (r->day < 0)
		r->day = 1;
	return r->day < 1 || r->day > days_in(r->year, r->month) ? "day out of range" : NULL;
}

static error cannot_parse(string value, string layout, string left, string as)
{
	return errors_new(concat(S("parsing time "), quoted(value), S(" as "), quoted(layout),
	                         S(": cannot parse "), quoted(left), S(" as "), quoted(as)));
}

error rt_time_parse(string layout, string s, datetime *t)
{
	struct reading r = { .value = s, .month = -1, .day = -1, .year_day = -1 };
	const char *wrong;

	for (string left = layout;;) {
		struct chunk c = next_element(left);
		string here;

		if (!read_literal(&r.value, c.before))
			return cannot_parse(s, layout, r.value, c.before);
		if (c.kind == NONE) {
			if (r.value.len)
				return errors_new(concat(S("parsing time "), quoted(s), S(": extra text: "),
				                         quoted(r.value)));
			break;
		}
		here = r.value;
		left = c.rest;
		if (!read_element(&r, &c))
			return cannot_parse(s, layout, here, c.text);
		if (r.range)
			return errors_new(concat(S("parsing time "), quoted(s), S(": "), cstring(r.range),
			                         S(" out of range")));
	}
	wrong = settle_day(&r);
	if (wrong)
		return errors_new(concat(S("parsing time "), quoted(s), S(": "), cstring(wrong)));
	if (r.pm && r.hour < 12)
		r.hour += 12;
	else if (r.am && r.hour == 12)
		r.hour = 0;
	*t = time_date(r.year, r.month, r.day, r.hour, r.minute, r.second, r.nanosecond);
	if (!r.utc && r.has_offset)
		t->sec -= r.offset;
	t->offset = r.utc ? 0 : r.has_offset ? r.offset : r.named_offset;
	return NULL;
}

/* ---- durations -------------------------------------------------------------------------- */

static error bad_duration(const char *what, string s)
{
	return errors_new(concat(S("time: "), cstring(what), S(" "), quoted(s)));
}

error duration_parse(string all, int64_t *d)
{
	static const struct {
		char name[4];
		uint64_t ns;
	} units[] = { { "ns", Nanosecond }, { "us", Microsecond }, { "\u00b5s", Microsecond },
		      { "\u03bcs", Microsecond }, { "ms", Millisecond }, { "s", Second },
		      { "m", Minute }, { "h", Hour } };
	const uint64_t limit = (uint64_t)1 << 63;
	string s = all;
	uint64_t sum = 0;
	bool minus = false;

	if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+')) {
		minus = s.ptr[0] == '-';
		advance(&s, 1);
	}
	if (s.len == 1 && s.ptr[0] == '0') {
		*d = 0;
		return NULL;
	}
	if (s.len == 0)
		return bad_duration("invalid duration", all);
	while (s.len) {
		uint64_t whole = 0, part = 0, unit = 0;
		double scale = 1;
		size_t i = 0, n;
		bool any = false, full = false;
		string name;

		for (; digit_at(s, i); i++, any = true) {
			if (whole > limit / 10)
				return bad_duration("invalid duration", all);
			whole = whole * 10 + (uint64_t)(s.ptr[i] - '0');
			if (whole > limit)
				return bad_duration("invalid duration", all);
		}
		if (i < s.len && s.ptr[i] == '.')
			for (i++; digit_at(s, i); i++, any = true) {
				/* Digits that no longer fit are below a nanosecond. */
				full |= part > (limit - 1) / 10;
				if (full)
					continue;
				part = part * 10 + (uint64_t)(s.ptr[i] - '0');
				scale *= 10;
			}
		if (!any)
			return bad_duration("invalid duration", all);
		advance(&s, i);
		for (n = 0; n < s.len && s.ptr[n] != '.' && !digit_at(s, n); n++)
			;
		if (n == 0)
			return bad_duration("missing unit in duration", all);
		name = slice_to(s, n);
		for (unsigned k = 0; k < sizeof units / sizeof *units; k++)
			if (string_eq(name, cstring(units[k].name)))
				unit = units[k].ns;
		if (unit == 0)
			return errors_new(concat(S("time: unknown unit "), quoted(name), S(" in duration "),
			                         quoted(all)));
		advance(&s, n);
		if (whole > limit / unit)
			return bad_duration("invalid duration", all);
		whole = whole * unit + (uint64_t)((double)part * ((double)unit / scale));
		sum += whole;
		if (whole > limit || sum > limit)
			return bad_duration("invalid duration", all);
	}
	if (!minus && sum > limit - 1)
		return bad_duration("invalid duration", all);
	*d = (int64_t)(minus ? -sum : sum);
	return NULL;
}
