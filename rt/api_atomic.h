/* api_atomic.h: atomic memory operations (part of ingot.h).  Go's sync/atomic.
 *
 * They work on ordinary variables: integers and pointers of 4 or 8 bytes, and
 * bool.  All are sequentially consistent, as Go's memory model asks: what one
 * task did before an atomic operation is seen by the task whose atomic
 * operation sees its effect, and all tasks agree on one order of them.  A
 * variable that tasks share is then touched by these only.
 *
 * C's <stdatomic.h> has macros atomic_load and atomic_store that mean the
 * same, on ordinary variables too; a program that includes it keeps them (and
 * loses no more than the check of the width).  The other names are not C's.
 * There are no types like Go's atomic.Bool because C has an atomic_bool.
 *
 * any. */
#ifndef INGOT_API_ATOMIC_H
#define INGOT_API_ATOMIC_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* Declares rt_at, the pointer, checked. */
#define RT_AT_PTR(p) \
	__auto_type rt_at = (p); \
	_Static_assert(RT_AT_IS_BOOL(rt_at) || \
	               ((__builtin_classify_type(*rt_at) == RT_CLASS_INT || \
	                 __builtin_classify_type(*rt_at) == RT_CLASS_POINTER) && \
	                (sizeof *rt_at == 4 || sizeof *rt_at == 8)), \
	               "atomic: integers and pointers of 4 or 8 bytes, and bool")
#define RT_AT_IS_BOOL(p) __builtin_types_compatible_p(__typeof__(*(p)), bool)
/* The same for arithmetic. */
#define RT_AT_INT(p) \
	RT_AT_PTR(p); \
	_Static_assert(__builtin_classify_type(*rt_at) == RT_CLASS_INT && !RT_AT_IS_BOOL(rt_at), \
	               "atomic: arithmetic on integers only")
/* Declares name, the value as the variable's type. */
#define RT_AT_VALUE(name, v) __typeof__(*rt_at) name = RT_CONV(__typeof__(*rt_at), v)

#ifndef atomic_load
/* The value of *p.  Go: LoadInt64(p). */
#define atomic_load(p) \
	({ \
		RT_AT_PTR(p); \
		__atomic_load_n(rt_at, __ATOMIC_SEQ_CST); \
	})
#endif

#ifndef atomic_store
/* *p = v.  Go: StoreInt64(p, v). */
#define atomic_store(p, v) \
	({ \
		RT_AT_PTR(p); \
		RT_AT_VALUE(rt_av, v); \
		__atomic_store_n(rt_at, rt_av, __ATOMIC_SEQ_CST); \
	})
#endif

/* *p = v; the old value.  Go: SwapInt64(p, v). */
#define atomic_swap(p, v) \
	({ \
		RT_AT_PTR(p); \
		RT_AT_VALUE(rt_av, v); \
		__atomic_exchange_n(rt_at, rt_av, __ATOMIC_SEQ_CST); \
	})

/* *p = new if it is old; true if it was.  Go: CompareAndSwapInt64(p, old, new). */
#define atomic_compare_and_swap(p, old, new) \
	({ \
		RT_AT_PTR(p); \
		RT_AT_VALUE(rt_ao, old); \
		RT_AT_VALUE(rt_av, new); \
		__atomic_compare_exchange_n(rt_at, &rt_ao, rt_av, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	})

/* *p += d, wrapping; the new value.  Go: AddInt64(p, d). */
#define atomic_add(p, d) \
	({ \
		RT_AT_INT(p); \
		RT_AT_VALUE(rt_av, d); \
		__atomic_add_fetch(rt_at, rt_av, __ATOMIC_SEQ_CST); \
	})

/* *p &= mask, *p |= mask; the old value.  Go: AndInt64(p, mask), OrInt64(p, mask). */
#define atomic_and(p, mask) \
	({ \
		RT_AT_INT(p); \
		RT_AT_VALUE(rt_av, mask); \
		__atomic_fetch_and(rt_at, rt_av, __ATOMIC_SEQ_CST); \
	})
#define atomic_or(p, mask) \
	({ \
		RT_AT_INT(p); \
		RT_AT_VALUE(rt_av, mask); \
		__atomic_fetch_or(rt_at, rt_av, __ATOMIC_SEQ_CST); \
	})

#endif
