/* timer.h: one timer of a heap, and what channels know of timers. */
#ifndef RT_TIMER_H
#define RT_TIMER_H

#include "proc.h"

struct rt_timer {
	void (*fn)(struct rt_timer *t, uint64_t now); /* on g0: no blocking, no allocation */
	struct p *p;       /* whose heap; under that heap's lock, read with acquire */
	uint32_t heap_pos; /* index + 1, 0: in no heap; written under p's heap lock, release once p is */
};

/* The timers that keep nobody from being found deadlocked; NULL none.  Set once. */
enum { TIMER_COMPACT, TIMER_GC_PERIOD, TIMER_WATCHDOG, TIMERS_BACKGROUND };
extern struct rt_timer *timer_background[TIMERS_BACKGROUND];

/* time.c: into the caller's P's heap, which it is not in; and out of whichever
 * heap it is in: false if it was in none. */
void timer_add(struct rt_timer *t, uint64_t when);
/* The next timer that is added here will not be what memory is too little for: the
 * collector's own must not end the image just when tasks may get memory back.  task */
bool timer_room(void);
bool timer_del(struct rt_timer *t);
/* The entries of p's heap, which keep heap-allocated timers alive.  In a stop. */
void timers_range(const struct p *p, uintptr_t *lo, uintptr_t *hi);
/* Is an entry of any P's heap in [lo, hi)?  Beside the tasks, under the heaps' locks: who
 * makes one larger fills and shows the new one under its lock.  system */
bool timers_on(uintptr_t lo, uintptr_t hi);
/* The same as timers_range() beside the tasks: n bytes of them from off on, under the heap's lock.
 * False: they end there.  system */
bool timers_scan(struct p *p, size_t off, size_t n, void (*fn)(uintptr_t lo, uintptr_t hi, void *),
                 void *arg);

/* ticker.c, for channels that have a timer; c's lock held, kept. */
bool timer_chan_take(struct hchan *c, void *elem); /* receives, if the timer is due */
void timer_chan_wait(struct hchan *c);             /* a task has queued to receive */
void timer_chan_left(struct hchan *c);             /* one has left the queue */

void sleep(int64_t ns); /* api_time.h */
/* From now on unix_nano() is base + nanotime().  task */
void wall_set(int64_t base);

#endif
