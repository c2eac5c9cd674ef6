/* errors.c: errors as values (Go: package errors, fmt.Errorf).
 *
 * An error is a pointer to a structure that begins with its type; all that is
 * known of a type is in its error_type.  Errors wrap others and so form a tree,
 * which is walked depth first, a node before what it wraps, as Go does.  The
 * tree of errors made here is finite and never changes. */
#include "rt.h"
#include "type.h"
#include "api_value.h"

/* Of errorf and errors_join with errors that it wraps. */
typedef struct wrapping_error {
	error_head head;
	string text;
	slice(error) wrapped;
} wrapping_error;

static string plain_text(error e)
{
	return ((const struct rt_error_text *)e)->text;
}

const error_type rt_error_text_type = { .name = "error", .text = plain_text };

static string wrapping_text(error e)
{
	return ((const wrapping_error *)e)->text;
}

static error wrapping_unwrap(error e)
{
	return ((const wrapping_error *)e)->wrapped.ptr[0];
}

static slice(error) wrapping_unwrap_all(error e)
{
	return ((const wrapping_error *)e)->wrapped;
}

static const error_type wrap_one_type = { .name = "error", .text = wrapping_text, .unwrap = wrapping_unwrap };
static const error_type wrap_many_type = { .name = "error", .text = wrapping_text, .unwrap_all = wrapping_unwrap_all };

error errors_new(string text)
{
	struct rt_error_text *e = rt_malloc(sizeof *e, RT_TYPE(struct rt_error_text));

	*e = (struct rt_error_text){ { &rt_error_text_type }, text };
	return &e->head;
}

static error wrapping(string text, slice(error) wrapped, const error_type *type)
{
	wrapping_error *e = rt_malloc(sizeof *e, RT_TYPE(wrapping_error));

	*e = (wrapping_error){ { type }, text, wrapped };
	return &e->head;
}

error rt_errorf(unsigned kinds, const char *fmt, ...)
{
	slice(error) wrapped = {};
	builder b = {};
	va_list ap;

	va_start(ap, fmt);
	rt_vformat(&b, &wrapped, kinds, fmt, ap);
	va_end(ap);
	if (!wrapped.len)
		return errors_new(builder_string(&b));
	return wrapping(builder_string(&b), wrapped, wrapped.len == 1 ? &wrap_one_type : &wrap_many_type);
}

error rt_errors_join(const error *v, size_t n)
{
	slice(error) wrapped = {};
	builder b = {};

	for (size_t i = 0; i < n; i++) {
		if (!v[i])
			continue;
		if (wrapped.len)
			builder_write_byte(&b, '\n');
		builder_write(&b, error_text(v[i]));
		wrapped = append(wrapped, v[i]);
	}
	return wrapped.len ? wrapping(builder_string(&b), wrapped, &wrap_many_type) : NULL;
}

string error_text(error e)
{
	return e ? e->type->text(e) : S("<nil>");
}

error errors_unwrap(error e)
{
	return e && e->type->unwrap ? e->type->unwrap(e) : NULL;
}

/* The first of e's tree that is target, or of the type if that is given. */
static error find(error e, error target, const error_type *type)
{
	while (e) {
		if (type ? e->type == type : e == target || (e->type->is && e->type->is(e, target)))
			return e;
		if (e->type->unwrap_all) {
			slice(error) all = e->type->unwrap_all(e);

			for (size_t i = 0; i < all.len; i++) {
				error found = find(all.ptr[i], target, type);

				if (found)
					return found;
			}
			return NULL;
		}
		e = errors_unwrap(e);
	}
	return NULL;
}

bool errors_is(error e, error target)
{
	return e == target || (target && find(e, target, NULL));
}

error rt_errors_as(error e, const error_type *type)
{
	return find(e, NULL, type);
}

void must(error e)
{
	if (e) {
		string text = error_text(e);

		rt_panic_value((void *)e, "%.*s", STR(text));
	}
}
