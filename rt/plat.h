/* plat.h: the seam.  The only way from the runtime to a machine, and back.
 *
 * Two implementations: kernel/plat.c (bare metal) and tests/host/plat_host.c
 * (a Linux process, pthreads as cores).  Nothing in rt/ tests which one it
 * runs on.
 *
 * Contexts used below:
 *   task    on a task's stack (small; the callee must be shallow: it has
 *           plat_stack_slack bytes and no split-stack check)
 *   system  on a core's scheduler stack, no task running there, or a task
 *           that called rt_systemstack()
 *   irq     in an interrupt (signal) handler, on the core's interrupt stack,
 *           interrupts (that signal) off
 *   any     all of these
 * "Core" is an index 0..plat_ncores-1; core 0 is the one that booted.
 *
 * Thread-local variables (`__thread`, local-exec) are per core in both
 * implementations: FS base is set before rt_* is entered on a core.  FS:0x70
 * is gcc's split-stack limit; it is 0 whenever no task runs on the core. */
#ifndef PLAT_H
#define PLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* ---- facts, constant after rt_start() is entered -------------------- */

extern unsigned plat_ncores;          /* cores that answered, at least 1 */
extern uintptr_t plat_direct_offset;  /* mutator view + this = collector's direct map
                                       * (hosted: 0) */
extern size_t plat_fp_size;           /* bytes of the extended register image
                                       * (xsave), 64-byte aligned areas */
extern size_t plat_stack_slack;       /* bytes below a task's stack limit that code
                                       * without the split-stack check may use */
extern size_t plat_stack_slot;        /* bytes of a new task's stack: a power of two, from 2 KiB;
                                       * at least 256 more than the slack and what is to be used */

/* ---- cores ------------------------------------------------------------ */

/* This core's index.  any; valid only while the caller cannot migrate. */
unsigned plat_core_id(void);

/* Starts cores 1..plat_ncores-1; each enters rt_core_main(core) on its
 * scheduler stack, interrupts on.  Called once, by core 0, system. */
void plat_start_cores(void);

/* The top of this core's scheduler stack (16-byte aligned).  any. */
void *plat_sched_stack_top(void);

/* Sleeps until *word != seen, or plat_wake(this core), or any interrupt.
 * The test and the sleep are atomic towards plat_wake and interrupts: none
 * is lost.  May return early.  system, interrupts on. */
void plat_idle(const uint32_t *word, uint32_t seen);

/* Ends the core's plat_idle, now or the next one if it is about to sleep,
 * given that the caller changed the idle word (seq_cst) before.  any. */
void plat_wake(unsigned core);

/* Makes the core take an interrupt soon, at whose end rt_irq_exit() runs
 * there.  Several requests may coalesce.  any. */
void plat_preempt(unsigned core);

/* One step of a busy wait: a pause; hosted gives the CPU away when n (how
 * often the caller already waited) is large.  any. */
void plat_relax(unsigned n);

/* ---- time ---------------------------------------------------------------- */

/* Monotonic nanoseconds since boot, never decreasing, agrees across cores.  any. */
uint64_t plat_now(void);

/* The time of day: nanoseconds since 1970-01-01 00:00:00 UTC now; false, and
 * the console says why, if the machine does not know.  May take milliseconds;
 * one caller at a time.  system. */
bool plat_wall(int64_t *unix_ns);

/* Arms this core's one-shot timer: rt_irq_timer() and then rt_irq_exit() run
 * in an interrupt once plat_now() >= deadline; at once if it has passed.
 * UINT64_MAX disarms.  Replaces what was armed.  task or system, not migrating. */
void plat_timer_arm(uint64_t deadline);

/* ---- memory ---------------------------------------------------------- */

struct plat_range {
	uintptr_t base;
	size_t len;
};

/* Memory nodes, 0..plat_nnodes-1; constant after rt_start() is entered. */
#define PLAT_MAX_NODES 8
extern unsigned plat_nnodes;
/* The node whose memory is near to the core; the one of a range of plat_memory(), none
 * of which is in two, by its base.  system, at start. */
unsigned plat_node(unsigned core);
unsigned plat_memory_node(uintptr_t base);

/* Usable physical memory as addresses in the mutator view, ascending,
 * 4 KiB aligned, not overlapping, content undefined.  Returns how many (at
 * most max).  system, at start. */
unsigned plat_memory(struct plat_range *out, unsigned max);
/* Bytes of physical memory in the machine (for messages). */
size_t plat_memory_total(void);
/* Gives the memory of [va, va+len) (8 KiB aligned, in plat_memory()) back to the host;
 * its content is undefined from now on, and a touch takes it into use again.  False,
 * and nothing has changed: this machine cannot.  system. */
bool plat_memory_release(uintptr_t va, size_t len);
/* true if fresh memory of plat_memory() is known to be zero (hosted). */
extern bool plat_memory_zeroed;

/* Writable global data of the whole image (runtime, libraries, apps): the
 * collector's roots.  Excludes section "noscan".  any. */
unsigned plat_globals(struct plat_range *out, unsigned max);

/* Task stacks: an address range reserved at boot.  Its first quarter is
 * committed densely from certain places on, so large pages serve it well. */
uintptr_t plat_stack_base(void);
size_t plat_stack_size(void);
/* Makes [va, va+len) (4 KiB aligned, inside the range, not yet committed)
 * accessible, content undefined; on metal frames come from rt_frame_alloc().
 * False, with nothing changed, when there is no memory.  system. */
bool plat_stack_commit(uintptr_t va, size_t len);
/* Unmaps it again; frames return by rt_frame_free() only after every core
 * has flushed since (rule S1).  system, no rt lock held. */
void plat_stack_release(uintptr_t va, size_t len);

/* In a stop of the world: unmaps these ranges of committed stack; true: their
 * memory is given back, no core can reach it, and a touch of the last page of
 * a range faults and calls rt_stack_fault().  (What lies below that page holds
 * nothing and comes back by itself; it exists only where plat_stack_slot is
 * more than a page.)  False: this platform cannot, nothing has changed.  system */
bool plat_stack_freeze(const struct plat_range *r, unsigned n);
/* In rt_stack_fault() only: fill(a fresh page, content undefined, arg), then
 * maps it at va, where nothing is mapped, in one step.  False: no memory. */
bool plat_stack_thaw(uintptr_t va, void (*fill)(void *page, void *arg), void *arg);

/* ---- write tracking: the collector's barrier -------------------------------- */

/* Which pages were written, by whatever instruction of whatever code: of
 * plat_memory() in the mutator view and of the stack range.  Ranges [va, end) are
 * 4 KiB aligned.
 *
 * plat_track: TRACK_SEE calls fn for runs of pages that were written since they
 * were last forgotten, perhaps for more; where nothing can be tracked it names the
 * whole range.  TRACK_FORGET (fn may be NULL) forgets them too, between two calls of
 * plat_track_flush(); before the first, TRACK_PREPARE gets ready for it.  What is
 * written from the return of the second on is found again.  TRACK_LEAVE: the range
 * need not be tracked until it is prepared again (it may be looked at before: then
 * all of it was written).  system.
 * plat_track_flush: returns when no core has an old translation any more.
 * system, interrupts on; in a stop too. */
enum plat_track { TRACK_SEE, TRACK_PREPARE, TRACK_FORGET, TRACK_LEAVE };
void plat_track(enum plat_track how, uintptr_t va, uintptr_t end,
                void (*fn)(uintptr_t lo, uintptr_t hi, void *), void *arg);
void plat_track_flush(void);

/* ---- boot input ------------------------------------------------------- */

/* The settings, NUL-terminated, the caller's to change: "NAME=value ... -- args".
 * Those of a file begin with a line of PLAT_SOURCE and the file's name, all its
 * lines follow ("--" lasts to the end of its line) and hold no byte below ' '
 * but tab and newline; a line of PLAT_SOURCE alone, or the begin of the text, is
 * where the command line begins, which is last.  hosted: environment settings and
 * argv.  system, once. */
#define PLAT_SOURCE 1
char *plat_cmdline(void);

struct plat_module {
	const void *data; /* read-only, stays for ever, mutator view or image */
	size_t len;
	const char *name;
};
unsigned plat_nmodules(void);
struct plat_module plat_module(unsigned i);

/* ---- watchdog ------------------------------------------------------------ */

/* From now on the machine is reset when it is not fed for so many seconds (1 to
 * 2000); the console says so, and if the last run was ended that way.  False, and it
 * says why: there is none.  system, at start. */
bool plat_watchdog_start(unsigned seconds);
/* Feeds it, if each core has taken an interrupt since the call before.  One task. */
void plat_watchdog_feed(void);

/* ---- console, entropy, end ---------------------------------------------- */

/* Writes all bytes; whole calls of different cores do not interleave.  any
 * but irq (use in irq only on the fatal path). */
void plat_write(const char *s, size_t n);

/* Input: rt_irq_console() is called from now on for each byte that comes in,
 * always on core 0, which called this.  False: this platform has no input.
 * system, at start. */
bool plat_console_listen(void);

/* What the interrupts of a vector, 0..PLAT_VECTORS-1, are for, and how many of them the
 * core has taken; NULL: it is not in use.  any */
#define PLAT_VECTORS 256
const char *plat_irq(unsigned core, unsigned vector, uint64_t *count);

/* Fills buf with n unpredictable bytes (RDRAND/RDSEED, else a mix of clocks).  any. */
void plat_entropy(void *buf, size_t n);

/* Ends the image (process) with this exit status: powers off, or QEMU's debug
 * exit when the status is not 0.  any. */
noreturn void plat_exit(int status);

/* Fatal path, step 1: stops all other cores (NMI or IPI with a time limit;
 * hosted a signal) and captures where they were.  Only the first core to
 * call returns; later callers stop for ever.  A nested call by the same
 * core returns false.  any, takes no lock that code outside it can hold. */
bool plat_fatal_begin(void);
/* Step 2: the frame captured on another core, NULL if it did not answer. */
struct plat_frame;
const struct plat_frame *plat_fatal_frame(unsigned core);
/* Step 3: the end: halts, reboots or exits as configured on the command line
 * ("panic=halt|reboot|reboot:SECONDS|exit", default exit), with this status. */
noreturn void plat_fatal_end(int status);
/* If addr lies in a stack owned by the platform (scheduler, interrupt, boot
 * stacks), its bounds.  For the unwinder.  any. */
bool plat_stack_bounds(uintptr_t addr, uintptr_t *lo, uintptr_t *hi);

/* ---- devices ------------------------------------------------------------- */

/* What a device is told so that it reaches [p, p+n): the address if that is one
 * contiguous piece of memory that stays where it is (heap, pages of the
 * runtime, the image's data), else 0: stacks.  any. */
uint64_t plat_dma_addr(const void *p, size_t n);

/* A readiness word, after Go's pollDesc: nothing, ready, or the one task that
 * waits (rt/driver.h).  Zero is ready to use. */
struct io_event {
	uintptr_t word; /* 0, IO_READY or the waiting struct g; seq_cst */
	uint32_t owed;  /* 1: a masked interrupt line waits for this event's task; seq_cst */
	void *line;     /* the platform's; constant after the line was attached */
};

/* ---- the interrupted state -------------------------------------------- */

/* General registers as an interrupt finds them, ending in the five words of
 * a hardware frame so that iretq can leave from it.  rt/asm.S knows the layout. */
struct plat_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Stores the interrupted extended state (x87, SSE, AVX, ...) in standard
 * XSAVE format, or FXSAVE when plat_fp_size is 512, to a 64-byte aligned
 * area of plat_fp_size bytes.  irq; ctx as given to rt_irq_exit().
 * Compiled without SSE. */
void plat_fp_save(void *area, void *ctx);

/* ---- what the runtime gives the platform --------------------------------- */

/* Entered once on core 0 on its scheduler stack when the machine is up,
 * interrupts on.  Runs main and ends by plat_exit(). */
noreturn void rt_start(void);
/* NULL, or called when tasks can be made: rt_scavenger_start() by a platform that can
 * release memory.  Set before rt_start(). */
extern void (*rt_at_start)(void);
/* Begins to release free memory in the background; once.  By rt_at_start, or a task. */
void rt_scavenger_start(void);
/* Entered on each further core. */
noreturn void rt_core_main(unsigned core);

/* irq: the one-shot timer of this core fired. */
void rt_irq_timer(void);
/* irq: a byte came in on the console.  Core 0.  The key that asks for all
 * tasks is Ctrl-T, as on BSD (hosted: SIGQUIT, as in Go). */
void rt_irq_console(uint8_t byte);
#define PLAT_KEY_DUMP 0x14
/* irq: a device interrupt for whoever waits on ev. */
void rt_irq_event(struct io_event *ev);
/* irq: called last in each device, timer and preempt interrupt.  When it
 * returns true it has saved the interrupted task; the platform then leaves
 * the interrupt not to the frame but to rt_preempted() on the top of the
 * core's scheduler stack, interrupts on. */
bool rt_irq_exit(const struct plat_frame *f, void *ctx);
noreturn void rt_preempted(void);

/* An exception in task or system context: prints the report in Go's words
 * with the backtraces of all cores, and ends.  `what` names it ("page fault:
 * write to unmapped address"), addr is the faulting address if has_addr.
 * A nil dereference or division by zero of a task may instead become a
 * panic of that task: then it edits the frame and returns, and the platform
 * resumes from it. */
void rt_fault(struct plat_frame *f, int vector, const char *what, bool has_addr, uintptr_t addr);

/* Prints a symbolised backtrace starting at the given pc/frame pointer; works
 * before rt_start().  Reads memory only inside known stacks. */
void rt_backtrace(uintptr_t pc, uintptr_t fp, uintptr_t sp);

/* A touch of stack that is not mapped, by any code but interrupt handlers and
 * the fatal path; on a per-core stack, interrupts off, SSE state saved.
 * 1: thawed, the instruction can be tried again; 0: not a frozen page (any
 * more: another core may have thawed it); -1: no memory for it. */
int rt_stack_fault(uintptr_t addr);

/* A 4 KiB frame (direct map address, content undefined) for stacks and page
 * tables, or NULL.  system. */
void *rt_frame_alloc(void);
void rt_frame_free(void *frame);

#endif
