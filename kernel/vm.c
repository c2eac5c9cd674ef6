/* vm.c: the kernel's address space.
 *
 * Built once, on core 0, from the checked memory map and from the image's own
 * program headers; all cores share one root.  Invariants:
 *   - nothing is writable and executable; the image is reachable only at its
 *     linked address, each segment with its own rights, so no alias of code
 *     is writable
 *   - nothing at address 0 and in the lower half at all
 *   - the direct map has the largest pages the ranges and the CPU allow, the
 *     mutator view of the same memory 4 KiB pages throughout, whose dirty bits
 *     are the collector's (track.c)
 *   - device memory is never in the direct map
 *   - no global pages, no PCID: a CR3 load flushes everything (rule S3)
 * Tables come from the front of free memory behind the image.  While they are
 * built the door's one-to-one map of the low 4 GiB is still on, so they are
 * taken below 4 GiB then and reached by physical address.
 *
 * PAT entry 1 is write-combining (cpu_percore_init), so PWT alone means WC. */
#include "base.h"

/* The two ELF structures (System V gABI, "Object Files"), as far as used. */
struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum;
};
struct elf_segment {
	uint32_t type, flags; /* SEG_* */
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
enum { SEG_LOAD = 1, SEG_X = 1, SEG_W = 2 };

extern const struct elf_header __ehdr_start;
extern uint64_t boot_pml4[], boot_pdpt_low[], boot_pd_low[];

struct bootmem bootmem;
uint64_t image_delta, vm_root, vm_ap_cr3;

#define ADDRESS_LOW4G (1ul << 32)
#define SEALED_RESERVE 8 /* pages kept for mmio_map() once the runtime owns the rest */

static uintptr_t table_window;   /* + physical = address of a table */
static uint64_t alloc_limit = ADDRESS_LOW4G;
static uint64_t pte_nx;
static uint64_t reserve[SEALED_RESERVE];
static unsigned nreserve;
static bool sealed;
static uintptr_t device_next = DEVICE_BASE;
static uintptr_t core_stack_next = CORE_STACK_BASE;
static uint32_t device_lock;     /* acquire / release; guards device_next and its tables */

uint64_t image_phys_base(void)
{
	return (uintptr_t)&__ehdr_start - IMAGE_BASE + image_delta;
}

static const struct elf_segment *phdr(unsigned i)
{
	return (const struct elf_segment *)((uintptr_t)&__ehdr_start + __ehdr_start.phoff) + i;
}

uint64_t image_phys_end(void)
{
	uintptr_t end = 0;
	for (unsigned i = 0; i < __ehdr_start.phnum; i++) {
		const struct elf_segment *p = phdr(i);
		if (p->type == SEG_LOAD && p->memsz && p->vaddr + p->memsz > end)
			end = p->vaddr + p->memsz;
	}
	return ((end + PAGE_SIZE - 1) & -PAGE_SIZE) - IMAGE_BASE + image_delta;
}

static uint64_t take_pages(size_t n)
{
	uint64_t pa = 0;
	if (!sealed)
		pa = bootmem_take(&bootmem, n, image_phys_end(), alloc_limit);
	else if (n == 1 && nreserve)
		pa = reserve[--nreserve];
	if (!pa)
		kpanic("out of memory for page tables and stacks: %lu KiB of RAM are too little",
		       bootmem.total >> 10);
	return pa;
}

static uint64_t *table_at(uint64_t entry)
{
	return (uint64_t *)(table_window + (entry & PTE_ADDR));
}

static uint64_t new_table(void)
{
	uint64_t pa = take_pages(1);
	kmemset(table_at(pa), 0, PAGE_SIZE);
	return pa;
}

/* The entry of va in the table of the given level (0: 4 KiB), tables above it
 * made as needed. */
static uint64_t *entry_for(uintptr_t va, int level)
{
	uint64_t *t = table_at(vm_root);
	for (int l = 3;; l--) {
		uint64_t *e = &t[va >> (12 + 9 * l) & 511];
		if (l == level)
			return e;
		if (!(*e & PTE_P))
			*e = new_table() | PTE_P | PTE_W | PTE_A;
		t = table_at(*e);
	}
}

/* All arguments 4 KiB aligned; accessed and dirty are set from the start. */
static void map(uintptr_t va, uint64_t pa, uint64_t len, uint64_t flags)
{
	int biggest = cpu_feat.pg1g ? 2 : 1;
	flags |= PTE_P | PTE_A | (flags & PTE_W ? PTE_D : 0);
	while (len) {
		int l = biggest;
		uint64_t size = PAGE_SIZE << (9 * l);
		while (l && ((va | pa) & (size - 1) || len < size))
			size = PAGE_SIZE << (9 * --l);
		*entry_for(va, l) = pa | flags | (l ? PTE_PS : 0);
		va += size;
		pa += size;
		len -= size;
	}
}

static void map_image(void)
{
	for (unsigned i = 0; i < __ehdr_start.phnum; i++) {
		const struct elf_segment *p = phdr(i);
		if (p->type != SEG_LOAD || p->memsz == 0)
			continue;
		uintptr_t lo = p->vaddr & -PAGE_SIZE;
		uintptr_t hi = (p->vaddr + p->memsz + PAGE_SIZE - 1) & -PAGE_SIZE;
		uint64_t flags = (p->flags & SEG_W ? PTE_W : 0) | (p->flags & SEG_X ? 0 : pte_nx);
		map(lo, lo - IMAGE_BASE + image_delta, hi - lo, flags);
	}
}

/* All memory in one call for each range: a walk for each table, not for each
 * of its entries. */
static void map_mutator(uint64_t lo, uint64_t hi)
{
	const uint64_t flags = PTE_P | PTE_W | PTE_A | PTE_D | pte_nx;
	while (lo < hi) {
		uint64_t end = (lo | (PAGE_SIZE * 512 - 1)) + 1;
		uint64_t *e = entry_for(MUTATOR_BASE + lo, 0);
		for (; lo < end && lo < hi; lo += PAGE_SIZE)
			*e++ = lo | flags;
	}
}

static void map_direct(uint64_t lo, uint64_t hi)
{
	if (lo >= hi)
		return;
	map(DIRECT_BASE + lo, lo, hi - lo, PTE_W | pte_nx);
	map_mutator(lo, hi);
}

void vm_init(void)
{
	uint64_t ilo = image_phys_base(), ihi = image_phys_end();

	if (cpu_feat.nx) {
		pte_nx = PTE_NX;
		wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x800); /* EFER.NXE */
	}
	vm_root = new_table();
	map_image();
	for (unsigned i = 0; i < bootmem.nram; i++) {
		uint64_t lo = bootmem.ram[i].base, hi = lo + bootmem.ram[i].len;
		if (hi <= ilo || lo >= ihi) {
			map_direct(lo, hi);
		} else {
			map_direct(lo, ilo);
			map_direct(ihi, hi);
		}
	}
	__asm__ volatile("mov %0, %%cr3" ::"r"(vm_root) : "memory");
	table_window = DIRECT_BASE;
	alloc_limit = UINT64_MAX;

	/* The root for starting cores: the low 2 MiB one to one; its upper half is
	 * a copy of ours. */
	kmemset(boot_pml4, 0, PAGE_SIZE);
	kmemset(boot_pdpt_low, 0, PAGE_SIZE);
	kmemset(boot_pd_low, 0, PAGE_SIZE);
	boot_pml4[0] = virt_to_phys(boot_pdpt_low) | PTE_P | PTE_W;
	boot_pdpt_low[0] = virt_to_phys(boot_pd_low) | PTE_P | PTE_W;
	boot_pd_low[0] = PTE_P | PTE_W | PTE_PS;
	/* Tables below these roots must exist before the copy: from then on a
	 * change below a shared root entry is seen through both. */
	entry_for(DEVICE_BASE, 2);
	entry_for(CORE_STACK_BASE, 2);
	uint64_t *root = table_at(vm_root);
	for (unsigned i = 256; i < 512; i++)
		boot_pml4[i] = root[i];
	vm_ap_cr3 = virt_to_phys(boot_pml4);
}

void *pages_alloc_boot(size_t n)
{
	uint64_t pa = take_pages(n);
	kmemset(phys_to_virt(pa), 0, n * PAGE_SIZE);
	return phys_to_virt(pa);
}

void *page_alloc_boot(void)
{
	return pages_alloc_boot(1);
}

uint64_t page_alloc_low(void)
{
	return bootmem_take(&bootmem, 1, 0, 0xa0000);
}

void vm_seal(void)
{
	while (nreserve < SEALED_RESERVE)
		reserve[nreserve++] = take_pages(1);
	sealed = true;
}

uint64_t virt_to_phys(const void *va)
{
	uintptr_t a = (uintptr_t)va;
	if (a >= IMAGE_BASE)
		return a - IMAGE_BASE + image_delta;
	return a - (a >= MUTATOR_BASE ? MUTATOR_BASE : DIRECT_BASE);
}

uint64_t vm_lookup(uintptr_t va)
{
	const uint64_t *t = table_at(vm_root);
	for (int l = 3;; l--) {
		uint64_t e = t[va >> (12 + 9 * l) & 511];
		if (!(e & PTE_P) || l == 0 || e & PTE_PS)
			return e & PTE_P ? e : 0;
		t = table_at(e);
	}
}

/* A piece of the device window onto physical memory; large pages when it is
 * large, so that a framebuffer costs no tables. */
static void *device_map(uint64_t pa, size_t len, uint64_t flags)
{
	uint64_t lo = pa & -PAGE_SIZE, hi = (pa + len + PAGE_SIZE - 1) & -PAGE_SIZE;
	uint64_t big = PAGE_SIZE << 9;

	kernel_enter();
	while (__atomic_exchange_n(&device_lock, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
	uintptr_t va = device_next;
	if (hi - lo >= big)
		va = ((va + big - 1) & -big) + (lo & (big - 1));
	device_next = va + (hi - lo) + PAGE_SIZE; /* a page between any two stays unmapped */
	map(va, lo, hi - lo, flags | pte_nx);
	__atomic_store_n(&device_lock, 0, __ATOMIC_RELEASE);
	kernel_leave();
	return (void *)(va + (pa - lo));
}

volatile void *mmio_map(uint64_t pa, size_t len)
{
	return device_map(pa, len, PTE_W | PTE_PCD | PTE_PWT);
}

void *vm_map_framebuffer(uint64_t pa, size_t len)
{
	return device_map(pa, len, PTE_W | PTE_PWT);
}

const void *phys_map(uint64_t pa, size_t len)
{
	uint64_t lo = pa & -PAGE_SIZE, end = pa + len;
	bool in_image = lo < image_phys_end() && end > image_phys_base();
	if (!in_image && bootmem_is_ram(&bootmem, pa, len))
		return (const void *)(MUTATOR_BASE + pa);
	return device_map(pa, len, 0);
}

uintptr_t vm_core_stack(unsigned pages)
{
	uintptr_t va = core_stack_next + PAGE_SIZE;
	for (unsigned i = 0; i < pages; i++)
		map(va + i * PAGE_SIZE, take_pages(1), PAGE_SIZE, PTE_W | pte_nx);
	core_stack_next = va + pages * PAGE_SIZE;
	return core_stack_next;
}

bool vm_is_guard(uintptr_t va)
{
	return va >= CORE_STACK_BASE && va < core_stack_next + PAGE_SIZE && !vm_lookup(va);
}

uint64_t *vm_window_entry(uintptr_t va, int level)
{
	uint64_t *t = table_at(vm_root);
	for (int l = 3; l > level; l--) {
		/* acquire: pairs with the publication of a new table in stackmap.c */
		uint64_t e = __atomic_load_n(&t[va >> (12 + 9 * l) & 511], __ATOMIC_ACQUIRE);
		if (!(e & PTE_P))
			return NULL;
		t = table_at(e);
	}
	return &t[va >> (12 + 9 * level) & 511];
}
