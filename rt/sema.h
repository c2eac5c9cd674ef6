/* sema.h: the sleeping half of sync: a counting semaphore with a FIFO queue.
 * struct rt_sema of api_task.h is its public, opaque shape. */
#ifndef RT_SEMA_H
#define RT_SEMA_H

#include "rt.h"

struct sema_waiter {
	struct g *g;
	struct sema_waiter *next;
	bool ticket; /* woken with the unit already taken for it */
};

struct sema {
	uint32_t value; /* units; CAS without the lock, or under it */
	struct lock lock;
	struct sema_waiter *first, *last;
	uint32_t nwait; /* written under lock; read seq_cst by sema_release */
};

/* Takes a unit, waiting if there is none; lifo queues at the front.  task. */
void sema_acquire(struct sema *s, bool lifo, enum wait_reason why);
/* Gives a unit; wakes the first waiter.  handoff: the unit goes to it
 * directly and it runs at once.  task. */
void sema_release(struct sema *s, bool handoff);

#endif
