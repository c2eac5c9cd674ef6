/* track_host.c: which pages were written, as Linux tells it.
 *
 * What of the heap is to be tracked is registered with userfaultfd for asynchronous
 * write protection (Linux 6.7): the kernel lets the first write to a protected page
 * through and notes it, PAGEMAP_SCAN lists the noted pages and protects them again
 * in one step.  Only that: registered memory has no huge pages.  Constants are the kernel's (include/uapi/linux/userfaultfd.h, fs.h,
 * 6.7), which Debian 12's headers do not have yet.  Where that does not work,
 * everything counts as written: slower. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

#define BLOCK ((size_t)512 << 10)

static int pagemap = -1, uffd = -1;
static uintptr_t heap_lo, heap_hi;
static uint8_t *registered; /* of each block; set by the controller, cleared under the heap's lock: relaxed */

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

static bool enlist(uintptr_t lo, uintptr_t hi)
{
	struct uffdio_register r = { .range = { lo, hi - lo }, .mode = UFFDIO_REGISTER_MODE_WP };
	return ioctl(uffd, UFFDIO_REGISTER, &r) == 0;
}

static bool dismiss(uintptr_t lo, uintptr_t hi)
{
	struct uffdio_range r = { lo, hi - lo };
	return ioctl(uffd, UFFDIO_UNREGISTER, &r) == 0;
}

/* The end of the blocks from va on that are registered, or are not. */
static uintptr_t run_end(uintptr_t va, uintptr_t end, bool *in)
{
	size_t b = (va - heap_lo) / BLOCK;
	for (*in = __atomic_load_n(&registered[b], __ATOMIC_RELAXED); va < end; va = heap_lo + ++b * BLOCK)
		if (__atomic_load_n(&registered[b], __ATOMIC_RELAXED) != *in)
			return va;
	return end;
}

/* Registers blocks, or ends that; what the kernel refuses stays as it is. */
static void set_registered(uintptr_t va, uintptr_t end, bool to)
{
	bool in;
	for (uintptr_t next; va < end; va = next) {
		next = run_end(va, end, &in);
		if (in == to || !(to ? enlist(va, next) : dismiss(va, next)))
			continue;
		for (uintptr_t b = va; b < next; b += BLOCK)
			__atomic_store_n(&registered[(b - heap_lo) / BLOCK], to, __ATOMIC_RELAXED);
	}
}

void track_init(void *heap, size_t len)
{
	heap_lo = (uintptr_t)heap;
	heap_hi = heap_lo + len / BLOCK * BLOCK;
	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_WP_ASYNC };
	void *bytes = mmap(NULL, len / BLOCK, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (uffd < 0 || bytes == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) != 0 ||
	    (pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) < 0 || !enlist(heap_lo, heap_lo + BLOCK) ||
	    !self_test(heap) || !dismiss(heap_lo, heap_lo + BLOCK)) {
		close(uffd); /* unregisters */
		return;
	}
	registered = bytes;
}

void plat_track(enum plat_track how, uintptr_t va, uintptr_t end,
                void (*fn)(uintptr_t, uintptr_t, void *), void *arg)
{
	uintptr_t known = registered && va >= heap_lo && va < heap_hi ? heap_hi : va;
	if (end < known)
		known = end;
	if (how == TRACK_PREPARE || how == TRACK_LEAVE) {
		set_registered(va, known, how == TRACK_PREPARE);
		return;
	}
	for (uintptr_t next; va < end; va = next) {
		bool in = false;
		next = va < known ? run_end(va, known, &in) : end;
		if ((!in || !scan(va, next, how == TRACK_FORGET, fn, arg)) && fn)
			fn(va, next, arg);
	}
}

/* The kernel has flushed when the ioctl returns. */
void plat_track_flush(void)
{
}
