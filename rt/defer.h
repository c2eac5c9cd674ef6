/* defer.h: deferred calls and panics inside the runtime: defer.c, panic.c and
 * deferreturn.S. */
#ifndef RT_DEFER_H
#define RT_DEFER_H

#include "rt.h"
#include "api_value.h"

/* A deferred call.  In garbage-collected memory, on g->defers. */
struct defer_rec {
	struct defer_rec *next; /* deferred before it, by the same or an outer frame */
	uintptr_t slot;         /* where the deferring frame's return address is */
	uintptr_t pc;           /* what stood there: the true return address */
	uintptr_t sp;           /* the frame's stack pointer, its low end */
	uintptr_t resume;       /* where rt_defer_push returns to */
	uintptr_t rbx, rbp, r12, r13, r14, r15; /* at rt_defer_push */
	void (*thunk)(void *);  /* NULL: done, the frame was recovered */
	struct panic_rec *panic; /* that runs it */
	uint32_t size;          /* of args */
	bool started;           /* a panic or goexit is running it */
	bool pooled;            /* room for DEFER_ARGS bytes: to the free list */
	char args[] __attribute__((aligned(16)));
};

#define DEFER_ARGS 64 /* most calls' arguments fit: such records are reused */
#define DEFER_POOL 16 /* records a task keeps */

/* deferreturn.S */
#define D_SLOT 8
#define D_PC 16
#define D_SP 24
_Static_assert(offsetof(struct defer_rec, slot) == D_SLOT && offsetof(struct defer_rec, pc) == D_PC &&
                   offsetof(struct defer_rec, sp) == D_SP && offsetof(struct defer_rec, resume) == 32 &&
                   offsetof(struct defer_rec, rbx) == 40 && offsetof(struct defer_rec, rbp) == 48 &&
                   offsetof(struct defer_rec, r12) == 56 && offsetof(struct defer_rec, r15) == 80,
               "deferreturn.S, asm.S");

/* A panic, or goexit; on the stack of the function that raised it. */
struct panic_rec {
	struct panic_rec *link; /* the one it interrupted */
	panicked what;
	uintptr_t frame;        /* of call_deferred, while it runs a deferred call */
	bool recovered, aborted, goexit;
};

void rt_defer_free(struct g *g, struct defer_rec *d);
void rt_defer_nil(void *args);
noreturn void rt_panic_fault(uintptr_t addr, uintptr_t pc, const char *signal, const char *text);
int rt_defer_link(struct defer_rec *d);
void rt_deferreturn(uintptr_t slot, void *saved);
noreturn void goexit(void);
/* asm.S.  Goes on in the frame that deferred d, on stack segment seg with this
 * limit, as if rt_defer_push returned 1. */
noreturn void rt_defer_resume(struct defer_rec *d, uint32_t seg, uintptr_t limit);
/* asm.S.  goexit0() at sp on segment 0. */
noreturn void rt_goexit_at(uintptr_t sp, uintptr_t limit);
void rt_defer_return(void);

#endif
