/* virtio_mmio.c: virtio over memory-mapped registers (VIRTIO 1.2, 4.2), version 2.
 *
 * QEMU's microvm has 24 slots, described in AML only: at 0xfeb00000 + 512 * i
 * with GSI 24 + i (hw/i386/microvm.c).  They are looked for on machines of
 * reduced hardware whose tables are QEMU's; an empty slot has device id 0. */
#include "virtio.h"
#include "pci.h"

#define SLOTS_AT 0xfeb00000u
#define SLOT_SIZE 0x200u
#define NSLOTS 24
#define FIRST_GSI 24

enum { /* 4.2.2 */
	MAGIC = 0x000, VERSION = 0x004, DEVICE_ID = 0x008, FEATURES = 0x010, FEATURES_SELECT = 0x014,
	DRIVER_FEATURES = 0x020, DRIVER_FEATURES_SELECT = 0x024, QUEUE_SELECT = 0x030, QUEUE_SIZE_MAX = 0x034,
	QUEUE_SIZE = 0x038, QUEUE_READY = 0x044, QUEUE_NOTIFY = 0x050, INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064, STATUS = 0x070, QUEUE_DESC = 0x080, QUEUE_DRIVER = 0x090, QUEUE_DEVICE = 0x0a0,
	GENERATION = 0x0fc, CONFIG = 0x100,
};

static struct slot {
	struct virtio *v; /* taken by a driver */
	volatile uint8_t *regs;
} slots[NSLOTS];
static bool looked;

static uint32_t get(struct virtio *d, unsigned off)
{
	return *(volatile uint32_t *)((volatile uint8_t *)d->bus + off);
}

static void put(struct virtio *d, unsigned off, uint32_t v)
{
	*(volatile uint32_t *)((volatile uint8_t *)d->bus + off) = v;
}

static void put64(struct virtio *d, unsigned off, uint64_t v)
{
	put(d, off, (uint32_t)v);
	put(d, off + 4, (uint32_t)(v >> 32));
}

static uint8_t status(struct virtio *d) { return (uint8_t)get(d, STATUS); }
static void set_status(struct virtio *d, uint8_t s) { put(d, STATUS, s); }

static uint32_t features(struct virtio *d, unsigned word)
{
	put(d, FEATURES_SELECT, word);
	return get(d, FEATURES);
}

static void set_features(struct virtio *d, unsigned word, uint32_t bits)
{
	put(d, DRIVER_FEATURES_SELECT, word);
	put(d, DRIVER_FEATURES, bits);
}

static uint32_t config(struct virtio *d, unsigned off, unsigned size)
{
	volatile uint8_t *p = (volatile uint8_t *)d->bus + CONFIG + off;
	if (CONFIG + off + size > SLOT_SIZE)
		return 0;
	return size == 1 ? *p : size == 2 ? *(volatile uint16_t *)p : *(volatile uint32_t *)p;
}

static void set_config(struct virtio *d, unsigned off, unsigned size, uint32_t v)
{
	volatile uint8_t *p = (volatile uint8_t *)d->bus + CONFIG + off;
	if (CONFIG + off + size > SLOT_SIZE)
		return;
	if (size == 1)
		*p = (uint8_t)v;
	else if (size == 2)
		*(volatile uint16_t *)p = (uint16_t)v;
	else
		*(volatile uint32_t *)p = v;
}

static uint32_t generation(struct virtio *d) { return get(d, GENERATION); }

static unsigned queue_max(struct virtio *d, unsigned index)
{
	put(d, QUEUE_SELECT, index);
	return get(d, QUEUE_READY) ? 0 : get(d, QUEUE_SIZE_MAX);
}

/* 4.2.3.2 */
static const char *queue_on(struct virtio *d, struct virtq *q)
{
	put(d, QUEUE_SELECT, q->index);
	put(d, QUEUE_SIZE, q->size);
	put64(d, QUEUE_DESC, virtq_addr(q->desc));
	put64(d, QUEUE_DRIVER, virtq_addr(q->avail));
	put64(d, QUEUE_DEVICE, virtq_addr(q->used));
	put(d, QUEUE_READY, 1);
	return NULL;
}

static void notify(struct virtio *d, struct virtq *q) { put(d, QUEUE_NOTIFY, q->index); }

static uint32_t irq_ack(struct virtio *d)
{
	uint32_t isr = get(d, INTERRUPT_STATUS);
	put(d, INTERRUPT_ACK, isr);
	return isr;
}

static void irq_done(struct virtio *d) { devirq_done(&d->irq); }

static const struct virtio_ops ops = {
	.status = status, .set_status = set_status, .features = features, .set_features = set_features,
	.config = config, .set_config = set_config, .generation = generation, .queue_max = queue_max,
	.queue_on = queue_on, .notify = notify, .irq_ack = irq_ack, .irq_done = irq_done,
};

/* ACPI 6.5, 5.2.9: the FADT's OEM id and its flag HW_REDUCED_ACPI. */
static bool is_microvm(void)
{
	const uint8_t *fadt = acpi_table("FACP", 0);
	return fadt && *(const uint32_t *)(fadt + 4) >= 116 && __builtin_memcmp(fadt + 10, "BOCHS ", 6) == 0 &&
	       *(const uint32_t *)(fadt + 112) >> 20 & 1;
}

static void look(void)
{
	looked = true;
	if (!is_microvm())
		return;
	volatile uint8_t *p = dev_map(SLOTS_AT, NSLOTS * SLOT_SIZE);
	for (unsigned i = 0; i < NSLOTS; i++) {
		volatile uint32_t *r = (volatile uint32_t *)(p + i * SLOT_SIZE);
		if (r[MAGIC / 4] != 0x74726976)
			continue;
		if (r[VERSION / 4] == 2)
			slots[i].regs = p + i * SLOT_SIZE;
		else if (r[DEVICE_ID / 4])
			io_log("virtio at mmio %u: version %u, not used (QEMU: -global virtio-mmio.force-legacy=false)",
			       i, r[VERSION / 4]);
	}
}

void virtio_mmio_each(const struct virtio_driver *drv)
{
	if (!looked)
		look();
	/* QEMU fills slots from the last down. */
	for (unsigned i = NSLOTS; i-- > 0;) {
		struct slot *s = &slots[i];
		if (!s->regs || s->v || *(volatile uint32_t *)(s->regs + DEVICE_ID) != drv->id)
			continue;
		struct virtio *d = s->v = dma_alloc(sizeof *d, 64);
		if (!d)
			return;
		d->bus = (void *)s->regs;
		d->ops = &ops;
		d->id = drv->id;
		d->driver = drv;
		ksnprintf(d->where, sizeof d->where, "mmio %u", i);
		/* Its line falls when the interrupt is acknowledged, and rises for what
		 * comes after: edges tell all, and nothing has to be masked. */
		if (!devirq_line(false, FIRST_GSI + i, false, &d->irq))
			io_log("%s at %s: no I/O APIC serves its interrupt; not used", drv->name, d->where);
		else {
			devirq_name(&d->irq, drv->name);
			virtio_start(d, drv);
		}
	}
}
