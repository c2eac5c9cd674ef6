/* pvhinfo.c: turns PVH's hvm_start_info into the kernel's boot_info.
 *
 * Runs once, called by pvh.S, with the low 4 GiB mapped one to one and
 * nothing else set up: no libc, no SSE, no console.  What does not fit or
 * does not make sense is left out and flagged; the kernel, which can print,
 * judges.  Structures: xen/include/public/arch-x86/hvm/start_info.h. */
#include "boot_info.h"
#include <stddef.h>

#define HVM_MAGIC 0x336ec578u

struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
	/* version >= 1 */
	uint64_t memmap_paddr;
	uint32_t memmap_entries, reserved;
};

struct hvm_modlist_entry {
	uint64_t paddr, size, cmdline_paddr, reserved;
};

struct hvm_memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};

static struct boot_info info;

/* Copies a physical string, cut at n - 1 bytes; true if all of it fitted. */
static int copy_string(char *to, size_t n, uint64_t paddr)
{
	const volatile char *s = (const char *)paddr;
	size_t i = 0;
	if (paddr == 0)
		return 1;
	for (; i < n - 1 && s[i]; i++)
		to[i] = s[i];
	to[i] = 0;
	return s[i] == 0;
}

/* QEMU hands a module over without its name, and an empty one not at all: the
 * words "module=NAME" of the command line (before "--") name the modules in
 * their order, and one with no module to name stands for an empty file. */
static void name_modules(void)
{
	static const char key[] = "module=";
	uint32_t nth = 0;

	for (const char *s = info.cmdline; *s;) {
		while (*s == ' ')
			s++;
		const char *word = s;
		while (*s && *s != ' ')
			s++;
		if (s - word == 2 && word[0] == '-' && word[1] == '-')
			return;
		size_t k = 0;
		while (key[k] && word[k] == key[k])
			k++;
		if (key[k] || nth == BOOT_MAX_MODULES)
			continue;
		struct boot_module *m = &info.modules[nth++];
		if (nth > info.nmodules)
			info.nmodules = nth;
		if (m->name[0])
			continue; /* the door knew it */
		for (size_t i = 0; word + k < s && i < sizeof m->name - 1; i++)
			m->name[i] = word[k++];
	}
}

/* Called by pvh.S; returns the physical address of the filled boot_info.
 * info lies in .bss, so all that is not set is 0. */
uint64_t pvh_boot_info(const struct hvm_start_info *si)
{
	info.door = BOOT_PVH;
	info.magic = BOOT_INFO_MAGIC;
	if (si->magic == HVM_MAGIC) {
		info.rsdp = si->rsdp_paddr;
		if (!copy_string(info.cmdline, sizeof info.cmdline, si->cmdline_paddr))
			info.flags |= BOOT_F_CMDLINE_CUT;
		const struct hvm_modlist_entry *mod = (void *)si->modlist_paddr;
		for (uint32_t i = 0; i < si->nr_modules; i++) {
			if (i == BOOT_MAX_MODULES) {
				info.flags |= BOOT_F_MODULES_CUT;
				break;
			}
			struct boot_module *m = &info.modules[info.nmodules++];
			m->base = mod[i].paddr;
			m->len = mod[i].size;
			copy_string(m->name, sizeof m->name, mod[i].cmdline_paddr);
		}
		name_modules();
		const struct hvm_memmap_entry *map = (void *)si->memmap_paddr;
		for (uint32_t i = 0; si->version >= 1 && i < si->memmap_entries; i++) {
			if (i == BOOT_MAX_MEM) {
				info.flags |= BOOT_F_MEM_CUT;
				break;
			}
			struct boot_mem *m = &info.mem[info.nmem++];
			m->base = map[i].addr;
			m->len = map[i].size;
			m->type = map[i].type;
		}
	}
	return (uint64_t)&info - 0xffffffff80000000ull;
}
