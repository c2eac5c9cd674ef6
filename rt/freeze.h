/* freeze.h: stack pages of parked tasks, between freeze.c, stack.c and those who
 * look at stacks. */
#ifndef RT_FREEZE_H
#define RT_FREEZE_H

#include "rt.h"

struct mem_stats;

/* freeze.c */
void freeze_start(void);        /* at start, on g0 */
void freeze_kick(void);         /* a stack was made; system, no lock held */
void freeze_all_now(void);      /* in a stop */
void freeze_stats(struct mem_stats *m); /* in a stop */
/* The copy of g's live stack, if g is frozen.  Not running meanwhile. */
bool stack_frozen_range(const struct g *g, uintptr_t *lo, uintptr_t *hi);
/* The word at addr on any task's stack, frozen or not.  In a stop, or fatal. */
uintptr_t stack_word(uintptr_t addr);

/* stack.c, slot.c */
#define STACK_PAGE_OWNERS 2
/* The tasks whose first stack has memory on this page (dead ones too): how many,
 * 0 when it is no first stack's.  any */
unsigned stack_page_owners(uintptr_t page, struct g *o[STACK_PAGE_OWNERS]);
/* Gives back what a parked g does not need, its other segments; it grows again.
 * In a stop. */
void stack_shrink_parked(struct g *g);
/* What goes back when g is frozen; false: it needs more.  In a stop. */
bool stack_freezable(const struct g *g, struct plat_range *r);
void stack_bytes_add(int64_t n); /* to stack_bytes_inuse(); seq_cst */

#endif
