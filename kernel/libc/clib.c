/* clib.c: the C library's own end of the runtime: console streams, memory,
 * errno, the end of the program.  Everything else is musl's (../libc.mk).
 *
 * Invariants:
 * - There are two streams, stdout and stderr, both the console, unbuffered.
 *   One call is one plat_write, so lines of different tasks do not mix and
 *   nothing is lost when the image ends abruptly.
 * - Memory is the collected heap's: free() does nothing, and what malloc()
 *   returns is scanned conservatively.
 * All of it runs on task stacks. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "rt/plat.h"
#include "rt/crt.h"

struct _IO_FILE {
	int fd;
};

static struct _IO_FILE console_out = { 1 }, console_err = { 2 };
FILE *const stdout = &console_out;
FILE *const stderr = &console_err;

/* ---- console ---------------------------------------------------------- */

int vfprintf(FILE *restrict f, const char *restrict fmt, va_list ap)
{
	char small[256], *buf = small;
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n >= (int)sizeof(small)) {
		buf = malloc((size_t)n + 1);
		vsnprintf(buf, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	if (n > 0)
		plat_write(buf, (size_t)n);
	return n;
}

int vprintf(const char *restrict fmt, va_list ap)
{
	return vfprintf(stdout, fmt, ap);
}

int fprintf(FILE *restrict f, const char *restrict fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vfprintf(f, fmt, ap);
	va_end(ap);
	return n;
}

int printf(const char *restrict fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vfprintf(stdout, fmt, ap);
	va_end(ap);
	return n;
}

size_t fwrite(const void *restrict p, size_t size, size_t n, FILE *restrict f)
{
	plat_write(p, size * n);
	return size ? n : 0;
}

int fputs(const char *restrict s, FILE *restrict f)
{
	plat_write(s, strlen(s));
	return 0;
}

int puts(const char *s)
{
	return printf("%s\n", s);
}

int fputc(int c, FILE *f)
{
	char ch = (char)c;

	plat_write(&ch, 1);
	return (unsigned char)c;
}

int putc(int c, FILE *f)
{
	return fputc(c, f);
}

int putchar(int c)
{
	return fputc(c, stdout);
}

void perror(const char *s)
{
	fprintf(stderr, "%s%s%s\n", s ? s : "", s && *s ? ": " : "", strerror(errno));
}

/* Nothing is ever held back. */
int fflush(FILE *f)
{
	return 0;
}

/* musl's formatter and scanner lock their stream only when its lock word is
 * not negative; the streams they are given here live on the caller's stack
 * and have -1. */
int __lockfile(FILE *f)
{
	return 0;
}

void __unlockfile(FILE *f)
{
}

/* ---- locks of musl's few global structures -------------------------- */

void __lock(volatile int *l)
{
	while (__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE))
		rt_crt_yield();
}

void __unlock(volatile int *l)
{
	__atomic_store_n(l, 0, __ATOMIC_RELEASE);
}

/* ---- memory ------------------------------------------------------------ */

void *malloc(size_t n)
{
	return rt_crt_malloc(n);
}

void free(void *p)
{
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return rt_crt_malloc(bytes);
}

void *realloc(void *p, size_t n)
{
	size_t had = p ? rt_crt_size(p) : 0;

	if (p && n <= had && n >= had / 2)
		return p;
	void *q = rt_crt_malloc(n);
	if (p)
		memcpy(q, p, n < had ? n : had);
	return q;
}

/* ---- errno and the end -------------------------------------------------- */

int *__errno_location(void)
{
	return rt_crt_errno();
}
int *___errno_location(void) __attribute__((const, alias("__errno_location")));

noreturn void exit(int status)
{
	plat_exit(status);
}

noreturn void _Exit(int status)
{
	plat_exit(status);
}

noreturn void abort(void)
{
	rt_crt_throw("abort");
}

noreturn void __assert_fail(const char *expr, const char *file, int line, const char *func)
{
	char text[256];

	snprintf(text, sizeof(text), "%s:%d: %s: assertion failed: %s", file, line, func, expr);
	rt_crt_throw(text);
}
