/* disk: does to disk 0 what its arguments say, for tests/system/disk.py.
 *
 *	info                 what is there
 *	mix TASKS OPS SEED   TASKS tasks write and read blocks of their own part of
 *	                     the disk; each block holds what its number and age say
 *	read OFF N           sum of bytes, or the error
 *	write OFF N VALUE    the same byte everywhere
 *	flush
 *	discard OFF N
 *	speed WAY N          N reads, WAY: sequential of 1 MiB, random of 4 KiB, or these by
 *	                     so many tasks at once; ns each (tests/bench/block.py)
 * Words may follow one another; each prints a line. */
#include <stdlib.h>
#include <string.h>
#include "ingot.h"

#define UNIT 4096

static disk *d;
static int64 bad; /* atomic */

static void fill(byte *p, int64 block, uint32 age)
{
	uint64 x = (uint64)block * 0x9e3779b97f4a7c15u + age;
	for (int i = 0; i < UNIT / 8; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		memcpy(p + 8 * i, &x, 8);
	}
}

static void fail(const char *what, int64 block, error err)
{
	if (atomic_add(&bad, 1) <= 5)
		println("FAIL %s block %ld: %s", what, block, err ? error_text(err) : S("wrong content"));
}

/* Blocks [first, first + n) are this task's; ages are written back for verify. */
static void mixer(int64 first, int64 n, int ops, uint64 seed, wait_group *wg)
{
	uint32 *age = rt_make(uint32, (size_t)n);
	byte *heap = rt_make(byte, 16 * UNIT), *want = rt_make(byte, UNIT);
	byte stack[UNIT];
	uint64 r = seed;
	error err;
	for (int i = 0; i < ops; i++) {
		r = r * 6364136223846793005u + 1442695040888963407u;
		int64 at = (int64)(r >> 33) % n, many = 1 + (int64)(r >> 20) % 16;
		byte *p = r >> 17 & 1 ? heap : stack;
		if (p == stack)
			many = 1;
		if (at + many > n)
			many = n - at;
		if (r >> 18 & 1) {
			for (int64 k = 0; k < many; k++)
				fill(p + k * UNIT, first + at + k, ++age[at + k]);
			if ((err = disk_write_at(d, p, (size_t)many * UNIT, (first + at) * UNIT)))
				fail("write", first + at, err);
		} else {
			memset(p, 0xee, (size_t)many * UNIT);
			if ((err = disk_read_at(d, p, (size_t)many * UNIT, (first + at) * UNIT)))
				fail("read", first + at, err);
			for (int64 k = 0; k < many; k++) {
				fill(want, first + at + k, age[at + k]);
				if (age[at + k] && memcmp(p + k * UNIT, want, UNIT) != 0)
					fail("read", first + at + k, NULL);
			}
		}
		if (r >> 40 & 127 ? 0 : 1)
			if ((err = disk_flush(d)))
				fail("flush", 0, err);
	}
	for (int64 k = 0; k < n; k++) /* what verify knows without the ages */
		if (age[k]) {
			fill(want, first + k, 0xffffffff);
			if ((err = disk_write_at(d, want, UNIT, (first + k) * UNIT)))
				fail("write", first + k, err);
		}
	wait_group_done(wg);
}

static void mix(int tasks, int ops, uint64 seed)
{
	wait_group wg = {};
	int64 each = disk_size(d) / UNIT / tasks;
	for (int t = 0; t < tasks; t++) {
		wait_group_add(&wg, 1);
		go(mixer, t * each, each, ops, seed + (uint64)t * 7919, &wg);
	}
	wait_group_wait(&wg);
	error err = disk_flush(d);
	println("mix %d tasks %d ops: %ld bad%s%s", tasks, ops, (long)atomic_load(&bad), err ? ", flush: " : "", err ? error_text(err) : S(""));
}

static int64 left; /* atomic */

static void reader(uint64 r, int64 size, wait_group *wg)
{
	byte *p = rt_make(byte, 4096);
	while (atomic_add(&left, -1) >= 0) {
		r = r * 6364136223846793005u + 1442695040888963407u;
		must(disk_read_at(d, p, 4096, (int64)((r >> 33) % (uint64)(size / 4096)) * 4096));
	}
	wait_group_done(wg);
}

static void speed(const char *way, int64 n)
{
	int64 size = disk_size(d), t = nanotime();
	if (strcmp(way, "sequential") == 0) {
		byte *p = rt_make(byte, 1 << 20);
		for (int64 i = 0; i < n; i++)
			must(disk_read_at(d, p, 1 << 20, i % (size >> 20) << 20));
	} else {
		wait_group wg = {};
		int tasks = strcmp(way, "random") == 0 ? 1 : atoi(way);
		left = n;
		wait_group_add(&wg, tasks);
		for (int i = 1; i <= tasks; i++)
			go(reader, (uint64)i, size, &wg);
		wait_group_wait(&wg);
	}
	println("speed %s %ld: %ld ns each", way, (long)n, (long)((nanotime() - t) / n));
}

int main(int argc, char **argv)
{
	println("disks %d", disk_count());
	d = disk_open(0);
	if (disk_open(disk_count()) || disk_open(-1))
		println("FAIL disk_open gave what is not there");
	if (!d)
		return 3;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		error err = NULL;
		int64 a[3] = {};
		int n = strcmp(word, "mix") == 0 || strcmp(word, "write") == 0 ? 3
			: strcmp(word, "read") == 0 || strcmp(word, "discard") == 0 ? 2 : 0;
		for (int k = 0; k < n && i + 1 < argc; k++)
			a[k] = strtoll(argv[++i], NULL, 0);
		if (strcmp(word, "info") == 0) {
			println("info %s size %ld block %d serial '%s'%s%s", disk_driver(d), (long)disk_size(d), disk_block(d),
			        disk_serial(d), disk_read_only(d) ? " read-only" : "", disk_can_discard(d) ? " discard" : "");
			continue;
		}
		if (strcmp(word, "mix") == 0) {
			mix((int)a[0], (int)a[1], (uint64)a[2]);
			continue;
		}
		if (strcmp(word, "speed") == 0 && i + 2 < argc) {
			speed(argv[i + 1], strtoll(argv[i + 2], NULL, 0));
			i += 2;
			continue;
		}
		byte *p = rt_make(byte, (size_t)a[1] + 1);
		uint64 sum = 0;
		if (strcmp(word, "read") == 0) {
			err = disk_read_at(d, p, (size_t)a[1], a[0]);
			for (int64 k = 0; k < a[1]; k++)
				sum += p[k];
		} else if (strcmp(word, "write") == 0) {
			memset(p, (int)a[2], (size_t)a[1]);
			err = disk_write_at(d, p, (size_t)a[1], a[0]);
		} else if (strcmp(word, "discard") == 0) {
			err = disk_discard(d, a[0], a[1]);
		} else if (strcmp(word, "flush") == 0) {
			err = disk_flush(d);
		}
		println("%s %ld %ld: %s sum %lu", word, (long)a[0], (long)a[1], err ? error_text(err) : S("ok"), (unsigned long)sum);
	}
	println("end");
	return bad != 0;
}
