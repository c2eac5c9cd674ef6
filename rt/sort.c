/* sort.c: sorting and searching (Go: packages slices and sort).
 *
 * pdq.h is the quicksort; here it is made for each kind of ordered element and
 * for elements of any size with a comparison.  The linker keeps those that a
 * program uses.  NaNs are moved to the front first: among the others < is an
 * order.
 *
 * The stable sort is a merge sort with room for half of the elements: blocks of
 * 16 by insertion, then merges of neighbours, skipped where they are in order
 * already.  Go's merges in place, which costs a factor log n of moves. */
#include "rt.h"
#include "api_value.h"
#include "api_sort.h"

/* Bad partitions that are forgiven: as many as n has bits. */
static unsigned limit_of(size_t n)
{
	return 64 - (unsigned)__builtin_clzll(n | 1);
}

/* What every kind has: k is its name, T its type, BEFORE(x, y) its order. */
#define KIND(k, T, BEFORE, NANS) \
	void rt_sort_##k(void *p, size_t n) \
	{ \
		T *v = p; \
		NANS(v, n) \
		sort_##k(v, 0, n, limit_of(n)); \
	} \
	bool rt_is_sorted_##k(const void *p, size_t n) \
	{ \
		const T *v = p; \
		for (size_t i = 1; i < n; i++) \
			if (BEFORE(v[i], v[i - 1])) \
				return false; \
		return true; \
	} \
	bool rt_search_##k(const void *p, size_t n, const void *xp, size_t *at) \
	{ \
		const T *v = p; \
		const T x = *(const T *)xp; \
		size_t i = 0, j = n; \
		while (i < j) { \
			size_t h = i + (j - i) / 2; \
			if (BEFORE(v[h], x)) \
				i = h + 1; \
			else \
				j = h; \
		} \
		*at = i; \
		return i < n && !BEFORE(x, v[i]); \
	}
#define NO_NANS(v, n)
#define NANS_FIRST(v, n) \
	for (size_t i = 0, nans = 0, all = n; i < all; i++) { \
		__typeof__(*v) x = v[0]; \
		if (v[i - nans] == v[i - nans]) \
			continue; \
		v[0] = v[i - nans]; \
		v[i - nans] = x; \
		v++; \
		nans++; \
		n--; \
	}

/* Index of the least or greatest; a NaN wins (and -0 is less than 0). */
#define BEST(k, T, BETTER) \
	size_t rt_best_##k(const void *p, size_t n, bool greatest) \
	{ \
		const T *v = p; \
		size_t best = 0; \
		if (n == 0) \
			rt_panic("slices.%s: empty list", greatest ? "Max" : "Min"); \
		for (size_t i = 1; i < n; i++) \
			if (greatest ? BETTER(v[best], v[i]) : BETTER(v[i], v[best])) \
				best = i; \
		return best; \
	}

#define LESS(x, y) ((x) < (y))
#define LESS_FLOAT(x, y) ((x) < (y) || ((x) != (x) && (y) == (y)))
#define LESS_STRING(x, y) (string_cmp(x, y) < 0)

#define PDQ_LESS_OF(c, i, j, before) before((c)[i], (c)[j])
#define PDQ_SWAP_OF(c, i, j) \
	do { \
		__typeof__(*(c)) swap_x = (c)[i]; \
		(c)[i] = (c)[j]; \
		(c)[j] = swap_x; \
	} while (0)

#define PDQ(name) name##_i8
#define PDQ_T int8_t
#define PDQ_CTX int8_t *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(i8, int8_t, LESS, NO_NANS)

#define PDQ(name) name##_u8
#define PDQ_T uint8_t
#define PDQ_CTX uint8_t *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(u8, uint8_t, LESS, NO_NANS)

#define PDQ(name) name##_i16
#define PDQ_T int16_t
#define PDQ_CTX int16_t *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(i16, int16_t, LESS, NO_NANS)

#define PDQ(name) name##_u16
#define PDQ_T uint16_t
#define PDQ_CTX uint16_t *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(u16, uint16_t, LESS, NO_NANS)

#define PDQ(name) name##_i32
#define PDQ_T int32_t
#define PDQ_CTX int32_t *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(i32, int32_t, LESS, NO_NANS)

#define PDQ(name) name##_u32
#define PDQ_T uint32_t
#define PDQ_CTX uint32_t *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(u32, uint32_t, LESS, NO_NANS)

#define PDQ(name) name##_i64
#define PDQ_T int64_t
#define PDQ_CTX int64_t *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(i64, int64_t, LESS, NO_NANS)

#define PDQ(name) name##_u64
#define PDQ_T uint64_t
#define PDQ_CTX uint64_t *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(u64, uint64_t, LESS, NO_NANS)

#define PDQ(name) name##_f32
#define PDQ_T float
#define PDQ_CTX float *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(f32, float, LESS_FLOAT, NANS_FIRST)

#define PDQ(name) name##_f64
#define PDQ_T double
#define PDQ_CTX double *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS(x, y)
#define PDQ_INSERTION 20
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(f64, double, LESS_FLOAT, NANS_FIRST)

#define PDQ(name) name##_str
#define PDQ_T string
#define PDQ_CTX string *
#define PDQ_BASE(c) (c)
#define PDQ_BEFORE(c, x, y) LESS_STRING(x, y)
#define PDQ_INSERTION 12
#define PDQ_LESS(c, i, j) PDQ_LESS_OF(c, i, j, LESS_STRING)
#define PDQ_SWAP PDQ_SWAP_OF
#include "pdq.h"
KIND(str, string, LESS_STRING, NO_NANS)

BEST(i8, int8_t, LESS)
BEST(u8, uint8_t, LESS)
BEST(i16, int16_t, LESS)
BEST(u16, uint16_t, LESS)
BEST(i32, int32_t, LESS)
BEST(u32, uint32_t, LESS)
BEST(i64, int64_t, LESS)
BEST(u64, uint64_t, LESS)
BEST(str, string, LESS_STRING)

/* x is better than y as a least: where they are equal, -0; and NaN before all.
 * For a greatest the roles are changed, so NaN has to win on that side too. */
#define BEST_FLOAT(k, T) \
	size_t rt_best_##k(const void *p, size_t n, bool greatest) \
	{ \
		const T *v = p; \
		size_t best = 0; \
		if (n == 0) \
			rt_panic("slices.%s: empty list", greatest ? "Max" : "Min"); \
		for (size_t i = 0; i < n; i++) { \
			if (v[i] != v[i]) \
				return i; \
			if (greatest ? v[i] > v[best] : v[i] < v[best]) \
				best = i; \
			else if (v[i] == v[best] && !__builtin_signbit(v[i]) == greatest) \
				best = i; \
		} \
		return best; \
	}
BEST_FLOAT(f32, float)
BEST_FLOAT(f64, double)

/* ---- with a comparison ------------------------------------------------------- */

struct elems {
	char *v;
	size_t size;
	rt_cmp_fn *cmp;
};

static inline char *elem(const struct elems *e, size_t i)
{
	return e->v + i * e->size;
}

static inline void swap_elems(char *a, char *b, size_t size)
{
	char t[128];

	while (size) {
		size_t n = size < sizeof t ? size : sizeof t;

		memcpy(t, a, n);
		memmove(a, b, n); /* a may be b */
		memcpy(b, t, n);
		a += n;
		b += n;
		size -= n;
	}
}

#define PDQ(name) name##_elems
#define PDQ_CTX const struct elems *
#define PDQ_INSERTION 12
#define PDQ_LESS(c, i, j) ((c)->cmp(elem(c, i), elem(c, j)) < 0)
#define PDQ_SWAP(c, i, j) swap_elems(elem(c, i), elem(c, j), (c)->size)
#include "pdq.h"

/* The usual sizes, moved as words. */
#define WORDS_BASE(c, n) ((struct words##n *)(c)->v)
#define WORDS_LESS(c, i, j, n) ((c)->cmp(WORDS_BASE(c, n) + (i), WORDS_BASE(c, n) + (j)) < 0)
#define WORDS_BEFORE(c, x, y) ((c)->cmp(&(x), &(y)) < 0)

struct words1 {
	uint64_t w[1];
} __attribute__((may_alias));
#define PDQ(name) name##_words1
#define PDQ_T struct words1
#define PDQ_CTX const struct elems *
#define PDQ_BASE(c) WORDS_BASE(c, 1)
#define PDQ_BEFORE WORDS_BEFORE
#define PDQ_INSERTION 12
#define PDQ_LESS(c, i, j) WORDS_LESS(c, i, j, 1)
#define PDQ_SWAP(c, i, j) PDQ_SWAP_OF(PDQ_BASE(c), i, j)
#include "pdq.h"

struct words2 {
	uint64_t w[2];
} __attribute__((may_alias));
#define PDQ(name) name##_words2
#define PDQ_T struct words2
#define PDQ_CTX const struct elems *
#define PDQ_BASE(c) WORDS_BASE(c, 2)
#define PDQ_BEFORE WORDS_BEFORE
#define PDQ_INSERTION 12
#define PDQ_LESS(c, i, j) WORDS_LESS(c, i, j, 2)
#define PDQ_SWAP(c, i, j) PDQ_SWAP_OF(PDQ_BASE(c), i, j)
#include "pdq.h"

struct words3 {
	uint64_t w[3];
} __attribute__((may_alias));
#define PDQ(name) name##_words3
#define PDQ_T struct words3
#define PDQ_CTX const struct elems *
#define PDQ_BASE(c) WORDS_BASE(c, 3)
#define PDQ_BEFORE WORDS_BEFORE
#define PDQ_INSERTION 12
#define PDQ_LESS(c, i, j) WORDS_LESS(c, i, j, 3)
#define PDQ_SWAP(c, i, j) PDQ_SWAP_OF(PDQ_BASE(c), i, j)
#include "pdq.h"

void rt_sort_func(void *v, size_t n, size_t size, rt_cmp_fn *cmp)
{
	struct elems e = { v, size, cmp };

	switch (size) {
	case 8:
		sort_words1(&e, 0, n, limit_of(n));
		break;
	case 16:
		sort_words2(&e, 0, n, limit_of(n));
		break;
	case 24:
		sort_words3(&e, 0, n, limit_of(n));
		break;
	default:
		sort_elems(&e, 0, n, limit_of(n));
	}
}

bool rt_is_sorted_func(const void *v, size_t n, size_t size, rt_cmp_fn *cmp)
{
	for (size_t i = 1; i < n; i++)
		if (cmp((const char *)v + i * size, (const char *)v + (i - 1) * size) < 0)
			return false;
	return true;
}

bool rt_search_func(const void *v, size_t n, size_t size, const void *x, rt_cmp_fn *cmp, size_t *at)
{
	size_t i = 0, j = n;

	while (i < j) {
		size_t h = i + (j - i) / 2;

		if (cmp((const char *)v + h * size, x) < 0)
			i = h + 1;
		else
			j = h;
	}
	*at = i;
	return i < n && cmp((const char *)v + i * size, x) == 0;
}

size_t sort_search(size_t n, bool (*f)(size_t i, void *arg), void *arg)
{
	size_t i = 0, j = n;

	while (i < j) {
		size_t h = i + (j - i) / 2;

		if (f(h, arg))
			j = h;
		else
			i = h + 1;
	}
	return i;
}

/* Merges [a, m) and [m, b); room is for m - a elements. */
static void merge(const struct elems *e, size_t a, size_t m, size_t b, char *room)
{
	size_t size = e->size;
	char *to = elem(e, a), *left = room, *left_end = room + (m - a) * size;
	char *right = elem(e, m), *end = elem(e, b);

	memcpy(room, to, (m - a) * size);
	while (left < left_end && right < end) {
		if (e->cmp(right, left) < 0) {
			memmove(to, right, size);
			right += size;
		} else {
			memcpy(to, left, size);
			left += size;
		}
		to += size;
	}
	memcpy(to, left, (size_t)(left_end - left));
}

void rt_sort_stable(void *v, size_t n, const struct rt_type *type, rt_cmp_fn *cmp)
{
	enum { BLOCK = 16 };
	struct elems e = { v, type->size, cmp };
	size_t largest = BLOCK;
	char *room;

	for (size_t a = 0; a < n; a += BLOCK)
		insertion_elems(&e, a, n - a < BLOCK ? n : a + BLOCK);
	if (n <= BLOCK || type->size == 0)
		return;
	while (largest < n - largest)
		largest *= 2;
	room = rt_malloc(largest * type->size, type);
	for (size_t width = BLOCK; width < n; width *= 2)
		for (size_t a = 0; n - a > width; a += 2 * width) {
			size_t m = a + width, b = n - m < width ? n : m + width;

			if (cmp(elem(&e, m), elem(&e, m - 1)) < 0)
				merge(&e, a, m, b, room);
			if (b == n)
				break;
		}
}
