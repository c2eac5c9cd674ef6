/* addr.c: addresses as values and as text, and lwIP's errors as ours. */
#include "net.h"
#include "../api_strconv.h"
#include "../text.h"
#include "../libc.h"
#include <lwip/err.h>

define_error(net_err_closed, "use of closed network connection");
define_error(net_err_timeout, "i/o timeout");
define_error(net_err_refused, "connection refused");
define_error(net_err_reset, "connection reset by peer");
define_error(net_err_unreachable, "network is unreachable");
define_error(net_err_in_use, "address already in use");
define_error(net_err_no_host, "no such host");
define_error(net_err_memory, "cannot allocate memory");
define_error(net_err_too_long, "message too long");
define_error(net_err_argument, "invalid argument");
static define_error(err_not_connected, "not connected");
static define_error(err_other, "network error");

error net_error(err_t e)
{
	switch (e) {
	case ERR_OK: return NULL;
	case ERR_MEM:
	case ERR_BUF: return net_err_memory;
	case ERR_TIMEOUT: return net_err_timeout;
	case ERR_RTE: return net_err_unreachable;
	case ERR_USE: return net_err_in_use;
	case ERR_RST:
	case ERR_ABRT: return net_err_reset;
	case ERR_CLSD: return net_err_closed;
	case ERR_CONN: return err_not_connected;
	case ERR_VAL:
	case ERR_ARG: return net_err_argument;
	default: return err_other;
	}
}

ip_addr_t ip_of(const net_addr *a)
{
	ip_addr_t ip;
	memset(&ip, 0, sizeof ip);
	if (a->is_v6) {
		IP_SET_TYPE_VAL(ip, IPADDR_TYPE_V6);
		memcpy(ip_2_ip6(&ip)->addr, a->ip, 16);
		ip6_addr_set_zone(ip_2_ip6(&ip), (u8_t)a->zone);
	} else {
		IP_SET_TYPE_VAL(ip, IPADDR_TYPE_V4);
		memcpy(&ip_2_ip4(&ip)->addr, a->ip, 4);
	}
	return ip;
}

net_addr addr_of(const ip_addr_t *ip, uint16_t port)
{
	net_addr a = { .port = port };
	if (IP_IS_V6_VAL(*ip)) {
		a.is_v6 = true;
		memcpy(a.ip, ip_2_ip6(ip)->addr, 16);
		a.zone = ip6_addr_zone(ip_2_ip6(ip));
	} else {
		memcpy(a.ip, &ip_2_ip4(ip)->addr, 4);
	}
	return a;
}

/* "host:port" -> both, without brackets. */
bool split_host_port(string s, string *host, string *port)
{
	size_t colon = (size_t)(strings_last_index_byte(s, ':') + 1);
	if (colon == 0)
		return false;
	*port = (string){ s.ptr + colon, s.len - colon };
	*host = (string){ s.ptr, colon - 1 };
	if (host->len && host->ptr[0] == '[') {
		if (host->len < 3 || host->ptr[host->len - 1] != ']')
			return false;
		*host = (string){ host->ptr + 1, host->len - 2 };
	} else if (memchr(host->ptr, ':', host->len)) {
		return false; /* an IPv6 address wants brackets */
	}
	return true;
}

bool parse_port(string s, uint16_t *port)
{
	uint64_t v = 0;
	bool ok = !strconv_parse_uint(s, 10, 16, &v);
	*port = (uint16_t)v;
	return ok;
}

/* Four decimal numbers without leading zeros, as Go reads them: lwIP's reader also
 * takes octal, hexadecimal and fewer numbers. */
static bool parse_v4(string s, uint8_t *ip)
{
	size_t i = 0;
	for (int k = 0; k < 4; k++) {
		unsigned v = 0, digits = 0;
		for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9' && digits < 3; i++, digits++)
			v = v * 10 + (unsigned)(s.ptr[i] - '0');
		if (!digits || v > 255 || (digits > 1 && s.ptr[i - digits] == '0'))
			return false;
		ip[k] = (uint8_t)v;
		if (k < 3 && (i == s.len || s.ptr[i++] != '.'))
			return false;
	}
	return i == s.len;
}

/* Eight groups of up to four digits, one run of zero groups as "::", the last two
 * also as IPv4.  RFC 4291, 2.2. */
static bool parse_v6(string s, uint8_t *ip)
{
	uint8_t got[16];
	size_t n = 0, gap = 99, i = 0;
	if (s.len >= 2 && s.ptr[0] == ':' && s.ptr[1] == ':') {
		gap = 0;
		i = 2;
	}
	while (i < s.len && n < 16) {
		unsigned v = 0;
		size_t begin = i;
		for (unsigned d; i < s.len && i - begin < 4 && (d = digit_value((byte)s.ptr[i])) < 16; i++)
			v = v << 4 | d;
		if (i < s.len && s.ptr[i] == '.' && n <= 12) {
			if (!parse_v4((string){ s.ptr + begin, s.len - begin }, got + n))
				return false;
			n += 4;
			i = s.len;
			break;
		}
		if (i == begin)
			return false;
		got[n++] = (uint8_t)(v >> 8);
		got[n++] = (uint8_t)v;
		if (i == s.len)
			break;
		if (s.ptr[i++] != ':' || i == s.len)
			return false;
		if (s.ptr[i] == ':') {
			if (gap != 99)
				return false;
			gap = n;
			i++;
		}
	}
	if (i != s.len || (gap == 99 ? n != 16 : n > 14))
		return false;
	memset(ip, 0, 16);
	gap = gap == 99 ? n : gap;
	memcpy(ip, got, gap);
	memcpy(ip + 16 - (n - gap), got + gap, n - gap);
	return true;
}

/* As RFC 5952 wants it: lower case, no leading zeros, the longest run of two or
 * more zero groups as "::". */
static int format_v6(const uint8_t *ip, char *out, size_t size)
{
	unsigned g[8], best = 8, best_n = 1;
	for (unsigned i = 0; i < 8; i++)
		g[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
	for (unsigned i = 0, n; i < 8; i += n ? n : 1) {
		for (n = 0; i + n < 8 && g[i + n] == 0; n++)
			;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	int n = 0;
	for (unsigned i = 0; i < 8; i++) {
		if (i == best) {
			n += snprintf(out + n, size - (size_t)n, "::");
			i += best_n - 1;
			continue;
		}
		n += snprintf(out + n, size - (size_t)n, "%s%x", i && i != best + best_n ? ":" : "", g[i]);
	}
	return n;
}

bool parse_ip(string s, net_addr *out)
{
	*out = (net_addr){ 0 };
	out->is_v6 = memchr(s.ptr, ':', s.len) != NULL;
	return out->is_v6 ? parse_v6(s, out->ip) : parse_v4(s, out->ip);
}

string net_addr_string(net_addr a)
{
	char text[64], all[72];
	if (a.is_v6)
		format_v6(a.ip, text, sizeof text);
	else
		snprintf(text, sizeof text, "%u.%u.%u.%u", a.ip[0], a.ip[1], a.ip[2], a.ip[3]);
	int n = snprintf(all, sizeof all, !a.port ? "%s" : a.is_v6 ? "[%s]:%u" : "%s:%u", text, a.port);
	return string_from_bytes(all, (size_t)n);
}

error net_parse_addr(string s, net_addr *out)
{
	string host, port;
	net_addr a = { 0 };
	uint16_t n;
	if (!split_host_port(s, &host, &port) || !parse_port(port, &n) || (host.len && !parse_ip(host, &a)))
		return errorf("address %s: %s", s, errors_wrap(net_err_argument));
	a.port = n;
	*out = a;
	return NULL;
}
