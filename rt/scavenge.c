/* scavenge.c: gives free pages back to the host.  After Go's mgcscavenge.go.
 *
 * A page that was handed out once stays backed by the host's memory when it is free.
 * What a program will need until the next collection ends, and a tenth more, is kept;
 * of the rest a task gives back the highest pages (allocation takes the lowest), 256
 * KiB at a time, with 1 % of a core, or at once when GOMEMLIMIT asks for it.  A
 * released page is allocated like any other: the host backs it again when touched.
 *
 * Only a platform whose plat_memory_release() works begins this (rt_scavenger_start),
 * and free_os_memory(); an image without either contains nothing of it.
 *
 * Invariants: released bits are set for free pages only; mheap.released counts them.
 * Both under mheap.lock.  While pages are being released they count as taken, on the
 * system stack: so no stop sees it. */
#include "api_mem.h"
#include "api_task.h"
#include "heap.h"
#include "stack.h"
#include "driver.h"

#define RUN_PAGES 32u  /* at most, at once: a stop waits for it */
#define SLACK_PAGES 64 /* not worth beginning for less */

static uint32_t top;            /* no page to release from this one on */
static uint64_t retain = UINT64_MAX; /* pages: the goal.  Written in a stop; relaxed */
static bool cannot;             /* the platform said no */
static bool pressed;            /* the goal comes from GOMEMLIMIT */
static struct g *scavenger;
static uint32_t scavenger_idle; /* set by itself, swapped to 0 by whoever readies it */

/* ---- pages ---------------------------------------------------------------------- */

/* page_alloc() has handed these out.  Under mheap.lock. */
static void pages_taken(uint32_t page, uint32_t n)
{
	for (; n; page++, n--) {
		uint64_t *w = &mheap.released_bits[page / 64], m = 1ull << page % 64;
		if (*w & m) {
			*w &= ~m;
			mheap.released--;
		}
	}
}

static uint64_t retained(void)
{
	return mheap.zeroed_base - at_load(&mheap.released);
}

/* The highest run of free pages below top that are backed, up to RUN_PAGES. */
static uint32_t find_run(uint32_t *page)
{
	while (top) {
		uint32_t w = (top - 1) / 64;
		uint64_t cand = ~mheap.pagebits[w] & ~mheap.released_bits[w];
		if (top % 64)
			cand &= (1ull << top % 64) - 1;
		if (cand) {
			unsigned hi = 63 - (unsigned)__builtin_clzll(cand);
			uint64_t rest = ~(cand << (63 - hi));
			uint32_t n = rest ? (uint32_t)__builtin_clzll(rest) : 64;
			if (n > RUN_PAGES)
				n = RUN_PAGES;
			*page = top = w * 64 + hi + 1 - n;
			return n;
		}
		top = w * 64;
	}
	return 0;
}

static void start_from_top(void *unused)
{
	(void)unused;
	lock(&mheap.lock);
	page_cache_flush();
	uint32_t used = mheap.used_chunks * CHUNK_PAGES;
	top = mheap.zeroed_base < used ? mheap.zeroed_base : used;
	unlock(&mheap.lock);
}

/* Releases one run; *arg is its pages, 0: none is left. */
static void release_run(void *arg)
{
	uint32_t page = 0, n, *got = arg;
	lock(&mheap.lock);
	n = find_run(&page);
	if (n)
		page_take(page, n);
	unlock(&mheap.lock);
	*got = n;
	if (n == 0)
		return;
	bool ok = plat_memory_release(page_addr(page), (size_t)n << PAGE_SHIFT);
	lock(&mheap.lock);
	page_free(page, n);
	if (ok) {
		for (uint32_t i = page; i < page + n; i++)
			mheap.released_bits[i / 64] |= 1ull << i % 64;
		at_store(&mheap.released, mheap.released + n);
	}
	unlock(&mheap.lock);
	if (!ok) {
		cannot = true;
		*got = 0;
	}
}

static void make_bits(void *unused)
{
	(void)unused;
	size_t bytes = mheap.npages / 8, n = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
	uint64_t *b = mheap_alloc_manual(n);
	if (b == NULL)
		return;
	memset(b, 0, bytes);
	lock(&mheap.lock);
	bool first = mheap.released_bits == NULL;
	if (first) {
		mheap.released_bits = b;
		mheap.took = pages_taken;
	}
	unlock(&mheap.lock);
	if (!first)
		mheap_free_manual(b, n);
}

static bool ready_to_release(void)
{
	if (mheap.released_bits == NULL)
		rt_systemstack(make_bits, NULL);
	return mheap.released_bits && !cannot;
}

/* ---- the goal --------------------------------------------------------------------- */

/* A collection has set a new goal for the heap.  In a stop, or a task. */
static void goal_set(uint64_t old, uint64_t goal)
{
	uint64_t manual = mheap.pages_manual, inuse = mheap.pages_inuse - manual;
	uint64_t want = old ? (uint64_t)((double)inuse * (double)goal / (double)old * 1.1) : inuse;
	if (want < goal >> PAGE_SHIFT)
		want = (goal + goal / 10) >> PAGE_SHIFT;
	want += manual;
	bool limited = false;
	if (rt_settings.gomemlimit != UINT64_MAX) {
		uint64_t limit = rt_settings.gomemlimit / 100 * 95, other = mheap.sys_bytes + stack_bytes_inuse();
		limit = limit > other ? (limit - other) >> PAGE_SHIFT : 0;
		limited = limit < want;
		if (limited)
			want = limit;
	}
	pressed = limited;
	at_store(&retain, want);
	if (retained() > want + SLACK_PAGES)
		at_store(&mheap.scavenge_due, 1);
}

/* ---- the task ----------------------------------------------------------------------- */

static bool idle_until_kicked(struct g *g, void *unused)
{
	(void)g, (void)unused;
	at_store_sc(&scavenger_idle, 1);
	return true;
}

static void kick(void)
{
	at_store(&mheap.scavenge_due, 0);
	if (at_swap(&scavenger_idle, 0))
		ready(scavenger, false);
}

static void scavenger_main(void *unused)
{
	(void)unused;
	scavenger = rt_self.g;
	mheap.scavenge_kick = kick;
	mheap.goal_set = goal_set;
	while (!cannot) {
		park(idle_until_kicked, NULL, WAIT_SCAVENGE);
		if (!ready_to_release())
			continue;
		rt_systemstack(start_from_top, NULL);
		for (uint32_t n = 1; n && !cannot && retained() > at_load(&retain);) {
			uint64_t start = plat_now();
			rt_systemstack(release_run, &n);
			uint64_t took = plat_now() - start;
			if (!pressed)
				sleep((int64_t)(took < 100000 ? 99 * took : 9900000));
		}
	}
	park(NULL, NULL, WAIT_SCAVENGE);
}

void rt_scavenger_start(void)
{
	rt_go_system(scavenger_main, NULL);
}

/* Where that takes a device, it is looked for when the program first asks; from then
 * on the scavenger works in the background too. */
static void find_device(void)
{
	plat_find_balloon();
	if (!rt_at_start)
		rt_scavenger_start();
}

void free_os_memory(void)
{
	static once found;
	once_do(&found, find_device);
	gc();
	if (!ready_to_release())
		return;
	rt_systemstack(start_from_top, NULL);
	for (uint32_t n = 1; n && !cannot;)
		rt_systemstack(release_run, &n);
}
