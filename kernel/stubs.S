/* stubs.S: where the CPU enters on interrupts and exceptions.
 *
 * Every gate names an IST stack, so nothing is ever pushed on a task's stack
 * (I1).  A stub completes the hardware frame to a struct plat_frame: RAX goes
 * into the word below RIP, which for exceptions with an error code is the
 * error code's own place.  No SSE, x87 or segment register is touched. */

	.text
/* 224 entries of 8 bytes for vectors 32..255. */
	.balign 16
	.globl irq_stubs
irq_stubs:
vec = 32
	.rept 224
	.balign 8
	pushq %rax
	movb $vec, %al
	jmp irq_common
vec = vec + 1
	.endr
	.balign 8

/* 32 entries of 16 bytes for the exceptions. */
	.balign 16
	.globl exception_stubs
exception_stubs:
vec = 0
	.rept 32
	.balign 16
	/* With error code: 8 #DF, 10-14, 17 #AC, 21 #CP, 29 #VC, 30 #SX (SDM 3A, table 6-1). */
	.if vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21 || vec == 29 || vec == 30
	xchgq %rax, (%rsp)
	.else
	pushq %rax
	xorl %eax, %eax
	.endif
	pushq %rcx
	movb $vec, %cl
	jmp exception_common
vec = vec + 1
	.endr

	.macro push_rest
	pushq %rdx
	pushq %rbx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.balign 16
irq_common:
	cld
	pushq %rcx
	push_rest
	movq %rsp, %rdi
	movzbl %al, %esi
	call irq_dispatch
	testq %rax, %rax
	jnz leave_task
frame_return:
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

/* The interrupted task is saved elsewhere; RAX = top of the scheduler stack. */
leave_task:
	movq %rax, %rsp
	xorl %ebp, %ebp
	pushq %rbp
	movq %rbp, %fs:0x70
	sti
	jmp rt_preempted

	.balign 16
exception_common:
	cld
	push_rest
	movq %rsp, %rdi
	movzbl %cl, %esi
	movq %rax, %rdx
	call exception_dispatch
	jmp frame_return

/* void enter_on_stack(void *top, void (*fn)(uint64_t), uint64_t arg): fn on an
 * empty stack, interrupts on; never returns. */
	.globl enter_on_stack
enter_on_stack:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	pushq %rbp
	movq %rdx, %rdi
	sti
	jmp *%rsi

	.section .note.GNU-stack, "", @progbits
