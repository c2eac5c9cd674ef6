/* virtqueue.c: split virtqueues (VIRTIO 1.2, 2.7), with event indexes (2.7.7,
 * 2.7.10) and indirect descriptors (2.7.5.3).
 *
 * The rings are shared with a device that may be broken: whatever it writes is
 * checked against our own record (struct virtq_slot), and nothing of ours is
 * read back from memory that it can write.  A used index that jumps, an entry
 * that is not in flight, or more bytes than there was room for end the device
 * (virtio_bad), not the program.
 *
 * All functions but virtq_new() need q->m held (or no other task near). */
#include "virtio.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 }; /* 2.7.5 */
enum { NO_INTERRUPT = 1, NO_NOTIFY = 1 };                  /* 2.7.6, 2.7.8 */

/* 2.7.10: behind the avail ring, what we want to be told of; behind the used
 * ring, what the device wants to be told of. */
static uint16_t *used_event(struct virtq *q) { return &q->avail->ring[q->size]; }
static uint16_t *avail_event(struct virtq *q) { return (uint16_t *)&q->used->ring[q->size]; }

void virtq_reset(struct virtq *q)
{
	unsigned n = q->size;
	memset(q->desc, 0, n * sizeof *q->desc);
	memset(q->avail, 0, 6 + 2 * n);
	memset(q->used, 0, 6 + 8 * n);
	q->nfree = q->size;
	q->free_head = q->last_used = q->avail_idx = q->kicked = 0;
	for (unsigned i = 0; i < n; i++)
		q->slot[i] = (struct virtq_slot){ .next = (uint16_t)(i + 1) };
}

struct virtq *virtq_new(struct virtio *d, unsigned index, unsigned max, unsigned core, const char **error)
{
	unsigned n = d->ops->queue_max(d, index);
	*error = NULL;
	if (n == 0 || index >= VIRTIO_QUEUES_MAX) {
		*error = "a queue is missing";
		return NULL;
	}
	if (n > max)
		n = max;
	while (n & (n - 1)) /* 2.7: a power of two */
		n &= n - 1;
	struct virtq *q = dma_alloc(sizeof *q, 64);
	struct virtq_slot *slot = dma_alloc(n * sizeof *slot, 8);
	char *ring = dma_alloc(n * 16 + 6 + 2 * n + 4 + 6 + 8 * n, 16);
	struct vring_desc *indirect = NULL;
	if (virtio_has(d, VIRTIO_F_INDIRECT_DESC))
		indirect = dma_alloc((size_t)n * VIRTQ_INDIRECT * sizeof *indirect, 16);
	if (!q || !slot || !ring || (virtio_has(d, VIRTIO_F_INDIRECT_DESC) && !indirect)) {
		*error = "out of memory";
		return NULL;
	}
	q->dev = d;
	q->index = index;
	q->size = (uint16_t)n;
	q->core = core;
	q->event_idx = virtio_has(d, VIRTIO_F_EVENT_IDX);
	q->slot = slot;
	q->desc = (void *)ring;
	q->avail = (void *)(ring + n * 16);
	q->used = (void *)(ring + ((n * 16 + 6 + 2 * n + 3) & -4ul));
	q->indirect = indirect;
	virtq_reset(q);
	*error = d->ops->queue_on(d, q);
	if (*error)
		return NULL;
	d->q[index] = q;
	if (index >= d->nq)
		d->nq = index + 1;
	return q;
}

/* ---- to the device --------------------------------------------------------- */

bool virtq_room(const struct virtq *q, unsigned n)
{
	return q->nfree >= (q->indirect && n <= VIRTQ_INDIRECT ? 1 : n);
}

static void fill(struct vring_desc *d, const struct virtq_buf *b, bool write)
{
	d->addr = b->addr;
	d->len = b->len;
	d->flags = write ? DESC_WRITE : 0;
}

bool virtq_add(struct virtq *q, const struct virtq_buf *b, unsigned nout, unsigned nin, void *cookie)
{
	unsigned n = nout + nin;
	if (!virtq_room(q, n))
		return false;
	uint16_t head = q->free_head, at = head;
	struct virtq_slot *s = &q->slot[head];
	uint32_t room = 0;
	for (unsigned i = nout; i < n; i++)
		room += b[i].len;
	if (q->indirect && n <= VIRTQ_INDIRECT) {
		struct vring_desc *t = q->indirect + (size_t)head * VIRTQ_INDIRECT;
		for (unsigned i = 0; i < n; i++) {
			fill(&t[i], &b[i], i >= nout);
			t[i].next = (uint16_t)(i + 1);
			if (i + 1 < n)
				t[i].flags |= DESC_NEXT;
		}
		q->desc[head].addr = virtq_addr(t);
		q->desc[head].len = n * sizeof *t;
		q->desc[head].flags = DESC_INDIRECT;
		q->free_head = s->next;
		s->ndesc = 1;
	} else {
		for (unsigned i = 0; i < n; i++) {
			struct vring_desc *t = &q->desc[at];
			fill(t, &b[i], i >= nout);
			uint16_t next = q->slot[at].next;
			t->next = next;
			if (i + 1 < n)
				t->flags |= DESC_NEXT;
			at = next;
		}
		q->free_head = at;
		s->ndesc = (uint16_t)n;
	}
	q->nfree -= s->ndesc;
	s->cookie = cookie;
	s->room = room;
	q->avail->ring[q->avail_idx & (q->size - 1)] = head;
	q->avail_idx++;
	/* release: the device sees the entries before the index (2.7.13.3) */
	__atomic_store_n(&q->avail->idx, q->avail_idx, __ATOMIC_RELEASE);
	return true;
}

bool virtq_kick_wanted(struct virtq *q)
{
	uint16_t was = q->kicked, now = q->avail_idx;
	if (was == now)
		return false;
	q->kicked = now;
	/* The index, then the look at what the device asked for (2.7.13.4.1). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!q->event_idx)
		return !(__atomic_load_n(&q->used->flags, __ATOMIC_RELAXED) & NO_NOTIFY);
	uint16_t event = __atomic_load_n(avail_event(q), __ATOMIC_RELAXED);
	return (uint16_t)(now - event - 1) < (uint16_t)(now - was); /* 2.7.10.1 */
}

void virtq_kick(struct virtq *q)
{
	if (virtq_kick_wanted(q))
		q->dev->ops->notify(q->dev, q);
}

/* ---- from the device ------------------------------------------------------- */

/* Puts the entries of a request back on the free list. */
static void release(struct virtq *q, uint16_t head)
{
	struct virtq_slot *s = &q->slot[head];
	uint16_t last = head;
	for (unsigned i = 1; i < s->ndesc; i++)
		last = q->slot[last].next;
	q->slot[last].next = q->free_head;
	q->free_head = head;
	q->nfree += s->ndesc;
	s->cookie = NULL;
}

void *virtq_take(struct virtq *q, uint32_t *len)
{
	/* acquire: the entry is not older than the index (2.7.14) */
	uint16_t idx = __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE);
	if (idx == q->last_used || __atomic_load_n(&q->dev->bad, __ATOMIC_RELAXED))
		return NULL;
	if ((uint16_t)(idx - q->last_used) > q->size) {
		virtio_bad(q->dev, "its used index jumped");
		return NULL;
	}
	struct vring_used_elem *e = &q->used->ring[q->last_used & (q->size - 1)];
	uint32_t id = __atomic_load_n(&e->id, __ATOMIC_RELAXED);
	uint32_t n = __atomic_load_n(&e->len, __ATOMIC_RELAXED);
	if (id >= q->size || !q->slot[id].cookie) {
		virtio_bad(q->dev, "it returned a buffer that it did not have");
		return NULL;
	}
	if (n > q->slot[id].room) {
		virtio_bad(q->dev, "it wrote more than there was room for");
		return NULL;
	}
	void *cookie = q->slot[id].cookie;
	release(q, (uint16_t)id);
	__atomic_store_n(&q->last_used, (uint16_t)(q->last_used + 1), __ATOMIC_RELAXED); /* virtq_used() */
	*len = n;
	return cookie;
}

bool virtq_used(const struct virtq *q)
{
	return !__atomic_load_n(&q->quiet, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE) != __atomic_load_n(&q->last_used, __ATOMIC_RELAXED);
}

bool virtq_irq_on(struct virtq *q, unsigned n)
{
	__atomic_store_n(&q->quiet, false, __ATOMIC_RELAXED);
	if (q->event_idx)
		__atomic_store_n(used_event(q), (uint16_t)(q->last_used + n - 1), __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->avail->flags, 0, __ATOMIC_RELAXED);
	/* The wish, then the look (2.7.7.2). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	uint16_t used = __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE);
	return (uint16_t)(used - q->last_used) >= n && !__atomic_load_n(&q->dev->bad, __ATOMIC_RELAXED);
}

void virtq_irq_off(struct virtq *q)
{
	__atomic_store_n(&q->quiet, true, __ATOMIC_RELAXED);
	if (q->event_idx) /* half the range away: not before 32,768 more */
		__atomic_store_n(used_event(q), (uint16_t)(q->last_used - 1), __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->avail->flags, NO_INTERRUPT, __ATOMIC_RELAXED);
}

void *virtq_detach(struct virtq *q)
{
	for (unsigned i = 0; i < q->size; i++)
		if (q->slot[i].cookie) {
			void *cookie = q->slot[i].cookie;
			release(q, (uint16_t)i);
			return cookie;
		}
	return NULL;
}
