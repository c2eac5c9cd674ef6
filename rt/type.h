/* type.h: run-time type descriptors, the pointer maps of the collector.
 *
 * RT_TYPE(T) is an expression of type const struct rt_type *: a static
 * descriptor in section "rt_types", of which the compiler fills size and
 * shape, and the post-link tool (rt/gen/ptrmap.c) fills flags, ptrmask and
 * bits from the DWARF data by following `type[0]`.  A descriptor left
 * unfilled fails the build.
 *
 * bits: 2 per word of T (word i at bit 2i): 0 no pointer, 1 exact pointer,
 * 2 conservative: a union with a pointer in that word, a uintptr_t, or storage
 * in a char array of 8 bytes or more inside a struct of whole words.  A T that is char or an
 * array of char is noscan.  Other integers hide nothing.  ptrmask: 1 bit per
 * word for the first 64 words, the same reduced to "scan it". */
#ifndef RT_TYPE_H
#define RT_TYPE_H

#include <stddef.h>
#include <stdint.h>

#define RT_TYPE_MAGIC 0x54474e49u /* "INGT" */

enum rt_type_flags {
	RT_TYPE_FILLED = 1,  /* set by the post-link tool */
	RT_TYPE_NOSCAN = 2,  /* no word may hold a pointer */
	RT_TYPE_CONS = 4,    /* some word is conservative */
};
#define RT_TYPE_MAP_FLAGS 7u /* those that describe the map */
/* Of the flags, the upper 16 bits: the span class times 64, an offset in the mcache,
 * where one object may come from rt_malloc's fast path, else 0 (the tool sets it). */
#define RT_TYPE_SLOT_SHIFT 16
#define RT_TYPE_SLOT_BYTES 64u
#define RT_TYPE_FAST_MAX 128 /* bytes: the map, shifted by up to 15 words, is 32 bits */

struct rt_type {
	uint32_t magic;
	uint32_t flags;     /* enum rt_type_flags */
	uint64_t size;      /* sizeof(T) */
	uint32_t align;     /* _Alignof(T) */
	uint32_t nbits;     /* 64-bit words of bits[] that follow */
	uint64_t ptrwords;  /* words up to and including the last pointer; 0 if none */
	uint64_t ptrmask;
	uint64_t bits[];
};

#define RT_TYPE_NBITS(T) ((sizeof(T) / 8 * 2 + 63) / 64)

/* Not const: gcc would take the unfilled fields for known.  "used" also keeps
 * link-time optimisation from proving that nobody writes them. */
#define RT_TYPE(T) \
	({ \
		static struct { \
			struct rt_type h; \
			uint64_t bits[RT_TYPE_NBITS(T)]; \
			__typeof__(T) *type[0]; \
		} rt_type_desc __attribute__((section("rt_types"), used, aligned(16))) = { \
			.h = { RT_TYPE_MAGIC, 0, sizeof(T), _Alignof(T), RT_TYPE_NBITS(T), 0, 0 } \
		}; \
		(const struct rt_type *)&rt_type_desc.h; \
	})

#endif
