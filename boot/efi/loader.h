/* loader.h: what the parts of the UEFI loader (BOOTX64.EFI) share.
 *
 * loader.c is the walk (read, load, hand over); esp.c reads the system
 * partition; machine.c asks the firmware about memory, ACPI and the screen;
 * handoff.c leaves the firmware and enters the kernel.
 *
 * Memory rule, on which the map given to the kernel rests: everything that
 * must outlive the firmware (kernel, modules, boot_info, page tables, the
 * entry stack) is allocated as EfiLoaderData, and EfiLoaderData is reported as
 * reserved.  Everything else of the loader's may be overwritten.
 *
 * Errors: the function that finds out says what was wrong, once, with
 * say_error(), and returns the status; callers only pass it on. */
#ifndef BOOT_EFI_LOADER_H
#define BOOT_EFI_LOADER_H

#include <efi.h>
#include <efilib.h>
#include "boot/boot_info.h"

#define BELOW_4G 0xffffffffull
#define pages_bytes(n) ((UINT64)(n) << EFI_PAGE_SHIFT) /* the inverse of EFI_SIZE_TO_PAGES */

/* Prints "ingot: <message>" on the firmware's console; is `status`. */
#define say_error(status, ...) (Print(L"ingot: " __VA_ARGS__), Print(L"\r\n"), (status))

/* --- esp.c --------------------------------------------------------------- */

/* A file in memory: pages of EfiLoaderData, the last one zero-padded. */
struct esp_file {
	EFI_PHYSICAL_ADDRESS base; /* 0 when the file is empty */
	UINTN size;                /* bytes */
};

/* Opens the root directory of the volume that the loader was loaded from. */
EFI_STATUS esp_open(EFI_HANDLE image, EFI_FILE_HANDLE *root);

/* Reads all of `name` (a path from `dir`) into fresh pages owned by the caller.
 * Returns EFI_NOT_FOUND without a message when there is no such file; every
 * other error, a short read among them, has been reported. */
EFI_STATUS esp_read(EFI_FILE_HANDLE dir, CHAR16 *name, struct esp_file *out);

/* Gives the pages back. */
void esp_free(struct esp_file *file);

/* Reads every file of the directory `path` as a module of `info`; no
 * directory, no modules. */
EFI_STATUS esp_read_modules(EFI_FILE_HANDLE root, CHAR16 *path, struct boot_info *info);

/* --- machine.c ----------------------------------------------------------- */

/* Pages of zeroes as EfiLoaderData, below 4 GiB where `low`, else preferably.
 * Returns EFI_OUT_OF_RESOURCES without a message. */
EFI_STATUS alloc_pages(UINTN pages, BOOLEAN low, EFI_PHYSICAL_ADDRESS *out);

/* As alloc_pages(low), at an address equal to `like` modulo `align` (a power of
 * two >= 4096; like is a multiple of 4096). */
EFI_STATUS alloc_pages_aligned(UINTN pages, UINT64 align, UINT64 like, EFI_PHYSICAL_ADDRESS *out);

/* ACPI root pointer from the firmware's tables, revision 2 preferred; 0: none. */
UINT64 find_rsdp(void);

/* A linear 32-bit framebuffer if the firmware drives one, else base = 0. */
void find_framebuffer(struct boot_fb *fb);

/* Converts `n` firmware memory descriptors of `stride` bytes into info->mem,
 * sorted and with equal neighbours merged.  scratch holds n entries.  Calls no
 * firmware: it runs after the boot services are gone. */
void convert_memory_map(const void *descs, UINTN n, UINTN stride, struct boot_mem *scratch,
                        struct boot_info *info);

/* --- handoff.c ----------------------------------------------------------- */

/* Leaves the firmware and calls `entry` with `info`, in long mode, interrupts
 * off, on page tables and a stack of the loader's that are reserved memory.
 * Fills info->mem.  Returns only on failure. */
EFI_STATUS handoff(EFI_HANDLE image, UINT64 entry, struct boot_info *info);

#endif
