/* timeouts.c: lwIP's timers, which run only when one of them has something to do.
 *
 * lwIP has a handler for each protocol that wants to be called at an interval, from
 * 100 ms to a minute, and counts in calls.  Its own loop (core/timeouts.c, not linked)
 * calls them all, always.  Here they share one grid of 250 ms.  The timer task looks at
 * what there is, and sleeps to the first point of the grid at which a handler would do
 * more than count: send, free, give up.  Whoever takes the lock first catches up with the
 * points that have passed, so nothing is ever seen older than it is.
 *
 * Invariants, all under the lock: points up to `point` are done.  While `planned`,
 * nobody had the lock since the timer task looked, and no handler has anything to do
 * before the point `quiet_until`: those before it are only counted.  Otherwise the timer
 * task wakes at the next point.  As in lwIP's own loop, of points that were missed
 * without a plan (the machine was stopped) only one is done. */
#include "net.h"
#include "timeouts.h"
#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/etharp.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/priv/tcp_priv.h>

#define POINT (250 * Millisecond)
#define HALF_SECOND 2 /* in points */
#define SECOND 4
#define MINUTE 240 /* of dhcp_coarse_tmr(); nobody sleeps longer */
_Static_assert(TCP_FAST_INTERVAL == 250 && TCP_SLOW_INTERVAL == 500 && DHCP_FINE_TIMER_MSECS == 500 &&
               IP_TMR_INTERVAL == 1000 && ARP_TMR_INTERVAL == 1000 && DNS_TMR_INTERVAL == 1000 && ND6_TMR_INTERVAL == 1000 &&
               IP6_REASS_TMR_INTERVAL == 1000 && DHCP_COARSE_TIMER_MSECS == 60000 && MLD6_TMR_INTERVAL == 100, "on the grid");
#define ARP_SECONDS 6  /* for which an entry may ask (etharp.c: ARP_MAXPENDING) */
#define DNS_SECONDS 30 /* and a name: two servers, four times each, waiting longer each time */

int64_t net_next_point;
bool net_planned;
static int64_t begun;
static uint64_t point, quiet_until;
static uint64_t arp_until, dns_until, reass_until; /* points up to which they need each second */

/* The first multiple of n points after now. */
static uint64_t next_of(uint64_t n)
{
	return (point / n + 1) * n;
}

void net_arp_asked(void)
{
	arp_until = next_of(SECOND) + ARP_SECONDS * SECOND;
}

void net_dns_asked(void)
{
	dns_until = next_of(SECOND) + DNS_SECONDS * SECOND;
}

uint8_t net_reass_begun(uint8_t seconds)
{
	uint64_t until = next_of(SECOND) + (uint64_t)seconds * SECOND;
	if (until > reass_until)
		reass_until = until;
	return seconds;
}

/* lwIP asks for TCP's timer when a connection begins; whoever has the lock gets it. */
void tcp_timer_needed(void)
{
}

/* ---- what has passed -------------------------------------------------------------- */

/* Each handler that has an interval's end in (from, to], once. */
static void call_handlers(uint64_t from, uint64_t to, bool only_count)
{
	if (!only_count)
		tcp_fasttmr();
	if (to / HALF_SECOND != from / HALF_SECOND) {
		if (only_count)
			tcp_ticks++;
		else
			tcp_slowtmr();
		dhcp_fine_tmr();
	}
	unsigned tenths = (unsigned)(to * 5 / 2 - from * 5 / 2);
	for (unsigned i = 0; i < (tenths < 3 ? tenths : 3); i++)
		mld6_tmr();
	if (to / SECOND != from / SECOND) {
		ip_reass_tmr();
		ip6_reass_tmr();
		etharp_tmr();
		nd6_tmr();
		dns_tmr();
		netif_second();
	}
	if (to / MINUTE != from / MINUTE)
		dhcp_coarse_tmr();
}

void net_catch_up(int64_t now)
{
	uint64_t to = (uint64_t)(now - begun) / POINT, from = point;
	net_next_point = begun + (int64_t)(to + 1) * POINT;
	for (; net_planned && from < to && from + 1 < quiet_until; from++) {
		point = from + 1;
		call_handlers(from, point, true);
	}
	point = to;
	if (from < to)
		call_handlers(from, to, false);
}

/* ---- what is to come ---------------------------------------------------------------- */

static void at_most(uint64_t *until, uint64_t at)
{
	if (at < *until)
		*until = at;
}

/* The tick of tcp_slowtmr(), counted from now, at which something that waits for
 * `limit` ticks since the last segment is over. */
static uint32_t over_in(const struct tcp_pcb *p, uint32_t limit)
{
	uint32_t age = tcp_ticks - p->tmr;
	return age < limit ? limit + 1 - age : 1;
}

/* The point of that tick, or up to 4 s later together with others, if what it
 * waits for is as long as 12. */
static uint64_t slow_point(uint32_t ticks, uint32_t waits)
{
	uint64_t at = point / HALF_SECOND + ticks, step = 1;
	while (step < 8 && step * 6 <= waits)
		step *= 2;
	return (at + step - 1) / step * step * HALF_SECOND;
}

/* When tcp_slowtmr() or tcp_fasttmr() has something to do for it (tcp.c).  Nobody here uses
 * lwIP's polling, by which the former also sends again what a device had no room for. */
static uint64_t tcp_point(const struct tcp_pcb *p)
{
	uint64_t until = UINT64_MAX;
	if (p->flags & (TF_ACK_DELAY | TF_CLOSEPEND) || p->refused_data)
		return point + 1;
	if (p->unsent || p->rtime >= 0 || p->persist_backoff)
		return slow_point(1, 0);
	if (p->ooseq) {
		uint32_t limit = (uint32_t)p->rto * TCP_OOSEQ_TIMEOUT;
		at_most(&until, slow_point(over_in(p, limit ? limit - 1 : 0), 0));
	}
	uint32_t limit = 0;
	switch (p->state) {
	case FIN_WAIT_2:
		limit = p->flags & TF_RXCLOSED ? TCP_FIN_WAIT_TIMEOUT / TCP_SLOW_INTERVAL : 0;
		break;
	case SYN_RCVD:
		limit = TCP_SYN_RCVD_TIMEOUT / TCP_SLOW_INTERVAL;
		break;
	case LAST_ACK:
	case TIME_WAIT:
		limit = 2 * TCP_MSL / TCP_SLOW_INTERVAL;
		break;
	case ESTABLISHED:
	case CLOSE_WAIT:
		if (p->so_options & SOF_KEEPALIVE) {
			uint32_t sent = p->keep_cnt_sent < p->keep_cnt ? p->keep_cnt_sent : p->keep_cnt;
			uint32_t due = (p->keep_idle + sent * p->keep_intvl) / TCP_SLOW_INTERVAL;
			bool overdue = tcp_ticks - p->tmr > due; /* the device had no room for more */
			at_most(&until, slow_point(over_in(p, due), overdue ? 0 : p->keep_intvl / TCP_SLOW_INTERVAL));
		}
		break;
	default: /* has something under way */
		break;
	}
	if (limit)
		at_most(&until, slow_point(over_in(p, limit), limit));
	return until;
}

static bool nd6_busy(const struct netif *n)
{
	if (!netif_is_up(n) || !netif_is_link_up(n))
		return false;
	if (n->rs_count)
		return true;
	for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
		if (ip6_addr_istentative(netif_ip6_addr_state(n, i)))
			return true;
	return false;
}

int64_t net_plan(void)
{
	uint64_t until = next_of(MINUTE);
	struct netif *n;
	for (const struct tcp_pcb *p = tcp_active_pcbs; p && until > point + 1; p = p->next)
		at_most(&until, tcp_point(p));
	for (const struct tcp_pcb *p = tcp_tw_pcbs; p && until > point + 1; p = p->next)
		at_most(&until, tcp_point(p));
	bool seconds = point < arp_until || point < dns_until || point < reass_until || netif_counts_seconds();
	for (int i = 0; i < LWIP_ND6_NUM_NEIGHBORS; i++)
		seconds |= neighbor_cache[i].state == ND6_INCOMPLETE || neighbor_cache[i].state == ND6_DELAY ||
		           neighbor_cache[i].state == ND6_PROBE;
	NETIF_FOREACH(n) {
		const struct dhcp *d = netif_dhcp_data(n);
		if (d && d->request_timeout)
			at_most(&until, (point / HALF_SECOND + d->request_timeout) * HALF_SECOND);
		for (const struct mld_group *g = netif_mld6_data(n); g; g = g->next)
			if (g->timer)
				at_most(&until, point + 1 + g->timer * 2 / 5);
		seconds |= nd6_busy(n);
	}
	if (seconds)
		at_most(&until, next_of(SECOND));
	quiet_until = until;
	net_planned = true;
	return begun + (int64_t)until * POINT;
}

void net_timeouts_begin(void)
{
	begun = nanotime();
	net_next_point = begun + POINT;
}
