/* entry.S: the common door of all boot paths.
 *
 * kernel_entry64: RDI = physical address of a struct boot_info, long mode,
 * interrupts off, low 4 GiB mapped one to one, running at a physical address
 * that need not be the linked one.  Maps the image at its linked address,
 * keeps the door's one-to-one map for the moment, takes the boot stack, and
 * calls kernel_main(boot_info, delta).  vm.c's own tables follow there. */

	.section .text.boot, "ax"
	.code64
	.globl kernel_entry64
kernel_entry64:
	cli
	cld
	movq %rdi, %rbx
	/* r8 = where the image really lies, minus where it was linked to lie */
	leaq kernel_entry64(%rip), %r8
	movq $kernel_entry64 - 0xffffffff80000000, %rax
	subq %rax, %r8

	movq %cr3, %rsi			/* the door's root: keep its lower half */
	andq $-4096, %rsi
	leaq boot_pml4(%rip), %rdi
	movq %rdi, %r9
	movl $512, %ecx
	rep movsq
	leaq boot_pdpt_high(%rip), %rax
	leaq 3(%rax), %rdx
	movq %rdx, 511 * 8(%r9)
	leaq boot_pd_high(%rip), %rdi
	leaq 3(%rdi), %rdx
	movq %rdx, 510 * 8(%rax)
	leaq 0x83(%r8), %rax		/* present, writable, large */
	movl $512, %ecx
1:	movq %rax, (%rdi)
	addq $0x200000, %rax
	addq $8, %rdi
	loop 1b

	movq %cr4, %rax
	andq $~0x80, %rax		/* PGE off: the door's global entries go too */
	movq %rax, %cr4
	movq %r9, %cr3
	movq $2f, %rax
	jmp *%rax
2:	movq $boot_stack_top, %rsp
	xorl %ebp, %ebp
	pushq %rbp			/* the end of the frame chain */
	pushq %rbp
	movq %rbx, %rdi
	movq %r8, %rsi
	call kernel_main
	ud2

	/* Early tables.  vm.c makes boot_pml4, boot_pdpt_low and the first of
	 * boot_pd_low the root for starting cores. */
	.section .bss.boot, "aw", @nobits
	.balign 4096
	.globl boot_pml4, boot_pdpt_low, boot_pd_low, boot_pdpt_high
boot_pml4:	.skip 4096
boot_pdpt_low:	.skip 4096
boot_pd_low:	.skip 4 * 4096
boot_pdpt_high:	.skip 4096
boot_pd_high:	.skip 4096
	.skip 8192
	.globl boot_stack_top, boot_fault_top
boot_stack_top:
	.skip 4096			/* interrupt stack until the real ones are there */
boot_fault_top:

	.section .note.GNU-stack, "", @progbits
