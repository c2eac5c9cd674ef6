/* memory.c: mixes about what the collector gives: linked objects, slices, maps,
 * strings, pools and concurrent maps, while others collect. */
#include "soak.h"

/* ---- objects: what is reachable stays as it was ---------------------------- */

struct cell {
	struct cell *left, *right;
	int64 key, check;
	byte *extra; /* extra_size bytes, all (byte)key */
	int extra_size;
};

static struct cell *grow(struct rng *g, int n)
{
	if (n == 0)
		return NULL;
	struct cell *c = new(struct cell, .key = (int64)rnd64(g));
	c->check = ~c->key;
	if (one_in(g, 3)) {
		c->extra_size = one_in(g, 40) ? pick(g, 1, 100000) : pick(g, 1, 300);
		/* The one that may fail does in nasty mode. */
		c->extra = one_in(g, 2) ? rt_malloc_may_fail((size_t)c->extra_size, &rt_type_noscan) : NULL;
		if (!c->extra)
			c->extra = rt_malloc((size_t)c->extra_size, &rt_type_noscan);
		memset(c->extra, (byte)c->key, (size_t)c->extra_size);
	}
	int half = pick(g, 0, n - 1);
	c->left = grow(g, half);
	c->right = grow(g, n - 1 - half);
	return c;
}

static int64 look(struct run *r, const struct cell *c)
{
	if (!c)
		return 0;
	LAW(r, c->check == ~c->key, "an object has changed");
	for (int i = 0; i < c->extra_size; i += 1 + c->extra_size / 16)
		LAW(r, c->extra[i] == (byte)c->key, "an object's bytes have changed");
	return 1 + look(r, c->left) + look(r, c->right);
}

static void planter(struct run *r, struct rng g, chan(struct cell *) trade, wait_group *wg)
{
	for (int i = pick(&g, 1, 8); i > 0; i--) {
		int n = pick(&g, 1, 60);
		struct cell *c = grow(&g, n), *other = NULL;
		if (one_in(&g, 20))
			gc();
		churn(&g);
		SAME(r, "objects of a tree", look(r, c), n);
		/* Trees change hands, too. */
		select {
			case_send(trade, c) { c = NULL; }
			case_recv(trade, &other) { look(r, other); }
			case_default { }
		}
		op(r);
	}
	wait_group_done(wg);
}

void mix_objects(struct run *r)
{
	wait_group wg = { 0 };
	chan(struct cell *) trade = make_chan(struct cell *, pick(&r->rng, 0, 4));
	for (int i = pick(&r->rng, 1, 12); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(planter, r, split(&r->rng), trade, &wg);
	}
	wait_group_wait(&wg);
}

/* ---- slices, maps, strings --------------------------------------------------- */

static void values(struct run *r, struct rng g, wait_group *wg)
{
	slice(int64) s = { 0 };
	map(int64, string) m = make_map(int64, string);
	int n = pick(&g, 1, 150);
	for (int64 i = 0; i < n; i++) {
		s = append(s, i * i);
		if (i % 8 == 0)
			map_set(m, i, sprint("value %ld", (long)i));
		if (one_in(&g, 40))
			churn(&g);
		op(r);
	}
	SAME(r, "length of a slice", len(s), n);
	for (int64 i = 0; i < n; i++)
		SAME(r, "element of a slice", s.ptr[i], i * i);
	SAME(r, "entries of a map", len(m), (n + 7) / 8);
	for_map(k, v, m) {
		string text = sprint("value %ld", (long)k);
		LAW(r, v.len == text.len && memcmp(v.ptr, text.ptr, v.len) == 0, "a map's value has changed");
		if (one_in(&g, 2))
			delete(m, k);
	}
	wait_group_done(wg);
}

void mix_values(struct run *r)
{
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 12); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(values, r, split(&r->rng), &wg);
	}
	wait_group_wait(&wg);
}

/* ---- pools: an object has one owner ------------------------------------------ */

struct tool {
	int64 owners, uses; /* atomic */
	int64 check;
};

static struct tool *make_tool(void)
{
	return new(struct tool, .check = 0x7001);
}

static void tool_user(struct run *r, struct rng g, pool(struct tool) p, wait_group *wg)
{
	for (int i = pick(&g, 1, 60); i > 0; i--) {
		struct tool *t = pool_get(p);
		LAW(r, t && t->check == 0x7001, "not what was put into a pool");
		SAME(r, "owners of a pool's object", atomic_add(&t->owners, 1), 1);
		churn(&g);
		SAME(r, "owners of a pool's object", atomic_add(&t->owners, -1), 0);
		if (!one_in(&g, 10))
			pool_put(p, t);
		op(r);
	}
	wait_group_done(wg);
}

void mix_pool(struct run *r)
{
	pool(struct tool) p = make_pool(struct tool, make_tool);
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 16); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(tool_user, r, split(&r->rng), p, &wg);
	}
	wait_group_wait(&wg);
}

/* ---- concurrent maps: no addition is lost ------------------------------------- */

static void counter(struct run *r, struct rng g, sync_map(int64, int64) m, int64 *added, wait_group *wg)
{
	for (int i = pick(&g, 1, 60); i > 0; i--) {
		int64 k = pick(&g, 0, 20), was = 0;
		if (one_in(&g, 6)) { /* takes what is there */
			if (sync_map_load_and_delete(m, k, &was))
				atomic_add(added, -was);
		} else {
			atomic_add(added, 1);
			while (!sync_map_load(m, k, &was) ? sync_map_load_or_store(m, k, (int64)1, &was)
			                                  : !sync_map_compare_and_swap(m, k, was, was + 1))
				churn(&g);
		}
		op(r);
	}
	wait_group_done(wg);
}

void mix_sync_map(struct run *r)
{
	sync_map(int64, int64) m = make_sync_map(int64, int64);
	wait_group wg = { 0 };
	int64 added = 0, sum = 0;
	for (int i = pick(&r->rng, 1, 16); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(counter, r, split(&r->rng), m, &added, &wg);
	}
	wait_group_wait(&wg);
	for_sync_map(k, v, m)
		sum += v;
	SAME(r, "sum of a map", sum, added);
}
