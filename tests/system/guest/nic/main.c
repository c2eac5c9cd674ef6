/* nic: frames in and out, for tests/system/nic.py.
 *
 *	info           what is there, and what the host's entropy looks like
 *	arp N TASKS    N times, by TASKS tasks: who has 10.0.2.2?  The answers count
 *	echo N         sends N frames back, addresses exchanged, then ends
 *	flood N        sends N full frames
 *	link           says each change of the link until it was down and up again */
#include <stdlib.h>
#include <string.h>
#include "ingot.h"

static nic *n;

static void ask(int times, wait_group *wg)
{
	byte f[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	memcpy(f + 6, nic_mac(n), 6);
	memcpy(f + 22, nic_mac(n), 6);
	memcpy(f + 28, (byte[]){ 10, 0, 2, 15 }, 4);
	memcpy(f + 38, (byte[]){ 10, 0, 2, 2 }, 4);
	for (int i = 0; i < times; i++) {
		must(nic_send(n, f, sizeof f));
		gosched();
	}
	wait_group_done(wg);
}

static void arp(int times, int tasks)
{
	wait_group wg = {};
	for (int t = 0; t < tasks; t++) {
		wait_group_add(&wg, 1);
		go(ask, times, &wg);
	}
	byte f[2048];
	int answers = 0;
	bool right = true;
	for (size_t k; answers < times * tasks && (k = nic_recv(n, f, sizeof f, 5 * Second));) {
		if (k < 42 || f[12] != 8 || f[13] != 6)
			continue;
		right &= memcmp(f, nic_mac(n), 6) == 0 && f[21] == 2 && memcmp(f + 28, (byte[]){ 10, 0, 2, 2 }, 4) == 0;
		answers++;
	}
	wait_group_wait(&wg);
	println("arp %d of %d answers, %s", answers, times * tasks, right ? "right" : "WRONG");
}

static void echo(int times)
{
	byte f[2048];
	println("echo ready");
	for (int i = 0; i < times; i++) {
		size_t k = nic_recv(n, f, sizeof f, 0);
		memcpy(f, f + 6, 6);
		memcpy(f + 6, nic_mac(n), 6);
		errors_ignore(nic_send(n, f, k)); /* what is too long to come back is not sent */
	}
	println("echo done");
}

static void flood(int times)
{
	byte *f = rt_make(byte, 1514);
	memset(f, 0xff, 12);
	f[12] = 0x88;
	f[13] = 0xb5; /* IEEE 802: for experiments */
	int64 t = nanotime();
	for (int i = 0; i < times; i++)
		must(nic_send(n, f, 1514));
	println("flood %d frames, %ld per second", times, (long)(times * Second / (nanotime() - t)));
}

static void watch_link(void)
{
	bool was = nic_link(n);
	println("link %s", was ? "up" : "down");
	for (int changes = 0; changes < 2;) {
		if (nic_link(n) == was) {
			sleep(Millisecond);
			continue;
		}
		was = !was;
		changes++;
		println("link %s", was ? "up" : "down");
	}
}

int main(int argc, char **argv)
{
	println("nics %d", nic_count());
	n = nic_open(0);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "info") == 0) {
			byte e[4096];
			entropy_read(e, sizeof e);
			int ones = 0;
			for (size_t k = 0; k < sizeof e; k++)
				ones += __builtin_popcount(e[k]);
			println("entropy %s %d", entropy_device() ? entropy_device() : "none", ones);
			if (n)
				println("info %s mac %x:%x:%x:%x:%x:%x mtu %d queues %d", nic_driver(n), nic_mac(n)[0], nic_mac(n)[1],
				        nic_mac(n)[2], nic_mac(n)[3], nic_mac(n)[4], nic_mac(n)[5], nic_mtu(n), nic_queues(n));
		} else if (strcmp(argv[i], "arp") == 0) {
			int times = atoi(argv[++i]);
			arp(times, atoi(argv[++i]));
		} else if (strcmp(argv[i], "echo") == 0) {
			echo(atoi(argv[++i]));
		} else if (strcmp(argv[i], "flood") == 0) {
			flood(atoi(argv[++i]));
		} else if (strcmp(argv[i], "link") == 0) {
			watch_link();
		}
	}
	if (n) {
		struct nic_stats s = nic_stats(n);
		println("end rx %lu tx %lu dropped %lu", (unsigned long)s.rx_frames, (unsigned long)s.tx_frames,
		        (unsigned long)s.rx_dropped);
	}
	return n ? 0 : 3;
}
