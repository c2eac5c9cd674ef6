/* panics.c: what defer and panic cost: a function that defers and returns, and
 * one that panics and recovers. */
#include "bench.h"

static int64 count;

static void add(int64 *to)
{
	++*to;
}

static __attribute__((noinline)) void one_defer(void)
{
	defer(add, &count);
}

static void defer_return(int64 n)
{
	for (int64 i = 0; i < n; i++)
		one_defer();
}

static void catch(void)
{
	recover();
}

static __attribute__((noinline)) void one_panic(void)
{
	defer(catch);
	panic("out");
}

static void panic_recover(int64 n)
{
	for (int64 i = 0; i < n; i++)
		one_panic();
}

/* Go has a value at hand, and so has this: no text is made. */
static __attribute__((noinline)) void one_panic_value(void)
{
	defer(catch);
	panic_value(&count, "count");
}

static void panic_recover_value(int64 n)
{
	for (int64 i = 0; i < n; i++)
		one_panic_value();
}

void bench_panics(void)
{
	micro("defer_return", defer_return);
	micro("panic_recover", panic_recover);
	micro("panic_recover_value", panic_recover_value);
}
