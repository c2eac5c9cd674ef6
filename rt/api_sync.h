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
void mutex_lock(mutex *m);
bool mutex_try_lock(mutex *m);
void mutex_unlock(mutex *m); /* throws when not locked */

/* Many readers or one writer; a waiting writer stops new readers. */
typedef struct rwmutex {
	mutex w;
	uint32_t writer, readers; /* semaphores */
	int32_t reader_count, reader_wait;
} rwmutex;
void rwmutex_rlock(rwmutex *m);
void rwmutex_runlock(rwmutex *m);
void rwmutex_lock(rwmutex *m);
void rwmutex_unlock(rwmutex *m);

/* Waits for a number of tasks (sync.WaitGroup). */
typedef struct wait_group {
	uint64_t state; /* counter << 32 | waiters */
	uint32_t sema;
} wait_group;
void wait_group_add(wait_group *wg, int n); /* panics when the counter gets negative */
void wait_group_done(wait_group *wg);
void wait_group_wait(wait_group *wg);

/* Runs f at most once; all callers return after it has. */
typedef struct once {
	uint32_t done, pad;
	mutex m;
} once;
void once_do(once *o, void (*f)(void));

/* Waits for an event announced under a lock (sync.Cond). */
typedef struct cond {
	mutex *l; /* held around cond_wait */
	uint64_t rest[6];
} cond;
void cond_wait(cond *c);
void cond_signal(cond *c);
void cond_broadcast(cond *c);

#endif
