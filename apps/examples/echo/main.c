/* TCP: a server that sends back what it gets, and three clients at the same time. */
#include "ingot.h"

static void echo(conn *c)
{
	defer(conn_close, c);
	errors_ignore(io_copy(conn_writer(c), conn_reader(c), NULL));
}

static void serve(listener *l)
{
	conn *c;
	while (!listener_accept(l, &c))
		go(echo, c);
}

static void client(string addr, string text, chan(string) answers)
{
	conn *c;
	slice(byte) b;
	must(net_dial(S("tcp"), addr, &c));
	defer(conn_close, c);
	must(io_write_string(conn_writer(c), text));
	must(conn_close_write(c));
	must(io_read_all(conn_reader(c), &b));
	send(answers, string_of(b));
}

int main(void)
{
	listener *l;
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &l));
	go(serve, l);
	chan(string) answers = make_chan(string);
	for_slice(i, text, slice_lit(string, S("one"), S("two"), S("three")))
		go(client, net_addr_string(listener_addr(l)), *text, answers);
	map(string, bool) got = make_map(string, bool);
	for (int i = 0; i < 3; i++)
		map_set(got, recv(answers), true);
	must(listener_close(l));
	print_value(got);
	return 0;
}
