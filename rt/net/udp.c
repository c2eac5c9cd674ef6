/* udp.c: datagrams over lwIP's raw interface.
 *
 * Received datagrams wait in a queue of at most QUEUE_MAX bytes; what comes
 * then is dropped, as UDP may.  Sending never waits.
 *
 * Invariant: a pcb's callback argument is its packet_conn, which is in
 * open_packets until it is closed (pcbs are manual memory, where the collector
 * does not look). */
#include "conn.h"
#include "../libc.h"

#define QUEUE_MAX (256 * 1024)
#define DGRAM_OVERHEAD 256 /* what an empty one counts */

struct dgram {
	struct dgram *next;
	struct pbuf *p;
	net_addr from;
};

static packet_conn *open_packets;

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
	packet_conn *c = arg;
	struct dgram *d = c->queued < QUEUE_MAX ? net_malloc(sizeof *d) : NULL;
	if (!d) {
		pbuf_free(p);
		return;
	}
	*d = (struct dgram){ .p = p, .from = addr_of(from, port) };
	*(c->first ? &c->last->next : &c->first) = d;
	c->last = d;
	c->queued += p->tot_len + DGRAM_OVERHEAD;
	waiter_wake(&c->rd);
}

static struct dgram *dequeue(packet_conn *c)
{
	struct dgram *d = c->first;
	if (d) {
		c->first = d->next;
		c->queued -= d->p->tot_len + DGRAM_OVERHEAD;
	}
	return d;
}

static void drop(struct dgram *d)
{
	pbuf_free(d->p);
	net_free(d);
}

error udp_open(const net_addr *local, bool any_family, const net_addr *peer, packet_conn **out)
{
	packet_conn *c = new(packet_conn);
	const net_addr *like = peer ? peer : local;
	ip_addr_t ip = ip_of(like);
	if (any_family)
		IP_SET_TYPE_VAL(ip, IPADDR_TYPE_ANY);
	net_lock();
	struct udp_pcb *pcb = udp_new_ip_type(IP_GET_TYPE(&ip));
	err_t e = pcb ? ERR_OK : ERR_MEM;
	if (pcb && local)
		e = udp_bind(pcb, &ip, local->port);
	if (pcb && peer)
		e = udp_connect(pcb, &ip, peer->port);
	if (e == ERR_OK) {
		c->pcb = pcb;
		c->connected = peer != NULL;
		c->local = addr_of(&pcb->local_ip, pcb->local_port);
		if (peer)
			c->remote = *peer;
		link_in(&open_packets, c);
		udp_recv(pcb, on_datagram, c);
	} else if (pcb) {
		udp_remove(pcb);
	}
	net_unlock();
	*out = c;
	return net_error(e);
}

error udp_read(packet_conn *c, void *buf, size_t n, size_t *got, net_addr *from)
{
	error err;
	mutex_lock(&c->reading);
	net_lock();
	for (;;) {
		err = !c->pcb ? net_err_closed : waiter_expired(&c->rd) ? net_err_timeout : NULL;
		struct dgram *d = err ? NULL : dequeue(c);
		if (d) {
			*got = pbuf_copy_partial(d->p, buf, n < 0xffff ? (u16_t)n : 0xffff, 0);
			if (from)
				*from = d->from;
			drop(d);
		}
		if (err || d)
			break;
		waiter_wait(&c->rd);
	}
	net_unlock();
	mutex_unlock(&c->reading);
	return err;
}

error udp_write(packet_conn *c, const void *buf, size_t n, const net_addr *to)
{
	if (n > 0xffff - 48) /* with the headers of IPv6 and UDP */
		return net_err_too_long;
	net_lock();
	err_t e = ERR_CLSD;
	struct pbuf *p = NULL;
	if (c->pcb) {
		p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)n, PBUF_RAM);
		e = p ? pbuf_take(p, buf, (u16_t)n) : ERR_MEM;
		if (e == ERR_OK && to) {
			ip_addr_t ip = ip_of(to);
			e = udp_sendto(c->pcb, p, &ip, to->port);
		} else if (e == ERR_OK) {
			e = udp_send(c->pcb, p);
		}
	}
	if (p)
		pbuf_free(p);
	net_unlock();
	return net_error(e);
}

static error wrapped(const char *what, net_addr a, error err)
{
	return err ? errorf("%s udp %s: %s", what, net_addr_string(a), errors_wrap(err)) : NULL;
}

error packet_read_from(packet_conn *c, void *buf, size_t n, size_t *got, net_addr *from)
{
	*got = 0;
	return wrapped("read", c->local, udp_read(c, buf, n, got, from));
}

error packet_write_to(packet_conn *c, const void *buf, size_t n, net_addr to)
{
	return wrapped("write", to, c->connected ? net_err_argument : udp_write(c, buf, n, &to));
}

error packet_close(packet_conn *c)
{
	net_lock();
	if (!c->pcb) {
		net_unlock();
		return net_err_closed;
	}
	udp_remove(c->pcb);
	c->pcb = NULL;
	link_out(c);
	for (struct dgram *d; (d = dequeue(c));)
		drop(d);
	waiter_set_deadline(&c->rd, 0);
	waiter_wake(&c->rd);
	net_unlock();
	return NULL;
}

void packet_set_deadline(packet_conn *c, int64 t)
{
	net_lock();
	if (c->pcb)
		waiter_set_deadline(&c->rd, t);
	net_unlock();
}

net_addr packet_local_addr(packet_conn *c)
{
	return c->local;
}
