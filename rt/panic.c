/* panic.c: panic, recover, goexit (Go: runtime/panic.go before open-coded
 * defers: gopanic, gorecover, Goexit, printpanics).
 *
 * A panic runs the deferred calls of all frames above on the panicking stack,
 * innermost first.  When one of them recovers, the frame that deferred it is
 * resumed at its defer, whose macro leaves the function; its remaining
 * deferred calls run on that return.
 *
 * A deferred call that panics itself starts a nested panic, which finds the
 * interrupted call's record marked `started`: the earlier panic is aborted,
 * and disappears when the nested one is recovered.
 *
 * recover() must be called directly by the deferred function: its frame's
 * caller is the thunk, whose caller is call_deferred, whose frame the panic
 * has noted. */
#include "proc.h"
#include "defer.h"

static const char runtime_prefix[] = "runtime error: ";

/* Runs d's call so that recover() finds p. */
static NOINLINE void call_deferred(struct panic_rec *p, struct defer_rec *d)
{
	p->frame = (uintptr_t)__builtin_frame_address(0);
	d->thunk(d->args);
	p->frame = 0;
}

static void print_panics(const struct panic_rec *p)
{
	if (p->link) {
		print_panics(p->link);
		if (!p->link->goexit)
			rt_printf("\t");
	}
	if (p->goexit)
		return;
	rt_printf("panic: ");
	plat_write(p->what.text.ptr, p->what.text.len);
	rt_printf(p->recovered ? " [recovered]\n" : "\n");
}

/* Where a report's backtrace begins. */
struct where {
	uintptr_t pc, fp, sp;
};

static void report(void *arg)
{
	struct where *w = arg;
	struct g *g = rt_self.p->curg;

	if (plat_fatal_begin()) {
		print_panics(g->panics);
		rt_printf("\ngoroutine %lu [running]:\n", (unsigned long)g->id);
		rt_backtrace(w->pc, w->fp, w->sp);
	}
	plat_fatal_end(2);
}

/* Removes the innermost record, which will not be returned through.  A frame
 * that has no other gets its return address back, for the report. */
static void drop(struct g *g)
{
	struct defer_rec *d = g->defers;

	if (!d->next || d->next->slot != d->slot)
		*(uintptr_t *)d->slot = d->pc;
	g->defers = d->next;
	rt_defer_free(g, d);
}

/* Takes the innermost deferred call and runs it for p.  A call that another
 * panic had begun is dropped, and that panic aborted.  NULL: none left; else
 * the record, still first on g->defers. */
static struct defer_rec *run_next(struct g *g, struct panic_rec *p)
{
	struct defer_rec *d;

	while ((d = g->defers)) {
		if (!d->started && d->thunk)
			break;
		if (d->panic)
			d->panic->aborted = true;
		d->panic = NULL;
		drop(g);
	}
	if (!d)
		return NULL;
	d->started = true;
	d->panic = p;
	call_deferred(p, d);
	d->panic = NULL;
	if (g->defers != d)
		throw("panic: deferred calls out of order");
	return d;
}

static noreturn void run_goexit(void);

/* p->what is set; w is the place for the report. */
static noreturn void run_panic(struct panic_rec *p, struct where *w)
{
	struct g *g = rt_self.g;
	struct defer_rec *d;

	if (g == rt_self.g0 || g->in_systemstack || g->nopreempt)
		throw("panic inside the runtime: %.*s", STR(p->what.text));
	p->link = g->panics;
	g->panics = p;
	while ((d = run_next(g, p))) {
		bool exiting = false;

		if (!p->recovered) {
			drop(g);
			continue;
		}
		g->panics = p->link;
		while (g->panics && g->panics->aborted) {
			exiting |= g->panics->goexit;
			g->panics = g->panics->link;
		}
		if (exiting) {
			drop(g);
			run_goexit();
		}
		d->thunk = NULL;
		d->started = false;
		struct stack_back to = stack_unwind_to(g, d->sp);
		rt_defer_resume(d, (uint32_t)to.seg, to.limit);
	}
	rt_systemstack(report, w);
	__builtin_unreachable();
}

/* The call, not what follows it: after a last call another function begins. */
#define WHERE() \
	{ (uintptr_t)__builtin_return_address(0) - 1, *(uintptr_t *)__builtin_frame_address(0), \
	  (uintptr_t)__builtin_frame_address(0) + 16 }

void rt_panic(const char *fmt, ...)
{
	struct panic_rec p = {};
	struct where w = WHERE();
	va_list ap;

	va_start(ap, fmt);
	p.what.text = rt_vsprint(fmt, ap);
	va_end(ap);
	p.what.runtime_error = strings_has_prefix(p.what.text, ((string){ runtime_prefix, sizeof runtime_prefix - 1 }));
	run_panic(&p, &w);
}

void rt_panic_value(void *v, const char *fmt, ...)
{
	struct panic_rec p = {};
	struct where w = WHERE();
	va_list ap;

	va_start(ap, fmt);
	p.what.text = rt_vsprint(fmt, ap);
	va_end(ap);
	p.what.value = v;
	run_panic(&p, &w);
}

/* The thunk of a defer whose function is nil. */
void rt_defer_nil(void *args)
{
	(void)args;
	rt_panic("runtime error: invalid memory address or nil pointer dereference");
}

const panicked *rt_recover(void *frame)
{
	struct panic_rec *p = rt_self.g->panics;
	panicked *what;

	if (!p || p->goexit || p->recovered || !p->frame ||
	    **(uintptr_t **)frame != p->frame)
		return NULL;
	p->recovered = true;
	/* p's stack is gone when the frame returns; the value stays. */
	what = rt_malloc(sizeof *what, RT_TYPE(panicked));
	*what = p->what;
	return what;
}

/* Runs all deferred calls, in which recover() finds nothing, then ends. */
static noreturn void run_goexit(void)
{
	struct g *g = rt_self.g;
	struct panic_rec p = { .goexit = true, .link = g->panics };

	g->panics = &p;
	while (run_next(g, &p))
		drop(g);
	g->panics = NULL;
	/* A task ends on its slot, at the top: goexit0() must not find it full and
	 * move to the window on the way.  Nothing there is needed any more. */
	uintptr_t sp = slot_end_sp(g);
	struct stack_back to = stack_unwind_to(g, sp);

	rt_goexit_at(sp, to.limit);
}

void goexit(void)
{
	run_goexit();
}
