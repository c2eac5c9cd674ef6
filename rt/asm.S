/* asm.S: the places C cannot go: the first step of a task, the return into a
 * preempted one, the scheduler stack, and gcc's split-stack hook.
 *
 * Offsets of struct g and struct preempt_ctx are asserted in asm.h.  An
 * interrupt that lands anywhere in this section does not preempt. */

#define G_SP 0
#define G_LIMIT 8
#define G_NOPREEMPT 20
#define G_SEG0_SP 32
#define G_SEG0_LIMIT 40
#define G_CURSEG 48
#define PCTX_HASFP 24
#define PCTX_FRAME 32
#define PCTX_FP 256
#define SELF_G %fs:rt_self@tpoff
#define SELF_G0 %fs:rt_self@tpoff+16

	.section .text.rt_asm, "ax", @progbits
	.globl rt_asm_begin
rt_asm_begin:

/* void rt_task_start(void): where a new task's first switch arrives, at the
 * top of its stack, rbp 0 so that backtraces end here. */
	.globl rt_task_start
	.type rt_task_start, @function
rt_task_start:
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
 * through; at 8(%rsp) the caller's return address.  Runs in the slack below
 * the limit, then on the scheduler stack.
 *
 * rt_morestack() either grows the stack in place and returns 0, or returns
 * the stack pointer on the task's large segment, prepared with the arguments
 * and rt_morestack_ret as return address.  Either way the prologue goes on
 * after the ret.  In varargs functions it would then load r11 relative to
 * libgcc's frame ("lea 24(%rbp),%r11", 4c 8d 5d 18): skipped, r11 set to the
 * arguments on the old stack. */
	.globl __morestack
	.type __morestack, @function
__morestack:
	pushq %rbp
	movq %rsp, %rbp
	pushq %rax
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %r8
	pushq %r9
	pushq %rbx
	subq $128, %rsp
	movq SELF_G, %rbx
	incl G_NOPREEMPT(%rbx)
	movups %xmm0, (%rsp)
	movups %xmm1, 16(%rsp)
	movups %xmm2, 32(%rsp)
	movups %xmm3, 48(%rsp)
	movups %xmm4, 64(%rsp)
	movups %xmm5, 80(%rsp)
	movups %xmm6, 96(%rsp)
	movups %xmm7, 112(%rsp)
	movq %rbx, %rdi
	leaq 16(%rbp), %rsi
	movq %r10, %rdx
	movq %r11, %rcx
	movq $0, %fs:0x70
	movq %rsp, G_SP(%rbx)
	movq SELF_G0, %rax
	movq G_SP(%rax), %rsp
	andq $-16, %rsp
	call rt_morestack
	movq G_SP(%rbx), %rsp
	movups (%rsp), %xmm0
	movups 16(%rsp), %xmm1
	movups 32(%rsp), %xmm2
	movups 48(%rsp), %xmm3
	movups 64(%rsp), %xmm4
	movups 80(%rsp), %xmm5
	movups 96(%rsp), %xmm6
	movups 112(%rsp), %xmm7
	movq G_LIMIT(%rbx), %rcx
	movq %rcx, %fs:0x70
	movq 8(%rbp), %r10
	leaq 1(%r10), %r10
	cmpl $0x185d8d4c, (%r10)
	jne 1f
	leaq 4(%r10), %r10
	leaq 24(%rbp), %r11
1:	leaq 16(%rbp), %rcx
	testq %rax, %rax
	cmovneq %rax, %rcx
	movq %rcx, 8(%rbp)
	decl G_NOPREEMPT(%rbx)
	leaq -64(%rbp), %rsp
	popq %rbx
	popq %r9
	popq %r8
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	popq %rax
	popq %rbp
	movq (%rsp), %rsp
	jmp *%r10
	.size __morestack, . - __morestack

/* rt_morestack_ret: a function entered on the large segment returns here.
 * Goes back to the first segment, where the caller's return address still
 * stands on top.  Return registers are kept. */
	.globl rt_morestack_ret
	.type rt_morestack_ret, @function
	nop /* unwinders look up the return address minus one */
rt_morestack_ret:
	movq SELF_G, %rcx
	movq G_SEG0_LIMIT(%rcx), %rsi
	movq %rsi, G_LIMIT(%rcx)
	movq %rsi, %fs:0x70
	movl $0, G_CURSEG(%rcx)
	movq G_SEG0_SP(%rcx), %rsp
	ret
	.size rt_morestack_ret, . - rt_morestack_ret

/* rt_preempted: where an interrupt leaves to after rt_irq_exit() said so; on
 * the top of the scheduler stack. */
	.globl rt_preempted
	.type rt_preempted, @function
rt_preempted:
	movq $0, %fs:0x70
	xorl %ebp, %ebp
	andq $-16, %rsp /* the platform may leave a return address on top */
	call rt_preempted_g0
	ud2
	.size rt_preempted, . - rt_preempted

	.globl rt_asm_end
rt_asm_end:

	.section .note.GNU-stack, "", @progbits
