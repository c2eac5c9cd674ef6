/* Panic and recover: a deferred call ends a panic, of the program or of the runtime. */
#include "ingot.h"

typedef struct node {
	int value;
} node;

static void guard(string what)
{
	const panicked *p = recover();
	if (p)
		println("%s: recovered: %s", what, p->text);
}

static int element(slice(int) s, int i)
{
	defer(guard, S("element"));
	return at(s, i);
}

static int divide(int a, int b)
{
	defer(guard, S("divide"));
	return a / b;
}

static int value(node *n)
{
	defer(guard, S("value"));
	return n->value;
}

static void custom(int n)
{
	defer(guard, S("custom"));
	defer(print_string, S("still called during the panic\n"));
	if (n < 0)
		panic("negative: %d", n);
}

int main(void)
{
	slice(int) s = slice_lit(int, 1, 2, 3);
	int one = element(s, 1), other = element(s, 5);
	println("%d %d", one, other);
	one = divide(7, 2), other = divide(7, 0);
	println("%d %d", one, other);
	one = value(new(node, 4)), other = value(NULL);
	println("%d %d", one, other);
	custom(-1);
	return 0;
}
