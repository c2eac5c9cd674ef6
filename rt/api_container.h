/* api_container.h: linked lists, rings and heaps of any type (part of
 * ingot.h).  Go: container/list, container/ring, container/heap.
 *
 * list_of(T) and ring_of(T) name structures, declared once per element type by
 * declare_list(T) and declare_ring(T) at file level (T is one word: give a
 * pointer type a typedef).  They are for one task at a time.  All calls are
 * from a task. */
#ifndef INGOT_API_CONTAINER_H
#define INGOT_API_CONTAINER_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* ---- lists ------------------------------------------------------------------ */

/* Go: list.List and list.Element of T.  The zero list is ready and empty; the
 * fields but value are for the functions below. */
#define list_of(T) struct list_##T
#define list_element_of(T) struct list_element_##T
/* declare_list(T): at file level, once. */
#define declare_list(T) \
	struct list_##T; \
	struct list_element_##T { \
		struct list_element_##T *next, *prev; \
		struct list_##T *list; \
		T value; \
	}; \
	struct list_##T { \
		struct list_element_##T *front, *back; \
		size_t len; \
	}

/* list_front(l), list_back(l), list_next(e), list_prev(e): an element, or NULL. */
#define list_front(l) ((l)->front)
#define list_back(l) ((l)->back)
#define list_next(e) ((e)->next)
#define list_prev(e) ((e)->prev)
/* How many elements. */
#define list_len(l) ((l)->len)
/* A new element with value v, at an end, or at `mark`, which must be an element
 * of l, else nothing is done and the result NULL.  Go: l.PushFront(v) ... */
#define list_push_front(l, v) RT_LIST_INSERT(l, v, (void *)0, rt_list_first)
#define list_push_back(l, v) RT_LIST_INSERT(l, v, (void *)0, rt_list_last)
#define list_insert_before(l, v, mark) RT_LIST_INSERT(l, v, mark, rt_list_before)
#define list_insert_after(l, v, mark) RT_LIST_INSERT(l, v, mark, rt_list_after)
#define RT_LIST_INSERT(l, v, mark, where) \
	({ \
		__auto_type rt_ll = (l); \
		__typeof__(rt_ll->front) rt_lm = (mark), rt_le = (void *)0; \
		__typeof__(rt_ll->front->value) rt_lv = RT_CONV(__typeof__(rt_ll->front->value), v); \
		if (!rt_lm || rt_lm->list == rt_ll) { \
			rt_le = rt_new(RT_TYPE(__typeof__(*rt_le))); \
			rt_le->value = rt_lv; \
			where((struct rt_list *)rt_ll, (struct rt_list_element *)rt_le, \
			      (struct rt_list_element *)rt_lm); \
		} \
		rt_le; \
	})
/* Takes e out if it is in l; its value.  Go: l.Remove(e). */
#define list_remove(l, e) \
	({ \
		__auto_type rt_ll = (l); \
		__typeof__(rt_ll->front) rt_le = (e); \
		rt_list_remove((struct rt_list *)rt_ll, (struct rt_list_element *)rt_le); \
		rt_le->value; \
	})
/* Moves e, of l, to an end or to mark, of l.  Go: l.MoveToFront(e) ... */
#define list_move_to_front(l, e) RT_LIST_MOVE(l, e, (void *)0, rt_list_first)
#define list_move_to_back(l, e) RT_LIST_MOVE(l, e, (void *)0, rt_list_last)
#define list_move_before(l, e, mark) RT_LIST_MOVE(l, e, mark, rt_list_before)
#define list_move_after(l, e, mark) RT_LIST_MOVE(l, e, mark, rt_list_after)
#define RT_LIST_MOVE(l, e, mark, where) \
	({ \
		__auto_type rt_ll = (l); \
		__typeof__(rt_ll->front) rt_le = (e), rt_lm = (mark); \
		if (rt_le->list == rt_ll && rt_le != rt_lm && (!rt_lm || rt_lm->list == rt_ll)) { \
			rt_list_remove((struct rt_list *)rt_ll, (struct rt_list_element *)rt_le); \
			where((struct rt_list *)rt_ll, (struct rt_list_element *)rt_le, \
			      (struct rt_list_element *)rt_lm); \
		} \
	})
/* Copies of another list's values, which may be l, at an end.  Go:
 * l.PushBackList(other), l.PushFrontList(other). */
#define list_push_back_list(l, other) \
	({ \
		__auto_type rt_lt = (l); \
		__typeof__(rt_lt) rt_lo = (other); \
		size_t rt_ln = rt_lo->len; \
		for (__auto_type rt_lp = rt_lo->front; rt_ln-- > 0; rt_lp = rt_lp->next) \
			list_push_back(rt_lt, rt_lp->value); \
	})
#define list_push_front_list(l, other) \
	({ \
		__auto_type rt_lt = (l); \
		__typeof__(rt_lt) rt_lo = (other); \
		size_t rt_ln = rt_lo->len; \
		for (__auto_type rt_lp = rt_lo->back; rt_ln-- > 0; rt_lp = rt_lp->prev) \
			list_push_front(rt_lt, rt_lp->value); \
	})
/* Empties it; the elements that were in it stay linked.  Go: l.Init(). */
#define list_init(l) ({ __auto_type rt_ll = (l); *rt_ll = (__typeof__(*rt_ll)){ 0 }; })

/* for_list(e, l): for each element e from the front; e may be removed
 * meanwhile, others not. */
#define for_list(e, l) RT_FOR_LIST(e, l, RT_UNIQUE(rt_fl))
#define RT_FOR_LIST(e, l, after) \
	for (__typeof__((l)->front) e = (l)->front, after = e ? e->next : (void *)0; e; \
	     e = after, after = e ? e->next : (void *)0)

/* ---- rings -------------------------------------------------------------------- */

/* Go: ring.Ring; a pointer to any element stands for the whole, NULL is empty. */
#define ring_of(T) struct ring_##T
/* declare_ring(T): at file level, once. */
#define declare_ring(T) \
	struct ring_##T { \
		struct ring_##T *next, *prev; \
		T value; \
	}
/* n elements with zero values; NULL when n <= 0.  Go: ring.New(n). */
#define new_ring(T, n) \
	({ \
		int64_t rt_rn = (n); \
		struct ring_##T *rt_rr = (void *)0; \
		while (rt_rn-- > 0) { \
			struct ring_##T *rt_re = rt_new(RT_TYPE(struct ring_##T)); \
			rt_re->next = rt_re->prev = rt_re; \
			if (rt_rr) \
				rt_ring_link((struct rt_ring *)rt_rr, (struct rt_ring *)rt_re); \
			else \
				rt_rr = rt_re; \
		} \
		rt_rr; \
	})
/* The next, the previous element. */
#define ring_next(r) ((r)->next)
#define ring_prev(r) ((r)->prev)
/* The element n places on, back if n < 0.  Go: r.Move(n). */
#define ring_move(r, n) ({ __auto_type rt_rr = (r); (__typeof__(rt_rr))rt_ring_move((struct rt_ring *)rt_rr, n); })
/* Makes s follow r; returns what followed.  Two rings become one; of one, what
 * was between r and s becomes a ring of its own, the result.  Go: r.Link(s). */
#define ring_link(r, s) \
	({ \
		__auto_type rt_rr = (r); \
		__typeof__(rt_rr) rt_rs = (s); \
		(__typeof__(rt_rr))rt_ring_link((struct rt_ring *)rt_rr, (struct rt_ring *)rt_rs); \
	})
/* Takes n elements behind r out; they are the result.  Go: r.Unlink(n). */
#define ring_unlink(r, n) \
	({ __auto_type rt_rr = (r); (__typeof__(rt_rr))rt_ring_unlink((struct rt_ring *)rt_rr, n); })
/* How many elements; 0 of NULL.  O(n). */
#define ring_len(r) ({ __auto_type rt_rr = (r); (void)sizeof(rt_rr->next->value); rt_ring_len((struct rt_ring *)rt_rr); })
/* for_ring(e, r): for each element, from r on.  Go: r.Do. */
#define for_ring(e, r) RT_FOR_RING(e, r, RT_UNIQUE(rt_fg))
#define RT_FOR_RING(e, r, first) \
	for (__typeof__(r) first = (r), e = first; e; e = e->next == first ? (void *)0 : e->next)

/* ---- heaps ----------------------------------------------------------------------- */

/* A slice with the least element at index 0, by bool less(const T *, const T *).
 * sp points to the slice.  Go: heap.Init(h), Push, Pop, Remove(h, i), Fix(h, i). */
#define heap_init(sp, less) \
	({ \
		RT_HEAP(sp, less); \
		rt_heap_init(rt_hs->ptr, rt_hs->len, sizeof *rt_hs->ptr, (rt_less_fn *)rt_hl); \
	})
#define heap_push(sp, v, less) \
	({ \
		RT_HEAP(sp, less); \
		*rt_hs = append(*rt_hs, v); \
		rt_heap_up(rt_hs->ptr, rt_hs->len - 1, sizeof *rt_hs->ptr, (rt_less_fn *)rt_hl); \
	})
/* Takes out the least, the element at i; panics "index out of range" when there is none. */
#define heap_pop(sp, less) RT_HEAP_REMOVE(sp, 0, rt_hs->len - 1, less)
#define heap_remove(sp, i, less) RT_HEAP_REMOVE(sp, i, rt_hi, less)
#define RT_HEAP_REMOVE(sp, i, bad, less) \
	({ \
		RT_HEAP(sp, less); \
		size_t rt_hi = (size_t)(i); \
		if (rt_unlikely(rt_hi >= rt_hs->len)) \
			rt_panic_index(bad, rt_hs->len, 0); \
		rt_hs->len--; \
		rt_heap_remove(rt_hs->ptr, rt_hi, rt_hs->len, sizeof *rt_hs->ptr, (rt_less_fn *)rt_hl); \
		__typeof__(*rt_hs->ptr) rt_hv = rt_hs->ptr[rt_hs->len]; \
		__builtin_memset(&rt_hs->ptr[rt_hs->len], 0, sizeof rt_hv); \
		rt_hv; \
	})
/* After the element at i has changed. */
#define heap_fix(sp, i, less) \
	({ \
		RT_HEAP(sp, less); \
		size_t rt_hi = (size_t)(i); \
		if (rt_unlikely(rt_hi >= rt_hs->len)) \
			rt_panic_index(rt_hi, rt_hs->len, 0); \
		rt_heap_fix(rt_hs->ptr, rt_hi, rt_hs->len, sizeof *rt_hs->ptr, (rt_less_fn *)rt_hl); \
	})
#define RT_HEAP(sp, less) \
	__auto_type rt_hs = (sp); \
	bool (*rt_hl)(const __typeof__(*rt_hs->ptr) *, const __typeof__(*rt_hs->ptr) *) = (less)

/* ---- internals ---------------------------------------------------------------------- */

/* The beginning of every list_element_of(T), list_of(T), ring_of(T). */
struct rt_list_element {
	struct rt_list_element *next, *prev;
	struct rt_list *list;
};
struct rt_list {
	struct rt_list_element *front, *back;
	size_t len;
};
struct rt_ring {
	struct rt_ring *next, *prev;
};
typedef bool rt_less_fn(const void *a, const void *b);
void rt_list_first(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *unused);
void rt_list_last(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *unused);
void rt_list_before(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *mark);
void rt_list_after(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *mark);
void rt_list_remove(struct rt_list *l, struct rt_list_element *e);
struct rt_ring *rt_ring_move(struct rt_ring *r, int64_t n);
struct rt_ring *rt_ring_link(struct rt_ring *r, struct rt_ring *s);
struct rt_ring *rt_ring_unlink(struct rt_ring *r, int64_t n);
size_t rt_ring_len(const struct rt_ring *r);
void rt_heap_init(void *v, size_t n, size_t size, rt_less_fn *less);
void rt_heap_up(void *v, size_t i, size_t size, rt_less_fn *less);
void rt_heap_remove(void *v, size_t i, size_t n, size_t size, rt_less_fn *less);
void rt_heap_fix(void *v, size_t i, size_t n, size_t size, rt_less_fn *less);

#endif
