/* track_host.c: which pages were written, as Linux tells it.
 *
 * The heap is registered with userfaultfd for asynchronous write protection
 * (Linux 6.7): the kernel lets the first write to a protected page through and
 * notes it, PAGEMAP_SCAN lists the noted pages and protects them again in one
 * step.  Constants are the kernel's (include/uapi/linux/userfaultfd.h, fs.h,
 * 6.7), which Debian 12's headers do not have yet.  Where that does not work,
 * everything counts as written: slower. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include "plat.h"
#include "track_host.h"

#define FEATURE_WP_ASYNC (1ull << 15)
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

struct page_region {
	uint64_t start, end, categories;
};
struct pm_scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, anyof, give;
};
#define SCAN _IOWR('f', 16, struct pm_scan)
#define SCAN_WP_MATCHING 1
#define SCAN_CHECK_WPASYNC 2
#define PAGE_WRITTEN 2

static int pagemap = -1;
static uintptr_t tracked_lo, tracked_hi;

static bool scan(uintptr_t lo, uintptr_t hi, bool forget, void (*fn)(uintptr_t, uintptr_t, void *), void *arg)
{
	struct page_region found[256];
	while (lo < hi) {
		struct pm_scan s = {
			.size = sizeof s,
			.flags = SCAN_CHECK_WPASYNC | (forget ? SCAN_WP_MATCHING : 0),
			.start = lo,
			.end = hi,
			.vec = (uint64_t)(uintptr_t)found,
			.vec_len = sizeof found / sizeof found[0],
			.mask = PAGE_WRITTEN,
			.give = PAGE_WRITTEN,
		};
		long n = ioctl(pagemap, SCAN, &s);
		if (n < 0)
			return false;
		for (long i = 0; i < n && fn; i++)
			fn(found[i].start, found[i].end, arg);
		if (s.walk_end <= lo)
			return false;
		lo = s.walk_end;
	}
	return true;
}

static void count(uintptr_t lo, uintptr_t hi, void *n)
{
	*(unsigned long *)n += (hi - lo) / 4096;
}

/* Does it tell a page that was written from one that was not? */
static bool self_test(char *page)
{
	unsigned long before = 0, quiet = 0, after = 0;
	uintptr_t lo = (uintptr_t)page, hi = lo + 4096;
	*(volatile char *)page = 1;
	bool ok = scan(lo, hi, true, count, &before) && scan(lo, hi, false, count, &quiet);
	*(volatile char *)page = 0;
	return ok && scan(lo, hi, false, count, &after) && before == 1 && quiet == 0 && after == 1;
}

void track_init(void *heap, size_t len)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_WP_ASYNC };
	struct uffdio_register r = {
		.range = { (uint64_t)(uintptr_t)heap, len },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0 || ioctl(fd, UFFDIO_REGISTER, &r) != 0 ||
	    (pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) < 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (!self_test(heap)) {
		close(fd); /* unregisters */
		return;
	}
	tracked_lo = (uintptr_t)heap;
	tracked_hi = tracked_lo + len;
}

void plat_track(enum plat_track how, uintptr_t va, uintptr_t end,
                void (*fn)(uintptr_t, uintptr_t, void *), void *arg)
{
	if (how == TRACK_PREPARE ||
	    (va >= tracked_lo && end <= tracked_hi && scan(va, end, how == TRACK_FORGET, fn, arg)))
		return;
	if (fn)
		fn(va, end, arg);
}

/* The kernel has flushed when the ioctl returns. */
void plat_track_flush(void)
{
}
