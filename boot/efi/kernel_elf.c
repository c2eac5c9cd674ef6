/* kernel_elf.c: checks and loads the kernel's ELF file.
 *
 * The file comes from outside, so every field is bounded before it is used,
 * sums are checked for wrap-around by subtracting instead of adding, and
 * headers are copied out (a damaged file may misalign them). */
#include "boot/efi/kernel_elf.h"

static int bad(struct kernel_elf_error *err, int phdr, const char *what, uint64_t value)
{
	err->what = what;
	err->phdr = phdr;
	err->value = value;
	return -1;
}

static int check_header(const Elf64_Ehdr *eh, uint64_t size, struct kernel_elf_error *err)
{
	if (__builtin_memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
		return bad(err, -1, "is not an ELF file; first byte", eh->e_ident[0]);
	if (eh->e_ident[EI_CLASS] != ELFCLASS64)
		return bad(err, -1, "is not a 64-bit ELF file; class", eh->e_ident[EI_CLASS]);
	if (eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return bad(err, -1, "is not little-endian; data encoding", eh->e_ident[EI_DATA]);
	if (eh->e_ident[EI_VERSION] != EV_CURRENT || eh->e_version != EV_CURRENT)
		return bad(err, -1, "has an unknown ELF version", eh->e_version);
	if (eh->e_type != ET_EXEC)
		return bad(err, -1, "is not an executable at fixed addresses; e_type", eh->e_type);
	if (eh->e_machine != EM_X86_64)
		return bad(err, -1, "is not for x86-64; e_machine", eh->e_machine);
	if (eh->e_ehsize < sizeof(Elf64_Ehdr))
		return bad(err, -1, "has too small a file header; e_ehsize", eh->e_ehsize);
	if (eh->e_phentsize != sizeof(Elf64_Phdr))
		return bad(err, -1, "has program headers of a wrong size; e_phentsize", eh->e_phentsize);
	if (eh->e_phnum == 0 || eh->e_phnum == PN_XNUM)
		return bad(err, -1, "has no usable program headers; e_phnum", eh->e_phnum);
	if (eh->e_phoff > size || size - eh->e_phoff < (uint64_t)eh->e_phnum * sizeof(Elf64_Phdr))
		return bad(err, -1, "ends before its program headers do; e_phoff", eh->e_phoff);
	return 0;
}

static int check_segment(const Elf64_Phdr *ph, int i, uint64_t size, struct kernel_elf_error *err)
{
	if (ph->p_filesz > ph->p_memsz)
		return bad(err, i, "has more bytes in the file than in memory; p_filesz", ph->p_filesz);
	if (ph->p_offset > size || ph->p_filesz > size - ph->p_offset)
		return bad(err, i, "reaches past the end of the file (is it cut short?); p_offset",
		           ph->p_offset);
	if (ph->p_memsz > KERNEL_MAX_SPAN)
		return bad(err, i, "is larger than 1 GiB; p_memsz", ph->p_memsz);
	if (ph->p_paddr > UINT64_MAX - ph->p_memsz)
		return bad(err, i, "wraps around the address space; p_paddr", ph->p_paddr);
	if (ph->p_align & (ph->p_align - 1))
		return bad(err, i, "has an alignment that is no power of two; p_align", ph->p_align);
	if (ph->p_align > KERNEL_ALIGN)
		return bad(err, i, "asks for more than 2 MiB alignment; p_align", ph->p_align);
	return 0;
}

int kernel_elf_check(const void *file, uint64_t size, struct kernel_elf *k,
                     struct kernel_elf_error *err)
{
	Elf64_Ehdr eh;
	if (size < sizeof eh)
		return bad(err, -1, "is shorter than an ELF header; bytes", size);
	__builtin_memcpy(&eh, file, sizeof eh);
	if (check_header(&eh, size, err) < 0)
		return -1;

	uint64_t lowest = UINT64_MAX, highest = 0;
	int entry_ok = 0;
	k->nload = 0;
	for (int i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;
		__builtin_memcpy(&ph, (const char *)file + eh.e_phoff + (uint64_t)i * sizeof ph,
		                 sizeof ph);
		if (ph.p_type != PT_LOAD || ph.p_memsz == 0)
			continue;
		if (check_segment(&ph, i, size, err) < 0)
			return -1;
		if (k->nload == KERNEL_MAX_SEGMENTS)
			return bad(err, i, "is one loadable segment too many; limit", KERNEL_MAX_SEGMENTS);
		for (uint32_t j = 0; j < k->nload; j++)
			if (ph.p_paddr < k->load[j].at + k->load[j].memsz &&
			    k->load[j].at < ph.p_paddr + ph.p_memsz)
				return bad(err, i, "overlaps an earlier segment; p_paddr", ph.p_paddr);
		k->load[k->nload].at = ph.p_paddr;
		k->load[k->nload].offset = ph.p_offset;
		k->load[k->nload].filesz = ph.p_filesz;
		k->load[k->nload].memsz = ph.p_memsz;
		k->nload++;
		if (ph.p_paddr < lowest)
			lowest = ph.p_paddr;
		if (ph.p_paddr + ph.p_memsz > highest)
			highest = ph.p_paddr + ph.p_memsz;
		if ((ph.p_flags & PF_X) && eh.e_entry >= ph.p_paddr &&
		    eh.e_entry - ph.p_paddr < ph.p_filesz)
			entry_ok = 1;
	}
	if (k->nload == 0)
		return bad(err, -1, "has no loadable segment; e_phnum", eh.e_phnum);
	if (highest - lowest > KERNEL_MAX_SPAN)
		return bad(err, -1, "spreads its segments over more than 1 GiB; bytes", highest - lowest);
	if (lowest % 4096 != 0)
		return bad(err, -1, "does not begin on a page boundary; lowest p_paddr", lowest);
	if (!entry_ok)
		return bad(err, -1, "has its entry (a physical address) in no executable segment; e_entry",
		           eh.e_entry);
	for (uint32_t j = 0; j < k->nload; j++)
		k->load[j].at -= lowest;
	k->lowest = lowest;
	k->span = highest - lowest;
	k->entry = eh.e_entry - lowest;
	return 0;
}

void kernel_elf_load(const void *file, const struct kernel_elf *k, void *base)
{
	/* Gaps between segments are zeroed too: nothing of the firmware's shows through. */
	__builtin_memset(base, 0, k->span);
	for (uint32_t i = 0; i < k->nload; i++)
		__builtin_memcpy((char *)base + k->load[i].at, (const char *)file + k->load[i].offset,
		                 k->load[i].filesz);
}
