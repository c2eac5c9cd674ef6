/* api_sync.h: locks and waiting, of ingot.h.  Go's package sync.
 *
 * Zero values are ready to use; none may be copied while in use.  All calls
 * are from a task; those that wait say so. */
#ifndef INGOT_API_SYNC_H
#define INGOT_API_SYNC_H

#include <stdbool.h>
#include <stdint.h>

/* Mutual exclusion; FIFO once a waiter has waited 1 ms (sync.Mutex). */
typedef struct mutex {
	uint32_t state, sema;
} mutex;
/* Waits until nobody holds it. */
void mutex_lock(mutex *m);
/* Does not wait: false if somebody holds it. */
bool mutex_try_lock(mutex *m);
/* Throws when it is not locked.  Any task may unlock. */
void mutex_unlock(mutex *m);

/* Many readers or one writer; a waiting writer stops new readers. */
typedef struct rwmutex {
	mutex w;
	uint32_t writer, readers; /* semaphores */
	int32_t reader_count, reader_wait;
} rwmutex;
/* For reading: waits for the writer, and for writers that wait. */
void rwmutex_rlock(rwmutex *m);
/* Lets go of it, as one reader. */
void rwmutex_runlock(rwmutex *m);
/* For writing: waits for all readers and the writer. */
void rwmutex_lock(rwmutex *m);
/* Lets go of it, as the writer. */
void rwmutex_unlock(rwmutex *m);

/* Waits for a number of tasks (sync.WaitGroup). */
typedef struct wait_group {
	uint64_t state; /* counter << 32 | waiters */
	uint32_t sema;
} wait_group;
/* n more to wait for; panics when the counter gets negative. */
void wait_group_add(wait_group *wg, int n);
/* One less. */
void wait_group_done(wait_group *wg);
/* Waits until the counter is 0. */
void wait_group_wait(wait_group *wg);

/* Runs f at most once; all callers return after it has. */
typedef struct once {
	uint32_t done, pad;
	mutex m;
} once;
/* Calls f if no call of o was before; waits until that one has returned. */
void once_do(once *o, void (*f)(void));

/* Waits for an event announced under a lock (sync.Cond). */
typedef struct cond {
	mutex *l; /* held around cond_wait */
	uint64_t rest[6];
} cond;
/* Lets go of the lock, waits for a signal, takes the lock again.  Look at what was
 * waited for in a loop. */
void cond_wait(cond *c);
/* Wakes one that waits, if any does. */
void cond_signal(cond *c);
/* Wakes all that wait. */
void cond_broadcast(cond *c);

#endif
