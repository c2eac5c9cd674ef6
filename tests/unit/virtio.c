/* virtio.c: the virtio core, virtio-blk, -net and -rng against a device made
 * here, which keeps the rules or breaks one of them: whatever it does is an
 * error in the program, a line on the console, and no more.
 *
 * The device is a task: it is notified, reads the rings as a device does, and
 * marks the queue's event as an interrupt would.
 *
 * test: limit=240 */
#include <stdlib.h>
#include <string.h>
#include "drivers/virtio.h"
#include "test.h"

#define DISK_BYTES (1u << 18)

enum mode {
	GOOD, JUMP, BAD_ID, FREE_ID, TWICE, TOO_LONG, SHORT, NO_STATUS, IOERR, UNSUPP, ODD_STATUS, SILENT,
	HDR_SHORT, HDR_NO_BUFFERS, HDR_MANY_BUFFERS, HDR_CSUM,
};

struct fake {
	struct virtio v;
	uint64_t offered;
	uint32_t status;
	bool gone;             /* pulled out: all ones */
	bool refuses;          /* FEATURES_OK does not stick */
	unsigned nqueues, entries;
	uint8_t config[64];
	uint64_t after_reset;  /* offered then, if not 0 */
	unsigned resets;
	enum mode mode;        /* atomic */
	int64 after;           /* requests that are answered well before mode counts; atomic */
	struct io_event kick;
	uint16_t seen[16];     /* taken of each avail ring */
	uint8_t *disk;
	uint8_t frame[2048];   /* what a buffer gets next */
	unsigned frame_len;
	wait_group answered;
};

/* ---- the registers ------------------------------------------------------------- */

static struct fake *of(struct virtio *d) { return d->bus; }

static uint8_t status(struct virtio *d) { return of(d)->gone ? STATUS_GONE : (uint8_t)atomic_load(&of(d)->status); }

static void set_status(struct virtio *d, uint8_t s)
{
	struct fake *f = of(d);
	if (s == 0) {
		f->resets++;
		memset(f->seen, 0, sizeof f->seen);
		atomic_store(&f->mode, GOOD);
		if (f->after_reset && f->resets > 1)
			f->offered = f->after_reset;
	}
	if (f->refuses)
		s &= (uint8_t)~STATUS_FEATURES_OK;
	atomic_store(&f->status, (uint32_t)s);
}

static uint32_t features(struct virtio *d, unsigned word) { return (uint32_t)(of(d)->offered >> 32 * word); }
static void set_features(struct virtio *d, unsigned word, uint32_t bits) {}

static uint32_t config(struct virtio *d, unsigned off, unsigned size)
{
	uint32_t v = 0;
	memcpy(&v, of(d)->config + off, size);
	return v;
}

static void set_config(struct virtio *d, unsigned off, unsigned size, uint32_t v) {}
static uint32_t generation(struct virtio *d) { return 0; }
static unsigned queue_max(struct virtio *d, unsigned i) { return i < of(d)->nqueues ? of(d)->entries : 0; }
static const char *queue_on(struct virtio *d, struct virtq *q) { return NULL; }
static void notify(struct virtio *d, struct virtq *q) { io_signal(&of(d)->kick); }
static uint32_t irq_ack(struct virtio *d) { return ISR_QUEUE; }
static void irq_done(struct virtio *d) {}

static const struct virtio_ops ops = {
	.status = status, .set_status = set_status, .features = features, .set_features = set_features,
	.config = config, .set_config = set_config, .generation = generation, .queue_max = queue_max,
	.queue_on = queue_on, .notify = notify, .irq_ack = irq_ack, .irq_done = irq_done,
};

/* ---- the device's side of a queue ------------------------------------------------ */

struct piece {
	uint8_t *p;
	uint32_t n;
	bool write;
};

#define PIECES 16
static unsigned pieces_of(struct virtq *q, uint16_t head, struct piece *v)
{
	struct vring_desc *t = q->desc, *d = &t[head];
	unsigned n = 0;
	if (d->flags & 4) {
		t = (struct vring_desc *)(uintptr_t)q->indirect + head * VIRTQ_INDIRECT;
		d = t;
	}
	for (;; d = &t[d->next]) {
		uint64_t addr = __atomic_load_n(&d->addr, __ATOMIC_RELAXED);
		if (!addr || n == PIECES) /* the driver took it back meanwhile: a reset */
			return 0;
		/* On metal the address is physical; the device of this test sees it through
		 * the difference to an address known by both. */
		intptr_t delta = (intptr_t)q->desc - (intptr_t)virtq_addr(q->desc);
		v[n++] = (struct piece){ (uint8_t *)(uintptr_t)(addr + (uint64_t)delta), d->len, d->flags & 2 };
		if (!(d->flags & 1))
			return n;
	}
}

static void use(struct virtq *q, uint32_t id, uint32_t len, unsigned step)
{
	uint16_t at = q->used->idx, event;
	q->used->ring[at & (q->size - 1)] = (struct vring_used_elem){ id, len };
	__atomic_store_n(&q->used->idx, (uint16_t)(at + step), __ATOMIC_SEQ_CST);
	event = __atomic_load_n(&q->avail->ring[q->size], __ATOMIC_SEQ_CST);
	/* An interrupt only if the driver wants it. */
	if (q->event_idx ? (uint16_t)(at + step - event - 1) < step
	                 : !(__atomic_load_n(&q->avail->flags, __ATOMIC_SEQ_CST) & 1))
		io_signal(&q->ev);
}

/* virtio-blk's answer: how many bytes it says it wrote. */
static uint32_t do_block(struct fake *f, struct piece *v, unsigned n, enum mode mode)
{
	uint32_t type, wrote = 1;
	uint64_t sector;
	memcpy(&type, v[0].p, 4);
	memcpy(&sector, v[0].p + 8, 8);
	uint8_t *end = v[n - 1].p;
	for (unsigned i = 1; i + 1 < n; i++) {
		if (type == 0) {
			memcpy(v[i].p, f->disk + sector * 512, v[i].n);
			wrote += v[i].n;
		} else if (type == 1) {
			memcpy(f->disk + sector * 512, v[i].p, v[i].n);
		} else if (type == 8) {
			memcpy(v[i].p, "fake", 5);
			wrote += v[i].n;
		}
	}
	if (mode != NO_STATUS)
		*end = mode == IOERR ? 1 : mode == UNSUPP ? 2 : mode == ODD_STATUS ? 77 : 0;
	return mode == SHORT ? wrote - 100 : wrote;
}

/* An entry with which no request begins, also when the driver comes to look: the second of
 * this one, or the last of several free ones; if there is none, this. */
static uint32_t no_request(struct virtq *q, uint16_t head)
{
	if (!q->indirect)
		return q->desc[head].next;
	uint32_t id = head;
	mutex_lock(&q->m);
	if (q->nfree >= 4) {
		id = q->free_head;
		for (unsigned i = 1; i < q->nfree; i++)
			id = q->slot[id].next;
	}
	mutex_unlock(&q->m);
	return id;
}

/* Takes one request of q if there is one. */
static bool serve(struct fake *f, struct virtq *q)
{
	uint16_t *seen = &f->seen[q->index];
	if (*seen == __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE))
		return false;
	bool misbehave = atomic_load(&f->mode) != GOOD && atomic_add(&f->after, -1) < 0;
	enum mode mode = misbehave ? atomic_load(&f->mode) : GOOD;
	if (mode == SILENT)
		return false;
	uint16_t head = q->avail->ring[*seen & (q->size - 1)];
	struct piece v[PIECES];
	unsigned n = pieces_of(q, head, v);
	if (n == 0)
		return false;
	uint32_t len = 0, room = 0;
	bool answered = false;
	for (unsigned i = 0; i < n; i++)
		room += v[i].write ? v[i].n : 0;
	if (f->v.id == VIRTIO_BLK) {
		len = do_block(f, v, n, mode);
	} else if (f->v.id == VIRTIO_RNG) {
		memset(v[0].p, 0x5a, v[0].n);
		len = v[0].n > 3 ? 3 : v[0].n; /* little at a time */
	} else if (q->index == 0) { /* virtio-net: waits for a frame */
		if (!f->frame_len)
			return false;
		memcpy(v[0].p, f->frame, f->frame_len);
		len = f->frame_len;
		f->frame_len = 0;
		answered = true;
	}
	++*seen;
	switch (mode) {
	case JUMP:
		use(q, head, len, q->size + 7u);
		break;
	case BAD_ID:
		use(q, q->size + 3u, len, 1);
		break;
	case FREE_ID:
		use(q, no_request(q, head), len, 1);
		break;
	case TWICE: /* both at once, or the driver gives it out again between them */
		q->used->ring[(q->used->idx + 1) & (q->size - 1)] = (struct vring_used_elem){ head, len };
		use(q, head, len, 2);
		break;
	case TOO_LONG:
		use(q, head, room + 1, 1);
		break;
	default:
		use(q, head, len, 1);
	}
	if (answered)
		wait_group_done(&f->answered);
	return true;
}

static void device(void *arg)
{
	struct fake *f = arg;
	for (;;) {
		io_wait(&f->kick);
		if (!(atomic_load(&f->status) & STATUS_DRIVER_OK) || f->gone)
			continue;
		for (unsigned i = 0; i < f->v.nq; i++) {
			struct virtq *q = f->v.q[i];
			if (!q)
				continue;
			do {
				while (serve(f, q))
					gosched();
				/* Wants to be told of the next; and looks again. */
				uint16_t *event = (uint16_t *)&q->used->ring[q->size];
				__atomic_store_n(event, f->seen[i], __ATOMIC_SEQ_CST);
			} while (serve(f, q));
		}
	}
}

static void put(struct fake *f, unsigned off, unsigned size, uint64_t v) { memcpy(f->config + off, &v, size); }

static struct fake *make(const struct virtio_driver *drv, uint64_t feature)
{
	struct fake *f = dma_alloc(sizeof *f, 64);
	f->v.bus = f;
	f->v.ops = &ops;
	f->v.id = drv->id;
	f->v.nmsg = 32;
	strcpy(f->v.where, "test");
	f->offered = VIRTIO_F_VERSION_1 | feature;
	f->nqueues = 8;
	f->entries = 16;
	f->disk = dma_alloc(DISK_BYTES, 64);
	rt_go_system(device, f);
	return f;
}

#define BLK_FEATURES (1ull << 9 | 1ull << 12) /* flush, several queues */

static struct fake *make_blk(uint64_t feature)
{
	struct fake *f = make(&virtio_blk_driver, BLK_FEATURES | feature);
	disk_count(); /* what the machine has comes first */
	put(f, 0, 8, DISK_BYTES / 512);
	put(f, 34, 2, 4);
	return f;
}

static disk *start_blk(struct fake *f)
{
	int before = disk_count();
	return virtio_start(&f->v, &virtio_blk_driver) ? disk_open(before) : NULL;
}

/* ---- disks ------------------------------------------------------------------------ */

static void work(disk *d, int me, int64 *errors, wait_group *wg)
{
	byte *p = rt_make(byte, 4096), *want = rt_make(byte, 4096);
	for (int i = 0; i < 20; i++) {
		memset(want, me * 20 + i, 4096);
		error e = disk_write_at(d, want, 4096, me * 4096);
		error g = e ? e : disk_read_at(d, p, 4096, me * 4096);
		if (e || g)
			atomic_add(errors, 1);
		else if (memcmp(p, want, 4096) != 0)
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

TEST(blk_good)
{
	static const uint64_t features[] = { 0, VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC,
		                             VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC };
	for (int i = 0; i < 4; i++) {
		disk *d = start_blk(make_blk(features[i]));
		CHECK(d != NULL);
		CHECK_STR(disk_serial(d), "fake");
		CHECK_EQ(disk_size(d), DISK_BYTES);
		CHECK_EQ(work_all(d, 40), 0);
		CHECK(disk_flush(d) == NULL);
	}
}

/* Breaks one rule while many tasks wait: the device is given up, everybody gets
 * an error, and so does whoever comes later. */
static void broken(enum mode mode, const char *why)
{
	for (int i = 0; i < 2; i++) {
		struct fake *f = make_blk(i ? VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC : 0);
		disk *d = start_blk(f);
		CHECK_EQ(work_all(d, 4), 0);
		atomic_store(&f->after, 50);
		atomic_store(&f->mode, mode);
		CHECK(work_all(d, 30) > 0);
		CHECK(disk_read_at(d, rt_make(byte, 512), 512, 0) == disk_err_failed);
		/* Twice the only one that was outstanding is more than there were. */
		if (mode != TWICE || strcmp(f->v.why, "its used index jumped") != 0)
			CHECK_STR(f->v.why, why);
		CHECK_EQ(f->status, 0);
	}
}

TEST(blk_used_index_jumps) { broken(JUMP, "its used index jumped"); }
TEST(blk_bad_id) { broken(BAD_ID, "it returned a buffer that it did not have"); }
TEST(blk_free_id) { broken(FREE_ID, "it returned a buffer that it did not have"); }
TEST(blk_twice) { broken(TWICE, "it returned a buffer that it did not have"); }
TEST(blk_silent)
{
	virtio_blk_patience = 300 * Millisecond;
	broken(SILENT, "it left a request unanswered");
	virtio_blk_patience = 30 * Second;
}
TEST(blk_too_long) { broken(TOO_LONG, "it wrote more than there was room for"); }

TEST(blk_errors)
{
	const struct {
		enum mode mode;
		error want;
	} cases[] = {
		{ SHORT, disk_err_broken }, { NO_STATUS, disk_err_broken }, { IOERR, disk_err_io },
		{ UNSUPP, disk_err_unsupported }, { ODD_STATUS, disk_err_io },
	};
	struct fake *f = make_blk(VIRTIO_F_EVENT_IDX);
	disk *d = start_blk(f);
	byte *p = rt_make(byte, 512);
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		atomic_store(&f->after, 0);
		atomic_store(&f->mode, cases[i].mode);
		CHECK(disk_read_at(d, p, 512, 0) == cases[i].want);
		atomic_store(&f->mode, GOOD);
		CHECK(disk_read_at(d, p, 512, 0) == NULL);
	}
	CHECK_EQ(work_all(d, 10), 0);
}

/* The device wants a reset, with requests in flight: they are made again. */
TEST(blk_needs_reset)
{
	struct fake *f = make_blk(VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC);
	disk *d = start_blk(f);
	for (int round = 0; round < 3; round++) {
		atomic_store(&f->after, 20);
		atomic_store(&f->mode, SILENT);
		int64 errors = 0;
		wait_group wg = {};
		wait_group_add(&wg, 20);
		for (int t = 0; t < 20; t++)
			go(work, d, t, &errors, &wg);
		while (atomic_load(&f->after) >= 0)
			sleep(Millisecond);
		unsigned resets = f->resets;
		atomic_store(&f->status, f->status | STATUS_NEEDS_RESET);
		io_signal(&f->v.change);
		wait_group_wait(&wg);
		CHECK_EQ(errors, 0);
		CHECK_EQ(f->resets, resets + 1);
	}
	CHECK_EQ(work_all(d, 10), 0);
}

/* Over and over is not recovered from, nor is one that changes its features. */
TEST(blk_reset_limits)
{
	struct fake *f = make_blk(0);
	disk *d = start_blk(f);
	for (int i = 0; i < 20 && !virtio_failed(&f->v); i++) {
		atomic_store(&f->status, f->status | STATUS_NEEDS_RESET);
		io_signal(&f->v.change);
		while (atomic_load(&f->status) & STATUS_NEEDS_RESET)
			sleep(Millisecond);
		sleep(Millisecond);
	}
	CHECK(disk_flush(d) == disk_err_failed);

	f = make_blk(0);
	f->after_reset = VIRTIO_F_VERSION_1;
	d = start_blk(f);
	atomic_store(&f->status, f->status | STATUS_NEEDS_RESET);
	io_signal(&f->v.change);
	while (!virtio_failed(&f->v))
		sleep(Millisecond);
	CHECK(disk_read_at(d, rt_make(byte, 512), 512, 0) == disk_err_failed);
}

TEST(blk_taken_out)
{
	struct fake *f = make_blk(0);
	disk *d = start_blk(f);
	atomic_store(&f->after, 100);
	atomic_store(&f->mode, SILENT);
	int64 errors = 0;
	wait_group wg = {};
	wait_group_add(&wg, 10);
	for (int t = 0; t < 10; t++)
		go(work, d, t, &errors, &wg);
	while (atomic_load(&f->after) >= 0)
		sleep(Millisecond);
	f->gone = true;
	io_signal(&f->v.change);
	wait_group_wait(&wg);
	CHECK(errors > 0);
	CHECK_STR(f->v.why, "it was taken out");
}

TEST(blk_grows)
{
	struct fake *f = make_blk(0);
	disk *d = start_blk(f);
	put(f, 0, 8, DISK_BYTES / 1024);
	io_signal(&f->v.change);
	while (disk_size(d) != DISK_BYTES / 2)
		sleep(Millisecond);
	CHECK(disk_read_at(d, rt_make(byte, 512), 512, DISK_BYTES / 2) == disk_err_range);
}

/* What is wrong before it starts. */
TEST(refused)
{
	int before = disk_count();
	struct fake *f = make_blk(0);
	f->offered &= ~VIRTIO_F_VERSION_1;
	CHECK(!start_blk(f));
	f = make_blk(VIRTIO_F_ACCESS_PLATFORM);
	CHECK(!start_blk(f));
	f = make_blk(0);
	f->refuses = true;
	CHECK(!start_blk(f));
	f = make_blk(0);
	f->nqueues = 0;
	CHECK(!start_blk(f));
	f = make_blk(1ull << 6);
	put(f, 20, 4, 513);
	CHECK(!start_blk(f));
	f = make_blk(1ull << 1);
	put(f, 8, 4, 512);
	CHECK(!start_blk(f));
	CHECK_EQ(disk_count(), before);
	f = make_blk(0);
	put(f, 0, 8, UINT64_MAX);
	disk *d = start_blk(f);
	CHECK_EQ(disk_size(d), 0);
}

/* ---- entropy and frames ------------------------------------------------------------- */

TEST(rng)
{
	struct fake *f = make(&virtio_rng_driver, 0);
	byte p[100];
	CHECK(virtio_start(&f->v, &virtio_rng_driver));
	memset(p, 0, sizeof p);
	entropy_read(p, sizeof p); /* whatever comes, it ends */
	if (entropy_device()) {
		atomic_store(&f->mode, TOO_LONG);
		entropy_read(p, sizeof p);
		entropy_read(p, sizeof p);
	}
}

static struct fake *net;
static nic *n;

static byte got[8192];

/* The device puts these bytes in its next buffer, the header first. */
static void fill_one(const void *header, unsigned header_len, unsigned len)
{
	wait_group_add(&net->answered, 1);
	memcpy(net->frame, header, header_len);
	memset(net->frame + header_len, 7, len);
	__atomic_store_n(&net->frame_len, header_len + len, __ATOMIC_RELEASE);
	io_signal(&net->kick);
	wait_group_wait(&net->answered);
}

/* The device receives these bytes behind this header; false: it was dropped. */
static bool receive(const void *header, unsigned header_len, unsigned len)
{
	struct nic_stats before = nic_stats(n), now;
	fill_one(header, header_len, len);
	do {
		gosched();
		now = nic_stats(n);
	} while (now.rx_frames == before.rx_frames && now.rx_dropped == before.rx_dropped);
	if (now.rx_frames == before.rx_frames)
		return false;
	CHECK_EQ(nic_recv(n, got, sizeof got, 0), len);
	return true;
}

static const uint8_t whole[12] = { [10] = 1 }, two[12] = { [10] = 2 };

TEST(net_nonsense)
{
	int before = nic_count();
	net = make(&virtio_net_driver, 1ull << 15 | 1ull << 1);
	CHECK(virtio_start(&net->v, &virtio_net_driver));
	n = nic_open(before);
	CHECK(n != NULL);
	static const uint8_t *good = whole, none[12] = {}, many[12] = { [10] = 200 },
	                     csum[12] = { 1, [6] = 50, [8] = 16, [10] = 1 }, gso[12] = { [1] = 9, [10] = 1 };
	for (int i = 0; i < 50; i++) { /* more than there are buffers: all come back */
		CHECK(receive(good, 12, 60));
		CHECK(!receive(good, 5, 0));
		CHECK(!receive(none, 12, 60));
		CHECK(!receive(many, 12, 60));
		CHECK(!receive(csum, 12, 60));
		CHECK(!receive(gso, 12, 60));
		CHECK(!receive(good, 12, 13));
	}
	CHECK(receive(good, 12, 60));
	CHECK(nic_stats(n).rx_dropped >= 300);
}

TEST(net_large_frame)
{
	fill_one(two, 12, 2036);
	fill_one("", 0, 2048);
	CHECK_EQ(nic_recv(n, got, sizeof got, 0), 4084);
	for (int i = 0; i < 4084; i++)
		CHECK_EQ(got[i], 7);
	fill_one(two, 12, 2036);
	fill_one("", 0, 100);
	CHECK_EQ(nic_recv(n, got, 50, 0), 2136); /* what does not fit is gone */
	CHECK(receive(whole, 12, 60));
}

/* The sender left the checksum: of 13 words of 0707 it is ~5b5b. */
TEST(net_checksum_left)
{
	static const uint8_t left[12] = { 1, [6] = 34, [8] = 16, [10] = 1 };
	CHECK(receive(left, 12, 60));
	CHECK(got[49] == 7 && got[50] == 0xa4 && got[51] == 0xa4 && got[52] == 7);
}

/* A frame of which half has come when the device is reset: the next is not its rest. */
TEST(net_half_frame_and_reset)
{
	for (int i = 0; i < 3; i++) {
		struct nic_stats before = nic_stats(n);
		unsigned resets = net->resets;
		fill_one(two, 12, 100);
		struct virtq *q = net->v.q[0];
		while (__atomic_load_n(&q->last_used, __ATOMIC_ACQUIRE) != __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE)) /* it has the half */
			gosched();
		atomic_store(&net->status, net->status | STATUS_NEEDS_RESET);
		io_signal(&net->v.change);
		while (net->resets == resets || !(atomic_load(&net->status) & STATUS_DRIVER_OK))
			sleep(Millisecond);
		for (int ms = 0; nic_stats(n).rx_dropped == before.rx_dropped && ms < 5000; ms++)
			sleep(Millisecond);
		CHECK_EQ(nic_stats(n).rx_dropped, before.rx_dropped + 1);
		CHECK(receive(whole, 12, 60));
	}
}

TEST(net_fails)
{
	/* A device that fails is a wire that was cut. */
	atomic_store(&net->after, 0);
	atomic_store(&net->mode, JUMP);
	byte f[60] = {};
	for (int i = 0; i < 100; i++)
		CHECK(nic_send(n, f, sizeof f) == NULL);
	while (nic_link(n))
		sleep(Millisecond);
}

TEST(memory_disk)
{
	disk *d;
	byte p[1024], q[1024];
	while (!(d = disk_in_memory(1000))) /* nasty mode: memory that may fail does */
		;
	CHECK_EQ(disk_size(d), 1024);
	memset(p, 9, sizeof p);
	CHECK(TRY(disk_write_at(d, p, 1024, 0)) == NULL);
	CHECK(disk_discard(d, 512, 512) == NULL);
	CHECK(TRY(disk_read_at(d, q, 1000, 13)) == NULL);
	CHECK(q[0] == 9 && q[498] == 9 && q[499] == 0);
	CHECK(disk_read_at(d, q, 1, 1024) == disk_err_range);
	CHECK(disk_write_at(d, p, 512, -512) == disk_err_range);
	CHECK(disk_read_at(d, q, 0, 1024) == NULL);
	CHECK(disk_in_memory(-1) == NULL);
	CHECK(disk_discard(d, 0, -1) == disk_err_range);
}

TEST_MAIN
{
	RUN(blk_good);
	RUN(blk_used_index_jumps);
	RUN(blk_bad_id);
	RUN(blk_free_id);
	RUN(blk_twice);
	RUN(blk_too_long);
	RUN(blk_silent);
	RUN(blk_errors);
	RUN(blk_needs_reset);
	RUN(blk_reset_limits);
	RUN(blk_taken_out);
	RUN(blk_grows);
	RUN(refused);
	RUN(rng);
	RUN(net_nonsense);
	RUN(net_large_frame);
	RUN(net_checksum_left);
	RUN(net_half_frame_and_reset);
	RUN(net_fails);
	RUN(memory_disk);
}
