/* gctrack.h: what was written while the marker ran, between gctrack.c, gcmark.c
 * and gc.c. */
#ifndef RT_GCTRACK_H
#define RT_GCTRACK_H

#include "heap.h"

#define TRACK_PAGE 4096ul

void gc_track_init(void);
struct gc_written {
	size_t pages, of; /* of TRACK_PAGE bytes; how many are tracked */
	size_t tasks;
};
/* Notes pages and tasks written since they were last forgotten (unless !note),
 * and forgets them: what is written from its return on is found again.  How
 * many there were.  task; nobody marks. */
struct gc_written gc_track_forget(bool note);
/* Notes them without forgetting, and gives them out.  stop */
struct gc_written gc_track_see(void);
/* Nobody asks before the next gc_track_forget(): until then a write to the heap should cost no
 * page fault where that is how it is noted.  task; nobody marks */
void gc_track_end(void);
void gc_track_rescan(void);             /* gives out what was noted; nobody marks */

/* The rest under the mark queue's lock. */
/* 64 pages of TRACK_PAGE bytes from lo on, of which those of the set bits were
 * written; 0: none are left. */
uint64_t gc_track_take_pages(uintptr_t *lo);
void gc_track_keep(uintptr_t lo, uint64_t pages); /* to be given out the next time */
void gc_track_put_back(uintptr_t lo, uint64_t pages); /* taken, and not looked at */
struct g *gc_track_take_task(void);     /* NULL: none is left */
bool gc_track_left(void);               /* there is something to take; a hint without the lock */

#endif
