/* arch/cc.h: what lwIP asks of compiler and platform. */
#ifndef INGOT_LWIP_CC_H
#define INGOT_LWIP_CC_H

#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
#ifndef SSIZE_MAX
#define SSIZE_MAX 0x7fffffffffffffff
#endif
#define LWIP_ERR_T int
#define LWIP_NO_STDIO_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_INTTYPES_H 0
#define LWIP_TIMEVAL_PRIVATE 0

void *net_malloc(size_t n);
void *net_calloc(size_t n, size_t size);
void net_free(void *p);
uint16_t net_checksum(const void *data, int len);
uint32_t net_rand(void);
uint8_t net_reass_begun(uint8_t seconds); /* timeouts.c: wants its timer; returns the seconds */
_Noreturn void net_assert_failed(const char *what, const char *file, int line);

#define lwip_htons(x) ((u16_t)__builtin_bswap16(x))
#define lwip_htonl(x) ((u32_t)__builtin_bswap32(x))
#define LWIP_RAND() net_rand()
#define LWIP_PLATFORM_DIAG(x) ((void)0)
#define LWIP_PLATFORM_ASSERT(what) net_assert_failed(what, __FILE__, __LINE__)
#define LWIP_CHKSUM_ALGORITHM 0
#ifndef INGOT_DEBUG
#define LWIP_NOASSERT 1
#endif

#endif
