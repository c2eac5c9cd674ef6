/* Dates and durations: made, written, read and counted with. */
#include "ingot.h"

int main(void)
{
	datetime t = time_date(2009, November, 10, 23, 0, 0, 0);
	println("%s", time_format(t, RFC3339));
	println("%s", time_format(t, "Monday, 2 January 2006 at 3:04PM"));
	println("%s", time_format(time_add_date(t, 0, 3, 20), RFC1123));

	datetime moon;
	error err = time_parse(RFC3339, S("1969-07-20T20:17:40Z"), &moon);
	date_fields f = time_fields(moon);
	println("%s %d %s", weekday_string(f.weekday), f.year_day, err);
	println("%ld days later, %s", time_sub(t, moon) / (24 * Hour), fmt_v(time_before(moon, t)));
	bool wrong = time_parse("2006-01-02", S("2009-13-10"), &t) != NULL;
	println("month 13 is wrong: %s", fmt_v(wrong));

	int64 d;
	must(duration_parse(S("1h15m30.918s"), &d));
	println("%s %s %s", duration_string(d), duration_string(duration_round(d, Minute)), duration_string(d / 2));
	return 0;
}
