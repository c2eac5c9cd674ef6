/* percore.c: one core made ready: control registers, extended state, tables,
 * thread-local block.
 *
 * Every core gets the same settings, so that a task finds the same machine
 * wherever it runs.  What the CPU lacks is left off (cpu_feat). */
#include "base.h"

enum {
	MSR_PAT = 0x277, MSR_EFER = 0xc0000080, MSR_FS_BASE = 0xc0000100,
	EFER_NXE = 1 << 11, EFER_TCE = 1 << 15,
	CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_NE = 1 << 5, CR0_WP = 1 << 16,
	CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10,
	CR4_UMIP = 1 << 11, CR4_FSGSBASE = 1 << 16, CR4_OSXSAVE = 1 << 18,
	/* x87, SSE, AVX and the three parts of AVX-512: what compilers use.  Not
	 * AMX (8 KiB an image), not PKRU. */
	XCR0_WANTED = 0xe7,
	XCR0_AVX = 4, XCR0_AVX512 = 0xe0,
};

size_t fp_size = 512;

__thread struct cpu *cpu_self;

extern const char __tdata_start[], __tdata_end[], __tbss_end[], __tls_align[];

/* The block is the initialised image, zeros, then the TCB (256 bytes) that FS
 * points to; variables lie at negative offsets from it (x86-64 TLS variant II). */
size_t tls_block_size(void)
{
	return ((size_t)(__tbss_end - __tdata_start) + 63) / 64 * 64 + 256;
}

uintptr_t tls_init(void *block)
{
	size_t image = (size_t)(__tdata_end - __tdata_start), all = (size_t)(__tbss_end - __tdata_start);
	uintptr_t tcb = (uintptr_t)block + tls_block_size() - 256;
	/* The linker places variables relative to the segment's end, rounded up to
	 * the segment's alignment. */
	size_t align = (uintptr_t)__tls_align;
	uintptr_t start = tcb - (all + align - 1) / align * align;

	kmemset(block, 0, tls_block_size());
	kmemcpy((void *)start, __tdata_start, image);
	*(uintptr_t *)tcb = tcb; /* %fs:0 is its own address */
	return tcb;
}

static void extended_state_init(void)
{
	uint32_t r[4];

	if (!cpu_feat.xsave)
		return;
	cpuid(0xd, 0, r);
	uint64_t mask = (r[0] | (uint64_t)r[3] << 32) & XCR0_WANTED;
	if ((mask & XCR0_AVX512) != XCR0_AVX512 || !(mask & XCR0_AVX))
		mask &= ~(uint64_t)XCR0_AVX512; /* all of it or none: SDM 1, 13.3 */
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)));
	cpuid(0xd, 0, r);
	fp_size = (r[1] + 63) & ~63ul; /* EBX: size for what XCR0 enables now */
}

void cpu_percore_init(struct cpu *c)
{
	uint64_t cr0, cr4;
	uint32_t r[4];

	/* TCE off: invlpg and CR3 loads drop cached upper levels too (rule S3). */
	wrmsr(MSR_EFER, (rdmsr(MSR_EFER) & ~(uint64_t)EFER_TCE) | (cpu_feat.nx ? EFER_NXE : 0));
	if (vm_root)
		__asm__ volatile("mov %0, %%cr3" ::"r"(vm_root) : "memory");
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 = (cr0 & ~(uint64_t)(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP;
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0) : "memory");
	/* No PGE and no PCID: a CR3 load flushes everything (rule S3). */
	cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	cpuid(1, 0, r);
	cr4 |= r[3] & 1 << 7 ? CR4_MCE : 0; /* without it a machine check is a silent reset */
	cr4 |= cpu_feat.umip ? CR4_UMIP : 0;
	cr4 |= cpu_feat.fsgsbase ? CR4_FSGSBASE : 0;
	cr4 |= cpu_feat.xsave ? CR4_OSXSAVE : 0;
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4) : "memory");
	extended_state_init();
	__asm__ volatile("fninit");
	uint32_t mxcsr = 0x1f80; /* all exceptions masked, round to nearest */
	__asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
	/* Reset value, but entry 1 is write-combining instead of write-through. */
	wrmsr(MSR_PAT, 0x0007040600070106);
	trap_load(c);
	wrmsr(MSR_FS_BASE, c->tls);
	cpu_self = c;
}

/* The registers are still the interrupted ones: handlers use no SSE. */
void fp_save(void *area)
{
	if (!cpu_feat.xsave) {
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
		return;
	}
	/* XSAVE leaves the header's reserved bytes alone, XRSTOR wants them 0. */
	kmemset((char *)area + 512, 0, 64);
	__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
}
