/* A concurrent crawler: each page is fetched once, all links of a page at the same time. */
#include "ingot.h"

typedef struct page {
	string title;
	slice(string) links;
} page;

static map(string, page) web;

typedef struct crawler {
	wait_group wg;
	mutex mu;
	map(string, string) found;
} crawler;

static void visit(crawler *c, string url, int depth)
{
	defer(wait_group_done, &c->wg);
	page p;
	mutex_lock(&c->mu);
	bool seen = map_has(c->found, url), ok = map_lookup(web, url, &p);
	map_set(c->found, url, ok ? p.title : S("not found"));
	mutex_unlock(&c->mu);
	if (seen || depth == 0)
		return;
	for_slice(i, link, p.links) {
		wait_group_add(&c->wg, 1);
		go(visit, c, *link, depth - 1);
	}
}

static void add(string url, string title, slice(string) links)
{
	map_set(web, url, ((page){ title, links }));
}

int main(void)
{
	string root = S("golang.org/"), pkg = S("golang.org/pkg/"), fmt = S("golang.org/pkg/fmt/"),
	       os = S("golang.org/pkg/os/");
	web = make_map(string, page);
	add(root, S("The Go Programming Language"), slice_lit(string, pkg, S("golang.org/cmd/")));
	add(pkg, S("Packages"), slice_lit(string, root, fmt, os));
	add(fmt, S("Package fmt"), slice_lit(string, root, pkg));
	add(os, S("Package os"), slice_lit(string, root, pkg));

	crawler c = { .found = make_map(string, string) };
	wait_group_add(&c.wg, 1);
	go(visit, &c, root, 4);
	wait_group_wait(&c.wg);
	slice(string) urls = {};
	for_map(url, title, c.found)
		urls = append(urls, url);
	sort(urls);
	for_slice(i, url, urls)
		println("%s: %s", *url, map_get(c.found, *url));
	return 0;
}
