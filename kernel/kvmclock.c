/* kvmclock.c: the clock that KVM keeps for its guests.
 *
 * Two structures in memory that the hypervisor fills: for each core how its
 * TSC becomes nanoseconds (updated whenever that changes), and the wall clock
 * of the moment when those nanoseconds were 0, written when asked for.  A
 * version is odd while one is being written and different afterwards.
 *
 * Where KVM vouches for the TSCs (they run alike on all cores and at one rate)
 * only the rate and the wall clock are asked for, once.  Where it does not,
 * each core has its own structure filled for good, and clock.c asks it at each
 * reading.
 *
 * Source: Linux, Documentation/virt/kvm/x86/msr.rst and cpuid.rst. */
#include "machine.h"

enum {
	CPUID_SIGNATURE = 0x40000000,
	CPUID_FEATURES = 0x40000001,
	FEATURE_CLOCK = 1 << 0,      /* MSRs 0x11 and 0x12 */
	FEATURE_CLOCK2 = 1 << 3,     /* the same at 0x4b564d00 and ...01 */
	FEATURE_STABLE_BIT = 1 << 24, /* the flag below means something */
	FLAG_TSC_STABLE = 1 << 0,
	MSR_WALL_CLOCK = 0x11,
	MSR_SYSTEM_TIME = 0x12,
	MSR_WALL_CLOCK_NEW = 0x4b564d00,
	MSR_SYSTEM_TIME_NEW = 0x4b564d01,
	SYSTEM_TIME_ENABLE = 1,
	TRIES = 1000,                /* until a version stays; one is the rule */
};

/* pvclock_vcpu_time_info */
struct time_info {
	uint32_t version, pad;
	uint64_t tsc, system; /* system ns at that TSC */
	uint32_t mul;         /* ns = ((ticks << shift) * mul) >> 32 */
	int8_t shift;
	uint8_t flags, pad2[2];
};
_Static_assert(sizeof(struct time_info) == 32, "as the hypervisor has it");

/* pvclock_wall_clock */
struct wall_clock {
	uint32_t version, sec, nsec;
};

/* Neither may cross a page; both are only used here, on one core at a time. */
static volatile struct time_info info __attribute__((aligned(32)));
static volatile struct wall_clock wall __attribute__((aligned(16)));

static uint32_t kept; /* the MSR, if each core keeps its structure; constant after kvmclock_keep() */
_Static_assert(sizeof((struct cpu *)0)->kvm_time == sizeof(struct time_info), "struct cpu has room for one");

/* The MSR for system time, 0: KVM's clock is not offered; the other is one less. */
static uint32_t system_time_msr(uint32_t *features)
{
	uint32_t r[4];
	*features = 0;
	if (!(cpu_feat.hv[0] == 'K' && cpu_feat.hv[1] == 'V' && cpu_feat.hv[2] == 'M'))
		return 0;
	cpuid(CPUID_SIGNATURE, 0, r);
	if (r[0] != 0 && r[0] < CPUID_FEATURES) /* 0: an old KVM, which means 0x40000001 */
		return 0;
	cpuid(CPUID_FEATURES, 0, r);
	*features = r[0];
	return r[0] & FEATURE_CLOCK2 ? MSR_SYSTEM_TIME_NEW : r[0] & FEATURE_CLOCK ? MSR_SYSTEM_TIME : 0;
}

/* A whole copy of it, with the TSC read meanwhile; false if there is none. */
static bool read_info(const volatile struct time_info *from, struct time_info *out, uint64_t *tsc)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t v = __atomic_load_n(&from->version, __ATOMIC_ACQUIRE);
		out->tsc = from->tsc;
		out->system = from->system;
		out->mul = from->mul;
		out->shift = from->shift;
		out->flags = from->flags;
		__asm__ volatile("lfence" ::: "memory");
		*tsc = rdtsc();
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (v == from->version && v != 0 && !(v & 1))
			return out->mul != 0 && out->shift > -32 && out->shift < 32;
		cpu_pause();
	}
	return false;
}

/* The hypervisor's structure for this core, once. */
static bool ask(uint32_t msr, struct time_info *out, uint64_t *tsc)
{
	uint64_t f = irq_save(); /* the MSR and the TSC of one core */
	wrmsr(msr, virt_to_phys((const void *)&info) | SYSTEM_TIME_ENABLE);
	bool ok = read_info(&info, out, tsc);
	wrmsr(msr, kept ? virt_to_phys(cpu_self->kvm_time) | SYSTEM_TIME_ENABLE : 0);
	irq_restore(f);
	return ok;
}

static uint64_t to_ns(const struct time_info *t, uint64_t tsc)
{
	uint64_t ticks = tsc - t->tsc;
	if ((int64_t)ticks < 0) /* read by a core a little behind */
		ticks = 0;
	ticks = t->shift < 0 ? ticks >> -t->shift : ticks << t->shift;
	return t->system + (uint64_t)(((unsigned __int128)ticks * t->mul) >> 32);
}

bool kvmclock_keep(void)
{
	uint32_t features, msr = system_time_msr(&features);
	struct time_info t;
	uint64_t tsc;
	if (!msr || !ask(msr, &t, &tsc) || ((features & FEATURE_STABLE_BIT) && (t.flags & FLAG_TSC_STABLE)))
		return false;
	kept = msr;
	kvmclock_core();
	return true;
}

void kvmclock_core(void)
{
	if (kept)
		wrmsr(kept, virt_to_phys(cpu_self->kvm_time) | SYSTEM_TIME_ENABLE);
}

uint64_t kvmclock_now(void)
{
	struct time_info t;
	uint64_t tsc;
	if (!read_info((const volatile struct time_info *)cpu_self->kvm_time, &t, &tsc))
		return 0; /* clock.c: then what was last returned still holds */
	return to_ns(&t, tsc);
}

uint64_t kvmclock_rate(void)
{
	uint32_t features, msr = system_time_msr(&features);
	struct time_info t;
	uint64_t tsc;
	if (!msr || !ask(msr, &t, &tsc))
		return 0;
	uint64_t hz = (1000000000ull << 32) / t.mul;
	return t.shift < 0 ? hz << -t.shift : hz >> t.shift;
}

bool kvmclock_wall(int64_t *unix_ns)
{
	uint32_t features, msr = system_time_msr(&features);
	struct time_info t;
	uint64_t tsc;
	if (!msr)
		return false;
	wrmsr(msr - 1, virt_to_phys((const void *)&wall));
	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t v = __atomic_load_n(&wall.version, __ATOMIC_ACQUIRE);
		uint64_t sec = wall.sec, nsec = wall.nsec;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (v != wall.version || v == 0 || v & 1) {
			cpu_pause();
			continue;
		}
		if (sec == 0 || !ask(msr, &t, &tsc))
			return false;
		*unix_ns = (int64_t)(sec * 1000000000 + nsec + to_ns(&t, tsc));
		return true;
	}
	return false;
}
