/* demo: a page that shows the runtime it runs on, live, and gives it something to do.
 *
 *	make run
 *
 * and then the address that is printed, in a browser.  The page lies in embed/; what it
 * draws is runtime_json(), the same that /debug/runtime gives in any program.  The
 * console answers at /debug/ and on the serial line: help. */
#include "ingot.h"

static void page(http_writer *w, http_request *r)
{
	slice(byte) text;
	string name = string_eq(r->path, S("/")) ? S("index.html") : slice_from(r->path, 1);
	bool script = strings_has_suffix(name, S(".js")), style = strings_has_suffix(name, S(".css"));
	if (fs_read_file(embed_fs(), name, &text)) {
		http_error(w, 404, S("there is no such page"));
		return;
	}
	http_set_header(w, S("Content-Type"), script ? S("text/javascript") : style ? S("text/css") : S("text/html"));
	http_write(w, text.ptr, text.len);
}

static void runtime(http_writer *w, http_request *r)
{
	string json = runtime_json();
	http_set_header(w, S("Content-Type"), S("application/json"));
	http_write(w, json.ptr, json.len);
}

/* ---- work, to see the runtime at it -------------------------------------------- */

typedef struct node {
	struct node *left, *right;
	int64 value;
} node;

static node *tree(int depth)
{
	return depth == 0 ? NULL : new(node, .left = tree(depth - 1), .right = tree(depth - 1), .value = depth);
}

/* Waits, computes a little and waits again, for about five seconds. */
static void task(int number)
{
	volatile int64 sum = 0;
	for (int i = 0; i < 10; i++) {
		sleep((100 + number % 800) * Millisecond);
		for (int k = 0; k < 2000; k++)
			sum += k;
	}
}

/* Half a gigabyte in all, of all sizes, of which the last few pieces live. */
static void allocate(void)
{
	void *last[16];
	for (int i = 0; i < 2000; i++) {
		last[i % 16] = i % 3 ? (void *)tree(10) : make_slice(byte, 64 << i % 14).ptr;
		sleep(Millisecond);
	}
	keep_alive(last[0]);
}

static void load(http_writer *w, http_request *r)
{
	string what = http_path_value(r, S("what"));
	if (string_eq(what, S("tasks"))) {
		for (int i = 0; i < 10000; i++)
			go(task, i);
	} else if (string_eq(what, S("allocate"))) {
		go(allocate);
	} else if (string_eq(what, S("collect"))) {
		gc();
	} else {
		http_error(w, 404, S("tasks, allocate and collect are known"));
		return;
	}
	log_info("load: %s", what);
	http_print(w, "%d tasks\n", num_task());
}

/* argv[1]: where the page is, seen from the machine that runs this one; make run says it. */
int main(int argc, char **argv)
{
	listener *l;
	http_mux *mux = new_http_mux();
	http_handle(mux, S("GET /"), page);
	http_handle(mux, S("GET /api/runtime"), runtime);
	http_handle(mux, S("GET /debug/"), debug_handler);
	http_handle(mux, S("POST /load/{what}"), load);
	console_serve();
	println("demo: waiting for the network");
	error err = net_wait_up(30 * Second);
	if (!err)
		err = net_listen(S("tcp"), S(":80"), &l);
	if (err) {
		println("demo: %s", err);
		return 1;
	}
	log_info("demo: serving on port 80");
	if (argc > 1)
		println("demo: open %s, or type help here; Ctrl-C ends it", argv[1]);
	must(http_serve(new(http_server, .mux = mux), l));
	return 1;
}
