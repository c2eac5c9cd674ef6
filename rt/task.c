/* task.c: the life of a task: made, started, ended, kept for reuse; and the
 * start of the whole runtime.  After newproc1, gfget, gfput, goexit0 and
 * schedinit in Go's proc.go.
 *
 * Invariants: a struct g is never freed and stays in rt_allgs, and its slot is
 * its own; slot.c says when that has memory.  A G on p->gfree ended on this
 * core or came through sched.gfree, so its on_cpu is 0 by the time it is
 * taken: this core has switched away from it since. */
#include "api_task.h"
#include "defer.h"
#include "freeze.h"
#include "proc.h"
#include "heap.h"

#define GFREE_P_MAX 64 /* dead Gs a P keeps while there are others, Go's number */
#define NEW_PAGES 16   /* so many pages of slots at once, once there are many tasks */
#define GOID_BATCH 16
#define ARGS_MAX (1024 + 16) /* go_stack()'s, and two words */

static struct lock allgs_lock = LOCK_INIT(RANK_ALLGS);
static struct lock pctx_lock = LOCK_INIT(RANK_LEAF);
static struct preempt_ctx *pctx_free NOSCAN_DATA;

extern int ingot_main(int argc, char **argv);

/* ---- register images ------------------------------------------------- */

/* A register image for a preemption; NULL when memory is out.  system. */
struct preempt_ctx *pctx_alloc(void)
{
	lock(&pctx_lock);
	struct preempt_ctx *c = pctx_free;
	if (c)
		pctx_free = c->next;
	unlock(&pctx_lock);
	if (c)
		return c;
	lock(&mheap.lock);
	c = persistent_alloc_locked(sizeof *c + ((plat_fp_size + 63) & ~63ul));
	unlock(&mheap.lock);
	if (!c)
		return NULL;
	c->mxcsr = 0x1f80;
	c->fpcw = 0x37f;
	c->resume = rt_resume_preempted;
	return c;
}

static void pctx_put(struct preempt_ctx *c)
{
	lock(&pctx_lock);
	c->next = pctx_free;
	pctx_free = c;
	unlock(&pctx_lock);
}

/* ---- making ------------------------------------------------------------- */

struct newg {
	struct p *p;
	struct g *g;
};

static inline void gfree_push(struct p *p, struct g *g)
{
	g->next = p->gfree;
	p->gfree = g;
	p->ngfree++;
}

/* Takes a dead G; p->gfree, when empty, is first refilled from the global
 * list, from pages of slots that lost their memory, or with new Gs.  n->g
 * stays NULL when memory is out.  system. */
static void newg_system(void *a)
{
	struct newg *n = a;
	struct p *p = n->p;
	struct g *pages = NULL, *g;
	unsigned want = at_load(&stacks.nslots) < 64 ? 1 : NEW_PAGES;
	lock(&sched.lock);
	while (p->ngfree < GFREE_P_MAX / 2 && (g = sched.gfree)) {
		sched.gfree = g->next;
		at_store(&sched.ngfree, sched.ngfree - 1);
		gfree_push(p, g);
	}
	if (sched.ngfree < sched.ngfree_min)
		sched.ngfree_min = sched.ngfree;
	for (unsigned i = 0; !p->gfree && i < want && (g = sched.gbare); i++) {
		sched.gbare = g->next;
		g->next = pages;
		pages = g;
	}
	unlock(&sched.lock);
	if (!p->gfree && !pages)
		pages = slots_make(want);
	for (struct g *next; pages && slot_page_give(pages); pages = next) {
		next = pages->next;
		for (uint32_t i = slots_per_page(); i-- > 0;)
			gfree_push(p, pages + i);
	}
	if (unlikely(pages != NULL)) { /* memory is out */
		lock(&sched.lock);
		for (struct g *next; pages; pages = next) {
			next = pages->next;
			pages->next = sched.gbare;
			sched.gbare = pages;
		}
		unlock(&sched.lock);
	}
	freeze_kick();
	n->g = p->gfree;
	if (n->g) {
		p->gfree = n->g->next;
		p->ngfree--;
	}
}

/* The list of all Gs; never shrinks.  system. */
void allgs_add(struct g *gs, uint32_t n)
{
	lock(&allgs_lock);
	gs[n - 1].all_next = rt_allgs;
	for (uint32_t i = n - 1; i > 0; i--)
		gs[i - 1].all_next = &gs[i];
	at_store_rel(&rt_allgs, gs);
	unlock(&allgs_lock);
}

/* A dead G when p->gfree is empty.  Preemption is off; when memory is out, a
 * collection may find some, so afterwards the core may be another. */
static NOINLINE struct g *newg(struct g *me)
{
	struct newg n = { rt_self.p, NULL };
	rt_systemstack(newg_system, &n);
	if (unlikely(!n.g) && me->nopreempt == 1 && me != rt_self.g0) {
		preempt_on(me);
		if (gc_can_start())
			gc();
		preempt_off();
		n.p = rt_self.p;
		rt_systemstack(newg_system, &n);
	}
	if (unlikely(!n.g))
		throw("out of memory: no stack for a new goroutine; %lu goroutines have %lu KiB of stacks, "
		      "of %lu KiB of memory", (unsigned long)num_user_tasks(),
		      (unsigned long)stack_bytes_inuse() >> 10, (unsigned long)plat_memory_total() >> 10);
	return n.g;
}

/* Where every task begins, on its own stack, preemption off. */
noreturn __attribute__((used)) void rt_task_main(void)
{
	struct g *g = rt_self.g;
	preempt_on(g);
	if (unlikely(at_load(&stack_deep_fns)) && stack_starts_deep(g))
		rt_window_call(g->entry, g->entry_arg);
	else
		g->entry(g->entry_arg);
	/* Large arguments leave little room here; see run_goexit(). */
	rt_goexit_at(slot_end_sp(g), g->stack_limit);
}

static void newproc_refill(void (*fn)(void *), const void *args, size_t size, bool is_system,
                           const void *creator);

/* The rest of newproc() in the rare cases; both let preemption on. */
static NOINLINE void newproc_overflow(struct p *p, struct g *g, struct g *me)
{
	runq_put_full(p, g);
	if (!SABOTAGED(go_wakep))
		wakep();
	preempt_on(me);
}
static NOINLINE void newproc_wake(struct g *me)
{
	wakep_slow();
	preempt_on(me);
}

/* What calls it does go through tail calls, so the usual case saves no registers. */
static inline __attribute__((always_inline)) void newproc(void (*fn)(void *), const void *args, size_t size,
                                                          bool is_system, const void *creator)
{
	RT_ASSERT(size <= ARGS_MAX && size % 8 == 0);
	struct g *me = preempt_off();
	struct p *p = rt_self.p;
	struct g *g = p->gfree;
	if (unlikely(!g || !fn)) {
		newproc_refill(fn, args, size, is_system, creator);
		return;
	}
	struct g *free = g->next;
	p->gfree = free;
	p->ngfree--;
	if (likely(free)) { /* the next one's stack, and the G after it, before they are wanted */
		uintptr_t after = (uintptr_t)free->next; /* or 0: fetches nothing */
		__builtin_prefetch((void *)(free->top - CACHE_LINE), 1);
		__builtin_prefetch((void *)after, 1);
		__builtin_prefetch((void *)(after + CACHE_LINE), 1);
	}
	RT_ASSERT(g->status == G_DEAD && !g->on_cpu);
	uintptr_t argp = (g->top - size) & ~15ul;
	asan_unpoison(slot_lo(g), slot_hi(g));
	/* Argument blocks begin with a pointer: whole words, nearly always few. */
	for (size_t i = size; i > 0;) {
		i -= 8;
		*(uint64_t *)(argp + i) = *(const uint64_t *)((const char *)args + i);
	}
	uint64_t *sp = (uint64_t *)(argp - NEW_FRAME_SIZE);
	sp[0] = 0x0000037f00001f80ull; /* x87 control word and MXCSR as the ABI has them at start */
	sp[1] = (uint64_t)rt_task_start;
	sp[2] = 0;
	g->sp = (uintptr_t)sp;
	g->entry = fn;
	g->entry_arg = (void *)argp;
	g->nopreempt = 1;
	g->is_system = is_system;
	g->created_by = creator;
	if (unlikely(p->goid_next == p->goid_end)) {
		p->goid_next = at_add(&sched.next_goid, GOID_BATCH) - GOID_BATCH;
		p->goid_end = p->goid_next + GOID_BATCH;
	}
	g->id = ++p->goid_next;
	if (!is_system)
		p->nstarted++;
	g->status = G_RUNNABLE;
	bool alone = rt_alone;
	struct g *kicked = runq_swap_next(p, g, alone);
	if (kicked && unlikely(!runq_push(p, kicked)))
		return newproc_overflow(p, kicked, me);
	if (!alone && !SABOTAGED(go_wakep) && unlikely(wakep_wanted()))
		return newproc_wake(me);
	preempt_on(me);
}

static NOINLINE void newproc_any(void (*fn)(void *), const void *args, size_t size, bool is_system,
                                 const void *creator)
{
	newproc(fn, args, size, is_system, creator);
}

/* newproc() where no dead G is at hand, preemption off. */
static NOINLINE void newproc_refill(void (*fn)(void *), const void *args, size_t size, bool is_system,
                                    const void *creator)
{
	struct g *me = rt_self.g;
	if (!fn) {
		preempt_on(me);
		rt_panic("go of nil func value");
	}
	struct g *g = newg(me);
	gfree_push(rt_self.p, g);
	newproc_any(fn, args, size, is_system, creator);
	preempt_on(me);
}

NOINLINE void rt_go(void (*fn)(void *), const void *args, size_t argsize)
{
	newproc(fn, args, argsize, false, __builtin_return_address(0));
}

/* A task with a limit of its own: sets it, and begins on a window. */
struct stack_task {
	size_t max;
	void (*fn)(void *);
	char args[];
};
_Static_assert(sizeof(struct stack_task) % 16 == 0, "arguments are aligned");

static void stack_task_limit(void *a)
{
	struct stack_task *t = a;
	if (!stack_limit_set(rt_self.g, t->max))
		throw("out of memory: no stack for a new goroutine");
}

static void stack_task_main(void *a)
{
	struct stack_task *t = a;
	rt_systemstack(stack_task_limit, t);
	rt_window_call(t->fn, t->args);
}

NOINLINE void rt_go_stack(size_t max, void (*fn)(void *), const void *args, size_t argsize)
{
	union {
		struct stack_task t;
		char room[ARGS_MAX];
	} u;
	if (!fn)
		rt_panic("go of nil func value");
	stack_check_max(max);
	RT_ASSERT(argsize <= ARGS_MAX - sizeof u.t);
	u.t.max = max;
	u.t.fn = fn;
	memcpy(u.t.args, args, argsize);
	newproc_any(stack_task_main, &u, sizeof u.t + argsize, false, __builtin_return_address(0));
}

struct call {
	void (*fn)(void *);
	void *arg;
};
static void call_task(void *a)
{
	struct call *c = a;
	c->fn(c->arg);
}

NOINLINE void rt_go_call(void (*fn)(void *), void *arg)
{
	newproc_any(call_task, &(struct call){ fn, arg }, sizeof(struct call), false,
	            __builtin_return_address(0));
}

NOINLINE void rt_go_system(void (*fn)(void *), void *arg)
{
	newproc_any(call_task, &(struct call){ fn, arg }, sizeof(struct call), true,
	            __builtin_return_address(0));
}

/* ---- ending ----------------------------------------------------------- */

/* On g0 after a task with an unusual stack ended, or when p keeps enough. */
void gfree_put_slow(struct p *p, struct g *g)
{
	if (unlikely(at_load(&gc_phase) == GC_MARK))
		gc_mark_leave(g);
	stack_shrink_dead(g);
	if (g->pctx) {
		pctx_put(g->pctx);
		g->pctx = NULL;
	}
	g->defers = NULL;
	g->untidy = 0;
	gfree_push(p, g);
	if (p->ngfree < GFREE_P_MAX || rt_alone)
		return;
	lock(&sched.lock);
	while (p->ngfree > GFREE_P_MAX / 2) {
		struct g *x = p->gfree;
		p->gfree = x->next;
		p->ngfree--;
		x->next = sched.gfree;
		sched.gfree = x;
		at_store(&sched.ngfree, sched.ngfree + 1);
	}
	unlock(&sched.lock);
}

noreturn void goexit0(void)
{
	struct g *g = preempt_off();
	struct p *p = rt_self.p;
	RT_ASSERT(g->nopreempt == 1 && g->cur_seg == 0);
	slot_check(g);
	g->status = G_DEAD;
	g->resched = 0;
	RT_ASSERT(!g->param && (!g->defers || !g->defers->slot) && !g->panics);
	if (!g->is_system)
		p->nended++;
	if (likely((p->ngfree < GFREE_P_MAX - 1 || rt_alone) && !g->untidy))
		gfree_push(p, g);
	else
		p->dead = g;
	leave_dead(p, g);
}

/* Live user tasks; exact while nothing starts or ends one.  any. */
uint64_t num_user_tasks(void)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < plat_ncores; i++)
		if (rt_ps[i])
			n += at_load(&rt_ps[i]->nstarted) - at_load(&rt_ps[i]->nended);
	return n;
}

int num_task(void)
{
	return (int)num_user_tasks();
}

int num_cpu(void)
{
	return (int)plat_ncores;
}

/* ---- start ------------------------------------------------------------ */

void (*rt_at_start)(void);

static struct g g0_boot NOSCAN_BSS; /* core 0's, before there is a heap */

static void p_init(unsigned core, struct g *g0)
{
	struct p *p = persistent_alloc(sizeof *p);
	g0->status = G_RUNNING;
	g0->nopreempt = 1;
	g0->in_systemstack = IN_SYSTEMSTACK;
	g0->on_cpu = 1;
	p->id = core;
	for (unsigned i = 0; i < RUNQ_SIZE; i++)
		p->runq[i] = g0; /* runq_fetch_ahead() */
	p->g0 = g0;
	p->node = plat_node(core);
	p->status = core == 0 ? P_RUNNING : P_STOPPED;
	p->quantum_end = UINT64_MAX;
	plat_entropy(&p->rand, sizeof p->rand);
	p->mcache = mcache_alloc();
	p->spare_pctx = pctx_alloc();
	timers_init(p);
	rt_ps[core] = p;
}

static void core_bind(unsigned core)
{
	struct p *p = rt_ps[core];
	rt_self.p = p;
	rt_self.mcache = p->mcache;
	rt_self.g = rt_self.g0 = p->g0;
}

static void call_main(void *unused)
{
	(void)unused;
	int status = ingot_main(rt_settings.argc, rt_settings.argv);
	if (rt_settings.leaks)
		task_leaks(true);
	plat_exit(status);
}

/* main seldom fits a slot. */
static void main_task(void *unused)
{
	rt_window_call(call_main, unused);
}

noreturn void rt_start(void)
{
	g0_boot.nopreempt = 1;
	g0_boot.in_systemstack = IN_SYSTEMSTACK;
	rt_self.g = rt_self.g0 = &g0_boot;
	rt_settings_parse();
	mallocinit();
	stack_init();
	if (plat_ncores > MAX_CORES)
		throw("%u cores: more than the %u this build knows", plat_ncores, MAX_CORES);
	sched.quantum = rt_settings.quantum * 1000ull;
	unsigned n = rt_settings.gomaxprocs;
	rt_nps = n == 0 || n > plat_ncores ? plat_ncores : n;
	for (unsigned i = 0; i < plat_ncores; i++)
		p_init(i, i ? persistent_alloc(sizeof(struct g)) : &g0_boot);
	core_bind(0);
	rt_ps[0]->up = true;
	newproc_any(main_task, NULL, 0, false, NULL);
	dump_start();
	rt_go_system(gc_controller, NULL);
	schedtrace_start();
	watchdog_start();
	freeze_start();
	if (rt_at_start)
		rt_at_start();
	sched.started = 1;
	if (plat_ncores > 1)
		plat_start_cores();
	schedule();
}

noreturn void rt_core_main(unsigned core)
{
	core_bind(core);
	stop_join(rt_self.p);
	schedule();
}
