/* The prime sieve: a chain of tasks, each of which lets no multiple of its prime pass. */
#include "ingot.h"

static void generate(chan(int) out)
{
	for (int n = 2;; n++)
		send(out, n);
}

static void filter(chan(int) in, chan(int) out, int prime)
{
	for_recv(n, in)
		if (n % prime != 0)
			send(out, n);
}

int main(void)
{
	chan(int) ch = make_chan(int);
	go(generate, ch);
	for (int i = 0; i < 20; i++) {
		int prime = recv(ch);
		println("%d", prime);
		chan(int) next = make_chan(int);
		go(filter, ch, next, prime);
		ch = next;
	}
	return 0;
}
