/* pool.c: pools of objects for reuse.  After Go's sync/pool.go.
 *
 * Each P has a place for one object, which only the task that runs there
 * touches, with preemption off: get and put are a load and a store in the
 * usual program.  What does not fit goes to the P's shared list, under a
 * lock; a P that has nothing takes from the others' lists.  (Go's list is a
 * lock-free deque; ours is rarely looked at by two Ps at once, and a spin lock
 * that nobody else holds costs no more than the deque's compare-and-swap.)
 *
 * A collection begins by dropping every pool's victims and making what the
 * pools hold the new victims (pool_cleanup), from which get still takes: so an
 * object goes after two collections without use, and a program in a steady
 * state allocates nothing, but for the places themselves.
 *
 * Invariants: a pool is in all_pools while it has places, in old_pools while
 * it has victims, so an unused pool is in neither after two collections and is
 * collected.  Places and victims are replaced in a stop only, and nobody is
 * stopped with preemption off.  The lists' chunks are allocated with
 * preemption on, since an allocation may have to collect. */
#include "heap.h"
#include "type.h"
#include "api_value.h"
#include "api_pool.h"

#define CHUNK_SLOTS 62

struct pool_chunk { /* 512 bytes */
	struct pool_chunk *next;
	size_t n; /* used slots, from 0 */
	void *slots[CHUNK_SLOTS];
};

struct pool_local {
	void *private;             /* the P's own, preemption off */
	struct lock lock;          /* the rest; rank RANK_SEMA */
	struct pool_chunk *shared; /* only the first chunk may be partly empty; looked at without the lock */
} __attribute__((aligned(CACHE_LINE)));

struct rt_pool {
	struct pool_local *local;  /* one for each P, or NULL; published with release */
	struct pool_local *victim; /* the same */
	void *(*make)(void);
	struct rt_pool *next;      /* in all_pools */
	struct rt_pool *next_old;  /* in old_pools */
};

static struct lock pools_lock = LOCK_INIT(RANK_SEMA);
static struct rt_pool *all_pools; /* under pools_lock, or in a stop */
static struct rt_pool *old_pools; /* in a stop */

struct rt_pool *rt_make_pool(void *(*make)(void))
{
	struct rt_pool *p = rt_malloc(sizeof *p, RT_TYPE(struct rt_pool));
	p->make = make;
	return p;
}

void pool_cleanup(void)
{
	for (struct rt_pool *p = old_pools; p; p = p->next_old)
		p->victim = NULL;
	old_pools = all_pools;
	for (struct rt_pool *p = all_pools; p; p = p->next) {
		p->victim = p->local;
		p->local = NULL;
		p->next_old = p->next;
	}
	all_pools = NULL;
}

/* Gives the pool its places. */
static void make_local(struct rt_pool *p)
{
	size_t n = plat_ncores;
	struct pool_local *l = rt_malloc(n * sizeof *l, RT_TYPE(struct pool_local));
	for (size_t i = 0; i < n; i++)
		lock_init(&l[i].lock, RANK_SEMA);
	lock(&pools_lock);
	if (!p->local) {
		p->next = all_pools;
		all_pools = p;
		at_store_rel(&p->local, l);
	}
	unlock(&pools_lock);
}

/* The running P's place, with preemption off until preempt_on. */
static inline struct pool_local *pin(struct rt_pool *p, struct g **g)
{
	for (;;) {
		*g = preempt_off();
		struct pool_local *l = at_load_acq(&p->local);
		if (likely(l))
			return &l[rt_self.p->id];
		preempt_on(*g);
		make_local(p);
	}
}

/* An object from l's list, or NULL.  Preemption off. */
static void *take_shared(struct pool_local *l)
{
	void *x = NULL;
	if (!at_load(&l->shared))
		return NULL;
	lock(&l->lock);
	struct pool_chunk *c = l->shared;
	if (c) {
		x = c->slots[--c->n];
		c->slots[c->n] = NULL;
		if (c->n == 0)
			at_store(&l->shared, c->next);
	}
	unlock(&l->lock);
	return x;
}

/* From other Ps' lists, then from the victims.  Preemption off. */
static void *take_elsewhere(struct rt_pool *p)
{
	size_t n = plat_ncores, me = rt_self.p->id;
	void *x = NULL;
	for (size_t i = 1; i < n && !x; i++)
		x = take_shared(&p->local[(me + i) % n]);
	struct pool_local *v = at_load(&p->victim);
	if (x || !v)
		return x;
	x = v[me].private;
	v[me].private = NULL;
	for (size_t i = 0; i < n && !x; i++)
		x = take_shared(&v[(me + i) % n]);
	if (!x) /* the next get need not look */
		at_store(&p->victim, NULL);
	return x;
}

void *rt_pool_get(struct rt_pool *p)
{
	struct g *g;
	struct pool_local *l = pin(p, &g);
	void *x = l->private;
	l->private = NULL;
	if (!x && !(x = take_shared(l)))
		x = take_elsewhere(p);
	preempt_on(g);
	if (!x && p->make)
		x = p->make();
	return x;
}

void rt_pool_put(struct rt_pool *p, void *x)
{
	struct pool_chunk *fresh = NULL;
	if (!x)
		return;
	for (;;) {
		struct g *g;
		struct pool_local *l = pin(p, &g);
		if (!l->private) {
			l->private = x;
			preempt_on(g);
			return;
		}
		lock(&l->lock);
		struct pool_chunk *c = l->shared;
		if (fresh && (!c || c->n == CHUNK_SLOTS)) {
			fresh->next = c;
			c = fresh;
			at_store(&l->shared, c);
		}
		bool room = c && c->n < CHUNK_SLOTS;
		if (room)
			c->slots[c->n++] = x;
		unlock(&l->lock);
		preempt_on(g);
		if (room)
			return;
		fresh = rt_malloc(sizeof *fresh, RT_TYPE(struct pool_chunk));
	}
}
