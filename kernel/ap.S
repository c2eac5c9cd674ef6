/* ap.S: the first instructions of every core but the one that booted.
 *
 * ap_trampoline .. ap_trampoline_end is copied to a page below 640 KiB (smp.c),
 * where a core begins in real mode at offset 0 with CS = page / 16.  It goes
 * to long mode in one step (CR0.PE and PG together), on page tables that map
 * the page one to one, and leaves for ap_start64 in the image.  All cores may
 * run it at the same time: it writes nothing but registers. */

#define EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CR4_PAE 0x20
#define CR0_START 0x80010033 /* PG WP NE ET MP PE */
#define CPU_APIC_ID 12       /* struct cpu, asserted in smp.c */
#define CPU_SCHED_TOP 24

	.section .rodata
	.globl ap_trampoline, ap_trampoline_end, ap_param
	.balign 16
	.code16
ap_trampoline:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl gdt_pointer - ap_trampoline
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl cr3 - ap_trampoline, %eax
	movl %eax, %cr3
	movl $EFER, %ecx
	movl $EFER_LME_NXE, %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_START, %eax
	movl %eax, %cr0
	ljmpl *far_pointer - ap_trampoline

	.code64
ap_long:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	jmp *entry(%rip)

	.balign 8
gdt:
	.quad 0
	.quad 0x00af9a000000ffff /* 0x08 code, 64 bit */
	.quad 0x00cf92000000ffff /* 0x10 data */
	.balign 8
ap_param: /* struct ap_param of smp.c */
cr3:
	.long 0
far_pointer:
	.long ap_long - ap_trampoline /* + page */
	.word 0x08
gdt_pointer:
	.word 23
	.long gdt - ap_trampoline     /* + page */
entry:
	.quad 0
ap_trampoline_end:

/* noreturn void ap_start64(void): no stack yet.  Finds the struct cpu with
 * this core's APIC id in ap_list[0..ap_count) and goes to ap_enter(cpu) on its
 * scheduler stack; a core that is not listed sleeps for ever. */
	.text
	.globl ap_start64
	.type ap_start64, @function
ap_start64:
	xorl %eax, %eax
	cpuid
	cmpl $0xb, %eax
	jb 1f
	movl $0xb, %eax
	xorl %ecx, %ecx
	cpuid
	movl %edx, %esi
	testw %bx, %bx
	jnz 2f
1:	movl $1, %eax
	cpuid
	shrl $24, %ebx
	movl %ebx, %esi
2:	movq ap_list(%rip), %rdx
	movl ap_count(%rip), %ecx
3:	subl $1, %ecx
	jb 5f
	movq (%rdx,%rcx,8), %rdi
	cmpl %esi, CPU_APIC_ID(%rdi)
	jne 3b
	movq CPU_SCHED_TOP(%rdi), %rsp
	xorl %ebp, %ebp
	call ap_enter
5:	cli
	hlt
	jmp 5b
	.size ap_start64, . - ap_start64

	.section .note.GNU-stack, "", @progbits
