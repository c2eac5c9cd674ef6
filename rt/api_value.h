/* api_value.h: the values of the public header: basic types, slices, and what
 * works on every kind of value (len, cap, copy, slice_of).  The rest of package
 * slices follows in api_slices.h, strings, maps and defer/panic in api_string.h,
 * api_map.h and api_defer.h.
 *
 * C has no generics for structures passed by value, so slice(T) names
 * struct slice_T, declared once per element type by declare_slice(T);
 * (T is one word: give a pointer type a typedef).  The basic types are
 * declared below.  A slice is three words {ptr, len, cap} that share their
 * array with whoever copied them, exactly as in Go; the zero value is the
 * nil slice.
 *
 * Rules that hold for every macro of ingot.h: no argument is evaluated
 * twice; a value of the wrong type does not compile; misuse at run time is a
 * panic in Go's words. */
#ifndef INGOT_API_VALUE_H
#define INGOT_API_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "type.h"

/* A wrong pointer or integer type is an error in Go; make it one here. */
#pragma GCC diagnostic error "-Wint-conversion"
#pragma GCC diagnostic error "-Wincompatible-pointer-types"

/* ---- basic types, Go's names -------------------------------------------- */

/* An integer of 8 bits. */
typedef unsigned char byte;
typedef int32_t rune; /* a Unicode code point */
/* Integers; int has 32 bits, as in C. */
typedef unsigned int uint;
typedef int8_t int8;
typedef int16_t int16;
typedef int32_t int32;
typedef int64_t int64;
typedef uint8_t uint8;
typedef uint16_t uint16;
typedef uint32_t uint32;
typedef uint64_t uint64;
/* Floating-point numbers. */
typedef float float32;
typedef double float64;

/* Immutable bytes, UTF-8 by convention; need not end in NUL.  Go: string. */
typedef struct string {
	const char *ptr;
	size_t len;
} string;

/* ---- internals of the macros ----------------------------------------------- */

#define rt_likely(x) __builtin_expect(!!(x), 1)
#define rt_unlikely(x) __builtin_expect(!!(x), 0)
#define RT_CAT(a, b) RT_CAT_(a, b)
#define RT_CAT_(a, b) a##b
#define RT_UNIQUE(name) RT_CAT(name, __COUNTER__)
#define RT_SECOND(a, b, ...) b
/* Number of arguments, 0..16. */
#define RT_NARGS(...) \
	RT_NARGS_(0, ##__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define RT_NARGS_(z, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, count, ...) count
/* RT_EACH(F, c, x, y...): F(c, 0, x) F(c, 1, y) ..., up to 16.  (No ##, which would keep the
 * arguments from being expanded before RT_EACH itself: they may use it, as sprint does.) */
#define RT_EACH(F, c, ...) RT_CAT(RT_EACH, RT_NARGS(__VA_ARGS__))(F, c __VA_OPT__(,) __VA_ARGS__)
#define RT_EACH0(F, c)
#define RT_EACH1(F, c, x) F(c, 0, x)
#define RT_EACH2(F, c, x, y) RT_EACH1(F, c, x) F(c, 1, y)
#define RT_EACH3(F, c, x, y, z) RT_EACH2(F, c, x, y) F(c, 2, z)
#define RT_EACH4(F, c, x, y, z, a4) RT_EACH3(F, c, x, y, z) F(c, 3, a4)
#define RT_EACH5(F, c, x, y, z, a4, a5) RT_EACH4(F, c, x, y, z, a4) F(c, 4, a5)
#define RT_EACH6(F, c, x, y, z, a4, a5, a6) RT_EACH5(F, c, x, y, z, a4, a5) F(c, 5, a6)
#define RT_EACH7(F, c, x, y, z, a4, a5, a6, a7) RT_EACH6(F, c, x, y, z, a4, a5, a6) F(c, 6, a7)
#define RT_EACH8(F, c, x, y, z, a4, a5, a6, a7, a8) \
	RT_EACH7(F, c, x, y, z, a4, a5, a6, a7) F(c, 7, a8)
#define RT_EACH9(F, c, x, y, z, a4, a5, a6, a7, a8, a9) \
	RT_EACH8(F, c, x, y, z, a4, a5, a6, a7, a8) F(c, 8, a9)
#define RT_EACH10(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10) \
	RT_EACH9(F, c, x, y, z, a4, a5, a6, a7, a8, a9) F(c, 9, a10)
#define RT_EACH11(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11) \
	RT_EACH10(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10) F(c, 10, a11)
#define RT_EACH12(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12) \
	RT_EACH11(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11) F(c, 11, a12)
#define RT_EACH13(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) \
	RT_EACH12(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12) F(c, 12, a13)
#define RT_EACH14(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) \
	RT_EACH13(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) F(c, 13, a14)
#define RT_EACH15(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15) \
	RT_EACH14(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) F(c, 14, a15)
#define RT_EACH16(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16) \
	RT_EACH15(F, c, x, y, z, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15) F(c, 15, a16)

/* A call kept for later, of go and defer: declares rt_call_v, a block of the
 * function and its arguments, evaluated here and once, and rt_call_thunk,
 * which makes the call from such a block and then does `after`.  The call in
 * the thunk is what checks the arguments against f.  The thunk is a nested
 * function that captures nothing, so it is an ordinary one. */
#define RT_CALL(after, f, ...) \
	__auto_type rt_call_f = &*(f); \
	RT_EACH(RT_CALL_EVAL, , ##__VA_ARGS__) \
	struct rt_call_block { \
		__typeof__(rt_call_f) fn; \
		RT_EACH(RT_CALL_FIELD, , ##__VA_ARGS__) \
	}; \
	void rt_call_thunk(void *rt_call_p) \
	{ \
		struct rt_call_block *rt_call_q = rt_call_p; \
		rt_call_q->fn(RT_EACH(RT_CALL_ARG, , ##__VA_ARGS__)); \
		after \
	} \
	struct rt_call_block rt_call_v = { .fn = rt_call_f, RT_EACH(RT_CALL_INIT, , ##__VA_ARGS__) };
#define RT_CALL_EVAL(c, i, x) __auto_type rt_call_a##i = (x);
#define RT_CALL_FIELD(c, i, x) __typeof__(rt_call_a##i) a##i;
#define RT_CALL_INIT(c, i, x) .a##i = rt_call_a##i,
#define RT_CALL_ARG(c, i, x) RT_COMMA##i rt_call_q->a##i
#define RT_COMMA0
#define RT_COMMA1 ,
#define RT_COMMA2 ,
#define RT_COMMA3 ,
#define RT_COMMA4 ,
#define RT_COMMA5 ,
#define RT_COMMA6 ,
#define RT_COMMA7 ,
#define RT_COMMA8 ,
#define RT_COMMA9 ,
#define RT_COMMA10 ,
#define RT_COMMA11 ,
#define RT_COMMA12 ,
#define RT_COMMA13 ,
#define RT_COMMA14 ,
#define RT_COMMA15 ,

/* __builtin_classify_type's answers. */
#define RT_CLASS_INT 1
#define RT_CLASS_POINTER 5
#define RT_CLASS_REAL 8
#define RT_CLASS_RECORD 12

/* x, to become a T: C converts it, but not silently from floating point or a
 * pointer to an integer. */
#define RT_CONV(T, x) \
	({ \
		__auto_type rt_conv = (x); \
		_Static_assert(!(__builtin_classify_type(rt_conv) == RT_CLASS_REAL && \
		                 __builtin_classify_type(*(__typeof__(T) *)0) == RT_CLASS_INT), \
		               "floating-point value for an integer"); \
		_Static_assert(!(__builtin_classify_type(rt_conv) == RT_CLASS_POINTER && \
		                 __builtin_classify_type(*(__typeof__(T) *)0) == RT_CLASS_INT), \
		               "pointer for an integer"); \
		rt_conv; \
	})

/* x as an element of an initialiser, where a value that is no T would otherwise be
 * taken for its first member. */
#define RT_ELEMENT(T, i, x) ({ T rt_element = (x); rt_element; }),

/* An index or bound: an integer.  RT_UNSIGNED(x, flag): the flag if its type has
 * no negative values, for the text of a panic. */
#define RT_CHECK_INDEX(x) \
	_Static_assert(__builtin_classify_type(x) == RT_CLASS_INT, "an index must be an integer")
#define RT_UNSIGNED(x, flag) ((__typeof__(x))-1 < (__typeof__(x))1 ? 0 : (flag))

/* Byte types have no pointers; everything else gets a descriptor. */
struct rt_slice {
	void *ptr;
	size_t len, cap;
};
typedef size_t __attribute__((may_alias)) rt_size_alias;
typedef void *__attribute__((may_alias)) rt_ptr_alias;

void *rt_malloc(size_t size, const struct rt_type *type);
extern const struct rt_type rt_type_noscan;
void *rt_makeslice(int64_t len, int64_t cap, size_t size, const struct rt_type *type);
void rt_growslice(struct rt_slice *s, size_t add, size_t size, const struct rt_type *type);
_Noreturn void rt_panic_index(size_t i, size_t len, int is_unsigned) __attribute__((cold));
_Noreturn void rt_panic_slice(size_t i, size_t j, size_t k, size_t cap, int form) __attribute__((cold));

/* ---- slices -------------------------------------------------------------------- */

/* The type []T. */
#define slice(T) struct slice_##T
/* Declares slice(T), once per element type, at file level. */
#define declare_slice(T) \
	struct slice_##T { \
		T *ptr; \
		size_t len, cap; \
	}

declare_slice(bool);
declare_slice(char);
declare_slice(short);
declare_slice(int);
declare_slice(long);
declare_slice(byte);
declare_slice(rune);
declare_slice(uint);
declare_slice(int8);
declare_slice(int16);
declare_slice(int32);
declare_slice(int64);
declare_slice(uint8);
declare_slice(uint16);
declare_slice(uint32);
declare_slice(uint64);
declare_slice(size_t);
declare_slice(float);
declare_slice(double);
declare_slice(float32);
declare_slice(float64);
declare_slice(string);

/* make_slice(T, len[, cap]): a slice of zeroed elements.  Panics when len or
 * cap is negative, out of range or len > cap.  task.  Go: make([]T, len, cap). */
#define make_slice(T, n, ...) \
	({ \
		int64_t rt_ml = (int64_t)RT_CONV(int64_t, n); \
		int64_t rt_mc = (int64_t)RT_CONV(int64_t, RT_SECOND(0, ##__VA_ARGS__, rt_ml, 0)); \
		struct slice_##T rt_ms; \
		rt_ms.ptr = rt_makeslice(rt_ml, rt_mc, sizeof(T), RT_TYPE(T)); \
		rt_ms.len = (size_t)rt_ml; \
		rt_ms.cap = (size_t)rt_mc; \
		rt_ms; \
	})

/* slice_lit(T, v...): a new slice of these values, without room for more.  Go: []T{v...}. */
#define slice_lit(T, ...) \
	({ \
		struct slice_##T rt_sl = append((struct slice_##T){}, __VA_ARGS__); \
		rt_sl.cap = rt_sl.len; \
		rt_sl; \
	})

/* append(s, v...): s with the values added behind its length, in place if the
 * capacity allows, else in a new array of Go's growth.  1 to 16 values.
 * Returns the new slice: s = append(s, v).  task. */
#define append(s, ...) \
	({ \
		__auto_type rt_as = (s); \
		__typeof__(*rt_as.ptr) rt_av[RT_NARGS(__VA_ARGS__)]; \
		RT_EACH(RT_APPEND_EVAL, rt_av, __VA_ARGS__) \
		if (rt_unlikely(rt_as.cap - rt_as.len < RT_NARGS(__VA_ARGS__))) { \
			struct rt_slice rt_ag = { rt_as.ptr, rt_as.len, rt_as.cap }; \
			rt_growslice(&rt_ag, RT_NARGS(__VA_ARGS__), sizeof *rt_as.ptr, \
			             RT_TYPE(__typeof__(*rt_as.ptr))); \
			rt_as.ptr = rt_ag.ptr; \
			rt_as.cap = rt_ag.cap; \
		} \
		__typeof__(rt_as.ptr) rt_ae = rt_as.ptr + rt_as.len; \
		RT_EACH(RT_APPEND_STORE, rt_ae, __VA_ARGS__) \
		rt_as.len += RT_NARGS(__VA_ARGS__); \
		rt_as; \
	})
#define RT_APPEND_EVAL(v, i, x) v[i] = RT_CONV(__typeof__(v[0]), x);
#define RT_APPEND_STORE(e, i, x) e[i] = rt_av[i];

/* append_slice(s, t): s with the elements of t (a slice of the same element
 * type, or a string for slices of bytes) added.  task.  Go: append(s, t...). */
#define append_slice(s, t) \
	({ \
		__auto_type rt_as = (s); \
		__auto_type rt_at = (t); \
		_Static_assert(RT_SAME_ELEM(rt_as.ptr, rt_at.ptr), "append_slice: element types differ"); \
		if (rt_unlikely(rt_as.cap - rt_as.len < rt_at.len)) { \
			struct rt_slice rt_ag = { rt_as.ptr, rt_as.len, rt_as.cap }; \
			rt_growslice(&rt_ag, rt_at.len, sizeof *rt_as.ptr, RT_TYPE(__typeof__(*rt_as.ptr))); \
			rt_as.ptr = rt_ag.ptr; \
			rt_as.cap = rt_ag.cap; \
		} \
		if (rt_at.len) \
			__builtin_memmove(rt_as.ptr + rt_as.len, rt_at.ptr, rt_at.len * sizeof *rt_as.ptr); \
		rt_as.len += rt_at.len; \
		rt_as; \
	})

/* The same element type; all one-byte character types count as one. */
#define RT_SAME_ELEM(p, q) \
	(__builtin_types_compatible_p(__typeof__(*(p)), __typeof__(*(q))) || \
	 (RT_IS_CHAR(p) && RT_IS_CHAR(q)))
#define RT_IS_CHAR(p) \
	(__builtin_types_compatible_p(__typeof__(*(p)), char) || \
	 __builtin_types_compatible_p(__typeof__(*(p)), unsigned char))

/* copy(d, s): copies min(len(d), len(s)) elements, which may overlap, and
 * returns how many.  s may be a string for slices of bytes.  any. */
#define copy(d, s) \
	({ \
		__auto_type rt_cd = (d); \
		__auto_type rt_cs = (s); \
		_Static_assert(RT_SAME_ELEM(rt_cd.ptr, rt_cs.ptr), "copy: element types differ"); \
		size_t rt_cn = rt_cd.len < rt_cs.len ? rt_cd.len : rt_cs.len; \
		if (rt_cn) \
			__builtin_memmove(rt_cd.ptr, rt_cs.ptr, rt_cn * sizeof *rt_cd.ptr); \
		rt_cn; \
	})

/* len(x), cap(x): of a slice, a string (len only), a map (len only) or a
 * channel, as size_t; 0 for nil.  any.  Slices and strings are records; maps
 * and channels are pointers to functions of one pointer, which tells them
 * apart (api_map.h, api_task.h). */
#define len(x) \
	({ \
		__auto_type rt_lx = (x); \
		RT_CHECK_CONTAINER(rt_lx); \
		__builtin_classify_type(rt_lx) == RT_CLASS_RECORD ? ((rt_size_alias *)&rt_lx)[1] \
			: RT_IS_CHAN(rt_lx) ? rt_chan_len(*(struct hchan **)&rt_lx) \
			: rt_map_len(*(struct rt_map **)&rt_lx); \
	})
#define cap(x) \
	({ \
		__auto_type rt_lx = (x); \
		RT_CHECK_CONTAINER(rt_lx); \
		_Static_assert(__builtin_classify_type(rt_lx) == RT_CLASS_RECORD \
			? sizeof rt_lx == sizeof(struct rt_slice) : RT_IS_CHAN(rt_lx), \
			"cap: for slices and channels"); \
		__builtin_classify_type(rt_lx) == RT_CLASS_RECORD \
			? ((rt_size_alias *)&rt_lx)[sizeof rt_lx / sizeof(size_t) - 1] \
			: rt_chan_cap(*(struct hchan **)&rt_lx); \
	})
/* Only of a pointer to a function does **p exist and equal *p. */
#define RT_CHECK_CONTAINER(x) \
	_Static_assert((__builtin_classify_type(x) == RT_CLASS_RECORD && \
	                (sizeof(x) == sizeof(string) || sizeof(x) == sizeof(struct rt_slice))) || \
	               __builtin_types_compatible_p(__typeof__(&**RT_POINTER_OF(x)), __typeof__(x)), \
	               "not a slice, string, map or channel")
#define RT_POINTER_OF(x) \
	__builtin_choose_expr(__builtin_classify_type(x) == RT_CLASS_RECORD, (void (*)(void *))0, (x))
#define RT_IS_CHAN(x) \
	__builtin_types_compatible_p(__typeof__(RT_POINTER_OF(x)), \
	                             __typeof__(RT_POINTER_OF(x)(0)) (*)(struct hchan *))
struct hchan;
struct rt_map;
size_t rt_chan_len(struct hchan *c);
size_t rt_chan_cap(struct hchan *c);
size_t rt_map_len(const struct rt_map *m);

/* at(s, i): the element as an lvalue, for slices, and the byte of a string.
 * Panics "index out of range" in all builds.  any.  Go: s[i].  A hot loop that
 * has checked its bounds itself says s.ptr[i], which is not checked; for_slice
 * needs no check. */
#define at(s, i) \
	(*({ \
		__auto_type rt_ts = (s); \
		__auto_type rt_tn = (i) + 0; \
		RT_CHECK_INDEX(rt_tn); \
		size_t rt_ti = (size_t)rt_tn; \
		if (rt_unlikely(rt_ti >= rt_ts.len)) \
			rt_panic_index(rt_ti, rt_ts.len, RT_UNSIGNED(rt_tn, 1)); \
		&rt_ts.ptr[rt_ti]; \
	}))

/* slice_of(s, i, j), slice_from(s, i), slice_to(s, j): the part of a slice or
 * a string, sharing it; slice_of3(s, i, j, k) also sets the capacity to k - i.
 * Panics "slice bounds out of range".  any.  Go: s[i:j], s[i:], s[:j], s[i:j:k]. */
#define slice_of(s, i, j) \
	({ \
		__auto_type rt_ss = (s); \
		__auto_type rt_si = (i) + 0; \
		__auto_type rt_sj = (j) + 0; \
		RT_CHECK_INDEX(rt_si); \
		RT_CHECK_INDEX(rt_sj); \
		rt_slice_cut(&rt_ss, sizeof rt_ss, sizeof *rt_ss.ptr, (size_t)rt_si, (size_t)rt_sj, 0, \
		             2 | RT_UNSIGNED(rt_si, 8) | RT_UNSIGNED(rt_sj, 16)); \
		rt_ss; \
	})
#define slice_from(s, i) \
	({ \
		__auto_type rt_ss = (s); \
		__auto_type rt_si = (i) + 0; \
		RT_CHECK_INDEX(rt_si); \
		rt_slice_cut(&rt_ss, sizeof rt_ss, sizeof *rt_ss.ptr, (size_t)rt_si, rt_ss.len, 0, \
		             1 | RT_UNSIGNED(rt_si, 8)); \
		rt_ss; \
	})
#define slice_to(s, j) slice_of(s, 0, j)
#define slice_of3(s, i, j, k) \
	({ \
		__auto_type rt_ss = (s); \
		__auto_type rt_si = (i) + 0; \
		__auto_type rt_sj = (j) + 0; \
		__auto_type rt_sk = (k) + 0; \
		_Static_assert(sizeof rt_ss != sizeof(string), "slice_of3: not for strings"); \
		RT_CHECK_INDEX(rt_si); \
		RT_CHECK_INDEX(rt_sj); \
		RT_CHECK_INDEX(rt_sk); \
		rt_slice_cut(&rt_ss, sizeof rt_ss, sizeof *rt_ss.ptr, (size_t)rt_si, (size_t)rt_sj, (size_t)rt_sk, \
		             3 | RT_UNSIGNED(rt_si, 8) | RT_UNSIGNED(rt_sj, 16) | RT_UNSIGNED(rt_sk, 32)); \
		rt_ss; \
	})

/* The cut itself, on a slice or string whose type the compiler knows.  An
 * empty rest keeps its base, so that no pointer is past the object's end
 * (where it would keep the next object alive). */
static inline __attribute__((always_inline)) void
rt_slice_cut(void *s, size_t ssize, size_t esize, size_t i, size_t j, size_t k, int form)
{
	rt_size_alias *w = s;
	bool is_string = ssize == sizeof(string);
	size_t room = is_string ? w[1] : w[2];
	size_t end = (form & 3) == 3 ? k : room;

	if (rt_unlikely(end > room || j > end || i > j))
		rt_panic_slice(i, j, k, room, is_string ? form + 4 : form);
	w[1] = j - i;
	if (!is_string)
		w[2] = end - i;
	if (is_string ? j != i : end != i)
		w[0] += i * esize;
}

/* slice_from_array(T, p, n): the n elements at p as a slice that shares them; a C
 * array, for example.  any.  Go: p[:n:n].  The other way, s.ptr is a C array of
 * s.len elements, and slice_to_array(a, s) copies the first of them into all of
 * the array a; panics when s is too short.  Go: [N]T(s). */
#define slice_from_array(T, p, n) \
	({ \
		T *rt_fp = (p); \
		size_t rt_fn = (n); \
		(struct slice_##T){ rt_fp, rt_fn, rt_fn }; \
	})
#define slice_to_array(a, s) \
	({ \
		__typeof__(a) *rt_ta = &(a); \
		__auto_type rt_ts = (s); \
		_Static_assert(!__builtin_types_compatible_p(__typeof__(a), __typeof__(&(*rt_ta)[0])), \
		               "slice_to_array: not an array"); \
		_Static_assert(__builtin_types_compatible_p(__typeof__((*rt_ta)[0]), __typeof__(*rt_ts.ptr)), \
		               "slice_to_array: element types differ"); \
		size_t rt_tn = sizeof *rt_ta / sizeof(*rt_ta)[0]; \
		if (rt_unlikely(rt_ts.len < rt_tn)) \
			rt_panic_to_array(rt_ts.len, rt_tn); \
		__builtin_memmove(*rt_ta, rt_ts.ptr, sizeof *rt_ta); \
	})
_Noreturn void rt_panic_to_array(size_t have, size_t want) __attribute__((cold));

/* for_slice(i, p, s): for each index i (size_t), with p pointing to s's
 * element.  Go: for i := range s. */
#define for_slice(i, p, s) RT_FOR_SLICE(i, p, s, RT_UNIQUE(rt_fs))
#define RT_FOR_SLICE(i, p, s, t) \
	for (__auto_type t = (s); t.cap != (size_t)-1; t.cap = (size_t)-1) \
		for (__typeof__(t.ptr) p __attribute__((unused)) = t.ptr; t.cap != (size_t)-1; t.cap = (size_t)-1) \
			for (size_t i __attribute__((unused)) = 0; i < t.len && (p = t.ptr + i, true); i++)

/* ---- the machine (boot.c) ---------------------------------------------------------- */

/* Bytes of memory of the machine.  any. */
size_t memory_total(void);

/* A file handed over at boot (FILE=).  Its bytes are read-only and stay for ever. */
struct boot_file {
	string name;
	slice(byte) data;
};
/* How many there are; the i-th, which panics when i is not less.  any. */
unsigned boot_files(void);
struct boot_file boot_file(unsigned i);

#include "api_error.h"
#include "api_format.h"
#include "api_string.h"
#include "api_unicode.h"
#include "api_strconv.h"
#include "api_slices.h"
#include "api_map.h"
#include "api_defer.h"

#endif
