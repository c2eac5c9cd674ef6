/* Fork and join: merge sort, whose halves are sorted at the same time. */
#include "ingot.h"

typedef slice(int) ints;

static ints merge(ints a, ints b)
{
	ints out = make_slice(int, 0, len(a) + len(b));
	while (len(a) > 0 && len(b) > 0) {
		if (at(a, 0) <= at(b, 0)) {
			out = append(out, at(a, 0));
			a = slice_from(a, 1);
		} else {
			out = append(out, at(b, 0));
			b = slice_from(b, 1);
		}
	}
	return append_slice(append_slice(out, a), b);
}

static void sorted(ints s, chan(ints) out)
{
	if (len(s) <= 1) {
		send(out, s);
		return;
	}
	chan(ints) halves = make_chan(ints, 2);
	go(sorted, slice_to(s, len(s) / 2), halves);
	go(sorted, slice_from(s, len(s) / 2), halves);
	send(out, merge(recv(halves), recv(halves)));
}

int main(void)
{
	ints numbers = make_slice(int, 1000);
	for_slice(i, p, numbers)
		*p = i * 7919 % 1000;
	chan(ints) out = make_chan(ints);
	go(sorted, numbers, out);
	ints s = recv(out);
	println("%zu %s %s %s", len(s), fmt_v(is_sorted(s)), fmt_v(slice_to(s, 10)), fmt_v(slice_from(s, 990)));
	return 0;
}
