/* hooks.h: lwIP's questions to us. */
#ifndef INGOT_LWIP_HOOKS_H
#define INGOT_LWIP_HOOKS_H

#include <lwip/ip_addr.h>

/* The first sequence number of a connection (RFC 6528). */
u32_t net_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port);

#endif
