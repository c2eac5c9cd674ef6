/* schedcheck.c: the scheduler's invariants, checked for tests.
 *
 * I2: every G is in exactly one place: a P's ring or runnext, the global
 * queue, running, waiting, or a list of dead ones; its status says the same.
 * sched_check() stops the world and walks every queue and every G.
 *
 * I3: no runnable G while a P idles, beyond a wake-up.  sched_watch() looks at
 * the running world: when it finds an idle P and a queued G it looks again and
 * again, and only the same G still queued beside the same P still asleep, with
 * no P searching and no stop wanted, counts.  It keeps its core meanwhile,
 * preemption off: were it to give way, its own P would find the G and hide
 * what is wrong. */
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

/* ---- I3 -------------------------------------------------------------------- */

/* A P that sleeps and a G that is queued. */
struct scene {
	struct p *idle;
	uint32_t wakeword; /* of idle */
	struct g *g;
	struct p *where;   /* whose ring or runnext; NULL: the global queue */
	uint32_t head;     /* of the ring */
	uint32_t tick;     /* where's dispatches */
	bool next;         /* in runnext */
};

static bool is_idle(const struct p *p)
{
	return at_load_sc(&sched.idle[p->id / 64]) & 1ull << p->id % 64;
}

/* A stop is wanted, or a P looks for work and will find what there is. */
static bool excused(void)
{
	if (at_load_sc(&sched.stopping))
		return true;
	for (unsigned i = 0; i < rt_nps; i++)
		if (at_load(&rt_ps[i]->spinning) && at_load_acq(&rt_ps[i]->status) == P_RUNNING)
			return true;
	return false;
}

static bool queued(struct scene *s, struct p *p)
{
	s->where = p;
	if (!p)
		return (s->g = at_load(&sched.runq_head)) != NULL;
	s->tick = at_load(&p->schedtick);
	s->head = at_load_acq(&p->runq_head);
	s->next = at_load_acq(&p->runq_tail) == s->head;
	s->g = s->next ? at_load(&p->runnext) : at_load(&p->runq[s->head & RUNQ_MASK]);
	return s->g != NULL;
}

/* Looks for a scene; the n-th call begins at another queue. */
static bool find_scene(struct scene *s, unsigned n)
{
	s->idle = NULL;
	for (unsigned i = 0; i < rt_nps && !s->idle; i++)
		if (is_idle(rt_ps[(n + i) % rt_nps]))
			s->idle = rt_ps[(n + i) % rt_nps];
	if (!s->idle)
		return false;
	s->wakeword = at_load_sc(&s->idle->wakeword);
	for (unsigned i = 0; i <= rt_nps; i++) {
		unsigned k = (n + i) % (rt_nps + 1);
		if (queued(s, k == rt_nps ? NULL : rt_ps[k]))
			return true;
	}
	return false;
}

static bool unchanged(const struct scene *s)
{
	struct scene now;
	return is_idle(s->idle) && at_load_sc(&s->idle->wakeword) == s->wakeword && queued(&now, s->where) &&
	       now.g == s->g && (!s->where || (now.next == s->next && now.head == s->head && now.tick == s->tick));
}

static noreturn COLD void watch_failed(const struct scene *s, uint64_t ns)
{
	for (unsigned i = 0; i < rt_nps; i++) {
		const struct p *p = rt_ps[i];
		const struct g *g = at_load(&p->curg), *next = at_load(&p->runnext);
		rt_printf("P%u: status %u%s%s%s, ring %u, runnext %lu, runs goroutine %lu, schedtick %u, wakeword %u\n", i,
		          at_load(&p->status), is_idle(p) ? " idle" : "", at_load(&p->spinning) ? " spinning" : "",
		          at_load(&p->attn) ? " attn" : "", runq_len(p),
		          next ? (unsigned long)next->id : 0, g ? (unsigned long)g->id : 0, at_load(&p->schedtick),
		          at_load(&p->wakeword));
	}
	rt_printf("sched: npidle %u, nmspinning %u, global queue %u, stopping %u\n", at_load(&sched.npidle),
	          at_load(&sched.nmspinning), at_load(&sched.runq_size), at_load(&sched.stopping));
	char where[24] = "globally";
	if (s->where)
		snprintf(where, sizeof where, "on P %u", s->where->id);
	throw("sched_watch: P %u sleeps, and goroutine %lu has been queued %s for %lu us", s->idle->id,
	      (unsigned long)s->g->id, where, (unsigned long)ns / 1000);
}

#define WATCH_STEP 1000000 /* ns */

struct watch {
	uint64_t bound, longest;
};

static void watch_system(void *a)
{
	struct watch *w = a;
	struct scene s;
	for (unsigned n = 0; n < 2 * rt_nps + 2; n++) {
		if (excused() || !find_scene(&s, n))
			return;
		/* A machine that had no time for us may have had none for the others:
		 * only time that passed in small steps counts. */
		uint64_t last = plat_now(), seen = 0;
		for (unsigned k = 0; !excused() && unchanged(&s); k++) {
			uint64_t now = plat_now(), step = now - last;
			last = now;
			seen += step < WATCH_STEP ? step : WATCH_STEP;
			if (seen > w->longest)
				w->longest = seen;
			if (seen >= w->bound)
				watch_failed(&s, seen);
			plat_relax(k);
		}
	}
}

/* Throws when a P sleeps beside a queued task for bound ns of watching; returns
 * the longest that it saw.  task. */
int64_t sched_watch(int64_t bound)
{
	struct watch w = { (uint64_t)bound, 0 };
	rt_systemstack(watch_system, &w);
	return (int64_t)w.longest;
}
