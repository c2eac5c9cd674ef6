/* main.c: from the first C instruction to the runtime.
 *
 * One way down, in kernel_main(): thread-local block and exception table (so
 * that everything after can print and fault), CPU check, memory map, own page
 * tables, firmware tables, a struct cpu with stacks for each core, clock, the
 * other cores, runtime.
 *
 * What came through boot_info is checked here before anybody uses it. */
#include "base.h"
#include "rt/plat.h"

/* What the runtime needs to print a line and end: heap arena metadata, a
 * scheduler and a few tasks. */
#define RUNTIME_MIN (1ul << 20)
#define TABLES_MIN (128ul << 10)

/* Pages of each stack of a core.  The scheduler stack also runs the
 * collector; the fault stack formats reports and backtraces. */
enum { SCHED_PAGES = 8, IRQ_PAGES = 2, FAULT_PAGES = 4, NMI_PAGES = 2, DF_PAGES = 2, MC_PAGES = 2,
       CORE_PAGES = SCHED_PAGES + IRQ_PAGES + FAULT_PAGES + NMI_PAGES + DF_PAGES + MC_PAGES };

const struct boot_info *boot_info;
struct cpu boot_cpu;
struct cpu **cpus;
unsigned ncpus;
static const void *modules[BOOT_MAX_MODULES] = {[0 ... BOOT_MAX_MODULES - 1] = ""};

extern char __boot_tls[], boot_stack_top[], boot_fault_top[];

/* Before this nothing can print, fault or touch a thread-local variable. */
static void earliest(void)
{
	struct cpu *c = &boot_cpu;
	uintptr_t top = (uintptr_t)boot_fault_top;

	c->self = c;
	c->irq_top = c->fault_top = c->nmi_top = c->df_top = c->mc_top = top;
	c->sched_top = (uintptr_t)boot_stack_top;
	c->tls = tls_init(__boot_tls);
	trap_init();
	trap_load(c);
	wrmsr(0xc0000100, c->tls);
	cpu_self = c;
}

static noreturn void too_little(uint64_t missing)
{
	/* Machines are sold with their holes counted: the end of RAM says more
	 * than its sum.  That many MiB more, and it works. */
	const struct mem_range *last = &bootmem.ram[bootmem.nram - 1];
	uint64_t size = last->base + last->len;
	if (size > 2 * bootmem.total)
		size = bootmem.total;
	kpanic("too little memory: %lu KiB usable, this image needs a machine with at least %lu MiB",
	       bootmem.total >> 10, (size + missing + (1ul << 20) - 1) >> 20);
}

static void check_modules(const struct boot_info *bi)
{
	uint64_t ilo = image_phys_base(), ihi = image_phys_end();

	for (unsigned i = 0; i < bi->nmodules; i++) {
		const struct boot_module *m = &bi->modules[i];
		if (m->len == 0)
			continue;
		if (!bootmem_listed(bi->mem, bi->nmem, m->base, m->len))
			kpanic("boot module %u \"%.63s\" (0x%lx, %lu bytes) is truncated: it lies outside RAM",
			       i, m->name, m->base, m->len);
		if (m->base < ihi && m->base + m->len > ilo)
			kpanic("boot module %u \"%.63s\" (0x%lx, %lu bytes) overlaps the kernel at 0x%lx",
			       i, m->name, m->base, m->len, ilo);
		for (unsigned j = 0; j < i; j++)
			if (m->base < bi->modules[j].base + bi->modules[j].len &&
			    bi->modules[j].base < m->base + m->len)
				kpanic("boot modules %u \"%.63s\" and %u \"%.63s\" overlap", j,
				       bi->modules[j].name, i, m->name);
	}
}

static void check_boot_info(const struct boot_info *bi)
{
	if (bi->magic != BOOT_INFO_MAGIC)
		kpanic("boot_info has magic 0x%lx, not 0x%llx", bi->magic, BOOT_INFO_MAGIC);
	if (bi->nmem > BOOT_MAX_MEM || bi->nmodules > BOOT_MAX_MODULES ||
	    bi->cmdline[BOOT_CMDLINE_MAX - 1] || bi->config[BOOT_CONFIG_MAX - 1])
		kpanic("boot_info's counts are out of bounds");
	if (bi->flags & BOOT_F_CMDLINE_CUT)
		kpanic("the boot command line is longer than %u bytes", BOOT_CMDLINE_MAX - 1);
	if (bi->flags & BOOT_F_MODULES_CUT)
		kpanic("more than %u boot modules", BOOT_MAX_MODULES);
}

const void *module_data(unsigned i)
{
	return modules[i];
}

static void memory_init(const struct boot_info *bi, uint64_t info_pa)
{
	const char *wrong = bootmem_init(&bootmem, bi->mem, bi->nmem, cpu_feat.phys_bits);
	if (wrong)
		kpanic("%s", wrong);
	check_modules(bi);
	uint64_t ilo = image_phys_base(), ihi = image_phys_end();
	bool ok = bootmem_reserve(&bootmem, ilo, ihi - ilo);
	bool in_image = info_pa >= ilo && info_pa < ihi;
	if (!bootmem_listed(bi->mem, bi->nmem, info_pa, sizeof *bi))
		kpanic("boot_info at 0x%lx lies outside RAM", info_pa);
	ok = ok && bootmem_reserve(&bootmem, info_pa, sizeof *bi);
	for (unsigned i = 0; i < bi->nmodules; i++)
		ok = ok && bootmem_reserve(&bootmem, bi->modules[i].base, bi->modules[i].len);
	if (!ok)
		kpanic("the memory map has too many ranges");
	uint64_t have = bootmem_free_bytes(&bootmem);
	if (have < RUNTIME_MIN + TABLES_MIN) {
		/* ACPI, which lists the cores, cannot be read yet; what the processor
		 * says of its package makes the figure right on usual machines. */
		uint32_t r[4];
		cpuid(1, 0, r);
		uint64_t cores = r[3] >> 28 & 1 ? r[1] >> 16 & 0xff : 1;
		too_little(RUNTIME_MIN + TABLES_MIN + cores * CORE_PAGES * PAGE_SIZE - have);
	}
	uint64_t kept = kept_take();
	vm_init();
	kept_init(kept);
	boot_info = in_image ? (void *)(info_pa - image_delta + IMAGE_BASE) : phys_map(info_pa, sizeof *bi);
	for (unsigned i = 0; i < boot_info->nmodules; i++)
		if (boot_info->modules[i].len)
			modules[i] = phys_map(boot_info->modules[i].base, boot_info->modules[i].len);
}

/* One struct cpu with stacks and a thread-local block for each listed core. */
static unsigned cores_init(void)
{
	unsigned n = acpi_cores(NULL, 0);
	uint64_t want = n * CORE_PAGES * PAGE_SIZE + RUNTIME_MIN, have = bootmem_free_bytes(&bootmem);
	if (have < want)
		too_little(want - have);

	size_t tls = tls_block_size(), each = (sizeof(struct cpu) + 63) & ~63ul;
	size_t bytes = n * (sizeof(struct cpu *) + sizeof(uint32_t)) + 63 + (n - 1) * (tls + each);
	char *p = pages_alloc_boot((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
	cpus = (void *)p;
	uint32_t *ids = (void *)(p + n * sizeof(struct cpu *));
	p = (char *)(((uintptr_t)(ids + n) + 63) & ~63ul);
	acpi_cores(ids, n);
	for (unsigned i = 0; i < n; i++) {
		struct cpu *c = &boot_cpu;
		if (i) {
			c = (void *)p;
			c->tls = tls_init(p + each);
			p += each + tls;
		}
		cpus[i] = c->self = c;
		c->id = i;
		c->apic_id = ids[i];
		c->deadline = UINT64_MAX;
		c->sched_top = vm_core_stack(SCHED_PAGES);
		c->irq_top = vm_core_stack(IRQ_PAGES);
		c->fault_top = vm_core_stack(FAULT_PAGES);
		c->nmi_top = vm_core_stack(NMI_PAGES);
		c->df_top = vm_core_stack(DF_PAGES);
		c->mc_top = vm_core_stack(MC_PAGES);
	}
	return n;
}

/* Leaves out the cores that did not answer, so that indexes are dense. */
static void cores_close_gaps(unsigned n)
{
	ncpus = 1;
	for (unsigned i = 1; i < n; i++)
		if (__atomic_load_n(&cpus[i]->online, __ATOMIC_ACQUIRE)) {
			cpus[ncpus] = cpus[i];
			cpus[ncpus]->id = ncpus;
			ncpus++;
		}
}

bool plat_stack_bounds(uintptr_t addr, uintptr_t *lo, uintptr_t *hi)
{
	uintptr_t boot = (uintptr_t)boot_stack_top;
	if (addr >= boot - 8192 && addr <= boot) {
		*lo = boot - 8192;
		*hi = boot;
		return true;
	}
	for (unsigned i = 0; i < ncpus; i++) {
		const struct cpu *c = cpus[i];
		const struct { uintptr_t top; unsigned pages; } stacks[] = {
			{c->sched_top, SCHED_PAGES}, {c->irq_top, IRQ_PAGES}, {c->fault_top, FAULT_PAGES},
			{c->nmi_top, NMI_PAGES}, {c->df_top, DF_PAGES}, {c->mc_top, MC_PAGES},
		};
		for (unsigned j = 0; j < sizeof stacks / sizeof *stacks; j++)
			if (addr <= stacks[j].top && addr >= stacks[j].top - stacks[j].pages * PAGE_SIZE) {
				*lo = stacks[j].top - stacks[j].pages * PAGE_SIZE;
				*hi = stacks[j].top;
				return true;
			}
	}
	return false;
}

noreturn void kernel_main(uint64_t info_pa, uint64_t delta)
{
	image_delta = delta;
	earliest();
	console_init();
	cpu_features_check();

	const struct boot_info *bi = (const void *)info_pa;
	if (bi->magic == BOOT_INFO_MAGIC)
		fbcon_early(&bi->fb);
	check_boot_info(bi);
	config_init(bi);
	size_t len;
	const char *v = config_word("kernel", &len);
	klog_on = v && len == 7; /* "verbose"; the runtime refuses any other word */
	fatal_init(bi->fb.base != 0);

	memory_init(bi, info_pa);
	fbcon_init(&boot_info->fb);
	acpi_init(boot_info->rsdp);
	unsigned n = cores_init();
	cpu_percore_init(&boot_cpu);
	lapic_init();
	ioapic_init();
	clock_init();
	boot_cpu.online = 1;
	stackmap_init();
	__asm__ volatile("sti" ::: "memory");
	if (n > 1)
		smp_start(cpus, n);
	cores_close_gaps(n);
	klog("%u of %u cores, %lu KiB of memory, up after %lu us\n", ncpus, n, bootmem.total >> 10,
	     clock_now() / 1000);
	plat_init();
	plat_enter_runtime();
}
