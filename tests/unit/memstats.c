/* memstats.c: figures about memory, and the collector's settings, from the outside. */
#include "ingot.h"
#include "test.h"

struct node {
	struct node *next;
	long v[11]; /* 96 bytes */
};

static struct node *list;

static void grow(int n)
{
	for (int i = 0; i < n; i++)
		list = new(struct node, .next = list);
}

static class_stats class_of(uint32 size, bool noscan)
{
	slice(class_stats) v = read_class_stats();
	for_slice(i, k, v)
		if (k->size == size && k->noscan == noscan)
			return *k;
	return (class_stats){ 0 };
}

TEST(classes)
{
	int n = SCALED(5000);
	gc();
	struct node **v = rt_make(struct node *, n);
	class_stats a = class_of(96, false);
	for (int i = 0; i < n; i++)
		v[i] = new(struct node);
	class_stats b = class_of(96, false);
	CHECK_EQ(b.mallocs - a.mallocs, n);
	CHECK_EQ(b.mallocs - b.frees, b.objects);
	CHECK(b.objects >= (uint64)n);
	CHECK(b.bytes >= b.objects * 96 && b.bytes <= b.objects * 96 + b.waste);
	CHECK(b.spans * 8192 <= b.bytes);
	memset(v, 0, (size_t)n * sizeof *v);
	gc();
	class_stats c = class_of(96, false);
	CHECK_EQ(c.mallocs, b.mallocs);
	CHECK(c.frees >= b.frees + (uint64)n - 5);
	CHECK(c.bytes < b.bytes);
	class_stats l = class_of(0, true);
	void *big = rt_malloc(100000, &rt_type_noscan);
	CHECK_EQ(class_of(0, true).mallocs, l.mallocs + 1);
	CHECK(class_of(0, true).bytes >= 100000);
	keep_alive(big);
}

TEST(sums)
{
	struct mem_stats a, b;
	int n = SCALED(20000);
	read_mem_stats(&a);
	grow(n);
	read_mem_stats(&b);
	CHECK(b.mallocs - a.mallocs >= (uint64)n && b.mallocs - a.mallocs < (uint64)n + 500);
	CHECK(b.total_alloc - a.total_alloc >= (uint64)n * 96);
	CHECK(b.heap_alloc <= b.heap_inuse);
	CHECK(b.heap_inuse <= b.heap_sys);
	CHECK(b.heap_sys <= b.sys);
	CHECK(b.mspan_inuse > 0 && b.mcache_inuse > 0 && b.enable_gc);
	slice(class_stats) v = read_class_stats();
	uint64 bytes = 0, objects = 0;
	for_slice(i, k, v) {
		bytes += k->bytes;
		objects += k->objects;
		CHECK(k->mallocs >= k->frees);
	}
	read_mem_stats(&b);
	CHECK(bytes <= b.heap_inuse && objects <= b.heap_objects);
	list = NULL;
}

/* What is told of each stop adds up to what is told of all. */
TEST(pauses)
{
	struct mem_stats a, b;
	read_mem_stats(&a);
	int64 from = nanotime();
	int n = SCALED(20);
	for (int i = 0; i < n; i++)
		gc();
	slice(gc_pause) v = read_gc_pauses();
	read_mem_stats(&b);
	uint32 more = b.num_gc - a.num_gc;
	CHECK(more >= (uint32)n && v.len == min((size_t)b.num_gc, 256));
	CHECK_EQ(v.ptr[0].end, b.last_gc);
	uint64 sum = 0;
	for (uint32 i = 0; i < min(more, 256u); i++) {
		sum += (uint64)v.ptr[i].ns;
		CHECK(v.ptr[i].ns > 0 && v.ptr[i].end > from);
		CHECK(i == 0 || v.ptr[i].end + v.ptr[i - 1].ns <= v.ptr[i - 1].end);
	}
	if (more <= 256)
		CHECK_EQ(sum, b.pause_total_ns - a.pause_total_ns);
	for (int i = 0; i < 300; i++)
		gc();
	CHECK_EQ(read_gc_pauses().len, 256);
	CHECK(b.gc_cpu_ns > a.gc_cpu_ns && b.gc_cpu_ns >= b.pause_total_ns);
	CHECK(b.gc_cpu_fraction > 0 && b.gc_cpu_fraction < 1);
	CHECK_EQ((int)(b.gc_cpu_fraction * (double)b.last_gc * gomaxprocs(0) / (double)b.gc_cpu_ns * 100 + 0.5), 100);
}

static uint32 cycles(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
#ifdef INGOT_NASTY
	return m.num_gc;
#else
	return m.num_gc - m.num_forced_gc;
#endif
}

static void garbage(uint64 bytes)
{
	for (uint64 n = 0; n < bytes; n += 1024)
		rt_malloc(1024, &rt_type_noscan);
}

TEST(percent)
{
	int was = set_gc_percent(-1);
	gc();
	uint32 before = cycles();
	garbage(SCALED(8 << 20));
#ifndef INGOT_NASTY
	CHECK_EQ(cycles(), before);
#endif
	struct mem_stats m;
	read_mem_stats(&m);
	CHECK(!m.enable_gc);
	CHECK_EQ(set_gc_percent(50), -1);
	CHECK_EQ(set_gc_percent(was), 50);
	garbage(16 << 20);
	CHECK(cycles() > before);
}

TEST(limit)
{
	CHECK_EQ(set_memory_limit(-1), INT64_MAX);
	int was = set_gc_percent(-1);
	gc();
	struct mem_stats m;
	read_mem_stats(&m);
	/* Room for 4 MiB more than now: what is garbage must make way. */
	int64 limit = (int64)(m.heap_inuse + m.stack_inuse + m.other_sys + (4 << 20));
	CHECK_EQ(set_memory_limit(limit), INT64_MAX);
	CHECK_EQ(set_memory_limit(-1), limit);
	uint32 before = cycles();
	garbage(32 << 20);
	read_mem_stats(&m);
	CHECK(cycles() > before);
	CHECK((int64)(m.heap_inuse + m.stack_inuse + m.other_sys) <= limit + (2 << 20));
	CHECK_EQ(set_memory_limit(INT64_MAX), limit);
	CHECK_EQ(set_gc_percent(was), -1);
}

/* A limit below what is live: it goes on, with more collections, not with nothing else. */
TEST(limit_below_the_live_heap)
{
	int n = SCALED(100000); /* 9.6 MB */
	grow(n);
	gc();
	set_memory_limit(1 << 20);
	uint32 before = cycles();
	garbage(8 << 20);
	uint32 between = cycles() - before;
	CHECK(between > 0);
#ifndef INGOT_NASTY
	/* A sixteenth of the live heap, or 1 MiB (on a small machine a sixty-fourth of it). */
	uint64 room = memory_total() / 64 < 1 << 20 ? memory_total() / 64 : 1 << 20;
	CHECK(between <= (8u << 20) / room * 2 + 2);
#endif
	int left = 0;
	for (struct node *p = list; p; p = p->next)
		left++;
	CHECK_EQ(left, n);
	list = NULL;
	set_memory_limit(INT64_MAX);
	gc_verify();
}

TEST_MAIN
{
	RUN(classes);
	RUN(sums);
	RUN(pauses);
	RUN(percent);
	RUN(limit);
	RUN(limit_below_the_live_heap);
}
