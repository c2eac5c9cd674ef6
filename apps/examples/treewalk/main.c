/* Walking trees: two tasks send the values of two trees, in order, to be compared. */
#include "ingot.h"

typedef struct tree {
	struct tree *left, *right;
	int value;
} tree;

static tree *insert(tree *t, int v)
{
	if (!t)
		return new(tree, .value = v);
	if (v < t->value)
		t->left = insert(t->left, v);
	else
		t->right = insert(t->right, v);
	return t;
}

static tree *of(slice(int) values)
{
	tree *t = NULL;
	for_slice(i, v, values)
		t = insert(t, *v);
	return t;
}

static void walk(tree *t, chan(int) out)
{
	if (t) {
		walk(t->left, out);
		send(out, t->value);
		walk(t->right, out);
	}
}

static void walk_all(tree *t, chan(int) out)
{
	walk(t, out);
	close(out);
}

static bool same(tree *a, tree *b)
{
	chan(int) x = make_chan(int), y = make_chan(int);
	int w;
	go(walk_all, a, x);
	go(walk_all, b, y);
	for_recv(v, x)
		if (!recv(y, &w) || v != w)
			return false;
	return !recv(y, NULL);
}

int main(void)
{
	tree *t = of(slice_lit(int, 5, 3, 8, 1, 4));
	print_value(same(t, of(slice_lit(int, 1, 3, 4, 5, 8))));
	print_value(same(t, of(slice_lit(int, 1, 3, 4, 5, 9))));
	print_value(same(t, of(slice_lit(int, 1, 3))));
	return 0;
}
