/* Defer: calls that are made when the function returns, the last one first. */
#include "ingot.h"

typedef struct open_file {
	string name;
} open_file;

static open_file *open(string name)
{
	println("open %s", name);
	return new(open_file, name);
}

static void close_file(open_file *f)
{
	println("close %s", f->name);
}

static bool merge(string from, string to)
{
	open_file *in = open(from);
	defer(close_file, in);
	if (string_eq(from, to))
		return false;
	open_file *out = open(to);
	defer(close_file, out);
	println("copy %s to %s", in->name, out->name);
	return true;
}

static void show(int i)
{
	println("deferred %d", i);
}

int main(void)
{
	println("%s", fmt_v(merge(S("a"), S("b"))));
	println("%s", fmt_v(merge(S("a"), S("a"))));
	for (int i = 0; i < 3; i++) {
		defer(show, i);
	}
	println("main returns");
	return 0;
}
