/* symtab.h: the symbol and line table inside an image: its format, known to
 * the tool that writes it (rt/gen/symtab.c) and to its reader (rt/symtab.c).
 *
 * Section "rt_symtab" is the last of the image and alone in a read-only
 * segment, so the tool can let it grow after the link without moving
 * anything.  As linked it is a bare header (nblocks 0): an image that the tool
 * never saw works and has no symbols.
 *
 *   header      struct rt_symtab
 *   block_pc    uint64_t[nblocks]  address of each block's first record
 *   block_off   uint32_t[nblocks]  its place in the stream, in bits
 *   file_off    uint32_t[nfiles]   file names, NUL-terminated, from the table's
 *                                  start; the most used ones first, 0 is "?"
 *   symbols     uint16_t[]         of each alphabet, by ascending code
 *   names       the file names
 *   objects     struct rt_symtab_object[nobjects] and their names, if rt/whyalive.c is
 *               in the image: its global data, by ascending address
 *   types       what programs print and compare (rt/typeinfo.h), if anything
 *   stream      records by ascending address, RT_SYMTAB_BLOCK to a block
 *
 * The stream is bits, from the lowest of each byte, and all in it are symbols of
 * three alphabets in canonical Huffman codes, whose first bit is the highest: of
 * one length they are consecutive numbers, and behind those of the length before.
 * A number is a LEB128 varint in symbols of RT_SYMTAB_NUMBERS (signed: zigzag).  A
 * record:
 *   delta   start - start of the record before (first of a block: 0)
 *   nbits   length of the rest.  0: no function begins here, and the code up to
 *           the next record is nobody's
 *   name    in RT_SYMTAB_NAMES, the last one 0
 *   file, line of the first instruction (0, 0: not known)
 *   rows    where the line changes, ascending, in RT_SYMTAB_ROWS
 *
 * The state of rows is pc, and files and lines in order of last use; slot 0 is
 * the current one, a new record starts with its file alone.  A symbol is two
 * bytes, pc (low) and line (signed):
 *   line != RT_SYMTAB_OTHER   pc += and line += these: a row.  The pairs most
 *                             frequent in this image
 *   pc RT_SYMTAB_SWAP + k     slot k + 1 moves to the front, with its last line
 *   pc RT_SYMTAB_FILE, file   a new file moves to the front, starting at the current line
 *   pc RT_SYMTAB_ROW, pc, line   pc += and line += (signed): a row */
#ifndef RT_SYMTAB_H
#define RT_SYMTAB_H

#include <stdint.h>

#define RT_SYMTAB_MAGIC 0x5a59534eu /* "NSYZ" */
#define RT_SYMTAB_BLOCK 32 /* records */
#define RT_SYMTAB_SLOTS 7  /* files remembered within a record */
#define RT_SYMTAB_LONGEST 15 /* bits of a code */

enum { RT_SYMTAB_NAMES, RT_SYMTAB_NUMBERS, RT_SYMTAB_ROWS, RT_SYMTAB_ALPHABETS };

enum {
	RT_SYMTAB_OTHER = -128,
	RT_SYMTAB_SWAP = 0, /* to 5: slots 1..6 */
	RT_SYMTAB_FILE = RT_SYMTAB_SWAP + RT_SYMTAB_SLOTS - 1,
	RT_SYMTAB_ROW,
};

struct rt_symtab {
	uint32_t magic;
	uint32_t size;    /* bytes of all, this header included */
	uint32_t nblocks; /* 0: empty */
	uint32_t nfiles;
	uint32_t stream;  /* offset from the header's start */
	uint32_t nbits;   /* of the stream */
	uint32_t nrecords;
	uint32_t types;   /* offset, a multiple of 16 */
	uint32_t types_size; /* bytes; 0: none */
	uint32_t objects; /* offset, a multiple of 16 */
	uint32_t nobjects; /* 0: none */
	struct rt_symtab_alphabet {
		uint32_t symbols; /* offset */
		uint16_t count[RT_SYMTAB_LONGEST + 1]; /* how many have codes of this length */
	} alphabet[RT_SYMTAB_ALPHABETS];
};
_Static_assert(sizeof(struct rt_symtab) % 8 == 0, "addresses follow");

struct rt_symtab_object {
	uint64_t addr;
	uint32_t size;
	uint32_t name;    /* from `objects` on, NUL-terminated */
};

#endif
