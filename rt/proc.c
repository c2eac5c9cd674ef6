/* proc.c: the scheduler.  Follows Go's proc.go (the comment at its lines
 * 36-110, schedule, findRunnable, ready, newproc, goexit).
 *
 * G, P, M as in Go, with M = core: a core is bound to its P for life, so
 * there are no threads to start, hand off or park, and a blocked system call
 * does not exist.  What differs from Go, and why:
 *
 * - A task that gives way switches straight to the next task of its P when
 *   there is one (switch_to); the scheduler stack g0 is entered only when the
 *   next step takes thought.  A G may therefore be in a run queue while its
 *   core still is on its stack: g->on_cpu says so, is cleared by the switch
 *   away, and whoever dispatches the G waits for it on a stack of his own
 *   (g0; never on a task's stack, or two cores could wait for each other).
 * - No clock is read on the way: the core's one-shot timer interrupt sets
 *   p->attn when a timer is due, the quantum is over, a stop waits, or an
 *   interrupt readied a task.  attn == 0 means: take the next from the ring.
 * - While more wait in the ring than a thief takes at a time (32; Go's takes half of
 *   it), the newest task that has not begun goes first (runq_take_newest): a program that forks and joins keeps some hundred
 *   stacks alive, not one per leaf.
 * - Idle Ps are bits of a mask.  The bit is a token: who clears it owns the
 *   sleeping P (a waker makes it run, a stop counts it as stopped).
 *
 * Wake-ups, as in Go: submitting is "put in a queue; StoreLoad; if a P is
 * idle and none is spinning, wake one as spinning".  Going idle is "set the
 * idle bit; drop spinning; StoreLoad; look at every queue again".  One of the
 * two sees the other.  A spinning P that finds work wakes the next one.
 *
 * Invariants: I2 a G is in exactly one place; I3 no runnable G while a P
 * idles, beyond a wake-up; a G with nopreempt > 0 is not switched away by an
 * interrupt; g0 always has nopreempt >= 1 and stack limit 0. */
#include "heap.h"
#include "proc.h"

struct sched sched NOSCAN_DATA = { .lock = LOCK_INIT(RANK_SCHED) };
__thread struct core_self rt_self __attribute__((tls_model("local-exec")));
struct p *rt_ps[MAX_CORES] NOSCAN_BSS;
unsigned rt_nps;
bool rt_alone;
struct g *rt_allgs NOSCAN_DATA;

const char *const wait_reason_names[WAIT_NREASONS] = {
	[WAIT_NONE] = "",
	[WAIT_CHAN_RECV] = "chan receive",
	[WAIT_CHAN_SEND] = "chan send",
	[WAIT_CHAN_RECV_NIL] = "chan receive (nil chan)",
	[WAIT_CHAN_SEND_NIL] = "chan send (nil chan)",
	[WAIT_SELECT] = "select",
	[WAIT_SELECT_NONE] = "select (no cases)",
	[WAIT_SLEEP] = "sleep",
	[WAIT_SEMACQUIRE] = "semacquire",
	[WAIT_MUTEX] = "sync.Mutex.Lock",
	[WAIT_RWMUTEX_R] = "sync.RWMutex.RLock",
	[WAIT_RWMUTEX_W] = "sync.RWMutex.Lock",
	[WAIT_WAITGROUP] = "sync.WaitGroup.Wait",
	[WAIT_COND] = "sync.Cond.Wait",
	[WAIT_GC] = "GC worker (idle)",
	[WAIT_GC_CYCLE] = "wait for GC cycle",
	[WAIT_GC_ASSIST] = "GC assist wait",
	[WAIT_FINALIZER] = "finalizer wait",
	[WAIT_IO] = "IO wait",
	[WAIT_DEBUG] = "debug call",
	[WAIT_COMPACT] = "stack compaction",
	[WAIT_SCAVENGE] = "GC scavenge wait",
};

enum wait_reason g_wait_reason(const struct g *g)
{
	uint32_t why = at_load(&g->wait_reason) & WAIT_REASON_MASK;
	return why < WAIT_NREASONS ? why : WAIT_NONE;
}

/* ---- idle Ps and wake-ups --------------------------------------------- */

bool idle_claim(unsigned id)
{
	uint64_t bit = 1ull << id % 64;
	if (!(at_load(&sched.idle[id / 64]) & bit) || !(at_and(&sched.idle[id / 64], ~bit) & bit))
		return false;
	at_sub(&sched.npidle, 1);
	at_add(&sched.idle_epoch, 1); /* check_dead(): between this fall of npidle and its next rise */
	return true;
}

static void idle_publish(struct p *p)
{
	at_store_rel(&p->status, P_IDLE);
	at_or(&sched.idle[p->id / 64], 1ull << p->id % 64);
	at_add(&sched.npidle, 1);
}

void idle_return(struct p *p) /* stop.c: a P that was stopped asleep */
{
	idle_publish(p);
}

void idle_wake(struct p *p)
{
	at_add(&p->wakeword, 1);
	plat_wake(p->id);
}

void attn_set(struct p *p)
{
	at_store_sc(&p->attn, 1);
}

static bool any_idle(void)
{
	for (unsigned w = 0; w < (rt_nps + 63) / 64; w++)
		if (at_load_sc(&sched.idle[w]))
			return true;
	return false;
}

COLD void wakep_slow(void)
{
	unsigned words = (rt_nps + 63) / 64;
	do {
		uint32_t zero = 0;
		if (!at_cas(&sched.nmspinning, &zero, 1))
			return;
		for (unsigned w = 0; w < words; w++)
			for (uint64_t m; (m = at_load(&sched.idle[w]));) {
				struct p *p = rt_ps[w * 64 + (unsigned)__builtin_ctzll(m)];
				if (!idle_claim(p->id))
					continue;
				p->spinning = 1;
				at_store_rel(&p->status, P_RUNNING);
				idle_wake(p);
				return;
			}
		at_sub(&sched.nmspinning, 1);
		/* Who submitted while this counted as spinning left it to us to wake
		 * a P that went idle behind our look. */
	} while (any_idle());
}

static inline __attribute__((always_inline)) void make_ready(struct g *g, bool next)
{
	if (unlikely(at_load(&g->status) != G_WAITING))
		throw("ready: bad g status %u (goroutine %lu)", g->status, (unsigned long)g->id);
	at_store(&g->status, G_RUNNABLE);
	bool alone = rt_alone;
	if (SABOTAGED(wakep_order))
		wakep();
	runq_put(rt_self.p, g, next, alone);
	if (alone || SABOTAGED(wakep_order) || SABOTAGED(ready_wakep))
		;
	else if (next)
		wakep_fenced();
	else
		wakep();
}

void ready(struct g *g, bool next)
{
	struct g *me = preempt_off();
	make_ready(g, next);
	preempt_on(me);
}

void ready_here(struct g *g)
{
	struct g *me = preempt_off();
	if (at_load(&rt_self.p->runnext)) { /* who gives way to g wants another core */
		make_ready(g, true);
	} else {
		at_store(&g->status, G_RUNNABLE);
		runq_put(rt_self.p, g, true, rt_alone);
	}
	preempt_on(me);
}

void ready_preempt_on(struct g *g)
{
	make_ready(g, true);
	preempt_on(rt_self.g);
}

/* ---- dispatch ---------------------------------------------------------- */

NOINLINE void leave_to_g0(struct p *p, struct g *g)
{
	struct g *g0 = p->g0;
	p->curg = NULL;
	rt_self.g = g0;
	switch_to(g, g0);
}

/* Gives way by way of the scheduler.  Preemption off. */
static NOINLINE void yield_slow(struct p *p, struct g *g)
{
	at_store(&g->status, G_RUNNABLE);
	/* Alone here, it would be the next again: one of the global queue goes first.
	 * (One, and g stays in the ring: in Go g goes behind all of them.) */
	if (!at_load(&p->attn) && runq_empty(p))
		p->handoff = globrunq_get(p, 1);
	if (SABOTAGED(yield_wakep))
		for (int i = 0; i < 8; i++)
			sabotage_pause();
	runq_put(p, g, false, false);
	/* What runs next here may run for long, and its former core may have gone to
	 * sleep since it was taken. */
	if (!SABOTAGED(yield_wakep))
		wakep();
	leave_to_g0(p, g);
}

/* gosched() but for the case below.  Preemption off. */
static NOINLINE void yield_any(struct p *p, struct g *g)
{
	bool inherit;
	bool alone = runq_empty(p);
	if (at_load(&p->attn) || (at_load(&sched.runq_size) && (alone || turn_61(p->schedtick)))) {
		yield_slow(p, g);
		return;
	}
	if (alone)
		return;
	/* In the queue first: taking the next is then the fence between the put
	 * and the look at the idle Ps. */
	at_store(&g->status, G_RUNNABLE);
	runq_put(p, g, false, false);
	struct g *next = runq_get(p, &inherit, false);
	wakep_fenced();
	if (next == g) /* the others were stolen */
		g->status = G_RUNNING;
	else if (next)
		leave_to(p, g, next, false, false);
	else
		leave_to_g0(p, g);
}

JUMP_RETURN void gosched(void)
{
	struct g *g = preempt_off();
	struct p *p = rt_self.p;
	RT_ASSERT(g->nopreempt == 1);
	uint32_t h = p->runq_head, t = p->runq_tail;
	/* The global queue has its turn as in find_runnable(), and when nobody is here. */
	if (unlikely(!rt_alone || at_load(&p->attn) || p->runnext ||
	             (at_load(&sched.runq_size) && (h == t || turn_61(p->schedtick))))) {
		yield_any(p, g);
	} else if (h != t) {
		struct g *next = p->runq[h & RUNQ_MASK];
		p->runq[t & RUNQ_MASK] = g;
		at_store(&p->runq_head, h + 1);
		at_store(&p->runq_tail, t + 1);
		g->status = G_RUNNABLE;
		start_running(p, next, false);
		switch_to(g, next);
	}
	preempt_on(g);
}

void yield_to(struct g *next)
{
	struct g *g = preempt_off();
	struct p *p = rt_self.p;
	at_store(&next->status, G_RUNNABLE);
	p->handoff = next;
	at_store(&g->status, G_RUNNABLE);
	runq_put(p, g, true, false);
	wakep();
	leave_to_g0(p, g);
	preempt_on(g);
}

/* For dumps: g would run on if it were not for a stop, or for the dump's key. */
static void note_interrupted(struct p *p, struct g *g)
{
	if (!at_load(&sched.stopping) && !at_load(&dump_key.pressed))
		return;
	p->interrupted_gen = at_load(&sched.stop_gen);
	p->interrupted = g;
}

/* The yield an interrupt asked for while preemption was off. */
void preempt_resched(void)
{
	struct g *g = rt_self.g;
	g->resched = 0;
	if (g == rt_self.g0 || !at_load(&rt_self.p->attn))
		return;
	preempt_off();
	note_interrupted(rt_self.p, g);
	yield_slow(rt_self.p, g);
	preempt_on(g);
}

static inline struct g *park_begin(enum wait_reason why)
{
	struct g *g = preempt_off();
	park_mark(g, why);
	return g;
}

static inline void park_leave(struct g *g)
{
	park_switch(g, rt_alone);
	preempt_on(g);
}

void park(bool (*unlock)(struct g *, void *), void *arg, enum wait_reason why)
{
	struct g *g = park_begin(why);
	if (unlock && !unlock(g, arg)) {
		g->status = G_RUNNING;
		preempt_on(g);
		return;
	}
	park_leave(g);
}

void park_unlock(struct lock *l, enum wait_reason why)
{
	struct g *g;
	IN_ORDER(park_status, g = park_begin(why), unlock(l));
	park_leave(g);
}

/* The innermost frames of a task that gave way are these functions', and which
 * of them says nothing: for backtraces. */
bool is_switch_frame(const char *func)
{
	static const char *const own[] = { "park", "park_unlock", "park_leave", "leave_to_g0",
		                           "preempt_resched", "yield_slow", "yield_any" };
	for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++) {
		size_t n = strlen(own[i]);
		if (strncmp(own[i], func, n) == 0 && (!func[n] || func[n] == '.')) /* or gcc's clone of it */
			return true;
	}
	return false;
}

/* ---- the scheduler loop, on g0 -------------------------------------------- */

/* Where tasks may be queued: the Ps that are not idle, to out.  An idle P's ring
 * is empty: only its owner puts there, and sets the idle bit when it found
 * nothing.  So a core that looks for work pays for those that work, not for all. */
static unsigned awake_ps(const struct p *me, uint8_t out[MAX_CORES])
{
	unsigned n = 0, nps = rt_nps;
	for (unsigned w = 0; w * 64 < nps; w++) {
		uint64_t m = ~at_load_sc(&sched.idle[w]);
		if (nps - w * 64 < 64)
			m &= (1ull << (nps - w * 64)) - 1;
		for (; m; m &= m - 1) {
			unsigned i = w * 64 + (unsigned)__builtin_ctzll(m);
			if (i != me->id)
				out[n++] = (uint8_t)i;
		}
	}
	return n;
}

/* After p's idle bit was set: whoever puts from now on sees that p is idle, and
 * whoever did before has no idle bit here. */
static bool work_anywhere(struct p *p)
{
	if (at_load(&sched.runq_size) || at_load(&p->timer_due) || at_load(&p->irq_ready))
		return true;
	uint8_t awake[MAX_CORES];
	unsigned n = awake_ps(p, awake);
	for (unsigned i = 0; i < n; i++)
		if (!runq_empty(rt_ps[awake[i]]))
			return true;
	return false;
}

/* A P that goes out of use may still run the task that asked for it. */
static bool unused_stopped(void)
{
	for (unsigned i = rt_nps; i < plat_ncores; i++)
		if (rt_ps[i]->up && at_load_acq(&rt_ps[i]->status) != P_STOPPED)
			return false;
	return true;
}

static bool all_quiet(void)
{
	if (at_load_sc(&sched.npidle) != rt_nps || at_load_sc(&sched.stopping))
		return false;
	/* Before the queues: it leaves its task and its timers to others, then stops. */
	if (!SABOTAGED(quiet_order) && !unused_stopped())
		return false;
	if (at_load(&sched.runq_size) || !timers_none() || !at_load(&sched.started) ||
	    at_load(&sched.nio))
		return false;
	for (unsigned i = 0; i < rt_nps; i++)
		if (!runq_empty(rt_ps[i]) || at_load(&rt_ps[i]->irq_ready) || at_load(&rt_ps[i]->timer_due))
			return false;
	if (SABOTAGED(quiet_order)) {
		sabotage_pause();
		return unused_stopped();
	}
	return true;
}

/* All Ps idle, nothing queued, no timer: nobody can ever wake a task.  A P
 * that is woken by its own timer leaves the idle state without a lock, so
 * the look counts only if no P left it meanwhile; the one that did will look
 * itself before it sleeps again. */
static void check_dead(void)
{
	uint32_t epoch = at_load_sc(&sched.idle_epoch);
	if (!all_quiet() || at_load_sc(&sched.npidle) != rt_nps || at_load_sc(&sched.idle_epoch) != epoch)
		return;
	fatal_deadlock(num_user_tasks() ? "all goroutines are asleep - deadlock!"
	                                : "no goroutines (main called runtime.Goexit) - deadlock!");
}

/* Sleeps until somebody claims this P or it finds cause to claim itself. */
static void idle_sleep(struct p *p)
{
	for (;;) {
		uint32_t seen = at_load_sc(&p->wakeword), st = at_load_acq(&p->status);
		if (st == P_RUNNING)
			return;
		if (st == P_STOPPED) {
			stop_help(p);
		} else if (at_load(&p->timer_due) || at_load(&p->irq_ready) || at_load_sc(&sched.stopping)) {
			if (idle_claim(p->id)) {
				at_store(&p->status, P_RUNNING);
				return;
			}
			plat_relax(0);
			continue; /* claimed by another, who is about to set status */
		}
		plat_idle(&p->wakeword, seen);
	}
}

static struct g *take_irq_ready(struct p *p)
{
	struct g *list = at_swap(&p->irq_ready, NULL), *first = NULL;
	while (list) {
		struct g *g = list;
		list = g->next;
		g->next = first; /* reverses: oldest first */
		first = g;
	}
	struct g *run = first;
	bool more = false;
	for (struct g *g = first ? first->next : NULL, *next; g; g = next) {
		next = g->next;
		at_store(&g->status, G_RUNNABLE);
		runq_put(p, g, false, false);
		more = true;
	}
	if (run)
		at_store(&run->status, G_RUNNABLE);
	if (more) /* one runs here: nobody need be woken for it */
		wakep();
	return run;
}

static unsigned gcd(unsigned a, unsigned b)
{
	while (b) {
		unsigned t = a % b;
		a = b;
		b = t;
	}
	return a;
}

/* Tries every other P that is awake, from a random start in a random coprime
 * step, four times; runnext only in the last pass (Go's stealWork). */
static struct g *steal_work(struct p *p)
{
	uint8_t awake[MAX_CORES];
	unsigned n = awake_ps(p, awake);
	if (n == 0)
		return NULL;
	for (int pass = 0; pass < 4; pass++) {
		uint32_t r = rt_fastrand();
		unsigned step = n > 1 ? 1 + r / n % (n - 1) : 1;
		while (gcd(step, n) != 1)
			step--;
		for (unsigned i = 0, at = r % n; i < n; i++, at = (at + step) % n) {
			if (at_load_sc(&sched.stopping))
				return NULL;
			struct g *g = runq_steal(p, rt_ps[awake[at]], pass == 3);
			if (g)
				return g;
		}
	}
	return NULL;
}

/* Are we alone?  The lock waits out a P that says P_STOPPED and has not let
 * go of it yet; from then on the others touch nothing of rt. */
static void look_alone(void)
{
	bool alone = true;
	lock(&sched.lock);
	for (unsigned i = 1; i < plat_ncores; i++)
		alone &= rt_ps[i]->up && at_load_acq(&rt_ps[i]->status) == P_STOPPED;
	rt_alone = alone;
	unlock(&sched.lock);
}

static struct g *find_runnable(struct p *p, bool *inherit)
{
	for (;;) {
		*inherit = false;
		struct g *g = p->handoff;
		if (g) {
			p->handoff = NULL;
			return g;
		}
		if (unlikely(at_load(&p->attn)))
			at_swap(&p->attn, 0); /* clear, then look */
		if (unlikely(at_load_sc(&sched.stopping) || p->id >= rt_nps)) {
			stop_here(p);
			continue;
		}
		if (unlikely(rt_nps == 1 && !rt_alone))
			look_alone();
		if (unlikely(at_load(&p->irq_ready)) && (g = take_irq_ready(p)))
			return g;
		if (unlikely(at_load(&p->timer_due))) {
			at_store(&p->timer_due, 0);
			timers_run(p);
			if (unlikely(at_load_sc(&sched.stopping)))
				continue;
		}
		if (turn_61(p->schedtick) && !SABOTAGED(tick_61) && (g = globrunq_get(p, 1)))
			return g;
		if ((g = runq_get(p, inherit, false)))
			return g;
		if ((g = globrunq_get(p, 0)))
			return g;
		if (rt_nps > 1 &&
		    (p->spinning || 2 * at_load(&sched.nmspinning) < rt_nps - at_load(&sched.npidle))) {
			if (!p->spinning) {
				p->spinning = 1;
				at_add(&sched.nmspinning, 1);
			}
			if ((g = steal_work(p)))
				return g;
		}

		if (unlikely(at_load(&gc_phase) == GC_MARK || at_load(&mheap.sweeping)) && gc_idle(p))
			continue;

		/* Nothing: become idle, then look once more. */
		p->quantum_end = UINT64_MAX;
		timer_rearm(p);
		bool was_spinning = p->spinning;
		p->spinning = 0; /* from the publication on it is the claimer's to set */
		idle_publish(p);
		if (was_spinning)
			at_sub(&sched.nmspinning, 1);
		if (!SABOTAGED(idle_look) && (work_anywhere(p) || at_load_sc(&sched.stopping))) {
			if (idle_claim(p->id)) {
				at_store(&p->status, P_RUNNING);
				if (was_spinning || at_load(&sched.nmspinning) == 0) {
					p->spinning = 1;
					at_add(&sched.nmspinning, 1);
				}
				continue;
			}
		} else if (at_load_sc(&sched.npidle) == rt_nps) {
			check_dead();
		}
		idle_sleep(p);
	}
}

/* Looks at what runs every half quantum from now on. */
static void quantum_start(struct p *p)
{
	uint64_t wait = sched.quantum / 2;
	if (p->quantum_left && p->quantum_left < wait)
		wait = p->quantum_left;
	else
		p->tick_schedtick = p->schedtick - 1;
	p->quantum_left = 0;
	p->quantum_end = plat_now() + wait;
	timer_rearm(p);
}

/* On g0 for ever; tasks come back to it in leave_to_g0(). */
noreturn void schedule(void)
{
	struct p *p = rt_self.p;
	for (;;) {
		bool inherit;
		/* The last preemption took it; or memory was out, then. */
		if (unlikely(!p->spare_pctx))
			p->spare_pctx = pctx_alloc();
		struct g *g = find_runnable(p, &inherit);
		if (p->spinning) {
			p->spinning = 0;
			if (!SABOTAGED(spinning_count))
				at_sub(&sched.nmspinning, 1);
			if (!SABOTAGED(found_wakep))
				wakep(); /* we found work, so there may be more: the next one looks */
		}
		for (unsigned n = 0; at_load_acq(&g->on_cpu) && !SABOTAGED(on_cpu); n++)
			plat_relax(n);
		start_running(p, g, inherit);
		if (unlikely(p->quantum_end == UINT64_MAX))
			quantum_start(p);
		switch_to(p->g0, g);
		g = p->dead;
		if (unlikely(g)) {
			p->dead = NULL;
			gfree_put_slow(p, g);
		}
	}
}

/* rt_preempted lands here, on the emptied scheduler stack. */
NOASAN noreturn void rt_preempted_g0(void)
{
	uintptr_t lo, hi;
	if (plat_stack_bounds((uintptr_t)__builtin_frame_address(0), &lo, &hi))
		asan_unpoison(lo, hi);
	struct g *g = rt_self.g;
	struct p *p = rt_self.p;
	p->curg = NULL;
	rt_self.g = p->g0;
	g->sp = (uintptr_t)g->pctx;
	g->status = G_RUNNABLE;
	note_interrupted(p, g);
	if (at_load(&sched.stopping)) {
		/* Not its fault: it goes on first when the world does. */
		at_store_rel(&g->on_cpu, 0);
		runq_put(p, g, true, false);
	} else {
		at_store_rel(&g->on_cpu, 0);
		if (SABOTAGED(preempt_local))
			runq_put(p, g, false, false);
		else
			globrunq_put(g);
		wakep();
	}
	schedule();
}

void rt_systemstack(void (*fn)(void *), void *arg)
{
	struct g *g = rt_self.g;
	if (g->in_systemstack) { /* always so for g0 */
		fn(arg);
		return;
	}
	preempt_off(); /* now it is this core the task stays on */
	g->in_systemstack = IN_SYSTEMSTACK;
	rt_systemstack_call(fn, arg, g, rt_self.g0->sp & ~15ul);
	g->in_systemstack = IN_TASK;
	preempt_on(g);
}
