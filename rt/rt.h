/* rt.h: the runtime's internal types and the interfaces between its files.
 *
 * Glossary, as in Go's runtime:
 *   G  a task: struct g
 *   P  a processor: run queue, mcache, timers; one for each core: struct p
 *   M  a core, bound to its P for life
 *   g0 the pseudo-task of a core's scheduler stack; its stack limit is 0
 *
 * Only files of rt/ may include this.  It includes nothing but plat.h and
 * the compiler's headers. */
#ifndef RT_H
#define RT_H

#include "plat.h"
#include "libc.h"
#include "sabotage.h"

/* ---- compiler ----------------------------------------------------------- */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define NOSPLIT __attribute__((no_split_stack))
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((cold, noinline))
#define NOASAN __attribute__((no_sanitize_address, no_sanitize("undefined")))
#define CACHE_LINE 64
/* Frames that are left without returning (a task ends, a panic unwinds) leave
 * AddressSanitizer's marks on the stack; whoever uses that stretch again
 * wipes them. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define asan_unpoison(lo, hi) __asan_unpoison_memory_region((void *)(lo), (hi) - (lo))
#else
#define asan_unpoison(lo, hi) ((void)(lo), (void)(hi))
#endif
/* Global data that never holds the only pointer to a heap object: not a root. */
#define NOSCAN_DATA __attribute__((section("noscan")))
/* The same for what is zero at the start: not in the image's file.  (gcc makes
 * a section of a name of its own take space there; the comment sign hides the
 * type that it writes from the assembler.) */
#define NOSCAN_BSS __attribute__((section("noscan_bss,\"aw\",@nobits#")))

/* Atomics: the order is in the name; each field that is accessed so says in
 * its declaration what it synchronises with. */
#define at_load(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define at_load_acq(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define at_load_sc(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define at_store(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define at_store_rel(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define at_store_sc(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define at_add(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define at_sub(p, v) __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)
#define at_add_relaxed(p, v) __atomic_add_fetch(p, v, __ATOMIC_RELAXED)
#define at_or(p, v) __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define at_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define at_swap(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define at_cas(p, oldp, v) \
	__atomic_compare_exchange_n(p, oldp, v, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define at_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* ---- failure ---------------------------------------------------------------- */

/* A broken invariant: prints "fatal error: ..." and the backtraces of all
 * running tasks, then ends with status 2.  any. */
noreturn void throw(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));

/* The task misused the API: a Go panic, recoverable.  `fmt` is the text after
 * "panic: ".  task. */
noreturn void rt_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));

#ifdef INGOT_DEBUG
#define RT_ASSERT(c) \
	do { \
		if (unlikely(!(c))) \
			throw("%s: assertion failed: %s", __func__, #c); \
	} while (0)
#else
#define RT_ASSERT(c) ((void)sizeof(!(c)))
#endif

/* Console output through libc's formatter; system stack or a task with a
 * roomy stack. */
void rt_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- locks (lock.c) --------------------------------------------------- */

/* Ranks, outermost first: a core may only take a lock of a higher rank than
 * those it holds (checked in debug builds).  Equal ranks only where said. */
enum lock_rank {
	RANK_NONE = 0,
	RANK_TICKER,     /* a timer with a function: its resets */
	RANK_CHAN,       /* channels; equal ranks in address order (select) */
	RANK_SEMA,       /* wait queues of sync */
	RANK_TIMERS,     /* a P's timer heap */
	RANK_SCHED,      /* global run queue, idle Ps, free Gs */
	RANK_ALLGS,      /* list of all Gs */
	RANK_STACK,      /* stack windows */
	RANK_FREEZE,     /* copies of frozen stacks; taken in page faults, see freeze.c */
	RANK_SPANSET,    /* mcentral's sets */
	RANK_MHEAP,      /* page allocator, spans */
	RANK_LEAF,       /* takes nothing below it */
};

/* A spin lock.  Holding it turns preemption off (on a task).  Interrupt
 * handlers take none.  The unlock is a release, the lock an acquire. */
struct lock {
	uint32_t word; /* 0 free, 1 held */
#ifdef INGOT_DEBUG
	uint32_t rank;
	struct g *owner;
#endif
};
#ifdef INGOT_DEBUG
#define LOCK_INIT(r) { 0, r, NULL }
#else
#define LOCK_INIT(r) { 0 }
#endif
void lock_init(struct lock *l, enum lock_rank rank);
/* lock() and unlock() follow below, inline: any but irq. */
void lock_slow(struct lock *l);

/* ---- tasks (proc.c, stack.c) ------------------------------------------- */

struct rt_type; /* type.h: pointer map of a type */
struct mcache;  /* mcache.c */
struct hchan;
struct defer_rec;
struct panic_rec;

/* The life of a G:
 *
 *   DEAD -> RUNNABLE -> RUNNING -> RUNNABLE   (yield, preemption)
 *                          |  `--> WAITING -> RUNNABLE   (park, ready)
 *                          `-----> DEAD      (end; kept for reuse)
 */
enum g_status { G_DEAD, G_RUNNABLE, G_RUNNING, G_WAITING };

/* Why a G waits, in Go's words (wait_reason_names[] in proc.c). */
enum wait_reason {
	WAIT_NONE,
	WAIT_CHAN_RECV,
	WAIT_CHAN_SEND,
	WAIT_CHAN_RECV_NIL,
	WAIT_CHAN_SEND_NIL,
	WAIT_SELECT,
	WAIT_SELECT_NONE,
	WAIT_SLEEP,
	WAIT_SEMACQUIRE,
	WAIT_MUTEX,
	WAIT_RWMUTEX_R,
	WAIT_RWMUTEX_W,
	WAIT_WAITGROUP,
	WAIT_COND,
	WAIT_GC,
	WAIT_GC_CYCLE,
	WAIT_GC_ASSIST,
	WAIT_FINALIZER,
	WAIT_IO,
	WAIT_DEBUG,
	WAIT_COMPACT,
	WAIT_SCAVENGE,
	WAIT_NREASONS
};
/* g->wait_reason also says, above the reason, what others found out about the
 * wait; park() stores the bare reason, so that lasts as long as the wait. */
#define WAIT_REASON_MASK 0x7fu
#define WAIT_LEAKED 0x80u       /* nobody can ever end it (leak.c) */
#define WAIT_SINCE_SHIFT 8      /* 1 + minute of plat_now() when a collection or a
                                 * dump first saw it; 0: none did */
static inline uint32_t wait_since(uint64_t now)
{
	return (uint32_t)(1 + now / 60000000000u) << WAIT_SINCE_SHIFT;
}

struct stack_ext;   /* stack.h: the windows of a task that outgrew its slot */
struct preempt_ctx; /* asm.h: registers of a preempted task */

/* What a task does on the scheduler stack, and so what its g->sp points at. */
enum in_systemstack {
	IN_TASK,       /* nothing; a G of the scheduler's own is never in this state */
	IN_SYSTEMSTACK, /* rt_systemstack(); or a g0.  rt_systemstack_call's frame */
	IN_MORESTACK,  /* its stack grows: rbp, return address into the prologue, caller's */
};

struct g {
	/* The first cache line: all that waiting, waking and switching touch.  The
	 * assembly knows some (static asserts in asm.h). */
	uintptr_t sp;         /* 0: saved stack pointer while not running */
	uintptr_t stack_limit; /* 8: value for FS:0x70 */
	uint32_t on_cpu;      /* 16: 1 while a core is on this stack.  Cleared (release) by the
	                       * switch away; whoever dispatches loads it (acquire) until 0 */
	uint32_t nopreempt;   /* 20: >0: may not be switched away by an interrupt.  Owner core only.
	                       * Top byte: preempt_off_alloc() */
	union {
		void *entry_arg;      /* until it starts: on its own stack */
		const void *wait_on;  /* waiting for a task: what for (leak.c).  Not a root */
	};
	struct p *p;          /* where it runs or last ran; NULL: not since freeze.c looked */
	uint32_t cur_seg;     /* 40: segment the task runs on, 0..2 */
	uint32_t status;      /* enum g_status; written by the owner of the G's place */
	uint32_t resched;     /* nopreempt hit: yield when it drops to 0.  Set by irq on own core */
	uint16_t in_systemstack; /* enum in_systemstack */
	uint16_t untidy;      /* has ext, pctx or defers: to be cleaned up when it ends */
	uint32_t wait_reason; /* enum wait_reason, and see WAIT_REASON_MASK */
	uint32_t is_system;   /* runtime task: not counted by num_task() and the deadlock check */

	/* Second cache line: with the first, all that starting and ending touch. */
	struct g *next;       /* link in the one queue the G is in (global queue, free list) */
	void (*entry)(void *);
	uintptr_t top;        /* where its stack begins, in its slot (stack.h); constant, 0 for g0 */
	uint64_t id;
	const void *created_by; /* pc of the go statement */
	struct stack_ext *ext; /* 104: stack segments 1 and 2, NULL: none yet */
	struct preempt_ctx *pctx; /* register image when preempted, else a spare or NULL */
	int errno_val;        /* the C library's errno of this task (crt.c) */
	uint32_t slot_dead;   /* slot.c's, in stack_free_dead() */

	/* Roots: everything between gc_begin and gc_end is scanned. */
	char gc_begin[0];
	void *param;              /* select: the sudog whose waker won */
	struct defer_rec *defers; /* innermost first (defer.h); whoever sets it from NULL sets untidy */
	struct panic_rec *panics; /* innermost first */
	char gc_end[0];

	uint32_t select_done; /* CAS 0->1 by the one waker that wins a select */
	uint32_t gc_missed;   /* ran when the marker came: gctrack.c notes it.  Set by the marker, cleared
	                       * where nobody marks */
	struct frozen *frozen; /* freeze.c: the copy of its stack, whose page is gone */
	struct g *all_next;   /* all Gs ever made; Gs are never freed.  Published with release */
	struct g *gc_next;    /* gctrack.c's list */
} __attribute__((aligned(CACHE_LINE)));

/* g, whose sp is or was this, has left its core where it was made to: its registers are
 * in g->pctx. */
static inline bool g_preempted_at(const struct g *g, uintptr_t sp)
{
	return sp && sp == (uintptr_t)g->pctx;
}

static inline bool g_preempted(const struct g *g)
{
	return g_preempted_at(g, at_load(&g->sp));
}

#define RUNQ_SIZE_DEFAULT 256
#ifndef RUNQ_SIZE
#define RUNQ_SIZE RUNQ_SIZE_DEFAULT /* power of two; the nasty build shrinks it */
#endif

struct timer_heap; /* time.c */

enum p_status { P_IDLE, P_RUNNING, P_STOPPED, P_OFFLINE };

struct p {
	/* Run queue: Go's runqput/runqget/runqsteal.  head: consumers CAS (acq_rel);
	 * tail: owner stores (release). */
	uint32_t runq_head __attribute__((aligned(CACHE_LINE)));
	uint32_t runq_tail;
	struct g *runnext;         /* CAS by owner and thieves */
	struct g *runq[RUNQ_SIZE];

	unsigned id __attribute__((aligned(CACHE_LINE)));
	uint32_t status;           /* enum p_status, under sched.lock or by the owner */
	uint32_t schedtick;        /* dispatches so far; owner writes */
	uint32_t timer_due;        /* set by rt_irq_timer(), owner clears */
	uint32_t attn;             /* the scheduler must be entered soon: a timer is due, the quantum is
	                            * over, a stop waits, an interrupt readied a task.  Set by anyone,
	                            * cleared by the owner before it looks at the causes */
	uint32_t spinning;         /* owner's; while idle the claimer's */
	uint32_t wakeword;         /* plat_idle's word; incremented seq_cst by wakers */
	uint32_t tick_schedtick;   /* schedtick at the last quantum tick */
	uint64_t timer_when;       /* earliest deadline in timers, UINT64_MAX none; written under the
	                            * heap's lock, read by the interrupt */
	uint64_t armed;            /* what the core's one-shot timer was told, UINT64_MAX: nothing.  Own
	                            * core; written by the interrupt too (timer_rearm) */
	uint64_t quantum_end;      /* next quantum tick, UINT64_MAX: none wanted */
	uint64_t quantum_left;     /* ns to it when a stop of the world came; 0: begin anew */
	uint32_t stw_gen;          /* last stop job this core looked at */
	bool stop_asleep;          /* counted as stopped while idle; the stopper's */
	bool up;                   /* its core runs; under sched.lock */
	struct g *handoff;         /* to run next, set while leaving to g0 */
	struct g *interrupted;     /* what stop number interrupted_gen found running here; owner
	                            * writes, who stopped the world reads */
	uint32_t interrupted_gen;
	struct g *dead;            /* ended task whose stack g0 is to trim */
	uint64_t goid_next, goid_end; /* this P's batch of ids */
	uint64_t nstarted, nended; /* user tasks; owner writes */
	struct g *curg;            /* running task or NULL; owner writes, others look */
	struct g *g0;
	uint32_t node;             /* plat_node(); constant */
	struct mcache *mcache;     /* owner only, or any during a stop */
	struct timer_heap *timers;
	struct g *gfree;           /* dead Gs with stacks; owner only */
	uint32_t ngfree;
	uint64_t rand;             /* rt_fastrand; owner only */
	struct p *idle_next;       /* sched.pidle, under sched.lock */
	struct preempt_ctx *spare_pctx; /* for the next preemption; owner only */
	struct g *irq_ready;       /* readied by interrupts: push by CAS in irq, taken whole */
	const struct g *scanned;   /* whose stack this core reads beside the tasks; seq_cst: who dies
	                            * looks here before his memory goes */
};

/* The current core's view, thread-local per core; one instruction to read. */
struct core_self {
	struct g *g;   /* running task, or the core's g0 */
	struct p *p;   /* this core's P */
	struct g *g0;
	struct mcache *mcache; /* this P's */
};
extern __thread struct core_self rt_self __attribute__((tls_model("local-exec")));

extern struct p *rt_ps[];     /* all Ps, index = core */
extern unsigned rt_nps;       /* Ps in use: GOMAXPROCS; changes only in a stop */

/* One P is in use, every other core is up and parked in stop.c: what a section
 * with preemption off does needs no atomics against other cores (5 ns each).
 * Set on P 0's scheduler stack, cleared in a stop, so it stands still while
 * preemption is off.  Interrupts still come: a word they write (attn,
 * irq_ready, wakeword) stays atomic. */
extern bool rt_alone;

/* Preemption off/on for the current task or g0; nests.  any but irq. */
static inline __attribute__((always_inline)) struct g *preempt_off(void)
{
	struct g *g = rt_self.g;
	g->nopreempt++;
	__asm__ volatile("" ::: "memory");
	return g;
}
void preempt_resched(void); /* the yield that an interrupt could not do */
static inline __attribute__((always_inline)) void preempt_on(struct g *g)
{
	__asm__ volatile("" ::: "memory");
	if (unlikely(--g->nopreempt == 0 && g->resched))
		preempt_resched();
}

/* The same for who knows that preemption is on: a task in a call that may wait.
 * Stores instead of a chain of read-modify-writes. */
static inline __attribute__((always_inline)) struct g *preempt_off_outer(void)
{
	struct g *g = rt_self.g;
	RT_ASSERT(g->nopreempt == 0);
	at_store(&g->nopreempt, 1);
	__asm__ volatile("" ::: "memory");
	return g;
}
/* True: preempt_resched() is to be called. */
static inline __attribute__((always_inline)) bool preempt_dropped_outer(struct g *g)
{
	RT_ASSERT(g->nopreempt == 1);
	__asm__ volatile("" ::: "memory");
	at_store(&g->nopreempt, 0);
	return unlikely(at_load(&g->resched));
}
static inline __attribute__((always_inline)) void preempt_on_outer(struct g *g)
{
	if (preempt_dropped_outer(g))
		preempt_resched();
}

/* The same for the allocator's fast path, which never nests: the count's top byte.
 * True: resched is set. */
static inline __attribute__((always_inline)) struct g *preempt_off_alloc(void)
{
	struct g *g = rt_self.g;
	((volatile uint8_t *)&g->nopreempt)[3] = 1;
	__asm__ volatile("" ::: "memory");
	return g;
}
static inline __attribute__((always_inline)) bool preempt_dropped_alloc(struct g *g)
{
	__asm__ volatile("" ::: "memory");
	((volatile uint8_t *)&g->nopreempt)[3] = 0;
	return unlikely(at_load(&g->resched));
}

/* The _nopreempt forms are for sections that take several locks, or do more
 * than that with preemption off: it is off, and stays so.  alone: rt_alone,
 * read since it is off. */
#ifdef INGOT_DEBUG
void lock(struct lock *l); /* lock.c: checks ranks */
void unlock(struct lock *l);
void lock_nopreempt(struct lock *l, bool alone);
bool trylock_nopreempt(struct lock *l, bool alone);
void unlock_nopreempt(struct lock *l, bool alone);
#else
static inline __attribute__((always_inline)) bool trylock_nopreempt(struct lock *l, bool alone)
{
	if (SABOTAGED(lock))
		return alone || !TORN_SWAP(&l->word, 1);
	return alone || likely(!__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE));
}
static inline __attribute__((always_inline)) void lock_nopreempt(struct lock *l, bool alone)
{
	if (!trylock_nopreempt(l, alone)) /* alone it is free: a holder has preemption off */
		lock_slow(l);
}
static inline __attribute__((always_inline)) void unlock_nopreempt(struct lock *l, bool alone)
{
	if (!alone)
		at_store_rel(&l->word, 0);
}
static inline __attribute__((always_inline)) void lock(struct lock *l)
{
	preempt_off();
	if (rt_alone)
		at_store(&l->word, 1); /* it was free: a holder has preemption off */
	else if (unlikely(__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE)))
		lock_slow(l);
}
static inline __attribute__((always_inline)) void unlock(struct lock *l)
{
	at_store_rel(&l->word, 0);
	preempt_on(rt_self.g);
}
#endif

/* Runs fn(arg) on the core's scheduler stack with preemption off and no
 * stack limit; returns to the task.  The task's callee-saved registers are
 * on its stack.  On g0 it is a plain call.  task or system. */
void rt_systemstack(void (*fn)(void *), void *arg);

/* Starts a task running fn(copy of the argsize bytes at args); the copy lies
 * at the top of its stack, 16-byte aligned.  argsize <= 1024.  task. */
void rt_go(void (*fn)(void *), const void *args, size_t argsize);
/* Starts a task running fn(arg); the pointer alone is kept.  task or system. */
void rt_go_call(void (*fn)(void *), void *arg);
/* The same as a runtime task (is_system). */
void rt_go_system(void (*fn)(void *), void *arg);

/* Gives way; the caller stays runnable. task, nopreempt 0. */
void gosched(void);
noreturn void goexit0(void);  /* ends the task, defers already run */

/* Blocks the current task until ready(g).  unlock(g, arg) runs when the G is
 * already WAITING and may be readied; false cancels the wait.  NULL: no lock.
 * task. */
void park(bool (*unlock)(struct g *, void *), void *arg, enum wait_reason why);
/* Releases one lock held by the caller, then waits. */
void park_unlock(struct lock *l, enum wait_reason why);
/* p is held until here: what a collection finds on this stack or in registers.
 * As Go's runtime.KeepAlive. */
#define keep_alive(p) __asm__ volatile("" : : "r"(p) : "memory")
/* Makes a WAITING task runnable (as runnext if next).  Who took it out of a
 * wait queue holds what it waited on until then (leak.c).  task or system. */
void ready(struct g *g, bool next);
/* The same from an interrupt handler. irq. */
void ready_irq(struct g *g);

/* Stop the world: returns when every other P is stopped at a safe point, all
 * their tasks saved; caller keeps preemption off until start_world().  False
 * when another stop is in progress (the caller yielded to it: look again).
 * system (inside rt_systemstack). */
bool stop_world(const char *why);
void start_world(void);
/* During a stop: runs fn(arg) on the caller and on up to nps-1 stopped cores,
 * and returns when all are done. */
void stw_parallel(void (*fn)(void *), void *arg);

/* Calls fn(lo, hi) for each range of g's stack(s) and saved registers that
 * may hold pointers.  g is not running (or is the caller, saved by
 * rt_systemstack). */
bool stack_scan_ranges(struct g *g, void (*fn)(uintptr_t lo, uintptr_t hi, void *), void *arg);
/* g is being scanned: fetches what the scan of those that follow in memory
 * will touch first.  Hundreds of stacks are seldom in a cache. */
void stack_scan_soon(const struct g *g);
extern struct g *rt_allgs;    /* by all_next */
size_t stack_bytes_inuse(void);

/* Pseudo-random bits, cheap: the high half of Knuth's MMIX generator.  Two tasks
 * of one core may race for the state when preemption is on: no matter. */
static inline uint32_t rt_fastrand(void)
{
	uint64_t *s = &rt_self.p->rand, x = at_load(s) * 6364136223846793005u + 1442695040888963407u;
	at_store(s, x);
	return (uint32_t)(x >> 32);
}

/* ---- heap (malloc.c, mheap.c, mcentral.c, mcache.c, gc.c, sweep.c) ---- */

/* Zeroed memory for size bytes of elements described by type (NULL: unknown
 * content, scanned conservatively; RT_NOSCAN: no pointers).  When size is a
 * multiple of type->size it is an array of it.  Never NULL for size > 0; on
 * exhaustion a collection, then the out-of-memory report and halt.  size 0
 * gives a fixed non-NULL address.  task or system. */
void *rt_malloc(size_t size, const struct rt_type *type);
/* The same, but its first `keep` bytes may hold anything: the caller writes them. */
void *rt_malloc_over(size_t size, size_t keep, const struct rt_type *type);
extern const struct rt_type rt_type_noscan; /* bytes */
#define RT_NOSCAN (&rt_type_noscan)

/* Rounds a request up to what rt_malloc would really give (size class). */
size_t rt_malloc_size(size_t size);
/* The object that p points into: base and size, or NULL. */
void *rt_object_base(const void *p, size_t *size);

void mallocinit(void);                 /* core 0, before anything allocates */
struct mcache *mcache_alloc(void);     /* a P's cache, at P creation */
/* Whole pages for the runtime itself, not collected; NULL when out. */
void *mheap_alloc_manual(size_t npages);
void mheap_free_manual(void *p, size_t npages);
/* Persistent zeroed metadata, never freed, cache-line aligned; throws when out. */
void *persistent_alloc(size_t size);

void gc(void);                         /* runtime.GC(): a full cycle, sweep included.  task */
void gc_verify_heap(void);             /* heap verifier; throws.  In a stop or one core */

/* ---- symbols (symtab.c) --------------------------------------------- */

struct rt_sym {
	char func[64];    /* of longer names the beginning */
	const char *file; /* lives for ever */
	unsigned line;
	uintptr_t func_start;
};
/* The function that pc lies in, and file:line of the code there, which may be
 * inlined from elsewhere; line 0 and file "?" where there are no debug data
 * (assembly without -g).  For a return address ask for pc - 1.  False if pc is
 * not in the image's code; then *out is as it was.  any, even fatal. */
bool rt_symbolize(uintptr_t pc, struct rt_sym *out);

/* ---- settings (env.c): NAME=value words of the command line ------------ */

struct rt_settings {
	unsigned gomaxprocs;    /* 0: all cores */
	int gogc;               /* percent, -1: off */
	uint64_t gomemlimit;    /* bytes, UINT64_MAX: none */
	bool gctrace;
	unsigned gcperiod;      /* ms without a collection after which one is made, 0 never */
	unsigned stackfreeze;   /* ms between looks for parked tasks to freeze, 0 never */
	unsigned watchdog;      /* seconds, 0: none */
	const char *net;        /* NET=..., as it is; NULL: not given */
	bool freezestress;      /* freeze all parked tasks at each collection */
	int schedtrace;         /* ms, 0 off */
	bool scheddetail;
	bool leaks;             /* report leaked tasks as main returns */
	unsigned quantum;       /* us */
	/* nasty mode */
	unsigned gcstress;      /* collect at each n-th allocation, 0 off */
	unsigned allocfail;     /* fail each n-th allocation that may fail */
	bool junkfill;          /* fill freed memory */
	bool gctrack;           /* ask which pages were written; else all were */
	bool gccheckmark;       /* look at everything again after each marking */
	int argc;
	char **argv;
};
extern struct rt_settings rt_settings;
/* Parses plat_cmdline(); on a bad word prints what is wrong, names the
 * nearest known one, and ends with status 2. */
void rt_settings_parse(void);
/* How many letters have to change to make b of a, for the nearest known word; case does not
 * count.  any */
unsigned word_distance(const char *a, const char *b);

#endif
