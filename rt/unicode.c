/* unicode.c: classes and cases of code points (Go: package unicode).
 *
 * ASCII is decided without a table; the rest by binary search in the generated
 * ranges of unicode_tables.h. */
#include "rt.h"
#include "api_value.h"

/* lo, lo + step, ... hi map to themselves plus delta. */
struct case_range {
	uint32_t lo, hi;
	int32_t step, delta;
};

#include "unicode_tables.h"

/* r is in one of n ranges: code point << RANGE_BITS | how many follow. */
static bool in_ranges(rune r, const uint32_t *t, size_t n)
{
	size_t lo = 0;

	if (r < 0 || r > 0x10FFFF)
		return false;
	while (n - lo > 1) {
		size_t mid = lo + (n - lo) / 2;

		if (t[mid] >> RANGE_BITS <= (uint32_t)r)
			lo = mid;
		else
			n = mid;
	}
	return (uint32_t)r - (t[lo] >> RANGE_BITS) <= (t[lo] & ((1u << RANGE_BITS) - 1));
}
#define IN(r, table) in_ranges(r, table, sizeof(table) / sizeof(table)[0])

static rune map_case(rune r, const struct case_range *t, size_t n)
{
	for (size_t lo = 0; lo < n;) {
		size_t mid = lo + (n - lo) / 2;
		const struct case_range *m = &t[mid];

		if ((uint32_t)r < m->lo)
			n = mid;
		else if ((uint32_t)r > m->hi)
			lo = mid + 1;
		else
			return (r - (rune)m->lo) % m->step ? r : r + m->delta;
	}
	return r;
}

static bool is_between(rune r, rune lo, rune hi)
{
	return r >= lo && r <= hi;
}

bool unicode_is_letter(rune r)
{
	return is_between(r | 0x20, 'a', 'z') || (r >= 0x80 && IN(r, letters));
}

bool unicode_is_upper(rune r)
{
	return is_between(r, 'A', 'Z') || (r >= 0x80 && IN(r, uppers));
}

bool unicode_is_lower(rune r)
{
	return is_between(r, 'a', 'z') || (r >= 0x80 && IN(r, lowers));
}

bool unicode_is_digit(rune r)
{
	return is_between(r, '0', '9') || (r >= 0x80 && IN(r, digits));
}

bool unicode_is_number(rune r)
{
	return is_between(r, '0', '9') || (r >= 0x80 && IN(r, numbers));
}

bool unicode_is_punct(rune r)
{
	return IN(r, puncts);
}

bool unicode_is_space(rune r)
{
	return r == ' ' || is_between(r, '\t', '\r') || r == 0x85 || r == 0xA0 || r == 0x1680 ||
	       is_between(r, 0x2000, 0x200A) || r == 0x2028 || r == 0x2029 || r == 0x202F ||
	       r == 0x205F || r == 0x3000;
}

bool unicode_is_control(rune r)
{
	return is_between(r, 0, 0x1F) || is_between(r, 0x7F, 0x9F);
}

bool unicode_is_print(rune r)
{
	return is_between(r, ' ', '~') || (r >= 0x80 && IN(r, prints));
}

rune unicode_to_upper(rune r)
{
	if (is_between(r, 0, 0x7F))
		return is_between(r, 'a', 'z') ? r - 0x20 : r;
	return map_case(r, to_upper, sizeof to_upper / sizeof to_upper[0]);
}

rune unicode_to_lower(rune r)
{
	if (is_between(r, 0, 0x7F))
		return is_between(r, 'A', 'Z') ? r + 0x20 : r;
	return map_case(r, to_lower, sizeof to_lower / sizeof to_lower[0]);
}

/* By way of the capital letter: several small ones may share it.  Turkish's
 * dotted I and dotless i stay apart from ours (CaseFolding.txt, status T). */
rune unicode_fold(rune r)
{
	if (r == 0x130 || r == 0x131)
		return r;
	return unicode_to_lower(unicode_to_upper(r));
}
