/* freeze.c: parked tasks without their stack pages.
 *
 * A parked task needs a few hundred bytes of its stack, and has a page.  To
 * freeze it is to copy what is alive, [sp, top), to a block of that size and
 * to give the page back.  The stack's addresses stay: whoever touches the page,
 * the task itself when it is dispatched or another that holds a pointer into
 * it (a sudog, a timer, &local), takes a page fault, and rt_stack_fault() puts
 * a fresh page there, with the contents, in one step.  Nothing else in the
 * runtime knows, except what only looks (collector, backtraces): that reads
 * the copy, stack_word() and stack_scan_ranges().
 *
 * Who is frozen: a task that has been parked for two looks of the compactor,
 * a system task that looks each rt_settings.stackfreeze ms while stacks take
 * more than COMPACT_MIN.  The first look clears g->p, and any dispatch sets it
 * again, so parking and dispatching know nothing of looks.
 *
 * What is frozen is pages: of slots, two tasks' at a time, when all of its tasks
 * that are not dead are parked, and the top page of a window (stack_piece).
 *
 * Freezing happens in short stops of the world, FREEZE_BATCH pages each: no
 * task runs, so nobody can write to a page between the copy and the unmapping,
 * and every core has flushed before a frame is used again (rule S1).
 *
 * Invariants.  A copy (g->frozen, g->ext->frozen) is set in a stop and cleared
 * under freeze_lock; while it is set, g waits, and the page is unmapped (or
 * holds nothing).  The order of a thaw: content, mapping, copy = NULL,
 * block freed.  A thaw runs in the fault of any code that may touch another
 * task's stack, hence: none does so holding a lock of rank RANK_FREEZE or
 * higher, nor in an interrupt handler. */
#include "api_mem.h"
#include "freeze.h"
#include "proc.h"
#include "timer.h"

#define FREEZE_BATCH 128
#define LIVE_MAX 3072ul        /* more alive than this is not worth a block */
#define COMPACT_MIN (4ul << 20)
#define LOOK_NS 20000ul        /* between looks, for each task: so they take well under 1 % */

static struct lock freeze_lock = LOCK_INIT(RANK_FREEZE);
static bool cannot;            /* the platform has no way to; set in a stop */
static uint64_t pause_max;     /* ns; in a stop */

/* ---- blocks ----------------------------------------------------------------- */

/* Blocks of one size are cut from pages of the heap's; the page begins with
 * this.  A slab with free blocks is in the list of its class. */
struct slab {
	struct slab *next, *prev;
	struct frozen *free;
	uint32_t used, class;
};

#define SLAB_SIZE 8192ul /* one heap page, aligned to its size */
#define GRAIN 32ul
#define NCLASSES ((LIVE_MAX + 8) / GRAIN + 2)

static struct slab *slabs[NCLASSES] NOSCAN_BSS; /* by class; under freeze_lock, or in a stop */
static struct {
	uint64_t tasks, slab_pages; /* frozen now; under freeze_lock, or in a stop */
	uint64_t nfreeze, nthaw;    /* so far */
} stats;

static void slab_link(struct slab *s)
{
	s->prev = NULL;
	s->next = slabs[s->class];
	if (s->next)
		s->next->prev = s;
	slabs[s->class] = s;
}

static void slab_unlink(struct slab *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		slabs[s->class] = s->next;
	if (s->next)
		s->next->prev = s->prev;
}

/* Room for n bytes of content, or NULL. */
static struct frozen *block_alloc(size_t n)
{
	uint32_t class = (uint32_t)((sizeof(struct frozen) + n + GRAIN - 1) / GRAIN);
	struct slab *s = slabs[class];
	if (!s) {
		s = mheap_alloc_manual(1);
		if (!s)
			return NULL;
		stats.slab_pages++;
		*s = (struct slab){ .class = class };
		for (size_t at = sizeof *s; at + class * GRAIN <= SLAB_SIZE; at += class * GRAIN) {
			struct frozen *b = (struct frozen *)((char *)s + at);
			b->next = s->free;
			s->free = b;
		}
		slab_link(s);
	}
	struct frozen *b = s->free;
	s->free = b->next;
	s->used++;
	if (!s->free)
		slab_unlink(s);
	return b;
}

static void block_free(struct frozen *b)
{
	struct slab *s = (struct slab *)((uintptr_t)b & ~(SLAB_SIZE - 1));
	if (!s->free)
		slab_link(s);
	if (rt_settings.junkfill)
		memset(b->data, 0xdb, s->class * GRAIN - sizeof *b);
	b->next = s->free;
	s->free = b;
	if (--s->used == 0) {
		slab_unlink(s);
		stats.slab_pages--;
		mheap_free_manual(s, 1);
	}
}

/* Copies n bytes, whole words, from or to a stack, whatever a sanitizer thinks
 * of them. */
NOASAN static void copy_words(void *to, const void *from, size_t n)
{
	n /= 8;
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

/* ---- freezing, in a stop -------------------------------------------------- */

/* g waits, left to it by itself, and not just for the end of this collection. */
static bool parked(const struct g *g)
{
	enum wait_reason why = g_wait_reason(g);
	return at_load(&g->status) == G_WAITING && !at_load_acq(&g->on_cpu) && !g->in_systemstack &&
	       !g_preempted(g) && why != WAIT_GC_CYCLE && why != WAIT_GC_ASSIST;
}

/* Where the live part of a parked task's piece begins, 0 if it cannot be frozen. */
static uintptr_t live_from(const struct stack_piece *p)
{
	const struct g *g = p->g;
	if (*p->copy || g->is_system || !parked(g))
		return 0;
	uint32_t seg = g->cur_seg;
	uintptr_t lo = defer_low(g, g->sp);
	while (seg > p->seg) {
		const struct stack_back *back = &g->ext->back[seg - 1];
		lo = back->sp;
		seg = (uint32_t)back->seg;
	}
	if (seg != p->seg) /* a window that it has and is not on */
		return 0;
	return lo < stack_piece_page(g, p->seg) || p->top - lo > LIVE_MAX ? 0 : lo;
}

/* Copies what is alive on a page that only parked tasks use.  False: not such
 * a page, or no memory for the copies; then nothing has changed. */
static bool page_copy(uintptr_t page)
{
	struct stack_piece p[STACK_PAGE_PIECES];
	struct frozen *b[STACK_PAGE_PIECES] = { NULL };
	unsigned n = stack_page_pieces(page, p);
	uintptr_t lo[STACK_PAGE_PIECES]; /* 0: of a dead task */
	bool some = false;
	for (unsigned i = 0; i < n; i++) {
		bool dead = p[i].g->status == G_DEAD;
		lo[i] = dead ? 0 : live_from(&p[i]);
		if (!dead && !lo[i])
			return false;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!lo[i])
			continue;
		b[i] = block_alloc(p[i].top - lo[i]);
		if (!b[i]) {
			while (i-- > 0)
				if (b[i])
					block_free(b[i]);
			return false;
		}
	}
	for (unsigned i = 0; i < n; i++) {
		if (!b[i])
			continue;
		some = true;
		b[i]->off = lo[i] % STACK_PAGE;
		b[i]->is_top = p[i].seg == p[i].g->cur_seg;
		stats.tasks += b[i]->is_top;
		copy_words(b[i]->data, (void *)lo[i], p[i].top - lo[i]);
		*p[i].copy = b[i];
	}
	return some;
}

/* Forgets the copies of a page. */
static void page_forget(uintptr_t page)
{
	struct stack_piece p[STACK_PAGE_PIECES];
	for (unsigned i = stack_page_pieces(page, p); i-- > 0;) {
		struct frozen *b = *p[i].copy;
		if (!b)
			continue;
		at_store_rel(p[i].copy, NULL); /* whoever looks reads the page again */
		stats.tasks -= b->is_top;
		block_free(b);
	}
}

/* Freezes the pages of these tasks where that is possible.  In a stop; how
 * many pages it gave back. */
static unsigned freeze_tasks(struct g *const *g, unsigned n)
{
	static struct plat_range r[2 * FREEZE_BATCH] NOSCAN_BSS;
	unsigned pages = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!g[i]->frozen && parked(g[i]) && !g[i]->is_system)
			stack_shrink_parked(g[i]);
		for (uint32_t seg = 0; seg <= 1 && seg <= g[i]->cur_seg; seg++)
			if (stack_freezable(g[i], seg, &r[pages]) && page_copy(stack_piece_page(g[i], seg)))
				pages++;
	}
	if (pages && !plat_stack_freeze(r, pages)) {
		cannot = true;
		for (unsigned i = 0; i < pages; i++)
			page_forget(r[i].base + r[i].len - STACK_PAGE);
		return 0;
	}
	stack_bytes_add(-(int64_t)(pages * STACK_PAGE));
	stats.nfreeze += pages;
	return pages;
}

/* ---- thawing, in the fault ----------------------------------------------- */

struct thaw {
	struct stack_piece p[STACK_PAGE_PIECES];
	unsigned n;
};

static void thaw_fill(void *page, void *arg)
{
	struct thaw *t = arg;
	if (rt_settings.junkfill)
		memset(page, 0xdb, STACK_PAGE);
	if (t->p[0].seg == 0)
		slot_marks(page);
	for (unsigned i = 0; i < t->n; i++) {
		struct frozen *b = *t->p[i].copy;
		if (b)
			copy_words((char *)page + b->off, b->data, frozen_len(b, t->p[i].top));
	}
}

/* On the fault stack: interrupts are off, and the code that faulted may hold
 * locks and have preemption on. */
int rt_stack_fault(uintptr_t addr)
{
	uintptr_t page = addr & ~(STACK_PAGE - 1);
	struct g *me = rt_self.g;
	struct thaw t;
	bool found = false, ok = true;
	me->nopreempt++; /* unlock() must not give way here */
	lock(&freeze_lock);
	t.n = stack_page_pieces(page, t.p);
	for (unsigned i = 0; i < t.n; i++)
		found |= *t.p[i].copy != NULL;
	if (found)
		ok = plat_stack_thaw(page, thaw_fill, &t);
	if (found && ok) {
		page_forget(page);
		stack_bytes_add(STACK_PAGE);
		stats.nthaw++;
	}
	unlock(&freeze_lock);
	me->nopreempt--;
	return ok ? found : -1;
}

/* ---- for those who only look ------------------------------------------------ */

/* The word at addr on a stack, without a thaw.  A frozen stack's dead part
 * reads as 0.  Nothing thaws meanwhile: in a stop, or on the fatal path. */
NOASAN uintptr_t stack_word(uintptr_t addr)
{
	struct stack_piece p[STACK_PAGE_PIECES];
	bool frozen = false;
	for (unsigned i = stack_page_pieces(addr & ~(STACK_PAGE - 1), p); i-- > 0;) {
		const struct frozen *b = at_load_acq(p[i].copy);
		if (!b)
			continue;
		frozen = true;
		if (addr % STACK_PAGE >= b->off && addr < p[i].top)
			return *(const uintptr_t *)(b->data + (addr % STACK_PAGE - b->off));
	}
	return frozen ? 0 : *(const uintptr_t *)addr;
}

void freeze_stats(struct mem_stats *m)
{
	m->frozen_tasks = stats.tasks;
	m->frozen_bytes = stats.slab_pages * SLAB_SIZE;
	m->freezes = stats.nfreeze;
	m->thaws = stats.nthaw;
	m->freeze_pause_max_ns = pause_max;
}

/* ---- who is frozen ----------------------------------------------------------- */

struct batch {
	struct g *next;  /* where the walk goes on */
	struct g *g[FREEZE_BATCH];
	unsigned n;
	unsigned pages;  /* given back by the last stop */
	uint64_t walked; /* tasks */
	bool done;
};

/* Collects the next tasks that may be frozen, some of which may have run by
 * the time of the stop.  Unless now, each must have been seen parked by the look
 * before this one. */
static void batch_collect(struct batch *b, bool now)
{
	b->n = 0;
	for (; b->next && b->n < FREEZE_BATCH; b->next = at_load_acq(&b->next->all_next)) {
		struct g *g = b->next;
		b->walked++;
		if (at_load(&g->status) != G_WAITING || (at_load(&g->frozen) && g->cur_seg == 0))
			continue;
		if (now || !at_load(&g->p))
			b->g[b->n++] = g;
		else
			at_store(&g->p, NULL); /* the mark; start_running() sets it */
	}
}

static void batch_stop(void *arg)
{
	struct batch *b = arg;
	if (!stop_world("compacting stacks"))
		return;
	uint64_t start = plat_now();
	b->pages = freeze_tasks(b->g, b->n);
	uint64_t took = plat_now() - start;
	if (took > pause_max)
		pause_max = took;
	b->done = true;
	start_world();
}

/* One walk over all tasks; returns the pages it gave back. */
static uint64_t look(struct batch *b, bool now)
{
	uint64_t pages = 0;
	b->walked = 0;
	for (b->next = at_load_acq(&rt_allgs); b->next && !cannot;) {
		batch_collect(b, now);
		for (b->done = b->n == 0; !b->done;)
			rt_systemstack(batch_stop, b);
		if (b->n)
			pages += b->pages;
	}
	return pages;
}

/* GODEBUG=freezestress=1: every parked task at each collection.  In a stop. */
void freeze_all_now(void)
{
	static struct batch b NOSCAN_BSS;
	for (b.next = rt_allgs; b.next && !cannot;) {
		batch_collect(&b, true);
		freeze_tasks(b.g, b.n);
	}
}

int64_t compact_stacks(void)
{
	struct batch *b = rt_malloc(sizeof *b, RT_NOSCAN);
	uint64_t pages = look(b, true);
	return cannot ? -1 : (int64_t)(pages * STACK_PAGE);
}

/* ---- the compactor ------------------------------------------------------------- */

static struct g *compactor NOSCAN_DATA;
static uint32_t compactor_idle; /* it waits for freeze_kick(): set by itself, swapped to 0 by
                                 * whoever readies it.  seq_cst with the bytes of stacks */

static bool few_stacks(void)
{
	return stack_bytes_inuse() <= COMPACT_MIN;
}

static bool idle_until_kicked(struct g *g, void *unused)
{
	(void)g, (void)unused;
	at_store_sc(&compactor_idle, 1);
	return few_stacks() || !at_swap(&compactor_idle, 0);
}

void freeze_kick(void)
{
	if (at_load(&compactor_idle) && !few_stacks() && at_swap(&compactor_idle, 0))
		ready(compactor, false);
}

static void compactor_wake(struct rt_timer *t, uint64_t now)
{
	(void)t, (void)now;
	ready(compactor, false);
}

static bool compactor_sleep(struct g *g, void *b)
{
	(void)g;
	timer_add(timer_background[TIMER_COMPACT], plat_now() + rt_settings.stackfreeze * 1000000ul +
	                                    ((struct batch *)b)->walked * LOOK_NS);
	return true;
}

static void compactor_main(void *unused)
{
	(void)unused;
	static struct rt_timer t NOSCAN_DATA;
	struct batch *b = rt_malloc(sizeof *b, RT_NOSCAN);
	compactor = rt_self.g;
	t.fn = compactor_wake;
	timer_background[TIMER_COMPACT] = &t;
	for (unsigned more = 0; !cannot; more--) {
		if (!few_stacks())
			more = 3; /* who parked after the last look but one is frozen too */
		if (!more) {
			park(idle_until_kicked, NULL, WAIT_COMPACT);
			more = 3;
		}
		park(compactor_sleep, b, WAIT_COMPACT);
		look(b, false);
	}
	park(NULL, NULL, WAIT_COMPACT);
}

void freeze_start(void)
{
	if (rt_settings.stackfreeze)
		rt_go_system(compactor_main, NULL);
}
