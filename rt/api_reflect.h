/* api_reflect.h: types at run time (part of ingot.h): any value as text, values
 * compared in depth, panics that carry any value.
 *
 * Go's rules for %v, %+v and reflect.DeepEqual; an error prints its text.  What C has
 * and Go has not:
 *   char          a character: 'a'; arrays of char, char * and const char *: the
 *                 text up to the NUL (a NULL pointer: <nil>).  Use byte for numbers
 *   enum          its name, or colour(7) when no name has that value
 *   union         its bytes in hexadecimal, compared as bytes
 *   void *        an address, compared as such
 *   functions     an address; equal only if both are NULL, as in Go
 * Errors are deeply equal when they are of one type and have the same text.
 * A variable keeps the name of its typedef; the result of a cast or of arithmetic
 * has none, in C (gcc): celsius t = 5; panic_any(t) carries a celsius.  Only what a
 * program prints or compares has its description in the image.  An argument may
 * be an array or a bit-field promoted by +; it must not be a VLA.  All are for
 * tasks; a pointer that leads nowhere is the usual panic. */
#ifndef INGOT_API_REFLECT_H
#define INGOT_API_REFLECT_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif
#include "typeinfo.h"

/* v is x evaluated: an array became a pointer, nothing else changed its type.  (A
 * struct without a name that x itself declares is another type each time.) */
#define RT_IS_ARRAY(x, v) \
	(__builtin_classify_type(v) == RT_CLASS_POINTER && \
	 !__builtin_types_compatible_p(__typeof__(x), __typeof__(v)))
#define RT_CHECK_NAMED(x, v) \
	_Static_assert(__builtin_classify_type(v) != RT_CLASS_POINTER || \
	               __builtin_types_compatible_p(__typeof__(x), __typeof__(x)), \
	               "give the struct that this points to a name")
/* F(info, address of the value, more...): x evaluated once. */
#define RT_WITH_VALUE(F, x, ...) \
	({ \
		__auto_type rt_wv = (x); \
		const void *rt_wp = &rt_wv; \
		RT_CHECK_NAMED(x, rt_wv); \
		if (RT_IS_ARRAY(x, rt_wv)) \
			rt_wp = *(const void *const *)rt_wp; \
		F(RT_INFO(__typeof__(x)), rt_wp, ##__VA_ARGS__); \
	})

/* fmt_v(x): x as text, {1 two [3 4]}; a pointer to a struct, array, slice or map
 * as &{...}, other pointers, and those inside, as addresses.  What contains itself
 * is cut: <cycle>.  A new string.  Go: fmt.Sprint(x), %v.
 * fmt_plus_v(x): with the names of members, {a:1 b:two c:[3 4]}.  Go: %+v.
 * fmt_t(x): the type, in Go's notation, "[]int".  No allocation.  Go: %T. */
#define fmt_v(x) RT_WITH_VALUE(rt_fmt_value, x, false)
#define fmt_plus_v(x) RT_WITH_VALUE(rt_fmt_value, x, true)
#define fmt_t(x) rt_fmt_type(RT_INFO(__typeof__(x)))
string rt_fmt_value(const struct rt_info_ref *type, const void *p, bool plus);
string rt_fmt_type(const struct rt_info_ref *type);

/* print_value(x): fmt_v(x) and a newline to the console.  Go: fmt.Println(x). */
#define print_value(x) RT_WITH_VALUE(rt_print_value, x)
void rt_print_value(const struct rt_info_ref *type, const void *p);

/* deep_equal(a, b): both of one type.  Numbers and strings by value (NaN is unlike
 * itself), structs and arrays by their parts, slices and maps by their elements,
 * where nil and empty differ; pointers are equal when they are the same or what
 * they point to is deeply equal.  Cycles end.  Go: reflect.DeepEqual. */
#define deep_equal(a, b) \
	({ \
		__auto_type rt_da = (a); \
		__auto_type rt_db = (b); \
		_Static_assert(__builtin_types_compatible_p(__typeof__(rt_da), __typeof__(rt_db)) && \
		               sizeof(a) == sizeof(b), \
		               "deep_equal: the types differ"); \
		const void *rt_dp = &rt_da, *rt_dq = &rt_db; \
		RT_CHECK_NAMED(a, rt_da); \
		if (RT_IS_ARRAY(a, rt_da)) { \
			rt_dp = *(const void *const *)rt_dp; \
			rt_dq = *(const void *const *)rt_dq; \
		} \
		rt_deep_equal(RT_INFO(__typeof__(a)), rt_dp, rt_dq); \
	})
bool rt_deep_equal(const struct rt_info_ref *type, const void *a, const void *b);

/* panic_any(x): a panic that carries a copy of x with its type.  The report prints
 * numbers and strings as they are, of other types "(point) {x:1 y:2}".  Go: panic(x).
 * panicked_as(p, T): what recover() returned carries a T: a pointer to it, else
 * NULL.  Go: v, ok := r.(T). */
#define panic_any(x) RT_WITH_VALUE(rt_panic_any, x)
#define panicked_as(p, T) ((__typeof__(T) *)rt_panicked_as((p), RT_INFO(T)))
_Noreturn void rt_panic_any(const struct rt_info_ref *type, const void *p) __attribute__((cold));
void *rt_panicked_as(const panicked *p, const struct rt_info_ref *type);

#endif
