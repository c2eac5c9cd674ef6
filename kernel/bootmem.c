/* bootmem.c: the firmware's memory map made trustworthy.
 *
 * Input is struct boot_info's map: unsorted, unaligned, overlapping, perhaps
 * nonsense.  Output are two sorted tables of disjoint page-aligned ranges:
 * ram (all that is usable) and free (what of it is not reserved yet).
 *
 * Rules: a byte is RAM only if some usable entry covers it and no other entry
 * does, so usable ranges shrink to whole pages and all others grow to them;
 * entries that wrap or lie above the CPU's physical address width are cut;
 * page 0 is never free.
 *
 * Pure: touches no machine, so that tests/system/bootmem_test.c can run it. */
#include "base.h"

#define PAGE_MASK (PAGE_SIZE - 1)

static void move_down(struct mem_range *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		r[i] = r[i + 1];
}

/* Removes [lo, hi) from the table.  False if a split needs more room. */
static bool subtract(struct mem_range *t, unsigned *n, uint64_t lo, uint64_t hi)
{
	for (unsigned i = 0; i < *n;) {
		struct mem_range *r = &t[i];
		uint64_t end = r->base + r->len;
		if (hi <= r->base || end <= lo) {
			i++;
		} else if (lo <= r->base && end <= hi) {
			move_down(r, --*n - i);
		} else if (lo <= r->base) {
			r->base = hi;
			r->len = end - hi;
			i++;
		} else if (end <= hi) {
			r->len = lo - r->base;
			i++;
		} else {
			if (*n == BOOTMEM_MAX)
				return false;
			for (unsigned j = (*n)++; j > i + 1; j--)
				t[j] = t[j - 1];
			r->len = lo - r->base;
			r[1] = (struct mem_range){hi, end - hi};
			i += 2;
		}
	}
	return true;
}

/* Adds [lo, hi) to the sorted table, merged with what it touches. */
static bool insert(struct mem_range *t, unsigned *n, uint64_t lo, uint64_t hi)
{
	unsigned i = 0;
	while (i < *n && t[i].base + t[i].len < lo)
		i++;
	while (i < *n && t[i].base <= hi) {
		uint64_t end = t[i].base + t[i].len;
		lo = t[i].base < lo ? t[i].base : lo;
		hi = end > hi ? end : hi;
		move_down(&t[i], --*n - i);
	}
	if (*n == BOOTMEM_MAX)
		return false;
	for (unsigned j = (*n)++; j > i; j--)
		t[j] = t[j - 1];
	t[i] = (struct mem_range){lo, hi - lo};
	return true;
}

const char *bootmem_init(struct bootmem *bm, const struct boot_mem *map, unsigned n, unsigned phys_bits)
{
	uint64_t limit = 1ul << (phys_bits < 45 ? phys_bits : 45); /* what the direct map can hold */

	bm->nram = bm->nfree = 0;
	bm->total = 0;
	if (n == 0)
		return "the boot loader gave no memory map";
	for (unsigned i = 0; i < n; i++) {
		uint64_t lo = map[i].base, hi = lo + map[i].len;
		if (map[i].type != BOOT_MEM_USABLE)
			continue;
		if (hi < lo || hi > limit)
			hi = limit;
		lo = (lo + PAGE_MASK) & ~PAGE_MASK;
		hi &= ~PAGE_MASK;
		if (lo < hi && !insert(bm->ram, &bm->nram, lo, hi))
			return "the memory map has too many ranges";
	}
	for (unsigned i = 0; i < n; i++) {
		uint64_t lo = map[i].base, hi = lo + map[i].len;
		if (map[i].type == BOOT_MEM_USABLE || map[i].len == 0)
			continue;
		if (hi < lo || hi > limit)
			hi = limit;
		if (lo < hi && !subtract(bm->ram, &bm->nram, lo & ~PAGE_MASK, (hi + PAGE_MASK) & ~PAGE_MASK))
			return "the memory map has too many ranges";
	}
	for (unsigned i = 0; i < bm->nram; i++) {
		bm->free[i] = bm->ram[i];
		bm->total += bm->ram[i].len;
	}
	bm->nfree = bm->nram;
	if (bm->nram == 0)
		return "the memory map lists no usable memory";
	subtract(bm->free, &bm->nfree, 0, PAGE_SIZE);
	return NULL;
}

bool bootmem_reserve(struct bootmem *bm, uint64_t base, uint64_t len)
{
	if (len == 0)
		return true;
	uint64_t hi = (base + len + PAGE_MASK) & ~PAGE_MASK;
	if (hi < base) /* it wraps */
		hi = ~PAGE_MASK;
	return subtract(bm->free, &bm->nfree, base & ~PAGE_MASK, hi);
}

bool bootmem_is_ram(const struct bootmem *bm, uint64_t base, uint64_t len)
{
	for (unsigned i = 0; i < bm->nram; i++)
		if (base >= bm->ram[i].base && base - bm->ram[i].base <= bm->ram[i].len &&
		    len <= bm->ram[i].len - (base - bm->ram[i].base))
			return true;
	return false;
}

bool bootmem_listed(const struct boot_mem *map, unsigned n, uint64_t base, uint64_t len)
{
	uint64_t at = base, end = base + len;

	if (end < base)
		return false;
	for (unsigned i = 0; i < n && at < end; i++) {
		uint64_t lo = map[i].base, hi = lo + map[i].len;
		if (map[i].type != BOOT_MEM_BAD && lo <= at && at < hi) {
			at = hi;
			i = -1u; /* once more from the start: the map is not sorted */
		}
	}
	return at >= end;
}

uint64_t bootmem_take(struct bootmem *bm, size_t n, uint64_t from, uint64_t limit)
{
	uint64_t need = n * PAGE_SIZE, best = 0;

	for (unsigned i = 0; i < bm->nfree; i++) {
		uint64_t lo = bm->free[i].base, hi = lo + bm->free[i].len;
		if (hi > limit)
			hi = limit;
		if (lo >= hi || hi - lo < need)
			continue;
		if (hi > from && hi - (lo > from ? lo : from) >= need) {
			best = lo > from ? lo : from;
			break;
		}
		best = hi - need; /* below from: the highest wins */
	}
	if (best && !bootmem_reserve(bm, best, need))
		return 0;
	return best;
}

uint64_t bootmem_free_bytes(const struct bootmem *bm)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < bm->nfree; i++)
		sum += bm->free[i].len;
	return sum;
}
