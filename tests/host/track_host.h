/* track_host.h: between plat_host.c and track_host.c. */
#ifndef TRACK_HOST_H
#define TRACK_HOST_H

/* Begins to track the heap, before anything runs in it. */
void track_init(void *heap, size_t len);

#endif
