/* track_host.c: which pages were written, as Linux tells it.
 *
 * What of the heap is to be tracked is registered with userfaultfd for asynchronous
 * write protection (Linux 6.7): the kernel lets the first write to a protected page
 * through and notes it, PAGEMAP_SCAN lists the noted pages and protects them again
 * in one step.  Only that: registered memory has no huge pages.  Constants are the
 * kernel's (include/uapi/linux/userfaultfd.h, fs.h, 6.7), which Debian 12's headers do
 * not have yet.
 *
 * Where that does not work, or with INGOT_TRACK=mprotect in the environment, what is
 * forgotten is made read-only, in grains of 64 KiB, and the first write to a grain is
 * a SIGSEGV that notes it (track_fault).  Each change of protection splits a mapping, of
 * which Linux gives a process 65,530: when they are used up all of the heap counts
 * as written.  A system call cannot write to such memory: see track_touch(). */
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
#define GRAIN 65536ul

static int pagemap = -1, uffd = -1;
static uintptr_t heap_lo, heap_hi;
static uint64_t *grains; /* by mprotect: a bit for each that can be written to.  seq_cst */
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

static bool async_init(size_t len)
{
	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_WP_ASYNC };
	void *bytes = mmap(NULL, len / BLOCK, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (uffd < 0 || bytes == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) != 0 ||
	    (pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) < 0 || !enlist(heap_lo, heap_lo + BLOCK) ||
	    !self_test((char *)heap_lo) || !dismiss(heap_lo, heap_lo + BLOCK)) {
		close(uffd); /* unregisters */
		return false;
	}
	registered = bytes;
	return true;
}

void track_init(void *heap, size_t len)
{
	const char *how = getenv("INGOT_TRACK");
	heap_lo = (uintptr_t)heap;
	heap_hi = heap_lo + len / BLOCK * BLOCK;
	if ((!how || strcmp(how, "mprotect") != 0) && async_init(len))
		return;
	size_t n = (len / GRAIN + 64) / 64 * 8;
	void *bits = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bits == MAP_FAILED)
		return;
	memset(bits, 0xff, n);
	grains = bits;
}

/* ---- by protection ------------------------------------------------------------- */

static bool grain_written(uintptr_t at, bool forget)
{
	size_t i = (at - heap_lo) / GRAIN;
	uint64_t bit = 1ull << i % 64;
	if (!(__atomic_load_n(&grains[i / 64], __ATOMIC_SEQ_CST) & bit))
		return false;
	if (forget)
		__atomic_fetch_and(&grains[i / 64], ~bit, __ATOMIC_SEQ_CST);
	return true;
}

static void grains_set(uintptr_t lo, uintptr_t hi)
{
	for (; lo < hi; lo += GRAIN) {
		size_t i = (lo - heap_lo) / GRAIN;
		__atomic_fetch_or(&grains[i / 64], 1ull << i % 64, __ATOMIC_SEQ_CST);
	}
}

/* Forgets first, and then protects: what is written in between is on a page that fn is
 * told of, and who looks at that looks later.  A grain that lies partly outside stays
 * written. */
static void protect(uintptr_t va, uintptr_t end, bool forget, void (*fn)(uintptr_t, uintptr_t, void *), void *arg)
{
	uintptr_t lo = heap_lo + (va - heap_lo + GRAIN - 1) / GRAIN * GRAIN;
	uintptr_t hi = heap_lo + (end - heap_lo) / GRAIN * GRAIN, run = 0;
	for (uintptr_t at = heap_lo + (va - heap_lo) / GRAIN * GRAIN; at < end; at += GRAIN) {
		bool written = grain_written(at, forget && at >= lo && at < hi);
		if (written && !run)
			run = at < va ? va : at;
		if (!written && run && fn)
			fn(run, at, arg);
		if (!written)
			run = 0;
	}
	if (run && fn)
		fn(run, end, arg);
	if (forget && lo < hi && mprotect((void *)lo, hi - lo, PROT_READ) != 0)
		grains_set(lo, hi);
}

/* Writable first, noted then: were it the other way round, it could be forgotten in between
 * and then stay writable. */
bool track_fault(uintptr_t addr)
{
	if (!grains || addr < heap_lo || addr >= heap_hi)
		return false;
	uintptr_t lo = heap_lo + (addr - heap_lo) / GRAIN * GRAIN, hi = lo + GRAIN;
	if (hi > heap_hi || mprotect((void *)lo, hi - lo, PROT_READ | PROT_WRITE) != 0) {
		lo = heap_lo;
		hi = heap_hi;
		if (mprotect((void *)lo, hi - lo, PROT_READ | PROT_WRITE) != 0)
			return false;
	}
	grains_set(lo, hi);
	return true;
}

void track_touch(void *p, size_t n)
{
	for (uintptr_t at = (uintptr_t)p, end = at + n; at < end; at = (at & -4096ul) + 4096)
		__atomic_fetch_or((char *)at, 0, __ATOMIC_RELAXED);
}

/* Writable again, and all of it written. */
static void unprotect(uintptr_t va, uintptr_t end)
{
	if (mprotect((void *)va, end - va, PROT_READ | PROT_WRITE) == 0)
		grains_set(heap_lo + (va - heap_lo) / GRAIN * GRAIN, end);
}

void plat_track(enum plat_track how, uintptr_t va, uintptr_t end,
                void (*fn)(uintptr_t, uintptr_t, void *), void *arg)
{
	if (grains && va >= heap_lo && end <= heap_hi) {
		if (how == TRACK_LEAVE)
			unprotect(va, end);
		else if (how != TRACK_PREPARE)
			protect(va, end, how == TRACK_FORGET, fn, arg);
		return;
	}
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

/* The kernel has flushed when its call returns. */
void plat_track_flush(void)
{
}
