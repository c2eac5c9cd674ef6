/* park.pml: park, ready and dispatch with g->on_cpu; preemption.
 *
 * run: -DROUNDS=2
 * run: -DROUNDS=1 -DPREEMPT
 * bug NO_WAIT: -DROUNDS=2            dispatch does not wait for on_cpu
 * bug WAIT_ON_TASK: -DROUNDS=2       leave_to() waits on the task's stack, not on g0
 * bug STATUS_LATE: -DROUNDS=2        park_unlock(): G_WAITING after the unlock
 * bug EARLY_CLEAR: -DROUNDS=2        switch_to() clears on_cpu before it is off the stack
 * bug NO_CLEAR: -DROUNDS=1 -DPREEMPT   rt_preempted_g0() never clears on_cpu
 *
 * Held beside the code: parks is park_unlock() with park_begin(), wakes is
 * ready(), leave: is park_leave(), gosched() and leave_to(), g0: is the part
 * of schedule() with find_runnable(), switch_to() is switch_to() of rt/asm.h,
 * preempted: is rt_preempted_g0().  Two cores, two tasks.  A task parks on its
 * own waiting place (waiting[], under a lock, as a channel's), wakes the
 * other if that waits, or yields: in any order, ROUNDS times.
 *
 * Covered: every interleaving of the steps at which a task's place, status,
 * stack (on[]: which core is on it) and on_cpu change; run queues are one set
 * from which either core takes (a steal at any time); x86 keeps the order of
 * one core's stores, and nothing here stores and then looks without a locked
 * instruction between, so buffers are left out.
 *
 * Properties: no two cores are on one stack; a task is readied only when
 * G_WAITING (the throw in ready()); the two cores never wait for each other;
 * a task is not lost: at the end every task has ended, or waits with nobody
 * left to wake it.
 *
 * Not covered: more than two cores, idling (idle.pml: here a core without
 * work just waits for some), nopreempt sections, p->dead. */
#define NONE 9
mtype = { Running, Runnable, Waiting, Dead };
mtype status[2] = Runnable;
bool queued[2];           /* in a run queue */
bool on_cpu[2];
byte on[2];               /* cores on the task's stack */
bool waiting[2], locked;  /* waits to be woken; the lock of the waiting places */
byte rounds[2];
byte ended;

inline take(g) { /* runq_get(), globrunq_get(), a steal */
	if
	:: atomic { queued[0] -> queued[0] = 0; g = 0 }
	:: atomic { queued[1] -> queued[1] = 0; g = 1 }
	:: else -> g = NONE
	fi
}

inline enter(g) { /* start_running() and the second half of switch_to() */
	on_cpu[g] = 1;
	status[g] = Running;
	on[g]++;
	assert(on[g] == 1)
}

inline quit(g) { /* the first half: off the stack, then on_cpu */
#ifdef EARLY_CLEAR
	on_cpu[g] = 0;
	on[g]--
#else
	on[g]--;
	on_cpu[g] = 0
#endif
}

proctype core() {
	byte me = NONE, next = NONE, other;

g0:
	if
	:: next != NONE
	:: else ->
		do
		:: ended == 2 -> goto end
		:: queued[0] || queued[1] ->
			take(next);
			if
			:: next != NONE -> break
			:: else
			fi
		od
	fi;
#ifndef NO_WAIT
	!on_cpu[next];
#endif
	atomic { me = next; next = NONE };
	enter(me);
task:
	other = 1 - me;
	if
	:: atomic { rounds[me] < ROUNDS -> rounds[me]++ };
		if
		:: /* park */
			atomic { !locked -> locked = 1 };
			waiting[me] = 1;
#ifdef STATUS_LATE
			locked = 0;
			status[me] = Waiting;
#else
			status[me] = Waiting;
			locked = 0;
#endif
			goto leave
		:: /* wake the other */
			atomic { !locked -> locked = 1 };
			if
			:: waiting[other] ->
				waiting[other] = 0;
				locked = 0;
				assert(status[other] == Waiting);
				status[other] = Runnable;
				queued[other] = 1
			:: else -> locked = 0
			fi;
			goto task
		:: /* yield: only if there is another */
			take(next);
			if
			:: next != NONE ->
				status[me] = Runnable;
				queued[me] = 1;
				goto leave_to
			:: else -> goto task
			fi
		fi
#ifdef PREEMPT
	:: atomic { rounds[me] < ROUNDS -> rounds[me]++ }; goto preempted
#endif
	:: status[me] = Dead;
		atomic { ended++; goto leave }
	fi;
leave:
	take(next);
	if
	:: next == NONE -> quit(me); me = NONE; goto g0
	:: else
	fi;
leave_to:
#ifdef WAIT_ON_TASK
	!on_cpu[next];
#else
#ifndef NO_WAIT
	if
	:: on_cpu[next] -> quit(me); me = NONE; goto g0 /* p->handoff */
	:: else
	fi;
#endif
#endif
	/* The core goes from one stack to the other: the order of switch_to(). */
	on_cpu[next] = 1;
	status[next] = Running;
#ifdef EARLY_CLEAR
	on_cpu[me] = 0;
	on[me]--;
#else
	on[me]--;
	on_cpu[me] = 0;
#endif
	on[next]++;
	assert(on[next] == 1);
	atomic { me = next; next = NONE };
	goto task;
#ifdef PREEMPT
preempted: /* its registers are saved, the core is on g0 */
	on[me]--;
	status[me] = Runnable;
#ifndef NO_CLEAR
	on_cpu[me] = 0;
#endif
	queued[me] = 1;
	me = NONE;
	goto g0;
#endif
end:
	skip
}

active proctype still() {
	timeout;
	byte i = 0;
	do
	:: i < 2 ->
		/* A core that waits for on_cpu for ever leaves a task in no place. */
		assert(status[i] == Dead || (status[i] == Waiting && waiting[i] && !queued[i]));
		assert(on[i] == 0 && !on_cpu[i]);
		i++
	:: else -> break
	od
}

init {
	atomic { queued[0] = 1; queued[1] = 1; run core(); run core() }
}
