/* base.h: what the base files of the kernel (entry, main, bootmem, vm, trap,
 * console, fatal, stackmap, plat) share among themselves. */
#ifndef BASE_H
#define BASE_H

#include "kernel.h"
#include "boot/boot_info.h"

/* ---- console ---- */
void console_init(void);
void console_fatal(void);                 /* from now on without the lock */
/* fbcon.c: before vm_init, if the door's one-to-one map reaches it; after vm_init. */
void fbcon_early(const struct boot_fb *fb);
void fbcon_init(const struct boot_fb *fb);
void fbcon_write(const char *s, size_t n); /* under console.c's lock */
extern const uint8_t font_rows[95][7];     /* font.c */

/* ---- kernel sections of a task ----
 * Between the two the calling task is not switched away; interrupts are
 * served.  Nests.  Shallow; task, system or fatal context. */
extern __thread uint32_t kernel_busy __attribute__((tls_model("local-exec")));
extern __thread uint32_t kernel_deferred __attribute__((tls_model("local-exec")));
void kernel_resched(void);
static inline void kernel_enter(void)
{
	/* one instruction: an interrupt sees it done or not begun */
	__asm__ volatile("incl %0" : "+m"(kernel_busy)::"memory");
}
static inline void kernel_leave(void)
{
	__asm__ volatile("decl %0" : "+m"(kernel_busy)::"memory");
	if (__builtin_expect(kernel_deferred, 0))
		kernel_resched();
}

/* ---- bootmem.c ---- */
#define BOOTMEM_MAX (BOOT_MAX_MEM + 32)
struct mem_range {
	uint64_t base, len;
};
struct bootmem {
	struct mem_range ram[BOOTMEM_MAX];  /* usable, sorted, page aligned, disjoint */
	struct mem_range free[BOOTMEM_MAX]; /* ram less what is reserved */
	unsigned nram, nfree;
	uint64_t total;                     /* bytes the map lists as usable */
};
/* NULL, or what is wrong with the map. */
const char *bootmem_init(struct bootmem *bm, const struct boot_mem *map, unsigned n, unsigned phys_bits);
/* Takes [base, base+len), widened to pages, out of free.  False if the table
 * of ranges is full. */
bool bootmem_reserve(struct bootmem *bm, uint64_t base, uint64_t len);
bool bootmem_is_ram(const struct bootmem *bm, uint64_t base, uint64_t len);
/* True if the map lists all of [base, base+len), as RAM or as reserved (where
 * the UEFI loader keeps what it hands over). */
bool bootmem_listed(const struct boot_mem *map, unsigned n, uint64_t base, uint64_t len);
/* Takes n pages below limit, the lowest at or above from, else the highest below it.  0: none. */
uint64_t bootmem_take(struct bootmem *bm, size_t n, uint64_t from, uint64_t limit);
uint64_t bootmem_free_bytes(const struct bootmem *bm);

/* ---- vm.c ---- */
extern struct bootmem bootmem;
extern uint64_t image_delta;            /* load address - link address */
extern uint64_t vm_root;                /* kernel CR3 */
/* Builds the kernel's tables from bootmem and the image's program headers and
 * turns to them.  Interrupts off, boot stack. */
void vm_init(void);
uint64_t image_phys_base(void), image_phys_end(void);
/* A stack of n pages in the core-stack window, a guard page on both sides. */
uintptr_t vm_core_stack(unsigned pages);
/* True if va is one of the guard pages between them. */
bool vm_is_guard(uintptr_t va);
/* Page table walk without allocation: the entry that maps va, 0 if none. */
uint64_t vm_lookup(uintptr_t va);
/* Write-combining mapping of a framebuffer. */
void *vm_map_framebuffer(uint64_t pa, size_t len);
/* Address of va's entry in the table of this level (0: 4 KiB), NULL if a table
 * above it is missing.  Only for va in a range mapped with 4 KiB pages. */
uint64_t *vm_window_entry(uintptr_t va, int level);
/* No page_alloc_boot() after this; what is free is the runtime's. */
void vm_seal(void);

#define PTE_P 1ul
#define PTE_W 2ul
#define PTE_PWT 8ul
#define PTE_PCD 0x10ul
#define PTE_A 0x20ul
#define PTE_D 0x40ul
#define PTE_PS 0x80ul
#define PTE_NX (1ul << 63)
#define PTE_ADDR 0x000ffffffffff000ul

/* ---- main.c ---- */
extern const struct boot_info *boot_info;
const void *module_data(unsigned i);    /* read-only, stays */
extern struct cpu boot_cpu;
uintptr_t tls_init(void *block);        /* copies the template; returns the FS base */
size_t tls_block_size(void);

/* ---- percore.c ---- */
extern size_t fp_size;                  /* bytes of an XSAVE or FXSAVE image */
void fp_save(void *area);

/* ---- trap.c ---- */
void trap_init(void);                   /* fills the IDT; core 0 */
void trap_load(struct cpu *c);          /* GDT, TSS, IDT of the calling core */


/* ---- fatal.c ---- */
void fatal_init(bool screen);           /* panic=; screen: somebody may be reading it */
bool fatal_begin(void);
bool fatal_going(void);                 /* somebody has begun */
/* In the NMI handler: true if the fatal path asked for it (then never returns). */
bool fatal_nmi(struct plat_frame *f);
noreturn void fatal_end(int status);

/* ---- kept.c ---- */
uint64_t kept_take(void);               /* its pages, before vm_init(); 0: none */
void kept_init(uint64_t pa);            /* after it: prints what the last run left */
void kept_write(const char *s, size_t n); /* fatal path: all that is printed */
void kept_end(void);                    /* the report is complete */

/* ---- config.c ---- */
void config_init(const struct boot_info *bi); /* once; the strings of bi end */
#define CONFIG_SOURCE 1                 /* plat.h's PLAT_SOURCE */
char *config_text(void);                /* what plat_cmdline() returns */
/* Until that is changed: the value of NAME= that counts, NULL if absent; its
 * length to *n. */
const char *config_word(const char *name, size_t *n);

/* ---- stackmap.c ---- */
void stackmap_init(void);
void stackmap_flush_all(void);          /* returns when every core has flushed since the call; interrupts on */
void stackmap_flush_here(void);         /* VEC_FLUSH, and on leaving idle */

/* ---- plat.c ---- */
void plat_init(void);                   /* interrupt handlers, facts */
noreturn void plat_enter_runtime(void); /* core 0 */
/* stubs.S: fn(arg) on an empty stack, interrupts on. */
noreturn void enter_on_stack(uintptr_t top, void (*fn)(uint64_t), uint64_t arg);

#endif
