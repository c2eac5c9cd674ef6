/* httpd: a web server.
 *
 *	make run APP=apps/httpd PORTS=8080:80
 *
 * and then http://127.0.0.1:8080/ in a browser. */
#include "ingot.h"

static int64 began, hits;

static void index_page(http_writer *w, http_request *r)
{
	http_set_header(w, S("Content-Type"), S("text/html; charset=utf-8"));
	http_print(w, "<!doctype html><title>Ingot</title><h1>Ingot</h1>\n"
	              "<p>%d cores, %d tasks, up for %ld s, page %ld.\n",
	           num_cpu(), num_task(), (nanotime() - began) / Second, atomic_add(&hits, 1) + 1);
}

static void hello(http_writer *w, http_request *r)
{
	http_set_header(w, S("Content-Type"), S("text/plain"));
	http_print(w, "Hello, World!\n");
}

/* Gives back what it gets, as it comes. */
static void echo(http_writer *w, http_request *r)
{
	byte buf[1024];
	size_t n;
	while (!http_read(r, buf, sizeof buf, &n))
		if (http_write(w, buf, n))
			break;
}

int main(void)
{
	listener *l;
	http_mux *mux = new_http_mux();
	began = nanotime();
	http_handle(mux, S("GET /{$}"), index_page);
	http_handle(mux, S("GET /hello"), hello);
	http_handle(mux, S("POST /echo"), echo);
	error err = net_wait_up(30 * Second);
	if (!err)
		err = net_listen(S("tcp"), S(":80"), &l);
	if (err) {
		println("httpd: %s", err);
		return 1;
	}
	slice(net_interface) all = net_interfaces();
	for (size_t i = 0; i < len(all); i++)
		for (size_t k = 0; k < len(all.ptr[i].addrs); k++)
			println("%s %s", all.ptr[i].name, net_addr_string(all.ptr[i].addrs.ptr[k]));
	println("httpd: serving on port 80");
	must(http_serve(new(http_server, .mux = mux), l));
	return 1;
}
