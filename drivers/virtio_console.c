/* virtio_console.c: a byte stream to the host (VIRTIO 1.2, 5.3): the first port,
 * without the control queues that more ports need.
 *
 * Receiving: the ring is full of small buffers; the reader takes what came, and
 * puts a buffer back when it has been read to its end.  Sending: one piece at a
 * time from a buffer of ours; the writer waits until the host has it.
 *
 * Invariants: one reader and one writer at a time (rt/port.c); a buffer is the
 * device's, in line to be read, or the reader's current one. */
#include "virtio.h"

#define BUFFERS 16
#define BUFFER_BYTES 512u
#define PIECE_BYTES 4096u

struct inbuf {
	uint8_t *data;
	uint32_t n, at;
	struct inbuf *next; /* in line */
};

struct console {
	struct portdev dev;
	struct virtio *v;
	struct virtq *rx, *tx;
	struct inbuf *first, **last; /* what came; under rx->m */
	struct io_event came;        /* something is in line, or the device failed */
	struct io_event sent;        /* the piece is out, or the device failed */
	bool out_pending, again;     /* under tx->m: with the device; lost in a reset */
	uint8_t *piece;
	struct inbuf in[BUFFERS];
	bool added;
};

/* Under rx->m. */
static void post(struct console *c, struct inbuf *b)
{
	struct virtq_buf v = { virtq_addr(b->data), BUFFER_BYTES };
	virtq_add(c->rx, &v, 0, 1, b);
}

static void rx_task(void *arg)
{
	struct console *c = arg;
	for (;;) {
		io_wait(&c->rx->ev);
		mutex_lock(&c->rx->m);
		do {
			uint32_t n;
			for (struct inbuf *b; (b = virtq_take(c->rx, &n));) {
				b->n = n;
				b->at = 0;
				b->next = NULL;
				*c->last = b;
				c->last = &b->next;
			}
		} while (virtq_irq_on(c->rx, 1));
		mutex_unlock(&c->rx->m);
		io_signal(&c->came);
	}
}

static void tx_task(void *arg)
{
	struct console *c = arg;
	for (;;) {
		io_wait(&c->tx->ev);
		mutex_lock(&c->tx->m);
		do {
			uint32_t n;
			while (virtq_take(c->tx, &n)) {
				c->out_pending = false;
				io_signal(&c->sent);
			}
		} while (virtq_irq_on(c->tx, 1));
		mutex_unlock(&c->tx->m);
	}
}

static enum io_result read_some(struct portdev *dev, void *p, size_t max, size_t *got)
{
	struct console *c = dev->priv;
	for (*got = 0; *got == 0;) {
		mutex_lock(&c->rx->m);
		struct inbuf *b = c->first;
		if (b) {
			uint32_t left = b->n - b->at;
			*got = max < left ? max : left;
			memcpy(p, b->data + b->at, *got);
			b->at += (uint32_t)*got;
			if (b->at == b->n) {
				c->first = b->next;
				if (!c->first)
					c->last = &c->first;
				post(c, b);
				virtq_kick(c->rx);
			}
		}
		mutex_unlock(&c->rx->m);
		if (b)
			continue;
		if (virtio_failed(c->v))
			return IO_FAILED;
		io_wait(&c->came);
	}
	return IO_OK;
}

static enum io_result write_all(struct portdev *dev, const void *p, size_t n)
{
	struct console *c = dev->priv;
	while (n) {
		uint32_t k = n < PIECE_BYTES ? (uint32_t)n : PIECE_BYTES;
		struct virtq_buf v = { virtq_addr(c->piece), k };
		memcpy(c->piece, p, k);
		mutex_lock(&c->tx->m);
		do {
			if (virtio_failed(c->v)) {
				mutex_unlock(&c->tx->m);
				return IO_FAILED;
			}
			c->again = false;
			c->out_pending = virtq_add(c->tx, &v, 1, 0, c);
			virtq_kick(c->tx);
			while (c->out_pending) {
				mutex_unlock(&c->tx->m);
				io_wait(&c->sent);
				mutex_lock(&c->tx->m);
			}
		} while (c->again);
		mutex_unlock(&c->tx->m);
		p = (const char *)p + k;
		n -= k;
	}
	return IO_OK;
}

static void lost(struct virtio *d, const char *why)
{
	struct console *c = d->priv;
	while (virtq_detach(c->rx)) /* started() posts all that are not in line */
		;
	while (virtq_detach(c->tx)) {
		c->out_pending = false;
		c->again = true;
	}
	io_signal(&c->came);
	io_signal(&c->sent);
}

static const char *attach(struct virtio *d)
{
	const char *error;
	struct console *c = dma_alloc(sizeof *c, 64);
	uint8_t *data = dma_alloc(BUFFERS * BUFFER_BYTES + PIECE_BYTES, 64);
	if (!c || !data)
		return "out of memory";
	d->priv = c;
	c->v = d;
	c->last = &c->first;
	c->piece = data + BUFFERS * BUFFER_BYTES;
	for (unsigned i = 0; i < BUFFERS; i++)
		c->in[i].data = data + i * BUFFER_BYTES;
	c->dev = (struct portdev){ .driver = "virtio-console", .read = read_some, .write = write_all, .priv = c };
	if (!(c->rx = virtq_new(d, 0, BUFFERS, 0, &error)) || !(c->tx = virtq_new(d, 1, BUFFERS, 0, &error)))
		return error;
	rt_go_system(rx_task, c);
	rt_go_system(tx_task, c);
	return NULL;
}

static void started(struct virtio *d)
{
	struct console *c = d->priv;
	mutex_lock(&c->rx->m);
	for (unsigned i = 0; i < BUFFERS && i < c->rx->size; i++) {
		bool in_line = false;
		for (struct inbuf *b = c->first; b; b = b->next)
			in_line |= b == &c->in[i];
		if (!in_line)
			post(c, &c->in[i]);
	}
	virtq_kick(c->rx);
	mutex_unlock(&c->rx->m);
	io_signal(&c->rx->ev);
	io_signal(&c->tx->ev);
	if (!c->added) {
		c->added = true;
		portdev_add(&c->dev);
	}
}

const struct virtio_driver virtio_console_driver = {
	.name = "virtio-console", .id = VIRTIO_CONSOLE, .min_queues = 2,
	.attach = attach, .started = started, .lost = lost,
};
