/* plat.c: rt/plat.h on bare metal.
 *
 * The thin layer that gives the runtime its words for what the other files
 * of kernel/ do; fatal.c and stackmap.c hold their own parts of the header.
 * What a task may call directly is shallow: it has plat_stack_slack bytes. */
#include "base.h"
#include "rt/plat.h"

unsigned plat_ncores = 1;
uintptr_t plat_direct_offset = DIRECT_BASE - MUTATOR_BASE;
size_t plat_fp_size;
/* With the 256 bytes that small frames leave unchecked: 600.  Proven by
 * tests/check-stack.py: 440 in an ordinary image (throw, a fault that becomes
 * a panic, __morestack), 600 with the deepest of libgcc (__multc3). */
size_t plat_stack_slack = 344;
size_t plat_stack_slot = 2048;
bool plat_memory_zeroed = false;
unsigned plat_nnodes = 1;

static uint32_t cores_go; /* 0 until plat_start_cores(); release / acquire */

extern char __data_start[], __data_end[], __bss_start[], __bss_end[];

/* ---- cores ------------------------------------------------------------------ */

unsigned plat_core_id(void)
{
	return cpu_self->id;
}

void plat_start_cores(void)
{
	__atomic_store_n(&cores_go, 1, __ATOMIC_RELEASE);
	for (unsigned i = 1; i < ncpus; i++)
		lapic_send_ipi(cpus[i]->apic_id, VEC_WAKE);
}

static void core_main(uint64_t core)
{
	cpu_self->entered = 1;
	rt_core_main((unsigned)core);
}

noreturn void ap_main(struct cpu *c)
{
	cpu_percore_init(c);
	clock_core();
	lapic_init();
	/* release: smp_start() reads what this core has set up */
	__atomic_store_n(&c->online, 1, __ATOMIC_RELEASE);
	__asm__ volatile("sti" ::: "memory");
	while (!__atomic_load_n(&cores_go, __ATOMIC_ACQUIRE))
		cpu_idle(&cores_go, 0);
	/* One that was slower than smp_start()'s patience is not in the list. */
	while (c->id >= ncpus || cpus[c->id] != c)
		cpu_idle(&cores_go, 1);
	stackmap_flush_here();
	enter_on_stack(c->sched_top, core_main, c->id);
}

static void start(uint64_t unused)
{
	cpu_self->entered = 1;
	rt_start();
}

noreturn void plat_enter_runtime(void)
{
	enter_on_stack(cpu_self->sched_top, start, 0);
}

void *plat_sched_stack_top(void)
{
	return (void *)cpu_self->sched_top;
}

void plat_idle(const uint32_t *word, uint32_t seen)
{
	struct cpu *c = cpu_self;
	/* seq_cst against plat_wake: it changes the word and then looks here, we
	 * say that we idle and then look at the word. */
	__atomic_store_n(&c->idling, 1, __ATOMIC_SEQ_CST);
	cpu_idle(word, seen);
	__atomic_store_n(&c->idling, 0, __ATOMIC_SEQ_CST);
	stackmap_flush_here(); /* an idle core counts as flushed until now */
}

void plat_wake(unsigned core)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&cpus[core]->idling, __ATOMIC_SEQ_CST))
		lapic_send_ipi(cpus[core]->apic_id, VEC_WAKE);
}

void plat_preempt(unsigned core)
{
	lapic_send_ipi(cpus[core]->apic_id, VEC_WAKE);
}

void plat_relax(unsigned n)
{
	cpu_pause();
}

/* ---- time ----------------------------------------------------------------- */

uint64_t plat_now(void)
{
	return clock_now();
}

bool plat_wall(int64_t *unix_ns)
{
	return wall_clock(unix_ns);
}

void plat_timer_arm(uint64_t deadline)
{
	lapic_timer_arm(deadline);
}

static void timer_irq(struct plat_frame *f, void *arg)
{
	if (lapic_timer_irq() && cpu_self->entered)
		rt_irq_timer();
}

/* The interrupt itself is the message; trap.c goes on to rt_irq_exit(). */
static void wake_irq(struct plat_frame *f, void *arg)
{
}

/* ---- memory ----------------------------------------------------------------- */

unsigned plat_memory(struct plat_range *out, unsigned max)
{
	unsigned n = 0;
	vm_seal();
	plat_nnodes = numa_init();
	for (unsigned i = 0; i < bootmem.nfree; i++) {
		uint64_t lo = bootmem.free[i].base, hi = lo + bootmem.free[i].len;
		for (uint64_t end; lo < hi && n < max; lo = end) {
			end = hi;
			numa_of_memory(lo, &end);
			out[n++] = (struct plat_range){ MUTATOR_BASE + lo, end - lo };
		}
	}
	return n;
}

unsigned plat_node(unsigned core)
{
	return numa_of_core(cpus[core]->apic_id);
}

unsigned plat_memory_node(uintptr_t base)
{
	uint64_t end = UINT64_MAX;
	return numa_of_memory(base - MUTATOR_BASE, &end);
}

size_t plat_memory_total(void)
{
	return bootmem.total;
}

bool (*memory_release)(uint64_t pa, size_t len);

bool plat_memory_release(uintptr_t va, size_t len)
{
	return memory_release && memory_release(virt_to_phys((void *)va), len);
}

unsigned plat_globals(struct plat_range *out, unsigned max)
{
	unsigned n = 0;
	if (n < max && &__data_end[0] > &__data_start[0])
		out[n++] = (struct plat_range){(uintptr_t)__data_start, (size_t)(__data_end - __data_start)};
	if (n < max && &__bss_end[0] > &__bss_start[0])
		out[n++] = (struct plat_range){(uintptr_t)__bss_start, (size_t)(__bss_end - __bss_start)};
	return n;
}

uintptr_t plat_stack_base(void)
{
	return WINDOW_BASE;
}

size_t plat_stack_size(void)
{
	return WINDOW_SIZE;
}

/* ---- devices ------------------------------------------------------------------ */

uint64_t plat_dma_addr(const void *p, size_t n)
{
	uintptr_t a = (uintptr_t)p;
	/* Stack windows are mapped page by page, and frozen; all else lies as in the machine. */
	if ((a >= DIRECT_BASE && a < WINDOW_BASE) || a >= IMAGE_BASE)
		return virt_to_phys(p);
	return 0;
}

/* ---- boot input ----------------------------------------------------------- */

char *plat_cmdline(void)
{
	_Static_assert(CONFIG_SOURCE == PLAT_SOURCE, "two names of one mark");
	return config_text();
}

unsigned plat_nmodules(void)
{
	return boot_info->nmodules;
}

struct plat_module plat_module(unsigned i)
{
	const struct boot_module *m = &boot_info->modules[i];
	return (struct plat_module){module_data(i), m->len, m->name};
}

/* ---- console, entropy, end ---------------------------------------------------- */

void plat_write(const char *s, size_t n)
{
	console_write(s, n);
}

bool plat_console_listen(void)
{
	return console_listen(rt_irq_console);
}

const char *plat_irq(unsigned core, unsigned vector, uint64_t *count)
{
	if (vector < VEC_FIRST || vector >= VEC_FIRST + sizeof cpu_self->irqs / sizeof cpu_self->irqs[0])
		return NULL;
	*count = __atomic_load_n(&cpus[core]->irqs[vector - VEC_FIRST], __ATOMIC_RELAXED);
	switch (vector) {
	case VEC_CONSOLE:
		return "console";
	case VEC_TIMER:
		return "timer";
	case VEC_WAKE:
		return "wake, preempt";
	case VEC_FLUSH:
		return "TLB flush";
	case VEC_SYNC:
		return "clock comparison";
	case VEC_LAPIC_ERR:
		return "APIC error";
	case VEC_SPURIOUS:
		return "spurious";
	}
	return devirq_name_of(vector);
}

void plat_entropy(void *buf, size_t n)
{
	cpu_entropy(buf, n);
}

noreturn void plat_exit(int status)
{
	if (status != 0 && qemu_present())
		qemu_debug_exit(status);
	power_off();
}

void plat_fp_save(void *area, void *ctx)
{
	fp_save(area);
}

/* ---- set-up --------------------------------------------------------------- */

void plat_init(void)
{
	plat_fp_size = fp_size;
	plat_ncores = ncpus;
	irq_set(VEC_TIMER, timer_irq, NULL);
	irq_set(VEC_WAKE, wake_irq, NULL);
}
