/* gclimit.c: how much of the cores' time the collector may take, and how long it
 * may leave the heap alone.  After Go's mgclimit.go, and sysmon's forcegcperiod.
 *
 * The limit is a leaky bucket: the collector's time flows in, that of the tasks out, and
 * it holds a second of each core.  While it is full tasks neither help to mark nor wait
 * for a collection that is behind: the heap passes its goal, and GOMEMLIMIT, instead
 * of all time going into collections that free hardly anything.  In the long run
 * the collector gets half of the time.  Time of idle cores counts for neither side, nor
 * what they mark; how many there were is taken from how many there are at each look.
 *
 * After the first collection a timer sees to it that there is one in each period
 * (GODEBUG=gcperiod), so that what a quiet program has dropped goes, too.  It wakes an idle
 * machine once a period. */
#include "gclimit.h"
#include "timer.h"

#define ROOM_NS 1000000000ul /* of each core */

uint32_t gc_limited, gc_limited_cycle;
static struct {
	uint64_t gc, idle; /* ns, not yet in the bucket: the collector's, idle cores' marking.  Relaxed */
	uint32_t looking;  /* 1: somebody holds the rest.  acquire, release */
	uint64_t seen;     /* until when it was looked at */
	uint64_t fill;     /* ns */
} bucket;

void gc_used(uint64_t ns, bool idle)
{
	at_add_relaxed(idle ? &bucket.idle : &bucket.gc, ns);
	if (at_swap(&bucket.looking, 1))
		return; /* the next look finds it */
	unsigned np = rt_nps, asleep = at_load(&sched.npidle);
	uint64_t now = plat_now(), room = np * ROOM_NS;
	uint64_t gc = at_swap(&bucket.gc, 0), marked = gc + at_swap(&bucket.idle, 0);
	uint64_t all = (now - bucket.seen) * (asleep < np ? np - asleep : 1);
	uint64_t fill = bucket.fill + gc, tasks = all > marked ? all - marked : 0;
	fill = fill > tasks ? fill - tasks : 0;
	bucket.fill = fill < room ? fill : room;
	bucket.seen = now;
	at_store(&gc_limited, fill >= room && !SABOTAGED(gc_limit));
	if (fill >= room)
		gc_limited_cycle = gc_cycles + 1;
	at_store_rel(&bucket.looking, 0);
}

/* ---- the period -------------------------------------------------------------------- */

static struct rt_timer period;
static uint64_t last_end; /* of a collection.  Relaxed */

static void period_over(struct rt_timer *t, uint64_t now)
{
	uint64_t ns = rt_settings.gcperiod * 1000000ul, due = at_load(&last_end) + ns;
	if (due <= now) {
		if (rt_settings.gogc >= 0)
			gc_start_late();
		due = now + ns;
	}
	timer_add(t, due);
}

void gc_period_begins(uint64_t now)
{
	at_store(&last_end, now);
	if (period.fn || !rt_settings.gcperiod || !timer_room())
		return;
	period.fn = period_over;
	timer_background[TIMER_GC_PERIOD] = &period;
	timer_add(&period, now + rt_settings.gcperiod * 1000000ul);
}
