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
 *   block_off   uint32_t[nblocks]  its place in the stream
 *   file_off    uint32_t[nfiles]   file names, NUL-terminated, from the table's
 *                                  start; the most used ones first, 0 is "?"
 *   names       the file names
 *   objects     struct rt_symtab_object[nobjects] and their names, if rt/whyalive.c is
 *               in the image: its global data, by ascending address
 *   types       what programs print and compare (rt/typeinfo.h), if anything
 *   stream      records by ascending address, RT_SYMTAB_BLOCK to a block
 *
 * A record (numbers are LEB128 varints, signed ones zigzag):
 *   delta   start - start of the record before (first of a block: 0)
 *   name    NUL-terminated.  Empty: no function begins here, the code up to the
 *           next record is nobody's, and the record ends here
 *   nbytes  length of rows
 *   file, line of the first instruction (0, 0: not known)
 *   rows    where the line changes, ascending
 *
 * Rows are codes.  The state is pc, and files and lines in order of last use;
 * slot 0 is the current one, a new record starts with its file alone.
 *   b < ROW2        pc += code[b].pc, line += code[b].line: a row.  The
 *                   pairs most frequent in this image
 *   ROW2 <= b < SWAP  pc += b - ROW2, line += the next byte (int8_t): a row
 *   SWAP + k        slot k + 1 moves to the front, with its last line
 *   FILE, file      a new file moves to the front, starting at the current line
 *   ROW, pc, line   pc += and line += (signed): a row */
#ifndef RT_SYMTAB_H
#define RT_SYMTAB_H

#include <stdint.h>

#define RT_SYMTAB_MAGIC 0x4d59534eu /* "NSYM" */
#define RT_SYMTAB_BLOCK 32 /* records */
#define RT_SYMTAB_SLOTS 7  /* files remembered within a record */

enum {
	RT_SYMTAB_ROW2 = 192,
	RT_SYMTAB_SWAP = 248, /* to 253: slots 1..6 */
	RT_SYMTAB_FILE = 254,
	RT_SYMTAB_ROW = 255,
};
_Static_assert(RT_SYMTAB_SWAP + RT_SYMTAB_SLOTS - 1 == RT_SYMTAB_FILE, "one code for each slot but the first");

struct rt_symtab {
	uint32_t magic;
	uint32_t size;    /* bytes of all, this header included */
	uint32_t nblocks; /* 0: empty */
	uint32_t nfiles;
	uint32_t stream;  /* offset from the header's start */
	uint32_t nrecords;
	uint32_t types;   /* offset, a multiple of 16 */
	uint32_t types_size; /* bytes; 0: none */
	uint32_t objects; /* offset, a multiple of 16 */
	uint32_t nobjects; /* 0: none */
	struct {
		uint8_t pc;
		int8_t line;
	} code[RT_SYMTAB_ROW2];
};

struct rt_symtab_object {
	uint64_t addr;
	uint32_t size;
	uint32_t name;    /* from `objects` on, NUL-terminated */
};

#endif
