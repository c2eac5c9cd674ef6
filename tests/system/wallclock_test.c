/* wallclock_test.c: kernel/kvmclock.c and kernel/walltime.c as a Linux program,
 * against a hypervisor of a few lines that answers CPUID and fills the
 * structures of the addresses it is told, and a CMOS clock of as many.  Run by
 * walltime.py. */
#define wrmsr machine_wrmsr
#define cpuid machine_cpuid
#define rdtsc machine_rdtsc
#define irq_save machine_irq_save
#define irq_restore machine_irq_restore
#define inb machine_inb
#define outb machine_outb
#include "kernel/machine.h"
#undef wrmsr
#undef cpuid
#undef rdtsc
#undef irq_save
#undef irq_restore
#undef inb
#undef outb
#include <stdio.h>
#include <string.h>

struct cpu_features cpu_feat;
struct acpi_info acpi;
static struct cpu core[2] __attribute__((aligned(64)));
__thread struct cpu *cpu_self = &core[0];

/* The hypervisor: which features, its clock's scale, and the moment. */
static struct {
	uint32_t max_leaf, features;
	uint64_t tsc, tsc_at, system;
	uint32_t mul, sec, nsec;
	int8_t shift;
	uint32_t odd;          /* readings that find the structure being written; UINT32_MAX: all */
	uint64_t enabled;      /* the address that is being filled, 0 none */
	uint32_t version;
	unsigned strange;      /* MSRs that do not exist */
	uint8_t flags;
	uint64_t ahead[2];     /* of each core's TSC */
} hv;

static void fill_time(void)
{
	struct {
		uint32_t version, pad;
		uint64_t tsc, system;
		uint32_t mul;
		int8_t shift;
		uint8_t flags, pad2[2];
	} t = { .tsc = hv.tsc_at + hv.ahead[cpu_self - core], .system = hv.system, .mul = hv.mul,
	      .shift = hv.shift, .flags = hv.flags };
	hv.version += 2;
	t.version = hv.version;
	if (hv.odd) { /* what is read now is not to be believed */
		t.version |= 1;
		t.tsc = t.system = 12345;
	}
	memcpy((void *)hv.enabled, &t, sizeof t);
}

static void wrmsr(uint32_t msr, uint64_t v)
{
	bool is_new = msr >= 0x4b564d00, is_wall = msr == 0x11 || msr == 0x4b564d00;
	if (!(hv.features & (is_new ? 8 : 1)) || (!is_wall && msr != 0x12 && msr != 0x4b564d01)) {
		hv.strange++;
		return;
	}
	if (is_wall) {
		uint32_t w[3] = { 2, hv.sec, hv.nsec };
		if (v & 3)
			hv.strange++;
		memcpy((void *)v, w, sizeof w);
		return;
	}
	hv.enabled = v & 1 ? v & ~3ull : 0;
	if (hv.enabled)
		fill_time();
}

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	(void)sub;
	memset(r, 0, 16);
	if (leaf == 0x40000000)
		r[0] = hv.max_leaf;
	else if (leaf == 0x40000001)
		r[0] = hv.features;
}

/* While the structure is being written each reading of the clock sees it change. */
static uint64_t rdtsc(void)
{
	uint64_t tsc = hv.tsc + hv.ahead[cpu_self - core];
	hv.tsc += 1000;
	if (hv.enabled && hv.odd) {
		hv.odd -= hv.odd != UINT32_MAX;
		fill_time();
	}
	return tsc;
}

static uint64_t irq_save(void) { return 0; }
static void irq_restore(uint64_t f) { (void)f; }
uint64_t virt_to_phys(const void *va) { return (uint64_t)va; }

/* The CMOS clock: its registers, and how often its update bit will be seen. */
static struct {
	uint8_t reg[128], at;
	uint32_t updating;     /* UINT32_MAX: for ever */
	unsigned until_tick;   /* a second passes after so many readings, 0: none does */
	uint64_t now;
} rtc;

static void outb(uint16_t port, uint8_t v)
{
	if (port == 0x70)
		rtc.at = v & 127;
}

static uint8_t inb(uint16_t port)
{
	(void)port;
	if (rtc.at == 10 && rtc.updating) {
		rtc.updating -= rtc.updating != UINT32_MAX;
		return 0x80;
	}
	if (rtc.until_tick && --rtc.until_tick == 0) { /* 23:59:59 ends */
		rtc.reg[0] = rtc.reg[2] = rtc.reg[4] = 0;
		rtc.reg[7]++;
	}
	return rtc.reg[rtc.at];
}

uint64_t clock_now(void) { return rtc.now += 1000; }
static char said[256];
void kprintf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(said, sizeof said, fmt, ap);
	va_end(ap);
}
void klog(const char *fmt, ...) { (void)fmt; }

#define TRIES KVM_TRIES /* the two files are not made for one another */
#include "kernel/kvmclock.c"
#undef TRIES
#include "kernel/walltime.c"

static int bad;
#define CHECK(c) \
	do { \
		if (!(c)) { \
			printf("line %d: %s\n", __LINE__, #c); \
			bad++; \
		} \
	} while (0)

static void machine(uint32_t features, uint64_t hz_times_16, int shift)
{
	memset(&hv, 0, sizeof hv);
	strcpy(cpu_feat.hv, "KVMKVMKVM");
	hv.max_leaf = 0x40000001;
	hv.features = features;
	hv.mul = (uint32_t)hz_times_16;
	hv.shift = (int8_t)shift;
	hv.sec = 1700000000;
	hv.nsec = 250000000;
}

static void moment(uint64_t tsc, uint64_t tsc_at, uint64_t system)
{
	hv.tsc = tsc;
	hv.tsc_at = tsc_at;
	hv.system = system;
}

static void set(unsigned b, unsigned century, unsigned y, unsigned mo, unsigned d, unsigned h, unsigned mi, unsigned s)
{
	memset(&rtc, 0, sizeof rtc);
	strcpy(said, "");
	rtc.reg[11] = (uint8_t)b;
	rtc.reg[13] = 0x80;
	rtc.reg[0x32] = (uint8_t)century, rtc.reg[9] = (uint8_t)y, rtc.reg[8] = (uint8_t)mo, rtc.reg[7] = (uint8_t)d;
	rtc.reg[4] = (uint8_t)h, rtc.reg[2] = (uint8_t)mi, rtc.reg[0] = (uint8_t)s;
}

/* Seconds since 1970, -1: unknown. */
static int64_t read_clock(void)
{
	int64_t ns;
	return wall_clock(&ns) ? ns / 1000000000 : -1;
}

/* Two cores whose TSCs differ by years; kept, since nobody vouches for them. */
static void test_keep(void)
{
	int64_t ns;
	for (unsigned i = 0; i < 4; i++) { /* the flag counts only where it means something */
		machine(i & 1 ? 8 | 1 << 24 : 8, 1u << 31, 0);
		hv.flags = i >> 1;
		moment(1000, 0, 0);
		kept = 0;
		CHECK(kvmclock_keep() == (i != 3));
		CHECK(hv.enabled == (i != 3 ? (uint64_t)core[0].kvm_time : 0));
	}
	machine(8, 1u << 31, 0);
	hv.ahead[1] = 1ull << 60;
	moment(2000000000, 0, 5);
	kept = 0;
	CHECK(kvmclock_keep());
	cpu_self = &core[1];
	kvmclock_core();
	CHECK(hv.enabled == (uint64_t)core[1].kvm_time);
	uint64_t last = 0;
	for (unsigned i = 0; i < 100; i++) {
		cpu_self = &core[i % 2];
		uint64_t now = kvmclock_now();
		CHECK(now > last && now < 1000100000);
		last = now;
	}
	cpu_self = &core[1]; /* asking for the time of day leaves it as it was */
	CHECK(kvmclock_wall(&ns) && hv.enabled == (uint64_t)core[1].kvm_time);
	/* A structure that is not filled tells nothing. */
	memset(core[0].kvm_time, 0, sizeof core[0].kvm_time);
	cpu_self = &core[0];
	CHECK(kvmclock_now() == 0);
	kept = 0;
}

static void test_cmos(void)
{
	strcpy(cpu_feat.hv, "");
	acpi.rtc_century = 0x32;
	/* 2001-09-09 01:46:40 in every way to say it. */
	set(HOURS_24, 0x20, 0x01, 9, 9, 0x01, 0x46, 0x40);
	CHECK(read_clock() == 1000000000);
	set(HOURS_24 | BINARY, 20, 1, 9, 9, 1, 46, 40);
	CHECK(read_clock() == 1000000000);
	set(BINARY, 20, 1, 9, 9, 1, 46, 40);
	CHECK(read_clock() == 1000000000);
	set(0, 0x20, 0x01, 9, 9, 0x81, 0x46, 0x40);
	CHECK(read_clock() == 1000000000 + 12 * 3600);
	set(0, 0x20, 0x01, 9, 9, 0x12, 0, 0); /* 12 am is 0:00, 12 pm noon */
	CHECK(read_clock() == 1000000000 - 6400);
	set(0, 0x20, 0x01, 9, 9, 0x92, 0, 0);
	CHECK(read_clock() == 1000000000 - 6400 + 43200);
	set(BINARY, 20, 1, 9, 9, 0x80 | 11, 46, 40);
	CHECK(read_clock() == 1000000000 + 22 * 3600);
	/* The century by its register, if that makes sense, else by the year. */
	set(HOURS_24, 0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59);
	CHECK(read_clock() == 946684799);
	for (unsigned c = 0; c < 256; c += 255) {
		set(HOURS_24, c, 0x70, 1, 1, 0, 0, 0);
		CHECK(read_clock() == 0);
		set(HOURS_24, c, 0x69, 0x12, 0x31, 0x11, 0x59, 0x59);
		CHECK(read_clock() == 3155716799);
	}
	acpi.rtc_century = 0;
	set(HOURS_24, 0x77, 0x01, 9, 9, 0x01, 0x46, 0x40);
	CHECK(read_clock() == 1000000000);
	acpi.rtc_century = 0x32;
	/* No dates. */
	static const uint8_t none[][6] = {
		{ 1, 0x13, 1, 0, 0, 0 }, { 1, 0, 1, 0, 0, 0 }, { 1, 1, 0, 0, 0, 0 }, { 1, 1, 0x32, 0, 0, 0 },
		{ 1, 2, 0x29, 0, 0, 0 }, { 1, 1, 1, 0x24, 0, 0 }, { 1, 1, 1, 0, 0x60, 0 }, { 1, 1, 1, 0, 0, 0x60 },
		{ 0x1a, 1, 1, 0, 0, 0 }, { 1, 1, 1, 0, 0, 0x0a }, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	for (unsigned i = 0; i < sizeof none / sizeof none[0]; i++) {
		const uint8_t *n = none[i];
		set(HOURS_24, 0x20, n[0], n[1], n[2], n[3], n[4], n[5]);
		CHECK(read_clock() == -1 && strstr(said, "shows no date"));
	}
	set(0, 0x20, 1, 1, 1, 0x13, 0, 0);
	CHECK(read_clock() == -1);
	set(0, 0x20, 1, 1, 1, 0, 0, 0);
	CHECK(read_clock() == -1);
	set(HOURS_24, 0x21, 0, 2, 0x29, 0, 0, 0); /* 2100 is no leap year */
	CHECK(read_clock() == -1);
	/* While it updates: waited for, but not for ever. */
	set(HOURS_24, 0x20, 0x01, 9, 9, 0x01, 0x46, 0x40);
	rtc.updating = 50;
	CHECK(read_clock() == 1000000000);
	rtc.updating = UINT32_MAX;
	CHECK(read_clock() == -1 && strstr(said, "does not stop updating"));
	/* A second that ends amid the reading, at any register: before or after, not between. */
	for (unsigned i = 1; i < 40; i++) {
		set(HOURS_24, 0x20, 0x01, 9, 8, 0x23, 0x59, 0x59);
		rtc.until_tick = i;
		int64_t t = read_clock();
		CHECK(t == 1000000000 - 6401 || t == 1000000000 - 6400);
	}
	/* Battery, and nothing there. */
	rtc.reg[13] = 0;
	CHECK(read_clock() == -1 && strstr(said, "battery"));
	memset(rtc.reg, 0xff, sizeof rtc.reg);
	CHECK(read_clock() == -1 && strstr(said, "this machine has no clock"));
	set(HOURS_24, 0x20, 0x01, 9, 9, 0x01, 0x46, 0x40);
	acpi.no_rtc = true;
	CHECK(read_clock() == -1 && strstr(said, "this machine has no clock"));
}

int main(void)
{
	int64_t ns;
	test_cmos();
	test_keep();
	/* 2 GHz: ns = ticks / 2 = (ticks * 2^31) >> 32 */
	for (unsigned features = 1; features <= 9; features += 1) {
		machine(features, 1u << 31, 0);
		moment(5000000000, 1000000000, 7000000000);
		bool offered = features & 9;
		CHECK(kvmclock_rate() == (offered ? 2000000000u : 0));
		moment(5000000000, 1000000000, 7000000000);
		CHECK(kvmclock_wall(&ns) == offered);
		if (offered)
			CHECK(ns == 1700000000250000000 + 7000000000 + 2000000000);
		CHECK(hv.strange == 0 && hv.enabled == 0);
	}
	/* 500 MHz by a shift up, 3 GHz by a shift down of 1. */
	machine(8, 1u << 31, 2);
	moment(1000, 0, 0);
	CHECK(kvmclock_rate() == 500000000);
	machine(8, 2863311531u, -1); /* 2/3 of 2^32 */
	moment(3000000000, 0, 1);
	CHECK(kvmclock_rate() / 1000 == 3000000 - 1 || kvmclock_rate() / 1000 == 3000000);
	moment(3000000000, 0, 1);
	CHECK(kvmclock_wall(&ns) && (ns - 1700000000250000001) / 1000 == 1000000);
	/* Caught while it is being written: looked at again; for ever: given up. */
	machine(8, 1u << 31, 0);
	moment(2000000000, 0, 0);
	hv.odd = 5;
	CHECK(kvmclock_wall(&ns) && ns / 1000000 == 1700000001250);
	machine(8, 1u << 31, 0);
	hv.odd = UINT32_MAX;
	CHECK(!kvmclock_wall(&ns) && kvmclock_rate() == 0);
	/* No scale, no wall clock, no KVM. */
	machine(8, 0, 0);
	CHECK(!kvmclock_wall(&ns) && kvmclock_rate() == 0);
	machine(8, 1u << 31, 0);
	hv.sec = 0;
	CHECK(!kvmclock_wall(&ns));
	machine(9, 1u << 31, 0);
	hv.max_leaf = 0x40000000;
	CHECK(!kvmclock_wall(&ns));
	machine(9, 1u << 31, 0);
	strcpy(cpu_feat.hv, "TCGTCGTCGTCG");
	CHECK(!kvmclock_wall(&ns) && kvmclock_rate() == 0 && hv.strange == 0);
	return bad != 0;
}
