/* nvme.c: the NVMe driver with a controller that does what the input says: its capabilities,
 * what it identifies as, what it completes and when.  Each input is a new controller, gone in
 * the end: every request must have come back by then. */
#include <string.h>
#include "drivers/nvme.h"
#include "rt/ingot.h"
#include "fuzz.h"

enum { QUEUES = 3, CSTS = 0x1c, CC = 0x14, ASQ = 0x28, ACQ = 0x30, AQA = 0x24, DOORBELLS = 0x1000 };

struct controller {
	uint8_t *regs;
	struct nvme *n;
	struct blkdev *disk;
	bool gone;
	unsigned stride;
	struct {
		uint8_t *sq, *cq;
		uint32_t size, head, tail;
		uint16_t phase;
	} q[QUEUES];
	uint8_t *memory; /* of requests */
};
static struct controller *now;

static bool found(struct blkdev *d) { return now && (now->disk = d); }

static uint32_t *reg(struct controller *f, unsigned at) { return (uint32_t *)(f->regs + at); }
static void no_line(struct io_event *ev) {}

/* What a controller is told leads back to memory of ours. */
static uint8_t *memory(struct controller *f, uint64_t at)
{
	return (uint8_t *)(uintptr_t)(at + (uintptr_t)f->memory - plat_dma_addr(f->memory, 8));
}

static void follow(struct controller *f)
{
	if (f->gone)
		*reg(f, CSTS) = UINT32_MAX;
	else if ((*reg(f, CC) & 1) != (*reg(f, CSTS) & 1)) {
		*reg(f, CSTS) = *reg(f, CC) & 1;
		memset(f->q, 0, sizeof f->q);
		uint64_t sq, cq;
		memcpy(&sq, f->regs + ASQ, 8);
		memcpy(&cq, f->regs + ACQ, 8);
		if (*reg(f, CC) & 1) {
			f->q[0].sq = memory(f, sq);
			f->q[0].cq = memory(f, cq);
			f->q[0].size = (*reg(f, AQA) & 0xfff) + 1;
			f->q[0].phase = 1;
		}
	}
}

static void complete(struct controller *f, unsigned q, uint16_t sq, uint16_t id, uint32_t dw0, uint16_t status)
{
	if (!f->q[q].cq)
		return;
	uint16_t c[8] = { (uint16_t)dw0, (uint16_t)(dw0 >> 16), 0, 0, 0, sq, id };
	uint8_t *at = f->q[q].cq + 16 * f->q[q].tail;
	memcpy(at, c, 14);
	__atomic_store_n((uint16_t *)(at + 14), (uint16_t)(status << 1 | f->q[q].phase), __ATOMIC_RELEASE);
	if (++f->q[q].tail == f->q[q].size) {
		f->q[q].tail = 0;
		f->q[q].phase ^= 1;
	}
	io_signal(nvme_event(f->n, q));
}

/* Carries out the next command of a queue, nearly as it should. */
static bool serve(struct controller *f, unsigned q, uint16_t status, const uint8_t **p, size_t *n)
{
	uint32_t dw[16], dw0 = 0;
	if (!f->q[q].sq || !f->q[q].cq || DOORBELLS + 2 * q * f->stride >= NVME_WINDOW ||
	    f->q[q].head == *reg(f, DOORBELLS + 2 * q * f->stride))
		return false;
	memcpy(dw, f->q[q].sq + 64 * f->q[q].head, 64);
	f->q[q].head = (f->q[q].head + 1) % f->q[q].size;
	uint64_t at = dw[6] | (uint64_t)dw[7] << 32;
	unsigned op = dw[0] & 0xff, id = dw[10] & 0xffff;
	if (q == 0 && op == 6) {
		static const uint8_t good[] = { 0, 4, 0, 0, 0, 0, 0, 0 };
		uint8_t *to = memory(f, at);
		memset(to, 0, 4096);
		if (dw[10] == 1) {
			to[77] = fuzz_byte(p, n);
			to[520] = 4;
			to[525] = 1;
		} else if (dw[1] <= 2) {
			memcpy(to, good, sizeof good);
			to[26] = fuzz_byte(p, n);
			to[130 + 4 * (to[26] & 15)] = 9;
			if (fuzz_byte(p, n) & 1)
				for (unsigned i = 0; i < 8; i++)
					to[i < 4 ? i : 124 + i] = fuzz_byte(p, n);
		}
	} else if (q == 0 && op == 9) {
		dw0 = fuzz_byte(p, n) * 0x10001u;
	} else if (q == 0 && (op == 5 || op == 1) && id < QUEUES) {
		f->q[id].size = (dw[10] >> 16) + 1;
		f->q[id].phase = 1;
		*(op == 5 ? &f->q[id].cq : &f->q[id].sq) = memory(f, at);
	}
	complete(f, q, (uint16_t)q, (uint16_t)(dw[0] >> 16), dw0, status);
	return true;
}

static void yield(struct controller *f)
{
	for (int i = 0; i < 6; i++) {
		follow(f);
		gosched();
	}
}

static void start(struct controller *f, int messages)
{
	nvme_start(f->n, (unsigned)messages, no_line);
	f->gone |= !f->disk;
}

static void request(struct controller *f, int op)
{
	struct blkdev *d = f->disk;
	if (d && d->block <= 4096 && d->bytes >= 65536)
		d->io(d, op % 4, (uint64_t)d->block * (unsigned)(op >> 4), op % 4 >= BLK_FLUSH ? NULL : f->memory,
		      op % 4 == BLK_FLUSH ? 0 : op & 4 ? 3 * 4096 : d->block);
}

static void setup(void)
{
	fuzz_found_disk = found;
	nvme_patience = 5 * Millisecond;
}

FUZZ(nvme, setup)
{
	struct controller *f = dma_alloc(sizeof *f, 64);
	uint8_t how = fuzz_byte(&p, &n), size = fuzz_byte(&p, &n);

	f->regs = fuzz_zeroed(NVME_WINDOW); /* stays: its driver's tasks do */
	f->memory = dma_alloc(4 * 4096, 4096);
	f->stride = 4u << (how >> 4 & 7);
	*reg(f, 0) = (size ? size : 1u);
	*reg(f, 4) = 1 << 5 | (how >> 4 & 7) | (how & 8 ? (uint32_t)fuzz_byte(&p, &n) << 8 : 0);
	f->n = nvme_new(f->regs, "fuzz");
	now = f;
	go(start, f, how & 1 ? 0 : QUEUES);
	for (int i = 0; i < 400 && !f->disk && !f->gone; i++) { /* to its first disk, unless the input ends it */
		yield(f);
		if (*reg(f, CC) == 0)
			sleep(Millisecond);
		serve(f, 0, how & 4 && n ? fuzz_byte(&p, &n) & 1 : 0, &p, &n);
	}
	for (int i = 0; i < 64 && n; i++) {
		uint8_t what = fuzz_byte(&p, &n);
		unsigned q = what / 8 % QUEUES;
		switch (what % 8) {
		case 0:
		case 1:
			go(request, f, (int)fuzz_byte(&p, &n));
			break;
		case 2:
		case 3:
			serve(f, q, what & 1 ? 0 : fuzz_byte(&p, &n), &p, &n);
			break;
		case 4: {
			uint8_t id = fuzz_byte(&p, &n);
			complete(f, q, (uint16_t)(what >> 6), id, id, fuzz_byte(&p, &n));
			break;
		}
		case 5: /* a phase out of turn, an interrupt for nothing */
			if (f->q[q].cq)
				f->q[q].cq[16 * (fuzz_byte(&p, &n) % f->q[q].size) + 14] ^= 1;
			io_signal(nvme_event(f->n, q));
			break;
		case 6:
			serve(f, 0, 0, &p, &n);
			break;
		case 7:
			if (fuzz_byte(&p, &n) % 8 == 0)
				*reg(f, CSTS) |= 2;
		}
		yield(f);
	}
	f->gone = true;
	for (int i = 0; i < 20; i++)
		yield(f);
	now = NULL;
}
