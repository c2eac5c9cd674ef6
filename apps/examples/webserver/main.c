/* An HTTP server, asked by a client in the same program. */
#include "ingot.h"

static int64 visits;

static void hello(http_writer *w, http_request *r)
{
	int64 n = atomic_add(&visits, 1);
	http_print(w, "Hello, %s! You are visitor %ld.\n", http_query_value(r, S("name")), n);
}

static void get(string addr, string path)
{
	conn *c;
	slice(byte) answer;
	must(net_dial(S("tcp"), addr, &c));
	defer(conn_close, c);
	must(io_printf(conn_writer(c), "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, addr));
	must(io_read_all(conn_reader(c), &answer));
	string status, rest, body;
	strings_cut(string_view(answer), S("\r\n"), &status, &rest);
	strings_cut(rest, S("\r\n\r\n"), &rest, &body);
	print("%s: %s\n%s", path, status, body);
}

static void serve(listener *l, http_mux *mux)
{
	errors_ignore(http_serve(new(http_server, .mux = mux), l));
}

int main(void)
{
	listener *l;
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &l));
	http_mux *mux = new_http_mux();
	http_handle(mux, S("/hello"), hello);
	go(serve, l, mux);
	string addr = net_addr_string(listener_addr(l));
	get(addr, S("/hello?name=gopher"));
	get(addr, S("/hello?name=Ada+Lovelace"));
	return 0;
}
