/* deferreturn.S: what C cannot do for defer: the code that a deferring
 * function returns to, and rt_defer_push.
 * Layout of struct defer_rec: defer.h. */

#define D_SLOT 8
#define D_PC 16
#define D_SP 24
#define D_RESUME 32
#define D_RBX 40
#define D_RBP 48
#define D_R12 56
#define D_R13 64
#define D_R14 72
#define D_R15 80

	.text

/* int rt_defer_push(struct defer_rec *d): saves the caller's registers in d,
 * links d (rt_defer_link) and returns 0.  Returns again, with 1, when
 * rt_defer_resume(d) is called (asm.S). */
	.globl rt_defer_push
	.type rt_defer_push, @function
rt_defer_push:
	movq (%rsp), %rax
	leaq 8(%rsp), %rcx
	movq %rax, D_RESUME(%rdi)
	movq %rcx, D_SP(%rdi)
	movq %rbx, D_RBX(%rdi)
	movq %rbp, D_RBP(%rdi)
	movq %r12, D_R12(%rdi)
	movq %r13, D_R13(%rdi)
	movq %r14, D_R14(%rdi)
	movq %r15, D_R15(%rdi)
	jmp rt_defer_link
	.size rt_defer_push, . - rt_defer_push

/* A function that deferred returns here instead of to its caller.  rsp is
 * where it would be there; the function's frame lies below, and stays intact
 * while the deferred calls run: they get the stack below its low end, in a
 * frame as the caller would have made, so that backtraces read on.  Return
 * values (rax, rdx, xmm0, xmm1; x87 untouched) are kept.  Clobbers what a
 * call may. */
	.globl rt_defer_return
	.type rt_defer_return, @function
rt_defer_return:
	movq %rsp, %rsi
	movq %fs:rt_self@tpoff, %rcx
	addq rt_g_defers_offset(%rip), %rcx
	movq (%rcx), %rcx
	movq D_SP(%rcx), %rsp
	andq $-16, %rsp
	pushq D_PC(%rcx)
	pushq %rbp
	movq %rsp, %rbp
	subq $64, %rsp
	movq %rax, (%rsp)
	movq %rdx, 8(%rsp)
	movups %xmm0, 16(%rsp)
	movups %xmm1, 32(%rsp)
	movq %rsi, 48(%rsp)
	leaq -8(%rsi), %rdi
	movq %rsp, %rsi
	call rt_deferreturn
	movq (%rsp), %rax
	movq 8(%rsp), %rdx
	movups 16(%rsp), %xmm0
	movups 32(%rsp), %xmm1
	movq 48(%rsp), %rcx
	movq 8(%rbp), %r11
	movq (%rbp), %rbp
	movq %rcx, %rsp
	jmp *%r11
	.size rt_defer_return, . - rt_defer_return

	.section .note.GNU-stack, "", @progbits
