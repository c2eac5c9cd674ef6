/* api_map.h: maps (part of ingot.h).
 *
 * map(K, V) is a pointer, nil when zero; copies of it are the same map.  The
 * pointer's C type is a function type that is never called, V (*)(struct
 * rt_map *(*)(K *)): such types are compatible wherever they are written, V
 * is what a call with a null pointer would return, and K can be checked, or
 * found by _Generic when it is a basic type.  Any K and V that are complete types, V not an array.
 *
 * Keys compare by value: numbers, pointers, strings by content, other
 * structures by their bytes, of which padding does not count; where that is
 * not what you mean (a string inside), make_map_func.  0 and -0 are one key,
 * NaN is unlike every key.
 * As in Go a map is for one task at a time: the runtime notices concurrent
 * use where it can and ends the image ("fatal error: concurrent map writes").
 * Everything here is for tasks. */
#ifndef INGOT_API_MAP_H
#define INGOT_API_MAP_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

struct rt_map;
struct rt_unknown; /* the key type of which for_map cannot know */

/* The type map[K]V; nil when zero. */
#define map(K, V) RT_MAP_TYPE(__typeof__(K), __typeof__(V))
#define RT_MAP_TYPE(K, V) __typeof__(V (*)(struct rt_map *(*)(K *)))

enum rt_key_kind { RT_KEY_BYTES, RT_KEY_STRING, RT_KEY_FLOAT, RT_KEY_DOUBLE, RT_KEY_FUNC };

/* What a map's code needs to know of K and V; one for each make_map. */
struct rt_map_type {
	uint32_t key_size, val_size;
	uint32_t val_off;   /* of the value in a slot */
	uint32_t slot_size;
	uint32_t slots_off; /* of the first slot in a group */
	uint32_t group_size;
	enum rt_key_kind kind;
};

/* Declares struct rt_map_slot and rt_map_group of a map(K, V), and rt_mt, which
 * describes them.  Also for sync_map. */
#define RT_MAP_LAYOUT(K, V) \
	struct rt_map_slot { \
		__typeof__(K) k; \
		__typeof__(V) v; \
	}; \
	struct rt_map_group { \
		uint64_t ctrl; \
		struct rt_map_slot slots[8]; \
	}; \
	static const struct rt_map_type rt_mt = { \
		sizeof(__typeof__(K)), sizeof(__typeof__(V)), \
		__builtin_offsetof(struct rt_map_slot, v), sizeof(struct rt_map_slot), \
		__builtin_offsetof(struct rt_map_group, slots), sizeof(struct rt_map_group), \
		RT_KEY_KIND(K) \
	}
#define RT_KEY_KIND(K) \
	_Generic(*(__typeof__(K) *)0, string: RT_KEY_STRING, float: RT_KEY_FLOAT, \
	         double: RT_KEY_DOUBLE, default: RT_KEY_BYTES)

/* make_map(K, V[, hint]): an empty map with room for about hint entries.
 * Go: make(map[K]V, hint). */
#define make_map(K, V, ...) \
	({ \
		RT_MAP_LAYOUT(K, V); \
		(map(K, V))rt_makemap(&rt_mt, RT_TYPE(struct rt_map_group), \
		                      (int64_t)RT_SECOND(0, ##__VA_ARGS__, 0, 0)); \
	})

/* make_map_func(K, V, hash, equal[, hint]): a map whose keys are equal when
 * bool equal(const K *a, const K *b) says so; equal keys must have the same
 * uint64_t hash(const K *k, uint64_t seed), with the seed of the map.  Neither
 * may use the map.  K is a structure other than string (wrap what is none).
 * task. */
#define make_map_func(K, V, hashf, equalf, ...) \
	({ \
		RT_MAP_LAYOUT(K, V); \
		_Static_assert(__builtin_classify_type(*(__typeof__(K) *)0) == RT_CLASS_RECORD && \
		               !__builtin_types_compatible_p(__typeof__(K), string), \
		               "make_map_func: the key is not a structure of its own"); \
		uint64_t (*rt_mh)(const __typeof__(K) *, uint64_t) = (hashf); \
		bool (*rt_me)(const __typeof__(K) *, const __typeof__(K) *) = (equalf); \
		(map(K, V))rt_makemap_func(&rt_mt, RT_TYPE(struct rt_map_group), \
		                           (int64_t)RT_SECOND(0, ##__VA_ARGS__, 0, 0), \
		                           (rt_map_hash_fn *)rt_mh, (rt_equal_fn *)rt_me); \
	})
typedef uint64_t rt_map_hash_fn(const void *k, uint64_t seed);
typedef bool rt_equal_fn(const void *a, const void *b);

#define RT_ZERO(T) \
	({ \
		T rt_zero; \
		__builtin_memset(&rt_zero, 0, sizeof rt_zero); \
		rt_zero; \
	})
/* The type V of a map. */
#define RT_MAP_VALUE(m) __typeof__((m)(0))
/* An expression of type K *: of the map if K is a basic type, else of k. */
#define RT_MAP_KEY_IS(m, T) RT_MAP_TYPE(T, RT_MAP_VALUE(m)): (T *)0
#define RT_MAP_KEY_PTR(m, k) \
	_Generic((m), RT_MAP_KEY_IS(m, _Bool), RT_MAP_KEY_IS(m, char), RT_MAP_KEY_IS(m, signed char), \
	         RT_MAP_KEY_IS(m, unsigned char), RT_MAP_KEY_IS(m, short), \
	         RT_MAP_KEY_IS(m, unsigned short), RT_MAP_KEY_IS(m, int), RT_MAP_KEY_IS(m, unsigned), \
	         RT_MAP_KEY_IS(m, long), RT_MAP_KEY_IS(m, unsigned long), \
	         RT_MAP_KEY_IS(m, long long), RT_MAP_KEY_IS(m, unsigned long long), \
	         RT_MAP_KEY_IS(m, float), RT_MAP_KEY_IS(m, double), RT_MAP_KEY_IS(m, string), \
	         RT_MAP_KEY_IS(m, char *), RT_MAP_KEY_IS(m, const char *), RT_MAP_KEY_IS(m, void *), \
	         default: (k))
/* Declares rt_pm, the map, and rt_pk, the key as a K with its padding zero. */
#define RT_MAP_ARGS(m, k) \
	__auto_type rt_pm = (m); \
	__auto_type rt_pe = (k); \
	__typeof__(*RT_MAP_KEY_PTR(rt_pm, &rt_pe)) rt_pk = \
		RT_CONV(__typeof__(*RT_MAP_KEY_PTR(rt_pm, &rt_pe)), rt_pe); \
	__builtin_clear_padding(&rt_pk); \
	_Static_assert(__builtin_types_compatible_p( \
		__typeof__(rt_pm), RT_MAP_TYPE(__typeof__(rt_pk), RT_MAP_VALUE(rt_pm))), \
		"map key of the wrong type")
/* The value in its slot, or NULL; the code that suits K is chosen at compile
 * time.  4- and 8-byte keys and strings travel in registers. */
typedef uint64_t __attribute__((may_alias)) rt_u64_alias;
typedef uint32_t __attribute__((may_alias)) rt_u32_alias;
typedef struct {
	const char *ptr;
	size_t len;
} __attribute__((may_alias)) rt_string_alias;
#define RT_MAP_WORD_KEY(k, n) \
	(sizeof(k) == (n) && (__builtin_classify_type(k) == RT_CLASS_INT || \
	                      __builtin_classify_type(k) == RT_CLASS_POINTER))
#define RT_MAP_CALL(what, m, k) \
	((RT_MAP_VALUE(m) *)__builtin_choose_expr( \
		__builtin_types_compatible_p(__typeof__(k), string), \
		rt_map_##what##_string((struct rt_map *)(m), ((rt_string_alias *)&(k))->ptr, \
			((rt_string_alias *)&(k))->len),  \
		__builtin_choose_expr(RT_MAP_WORD_KEY(k, 8), \
			rt_map_##what##8((struct rt_map *)(m), *(rt_u64_alias *)&(k)), \
			__builtin_choose_expr(RT_MAP_WORD_KEY(k, 4), \
				rt_map_##what##4((struct rt_map *)(m), *(rt_u32_alias *)&(k)), \
				rt_map_##what((struct rt_map *)(m), &(k))))))
#define RT_MAP_FIND(m, k) RT_MAP_CALL(find, m, k)
#define RT_MAP_ASSIGN(m, k) RT_MAP_CALL(assign, m, k)

/* map_get(m, k): the value, zero if absent.  Go: m[k]. */
#define map_get(m, k) \
	({ \
		RT_MAP_ARGS(m, k); \
		RT_MAP_VALUE(rt_pm) *rt_ps = RT_MAP_FIND(rt_pm, rt_pk); \
		rt_ps ? *rt_ps : RT_ZERO(RT_MAP_VALUE(rt_pm)); \
	})

/* map_lookup(m, k, &v): true if k is there; v gets the value, else zero.
 * Go: v, ok := m[k]. */
#define map_lookup(m, k, vp) \
	({ \
		RT_MAP_ARGS(m, k); \
		RT_MAP_VALUE(rt_pm) *rt_pv = (vp); \
		RT_MAP_VALUE(rt_pm) *rt_ps = RT_MAP_FIND(rt_pm, rt_pk); \
		*rt_pv = rt_ps ? *rt_ps : RT_ZERO(RT_MAP_VALUE(rt_pm)); \
		rt_ps != 0; \
	})

/* map_has(m, k): _, ok := m[k]. */
#define map_has(m, k) \
	({ \
		RT_MAP_ARGS(m, k); \
		RT_MAP_FIND(rt_pm, rt_pk) != 0; \
	})

/* map_find(m, k): a pointer to the value, NULL if k is absent; valid until
 * the next change of the map. */
#define map_find(m, k) \
	({ \
		RT_MAP_ARGS(m, k); \
		RT_MAP_FIND(rt_pm, rt_pk); \
	})

/* map_set(m, k, v).  Panics "assignment to entry in nil map".  Go: m[k] = v. */
#define map_set(m, k, v) \
	({ \
		RT_MAP_ARGS(m, k); \
		RT_MAP_VALUE(rt_pm) rt_pv = RT_CONV(RT_MAP_VALUE(rt_pm), v); \
		*RT_MAP_ASSIGN(rt_pm, rt_pk) = rt_pv; \
		(void)0; \
	})

/* map_at(m, k): the value as an lvalue, entered as zero if absent; valid
 * until the next change of the map: map_at(m, word)++.  Go: m[k]++. */
#define map_at(m, k) \
	(*({ \
		RT_MAP_ARGS(m, k); \
		RT_MAP_ASSIGN(rt_pm, rt_pk); \
	}))

/* delete(m, k): removes k if it is there.  Go: delete(m, k). */
#define delete(m, k) \
	({ \
		RT_MAP_ARGS(m, k); \
		rt_map_delete((struct rt_map *)rt_pm, &rt_pk); \
	})

/* map_clear(m): removes all.  Go: clear(m). */
#define map_clear(m) \
	({ \
		__auto_type rt_pm = (m); \
		(void)sizeof(RT_MAP_VALUE(rt_pm)); \
		rt_map_clear((struct rt_map *)rt_pm); \
	})

/* map_clone(m): another map of the same entries, nil of nil.  Go: maps.Clone. */
#define map_clone(m) \
	({ \
		__auto_type rt_pm = (m); \
		(void)sizeof(RT_MAP_VALUE(rt_pm)); \
		(__typeof__(rt_pm))rt_map_clone((struct rt_map *)rt_pm); \
	})

/* map_copy(d, s): sets each entry of s in d.  Go: maps.Copy(d, s). */
#define map_copy(d, s) \
	({ \
		__auto_type rt_pm = (d); \
		__typeof__(rt_pm) rt_ps = (s); \
		(void)sizeof(RT_MAP_VALUE(rt_pm)); \
		rt_map_copy((struct rt_map *)rt_pm, (struct rt_map *)rt_ps); \
	})

/* map_equal(a, b): the same keys with equal values, which are numbers,
 * pointers or strings.  Go: maps.Equal(a, b). */
#define map_equal(a, b) \
	({ \
		__auto_type rt_pm = (a); \
		__typeof__(rt_pm) rt_ps = (b); \
		_Static_assert(__builtin_classify_type(*(RT_MAP_VALUE(rt_pm) *)0) != RT_CLASS_RECORD || \
		               __builtin_types_compatible_p(RT_MAP_VALUE(rt_pm), string), \
		               "map_equal: values that cannot be compared, see map_equal_func"); \
		rt_map_equal((struct rt_map *)rt_pm, (struct rt_map *)rt_ps, \
		             RT_KEY_KIND(RT_MAP_VALUE(rt_pm)), (rt_equal_fn *)0); \
	})

/* map_equal_func(a, b, equal): the same with bool equal(const V *, const V *).
 * Go: maps.EqualFunc. */
#define map_equal_func(a, b, equalf) \
	({ \
		__auto_type rt_pm = (a); \
		__typeof__(rt_pm) rt_ps = (b); \
		bool (*rt_pe)(const RT_MAP_VALUE(rt_pm) *, const RT_MAP_VALUE(rt_pm) *) = (equalf); \
		rt_map_equal((struct rt_map *)rt_pm, (struct rt_map *)rt_ps, RT_KEY_FUNC, \
		             (rt_equal_fn *)rt_pe); \
	})

/* map_keys(K, m), map_values(V, m): all of them as a new slice(K), slice(V),
 * in random order.  Go: slices.Collect(maps.Keys(m)). */
#define map_keys(K, m) \
	({ \
		__auto_type rt_pm = (m); \
		_Static_assert(__builtin_types_compatible_p(__typeof__(rt_pm), \
			RT_MAP_TYPE(__typeof__(K), RT_MAP_VALUE(rt_pm))), "map_keys: not the map's key type"); \
		__auto_type rt_px = make_slice(K, 0, (int64_t)rt_map_len((struct rt_map *)rt_pm)); \
		rt_px.len = rt_map_export((struct rt_map *)rt_pm, rt_px.ptr, rt_px.cap, true); \
		rt_px; \
	})
#define map_values(V, m) \
	({ \
		__auto_type rt_pm = (m); \
		_Static_assert(__builtin_types_compatible_p(V, RT_MAP_VALUE(rt_pm)), \
		               "map_values: not the map's value type"); \
		__auto_type rt_px = make_slice(V, 0, (int64_t)rt_map_len((struct rt_map *)rt_pm)); \
		rt_px.len = rt_map_export((struct rt_map *)rt_pm, rt_px.ptr, rt_px.cap, false); \
		rt_px; \
	})

/* for_map(k, v, m): for each entry once, in random order, with the copies k
 * and v.  Entries may be deleted (they do not come any more) and added (they
 * may come) meanwhile.  K must be a basic type, string, char * or void *;
 * else for_map_of(K, k, v, m).  Go: for k, v := range m. */
#define for_map(k, v, m) RT_FOR_MAP(__typeof__(*RT_MAP_KEY_PTR(m, (struct rt_unknown *)0)), k, v, m, RT_UNIQUE(rt_fm))
#define for_map_of(K, k, v, m) RT_FOR_MAP(__typeof__(K), k, v, m, RT_UNIQUE(rt_fm))
/* For what walks one, an expression: that m, of any kind of map, is of this type. */
#define RT_MAP_MUST_BE(m, type, walk) \
	(void)sizeof(struct { _Static_assert(__builtin_types_compatible_p(__typeof__(m), type), \
		walk ": not such a map; if its key is no basic type: " walk "_of(K, k, v, m)"); char rt_x; })
#define RT_FOR_MAP(K, kv, vv, m, it) \
	for (struct rt_map_iter it = rt_map_iter(( \
		RT_MAP_MUST_BE(m, RT_MAP_TYPE(K, RT_MAP_VALUE(m)), "for_map"), \
		(struct rt_map *)(m))); \
	     rt_map_next(&it);) \
		for (K kv __attribute__((unused)) = *(K *)it.key; it.run; it.run = false) \
			for (RT_MAP_VALUE(m) vv __attribute__((unused)) = *(RT_MAP_VALUE(m) *)it.val; it.run; \
			     it.run = false, it.broke = false)

struct rt_map_iter {
	void *key, *val;    /* the current entry */
	struct rt_map *m;
	char *groups;       /* the table at the start, kept though the map grew */
	uint64_t mask;      /* its groups - 1 */
	uint64_t start;     /* random: slot number where the walk begins */
	uint64_t at;        /* slots visited */
	uint64_t clears;    /* m's count of clears at the start */
	bool run, broke;    /* for_map's loop control */
};

struct rt_map *rt_makemap(const struct rt_map_type *t, const struct rt_type *group, int64_t hint);
struct rt_map *rt_makemap_func(const struct rt_map_type *t, const struct rt_type *group, int64_t hint,
                               rt_map_hash_fn *hash, rt_equal_fn *equal);
void *rt_map_find(struct rt_map *m, const void *k);
void *rt_map_find8(struct rt_map *m, uint64_t k);
void *rt_map_find4(struct rt_map *m, uint32_t k);
void *rt_map_find_string(struct rt_map *m, const char *k, size_t n);
void *rt_map_assign(struct rt_map *m, const void *k);
void *rt_map_assign8(struct rt_map *m, uint64_t k);
void *rt_map_assign4(struct rt_map *m, uint32_t k);
void *rt_map_assign_string(struct rt_map *m, const char *k, size_t n);
void rt_map_delete(struct rt_map *m, const void *k);
void rt_map_clear(struct rt_map *m);
struct rt_map *rt_map_clone(struct rt_map *m);
void rt_map_copy(struct rt_map *d, struct rt_map *s);
bool rt_map_equal(struct rt_map *a, struct rt_map *b, enum rt_key_kind value, rt_equal_fn *equal);
size_t rt_map_export(struct rt_map *m, void *to, size_t n, bool keys);
struct rt_map_iter rt_map_iter(struct rt_map *m);
bool rt_map_next(struct rt_map_iter *it);

#endif
