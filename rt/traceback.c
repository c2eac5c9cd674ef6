/* traceback.c: backtraces, fatal errors and Go's crash reports.
 *
 * A report names the failure, then prints the running task of every core and
 * what else is asked for, symbolised from the image's own table (symtab.c).
 * Frames are walked by frame pointers, only inside known stacks.
 *
 * Invariants: after plat_fatal_begin() no lock is taken and no memory
 * allocated; each core's stack limit is 0 while it reports, so formatted
 * printing works on whatever stack it is. */
#include "defer.h"
#include "freeze.h"
#include "proc.h"

#define MAX_FRAMES 100
#define SOME 100 /* tasks */

void rt_printf(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	if (n > 0)
		plat_write(buf, (size_t)n < sizeof buf ? (size_t)n : sizeof buf - 1);
}

static bool stack_of(uintptr_t addr, uintptr_t *lo, uintptr_t *hi)
{
	return stack_owner(addr, lo, hi) || plat_stack_bounds(addr, lo, hi);
}

void text_flush(struct text *t)
{
	plat_write(t->buf, t->n);
	t->n = 0;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	size_t n = len < 0 ? 0 : (size_t)len < sizeof buf ? (size_t)len : sizeof buf - 1;
	if (!t) {
		plat_write(buf, n);
		return;
	}
	if (t->cap - t->n < n)
		text_flush(t);
	memcpy(t->buf + t->n, buf, n);
	t->n += n;
}

void print_frame(struct text *t, uintptr_t pc, bool is_return)
{
	struct rt_sym s;
	/* A return address may already belong to the next line. */
	if (rt_symbolize(pc - is_return, &s))
		text_printf(t, "%s(...)\n\t%s:%u +0x%lx\n", s.func, s.file, s.line,
		            (unsigned long)(pc - s.func_start));
	else
		text_printf(t, "0x%016lx\n", (unsigned long)pc);
}

/* ---- walking ------------------------------------------------------------- */

/* Who called the function with this frame, which was entered on a further
 * stack segment; 0 if that is not known. */
static uintptr_t morestack_caller(uintptr_t fp)
{
	uintptr_t lo, hi;
	struct g *g = stack_owner(fp, &lo, &hi);
	for (uint32_t seg = g ? g->cur_seg : 0; seg; seg = (uint32_t)g->ext->back[seg - 1].seg)
		if (hi == seg_hi(g, seg))
			return stack_word(g->ext->back[seg - 1].sp);
	return 0;
}

/* Calls fn for pc and for the frames from fp up, at most max; false: there are
 * more. */
static bool walk_frames(uintptr_t pc, uintptr_t fp, bool is_return, unsigned max,
                        void (*fn)(void *, uintptr_t pc, bool is_return), void *arg)
{
	uintptr_t lo = 0, hi = 0;
	for (unsigned n = 0; n < max; n++) {
		fn(arg, pc, is_return);
		is_return = true;
		if (!(fp >= lo && fp + 16 <= hi) && !stack_of(fp, &lo, &hi))
			return true;
		if (fp % 8 || fp + 16 > hi)
			return true;
		uintptr_t up = stack_word(fp);
		pc = stack_word(fp + 8);
		pc = unwind_translate(pc, fp);
		if (pc == (uintptr_t)rt_morestack_ret)
			pc = morestack_caller(fp);
		if (pc == 0 || (pc >= (uintptr_t)rt_asm_begin && pc < (uintptr_t)rt_asm_end))
			return true;
		if (up <= fp && up >= lo) /* frames only go up */
			return true;
		fp = up;
	}
	return false;
}

/* Calls fn for each frame from the innermost on, at most max; false: there
 * are more. */
static bool walk(uintptr_t pc, uintptr_t fp, uintptr_t sp, bool is_return, unsigned max,
                 void (*fn)(void *, uintptr_t pc, bool is_return), void *arg)
{
	uintptr_t lo = 0, hi = 0;
	if (!stack_of(sp, &lo, &hi))
		lo = hi = 0;
	struct rt_sym s;
	if (!rt_symbolize(pc, &s) && hi && sp + 8 <= hi && sp >= lo) {
		/* A call through a wild pointer: the caller is on top of the stack. */
		fn(arg, pc, false);
		pc = stack_word(sp);
		is_return = true;
	}
	return walk_frames(pc, fp, is_return, max, fn, arg);
}

static void frame_to_console(void *t, uintptr_t pc, bool is_return)
{
	print_frame(t, pc, is_return);
}

void rt_backtrace(uintptr_t pc, uintptr_t fp, uintptr_t sp)
{
	if (!walk(pc, fp, sp, false, MAX_FRAMES, frame_to_console, NULL))
		rt_printf("...additional frames elided...\n");
}

static void frame_keep(void *arg, uintptr_t pc, bool is_return)
{
	struct frames *f = arg;
	if (f->n == 0)
		f->first_is_return = is_return;
	if (f->n < FRAMES_MAX)
		f->pc[f->n++] = pc;
	else
		f->more = true;
}

struct callers {
	uintptr_t *pc;
	unsigned n;
};

static void caller_keep(void *arg, uintptr_t pc, bool is_return)
{
	struct callers *c = arg;
	if (pc)
		c->pc[c->n++] = pc;
}

unsigned callers(uintptr_t fp, uintptr_t *pc, unsigned max)
{
	struct callers c = { pc, 0 };
	walk_frames(0, fp, true, max + 1, caller_keep, &c);
	return c.n;
}

/* Leaves out how a task left its core, so that those who wait for the same look
 * alike: frames of the scheduler, and where the innermost of the others is in
 * its function (the switch may be inlined there, in several variants).  Few pcs
 * come up, so symbols are looked up once. */
static void drop_switch_frames(struct frames *f)
{
	static struct {
		uintptr_t pc, func;
		bool own;
	} seen[16] NOSCAN_BSS; /* a dump or a dead machine: one core */
	unsigned n = 0;
	struct rt_sym s;
	for (; n < f->n; n++) {
		uintptr_t pc = f->pc[n], at = pc / 4 % 16;
		if (seen[at].pc != pc) {
			bool known = rt_symbolize(pc - (n || f->first_is_return), &s);
			seen[at].pc = pc;
			seen[at].own = known && is_switch_frame(s.func);
			seen[at].func = known ? s.func_start : pc;
		}
		f->first_func = seen[at].func;
		if (!seen[at].own)
			break;
	}
	if (n == 0 || n == f->n)
		return;
	f->n = (uint16_t)(f->n - n);
	f->first_is_return = true;
	memmove(f->pc, f->pc + n, f->n * sizeof f->pc[0]);
}

/* A task at work on the scheduler stack: its rbp, then the return address,
 * where it left its own stack. */
static uint64_t *left_at(const struct g *g)
{
	uint64_t *w = (uint64_t *)g->sp;
	return g->in_systemstack == IN_SYSTEMSTACK ? w + 6 : w; /* rt_systemstack_call's frame */
}

static void backtrace_below(const struct g *g)
{
	uint64_t *w = left_at(g);
	rt_backtrace(w[1] - 1, w[0], (uintptr_t)(w + 2));
}

void frames_of(struct g *g, struct frames *f)
{
	*f = (struct frames){ 0 };
	if (g->in_systemstack) { /* running, at work on the scheduler stack */
		uint64_t *w = left_at(g);
		f->more = !walk(w[1], w[0], (uintptr_t)(w + 2), true, FRAMES_MAX, frame_keep, f);
	} else if (g_preempted(g)) {
		const struct plat_frame *r = &g->pctx->f;
		f->more = !walk(r->rip, r->rbp, r->rsp, false, FRAMES_MAX, frame_keep, f);
	} else if (g->sp) {
		f->more = !walk(stack_word(g->sp + 8), stack_word(g->sp + 16), g->sp, false, FRAMES_MAX, frame_keep, f);
		drop_switch_frames(f);
	}
}

void print_created_by(struct text *t, const void *pc)
{
	struct rt_sym s;
	if (pc && rt_symbolize((uintptr_t)pc - 1, &s))
		text_printf(t, "created by %s\n\t%s:%u +0x%lx\n", s.func, s.file, s.line,
		            (unsigned long)((uintptr_t)pc - s.func_start));
}

/* ---- crash reports --------------------------------------------------------- */

/* A task that is not running, or works on the scheduler stack. */
static void print_task(struct g *g, const char *state)
{
	struct frames f;
	rt_printf("\ngoroutine %lu [%s]:\n", (unsigned long)g->id, state);
	frames_of(g, &f);
	for (unsigned i = 0; i < f.n; i++)
		print_frame(NULL, f.pc[i], i || f.first_is_return);
	if (f.more)
		rt_printf("...additional frames elided...\n");
	print_created_by(NULL, g->created_by);
}

static struct g *task_of_core(unsigned core)
{
	return core < plat_ncores && rt_ps[core] ? at_load(&rt_ps[core]->curg) : NULL;
}

/* What the other cores were running when they were stopped. */
static void print_other_cores(void)
{
	unsigned me = plat_core_id();
	for (unsigned i = 0; i < plat_ncores; i++) {
		if (i == me)
			continue;
		struct g *g = task_of_core(i);
		const struct plat_frame *f = plat_fatal_frame(i);
		if (!g)
			continue; /* idle */
		rt_printf("\ngoroutine %lu [running on core %u]:\n", (unsigned long)g->id, i);
		if (f)
			rt_backtrace(f->rip, f->rbp, f->rsp);
		else
			rt_printf("\tthe core did not answer\n");
		print_created_by(NULL, g->created_by);
	}
}

static void print_me(uintptr_t pc, uintptr_t fp, uintptr_t sp)
{
	struct g *g = rt_self.g;
	if (g && g != rt_self.g0 && g->id) {
		rt_printf("\ngoroutine %lu [running]:\n", (unsigned long)g->id);
		rt_backtrace(pc, fp, sp);
		if (g->in_systemstack && g->sp && g->sp != sp)
			backtrace_below(g);
		print_created_by(NULL, g->created_by);
	} else {
		rt_printf("\nruntime stack (core %u):\n", plat_core_id());
		rt_backtrace(pc, fp, sp);
		struct g *cur = task_of_core(plat_core_id());
		if (cur)
			print_task(cur, "running");
	}
}

static noreturn void fatal_end(void)
{
	plat_fatal_end(2);
}

struct throwing {
	const char *fmt;
	va_list *ap;
	uintptr_t pc, fp, sp; /* whoever called throw() */
};

static noreturn COLD void throw_report(void *arg)
{
	struct throwing *t = arg;
	set_stack_limit(0);
	if (plat_fatal_begin()) {
		char buf[256];
		vsnprintf(buf, sizeof buf, t->fmt, *t->ap);
		rt_printf("fatal error: %s\n", buf);
		print_me(t->pc, t->fp, t->sp);
		print_other_cores();
	} else {
		plat_write("fatal error during a fatal error\n", 33);
	}
	fatal_end();
}

noreturn void throw(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	/* The call, not what follows it: after a last call another function begins. */
	struct throwing t = { fmt, &ap, (uintptr_t)__builtin_return_address(0) - 1,
		                  *(uintptr_t *)__builtin_frame_address(0),
		                  (uintptr_t)__builtin_frame_address(0) + 16 };
	/* A task's stack may have no room left, and must not grow once the cores are
	 * being stopped.  Not rt_systemstack(), whose conditions may be what is broken. */
	struct g *g = rt_self.g;
	if (g && !g->in_systemstack) {
		g->nopreempt++;
		rt_systemstack_call(throw_report, &t, g, rt_self.g0->sp & ~15ul);
	}
	throw_report(&t);
}

/* Tasks one by one, where there is no memory to see which are alike. */
static void print_some(void)
{
	unsigned n = 0;
	for (struct g *g = at_load_acq(&rt_allgs); g && n < SOME; g = g->all_next)
		if (g->status != G_DEAD && !g->is_system) {
			print_task(g, g->status == G_WAITING ? wait_reason_names[g_wait_reason(g)] : "runnable");
			n++;
		}
	if (n == SOME)
		rt_printf("\n...further goroutines left out...\n");
}

noreturn void fatal_deadlock(const char *msg)
{
	struct dump *d = dump_new();
	if (plat_fatal_begin()) {
		rt_printf("fatal error: %s\n", msg);
		if (d)
			dump_deadlock(d);
		else
			print_some();
	}
	fatal_end();
}

/* Stack of g cannot grow: what == NULL for the limit.  On the scheduler stack;
 * g->sp is in __morestack's frame. */
noreturn void fatal_stack(struct g *g, const char *what)
{
	if (plat_fatal_begin()) {
		if (!what) {
			rt_printf("runtime: goroutine stack exceeds %lu-byte limit\n",
			          (unsigned long)stack_max(g));
			what = "stack overflow";
		}
		rt_printf("fatal error: %s\n", what);
		rt_printf("\ngoroutine %lu [running]:\n", (unsigned long)g->id);
		backtrace_below(g);
		print_created_by(NULL, g->created_by);
		print_other_cores();
	}
	fatal_end();
}

#define VECTOR_DE 0  /* divide error */
#define VECTOR_PF 14
#define NIL_PAGE 4096 /* as Go: a field of a nil struct pointer up to this offset */
#define RED_ZONE 128  /* libraries of the hosted build use it */

/* General register n of the instruction set's numbering. */
static uint64_t reg(const struct plat_frame *f, unsigned n)
{
	return n == 4 ? f->rsp : (&f->r15)[n < 4 ? 14 - n : 15 - n];
}

/* True if the div or idiv at rip divided by something else than 0, so that its
 * quotient was too large: INT_MIN / -1.  Layout of the instruction: SDM 2, 2.1. */
static bool divides_by_nonzero(const struct plat_frame *f)
{
	const uint8_t *p = (const uint8_t *)f->rip;
	unsigned size = 4, rex = 0;
	uint64_t v, addr = 0;
	int32_t disp = 0;

	for (; *p == 0x66 || (*p & 0xf0) == 0x40; p++) {
		if (*p == 0x66)
			size = 2;
		else
			rex = *p;
	}
	if (*p != 0xf6 && *p != 0xf7) /* a segment prefix: not looked into */
		return false;
	size = *p++ == 0xf6 ? 1 : rex & 8 ? 8 : size;
	unsigned mod = *p >> 6, rm = *p & 7;
	p++;
	if (mod == 3) {
		v = size == 1 && !rex && rm >= 4 ? reg(f, rm - 4) >> 8 : reg(f, rm | (rex & 1) << 3);
	} else {
		bool rip = mod == 0 && rm == 5, base = !rip;
		if (rm == 4) {
			unsigned index = (*p >> 3 & 7) | (rex & 2) << 2;
			addr = index == 4 ? 0 : reg(f, index) << (*p >> 6);
			rm = *p++ & 7;
			base = !(mod == 0 && rm == 5);
		}
		if (mod == 1)
			disp = *(const int8_t *)p++;
		else if (mod == 2 || !base)
			memcpy(&disp, p, 4), p += 4;
		if (base)
			addr += reg(f, rm | (rex & 1) << 3);
		else if (rip)
			addr = (uintptr_t)p;
		memcpy(&v, (const void *)(addr + (uint64_t)(int64_t)disp), size);
	}
	return size == 8 ? v != 0 : (v & ((1ull << size * 8) - 1)) != 0;
}

/* A fault that is an ordinary error of the task becomes its panic: the frame
 * is edited as if the faulting instruction had called rt_panic_fault().  A call
 * of a nil function has pushed its return address already.  False: it is none,
 * or the task is inside the runtime. */
static bool fault_to_panic(struct plat_frame *f, int vector, bool has_addr, uintptr_t addr)
{
	struct g *g = rt_self.g;
	bool nil = vector == VECTOR_PF && has_addr && addr < NIL_PAGE, called = nil && f->rip < NIL_PAGE;
	const char *text = nil ? "runtime error: invalid memory address or nil pointer dereference" :
	                         "runtime error: integer divide by zero";
	if (!g || g->in_systemstack || g->nopreempt || !(nil || vector == VECTOR_DE))
		return false;
	uintptr_t sp = called ? f->rsp : ((f->rsp - RED_ZONE) & ~15ul) - 8;
	if (sp < seg_lo(g, g->cur_seg) || sp >= seg_hi(g, g->cur_seg) || (called && f->rip != addr))
		return false;
	if (!nil && divides_by_nonzero(f))
		text = "runtime error: integer overflow";
	if (!called)
		*(uintptr_t *)sp = f->rip + 1; /* a return address: unwinders look one byte before it */
	f->rdi = nil ? addr : f->rip;
	f->rsi = f->rip;
	f->rdx = (uintptr_t)(nil ? "SIGSEGV: segmentation violation" : NULL); /* Go tests divisors */
	f->rcx = (uintptr_t)text;
	f->rsp = sp;
	f->rip = (uintptr_t)rt_panic_fault;
	return true;
}

void rt_fault(struct plat_frame *f, int vector, const char *what, bool has_addr, uintptr_t addr)
{
	if (fault_to_panic(f, vector, has_addr, addr))
		return;
	set_stack_limit(0);
	if (plat_fatal_begin()) {
		rt_printf("fatal error: %s\n", what);
		if (has_addr)
			rt_printf("[addr=0x%lx pc=0x%lx]\n", (unsigned long)addr, (unsigned long)f->rip);
		else
			rt_printf("[pc=0x%lx]\n", (unsigned long)f->rip);
		print_me(f->rip, f->rbp, f->rsp);
		print_other_cores();
	} else {
		plat_write("fault during a fatal error\n", 27);
	}
	fatal_end();
}
