/* errors.c: errors as values. */
#include "ingot.h"
#include "test.h"

#define CHECK_TEXT(e, want) \
	do { \
		string test_s = error_text(e), test_t = S(want); \
		if (!string_eq(test_s, test_t)) \
			TEST_FAIL("%s is \"%s\", not \"%s\"", #e, test_s, test_t); \
	} while (0)

static define_error(err_not_found, "not found");
static define_error(err_same_text, "not found");

typedef struct file_error {
	error_head head;
	string op, path;
	error err;
} file_error;

declare_error_type(file_error);

static string file_error_text(error e)
{
	const file_error *p = (const file_error *)e;

	return sprint("%s %s: %s", p->op, p->path, p->err);
}

static error file_error_unwrap(error e)
{
	return ((const file_error *)e)->err;
}

/* Any two of the same op count as each other. */
static bool file_error_is(error e, error target)
{
	const file_error *t;

	return errors_as(target, file_error, &t) && string_eq(((const file_error *)e)->op, t->op);
}

define_error_type(file_error, .text = file_error_text, .unwrap = file_error_unwrap, .is = file_error_is);

typedef struct code_error {
	error_head head;
	int code;
} code_error;

static string code_error_text(error e)
{
	return sprint("code %d", ((const code_error *)e)->code);
}

define_error_type(code_error, .text = code_error_text);

static error open_file(string path)
{
	return new_error(file_error, .op = S("open"), .path = path, .err = err_not_found);
}

TEST(texts)
{
	CHECK_TEXT(err_not_found, "not found");
	CHECK_TEXT(NULL, "<nil>");
	CHECK_TEXT(errors_new(S("a\0b")), "a\0b");
	CHECK_TEXT(errorf("n = %d", 5), "n = 5");
	CHECK_TEXT(open_file(S("/x")), "open /x: not found");
	CHECK_TEXT(new_error(code_error, .code = 7), "code 7");
}

TEST(each_is_itself)
{
	error a = errors_new(S("a")), b = errors_new(S("a"));

	CHECK(a != b && errors_is(a, a) && !errors_is(a, b));
	CHECK(!errors_is(err_not_found, err_same_text));
	CHECK(errors_is(NULL, NULL) && !errors_is(NULL, a) && !errors_is(a, NULL));
}

TEST(wrapping)
{
	error a = errorf("read config: %s", errors_wrap(err_not_found));
	error b = errorf("%s (after %d tries)", errors_wrap(a), 3), c = errorf("shows it: %s", a);

	CHECK_TEXT(a, "read config: not found");
	CHECK_TEXT(b, "read config: not found (after 3 tries)");
	CHECK_TEXT(c, "shows it: read config: not found");
	CHECK(errors_unwrap(b) == a && errors_unwrap(a) == err_not_found && !errors_unwrap(err_not_found));
	CHECK(!errors_unwrap(NULL) && !errors_unwrap(c));
	CHECK(errors_is(b, err_not_found) && errors_is(b, a) && !errors_is(c, err_not_found) && !errors_is(a, b));
	CHECK_TEXT(errorf("of %s", errors_wrap(NULL)), "of <nil>");
	CHECK(!errors_unwrap(errorf("of %s", errors_wrap(NULL))));
}

TEST(wrapping_several)
{
	error x = errors_new(S("x")), y = open_file(S("/y")), z = errors_new(S("z"));
	error e = errorf("%s and %s, not %s", errors_wrap(x), errors_wrap(y), z);
	const file_error *p = NULL;

	CHECK_TEXT(e, "x and open /y: not found, not z");
	CHECK(errors_is(e, x) && errors_is(e, y) && errors_is(e, err_not_found) && !errors_is(e, z));
	CHECK(!errors_unwrap(e));
	CHECK(errors_as(e, file_error, &p) && string_eq(p->path, S("/y")));
}

TEST(joining)
{
	error x = errors_new(S("x")), y = errors_new(S("y"));
	error e = errors_join(NULL, x, NULL, y);

	CHECK_TEXT(e, "x\ny");
	CHECK(errors_is(e, x) && errors_is(e, y) && !errors_unwrap(e));
	CHECK(!errors_join(NULL, NULL) && !errors_join(NULL));
	CHECK(errors_is(errorf("all: %s", errors_wrap(errors_join(e, err_not_found))), y));
}

TEST(by_type)
{
	error e = errorf("start: %s", errors_wrap(open_file(S("/etc/x"))));
	const file_error *p = NULL;
	const code_error *c = NULL;

	CHECK(errors_as(e, file_error, &p) && string_eq(p->op, S("open")) && p->err == err_not_found);
	CHECK(!errors_as(e, code_error, &c) && !c);
	CHECK(!errors_as(NULL, file_error, &p));
	e = errors_join(new_error(code_error, .code = 1), new_error(code_error, .code = 2));
	CHECK(errors_as(e, code_error, &c) && c->code == 1); /* the first */
}

TEST(a_type_may_say_what_it_is)
{
	error e = errorf("start: %s", errors_wrap(open_file(S("/a"))));

	CHECK(errors_is(e, new_error(file_error, .op = S("open"))));
	CHECK(!errors_is(e, new_error(file_error, .op = S("close"))));
}

static int evaluated;

static error counted(void)
{
	evaluated++;
	return open_file(S("/once"));
}

TEST(arguments_are_evaluated_once)
{
	const file_error *p;

	evaluated = 0;
	CHECK(errors_as(counted(), file_error, &p));
	CHECK(errors_is(errorf("%s", errors_wrap(counted())), err_not_found));
	CHECK(errors_join(counted(), NULL) != NULL);
	errors_ignore(counted());
	CHECK_EQ(evaluated, 4);
}

static string caught;
static const void *caught_value;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
	caught_value = p ? p->value : NULL;
}

static void must_have(error e)
{
	defer(catch);
	must(e);
}

TEST(must_panics_with_the_error)
{
	error e = open_file(S("/m"));

	must_have(e);
	CHECK(string_eq(caught, S("open /m: not found")) && caught_value == e);
	must_have(NULL);
	CHECK(string_eq(caught, S("none")));
}

TEST(errors_live_on)
{
	error e = NULL;

	for (int i = 0; i < 300; i++)
		e = errorf("%d %s", i, errors_wrap(e ? e : err_not_found));
	gc();
	CHECK(errors_is(e, err_not_found));
	CHECK(strings_has_prefix(error_text(e), S("299 298 ")));
	for (int i = 0; i < 299; i++)
		e = errors_unwrap(e);
	CHECK_TEXT(e, "0 not found");
}

TEST_MAIN
{
	RUN(texts);
	RUN(each_is_itself);
	RUN(wrapping);
	RUN(wrapping_several);
	RUN(joining);
	RUN(by_type);
	RUN(a_type_may_say_what_it_is);
	RUN(arguments_are_evaluated_once);
	RUN(must_panics_with_the_error);
	RUN(errors_live_on);
}
