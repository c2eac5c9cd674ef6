/* gc.c: the collector's cycle, when it begins, and what it reports.
 *
 * A cycle, all of it with the world stopped for now:
 *   gc_arm        finish the last sweep, give mcaches back, publish freeindex, age pools
 *   gc_mark       roots and everything reachable, on all cores (gcmark.c)
 *   gc_terminate  count what lives, set the next goal, raise the sweep generation
 *   (sweep)       lazily afterwards (sweep.c)
 * The phases are separate functions because concurrent marking will put the
 * world's restart, write tracking and rescans between gc_arm and gc_terminate.
 *
 * Pacing is Go's rule: goal = live + (live + stacks + globals) * GOGC / 100, at
 * least 4 MiB * GOGC / 100 (less on small machines), at most what GOMEMLIMIT and
 * the machine leave.  As marking does not overlap allocation, the trigger is the
 * goal.  A cycle always leaves some room above what lives, so that a limit below
 * the live heap does not mean endless collection. */
#include "api_mem.h"
#include "freeze.h"
#include "heap.h"
#include "leak.h"
#include "stack.h"

#define HEAP_MIN ((uint64_t)4 << 20)

uint32_t gc_cycles;
void (*gc_noted)(const struct gc_note *n);
static struct {
	uint64_t goal, live;           /* bytes, as of the last cycle */
	uint64_t total_ns, last_end;   /* stop time so far; end of the last cycle */
	uint32_t forced;
} gcs;

/* ---- pacing ------------------------------------------------------------------- */

uint64_t gc_memory_limit(void)
{
	uint64_t machine = (uint64_t)mheap.total_pages << PAGE_SHIFT;
	machine -= machine / 16; /* for stacks and tables */
	return rt_settings.gomemlimit < machine ? rt_settings.gomemlimit : machine;
}

static void set_goal(uint64_t live)
{
	uint64_t machine = (uint64_t)mheap.total_pages << PAGE_SHIFT;
	uint64_t goal = UINT64_MAX;
	if (rt_settings.gogc >= 0) {
		uint64_t gogc = (uint64_t)rt_settings.gogc;
		uint64_t min = HEAP_MIN < machine / 4 ? HEAP_MIN : machine / 4;
		goal = live + (live + gc_stack_bytes + gc_global_bytes) * gogc / 100;
		min = min * gogc / 100;
		if (goal < min)
			goal = min;
	}
	uint64_t other = ((uint64_t)mheap.pages_manual << PAGE_SHIFT) + stack_bytes_inuse();
	if (rt_settings.gomemlimit != UINT64_MAX)
		other += mheap.sys_bytes;
	uint64_t limit = gc_memory_limit();
	limit = limit > other ? limit - other : 0;
	if (goal > limit)
		goal = limit;
	uint64_t room = live / 16 + (machine / 64 < 1 << 20 ? machine / 64 : 1 << 20);
	if (goal < live + room)
		goal = live + room;
	if (mheap.goal_set)
		mheap.goal_set(gcs.goal, goal);
	gcs.live = live;
	gcs.goal = goal;
	at_store(&mheap.gc_trigger, goal);
}

void gc_init(void)
{
	mheap.sweepgen = 2;
	set_goal(0);
}

/* A task that holds nothing, outside the scheduler, with preemption on. */
bool gc_can_start(void)
{
	const struct g *g = rt_self.g;
	return g != rt_self.g0 && g->nopreempt == 0 && !g->in_systemstack;
}

/* ---- the phases ------------------------------------------------------------------ */

static void sweep_worker(void *unused)
{
	sweep_all();
}

static void gc_arm(void)
{
	if (mheap.sweeping) {
		stw_parallel(sweep_worker, NULL);
		mheap.sweeping = 0;
	}
	for (struct mcache *c = all_mcaches; c; c = c->all_next)
		mcache_flush(c);
	pool_cleanup();
}

static uint64_t gc_mark(bool leaks)
{
	gc_mark_start(leaks);
	stw_parallel(gc_mark_worker, NULL);
	if (leaks)
		leak_resolve();
	return gc_mark_finish();
}

static void gc_terminate(uint64_t live)
{
	at_store(&mheap.heap_live, live);
	set_goal(live);
	mheap.sweepgen += 2;
	at_store(&mheap.sweeping, 1);
	at_store(&gc_cycles, gc_cycles + 1);
}

/* ---- gctrace ------------------------------------------------------------------------ */

/* Milliseconds the way Go prints them: two or three significant digits. */
static const char *ms(char *buf, size_t n, uint64_t ns)
{
	uint64_t us = ns / 1000;
	if (ns >= 10000000)
		snprintf(buf, n, "%llu", (unsigned long long)(ns / 1000000));
	else if (us >= 1000)
		snprintf(buf, n, "%llu.%llu", (unsigned long long)(us / 1000),
		         (unsigned long long)(us / 100 % 10));
	else if (us >= 100)
		snprintf(buf, n, "0.%02llu", (unsigned long long)(us / 10));
	else
		snprintf(buf, n, "0.%03llu", (unsigned long long)us);
	return buf;
}

static unsigned long long mb(uint64_t bytes)
{
	return (bytes + (1 << 19)) >> 20;
}

struct gc_times {
	uint64_t start, mark, term, end; /* ns */
	uint64_t heap_before, heap_after, goal;
};

static void gc_trace(const struct gc_times *t, bool forced)
{
	char b[6][24];
	unsigned np = rt_nps;
	uint64_t a = t->mark - t->start, m = t->term - t->mark, e = t->end - t->term;
	rt_printf("gc %u @%llu.%03llus %u%%: %s+%s+%s ms clock, %s+0/%s/0+%s ms cpu, "
	          "%llu->%llu->%llu MB, %llu MB goal, %llu MB stacks, %llu MB globals, %u P%s\n",
	          gc_cycles, (unsigned long long)(t->start / 1000000000),
	          (unsigned long long)(t->start / 1000000 % 1000),
	          (unsigned)(t->end ? gcs.total_ns * 100 / t->end : 0), ms(b[0], 24, a), ms(b[1], 24, m),
	          ms(b[2], 24, e), ms(b[3], 24, a * np), ms(b[4], 24, m * np), ms(b[5], 24, e * np),
	          mb(t->heap_before), mb(t->heap_after), mb(gcs.live), mb(t->goal),
	          mb(gc_stack_bytes), mb(gc_global_bytes), np, forced ? " (forced)" : "");
}

/* ---- a cycle -------------------------------------------------------------------------- */

struct gc_args {
	bool force, busy;
	void (*leaks)(void *); /* gc_leaks(): called at the end of the stop */
	void *leaks_arg;
	uint32_t seen; /* gc_cycles when the caller asked */
};

static bool gc_wanted(const struct gc_args *a)
{
	if (a->leaks)
		return true;
	if (a->force)
		return at_load(&gc_cycles) == a->seen;
	return at_load(&mheap.heap_live) >= at_load(&mheap.gc_trigger);
}

static void gc_stop(void *arg)
{
	struct gc_args *a = arg;
	struct gc_times t;
	t.start = plat_now();
	a->busy = !stop_world("garbage collection");
	if (a->busy)
		return;
	if (!gc_wanted(a)) {
		start_world();
		return;
	}
	gc_arm();
	t.heap_before = mheap.heap_live;
	t.goal = gcs.goal;
	t.mark = plat_now();
	uint64_t live = gc_mark(a->leaks != NULL);
	t.term = plat_now();
	t.heap_after = t.heap_before;
	bool verify = malloc_checks || rt_settings.junkfill;
	if (unlikely(verify))
		gc_verify_marks();
	gc_terminate(live);
	if (unlikely(verify))
		gc_verify_heap();
	t.end = plat_now();
	gcs.total_ns += t.end - t.start;
	gcs.last_end = t.end;
	gcs.forced += a->force;
	if (gc_noted)
		gc_noted(&(struct gc_note){ gc_cycles, a->force, t.start, t.end, { t.end - t.start, 0 }, t.heap_before,
		                            t.heap_after, gcs.live, t.goal });
	if (rt_settings.gctrace)
		gc_trace(&t, a->force);
	if (a->leaks)
		a->leaks(a->leaks_arg);
	if (unlikely(rt_settings.freezestress))
		freeze_all_now();
	start_world();
}

void gc_start(bool force)
{
	struct gc_args a = { .force = force, .seen = at_load(&gc_cycles) };
	while (gc_wanted(&a)) {
		rt_systemstack(gc_stop, &a);
		if (!a.busy) {
			stack_free_dead();
			return;
		}
	}
}

void gc_leaks(void (*found)(void *), void *arg)
{
	struct gc_args a = { .force = true, .leaks = found, .leaks_arg = arg };
	do
		rt_systemstack(gc_stop, &a);
	while (a.busy);
}

static void sweep_batch(void *arg)
{
	bool *more = arg;
	for (unsigned n = 0; n < 64 && *more; n++)
		*more = sweep_one(NULL);
}

void gc(void)
{
	if (!gc_can_start())
		throw("gc: called with preemption off or outside a task");
	gc_start(true);
	for (bool more = true; more;)
		rt_systemstack(sweep_batch, &more);
}

static void verify_stop(void *arg)
{
	bool *done = arg;
	if (!stop_world("gc_verify"))
		return;
	gc_verify_heap();
	*done = true;
	start_world();
}

void gc_verify(void)
{
	for (bool done = false; !done;)
		rt_systemstack(verify_stop, &done);
}

/* ---- for statistics and settings --------------------------------------------------------- */

void gc_stats(struct mem_stats *m)
{
	m->next_gc = gcs.goal;
	m->heap_live = gcs.live;
	m->last_gc = gcs.last_end;
	m->pause_total_ns = gcs.total_ns;
	m->num_gc = gc_cycles;
	m->num_forced_gc = gcs.forced;
}

uint64_t gc_goal(void)
{
	return at_load(&gcs.goal);
}

void gc_goal_update(void)
{
	set_goal(gcs.live);
}
