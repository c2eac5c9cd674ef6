/* preempt.c: a task may be preempted at any instruction and finds every
 * register as it left it; how long its quantum is.
 *
 * test: mem=128M */
#include <cpuid.h>
#include "ingot.h"
#include "test.h"

/* ---- registers ------------------------------------------------------------------ */

/* What a register class is filled with, and what was found after a while. */
struct image {
	unsigned char in[32 * 64] __attribute__((aligned(64))), out[32 * 64] __attribute__((aligned(64)));
	uint64 kin[8], kout[8];
	long double xin[8], xout[8];
};

static volatile int current; /* who was here last */
static int64 preempted, wrong;

#define SPIN 60000 /* iterations; a loop with nothing but registers */

static void gpr_and_flags(struct image *m, int me)
{
	uint64 *in = (uint64 *)m->in, *out = (uint64 *)m->out, n = SPIN;
	/* All but rsp; rbp and the loop's own too.  The carry and direction flags are
	 * kept through the loop: lea and jrcxz change none. */
	__asm__ volatile("pushq %%rbp\n\t"
	                 "subq $24, %%rsp\n\t"
	                 "movq %1, (%%rsp)\n\t"
	                 "movq %0, %%rbp\n\t"
	                 "movq %2, %%rcx\n\t"
	                 "movq 0(%%rbp), %%rax\n\tmovq 8(%%rbp), %%rbx\n\tmovq 16(%%rbp), %%rdx\n\t"
	                 "movq 24(%%rbp), %%rsi\n\tmovq 32(%%rbp), %%rdi\n\tmovq 40(%%rbp), %%r8\n\t"
	                 "movq 48(%%rbp), %%r9\n\tmovq 56(%%rbp), %%r10\n\tmovq 64(%%rbp), %%r11\n\t"
	                 "movq 72(%%rbp), %%r12\n\tmovq 80(%%rbp), %%r13\n\tmovq 88(%%rbp), %%r14\n\t"
	                 "movq 96(%%rbp), %%r15\n\tmovq 104(%%rbp), %%rbp\n\t"
	                 "std\n\tstc\n"
	                 "1:\tleaq -1(%%rcx), %%rcx\n\t"
	                 "jrcxz 2f\n\t"
	                 "jmp 1b\n"
	                 "2:\tpushfq\n\tcld\n\tpopq %%rcx\n\t"
	                 "xchgq %%rbp, (%%rsp)\n\t"
	                 "movq %%rax, 0(%%rbp)\n\tmovq %%rbx, 8(%%rbp)\n\tmovq %%rdx, 16(%%rbp)\n\t"
	                 "movq %%rsi, 24(%%rbp)\n\tmovq %%rdi, 32(%%rbp)\n\tmovq %%r8, 40(%%rbp)\n\t"
	                 "movq %%r9, 48(%%rbp)\n\tmovq %%r10, 56(%%rbp)\n\tmovq %%r11, 64(%%rbp)\n\t"
	                 "movq %%r12, 72(%%rbp)\n\tmovq %%r13, 80(%%rbp)\n\tmovq %%r14, 88(%%rbp)\n\t"
	                 "movq %%r15, 96(%%rbp)\n\tmovq (%%rsp), %%rax\n\tmovq %%rax, 104(%%rbp)\n\t"
	                 "andl $0x401, %%ecx\n\tmovq %%rcx, 112(%%rbp)\n\t"
	                 "addq $24, %%rsp\n\t"
	                 "popq %%rbp"
	                 : "+c"(in), "+a"(out), "+d"(n)
	                 :
	                 : "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	for (int i = 0; i < 14; i++)
		if (((uint64 *)m->out)[i] != ((uint64 *)m->in)[i])
			atomic_add(&wrong, 1);
	if (((uint64 *)m->out)[14] != 0x401) /* DF and CF */
		atomic_add(&wrong, 1);
}

#define EACH16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define EACH32(X) EACH16(X) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define WAIT "movl %2, %%eax\n1:\tdecl %%eax\n\tjnz 1b\n\t"
#define XMMS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
	"xmm12", "xmm13", "xmm14", "xmm15"

static void compare(const struct image *m, size_t n)
{
	if (memcmp(m->in, m->out, n) != 0)
		atomic_add(&wrong, 1);
}

static void sse_and_mxcsr(struct image *m, int me)
{
	/* Rounding mode and sticky exception flags of this task's own. */
	uint32 mine = 0x1f80 | (uint32)(me & 3) << 13 | (uint32)(me & 0x3f), was;
	volatile uint32 found = 0; /* written by the asm */
	__asm__ volatile("stmxcsr %0" : "=m"(was));
#define LOAD(i) "movups " #i "*16(%0), %%xmm" #i "\n\t"
#define STORE(i) "movups %%xmm" #i ", " #i "*16(%1)\n\t"
	__asm__ volatile("ldmxcsr %3\n\t" EACH16(LOAD) WAIT EACH16(STORE) "stmxcsr %5\n\tldmxcsr %4"
	                 :
	                 : "r"(m->in), "r"(m->out), "i"(SPIN), "m"(mine), "m"(was), "m"(found)
	                 : XMMS, "rax", "memory", "cc");
#undef LOAD
#undef STORE
	compare(m, 16 * 16);
	if (found != mine)
		atomic_add(&wrong, 1);
}

static void x87(struct image *m, int me)
{
	uint16 mine = 0x37f ^ (uint16)(me & 3) << 10, was; /* rounding */
	volatile uint16 found = 0; /* written by the asm */
	__asm__ volatile("fnstcw %0" : "=m"(was));
#define LOAD(i) "fldt " #i "*16(%0)\n\t"
#define STORE(i) "fstpt " #i "*16(%1)\n\t"
	__asm__ volatile("fldcw %3\n\t" LOAD(7) LOAD(6) LOAD(5) LOAD(4) LOAD(3) LOAD(2) LOAD(1) LOAD(0) WAIT
	                 STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5) STORE(6) STORE(7) "fnstcw %4\n\tfldcw %5"
	                 :
	                 : "r"(m->xin), "r"(m->xout), "i"(SPIN), "m"(mine), "m"(found), "m"(was)
	                 : "rax", "memory", "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
#undef LOAD
#undef STORE
	for (int i = 0; i < 8; i++)
		if (m->xin[i] != m->xout[i])
			atomic_add(&wrong, 1);
	if (found != mine)
		atomic_add(&wrong, 1);
}

static void avx(struct image *m, int me)
{
#define LOAD(i) "vmovups " #i "*32(%0), %%ymm" #i "\n\t"
#define STORE(i) "vmovups %%ymm" #i ", " #i "*32(%1)\n\t"
	__asm__ volatile(EACH16(LOAD) WAIT EACH16(STORE) "vzeroupper"
	                 :
	                 : "r"(m->in), "r"(m->out), "i"(SPIN)
	                 : XMMS, "rax", "memory", "cc");
#undef LOAD
#undef STORE
	compare(m, 16 * 32);
}

static void avx512(struct image *m, int me)
{
#define LOAD(i) "vmovups " #i "*64(%0), %%zmm" #i "\n\t"
#define STORE(i) "vmovups %%zmm" #i ", " #i "*64(%1)\n\t"
#define KLOAD(i) "kmovw " #i "*8(%3), %%k" #i "\n\t"
#define KSTORE(i) "kmovw %%k" #i ", " #i "*8(%4)\n\t"
#define EACHK(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
	__asm__ volatile(EACH32(LOAD) EACHK(KLOAD) WAIT EACH32(STORE) EACHK(KSTORE) "vzeroupper"
	                 :
	                 : "r"(m->in), "r"(m->out), "i"(SPIN), "r"(m->kin), "r"(m->kout)
	                 : XMMS, "rax", "memory", "cc");
	compare(m, 32 * 64);
	for (int i = 1; i < 8; i++)
		if ((uint16)m->kin[i] != (uint16)m->kout[i])
			atomic_add(&wrong, 1);
}

/* Every byte of a task's registers differs from the others'. */
static void fill(struct image *m, int me)
{
	for (size_t i = 0; i < sizeof m->in; i++)
		m->in[i] = (unsigned char)(i * 7 + (size_t)me * 37 + 1);
	for (int i = 0; i < 8; i++) {
		m->kin[i] = (uint64)(me * 0x1111 + i * 0x357);
		m->xin[i] = 1.0L / (me * 8 + i + 3);
	}
}

static void keep(void (*f)(struct image *, int), int me, int64 wanted, wait_group *wg)
{
	struct image *m = new(struct image);
	fill(m, me);
	while (atomic_load(&preempted) < wanted && atomic_load(&wrong) == 0) {
		current = me;
		f(m, me);
		if (current != me) /* another ran meanwhile, so this was preempted */
			atomic_add(&preempted, 1);
	}
	wait_group_done(wg);
}

/* Four tasks on one P, each with registers of its own, until they have been
 * preempted in the middle of it often enough. */
static void all_keep(void (*f)(struct image *, int))
{
	int was = gomaxprocs(1);
	int64 quantum = set_quantum(100 * Microsecond);
	wait_group wg = { 0 };
	preempted = wrong = 0;
	for (int i = 1; i <= 4; i++) {
		wait_group_add(&wg, 1);
		go(keep, f, i, (int64)60, &wg);
	}
	wait_group_wait(&wg);
	CHECK_EQ(wrong, 0);
	CHECK(preempted >= 60);
	set_quantum(quantum);
	gomaxprocs(was);
}

TEST(general_registers_and_flags) { all_keep(gpr_and_flags); }
TEST(sse_and_its_control_word) { all_keep(sse_and_mxcsr); }
TEST(x87_and_its_control_word) { all_keep(x87); }

/* What the system below has switched on: XCR0, as xgetbv reads it. */
static bool enabled(uint32 mask)
{
	uint32 a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return false;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (a & mask) == mask;
}

TEST(avx_registers)
{
	if (enabled(6))
		all_keep(avx);
	else
		print("skip avx_registers: this machine has no AVX\n");
}

TEST(avx512_registers)
{
	if (enabled(0xe6))
		all_keep(avx512);
	else
		print("skip avx512_registers: this machine has no AVX-512\n");
}

/* ---- the quantum -------------------------------------------------------------------- */

static bool refusal;
static void catch(void)
{
	refusal = recover() != NULL;
}
static __attribute__((noinline)) void try_quantum(int64 ns)
{
	defer(catch);
	set_quantum(ns);
}
static bool refused(int64 ns)
{
	refusal = false;
	try_quantum(ns);
	return refusal;
}

TEST(the_quantum_is_asked_and_set)
{
	int64 was = set_quantum(0);
	CHECK(was >= 20 * Microsecond && was <= 10 * Second);
	CHECK_EQ(set_quantum(3 * Millisecond), was);
	CHECK_EQ(set_quantum(-1), 3 * Millisecond);
	CHECK_EQ(set_quantum(20 * Microsecond), 3 * Millisecond);
	CHECK_EQ(set_quantum(10 * Second), 20 * Microsecond);
	CHECK_EQ(set_quantum(was), 10 * Second);
	CHECK(refused(1));
	CHECK(refused(20 * Microsecond - 1));
	CHECK(refused(10 * Second + 1));
	CHECK_EQ(set_quantum(0), was);
}

static volatile int stop; /* not bool: with UBSan gcc reads a volatile one once (12.2) */
static volatile uint64 turns;
static void tight(wait_group *wg)
{
	while (!stop)
		turns++;
	wait_group_done(wg);
}

/* Also for the task that runs: a look that is 5 s away comes after half a millisecond. */
TEST(a_new_quantum_holds_at_once)
{
	int procs = gomaxprocs(1);
	int64 was = set_quantum(10 * Second);
	wait_group wg = { 0 };
	stop = false;
	for (int64 t = nanotime(); nanotime() - t < 30 * Millisecond;)
		gosched(); /* this quantum has begun */
	int64 t = nanotime();
	set_quantum(Millisecond);
	wait_group_add(&wg, 1);
	go(tight, &wg);
	gosched();
	stop = true;
	CHECK(nanotime() - t < 4 * Second);
	wait_group_wait(&wg);
	set_quantum(was);
	gomaxprocs(procs);
}

static int64 stops;
static volatile int waited;
static void stop_often(int64 quantum, wait_group *wg)
{
	/* Never gives way; each set_quantum() stops the world for a moment. */
	for (stops = 0; !waited && stops < 3000; stops++) {
		for (int64 t = nanotime(); nanotime() - t < quantum / 64;)
			;
		set_quantum(quantum);
	}
	wait_group_done(wg);
}

/* Stops of the world come more often than quantums end, and must not begin
 * them anew: then a loop would run for as long as that goes on. */
TEST(stops_do_not_prolong_a_quantum)
{
	if (gomaxprocs(0) < 2) {
		print("skip stops_do_not_prolong_a_quantum: it needs two cores\n");
		return;
	}
	int procs = gomaxprocs(2);
	int64 quantum = 20 * Millisecond, was = set_quantum(quantum);
	wait_group wg = { 0 };
	waited = stop = false;
	wait_group_add(&wg, 2);
	go(stop_often, quantum, &wg);
	while (stops == 0)
		gosched(); /* it runs on the other core from now on, for it never gives way */
	go(tight, &wg);
	int64 before = stops, waits = 0;
	for (uint64 seen = turns; waits < 8 && stops < 3000; seen = turns) {
		gosched();
		waits += turns != seen; /* behind the loop */
	}
	int64 n = stops - before;
	waited = stop = true;
	CHECK_EQ(waits, 8);
	if (n > 2 * 64 * waits)
		TEST_FAIL("%ld stops in %ld waits of at most one quantum, which holds 64", n, waits);
	wait_group_wait(&wg);
	set_quantum(was);
	gomaxprocs(procs);
}

TEST_MAIN
{
	RUN(general_registers_and_flags);
	RUN(sse_and_its_control_word);
	RUN(x87_and_its_control_word);
	RUN(avx_registers);
	RUN(avx512_registers);
	RUN(the_quantum_is_asked_and_set);
	RUN(a_new_quantum_holds_at_once);
	RUN(stops_do_not_prolong_a_quantum);
}
