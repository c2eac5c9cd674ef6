/* checkmark.c: GODEBUG=gccheckmark=1: at the end of each marking, in the same stop,
 * everything that the roots reach is looked at once more, and must be marked.
 *
 * The search is reach.c's: no queues of pieces, no written pages, nothing that was
 * scanned before, so what the collector's algorithm forgot shows here, in the cycle
 * in which it did, with the way to it.  (heapverify.c's look at the marks sees only
 * what marked objects hold; this one sees what stacks and registers do, too.)
 *
 * Without memory for the search a line says so. */
#include "proc.h"
#include "reach.h"

static enum reach is_marked(const struct object *o, const struct found *unused)
{
	return mark_bits(o->span->page)[o->idx / 64] >> o->idx % 64 & 1 ? REACH_ON : REACH_HIT;
}

static void print_root(const struct found *f)
{
	static const char *const whose[] = {
		[ROOT_STACK] = "stack or registers", [ROOT_TASK] = "deferred calls, panics or select"
	};
	switch ((enum root_kind)f->kind) {
	case ROOT_GLOBAL:
		rt_printf("global data");
		break;
	case ROOT_STACK:
	case ROOT_TASK: {
		const struct g *g = reach_task(f->from);
		rt_printf("goroutine %lu (status %u, on a core: %u), %s", (unsigned long)g->id, g->status, g->on_cpu,
		          whose[f->kind]);
		break;
	}
	case ROOT_TIMER:
		rt_printf("a timer of P %u", f->from);
		break;
	case ROOT_FINALIZER:
		rt_printf("an object with a finalizer");
		break;
	case NO_ROOT:
		break;
	}
	rt_printf(" at %#zx\n", (size_t)f->where);
}

static void print_object(uintptr_t base)
{
	struct object o;
	if (!object_find(base, &o))
		return;
	bool marked = is_marked(&o, NULL) == REACH_ON;
	rt_printf("object %#zx, %zu bytes, %u of the span at %#zx of class %u%s, %s\n", (size_t)o.base, o.size, o.idx,
	          (size_t)o.span->base, SPANCLASS_SIZE(o.span->spanclass),
	          SPANCLASS_NOSCAN(o.span->spanclass) ? " without pointers" : "",
	          marked ? "marked" : "not marked");
}

/* From the root to entry i; of long ways both ends. */
static void print_way(uint32_t i)
{
	uint32_t n = 0, at = i;
	for (; reach_entry(at)->kind == NO_ROOT; n++)
		at = reach_entry(at)->from;
	print_root(reach_entry(at));
	for (uint32_t k = 0; k <= n; k++) {
		if (n > 16 && k == 8) {
			rt_printf("    ... %u more ...\n", n - 15);
			k = n - 7;
		}
		at = i;
		for (uint32_t up = n - k; up; up--)
			at = reach_entry(at)->from;
		const struct found *f = reach_entry(at);
		if (f->kind == NO_ROOT)
			rt_printf("    +%zu -> ", (size_t)(f->where - reach_entry(f->from)->obj));
		else
			rt_printf("    -> ");
		print_object(f->obj);
	}
}

void gc_checkmark(void)
{
	uint32_t hit = reach_begin() ? reach_search(is_marked, true) : 0;
	if (hit) {
		rt_printf("gccheckmark: collection %u left out what is reached from ", gc_cycles + 1);
		print_way(hit - 1);
		throw("gccheckmark: a reachable object is not marked");
	}
	if (reach_short())
		rt_printf("gccheckmark: collection %u: not enough memory to look at everything\n", gc_cycles + 1);
	reach_end();
}
