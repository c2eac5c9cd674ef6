/* watchdog.c: feeds the machine's watchdog, if watchdog= asks for one.
 *
 * The feeder is a task, so that a scheduler that no longer runs tasks ends in the
 * machine's reset; the platform looks after the cores (plat_watchdog_feed).  Its
 * timer is one of the background's: it keeps no deadlock from being seen. */
#include "proc.h"
#include "timer.h"

static struct g *feeder NOSCAN_BSS; /* it is in the list of all tasks too */

static void wake(struct rt_timer *t, uint64_t now)
{
	(void)t, (void)now;
	ready(feeder, false);
}

/* Four times in what the watchdog waits: two may be late. */
static bool nap(struct g *g, void *unused)
{
	(void)g, (void)unused;
	timer_add(timer_background[TIMER_WATCHDOG], plat_now() + rt_settings.watchdog * 250000000ul);
	return true;
}

static void feed(void *unused)
{
	static struct rt_timer t NOSCAN_DATA;
	(void)unused;
	feeder = rt_self.g;
	t.fn = wake;
	timer_background[TIMER_WATCHDOG] = &t;
	for (;;) {
		plat_watchdog_feed();
		park(nap, NULL, WAIT_SLEEP);
	}
}

void watchdog_start(void)
{
	if (rt_settings.watchdog && plat_watchdog_start(rt_settings.watchdog))
		rt_go_system(feed, NULL);
}
