/* conn.h: a connection, between tcp.c (which owns it), udp.c and dial.c. */
#ifndef RT_NET_CONN_H
#define RT_NET_CONN_H

#include "net.h"
#include <lwip/tcp.h>
#include <lwip/udp.h>

/* All fields without a word are under the network lock. */
struct conn {
	struct conn *next, **link;   /* in open_conns while lwIP may call back */
	struct conn *queued;         /* the listener's, before accept */
	struct tcp_pcb *pcb;         /* NULL: none yet, or no more */
	packet_conn *udp;            /* constant; NULL: TCP */
	struct pbuf *rx, *rx_last;   /* received, not read; their tot_len means nothing */
	error err;                   /* what ended it */
	bool connected, eof, closed, write_closed;
	mutex reading, writing;      /* one task at a time waits in each direction */
	struct waiter rd, wr;
	struct io_event *end;        /* signalled when the peer is done; NULL: nobody asks */
	net_addr local, remote;
};

struct packet_conn {
	struct packet_conn *next, **link; /* in open_packets */
	struct udp_pcb *pcb;         /* NULL: closed */
	struct dgram *first, *last;  /* received; manual memory */
	size_t queued;               /* bytes of them */
	bool connected;
	mutex reading;
	struct waiter rd;
	net_addr local, remote;
};

/* tcp.c: connects within the deadline (0 none).  task */
error tcp_dial(const net_addr *to, int64 deadline, conn **out);
error tcp_listen_on(const net_addr *at, bool any_family, listener **out);
/* udp.c */
error udp_open(const net_addr *local, bool any_family, const net_addr *peer, packet_conn **out);
error udp_read(packet_conn *c, void *buf, size_t n, size_t *got, net_addr *from);
error udp_write(packet_conn *c, const void *buf, size_t n, const net_addr *to);

#endif
