/* Bounded parallelism: a task for each text, but only three compute at a time. */
#include "ingot.h"

static int32 running, most;

typedef struct digest {
	int i;
	sha256_digest sum;
} digest;

static void compute(int i, chan(bool) slots, chan(digest) digests)
{
	send(slots, true);
	int32 n = atomic_add(&running, 1);
	for (int32 m = atomic_load(&most); n > m; m = atomic_load(&most))
		atomic_compare_and_swap(&most, m, n);
	sha256_digest sum = sha256_of(strings_repeat(S("text"), i * 1000));
	atomic_add(&running, -1);
	recv(slots);
	send(digests, ((digest){ i, sum }));
}

int main(void)
{
	chan(bool) slots = make_chan(bool, 3);
	chan(digest) digests = make_chan(digest);
	for (int i = 0; i < 10; i++)
		go(compute, i, slots, digests);
	sha256_digest sums[10];
	for (int i = 0; i < 10; i++) {
		digest d = recv(digests);
		sums[d.i] = d.sum;
	}
	for (int i = 0; i < 10; i++)
		println("%d %s", i, hex_encode(slice_from_array(byte, sums[i].b, 8)));
	bool kept = most <= 3;
	println("three at most: %s", fmt_v(kept));
	return 0;
}
