/* stack.h: where task stacks lie, and whose they are.
 *
 * The platform's stack range, from below:
 *
 *   slots    slot i is segment 0 of the task gs[i], from creation for ever.
 *            plat_stack_slot bytes each, so two share a page (and in the
 *            address sanitizer's build one has several)
 *   gs       the struct g themselves
 *   exts     struct stack_ext i belongs to window i
 *   windows  STACK_WINDOW bytes of address space each
 *   ...
 *   large windows, from the top of the range downward
 *
 * Of gs and exts the beginning is committed and stays so.  Of the slots the
 * pages come and go: a page has memory from slot_page_give() on, until both
 * its tasks are dead and stack_free_dead() takes it.  Addresses are found by
 * arithmetic, without a search or a lock, also in an interrupt. */
#ifndef RT_STACK_H
#define RT_STACK_H

#include "rt.h"

#define STACK_PAGE 4096ul
/* Functions with smaller frames compare rsp itself with the limit. */
#define SMALL_FRAME 256
/* The tops of slots would fall into two sets of the L1 cache, those of windows
 * into one, and few of L2: 1,000 tasks took turns in 16 ways, a spawn cost
 * twice.  So a stack begins lower, by half of this many lines on average. */
#define STACK_COLOURS 8

/* Where segment n was left for segment n + 1 or a later one. */
struct stack_back {
	uintptr_t sp;      /* at the return address of the function that went on there */
	uintptr_t limit;   /* the stack limit to go back to */
	uint64_t seg;      /* which segment it was */
};

/* A window; what it has committed is [lo, hi), lo is 0 while it has none. */
struct stack_seg {
	uintptr_t lo, hi;
	uintptr_t base;    /* lowest address of the window */
};

/* What a task has that outgrew its slot: segments 1 and 2.  Owner core only,
 * while a task has it. */
struct stack_ext {
	struct stack_back back[2]; /* [n]: what segment n + 1 returns to */
	uintptr_t fast_top;   /* asm.S may enter segment 1 here, down to fast_limit */
	uintptr_t fast_limit; /* stack limit of segment 1 */
	struct stack_seg seg[2];   /* segments 1 and 2 */
	size_t max;           /* this task's own limit, 0: the program's */
	struct g *g;          /* owner, or NULL */
	struct frozen *frozen; /* freeze.c: the copy of segment 1, whose page is gone */
	struct stack_ext *next; /* free list, under stack_lock */
} __attribute__((aligned(CACHE_LINE)));

/* The layout: constant after stack_init() but for the counts. */
struct stacks {
	uintptr_t slots, windows, end;
	struct g *gs;
	struct stack_ext *exts;
	uint32_t nslots;   /* Gs made so far: their memory is zero or better; release, acquire */
	uint32_t nexts;    /* the same */
	uint32_t slots_max, exts_max;
};
extern struct stacks stacks;

/* An odd number of pages: with a power of two all stack tops would share one
 * sixteenth of the TLB's sets. */
#define STACK_WINDOW (17 * STACK_PAGE)

/* How many slots share a page, at least 1. */
static inline uint32_t slots_per_page(void)
{
	return plat_stack_slot < STACK_PAGE ? (uint32_t)(STACK_PAGE / plat_stack_slot) : 1;
}
static inline uint32_t slot_of(const struct g *g)
{
	return (uint32_t)(g - stacks.gs);
}
/* Bounds of g's slot. */
static inline uintptr_t slot_lo(const struct g *g)
{
	return (g->top - 1) & ~(plat_stack_slot - 1);
}
static inline uintptr_t slot_hi(const struct g *g)
{
	return slot_lo(g) + plat_stack_slot;
}
/* Where a task ends, at the top of its slot (goexit0()). */
static inline uintptr_t slot_end_sp(const struct g *g)
{
	return (g->top - 64) & ~15ul;
}
/* The first of the slots_per_page() Gs whose slots lie on the page of this
 * address (the others follow it in gs[]), NULL when it is no slot's.  any. */
static inline struct g *slot_page_first(uintptr_t va)
{
	if (va < stacks.slots)
		return NULL;
	uintptr_t i = (va - stacks.slots) / plat_stack_slot & ~(uintptr_t)(slots_per_page() - 1);
	return i < at_load_acq(&stacks.nslots) ? &stacks.gs[i] : NULL;
}

/* Debug builds: a word at the bottom of each slot, where nothing may write. */
#ifdef INGOT_DEBUG
#define SLOT_MARK 0x736c6f74736c6f74ull
#define MARK_ROOM 16
#define slot_check(g) \
	RT_ASSERT(slots_per_page() == 1 || *(uint64_t *)slot_lo(g) == SLOT_MARK)
#else
#define MARK_ROOM 0
#define slot_check(g) ((void)(g))
#endif
void slot_marks(void *page);

/* Bounds of the memory that segment seg of g has. */
static inline uintptr_t seg_lo(const struct g *g, uint32_t seg)
{
	return seg ? g->ext->seg[seg - 1].lo : slot_lo(g);
}
static inline uintptr_t seg_hi(const struct g *g, uint32_t seg)
{
	return seg ? g->ext->seg[seg - 1].hi : slot_hi(g);
}

/* The task whose stack this address lies on and the committed bounds there;
 * NULL when it is no task's.  any, also on the fatal path. */
struct g *stack_owner(uintptr_t addr, uintptr_t *lo, uintptr_t *hi);

/* Frame size that rt_window_call() asks for: more than a slot, and odd. */
#define WINDOW_CALL_FRAME 2049

/* stack.c */
void stack_init(void);             /* once, at start */
size_t stack_max(const struct g *g); /* this task's limit in bytes */
bool stack_limit_set(struct g *g, size_t max); /* a new task's own; system.  False: no memory */
void stack_check_max(size_t bytes); /* panics if this cannot be a task's limit */
void stack_shrink_dead(struct g *g); /* a dead G's stack, back to what a new one has; system */
struct stack_back stack_unwind_to(struct g *g, uintptr_t sp);
void rt_window_call(void (*fn)(void *), void *arg); /* asm.S: fn(arg) on segment 1 */
/* Entry functions whose tasks have been seen to outgrow their slots. */
extern uint32_t stack_deep_fns;    /* how many are known; relaxed */
bool stack_starts_deep(const struct g *g); /* this new task had better begin on a window */

uintptr_t stack_large_low(void);    /* large windows lie from here to stacks.end; relaxed */

/* slot.c */
void slots_init(void);             /* after the layout is known */
struct g *slots_make(unsigned pages); /* Gs without memory, as a list of pages by next; system */
bool slot_page_give(struct g *first); /* memory for the page; system.  False: there is none */
void stack_free_dead(void);        /* memory of dead tasks' slots back to the system; task */
uintptr_t slot_limit(const struct g *g);
/* plat_stack_commit() and _release(), counted. */
bool stack_commit(uintptr_t va, size_t len);
void stack_release(uintptr_t va, size_t len);

#endif
