/* sema.h: the sleeping half of sync: a counting semaphore in a 32-bit word of
 * the user's, its waiters in a table of the runtime's (sync.c). */
#ifndef RT_SEMA_H
#define RT_SEMA_H

#include "rt.h"

/* Takes a unit of *addr, waiting if there is none; lifo queues at the front.  task. */
void sema_acquire(uint32_t *addr, bool lifo, enum wait_reason why);
/* Gives a unit; wakes the first waiter.  handoff: the unit goes to it
 * directly and it runs at once.  *addr may be gone as soon as the unit is
 * given: a waiter that takes it may free it.  task. */
void sema_release(uint32_t *addr, bool handoff);

#endif
