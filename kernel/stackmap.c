/* stackmap.c: pages under the task stack windows, and TLB flushes.
 *
 * One thread of ownership: the runtime never commits or releases the same
 * page twice at once, so entries are plain stores; tables above them are
 * installed by compare-and-swap, since neighbours share them, and are never
 * freed (a parked window costs its 8 bytes, an empty table its page).
 *
 * Rule S1.  A frame goes back, and an address is used again, only when no
 * core can hold a translation from before.  Flushing at each release would
 * cost an IPI round per dead task, so released frames wait in a list, and
 * the released entry, not present, keeps the generation at which it was
 * unmapped:
 *
 *   free -> mapped          commit; first flushes if the entry's generation
 *                           has not been flushed yet
 *   mapped -> quarantined   release: entry = generation << 1
 *   quarantined -> free     stackmap_flush_all() has completed a later generation
 *   mapped -> free          freeze: flushes before it returns
 *   free -> mapped          thaw, in a page fault: there is nothing to flush
 *
 * A generation is flushed when every core has reloaded CR3 after it was
 * taken, or was seen idle after that (it reloads when it wakes).  IPIs
 * coalesce, so handlers answer generations, never counts. */
#include "base.h"
#include "rt/plat.h"
#include "rt/sabotage.h"

#define QUARANTINE_MAX 64          /* frames; then a flush pays for all of them */
#define FLUSH_LIMIT_NS 10000000000ul

static uint64_t flush_wanted = 1;  /* newest generation asked for; seq_cst */
static uint64_t flush_done;        /* every core has flushed for this one; release / acquire */

/* The released frames, linked through their first word (direct map). */
static struct {
	uint32_t lock;             /* acquire / release */
	void *head;
	unsigned n;
	uint64_t newest;           /* generation of the youngest */
} quarantine;

void stackmap_flush_here(void)
{
	struct cpu *c = cpu_self;
	uint64_t flags;

	/* Interrupts off: flush_irq in between would be overwritten by an older answer. */
	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	/* Read first: what is asked for after this gets an IPI of its own. */
	uint64_t g = __atomic_load_n(&flush_wanted, __ATOMIC_SEQ_CST);
	if (c->flush_seen != g) {
		uint64_t cr3;
		__asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(cr3)::"memory");
		__atomic_store_n(&c->flush_seen, g, __ATOMIC_RELEASE);
	}
	if (flags & 0x200)
		__asm__ volatile("sti" ::: "memory");
}

static void flush_irq(struct plat_frame *f, void *arg)
{
	if (SABOTAGED(gc_ack)) /* and flushes when it idles */
		__atomic_store_n(&cpu_self->flush_seen, __atomic_load_n(&flush_wanted, __ATOMIC_SEQ_CST), __ATOMIC_RELEASE);
	else
		stackmap_flush_here();
}

void stackmap_init(void)
{
	irq_set(VEC_FLUSH, flush_irq, NULL);
}

static bool has_flushed(struct cpu *c, uint64_t g)
{
	return __atomic_load_n(&c->flush_seen, __ATOMIC_ACQUIRE) >= g ||
	       __atomic_load_n(&c->idling, __ATOMIC_SEQ_CST);
}

/* Returns when every core has flushed since the call.  Interrupts on, so
 * that two callers answer each other. */
void stackmap_flush_all(void)
{
	uint64_t g = __atomic_add_fetch(&flush_wanted, 1, __ATOMIC_SEQ_CST);

	kernel_enter();
	struct cpu *self = cpu_self;
	stackmap_flush_here();
	for (unsigned i = 0; i < ncpus; i++)
		if (cpus[i] != self && !has_flushed(cpus[i], g))
			lapic_send_ipi(cpus[i]->apic_id, VEC_FLUSH);
	uint64_t start = 0;
	for (unsigned i = 0; i < ncpus; i++)
		for (unsigned n = 0; cpus[i] != self && !has_flushed(cpus[i], g); n++) {
			cpu_pause();
			if (n % 1024 != 1023)
				continue;
			if (!start)
				start = clock_now();
			if (clock_now() - start > FLUSH_LIMIT_NS)
				kpanic("core %u does not answer a TLB flush", i);
		}
	/* Only forward: a slower, older call must not take it back. */
	uint64_t done = __atomic_load_n(&flush_done, __ATOMIC_RELAXED);
	while (done < g && !__atomic_compare_exchange_n(&flush_done, &done, g, false, __ATOMIC_SEQ_CST,
							__ATOMIC_RELAXED))
		;
	kernel_leave();
}

/* Gives the quarantined frames back after a flush; how many there were. */
static unsigned quarantine_drain(void)
{
	kernel_enter();
	while (__atomic_exchange_n(&quarantine.lock, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
	void *list = quarantine.head;
	unsigned n = quarantine.n;
	uint64_t newest = quarantine.newest;
	quarantine.head = NULL;
	quarantine.n = 0;
	__atomic_store_n(&quarantine.lock, 0, __ATOMIC_RELEASE);
	kernel_leave();

	if (list && __atomic_load_n(&flush_done, __ATOMIC_ACQUIRE) <= newest)
		stackmap_flush_all();
	while (list) {
		void *next = *(void **)list;
		rt_frame_free(list);
		list = next;
	}
	return n;
}

/* A frame for a stack or a table, at the price of a flush if need be. */
static void *frame(void)
{
	void *f = rt_frame_alloc();
	if (!f && quarantine_drain())
		f = rt_frame_alloc();
	return f;
}

/* va's last-level entry; tables made as needed, NULL without memory. */
static uint64_t *window_entry(uintptr_t va)
{
	for (;;) {
		uint64_t *e = vm_window_entry(va, 0);
		if (e)
			return e;
		int level = 3;
		while ((e = vm_window_entry(va, level)) && *e & PTE_P)
			level--;
		void *t = frame();
		if (!t)
			return NULL;
		kmemset(t, 0, PAGE_SIZE);
		uint64_t none = 0, entry = virt_to_phys(t) | PTE_P | PTE_W | PTE_A;
		/* release: the table is zero before it can be found */
		if (!__atomic_compare_exchange_n(e, &none, entry, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			rt_frame_free(t);
	}
}

/* Unmaps, and links the frames; the generation that has to be passed. */
static uint64_t unmap(uintptr_t va, size_t len, void **list, unsigned *n)
{
	for (uintptr_t a = va; a < va + len; a += PAGE_SIZE) {
		uint64_t *e = vm_window_entry(a, 0);
		void *f = phys_to_virt(*e & PTE_ADDR);
		__atomic_store_n(e, 0, __ATOMIC_SEQ_CST);
		*(void **)f = *list;
		*list = f;
		++*n;
	}
	/* Read after the last entry is gone: a later generation began after it. */
	uint64_t g = __atomic_load_n(&flush_wanted, __ATOMIC_SEQ_CST);
	for (uintptr_t a = va; a < va + len; a += PAGE_SIZE)
		__atomic_store_n(vm_window_entry(a, 0), g << 1, __ATOMIC_RELAXED);
	return g;
}

bool plat_stack_commit(uintptr_t va, size_t len)
{
	uint64_t nx = cpu_feat.nx ? PTE_NX : 0;

	for (uintptr_t a = va; a < va + len; a += PAGE_SIZE) {
		uint64_t *e = window_entry(a);
		void *f = e ? frame() : NULL;
		if (!f) {
			plat_stack_release(va, a - va);
			return false;
		}
		/* not present: the generation it was released at, shifted by one */
		if (*e && __atomic_load_n(&flush_done, __ATOMIC_ACQUIRE) <= *e >> 1)
			stackmap_flush_all();
		__atomic_store_n(e, virt_to_phys(f) | PTE_P | PTE_W | PTE_A | PTE_D | nx, __ATOMIC_SEQ_CST);
	}
	return true;
}

bool plat_stack_freeze(const struct plat_range *r, unsigned n)
{
	void *list = NULL;
	unsigned frames = 0;

	for (unsigned i = 0; i < n; i++)
		unmap(r[i].base, r[i].len, &list, &frames);
	stackmap_flush_all();
	while (list) {
		void *next = *(void **)list;
		rt_frame_free(list);
		list = next;
	}
	return true;
}

bool plat_stack_thaw(uintptr_t va, void (*fill)(void *page, void *arg), void *arg)
{
	uint64_t nx = cpu_feat.nx ? PTE_NX : 0;
	void *f = rt_frame_alloc(); /* not frame(): a flush cannot be waited for here */

	if (!f)
		return false;
	fill(f, arg);
	/* release: a core that finds the page finds its content */
	__atomic_store_n(vm_window_entry(va, 0), virt_to_phys(f) | PTE_P | PTE_W | PTE_A | PTE_D | nx,
			 __ATOMIC_RELEASE);
	return true;
}

void plat_stack_release(uintptr_t va, size_t len)
{
	void *list = NULL;
	unsigned n = 0;

	if (len == 0)
		return;
	uint64_t g = unmap(va, len, &list, &n);

	kernel_enter();
	while (__atomic_exchange_n(&quarantine.lock, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
	void *last = list;
	while (*(void **)last)
		last = *(void **)last;
	*(void **)last = quarantine.head;
	quarantine.head = list;
	quarantine.n += n;
	if (g > quarantine.newest)
		quarantine.newest = g;
	bool full = quarantine.n >= QUARANTINE_MAX;
	__atomic_store_n(&quarantine.lock, 0, __ATOMIC_RELEASE);
	kernel_leave();
	if (full)
		quarantine_drain();
}
