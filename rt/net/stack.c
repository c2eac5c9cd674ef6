/* stack.c: lwIP's one instance: its lock, its clock, its start.
 *
 * Invariants: lwIP is entered only under `big`; who takes it catches up with the
 * timers, and the timer task sleeps until one is due (timeouts.c).
 * What was sent to this machine itself is delivered as the lock is given back,
 * not inside the call that sent it.  Devices are told of frames, and tasks woken,
 * after that: the host takes its time while nobody waits, and no task runs into
 * the lock on another core. */
#include "net.h"
#include "../api_rand.h"
#include "../hash.h"
#include "../libc.h"
#include "timeouts.h"
#include <lwip/init.h>
#include "lwip/hooks.h"

static mutex big;
static once started;
bool net_begun;
static uint64_t secret[2]; /* of sequence numbers */
static struct waiter clock_waiter;
#define WOKEN_MAX 32
static struct waiter *woken[WOKEN_MAX]; /* to be woken when the lock is free; under it */
static unsigned nwoken;
static int64_t clock_due;   /* when the timer task wakes; under the lock */
uint64_t net_wakes;

uint32_t net_rand(void)
{
	return chacha8_uint32(NULL);
}

u32_t net_tcp_isn(const ip_addr_t *local, u16_t local_port, const ip_addr_t *remote, u16_t remote_port)
{
	net_begun = true;
	uint64_t h = hash_bytes(local, sizeof *local, secret[0]);
	h = hash_bytes(remote, sizeof *remote, h ^ secret[1]);
	return (u32_t)hash_word((uint64_t)local_port << 16 | remote_port, h) + (u32_t)(plat_now() / 4000);
}

noreturn void net_assert_failed(const char *what, const char *file, int line)
{
	throw("lwIP: %s (%s:%d)", what, file, line);
}

/* The sum of 16-bit words, RFC 1071, eight bytes at a time; the order of bytes
 * does not matter until the end. */
uint16_t net_checksum(const void *data, int len)
{
	const char *p = data;
	uint64_t sum = 0, w;
	for (; len >= 32; len -= 32, p += 32)
		__asm__("addq (%1), %0\n\t"
			"adcq 8(%1), %0\n\t"
			"adcq 16(%1), %0\n\t"
			"adcq 24(%1), %0\n\t"
			"adcq $0, %0"
			: "+r"(sum) : "r"(p), "m"(*(const char(*)[32])p) : "cc");
	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&w, p, 8);
		sum += w;
		sum += sum < w;
	}
	if (len) {
		w = 0;
		memcpy(&w, p, (size_t)len);
		sum += w;
		sum += sum < w;
	}
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

void net_lock(void)
{
	mutex_lock(&big);
	int64_t now = nanotime();
	if (now >= net_next_point)
		net_catch_up(now);
	net_planned = false;
}

void waiter_wake(struct waiter *w)
{
	if (!w->waiting)
		return;
	w->waiting = false;
	if (nwoken < WOKEN_MAX)
		woken[nwoken++] = w;
	else
		io_signal(&w->ev);
}

static void give_back(bool waits)
{
	struct netif *n;
	struct waiter *w[WOKEN_MAX];
	bool again;
	do { /* an answer may be for this machine too */
		again = false;
		NETIF_FOREACH(n) {
			if (n->loop_first) {
				netif_poll(n);
				again = true;
			}
		}
	} while (again);
	if (!net_planned && clock_due > net_next_point) { /* there may be more to do than was planned for */
		clock_due = net_next_point;
		waiter_set_deadline(&clock_waiter, clock_due);
	}
	net_send_held();
	unsigned k = nwoken;
	for (unsigned i = 0; i < k; i++) {
		w[i] = woken[i];
		woken[i] = NULL;
	}
	nwoken = 0;
	uint64_t queues = net_unkicked;
	net_unkicked = 0;
	mutex_unlock(&big);
	netif_kick(queues);
	for (unsigned i = 0; i + 1 < k; i++)
		io_signal(&w[i]->ev);
	if (k && waits)
		io_signal_here(&w[k - 1]->ev);
	else if (k)
		io_signal(&w[k - 1]->ev);
}

void net_unlock(void)
{
	give_back(false);
}

void net_unlock_to_wait(void)
{
	give_back(true);
}

static void timer_task(void *arg)
{
	net_lock();
	for (;;) {
		clock_due = net_plan();
		net_wakes++;
		waiter_set_deadline(&clock_waiter, clock_due);
		if (!waiter_expired(&clock_waiter)) /* due already: no timer was set */
			waiter_wait(&clock_waiter);
		else
			net_catch_up(nanotime());
	}
}

static void start(void)
{
	plat_entropy(secret, sizeof secret);
	net_timeouts_begin();
	net_lock();
	clock_due = INT64_MAX;
	lwip_init();
	rt_go_system(timer_task, NULL);
	netif_begin();
	net_unlock();
}

/* Names netstat.c, so that an image with the network has its report if somebody asks
 * for it: the console does so by a weak symbol, which takes nothing out of an archive. */
static void (*const report)(struct builder *) __attribute__((used)) = net_report;

void net_start(void)
{
	once_do(&started, start);
}
