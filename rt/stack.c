/* stack.c: task stacks that grow in place.
 *
 * C frames cannot be moved, so addresses must stay.  Each G owns a window of
 * STACK_WINDOW bytes of address space for life, of which the top
 * plat_stack_first bytes are committed at the start; gcc's -fsplit-stack
 * prologue compares rsp with the limit in FS:0x70 and calls __morestack
 * (asm.S), which commits further pages below and returns in place.  When the
 * window is used up, the function is entered on the task's second segment, a
 * window of the task's limit (64 MiB), like a segment of a classic split
 * stack; it is kept until the task ends, so a loop across the boundary costs
 * a few instructions and no allocation.
 *
 * Rejected: guard-page faults (need a page table walk in a trap, and an
 * overflow is found only by luck); copying (C has pointers into frames).
 *
 * Invariants: [lo, hi) of a segment is committed; base is at least one page
 * below what is ever committed, so the slack never reaches the neighbour;
 * stack_limit = lo + plat_stack_slack + 256, because frames under 256 bytes
 * compare rsp itself.  Only the owner core changes a segment, preemption
 * off, on the scheduler stack.  Windows are recycled (S1 is
 * plat_stack_release's duty). */
#include "freeze.h"
#include "proc.h"

#define PAGE 4096ul
#define GUARD PAGE
/* An odd number of pages: with a power of two all stack tops would share one
 * sixteenth of the TLB's sets. */
#define STACK_WINDOW (17 * PAGE)
#define BIG_WINDOW (64ul << 20) /* the limit of a task's stack, Go: 1 GB */
#define SMALL_FRAME 256
/* The tops of all windows would fall into one set of the L1 and L2 caches:
 * 1,000 tasks took turns in 16 ways, a spawn cost twice.  So tops are
 * coloured, at half of this many lines a task on average. */
#define COLOURS 8

/* Address space: small windows from the bottom, large ones from the top. */
static struct lock stack_lock = LOCK_INIT(RANK_STACK);
static size_t small_used, big_used; /* bytes, under stack_lock */
static size_t inuse;                /* committed bytes; atomic */

/* The G of each small window, by the window's number: a fault on a stack asks
 * for it.  Three levels, the lower two whole pages of the heap; an entry is
 * written once, with release, under stack_lock. */
#define OWNERS 1024ul
#define OWNERS_PAGE (OWNERS * sizeof(void *) / 8192)
static struct g ***owner_dir[64] NOSCAN_DATA;
static size_t nstacks; /* windows with a G; seq_cst */

/* Large windows are few: their free list lives here, not in their memory. */
struct big_window {
	uintptr_t base;
	struct big_window *next;
};
static struct big_window *big_list, *big_spare;

size_t stack_bytes_inuse(void)
{
	return at_load(&inuse);
}

void stack_bytes_add(int64_t n)
{
	at_add_relaxed(&inuse, (size_t)n);
}

static bool commit(uintptr_t va, size_t len)
{
	if (!plat_stack_commit(va, len))
		return false;
	at_add_relaxed(&inuse, len);
	return true;
}

static void release(uintptr_t va, size_t len)
{
	plat_stack_release(va, len);
	stack_bytes_add(-(int64_t)len);
}

static uintptr_t limit_of(const struct stack_seg *s)
{
	return s->lo + plat_stack_slack + SMALL_FRAME;
}

static struct g **owner_slot(size_t i)
{
	struct g ***dir = i >> 20 < 64 ? at_load_acq(&owner_dir[i >> 20]) : NULL;
	struct g **leaf = dir ? at_load_acq(&dir[i / OWNERS % OWNERS]) : NULL;
	return leaf ? &leaf[i % OWNERS] : NULL;
}

static void *owner_page(void)
{
	void *p = mheap_alloc_manual(OWNERS_PAGE);
	if (p)
		memset(p, 0, OWNERS * sizeof(void *));
	return p;
}

/* Under stack_lock; false: no memory. */
static bool owner_set(size_t i, struct g *g)
{
	if (i >> 20 >= 64 || (!owner_dir[i >> 20] && !(owner_dir[i >> 20] = owner_page())))
		return false;
	struct g ***leaf = &owner_dir[i >> 20][i / OWNERS % OWNERS];
	if (!*leaf) {
		struct g **p = owner_page();
		if (!p)
			return false;
		at_store_rel(leaf, p);
	}
	at_store_rel(&(*leaf)[i % OWNERS], g);
	return true;
}

unsigned stack_page_owners(uintptr_t page, struct g *o[STACK_PAGE_OWNERS])
{
	uintptr_t off = page - plat_stack_base();
	if (off >= plat_stack_size() || off % STACK_WINDOW != STACK_WINDOW - PAGE)
		return 0;
	struct g **slot = owner_slot(off / STACK_WINDOW);
	o[0] = slot ? at_load_acq(slot) : NULL;
	return o[0] != NULL;
}

size_t stacks_made(void)
{
	return at_load_sc(&nstacks);
}

bool stack_new(struct g *g)
{
	uintptr_t base = 0;
	lock(&stack_lock);
	if (small_used + big_used + STACK_WINDOW <= plat_stack_size()) {
		base = plat_stack_base() + small_used;
		if (owner_set(small_used / STACK_WINDOW, g))
			small_used += STACK_WINDOW;
		else
			base = 0;
	}
	unlock(&stack_lock);
	if (!base)
		return false;
	struct stack_seg *s = &g->seg[0];
	s->base = base;
	s->hi = base + STACK_WINDOW;
	s->lo = s->hi - plat_stack_first;
	if (!commit(s->lo, plat_stack_first))
		return false;
	g->stack_limit = limit_of(s);
	g->top = s->hi - base / STACK_WINDOW % COLOURS * 64;
	at_add(&nstacks, 1);
	freeze_kick();
	return true;
}

/* Gives a second segment back. */
static void big_window_put(struct stack_seg *b)
{
	if (!b->base)
		return;
	asan_unpoison(b->lo, b->hi);
	release(b->lo, b->hi - b->lo);
	lock(&stack_lock);
	struct big_window *w = big_spare;
	big_spare = w->next;
	w->base = b->base;
	w->next = big_list;
	big_list = w;
	unlock(&stack_lock);
	memset(b, 0, sizeof *b);
}

void stack_shrink_dead(struct g *g)
{
	struct stack_seg *s = &g->seg[0];
	uintptr_t lo = s->hi - plat_stack_first;
	if (s->lo != lo) {
		release(s->lo, lo - s->lo);
		s->lo = lo;
	}
	g->cur_seg = 0; /* it may have ended deep in the second */
	g->stack_limit = limit_of(s);
	big_window_put(&g->seg[1]);
}

void stack_shrink_parked(struct g *g)
{
	struct stack_seg *s = &g->seg[0];
	uintptr_t lo = (g->sp - plat_stack_slack - SMALL_FRAME) & ~(PAGE - 1);
	if (lo > s->hi - plat_stack_first)
		lo = s->hi - plat_stack_first;
	if (lo > s->lo) {
		release(s->lo, lo - s->lo);
		s->lo = lo;
		g->stack_limit = limit_of(s);
	}
	big_window_put(&g->seg[1]);
}

bool stack_freezable(const struct g *g, struct plat_range *r)
{
	const struct stack_seg *s = &g->seg[0];
	*r = (struct plat_range){ s->lo, s->hi - s->lo };
	return r->len == plat_stack_first && !g->seg[1].base;
}
static uintptr_t big_window_get(void)
{
	uintptr_t base = 0;
	struct big_window *fresh = NULL;
	lock(&stack_lock);
	struct big_window *w = big_list;
	if (w) {
		big_list = w->next;
		base = w->base;
		w->next = big_spare;
		big_spare = w;
	} else if (small_used + big_used + BIG_WINDOW <= plat_stack_size()) {
		big_used += BIG_WINDOW;
		base = plat_stack_base() + plat_stack_size() - big_used;
	}
	unlock(&stack_lock);
	if (!w && base) {
		fresh = persistent_alloc(sizeof *fresh);
		lock(&stack_lock);
		fresh->next = big_spare;
		big_spare = fresh;
		unlock(&stack_lock);
	}
	return base;
}

static noreturn void overflow(struct g *g, const char *what)
{
	/* The backtrace must start at the task, not here. */
	rt_self.g = g;
	fatal_stack(g, what);
}

/* Commits more of segment s so that `need` becomes accessible; false: the
 * window ends.  Doubles, up to 64 KiB at a time. */
static bool grow(struct g *g, struct stack_seg *s, uintptr_t need)
{
	uintptr_t lo = need & ~(PAGE - 1), floor = s->base + GUARD;
	if (lo < floor || lo > s->lo)
		return false;
	size_t have = s->hi - s->lo, extra = have < (64ul << 10) ? have : 64ul << 10;
	if (s->lo - lo < extra)
		lo = s->lo - extra < floor ? floor : s->lo - extra;
	if (!commit(lo, s->lo - lo)) {
		lo = need & ~(PAGE - 1);
		if (!commit(lo, s->lo - lo))
			overflow(g, "out of memory (stack)");
	}
	s->lo = lo;
	g->stack_limit = limit_of(s);
	return true;
}

/* From __morestack, on the scheduler stack, preemption off: the function
 * whose caller's return address is at entry_sp needs frame bytes of stack
 * and has args bytes of stack arguments. */
__attribute__((used)) uintptr_t rt_morestack(struct g *g, uintptr_t entry_sp, size_t frame,
                                             size_t args)
{
	g->in_systemstack = 1;
	g->untidy = 1;
	struct stack_seg *s = &g->seg[g->cur_seg];
	uintptr_t sp = 0, need = entry_sp - frame - plat_stack_slack - SMALL_FRAME - 64;
	if (need > entry_sp || entry_sp < s->base || entry_sp > s->hi)
		need = 0;
	if (!grow(g, s, need)) {
		struct stack_seg *b = &g->seg[1];
		if (g->cur_seg == 1)
			overflow(g, NULL);
		if (!b->base) {
			b->base = big_window_get();
			if (!b->base)
				overflow(g, "out of memory (stack address space)");
			b->hi = b->lo = b->base + BIG_WINDOW;
		}
		size_t room = (args + 15) & ~15ul;
		sp = b->hi - room - 8;
		g->seg0_limit = g->stack_limit;
		need = sp - frame - plat_stack_slack - SMALL_FRAME - 64;
		if (need > sp || need < b->base + GUARD)
			overflow(g, NULL);
		if (b->lo > need && !commit(need & ~(PAGE - 1), b->lo - (need & ~(PAGE - 1))))
			overflow(g, "out of memory (stack)");
		if (b->lo > need)
			b->lo = need & ~(PAGE - 1);
		*(uintptr_t *)sp = (uintptr_t)rt_morestack_ret;
		memcpy((void *)(sp + 8), (void *)(entry_sp + 8), args);
		g->seg0_sp = entry_sp;
		g->cur_seg = 1;
		g->stack_limit = limit_of(b);
	}
	g->in_systemstack = 0;
	return sp;
}

/* alloca and VLAs past the limit: gcc asks for memory elsewhere.  The block
 * is collected when the frame that holds the pointer is gone. */
void *__morestack_allocate_stack_space(size_t size)
{
	return rt_malloc(size, NULL);
}

/* A recover() is about to continue g at sp, further up: if that is on the
 * first segment, the second is left.  Own task, preemption off. */
void stack_unwind_to(struct g *g, uintptr_t sp)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~7ul;
	if (here < sp && sp < g->seg[g->cur_seg].hi)
		asan_unpoison(here, sp & ~7ul);
	else
		asan_unpoison(g->seg[0].lo, sp & ~7ul);
	if (g->cur_seg == 1 && sp >= g->seg[0].base && sp < g->seg[0].hi) {
		g->cur_seg = 0;
		g->stack_limit = g->seg0_limit;
		set_stack_limit(g->stack_limit);
	}
}

/* gcc passes the red zone below rsp to leaf functions of libraries. */
#define RED_ZONE 128

void stack_scan_ranges(struct g *g, void (*fn)(uintptr_t lo, uintptr_t hi, void *), void *arg)
{
	if (g->status == G_DEAD || !g->seg[0].hi)
		return;
	uintptr_t sp = g->sp, lo, hi;
	if (stack_frozen_range(g, &lo, &hi)) {
		fn(lo, hi, arg);
		return;
	}
	if (sp == (uintptr_t)g->pctx && sp) {
		struct preempt_ctx *c = g->pctx;
		fn((uintptr_t)&c->f, (uintptr_t)(&c->f + 1), arg);
		fn((uintptr_t)c->fp, (uintptr_t)c->fp + (plat_fp_size & ~7ul), arg);
		sp = (c->f.rsp - RED_ZONE) & ~7ul;
	}
	struct stack_seg *s = &g->seg[g->cur_seg];
	/* A function with deferred calls that is just returning: its frame lives. */
	sp = defer_low(g, sp);
	if (sp < s->lo)
		sp = s->lo;
	if (sp > s->hi)
		throw("stack_scan_ranges: goroutine %lu: sp %p above its stack", (unsigned long)g->id,
		      (void *)sp);
	fn(sp, s->hi, arg);
	if (g->cur_seg == 1)
		fn(g->seg0_sp, g->seg[0].hi, arg);
}
