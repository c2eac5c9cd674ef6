/* leak.h: tasks that nobody can ever wake, found by the collector; between leak.c,
 * gc.c, gcmark.c and those whose waits it looks at. */
#ifndef RT_LEAK_H
#define RT_LEAK_H

#include "rt.h"

/* Runs a collection that also sets WAIT_LEAKED on every leaked task, and calls
 * found(arg) at its end, before the world restarts.  task */
void gc_leaks(void (*found)(void *), void *arg);

/* For the collector; NULL in programs that never ask.  All in its stop. */
extern struct leak_hooks {
	/* True: g's stack is not to be scanned yet.  Under the mark queue's lock. */
	bool (*hold)(struct g *g);
	/* Everything but the held tasks is marked: finds those among them that can be
	 * woken, marks what they hold, calls the others leaked and marks that too. */
	void (*resolve)(void);
} leak_hooks;

/* gc.c: returns after a cycle that began after the call; found: one for gc_leaks().  task */
void gc_wait(void (*found)(void *), void *arg);

/* gcmark.c, for leak.c */
/* The object that p points into is marked, or there is none. */
bool gc_marked(const void *p);
/* Marks what g holds, and all that is reachable from there. */
void gc_mark_task(struct g *g);
/* Marking ran out of memory meanwhile and has now caught up: look again. */
bool gc_mark_caught_up(void);

/* select.c: one of the channels that g waits on is marked. */
bool select_reachable(const struct g *g);

#endif
