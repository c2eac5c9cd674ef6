/* defer.c: deferred calls (Go: deferproc, deferreturn in runtime/panic.go).
 *
 * Go's compiler ends each deferring function with a call of deferreturn.  C
 * has a cleanup attribute, but that belongs to a block: a defer in a loop or
 * an `if` would run too early.  So the first defer of a function replaces the
 * function's return address by rt_defer_return (deferreturn.S), which runs
 * the frame's deferred calls and then goes where the function would have
 * returned: exact at any nesting and optimisation level.  Rejected: a
 * variable at function level (needs a word from the user in every function
 * that defers, and silently runs early where it is forgotten).
 *
 * The processor predicts that a return goes where its call was.  So the macro
 * writes the replaced address by a call of its own, past which the processor
 * expects the function to return, and rt_defer_return ends in a return to the
 * caller: no prediction fails (RT_DEFER_HOOK).  So the address that stands in a
 * return slot differs from function to function; a slot is known by its place.
 *
 * What makes it sound:
 * - A frame is known by the place of its return address (its CFA - 8), which
 *   no two live frames share.  rt_defer_push is declared returns_twice: gcc
 *   inlines no function that calls it, makes no tail call in it, and keeps
 *   nothing across it in registers that a second return would lose.
 * - The frame has returned when its deferred calls run, but its memory stays:
 *   they run below it.  So &local works, and a recover there can resume in
 *   the frame once more (its epilogue is run again from intact memory).
 *   Between the function's epilogue and rt_defer_return's switch of rsp the
 *   frame is outside [rsp, top): the collector asks defer_low().
 * - Records are a stack, as the calls are: a place is taken by rt_defer_push
 *   and free when its call has ended.  They lie in garbage-collected chunks,
 *   that g->defers, a root, points into; chunks stay until the task ends.
 * - The unwinder asks unwind_translate() for what the slot held. */
#include "proc.h"
#include "defer.h"

/* A chunk is places and, as far as the word that tells, a place behind them that
 * is none: a wall, which is the next chunk or WALL_LAST.  Before the first place
 * lies another wall, which leads to the chunk before, or in a task's first chunk
 * the bottom of its stack. */
#define WALL_LAST ((void *)1)
#define FIRST_PLACES 2 /* with what is around them 488 bytes */
#define MORE_PLACES 16

static struct defer_rec *new_chunk(size_t places)
{
	struct defer_rec *d = rt_malloc((places + 1) * sizeof *d + sizeof d->wall, NULL);

	d[places + 1].wall = WALL_LAST;
	return d;
}

/* A free place where none follows the top, for rt_defer_push.  task. */
struct defer_rec *rt_defer_more(void)
{
	struct g *g = rt_self.g;
	struct defer_rec *end, *chunk;

	if (!g->defers) {
		g->defers = new_chunk(FIRST_PLACES);
		g->untidy = 1;
		return g->defers + 1;
	}
	end = g->defers + 1;
	if (end->wall == WALL_LAST) {
		chunk = new_chunk(MORE_PLACES);
		chunk->wall = WALL_LAST;
		chunk->below = g->defers;
		end->wall = chunk;
	}
	return (struct defer_rec *)end->wall + 1;
}

/* A copy of arguments that have no room in a record.  task. */
void *rt_defer_block(const void *args, size_t size)
{
	return memcpy(rt_malloc(size, NULL), args, size);
}

uintptr_t unwind_translate(uintptr_t pc, uintptr_t fp)
{
	uintptr_t lo, hi;
	struct g *g = stack_owner(fp, &lo, &hi);

	if (!g)
		return pc;
	for (const struct defer_rec *d = defer_top(g); d && d->slot; d = defer_below(d))
		if (d->slot == fp + sizeof(uintptr_t))
			return d->pc;
	return pc;
}

/* The low end of what is alive on g's stack, which is at sp: lower than sp
 * while a function with deferred calls is returning. */
uintptr_t defer_low(const struct g *g, uintptr_t sp)
{
	const struct defer_rec *d = defer_top(g);

	return d && d->sp < sp && d->sp >= seg_lo(g, g->cur_seg) ? d->sp : sp;
}
