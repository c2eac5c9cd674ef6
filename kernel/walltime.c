/* walltime.c: what time of day it is: KVM's clock, else the CMOS clock.
 *
 * The CMOS clock (MC146818 and its heirs; Intel ICH datasheets, "Real Time
 * Clock Registers") counts seconds, in BCD or binary, in 12 or 24 hours, as
 * its register B says, and is not to be read while it advances (register A, bit
 * 7).  That bit comes 244 us before, less than a guest may be kept from
 * running, so two readings must agree as well.  The century is in a register
 * that the FADT names; without, 70 to 99 are of the 20th.  It is taken to run
 * in UTC.  A reading is of somewhere in its second: the middle is returned.
 *
 * What it says is input from outside: a date that does not exist, or is not
 * between 1970 and 2261 (what 63 bits of nanoseconds hold), counts as no clock. */
#include "machine.h"

enum {
	SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9,
	STATUS_A = 10, UPDATING = 0x80,
	STATUS_B = 11, BINARY = 4, HOURS_24 = 2,
	STATUS_D = 13, POWERED = 0x80, /* the other bits are 0 */
	PM = 0x80,
	UPDATE_LIMIT_MS = 20, /* an update takes 2 ms */
	TRIES = 10,
};

struct reading {
	uint8_t sec, min, hour, day, month, year, century, b;
};

static uint8_t cmos(uint8_t reg)
{
	outb(0x70, reg); /* bit 7 clear: NMIs stay on */
	return inb(0x71);
}

static bool wait_for_update(void)
{
	uint64_t limit = clock_now() + UPDATE_LIMIT_MS * 1000000ull;
	while (cmos(STATUS_A) & UPDATING)
		if (clock_now() > limit)
			return false;
	return true;
}

static struct reading read_once(void)
{
	return (struct reading){
		cmos(SECONDS), cmos(MINUTES), cmos(HOURS), cmos(DAY), cmos(MONTH), cmos(YEAR),
		acpi.rtc_century ? cmos(acpi.rtc_century) : 0, cmos(STATUS_B),
	};
}

static bool same(const struct reading *x, const struct reading *y)
{
	return x->sec == y->sec && x->min == y->min && x->hour == y->hour && x->day == y->day &&
	       x->month == y->month && x->year == y->year && x->century == y->century && x->b == y->b;
}

static bool read_twice(struct reading *r)
{
	for (unsigned i = 0; i < TRIES; i++) {
		if (!wait_for_update())
			return false;
		*r = read_once();
		struct reading again = read_once();
		if (same(r, &again))
			return true;
	}
	return false;
}

/* A register's number, at least 100 when it is none. */
static unsigned number(uint8_t v, bool binary)
{
	if (binary)
		return v;
	return (v & 15) < 10 && v >> 4 < 10 ? v / 16 * 10 + v % 16 : 255;
}

static bool leap(unsigned y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

/* Days from 1970 to a date from then on. */
static uint64_t days(unsigned y, unsigned month, unsigned day)
{
	static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	unsigned last = y - 1; /* leap days of whole years; 477 until 1970 */
	uint64_t n = (uint64_t)(y - 1970) * 365 + (last / 4 - last / 100 + last / 400 - 477);
	return n + before[month - 1] + (month > 2 && leap(y)) + day - 1;
}

static bool convert(const struct reading *r, int64_t *unix_sec)
{
	static const uint8_t length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool bin = r->b & BINARY;
	unsigned sec = number(r->sec, bin), min = number(r->min, bin), hour = number(r->hour, bin);
	unsigned day = number(r->day, bin), month = number(r->month, bin), y = number(r->year, bin);
	unsigned century = number(r->century, bin);
	if (!(r->b & HOURS_24)) {
		hour = number(r->hour & ~PM, bin);
		if (hour < 1 || hour > 12)
			return false;
		hour = hour % 12 + (r->hour & PM ? 12 : 0);
	}
	if (y > 99)
		return false;
	if (acpi.rtc_century && century >= 19 && century <= 99)
		y += century * 100;
	else
		y += y < 70 ? 2000 : 1900;
	if (sec > 59 || min > 59 || hour > 23 || month < 1 || month > 12 || y < 1970 || y > 2261)
		return false;
	if (day < 1 || day > (unsigned)length[month - 1] + (month == 2 && leap(y)))
		return false;
	*unix_sec = (int64_t)(days(y, month, day) * 86400 + hour * 3600 + min * 60 + sec);
	return true;
}

static const char *rtc_wall(int64_t *unix_ns)
{
	struct reading r = { 0 };
	int64_t sec;
	/* Nothing there reads as all ones, which register D cannot be. */
	if (acpi.no_rtc || cmos(STATUS_D) == 0xff)
		return "this machine has no clock";
	if (!(cmos(STATUS_D) & POWERED))
		return "the CMOS clock has lost its battery";
	if (!read_twice(&r))
		return "the CMOS clock does not stop updating";
	if (!convert(&r, &sec)) {
		klog("clock: CMOS says %02x%02x-%02x-%02x %02x:%02x:%02x, register B %02x\n", r.century, r.year,
		     r.month, r.day, r.hour, r.min, r.sec, r.b);
		return "the CMOS clock shows no date";
	}
	*unix_ns = sec * 1000000000 + 500000000;
	return NULL;
}

bool wall_clock(int64_t *unix_ns)
{
	if (kvmclock_wall(unix_ns)) {
		klog("clock: time of day by kvmclock\n");
		return true;
	}
	const char *wrong = rtc_wall(unix_ns);
	if (wrong)
		kprintf("clock: %s: the time of day begins at 1970-01-01\n", wrong);
	else
		klog("clock: time of day by CMOS\n");
	return !wrong;
}
