/* frames.c: frames on their way from lwIP to a device.
 *
 * TCP's checksum is left to devices that make it.  lwIP makes a frame of each segment;
 * to a device that cuts large segments up itself (TSO: virtio 1.2, 5.1.6.2), consecutive ones of
 * a connection go as one: they are held back while who has the lock may send more, and
 * go at the latest as it is given back.
 *
 * Invariants, under the lock: what is held of an interface is of one connection, in order,
 * all but the last of gso_size bytes, and nothing else is sent there before it.  Held
 * frames are referenced, so lwIP neither frees them nor sends them again meanwhile. */
#include "net.h"
#include <lwip/inet_chksum.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/tcp.h>
#include "timeouts.h"

#define PIECES_MAX 16
#define HELD_FRAMES 45 /* 64 KiB of 1460 bytes */
#define HELD_PIECES (2 * HELD_FRAMES)
#define HEAD_MAX (SIZEOF_ETH_HDR + 40 + 60)

struct held {
	struct netdev *dev;
	unsigned n, pieces, queue;
	bool ended;              /* no more behind these */
	bool v4;
	uint16_t gso_size;       /* payload of each, the last may have less */
	unsigned tcp, head_len;  /* where TCP's header begins, all headers end */
	uint32_t payload, next_seq;
	struct pbuf *frame[HELD_FRAMES];
	uint8_t head[HEAD_MAX];  /* the first's, the lengths in it are of all */
};
static struct held held[MAX_IFACES] NOSCAN_BSS;
static uint32_t holding;         /* interfaces that hold any, a bit each */
uint64_t net_unkicked;
_Static_assert(MAX_IFACES * KICK_QUEUES <= 64 && MAX_IFACES <= 32, "bits");

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* TCP's checksum is the device's to make: into its field goes the sum of the pseudo
 * header (RFC 9293, 3.1; RFC 8200, 8.1).  The headers are in the first piece: tcp_out.c
 * makes them so. */
static void leave_checksum(const struct net_piece *v, struct net_offload *off)
{
	uint8_t *p = (uint8_t *)v->p;
	uint32_t ip = SIZEOF_ETH_HDR, tcp, addrs, naddrs, len, sum = IP_PROTO_TCP;
	if (v->n < ip + 40)
		return;
	if (p[12] == 8 && p[13] == 0 && p[ip + 9] == IP_PROTO_TCP) {
		tcp = ip + 4 * (p[ip] & 15);
		len = (p[ip + 2] << 8 | p[ip + 3]) - (tcp - ip);
		addrs = ip + 12;
		naddrs = 8;
	} else if (p[12] == 0x86 && p[13] == 0xdd && p[ip + 6] == IP_PROTO_TCP) {
		tcp = ip + 40;
		len = p[ip + 4] << 8 | p[ip + 5];
		addrs = ip + 8;
		naddrs = 32;
	} else {
		return;
	}
	if (v->n < tcp + TCP_HLEN)
		return;
	sum += len;
	for (uint32_t i = 0; i < naddrs; i += 2)
		sum += (uint32_t)p[addrs + i] << 8 | p[addrs + i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(p + tcp + 16, sum);
	*off = (struct net_offload){ .flags = NET_CSUM_NEEDED, .csum_start = (uint16_t)tcp, .csum_offset = 16 };
}

static bool transmit(struct held *h, const struct net_piece *v, unsigned k, const struct net_offload *off)
{
	net_unkicked |= 1ull << ((h - held) * KICK_QUEUES + h->queue);
	return h->dev->transmit(h->dev, h->queue, v, k, off);
}

/* ---- what is held ----------------------------------------------------------------- */

/* False: the device has no room, it is held still. */
static bool send_held(struct held *h)
{
	static struct net_piece v[HELD_PIECES + 1] NOSCAN_BSS; /* under the lock */
	struct net_offload off = {};
	unsigned k = 1;
	if (h->n == 0)
		return true;
	v[0] = (struct net_piece){ h->head, h->head_len };
	for (unsigned i = 0; i < h->n; i++) {
		unsigned skip = h->head_len;
		for (const struct pbuf *q = h->frame[i]; q; skip = 0, q = q->next)
			if (q->len > skip)
				v[k++] = (struct net_piece){ (const char *)q->payload + skip, q->len - skip };
	}
	uint8_t *ip = h->head + SIZEOF_ETH_HDR;
	if (h->v4) {
		put16(ip + 2, h->head_len - SIZEOF_ETH_HDR + h->payload);
		put16(ip + 10, 0);
		uint16_t sum = inet_chksum(ip, (u16_t)(h->tcp - SIZEOF_ETH_HDR));
		memcpy(ip + 10, &sum, 2);
	} else {
		put16(ip + 4, h->head_len - SIZEOF_ETH_HDR - 40 + h->payload);
	}
	leave_checksum(v, &off);
	if (h->n > 1) {
		off.flags |= h->v4 ? NET_TSO4 : NET_TSO6;
		off.header_len = (uint16_t)h->head_len;
		off.gso_size = h->gso_size;
	}
	if (!transmit(h, v, k, &off))
		return false;
	for (unsigned i = 0; i < h->n; i++)
		pbuf_free(h->frame[i]);
	h->n = 0;
	holding &= ~(1u << (h - held));
	return true;
}

void net_send_held(void)
{
	for (uint32_t left = holding; left; left &= left - 1)
		send_held(&held[__builtin_ctz(left)]);
}

/* Whether f, a frame whose TCP header is at h->tcp, goes on where the held ones end: all
 * but lengths, the number of the packet and what was to be pushed is the same. */
static bool follows(const struct held *h, const uint8_t *f)
{
	const uint8_t *ip = f + SIZEOF_ETH_HDR, *ip0 = h->head + SIZEOF_ETH_HDR, *t = f + h->tcp, *t0 = h->head + h->tcp;
	if (memcmp(f, h->head, SIZEOF_ETH_HDR) != 0)
		return false;
	if (h->v4 ? memcmp(ip, ip0, 2) || memcmp(ip + 6, ip0 + 6, 4) || memcmp(ip + 12, ip0 + 12, h->tcp - SIZEOF_ETH_HDR - 12)
	          : memcmp(ip, ip0, 4) || memcmp(ip + 6, ip0 + 6, 34))
		return false;
	return memcmp(t, t0, 4) == 0 && get32(t + 4) == h->next_seq && memcmp(t + 8, t0 + 8, 5) == 0 &&
	       memcmp(t + 14, t0 + 14, 2) == 0 && memcmp(t + 18, t0 + 18, h->head_len - h->tcp - 18) == 0;
}

/* Holds a frame of TCP back, with what is held or as the first; false: it goes as it is. */
static bool hold(struct held *h, struct pbuf *p, const struct net_piece *v, unsigned k, const struct net_offload *off)
{
	const uint8_t *f = v[0].p;
	bool v4 = f[12] == 8;
	unsigned tcp = off->csum_start, flags, head_len;
	if (!(off->flags & NET_CSUM_NEEDED) || !(h->dev->offloads & (v4 ? NET_TSO4 : NET_TSO6)))
		return false;
	flags = f[tcp + 13];
	head_len = tcp + 4 * (f[tcp + 12] >> 4);
	if ((flags & ~TCP_PSH) != TCP_ACK || head_len > v[0].n || head_len > HEAD_MAX || p->tot_len <= head_len)
		return false;
	uint32_t payload = p->tot_len - head_len;
	if (h->n == 0) {
		if (flags & TCP_PSH) /* nothing will follow */
			return false;
		h->ended = false;
		h->v4 = v4;
		h->tcp = tcp;
		h->head_len = head_len;
		h->gso_size = (uint16_t)payload;
		h->payload = h->pieces = 0;
		memcpy(h->head, f, head_len);
		holding |= 1u << (h - held);
	} else if (h->ended || h->n == HELD_FRAMES || h->pieces + k > HELD_PIECES || v4 != h->v4 || tcp != h->tcp ||
	           head_len != h->head_len || payload > h->gso_size || head_len - SIZEOF_ETH_HDR + h->payload + payload > 0xffff ||
	           !follows(h, f)) {
		return false;
	}
	pbuf_ref(p);
	h->frame[h->n++] = p;
	h->pieces += k;
	h->payload += payload;
	h->next_seq = get32(f + tcp + 4) + payload;
	h->head[tcp + 13] = (uint8_t)(h->head[tcp + 13] | (flags & TCP_PSH));
	h->ended = payload < h->gso_size || flags & TCP_PSH;
	return true;
}

/* ---- sending ------------------------------------------------------------------------ */

err_t net_send_frame(struct netdev *d, unsigned iface, struct pbuf *p)
{
	struct held *h = &held[iface];
	struct net_piece v[PIECES_MAX];
	unsigned k = 0;
	struct pbuf *one = NULL;
	v[0] = (struct net_piece){};
	for (struct pbuf *q = p; q && k < PIECES_MAX; q = q->next)
		if (q->len)
			v[k++] = (struct net_piece){ q->payload, q->len };
	if (k == PIECES_MAX) { /* seldom: many small writes in one segment */
		one = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
		if (!one)
			return ERR_MEM;
		v[0] = (struct net_piece){ one->payload, one->len };
		k = 1;
	}
	const uint8_t *head = v[0].p;
	if (head[12] == 8 && head[13] == 6)
		net_arp_asked();
	struct net_offload off = {};
	if (d->offloads & NET_CSUM_NEEDED)
		leave_checksum(&v[0], &off);
	h->dev = d;
	bool ok = !one && h->n && hold(h, p, v, k, &off);
	if (!ok && send_held(h)) {
		h->queue = plat_core_id() % (d->nqueues < KICK_QUEUES ? d->nqueues : KICK_QUEUES);
		ok = (!one && hold(h, p, v, k, &off)) || transmit(h, v, k, &off);
	}
	if (one)
		pbuf_free(one);
	return ok ? ERR_OK : ERR_MEM; /* TCP sends again */
}

void netif_kick(uint64_t queues)
{
	for (; queues; queues &= queues - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(queues);
		struct netdev *d = held[bit / KICK_QUEUES].dev;
		d->kick(d, bit % KICK_QUEUES);
	}
}
