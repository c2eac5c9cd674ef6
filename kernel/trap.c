/* trap.c: the core's tables (GDT, TSS, IDT) and what happens at a vector.
 *
 * Contexts: device, timer and IPI vectors run on the core's interrupt stack
 * with interrupts off: handler, EOI, then the runtime may decide to switch
 * the interrupted task away.  NMI, #DF and #MC have a stack each, all other
 * exceptions share the fault stack; a second exception on it is reported as
 * such and ends.  Nothing here takes a lock.
 *
 * Code here may have interrupted any instruction: no SSE. */
#include "base.h"
#include "rt/plat.h"

enum { SEL_CODE = 0x08, SEL_TSS = 0x18 };
enum { IST_IRQ = 1, IST_NMI, IST_DF, IST_MC, IST_FAULT };
enum { EXC_DE = 0, EXC_DF = 8, EXC_GP = 13, EXC_PF = 14, EXC_MC = 18 };

struct idt_gate {
	uint16_t offset0, selector;
	uint8_t ist, type;
	uint16_t offset1;
	uint32_t offset2, zero;
};
_Static_assert(sizeof(struct idt_gate) == 16, "SDM 3A, figure 6-8");
_Static_assert(sizeof(struct plat_frame) == 20 * 8, "stubs.S pushes 15 registers on 5 words");

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static struct idt_gate idt[256] __attribute__((aligned(16)));
static struct {
	void (*fn)(struct plat_frame *, void *); /* release / acquire with arg */
	void *arg;
} handlers[256 - VEC_FIRST];

extern const char irq_stubs[], exception_stubs[];
__thread uint32_t kernel_busy, kernel_deferred;

/* Names as the SDM and the APM give them. */
static const char *const exception_names[32] = {
	"integer divide by zero", "debug exception", "non-maskable interrupt", "breakpoint",
	"overflow", "bound range exceeded", "invalid opcode", "device not available",
	"double fault", "coprocessor segment overrun", "invalid TSS", "segment not present",
	"stack-segment fault", "general protection fault", "page fault", NULL,
	"x87 floating-point exception", "alignment check", "machine check", "SIMD floating-point exception",
	"virtualization exception", "control protection exception", NULL, NULL,
	NULL, NULL, NULL, NULL,
	"hypervisor injection exception", "VMM communication exception", "security exception", NULL,
};

static void set_gate(unsigned vector, uintptr_t entry, unsigned ist)
{
	idt[vector] = (struct idt_gate){
		.offset0 = (uint16_t)entry, .selector = SEL_CODE, .ist = (uint8_t)ist,
		.type = 0x8e, /* present, ring 0, interrupt gate */
		.offset1 = (uint16_t)(entry >> 16), .offset2 = (uint32_t)(entry >> 32),
	};
}

__attribute__((cold)) void trap_init(void)
{
	for (unsigned v = 0; v < 32; v++)
		set_gate(v, (uintptr_t)exception_stubs + 16 * v,
			 v == VEC_NMI ? IST_NMI : v == EXC_DF ? IST_DF : v == EXC_MC ? IST_MC : IST_FAULT);
	for (unsigned v = VEC_FIRST; v < 256; v++)
		set_gate(v, (uintptr_t)irq_stubs + 8 * (v - VEC_FIRST), IST_IRQ);
}

static void tss_set_ist(struct cpu *c, unsigned ist, uintptr_t top)
{
	kmemcpy(c->tss + 28 + 8 * ist, &top, 8); /* IST1 at 36: SDM 3A, figure 8-11 */
}

__attribute__((cold)) void trap_load(struct cpu *c)
{
	uint64_t base = (uintptr_t)c->tss, limit = sizeof c->tss - 1;

	tss_set_ist(c, IST_IRQ, c->irq_top);
	tss_set_ist(c, IST_NMI, c->nmi_top);
	tss_set_ist(c, IST_DF, c->df_top);
	tss_set_ist(c, IST_MC, c->mc_top);
	tss_set_ist(c, IST_FAULT, c->fault_top);
	c->tss[102] = sizeof c->tss; /* no I/O permission map */
	c->gdt[0] = 0;
	c->gdt[1] = 0x00af9b000000ffff; /* 64-bit code */
	c->gdt[2] = 0x00cf93000000ffff; /* data */
	c->gdt[3] = limit | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
	c->gdt[4] = base >> 32;

	struct table_register gdtr = {5 * 8 - 1, (uintptr_t)c->gdt};
	struct table_register idtr = {sizeof idt - 1, (uintptr_t)idt};
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl $0x10, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs\n\t"
			 "lldt %%ax\n\t"
			 "lidt %2\n\t"
			 "movl %3, %%eax\n\t"
			 "ltr %%ax"
			 ::"m"(gdtr), "i"((long)SEL_CODE), "m"(idtr), "i"(SEL_TSS)
			 : "rax", "memory");
}

void irq_set(unsigned vector, void (*fn)(struct plat_frame *f, void *arg), void *arg)
{
	unsigned i = vector - VEC_FIRST;
	/* Never a new fn with an old arg: off, then arg, then on. */
	__atomic_store_n(&handlers[i].fn, NULL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&handlers[i].arg, arg, __ATOMIC_SEQ_CST);
	__atomic_store_n(&handlers[i].fn, fn, __ATOMIC_RELEASE);
}

void kernel_resched(void)
{
	if (kernel_busy)
		return; /* the outermost leave does it */
	kernel_deferred = 0;
	lapic_send_ipi(cpu_self->apic_id, VEC_WAKE);
}

/* Called by stubs.S; the top of the scheduler stack when the interrupted task
 * has been saved and is to be left, else 0. */
uintptr_t irq_dispatch(struct plat_frame *f, unsigned vector)
{
	struct cpu *c = cpu_self;

	if (f->rip == (uintptr_t)cpu_idle_hlt)
		f->rip++; /* an NMI used up sti's shadow: do not sleep again */
	c->in_irq = 1;
	c->irqs[vector - VEC_FIRST]++;
	/* acquire pairs with irq_set's release: arg is the one of fn */
	void (*fn)(struct plat_frame *, void *) =
		__atomic_load_n(&handlers[vector - VEC_FIRST].fn, __ATOMIC_ACQUIRE);
	if (fn)
		fn(f, handlers[vector - VEC_FIRST].arg);
	if (vector != VEC_SPURIOUS)
		lapic_eoi();
	c->in_irq = 0;
	if (vector == VEC_FLUSH || vector >= VEC_LAPIC_ERR || !c->entered)
		return 0;
	if (kernel_busy) {
		kernel_deferred = 1;
		return 0;
	}
	return rt_irq_exit(f, NULL) ? c->sched_top : 0;
}

/* What a page fault was about, in words. */
static void describe_page_fault(char *buf, size_t n, uint64_t err, uintptr_t addr, uintptr_t rip)
{
	const char *access = err & 16 ? "execute" : err & 2 ? "write" : "read";

	if (addr < PAGE_SIZE)
		ksnprintf(buf, n, "nil pointer dereference: %s of address 0x%lx", access, addr);
	else if (err & 8)
		ksnprintf(buf, n, "page fault: reserved bit set in a page table entry of 0x%lx", addr);
	else if (err & 1)
		ksnprintf(buf, n, "page fault: %s of %s memory at 0x%lx", access,
			  err & 16 ? "non-executable" : err & 2 ? "read-only" : "protected", addr);
	else if (vm_is_guard(addr))
		ksnprintf(buf, n, "page fault: %s of a stack's guard page at 0x%lx", access, addr);
	else if (addr >= WINDOW_BASE && addr < WINDOW_BASE + WINDOW_SIZE)
		ksnprintf(buf, n, "page fault: %s of uncommitted stack at 0x%lx", access, addr);
	else
		ksnprintf(buf, n, "page fault: %s of unmapped address 0x%lx", access, addr);
}

static void describe(char *buf, size_t n, unsigned vector, uint64_t err, uintptr_t addr, uintptr_t rip)
{
	const char *name = exception_names[vector];

	if (vector == EXC_PF)
		describe_page_fault(buf, n, err, addr, rip);
	else if (!name)
		ksnprintf(buf, n, "reserved exception %u", vector);
	else if (err)
		ksnprintf(buf, n, "%s (error code 0x%lx)", name, err);
	else
		ksnprintf(buf, n, "%s", name);
}

static void print_registers(const struct plat_frame *f)
{
	kprintf("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n"
		"rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx\n"
		"r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx\n",
		f->rax, f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp, f->rsp,
		f->r8, f->r9, f->r10, f->r11);
	kprintf("r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx\n"
		"rip %016lx  rflags %lx\n",
		f->r12, f->r13, f->r14, f->r15, f->rip, f->rflags);
}

/* The kernel's own report: before the runtime is up, in interrupt handlers,
 * and when the runtime's report faults itself. */
static noreturn void own_report(struct plat_frame *f, const char *what, const char *where)
{
	fatal_begin();
	kprintf("fatal error: %s\n%score %u, rip 0x%lx\n", what, where, cpu_self->id, f->rip);
	print_registers(f);
	if (cpu_self->in_fault <= 2)
		rt_backtrace(f->rip, f->rbp, f->rsp);
	fatal_end(2);
}

/* A touch of a stack whose page is not there.  1: it is now; 0: it should not
 * have been touched; -1: no memory.  The runtime's code may use SSE (and no
 * more than SSE: the upper halves of AVX registers stay). */
static int stack_fault(uint64_t err, uintptr_t addr)
{
	struct cpu *c = cpu_self;
	uint8_t fp[512] __attribute__((aligned(16)));

	if (err & 1 || addr < WINDOW_BASE || addr >= WINDOW_BASE + WINDOW_SIZE || !c->entered || c->in_irq ||
	    c->in_fault || fatal_going())
		return 0;
	__asm__ volatile("fxsave64 %0" : "=m"(fp));
	int r = rt_stack_fault(addr);
	__asm__ volatile("fxrstor64 %0" ::"m"(fp));
	if (r == 0 && vm_lookup(addr)) /* another core was quicker */
		r = 1;
	return r;
}

/* Called by stubs.S; returns to resume from *f. */
COLD void exception_dispatch(struct plat_frame *f, unsigned vector, uint64_t err)
{
	struct cpu *c = cpu_self;
	uintptr_t addr = 0;
	char what[128];
	int stack = 0;

	if (vector == VEC_NMI && fatal_nmi(f))
		return;
	if (vector == EXC_PF) {
		__asm__ volatile("mov %%cr2, %0" : "=r"(addr));
		stack = stack_fault(err, addr);
		if (stack > 0)
			return;
	}
	if (stack < 0)
		ksnprintf(what, sizeof what, "out of memory (thawing a stack)");
	else
		describe(what, sizeof what, vector, err, addr, f->rip);
	c->in_fault++;
	if (c->in_fault > 3)
		cpu_halt();
	if (c->in_fault > 1)
		own_report(f, what, "while an exception was being reported; ");
	if (c->in_irq)
		own_report(f, what, "in an interrupt handler; ");
	if (!c->entered)
		own_report(f, what, "before the runtime was up; ");
	if (kernel_busy) /* a task inside the kernel may hold its locks: no panic of its own */
		own_report(f, what, "in the kernel; ");
	rt_fault(f, (int)vector, what, vector == EXC_PF, addr);
	c->in_fault--;
}
