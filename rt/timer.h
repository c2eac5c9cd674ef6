/* timer.h: one timer; owned by whoever embeds it. */
#ifndef RT_TIMER_H
#define RT_TIMER_H

#include "proc.h"

struct rt_timer {
	uint64_t when;   /* plat_now() deadline; not changed while in a heap */
	uint64_t period; /* ns; 0: fires once */
	void (*fn)(void *arg, uint64_t now); /* on g0: no blocking, no allocation */
	void *arg;
	struct p *p;      /* whose heap; under that heap's lock */
	uint32_t heap_pos; /* index + 1, 0: in no heap; under p's heap lock */
};

void timer_add(struct rt_timer *t);
bool timer_del(struct rt_timer *t);
/* The entries of p's heap, which keep heap-allocated timers alive.  In a stop. */
void timers_range(const struct p *p, uintptr_t *lo, uintptr_t *hi);

#endif
