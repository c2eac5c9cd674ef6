/* smp.c: brings up the other cores.
 *
 * INIT to all, start-up IPI to all, then one wait for all: the cores go
 * through ap.S and ap_main() at the same time, each on its own stack.  The
 * 10 ms between INIT and start-up that the MP specification asks for are kept
 * only for processors that may need them; a second start-up IPI goes out only
 * to cores that are still silent after a while (one that runs ignores it).
 * Started cores sleep in HLT: spinning ones would slow the starting of the
 * rest sixtyfold under an emulator with fewer host cores.
 *
 * A core is claimed exactly once, by compare-and-swap on cpu->start:
 *
 *	AP_WAITED -> AP_ARRIVED   by the core itself, before ap_main()
 *	AP_WAITED -> AP_GIVEN_UP  by core 0, when its time is over
 *
 * so a core that comes too late finds that it was given up, and sleeps for
 * ever instead of running with an identity that has been dropped.  The start
 * page is never reused for that reason. */
#include "machine.h"

enum ap_state { AP_WAITED, AP_ARRIVED, AP_GIVEN_UP };

enum {
	RESEND_US = 2000,        /* silent for this long: second start-up IPI */
	GIVE_UP_US = 1000 * 1000, /* since the last arrival; hosts with few cores are slow */
	GIVE_UP_MORE_US = 100 * 1000, /* and for each core: an emulator that runs them in turn lets
	                               * each wait so long for the next one's */
};

/* Read by ap_start64; written before the first start-up IPI. */
struct cpu **ap_list;
uint32_t ap_count;

/* At ap_param in the trampoline. */
struct __attribute__((packed)) ap_param {
	uint32_t cr3;
	uint32_t far_offset;
	uint16_t far_selector;
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint64_t entry;
};

_Static_assert(offsetof(struct cpu, apic_id) == 12, "ap.S");
_Static_assert(offsetof(struct cpu, sched_top) == 24, "ap.S");
_Static_assert(sizeof(struct ap_param) == 24, "ap.S");

void ap_start64(void);
noreturn void ap_enter(struct cpu *c);

/* From ap_start64, on the core's scheduler stack, page tables vm_ap_cr3. */
noreturn void ap_enter(struct cpu *c)
{
	uint32_t state = AP_WAITED;
	c->tsc_adjust = (int64_t)rdtsc(); /* a stamp for clock_sync_core() */
	if (__atomic_compare_exchange_n(&c->start, &state, AP_ARRIVED, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		ap_main(c);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* MP specification 1.4, B.4: 10 ms after INIT.  Needed by the bus of the P5;
 * not by Intel's family 6, AMD's from family 15 on, nor virtual ones. */
static bool needs_init_delay(void)
{
	if (cpu_feat.hypervisor)
		return false;
	return !(cpu_ident.maker == CPU_INTEL && cpu_ident.family == 6) &&
	       !(cpu_ident.maker == CPU_AMD && cpu_ident.family >= 15);
}

static void place_trampoline(uint64_t page)
{
	uint8_t *dst = phys_to_virt(page);
	kmemcpy(dst, ap_trampoline, ap_trampoline_end - ap_trampoline);
	struct ap_param *p = (void *)(dst + (ap_param - ap_trampoline));
	p->cr3 = vm_ap_cr3;
	p->far_offset += page;
	p->gdt_base += page;
	p->entry = (uintptr_t)ap_start64;
}

static bool online(struct cpu *c) { return __atomic_load_n(&c->online, __ATOMIC_ACQUIRE); }

/* Still hoped for. */
static bool silent(struct cpu *c)
{
	return !online(c) && __atomic_load_n(&c->start, __ATOMIC_ACQUIRE) != AP_GIVEN_UP;
}

/* An xAPIC's 8-bit id field cannot name higher ones, and 255 means all. */
static void give_up_unreachable(struct cpu **list, unsigned n)
{
	for (unsigned i = 1; i < n && !lapic_x2; i++)
		if (list[i]->apic_id >= 255) {
			list[i]->start = AP_GIVEN_UP;
			kprintf("ingot: core with APIC id %u needs x2APIC, which is off, left out\n",
				list[i]->apic_id);
		}
}

/* Waits until no core is silent or time is over; who is left out says so. */
static void wait_for_cores(struct cpu **list, unsigned n, unsigned page)
{
	uint64_t last = clock_now();
	bool resent = false;
	unsigned left = n;
	while (left > 0) {
		unsigned now_left = 0;
		for (unsigned i = 1; i < n; i++)
			now_left += silent(list[i]);
		uint64_t now = clock_now();
		if (now_left < left) {
			left = now_left;
			last = now;
		}
		if (!resent && now - last > RESEND_US * 1000ull) {
			resent = true;
			for (unsigned i = 1; i < n; i++)
				if (silent(list[i]))
					lapic_send_startup(list[i]->apic_id, page);
		}
		if (now - last > (GIVE_UP_US + n * GIVE_UP_MORE_US) * 1000ull)
			break;
		cpu_pause();
	}
	if (left == 0)
		return;
	for (unsigned i = 1; i < n; i++) {
		uint32_t state = AP_WAITED;
		if (!silent(list[i]))
			continue;
		if (__atomic_compare_exchange_n(&list[i]->start, &state, AP_GIVEN_UP, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			kprintf("ingot: core with APIC id %u does not answer, left out\n", list[i]->apic_id);
			continue;
		}
		/* It came at the last moment and is on its way through ap_main(). */
		for (uint64_t t = clock_now(); silent(list[i]) && clock_now() - t < GIVE_UP_US * 1000ull;)
			cpu_pause();
		if (silent(list[i]))
			kprintf("ingot: core with APIC id %u stopped while starting, left out\n",
				list[i]->apic_id);
	}
}

void smp_start(struct cpu **list, unsigned n)
{
	if (n < 2)
		return;
	uint64_t begin = clock_now(), sent = rdtsc(), page = page_alloc_low();
	if (page == 0) {
		kprintf("ingot: no free page below 640 KiB to start other cores from, using one core\n");
		return;
	}
	give_up_unreachable(list, n);
	place_trampoline(page);
	ap_list = list;
	ap_count = n;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 1; i < n; i++)
		if (silent(list[i]))
			lapic_send_init(list[i]->apic_id);
	if (needs_init_delay())
		clock_delay_us(10000);
	for (unsigned i = 1; i < n; i++)
		if (silent(list[i]))
			lapic_send_startup(list[i]->apic_id, page / PAGE_SIZE);
	wait_for_cores(list, n, page / PAGE_SIZE);
	uint64_t started = clock_now();
	unsigned up = 1;
	clock_sync_begin();
	for (unsigned i = 1; i < n; i++)
		if (online(list[i])) {
			clock_sync_core(list[i], (uint64_t)list[i]->tsc_adjust, sent);
			up++;
		}
	clock_sync_end();
	uint64_t compared = clock_now();
	klog("smp: %u of %u cores up in %lu us, clocks compared in %lu us\n", up, n,
	     (unsigned long)((started - begin) / 1000), (unsigned long)((compared - started) / 1000));
}
