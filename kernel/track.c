/* track.c: which pages were written, by the dirty bits of the page tables.
 *
 * The mutator view has 4 KiB entries throughout (vm.c), as have the stack
 * windows, so a dirty bit stands for one page.  A processor that holds a
 * translation whose D was set does not set it again: what was forgotten is
 * seen again only after a flush of all cores.
 *
 * Reading every entry would take longer the more memory there is.  So the
 * accessed bits of the upper levels say where to look: a walk that sets D has
 * set A above it.  That holds when A was cleared, and every core flushed, before
 * D was cleared, hence TRACK_PREPARE, which leaves the mark LOOK on the
 * entries whose A it clears.  (A page that was committed and not touched since
 * may be missed.  It holds nothing that a task has written.)
 *
 * When the first range is asked for, a page of our own shows whether a store sets
 * these bits at all (not every hypervisor's do, rule C13); if not, everything counts as
 * written.
 *
 * Invariants: A and D are cleared by atomics, because the processor sets them at
 * the same time, and D by one that fails when the page went away. */
#include "base.h"
#include "rt/plat.h"
#include "rt/sabotage.h"

#define LOOK 0x200ul /* of an upper entry, ignored by the processor */

static enum { UNKNOWN, WORK, DO_NOT } bits; /* the machine's; the controller's only */

/* A store to a page whose D, and A of the table above, were cleared sets both; the
 * first time, and again when the processor has seen D set. */
static bool store_is_seen(uintptr_t va)
{
	uint64_t *leaf = vm_window_entry(va, 0), *table = vm_window_entry(va, 1);

	for (unsigned n = 0; n < 2; n++) {
		__atomic_fetch_and(table, ~PTE_A, __ATOMIC_RELAXED);
		__atomic_fetch_and(leaf, ~PTE_D, __ATOMIC_RELAXED);
		stackmap_flush_all();
		if (!SABOTAGED(gc_dirty_bits))
			*(volatile uint64_t *)va = n;
		bool seen = __atomic_load_n(leaf, __ATOMIC_RELAXED) & PTE_D &&
			    __atomic_load_n(table, __ATOMIC_RELAXED) & PTE_A;
		/* The neighbours' may have been set before. */
		__atomic_fetch_or(table, PTE_A, __ATOMIC_RELAXED);
		__atomic_fetch_or(leaf, PTE_D, __ATOMIC_RELAXED);
		if (!seen)
			return false;
	}
	return true;
}

static bool bits_work(void)
{
	void *frame = bits == UNKNOWN ? rt_frame_alloc() : NULL;

	if (!frame)
		return bits == WORK;
	bits = store_is_seen((uintptr_t)frame - plat_direct_offset) ? WORK : DO_NOT;
	rt_frame_free(frame);
	if (bits == DO_NOT)
		kprintf("ingot: stores set no dirty bits in the page tables of this machine: "
			"the collector looks at all memory in each stop\n");
	return bits == WORK;
}

struct walk {
	enum plat_track how;
	uintptr_t run; /* begins here, 0: none */
	void (*fn)(uintptr_t, uintptr_t, void *);
	void *arg;
};

static void end_run(struct walk *w, uintptr_t va)
{
	if (w->run && w->fn)
		w->fn(w->run, va, w->arg);
	w->run = 0;
}

/* How many of n entries of a table, from e on, come before the first with any of these
 * bits.  32 or 8 at a time are read by plain loads, which `or` takes from memory: a stop looks
 * at all entries of a table below which anything was touched.  A bit that is set meanwhile
 * is seen or not, as with atomic ones. */
static inline __attribute__((always_inline)) size_t none(const uint64_t *e, size_t n, uint64_t bits)
{
	const uint64_t *begin = e, *end = e + n;
	while (end - e >= 32) {
		uint64_t all = e[0];
#pragma GCC unroll 31
		for (unsigned i = 1; i < 32; i++)
			all |= e[i];
		if (all & bits)
			break;
		e += 32;
	}
	while (end - e >= 8 && !((e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]) & bits))
		e += 8;
	while (e < end && !(__atomic_load_n(e, __ATOMIC_RELAXED) & bits))
		e++;
	return (size_t)(e - begin);
}

/* [va, end) lies in one table of 4 KiB entries. */
static void leaves(struct walk *w, uintptr_t va, uintptr_t end)
{
	for (uint64_t *e = vm_window_entry(va, 0); va < end; va += PAGE_SIZE, e++) {
		/* Nearly all were not written. */
		size_t clean = w->run ? 0 : none(e, (end - va) / PAGE_SIZE, PTE_D);
		e += clean;
		va += clean * PAGE_SIZE;
		if (va == end)
			return;
		uint64_t v = __atomic_load_n(e, __ATOMIC_RELAXED);
		if (w->how == TRACK_FORGET)
			while ((v & (PTE_P | PTE_D)) == (PTE_P | PTE_D) &&
			       !__atomic_compare_exchange_n(e, &v, v & ~PTE_D, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
				;
		if ((v & (PTE_P | PTE_D)) != (PTE_P | PTE_D))
			end_run(w, va);
		else if (!w->run)
			w->run = va;
	}
}

/* [va, end) lies below one table of the given level, 1 or 2. */
static void upper(struct walk *w, uintptr_t va, uintptr_t end, int level)
{
	uint64_t *e = vm_window_entry(va, level), size = PAGE_SIZE << (9 * level);
	uint64_t want = w->how == TRACK_FORGET ? LOOK : w->how == TRACK_PREPARE ? LOOK | PTE_A : PTE_A;
	for (uintptr_t next; e && va < end; va = next, e++) {
		/* Nor was most of what is below these. */
		size_t clean = w->run || va & (size - 1) ? 0 : none(e, (end - va) / size, want);
		e += clean;
		va += clean * size;
		if (va == end)
			return;
		uint64_t v = __atomic_load_n(e, __ATOMIC_RELAXED);
		next = (va | (size - 1)) + 1;
		uintptr_t to = next < end ? next : end;
		if (!(v & PTE_P) || !(v & want)) {
			end_run(w, va);
			continue;
		}
		if (w->how == TRACK_PREPARE) {
			__atomic_fetch_or(e, LOOK, __ATOMIC_RELAXED);
			__atomic_fetch_and(e, ~PTE_A, __ATOMIC_RELAXED);
		}
		/* It stays where the range ends in between: the rest may be still to come. */
		if (w->how == TRACK_FORGET && to - va == size)
			__atomic_fetch_and(e, ~LOOK, __ATOMIC_RELAXED);
		if (level > 1)
			upper(w, va, to, level - 1);
		else if (w->how != TRACK_PREPARE)
			leaves(w, va, to);
	}
	if (!e)
		end_run(w, va);
}

void plat_track(enum plat_track how, uintptr_t va, uintptr_t end,
		void (*fn)(uintptr_t, uintptr_t, void *), void *arg)
{
	struct walk w = { .how = how, .fn = fn, .arg = arg };
	const uintptr_t size = PAGE_SIZE << 27;

	if (how == TRACK_LEAVE)
		return; /* being tracked costs a page nothing while nobody forgets it */
	if (!bits_work()) {
		w.run = how == TRACK_PREPARE ? 0 : va;
		end_run(&w, end);
		return;
	}
	for (uintptr_t next; va < end; va = next) {
		next = (va | (size - 1)) + 1;
		upper(&w, va, next < end ? next : end, 2);
	}
	end_run(&w, end);
}

void plat_track_flush(void)
{
	stackmap_flush_all();
}
