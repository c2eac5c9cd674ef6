/* schedcheck.c: the scheduler's invariants, checked on a stopped world.
 *
 * I2: every G is in exactly one place: a P's ring or runnext, the global
 * queue, running, waiting, or a list of dead ones; its status says the same.
 * Tests call sched_check(); it is too slow for anything else (it walks every
 * queue and every G). */
#include "proc.h"

struct check {
	bool done;
	uint64_t found; /* runnable Gs met in queues */
};

static void seen(struct check *c, struct g *g, const char *where)
{
	if (g->status != G_RUNNABLE)
		throw("sched_check: goroutine %lu in %s has status %u", (unsigned long)g->id, where, g->status);
	if (g->on_cpu)
		throw("sched_check: goroutine %lu in %s is still on a core", (unsigned long)g->id, where);
	if (!g->nopreempt)
		throw("sched_check: goroutine %lu in %s was saved with preemption on", (unsigned long)g->id, where);
	c->found++;
}

static void check_dead_list(struct g *list, uint32_t n, const char *where)
{
	for (; list; list = list->next, n--) {
		if (list->status != G_DEAD)
			throw("sched_check: goroutine %lu in %s is not dead", (unsigned long)list->id, where);
		if (n == 0)
			throw("sched_check: %s is longer than its count", where);
	}
	if (n)
		throw("sched_check: %s is %u shorter than its count", where, n);
}

static void check_p(struct check *c, struct p *p, struct p *me)
{
	uint32_t n = p->runq_tail - p->runq_head;
	if (n > RUNQ_SIZE)
		throw("sched_check: ring of P %u holds %u", p->id, n);
	for (uint32_t i = p->runq_head; i != p->runq_tail; i++)
		seen(c, p->runq[i & RUNQ_MASK], "a ring");
	if (p->runnext)
		seen(c, p->runnext, "runnext");
	check_dead_list(p->gfree, p->ngfree, "a P's free list");
	if (p != me && (p->curg || p->handoff || p->dead))
		throw("sched_check: stopped P %u has a task at hand", p->id);
	if (p != me && p->status != P_STOPPED)
		throw("sched_check: P %u has status %u during a stop", p->id, p->status);
	if (p->id >= rt_nps && (n || p->runnext || p->timer_when != UINT64_MAX))
		throw("sched_check: P %u is out of use and has work", p->id);
}

static void check_system(void *a)
{
	struct check *c = a;
	struct p *me = rt_self.p;
	if (!stop_world("sched_check"))
		return;
	uint32_t n = 0;
	for (struct g *g = sched.runq_head; g; g = g->next, n++) {
		seen(c, g, "the global queue");
		if (!g->next && g != sched.runq_tail)
			throw("sched_check: the global queue's tail is wrong");
	}
	if (n != sched.runq_size)
		throw("sched_check: the global queue holds %u, its count says %u", n, sched.runq_size);
	check_dead_list(sched.gfree, sched.ngfree, "the global free list");
	for (unsigned i = 0; i < plat_ncores; i++)
		if (rt_ps[i]->up)
			check_p(c, rt_ps[i], me);
	uint64_t runnable = 0, running = 0, live = 0;
	for (struct g *g = rt_allgs; g; g = g->all_next) {
		runnable += g->status == G_RUNNABLE;
		running += g->status == G_RUNNING;
		live += g->status != G_DEAD && !g->is_system;
	}
	if (runnable != c->found)
		throw("sched_check: %lu runnable goroutines, %lu in queues", (unsigned long)runnable,
		      (unsigned long)c->found);
	if (running != 1) /* the caller */
		throw("sched_check: %lu goroutines run during a stop", (unsigned long)running);
	if (live != num_user_tasks())
		throw("sched_check: %lu goroutines live, the counters say %lu", (unsigned long)live,
		      (unsigned long)num_user_tasks());
	c->done = true;
	start_world();
}

/* Throws if the scheduler's state is inconsistent.  Stops the world.  task. */
void sched_check(void)
{
	struct check c = { false, 0 };
	while (!c.done)
		rt_systemstack(check_system, &c);
}
