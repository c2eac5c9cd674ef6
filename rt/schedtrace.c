/* schedtrace.c: GODEBUG=schedtrace=MS and scheddetail=1: Go's lines about the
 * scheduler, every MS milliseconds.
 *
 * A timer on core 0's heap prints on the scheduler stack; it reads the other
 * cores' fields without a lock, as Go does, so a line is a glimpse and not a
 * snapshot.  While it runs there always is a timer, and a deadlock is not
 * detected.  With M = core a thread is a core: threads and idlethreads count
 * those. */
#include "timer.h"

static void print_detail(void)
{
	for (unsigned i = 0; i < plat_ncores; i++) {
		struct p *p = rt_ps[i];
		rt_printf("  P%u: status=%u schedtick=%u m=%u runqsize=%u gfreecnt=%u\n", i, at_load(&p->status),
		          at_load(&p->schedtick), i, runq_len(p),
		          at_load(&p->ngfree));
	}
	for (struct g *g = at_load_acq(&rt_allgs); g; g = g->all_next)
		if (at_load(&g->status) != G_DEAD) {
			const struct p *p = g->p;
			bool waits = at_load(&g->status) == G_WAITING;
			/* Go's numbers: 1 runnable, 2 running, 4 waiting */
			rt_printf("  G%lu: status=%u(%s) m=%d\n", (unsigned long)g->id,
			          waits ? 4 : at_load(&g->status), waits ? wait_reason_names[g_wait_reason(g)] : "",
			          p ? (int)p->id : -1);
		}
}

static void trace(struct rt_timer *t, uint64_t now)
{
	char line[256];
	int n = snprintf(line, sizeof line,
	                 "SCHED %lums: gomaxprocs=%u idleprocs=%u threads=%u spinningthreads=%u "
	                 "needspinning=0 idlethreads=%u runqueue=%u [",
	                 (unsigned long)(now / 1000000), rt_nps, at_load(&sched.npidle), plat_ncores,
	                 at_load(&sched.nmspinning), at_load(&sched.npidle) + plat_ncores - rt_nps,
	                 at_load(&sched.runq_size));
	for (unsigned i = 0; i < rt_nps; i++) {
		const struct p *p = rt_ps[i];
		uint32_t size = runq_len(p) + (at_load(&p->runnext) != NULL);
		if (n > (int)sizeof line - 16) { /* many cores: in pieces */
			plat_write(line, (size_t)n);
			n = 0;
		}
		n += snprintf(line + n, sizeof line - (size_t)n, i ? " %u" : "%u", size);
	}
	n += snprintf(line + n, sizeof line - (size_t)n, "]\n");
	plat_write(line, (size_t)n);
	if (rt_settings.scheddetail)
		print_detail();
	timer_add(t, now + (uint64_t)rt_settings.schedtrace * 1000000);
}

/* Starts the trace if GODEBUG asks for it.  On g0 of core 0, at start. */
void schedtrace_start(void)
{
	static struct rt_timer t NOSCAN_DATA;
	if (rt_settings.schedtrace <= 0)
		return;
	t.fn = trace;
	timer_add(&t, plat_now() + (uint64_t)rt_settings.schedtrace * 1000000);
}
