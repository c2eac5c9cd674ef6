/* api_persist.h: vectors and maps that never change (part of ingot.h).
 *
 * What adds, replaces or removes returns another one, which shares nearly all
 * memory with the first; a copy is a copy of a pointer.  So one may be handed to
 * any number of tasks (by a channel or atomic_store) without locks.  An
 * operation costs a few small allocations and O(log32 n) time.
 *
 * T, K and V are any types but arrays; keys as in map(K, V).  All calls are from
 * a task. */
#ifndef INGOT_API_PERSIST_H
#define INGOT_API_PERSIST_H

#ifndef INGOT_API_MAP_H
#error "include ingot.h"
#endif

struct rt_pvector;
struct rt_pmap;

/* ---- vectors ---------------------------------------------------------------- */

/* The type; such pointers are never followed, the function type is for checks. */
#define pvector(T) __typeof__(__typeof__(T) (**)(struct rt_pvector *))
#define RT_PV_ELEM(v) __typeof__((*(v))((struct rt_pvector *)0))

/* make_pvector(T): the empty one. */
#define make_pvector(T) ((pvector(T))rt_make_pvector(RT_TYPE(T)))
/* The elements of a slice. */
#define pvector_from(s) \
	({ \
		__auto_type rt_vs = (s); \
		(pvector(*rt_vs.ptr))rt_pvector_from(RT_TYPE(__typeof__(*rt_vs.ptr)), rt_vs.ptr, rt_vs.len); \
	})
/* How many elements. */
#define pvector_len(v) \
	({ \
		__auto_type rt_vv = (v); \
		(void)sizeof(RT_PV_ELEM(rt_vv)); \
		rt_pvector_len((struct rt_pvector *)rt_vv); \
	})
/* The element i.  Panics "index out of range". */
#define pvector_get(v, i) \
	({ \
		__auto_type rt_vv = (v); \
		*(const RT_PV_ELEM(rt_vv) *)rt_pvector_at((struct rt_pvector *)rt_vv, (size_t)(i)); \
	})
/* With x behind the end; with x at i; without the last.  The last two panic
 * "index out of range". */
#define pvector_push(v, x) \
	({ \
		__auto_type rt_vv = (v); \
		RT_PV_ELEM(rt_vv) rt_vx = RT_CONV(RT_PV_ELEM(rt_vv), x); \
		(__typeof__(rt_vv))rt_pvector_push((struct rt_pvector *)rt_vv, &rt_vx); \
	})
#define pvector_set(v, i, x) \
	({ \
		__auto_type rt_vv = (v); \
		size_t rt_vi = (size_t)(i); \
		RT_PV_ELEM(rt_vv) rt_vx = RT_CONV(RT_PV_ELEM(rt_vv), x); \
		(__typeof__(rt_vv))rt_pvector_set((struct rt_pvector *)rt_vv, rt_vi, &rt_vx); \
	})
#define pvector_pop(v) \
	({ \
		__auto_type rt_vv = (v); \
		(void)sizeof(RT_PV_ELEM(rt_vv)); \
		(__typeof__(rt_vv))rt_pvector_pop((struct rt_pvector *)rt_vv); \
	})
/* pvector_slice(T, v): a new slice of the elements. */
#define pvector_slice(T, v) \
	({ \
		pvector(T) rt_vv = (v); \
		size_t rt_vn = rt_pvector_len((struct rt_pvector *)rt_vv); \
		slice(T) rt_vs = make_slice(T, (int64_t)rt_vn); \
		rt_pvector_copy((struct rt_pvector *)rt_vv, rt_vs.ptr); \
		rt_vs; \
	})
/* for_pvector(i, p, v): for each index i (size_t), with p pointing to the const
 * element. */
#define for_pvector(i, p, v) RT_FOR_PV(i, p, v, RT_UNIQUE(rt_fv))
#define RT_FOR_PV(iv, pv, vec, it) \
	for (struct rt_pvector_iter it = { .v = ((void)sizeof(RT_PV_ELEM(vec)), (struct rt_pvector *)(vec)) }; \
	     rt_pvector_next(&it);) \
		for (size_t iv __attribute__((unused)) = it.i - 1; it.run; it.run = false) \
			for (const RT_PV_ELEM(vec) *pv __attribute__((unused)) = it.p; it.run; \
			     it.run = false, it.broke = false)

struct rt_pvector_iter {
	struct rt_pvector *v;
	size_t i;        /* of the next */
	const void *p;   /* the current element */
	bool run, broke; /* for_pvector's loop control */
};

struct rt_pvector *rt_make_pvector(const struct rt_type *type);
struct rt_pvector *rt_pvector_from(const struct rt_type *type, const void *p, size_t n);
size_t rt_pvector_len(const struct rt_pvector *v);
const void *rt_pvector_at(const struct rt_pvector *v, size_t i);
struct rt_pvector *rt_pvector_push(struct rt_pvector *v, const void *x);
struct rt_pvector *rt_pvector_set(struct rt_pvector *v, size_t i, const void *x);
struct rt_pvector *rt_pvector_pop(struct rt_pvector *v);
void rt_pvector_copy(const struct rt_pvector *v, void *to);
bool rt_pvector_next(struct rt_pvector_iter *it);

/* ---- maps --------------------------------------------------------------------- */

/* The type. */
#define pmap(K, V) __typeof__(map(K, V) (**)(struct rt_pmap *))
#define RT_PM_MAP(m) __typeof__((*(m))((struct rt_pmap *)0))

/* make_pmap(K, V): the empty one. */
#define make_pmap(K, V) \
	({ \
		RT_MAP_LAYOUT(K, V); \
		(pmap(K, V))rt_make_pmap(&rt_mt, RT_TYPE(struct rt_map_slot), 0, 0); \
	})
/* make_pmap_func(K, V, hash, equal): with functions as for make_map_func. */
#define make_pmap_func(K, V, hashf, equalf) \
	({ \
		RT_MAP_LAYOUT(K, V); \
		uint64_t (*rt_mh)(const __typeof__(K) *, uint64_t) = (hashf); \
		bool (*rt_me)(const __typeof__(K) *, const __typeof__(K) *) = (equalf); \
		(pmap(K, V))rt_make_pmap(&rt_mt, RT_TYPE(struct rt_map_slot), (rt_map_hash_fn *)rt_mh, \
		                         (rt_equal_fn *)rt_me); \
	})
/* Declares rt_pq, the map, rt_pk, the key as a K, and rt_pm for its types. */
#define RT_PM_ARGS(m, k) \
	__auto_type rt_pq = (m); \
	RT_MAP_ARGS((RT_PM_MAP(rt_pq))0, k); \
	(void)rt_pm
/* How many entries. */
#define pmap_len(m) \
	({ \
		__auto_type rt_pq = (m); \
		(void)sizeof(RT_PM_MAP(rt_pq)); \
		rt_pmap_len((struct rt_pmap *)rt_pq); \
	})
/* The value of k, zero if absent; whether k is there; both, as map_lookup. */
#define pmap_get(m, k) \
	({ \
		RT_PM_ARGS(m, k); \
		const RT_MAP_VALUE(rt_pm) *rt_ps = rt_pmap_find((struct rt_pmap *)rt_pq, &rt_pk); \
		rt_ps ? *rt_ps : RT_ZERO(RT_MAP_VALUE(rt_pm)); \
	})
#define pmap_has(m, k) \
	({ \
		RT_PM_ARGS(m, k); \
		rt_pmap_find((struct rt_pmap *)rt_pq, &rt_pk) != 0; \
	})
#define pmap_lookup(m, k, vp) \
	({ \
		RT_PM_ARGS(m, k); \
		RT_MAP_VALUE(rt_pm) *rt_pv = (vp); \
		const RT_MAP_VALUE(rt_pm) *rt_ps = rt_pmap_find((struct rt_pmap *)rt_pq, &rt_pk); \
		*rt_pv = rt_ps ? *rt_ps : RT_ZERO(RT_MAP_VALUE(rt_pm)); \
		rt_ps != 0; \
	})
/* With v for k; without k (m itself if it is not there). */
#define pmap_set(m, k, v) \
	({ \
		RT_PM_ARGS(m, k); \
		RT_MAP_VALUE(rt_pm) rt_pv = RT_CONV(RT_MAP_VALUE(rt_pm), v); \
		(__typeof__(rt_pq))rt_pmap_set((struct rt_pmap *)rt_pq, &rt_pk, &rt_pv); \
	})
#define pmap_delete(m, k) \
	({ \
		RT_PM_ARGS(m, k); \
		(__typeof__(rt_pq))rt_pmap_delete((struct rt_pmap *)rt_pq, &rt_pk); \
	})
/* for_pmap(k, v, m): for each entry, in no particular order, with the copies k
 * and v.  K as for for_map; else for_pmap_of(K, k, v, m). */
#define for_pmap(k, v, m) \
	for_pmap_of(__typeof__(*RT_MAP_KEY_PTR((RT_PM_MAP(m))0, (struct rt_unknown *)0)), k, v, m)
#define for_pmap_of(K, k, v, m) RT_FOR_PM(__typeof__(K), k, v, m, RT_UNIQUE(rt_fm))
#define RT_FOR_PM(K, kv, vv, pm, it) \
	for (struct rt_pmap_iter it = rt_pmap_iter(( \
		RT_MAP_MUST_BE(pm, pmap(K, RT_MAP_VALUE((RT_PM_MAP(pm))0)), "for_pmap"), \
		(struct rt_pmap *)(pm))); \
	     rt_pmap_next(&it);) \
		for (K kv __attribute__((unused)) = *(const K *)it.key; it.run; it.run = false) \
			for (RT_MAP_VALUE((RT_PM_MAP(pm))0) vv __attribute__((unused)) = \
				     *(const RT_MAP_VALUE((RT_PM_MAP(pm))0) *)it.val; \
			     it.run; it.run = false, it.broke = false)

#define RT_PMAP_DEPTH 14 /* 13 levels use up 64 bits of hash; then a list */
struct rt_pmap_iter {
	struct rt_pmap *m;
	const void *key, *val;             /* the current entry */
	struct rt_pmap_node *path[RT_PMAP_DEPTH];
	unsigned at[RT_PMAP_DEPTH];        /* in each: entries and children visited */
	int depth;                         /* of the current node, -1 at the end */
	bool run, broke;                   /* for_pmap's loop control */
};

struct rt_pmap *rt_make_pmap(const struct rt_map_type *t, const struct rt_type *slot,
                             rt_map_hash_fn *hash, rt_equal_fn *equal);
size_t rt_pmap_len(const struct rt_pmap *m);
const void *rt_pmap_find(const struct rt_pmap *m, const void *k);
struct rt_pmap *rt_pmap_set(struct rt_pmap *m, const void *k, const void *v);
struct rt_pmap *rt_pmap_delete(struct rt_pmap *m, const void *k);
struct rt_pmap_iter rt_pmap_iter(struct rt_pmap *m);
bool rt_pmap_next(struct rt_pmap_iter *it);

#endif
