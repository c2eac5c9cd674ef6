/* hello: the smallest program. */
#include "ingot.h"

int main(void)
{
	println("hello from Ingot: %d cores, %zu MiB", num_cpu(), memory_total() >> 20);
	return 0;
}
