/* glibc.S: hosted: tasks call the deep functions of glibc, which has no
 * split-stack check, by way of these stubs, which have.
 *
 * The linker turns each reference to FUNCTION into __wrap_FUNCTION, and ours
 * to __real_FUNCTION into the true one (--wrap).  HOST_DEEP: the functions
 * marked "deep" in glibc.list. */

#define ROOM 16384 /* bytes that they may take; printf of a double: 7 KiB */
#define ARGS 256   /* most bytes of arguments on the stack that are passed on */

	.macro deep name
	.globl __wrap_\name
	.type __wrap_\name, @function
__wrap_\name:
	leaq -ROOM(%rsp), %r11
	cmpq %fs:0x70, %r11
	jb 1f
	jmp __real_\name
1:	movl $ROOM, %r10d
	movl $ARGS, %r11d
	call __morestack
	ret
	jmp __real_\name
	.size __wrap_\name, . - __wrap_\name
	.endm

	.text
	.irp f, HOST_DEEP
	deep \f
	.endr

	.section .note.GNU-stack, "", @progbits
