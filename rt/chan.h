/* chan.h: the inside of a channel, for chan.c, select.c and ticker.c.
 *
 * What both a plain operation and a select do with a channel whose lock they
 * hold is inline here: send_now() and recv_now(). */
#ifndef RT_CHAN_H
#define RT_CHAN_H

#include "timer.h"

/* One task's place in one channel's queue; on that task's stack. */
struct sudog {
	struct g *g;
	struct sudog *next, *prev; /* under the channel's lock; the first's prev is the last */
	void *elem;                /* value to send, or where to receive, or NULL */
	bool is_select;
	bool queued;               /* is_select: under the channel's lock */
	bool success;              /* as it is unless close() clears it */
};

/* FIFO.  CHAN_CLOSED in both of a closed channel's. */
struct waitq {
	struct sudog *first;
};

/* With room for one small value it is a cache line: an operation touches no
 * more, and many channels are only made, used once and dropped. */
struct hchan {
	struct lock lock;
	uint32_t elemsize;     /* constant */
	uint32_t qcount;       /* values in the buffer; read without the lock by len().  A timer's
	                        * channel (ticker.c) has no buffer, CHAN_TIMER here, and elemsize 0,
	                        * so that who does only the usual things leaves it to others */
	uint32_t dataqsiz;     /* constant */
	struct waitq recvq, sendq;
	/* Where to take next: in the buffer, and keeps it alive. */
	char *recvp;
	/* Where to put next, and where the buffer ends (constant; of values without size:
	 * the capacity).  That may be another object's begin, hence integers. */
	uint64_t sendp, end;
};
#ifndef INGOT_DEBUG
_Static_assert(sizeof(struct hchan) == CACHE_LINE - 8, "a cache line with its value");
#endif

#define CHAN_TIMER UINT32_MAX
static inline bool chan_is_timer(const struct hchan *c)
{
	return at_load(&c->qcount) > c->dataqsiz;
}

static inline uint64_t chan_buf(const struct hchan *c)
{
	return c->end - (uint64_t)c->elemsize * c->dataqsiz;
}

/* Stands in the queues of a closed channel, so that who finds a queue empty
 * knows that the channel is open.  Looks like a select's to go the long way. */
extern struct sudog rt_chan_closed;

static inline bool chan_is_closed(const struct hchan *c)
{
	return at_load(&c->recvq.first) == &rt_chan_closed;
}

static inline __attribute__((always_inline)) void waitq_push(struct waitq *q, struct sudog *s)
{
	struct sudog *first = q->first;
	s->next = NULL;
	if (likely(!first)) {
		s->prev = s;
		at_store(&q->first, s);
	} else {
		s->prev = first->prev;
		first->prev->next = s;
		first->prev = s;
	}
}

/* Takes s out, the first of q. */
static inline __attribute__((always_inline)) void waitq_shift(struct waitq *q, struct sudog *s)
{
	struct sudog *next = s->next;
	at_store(&q->first, next);
	if (unlikely(next != NULL))
		next->prev = s->prev;
}

/* Takes s out of q, wherever it is. */
static inline void waitq_remove(struct waitq *q, struct sudog *s)
{
	if (q->first == s) {
		waitq_shift(q, s);
	} else {
		s->prev->next = s->next;
		(s->next ? s->next : q->first)->prev = s->prev;
	}
	s->queued = false;
}

/* The first waiter that may be woken, taken out of q; NULL if there is none.
 * A select waits on several channels: who flips its select_done first has it. */
static inline __attribute__((always_inline)) struct sudog *waitq_pop(struct waitq *q, bool alone)
{
	for (struct sudog *s; (s = q->first);) {
		waitq_shift(q, s);
		if (likely(!s->is_select))
			return s;
		s->queued = false;
		struct g *g = s->g;
		uint32_t zero = 0;
		if (alone) {
			if (g->select_done)
				continue;
			g->select_done = 1;
		} else if (!(SABOTAGED(select_done) ? TORN_CAS(&g->select_done, &zero, 1)
		                                    : at_cas(&g->select_done, &zero, 1))) {
			continue;
		}
		g->param = s; /* which of its cases */
		return s;
	}
	return NULL;
}

static inline __attribute__((always_inline)) void copy_elem(void *dst, const void *src, size_t n)
{
	if (likely(n == 8))
		*(uint64_t *)dst = *(const uint64_t *)src;
	else if (n == 4)
		*(uint32_t *)dst = *(const uint32_t *)src;
	else if (n)
		memcpy(dst, src, n);
}

static inline uint64_t next_slot(const struct hchan *c, uint64_t at)
{
	at += c->elemsize;
	return likely(at != c->end) || !c->elemsize ? at : chan_buf(c);
}

/* Lets a waiter go whose element has been moved: then s is gone.  c's lock
 * held, released; preemption is off and stays so. */
static inline __attribute__((always_inline)) void chan_wake(struct hchan *c, struct sudog *s, bool alone)
{
	struct g *g = s->g;
	unlock_nopreempt(&c->lock, alone);
	ready(g, true);
}

/* Sends without waiting if possible.  Lock held, released when true; c is
 * open; preemption is off and stays so; alone: rt_alone. */
static inline __attribute__((always_inline)) bool send_now(struct hchan *c, const void *elem, bool alone)
{
	struct sudog *s;
	if (c->recvq.first && (s = waitq_pop(&c->recvq, alone))) {
		void *to = s->elem;
		IN_ORDER(chan_handoff, if (to) copy_elem(to, elem, c->elemsize), chan_wake(c, s, alone));
		return true;
	}
	if (c->qcount < c->dataqsiz) {
		copy_elem((void *)c->sendp, elem, c->elemsize);
		c->sendp = next_slot(c, c->sendp);
		at_store(&c->qcount, c->qcount + 1);
		unlock_nopreempt(&c->lock, alone);
		return true;
	}
	return false;
}

/* The same for receiving; *ok: a value came, not the close. */
static inline __attribute__((always_inline)) bool recv_now(struct hchan *c, void *elem, bool *ok, bool alone)
{
	struct sudog *s;
	*ok = true;
	if (c->qcount > 0 && likely(!chan_is_timer(c))) {
		void *head = c->recvp;
		if (elem)
			copy_elem(elem, head, c->elemsize);
		c->recvp = (char *)next_slot(c, (uint64_t)c->recvp);
		if (c->sendq.first && c->sendq.first != &rt_chan_closed && (s = waitq_pop(&c->sendq, alone))) {
			/* The buffer is full: its head becomes its tail. */
			copy_elem(head, s->elem, c->elemsize);
			c->sendp = (uint64_t)c->recvp;
			chan_wake(c, s, alone);
			return true;
		}
		if (c->elemsize == 8) /* the buffer must not keep it alive */
			*(uint64_t *)head = 0;
		else if (c->elemsize > 8)
			memset(head, 0, c->elemsize);
		at_store(&c->qcount, c->qcount - 1);
		unlock_nopreempt(&c->lock, alone);
		return true;
	}
	if (c->sendq.first) {
		if (c->sendq.first == &rt_chan_closed) {
			unlock_nopreempt(&c->lock, alone);
			if (elem && c->elemsize)
				memset(elem, 0, c->elemsize);
			*ok = false;
			return true;
		}
		if ((s = waitq_pop(&c->sendq, alone))) {
			if (elem)
				copy_elem(elem, s->elem, c->elemsize);
			chan_wake(c, s, alone);
			return true;
		}
	}
	if (unlikely(chan_is_timer(c)) && timer_chan_take(c, elem)) {
		unlock_nopreempt(&c->lock, alone);
		return true;
	}
	return false;
}

/* ---- the usual cases, in a few instructions ------------------------------- */

/* What send_hot() and recv_hot() did.  Lock held, released if they did it. */
enum hot {
	HOT_DONE,
	HOT_WAKE, /* done, and *wake is to be readied */
	HOT_WAIT, /* nothing: it must wait */
	HOT_ANY   /* nothing: send_now(), recv_now() can tell */
};

/* Whether s may be woken, without atomics. */
static inline __attribute__((always_inline)) bool hot_waiter(const struct sudog *s, bool alone)
{
	return likely(!s->is_select) || (alone && s != &rt_chan_closed && !s->g->select_done);
}

static inline __attribute__((always_inline)) struct g *hot_take(struct waitq *q, struct sudog *s)
{
	struct g *g = s->g;
	waitq_shift(q, s);
	if (unlikely(s->is_select)) {
		s->queued = false;
		at_store(&g->select_done, 1);
		g->param = s;
	}
	return g;
}

static inline __attribute__((always_inline)) enum hot send_hot(struct hchan *c, const void *elem, bool alone,
                                                               struct g **wake)
{
	struct sudog *s = c->recvq.first;
	uint32_t count = c->qcount;
	uint32_t n = c->elemsize;
	if (s) {
		void *to = s->elem;
		if (unlikely(!hot_waiter(s, alone)))
			return HOT_ANY;
		if (n == 8) {
			if (likely(to != NULL))
				*(uint64_t *)to = *(const uint64_t *)elem;
		} else if (n == 4) {
			if (likely(to != NULL))
				*(uint32_t *)to = *(const uint32_t *)elem;
		} else {
			return HOT_ANY;
		}
		*wake = hot_take(&c->recvq, s);
		unlock_nopreempt(&c->lock, alone);
		return HOT_WAKE;
	}
	if (count >= c->dataqsiz)
		return HOT_WAIT;
	uint64_t to = c->sendp;
	if (n == 8) {
		*(uint64_t *)to = *(const uint64_t *)elem;
		to += 8;
		to -= unlikely(to == c->end) ? 8ul * c->dataqsiz : 0;
	} else if (n == 4) {
		*(uint32_t *)to = *(const uint32_t *)elem;
		to += 4;
		to -= unlikely(to == c->end) ? 4ul * c->dataqsiz : 0;
	} else {
		return HOT_ANY;
	}
	c->sendp = to;
	at_store(&c->qcount, count + 1);
	unlock_nopreempt(&c->lock, alone);
	return HOT_DONE;
}

static inline __attribute__((always_inline)) enum hot recv_hot(struct hchan *c, void *elem, bool alone,
                                                               struct g **wake)
{
	struct sudog *s = c->sendq.first;
	uint32_t count = c->qcount;
	uint32_t n = c->elemsize;
	if (s) {
		if (unlikely(!hot_waiter(s, alone) || count))
			return HOT_ANY;
		if (n == 8) {
			if (likely(elem != NULL))
				*(uint64_t *)elem = *(uint64_t *)s->elem;
		} else if (n == 4) {
			if (likely(elem != NULL))
				*(uint32_t *)elem = *(uint32_t *)s->elem;
		} else {
			return HOT_ANY;
		}
		*wake = hot_take(&c->sendq, s);
		unlock_nopreempt(&c->lock, alone);
		return HOT_WAKE;
	}
	if (count == 0)
		return HOT_WAIT;
	uint64_t from = (uint64_t)c->recvp;
	if (n == 8) {
		if (likely(elem != NULL))
			*(uint64_t *)elem = *(uint64_t *)from;
		*(uint64_t *)from = 0; /* the buffer must not keep it alive */
		from += 8;
		from -= unlikely(from == c->end) ? 8ul * c->dataqsiz : 0;
	} else if (n == 4) {
		if (likely(elem != NULL))
			*(uint32_t *)elem = *(uint32_t *)from;
		from += 4;
		from -= unlikely(from == c->end) ? 4ul * c->dataqsiz : 0;
	} else {
		return HOT_ANY;
	}
	c->recvp = (char *)from;
	at_store(&c->qcount, count - 1);
	unlock_nopreempt(&c->lock, alone);
	return HOT_DONE;
}

noreturn void chan_panic_closed_send(void);

/* Public entry points, by api_task.h. */
struct hchan *rt_make_chan(size_t elemsize, const struct rt_type *type, int64_t cap);
void rt_chan_send(struct hchan *c, const void *elem);
bool rt_chan_recv(struct hchan *c, void *elem);
void rt_chan_close(struct hchan *c);
size_t rt_chan_len(struct hchan *c);
size_t rt_chan_cap(struct hchan *c);

#endif
