/* pvh.S: the PVH door.  The monitor enters here in 32-bit protected mode,
 * paging off, EBX = physical address of hvm_start_info (Xen's
 * docs/misc/pvh.pandoc).  Goes to long mode on tables that map the low 4 GiB
 * one to one and the image at its linked address, has pvhinfo.c fill the
 * boot_info, and leaves through the common door kernel_entry64.
 *
 * PVH loaders honour p_paddr, so physical = linked - IMAGE_BASE here. */

#define PHYS(s) ((s) - 0xffffffff80000000)

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, 18			/* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad PHYS(pvh_start)

	.section .text.boot, "ax"
	.code32
	.globl pvh_start
pvh_start:
	cli
	cld
	movl $PHYS(boot_stack_top), %esp

	/* 2048 large pages: four page directories for 4 GiB. */
	movl $PHYS(boot_pd_low), %edi
	movl $0x83, %eax		/* present, writable, large */
	movl $2048, %ecx
1:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 1b

	movl $PHYS(boot_pdpt_low), %edi
	movl $PHYS(boot_pd_low) + 3, %eax
	movl $4, %ecx
2:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $0x1000, %eax
	addl $8, %edi
	loop 2b

	movl $PHYS(boot_pdpt_low) + 3, PHYS(boot_pml4)
	movl $PHYS(boot_pdpt_high) + 3, PHYS(boot_pml4) + 511 * 8
	movl $PHYS(boot_pd_low) + 3, PHYS(boot_pdpt_high) + 510 * 8

	movl %cr4, %eax
	orl $0x20, %eax			/* PAE */
	movl %eax, %cr4
	movl $PHYS(boot_pml4), %eax
	movl %eax, %cr3
	movl %ebx, %esi		
	movl $0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000001, %eax		/* PG, PE */
	andl $0x9fffffff, %eax		/* caches on: CD, NW off */
	movl %eax, %cr0
	lgdt PHYS(pvh_gdtr)
	ljmp $8, $PHYS(pvh_long)

	.code64
pvh_long:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movl %esi, %edi
	movq $1f, %rax			/* up to the linked address: pvhinfo.c is ordinary code */
	jmp *%rax
1:	movq $boot_stack_top, %rsp
	call pvh_boot_info
	movq %rax, %rdi
	movl $PHYS(kernel_entry64), %eax
	jmp *%rax

	.balign 8
pvh_gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code */
pvh_gdtr:
	.word . - pvh_gdt - 1
	.long PHYS(pvh_gdt)

	.section .note.GNU-stack, "", @progbits
