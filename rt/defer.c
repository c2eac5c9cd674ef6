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
 * - Records are garbage-collected and hang on g, which is a root; reused ones
 *   wait on g->local.
 * - The unwinder asks unwind_translate() for what the slot held. */
#include "proc.h"
#include "defer.h"

/* deferreturn.S adds it to g. */
__attribute__((used)) const uint64_t rt_g_defers_offset = offsetof(struct g, defers);

struct defer_pool {
	struct defer_rec *free; /* by next */
	uint32_t n;
};

/* Copies (from NULL: clears) n bytes, a multiple of 8; the few words of most
 * calls cost less this way than a library call. */
static inline void move_words(void *to, const void *from, size_t n)
{
	uint64_t *p = to;
	const uint64_t *q = from;

	for (; n; n -= 8) {
		*p++ = q ? *q++ : 0;
		__asm__ volatile("" : "+r"(p)); /* stays a loop */
	}
}

static inline __attribute__((always_inline)) struct defer_rec *
fill(struct defer_rec *d, void (*thunk)(void *), const void *args, size_t size, void *cfa)
{
	d->thunk = thunk ? thunk : rt_defer_nil;
	d->size = (uint32_t)size;
	d->slot = (uintptr_t)cfa - sizeof(uintptr_t);
	move_words(d->args, args, size);
	return d;
}

static NOINLINE struct defer_rec *new_fresh(void (*thunk)(void *), const void *args, size_t size, void *cfa)
{
	struct defer_rec *d = rt_malloc(sizeof *d + (size > DEFER_ARGS ? size : DEFER_ARGS), NULL);

	d->pooled = size <= DEFER_ARGS;
	return fill(d, thunk, args, size, cfa);
}

/* A record with a copy of the arguments.  thunk NULL: the deferred function
 * is nil, which panics when it is run.  task. */
struct defer_rec *rt_defer_new(void (*thunk)(void *), const void *args, size_t size, void *cfa)
{
	struct defer_pool *pool = rt_self.g->local;
	struct defer_rec *d;

	RT_ASSERT(size % 8 == 0);
	if (unlikely(size > DEFER_ARGS || !pool || !pool->free))
		return new_fresh(thunk, args, size, cfa);
	d = pool->free;
	pool->free = d->next;
	pool->n--;
	d->started = false;
	d->panic = NULL;
	return fill(d, thunk, args, size, cfa);
}

static NOINLINE void new_pool(struct g *g)
{
	g->local = rt_malloc(sizeof(struct defer_pool), RT_TYPE(struct defer_pool));
	g->untidy = 1;
}

static inline __attribute__((always_inline)) void put_back(struct g *g, struct defer_rec *d)
{
	struct defer_pool *pool;

	if (unlikely(!d->pooled))
		return;
	if (unlikely(!g->local))
		new_pool(g);
	pool = g->local;
	if (unlikely(pool->n >= DEFER_POOL))
		return;
	move_words(d->args, NULL, d->size); /* keeps nothing alive */
	d->next = pool->free;
	pool->free = d;
	pool->n++;
}

/* Gives d back; nothing may use it any more. */
void rt_defer_free(struct g *g, struct defer_rec *d)
{
	put_back(g, d);
}

/* rt_defer_push's second half: d becomes the innermost deferred call, and its
 * frame returns by way of rt_defer_return. */
int rt_defer_link(struct defer_rec *d)
{
	struct g *g = rt_self.g;
	uintptr_t *slot = (uintptr_t *)d->slot;

	d->next = g->defers;
	if (d->next && d->next->slot == d->slot) {
		d->pc = d->next->pc;
	} else {
		d->pc = *slot;
		*slot = (uintptr_t)rt_defer_return;
	}
	g->defers = d;
	return 0;
}

/* Runs the deferred calls of the frame whose return address was at slot, the
 * innermost.  saved: the function's return values, cleared when a recover
 * ended it. */
void rt_deferreturn(uintptr_t slot, void *saved)
{
	struct g *g = rt_self.g;
	struct defer_rec *d;

	while ((d = g->defers) && d->slot == slot) {
		void (*thunk)(void *) = d->thunk;

		g->defers = d->next;
		if (unlikely(!thunk))
			memset(saved, 0, 48);
		else
			thunk(d->args);
		put_back(g, d);
	}
}

uintptr_t unwind_translate(uintptr_t pc, uintptr_t fp)
{
	uintptr_t lo, hi;
	struct g *g;

	if (pc != (uintptr_t)rt_defer_return || !(g = stack_owner(fp, &lo, &hi)))
		return pc;
	for (const struct defer_rec *d = g->defers; d; d = d->next)
		if (d->slot == fp + sizeof(uintptr_t))
			return d->pc;
	return pc;
}

/* The low end of what is alive on g's stack, which is at sp: lower than sp
 * while a function with deferred calls is returning. */
uintptr_t defer_low(const struct g *g, uintptr_t sp)
{
	const struct defer_rec *d = g->defers;

	return d && d->sp < sp && d->sp >= seg_lo(g, g->cur_seg) ? d->sp : sp;
}
