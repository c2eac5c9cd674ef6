/* nic.c: network interfaces: the list of what drivers found, and frames for
 * programs that want them raw (api_device.h).
 *
 * Who opens an interface is its stack: the queue's task calls rx here, which
 * copies the frame to a ring and gives the driver its buffer back at once.  A full
 * ring drops its oldest.  A device may put segments of a stream together: a frame can
 * have 64 KiB. */
#include "driver.h"
#include "rt.h"
#include "type.h"
#include "api_task.h"
#include "api_mem.h"
#include "api_device.h"

#define NICS_MAX 16
#define RING (256u << 10) /* a power of two */

struct nic {
	struct netdev *dev;
	mutex m;             /* guards the ring */
	uint8_t *ring;       /* of dma_alloc(): 4 bytes of length, then the frame; again and again */
	uint32_t begin, end; /* bytes taken out, put in; both wrap */
	struct io_event came; /* a frame */
	mutex receiver;      /* one waits at a time */
	struct io_event room; /* the device has room again */
	mutex sender;
	uint64_t dropped;
};

define_error(nic_err_length, "nic: a frame has 14 bytes and at most its MTU more");

static struct netdev *devs[NICS_MAX];
static struct nic *nics[NICS_MAX]; /* under nics_lock */
static int ndevs;
static once found;
static mutex nics_lock;

void netdev_add(struct netdev *d)
{
	if (ndevs < NICS_MAX)
		devs[ndevs++] = d;
}

int netdev_count(void)
{
	once_do(&found, plat_find_nics);
	return ndevs;
}

struct netdev *netdev_get(int i)
{
	return i >= 0 && i < netdev_count() ? devs[i] : NULL;
}

struct netdev *netdev_known(int i)
{
	return i < ndevs ? devs[i] : NULL;
}

/* ---- raw frames ------------------------------------------------------------- */

static void ring_write(struct nic *n, const void *p, uint32_t len)
{
	uint32_t at = n->end & (RING - 1), k = len < RING - at ? len : RING - at;
	memcpy(n->ring + at, p, k);
	memcpy(n->ring, (const char *)p + k, len - k);
	n->end += len;
}

/* p NULL: away with it. */
static void ring_read(struct nic *n, void *p, uint32_t len)
{
	uint32_t at = n->begin & (RING - 1), k = len < RING - at ? len : RING - at;
	if (p) {
		memcpy(p, n->ring + at, k);
		memcpy((char *)p + k, n->ring, len - k);
	}
	n->begin += len;
}

/* The oldest frame: its length. */
static uint32_t take(struct nic *n, void *p, size_t max)
{
	uint32_t len;
	ring_read(n, &len, sizeof len);
	uint32_t k = !p ? 0 : len < max ? len : (uint32_t)max;
	ring_read(n, p, k);
	ring_read(n, NULL, len - k);
	return len;
}

/* The sender left the transport checksum to its device, as one on the same host does
 * (RFC 1071; the field holds the pseudo header's sum). */
static void finish_checksum(struct netbuf *b)
{
	uint32_t skip = b->off.csum_start, sum = 0;
	bool odd = false;
	for (const struct netbuf *p = b; p; p = p->next) {
		for (uint32_t i = skip; i < p->len; i++, odd = !odd)
			sum += odd ? p->data[i] : (uint32_t)p->data[i] << 8;
		skip = 0;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	b->data[b->off.csum_start + b->off.csum_offset] = (uint8_t)(~sum >> 8);
	b->data[b->off.csum_start + b->off.csum_offset + 1] = (uint8_t)~sum;
}

static void put(struct nic *n, struct netbuf *b)
{
	uint32_t len = 0;
	for (const struct netbuf *p = b; p; p = p->next)
		len += p->len;
	if (b->off.flags & NET_CSUM_NEEDED)
		finish_checksum(b);
	while (RING - (n->end - n->begin) < sizeof len + len) {
		take(n, NULL, 0);
		n->dropped++;
	}
	ring_write(n, &len, sizeof len);
	for (const struct netbuf *p = b; p; p = p->next)
		ring_write(n, p->data, p->len);
}

/* On the queue's task. */
static void rx(struct netdev *d, unsigned queue, struct netbuf *frames)
{
	struct nic *n = d->stack;
	mutex_lock(&n->m);
	for (struct netbuf *b = frames; b; b = b->more)
		put(n, b);
	mutex_unlock(&n->m);
	netbuf_free(frames);
	io_signal_here(&n->came);
}

static void tx_room(struct netdev *d, unsigned queue)
{
	struct nic *n = d->stack;
	io_signal(&n->room);
}

int nic_count(void)
{
	return netdev_count();
}

nic *nic_open(int i)
{
	struct netdev *d = netdev_get(i);
	if (!d)
		return NULL;
	mutex_lock(&nics_lock);
	if (!nics[i] && !d->stack) {
		struct nic *n = dma_alloc(sizeof *n, 64);
		uint8_t *ring = dma_alloc(RING, 64);
		if (n && ring) {
			n->dev = d;
			n->ring = ring;
			d->stack = n;
			d->rx = rx;
			d->tx_room = tx_room;
			d->rx_start(d);
			nics[i] = n;
		}
	}
	mutex_unlock(&nics_lock);
	return nics[i];
}

const uint8_t *nic_mac(nic *n) { return n->dev->mac; }
int nic_mtu(nic *n) { return n->dev->mtu; }
int nic_queues(nic *n) { return n->dev->nqueues; }
bool nic_link(nic *n) { return at_load(&n->dev->link_up); }
const char *nic_driver(nic *n) { return n->dev->driver; }

struct nic_stats nic_stats(nic *n)
{
	struct netdev *d = n->dev;
	struct nic_stats all = { .rx_dropped = n->dropped };
	for (unsigned q = 0; q < d->nqueues; q++) {
		struct net_queue_stats r = d->queue_stats(d, q, false), t = d->queue_stats(d, q, true);
		all.rx_frames += r.frames;
		all.rx_bytes += r.bytes;
		all.rx_dropped += r.dropped;
		all.tx_frames += t.frames;
		all.tx_bytes += t.bytes;
	}
	return all;
}

error nic_send(nic *n, const void *frame, size_t len)
{
	struct net_piece piece = { frame, (uint32_t)len };
	struct net_offload none = {};
	if (len < 14 || len > 14u + n->dev->mtu)
		return nic_err_length;
	mutex_lock(&n->sender);
	unsigned queue = plat_core_id() % n->dev->nqueues;
	while (!n->dev->transmit(n->dev, queue, &piece, 1, &none))
		io_wait(&n->room);
	n->dev->kick(n->dev, queue);
	mutex_unlock(&n->sender);
	return NULL;
}

/* ---- receiving, with a limit of time --------------------------------------- */

static void wake(void *arg)
{
	struct nic *n = arg;
	io_signal(&n->came);
}

size_t nic_recv(nic *n, void *buf, size_t max, int64_t timeout)
{
	int64_t until = timeout > 0 ? nanotime() + timeout : INT64_MAX;
	size_t len = 0;
	timer *limit = timeout > 0 ? after_func(timeout, wake, n) : NULL;
	mutex_lock(&n->receiver);
	for (;;) {
		mutex_lock(&n->m);
		if (n->begin != n->end)
			len = take(n, buf, max);
		mutex_unlock(&n->m);
		if (len || nanotime() >= until)
			break;
		io_wait(&n->came);
	}
	mutex_unlock(&n->receiver);
	if (limit)
		timer_stop(limit);
	return len;
}
