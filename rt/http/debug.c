/* debug.c: the console's commands over HTTP (api_inspect.h).  The way in is a path that
 * ends in "/": its rest is the command, its query's "arg" the argument. */
#include "http.h"
#include "../api_log.h"
#include "../api_inspect.h"

void debug_handler(struct http_writer *w, struct http_request *r)
{
	string command = slice_from(r->path, (size_t)strings_last_index(r->path, S("/")) + 1), out;
	http_set_header(w, S("Cache-Control"), S("no-store"));
	if (string_eq(command, S("runtime"))) {
		http_set_header(w, S("Content-Type"), S("application/json"));
		out = runtime_json();
		http_write(w, out.ptr, out.len);
		return;
	}
	string arg = http_query_value(r, S("arg"));
	error err = console_command(command.len ? sprint("%s %s", command, arg) : S("help"), &out);
	if (err) {
		http_error(w, 404, error_text(err));
		return;
	}
	http_set_header(w, S("Content-Type"), S("text/plain; charset=utf-8"));
	http_write(w, out.ptr, out.len);
}
