/* handoff.c: the last steps in the firmware's world and the first out of it.
 *
 * Order: everything that needs memory first (page tables, stack, buffers for
 * the map), then the final memory map, then ExitBootServices with its key,
 * then no firmware call any more.
 *
 * The loader brings its own page tables: the firmware's lie in memory that the
 * map calls usable, and may mark data (which is what the kernel's pages are to
 * it) as not executable.  Ours map with 2 MiB pages, writable and executable,
 * address equal to physical: the low 4 GiB and each 2 MiB page above that which
 * the kernel is given an address in. */
#include "boot/efi/loader.h"

#define PTE_P 0x1ull
#define PTE_RW 0x2ull
#define PTE_PS 0x80ull /* 2 MiB page (Intel SDM vol. 3, table 4-17) */
#define PTE_ADDR 0x000ffffffffff000ull
#define CR4_LA57 (1ull << 12)
#define PAGE_2M (2ull << 20)

#define STACK_PAGES 16
#define MAP_SLACK 64   /* descriptors: room for what our own allocations add */
#define EXIT_TRIES 8

/* The table that entry `index` of `table` leads to; made when absent, 0 when
 * there is no memory. */
static UINT64 *next_table(UINT64 *table, UINTN index)
{
	EFI_PHYSICAL_ADDRESS page;
	if (table[index])
		return (UINT64 *)(table[index] & PTE_ADDR);
	if (EFI_ERROR(alloc_pages(1, TRUE, &page)))
		return NULL;
	table[index] = page | PTE_P | PTE_RW;
	return (UINT64 *)page;
}

/* Maps [base, base + len) to itself.  A range beyond what four levels reach
 * (2^47 bytes) does not exist on a machine that runs with four levels. */
static EFI_STATUS map_identity(UINT64 *pml4, UINT64 base, UINT64 len)
{
	UINT64 end = base + len;
	for (UINT64 at = base & ~(PAGE_2M - 1); at < end; at += PAGE_2M) {
		UINT64 *pdpt = next_table(pml4, at >> 39 & 511);
		UINT64 *pd = pdpt ? next_table(pdpt, at >> 30 & 511) : NULL;
		if (!pd)
			return say_error(EFI_OUT_OF_RESOURCES, L"no memory for page tables below 4 GiB");
		pd[at >> 21 & 511] = at | PTE_P | PTE_RW | PTE_PS;
	}
	return EFI_SUCCESS;
}

static EFI_STATUS build_tables(EFI_HANDLE image, const struct boot_info *info, UINT64 *out)
{
	EFI_PHYSICAL_ADDRESS root;
	EFI_LOADED_IMAGE *loaded;
	EFI_STATUS st = alloc_pages(1, TRUE, &root);
	if (EFI_ERROR(st))
		return say_error(st, L"no memory for page tables below 4 GiB");
	UINT64 *pml4 = (UINT64 *)root;
	st = map_identity(pml4, 0, BELOW_4G + 1);
	for (UINT32 i = 0; i < info->nmodules && !EFI_ERROR(st); i++)
		st = map_identity(pml4, info->modules[i].base, info->modules[i].len);
	if (!EFI_ERROR(st))
		st = map_identity(pml4, info->fb.base, info->fb.size);
	/* The loader's own code, which runs on while the tables are changed. */
	if (!EFI_ERROR(st))
		st = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded);
	if (!EFI_ERROR(st))
		st = map_identity(pml4, (UINT64)loaded->ImageBase, loaded->ImageSize);
	*out = root;
	return st;
}

/* Leaves the boot services.  The firmware refuses when its memory map changed
 * since GetMemoryMap (a timer event may allocate): then the new map is fetched
 * and the exit tried again, with no other firmware call between, as section
 * 7.4.6 of the UEFI specification demands. */
static EFI_STATUS leave_firmware(EFI_HANDLE image, struct boot_info *info)
{
	UINTN size = 0, key, stride = sizeof(EFI_MEMORY_DESCRIPTOR);
	UINT32 version;
	VOID *descs;
	struct boot_mem *scratch;
	EFI_STATUS st = BS->GetMemoryMap(&size, NULL, &key, &stride, &version);
	if (st != EFI_BUFFER_TOO_SMALL)
		return say_error(EFI_DEVICE_ERROR, L"the firmware gives no memory map: %r", st);
	UINTN capacity = size + MAP_SLACK * stride;
	if (EFI_ERROR(BS->AllocatePool(EfiLoaderData, capacity, &descs)) ||
	    EFI_ERROR(BS->AllocatePool(EfiLoaderData, capacity / stride * sizeof *scratch,
	                               (VOID **)&scratch)))
		return say_error(EFI_OUT_OF_RESOURCES, L"no memory for the memory map (%ld bytes)",
		                 capacity);
	for (int try = 0; try < EXIT_TRIES; try++) {
		size = capacity;
		st = BS->GetMemoryMap(&size, descs, &key, &stride, &version);
		if (EFI_ERROR(st))
			return say_error(st, L"the memory map cannot be read: %r", st);
		st = BS->ExitBootServices(image, key);
		if (!EFI_ERROR(st)) {
			convert_memory_map(descs, size / stride, stride, scratch, info);
			return EFI_SUCCESS;
		}
	}
	return say_error(st, L"the firmware does not let go (%d tries): %r", EXIT_TRIES, st);
}

EFI_STATUS handoff(EFI_HANDLE image, UINT64 entry, struct boot_info *info)
{
	UINT64 cr3, cr4;
	EFI_PHYSICAL_ADDRESS stack;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	if (cr4 & CR4_LA57)
		return say_error(EFI_UNSUPPORTED, L"the firmware runs with 5-level page tables; "
		                                  L"turn 5-level paging (LA57) off in its setup");
	EFI_STATUS st = alloc_pages(STACK_PAGES, TRUE, &stack);
	if (EFI_ERROR(st))
		return say_error(st, L"no memory for the entry stack below 4 GiB");
	st = build_tables(image, info, &cr3);
	if (EFI_ERROR(st))
		return st;
	st = leave_firmware(image, info);
	if (EFI_ERROR(st))
		return st;
	/* The kernel's C function starts as if called: rsp is 8 off a 16-byte
	 * boundary and a zero return address ends every backtrace. */
	__asm__ volatile("cli\n\t"
	                 "cld\n\t"
	                 "mov %[cr3], %%cr3\n\t"
	                 "mov %[stack], %%rsp\n\t"
	                 "xor %%ebp, %%ebp\n\t"
	                 "push $0\n\t"
	                 "jmp *%[entry]"
	                 :
	                 : [cr3] "r"(cr3), [stack] "r"(stack + pages_bytes(STACK_PAGES)),
	                   [entry] "r"(entry), "D"(info)
	                 : "memory");
	__builtin_unreachable();
}
