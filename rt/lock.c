/* lock.c: spin locks of the runtime, with ranks checked in debug builds.
 *
 * Invariants: a holder has preemption off, so a waiter spins for at most a
 * short section; ranks rise.  Which lock may be taken inside which is data:
 * enum lock_rank in rt.h. */
#include "rt.h"

#ifdef INGOT_DEBUG
/* What the core holds, innermost last.  A holder never migrates.  A select may
 * hold any number of channels: those beyond CHANS_MAX are only counted. */
#define HELD_MAX 16
#define CHANS_MAX 12
static __thread struct {
	unsigned n;
	unsigned more;           /* channels that are not in held[] */
	const struct lock *last; /* the last of those */
	const struct lock *held[HELD_MAX];
} locks_held __attribute__((tls_model("local-exec")));

NOASAN static void rank_check(const struct lock *l)
{
	if (l->rank == RANK_NONE || l->rank > RANK_LEAF)
		throw("lock: %p was never initialised", (const void *)l);
	if (locks_held.n) {
		const struct lock *top = locks_held.held[locks_held.n - 1];
		if (locks_held.more && top->rank == RANK_CHAN)
			top = locks_held.last;
		bool ok = l->rank > top->rank ||
		          (l->rank == RANK_CHAN && top->rank == RANK_CHAN && l > top) ||
		          (l->rank == RANK_TIMERS && top->rank == RANK_CHAN);
		if (!ok)
			throw("lock: rank %u taken inside rank %u", l->rank, top->rank);
	}
	if (locks_held.n == HELD_MAX)
		throw("lock: too many held");
}

static void rank_push(struct lock *l)
{
	if (locks_held.n < CHANS_MAX || l->rank != RANK_CHAN) {
		locks_held.held[locks_held.n++] = l;
	} else {
		locks_held.more++;
		locks_held.last = l;
	}
	l->owner = rt_self.g;
}

static void rank_pop(struct lock *l)
{
	unsigned i = locks_held.n;
	while (i > 0 && locks_held.held[i - 1] != l)
		i--;
	if (i == 0 && locks_held.more && l->rank == RANK_CHAN && l->owner == rt_self.g) {
		locks_held.more--;
		l->owner = NULL;
		return;
	}
	if (i == 0)
		throw("unlock: this core does not hold the lock of rank %u", l->rank);
	for (; i < locks_held.n; i++)
		locks_held.held[i - 1] = locks_held.held[i];
	locks_held.n--;
	l->owner = NULL;
}
#endif

void lock_init(struct lock *l, enum lock_rank rank)
{
	l->word = 0;
#ifdef INGOT_DEBUG
	l->rank = rank;
	l->owner = NULL;
#else
	(void)rank;
#endif
}

/* Waits for a lock that was found held, and takes it.  Preemption is off. */
COLD void lock_slow(struct lock *l)
{
	unsigned n = 0;
	do
		while (at_load(&l->word))
			plat_relax(n++);
	while (__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE));
}

#ifdef INGOT_DEBUG
bool trylock_nopreempt(struct lock *l, bool alone)
{
	rank_check(l);
	if (alone) {
		if (at_load(&l->word))
			throw("lock: rank %u is held and no other core runs", l->rank);
		at_store(&l->word, 1);
	} else if (__atomic_exchange_n(&l->word, 1, __ATOMIC_ACQUIRE)) {
		return false;
	}
	rank_push(l);
	return true;
}

void lock_nopreempt(struct lock *l, bool alone)
{
	if (!trylock_nopreempt(l, alone)) {
		lock_slow(l);
		rank_push(l);
	}
}

void unlock_nopreempt(struct lock *l, bool alone)
{
	(void)alone;
	rank_pop(l);
	at_store_rel(&l->word, 0);
}

void lock(struct lock *l)
{
	preempt_off();
	lock_nopreempt(l, rt_alone);
}

void unlock(struct lock *l)
{
	unlock_nopreempt(l, rt_alone);
	preempt_on(rt_self.g);
}
#endif
