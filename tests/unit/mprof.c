/* mprof.c: the allocation profile: who allocated how much, and what of it lives. */
#include "ingot.h"
#include "test.h"

struct node {
	struct node *next;
	long v[5]; /* 48 bytes */
};

#define RATE 4096
#ifdef INGOT_NASTY
enum { N = 3000 };
#else
enum { N = 60000 };
#endif

static struct node *nodes[N];
static char *bytes;

static __attribute__((noinline)) void allocate_nodes(int n)
{
	for (int i = 0; i < n; i++)
		nodes[i] = new(struct node);
	__asm__ volatile("");
}

static __attribute__((noinline)) void allocate_garbage(int n)
{
	for (int i = 0; i < n; i++)
		bytes = rt_malloc(200, &rt_type_noscan);
	bytes = NULL;
	__asm__ volatile("");
}

static __attribute__((noinline)) void allocate_large(int n)
{
	for (int i = 0; i < n; i++)
		bytes = rt_malloc(100000, &rt_type_noscan);
	bytes = NULL;
	__asm__ volatile("");
}

static __attribute__((noinline)) void scrub_stack(void)
{
	char junk[4096];
	memset(junk, 0, sizeof junk);
	__asm__ volatile("" : : "r"(junk) : "memory");
}

/* The function begins at f: is it among the record's frames? */
static bool is_of(const mem_profile_record *r, void *f)
{
	for (size_t i = 0; i < r->nstack; i++)
		if (r->stack[i] - (uintptr_t)f < 400)
			return true;
	return false;
}

struct sums {
	double allocs, lives; /* estimated objects */
	uint64 records;
};

static struct sums sums_of(void *f, uint64 size)
{
	struct sums s = { 0 };
	slice(mem_profile_record) v = read_mem_profile(true);
	for_slice(i, r, v)
		if (is_of(r, f) && r->size == size) {
			CHECK(r->alloc_bytes == r->alloc_objects * size && r->free_objects <= r->alloc_objects);
			s.allocs += (double)r->alloc_objects * mem_profile_scale(size);
			s.lives += (double)(r->alloc_objects - r->free_objects) * mem_profile_scale(size);
			s.records++;
		}
	return s;
}

/* Within a fifth, five standard deviations of what is sampled of N. */
static bool about(double is, double want)
{
	double slack = want * (N > 10000 ? 0.2 : 0.9);
	return is > want - slack && is < want + slack;
}

TEST(counts_what_lives)
{
	CHECK_EQ(set_mem_profile_rate(RATE), 0);
	allocate_nodes(N);
	gc();
	struct sums s = sums_of(allocate_nodes, sizeof(struct node));
	CHECK(s.records > 0);
	if (!about(s.allocs, N) || !about(s.lives, N))
		TEST_FAIL("%d nodes: %ld allocated, %ld live", N, (long)s.allocs, (long)s.lives);
	memset(nodes, 0, sizeof nodes);
	scrub_stack();
	gc();
	s = sums_of(allocate_nodes, sizeof(struct node));
	if (!about(s.allocs, N) || s.lives > N / 20)
		TEST_FAIL("%d dead nodes: %ld allocated, %ld live", N, (long)s.allocs, (long)s.lives);
	CHECK_EQ(set_mem_profile_rate(0), RATE);
}

TEST(counts_garbage)
{
	set_mem_profile_rate(RATE);
	allocate_garbage(N / 4);
	gc();
	struct sums s = sums_of(allocate_garbage, 208);
	if (!about(s.allocs, N / 4) || s.lives > N / 100)
		TEST_FAIL("%d of garbage: %ld allocated, %ld live", N / 4, (long)s.allocs, (long)s.lives);
	set_mem_profile_rate(0);
}

TEST(counts_large)
{
	set_mem_profile_rate(RATE);
	allocate_large(50);
	gc();
	struct sums s = sums_of(allocate_large, 100000);
	CHECK(s.allocs > 49.5 && s.allocs < 50.5 && s.lives < 3);
	set_mem_profile_rate(0);
}

static __attribute__((noinline)) void allocate_exact(void)
{
	for (int i = 0; i < 500; i++)
		nodes[i] = new(struct node);
	__asm__ volatile("");
}

/* Rate 1: all of them, one for one. */
TEST(rate_one_sees_all)
{
	set_mem_profile_rate(1);
	allocate_nodes(0);
	allocate_exact();
	set_mem_profile_rate(0);
	gc();
	set_mem_profile_rate(1); /* the scale */
	struct sums s = sums_of(allocate_exact, sizeof(struct node));
	set_mem_profile_rate(0);
	/* What the P had in hand when the profile began is not seen. */
	CHECK(s.allocs <= 500 && s.allocs >= 500 - 2048 / sizeof(struct node));
	memset(nodes, 0, sizeof nodes);
}

static __attribute__((noinline)) void allocate_unseen(void)
{
	for (int i = 0; i < N; i++)
		bytes = rt_malloc(320, &rt_type_noscan);
	bytes = NULL;
	__asm__ volatile("");
}

TEST(off_is_off)
{
	set_mem_profile_rate(RATE);
	set_mem_profile_rate(0);
	allocate_unseen();
	gc();
	CHECK_EQ(sums_of(allocate_unseen, 320).records, 0);
}

static void worker(wait_group *wg)
{
	struct node *own = NULL;
	for (int i = 0; i < N / 20; i++) {
		own = new(struct node, .next = own);
		if (i % 50 == 0) {
			own = NULL;
			gosched();
		}
	}
	wait_group_done(wg);
}

/* Many tasks, with collections beside: the sweeper counts what the tasks sample. */
TEST(many_tasks)
{
	wait_group wg = { 0 };
	set_mem_profile_rate(64);
	wait_group_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		go(worker, &wg);
	for (int i = 0; i < 5; i++) {
		gc();
		read_mem_profile(false);
	}
	wait_group_wait(&wg);
	scrub_stack();
	gc();
	set_mem_profile_rate(0);
	gc_verify();
	slice(mem_profile_record) v = read_mem_profile(true);
	for_slice(i, r, v)
		CHECK(r->free_objects <= r->alloc_objects && r->nstack > 0);
}

TEST_MAIN
{
	RUN(counts_what_lives);
	RUN(counts_garbage);
	RUN(counts_large);
	RUN(rate_one_sees_all);
	RUN(off_is_off);
	RUN(many_tasks);
}
