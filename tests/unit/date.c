/* date.c: dates, their texts, and those of durations.  The tables and sums are
 * what Go's package time gives for the same calls (errors: of 1.20 and later). */
#include "ingot.h"
#include "test.h"

struct shown {
	int64 sec;
	int nsec, offset;
	const char *layout, *text;
};
static const struct shown shown[] = {
	{ 0, 0, 0, "Mon Jan _2 15:04:05 2006",
	  "Thu Jan  1 00:00:00 1970" },
	{ 0, 0, 0, "02 Jan 06 15:04 -0700",
	  "01 Jan 70 00:00 +0000" },
	{ 0, 0, 0, "2006-01-02T15:04:05Z07:00",
	  "1970-01-01T00:00:00Z" },
	{ 0, 0, 0, "Jan _2 15:04:05.000",
	  "Jan  1 00:00:00.000" },
	{ 0, 0, 0, "Jan. Jane Mon, MondayX 0102030405060708 .0000000000 .9999999999 001 003",
	  "Jan. Jane Thu, ThursdayX 0101120000700708 .000000000  001 012" },
	{ 1700000000, 123456789, 0, "Mon Jan _2 15:04:05 2006",
	  "Tue Nov 14 22:13:20 2023" },
	{ 1700000000, 123456789, 0, "Mon Jan _2 15:04:05 MST 2006",
	  "Tue Nov 14 22:13:20 UTC 2023" },
	{ 1700000000, 123456789, 0, "Mon Jan 02 15:04:05 -0700 2006",
	  "Tue Nov 14 22:13:20 +0000 2023" },
	{ 1700000000, 123456789, 0, "02 Jan 06 15:04 MST",
	  "14 Nov 23 22:13 UTC" },
	{ 1700000000, 123456789, 0, "02 Jan 06 15:04 -0700",
	  "14 Nov 23 22:13 +0000" },
	{ 1700000000, 123456789, 0, "Monday, 02-Jan-06 15:04:05 MST",
	  "Tuesday, 14-Nov-23 22:13:20 UTC" },
	{ 1700000000, 123456789, 0, "Mon, 02 Jan 2006 15:04:05 MST",
	  "Tue, 14 Nov 2023 22:13:20 UTC" },
	{ 1700000000, 123456789, 0, "Mon, 02 Jan 2006 15:04:05 -0700",
	  "Tue, 14 Nov 2023 22:13:20 +0000" },
	{ 1700000000, 123456789, 0, "2006-01-02T15:04:05Z07:00",
	  "2023-11-14T22:13:20Z" },
	{ 1700000000, 123456789, 0, "2006-01-02T15:04:05.999999999Z07:00",
	  "2023-11-14T22:13:20.123456789Z" },
	{ 1700000000, 123456789, 0, "3:04PM",
	  "10:13PM" },
	{ 1700000000, 123456789, 0, "Jan _2 15:04:05.000000000",
	  "Nov 14 22:13:20.123456789" },
	{ 1700000000, 123456789, 0, "Jan _2 15:04:05.000",
	  "Nov 14 22:13:20.123" },
	{ 1700000000, 123456789, 0, "Jan _2 15:04:05",
	  "Nov 14 22:13:20" },
	{ 1700000000, 123456789, 0, "2006-002 __2 1/2/06 3:4:5pm .000 ,999 Z0700 Z070000 Z07 -07 -070000 -07:00:00 Z07:00:00",
	  "2023-318 318 11/14/23 10:13:20pm .123 ,123 Z Z Z +00 +000000 +00:00:00 Z" },
	{ 1700000000, 123456789, 0, "January Monday Month Mont _2006 _2 __2 15h04m05.00s x.0y.99z 20060102150405",
	  "November Tuesday Month Mont _2023 14 318 22h13m20.12s x.1y.12z 20231114221320" },
	{ 1700000000, 123456789, 0, "Jan. Jane Mon, MondayX 0102030405060708 .0000000000 .9999999999 001 003",
	  "Nov. Jane Tue, TuesdayX 1114101320230708 .123456789 .123456789 011 010" },
	{ 1700000000, 123456789, 0, "",
	  "" },
	{ 1700000000, 123456789, 0, "no elements at all?",
	  "no elements at all?" },
	{ 1700000000, 120000000, 19800, "Mon Jan 02 15:04:05 -0700 2006",
	  "Wed Nov 15 03:43:20 +0530 2023" },
	{ 1700000000, 120000000, 19800, "Mon, 02 Jan 2006 15:04:05 MST",
	  "Wed, 15 Nov 2023 03:43:20 +0530" },
	{ 1700000000, 120000000, 19800, "3:04PM",
	  "3:43AM" },
	{ 1700000000, 120000000, 19800, "2006-002 __2 1/2/06 3:4:5pm .000 ,999 Z0700 Z070000 Z07 -07 -070000 -07:00:00 Z07:00:00",
	  "2023-319 319 11/15/23 3:43:20am .120 ,12 +0530 +053000 +05 +05 +053000 +05:30:00 +05:30:00" },
	{ 1700000000, 120000000, 19800, "January Monday Month Mont _2006 _2 __2 15h04m05.00s x.0y.99z 20060102150405",
	  "November Wednesday Month Mont _2023 15 319 03h43m20.12s x.1y.12z 20231115034320" },
	{ 1700000000, 120000000, 19800, "Jan. Jane Mon, MondayX 0102030405060708 .0000000000 .9999999999 001 003",
	  "Nov. Jane Wed, WednesdayX 1115034320230708 .120000000 .12 011 003" },
	{ 1700000000, 120000000, 19800, "",
	  "" },
	{ 1700000000, 120000000, 19800, "no elements at all?",
	  "no elements at all?" },
	{ -1, 999999999, -12600, "Mon Jan _2 15:04:05 MST 2006",
	  "Wed Dec 31 20:29:59 -0330 1969" },
	{ -1, 999999999, -12600, "Monday, 02-Jan-06 15:04:05 MST",
	  "Wednesday, 31-Dec-69 20:29:59 -0330" },
	{ -1, 999999999, -12600, "2006-01-02T15:04:05.999999999Z07:00",
	  "1969-12-31T20:29:59.999999999-03:30" },
	{ -1, 999999999, -12600, "Jan _2 15:04:05",
	  "Dec 31 20:29:59" },
	{ -1, 999999999, -12600, "",
	  "" },
	{ -62135596800, 0, 0, "Mon Jan _2 15:04:05 2006",
	  "Mon Jan  1 00:00:00 0001" },
	{ -62135596800, 0, 0, "02 Jan 06 15:04 -0700",
	  "01 Jan 01 00:00 +0000" },
	{ -62135596800, 0, 0, "2006-01-02T15:04:05Z07:00",
	  "0001-01-01T00:00:00Z" },
	{ -62135596800, 0, 0, "Jan _2 15:04:05.000",
	  "Jan  1 00:00:00.000" },
	{ -62135596800, 0, 0, "Jan. Jane Mon, MondayX 0102030405060708 .0000000000 .9999999999 001 003",
	  "Jan. Jane Mon, MondayX 0101120000010708 .000000000  001 012" },
	{ 253402300799, 5, 3600, "02 Jan 06 15:04 MST",
	  "01 Jan 00 00:59 +0100" },
	{ 253402300799, 5, 3600, "Mon, 02 Jan 2006 15:04:05 -0700",
	  "Sat, 01 Jan 10000 00:59:59 +0100" },
	{ 253402300799, 5, 3600, "Jan _2 15:04:05.000000000",
	  "Jan  1 00:59:59.000000005" },
	{ 253402300799, 5, 3600, "January Monday Month Mont _2006 _2 __2 15h04m05.00s x.0y.99z 20060102150405",
	  "January Saturday Month Mont _10000  1   1 00h59m59.00s x.0yz 100000101005959" },
	{ -70000000000, 1, 0, "Mon Jan 02 15:04:05 -0700 2006",
	  "Fri Oct 15 19:33:20 +0000 -0249" },
	{ -70000000000, 1, 0, "Mon, 02 Jan 2006 15:04:05 MST",
	  "Fri, 15 Oct -0249 19:33:20 UTC" },
	{ -70000000000, 1, 0, "3:04PM",
	  "7:33PM" },
	{ -70000000000, 1, 0, "2006-002 __2 1/2/06 3:4:5pm .000 ,999 Z0700 Z070000 Z07 -07 -070000 -07:00:00 Z07:00:00",
	  "-0249-288 288 10/15/49 7:33:20pm .000  Z Z Z +00 +000000 +00:00:00 Z" },
	{ -70000000000, 1, 0, "no elements at all?",
	  "no elements at all?" },
	{ 951782400, 0, -18000, "Mon Jan _2 15:04:05 MST 2006",
	  "Mon Feb 28 19:00:00 -0500 2000" },
	{ 951782400, 0, -18000, "Monday, 02-Jan-06 15:04:05 MST",
	  "Monday, 28-Feb-00 19:00:00 -0500" },
	{ 951782400, 0, -18000, "2006-01-02T15:04:05.999999999Z07:00",
	  "2000-02-28T19:00:00-05:00" },
	{ 951782400, 0, -18000, "Jan _2 15:04:05",
	  "Feb 28 19:00:00" },
	{ 951782400, 0, -18000, "",
	  "" },
	{ 1000000000000, 10, 50, "Mon Jan _2 15:04:05 2006",
	  "Fri Sep 27 01:47:30 33658" },
	{ 1000000000000, 10, 50, "02 Jan 06 15:04 -0700",
	  "27 Sep 58 01:47 +0000" },
	{ 1000000000000, 10, 50, "2006-01-02T15:04:05Z07:00",
	  "33658-09-27T01:47:30+00:00" },
	{ 1000000000000, 10, 50, "Jan _2 15:04:05.000",
	  "Sep 27 01:47:30.000" },
	{ 1000000000000, 10, 50, "Jan. Jane Mon, MondayX 0102030405060708 .0000000000 .9999999999 001 003",
	  "Sep. Jane Fri, FridayX 0927014730580708 .000000010 .00000001 009 001" },
	{ 1709210096, 700000000, -37, "02 Jan 06 15:04 MST",
	  "29 Feb 24 12:34 +0000" },
	{ 1709210096, 700000000, -37, "Mon, 02 Jan 2006 15:04:05 -0700",
	  "Thu, 29 Feb 2024 12:34:19 +0000" },
	{ 1709210096, 700000000, -37, "Jan _2 15:04:05.000000000",
	  "Feb 29 12:34:19.700000000" },
	{ 1709210096, 700000000, -37, "January Monday Month Mont _2006 _2 __2 15h04m05.00s x.0y.99z 20060102150405",
	  "February Thursday Month Mont _2024 29  60 12h34m19.70s x.7y.7z 20240229123419" },
};

struct parsed {
	const char *layout, *text;
	int64 sec;
	int nsec, offset;
	const char *err;
};
static const struct parsed parsed[] = {
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14T22:13:20Z", 1700000000, 0, 0,
	  "" },
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14T22:13:20.5+05:30", 1699980200, 500000000, 19800,
	  "" },
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14T22:13:20,123456789123-00:01", 1700000060, 123456789, -60,
	  "" },
	{ "2006-01-02T15:04:05.999999999Z07:00", "2023-11-14T22:13:20Z", 1700000000, 0, 0,
	  "" },
	{ "2006-01-02T15:04:05Z07:00", "2023-02-29T00:00:00Z", 0, 0, 0,
	  "parsing time \"2023-02-29T00:00:00Z\": day out of range" },
	{ "2006-01-02T15:04:05Z07:00", "2024-02-29T23:59:59Z", 1709251199, 0, 0,
	  "" },
	{ "2006-01-02T15:04:05Z07:00", "2023-13-01T00:00:00Z", 0, 0, 0,
	  "parsing time \"2023-13-01T00:00:00Z\": month out of range" },
	{ "2006-01-02T15:04:05Z07:00", "2023-1-01T00:00:00Z", 0, 0, 0,
	  "parsing time \"2023-1-01T00:00:00Z\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"1-01T00:00:00Z\" as \"01\"" },
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14T24:00:00Z", 0, 0, 0,
	  "parsing time \"2023-11-14T24:00:00Z\": hour out of range" },
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14T22:60:00Z", 0, 0, 0,
	  "parsing time \"2023-11-14T22:60:00Z\": minute out of range" },
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14T22:13:60Z", 0, 0, 0,
	  "parsing time \"2023-11-14T22:13:60Z\": second out of range" },
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14T22:13:20Zx", 0, 0, 0,
	  "parsing time \"2023-11-14T22:13:20Zx\": extra text: \"x\"" },
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14 22:13:20Z", 0, 0, 0,
	  "parsing time \"2023-11-14 22:13:20Z\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \" 22:13:20Z\" as \"T\"" },
	{ "2006-01-02T15:04:05Z07:00", "", 0, 0, 0,
	  "parsing time \"\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"2006\"" },
	{ "2006-01-02T15:04:05Z07:00", "2023-11-14T22:13:20+0530", 0, 0, 0,
	  "parsing time \"2023-11-14T22:13:20+0530\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"+0530\" as \"Z07:00\"" },
	{ "Mon, 02 Jan 2006 15:04:05 MST", "Tue, 14 Nov 2023 22:13:20 GMT", 1700000000, 0, 0,
	  "" },
	{ "Mon, 02 Jan 2006 15:04:05 MST", "tUE, 14 nOV 2023 22:13:20 UTC", 1700000000, 0, 0,
	  "" },
	{ "Mon, 02 Jan 2006 15:04:05 MST", "Tue, 14 Nov 2023 22:13:20 GMT+3", 1700000000, 0, 10800,
	  "" },
	{ "Mon, 02 Jan 2006 15:04:05 -0700", "Tue, 14 Nov 2023 22:13:20 -0700", 1700025200, 0, -25200,
	  "" },
	{ "Mon, 02 Jan 2006 15:04:05 MST", "Xue, 14 Nov 2023 22:13:20 GMT", 0, 0, 0,
	  "parsing time \"Xue, 14 Nov 2023 22:13:20 GMT\" as \"Mon, 02 Jan 2006 15:04:05 MST\": cannot parse \"Xue, 14 Nov 2023 22:13:20 GMT\" as \"Mon\"" },
	{ "Mon, 02 Jan 2006 15:04:05 MST", "Tue, 14 Nov 2023 22:13:20 cet", 0, 0, 0,
	  "parsing time \"Tue, 14 Nov 2023 22:13:20 cet\" as \"Mon, 02 Jan 2006 15:04:05 MST\": cannot parse \"cet\" as \"MST\"" },
	{ "Mon, 02 Jan 2006 15:04:05 MST", "Tue, 14 Nov 2023 22:13:20 CEST", 1700000000, 0, 0,
	  "" },
	{ "Mon, 02 Jan 2006 15:04:05 MST", "Tue, 14 Nov 2023 22:13:20 +03", 1700000000, 0, 0,
	  "" },
	{ "Mon Jan _2 15:04:05 2006", "Tue Nov  4 22:13:20 2023", 1699136000, 0, 0,
	  "" },
	{ "Mon Jan _2 15:04:05 2006", "Tue Nov 14 22:13:20 2023", 1700000000, 0, 0,
	  "" },
	{ "Mon Jan _2 15:04:05 2006", "Tue   Nov 14 22:13:20 2023  ", 0, 0, 0,
	  "parsing time \"Tue   Nov 14 22:13:20 2023  \": extra text: \"  \"" },
	{ "3:04PM", "3:04PM", -62167164960, 0, 0,
	  "" },
	{ "3:04PM", "12:00AM", -62167219200, 0, 0,
	  "" },
	{ "3:04PM", "12:30PM", -62167174200, 0, 0,
	  "" },
	{ "3:04PM", "13:00PM", 0, 0, 0,
	  "parsing time \"13:00PM\": hour out of range" },
	{ "3:04PM", "1:00XM", 0, 0, 0,
	  "parsing time \"1:00XM\" as \"3:04PM\": cannot parse \"XM\" as \"PM\"" },
	{ "Monday, 02-Jan-06 15:04:05 MST", "Tuesday, 14-Nov-23 22:13:20 EST", 1700000000, 0, 0,
	  "" },
	{ "Monday, 02-Jan-06 15:04:05 MST", "Tuesday, 14-Nov-69 22:13:20 UTC", -4067200, 0, 0,
	  "" },
	{ "Monday, 02-Jan-06 15:04:05 MST", "Tuesday, 14-Nov-68 22:13:20 UTC", 3120156800, 0, 0,
	  "" },
	{ "2006-002", "2023-365", 1703980800, 0, 0,
	  "" },
	{ "2006-002", "2024-366", 1735603200, 0, 0,
	  "" },
	{ "2006-002", "2023-366", 0, 0, 0,
	  "parsing time \"2023-366\": day-of-year out of range" },
	{ "2006-002", "2024-060", 1709164800, 0, 0,
	  "" },
	{ "2006-002", "2023-060", 1677628800, 0, 0,
	  "" },
	{ "2006-002", "2023-000", 0, 0, 0,
	  "parsing time \"2023-000\": day-of-year out of range" },
	{ "2006 __2", "2024  61", 1709251200, 0, 0,
	  "" },
	{ "2006-01-002", "2024-02-060", 1709164800, 0, 0,
	  "" },
	{ "2006-01-002", "2024-03-060", 0, 0, 0,
	  "parsing time \"2024-03-060\": day-of-year does not match month" },
	{ "2006-01-02 002", "2024-02-28 060", 0, 0, 0,
	  "parsing time \"2024-02-28 060\": day-of-year does not match day" },
	{ "15:04:05.000", "01:02:03.456", -62167215477, 456000000, 0,
	  "" },
	{ "15:04:05.000", "01:02:03.45", 0, 0, 0,
	  "parsing time \"01:02:03.45\" as \"15:04:05.000\": cannot parse \".45\" as \".000\"" },
	{ "15:04:05.999", "01:02:03", -62167215477, 0, 0,
	  "" },
	{ "15:04:05.999", "01:02:03.123456", -62167215477, 123456000, 0,
	  "" },
	{ "15:04:05", "01:02:03.1234567891", -62167215477, 123456789, 0,
	  "" },
	{ "15:04:05.00", "01:02:03,12", -62167215477, 120000000, 0,
	  "" },
	{ "2006-01-02 MST -0700", "2023-11-14 UTC +0200", 1699920000, 0, 0,
	  "" },
	{ "2006-01-02 -0700 MST", "2023-11-14 +0200 CEST", 1699912800, 0, 7200,
	  "" },
	{ "2006-01-02 -0700", "2023-11-14 +020", 0, 0, 0,
	  "parsing time \"2023-11-14 +020\" as \"2006-01-02 -0700\": cannot parse \"+020\" as \"-0700\"" },
	{ "2006-01-02 -07", "2023-11-14 +02", 1699912800, 0, 7200,
	  "" },
	{ "2006-01-02 Z07:00:00", "2023-11-14 -02:03:04", 1699927384, 0, -7384,
	  "" },
	{ "2006-01-02 -070000", "2023-11-14 -020304", 1699927384, 0, -7384,
	  "" },
	{ "2006-01-02 -0700", "2023-11-14 *0200", 0, 0, 0,
	  "parsing time \"2023-11-14 *0200\" as \"2006-01-02 -0700\": cannot parse \"*0200\" as \"-0700\"" },
	{ "06/1/2 3:4:5 pm", "99/7/8 9:1:2 pm", 931467662, 0, 0,
	  "" },
	{ "Jan _2 2006", "Feb 30 2023", 0, 0, 0,
	  "parsing time \"Feb 30 2023\": day out of range" },
	{ "January 2", "september 31", 0, 0, 0,
	  "parsing time \"september 31\": day out of range" },
	{ "January 2", "september 30", -62143632000, 0, 0,
	  "" },
	{ "2006", "12345", 0, 0, 0,
	  "parsing time \"12345\": extra text: \"5\"" },
	{ "2006", "99", 0, 0, 0,
	  "parsing time \"99\" as \"2006\": cannot parse \"99\" as \"2006\"" },
	{ "x2006", "y2006", 0, 0, 0,
	  "parsing time \"y2006\" as \"x2006\": cannot parse \"y2006\" as \"x\"" },
	{ "", "x", 0, 0, 0,
	  "parsing time \"x\": extra text: \"x\"" },
	{ "", "", -62167219200, 0, 0,
	  "" },
	{ "2006-01-02", "2023-11-1\xe9\"\\", 0, 0, 0,
	  "parsing time \"2023-11-1\\xe9\\\"\\\\\" as \"2006-01-02\": cannot parse \"1\\xe9\\\"\\\\\" as \"02\"" },
};

struct duration {
	const char *text;
	int64 d;
	const char *err;
};
static const struct duration durations[] = {
	{ "0", INT64_C(0), "" },
	{ "-0", INT64_C(0), "" },
	{ "+5s", INT64_C(5000000000), "" },
	{ "1h2m3.5s", INT64_C(3723500000000), "" },
	{ "-1.5h", INT64_C(-5400000000000), "" },
	{ ".5s", INT64_C(500000000), "" },
	{ "1.s", INT64_C(1000000000), "" },
	{ "5.000000001s", INT64_C(5000000001), "" },
	{ "100ns", INT64_C(100), "" },
	{ "3us", INT64_C(3000), "" },
	{ "4\xc2\xb5s", INT64_C(4000), "" },
	{ "5\xce\xbcs", INT64_C(5000), "" },
	{ "1.00000000000000000001s", INT64_C(1000000000), "" },
	{ "9223372036854775807ns", INT64_C(9223372036854775807), "" },
	{ "9223372036854775808ns", INT64_C(0), "time: invalid duration \"9223372036854775808ns\"" },
	{ "-9223372036854775808ns", INT64_MIN, "" },
	{ "9223372036854775.808us", INT64_C(0), "time: invalid duration \"9223372036854775.808us\"" },
	{ "2562047h47m16.854775807s", INT64_C(9223372036854775807), "" },
	{ "2562048h", INT64_C(0), "time: invalid duration \"2562048h\"" },
	{ "", INT64_C(0), "time: invalid duration \"\"" },
	{ "-", INT64_C(0), "time: invalid duration \"-\"" },
	{ "s", INT64_C(0), "time: invalid duration \"s\"" },
	{ ".s", INT64_C(0), "time: invalid duration \".s\"" },
	{ "3", INT64_C(0), "time: missing unit in duration \"3\"" },
	{ "1.5", INT64_C(0), "time: missing unit in duration \"1.5\"" },
	{ "1x", INT64_C(0), "time: unknown unit \"x\" in duration \"1x\"" },
	{ "1h-2m", INT64_C(0), "time: unknown unit \"h-\" in duration \"1h-2m\"" },
	{ "99999999999999999999s", INT64_C(0), "time: invalid duration \"99999999999999999999s\"" },
	{ "1h 2m", INT64_C(0), "time: unknown unit \"h \" in duration \"1h 2m\"" },
	{ "3000000h", INT64_C(0), "time: invalid duration \"3000000h\"" },
	{ "0.333333333333333333h", INT64_C(1199999999999), "" },
	{ "0.9223372036854775808h", INT64_C(3320413933267), "" },
	{ "1d", INT64_C(0), "time: unknown unit \"d\" in duration \"1d\"" },
	{ "\"\x01\xc3\xa9", INT64_C(0), "time: invalid duration \"\\\"\\x01\\xc3\\xa9\"" },
};

#define COUNT(v) (sizeof(v) / sizeof *(v))

static datetime moment(int64 sec, int64 nsec, int offset)
{
	return time_in(time_unix(sec, nsec), offset);
}

TEST(format)
{
	for (size_t i = 0; i < COUNT(shown); i++) {
		const struct shown *s = &shown[i];
		string is = rt_time_format(moment(s->sec, s->nsec, s->offset), cstring(s->layout));

		if (!string_eq(is, cstring(s->text)))
			TEST_FAIL("%s is %s, not %s", s->layout, is, s->text);
	}
	CHECK(string_eq(time_format(time_unix(1700000000, 0), RFC3339), S("2023-11-14T22:13:20Z")));
	CHECK(string_eq(time_format(time_unix(1700000000, 0), RFC1123), S("Tue, 14 Nov 2023 22:13:20 UTC")));
	CHECK(string_eq(time_format(time_unix(1700000000, 0), DateTime), S("2023-11-14 22:13:20")));
}

TEST(parse)
{
	for (size_t i = 0; i < COUNT(parsed); i++) {
		const struct parsed *p = &parsed[i];
		datetime t = { 0 };
		error err = rt_time_parse(cstring(p->layout), cstring(p->text), &t);
		string text = err ? error_text(err) : S("");

		if (!string_eq(text, cstring(p->err)))
			TEST_FAIL("%s as %s: %s, not %s", p->text, p->layout, text, p->err);
		else if (t.sec != p->sec || t.nsec != p->nsec || t.offset != p->offset)
			TEST_FAIL("%s as %s: %lld.%d %d, not %lld.%d %d", p->text, p->layout, (long long)t.sec,
			          t.nsec, t.offset, (long long)p->sec, p->nsec, p->offset);
	}
}

static uint64 folded;

static void add(int64 v)
{
	folded = folded * 31 + (uint64)v;
}

static void add_time(datetime t)
{
	add(t.sec);
	add(t.nsec);
}

/* A number around 0. */
static int64 around(int64 n)
{
	return (int64)(next_random() % (uint64)n) - n / 2;
}

/* One sequence of random numbers for this and the next three, as in the Go
 * program, so they are one test. */
TEST(calendar_and_arithmetic)
{
	random_state = 88172645463325252;
	folded = 0;
	for (int i = 0; i < 20000; i++) {
		int64 s = (int64)(next_random() % 40000000000) - 20000000000;
		int offset = (int)(next_random() % 100000) - 50000, week;
		int64 year;
		datetime t = moment(i % 10 ? s : s * 50, (int64)(next_random() % 1000000000), offset);
		date_fields f = time_fields(t);

		time_iso_week(t, &year, &week);
		int64 v[] = { f.year, f.month, f.day, f.hour, f.minute, f.second, f.nanosecond, f.weekday,
			      f.year_day, year, week };
		for (size_t k = 0; k < COUNT(v); k++)
			add(v[k]);
	}
	CHECK(folded == 0x2bc5072871f2b887);

	folded = 0;
	for (int i = 0; i < 20000; i++) {
		int64 y = 2000 + around(4000), mo = around(100), d = around(1000), h = around(100);
		int64 mi = around(1000), s = around(100000), ns = around((int64)1 << 40);
		datetime t = time_date(y, mo, d, h, mi, s, ns);

		add_time(t);
		int offset = (int)around(100000);
		y = around(10);
		mo = around(100);
		d = around(1000);
		add_time(time_add_date(time_in(t, offset), y, mo, d));
	}
	CHECK(folded == 0xf9a5e0e9c9b3ec9e);

	folded = 0;
	for (int i = 0; i < 20000; i++) {
		uint64 r = next_random();
		int64 d = (int64)(r >> next_random() % 60), e;
		int64 s = (int64)(next_random() % 40000000000) - 20000000000;
		datetime t = time_unix(s, (int64)(next_random() % 1000000000)), a = time_truncate(t, d);

		add_time(a);
		add_time(time_round(t, d));
		add_time(time_add(t, d));
		add(time_sub(time_add(t, d), a));
		e = (int64)next_random();
		add(duration_truncate(e, d));
		add(duration_round(e, d));
	}
	CHECK(folded == 0x47ce2221e17ebece);

	folded = 0;
	for (int i = 0; i < 20000; i++) {
		uint64 r = next_random();
		int64 d = (int64)(r >> next_random() % 64), back;

		if (i % 3 == 0)
			d = d / 1000000000 * 1000000000;
		if (i % 2 == 0)
			d = -d;
		string s = duration_string(d);
		for (size_t k = 0; k < len(s); k++)
			add((byte)at(s, k));
		CHECK(duration_parse(s, &back) == NULL && back == d);
		add(back);
	}
	CHECK(folded == 0xff49dd94ec0e0e16);
}

TEST(durations)
{
	for (size_t i = 0; i < COUNT(durations); i++) {
		const struct duration *p = &durations[i];
		int64 d = 0;
		error err = duration_parse(cstring(p->text), &d);
		string text = err ? error_text(err) : S("");

		if (!string_eq(text, cstring(p->err)) || d != p->d)
			TEST_FAIL("%s: %lld %s, not %lld %s", p->text, (long long)d, text, (long long)p->d, p->err);
	}
	CHECK(string_eq(duration_string(Hour + 2 * Minute + 3500 * Millisecond), S("1h2m3.5s")));
	CHECK(string_eq(duration_string(INT64_MIN), S("-2562047h47m16.854775808s")));
	CHECK(string_eq(duration_string(0), S("0s")));
}

TEST(extremes)
{
	datetime far = time_unix(INT64_MAX / 2, 0), past = time_unix(INT64_MIN / 2, 0);

	CHECK(time_sub(far, past) == INT64_MAX && time_sub(past, far) == INT64_MIN);
	CHECK(time_before(past, far) && time_after(far, past) && !time_equal(far, past));
	CHECK(time_equal(time_in(far, 3600), far) && time_compare(far, far) == 0);
	CHECK(string_eq(month_string(13), S("%!Month(13)")) && string_eq(weekday_string(-1), S("%!Weekday(-1)")));
	/* A layout and a value without end. */
	string many = strings_repeat(S("2006 "), 2000);
	datetime t = { .sec = 5 };
	CHECK(len(rt_time_format(time_unix(0, 0), many)) == 10000);
	CHECK(rt_time_parse(many, strings_repeat(S("1970 "), 2000), &t) == NULL && t.sec == 0);
	CHECK(rt_time_parse(many, many, &t) == NULL);
	CHECK(rt_time_parse(S("2006"), strings_repeat(S("\xff"), 1000), &t) != NULL);
}

TEST(now)
{
	datetime a = time_now(), b;

	sleep(Millisecond);
	b = time_now();
	CHECK(time_sub(b, a) >= Millisecond);
	CHECK(time_unix_nano(a) / 1000000 == time_unix_milli(a));
	CHECK(time_equal(time_unix(0, time_unix_nano(a)), a));
	CHECK(time_unix_milli(time_unix(-1, 999999999)) == -1);
}

TEST_MAIN
{
	RUN(format);
	RUN(parse);
	RUN(calendar_and_arithmetic);
	RUN(durations);
	RUN(extremes);
	RUN(now);
}
