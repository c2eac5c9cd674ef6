/* main.c: the main task of the fuzz targets: gets inputs and gives them to the target that
 * its first argument names; without one lists them.  The others are libFuzzer's. */
#include <string.h>
#include "ingot.h"
#include "plat.h"
#include "driver.h"
#include "fuzz.h"

extern const struct fuzz_target __start_fuzz_targets[], __stop_fuzz_targets[];

static void leave(void *arg)
{
	plat_exit(1);
}

void fuzz_failed(const char *file, int line, const char *what)
{
	print("fuzz: %s:%d: %s does not hold\n", file, line, what);
	rt_systemstack(leave, NULL);
	__builtin_unreachable();
}

/* Tasks that are about to end get the time for it. */
static void settle(int before)
{
	for (int i = 0; num_task() > before; i++) {
		if (i < 1000)
			gosched();
		else
			sleep(Millisecond);
		if (i == 10000)
			task_dump();
		FUZZ_CHECK(i < 10000); /* a task has stayed */
	}
}

int main(int argc, char **argv)
{
	const struct fuzz_target *t = __start_fuzz_targets;

	while (t < __stop_fuzz_targets && (argc < 2 || strcmp(t->name, argv[1]) != 0))
		t++;
	if (t == __stop_fuzz_targets) {
		for (t = __start_fuzz_targets; t < __stop_fuzz_targets; t++)
			print("%s\n", t->name);
		return argc > 1 ? 2 : 0;
	}
	if (t->setup)
		t->setup();
	rt_systemstack(fuzzer_begin, argv);
	for (int before = num_task();; settle(before)) {
		rt_systemstack(fuzzer_next, NULL);
		t->one(fuzz_input.p, fuzz_input.n);
	}
}
