/* Numbers and text: each way, in any base, with errors that can be told apart. */
#include "ingot.h"

static void parse(string s)
{
	int64 n;
	error err = strconv_parse_int(s, 0, 16, &n);
	if (!err)
		println("%s is %ld", s, n);
	else if (errors_is(err, strconv_err_range))
		println("%s is too large, the nearest is %ld", s, n);
	else if (errors_is(err, strconv_err_syntax))
		println("%s is no number", s);
}

int main(void)
{
	for_slice(i, s, slice_lit(string, S("42"), S("-0x1f"), S("0b1010"), S("1_000"), S("99999"), S("12x")))
		parse(*s);
	double x;
	must(strconv_parse_float(S("2.5e-3"), 64, &x));
	println("%s %s", fmt_v(x), strconv_format_float(x, 'e', 3, 64));
	println("%s %s %s", strconv_format_int(-255, 16), strconv_format_int(35, 36), strconv_itoa(1L << 40));
	println("%s", strconv_quote(S("tab\tand \"quotes\" and ☺\0")));
	return 0;
}
