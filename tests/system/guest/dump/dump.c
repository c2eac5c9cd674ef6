/* dump.c: programs whose tasks are in known states while all of them are asked
 * for from outside; tests/system/dump.py knows what must be shown. */
#include "ingot.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARKED = 1000 };

static volatile int stop;
static volatile long turns[8];

/* Deep enough to be told from others. */
static __attribute__((noinline)) void tight_loop(int i)
{
	while (!stop)
		turns[i]++;
}

static void looper(int i, wait_group *wg)
{
	tight_loop(i);
	wait_group_done(wg);
}

static void parked(chan(int) c, chan(int) out)
{
	send(out, recv(c) + 1);
}

static void sleeper(volatile int *woken)
{
	sleep(1000 * Second);
	*woken = 1; /* no tail call: its frame is to be seen */
}

/* A byte on the second serial port: the test's word to go on. */
static bool told(void)
{
	uint8_t status, byte = 0;

	__asm__ volatile("inb %w1, %0" : "=a"(status) : "Nd"(0x2fd));
	if (status & 1)
		__asm__ volatile("inb %w1, %0" : "=a"(byte) : "Nd"(0x2f8));
	return byte == '!';
}

/* Once told to, and when every loop has been seen to go on, ends them. */
static void watch(int loops)
{
	while (!told())
		sleep(10 * Millisecond);
	for (int i = 0; i < loops; i++) {
		long was = turns[i];
		while (turns[i] == was)
			sleep(Millisecond);
	}
	stop = 1;
}

/* A tight loop on each core, a thousand tasks on one channel, sleepers. */
static __attribute__((noinline)) int loops(int n)
{
	chan(int) c = make_chan(int), out = make_chan(int, PARKED);
	wait_group wg = { 0 };
	long sum = 0;
	static volatile int woken;

	for (int i = 0; i < PARKED; i++)
		go(parked, c, out);
	for (int i = 0; i < 3; i++)
		go(sleeper, &woken);
	while (num_task() < PARKED + 4)
		gosched();
	wait_group_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(looper, i, &wg);
	for (int i = 0; i < n; i++)
		while (turns[i] == 0)
			sleep(Millisecond);
	print("looping\n");
	go(watch, n);
	wait_group_wait(&wg);
	for (int i = 0; i < PARKED; i++)
		send(c, i);
	for (int i = 0; i < PARKED; i++)
		sum += recv(out);
	print("sum %ld\n", sum);
	return 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "loops") == 0)
		return loops(atoi(argv[2]));
	return 1;
}
