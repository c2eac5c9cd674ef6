/* format.c: printf's formats with strings and errors as arguments (Go: package
 * fmt, as far as C's formats go).
 *
 * The macros of api_format.h say which arguments are no C type (`kinds`).
 * Without any, C's vsnprintf does it all; otherwise the format is cut into its
 * conversions here, and C's snprintf does one at a time.  Text longer than
 * LINE bytes is formatted twice, once to measure: nothing large lies on a
 * task's stack. */
#include "rt.h"
#include "api_value.h"

#define LINE 128
#define SPEC 64 /* longest conversion: flags, two numbers, length, letter */

struct args {
	va_list ap;
	unsigned kinds;
	unsigned next; /* index of the argument that comes next */
	slice(error) *wrapped;
};

/* One conversion, cut out of a format; numbers stand for each *. */
struct spec {
	char text[SPEC];
	size_t len;
	bool left;
	int width, precision; /* -1: none */
	char length;          /* 'l' for every 64-bit type, 'L', or 0 */
	char verb;
};

static void put(struct spec *s, char c)
{
	if (s->len < SPEC - 1)
		s->text[s->len++] = c;
	s->text[s->len] = 0;
}

static int number(struct spec *s, const char **f, struct args *a)
{
	int n = 0;

	if (**f == '*') {
		++*f;
		a->next++;
		n = va_arg(a->ap, int);
		s->len += (size_t)snprintf(s->text + s->len, 16, "%d", n);
		return n;
	}
	for (; **f >= '0' && **f <= '9'; ++*f) {
		n = n < 1 << 24 ? n * 10 + (**f - '0') : n;
		put(s, **f);
	}
	return n;
}

/* Reads the conversion at f, which is behind a '%'; returns what follows it. */
static const char *parse(struct spec *s, const char *f, struct args *a)
{
	*s = (struct spec){ .width = -1, .precision = -1 };
	put(s, '%');
	for (; *f == '-' || *f == '+' || *f == ' ' || *f == '#' || *f == '0' || *f == '\''; f++) {
		s->left |= *f == '-';
		if (s->len < 8)
			put(s, *f);
	}
	s->width = number(s, &f, a);
	if (s->width < 0) { /* of a *: as the flag - */
		s->left = true;
		s->width = -s->width;
	}
	if (*f == '.') {
		put(s, *f++);
		s->precision = number(s, &f, a);
	}
	for (; *f == 'h' || *f == 'l' || *f == 'j' || *f == 'z' || *f == 't' || *f == 'L'; f++) {
		if (*f != 'h')
			s->length = *f == 'L' ? 'L' : 'l';
		put(s, *f);
	}
	s->verb = *f;
	put(s, *f);
	return *f ? f + 1 : f;
}

static char *room(builder *b, size_t n)
{
	builder_grow(b, n);
	return (char *)b->buf.ptr + b->buf.len;
}

/* snprintf of one value into b; again with more room if it was too little. */
#define CONVERT(T) \
	do { \
		T value = va_arg(a->ap, T); \
		for (size_t have = 48;;) { \
			int n = snprintf(room(b, have), have, s->text, value); \
			if (n < (int)have) { \
				b->buf.len += n > 0 ? (size_t)n : 0; \
				break; \
			} \
			have = (size_t)n + 1; \
		} \
	} while (0)

static void fill(builder *b, size_t n)
{
	memset(room(b, n), ' ', n);
	b->buf.len += n;
}

/* %s of any kind of text. */
static void convert_text(builder *b, const struct spec *s, struct args *a)
{
	unsigned kind = a->kinds >> 2 * a->next & 3;
	const void *p = va_arg(a->ap, const void *);
	string t;

	if (kind == RT_FMT_PLAIN) {
		size_t n = 0;

		p = p ? p : "(null)";
		if (s->precision < 0)
			n = strlen(p);
		else
			while (n < (size_t)s->precision && ((const char *)p)[n])
				n++;
		t = (string){ p, n };
	} else if (kind == RT_FMT_STRING) {
		t = *(const string *)p;
	} else {
		t = error_text(*(const error *)p);
		if (kind == RT_FMT_WRAPPED && a->wrapped && *(const error *)p)
			*a->wrapped = append(*a->wrapped, *(const error *)p);
	}
	if (s->precision >= 0 && t.len > (size_t)s->precision)
		t.len = (size_t)s->precision;

	size_t pad = s->width > 0 && (size_t)s->width > t.len ? (size_t)s->width - t.len : 0;

	if (pad && !s->left)
		fill(b, pad);
	builder_write(b, t);
	if (pad && s->left)
		fill(b, pad);
}

static void convert(builder *b, struct spec *s, struct args *a)
{
	switch (s->verb) {
	case '%':
		builder_write_byte(b, '%');
		return;
	case 's':
		if (s->length == 0) {
			convert_text(b, s, a);
			break;
		}
		CONVERT(void *);
		break;
	case 'd': case 'i': case 'o': case 'u': case 'x': case 'X': case 'c':
		if (s->length)
			CONVERT(long);
		else
			CONVERT(int);
		break;
	case 'e': case 'E': case 'f': case 'F': case 'g': case 'G': case 'a': case 'A':
		if (s->length == 'L')
			CONVERT(long double);
		else
			CONVERT(double);
		break;
	case 'p':
		CONVERT(void *);
		break;
	default: /* the compiler refuses it in a literal format */
		rt_panic("print: bad conversion \"%s\" in a format", s->text);
	}
	a->next++;
}

static void format_all(builder *b, slice(error) *wrapped, unsigned kinds, const char *fmt, va_list ap)
{
	struct args a = { .kinds = kinds, .wrapped = wrapped };
	struct spec s;

	va_copy(a.ap, ap);
	while (*fmt) {
		const char *end = fmt;

		while (*end && *end != '%')
			end++;
		builder_write(b, (string){ fmt, (size_t)(end - fmt) });
		fmt = end;
		if (*fmt) {
			fmt = parse(&s, fmt + 1, &a);
			convert(b, &s, &a);
		}
	}
	va_end(a.ap);
}

void rt_vformat(builder *b, slice(error) *wrapped, unsigned kinds, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	if (kinds) {
		format_all(b, wrapped, kinds, fmt, ap);
		return;
	}
	/* A first try in the room there is, at least a short line's. */
	builder_grow(b, LINE / 2);
	va_copy(again, ap);
	n = vsnprintf((char *)b->buf.ptr + b->buf.len, b->buf.cap - b->buf.len, fmt, ap);
	if (n > 0 && (size_t)n >= b->buf.cap - b->buf.len) {
		builder_grow(b, (size_t)n + 1);
		vsnprintf((char *)b->buf.ptr + b->buf.len, (size_t)n + 1, fmt, again);
	}
	if (n > 0)
		b->buf.len += (size_t)n;
	va_end(again);
}

void rt_builder_printf(builder *b, unsigned kinds, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	rt_vformat(b, NULL, kinds, fmt, ap);
	va_end(ap);
}

/* ---- strings, the console ---------------------------------------------------- */

string rt_vsprint(const char *fmt, va_list ap)
{
	char line[LINE], *p;
	va_list again;
	string s = {};
	int n;

	for (n = 0; fmt[n] != '%'; n++) /* nothing to convert: an answer's fixed text */
		if (!fmt[n])
			return string_from_bytes(fmt, (size_t)n);
	va_copy(again, ap);
	n = vsnprintf(line, sizeof line, fmt, ap);
	if (n >= (int)sizeof line) {
		p = rt_malloc((size_t)n + 1, RT_NOSCAN);
		vsnprintf(p, (size_t)n + 1, fmt, again);
		s = (string){ p, (size_t)n };
	} else if (n > 0) {
		s = string_from_bytes(line, (size_t)n);
	}
	va_end(again);
	return s;
}

string rt_sprint(unsigned kinds, const char *fmt, ...)
{
	builder b = {};
	va_list ap;
	string s;

	va_start(ap, fmt);
	if (kinds) {
		rt_vformat(&b, NULL, kinds, fmt, ap);
		s = builder_string(&b);
	} else {
		s = rt_vsprint(fmt, ap);
	}
	va_end(ap);
	return s;
}

void rt_print_plain(unsigned none, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < (int)sizeof line) {
		if (n > 0)
			plat_write(line, (size_t)n);
		return;
	}
	va_start(ap, fmt);
	print_string(rt_vsprint(fmt, ap));
	va_end(ap);
}

void rt_print(unsigned kinds, const char *fmt, ...)
{
	builder b = {};
	va_list ap;

	va_start(ap, fmt);
	rt_vformat(&b, NULL, kinds, fmt, ap);
	va_end(ap);
	print_string(builder_string(&b));
}

void print_string(string s)
{
	if (s.len)
		plat_write(s.ptr, s.len);
}
