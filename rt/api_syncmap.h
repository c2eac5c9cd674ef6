/* api_syncmap.h: maps for many tasks (part of ingot.h).  Go's sync.Map, but
 * typed.
 *
 * sync_map(K, V) is a pointer, made by make_sync_map; copies of it are the same
 * map.  K is an integer or pointer type, string, or a structure (compared by
 * its bytes, of which padding does not count); V any type but an array.  Each operation is
 * atomic, and what a task did before it stored an entry is seen by who loads
 * that.  All calls are from a task and may wait. */
#ifndef INGOT_API_SYNCMAP_H
#define INGOT_API_SYNCMAP_H

#ifndef INGOT_API_MAP_H
#error "include ingot.h"
#endif

struct rt_sync_map;

/* The type; pointers to it are never followed, its map(K, V) is for checks. */
#define sync_map(K, V) __typeof__(map(K, V) (**)(struct rt_sync_map *))
#define RT_SM_MAP(m) __typeof__((*(m))((struct rt_sync_map *)0))

/* make_sync_map(K, V): an empty one. */
#define make_sync_map(K, V) \
	({ \
		_Static_assert(__builtin_classify_type(*(__typeof__(K) *)0) != RT_CLASS_REAL, \
		               "sync_map: floating-point keys"); \
		RT_MAP_LAYOUT(K, V); \
		(sync_map(K, V))rt_make_sync_map(&rt_mt, RT_TYPE(struct rt_map_group), \
		                                 RT_TYPE(struct rt_map_slot)); \
	})

/* Declares rt_sm, the map, rt_pk, the key as a K, and rt_pm for its types. */
#define RT_SM_ARGS(m, k) \
	__auto_type rt_sm = (m); \
	RT_MAP_ARGS((RT_SM_MAP(rt_sm))0, k); \
	(void)rt_pm
#define RT_SM_IT ((struct rt_sync_map *)rt_sm)
#define RT_SM_VALUE RT_MAP_VALUE(rt_pm)

/* sync_map_load(m, k, &v): true if k is there; v gets the value, else zero. */
#define sync_map_load(m, k, vp) \
	({ \
		RT_SM_ARGS(m, k); \
		RT_SM_VALUE *rt_pv = (vp); \
		rt_sync_map_load(RT_SM_IT, &rt_pk, rt_pv); \
	})
/* sync_map_store(m, k, v). */
#define sync_map_store(m, k, v) \
	({ \
		RT_SM_ARGS(m, k); \
		RT_SM_VALUE rt_pv = RT_CONV(RT_SM_VALUE, v); \
		rt_sync_map_swap(RT_SM_IT, &rt_pk, &rt_pv, (void *)0); \
		(void)0; \
	})
/* sync_map_swap(m, k, v, &old): stores v; true if there was a value, which old
 * gets, else zero. */
#define sync_map_swap(m, k, v, oldp) \
	({ \
		RT_SM_ARGS(m, k); \
		RT_SM_VALUE rt_pv = RT_CONV(RT_SM_VALUE, v), *rt_po = (oldp); \
		rt_sync_map_swap(RT_SM_IT, &rt_pk, &rt_pv, rt_po); \
	})
/* sync_map_load_or_store(m, k, v, &actual): stores v unless k is there; actual
 * gets what is there then; true if it was loaded. */
#define sync_map_load_or_store(m, k, v, actualp) \
	({ \
		RT_SM_ARGS(m, k); \
		RT_SM_VALUE rt_pv = RT_CONV(RT_SM_VALUE, v), *rt_po = (actualp); \
		rt_sync_map_load_or_store(RT_SM_IT, &rt_pk, &rt_pv, rt_po); \
	})
/* sync_map_load_and_delete(m, k, &v): as load, and k is removed. */
#define sync_map_load_and_delete(m, k, vp) \
	({ \
		RT_SM_ARGS(m, k); \
		RT_SM_VALUE *rt_pv = (vp); \
		rt_sync_map_delete(RT_SM_IT, &rt_pk, rt_pv); \
	})
/* sync_map_delete(m, k). */
#define sync_map_delete(m, k) \
	({ \
		RT_SM_ARGS(m, k); \
		rt_sync_map_delete(RT_SM_IT, &rt_pk, (void *)0); \
		(void)0; \
	})
/* sync_map_compare_and_swap(m, k, old, new): stores new if k is there with old;
 * sync_map_compare_and_delete(m, k, old): removes it then.  True if so.  V is
 * an integer or pointer type, or string. */
#define sync_map_compare_and_swap(m, k, old, new) \
	({ \
		RT_SM_ARGS(m, k); \
		RT_SM_COMPARABLE; \
		RT_SM_VALUE rt_po = RT_CONV(RT_SM_VALUE, old), rt_pv = RT_CONV(RT_SM_VALUE, new); \
		rt_sync_map_compare(RT_SM_IT, &rt_pk, &rt_po, &rt_pv, RT_SM_IS_STRING); \
	})
#define sync_map_compare_and_delete(m, k, old) \
	({ \
		RT_SM_ARGS(m, k); \
		RT_SM_COMPARABLE; \
		RT_SM_VALUE rt_po = RT_CONV(RT_SM_VALUE, old); \
		rt_sync_map_compare(RT_SM_IT, &rt_pk, &rt_po, (void *)0, RT_SM_IS_STRING); \
	})
#define RT_SM_IS_STRING __builtin_types_compatible_p(RT_SM_VALUE, string)
#define RT_SM_COMPARABLE \
	_Static_assert(RT_SM_IS_STRING || \
	               __builtin_classify_type(*(RT_SM_VALUE *)0) == RT_CLASS_INT || \
	               __builtin_classify_type(*(RT_SM_VALUE *)0) == RT_CLASS_POINTER, \
	               "sync_map: values that cannot be compared")

/* sync_map_clear(m): removes all. */
#define sync_map_clear(m) \
	({ \
		__auto_type rt_sm = (m); \
		(void)sizeof(RT_SM_MAP(rt_sm)); \
		rt_sync_map_clear(RT_SM_IT); \
	})

/* for_sync_map(k, v, m): for entries, no key twice, with the copies k and v.
 * No lock is held meanwhile: an entry that is stored or deleted while the loop
 * runs may come or not, with any value it had since.  K as for for_map; else
 * for_sync_map_of(K, k, v, m).  Go: m.Range. */
#define for_sync_map(k, v, m) \
	for_sync_map_of(__typeof__(*RT_MAP_KEY_PTR((RT_SM_MAP(m))0, (struct rt_unknown *)0)), k, v, m)
#define for_sync_map_of(K, k, v, m) RT_FOR_SM(__typeof__(K), k, v, m, RT_UNIQUE(rt_fm))
#define RT_FOR_SM(K, kv, vv, sm, it) \
	for (struct rt_sync_map_iter it = { .m = ( \
		RT_MAP_MUST_BE(sm, sync_map(K, RT_MAP_VALUE((RT_SM_MAP(sm))0)), "for_sync_map"), \
		(struct rt_sync_map *)(sm)) }; \
	     rt_sync_map_next(&it);) \
		for (K kv __attribute__((unused)) = *(K *)it.key; it.run; it.run = false) \
			for (RT_MAP_VALUE((RT_SM_MAP(sm))0) vv __attribute__((unused)) = \
				     *(RT_MAP_VALUE((RT_SM_MAP(sm))0) *)it.val; \
			     it.run; it.run = false, it.broke = false)

struct rt_sync_map_iter {
	struct rt_sync_map *m;
	void *key, *val;       /* the current entry */
	char *slots;           /* copies of a shard's entries */
	size_t n, at;          /* of slots */
	size_t shard;          /* the next */
	bool run, broke;       /* for_sync_map's loop control */
};

struct rt_sync_map *rt_make_sync_map(const struct rt_map_type *t, const struct rt_type *group,
                                     const struct rt_type *slot);
bool rt_sync_map_load(struct rt_sync_map *m, const void *k, void *v);
bool rt_sync_map_swap(struct rt_sync_map *m, const void *k, const void *v, void *old);
bool rt_sync_map_load_or_store(struct rt_sync_map *m, const void *k, const void *v, void *actual);
bool rt_sync_map_delete(struct rt_sync_map *m, const void *k, void *old);
bool rt_sync_map_compare(struct rt_sync_map *m, const void *k, const void *old, const void *new,
                         bool strings);
void rt_sync_map_clear(struct rt_sync_map *m);
bool rt_sync_map_next(struct rt_sync_map_iter *it);

#endif
