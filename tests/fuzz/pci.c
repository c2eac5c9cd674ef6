/* pci.c: the PCI bus as a machine's configuration space says it is (drivers/pci.c, by
 * ports), and an e1000 on it (drivers/e1000e.c) whose controller writes what the input
 * says into its rings and registers. */
#include "kernel/kernel.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "fuzz.h"

/* ---- a machine's ports ------------------------------------------------------------ */

#define FUNCTIONS 8
static uint8_t space[FUNCTIONS][256];
static uint32_t bar_mask[FUNCTIONS][6]; /* bits that cannot be set */
static uint32_t selected;

/* Functions 0 and 1 of slots 0 to 3 of bus 0; of other buses the same, turned. */
static int function(void)
{
	unsigned bus = selected >> 16 & 255, slot = selected >> 11 & 31, fn = selected >> 8 & 7;
	return bus < 3 && slot < 4 && fn < 2 ? (int)((slot * 2 + fn + bus) % FUNCTIONS) : -1;
}

static uint32_t port_in(uint16_t port, unsigned size)
{
	uint32_t v = UINT32_MAX >> (32 - 8 * size);
	int f = function();
	if (port == 0xcf8)
		return selected;
	if (f >= 0)
		memcpy(&v, space[f] + (selected & 0xfc) + (port & 3), size);
	return v;
}

static void port_out(uint16_t port, uint32_t v, unsigned size)
{
	int f = function();
	unsigned off = (selected & 0xfc) + (port & 3);
	if (port == 0xcf8) {
		selected = v;
		return;
	}
	if (f < 0)
		return;
	if (off >= 0x10 && off < 0x28 && size == 4) {
		uint32_t keep = bar_mask[f][(off - 0x10) / 4], old;
		memcpy(&old, space[f] + off, 4);
		v = (v & ~keep) | (old & keep & 15);
	}
	memcpy(space[f] + off, &v, size);
}

#define inb(port) port_in(port, 1)
#define inw(port) port_in(port, 2)
#define inl(port) port_in(port, 4)
#define outb(port, v) port_out(port, v, 1)
#define outw(port, v) port_out(port, v, 2)
#define outl(port, v) port_out(port, v, 4)
#include "drivers/pci.c"

/* ---- what the kernel does for drivers ------------------------------------------------ */

static struct io_event *line;
unsigned devirq_vector(struct io_event *ev) { return 40; }
void devirq_name(const struct io_event *ev, const char *name) {}
void devirq_done(struct io_event *ev) {}

bool devirq_message(unsigned core, unsigned vector, uint64_t *addr, uint32_t *data)
{
	*addr = 0xfee00000, *data = vector;
	return true;
}

bool devirq_line(bool isa, unsigned number, bool level, struct io_event *ev)
{
	line = ev;
	return true;
}

int ksnprintf(char *buf, size_t n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int k = vsnprintf(buf, n, fmt, ap);
	va_end(ap);
	return k;
}

/* ---- the bus ---------------------------------------------------------------------------- */

static uint8_t *window; /* of the last BAR, at its size */

static volatile void *map_exact(uint64_t pa, size_t n)
{
	if (window)
		fuzz_free(window);
	return window = fuzz_zeroed(n);
}

/* Each function: its BARs' sizes, then pieces of its space: where, how many bytes, they. */
FUZZ(pci, NULL)
{
	fuzz_mmio = map_exact;
	memset(space, 0xff, sizeof space);
	memset(bar_mask, 0xff, sizeof bar_mask);
	for (unsigned f = 0; f < FUNCTIONS && n; f++) {
		memset(space[f], 0, sizeof space[f]);
		for (unsigned i = 0; i < 6; i++)
			bar_mask[f][i] = (1u << fuzz_byte(&p, &n) % 20) - 1;
		for (unsigned pieces = fuzz_byte(&p, &n) % 8; pieces > 0; pieces--) {
			unsigned at = fuzz_byte(&p, &n), k = fuzz_byte(&p, &n) % 16;
			for (; k > 0; k--)
				space[f][at++ & 255] = fuzz_byte(&p, &n);
		}
	}
	scanned = false;
	ndevs = 0;
	memset(pci_devs, 0, sizeof pci_devs);
	FUZZ_CHECK(pci_scan() <= PCI_DEVS_MAX);
	for (unsigned i = 0; i < ndevs && i < 8; i++) {
		struct pci_dev *d = &pci_devs[i];
		const char *why;
		struct io_event ev = {};
		for (unsigned at = 0, caps = 0; (at = pci_cap(d, 9, at)); caps++)
			if (caps == 48)
				break;
		pci_enable(d);
		for (unsigned bar = 0; bar < 7; bar++, memset(d->bar, 0, sizeof d->bar)) {
			volatile uint8_t *r = pci_map(d, bar, 0x1000, &why);
			if (r)
				r[0xfff] = 1;
		}
		unsigned have = pci_msix_on(d, 8);
		for (unsigned k = 0; k <= have; k++)
			pci_msix_route(d, k, 0, &ev);
		pci_msix_off(d);
		pci_line_route(d, &ev);
	}
}

/* ---- the e1000 ------------------------------------------------------------------------------ */

enum { STATUS = 8, ICR = 0xc0, RDBA = 0x2800, TDBA = 0x3800, RAL = 0x5400, RAH = 0x5404, REGS = 0x20000 };
void e1000e_each(void);

struct descriptor { /* of both kinds, as far as a controller writes them */
	uint64_t addr;
	uint16_t len, sum;
	uint8_t status, errors;
	uint16_t special;
};

static uint8_t *regs;
static struct netdev *card;
static struct netbuf *held;

static uint32_t *reg(unsigned at) { return (uint32_t *)(regs + at); }
static volatile void *map_regs(uint64_t pa, size_t n) { return regs; }

static void rx(struct netdev *d, unsigned queue, struct netbuf *frames)
{
	static volatile uint8_t eye;
	for (struct netbuf *f = frames; f; f = f->more) {
		FUZZ_CHECK(f->len >= 14 && f->len <= 2048 && !f->next);
		for (uint32_t i = 0; i < f->len; i++)
			eye += f->data[i];
	}
	if (!held)
		held = frames; /* a slow reader */
	else
		netbuf_free(frames);
}

static void no_room(struct netdev *d, unsigned queue) {}
static void nothing(struct netdev *d) {}

static bool found(struct netdev *d)
{
	d->rx = rx;
	d->tx_room = no_room;
	d->link = nothing;
	card = d;
	return true;
}

static void hardware(void)
{
	while (!card) {
		*reg(0) &= ~(1u << 26); /* out of its reset */
		sleep(Millisecond);
	}
}

static void setup(void)
{
	static const uint8_t head[] = { 0x86, 0x80, 0x0e, 0x10, 0, 0, 0, 0, 0, 0, 0, 2 };
	memset(space, 0xff, sizeof space);
	memset(space[0], 0, sizeof space[0]);
	memcpy(space[0], head, sizeof head);
	space[0][0x12] = 0x10;       /* BAR 0 */
	space[0][0x3c] = 11, space[0][0x3d] = 1;
	bar_mask[0][0] = REGS - 1;
	regs = fuzz_zeroed(REGS);
	*reg(RAL) = 0x12345602, *reg(RAH) = 0x80000001;
	fuzz_mmio = map_regs;
	fuzz_found_nic = found;
	go(hardware);
	e1000e_each();
	FUZZ_CHECK(card && line);
	card->rx_start(card);
}

FUZZ(e1000e, setup)
{
	static uint8_t frame[1600];
	static unsigned next;

	for (int i = 0; i < 64 && n; i++) {
		struct descriptor *in = (struct descriptor *)(uintptr_t)*(uint64_t *)(regs + RDBA),
				  *out = (struct descriptor *)(uintptr_t)*(uint64_t *)(regs + TDBA), *d;
		uint8_t what = fuzz_byte(&p, &n);
		switch (what % 8) {
		case 0:
		case 1:
		case 2: /* the next, or any */
			d = what & 8 ? &in[fuzz_byte(&p, &n)] : &in[next++ % 256];
			d->len = (uint16_t)(fuzz_byte(&p, &n) << (what >> 4));
			d->errors = what & 2 ? fuzz_byte(&p, &n) : 0;
			d->status = what & 1 ? fuzz_byte(&p, &n) : 3;
			*reg(ICR) = 128;
			break;
		case 3: {
			struct net_piece v[] = { { frame, 60 }, { frame, fuzz_byte(&p, &n) * 6u } };
			struct net_offload off = { .flags = what & 8 ? NET_CSUM_NEEDED : 0, .csum_start = 34, .csum_offset = what >> 4 };
			card->transmit(card, 0, v, 2, &off);
			break;
		}
		case 4: /* sent: some, or all */
			for (unsigned k = 0; k < 256; k++)
				if (what & 8 || k == what >> 4)
					out[k].status = 1;
			*reg(ICR) = 1;
			break;
		case 5:
			*reg(STATUS) = fuzz_byte(&p, &n);
			*reg(ICR) = 4;
			break;
		case 6:
			*reg(ICR) = fuzz_byte(&p, &n) * 0x01010101u;
			break;
		case 7:
			if (held)
				netbuf_free(held);
			held = NULL;
		}
		io_signal(line);
		gosched();
	}
}
