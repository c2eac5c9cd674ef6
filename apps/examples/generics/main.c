/* Generic code: macros for slices of any type, and a stack of any type. */
#include "ingot.h"

#define mapped(U, s, f) \
	({ \
		slice(U) out = {}; \
		for_slice(i, v, s) \
			out = append(out, f(*v)); \
		out; \
	})

#define sum(s) \
	({ \
		__typeof__(*(s).ptr) total = 0; \
		for_slice(i, v, s) \
			total += *v; \
		total; \
	})

#define stack(T) slice(T)
#define push(s, v) (*(s) = append(*(s), v))
#define pop(s) \
	({ \
		__auto_type v = at(*(s), len(*(s)) - 1); \
		*(s) = slice_to(*(s), len(*(s)) - 1); \
		v; \
	})

static double half(int n)
{
	return n / 2.0;
}

static string word(int n)
{
	return (string[]){ S("zero"), S("one"), S("two"), S("three") }[n];
}

int main(void)
{
	slice(int) numbers = slice_lit(int, 1, 2, 3);
	println("%s %s", fmt_v(mapped(double, numbers, half)), fmt_v(mapped(string, numbers, word)));
	println("%d %g", sum(numbers), sum(mapped(double, numbers, half)));
	stack(string) words = {};
	for_slice(i, w, mapped(string, numbers, word))
		push(&words, *w);
	string top = pop(&words), next = pop(&words);
	println("%s %s %zu", top, next, len(words));
	return 0;
}
