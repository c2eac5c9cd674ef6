/* asm.h: what asm.S and C share: register images and layouts.
 *
 * A G that is not running has its state at g->sp:
 *
 *   [sp+0]  MXCSR (4 bytes), x87 control word (2), 2 unused
 *   [sp+8]  address to continue at
 *   [sp+16] rbp
 *
 * For a G that gave way by itself (switch_to) that is on its own stack, and
 * the compiler has spilled every other register that matters.  For a
 * preempted G it is the head of its preempt_ctx, and the address is
 * rt_resume_preempted, which restores everything else from there: an
 * interrupt never writes to a task's stack. */
#ifndef RT_ASM_H
#define RT_ASM_H

#include "rt.h"
#include "stack.h"

struct preempt_ctx {
	uint32_t mxcsr; /* head: the three words that switch_to pops */
	uint16_t fpcw, pad;
	void (*resume)(void);
	uint64_t rbp;
	uint64_t has_fp; /* fp[] is valid */
	struct plat_frame f;
	struct preempt_ctx *next; /* free list */
	uint64_t fill[7];
	char fp[] __attribute__((aligned(64))); /* plat_fp_size bytes */
};

#define PCTX_FRAME 32
#define PCTX_FP 256
_Static_assert(offsetof(struct preempt_ctx, f) == PCTX_FRAME, "asm.S");
_Static_assert(offsetof(struct preempt_ctx, fp) == PCTX_FP, "asm.S");
_Static_assert(offsetof(struct g, sp) == 0 && offsetof(struct g, stack_limit) == 8 &&
                   offsetof(struct g, on_cpu) == 16 && offsetof(struct g, nopreempt) == 20 &&
                   offsetof(struct g, cur_seg) == 40 && offsetof(struct g, ext) == 104,
               "asm.S and switch_to");
_Static_assert(offsetof(struct g, next) == CACHE_LINE && offsetof(struct g, gc_begin) == 2 * CACHE_LINE,
               "one line to switch, two to start and end a task");
_Static_assert(offsetof(struct stack_ext, back) == 0 && sizeof(struct stack_back) == 24 &&
                   offsetof(struct stack_back, sp) == 0 && offsetof(struct stack_back, limit) == 8 &&
                   offsetof(struct stack_back, seg) == 16 && offsetof(struct stack_ext, fast_top) == 48 &&
                   offsetof(struct stack_ext, fast_limit) == 56,
               "asm.S");
_Static_assert(offsetof(struct core_self, g) == 0 && offsetof(struct core_self, g0) == 16, "asm.S");

/* asm.S.  All code of section .text.rt_asm is not preemptible (irq.c). */
extern char rt_asm_begin[], rt_asm_end[];
extern char rt_morestack_ret[]; /* where a function entered on a further segment returns to */
void rt_resume_preempted(void);
void rt_task_start(void);
void rt_systemstack_call(void (*fn)(void *), void *arg, struct g *g, uintptr_t sp);

/* Returns by an indirect jump.  For functions that return on another stack
 * than they were called on: there the processor's stack of return addresses
 * is always wrong, its prediction of jumps is not (6 ns). */
#define JUMP_RETURN __attribute__((function_return("thunk-extern")))

/* Parts of both switches.  rsi is `to`; the control words go to (rsp), eax and
 * ecx, the stack limit to rdx.  Then, on the other stack: what differs is
 * loaded, and the task goes on. */
#define SWITCH_CONTROL \
	"stmxcsr (%%rsp)\n\t" \
	"fnstcw 4(%%rsp)\n\t" \
	"movl (%%rsp), %%eax\n\t" \
	"movzwl 4(%%rsp), %%ecx\n\t" \
	"movq 8(%%rsi), %%rdx\n\t"
#define SWITCH_CONTINUE \
	"cmpl (%%rsp), %%eax\n\t" \
	"jne 2f\n" \
	"3:\tcmpw 4(%%rsp), %%cx\n\t" \
	"jne 4f\n" \
	"5:\tmovq 8(%%rsp), %%rax\n\t" \
	"movq 16(%%rsp), %%rbp\n\t" \
	"addq $24, %%rsp\n\t" \
	"jmp *%%rax\n" \
	"2:\tldmxcsr (%%rsp)\n\t" \
	"jmp 3b\n" \
	"4:\tfldcw 4(%%rsp)\n\t" \
	"jmp 5b\n"

/* Gives the core from `from` to `to`; returns when somebody switches back,
 * perhaps on another core.  Both have nopreempt > 0, rt_self.g is already
 * `to`, to->on_cpu was 0 and is now 1.  Ends in a jump because a return to
 * another stack's caller is always mispredicted (8.7 ns against 2.9). */
static inline __attribute__((always_inline)) void switch_to(struct g *from, struct g *to)
{
	__asm__ volatile("pushq %%rbp\n\t"
	                 "leaq 1f(%%rip), %%rax\n\t"
	                 "pushq %%rax\n\t"
	                 "subq $8, %%rsp\n\t"
	                 SWITCH_CONTROL
	                 "movq %%rsp, (%%rdi)\n\t"
	                 "movq (%%rsi), %%rsp\n\t"
	                 "movq %%rdx, %%fs:0x70\n\t"
	                 "movl $0, 16(%%rdi)\n\t" /* from->on_cpu: x86 stores are releases */
	                 SWITCH_CONTINUE
	                 "1:"
	                 : "+D"(from), "+S"(to)
	                 :
	                 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
	                   "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
	                   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
}

/* The same from a task that has ended: nothing of it is kept.  Its on_cpu is 0
 * when the other runs. */
noreturn static inline __attribute__((always_inline)) void switch_from_dead(struct g *from, struct g *to)
{
	__asm__ volatile("subq $8, %%rsp\n\t"
	                 SWITCH_CONTROL
	                 "movq (%%rsi), %%rsp\n\t"
	                 "movq %%rdx, %%fs:0x70\n\t"
	                 "movl $0, 16(%%rdi)\n\t"
	                 SWITCH_CONTINUE
	                 :
	                 : "D"(from), "S"(to)
	                 : "memory");
	__builtin_unreachable();
}

/* gcc's split-stack limit of this core. */
static inline __attribute__((always_inline)) void set_stack_limit(uintptr_t v)
{
	__asm__ volatile("movq %0, %%fs:0x70" ::"r"(v) : "memory");
}
static inline __attribute__((always_inline)) uintptr_t get_stack_limit(void)
{
	uintptr_t v;
	__asm__ volatile("movq %%fs:0x70, %0" : "=r"(v));
	return v;
}

#endif
