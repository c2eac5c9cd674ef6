/* cache: a key-value cache that speaks Redis' protocol.
 *
 *	make run APP=apps/cache PORTS=6379:6379 ARGS='maxmemory=64M'
 *	redis-cli set greeting hello EX 60
 *
 * Arguments: port=6379, maxmemory=BYTES (K, M, G; without it half of the memory):
 * beyond it the keys go that were not used for longest; timeout=SECONDS (60): who takes
 * nothing of its replies for so long is cut off.  The console answers on the serial line:
 * help. */
#include "cache.h"

int64 connections, connected, executed;

static void serve(client *c)
{
	c->id = atomic_add(&connections, 1);
	atomic_add(&connected, 1);
	while (!c->quit && !read_command(c))
		execute(c);
	flush(c);
	if (c->queue) {
		unsubscribe_all(c);
		close(c->queue); /* its writer closes the connection */
	} else {
		errors_ignore(conn_close(c->conn));
	}
	atomic_add(&connected, -1);
}

/* "64M" */
static bool parse_size(string s, int64 *n)
{
	static const char units[] = "KMG";
	int shift = 0;

	for (int i = 0; units[i]; i++)
		if (len(s) && (at(s, len(s) - 1) & ~0x20) == units[i]) {
			shift = 10 * (i + 1);
			s = slice_to(s, len(s) - 1);
			break;
		}
	if (strconv_parse_int(s, 10, 64 - shift, n) || *n <= 0)
		return false;
	*n <<= shift;
	return true;
}

int main(int argc, char **argv)
{
	string port = S("6379"), value;
	int64 limit = (int64)memory_total() / 2, seconds;

	for (int i = 1; i < argc; i++) {
		if (strings_cut_prefix(cstring(argv[i]), S("port="), &value)) {
			port = value;
		} else if (strings_cut_prefix(cstring(argv[i]), S("timeout="), &value) &&
		           !strconv_parse_int(value, 10, 32, &seconds) && seconds > 0) {
			write_timeout = seconds * Second;
		} else if (!strings_cut_prefix(cstring(argv[i]), S("maxmemory="), &value) || !parse_size(value, &limit)) {
			println("cache: %s: the arguments are port=NUMBER, maxmemory=BYTES (or K, M, G) and timeout=SECONDS", argv[i]);
			return 2;
		}
	}
	store_start(limit);
	commands_start();
	console_serve();

	listener *l;
	error err = net_wait_up(30 * Second);
	if (!err)
		err = net_listen(S("tcp"), concat(S(":"), port), &l);
	if (err) {
		println("cache: %s", err);
		return 1;
	}
	println("cache: serving on port %s, up to %ld MiB of keys and values", port, (long)(limit >> 20));
	for (;;) {
		client *c = new(client);

		if ((err = listener_accept(l, &c->conn))) {
			println("cache: %s", err);
			return 1;
		}
		go(serve, c);
	}
}
