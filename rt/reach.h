/* reach.h: the search from all roots, one object after the other, for the tools that
 * need the way as well as the end: whyalive.c, checkmark.c. */
#ifndef RT_REACH_H
#define RT_REACH_H

#include "heap.h"

enum root_kind {
	NO_ROOT,     /* in object number `from` */
	ROOT_GLOBAL,
	ROOT_STACK,  /* of task number `from` in the list of all */
	ROOT_TASK,   /* of what the runtime keeps for that task */
	ROOT_TIMER,  /* of P number `from` */
	ROOT_FINALIZER, /* in an object with a finalizer */
};

struct found {
	uintptr_t obj;   /* where it begins */
	uintptr_t where; /* the word that points into it */
	uint32_t from;
	uint32_t kind;   /* enum root_kind */
};

enum reach { REACH_ON, REACH_PASS, REACH_HIT }; /* go on; it was not found this way; end the search */

/* In a stop, by one core at a time:
 *   reach_begin   gets memory; false: there is not enough
 *   reach_search  asks judge about each way that an object not found yet is reached; the number of
 *                 the hit's entry + 1, 0: none.  ends: a pointer to a start may also be the end of
 *                 the object before.  Again goes on with what is not found yet
 *   reach_entry   entry number i: how that object was found
 *   reach_end     gives the memory back */
bool reach_begin(void);
uint32_t reach_search(enum reach (*judge)(const struct object *o, const struct found *f), bool ends);
struct found *reach_entry(uint32_t i);
bool reach_short(void);                   /* memory ran out: not all was looked at */
struct g *reach_task(uint32_t n);         /* task number n */
void reach_end(void);

#endif
