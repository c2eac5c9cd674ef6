/* Errors are values: wrapped with what was tried, compared with is, taken apart with as. */
#include "ingot.h"

static define_error(err_no_user, "no such user");

typedef struct syntax_error {
	error_head head;
	int line;
	string text;
} syntax_error;

static string syntax_error_text(error err)
{
	const syntax_error *e = (const syntax_error *)err;
	return sprint("line %d: unexpected %s", e->line, strconv_quote(e->text));
}
static define_error_type(syntax_error, .text = syntax_error_text);

static error read(string name)
{
	if (string_eq(name, S("root")))
		return err_no_user;
	if (string_eq(name, S("odd")))
		return new_error(syntax_error, 3, S("}"));
	return NULL;
}

static error load(string name)
{
	error err = read(name);
	return err ? errorf("load %s: %s", name, errors_wrap(err)) : NULL;
}

int main(void)
{
	for_slice(i, name, slice_lit(string, S("me"), S("root"), S("odd"))) {
		error err = load(*name);
		println("%s", err);
		if (errors_is(err, err_no_user))
			println("  ask for another name");
		const syntax_error *syntax;
		if (errors_as(err, syntax_error, &syntax))
			println("  look at line %d", syntax->line);
	}
	return 0;
}
