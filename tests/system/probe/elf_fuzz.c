/* elf_fuzz.c: damages a kernel file at random and has the UEFI loader's ELF
 * code (boot/efi/kernel_elf.c) check and load it.  Built with ASan and UBSan,
 * which end the run at the first access outside the file or the image.
 *
 *   elf_fuzz KERNEL ROUNDS SEED     prints how many were accepted and refused */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boot/efi/kernel_elf.h"

#define LOAD_LIMIT (16ull << 20) /* bytes; larger images are checked, not loaded */

static uint64_t state;

static uint64_t rnd(void) /* xorshift64 */
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A value of the kind that breaks bounds checks. */
static uint64_t nasty(void)
{
	switch (rnd() % 6) {
	case 0: return rnd() % 256;
	case 1: return UINT64_MAX - rnd() % 4096;
	case 2: return 1ull << rnd() % 64;
	case 3: return (1ull << rnd() % 64) - 1;
	case 4: return rnd() % (2 << 20);
	default: return rnd();
	}
}

static void damage(unsigned char *file, size_t size)
{
	size_t head = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr); /* where it hurts */
	for (unsigned n = 1 + rnd() % 4; n > 0; n--) {
		uint64_t v = nasty();
		size_t width = 1u << rnd() % 4, at = rnd() % head & ~(width - 1);
		if (at + width <= size)
			memcpy(file + at, &v, width);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	FILE *f = fopen(argv[1], "rb");
	if (!f)
		return 2;
	static unsigned char good[8 << 20];
	size_t size = fread(good, 1, sizeof good, f);
	fclose(f);
	long rounds = atol(argv[2]), accepted = 0, refused = 0;
	state = strtoull(argv[3], NULL, 0) | 1;

	for (long i = 0; i < rounds; i++) {
		/* Exactly as many bytes as the file has, so that ASan sees the end. */
		size_t len = rnd() % 3 ? size : rnd() % (size + 1);
		unsigned char *file = malloc(len ? len : 1);
		memcpy(file, good, len);
		if (i > 0)
			damage(file, len);
		struct kernel_elf k;
		struct kernel_elf_error err = {NULL, -2, 0};
		if (kernel_elf_check(file, len, &k, &err) < 0) {
			refused++;
			if (!err.what || err.phdr < -1)
				abort();
		} else {
			accepted++;
			if (k.entry >= k.span || k.nload == 0)
				abort();
			if (k.span <= LOAD_LIMIT) {
				void *image = malloc(k.span);
				kernel_elf_load(file, &k, image);
				free(image);
			}
		}
		free(file);
	}
	printf("accepted %ld refused %ld\n", accepted, refused);
	return 0;
}
