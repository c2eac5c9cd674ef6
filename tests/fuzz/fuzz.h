/* fuzz.h: what a fuzz target is written with.  README.md beside it says how they are run.
 *
 *	#include "ingot.h"
 *	#include "fuzz.h"
 *
 *	FUZZ(name, NULL)
 *	{
 *		parse(p, n);
 *	}
 *
 * The body runs on the main task, once for each input of n bytes at p, which are
 * allocated at exactly that size: ASan sees one byte too many.  What is wrong is a fault,
 * a report of ASan or UBSan, a throw, a panic that nobody recovers, a deadlock, an input
 * that takes 20 s, or a task more than before. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
	const char *name;
	void (*setup)(void);     /* once, before the first input; NULL */
	void (*one)(const uint8_t *p, size_t n);
};

/* All targets are one program; the linker makes a list of these. */
#define FUZZ(name, setup) \
	static void fuzz_##name(const uint8_t *p, size_t n); \
	static const struct fuzz_target fuzz_target_##name __attribute__((section("fuzz_targets"), used, aligned(8))) = \
		{ #name, setup, fuzz_##name }; \
	static void fuzz_##name(const uint8_t *p, size_t n)

/* Ends the run: the input is kept, and this printed. */
#define FUZZ_CHECK(c) ((c) ? (void)0 : fuzz_failed(__FILE__, __LINE__, #c))
_Noreturn void fuzz_failed(const char *file, int line, const char *what);

/* engine.c, for main.c only: after fuzzer_begin(), which is given main's arguments (the
 * target's name, then libFuzzer's), each fuzzer_next() gets the next input.  system */
void fuzzer_begin(void *argv);
void fuzzer_next(void *arg);
struct fuzz_input {
	const uint8_t *p;        /* NULL: libFuzzer is at work */
	size_t n;
};
extern struct fuzz_input fuzz_input;

/* Of glibc's heap, so that ASan knows its bounds; the collector does not look there. */
uint8_t *fuzz_copy(const void *p, size_t n);
uint8_t *fuzz_zeroed(size_t n);
void fuzz_free(uint8_t *p);

/* http.c: a connection for each input, a thousand a second, would use up the ports: what is
 * kept of closed ones is forgotten. */
void fuzz_forget_ends(void);

/* What mmio_map() gives; NULL: firmware.c's memory. */
extern volatile void *(*fuzz_mmio)(uint64_t pa, size_t n);

/* What a driver found (blkdev_add(), ...) goes to these first; false: it is for the runtime.
 * engine.c */
struct blkdev;
struct netdev;
struct entropydev;
extern bool (*fuzz_found_disk)(struct blkdev *d), (*fuzz_found_nic)(struct netdev *d), (*fuzz_found_rng)(struct entropydev *d);

/* The next of several numbers that an input begins with: 0 when it is used up. */
static inline uint8_t fuzz_byte(const uint8_t **p, size_t *n)
{
	return *n ? --*n, *(*p)++ : 0;
}

#endif
