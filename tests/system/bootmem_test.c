/* bootmem_test.c: kernel/bootmem.c as a Linux program: maps as firmware gives
 * them and random ones against a page-by-page model.  Run by bootmem.sh. */
#include "kernel/base.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 64u
static int bad;
static struct bootmem bm;

#define CHECK(c, ...) \
	do { \
		if (!(c)) { \
			printf("FAIL bootmem: %s: ", #c); \
			printf(__VA_ARGS__); \
			printf("\n"); \
			bad++; \
		} \
	} while (0)

static void check_table(const struct mem_range *t, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++) {
		CHECK(t[i].len && t[i].base % PAGE_SIZE == 0 && t[i].len % PAGE_SIZE == 0, "%s[%u]", name, i);
		CHECK(i == 0 || t[i - 1].base + t[i - 1].len <= t[i].base, "%s[%u] out of order", name, i);
	}
}

static bool has_page(const struct mem_range *t, unsigned n, uint64_t page)
{
	for (unsigned i = 0; i < n; i++)
		if (page * PAGE_SIZE >= t[i].base && page * PAGE_SIZE < t[i].base + t[i].len)
			return true;
	return false;
}

static void random_maps(unsigned seed)
{
	srand(seed);
	for (unsigned round = 0; round < 20000; round++) {
		struct boot_mem map[12];
		unsigned n = 1 + (unsigned)rand() % 12;
		bool usable[PAGES] = {0}, other[PAGES] = {0}, taken[PAGES] = {0};
		taken[0] = true;
		for (unsigned i = 0; i < n; i++) {
			uint64_t unit = rand() % 4 ? PAGE_SIZE : 512;
			uint64_t lo = (unsigned)rand() % (PAGES * PAGE_SIZE / unit) * unit;
			uint64_t len = (unsigned)rand() % (20 * PAGE_SIZE / unit) * unit;
			if (lo + len > PAGES * PAGE_SIZE)
				len = PAGES * PAGE_SIZE - lo;
			map[i] = (struct boot_mem){lo, len, 1 + (unsigned)rand() % 3 % 2, 0};
			for (unsigned p = 0; p < PAGES; p++) {
				uint64_t a = p * PAGE_SIZE, b = a + PAGE_SIZE;
				if (map[i].type == BOOT_MEM_USABLE)
					usable[p] |= lo <= a && lo + len >= b;
				else
					other[p] |= len && lo < b && lo + len > a;
			}
		}
		const char *wrong = bootmem_init(&bm, map, n, 40);
		bool any = false;
		for (unsigned p = 0; p < PAGES; p++)
			any |= usable[p] && !other[p];
		CHECK((wrong == NULL) == any, "seed %u round %u: %s", seed, round, wrong ? wrong : "accepted");
		if (wrong)
			continue;
		for (unsigned k = 0; k < 4; k++) {
			uint64_t lo = (unsigned)rand() % (PAGES * PAGE_SIZE), len = (unsigned)rand() % (4 * PAGE_SIZE);
			CHECK(bootmem_reserve(&bm, lo, len), "table full");
			for (unsigned p = 0; p < PAGES; p++)
				taken[p] |= len && lo < (p + 1) * PAGE_SIZE && lo + len > p * PAGE_SIZE;
		}
		for (unsigned k = 0; k < 4; k++) {
			size_t want = 1 + (size_t)rand() % 3;
			uint64_t from = (unsigned)rand() % PAGES * PAGE_SIZE, limit = (unsigned)rand() % PAGES * PAGE_SIZE;
			uint64_t pa = bootmem_take(&bm, want, from, limit);
			CHECK(pa % PAGE_SIZE == 0 && (!pa || pa + want * PAGE_SIZE <= limit), "take outside its limit");
			bool possible = false;
			for (unsigned p = 0; p + want <= limit / PAGE_SIZE; p++) {
				bool ok = true;
				for (unsigned q = p; q < p + want; q++)
					ok &= usable[q] && !other[q] && !taken[q];
				possible |= ok;
			}
			CHECK(possible == (pa != 0), "seed %u round %u take %zu below %lx: %lx", seed, round, want, limit, pa);
			for (unsigned p = 0; pa && p < want; p++) {
				CHECK(!taken[pa / PAGE_SIZE + p], "page taken twice");
				taken[pa / PAGE_SIZE + p] = true;
			}
		}
		check_table(bm.ram, bm.nram, "ram");
		check_table(bm.free, bm.nfree, "free");
		for (unsigned p = 0; p < PAGES; p++) {
			bool ram = usable[p] && !other[p];
			CHECK(has_page(bm.ram, bm.nram, p) == ram, "seed %u round %u page %u", seed, round, p);
			CHECK(has_page(bm.free, bm.nfree, p) == (ram && !taken[p]), "seed %u round %u free page %u", seed, round, p);
		}
	}
}

static void odd_maps(void)
{
	CHECK(bootmem_init(&bm, NULL, 0, 40), "an empty map");
	struct boot_mem none[] = {{0x1000, 0x800, BOOT_MEM_USABLE, 0}, {0x200000, 1 << 20, BOOT_MEM_ACPI, 0}};
	CHECK(bootmem_init(&bm, none, 2, 40), "no whole usable page");

	/* An entry that wraps, one above what the CPU addresses, an unknown type. */
	struct boot_mem wrap[] = {{1 << 20, UINT64_MAX, BOOT_MEM_USABLE, 0},
				  {1ul << 50, 1ul << 30, BOOT_MEM_USABLE, 0},
				  {2 << 20, 1 << 20, 77, 0}};
	CHECK(!bootmem_init(&bm, wrap, 3, 36), "wrapping entry");
	CHECK(bm.nram == 2 && bm.ram[1].base + bm.ram[1].len == 1ul << 36, "cut at 36 bits");
	CHECK(bm.total == (1ul << 36) - (2 << 20), "total %lx", bm.total);
	CHECK(bootmem_is_ram(&bm, 1 << 20, 1 << 20) && !bootmem_is_ram(&bm, 1 << 20, (1 << 20) + 1), "is_ram");
	CHECK(!bootmem_is_ram(&bm, (1ul << 36) - 1, UINT64_MAX), "is_ram wraps");

	/* What a module may lie in: pieces that meet, of any type but bad. */
	struct boot_mem pieces[] = {{0x5000, 0x1000, BOOT_MEM_BAD, 0}, {0x3000, 0x1000, BOOT_MEM_RESERVED, 0},
				    {0x1000, 0x2000, BOOT_MEM_USABLE, 0}, {0x4000, 0x1000, 9, 0}};
	CHECK(bootmem_listed(pieces, 4, 0x1800, 0x3800), "three pieces");
	CHECK(!bootmem_listed(pieces, 4, 0x1800, 0x3801), "into bad memory");
	CHECK(!bootmem_listed(pieces, 4, 0xfff, 2) && !bootmem_listed(pieces, 4, 0x2000, UINT64_MAX), "outside");

	/* More holes than the tables hold: refused, not overrun. */
	static struct boot_mem many[BOOT_MAX_MEM];
	many[0] = (struct boot_mem){0, 1ul << 32, BOOT_MEM_USABLE, 0};
	for (unsigned i = 1; i < BOOT_MAX_MEM; i++)
		many[i] = (struct boot_mem){i * 0x10000, 1, BOOT_MEM_RESERVED, 0};
	CHECK(!bootmem_init(&bm, many, BOOT_MAX_MEM, 40) && bm.nram == BOOT_MAX_MEM, "nram %u", bm.nram);
	unsigned i = 0;
	while (i < 1000 && bootmem_reserve(&bm, 0x4000 + i * 0x10000ul, 1))
		i++;
	CHECK(i < 1000 && bm.nfree == BOOTMEM_MAX, "full after %u, %u ranges", i, bm.nfree);
	check_table(bm.free, bm.nfree, "free");
}

int main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	odd_maps();
	random_maps(seed);
	if (!bad)
		printf("PASS bootmem (seed %u)\n", seed);
	return bad != 0;
}
