/* stop.c: stopping the world, working during a stop, GOMAXPROCS and the quantum.  After
 * stopTheWorldWithSema and procresize in Go's proc.go.
 *
 * A stop: sched.stopping is set (seq_cst); a P that sleeps is counted by
 * clearing its idle bit; a P that runs is interrupted (plat_preempt) until it
 * reaches the scheduler, where it counts itself.  Since a task is only
 * interrupted with nopreempt 0, and gives way otherwise at its next
 * preempt_on, every task but the caller is saved in its G when stopwait is 0.
 *
 * Invariants: one stop at a time; P i is online when i < rt_nps; a P that is
 * offline waits here and owns no task and no timer.  rt_nps changes only
 * at the end of a stop. */
#include "proc.h"

#define JOB_CLOSED 0x80000000u
#define SPIN_BEFORE_SLEEP 2000

/* Joins the job of stw_parallel, if there is one this core has not seen. */
void stop_help(struct p *p)
{
	uint32_t gen = at_load_sc(&sched.job_gen);
	if (gen == p->stw_gen || p->id >= at_load(&rt_nps)) /* out of use: see rt_alone */
		return;
	p->stw_gen = gen;
	uint32_t s = at_load(&sched.job_state);
	do {
		if (s & JOB_CLOSED)
			return;
	} while (!at_cas(&sched.job_state, &s, s + 1));
	sched.job_fn(sched.job_arg);
	at_sub(&sched.job_state, 1);
}

/* Takes everything from a P that goes out of use: its tasks to the global
 * queue, its timers to P 0. */
static void p_empty(struct p *p)
{
	bool inherit;
	for (struct g *g; (g = runq_get(p, &inherit, false));)
		globrunq_put(g);
	timers_move(p, rt_ps[0]);
}

/* Device interrupts still come in on the core of a P that is not in use: what
 * they made ready is for P 0. */
static void irq_ready_move(struct p *p)
{
	struct g *g = at_swap(&p->irq_ready, NULL), *next;
	if (!g)
		return;
	struct p *to = rt_ps[0];
	for (; g; g = next) {
		next = g->next;
		struct g *head = at_load(&to->irq_ready);
		do
			g->next = head;
		while (!at_cas(&to->irq_ready, &head, g));
	}
	at_add(&to->wakeword, 1);
	at_store(&to->attn, 1);
	plat_preempt(to->id);
}

/* Waits for the end of stop number gen, and longer while the P is not in use. */
static void stopped_wait(struct p *p, uint32_t gen)
{
	for (unsigned n = 0;; n++) {
		uint32_t seen = at_load_sc(&p->wakeword), now = at_load_sc(&sched.stop_gen);
		bool offline = p->id >= at_load_sc(&rt_nps); /* not older than now */
		if (now != gen && !offline)
			break;
		stop_help(p);
		if (offline)
			irq_ready_move(p);
		if (n < SPIN_BEFORE_SLEEP && !offline)
			plat_relax(0);
		else
			plat_idle(&p->wakeword, seen);
	}
	at_store_rel(&p->status, P_RUNNING);
}

/* On g0 with nothing running: a stop waits, or the P is not in use any more. */
void stop_here(struct p *p)
{
	if (p->spinning) {
		p->spinning = 0;
		at_sub(&sched.nmspinning, 1);
	}
	if (p->quantum_end != UINT64_MAX) { /* goes on after the stop: frequent ones must not prolong it */
		uint64_t now = plat_now();
		p->quantum_left = p->quantum_end > now ? p->quantum_end - now : 1;
		p->quantum_end = UINT64_MAX;
	}
	if (p->id >= at_load(&rt_nps)) /* stays so: we are counted until we say P_STOPPED */
		p_empty(p);
	timer_rearm(p);
	lock(&sched.lock);
	bool stopping = sched.stopping;
	uint32_t gen = stopping ? sched.stop_gen : sched.stop_gen - 1;
	at_store_rel(&p->status, P_STOPPED);
	if (SABOTAGED(quiet_order))
		for (int i = 0; i < 300; i++)
			sabotage_pause();
	/* P 0 looks after what was left here, or sees that this was the last that ran. */
	if (p->id >= at_load(&rt_nps) && idle_claim(0)) {
		at_store_rel(&rt_ps[0]->status, P_RUNNING);
		idle_wake(rt_ps[0]);
	}
	unlock(&sched.lock);
	if (stopping)
		at_sub(&sched.stopwait, 1);
	stopped_wait(p, gen);
}

/* The P of a core that has just come up enters the game. */
void stop_join(struct p *p)
{
	lock(&sched.lock);
	uint32_t gen = sched.stopping ? sched.stop_gen : sched.stop_gen - 1;
	p->up = true; /* and P_STOPPED since p_init() */
	unlock(&sched.lock);
	stopped_wait(p, gen);
}

bool stop_world(const char *why)
{
	struct p *me = rt_self.p;
	lock(&sched.lock);
	if (sched.stopping) {
		unlock(&sched.lock);
		rt_self.g->resched = 1; /* give way to it as soon as preemption is on */
		attn_set(me);
		return false;
	}
	int32_t wait = 0;
	/* Also one that goes out of use and still runs the task that asked for it. */
	for (unsigned i = 0; i < plat_ncores; i++)
		if (rt_ps[i] != me && rt_ps[i]->up && (i < rt_nps || rt_ps[i]->status != P_STOPPED))
			wait++;
	at_store(&sched.stopwait, wait);
	sched.stop_why = why;
	at_store_sc(&sched.stopping, 1);
	unlock(&sched.lock);
	for (unsigned n = 0; at_load_sc(&sched.stopwait) > 0; n++) {
		if (n % 4096 == 0)
			for (unsigned i = 0; i < plat_ncores; i++) {
				struct p *p = rt_ps[i];
				if (p == me || !p->up || at_load_acq(&p->status) == P_STOPPED)
					continue;
				if (idle_claim(i)) {
					p->stop_asleep = true;
					at_store_rel(&p->status, P_STOPPED);
					at_sub(&sched.stopwait, 1);
				} else {
					attn_set(p);
					plat_preempt(i);
				}
			}
		plat_relax(n);
	}
	return true;
}

/* Ends the stop, with nps cores in use from now on.  A P that was out of use
 * is not counted by this stop: it may see that it is wanted again only when
 * stopping is 0, or it would count itself.  The others wait for stop_gen. */
static void restart_world(unsigned nps)
{
	struct p *me = rt_self.p;
	uint64_t asleep[MAX_CORES / 64] = { 0 };
	lock(&sched.lock);
	/* Now: once stopping is 0 the next stop may begin, and mark as asleep a P
	 * that the loop below has not come to. */
	for (unsigned i = 0; i < plat_ncores && i < nps; i++)
		if (rt_ps[i]->stop_asleep) {
			rt_ps[i]->stop_asleep = false;
			asleep[i / 64] |= 1ull << i % 64;
		}
	at_store_sc(&sched.stopping, 0);
	if (nps > 1)
		rt_alone = false;
	at_store_sc(&rt_nps, nps);
	at_store_sc(&sched.stop_gen, sched.stop_gen + 1);
	unlock(&sched.lock);
	for (unsigned i = 0; i < plat_ncores; i++) {
		struct p *p = rt_ps[i];
		if (p == me || !p->up || i >= rt_nps) /* out of use: sleeps on */
			continue;
		if (asleep[i / 64] >> i % 64 & 1) {
			idle_return(p);
			/* What an interrupt brought meanwhile. */
			if (at_load(&p->timer_due) || at_load(&p->irq_ready))
				idle_wake(p);
		} else {
			idle_wake(p);
		}
	}
	wakep();
}

void start_world(void)
{
	restart_world(rt_nps);
}

void stw_parallel(void (*fn)(void *), void *arg)
{
	struct p *me = rt_self.p;
	sched.job_fn = fn;
	sched.job_arg = arg;
	at_store_sc(&sched.job_state, 0);
	at_store_sc(&sched.job_gen, sched.job_gen + 1);
	me->stw_gen = sched.job_gen;
	for (unsigned i = 0; i < rt_nps; i++)
		if (rt_ps[i] != me && rt_ps[i]->up)
			idle_wake(rt_ps[i]);
	fn(arg);
	uint32_t s = at_or(&sched.job_state, JOB_CLOSED) | JOB_CLOSED;
	for (unsigned n = 0; s != JOB_CLOSED; n++) {
		plat_relax(n);
		s = at_load_sc(&sched.job_state);
	}
}

/* ---- GOMAXPROCS ------------------------------------------------------------ */

struct resize {
	unsigned n, old;
	bool done;
};

static void resize_system(void *a)
{
	struct resize *r = a;
	if (!stop_world("GOMAXPROCS"))
		return;
	struct p *me = rt_self.p;
	r->old = rt_nps;
	for (unsigned i = r->n; i < r->old; i++)
		if (rt_ps[i] != me)
			p_empty(rt_ps[i]);
	if (me->id >= r->n) { /* this P goes as soon as its task gives way */
		rt_self.g->resched = 1;
		attn_set(me);
	}
	r->done = true;
	restart_world(r->n);
}

/* Sets how many cores run tasks, at most as many as there are; n <= 0 only
 * asks.  Returns the former number.  task. */
int gomaxprocs(int n)
{
	if (n <= 0)
		return (int)rt_nps;
	struct resize r = { (unsigned)n < plat_ncores ? (unsigned)n : plat_ncores, rt_nps, false };
	while (r.n != at_load(&rt_nps) && !r.done)
		rt_systemstack(resize_system, &r);
	return (int)r.old;
}

/* ---- the quantum ------------------------------------------------------------- */

struct quantum {
	uint64_t ns, old;
	bool done;
};

/* The others take it up when they go on: a stopped P has no quantum running. */
static void quantum_system(void *a)
{
	struct quantum *q = a;
	if (!stop_world("quantum"))
		return;
	struct p *me = rt_self.p;
	q->old = sched.quantum;
	at_store(&sched.quantum, q->ns);
	if (me->quantum_end != UINT64_MAX) {
		me->quantum_end = plat_now() + q->ns / 2;
		timer_rearm(me);
	}
	q->done = true;
	start_world();
}

/* Sets how long a task runs before others of its P get their turn; ns <= 0
 * only asks.  Returns the former one.  task. */
int64_t set_quantum(int64_t ns)
{
	struct quantum q = { (uint64_t)ns, at_load(&sched.quantum), false };
	if (ns <= 0)
		return (int64_t)q.old;
	if (q.ns < QUANTUM_MIN_NS || q.ns > QUANTUM_MAX_NS)
		rt_panic("set_quantum: %ld ns is not between 20 us and 10 s", (long)ns);
	while (!q.done)
		rt_systemstack(quantum_system, &q);
	return (int64_t)q.old;
}
