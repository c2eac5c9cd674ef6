/* ptrmap_shapes.c: the shapes whose pointer maps tests/system/ptrmap.sh checks.
 *
 * A program of its own for the host: it needs only rt/type.h, and is built at
 * each optimisation level and debug format, linked, treated by
 * build/tools/ptrmap, and run.  With -DSECOND it is the other translation
 * unit.  A map is written as one letter per 8-byte word: '.' none, 'p'
 * exact, 'c' conservative.
 *
 * With -DREFUSE=n it is a program that ptrmap must refuse; the script knows
 * the message. */
#include <complex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../../rt/type.h"

struct opaque; /* never defined */
struct node {
	struct node *next;
	long v;
};
static inline __attribute__((always_inline)) const struct rt_type *node_type(void)
{
	return RT_TYPE(struct node); /* inlined several times, in both units */
}
const struct rt_type *second(int which);

#ifdef REFUSE
struct __attribute__((packed)) packed_ptr { char c; void *p; };
struct __attribute__((packed)) packed_int { uint32_t c; uintptr_t p; };
struct __attribute__((packed)) packed_size { void *p; int n; };
struct outer { long n; struct packed_size in[3]; };
struct flexible { long n; char *names[]; };
struct flexible_struct { long n; struct node nodes[0]; };
int main(void)
{
#if REFUSE == 1
	return (int)RT_TYPE(struct packed_ptr)->size;
#elif REFUSE == 2
	return (int)RT_TYPE(struct packed_int)->size;
#elif REFUSE == 3
	return (int)RT_TYPE(struct packed_size)->size;
#elif REFUSE == 4
	return (int)RT_TYPE(struct outer)->size;
#elif REFUSE == 5
	return (int)RT_TYPE(struct flexible)->size;
#elif REFUSE == 6
	return (int)RT_TYPE(struct flexible_struct)->size;
#elif REFUSE == 7
	return (int)RT_TYPE(void)->size;
#elif REFUSE == 8 /* compiled without -g */
	return (int)RT_TYPE(struct node)->size;
#elif REFUSE == 9 /* a size the debug data do not agree with */
	static struct {
		struct rt_type h;
		uint64_t bits[1];
		struct node *type[0];
	} rt_type_desc __attribute__((section("rt_types"), used, aligned(16))) = {
		.h = { RT_TYPE_MAGIC, 0, 24, 8, 1, 0, 0 }
	};
	return (int)rt_type_desc.h.size;
#endif
}
#else

typedef struct node node_t;
typedef const node_t *volatile node_ref;
typedef uintptr_t address;
typedef address handle;
typedef char name[24];
typedef void (*callback)(struct opaque *, int);
enum colour { RED, GREEN };

struct nested {
	int a;
	struct { char *p; long n; } in;
	struct { long x; void *q; }; /* anonymous */
	struct node tail;
};
union number { long i; double d; };
union mixed { struct { long n; char *p; } a; struct { char *p; long n; long m; } b; };
struct with_unions {
	union number n;
	union mixed m;
	union { int x; void *q; };
	char *after;
};
struct arrays {
	struct node two[2];
	char *three[3];
	struct { char *row[2]; long pad; } grid[2][2];
	int ints[4];
	node_ref ref;
};
struct bits {
	unsigned a : 3, b : 29;
	uint64_t wide : 48, rest : 16;
	void *p;
	int c : 5;
};
struct functions {
	int (*f)(void);
	callback cb[2];
	callback *pcb;
	void (*(*maker)(int))(void *);
};
struct ints {
	uintptr_t u;
	intptr_t i;
	handle h;
	size_t s;
	uint64_t x;
	unsigned long l;
	const handle pair[2];
};
struct bytes {
	char tiny[7];
	char first;
	char raw[16];
	unsigned char off4[4];
	uint8_t raw20[20]; /* at 28: covers one word, 32..39, and 40..47 */
	name n;
	bool flags[16];
	int8_t grid[2][8];
	short shorts[8];
};
struct plain { long a; double d; float f[3]; bool b; enum colour c; };
struct others {
	_Complex double z;
	long double ld;
	__int128 w;
	typeof(int __attribute__((vector_size(16)))) v;
	_Atomic(char *) ap;
	_Atomic int ai;
	struct opaque *o;
	struct opaque **oo;
};
struct flexible_bytes { struct node *p; long n; char data[]; };
struct flexible_zero { char *p; int rest[0]; };
struct marker { long a; char begin[0]; char *p; char end[0]; };
struct empty {};
struct big { char *p; long a[70]; void *last; long tail; };
struct __attribute__((packed)) packed_fine { void *p; uint32_t a, b; };
struct __attribute__((packed)) packed_odd { uint32_t a; char b; };

static int failures, checks;

/* Compares t's map with the letters, and all fields that follow from it. */
static void check(const char *what, const struct rt_type *t, uint64_t size, const char *want)
{
	char got[1024] = "";
	uint64_t words = size / 8, last = 0, mask = 0;
	uint32_t flags = RT_TYPE_FILLED;

	checks++;
	for (uint64_t w = 0; w < words && w < sizeof(got) - 1; w++)
		got[w] = ".pc?"[t->bits[w / 32] >> (w % 32 * 2) & 3];
	for (uint64_t w = 0; want[w]; w++) {
		if (want[w] == '.')
			continue;
		last = w + 1;
		if (w < 64)
			mask |= 1ull << w;
		if (want[w] == 'c')
			flags |= RT_TYPE_CONS;
	}
	if (!last)
		flags |= RT_TYPE_NOSCAN;
	if (t->magic == RT_TYPE_MAGIC && t->size == size && !strcmp(got, want) &&
	    (t->flags & RT_TYPE_MAP_FLAGS) == flags && t->ptrwords == last && t->ptrmask == mask)
		return;
	failures++;
	printf("FAIL %s: size %llu flags %u ptrwords %llu ptrmask %#llx map \"%s\", want \"%s\"\n", what,
	       (unsigned long long)t->size, t->flags, (unsigned long long)t->ptrwords,
	       (unsigned long long)t->ptrmask, got, want);
}
#define CHECK(T, want) check(#T, RT_TYPE(T), sizeof(T), want)

/* The same static in a function that is cloned and inlined at will. */
static const struct rt_type *in_block(int n)
{
	for (int i = 0; i < n; i++) {
		if (i == 2) {
			struct local { long a; char *p[2]; };
			return RT_TYPE(struct local);
		}
	}
	return NULL;
}

#ifndef SECOND
int main(void)
{
	CHECK(struct node, "p.");
	CHECK(node_t, "p.");
	CHECK(const volatile node_t, "p.");
	CHECK(node_ref, "p");
	CHECK(struct nested, ".p..pp.");
	CHECK(union number, ".");
	CHECK(union mixed, "cc.");
	CHECK(struct with_unions, ".cc.cp");
	CHECK(struct arrays, "p.p." "ppp" "pp.pp.pp.pp." ".." "p");
	CHECK(struct bits, "..p.");
	CHECK(struct functions, "ppppp");
	CHECK(struct ints, "ccc...cc");
	CHECK(struct bytes, "." "cc" "." "cc" "ccc" ".." "cc" "..");
	CHECK(struct plain, ".....");
	CHECK(struct others, ".." ".." ".." ".." "p.pp");
	CHECK(struct flexible_bytes, "p.");
	CHECK(struct flexible_zero, "p");
	CHECK(struct marker, ".p");
	CHECK(struct empty, "");
	CHECK(struct big, "p......................................................................p.");
	CHECK(struct packed_fine, "p.");
	CHECK(struct packed_odd, "");
	CHECK(struct packed_odd[8], ".....");
	CHECK(struct node[3], "p.p.p.");
	CHECK(char *, "p");
	CHECK(void *, "p");
	CHECK(void **[2][2], "pppp");
	CHECK(callback, "p");
	CHECK(struct opaque *, "p");
	CHECK(int, "");
	CHECK(long, ".");
	CHECK(double[3], "...");
	CHECK(enum colour, "");
	CHECK(uintptr_t, "c");
	CHECK(handle[2], "cc");
	CHECK(char, "");
	CHECK(char[64], "........");
	CHECK(name, "...");
	CHECK(name[2], "......");
	CHECK(const unsigned char[16], "..");
	CHECK(uint8_t[8], ".");
	CHECK(bool[8], ".");
	CHECK(struct { char buf[64]; }, "cccccccc");
	CHECK(struct { int n; char buf[32]; }, "....");
	CHECK(struct { struct { int n; char buf[32]; } two[2]; }, ".........");
	CHECK(union { char raw[16]; long n; }, "cc");
	CHECK(struct { int n; union { char *p; long l; } u[2]; }, ".cc");
	CHECK(struct { union { struct node *a; struct node *b; } u; }, "c");
	CHECK(char *[40], "pppppppppppppppppppppppppppppppppppppppp");
	check("inlined", node_type(), 16, "p.");
	check("inlined again", node_type(), 16, "p.");
	check("block", in_block(checks), 24, ".pp");
	check("other unit, inlined", second(0), 16, "p.");
	check("other unit, block", second(1), 24, ".pp");
	check("other unit, same tag", second(2), 24, "..p");
	printf("%d maps, %d wrong\n", checks, failures);
	return failures != 0;
}
#else
struct twin { long a, b; void *p; };
const struct rt_type *second(int which)
{
	(void)check;
	(void)failures;
	return which == 0 ? node_type() : which == 1 ? in_block(9) : RT_TYPE(struct twin);
}
#endif
#endif
