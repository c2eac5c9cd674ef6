/* typeinfo.h: what the image knows of its types at run time: names, kinds,
 * members.  The format, known to the tool that writes it (rt/gen/typeinfo.c)
 * and to its readers (rt/info.c).
 *
 * RT_INFO(T) is a static descriptor in section "rt_infos", of which the compiler
 * fills magic, and the tool, after the link, `at`, by following `type[0]` in the
 * DWARF data.  The infos themselves are one block behind the symbol table
 * (rt/symtab.h: types), which can grow after the link.  Only types that some
 * RT_INFO() names are in it, with all that they lead to, so a program that
 * prints and compares nothing holds none.  Each type is there once, so equal
 * offsets are equal types. */
#ifndef RT_TYPEINFO_H
#define RT_TYPEINFO_H

#include <stddef.h>
#include <stdint.h>

#define RT_INFO_MAGIC 0x4f464e49u /* "INFO" */

enum rt_kind {
	RT_KIND_OPAQUE,   /* void, or nothing known of its inside: size bytes */
	RT_KIND_BOOL,
	RT_KIND_INT,
	RT_KIND_UINT,
	RT_KIND_CHAR,     /* C's plain char */
	RT_KIND_FLOAT,    /* of size bytes, also long double */
	RT_KIND_COMPLEX,
	RT_KIND_POINTER,  /* to elem */
	RT_KIND_FUNC,     /* a pointer to a function */
	RT_KIND_ARRAY,    /* of n elem */
	RT_KIND_SLICE,    /* of elem */
	RT_KIND_STRING,
	RT_KIND_MAP,      /* of key to elem */
	RT_KIND_CHAN,     /* of elem */
	RT_KIND_STRUCT,   /* of n fields */
	RT_KIND_UNION,    /* of size bytes */
	RT_KIND_ENUM,     /* with n names */
};

/* A member of a struct.  Those of a nameless struct inside are its own. */
struct rt_field {
	uint32_t name;     /* "" only for a nameless union */
	uint32_t type;
	uint32_t offset;   /* bytes; for a bit-field where its bits' storage begins */
	uint8_t bits;      /* of a bit-field, else 0 */
	uint8_t bit;       /* its lowest bit, from offset */
	uint16_t unused;
};

/* A name of an enum. */
struct rt_enum_name {
	uint32_t name;
	uint32_t unused;
	int64_t value;
};
_Static_assert(sizeof(struct rt_field) == 16 && sizeof(struct rt_enum_name) == 16, "one array for both");

/* A type.  Offsets are from the start of the block, where an empty name and the
 * opaque type lie; names end in NUL. */
struct rt_info {
	uint32_t kind;  /* enum rt_kind */
	uint32_t size;  /* sizeof */
	uint32_t name;  /* in Go's form: "[]int", "map[string]int", "*point" */
	uint32_t elem;
	uint32_t key;
	uint32_t n;
	uint32_t typedefed; /* 1: the name is a typedef's, of a type with another name */
	uint32_t unused;
	union {
		struct rt_field fields[0];
		struct rt_enum_name names[0];
	};
};
_Static_assert(sizeof(struct rt_info) == 32, "followed by 16-byte entries");

struct rt_info_ref {
	uint32_t magic;
	uint32_t at; /* offset of the type's struct rt_info; set by the tool */
};

/* An expression of type const struct rt_info_ref *.  T complete, no VLA. */
#define RT_INFO(T) \
	({ \
		static struct { \
			struct rt_info_ref h; \
			__typeof__(T) *type[0]; \
		} rt_info_desc __attribute__((section("rt_infos"), used, aligned(16))) = { \
			.h = { RT_INFO_MAGIC, 0 } \
		}; \
		(const struct rt_info_ref *)&rt_info_desc.h; \
	})

#endif
