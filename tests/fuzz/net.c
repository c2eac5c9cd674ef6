/* net.c: frames as they come from a wire, into lwIP by way of rt/net/iface.c.  eth0 has
 * addresses and a server on port 80, eth1 asks for one by DHCP.
 *
 * An input is a list of frames: what it is, how many bytes follow, then they.  Random
 * numbers that a peer knows and a mutation never guesses are put in: sequence numbers of the
 * server's last segment, identifiers of DHCP and DNS queries, sums of headers.  In the end
 * all connections are aborted, and no task may be left. */
#include <stdio.h>
#include <string.h>
#include "rt/net/net.h"
#include <lwip/dns.h>
#include <lwip/ip4_frag.h>
#include <lwip/ip6_frag.h>
#include <lwip/priv/tcp_priv.h>
#include "ingot.h"
#include "fuzz.h"
#include "tests/unit/frame.h"

enum kind { RAW, IP4, ICMP4, TCP, UDP, DHCP, DNS, IP6, ICMP6, RAW_DHCP, KINDS };

static struct netdev eth[2];
static uint32_t next_seq, peer_ack; /* of the connection that the input makes */
static uint8_t dhcp_id[4], dns_id[2], dns_port[2];
static const uint8_t ours[4] = { 10, 0, 2, 15 }, theirs[4] = { 10, 0, 2, 2 }, dns_server[4] = { 10, 0, 2, 3 };
static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 1 };

/* ---- the wire ------------------------------------------------------------------- */

/* What a peer would learn of what it gets. */
static bool transmit(struct netdev *d, unsigned queue, const struct net_piece *v, unsigned n, const struct net_offload *off)
{
	uint8_t f[600] = {};
	size_t len = 0;

	for (unsigned i = 0; i < n && len < sizeof f; len += v[i++].n)
		memcpy(f + len, v[i].p, v[i].n < sizeof f - len ? v[i].n : sizeof f - len);
	if (f[12] != 8 || f[13] != 0)
		return true;
	const uint8_t *ip = f + 14, *up = ip + 4 * (ip[0] & 15);
	if (ip[9] == 6) {
		next_seq = get32(up + 8);
		peer_ack = get32(up + 4) + ((up[13] & 3) != 0);
	} else if (ip[9] == 17 && up[3] == 67) {
		memcpy(dhcp_id, up + 12, 4);
	} else if (ip[9] == 17 && up[3] == 53) {
		memcpy(dns_id, up + 8, 2);
		memcpy(dns_port, up, 2);
	}
	return true;
}

static void release(struct netbuf *b)
{
	fuzz_free(b->data);
}

static void arrive(struct netdev *d, const uint8_t *p, size_t n, bool checked)
{
	struct netbuf b = { .data = fuzz_copy(p, n), .len = (uint32_t)n, .free = release,
		            .off.flags = checked ? NET_CSUM_VALID : 0 };
	d->rx(d, 0, &b);
}

/* p has n bytes behind room for both headers. */
static void ip4(struct netdev *d, uint8_t *f, size_t n, uint8_t proto, const uint8_t *from)
{
	uint8_t *ip = f + 14;

	memcpy(f, d->mac, 6), memcpy(f + 6, peer_mac, 6), put16(f + 12, 0x800);
	memset(ip, 0, 20);
	ip[0] = 0x45, ip[8] = 64, ip[9] = proto;
	put16(ip + 2, 20 + n);
	memcpy(ip + 12, from, 4), memcpy(ip + 16, ours, 4);
	if (d == &eth[1])
		memset(ip + 16, 255, 4);
	put_sum(ip + 10, sum(ip, 20, 0));
	arrive(d, f, 34 + n, true);
}

static void ip6(uint8_t *f, size_t n, uint8_t proto)
{
	uint8_t *ip = f + 14;

	memcpy(f, eth[0].mac, 6), memcpy(f + 6, peer_mac, 6), put16(f + 12, 0x86dd);
	memset(ip, 0, 40);
	ip[0] = 0x60, ip[6] = proto, ip[7] = 255;
	put16(ip + 4, n);
	ip[8] = ip[24] = 0xfd, ip[23] = 2, ip[39] = 0x15;
	if (proto == 58) { /* neighbours speak by link-local addresses */
		ip[8] = 0xfe, ip[9] = 0x80;
		put16(ip + 42, 0);
		put_sum(ip + 42, sum(ip + 8, 32 + n, (uint32_t)n + 58));
	}
	arrive(&eth[0], f, 54 + n, true);
}

static void frame(enum kind kind, const uint8_t *p, size_t n)
{
	uint8_t f[400] = {};
	uint8_t *l4 = f + 34;

	switch (kind) {
	case RAW:
	case RAW_DHCP:
	case KINDS:
		arrive(&eth[kind == RAW_DHCP], p, n, n & 1);
		break;
	case IP4: /* proto, then what it carries */
		if (n)
			memcpy(l4, p + 1, n - 1), ip4(&eth[0], f, n - 1, p[0], theirs);
		break;
	case ICMP4:
		if (n >= 4) {
			memcpy(l4, p, n);
			put16(l4 + 2, 0), put_sum(l4 + 2, sum(l4, n, 0));
			ip4(&eth[0], f, n, 1, theirs);
		}
		break;
	case TCP: /* port, flags, distance of seq and ack, window, words of options, rest */
		if (n >= 6) {
			size_t options = p[5] & 3;
			put16(l4, 1000 + p[0] % 4), put16(l4 + 2, 80);
			put32(l4 + 4, next_seq + (uint32_t)(int8_t)p[2]);
			put32(l4 + 8, peer_ack + (uint32_t)(int8_t)p[3]);
			l4[12] = (uint8_t)(5 + options + (p[5] >> 6)) << 4, l4[13] = p[1];
			put16(l4 + 14, (size_t)p[4] << 6);
			memcpy(l4 + 20, p + 6, n - 6);
			ip4(&eth[0], f, 20 + n - 6, 6, theirs);
		}
		break;
	case UDP:
		if (n >= 4) {
			memcpy(l4, p, 4), put16(l4 + 4, 8 + n - 4), memcpy(l4 + 8, p + 4, n - 4);
			ip4(&eth[0], f, 8 + n - 4, 17, theirs);
		}
		break;
	case DHCP: /* options behind the fixed part */
		put16(l4, 67), put16(l4 + 2, 68);
		put16(l4 + 4, 8 + 240 + (n > 100 ? 100 : n));
		l4[8] = 2, l4[9] = 1, l4[10] = 6;
		memcpy(l4 + 12, dhcp_id, 4);
		put32(l4 + 24, 0x0a000363);
		memcpy(l4 + 36, eth[1].mac, 6);
		put32(l4 + 244, 0x63825363);
		memcpy(l4 + 248, p, n > 100 ? 100 : n);
		ip4(&eth[1], f, 248 + (n > 100 ? 100 : n), 17, theirs);
		break;
	case DNS: /* behind the identifier */
		put16(l4, 53), memcpy(l4 + 2, dns_port, 2), put16(l4 + 4, 10 + n);
		memcpy(l4 + 8, dns_id, 2), memcpy(l4 + 10, p, n);
		ip4(&eth[0], f, 10 + n, 17, dns_server);
		break;
	case IP6:
		if (n)
			memcpy(f + 54, p + 1, n - 1), ip6(f, n - 1, p[0]);
		break;
	case ICMP6:
		if (n >= 4)
			memcpy(f + 54, p, n), ip6(f, n, 58);
	}
}

/* ---- the machine ------------------------------------------------------------------ */

static listener *port80;

static void echo(conn *c)
{
	byte buf[256];
	size_t got;

	while (!conn_read(c, buf, sizeof buf, &got) && !conn_write(c, buf, got, NULL))
		;
	errors_ignore(conn_close(c));
}

static void serve(void)
{
	conn *c;

	while (!listener_accept(port80, &c))
		go(echo, c);
}

static void rx_start(struct netdev *d) {}
static struct net_queue_stats stats(struct netdev *d, unsigned q, bool sends) { return (struct net_queue_stats){ 0 }; }
static void kick(struct netdev *d, unsigned q) {}
static void found(const char *name, const ip_addr_t *ip, void *arg) {}

static void setup(void)
{
	for (int i = 0; i < 2; i++) {
		eth[i] = (struct netdev){ .driver = "fuzz", .mac = { 2, 0, 0, 0, 1, (uint8_t)i }, .mtu = 1500, .nqueues = 1,
			                  .rx_offloads = NET_CSUM_VALID, .link_up = 1, .transmit = transmit, .kick = kick,
			                  .rx_start = rx_start, .queue_stats = stats };
		netdev_add(&eth[i]);
	}
	rt_settings.net = "10.0.2.15/24,gateway=10.0.2.2,dns=10.0.2.3,fd00::15/64";
	must(net_listen(S("tcp"), S(":80"), &port80));
	go(serve);
	/* The neighbours, so that answers go out. */
	uint8_t arp[42] = { 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 2, 2,
		            2, 0, 0, 0, 1, 0, 10, 0, 2, 15 };
	memcpy(arp, eth[0].mac, 6);
	arrive(&eth[0], arp, sizeof arp, false);
	arp[31] = 3;
	arrive(&eth[0], arp, sizeof arp, false);
}

static void forget(void)
{
	net_lock();
	while (tcp_active_pcbs)
		tcp_abort(tcp_active_pcbs);
	for (int i = 0; i < 20; i++)
		ip_reass_tmr(), ip6_reass_tmr();
	net_unlock();
	fuzz_forget_ends();
}

FUZZ(net, setup)
{
	static unsigned queries;
	char name[32];
	ip_addr_t ip;

	next_seq = 1000, peer_ack = 0;
	for (int i = 0; i < 32 && n >= 2; i++) {
		enum kind kind = fuzz_byte(&p, &n) % KINDS;
		size_t k = fuzz_byte(&p, &n);

		k = k < n ? k : n;
		if (kind == DNS) { /* an answer needs a question */
			snprintf(name, sizeof name, "host%u.test", queries++);
			net_lock();
			dns_gethostbyname(name, &ip, found, NULL);
			net_unlock();
		}
		frame(kind, p, k);
		if (kind == DNS)
			frame(DNS, (const uint8_t *)"\x81\x83\0\0\0\0\0\0\0\0", 10); /* no such name */
		p += k, n -= k;
		gosched();
	}
	forget();
}
