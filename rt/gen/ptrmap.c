/* ptrmap.c: host tool, run after each link: fills the pointer maps of RT_TYPE().
 *
 *   ptrmap IMAGE.elf
 *
 * RT_TYPE(T) (rt/type.h) leaves a descriptor in section "rt_types" whose last
 * member is `T *type[0]`.  It takes no room, but the debug data remember its
 * type: for each variable whose address lies in the section we follow
 * variable -> struct -> `type` -> pointer -> T, lay T out word by word, and
 * write flags, ptrwords, ptrmask and bits into the file in place.
 *
 * Matching is by address, never by name: an inlined function leaves one
 * variable and several entries (abstract instance, inlined copies, lexical
 * blocks); each that has an address is used, and all must agree.
 *
 * What a word of T becomes:
 *   exact         a pointer, to data or code
 *   conservative  a word where any member of a union has a pointer or a
 *                 conservative word; an integer declared uintptr_t or
 *                 intptr_t; a word covered by a char array of 8 bytes or more
 *                 inside a struct or union (storage for anything), unless T's
 *                 size is no multiple of 8: nothing in it is aligned for a pointer
 *   none          all else: other integers, floats, vectors, bit-fields
 * A T that is itself a char type or an array of one is noscan: bytes asked
 * for as bytes are text.  Of a flexible array only the emptiness is ours, so
 * one whose elements hold pointers is refused, like a pointer at an address
 * that is not a multiple of 8 (packed), an incomplete T, a size that differs
 * from the compiler's, and a descriptor without debug data.
 *
 * Invariants: the file is written only when every descriptor was filled, and
 * only descriptors are written, so a second run changes nothing.
 *
 * Exit status: 0 done, 1 some descriptor refused, 2 the file is not usable. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <err.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sizeclasses.h"
#include "../type.h"
#include "dwarf_types.h"

#define WORD 8
#define MAX_ERRORS 20

/* Values are those of the 2-bit map. */
enum kind { NONE, EXACT, CONS };

/* One descriptor of the section. */
struct desc {
	struct rt_type *t; /* in the section's copy */
	uint64_t addr;
	bool seen, filled;  /* some debug entry names it; its map is computed */
	Dwarf_Off type;     /* of the T it was filled from */
};

/* The layout of one T under way. */
struct layout {
	uint8_t *kind;    /* enum kind of each word */
	uint64_t nwords;
	uint64_t size;
	const char *file; /* of the descriptor, for messages */
	int line;
	const char *type; /* spelled out, for messages */
	char path[512];   /* ".a.b[]": the member being looked at */
	bool failed;
};

static int nerrors;

static uint64_t sec_addr, sec_size;
static uint8_t *sec; /* our copy, edited */
static struct desc *descs;
static size_t ndescs;
static uint32_t *desc_at; /* index + 1 by (address - sec_addr) / 16 */

static void report(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void report(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (++nerrors > MAX_ERRORS)
		return;
	if (line > 0)
		fprintf(stderr, "%s:%d: error: ", file, line);
	else
		fprintf(stderr, "%s: error: ", file);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* One message per descriptor: the first fault is the one to mend. */
static void refuse(struct layout *l, const char *why)
{
	if (!l->failed)
		report(l->file, l->line, "type '%s'%s%s: %s", l->type,
		       l->path[0] ? ", member " : "", l->path[0] ? l->path + 1 : "", why);
	l->failed = true;
}

static bool is_char(Dwarf_Die *die)
{
	Dwarf_Attribute a;
	Dwarf_Word enc;

	return dwarf_tag(die) == DW_TAG_base_type && dwarf_bytesize(die) == 1 &&
	       dwarf_attr(die, DW_AT_encoding, &a) && dwarf_formudata(&a, &enc) == 0 &&
	       (enc == DW_ATE_signed_char || enc == DW_ATE_unsigned_char);
}

/* The type below all array dimensions and typedefs; false: void. */
static bool innermost(Dwarf_Die *die)
{
	while (peel(die, NULL)) {
		if (dwarf_tag(die) != DW_TAG_array_type)
			return true;
		if (!type_of(die, die))
			return false;
	}
	return false;
}

/* Spells a type for a message. */
static void spell(Dwarf_Die *type, bool is_void, char *out, size_t n)
{
	Dwarf_Die die;
	uint64_t count;
	size_t len;

	if (is_void) {
		snprintf(out, n, "void");
		return;
	}
	const char *name = dwarf_diename(type), *word = "";
	switch (dwarf_tag(type)) {
	case DW_TAG_structure_type:
		word = "struct ";
		break;
	case DW_TAG_union_type:
		word = "union ";
		break;
	case DW_TAG_enumeration_type:
		word = "enum ";
		break;
	case DW_TAG_subroutine_type:
		snprintf(out, n, "function");
		return;
	case DW_TAG_pointer_type:
		spell(&die, !type_of(type, &die), out, n);
		len = strlen(out);
		snprintf(out + len, n - len, " *");
		return;
	case DW_TAG_array_type:
		spell(&die, !type_of(type, &die), out, n);
		len = strlen(out);
		if (array_count(type, &count))
			snprintf(out + len, n - len, "[%llu]", (unsigned long long)count);
		else
			snprintf(out + len, n - len, "[]");
		return;
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		spell(&die, !type_of(type, &die), out, n);
		return;
	}
	snprintf(out, n, "%s%s", word, name ? name : "{...}");
}

/* ---- layout --------------------------------------------------------------- */

static void put(struct layout *l, uint64_t word, enum kind k, bool in_union)
{
	if (word >= l->nwords) {
		refuse(l, "lies outside its type: damaged debug data");
		return;
	}
	if (k != NONE)
		l->kind[word] = in_union || l->kind[word] ? CONS : (uint8_t)k;
}

/* A pointer-sized value of kind k at byte off. */
static void put_value(struct layout *l, uint64_t off, enum kind k, bool in_union)
{
	if (off % WORD)
		refuse(l, k == EXACT
			? "a pointer at an offset that is not a multiple of 8 (packed?) would not be seen by the collector"
			: "a uintptr_t at an offset that is not a multiple of 8 (packed?) would not be seen by the collector");
	else
		put(l, off / WORD, k, in_union);
}

static void lay(struct layout *l, Dwarf_Die *type, uint64_t off, bool in_union);

static void lay_members(struct layout *l, Dwarf_Die *die, uint64_t off, bool in_union)
{
	size_t len = strlen(l->path);
	Dwarf_Die m, t;

	if (dwarf_child(die, &m) != 0)
		return;
	do {
		Dwarf_Attribute a;
		Dwarf_Word at = 0;
		const char *name;

		/* A bit-field is an integer by construction. */
		if (dwarf_tag(&m) != DW_TAG_member || dwarf_hasattr(&m, DW_AT_bit_size) ||
		    dwarf_hasattr(&m, DW_AT_external))
			continue;
		if (dwarf_attr(&m, DW_AT_data_member_location, &a) && dwarf_formudata(&a, &at) != 0) {
			refuse(l, "offset is not a constant");
			return;
		}
		if (!type_of(&m, &t)) {
			refuse(l, "member has no type");
			return;
		}
		name = dwarf_diename(&m);
		snprintf(l->path + len, sizeof(l->path) - len, ".%s", name ? name : "{...}");
		lay(l, &t, off + at, in_union);
		l->path[len] = 0;
	} while (!l->failed && dwarf_siblingof(&m, &m) == 0);
}

static void lay_array(struct layout *l, Dwarf_Die *die, uint64_t off, bool in_union)
{
	Dwarf_Die elem = *die, leaf = *die;
	uint64_t n, size, leafsize;
	size_t len = strlen(l->path);

	if (dwarf_hasattr(die, DW_AT_GNU_vector))
		return;
	/* A descriptor's T never has an array of void or of functions. */
	if (!type_of(die, &elem) || !size_of(&elem, &size) || !innermost(&leaf) ||
	    !size_of(&leaf, &leafsize)) {
		refuse(l, "array of an incomplete type");
		return;
	}
	if (!array_count(die, &n))
		n = 0;
	if (n && (size > l->size || n > l->size)) {
		refuse(l, "is larger than its type: damaged debug data");
		return;
	}
	if (is_char(&leaf)) {
		uint64_t end = off + n * size;

		if (end - off >= WORD && l->size % WORD == 0)
			for (uint64_t w = (off + WORD - 1) / WORD; w < end / WORD; w++)
				put(l, w, CONS, in_union);
		return;
	}
	/* Lay out one element by itself, then repeat it. */
	struct layout one = *l;
	bool any = false;

	one.nwords = size / WORD;
	one.size = size;
	one.kind = xcalloc(one.nwords, 1);
	snprintf(one.path + len, sizeof(one.path) - len, "[]");
	lay(&one, &elem, 0, false);
	for (uint64_t w = 0; w < one.nwords; w++)
		any |= one.kind[w] != NONE;
	if (one.failed) {
		l->failed = true;
	} else if (any && n == 0) {
		memcpy(l->path, one.path, sizeof(l->path));
		refuse(l, "a flexible array whose elements hold pointers has no map of fixed size");
		l->path[len] = 0;
	} else if (any && (off % WORD || size % WORD)) {
		/* Only packed elements come here: each place is checked anew. */
		memcpy(l->path, one.path, sizeof(l->path));
		for (uint64_t i = 0; i < n && !l->failed; i++)
			lay(l, &elem, off + i * size, in_union);
		l->path[len] = 0;
	} else if (any) {
		for (uint64_t i = 0; i < n; i++)
			for (uint64_t w = 0; w < one.nwords; w++)
				put(l, (off + i * size) / WORD + w, one.kind[w], in_union);
	}
	free(one.kind);
}

/* Lays out a T at byte off. */
static void lay(struct layout *l, Dwarf_Die *type, uint64_t off, bool in_union)
{
	Dwarf_Die die = *type;
	bool hides = false;
	int tag;

	if (l->failed)
		return;
	if (!peel(&die, &hides)) {
		refuse(l, "is void: it has no layout");
		return;
	}
	tag = dwarf_tag(&die);
	switch (tag) {
	case DW_TAG_pointer_type:
		put_value(l, off, EXACT, in_union);
		break;
	case DW_TAG_base_type:
	case DW_TAG_enumeration_type:
		if (hides)
			put_value(l, off, CONS, in_union);
		break;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		if (is_flag(&die, DW_AT_declaration)) {
			refuse(l, "is an incomplete type, and no unit of the image defines it alone");
			break;
		}
		lay_members(l, &die, off, in_union || tag == DW_TAG_union_type);
		break;
	case DW_TAG_array_type:
		lay_array(l, &die, off, in_union);
		break;
	default:
		refuse(l, "is a kind of type that has no pointer map");
	}
}

/* ---- descriptors ------------------------------------------------------- */

/* What rt_malloc's fast path wants to know of a type (rt/heap.h: span class). */
static uint32_t fast_flags(const struct rt_type *t, bool noscan)
{
	if (t->size == 0 || (noscan && t->size < 16) || t->size > RT_TYPE_FAST_MAX || t->align > 16)
		return 0;
	uint64_t size = t->size < 16 ? 16 : t->size;
	uint32_t class = size_to_class8[(size + SMALL_SIZE_DIV - 1) / SMALL_SIZE_DIV];
	return (class * 2 + noscan) * RT_TYPE_SLOT_BYTES << RT_TYPE_SLOT_SHIFT;
}

/* Writes the computed words into d, or checks that they are there already. */
static void store(struct desc *d, struct layout *l)
{
	struct rt_type *t = d->t;
	uint64_t ptrwords = 0, ptrmask = 0;
	uint32_t flags = RT_TYPE_FILLED;
	uint64_t *bits = xcalloc(t->nbits, sizeof(*bits));

	for (uint64_t w = 0; w < l->nwords; w++) {
		if (l->kind[w] == NONE)
			continue;
		ptrwords = w + 1;
		if (w < 64)
			ptrmask |= 1ull << w;
		if (l->kind[w] == CONS)
			flags |= RT_TYPE_CONS;
		bits[w / 32] |= (uint64_t)l->kind[w] << (w % 32 * 2);
	}
	if (!ptrwords)
		flags |= RT_TYPE_NOSCAN;
	flags |= fast_flags(t, !ptrwords);
	if (d->filled && (t->flags != flags || t->ptrwords != ptrwords ||
			  memcmp(t->bits, bits, t->nbits * sizeof(*bits))))
		refuse(l, "debug entries of one descriptor disagree about its layout");
	t->flags = flags;
	t->ptrwords = ptrwords;
	t->ptrmask = ptrmask;
	memcpy(t->bits, bits, t->nbits * sizeof(*bits));
	d->filled = true;
	free(bits);
}

/* Fills d from the debug entry of its variable. */
static void fill(struct desc *d, Dwarf_Die *var)
{
	struct layout l = { .file = dwarf_decl_file(var) };
	Dwarf_Die ptr, type, leaf;
	bool is_void;
	uint64_t size;
	char name[256];

	dwarf_decl_line(var, &l.line);
	if (!l.file)
		l.file = image;
	if (!described(var, &ptr))
		return; /* a variable without a type: another entry must tell */
	is_void = !type_of(&ptr, &type);
	if (d->filled && !is_void && d->type == dwarf_dieoffset(&type))
		return;
	d->seen = true;
	spell(&type, is_void, name, sizeof(name));
	l.type = name;
	if (is_void || !size_of(&type, &size)) {
		refuse(&l, "is incomplete here: its layout is not known");
		return;
	}
	if (size != d->t->size || d->t->nbits != (size / WORD * 2 + 63) / 64 || size > MAX_SIZE) {
		refuse(&l, "the debug data give another size than the compiler");
		return;
	}
	l.size = size;
	l.nwords = size / WORD;
	l.kind = xcalloc(l.nwords, 1);
	leaf = type;
	if (!(innermost(&leaf) && is_char(&leaf)))
		lay(&l, &type, 0, false);
	for (uint64_t w = 0; size % WORD && w < l.nwords; w++)
		if (l.kind[w] != NONE)
			refuse(&l, "holds pointers and its size is not a multiple of 8 (packed?): the next element of an array would be misaligned");
	if (!l.failed) {
		store(d, &l);
		d->type = dwarf_dieoffset(&type);
	}
	free(l.kind);
}

/* A variable of the image: of a descriptor? */
static void visit(Dwarf_Die *var, uint64_t addr)
{
	if (addr - sec_addr >= sec_size || addr % 16)
		return;
	uint32_t i = desc_at[(addr - sec_addr) / 16];
	if (i)
		fill(&descs[i - 1], var);
}

/* Finds the descriptors: 16-byte aligned, zeros between them at most. */
static void find_descs(void)
{
	descs = xcalloc(sec_size / 16 + 1, sizeof(*descs));
	desc_at = xcalloc(sec_size / 16 + 1, sizeof(*desc_at));
	for (uint64_t off = 0; off + 16 <= sec_size;) {
		struct rt_type *t = (struct rt_type *)(sec + off);

		if (t->magic == 0) {
			off += 16;
			continue;
		}
		uint64_t len = off + sizeof(*t) > sec_size ? 0 : sizeof(*t) + 8ull * t->nbits;
		if (t->magic != RT_TYPE_MAGIC || len == 0 || off + len > sec_size)
			errx(1, "%s: error: section rt_types holds something that is no descriptor, at %#llx",
			     image, (unsigned long long)(sec_addr + off));
		/* An earlier run's work must not stand in for this one's. */
		t->flags = 0;
		t->ptrwords = t->ptrmask = 0;
		memset(t->bits, 0, 8ull * t->nbits);
		descs[ndescs] = (struct desc){ .t = t, .addr = sec_addr + off };
		desc_at[off / 16] = (uint32_t)++ndescs;
		off += (len + 15) / 16 * 16;
	}
}

/* The source file of a local symbol at addr, from the symbol table, for a
 * descriptor without debug data. */
static const char *symbol_file(Elf *elf, uint64_t addr)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn)) && gelf_getshdr(scn, &sh)) {
		Elf_Data *data;
		const char *file = NULL;

		if (sh.sh_type != SHT_SYMTAB || !(data = elf_getdata(scn, NULL)))
			continue;
		for (size_t i = 0; i < sh.sh_size / sizeof(Elf64_Sym); i++) {
			GElf_Sym sym;

			if (!gelf_getsym(data, (int)i, &sym))
				break;
			if (GELF_ST_TYPE(sym.st_info) == STT_FILE)
				file = elf_strptr(elf, sh.sh_link, sym.st_name);
			else if (sym.st_value == addr && GELF_ST_BIND(sym.st_info) == STB_LOCAL && file)
				return file;
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	Elf *elf;
	GElf_Ehdr eh;
	GElf_Shdr sh;
	Dwarf_CU *cu = NULL;
	Dwarf_Die root;
	int fd;

	if (argc != 2)
		errx(2, "usage: ptrmap IMAGE.elf");
	image = argv[1];
	fd = open(image, O_RDWR);
	if (fd < 0)
		err(2, "%s", image);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || !gelf_getehdr(elf, &eh) || eh.e_machine != EM_X86_64 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || (eh.e_type != ET_EXEC && eh.e_type != ET_DYN))
		errx(2, "%s: not a linked x86-64 ELF file", image);
	if (!find_section(elf, "rt_types", &sh))
		return 0; /* no RT_TYPE() in it */
	if (sh.sh_type != SHT_PROGBITS || sh.sh_addr % 16)
		errx(2, "%s: section rt_types is damaged", image);
	sec_addr = sh.sh_addr;
	sec_size = sh.sh_size;
	sec = xcalloc(sec_size, 1);
	uint8_t *before = xcalloc(sec_size, 1);
	if (pread(fd, before, sec_size, (off_t)sh.sh_offset) != (ssize_t)sec_size)
		errx(2, "%s: truncated", image);
	memcpy(sec, before, sec_size);
	find_descs();

	dw = ndescs ? dwarf_begin_elf(elf, DWARF_C_READ, NULL) : NULL;
	while (dw && dwarf_get_units(dw, cu, &cu, NULL, NULL, &root, NULL) == 0)
		each_variable(&root, visit);

	for (size_t i = 0; i < ndescs; i++) {
		if (descs[i].filled || descs[i].seen)
			continue;
		const char *file = symbol_file(elf, descs[i].addr);
		report(file ? file : image, 0,
		       "a type of %llu bytes used with new() or RT_TYPE() has no debug data (descriptor %#llx): compile with -g",
		       (unsigned long long)descs[i].t->size, (unsigned long long)descs[i].addr);
	}
	if (nerrors) {
		if (nerrors > MAX_ERRORS)
			fprintf(stderr, "%s: %d more errors\n", image, nerrors - MAX_ERRORS);
		return 1;
	}
	if (memcmp(before, sec, sec_size) != 0 &&
	    pwrite(fd, sec, sec_size, (off_t)sh.sh_offset) != (ssize_t)sec_size)
		err(2, "%s", image);
	return 0;
}
