/* oom.c: the end of memory: a report with the top users, then the end of the image,
 * or a panic of the task that asked, if the program wants that.
 *
 * A panic needs memory itself, for its text and for what deferred calls do: so a
 * reserve is kept, given back to the heap just before, and taken again after the
 * next collection (a cleanup on an object that nobody holds).  When that is not to be
 * had either, it is the end.  A task that cannot panic (preemption off, on the system
 * stack) does not either.
 *
 * What refers to the panic is linked only into programs that ask for it. */
#include "api_mem.h"
#include "heap.h"
#include "proc.h"
#include "api_value.h"
#include "api_special.h"

struct oom_hooks oom_hooks;

struct usage {
	uint64_t objects, bytes;
};

static void print_top_classes(struct usage *use)
{
	rt_printf("%12s %12s %14s   top users by span class\n", "object size", "objects", "bytes");
	for (unsigned n = 0; n < 8; n++) {
		unsigned best = 0;
		for (unsigned spc = 1; spc < NUM_SPAN_CLASSES; spc++)
			if (use[spc].bytes > use[best].bytes)
				best = spc;
		if (use[best].bytes == 0)
			break;
		char name[16] = "large";
		if (class_info[best].size)
			snprintf(name, sizeof name, "%u", class_info[best].size);
		rt_printf("%12s %12llu %14llu   %s\n", name, (unsigned long long)use[best].objects,
		          (unsigned long long)use[best].bytes,
		          SPANCLASS_NOSCAN(best) ? "without pointers" : "with pointers");
		use[best].bytes = 0;
	}
}

/* Returns the heap's bytes.  Nobody else runs. */
static uint64_t report(const char *head, size_t size)
{
	static struct usage use[NUM_SPAN_CLASSES] NOSCAN_BSS;
	struct mem_stats m = { 0 };
	uint64_t inuse = 0;
	memset(use, 0, sizeof use);
	gc_stats(&m);
	for (uint32_t page = 0; page < mheap.used_bytes >> PAGE_SHIFT;) {
		uint64_t e = mheap.index[page];
		if (e == 0) {
			page++;
			continue;
		}
		const struct mspan *s = index_span(e);
		page += s->npages;
		use[s->spanclass].objects += s->alloc_count;
		use[s->spanclass].bytes += (uint64_t)s->npages << PAGE_SHIFT;
		inuse += (uint64_t)s->npages << PAGE_SHIFT;
	}
	rt_printf("%s: out of memory\n\n"
	          "asked for %zu bytes; heap %llu KiB (%llu KiB live after collection %u), "
	          "runtime %llu KiB, of %llu KiB; limit %llu KiB\n",
	          head, size, (unsigned long long)inuse >> 10, (unsigned long long)m.heap_live >> 10,
	          gc_cycles, (unsigned long long)(mheap.pages_manual << PAGE_SHIFT) >> 10,
	          (unsigned long long)(mheap.total_pages << PAGE_SHIFT) >> 10,
	          (unsigned long long)gc_memory_limit() >> 10);
	print_top_classes(use);
	if (oom_hooks.print_profile)
		oom_hooks.print_profile();
	return inuse;
}

static void exhausted_report(void *arg)
{
	if (plat_fatal_begin())
		report("fatal error", *(size_t *)arg);
	plat_fatal_end(2);
}

noreturn void heap_exhausted(size_t size)
{
	if (oom_hooks.out)
		oom_hooks.out(size);
	rt_systemstack(exhausted_report, &size);
	__builtin_unreachable();
}

/* ---- a panic instead ----------------------------------------------------------- */

#define RESERVE_PAGES 32

static void *reserve NOSCAN_DATA; /* by exchange */
static uint32_t wanted NOSCAN_DATA;

static void reserve_system(void *unused)
{
	if (at_load(&reserve) || !at_load(&wanted))
		return;
	void *none = NULL, *p = mheap_alloc_manual(RESERVE_PAGES);
	if (p && !at_cas(&reserve, &none, p))
		mheap_free_manual(p, RESERVE_PAGES);
}

/* oom_hooks.collected */
static void collected(void)
{
	rt_systemstack(reserve_system, NULL);
}

static void collected_cleanup(void *unused)
{
	collected();
}

struct running_out {
	size_t size;
	uint64_t inuse;
	bool done;
};

static void panic_report(void *arg)
{
	struct running_out *r = arg;
	if (!stop_world("out of memory"))
		return;
	r->inuse = report("panic", r->size);
	r->done = true;
	start_world();
}

static void reserve_free_system(void *p)
{
	mheap_free_manual(p, RESERVE_PAGES);
}

/* oom_hooks.out: returns if it cannot. */
static void panic_of_task(size_t size)
{
	if (!gc_can_start())
		return;
	void *p = at_swap(&reserve, NULL);
	if (!p) { /* it was too much at once: there is memory */
		collected();
		p = at_swap(&reserve, NULL);
	}
	if (!p)
		return;
	struct running_out r = { .size = size };
	while (!r.done)
		rt_systemstack(panic_report, &r);
	rt_systemstack(reserve_free_system, p);
	uint64_t word = 0;
	rt_add_cleanup(rt_malloc(sizeof word * 2, NULL), collected_cleanup, &word, sizeof word);
	rt_panic("runtime error: out of memory: cannot allocate %zu-byte block (%llu in use)", size,
	         (unsigned long long)r.inuse);
}

bool set_panic_on_out_of_memory(bool on)
{
	bool was = at_swap(&wanted, on);
	if (on) {
		oom_hooks.collected = collected;
		oom_hooks.out = panic_of_task;
		collected();
	} else {
		oom_hooks.out = NULL;
		void *p = at_swap(&reserve, NULL);
		if (p)
			rt_systemstack(reserve_free_system, p);
	}
	return was;
}
