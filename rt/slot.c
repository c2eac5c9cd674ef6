/* slot.c: slots, the small first segments of task stacks, and the Gs that
 * own them.
 *
 * Most tasks never need more than a kilobyte of stack, so a task begins in a
 * slot of 2 KiB, half a page; what outgrows it goes on elsewhere (stack.c).
 * A slot's address never changes, and belongs to one G for ever: slot and G
 * have the same index, so that each is found from the other, and the owners
 * of a page, by arithmetic (stack.h).
 *
 * A page of slots is in one of these states:
 *
 *   without memory   in sched.gbare, by its first G; all its Gs are dead
 *   with memory      each of its Gs is alive, or in a free list
 *
 * slot_page_give() leads from the first to the second, stack_free_dead()
 * back, as Go's collector frees the stacks of dead Gs: when the page's Gs are
 * all in the global free list.
 *
 * Invariants: a G in a P's or the global free list has memory in its slot.
 * Nothing is written below slot_limit() less what unchecked code may take;
 * debug builds keep a mark at the bottom. */
#include "freeze.h"
#include "proc.h"

struct stacks stacks;
static struct lock slot_lock = LOCK_INIT(RANK_STACK);
static uintptr_t gs_end;   /* where the committed part of gs ends; under slot_lock */
static size_t inuse;       /* committed bytes of slots and windows; seq_cst with freeze.c's compactor_idle */
static uint32_t freeing;   /* stack_free_dead() is at work; atomic */

size_t stack_bytes_inuse(void)
{
	return at_load_sc(&inuse);
}

void stack_bytes_add(int64_t n)
{
	at_add(&inuse, (size_t)n);
}

bool stack_commit(uintptr_t va, size_t len)
{
	if (!plat_stack_commit(va, len))
		return false;
	stack_bytes_add((int64_t)len);
	return true;
}

void stack_release(uintptr_t va, size_t len)
{
	plat_stack_release(va, len);
	stack_bytes_add(-(int64_t)len);
}

uintptr_t slot_limit(const struct g *g)
{
	return slot_lo(g) + plat_stack_slack + SMALL_FRAME + MARK_ROOM;
}

void slots_init(void)
{
	gs_end = (uintptr_t)stacks.gs;
}

/* Makes the Gs of this many pages.  Returns a list, by next, of the first G
 * of each page, as sched.gbare has them; NULL without memory.  system. */
struct g *slots_make(unsigned pages)
{
	uint32_t n = pages * slots_per_page();
	lock(&slot_lock);
	uint32_t first = stacks.nslots;
	uintptr_t need = (uintptr_t)&stacks.gs[first + n];
	bool ok = first + n <= stacks.slots_max;
	if (ok && need > gs_end) {
		size_t len = (need - gs_end + STACK_PAGE - 1) & ~(STACK_PAGE - 1);
		ok = plat_stack_commit(gs_end, len);
		if (ok) {
			memset((void *)gs_end, 0, len);
			gs_end += len;
		}
	}
	if (ok)
		at_store_rel(&stacks.nslots, first + n);
	unlock(&slot_lock);
	if (!ok)
		return NULL;
	struct g *gs = &stacks.gs[first];
	for (uint32_t i = 0; i < n; i++) {
		uintptr_t colour = (first + i) / slots_per_page() % STACK_COLOURS * CACHE_LINE;
		gs[i].top = stacks.slots + (first + i + 1) * plat_stack_slot - colour;
		gs[i].stack_limit = slot_limit(&gs[i]);
		if (i % slots_per_page() == 0 && i + slots_per_page() < n)
			gs[i].next = &gs[i + slots_per_page()];
	}
	allgs_add(gs, n);
	return gs;
}

bool slot_page_give(struct g *first)
{
	size_t len = plat_stack_slot < STACK_PAGE ? STACK_PAGE : plat_stack_slot;
	if (!stack_commit(slot_lo(first), len))
		return false;
	slot_marks((void *)slot_lo(first));
	return true;
}

/* The marks of a page's slots, where they have one.  Page: as it will be, or
 * through another mapping. */
void slot_marks(void *page)
{
#ifdef INGOT_DEBUG
	for (uint32_t i = 0; slots_per_page() > 1 && i < slots_per_page(); i++)
		*(uint64_t *)((char *)page + i * plat_stack_slot) = SLOT_MARK;
#else
	(void)page;
#endif
}

/* Gs of one slots_make() follow each other in the list as in memory. */
void stack_scan_soon(const struct g *g)
{
	const struct g *soon = g + 4;
	__builtin_prefetch(g + 8);
	__builtin_prefetch((g + 8)->gc_begin);
	if (slot_of(soon) >= at_load(&stacks.nslots))
		return;
	uintptr_t sp = at_load(&soon->sp);
	for (unsigned i = 0; i < 6; i++)
		__builtin_prefetch((void *)(sp + i * CACHE_LINE));
}

/* ---- for freeze.c ------------------------------------------------------------ */

unsigned stack_page_pieces(uintptr_t page, struct stack_piece p[STACK_PAGE_PIECES])
{
	if (page >= stacks.windows) {
		uintptr_t off = page - stacks.windows, i = off / STACK_WINDOW;
		if (off % STACK_WINDOW != STACK_WINDOW - STACK_PAGE || i >= at_load_acq(&stacks.nexts))
			return 0;
		struct stack_ext *e = &stacks.exts[i];
		p[0] = (struct stack_piece){ at_load(&e->g), 1, &e->frozen, e->fast_top };
		return p[0].g != NULL;
	}
	struct g *first = slot_page_first(page);
	if (!first || page != stack_piece_page(first, 0))
		return 0;
	for (uint32_t i = 0; i < slots_per_page(); i++)
		p[i] = (struct stack_piece){ first + i, 0, &first[i].frozen, first[i].top };
	return slots_per_page();
}

uintptr_t stack_piece_page(const struct g *g, uint32_t seg)
{
	return (seg_hi(g, seg) - 1) & ~(STACK_PAGE - 1);
}

/* Where a page is less than the slack, the platform maps what lies below by
 * itself. */
bool stack_freezable(const struct g *g, uint32_t seg, struct plat_range *r)
{
	const struct g *first = g - slot_of(g) % slots_per_page();
	if (seg == 0)
		*r = (struct plat_range){ slot_lo(first), plat_stack_slot * slots_per_page() };
	else
		*r = (struct plat_range){ seg_lo(g, 1), seg_hi(g, 1) - seg_lo(g, 1) };
	return r->len == STACK_PAGE || plat_stack_slack > STACK_PAGE;
}

/* ---- the memory of dead tasks ------------------------------------------------ */

/* g->slot_dead: */
enum { NOT_LISTED, LISTED, FREEABLE };

struct run {
	struct g *first;  /* of so many pages, side by side */
	uint32_t pages;
};

/* More would keep preemption off for long. */
#define RUN_MAX 256
#define ENOUGH 64 /* dead Gs, to be worth the trouble */
#define WALK_MAX 4096 /* with preemption off */

static void release_run(void *arg)
{
	struct run *r = arg;
	size_t len = plat_stack_slot * slots_per_page();
	stack_release(slot_lo(r->first), len * r->pages);
}

/* The pages around this one that can be freed with it, marked as done. */
static struct run take_run(struct g *g)
{
	uint32_t k = slots_per_page();
	struct g *lo = g, *hi = g + k; /* hi: beyond */
	struct g *end = &stacks.gs[at_load_acq(&stacks.nslots)];
	while (lo > stacks.gs && (lo - k)->slot_dead == FREEABLE && hi - lo < RUN_MAX * k)
		lo -= k;
	while (hi < end && hi->slot_dead == FREEABLE && hi - lo < RUN_MAX * k)
		hi += k;
	for (struct g *x = lo; x < hi; x++)
		x->slot_dead = NOT_LISTED;
	return (struct run){ lo, (uint32_t)(hi - lo) / k };
}

/* A P that is alone keeps all its dead Gs.  Those that it has certainly not
 * wanted since the last collection, because it started fewer tasks, go to the
 * global list. */
static void take_from_p(void)
{
	static uint64_t nstarted; /* at the last collection */
	struct g *me = preempt_off(), *list = NULL, *last;
	struct p *p = rt_self.p;
	uint64_t keep = p->nstarted - nstarted + ENOUGH, n = 0;
	nstarted = p->nstarted;
	if (rt_alone && keep < p->ngfree && keep < WALK_MAX) {
		struct g *g = p->gfree;
		for (uint64_t i = 1; i < keep; i++)
			g = g->next;
		list = g->next;
		g->next = NULL;
		n = p->ngfree - keep;
		p->ngfree = (uint32_t)keep;
	}
	preempt_on(me);
	if (!list)
		return;
	for (last = list; last->next; last = last->next)
		;
	lock(&sched.lock);
	last->next = sched.gfree;
	sched.gfree = list;
	at_store(&sched.ngfree, sched.ngfree + (uint32_t)n);
	sched.ngfree_min += (uint32_t)n;
	unlock(&sched.lock);
}

/* Gives back the memory of dead Gs' slots: of as many Gs of the global free
 * list as nobody wanted since the last collection, the last to be taken,
 * where a page is used by no other.  After a collection, as
 * markrootFreeGStacks in Go's mgcmark.go, which frees them all.  task. */
COLD void stack_free_dead(void)
{
	uint32_t k = slots_per_page();
	if (at_swap(&freeing, 1))
		return;
	take_from_p();
	lock(&sched.lock);
	uint32_t n = sched.ngfree_min;
	struct g *list = NULL, **from = &sched.gfree;
	if (n >= ENOUGH && sched.ngfree - n < WALK_MAX) {
		for (uint32_t i = n; i < sched.ngfree; i++)
			from = &(*from)->next;
		list = *from;
		*from = NULL;
		at_store(&sched.ngfree, sched.ngfree - n);
	}
	sched.ngfree_min = sched.ngfree;
	unlock(&sched.lock);
	for (struct g *g = list; g; g = g->next)
		g->slot_dead = LISTED;
	for (struct g *g = list; g; g = g->next) {
		struct g *first = g - slot_of(g) % k;
		bool all = true;
		for (uint32_t i = 0; i < k; i++)
			all &= first[i].slot_dead != NOT_LISTED;
		for (uint32_t i = 0; all && i < k; i++)
			first[i].slot_dead = FREEABLE;
	}
	/* Those that stay; the others are found again from their pages. */
	struct g *stay = NULL, *go = NULL, *last = NULL, *go_last = NULL;
	uint32_t nstay = 0;
	for (struct g *g = list, *next; g; g = next) {
		next = g->next;
		if (g->slot_dead == LISTED) {
			g->slot_dead = NOT_LISTED;
			g->next = stay;
			stay = g;
			last = last ? last : g;
			nstay++;
		} else if (slot_of(g) % k == 0) {
			g->next = go;
			go = g;
			go_last = go_last ? go_last : g;
		}
	}
	lock(&sched.lock);
	if (stay) {
		last->next = sched.gfree;
		sched.gfree = stay;
		at_store(&sched.ngfree, sched.ngfree + nstay);
	}
	unlock(&sched.lock);
	for (struct g *g = go; g; g = g->next) {
		if (g->slot_dead != FREEABLE)
			continue; /* went with a neighbour */
		struct run r = take_run(g);
		rt_systemstack(release_run, &r);
	}
	if (go) {
		lock(&sched.lock);
		go_last->next = sched.gbare;
		sched.gbare = go;
		unlock(&sched.lock);
	}
	at_store_rel(&freeing, 0);
}
