/* proc.h: the scheduler's shared state, between proc.c, runq.c, stop.c and
 * time.c.  The essay is at the top of proc.c. */
#ifndef RT_PROC_H
#define RT_PROC_H

#include "asm.h"

#define MAX_CORES 256
#define QUANTUM_NS 10000000ull /* as Go's forcePreemptNS */
/* Half a quantum must be well beyond what an interrupt takes, or nothing else gets done. */
#define QUANTUM_MIN_NS 20000ull
#define QUANTUM_MAX_NS 10000000000ull

struct sched {
	struct lock lock; /* global queue, free Gs */
	struct g *runq_head, *runq_tail; /* under lock */
	uint32_t runq_size;  /* written under lock, read relaxed as a hint */
	struct g *gfree;     /* dead Gs with their stacks, under lock */
	uint32_t ngfree;
	uint32_t ngfree_min; /* least ngfree since the last collection, under lock */
	struct g *gbare;     /* pages of dead Gs without memory (slot.c), under lock */

	/* Ps that sleep: bit set by the P itself (seq_cst, then it looks for work
	 * once more), cleared by whoever claims it, which is then responsible
	 * for it. */
	uint64_t idle[MAX_CORES / 64] __attribute__((aligned(CACHE_LINE)));
	uint32_t npidle;     /* how many bits; trails the mask */
	uint32_t idle_epoch; /* claims so far; raised after npidle fell */
	uint32_t nmspinning; /* Ps looking for work; seq_cst, see proc.c */

	uint32_t stopping;   /* a stop is wanted or in force.  seq_cst with idle */
	uint32_t stop_gen;   /* stops so far ended; written under lock */
	int32_t stopwait;    /* Ps that have not stopped yet */
	uint32_t job_gen;    /* stw_parallel job number */
	uint32_t job_state;  /* JOB_CLOSED | number of cores inside; CAS */
	void (*job_fn)(void *);
	void *job_arg;
	const char *stop_why;

	uint64_t next_goid;  /* at_add, in batches of a P */
	uint64_t quantum;    /* ns; changes only in a stop, read relaxed by interrupts */
	uint32_t started;    /* main may run: set before the first dispatch */
	uint32_t nio;        /* user tasks that wait for a device (io.c): no deadlock.  seq_cst */
};
extern struct sched sched;

/* tick % 61 == 0: the global queue's turn.  By the inverse of 61; gcc divides
 * where it takes the case for a rare one. */
static inline bool turn_61(uint32_t tick)
{
	return tick * 3238827797u <= UINT32_MAX / 61;
}

/* runq.c */
void runq_put_full(struct p *p, struct g *g);
struct g *runq_take_newest(struct p *p, uint32_t t, bool alone);
struct g *runq_steal(struct p *p, struct p *victim, bool take_next);
bool runq_empty(const struct p *p);
void globrunq_put(struct g *g);                  /* takes sched.lock */
struct g *globrunq_get(struct p *p, uint32_t max); /* takes sched.lock; moves a share */

/* What newproc() leaves on a new stack, below the arguments: control words,
 * rt_task_start, 0. */
#define NEW_FRAME_SIZE 24

#define RUNQ_MASK (RUNQ_SIZE - 1)
/* The most that a thief takes at a time: what the owner leaves at the head when it
 * takes from the tail.  Fewer are fewer live stacks, more are fewer thefts. */
#define RUNQ_STEAL_MAX (RUNQ_SIZE > 8 ? RUNQ_SIZE / 8 : RUNQ_SIZE / 2)
_Static_assert((RUNQ_SIZE & RUNQ_MASK) == 0, "a ring");

/* How many the ring holds, at a glimpse: for a moment its tail may be too low. */
static inline uint32_t runq_len(const struct p *p)
{
	uint32_t n = at_load(&p->runq_tail) - at_load(&p->runq_head);
	return n <= RUNQ_SIZE ? n : 0;
}

/* These are for p's owner, preemption off; alone: rt_alone, read once by the
 * caller. */

/* Puts g in runnext; its former holder or NULL. */
static inline __attribute__((always_inline)) struct g *runq_swap_next(struct p *p, struct g *g, bool alone)
{
	struct g *old = at_load(&p->runnext);
	if (alone || SABOTAGED(wakep_fence))
		at_store(&p->runnext, g);
	else /* seq_cst: a wakep_fenced() follows */
		while (!__atomic_compare_exchange_n(&p->runnext, &old, g, true, __ATOMIC_SEQ_CST,
		                                    __ATOMIC_RELAXED))
			;
	return old;
}

/* Puts g at the tail of the ring; false if that is full. */
static inline __attribute__((always_inline)) bool runq_push(struct p *p, struct g *g)
{
	uint32_t t = p->runq_tail;
	if (unlikely(t - at_load_acq(&p->runq_head) >= RUNQ_SIZE))
		return false;
	IN_ORDER(runq_tail, at_store(&p->runq[t & RUNQ_MASK], g), at_store_rel(&p->runq_tail, t + 1));
	return true;
}

/* Makes g runnable on p: in runnext if next, whose former holder goes to the
 * tail; else at the tail. */
static inline __attribute__((always_inline)) void runq_put(struct p *p, struct g *g, bool next,
                                                           bool alone)
{
	if (next && !(g = runq_swap_next(p, g, alone)))
		return;
	if (unlikely(!runq_push(p, g)))
		runq_put_full(p, g);
}

/* The task at h of the ring is about to run.  With thousands of them the next
 * ones are in no near cache: fetches what running them touches first.  Whatever
 * the ring holds beyond its tail is a G too, if a wrong one. */
static inline __attribute__((always_inline)) void runq_fetch_ahead(const struct p *p, uint32_t h)
{
	const struct g *soon = at_load(&p->runq[(h + 1) & RUNQ_MASK]);
	const struct g *later = at_load(&p->runq[(h + 2) & RUNQ_MASK]);
	__builtin_prefetch((void *)at_load(&soon->sp), 1);
	__builtin_prefetch(later, 1);
	__builtin_prefetch(&later->next, 1);
}

/* Takes the next task of p, the caller's; *inherit: it came by runnext and
 * goes on in the current quantum. */
static inline __attribute__((always_inline)) struct g *runq_get(struct p *p, bool *inherit,
                                                                bool alone)
{
	struct g *g = at_load(&p->runnext);
	*inherit = false;
	if (g) {
		*inherit = true;
		if (alone) {
			at_store(&p->runnext, NULL);
			return g;
		}
		/* Only the owner sets runnext, so a failed CAS means it was stolen. */
		if (__atomic_compare_exchange_n(&p->runnext, &g, NULL, false, __ATOMIC_SEQ_CST,
		                                __ATOMIC_RELAXED))
			return g;
		*inherit = false;
	}
	for (;;) {
		uint32_t h = at_load_acq(&p->runq_head);
		uint32_t t = p->runq_tail;
		if (t == h)
			return NULL;
		if (unlikely(t - h > RUNQ_STEAL_MAX) && (g = runq_take_newest(p, t, alone)))
			return g;
		g = at_load(&p->runq[h & RUNQ_MASK]);
		runq_fetch_ahead(p, h);
		if (alone) {
			at_store(&p->runq_head, h + 1);
			return g;
		}
		/* seq_cst, both: gosched() relies on it. */
		if (likely(__atomic_compare_exchange_n(&p->runq_head, &h, h + 1, false, __ATOMIC_SEQ_CST,
		                                       __ATOMIC_RELAXED)))
			return g;
	}
}

/* proc.c */
void wakep_slow(void);
bool idle_claim(unsigned id);  /* true: the P was idle and now is the caller's to wake */
void idle_wake(struct p *p);   /* ends its sleep after a claim or a change it must see */
noreturn void schedule(void);
void attn_set(struct p *p);

void idle_return(struct p *p);

/* Called after a task was made runnable, preemption off: sees to it that an
 * idle P looks for it, if no P is looking already. */
static inline void wakep(void)
{
	if (rt_nps == 1)
		return;
	at_fence(); /* the put, then the look at the idle Ps */
	if (at_load(&sched.npidle) != 0 && at_load(&sched.nmspinning) == 0)
		wakep_slow();
}

/* The same after a seq_cst read-modify-write that followed or was the put: a
 * fence already (the put in runnext is one). */
static inline bool wakep_wanted(void)
{
	return rt_nps != 1 && at_load_sc(&sched.npidle) != 0 && at_load_sc(&sched.nmspinning) == 0;
}
static inline void wakep_fenced(void)
{
	if (wakep_wanted())
		wakep_slow();
}

/* ready(g, true) where preemption is off and stays so, if that takes no more
 * than a store; else false, nothing done. */
static inline __attribute__((always_inline)) bool ready_fast(struct g *g, bool alone)
{
	struct p *p = rt_self.p;
	if (!alone || p->runnext)
		return false;
	RT_ASSERT(at_load(&g->status) == G_WAITING);
	at_store(&g->status, G_RUNNABLE);
	at_store(&p->runnext, g);
	return true;
}
/* ready(g, true) by a task that is about to wait itself: its core goes on with g,
 * and no other is woken for it. */
void ready_here(struct g *g);
/* Runs g, which waits, here at once; the caller is the next.  task */
void yield_to(struct g *g);
/* ready(g, true) and preempt_on(). */
void ready_preempt_on(struct g *g);

/* ---- leaving a task for another; preemption is off ------------------------ */

static inline __attribute__((always_inline)) void start_running(struct p *p, struct g *g, bool inherit)
{
	g->on_cpu = 1;
	g->status = G_RUNNING;
	g->p = p;
	p->curg = g;
	if (!inherit)
		p->schedtick++;
	rt_self.g = g;
}

/* Leaves g (already queued, waiting or dead) for the scheduler. */
void leave_to_g0(struct p *p, struct g *g);

/* The next task of p without a look at anything else, or NULL when the
 * scheduler has to think. */
static inline __attribute__((always_inline)) struct g *pick_fast(struct p *p, bool *inherit,
                                                                 bool alone)
{
	if (unlikely(at_load(&p->attn)))
		return NULL;
	if (at_load(&sched.runq_size) && unlikely(turn_61(p->schedtick)))
		return NULL;
	return runq_get(p, inherit, alone);
}

/* Leaves g for next, or by way of g0 when next's stack is still in use. */
static inline __attribute__((always_inline)) void leave_to(struct p *p, struct g *g, struct g *next,
                                                           bool inherit, bool alone)
{
	if (!alone && unlikely(at_load_acq(&next->on_cpu))) {
		p->handoff = next;
		leave_to_g0(p, g);
		return;
	}
	start_running(p, next, inherit);
	switch_to(g, next);
}

/* The task g is dead and queued in p->dead or p->gfree: leaves it for good. */
noreturn static inline __attribute__((always_inline)) void leave_dead(struct p *p, struct g *g)
{
	bool inherit = false;
	bool alone = rt_alone;
	struct g *next = unlikely(p->dead != NULL) ? NULL : pick_fast(p, &inherit, alone);
	if (likely(next != NULL) && likely(alone || !at_load_acq(&next->on_cpu))) {
		start_running(p, next, inherit);
		switch_from_dead(g, next);
	}
	if (next)
		p->handoff = next;
	leave_to_g0(p, g);
	__builtin_trap(); /* not unreachable(): check-stack.py would follow what comes next in memory */
}

/* The task g, which is about to wait, may be readied from now on: by whom it
 * lets. */
static inline __attribute__((always_inline)) void park_mark(struct g *g, enum wait_reason why)
{
	RT_ASSERT(g != rt_self.g0 && !g->in_systemstack);
	g->wait_reason = why;
	at_store_rel(&g->status, G_WAITING);
}

/* The current task waits, already WAITING and perhaps already readied.
 * Returns on another stack, perhaps another core: the caller is JUMP_RETURN. */
static inline __attribute__((always_inline)) void park_switch(struct g *g, bool alone)
{
	struct p *p = rt_self.p;
	RT_ASSERT(g->nopreempt == 1);
	bool inherit;
	struct g *next = pick_fast(p, &inherit, alone);
	if (likely(next != NULL))
		leave_to(p, g, next, inherit, alone);
	else
		leave_to_g0(p, g);
}

uint64_t num_user_tasks(void);
enum wait_reason g_wait_reason(const struct g *g);
extern const char *const wait_reason_names[];
bool is_switch_frame(const char *func);

/* task.c */
void gfree_put_slow(struct p *p, struct g *g);
struct preempt_ctx *pctx_alloc(void);
void allgs_add(struct g *gs, uint32_t n); /* n new Gs side by side */

/* stop.c */
void stop_here(struct p *p);
void stop_help(struct p *p);
void stop_join(struct p *p);

/* time.c */
void timers_init(struct p *p);
void timers_run(struct p *p);      /* runs what is due; on g0 */
void timers_move(struct p *from, struct p *to); /* in a stop, or from's own core */
uint32_t timers_count(const struct p *p); /* a glimpse; any */
bool timers_none(void);            /* no P has one: for the deadlock check */
void timer_rearm(struct p *p);     /* own core's one-shot timer */

void schedtrace_start(void); /* schedtrace.c */
void watchdog_start(void);   /* watchdog.c: on g0 of core 0, at start */

/* traceback.c */
/* A stack as return addresses, innermost first; pc[0] may be an interrupted
 * instruction instead. */
#define FRAMES_MAX 48
struct frames {
	uint16_t n;
	bool first_is_return;
	bool more; /* the stack goes on */
	uintptr_t first_func; /* where the function of pc[0] begins, if the task gave way itself; else 0 */
	uintptr_t pc[FRAMES_MAX];
};
/* Where g was: saved in a stop, or the caller in rt_systemstack(). */
void frames_of(struct g *g, struct frames *f);
/* The return addresses from the running stack's frame at fp on, innermost first: how
 * many, at most max.  task or system */
unsigned callers(uintptr_t fp, uintptr_t *pc, unsigned max);
/* Text that is collected and goes out in large pieces; NULL: at once. */
struct text {
	size_t n, cap;
	char *buf;
};
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_flush(struct text *t);
void print_frame(struct text *t, uintptr_t pc, bool is_return);
void print_created_by(struct text *t, const void *pc);

/* taskdump.c */
struct dump_key {
	uint32_t pressed;  /* seq_cst with waiter: set by the interrupt, cleared by the task */
	struct g *waiter;  /* the task that prints, while it sleeps */
};
extern struct dump_key dump_key;
void dump_start(void);             /* listens for the key; core 0, at start */
struct dump *dump_new(void);       /* system, before plat_fatal_begin() */
void dump_deadlock(struct dump *d); /* all tasks, on a dead machine */

noreturn void fatal_deadlock(const char *msg);
noreturn void fatal_stack(struct g *g, const char *what);
/* defer.c: the true return address behind the defer trampoline. */
uintptr_t unwind_translate(uintptr_t pc, uintptr_t fp);
/* defer.c: the low end of what is alive on g's stack, which is at sp. */
uintptr_t defer_low(const struct g *g, uintptr_t sp);

#endif
