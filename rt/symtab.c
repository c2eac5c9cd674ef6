/* symtab.c: function, file and line of an address of the image.
 *
 * Reads the table that rt/gen/symtab.c appends after the link (format:
 * symtab.h).  Called on the fatal path, so it needs nothing: no allocation,
 * no lock, about 250 bytes of stack, and memory it only reads.
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

/* Where in the stream: bits from its start. */
struct place {
	const uint8_t *stream;
	uint32_t at;
};

static unsigned symbol(struct place *p, unsigned alphabet)
{
	const struct rt_symtab_alphabet *a = &rt_symtab_image.alphabet[alphabet];

	__asm__("" : "+r"(a));
	const uint16_t *of_length = (const uint16_t *)((const uint8_t *)&rt_symtab_image + a->symbols);
	unsigned code = 0, first = 0; /* the bits so far; the first code of that length */

	for (unsigned length = 1; length <= RT_SYMTAB_LONGEST; length++) {
		code = code << 1 | (p->stream[p->at / 8] >> p->at % 8 & 1);
		p->at++;
		if (code - first < a->count[length])
			return of_length[code - first];
		of_length += a->count[length];
		first = (first + a->count[length]) << 1;
	}
	return 0;
}

static uint64_t varint(struct place *p)
{
	uint64_t v = 0;
	unsigned shift = 0, b;

	do {
		b = symbol(p, RT_SYMTAB_NUMBERS);
		v |= (uint64_t)(b & 127) << shift;
		shift += 7;
	} while (b & 128);
	return v;
}

static int64_t zigzag(struct place *p)
{
	uint64_t v = varint(p);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Runs the rows up to end of a record that starts at pc at with this file and
 * line, up to the last row that is not behind pc. */
static void run_rows(struct place r, uint32_t end, uintptr_t at, uintptr_t pc, uint32_t *file, uint32_t *line)
{
	struct {
		uint32_t file, line;
	} slot[RT_SYMTAB_SLOTS] = { { *file, *line } }, s;
	unsigned n = 1;

	while (r.at < end) {
		unsigned b = symbol(&r, RT_SYMTAB_ROWS), k = b & 255;
		int8_t dline = (int8_t)(b >> 8);
		uint32_t l = slot[0].line;

		if (dline != RT_SYMTAB_OTHER) {
			at += k;
			l += (uint32_t)dline;
		} else if (k == RT_SYMTAB_ROW) {
			at += varint(&r);
			l += (uint32_t)zigzag(&r);
		} else {
			if (k == RT_SYMTAB_FILE) {
				s.file = (uint32_t)varint(&r);
				s.line = l;
				k = n < RT_SYMTAB_SLOTS ? n++ : n - 1;
			} else {
				k = k - RT_SYMTAB_SWAP + 1;
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
	struct place p = { base + t->stream, block_off[lo] }, rest = p;
	uint32_t end = lo + 1 < t->nblocks ? block_off[lo + 1] : t->nbits, nbits = 0, file, line;
	uintptr_t start = block_pc[lo];
	unsigned n = 0;

	/* The last record that does not begin behind pc. */
	while (p.at < end) {
		uintptr_t at = start + varint(&p);

		if (at > pc)
			break;
		start = at;
		nbits = (uint32_t)varint(&p);
		rest = p;
		p.at += nbits;
	}
	if (nbits == 0)
		return false;
	end = rest.at + nbits;
	while ((out->func[n] = (char)symbol(&rest, RT_SYMTAB_NAMES)))
		n += n + 1 < sizeof out->func;
	out->func[n] = 0;
	file = (uint32_t)varint(&rest);
	line = (uint32_t)varint(&rest);
	run_rows(rest, end, start, pc, &file, &line);
	out->file = (const char *)base + file_off[file];
	out->line = line;
	out->func_start = start;
	return true;
}
