/* pci.c: the PCI bus: enumeration, BARs, capabilities, MSI-X and lines.
 *
 * Configuration space is reached through memory (ECAM) where ACPI's MCFG says
 * so, else through ports 0xcf8/0xcfc (PCI 3.0, 3.2.2.3.2).  The firmware has
 * numbered buses and given addresses to BARs; a device without is left alone.
 * Bridges are followed to the buses behind them.
 *
 * Invariants: pci_devs[] is filled once and then grows no more; a window of
 * ECAM is mapped bus by bus, for buses that exist.  Ports are a pair of
 * registers shared by all: under a mutex. */
#include "pci.h"
#include "rt/ingot.h"

enum { /* PCI 3.0, 6.1 */
	REG_ID = 0x00, REG_COMMAND = 0x04, REG_STATUS = 0x06, REG_CLASS = 0x08, REG_HEADER = 0x0e,
	REG_BAR = 0x10, REG_SECONDARY = 0x19, REG_CAPS = 0x34, REG_LINE = 0x3c, REG_PIN = 0x3d,
};
enum { COMMAND_MEMORY = 2, COMMAND_MASTER = 4, COMMAND_NO_LINE = 1 << 10 };
enum { STATUS_CAPS = 1 << 4 };
enum { CAP_MSIX = 0x11, MSIX_ENABLE = 1 << 15, MSIX_MASK_ALL = 1 << 14 }; /* 6.8.2 */

struct pci_dev pci_devs[PCI_DEVS_MAX];
static unsigned ndevs;
static bool scanned;
static mutex ports;

static struct {
	uint64_t base;  /* 0: no ECAM */
	uint8_t first, last;
	volatile uint8_t *bus[256];
} ecam;

/* ---- registers --------------------------------------------------------------- */

struct map_request {
	uint64_t pa;
	size_t n;
	volatile void *va;
};

static void map_now(void *arg)
{
	struct map_request *r = arg;
	r->va = mmio_map(r->pa, r->n);
}

volatile void *dev_map(uint64_t pa, size_t n)
{
	struct map_request r = { pa, n, NULL };
	rt_systemstack(map_now, &r);
	return r.va;
}

static volatile uint8_t *ecam_at(const struct pci_dev *d, unsigned off)
{
	if (!ecam.base || d->bus < ecam.first || d->bus > ecam.last)
		return NULL;
	if (!ecam.bus[d->bus])
		ecam.bus[d->bus] = dev_map(ecam.base + ((uint64_t)(d->bus - ecam.first) << 20), 1 << 20);
	return ecam.bus[d->bus] + (d->slot << 15 | d->fn << 12 | off);
}

/* Under `ports`. */
static void port_select(const struct pci_dev *d, unsigned off)
{
	outl(0xcf8, 0x80000000u | (uint32_t)d->bus << 16 | (uint32_t)d->slot << 11 | (uint32_t)d->fn << 8 |
	                    (off & 0xfc));
}

uint32_t pci_read(const struct pci_dev *d, unsigned off, unsigned size)
{
	volatile uint8_t *p = ecam_at(d, off);
	if (p)
		return size == 1 ? *p : size == 2 ? *(volatile uint16_t *)p : *(volatile uint32_t *)p;
	if (off >= 256)
		return UINT32_MAX >> (32 - 8 * size);
	mutex_lock(&ports);
	port_select(d, off);
	uint16_t at = (uint16_t)(0xcfc + (off & 3));
	uint32_t v = size == 1 ? inb(at) : size == 2 ? inw(at) : inl(at);
	mutex_unlock(&ports);
	return v;
}

void pci_write(const struct pci_dev *d, unsigned off, unsigned size, uint32_t v)
{
	volatile uint8_t *p = ecam_at(d, off);
	if (p) {
		if (size == 1)
			*p = (uint8_t)v;
		else if (size == 2)
			*(volatile uint16_t *)p = (uint16_t)v;
		else
			*(volatile uint32_t *)p = v;
		return;
	}
	if (off >= 256)
		return;
	mutex_lock(&ports);
	port_select(d, off);
	uint16_t at = (uint16_t)(0xcfc + (off & 3));
	if (size == 1)
		outb(at, (uint8_t)v);
	else if (size == 2)
		outw(at, (uint16_t)v);
	else
		outl(at, v);
	mutex_unlock(&ports);
}

unsigned pci_cap(const struct pci_dev *d, unsigned id, unsigned after)
{
	if (!(pci_read(d, REG_STATUS, 2) & STATUS_CAPS))
		return 0;
	unsigned at = pci_read(d, after ? after + 1 : REG_CAPS, 1) & 0xfc;
	for (unsigned n = 0; at >= 0x40 && n < 48; n++) { /* 48 fit: a loop ends */
		uint32_t head = pci_read(d, at, 2);
		if ((head & 0xff) == id)
			return at;
		at = head >> 8 & 0xfc;
	}
	return 0;
}

/* ---- enumeration ------------------------------------------------------------- */

/* PCI Firmware Specification 3.0, table 4-3: segment 0's window. */
static void find_ecam(void)
{
	const uint8_t *t = acpi_table("MCFG", 0);
	uint32_t len = t ? *(const uint32_t *)(t + 4) : 0;
	for (uint32_t at = 44; at + 16 <= len; at += 16) {
		const uint8_t *e = t + at;
		if (*(const uint16_t *)(e + 8) != 0 || e[10] > e[11])
			continue;
		__builtin_memcpy(&ecam.base, e, 8);
		ecam.first = e[10];
		ecam.last = e[11];
		return;
	}
}

static bool have_ports(void)
{
	outl(0xcf8, 0x80000000u);
	return inl(0xcf8) == 0x80000000u;
}

static void scan_bus(unsigned bus, unsigned depth);

static void scan_function(struct pci_dev at, unsigned depth)
{
	uint32_t id = pci_read(&at, REG_ID, 4);
	if ((id & 0xffff) == 0xffff)
		return;
	at.vendor = (uint16_t)id;
	at.device = (uint16_t)(id >> 16);
	at.class = pci_read(&at, REG_CLASS, 4) >> 8;
	unsigned header = pci_read(&at, REG_HEADER, 1) & 0x7f;
	if (header == 1) { /* a bridge */
		unsigned behind = pci_read(&at, REG_SECONDARY, 1);
		if (behind > at.bus && depth < 8)
			scan_bus(behind, depth + 1);
		return;
	}
	if (header != 0 || ndevs == PCI_DEVS_MAX)
		return;
	at.line = (uint8_t)pci_read(&at, REG_LINE, 1);
	at.pin = (uint8_t)pci_read(&at, REG_PIN, 1);
	pci_devs[ndevs++] = at;
}

static void scan_bus(unsigned bus, unsigned depth)
{
	for (unsigned slot = 0; slot < 32; slot++) {
		struct pci_dev at = { .bus = (uint8_t)bus, .slot = (uint8_t)slot };
		if (pci_read(&at, REG_ID, 2) == 0xffff)
			continue;
		unsigned nfn = pci_read(&at, REG_HEADER, 1) & 0x80 ? 8 : 1;
		for (unsigned fn = 0; fn < nfn; fn++) {
			at.fn = (uint8_t)fn;
			scan_function(at, depth);
		}
	}
}

unsigned pci_scan(void)
{
	if (!scanned) {
		scanned = true;
		find_ecam();
		if (ecam.base || have_ports())
			scan_bus(ecam.first, 0);
		if (klog_on)
			io_log("pci: %u devices, configuration by %s", ndevs, ecam.base ? "memory" : "ports");
	}
	return ndevs;
}

/* ---- BARs (6.2.5) ------------------------------------------------------------- */

volatile uint8_t *pci_map(struct pci_dev *d, unsigned bar, uint64_t need, const char **why)
{
	unsigned at = REG_BAR + 4 * bar;
	*why = "a register window (BAR) is missing or too small";
	if (bar > 5)
		return NULL;
	uint32_t low = pci_read(d, at, 4);
	bool wide = (low & 6) == 4;
	if (low & 1 || (wide && bar == 5))
		return NULL;
	uint64_t pa = low & ~15u;
	if (wide)
		pa |= (uint64_t)pci_read(d, at + 4, 4) << 32;
	if (pa == 0) {
		*why = "the firmware gave its registers no address";
		return NULL;
	}
	/* Its size: the bits that cannot be set; decoding is off meanwhile. */
	uint32_t command = pci_read(d, REG_COMMAND, 2);
	pci_write(d, REG_COMMAND, 2, command & ~(uint32_t)(COMMAND_MEMORY | COMMAND_MASTER));
	pci_write(d, at, 4, UINT32_MAX);
	uint64_t mask = pci_read(d, at, 4) & ~15u;
	pci_write(d, at, 4, low);
	if (wide) {
		pci_write(d, at + 4, 4, UINT32_MAX);
		mask |= (uint64_t)pci_read(d, at + 4, 4) << 32;
		pci_write(d, at + 4, 4, (uint32_t)(pa >> 32));
	} else {
		mask |= 0xffffffff00000000u;
	}
	pci_write(d, REG_COMMAND, 2, command);
	uint64_t size = ~mask + 1;
	if (mask == 0 || need > size || size > 1u << 30 || pa + size > 1ull << cpu_feat.phys_bits)
		return NULL;
	if (!d->bar[bar])
		d->bar[bar] = dev_map(pa, size);
	return d->bar[bar];
}

void pci_enable(struct pci_dev *d)
{
	d->claimed = true;
	pci_write(d, REG_COMMAND, 2, pci_read(d, REG_COMMAND, 2) | COMMAND_MEMORY | COMMAND_MASTER);
}

/* ---- interrupts ------------------------------------------------------------------ */

unsigned pci_msix_on(struct pci_dev *d, unsigned n)
{
	d->msix = (uint16_t)pci_cap(d, CAP_MSIX, 0);
	if (!d->msix)
		return 0;
	uint32_t control = pci_read(d, d->msix + 2, 2), where = pci_read(d, d->msix + 4, 4);
	unsigned have = (control & 0x7ff) + 1;
	if (n < have)
		have = n;
	const char *why;
	volatile uint8_t *bar = pci_map(d, where & 7, (uint64_t)(where & ~7u) + 16 * have, &why);
	if (!bar)
		return 0;
	d->msix_table = (volatile uint32_t *)(bar + (where & ~7u));
	d->msix_n = (uint16_t)have;
	for (unsigned i = 0; i < have; i++)
		d->msix_table[4 * i + 3] = 1; /* masked until it leads somewhere */
	pci_write(d, REG_COMMAND, 2, pci_read(d, REG_COMMAND, 2) | COMMAND_NO_LINE);
	pci_write(d, d->msix + 2, 2, (control & ~(uint32_t)MSIX_MASK_ALL) | MSIX_ENABLE);
	return have;
}

void pci_msix_off(struct pci_dev *d)
{
	if (!d->msix)
		return;
	uint32_t control = pci_read(d, d->msix + 2, 2);
	pci_write(d, d->msix + 2, 2, control & ~(uint32_t)MSIX_ENABLE);
	pci_write(d, REG_COMMAND, 2, pci_read(d, REG_COMMAND, 2) & ~(uint32_t)COMMAND_NO_LINE);
	d->msix_n = 0;
}

bool pci_msix_route(struct pci_dev *d, unsigned i, unsigned core, struct io_event *ev)
{
	uint64_t addr;
	uint32_t data;
	unsigned vector = i < d->msix_n ? devirq_vector(ev) : 0;
	if (!vector || !devirq_message(core, vector, &addr, &data))
		return false;
	volatile uint32_t *e = d->msix_table + 4 * i; /* 6.8.2.6 */
	e[0] = (uint32_t)addr;
	e[1] = (uint32_t)(addr >> 32);
	e[2] = data;
	e[3] = 0;
	return true;
}

bool pci_line_route(struct pci_dev *d, struct io_event *ev)
{
	if (d->pin == 0 || d->line == 0 || d->line > 15)
		return false;
	return devirq_line(true, d->line, true, ev);
}
