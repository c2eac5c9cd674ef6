/* asm.S: the places C cannot go: the first step of a task, the return into a
 * preempted one, the scheduler stack, and gcc's split-stack hook.
 *
 * Offsets of struct g and struct preempt_ctx are asserted in asm.h.  An
 * interrupt that lands anywhere in this section does not preempt. */

#define G_SP 0
#define G_LIMIT 8
#define G_NOPREEMPT 20
#define G_CURSEG 40
#define G_EXT 104
#define EXT_BACK_SP 0
#define EXT_BACK_LIMIT 8
#define EXT_BACK_SEG 16
#define EXT_BACK_SIZE 24
#define EXT_FAST_TOP 48
#define EXT_FAST_LIMIT 56
#define WINDOW_CALL_FRAME 2049 /* stack.h */
#define D_SP 32
#define D_RESUME 40
#define D_RBX 48
#define D_RBP 56
#define D_R12 64
#define D_R13 72
#define D_R14 80
#define D_R15 88
#define PCTX_HASFP 24
#define PCTX_FRAME 32
#define PCTX_FP 256
#define SELF_G %fs:rt_self@tpoff
#define SELF_G0 %fs:rt_self@tpoff+16

	.section .text.rt_asm, "ax", @progbits
	.globl rt_asm_begin
rt_asm_begin:

/* void rt_task_start(void): where a new task's first switch arrives, at the
 * top of its stack, rbp 0 so that backtraces end here.  What the callee-saved
 * registers hold is another task's, and would stay in this one's frames, where the
 * collector finds it, for as long as it lives. */
	.globl rt_task_start
	.type rt_task_start, @function
rt_task_start:
	xorl %ebx, %ebx
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	call rt_task_main
	ud2
	.size rt_task_start, . - rt_task_start

/* Where gcc sends the returns of JUMP_RETURN functions. */
	.globl __x86_return_thunk
	.type __x86_return_thunk, @function
__x86_return_thunk:
	popq %rcx
	jmp *%rcx
	.size __x86_return_thunk, . - __x86_return_thunk

/* void rt_resume_preempted(void): switch_to arrives with rsp at
 * preempt_ctx.has_fp.  Restores all registers and leaves by iretq, which
 * stays at the same privilege on metal (ring 0) and hosted (ring 3) alike. */
	.globl rt_resume_preempted
	.type rt_resume_preempted, @function
rt_resume_preempted:
	cmpq $0, plat_fp_size(%rip)
	je 2f
	cmpq $512, plat_fp_size(%rip)
	je 1f
	movl $-1, %eax
	movl $-1, %edx
	xrstor64 (PCTX_FP - PCTX_HASFP)(%rsp)
	jmp 2f
1:	fxrstor64 (PCTX_FP - PCTX_HASFP)(%rsp)
2:	movq SELF_G, %rax
	addq $8, %rsp
	decl G_NOPREEMPT(%rax)
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	iretq
	.size rt_resume_preempted, . - rt_resume_preempted

/* void rt_systemstack_call(fn, arg, g, sp): calls fn(arg) on the stack that
 * ends at sp.  Callee-saved registers are pushed first, and g->sp points at
 * them: the collector finds them there.  Preemption is off. */
	.globl rt_systemstack_call
	.type rt_systemstack_call, @function
rt_systemstack_call:
	pushq %rbp
	movq %rsp, %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $8, %rsp
	movq %rdx, %rbx
	movq %rsp, G_SP(%rdx)
	movq %rdi, %rax
	movq %rsi, %rdi
	movq $0, %fs:0x70
	movq %rcx, %rsp
	call *%rax
	leaq -48(%rbp), %rsp
	movq G_LIMIT(%rbx), %rax
	movq %rax, %fs:0x70
	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size rt_systemstack_call, . - rt_systemstack_call

/* __morestack: called by a function's prologue when its frame does not fit.
 * r10 frame size, r11 bytes of stack arguments; all argument registers, rax
 * (varargs) and r10, r11 are live.  At 0(%rsp) the return address into the
 * prologue, where a one-byte ret stands that libgcc's protocol returns
 * through; at 8(%rsp) the caller's return address.  Takes 40 bytes of the
 * slack below the limit.
 *
 * The common case first: a task on its slot that has a window with room for
 * the frame is moved there: the arguments are copied, rt_morestack_ret is put
 * on top of them as return address, and the prologue goes on after the ret.
 * Everything else is for rt_morestack(), on the scheduler stack: it either
 * grows the segment in place and returns 0, or returns the stack pointer on a
 * further segment, prepared like that.
 *
 * In varargs functions the prologue would then load r11 relative to libgcc's
 * frame ("lea 24(%rbp),%r11", 4c 8d 5d 18): skipped, r11 set to the arguments
 * on the old stack. */
	.globl __morestack
	.type __morestack, @function
__morestack:
	pushq %rbp
	pushq %rax
	pushq %rcx
	pushq %rdi
	movq SELF_G, %rax
	movq G_EXT(%rax), %rdi
	testq %rdi, %rdi
	jz 5f
	cmpl $0, G_CURSEG(%rax)
	jne 5f
	movq EXT_FAST_TOP(%rdi), %rcx
	subq %r11, %rcx
	andq $-16, %rcx
	subq $8, %rcx /* the function's rsp */
	subq %r10, %rcx
	cmpq EXT_FAST_LIMIT(%rdi), %rcx
	jb 5f
	addq %r10, %rcx
	leaq 40(%rsp), %rbp /* where the caller's return address stands */
	movq %rbp, EXT_BACK_SP(%rdi)
	movl $1, G_CURSEG(%rax)
	movq EXT_FAST_LIMIT(%rdi), %rdi
	movq %rdi, G_LIMIT(%rax)
	movq %rdi, %fs:0x70
	movq $rt_morestack_ret, (%rcx)
	xorl %edi, %edi
	jmp 2f
1:	movq 8(%rbp,%rdi), %rax
	movq %rax, 8(%rcx,%rdi)
	addq $8, %rdi
2:	cmpq %r11, %rdi
	jb 1b
	movq 32(%rsp), %r10
	incq %r10
	cmpl $0x185d8d4c, (%r10)
	jne 3f
	addq $4, %r10
	leaq 8(%rbp), %r11
3:	movq %rcx, 32(%rsp)
	popq %rdi
	popq %rcx
	popq %rax
	popq %rbp
	movq (%rsp), %rsp
	jmp *%r10

5:	incl G_NOPREEMPT(%rax)
	leaq 24(%rsp), %rbp
	movq %rbp, G_SP(%rax)
	movq SELF_G0, %rdi
	movq $0, %fs:0x70
	movq G_SP(%rdi), %rsp
	andq $-16, %rsp
	subq $160, %rsp
	movups %xmm0, (%rsp)
	movups %xmm1, 16(%rsp)
	movups %xmm2, 32(%rsp)
	movups %xmm3, 48(%rsp)
	movups %xmm4, 64(%rsp)
	movups %xmm5, 80(%rsp)
	movups %xmm6, 96(%rsp)
	movups %xmm7, 112(%rsp)
	movq %rsi, 128(%rsp)
	movq %rdx, 136(%rsp)
	movq %r8, 144(%rsp)
	movq %r9, 152(%rsp)
	movq %rax, %rdi
	leaq 16(%rbp), %rsi
	movq %r10, %rdx
	movq %r11, %rcx
	call rt_morestack
	movups (%rsp), %xmm0
	movups 16(%rsp), %xmm1
	movups 32(%rsp), %xmm2
	movups 48(%rsp), %xmm3
	movups 64(%rsp), %xmm4
	movups 80(%rsp), %xmm5
	movups 96(%rsp), %xmm6
	movups 112(%rsp), %xmm7
	movq 128(%rsp), %rsi
	movq 136(%rsp), %rdx
	movq 144(%rsp), %r8
	movq 152(%rsp), %r9
	leaq -24(%rbp), %rsp
	movq SELF_G, %rcx
	movq G_LIMIT(%rcx), %rdi
	movq %rdi, %fs:0x70
	movq 8(%rbp), %r10
	incq %r10
	cmpl $0x185d8d4c, (%r10)
	jne 6f
	addq $4, %r10
	leaq 24(%rbp), %r11
6:	leaq 16(%rbp), %rdi
	testq %rax, %rax
	cmovneq %rax, %rdi
	movq %rdi, 8(%rbp)
	decl G_NOPREEMPT(%rcx)
	popq %rdi
	popq %rcx
	popq %rax
	popq %rbp
	movq (%rsp), %rsp
	jmp *%r10
	.size __morestack, . - __morestack

/* rt_morestack_ret: a function entered on a further segment returns here.
 * Goes back to the segment it came from, where the caller's return address
 * still stands on top.  Return registers are kept. */
	.globl rt_morestack_ret
	.type rt_morestack_ret, @function
	nop /* unwinders look up the return address minus one */
rt_morestack_ret:
	movq SELF_G, %rcx
	movl G_CURSEG(%rcx), %edi
	leaq (%rdi,%rdi,2), %rdi
	shlq $3, %rdi
	addq G_EXT(%rcx), %rdi
	movq EXT_BACK_LIMIT-EXT_BACK_SIZE(%rdi), %rsi
	movq %rsi, G_LIMIT(%rcx)
	movq %rsi, %fs:0x70
	movl EXT_BACK_SEG-EXT_BACK_SIZE(%rdi), %esi
	movl %esi, G_CURSEG(%rcx)
	movq EXT_BACK_SP-EXT_BACK_SIZE(%rdi), %rsp
	ret
	.size rt_morestack_ret, . - rt_morestack_ret

/* void rt_window_call(void (*fn)(void *), void *arg): fn(arg), entered on
 * segment 1 by a task that is on its slot.  Like the prologue of a function
 * whose frame no slot holds; an odd size, which no real one has, tells
 * rt_morestack() so. */
	.globl rt_window_call
	.type rt_window_call, @function
rt_window_call:
	movl $WINDOW_CALL_FRAME, %r10d
	xorl %r11d, %r11d
	call __morestack
	ret
	movq %rdi, %rax
	movq %rsi, %rdi
	jmp *%rax
	.size rt_window_call, . - rt_window_call

/* void rt_defer_resume(struct defer_rec *d, uint32_t seg, uintptr_t limit):
 * goes on in the frame that deferred d, on this segment of the stack with
 * this limit, on its way out.  (In deferreturn.S but for segment and rsp, which
 * must change together.) */
	.globl rt_defer_resume
	.type rt_defer_resume, @function
rt_defer_resume:
	movq SELF_G, %rcx
	movl %esi, G_CURSEG(%rcx)
	movq %rdx, G_LIMIT(%rcx)
	movq %rdx, %fs:0x70
	movq D_RBX(%rdi), %rbx
	movq D_RBP(%rdi), %rbp
	movq D_R12(%rdi), %r12
	movq D_R13(%rdi), %r13
	movq D_R14(%rdi), %r14
	movq D_R15(%rdi), %r15
	movq D_SP(%rdi), %rsp
	jmp *D_RESUME(%rdi)
	.size rt_defer_resume, . - rt_defer_resume

/* void rt_goexit_at(uintptr_t sp, uintptr_t limit): ends the task, on segment
 * 0, which holds nothing that is needed any more. */
	.globl rt_goexit_at
	.type rt_goexit_at, @function
rt_goexit_at:
	movq SELF_G, %rcx
	movl $0, G_CURSEG(%rcx)
	movq %rsi, G_LIMIT(%rcx)
	movq %rsi, %fs:0x70
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call goexit0
	ud2
	.size rt_goexit_at, . - rt_goexit_at

/* rt_preempted: where an interrupt leaves to after rt_irq_exit() said so; on
 * the top of the scheduler stack.  The extended registers, which are saved, go
 * back to their initial state: who runs next may have given way by itself, and
 * then expects an empty x87 stack, no pending exception, and vectors whose
 * upper halves cost nothing. */
	.globl rt_preempted
	.type rt_preempted, @function
rt_preempted:
	movq $0, %fs:0x70
	xorl %ebp, %ebp
	andq $-16, %rsp /* the platform may leave a return address on top */
	fninit
	ldmxcsr fp_initial+24(%rip)
	cmpq $512, plat_fp_size(%rip)
	jbe 1f
	movl $-1, %eax
	movl $-1, %edx
	xrstor64 fp_initial(%rip)
1:	call rt_preempted_g0
	ud2
	.size rt_preempted, . - rt_preempted

	.globl rt_asm_end
rt_asm_end:

/* An XSAVE image that says of each part: initial; MXCSR is taken from it as it is. */
	.section .rodata.fp_initial, "a", @progbits
	.balign 64
fp_initial:
	.fill 24, 1, 0
	.long 0x1f80
	.fill 548, 1, 0

	.section .note.GNU-stack, "", @progbits
