/* faults.c: each way a program can break the machine's rules, by name; the
 * guest of kernel.py. */
#include <ingot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int stuck_runs;

/* Interrupts off for ever: only an NMI reaches this core. */
static void stuck(int unused)
{
	(void)unused;
	stuck_runs = 1;
	__asm__ volatile("cli; 1: jmp 1b");
}

static int double_twice(int x)
{
	return 4 * x;
}

static void poke(uintptr_t a)
{
	__asm__ volatile("" : "+r"(a)); /* the compiler must not know the address */
	*(volatile int *)a = 1;
}

static void call(uintptr_t a)
{
	__asm__ volatile("" : "+r"(a));
	((void (*)(void))a)();
}

static void break_rule(const char *what)
{
	static const char text[] = "\xc3";
	static char data[] = "\xc3";

	if (!strcmp(what, "code"))
		poke((uintptr_t)double_twice);
	else if (!strcmp(what, "constant"))
		poke((uintptr_t)text);
	else if (!strcmp(what, "data"))
		call((uintptr_t)data);
	else if (!strcmp(what, "stack"))
		call((uintptr_t)__builtin_frame_address(0));
	else if (!strcmp(what, "heap"))
		call((uintptr_t)new(int));
	else if (!strcmp(what, "null"))
		call(0);
	else if (!strcmp(what, "opcode"))
		__asm__ volatile("ud2");
	else if (!strcmp(what, "noncanonical"))
		poke(0x8000000000000000);
	else if (!strcmp(what, "breakpoint"))
		__asm__ volatile("int3");
	else if (!strcmp(what, "lostsp"))
		__asm__ volatile("movl $0x12340, %%esp; pushq %%rax" ::: "memory");
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		go(stuck, 0);
		while (!stuck_runs)
			gosched();
	}
	printf("pokes %s\n", argv[1]);
	break_rule(argv[1]);
	printf("nothing happened\n");
	return 1;
}
