/* chan.h: the inside of a channel, for chan.c and select.c. */
#ifndef RT_CHAN_H
#define RT_CHAN_H

#include "rt.h"

/* One task's place in one channel's queue; on that task's stack. */
struct sudog {
	struct g *g;
	struct sudog *next, *prev; /* under the channel's lock */
	void *elem;                /* value to send, or where to receive, or NULL */
	struct hchan *c;
	uint32_t index;            /* select: the case */
	bool is_select;
	bool queued;               /* under the channel's lock */
	bool success;              /* woken by a communication, not by close */
};

struct waitq {
	struct sudog *first, *last;
};

struct hchan {
	struct lock lock;
	uint32_t closed;
	size_t qcount;   /* values in the buffer; read without the lock by len() */
	size_t dataqsiz; /* constant */
	size_t elemsize; /* constant */
	size_t sendx, recvx;
	char *buf;       /* constant */
	struct ticker *timer; /* constant: the timer it belongs to (ticker.c), or NULL */
	struct waitq recvq, sendq;
};

void waitq_push(struct waitq *q, struct sudog *s);
struct sudog *waitq_pop(struct waitq *q);
void waitq_remove(struct waitq *q, struct sudog *s);
/* Lock held; released when they return true. */
bool chan_try_send(struct hchan *c, const void *elem);
bool chan_try_recv(struct hchan *c, void *elem, bool *ok);
noreturn void chan_panic_closed_send(void);
/* Lets a waiter go whose element has been moved.  c's lock held, released:
 * s is gone afterwards. */
void chan_wake(struct hchan *c, struct sudog *s);

/* Public entry points, by api_task.h. */
struct hchan *rt_make_chan(size_t elemsize, const struct rt_type *type, int64_t cap);
void rt_chan_send(struct hchan *c, const void *elem);
bool rt_chan_recv(struct hchan *c, void *elem);
void rt_chan_close(struct hchan *c);
size_t rt_chan_len(struct hchan *c);
size_t rt_chan_cap(struct hchan *c);

#endif
