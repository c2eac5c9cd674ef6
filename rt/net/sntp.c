/* sntp.c: the time of day from a server (RFC 4330: SNTP version 4).
 *
 * Off unless the boot parameter NET has ntp=HOST or the DHCP server names one
 * (option 42).  One task asks, sets the clock that unix_nano() reads, and asks
 * again after a while; a server that does not answer is asked less and less
 * often.  Our question tells nothing of this machine: its time stamp is a random
 * number, which a right answer repeats. */
#include "net.h"
#include "../api_rand.h"
#include "../api_time.h"
#include "../libc.h"

#define PORT "123"
#define ANSWER_TIME (5 * Second)
#define FIRST_WAIT (15 * Second) /* RFC 4330, 10: the least */
#define LONGEST_WAIT (1024 * Second)
#define ERA 2208988800u          /* seconds from 1900 to 1970 */

struct packet { /* RFC 4330, 4; numbers as they are sent */
	uint8_t mode, stratum, poll, precision;
	uint32_t delay, dispersion, id;
	uint64_t reference, originate, receive, transmit;
};
_Static_assert(sizeof(struct packet) == 48, "RFC 4330, 4");

static char server[96]; /* constant once the task runs */

/* Unix nanoseconds of a time stamp: seconds and their 2^-32nds, from 1900 or, with
 * the first bit 0, from 2036 (RFC 4330, 3). */
static int64 unix_of(uint64_t sent)
{
	uint64_t t = __builtin_bswap64(sent);
	int64 s = (int64)(t >> 32) - ERA;
	if (!(t >> 63))
		s += INT64_C(1) << 32;
	return s * Second + (int64)((t & 0xffffffff) * (uint64_t)Second >> 32);
}

/* RFC 4330, 5: NULL if it is an answer to our question from who knows the time. */
static const char *wrong(const struct packet *p, uint64_t cookie)
{
	if ((p->mode & 7) != 4 || p->originate != cookie)
		return "not an answer";
	if (p->stratum == 0)
		return "it refuses";
	if (p->mode >> 6 == 3 || p->stratum > 15 || p->transmit == 0)
		return "it does not know the time";
	return NULL;
}

/* The server's time at *when of nanotime(). */
static error ask(int64 *unix_ns, int64 *when)
{
	conn *c;
	struct packet p = { .mode = 4 << 3 | 3 }; /* version 4, client */
	string host = { server, strlen(server) };
	bool bare_v6 = memchr(server, ':', host.len) != NULL;
	error err = net_dial_timeout(S("udp"), sprint(bare_v6 ? "[%s]:" PORT : "%s:" PORT, host), ANSWER_TIME, &c);
	if (err)
		return err;
	size_t n = 0;
	const char *why = NULL;
	int64 begin = nanotime();
	uint64_t cookie = p.transmit = chacha8_uint64(NULL);
	conn_set_read_deadline(c, begin + ANSWER_TIME);
	err = conn_write(c, &p, sizeof p, NULL);
	while (!err && !(err = conn_read(c, &p, sizeof p, &n)))
		if (n == sizeof p && (p.originate == cookie)) { /* others may be of earlier questions, or forged */
			why = wrong(&p, cookie);
			break;
		}
	*when = nanotime();
	errors_ignore(conn_close(c));
	if (err)
		return err;
	if (why)
		return errorf("sntp %s: %s", host, why);
	/* Half of the way there and back, without what the server took (5). */
	int64 inside = unix_of(p.transmit) - unix_of(p.receive);
	int64 trip = *when - begin - (inside > 0 && inside < *when - begin ? inside : 0);
	*unix_ns = unix_of(p.transmit) + trip / 2;
	return NULL;
}

static void sntp_task(void *arg)
{
	int64 wait = FIRST_WAIT, t = 0, at = 0;
	bool said = false;
	for (;;) {
		error err = ask(&t, &at);
		if (!err) {
			wall_set(t - at);
			wait = LONGEST_WAIT;
			said = false;
		} else {
			if (!said) /* once, until it answers again */
				rt_printf("sntp: %.*s: %.*s; the clock is as it was\n", (int)strlen(server), server,
				          (int)error_text(err).len, error_text(err).ptr);
			said = true;
			wait = wait * 2 < LONGEST_WAIT ? wait * 2 : LONGEST_WAIT;
		}
		sleep(wait);
	}
}

bool sntp_begin(const char *host, size_t n)
{
	if (server[0])
		return true; /* the first one counts: NET's */
	if (n == 0 || n >= sizeof server)
		return false;
	memcpy(server, host, n);
	server[n] = 0;
	rt_go_system(sntp_task, NULL);
	return true;
}
