/* dial.c: from names to connections: looking hosts up, dialling, listening.
 *
 * A dial tries a name's addresses in turn, IPv4 first, and gives each an equal
 * part of the time that is left, at least 2 s (Go: partialDeadline).  While an
 * interface still waits for its address a dial waits with it. */
#include "conn.h"
#include "../libc.h"
#include "timeouts.h"
#include <lwip/dns.h>

#define LEAST_TIME (2 * Second)
#define MAX_ADDRS 2 /* lwIP's resolver gives one of each family */

enum family { ANY, V4, V6 };

struct network {
	const char *name;
	bool udp;
	enum family family;
};
static const struct network networks[] = {
	{ "tcp", false, ANY }, { "tcp4", false, V4 }, { "tcp6", false, V6 },
	{ "udp", true, ANY },  { "udp4", true, V4 },  { "udp6", true, V6 },
};

static const struct network *network_of(string name)
{
	for (unsigned i = 0; i < sizeof networks / sizeof networks[0]; i++)
		if (name.len == strlen(networks[i].name) && memcmp(name.ptr, networks[i].name, name.len) == 0)
			return &networks[i];
	return NULL;
}

/* ---- names -------------------------------------------------------------------- */

/* One question.  lwIP keeps the pointer to it until it has answered, also when
 * nobody waits for that any more. */
struct lookup {
	struct lookup *next, **link; /* in open_lookups, until the answer */
	struct waiter done;
	bool answered, found;
	ip_addr_t ip;
};
static struct lookup *open_lookups;

static void on_found(const char *name, const ip_addr_t *ip, void *arg)
{
	struct lookup *l = arg;
	l->answered = true;
	l->found = ip != NULL;
	if (ip)
		l->ip = *ip;
	link_out(l);
	waiter_wake(&l->done);
}

/* Asks for an address of one family. */
static bool lookup_one(const char *name, bool v6, int64 deadline, net_addr *out)
{
	struct lookup *l = new(struct lookup);
	net_lock();
	net_dns_asked();
	err_t e = dns_gethostbyname_addrtype(name, &l->ip, on_found, l,
	                                     v6 ? LWIP_DNS_ADDRTYPE_IPV6 : LWIP_DNS_ADDRTYPE_IPV4);
	if (e == ERR_OK) {
		l->found = true;
	} else if (e == ERR_INPROGRESS) {
		link_in(&open_lookups, l);
		waiter_set_deadline(&l->done, deadline);
		while (!l->answered && !waiter_expired(&l->done))
			waiter_wait(&l->done);
		waiter_set_deadline(&l->done, 0);
	}
	bool found = l->found;
	if (found)
		*out = addr_of(&l->ip, 0);
	net_unlock();
	return found;
}

static unsigned resolve(string host, enum family family, int64 deadline, net_addr *out)
{
	char name[DNS_MAX_NAME_LENGTH];
	unsigned n = 0;
	if (parse_ip(host, out))
		return family == ANY || out->is_v6 == (family == V6);
	if (host.len == 0 || host.len >= sizeof name || memchr(host.ptr, 0, host.len))
		return 0;
	memcpy(name, host.ptr, host.len);
	name[host.len] = 0;
	if (strcmp(name, "localhost") == 0) {
		if (family != V6)
			out[n++] = (net_addr){ .ip = { 127, 0, 0, 1 } };
		if (family != V4)
			out[n++] = (net_addr){ .ip = { [15] = 1 }, .is_v6 = true };
		return n;
	}
	if (family != V6 && lookup_one(name, false, deadline, &out[n]))
		n++;
	if (family != V4 && lookup_one(name, true, deadline, &out[n]))
		n++;
	return n;
}

static error lookup_error(string host, error err)
{
	return errorf("lookup %s: %s", host, errors_wrap(err));
}

error net_lookup_host(string name, slice(net_addr) *out)
{
	net_start();
	net_addr a[MAX_ADDRS];
	unsigned n = resolve(name, ANY, 0, a);
	*out = make_slice(net_addr, n);
	memcpy(out->ptr, a, n * sizeof a[0]);
	return n ? NULL : lookup_error(name, net_err_no_host);
}

/* ---- dialling ------------------------------------------------------------------- */

static error dial_error(string network, string addr, error err)
{
	return errorf("dial %s %s: %s", network, addr, errors_wrap(err));
}

static error dial_one(const struct network *net, const net_addr *to, int64 deadline, conn **out)
{
	if (!net->udp)
		return tcp_dial(to, deadline, out);
	conn *c = new(conn);
	error err = udp_open(NULL, false, to, &c->udp);
	if (!err)
		*out = c;
	return err;
}

static error dial(string network, string addr, int64 deadline, conn **out)
{
	const struct network *net = network_of(network);
	string host, port;
	uint16_t n;
	net_addr to[MAX_ADDRS];
	if (!net)
		return dial_error(network, addr, errorf("unknown network: %s", errors_wrap(net_err_argument)));
	if (!split_host_port(addr, &host, &port) || !parse_port(port, &n))
		return dial_error(network, addr, errorf("want host:port: %s", errors_wrap(net_err_argument)));
	net_start();
	if (host.len == 0)
		host = net->family == V6 ? S("::1") : S("127.0.0.1");
	bool local = memcmp(host.ptr, "127.", host.len < 4 ? host.len : 4) == 0;
	if (!local)
		net_settle(deadline);
	unsigned found = resolve(host, net->family, deadline, to);
	error err = found ? NULL : lookup_error(host, net_err_no_host);
	for (unsigned i = 0; i < found; i++) {
		int64 until = deadline;
		if (deadline && i + 1 < found) {
			int64 now = nanotime(), part = (deadline - now) / (found - i);
			part = part > LEAST_TIME ? part : LEAST_TIME;
			until = part < deadline - now ? now + part : deadline;
		}
		to[i].port = n;
		err = dial_one(net, &to[i], until, out);
		if (!err)
			return NULL;
	}
	return dial_error(network, addr, err);
}

error net_dial(string network, string addr, conn **out)
{
	return dial(network, addr, 0, out);
}

error net_dial_timeout(string network, string addr, int64 ns, conn **out)
{
	int64 now = nanotime();
	return dial(network, addr, ns > INT64_MAX - now ? 0 : ns <= 0 ? 1 : now + ns, out);
}

/* ---- listening -------------------------------------------------------------------- */

static error local_addr(string network, string addr, bool udp, net_addr *at, bool *any_family)
{
	const struct network *net = network_of(network);
	string host, port;
	if (!net || net->udp != udp)
		return errorf("listen %s %s: unknown network: %s", network, addr, errors_wrap(net_err_argument));
	*at = (net_addr){ .is_v6 = net->family == V6 };
	if (!split_host_port(addr, &host, &port) || !parse_port(port, &at->port))
		return errorf("listen %s %s: want host:port: %s", network, addr, errors_wrap(net_err_argument));
	*any_family = host.len == 0 && net->family == ANY;
	if (host.len) {
		net_addr a[MAX_ADDRS];
		if (!resolve(host, net->family, 0, a))
			return errorf("listen %s %s: %s", network, addr, errors_wrap(net_err_no_host));
		a[0].port = at->port;
		*at = a[0];
	}
	return NULL;
}

error net_listen(string network, string addr, listener **out)
{
	net_addr at;
	bool any;
	net_start();
	error err = local_addr(network, addr, false, &at, &any);
	if (err)
		return err;
	err = tcp_listen_on(&at, any, out);
	return err ? errorf("listen %s %s: %s", network, addr, errors_wrap(err)) : NULL;
}

error net_listen_packet(string network, string addr, packet_conn **out)
{
	net_addr at;
	bool any;
	net_start();
	error err = local_addr(network, addr, true, &at, &any);
	if (err)
		return err;
	err = udp_open(&at, any, NULL, out);
	return err ? errorf("listen %s %s: %s", network, addr, errors_wrap(err)) : NULL;
}
