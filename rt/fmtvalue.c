/* fmtvalue.c: any value as text (Go: fmt's %v and %+v, print.go printValue).
 *
 * Walks a value along its type's info (typeinfo.h).  Pointers are followed only
 * at the top, so a cycle can only go through slices and maps: those under way
 * are in a chain on the stack, and one that is met again is cut. */
#include "info.h"

/* A slice or map that is being printed. */
struct within {
	const struct within *up;
	const void *p;
	size_t n;
};

struct out {
	builder *b;
	bool plus;
};

static void value(struct out *o, const struct rt_info *t, const void *p, const struct within *up, bool top);

static void text(struct out *o, const char *s)
{
	builder_write(o->b, cstring(s));
}

/* ---- numbers ---------------------------------------------------------------- */

static void float_text(struct out *o, double d, bool single)
{
	builder_write(o->b, strconv_format_float(d, 'g', -1, single ? 32 : 64));
}

static void complex_text(struct out *o, const struct rt_info *t, const char *p)
{
	struct rt_info part = *t;

	part.size = t->size / 2;
	double im = info_float(&part, p + part.size);
	builder_write_byte(o->b, '(');
	float_text(o, info_float(&part, p), part.size == 4);
	if (!(im < 0 || (im == 0 && 1 / im < 0)) && im - im == 0)
		builder_write_byte(o->b, '+');
	float_text(o, im, part.size == 4);
	text(o, "i)");
}

static void char_text(struct out *o, char c)
{
	static const char names[] = "\0" "0\a" "a\b" "b\t" "t\n" "n\v" "v\f" "f\r" "r'" "'\\" "\\";

	for (size_t i = 0; i + 1 < sizeof names; i += 2)
		if (c == names[i]) {
			builder_printf(o->b, "'\\%c'", names[i + 1]);
			return;
		}
	if (c < ' ' || c > '~')
		builder_printf(o->b, "'\\x%02x'", (unsigned)(byte)c);
	else
		builder_printf(o->b, "'%c'", c);
}

static void bytes_text(struct out *o, const struct rt_info *t, const byte *p)
{
	text(o, "0x");
	for (uint32_t i = t->size; i-- > 0;)
		builder_printf(o->b, "%02x", (unsigned)p[i]);
}

static void enum_text(struct out *o, const struct rt_info *t, int64_t v)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->size == 4 ? (int32_t)t->names[i].value == (int32_t)v : t->names[i].value == v) {
			text(o, info_base() + t->names[i].name);
			return;
		}
	builder_printf(o->b, "%s(%ld)", info_name(t), (long)v);
}

static void address(struct out *o, const void *p)
{
	if (p)
		builder_printf(o->b, "0x%lx", (unsigned long)p);
	else
		text(o, "<nil>");
}

/* ---- what has parts ------------------------------------------------------------ */

static bool is_within(const struct within *up, const void *p, size_t n)
{
	for (; up; up = up->up)
		if (up->p == p && up->n == n)
			return true;
	return false;
}

/* Elements in a row, n of them. */
static void row(struct out *o, const struct rt_info *elem, const char *p, size_t n, const struct within *up)
{
	builder_write_byte(o->b, '[');
	for (size_t i = 0; i < n; i++, p += elem->size) {
		if (i)
			builder_write_byte(o->b, ' ');
		value(o, elem, p, up, false);
	}
	builder_write_byte(o->b, ']');
}

static void slice_text(struct out *o, const struct rt_info *elem, const struct rt_slice *s, const struct within *up)
{
	struct within here = { up, s->ptr, s->len };

	if (s->len && is_within(up, s->ptr, s->len))
		text(o, "<cycle>");
	else
		row(o, elem, s->ptr, s->len, &here);
}

static void struct_text(struct out *o, const struct rt_info *t, const char *p, const struct within *up)
{
	builder_write_byte(o->b, '{');
	for (uint32_t i = 0; i < t->n; i++) {
		const struct rt_field *f = &t->fields[i];
		const struct rt_info *ft = info_at(f->type);
		const char *name = info_base() + f->name;

		if (i)
			builder_write_byte(o->b, ' ');
		if (o->plus && *name) {
			text(o, name);
			builder_write_byte(o->b, ':');
		}
		if (!f->bits) {
			value(o, ft, p + f->offset, up, false);
			continue;
		}
		uint64_t v = info_bits(ft, f, p);
		value(o, ft, &v, up, false); /* little-endian: its low bytes are it */
	}
	builder_write_byte(o->b, '}');
}

struct entry {
	const char *key, *val;
};

/* As Go sorts them: numbers and strings ascending, NaN and false first. */
static bool before(const struct rt_info *t, const void *a, const void *b)
{
	switch ((enum rt_kind)t->kind) {
	case RT_KIND_INT:
	case RT_KIND_ENUM:
	case RT_KIND_CHAR:
		return info_int(t, a) < info_int(t, b);
	case RT_KIND_BOOL:
	case RT_KIND_UINT:
		return info_uint(t, a) < info_uint(t, b);
	case RT_KIND_POINTER:
	case RT_KIND_FUNC:
	case RT_KIND_CHAN:
	case RT_KIND_MAP:
		return *(const uintptr_t *)a < *(const uintptr_t *)b;
	case RT_KIND_FLOAT: {
		double x = info_float(t, a), y = info_float(t, b);
		return x < y || (x != x && y == y);
	}
	case RT_KIND_STRING:
		return string_cmp(*(const string *)a, *(const string *)b) < 0;
	case RT_KIND_STRUCT:
		for (uint32_t i = 0; i < t->n; i++) {
			const struct rt_field *f = &t->fields[i];
			const struct rt_info *ft = info_at(f->type);
			const char *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;
			if (f->bits)
				continue;
			if (before(ft, x, y))
				return true;
			if (before(ft, y, x))
				return false;
		}
		return false;
	case RT_KIND_ARRAY: {
		const struct rt_info *e = info_at(t->elem);
		for (size_t i = 0; i < t->n; i++) {
			const char *x = (const char *)a + i * e->size, *y = (const char *)b + i * e->size;
			if (before(e, x, y))
				return true;
			if (before(e, y, x))
				return false;
		}
		return false;
	}
	case RT_KIND_OPAQUE:
	case RT_KIND_COMPLEX:
	case RT_KIND_SLICE:
	case RT_KIND_UNION:
		return memcmp(a, b, t->size) < 0;
	}
	return false;
}

/* Bottom-up merge sort: stable, and no deep stack. */
static struct entry *sort_entries(const struct rt_info *key, struct entry *v, struct entry *tmp, size_t n)
{
	for (size_t w = 1; w < n; w *= 2) {
		for (size_t lo = 0; lo < n; lo += 2 * w) {
			size_t mid = lo + w < n ? lo + w : n, hi = lo + 2 * w < n ? lo + 2 * w : n, i = lo, j = mid;
			for (size_t k = lo; k < hi; k++)
				tmp[k] = j < hi && (i == mid || before(key, v[j].key, v[i].key)) ? v[j++] : v[i++];
		}
		struct entry *t = v;
		v = tmp;
		tmp = t;
	}
	return v;
}

static void map_text(struct out *o, const struct rt_info *t, struct rt_map *m, const struct within *up)
{
	struct within here = { up, m, 0 };
	const struct rt_info *key = info_at(t->key), *elem = info_at(t->elem);
	size_t n = 0, size = m ? rt_map_len(m) : 0;

	if (m && is_within(up, m, 0)) {
		text(o, "<cycle>");
		return;
	}
	text(o, "map[");
	if (size) {
		struct entry *v = rt_malloc(2 * size * sizeof *v, NULL);
		struct rt_map_iter it = rt_map_iter(m);
		while (n < size && rt_map_next(&it)) {
			v[n].key = it.key;
			v[n++].val = it.val;
			it.broke = false; /* on to the next */
		}
		v = sort_entries(key, v, v + size, n);
		for (size_t i = 0; i < n; i++) {
			if (i)
				builder_write_byte(o->b, ' ');
			value(o, key, v[i].key, &here, false);
			builder_write_byte(o->b, ':');
			value(o, elem, v[i].val, &here, false);
		}
	}
	builder_write_byte(o->b, ']');
}

static void pointer_text(struct out *o, const struct rt_info *t, const char *p, bool top)
{
	const struct rt_info *to = info_at(t->elem);
	struct within here = { NULL, p, 0 };

	if (!p) {
		text(o, "<nil>");
	} else if (info_is_error(to)) {
		builder_write(o->b, error_text((error)(const void *)p));
	} else if (to->kind == RT_KIND_CHAR) {
		text(o, p);
	} else if (top && (to->kind == RT_KIND_STRUCT || to->kind == RT_KIND_ARRAY || to->kind == RT_KIND_SLICE ||
	                   to->kind == RT_KIND_MAP)) {
		builder_write_byte(o->b, '&');
		value(o, to, p, &here, false);
	} else {
		address(o, p);
	}
}

static void value(struct out *o, const struct rt_info *t, const void *p, const struct within *up, bool top)
{
	switch ((enum rt_kind)t->kind) {
	case RT_KIND_BOOL:
		text(o, info_uint(t, p) ? "true" : "false");
		return;
	case RT_KIND_INT:
		if (t->size > 8)
			bytes_text(o, t, p);
		else
			builder_printf(o->b, "%ld", (long)info_int(t, p));
		return;
	case RT_KIND_UINT:
		if (t->size > 8)
			bytes_text(o, t, p);
		else
			builder_printf(o->b, "%lu", (unsigned long)info_uint(t, p));
		return;
	case RT_KIND_CHAR:
		char_text(o, *(const char *)p);
		return;
	case RT_KIND_FLOAT:
		float_text(o, info_float(t, p), t->size == 4);
		return;
	case RT_KIND_COMPLEX:
		complex_text(o, t, p);
		return;
	case RT_KIND_ENUM:
		enum_text(o, t, info_int(t, p));
		return;
	case RT_KIND_STRING:
		builder_write(o->b, *(const string *)p);
		return;
	case RT_KIND_POINTER:
		pointer_text(o, t, *(const char *const *)p, top);
		return;
	case RT_KIND_FUNC:
	case RT_KIND_CHAN:
		address(o, *(const void *const *)p);
		return;
	case RT_KIND_ARRAY: {
		const struct rt_info *e = info_at(t->elem);
		const char *end = e->kind == RT_KIND_CHAR ? memchr(p, 0, t->n) : NULL;
		if (e->kind == RT_KIND_CHAR)
			builder_write(o->b, (string){ p, end ? (size_t)(end - (const char *)p) : t->n });
		else
			row(o, e, p, t->n, up);
		return;
	}
	case RT_KIND_SLICE:
		slice_text(o, info_at(t->elem), p, up);
		return;
	case RT_KIND_MAP:
		map_text(o, t, *(struct rt_map *const *)p, up);
		return;
	case RT_KIND_STRUCT:
		struct_text(o, t, p, up);
		return;
	case RT_KIND_UNION:
	case RT_KIND_OPAQUE:
		bytes_text(o, t, p);
		return;
	}
	throw("fmt: bad kind %u", t->kind);
}

/* ---- the calls ------------------------------------------------------------------ */

void fmt_value_to(builder *b, const struct rt_info *t, const void *p, bool plus)
{
	struct out o = { b, plus };

	value(&o, t, p, NULL, true);
}

string rt_fmt_value(const struct rt_info_ref *type, const void *p, bool plus)
{
	builder b = {};

	fmt_value_to(&b, info_of(type), p, plus);
	return builder_string(&b);
}

string rt_fmt_type(const struct rt_info_ref *type)
{
	return cstring(info_name(info_of(type)));
}

void rt_print_value(const struct rt_info_ref *type, const void *p)
{
	builder b = {};

	fmt_value_to(&b, info_of(type), p, false);
	builder_write_byte(&b, '\n');
	print_string(builder_string(&b));
}
