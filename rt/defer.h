/* defer.h: deferred calls and panics inside the runtime: defer.c, panic.c and
 * deferreturn.S. */
#ifndef RT_DEFER_H
#define RT_DEFER_H

#include "rt.h"
#include "api_value.h"

/* A deferred call: a place in the task's stack of them, which lies in chunks of
 * garbage-collected memory; g->defers is the top, and the next free place follows
 * it.  Free places have no panic. */
struct defer_rec {
	void *wall;             /* NULL; set: no place but an end of a chunk (defer.c) */
	struct defer_rec *below; /* of a chunk's lower end: the place below its first one */
	uintptr_t slot;         /* where the deferring frame's return address is; 0: the bottom */
	uintptr_t pc;           /* what stood there: the true return address */
	uintptr_t sp;           /* the frame's stack pointer, its low end */
	uintptr_t resume;       /* the way out of the function, at the defer */
	uintptr_t rbx, rbp, r12, r13, r14, r15; /* at the defer */
	void (*call)(uintptr_t, uintptr_t); /* NULL: it was begun by rt_defer_return, or the frame recovered */
	struct panic_rec *panic; /* that runs it */
	uintptr_t words[6];     /* its arguments: two; see struct rt_deferred */
};

/* asm.S, deferreturn.S, api_defer.h */
#define D_WALL 0
#define D_BELOW 8
#define D_SLOT 16
#define D_PC 24
_Static_assert(offsetof(struct defer_rec, wall) == D_WALL && offsetof(struct defer_rec, below) == D_BELOW &&
                   offsetof(struct defer_rec, slot) == D_SLOT && offsetof(struct defer_rec, pc) == D_PC &&
                   offsetof(struct defer_rec, sp) == 32 && offsetof(struct defer_rec, resume) == 40 &&
                   offsetof(struct defer_rec, rbx) == 48 && offsetof(struct defer_rec, rbp) == 56 &&
                   offsetof(struct defer_rec, r12) == 64 && offsetof(struct defer_rec, r15) == 88 &&
                   offsetof(struct defer_rec, call) == 96 && offsetof(struct defer_rec, words) == 112 &&
                   sizeof(struct defer_rec) == 160 && offsetof(struct g, defers) == RT_G_DEFERS,
               "deferreturn.S, asm.S, api_defer.h");
_Static_assert(offsetof(struct rt_deferred, call) == offsetof(struct defer_rec, call) &&
                   offsetof(struct rt_deferred, words) == offsetof(struct defer_rec, words) &&
                   sizeof(struct rt_deferred) == sizeof(struct defer_rec),
               "api_defer.h");

/* A panic, or goexit; on the stack of the function that raised it. */
struct panic_rec {
	struct panic_rec *link; /* the one it interrupted */
	panicked what;
	uintptr_t frame;        /* of call_deferred, while it runs a deferred call */
	bool recovered, aborted, goexit;
};

noreturn void rt_panic_fault(uintptr_t addr, uintptr_t pc, const char *signal, const char *text);
struct defer_site;
uintptr_t *rt_defer_leave(uintptr_t *slot, struct defer_site *site);
noreturn void goexit(void);
/* asm.S.  Goes on in the frame that deferred d, on stack segment seg with this
 * limit, on its way out. */
noreturn void rt_defer_resume(struct defer_rec *d, uint32_t seg, uintptr_t limit);
/* asm.S.  goexit0() at sp on segment 0. */
noreturn void rt_goexit_at(uintptr_t sp, uintptr_t limit);
void rt_defer_return(void);

/* The innermost deferred call of g, or NULL. */
static inline struct defer_rec *defer_top(const struct g *g)
{
	return g->defers && g->defers->slot ? g->defers : NULL;
}

/* What was deferred before d, by the same or an outer frame; at the end the
 * bottom, whose slot is 0. */
static inline struct defer_rec *defer_below(const struct defer_rec *d)
{
	return d[-1].wall ? d[-1].below : (struct defer_rec *)(d - 1);
}

#endif
