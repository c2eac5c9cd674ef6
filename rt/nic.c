/* nic.c: network interfaces: the list of what drivers found, and frames for
 * programs that want them raw (api_device.h).
 *
 * Who opens an interface is its stack: the queue's task calls rx here, which
 * copies the frame to a slot of a ring and gives the driver its buffer back at
 * once.  A full ring drops its oldest. */
#include "driver.h"
#include "rt.h"
#include "type.h"
#include "api_task.h"
#include "api_mem.h"
#include "api_device.h"

#define NICS_MAX 16
#define SLOTS 64
#define FRAME_MAX 2048

struct slot {
	uint32_t len;
	uint8_t data[FRAME_MAX];
};

struct nic {
	struct netdev *dev;
	mutex m;             /* guards first, n and the slots */
	uint32_t first, n;
	struct slot *slots;  /* SLOTS, of dma_alloc: no pointers to collected objects lie here */
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

/* On the queue's task. */
static void rx(struct netdev *d, unsigned queue, struct netbuf *b)
{
	struct nic *n = d->stack;
	mutex_lock(&n->m);
	if (n->n == SLOTS) {
		n->first = (n->first + 1) % SLOTS;
		n->n--;
		n->dropped++;
	}
	struct slot *s = &n->slots[(n->first + n->n++) % SLOTS];
	s->len = 0;
	for (struct netbuf *p = b; p; p = p->next) {
		uint32_t k = p->len < FRAME_MAX - s->len ? p->len : FRAME_MAX - s->len;
		memcpy(s->data + s->len, p->data, k);
		s->len += k;
	}
	mutex_unlock(&n->m);
	netbuf_free(b);
	io_signal(&n->came);
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
		struct slot *slots = dma_alloc(SLOTS * sizeof *slots, 64);
		if (n && slots) {
			n->dev = d;
			n->slots = slots;
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
	while (!n->dev->transmit(n->dev, plat_core_id() % n->dev->nqueues, &piece, 1, &none))
		io_wait(&n->room);
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
		if (n->n) {
			struct slot *s = &n->slots[n->first];
			len = s->len;
			memcpy(buf, s->data, len < max ? len : max);
			n->first = (n->first + 1) % SLOTS;
			n->n--;
		}
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
