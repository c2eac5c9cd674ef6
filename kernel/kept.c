/* kept.c: the report of a run that ended badly, kept over a warm reboot.
 *
 * From fatal_begin() on all that the console shows is also written to a record at
 * the begin of free memory, which kept_end() seals with a checksum; the next boot,
 * which takes the same pages before anything else, prints what is sealed, once.  A
 * reset of QEMU leaves memory as it is; firmware may not, and another image or
 * amount of memory may have the record elsewhere: then there is none.
 *
 * Invariant: the pages belong to nobody else; text below len is the report. */
#include "base.h"

#define KEPT_PAGES 2ul
#define KEPT_MAGIC 0x7065b420746f676eul
#define KEPT_FROM (1ul << 20) /* what lies lower is the firmware's playground */
#define KEPT_BELOW (1ul << 32) /* where the doors' map reaches */

struct kept {
	uint64_t magic;
	uint32_t len, sum;
	char text[KEPT_PAGES * PAGE_SIZE - 16];
};

static struct kept *kept; /* NULL until there is one */

static uint32_t checksum(void)
{
	uint32_t sum = kept->len;
	for (uint32_t i = 0; i < kept->len; i++)
		sum = sum * 31 + (uint8_t)kept->text[i];
	return sum;
}

uint64_t kept_take(void)
{
	return bootmem_take(&bootmem, KEPT_PAGES, KEPT_FROM, KEPT_BELOW);
}

void kept_init(uint64_t pa)
{
	kept = pa ? phys_to_virt(pa) : NULL;
	if (!kept)
		return;
	klog("kept: reports of crashes at 0x%lx\n", pa);
	if (kept->magic == KEPT_MAGIC && kept->len <= sizeof kept->text && kept->sum == checksum()) {
		kprintf("ingot: the last run ended with:\n");
		console_write(kept->text, kept->len);
		kprintf("ingot: that was the last run\n");
	}
	kept->magic = kept->len = 0;
}

void kept_write(const char *s, size_t n)
{
	if (!kept)
		return;
	while (n-- && kept->len < sizeof kept->text)
		kept->text[kept->len++] = *s++;
}

void kept_end(void)
{
	if (!kept || !kept->len)
		return;
	kept->sum = checksum();
	kept->magic = KEPT_MAGIC;
	__asm__ volatile("wbinvd" ::: "memory"); /* a reset may drop what is only cached */
	kept = NULL;
}
