/* gcsteps.c: each step of the collector is needed: pointers that only that step
 * finds.  gcmove.c moves them through everything that tasks do; here each test is
 * about one place, so that tests/system/gcfences.py can name the test that fails
 * without it.  With GODEBUG=gccheckmark=1 the cycle that forgets something says so.
 *
 * test: limit=240 mem=256M */
#include "ingot.h"
#include "test.h"

#ifdef INGOT_NASTY
#define CYCLES 10
#else
#define CYCLES 40
#endif
#define CELLS 512
#if defined INGOT_NASTY && !defined INGOT_SABOTAGE
#define LINKS 8 /* GODEBUG=gcstress collects at each few of them */
#else
#define LINKS 64
#endif
#define CARRIERS 4

struct box {
	struct box *self;
	int64 number, check;
};

static int64 lost; /* boxes that were something else, atomic */

static struct box *box_new(int64 number)
{
	struct box *b = new(struct box, .number = number, .check = ~number);
	b->self = b;
	return b;
}

static void look(const struct box *b)
{
	if (b->self != b || b->check != ~b->number)
		__atomic_add_fetch(&lost, 1, __ATOMIC_SEQ_CST);
}

/* What was freed too early is soon something else. */
static void litter(int n)
{
	for (int i = 0; i < n; i++) {
		struct box *b = new(struct box);
		b->number = 0x5555;
	}
}

/* ---- registers -------------------------------------------------------------- */

struct spin {
	uint32 go_on, spins; /* written by the assembly */
};

/* Between these a task has the only pointer to the box that *hidden is the inverse of,
 * and nothing of it in memory. */
#define HOLD(reg, move_in, move_out, clear) \
	static void hold_in_##reg(struct spin *s, uintptr_t hidden, chan(bool) done) \
	{ \
		__asm__ volatile("notq %0\n\t" move_in "\n\txorq %0, %0\n\t" \
		                 "movl $1, 4(%1)\n" \
		                 "1:\tpause\n\tcmpl $0, (%1)\n\tje 1b\n\t" move_out "\n\t" clear "\n\tnotq %0" \
		                 : "+&r"(hidden) \
		                 : "r"(s) \
		                 : #reg, "cc", "memory"); \
		look((const struct box *)~hidden); \
		send(done, true); \
	}
HOLD(r10, "movq %0, %%r10", "movq %%r10, %0", "xorq %%r10, %%r10")
HOLD(xmm7, "movq %0, %%xmm7", "movq %%xmm7, %0", "pxor %%xmm7, %%xmm7")

/* Another task's, so that nothing of the address is left on our stack. */
static void make_hidden(chan(uintptr_t) to)
{
	send(to, ~(uintptr_t)box_new(4711));
}

static void hold(void (*in)(struct spin *, uintptr_t, chan(bool)))
{
	lost = 0;
	for (int i = 0; i < 3; i++) {
		chan(uintptr_t) c = make_chan(uintptr_t);
		chan(bool) done = make_chan(bool);
		struct spin *s = new(struct spin);
		go(make_hidden, c);
		go(in, s, recv(c), done);
		while (!__atomic_load_n(&s->spins, __ATOMIC_SEQ_CST))
			gosched();
		gc();
		gc();
		litter(2000);
		__atomic_store_n(&s->go_on, 1, __ATOMIC_SEQ_CST);
		recv(done);
	}
	CHECK_EQ(lost, 0);
}

TEST(what_a_register_holds_lives)
{
	hold(hold_in_r10);
}

TEST(what_a_vector_register_holds_lives)
{
	hold(hold_in_xmm7);
}

/* ---- places beside collections ------------------------------------------------ */

/* The cells are reached by one long chain, each by its LINKS-th link, so the marker
 * comes to them one after the other: what is taken from a late one, and lies
 * elsewhere until the cycle ends, is found only there. */
struct cell {
	void *thing;
	int64 pad[5];
};
struct link {
	struct link *next;
	struct cell *cell;
};
struct cells {
	struct link *chain;
	uintptr_t at[CELLS]; /* the cells, inverted */
};
#define CELL(c, i) (((struct cell *)~(c)->at[i])->thing)

static struct cells *cells_new(void)
{
	struct cells *c = new(struct cells);
	for (int i = CELLS * LINKS - 1; i >= 0; i--) {
		struct link *l = new(struct link, .next = c->chain);
		if (i % LINKS == 0) {
			l->cell = new(struct cell);
			c->at[i / LINKS] = ~(uintptr_t)l->cell;
		}
		c->chain = l;
	}
	return c;
}

/* Somewhere a thing can lie.  leave: hides it there and returns what finds it again. */
struct place {
	void *(*make)(int64 number);
	uintptr_t (*leave)(void *thing, int carrier);
	void *(*take)(uintptr_t left, int carrier); /* NULL: it comes by itself, or not */
};

static __attribute__((noinline)) bool carry_out(const struct place *p, struct cells *c, int from, int carrier,
                                                uintptr_t *left)
{
	void *thing = CELL(c, from);
	if (!thing)
		return false;
	CELL(c, from) = NULL;
	*left = p->leave(thing, carrier);
	return true;
}

static void carrier(const struct place *p, struct cells *c, int id, const bool *stop, wait_group *wg)
{
	uint64 x = 88172645463325252ull + (uint64)id * 7919;
	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST)) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		int from = (int)(x % CELLS), to = (int)(x >> 20) & (CELLS - 1);
		uintptr_t left;
		if (!carry_out(p, c, from, id, &left))
			continue;
		if (x >> 50 & 1)
			sleep((int64)(x >> 32 & 255) * Microsecond);
		else
			gosched();
		litter(4);
		void *thing = p->take ? p->take(left, id) : p->make((int64)(x >> 40));
		void *other = CELL(c, to); /* they change places */
		CELL(c, to) = thing;
		if (other)
			CELL(c, from) = other;
	}
	wait_group_done(wg);
}

static void collector(bool *stop)
{
	for (int i = 0; i < CYCLES; i++)
		gc();
	__atomic_store_n(stop, true, __ATOMIC_SEQ_CST);
}

static void carry(const struct place *p)
{
	struct cells *cells[CARRIERS];
	wait_group wg = { 0 };
	bool stop = false;
	lost = 0;
	for (int i = 0; i < CARRIERS; i++) {
		cells[i] = cells_new();
		for (int k = 0; k < CELLS; k += 2)
			CELL(cells[i], k) = p->make(k);
	}
	wait_group_add(&wg, CARRIERS);
	for (int i = 0; i < CARRIERS; i++)
		go(carrier, p, cells[i], i, &stop, &wg);
	go(collector, &stop);
	wait_group_wait(&wg);
	CHECK_EQ(lost, 0);
	gc_verify();
}

static void *make_box(int64 number)
{
	return box_new(number);
}

/* Global data is no page that is tracked: the last stop looks at all of it. */
static struct box *global_box[CARRIERS];

static uintptr_t leave_global(void *thing, int id)
{
	global_box[id] = thing;
	return 0;
}

static void *take_global(uintptr_t unused, int id)
{
	struct box *b = global_box[id];
	global_box[id] = NULL;
	look(b);
	return b;
}

TEST(what_globals_hold_lives)
{
	carry(&(struct place){ make_box, leave_global, take_global });
}

/* The heap of a P's timers, the runtime's own memory, is looked at in the stop. */
static void rings(void *arg)
{
}

static void *make_timer(int64 number)
{
	timer *t = after_func(Hour, rings, box_new(number));
	timer_stop(t);
	return t;
}

static uintptr_t leave_timer(void *thing, int id)
{
	timer_reset(thing, Hour);
	return ~(uintptr_t)thing;
}

static void *take_timer(uintptr_t left, int id)
{
	timer *t = (timer *)~left;
	if (!timer_stop(t))
		__atomic_add_fetch(&lost, 1, __ATOMIC_SEQ_CST);
	return t;
}

TEST(what_timers_hold_lives)
{
	carry(&(struct place){ make_timer, leave_timer, take_timer });
}

/* An object with a finalizer is not held by it, what it points to is: its own page
 * may have been looked at when nothing was known to hold it. */
struct keeper {
	struct box *box;
};

static void finalized(struct keeper *k)
{
	look(k->box);
}

static uintptr_t leave_finalizer(void *thing, int id)
{
	struct keeper *k = new(struct keeper);
	set_finalizer(k, finalized);
	sleep(50 * Microsecond); /* marking comes by */
	k->box = thing;
	return 0;
}

TEST(what_finalizers_get_lives)
{
	carry(&(struct place){ make_box, leave_finalizer, NULL });
}

/* ---- more to mark than there is memory for ------------------------------------- */

struct wide {
	struct wide *to[500];
};
/* Above 512 bytes: it goes to a stack of objects, not to the queue of spans. */
struct stacked {
	struct box *thing;
	char fill[600];
};

/* Five of each have as many in turn; the others have a box, first. */
static struct wide *wide_new(int depth)
{
	struct wide *w = new(struct wide);
	for (int i = 0; i < 500; i++) {
		if (depth > 0 && i % 100 == 0) {
			w->to[i] = wide_new(depth - 1);
		} else if (i % 4) {
			struct cell *c = new(struct cell, .thing = box_new(i));
			w->to[i] = (struct wide *)c;
		} else {
			struct stacked *c = new(struct stacked, .thing = box_new(i));
			w->to[i] = (struct wide *)c;
		}
	}
	return w;
}

static void look_wide(const struct wide *w, int depth)
{
	for (int i = 0; i < 500; i++)
		if (depth > 0 && i % 100 == 0)
			look_wide(w->to[i], depth - 1);
		else
			look(((const struct cell *)w->to[i])->thing);
}

TEST(what_there_was_no_memory_to_mark_lives)
{
	struct wide *w = wide_new(2);
	lost = 0;
	for (int i = 0; i < CYCLES; i++) {
		gc();
		litter(1000);
	}
	look_wide(w, 2);
	CHECK_EQ(lost, 0);
}

TEST_MAIN
{
	RUN(what_a_register_holds_lives);
	RUN(what_a_vector_register_holds_lives);
	RUN(what_globals_hold_lives);
	RUN(what_timers_hold_lives);
	RUN(what_finalizers_get_lives);
	RUN(what_there_was_no_memory_to_mark_lives);
}
