/* virtio_net.c: network interfaces (VIRTIO 1.2, 5.1): several pairs of queues,
 * checksum and segmentation offload both ways, mergeable receive buffers, link
 * status.  What is above is a stack behind struct netdev (rt/driver.h).
 *
 * Receiving: each queue is kept full of 2 KiB buffers.  Its task takes what came,
 * puts the pieces of a large frame together (5.1.6.4.1) and gives it to the
 * stack, outside the lock; the buffers come back by netbuf_free() from anywhere.
 * Sending: frames are copied to buffers of ours; those that went out are taken
 * back by the next sender, and there are no interrupts for them but while
 * somebody waits for room.
 *
 * Invariants: a buffer is in the ring (the device's), in a list of free ones
 * (under q->m), or the stack's.  What the device says of a frame is checked
 * before anybody believes it. */
#include "virtio.h"

/* 5.1.3 */
#define NET_F_CSUM (1ull << 0)
#define NET_F_GUEST_CSUM (1ull << 1)
#define NET_F_MTU (1ull << 3)
#define NET_F_MAC (1ull << 5)
#define NET_F_GUEST_TSO4 (1ull << 7)
#define NET_F_GUEST_TSO6 (1ull << 8)
#define NET_F_HOST_TSO4 (1ull << 11)
#define NET_F_HOST_TSO6 (1ull << 12)
#define NET_F_MRG_RXBUF (1ull << 15)
#define NET_F_STATUS (1ull << 16)
#define NET_F_CTRL_VQ (1ull << 17)
#define NET_F_MQ (1ull << 22)
enum { MAC = 0, STATUS = 6, MAX_PAIRS = 8, MTU = 10 }; /* 5.1.4 */

struct header { /* 5.1.6 */
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};
_Static_assert(sizeof(struct header) == 12, "5.1.6");
enum { HDR_NEEDS_CSUM = 1, HDR_DATA_VALID = 2 };
enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_ECN = 0x80 };

#define BUFFER_BYTES 2048u
#define FRAME_MAX 65550u /* 5.1.6.3.1: the largest, of 65536 bytes behind an Ethernet header */
#define PIECES_MAX ((FRAME_MAX + sizeof(struct header)) / BUFFER_BYTES + 1)

struct net_queue {
	struct net *net;
	struct virtq *q;
	unsigned pair;
	struct netbuf *free;      /* under q->m */
	unsigned nfree;
	bool starved;             /* a sender found no room; under q->m */
	/* A frame of which not all pieces have come; the queue's task. */
	struct netbuf *head, **tail;
	unsigned missing;
	bool cut;                 /* the device was reset: the rest will not come; under q->m */
	uint64_t frames, bytes, dropped; /* received: the queue's task writes; sent: under q->m.  Read relaxed */
};

struct net {
	struct netdev dev;
	struct virtio *v;
	unsigned npairs, max_pairs;
	unsigned entries;
	bool added, receiving;
	struct virtq *ctrl;
	struct { uint8_t class, command; uint16_t pairs; } *command;
	uint8_t *ack;
	struct net_queue *rx, *tx; /* npairs each */
};

/* ---- receiving ---------------------------------------------------------------- */

/* Under q->m. */
static void post(struct net_queue *nq, struct netbuf *b)
{
	struct virtq_buf v = { virtq_addr(b->data), BUFFER_BYTES };
	if (!virtq_add(nq->q, &v, 0, 1, b)) { /* the device failed meanwhile */
		b->next = nq->free;
		nq->free = b;
	}
}

/* The driver's struct netbuf: where its data begin is not kept elsewhere. */
struct rxbuf {
	struct netbuf b;
	uint8_t *at;
};

static void give_back(struct netbuf *b)
{
	struct net_queue *nq = b->queue;
	struct virtq *q = nq->q;
	mutex_lock(&q->m);
	for (struct netbuf *next; b; b = next) {
		next = b->next;
		b->data = ((struct rxbuf *)b)->at;
		post(nq, b);
	}
	virtq_kick(q);
	mutex_unlock(&q->m);
}

/* The first piece: what its header says; false: nonsense. */
static bool read_header(struct net *net, struct netbuf *b, unsigned *pieces)
{
	struct header h;
	if (b->len < sizeof h)
		return false;
	memcpy(&h, b->data, sizeof h);
	b->data += sizeof h;
	b->len -= sizeof h;
	b->off = (struct net_offload){};
	*pieces = virtio_has(net->v, NET_F_MRG_RXBUF) ? h.num_buffers : 1;
	if (*pieces == 0 || *pieces > PIECES_MAX)
		return false;
	if (h.flags & HDR_NEEDS_CSUM) {
		if (h.csum_start + h.csum_offset + 2u > b->len)
			return false;
		b->off.flags = NET_CSUM_NEEDED;
		b->off.csum_start = h.csum_start;
		b->off.csum_offset = h.csum_offset;
	} else if (h.flags & HDR_DATA_VALID) {
		b->off.flags = NET_CSUM_VALID;
	}
	unsigned gso = h.gso_type & ~GSO_ECN;
	if (gso == GSO_TCPV4 || gso == GSO_TCPV6) {
		b->off.flags |= gso == GSO_TCPV4 ? NET_TSO4 : NET_TSO6;
		b->off.header_len = h.hdr_len;
		b->off.gso_size = h.gso_size;
	}
	return gso == GSO_NONE || (b->off.flags & (NET_TSO4 | NET_TSO6));
}

static void count(struct net_queue *nq, uint64_t bytes)
{
	__atomic_store_n(&nq->frames, nq->frames + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&nq->bytes, nq->bytes + bytes, __ATOMIC_RELAXED);
}

static struct net_queue_stats queue_stats(struct netdev *dev, unsigned queue, bool sends)
{
	struct net *net = dev->priv;
	const struct net_queue *nq = sends ? &net->tx[queue] : &net->rx[queue];
	return (struct net_queue_stats){ __atomic_load_n(&nq->frames, __ATOMIC_RELAXED),
		                         __atomic_load_n(&nq->bytes, __ATOMIC_RELAXED),
		                         __atomic_load_n(&nq->dropped, __ATOMIC_RELAXED),
		                         __atomic_load_n(&nq->q->nirq, __ATOMIC_RELAXED) };
}

static void drop(struct net_queue *nq)
{
	struct netbuf *b = nq->head;
	nq->head = NULL;
	nq->missing = 0;
	__atomic_store_n(&nq->dropped, nq->dropped + 1, __ATOMIC_RELAXED);
	netbuf_free(b);
}

/* One buffer that the device used; the lock is not held.  A whole frame goes to the list. */
static void received(struct net_queue *nq, struct netbuf *b, struct netbuf ***list)
{
	struct netdev *dev = &nq->net->dev;
	b->next = b->more = NULL;
	if (!nq->head) {
		unsigned pieces = 0;
		nq->head = b;
		nq->tail = &b->next;
		if (!read_header(nq->net, b, &pieces)) {
			drop(nq);
			return;
		}
		nq->missing = pieces - 1;
	} else {
		*nq->tail = b;
		nq->tail = &b->next;
		nq->missing--;
	}
	if (nq->missing)
		return;
	struct netbuf *frame = nq->head;
	uint64_t n = 0;
	for (struct netbuf *p = frame; p; p = p->next)
		n += p->len;
	if (n < 14 || n > FRAME_MAX || !dev->rx) {
		drop(nq);
		return;
	}
	nq->head = NULL;
	count(nq, n);
	**list = frame;
	*list = &frame->more;
}

#define BATCH 32

static void rx_task(void *arg)
{
	struct net_queue *nq = arg;
	struct virtq *q = nq->q;
	struct netdev *dev = &nq->net->dev;
	struct netbuf *got[BATCH];
	for (bool more = false;;) {
		struct netbuf *b, *frames = NULL, **end = &frames;
		unsigned n = 0;
		uint32_t len;
		if (!more)
			io_wait(&q->ev);
		mutex_lock(&q->m);
		q->nirq++;
		bool cut = nq->cut;
		nq->cut = false;
		while (n < BATCH && (b = virtq_take(q, &len))) {
			b->len = len;
			got[n++] = b;
		}
		more = n == BATCH || virtq_irq_on(q, 1);
		mutex_unlock(&q->m);
		if (cut && nq->head)
			drop(nq);
		for (unsigned i = 0; i < n; i++)
			received(nq, got[i], &end);
		if (frames)
			dev->rx(dev, nq->pair, frames);
	}
}

/* ---- sending ---------------------------------------------------------------------- */

/* Under q->m: what went out is free again. */
static void reclaim(struct net_queue *nq)
{
	uint32_t len;
	for (struct netbuf *b, *next; (b = virtq_take(nq->q, &len));)
		for (; b; b = next) {
			next = b->next;
			b->next = nq->free;
			nq->free = b;
			nq->nfree++;
		}
}

static void tx_task(void *arg)
{
	struct net_queue *nq = arg;
	struct netdev *dev = &nq->net->dev;
	for (;;) {
		io_wait(&nq->q->ev);
		mutex_lock(&nq->q->m);
		nq->q->nirq++;
		reclaim(nq);
		bool tell = nq->starved;
		nq->starved = false;
		virtq_irq_off(nq->q);
		mutex_unlock(&nq->q->m);
		if (tell && dev->tx_room)
			dev->tx_room(dev, nq->pair);
	}
}

/* Copies the pieces, behind a header, to buffers of the free list. */
static struct netbuf *fill(struct net_queue *nq, const struct header *h, const struct net_piece *v, unsigned n,
                           struct virtq_buf *out, unsigned *nout)
{
	struct netbuf *first = nq->free, *b = first;
	uint32_t at = sizeof *h;
	memcpy(b->data, h, sizeof *h);
	*nout = 0;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *p = v[i].p;
		for (uint32_t left = v[i].n; left;) {
			if (at == BUFFER_BYTES) {
				out[(*nout)++] = (struct virtq_buf){ virtq_addr(b->data), at };
				b = b->next;
				at = 0;
			}
			uint32_t k = left < BUFFER_BYTES - at ? left : BUFFER_BYTES - at;
			memcpy(b->data + at, p, k);
			at += k;
			p += k;
			left -= k;
		}
	}
	out[(*nout)++] = (struct virtq_buf){ virtq_addr(b->data), at };
	nq->free = b->next;
	nq->nfree -= *nout;
	b->next = NULL;
	return first;
}

static bool transmit(struct netdev *dev, unsigned queue, const struct net_piece *v, unsigned n,
                       const struct net_offload *off)
{
	struct net *net = dev->priv;
	struct net_queue *nq = &net->tx[queue % net->npairs];
	struct header h = {};
	struct virtq_buf out[PIECES_MAX];
	uint32_t total = sizeof h;
	for (unsigned i = 0; i < n; i++)
		total += v[i].n;
	if (total > FRAME_MAX + sizeof h)
		return true; /* nobody can send that: gone */
	if (off->flags & NET_CSUM_NEEDED) {
		h.flags = HDR_NEEDS_CSUM;
		h.csum_start = off->csum_start;
		h.csum_offset = off->csum_offset;
	}
	if (off->flags & (NET_TSO4 | NET_TSO6)) {
		h.gso_type = off->flags & NET_TSO4 ? GSO_TCPV4 : GSO_TCPV6;
		h.hdr_len = off->header_len;
		h.gso_size = off->gso_size;
	}
	unsigned need = (total + BUFFER_BYTES - 1) / BUFFER_BYTES, nout;
	mutex_lock(&nq->q->m);
	if (virtio_failed(net->v)) {
		mutex_unlock(&nq->q->m);
		return true; /* as on a wire that was cut */
	}
	reclaim(nq);
	while (nq->nfree < need || !virtq_room(nq->q, need)) {
		nq->starved = true;
		virtq_kick(nq->q);
		if (!virtq_irq_on(nq->q, 1)) {
			mutex_unlock(&nq->q->m);
			return false;
		}
		nq->starved = false;
		reclaim(nq);
	}
	struct netbuf *b = fill(nq, &h, v, n, out, &nout);
	virtq_add(nq->q, out, nout, 0, b);
	count(nq, total - sizeof h);
	mutex_unlock(&nq->q->m);
	return true;
}

/* Not under the lock, which the next sender wants while the host has this core. */
static void kick(struct netdev *dev, unsigned queue)
{
	struct net *net = dev->priv;
	struct virtq *q = net->tx[queue % net->npairs].q;
	mutex_lock(&q->m);
	bool wanted = virtq_kick_wanted(q);
	mutex_unlock(&q->m);
	if (wanted)
		net->v->ops->notify(net->v, q);
}

/* ---- the device ---------------------------------------------------------------------- */

static void read_link(struct net *net)
{
	bool up = !virtio_has(net->v, NET_F_STATUS) || net->v->ops->config(net->v, STATUS, 2) & 1;
	__atomic_store_n(&net->dev.link_up, up, __ATOMIC_RELAXED);
}

/* 5.1.6.5.5: how many pairs are used; a queue of its own, answered at once. */
static void set_pairs(struct net *net)
{
	struct virtq_buf v[] = { { virtq_addr(net->command), 2 }, { virtq_addr(&net->command->pairs), 2 },
		                 { virtq_addr(net->ack), 1 } };
	net->command->class = 4;
	net->command->command = 0;
	net->command->pairs = (uint16_t)net->npairs;
	*net->ack = 0xff;
	mutex_lock(&net->ctrl->m);
	virtq_add(net->ctrl, v, 2, 1, net);
	virtq_kick(net->ctrl);
	mutex_unlock(&net->ctrl->m);
}

/* Takes the answer; rare, so it may print. */
static void ctrl_task(void *arg)
{
	struct net *net = arg;
	for (;;) {
		io_wait(&net->ctrl->ev);
		mutex_lock(&net->ctrl->m);
		do {
			uint32_t n;
			while (virtq_take(net->ctrl, &n))
				if (*net->ack != 0)
					io_log("virtio-net at %s: it refuses %u pairs of queues", net->v->where, net->npairs);
		} while (virtq_irq_on(net->ctrl, 1));
		mutex_unlock(&net->ctrl->m);
	}
}

/* The buffers of a queue: as many as it has entries. */
static const char *make_buffers(struct net_queue *nq)
{
	unsigned n = nq->q->size;
	struct rxbuf *b = dma_alloc(n * sizeof *b, 64);
	uint8_t *data = dma_alloc((size_t)n * BUFFER_BYTES, 64);
	if (!b || !data)
		return "out of memory";
	for (unsigned i = 0; i < n; i++) {
		b[i].at = b[i].b.data = data + (size_t)i * BUFFER_BYTES;
		b[i].b.free = give_back;
		b[i].b.queue = nq;
		b[i].b.next = nq->free;
		nq->free = &b[i].b;
	}
	nq->nfree = n;
	return NULL;
}

static const char *make_queue(struct net *net, struct net_queue *nq, unsigned index, void (*task)(void *))
{
	const char *error;
	nq->net = net;
	nq->pair = index / 2;
	nq->q = virtq_new(net->v, index, net->entries, index / 2, &error);
	if (!nq->q || (error = make_buffers(nq)))
		return error;
	rt_go_system(task, nq);
	return NULL;
}

static const char *make_ctrl(struct net *net)
{
	const char *error;
	net->command = dma_alloc(sizeof *net->command, 16);
	net->ack = dma_alloc(1, 16);
	if (!net->command || !net->ack)
		return "out of memory";
	if (!(net->ctrl = virtq_new(net->v, 2 * net->max_pairs, 16, 0, &error)))
		return error;
	rt_go_system(ctrl_task, net);
	return NULL;
}

static void choose_pairs(struct net *net)
{
	struct virtio *d = net->v;
	net->npairs = net->max_pairs = 1;
	if (!virtio_has(d, NET_F_MQ) || !virtio_has(d, NET_F_CTRL_VQ))
		return;
	unsigned max = d->ops->config(d, MAX_PAIRS, 2);
	if (max < 2 || 2 * max >= VIRTIO_QUEUES_MAX || (d->nmsg && d->nmsg < 2 * max + 2))
		return;
	net->max_pairs = max;
	net->npairs = max < plat_ncores ? max : plat_ncores;
}

static void rx_start(struct netdev *dev)
{
	struct net *net = dev->priv;
	net->receiving = true;
	for (unsigned i = 0; i < net->npairs; i++) {
		struct net_queue *nq = &net->rx[i];
		mutex_lock(&nq->q->m);
		for (struct netbuf *b; (b = nq->free) && virtq_room(nq->q, 1);) {
			nq->free = b->next;
			post(nq, b);
		}
		virtq_kick(nq->q);
		mutex_unlock(&nq->q->m);
		io_signal(&nq->q->ev);
	}
}

static const char *attach(struct virtio *d)
{
	const char *error = NULL;
	struct net *net = dma_alloc(sizeof *net, 64);
	if (!net)
		return "out of memory";
	net->v = d;
	d->priv = net;
	net->entries = plat_memory_total() < 32u << 20 ? 64 : 256;
	choose_pairs(net);
	struct netdev *dev = &net->dev;
	dev->driver = "virtio-net";
	dev->priv = net;
	dev->transmit = transmit;
	dev->kick = kick;
	dev->rx_start = rx_start;
	dev->queue_stats = queue_stats;
	dev->nqueues = (uint16_t)net->npairs;
	dev->mtu = 1500;
	if (virtio_has(d, NET_F_MTU)) {
		unsigned mtu = d->ops->config(d, MTU, 2);
		if (mtu >= 68 && mtu < 1500)
			dev->mtu = (uint16_t)mtu;
	}
	if (virtio_has(d, NET_F_MAC)) {
		for (unsigned i = 0; i < 6; i++)
			dev->mac[i] = (uint8_t)d->ops->config(d, MAC + i, 1);
	} else {
		plat_entropy(dev->mac, 6);
		dev->mac[0] = (dev->mac[0] & 0xfe) | 2; /* locally given, of one station */
	}
	dev->offloads = (virtio_has(d, NET_F_CSUM) ? NET_CSUM_NEEDED : 0) |
	                (virtio_has(d, NET_F_HOST_TSO4) ? NET_TSO4 : 0) |
	                (virtio_has(d, NET_F_HOST_TSO6) ? NET_TSO6 : 0);
	dev->rx_offloads = virtio_has(d, NET_F_GUEST_CSUM) ? NET_CSUM_NEEDED | NET_CSUM_VALID : 0;
	dev->rx_offloads |= (virtio_has(d, NET_F_GUEST_TSO4) ? NET_TSO4 : 0) |
	                    (virtio_has(d, NET_F_GUEST_TSO6) ? NET_TSO6 : 0);
	net->rx = dma_alloc(net->npairs * sizeof *net->rx, 64);
	net->tx = dma_alloc(net->npairs * sizeof *net->tx, 64);
	if (!net->rx || !net->tx)
		return "out of memory";
	for (unsigned i = 0; i < net->npairs && !error; i++) {
		error = make_queue(net, &net->rx[i], 2 * i, rx_task);
		if (!error)
			error = make_queue(net, &net->tx[i], 2 * i + 1, tx_task);
	}
	if (!error && net->npairs > 1)
		error = make_ctrl(net);
	if (error)
		return error;
	dev->rx_spare = net->rx[0].q->size / 2;
	return NULL;
}

static void started(struct virtio *d)
{
	struct net *net = d->priv;
	read_link(net);
	for (unsigned i = 0; i < net->npairs; i++)
		io_signal(&net->tx[i].q->ev);
	if (net->npairs > 1)
		set_pairs(net);
	if (net->receiving) /* again, after a reset */
		rx_start(&net->dev);
	if (!net->added) {
		net->added = true;
		netdev_add(&net->dev);
	}
}

static void config_changed(struct virtio *d)
{
	struct net *net = d->priv;
	uint32_t was = net->dev.link_up;
	read_link(net);
	if (was != net->dev.link_up && net->dev.link)
		net->dev.link(&net->dev);
}

static void lost(struct virtio *d, const char *why)
{
	struct net *net = d->priv;
	for (unsigned i = 0; i < net->npairs; i++) {
		net->rx[i].cut = true;
		for (struct netbuf *b; (b = virtq_detach(net->rx[i].q));) {
			b->next = net->rx[i].free;
			net->rx[i].free = b;
		}
		for (struct netbuf *b, *next; (b = virtq_detach(net->tx[i].q));)
			for (; b; b = next) {
				next = b->next;
				b->next = net->tx[i].free;
				net->tx[i].free = b;
				net->tx[i].nfree++;
			}
		io_signal(&net->tx[i].q->ev); /* who waits for room goes on */
	}
	if (net->ctrl)
		virtq_detach(net->ctrl);
	if (why) {
		__atomic_store_n(&net->dev.link_up, 0, __ATOMIC_RELAXED);
		if (net->dev.link)
			net->dev.link(&net->dev);
	}
}

const struct virtio_driver virtio_net_driver = {
	.name = "virtio-net", .id = VIRTIO_NET, .min_queues = 2,
	.features = NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_MTU | NET_F_MAC | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 |
	            NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | NET_F_MRG_RXBUF | NET_F_STATUS | NET_F_CTRL_VQ | NET_F_MQ,
	.attach = attach, .started = started, .config_changed = config_changed, .lost = lost,
};
