/* virtio_balloon.c: memory back to the host: free page reporting of the
 * traditional memory balloon (VIRTIO 1.2, 5.5.6.7).
 *
 * The scavenger (rt/scavenge.c) asks for runs of free pages to be released.  It
 * has taken them, and may hand them out again when the answer is there, so the
 * answer is awaited: on the scheduler stack, by looking at the queue.  A device
 * that does not answer within a second is reset, which ends its hold on the
 * pages (2.4), and is not asked again.  Its wish to inflate is not followed:
 * reporting does what that is for.
 *
 * Invariants: the queue is used under `busy` only, a spin lock that is held with
 * preemption off; it has no task and asks for no interrupts. */
#include "virtio.h"
#include "kernel/kernel.h"

/* 5.5.3: the bits before decide which queue the reporting one is (5.5.2). */
#define BALLOON_F_STATS_VQ (1ull << 1)
#define BALLOON_F_FREE_PAGE_HINT (1ull << 3)
#define BALLOON_F_REPORTING (1ull << 5)
#define PATIENCE (1 * Second)

static struct {
	struct virtio *v;
	struct virtq *q;
	bool ready;       /* under busy */
	uint32_t busy;    /* acquire / release */
} balloon;

static void take_busy(void)
{
	for (unsigned n = 0; __atomic_exchange_n(&balloon.busy, 1, __ATOMIC_ACQUIRE); n++)
		plat_relax(n);
}

static void drop_busy(void)
{
	__atomic_store_n(&balloon.busy, 0, __ATOMIC_RELEASE);
}

static bool release_pages(uint64_t pa, size_t n)
{
	struct virtq_buf piece = { pa, (uint32_t)n };
	uint32_t len;
	bool done = false;
	take_busy();
	if (balloon.ready && virtq_add(balloon.q, &piece, 0, 1, &balloon)) {
		virtq_kick(balloon.q);
		int64_t until = nanotime() + PATIENCE;
		while (!(done = virtq_take(balloon.q, &len) != NULL) && nanotime() < until)
			plat_relax(0);
		if (!done) {
			balloon.v->ops->set_status(balloon.v, 0);
			balloon.ready = false;
			virtio_bad(balloon.v, "it does not take free pages");
		}
	}
	drop_busy();
	return done;
}

static void lost_now(void *unused)
{
	take_busy();
	balloon.ready = false;
	virtq_detach(balloon.q);
	drop_busy();
}

static void lost(struct virtio *d, const char *why)
{
	rt_systemstack(lost_now, NULL);
}

static const char *attach(struct virtio *d)
{
	const char *error;
	if (balloon.v)
		return "there is another one already";
	if (!virtio_has(d, BALLOON_F_REPORTING))
		return "it takes no reports of free pages (QEMU: free-page-reporting=on)";
	unsigned index = 2 + virtio_has(d, BALLOON_F_STATS_VQ) + virtio_has(d, BALLOON_F_FREE_PAGE_HINT);
	balloon.q = virtq_new(d, index, 16, 0, &error);
	if (!balloon.q)
		return error;
	balloon.v = d;
	virtq_irq_off(balloon.q);
	return NULL;
}

static void started(struct virtio *d)
{
	virtq_irq_off(balloon.q);
	balloon.ready = true;
	memory_release = release_pages;
}

const struct virtio_driver virtio_balloon_driver = {
	.name = "virtio-balloon", .id = VIRTIO_BALLOON, .min_queues = 1,
	.features = BALLOON_F_STATS_VQ | BALLOON_F_FREE_PAGE_HINT | BALLOON_F_REPORTING,
	.attach = attach, .started = started, .lost = lost,
};
