/* virtio.c: the life of a virtio device (VIRTIO 1.2, chapters 2.1, 2.2 and 3).
 *
 *   reset -> ACKNOWLEDGE -> DRIVER -> features -> FEATURES_OK -> queues -> DRIVER_OK
 *                                                                  |
 *           recovered: the same again <- NEEDS_RESET <-------------+
 *           failed for good <- it broke a rule, or is gone <-------'
 *
 * One task per device (tend) waits for changes of the configuration and for
 * what a queue's task found wrong, and alone resets the device.  It holds every
 * queue's lock then, so nobody adds or takes meanwhile, and calls the driver's
 * lost() after the device has let go of all memory: from then on requests that
 * were in flight end with an error or are made again.
 *
 * A device with one interrupt line has a second task (line_task), which quiets
 * it and passes the event on to all queues. */
#include "virtio.h"

#define RESETS_MAX 8
#define COMMON_FEATURES (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

/* 2.4.2, 4.1.4.3.2: done when the status reads 0. */
static bool reset(struct virtio *d)
{
	d->ops->set_status(d, 0);
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t s = d->ops->status(d);
		if (s == 0 || s == STATUS_GONE)
			return true;
		sleep(Millisecond);
	}
	return false;
}

/* 3.1.1, steps 1 to 6. */
static const char *negotiate(struct virtio *d)
{
	const struct virtio_ops *o = d->ops;
	if (!reset(d))
		return "it does not reset";
	o->set_status(d, STATUS_ACKNOWLEDGE);
	o->set_status(d, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	uint64_t offered = o->features(d, 0) | (uint64_t)o->features(d, 1) << 32;
	if (!(offered & VIRTIO_F_VERSION_1))
		return "it is older than version 1";
	if (offered & VIRTIO_F_ACCESS_PLATFORM)
		return "it wants an IOMMU";
	d->features = offered & (COMMON_FEATURES | d->driver->features);
	o->set_features(d, 0, (uint32_t)d->features);
	o->set_features(d, 1, (uint32_t)(d->features >> 32));
	o->set_status(d, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	if (!(o->status(d) & STATUS_FEATURES_OK))
		return "it refuses the features that it offered";
	return NULL;
}

static void set_ok(struct virtio *d)
{
	d->ops->set_status(d, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

uint64_t virtio_config64(struct virtio *d, unsigned off)
{
	for (;;) {
		uint32_t before = d->ops->generation(d);
		uint64_t v = d->ops->config(d, off, 4) | (uint64_t)d->ops->config(d, off + 4, 4) << 32;
		if (d->ops->generation(d) == before)
			return v;
	}
}

void virtio_bad(struct virtio *d, const char *why)
{
	const char *none = NULL;
	/* release: pairs with tend()'s acquire */
	if (__atomic_compare_exchange_n(&d->bad, &none, why, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		io_signal(&d->change);
}

static void lock_all(struct virtio *d)
{
	for (unsigned i = 0; i < d->nq; i++)
		if (d->q[i])
			mutex_lock(&d->q[i]->m);
}

static void unlock_all(struct virtio *d)
{
	for (unsigned i = 0; i < d->nq; i++)
		if (d->q[i])
			mutex_unlock(&d->q[i]->m);
}

/* The device has let go of everything: gives the driver back what it had. */
static void lose(struct virtio *d, const char *why)
{
	if (why) {
		d->why = why;
		__atomic_store_n(&d->failed, 1, __ATOMIC_RELEASE);
		io_log("%s at %s: %s; it is not used any more", d->driver->name, d->where, why);
	}
	d->driver->lost(d, why);
	for (unsigned i = 0; i < d->nq; i++)
		if (d->q[i])
			virtq_reset(d->q[i]);
}

/* 2.1.2: the device asked for a reset. */
static void reset_wanted(struct virtio *d)
{
	uint64_t had = d->features;
	lock_all(d);
	if (++d->nresets > RESETS_MAX) {
		reset(d);
		lose(d, "it wanted to be reset once more");
		unlock_all(d);
		return;
	}
	const char *why = negotiate(d);
	if (!why && d->features != had)
		why = "it offers other features after a reset";
	lose(d, why);
	for (unsigned i = 0; !why && i < d->nq; i++)
		if (d->q[i] && (why = d->ops->queue_on(d, d->q[i])))
			lose(d, why);
	if (!why) {
		set_ok(d);
		io_log("%s at %s: reset, as it asked for", d->driver->name, d->where);
	}
	unlock_all(d);
	if (!why)
		d->driver->started(d);
	else
		reset(d);
}

static void tend(void *arg)
{
	struct virtio *d = arg;
	for (;;) {
		io_wait(&d->change);
		if (virtio_failed(d))
			continue;
		uint8_t s = d->ops->status(d);
		const char *bad = __atomic_load_n(&d->bad, __ATOMIC_ACQUIRE);
		if (s == STATUS_GONE)
			bad = "it was taken out";
		if (bad) {
			lock_all(d);
			if (s != STATUS_GONE) {
				d->ops->set_status(d, s | STATUS_FAILED);
				reset(d);
			}
			lose(d, bad);
			unlock_all(d);
		} else if (s & STATUS_NEEDS_RESET) {
			reset_wanted(d);
		} else if (d->driver->config_changed) {
			d->driver->config_changed(d);
		}
	}
}

static void line_task(void *arg)
{
	struct virtio *d = arg;
	for (;;) {
		io_wait(&d->irq);
		uint32_t isr = d->ops->irq_ack(d);
		d->ops->irq_done(d);
		if (isr & ISR_CONFIG)
			io_signal(&d->change);
		if (!(isr & ISR_QUEUE))
			continue;
		/* The last one on this core: this task waits next. */
		struct virtq *last = NULL;
		for (unsigned i = 0; i < d->nq; i++) {
			if (!d->q[i] || !virtq_used(d->q[i]))
				continue;
			if (last)
				io_signal(&last->ev);
			last = d->q[i];
		}
		if (last)
			io_signal_here(&last->ev);
	}
}

bool virtio_start(struct virtio *d, const struct virtio_driver *drv)
{
	d->driver = drv;
	const char *why = negotiate(d);
	if (!why)
		why = drv->attach(d);
	if (why) {
		io_log("%s at %s: %s; not used", drv->name, d->where, why);
		d->ops->set_status(d, STATUS_FAILED);
		reset(d);
		return false;
	}
	rt_go_system(tend, d);
	if (!d->nmsg)
		rt_go_system(line_task, d);
	set_ok(d);
	drv->started(d);
	return true;
}
