/* api_sort.h: sorting and searching of slices, min and max (part of ingot.h).
 * Go: packages slices and cmp.
 *
 * Ordered elements are numbers and strings, a NaN before all others.  A
 * comparison is int cmp(const T *a, const T *b), below, equal to or above 0, as
 * for C's qsort; it must order consistently, or the result's order is any.  If
 * it panics, some elements may be there twice and others not.
 * Nothing here allocates but sort_stable_func.  Everything may be called from
 * any context but that one, which is for tasks. */
#ifndef INGOT_API_SORT_H
#define INGOT_API_SORT_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* sort(s): ascending.  Go: slices.Sort(s). */
#define sort(s) \
	({ \
		__auto_type rt_so = (s); \
		RT_ORDERED(rt_sort_, rt_so)(rt_so.ptr, rt_so.len); \
	})
/* sort_func(s, cmp); equal elements in any order.  Go: slices.SortFunc. */
#define sort_func(s, cmp) \
	({ \
		RT_SORT_CMP(s, cmp); \
		rt_sort_func(rt_so.ptr, rt_so.len, sizeof *rt_so.ptr, (rt_cmp_fn *)rt_sc); \
	})
/* sort_stable_func(s, cmp): equal elements stay in their order.  Takes room
 * for half of s or more.
 * Go: slices.SortStableFunc. */
#define sort_stable_func(s, cmp) \
	({ \
		RT_SORT_CMP(s, cmp); \
		rt_sort_stable(rt_so.ptr, rt_so.len, RT_TYPE(__typeof__(*rt_so.ptr)), (rt_cmp_fn *)rt_sc); \
	})
/* Whether it is sorted.  Go: slices.IsSorted, slices.IsSortedFunc. */
#define is_sorted(s) \
	({ \
		__auto_type rt_so = (s); \
		RT_ORDERED(rt_is_sorted_, rt_so)(rt_so.ptr, rt_so.len); \
	})
#define is_sorted_func(s, cmp) \
	({ \
		RT_SORT_CMP(s, cmp); \
		rt_is_sorted_func(rt_so.ptr, rt_so.len, sizeof *rt_so.ptr, (rt_cmp_fn *)rt_sc); \
	})
/* binary_search(s, v, &i): true if v is in the sorted s; i (size_t) is the first
 * such place, or where v would go.  Go: i, ok := slices.BinarySearch(s, v). */
#define binary_search(s, v, ip) \
	({ \
		__auto_type rt_so = (s); \
		__typeof__(*rt_so.ptr) rt_sv = RT_CONV(__typeof__(*rt_so.ptr), v); \
		size_t *rt_si = (ip); \
		RT_ORDERED(rt_search_, rt_so)(rt_so.ptr, rt_so.len, &rt_sv, rt_si); \
	})
/* binary_search_func(s, p, cmp, &i): the same with int cmp(const T *element,
 * const U *p) for what p points to.  Go: slices.BinarySearchFunc. */
#define binary_search_func(s, p, cmp, ip) \
	({ \
		__auto_type rt_so = (s); \
		__auto_type rt_sv = (p); \
		int (*rt_sc)(const __typeof__(*rt_so.ptr) *, const __typeof__(*rt_sv) *) = (cmp); \
		size_t *rt_si = (ip); \
		rt_search_func(rt_so.ptr, rt_so.len, sizeof *rt_so.ptr, rt_sv, (rt_cmp_fn *)rt_sc, rt_si); \
	})
/* The first i in [0, n) for which f(i, arg) is true, n if there is none; f must
 * be false up to some i and true from there on.  Go: sort.Search. */
size_t sort_search(size_t n, bool (*f)(size_t i, void *arg), void *arg);

/* The least (greatest) element; NaN if there is one.  Panics when s is empty.
 * Go: slices.Min, slices.Max. */
#define slice_min(s) RT_SLICE_BEST(s, false)
#define slice_max(s) RT_SLICE_BEST(s, true)
#define RT_SLICE_BEST(s, greatest) \
	({ \
		__auto_type rt_so = (s); \
		rt_so.ptr[RT_ORDERED(rt_best_, rt_so)(rt_so.ptr, rt_so.len, greatest)]; \
	})

/* min(a, b...), max(a, b...): of 2 to 4 numbers or strings, in the type that
 * C gives a sum of them; a NaN if one is.  Signed and unsigned do not mix, but
 * for constants.  Go: min, max. */
#define min(...) RT_CAT(RT_BEST, RT_NARGS(__VA_ARGS__))(false, __VA_ARGS__)
#define max(...) RT_CAT(RT_BEST, RT_NARGS(__VA_ARGS__))(true, __VA_ARGS__)
#define RT_BEST4(g, a, b, c, d) RT_BEST2(g, RT_BEST2(g, a, b), RT_BEST2(g, c, d))
#define RT_BEST3(g, a, b, c) RT_BEST2(g, RT_BEST2(g, a, b), c)
#define RT_BEST2(g, a, b) RT_BEST2_(g, a, b, RT_UNIQUE(rt_ba), RT_UNIQUE(rt_bb), RT_UNIQUE(rt_bv))
#define RT_BEST2_(g, a, b, x, y, v) \
	({ \
		__auto_type x = (a); \
		__auto_type y = (b); \
		_Static_assert(__builtin_classify_type(x) != RT_CLASS_INT || \
		               __builtin_classify_type(y) != RT_CLASS_INT || \
		               RT_IS_SIGNED(x) == RT_IS_SIGNED(y) || RT_IS_CONSTANT(a) || \
		               RT_IS_CONSTANT(b), "min, max: signed and unsigned"); \
		__typeof__(1 ? x : y) v[2] = { x, y }; \
		v[RT_ORDERED_OF(rt_best_, v[0])(v, 2, g)]; \
	})
#define RT_IS_SIGNED(x) \
	((__typeof__(__builtin_choose_expr(__builtin_classify_type(x) == RT_CLASS_INT, x, 0)))-1 < 1)
/* Whether x is an integer constant: only with (void *)0 is the other's type the result's. */
#define RT_IS_CONSTANT(x) \
	__builtin_types_compatible_p(int *, __typeof__(1 ? (void *)((intptr_t)__builtin_choose_expr( \
		__builtin_classify_type(x) == RT_CLASS_INT, x, 1) * 0) : (int *)0))

/* ---- internals ------------------------------------------------------------ */

typedef int rt_cmp_fn(const void *a, const void *b);

/* name ## what the elements of slice s are. */
#define RT_ORDERED(name, s) RT_ORDERED_OF(name, *(s).ptr)
#define RT_ORDERED_OF(name, x) \
	_Generic((x), _Bool: name##u8, char: name##i8, signed char: name##i8, unsigned char: name##u8, \
	         short: name##i16, unsigned short: name##u16, int: name##i32, unsigned: name##u32, \
	         long: name##i64, unsigned long: name##u64, long long: name##i64, \
	         unsigned long long: name##u64, float: name##f32, double: name##f64, string: name##str)
/* Declares rt_so, the slice, and rt_sc, the comparison with its type checked. */
#define RT_SORT_CMP(s, cmp) \
	__auto_type rt_so = (s); \
	int (*rt_sc)(const __typeof__(*rt_so.ptr) *, const __typeof__(*rt_so.ptr) *) = (cmp)

#define RT_SORT_DECLARE(k) \
	void rt_sort_##k(void *v, size_t n); \
	bool rt_is_sorted_##k(const void *v, size_t n); \
	bool rt_search_##k(const void *v, size_t n, const void *x, size_t *at); \
	size_t rt_best_##k(const void *v, size_t n, bool greatest);
RT_SORT_DECLARE(i8)
RT_SORT_DECLARE(u8)
RT_SORT_DECLARE(i16)
RT_SORT_DECLARE(u16)
RT_SORT_DECLARE(i32)
RT_SORT_DECLARE(u32)
RT_SORT_DECLARE(i64)
RT_SORT_DECLARE(u64)
RT_SORT_DECLARE(f32)
RT_SORT_DECLARE(f64)
RT_SORT_DECLARE(str)
void rt_sort_func(void *v, size_t n, size_t size, rt_cmp_fn *cmp);
void rt_sort_stable(void *v, size_t n, const struct rt_type *type, rt_cmp_fn *cmp);
bool rt_is_sorted_func(const void *v, size_t n, size_t size, rt_cmp_fn *cmp);
bool rt_search_func(const void *v, size_t n, size_t size, const void *x, rt_cmp_fn *cmp, size_t *at);

#endif
