/* dwarf_types.h: reading C types from DWARF data, for the tools that run after
 * a link: ptrmap.c and typeinfo.c.  Those that take a debug entry never fail
 * loudly; false means that the data do not say. */
#ifndef DWARF_TYPES_H
#define DWARF_TYPES_H

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <err.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE (1ull << 30) /* of a T: beyond is a damaged file */

static const char *image; /* its file name */
static Dwarf *dw;         /* of it */

static void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		errx(2, "out of memory");
	return p;
}

/* Finds a section; false: the image has none of that name. */
static bool find_section(Elf *elf, const char *section, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	if (elf_getshdrstrndx(elf, &strndx) != 0)
		errx(2, "%s: no section names", image);
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (gelf_getshdr(scn, sh) && (name = elf_strptr(elf, strndx, sh->sh_name)) && !strcmp(name, section))
			return true;
	}
	return false;
}

/* The type a debug entry refers to; false: none, that is void. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *out)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(die, DW_AT_type, &a) && dwarf_formref_die(&a, out);
}

static bool is_flag(Dwarf_Die *die, unsigned attr)
{
	Dwarf_Attribute a;
	bool v;

	return dwarf_attr(die, attr, &a) && dwarf_formflag(&a, &v) == 0 && v;
}

/* Complete structs and unions by name, of all units: built when the first
 * declaration without definition is met. */
struct named {
	struct named *next;
	const char *name;
	Dwarf_Die die;
};
#define NHASH 4096
static struct named **complete;

static unsigned hash(const char *s)
{
	unsigned h = 5381;

	while (*s)
		h = h * 33 + (uint8_t)*s++;
	return h % NHASH;
}

static bool is_aggregate(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_class_type;
}

static void index_complete(void)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die root, die;

	complete = xcalloc(NHASH, sizeof(*complete));
	while (dwarf_get_units(dw, cu, &cu, NULL, NULL, &root, NULL) == 0) {
		if (dwarf_child(&root, &die) != 0)
			continue;
		do {
			const char *name;

			if (!is_aggregate(dwarf_tag(&die)) || is_flag(&die, DW_AT_declaration) ||
			    !(name = dwarf_diename(&die)))
				continue;
			struct named *n = xcalloc(1, sizeof(*n));
			*n = (struct named){ complete[hash(name)], name, die };
			complete[hash(name)] = n;
		} while (dwarf_siblingof(&die, &die) == 0);
	}
}

/* Replaces a declaration by its definition: the struct of that name in
 * another unit, if all of that name have one size. */
static void resolve_declaration(Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	Dwarf_Die def;
	bool found = false;

	if (!name)
		return;
	if (!complete)
		index_complete();
	for (struct named *n = complete[hash(name)]; n; n = n->next) {
		if (strcmp(n->name, name) || dwarf_tag(&n->die) != dwarf_tag(die))
			continue;
		if (found && dwarf_bytesize(&n->die) != dwarf_bytesize(&def))
			return;
		def = n->die;
		found = true;
	}
	if (found)
		*die = def;
}

/* Takes off typedefs and qualifiers; *hides becomes true if one of the names
 * says that the integer may be a pointer.  False: void. */
static bool peel(Dwarf_Die *die, bool *hides)
{
	Dwarf_Attribute a;
	Dwarf_Die unit;

	for (;;) {
		switch (dwarf_tag(die)) {
		case DW_TAG_typedef: {
			const char *name = dwarf_diename(die);

			if (hides && name && (!strcmp(name, "uintptr_t") || !strcmp(name, "intptr_t")))
				*hides = true;
			break;
		}
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			break;
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
		case DW_TAG_class_type:
			/* -fdebug-types-section leaves an entry that only names a type unit. */
			if (dwarf_attr(die, DW_AT_signature, &a) && dwarf_formref_die(&a, &unit))
				*die = unit;
			if (is_flag(die, DW_AT_declaration))
				resolve_declaration(die);
			return true;
		default:
			return true;
		}
		if (!type_of(die, die))
			return false;
	}
}

/* Number of elements of an array type, all dimensions; false if the debug
 * data give none ([], [0] of DWARF 4 and variable length). */
static bool array_count(Dwarf_Die *die, uint64_t *count)
{
	Dwarf_Die dim;
	uint64_t n = 1;

	if (dwarf_child(die, &dim) != 0)
		return false;
	do {
		Dwarf_Attribute a;
		Dwarf_Word v;

		if (dwarf_tag(&dim) != DW_TAG_subrange_type)
			continue;
		if (dwarf_attr(&dim, DW_AT_count, &a) && dwarf_formudata(&a, &v) == 0)
			;
		else if (dwarf_attr(&dim, DW_AT_upper_bound, &a) && dwarf_formudata(&a, &v) == 0)
			v++; /* an upper bound of -1 is [0] */
		else
			return false;
		if (v > MAX_SIZE || n * v > MAX_SIZE)
			return false;
		n *= v;
	} while (dwarf_siblingof(&dim, &dim) == 0);
	*count = n;
	return true;
}

/* sizeof; false if incomplete.  void and functions count as incomplete. */
static bool size_of(Dwarf_Die *type, uint64_t *size)
{
	Dwarf_Die die = *type, elem;
	uint64_t n;
	int s;

	if (!peel(&die, NULL))
		return false;
	switch (dwarf_tag(&die)) {
	case DW_TAG_array_type:
		if (!type_of(&die, &elem) || !size_of(&elem, size))
			return false;
		if (!array_count(&die, &n))
			n = 0;
		*size *= n;
		return true;
	case DW_TAG_subroutine_type:
	case DW_TAG_unspecified_type:
		return false;
	default:
		s = dwarf_bytesize(&die);
		*size = (uint64_t)s;
		return s >= 0 && !is_flag(&die, DW_AT_declaration);
	}
}

/* What a descriptor's variable describes: the pointer type of its member
 * `type[0]`.  False: this entry does not tell. */
static bool described(Dwarf_Die *var, Dwarf_Die *ptr)
{
	Dwarf_Die s, m, arr;
	bool found = false;

	if (!type_of(var, &s) || !peel(&s, NULL) || dwarf_child(&s, &m) != 0)
		return false;
	do {
		const char *n = dwarf_diename(&m);
		found = n && !strcmp(n, "type");
	} while (!found && dwarf_siblingof(&m, &m) == 0);
	return found && type_of(&m, &arr) && dwarf_tag(&arr) == DW_TAG_array_type &&
	       type_of(&arr, ptr) && dwarf_tag(ptr) == DW_TAG_pointer_type;
}

/* Calls fn for each variable at a constant address, below a unit or function. */
static void each_variable(Dwarf_Die *parent, void (*fn)(Dwarf_Die *var, uint64_t addr))
{
	Dwarf_Die die;

	if (dwarf_child(parent, &die) != 0)
		return;
	do {
		Dwarf_Attribute a;
		Dwarf_Block b;
		uint64_t addr;

		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
		case DW_TAG_lexical_block:
		case DW_TAG_inlined_subroutine:
		case DW_TAG_namespace:
			each_variable(&die, fn);
			break;
		case DW_TAG_variable:
			if (!dwarf_attr(&die, DW_AT_location, &a) || dwarf_formblock(&a, &b) != 0 ||
			    b.length != 9 || b.data[0] != DW_OP_addr)
				break;
			memcpy(&addr, b.data + 1, sizeof(addr));
			fn(&die, addr);
			break;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

#endif
