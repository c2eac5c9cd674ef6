/* chan.c: channels.  After Go's chan.go.
 *
 * An hchan is a lock, a ring buffer and two FIFO queues of waiting tasks.  A
 * waiter's sudog lies on its own stack (frames do not move), so waiting
 * allocates nothing.  A sender that finds a waiting receiver copies straight
 * into the receiver's variable; a receiver that finds a waiting sender takes
 * from the buffer's head and puts the sender's value at its tail.
 *
 * rt_chan_send() and rt_chan_recv() do the usual things by themselves, in a
 * leaf: no lock to wait for, a plain waiter, an element of 4 or 8 bytes.  All
 * else they leave, by tail calls, to functions that can do everything.
 *
 * Invariants: at least one of sendq and recvq is empty, but for a task that
 * waits in both by select; qcount > 0 implies recvq empty; qcount < dataqsiz
 * implies sendq empty; in a closed channel both hold rt_chan_closed and
 * nothing else.  A sudog is enqueued under the channel's lock and, for
 * select, is valid only for the waker that wins g->select_done. */
#include "chan.h"
#include "type.h"

#define MAX_BYTES (1ul << 47)
#define CAP_MAX ((int64_t)UINT32_MAX - 1)

struct sudog rt_chan_closed = { .is_select = true };

struct hchan *rt_make_chan(size_t elemsize, const struct rt_type *type, int64_t cap)
{
	if (cap < 0 || elemsize > UINT32_MAX || (elemsize && cap > CAP_MAX) ||
	    elemsize * (uint64_t)cap > MAX_BYTES - sizeof(struct hchan))
		rt_panic("makechan: size out of range");
	size_t bytes = elemsize * (size_t)cap;
	bool inlined = type->flags & RT_TYPE_NOSCAN || cap == 0;
	/* Without pointers in the elements nothing in an hchan keeps anything
	 * alive: waiting tasks are roots themselves. */
	struct hchan *c = rt_malloc(sizeof *c + (inlined ? bytes : 0), inlined ? RT_NOSCAN : RT_TYPE(struct hchan));
	c->recvp = !inlined ? rt_malloc(bytes, type) : (char *)(c + 1);
	c->sendp = (uint64_t)c->recvp;
	c->end = elemsize ? c->sendp + bytes : (uint64_t)cap;
	c->elemsize = (uint32_t)elemsize;
	c->dataqsiz = (uint32_t)(cap < CAP_MAX ? cap : CAP_MAX);
	lock_init(&c->lock, RANK_CHAN);
	return c;
}

noreturn void chan_panic_closed_send(void)
{
	rt_panic("send on closed channel");
}

static COLD void wait_nil(enum wait_reason why)
{
	park(NULL, NULL, why);
	throw("unreachable");
}

/* Queues the caller and waits; the lock is released.  False: woken by close.
 * Returns on another stack than it is called on. */
static inline __attribute__((always_inline)) bool wait_in(struct hchan *c, struct waitq *q, void *elem,
                                                          enum wait_reason why, bool timer)
{
	struct g *g = rt_self.g;
	struct sudog s; /* prev, next: waitq_push(); queued: not a select's */
	s.g = g;
	s.elem = elem;
	s.is_select = false;
	s.success = true;
	waitq_push(q, &s);
	if (timer)
		timer_chan_wait(c);
	bool alone = rt_alone;
	g->wait_on = c;
	park_mark(g, why);
	unlock_nopreempt(&c->lock, alone);
	park_switch(g, alone);
	preempt_on_outer(s.g);
	return s.success;
}

/* ---- send ------------------------------------------------------------------ */

/* Lock held, preemption off; so too below. */
static NOINLINE JUMP_RETURN void send_wait(struct hchan *c, const void *elem)
{
	if (unlikely(!wait_in(c, &c->sendq, (void *)elem, WAIT_CHAN_SEND, false)))
		chan_panic_closed_send();
}

static NOINLINE void send_any(struct hchan *c, const void *elem)
{
	bool alone = rt_alone;
	if (unlikely(chan_is_closed(c))) {
		unlock_nopreempt(&c->lock, alone);
		preempt_on(rt_self.g);
		chan_panic_closed_send();
	}
	if (send_now(c, elem, alone))
		preempt_on(rt_self.g);
	else
		send_wait(c, elem);
}

static COLD void send_contended(struct hchan *c, const void *elem)
{
	lock_nopreempt(&c->lock, false);
	send_any(c, elem);
}

static inline __attribute__((always_inline)) void send_one(struct hchan *c, const void *elem, struct g *me,
                                                           bool alone)
{
	struct g *wake;
	if (unlikely(!trylock_nopreempt(&c->lock, alone)))
		return send_contended(c, elem);
	enum hot did = send_hot(c, elem, alone, &wake);
	if (did == HOT_ANY)
		return send_any(c, elem);
	if (did == HOT_WAIT)
		return send_wait(c, elem);
	if (did == HOT_WAKE && unlikely(!ready_fast(wake, alone)))
		return ready_preempt_on(wake);
	preempt_on_outer(me);
}

NOSPLIT void rt_chan_send(struct hchan *c, const void *elem)
{
	if (unlikely(!c))
		return wait_nil(WAIT_CHAN_SEND_NIL);
	struct g *me = preempt_off_outer();
	if (likely(rt_alone))
		send_one(c, elem, me, true);
	else
		send_one(c, elem, me, false);
}

/* ---- receive ---------------------------------------------------------------- */

/* From a timer that is not due. */
static NOINLINE JUMP_RETURN bool recv_timer(struct hchan *c, void *elem)
{
	return wait_in(c, &c->recvq, elem, WAIT_CHAN_RECV, true);
}

static NOINLINE JUMP_RETURN bool recv_wait(struct hchan *c, void *elem)
{
	return wait_in(c, &c->recvq, elem, WAIT_CHAN_RECV, false);
}

static NOINLINE bool recv_any(struct hchan *c, void *elem)
{
	bool ok;
	if (!recv_now(c, elem, &ok, rt_alone))
		return chan_is_timer(c) ? recv_timer(c, elem) : recv_wait(c, elem);
	preempt_on(rt_self.g);
	return ok;
}

static COLD bool recv_contended(struct hchan *c, void *elem)
{
	lock_nopreempt(&c->lock, false);
	return recv_any(c, elem);
}

static NOINLINE bool recv_ready(struct g *g)
{
	ready_preempt_on(g);
	return true;
}

static COLD bool recv_resched(void)
{
	preempt_resched();
	return true;
}

static inline __attribute__((always_inline)) bool recv_one(struct hchan *c, void *elem, struct g *me, bool alone)
{
	struct g *wake;
	if (unlikely(!trylock_nopreempt(&c->lock, alone)))
		return recv_contended(c, elem);
	enum hot did = recv_hot(c, elem, alone, &wake);
	if (did == HOT_ANY)
		return recv_any(c, elem);
	if (did == HOT_WAIT)
		return recv_wait(c, elem);
	if (did == HOT_WAKE && unlikely(!ready_fast(wake, alone)))
		return recv_ready(wake);
	if (unlikely(preempt_dropped_outer(me)))
		return recv_resched();
	return true;
}

NOSPLIT bool rt_chan_recv(struct hchan *c, void *elem)
{
	if (unlikely(!c))
		return wait_nil(WAIT_CHAN_RECV_NIL), false;
	struct g *me = preempt_off_outer();
	if (likely(rt_alone))
		return recv_one(c, elem, me, true);
	return recv_one(c, elem, me, false);
}

/* ---- the rest ---------------------------------------------------------------- */

/* Takes a queue's waiters, who are told of the close. */
static struct sudog **take_all(struct waitq *q, struct sudog **tail, const struct hchan *receivers)
{
	for (struct sudog *s; (s = waitq_pop(q, false)); tail = &s->next) {
		if (receivers && s->elem)
			memset(s->elem, 0, receivers->elemsize);
		s->success = false;
		*tail = s;
	}
	*tail = NULL;
	at_store(&q->first, &rt_chan_closed);
	return tail;
}

void rt_chan_close(struct hchan *c)
{
	if (unlikely(!c))
		rt_panic("close of nil channel");
	if (unlikely(chan_is_timer(c)))
		rt_panic("close of receive-only channel"); /* the timer's, not the program's */
	lock(&c->lock);
	if (unlikely(chan_is_closed(c))) {
		unlock(&c->lock);
		rt_panic("close of closed channel");
	}
	/* Collect all waiters, then wake them without the lock. */
	struct sudog *list = NULL, **tail = take_all(&c->recvq, &list, c);
	take_all(&c->sendq, tail, NULL);
	unlock(&c->lock);
	while (list) {
		struct g *g = list->g;
		list = list->next; /* before ready(): then the sudog may be gone */
		ready(g, true);
	}
	keep_alive(c);
}

size_t rt_chan_len(struct hchan *c)
{
	return c && !chan_is_timer(c) ? at_load(&c->qcount) : 0;
}

size_t rt_chan_cap(struct hchan *c)
{
	return !c ? 0 : c->elemsize ? c->dataqsiz : c->end;
}
