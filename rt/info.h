/* info.h: reading the infos of types (typeinfo.h) inside the runtime. */
#ifndef RT_INFO_H
#define RT_INFO_H

#include "rt.h"
#include "api_value.h"
#include "api_reflect.h"
#include "symtab.h"

/* Where the block begins.  The tool replaced what the compiler knows. */
static inline const char *info_base(void)
{
	extern const struct rt_symtab rt_symtab_image;
	const struct rt_symtab *t = &rt_symtab_image;

	__asm__("" : "+r"(t));
	if (!t->types_size)
		throw("types: the image was linked without rt/gen/typeinfo.c");
	return (const char *)t + t->types;
}

static inline const struct rt_info *info_at(uint32_t at)
{
	return (const struct rt_info *)(info_base() + at);
}

static inline const struct rt_info *info_of(const struct rt_info_ref *r)
{
	return info_at(r->at);
}

static inline const char *info_name(const struct rt_info *t)
{
	return info_base() + t->name;
}

/* What an error points to. */
static inline bool info_is_error(const struct rt_info *t)
{
	return t->kind == RT_KIND_STRUCT && strcmp(info_name(t), "error_head") == 0;
}

/* Integers of any size, enums and bit-fields.  (A bad address is the task's panic, not
 * the sanitizer's business.) */
static inline NOASAN int64_t info_int(const struct rt_info *t, const void *p)
{
	switch (t->size) {
	case 1:
		return *(const int8_t *)p;
	case 2:
		return *(const int16_t *)p;
	case 4:
		return *(const int32_t *)p;
	}
	return *(const int64_t *)p;
}

static inline NOASAN uint64_t info_uint(const struct rt_info *t, const void *p)
{
	switch (t->size) {
	case 1:
		return *(const uint8_t *)p;
	case 2:
		return *(const uint16_t *)p;
	case 4:
		return *(const uint32_t *)p;
	}
	return *(const uint64_t *)p;
}

/* A bit-field's value, sign-extended if its type is signed. */
static inline uint64_t info_bits(const struct rt_info *t, const struct rt_field *f, const char *base)
{
	uint64_t v = 0;
	unsigned n = (f->bit + f->bits + 7u) / 8;

	memcpy(&v, base + f->offset, n > 8 ? 8 : n);
	v >>= f->bit;
	if (n > 8)
		v |= (uint64_t)(uint8_t)base[f->offset + 8] << (64 - f->bit);
	if (f->bits < 64)
		v &= (1ull << f->bits) - 1;
	if (t->kind == RT_KIND_INT && f->bits && v >> (f->bits - 1))
		v |= f->bits < 64 ? ~0ull << f->bits : 0;
	return v;
}

static inline NOASAN double info_float(const struct rt_info *t, const void *p)
{
	return t->size == 4 ? (double)*(const float *)p : t->size == 8 ? *(const double *)p
	                                                                : (double)*(const long double *)p;
}

/* fmtvalue.c */
void fmt_value_to(builder *b, const struct rt_info *t, const void *p, bool plus);

#endif
