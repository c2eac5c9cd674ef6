/* container.c: the untyped half of lists, rings and heaps (api_container.h).
 *
 * A list is not circular: its ends are NULL.  An element's `list` says where it
 * is, NULL when nowhere.  rt/ is built without strict aliasing, so the typed
 * structures may be seen as the ones here. */
#include "rt.h"
#include "api_value.h"
#include "api_container.h"

/* Between two neighbours, either of which may be NULL. */
static void insert(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *prev,
                   struct rt_list_element *next)
{
	e->prev = prev;
	e->next = next;
	e->list = l;
	if (prev)
		prev->next = e;
	else
		l->front = e;
	if (next)
		next->prev = e;
	else
		l->back = e;
	l->len++;
}

void rt_list_first(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *unused)
{
	insert(l, e, NULL, l->front);
}

void rt_list_last(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *unused)
{
	insert(l, e, l->back, NULL);
}

void rt_list_before(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *mark)
{
	if (mark)
		insert(l, e, mark->prev, mark);
}

void rt_list_after(struct rt_list *l, struct rt_list_element *e, struct rt_list_element *mark)
{
	if (mark)
		insert(l, e, mark, mark->next);
}

/* What it pointed to is forgotten, so that it keeps nothing alive. */
void rt_list_remove(struct rt_list *l, struct rt_list_element *e)
{
	if (e->list != l)
		return;
	if (e->prev)
		e->prev->next = e->next;
	else
		l->front = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		l->back = e->prev;
	e->next = e->prev = NULL;
	e->list = NULL;
	l->len--;
}

/* ---- rings ---------------------------------------------------------------------- */

struct rt_ring *rt_ring_move(struct rt_ring *r, int64_t n)
{
	for (; n < 0; n++)
		r = r->prev;
	for (; n > 0; n--)
		r = r->next;
	return r;
}

struct rt_ring *rt_ring_link(struct rt_ring *r, struct rt_ring *s)
{
	struct rt_ring *next = r->next, *last;

	if (s) {
		last = s->prev;
		r->next = s;
		s->prev = r;
		next->prev = last;
		last->next = next;
	}
	return next;
}

struct rt_ring *rt_ring_unlink(struct rt_ring *r, int64_t n)
{
	return n <= 0 ? NULL : rt_ring_link(r, rt_ring_move(r, n + 1));
}

size_t rt_ring_len(const struct rt_ring *r)
{
	size_t n = 0;

	for (const struct rt_ring *p = r; p; p = p->next == r ? NULL : p->next)
		n++;
	return n;
}

/* ---- heaps ------------------------------------------------------------------------ */

static void swap(char *a, char *b, size_t size)
{
	char t[64];

	for (size_t n; size; a += n, b += n, size -= n) {
		n = size < sizeof t ? size : sizeof t;
		memcpy(t, a, n);
		memmove(a, b, n); /* a may be b */
		memcpy(b, t, n);
	}
}

void rt_heap_up(void *v, size_t i, size_t size, rt_less_fn *less)
{
	char *p = v;

	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (!less(p + i * size, p + parent * size))
			return;
		swap(p + i * size, p + parent * size, size);
		i = parent;
	}
}

/* True if it moved. */
static bool down(char *p, size_t start, size_t n, size_t size, rt_less_fn *less)
{
	size_t i = start;

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && less(p + (child + 1) * size, p + child * size))
			child++;
		if (!less(p + child * size, p + i * size))
			break;
		swap(p + i * size, p + child * size, size);
	}
	return i > start;
}

void rt_heap_init(void *v, size_t n, size_t size, rt_less_fn *less)
{
	for (size_t i = n / 2; i-- > 0;)
		down(v, i, n, size, less);
}

void rt_heap_fix(void *v, size_t i, size_t n, size_t size, rt_less_fn *less)
{
	if (!down(v, i, n, size, less))
		rt_heap_up(v, i, size, less);
}

/* The element goes to index n, behind the n others. */
void rt_heap_remove(void *v, size_t i, size_t n, size_t size, rt_less_fn *less)
{
	if (i == n)
		return;
	swap((char *)v + i * size, (char *)v + n * size, size);
	rt_heap_fix(v, i, n, size, less);
}
