/* whyalive.c: why an object is alive: the shortest chain of pointers from a root to
 * it; and the heap written out.
 *
 * With the world stopped and all spans swept, a breadth-first search from all roots
 * (reach.c); when there is not enough memory for it, it says so.
 *
 * Names: of globals from the table that rt/gen/symtab.c makes for images with this
 * file, of stack frames from the symbols of code.  The heap knows its objects' sizes and
 * where pointers lie, not the names of their types; with an allocation profile it
 * knows who allocated a sampled one. */
#include "freeze.h"
#include "mprof.h"
#include "proc.h"
#include "reach.h"
#include "special.h"
#include "stack.h"
#include "symtab.h"
#include "api_value.h"
#include "api_heap.h"

/* The tool looks for it, so it must stay: it is read. */
volatile uint32_t rt_object_names NOSCAN_DATA = 1;

static uintptr_t target NOSCAN_BSS; /* itself no root */

static enum reach is_target(const struct object *o, const struct found *f)
{
	if (o->base != target)
		return REACH_ON;
	/* Who asks has the pointer, of course. */
	return f->kind == ROOT_STACK && reach_task(f->from) == rt_self.g ? REACH_PASS : REACH_HIT;
}

/* ---- saying it ------------------------------------------------------------------- */

static void print_object(uintptr_t base)
{
	struct object o;
	if (!object_find(base, &o))
		return;
	rt_printf("object %#zx, %zu bytes%s", (size_t)o.base, o.size,
	          SPANCLASS_NOSCAN(o.span->spanclass) ? " without pointers" : "");
	for (const struct special *x = o.span->specials; x; x = x->next)
		if (x->ptr >= o.base && x->ptr < o.base + o.size) {
			rt_printf("%s", x->kind == SPECIAL_FINALIZER ? ", has a finalizer" :
			          x->kind == SPECIAL_CLEANUP ? ", has a cleanup" :
			          x->kind == SPECIAL_WEAK ? ", has a weak pointer" : "");
			struct rt_sym s;
			if (x->kind == SPECIAL_PROFILE && mprof_hooks.site &&
			    rt_symbolize(mprof_hooks.site(x) - 1, &s))
				rt_printf(", allocated by %s %s:%u", s.func, s.file, s.line);
		}
	rt_printf("\n");
}

static void print_global(uintptr_t where)
{
	extern const struct rt_symtab rt_symtab_image;
	const struct rt_symtab *t = &rt_symtab_image;
	__asm__("" : "+r"(t)); /* the tool replaced what the compiler knows */
	const char *base = (const char *)t + t->objects;
	const struct rt_symtab_object *v = (const struct rt_symtab_object *)base;
	for (uint32_t i = 0; rt_object_names && i < t->nobjects; i++)
		if (where - v[i].addr < v[i].size) {
			rt_printf("global %s+%zu\n", base + v[i].name, (size_t)(where - v[i].addr));
			return;
		}
	rt_printf("global data at %#zx\n", (size_t)where);
}

/* The function of the program whose frame the stack address lies in.  What it calls of
 * the runtime saves its registers. */
static bool frame_of(const struct g *g, uintptr_t where, struct rt_sym *s)
{
	*s = (struct rt_sym){ 0 };
	uintptr_t pc, fp, lo, hi;
	if (g->in_systemstack) {
		pc = ((uintptr_t *)g->sp)[7];
		fp = ((uintptr_t *)g->sp)[6];
	} else if (g_preempted(g)) {
		pc = g->pctx->f.rip + 1;
		fp = g->pctx->f.rbp;
	} else {
		pc = stack_word(g->sp + 8);
		fp = stack_word(g->sp + 16);
	}
	for (unsigned n = 0; n < 1000; n++) {
		if (where < fp + 16 && (!rt_symbolize(pc - 1, s) || strncmp(s->file, "rt/", 3) != 0))
			return true;
		if (stack_owner(fp, &lo, &hi) != g || fp % 8 || fp + 16 > hi)
			return false;
		pc = stack_word(fp + 8);
		fp = stack_word(fp);
	}
	return false;
}

static void print_stack(uint32_t n, uintptr_t where)
{
	struct g *g = reach_task(n);
	uintptr_t lo, hi;
	struct rt_sym s;
	rt_printf("goroutine %lu, ", (unsigned long)g->id);
	if (g->pctx && where - (uintptr_t)&g->pctx->f < sizeof g->pctx->f) {
		static const char *const names[] = { "r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8", "rdi", "rsi",
			"rbp", "rbx", "rdx", "rcx", "rax", "rip", "cs", "rflags", "rsp", "ss" };
		rt_printf("register %s\n", names[(where - (uintptr_t)&g->pctx->f) / 8]);
		return;
	}
	if (g->pctx && where - (uintptr_t)g->pctx->fp < plat_fp_size) {
		rt_printf("a vector register\n");
		return;
	}
	if (stack_owner(where, &lo, &hi) != g) {
		rt_printf("its stack, frozen\n");
		return;
	}
	if (frame_of(g, where, &s) && s.func[0])
		rt_printf("stack of %s %s:%u\n", s.func, s.file, s.line);
	else
		rt_printf("its stack at %#zx\n", (size_t)where);
}

static void print_root(const struct found *f)
{
	struct object o;
	switch ((enum root_kind)f->kind) {
	case ROOT_GLOBAL:
		print_global(f->where);
		break;
	case ROOT_STACK:
		print_stack(f->from, f->where);
		break;
	case ROOT_TASK:
		rt_printf("goroutine %lu, its deferred calls, panics or select\n",
		          (unsigned long)reach_task(f->from)->id);
		break;
	case ROOT_TIMER:
		rt_printf("a timer of P %u\n", f->from);
		break;
	case ROOT_FINALIZER:
		rt_printf("what has a finalizer keeps what it points to: ");
		if (object_find(f->where, &o))
			print_object(o.base);
		break;
	case NO_ROOT:
		break;
	}
}

/* Chains longer than this are shown from both ends. */
#define SHOWN 20u

static void print_chain(uint32_t i)
{
	uint32_t n = 1, at = i;
	while (reach_entry(at)->kind == NO_ROOT) {
		at = reach_entry(at)->from;
		n++;
	}
	print_root(reach_entry(at));
	for (uint32_t k = 0; k < n; k++) {
		if (n > 2 * SHOWN && k == SHOWN) {
			rt_printf("    ... %u more ...\n", n - 2 * SHOWN);
			k = n - SHOWN;
		}
		at = i;
		for (uint32_t up = n - 1 - k; up; up--)
			at = reach_entry(at)->from;
		struct object holder;
		rt_printf("    ");
		if (reach_entry(at)->kind == NO_ROOT && object_find(reach_entry(at)->where, &holder))
			rt_printf("+%zu ", (size_t)(reach_entry(at)->where - holder.base));
		rt_printf("-> ");
		print_object(reach_entry(at)->obj);
	}
}

/* Makes all that is allocated known, and nothing else look allocated.  In a stop. */
static void settle(void)
{
	for (struct mcache *c = all_mcaches; c; c = c->all_next)
		mcache_flush(c);
	sweep_all();
}

/* ---- in a stop ------------------------------------------------------------------------ */

struct question {
	uintptr_t not_p; /* in disguise */
	enum alive answer;
	bool done;
};

static void answer(struct question *q)
{
	struct object o;
	void *p = (void *)~q->not_p;
	settle();
	q->answer = ALIVE_NOT_IN_HEAP;
	if (!object_find((uintptr_t)p, &o)) {
		rt_printf("why_alive(%p): not an object of the heap\n", p);
		return;
	}
	q->answer = ALIVE_UNKNOWN;
	target = o.base;
	if (!reach_begin()) {
		rt_printf("why_alive(%p): not enough memory to look\n", p);
		return;
	}
	/* The end of the object before it only if there is no other way. */
	uint32_t hit = reach_search(is_target, false);
	if (!hit && !reach_short())
		hit = reach_search(is_target, true);
	if (hit) {
		q->answer = ALIVE_REACHED;
		rt_printf("why_alive(%p): ", p);
		print_chain(hit - 1);
	} else if (reach_short()) {
		rt_printf("why_alive(%p): not found as far as memory to look sufficed\n", p);
	} else {
		q->answer = ALIVE_UNREACHABLE;
		rt_printf("why_alive(%p): nothing but who asks reaches it\n", p);
	}
	reach_end();
}

static void why_stop(void *arg)
{
	struct question *q = arg;
	if (!stop_world("why_alive"))
		return;
	answer(q);
	q->done = true;
	start_world();
}

enum alive why_alive(const volatile void *p)
{
	struct question q = { ~(uintptr_t)p, ALIVE_UNKNOWN, false };
	while (!q.done)
		rt_systemstack(why_stop, &q);
	return q.answer;
}

/* ---- everything ------------------------------------------------------------------------- */

static char dump_buf[16384] NOSCAN_BSS;
static struct text dump_text NOSCAN_BSS; /* in a stop */

static void dump_pointer(uintptr_t *slot, void *arg)
{
	const struct object *o = arg;
	struct object to;
	if (object_find(*slot, &to))
		text_printf(&dump_text, " +%zu->%#zx", (size_t)((uintptr_t)slot - o->base), (size_t)to.base);
}

static void dump_stop(void *arg)
{
	bool *done = arg;
	if (!stop_world("heap_dump"))
		return;
	uint64_t objects = 0, bytes = 0;
	struct text *t = &dump_text;
	*t = (struct text){ .cap = sizeof dump_buf, .buf = dump_buf };
	settle();
	for (uint32_t page = 0; page < mheap.used_bytes >> PAGE_SHIFT;) {
		uint64_t e = mheap.index[page];
		struct mspan *s = e ? index_span(e) : NULL;
		page += s ? s->npages : 1;
		for (uint32_t i = 0; s && i < s->nelems; i++) {
			if (!object_allocated(s, i))
				continue;
			struct object o = { s->base + i * s->elemsize, s->elemsize, s, i };
			text_printf(t, "%#zx %zu%s", (size_t)o.base, o.size,
			            SPANCLASS_NOSCAN(s->spanclass) ? " noscan" : "");
			object_each_pointer(&o, dump_pointer, &o);
			text_printf(t, "\n");
			objects++;
			bytes += o.size;
		}
	}
	text_printf(t, "heap dump: %llu objects, %llu bytes\n", (unsigned long long)objects,
	            (unsigned long long)bytes);
	text_flush(t);
	*done = true;
	start_world();
}

void heap_dump(void)
{
	for (bool done = false; !done;)
		rt_systemstack(dump_stop, &done);
}
