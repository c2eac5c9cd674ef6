/* virtio_rng.c: random bytes of the host (VIRTIO 1.2, 5.4): one queue of buffers
 * that the device fills, as far as it likes at a time.
 *
 * The bytes go through a buffer of ours, one request at a time. */
#include "virtio.h"

#define BUFFER_BYTES 256

struct rng {
	struct entropydev dev;
	struct virtio *v;
	struct virtq *q;
	uint8_t *buffer;
	struct io_event done;  /* the request was answered, or the device failed */
	uint32_t got;
	bool added;
};

static void queue_task(void *arg)
{
	struct rng *r = arg;
	for (;;) {
		io_wait(&r->q->ev);
		mutex_lock(&r->q->m);
		do {
			uint32_t n;
			while (virtq_take(r->q, &n)) {
				r->got = n;
				io_signal(&r->done);
			}
		} while (virtq_irq_on(r->q, 1));
		mutex_unlock(&r->q->m);
	}
}

static enum io_result read_some(struct entropydev *dev, void *p, size_t n)
{
	struct rng *r = dev->priv;
	while (n) {
		uint32_t want = n < BUFFER_BYTES ? (uint32_t)n : BUFFER_BYTES;
		struct virtq_buf b = { virtq_addr(r->buffer), want };
		mutex_lock(&r->q->m);
		bool failed = virtio_failed(r->v);
		if (!failed) {
			r->got = 0;
			virtq_add(r->q, &b, 0, 1, r);
			virtq_kick(r->q);
		}
		mutex_unlock(&r->q->m);
		if (failed)
			return IO_FAILED;
		io_wait(&r->done);
		memcpy(p, r->buffer, r->got); /* at most want: virtq_take() */
		memset(r->buffer, 0, r->got);
		p = (char *)p + r->got;
		n -= r->got;
	}
	return IO_OK;
}

static void lost(struct virtio *d, const char *why)
{
	struct rng *r = d->priv;
	while (virtq_detach(r->q))
		io_signal(&r->done); /* nothing came: it asks again, or sees that the device failed */
}

static const char *attach(struct virtio *d)
{
	const char *error;
	struct rng *r = dma_alloc(sizeof *r, 64);
	uint8_t *buffer = dma_alloc(BUFFER_BYTES, 64);
	if (!r || !buffer)
		return "out of memory";
	r->buffer = buffer;
	r->v = d;
	r->dev = (struct entropydev){ .driver = "virtio-rng", .read = read_some, .priv = r };
	d->priv = r;
	if (!(r->q = virtq_new(d, 0, 8, 0, &error)))
		return error;
	rt_go_system(queue_task, r);
	return NULL;
}

static void started(struct virtio *d)
{
	struct rng *r = d->priv;
	io_signal(&r->q->ev);
	if (!r->added) {
		r->added = true;
		entropydev_add(&r->dev);
	}
}

const struct virtio_driver virtio_rng_driver = {
	.name = "virtio-rng", .id = VIRTIO_RNG, .min_queues = 1,
	.attach = attach, .started = started, .lost = lost,
};
