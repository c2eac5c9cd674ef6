/* boot_info.h: what both doors (PVH, UEFI) hand to the kernel.
 *
 * The door that was used fills one struct boot_info in memory that stays
 * valid and untouched until the kernel has copied it, and calls
 * kernel_entry64(&info) (the ELF's e_entry, a physical address, + delta) with
 * RDI = &info, in long mode, interrupts off, a stack of 64 bytes, with the low
 * 4 GiB at least identity mapped, executable and writable.  All addresses are
 * physical.  Nothing else passes between boot/ and kernel/.
 *
 * A door may load the image elsewhere than at its p_paddr: every PT_LOAD
 * segment at p_paddr + delta, delta one multiple of 2 MiB for all of them
 * (p_paddr begins at 1 MiB, so the image then begins 1 MiB after a 2 MiB
 * boundary), wholly below 4 GiB, and p_memsz - p_filesz bytes zeroed.
 *
 * Invariants: counts are within the array bounds; strings are
 * NUL-terminated; `magic` is checked first.  Ranges are as the firmware gave
 * them: unsorted, unaligned, possibly overlapping.  The kernel sorts and
 * validates (boot_info is input from outside).  Image, boot_info and modules
 * may lie in ranges listed as usable or as reserved; the kernel hands out only
 * usable ones, and none of these.  The door's page tables must not lie in
 * usable memory: the kernel takes pages while it still runs on them. */
#ifndef BOOT_INFO_H
#define BOOT_INFO_H

#include <stdint.h>

#define BOOT_INFO_MAGIC 0x31544f474e49ull /* "INGOT1" */
#define BOOT_MAX_MEM 256
#define BOOT_MAX_MODULES 8
#define BOOT_CMDLINE_MAX 4096
#define BOOT_CONFIG_MAX 4096

/* Types as in the e820 map (ACPI 6.5, table 15.2). */
enum boot_mem_type {
	BOOT_MEM_USABLE = 1,
	BOOT_MEM_RESERVED = 2,
	BOOT_MEM_ACPI = 3, /* reclaimable tables: kept, never handed out */
	BOOT_MEM_NVS = 4,
	BOOT_MEM_BAD = 5,
};

struct boot_mem {
	uint64_t base, len; /* bytes */
	uint32_t type;      /* enum boot_mem_type, unknown values are reserved */
	uint32_t pad;
};

struct boot_module {
	uint64_t base, len; /* bytes; len 0 is an empty file, not an absent one */
	char name[64];      /* file name or command line, "" if unknown */
};

/* Linear framebuffer, 32 bits per pixel; base 0 when there is none. */
struct boot_fb {
	uint64_t base, size;
	uint32_t width, height, pitch; /* pixels, pixels, bytes per line */
	uint32_t bgr;                  /* 1: byte order B,G,R,x; 0: R,G,B,x */
};

enum boot_door { BOOT_PVH = 1, BOOT_UEFI = 2 };

struct boot_info {
	uint64_t magic;
	uint32_t door; /* enum boot_door */
	uint32_t nmem, nmodules;
	uint32_t flags;    /* BOOT_F_* */
	uint64_t rsdp;     /* ACPI root pointer, 0 if the door does not know it */
	struct boot_fb fb;
	struct boot_mem mem[BOOT_MAX_MEM];
	struct boot_module modules[BOOT_MAX_MODULES];
	char cmdline[BOOT_CMDLINE_MAX];
	char config[BOOT_CONFIG_MAX]; /* a file of settings, as it is; "" if there is none */
};

#define BOOT_F_CMDLINE_CUT 1u /* the command line was longer than fits */
#define BOOT_F_MEM_CUT 2u     /* the memory map had more entries than fit */
#define BOOT_F_MODULES_CUT 4u

#endif
