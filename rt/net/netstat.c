/* netstat.c: interfaces and connections in lines, for the console (rt/console.c, which
 * knows this by a weak symbol).  They are lwIP's lists; a line is made under the network's
 * lock, so ten thousand connections are cut off at a number. */
#include "net.h"
#include "../inspect.h"
#include <lwip/tcp.h>
#include <lwip/udp.h>
#include <lwip/priv/tcp_priv.h>

#define LINES_MAX 200

/* RFC 9293, 3.3.2; lwIP's enum tcp_state. */
static const char *const state_names[] = { "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	                                   "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT" };

static string address(const ip_addr_t *ip, uint16_t port)
{
	return net_addr_string(addr_of(ip, port));
}

static void line(builder *b, unsigned *n, const char *proto, string local, string remote, const char *state)
{
	if ((*n)++ < LINES_MAX)
		builder_printf(b, "%-5s %-28s %-28s %s\n", proto, local, remote, state);
}

void net_report(builder *b)
{
	unsigned n = 0;
	slice(net_interface) all = net_interfaces();
	for (size_t i = 0; i < all.len; i++) {
		const net_interface *f = &all.ptr[i];
		builder_printf(b, "%-5s %02x:%02x:%02x:%02x:%02x:%02x mtu %d %s", f->name, f->mac[0], f->mac[1], f->mac[2], f->mac[3],
		               f->mac[4], f->mac[5], f->mtu, f->up ? "up" : "down");
		for (size_t k = 0; k < f->addrs.len; k++)
			builder_printf(b, " %s", net_addr_string(f->addrs.ptr[k]));
		builder_write(b, S("\n"));
	}
	builder_printf(b, "%-5s %-28s %-28s %s\n", "PROTO", "LOCAL", "REMOTE", "STATE");
	net_lock();
	for (struct tcp_pcb_listen *l = tcp_listen_pcbs.listen_pcbs; l; l = l->next)
		line(b, &n, "tcp", address(&l->local_ip, l->local_port), S("-"), state_names[LISTEN]);
	for (const struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next)
		line(b, &n, "tcp", address(&p->local_ip, p->local_port), address(&p->remote_ip, p->remote_port),
		     state_names[p->state]);
	for (const struct tcp_pcb *p = tcp_tw_pcbs; p; p = p->next)
		line(b, &n, "tcp", address(&p->local_ip, p->local_port), address(&p->remote_ip, p->remote_port),
		     state_names[p->state]);
	for (const struct udp_pcb *p = udp_pcbs; p; p = p->next)
		line(b, &n, "udp", address(&p->local_ip, p->local_port),
		     p->remote_port ? address(&p->remote_ip, p->remote_port) : S("-"), "");
	net_unlock();
	if (n > LINES_MAX)
		builder_printf(b, "... and %u more\n", n - LINES_MAX);
}
