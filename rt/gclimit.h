/* gclimit.h: between gc.c and gclimit.c. */
#ifndef RT_GCLIMIT_H
#define RT_GCLIMIT_H

#include "heap.h"
#include "proc.h"

/* The collector has had its share: tasks neither mark nor wait for it.  Set by any core;
 * relaxed. */
extern uint32_t gc_limited;
extern uint32_t gc_limited_cycle; /* the last cycle in which it was set, 0: none.  Relaxed */
/* So many ns more were the collector's; idle: of a core that had nothing else to do.  system */
void gc_used(uint64_t ns, bool idle);
/* A cycle was complete at that time: the next period begins.  task */
void gc_period_begins(uint64_t now);
void gc_start_late(void); /* gc.c: asks for a cycle, whatever the heap's size.  system */

#endif
