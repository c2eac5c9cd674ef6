/* An HTTP server, asked by a client in the same program. */
#include "ingot.h"

static int64 visits;

static void hello(http_writer *w, http_request *r)
{
	int64 n = atomic_add(&visits, 1);
	http_print(w, "Hello, %s! You are visitor %ld.\n", http_query_value(r, S("name")), n);
}

static void get(string url)
{
	http_response *r;
	slice(byte) body;
	must(http_get(url, &r));
	defer(http_response_close, r);
	must(http_response_read_all(r, 1 << 20, &body));
	print("%d %s", r->status, string_view(body));
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
	string server = concat(S("http://"), net_addr_string(listener_addr(l)));
	get(concat(server, S("/hello?name=gopher")));
	get(concat(server, S("/hello?name=Ada+Lovelace")));
	get(concat(server, S("/nothing")));
	return 0;
}
