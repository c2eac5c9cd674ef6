/* api_format.h: formatting into strings and onto the console (part of ingot.h).
 *
 * C's printf formats, which the compiler checks against the arguments, and in
 * addition a string or an error as the argument of %s, all its bytes, with
 * width and precision in bytes: println("%-10s %d", name, n).  An error prints
 * its text, NULL "<nil>".  Up to 16 arguments; no positional ones (%1$d) beside
 * a string.  All for tasks.  Go's %v, for any value, is fmt_v(x) in api_reflect.h.
 *
 *	print(fmt, ...)      to the console, in one piece         fmt.Printf
 *	println(fmt, ...)    with a newline; fmt is a literal     fmt.Printf(fmt + "\n")
 *	sprint(fmt, ...)     a new string                         fmt.Sprintf
 *	errorf(fmt, ...)     a new error (api_error.h)            fmt.Errorf
 *	builder_printf(b, fmt, ...), buffer_printf, io_printf: to what they name */
#ifndef INGOT_API_FORMAT_H
#define INGOT_API_FORMAT_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif
#include <stdarg.h>

#pragma GCC diagnostic error "-Wformat"

/* Each argument once, in order, into a variable. */
#define RT_FMT_EVALS(...) RT_EACH(RT_FMT_EVAL, , ##__VA_ARGS__)
#define RT_FMT_EVAL(c, i, x) __auto_type rt_fa##i = (x);
/* What the arguments are that C's formats do not know, two bits for each. */
#define RT_FMT_KINDS(...) (0u RT_EACH(RT_FMT_KIND, , ##__VA_ARGS__))
#define RT_FMT_KIND(c, i, x) \
	| (unsigned)_Generic(rt_fa##i, string: RT_FMT_STRING, error: RT_FMT_ERROR, \
	                     struct rt_wrapped: RT_FMT_WRAPPED, default: RT_FMT_PLAIN) << 2 * i
enum { RT_FMT_PLAIN, RT_FMT_STRING, RT_FMT_ERROR, RT_FMT_WRAPPED };
/* Those by address, as a char * that only %s takes; the rest as they are. */
#define RT_FMT_ARGS(...) RT_EACH(RT_FMT_ARG, , ##__VA_ARGS__)
#define RT_FMT_ARG(c, i, x) \
	, _Generic(rt_fa##i, string: (const char *)&rt_fa##i, error: (const char *)&rt_fa##i, \
	           struct rt_wrapped: (const char *)&rt_fa##i, default: rt_fa##i)

/* print(fmt, ...): to the console, in one piece; println with a newline behind it, where
 * fmt is a literal.  Go: fmt.Printf. */
#define print(fmt, ...) \
	({ \
		RT_FMT_EVALS(__VA_ARGS__) \
		__builtin_choose_expr(RT_FMT_KINDS(__VA_ARGS__) == 0, rt_print_plain, rt_print) \
			(RT_FMT_KINDS(__VA_ARGS__), fmt RT_FMT_ARGS(__VA_ARGS__)); \
	})
#define println(fmt, ...) print(fmt "\n", ##__VA_ARGS__)
/* sprint(fmt, ...): the text as a new string.  Go: fmt.Sprintf. */
#define sprint(fmt, ...) \
	({ \
		RT_FMT_EVALS(__VA_ARGS__) \
		rt_sprint(RT_FMT_KINDS(__VA_ARGS__), fmt RT_FMT_ARGS(__VA_ARGS__)); \
	})
void rt_print_plain(unsigned none, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rt_print(unsigned kinds, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
string rt_sprint(unsigned kinds, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
string rt_vsprint(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
/* All bytes of s to the console. */
void print_string(string s);

/* For functions like these: the formatted text behind b, and the errors of
 * errors_wrap() behind *wrapped, unless that is NULL.  task. */
struct builder;
void rt_vformat(struct builder *b, slice(error) *wrapped, unsigned kinds, const char *fmt, va_list ap);

#endif
