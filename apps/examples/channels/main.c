/* Channels: without a buffer they hand over, with one they keep; close ends a range. */
#include "ingot.h"

static void double_all(chan(int) in, chan(int) out)
{
	for_recv(n, in)
		send(out, 2 * n);
	close(out);
}

int main(void)
{
	chan(int) in = make_chan(int), out = make_chan(int);
	go(double_all, in, out);
	for (int i = 1; i <= 3; i++) {
		send(in, i);
		println("%d doubled is %d", i, recv(out));
	}
	close(in);
	bool ok = recv(out, NULL);
	println("more to come: %s", fmt_v(ok));

	chan(string) letters = make_chan(string, 3);
	send(letters, S("a"));
	send(letters, S("b"));
	println("buffered: %zu of %zu", len(letters), cap(letters));
	close(letters);
	for_recv(s, letters)
		println("%s", s);
	return 0;
}
