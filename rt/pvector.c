/* pvector.c: vectors that never change (after Clojure's, Bagwell's tries).
 *
 * A tree of nodes with 32 pointers, over leaves of 32 elements; the last 1 to
 * 32 elements stand beside it in the tail, so that most pushes copy only that.
 * What is between root and a changed leaf is copied, the rest shared.
 *
 * Invariants: the tree holds a multiple of 32 elements; a leaf is full; a tail
 * has exactly the elements that remain, and at least one if n > 0; `shift` is 5
 * where the root's children are leaves.  Nothing is written after the call that
 * made it. */
#include "rt.h"
#include "api_value.h"
#include "type.h"
#include "api_persist.h"

enum { BITS = 5, WIDTH = 1 << BITS, MASK = WIDTH - 1 };

struct inner {
	void *kid[WIDTH]; /* inner nodes, or leaves: char * */
};

struct rt_pvector {
	size_t n;
	unsigned shift;
	struct inner *root; /* NULL while all is in the tail */
	char *tail;
	const struct rt_type *type;
};

/* Index of the tail's first element. */
static size_t tail_at(const struct rt_pvector *v)
{
	return v->n ? (v->n - 1) & ~(size_t)MASK : 0;
}

/* n elements: the first `copied` of them from `from`. */
static char *elements(const struct rt_type *t, size_t n, const void *from, size_t copied)
{
	char *p = rt_malloc(n * t->size, t);

	if (copied)
		memcpy(p, from, copied * t->size);
	return p;
}

static struct inner *inner_copy(const struct inner *from)
{
	struct inner *i = rt_malloc(sizeof *i, RT_TYPE(struct inner));

	if (from)
		*i = *from;
	return i;
}

static struct rt_pvector *with(const struct rt_pvector *v, size_t n, unsigned shift,
                               struct inner *root, char *tail)
{
	struct rt_pvector *r = rt_malloc(sizeof *r, RT_TYPE(struct rt_pvector));

	*r = (struct rt_pvector){ n, shift, root, tail, v->type };
	return r;
}

struct rt_pvector *rt_make_pvector(const struct rt_type *type)
{
	struct rt_pvector v = { .type = type };

	return with(&v, 0, BITS, NULL, NULL);
}

size_t rt_pvector_len(const struct rt_pvector *v)
{
	return v->n;
}

/* The leaf or tail with element i, which exists. */
static char *leaf_of(const struct rt_pvector *v, size_t i)
{
	void *p = v->root;

	if (i >= tail_at(v))
		return v->tail;
	for (unsigned s = v->shift; s > 0; s -= BITS)
		p = ((struct inner *)p)->kid[i >> s & MASK];
	return p;
}

static void check(const struct rt_pvector *v, size_t i)
{
	if (unlikely(i >= v->n))
		rt_panic_index(i, v->n, 0);
}

const void *rt_pvector_at(const struct rt_pvector *v, size_t i)
{
	check(v, i);
	return leaf_of(v, i) + (i & MASK) * v->type->size;
}

/* The tree with this leaf for element `at`: a new one, or one replaced. */
static struct inner *add_leaf(const struct inner *node, unsigned shift, size_t at, char *leaf)
{
	struct inner *r = inner_copy(node);
	void **kid = &r->kid[at >> shift & MASK];

	*kid = shift == BITS ? (void *)leaf : add_leaf(*kid, shift - BITS, at, leaf);
	return r;
}

struct rt_pvector *rt_pvector_push(struct rt_pvector *v, const void *x)
{
	size_t size = v->type->size, at = tail_at(v), have = v->n - at;
	unsigned shift = v->shift;
	struct inner *root = v->root;
	char *tail;

	if (have < WIDTH) {
		tail = elements(v->type, have + 1, v->tail, have);
		memcpy(tail + have * size, x, size);
		return with(v, v->n + 1, shift, root, tail);
	}
	/* The tail becomes a leaf; a full tree, the first child of a new root. */
	if (at >> shift == WIDTH) {
		struct inner *up = inner_copy(NULL);

		up->kid[0] = root;
		root = up;
		shift += BITS;
	}
	root = add_leaf(root, shift, at, v->tail);
	tail = elements(v->type, 1, x, 1);
	return with(v, v->n + 1, shift, root, tail);
}


struct rt_pvector *rt_pvector_set(struct rt_pvector *v, size_t i, const void *x)
{
	size_t size = v->type->size, at = tail_at(v), have = v->n - at;
	char *copy;

	check(v, i);
	copy = elements(v->type, i >= at ? have : WIDTH, leaf_of(v, i), i >= at ? have : WIDTH);
	memcpy(copy + (i & MASK) * size, x, size);
	if (i >= at)
		return with(v, v->n, v->shift, v->root, copy);
	return with(v, v->n, v->shift, add_leaf(v->root, v->shift, i, copy), v->tail);
}

/* The tree without the leaf of `at`, its last; NULL if that leaves nothing. */
static struct inner *drop_leaf(const struct inner *node, unsigned shift, size_t at)
{
	unsigned i = at >> shift & MASK;
	struct inner *kid = NULL, *r;

	if (shift > BITS)
		kid = drop_leaf(node->kid[i], shift - BITS, at);
	if (!kid && i == 0)
		return NULL;
	r = inner_copy(node);
	r->kid[i] = kid;
	return r;
}

struct rt_pvector *rt_pvector_pop(struct rt_pvector *v)
{
	size_t at = tail_at(v), have = v->n - at;
	unsigned shift = v->shift;
	struct inner *root;
	char *tail;

	if (v->n == 0)
		rt_panic_index((size_t)-1, 0, 0);
	if (v->n == 1)
		return rt_make_pvector(v->type);
	if (have > 1)
		return with(v, v->n - 1, shift, v->root, elements(v->type, have - 1, v->tail, have - 1));
	tail = leaf_of(v, at - 1);
	root = drop_leaf(v->root, shift, at - 1);
	if (shift > BITS && root && !root->kid[1]) {
		root = root->kid[0];
		shift -= BITS;
	}
	return with(v, v->n - 1, root ? shift : BITS, root, tail);
}

/* ---- whole vectors --------------------------------------------------------------- */

struct rt_pvector *rt_pvector_from(const struct rt_type *type, const void *from, size_t n)
{
	struct rt_pvector *v = rt_make_pvector(type);
	const char *p = from;

	for (size_t i = 0; i < n; i += WIDTH, p += WIDTH * type->size) {
		size_t k = n - i < WIDTH ? n - i : WIDTH;

		if (v->n) {
			/* Its tail is full: one push makes it a leaf. */
			v = rt_pvector_push(v, p);
			v->tail = elements(type, k, p, k);
			v->n += k - 1;
		} else {
			v = with(v, k, BITS, NULL, elements(type, k, p, k));
		}
	}
	return v;
}

void rt_pvector_copy(const struct rt_pvector *v, void *to)
{
	for (size_t i = 0; i < v->n; i += WIDTH) {
		size_t k = v->n - i < WIDTH ? v->n - i : WIDTH;

		memcpy((char *)to + i * v->type->size, leaf_of(v, i), k * v->type->size);
	}
}

bool rt_pvector_next(struct rt_pvector_iter *it)
{
	if (it->broke || it->i >= it->v->n)
		return false;
	it->p = it->i & MASK ? (const char *)it->p + it->v->type->size : leaf_of(it->v, it->i);
	it->i++;
	it->run = it->broke = true;
	return true;
}
