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
/* A copy: [lo, top) of a segment, whose page is gone. */
struct frozen {
	union {
		struct {
			uint32_t off;    /* of lo on its page */
			uint32_t is_top; /* the task's sp is there: it counts as frozen */
		};
		struct frozen *next; /* of a free block */
	};
	char data[];
};
/* Bytes of the copy of a segment that begins at top. */
static inline size_t frozen_len(const struct frozen *b, uintptr_t top)
{
	return (top - 1) % 4096 + 1 - b->off;
}
/* The word at addr on any task's stack, frozen or not.  In a stop, or fatal. */
uintptr_t stack_word(uintptr_t addr);

/* stack.c, slot.c */
/* What a task has on a page that may be frozen: its slot, or the top page of
 * its window. */
struct stack_piece {
	struct g *g;            /* dead, perhaps */
	uint32_t seg;           /* 0 or 1 */
	struct frozen **copy;   /* where g keeps its copy */
	uintptr_t top;          /* where the segment begins */
};
#define STACK_PAGE_PIECES 2
/* The pieces on this page: how many, 0 when it is no such page.  any */
unsigned stack_page_pieces(uintptr_t page, struct stack_piece p[STACK_PAGE_PIECES]);
/* The page that g's segment 0 or 1 may be frozen with. */
uintptr_t stack_piece_page(const struct g *g, uint32_t seg);
/* Gives back what a parked g does not need: further segments, what lies below
 * its sp; it grows again.  In a stop. */
void stack_shrink_parked(struct g *g);
/* What goes back when that page is frozen; false: g uses more.  In a stop. */
bool stack_freezable(const struct g *g, uint32_t seg, struct plat_range *r);
void stack_bytes_add(int64_t n); /* to stack_bytes_inuse(); seq_cst */

#endif
