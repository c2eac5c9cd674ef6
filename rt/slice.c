/* slice.c: growth and the failures of slices (Go: runtime/slice.go).
 *
 * A slice's array is one heap object; its capacity is what the size class
 * really gives.  The macros of api_value.h do everything that does not grow. */
#include "heap.h"
#include "text.h"

#define MAX_ALLOC ((size_t)1 << 47)

/* The array of make_slice.  Panics in Go's words.  task. */
void *rt_makeslice(int64_t n, int64_t c, size_t size, const struct rt_type *type)
{
	size_t bytes;

	if (n < 0 || __builtin_mul_overflow((size_t)n, size, &bytes) || bytes > MAX_ALLOC)
		rt_panic("runtime error: makeslice: len out of range");
	if (c < n || __builtin_mul_overflow((size_t)c, size, &bytes) || bytes > MAX_ALLOC)
		rt_panic("runtime error: makeslice: cap out of range");
	return rt_malloc(bytes, type);
}

/* Go's growth: double up to 256 elements, then a slope towards a quarter more
 * (runtime/slice.go, nextslicecap). */
static size_t next_cap(size_t need, size_t old)
{
	const size_t threshold = 256;
	size_t c = old;

	if (need > old + old)
		return need;
	if (old < threshold)
		return old + old;
	while (c < need)
		c += (c + 3 * threshold) >> 2;
	return c;
}

/* Gives s room for add elements more; only ptr and cap change.  task. */
void rt_growslice(struct rt_slice *s, size_t add, size_t size, const struct rt_type *type)
{
	size_t need, bytes, c;
	void *p;

	if (__builtin_add_overflow(s->len, add, &need))
		rt_panic("runtime error: growslice: len out of range");
	if (size == 0) {
		s->ptr = rt_malloc(0, type);
		s->cap = need;
		return;
	}
	c = next_cap(need, s->cap);
	if (__builtin_mul_overflow(c, size, &bytes) || bytes > MAX_ALLOC)
		rt_panic("runtime error: growslice: len out of range");
	bytes = rt_malloc_size(bytes);
	/* Of most elements the size is a power of two: no division. */
	c = size & (size - 1) ? bytes / size : bytes >> __builtin_ctzl(size);
	p = unlikely(bytes > MAX_SMALL_SIZE) ? rt_malloc_over(c * size, s->len * size, type) : rt_malloc(c * size, type);
	copy_short(p, s->ptr, s->len * size);
	s->ptr = p;
	s->cap = c;
}

void rt_panic_index(size_t i, size_t n, int is_unsigned)
{
	if ((ptrdiff_t)i < 0 && !is_unsigned)
		rt_panic("runtime error: index out of range [%td]", (ptrdiff_t)i);
	rt_panic("runtime error: index out of range [%zu] with length %zu", i, n);
}

void rt_panic_to_array(size_t have, size_t want)
{
	rt_panic("runtime error: cannot convert slice with length %zu to array or pointer to array with length %zu",
	         have, want);
}

/* form: 1 s[i:], 2 s[i:j], 3 s[i:j:k], plus 4 for strings, plus 8, 16, 32 for an
 * unsigned i, j, k; room is the capacity, or a string's length. */
void rt_panic_slice(size_t i, size_t j, size_t k, size_t room, int form)
{
	const char *what = form & 4 ? "length" : "capacity", *colon = (form & 3) == 3 ? ":" : "";
	size_t end = *colon ? k : room;

	if (*colon && k > room) {
		if ((ptrdiff_t)k < 0 && !(form & 32))
			rt_panic("runtime error: slice bounds out of range [::%td]", (ptrdiff_t)k);
		rt_panic("runtime error: slice bounds out of range [::%zu] with capacity %zu", k, room);
	}
	if (j > end) {
		if ((ptrdiff_t)j < 0 && !(form & 16))
			rt_panic("runtime error: slice bounds out of range [:%td%s]", (ptrdiff_t)j, colon);
		if (*colon)
			rt_panic("runtime error: slice bounds out of range [:%zu:%zu]", j, k);
		rt_panic("runtime error: slice bounds out of range [:%zu] with %s %zu", j, what, room);
	}
	if ((ptrdiff_t)i < 0 && !(form & 8))
		rt_panic("runtime error: slice bounds out of range [%td:%s]", (ptrdiff_t)i, colon);
	rt_panic("runtime error: slice bounds out of range [%zu:%zu%s]", i, j, colon);
}
