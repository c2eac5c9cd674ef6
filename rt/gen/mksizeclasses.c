/* mksizeclasses.c: prints rt/sizeclasses.h, the table of small object sizes.
 *
 * The rule is Go's (runtime/mksizeclasses.go): sizes rise by an alignment that
 * grows with them; a span of a class has so many 8 KiB pages that what is left
 * over at its end is at most 12.5 % of it; a size that gives the same span
 * length and object count as the one before replaces it; last, a size grows to
 * what its span can give to each object (in steps of 128).  The result is Go's
 * 68 classes, number 0 standing for large objects.
 *
 * tests/check-tables.sh compares the committed header with this output. */
#include <stdio.h>
#include <stdlib.h>

#define PAGE 8192u
#define MAX_SMALL 32768u
#define SMALL_DIV 8u     /* step of the first lookup table */
#define SMALL_MAX 1024u  /* the first table's end */
#define LARGE_DIV 128u   /* step of the second */
#define MAX_CLASSES 128

static unsigned size[MAX_CLASSES], npages[MAX_CLASSES], n = 1;

static unsigned class_of(unsigned bytes)
{
	unsigned c = 1;
	while (size[c] < bytes)
		c++;
	return c;
}

static void make_classes(void)
{
	unsigned align = 8;
	for (unsigned s = align; s <= MAX_SMALL; s += align) {
		if ((s & (s - 1)) == 0) {
			if (s >= 2048)
				align = 256;
			else if (s >= 128)
				align = s / 8;
			else if (s >= 32)
				align = 16;
		}
		unsigned span = PAGE;
		while (span % s > span / 8)
			span += PAGE;
		if (n > 1 && span / PAGE == npages[n - 1] && span / s == span / size[n - 1]) {
			size[n - 1] = s;
			continue;
		}
		if (n == MAX_CLASSES)
			abort();
		size[n] = s;
		npages[n++] = span / PAGE;
	}
	for (unsigned c = 1; c < n; c++) {
		unsigned span = npages[c] * PAGE;
		unsigned grown = span / (span / size[c]) & ~(LARGE_DIV - 1);
		if (grown > size[c])
			size[c] = grown;
	}
	if (n != 68) {
		fprintf(stderr, "mksizeclasses: %u classes instead of 68\n", n);
		exit(1);
	}
}

static void print_array(const char *decl, const unsigned *v, unsigned len)
{
	printf("static const %s = {", decl);
	for (unsigned i = 0; i < len; i++)
		printf("%s%u,", i % 12 ? " " : "\n\t", v[i]);
	printf("\n};\n");
}

int main(void)
{
	make_classes();
	printf("/* sizeclasses.h: printed by rt/gen/mksizeclasses.c; do not edit.\n *\n"
	       " * class  bytes/object  bytes/span  objects  tail waste  max waste\n");
	for (unsigned c = 1; c < n; c++) {
		unsigned span = npages[c] * PAGE, objs = span / size[c];
		unsigned tail = span - objs * size[c];
		double max = 100.0 * ((size[c] - size[c - 1] - 1) * objs + tail) / span;
		printf(" * %5u %13u %11u %8u %11u %9.2f%%\n", c, size[c], span, objs, tail, max);
	}
	printf(" */\n#ifndef SIZECLASSES_H\n#define SIZECLASSES_H\n\n#include <stdint.h>\n\n"
	       "#define MAX_SMALL_SIZE %u\n#define SMALL_SIZE_DIV %u\n#define SMALL_SIZE_MAX %u\n"
	       "#define LARGE_SIZE_DIV %u\n#define NUM_SIZE_CLASSES %u\n\n",
	       MAX_SMALL, SMALL_DIV, SMALL_MAX, LARGE_DIV, n);
	print_array("uint16_t class_to_size[NUM_SIZE_CLASSES]", size, n);
	print_array("uint8_t class_to_npages[NUM_SIZE_CLASSES]", npages, n);
	/* offset * magic >> 32 is offset / size for every offset in a span (Go's divMagic). */
	unsigned v[MAX_SMALL / SMALL_DIV];
	v[0] = 0;
	for (unsigned c = 1; c < n; c++)
		v[c] = ~0u / size[c] + 1;
	print_array("uint32_t class_to_divmagic[NUM_SIZE_CLASSES]", v, n);
	v[0] = 1;
	for (unsigned i = 1; i <= SMALL_MAX / SMALL_DIV; i++)
		v[i] = class_of(i * SMALL_DIV);
	v[0] = v[1];
	print_array("uint8_t size_to_class8[SMALL_SIZE_MAX / SMALL_SIZE_DIV + 1]", v,
	            SMALL_MAX / SMALL_DIV + 1);
	unsigned m = (MAX_SMALL - SMALL_MAX) / LARGE_DIV + 1;
	for (unsigned i = 0; i < m; i++)
		v[i] = class_of(SMALL_MAX + i * LARGE_DIV);
	print_array("uint8_t size_to_class128[(MAX_SMALL_SIZE - SMALL_SIZE_MAX) / LARGE_SIZE_DIV + 1]",
	            v, m);
	printf("\n#endif\n");
	return 0;
}
