/* iface.c: network interfaces: devices under lwIP, their addresses, and what a
 * program asks about them.
 *
 * Every device becomes an Ethernet interface eth0, eth1 ...  Addresses come
 * from the boot parameter NET, else by DHCP and router advertisements.
 *
 * Invariants: a frame enters lwIP under the lock, in the task of its device's
 * queue; frames are copied into lwIP's memory and out of it, so a device's
 * buffers never wait for a slow reader.  lwIP checks no checksums by itself
 * (what one's own machine sent needs none): only of received frames, and there
 * the device may have done it. */
#include "net.h"
#include "../driver.h"
#include "../libc.h"
#include "../log.h"
#include "timeouts.h"
#include "../api_log.h"
#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/inet_chksum.h>
#include <lwip/prot/icmp6.h>
#include <lwip/raw.h>
#include <netif/ethernet.h>

#define TURN 8 /* frames that enter lwIP under one hold of the lock */
#define CHECKS (NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_UDP | NETIF_CHECKSUM_CHECK_TCP | \
                NETIF_CHECKSUM_CHECK_ICMP | NETIF_CHECKSUM_CHECK_ICMP6)
#define MAKES (NETIF_CHECKSUM_GEN_IP | NETIF_CHECKSUM_GEN_UDP | NETIF_CHECKSUM_GEN_TCP | \
               NETIF_CHECKSUM_GEN_ICMP | NETIF_CHECKSUM_GEN_ICMP6)
#define DHCP_PATIENCE 10 /* s until the console says that no server answers */
#define SETTLE_TIME (10 * Second) /* how long a dial waits for DHCP */

struct iface {
	struct netif netif;
	struct netdev *dev;
	char name[8];
	unsigned patience; /* seconds until the console says that there is no address; 0: has said so, or need not */
	bool waited;       /* the console said so */
};
static struct iface ifaces[MAX_IFACES];
static unsigned niface;

/* Those who wait for an interface to be up. */
struct settler {
	struct settler *next, **link;
	struct waiter w;
};
static struct settler *settlers;

/* ---- frames ----------------------------------------------------------------- */

static err_t send_frame(struct netif *n, struct pbuf *p)
{
	struct iface *i = n->state;
	return net_send_frame(i->dev, (unsigned)(i - ifaces), p);
}

static void take_frame(struct iface *i, const struct netbuf *b)
{
	size_t n = 0;
	for (const struct netbuf *q = b; q; q = q->next)
		n += q->len;
	struct pbuf *p = n <= 0xffff ? pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_RAM) : NULL;
	if (!p)
		return;
	char *to = p->payload;
	for (const struct netbuf *q = b; q; q = q->next) {
		memcpy(to, q->data, q->len);
		to += q->len;
	}
	u16_t made = i->netif.chksum_flags, check = CHECKS;
	if (b->off.flags & (NET_CSUM_VALID | NET_CSUM_NEEDED)) /* or never left the host */
		check &= (u16_t)~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP);
	i->netif.chksum_flags = made | check;
	if (i->netif.input(p, &i->netif) != ERR_OK)
		pbuf_free(p);
	i->netif.chksum_flags = made;
	if (net_begun) {
		net_begun = false;
		tcp_limit_half_open();
	}
}

/* Others may have the lock between a few. */
static void on_frames(struct netdev *d, unsigned queue, struct netbuf *frames)
{
	struct iface *i = d->stack;
	unsigned n = 0;
	net_lock();
	for (const struct netbuf *b = frames; b; b = b->more) {
		if (++n % TURN == 0) {
			net_unlock();
			net_lock();
		}
		take_frame(i, b);
	}
	net_unlock_to_wait();
	netbuf_free(frames);
}

/* Into the log, not to the console: the program says there what it wants to. */
static void note(log_level level, const struct iface *i, const char *what, const char *more)
{
	char line[80];
	int n = snprintf(line, sizeof line, "%s: %s%s", i->name, what, more);
	log_put(level, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

static void on_link(struct netdev *d)
{
	struct iface *i = d->stack;
	bool up = __atomic_load_n(&d->link_up, __ATOMIC_RELAXED);
	net_lock();
	if (up)
		netif_set_link_up(&i->netif);
	else
		netif_set_link_down(&i->netif);
	net_unlock();
	note(up ? LogInfo : LogWarn, i, up ? "link up" : "link lost", "");
}

/* Room again, for what is held.  What else lwIP could not send, it does within its next
 * tick at the latest. */
static void on_room(struct netdev *d, unsigned queue)
{
	if (d->offloads & (NET_TSO4 | NET_TSO6)) {
		net_lock();
		net_unlock();
	}
}

static err_t init_eth(struct netif *n)
{
	struct iface *i = n->state;
	n->name[0] = 'e';
	n->name[1] = 'n';
	n->hostname = "ingot";
	n->output = etharp_output;
	n->output_ip6 = ethip6_output;
	n->linkoutput = send_frame;
	n->mtu = i->dev->mtu;
	n->hwaddr_len = 6;
	memcpy(n->hwaddr, i->dev->mac, 6);
	n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
	return ERR_OK;
}

/* ---- addresses ------------------------------------------------------------------ */

/* DHCP goes on asking, seldomer as time passes, at least once a minute (dhcp.c). */
void netif_second(void)
{
	for (struct iface *i = ifaces; i < ifaces + niface; i++) {
		if (i->patience == 0 || --i->patience > 0 || !ip4_addr_isany_val(*netif_ip4_addr(&i->netif)))
			continue;
		i->waited = true;
		io_log("%s: no DHCP server answers%s; it is asked on (an address of one's own: NET=ADDRESS/BITS)", i->name,
		       netif_is_link_up(&i->netif) ? "" : ", the link is down");
	}
}

bool netif_counts_seconds(void)
{
	bool any = false;
	for (unsigned i = 0; i < niface; i++)
		any |= ifaces[i].patience > 0;
	return any;
}

static void on_status(struct netif *n)
{
	struct iface *i = n->state;
	char text[IP4ADDR_STRLEN_MAX];
	if (!ip4_addr_isany_val(*netif_ip4_addr(n))) {
		ip4addr_ntoa_r(netif_ip4_addr(n), text, sizeof text);
		if (i->waited)
			io_log("%s: address %s by DHCP", i->name, text);
		else
			note(LogInfo, i, "address ", text);
		i->waited = false;
		i->patience = 0;
	}
	for (struct settler *s = settlers; s; s = s->next)
		waiter_wake(&s->w);
}

static noreturn void bad_setting(const char *item, const char *why)
{
	rt_printf("ingot: boot parameter \"NET=%s\": %s: %s\n", rt_settings.net, item, why);
	plat_exit(2);
}

/* "10.0.2.15/24" or "fd00::15/64" */
static void set_address(struct netif *n, const char *item, string s)
{
	net_addr a;
	string ip_text, bits_text;
	uint16_t bits;
	strings_cut(s, S("/"), &ip_text, &bits_text);
	if (!parse_ip(ip_text, &a) || !parse_port(bits_text, &bits) || bits > (a.is_v6 ? 128 : 32))
		bad_setting(item, "want ADDRESS/BITS");
	ip_addr_t ip = ip_of(&a);
	if (a.is_v6) {
		s8_t k = 1;
		netif_add_ip6_address(n, ip_2_ip6(&ip), &k);
		if (k >= 0)
			netif_ip6_addr_set_state(n, k, IP6_ADDR_PREFERRED);
	} else {
		ip4_addr_t mask = { .addr = lwip_htonl(bits ? ~0u << (32 - bits) : 0) };
		netif_set_addr(n, ip_2_ip4(&ip), &mask, netif_ip4_gw(n));
	}
}

/* NET=dhcp, NET=off, or NET=ADDRESS/BITS,gateway=ADDRESS,dns=ADDRESS,ntp=HOST: for the
 * first interface; the others use DHCP. */
static void configure(struct iface *i)
{
	const char *s = i == ifaces && rt_settings.net ? rt_settings.net : "dhcp";
	struct netif *n = &i->netif;
	bool static_v4 = false, off = strcmp(s, "off") == 0;
	u8_t ndns = 0;
	if (off)
		return;
	netif_create_ip6_linklocal_address(n, 1);
	netif_set_ip6_autoconfig_enabled(n, 1);
	netif_set_up(n);
	if (strcmp(s, "dhcp") != 0) {
		char item[80];
		while (*s) {
			size_t k = 0;
			while (s[k] && s[k] != ',')
				k++;
			snprintf(item, sizeof item, "%.*s", (int)k, s);
			string word = { item, strlen(item) };
			net_addr a;
			if (strncmp(item, "gateway=", 8) == 0) {
				if (!parse_ip((string){ item + 8, word.len - 8 }, &a) || a.is_v6)
					bad_setting(item, "want an IPv4 address");
				ip_addr_t ip = ip_of(&a);
				netif_set_gw(n, ip_2_ip4(&ip));
			} else if (strncmp(item, "dns=", 4) == 0) {
				if (!parse_ip((string){ item + 4, word.len - 4 }, &a) || ndns == DNS_MAX_SERVERS)
					bad_setting(item, "want an address, of two servers at most");
				ip_addr_t ip = ip_of(&a);
				dns_setserver(ndns++, &ip);
			} else if (strncmp(item, "ntp=", 4) == 0) {
				if (!sntp_begin(item + 4, word.len - 4))
					bad_setting(item, "want a host");
			} else if (strcmp(item, "dhcp") != 0) {
				set_address(n, item, word);
				static_v4 |= !memchr(item, ':', word.len);
			}
			s += k + (s[k] == ',');
		}
	}
	if (!static_v4) {
		dhcp_start(n);
		i->patience = DHCP_PATIENCE;
	}
}

/* What DHCP's option 42 says (lwIP calls it). */
void dhcp_set_ntp_servers(u8_t n, const ip4_addr_t *addrs)
{
	if (n)
		sntp_begin(ip4addr_ntoa(addrs), strlen(ip4addr_ntoa(addrs)));
}

static bool has_address(const struct netif *n)
{
	if (!netif_is_up(n) || !netif_is_link_up(n))
		return false;
	if (!ip4_addr_isany_val(*netif_ip4_addr(n)))
		return true;
	for (int k = 1; k < LWIP_IPV6_NUM_ADDRESSES; k++) /* 0 is link-local */
		if (ip6_addr_ispreferred(netif_ip6_addr_state(n, k)))
			return true;
	return false;
}

static bool any_up(void)
{
	for (unsigned i = 0; i < niface; i++)
		if (has_address(&ifaces[i].netif))
			return true;
	return false;
}

/* Whether an interface may still get an address by itself. */
static bool any_pending(void)
{
	for (unsigned i = 0; i < niface; i++)
		if (netif_is_up(&ifaces[i].netif))
			return true;
	return false;
}

static bool wait_up(int64 deadline)
{
	struct settler *s = new(struct settler);
	bool up;
	net_lock();
	link_in(&settlers, s);
	waiter_set_deadline(&s->w, deadline);
	while (!(up = any_up()) && !waiter_expired(&s->w)) {
		waiter_wait(&s->w);
	}
	waiter_set_deadline(&s->w, 0);
	link_out(s);
	net_unlock();
	return up;
}

void net_settle(int64 deadline)
{
	net_lock();
	bool wait = !any_up() && any_pending();
	net_unlock();
	int64 limit = nanotime() + SETTLE_TIME;
	if (wait)
		wait_up(deadline && deadline < limit ? deadline : limit);
}

error net_wait_up(int64 ns)
{
	net_start();
	int64 now = nanotime();
	return wait_up(ns > INT64_MAX - now ? INT64_MAX : now + ns) ? NULL : net_err_timeout;
}

/* ---- start ------------------------------------------------------------------------ */

static void attach(struct netdev *d)
{
	struct iface *i = &ifaces[niface];
	snprintf(i->name, sizeof i->name, "eth%u", niface++);
	i->dev = d;
	d->stack = i;
	d->rx = on_frames;
	d->link = on_link;
	d->tx_room = on_room;
	netif_add(&i->netif, NULL, NULL, NULL, i, init_eth, ethernet_input);
	/* Not UDP's: one in fragments has a checksum that no device makes. */
	NETIF_SET_CHECKSUM_CTRL(&i->netif, MAKES & ~(d->offloads & NET_CSUM_NEEDED ? NETIF_CHECKSUM_GEN_TCP : 0));
	netif_set_status_callback(&i->netif, on_status);
	netif_set_link_callback(&i->netif, on_status);
	if (niface == 1)
		netif_set_default(&i->netif);
	if (__atomic_load_n(&d->link_up, __ATOMIC_RELAXED))
		netif_set_link_up(&i->netif);
	configure(i);
	d->rx_start(d);
}

void netif_begin(void)
{
	struct netdev *d;
	struct netif *lo;
	NETIF_FOREACH(lo)
		NETIF_SET_CHECKSUM_CTRL(lo, 0);
	for (int i = 0; i < MAX_IFACES && (d = netdev_get(i)); i++)
		if (!d->stack) /* else a program has it for itself */
			attach(d);
}

/* ---- questions --------------------------------------------------------------------- */

static net_interface describe(struct netif *n, string name)
{
	net_interface f = { .name = name, .mtu = n->mtu, .up = netif_is_up(n) && netif_is_link_up(n) };
	memcpy(f.mac, n->hwaddr, n->hwaddr_len);
	f.addrs = make_slice(net_addr, 0, 1 + LWIP_IPV6_NUM_ADDRESSES);
	if (!ip4_addr_isany_val(*netif_ip4_addr(n)))
		f.addrs = append(f.addrs, addr_of(netif_ip_addr4(n), 0));
	for (int k = 0; k < LWIP_IPV6_NUM_ADDRESSES; k++)
		if (ip6_addr_isvalid(netif_ip6_addr_state(n, k)))
			f.addrs = append(f.addrs, addr_of(netif_ip_addr6(n, k), 0));
	return f;
}

slice(net_interface) net_interfaces(void)
{
	slice(net_interface) all = make_slice(net_interface, 0, 4);
	struct netif *n;
	net_start();
	net_lock();
	NETIF_FOREACH(n) {
		if (!n->state)
			all = append(all, describe(n, S("lo")));
	}
	for (unsigned i = 0; i < niface; i++)
		all = append(all, describe(&ifaces[i].netif, string_from_bytes(ifaces[i].name, strlen(ifaces[i].name))));
	net_unlock();
	return all;
}

/* ---- echo ------------------------------------------------------------------------------ */

struct ping {
	struct ping *next, **link;
	struct waiter w;
	uint16_t id;
	bool v6, answered;
};
static struct ping *open_pings;

static u8_t on_echo(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
	struct ping *g = arg;
	struct icmp_echo_hdr h;
	u16_t skip = g->v6 ? 0 : (u16_t)(4 * (pbuf_get_at(p, 0) & 15));
	if (g->v6)
		skip = p->tot_len >= IP6_HLEN && pbuf_get_at(p, 0) >> 4 == 6 ? IP6_HLEN : 0;
	if (pbuf_copy_partial(p, &h, sizeof h, skip) != sizeof h || h.id != g->id ||
	    h.type != (g->v6 ? ICMP6_TYPE_EREP : ICMP_ER))
		return 0; /* not ours */
	g->answered = true;
	waiter_wake(&g->w);
	pbuf_free(p);
	return 1;
}

error net_ping(net_addr to, int64 timeout, int64 *rtt)
{
	net_start();
	struct ping *g = new(struct ping);
	ip_addr_t ip = ip_of(&to);
	error err = net_err_memory;
	g->v6 = to.is_v6;
	net_lock();
	g->id = (uint16_t)net_rand();
	link_in(&open_pings, g);
	struct raw_pcb *pcb = raw_new_ip_type(IP_GET_TYPE(&ip), g->v6 ? IP6_NEXTH_ICMP6 : IP_PROTO_ICMP);
	struct pbuf *p = pbuf_alloc(PBUF_IP, sizeof(struct icmp_echo_hdr) + 32, PBUF_RAM);
	int64 begin = nanotime();
	if (pcb && p) {
		struct icmp_echo_hdr *h = p->payload;
		memset(h, 0, p->len);
		h->type = g->v6 ? ICMP6_TYPE_EREQ : ICMP_ECHO;
		h->id = g->id;
		if (g->v6) {
			pcb->chksum_reqd = 1;
			pcb->chksum_offset = 2;
		} else {
			h->chksum = inet_chksum(h, p->len);
		}
		raw_recv(pcb, on_echo, g);
		waiter_set_deadline(&g->w, timeout > INT64_MAX - begin ? 0 : begin + (timeout > 0 ? timeout : 1));
		err = net_error(raw_sendto(pcb, p, &ip));
		while (!err && !g->answered) {
			if (waiter_expired(&g->w)) {
				err = net_err_timeout;
				break;
			}
			waiter_wait(&g->w);
		}
		*rtt = nanotime() - begin;
		waiter_set_deadline(&g->w, 0);
	}
	if (p)
		pbuf_free(p);
	if (pcb)
		raw_remove(pcb);
	link_out(g);
	net_unlock();
	return err ? errorf("ping %s: %s", net_addr_string(to), errors_wrap(err)) : NULL;
}
