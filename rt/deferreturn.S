/* deferreturn.S: what C cannot do for defer: the code that a deferring
 * function returns to, where its return address was replaced.
 * Layout of struct defer_rec: defer.h. */

#define D_WALL 0
#define D_BELOW 8
#define D_SLOT 16
#define D_PC 24
#define D_SP 32
#define D_RBP 56
#define D_CALL 96
#define D_WORDS 112
#define D_BY_THUNK 152
#define D_SIZE 160

#define SELF_G %fs:rt_self@tpoff
#define G_DEFERS 136

	.text

/* A function that deferred returns here instead of to its caller.  rsp is
 * where it would be there; the function's frame lies below, and stays intact
 * while the deferred calls run: they get the stack below its low end, as if
 * it had called them, so that backtraces read on.  Return values (rax, rdx,
 * xmm0, xmm1; x87 untouched) are kept, or cleared if a recover ended the
 * function.  Clobbers what a call may. */
	.globl rt_defer_return
	.type rt_defer_return, @function
rt_defer_return:
	movq SELF_G, %r8
	movq G_DEFERS(%r8), %rcx
	movq D_PC(%rcx), %r9
	movq D_RBP(%rcx), %rbp
	movq %r9, -8(%rsp)
	movq D_SP(%rcx), %rsp
	subq $48, %rsp
	movq %rax, (%rsp)
	movq %rdx, 8(%rsp)
	movups %xmm0, 16(%rsp)
	movups %xmm1, 32(%rsp)
1:	movq D_CALL(%rcx), %rax
	movq D_WORDS(%rcx), %rdi
	movq D_WORDS+8(%rcx), %rsi
	testq %rax, %rax
	je 3f
	movq $0, D_CALL(%rcx)
	call *%rax
	movq SELF_G, %r8
	movq G_DEFERS(%r8), %rcx
2:	leaq -D_SIZE(%rcx), %rdx
	movq D_SLOT(%rcx), %rsi
	cmpq $0, D_WALL(%rdx)
	jne 4f
5:	movq %rdx, G_DEFERS(%r8)
	pxor %xmm0, %xmm0
	cmpq $0, D_BY_THUNK(%rcx)
	movups %xmm0, D_WORDS(%rcx) /* keeps nothing alive */
	jne 6f
7:	movq %rdx, %rcx
	cmpq %rsi, D_SLOT(%rdx)
	je 1b
	movq (%rsp), %rax
	movq 8(%rsp), %rdx
	movups 16(%rsp), %xmm0
	movups 32(%rsp), %xmm1
	movq (%rbp), %rbp
	movq %rsi, %rsp
	ret
3:	pxor %xmm0, %xmm0
	movups %xmm0, (%rsp)
	movups %xmm0, 16(%rsp)
	movups %xmm0, 32(%rsp)
	jmp 2b
4:	movq D_BELOW(%rdx), %rdx
	jmp 5b
6:	movups %xmm0, D_WORDS+16(%rcx)
	movups %xmm0, D_WORDS+32(%rcx)
	jmp 7b
	.size rt_defer_return, . - rt_defer_return

	.section .note.GNU-stack, "", @progbits
