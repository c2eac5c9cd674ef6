/* api_date.h: dates, times of day, their texts, and those of durations (part of
 * ingot.h).  Go: package time.
 *
 * A datetime is a moment, in seconds and nanoseconds since 1970-01-01 UTC, and
 * the offset from UTC with which its fields and text are meant; there are no
 * named zones.  Durations are int64 nanoseconds (api_time.h).
 *
 * What returns a string allocates and is for tasks; the rest is for any context,
 * but time_now (task or system). */
#ifndef INGOT_API_DATE_H
#define INGOT_API_DATE_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* Go: time.Time. */
typedef struct datetime {
	int64_t sec;    /* since 1970-01-01 00:00:00 UTC */
	int32_t nsec;   /* 0 to 999,999,999 */
	int32_t offset; /* seconds east of UTC */
} datetime;

/* Months, as in a date_fields.  Go: time.January ... */
enum { January = 1, February, March, April, May, June, July, August, September, October, November, December };
/* Days of the week.  Go: time.Sunday ... */
enum { Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday };

/* A datetime's fields, in its offset.  Go: t.Date(), t.Clock(), t.Weekday() ... */
typedef struct date_fields {
	int64_t year;
	int month, day;                   /* from 1 */
	int hour, minute, second;
	int nanosecond;
	int weekday;                      /* Sunday = 0 */
	int year_day;                     /* from 1 */
} date_fields;

/* ---- making and taking apart ---------------------------------------------- */

/* Now, in UTC.  Go: time.Now(). */
datetime time_now(void);
/* Of seconds and nanoseconds since 1970; nsec may be any number.  Go: time.Unix. */
datetime time_unix(int64_t sec, int64_t nsec);
/* Of a date and time in UTC; what is beyond its range counts on: October 32 is
 * November 1.  Go: time.Date(..., time.UTC). */
datetime time_date(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                   int64_t second, int64_t nsec);
/* The same moment with another offset (seconds east).  Go: t.In(time.FixedZone("", offset)). */
static inline datetime time_in(datetime t, int32_t offset)
{
	t.offset = offset;
	return t;
}
/* Its fields, in its offset. */
date_fields time_fields(datetime t);
/* The year and week of ISO 8601: week 1 has the year's first Thursday. */
void time_iso_week(datetime t, int64_t *year, int *week);
/* Nanoseconds, milliseconds since 1970; nanoseconds reach from 1678 to 2262. */
int64_t time_unix_nano(datetime t);
int64_t time_unix_milli(datetime t);
/* "January", "Sunday"; "%!Month(13)" for what is none.  task. */
string month_string(int month);
string weekday_string(int weekday);

/* ---- arithmetic ------------------------------------------------------------- */

/* d later.  Go: t.Add(d). */
datetime time_add(datetime t, int64_t d);
/* t - u, or the nearest duration.  Go: t.Sub(u). */
int64_t time_sub(datetime t, datetime u);
/* Years, months and days more, as time_date counts on.  Go: t.AddDate. */
datetime time_add_date(datetime t, int64_t years, int64_t months, int64_t days);
/* Down to, or to the nearest, multiple of d since year 1 (UTC); t when d <= 0. */
datetime time_truncate(datetime t, int64_t d);
datetime time_round(datetime t, int64_t d);
/* <0, 0, >0; offsets do not count.  Go: t.Compare(u). */
int time_compare(datetime t, datetime u);
/* Whether t is earlier than u, later, the same moment. */
static inline bool time_before(datetime t, datetime u)
{
	return time_compare(t, u) < 0;
}
static inline bool time_after(datetime t, datetime u)
{
	return time_compare(t, u) > 0;
}
static inline bool time_equal(datetime t, datetime u)
{
	return time_compare(t, u) == 0;
}

/* ---- text ---------------------------------------------------------------------- */

/* Layouts show the moment Mon Jan 2 15:04:05 MST 2006 as it shall be written. */
#define ANSIC "Mon Jan _2 15:04:05 2006"
#define UnixDate "Mon Jan _2 15:04:05 MST 2006"
#define RubyDate "Mon Jan 02 15:04:05 -0700 2006"
#define RFC822 "02 Jan 06 15:04 MST"
#define RFC822Z "02 Jan 06 15:04 -0700"
#define RFC850 "Monday, 02-Jan-06 15:04:05 MST"
#define RFC1123 "Mon, 02 Jan 2006 15:04:05 MST"
#define RFC1123Z "Mon, 02 Jan 2006 15:04:05 -0700"
#define RFC3339 "2006-01-02T15:04:05Z07:00"
#define RFC3339Nano "2006-01-02T15:04:05.999999999Z07:00"
#define Kitchen "3:04PM"
#define Stamp "Jan _2 15:04:05"
#define StampMilli "Jan _2 15:04:05.000"
#define StampMicro "Jan _2 15:04:05.000000"
#define StampNano "Jan _2 15:04:05.000000000"
#define DateTime "2006-01-02 15:04:05"
#define DateOnly "2006-01-02"
#define TimeOnly "15:04:05"

/* time_format(t, RFC3339).  Go: t.Format. */
#define time_format(t, layout) rt_time_format(t, cstring(layout))
string rt_time_format(datetime t, string layout);
/* time_parse(layout, s, &t): what is missing in the layout is 0 (year 0, January
 * 1); without an offset it is UTC, and so are zones' names.  The error says what
 * was wrong where; t is as it was then.  Go: time.Parse. */
#define time_parse(layout, s, tp) rt_time_parse(cstring(layout), s, tp)
must_check error rt_time_parse(string layout, string s, datetime *t);

/* "1h2m3.5s".  Go: d.String(). */
string duration_string(int64_t d);
/* Signs, numbers with units from ns to h: "-1.5h", "300ms".  Go: time.ParseDuration. */
must_check error duration_parse(string s, int64_t *d);
/* To a multiple of m, towards zero or to the nearest; d when m <= 0. */
int64_t duration_truncate(int64_t d, int64_t m);
int64_t duration_round(int64_t d, int64_t m);

#endif
