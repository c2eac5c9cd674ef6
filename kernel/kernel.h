/* kernel.h: what the files of kernel/ know of each other.
 *
 * The kernel is the machine under the runtime: it implements rt/plat.h and
 * nothing above it.  All of it is compiled -mgeneral-regs-only and without
 * split-stack; it runs on per-core stacks, or shallowly on a task's.
 *
 * Address space (vm.c):
 *   0                      nothing, ever
 *   0xffff800000000000+pa  direct map: usable RAM less the image; NX, cached
 *   0xffffc00000000000+pa  mutator view of the same memory
 *   0xffffe00000000000     task stack windows (stackmap.c)
 *   0xfffff00000000000     device window (mmio_map, phys_map)
 *   0xfffff08000000000     per-core stacks with guard pages
 *   0xffffffff80000000+pa  the image as linked; the door may load it at
 *                          p_paddr + n * 2 MiB, below 4 GiB
 * Per-core stacks lie above task windows, so that split-stack code that runs
 * on them while %fs:0x70 holds a task's limit passes its check.
 *
 * Order at boot (main.c): console, cpu_features_check, memory map, vm_init,
 * acpi_init, core 0's cpu_percore_init, lapic_init, clock_init, smp_start,
 * rt_start. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdnoreturn.h>

#define PAGE_SIZE 4096ul
#define DIRECT_BASE 0xffff800000000000ul
#define MUTATOR_BASE 0xffffc00000000000ul
#define WINDOW_BASE 0xffffe00000000000ul
#define WINDOW_SIZE (4ul << 40)
#define DEVICE_BASE 0xfffff00000000000ul
#define CORE_STACK_BASE 0xfffff08000000000ul
#define IMAGE_BASE 0xffffffff80000000ul

/* Runs at boot or when all is lost: small before fast, in files that are built for speed. */
#define COLD __attribute__((cold, noinline))

/* ---- small tools (all contexts) ----------------------------------------- */

static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0,%1" ::"a"(v), "Nd"(port)); }
static inline void outw(uint16_t port, uint16_t v) { __asm__ volatile("outw %0,%1" ::"a"(v), "Nd"(port)); }
static inline void outl(uint16_t port, uint32_t v) { __asm__ volatile("outl %0,%1" ::"a"(v), "Nd"(port)); }
static inline uint8_t inb(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %1,%0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint16_t inw(uint16_t port)
{
	uint16_t v;
	__asm__ volatile("inw %1,%0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint32_t inl(uint16_t port)
{
	uint32_t v;
	__asm__ volatile("inl %1,%0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}
static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}
static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}
static inline void cpu_pause(void) { __asm__ volatile("pause"); }
/* libc's mem* check the split-stack limit through FS; these need nothing. */
static inline void kmemset(void *d, int c, size_t n)
{
	size_t words = n / 8, rest = n % 8; /* an emulator pays for each repetition */
	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"((uint8_t)c * 0x0101010101010101ul) : "memory");
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(rest) : "a"(c) : "memory");
}
static inline void kmemcpy(void *d, const void *s, size_t n)
{
	size_t words = n / 8, rest = n % 8;
	__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words)::"memory");
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(rest)::"memory");
}

/* ---- print (print.c) and console (console.c) ---------------------------- */

/* Serial port and, when there is one, framebuffer text.  Whole calls do not
 * interleave between cores.  any context, from the first C instruction on. */
void console_write(const char *s, size_t n);
/* Input: from now on fn is called for each byte that comes in on the serial
 * port, in irq context on the calling core.  False where that cannot be.
 * system, once. */
bool console_listen(void (*fn)(uint8_t));
/* %s %d %u %x %p %c %% with width, 0, l, ll, z; truncates; returns the length
 * it wanted.  Own formatter: libc's is split-stack and uses SSE.  any. */
int kvsnprintf(char *buf, size_t n, const char *fmt, va_list ap);
int ksnprintf(char *buf, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* At most 512 bytes a call.  any. */
void kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, but only when the boot command line says "kernel=verbose". */
void klog(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern bool klog_on;
/* The machine cannot go on: prints "ingot: <message>" and ends with exit
 * status 2 (through panic= once the command line is known).  any. */
noreturn void kpanic(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));

/* ---- memory (bootmem.c, vm.c) -------------------------------------------- */

/* Usable RAM only (for ACPI tables there is phys_map); after vm_init. */
static inline void *phys_to_virt(uint64_t pa) { return (void *)(DIRECT_BASE + pa); }
/* Uncached read-write mapping of device registers, any alignment, any time
 * after vm_init; never unmapped.  Panics when page tables run out.  system. */
volatile void *mmio_map(uint64_t pa, size_t len);
/* Cached read-only mapping of firmware tables wherever they lie (RAM or
 * reserved).  system. */
const void *phys_map(uint64_t pa, size_t len);
/* One zeroed 4 KiB page, never freed; direct map address (phys by
 * virt_to_phys).  After vm_init, before rt_start; panics when out. */
void *page_alloc_boot(void);
/* n contiguous ones. */
void *pages_alloc_boot(size_t n);
/* Physical address of a usable page below 640 KiB for the start-up code of
 * the other cores, 0 if there is none.  Stays reserved. */
uint64_t page_alloc_low(void);
/* Direct map, mutator view or image address -> physical. */
uint64_t virt_to_phys(const void *va);

/* Page table root for cores that come up: physical, below 4 GiB, maps the low
 * 2 MiB one to one (executable) besides all of the kernel.  Valid after
 * vm_init.  The started core leaves it in cpu_percore_init(). */
extern uint64_t vm_ap_cr3;

/* ---- cores ------------------------------------------------------------------ */

struct plat_frame; /* rt/plat.h */

/* One for each core, made by main.c from the ACPI list before smp_start(). */
struct cpu {
	struct cpu *self;
	uint32_t id;              /* core index of plat.h; dense after smp_start() */
	uint32_t apic_id;
	uint32_t online;          /* set (release) by ap_main on the core itself */
	uint32_t stopped;         /* fatal path: frame is captured; set (release) in its NMI */
	uintptr_t sched_top;      /* stack tops, 16-byte aligned; guard pages between */
	uintptr_t irq_top, fault_top, nmi_top, df_top, mc_top;
	uintptr_t tls;            /* FS base: the TCB */
	uint64_t flush_seen;      /* stackmap.c: generation this core has flushed for (release) */
	uint64_t deadline;        /* apic.c: armed deadline, ns; UINT64_MAX none.  Owner core */
	int64_t tsc_adjust;       /* clock.c: + own TSC = core 0's; 0 when they agree;
	                           * until smp_start() compares them, the arrival stamp */
	uint32_t in_fault;        /* exceptions being handled; owner core */
	uint32_t in_irq;          /* 1 while an interrupt handler runs; owner core */
	uint32_t start;           /* smp.c: enum ap_state; CAS by core 0 and the core */
	uint32_t entered;         /* the runtime runs here: its hooks may be called; owner core */
	uint64_t irqs[256 - 32];  /* interrupts taken, by vector from VEC_FIRST on; owner writes, relaxed */
	uint64_t fed;            /* of VEC_WAKE, when the watchdog was last fed; its feeder's */
	uint32_t idling;          /* in or next to cpu_idle; owner writes, wakers look (seq_cst) */
	struct plat_frame *fatal_frame; /* where the fatal NMI found it */
	uint64_t kvm_time[4] __attribute__((aligned(32))); /* kvmclock.c: what the hypervisor fills */
	uint64_t gdt[8];
	uint8_t tss[104] __attribute__((aligned(16)));
};
extern struct cpu **cpus;    /* ncpus pointers */
extern unsigned ncpus;       /* cores that answered, once smp_start() is over */
extern __thread struct cpu *cpu_self __attribute__((tls_model("local-exec")));

/* On the calling core: kernel CR3, CR0/CR4/EFER, XCR0, GDT, TSS, IDT, FS
 * base.  Interrupts stay off. */
void cpu_percore_init(struct cpu *c);
/* Where smp.c's trampoline ends: long mode, CR3 = vm_ap_cr3 (EFER.NXE must be
 * on for it if the CPU has NX), RSP = c->sched_top, interrupts off, RDI = c.
 * Does cpu_percore_init, lapic_init, sets c->online, sleeps until
 * plat_start_cores(), enters rt_core_main. */
noreturn void ap_main(struct cpu *c);

/* ---- interrupts (trap.c) --------------------------------------------------- */

enum {
	VEC_NMI = 2,
	VEC_FIRST = 32,    /* 32..0xdf are for devices */
	VEC_CONSOLE = 32,  /* console.c: a byte came in */
	VEC_TIMER = 0xec,  /* LAPIC one-shot; handler in plat.c calls lapic_timer_irq() */
	VEC_WAKE = 0xed,   /* plat_wake, plat_preempt */
	VEC_FLUSH = 0xee,  /* stackmap.c: flush the TLB */
	VEC_SYNC = 0xef,   /* clock.c: TSC comparison, only inside smp_start() */
	VEC_LAPIC_ERR = 0xfe,
	VEC_SPURIOUS = 0xff, /* no EOI */
};

/* Handler of a vector >= 32: irq context, interrupts off, on the core's
 * interrupt stack, no SSE.  trap.c calls it, then lapic_eoi() (not for
 * VEC_SPURIOUS), then rt_irq_exit().  A level-triggered source must be quiet
 * when the handler returns.  May be set at any time, NULL to clear. */
void irq_set(unsigned vector, void (*fn)(struct plat_frame *f, void *arg), void *arg);

/* ---- what the machine files provide ----------------------------------------- */

/* cpu.c: reads CPUID into cpu_feat, panics naming what is missing (long mode
 * is a given; NX, SSE2, FXSR, APIC, TSC, ... as needed).  First thing called,
 * nothing but the console works. */
struct cpu_features {
	bool nx, pg1g, xsave, fsgsbase, x2apic, tsc_deadline, tsc_invariant, rdrand, rdseed,
		mwait, smep, smap, umip, erms, hypervisor, avx, avx512;
	uint32_t phys_bits;
	char vendor[13], brand[49], hv[13];
};
extern struct cpu_features cpu_feat;
void cpu_features_check(void);
/* Unpredictable bytes: RDSEED, RDRAND, else clock jitter hashed.  any. */
void cpu_entropy(void *buf, size_t n);

/* Sleeps until *word != seen or any interrupt, without a gap between the test
 * and the sleep.  Interrupts on at entry and exit.  trap.c: an interrupt whose
 * frame has rip == cpu_idle_hlt must return to cpu_idle_hlt + 1, because an
 * NMI can use up sti's shadow. */
void cpu_idle(const uint32_t *word, uint32_t seen);
extern const char cpu_idle_hlt[];

/* acpi.c: finds the tables (rsdp 0: looks in the BIOS area; none is allowed:
 * one core, defaults), checks sums, keeps what the others ask for. */
void acpi_init(uint64_t rsdp_pa);
/* Enabled cores of the MADT as APIC ids, the booting one first; the total may
 * exceed max.  At least 1. */
unsigned acpi_cores(uint32_t *apic_ids, unsigned max);
/* A table by signature ("MCFG"), mapped for ever, NULL if absent.  Sum checked. */
const void *acpi_table(const char sig[4], unsigned index);

/* numa.c: once, after acpi_init(); the number of nodes, 1 to 8. */
unsigned numa_init(void);
unsigned numa_of_core(uint32_t apic_id);
/* The node of the memory at pa; *end is lowered to where that may change. */
unsigned numa_of_memory(uint64_t pa, uint64_t *end);

/* apic.c */
COLD void lapic_init(void);                       /* on each core; first on core 0 */
uint32_t lapic_id(void);
void lapic_eoi(void);
void lapic_send_ipi(uint32_t apic_id, unsigned vector); /* any context, interrupts may be on */
void lapic_send_nmi(uint32_t apic_id);
/* Arms this core's timer for clock_now() >= deadline; passed: fires at once;
 * UINT64_MAX disarms.  Interrupts may be on. */
void lapic_timer_arm(uint64_t deadline);
/* In VEC_TIMER: true when the armed deadline is reached (then disarmed); else
 * it armed the rest.  irq. */
bool lapic_timer_irq(void);

/* ioapic.c: masks every line; after acpi_init, core 0. */
void ioapic_init(void);
/* From now on ISA line irq raises vector on the core with this APIC id.  False
 * when no I/O APIC serves it or reaches the core.  task or system. */
bool ioapic_route_isa(unsigned irq, unsigned vector, uint32_t apic_id);
/* The same for a GSI.  any */
bool ioapic_route(uint32_t gsi, unsigned vector, uint32_t apic_id, bool level, bool low);
/* Holds a routed line back, and lets it through again: a level that still
 * stands interrupts then.  any */
void ioapic_mask(uint32_t gsi, bool masked);
/* The GSI of an ISA line; what the firmware says of its trigger and polarity
 * replaces *level and *low. */
uint32_t ioapic_isa_gsi(unsigned irq, bool *level, bool *low);

/* devirq.c: interrupts of devices, for drivers/.  A handler only marks an event
 * (rt/driver.h) as ready: all else is done by the task that waits for it. */
struct io_event;
/* A vector that marks ev, on whatever core it comes in; 0: none is left.  It is
 * never given back.  task */
unsigned devirq_vector(struct io_event *ev);
/* What the vector of ev, or the one it shares, is for: for people.  Copied. */
void devirq_name(const struct io_event *ev, const char *name);
/* What a vector of a device is for, NULL: it is not in use. */
const char *devirq_name_of(unsigned vector);
/* What a device writes where to raise vector on this core (SDM 3A, 11.11).
 * False: no message reaches it.  any */
bool devirq_message(unsigned core, unsigned vector, uint64_t *addr, uint32_t *data);
/* From now on the line marks ev, along with others that share it; isa: number
 * is that of an ISA line, else a GSI.  A level-triggered line is held back at
 * each interrupt until devirq_done() of every event.  False: it leads nowhere.
 * One caller at a time.  task */
bool devirq_line(bool isa, unsigned number, bool level, struct io_event *ev);
/* plat.c: gives memory back to the host, plat_memory_release()'s; a driver that can
 * sets it.  NULL: nobody takes it. */
extern bool (*memory_release)(uint64_t pa, size_t len);
/* The device behind ev is quiet now.  task */
void devirq_done(struct io_event *ev);

/* smp.c: starts every cpus[1..n-1] and waits for their ->online, bounded; a
 * silent core is reported.  main.c then closes the gaps. */
void smp_start(struct cpu **list, unsigned n);

/* clock.c */
COLD void clock_init(void);                       /* core 0, after lapic_init; calibrates */
void clock_core(void);                       /* each further core, before it asks for the time */
uint64_t clock_now(void);                    /* monotonic ns, agrees across cores.  any */
void clock_delay_us(unsigned us);            /* busy; works before clock_init (PIT/port 0x80) */
/* walltime.c: nanoseconds since 1970 (UTC) now; false after a message on the
 * console: unknown.  Takes up to some milliseconds; one caller at a time.  system. */
bool wall_clock(int64_t *unix_ns);

/* power.c.  All fall back to a halt if nothing works.  any, also fatal. */
noreturn void power_off(void);
noreturn void power_reset(void);
bool qemu_present(void);                     /* fw_cfg signature */
void qemu_debug_exit(int status);            /* port 0xf4; returns if there is no such device */

/* ---- traps, fatal, core set-up: between the base files ----------------------- */

/* Ends on the fatal path as panic= says. */
noreturn void fatal_end(int status);
noreturn void cpu_halt(void);

#endif
