/* nvme.c: the NVMe driver against a controller made here, which keeps the rules or
 * breaks one of them: whatever it does is an error in the program, a line on the
 * console, and no more.
 *
 * The controller is a task that looks at its registers and doorbells, as memory,
 * and marks the queues' events as interrupts would.
 *
 * test: limit=240 */
#include <stdlib.h>
#include <string.h>
#include "drivers/nvme.h"
#include "test.h"

#define BLOCK 512
#define DISK_BYTES (1u << 19)
#define QUEUES 5 /* with the one for administration */
#define MAX_SIZE 128

enum mode {
	GOOD, BAD_ID, FREE_ID, WRONG_QUEUE, SILENT, FATAL, GONE, IOERR, UNSUPP, FULL, /* requests */
	NO_READY, NO_IDENTIFY, NO_QUEUES, ODD_BLOCKS, METADATA, NOT_NVM, STUCK,       /* the start */
};

struct fake {
	byte *regs;
	struct nvme *n;
	intptr_t delta;        /* from an address that the device is told to one of ours */
	bool line;
	enum mode mode;        /* atomic */
	int64 after;           /* requests that are answered well before mode counts */
	bool on;
	struct {
		uint64_t sq, cq;
		uint32_t size, head, tail; /* taken of sq; written to cq */
		uint16_t phase;
	} q[QUEUES];
	byte *disk;
	int64 flushed, discarded;
};

static uint32_t reg(struct fake *f, unsigned at) { return atomic_load((uint32_t *)(f->regs + at)); }
static void set_reg(struct fake *f, unsigned at, uint32_t v) { atomic_store((uint32_t *)(f->regs + at), v); }
static byte *memory(struct fake *f, uint64_t at) { return (byte *)(uintptr_t)(at + (uint64_t)f->delta); }

static uint64_t reg64(struct fake *f, unsigned at)
{
	return reg(f, at) | (uint64_t)reg(f, at + 4) << 32;
}

/* The piece of a request's memory at `off`, and how much of it is there (4.3). */
static byte *data(struct fake *f, const uint64_t *cmd, size_t n, size_t off, size_t *room)
{
	uint64_t first = 4096 - (cmd[3] & 4095);
	*room = 4096;
	if (off < first) {
		*room = first - off;
		return memory(f, cmd[3] + off);
	}
	if (n <= first + 4096)
		return memory(f, cmd[4] + (off - first));
	uint64_t page;
	memcpy(&page, memory(f, cmd[4]) + (off - first) / 4096 * 8, 8);
	return memory(f, page + (off - first) % 4096);
}

static void move(struct fake *f, const uint64_t *cmd, byte *disk, size_t n, bool to_disk)
{
	size_t room;
	for (size_t off = 0; off < n; off += room) {
		byte *p = data(f, cmd, n, off, &room);
		if (room > n - off)
			room = n - off;
		memcpy(to_disk ? disk + off : p, to_disk ? p : disk + off, room);
	}
}

static void identify(struct fake *f, const uint64_t *cmd, const uint32_t *dw)
{
	byte *p = memory(f, cmd[3]);
	uint32_t nsid = dw[1], block = atomic_load(&f->mode) == ODD_BLOCKS ? 7 : 9;
	memset(p, 0, 4096);
	if (dw[10] == 1) {
		memcpy(p + 4, "fake                ", 20);
		p[77] = 5; /* 128 KiB */
		p[520] = 4;
		p[525] = 1;
	} else if (nsid == 1) {
		uint64_t blocks = DISK_BYTES / BLOCK;
		uint32_t format = block << 16 | (atomic_load(&f->mode) == METADATA ? 8 : 0);
		memcpy(p, &blocks, 8);
		memcpy(p + 128, &format, 4);
	}
}

/* Executes a command: its status. */
static unsigned execute(struct fake *f, unsigned qid, const uint64_t *cmd, uint32_t *dw0, enum mode mode)
{
	uint32_t dw[16];
	memcpy(dw, cmd, 64);
	unsigned op = dw[0] & 0xff;
	if (qid == 0) {
		unsigned id = dw[10] & 0xffff;
		if (op == 6) {
			identify(f, cmd, dw);
			return atomic_load(&f->mode) == NO_IDENTIFY ? 2 : 0;
		}
		if (op == 9)
			*dw0 = (QUEUES - 2) << 16 | (QUEUES - 2);
		if (op == 5 || op == 1) {
			if (id >= QUEUES || atomic_load(&f->mode) == NO_QUEUES)
				return 0x101;
			f->q[id].size = (dw[10] >> 16) + 1;
			f->q[id].phase = 1;
			*(op == 5 ? &f->q[id].cq : &f->q[id].sq) = cmd[3];
		}
		return 0;
	}
	if (mode == IOERR || mode == UNSUPP || mode == FULL)
		return mode == IOERR ? 0x281 : mode == FULL ? 0x81 : 1;
	size_t at = (size_t)cmd[5] * BLOCK, n = ((dw[12] & 0xffff) + 1) * BLOCK;
	if (op == 0) {
		atomic_add(&f->flushed, 1);
	} else if (op == 9) {
		uint32_t range[4];
		memcpy(range, memory(f, cmd[3]), 16);
		memset(f->disk + (size_t)range[2] * BLOCK, 0, (size_t)range[1] * BLOCK);
		atomic_add(&f->discarded, range[1]);
	} else if (at + n > DISK_BYTES) {
		return 0x80;
	} else {
		move(f, cmd, f->disk + at, n, op == 1);
	}
	return 0;
}

static void complete(struct fake *f, unsigned qid, unsigned sqid, uint32_t id, uint32_t dw0, unsigned status)
{
	uint32_t c[4] = { dw0, 0, sqid << 16 | f->q[qid].head, id | (status << 1 | f->q[qid].phase) << 16 };
	byte *at = memory(f, f->q[qid].cq) + 16 * f->q[qid].tail;
	memcpy(at, c, 12);
	atomic_store((uint32_t *)(at + 12), c[3]);
	if (++f->q[qid].tail == f->q[qid].size) {
		f->q[qid].tail = 0;
		f->q[qid].phase ^= 1;
	}
	io_signal(nvme_event(f->n, f->line ? 0 : qid));
}

/* Takes a command of the queue if there is one. */
static bool serve(struct fake *f, unsigned qid)
{
	uint64_t cmd[8];
	uint32_t dw0 = 0;
	if (!f->q[qid].cq || f->q[qid].head == reg(f, 0x1000 + 8 * qid))
		return false;
	enum mode mode = qid && atomic_load(&f->mode) && atomic_add(&f->after, -1) < 0 ? atomic_load(&f->mode) : GOOD;
	if (mode == SILENT || mode == GONE || mode == FATAL) {
		if (mode != SILENT)
			set_reg(f, 0x1c, mode == GONE ? UINT32_MAX : 3);
		return false;
	}
	memcpy(cmd, memory(f, f->q[qid].sq) + 64 * f->q[qid].head, 64);
	f->q[qid].head = (f->q[qid].head + 1) % f->q[qid].size;
	unsigned status = execute(f, qid, cmd, &dw0, mode);
	uint32_t id = (uint32_t)cmd[0] >> 16;
	complete(f, qid, mode == WRONG_QUEUE ? qid + 1 : qid, mode == BAD_ID ? 5000 : id, dw0, status);
	if (mode == FREE_ID)
		complete(f, qid, qid, id, dw0, status);
	return true;
}

static void controller(void *arg)
{
	struct fake *f = arg;
	for (;;) {
		bool wanted = reg(f, 0x14) & 1, any = false;
		enum mode mode = atomic_load(&f->mode);
		if (wanted != f->on && mode != NO_READY && mode != STUCK) {
			f->on = wanted;
			memset(f->q, 0, sizeof f->q);
			memset(f->regs + 0x1000, 0, 8 * QUEUES);
			f->q[0].sq = reg64(f, 0x28);
			f->q[0].cq = reg64(f, 0x30);
			f->q[0].size = (reg(f, 0x24) & 0xfff) + 1;
			f->q[0].phase = 1;
			if (reg(f, 0x1c) != UINT32_MAX)
				set_reg(f, 0x1c, wanted);
		}
		for (unsigned i = 0; f->on && i < QUEUES; i++)
			while (serve(f, i))
				any = true;
		if (!any)
			sleep(20 * Microsecond);
	}
}

static void line_done(struct io_event *ev) {}

static struct fake *make(void)
{
	struct fake *f = dma_alloc(sizeof *f, 64);
	f->regs = dma_alloc(NVME_WINDOW, 4096);
	f->disk = dma_alloc(DISK_BYTES, 64);
	f->delta = (intptr_t)f->regs - (intptr_t)plat_dma_addr(f->regs, 8);
	set_reg(f, 0, (MAX_SIZE - 1) | 4 << 24); /* 2.5 s to start */
	set_reg(f, 4, 1 << 5);
	f->n = nvme_new(f->regs, "test");
	disk_count(); /* what the machine has comes first */
	rt_go_system(controller, f);
	return f;
}

static const char *why(const char *s) { return s ? s : ""; }

static disk *start(struct fake *f)
{
	int before = disk_count();
	CHECK_STR(why(nvme_start(f->n, f->line ? 0 : QUEUES, line_done)), "");
	return disk_open(before);
}

/* ---- what it does ----------------------------------------------------------------- */

static void work(disk *d, int me, int64 *errors, wait_group *wg)
{
	size_t most = 3 * 4096;
	byte *p = rt_make(byte, most + 4096), *want = rt_make(byte, most + 4096);
	for (int i = 0; i < 20; i++) {
		size_t n = BLOCK * (1 + (size_t)(me * 7 + i * 5) % (most / BLOCK)), shift = (size_t)(i * 44 % 4096);
		memset(want + shift, me * 20 + i, n);
		error e = TRY(disk_write_at(d, want + shift, n, (int64)(me * most)));
		error g = e ? e : TRY(disk_read_at(d, p + 4096 - shift, n, (int64)(me * most)));
		if (e || g)
			atomic_add(errors, 1);
		else if (memcmp(p + 4096 - shift, want + shift, n) != 0)
			TEST_FAIL("task %d reads what it did not write", me);
	}
	wait_group_done(wg);
}

static int64 work_all(disk *d, int tasks)
{
	int64 errors = 0;
	wait_group wg = {};
	wait_group_add(&wg, tasks);
	for (int t = 0; t < tasks; t++)
		go(work, d, t, &errors, &wg);
	wait_group_wait(&wg);
	return errors;
}

TEST(good)
{
	for (int line = 0; line < 2; line++) {
		struct fake *f = make();
		f->line = line;
		disk *d = start(f);
		CHECK_STR(disk_driver(d), "nvme");
		CHECK_STR(disk_serial(d), "fake");
		CHECK_EQ(disk_size(d), DISK_BYTES);
		CHECK_EQ(work_all(d, 40), 0);
		CHECK(disk_flush(d) == NULL);
		CHECK_EQ(f->flushed, 1);

		/* More than it takes at a time, in a list of pages; at an odd address. */
		byte *p = rt_make(byte, 300001), *q = rt_make(byte, 300001);
		for (size_t i = 0; i < 300001; i++)
			p[i] = (byte)(i * 7 ^ i >> 8);
		CHECK(TRY(disk_write_at(d, p + 1, 586 * BLOCK, BLOCK)) == NULL);
		CHECK(TRY(disk_read_at(d, q + 1, 586 * BLOCK, BLOCK)) == NULL);
		CHECK(memcmp(p + 1, q + 1, 586 * BLOCK) == 0 && memcmp(f->disk + BLOCK, p + 1, 586 * BLOCK) == 0);
		CHECK(disk_discard(d, BLOCK, 100 * BLOCK) == NULL);
		CHECK_EQ(f->discarded, 100);
		CHECK(disk_read_at(d, q, 102 * BLOCK, 0) == NULL);
		CHECK(is_zero(q + BLOCK, 100 * BLOCK) && memcmp(q + 101 * BLOCK, f->disk + 101 * BLOCK, BLOCK) == 0);
	}
}

/* Breaks one rule while many tasks wait: the controller is given up, everybody gets
 * an error, and so does whoever comes later. */
static void broken(enum mode mode)
{
	struct fake *f = make();
	disk *d = start(f);
	CHECK_EQ(work_all(d, 4), 0);
	atomic_store(&f->after, 50);
	atomic_store(&f->mode, mode);
	CHECK(work_all(d, 30) > 0);
	CHECK(disk_read_at(d, rt_make(byte, 512), 512, 0) == disk_err_failed);
	CHECK_EQ(reg(f, 0x14), 0); /* switched off */
}

TEST(bad_id) { broken(BAD_ID); }
TEST(free_id) { broken(FREE_ID); }
TEST(wrong_queue) { broken(WRONG_QUEUE); }
TEST(fatal_status) { broken(FATAL); }
TEST(taken_out) { broken(GONE); }

TEST(silent)
{
	nvme_patience = 300 * Millisecond;
	broken(SILENT);
	nvme_patience = 30 * Second;
}

TEST(errors)
{
	const struct {
		enum mode mode;
		error want;
	} cases[] = { { IOERR, disk_err_io }, { UNSUPP, disk_err_unsupported }, { FULL, disk_err_space } };
	struct fake *f = make();
	disk *d = start(f);
	byte *p = rt_make(byte, 512);
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		atomic_store(&f->after, 0);
		atomic_store(&f->mode, cases[i].mode);
		CHECK(disk_write_at(d, p, 512, 0) == cases[i].want);
		atomic_store(&f->mode, GOOD);
		CHECK(disk_write_at(d, p, 512, 0) == NULL);
	}
	CHECK_EQ(work_all(d, 10), 0);
}

TEST(refused_at_start)
{
	const struct {
		enum mode mode;
		const char *why;
	} cases[] = {
		{ NO_READY, "it does not start" }, { NO_IDENTIFY, "it does not say what it is" },
		{ NO_QUEUES, "it makes no queues" }, { NOT_NVM, "it cannot do what this driver needs" },
		{ STUCK, "it does not stop" }, { ODD_BLOCKS, "" }, { METADATA, "" },
	};
	int before = disk_count();
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fake *f = make();
		f->mode = cases[i].mode;
		if (f->mode == NO_READY || f->mode == STUCK) {
			set_reg(f, 0, MAX_SIZE - 1); /* 0.5 s */
			set_reg(f, 0x1c, f->mode == STUCK);
		}
		if (f->mode == NOT_NVM)
			set_reg(f, 4, 0);
		CHECK_STR(why(nvme_start(f->n, QUEUES, NULL)), cases[i].why);
	}
	CHECK_EQ(disk_count(), before);
}

TEST_MAIN
{
	RUN(good);
	RUN(bad_id);
	RUN(free_id);
	RUN(wrong_queue);
	RUN(fatal_status);
	RUN(taken_out);
	RUN(silent);
	RUN(errors);
	RUN(refused_at_start);
}
