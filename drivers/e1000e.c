/* e1000e.c: Intel's gigabit network controllers: the 82574 of real boards, and its
 * forebears that virtual machines offer (Intel 82574 GbE Controller Family
 * datasheet, rev. 3.4, and PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual, rev. 4.0; section numbers are the 82574's).
 *
 * One ring each way.  Received frames go up in the buffers they came in; sent ones
 * are copied to buffers of ours.  The checksum of TCP and UDP is the controller's
 * work: a context descriptor says where it lies in the frames that follow.
 *
 * Invariants: a ring's state is under its m.  The controller owns the descriptors
 * from its head up to the tail register; receive buffers are there, in the list of
 * free ones, or the stack's.  One that reads as all ones is gone: the link is
 * down then, and what is sent is lost as on a wire that was cut. */
#include "pci.h"
#include "rt/ingot.h"

enum { /* 10.2 */
	CTRL = 0, STATUS = 8, ICR = 0xc0, IMS = 0xd0, IMC = 0xd8, EIAC = 0xdc, IVAR = 0xe4,
	RCTL = 0x100, TCTL = 0x400, TIPG = 0x410, RDBA = 0x2800, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818,
	TDBA = 0x3800, TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818, RXCSUM = 0x5000, MTA = 0x5200, RAL = 0x5400,
	RAH = 0x5404, WINDOW = 0x5408,
};
enum { CTRL_ASDE = 1 << 5, CTRL_SLU = 1 << 6, CTRL_RST = 1 << 26 };
enum { STATUS_LU = 2 };
enum { RCTL_EN = 2, RCTL_ALL_MULTICAST = 1 << 4, RCTL_BROADCAST = 1 << 15, RCTL_NO_CRC = 1 << 26 };
enum { TCTL_EN = 2, TCTL_PAD = 8, TCTL_COLLISIONS = 15 << 4 | 64 << 12 };
enum { RXCSUM_IP = 1 << 8, RXCSUM_TCP_UDP = 1 << 9 };
/* Causes: by the line, and by messages 0 (received), 1 (sent), 2 (the rest). */
enum { INT_TX = 1, INT_LINK = 4, INT_RX_LOW = 16, INT_RX_OVER = 64, INT_RX = 128 };
enum { MSG_RX = 1 << 20, MSG_TX = 1 << 22, MSG_OTHER = 1 << 24 };
enum { IVAR_ALL = 8 | (8 | 1) << 8 | (8 | 2) << 16 }; /* 10.2.4.9 */

struct rx_desc { /* 7.1.4 */
	uint64_t addr;
	uint16_t len, checksum;
	uint8_t status, errors;
	uint16_t special;
};
struct tx_desc { /* 7.2.11 */
	uint64_t addr;       /* of a context: where sums begin and lie */
	uint32_t command;    /* length, type, command */
	uint8_t status, options;
	uint16_t special;
};
_Static_assert(sizeof(struct rx_desc) == 16 && sizeof(struct tx_desc) == 16, "7.1.4, 7.2.11");
enum { RX_DONE = 1, RX_END = 2, RX_UNCHECKED = 4, RX_TCP_UDP = 0x20 };
enum { TX_DATA = 1 << 20 | 1 << 29, TX_CONTEXT = 1 << 29, TX_END = 1 << 24, TX_FCS = 2 << 24, TX_REPORT = 8 << 24 };
enum { TX_CHECKSUM = 2, TX_DONE = 1 };

#define ENTRIES 256u
#define BUFFER_BYTES 2048u
#define FRAME_MAX 1518u
#define BATCH 32

struct nic;
/* The driver's struct netbuf: where its data begin is not kept elsewhere. */
struct rxbuf {
	struct netbuf b;
	uint8_t *at;
};

struct nic {
	struct netdev dev;
	struct pci_dev *pci;
	char where[16];
	volatile uint8_t *regs;
	bool messages, receiving;
	uint32_t gone;               /* atomic */
	struct io_event rx_ev, tx_ev, other_ev; /* without messages: all are rx_ev */
	struct {
		mutex m;
		volatile struct rx_desc *ring;
		struct netbuf *buf[ENTRIES], *free;
		unsigned head, tail;     /* the next to take; the next to fill */
		bool skip;               /* the rest of a frame that was too long */
		struct net_queue_stats stats; /* relaxed */
	} rx;
	struct {
		mutex m;
		volatile struct tx_desc *ring;
		uint8_t *buf;            /* ENTRIES of BUFFER_BYTES */
		unsigned head, tail;     /* the oldest under way; the next to fill */
		uint32_t context;        /* csum_start << 16 | csum_offset, as the controller knows it */
		bool starved;            /* a sender found no room */
		struct net_queue_stats stats;
	} tx;
};

static uint32_t get(struct nic *n, unsigned at) { return *(volatile uint32_t *)(n->regs + at); }
static void put(struct nic *n, unsigned at, uint32_t v) { *(volatile uint32_t *)(n->regs + at) = v; }

static void put64(struct nic *n, unsigned at, uint64_t v)
{
	put(n, at, (uint32_t)v);
	put(n, at + 4, (uint32_t)(v >> 32));
}

static void count(uint64_t *n, uint64_t add)
{
	__atomic_store_n(n, *n + add, __ATOMIC_RELAXED);
}

static bool gone(struct nic *n)
{
	return __atomic_load_n(&n->gone, __ATOMIC_ACQUIRE);
}

/* ---- receiving --------------------------------------------------------------- */

/* Under rx.m: free buffers into the ring.  One entry stays empty (7.1.5). */
static void fill(struct nic *n)
{
	unsigned first = n->rx.tail;
	for (struct netbuf *b; (b = n->rx.free) && (n->rx.tail + 1) % ENTRIES != n->rx.head; n->rx.tail = (n->rx.tail + 1) % ENTRIES) {
		n->rx.free = b->next;
		n->rx.buf[n->rx.tail] = b;
		n->rx.ring[n->rx.tail].addr = plat_dma_addr(((struct rxbuf *)b)->at, BUFFER_BYTES);
		n->rx.ring[n->rx.tail].status = 0;
	}
	if (n->rx.tail != first && !gone(n)) {
		__atomic_thread_fence(__ATOMIC_RELEASE);
		put(n, RDT, n->rx.tail);
	}
}

static void give_back(struct netbuf *b)
{
	struct nic *n = b->queue;
	mutex_lock(&n->rx.m);
	for (struct netbuf *next; b; b = next) {
		next = b->next;
		b->next = n->rx.free;
		n->rx.free = b;
	}
	/* Not one by one: each costs an access of a register. */
	if (n->receiving && (n->rx.tail - n->rx.head) % ENTRIES < ENTRIES * 3 / 4)
		fill(n);
	mutex_unlock(&n->rx.m);
}

/* Under rx.m: up to BATCH frames; false: there are no more. */
static bool take(struct nic *n, struct netbuf ***list)
{
	for (unsigned i = 0; i < BATCH; i++) {
		volatile struct rx_desc *d = &n->rx.ring[n->rx.head];
		uint8_t status = __atomic_load_n(&d->status, __ATOMIC_ACQUIRE);
		if (n->rx.head == n->rx.tail || !(status & RX_DONE))
			return false;
		struct netbuf *b = n->rx.buf[n->rx.head];
		n->rx.head = (n->rx.head + 1) % ENTRIES;
		bool whole = status & RX_END && !n->rx.skip;
		n->rx.skip = !(status & RX_END);
		b->data = ((struct rxbuf *)b)->at;
		b->len = d->len;
		if (!whole || d->errors & ~0x60 || b->len < 14 || b->len > BUFFER_BYTES) {
			count(&n->rx.stats.dropped, 1);
			b->next = n->rx.free;
			n->rx.free = b;
			continue;
		}
		b->off = (struct net_offload){ .flags = !(status & RX_UNCHECKED) && status & RX_TCP_UDP && !d->errors ? NET_CSUM_VALID : 0 };
		b->next = b->more = NULL;
		count(&n->rx.stats.frames, 1);
		count(&n->rx.stats.bytes, b->len);
		**list = b;
		*list = &b->more;
	}
	return true;
}

static void receive(struct nic *n)
{
	for (bool more = true; more;) {
		struct netbuf *frames = NULL, **end = &frames;
		mutex_lock(&n->rx.m);
		more = n->receiving && take(n, &end);
		if (n->receiving)
			fill(n);
		mutex_unlock(&n->rx.m);
		if (frames)
			n->dev.rx(&n->dev, 0, frames);
	}
}

static void rx_start(struct netdev *dev)
{
	struct nic *n = dev->priv;
	mutex_lock(&n->rx.m);
	n->receiving = true;
	fill(n);
	mutex_unlock(&n->rx.m);
	put(n, RCTL, RCTL_EN | RCTL_ALL_MULTICAST | RCTL_BROADCAST | RCTL_NO_CRC);
	io_signal(&n->rx_ev);
}

/* ---- sending ------------------------------------------------------------------ */

/* Under tx.m: what went out is free again. */
static void reclaim(struct nic *n)
{
	while (n->tx.head != n->tx.tail && (__atomic_load_n(&n->tx.ring[n->tx.head].status, __ATOMIC_ACQUIRE) & TX_DONE))
		n->tx.head = (n->tx.head + 1) % ENTRIES;
}

/* For a frame and a context; one entry stays empty. */
static bool room(struct nic *n)
{
	return (n->tx.head - n->tx.tail - 1) % ENTRIES >= 2;
}

static void add(struct nic *n, uint64_t addr, uint32_t command, uint8_t options)
{
	volatile struct tx_desc *d = &n->tx.ring[n->tx.tail];
	d->addr = addr;
	d->command = command;
	d->status = 0;
	d->options = options;
	n->tx.tail = (n->tx.tail + 1) % ENTRIES;
}

/* The device's tail is ours.  Under tx.m. */
static void tell(struct nic *n)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	put(n, TDT, n->tx.tail);
}

static bool transmit(struct netdev *dev, unsigned queue, const struct net_piece *v, unsigned pieces,
                     const struct net_offload *off)
{
	struct nic *n = dev->priv;
	uint32_t total = 0;
	for (unsigned i = 0; i < pieces; i++)
		total += v[i].n;
	if (total > FRAME_MAX || gone(n))
		return true; /* nobody can send that: gone */
	mutex_lock(&n->tx.m);
	reclaim(n);
	if (!room(n)) {
		n->tx.starved = true;
		tell(n);
		put(n, IMS, n->messages ? MSG_TX : INT_TX);
		reclaim(n); /* it may have gone out before the interrupt was on */
		if (!room(n)) {
			mutex_unlock(&n->tx.m);
			return false;
		}
	}
	bool sum = off->flags & NET_CSUM_NEEDED;
	uint32_t context = (uint32_t)off->csum_start << 16 | off->csum_offset;
	if (sum && context != n->tx.context) {
		n->tx.context = context;
		add(n, (uint64_t)off->csum_start << 32 | (uint64_t)(off->csum_start + off->csum_offset) << 40,
		    TX_CONTEXT | TX_REPORT, 0);
	}
	uint8_t *to = n->tx.buf + n->tx.tail * BUFFER_BYTES;
	uint64_t addr = plat_dma_addr(to, BUFFER_BYTES);
	for (unsigned i = 0; i < pieces; i++) {
		memcpy(to, v[i].p, v[i].n);
		to += v[i].n;
	}
	add(n, addr, total | TX_DATA | TX_END | TX_FCS | TX_REPORT, sum ? TX_CHECKSUM : 0);
	count(&n->tx.stats.frames, 1);
	count(&n->tx.stats.bytes, total);
	mutex_unlock(&n->tx.m);
	return true;
}

static void kick(struct netdev *dev, unsigned queue)
{
	struct nic *n = dev->priv;
	mutex_lock(&n->tx.m);
	tell(n);
	mutex_unlock(&n->tx.m);
}

static void sent(struct nic *n)
{
	mutex_lock(&n->tx.m);
	reclaim(n);
	bool tell = n->tx.starved && room(n);
	if (tell) {
		n->tx.starved = false;
		put(n, IMC, n->messages ? MSG_TX : INT_TX);
	}
	mutex_unlock(&n->tx.m);
	if (tell && n->dev.tx_room)
		n->dev.tx_room(&n->dev, 0);
}

/* ---- the controller -------------------------------------------------------------- */

static void read_link(struct nic *n)
{
	uint32_t s = get(n, STATUS);
	bool up = s != UINT32_MAX && s & STATUS_LU;
	if (s == UINT32_MAX && !__atomic_exchange_n(&n->gone, 1, __ATOMIC_ACQ_REL)) {
		io_log("%s at %s: it is gone", n->dev.driver, n->where);
		n->tx.starved = false;
		if (n->dev.tx_room)
			n->dev.tx_room(&n->dev, 0);
	}
	if (__atomic_exchange_n(&n->dev.link_up, up, __ATOMIC_RELAXED) != up && n->dev.link)
		n->dev.link(&n->dev);
}

static void rx_task(void *arg)
{
	struct nic *n = arg;
	for (;;) {
		io_wait(&n->rx_ev);
		count(&n->rx.stats.interrupts, 1);
		if (n->messages) { /* which masks itself (10.2.4.7, EIAC) */
			receive(n);
			put(n, IMS, MSG_RX);
			receive(n); /* what came before that may not interrupt */
			continue;
		}
		uint32_t causes = get(n, ICR); /* and they are off */
		if (causes & INT_LINK)
			read_link(n);
		receive(n);
		sent(n);
		devirq_done(&n->rx_ev);
	}
}

static void tx_task(void *arg)
{
	struct nic *n = arg;
	for (;;) {
		io_wait(&n->tx_ev);
		count(&n->tx.stats.interrupts, 1);
		sent(n);
	}
}

static void other_task(void *arg)
{
	struct nic *n = arg;
	for (;;) {
		io_wait(&n->other_ev);
		put(n, ICR, MSG_OTHER | INT_LINK); /* with messages reading clears nothing (10.2.4.1) */
		read_link(n);
	}
}

static struct net_queue_stats queue_stats(struct netdev *dev, unsigned queue, bool sends)
{
	struct nic *n = dev->priv;
	const uint64_t *p = (const uint64_t *)(sends ? &n->tx.stats : &n->rx.stats);
	return (struct net_queue_stats){ __atomic_load_n(&p[0], __ATOMIC_RELAXED), __atomic_load_n(&p[1], __ATOMIC_RELAXED),
		                         __atomic_load_n(&p[2], __ATOMIC_RELAXED), __atomic_load_n(&p[3], __ATOMIC_RELAXED) };
}

static const char *interrupts(struct nic *n)
{
	struct io_event *ev[] = { &n->rx_ev, &n->tx_ev, &n->other_ev };
	n->messages = pci_msix_on(n->pci, 3) == 3;
	for (unsigned i = 0; i < 3 && n->messages; i++)
		n->messages = pci_msix_route(n->pci, i, 0, ev[i]);
	if (!n->messages) {
		pci_msix_off(n->pci);
		if (!pci_line_route(n->pci, &n->rx_ev))
			return "it has neither interrupt messages nor a line";
	}
	devirq_name(&n->rx_ev, n->dev.driver);
	return NULL;
}

static const char *make_rings(struct nic *n)
{
	struct rxbuf *b = dma_alloc(ENTRIES * sizeof *b, 64);
	uint8_t *data = dma_alloc(ENTRIES * BUFFER_BYTES, 64);
	n->rx.ring = dma_alloc(ENTRIES * sizeof *n->rx.ring, 128);
	n->tx.ring = dma_alloc(ENTRIES * sizeof *n->tx.ring, 128);
	n->tx.buf = dma_alloc(ENTRIES * BUFFER_BYTES, 64);
	if (!b || !data || !n->rx.ring || !n->tx.ring || !n->tx.buf)
		return "out of memory";
	for (unsigned i = 0; i < ENTRIES; i++) {
		b[i].at = data + i * BUFFER_BYTES;
		b[i].b.free = give_back;
		b[i].b.queue = n;
		b[i].b.next = n->rx.free;
		n->rx.free = &b[i].b;
	}
	return NULL;
}

/* 4.6: the order is the datasheet's. */
static const char *start(struct nic *n)
{
	const char *why;
	pci_enable(n->pci);
	if (!(n->regs = pci_map(n->pci, 0, WINDOW, &why)))
		return why;
	put(n, IMC, UINT32_MAX);
	put(n, CTRL, get(n, CTRL) | CTRL_RST);
	for (unsigned ms = 0; sleep(Millisecond), get(n, CTRL) & CTRL_RST; ms++)
		if (ms == 1000)
			return "it does not come out of its reset";
	put(n, IMC, UINT32_MAX);
	get(n, ICR);
	uint32_t low = get(n, RAL), high = get(n, RAH);
	if (!(high >> 31) || (!low && !(high & 0xffff)))
		return "it has no address";
	for (unsigned i = 0; i < 6; i++)
		n->dev.mac[i] = (uint8_t)(i < 4 ? low >> 8 * i : high >> 8 * (i - 4));
	if ((why = make_rings(n)) || (why = interrupts(n)))
		return why;
	for (unsigned i = 0; i < 128; i++)
		put(n, MTA + 4 * i, 0);
	put64(n, RDBA, plat_dma_addr((void *)n->rx.ring, 16));
	put(n, RDLEN, ENTRIES * 16);
	put(n, RDH, 0);
	put(n, RDT, 0);
	put(n, RXCSUM, RXCSUM_IP | RXCSUM_TCP_UDP);
	put64(n, TDBA, plat_dma_addr((void *)n->tx.ring, 16));
	put(n, TDLEN, ENTRIES * 16);
	put(n, TDH, 0);
	put(n, TDT, 0);
	put(n, TIPG, 8 | 8 << 10 | 6 << 20);
	put(n, TCTL, TCTL_EN | TCTL_PAD | TCTL_COLLISIONS);
	put(n, CTRL, get(n, CTRL) | CTRL_SLU | CTRL_ASDE);
	rt_go_system(rx_task, n);
	if (n->messages) {
		rt_go_system(tx_task, n);
		rt_go_system(other_task, n);
		put(n, IVAR, IVAR_ALL);
		put(n, EIAC, MSG_RX | MSG_TX);
		put(n, IMS, MSG_RX | MSG_OTHER | INT_LINK);
	} else {
		put(n, IMS, INT_LINK | INT_RX_LOW | INT_RX_OVER | INT_RX);
	}
	read_link(n);
	return NULL;
}

void e1000e_each(void)
{
	static const struct {
		uint16_t id;
		const char *name;
	} known[] = { { 0x10d3, "e1000e" }, { 0x100e, "e1000" }, { 0x100f, "e1000" } }; /* 82574L, 82540EM, 82545EM */
	for (unsigned i = 0; i < pci_scan(); i++) {
		struct pci_dev *p = &pci_devs[i];
		for (unsigned k = 0; k < sizeof known / sizeof known[0]; k++) {
			struct nic *n;
			if (p->vendor != 0x8086 || p->device != known[k].id || p->claimed || !(n = dma_alloc(sizeof *n, 64)))
				continue;
			n->pci = p;
			n->dev = (struct netdev){ .driver = known[k].name, .mtu = 1500, .nqueues = 1, .offloads = NET_CSUM_NEEDED,
			                          .rx_offloads = NET_CSUM_VALID, .rx_spare = ENTRIES / 2, .transmit = transmit, .kick = kick,
			                          .rx_start = rx_start, .queue_stats = queue_stats, .priv = n };
			ksnprintf(n->where, sizeof n->where, "pci %02x:%02x.%x", p->bus, p->slot, p->fn);
			const char *why = start(n);
			if (why)
				io_log("%s at %s: %s; not used", n->dev.driver, n->where, why);
			else
				netdev_add(&n->dev);
		}
	}
}
