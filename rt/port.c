/* port.c: byte streams to the host (api_device.h) over the drivers' struct
 * portdev: one reader and one writer at a time. */
#include "driver.h"
#include "rt.h"
#include "api_task.h"
#include "api_device.h"

#define PORTS_MAX 8

struct port {
	struct portdev *dev;
	mutex reader, writer;
};
static struct port ports[PORTS_MAX];
static int nports;
static once found;

define_error(port_err_failed, "port: the device failed");

void portdev_add(struct portdev *d)
{
	if (nports < PORTS_MAX)
		ports[nports++].dev = d;
}

int port_count(void)
{
	once_do(&found, plat_find_ports);
	return nports;
}

port *port_open(int i)
{
	return i >= 0 && i < port_count() ? &ports[i] : NULL;
}

error port_read(port *p, void *buf, size_t max, size_t *got)
{
	*got = 0;
	if (max == 0)
		return NULL;
	mutex_lock(&p->reader);
	enum io_result r = p->dev->read(p->dev, buf, max, got);
	mutex_unlock(&p->reader);
	return r == IO_OK ? NULL : port_err_failed;
}

error port_write(port *p, const void *buf, size_t n)
{
	mutex_lock(&p->writer);
	enum io_result r = p->dev->write(p->dev, buf, n);
	mutex_unlock(&p->writer);
	return r == IO_OK ? NULL : port_err_failed;
}
