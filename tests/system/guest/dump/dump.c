/* dump.c: programs whose tasks are in known states while all of them are asked
 * for from outside; tests/system/dump.py knows what must be shown. */
#include "ingot.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARKED = 1000 };

static volatile int stop;
static volatile long turns[8];
static volatile int arrived; /* atomic: tasks about to wait */

static void arrive(void)
{
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
}

static void until_arrived(int n)
{
	while (arrived < n)
		sleep(Millisecond);
}

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
	arrive();
	send(out, recv(c) + 1);
}

static void sleeper(volatile int *woken)
{
	arrive();
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
	until_arrived(PARKED + 3);
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

/* ---- every task waits ---------------------------------------------------------- */

static void selects(chan(int) a, chan(int) b)
{
	select {
		case_recv(a, NULL) { }
		case_send(b, 1) { }
	}
}

static void locks(mutex *m)
{
	mutex_lock(m);
	mutex_unlock(m);
}

static void waits(wait_group *wg)
{
	wait_group_wait(wg);
	wait_group_done(wg);
}

struct event {
	mutex m;
	cond c;
};

static void waits_for(struct event *e)
{
	mutex_lock(&e->m);
	cond_wait(&e->c);
	mutex_unlock(&e->m);
}

static void ends(void)
{
}

static void naps(mutex *m)
{
	mutex_lock(m);
	sleep(1000 * Second);
}

/* Tasks in every kind of wait that no timer ends, and some that have ended. */
static __attribute__((noinline)) int dead(void)
{
	static struct event e;
	static mutex m;
	static wait_group wg;
	static rwmutex rw;

	e.c.l = &e.m;
	mutex_lock(&m);
	rwmutex_lock(&rw);
	wait_group_add(&wg, 1);
	for (int i = 0; i < 300; i++) {
		go(parked, make_chan(int), make_chan(int));
		go(selects, make_chan(int), make_chan(int));
		go(ends);
	}
	for (int i = 0; i < 50; i++) {
		go(locks, &m);
		go(waits, &wg);
		go(waits_for, &e);
	}
	go(parked, (chan(int))NULL, (chan(int))NULL);
	sleep(Millisecond);
	rwmutex_rlock(&rw);
	return 0;
}

/* ---- ends -------------------------------------------------------------------------- */

static void misuse(const char *what)
{
	static struct event e;
	static rwmutex rw;

	e.c.l = &e.m;
	if (strcmp(what, "unlock") == 0)
		mutex_unlock(&e.m);
	else if (strcmp(what, "unlock-twice") == 0)
		mutex_lock(&e.m), mutex_unlock(&e.m), mutex_unlock(&e.m);
	else if (strcmp(what, "runlock") == 0)
		rwmutex_runlock(&rw);
	else if (strcmp(what, "runlock-twice") == 0)
		rwmutex_rlock(&rw), rwmutex_runlock(&rw), rwmutex_runlock(&rw);
	else if (strcmp(what, "runlock-written") == 0)
		rwmutex_lock(&rw), rwmutex_runlock(&rw);
	else if (strcmp(what, "wunlock") == 0)
		rwmutex_unlock(&rw);
	else if (strcmp(what, "wunlock-read") == 0)
		rwmutex_rlock(&rw), rwmutex_unlock(&rw);
	else if (strcmp(what, "cond") == 0)
		cond_wait(&e.c);
	else if (strcmp(what, "cond-nil") == 0)
		e.c.l = NULL, cond_wait(&e.c);
	else if (strcmp(what, "chan-too-large") == 0)
		make_chan(int64, (int64)1 << 31);
	else if (strcmp(what, "go-nil") == 0)
		go((void (*)(int))NULL, 1);
	else if (strcmp(what, "goexit") == 0)
		return;
	print("still here\n");
}

/* One of a hundred does it. */
static void among_many(const char *what)
{
	for (int i = 0; i < 100; i++)
		go(naps, new(mutex));
	go(misuse, what);
	if (strcmp(what, "goexit") == 0)
		goexit();
	recv(make_chan(int));
}

/* ---- what one dump can hold ------------------------------------------------------------ */

/* A stack of its own for each of 2^depth tasks. */
static void branch(unsigned path, int depth);

static __attribute__((noinline)) void left(unsigned path, int depth)
{
	branch(path, depth);
	stop += depth; /* no tail call */
}

static __attribute__((noinline)) void right(unsigned path, int depth)
{
	branch(path, depth);
	stop -= depth;
}

static __attribute__((noinline)) void branch(unsigned path, int depth)
{
	if (depth == 0) {
		arrive();
		recv((chan(int))NULL);
	}
	else
		(path & 1 ? left : right)(path / 2, depth - 1);
	stop++;
}

static int distinct(int n)
{
	for (int i = 0; i < n; i++)
		go(branch, (unsigned)i, 12);
	until_arrived(n);
	sleep(10 * Millisecond);
	task_dump();
	return 0;
}

/* A task that waits for longer than a minute, and one that does not. */
static int minutes(void)
{
	chan(int) c = make_chan(int), out = make_chan(int);

	go(parked, c, out);
	gosched();
	gc(); /* sees it wait */
	sleep(200 * Second);
	go(parked, out, c);
	gosched();
	task_dump();
	return 0;
}

static void leave(void)
{
	for (int i = 0; i < 5; i++)
		go(parked, make_chan(int), make_chan(int));
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "loops") == 0)
		return loops(atoi(argv[2]));
	if (strcmp(how, "dead") == 0)
		return dead();
	if (strcmp(how, "misuse") == 0)
		among_many(argv[2]);
	if (strcmp(how, "distinct") == 0)
		return distinct(atoi(argv[2]));
	if (strcmp(how, "minutes") == 0)
		return minutes();
	if (strcmp(how, "leave") == 0) {
		go(leave);
		while (task_leaks(false) < 5)
			sleep(Millisecond);
		return 0;
	}
	return 1;
}
