/* typeinfo.c: host tool, run after each link: collects the types that
 * RT_INFO() names (rt/typeinfo.h) for printing and comparing values.
 *
 *   typeinfo IMAGE.elf OUT
 *
 * Sets `at` of each descriptor in section "rt_infos" in place and writes the
 * block of infos to OUT, which symtab puts into the image; OUT is empty when
 * the image has no such descriptor.
 *
 * From each descriptor it follows the debug entries to all types that can be
 * reached.  What Ingot's own macros make is known by its shape: a slice is a
 * struct slice_T {ptr, len, cap}, a string a struct string {ptr, len}, a map
 * and a channel are pointers to functions of a struct rt_map * maker and of a
 * struct hchan *.  Two types are the same when name, size and all that is
 * written down of their members agree, in whatever unit they were met.
 *
 * Exit status: 0 done, 1 some descriptor refused, 2 a file is not usable. */
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <unistd.h>

#include "../typeinfo.h"
#include "dwarf_types.h"

#define NAME_MAX_LEN 512
#define DEPTH_MAX 32 /* of a spelled name */

static uint64_t sec_addr, sec_size;
static uint8_t *sec; /* our copy, edited */

/* A type collected; elem, key and the fields' types are indices until the end. */
struct info {
	struct rt_info h;
	struct rt_field *fields; /* h.n of a struct; names of an enum */
	char *sig;               /* by which equal types are found */
	uint32_t at;
};
static struct info *infos;
static uint32_t ninfos, infos_cap;

/* Debug entry to index: open addressing. */
static struct {
	Dwarf_Off off;
	uint32_t i; /* index + 1 */
} *by_die;
static uint32_t by_die_mask, by_die_n;

static char *names; /* NUL-terminated, one behind the other; the first is "" */
static uint32_t names_n, names_cap;

static uint32_t add_name(const char *s)
{
	uint32_t n = (uint32_t)strlen(s) + 1;

	for (uint32_t i = 0; i < names_n; i += (uint32_t)strlen(names + i) + 1)
		if (!strcmp(names + i, s))
			return i;
	if (names_n + n > names_cap) {
		names_cap = (names_n + n) * 2;
		names = realloc(names, names_cap);
		if (!names)
			errx(2, "out of memory");
	}
	memcpy(names + names_n, s, n);
	names_n += n;
	return names_n - n;
}

/* ---- shapes ------------------------------------------------------------- */

/* True if die is a struct with exactly these members. */
static bool has_members(Dwarf_Die *die, const char *const *want)
{
	Dwarf_Die m;

	if (dwarf_child(die, &m) != 0)
		return false;
	do {
		const char *name = dwarf_diename(&m);

		if (dwarf_tag(&m) == DW_TAG_member && (!*want || !name || strcmp(name, *want++)))
			return false;
	} while (dwarf_siblingof(&m, &m) == 0);
	return !*want;
}

static bool is_string(Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);

	return name && !strcmp(name, "string") && has_members(die, (const char *const[]){ "ptr", "len", NULL });
}

/* *elem: the element type. */
static bool is_slice(Dwarf_Die *die, Dwarf_Die *elem)
{
	const char *name = dwarf_diename(die);
	Dwarf_Die m, ptr;

	return name && !strncmp(name, "slice_", 6) &&
	       has_members(die, (const char *const[]){ "ptr", "len", "cap", NULL }) && dwarf_child(die, &m) == 0 &&
	       type_of(&m, &ptr) && peel(&ptr, NULL) && dwarf_tag(&ptr) == DW_TAG_pointer_type && type_of(&ptr, elem);
}

/* The one parameter of a function type. */
static bool only_parameter(Dwarf_Die *fn, Dwarf_Die *out)
{
	Dwarf_Die p;

	return dwarf_child(fn, &p) == 0 && dwarf_tag(&p) == DW_TAG_formal_parameter && type_of(&p, out) &&
	       dwarf_siblingof(&p, &p) != 0;
}

static bool pointer_to(Dwarf_Die *die, Dwarf_Die *target)
{
	return peel(die, NULL) && dwarf_tag(die) == DW_TAG_pointer_type && type_of(die, target) && peel(target, NULL);
}

static bool is_struct_named(Dwarf_Die *die, const char *want)
{
	const char *name = dwarf_diename(die);

	return dwarf_tag(die) == DW_TAG_structure_type && name && !strcmp(name, want);
}

/* fn is what a pointer points to: V (struct rt_map *(*)(K *)). */
static bool is_map(Dwarf_Die *fn, Dwarf_Die *key, Dwarf_Die *val)
{
	Dwarf_Die p, maker, r, m;

	return dwarf_tag(fn) == DW_TAG_subroutine_type && type_of(fn, val) && only_parameter(fn, &p) &&
	       pointer_to(&p, &maker) && dwarf_tag(&maker) == DW_TAG_subroutine_type && type_of(&maker, &r) &&
	       pointer_to(&r, &m) && is_struct_named(&m, "rt_map") && only_parameter(&maker, &p) && peel(&p, NULL) &&
	       dwarf_tag(&p) == DW_TAG_pointer_type && type_of(&p, key);
}

/* T (struct hchan *) */
static bool is_chan(Dwarf_Die *fn, Dwarf_Die *elem)
{
	Dwarf_Die p, c;

	return dwarf_tag(fn) == DW_TAG_subroutine_type && type_of(fn, elem) && only_parameter(fn, &p) &&
	       pointer_to(&p, &c) && is_struct_named(&c, "hchan");
}

/* ---- names ---------------------------------------------------------------- */

static void add(char *out, const char *s)
{
	size_t n = strlen(out);

	snprintf(out + n, NAME_MAX_LEN - n, "%s", s);
}

static uint64_t dimension(Dwarf_Die *dim)
{
	Dwarf_Attribute a;
	Dwarf_Word v;

	if (dwarf_attr(dim, DW_AT_count, &a) && dwarf_formudata(&a, &v) == 0)
		return v <= MAX_SIZE ? v : 0;
	if (dwarf_attr(dim, DW_AT_upper_bound, &a) && dwarf_formudata(&a, &v) == 0)
		return v + 1 <= MAX_SIZE ? v + 1 : 0;
	return 0;
}

static void spell(Dwarf_Die *type, char *out, int depth);

/* The tag, or all members: "struct { x int; y int }". */
static void spell_nameless(const char *word, Dwarf_Die *type, const char *tag, char *out, int depth)
{
	const char *between = " ";
	Dwarf_Die m, t;

	if (tag) {
		add(out, tag);
		return;
	}
	add(out, word);
	add(out, " {");
	if (dwarf_child(type, &m) == 0)
		do {
			const char *name = dwarf_diename(&m);

			add(out, between);
			add(out, name ? name : "_");
			between = "; ";
			if (dwarf_tag(&m) != DW_TAG_member)
				continue;
			add(out, " ");
			spell(type_of(&m, &t) ? &t : NULL, out, depth + 1);
		} while (dwarf_siblingof(&m, &m) == 0);
	add(out, " }");
}

/* Appends the type's name in Go's form; NULL: void. */
static void spell(Dwarf_Die *type, char *out, int depth)
{
	Dwarf_Die die, target, key, dim;
	const char *name;
	char number[32];

	if (!type) {
		add(out, "void");
		return;
	}
	if (depth > DEPTH_MAX) {
		add(out, "...");
		return;
	}
	name = dwarf_diename(type);
	switch (dwarf_tag(type)) {
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		spell(type_of(type, &die) ? &die : NULL, out, depth);
		return;
	case DW_TAG_pointer_type:
		if (!type_of(type, &target)) {
			add(out, "*void");
			return;
		}
		die = target;
		if (peel(&die, NULL) && is_map(&die, &key, &target)) {
			add(out, "map[");
			spell(&key, out, depth + 1);
			add(out, "]");
			spell(&target, out, depth + 1);
		} else if (is_chan(&die, &target)) {
			add(out, "chan ");
			spell(&target, out, depth + 1);
		} else if (dwarf_tag(&die) == DW_TAG_subroutine_type) {
			add(out, "func");
		} else {
			add(out, "*");
			spell(&target, out, depth + 1);
		}
		return;
	case DW_TAG_array_type:
		if (dwarf_child(type, &dim) == 0)
			do {
				if (dwarf_tag(&dim) != DW_TAG_subrange_type)
					continue;
				snprintf(number, sizeof(number), "[%llu]", (unsigned long long)dimension(&dim));
				add(out, number);
			} while (dwarf_siblingof(&dim, &dim) == 0);
		spell(type_of(type, &target) ? &target : NULL, out, depth + 1);
		return;
	case DW_TAG_subroutine_type:
		add(out, "func");
		return;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		if (is_slice(type, &target)) {
			add(out, "[]");
			spell(&target, out, depth + 1);
			return;
		}
		spell_nameless("struct", type, name, out, depth);
		return;
	case DW_TAG_union_type:
		spell_nameless("union", type, name, out, depth);
		return;
	case DW_TAG_enumeration_type:
		spell_nameless("enum", type, name, out, depth);
		return;
	}
	add(out, !name ? "?" : !strcmp(name, "_Bool") ? "bool" : name);
}

/* ---- collecting ------------------------------------------------------------ */

static uint32_t intern(Dwarf_Die *type);

static void remember(Dwarf_Off off, uint32_t i)
{
	if (by_die_n * 2 >= by_die_mask) {
		typeof(by_die) old = by_die;
		uint32_t n = by_die ? by_die_mask + 1 : 0;

		by_die_mask = n ? n * 2 - 1 : 1023;
		by_die = xcalloc(by_die_mask + 1, sizeof(*by_die));
		by_die_n = 0;
		for (uint32_t k = 0; k < n; k++)
			if (old[k].i)
				remember(old[k].off, old[k].i - 1);
		free(old);
	}
	uint32_t h = (uint32_t)(off * 2654435761u) & by_die_mask;
	while (by_die[h].i && by_die[h].off != off)
		h = (h + 1) & by_die_mask;
	by_die_n += !by_die[h].i;
	by_die[h].off = off;
	by_die[h].i = i + 1;
}

static bool known(Dwarf_Off off, uint32_t *i)
{
	if (!by_die)
		return false;
	for (uint32_t h = (uint32_t)(off * 2654435761u) & by_die_mask; by_die[h].i; h = (h + 1) & by_die_mask)
		if (by_die[h].off == off) {
			*i = by_die[h].i - 1;
			return true;
		}
	return false;
}

static uint32_t new_info(void)
{
	if (ninfos == infos_cap) {
		infos_cap = infos_cap ? infos_cap * 2 : 64;
		infos = realloc(infos, infos_cap * sizeof(*infos));
		if (!infos)
			errx(2, "out of memory");
	}
	infos[ninfos] = (struct info){ 0 };
	return ninfos++;
}

static void *add_entry(struct rt_field **list, uint32_t *n)
{
	*list = realloc(*list, (*n + 1) * sizeof(**list));
	if (!*list)
		errx(2, "out of memory");
	memset(&(*list)[*n], 0, sizeof(**list));
	return &(*list)[(*n)++];
}

static bool number(Dwarf_Die *die, unsigned attr, uint64_t *v)
{
	Dwarf_Attribute a;
	Dwarf_Word w;

	if (!dwarf_attr(die, attr, &a) || dwarf_formudata(&a, &w) != 0)
		return false;
	*v = w;
	return true;
}

/* Where a member lies, in bits; DWARF 4 counts bit-fields from the top of their storage. */
static uint64_t member_bit(Dwarf_Die *m, uint64_t bits)
{
	uint64_t at = 0, v, size;
	Dwarf_Die t;

	if (number(m, DW_AT_data_bit_offset, &v))
		return v;
	number(m, DW_AT_data_member_location, &at);
	if (bits && number(m, DW_AT_bit_offset, &v) &&
	    (number(m, DW_AT_byte_size, &size) || (type_of(m, &t) && size_of(&t, &size))))
		return at * 8 + size * 8 - v - bits;
	return at * 8;
}

/* Appends the members of a struct to list, from byte base on. */
static void members(Dwarf_Die *die, uint64_t base, struct rt_field **list, uint32_t *n)
{
	Dwarf_Die m, t, inner;

	if (dwarf_child(die, &m) != 0)
		return;
	do {
		const char *name = dwarf_diename(&m);
		uint64_t bits = 0, bit;

		if (dwarf_tag(&m) != DW_TAG_member || dwarf_hasattr(&m, DW_AT_external) || !type_of(&m, &t))
			continue;
		number(&m, DW_AT_bit_size, &bits);
		bit = member_bit(&m, bits);
		inner = t;
		if (!name && peel(&inner, NULL) && dwarf_tag(&inner) == DW_TAG_structure_type) {
			members(&inner, base + bit / 8, list, n);
			continue;
		}
		if (!name && bits)
			continue; /* padding */
		uint32_t type = intern(&t);
		struct rt_field *f = add_entry(list, n);
		f->name = add_name(name ? name : "");
		f->type = type;
		f->offset = (uint32_t)(base + bit / 8);
		f->bits = (uint8_t)bits;
		f->bit = (uint8_t)(bit % 8);
	} while (dwarf_siblingof(&m, &m) == 0);
}

static void enum_names(Dwarf_Die *die, struct rt_field **list, uint32_t *n)
{
	Dwarf_Die m;

	if (dwarf_child(die, &m) != 0)
		return;
	do {
		Dwarf_Attribute a;
		Dwarf_Sword v;

		if (dwarf_tag(&m) != DW_TAG_enumerator || !dwarf_attr(&m, DW_AT_const_value, &a) ||
		    dwarf_formsdata(&a, &v) != 0)
			continue;
		struct rt_enum_name *e = add_entry(list, n);
		e->name = add_name(dwarf_diename(&m));
		e->value = v;
	} while (dwarf_siblingof(&m, &m) == 0);
}

/* An array from its dim-th dimension on. */
static uint32_t intern_array(Dwarf_Die *die, Dwarf_Die *dim, bool more, const char *name)
{
	Dwarf_Die elem, rest;
	uint32_t of, i;
	uint64_t n = 0;

	while (more && dwarf_tag(dim) != DW_TAG_subrange_type)
		more = dwarf_siblingof(dim, dim) == 0;
	if (!more)
		return type_of(die, &elem) ? intern(&elem) : 0;
	n = dimension(dim);
	more = dwarf_siblingof(dim, &rest) == 0;
	while (more && dwarf_tag(&rest) != DW_TAG_subrange_type)
		more = dwarf_siblingof(&rest, &rest) == 0;
	const char *inner = strchr(name, ']');
	of = intern_array(die, &rest, more, inner ? inner + 1 : "");
	i = new_info();
	infos[i].h = (struct rt_info){ .kind = RT_KIND_ARRAY, .size = (uint32_t)(n * infos[of].h.size),
		.name = add_name(name), .elem = of, .n = (uint32_t)n };
	return i;
}

/* Everything that tells two types apart. */
static char *signature(const struct info *t)
{
	char *s = NULL;
	size_t len;
	FILE *f = open_memstream(&s, &len);

	if (!f)
		errx(2, "out of memory");
	fprintf(f, "%u %u %s %u %u %u %u", t->h.kind, t->h.size, names + t->h.name, t->h.n, t->h.typedefed,
	        infos[t->h.elem].h.size, infos[t->h.key].h.size);
	for (uint32_t i = 0; i < t->h.n && t->fields; i++) {
		const struct rt_field *m = &t->fields[i];
		const struct rt_enum_name *e = (const void *)m;

		if (t->h.kind == RT_KIND_ENUM)
			fprintf(f, "|%s=%lld", names + e->name, (long long)e->value);
		else
			fprintf(f, "|%s %s %u %u %u", names + m->name, names + infos[m->type].h.name, m->offset, m->bits, m->bit);
	}
	fclose(f);
	return s;
}

static enum rt_kind base_kind(Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	uint64_t enc = 0;

	number(die, DW_AT_encoding, &enc);
	switch (enc) {
	case DW_ATE_boolean:
		return RT_KIND_BOOL;
	case DW_ATE_float:
		return RT_KIND_FLOAT;
	case DW_ATE_complex_float:
		return RT_KIND_COMPLEX;
	case DW_ATE_signed:
		return RT_KIND_INT;
	case DW_ATE_unsigned:
		return RT_KIND_UINT;
	case DW_ATE_signed_char:
		return name && !strcmp(name, "char") ? RT_KIND_CHAR : RT_KIND_INT;
	case DW_ATE_unsigned_char:
		return RT_KIND_UINT;
	}
	return RT_KIND_OPAQUE;
}

/* Fills infos[i] from a type without typedefs and qualifiers.  (infos moves
 * when intern() adds to it.) */
static void fill(uint32_t i, Dwarf_Die *die)
{
	Dwarf_Die target, key, dim;
	struct rt_field *list = NULL;
	uint32_t a, b, n = 0;

	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		infos[i].h.kind = base_kind(die);
		break;
	case DW_TAG_enumeration_type:
		infos[i].h.kind = RT_KIND_ENUM;
		enum_names(die, &list, &n);
		infos[i].fields = list;
		infos[i].h.n = n;
		break;
	case DW_TAG_pointer_type:
		if (!type_of(die, &target)) {
			infos[i].h.kind = RT_KIND_POINTER;
			break;
		}
		key = target;
		if (peel(&key, NULL) && dwarf_tag(&key) == DW_TAG_subroutine_type) {
			Dwarf_Die fn = key;

			if (is_map(&fn, &key, &target)) {
				a = intern(&key);
				b = intern(&target);
				infos[i].h.kind = RT_KIND_MAP;
				infos[i].h.key = a;
				infos[i].h.elem = b;
			} else if (is_chan(&fn, &target)) {
				a = intern(&target);
				infos[i].h.kind = RT_KIND_CHAN;
				infos[i].h.elem = a;
			} else {
				infos[i].h.kind = RT_KIND_FUNC;
			}
			break;
		}
		a = intern(&target);
		infos[i].h.kind = RT_KIND_POINTER;
		infos[i].h.elem = a;
		break;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		if (is_string(die)) {
			infos[i].h.kind = RT_KIND_STRING;
		} else if (is_slice(die, &target)) {
			a = intern(&target);
			infos[i].h.kind = RT_KIND_SLICE;
			infos[i].h.elem = a;
		} else if (!is_flag(die, DW_AT_declaration)) {
			infos[i].h.kind = RT_KIND_STRUCT;
			members(die, 0, &list, &n);
			infos[i].fields = list;
			infos[i].h.n = n;
		}
		break;
	case DW_TAG_union_type:
		infos[i].h.kind = RT_KIND_UNION;
		break;
	case DW_TAG_array_type:
		if (dwarf_hasattr(die, DW_AT_GNU_vector) || dwarf_child(die, &dim) != 0)
			break;
		char *name = strdup(names + infos[i].h.name); /* names moves */
		a = intern_array(die, &dim, true, name ? name : "");
		free(name);
		if (infos[a].h.kind == RT_KIND_ARRAY) {
			infos[i].h.kind = RT_KIND_ARRAY;
			infos[i].h.elem = infos[a].h.elem;
			infos[i].h.n = infos[a].h.n;
		}
		break;
	}
}

/* The index of a type. */
static uint32_t intern(Dwarf_Die *type)
{
	Dwarf_Die die = *type, bare;
	char name[NAME_MAX_LEN] = "", plain[NAME_MAX_LEN] = "";
	uint64_t size = 0;
	uint32_t i;

	while (dwarf_tag(&die) == DW_TAG_const_type || dwarf_tag(&die) == DW_TAG_volatile_type ||
	       dwarf_tag(&die) == DW_TAG_restrict_type || dwarf_tag(&die) == DW_TAG_atomic_type)
		if (!type_of(&die, &die))
			return 0; /* void */
	if (known(dwarf_dieoffset(&die), &i))
		return i;
	bare = die;
	if (!peel(&bare, NULL))
		return 0;
	i = new_info();
	remember(dwarf_dieoffset(&die), i);
	spell(&die, name, 0);
	spell(&bare, plain, 0);
	size_of(&bare, &size);
	infos[i].h.name = add_name(name);
	infos[i].h.size = (uint32_t)size;
	infos[i].h.typedefed = dwarf_tag(&die) == DW_TAG_typedef && strcmp(name, plain) != 0 && dwarf_diename(&bare);
	fill(i, &bare);
	return i;
}

/* ---- output ------------------------------------------------------------- */

/* Of equal types the first one stands for all: same[i]. */
static uint32_t *merge(void)
{
	uint32_t *same = xcalloc(ninfos, sizeof(*same));

	for (uint32_t i = 0; i < ninfos; i++)
		infos[i].sig = signature(&infos[i]);
	for (uint32_t i = 0; i < ninfos; i++) {
		uint32_t k = 0;

		while (k < i && strcmp(infos[k].sig, infos[i].sig))
			k++;
		same[i] = same[k] = k;
	}
	return same;
}

static void write_block(const char *path, uint32_t *same)
{
	uint32_t at = 0;
	FILE *f = fopen(path, "wb");

	if (!f)
		err(2, "%s", path);
	for (uint32_t i = 0; i < ninfos; i++) {
		if (same[i] != i)
			continue;
		infos[i].at = at;
		at += (uint32_t)(sizeof(struct rt_info) + (infos[i].fields ? infos[i].h.n : 0) * sizeof(struct rt_field));
	}
	for (uint32_t i = 0; i < ninfos; i++) {
		struct info *t = &infos[i];
		struct rt_info h = t->h;

		if (same[i] != i)
			continue;
		h.name += at;
		h.elem = infos[same[h.elem]].at;
		h.key = infos[same[h.key]].at;
		fwrite(&h, sizeof(h), 1, f);
		for (uint32_t k = 0; k < h.n && t->fields; k++) {
			struct rt_field m = t->fields[k];

			m.name += at;
			if (h.kind == RT_KIND_STRUCT)
				m.type = infos[same[m.type]].at;
			fwrite(&m, sizeof(m), 1, f);
		}
	}
	fwrite(names, names_n, 1, f);
	if (ferror(f) || fclose(f) != 0)
		err(2, "%s", path);
}

static uint32_t *type_at; /* by descriptor's place / 16: index + 1 */

/* A variable of the image: a descriptor? */
static void visit(Dwarf_Die *var, uint64_t addr)
{
	struct rt_info_ref *r;
	Dwarf_Die ptr, type;

	if (addr - sec_addr >= sec_size || addr % 16 || sec_size - (addr - sec_addr) < sizeof(*r))
		return;
	r = (struct rt_info_ref *)(sec + (addr - sec_addr));
	if (r->magic != RT_INFO_MAGIC || !described(var, &ptr))
		return;
	type_at[(addr - sec_addr) / 16] = (type_of(&ptr, &type) ? intern(&type) : 0) + 1;
}

int main(int argc, char **argv)
{
	Elf *elf;
	GElf_Ehdr eh;
	GElf_Shdr sh;
	Dwarf_CU *cu = NULL;
	Dwarf_Die root;
	uint32_t left = 0;
	int fd;

	if (argc != 3)
		errx(2, "usage: typeinfo IMAGE.elf OUT");
	image = argv[1];
	fd = open(image, O_RDWR);
	if (fd < 0)
		err(2, "%s", image);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || !gelf_getehdr(elf, &eh) || eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64)
		errx(2, "%s: not a linked x86-64 ELF file", image);
	add_name("");
	new_info(); /* 0: opaque */
	infos[0].h.name = add_name("void");
	if (!find_section(elf, "rt_infos", &sh) || sh.sh_type != SHT_PROGBITS || sh.sh_size == 0) {
		FILE *f = fopen(argv[2], "wb");

		if (!f || fclose(f) != 0)
			err(2, "%s", argv[2]);
		return 0;
	}
	sec_addr = sh.sh_addr;
	sec_size = sh.sh_size;
	sec = xcalloc(sec_size, 1);
	type_at = xcalloc(sec_size / 16 + 1, sizeof(*type_at));
	if (pread(fd, sec, sec_size, (off_t)sh.sh_offset) != (ssize_t)sec_size)
		errx(2, "%s: truncated", image);
	dw = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	while (dw && dwarf_get_units(dw, cu, &cu, NULL, NULL, &root, NULL) == 0)
		each_variable(&root, visit);
	uint32_t *same = merge();
	write_block(argv[2], same);
	for (uint64_t off = 0; off + sizeof(struct rt_info_ref) <= sec_size; off += 16) {
		struct rt_info_ref *r = (struct rt_info_ref *)(sec + off);

		if (r->magic == RT_INFO_MAGIC && type_at[off / 16])
			r->at = infos[same[type_at[off / 16] - 1]].at;
		else
			left += r->magic == RT_INFO_MAGIC;
	}
	if (left) {
		fprintf(stderr, "%s: error: %u types that are printed or compared have no debug data: compile with -g\n",
		        image, left);
		return 1;
	}
	if (pwrite(fd, sec, sec_size, (off_t)sh.sh_offset) != (ssize_t)sec_size)
		err(2, "%s", image);
	return 0;
}
