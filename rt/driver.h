/* driver.h: between the runtime and drivers/: what a driver gets of the runtime
 * (events, memory for devices, tasks), and what it gives (disks, network
 * interfaces, entropy, ports).  Drivers include this and ingot.h; rt/ implements the
 * first half in io.c and uses the second in disk.c, nic.c, entropy.c and port.c.
 *
 * A driver is ordinary code of tasks.  It is found by plat_find_*(), which
 * lives in drivers/probe.c (hosted: tests/host/dev_host.c) and is called by the
 * public function that needs such a device: an image that never opens a disk
 * has no driver of one in it.
 *
 * Rules for memory.  A device writes memory behind the collector's back, and
 * dirty bits do not see it: so it writes bytes, never pointers.  A buffer that
 * a device owns is held by the task that waits for the request (its stack is a
 * root) or comes from dma_alloc(), which nothing frees; it never lies on a
 * stack, whose pages may be unmapped meanwhile (plat_dma_addr() is 0 there).
 * Drivers' globals and dma_alloc()'s memory are no roots: no pointer to a
 * collected object may be only there. */
#ifndef RT_DRIVER_H
#define RT_DRIVER_H

#include "plat.h"
#include "libc.h"

/* How a request ended.  What the program sees of it is disk.c's and nic.c's. */
enum io_result {
	IO_OK,
	IO_ERROR,       /* the device says so */
	IO_NO_SPACE,    /* the host's medium is full */
	IO_UNSUPPORTED,
	IO_SHORT,       /* it gave less than was asked for */
	IO_NO_ANSWER,   /* it said that it is done, and not how */
	IO_FAILED,      /* it was given up, for good */
	IO_RETRY,       /* a driver's own: it was reset meanwhile */
};

/* ---- what a driver gets (io.c) ------------------------------------------- */

#define IO_READY 1u

/* Waits until ev is ready and takes that.  One task at a time waits for an
 * event.  task */
void io_wait(struct io_event *ev);
/* Makes it ready; the task that waits runs soon.  task */
void io_signal(struct io_event *ev);

/* The same by a task that is about to wait itself: its core goes on with the
 * other, and no sleeping core is woken for it.  task */
void io_signal_here(struct io_event *ev);

/* The requests that a device has, for a task that looks after those without an
 * answer: it sleeps while there are none. */
struct io_watch {
	uint32_t busy;            /* how many; seq_cst */
	struct io_event ev;       /* there is one again */
};
void io_watch_begin(struct io_watch *w); /* one more.  task */
void io_watch_end(struct io_watch *w);   /* one less.  any */
/* Returns now and then while there are some: the nanotime() before which a request that
 * has no answer yet began more than `patience` ns ago.  task */
int64_t io_watch_wait(struct io_watch *w, int64_t patience);

/* Starts a task of the runtime's: it is not counted, and may wait for ever. */
void rt_go_system(void (*fn)(void *), void *arg);
/* Runs fn(arg) on the core's scheduler stack, preemption off: for the few
 * functions of kernel/ whose context is "system". */
void rt_systemstack(void (*fn)(void *), void *arg);

/* Zeroed memory for a device: contiguous, never moved, scanned or freed; align
 * is a power of two of at most 8 KiB.  NULL when memory is out.  task */
void *dma_alloc(size_t bytes, size_t align);

/* A line of the log and the console: "driver: text".  For what a person should know: a
 * device that fails, one that is not used and why.  task */
void io_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The console alone, and before there are tasks.  any */
void rt_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- disks (disk.c) -------------------------------------------------------- */

enum blk_op { BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_DISCARD };

struct blkdev {
	const char *driver;        /* "virtio-blk" */
	char serial[24];           /* NUL-terminated, may be empty */
	uint64_t bytes;            /* capacity, a multiple of block; relaxed: a device may grow */
	uint32_t block;            /* least unit of offset and length: 512, 4096 */
	uint32_t max_bytes;        /* of one read or write, a multiple of block, at least 64 KiB */
	uint32_t alignment;        /* of p: a power of two, 0: any */
	uint64_t max_discard;      /* bytes of one discard; 0: it cannot */
	bool read_only;
	bool deep;                 /* io runs on the scheduler stack (the hosted build's) */
	/* Carries out one request and returns when it is done.
	 * off, n: multiples of block within the capacity, n at most max_*; p: n bytes
	 * that plat_dma_addr() reaches, NULL for flush and discard.  task, from many
	 * at once. */
	enum io_result (*io)(struct blkdev *d, enum blk_op op, uint64_t off, void *p, uint64_t n);
	void *priv;
};
/* A disk was found.  Only in plat_find_disks(). */
void blkdev_add(struct blkdev *d);

/* ---- network interfaces (nic.c) ------------------------------------------- */

enum {
	NET_CSUM_VALID = 1,   /* received: the device has checked the transport checksum */
	NET_CSUM_NEEDED = 2,  /* the checksum at csum_start + csum_offset holds the sum of
	                       * the pseudo header only; sending: the device completes it */
	NET_TSO4 = 4, NET_TSO6 = 8, /* a large TCP segment: to be cut to gso_size each */
};
/* What a frame wants of the device, or got. */
struct net_offload {
	uint16_t flags;
	uint16_t csum_start, csum_offset; /* with NET_CSUM_NEEDED */
	uint16_t header_len, gso_size;    /* with NET_TSO*: bytes of all headers; payload of each */
};

/* A received piece of a frame: the owner gives each back by netbuf_free(). */
struct netbuf {
	struct netbuf *next;      /* further pieces of the same frame */
	struct netbuf *more;      /* of the first piece: the next frame */
	uint8_t *data;
	uint32_t len;
	struct net_offload off;   /* of the first piece */
	void (*free)(struct netbuf *); /* constant; the driver's: takes a list, by next */
	void *queue;              /* constant; the driver's */
};
/* All pieces of all these frames, which one call of rx() brought, at once. */
static inline void netbuf_free(struct netbuf *frames)
{
	struct netbuf *last = frames;
	for (struct netbuf *f = frames; f; f = f->more) {
		if (f != frames)
			last->next = f;
		for (last = f; last->next;)
			last = last->next;
	}
	if (frames)
		frames->free(frames);
}
struct net_piece {
	const void *p;
	uint32_t n;
};

struct net_queue_stats {
	uint64_t frames, bytes, dropped, interrupts;
};

struct netdev {
	const char *driver;
	uint8_t mac[6];
	uint16_t mtu;             /* payload of a frame: 1500 */
	uint16_t nqueues;         /* pairs: constant */
	uint32_t offloads;        /* NET_* that transmit() accepts, NET_CSUM_NEEDED if any */
	uint32_t rx_offloads;     /* NET_* that received frames may carry */
	uint32_t link_up;         /* relaxed */
	uint32_t rx_spare;        /* buffers of a queue beyond which its owner should copy and give back */
	/* Queues one frame (n pieces, at most 64 KiB with the headers), copied before
	 * it returns; the device need not look at it before kick().  False: no room,
	 * the frame is not queued; tx_room() follows.  task, from many at once; queue
	 * below nqueues. */
	bool (*transmit)(struct netdev *d, unsigned queue, const struct net_piece *v, unsigned n,
	             const struct net_offload *off);
	/* The device sends what is queued: dear on a virtual machine, whose host takes
	 * over.  task, from many at once */
	void (*kick)(struct netdev *d, unsigned queue);
	void *priv;

	/* The stack's, set before rx_start: called by the queue's own task with the
	 * frames that have come, a list by more; they are the stack's from then on.  The
	 * task waits next unless more came meanwhile. */
	void (*rx)(struct netdev *d, unsigned queue, struct netbuf *frames);
	void (*tx_room)(struct netdev *d, unsigned queue); /* after a false transmit() */
	void (*link)(struct netdev *d);                    /* link_up changed */
	void (*rx_start)(struct netdev *d);                /* the driver's: frames may come now */
	void *stack;              /* the stack's own */

	/* Of one queue of a pair (sends: of its half for sending), since the start.  any */
	struct net_queue_stats (*queue_stats)(struct netdev *d, unsigned queue, bool sends);
};
/* An interface was found.  Only in plat_find_nics(). */
void netdev_add(struct netdev *d);
/* For a stack: how many there are, looked for at the first call; interface i, or
 * NULL.  It is free to take while stack is NULL.  task */
int netdev_count(void);
struct netdev *netdev_get(int i);
/* The same without looking for any.  any */
struct netdev *netdev_known(int i);

/* ---- the others ------------------------------------------------------------ */

/* Bytes of a device that gives random ones: fills p. */
struct entropydev {
	const char *driver;
	enum io_result (*read)(struct entropydev *d, void *p, size_t n); /* task, one at a time */
	void *priv;
};
void entropydev_add(struct entropydev *d);

/* A byte stream to the host. */
struct portdev {
	const char *driver;
	/* Waits for at least one byte, max at most.  task; one reader at a time. */
	enum io_result (*read)(struct portdev *d, void *p, size_t max, size_t *got);
	/* Returns when the host has all.  task; one writer at a time. */
	enum io_result (*write)(struct portdev *d, const void *p, size_t n);
	void *priv;
};
void portdev_add(struct portdev *d);

/* Look for devices of one kind and add each.  Called once.  task */
void plat_find_disks(void);
void plat_find_nics(void);
void plat_find_entropy(void);
void plat_find_ports(void);
/* Afterwards plat_memory_release() works, if the machine can. */
void plat_find_balloon(void);

#endif
