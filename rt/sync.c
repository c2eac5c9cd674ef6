/* sync.c: Mutex, RWMutex, WaitGroup, Once and Cond.  After Go's sync package
 * and sema.go; the queue lies in the semaphore itself instead of a hash table
 * by address, because C programs can spare the bytes and it needs no search.
 *
 * Mutex has Go's two modes.  Normal: an unlock wakes the first waiter, who
 * competes with those that run anyway (they usually win: no switch).  When a
 * waiter has waited over 1 ms the mutex turns starving: ownership is handed
 * to the first waiter and newcomers queue.
 *
 * Invariants: a waiter's record is on its stack; s->nwait counts the queue;
 * no unit is lost: release either leaves value > 0 or wakes somebody. */
#include "sema.h"
#include "api_sync.h"

_Static_assert(sizeof(struct sema) <= sizeof(struct rt_sema), "api_sync.h leaves room");

static bool cansem(struct sema *s)
{
	uint32_t v = at_load(&s->value);
	while (v > 0)
		if (at_cas(&s->value, &v, v - 1))
			return true;
	return false;
}

static void sema_lock(struct sema *s)
{
#ifdef INGOT_DEBUG
	s->lock.rank = RANK_SEMA; /* the zero value must work */
#endif
	lock(&s->lock);
}

void sema_acquire(struct sema *s, bool lifo, enum wait_reason why)
{
	if (cansem(s))
		return;
	for (;;) {
		sema_lock(s);
		at_add(&s->nwait, 1); /* then look again: release does the reverse */
		if (cansem(s)) {
			at_sub(&s->nwait, 1);
			unlock(&s->lock);
			return;
		}
		struct sema_waiter w = { .g = rt_self.g };
		if (lifo) {
			w.next = s->first;
			s->first = &w;
			if (!s->last)
				s->last = &w;
		} else {
			if (s->last)
				s->last->next = &w;
			else
				s->first = &w;
			s->last = &w;
		}
		park_unlock(&s->lock, why);
		if (w.ticket || cansem(s))
			return;
	}
}

void sema_release(struct sema *s, bool handoff)
{
	at_add(&s->value, 1);
	if (at_load_sc(&s->nwait) == 0)
		return;
	sema_lock(s);
	struct sema_waiter *w = s->first;
	if (w) {
		s->first = w->next;
		if (!s->first)
			s->last = NULL;
		at_sub(&s->nwait, 1);
		if (handoff && cansem(s))
			w->ticket = true;
	}
	unlock(&s->lock);
	if (!w)
		return;
	bool ticket = w->ticket;
	ready(w->g, true); /* w is gone from here on */
	if (ticket)
		gosched();
}

static struct sema *sema_of(struct rt_sema *s)
{
	return (struct sema *)s;
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
		sema_acquire(sema_of(&m->sema), again, WAIT_MUTEX);
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

void mutex_lock(mutex *m)
{
	uint32_t zero = 0;
	if (likely(__atomic_compare_exchange_n(&m->state, &zero, LOCKED, false, __ATOMIC_ACQUIRE,
	                                       __ATOMIC_RELAXED)))
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
		sema_release(sema_of(&m->sema), true);
		return;
	}
	uint32_t old = new;
	for (;;) {
		if (old / WAITER == 0 || old & (LOCKED | WOKEN | STARVING))
			return;
		if (at_cas(&m->state, &old, (old - WAITER) | WOKEN)) {
			sema_release(sema_of(&m->sema), false);
			return;
		}
	}
}

void mutex_unlock(mutex *m)
{
	uint32_t new = __atomic_sub_fetch(&m->state, LOCKED, __ATOMIC_RELEASE);
	if (unlikely(new))
		mutex_unlock_slow(m, new);
}

/* ---- RWMutex --------------------------------------------------------------- */

#define MAX_READERS (1 << 30)

void rwmutex_rlock(rwmutex *m)
{
	if (at_add(&m->reader_count, 1) < 0) /* a writer waits or writes */
		sema_acquire(sema_of(&m->readers), false, WAIT_RWMUTEX_R);
}

void rwmutex_runlock(rwmutex *m)
{
	int32_t r = at_sub(&m->reader_count, 1);
	if (unlikely(r < 0)) {
		if (r + 1 == 0 || r + 1 == -MAX_READERS)
			throw("sync: RUnlock of unlocked RWMutex");
		if (at_sub(&m->reader_wait, 1) == 0)
			sema_release(sema_of(&m->writer), false);
	}
}

void rwmutex_lock(rwmutex *m)
{
	mutex_lock(&m->w); /* among writers */
	int32_t r = at_sub(&m->reader_count, MAX_READERS) + MAX_READERS;
	if (r != 0 && at_add(&m->reader_wait, r) != 0)
		sema_acquire(sema_of(&m->writer), false, WAIT_RWMUTEX_W);
}

void rwmutex_unlock(rwmutex *m)
{
	int32_t r = at_add(&m->reader_count, MAX_READERS);
	if (r >= MAX_READERS)
		throw("sync: Unlock of unlocked RWMutex");
	for (int32_t i = 0; i < r; i++)
		sema_release(sema_of(&m->readers), false);
	mutex_unlock(&m->w);
}

/* ---- WaitGroup ------------------------------------------------------------- */

void wait_group_add(wait_group *wg, int n)
{
	uint64_t s = at_add(&wg->state, (uint64_t)(int64_t)n << 32);
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
		sema_release(sema_of(&wg->sema), false);
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
	sema_acquire(sema_of(&wg->sema), false, WAIT_WAITGROUP);
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
		f();
		at_store_rel(&o->done, 1);
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
	struct cond_waiter w = { .g = rt_self.g, .ticket = at_add(&c->wait, 1) - 1 };
	mutex_unlock(c->l);
	cond_lock(c);
	if ((int32_t)(w.ticket - c->notify) < 0) {
		unlock(&c->lock);
	} else {
		if (c->last)
			c->last->next = &w;
		else
			c->first = &w;
		c->last = &w;
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
}
