/* tcp.c: TCP connections and listeners over lwIP's raw interface.
 *
 * Received pbufs are chained in c->rx as they come; reading copies and opens
 * the window by as much, so the window is what bounds them.  Writing copies
 * into lwIP's send queue and waits when that is full.
 *
 * Invariants: a pcb's callback argument is its conn or listener, which is in
 * open_conns or open_listeners as long as lwIP has the pcb (pcbs are manual
 * memory, where the collector does not look); a conn loses its pcb when lwIP
 * says so (on_error), or when it is closed and lwIP finishes alone. */
#include "conn.h"
#include "lend.h"
#include "../libc.h"
#include <lwip/priv/tcp_priv.h>

static conn *open_conns;
static listener *open_listeners;

struct listener {
	listener *next, **link;
	struct tcp_pcb *pcb;    /* NULL: closed */
	conn *first, **last;    /* to be accepted */
	mutex accepting;
	struct waiter rd;
	net_addr local;
};

#define KEEP_ALIVE (15 * Second) /* Go's defaultTCPKeepAliveIdle */

/* ---- what lwIP calls -------------------------------------------------------- */

static void forget(conn *c)
{
	link_out(c);
	c->pcb = NULL;
}

/* Tells who asked that there is no more to come. */
static void note_end(conn *c)
{
	if (c->end)
		io_signal(c->end);
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t e)
{
	conn *c = arg;
	if (!p) {
		c->eof = true;
		note_end(c);
	} else {
		/* Not pbuf_cat(): it counts in 16 bits and walks to the end. */
		*(c->rx ? &c->rx_last->next : &c->rx) = p;
		while (p->next)
			p = p->next;
		c->rx_last = p;
	}
	waiter_wake(&c->rd);
	return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
	conn *c = arg;
	if (tcp_sndbuf(pcb) >= TCP_SNDLOWAT)
		waiter_wake(&c->wr);
	return ERR_OK;
}

/* The pcb is gone already. */
static void on_error(void *arg, err_t e)
{
	conn *c = arg;
	forget(c);
	if (!c->connected)
		c->err = e == ERR_RST ? net_err_refused : net_err_timeout;
	else
		c->err = e == ERR_ABRT ? net_err_timeout : net_error(e);
	waiter_wake(&c->rd);
	waiter_wake(&c->wr);
	note_end(c);
}

static void now_connected(conn *c)
{
	c->connected = true;
	c->local = addr_of(&c->pcb->local_ip, c->pcb->local_port);
	c->remote = addr_of(&c->pcb->remote_ip, c->pcb->remote_port);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t e)
{
	conn *c = arg;
	now_connected(c);
	waiter_wake(&c->wr);
	return ERR_OK;
}

/* Ties conn and pcb to each other. */
static void adopt(conn *c, struct tcp_pcb *pcb)
{
	c->pcb = pcb;
	link_in(&open_conns, c);
	tcp_arg(pcb, c);
	tcp_recv(pcb, on_recv);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_error);
	tcp_nagle_disable(pcb);
	pcb->so_options |= SOF_KEEPALIVE;
	pcb->keep_idle = pcb->keep_intvl = KEEP_ALIVE / Millisecond;
	pcb->keep_cnt = 9;
}

/* Lets go of the pcb without its end being ours to hear. */
static void detach(struct tcp_pcb *pcb)
{
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t e)
{
	listener *l = arg;
	if (e != ERR_OK || !pcb || !l)
		return ERR_VAL;
	conn *c = new(conn);
	adopt(c, pcb);
	now_connected(c);
	tcp_backlog_delayed(pcb);
	*l->last = c;
	l->last = &c->queued;
	waiter_wake(&l->rd);
	return ERR_OK;
}

/* ---- connections ---------------------------------------------------------------- */

error tcp_dial(const net_addr *to, int64 deadline, conn **out)
{
	ip_addr_t ip = ip_of(to);
	conn *c = new(conn);
	net_lock();
	struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&ip));
	if (!pcb) {
		net_unlock();
		return net_err_memory;
	}
	adopt(c, pcb);
	waiter_set_deadline(&c->wr, deadline);
	err_t e = tcp_connect(pcb, &ip, to->port, on_connected);
	error err = net_error(e);
	while (!err && !c->connected && !(err = c->err)) {
		if (waiter_expired(&c->wr)) {
			err = net_err_timeout;
			break;
		}
		waiter_wait(&c->wr);
	}
	waiter_set_deadline(&c->wr, 0);
	if (err && c->pcb) {
		pcb = c->pcb;
		forget(c);
		detach(pcb);
		tcp_abort(pcb);
	}
	net_unlock();
	if (!err)
		*out = c;
	return err;
}

/* Why c cannot read (write) now or ever; NULL: it can, or must wait. */
static error read_error(conn *c)
{
	if (c->closed)
		return net_err_closed;
	return waiter_expired(&c->rd) ? net_err_timeout : NULL;
}

static error write_error(conn *c)
{
	if (c->closed || c->write_closed)
		return net_err_closed;
	return waiter_expired(&c->wr) ? net_err_timeout : c->err;
}

/* Copies from c->rx and lets the peer send as much more. */
static size_t take_received(conn *c, char *buf, size_t n)
{
	size_t done = 0;
	while (c->rx && done < n) {
		struct pbuf *p = c->rx;
		size_t k = n - done < p->len ? n - done : p->len;
		memcpy(buf + done, p->payload, k);
		done += k;
		if (k < p->len) {
			pbuf_remove_header(p, k);
			break;
		}
		c->rx = p->next;
		p->next = NULL;
		pbuf_free(p);
	}
	if (!c->rx)
		c->rx_last = NULL;
	for (size_t left = done; left && c->pcb;) {
		u16_t k = left > 0xffff ? 0xffff : (u16_t)left;
		tcp_recved(c->pcb, k);
		left -= k;
	}
	return done;
}

static void drop_received(conn *c)
{
	for (struct pbuf *p = c->rx, *next; p; p = next) {
		next = p->next;
		p->next = NULL;
		pbuf_free(p);
	}
	c->rx = c->rx_last = NULL;
}

/* lend: NULL, or gives buf (lend.h). */
static error read_tcp(conn *c, void *buf, void *(*lend)(void *), void *arg, size_t n, size_t *got)
{
	error err;
	mutex_lock(&c->reading);
	net_lock();
	while (!(err = read_error(c))) {
		if (c->rx || n == 0) {
			*got = take_received(c, lend ? lend(arg) : buf, n);
			break;
		}
		if (c->eof || c->err) {
			err = c->err ? c->err : io_eof;
			break;
		}
		waiter_wait(&c->rd);
	}
	net_unlock();
	mutex_unlock(&c->reading);
	return err;
}

static error write_tcp(conn *c, const char *p, size_t n, size_t *done)
{
	error err;
	size_t sent = 0;
	mutex_lock(&c->writing);
	net_lock();
	while (!(err = write_error(c))) {
		err_t e = ERR_OK;
		while (sent < n && e == ERR_OK) {
			size_t room = tcp_sndbuf(c->pcb), k = n - sent;
			k = k < room ? k : room;
			k = k < 0xf000 ? k : 0xf000;
			if (k == 0)
				break;
			e = tcp_write(c->pcb, p + sent, (u16_t)k,
			              TCP_WRITE_FLAG_COPY | (sent + k < n ? TCP_WRITE_FLAG_MORE : 0));
			if (e == ERR_OK)
				sent += k;
		}
		tcp_output(c->pcb);
		if (sent == n)
			break;
		if (e != ERR_OK && e != ERR_MEM) {
			err = net_error(e);
			break;
		}
		if (e == ERR_MEM && !c->pcb->unacked && !c->pcb->unsent) { /* nothing will make room */
			err = net_err_memory;
			break;
		}
		waiter_wait(&c->wr);
	}
	net_unlock();
	mutex_unlock(&c->writing);
	*done = sent;
	return err;
}

static error read_failed(conn *c, error err)
{
	return !err || err == io_eof ? err
	                             : errorf("read %s %s: %s", c->udp ? S("udp") : S("tcp"),
	                                      net_addr_string(conn_remote_addr(c)), errors_wrap(err));
}

error conn_read(conn *c, void *buf, size_t n, size_t *got)
{
	*got = 0;
	return read_failed(c, c->udp ? udp_read(c->udp, buf, n, got, NULL) : read_tcp(c, buf, NULL, NULL, n, got));
}

error conn_read_lent(conn *c, void *(*lend)(void *), void *arg, size_t n, size_t *got)
{
	*got = 0;
	return read_failed(c, read_tcp(c, NULL, lend, arg, n, got));
}

bool conn_ready(conn *c)
{
	net_lock();
	bool ready = c->rx || c->eof || c->err || c->closed;
	net_unlock();
	return ready;
}

void conn_notify_end(conn *c, struct io_event *ev)
{
	net_lock();
	c->end = ev;
	if (c->eof || c->err || c->closed)
		note_end(c);
	net_unlock();
}

bool conn_ended(conn *c)
{
	net_lock();
	bool ended = c->eof || c->err || c->closed;
	net_unlock();
	return ended;
}

error conn_write(conn *c, const void *buf, size_t n, size_t *done)
{
	size_t sent = 0;
	error err;
	if (c->udp) {
		err = udp_write(c->udp, buf, n, NULL);
		sent = err ? 0 : n;
	} else {
		err = write_tcp(c, buf, n, &sent);
	}
	if (done)
		*done = sent;
	return !err ? NULL : errorf("write %s %s: %s", c->udp ? S("udp") : S("tcp"),
	                            net_addr_string(conn_remote_addr(c)), errors_wrap(err));
}

static error reader_read(void *self, slice(byte) p, size_t *n)
{
	return conn_read(self, p.ptr, p.len, n);
}

static error writer_write(void *self, slice(byte) p, size_t *n)
{
	return conn_write(self, p.ptr, p.len, n);
}

io_reader conn_reader(conn *c)
{
	return (io_reader){ reader_read, c };
}

io_writer conn_writer(conn *c)
{
	return (io_writer){ writer_write, c };
}

error conn_close(conn *c)
{
	if (c->udp)
		return packet_close(c->udp);
	net_lock();
	if (c->closed) {
		net_unlock();
		return net_err_closed;
	}
	c->closed = true;
	struct tcp_pcb *pcb = c->pcb;
	bool unread = c->rx != NULL;
	drop_received(c);
	if (pcb) {
		forget(c);
		detach(pcb);
		/* Data that nobody read: the peer must learn that (RFC 2525, 2.17). */
		if (unread || tcp_close(pcb) != ERR_OK)
			tcp_abort(pcb);
	}
	waiter_set_deadline(&c->rd, 0);
	waiter_set_deadline(&c->wr, 0);
	waiter_wake(&c->rd);
	waiter_wake(&c->wr);
	note_end(c);
	net_unlock();
	return NULL;
}

error conn_close_write(conn *c)
{
	error err = net_err_argument;
	if (c->udp)
		return err;
	net_lock();
	err = write_error(c);
	if (!err)
		err = net_error(tcp_shutdown(c->pcb, 0, 1));
	if (!err)
		c->write_closed = true;
	net_unlock();
	return err;
}

/* ---- listeners ----------------------------------------------------------------- */

error tcp_listen_on(const net_addr *at, bool any_family, listener **out)
{
	ip_addr_t ip = ip_of(at);
	listener *l = new(listener);
	l->last = &l->first;
	if (any_family)
		IP_SET_TYPE_VAL(ip, IPADDR_TYPE_ANY);
	net_lock();
	struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&ip)), *lpcb = NULL;
	err_t e = ERR_MEM;
	if (pcb) {
		ip_set_option(pcb, SOF_REUSEADDR); /* as Go: those in TIME_WAIT do not count */
		e = tcp_bind(pcb, &ip, at->port);
		if (e == ERR_OK)
			lpcb = tcp_listen_with_backlog_and_err(pcb, TCP_DEFAULT_LISTEN_BACKLOG, &e);
		if (!lpcb)
			tcp_abort(pcb);
	}
	if (lpcb) {
		l->pcb = lpcb;
		l->local = *at;
		l->local.port = lpcb->local_port;
		link_in(&open_listeners, l);
		tcp_arg(lpcb, l);
		tcp_accept(lpcb, on_accept);
	}
	net_unlock();
	*out = l;
	return lpcb ? NULL : net_error(e);
}

error listener_accept(listener *l, conn **out)
{
	error err = NULL;
	mutex_lock(&l->accepting);
	net_lock();
	for (;;) {
		err = !l->pcb ? net_err_closed : waiter_expired(&l->rd) ? net_err_timeout : NULL;
		conn *c = l->first;
		if (err)
			break;
		if (c) {
			l->first = c->queued;
			if (!l->first)
				l->last = &l->first;
			c->queued = NULL;
			if (c->pcb)
				tcp_backlog_accepted(c->pcb);
			*out = c;
			break;
		}
		waiter_wait(&l->rd);
	}
	net_unlock();
	mutex_unlock(&l->accepting);
	return !err ? NULL : errorf("accept tcp %s: %s", net_addr_string(l->local), errors_wrap(err));
}

error listener_close(listener *l)
{
	net_lock();
	if (!l->pcb) {
		net_unlock();
		return net_err_closed;
	}
	tcp_arg(l->pcb, NULL);
	tcp_close(l->pcb); /* never fails for a listener */
	l->pcb = NULL;
	link_out(l);
	for (conn *c = l->first; c; c = c->queued) {
		struct tcp_pcb *pcb = c->pcb;
		drop_received(c);
		c->closed = true;
		if (!pcb)
			continue;
		forget(c);
		detach(pcb);
		tcp_abort(pcb);
	}
	l->first = NULL;
	waiter_set_deadline(&l->rd, 0);
	waiter_wake(&l->rd);
	net_unlock();
	return NULL;
}

/* A flood of SYNs must not keep clients out: when more than this many of a listener's
 * connections wait for their peer's answer, the one that has waited longest goes.
 * So one stays for as long as as many others take to come: at 100,000 a second, for
 * a millisecond.  The rest of the backlog is for those not accepted yet. */
#define HALF_OPEN_MAX 128

void tcp_limit_half_open(void)
{
	for (listener *l = open_listeners; l; l = l->next) {
		struct tcp_pcb_listen *lpcb = (struct tcp_pcb_listen *)l->pcb;
		struct tcp_pcb *oldest = NULL;
		unsigned half = 0, left = lpcb->accepts_pending;
		if (left <= HALF_OPEN_MAX)
			continue;
		/* The youngest stand in front, and with them most that wait. */
		for (struct tcp_pcb *p = tcp_active_pcbs; p && left; p = p->next) {
			if (p->listener != lpcb || !(p->flags & TF_BACKLOGPEND))
				continue;
			left--;
			if (p->state == SYN_RCVD) {
				half++;
				oldest = p;
			}
		}
		if (half > HALF_OPEN_MAX)
			tcp_abandon(oldest, 0);
	}
}

/* ---- settings ------------------------------------------------------------------- */

void conn_set_read_deadline(conn *c, int64 t)
{
	if (c->udp) {
		packet_set_deadline(c->udp, t);
		return;
	}
	net_lock();
	if (!c->closed)
		waiter_set_deadline(&c->rd, t);
	net_unlock();
}

void conn_set_write_deadline(conn *c, int64 t)
{
	if (c->udp)
		return; /* never waits */
	net_lock();
	if (!c->closed)
		waiter_set_deadline(&c->wr, t);
	net_unlock();
}

void conn_set_deadline(conn *c, int64 t)
{
	conn_set_read_deadline(c, t);
	conn_set_write_deadline(c, t);
}

void listener_set_deadline(listener *l, int64 t)
{
	net_lock();
	if (l->pcb)
		waiter_set_deadline(&l->rd, t);
	net_unlock();
}

net_addr listener_addr(listener *l)
{
	return l->local;
}

net_addr conn_local_addr(conn *c)
{
	return c->udp ? c->udp->local : c->local;
}

net_addr conn_remote_addr(conn *c)
{
	return c->udp ? c->udp->remote : c->remote;
}

void conn_set_no_delay(conn *c, bool on)
{
	net_lock();
	if (c->pcb && on)
		tcp_nagle_disable(c->pcb);
	else if (c->pcb)
		tcp_nagle_enable(c->pcb);
	net_unlock();
}

void conn_set_keep_alive(conn *c, int64 ns)
{
	net_lock();
	if (c->pcb) {
		if (ns > 0) {
			int64_t ms = ns / Millisecond;
			c->pcb->so_options |= SOF_KEEPALIVE;
			c->pcb->keep_idle = c->pcb->keep_intvl = ms > 0x7fffffff ? 0x7fffffff : ms < 1 ? 1 : (u32_t)ms;
		} else {
			c->pcb->so_options &= (u8_t)~SOF_KEEPALIVE;
		}
	}
	net_unlock();
}
