/* probe.c: stands in for the kernel, to look at what the UEFI loader hands over.
 *
 * First fills all memory that the map calls usable (below 4 GiB, all that is
 * mapped) with junk: whatever the loader left there by mistake (page tables,
 * modules, boot_info, this image) is gone then.  Then prints on COM1 one
 * "name value ..." line for each fact, numbers in hex, for uefi.py to judge,
 * "end", and ends QEMU by its debug port.  Uses no stack but its own. */
#include "boot/boot_info.h"

#define JUNK 0xa5a5a5a5a5a5a5a5ull
#define BELOW_4G 0x100000000ull
#define PROBE_STATUS 7 /* as uefi.py has it; not what QEMU itself ends with */

static char big_bss[3 << 20]; /* over a 2 MiB boundary, so alignment shows */
static volatile uint32_t initialised = 0x1234;

static void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static void text(const char *s)
{
	while (*s)
		out8(0x3f8, *s++);
}

static void number(uint64_t v)
{
	out8(0x3f8, ' ');
	for (int shift = 60; shift >= 0; shift -= 4)
		if (v >> shift || shift == 0)
			out8(0x3f8, "0123456789abcdef"[v >> shift & 15]);
}

static void fact(const char *name, uint64_t v)
{
	text(name);
	number(v);
	text("\n");
}

static uint64_t sum(const uint8_t *p, uint64_t n)
{
	uint64_t s = 0;
	while (n--)
		s += *p++;
	return s;
}

static void fill(uint64_t base, uint64_t len)
{
	uint64_t words = len / 8;
	__asm__ volatile("rep stosq" : "+D"(base), "+c"(words) : "a"(JUNK) : "memory");
}

/* Called by start below: info as given, where `start` lies, flags and the
 * stack pointer at entry. */
__attribute__((used)) static void probe(struct boot_info *b, uint64_t start, uint64_t flags,
                                        uint64_t rsp)
{
	uint64_t cr0, cr3, cr4;
	__asm__ volatile("mov %%cr0, %0; mov %%cr3, %1; mov %%cr4, %2" : "=r"(cr0), "=r"(cr3), "=r"(cr4));
	text("\nprobe\n");
	for (uint32_t i = 0; i < b->nmem && i < BOOT_MAX_MEM; i++)
		if (b->mem[i].type == BOOT_MEM_USABLE && b->mem[i].base + b->mem[i].len <= BELOW_4G)
			fill(b->mem[i].base, b->mem[i].len);
	__asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory"); /* forget cached entries */
	fact("start", start);
	fact("rflags", flags);
	fact("rsp", rsp);
	fact("cr0", cr0);
	fact("cr3", cr3);
	fact("cr4", cr4);
	fact("bss", sum((uint8_t *)big_bss, sizeof big_bss));
	fact("data", initialised);
	fact("info", (uint64_t)b);
	fact("infosize", sizeof *b);
	fact("magic", b->magic);
	fact("door", b->door);
	fact("flags", b->flags);
	fact("rsdp", b->rsdp);
	text("fb");
	number(b->fb.base), number(b->fb.size), number(b->fb.width), number(b->fb.height);
	number(b->fb.pitch), number(b->fb.bgr);
	text("\n");
	for (uint32_t i = 0; i < b->nmem; i++) {
		text("mem");
		number(b->mem[i].base), number(b->mem[i].len), number(b->mem[i].type);
		text("\n");
	}
	for (uint32_t i = 0; i < b->nmodules; i++) {
		struct boot_module *m = &b->modules[i];
		text("module");
		number(m->base), number(m->len), number(sum((uint8_t *)m->base, m->len));
		text(" ");
		text(m->name);
		text("\n");
	}
	text("cmdline ");
	text(b->cmdline);
	text("\nend\n");
	out8(0xf4, PROBE_STATUS);
}

__asm__(".section .text.start, \"ax\"\n"
        ".globl start\n"
        "start:\n"
        "	pushfq\n"
        "	pop %rdx\n"
        "	mov %rsp, %rcx\n"
        "	lea start(%rip), %rsi\n"
        "	lea stack_top(%rip), %rsp\n"
        "	call probe\n"
        "1:	hlt\n"
        "	jmp 1b\n"
        ".section .bss\n"
        ".balign 16\n"
        "	.skip 4096\n"
        "stack_top:\n"
        ".text\n");
