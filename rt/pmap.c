/* pmap.c: maps that never change: hash array mapped tries (Bagwell 2000, in the
 * form of Steindorfer and Vinju's "Optimizing Hash-Array Mapped Tries", 2015).
 *
 * A node uses 5 bits of the hash: each of its 32 places is empty, an entry (bit
 * in `data`, its slot in `slots`) or a child (bit in `nodes`, in `kids`); both
 * arrays have exactly as many as bits are set.  When the hash is used up, keys
 * stand in a list: then `data` is their number.  What is between the root and a
 * change is copied, the rest shared.
 *
 * Invariants: no node but the root is empty, none but it has one entry and
 * nothing else (it would stand in its parent): so equal contents have equal
 * shapes.  Nothing is written after the call that made it. */
#include "rt.h"
#include "api_value.h"
#include "type.h"
#include "mapkey.h"
#include "api_persist.h"

enum { BITS = 5, HASH_BITS = 64 };

struct rt_pmap_node {
	uint32_t data, nodes;
	char *slots;
	struct rt_pmap_node **kids;
};
typedef struct rt_pmap_node node;

struct rt_pmap {
	size_t n;
	uint64_t seed;
	const struct rt_map_type *t;
	const struct rt_type *slot_type;
	rt_map_hash_fn *hash; /* of the program, or NULL */
	rt_equal_fn *equal;
	node *root;
};

/* A change on its way down. */
struct change {
	const struct rt_pmap *m;
	const void *k, *v;
	uint64_t hash;
	bool size_changed;
};

_Static_assert((RT_PMAP_DEPTH - 1) * BITS >= HASH_BITS, "the iterator's path is too short");

static unsigned entries(const node *nd, unsigned shift)
{
	return shift < HASH_BITS ? (unsigned)__builtin_popcount(nd->data) : nd->data;
}

static uint32_t bit_of(uint64_t hash, unsigned shift)
{
	return (uint32_t)1 << (hash >> shift & 31);
}

/* How many are in front of it in its array. */
static unsigned index_of(uint32_t map, uint32_t bit)
{
	return (unsigned)__builtin_popcount(map & (bit - 1));
}

static char *slot(const struct rt_pmap *m, const node *nd, unsigned i)
{
	return nd->slots + i * m->t->slot_size;
}

static uint64_t hash_of(const struct rt_pmap *m, const void *k)
{
	return m->hash ? hash_word(m->hash(k, m->seed), m->seed) : key_hash(m->t, k, m->seed);
}

static bool equal(const struct rt_pmap *m, const void *a, const void *b)
{
	return m->equal ? m->equal(a, b) : key_equal(m->t, a, b);
}

/* ---- copies of nodes with one thing changed --------------------------------------- */

static node *node_new(uint32_t data, uint32_t nodes, char *slots, node **kids)
{
	node *nd = rt_malloc(sizeof *nd, RT_TYPE(struct rt_pmap_node));

	*nd = (node){ data, nodes, slots, kids };
	return nd;
}

/* The n slots with room at i, which take a key and value there; or, `replace`,
 * with new ones in place of i's. */
static char *slots_with(const struct rt_pmap *m, const node *nd, unsigned n, unsigned i, bool replace,
                        const void *k, const void *v)
{
	size_t size = m->t->slot_size;
	char *s = rt_malloc((n + !replace) * size, m->slot_type);

	if (i)
		memcpy(s, nd->slots, i * size);
	memcpy(s + i * size, k, m->t->key_size);
	memcpy(s + i * size + m->t->val_off, v, m->t->val_size);
	if (i + replace < n)
		memcpy(s + (i + 1) * size, nd->slots + (i + replace) * size, (n - i - replace) * size);
	return s;
}

static char *slots_without(const struct rt_pmap *m, const node *nd, unsigned n, unsigned i)
{
	size_t size = m->t->slot_size;
	char *s;

	if (n == 1)
		return NULL;
	s = rt_malloc((n - 1) * size, m->slot_type);
	memcpy(s, nd->slots, i * size);
	memcpy(s + i * size, nd->slots + (i + 1) * size, (n - 1 - i) * size);
	return s;
}

/* The children with kid at i: in place of what is there, or between. */
static node **kids_with(const node *nd, unsigned i, bool replace, node *kid)
{
	unsigned n = (unsigned)__builtin_popcount(nd->nodes);
	node **c = rt_malloc((n + !replace) * sizeof *c, RT_TYPE(struct rt_pmap_node *));

	if (i)
		memcpy(c, nd->kids, i * sizeof *c);
	c[i] = kid;
	if (i + replace < n)
		memcpy(c + i + 1, nd->kids + i + replace, (n - i - replace) * sizeof *c);
	return c;
}

static node **kids_without(const node *nd, unsigned i)
{
	unsigned n = (unsigned)__builtin_popcount(nd->nodes);
	node **c;

	if (n == 1)
		return NULL;
	c = rt_malloc((n - 1) * sizeof *c, RT_TYPE(struct rt_pmap_node *));
	memcpy(c, nd->kids, i * sizeof *c);
	memcpy(c + i, nd->kids + i + 1, (n - 1 - i) * sizeof *c);
	return c;
}

/* ---- lookup ----------------------------------------------------------------------- */

struct rt_pmap *rt_make_pmap(const struct rt_map_type *t, const struct rt_type *slot_type,
                             rt_map_hash_fn *hash, rt_equal_fn *equal_keys)
{
	struct rt_pmap *m = rt_malloc(sizeof *m, RT_TYPE(struct rt_pmap));

	m->t = t;
	m->slot_type = slot_type;
	m->hash = hash;
	m->equal = equal_keys;
	m->seed = (uint64_t)rt_fastrand() << 32 | rt_fastrand();
	return m;
}

size_t rt_pmap_len(const struct rt_pmap *m)
{
	return m->n;
}

/* The entry of k in a list, or its length. */
static unsigned find_in_list(const struct rt_pmap *m, const node *nd, const void *k)
{
	unsigned i = 0;

	while (i < nd->data && !equal(m, k, slot(m, nd, i)))
		i++;
	return i;
}

const void *rt_pmap_find(const struct rt_pmap *m, const void *k)
{
	const node *nd = m->root;
	uint64_t hash;
	unsigned shift = 0;

	if (!nd)
		return NULL;
	hash = hash_of(m, k);
	for (; shift < HASH_BITS; shift += BITS) {
		uint32_t bit = bit_of(hash, shift);

		if (nd->data & bit) {
			char *s = slot(m, nd, index_of(nd->data, bit));

			return equal(m, k, s) ? s + m->t->val_off : NULL;
		}
		if (!(nd->nodes & bit))
			return NULL;
		nd = nd->kids[index_of(nd->nodes, bit)];
	}
	unsigned i = find_in_list(m, nd, k);
	return i < nd->data ? slot(m, nd, i) + m->t->val_off : NULL;
}

/* ---- change ------------------------------------------------------------------------ */

/* The node with the change's entry.  nd may be NULL. */
static node *set(struct change *c, const node *nd, unsigned shift)
{
	const struct rt_pmap *m = c->m;
	uint32_t bit = shift < HASH_BITS ? bit_of(c->hash, shift) : 1;
	unsigned n, i;
	char *s;
	node *kid, *with_old;

	if (!nd) {
		c->size_changed = true;
		return node_new(bit, 0, slots_with(m, NULL, 0, 0, false, c->k, c->v), NULL);
	}
	n = entries(nd, shift);
	if (shift >= HASH_BITS) {
		i = find_in_list(m, nd, c->k);
		c->size_changed = i == n;
		return node_new(n + (i == n), 0, slots_with(m, nd, n, i, i < n, c->k, c->v), NULL);
	}
	if (nd->nodes & bit) {
		i = index_of(nd->nodes, bit);
		kid = set(c, nd->kids[i], shift + BITS);
		return node_new(nd->data, nd->nodes, nd->slots, kids_with(nd, i, true, kid));
	}
	i = index_of(nd->data, bit);
	if (!(nd->data & bit)) {
		c->size_changed = true;
		return node_new(nd->data | bit, nd->nodes, slots_with(m, nd, n, i, false, c->k, c->v), nd->kids);
	}
	s = slot(m, nd, i);
	if (equal(m, c->k, s))
		return node_new(nd->data, nd->nodes, slots_with(m, nd, n, i, true, s, c->v), nd->kids);
	/* Both go to a child. */
	struct change old = { m, s, s + m->t->val_off, hash_of(m, s), false };
	with_old = set(&old, NULL, shift + BITS);
	kid = set(c, with_old, shift + BITS);
	return node_new(nd->data & ~bit, nd->nodes | bit, slots_without(m, nd, n, i),
	                kids_with(nd, index_of(nd->nodes, bit), false, kid));
}

/* The node without the change's key: itself if that is not there, NULL if nothing is
 * left. */
static node *without(struct change *c, node *nd, unsigned shift)
{
	const struct rt_pmap *m = c->m;
	uint32_t bit = shift < HASH_BITS ? bit_of(c->hash, shift) : 1;
	unsigned n = entries(nd, shift), i;
	node *kid;

	if (shift >= HASH_BITS) {
		i = find_in_list(m, nd, c->k);
		if (i == n)
			return nd;
		c->size_changed = true;
		return node_new(n - 1, 0, slots_without(m, nd, n, i), NULL);
	}
	if (nd->data & bit) {
		i = index_of(nd->data, bit);
		if (!equal(m, c->k, slot(m, nd, i)))
			return nd;
		c->size_changed = true;
		if (n == 1 && !nd->nodes)
			return NULL;
		return node_new(nd->data & ~bit, nd->nodes, slots_without(m, nd, n, i), nd->kids);
	}
	if (!(nd->nodes & bit))
		return nd;
	i = index_of(nd->nodes, bit);
	kid = without(c, nd->kids[i], shift + BITS);
	if (kid == nd->kids[i])
		return nd;
	if (entries(kid, shift + BITS) == 1 && !kid->nodes) /* its entry comes up */
		return node_new(nd->data | bit, nd->nodes & ~bit,
		                slots_with(m, nd, n, index_of(nd->data, bit), false, kid->slots,
		                           kid->slots + m->t->val_off),
		                kids_without(nd, i));
	return node_new(nd->data, nd->nodes, nd->slots, kids_with(nd, i, true, kid));
}

static struct rt_pmap *with_root(const struct rt_pmap *m, size_t n, node *root)
{
	struct rt_pmap *r = rt_malloc(sizeof *r, RT_TYPE(struct rt_pmap));

	*r = *m;
	r->n = n;
	r->root = root;
	return r;
}

struct rt_pmap *rt_pmap_set(struct rt_pmap *m, const void *k, const void *v)
{
	struct change c = { m, k, v, hash_of(m, k), false };
	node *root = set(&c, m->root, 0);

	return with_root(m, m->n + c.size_changed, root);
}

struct rt_pmap *rt_pmap_delete(struct rt_pmap *m, const void *k)
{
	struct change c = { m, k, NULL, hash_of(m, k), false };
	node *root = m->root ? without(&c, m->root, 0) : NULL;

	return c.size_changed ? with_root(m, m->n - 1, root) : m;
}

/* ---- iteration ------------------------------------------------------------------------ */

struct rt_pmap_iter rt_pmap_iter(struct rt_pmap *m)
{
	struct rt_pmap_iter it = { .m = m, .path = { m->root }, .depth = m->root ? 0 : -1 };

	return it;
}

bool rt_pmap_next(struct rt_pmap_iter *it)
{
	const struct rt_pmap *m = it->m;

	while (it->depth >= 0 && !it->broke) {
		node *nd = it->path[it->depth];
		unsigned n = entries(nd, (unsigned)it->depth * BITS), i = it->at[it->depth]++;

		if (i < n) {
			it->key = slot(m, nd, i);
			it->val = slot(m, nd, i) + m->t->val_off;
			it->run = it->broke = true;
			return true;
		}
		if (i - n < (unsigned)__builtin_popcount(nd->nodes)) {
			it->path[++it->depth] = nd->kids[i - n];
			it->at[it->depth] = 0;
		} else {
			it->depth--;
		}
	}
	return false;
}
