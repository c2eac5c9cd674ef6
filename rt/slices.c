/* slices.c: what api_slices.h's macros do out of line (Go: package slices).
 *
 * Elements are bytes of a known size here; pointers among them move only by
 * memcpy and memmove on the object itself, which is all that the collector asks. */
#include "rt.h"
#include "api_value.h"

static bool equal(const void *p, const void *q, size_t size, enum rt_eq eq)
{
	switch (eq) {
	case RT_EQ_STRING:
		return string_eq(*(const string *)p, *(const string *)q);
	case RT_EQ_FLOAT:
		return *(const float *)p == *(const float *)q;
	case RT_EQ_DOUBLE:
		return *(const double *)p == *(const double *)q;
	case RT_EQ_BYTES:
		break;
	}
	return memcmp(p, q, size) == 0;
}

#define INDEX_OF(T) \
	do { \
		const T *t = p, want = *(const T *)v; \
		for (size_t i = 0; i < n; i++) \
			if (t[i] == want) \
				return (ptrdiff_t)i; \
		return -1; \
	} while (0)

ptrdiff_t rt_slices_index(const void *p, size_t n, const void *v, size_t size, enum rt_eq eq)
{
	if (eq == RT_EQ_BYTES) {
		switch (size) {
		case 1:
			INDEX_OF(uint8_t);
		case 2:
			INDEX_OF(uint16_t);
		case 4:
			INDEX_OF(uint32_t);
		case 8:
			INDEX_OF(uint64_t);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (equal((const char *)p + i * size, v, size, eq))
			return (ptrdiff_t)i;
	}
	return -1;
}

bool rt_slices_equal(const void *p, const void *q, size_t n, size_t size, enum rt_eq eq)
{
	if (eq == RT_EQ_BYTES)
		return n == 0 || memcmp(p, q, n * size) == 0;
	for (size_t i = 0; i < n; i++) {
		if (!equal((const char *)p + i * size, (const char *)q + i * size, size, eq))
			return false;
	}
	return true;
}

size_t rt_slices_compact(void *p, size_t n, size_t size, enum rt_eq eq)
{
	char *b = p;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && equal(b + (kept - 1) * size, b + i * size, size, eq))
			continue;
		if (kept != i)
			memcpy(b + kept * size, b + i * size, size);
		kept++;
	}
	return kept;
}

/* By the word, so that a stop of the world never finds half a pointer. */
static void swap(char *p, char *q, size_t size)
{
	size_t i = 0;

	for (; i + 8 <= size; i += 8) {
		uint64_t a, b;

		memcpy(&a, p + i, 8);
		memcpy(&b, q + i, 8);
		memcpy(p + i, &b, 8);
		memcpy(q + i, &a, 8);
	}
	for (; i < size; i++) {
		char c = p[i];

		p[i] = q[i];
		q[i] = c;
	}
}

void rt_slices_reverse(void *p, size_t n, size_t size)
{
	char *lo = p, *hi = (char *)p + n * size;

	for (size_t i = 0; i < n / 2; i++, lo += size)
		swap(lo, hi -= size, size);
}

/* s[i:j], which lies in s, becomes the n elements at v. */
void rt_slices_replace(struct rt_slice *s, size_t i, size_t j, const void *v, size_t n, size_t size,
                       const struct rt_type *type)
{
	char *b = s->ptr;
	size_t tail = s->len - j, more = n - (j - i), old = s->len;

	if (n > j - i && s->cap - s->len < more) {
		struct rt_slice grown = { NULL, 0, 0 };

		if (__builtin_add_overflow(s->len, more, &grown.len))
			rt_panic("runtime error: growslice: len out of range");
		more = grown.len;
		grown = *s;
		grown.len = 0; /* nothing is moved yet */
		rt_growslice(&grown, more, size, type);
		b = grown.ptr;
		if (i)
			memcpy(b, s->ptr, i * size);
		memcpy(b + i * size, v, n * size);
		if (tail)
			memcpy(b + (i + n) * size, (char *)s->ptr + j * size, tail * size);
		*s = (struct rt_slice){ b, more, grown.cap };
		return;
	}
	if (n && (const char *)v < b + s->cap * size && (const char *)v + n * size > b) {
		/* Part of s itself, which is about to move. */
		void *copy_of = rt_malloc(n * size, type);

		memcpy(copy_of, v, n * size);
		v = copy_of;
	}
	if (tail && n != j - i)
		memmove(b + (i + n) * size, b + j * size, tail * size);
	if (n)
		memcpy(b + i * size, v, n * size);
	s->len = i + n + tail;
	if (s->len < old)
		memset(b + s->len * size, 0, (old - s->len) * size);
}

void rt_slices_grow(struct rt_slice *s, int64_t n, size_t size, const struct rt_type *type)
{
	if (n < 0)
		rt_panic("cannot be negative");
	if (s->cap - s->len < (size_t)n)
		rt_growslice(s, (size_t)n, size, type);
}

void rt_slices_concat(struct rt_slice *s, const struct rt_slice *v, size_t n, size_t size, const struct rt_type *type)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		if (__builtin_add_overflow(total, v[i].len, &total))
			rt_panic("len out of range");
	}
	*s = (struct rt_slice){};
	if (total)
		rt_growslice(s, total, size, type);
	for (size_t i = 0; i < n; i++) {
		if (v[i].len)
			memcpy((char *)s->ptr + s->len * size, v[i].ptr, v[i].len * size);
		s->len += v[i].len;
	}
}

void rt_slices_repeat(struct rt_slice *s, int64_t n, size_t size, const struct rt_type *type)
{
	struct rt_slice one = *s;
	size_t total;

	if (n < 0)
		rt_panic("cannot be negative");
	if (__builtin_mul_overflow(one.len, (size_t)n, &total))
		rt_panic("the result of (len(x) * count) overflows");
	*s = (struct rt_slice){};
	if (total)
		rt_growslice(s, total, size, type);
	for (; s->len < total; s->len += one.len)
		memcpy((char *)s->ptr + s->len * size, one.ptr, one.len * size);
}
