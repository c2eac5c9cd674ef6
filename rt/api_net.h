/* api_net.h: the network, of ingot.h.  After Go's package net.
 *
 *   conn *c;
 *   error err = net_dial(S("tcp"), S("example.org:80"), &c);
 *
 *   listener *l;
 *   must(net_listen(S("tcp"), S(":8080"), &l));
 *   while (!listener_accept(l, &c))
 *   	go(serve, c);
 *
 * Networks are "tcp", "tcp4", "tcp6", "udp", "udp4" and "udp6"; addresses
 * "host:port" with a name, an IPv4 address or an [IPv6 address]; without a
 * host all of this machine's.  Calls wait as long as it takes, in their task
 * only, until a deadline if one was set; reading and writing may go on at the
 * same time, and any task may close.  Everything is called from a task.
 *
 * Errors say what was tried ("dial tcp 10.0.2.2:81: connection refused") and
 * wrap one of those below. */
#ifndef INGOT_API_NET_H
#define INGOT_API_NET_H

#ifndef INGOT_API_IO_H
#error "include ingot.h"
#endif

/* An IP address and a port, of TCP or UDP. */
typedef struct net_addr {
	byte ip[16];   /* as it is sent; IPv4 takes the first four */
	bool is_v6;
	uint16 port;
	uint32 zone;   /* of a link-local IPv6 address: its interface, 0 any */
} net_addr;
declare_slice(net_addr);

/* "10.0.2.15:80", "[fe80::1]:80"; without the port when it is 0.  Allocates. */
string net_addr_string(net_addr a);
/* From such text; an empty host is 0.0.0.0. */
error net_parse_addr(string s, net_addr *out) must_check;

declare_error(net_err_closed);   /* "use of closed network connection" */
declare_error(net_err_timeout);  /* "i/o timeout": the deadline has passed */
declare_error(net_err_refused);  /* "connection refused" */
declare_error(net_err_reset);    /* "connection reset by peer" */
declare_error(net_err_unreachable); /* "network is unreachable" */
declare_error(net_err_in_use);   /* "address already in use" */
declare_error(net_err_no_host);  /* "no such host" */
declare_error(net_err_memory);   /* "cannot allocate memory" */
declare_error(net_err_too_long); /* "message too long" */
declare_error(net_err_argument); /* "invalid argument", "unknown network" ... */

/* ---- connections ----------------------------------------------------------- */

/* TCP, or UDP with one peer.  One that nobody can use any more is not closed by
 * itself: conn_close() it. */
typedef struct conn conn;

/* Connects.  A name's addresses are tried in turn. */
error net_dial(string network, string addr, conn **out) must_check;
/* The same, but gives up after ns. */
error net_dial_timeout(string network, string addr, int64 ns, conn **out) must_check;

/* Reads what there is, at least a byte, at most n; waits if there is nothing.
 * io_eof, and *got 0, when the peer will send no more. */
error conn_read(conn *c, void *buf, size_t n, size_t *got) must_check;
/* Writes all n bytes: returns when they are queued to be sent, which waits
 * while the peer does not take them.  An error says that fewer were; *done may
 * be NULL. */
error conn_write(conn *c, const void *buf, size_t n, size_t *done) must_check;
/* The same for what takes readers and writers (api_io.h). */
io_reader conn_reader(conn *c);
io_writer conn_writer(conn *c);
/* What is queued is still sent.  Calls in progress return net_err_closed. */
error conn_close(conn *c);
/* The peer reads the end; reading goes on.  TCP. */
error conn_close_write(conn *c) must_check;

/* Times of nanotime() from which reads (writes) that wait give up with
 * net_err_timeout, now and later; 0: none.  In the past: at once. */
void conn_set_deadline(conn *c, int64 t);
void conn_set_read_deadline(conn *c, int64 t);
void conn_set_write_deadline(conn *c, int64 t);

/* This end's address, the peer's. */
net_addr conn_local_addr(conn *c);
net_addr conn_remote_addr(conn *c);
/* Small writes go out at once (the default, as in Go) or wait for what is
 * under way to be acknowledged. */
void conn_set_no_delay(conn *c, bool on);
/* Asks a peer that is silent for this long whether it is there; 0: never.  15 s
 * at first, as in Go. */
void conn_set_keep_alive(conn *c, int64 ns);

/* ---- listeners ------------------------------------------------------------ */

/* Waits for connections.  Go: net.Listener. */
typedef struct listener listener;

/* Port 0: one that is free.  TCP only. */
error net_listen(string network, string addr, listener **out) must_check;
/* The next connection. */
error listener_accept(listener *l, conn **out) must_check;
/* Those not yet accepted are reset. */
error listener_close(listener *l);
/* As conn_set_deadline(), for listener_accept(). */
void listener_set_deadline(listener *l, int64 t);
/* Its address; the port that it got. */
net_addr listener_addr(listener *l);

/* ---- datagrams ------------------------------------------------------------- */

/* UDP with any peers. */
typedef struct packet_conn packet_conn;

/* At an address of this machine; port 0: one that is free. */
error net_listen_packet(string network, string addr, packet_conn **out) must_check;
/* One datagram; what does not fit in n is lost. */
error packet_read_from(packet_conn *c, void *buf, size_t n, size_t *got, net_addr *from) must_check;
/* Sends one datagram of n bytes. */
error packet_write_to(packet_conn *c, const void *buf, size_t n, net_addr to) must_check;
/* Calls in progress return net_err_closed. */
error packet_close(packet_conn *c);
/* As conn_set_deadline(). */
void packet_set_deadline(packet_conn *c, int64 t);
/* This end's address. */
net_addr packet_local_addr(packet_conn *c);

/* ---- names and interfaces --------------------------------------------------- */

/* The addresses of a name, from DNS, IPv4 first; their ports are 0.  An address
 * is its own. */
error net_lookup_host(string name, slice(net_addr) *out) must_check;

/* Go: net.Interface. */
typedef struct net_interface {
	string name;           /* "lo", "eth0" */
	byte mac[6];
	int mtu;
	bool up;               /* and its link */
	slice(net_addr) addrs; /* ports are 0 */
} net_interface;
declare_slice(net_interface);
/* All of them.  Go: net.Interfaces(). */
slice(net_interface) net_interfaces(void);

/* Waits, at most ns, until an interface other than loopback has an address
 * that others can reach: net_err_timeout if none gets one. */
error net_wait_up(int64 ns) must_check;

/* ICMP echo: the round trip in *rtt. */
error net_ping(net_addr to, int64 timeout, int64 *rtt) must_check;

#endif
