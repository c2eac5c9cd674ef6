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
	const char *error;
};

static void deep_io(void *arg)
{
	struct deep_io *r = arg;
	r->error = r->d->io(r->d, r->op, r->off, r->p, r->n);
}

static const char *request(struct blkdev *d, enum blk_op op, uint64_t off, void *p, uint64_t n)
{
	if (!d->deep)
		return d->io(d, op, off, p, n);
	struct deep_io r = { d, op, off, n, p, NULL };
	rt_systemstack(deep_io, &r);
	return r.error;
}

static const char *check(struct blkdev *d, int64_t off, uint64_t n)
{
	uint64_t size = at_load(&d->bytes);
	if (off < 0)
		return "disk: negative offset";
	if ((uint64_t)off > size || n > size - (uint64_t)off)
		return "disk: beyond the end of the device";
	return NULL;
}

/* Whole blocks, to or from a buffer that the device reaches. */
static const char *transfer(struct blkdev *d, enum blk_op op, uint64_t off, char *p, size_t n)
{
	while (n) {
		size_t k = n < d->max_bytes ? n : d->max_bytes;
		const char *error = request(d, op, off, p, k);
		if (error)
			return error;
		off += k;
		p += k;
		n -= k;
	}
	return NULL;
}

static const char *read_in_pieces(struct blkdev *d, uint64_t off, char *p, size_t n)
{
	uint64_t mask = d->block - 1;
	size_t room = n + 2 * d->block < BOUNCE_BYTES ? ((n + 2 * mask + 1) & ~mask) : BOUNCE_BYTES;
	char *b = rt_malloc_may_fail(room, RT_NOSCAN);
	if (!b)
		return "disk: out of memory";
	while (n) {
		uint64_t from = off & ~mask, skip = off - from;
		size_t k = n < room - skip ? n : room - skip;
		const char *error = transfer(d, BLK_READ, from, b, (skip + k + mask) & ~mask);
		if (error)
			return error;
		memcpy(p, b + skip, k);
		off += k;
		p += k;
		n -= k;
	}
	return NULL;
}

const char *disk_read_at(disk *d, void *buf, size_t n, int64_t off)
{
	const char *error = check(d, off, n);
	if (error || n == 0)
		return error;
	uint64_t mask = d->block - 1;
	if (((uint64_t)off | n) & mask || !plat_dma_addr(buf, n))
		return read_in_pieces(d, (uint64_t)off, buf, n);
	error = transfer(d, BLK_READ, (uint64_t)off, buf, n);
	keep_alive(buf);
	return error;
}

const char *disk_write_at(disk *d, const void *buf, size_t n, int64_t off)
{
	const char *error = check(d, off, n);
	if (error || n == 0)
		return error;
	if (d->read_only)
		return "disk: the device is read-only";
	if (((uint64_t)off | n) & (d->block - 1))
		return "disk: a write begins or ends within a block";
	if (plat_dma_addr(buf, n)) {
		error = transfer(d, BLK_WRITE, (uint64_t)off, (char *)buf, n);
		keep_alive(buf);
		return error;
	}
	size_t room = n < BOUNCE_BYTES ? n : BOUNCE_BYTES;
	char *b = rt_malloc_may_fail(room, RT_NOSCAN);
	if (!b)
		return "disk: out of memory";
	const char *p = buf;
	for (uint64_t at = (uint64_t)off; n && !error;) {
		size_t k = n < room ? n : room;
		memcpy(b, p, k);
		error = transfer(d, BLK_WRITE, at, b, k);
		at += k;
		p += k;
		n -= k;
	}
	return error;
}

const char *disk_flush(disk *d)
{
	return request(d, BLK_FLUSH, 0, NULL, 0);
}

const char *disk_discard(disk *d, int64_t off, int64_t n)
{
	const char *error = n < 0 ? "disk: negative length" : check(d, off, (uint64_t)n);
	if (error)
		return error;
	if (d->read_only)
		return "disk: the device is read-only";
	if (!d->max_discard)
		return "disk: the device cannot discard";
	if (((uint64_t)off | (uint64_t)n) & (d->block - 1))
		return "disk: a discard begins or ends within a block";
	while (n > 0 && !error) {
		uint64_t k = (uint64_t)n < d->max_discard ? (uint64_t)n : d->max_discard;
		error = request(d, BLK_DISCARD, (uint64_t)off, NULL, k);
		off += (int64_t)k;
		n -= (int64_t)k;
	}
	return error;
}

/* ---- a disk in memory ---------------------------------------------------------- */

static const char *memory_io(struct blkdev *d, enum blk_op op, uint64_t off, void *p, uint64_t n)
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
	return NULL;
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
