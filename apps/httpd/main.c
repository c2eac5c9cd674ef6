/* httpd: a web server: a site from files in the image, another from a tar archive on a
 * disk or handed over at boot, and a small API.
 *
 *	make run APP=apps/httpd PORTS=8080:80
 *
 * and then http://127.0.0.1:8080/ in a browser.  FILE=site.tar, or a disk that begins with
 * the archive, is found under /site/.  The console answers on the serial line: help.  With
 * ARGS=debug it does so under /debug/, too, for everyone who reaches the server. */
#include "ingot.h"

static int64 began, hits;

/* s as JSON has it. */
static string json(string s)
{
	builder b = { 0 };
	builder_write_byte(&b, '"');
	s = strings_to_valid_utf8(s, S("\xef\xbf\xbd"));
	for (size_t i = 0; i < s.len; i++) {
		if ((byte)s.ptr[i] < ' ' || s.ptr[i] == '"' || s.ptr[i] == '\\')
			builder_printf(&b, "\\u%04x", s.ptr[i]);
		else
			builder_write_byte(&b, (byte)s.ptr[i]);
	}
	builder_write_byte(&b, '"');
	return builder_string(&b);
}

static string stats(void)
{
	struct mem_stats m;
	read_mem_stats(&m);
	return sprint("{\"cores\":%d,\"tasks\":%d,\"uptime_ms\":%lld,\"requests\":%lld,\"memory\":%llu,\"free\":%llu,"
	              "\"heap\":%llu,\"stacks\":%llu,\"collections\":%u}",
	              num_cpu(), num_task(), (long long)((nanotime() - began) / Millisecond),
	              (long long)atomic_load(&hits), (unsigned long long)m.sys, (unsigned long long)m.heap_idle, (unsigned long long)m.heap_alloc,
	              (unsigned long long)m.stack_inuse, m.num_gc);
}

static void api_stats(http_writer *w, http_request *r)
{
	atomic_add(&hits, 1);
	http_set_header(w, S("Content-Type"), S("application/json"));
	http_print(w, "%s\n", stats());
}

/* After a collection, and with the stacks of who waits put away: what is really in use. */
static void api_gc(http_writer *w, http_request *r)
{
	gc();
	compact_stacks();
	api_stats(w, r);
}

/* The same once a second, as server-sent events. */
static void api_events(http_writer *w, http_request *r)
{
	context *ctx = http_context(r);
	while (!http_send_event(w, (http_event){ .event = S("stats"), .data = stats() }) && !context_err(ctx)) {
		context *tick = context_with_timeout(ctx, Second);
		recv(context_done(tick), NULL);
		context_cancel(tick);
	}
}

static void api_echo(http_writer *w, http_request *r)
{
	slice(byte) body;
	error err = http_read_all(r, 64 << 10, &body);
	if (err) {
		http_error(w, err == http_err_too_large ? 413 : 400, error_text(err));
		return;
	}
	atomic_add(&hits, 1);
	http_set_header(w, S("Content-Type"), S("application/json"));
	http_print(w, "{\"method\":%s,\"path\":%s,\"type\":%s,\"length\":%zu,\"body\":%s}\n", json(r->method), json(r->path),
	           json(http_header(r, S("Content-Type"))), len(body), json(string_view(body)));
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

/* The archive on the first disk, or the first file of the boot. */
static error open_site(file_system **fs)
{
	slice(file_info) files;
	slice(byte) data;
	*fs = NULL;
	disk *d = disk_open(0);
	if (d)
		return tar_disk_fs(d, fs);
	error err = fs_read_dir(boot_fs(), S("."), &files);
	if (!err && len(files))
		err = fs_read_file(boot_fs(), files.ptr[0].name, &data);
	return err || len(files) == 0 ? err : tar_fs(data, fs);
}

int main(int argc, char **argv)
{
	listener *l;
	file_system *site;
	http_mux *mux = new_http_mux();
	began = nanotime();
	http_handle_files(mux, S("GET /"), embed_fs());
	http_handle(mux, S("GET /hello"), hello);
	http_handle(mux, S("POST /echo"), echo);
	http_handle(mux, S("GET /api/stats"), api_stats);
	http_handle(mux, S("GET /api/gc"), api_gc);
	http_handle(mux, S("GET /api/events"), api_events);
	http_handle(mux, S("POST /api/echo"), api_echo);
	if (argc == 2 && string_eq(cstring(argv[1]), S("debug"))) {
		http_handle(mux, S("GET /debug/"), debug_handler);
	} else if (argc > 1) {
		println("httpd: unknown argument '%s'; there is debug", argv[1]);
		return 1;
	}
	error err = open_site(&site);
	if (err)
		println("httpd: no site: %s", err);
	else if (site)
		http_handle_files(mux, S("GET /site/"), site);
	err = net_wait_up(30 * Second);
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
	console_serve();
	must(http_serve(new(http_server, .mux = mux), l));
	return 1;
}
