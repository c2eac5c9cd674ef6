/* firmware.c: what firmware says of the machine: ACPI tables (kernel/acpi.c, numa.c, with memory
 * that is handed out in copies of exactly the bytes asked for), and maps of the memory
 * (kernel/bootmem.c). */
#include "kernel/acpi.c"
#include "kernel/base.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

enum { MEM = 0x3000, ROOT = 0x100, XSDT = 0x200, TABLES = 0x400 };

static uint8_t mem[MEM], *maps[4096];
static unsigned nmaps;
struct cpu_features cpu_feat = { .phys_bits = 40 };
struct cpu_ident cpu_ident = { .max_leaf = 1 };

const void *phys_map(uint64_t pa, size_t len)
{
	uint8_t all[0x2000];
	FUZZ_CHECK(nmaps < sizeof maps / sizeof maps[0]);
	/* What no table fills is all ones, as where no memory is. */
	memset(all, 0xff, sizeof all);
	for (size_t i = 0; i < len && i < sizeof all && pa + i < MEM; i++)
		all[i] = mem[pa + i];
	return maps[nmaps++] = len <= sizeof all ? fuzz_copy(all, len) : fuzz_zeroed(len);
}

volatile void *(*fuzz_mmio)(uint64_t pa, size_t n);
volatile void *mmio_map(uint64_t pa, size_t len) { return fuzz_mmio ? fuzz_mmio(pa, len) : (volatile void *)phys_map(pa, len); }
bool klog_on;
void klog(const char *fmt, ...) {}

void kprintf(const char *fmt, ...)
{
	char buf[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap); /* so that its arguments are looked at */
	va_end(ap);
}

#include "tests/system/acpi_tables.h"

/* Tables: which, how many bytes behind the header, then they; their sums are right.  Then
 * bytes anywhere. */
FUZZ(acpi, NULL)
{
	static const char *const known[] = { "FACP", "APIC", "HPET", "SSDT", "DSDT", "MCFG", "SRAT", "SLIT" };
	unsigned ntab = 0, at = TABLES, how = fuzz_byte(&p, &n);
	uint32_t ids[8];

	memset(mem, 0, MEM);
	while (n > 2 && ntab < 8 && at < MEM - 0x200) {
		const char *sig = known[fuzz_byte(&p, &n) % 8];
		unsigned k = fuzz_byte(&p, &n);
		k = k < n ? k : (unsigned)n;
		memcpy(mem + at + 36, p, k);
		p += k, n -= k;
		if (!memcmp(sig, "FACP", 4) && ntab && !(how & 8))
			put(at + 40, TABLES + 0x200, 4); /* the second is likely the DSDT */
		header(at, sig, 36 + k);
		put(XSDT + 36 + 8 * ntab++, at, 8);
		at += 0x200;
	}
	header(XSDT, how & 1 ? "RSDT" : "XSDT", 36 + 8 * ntab);
	memcpy(mem + ROOT, "RSD PTR ", 8);
	mem[ROOT + 15] = how & 1 ? 0 : 2;
	put(ROOT + 16, XSDT, 4), put(ROOT + 20, 36, 4), put(ROOT + 24, XSDT, 8);
	fix_sum(ROOT, ROOT + 8, 20), fix_sum(ROOT, ROOT + 32, 36);
	while (how & 6 && n >= 3)
		mem[(p[0] | p[1] << 8) % MEM] = p[2], p += 3, n -= 3;

	memset(&acpi, 0, sizeof acpi);
	ntables = nmadt_cpus = nmadt_cut = 0;
	acpi_init(ROOT);
	unsigned cores = acpi_cores(ids, 8);
	FUZZ_CHECK(cores >= 1 && cores == acpi_cores(NULL, 0));
	for (unsigned i = 0; i < 8; i++)
		acpi_table(known[i], 0), acpi_uid_of(i);
	FUZZ_CHECK(numa_init() <= 8);
	for (uint64_t pa = 0, end; pa < 1ull << 40; pa = end > pa ? end : ~0ull) {
		end = 1ull << 40;
		FUZZ_CHECK(numa_of_memory(pa, &end) < 8);
	}
	FUZZ_CHECK(numa_of_core(1) < 8);
	while (nmaps)
		fuzz_free(maps[--nmaps]);
}

static void check(const struct mem_range *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		FUZZ_CHECK(t[i].len && t[i].base % PAGE_SIZE == 0 && t[i].len % PAGE_SIZE == 0);
		FUZZ_CHECK(i == 0 || t[i - 1].base + t[i - 1].len <= t[i].base);
		FUZZ_CHECK(t[i].base + t[i].len > t[i].base && t[i].base + t[i].len <= 1ull << 40);
	}
}

/* Ranges of 17 bytes, then what is reserved and taken. */
FUZZ(memory_map, NULL)
{
	static struct bootmem bm;
	struct boot_mem map[24] = {};
	unsigned k = 0;
	uint64_t v[2];

	for (; n >= 17 && k < 24 && p[0] != 255; p += 17, n -= 17, k++) {
		memcpy(&map[k].base, p + 1, 8);
		memcpy(&map[k].len, p + 9, 8);
		map[k].type = p[0];
	}
	if (bootmem_init(&bm, map, k, 40))
		return;
	check(bm.free, bm.nfree);
	for (fuzz_byte(&p, &n); n >= 17; p += 17, n -= 17) {
		memcpy(v, p + 1, 16);
		if (p[0] & 1) {
			bootmem_reserve(&bm, v[0], v[1]);
		} else {
			uint64_t at = bootmem_take(&bm, (v[0] & 0xff) + 1, v[1] & 0xfff000, 1ull << 40);
			FUZZ_CHECK(at % PAGE_SIZE == 0);
		}
		bootmem_is_ram(&bm, v[0], v[1]);
		bootmem_listed(map, k, v[0], v[1]);
		check(bm.free, bm.nfree);
	}
	bootmem_free_bytes(&bm);
}
