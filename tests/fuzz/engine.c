/* engine.c: libFuzzer under the hosted build.
 *
 * libFuzzer wants to call the target and be returned to; a target here waits, spawns
 * and is switched away from, so it has to be a task.  So libFuzzer is a coroutine on a
 * stack of its own, which the main task enters on the scheduler's stack, where nothing
 * preempts: fuzzer_next() goes there, and comes back when libFuzzer calls its callback
 * with the next input.  That takes a core that is always the same thread, hence one core.
 *
 * Coverage is gcc's: trace-pc calls count here, in libFuzzer's "extra counters", and
 * trace-cmp calls go to libFuzzer itself.  Only what is fuzzed is compiled so; the
 * scheduler and the collector would be noise.
 *
 * This file is compiled without sanitizers. */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz.h"

#define STACK ((size_t)8 << 20)

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *p, size_t n));
extern char __executable_start[];

/* ---- coverage ----------------------------------------------------------------- */

/* libFuzzer has that function too, which says that it is of no use: --wrap. */
#define COUNTERS (1u << 16)
static bool edges_only; /* not how often: FUZZ_EDGES, for small corpora */
static uint8_t counters[COUNTERS] __attribute__((section("__libfuzzer_extra_counters"), aligned(64)));

void __wrap___sanitizer_cov_trace_pc(void);
void __wrap___sanitizer_cov_trace_pc(void)
{
	uint64_t at = (uint64_t)((char *)__builtin_return_address(0) - __executable_start);
	uint8_t *n = &counters[at * 0x9e3779b97f4a7c15u >> 48];
	*n = edges_only ? 1 : (uint8_t)(*n + 1);
}

/* gcc's; libFuzzer has nothing for them. */
void __sanitizer_cov_trace_cmpf(float a, float b);
void __sanitizer_cov_trace_cmpf(float a, float b) {}
void __sanitizer_cov_trace_cmpd(double a, double b);
void __sanitizer_cov_trace_cmpd(double a, double b) {}

/* ---- the coroutine ---------------------------------------------------------------- */

/* Keeps this stack in *save, goes on at the other. */
void fuzz_switch(void **save, void *to);
__asm__(".text\n\t.globl fuzz_switch\n\t.type fuzz_switch, @function\n"
        "fuzz_switch:\n\t"
        "pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
        "movq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n\t"
        "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\t"
        "ret\n\t.size fuzz_switch, . - fuzz_switch");

static void *fuzzer_sp, *task_sp;
struct fuzz_input fuzz_input;
static char *fuzzer_argv[64];

static int got_input(const uint8_t *p, size_t n)
{
	fuzz_input = (struct fuzz_input){ p, n };
	fuzz_switch(&fuzzer_sp, task_sp);
	fuzz_input.p = NULL;
	return 0;
}

static void fuzzer_main(void)
{
	char **argv = fuzzer_argv;
	int argc = 0;
	while (argv[argc])
		argc++;
	exit(LLVMFuzzerRunDriver(&argc, &argv, got_input));
}

void fuzzer_next(void *arg)
{
	fuzz_switch(&task_sp, fuzzer_sp);
}

/* ---- exact memory ---------------------------------------------------------------- */

uint8_t *fuzz_copy(const void *p, size_t n)
{
	uint8_t *to = malloc(n ? n : 1);
	memcpy(to, p, n);
	return to;
}

uint8_t *fuzz_zeroed(size_t n)
{
	return calloc(n, 1);
}

void fuzz_free(uint8_t *p)
{
	free(p);
}

/* What devices see is exact, too; nothing gives it back.  On the core's own stack: glibc's
 * functions take much. */
static void dma(void *arg)
{
	void **to = arg;
	size_t n = (size_t)to[0], align = (size_t)to[1];
	to[0] = aligned_alloc(align < 16 ? 16 : align, (n + align - 1) / align * align);
	if (to[0])
		memset(to[0], 0, n);
}

void rt_systemstack(void (*fn)(void *), void *arg);
void *__wrap_dma_alloc(size_t n, size_t align);
void *__wrap_dma_alloc(size_t n, size_t align)
{
	void *to[2] = { (void *)n, (void *)align };
	rt_systemstack(dma, to);
	return to[0];
}

/* Thousands of devices are taken out here; what is said of it is only put together. */
void __wrap_io_log(const char *fmt, ...);
void __wrap_io_log(const char *fmt, ...)
{
	char line[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
}

/* ---- devices ------------------------------------------------------------------------ */

bool (*fuzz_found_disk)(struct blkdev *d), (*fuzz_found_nic)(struct netdev *d), (*fuzz_found_rng)(struct entropydev *d);

#define FOUND(what, device) \
	void __real_##what(struct device *d); \
	void __wrap_##what(struct device *d); \
	void __wrap_##what(struct device *d)

FOUND(blkdev_add, blkdev)
{
	if (!fuzz_found_disk || !fuzz_found_disk(d))
		__real_blkdev_add(d);
}

FOUND(netdev_add, netdev)
{
	if (!fuzz_found_nic || !fuzz_found_nic(d))
		__real_netdev_add(d);
}

FOUND(entropydev_add, entropydev)
{
	if (!fuzz_found_rng || !fuzz_found_rng(d))
		__real_entropydev_add(d);
}

/* ---- the end of a bad input ---------------------------------------------------------- */

/* The runtime's ways out (plat_exit(), plat_fatal_end()) come here: ld's --wrap. */
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
void __wrap__exit(int status)
{
	static char name[256];
	if (fuzz_input.p) {
		uint64_t h = 14695981039346656037u; /* FNV-1a */
		for (size_t i = 0; i < fuzz_input.n; i++)
			h = (h ^ fuzz_input.p[i]) * 1099511628211u;
		const char *folder = getenv("FUZZ_ARTIFACTS");
		snprintf(name, sizeof name, "%scrash-%016llx", folder ? folder : "./", (unsigned long long)h);
		int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
		if (fd < 0 || write(fd, fuzz_input.p, fuzz_input.n) != (ssize_t)fuzz_input.n)
			dprintf(2, "fuzz: cannot write the input:\n");
		dprintf(2, "fuzz: the program ended with status %d in this input, kept in %s\n", status, name);
		__real__exit(77);
	}
	__real__exit(status);
}

/* UBSan's own way out is seen by nobody; libFuzzer sees SIGABRT. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

/* What the collector's heap points to is no leak. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:allocator_may_return_null=1";
}

/* libFuzzer's clock: its handler looks at the thread that it runs on, which has to be
 * the core's. */
static void alarm_mask(int how)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGALRM);
	sigprocmask(how, &s, NULL);
}

__attribute__((constructor)) static void before_main(void)
{
	alarm_mask(SIG_BLOCK);
	edges_only = getenv("FUZZ_EDGES") != NULL;
}

void fuzzer_begin(void *arg)
{
	static char program[4096], artifacts[300];
	char **words = arg;
	unsigned n = 0;
	/* Above every task's stack, as a core's. */
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void **sp = (void **)(stack + STACK) - 2;
	*sp = (void *)fuzzer_main;
	fuzzer_sp = sp - 6;
	/* libFuzzer starts itself again, by the shell, to merge corpora.  It must make no thread
	 * for the memory limit: that calls sleep(), which is the runtime's here. */
	ssize_t k = readlink("/proc/self/exe", program, 4000);
	snprintf(program + (k > 0 ? k : 0), 90, " %s", words[1]);
	if (getenv("FUZZ_ARTIFACTS"))
		snprintf(artifacts, sizeof artifacts, "-artifact_prefix=%s", getenv("FUZZ_ARTIFACTS"));
	fuzzer_argv[n++] = program;
	fuzzer_argv[n++] = "-rss_limit_mb=0";
	fuzzer_argv[n++] = "-detect_leaks=0";
	fuzzer_argv[n++] = "-timeout=20";
	if (artifacts[0])
		fuzzer_argv[n++] = artifacts;
	for (words += 2; *words && n < 63; words++)
		fuzzer_argv[n++] = *words;
	alarm_mask(SIG_UNBLOCK);
}
