/* symtab.c: function, file and line of an address of the image.
 *
 * Reads the table that rt/gen/symtab.c appends after the link (format:
 * symtab.h).  Called on the fatal path, so it needs nothing: no allocation,
 * no lock, no buffer, about 200 bytes of stack, and memory it only reads; the
 * strings it returns lie in the table and live for ever.
 *
 * A search is a binary search over blocks, then at most RT_SYMTAB_BLOCK
 * record heads and the rows of one function: some microseconds. */
#include "rt.h"
#include "symtab.h"

/* The empty table that the link sees. */
const struct rt_symtab rt_symtab_image __attribute__((section("rt_symtab"), used, aligned(16))) = {
	.magic = RT_SYMTAB_MAGIC,
	.size = sizeof(struct rt_symtab),
};

static uint64_t varint(const uint8_t **p)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;

	do {
		b = *(*p)++;
		v |= (uint64_t)(b & 127) << shift;
		shift += 7;
	} while (b & 128);
	return v;
}

static int64_t zigzag(const uint8_t **p)
{
	uint64_t v = varint(p);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Runs the rows [r, end) of a record that starts at pc at with this file and
 * line, up to the last row that is not behind pc. */
static void run_rows(const struct rt_symtab *t, const uint8_t *r, const uint8_t *end, uintptr_t at,
		     uintptr_t pc, uint32_t *file, uint32_t *line)
{
	struct {
		uint32_t file, line;
	} slot[RT_SYMTAB_SLOTS] = { { *file, *line } }, s;
	unsigned n = 1;

	while (r < end) {
		uint8_t b = *r++;
		uint32_t l = slot[0].line;

		if (b < RT_SYMTAB_ROW2) {
			at += t->code[b].pc;
			l += (uint32_t)t->code[b].line;
		} else if (b < RT_SYMTAB_SWAP) {
			at += b - RT_SYMTAB_ROW2;
			l += (uint32_t)(int8_t)*r++;
		} else if (b == RT_SYMTAB_ROW) {
			at += varint(&r);
			l += (uint32_t)zigzag(&r);
		} else {
			unsigned k = b - RT_SYMTAB_SWAP + 1;

			if (b == RT_SYMTAB_FILE) {
				s.file = (uint32_t)varint(&r);
				s.line = l;
				k = n < RT_SYMTAB_SLOTS ? n++ : n - 1;
			} else {
				s = slot[k];
			}
			for (; k > 0; k--)
				slot[k] = slot[k - 1];
			slot[0] = s;
			continue;
		}
		if (at > pc)
			return;
		slot[0].line = l;
		*file = slot[0].file;
		*line = l;
	}
}

bool rt_symbolize(uintptr_t pc, struct rt_sym *out)
{
	const struct rt_symtab *t = &rt_symtab_image;

	/* The tool replaced what the compiler knows. */
	__asm__("" : "+r"(t));
	const uint8_t *base = (const uint8_t *)t;
	const uint64_t *block_pc = (const uint64_t *)(t + 1);
	const uint32_t *block_off = (const uint32_t *)(block_pc + t->nblocks);
	const uint32_t *file_off = block_off + t->nblocks;
	uint32_t lo = 0, hi = t->nblocks;

	if (t->magic != RT_SYMTAB_MAGIC || hi == 0 || pc < block_pc[0])
		return false;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (block_pc[mid] <= pc)
			lo = mid;
		else
			hi = mid;
	}
	const uint8_t *p = base + t->stream + block_off[lo];
	const uint8_t *end = lo + 1 < t->nblocks ? base + t->stream + block_off[lo + 1] : base + t->size;
	const uint8_t *rows = NULL;
	uint64_t nbytes = 0;
	uint32_t file = 0, line = 0;
	uintptr_t start = block_pc[lo];
	const char *name = "";

	/* The last record that does not begin behind pc. */
	while (p < end) {
		uintptr_t at = start + varint(&p);

		if (at > pc)
			break;
		start = at;
		name = (const char *)p;
		p += strlen(name) + 1;
		if (!name[0])
			continue;
		nbytes = varint(&p);
		file = (uint32_t)varint(&p);
		line = (uint32_t)varint(&p);
		rows = p;
		p += nbytes;
	}
	if (!name[0])
		return false;
	run_rows(t, rows, rows + nbytes, start, pc, &file, &line);
	out->func = name;
	out->file = (const char *)base + file_off[file];
	out->line = line;
	out->func_start = start;
	return true;
}
