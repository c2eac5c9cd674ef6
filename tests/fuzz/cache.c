/* cache.c: RESP as the cache reads it, and its commands: a client sends the input over the
 * loopback interface, and no more. */
#include <string.h>
#include "ingot.h"
#include "fuzz.h"
#undef main
#define main cache_main
#include "apps/cache/main.c"

#define LIMIT (1 << 20)

static listener *at_port;

static void accept_all(void)
{
	for (;;) {
		client *c = new(client);
		must(listener_accept(at_port, &c->conn));
		go(serve, c);
	}
}

static void setup(void)
{
	store_start(LIMIT);
	commands_start();
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &at_port));
	go(accept_all);
	gosched();
}

FUZZ(cache, setup)
{
	conn *c;
	byte buf[1024];
	size_t got;

	if (strings_contains(strings_to_lower((string){ (const char *)p, n }), S("shutdown")))
		return;
	must(net_dial(S("tcp"), net_addr_string(listener_addr(at_port)), &c));
	errors_ignore(conn_write(c, p, n, NULL));
	errors_ignore(conn_close_write(c));
	while (!conn_read(c, buf, sizeof buf, &got))
		;
	errors_ignore(conn_close(c));
	/* The same store for each. */
	atomic_store(&store.limit, LIMIT);
	store_clear();
	FUZZ_CHECK(atomic_load(&store.bytes) == 0);
	fuzz_forget_ends();
}
