/* dev_host.c: devices of the hosted build: files as disks (INGOT_DISKS=a:b),
 * and no others.  glibc's stack is deep, so all of it runs on the
 * core's own stack (struct blkdev's deep, rt_systemstack). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "driver.h"
#include "track_host.h"

uint64_t plat_dma_addr(const void *p, size_t n)
{
	uintptr_t a = (uintptr_t)p;
	return a - plat_stack_base() < plat_stack_size() ? 0 : a;
}

static enum io_result failure(int e)
{
	return e == ENOSPC ? IO_NO_SPACE : IO_ERROR;
}

static enum io_result io(struct blkdev *d, enum blk_op op, uint64_t off, void *p, uint64_t n)
{
	int fd = (int)(intptr_t)d->priv;
	for (uint64_t done = 0; done < n && op != BLK_DISCARD;) {
		ssize_t k = op == BLK_READ ? pread(fd, (char *)p + done, n - done, (off_t)(off + done))
		                           : pwrite(fd, (char *)p + done, n - done, (off_t)(off + done));
		if (k < 0 && errno == EFAULT && op == BLK_READ) {
			track_touch((char *)p + done, n - done);
			continue;
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return failure(k < 0 ? errno : EIO);
		done += (uint64_t)k;
	}
	if (op == BLK_DISCARD && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)n) != 0)
		return failure(errno);
	if (op == BLK_FLUSH && fdatasync(fd) != 0)
		return failure(errno);
	return IO_OK;
}

static void find_disks(void *unused)
{
	static struct blkdev disks[8];
	unsigned n = 0;
	char *list = getenv("INGOT_DISKS"), *rest = list ? strdup(list) : NULL;
	for (char *name; n < 8 && (name = strsep(&rest, ":")) != NULL;) {
		struct stat st;
		int fd = open(name, O_RDWR | O_CLOEXEC);
		bool read_only = fd < 0;
		if (fd < 0)
			fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) != 0) {
			fprintf(stderr, "ingot (hosted): disk %s: %s\n", name, strerror(errno));
			exit(2);
		}
		struct blkdev *d = &disks[n++];
		*d = (struct blkdev){ .driver = "file", .bytes = (uint64_t)st.st_size & ~511ul, .block = 512,
		                      .max_bytes = 1 << 20, .max_discard = 1ull << 40, .read_only = read_only,
		                      .deep = true, .io = io, .priv = (void *)(intptr_t)fd };
		snprintf(d->serial, sizeof d->serial, "%.20s", strrchr(name, '/') ? strrchr(name, '/') + 1 : name);
		blkdev_add(d);
	}
}

void plat_find_disks(void)
{
	rt_systemstack(find_disks, NULL);
}

/* No network interfaces, no ports; the kernel's random numbers are plat_entropy()'s already,
 * and plat_memory_release() is madvise(). */
void plat_find_nics(void) {}
void plat_find_ports(void) {}
void plat_find_entropy(void) {}
void plat_find_balloon(void) {}
