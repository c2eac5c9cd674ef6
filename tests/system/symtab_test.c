/* symtab_test.c: the reader of the symbol table, rt/symtab.c, for symtab.py.
 *
 * A program of its own for the host, linked like a hosted image and treated by
 * build/tools/symtab.
 *   symtab_test          looks up points in itself whose function and line it
 *                        knows, prints what is wrong, ends with 1 if any is
 *   symtab_test empty    the same program that the tool never saw finds nothing
 *   symtab_test TABLE    puts the contents of TABLE, another image's section
 *                        rt_symtab, in the place of its own; then for each line
 *                        "lo hi" (hex) of its input prints
 *                        "pc func file line func_start" where that changes */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../rt/rt.h"
#include "../../rt/symtab.h"

extern const struct rt_symtab rt_symtab_image;
static int wrong;

static void check(uintptr_t pc, const char *func, unsigned line)
{
	struct rt_sym s;

	if (!rt_symbolize(pc, &s))
		printf("%s:%u: not found\n", func, line);
	else if (strcmp(s.func, func) || strcmp(s.file, "tests/system/symtab_test.c") || s.line != line)
		printf("%s:%u: found %s %s:%u\n", func, line, s.func, s.file, s.line);
	else
		return;
	wrong++;
}

/* The point behind the call; a return address may belong to the next line. */
static NOINLINE uintptr_t here(void)
{
	__asm__ volatile("");
	return (uintptr_t)__builtin_return_address(0) - 1;
}

static inline __attribute__((always_inline)) uintptr_t inlined(unsigned *line)
{
	*line = __LINE__ + 1;
	uintptr_t pc = here();
	__asm__ volatile("");
	return pc;
}

static NOINLINE void in_static(int deep)
{
	unsigned line;
	uintptr_t pc = inlined(&line);

	check(pc, "in_static", line); /* the function that is there, the line inlined into it */
	check(here(), "in_static", __LINE__);
	if (deep) {
		for (volatile int i = 0; i < 3; i++)
			check(here(), "in_static", __LINE__);
		in_static(deep - 1);
	}
	__asm__ volatile("");
}

static COLD void in_cold(void)
{
	check(here(), "in_cold", __LINE__);
}

#line 60000
static NOINLINE void far_line(void)
{
	check(here(), "far_line", 60002);
}
#line 70

static void self_test(void)
{
	struct rt_sym s;

	check(here(), "self_test", __LINE__); check((uintptr_t)self_test, "self_test", __LINE__ - 3);
	in_static(2);
	in_cold();
	far_line();
	uintptr_t outside[] = { 0, 1, 0x1000, (uintptr_t)&wrong, (uintptr_t)&s, (uintptr_t)&rt_symtab_image,
		0xffffffff80100000, UINTPTR_MAX };
	for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		if (rt_symbolize(outside[i], &s)) {
			printf("%#lx is no code, found %s\n", (unsigned long)outside[i], s.func);
			wrong++;
		}
}

static void dump(void)
{
	unsigned long lo, hi;

	while (scanf("%lx %lx", &lo, &hi) == 2) {
		struct rt_sym last = { .line = -1u };

		for (; lo < hi; lo++) {
			struct rt_sym s = { .file = "" };

			rt_symbolize(lo, &s);
			if (strcmp(s.func, last.func) == 0 && s.func_start == last.func_start && s.file == last.file && s.line == last.line)
				continue;
			printf("%lx %s %s %u %lx\n", lo, s.func[0] ? s.func : "-", s.file[0] ? s.file : "-", s.line,
			       (unsigned long)s.func_start);
			last = s;
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "empty")) {
		struct rt_sym s;

		return rt_symbolize((uintptr_t)main, &s);
	}
	if (argc == 2) {
		int fd = open(argv[1], O_RDONLY);
		off_t size = lseek(fd, 0, SEEK_END);

		if (fd < 0 || mmap((void *)&rt_symtab_image, (size_t)size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
			perror(argv[1]);
			return 2;
		}
		dump();
		return 0;
	}
	self_test();
	return wrong != 0;
}
