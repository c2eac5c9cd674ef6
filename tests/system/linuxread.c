/* linuxread.c: what tests/system/guest/disk does for "speed", on the Linux that
 * tests/bench/block.py compares with: reads /dev/vda past the page cache.
 *
 *	speed WAY N     as there
 *
 * gcc -O2 -static -pthread */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <linux/reboot.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

static int fd;
static uint64_t size;
static atomic_long left;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void must_read(void *p, size_t n, uint64_t at)
{
	if (pread(fd, p, n, (off_t)at) != (ssize_t)n) {
		perror("pread");
		exit(1);
	}
}

static void *reader(void *seed)
{
	uint64_t r = (uintptr_t)seed;
	void *p = aligned_alloc(4096, 4096);
	while (atomic_fetch_sub(&left, 1) > 0) {
		r = r * 6364136223846793005u + 1442695040888963407u;
		must_read(p, 4096, (r >> 33) % (size / 4096) * 4096);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 4 || (fd = open("/dev/vda", O_RDONLY | (strcmp(argv[2], "cached") ? O_DIRECT : 0))) < 0 || ioctl(fd, BLKGETSIZE64, &size)) {
		perror("/dev/vda");
		return 1;
	}
	long n = atol(argv[3]);
	int64_t t = now();
	if (strcmp(argv[2], "sequential") == 0 || strcmp(argv[2], "cached") == 0) {
		void *p = aligned_alloc(4096, 1 << 20);
		for (long i = 0; i < n; i++)
			must_read(p, 1 << 20, (uint64_t)i % (size >> 20) << 20);
	} else {
		long threads = strcmp(argv[2], "random") == 0 ? 1 : atol(argv[2]);
		pthread_t id[64];
		left = n;
		for (long i = 0; i < threads; i++)
			pthread_create(&id[i], NULL, reader, (void *)(i + 1));
		for (long i = 0; i < threads; i++)
			pthread_join(id[i], NULL);
	}
	printf("speed %s %ld: %lld ns each\n", argv[2], n, (long long)(now() - t) / n);
	fflush(stdout);
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
}
