/* entropy.c: unpredictable bytes: the host's device, if there is one, mixed with
 * the CPU's generator, so that the weaker of the two does no harm. */
#include "driver.h"
#include "rt.h"
#include "api_task.h"
#include "api_device.h"

static struct entropydev *device; /* the first */
static once found;
static mutex one_at_a_time;

void entropydev_add(struct entropydev *d)
{
	if (!device)
		device = d;
}

const char *entropy_device(void)
{
	once_do(&found, plat_find_entropy);
	return device ? device->driver : NULL;
}

void entropy_read(void *p, size_t n)
{
	uint8_t more[64];
	plat_entropy(p, n);
	if (!entropy_device())
		return;
	mutex_lock(&one_at_a_time);
	for (size_t at = 0; at < n;) {
		size_t k = n - at < sizeof more ? n - at : sizeof more;
		if (device->read(device, more, k) != IO_OK) /* it said so on the console */
			break;
		for (size_t i = 0; i < k; i++)
			((uint8_t *)p)[at + i] ^= more[i];
		at += k;
	}
	mutex_unlock(&one_at_a_time);
	memset(more, 0, sizeof more);
}
