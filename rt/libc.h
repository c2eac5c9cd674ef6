/* libc.h: the C library functions that rt/ relies on.
 * Bare metal: musl, built from Debian's source with our flags; hosted: glibc. */
#ifndef RT_LIBC_H
#define RT_LIBC_H
#include <stdarg.h>
#include <stddef.h>
void *memcpy(void *restrict, const void *restrict, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
void *memchr(const void *, int, size_t);
size_t strlen(const char *);
int strcmp(const char *, const char *);
int strncmp(const char *, const char *, size_t);
int snprintf(char *restrict, size_t, const char *restrict, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *restrict, size_t, const char *restrict, va_list) __attribute__((format(printf, 3, 0)));
double exp(double);
double log(double);
double strtod(const char *restrict, char **restrict);
float strtof(const char *restrict, char **restrict);
#endif
