/* track_host.h: between plat_host.c and track_host.c. */
#ifndef TRACK_HOST_H
#define TRACK_HOST_H

/* Begins to track the heap, before anything runs in it. */
void track_init(void *heap, size_t len);
/* In a signal handler: it was a write that is to be noted, and can be done again. */
bool track_fault(uintptr_t addr);
/* The system is about to write there.  It may find it protected again: EFAULT, and once more. */
void track_touch(void *p, size_t n);

#endif
