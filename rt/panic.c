/* panic.c: panic, recover, goexit (Go: runtime/panic.go before open-coded
 * defers: gopanic, gorecover, Goexit, printpanics).
 *
 * A panic runs the deferred calls of all frames above on the panicking stack,
 * innermost first.  When one of them recovers, the frame that deferred it is
 * resumed at its defer, whose macro leaves the function; its remaining
 * deferred calls run on that return.
 *
 * A deferred call that panics itself starts a nested panic, which finds the
 * earlier one in the interrupted call's record: the earlier panic is aborted,
 * and disappears when the nested one is recovered.
 *
 * recover() must be called directly by the deferred function: its frame's
 * caller is the thunk, whose caller is call_deferred, whose frame the panic
 * has noted. */
#include "info.h"
#include "proc.h"
#include "defer.h"

static const char runtime_prefix[] = "runtime error: ";

/* In the place of a thunk. */
static NOINLINE void call_direct(const struct defer_rec *d)
{
	d->call(d->words[0], d->words[1]);
	__asm__ volatile("" ::"r"(__builtin_frame_address(0)) : "memory"); /* no tail call */
}

/* Runs d's call so that recover() finds p. */
static NOINLINE void call_deferred(struct panic_rec *p, struct defer_rec *d)
{
	p->frame = (uintptr_t)__builtin_frame_address(0);
	if (d->words[RT_DEFER_BY_THUNK])
		d->call(d->words[0], 0);
	else
		call_direct(d);
	p->frame = 0;
}

/* Further lines of a text stand in, as Go prints them, so that none can pass for
 * a line of the report. */
static void print_indented(string s)
{
	const char *nl;

	while (s.len && (nl = memchr(s.ptr, '\n', s.len))) {
		size_t n = (size_t)(nl - s.ptr) + 1;

		plat_write(s.ptr, n);
		plat_write("\t", 1);
		s = (string){ s.ptr + n, s.len - n };
	}
	if (s.len)
		plat_write(s.ptr, s.len);
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
	print_indented(p->what.text);
	rt_printf(p->recovered ? " [recovered]\n" : "\n");
}

/* Where a report's backtrace begins. */
struct where {
	uintptr_t pc, fp, sp;
	const char *signal; /* of a fault, in the words that Go has for it on Linux */
	uintptr_t addr, at; /* and what it could not touch, where */
};

static void report(void *arg)
{
	struct where *w = arg;
	struct g *g = rt_self.p->curg;

	if (plat_fatal_begin()) {
		print_panics(g->panics);
		if (w->signal)
			rt_printf("[signal %s code=0x1 addr=0x%lx pc=0x%lx]\n", w->signal, (unsigned long)w->addr,
			          (unsigned long)w->at);
		rt_printf("\ngoroutine %lu [running]:\n", (unsigned long)g->id);
		rt_backtrace(w->pc, w->fp, w->sp);
	}
	plat_fatal_end(2);
}

/* Removes the innermost record, which will not be returned through.  A frame
 * that has no other gets its return address back. */
static void drop(struct g *g)
{
	struct defer_rec *d = g->defers, *below = defer_below(d);

	if (below->slot != d->slot)
		*(uintptr_t *)d->slot = d->pc;
	g->defers = below;
	d->panic = NULL;
	memset(d->words, 0, sizeof d->words); /* keeps nothing alive */
}

/* Takes the innermost deferred call and runs it for p.  A call that another
 * panic had begun is dropped, and that panic aborted.  NULL: none left; else
 * the record, still first on g->defers. */
static struct defer_rec *run_next(struct g *g, struct panic_rec *p)
{
	struct defer_rec *d;

	while ((d = defer_top(g))) {
		if (!d->panic && d->call)
			break;
		if (d->panic)
			d->panic->aborted = true;
		drop(g);
	}
	if (!d)
		return NULL;
	d->panic = p;
	call_deferred(p, d);
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
		d->call = NULL;
		d->panic = NULL;
		/* Its return may have begun, and been undone for the backtrace. */
		*(uintptr_t *)d->slot = (uintptr_t)rt_defer_return;
		struct stack_back to = stack_unwind_to(g, d->sp);
		rt_defer_resume(d, (uint32_t)to.seg, to.limit);
	}
	rt_systemstack(report, w);
	__builtin_unreachable();
}

/* The call, not what follows it: after a last call another function begins. */
#define WHERE(...) \
	{ .pc = (uintptr_t)__builtin_return_address(0) - 1, .fp = *(uintptr_t *)__builtin_frame_address(0), \
	  .sp = (uintptr_t)__builtin_frame_address(0) + 16, ##__VA_ARGS__ }

/* panic(NULL), like Go's panic(nil), is one with a text of its own.  A format without
 * conversions is its text: half of what panic costs is the formatter. */
static string text_of(const char *fmt, va_list ap)
{
	const char *percent = NULL;
	size_t n = fmt ? strlen(fmt) : 0;

	if (!fmt)
		return S("panic called with nil argument");
	percent = memchr(fmt, '%', n);
	return percent ? rt_vsprint(fmt, ap) : string_from_bytes(fmt, n);
}

void rt_panic(const char *fmt, ...)
{
	struct panic_rec p = {};
	struct where w = WHERE();
	va_list ap;

	va_start(ap, fmt);
	p.what.text = text_of(fmt, ap);
	va_end(ap);
	p.what.runtime_error = strings_has_prefix(p.what.text, ((string){ runtime_prefix, sizeof runtime_prefix - 1 }));
	run_panic(&p, &w);
}

void rt_panic_text(unsigned kinds, const char *fmt, ...)
{
	struct panic_rec p = {};
	struct where w = WHERE();
	builder b = {};
	va_list ap;

	va_start(ap, fmt);
	if (kinds && fmt) {
		rt_vformat(&b, NULL, kinds, fmt, ap);
		p.what.text = builder_string(&b);
	} else {
		p.what.text = text_of(fmt, ap);
	}
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
	p.what.text = text_of(fmt, ap);
	va_end(ap);
	p.what.value = v;
	run_panic(&p, &w);
}

/* Where the memory fault or division of a task went on, rt_fault() having seen to
 * it: as if the instruction at pc had called this. */
noreturn void rt_panic_fault(uintptr_t addr, uintptr_t pc, const char *signal, const char *text)
{
	struct panic_rec p = { .what = { .text = cstring(text), .runtime_error = true } };
	struct where w = WHERE(.signal = signal, .addr = addr, .at = pc);

	run_panic(&p, &w);
}

/* Go's printpanicval: the plain basic types as they are, others with their type. */
void rt_panic_any(const struct rt_info_ref *type, const void *v)
{
	const struct rt_info *t = info_of(type);
	struct panic_rec p = { .what = { .type = type } };
	struct where w = WHERE();
	builder b = {};
	bool basic = t->kind == RT_KIND_BOOL || t->kind == RT_KIND_INT || t->kind == RT_KIND_UINT ||
	             t->kind == RT_KIND_FLOAT || t->kind == RT_KIND_COMPLEX || t->kind == RT_KIND_STRING ||
	             t->kind == RT_KIND_ENUM || t->kind == RT_KIND_CHAR;

	if (!basic)
		builder_printf(&b, "(%s) ", info_name(t));
	else if (t->typedefed)
		builder_printf(&b, "%s(", info_name(t));
	fmt_value_to(&b, t, v, true);
	if (basic && t->typedefed)
		builder_write_byte(&b, ')');
	p.what.text = builder_string(&b);
	p.what.value = rt_malloc(t->size ? t->size : 1, NULL);
	memcpy(p.what.value, v, t->size);
	run_panic(&p, &w);
}

void *rt_panicked_as(const panicked *p, const struct rt_info_ref *type)
{
	return p && p->type && p->type->at == type->at ? p->value : NULL;
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
