/* virtio.c: virtio-blk, -net and -rng with a device that does what the input says: its
 * features, its configuration, what it writes into the rings and into the buffers it was
 * given, and when it interrupts.  Each input is a new device, pulled out in the end: every
 * request must have come back by then. */
#include <string.h>
#include "drivers/virtio.h"
#include "fuzz.h"

struct device {
	struct virtio v;
	uint64_t offered;
	uint32_t status;
	uint8_t config[64];
	uint16_t seen[16];     /* taken of each avail ring */
	struct blkdev *disk;
	struct netdev *nic;
	struct entropydev *rng;
	bool reading;
	uint8_t *memory;       /* of requests */
};
static struct device *now; /* that is being started */

/* ---- what a driver finds: engine.c hands it over ------------------------------- */

static bool found_disk(struct blkdev *d) { return now && (now->disk = d); }
static bool found_rng(struct entropydev *d) { return now && (now->rng = d); }

/* Frames are looked at in every byte. */
static void rx(struct netdev *d, unsigned queue, struct netbuf *frames)
{
	static volatile uint8_t eye;
	for (struct netbuf *f = frames; f; f = f->more) {
		size_t all = 0;
		for (struct netbuf *b = f; b; b = b->next, FUZZ_CHECK(all <= 0x20000))
			for (uint32_t i = 0; i < b->len; i++, all++)
				eye += b->data[i];
		if (f->off.flags & NET_CSUM_NEEDED)
			FUZZ_CHECK(f->off.csum_start + f->off.csum_offset + 2u <= f->len);
	}
	netbuf_free(frames);
}

static void nothing(struct netdev *d) {}
static void no_room(struct netdev *d, unsigned queue) {}

static bool found_nic(struct netdev *d)
{
	if (!now)
		return false;
	d->rx = rx;
	d->tx_room = no_room;
	d->link = nothing;
	now->nic = d;
	d->rx_start(d);
	return true;
}

/* ---- registers ---------------------------------------------------------------------- */

static struct device *of(struct virtio *v) { return v->bus; }
static uint8_t status(struct virtio *v) { return (uint8_t)of(v)->status; }
static uint32_t features(struct virtio *v, unsigned word) { return (uint32_t)(of(v)->offered >> 32 * word); }
static void set_features(struct virtio *v, unsigned word, uint32_t bits) {}
static void set_config(struct virtio *v, unsigned off, unsigned size, uint32_t x) {}
static uint32_t generation(struct virtio *v) { return 0; }
static unsigned queue_max(struct virtio *v, unsigned i) { return i < 8 ? 16 : 0; }
static const char *queue_on(struct virtio *v, struct virtq *q) { return NULL; }
static void notify(struct virtio *v, struct virtq *q) {}
static uint32_t irq_ack(struct virtio *v) { return ISR_QUEUE | ISR_CONFIG; }
static void irq_done(struct virtio *v) {}

static void set_status(struct virtio *v, uint8_t s)
{
	struct device *f = of(v);
	if (f->status == STATUS_GONE)
		return;
	f->status = s;
	if (s == 0)
		memset(f->seen, 0, sizeof f->seen);
}

static uint32_t config(struct virtio *v, unsigned off, unsigned size)
{
	uint32_t x = 0;
	FUZZ_CHECK(off + size <= sizeof of(v)->config);
	memcpy(&x, of(v)->config + off, size);
	return x;
}

static const struct virtio_ops ops = {
	.status = status, .set_status = set_status, .features = features, .set_features = set_features,
	.config = config, .set_config = set_config, .generation = generation, .queue_max = queue_max,
	.queue_on = queue_on, .notify = notify, .irq_ack = irq_ack, .irq_done = irq_done,
};

/* ---- requests -------------------------------------------------------------------------- */

static void start(struct device *f, const struct virtio_driver *drv)
{
	virtio_start(&f->v, drv);
}

static void request(struct device *f, int op)
{
	if (f->disk)
		f->disk->io(f->disk, op % 4, 512 * (unsigned)(op >> 4), op % 4 == BLK_FLUSH || op % 4 == BLK_DISCARD ? NULL : f->memory,
		            op % 4 == BLK_FLUSH ? 0 : 4096);
	if (f->rng && !f->reading) { /* one at a time */
		f->reading = true;
		f->rng->read(f->rng, f->memory, 100);
		f->reading = false;
	}
	if (f->nic) {
		struct net_piece v[2] = { { f->memory, 60 }, { f->memory + 100, (unsigned)op } };
		struct net_offload off = { .flags = op & 1 ? NET_CSUM_NEEDED & f->nic->offloads : 0, .csum_start = 34, .csum_offset = 16 };
		f->nic->transmit(f->nic, 0, v, 2, &off);
	}
}

/* ---- the device ----------------------------------------------------------------------------- */

/* The request that the driver made available next: its head, and its memory that may be
 * written filled with what comes of the input. */
static bool take(struct device *f, struct virtq *q, uint16_t *head, uint32_t *room, const uint8_t **p, size_t *n)
{
	if (f->seen[q->index] == q->avail->idx)
		return false;
	*head = q->avail->ring[f->seen[q->index]++ & (q->size - 1)];
	struct vring_desc *t = q->desc, *d = &t[*head];
	*room = 0;
	if (d->flags & 4)
		d = t = (struct vring_desc *)(uintptr_t)d->addr;
	for (int i = 0; i < 16 && d->addr; i++, d = &t[d->next]) {
		for (uint32_t k = 0; d->flags & 2 && k < d->len && (k < 16 || *n > 40); k++)
			((uint8_t *)(uintptr_t)d->addr)[k] = fuzz_byte(p, n);
		*room += d->flags & 2 ? d->len : 0;
		if (!(d->flags & 1))
			break;
	}
	return true;
}

static void use(struct virtq *q, uint32_t id, uint32_t len)
{
	q->used->ring[q->used->idx & (q->size - 1)] = (struct vring_used_elem){ id, len };
	__atomic_store_n(&q->used->idx, (uint16_t)(q->used->idx + 1), __ATOMIC_RELEASE);
	io_signal(&q->ev);
}

static void yield(void)
{
	for (int i = 0; i < 6; i++)
		gosched();
}

static void act(struct device *f, const uint8_t **p, size_t *n)
{
	uint8_t what = fuzz_byte(p, n);
	struct virtq *q = f->v.nq ? f->v.q[what / 8 % f->v.nq] : NULL;
	uint16_t head;
	uint32_t room;

	switch (what % 8) {
	case 0:
	case 1:
		go(request, f, (int)fuzz_byte(p, n));
		break;
	case 2: /* as it should, but for how much */
	case 3:
		if (q && take(f, q, &head, &room, p, n))
			use(q, head, what & 1 ? room : (uint32_t)fuzz_byte(p, n) << (what / 64 * 3));
		break;
	case 4:
		if (q)
			use(q, fuzz_byte(p, n), fuzz_byte(p, n));
		break;
	case 5: /* any index, an interrupt for nothing */
		if (q) {
			q->used->idx = (uint16_t)(q->used->idx + (int8_t)fuzz_byte(p, n));
			io_signal(&q->ev);
		}
		break;
	case 6:
		f->config[fuzz_byte(p, n) % sizeof f->config] = fuzz_byte(p, n);
		io_signal(&f->v.change);
		break;
	case 7:
		if (fuzz_byte(p, n) % 4 == 0)
			f->status |= STATUS_NEEDS_RESET;
		io_signal(&f->v.change);
	}
	yield();
}

static void setup(void)
{
	fuzz_found_disk = found_disk;
	fuzz_found_nic = found_nic;
	fuzz_found_rng = found_rng;
}

FUZZ(virtio, setup)
{
	static const struct virtio_driver *const drivers[] = { &virtio_blk_driver, &virtio_net_driver, &virtio_rng_driver };
	const struct virtio_driver *drv = drivers[fuzz_byte(&p, &n) % 3];
	struct device *f = dma_alloc(sizeof *f, 64);

	f->memory = dma_alloc(8192, 4096);
	f->v.bus = f;
	f->v.ops = &ops;
	f->v.id = drv->id;
	f->v.nmsg = 32;
	strcpy(f->v.where, "fuzz");
	for (int i = 0; i < 5; i++)
		f->offered |= (uint64_t)fuzz_byte(&p, &n) << 8 * i;
	f->offered |= VIRTIO_F_VERSION_1;
	f->offered &= ~(1ull << 22); /* virtio-net waits for an answer to its choice of queues */
	for (unsigned i = 0; i < 40; i++)
		f->config[i] = fuzz_byte(&p, &n);
	now = f;
	go(start, f, drv);
	yield();
	for (int i = 0; i < 64 && n; i++)
		act(f, &p, &n);
	f->status = STATUS_GONE;
	io_signal(&f->v.change);
	for (int i = 0; i < 20; i++)
		yield();
	now = NULL;
}
