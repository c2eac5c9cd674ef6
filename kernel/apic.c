/* apic.c: the local APIC of each core: IPIs, one-shot timer, end of interrupt.
 *
 * x2APIC (registers are MSRs) when the CPU has it, else xAPIC (registers in an
 * uncached page); decided once on core 0, the same on all.  The 8259s are
 * masked for good, LINT0 is masked, LINT1 carries NMI where the firmware says
 * so.  Everything is addressed physically, edge triggered, fixed or NMI.
 *
 * The timer is one-shot and absolute: cpu->deadline (ns of clock_now()) is
 * what is wanted, the hardware is only told the next step towards it.  With
 * the TSC deadline that is mostly one step; the counter reaches 2^32 ticks, so
 * a longer wait takes several, each ending in lapic_timer_irq(), which arms the
 * rest.  A stray timer interrupt (deadline UINT64_MAX, or not reached) is
 * therefore harmless, and so is one between storing the deadline and loading
 * the counter.  A count of 0 would stop the timer: it is at least 1.
 *
 * Registers: Intel SDM vol. 3, chapter 11. */
#include "machine.h"

enum { /* offsets in the xAPIC page; x2APIC MSR = 0x800 + offset / 16 */
	REG_ID = 0x20,
	REG_VERSION = 0x30,
	REG_TPR = 0x80,
	REG_EOI = 0xb0,
	REG_SVR = 0xf0,
	REG_ISR = 0x100,
	REG_ESR = 0x280,
	REG_LVT_CMCI = 0x2f0,
	REG_ICR = 0x300,
	REG_ICR_HIGH = 0x310, /* xAPIC only */
	REG_LVT_TIMER = 0x320,
	REG_LVT_THERMAL = 0x330,
	REG_LVT_PERF = 0x340,
	REG_LVT_LINT0 = 0x350,
	REG_LVT_LINT1 = 0x360,
	REG_LVT_ERROR = 0x370,
	REG_TIMER_INIT = 0x380,
	REG_TIMER_CURRENT = 0x390,
	REG_TIMER_DIVIDE = 0x3e0,
};

enum {
	MSR_APIC_BASE = 0x1b,
	MSR_TSC_DEADLINE = 0x6e0,
	BASE_ENABLE = 1 << 11,
	BASE_X2APIC = 1 << 10,
	LVT_MASKED = 1 << 16,
	LVT_TSC_DEADLINE = 2 << 17,
	MODE_NMI = 4 << 8,
	MODE_INIT = 5 << 8,
	MODE_STARTUP = 6 << 8,
	LEVEL_ASSERT = 1 << 14,
	ICR_PENDING = 1 << 12,
	DIVIDE_BY_1 = 0xb,
	SVR_ENABLE = 1 << 8,
};

bool lapic_x2;
static volatile uint32_t *regs; /* xAPIC page */
static uint64_t timer_mult;     /* counter ticks per ns, 32.32; 0: TSC deadline mode */
static uint32_t nerrors;        /* atomic, only counted */

static uint32_t reg_read(unsigned off)
{
	return lapic_x2 ? (uint32_t)rdmsr(0x800 + off / 16) : regs[off / 4];
}

static void reg_write(unsigned off, uint32_t v)
{
	if (lapic_x2)
		wrmsr(0x800 + off / 16, v);
	else
		regs[off / 4] = v;
}

/* ---- set-up ---------------------------------------------------------------------- */

static void on_error(struct plat_frame *f, void *arg)
{
	reg_write(REG_ESR, 0); /* latches the errors since the last write */
	uint32_t esr = reg_read(REG_ESR);
	if (__atomic_fetch_add(&nerrors, 1, __ATOMIC_RELAXED) < 8)
		klog("apic: error status 0x%x on core %u\n", esr, cpu_self->id);
}

static void on_spurious(struct plat_frame *f, void *arg) {}

/* 8259 pair: initialised away from the exception vectors, then all masked. */
static void pic_mask(void)
{
	outb(0x20, 0x11), outb(0xa0, 0x11);
	outb(0x21, 0x20), outb(0xa1, 0x28);
	outb(0x21, 4), outb(0xa1, 2);
	outb(0x21, 1), outb(0xa1, 1);
	outb(0x21, 0xff), outb(0xa1, 0xff);
}

/* Where and how the registers are reached; core 0, once. */
static void find_registers(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);
	lapic_x2 = cpu_feat.x2apic;
	if (!lapic_x2 && (base & BASE_X2APIC))
		kpanic("the firmware left the APIC in x2APIC mode, but CPUID does not offer it");
	if (!lapic_x2) {
		uint64_t pa = base & ((1ull << cpu_feat.phys_bits) - 1) & ~0xfffull;
		if (acpi.lapic_addr && acpi.lapic_addr != pa)
			klog("apic: registers at 0x%lx, the MADT says 0x%lx\n", (unsigned long)pa,
			     (unsigned long)acpi.lapic_addr);
		regs = mmio_map(pa, PAGE_SIZE);
	}
	klog("cpu: %s, %s family %u model %u%s%s, %s\n", cpu_feat.brand[0] ? cpu_feat.brand : "no name",
	     cpu_feat.vendor, cpu_ident.family, cpu_ident.model, cpu_feat.hypervisor ? ", under " : "",
	     cpu_feat.hv, lapic_x2 ? "x2APIC" : "xAPIC");
	pic_mask();
	irq_set(VEC_LAPIC_ERR, on_error, NULL);
	irq_set(VEC_SPURIOUS, on_spurious, NULL);
}

static void lint_setup(uint32_t uid)
{
	uint32_t lvt[2] = { LVT_MASKED, LVT_MASKED };
	for (unsigned i = 0; i < acpi.nnmi; i++) {
		const struct acpi_nmi *n = &acpi.nmi[i];
		if (n->all || n->uid == uid) /* active low only if it says so */
			lvt[n->lint] = MODE_NMI | ((n->flags & 3) == 3 ? 1 << 13 : 0);
	}
	if (!acpi.present)
		lvt[1] = MODE_NMI;
	reg_write(REG_LVT_LINT0, lvt[0]);
	reg_write(REG_LVT_LINT1, lvt[1]);
}

__attribute__((cold)) void lapic_init(void)
{
	if (!lapic_x2 && !regs)
		find_registers();
	uint64_t base = rdmsr(MSR_APIC_BASE) | BASE_ENABLE;
	wrmsr(MSR_APIC_BASE, base);
	if (lapic_x2) /* only by way of enabled xAPIC mode */
		wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);

	reg_write(REG_TPR, 0);
	reg_write(REG_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	reg_write(REG_TIMER_INIT, 0);
	unsigned last_lvt = reg_read(REG_VERSION) >> 16 & 255;
	if (last_lvt >= 4)
		reg_write(REG_LVT_PERF, LVT_MASKED);
	if (last_lvt >= 5)
		reg_write(REG_LVT_THERMAL, LVT_MASKED);
	if (last_lvt >= 6)
		reg_write(REG_LVT_CMCI, LVT_MASKED);
	lint_setup(acpi_uid_of(lapic_id()));
	reg_write(REG_LVT_ERROR, VEC_LAPIC_ERR);
	reg_write(REG_ESR, 0);
	reg_write(REG_SVR, SVR_ENABLE | VEC_SPURIOUS);
	/* What whoever ran before left in service would block its priority. */
	for (unsigned i = 0; i < 256; i++) {
		uint32_t any = 0;
		for (unsigned j = 0; j < 8; j++)
			any |= reg_read(REG_ISR + 16 * j);
		if (!any)
			break;
		lapic_eoi();
	}

	cpu_self->deadline = UINT64_MAX;
	reg_write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
	if (cpu_feat.tsc_deadline) {
		reg_write(REG_LVT_TIMER, LVT_TSC_DEADLINE | VEC_TIMER);
		/* SDM 11.5.4.1: orders the xAPIC store before the first deadline. */
		__asm__ volatile("mfence" ::: "memory");
	} else {
		reg_write(REG_LVT_TIMER, VEC_TIMER);
	}
}

uint32_t lapic_id(void)
{
	uint32_t id = reg_read(REG_ID);
	return lapic_x2 ? id : id >> 24;
}

void lapic_eoi(void) { reg_write(REG_EOI, 0); }

/* ---- IPIs ------------------------------------------------------------------------- */

/* Stores made before are visible to the target's handler: an uncached xAPIC
 * store is ordered behind them, an x2APIC MSR write is not by itself (SDM
 * 11.12.3).  In xAPIC mode interrupts are off between the two halves of the
 * command register, and the wait for its last command to leave is bounded:
 * hardware that hangs there has lost interrupts anyway. */
static void send(uint32_t apic_id, uint32_t command)
{
	if (lapic_x2) {
		__asm__ volatile("mfence; lfence" ::: "memory");
		wrmsr(0x800 + REG_ICR / 16, (uint64_t)apic_id << 32 | command);
		return;
	}
	uint64_t f = irq_save();
	for (unsigned i = 0; i < 100000 && (reg_read(REG_ICR) & ICR_PENDING); i++)
		cpu_pause();
	reg_write(REG_ICR_HIGH, apic_id << 24);
	reg_write(REG_ICR, command);
	irq_restore(f);
}

void lapic_send_ipi(uint32_t apic_id, unsigned vector) { send(apic_id, LEVEL_ASSERT | vector); }
void lapic_send_nmi(uint32_t apic_id) { send(apic_id, LEVEL_ASSERT | MODE_NMI); }
void lapic_send_init(uint32_t apic_id) { send(apic_id, LEVEL_ASSERT | MODE_INIT); }

void lapic_send_startup(uint32_t apic_id, unsigned page)
{
	send(apic_id, LEVEL_ASSERT | MODE_STARTUP | page);
}

/* ---- timer ------------------------------------------------------------------------- */

void lapic_timer_free_run(void)
{
	reg_write(REG_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	reg_write(REG_TIMER_INIT, UINT32_MAX);
}

uint32_t lapic_timer_count(void) { return reg_read(REG_TIMER_CURRENT); }

void lapic_timer_set_rate(uint64_t hz)
{
	/* hz < 2^32 (a bus clock), so the shift fits; rounded up, so that rounding
	 * never makes the interrupt early. */
	timer_mult = ((hz << 32) + 999999999) / 1000000000;
	reg_write(REG_TIMER_INIT, 0);
	reg_write(REG_LVT_TIMER, VEC_TIMER);
}

/* Tells the hardware the next step towards deadline. */
static void timer_program(uint64_t deadline, uint64_t now)
{
	uint64_t wait = deadline > now ? deadline - now : 0, count = UINT32_MAX;
	if (cpu_feat.tsc_deadline) { /* relative: rounding errors do not add up over days */
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + clock_ticks(wait));
		return;
	}
	/* Below 4.3 s the product fits in 96 bits; beyond, the counter's whole
	 * length is taken where it may be shorter. */
	if (wait < 1ull << 32)
		count = (uint64_t)(((unsigned __int128)wait * timer_mult) >> 32) + 1;
	reg_write(REG_TIMER_INIT, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
}

void lapic_timer_arm(uint64_t deadline)
{
	cpu_self->deadline = deadline;
	__asm__ volatile("" ::: "memory"); /* before the hardware can fire for it */
	if (deadline != UINT64_MAX)
		timer_program(deadline, clock_now());
	else if (cpu_feat.tsc_deadline)
		wrmsr(MSR_TSC_DEADLINE, 0);
	else
		reg_write(REG_TIMER_INIT, 0);
}

bool lapic_timer_irq(void)
{
	uint64_t deadline = cpu_self->deadline, now = clock_now();
	if (deadline == UINT64_MAX)
		return false;
	if (now >= deadline) {
		cpu_self->deadline = UINT64_MAX;
		return true;
	}
	timer_program(deadline, now);
	return false;
}
