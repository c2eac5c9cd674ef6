/* gc.c: the collector's cycle, when it begins, and what it reports.
 *
 * A cycle, run by a task of the runtime (the controller):
 *   sweep   what the last cycle left is swept, the heap's written pages forgotten
 *   arm     a short stop: allocate black from here on, age the pools.  Where hardly
 *           anything lived the last time, or all of many tasks ran so that most was
 *           left to the last stop, it tries to be the last one too
 *   mark    beside the running tasks: the controller on a quarter of the cores'
 *           time, idle Ps, and tasks that allocate faster than that (assists)
 *   clean   rounds that look again at what was written meanwhile, while it shrinks
 *   last    a stop: what was written since, globals, drain, set the next goal.  Past
 *           its time it is given up: what is left is marked beside the tasks (marks
 *           only ever grow), cleaned again, and the next attempt has twice the time
 *   (sweep) lazily afterwards (sweep.c)
 * There is no write barrier: the platform says which pages were written
 * (plat_track_collect), so any store of any library counts.
 *
 * Pacing is Go's rule: goal = live + (live + stacks + globals) * GOGC / 100, at
 * least 4 MiB * GOGC / 100 (less on small machines), at most what GOMEMLIMIT and
 * the machine leave.  The trigger lies a quarter of the way before the goal.  A
 * cycle always leaves some room above what lives, so that a limit below the live
 * heap does not mean endless collection.
 *
 * Invariants: gc_phase changes in a stop only; nothing is swept and no span is
 * freed while it is GC_MARK; marks are only added in a cycle. */
#include "api_mem.h"
#include "freeze.h"
#include "gclimit.h"
#include "gctrack.h"
#include "leak.h"
#include "proc.h"
#include "stack.h"
#include "timer.h"

#define HEAP_MIN ((uint64_t)4 << 20)
#define PIECE ((uint64_t)64 << 10)  /* bytes to mark between two looks at anything else */
#define SLICE_NS 500000             /* the controller's turn on a busy core */
#define CLEAN_ROUNDS 4
#define CLEAN_MIN ((size_t)16 << 20) /* smaller heaps' written pages all wait for the stop */
#define SMALL ((uint64_t)256 << 10) /* bytes that are marked sooner in one stop than beside the tasks */
#ifdef INGOT_NASTY
#define STOP_NS 1                   /* so that stops that are given up are a common case */
#define STOP_TRIES 2
#define TASK_NS 0
#else
#define STOP_NS 50000               /* what a stop may mark, the first time; */
#define STOP_TRIES 5                /* twice that the next, at last without limit */
#define TASK_NS 200                 /* and for each of many tasks that ran */
#endif
#define RAN_MAX 50000
#define TOGETHER 7

uint32_t gc_cycles, gc_phase;
struct gc_pause_note gc_pauses[GC_PAUSES] NOSCAN_BSS;
struct leak_hooks leak_hooks;
void (*gc_noted)(const struct gc_note *n);
static struct {
	uint64_t goal, live;           /* bytes, as of the last cycle */
	uint64_t most;                 /* what the heap may have at all */
	uint64_t total_ns, last_end;   /* stop time so far; end of the last cycle */
	uint64_t cpu_ns, cpu_end;      /* the cores' time taken so far, but by idle ones, relaxed; as of last_end */
	size_t ran;                    /* tasks, before the last stop that followed on marking beside them */
	unsigned together;             /* so many cycles are done in one stop */
	uint32_t forced;
	uint64_t armed_live, expected; /* heap_live when marking began; what there is to mark */
	uint64_t assist_ns, idle_ns;   /* this cycle's; relaxed */
} gcs;

struct gc_waiter {
	struct g *g;
	struct gc_waiter *next;
	uint32_t cycle; /* to wait for; */
	bool assist;    /* or just for this one, if it is any */
	void (*found)(void *); /* gc_leaks(): called in its stop */
	void *arg;
};

static struct {
	struct lock lock;
	struct g *parked;          /* the controller, when it waits */
	struct g *resting;         /* or leaves the core to tasks in a cycle: who swaps it out readies it */
	struct rt_timer rest;
	bool wanted;               /* a cycle is to begin, */
	bool late;                 /* and even if the heap has not grown */
	bool running;              /* it does; this and wanted are read relaxed as a hint */
	uint32_t begun;            /* cycles so far */
	struct gc_waiter *waiters;
} control = { .lock = LOCK_INIT(RANK_SEMA) }; /* over waiters: their stacks may be frozen */

/* ---- pacing ------------------------------------------------------------------- */

static uint64_t machine_limit(void)
{
	uint64_t machine = (uint64_t)mheap.total_pages << PAGE_SHIFT;
	return machine - machine / 16; /* for stacks and tables */
}

uint64_t gc_memory_limit(void)
{
	uint64_t machine = machine_limit();
	return rt_settings.gomemlimit < machine ? rt_settings.gomemlimit : machine;
}

/* Bytes, by what the last cycle found. */
static uint64_t marked_last(void)
{
	return gcs.live + gc_stack_bytes + gc_global_bytes;
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
	uint64_t most = machine_limit();
	gcs.most = most > other ? most - other : 0;
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
	/* Marking takes no longer than there is to mark. */
	uint64_t ahead = (goal - live) / 4, work = marked_last();
	at_store(&mheap.gc_trigger, goal - (work < SMALL ? 0 : ahead < work ? ahead : work));
}

void gc_init(void)
{
	mheap.sweepgen = 2;
	gc_track_init();
	gc_mark_init();
	set_goal(0);
}

/* A task that holds nothing, outside the scheduler, with preemption on. */
bool gc_can_start(void)
{
	const struct g *g = rt_self.g;
	return g != rt_self.g0 && g->nopreempt == 0 && !g->in_systemstack;
}

/* ---- the phases ------------------------------------------------------------------ */

static void gc_arm(void)
{
	for (struct mcache *c = all_mcaches; c; c = c->all_next)
		mcache_arm(c);
	pool_cleanup();
	gc_mark_start();
	gcs.armed_live = mheap.heap_live;
	gcs.expected = gcs.live ? gcs.live : mheap.heap_live;
	gcs.assist_ns = gcs.idle_ns = 0;
	at_store(&gc_phase, GC_MARK);
}

/* all: nothing was marked before.  until: ns; false: it was not enough. */
static bool gc_last(bool all, bool leaks, uint64_t until)
{
	for (struct mcache *c = all_mcaches; c; c = c->all_next)
		mcache_flush(c);
	gc_mark_last(all, leaks, until);
	stw_parallel(gc_mark_worker, NULL);
	return gc_mark_done();
}

static uint64_t gc_finish(bool leaks)
{
	if (leaks)
		leak_hooks.resolve();
	uint64_t live = gc_mark_finish();
	at_store(&gc_phase, GC_OFF);
	/* What was allocated meanwhile was marked from the start. */
	return mheap.heap_live > gcs.armed_live ? live + (mheap.heap_live - gcs.armed_live) : live;
}

static void gc_terminate(uint64_t live)
{
	at_store(&mheap.heap_live, live);
	set_goal(live);
	mheap.sweepgen += 2;
	mheap.sweep_class = 0;
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
	uint64_t start, armed, last, end; /* ns: stop, tasks run, stop, tasks run */
	uint64_t mark_ns;                 /* the controller's own marking */
	uint64_t heap_before, heap_after, goal;
	uint64_t lost_ns;                 /* in stops that were given up */
	unsigned tries;                   /* of the last stop */
	size_t ran;                       /* tasks that had run when it was tried, */
	bool all_ran;                     /* and about as many had before */
	bool forced, leaks;               /* leaks: all in one stop, leak.c follows */
	bool one;                         /* the first stop tries to be the last, */
	uint64_t one_ns;                  /* in which it may mark so long */
};

static void gc_trace(const struct gc_times *t)
{
	char b[8][24];
	unsigned np = rt_nps;
	uint64_t a = t->armed - t->start, m = t->last - t->armed, e = t->end - t->last;
	rt_printf("gc %u @%llu.%03llus %u%%: %s+%s+%s ms clock, %s+%s/%s/%s+%s ms cpu, "
	          "%llu->%llu->%llu MB, %llu MB goal, %llu MB stacks, %llu MB globals, %u P%s\n",
	          gc_cycles, (unsigned long long)(t->start / 1000000000),
	          (unsigned long long)(t->start / 1000000 % 1000),
	          (unsigned)(t->end ? gcs.cpu_end * 100 / np / t->end : 0), ms(b[0], 24, a),
	          ms(b[1], 24, m), ms(b[2], 24, e), ms(b[3], 24, a * np), ms(b[4], 24, gcs.assist_ns),
	          ms(b[5], 24, t->mark_ns), ms(b[6], 24, gcs.idle_ns), ms(b[7], 24, e * np),
	          mb(t->heap_before), mb(t->heap_after), mb(gcs.live), mb(t->goal), mb(gc_stack_bytes),
	          mb(gc_global_bytes), np, t->forced ? " (forced)" : "");
}

/* ---- marking beside the tasks --------------------------------------------------------- */

/* Marks a piece on the system stack and adds its time to *ns. */
struct piece {
	uint64_t bytes, ns;
	bool any, idle; /* idle: the core has nothing else to do */
};

static void piece_system(void *arg)
{
	struct piece *a = arg;
	uint64_t t = plat_now();
	a->any = gc_mark_piece(a->bytes);
	a->ns = plat_now() - t;
	at_add_relaxed(a->idle ? &gcs.idle_ns : &gcs.cpu_ns, a->ns);
	gc_used(a->ns, a->idle);
}

static bool assist_piece(uint64_t bytes)
{
	struct piece a = { .bytes = bytes };
	rt_systemstack(piece_system, &a);
	at_add_relaxed(&gcs.assist_ns, a.ns);
	return a.any;
}

/* The collector has had its share (gclimit.c), and there is memory for what is
 * allocated meanwhile. */
static bool limited(void)
{
	return unlikely(at_load(&gc_limited)) && at_load(&mheap.heap_live) < gcs.most;
}

/* The controller's turn has come, if it leaves the core to others. */
static bool rest_end(void)
{
	struct g *g = at_swap(&control.resting, NULL);
	if (g)
		ready(g, true);
	return g;
}

static void rest_over(struct rt_timer *t, uint64_t now)
{
	(void)t, (void)now;
	rest_end();
}

static bool rest_begin(struct g *g, void *when)
{
	at_store_rel(&control.resting, g);
	timer_add(&control.rest, *(uint64_t *)when);
	return true;
}

/* The controller leaves the core to the tasks: for ns, or until they can do
 * nothing without it. */
static void rest(uint64_t ns)
{
	if (!timer_room()) {
		gosched();
		return;
	}
	uint64_t when = plat_now() + ns;
	control.rest.fn = rest_over;
	park(rest_begin, &when, WAIT_GC);
	timer_del(&control.rest);
}

/* Waits for the end of the cycle. */
static void stall(void)
{
	struct gc_waiter w = { .g = rt_self.g, .assist = true };
	rest_end();
	lock(&control.lock);
	if (!control.wanted && !control.running) {
		unlock(&control.lock);
		return;
	}
	w.next = control.waiters;
	control.waiters = &w;
	park_unlock(&control.lock, WAIT_GC_ASSIST);
}

void gc_assist(uint64_t bytes)
{
	uint64_t live = at_load(&mheap.heap_live);
	if (limited())
		return;
	if (at_load(&gc_phase) == GC_MARK && live > gcs.armed_live) {
		uint64_t runway = gcs.goal > gcs.armed_live + 65536 ? gcs.goal - gcs.armed_live : 65536;
		/* Who is ahead of the marking (done / expected < used / runway) helps. */
		if (at_load(&gc_mark_bytes) / 1024 * runway < gcs.expected / 1024 * (live - gcs.armed_live))
			assist_piece(2 * bytes * (gcs.expected / 1024) / (runway / 1024) + 4096);
	}
	/* Past the goal nobody allocates before the cycle is over. */
	while (at_load(&mheap.heap_live) >= gcs.goal && !limited() &&
	       (at_load(&control.wanted) || at_load(&control.running)))
		if (at_load(&gc_phase) != GC_MARK || !assist_piece(PIECE))
			stall();
}

bool gc_idle(struct p *p)
{
	bool mark = at_load(&gc_phase) == GC_MARK;
	if (mark ? !gc_mark_some() : !at_load(&mheap.sweeping))
		return rest_end(); /* the controller, if anybody, has something to do */
	/* Not spinning: who submits a task meanwhile wakes another. */
	if (p->spinning) {
		p->spinning = 0;
		at_sub(&sched.nmspinning, 1);
	}
	if (!mark)
		return sweep_some(16);
	struct piece a = { .bytes = PIECE, .idle = true };
	piece_system(&a);
	return a.any;
}

/* Are there tasks that want this core? */
static bool core_wanted(void)
{
	return !runq_empty(rt_self.p) || at_load(&sched.runq_size);
}

/* Those who have waited long enough go on. */
static void waiters_wake(void)
{
	struct gc_waiter *done = NULL;
	lock(&control.lock);
	for (struct gc_waiter **w = &control.waiters; *w;) {
		struct gc_waiter *x = *w;
		if (!x->assist && (int32_t)(gc_cycles - x->cycle) < 0) {
			w = &x->next;
			continue;
		}
		*w = x->next;
		x->next = done;
		done = x;
	}
	unlock(&control.lock);
	while (done) {
		struct g *g = done->g; /* afterwards it is gone */
		done = done->next;
		ready(g, false);
	}
}

/* Until no work is left: a quarter of the cores' time if tasks want it, twice
 * that past the goal, all of this core otherwise.  Returns the time spent. */
static uint64_t mark_all(void)
{
	uint64_t total = 0, turn = 0;
	while (!gc_mark_idle()) {
		struct piece a = { .bytes = PIECE };
		rt_systemstack(piece_system, &a);
		total += a.ns;
		turn += a.ns;
		if (!a.any) {
			gosched();
		} else if (turn >= SLICE_NS) {
			unsigned np = rt_nps, share = at_load(&mheap.heap_live) < gcs.goal || limited() ? 4 : 2;
			if (limited())
				waiters_wake();
			if (core_wanted()) {
				if (np < share)
					rest(turn * (share - np) / np);
				else
					gosched();
			}
			turn = 0;
		}
	}
	return total;
}

/* ---- a cycle -------------------------------------------------------------------------- */

static void sweep_batch(void *arg)
{
	*(bool *)arg = sweep_some(64);
}

static void sweep_rest(void)
{
	for (bool more = true; more;)
		rt_systemstack(sweep_batch, &more);
}

/* Where it is many tasks that run, each time about as many: then no later stop
 * would be shorter, and they are no reason to give one up. */
static bool mostly_ran(size_t before, size_t ran)
{
	return ran > before / 2 && ran < RAN_MAX;
}

/* So much was left to the last stop that the next cycle may as well be one. */
static bool worth_together(const struct gc_times *t)
{
	uint64_t beside = t->mark_ns + at_load(&gcs.assist_ns) + at_load(&gcs.idle_ns);
	return t->all_ran && 2 * (plat_now() - t->last) > beside;
}

static void last_stop(void *arg)
{
	struct gc_times *t = arg;
	bool first = t->one && !t->tries;
	t->last = plat_now();
	if (!first && !stop_world("GC mark termination"))
		return;
	t->heap_after = mheap.heap_live;
	uint64_t ns = first ? t->one_ns : (uint64_t)STOP_NS << t->tries;
	if (!first) {
		size_t ran = gc_track_see().tasks;
		t->all_ran = mostly_ran(t->ran, ran);
		if (t->all_ran)
			ns += ran * TASK_NS;
		t->ran = ran;
	}
	uint64_t until = t->leaks || t->tries >= STOP_TRIES ? UINT64_MAX : t->last + ns;
	t->tries++;
	if (!gc_last(first, t->leaks, until)) {
		t->lost_ns += plat_now() - t->last;
		start_world();
		return;
	}
	if (!first)
		gcs.together = worth_together(t) ? TOGETHER : 0;
	gcs.ran = t->ran;
	uint64_t live = gc_finish(t->leaks);
	bool verify = GC_CHECKS && (malloc_checks || rt_settings.junkfill);
	if (GC_CHECKS && unlikely(rt_settings.gccheckmark))
		gc_checkmark();
	if (unlikely(verify))
		gc_verify_marks();
	gc_terminate(live);
	if (unlikely(verify))
		gc_verify_heap();
	t->end = plat_now();
	uint64_t stopped = t->armed - t->start + t->lost_ns + (t->end - t->last);
	gcs.total_ns += stopped;
	gcs.cpu_ns += stopped * rt_nps;
	gc_used(stopped * rt_nps, false);
	gcs.cpu_end = gcs.cpu_ns;
	gcs.last_end = t->end;
	gc_pauses[gc_cycles % GC_PAUSES] = (struct gc_pause_note){ stopped, t->end };
	gcs.forced += t->forced;
	if (gc_noted)
		gc_noted(&(struct gc_note){ gc_cycles, t->forced, t->start, t->end,
		                            { t->armed - t->start, stopped - (t->armed - t->start) },
		                            t->heap_before, t->heap_after, gcs.live, t->goal });
	if (rt_settings.gctrace)
		gc_trace(t);
	for (struct gc_waiter *w = control.waiters; w; w = w->next)
		if (t->leaks && w->found && (int32_t)(gc_cycles - w->cycle) >= 0)
			w->found(w->arg);
	if (unlikely(rt_settings.freezestress))
		freeze_all_now();
	start_world();
}

static void arm_stop(void *arg)
{
	struct gc_times *t = arg;
	t->start = plat_now();
	if (!stop_world("GC mark start"))
		return;
	/* A span that somebody had popped was swept before he stopped. */
	gc_arm();
	t->heap_before = mheap.heap_live;
	t->goal = gcs.goal;
	t->armed = plat_now();
	if (t->one) /* all of it in one stop */
		last_stop(t);
	else
		start_world();
}

/* Looks again at what was written, while that gets less; then the last stop. */
static void clean_and_stop(struct gc_times *t)
{
	if (SABOTAGED(gc_rescan_order)) {
		gc_track_see();
		mark_all();
		gc_track_forget(false);
	}
	size_t last = SIZE_MAX;
	bool clean = mheap.used_bytes >= CLEAN_MIN || malloc_checks || t->tries;
	for (unsigned round = 0; clean && round < CLEAN_ROUNDS; round++) {
		struct gc_written found = gc_track_forget(true);
		size_t n = found.pages, before = last;
		if (n >= found.of || (n < found.tasks / 16 && mostly_ran(t->ran, found.tasks)))
			break; /* nothing is tracked, or all tasks run: the stop will see the same again */
		last = n;
		/* Now forgotten, they must be looked at. */
		gc_track_rescan();
		t->mark_ns += mark_all();
		if (n > before / 2)
			break; /* it does not get less */
	}
	unsigned tries = t->tries;
	do
		rt_systemstack(last_stop, t);
	while (t->tries == tries);
}

static void run_cycle(bool forced, bool leaks)
{
	struct gc_times t = { .forced = forced, .leaks = leaks, .ran = gcs.ran, .one = leaks, .one_ns = STOP_NS };
	if (gc_cycles && !malloc_checks) {
		t.one |= gcs.together || marked_last() < SMALL;
		t.one_ns += gcs.together ? 2 * gcs.ran * TASK_NS : 0;
	}
	gcs.together -= gcs.together > 0;
	sweep_rest();
	if (!t.one)
		gc_track_forget(false);
	do
		rt_systemstack(arm_stop, &t);
	while (!t.armed);
	while (!t.end) {
		t.mark_ns += mark_all();
		clean_and_stop(&t);
	}
	gc_mark_tidy();
	if (!t.one)
		gc_track_end();
}

noreturn void gc_controller(void *unused)
{
	(void)unused;
	for (;;) {
		lock(&control.lock);
		if (!control.wanted) {
			control.parked = rt_self.g;
			park_unlock(&control.lock, WAIT_GC);
			continue;
		}
		at_store(&control.wanted, false);
		bool forced = false, leaks = false, late = control.late;
		control.late = false;
		for (struct gc_waiter *w = control.waiters; w; w = w->next) {
			forced |= !w->assist;
			leaks |= w->found != NULL;
		}
		bool run = forced || late || at_load(&mheap.heap_live) >= at_load(&mheap.gc_trigger);
		control.begun += run;
		at_store(&control.running, run);
		unlock(&control.lock);
		if (run) {
			run_cycle(forced, leaks);
			gc_period_begins(gcs.last_end);
			stack_free_dead(); /* who waits may want the memory */
		}
		at_store(&control.running, false);
		waiters_wake();
	}
}

/* Under control.lock, released: who is to be readied, or NULL. */
static struct g *want_cycle(void)
{
	struct g *g = control.parked;
	at_store(&control.wanted, true);
	control.parked = NULL;
	unlock(&control.lock);
	return g;
}

/* Under control.lock, released. */
static void wake_controller(void)
{
	struct g *g = want_cycle();
	if (g)
		ready(g, true);
}

static bool wait_unlock(struct g *g, void *unused)
{
	(void)g, (void)unused;
	wake_controller();
	return true;
}

void gc_wait(void (*found)(void *), void *arg)
{
	struct gc_waiter w = { .g = rt_self.g, .found = found, .arg = arg };
	lock(&control.lock);
	/* One that is under way may have missed what is dead now. */
	w.cycle = control.begun + 1;
	w.next = control.waiters;
	control.waiters = &w;
	park(wait_unlock, NULL, WAIT_GC_CYCLE);
}

void gc_start_late(void)
{
	lock(&control.lock);
	control.late = true;
	wake_controller();
}

void gc_start(bool force)
{
	if (force) {
		gc_wait(NULL, NULL);
		return;
	}
	if (at_load(&gc_phase) != GC_OFF || at_load(&mheap.heap_live) < at_load(&mheap.gc_trigger))
		return;
	if (at_load(&control.wanted))
		return;
	lock(&control.lock);
	struct g *controller = want_cycle();
	if (controller)
		yield_to(controller); /* it begins now, not when this task has had its turn */
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
	m->gc_cpu_ns = gcs.cpu_ns;
	m->gc_cpu_fraction = gcs.last_end ? (double)gcs.cpu_end / (double)(gcs.last_end * rt_nps) : 0;
	m->limiter_last_enabled = gc_limited_cycle;
}

uint64_t gc_goal(void)
{
	return at_load(&gcs.goal);
}

void gc_goal_update(void)
{
	set_goal(gcs.live);
}
