/* gc.c: whole collections of a heap of small linked nodes.
 *
 * The live heap is one complete binary tree of nodes of 32 bytes, two words of them
 * pointers, as in the peers' gc_cycle.  In address order children lie near each other;
 * shuffled, the tree's order and the heap's have nothing in common, so that each
 * object costs a cache miss or several.  Reported: time of gc(), with its sweep, its
 * stops, and time over objects.
 *
 * gc_stop_*: the same of nodes of 1 KiB, which take less time to make: what is the
 * collector's own cost, by how much lives.  Each stop, and the whole cycle. */
#include <string.h>
#include "bench.h"

struct node {
	struct node *l, *r;
	uint64 v, w;
};

static struct node *volatile live; /* nobody reads it */

static uint64 seed = 88172645463325252;

static uint64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static int64 build(int64 bytes, bool shuffled)
{
	int64 n = bytes / (int64)sizeof(struct node);
	struct node **at = rt_make(struct node *, (size_t)n);
	for (int64 i = 0; i < n; i++)
		at[i] = new(struct node);
	for (int64 i = n - 1; shuffled && i > 0; i--) {
		int64 j = (int64)(rnd() % (uint64)(i + 1));
		struct node *t = at[i];
		at[i] = at[j];
		at[j] = t;
	}
	for (int64 i = 0; i < n; i++) {
		if (2 * i + 1 < n)
			at[i]->l = at[2 * i + 1];
		if (2 * i + 2 < n)
			at[i]->r = at[2 * i + 2];
	}
	live = at[0];
	memset(at, 0, (size_t)n * sizeof at[0]);
	return n;
}

static const char *with(char *buf, const char *name, const char *ending)
{
	return strcat(strcpy(buf, name), ending);
}

static void cycles(const char *name, int64 mib, bool shuffled)
{
	if (!want(name))
		return;
	int percent = set_gc_percent(-1);
	char buf[64];
	double ms[5], each[5], stop[5];
	int k = mib > 1024 ? 3 : 5;
	int64 n = build(mib << 20, shuffled);
	gc();
	gc();
	for (int i = 0; i < k; i++) {
		struct mem_stats a, b;
		read_mem_stats(&a);
		int64 t = nanotime();
		gc();
		double ns = (double)(nanotime() - t);
		read_mem_stats(&b);
		ms[i] = ns / 1e6;
		each[i] = ns / (double)n;
		stop[i] = (double)(b.pause_total_ns - a.pause_total_ns) / 1e3;
	}
	emit(name, "ms", ms, k);
	emit(with(buf, name, "_pause"), "us", stop, k);
	emit(with(buf, name, "_ns_per_object"), "ns", each, k);
	live = NULL;
	set_gc_percent(percent);
}

struct page {
	struct page *l, *r;
	uint64 fill[126];
};

static struct page *pages(int depth)
{
	struct page *p = new(struct page);
	if (depth > 0) {
		p->l = pages(depth - 1);
		p->r = pages(depth - 1);
	}
	return p;
}

/* 2^n KiB live. */
static void stops(const char *name, int n)
{
	enum { K = 5 };
	double first[K], last[K], all[K];
	char buf[64];
	if (!want(name))
		return;
	int percent = set_gc_percent(-1);
	struct page *volatile kept = pages(n - 1);
	read_gc_cycles();
	gc();
	for (int i = 0; i < K; i++) {
		gc();
		slice(gc_cycle) c = read_gc_cycles();
		const gc_cycle *l = &at(c, len(c) - 1);
		first[i] = (double)l->stops[0];
		last[i] = (double)l->stops[1];
		all[i] = (double)l->duration;
	}
	emit(with(buf, name, "_first"), "ns", first, K);
	emit(with(buf, name, "_last"), "ns", last, K);
	emit(with(buf, name, "_all"), "ns", all, K);
	keep_alive(kept);
	kept = NULL;
	set_gc_percent(percent);
}

void bench_gc(void)
{
	stops("gc_stop_1m", 10);
	stops("gc_stop_16m", 14);
	stops("gc_stop_64m", 16);
	stops("gc_stop_256m", 18);
	stops("gc_stop_1g", 20);
	stops("gc_stop_4g", 22);
	cycles("gc_cycle_64m", 64, false);
	cycles("gc_cycle_64m_shuffled", 64, true);
	cycles("gc_cycle_512m", 512, false);
	cycles("gc_cycle_512m_shuffled", 512, true);
	cycles("gc_cycle_2g", 2048, false);
	cycles("gc_cycle_2g_shuffled", 2048, true);
}
