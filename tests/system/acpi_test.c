/* acpi_test.c: kernel/acpi.c as a Linux program.  Physical memory is an array;
 * phys_map() hands out copies of exactly the bytes asked for, so that one byte
 * read too many is seen by ASan.  A good machine must be read right; damaged
 * ones (any byte changed, sums repaired or not) must be survived.  Run by
 * acpi.sh. */
#include "kernel/acpi.c"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEM = 1 << 20, ROOT = 0xe0010, XSDT = 0x8000, RSDT = 0x8400, FADT = 0x9000, DSDT = 0x9800,
       MADT = 0xa000, HPET = 0xb000, SSDT = 0xb800 };

static uint8_t mem[MEM], good[MEM];
static void *maps[4096];
static unsigned nmaps, messages;
static int bad;
struct cpu_features cpu_feat = { .phys_bits = 40 };
struct cpu_ident cpu_ident = { .max_leaf = 1 };

const void *phys_map(uint64_t pa, size_t len)
{
	uint8_t *p = malloc(len);
	for (size_t i = 0; i < len; i++)
		p[i] = pa + i < MEM ? mem[pa + i] : 0xff;
	if (nmaps == sizeof(maps) / sizeof(maps[0]))
		abort();
	return maps[nmaps++] = p;
}
volatile void *mmio_map(uint64_t pa, size_t len) { return (volatile void *)phys_map(pa, len); }
void kprintf(const char *fmt, ...)
{
	char buf[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap); /* so that its arguments are looked at */
	va_end(ap);
	messages++;
}
void klog(const char *fmt, ...) { (void)fmt; }

#define CHECK(c) \
	do { \
		if (!(c)) { \
			printf("FAIL acpi: line %d: %s\n", __LINE__, #c); \
			bad++; \
		} \
	} while (0)

#include "tests/system/acpi_tables.h"

static void build(void)
{
	static const uint8_t s5[] = { 0x10, 0x20, 0x08, '_', 'S', '5', '_', 0x12, 0x07, 4, 0x0a, 5, 0x0a, 6, 0, 0 };
	memset(mem, 0, MEM);
	memcpy(mem + ROOT, "RSD PTR ", 8);
	mem[ROOT + 15] = 2;
	put(ROOT + 16, RSDT, 4);
	put(ROOT + 20, 36, 4);
	put(ROOT + 24, XSDT, 8);
	fix_sum(ROOT, ROOT + 8, 20);
	fix_sum(ROOT, ROOT + 32, 36);
	const uint32_t list[] = { FADT, MADT, HPET, SSDT };
	for (unsigned i = 0; i < 4; i++) {
		put(XSDT + 36 + 8 * i, list[i], 8);
		put(RSDT + 36 + 4 * i, list[i], 4);
	}
	header(XSDT, "XSDT", 36 + 32);
	header(RSDT, "RSDT", 36 + 16);

	put(FADT + 40, DSDT, 4);
	put(FADT + 64, 0x604, 4);
	put(FADT + 76, 0x608, 4);
	mem[FADT + 91] = 4;
	put(FADT + 112, 1 << 8 | 1 << 10, 4);
	mem[FADT + 116] = ACPI_IO;
	put(FADT + 120, 0xcf9, 8);
	mem[FADT + 128] = 0x0e;
	header(FADT, "FACP", 268);
	memcpy(mem + DSDT + 50, s5, sizeof(s5));
	header(DSDT, "DSDT", 50 + sizeof(s5));
	header(SSDT, "SSDT", 64);

	uint64_t p = MADT + 44;
	put(MADT + 36, 0xfee00000, 4);
	for (unsigned i = 0; i < 4; i++, p += 8) { /* three cores and a standby */
		put(p, 0 | 8 << 8 | i << 16 | i << 24, 4);
		put(p + 4, i == 3 ? 2 : 1, 4);
	}
	put(p, 9 | 16 << 8, 4), put(p + 4, 300, 4), put(p + 8, 1, 4), put(p + 12, 7, 4), p += 16;
	put(p, 1 | 12 << 8 | 5 << 16, 4), put(p + 4, 0xfec00000, 4), p += 12;
	put(p, 2 | 10 << 8, 4), put(p + 4, 2, 4), put(p + 8, 5, 2), p += 10;
	put(p, 4 | 6 << 8 | 0xff << 16, 4), put(p + 4, 1 << 8, 2), p += 6;
	header(MADT, "APIC", p - MADT);

	put(HPET + 44, 0xfed00000, 8);
	header(HPET, "HPET", 56);
	memcpy(good, mem, MEM);
}

static void run(uint64_t root)
{
	memset(&acpi, 0, sizeof(acpi));
	ntables = nmadt_cpus = nmadt_cut = messages = 0;
	acpi_init(root);
	uint32_t ids[8];
	unsigned n = acpi_cores(ids, 8);
	CHECK(n >= 1);
	CHECK(n == acpi_cores(NULL, 0));
}

static void unmap(void)
{
	while (nmaps)
		free(maps[--nmaps]);
}

static void check_good(void)
{
	CHECK(acpi.present && ntables == 4 && messages == 0);
	CHECK(nmadt_cpus == 4 && madt_cpus[3].apic_id == 300 && acpi_uid_of(300) == 7);
	CHECK(acpi_uid_of(99) == UINT32_MAX && acpi.nstandby == 1);
	CHECK(acpi.nioapic == 1 && acpi.ioapic[0].addr == 0xfec00000 && acpi.ioapic[0].id == 5);
	CHECK(acpi.noverride == 1 && acpi.override[0].gsi == 2 && acpi.override[0].flags == 5);
	CHECK(acpi.nnmi == 1 && acpi.nmi[0].all && acpi.nmi[0].lint == 1);
	CHECK(acpi.pm_timer == 0x608 && acpi.pm_timer_32 && acpi.pm1a_cnt == 0x604 && !acpi.pm1b_cnt);
	CHECK(acpi.reset.addr == 0xcf9 && acpi.reset_value == 0x0e && !acpi.sleep_control.addr);
	CHECK(acpi.s5_valid && acpi.s5_a == 5 && acpi.s5_b == 6);
	CHECK(acpi.hpet == 0xfed00000);
	CHECK(acpi_table("HPET", 0) && !acpi_table("HPET", 1) && !acpi_table("MCFG", 0));
}

/* One defect, what it must lead to. */
static void named_defects(void)
{
	mem[MADT + 50] ^= 1; /* sum */
	run(0);
	CHECK(messages == 1 && nmadt_cpus == 0 && acpi.hpet);
	unmap(), memcpy(mem, good, MEM);

	put(XSDT + 4, 0xffffff00, 4); /* length: the RSDT takes over */
	run(ROOT);
	CHECK(messages == 1 && nmadt_cpus == 4);
	unmap(), memcpy(mem, good, MEM);

	mem[MADT + 44 + 9] = 0; /* an entry of length 0 must not hang */
	fix_sum(MADT, MADT + 9, good[MADT + 4]);
	run(ROOT);
	CHECK(messages == 1 && nmadt_cpus == 1);
	unmap(), memcpy(mem, good, MEM);

	mem[DSDT + 54] = 'x'; /* no _S5 */
	fix_sum(DSDT, DSDT + 9, good[DSDT + 4]);
	run(ROOT);
	CHECK(messages == 0 && !acpi.s5_valid);
	unmap(), memcpy(mem, good, MEM);

	header(DSDT, "DSDT", 50 + 10); /* ends behind the package's count */
	run(ROOT);
	CHECK(messages == 0 && !acpi.s5_valid);
	unmap(), memcpy(mem, good, MEM);

	run(MEM + 64); /* nothing there */
	CHECK(messages == 1 && !acpi.present && nmadt_cpus == 0);
	unmap();
	mem[ROOT] = 0;
	run(0);
	CHECK(messages == 0 && !acpi.present);
	unmap(), memcpy(mem, good, MEM);
}

static void random_defects(unsigned seed, unsigned rounds)
{
	static const uint32_t at[] = { ROOT, XSDT, RSDT, FADT, DSDT, MADT, HPET, SSDT };
	static const uint32_t odd[] = { 0, 1, 2, 35, 36, 255, 0xffff, 0x80000000, 0xffffffff };
	srand(seed);
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned k = 1 + rand() % 4; k > 0; k--) {
			uint32_t t = at[rand() % 8], off = rand() % 300;
			if (rand() % 4 == 0)
				off = 4; /* the length, most interesting of all */
			if (rand() % 2)
				mem[t + off] = rand();
			else
				put(t + off, odd[rand() % 9] + rand() % 3, rand() % 2 ? 4 : 1);
			uint32_t len;
			memcpy(&len, mem + t + 4, 4);
			if (t != ROOT && rand() % 8)
				fix_sum(t, t + 9, len < MEM - t ? len : MEM - t);
			if (t == ROOT && rand() % 8)
				fix_sum(ROOT, ROOT + 8, 20), fix_sum(ROOT, ROOT + 32, 36);
		}
		run(rand() % 2 ? ROOT : 0);
		unmap();
		memcpy(mem, good, MEM);
	}
}

int main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 2000;
	build();
	run(0);
	check_good();
	unmap();
	named_defects();
	random_defects(seed, rounds);
	printf("%s acpi %u damaged machines, seed %u\n", bad ? "FAIL" : "ok", rounds, seed);
	return bad != 0;
}
