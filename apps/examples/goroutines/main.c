/* Goroutines, here called tasks: each computes by itself, a wait group waits for all of them. */
#include "ingot.h"

static void square(int i, slice(int) squares, wait_group *wg)
{
	defer(wait_group_done, wg);
	at(squares, i) = i * i;
}

int main(void)
{
	wait_group wg = {};
	slice(int) squares = make_slice(int, 10);
	for (int i = 0; i < 10; i++) {
		wait_group_add(&wg, 1);
		go(square, i, squares, &wg);
	}
	wait_group_wait(&wg);
	print_value(squares);
	return 0;
}
