/* leak.c: leaked tasks: blocked for ever, because nobody who could still run can
 * reach what they wait for.  After Go 1.26's goroutine leak profile.
 *
 * The collector finds them.  It marks from all roots but the stacks of tasks
 * that wait for other tasks (on a channel, a mutex, a wait group, ...).  A held
 * task whose wait object got marked can be woken by somebody, so it is live
 * after all and what it holds is marked too, which may reach the wait objects
 * of others: again until nothing changes.  Those left wait for each other or
 * for nobody.  Then they are marked as well, so that nothing of theirs is
 * freed: a report, not a cure.
 *
 * Never a false report: scanning stacks conservatively can only make a leaked
 * task seem live.  Tasks that sleep or wait for a device are never held, timers
 * are roots, and an object that is not in the heap (a global, a mutex on
 * somebody's stack) counts as reachable.
 *
 * Invariants: g->wait_on is the object g waits on (select: its struct work),
 * stored before it parks.  Who takes a task out of a wait queue keeps either
 * preemption off or a pointer to that object until the task is ready, so that
 * a task between the two is never seen as one that nobody reaches.  Held tasks
 * are linked by g->next, which a waiting task does not use.
 *
 * The order of the list is turned in each round, so a chain of tasks that keep
 * each other alive in the order they were made takes two rounds; one in random
 * order may take as many as it has tasks.  The number of looks is bounded: what
 * is undecided then is taken for live. */
#include "leak.h"
#include "proc.h"

#define LOOKS_MAX (1u << 26)

static struct g *held; /* by next; in a stop */

static bool hold(struct g *g)
{
	if (g->status != G_WAITING || g->is_system)
		return false;
	switch (g_wait_reason(g)) {
	case WAIT_CHAN_RECV:
	case WAIT_CHAN_SEND:
	case WAIT_CHAN_RECV_NIL:
	case WAIT_CHAN_SEND_NIL:
	case WAIT_SELECT:
	case WAIT_SELECT_NONE:
	case WAIT_SEMACQUIRE:
	case WAIT_MUTEX:
	case WAIT_RWMUTEX_R:
	case WAIT_RWMUTEX_W:
	case WAIT_WAITGROUP:
	case WAIT_COND:
		break;
	case WAIT_NONE:
	case WAIT_SLEEP:
	case WAIT_GC:
	case WAIT_GC_CYCLE:
	case WAIT_GC_ASSIST:
	case WAIT_FINALIZER:
	case WAIT_IO:
	case WAIT_DEBUG:
	case WAIT_COMPACT:
	case WAIT_SCAVENGE:
	case WAIT_NREASONS:
		return false;
	}
	g->wait_reason &= ~WAIT_LEAKED;
	g->next = held;
	held = g;
	return true;
}

static bool can_be_woken(const struct g *g)
{
	switch (g_wait_reason(g)) {
	case WAIT_CHAN_RECV_NIL:
	case WAIT_CHAN_SEND_NIL:
	case WAIT_SELECT_NONE:
		return false;
	case WAIT_SELECT:
		return select_reachable(g);
	default: /* the rest of hold()'s */
		return gc_marked(g->wait_on);
	}
}

/* One look at every held task; true if some came out. */
static bool look(uint32_t *looks)
{
	struct g *list = held, *next;
	bool any = false;
	held = NULL;
	for (struct g *g = list; g; g = next) {
		next = g->next;
		if (++*looks > LOOKS_MAX || can_be_woken(g)) {
			any = true;
			gc_mark_task(g);
		} else {
			g->next = held;
			held = g;
		}
	}
	return any;
}

static void resolve(void)
{
	uint32_t looks = 0;
	while (gc_mark_caught_up() || look(&looks))
		;
	for (struct g *g = held; g; g = g->next)
		g->wait_reason |= WAIT_LEAKED;
	for (struct g *g = held; g; g = g->next)
		gc_mark_task(g);
	held = NULL;
}

void gc_leaks(void (*found)(void *), void *arg)
{
	leak_hooks = (struct leak_hooks){ hold, resolve };
	gc_wait(found, arg);
}
