/* api_error.h: errors as values (part of ingot.h).  Go's type error, package
 * errors and fmt.Errorf.
 *
 * A call that can fail returns an error, NULL if it did not:
 *
 *	int64 n;
 *	error err = strconv_atoi(S("x1"), &n);
 *	if (err)
 *		return errorf("config %s: %s", name, errors_wrap(err));
 *
 * Such calls are declared must_check: to drop the result is a compiler
 * diagnostic (Go's vet); errors_ignore(f()) says that it is meant, and must(f())
 * panics with the error.  A program's own calls should be declared so too.
 *
 * An error is compared with a known one by errors_is, which also looks into
 * the errors that it wraps, and taken apart by errors_as, which finds the first
 * one of a type.  A type of one's own is a structure that begins with an
 * error_head, and an error_type of the same name:
 *
 *	typedef struct path_error {
 *		error_head head;
 *		string op, path;
 *		error err;
 *	} path_error;
 *	static string path_error_text(error e) { const path_error *p = (const path_error *)e; ... }
 *	static error path_error_unwrap(error e) { return ((const path_error *)e)->err; }
 *	define_error_type(path_error, .text = path_error_text, .unwrap = path_error_unwrap);
 *
 *	return new_error(path_error, .op = S("open"), .path = path, .err = err);
 *	...
 *	const path_error *pe;
 *	if (errors_as(err, path_error, &pe))
 *		println("cannot %s", pe->op);
 *
 * Errors never change and are in collected memory or static. */
#ifndef INGOT_API_ERROR_H
#define INGOT_API_ERROR_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

#pragma GCC diagnostic error "-Wunused-result"

/* What every error begins with: its type. */
typedef struct error_head error_head;
/* Go: error.  NULL is no error. */
typedef const error_head *error;
declare_slice(error);

/* Behind a declaration: the caller must look at the result. */
#define must_check __attribute__((warn_unused_result))

/* What errors of one type have in common. */
typedef struct error_type {
	const char *name;                    /* the C type's */
	string (*text)(error e);             /* Go: Error() */
	error (*unwrap)(error e);            /* the error it wraps, or NULL for such a type */
	slice(error) (*unwrap_all)(error e); /* of one that wraps several, or NULL */
	bool (*is)(error e, error target);   /* counts as target, beyond being it; or NULL */
} error_type;

/* The beginning of an error. */
struct error_head {
	const error_type *type;
};

/* define_error_type(T, .text = f, ...): at file level, after T's declaration;
 * declare_error_type(T) in a header. */
#define define_error_type(T, ...) \
	const error_type T##_type = { .name = #T, __VA_ARGS__ }; \
	_Static_assert(offsetof(T, head) == 0, "an error begins with its error_head")
#define declare_error_type(T) extern const error_type T##_type

/* new_error(T, .member = value...): a new error of the type.  task.  Go: &T{...}. */
#define new_error(T, ...) \
	({ \
		T *rt_ne = rt_malloc(sizeof(T), RT_TYPE(T)); \
		*rt_ne = (T){ .head = { &T##_type }, ##__VA_ARGS__ }; \
		(error)&rt_ne->head; \
	})

/* define_error(name, "text"): at file level, an error that has no content but
 * itself (static define_error: of this file); declare_error(name) in a header.
 * Go: var name = errors.New("text"). */
#define define_error(name, lit) \
	const error name = &(struct rt_error_text){ { &rt_error_text_type }, { "" lit "", sizeof(lit) - 1 } }.head
#define declare_error(name) extern const error name
struct rt_error_text {
	error_head head;
	string text;
};
extern const error_type rt_error_text_type;

/* A new error of this text; each is another.  task.  Go: errors.New. */
error errors_new(string text) must_check;

/* errorf(fmt, ...): a new error of the formatted text (api_format.h).  With
 * errors_wrap(err) for a %s it wraps err as well as showing it.  task.  Go:
 * fmt.Errorf, where errors_wrap(err) is %w. */
#define errorf(fmt, ...) \
	rt_error_seen(({ \
		RT_FMT_EVALS(__VA_ARGS__) \
		rt_errorf(RT_FMT_KINDS(__VA_ARGS__), fmt RT_FMT_ARGS(__VA_ARGS__)); \
	}))
error rt_errorf(unsigned kinds, const char *fmt, ...) __attribute__((format(printf, 2, 3))) must_check;
static inline must_check error rt_error_seen(error e)
{
	return e;
}
struct rt_wrapped {
	error err;
};
static inline struct rt_wrapped errors_wrap(error err)
{
	return (struct rt_wrapped){ err };
}

/* errors_join(a, b...): one error that wraps those of them that are not NULL,
 * its text theirs, one a line; NULL if all are.  Up to 16.  task. */
#define errors_join(...) \
	rt_errors_join((const error[]){ __VA_ARGS__ }, sizeof((const error[]){ __VA_ARGS__ }) / sizeof(error))
error rt_errors_join(const error *v, size_t n) must_check;

/* e's text; "<nil>" for NULL.  task.  Go: e.Error(). */
string error_text(error e);

/* The one error that e wraps, NULL if there is none or several.  any. */
error errors_unwrap(error e);
/* Whether target is e, or one of those that e wraps (and they, in turn).  any. */
bool errors_is(error e, error target);
/* errors_as(e, T, &p): whether e or one that it wraps is a T; p, a const T *,
 * is set to the first such one then.  any. */
#define errors_as(e, T, out) \
	({ \
		error rt_ae = (e); \
		const T **rt_ao = (out); \
		rt_ae = rt_errors_as(rt_ae, &T##_type); \
		if (rt_ae) \
			*rt_ao = (const T *)rt_ae; \
		rt_ae != NULL; \
	})
error rt_errors_as(error e, const error_type *type);

/* Drops an error on purpose.  any.  Go: _ = f(). */
static inline void errors_ignore(error e)
{
	(void)e;
}
/* Panics with the error's text, and the error as its value, if there is one.  task. */
void must(error e);

#endif
