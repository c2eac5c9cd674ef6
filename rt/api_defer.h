/* api_defer.h: defer, panic, recover (part of ingot.h).
 *
 * As in Go: a deferred call runs when the function that deferred it returns,
 * wherever in the function the defer stands, the last deferred first, its
 * arguments evaluated at the defer.  Pointers to that function's locals are
 * good in a deferred call.  A panic runs the deferred calls of all functions
 * up the stack; recover, called directly by one of them, ends the panic, and
 * the function that deferred it returns to its caller, with the result 0.
 * An unrecovered panic ends the image with status 2.
 *
 * One limit: when a defer stands in a nested block, what the function stores
 * into a local after that block's end and after its last call may not be
 * seen through a pointer by the deferred call (C ends the local's life at
 * the return); make such a local volatile or defer in the outermost block. */
#ifndef INGOT_API_DEFER_H
#define INGOT_API_DEFER_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* rt_defer_more is declared to return twice, like setjmp, so that gcc neither inlines
 * a function with a defer nor makes its last call a jump; it never does. */
#pragma GCC diagnostic ignored "-Wclobbered"

struct rt_info_ref;

/* A deferred call as its macro sees it: most is private to the runtime.  A call
 * of at most two words is made as it is; another is that of a thunk with its
 * block, which lies in words[1 ... 4] if it fits. */
struct rt_deferred {
	uintptr_t own[12];
	void *call;
	uintptr_t owned;
	uintptr_t words[6];
};
#define RT_DEFER_BY_THUNK 5 /* the word that says so */
#define RT_DEFER_BLOCK (4 * sizeof(uintptr_t))
void *rt_defer_more(void) __attribute__((returns_twice, cold));
void rt_defer_nil(void *args);
void *rt_defer_block(const void *args, size_t size);

#define RT_STR(x) RT_STR_(x)
#define RT_STR_(x) #x
#define RT_G_DEFERS 136 /* of struct g; the other offsets are struct defer_rec's (defer.h) */
#define RT_DEFER_VECTORS \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
	"xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"

/* Where a block with a defer in it ends, and each copy of that place which the
 * compiler makes.  If the function returns straight from here, its deferred
 * calls are made now; else its return address is replaced (defer.c).  A call
 * does that, so that the processor predicts the return to go there. */
static inline __attribute__((always_inline)) void rt_defer_end(char *unused)
{
	uintptr_t *slot = (uintptr_t *)__builtin_dwarf_cfa() - 1;

	(void)unused;
	__asm__ volatile(
		"1:	cmpl $1, 5f(%%rip)\n"
		"	jne 2f\n"
		"	movq %%fs:rt_self@tpoff, %%r8\n"
		"	movq " RT_STR(RT_G_DEFERS) "(%%r8), %%rax\n"
		"	testq %%rax, %%rax\n"
		"	je 4f\n"
		"	cmpq %0, 16(%%rax)\n" /* nothing deferred, or done */
		"	jne 4f\n"
		"	movq (%0), %%r9\n"
		"	cmpq %%r9, 24(%%rax)\n" /* replaced */
		"	jne 4f\n"
		"	cmpq %0, 16-160(%%rax)\n" /* more than one */
		"	je 2f\n"
		"	cmpq $0, -160(%%rax)\n" /* an end of a chunk */
		"	jne 2f\n"
		"	cmpq $0, 152(%%rax)\n" /* a thunk */
		"	jne 2f\n"
		"	movq 96(%%rax), %%rdx\n"
		"	movq 112(%%rax), %%rdi\n"
		"	movq 120(%%rax), %%rsi\n"
		"	pxor %%xmm0, %%xmm0\n"
		"	movups %%xmm0, 112(%%rax)\n"
		"	subq $160, %%rax\n"
		"	movq %%rax, " RT_STR(RT_G_DEFERS) "(%%r8)\n"
		"	call *%%rdx\n"
		"4:\n"
		"	.subsection 1\n"
		"2:	leaq 5f(%%rip), %%rsi\n"
		"	call rt_defer_leave\n"
		"	testq %%rax, %%rax\n"
		"	je 4b\n"
		"	call 3f\n"
		"	jmp rt_defer_return\n"
		"3:	popq (%%rax)\n"
		"	jmp 4b\n"
		"	.previous\n"
		"	.pushsection .data.rt_defer_sites, \"aw\"\n"
		"	.balign 8\n"
		"5:	.quad 0, 1b, 4b\n" /* struct defer_site */
		"	.popsection"
		: "+D"(slot)
		:
		: "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", RT_DEFER_VECTORS);
}

/* defer(f, args...): calls f(args...) when the function returns.  A statement
 * of its own: inside `if` it needs braces.  Up to 16 arguments, checked
 * against f.  Not in a function that must be inlined.  Go: defer f(args). */
#define defer(f, ...) RT_DEFER(RT_UNIQUE(rt_df_end), f, ##__VA_ARGS__)
#define RT_DEFER(end, f, ...) \
	char end __attribute__((cleanup(rt_defer_end), unused)); \
	do { \
		__label__ rt_df_again, rt_df_full, rt_df_leave, rt_df_done; \
		/* A frame of its own, no tail call: recover() counts frames. */ \
		RT_CALL(__asm__ volatile("" ::"r"(__builtin_frame_address(0)) : "memory");, f, ##__VA_ARGS__) \
		enum { \
			rt_df_direct = RT_DEFER_DIRECT(__VA_ARGS__), \
			rt_df_big = !rt_df_direct && sizeof rt_call_v > RT_DEFER_BLOCK \
		}; \
		void *rt_df_block = rt_df_big ? rt_defer_block(&rt_call_v, sizeof rt_call_v) : (void *)0; \
		void *rt_df_call = !rt_call_v.fn ? (void *)rt_defer_nil \
			: rt_df_direct ? (void *)rt_call_v.fn : (void *)rt_call_thunk; \
		struct rt_deferred *rt_df; \
	rt_df_again:; \
		uintptr_t *rt_df_slot = (uintptr_t *)__builtin_dwarf_cfa() - 1; \
		RT_DEFER_PUSH(rt_df, rt_df_slot, rt_df_full, rt_df_leave); \
		rt_df->call = rt_df_call; \
		if (rt_df_direct) { \
			RT_EACH(RT_DEFER_STORE, rt_df, ##__VA_ARGS__) \
		} else { \
			rt_df->words[0] = (uintptr_t)(rt_df_big ? rt_df_block : &rt_df->words[1]); \
			rt_df->words[RT_DEFER_BY_THUNK] = 1; \
			if (!rt_df_big) \
				*(struct rt_call_block *)&rt_df->words[1] = rt_call_v; \
		} \
		goto rt_df_done; \
	rt_df_full: \
		if (rt_defer_more()) \
			goto rt_df_again; \
	rt_df_leave: \
		_Pragma("GCC diagnostic push") \
		_Pragma("GCC diagnostic ignored \"-Wreturn-type\"") \
		return; \
		_Pragma("GCC diagnostic pop") \
	rt_df_done:; \
	} while (0)
/* A record, the innermost now, of the frame whose return address is at slot.
 * Goes to full if there is no place, and to leave when the frame recovered. */
#define RT_DEFER_PUSH(df, slot, full, leave) \
	__asm__ volatile goto( \
		"movq %%fs:rt_self@tpoff, %%rdx\n\t" \
		"movq " RT_STR(RT_G_DEFERS) "(%%rdx), %%rcx\n\t" \
		"testq %%rcx, %%rcx\n\t" \
		"je %l[" #full "]\n\t" \
		"leaq 160(%%rcx), %0\n\t" \
		"cmpq $0, (%0)\n\t" \
		"jne %l[" #full "]\n\t" \
		"movq (%1), %%r8\n\t" \
		"cmpq %1, 16(%%rcx)\n\t" \
		"cmoveq 24(%%rcx), %%r8\n\t" \
		"movq %1, 16(%0)\n\t" \
		"movq %%r8, 24(%0)\n\t" \
		"movq %%rsp, 32(%0)\n\t" \
		"movq $%l[" #leave "], 40(%0)\n\t" \
		"movq %%rbx, 48(%0)\n\t" \
		"movq %%rbp, 56(%0)\n\t" \
		"movq %%r12, 64(%0)\n\t" \
		"movq %%r13, 72(%0)\n\t" \
		"movq %%r14, 80(%0)\n\t" \
		"movq %%r15, 88(%0)\n\t" \
		"movq %0, " RT_STR(RT_G_DEFERS) "(%%rdx)" \
		: "=&a"(df), "+D"(slot) \
		: \
		: "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", RT_DEFER_VECTORS \
		: full, leave)
/* Whether all arguments are words, of the types that the function takes, and it
 * has no result. */
#define RT_DEFER_DIRECT(...) \
	(RT_NARGS(__VA_ARGS__) <= 2 RT_EACH(RT_DEFER_IS_WORD, , ##__VA_ARGS__) && \
	 __builtin_types_compatible_p(__typeof__(rt_call_f), void (*)(RT_EACH(RT_DEFER_TYPE, , ##__VA_ARGS__))))
#define RT_DEFER_IS_WORD(c, i, x) && RT_DEFER_WORD(rt_call_a##i)
#define RT_DEFER_WORD(a) \
	(sizeof(a) >= 4 && sizeof(a) <= 8 && (__builtin_classify_type(a) == RT_CLASS_INT || \
	                                      __builtin_classify_type(a) == RT_CLASS_POINTER))
#define RT_DEFER_TYPE(c, i, x) RT_COMMA##i __typeof__(rt_call_a##i)
#define RT_DEFER_STORE(d, i, x) \
	(d)->words[(i) % 2] = (uintptr_t)__builtin_choose_expr(RT_DEFER_WORD(rt_call_a##i), rt_call_a##i, 0);

/* What a panic carries. */
typedef struct panicked {
	string text;        /* as the report prints it after "panic: " */
	void *value;        /* of panic_value, panic_any (a copy), else NULL */
	const struct rt_info_ref *type; /* of panic_any: see panicked_as */
	bool runtime_error; /* raised by the runtime: index out of range, ... */
} panicked;

/* panic(fmt, ...): formats of api_format.h.  Go: panic(fmt.Sprintf(...)).
 * panic_value(v, fmt, ...): carries the pointer v as well; C's formats only.
 * panic(NULL) is Go's panic(nil).  panic_any (api_reflect.h) carries any value. */
#define panic(fmt, ...) \
	({ \
		RT_FMT_EVALS(__VA_ARGS__) \
		rt_panic_text(RT_FMT_KINDS(__VA_ARGS__), fmt RT_FMT_ARGS(__VA_ARGS__)); \
	})
_Noreturn void rt_panic_text(unsigned kinds, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));
#define panic_value(v, ...) rt_panic_value(v, __VA_ARGS__)
_Noreturn void rt_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));
_Noreturn void rt_panic_value(void *v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

/* recover(): in a function called by a panic as a deferred call: ends the
 * panic and returns what it carries; anywhere else NULL.  (A function that
 * the deferred one calls last, as a tail call, counts as itself.) */
#define recover() \
	({ \
		/* A function whose label is in static data is never inlined. */ \
		__label__ rt_rc_here; \
	rt_rc_here:; \
		static void *const rt_rc_pin __attribute__((used)) = &&rt_rc_here; \
		(const panicked *)rt_recover(__builtin_frame_address(0)); \
	})
const panicked *rt_recover(void *frame);

#endif
