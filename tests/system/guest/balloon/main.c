/* balloon: takes 64 MiB, lets go of it, gives it back to the host, and takes it
 * once more; stays at each step long enough for tests/system/balloon.py to look. */
#include <string.h>
#include "ingot.h"

#define CHUNK (1 << 20)
#define N 64

static void pause_at(const char *what)
{
	struct mem_stats m;
	read_mem_stats(&m);
	println("%s idle %lu KiB", what, (unsigned long)(m.heap_idle >> 10));
	sleep(1500 * Millisecond);
}

static byte *kept[N]; /* a root */

static void use(int round)
{
	for (int i = 0; i < N; i++) {
		kept[i] = rt_make(byte, CHUNK);
		for (int k = 0; k < CHUNK; k++)
			if (kept[i][k]) {
				println("FAIL new memory is not zero");
				break;
			}
		memset(kept[i], round + i, CHUNK);
	}
	int bad = 0;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < CHUNK; k += 511)
			bad += kept[i][k] != (byte)(round + i);
	println("round %d: %d wrong", round, bad);
}

int main(void)
{
	use(1);
	pause_at("used");
	memset(kept, 0, sizeof kept);
	free_os_memory();
	pause_at("free");
	use(2);
	pause_at("again");
	println("end");
	return 0;
}
