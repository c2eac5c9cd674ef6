/* net.h: what the files of rt/net share.
 *
 * lwIP is one structure under one lock, net_lock(): a mutex of tasks, so its
 * holder may be preempted, allocate and be collected around, but must not wait
 * for the network.  lwIP's callbacks run under it.  On net_unlock() what the
 * loopback interface has queued is delivered, and after it the tasks are woken
 * that have got something.
 *
 * A task waits for the network on a struct waiter: the event that drivers use too
 * (io.c, after Go's netpoll), and a deadline.  One task at a time waits on
 * each: a connection has one for reading, one for writing, each behind a
 * mutex. */
#ifndef RT_NET_NET_H
#define RT_NET_NET_H

#include "../driver.h"
#include "../rt.h"
#include "../timer.h"
#include "../type.h"
#include "../api_value.h"
#include "../api_string.h"
#include "../api_mem.h"
#include "../api_error.h"
#include "../api_task.h"
#include "../api_io.h"
#include "../api_net.h"
#include "../link.h"

/* lwIP's own names for what the runtime's headers already have. */
#undef LWIP_UNUSED_ARG

#include <lwip/opt.h>
#include <lwip/ip_addr.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>

/* ---- stack.c */

/* Starts the stack at the first call.  task. */
void net_start(void);
void net_lock(void);
void net_unlock(void);
/* The same by a task that waits next: it leaves its core to one that it wakes. */
void net_unlock_to_wait(void);

/* ---- wait.c */

struct waiter {
	struct io_event ev;
	bool waiting;        /* under the lock: who changes something wakes */
	int64_t deadline;    /* nanotime(), 0 none; under the lock, read relaxed by the timer */
	struct rt_timer timer;
};

/* Lets go of the lock until waiter_wake() or the deadline.  May return early.  task */
void waiter_wait(struct waiter *w);
/* Who waits runs once the lock is free.  Under the lock. */
void waiter_wake(struct waiter *w);
bool waiter_expired(const struct waiter *w);
/* 0: none.  Wakes who waits if it has passed; who is about to wait has to look at
 * waiter_expired() first.  Under the lock. */
void waiter_set_deadline(struct waiter *w, int64_t t);

/* A connection was begun, by a peer or by us, since this was last cleared.  Under the lock. */
extern bool net_begun;
/* How often the timer task has run.  Under the lock. */
extern uint64_t net_wakes;

/* ---- tcp.c */

/* Drops the oldest half-open connection of a listener that has too many. */
void tcp_limit_half_open(void);

/* ---- sntp.c */

/* Asks this host for the time from now on, unless another is asked already.  False:
 * no name. */
bool sntp_begin(const char *host, size_t n);

/* ---- addr.c: any */

ip_addr_t ip_of(const net_addr *a);
net_addr addr_of(const ip_addr_t *ip, uint16_t port);
bool split_host_port(string s, string *host, string *port); /* "[::1]:80" -> "::1", "80" */
bool parse_port(string s, uint16_t *port);
bool parse_ip(string s, net_addr *out);
error net_error(err_t e);        /* lwIP's codes in Go's words; NULL for ERR_OK */

/* ---- netstat.c */

void net_report(struct builder *b);

/* ---- frames.c */

#define MAX_IFACES 8
#define KICK_QUEUES 8 /* of an interface, that we send by */

/* Sends a frame by the interface of this number: lwIP's linkoutput.  ERR_MEM: the device
 * has no room.  Under the lock. */
err_t net_send_frame(struct netdev *d, unsigned iface, struct pbuf *p);
/* What was held back goes to the devices.  Under the lock, before it is given back. */
void net_send_held(void);
/* Queues with frames that their devices have not been told of: KICK_QUEUES bits for
 * each interface.  Under the lock; who gives it back tells them, after that. */
extern uint64_t net_unkicked;
void netif_kick(uint64_t queues); /* task, without the lock */

/* ---- iface.c */

void netif_begin(void);          /* once, under the lock: all interfaces */
void net_settle(int64 deadline); /* waits while an interface is getting its address.  task */

#endif
