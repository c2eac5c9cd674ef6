/* clock.c: nanoseconds since boot from the TSC.
 *
 *	clock_now() = ((TSC - tsc_zero) * tsc_mult) >> 32
 *
 * with a 64 x 64 -> 128 bit product, so it neither wraps nor loses bits.
 * The TSC's rate comes from the first of: CPUID 15h, the hypervisor's leaf
 * 0x40000010, kvmclock's scale; else it is measured against HPET, ACPI PM
 * timer or PIT channel 0.  (HPET first: 10 to 70 ns a tick against 279, and
 * one access a reading against three for the PIT.)  The LAPIC counter is
 * measured in the same 1 to 2 ms.
 *
 * A reading is the mean of brackets TSC, reference, TSC; wide ones, which an
 * SMI or the host's scheduler fell into, are dropped, and the mean is finer
 * than the reference's tick.  A window has three readings; when its halves
 * disagree it is measured again, and of three windows the most consistent is
 * taken.
 *
 * Cores.  At start each core's TSC is compared with core 0's through a shared
 * line, in turns.  (Not under QEMU's TCG, whose cores all read one host clock
 * and where taking turns waits for the host's scheduler; there the stamp a
 * core made when it arrived is enough.)  Agreeing, as everywhere but on old or
 * odd machines, costs nothing later.  Once any core is off by more than can be
 * explained by the line's latency, each core adds its correction, and what is
 * left of the error is kept from showing by never returning less than any core
 * was given before.
 *
 * Where KVM does not vouch for the TSCs its own clock is asked instead, with the
 * same care.
 *
 * Invariant: clock_now() never decreases, whichever cores ask. */
#include "machine.h"

#define SECOND 1000000000ull

static uint64_t tsc_hz;
static uint64_t tsc_zero;   /* TSC at clock_now() == 0 */
static uint64_t tsc_mult;   /* ns per tick, 32.32; 0 before clock_init() */
static uint64_t tsc_inverse; /* ticks per ns, 34.30 */
static bool skewed;         /* some core needs its correction; set before tasks run */
static bool by_kvm;         /* skewed too: kvmclock_now() and not the TSC */
static uint64_t kvm_zero;   /* kvmclock_now() at clock_now() == 0 */
static uint64_t last_ns __attribute__((aligned(64))); /* skewed only: most ever returned; CAS */

static inline uint64_t rdtsc_ordered(void)
{
	__asm__ volatile("lfence" ::: "memory"); /* not ahead of earlier loads */
	return rdtsc();
}

/* ---- reading -------------------------------------------------------------------- */

static inline uint64_t to_ns(uint64_t ticks)
{
	return (uint64_t)(((unsigned __int128)ticks * tsc_mult) >> 32);
}

static __attribute__((noinline)) uint64_t now_skewed(void)
{
	uint64_t f = irq_save(); /* correction and TSC of the same core */
	int64_t passed = by_kvm ? (int64_t)(kvmclock_now() - kvm_zero)
	                        : (int64_t)(rdtsc_ordered() + cpu_self->tsc_adjust - tsc_zero);
	irq_restore(f);
	uint64_t ns = passed <= 0 ? 0 : by_kvm ? (uint64_t)passed : to_ns((uint64_t)passed);
	uint64_t last = __atomic_load_n(&last_ns, __ATOMIC_SEQ_CST);
	while (last < ns)
		if (__atomic_compare_exchange_n(&last_ns, &last, ns, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return ns;
	return last;
}

uint64_t clock_now(void)
{
	if (__builtin_expect(skewed, 0))
		return now_skewed();
	return to_ns(rdtsc_ordered() - tsc_zero);
}

uint64_t clock_ticks(uint64_t ns)
{
	unsigned __int128 ticks = (((unsigned __int128)ns * tsc_inverse) >> 30) + 1;
	return ticks < INT64_MAX / 2 ? (uint64_t)ticks : INT64_MAX / 2;
}

void clock_delay_us(unsigned us)
{
	if (tsc_hz == 0) {
		for (unsigned i = 0; i < us; i++) /* about 1 us on an ISA-like bus */
			outb(0x80, 0);
		return;
	}
	uint64_t start = rdtsc(), ticks = us * tsc_hz / 1000000;
	while (rdtsc() - start < ticks)
		cpu_pause();
}

/* ---- references --------------------------------------------------------------------- */

struct reference {
	const char *name;
	uint64_t hz;
	uint32_t mask; /* of the up-counting value */
	uint32_t half_us; /* half a window: coarse ticks want more time */
	uint32_t (*read)(void);
};

static volatile uint8_t *hpet;

static uint32_t hpet_read(void) { return *(volatile uint32_t *)(hpet + 0xf0); }
static uint32_t pm_read(void) { return inl(acpi.pm_timer); }

/* Latched, low byte first; it counts down. */
static uint32_t pit_read(void)
{
	outb(0x43, 0);
	uint32_t lo = inb(0x40);
	return -(lo | (uint32_t)inb(0x40) << 8);
}

/* IA-PC HPET 1.0a, 2.3: period in femtoseconds, at most 100 ns. */
static bool hpet_start(struct reference *r)
{
	if (!acpi.hpet)
		return false;
	hpet = mmio_map(acpi.hpet, 0x400);
	uint32_t period = *(volatile uint32_t *)(hpet + 4);
	if (period == 0 || period > 100000000)
		return false;
	*(volatile uint32_t *)(hpet + 0x10) |= 1;
	*r = (struct reference){ "HPET", 1000000000000000ull / period, UINT32_MAX, 500, hpet_read };
	return true;
}

static bool pm_start(struct reference *r)
{
	if (!acpi.pm_timer)
		return false;
	*r = (struct reference){ "ACPI PM timer", 3579545, acpi.pm_timer_32 ? UINT32_MAX : 0xffffff,
				  800, pm_read };
	return true;
}

static bool pit_start(struct reference *r)
{
	outb(0x43, 0x34); /* channel 0, both bytes, mode 2: periodic */
	outb(0x40, 0);
	outb(0x40, 0);
	*r = (struct reference){ "PIT", 1193182, 0xffff, 600, pit_read };
	return true;
}

/* Firmware leaves channel 0 ticking at 18 Hz, each an exit from a sleeping
 * guest: mode 0 counts down once and is quiet. */
static void pit_stop(void)
{
	outb(0x43, 0x30);
	outb(0x40, 1);
	outb(0x40, 0);
}

/* ---- measuring ------------------------------------------------------------------------- */

enum { CLUSTER = 8, TRIES = 3, GOOD_PPM = 1000 };

/* What a cluster of brackets comes to. */
struct reading {
	uint64_t tsc, ref;         /* ref in 1/256 ticks */
	uint64_t tsc_lapic, lapic; /* lapic in 1/256 counts, counting down */
};

/* Mean of the brackets at most twice as wide as the narrowest: the time at
 * their middles, and value (mod 2^32, near one another; `mask` says how wide). */
static void mean(const uint64_t *t0, const uint64_t *t1, const uint32_t *value, uint32_t mask,
		 uint64_t *time, uint64_t *mean256)
{
	uint64_t narrow = UINT64_MAX, times = 0, values = 0;
	unsigned n = 0;
	for (unsigned i = 0; i < CLUSTER; i++)
		narrow = t1[i] - t0[i] < narrow ? t1[i] - t0[i] : narrow;
	for (unsigned i = 0; i < CLUSTER; i++) {
		if (t1[i] - t0[i] > 2 * narrow)
			continue;
		times += t0[i] - t0[0] + (t1[i] - t0[i]) / 2;
		values += (value[i] - value[0]) & mask;
		n++;
	}
	*time = t0[0] + times / n;
	*mean256 = ((uint64_t)(value[0] & mask) << 8) + (values << 8) / n;
}

static void take_reading(const struct reference *r, struct reading *out)
{
	uint64_t t0[CLUSTER], t1[CLUSTER], t2[CLUSTER];
	uint32_t ref[CLUSTER], lapic[CLUSTER];
	for (unsigned i = 0; i < CLUSTER; i++) {
		t0[i] = rdtsc_ordered();
		ref[i] = r ? r->read() : 0;
		t1[i] = rdtsc_ordered();
		lapic[i] = -lapic_timer_count();
		t2[i] = rdtsc_ordered();
	}
	mean(t0, t1, ref, r ? r->mask : 0, &out->tsc, &out->ref);
	mean(t1, t2, lapic, UINT32_MAX, &out->tsc_lapic, &out->lapic);
}

/* Waits half a window by the reference; false if it does not move. */
static bool half_window(const struct reference *r)
{
	uint32_t start = r->read(), ticks = (uint32_t)(r->hz * r->half_us / 1000000);
	for (unsigned i = 0; i < 1000000; i++) {
		uint32_t passed = (r->read() - start) & r->mask;
		if (passed >= ticks)
			return true;
		if (i == 1000 && passed == 0)
			return false;
	}
	return false;
}

/* Rates between two readings, 0 where nothing passed. */
static uint64_t tsc_rate(const struct reference *r, const struct reading *a, const struct reading *b)
{
	uint64_t ref = (b->ref - a->ref) & ((uint64_t)r->mask << 8 | 255);
	return ref ? (b->tsc - a->tsc) * 256 / ref * r->hz + (b->tsc - a->tsc) * 256 % ref * r->hz / ref : 0;
}

static uint64_t lapic_rate(uint64_t hz, const struct reading *a, const struct reading *b)
{
	uint64_t ticks = b->tsc_lapic - a->tsc_lapic;
	uint64_t count = (b->lapic - a->lapic) & 0xffffffffffull;
	return ticks ? count / 256 * hz / ticks : 0;
}

/* |a - b| in millionths of a; all bits when a is 0. */
static uint64_t apart(uint64_t a, uint64_t b)
{
	uint64_t d = a > b ? a - b : b - a;
	return a >= 1000000 ? d / (a / 1000000) : UINT64_MAX;
}

/* One window: readings at its begin, middle and end.  The rates from begin to
 * end, and how far the two halves disagree.  Without a reference the TSC's
 * rate is known and only the counter's is wanted.  False if the reference
 * stands still. */
__attribute__((cold)) static bool window(const struct reference *r, uint64_t *tsc, uint64_t *lapic, uint64_t *ppm)
{
	struct reading rd[3];
	lapic_timer_free_run();
	for (unsigned i = 0; i < 3; i++) {
		if (i > 0 && r && !half_window(r))
			return false;
		if (i > 0 && !r)
			clock_delay_us(500);
		take_reading(r, &rd[i]);
	}
	*tsc = r ? tsc_rate(r, &rd[0], &rd[2]) : tsc_hz;
	*lapic = lapic_rate(*tsc, &rd[0], &rd[2]);
	*ppm = r ? apart(tsc_rate(r, &rd[0], &rd[1]), tsc_rate(r, &rd[1], &rd[2])) : 0;
	if (!cpu_feat.tsc_deadline) {
		uint64_t p = apart(lapic_rate(*tsc, &rd[0], &rd[1]), lapic_rate(*tsc, &rd[1], &rd[2]));
		*ppm = p > *ppm ? p : *ppm;
	}
	return true;
}

static bool measure(const struct reference *r, uint64_t *lapic_hz, uint64_t *spread)
{
	*spread = UINT64_MAX;
	uint64_t best = 0;
	for (unsigned i = 0; i < TRIES && *spread > GOOD_PPM; i++) {
		uint64_t tsc, lapic, ppm;
		if (!window(r, &tsc, &lapic, &ppm))
			return false;
		if (ppm < *spread) {
			*spread = ppm;
			best = tsc;
			*lapic_hz = lapic;
		}
	}
	if (*spread == UINT64_MAX)
		return false;
	tsc_hz = best;
	return true;
}

/* ---- rates that are told ---------------------------------------------------------------- */

static uint64_t known_rate(const char **how)
{
	uint32_t r[4];
	if (cpu_ident.max_leaf >= 0x15) {
		cpuid(0x15, 0, r);
		*how = "CPUID 15h";
		if (r[0] && r[1] && r[2])
			return (uint64_t)r[2] * r[1] / r[0];
	}
	if (cpu_ident.max_hv >= 0x40000010) {
		cpuid(0x40000010, 0, r);
		*how = "hypervisor";
		if (r[0])
			return r[0] * 1000ull;
	}
	*how = "kvmclock";
	return kvmclock_rate();
}

/* ---- start --------------------------------------------------------------------------------- */

/* On AMD's, LFENCE holds back a later RDTSC only when this bit is set, but for
 * families 0Fh and 11h, which lack the MSR and need it not (AMD, "Software
 * techniques for managing speculation").  Under a hypervisor it is that one's. */
static void lfence_init(void)
{
	enum { MSR_DE_CFG = 0xc0011029, LFENCE_SERIALIZE = 1 << 1 };
	if (cpu_ident.maker == CPU_AMD && !cpu_feat.hypervisor && cpu_ident.family >= 0x10 && cpu_ident.family != 0x11)
		wrmsr(MSR_DE_CFG, rdmsr(MSR_DE_CFG) | LFENCE_SERIALIZE);
}

void clock_core(void)
{
	lfence_init();
	kvmclock_core();
}

__attribute__((cold)) void clock_init(void)
{
	static bool (*const starts[])(struct reference *) = { hpet_start, pm_start, pit_start };
	uint64_t begin = rdtsc(), lapic_hz = 0, spread = 0;
	const char *how = NULL;
	lfence_init();
	tsc_hz = known_rate(&how);
	if (tsc_hz < SECOND / 1000 || tsc_hz > 15 * SECOND)
		tsc_hz = 0;
	if (tsc_hz == 0) {
		struct reference r;
		for (unsigned i = 0; i < 3 && tsc_hz == 0; i++)
			if (starts[i](&r) && measure(&r, &lapic_hz, &spread))
				how = r.name;
		if (tsc_hz == 0)
			kpanic("no clock to calibrate the TSC by (neither CPUID, HPET, ACPI PM timer nor PIT)");
	} else if (!cpu_feat.tsc_deadline) {
		measure(NULL, &lapic_hz, &spread);
	}
	pit_stop();
	if (!cpu_feat.tsc_deadline && (lapic_hz == 0 || lapic_hz > UINT32_MAX))
		kpanic("the local APIC timer does not count (rate %lu Hz)", (unsigned long)lapic_hz);
	if (!cpu_feat.tsc_deadline)
		lapic_timer_set_rate(lapic_hz);
	tsc_mult = (SECOND << 32) / tsc_hz;
	tsc_inverse = (tsc_hz << 30) / SECOND + 1;
	tsc_zero = begin;
	if (!cpu_feat.tsc_invariant && kvmclock_keep()) {
		kvm_zero = kvmclock_now() - to_ns(rdtsc() - begin);
		by_kvm = skewed = true;
	}
	uint64_t took = clock_now();
	klog("clock: TSC %lu kHz by %s%s, timer %s %lu kHz, readings within %lu ppm, took %lu us\n",
	     (unsigned long)(tsc_hz / 1000), how, cpu_feat.tsc_invariant ? " (invariant)" : "",
	     cpu_feat.tsc_deadline ? "TSC deadline" : "LAPIC", (unsigned long)(lapic_hz / 1000),
	     (unsigned long)spread, (unsigned long)(took / 1000));
	if (by_kvm)
		klog("clock: KVM does not vouch for the TSCs: its own clock is asked\n");
}

/* ---- cores ----------------------------------------------------------------------------------- */

enum { SYNC_ROUNDS = 5 };

/* Whose turn it is: odd 2r+1, the other core stamps; even 2r+2, core 0 reads;
 * SYNC_END, over.  Stores release, loads acquire; stamp goes with the turn. */
static struct {
	uint32_t turn;
	uint32_t apic_id; /* of the other core: a late one must not answer for it */
	uint64_t stamp;
} sync __attribute__((aligned(64)));
#define SYNC_END UINT32_MAX

/* Waits for a turn, at most 100 ms by the own TSC. */
static bool await_turn(uint32_t turn)
{
	uint64_t start = rdtsc();
	uint32_t t;
	while ((t = __atomic_load_n(&sync.turn, __ATOMIC_ACQUIRE)) != turn) {
		if (t == SYNC_END || rdtsc() - start > tsc_hz / 10)
			return false;
		cpu_pause();
	}
	return true;
}

/* The other core's part, in its VEC_SYNC interrupt. */
static void on_sync(struct plat_frame *f, void *arg)
{
	if (__atomic_load_n(&sync.apic_id, __ATOMIC_ACQUIRE) != cpu_self->apic_id)
		return;
	for (uint32_t r = 0; r < SYNC_ROUNDS && await_turn(2 * r + 1); r++) {
		sync.stamp = rdtsc_ordered();
		__atomic_store_n(&sync.turn, 2 * r + 2, __ATOMIC_RELEASE);
	}
}

void clock_sync_begin(void) { irq_set(VEC_SYNC, on_sync, NULL); }
void clock_sync_end(void) { irq_set(VEC_SYNC, NULL, NULL); }

__attribute__((cold)) void clock_sync_core(struct cpu *c, uint64_t stamp, uint64_t sent)
{
	c->tsc_adjust = 0;
	if (by_kvm)
		return;
	/* Its stamp lies between our sending and now, or the clocks differ. */
	bool plausible = (int64_t)(stamp - sent) > 0 && (int64_t)(rdtsc_ordered() - stamp) > 0;
	if (plausible && cpu_ident.tcg)
		return;
	/* c's TSC minus ours lies in [least, most]; each round narrows it. */
	int64_t least = INT64_MIN, most = INT64_MAX;
	__atomic_store_n(&sync.turn, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&sync.apic_id, c->apic_id, __ATOMIC_SEQ_CST);
	lapic_send_ipi(c->apic_id, VEC_SYNC);
	uint32_t r = 0;
	for (; r < SYNC_ROUNDS; r++) {
		uint64_t t1 = rdtsc_ordered();
		__atomic_store_n(&sync.turn, 2 * r + 1, __ATOMIC_SEQ_CST);
		if (!await_turn(2 * r + 2))
			break;
		uint64_t t3 = rdtsc_ordered();
		int64_t lo = (int64_t)(sync.stamp - t3), hi = (int64_t)(sync.stamp - t1);
		least = lo > least ? lo : least;
		most = hi < most ? hi : most;
	}
	__atomic_store_n(&sync.turn, SYNC_END, __ATOMIC_SEQ_CST);
	if (r == 0) {
		kprintf("clock: core with APIC id %u did not answer the TSC comparison\n", c->apic_id);
		return;
	}
	if (least <= 0 && most >= 0)
		return;
	c->tsc_adjust = -(least + (most - least) / 2);
	skewed = true;
	klog("clock: TSC of core with APIC id %u is off by %ld ticks (+-%ld)\n", c->apic_id,
	     (long)-c->tsc_adjust, (long)((most - least) / 2));
}
