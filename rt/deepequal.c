/* deepequal.c: values compared in depth (Go: reflect/deepequal.go).
 *
 * Walks two values of one type along its info (typeinfo.h).  A pair of pointers,
 * maps or slices (by where these lie, for two of one array may differ in length) that is being compared already counts as equal when it comes
 * again; if it is not, the first comparison finds out.  Go remembers such pairs in a
 * map; so do we, because a list of them would make long chains quadratic. */
#include "info.h"
#include "hash.h"

/* Two things of one type that are, or were, compared. */
struct visit {
	const void *a, *b;
	const struct rt_info *t;
};

struct visited {
	struct visit *v; /* open addressing; a NULL in a free place */
	size_t n, cap;   /* cap: a power of two, or 0 */
};

static bool equal(struct visited *seen, const struct rt_info *t, const char *a, const char *b);

static struct visit *place(struct visited *s, struct visit v)
{
	uint64_t h = hash_word((uint64_t)v.a, hash_word((uint64_t)v.b, (uint64_t)v.t));

	while (s->v[h & (s->cap - 1)].a) {
		struct visit *e = &s->v[h & (s->cap - 1)];
		if (e->a == v.a && e->b == v.b && e->t == v.t)
			return e;
		h++;
	}
	return &s->v[h & (s->cap - 1)];
}

/* Notes the pair; true if it was there. */
static bool visited(struct visited *s, const struct rt_info *t, const void *a, const void *b)
{
	struct visit v = { a, b, t };

	if (a > b) { /* both orders are one pair */
		v.a = b;
		v.b = a;
	}
	if (s->n * 2 >= s->cap) {
		struct visited old = *s;
		s->cap = old.cap ? old.cap * 2 : 16;
		s->v = rt_malloc(s->cap * sizeof *s->v, NULL);
		for (size_t i = 0; i < old.cap; i++)
			if (old.v[i].a)
				*place(s, old.v[i]) = old.v[i];
	}
	struct visit *e = place(s, v);
	if (e->a)
		return true;
	*e = v;
	s->n++;
	return false;
}

static bool equal_row(struct visited *seen, const struct rt_info *elem, const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++, a += elem->size, b += elem->size)
		if (!equal(seen, elem, a, b))
			return false;
	return true;
}

static bool equal_slices(struct visited *seen, const struct rt_info *t, const struct rt_slice *a,
                         const struct rt_slice *b)
{
	if (!a->ptr != !b->ptr || a->len != b->len)
		return false;
	if (a->ptr == b->ptr || !a->len || visited(seen, t, a, b))
		return true;
	return equal_row(seen, info_at(t->elem), a->ptr, b->ptr, a->len);
}

static bool equal_maps(struct visited *seen, const struct rt_info *t, struct rt_map *a, struct rt_map *b)
{
	if (!a != !b)
		return false;
	if (a == b)
		return true;
	if (rt_map_len(a) != rt_map_len(b))
		return false;
	if (visited(seen, t, a, b))
		return true;
	for (struct rt_map_iter it = rt_map_iter(a); rt_map_next(&it); it.broke = false) {
		const char *other = rt_map_find(b, it.key);
		if (!other || !equal(seen, info_at(t->elem), it.val, other))
			return false;
	}
	return true;
}

static bool equal_pointers(struct visited *seen, const struct rt_info *t, const char *a, const char *b)
{
	const struct rt_info *to = info_at(t->elem);

	if (a == b)
		return true;
	if (!a || !b || to->kind == RT_KIND_OPAQUE)
		return false;
	if (to->kind == RT_KIND_CHAR)
		return strcmp(a, b) == 0;
	if (info_is_error(to)) { /* of what is behind its head only its own functions know */
		error e = (const void *)a, f = (const void *)b;
		return e->type == f->type && string_eq(error_text(e), error_text(f));
	}
	return visited(seen, t, a, b) || equal(seen, to, a, b);
}

static bool equal_structs(struct visited *seen, const struct rt_info *t, const char *a, const char *b)
{
	for (uint32_t i = 0; i < t->n; i++) {
		const struct rt_field *f = &t->fields[i];
		const struct rt_info *ft = info_at(f->type);

		if (f->bits ? info_bits(ft, f, a) != info_bits(ft, f, b)
		            : !equal(seen, ft, a + f->offset, b + f->offset))
			return false;
	}
	return true;
}

static bool equal(struct visited *seen, const struct rt_info *t, const char *a, const char *b)
{
	switch ((enum rt_kind)t->kind) {
	case RT_KIND_FLOAT:
		if (t->size > 8)
			return *(const long double *)a == *(const long double *)b;
		return info_float(t, a) == info_float(t, b);
	case RT_KIND_COMPLEX: {
		struct rt_info part = *t;
		part.size /= 2;
		return info_float(&part, a) == info_float(&part, b) &&
		       info_float(&part, a + part.size) == info_float(&part, b + part.size);
	}
	case RT_KIND_STRING:
		return string_eq(*(const string *)a, *(const string *)b);
	case RT_KIND_POINTER:
		return equal_pointers(seen, t, *(const char *const *)a, *(const char *const *)b);
	case RT_KIND_FUNC:
		return !*(void *const *)a && !*(void *const *)b;
	case RT_KIND_ARRAY: {
		const struct rt_info *e = info_at(t->elem);
		if (e->kind == RT_KIND_CHAR) /* text: what is behind the NUL does not count */
			return strncmp(a, b, t->n) == 0;
		return equal_row(seen, e, a, b, t->n);
	}
	case RT_KIND_SLICE:
		return equal_slices(seen, t, (const void *)a, (const void *)b);
	case RT_KIND_MAP:
		return equal_maps(seen, t, *(struct rt_map *const *)a, *(struct rt_map *const *)b);
	case RT_KIND_STRUCT:
		return equal_structs(seen, t, a, b);
	case RT_KIND_BOOL:
	case RT_KIND_INT:
	case RT_KIND_UINT:
	case RT_KIND_CHAR:
	case RT_KIND_ENUM:
	case RT_KIND_CHAN:
	case RT_KIND_UNION:
	case RT_KIND_OPAQUE:
		return memcmp(a, b, t->size) == 0;
	}
	throw("deep_equal: bad kind %u", t->kind);
}

bool rt_deep_equal(const struct rt_info_ref *type, const void *a, const void *b)
{
	struct visited seen = {};

	return equal(&seen, info_of(type), a, b);
}
