/* machine.h: what the machine files (cpu, acpi, apic, smp, clock, kvmclock,
 * walltime, power) know of each other beyond kernel.h.  Nobody else includes it. */
#ifndef MACHINE_H
#define MACHINE_H

#include "kernel.h"

/* ---- cpu.c -------------------------------------------------------------- */

enum cpu_maker { CPU_OTHER, CPU_INTEL, CPU_AMD };
struct cpu_ident {
	enum cpu_maker maker;      /* Hygon counts as AMD */
	unsigned family, model;    /* extended fields included */
	bool tcg;                  /* QEMU's emulator */
	uint32_t max_leaf, max_hv; /* highest standard and hypervisor leaf, 0 if none */
};
extern struct cpu_ident cpu_ident;

/* Interrupts off, and back as they were.  any. */
static inline uint64_t irq_save(void)
{
	uint64_t f;
	__asm__ volatile("pushfq; popq %0; cli" : "=r"(f)::"memory");
	return f;
}
static inline void irq_restore(uint64_t f)
{
	if (f & 0x200)
		__asm__ volatile("sti" ::: "memory");
}

/* ---- acpi.c -------------------------------------------------------------- */

/* A register as ACPI describes it (6.5, 5.2.3.2). */
enum acpi_space { ACPI_MEM = 0, ACPI_IO = 1 };
struct acpi_reg {
	uint8_t space;          /* enum acpi_space; other spaces are not usable */
	uint64_t addr;          /* 0: there is no such register */
	volatile uint8_t *mmio; /* mapped at acpi_init() when in memory, else NULL */
};

struct acpi_ioapic {
	uint32_t id, addr, gsi_base;
};
struct acpi_override {
	uint8_t irq;    /* ISA line */
	uint16_t flags; /* MPS INTI flags: polarity bits 0-1, trigger bits 2-3 */
	uint32_t gsi;
};
struct acpi_nmi {
	bool all;       /* every core, else the one with this ACPI id */
	uint32_t uid;
	uint16_t flags;
	uint8_t lint;   /* 0 or 1 */
};

/* What acpi_init() found.  Constant afterwards; zero where there is nothing. */
struct acpi_info {
	bool present;
	bool hw_reduced;          /* no PM1 blocks: sleep registers instead */
	bool pcat;                /* two 8259 are there */
	uint64_t lapic_addr;      /* 0: the architectural default */
	unsigned nioapic, noverride, nnmi;
	unsigned nstandby;        /* cores listed as not enabled: could be added, not started */
	struct acpi_ioapic ioapic[16];
	struct acpi_override override[24];
	struct acpi_nmi nmi[16];
	uint16_t pm_timer;        /* port, 0 none */
	bool pm_timer_32;
	uint16_t pm1a_cnt, pm1b_cnt; /* ports */
	uint16_t smi_cmd;
	uint8_t acpi_enable;
	struct acpi_reg reset, sleep_control;
	uint8_t reset_value;
	bool s5_valid;
	uint8_t s5_a, s5_b;       /* SLP_TYP for PM1a (or the sleep register) and PM1b */
	uint64_t hpet;            /* physical address, 0 none */
	bool no_rtc;              /* there is no CMOS clock */
	uint8_t rtc_century;      /* its register for the century, 0 none */
};
extern struct acpi_info acpi;
/* The ACPI processor id that the MADT gives to an APIC id; UINT32_MAX if none. */
uint32_t acpi_uid_of(uint32_t apic_id);

/* ---- apic.c --------------------------------------------------------------- */

/* Starting other cores: INIT, and start-up at physical page `page`. */
COLD void lapic_send_init(uint32_t apic_id);
COLD void lapic_send_startup(uint32_t apic_id, unsigned page);
extern bool lapic_x2;      /* x2APIC mode in use */
/* Calibration: the masked counter runs down from 2^32-1; its value. */
void lapic_timer_free_run(void);
uint32_t lapic_timer_count(void);
/* Ends it.  Counter rate in Hz; 0 when the TSC deadline is used. */
COLD void lapic_timer_set_rate(uint64_t hz);

/* ---- clock.c --------------------------------------------------------------- */

/* TSC ticks that ns nanoseconds last, rounded up; saturates far from overflow. */
uint64_t clock_ticks(uint64_t ns);
/* Between begin and end: compares core c's TSC with this core's and sets c's
 * correction.  stamp: c's TSC when it arrived; sent: ours before it was sent
 * for.  c is online and asleep with interrupts on.  Core 0, in smp_start(). */
COLD void clock_sync_core(struct cpu *c, uint64_t stamp, uint64_t sent);
COLD void clock_sync_begin(void);
COLD void clock_sync_end(void);

/* ---- kvmclock.c ------------------------------------------------------------ */

/* True if KVM offers its clock and does not vouch for the TSCs: then each core
 * must call kvmclock_core() when it starts, and kvmclock_now() is the time in
 * ns, of the own core, interrupts off.  Core 0, once. */
COLD bool kvmclock_keep(void);
COLD void kvmclock_core(void);
uint64_t kvmclock_now(void);
/* The TSC's rate in Hz; 0 where KVM does not offer its clock. */
COLD uint64_t kvmclock_rate(void);
/* Nanoseconds since 1970 now; false where KVM does not say. */
COLD bool kvmclock_wall(int64_t *unix_ns);

/* ---- ap.S -------------------------------------------------------------------- */

extern const char ap_trampoline[], ap_trampoline_end[];
extern const char ap_param[]; /* struct ap_param inside it (smp.c) */

#endif
