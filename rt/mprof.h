/* mprof.h: where allocations are sampled, between malloc.c and mprof.c. */
#ifndef RT_MPROF_H
#define RT_MPROF_H

#include "heap.h"

/* NULL while no profile is taken. */
struct special;
extern struct mprof_hooks {
	/* A slot has a new run: shortens it before an object that is to be sampled; true:
	 * its first one is.  Preemption off. */
	bool (*run)(struct mcache_slot *k);
	bool (*large)(size_t size); /* a large object: it is to be sampled.  Preemption off */
	/* Notes the object and the stack that asked for it.  Preemption as it comes. */
	void (*sample)(void *p, size_t size);
	/* Where the object was allocated that this record is about: a return address. */
	uintptr_t (*site)(const struct special *x);
} mprof_hooks;

#endif
