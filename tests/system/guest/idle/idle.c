/* idle.c: says how many cores there are and then has nothing to do.
 * tests/system/machine.py watches what that costs the host. */
#include "ingot.h"

int main(void)
{
	println("idle on %d cores", num_cpu());
	sleep(60 * Second);
	return 0;
}
