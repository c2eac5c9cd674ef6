/* kernel_elf.h: reading the kernel's ELF file, as the UEFI loader needs it.
 *
 * Pure functions on bytes in memory: no firmware call, so the same code runs
 * in the loader and in a hosted test that feeds it damaged files. */
#ifndef BOOT_EFI_KERNEL_ELF_H
#define BOOT_EFI_KERNEL_ELF_H

#include <elf.h>
#include <stdint.h>

#define KERNEL_MAX_SEGMENTS 32
#define KERNEL_MAX_SPAN (1ull << 30)    /* bytes in memory; the kernel's map covers 1 GiB */
#define KERNEL_ALIGN (2ull << 20)       /* the image moves by multiples of this */

/* A checked kernel file.  Every segment lies inside the file and inside
 * [lowest, lowest + span), none overlaps another, entry lies in the file part
 * of an executable one. */
struct kernel_elf {
	uint64_t lowest; /* lowest p_paddr, a multiple of 4096 */
	uint64_t span;   /* bytes from there to the highest p_paddr + p_memsz */
	uint64_t entry;  /* e_entry - lowest */
	uint32_t nload;
	struct {
		uint64_t at;     /* p_paddr - lowest */
		uint64_t offset; /* in the file */
		uint64_t filesz, memsz;
	} load[KERNEL_MAX_SEGMENTS];
};

/* What is wrong with a file: `what` is for a person; phdr is the program
 * header meant or -1 for the file header; value is the offending number. */
struct kernel_elf_error {
	const char *what;
	int phdr;
	uint64_t value;
};

/* Checks file[0..size) and fills *k.  Returns 0, or -1 with *err filled (its
 * string is static).  file needs no alignment.  Any context, writes nothing
 * else.  Source of the format: ELF-64 Object File Format 1.5. */
int kernel_elf_check(const void *file, uint64_t size, struct kernel_elf *k,
                     struct kernel_elf_error *err);

/* Copies the segments to base[0..k->span) and zeroes all of it that no file
 * byte covers.  file and k as given to and filled by kernel_elf_check. */
void kernel_elf_load(const void *file, const struct kernel_elf *k, void *base);

#endif
