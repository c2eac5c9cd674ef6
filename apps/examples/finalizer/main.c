/* A finalizer: called by the collector when nobody holds an object any more. */
#include "ingot.h"

typedef struct handle {
	string name;
} handle;

static chan(string) closed;

static void close_handle(handle *h)
{
	send(closed, h->name);
}

static void use(string name, chan(int) done)
{
	handle *h = new(handle, name);
	set_finalizer(h, close_handle);
	send(done, len(h->name));
}

int main(void)
{
	closed = make_chan(string, 1);
	chan(int) done = make_chan(int);
	go(use, S("log file"), done);
	println("used %d", recv(done));
	for (string name = {}; len(name) == 0;) {
		gc();
		select {
			case_recv(closed, &name) { println("closed %s", name); }
			case_recv(after(Millisecond), NULL) {}
		}
	}
	return 0;
}
