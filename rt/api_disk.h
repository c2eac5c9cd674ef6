/* api_disk.h: disks, of ingot.h: bytes at offsets of a whole device.
 *
 *	disk *d = disk_open(0);
 *	if (!d) ...                                       there is none
 *	error err = disk_read_at(d, buf, n, off);
 *
 * Errors are those declared here.  A disk may be used by many tasks at once; each waits for its own request only.
 * What was written is on the medium after disk_flush().  Programs that call
 * none of these have no disk driver in them.  All calls are from a task. */
#ifndef INGOT_API_DISK_H
#define INGOT_API_DISK_H

#include "api_value.h"
#include "api_error.h"

/* A disk; it is never closed. */
typedef struct blkdev disk;

declare_error(disk_err_io);          /* the device could not */
declare_error(disk_err_space);       /* no space left on the medium behind it */
declare_error(disk_err_unsupported); /* this disk cannot do that */
declare_error(disk_err_broken);      /* it gave less than was asked for, or no answer */
declare_error(disk_err_failed);      /* it was given up: why is on the console */
declare_error(disk_err_range);       /* before the start or beyond the end */
declare_error(disk_err_block);       /* begins or ends within a block */
declare_error(disk_err_read_only);   /* it takes no writes */
declare_error(disk_err_memory);      /* none for a buffer */

/* How many disks there are; they are looked for at the first call.  Hosted:
 * the files named in INGOT_DISKS, separated by ':'. */
int disk_count(void);
/* Disk i, from 0 in the order found; NULL if there is none.  No error. */
disk *disk_open(int i);
/* A disk in memory, all zeros, of this many bytes, rounded up to 512; it is no
 * disk_open()'s.  NULL when memory is out. */
disk *disk_in_memory(int64_t bytes);

int64_t disk_size(disk *d);       /* bytes; a device may grow */
int disk_block(disk *d);          /* bytes: writes begin and end at multiples of it */
bool disk_read_only(disk *d);     /* it takes no writes */
bool disk_can_discard(disk *d);   /* disk_discard() has an effect */
const char *disk_driver(disk *d); /* "virtio-blk" */
const char *disk_serial(disk *d); /* the device's own name, "" if it has none */

/* Reads n bytes at off, any; all or an error, then buf's content is undefined. */
error disk_read_at(disk *d, void *buf, size_t n, int64_t off) must_check;
/* Writes n bytes at off, both multiples of disk_block().  After an error any
 * part of them may have been written. */
error disk_write_at(disk *d, const void *buf, size_t n, int64_t off) must_check;
/* Returns when all that was written before is on the medium. */
error disk_flush(disk *d) must_check;
/* The content of these bytes is of no use any more; multiples of disk_block(). */
error disk_discard(disk *d, int64_t off, int64_t n) must_check;

#endif
