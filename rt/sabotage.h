/* sabotage.h: steps that can be left out, to see that a test then fails.
 *
 * A test is trusted after it has caught a bug planted on purpose.  The variant
 * build/sabotage/ is the hosted one with INGOT_SABOTAGE, where
 * GODEBUG=sabotage=STEP leaves out one step of those below, for
 * tests/system/fences.py and (gc_...) gcfences.py; on metal build/mnasty/ has
 * it too.  In every other build SABOTAGED() is 0 and the compiler removes what it
 * guards.
 *
 * On x86 only a store that a later load passes needs an instruction; every
 * other order is the compiler's to keep, and is broken here as a compiler
 * would: in the source. */
#ifndef RT_SABOTAGE_H
#define RT_SABOTAGE_H

#define SABOTAGE_STEPS(X) \
	X(none) \
	X(lock)           /* a channel's lock: the swap is a load and a store */ \
	X(wakep_fence)    /* ready(): no fence between the put and the look at the idle Ps */ \
	X(wakep_order)    /* ready(): looks at the idle Ps, then puts */ \
	X(ready_wakep)    /* ready() wakes no P */ \
	X(go_wakep)       /* go wakes no P */ \
	X(yield_wakep)    /* gosched() for a task of the global queue wakes no P, and gives it time to sleep */ \
	X(found_wakep)    /* a P that has found work wakes no other */ \
	X(spinning_count) /* a search is never counted as ended */ \
	X(tick_61)        /* the global queue waits for an empty local one */ \
	X(preempt_local)  /* a preempted task goes to the local queue */ \
	X(quiet_order)    /* the last look for a deadlock: the queues, then the Ps out of use that leave tasks there */ \
	X(idle_look)      /* a P that goes to sleep does not look at the queues again */ \
	X(on_cpu)         /* a task is dispatched while its last core still is on its stack */ \
	X(runq_tail)      /* the ring's tail is moved before its slot is written */ \
	X(park_status)    /* a task lets go of the lock before it is WAITING */ \
	X(chan_handoff)   /* a receiver is woken before its value is there */ \
	X(select_done)    /* two wakers may win one select */ \
	X(sema_fence)     /* a waiter counts itself without a fence before its last look */ \
	X(sema_look)      /* a waiter has its last look before it counts itself */ \
	X(mutex_lock)     /* the compare-and-swap is a load and a store */ \
	X(mutex_unlock)   /* the subtraction is a load and a store */ \
	X(rwmutex_count)  /* readers count themselves by a load and a store */ \
	X(wait_group_add) /* the addition is a load and a store */ \
	X(once_order)     /* done before the call has returned */ \
	X(cond_ticket)    /* the lock is let go before the ticket is taken */ \
	X(context_order)  /* the error before its cause */ \
	X(gc_flush)       /* no flush after written pages are forgotten: a core goes on with a translation that has D set */ \
	X(gc_ack)         /* another core says that it has flushed, and does so later */ \
	X(gc_collect)     /* a clean round forgets what was written, and does not look at it */ \
	X(gc_rescan_order) /* a clean round looks first and forgets then */ \
	X(gc_last_collect) /* the last stop does not ask what was written */ \
	X(gc_keep)        /* pages of a clean round that only the stop can look at are lost */ \
	X(gc_ran)         /* tasks that ran are not scanned again */ \
	X(gc_registers)   /* the saved registers of a preempted task are not scanned, */ \
	X(gc_vectors)     /* nor its vector registers */ \
	X(gc_black)       /* what is allocated while marking is not marked */ \
	X(gc_globals)     /* the last stop does not look at globals again, */ \
	X(gc_finalizers)  /* nor at what objects with a finalizer point to */ \
	X(gc_atomic)      /* mark bits are set by a load and a store */ \
	X(gc_overflow)    /* marked objects that there was no memory to scan are forgotten */ \
	X(gc_weak)        /* a weak pointer is taken for good after marking has found its object dead */ \
	X(gc_limit)       /* the collector takes all the time it wants */ \
	X(gc_dirty_bits)  /* a store sets no dirty bit, as far as the test at boot sees */

#define SABOTAGE_ENUM(step) SABOTAGE_##step,
enum sabotage { SABOTAGE_STEPS(SABOTAGE_ENUM) };

#ifdef INGOT_SABOTAGE
extern enum sabotage rt_sabotage; /* env.c; constant after the settings are parsed */
#define SABOTAGED(step) (rt_sabotage == SABOTAGE_##step)
#else
#define SABOTAGED(step) 0
#endif

/* About a microsecond: an interrupt could come there, too. */
static inline void sabotage_pause(void)
{
	for (int i = 0; i < 64; i++)
		__builtin_ia32_pause();
}

/* first, then second: two statements. */
#define IN_ORDER(step, first, second) \
	do { \
		if (SABOTAGED(step)) { \
			second; \
			sabotage_pause(); \
			first; \
		} else { \
			first; \
			second; \
		} \
	} while (0)

/* Read-modify-writes without their lock prefix: neither atomic nor a fence. */
#define TORN_ADD(p, v) \
	({ \
		__typeof__(*(p)) torn_v = at_load(p) + (v); \
		sabotage_pause(); \
		at_store(p, torn_v); \
		torn_v; \
	})
#define TORN_SWAP(p, v) \
	({ \
		__typeof__(*(p)) torn_v = at_load(p); \
		sabotage_pause(); \
		at_store(p, v); \
		torn_v; \
	})
#define TORN_CAS(p, oldp, v) \
	({ \
		__typeof__(*(p)) torn_v = at_load(p), torn_old = *(oldp); \
		sabotage_pause(); \
		if (torn_v == torn_old) \
			at_store(p, v); \
		*(oldp) = torn_v; \
		torn_v == torn_old; \
	})

#endif
