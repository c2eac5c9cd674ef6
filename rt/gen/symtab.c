/* symtab.c: host tool, run after each link: puts the symbol and line table
 * (format: rt/symtab.h) into the image.
 *
 *   symtab [-v] [-t TYPES] IMAGE.elf     run it at the top of the source tree
 *
 * TYPES is the block that typeinfo wrote; without it the one that is in the
 * image already stays.
 *
 * Functions come from .symtab, lines from .debug_line.  A name loses the
 * suffix that the compiler gives to clones and cold parts (f.part.0 is f); of
 * several names for one address the plainest global function wins.  A line is
 * that of the innermost inlined function.  File names lose the top of the
 * tree; those outside it keep their last folder.
 *
 * Placing: section rt_symtab must be the last of the image in memory and
 * begin a PT_LOAD segment of its own (linker.ld; hosted: --section-start).
 * The table goes to the end of the file, and program and section header are
 * set to it.  No address changes, so there is no second link.  An image
 * without that section is left alone.  A second run gives the same file.
 *
 * Exit status: 0 done, 2 the file is not usable. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <err.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../symtab.h"

#define GAP 64 /* bytes of nobody's code: more is not alignment */

static const char *image;

static void *grow(void *p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap ? *cap * 2 : 1024;
	p = realloc(p, *cap * size);
	if (!p)
		errx(2, "out of memory");
	return p;
}

/* ---- output buffers -------------------------------------------------------- */

struct buf {
	uint8_t *p;
	size_t n, cap;
};

static void put(struct buf *b, const void *data, size_t n)
{
	while (b->n + n > b->cap) {
		b->cap = b->cap ? b->cap * 2 : 4096;
		b->p = realloc(b->p, b->cap);
		if (!b->p)
			errx(2, "out of memory");
	}
	memcpy(b->p + b->n, data, n);
	b->n += n;
}

static void put_byte(struct buf *b, uint8_t v)
{
	put(b, &v, 1);
}

/* ---- file names ----------------------------------------------------------- */

struct file {
	char *name;
	unsigned uses;
	uint32_t number; /* in the table */
	uint32_t next;   /* hash chain, index + 1 */
};
static struct file *files;
static size_t nfiles, files_cap;
static uint32_t file_hash[1024];
static char root[4096];

/* As the table shows a path: "." and ".." worked out, the tree's top and the
 * build folder's copies of other sources taken off. */
static char *shorten(const char *path)
{
	char out[4096];
	size_t n = 0, len = strlen(root);

	for (const char *p = path; *p;) {
		const char *e = p;

		while (*e && *e != '/')
			e++;
		if (e == p || (e - p == 1 && p[0] == '.')) {
			;
		} else if (e - p == 2 && !memcmp(p, "..", 2) && n > 0 &&
			   !(n >= 3 && !memcmp(out + n - 3, "/..", 3))) {
			while (n > 0 && out[--n] != '/')
				;
		} else {
			if (n + (size_t)(e - p) + 2 > sizeof(out))
				break;
			if (n > 0 || path[0] == '/')
				out[n++] = '/';
			memcpy(out + n, p, (size_t)(e - p));
			n += (size_t)(e - p);
		}
		p = *e ? e + 1 : e;
	}
	out[n] = 0;
	if (!strncmp(out, root, len) && out[len] == '/') {
		const char *s = out + len + 1;

		if (!strncmp(s, "build/src/", 10))
			s += 10;
		return strdup(s);
	}
	if (out[0] != '/')
		return strdup(out);
	char *last = strrchr(out, '/');
	*last = 0;
	char *dir = strrchr(out, '/');
	*last = '/';
	return strdup(dir ? dir + 1 : out + 1);
}

static uint32_t file_number(const char *path)
{
	/* libdw gives one pointer for a file of a unit, many times in a row. */
	static struct {
		const char *path;
		uint32_t file;
	} cache[256];
	unsigned c = (unsigned)((uintptr_t)path >> 3) % 256, h = 5381;

	if (cache[c].path == path)
		return cache[c].file;
	char *name = shorten(path);
	if (!name)
		errx(2, "out of memory");
	for (const char *s = name; *s; s++)
		h = h * 33 + (uint8_t)*s;
	uint32_t i = file_hash[h % 1024];
	while (i && strcmp(files[i - 1].name, name))
		i = files[i - 1].next;
	if (!i) {
		files = grow(files, nfiles, &files_cap, sizeof(*files));
		files[nfiles++] = (struct file){ .name = name, .next = file_hash[h % 1024] };
		i = file_hash[h % 1024] = (uint32_t)nfiles;
	} else {
		free(name);
	}
	cache[c].path = path;
	cache[c].file = i - 1;
	return i - 1;
}

static int by_uses(const void *a, const void *b)
{
	const struct file *x = *(struct file *const *)a, *y = *(struct file *const *)b;

	return x->uses != y->uses ? (x->uses < y->uses ? 1 : -1) : strcmp(x->name, y->name);
}

/* ---- lines ----------------------------------------------------------------- */

struct row {
	uint64_t addr;
	uint32_t file, line;
	uint32_t seq; /* order in the debug data */
};
static struct row *rows;
static size_t nrows, rows_cap;

static int by_addr(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

struct range {
	uint64_t lo, hi;
	size_t shndx;
};
static struct range text[64]; /* executable sections, ascending */
static unsigned ntext;

static const struct range *in_text(uint64_t addr)
{
	for (unsigned i = 0; i < ntext; i++)
		if (addr >= text[i].lo && addr < text[i].hi)
			return &text[i];
	return NULL;
}

static void read_lines(Dwarf *dw)
{
	Dwarf_Off off = 0, next;
	Dwarf_CU *cu = NULL;
	Dwarf_Files *fs;
	Dwarf_Lines *ls;
	size_t nf, nl;

	while (dwarf_next_lines(dw, off, &next, &cu, &fs, &nf, &ls, &nl) == 0) {
		for (size_t i = 0; i < nl; i++) {
			Dwarf_Line *l = dwarf_onesrcline(ls, i);
			Dwarf_Addr addr;
			const char *path;
			bool end;
			int line;

			if (!l || dwarf_lineaddr(l, &addr) != 0 || dwarf_lineno(l, &line) != 0 || line <= 0 ||
			    dwarf_lineendsequence(l, &end) != 0 || end || !in_text(addr) ||
			    !(path = dwarf_linesrc(l, NULL, NULL)))
				continue;
			rows = grow(rows, nrows, &rows_cap, sizeof(*rows));
			rows[nrows] = (struct row){ addr, file_number(path), (uint32_t)line, (uint32_t)nrows };
			nrows++;
		}
		off = next;
	}
	qsort(rows, nrows, sizeof(*rows), by_addr);
	/* Of rows at one address the last holds. */
	size_t n = 0;
	for (size_t i = 0; i < nrows; i++)
		if (i + 1 == nrows || rows[i + 1].addr != rows[i].addr)
			rows[n++] = rows[i];
	nrows = n;
}

/* ---- functions --------------------------------------------------------- */

struct func {
	uint64_t addr, size;
	const char *name; /* "": nobody's code */
	int rank;         /* lower is the better name */
	const struct range *sec;
};
static struct func *funcs;
static size_t nfuncs, funcs_cap;

static void add_func(struct func f)
{
	funcs = grow(funcs, nfuncs, &funcs_cap, sizeof(*funcs));
	funcs[nfuncs++] = f;
}

static int by_place(const void *a, const void *b)
{
	const struct func *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	size_t m = strlen(x->name), n = strlen(y->name);
	return m != n ? (m < n ? -1 : 1) : strcmp(x->name, y->name);
}

/* The name without ".part.0", ".cold" and the like. */
static const char *plain_name(const char *name)
{
	const char *dot = name[0] == '.' ? NULL : strchr(name, '.');
	char *s = dot ? strndup(name, (size_t)(dot - name)) : NULL;

	return s ? s : name;
}

/* Data, named if the image asks for it by having this symbol. */
#define OBJECTS_WANTED "rt_object_names"
struct object {
	uint64_t addr, size;
	const char *name;
};
static struct object *objects;
static size_t nobjects, objects_cap;
static bool objects_wanted;

static void add_object(Elf *elf, const GElf_Sym *sym, const char *name)
{
	GElf_Shdr sh;
	Elf_Scn *scn = elf_getscn(elf, sym->st_shndx);

	objects_wanted |= !strcmp(name, OBJECTS_WANTED);
	if (!scn || !gelf_getshdr(scn, &sh) || (sh.sh_flags & (SHF_ALLOC | SHF_WRITE)) != (SHF_ALLOC | SHF_WRITE) ||
	    sym->st_size < 8)
		return;
	objects = grow(objects, nobjects, &objects_cap, sizeof(*objects));
	objects[nobjects++] = (struct object){ sym->st_value, sym->st_size, name };
}

static int by_object(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct buf build_objects(void)
{
	struct buf t = { 0 }, names = { 0 };

	qsort(objects, nobjects, sizeof(*objects), by_object);
	for (size_t i = 0; i < nobjects; i++) {
		struct rt_symtab_object o = { objects[i].addr, (uint32_t)objects[i].size,
			(uint32_t)(nobjects * sizeof(o) + names.n) };
		put(&t, &o, sizeof(o));
		put(&names, objects[i].name, strlen(objects[i].name) + 1);
	}
	put(&t, names.p, names.n);
	return t;
}

static void read_symbols(Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn)) && gelf_getshdr(scn, &sh)) {
		Elf_Data *data;

		if (sh.sh_type != SHT_SYMTAB || !(data = elf_getdata(scn, NULL)))
			continue;
		for (size_t i = 0; i < sh.sh_size / sizeof(Elf64_Sym); i++) {
			GElf_Sym sym;

			if (!gelf_getsym(data, (int)i, &sym))
				break;
			const struct range *sec = in_text(sym.st_value);
			const char *name = elf_strptr(elf, sh.sh_link, sym.st_name);
			int type = GELF_ST_TYPE(sym.st_info), bind = GELF_ST_BIND(sym.st_info);

			if (type == STT_OBJECT && name && name[0])
				add_object(elf, &sym, name);
			if (!sec || sym.st_shndx != sec->shndx || !name || !name[0] || name[0] == '.' ||
			    (type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC))
				continue;
			add_func((struct func){ sym.st_value, sym.st_size, plain_name(name),
				(type == STT_NOTYPE ? 8 : 0) + (name[0] == '_' ? 4 : 0) +
				(bind == STB_GLOBAL ? 0 : bind == STB_WEAK ? 1 : 2), sec });
		}
	}
	for (unsigned i = 0; i < ntext; i++) { /* code before a section's first symbol */
		add_func((struct func){ text[i].lo, 0, "", 100, &text[i] });
		add_func((struct func){ text[i].hi, 0, "", 100, &text[i] });
	}
	qsort(funcs, nfuncs, sizeof(*funcs), by_place);

	/* One for each address; labels inside a function are not functions; the
	 * rest of a section behind its last function is nobody's. */
	struct func *out = NULL;
	size_t n = 0, cap = 0;
	uint64_t end = 0; /* of the function before */
	for (size_t i = 0; i < nfuncs; i++) {
		struct func *f = &funcs[i];

		if (n && out[n - 1].addr == f->addr)
			continue;
		if (f->rank >= 8 && f->rank < 100 && f->addr < end)
			continue;
		if (n && out[n - 1].name[0] && out[n - 1].size && end + GAP < f->addr) {
			out = grow(out, n, &cap, sizeof(*out));
			out[n++] = (struct func){ .addr = end, .name = "" };
		}
		out = grow(out, n, &cap, sizeof(*out));
		out[n++] = *f;
		if (f->addr + f->size > end)
			end = f->addr + f->size;
	}
	free(funcs);
	funcs = out;
	nfuncs = n;
}

/* ---- encoding ----------------------------------------------------------- */

static struct rt_symtab head;
static struct buf types; /* the block of type infos (rt/typeinfo.h) */
static size_t row_bits, name_bits; /* for -v */

/* A pair is worth its place among the symbols from here on. */
#define PAIR_WORTH 8
static unsigned pairs[1 << 16]; /* how often, by row_symbol() */

/* An alphabet while it is made: how often each symbol comes, and its code. */
struct alphabet {
	unsigned n[1 << 16]; /* 0: is not in it */
	uint8_t length[1 << 16];
	uint16_t code[1 << 16];
} alphabets[RT_SYMTAB_ALPHABETS];

struct bits {
	struct buf b;
	size_t n;
};

static void put_bit(struct bits *out, bool bit)
{
	if (out->n % 8 == 0)
		put_byte(&out->b, 0);
	out->b.p[out->n / 8] |= (uint8_t)(bit << out->n % 8);
	out->n++;
}

static void put_bits(struct bits *out, const struct bits *from)
{
	for (size_t i = 0; i < from->n; i++)
		put_bit(out, from->b.p[i / 8] >> i % 8 & 1);
}

static void put_symbol(struct bits *out, unsigned which, unsigned symbol)
{
	struct alphabet *a = &alphabets[which];

	a->n[symbol]++;
	for (unsigned i = a->length[symbol]; i-- > 0;)
		put_bit(out, a->code[symbol] >> i & 1);
}

static void put_number(struct bits *out, uint64_t v)
{
	for (; v >= 128; v >>= 7)
		put_symbol(out, RT_SYMTAB_NUMBERS, (v & 127) | 128);
	put_symbol(out, RT_SYMTAB_NUMBERS, (unsigned)v);
}

static unsigned row_symbol(uint64_t pc, int64_t line)
{
	return (unsigned)pc | (unsigned)(uint8_t)line << 8;
}

static void put_other(struct bits *out, unsigned what)
{
	put_symbol(out, RT_SYMTAB_ROWS, row_symbol(what, RT_SYMTAB_OTHER));
}

/* One step of pc and line within a file. */
static void put_row(struct bits *out, uint64_t dpc, int64_t dline)
{
	bool small = dpc < 256 && dline > RT_SYMTAB_OTHER && dline <= 127;
	unsigned symbol = row_symbol(dpc & 255, dline);

	if (small && !out)
		pairs[symbol]++;
	if (!out)
		return;
	if (small && pairs[symbol] >= PAIR_WORTH) {
		put_symbol(out, RT_SYMTAB_ROWS, symbol);
	} else {
		put_other(out, RT_SYMTAB_ROW);
		put_number(out, dpc);
		put_number(out, (uint64_t)dline << 1 ^ (uint64_t)(dline >> 63));
	}
}

/* The rows of one record; r[0] is at or before its first instruction's line.
 * out NULL: pairs are counted. */
static size_t put_rows(struct bits *out, const struct row *r, size_t n, uint64_t start)
{
	struct {
		uint32_t file, line;
	} slot[RT_SYMTAB_SLOTS] = { { r[0].file, r[0].line } }, s;
	unsigned used = 1;
	uint64_t at = start;
	size_t written = 0;

	for (size_t i = 1; i < n; i++) {
		if (r[i].file == slot[0].file && r[i].line == slot[0].line)
			continue;
		if (r[i].file != slot[0].file) {
			unsigned k = 0;

			while (k < used && slot[k].file != r[i].file)
				k++;
			if (k < used) {
				s.file = slot[k].file;
				s.line = slot[k].line;
				if (out)
					put_other(out, RT_SYMTAB_SWAP + k - 1);
			} else {
				s.file = r[i].file;
				s.line = slot[0].line;
				if (out) {
					put_other(out, RT_SYMTAB_FILE);
					put_number(out, files[s.file].number);
				}
				k = used < RT_SYMTAB_SLOTS ? used++ : used - 1;
			}
			for (; k > 0; k--)
				slot[k] = slot[k - 1];
			slot[0].file = s.file;
			slot[0].line = s.line;
		}
		put_row(out, r[i].addr - at, (int64_t)r[i].line - slot[0].line);
		at = r[i].addr;
		slot[0].line = r[i].line;
		written++;
	}
	return written;
}

/* Encodes all records with the codes there are, and counts the symbols; returns the
 * number of rows.  stream NULL: counts pairs. */
static size_t encode(struct bits *stream, struct buf *block_pc, struct buf *block_off)
{
	size_t r = 0, written = 0;
	uint64_t before = 0;
	struct bits one = { 0 };

	for (size_t i = 0; i < nfuncs; i++) {
		struct func *f = &funcs[i];
		uint64_t end = i + 1 < nfuncs ? funcs[i + 1].addr : f->addr;

		while (r < nrows && rows[r].addr < f->addr)
			r++;
		size_t first = r;
		while (r < nrows && rows[r].addr < end)
			r++;
		if (!stream) {
			if (r > first)
				put_rows(NULL, rows + first, r - first, f->addr);
			continue;
		}
		if (i % RT_SYMTAB_BLOCK == 0) {
			uint32_t off = (uint32_t)stream->n;

			put(block_pc, &f->addr, sizeof(f->addr));
			put(block_off, &off, sizeof(off));
			before = f->addr;
		}
		put_number(stream, f->addr - before);
		before = f->addr;
		one.n = one.b.n = 0;
		if (f->name[0]) {
			for (const char *c = f->name; *c; c++)
				put_symbol(&one, RT_SYMTAB_NAMES, (uint8_t)*c);
			put_symbol(&one, RT_SYMTAB_NAMES, 0);
			name_bits += one.n;
			put_number(&one, r > first ? files[rows[first].file].number : 0);
			put_number(&one, r > first ? rows[first].line : 0);
			row_bits -= one.n;
			if (r > first)
				written += 1 + put_rows(&one, rows + first, r - first, f->addr);
			row_bits += one.n;
		}
		put_number(stream, one.n);
		put_bits(stream, &one);
	}
	free(one.b.p);
	return written;
}

static const struct alphabet *sorting;

/* Short codes first; of one length by symbol. */
static int by_use(const void *x, const void *y)
{
	unsigned a = *(const uint16_t *)x, b = *(const uint16_t *)y;

	if (sorting->length[a] != sorting->length[b])
		return sorting->length[a] - sorting->length[b];
	return (int)a - (int)b;
}

/* Huffman's lengths of an alphabet's codes by how often its symbols came, the
 * codes, and its part of the head; the counts begin anew.  Its symbols go to out. */
static void make_codes(unsigned which, struct buf *out, uint32_t offset)
{
	struct alphabet *a = &alphabets[which];
	struct rt_symtab_alphabet *h = &head.alphabet[which];
	static uint16_t symbols[1 << 16];
	static uint64_t weight[2 << 16];
	static unsigned parent[2 << 16];
	unsigned n = 0, longest;

	for (unsigned s = 0; s < 1 << 16; s++)
		if (a->n[s])
			symbols[n++] = (uint16_t)s;
	if (n < 2)
		errx(2, "alphabet %u has no two symbols", which);
	for (unsigned flat = 0;; flat++) { /* ever less unequal, until no code is too long */
		unsigned nodes = n;

		for (unsigned i = 0; i < n; i++)
			weight[i] = (a->n[symbols[i]] >> flat) + 1;
		memset(parent, 0, sizeof(parent));
		for (; nodes < 2 * n - 1; nodes++) {
			unsigned least[2];

			for (unsigned k = 0; k < 2; k++) {
				least[k] = 0;
				while (parent[least[k]])
					least[k]++;
				for (unsigned i = least[k]; i < nodes; i++)
					if (!parent[i] && weight[i] < weight[least[k]])
						least[k] = i;
				parent[least[k]] = nodes;
			}
			weight[nodes] = weight[least[0]] + weight[least[1]];
		}
		longest = 0;
		for (unsigned i = 0; i < n; i++) {
			unsigned length = 0;

			for (unsigned k = i; parent[k]; k = parent[k])
				length++;
			a->length[symbols[i]] = (uint8_t)length;
			longest = length > longest ? length : longest;
		}
		if (longest <= RT_SYMTAB_LONGEST)
			break;
	}
	sorting = a;
	qsort(symbols, n, sizeof(symbols[0]), by_use);
	memset(h->count, 0, sizeof(h->count));
	for (unsigned i = 0, code = 0; i < n; i++, code++) {
		if (i)
			code <<= a->length[symbols[i]] - a->length[symbols[i - 1]];
		a->code[symbols[i]] = (uint16_t)code;
		h->count[a->length[symbols[i]]]++;
	}
	h->symbols = offset + (uint32_t)out->n;
	put(out, symbols, n * sizeof(symbols[0]));
	memset(a->n, 0, sizeof(a->n));
}

/* Chooses the pairs and makes the codes. */
static void make_alphabets(struct buf *out, uint32_t offset)
{
	struct bits stream = { 0 };
	struct buf unused = { 0 };

	encode(NULL, NULL, NULL);
	/* At first nothing has a code, so lengths are 0; the second time they are about right. */
	for (unsigned pass = 0; pass < 2; pass++) {
		stream.n = stream.b.n = 0;
		encode(&stream, &unused, &unused);
		for (unsigned s = 0; s < 256; s++) /* each may be wanted in the end */
			alphabets[RT_SYMTAB_NUMBERS].n[s]++;
		for (unsigned k = 0; k <= RT_SYMTAB_ROW; k++)
			alphabets[RT_SYMTAB_ROWS].n[row_symbol(k, RT_SYMTAB_OTHER)]++;
		for (unsigned i = 0; i < RT_SYMTAB_ALPHABETS; i++)
			make_codes(i, pass ? out : &unused, offset);
	}
	name_bits = row_bits = 0;
	free(stream.b.p);
	free(unused.p);
}

/* Builds the whole table; *nwritten: rows in it. */
static struct buf build(size_t *nwritten)
{
	struct buf t = { 0 }, block_pc = { 0 }, block_off = { 0 }, names = { 0 }, file_off = { 0 };
	struct bits stream = { 0 };
	struct file **order = calloc(nfiles + 1, sizeof(*order));
	uint32_t used = 0;

	if (!order)
		errx(2, "out of memory");
	*nwritten = 0;
	for (size_t i = 0; i < nrows; i++)
		files[rows[i].file].uses++;
	for (size_t i = 0; i < nfiles; i++)
		order[i] = &files[i];
	qsort(order, nfiles, sizeof(*order), by_uses);
	for (size_t i = 0; i < nfiles && order[i]->uses; i++)
		order[i]->number = ++used; /* 0 is "?" */

	head.nblocks = (uint32_t)((nfuncs + RT_SYMTAB_BLOCK - 1) / RT_SYMTAB_BLOCK);
	head.nfiles = used + 1;
	uint32_t at = (uint32_t)(sizeof(head) + head.nblocks * (sizeof(uint64_t) + sizeof(uint32_t)) +
	                         head.nfiles * sizeof(uint32_t));
	if (nfuncs) {
		make_alphabets(&names, at);
		*nwritten = encode(&stream, &block_pc, &block_off);
	}

	head.magic = RT_SYMTAB_MAGIC;
	head.nrecords = (uint32_t)nfuncs;
	for (uint32_t i = 0; i <= used; i++) {
		const char *name = i ? order[i - 1]->name : "?";
		uint32_t off = at + (uint32_t)names.n;

		put(&file_off, &off, sizeof(off));
		put(&names, name, strlen(name) + 1);
	}
	head.nobjects = 0;
	if (objects_wanted) {
		struct buf block = build_objects();

		while ((at + names.n) % 16)
			put_byte(&names, 0);
		head.objects = at + (uint32_t)names.n;
		head.nobjects = (uint32_t)nobjects;
		put(&names, block.p, block.n);
	}
	if (types.n) {
		while ((at + names.n) % 16)
			put_byte(&names, 0);
		head.types = at + (uint32_t)names.n;
		head.types_size = (uint32_t)types.n;
		put(&names, types.p, types.n);
	}
	head.stream = at + (uint32_t)names.n;
	head.nbits = (uint32_t)stream.n;
	head.size = head.stream + (uint32_t)stream.b.n;
	put(&t, &head, sizeof(head));
	put(&t, block_pc.p, block_pc.n);
	put(&t, block_off.p, block_off.n);
	put(&t, file_off.p, file_off.n);
	put(&t, names.p, names.n);
	put(&t, stream.b.p, stream.b.n);
	free(order);
	return t;
}

/* ---- the file -------------------------------------------------------------- */

static void write_at(int fd, const void *p, size_t n, uint64_t off)
{
	if (pwrite(fd, p, n, (off_t)off) != (ssize_t)n)
		err(2, "%s", image);
}

/* Puts the table at the end of the file and into segment and section. */
static void place(int fd, const Elf64_Ehdr *eh, uint64_t shoff, Elf64_Shdr *sh, const struct buf *t)
{
	Elf64_Phdr ph;
	uint64_t phoff = 0, size, at;
	off_t end = lseek(fd, 0, SEEK_END);

	for (unsigned i = 0; i < eh->e_phnum; i++) {
		uint64_t off = eh->e_phoff + i * sizeof(ph);

		if (pread(fd, &ph, sizeof(ph), (off_t)off) != sizeof(ph))
			errx(2, "%s: truncated", image);
		if (ph.p_type != PT_LOAD)
			continue;
		if (ph.p_vaddr == sh->sh_addr)
			phoff = off;
		else if (ph.p_vaddr + ph.p_memsz > sh->sh_addr)
			errx(2, "%s: section rt_symtab must begin a segment of its own, the last of the image", image);
	}
	if (!phoff || pread(fd, &ph, sizeof(ph), (off_t)phoff) != sizeof(ph) ||
	    ph.p_memsz != sh->sh_size || ph.p_filesz != sh->sh_size)
		errx(2, "%s: section rt_symtab must have a segment of its own", image);

	/* What an earlier run appended is overwritten. */
	size = (uint64_t)end;
	at = sh->sh_offset + sh->sh_size == size ? sh->sh_offset :
		(size + ph.p_align - 1) / ph.p_align * ph.p_align + ph.p_vaddr % ph.p_align;
	write_at(fd, t->p, t->n, at);
	if (ftruncate(fd, (off_t)(at + t->n)) != 0)
		err(2, "%s", image);
	ph.p_offset = sh->sh_offset = at;
	ph.p_filesz = ph.p_memsz = sh->sh_size = t->n;
	write_at(fd, &ph, sizeof(ph), phoff);
	write_at(fd, sh, sizeof(*sh), shoff);
}

static void read_types(const char *path)
{
	uint8_t chunk[4096];
	size_t n;
	FILE *f = fopen(path, "rb");

	if (!f)
		err(2, "%s", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		put(&types, chunk, n);
	fclose(f);
}

/* The types of an earlier run. */
static void keep_types(int fd, const Elf64_Shdr *own)
{
	struct rt_symtab old;

	if (own->sh_size < sizeof(old) || pread(fd, &old, sizeof(old), (off_t)own->sh_offset) != sizeof(old) ||
	    old.types_size == 0)
		return;
	uint8_t *p = malloc(old.types_size);
	if (!p || (uint64_t)old.types + old.types_size > own->sh_size ||
	    pread(fd, p, old.types_size, (off_t)(own->sh_offset + old.types)) != old.types_size)
		errx(2, "%s: section rt_symtab is damaged", image);
	put(&types, p, old.types_size);
	free(p);
}

int main(int argc, char **argv)
{
	bool verbose = false;
	const char *from = NULL;
	uint64_t own_shoff = 0;
	Elf64_Shdr own;
	Elf_Scn *scn = NULL;
	size_t strndx, written;
	Elf64_Ehdr *eh;
	Elf *elf;
	int fd;

	for (int c; (c = getopt(argc, argv, "vt:")) != -1;) {
		verbose |= c == 'v';
		from = c == 't' ? optarg : from;
		if (c == '?')
			return 2;
	}
	if (argc != optind + 1)
		errx(2, "usage: symtab [-v] [-t TYPES] IMAGE.elf");
	image = argv[optind];
	if (!getcwd(root, sizeof(root)))
		err(2, "current folder");
	fd = open(image, O_RDWR);
	if (fd < 0)
		err(2, "%s", image);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || !(eh = elf64_getehdr(elf)) || eh->e_machine != EM_X86_64 ||
	    (eh->e_type != ET_EXEC && eh->e_type != ET_DYN) || elf_getshdrstrndx(elf, &strndx) != 0)
		errx(2, "%s: not a linked x86-64 ELF file", image);
	while ((scn = elf_nextscn(elf, scn))) {
		Elf64_Shdr *sh = elf64_getshdr(scn);
		const char *name = sh ? elf_strptr(elf, strndx, sh->sh_name) : NULL;

		if (!name)
			continue;
		if (!strcmp(name, "rt_symtab") && sh->sh_type == SHT_PROGBITS) {
			own_shoff = eh->e_shoff + elf_ndxscn(scn) * sizeof(*sh);
			own = *sh;
		}
		if ((sh->sh_flags & (SHF_ALLOC | SHF_EXECINSTR)) == (SHF_ALLOC | SHF_EXECINSTR) && sh->sh_size) {
			if (ntext == sizeof(text) / sizeof(text[0]))
				errx(2, "%s: more than %u code sections", image, ntext);
			text[ntext++] = (struct range){ sh->sh_addr, sh->sh_addr + sh->sh_size, elf_ndxscn(scn) };
		}
	}
	if (!own_shoff)
		return 0; /* no rt/symtab.c in it */

	Dwarf *dw = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	if (dw)
		read_lines(dw);
	read_symbols(elf);
	if (from)
		read_types(from);
	else
		keep_types(fd, &own);
	struct buf t = build(&written);
	place(fd, eh, own_shoff, &own, &t);
	if (verbose)
		printf("%s: table %zu bytes: %zu records, their names %zu bytes, %u files, %zu rows of %.2f bytes (all: %.2f a row)\n",
		       image, t.n, nfuncs, name_bits / 8, head.nfiles, written,
		       (double)row_bits / 8 / (double)(written ? written : 1),
		       (double)t.n / (double)(written ? written : 1));
	return 0;
}
