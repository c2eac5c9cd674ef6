/* soak.c: random mixes of everything that tasks do, for as long as wanted, and
 * nothing may be lost.
 *
 *     soak [seed=N] [seconds=N] [rounds=N] [from=ROUND] [only=MIX[,MIX]] [v=1]
 *
 * A round runs some mixes side by side, chosen by seed and round, beside tasks
 * that only disturb: GOMAXPROCS goes up and down, the collector runs, tight
 * loops hold cores, sched_watch() looks for an idle core beside a waiting task.
 * Each mix checks a law of its own (what was sent is received, who waits is
 * woken).  After the round nothing may be left: one task, no byte of heap or
 * stack more than after the first round, sound queues and a sound heap.
 *
 * A lost wake-up shows as a mix that makes no progress.  The main task looks at
 * each mix's count of steps; one that stands still for HANG_LOOKS looks is
 * reported.  Looks count, not seconds, so that a slow machine is not blamed.
 *
 * A failure names the seed and the round, and how to run that round again.
 * What a task does follows from both; how the tasks interleave does not. */
#include <stdlib.h>
#include "soak.h"

#define MIXES_MAX 6   /* side by side */
#define LOOK (5 * Millisecond)
#define HANG_LOOKS 24000
#define TASKS_MAX 2500 /* more than a round ever has at once */
/* What stale words on the main task's stack may keep: not much more than the
 * largest object that there is.  Whatever leaks grows beyond that. */
#define STACK_SLACK (2 << 20) /* dead tasks' slots in the Ps' lists, windows that keep memory */
#define HEAP_SLACK (160 << 10)
#define OBJECT_SLACK 100

static const struct {
	const char *name;
	mix *run;
} mixes[] = {
#define MIX(x) { #x, mix_##x },
	MIX(tree) MIX(join) MIX(yield) MIX(hogs) MIX(deep) MIX(parked) MIX(panics)
	MIX(pipes) MIX(ring) MIX(close) MIX(select)
	MIX(sleep) MIX(timers) MIX(after_func) MIX(tickers)
	MIX(mutex) MIX(rwmutex) MIX(wait_groups) MIX(cond) MIX(semaphore) MIX(atomics) MIX(context) MIX(groups)
	MIX(objects) MIX(values) MIX(pool) MIX(sync_map) MIX(moves)
};
#define NMIXES ((int)(sizeof mixes / sizeof *mixes))

static uint64 seed = 1;
static int64 seconds = 10, max_rounds = INT64_MAX, from;
static const char *only;
static bool verbose;

static struct run runs[MIXES_MAX];
static int nruns;
static int64 round_no, total_ops;
static bool round_over;     /* the disturbers end; atomic */
static struct run disturb = { .name = "disturb" };
static int64 worst_idle;    /* ns that sched_watch saw a core idle beside a task; atomic */

void broken(struct run *r, const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	string what = rt_vsprint(fmt, ap);
	va_end(ap);
	print("FAIL soak: mix %s, %s:%d: %.*s\n"
	      "seed=%lu round %ld, to repeat: ARGS='seed=%lu from=%ld rounds=1'\n",
	      r->name, file, line, STR(what), (unsigned long)seed, (long)round_no, (unsigned long)seed,
	      (long)round_no);
	abort();
}

/* ---- disturbers ---------------------------------------------------------------- */

static bool going(struct rng *g, int max_ms)
{
	sleep(pick(g, 0, max_ms * 1000) * Microsecond);
	return !atomic_load(&round_over);
}

static void resizer(struct rng g)
{
	while (going(&g, 30))
		gomaxprocs(pick(&g, 1, num_cpu()));
}

static void collector(struct rng g)
{
	while (going(&g, 60))
		one_in(&g, 4) ? gc_verify() : gc();
}

static void watcher(struct rng g)
{
	do {
		int64 seen = sched_watch(Second);
		if (seen > atomic_load(&worst_idle))
			atomic_store(&worst_idle, seen);
	} while (going(&g, one_in(&g, 2) ? 0 : 10));
}

static void checker(struct rng g)
{
	while (going(&g, 80))
		sched_check();
}

static void tight(struct rng g)
{
	do {
		for (volatile int i = pick(&g, 0, 3000000); i > 0; i--)
			;
	} while (going(&g, 20));
}

/* ---- rounds ---------------------------------------------------------------------- */

static void run_mix(struct run *r, mix *f)
{
	f(r);
	atomic_store(&r->done, true);
}

static bool chosen(const char *name)
{
	size_t n = strlen(name);
	for (const char *s = only; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		if (strncmp(s, name, n) == 0 && (s[n] == ',' || s[n] == 0))
			return true;
	return !only;
}

static __attribute__((noinline)) void begin(int64 n)
{
	struct rng g = { seed };
	g.s = rnd64(&g) ^ (uint64)n * 0xd1342543de82ef95; /* any odd number */
	round_no = n;
	nruns = pick(&g, 1, MIXES_MAX);
	memset(runs, 0, sizeof runs);
	atomic_store(&round_over, false);
	for (int i = 0; i < nruns; i++) {
		struct run *r = &runs[i];
		int k = pick(&g, 0, NMIXES - 1);
		while (!chosen(mixes[k].name))
			k = (k + 1) % NMIXES;
		r->name = mixes[k].name;
		r->rng = split(&g);
		go(run_mix, r, mixes[k].run);
	}
	static void (*const disturbers[])(struct rng) = { resizer, collector, watcher, checker, tight, tight };
	for (unsigned i = 0; i < sizeof disturbers / sizeof *disturbers; i++)
		if (one_in(&g, 2))
			go(disturbers[i], split(&g));
	if (verbose) {
		print("round %ld:", (long)n);
		for (int i = 0; i < nruns; i++)
			print(" %s", runs[i].name);
		print("\n");
	}
}

/* Waits for what makes count stand still at most HANG_LOOKS looks. */
struct patience {
	int64 last, looks;
};

static void look_on(struct patience *p, struct run *r, int64 count, const char *what)
{
	if (count != p->last)
		*p = (struct patience){ count, 0 };
	else if (++p->looks == HANG_LOOKS) {
		task_dump();
		broken(r, __FILE__, __LINE__, "hangs: %s", what);
	}
}

static __attribute__((noinline)) void finish(void)
{
	struct patience p[MIXES_MAX] = { 0 }, q = { 0 };
	for (bool busy = true; busy;) {
		sleep(LOOK);
		busy = false;
		for (int i = 0; i < nruns; i++)
			if (!atomic_load(&runs[i].done)) {
				busy = true;
				look_on(&p[i], &runs[i], atomic_load(&runs[i].ops), "no step for long");
			}
	}
	atomic_store(&round_over, true);
	while (num_task() > 1) {
		look_on(&q, &disturb, num_task(), "tasks do not end");
		sleep(Millisecond);
	}
	for (int i = 0; i < nruns; i++)
		total_ops += runs[i].ops;
}

/* ---- nothing is left --------------------------------------------------------------- */

static struct mem_stats now, base;

/* Overwrites what earlier calls left below the stack pointer. */
static __attribute__((noinline)) void scrub_stack(void)
{
	char junk[3000];
	memset(junk, 0, sizeof junk);
	__asm__ volatile("" : : "r"(junk) : "memory");
}

static __attribute__((noinline)) void audit(bool first)
{
	memset(runs, 0, sizeof runs);
	gomaxprocs(num_cpu());
	scrub_stack();
	for (int i = 0; i < 3; i++) /* pools give up what two collections found unused */
		gc();
	read_mem_stats(&now);
	if (first)
		base = now;
	LAW(&disturb, now.heap_alloc <= base.heap_alloc + HEAP_SLACK && now.heap_objects <= base.heap_objects + OBJECT_SLACK,
	    "heap leaked: %lu bytes in %lu objects, after the first round %lu in %lu", (unsigned long)now.heap_alloc,
	    (unsigned long)now.heap_objects, (unsigned long)base.heap_alloc, (unsigned long)base.heap_objects);
	LAW(&disturb, now.stack_inuse <= base.stack_inuse + STACK_SLACK, "stack leaked: %lu bytes, after the first round %lu",
	    (unsigned long)now.stack_inuse, (unsigned long)base.stack_inuse);
	SAME(&disturb, "tasks", num_task(), 1);
	sched_check();
	gc_verify();
}

static void waits(wait_group *go_on, wait_group *wg)
{
	wait_group_wait(go_on);
	wait_group_done(wg);
}

/* As many tasks as any round has, at once: their stacks are kept for reuse. */
static __attribute__((noinline)) void warm_up(void)
{
	wait_group go_on = { 0 }, wg = { 0 };
	wait_group_add(&go_on, 1);
	wait_group_add(&wg, TASKS_MAX);
	for (int i = 0; i < TASKS_MAX; i++)
		go(waits, &go_on, &wg);
	wait_group_done(&go_on);
	wait_group_wait(&wg);
	while (num_task() > 1)
		sleep(Millisecond);
}

static void say(int64 rounds, int64 began)
{
	print("soak: %ld s, %ld rounds, %ld ops, %u collections, heap %lu bytes in %lu objects, stacks %lu KiB, "
	      "longest idle beside a task %ld us\n",
	      (long)((nanotime() - began) / Second), (long)rounds, (long)total_ops, now.num_gc,
	      (unsigned long)now.heap_alloc, (unsigned long)now.heap_objects, (unsigned long)now.stack_inuse >> 10,
	      (long)(worst_idle / Microsecond));
}

static bool setting(const char *arg, const char *name, int64 *v)
{
	size_t n = strlen(name);
	if (strncmp(arg, name, n) != 0 || arg[n] != '=')
		return false;
	*v = (int64)strtoull(arg + n + 1, NULL, 0);
	return true;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int64 v;
		if (setting(argv[i], "seed", (int64 *)&seed) || setting(argv[i], "seconds", &seconds) ||
		    setting(argv[i], "rounds", &max_rounds) || setting(argv[i], "from", &from))
			continue;
		if (strncmp(argv[i], "only=", 5) == 0) {
			only = argv[i] + 5;
		} else if (setting(argv[i], "v", &v)) {
			verbose = v != 0;
		} else {
			print("soak: %s is no setting: seed seconds rounds from only v\n", argv[i]);
			return 1;
		}
	}
	bool any = false;
	for (int i = 0; i < NMIXES; i++)
		any |= chosen(mixes[i].name);
	if (!any) {
		print("soak: no mix is named %s\n", only);
		return 1;
	}
	int64 began = nanotime(), said = began, rounds = 0;
	print("soak: seed=%lu, %ld s on %d cores\n", (unsigned long)seed, (long)seconds, num_cpu());
	warm_up();
	while (rounds < max_rounds && nanotime() - began < seconds * Second) {
		begin(from + rounds);
		finish();
		audit(rounds++ == 0);
		if (nanotime() - said >= 5 * Second) {
			said = nanotime();
			say(rounds, began);
		}
	}
	say(rounds, began);
	print("soak: %ld rounds, %ld ops, 0 lost\n", (long)rounds, (long)total_ops);
	return 0;
}
