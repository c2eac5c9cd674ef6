/* disk.c: disks for programs: api_disk.h over the drivers' struct blkdev.
 *
 * Here is what all drivers share: looking for devices once, bounds, offsets that
 * are no multiple of a block, requests larger than a device takes, and buffers
 * that a device cannot reach.  Those are on stacks; their bytes go through a
 * buffer in the heap.  All others are read and written in place: heap memory
 * never moves, and the caller, who waits, keeps it. */
#include "driver.h"
#include "rt.h"
#include "type.h"
#include "api_task.h"
#include "api_disk.h"
#include "api_mem.h"

#define DISKS_MAX 32
#define BOUNCE_BYTES (64u << 10)

define_error(disk_err_io, "disk: input/output error");
define_error(disk_err_space, "disk: no space left on the medium");
define_error(disk_err_unsupported, "disk: the device does not support the operation");
define_error(disk_err_broken, "disk: the device gave no whole answer");
define_error(disk_err_failed, "disk: the device failed");
define_error(disk_err_range, "disk: beyond the end of the device");
define_error(disk_err_block, "disk: begins or ends within a block");
define_error(disk_err_read_only, "disk: the device is read-only");
define_error(disk_err_memory, "disk: out of memory");

static struct blkdev *disks[DISKS_MAX];
static int ndisks;
static once found;

void blkdev_add(struct blkdev *d)
{
	if (ndisks < DISKS_MAX)
		disks[ndisks++] = d;
}

int disk_count(void)
{
	once_do(&found, plat_find_disks);
	return ndisks;
}

disk *disk_open(int i)
{
	return i >= 0 && i < disk_count() ? disks[i] : NULL;
}

int64_t disk_size(disk *d) { return (int64_t)at_load(&d->bytes); }
int disk_block(disk *d) { return (int)d->block; }
bool disk_read_only(disk *d) { return d->read_only; }
bool disk_can_discard(disk *d) { return d->max_discard != 0 && !d->read_only; }
const char *disk_driver(disk *d) { return d->driver; }
const char *disk_serial(disk *d) { return d->serial; }

/* ---- one request ------------------------------------------------------------- */

struct deep_io {
	struct blkdev *d;
	enum blk_op op;
	uint64_t off, n;
	void *p;
	enum io_result result;
};

static void deep_io(void *arg)
{
	struct deep_io *r = arg;
	r->result = r->d->io(r->d, r->op, r->off, r->p, r->n);
}

static error request(struct blkdev *d, enum blk_op op, uint64_t off, void *p, uint64_t n)
{
	struct deep_io r = { d, op, off, n, p, IO_OK };
	if (d->deep)
		rt_systemstack(deep_io, &r);
	else
		deep_io(&r);
	switch (r.result) {
	case IO_OK:
		return NULL;
	case IO_NO_SPACE:
		return disk_err_space;
	case IO_UNSUPPORTED:
		return disk_err_unsupported;
	case IO_SHORT:
	case IO_NO_ANSWER:
		return disk_err_broken;
	case IO_FAILED:
		return disk_err_failed;
	case IO_ERROR:
	case IO_RETRY:
		break;
	}
	return disk_err_io;
}

static error check(struct blkdev *d, int64_t off, uint64_t n)
{
	uint64_t size = at_load(&d->bytes);
	if (off < 0)
		return disk_err_range;
	if ((uint64_t)off > size || n > size - (uint64_t)off)
		return disk_err_range;
	return NULL;
}

/* Whole blocks, to or from a buffer that the device reaches. */
static error transfer(struct blkdev *d, enum blk_op op, uint64_t off, char *p, size_t n)
{
	while (n) {
		size_t k = n < d->max_bytes ? n : d->max_bytes;
		error e = request(d, op, off, p, k);
		if (e)
			return e;
		off += k;
		p += k;
		n -= k;
	}
	return NULL;
}

static error read_in_pieces(struct blkdev *d, uint64_t off, char *p, size_t n)
{
	uint64_t mask = d->block - 1;
	size_t room = n + 2 * d->block < BOUNCE_BYTES ? ((n + 2 * mask + 1) & ~mask) : BOUNCE_BYTES;
	char *b = rt_malloc_may_fail(room, RT_NOSCAN);
	if (!b)
		return disk_err_memory;
	while (n) {
		uint64_t from = off & ~mask, skip = off - from;
		size_t k = n < room - skip ? n : room - skip;
		error e = transfer(d, BLK_READ, from, b, (skip + k + mask) & ~mask);
		if (e)
			return e;
		memcpy(p, b + skip, k);
		off += k;
		p += k;
		n -= k;
	}
	return NULL;
}

/* Can the device use it as it is? */
static bool reaches(const struct blkdev *d, const void *buf, size_t n)
{
	return !(d->alignment && (uintptr_t)buf & (d->alignment - 1)) && plat_dma_addr(buf, n);
}

error disk_read_at(disk *d, void *buf, size_t n, int64_t off)
{
	error e = check(d, off, n);
	if (e || n == 0)
		return e;
	uint64_t mask = d->block - 1;
	if (((uint64_t)off | n) & mask || !reaches(d, buf, n))
		return read_in_pieces(d, (uint64_t)off, buf, n);
	e = transfer(d, BLK_READ, (uint64_t)off, buf, n);
	keep_alive(buf);
	return e;
}

error disk_write_at(disk *d, const void *buf, size_t n, int64_t off)
{
	error e = check(d, off, n);
	if (e || n == 0)
		return e;
	if (d->read_only)
		return disk_err_read_only;
	if (((uint64_t)off | n) & (d->block - 1))
		return disk_err_block;
	if (reaches(d, buf, n)) {
		e = transfer(d, BLK_WRITE, (uint64_t)off, (char *)buf, n);
		keep_alive(buf);
		return e;
	}
	size_t room = n < BOUNCE_BYTES ? n : BOUNCE_BYTES;
	char *b = rt_malloc_may_fail(room, RT_NOSCAN);
	if (!b)
		return disk_err_memory;
	const char *p = buf;
	for (uint64_t at = (uint64_t)off; n && !e;) {
		size_t k = n < room ? n : room;
		memcpy(b, p, k);
		e = transfer(d, BLK_WRITE, at, b, k);
		at += k;
		p += k;
		n -= k;
	}
	return e;
}

error disk_flush(disk *d)
{
	return request(d, BLK_FLUSH, 0, NULL, 0);
}

error disk_discard(disk *d, int64_t off, int64_t n)
{
	error e = n < 0 ? disk_err_range : check(d, off, (uint64_t)n);
	if (e)
		return e;
	if (d->read_only)
		return disk_err_read_only;
	if (!d->max_discard)
		return disk_err_unsupported;
	if (((uint64_t)off | (uint64_t)n) & (d->block - 1))
		return disk_err_block;
	while (n > 0 && !e) {
		uint64_t k = (uint64_t)n < d->max_discard ? (uint64_t)n : d->max_discard;
		e = request(d, BLK_DISCARD, (uint64_t)off, NULL, k);
		off += (int64_t)k;
		n -= (int64_t)k;
	}
	return e;
}

/* ---- a disk in memory ---------------------------------------------------------- */

static enum io_result memory_io(struct blkdev *d, enum blk_op op, uint64_t off, void *p, uint64_t n)
{
	char *at = (char *)d->priv + off;
	switch (op) {
	case BLK_READ:
		memcpy(p, at, n);
		break;
	case BLK_WRITE:
		memcpy(at, p, n);
		break;
	case BLK_DISCARD:
		memset(at, 0, n);
		break;
	case BLK_FLUSH:
		break;
	}
	return IO_OK;
}

disk *disk_in_memory(int64_t bytes)
{
	if (bytes < 0 || bytes > INT64_MAX - 511)
		return NULL;
	uint64_t n = ((uint64_t)bytes + 511) & ~511ul;
	struct blkdev *d = rt_malloc_may_fail(sizeof *d, RT_TYPE(struct blkdev));
	void *mem = n ? rt_malloc_may_fail(n, RT_NOSCAN) : NULL;
	if (!d || (n && !mem))
		return NULL;
	*d = (struct blkdev){ .driver = "memory", .bytes = n, .block = 512, .max_bytes = 1u << 20,
	                      .max_discard = 1ull << 40, .io = memory_io, .priv = mem };
	return d;
}
