/* litmus.c: the memory model's small shapes, on real cores.
 *
 * test: rings=host,asan,nasty,boot2,boot4 limit=400 full=runs=1000000
 *
 * A shape is two to four tasks that each do one or two accesses to x and y, and
 * an outcome that no interleaving of them has.  (Names are the literature's:
 * SB store buffering, MP message passing, LB load buffering, ... see
 * rt/MEMORY_MODEL.md.)  Each is run in three forms:
 *
 *   ATOMIC   by api_atomic.h: the outcome must never be seen;
 *   PLAIN    by accesses without a fence, in the order of the source: never
 *            seen but where x86 permits it, and there it must be seen;
 *   SWAPPED  the same in the other order, as a compiler may do with plain
 *            accesses: it must be seen.
 *
 * The last two show that the test can fail on this machine.  Forms that must be
 * seen go on until they are; ATOMIC, with runs=N on the command line, until it
 * has had so many.
 *
 * The tasks go through batches of cells, from a common start, every other
 * time with pauses and yields between accesses, which is what makes shapes of
 * four tasks overlap on two CPUs.  Values rise from batch to batch, so nothing
 * is reset: "0" is any older value. */
#ifdef INGOT_SABOTAGE
/* This variant of the program must fail: api_atomic.h without its order. */
#undef __ATOMIC_SEQ_CST
#define __ATOMIC_SEQ_CST __ATOMIC_RELAXED
#endif
#include <stdlib.h>
#include "ingot.h"
#include "rounds.h"

#define BATCH 1024
#define STIRRED 64 /* cells of a batch with pauses */
#define MAX_TASKS 4
#define MUST_SEE_CAP (120 * Second) /* against hanging only: it takes milliseconds */

enum form { ATOMIC, PLAIN, SWAPPED };

static struct cell {
	int32 x __attribute__((aligned(64)));
	int32 y __attribute__((aligned(64)));
} cells[BATCH];

/* What one task knows. */
struct view {
	enum form form;
	bool stir;    /* this batch with pauses */
	uint32 rand;
	int32 base;   /* this batch's "0" */
};

struct shape {
	const char *name;
	int tasks;
	bool permitted; /* by x86, in form PLAIN */
	void (*role[MAX_TASKS])(struct view *v, struct cell *c, int32 *r);
	/* r[0..1] are role 0's results, r[2..3] role 1's, ...; x and y the last values. */
	bool (*is_weak)(const int32 *r, int32 x, int32 y);
};

static inline void st(const struct view *v, int32 *p, int32 k)
{
	if (v->form == ATOMIC)
		atomic_store(p, v->base + k);
	else
		__atomic_store_n(p, v->base + k, __ATOMIC_RELAXED);
}

static inline int32 ld(const struct view *v, const int32 *p)
{
	int32 n = v->form == ATOMIC ? atomic_load(p) : __atomic_load_n(p, __ATOMIC_RELAXED);
	return n <= v->base ? 0 : n - v->base;
}

static void stir(struct view *v)
{
	uint32 n = pick(&v->rand, 256);
	if (n < 64)
		gosched();
	else
		dawdle(n);
}

/* Two accesses, the first before the second. */
#define BEFORE(first, second) \
	do { \
		if (v->form == SWAPPED) { \
			second; \
			if (v->stir) \
				stir(v); \
			first; \
		} else { \
			first; \
			if (v->stir) \
				stir(v); \
			second; \
		} \
	} while (0)
#define ROLE(name) static void name(struct view *v, struct cell *c, int32 *r)
#define WEAK(name) static bool name(const int32 *r, int32 x, int32 y)
#define ST(var, k) st(v, &c->var, k)
#define LD(n, var) (r[n] = ld(v, &c->var))

/* SB: x86 keeps the stores in the buffer while the loads pass. */
ROLE(sb0) { BEFORE(ST(x, 1), LD(0, y)); }
ROLE(sb1) { BEFORE(ST(y, 1), LD(0, x)); }
WEAK(sb_weak) { (void)x; (void)y; return !r[0] && !r[2]; }

/* SB where each also sees its own store early. */
ROLE(rfi0) { int32 own; BEFORE((ST(x, 1), own = ld(v, &c->x)), LD(0, y)); r[1] = own; }
ROLE(rfi1) { int32 own; BEFORE((ST(y, 1), own = ld(v, &c->y)), LD(0, x)); r[1] = own; }
WEAK(rfi_weak) { (void)x; (void)y; return r[1] && !r[0] && r[3] && !r[2]; }

ROLE(mp0) { (void)r; BEFORE(ST(x, 1), ST(y, 1)); }
ROLE(mp1) { BEFORE(LD(0, y), LD(1, x)); }
WEAK(mp_weak) { (void)x; (void)y; return r[2] && !r[3]; }

ROLE(lb0) { BEFORE(LD(0, x), ST(y, 1)); }
ROLE(lb1) { BEFORE(LD(0, y), ST(x, 1)); }
WEAK(lb_weak) { (void)x; (void)y; return r[0] && r[2]; }

ROLE(r0) { (void)r; BEFORE(ST(x, 1), ST(y, 1)); }
ROLE(r1) { BEFORE(ST(y, 2), LD(0, x)); }
WEAK(r_weak) { (void)x; return !r[2] && y == 2; }

ROLE(s0) { (void)r; BEFORE(ST(x, 2), ST(y, 1)); }
ROLE(s1) { BEFORE(LD(0, y), ST(x, 1)); }
WEAK(s_weak) { (void)y; return r[2] && x == 2; }

ROLE(w22_0) { (void)r; BEFORE(ST(x, 1), ST(y, 2)); }
ROLE(w22_1) { (void)r; BEFORE(ST(y, 1), ST(x, 2)); }
WEAK(w22_weak) { (void)r; return x == 1 && y == 1; }

ROLE(corr0) { (void)r; ST(x, 1); }
ROLE(corr1) { BEFORE(LD(0, x), LD(1, x)); }
WEAK(corr_weak) { (void)x; (void)y; return r[2] && !r[3]; }

ROLE(wrc0) { (void)r; ST(x, 1); }
ROLE(wrc1) { BEFORE(LD(0, x), ST(y, 1)); }
ROLE(wrc2) { BEFORE(LD(0, y), LD(1, x)); }
WEAK(wrc_weak) { (void)x; (void)y; return r[2] && r[4] && !r[5]; }

ROLE(iriw0) { (void)r; ST(x, 1); }
ROLE(iriw1) { (void)r; ST(y, 1); }
ROLE(iriw2) { BEFORE(LD(0, x), LD(1, y)); }
ROLE(iriw3) { BEFORE(LD(0, y), LD(1, x)); }
WEAK(iriw_weak) { (void)x; (void)y; return r[4] && !r[5] && r[6] && !r[7]; }

/* ---- running one ------------------------------------------------------------ */

struct trial {
	const struct shape *shape;
	enum form form;
	int32 base;               /* task 0 sets it between batches */
	bool stir, over;
	struct gate gate;
	int32 results[MAX_TASKS][BATCH][2] __attribute__((aligned(64)));
	uint64 runs, seen;
};
static int32 last_base;
static uint64 least; /* runs of each shape's ATOMIC form */

/* Counts the weak outcomes of a batch.  Task 0, the others wait. */
static void judge(struct trial *t)
{
	struct view v = { .form = PLAIN, .base = t->base };
	int n = t->stir ? STIRRED : BATCH;
	for (int k = 0; k < n; k++) {
		int32 r[2 * MAX_TASKS];
		for (int i = 0; i < t->shape->tasks; i++)
			memcpy(r + 2 * i, t->results[i][k], sizeof t->results[i][k]);
		t->seen += t->shape->is_weak(r, ld(&v, &cells[k].x), ld(&v, &cells[k].y));
	}
	t->runs += (uint64)n;
}

static void player(struct trial *t, int me, int64 until, bool must_see, wait_group *wg)
{
	struct view v = { .form = t->form, .rand = (uint32)(me * 7919 + t->base) };
	for (int32 n = 1;; n += 2) {
		if (me == 0) {
			t->base = last_base += 4;
			t->stir = n / 2 % (t->shape->tasks == 2 ? 8 : 2) == 1;
			int64 now = nanotime();
			t->over = now > until && (t->form != ATOMIC || t->runs >= least) &&
			          (!must_see || (t->runs && (t->seen || now > until + MUST_SEE_CAP)));
		}
		meet(&t->gate, n);
		if (t->over)
			break;
		v.base = t->base;
		v.stir = t->stir;
		dawdle(pick(&v.rand, 512));
		for (int k = 0, n = v.stir ? STIRRED : BATCH; k < n; k++)
			t->shape->role[me](&v, &cells[k], t->results[me][k]);
		meet(&t->gate, n + 1);
		if (me == 0)
			judge(t);
	}
	wait_group_done(wg);
}

static struct trial *run(const struct shape *s, enum form form, bool must_see)
{
	struct trial *t = new (struct trial, .shape = s, .form = form, .gate = { .n = s->tasks });
	int64 until = nanotime() + budget;
	wait_group wg = { 0 };
	/* Four cores on two CPUs overlap as the host likes; four tasks on two
	 * cores overlap wherever they yield. */
	int cores = gomaxprocs(must_see && s->tasks > 2 ? 2 : 0);
	wait_group_add(&wg, s->tasks);
	for (int i = 0; i < s->tasks; i++)
		go(player, t, i, until, must_see, &wg);
	wait_group_wait(&wg);
	gomaxprocs(cores);
	return t;
}

static void check(const struct shape *s)
{
	struct trial *a = run(s, ATOMIC, false), *p = run(s, PLAIN, s->permitted), *w = run(s, SWAPPED, true);
	print("%s: atomic %llu runs, %llu weak; plain %llu, %llu%s; swapped %llu, %llu\n", s->name,
	      (unsigned long long)a->runs, (unsigned long long)a->seen, (unsigned long long)p->runs,
	      (unsigned long long)p->seen, s->permitted ? " (x86 permits it)" : "", (unsigned long long)w->runs,
	      (unsigned long long)w->seen);
	if (a->seen)
		TEST_FAIL("atomic operations: the forbidden outcome was seen %llu times in %llu runs",
		          (unsigned long long)a->seen, (unsigned long long)a->runs);
	if (p->seen && !s->permitted)
		TEST_FAIL("plain accesses: x86 does not permit what was seen; is this machine one?");
	if (!p->seen && s->permitted)
		TEST_FAIL("the control never saw what x86 permits in %llu runs", (unsigned long long)p->runs);
	if (!w->seen)
		TEST_FAIL("the control in the other order never saw it in %llu runs", (unsigned long long)w->runs);
}

#define SHAPE(name, title, tasks, permitted, weak, ...) \
	TEST(name) \
	{ \
		static const struct shape s = { title, tasks, permitted, { __VA_ARGS__ }, weak }; \
		check(&s); \
	}
SHAPE(store_buffering, "SB", 2, true, sb_weak, sb0, sb1)
SHAPE(store_forwarding, "SB+rfi", 2, true, rfi_weak, rfi0, rfi1)
SHAPE(message_passing, "MP", 2, false, mp_weak, mp0, mp1)
SHAPE(load_buffering, "LB", 2, false, lb_weak, lb0, lb1)
SHAPE(r, "R", 2, true, r_weak, r0, r1)
SHAPE(s, "S", 2, false, s_weak, s0, s1)
SHAPE(two_plus_two_writes, "2+2W", 2, false, w22_weak, w22_0, w22_1)
SHAPE(coherence, "CoRR", 2, false, corr_weak, corr0, corr1)
SHAPE(write_to_read_causality, "WRC", 3, false, wrc_weak, wrc0, wrc1, wrc2)
SHAPE(independent_reads, "IRIW", 4, false, iriw_weak, iriw0, iriw1, iriw2, iriw3)

TEST_MAIN
{
	budget_args();
	int n = 0;
	for (int i = 0; i < test_argc; i++)
		if (strncmp(test_argv[i], "runs=", 5) == 0)
			least = strtoull(test_argv[i] + 5, NULL, 10);
		else
			test_argv[n++] = test_argv[i];
	test_argc = n;
	RUN(store_buffering);
	RUN(store_forwarding);
	RUN(message_passing);
	RUN(load_buffering);
	RUN(r);
	RUN(s);
	RUN(two_plus_two_writes);
	RUN(coherence);
	RUN(write_to_read_causality);
	RUN(independent_reads);
}
