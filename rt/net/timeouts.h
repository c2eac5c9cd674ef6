/* timeouts.h: lwIP's timers (timeouts.c).  All under the network's lock. */
#ifndef RT_NET_TIMEOUTS_H
#define RT_NET_TIMEOUTS_H

/* The next time at which one might be due, and whether nobody had the lock since net_plan(). */
extern int64_t net_next_point;
extern bool net_planned;

void net_timeouts_begin(void);
/* Does what was due until now; called from net_next_point on. */
void net_catch_up(int64_t now);
/* The time at which something will be due if nothing happens. */
int64_t net_plan(void);

/* Somebody's address, or name, was asked for. */
void net_arp_asked(void);
void net_dns_asked(void);

/* iface.c: called each second if asked for. */
void netif_second(void);
bool netif_counts_seconds(void);

#endif
