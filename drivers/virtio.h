/* virtio.h: what virtio's transports (virtio_pci.c, virtio_mmio.c, a test's), its
 * core (virtio.c, virtqueue.c) and the drivers of its devices know of each other.
 * Sections are those of "Virtual I/O Device (VIRTIO) Version 1.2". */
#ifndef DRIVERS_VIRTIO_H
#define DRIVERS_VIRTIO_H

#include "rt/ingot.h"
#include "rt/driver.h"

struct virtio;
struct virtq;

enum virtio_id { /* 5 */
	VIRTIO_NET = 1, VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4, VIRTIO_BALLOON = 5,
};

/* 6: bits of every device */
#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)

/* 2.1 */
enum {
	STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8,
	STATUS_NEEDS_RESET = 64, STATUS_FAILED = 128,
	STATUS_GONE = 0xff, /* what the bus answers for a device that was pulled out */
};

/* 4.1.4.5, 4.2.2: why a line interrupt came */
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

/* A transport: how registers are reached.  Every function may be called by any
 * task, one at a time; notify by several. */
struct virtio_ops {
	uint8_t (*status)(struct virtio *d);
	void (*set_status)(struct virtio *d, uint8_t status);
	uint32_t (*features)(struct virtio *d, unsigned word);
	void (*set_features)(struct virtio *d, unsigned word, uint32_t bits);
	/* size bytes (1, 2, 4) of the device's own configuration. */
	uint32_t (*config)(struct virtio *d, unsigned off, unsigned size);
	void (*set_config)(struct virtio *d, unsigned off, unsigned size, uint32_t v);
	uint32_t (*generation)(struct virtio *d);
	unsigned (*queue_max)(struct virtio *d, unsigned index); /* 0: no such queue */
	/* Tells the device where q is; its interrupt marks q->ev.  An error. */
	const char *(*queue_on)(struct virtio *d, struct virtq *q);
	void (*notify)(struct virtio *d, struct virtq *q);
	/* One line for all queues: ISR_* bits, and the line falls; then irq_done. */
	uint32_t (*irq_ack)(struct virtio *d);
	void (*irq_done)(struct virtio *d);
};

/* A driver of one kind of device. */
struct virtio_driver {
	const char *name;
	enum virtio_id id;
	uint64_t features;   /* wanted if offered, besides those of every device */
	unsigned min_queues; /* with fewer interrupt messages than these + 1, a line is used */
	/* After feature negotiation (3.1.1, step 7): reads the configuration and makes
	 * the queues.  An error: the device is left alone. */
	const char *(*attach)(struct virtio *d);
	/* DRIVER_OK is set: requests may be made.  Also after a recovery. */
	void (*started)(struct virtio *d);
	void (*config_changed)(struct virtio *d);
	/* The device was reset and owns nothing any more: what it had is to be given
	 * back.  why: it stays so; NULL: started() follows.  All queues are locked. */
	void (*lost)(struct virtio *d, const char *why);
};

#define VIRTIO_QUEUES_MAX 130

struct virtio {
	const struct virtio_ops *ops;
	const struct virtio_driver *driver;
	uint32_t id;
	char where[24];            /* "pci 00:03.0", for messages */
	uint64_t features;         /* negotiated */
	unsigned nmsg;             /* interrupt messages, 0: one line for all */
	unsigned nq;
	struct virtq *q[VIRTIO_QUEUES_MAX]; /* NULL: not used */
	uint32_t failed;           /* for good; release / acquire with `why` */
	const char *why;
	const char *bad;           /* what a queue's task found wrong; release / acquire */
	unsigned nresets;
	struct io_event irq;       /* the line */
	struct io_event change;    /* configuration change, or `bad` was set */
	void *bus;                 /* the transport's */
	void *priv;                /* the driver's */
};

/* ---- core (virtio.c) ----------------------------------------------------- */

/* Takes the device into use by this driver.  False, after a message, when that
 * fails.  d is allocated by the transport and stays.  task */
bool virtio_start(struct virtio *d, const struct virtio_driver *drv);
/* A 64-bit field of the configuration, read whole (2.5.3). */
uint64_t virtio_config64(struct virtio *d, unsigned off);
static inline bool virtio_has(const struct virtio *d, uint64_t feature)
{
	return d->features & feature;
}
static inline bool virtio_failed(struct virtio *d)
{
	return __atomic_load_n(&d->failed, __ATOMIC_ACQUIRE);
}
/* A queue's task found the device at fault: it will be stopped. */
void virtio_bad(struct virtio *d, const char *why);

/* Calls found(d) for each device of this id on the buses: probe.c. */
void virtio_each(enum virtio_id id, void (*found)(struct virtio *d));

/* ---- queues (virtqueue.c), 2.7 ---------------------------------------------- */

struct vring_desc { /* 2.7.5 */
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};
struct vring_avail { /* 2.7.6; behind ring: used_event */
	uint16_t flags, idx, ring[];
};
struct vring_used_elem {
	uint32_t id, len;
};
struct vring_used { /* 2.7.8; behind ring: avail_event */
	uint16_t flags, idx;
	struct vring_used_elem ring[];
};

/* What is known of a request in flight; the device's memory is not trusted. */
struct virtq_slot {
	void *cookie;     /* NULL: not in flight */
	uint32_t room;    /* bytes the device may write */
	uint16_t ndesc;   /* entries of the ring it takes */
	uint16_t next;    /* free list, or the next entry of the request */
};

struct virtq {
	struct virtio *dev;
	unsigned index;
	uint16_t size;             /* a power of two */
	uint16_t nfree, free_head;
	uint16_t last_used;        /* taken so far */
	uint16_t avail_idx;        /* made available so far */
	uint16_t kicked;           /* avail_idx at the last look whether to notify */
	bool event_idx;
	bool quiet;                /* no interrupt is wanted; relaxed, before the fence of virtq_irq_on() */
	mutex m;                   /* guards all but ev, core and what is constant */
	struct io_event ev;        /* the device used some */
	unsigned core;             /* whose interrupt it is */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_desc *indirect; /* VIRTQ_INDIRECT for each entry, or NULL */
	struct virtq_slot *slot;
	uint64_t notify_at;        /* the transport's */
	uint64_t nirq;             /* turns of its task; relaxed */
};
#define VIRTQ_INDIRECT 8 /* pieces of a request that fit in one entry */

struct virtq_buf {
	uint64_t addr;
	uint32_t len;
};

/* Makes queue `index`, at most max entries, and tells the device.  In attach().
 * NULL after *error. */
struct virtq *virtq_new(struct virtio *d, unsigned index, unsigned max, unsigned core, const char **error);
/* Empties it: nothing is in flight. */
void virtq_reset(struct virtq *q);
/* Puts a request of nout pieces that the device reads and nin that it writes.
 * False: no room.  cookie: not NULL. */
bool virtq_add(struct virtq *q, const struct virtq_buf *b, unsigned nout, unsigned nin, void *cookie);
/* Whether virtq_add() of n pieces would find room. */
bool virtq_room(const struct virtq *q, unsigned n);
/* Tells the device of what was added, if it wants to know (2.7.13.4). */
void virtq_kick(struct virtq *q);
/* Whether it does, for who tells it later: the transport's notify(), for which the lock
 * is not needed. */
bool virtq_kick_wanted(struct virtq *q);
/* The next request that the device is done with: its cookie and the bytes it
 * wrote, or NULL.  NULL also when what it says is nonsense: virtio_bad(). */
void *virtq_take(struct virtq *q, uint32_t *len);
/* Whether its task waits for what is there; without q->m, so true may be out of date.
 * False is not, after the interrupt: who emptied the queue has seen all of it. */
bool virtq_used(const struct virtq *q);
/* Asks for an interrupt after n more; true: there is something now already. */
bool virtq_irq_on(struct virtq *q, unsigned n);
/* Asks for none. */
void virtq_irq_off(struct virtq *q);
/* Any request in flight, which is taken back; NULL: none.  In lost(). */
void *virtq_detach(struct virtq *q);

static inline uint64_t virtq_addr(const void *p)
{
	return plat_dma_addr(p, 1);
}

/* ---- the drivers ----------------------------------------------------------- */

extern const struct virtio_driver virtio_blk_driver, virtio_net_driver, virtio_rng_driver,
	virtio_console_driver, virtio_balloon_driver;
extern int64_t virtio_blk_patience; /* ns until an unanswered request ends the device */

#endif
