/* An arena: many small objects of one request, all freed at once. */
#include "ingot.h"

typedef struct node {
	struct node *left, *right;
	int value;
} node;

static node *build(arena *a, int low, int high)
{
	if (low > high)
		return NULL;
	node *n = arena_alloc(a, node);
	n->value = (low + high) / 2;
	n->left = build(a, low, n->value - 1);
	n->right = build(a, n->value + 1, high);
	return n;
}

static int sum(node *n)
{
	if (!n)
		return 0;
	return sum(n->left) + n->value + sum(n->right);
}

int main(void)
{
	int total = 0;
	for (int request = 0; request < 100; request++) {
		arena *a = arena_new();
		total += sum(build(a, 1, 1000));
		arena_free(a);
	}
	println("%d", total);
	return 0;
}
