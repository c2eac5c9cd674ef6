/* planted.c: a parser with a bound left out.  tests/system/fuzz.py has it found from
 * nothing: what says that coverage, comparisons and ASan reach libFuzzer. */
#include <string.h>
#include "ingot.h"
#include "fuzz.h"

/* A frame: "INGT", a length, so many bytes, and their sum. */
static bool frame(const uint8_t *p, size_t n)
{
	uint32_t magic;
	uint8_t sum = 0;

	if (n < 6)
		return false;
	memcpy(&magic, p, 4);
	if (magic != 0x54474e49)
		return false;
	for (size_t i = 0; i < p[4]; i++) /* "&& 5 + i < n" */
		sum += p[5 + i];
	return sum == p[n - 1];
}

FUZZ(planted, NULL)
{
	static volatile int good;
	good += frame(p, n); /* the compiler must not find that nobody asks */
}
