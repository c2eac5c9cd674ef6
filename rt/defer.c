/* defer.c: deferred calls (Go: deferproc, deferreturn in runtime/panic.go).
 *
 * Go's compiler makes a function's deferred calls at each of its returns.  C has
 * a cleanup attribute, but that belongs to a block: a defer in a loop or an `if`
 * would run too early.  So at the end of a block with a defer in it rt_defer_end
 * asks, once for each copy of that place in the code, whether the function only
 * leaves its frame from there (rt_defer_leave).  If so, the calls are made there
 * and then, by code in the function: as cheap as Go's open-coded defers.  Else
 * the function's return address is replaced by rt_defer_return (deferreturn.S),
 * which runs the frame's deferred calls and then goes where the function would
 * have returned: exact at any nesting and optimisation level.  Rejected: a
 * variable at function level (needs a word from the user in every function
 * that defers, and silently runs early where it is forgotten); replacing the
 * address always, at the defer (9 ns for 5).
 *
 * The processor predicts that a return goes where its call was.  So the code
 * writes the replaced address by a call of its own, past which the processor
 * expects the function to return, and rt_defer_return ends in a return to the
 * caller: no prediction fails.  So the address that stands in a return slot
 * differs from function to function; a slot is known by its place, and replaced
 * where it does not hold its records' pc.
 *
 * What makes it sound:
 * - A frame is known by the place of its return address (its CFA - 8), which
 *   no two live frames share.  rt_defer_more is declared returns_twice: gcc
 *   inlines no function that calls it and makes no tail call in it.  A frame
 *   that recovered goes on at its defer's way out, with the registers kept there.
 * - The frame has returned when its deferred calls run, but its memory stays:
 *   they run below it.  So &local works, and a recover there can resume in
 *   the frame once more (its epilogue is run again from intact memory).
 *   Between the function's epilogue and rt_defer_return's switch of rsp the
 *   frame is outside [rsp, top): the collector asks defer_low().
 * - Records are a stack, as the calls are: a place is taken by a defer, and free
 *   when its call has begun at the end of a block, or ended in rt_defer_return.  They lie in garbage-collected chunks,
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

/* Sees to a free place behind the top, for a defer that found none; true.  task. */
void *rt_defer_more(void)
{
	struct g *g = rt_self.g;
	struct defer_rec *top = g->defers, *chunk;

	if (!top) {
		g->defers = new_chunk(FIRST_PLACES);
		g->untidy = 1;
		return g->defers;
	}
	if (top[1].wall == WALL_LAST) {
		chunk = new_chunk(MORE_PLACES);
		chunk->wall = WALL_LAST;
		chunk->below = top;
		top[1].wall = chunk;
	}
	/* The wall before the first place stands for the top until that is taken. */
	chunk = top[1].wall;
	chunk->slot = top->slot;
	chunk->pc = top->pc;
	chunk->sp = top->sp;
	g->defers = chunk;
	return chunk;
}

/* A copy of arguments that have no room in a record.  task. */
void *rt_defer_block(const void *args, size_t size)
{
	return memcpy(rt_malloc(size, NULL), args, size);
}

/* ---- the end of a block ---------------------------------------------------- */

/* An rt_defer_end in the code, which writes it (api_defer.h). */
struct defer_site {
	uint32_t leaves; /* enum leaves: what was found out; any core may, the answer is the same */
	const uint8_t *begin, *end;
};
enum leaves { LEAVES_UNKNOWN, LEAVES, LEAVES_NOT };
_Static_assert(sizeof(struct defer_site) == 24 && LEAVES == 1, "api_defer.h");

static int32_t word_at(const uint8_t *p)
{
	int32_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/* Whether the code at p does nothing but leave the frame: it moves the result's
 * registers, brings back the caller's, and returns, with further rt_defer_ends
 * before that.  Then it cannot matter whether deferred calls are made before it or
 * after the return.  A load of anything else they might change, so the answer is
 * no; as it is for all that gcc has another way to write. */
__attribute__((no_sanitize_address)) static bool only_leaves(const uint8_t *p)
{
	enum { RBX = 3, RSP, RBP, R12 = 12 };
	bool restored = false; /* registers of the caller's: no move from them */

	for (int n = 0; n < 40; n++) {
		uint8_t rex = (*p & 0xf0) == 0x40 ? *p++ : 0, op = *p++;
		uint8_t mod = *p >> 6, reg = (*p >> 3 & 7) | (rex & 4) << 1, rm = *p & 7;
		bool frame = (mod == 1 || mod == 2) && rm == RBP && !(rex & 1);
		bool saved = (rex & 8) && (reg == RBX || reg >= R12);

		if (op == 0xc3) /* ret */
			return true;
		if (op == 0xc9) /* leave */
			continue;
		if (op >= 0x58 && op <= 0x5f) { /* pop */
			reg = (op & 7) | (rex & 1) << 3;
			if (reg != RBX && reg != RBP && reg < R12)
				return false;
			restored = true;
		} else if ((op == 0x89 || op == 0x8b) && mod == 3) { /* mov of a register */
			if (restored)
				return false;
			p++;
		} else if ((op == 0x8b && frame && saved) || (op == 0x8d && frame)) { /* mov, lea off(%rbp) */
			restored |= op == 0x8b;
			p += mod == 1 ? 2 : 5;
		} else if ((op == 0x31 || op == 0x33) && mod == 3 && *p % 8 == (*p >> 3) % 8) { /* xor of itself */
			p++;
		} else if (op >= 0xb8 && op <= 0xbf && !(rex & 8)) { /* mov of a constant */
			p += 4;
		} else if (op == 0x83 && *p == 0xc4 && rex == 0x48) { /* add to rsp */
			p += 2;
		} else if (op == 0x81 && *p == 0xc4 && rex == 0x48) {
			p += 5;
		} else if (op == 0xeb) { /* jmp */
			p += 1 + (int8_t)*p;
		} else if (op == 0xe9) {
			p += 4 + word_at(p);
		} else if (op == 0x83 && *p == 0x3d) { /* cmpl off(%rip): of an rt_defer_end? */
			const struct defer_site *s = (const void *)(p + 6 + word_at(p + 1));

			if ((uintptr_t)s % 8 || s->begin != p - 1)
				return false;
			p = s->end;
		} else {
			return false;
		}
	}
	return false;
}

/* Takes the innermost deferred call off and makes it. */
static void run_top(struct g *g)
{
	struct defer_rec *d = g->defers;
	void (*call)(uintptr_t, uintptr_t) = d->call;
	uintptr_t words[6];

	memcpy(words, d->words, sizeof words);
	if (words[RT_DEFER_BY_THUNK] && words[0] == (uintptr_t)&d->words[1])
		words[0] = (uintptr_t)&words[1];
	memset(d->words, 0, sizeof d->words);
	g->defers = defer_below(d);
	call(words[0], words[1]);
}

/* What rt_defer_end does not do itself: makes the calls of the frame whose return
 * address is at slot, if it leaves the frame there.  Returns slot if that has to be
 * replaced, so that they are made later, else NULL.  task. */
uintptr_t *rt_defer_leave(uintptr_t *slot, struct defer_site *site)
{
	struct g *g = rt_self.g;
	struct defer_rec *d = defer_top(g);

	if (!d || d->slot != (uintptr_t)slot || *slot != d->pc)
		return NULL;
	if (at_load(&site->leaves) == LEAVES_UNKNOWN)
		at_store(&site->leaves, only_leaves(site->end) ? LEAVES : LEAVES_NOT);
	if (at_load(&site->leaves) != LEAVES)
		return slot;
	do
		run_top(g);
	while ((d = defer_top(g)) && d->slot == (uintptr_t)slot);
	return NULL;
}

/* ---- for others -------------------------------------------------------------- */

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
