/* chan.c: channels.  After Go's chan.go.
 *
 * An hchan is a lock, a ring buffer and two FIFO queues of waiting tasks.  A
 * waiter's sudog lies on its own stack (frames do not move), so waiting
 * allocates nothing.  A sender that finds a waiting receiver copies straight
 * into the receiver's variable; a receiver that finds a waiting sender takes
 * from the buffer's head and puts the sender's value at its tail.
 *
 * Invariants: at least one of sendq and recvq is empty, but for a task that
 * waits in both by select; qcount > 0 implies recvq empty; qcount < dataqsiz
 * implies sendq empty.  A sudog is enqueued under the channel's lock and, for
 * select, is valid only for the waker that wins g->select_done. */
#include "chan.h"
#include "timer.h"
#include "type.h"

#define MAX_BYTES (1ul << 47)

struct hchan *rt_make_chan(size_t elemsize, const struct rt_type *type, int64_t cap)
{
	if (cap < 0 || (elemsize && (uint64_t)cap > (MAX_BYTES - sizeof(struct hchan)) / elemsize))
		rt_panic("makechan: size out of range");
	bool inlined = type->flags & RT_TYPE_NOSCAN || cap == 0;
	/* Without pointers in the elements nothing in an hchan keeps anything
	 * alive: waiting tasks are roots themselves. */
	struct hchan *c = rt_malloc(sizeof *c + (inlined ? elemsize * (size_t)cap : 0),
	                            inlined ? RT_NOSCAN : RT_TYPE(struct hchan));
	c->buf = !inlined ? rt_malloc(elemsize * (size_t)cap, type) : (char *)(c + 1);
	c->elemsize = elemsize;
	c->dataqsiz = (size_t)cap;
	lock_init(&c->lock, RANK_CHAN);
	return c;
}

/* Small elements are the rule: a fixed-size copy beats a call. */
static inline void copy_elem(void *dst, const void *src, size_t n)
{
	if (likely(n == 8))
		*(uint64_t *)dst = *(const uint64_t *)src;
	else if (n == 4)
		*(uint32_t *)dst = *(const uint32_t *)src;
	else if (n)
		memcpy(dst, src, n);
}

static inline void zero_elem(void *dst, size_t n)
{
	if (dst && n)
		memset(dst, 0, n);
}

/* The first waiter that may be woken, taken out of q. */
struct sudog *waitq_pop(struct waitq *q)
{
	for (struct sudog *s; (s = q->first);) {
		q->first = s->next;
		if (q->first)
			q->first->prev = NULL;
		else
			q->last = NULL;
		s->next = s->prev = NULL;
		s->queued = false;
		/* A select waits on several channels: the first to flip this wins. */
		uint32_t zero = 0;
		if (s->is_select && !at_cas(&s->g->select_done, &zero, 1))
			continue;
		return s;
	}
	return NULL;
}

void waitq_push(struct waitq *q, struct sudog *s)
{
	s->next = NULL;
	s->prev = q->last;
	s->queued = true;
	if (q->last)
		q->last->next = s;
	else
		q->first = s;
	q->last = s;
}

void waitq_remove(struct waitq *q, struct sudog *s)
{
	if (!s->queued)
		return;
	if (s->prev)
		s->prev->next = s->next;
	else
		q->first = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		q->last = s->prev;
	s->next = s->prev = NULL;
	s->queued = false;
}

static inline void *slot(struct hchan *c, size_t i)
{
	return c->buf + i * c->elemsize;
}

static inline size_t next_slot(struct hchan *c, size_t i)
{
	return i + 1 == c->dataqsiz ? 0 : i + 1;
}

static inline void wake(struct hchan *c, struct sudog *s)
{
	struct g *g = s->g;
	s->success = true;
	if (s->is_select)
		g->param = s; /* which of its cases */
	unlock(&c->lock);
	ready(g, true);
}

/* Sends without waiting if possible; lock held, released when true. */
static inline __attribute__((always_inline)) bool send_now(struct hchan *c, const void *elem)
{
	struct sudog *s;
	if (c->recvq.first && (s = waitq_pop(&c->recvq))) {
		if (s->elem)
			copy_elem(s->elem, elem, c->elemsize);
		wake(c, s);
		return true;
	}
	if (c->qcount < c->dataqsiz) {
		copy_elem(slot(c, c->sendx), elem, c->elemsize);
		c->sendx = next_slot(c, c->sendx);
		c->qcount++;
		unlock(&c->lock);
		return true;
	}
	return false;
}

/* Receives without waiting; *ok: a value came, not the close.  Lock held,
 * released when true. */
static inline __attribute__((always_inline)) bool recv_now(struct hchan *c, void *elem, bool *ok)
{
	struct sudog *s;
	if (c->qcount > 0) {
		void *head = slot(c, c->recvx);
		if (elem)
			copy_elem(elem, head, c->elemsize);
		*ok = true;
		c->recvx = next_slot(c, c->recvx);
		if (c->sendq.first && (s = waitq_pop(&c->sendq))) { /* the buffer is full: head becomes tail */
			copy_elem(head, s->elem, c->elemsize);
			c->sendx = c->recvx;
			wake(c, s);
			return true;
		}
		if (c->elemsize == 8) /* the buffer must not keep it alive */
			*(uint64_t *)head = 0;
		else if (c->elemsize > 8)
			zero_elem(head, c->elemsize);
		c->qcount--;
		unlock(&c->lock);
		return true;
	}
	if (c->closed) {
		unlock(&c->lock);
		zero_elem(elem, c->elemsize);
		*ok = false;
		return true;
	}
	if (c->sendq.first && (s = waitq_pop(&c->sendq))) {
		if (elem)
			copy_elem(elem, s->elem, c->elemsize);
		*ok = true;
		wake(c, s);
		return true;
	}
	if (unlikely(c->timer != NULL) && timer_chan_take(c, elem)) {
		unlock(&c->lock);
		*ok = true;
		return true;
	}
	return false;
}

void chan_wake(struct hchan *c, struct sudog *s)
{
	wake(c, s);
}

bool chan_try_send(struct hchan *c, const void *elem)
{
	return send_now(c, elem);
}

bool chan_try_recv(struct hchan *c, void *elem, bool *ok)
{
	return recv_now(c, elem, ok);
}

noreturn void chan_panic_closed_send(void)
{
	rt_panic("send on closed channel");
}

void rt_chan_send(struct hchan *c, const void *elem)
{
	if (unlikely(!c)) {
		park(NULL, NULL, WAIT_CHAN_SEND_NIL);
		throw("unreachable");
	}
	lock(&c->lock);
	if (unlikely(c->closed)) {
		unlock(&c->lock);
		chan_panic_closed_send();
	}
	if (send_now(c, elem))
		return;
	struct sudog s = { .g = rt_self.g, .elem = (void *)elem, .c = c };
	waitq_push(&c->sendq, &s);
	park_unlock(&c->lock, WAIT_CHAN_SEND);
	if (unlikely(!s.success))
		chan_panic_closed_send();
}

bool rt_chan_recv(struct hchan *c, void *elem)
{
	bool ok;
	if (unlikely(!c)) {
		park(NULL, NULL, WAIT_CHAN_RECV_NIL);
		throw("unreachable");
	}
	lock(&c->lock);
	if (recv_now(c, elem, &ok))
		return ok;
	struct sudog s = { .g = rt_self.g, .elem = elem, .c = c };
	waitq_push(&c->recvq, &s);
	if (unlikely(c->timer != NULL))
		timer_chan_wait(c);
	park_unlock(&c->lock, WAIT_CHAN_RECV);
	return s.success;
}

void rt_chan_close(struct hchan *c)
{
	if (unlikely(!c))
		rt_panic("close of nil channel");
	lock(&c->lock);
	if (unlikely(c->closed)) {
		unlock(&c->lock);
		rt_panic("close of closed channel");
	}
	c->closed = 1;
	/* Collect all waiters, then wake them without the lock. */
	struct sudog *list = NULL, **tail = &list, *s;
	while ((s = waitq_pop(&c->recvq))) {
		zero_elem(s->elem, c->elemsize);
		s->success = false;
		*tail = s;
		tail = &s->next;
	}
	while ((s = waitq_pop(&c->sendq))) {
		s->success = false;
		*tail = s;
		tail = &s->next;
	}
	unlock(&c->lock);
	while (list) {
		s = list;
		list = s->next; /* before ready(): then the sudog may be gone */
		s->next = NULL;
		struct g *g = s->g;
		if (s->is_select)
			g->param = s;
		ready(g, true);
	}
}

size_t rt_chan_len(struct hchan *c)
{
	return c ? at_load(&c->qcount) : 0;
}

size_t rt_chan_cap(struct hchan *c)
{
	return c ? c->dataqsiz : 0;
}
