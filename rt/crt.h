/* crt.h: what the runtime gives the image's C library (kernel/libc/clib.c).
 *
 * Kept apart from rt.h, which a C library compiled against its own headers
 * cannot include.  All calls: task or system. */
#ifndef RT_CRT_H
#define RT_CRT_H

#include <stddef.h>
#include <stdnoreturn.h>

/* Zeroed memory of unknown content, scanned conservatively; never NULL for
 * n > 0 (exhaustion is reported and ends the image). */
void *rt_crt_malloc(size_t n);
/* Bytes usable at p, which rt_crt_malloc() returned. */
size_t rt_crt_size(const void *p);
/* The calling task's errno. */
int *rt_crt_errno(void);
/* Gives way once. */
void rt_crt_yield(void);
/* "fatal error: " and text, with backtraces. */
noreturn void rt_crt_throw(const char *text);

#endif
