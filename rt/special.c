/* special.c: finalizers, cleanups and weak pointers.  After Go's mfinal.go,
 * mcleanup.go, package weak and the specials of mheap.go.
 *
 * A special is a record about one object, in the list of the object's span
 * (mspan.specials, by address).  The sweeper, before it frees anything of such
 * a span, hands it to sweep_specials(), which for each dead object
 *   with a finalizer   marks it again, clears its weak pointers, queues the finalizer
 *   without one        clears its weak pointers, queues its cleanups
 * and a runner, a task for each queue, makes the calls.
 *
 * The records are heap memory, held by a list (all), so what they hold (strong: a
 * cleanup's arguments, the weak handle) is marked, and written pages are tracked,
 * like everything else's.  What they are about they only know as an integer.  (Go
 * keeps them outside and makes them roots.)  One thing needs the marker's help:
 * what an object with a finalizer points to must live, but not the object.  Their
 * addresses stand in `finalizable`, whose pieces are roots.
 *
 * A weak pointer is a pointer to its handle, which holds the address, or 0 when
 * the object is dead; so equal ones are equal, and comparing needs no call.
 *
 * Weak to strong (rule C9): between the end of marking, which decides, and the
 * sweep of its span, which clears the handle, an object may be dead and look
 * alive.  weak_get runs with preemption off, so a cycle does not end meanwhile, and
 * asks whether the span's specials were looked at in this generation
 * (mspan.specials_gen): then the handle is right, else the mark bit is, under the
 * lock.  During marking every weak pointer is good: what it gives lies on the stack
 * of a task that runs, which the last stop scans.
 *
 * Invariants.  An object that somebody holds was marked, or allocated since, so a
 * special that is added after the flip needs no look in this generation: the first
 * of a span notes the current one.  specials_gen is stored after the handles are
 * cleared (release) and before a slot is freed.  Whatever happens under the lock is
 * bounded by the number of specials of one span. */
#include "special.h"
#include "proc.h"
#include "api_value.h"
#include "api_special.h"

struct lock special_lock = LOCK_INIT(RANK_LEAF);

static struct special *all;  /* by all_next; under the lock */
static uint64_t next_id = 1; /* under the lock */

struct rt_weak {
	uint64_t ptr;           /* 0: gone.  Written under the lock; read without */
	struct rt_weak *next;   /* of one to memory that never dies */
};

/* ---- runners ------------------------------------------------------------------- */

/* A task that makes the calls of one queue.  The queue: pushed to by CAS, taken
 * whole.  waiter is said first and the queue looked at second; who pushes does the
 * reverse. */
struct runner {
	struct special *head;   /* newest first */
	struct special *batch;  /* being run, oldest first; the runner's own */
	struct g *waiter;
	uint32_t started;       /* by CAS */
};

static struct runner finalizers, cleanups;

static bool runner_unlock(struct g *g, void *arg)
{
	struct runner *r = arg;
	at_store_sc(&r->waiter, g);
	return !(at_load_sc(&r->head) && at_swap(&r->waiter, NULL));
}

/* From the sweeper, in any context but irq: an allocation under some lock, or a
 * stop.  So as an interrupt does it; the core looks when preemption is on again. */
static void runner_push(struct runner *r, struct special *x)
{
	struct special *head = at_load(&r->head);
	do
		x->next = head;
	while (!at_cas(&r->head, &head, x));
	struct g *g = at_swap(&r->waiter, NULL);
	if (g) {
		ready_irq(g);
		if (rt_self.g != rt_self.g0)
			rt_self.g->resched = 1;
	}
}

static void run_queue(void *arg);

static void runner_start(struct runner *r)
{
	uint32_t no = 0;
	if (!at_load(&r->started) && at_cas(&r->started, &no, 1))
		rt_go_system(run_queue, r);
}

/* A call ended the task (goexit): the next goes on with the rest. */
static void runner_again(struct runner *r)
{
	rt_go_system(run_queue, r);
}

/* A frame of its own, so that nothing of the call stays on the stack. */
static NOINLINE void run_next(struct runner *r)
{
	struct special *x = r->batch;
	r->batch = x->next;
	x->next = NULL;
	x->fn(x->strong);
}

static void run_queue(void *arg)
{
	struct runner *r = arg;
	defer(runner_again, r);
	for (;;) {
		while (r->batch)
			run_next(r);
		struct special *x = at_swap(&r->head, NULL), *next;
		for (; x; x = next) {
			next = x->next;
			x->next = r->batch;
			r->batch = x;
		}
		if (!r->batch)
			park(runner_unlock, r, WAIT_FINALIZER);
	}
}

/* ---- objects with a finalizer, for the marker ----------------------------------- */

#define PIECE 128u
#define MAX_PIECES (1u << 16) /* 8 M finalizers */

/* Piece i of `finalizable`; grows, its pieces never go.  An entry is an object's
 * address, or 2 * the next free one + 1.  Under the lock; the marker reads beside. */
static uint64_t *finalizable[MAX_PIECES] NOSCAN_BSS;
static uint64_t fin_free = 1; /* the first free entry, in that form; 1: none (entry 0 is not used) */

static const uint64_t *finalizable_piece(uint32_t i, uint32_t *n)
{
	*n = PIECE;
	return finalizable[i];
}

static uint64_t *entry(uint64_t i)
{
	return &finalizable[i / PIECE][i % PIECE];
}

/* Room for one more.  task, lock not held; then held. */
static void lock_with_entry(void)
{
	for (;;) {
		lock(&special_lock);
		if (fin_free != 1)
			return;
		unlock(&special_lock);
		uint64_t *fresh = persistent_alloc(PIECE * sizeof *fresh);
		lock(&special_lock);
		uint32_t piece = special_hooks.npieces;
		if (piece == MAX_PIECES)
			throw("runtime.SetFinalizer: too many finalizers");
		finalizable[piece] = fresh;
		for (uint64_t i = PIECE * (uint64_t)piece + PIECE - 1; i / PIECE == piece && i; i--) {
			*entry(i) = fin_free;
			fin_free = 2 * i + 1;
		}
		/* release: who sees the number sees the piece */
		at_store_rel(&special_hooks.npieces, piece + 1);
		unlock(&special_lock);
	}
}

static uint64_t entry_take(uint64_t base)
{
	uint64_t i = fin_free / 2;
	fin_free = *entry(i);
	at_store(entry(i), base);
	return i;
}

static void entry_put(uint64_t i)
{
	at_store(entry(i), fin_free);
	fin_free = 2 * i + 1;
}

/* ---- the lists --------------------------------------------------------------------- */

struct mspan *special_span(uint64_t p, uint64_t *base)
{
	uint64_t at = (uint64_t)(uintptr_t)rt_object_base((void *)p, NULL);
	if (base)
		*base = at;
	return at ? index_span(at_load_acq(&mheap.index[(at - mheap.lo) >> PAGE_SHIFT])) : NULL;
}

void special_insert(struct mspan *s, struct special *x)
{
	struct special **at = &s->specials;
	if (*at == NULL)
		at_store(&s->specials_gen, SPECIALS_GEN(mheap.sweepgen));
	while (*at && ((*at)->ptr < x->ptr || ((*at)->ptr == x->ptr && (*at)->kind <= x->kind)))
		at = &(*at)->next;
	x->next = *at;
	*at = x;
	if (x->kind == SPECIAL_PROFILE)
		return;
	x->all_prev = NULL;
	x->all_next = all;
	if (all)
		all->all_prev = x;
	all = x;
}

/* Takes x off the list of all; it is off its span's.  Who needs it holds it. */
static void forget(struct special *x)
{
	if (x->kind == SPECIAL_PROFILE)
		return;
	if (x->all_next)
		x->all_next->all_prev = x->all_prev;
	if (x->all_prev)
		x->all_prev->all_next = x->all_next;
	else
		all = x->all_next;
	x->all_next = x->all_prev = NULL;
}

/* The place in the list of s of the one about p of that kind (cleanup: with that id),
 * or NULL. */
static struct special **find(struct mspan *s, uint64_t p, enum special_kind kind, uint64_t id)
{
	for (struct special **at = &s->specials; *at && (*at)->ptr <= p; at = &(*at)->next)
		if ((*at)->ptr == p && (*at)->kind == kind && (kind != SPECIAL_CLEANUP || (*at)->id == id))
			return at;
	return NULL;
}

/* ---- sweeping ------------------------------------------------------------------------ */

static uint32_t index_in(const struct mspan *s, uint64_t p)
{
	return (uint32_t)((p - s->base) * class_info[s->spanclass].magic >> 32);
}

static bool marked(const struct mspan *s, uint64_t p)
{
	uint32_t i = index_in(s, p);
	return mark_bits(s->page)[i / 64] >> i % 64 & 1;
}

/* x, off its lists, has had its day. */
static void release(struct special *x, struct special **dead)
{
	switch ((enum special_kind)x->kind) {
	case SPECIAL_WEAK:
		at_store(&((struct rt_weak *)x->strong)->ptr, 0);
		return;
	case SPECIAL_FINALIZER:
		entry_put(x->id);
		x->strong = (void *)x->ptr;
		break;
	case SPECIAL_CLEANUP:
	case SPECIAL_PROFILE:
		break;
	}
	x->next = *dead;
	*dead = x;
}

/* The specials from *at on that are about object number idx, which is not marked.
 * Returns where those of the next object begin. */
static struct special **sweep_object(struct mspan *s, struct special **at, uint32_t idx, struct special **dead)
{
	bool revived = false;
	for (struct special *x = *at; x && index_in(s, x->ptr) == idx; x = x->next)
		revived |= x->kind == SPECIAL_FINALIZER;
	if (revived)
		mark_bits(s->page)[idx / 64] |= 1ull << idx % 64;
	while (*at && index_in(s, (*at)->ptr) == idx) {
		struct special *x = *at;
		if (revived && x->kind != SPECIAL_FINALIZER && x->kind != SPECIAL_WEAK) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		forget(x);
		release(x, dead);
	}
	return at;
}

/* special_hooks.sweep */
static void sweep_specials(struct mspan *s)
{
	struct special *dead = NULL, *next, *line = NULL;
	lock(&special_lock);
	if (s->specials_gen != SPECIALS_GEN(mheap.sweepgen)) {
		for (struct special **at = &s->specials; *at;) {
			if (marked(s, (*at)->ptr))
				at = &(*at)->next;
			else
				at = sweep_object(s, at, index_in(s, (*at)->ptr), &dead);
		}
		/* release: a weak_get that sees it sees the handles that were cleared */
		at_store_rel(&s->specials_gen, SPECIALS_GEN(mheap.sweepgen));
	}
	unlock(&special_lock);
	for (; dead; dead = next) { /* in the order they were found */
		next = dead->next;
		dead->next = line;
		line = dead;
	}
	for (; line; line = next) {
		next = line->next;
		if (line->kind == SPECIAL_PROFILE)
			line->fn(line);
		else
			runner_push(line->kind == SPECIAL_FINALIZER ? &finalizers : &cleanups, line);
	}
}

void special_init(void)
{
	special_hooks.roots = finalizable_piece;
	/* before the first special */
	at_store_rel(&special_hooks.sweep, sweep_specials);
}

/* ---- what tasks call ------------------------------------------------------------------- */

/* p is in the image's own data, which lives for ever. */
static bool is_global(const volatile void *p)
{
	struct plat_range r[32];
	unsigned n = plat_globals(r, 32);
	for (unsigned i = 0; i < n; i++)
		if ((uintptr_t)p - r[i].base < r[i].len)
			return true;
	return false;
}

static struct special *special_new(enum special_kind kind, const volatile void *p)
{
	struct special *x = rt_malloc(sizeof *x, RT_TYPE(struct special));
	special_init();
	x->kind = kind;
	x->ptr = (uint64_t)p;
	return x;
}

void rt_set_finalizer(const volatile void *p, void (*f)(void *))
{
	uint64_t base;
	if (!p)
		rt_panic("runtime.SetFinalizer: first argument is nil");
	struct mspan *s = special_span((uint64_t)p, &base);
	if (!s) {
		if (is_global(p))
			return;
		rt_panic("runtime.SetFinalizer: pointer not in heap");
	}
	/* Small objects without pointers lie anywhere in their block. */
	if ((uint64_t)p != base && s->spanclass != SPANCLASS(TINY_CLASS, 1))
		rt_panic("runtime.SetFinalizer: pointer not at beginning of allocated block");
	if (!f) {
		lock(&special_lock);
		struct special **at = find(s, (uint64_t)p, SPECIAL_FINALIZER, 0), *x = NULL;
		if (at) {
			x = *at;
			*at = x->next;
			forget(x);
			entry_put(x->id);
		}
		unlock(&special_lock);
		keep_alive(p);
		return;
	}
	struct special *x = special_new(SPECIAL_FINALIZER, p);
	x->fn = f;
	lock_with_entry();
	bool twice = find(s, x->ptr, SPECIAL_FINALIZER, 0);
	if (!twice) {
		x->id = entry_take(base);
		special_insert(s, x);
	}
	unlock(&special_lock);
	keep_alive(p);
	if (twice)
		rt_panic("runtime.SetFinalizer: finalizer already set");
	runner_start(&finalizers);
}

cleanup rt_add_cleanup(const volatile void *p, void (*thunk)(void *), const void *args, size_t size)
{
	uint64_t base;
	size_t n;
	if (!p)
		rt_panic("runtime.AddCleanup: ptr is nil");
	if (!thunk)
		rt_panic("runtime.AddCleanup: cleanup is nil");
	struct mspan *s = special_span((uint64_t)p, &base);
	if (!s) {
		if (is_global(p))
			return (cleanup){ 0, 0 };
		rt_panic("runtime.AddCleanup: ptr not in allocated block");
	}
	n = s->elemsize;
	for (size_t i = 1; i < size / 8; i++) {
		uint64_t v = ((const uint64_t *)args)[i];
		if (v == (uint64_t)p)
			rt_panic("runtime.AddCleanup: ptr is equal to arg, cleanup will never run");
		if (v - base < n)
			rt_panic("runtime.AddCleanup: arg points into ptr's object, cleanup will never run");
	}
	struct special *x = special_new(SPECIAL_CLEANUP, p);
	x->fn = thunk;
	x->strong = rt_malloc(size, NULL);
	memcpy(x->strong, args, size);
	lock(&special_lock);
	cleanup c = { next_id++, ~x->ptr };
	x->id = c.id;
	special_insert(s, x);
	unlock(&special_lock);
	keep_alive(p);
	runner_start(&cleanups);
	return c;
}

void cleanup_stop(cleanup c)
{
	struct special *x = NULL;
	if (!c.id)
		return;
	/* The object may be gone, and its span too: another's list has no such id.  The
	 * lock keeps what is found from going. */
	lock(&special_lock);
	struct mspan *s = special_span(~c.not_ptr, NULL);
	struct special **at = s ? find(s, ~c.not_ptr, SPECIAL_CLEANUP, c.id) : NULL;
	if (at) {
		x = *at;
		*at = x->next;
		forget(x);
	}
	unlock(&special_lock);
	keep_alive(x);
}

/* ---- weak pointers ----------------------------------------------------------------------- */

#define IMMORTAL_BUCKETS 64

/* Handles of memory that never dies, by address; under the lock. */
static struct rt_weak *immortal[IMMORTAL_BUCKETS];

static struct rt_weak *weak_immortal(uint64_t p)
{
	struct rt_weak **bucket = &immortal[p / 16 % IMMORTAL_BUCKETS];
	struct rt_weak *fresh = rt_malloc(sizeof *fresh, RT_TYPE(struct rt_weak)), *w;
	fresh->ptr = p;
	lock(&special_lock);
	for (w = *bucket; w && w->ptr != p; w = w->next)
		;
	if (!w) {
		fresh->next = *bucket;
		*bucket = w = fresh;
	}
	unlock(&special_lock);
	return w;
}

/* p is held by the caller. */
static struct rt_weak *weak_find(struct mspan *s, uint64_t p)
{
	lock(&special_lock);
	struct special **at = find(s, p, SPECIAL_WEAK, 0);
	struct rt_weak *w = at ? (*at)->strong : NULL;
	unlock(&special_lock);
	return w;
}

struct rt_weak *rt_weak_make(const volatile void *p)
{
	if (!p)
		return NULL;
	struct mspan *s = special_span((uint64_t)p, NULL);
	if (!s) {
		if ((uintptr_t)p - plat_stack_base() < plat_stack_size())
			rt_panic("weak.Make: pointer to a stack");
		return weak_immortal((uint64_t)p);
	}
	struct rt_weak *w = weak_find(s, (uint64_t)p);
	if (w) {
		keep_alive(p);
		return w;
	}
	struct special *x = special_new(SPECIAL_WEAK, p);
	w = rt_malloc(sizeof *w, RT_TYPE(struct rt_weak));
	w->ptr = x->ptr;
	x->strong = w;
	lock(&special_lock);
	struct special **at = find(s, x->ptr, SPECIAL_WEAK, 0);
	if (at) /* somebody was quicker */
		w = (*at)->strong;
	else
		special_insert(s, x);
	unlock(&special_lock);
	keep_alive(p);
	return w;
}

void *rt_weak_get(struct rt_weak *w)
{
	if (!w)
		return NULL;
	struct g *g = preempt_off();
	uint64_t p = at_load(&w->ptr), off = p - mheap.lo;
	if (p && off < at_load_acq(&mheap.used_bytes)) {
		uint64_t e = at_load_acq(&mheap.index[off >> PAGE_SHIFT]);
		struct mspan *s = index_span(e);
		if (e == 0) {
			p = 0; /* the span is gone already */
		} else if (likely(at_load_acq(&s->specials_gen) == SPECIALS_GEN(mheap.sweepgen))) {
			p = at_load(&w->ptr);
		} else {
			lock(&special_lock);
			p = at_load(&w->ptr);
			if (p && s->specials_gen != SPECIALS_GEN(mheap.sweepgen) && !marked(s, p) && !SABOTAGED(gc_weak))
				p = 0;
			unlock(&special_lock);
		}
	}
	preempt_on(g);
	return (void *)p;
}
