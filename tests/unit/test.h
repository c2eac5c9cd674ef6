/* test.h: what a unit test is written with.
 *
 * tests/unit/NAME.c is a whole program.  The same source runs as a Linux
 * process (host, asan, nasty) and as a booted image; `make t/NAME` runs it in
 * all of them.
 *
 *	#include "ingot.h"
 *	#include "test.h"
 *
 *	TEST(append_grows)
 *	{
 *		CHECK_EQ(len(s), 3);
 *	}
 *
 *	TEST_MAIN
 *	{
 *		RUN(append_grows);
 *	}
 *
 * Prints "ok append_grows" or "FAIL append_grows FILE:LINE: what", at the end
 * "N passed, N failed", and ends with status 1 if any failed.  Arguments of
 * main are names: then only those run.  A test that was written but not
 * listed does not compile (unused function).
 *
 * Checks may stand in any task; a test goes on after a failed one. */
#ifndef TEST_H
#define TEST_H

#include "ingot.h"
#include <string.h>

static const char *test_name;
static int test_bad;               /* failed checks of this test; atomic */
static int test_npassed, test_nfailed;
static int test_argc;
static char **test_argv;

#define TEST(name) static void test_##name(void)
#define RUN(name) test_run(#name, test_##name)
#define TEST_MAIN \
	static void test_list(void); \
	int main(int argc, char **argv) \
	{ \
		return test_all(argc, argv, test_list); \
	} \
	static void test_list(void)

/* Notes a failure of the running test.  any task. */
#define TEST_FAIL(fmt, ...) \
	do { \
		__atomic_add_fetch(&test_bad, 1, __ATOMIC_SEQ_CST); \
		print("FAIL %s %s:%d: " fmt "\n", test_name, __FILE__, __LINE__, ##__VA_ARGS__); \
	} while (0)

#define CHECK(c) \
	do { \
		if (!(c)) \
			TEST_FAIL("%s", #c); \
	} while (0)

/* Integers (also of different types), shown when they differ. */
#define CHECK_EQ(a, b) \
	do { \
		long long test_a = (long long)(a), test_b = (long long)(b); \
		if (test_a != test_b) \
			TEST_FAIL("%s is %lld, not %lld (%s)", #a, test_a, test_b, #b); \
	} while (0)

/* Strings. */
#define CHECK_S(a, b) \
	do { \
		string test_s = (a), test_t = (b); \
		if (!string_eq(test_s, test_t)) \
			TEST_FAIL("%s is \"%s\", not \"%s\"", #a, test_s, test_t); \
	} while (0)

/* NUL-terminated strings. */
#define CHECK_STR(a, b) \
	do { \
		const char *test_a = (a), *test_b = (b); \
		if (strcmp(test_a, test_b) != 0) \
			TEST_FAIL("%s is \"%s\", not \"%s\"", #a, test_a, test_b); \
	} while (0)

/* The nasty ring collects at every n-th allocation, and must still end. */
#ifdef INGOT_NASTY
#define SCALED(n) ((n) / 20)
#else
#define SCALED(n) (n)
#endif

/* The same numbers in each run: Marsaglia's xorshift.  One task at a time. */
static uint64 random_state = 88172645463325252ull;
static inline uint64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* In the nasty ring some allocations fail that may, as a disk's buffers. */
#define TRY(call) \
	({ \
		error try_err; \
		do \
			try_err = (call); \
		while (errors_is(try_err, disk_err_memory)); \
		try_err; \
	})

static inline bool is_zero(const void *p, size_t n)
{
	const char *c = p;
	for (size_t i = 0; i < n; i++)
		if (c[i])
			return false;
	return true;
}

static inline void test_run(const char *name, void (*fn)(void))
{
	bool wanted = test_argc < 2;

	for (int i = 1; i < test_argc; i++)
		wanted |= strcmp(test_argv[i], name) == 0;
	if (!wanted)
		return;
	test_name = name;
	test_bad = 0;
	fn();
	if (test_bad == 0) {
		test_npassed++;
		print("ok %s\n", name);
	} else {
		test_nfailed++;
	}
}

static inline int test_all(int argc, char **argv, void (*list)(void))
{
	test_argc = argc;
	test_argv = argv;
	list();
	if (test_npassed + test_nfailed == 0) {
		print("no test bears that name\n");
		test_nfailed = 1;
	}
	print("%d passed, %d failed\n", test_npassed, test_nfailed);
	return test_nfailed != 0;
}

#endif
