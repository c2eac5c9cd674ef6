/* stack.c: task stacks that grow without being moved.
 *
 * C frames cannot be moved, so addresses must stay.  gcc's -fsplit-stack
 * prologue compares rsp with the limit in FS:0x70 and calls __morestack
 * (asm.S) when a frame does not fit.  A task's stack is a chain of at most
 * three segments:
 *
 *   0  the slot, 2 KiB at the task's creation; never grows (slot.c)
 *   1  a window of 68 KiB of address space, of which as many pages are
 *      committed as are needed: it grows in place
 *   2  a large window, for all up to the task's limit (64 MiB unless
 *      set_max_stack() or go_stack() say otherwise); grows in place too
 *
 * A function that does not fit is entered on a further segment, like on a
 * classic split stack, and returns by way of rt_morestack_ret.  A segment is
 * kept until the task ends, so crossing the border again costs 55
 * instructions, there and back, and no allocation.  And tasks whose entry function is known
 * to outgrow the slot begin on the window at once (the table of deep
 * functions below): they cross it once.
 *
 * Rejected: guard-page faults (need a page table walk in a trap, and an
 * overflow is found only by luck); copying (C has pointers into frames); a
 * whole page for each task (4.4 KiB where most use half a kilobyte).
 *
 * Invariants: [lo, hi) of a segment is committed; base is at least one page
 * below what is ever committed, so the slack never reaches the neighbour;
 * stack_limit = lo + plat_stack_slack + 256, because frames under 256 bytes
 * compare rsp itself.  Only the owner core changes a segment, preemption
 * off, on the scheduler stack.  Windows are recycled (S1 is
 * plat_stack_release's duty). */
#include "freeze.h"
#include "proc.h"

#define PAGE STACK_PAGE
#define GUARD PAGE
#define BIG_WINDOW_MIN_SHIFT 26 /* 64 MiB */
#define STACK_MAX_DEFAULT (64ul << 20) /* Go: 1 GB */
#define STACK_MAX_CEILING (1ul << 30)
#define WARM_MAX 32 /* free windows that keep memory */
#define WARM_BYTES (4 * PAGE)

static struct lock stack_lock = LOCK_INIT(RANK_STACK);
static uintptr_t exts_end;     /* where the committed part of exts ends; under stack_lock */
static uintptr_t big_low;      /* large windows lie above; under stack_lock */
static struct stack_ext *warm, *cold; /* free, with memory in the window and without; stack_lock */
static unsigned nwarm;
static size_t max_stack = STACK_MAX_DEFAULT; /* relaxed */

/* Free large windows, by size.  They are few: the list lives here, not in their memory. */
struct big_window {
	uintptr_t base;
	struct big_window *next;
};
#define BIG_SIZES 5 /* 64 MiB ... 1 GiB, and a guard */
static struct big_window *big_list[BIG_SIZES], *big_spare; /* under stack_lock */

/* ---- layout -------------------------------------------------------------- */

#define LARGE_PAGE (2ul << 20)

/* Zen's first-level cache tells lines of a set apart by a hash of address
 * bits 12 to 27: without this the first Gs, the first slots and (hosted) the
 * first P have the same, and a yield takes 25 ns instead of 13. */
#define GS_COLOUR (0x5bul * PAGE)

void stack_init(void)
{
	uintptr_t base = plat_stack_base(), at = base;
	size_t dense = plat_stack_size() / 4;
	size_t n = dense / (plat_stack_slot + sizeof(struct g) + sizeof(struct stack_ext)) & ~(LARGE_PAGE - 1);
	stacks.slots_max = stacks.exts_max = n < UINT32_MAX / 2 ? (uint32_t)n : UINT32_MAX / 2;
	stacks.slots = at;
	at += n * plat_stack_slot + GS_COLOUR;
	stacks.gs = (struct g *)at;
	at += n * sizeof(struct g);
	stacks.exts = (struct stack_ext *)at;
	stacks.windows = base + dense;
	stacks.end = base + plat_stack_size();
	exts_end = at;
	slots_init();
	big_low = stacks.end;
}

struct g *stack_owner(uintptr_t addr, uintptr_t *lo, uintptr_t *hi)
{
	struct g *g = NULL;
	uint32_t seg = 0;
	uint32_t nexts = at_load_acq(&stacks.nexts);
	if (addr >= stacks.slots && addr < (uintptr_t)stacks.gs) {
		uintptr_t i = (addr - stacks.slots) / plat_stack_slot;
		g = i < at_load_acq(&stacks.nslots) ? &stacks.gs[i] : NULL;
	} else if (addr >= stacks.windows && addr < stacks.windows + nexts * STACK_WINDOW) {
		g = stacks.exts[(addr - stacks.windows) / STACK_WINDOW].g;
		seg = 1;
	} else if (addr >= stacks.windows && addr < stacks.end) {
		for (uint32_t i = 0; i < nexts && !g; i++)
			if (addr - stacks.exts[i].seg[1].base < stacks.exts[i].seg[1].hi - stacks.exts[i].seg[1].base)
				g = stacks.exts[i].g;
		seg = 2;
	}
	if (!g || !g->top || (seg && !g->ext))
		return NULL;
	*lo = seg_lo(g, seg);
	*hi = seg_hi(g, seg);
	return *lo && addr >= *lo && addr < *hi ? g : NULL;
}

/* ---- limits --------------------------------------------------------------- */

size_t stack_max(const struct g *g)
{
	return g->ext && g->ext->max ? g->ext->max : at_load(&max_stack);
}

static void check_max(size_t bytes, const char *what)
{
	if (bytes < STACK_WINDOW || bytes > STACK_MAX_CEILING)
		rt_panic("%s: a stack limit of %zu bytes is not between 68 KiB and 1 GiB", what, bytes);
}

size_t set_max_stack(size_t bytes)
{
	check_max(bytes, "set_max_stack");
	return at_swap(&max_stack, bytes);
}

void stack_check_max(size_t bytes)
{
	check_max(bytes, "go_stack");
}

/* ---- windows ------------------------------------------------------------- */

static uintptr_t limit_of(const struct stack_seg *s)
{
	return s->lo + plat_stack_slack + SMALL_FRAME;
}

/* Gives g segment 1; its window may still be without memory. */
static bool ext_get(struct g *g)
{
	lock(&stack_lock);
	struct stack_ext *e = warm ? warm : cold;
	if (warm) {
		warm = e->next;
		nwarm--;
	} else if (cold) {
		cold = e->next;
	} else if (stacks.nexts < stacks.exts_max &&
	           stacks.windows + (stacks.nexts + 1ul) * STACK_WINDOW <= big_low) {
		e = &stacks.exts[stacks.nexts];
		if ((uintptr_t)(e + 1) > exts_end) {
			bool ok = plat_stack_commit(exts_end, PAGE);
			if (ok) {
				memset((void *)exts_end, 0, PAGE);
				exts_end += PAGE;
			} else {
				e = NULL;
			}
		}
		if (e) {
			struct stack_seg *s = &e->seg[0];
			s->base = stacks.windows + stacks.nexts * STACK_WINDOW;
			s->hi = s->base + STACK_WINDOW;
			at_store_rel(&stacks.nexts, stacks.nexts + 1);
		}
	}
	unlock(&stack_lock);
	if (!e)
		return false;
	struct stack_seg *s = &e->seg[0];
	e->fast_top = s->hi - s->base / STACK_WINDOW % STACK_COLOURS * CACHE_LINE;
	e->fast_limit = s->lo ? limit_of(s) : UINTPTR_MAX;
	e->back[0] = (struct stack_back){ 0, slot_limit(g), 0 };
	e->max = 0;
	e->g = g;
	g->ext = e;
	g->untidy = 1;
	return true;
}

bool stack_limit_set(struct g *g, size_t max)
{
	if (!g->ext && !ext_get(g))
		return false;
	g->ext->max = max;
	return true;
}

static unsigned big_size(size_t bytes)
{
	unsigned n = 0;
	while ((1ul << (n + BIG_WINDOW_MIN_SHIFT)) < bytes)
		n++;
	return n;
}

/* A large window for `bytes`, in s. */
static bool big_get(struct stack_seg *s, size_t bytes)
{
	unsigned n = big_size(bytes);
	size_t size = (1ul << (n + BIG_WINDOW_MIN_SHIFT)) + GUARD;
	uintptr_t base = 0;
	lock(&stack_lock);
	struct big_window *w = big_list[n];
	if (w) {
		big_list[n] = w->next;
		base = w->base;
		w->next = big_spare;
		big_spare = w;
	} else if (big_low - size >= stacks.windows + (stacks.nexts + 1ul) * STACK_WINDOW) {
		base = big_low -= size;
	}
	unlock(&stack_lock);
	if (!base)
		return false;
	if (!w) {
		struct big_window *fresh = persistent_alloc(sizeof *fresh);
		lock(&stack_lock);
		fresh->next = big_spare;
		big_spare = fresh;
		unlock(&stack_lock);
	}
	/* base last: stack_owner() may look */
	s->hi = s->lo = base + size;
	at_store_rel(&s->base, base);
	return true;
}

static void big_put(struct stack_seg *s)
{
	if (s->lo != s->hi)
		stack_release(s->lo, s->hi - s->lo);
	unsigned n = big_size(s->hi - s->base - GUARD);
	lock(&stack_lock);
	struct big_window *w = big_spare;
	big_spare = w->next;
	w->base = s->base;
	w->next = big_list[n];
	big_list[n] = w;
	unlock(&stack_lock);
	*s = (struct stack_seg){ 0 };
}

static void ext_put(struct stack_ext *e)
{
	struct stack_seg *s = &e->seg[0];
	if (e->seg[1].base) {
		asan_unpoison(e->seg[1].lo, e->seg[1].hi);
		big_put(&e->seg[1]);
	}
	e->g = NULL;
	bool keep = at_load(&nwarm) < WARM_MAX && s->lo; /* about so many */
	uintptr_t lo = keep ? s->hi - WARM_BYTES : s->hi;
	if (s->lo)
		asan_unpoison(s->lo, s->hi);
	if (s->lo && s->lo < lo) {
		stack_release(s->lo, lo - s->lo);
		s->lo = lo;
	}
	if (!keep)
		s->lo = 0;
	lock(&stack_lock);
	struct stack_ext **list = keep ? &warm : &cold;
	nwarm += keep;
	e->next = *list;
	*list = e;
	unlock(&stack_lock);
}

void stack_shrink_dead(struct g *g)
{
	if (!g->ext)
		return;
	ext_put(g->ext);
	g->ext = NULL;
}

void stack_shrink_parked(struct g *g)
{
	struct stack_ext *e = g->ext;
	if (!e)
		return;
	if (g->cur_seg == 0 && !e->max) {
		stack_shrink_dead(g);
		return;
	}
	struct stack_seg *s = &e->seg[0];
	if (g->cur_seg > 1 || !s->lo)
		return;
	if (e->seg[1].base)
		big_put(&e->seg[1]);
	uintptr_t lo = g->cur_seg ? (g->sp - plat_stack_slack - SMALL_FRAME) & ~(PAGE - 1) : s->hi;
	if (lo <= s->lo)
		return;
	stack_release(s->lo, lo - s->lo);
	s->lo = lo < s->hi ? lo : 0;
	e->fast_limit = s->lo ? limit_of(s) : UINTPTR_MAX;
	if (g->cur_seg)
		g->stack_limit = e->fast_limit;
}

/* ---- functions whose tasks outgrow their slots ---------------------------- */

/* Which functions: a small table by the address of the entry function.  One
 * that overflowed LEARN times is deep: its tasks begin on a window, all but
 * each TRIAL-th, which shows whether that is still so: when of TRIALS such
 * tasks less than a quarter overflowed, the function is no longer deep, and
 * has to show twice as many overflows before it is again.  Two functions
 * that share an entry of the table take turns.  All counts are hints: racing
 * updates may be lost. */
#define DEEP_FNS 64
#define LEARN 4
#define TRIAL 16
#define TRIALS 16
struct deep_fn {
	void (*fn)(void *);
	bool deep;
	uint8_t claims;  /* overflows by other functions, which want the entry */
	uint16_t starts; /* while deep */
	uint16_t trials;
	uint16_t overflows;
	uint16_t needed;
};
static struct deep_fn deep_fns[DEEP_FNS] NOSCAN_BSS;
uint32_t stack_deep_fns;

static struct deep_fn *deep_fn_of(void (*fn)(void *))
{
	uintptr_t a = (uintptr_t)fn;
	return &deep_fns[(a >> 4 ^ a >> 10) % DEEP_FNS];
}

static void deep_set(struct deep_fn *d, bool deep)
{
	d->starts = d->trials = d->overflows = 0;
	if (d->deep != deep)
		at_add_relaxed(&stack_deep_fns, deep ? 1 : -1u);
	d->deep = deep;
}

bool stack_starts_deep(const struct g *g)
{
	struct deep_fn *d = deep_fn_of(g->entry);
	if (d->fn != g->entry || !d->deep)
		return false;
	if (++d->starts % TRIAL)
		return true;
	if (++d->trials > TRIALS) {
		if (d->overflows < TRIALS / 4) {
			d->needed = d->needed < 1 << 14 ? d->needed * 2 : 1 << 15;
			deep_set(d, false);
		} else {
			d->trials = d->overflows = 0;
		}
	}
	return false;
}

/* A task that began on its slot outgrew it.  Under stack_lock for deep_set(). */
static void deep_learn(struct g *g)
{
	struct deep_fn *d = deep_fn_of(g->entry);
	if (d->fn != g->entry) {
		if (d->fn && ++d->claims < LEARN)
			return;
		deep_set(d, false);
		d->fn = g->entry;
		d->needed = LEARN;
		d->claims = 0;
	}
	d->claims = 0;
	if (++d->overflows >= d->needed && !d->deep)
		deep_set(d, true);
}

/* ---- growing -------------------------------------------------------------- */

static noreturn void overflow(struct g *g, const char *what)
{
	/* The backtrace must start at the task, not here. */
	rt_self.g = g;
	fatal_stack(g, what);
}

/* Bytes in use on the segments before seg. */
static size_t bytes_before(const struct g *g, uint32_t seg)
{
	size_t n = 0;
	while (seg) {
		const struct stack_back *b = &g->ext->back[seg - 1];
		n += (b->seg ? g->ext->seg[b->seg - 1].hi : g->top) - b->sp;
		seg = (uint32_t)b->seg;
	}
	return n;
}

/* Commits more of segment seg (1 or 2) so that `need` becomes accessible;
 * false: its window ends, or the task's limit.  Doubles, up to 64 KiB at a
 * time. */
static bool grow(struct g *g, uint32_t seg, uintptr_t need)
{
	struct stack_seg *s = &g->ext->seg[seg - 1];
	uintptr_t lo = need & ~(PAGE - 1), floor = s->base + GUARD;
	uintptr_t from = s->lo ? s->lo : s->hi;
	if (seg == 2) {
		size_t max = stack_max(g), before = bytes_before(g, 2);
		uintptr_t limit = s->hi - (max > before ? (max - before) & ~(PAGE - 1) : 0);
		if (limit > floor)
			floor = limit;
	}
	if (lo < floor || lo > s->hi)
		return false;
	size_t have = s->hi - from, extra = have < (64ul << 10) ? have : 64ul << 10;
	if (from - floor < extra)
		extra = from - floor;
	if (lo < from) {
		uintptr_t want = from - lo < extra ? from - extra : lo;
		if (!stack_commit(want, from - want)) {
			want = lo;
			if (!stack_commit(want, from - want))
				overflow(g, "out of memory (stack)");
		}
		s->lo = want;
	}
	if (seg == 1)
		g->ext->fast_limit = limit_of(s);
	return true;
}

/* What a frame entered with its return address at sp needs accessible. */
static uintptr_t need_of(uintptr_t sp, size_t frame)
{
	return sp - frame - plat_stack_slack - SMALL_FRAME - 64;
}

/* From __morestack, on the scheduler stack, preemption off: the function
 * whose caller's return address is at entry_sp needs frame bytes of stack
 * and has args bytes of stack arguments.  Returns 0 when the segment has
 * grown, else where to enter the function: the place of its return address on
 * a further segment. */
__attribute__((used)) uintptr_t rt_morestack(struct g *g, uintptr_t entry_sp, size_t frame,
                                             size_t args)
{
	g->in_systemstack = IN_MORESTACK;
	uint32_t cur = g->cur_seg;
	uintptr_t sp = 0;
	if (frame > STACK_MAX_CEILING)
		overflow(g, NULL);
	if (!cur && !g->ext) {
		if (!ext_get(g))
			overflow(g, "out of memory (stack)");
		if (frame != WINDOW_CALL_FRAME) {
			lock(&stack_lock);
			deep_learn(g);
			unlock(&stack_lock);
		}
	}
	struct stack_ext *e = g->ext;
	if (cur == 0 || !grow(g, cur, need_of(entry_sp, frame))) {
		uint32_t seg = cur;
		/* Programs that pass many arguments of unknown size say more than there are. */
		if (args > seg_hi(g, cur) - (entry_sp + 8))
			args = seg_hi(g, cur) - (entry_sp + 8);
		size_t room = ((args + 15) & ~15ul) + 8;
		do {
			if (++seg > 2)
				overflow(g, NULL);
			e->back[seg - 1] = (struct stack_back){ entry_sp, g->stack_limit, cur };
			if (seg == 2 && !e->seg[1].base) {
				e->max = stack_max(g); /* it keeps the limit that its window is made for */
				if (!big_get(&e->seg[1], e->max))
					overflow(g, "out of memory (stack address space)");
			}
			sp = (seg == 1 ? e->fast_top : e->seg[1].hi) - room;
		} while (!grow(g, seg, need_of(sp, frame)));
		*(uintptr_t *)sp = (uintptr_t)rt_morestack_ret;
		memcpy((void *)(sp + 8), (void *)(entry_sp + 8), args);
		g->cur_seg = seg;
		cur = seg;
	}
	g->stack_limit = limit_of(&e->seg[cur - 1]);
	g->in_systemstack = IN_TASK;
	return sp;
}

/* alloca and VLAs past the limit: gcc asks for memory elsewhere.  The block
 * is collected when the frame that holds the pointer is gone. */
void *__morestack_allocate_stack_space(size_t size)
{
	return rt_malloc(size, NULL);
}

/* ---- leaving and looking ---------------------------------------------------- */

/* The task is about to go on at sp, further up, where a recover() leads to:
 * the segment there and its limit.  What is skipped is wiped for ASan.  Own
 * task; segment and rsp are then changed in one step, by asm.S. */
struct stack_back stack_unwind_to(struct g *g, uintptr_t sp)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~7ul;
	uint32_t seg = g->cur_seg;
	struct stack_back to = { sp, g->stack_limit, seg };
	while (seg && !(sp >= seg_lo(g, seg) && sp < seg_hi(g, seg))) {
		to = g->ext->back[seg - 1];
		asan_unpoison(seg_lo(g, seg), seg_hi(g, seg));
		here = to.sp & ~7ul;
		seg = (uint32_t)to.seg;
	}
	if (here < sp)
		asan_unpoison(here, sp & ~7ul);
	return to;
}

/* gcc passes the red zone below rsp to leaf functions of libraries. */
#define RED_ZONE 128

/* Fields may change meanwhile, the memory stays: what it reads is on g's stack, or
 * it returns false. */
bool stack_scan_ranges(struct g *g, void (*fn)(uintptr_t lo, uintptr_t hi, void *), void *arg)
{
	if (at_load(&g->status) == G_DEAD || !g->top)
		return true;
	uintptr_t sp = at_load(&g->sp);
	if (g_preempted_at(g, sp)) {
		struct preempt_ctx *c = g->pctx;
		if (!SABOTAGED(gc_registers))
			fn((uintptr_t)&c->f, (uintptr_t)(&c->f + 1), arg);
		if (!SABOTAGED(gc_vectors))
			fn((uintptr_t)c->fp, (uintptr_t)c->fp + (plat_fp_size & ~7ul), arg);
		sp = (c->f.rsp - RED_ZONE) & ~7ul;
	}
	uint32_t seg = at_load(&g->cur_seg);
	struct stack_ext *e = at_load(&g->ext);
	struct frozen *none = NULL;
	/* A function with deferred calls that is just returning: its frame lives. */
	sp = defer_low(g, sp);
	for (bool first = true;; first = false) {
		if (seg > 2 || (seg && !e))
			return false;
		uintptr_t lo = seg ? at_load_acq(&e->seg[seg - 1].lo) : slot_lo(g);
		uintptr_t top = seg == 0 ? g->top : seg == 1 ? e->fast_top : e->seg[1].hi;
		struct frozen *b = at_load_acq(seg == 0 ? &g->frozen : seg == 1 ? &e->frozen : &none);
		if (first && sp < lo)
			sp = lo;
		if (!lo || sp < lo || sp > top + STACK_COLOURS * CACHE_LINE)
			return false;
		if (b) {
			uint32_t off = at_load(&b->off);
			if (off > (top - 1) % STACK_PAGE)
				return false;
			fn((uintptr_t)b->data, (uintptr_t)b->data + ((top - 1) % STACK_PAGE + 1 - off), arg);
		} else {
			fn(sp, top, arg);
		}
		if (!seg)
			return true;
		sp = at_load(&e->back[seg - 1].sp);
		uint32_t below = (uint32_t)at_load(&e->back[seg - 1].seg);
		if (below >= seg)
			return false;
		seg = below;
	}
}

uintptr_t stack_large_low(void)
{
	return at_load(&big_low);
}
