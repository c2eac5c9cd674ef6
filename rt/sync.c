/* sync.c: Mutex, RWMutex, WaitGroup, Once and Cond.  After Go's sync package
 * and sema.go.
 *
 * A semaphore is a word of the user's memory; its waiters are in a table of
 * the runtime's, found by the word's address.  So a release touches the
 * user's memory for the last time when it adds the unit: the one who takes
 * the unit may return and let the word die with its stack frame.  (With the
 * queue beside the word, a releaser that was late walked into that frame.)
 *
 * Mutex has Go's two modes.  Normal: an unlock wakes the first waiter, who
 * competes with those that run anyway (they usually win: no switch).  When a
 * waiter has waited over 1 ms the mutex turns starving: ownership is handed
 * to the first waiter and newcomers queue.
 *
 * Invariants: a waiter's record is on its stack; root->nwait counts a row's
 * waiters; no unit is lost: release either leaves the word > 0 or wakes
 * somebody, who looks again. */
#include "sema.h"
#include "api_sync.h"

#define ROOT_BITS 9

struct sema_waiter {
	struct g *g;
	uint32_t *addr;
	struct sema_waiter *next;  /* the same word's next */
	struct sema_waiter *heads; /* first of a word: the row's next word */
	struct sema_waiter *tail;  /* first of a word: its last waiter */
	bool ticket;               /* woken with the unit already taken for it */
};

static struct sema_root {
	struct lock lock;
	uint32_t nwait;            /* seq_cst: raised before the last look at the word */
	struct sema_waiter *heads; /* under lock */
} __attribute__((aligned(CACHE_LINE))) roots[1 << ROOT_BITS] NOSCAN_BSS; /* the waiters lie on their stacks */

static struct sema_root *root_of(const uint32_t *addr)
{
	return &roots[((uintptr_t)addr >> 2) * 0x9e3779b97f4a7c15ull >> (64 - ROOT_BITS)];
}

static void root_lock(struct sema_root *r)
{
#ifdef INGOT_DEBUG
	r->lock.rank = RANK_SEMA; /* the zero value must work */
#endif
	lock(&r->lock);
}

static bool cansem(uint32_t *addr)
{
	uint32_t v = at_load(addr);
	while (v > 0)
		if (at_cas(addr, &v, v - 1))
			return true;
	return false;
}

static struct sema_waiter **find(struct sema_root *r, const uint32_t *addr)
{
	struct sema_waiter **link = &r->heads;
	while (*link && (*link)->addr != addr)
		link = &(*link)->heads;
	return link;
}

static void enqueue(struct sema_root *r, struct sema_waiter *w, bool lifo)
{
	struct sema_waiter **link = find(r, w->addr), *head = *link;
	if (head && !lifo) {
		head->tail->next = w;
		head->tail = w;
		return;
	}
	w->next = head;
	w->tail = head ? head->tail : w;
	w->heads = head ? head->heads : NULL;
	*link = w;
}

static struct sema_waiter *dequeue(struct sema_root *r, const uint32_t *addr)
{
	struct sema_waiter **link = find(r, addr), *w = *link;
	if (w && w->next) {
		w->next->tail = w->tail;
		w->next->heads = w->heads;
		*link = w->next;
	} else if (w) {
		*link = w->heads;
	}
	return w;
}

void sema_acquire(uint32_t *addr, bool lifo, enum wait_reason why)
{
	if (cansem(addr))
		return;
	struct sema_root *r = root_of(addr);
	for (;;) {
		root_lock(r);
		/* Then look again: release does the reverse. */
		bool got;
		IN_ORDER(sema_look, SABOTAGED(sema_fence) ? TORN_ADD(&r->nwait, 1) : at_add(&r->nwait, 1),
		         got = cansem(addr));
		if (got) {
			at_sub(&r->nwait, 1);
			unlock(&r->lock);
			return;
		}
		struct sema_waiter w = { .g = rt_self.g, .addr = addr };
		enqueue(r, &w, lifo);
		w.g->wait_on = addr;
		park_unlock(&r->lock, why);
		if (w.ticket || cansem(addr))
			return;
	}
}

void sema_release(uint32_t *addr, bool handoff)
{
	struct sema_root *r = root_of(addr);
	at_add(addr, 1);
	if (at_load_sc(&r->nwait) == 0)
		return;
	root_lock(r);
	struct sema_waiter *w = dequeue(r, addr);
	if (w) {
		at_sub(&r->nwait, 1);
		if (handoff && cansem(addr))
			w->ticket = true;
	}
	unlock(&r->lock);
	if (!w)
		return;
	bool ticket = w->ticket;
	ready(w->g, true); /* w is gone from here on */
	keep_alive(addr);
	if (ticket)
		gosched();
}

/* ---- Mutex -------------------------------------------------------------------- */

enum { LOCKED = 1, WOKEN = 2, STARVING = 4, WAITER = 8 };
#define STARVATION_NS 1000000u

static NOINLINE void mutex_lock_slow(mutex *m)
{
	uint64_t since = 0;
	bool starving = false, awoke = false;
	int spins = 0;
	uint32_t old = at_load(&m->state);
	for (;;) {
		/* A holder that runs on another core will soon be done. */
		if ((old & (LOCKED | STARVING)) == LOCKED && spins < 4 && rt_nps > 1) {
			if (!awoke && !(old & WOKEN) && old / WAITER != 0 && at_cas(&m->state, &old, old | WOKEN))
				awoke = true;
			for (unsigned i = 0; i < 30; i++)
				plat_relax(0);
			spins++;
			old = at_load(&m->state);
			continue;
		}
		uint32_t new = old;
		if (!(old & STARVING))
			new |= LOCKED;
		if (old & (LOCKED | STARVING))
			new += WAITER;
		if (starving && old & LOCKED)
			new |= STARVING;
		if (awoke) {
			if (!(new & WOKEN))
				throw("sync: inconsistent mutex state");
			new &= ~(uint32_t)WOKEN;
		}
		if (!at_cas(&m->state, &old, new))
			continue;
		if (!(old & (LOCKED | STARVING)))
			return;
		bool again = since != 0;
		if (!again)
			since = plat_now();
		sema_acquire(&m->sema, again, WAIT_MUTEX);
		starving = starving || plat_now() - since > STARVATION_NS;
		old = at_load(&m->state);
		if (old & STARVING) {
			/* Handed over: we own it though LOCKED is not set. */
			if (old & (LOCKED | WOKEN) || old / WAITER == 0)
				throw("sync: inconsistent mutex state");
			uint32_t delta = LOCKED - WAITER;
			if (!starving || old / WAITER == 1)
				delta -= STARVING;
			at_add(&m->state, delta);
			return;
		}
		awoke = true;
		spins = 0;
	}
}

NOSPLIT void mutex_lock(mutex *m)
{
	uint32_t zero = 0;
	if (likely(SABOTAGED(mutex_lock) ? TORN_CAS(&m->state, &zero, LOCKED)
	                                 : __atomic_compare_exchange_n(&m->state, &zero, LOCKED, false,
	                                                               __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		return;
	mutex_lock_slow(m);
}

bool mutex_try_lock(mutex *m)
{
	uint32_t old = at_load(&m->state);
	return !(old & (LOCKED | STARVING)) && at_cas(&m->state, &old, old | LOCKED);
}

static NOINLINE void mutex_unlock_slow(mutex *m, uint32_t new)
{
	if (!((new + LOCKED) & LOCKED))
		throw("sync: unlock of unlocked mutex");
	if (new & STARVING) {
		sema_release(&m->sema, true);
		return;
	}
	uint32_t old = new;
	for (;;) {
		if (old / WAITER == 0 || old & (LOCKED | WOKEN | STARVING))
			return;
		if (at_cas(&m->state, &old, (old - WAITER) | WOKEN)) {
			sema_release(&m->sema, false);
			return;
		}
	}
}

NOSPLIT void mutex_unlock(mutex *m)
{
	uint32_t new = SABOTAGED(mutex_unlock) ? TORN_ADD(&m->state, -LOCKED)
	                                       : __atomic_sub_fetch(&m->state, LOCKED, __ATOMIC_RELEASE);
	if (unlikely(new))
		mutex_unlock_slow(m, new);
}

/* ---- RWMutex --------------------------------------------------------------- */

#define MAX_READERS (1 << 30)

void rwmutex_rlock(rwmutex *m)
{
	if ((SABOTAGED(rwmutex_count) ? TORN_ADD(&m->reader_count, 1) : at_add(&m->reader_count, 1)) < 0) /* a writer waits or writes */
		sema_acquire(&m->readers, false, WAIT_RWMUTEX_R);
}

void rwmutex_runlock(rwmutex *m)
{
	int32_t r = at_sub(&m->reader_count, 1);
	if (unlikely(r < 0)) {
		if (r + 1 == 0 || r + 1 == -MAX_READERS)
			throw("sync: RUnlock of unlocked RWMutex");
		if (at_sub(&m->reader_wait, 1) == 0)
			sema_release(&m->writer, false);
	}
}

void rwmutex_lock(rwmutex *m)
{
	mutex_lock(&m->w); /* among writers */
	int32_t r = at_sub(&m->reader_count, MAX_READERS) + MAX_READERS;
	if (r != 0 && at_add(&m->reader_wait, r) != 0)
		sema_acquire(&m->writer, false, WAIT_RWMUTEX_W);
}

void rwmutex_unlock(rwmutex *m)
{
	int32_t r = at_add(&m->reader_count, MAX_READERS);
	if (r >= MAX_READERS)
		throw("sync: Unlock of unlocked RWMutex");
	for (int32_t i = 0; i < r; i++)
		sema_release(&m->readers, false);
	mutex_unlock(&m->w);
}

/* ---- WaitGroup ------------------------------------------------------------- */

void wait_group_add(wait_group *wg, int n)
{
	uint64_t d = (uint64_t)(int64_t)n << 32;
	uint64_t s = SABOTAGED(wait_group_add) ? TORN_ADD(&wg->state, d) : at_add(&wg->state, d);
	int32_t count = (int32_t)(s >> 32);
	uint32_t waiters = (uint32_t)s;
	if (unlikely(count < 0))
		rt_panic("sync: negative WaitGroup counter");
	if (unlikely(waiters != 0 && n > 0 && count == n))
		rt_panic("sync: WaitGroup misuse: Add called concurrently with Wait");
	if (count > 0 || waiters == 0)
		return;
	at_store(&wg->state, 0);
	for (; waiters != 0; waiters--)
		sema_release(&wg->sema, false);
}

void wait_group_done(wait_group *wg)
{
	wait_group_add(wg, -1);
}

void wait_group_wait(wait_group *wg)
{
	uint64_t s = at_load_acq(&wg->state);
	do {
		if (s >> 32 == 0)
			return;
	} while (!at_cas(&wg->state, &s, s + 1));
	sema_acquire(&wg->sema, false, WAIT_WAITGROUP);
	if (at_load(&wg->state) != 0)
		rt_panic("sync: WaitGroup is reused before previous Wait has returned");
}

/* ---- Once, Cond ---------------------------------------------------------------- */

void once_do(once *o, void (*f)(void))
{
	if (likely(at_load_acq(&o->done)))
		return;
	mutex_lock(&o->m);
	if (!o->done) {
		IN_ORDER(once_order, f(), at_store_rel(&o->done, 1));
	}
	mutex_unlock(&o->m);
}

/* A cond hands out tickets: wait counts those taken, notify those served, so
 * a signal reaches a task that took its ticket before it, though that task
 * may not be asleep yet, and never one that came later (Go's notifyList). */
struct cond_waiter {
	struct g *g;
	struct cond_waiter *next;
	uint32_t ticket;
};

struct cond_list {
	mutex *l;
	struct lock lock;
	uint32_t wait;   /* atomic: tickets taken; under l in the usual program */
	uint32_t notify; /* under lock */
	struct cond_waiter *first, *last;
};
_Static_assert(sizeof(struct cond_list) <= sizeof(cond), "api_sync.h leaves room");

static void cond_lock(struct cond_list *c)
{
#ifdef INGOT_DEBUG
	c->lock.rank = RANK_SEMA;
#endif
	lock(&c->lock);
}

void cond_wait(cond *pub)
{
	struct cond_list *c = (struct cond_list *)pub;
	struct cond_waiter w = { .g = rt_self.g };
	IN_ORDER(cond_ticket, w.ticket = at_add(&c->wait, 1) - 1, mutex_unlock(c->l));
	cond_lock(c);
	if ((int32_t)(w.ticket - c->notify) < 0) {
		unlock(&c->lock);
	} else {
		if (c->last)
			c->last->next = &w;
		else
			c->first = &w;
		c->last = &w;
		w.g->wait_on = c;
		park_unlock(&c->lock, WAIT_COND);
	}
	mutex_lock(c->l);
}

void cond_signal(cond *pub)
{
	struct cond_list *c = (struct cond_list *)pub;
	if (at_load_sc(&c->wait) == at_load(&c->notify))
		return;
	cond_lock(c);
	struct cond_waiter *w = NULL, **link = &c->first, *before = NULL;
	if (c->notify != at_load(&c->wait)) {
		uint32_t t = c->notify;
		at_store(&c->notify, t + 1);
		/* Tickets may enter the list slightly out of order: search. */
		for (; *link && (*link)->ticket != t; link = &(*link)->next)
			before = *link;
		if ((w = *link)) {
			*link = w->next;
			if (c->last == w)
				c->last = before;
		}
	}
	unlock(&c->lock);
	if (w)
		ready(w->g, true);
	keep_alive(c);
}

void cond_broadcast(cond *pub)
{
	struct cond_list *c = (struct cond_list *)pub;
	if (at_load_sc(&c->wait) == at_load(&c->notify))
		return;
	cond_lock(c);
	struct cond_waiter *w = c->first;
	c->first = c->last = NULL;
	at_store(&c->notify, at_load(&c->wait));
	unlock(&c->lock);
	while (w) {
		struct cond_waiter *next = w->next; /* before ready: then it is gone */
		ready(w->g, true);
		w = next;
	}
	keep_alive(c);
}
