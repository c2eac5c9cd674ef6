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

/* The code behind defer returns twice like setjmp, the second time only to
 * leave the function: no variable is read then. */
#pragma GCC diagnostic ignored "-Wclobbered"

struct rt_info_ref;

/* A deferred call as its macro sees it: most is private to the runtime.  A call
 * of at most two words is made as it is; another is that of a thunk with its
 * block, which lies in words[1 ... 4] if it fits. */
struct rt_deferred {
	uintptr_t own[3];
	uintptr_t pc; /* the function's return address, unless another defer of it replaced that */
	uintptr_t owned[10];
	uintptr_t words[6];
};
#define RT_DEFER_BY_THUNK 5 /* the word that says so */
#define RT_DEFER_BLOCK (4 * sizeof(uintptr_t))
struct rt_deferred *rt_defer_push(void *call, uintptr_t *slot) __attribute__((returns_twice));
void rt_defer_nil(void *args);
void *rt_defer_block(const void *args, size_t size);

/* Stores into locals are done before the block ends. */
static inline __attribute__((always_inline)) void rt_defer_fence(char *unused)
{
	(void)unused;
	__asm__ volatile("" ::: "memory");
}

/* defer(f, args...): calls f(args...) when the function returns.  A statement
 * of its own: inside `if` it needs braces.  Up to 16 arguments, checked
 * against f.  Not in a function that must be inlined.  Go: defer f(args). */
#define defer(f, ...) RT_DEFER(RT_UNIQUE(rt_df_fence), f, ##__VA_ARGS__)
#define RT_DEFER(fence, f, ...) \
	char fence __attribute__((cleanup(rt_defer_fence), unused)); \
	do { \
		/* A frame of its own, no tail call: recover() counts frames. */ \
		RT_CALL(__asm__ volatile("" ::"r"(__builtin_frame_address(0)) : "memory");, f, ##__VA_ARGS__) \
		enum { \
			rt_df_direct = RT_DEFER_DIRECT(__VA_ARGS__), \
			rt_df_big = !rt_df_direct && sizeof rt_call_v > RT_DEFER_BLOCK \
		}; \
		void *rt_df_block = rt_df_big ? rt_defer_block(&rt_call_v, sizeof rt_call_v) : (void *)0; \
		void *rt_df_call = !rt_call_v.fn ? (void *)rt_defer_nil \
			: rt_df_direct ? (void *)rt_call_v.fn : (void *)rt_call_thunk; \
		uintptr_t *rt_df_slot = (uintptr_t *)__builtin_dwarf_cfa() - 1; \
		struct rt_deferred *rt_df = rt_defer_push(rt_df_call, rt_df_slot); \
		if (rt_unlikely(!rt_df)) { \
			_Pragma("GCC diagnostic push") \
			_Pragma("GCC diagnostic ignored \"-Wreturn-type\"") \
			return; \
			_Pragma("GCC diagnostic pop") \
		} \
		if (rt_df_direct) { \
			RT_EACH(RT_DEFER_STORE, rt_df, ##__VA_ARGS__) \
		} else { \
			rt_df->words[0] = (uintptr_t)(rt_df_big ? rt_df_block : &rt_df->words[1]); \
			rt_df->words[RT_DEFER_BY_THUNK] = 1; \
			if (!rt_df_big) \
				*(struct rt_call_block *)&rt_df->words[1] = rt_call_v; \
		} \
		if (rt_likely(*rt_df_slot == rt_df->pc)) \
			RT_DEFER_HOOK(rt_df_slot); \
	} while (0)
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
/* Replaces the function's return address by a jump to rt_defer_return.  A call
 * makes it, so that the processor predicts the function's return to go there. */
#define RT_DEFER_HOOK(slot) \
	__asm__ volatile("call 1f\n\tjmp rt_defer_return\n1:\tpopq %0" : "=m"(*(slot)) : : "memory", "cc")

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
