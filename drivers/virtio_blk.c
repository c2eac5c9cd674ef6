/* virtio_blk.c: disks (VIRTIO 1.2, 5.2): several queues, flush, discard.
 *
 * The task that wants a block puts a request on the queue of its core and waits
 * for the request's own event; the queue's task takes what is done and marks
 * it.  A request is a header, the data and a status byte: one entry of the ring
 * where there are indirect descriptors.
 *
 * A device that leaves a request unanswered for virtio_blk_patience is given up: what is under way and
 * what comes later ends with IO_FAILED.
 *
 * Invariants: requests are in DMA memory, as many as the ring has room for, free
 * ones in a list under the queue's lock; a request in flight belongs to the
 * device until virtq_take() or lost() gives it back. */
#include "virtio.h"

/* 5.2.3 */
#define BLK_F_SIZE_MAX (1ull << 1)
#define BLK_F_SEG_MAX (1ull << 2)
#define BLK_F_RO (1ull << 5)
#define BLK_F_BLK_SIZE (1ull << 6)
#define BLK_F_FLUSH (1ull << 9)
#define BLK_F_MQ (1ull << 12)
#define BLK_F_DISCARD (1ull << 13)
enum { CAPACITY = 0, SIZE_MAX_AT = 8, BLK_SIZE = 20, NUM_QUEUES = 34, MAX_DISCARD = 36 }; /* 5.2.4 */
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11 };               /* 5.2.6 */
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, S_NONE = 0xff };
#define SECTOR 512u
#define QUEUE_ENTRIES 128
#define MAX_BYTES (1u << 20)

int64_t virtio_blk_patience = 30 * Second;

struct request {
	struct { /* the device reads */
		uint32_t type, reserved;
		uint64_t sector;
	} head;
	struct {
		uint64_t sector;
		uint32_t count, flags;
	} discard;
	uint8_t status;      /* the device writes */
	uint32_t want;       /* bytes it is to write at least */
	bool busy;           /* under q->m */
	int64_t began;
	enum io_result result;
	struct io_event done;
	struct request *next; /* free list */
};

struct blk_queue {
	struct virtq *q;
	struct request *requests, *free; /* as many as the ring has entries; under q->m */
	cond room;            /* one was freed, or the device failed */
};

struct blk {
	struct blkdev dev;
	struct virtio *v;
	unsigned nq;
	bool added;
	struct io_watch watch;
	struct blk_queue queue[];
};

/* ---- the queue's task ------------------------------------------------------- */

static enum io_result result(const struct request *r, uint32_t len)
{
	switch (r->status) {
	case S_OK:
		return len < r->want ? IO_SHORT : IO_OK;
	case S_UNSUPP:
		return IO_UNSUPPORTED;
	case S_NONE:
		return IO_NO_ANSWER;
	default:
		return IO_ERROR;
	}
}

/* Under q->m. */
static void finish(struct blk *b, struct request *r, enum io_result result)
{
	r->busy = false;
	io_watch_end(&b->watch);
	r->result = result;
	io_signal(&r->done);
}

static void queue_task(void *arg)
{
	struct blk_queue *bq = arg;
	struct virtq *q = bq->q;
	for (;;) {
		io_wait(&q->ev);
		mutex_lock(&q->m);
		q->nirq++;
		do {
			uint32_t n;
			for (struct request *r; (r = virtq_take(q, &n));)
				finish(q->dev->priv, r, result(r, n));
		} while (virtq_irq_on(q, 1));
		mutex_unlock(&q->m);
	}
}

static void lost(struct virtio *d, const char *why)
{
	struct blk *b = d->priv;
	for (unsigned i = 0; i < b->nq; i++) {
		for (struct request *r; (r = virtq_detach(b->queue[i].q));)
			finish(b, r, why ? IO_FAILED : IO_RETRY);
		cond_broadcast(&b->queue[i].room);
	}
}

/* Looks after requests that get no answer, while there are some. */
static void watch_task(void *arg)
{
	struct blk *b = arg;
	while (!virtio_failed(b->v)) {
		int64_t old = io_watch_wait(&b->watch, virtio_blk_patience);
		bool late = false;
		for (unsigned i = 0; i < b->nq; i++) {
			struct blk_queue *bq = &b->queue[i];
			mutex_lock(&bq->q->m);
			for (unsigned k = 0; k < bq->q->size; k++)
				late |= bq->requests[k].busy && bq->requests[k].began < old;
			mutex_unlock(&bq->q->m);
		}
		if (late)
			virtio_bad(b->v, "it left a request unanswered");
	}
}

/* ---- a request ---------------------------------------------------------------- */

static enum io_result once_more(struct blk *b, uint32_t type, uint64_t off, void *p, uint64_t n)
{
	struct blk_queue *bq = &b->queue[plat_core_id() % b->nq];
	struct virtq *q = bq->q;
	struct request *r = NULL;
	mutex_lock(&q->m);
	while (!virtio_failed(b->v) && (!(r = bq->free) || !virtq_room(q, 3)))
		cond_wait(&bq->room);
	if (virtio_failed(b->v)) {
		mutex_unlock(&q->m);
		return IO_FAILED;
	}
	bq->free = r->next;
	r->head.type = type;
	r->head.reserved = 0;
	r->head.sector = type == T_IN || type == T_OUT ? off / SECTOR : 0;
	r->status = S_NONE;
	r->want = 1 + (type == T_IN ? (uint32_t)n : 0);
	struct virtq_buf v[3] = { { virtq_addr(&r->head), sizeof r->head } };
	unsigned nout = 1, nin = 1;
	if (type == T_DISCARD) {
		r->discard.sector = off / SECTOR;
		r->discard.count = (uint32_t)(n / SECTOR);
		r->discard.flags = 0;
		v[nout++] = (struct virtq_buf){ virtq_addr(&r->discard), sizeof r->discard };
	} else if (n) {
		v[1] = (struct virtq_buf){ plat_dma_addr(p, n), (uint32_t)n };
		*(type == T_OUT ? &nout : &nin) = 2;
	}
	v[nout + nin - 1] = (struct virtq_buf){ virtq_addr(&r->status), 1 };
	virtq_add(q, v, nout, nin, r);
	r->busy = true;
	r->began = nanotime();
	io_watch_begin(&b->watch);
	virtq_kick(q);
	mutex_unlock(&q->m);

	io_wait(&r->done);
	enum io_result result = r->result;
	mutex_lock(&q->m);
	r->next = bq->free;
	bq->free = r;
	cond_signal(&bq->room);
	mutex_unlock(&q->m);
	return result;
}

static enum io_result io(struct blkdev *dev, enum blk_op op, uint64_t off, void *p, uint64_t n)
{
	static const uint32_t types[] = { [BLK_READ] = T_IN, [BLK_WRITE] = T_OUT, [BLK_FLUSH] = T_FLUSH,
	                                  [BLK_DISCARD] = T_DISCARD };
	struct blk *b = dev->priv;
	enum io_result result;
	if (op == BLK_FLUSH && !virtio_has(b->v, BLK_F_FLUSH))
		return IO_OK; /* 5.2.6.2: without it every write is lasting when it is done */
	do
		result = once_more(b, types[op], off, p, n);
	while (result == IO_RETRY);
	return result;
}

/* ---- the device ------------------------------------------------------------------ */

static unsigned choose_queues(struct virtio *d)
{
	unsigned n = virtio_has(d, BLK_F_MQ) ? d->ops->config(d, NUM_QUEUES, 2) : 1;
	if (d->nmsg && n > d->nmsg - 1)
		n = d->nmsg - 1;
	if (n > plat_ncores)
		n = plat_ncores;
	return n ? n : 1;
}

static void read_capacity(struct blk *b)
{
	uint64_t sectors = virtio_config64(b->v, CAPACITY), bytes = sectors * SECTOR;
	if (sectors > UINT64_MAX / SECTOR)
		bytes = 0; /* nonsense */
	__atomic_store_n(&b->dev.bytes, bytes - bytes % b->dev.block, __ATOMIC_RELAXED);
}

static const char *attach(struct virtio *d)
{
	const char *error;
	unsigned n = choose_queues(d);
	struct blk *b = dma_alloc(sizeof *b + n * sizeof b->queue[0], 64);
	if (!b)
		return "out of memory";
	b->v = d;
	d->priv = b;
	b->nq = n;
	struct blkdev *dev = &b->dev;
	dev->driver = "virtio-blk";
	dev->priv = b;
	dev->io = io;
	dev->block = virtio_has(d, BLK_F_BLK_SIZE) ? d->ops->config(d, BLK_SIZE, 4) : SECTOR;
	if (dev->block < SECTOR || dev->block > 65536 || dev->block & (dev->block - 1))
		return "its block size is impossible";
	dev->max_bytes = MAX_BYTES;
	if (virtio_has(d, BLK_F_SIZE_MAX)) {
		uint32_t max = d->ops->config(d, SIZE_MAX_AT, 4);
		if (max < 65536)
			return "it takes too little at a time";
		if (max < MAX_BYTES)
			dev->max_bytes = max - max % dev->block;
	}
	if (virtio_has(d, BLK_F_DISCARD)) {
		uint64_t max = d->ops->config(d, MAX_DISCARD, 4);
		dev->max_discard = max * SECTOR - max * SECTOR % dev->block;
	}
	dev->read_only = virtio_has(d, BLK_F_RO);
	read_capacity(b);
	for (unsigned i = 0; i < n; i++) {
		struct blk_queue *bq = &b->queue[i];
		bq->q = virtq_new(d, i, QUEUE_ENTRIES, i, &error);
		if (!bq->q)
			return error;
		bq->room.l = &bq->q->m;
		struct request *r = dma_alloc(bq->q->size * sizeof *r, 64);
		if (!r)
			return "out of memory";
		for (unsigned j = 0; j < bq->q->size; j++) {
			r[j].next = bq->free;
			bq->free = &r[j];
		}
		bq->requests = r;
		rt_go_system(queue_task, bq);
	}
	return NULL;
}

/* 5.2.6.1: up to 20 bytes, padded with NUL. */
static void read_serial(void *arg)
{
	struct blk *b = arg;
	char *id = dma_alloc(20, 16);
	if (id && once_more(b, T_GET_ID, 0, id, 20) == IO_OK)
		for (unsigned i = 0; i < 20 && id[i] >= 32 && id[i] < 127; i++)
			b->dev.serial[i] = id[i];
}

static void started(struct virtio *d)
{
	struct blk *b = d->priv;
	for (unsigned i = 0; i < b->nq; i++)
		io_signal(&b->queue[i].q->ev); /* asks for interrupts */
	if (!b->added) {
		b->added = true;
		rt_go_system(watch_task, b);
		read_serial(b);
		blkdev_add(&b->dev);
	}
}

static void config_changed(struct virtio *d)
{
	read_capacity(d->priv);
}

const struct virtio_driver virtio_blk_driver = {
	.name = "virtio-blk", .id = VIRTIO_BLK, .min_queues = 1,
	.features = BLK_F_SIZE_MAX | BLK_F_RO | BLK_F_BLK_SIZE | BLK_F_FLUSH | BLK_F_MQ | BLK_F_DISCARD,
	.attach = attach, .started = started, .config_changed = config_changed, .lost = lost,
};
