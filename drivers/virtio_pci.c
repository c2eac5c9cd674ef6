/* virtio_pci.c: virtio over PCI (VIRTIO 1.2, 4.1), version 1 only: the windows
 * that the device's vendor capabilities describe.  MSI-X with a message for the
 * configuration and one for each queue; with too few of them, the line. */
#include "pci.h"
#include "virtio.h"

enum { CAP_VENDOR = 9 };
enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4 }; /* 4.1.4 */
enum { /* 4.1.4.3: the common window */
	FEATURE_SELECT = 0, FEATURE = 4, DRIVER_FEATURE_SELECT = 8, DRIVER_FEATURE = 12, CONFIG_VECTOR = 16,
	NUM_QUEUES = 18, STATUS = 20, GENERATION = 21, QUEUE_SELECT = 22, QUEUE_SIZE = 24, QUEUE_VECTOR = 26,
	QUEUE_ENABLE = 28, QUEUE_NOTIFY = 30, QUEUE_DESC = 32, QUEUE_DRIVER = 40, QUEUE_DEVICE = 48,
	COMMON_SIZE = 56,
};
enum { NO_VECTOR = 0xffff };

struct pci_bus {
	struct virtio v;
	struct pci_dev *pci;
	volatile uint8_t *common, *notify, *isr, *device;
	uint32_t notify_size, notify_mult, device_size;
	bool routed[VIRTIO_QUEUES_MAX]; /* its message leads to its event */
};

static uint8_t get8(volatile uint8_t *p) { return *p; }
static uint16_t get16(volatile uint8_t *p) { return *(volatile uint16_t *)p; }
static uint32_t get32(volatile uint8_t *p) { return *(volatile uint32_t *)p; }
static void put8(volatile uint8_t *p, uint8_t v) { *p = v; }
static void put16(volatile uint8_t *p, uint16_t v) { *(volatile uint16_t *)p = v; }
static void put32(volatile uint8_t *p, uint32_t v) { *(volatile uint32_t *)p = v; }

static void put64(volatile uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)v);
	put32(p + 4, (uint32_t)(v >> 32));
}

static struct pci_bus *bus_of(struct virtio *d) { return d->bus; }

static uint8_t status(struct virtio *d) { return get8(bus_of(d)->common + STATUS); }

static void set_status(struct virtio *d, uint8_t s)
{
	struct pci_bus *b = bus_of(d);
	put8(b->common + STATUS, s);
	/* A reset takes the vectors away. */
	if (s == STATUS_ACKNOWLEDGE && d->nmsg)
		put16(b->common + CONFIG_VECTOR, 0);
}

static uint32_t features(struct virtio *d, unsigned word)
{
	put32(bus_of(d)->common + FEATURE_SELECT, word);
	return get32(bus_of(d)->common + FEATURE);
}

static void set_features(struct virtio *d, unsigned word, uint32_t bits)
{
	put32(bus_of(d)->common + DRIVER_FEATURE_SELECT, word);
	put32(bus_of(d)->common + DRIVER_FEATURE, bits);
}

static uint32_t config(struct virtio *d, unsigned off, unsigned size)
{
	struct pci_bus *b = bus_of(d);
	if (off + size > b->device_size)
		return 0;
	volatile uint8_t *p = b->device + off;
	return size == 1 ? get8(p) : size == 2 ? get16(p) : get32(p);
}

static void set_config(struct virtio *d, unsigned off, unsigned size, uint32_t v)
{
	struct pci_bus *b = bus_of(d);
	if (off + size > b->device_size)
		return;
	volatile uint8_t *p = b->device + off;
	if (size == 1)
		put8(p, (uint8_t)v);
	else if (size == 2)
		put16(p, (uint16_t)v);
	else
		put32(p, v);
}

static uint32_t generation(struct virtio *d) { return get8(bus_of(d)->common + GENERATION); }

static unsigned queue_max(struct virtio *d, unsigned index)
{
	struct pci_bus *b = bus_of(d);
	if (index >= get16(b->common + NUM_QUEUES))
		return 0;
	put16(b->common + QUEUE_SELECT, (uint16_t)index);
	return get16(b->common + QUEUE_SIZE);
}

/* 4.1.5.1.3 */
static const char *queue_on(struct virtio *d, struct virtq *q)
{
	struct pci_bus *b = bus_of(d);
	volatile uint8_t *c = b->common;
	put16(c + QUEUE_SELECT, (uint16_t)q->index);
	put16(c + QUEUE_SIZE, q->size);
	put64(c + QUEUE_DESC, virtq_addr(q->desc));
	put64(c + QUEUE_DRIVER, virtq_addr(q->avail));
	put64(c + QUEUE_DEVICE, virtq_addr(q->used));
	if (d->nmsg) {
		unsigned i = 1 + q->index;
		if (!b->routed[q->index] && !pci_msix_route(b->pci, i, q->core, &q->ev))
			return "there is no interrupt vector left for a queue";
		b->routed[q->index] = true;
		char name[32];
		ksnprintf(name, sizeof name, "%s queue %u", d->driver->name, q->index);
		devirq_name(&q->ev, name);
		put16(c + QUEUE_VECTOR, (uint16_t)i);
		if (get16(c + QUEUE_VECTOR) != i)
			return "it refuses an interrupt message for a queue";
	}
	uint32_t at = get16(c + QUEUE_NOTIFY) * b->notify_mult;
	if (at + 2 > b->notify_size)
		return "a queue's doorbell lies outside its window";
	q->notify_at = (uintptr_t)(b->notify + at);
	put16(c + QUEUE_ENABLE, 1);
	return NULL;
}

static void notify(struct virtio *d, struct virtq *q)
{
	put16((volatile uint8_t *)(uintptr_t)q->notify_at, (uint16_t)q->index);
}

static uint32_t irq_ack(struct virtio *d) { return get8(bus_of(d)->isr); } /* 4.1.4.5: reading clears */

static void irq_done(struct virtio *d) { devirq_done(&d->irq); }

static const struct virtio_ops ops = {
	.status = status, .set_status = set_status, .features = features, .set_features = set_features,
	.config = config, .set_config = set_config, .generation = generation, .queue_max = queue_max,
	.queue_on = queue_on, .notify = notify, .irq_ack = irq_ack, .irq_done = irq_done,
};

/* The window that a capability of this type describes (4.1.4); *n its length. */
static volatile uint8_t *window(struct pci_bus *b, unsigned type, uint32_t need, uint32_t *n, const char **why)
{
	struct pci_dev *p = b->pci;
	*why = "a window of its registers is missing";
	for (unsigned at = 0; (at = pci_cap(p, CAP_VENDOR, at)) != 0;) {
		if (pci_read(p, at + 3, 1) != type || pci_read(p, at + 2, 1) < 16)
			continue;
		unsigned bar = pci_read(p, at + 4, 1);
		uint32_t off = pci_read(p, at + 8, 4), len = pci_read(p, at + 12, 4);
		if (bar > 5 || len < need)
			continue;
		if (type == CFG_NOTIFY)
			b->notify_mult = pci_read(p, at + 16, 4);
		volatile uint8_t *base = pci_map(p, bar, (uint64_t)off + len, why);
		if (base) {
			*n = len;
			return base + off;
		}
	}
	return NULL;
}

static const char *open(struct pci_bus *b, const struct virtio_driver *drv)
{
	const char *why;
	uint32_t n;
	pci_enable(b->pci);
	if (!(b->common = window(b, CFG_COMMON, COMMON_SIZE, &n, &why)) ||
	    !(b->notify = window(b, CFG_NOTIFY, 2, &b->notify_size, &why)) ||
	    !(b->isr = window(b, CFG_ISR, 1, &n, &why)))
		return why;
	b->device = window(b, CFG_DEVICE, 1, &b->device_size, &why); /* not every device has one */
	if (!b->device)
		b->device_size = 0;
	struct virtio *d = &b->v;
	d->nmsg = pci_msix_on(b->pci, VIRTIO_QUEUES_MAX + 1);
	if (d->nmsg < drv->min_queues + 1 || !pci_msix_route(b->pci, 0, 0, &d->change)) {
		pci_msix_off(b->pci);
		d->nmsg = 0;
		if (!pci_line_route(b->pci, &d->irq))
			return "it has neither interrupt messages nor a line";
	}
	devirq_name(d->nmsg ? &d->change : &d->irq, drv->name);
	return NULL;
}

void virtio_pci_each(const struct virtio_driver *drv)
{
	for (unsigned i = 0; i < pci_scan(); i++) {
		struct pci_dev *p = &pci_devs[i];
		/* 4.1.2.1: 0x1040 + id; older numbers for what can do version 0 too. */
		static const uint16_t old[] = { [1] = 0x1000, [2] = 0x1001, [3] = 0x1003, [4] = 0x1005, [5] = 0x1002 };
		if (p->vendor != 0x1af4 || p->claimed ||
		    (p->device != 0x1040 + drv->id && p->device != old[drv->id]))
			continue;
		struct pci_bus *b = dma_alloc(sizeof *b, 64);
		if (!b)
			return;
		b->pci = p;
		b->v.bus = b;
		b->v.ops = &ops;
		b->v.id = drv->id;
		b->v.driver = drv;
		ksnprintf(b->v.where, sizeof b->v.where, "pci %02x:%02x.%x", p->bus, p->slot, p->fn);
		const char *why = open(b, drv);
		if (why)
			io_log("%s at %s: %s; not used", drv->name, b->v.where, why);
		else
			virtio_start(&b->v, drv);
	}
}
