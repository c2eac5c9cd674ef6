/* heap.c: the allocator seen from outside: sizes, alignment, zeroing, reuse,
 * types, statistics.  After each test the heap verifier runs. */
#include "ingot.h"
#include "test.h"

static uint64_t rng = 88172645463325252u;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

struct pair {
	struct pair *a, *b;
};

TEST(new_zero_and_init)
{
	struct pair *p = new(struct pair);
	CHECK(p && !p->a && !p->b);
	int calls = 0;
	struct pair *q = new(struct pair, .b = (calls++, p));
	CHECK(q->a == NULL && q->b == p);
	CHECK_EQ(calls, 1);
	struct pair *r = new(struct pair, p, q);
	CHECK(r->a == p && r->b == q);
	int *i = new(int);
	CHECK_EQ(*i, 0);
}

/* Every size up to the largest class and beyond: aligned, zeroed, as big as said. */
TEST(every_size)
{
	for (size_t n = 1; n < 70000; n += n < 2100 ? 1 : 97) {
		for (int scan = 0; scan < 2; scan++) {
			char *p = rt_malloc(n, scan ? NULL : &rt_type_noscan);
			size_t size, align = n % 16 == 0 || scan ? 16 : n % 8 == 0 ? 8 : n % 4 == 0 ? 4 : 1;
			if ((uintptr_t)p % align)
				TEST_FAIL("%zu bytes at %p", n, (void *)p);
			if (!is_zero(p, n))
				TEST_FAIL("%zu bytes are not zero", n);
			char *base = rt_object_base(p + n - 1, &size);
			if (base == NULL || base > p || base + size < p + n)
				TEST_FAIL("%zu bytes: object of %zu", n, size);
			if (n >= 16 && base != p)
				TEST_FAIL("%zu bytes: starts before", n);
			memset(p, 0xa5, n);
		}
		if (rt_malloc_size(n) < n || (n > 16 && rt_malloc_size(n) > n + n / 5 + 16 + 8192 * (n > 32768)))
			TEST_FAIL("rt_malloc_size(%zu) is %zu", n, rt_malloc_size(n));
	}
	CHECK(rt_malloc(0, &rt_type_noscan) != NULL);
	gc_verify();
}

TEST(tiny_share_a_block)
{
	char *p = rt_malloc(8, &rt_type_noscan), *q = rt_malloc(8, &rt_type_noscan);
	if ((uintptr_t)p % 16) /* the first half was taken before */
		p = q, q = rt_malloc(8, &rt_type_noscan);
	CHECK(q == p + 8);
	memset(p, 1, 8);
	char *r = rt_malloc(3, &rt_type_noscan), *s = rt_malloc(2, &rt_type_noscan);
	CHECK((uintptr_t)s % 2 == 0);
	CHECK(is_zero(r, 3) && is_zero(s, 2) && is_zero(q, 8));
}

/* Dirty objects are dropped; what comes back in their place is zero. */
TEST(reuse_is_zeroed)
{
	static const size_t sizes[] = { 16, 24, 48, 160, 208, 512, 576, 1024, 4096, 32768, 40000, 300000 };
	for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
		for (int round = 0; round < 3; round++) {
			size_t n = sizes[s];
			for (size_t i = 0; i < 200000 / n + 3; i++) {
				char *p = rt_malloc(n, i & 1 ? NULL : &rt_type_noscan);
				if (!is_zero(p, n))
					TEST_FAIL("%zu bytes are dirty in round %d", n, round);
				memset(p, 0x5a, n);
			}
			gc();
		}
	gc_verify();
}

struct line {
	struct line *next;
	char fill[120];
} __attribute__((aligned(64)));

struct page {
	char fill[4096];
} __attribute__((aligned(4096)));

TEST(alignment_of_types)
{
	for (int i = 0; i < 100; i++) {
		struct line *l = new(struct line), *v = rt_make(struct line, 3);
		struct page *p = new(struct page);
		CHECK((uintptr_t)l % 64 == 0);
		CHECK((uintptr_t)v % 64 == 0);
		CHECK((uintptr_t)p % 4096 == 0);
	}
	gc_verify();
}

TEST(large)
{
	size_t size;
	char *a = rt_malloc(1 << 20, &rt_type_noscan), *b = rt_malloc(100000, NULL);
	CHECK(rt_object_base(a + (1 << 20) - 1, &size) == a);
	CHECK_EQ(size, 1 << 20);
	CHECK(rt_object_base(b + 99999, &size) == b);
	CHECK(is_zero(a, 1 << 20));
	memset(a, 1, 1 << 20);
	memset(b, 1, 100000);
	struct pair **v = rt_make(struct pair *, 50000);
	for (int i = 0; i < 50000; i++)
		v[i] = new(struct pair, .a = (struct pair *)v);
	gc();
	for (int i = 0; i < 50000; i++)
		if (v[i]->a != (struct pair *)v || v[i]->b)
			TEST_FAIL("element %d is damaged", i);
	CHECK_EQ(a[12345], 1);
	gc_verify();
}

TEST(too_large_may_fail)
{
	CHECK(rt_malloc_may_fail((size_t)1 << 50, NULL) == NULL);
	CHECK(rt_malloc_may_fail(SIZE_MAX, NULL) == NULL);
	CHECK(rt_malloc_may_fail(SIZE_MAX - 100, &rt_type_noscan) == NULL);
	/* The nasty ring lets one in 11 fail. */
	CHECK(rt_malloc_may_fail(100, NULL) || rt_malloc_may_fail(100, NULL));
}

TEST(wild_words_are_no_objects)
{
	size_t size;
	int local;
	CHECK(rt_object_base(NULL, &size) == NULL);
	CHECK(rt_object_base((void *)8, &size) == NULL);
	CHECK(rt_object_base((void *)UINTPTR_MAX, &size) == NULL);
	CHECK(rt_object_base(&local, &size) == NULL);
	CHECK(rt_object_base((void *)main, &size) == NULL);
	for (int i = 0; i < 100000; i++)
		rt_object_base((void *)rnd(), &size);
}

/* Random sizes and lifetimes; every object carries its own pattern. */
struct owned {
	unsigned char *p;
	size_t n;
	unsigned char c;
};

static void churn(unsigned slots, unsigned steps, size_t biggest)
{
	struct owned *v = rt_make(struct owned, slots);
	for (unsigned i = 0; i < steps; i++) {
		struct owned *o = &v[rnd() % slots];
		for (size_t k = 0; k < o->n; k += o->n < 64 ? 1 : o->n / 7)
			if (o->p[k] != o->c)
				TEST_FAIL("byte %zu of %zu is %02x, not %02x", k, o->n, o->p[k], o->c);
		size_t bits = rnd() % 17;
		o->n = 1 + rnd() % ((size_t)2 << bits);
		if (o->n > biggest)
			o->n = biggest;
		o->c = (unsigned char)(rnd() | 1);
		o->p = rt_malloc(o->n, rnd() & 1 ? NULL : &rt_type_noscan);
		memset(o->p, o->c, o->n);
	}
}

TEST(churn)
{
	churn(500, 20000, 50000);
	gc_verify();
	gc();
	gc_verify();
}

static void churn_task(chan(int) done)
{
	churn(200, 5000, 20000);
	send(done, 1);
}

TEST(churn_in_tasks)
{
	chan(int) done = make_chan(int);
	for (int i = 0; i < 8; i++)
		go(churn_task, done);
	for (int i = 0; i < 8; i++)
		recv(done);
	gc_verify();
}

TEST(stats_count)
{
	struct mem_stats a, b;
	static struct pair *keep[1000];
	gc();
	read_mem_stats(&a);
	for (int i = 0; i < 1000; i++)
		keep[i] = new(struct pair);
	read_mem_stats(&b);
	CHECK(b.mallocs - a.mallocs >= 1000 && b.mallocs - a.mallocs < 1100);
	CHECK(b.total_alloc - a.total_alloc >= 16000 && b.total_alloc - a.total_alloc < 40000);
	CHECK(b.heap_objects >= 1000);
	CHECK(b.num_gc >= 1 && b.num_forced_gc >= 1);
	CHECK(b.next_gc > b.heap_live);
	memset(keep, 0, sizeof keep);
	gc();
	read_mem_stats(&a);
	CHECK(a.heap_objects < b.heap_objects);
	CHECK(a.num_gc == b.num_gc + 1);
}

TEST_MAIN
{
	RUN(new_zero_and_init);
	RUN(every_size);
	RUN(tiny_share_a_block);
	RUN(reuse_is_zeroed);
	RUN(alignment_of_types);
	RUN(large);
	RUN(too_large_may_fail);
	RUN(wild_words_are_no_objects);
	RUN(churn);
	RUN(churn_in_tasks);
	RUN(stats_count);
}
