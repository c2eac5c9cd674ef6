/* irq.c: the runtime's part of an interrupt.
 *
 * Runs on the core's interrupt stack (hosted: the signal stack) while a task
 * or the scheduler is suspended at any instruction; compiled without SSE and
 * without split stacks, because neither may be touched here.
 *
 * Invariants: takes no lock, touches no run queue; writes only fields of the
 * own P that say so.  A task is switched away only when its nopreempt is 0
 * and the interrupted instruction is not in asm.S's section. */
#include "proc.h"
#include "driver.h"
#include "console.h"

struct console_in console_in NOSCAN_BSS;

void rt_irq_timer(void)
{
	struct p *p = rt_self.p;
	if (!p)
		return;
	uint64_t now = plat_now();
	if (now >= at_load(&p->timer_when) && !at_load(&p->timer_due)) {
		at_store(&p->timer_due, 1);
		at_store(&p->attn, 1);
		/* The core may be on its way into plat_idle, past its look at timer_due. */
		at_add(&p->wakeword, 1);
	}
	if (now >= p->quantum_end) {
		/* Two looks half a quantum apart that find the same dispatch. */
		if (p->curg && p->schedtick == p->tick_schedtick)
			at_store(&p->attn, 1);
		p->tick_schedtick = p->schedtick;
		p->quantum_end = now + at_load(&sched.quantum) / 2;
	}
	uint64_t next = p->quantum_end;
	if (!at_load(&p->timer_due) && at_load(&p->timer_when) < next)
		next = at_load(&p->timer_when);
	at_store(&p->armed, next);
	if (next != UINT64_MAX)
		plat_timer_arm(next);
}

void rt_irq_console(uint8_t byte)
{
	if (byte != PLAT_KEY_DUMP) {
		struct console_in *in = &console_in;
		if (!at_load(&in->on) || in->tail - at_load_acq(&in->head) == sizeof in->buf)
			return;
		in->buf[in->tail % sizeof in->buf] = byte;
		at_store_rel(&in->tail, in->tail + 1);
		rt_irq_event(&in->ev);
		return;
	}
	/* Said first, looked at second; the task does the reverse (taskdump.c). */
	at_store_sc(&dump_key.pressed, 1);
	struct g *g = at_swap(&dump_key.waiter, NULL);
	if (g)
		ready_irq(g);
}

bool rt_irq_exit(const struct plat_frame *f, void *ctx)
{
	struct g *g = rt_self.g;
	struct p *p = rt_self.p;
	if (!p || !at_load(&p->attn) || g == rt_self.g0)
		return false;
	if (g->nopreempt || (f->rip >= (uintptr_t)rt_asm_begin && f->rip < (uintptr_t)rt_asm_end)) {
		g->resched = 1;
		return false;
	}
	struct preempt_ctx *c = g->pctx;
	if (!c) {
		c = p->spare_pctx;
		if (!c)
			return false; /* memory is out: it runs on until it gives way */
		p->spare_pctx = NULL;
		g->pctx = c;
		g->untidy = 1;
	}
	g->nopreempt = 1;
	g->resched = 0;
	c->f = *f;
	plat_fp_save(c->fp, ctx);
	return true;
}

void ready_irq(struct g *g)
{
	struct p *p = rt_self.p;
	struct g *head = at_load(&p->irq_ready);
	do
		g->next = head;
	while (!at_cas(&p->irq_ready, &head, g));
	at_add(&p->wakeword, 1); /* as in rt_irq_timer() */
	at_store(&p->attn, 1);
}

void rt_irq_event(struct io_event *ev)
{
	uintptr_t was = at_swap(&ev->word, IO_READY);
	if (was > IO_READY)
		ready_irq((struct g *)was);
}
