/* api_slices.h: Go's package slices (part of ingot.h); sorting and searching
 * sorted slices are in api_sort.h.
 *
 * Where elements are compared they are integers, pointers, floating-point
 * numbers or strings, and equal as == has it; for structures there is the form
 * with a function.  Functions get the element by value and then the further
 * arguments of the call: bool f(T elem, args...).  What changes the length
 * returns the new slice: s = slices_delete(s, 1, 3).  Elements left behind the
 * new end are cleared, so that they keep nothing alive. */
#ifndef INGOT_API_SLICES_H
#define INGOT_API_SLICES_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* How elements of the type of e are compared. */
enum rt_eq { RT_EQ_BYTES, RT_EQ_STRING, RT_EQ_FLOAT, RT_EQ_DOUBLE };
#define RT_EQ_OF(e) _Generic((e), string: RT_EQ_STRING, float: RT_EQ_FLOAT, double: RT_EQ_DOUBLE, default: RT_EQ_BYTES)
#define RT_EQ_CHECK(e) \
	_Static_assert(_Generic((e), string: 1, float: 1, double: 1, \
	                        default: __builtin_classify_type(e) == RT_CLASS_INT || \
	                                 __builtin_classify_type(e) == RT_CLASS_POINTER), \
	               "elements without ==: use the form with a function")
/* ##__VA_ARGS__ of a call with a function, behind the element. */
#define RT_MORE_ARG(c, i, x) , rt_call_a##i

/* slices_index(s, v): the first index of v, -1 if there is none.  any. */
#define slices_index(s, v) \
	({ \
		__auto_type rt_xs = (s); \
		__typeof__(*rt_xs.ptr) rt_xv = RT_CONV(__typeof__(*rt_xs.ptr), v); \
		RT_EQ_CHECK(rt_xv); \
		rt_slices_index(rt_xs.ptr, rt_xs.len, &rt_xv, sizeof rt_xv, RT_EQ_OF(rt_xv)); \
	})
/* Whether there is one. */
#define slices_contains(s, v) (slices_index(s, v) >= 0)
/* slices_index_func(s, f, args...): of the first element for which f is true. */
#define slices_index_func(s, f, ...) \
	({ \
		__auto_type rt_xs = (s); \
		__auto_type rt_xf = &*(f); \
		RT_EACH(RT_CALL_EVAL, , ##__VA_ARGS__) \
		ptrdiff_t rt_xi = -1; \
		for (size_t rt_xk = 0; rt_xk < rt_xs.len && rt_xi < 0; rt_xk++) \
			if (rt_xf(rt_xs.ptr[rt_xk] RT_EACH(RT_MORE_ARG, , ##__VA_ARGS__))) \
				rt_xi = (ptrdiff_t)rt_xk; \
		rt_xi; \
	})
/* Whether there is one. */
#define slices_contains_func(s, f, ...) (slices_index_func(s, f, ##__VA_ARGS__) >= 0)

/* slices_equal(a, b): the same length and equal elements; slices_equal_func
 * with bool f(T, U, args...), also of two element types.  any. */
#define slices_equal(a, b) \
	({ \
		__auto_type rt_xs = (a); \
		__auto_type rt_xt = (b); \
		_Static_assert(RT_SAME_ELEM(rt_xs.ptr, rt_xt.ptr), "slices_equal: element types differ"); \
		RT_EQ_CHECK(*rt_xs.ptr); \
		rt_xs.len == rt_xt.len && \
			rt_slices_equal(rt_xs.ptr, rt_xt.ptr, rt_xs.len, sizeof *rt_xs.ptr, RT_EQ_OF(*rt_xs.ptr)); \
	})
#define slices_equal_func(a, b, f, ...) \
	({ \
		__auto_type rt_xs = (a); \
		__auto_type rt_xt = (b); \
		__auto_type rt_xf = &*(f); \
		RT_EACH(RT_CALL_EVAL, , ##__VA_ARGS__) \
		bool rt_xe = rt_xs.len == rt_xt.len; \
		for (size_t rt_xk = 0; rt_xe && rt_xk < rt_xs.len; rt_xk++) \
			rt_xe = rt_xf(rt_xs.ptr[rt_xk], rt_xt.ptr[rt_xk] RT_EACH(RT_MORE_ARG, , ##__VA_ARGS__)); \
		rt_xe; \
	})

/* slices_reverse(s): in place.  any. */
#define slices_reverse(s) \
	({ \
		__auto_type rt_xs = (s); \
		rt_slices_reverse(rt_xs.ptr, rt_xs.len, sizeof *rt_xs.ptr); \
	})

/* slices_insert(s, i, v...): the values before s[i], up to 16; _slice: the
 * elements of t.  slices_replace: s[i:j] replaced by those of t; slices_delete:
 * by nothing.  Panic like s[i:j] does.  task. */
#define slices_insert(s, i, ...) \
	({ \
		__auto_type rt_xs = (s); \
		__auto_type rt_xi = (i) + 0; \
		__typeof__(*rt_xs.ptr) rt_xv[RT_NARGS(__VA_ARGS__)]; \
		RT_EACH(RT_APPEND_EVAL, rt_xv, __VA_ARGS__) \
		RT_SLICES_REPLACE(rt_xs, rt_xi, rt_xs.len, rt_xi, rt_xv, RT_NARGS(__VA_ARGS__)); \
		rt_xs; \
	})
#define slices_insert_slice(s, i, t) \
	({ \
		__auto_type rt_xs = (s); \
		__auto_type rt_xi = (i) + 0; \
		__auto_type rt_xt = (t); \
		_Static_assert(RT_SAME_ELEM(rt_xs.ptr, rt_xt.ptr), "slices_insert_slice: element types differ"); \
		RT_SLICES_REPLACE(rt_xs, rt_xi, rt_xs.len, rt_xi, rt_xt.ptr, rt_xt.len); \
		rt_xs; \
	})
#define slices_replace(s, i, j, t) \
	({ \
		__auto_type rt_xs = (s); \
		__auto_type rt_xi = (i) + 0; \
		__auto_type rt_xj = (j) + 0; \
		__auto_type rt_xt = (t); \
		_Static_assert(RT_SAME_ELEM(rt_xs.ptr, rt_xt.ptr), "slices_replace: element types differ"); \
		RT_SLICES_REPLACE(rt_xs, rt_xi, rt_xj, rt_xj, rt_xt.ptr, rt_xt.len); \
		rt_xs; \
	})
#define slices_delete(s, i, j) \
	({ \
		__auto_type rt_xs = (s); \
		__auto_type rt_xi = (i) + 0; \
		__auto_type rt_xj = (j) + 0; \
		RT_SLICES_REPLACE(rt_xs, rt_xi, rt_xj, rt_xj, NULL, 0); \
		rt_xs; \
	})
/* s[i:check:len] is what is checked, s[i:j] what is replaced. */
#define RT_SLICES_REPLACE(s, i, check, j, v, n) \
	do { \
		__auto_type rt_xc = (s); \
		rt_slice_cut(&rt_xc, sizeof rt_xc, sizeof *rt_xc.ptr, (size_t)(i), (size_t)(check), rt_xc.len, \
		             3 | RT_UNSIGNED(i, 8) | RT_UNSIGNED(check, 16)); \
		struct rt_slice rt_xg = { (s).ptr, (s).len, (s).cap }; \
		rt_slices_replace(&rt_xg, (size_t)(i), (size_t)(j), (v), (n), sizeof *(s).ptr, \
		                  RT_TYPE(__typeof__(*(s).ptr))); \
		(s).ptr = rt_xg.ptr; \
		(s).len = rt_xg.len; \
		(s).cap = rt_xg.cap; \
	} while (0)
/* slices_delete_func(s, f, args...): without the elements for which f is true. */
#define slices_delete_func(s, f, ...) \
	({ \
		__auto_type rt_xs = (s); \
		__auto_type rt_xf = &*(f); \
		RT_EACH(RT_CALL_EVAL, , ##__VA_ARGS__) \
		size_t rt_xn = 0; \
		for (size_t rt_xk = 0; rt_xk < rt_xs.len; rt_xk++) \
			if (!rt_xf(rt_xs.ptr[rt_xk] RT_EACH(RT_MORE_ARG, , ##__VA_ARGS__))) \
				rt_xs.ptr[rt_xn++] = rt_xs.ptr[rt_xk]; \
		RT_SLICES_SHORTEN(rt_xs, rt_xn); \
		rt_xs; \
	})
/* slices_compact(s): each run of equal elements made one, in place;
 * slices_compact_func with bool f(T, T, args...).  any. */
#define slices_compact(s) \
	({ \
		__auto_type rt_xs = (s); \
		RT_EQ_CHECK(*rt_xs.ptr); \
		size_t rt_xn = rt_slices_compact(rt_xs.ptr, rt_xs.len, sizeof *rt_xs.ptr, RT_EQ_OF(*rt_xs.ptr)); \
		RT_SLICES_SHORTEN(rt_xs, rt_xn); \
		rt_xs; \
	})
#define slices_compact_func(s, f, ...) \
	({ \
		__auto_type rt_xs = (s); \
		__auto_type rt_xf = &*(f); \
		RT_EACH(RT_CALL_EVAL, , ##__VA_ARGS__) \
		size_t rt_xn = 0; \
		for (size_t rt_xk = 0; rt_xk < rt_xs.len; rt_xk++) \
			if (rt_xn == 0 || \
			    !rt_xf(rt_xs.ptr[rt_xn - 1], rt_xs.ptr[rt_xk] RT_EACH(RT_MORE_ARG, , ##__VA_ARGS__))) \
				rt_xs.ptr[rt_xn++] = rt_xs.ptr[rt_xk]; \
		RT_SLICES_SHORTEN(rt_xs, rt_xn); \
		rt_xs; \
	})
#define RT_SLICES_SHORTEN(s, n) \
	do { \
		if ((s).len > (n)) \
			__builtin_memset((void *)((s).ptr + (n)), 0, ((s).len - (n)) * sizeof *(s).ptr); \
		(s).len = (n); \
	} while (0)

/* slices_clone(s): a copy of the elements.  slices_grow(s, n): room for n more;
 * panics when n < 0.  task.  slices_clip(s): without capacity beyond its
 * length, so that the next append moves it.  any. */
#define slices_clone(s) \
	({ \
		__auto_type rt_xo = (s); \
		append_slice(((__typeof__(rt_xo)){ 0 }), rt_xo); \
	})
#define slices_grow(s, n) \
	({ \
		__auto_type rt_xs = (s); \
		struct rt_slice rt_xg = { rt_xs.ptr, rt_xs.len, rt_xs.cap }; \
		rt_slices_grow(&rt_xg, RT_CONV(int64_t, n), sizeof *rt_xs.ptr, RT_TYPE(__typeof__(*rt_xs.ptr))); \
		rt_xs.ptr = rt_xg.ptr; \
		rt_xs.cap = rt_xg.cap; \
		rt_xs; \
	})
#define slices_clip(s) \
	({ \
		__auto_type rt_xs = (s); \
		rt_xs.cap = rt_xs.len; \
		rt_xs; \
	})
/* slices_concat(a, b...): a new slice of all elements; up to 16.
 * slices_repeat(s, n): n times those of s; panics when n < 0.  task. */
#define slices_concat(a, ...) \
	({ \
		__auto_type rt_xs = (a); \
		__typeof__(rt_xs) rt_xa[] = { rt_xs, __VA_OPT__(RT_EACH(RT_ELEMENT, __typeof__(rt_xs), __VA_ARGS__)) }; \
		struct rt_slice rt_xg = { 0 }; \
		rt_slices_concat(&rt_xg, (const struct rt_slice *)(const void *)rt_xa, sizeof rt_xa / sizeof rt_xa[0], \
		                 sizeof *rt_xs.ptr, RT_TYPE(__typeof__(*rt_xs.ptr))); \
		rt_xs.ptr = rt_xg.ptr; \
		rt_xs.len = rt_xg.len; \
		rt_xs.cap = rt_xg.cap; \
		rt_xs; \
	})
#define slices_repeat(s, n) \
	({ \
		__auto_type rt_xs = (s); \
		struct rt_slice rt_xg = { rt_xs.ptr, rt_xs.len, rt_xs.cap }; \
		rt_slices_repeat(&rt_xg, RT_CONV(int64_t, n), sizeof *rt_xs.ptr, RT_TYPE(__typeof__(*rt_xs.ptr))); \
		rt_xs.ptr = rt_xg.ptr; \
		rt_xs.len = rt_xg.len; \
		rt_xs.cap = rt_xg.cap; \
		rt_xs; \
	})

ptrdiff_t rt_slices_index(const void *p, size_t n, const void *v, size_t size, enum rt_eq eq);
bool rt_slices_equal(const void *p, const void *q, size_t n, size_t size, enum rt_eq eq);
size_t rt_slices_compact(void *p, size_t n, size_t size, enum rt_eq eq);
void rt_slices_reverse(void *p, size_t n, size_t size);
void rt_slices_replace(struct rt_slice *s, size_t i, size_t j, const void *v, size_t n, size_t size,
                       const struct rt_type *type);
void rt_slices_grow(struct rt_slice *s, int64_t n, size_t size, const struct rt_type *type);
void rt_slices_concat(struct rt_slice *s, const struct rt_slice *v, size_t n, size_t size, const struct rt_type *type);
void rt_slices_repeat(struct rt_slice *s, int64_t n, size_t size, const struct rt_type *type);

#endif
