/* plat_host.c: rt/plat.h on Linux: the hosted build's machine.
 *
 * Pthreads are the cores, anonymous mappings the memory and the stack
 * windows, futexes the idle state, and SIGURG the interrupt: a timer thread
 * and other cores send it, its handler runs on the thread's signal stack and
 * asks rt_irq_exit() exactly as an interrupt on metal does.  A preempted
 * task's registers come from the signal frame; the handler then edits the
 * frame so that the thread continues in rt_preempted().
 *
 * Only code of this executable is preempted: a thread inside a shared library
 * (glibc's locks) is left alone until the next signal.
 *
 * Invariants: windows and heap lie below every other mapping, so signal
 * stacks and scheduler stacks compare above any task's stack limit.  plat_*
 * variables are constant after start. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <cpuid.h>
#include "plat.h"
#include "track_host.h"

#define SIG_IRQ SIGURG
#define SIG_STOP SIGUSR2
#define HOST_MAX_CORES 64
#define SCHED_STACK (256ul << 10)
#define SIG_STACK (64ul << 10)

/* Below where Linux maps libraries and thread stacks, above ASan's shadow. */
#define HEAP_AT 0x200000000000ul
#define WINDOWS_AT 0x300000000000ul
#define WINDOWS_LEN (1ul << 40)

unsigned plat_ncores = 1;
uintptr_t plat_direct_offset = 0;
size_t plat_fp_size = 512;
#ifdef __SANITIZE_ADDRESS__
size_t plat_stack_slack = 16384; /* what the sanitizer calls runs below the limit */
size_t plat_stack_slot = 64ul << 10;
#else
size_t plat_stack_slack = 512; /* glibc.list: what runs there of glibc */
size_t plat_stack_slot = 2048;
#endif
bool plat_memory_zeroed = true;
unsigned plat_nnodes = 1;       /* INGOT_NODES: as if the memory had so many */

struct core {
	pthread_t thread;
	pid_t tid;
	unsigned id;
	char *stack;            /* the thread's, which is the scheduler stack */
	uintptr_t sched_top;    /* where it is empty */
	uint32_t ev;            /* futex: interrupts and wake-ups so far */
	uint32_t asleep;        /* seq_cst against ev and the idle word */
	uint64_t deadline;      /* one-shot timer, UINT64_MAX off; owner sets, timer thread clears */
	uint32_t timer_fired;   /* the timer thread's message to the handler */
	uint32_t quit;          /* SIGQUIT came: the same; core 0 */
	struct plat_frame stop_frame;
	uint32_t stopped;
};
static struct core cores[HOST_MAX_CORES];
static __thread unsigned self_id __attribute__((tls_model("local-exec")));
static size_t heap_len;
static char cmdline[16384] __attribute__((section("noscan_bss,\"aw\",@nobits#"))); /* as NOSCAN_BSS */
static uint64_t t0;
static uint32_t timer_word;   /* futex: bumped when a deadline is earlier than timer_until */
static uint64_t timer_until;  /* when the timer thread wakes next */
static struct plat_module modules[8];
static unsigned nmodules;
static uint32_t fatal_owner;  /* core + 1 that reports, 0 none */

extern char __executable_start[], etext[], __data_start[], _end[], __start_noscan[], __stop_noscan[],
	__start_noscan_bss[], __stop_noscan_bss[];

static noreturn void die(const char *what)
{
	fprintf(stderr, "ingot (hosted): %s: %s\n", what, strerror(errno));
	exit(2);
}

static long futex(const uint32_t *w, int op, uint32_t v, const struct timespec *t)
{
	return syscall(SYS_futex, w, op, v, t, NULL, 0);
}

/* ---- time ------------------------------------------------------------------ */

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t plat_now(void)
{
	return clock_ns() - t0;
}

bool plat_wall(int64_t *unix_ns)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	*unix_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	return true;
}

static struct timespec until(uint64_t deadline)
{
	uint64_t now = plat_now(), d = deadline > now ? deadline - now : 0;
	if (d > 3600000000000u)
		d = 3600000000000u;
	return (struct timespec){ (time_t)(d / 1000000000u), (long)(d % 1000000000u) };
}

void plat_timer_arm(uint64_t deadline)
{
	struct core *c = &cores[self_id];
	__atomic_store_n(&c->deadline, deadline, __ATOMIC_SEQ_CST);
	if (deadline < __atomic_load_n(&timer_until, __ATOMIC_SEQ_CST)) {
		__atomic_add_fetch(&timer_word, 1, __ATOMIC_SEQ_CST);
		futex(&timer_word, FUTEX_WAKE_PRIVATE, 1, NULL);
	}
}

/* The process's first thread: interrupts cores whose deadline has passed.  A
 * core that sleeps in plat_idle sees to its own. */
static noreturn void timer_loop(void)
{
	for (;;) {
		uint32_t w = __atomic_load_n(&timer_word, __ATOMIC_SEQ_CST);
		__atomic_store_n(&timer_until, UINT64_MAX, __ATOMIC_SEQ_CST);
		uint64_t now = plat_now(), next = UINT64_MAX;
		for (unsigned i = 0; i < plat_ncores; i++) {
			struct core *c = &cores[i];
			uint64_t d = __atomic_load_n(&c->deadline, __ATOMIC_SEQ_CST);
			if (__atomic_load_n(&c->asleep, __ATOMIC_SEQ_CST))
				continue;
			if (d <= now) {
				if (__atomic_compare_exchange_n(&c->deadline, &d, UINT64_MAX, false, __ATOMIC_SEQ_CST,
				                                __ATOMIC_SEQ_CST)) {
					__atomic_store_n(&c->timer_fired, 1, __ATOMIC_SEQ_CST);
					syscall(SYS_tgkill, getpid(), c->tid, SIG_IRQ);
				}
			} else if (d < next) {
				next = d;
			}
		}
		__atomic_store_n(&timer_until, next, __ATOMIC_SEQ_CST);
		if (next == UINT64_MAX) {
			futex(&timer_word, FUTEX_WAIT_PRIVATE, w, NULL);
		} else {
			struct timespec t = until(next);
			futex(&timer_word, FUTEX_WAIT_PRIVATE, w, &t);
		}
	}
}

/* ---- cores --------------------------------------------------------------- */

unsigned plat_core_id(void)
{
	return self_id;
}

void *plat_sched_stack_top(void)
{
	return (void *)cores[self_id].sched_top;
}

void plat_relax(unsigned n)
{
	if (n % 256 == 255)
		sched_yield(); /* the other "core" may wait for this CPU */
	else
		__builtin_ia32_pause();
}

void plat_idle(const uint32_t *word, uint32_t seen)
{
	struct core *c = &cores[self_id];
	/* Waking a sleeping thread costs 40 us: look a little first. */
	for (unsigned i = 0; i < 200; i++) {
		if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != seen)
			return;
		__builtin_ia32_pause();
	}
	uint32_t e = __atomic_load_n(&c->ev, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->asleep, 1, __ATOMIC_SEQ_CST);
	uint64_t d = __atomic_load_n(&c->deadline, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == seen &&
	    !__atomic_load_n(&c->timer_fired, __ATOMIC_SEQ_CST)) {
		struct timespec t = until(d);
		futex(&c->ev, FUTEX_WAIT_PRIVATE, e, d == UINT64_MAX ? NULL : &t);
	}
	__atomic_store_n(&c->asleep, 0, __ATOMIC_SEQ_CST);
	d = __atomic_load_n(&c->deadline, __ATOMIC_SEQ_CST);
	if (d != UINT64_MAX && d <= plat_now()) {
		plat_timer_arm(UINT64_MAX);
		rt_irq_timer();
	} else if (d != UINT64_MAX) {
		plat_timer_arm(d); /* the timer thread looked away meanwhile */
	}
}

void plat_wake(unsigned core)
{
	struct core *c = &cores[core];
	__atomic_add_fetch(&c->ev, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->asleep, __ATOMIC_SEQ_CST))
		futex(&c->ev, FUTEX_WAKE_PRIVATE, 1, NULL);
}

void plat_preempt(unsigned core)
{
	pid_t tid = __atomic_load_n(&cores[core].tid, __ATOMIC_ACQUIRE);
	if (tid)
		syscall(SYS_tgkill, getpid(), tid, SIG_IRQ);
}

/* ---- interrupts: signals ------------------------------------------------------ */

static void frame_from(struct plat_frame *f, const ucontext_t *uc)
{
	const greg_t *r = uc->uc_mcontext.gregs;
	uint64_t csgsfs = (uint64_t)r[REG_CSGSFS];
	*f = (struct plat_frame){
		.r15 = (uint64_t)r[REG_R15], .r14 = (uint64_t)r[REG_R14], .r13 = (uint64_t)r[REG_R13],
		.r12 = (uint64_t)r[REG_R12], .r11 = (uint64_t)r[REG_R11], .r10 = (uint64_t)r[REG_R10],
		.r9 = (uint64_t)r[REG_R9],   .r8 = (uint64_t)r[REG_R8],   .rdi = (uint64_t)r[REG_RDI],
		.rsi = (uint64_t)r[REG_RSI], .rbp = (uint64_t)r[REG_RBP], .rbx = (uint64_t)r[REG_RBX],
		.rdx = (uint64_t)r[REG_RDX], .rcx = (uint64_t)r[REG_RCX], .rax = (uint64_t)r[REG_RAX],
		.rip = (uint64_t)r[REG_RIP], .cs = csgsfs & 0xffff,       .rflags = (uint64_t)r[REG_EFL],
		.rsp = (uint64_t)r[REG_RSP], .ss = csgsfs >> 48,
	};
}

static void frame_to(const struct plat_frame *f, ucontext_t *uc)
{
	greg_t *r = uc->uc_mcontext.gregs;
	r[REG_R15] = (greg_t)f->r15, r[REG_R14] = (greg_t)f->r14, r[REG_R13] = (greg_t)f->r13;
	r[REG_R12] = (greg_t)f->r12, r[REG_R11] = (greg_t)f->r11, r[REG_R10] = (greg_t)f->r10;
	r[REG_R9] = (greg_t)f->r9, r[REG_R8] = (greg_t)f->r8, r[REG_RDI] = (greg_t)f->rdi;
	r[REG_RSI] = (greg_t)f->rsi, r[REG_RBP] = (greg_t)f->rbp, r[REG_RBX] = (greg_t)f->rbx;
	r[REG_RDX] = (greg_t)f->rdx, r[REG_RCX] = (greg_t)f->rcx, r[REG_RAX] = (greg_t)f->rax;
	r[REG_RIP] = (greg_t)f->rip, r[REG_EFL] = (greg_t)f->rflags, r[REG_RSP] = (greg_t)f->rsp;
}

/* Linux leaves the state in standard XSAVE format in the signal frame. */
void plat_fp_save(void *area, void *ctx)
{
	ucontext_t *uc = ctx;
	memcpy(area, uc->uc_mcontext.fpregs, plat_fp_size);
}

__attribute__((no_sanitize_address)) static void on_irq(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)si;
	struct core *c = &cores[self_id];
	ucontext_t *uc = ctx;
	int saved = errno;
	__atomic_add_fetch(&c->ev, 1, __ATOMIC_SEQ_CST);
	if (__atomic_exchange_n(&c->timer_fired, 0, __ATOMIC_SEQ_CST))
		rt_irq_timer();
	if (__atomic_exchange_n(&c->quit, 0, __ATOMIC_SEQ_CST))
		rt_irq_console(PLAT_KEY_DUMP);
	uintptr_t ip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	if (ip >= (uintptr_t)__executable_start && ip < (uintptr_t)etext) {
		struct plat_frame f;
		frame_from(&f, uc);
		if (rt_irq_exit(&f, uc)) {
			uc->uc_mcontext.gregs[REG_RIP] = (greg_t)rt_preempted;
			uc->uc_mcontext.gregs[REG_RSP] = (greg_t)c->sched_top;
			uc->uc_mcontext.gregs[REG_EFL] &= ~0x400; /* DF */
		}
	}
	errno = saved;
}

static int stack_fault(uintptr_t addr);

static void on_fault(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	int saved = errno;
	if (sig == SIGSEGV && track_fault((uintptr_t)si->si_addr)) {
		errno = saved;
		return;
	}
	int stack = sig == SIGBUS ? stack_fault((uintptr_t)si->si_addr) : 0;
	errno = saved;
	if (stack > 0)
		return;
	struct plat_frame f;
	frame_from(&f, uc);
	bool addr = sig == SIGSEGV || sig == SIGBUS;
	const char *what = stack < 0      ? "out of memory (thawing a stack)" :
	                   sig == SIGSEGV ? "page fault" :
	                   sig == SIGBUS  ? "bus error" :
	                   sig == SIGFPE  ? "divide error" :
	                                    "invalid opcode";
	rt_fault(&f, sig == SIGFPE ? 0 : sig == SIGILL ? 6 : 14, what, addr, (uintptr_t)si->si_addr);
	frame_to(&f, uc);
}

/* On any thread, but the console's interrupt is core 0's. */
static void on_quit(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)si, (void)ctx;
	int saved = errno;
	__atomic_store_n(&cores[0].quit, 1, __ATOMIC_SEQ_CST);
	plat_preempt(0);
	errno = saved;
}

static void on_stop(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)si;
	struct core *c = &cores[self_id];
	frame_from(&c->stop_frame, ctx);
	__atomic_store_n(&c->stopped, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static void install(int sig, void (*fn)(int, siginfo_t *, void *))
{
	struct sigaction a = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	sigfillset(&a.sa_mask);
	sigdelset(&a.sa_mask, SIG_STOP);
	sigdelset(&a.sa_mask, SIGSEGV); /* any handler may write to the heap: track_fault() */
	if (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL)
		/* a fault that becomes a panic writes to the task's stack: stack_fault() */
		sigdelset(&a.sa_mask, sig), sigdelset(&a.sa_mask, SIGBUS), a.sa_flags |= SA_NODEFER;
	if (sigaction(sig, &a, NULL) != 0)
		die("sigaction");
}

/* ---- start of cores -------------------------------------------------------- */

static void *core_thread(void *arg)
{
	struct core *c = arg;
	self_id = c->id;
	stack_t ss = { .ss_size = SIG_STACK };
	ss.ss_sp = mmap(NULL, SIG_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ss.ss_sp == MAP_FAILED || sigaltstack(&ss, NULL) != 0)
		die("signal stack");
	/* Below this frame the stack is empty, and stays so: rt_* never return. */
	c->sched_top = ((uintptr_t)__builtin_frame_address(0) - 1024) & ~15ul;
	__asm__ volatile("movq $0, %%fs:0x70" ::: "memory");
	__atomic_store_n(&c->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	if (c->id == 0)
		rt_start();
	rt_core_main(c->id);
}

static void start_core(unsigned i)
{
	struct core *c = &cores[i];
	pthread_attr_t a;
	c->id = i;
	c->stack = mmap(NULL, SCHED_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->stack == MAP_FAILED)
		die("scheduler stack");
	pthread_attr_init(&a);
	pthread_attr_setstack(&a, c->stack, SCHED_STACK);
	errno = pthread_create(&c->thread, &a, core_thread, c);
	if (errno)
		die("pthread_create");
	pthread_attr_destroy(&a);
}

void plat_start_cores(void)
{
	for (unsigned i = 1; i < plat_ncores; i++)
		start_core(i);
}

/* ---- memory ---------------------------------------------------------------- */

unsigned plat_memory(struct plat_range *out, unsigned max)
{
	(void)max;
	for (unsigned i = 0; i < plat_nnodes; i++)
		out[i] = (struct plat_range){ HEAP_AT + heap_len / plat_nnodes * i, heap_len / plat_nnodes };
	return plat_nnodes;
}

unsigned plat_memory_node(uintptr_t base)
{
	return (unsigned)((base - HEAP_AT) / (heap_len / plat_nnodes));
}

unsigned plat_node(unsigned core)
{
	return core % plat_nnodes;
}

size_t plat_memory_total(void)
{
	return heap_len;
}

bool plat_memory_release(uintptr_t va, size_t len)
{
	return madvise((void *)va, len, MADV_DONTNEED) == 0;
}

unsigned plat_globals(struct plat_range *out, unsigned max)
{
	(void)max;
	/* The linker puts them in this order. */
	uintptr_t lo = (uintptr_t)__data_start & ~7ul, on = ((uintptr_t)__stop_noscan + 7) & ~7ul,
	          last = ((uintptr_t)__stop_noscan_bss + 7) & ~7ul;
	out[0] = (struct plat_range){ lo, (uintptr_t)__start_noscan - lo };
	out[1] = (struct plat_range){ on, (uintptr_t)__start_noscan_bss - on };
	out[2] = (struct plat_range){ last, (uintptr_t)_end - last };
	return 3;
}

uintptr_t plat_stack_base(void)
{
	return WINDOWS_AT;
}

size_t plat_stack_size(void)
{
	return WINDOWS_LEN;
}

bool plat_stack_commit(uintptr_t va, size_t len)
{
	(void)va, (void)len; /* demand paged */
	return true;
}

void plat_stack_release(uintptr_t va, size_t len)
{
	madvise((void *)va, len, MADV_DONTNEED);
}

/* ---- frozen stacks ------------------------------------------------------------
 *
 * From the first freeze on the windows are registered with userfaultfd, so that
 * a touch of a missing page is a SIGBUS, and on_fault() puts the page there:
 * what was frozen with its contents, in one step, anything else zeroed.  Pages
 * made inaccessible would do without it, but each splits a mapping, and Linux
 * gives a process 65,530.  A system call that is given a missing page fails
 * with EFAULT, so what the runtime asks the system to fill is touched first. */
#define HOST_PAGE 4096ul

static int uffd = -1;

static bool uffd_start(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	struct uffdio_register r = { .range = { WINDOWS_AT, WINDOWS_LEN }, .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (fd < 0)
		return false;
	if (ioctl(fd, UFFDIO_API, &api) != 0 || ioctl(fd, UFFDIO_REGISTER, &r) != 0) {
		close(fd);
		return false;
	}
	__atomic_store_n(&uffd, fd, __ATOMIC_SEQ_CST);
	return true;
}

bool plat_stack_freeze(const struct plat_range *r, unsigned n)
{
	if (uffd < 0 && !uffd_start())
		return false;
	for (unsigned i = 0; i < n; i++)
		if (madvise((void *)r[i].base, r[i].len, MADV_DONTNEED) != 0)
			die("madvise");
	return true;
}

bool plat_stack_thaw(uintptr_t va, void (*fill)(void *page, void *arg), void *arg)
{
	char page[HOST_PAGE] __attribute__((aligned(HOST_PAGE)));
	struct uffdio_copy c = { .dst = va, .src = (uintptr_t)page, .len = HOST_PAGE };
	fill(page, arg);
	return ioctl(uffd, UFFDIO_COPY, &c) == 0;
}

/* A touch of a missing page of a window: 1 it is there now, 0 none, -1 no memory. */
static int stack_fault(uintptr_t addr)
{
	struct uffdio_zeropage z = { .range = { addr & ~(HOST_PAGE - 1), HOST_PAGE } };
	if (uffd < 0 || addr < WINDOWS_AT || addr >= WINDOWS_AT + WINDOWS_LEN)
		return 0;
	int r = fatal_owner ? 0 : rt_stack_fault(addr);
	if (r == 0 && (ioctl(uffd, UFFDIO_ZEROPAGE, &z) == 0 || errno == EEXIST))
		r = 1;
	return r;
}

bool plat_stack_bounds(uintptr_t addr, uintptr_t *lo, uintptr_t *hi)
{
	for (unsigned i = 0; i < plat_ncores; i++) {
		uintptr_t b = (uintptr_t)cores[i].stack;
		if (b && addr >= b && addr < b + SCHED_STACK) {
			*lo = b;
			*hi = b + SCHED_STACK;
			return true;
		}
	}
	return false;
}

/* ---- input and output ------------------------------------------------------- */

char *plat_cmdline(void)
{
	return cmdline;
}

bool plat_watchdog_start(unsigned seconds)
{
	(void)seconds;
	static const char why[] = "ingot: a process has no watchdog\n";
	plat_write(why, sizeof why - 1);
	return false;
}

void plat_watchdog_feed(void)
{
}

unsigned plat_nmodules(void)
{
	return nmodules;
}

struct plat_module plat_module(unsigned i)
{
	return modules[i];
}

void plat_write(const char *s, size_t n)
{
	while (n > 0) {
		ssize_t k = write(1, s, n);
		if (k < 0 && errno != EINTR)
			return;
		if (k > 0) {
			s += k;
			n -= (size_t)k;
		}
	}
}

/* No bytes: only the signal that stands for the key. */
bool plat_console_listen(void)
{
	install(SIGQUIT, on_quit);
	return true;
}

/* A signal is not counted by anybody. */
const char *plat_irq(unsigned core, unsigned vector, uint64_t *count)
{
	return NULL;
}

void plat_entropy(void *buf, size_t n)
{
	while (n > 0) {
		track_touch(buf, n); /* see plat_stack_freeze, too */
		ssize_t k = getrandom(buf, n, 0);
		if (k > 0) {
			buf = (char *)buf + k;
			n -= (size_t)k;
		}
	}
}

noreturn void plat_exit(int status)
{
	_exit(status);
}

bool plat_fatal_begin(void)
{
	uint32_t none = 0, me = self_id + 1;
	if (!__atomic_compare_exchange_n(&fatal_owner, &none, me, false, __ATOMIC_SEQ_CST,
	                                 __ATOMIC_SEQ_CST)) {
		if (none == me)
			return false;
		for (;;)
			pause();
	}
	for (unsigned i = 0; i < plat_ncores; i++)
		if (i != self_id && cores[i].tid)
			syscall(SYS_tgkill, getpid(), cores[i].tid, SIG_STOP);
	uint64_t limit = plat_now() + 1000000000u;
	for (unsigned i = 0; i < plat_ncores; i++)
		while (i != self_id && cores[i].tid && !__atomic_load_n(&cores[i].stopped, __ATOMIC_SEQ_CST) &&
		       plat_now() < limit)
			sched_yield();
	return true;
}

const struct plat_frame *plat_fatal_frame(unsigned core)
{
	return __atomic_load_n(&cores[core].stopped, __ATOMIC_SEQ_CST) ? &cores[core].stop_frame : NULL;
}

noreturn void plat_fatal_end(int status)
{
	_exit(status);
}

/* ---- process start --------------------------------------------------------- */

static void add_word(const char *s, bool quote)
{
	size_t n = strlen(cmdline), need = strlen(s) + 4;
	if (n + need >= sizeof cmdline) {
		fprintf(stderr, "ingot (hosted): the arguments are too long\n");
		exit(2);
	}
	snprintf(cmdline + n, sizeof cmdline - n, quote ? "\"%s\" " : "%s ", s);
}

static void make_cmdline(int argc, char **argv)
{
	static const char *const names[] = { "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", NULL };
	for (unsigned i = 0; names[i]; i++) {
		const char *v = getenv(names[i]);
		char word[256];
		if (!v || !*v) /* make exports settings that are not given as empty */
			continue;
		snprintf(word, sizeof word, "%s=%s", names[i], v);
		add_word(word, true);
	}
	add_word("--", false);
	for (int i = 1; i < argc; i++)
		add_word(argv[i], true);
}

/* INGOT_FILE=path: the boot module. */
static void map_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	const char *base = strrchr(path, '/');
	void *p = "";
	if (st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	modules[nmodules++] = (struct plat_module){ p, (size_t)st.st_size, base ? base + 1 : path };
}

static size_t xsave_size(void)
{
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 512;
	__cpuid_count(0xd, 0, a, b, c, d);
	return b;
}

int main(int argc, char **argv)
{
	t0 = clock_ns() - 1;
	plat_fp_size = xsave_size();
	const char *n = getenv("INGOT_CORES"), *m = getenv("INGOT_MEM"), *f = getenv("INGOT_FILE");
	cpu_set_t set;
	sched_getaffinity(0, sizeof set, &set);
	plat_ncores = n ? (unsigned)atoi(n) : (unsigned)CPU_COUNT(&set);
	if (plat_ncores < 1)
		plat_ncores = 1;
	if (plat_ncores > HOST_MAX_CORES)
		plat_ncores = HOST_MAX_CORES;
	if (getenv("INGOT_NODES"))
		plat_nnodes = (unsigned)atoi(getenv("INGOT_NODES")) % (PLAT_MAX_NODES + 1);
	heap_len = (m ? strtoul(m, NULL, 0) : 16384ul) << 20; /* MiB */
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
	if (mmap((void *)HEAP_AT, heap_len, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ||
	    mmap((void *)WINDOWS_AT, WINDOWS_LEN, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
		die("address space");
	madvise((void *)HEAP_AT, heap_len, MADV_HUGEPAGE); /* as the machine maps it */
	if (plat_stack_slot < 4096) /* sparse otherwise */
		madvise((void *)WINDOWS_AT, WINDOWS_LEN / 4, MADV_HUGEPAGE);
	track_init((void *)HEAP_AT, heap_len);
	make_cmdline(argc, argv);
	if (f)
		map_file(f);
	prctl(PR_SET_TIMERSLACK, 1ul); /* of all threads: they inherit it.  Not 50 us late on purpose */
	install(SIG_IRQ, on_irq);
	install(SIG_STOP, on_stop);
	install(SIGSEGV, on_fault);
	install(SIGBUS, on_fault);
	install(SIGFPE, on_fault);
	install(SIGILL, on_fault);
	/* Cores take the interrupts; this thread is their timer. */
	sigset_t irq;
	sigemptyset(&irq);
	sigaddset(&irq, SIG_IRQ);
	rt_at_start = rt_scavenger_start;
	for (unsigned i = 0; i < HOST_MAX_CORES; i++)
		cores[i].deadline = UINT64_MAX;
	start_core(0);
	pthread_sigmask(SIG_BLOCK, &irq, NULL);
	timer_loop();
}

#ifdef __SANITIZE_ADDRESS__
/* gcc calls this before a function that does not return, so that ASan wipes
 * its marks from the thread's stack; on a task's stack it cannot know the
 * bounds, and the runtime wipes for itself (asan_unpoison in rt.h). */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}
#endif
