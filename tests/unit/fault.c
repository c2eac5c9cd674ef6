/* fault.c: runtime errors that the machine finds (nil dereference, division) are
 * panics of the task that made them, wherever it was; and Go's rules for panics
 * inside panics and goexit.  What the reports look like is in
 * tests/system/ends.py. */
#include "ingot.h"
#include "test.h"
#include <limits.h>

/* UBSan reports what is done here on purpose, before the machine does. */
#define WRONG __attribute__((noinline, no_sanitize("undefined"), no_sanitize_address))
/* The compiler does not know the value. */
#define HIDDEN(x) ({ __typeof__(x) hidden_ = (x); __asm__ volatile("" : "+r"(hidden_)); hidden_; })

static const panicked *caught;

static void catch(void)
{
	caught = recover();
}

static __attribute__((noinline)) void call(void (*f)(void))
{
	defer(catch);
	f();
}

#define NIL "runtime error: invalid memory address or nil pointer dereference"
#define DIVIDE "runtime error: integer divide by zero"
#define OVERFLOW "runtime error: integer overflow"

/* f panics with a runtime error of this text. */
#define FAULTS(f, words) \
	do { \
		caught = NULL; \
		call(f); \
		if (!caught || !caught->runtime_error || !string_eq(caught->text, S(words))) \
			TEST_FAIL("%s: \"%.*s\", not \"%s\"", #f, caught ? (int)caught->text.len : 0, \
			          caught ? caught->text.ptr : "", words); \
	} while (0)

struct large {
	char fill[4000];
	int far;
};
static volatile int64 sink;

WRONG static void nil_read(void) { sink = *HIDDEN((int *)NULL); }
WRONG static void nil_write(void) { *HIDDEN((int *)NULL) = 1; }
WRONG static void nil_field(void) { sink = HIDDEN((struct large *)NULL)->far; }
WRONG static void nil_function(void) { HIDDEN((void (*)(void))NULL)(); }
WRONG static void nil_vector(void)
{
	typedef int vector __attribute__((vector_size(16)));
	vector *volatile nobody = NULL, v = *nobody;
	sink = v[0];
}
/* A leaf has no frame of its own, and its caller's may be all it has. */
__attribute__((naked, noinline)) static void leaf(void) { __asm__("movq 8, %rax\n\tret"); }
static void nil_leaf(void) { leaf(); }
/* The stack is not aligned as the ABI has it at calls. */
__attribute__((naked, noinline)) static void odd(void)
{
	__asm__("pushq %rbp\n\tmovq %rsp, %rbp\n\tsubq $24, %rsp\n\tmovq 8, %rax\n\tleave\n\tret");
}
static void nil_odd(void) { odd(); }

TEST(nil_dereference)
{
	for (int i = 0; i < 100; i++) {
		FAULTS(nil_read, NIL);
		FAULTS(nil_write, NIL);
		FAULTS(nil_field, NIL);
		FAULTS(nil_function, NIL);
		FAULTS(nil_vector, NIL);
		FAULTS(nil_leaf, NIL);
		FAULTS(nil_odd, NIL);
	}
}

WRONG static void div_int(void) { sink = 7 / HIDDEN(0); }
WRONG static void mod_int(void) { sink = 7 % HIDDEN(0); }
WRONG static void div_long(void) { sink = (int64)7 / HIDDEN((int64)0); }
WRONG static void div_unsigned(void) { sink = (int64)(HIDDEN((uint64)7) / HIDDEN((uint64)0)); }
WRONG static void div_least(void) { sink = HIDDEN(INT_MIN) / HIDDEN(0); }
WRONG static void div_overflow(void) { sink = HIDDEN(INT_MIN) / HIDDEN(-1); }
WRONG static void mod_overflow(void) { sink = HIDDEN(INT64_MIN) % HIDDEN((int64)-1); }
/* Every shape of operand: register, byte registers, memory by base, index and rip. */
static __attribute__((used)) int zeros[4], ones[4] = { -1, -1, -1, -1 };
#define DIVIDES(name, setup, what) \
	__attribute__((naked, noinline)) static void name##_(void) \
	{ \
		__asm__("pushq %rbx\n\tpushq %r12\n\tpushq %r13\n\t" setup "\n\t" what \
		        "\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tret"); \
	} \
	static void name(void) { name##_(); }
#define LEAST "movl $0x80000000, %eax\n\tcltd\n\t"
DIVIDES(by_bh_0, "xorl %ebx, %ebx\n\tmovl $7, %eax", "idivb %bh")
DIVIDES(by_bh, "movl $0x100, %ebx\n\tmovl $0x7000, %eax", "idivb %bh")
DIVIDES(by_sil, "movl $1, %esi\n\tmovl $0x7000, %eax", "idivb %sil")
DIVIDES(by_r13_0, "xorl %r13d, %r13d\n\t" LEAST, "idivl %r13d")
DIVIDES(by_r13, "movl $-1, %r13d\n\t" LEAST, "idivl %r13d")
DIVIDES(by_word, "movl $0x30000, %ecx\n\tmovl $7, %eax\n\txorl %edx, %edx", "divw %cx")
DIVIDES(by_rip_0, LEAST, "idivl zeros(%rip)")
DIVIDES(by_rip, LEAST, "idivl ones(%rip)")
DIVIDES(by_base, "leaq ones(%rip), %r13\n\t" LEAST, "idivl (%r13)")
DIVIDES(by_base8, "leaq zeros(%rip), %r12\n\t" LEAST, "idivl 8(%r12)")
DIVIDES(by_index, "leaq ones-400(%rip), %rbx\n\tmovl $100, %r12d\n\t" LEAST, "idivl 4(%rbx,%r12,4)")
DIVIDES(by_index_0, "leaq zeros-400(%rip), %rbx\n\tmovl $100, %r12d\n\t" LEAST, "idivl 4(%rbx,%r12,4)")
DIVIDES(by_stack, "pushq $-1\n\tpopq %rcx\n\tmovq %rcx, -16(%rsp)\n\t" LEAST, "idivl -16(%rsp)")

TEST(division)
{
	for (int i = 0; i < 20; i++) {
		FAULTS(div_int, DIVIDE);
		FAULTS(mod_int, DIVIDE);
		FAULTS(div_long, DIVIDE);
		FAULTS(div_unsigned, DIVIDE);
		FAULTS(div_least, DIVIDE);
		FAULTS(div_overflow, OVERFLOW);
		FAULTS(mod_overflow, OVERFLOW);
		FAULTS(by_bh_0, DIVIDE);
		FAULTS(by_bh, OVERFLOW);
		FAULTS(by_sil, OVERFLOW);
		FAULTS(by_r13_0, DIVIDE);
		FAULTS(by_r13, OVERFLOW);
		FAULTS(by_word, DIVIDE);
		FAULTS(by_rip_0, DIVIDE);
		FAULTS(by_rip, OVERFLOW);
		FAULTS(by_base, OVERFLOW);
		FAULTS(by_base8, DIVIDE);
		FAULTS(by_index, OVERFLOW);
		FAULTS(by_index_0, DIVIDE);
		FAULTS(by_stack, OVERFLOW);
	}

}

/* At every depth, so also where the stack's limit is near, or on a further segment. */
WRONG static int fault_at(int depth)
{
	volatile char frame[40];

	frame[0] = (char)depth;
	return depth ? fault_at(depth - 1) + frame[0] : *HIDDEN((int *)NULL);
}
static int how_deep;
static void fault_deep(void) { sink = fault_at(how_deep); }

TEST(at_any_depth)
{
	for (how_deep = 0; how_deep < 60; how_deep++)
		FAULTS(fault_deep, NIL);
	for (how_deep = 60; how_deep < 3000; how_deep += 97)
		FAULTS(fault_deep, NIL);
}

static int64 sum_around(int64 a, int64 b, double d)
{
	int64 before = a * 3 + b;
	double half = d / 2;

	call(nil_write);
	call(div_int);
	return before + (int64)(half * 4) + a + b;
}

TEST(registers_survive)
{
	for (int i = 0; i < 100; i++)
		CHECK_EQ(sum_around(i, 2 * i, i), 5 * i + 2 * i + 3 * i);
}

static void report_to(chan(int) c, int i)
{
	const panicked *p = recover();

	send(c, p && p->runtime_error && string_eq(p->text, i % 2 ? S(DIVIDE) : S(NIL)) ? i : -1);
}

static void worker(chan(int) c, int i)
{
	defer(report_to, c, i);
	for (int k = 0; k < i % 7; k++)
		gosched();
	if (i % 2)
		div_long();
	sink = fault_at(i);
}

TEST(many_tasks)
{
	chan(int) c = make_chan(int, 4);
	int sum = 0;

	for (int i = 0; i < 300; i++) {
		go(worker, c, i);
		if (i % 100 == 0)
			gc();
	}
	for (int i = 0; i < 300; i++)
		sum += recv(c);
	CHECK_EQ(sum, 299 * 300 / 2);
}

/* ---- panics inside panics, goexit ------------------------------------------------ */

static char trace[64];

static void note(char c)
{
	size_t n = strlen(trace);

	if (n < sizeof trace - 1) {
		trace[n] = c;
		trace[n + 1] = 0;
	}
}

static void note_text(void)
{
	const panicked *p = recover();

	for (size_t i = 0; p && i < p->text.len; i++)
		note(p->text.ptr[i]);
	note(p ? '.' : '0');
}

static void fault_in_deferred(void)
{
	defer(note, '1');
	defer(nil_read);
	defer(note, '2');
	panic("A");
}

TEST(a_fault_in_a_deferred_call_replaces_the_panic)
{
	trace[0] = 0;
	FAULTS(fault_in_deferred, NIL);
	CHECK_STR(trace, "21");
}

static void raise_c(void) { panic("C"); }
static void raise_b(void)
{
	defer(raise_c);
	panic("B");
}
static void three(void)
{
	defer(note_text);
	defer(raise_b);
	panic("A");
}

static void again(void)
{
	const panicked *p = recover();

	note('r');
	panic("%.*s2", STR(p->text));
}
static void twice(void)
{
	defer(note_text);
	defer(again);
	defer(again);
	panic("A");
}
/* The recovered panic is over: its frames' deferred calls run once, in order. */
static void inner_recovers(void)
{
	defer(note, 'i');
	defer(note_text);
	panic("I");
}
static void during(void)
{
	inner_recovers();
	note_text();
	note('-'); /* no tail call: its callee would count as called directly */
}
static void keeps_the_outer(void)
{
	defer(note_text);
	defer(note, 'x');
	defer(during);
	panic("O");
}

TEST(nested_panics)
{
	trace[0] = 0;
	three();
	CHECK_STR(trace, "C.");
	trace[0] = 0;
	twice();
	CHECK_STR(trace, "rrA22.");
	/* note_text in during() is not called directly by the panic: it finds none. */
	trace[0] = 0;
	keeps_the_outer();
	CHECK_STR(trace, "I.i0-xO.");
}

static void leave(void) { goexit(); }
static void done(chan(int) c) { send(c, 1); }

/* goexit during a panic ends the panic. */
static void exits_in_panic(chan(int) c)
{
	defer(done, c);
	defer(note_text);
	defer(leave);
	panic("A");
}
/* A panic during goexit, recovered, goes on with the goexit. */
static void raise_a(void) { panic("A"); }
static void not_reached(chan(int) c)
{
	defer(done, c);
	defer(note, '3');
	defer(note_text);
	defer(raise_a);
	goexit();
}
static void returns_after(chan(int) c)
{
	not_reached(c);
	note('!');
}
/* A recover inside goexit's deferred calls finds nothing, and goexit in goexit is fine. */
static void exits_twice(chan(int) c)
{
	defer(done, c);
	defer(leave);
	defer(note_text);
	goexit();
}

TEST(goexit_and_panics)
{
	chan(int) c = make_chan(int);
	int before = num_task();

	trace[0] = 0;
	go(exits_in_panic, c);
	recv(c);
	CHECK_STR(trace, "0");
	trace[0] = 0;
	go(returns_after, c);
	recv(c);
	CHECK_STR(trace, "A.3");
	trace[0] = 0;
	go(exits_twice, c);
	recv(c);
	CHECK_STR(trace, "0");
	for (int i = 0; i < 1000000 && num_task() > before; i++)
		gosched();
	CHECK(num_task() <= before); /* workers of another test may end meanwhile */
}

static void panic_nil(void)
{
	const char *nothing = HIDDEN((const char *)NULL);

	defer(note_text);
	panic(nothing, 0);
}
static void defer_nil(void)
{
	defer(HIDDEN((void (*)(void))NULL));
}

TEST(nil_arguments)
{
	trace[0] = 0;
	panic_nil();
	CHECK_STR(trace, "panic called with nil argument.");
	FAULTS(defer_nil, NIL);
}

/* recover(): only in the deferred function itself. */
static void helper(void)
{
	note(recover() ? 'h' : '-');
	note('.'); /* no tail call */
}
static void by_helper(void)
{
	helper();
	note(recover() ? 'd' : '-');
	note(recover() ? 'd' : '-');
}
static void nested_defer(void)
{
	defer(note_text); /* deferred by a deferred call: not called by the panic */
	note('n');
}
static void indirectly(void)
{
	defer(by_helper);
	defer(nested_defer);
	panic("A");
}

TEST(recover_only_directly)
{
	trace[0] = 0;
	note(recover() ? '!' : '-');
	indirectly();
	CHECK_STR(trace, "-n0-.d-");
}

TEST_MAIN
{
	RUN(nil_dereference);
	RUN(division);
	RUN(at_any_depth);
	RUN(registers_survive);
	RUN(many_tasks);
	RUN(a_fault_in_a_deferred_call_replaces_the_panic);
	RUN(nested_panics);
	RUN(goexit_and_panics);
	RUN(nil_arguments);
	RUN(recover_only_directly);
}
