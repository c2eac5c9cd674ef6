/* date.c: the calendar (Go: package time, time.go).
 *
 * Days are counted in the Gregorian calendar, also before it was made, with a
 * year that begins in March: then the leap day is the last of it, and a month's
 * first day is a linear function.  Eras are of 400 years, 146,097 days. */
#include "rt.h"
#include "api_value.h"
#include "api_error.h"
#include "api_task.h"
#include "api_date.h"

#define DAY 86400
#define BILLION 1000000000
/* From year 1, where Truncate counts from, to 1970. */
#define YEAR_1 INT64_C(62135596800)

/* a / b and a % b with the remainder not negative; b > 0. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}
static inline int64_t floor_mod(int64_t a, int64_t b)
{
	return a % b + (a % b < 0 ? b : 0);
}

/* Days from 1970-01-01 to the first of a month; month from 1 to 12. */
static int64_t days_before(int64_t year, int month)
{
	int64_t y = year - (month <= 2), era = floor_div(y, 400), of_era = y - era * 400;
	int from_march = (month + 9) % 12;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * from_march + 2) / 5 - 719468;
}

datetime time_now(void)
{
	return time_unix(0, unix_nano());
}

datetime time_unix(int64_t sec, int64_t nsec)
{
	return (datetime){ sec + floor_div(nsec, BILLION), (int32_t)floor_mod(nsec, BILLION), 0 };
}

datetime time_date(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                   int64_t second, int64_t nsec)
{
	int64_t days;

	year += floor_div(month - 1, 12);
	days = days_before(year, (int)floor_mod(month - 1, 12) + 1) + day - 1;
	return time_unix(days * DAY + hour * 3600 + minute * 60 + second, nsec);
}

date_fields time_fields(datetime t)
{
	int64_t local = t.sec + t.offset, days = floor_div(local, DAY), era, year;
	int second = (int)floor_mod(local, DAY), of_era, y, of_year, m;
	date_fields f;

	era = floor_div(days + 719468, 146097);
	of_era = (int)(days + 719468 - era * 146097);
	y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * y + y / 4 - y / 100);
	m = (5 * of_year + 2) / 153;
	year = era * 400 + y + (m >= 10);
	f.year = year;
	f.month = m < 10 ? m + 3 : m - 9;
	f.day = of_year - (153 * m + 2) / 5 + 1;
	f.hour = second / 3600;
	f.minute = second / 60 % 60;
	f.second = second % 60;
	f.nanosecond = t.nsec;
	f.weekday = (int)floor_mod(days + Thursday, 7); /* what 1970-01-01 was */
	f.year_day = (int)(days - days_before(year, 1)) + 1;
	return f;
}

void time_iso_week(datetime t, int64_t *year, int *week)
{
	date_fields f = time_fields(t);

	/* That of its Thursday. */
	t.sec += ((int64_t)Thursday - (f.weekday + 6) % 7 - 1) * DAY;
	f = time_fields(t);
	*year = f.year;
	*week = (f.year_day - 1) / 7 + 1;
}

int64_t time_unix_nano(datetime t)
{
	return (int64_t)((uint64_t)t.sec * BILLION + (uint64_t)t.nsec);
}

int64_t time_unix_milli(datetime t)
{
	return t.sec * 1000 + t.nsec / 1000000;
}

string month_string(int month)
{
	static const string names[] = { S("January"), S("February"), S("March"), S("April"), S("May"),
		                        S("June"), S("July"), S("August"), S("September"), S("October"),
		                        S("November"), S("December") };

	return month >= 1 && month <= 12 ? names[month - 1] : sprint("%%!Month(%d)", month);
}

string weekday_string(int weekday)
{
	static const string names[] = { S("Sunday"), S("Monday"), S("Tuesday"), S("Wednesday"),
		                        S("Thursday"), S("Friday"), S("Saturday") };

	return weekday >= 0 && weekday <= 6 ? names[weekday] : sprint("%%!Weekday(%d)", weekday);
}

/* ---- arithmetic ---------------------------------------------------------------- */

datetime time_add(datetime t, int64_t d)
{
	datetime r = time_unix(t.sec + d / BILLION, t.nsec + d % BILLION);

	return time_in(r, t.offset);
}

int64_t time_sub(datetime t, datetime u)
{
	__int128 d = ((__int128)t.sec - u.sec) * BILLION + t.nsec - u.nsec;

	return d > INT64_MAX ? INT64_MAX : d < INT64_MIN ? INT64_MIN : (int64_t)d;
}

datetime time_add_date(datetime t, int64_t years, int64_t months, int64_t days)
{
	date_fields f = time_fields(t);
	datetime r = time_date(f.year + years, f.month + months, f.day + days, f.hour, f.minute,
	                       f.second, f.nanosecond);

	r.sec -= t.offset;
	return time_in(r, t.offset);
}

/* What t is beyond a multiple of d. */
static int64_t beyond(datetime t, int64_t d)
{
	__int128 n = ((__int128)t.sec + YEAR_1) * BILLION + t.nsec;
	int64_t r = (int64_t)(n % d);

	return r < 0 ? r + d : r;
}

datetime time_truncate(datetime t, int64_t d)
{
	return d <= 0 ? t : time_add(t, -beyond(t, d));
}

datetime time_round(datetime t, int64_t d)
{
	int64_t r;

	if (d <= 0)
		return t;
	r = beyond(t, d);
	return time_add(t, (uint64_t)r + (uint64_t)r < (uint64_t)d ? -r : d - r);
}

int time_compare(datetime t, datetime u)
{
	if (t.sec != u.sec)
		return t.sec < u.sec ? -1 : 1;
	return (t.nsec > u.nsec) - (t.nsec < u.nsec);
}

/* ---- durations -------------------------------------------------------------------- */

/* Digits of u with `decimals` of them behind the point, but no zeros at the
 * end; written in front of p. */
static char *fraction(char *p, uint64_t *u, int decimals)
{
	bool any = false;

	for (int i = 0; i < decimals; i++) {
		char digit = (char)('0' + *u % 10);

		any |= digit != '0';
		if (any)
			*--p = digit;
		*u /= 10;
	}
	if (any)
		*--p = '.';
	return p;
}

static char *digits(char *p, uint64_t u)
{
	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	return p;
}

string duration_string(int64_t d)
{
	char buf[32], *end = buf + sizeof buf, *p = end;
	uint64_t u = d < 0 ? -(uint64_t)d : (uint64_t)d;

	*--p = 's';
	if (u < Second) {
		int decimals = 0;

		if (u == 0)
			return S("0s");
		if (u < Microsecond) {
			*--p = 'n';
		} else if (u < Millisecond) {
			decimals = 3;
			*--p = (char)0xb5; /* U+00B5 */
			*--p = (char)0xc2;
		} else {
			decimals = 6;
			*--p = 'm';
		}
		p = fraction(p, &u, decimals);
		p = digits(p, u);
	} else {
		p = fraction(p, &u, 9);
		p = digits(p, u % 60);
		u /= 60;
		if (u) {
			*--p = 'm';
			p = digits(p, u % 60);
			u /= 60;
		}
		if (u) {
			*--p = 'h';
			p = digits(p, u);
		}
	}
	if (d < 0)
		*--p = '-';
	return string_from_bytes(p, (size_t)(end - p));
}

int64_t duration_truncate(int64_t d, int64_t m)
{
	return m <= 0 ? d : d - d % m;
}

int64_t duration_round(int64_t d, int64_t m)
{
	int64_t r, to;

	if (m <= 0)
		return d;
	r = d % m;
	if (d < 0) {
		if ((uint64_t)-r + (uint64_t)-r < (uint64_t)m)
			return d - r;
		return __builtin_sub_overflow(d, m + r, &to) ? INT64_MIN : to;
	}
	if ((uint64_t)r + (uint64_t)r < (uint64_t)m)
		return d - r;
	return __builtin_add_overflow(d, m - r, &to) ? INT64_MAX : to;
}
