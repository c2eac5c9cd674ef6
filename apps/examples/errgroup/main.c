/* A task group: several downloads at once, at most two at a time; the first error counts. */
#include "ingot.h"

static define_error(err_not_found, "not found");

static error fetch(context *ctx, string url, int *size)
{
	if (strings_has_suffix(url, S("/missing")))
		return errorf("get %s: %s", url, errors_wrap(err_not_found));
	*size = len(url);
	return context_err(ctx);
}

static error fetch_all(slice(string) urls, int *total)
{
	task_group g = {};
	context *ctx = task_group_with_context(&g, context_background());
	task_group_set_limit(&g, 2);
	slice(int) sizes = make_slice(int, len(urls));
	for_slice(i, url, urls)
		task_group_go(&g, fetch, ctx, *url, &at(sizes, i));
	error err = task_group_wait(&g);
	if (err)
		return err;
	for_slice(i, n, sizes)
		*total += *n;
	return NULL;
}

int main(void)
{
	int total = 0;
	error err = fetch_all(slice_lit(string, S("a.org/"), S("b.org/news"), S("c.org/")), &total);
	println("%d %s", total, err);
	err = fetch_all(slice_lit(string, S("a.org/missing"), S("b.org/missing")), &total);
	println("failed: %s", fmt_v(errors_is(err, err_not_found)));
	return 0;
}
