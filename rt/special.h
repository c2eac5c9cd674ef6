/* special.h: what hangs on single heap objects, between special.c and mprof.c. */
#ifndef RT_SPECIAL_H
#define RT_SPECIAL_H

#include "heap.h"

enum special_kind {
	SPECIAL_FINALIZER, /* fn(object) when it is unreachable, which it then is not */
	SPECIAL_WEAK,      /* strong is the handle of the weak pointers to ptr */
	SPECIAL_CLEANUP,   /* fn(strong) when the object is gone */
	SPECIAL_PROFILE,   /* fn(the record) in the sweeper when the object is gone; no heap memory */
};

/* A record.  Heap memory, but for SPECIAL_PROFILE. */
struct special {
	struct special *next;     /* of its span, by ptr; then of a runner's queue */
	struct special *all_next, *all_prev; /* all of heap memory: holds them */
	void *strong;             /* kept alive */
	void (*fn)(void *);
	uint64_t ptr;             /* into the object; holds nothing */
	uint64_t id;              /* of a cleanup; a finalizer's place among the roots */
	uint64_t kind;            /* enum special_kind */
};

/* The part of a sweep generation that a span notes. */
#define SPECIALS_GEN(sweepgen) ((uint8_t)((sweepgen) / 2))

extern struct lock special_lock; /* all of it, but for what says otherwise; RANK_LEAF */
void special_init(void); /* before the first one; any number of times */
void special_insert(struct mspan *s, struct special *x); /* under the lock */
/* The span p lies in, and the start of its object; NULL: not in the heap.  Who
 * holds the object asks. */
struct mspan *special_span(uint64_t p, uint64_t *base);

#endif
