/* stop.pml: stopping the world, working in a stop, GOMAXPROCS: rt/stop.c.
 *
 * run: -DSTOPS=2
 * run: -DSTOPS=2 -DRESIZE
 * run: -DSTOPS=1 -DWAKES=1
 * run: -DSTOPS=1 -DJOIN
 * run: -DSTOPS=1 -DJOB
 * bug NO_GENERATION: -DSTOPS=2           stopped_wait() waits for sched.stopping to fall
 * bug NO_TOKEN: -DSTOPS=1 -DWAKES=1          stop_world() counts an idle P without its idle bit
 * bug NO_RAISE: -DSTOPS=1                start_world() does not wake those that stopped running
 * bug NO_OFFLINE: -DSTOPS=2 -DRESIZE     a P out of use leaves with the stop
 * bug OFFLINE_FIRST: -DSTOPS=2 -DRESIZE  stopped_wait() reads rt_nps, then stop_gen
 * bug RESIZE_EARLY: -DSTOPS=2 -DRESIZE   rt_nps changes while sched.stopping is set
 * bug OPEN_JOB: -DSTOPS=1 -DJOB          stw_parallel() does not close the job
 * bug JOIN_COUNTED: -DSTOPS=1 -DJOIN     a core that joins late does not see the stop that runs
 *
 * Held beside the code: stopper is a task on core 0 in stop_world(),
 * resize_system()'s change of rt_nps, stw_parallel(), restart_world(); cores 1
 * and 2 are find_runnable() reduced to what a stop meets: here: is
 * stop_here(), wait: is stopped_wait(), idle: is the publication and the
 * recheck, sleep: is idle_sleep(); core 2 with JOIN comes by stop_join().
 * A running task gives way when it likes or when attn is set; a waker
 * (chance) claims a sleeping P as wakep_slow() does.
 *
 * Covered: every interleaving of the shared accesses; sched.lock as a lock;
 * the accesses that count are seq_cst or locked, so there are no buffers.
 * Properties: when stopwait is 0 no other core runs a task, nor until
 * start_world(); stopwait never falls below 0; a job's function runs only
 * inside its stop; a P out of use runs no task; when nothing moves, the
 * stopper has done all its stops and every P in use sleeps as an idle one.
 *
 * Not covered: two tasks that stop at once (the second gives way), the
 * stopper's own P going out of use (it is counted until P_STOPPED), p_empty()'s tasks and timers, and that an
 * interrupt reaches a core (plat_preempt: attn is seen some time). */
bool stopping, locked;
bool bumped[3];           /* stop_gen != the gen the core read under the lock */
byte stopwait;
bool job_new[3];          /* job_gen != p->stw_gen */
bool closed = 1;          /* job_state: JOB_CLOSED */
byte inside;              /* job_state: cores inside */
bool idlebit[3], asleep[3], up[3], raised[3], running[3];
mtype = { Idle, Running, Stopped };
mtype status[3] = Running;
bool attn[3];
byte nps = 3;
bool world = 1;           /* not in a stop: stopwait was not 0, or the world was started */
bool finished;
#ifndef WAKES
#define WAKES 0
#endif
byte wakes = WAKES;

inline lock_sched() { atomic { !locked -> locked = 1 } }

/* stop_help() */
inline help() {
	if
	:: job_new[me] ->
		job_new[me] = 0;
		if
		:: atomic { !closed -> inside++ };
			assert(!world); /* job_fn */
			inside--
		:: closed
		fi
	:: else
	fi
}

proctype core(byte me) {
	bool was;

#ifdef JOIN
	if
	:: me == 2 -> /* stop_join(): it has come up just now */
		lock_sched();
#ifdef JOIN_COUNTED
		bumped[me] = 1;
#else
		bumped[me] = !stopping;
#endif
		up[me] = 1;
		locked = 0;
		goto wait
	:: else
	fi;
#endif
find:
	attn[me] = 0;
	if
	:: stopping || me >= nps ->
here:
		lock_sched();
		d_step { was = stopping; bumped[me] = !stopping };
		locked = 0;
		status[me] = Stopped;
		if
		:: was -> atomic { assert(stopwait > 0); stopwait-- }
		:: else
		fi;
		was = 0;
		goto wait
	:: else
	fi;
	if
	:: atomic { running[me] = 1; assert(me < nps) }; /* a task; its look at stopping is past */
		running[me] = 0;
		goto find
	:: skip
	fi;
idle:
	d_step { status[me] = Idle };
	idlebit[me] = 1;
	if
	:: stopping ->
		if
		:: atomic { idlebit[me] -> idlebit[me] = 0 };
			status[me] = Running;
			goto find
		:: !idlebit[me]
		fi
	:: else
	fi;
sleep:
	raised[me] = 0;
	if
	:: status[me] == Running -> goto find
	:: status[me] == Stopped -> help()
	:: status[me] == Idle && stopping ->
		if
		:: atomic { idlebit[me] -> idlebit[me] = 0 };
			status[me] = Running;
			goto find
		:: !idlebit[me] -> goto sleep
		fi
	:: else
	fi;
	raised[me]; /* plat_idle() */
	goto sleep;
wait:
	raised[me] = 0;
#ifdef NO_OFFLINE
#define offline false
#else
#define offline (me >= nps)
#endif
#ifdef OFFLINE_FIRST
	was = offline;
	if
	:: bumped[me] && !was -> status[me] = Running; was = 0; goto find
#elif defined(NO_GENERATION)
	if
	:: !stopping && !offline -> status[me] = Running; was = 0; goto find
#else
	was = bumped[me];
	if
	:: was && !offline -> status[me] = Running; was = 0; goto find
#endif
	:: else
	fi;
	was = 0;
	help();
	raised[me]; /* it spins at first: the same, but that it need not be woken */
	goto wait
}

proctype waker() { /* wakep_slow(), by a running task or an interrupt */
	do
	:: atomic { wakes > 0 && world && idlebit[1] -> idlebit[1] = 0; wakes-- };
		status[1] = Running;
		raised[1] = 1
	:: atomic { wakes > 0 && world && idlebit[2] -> idlebit[2] = 0; wakes-- };
		status[2] = Running;
		raised[2] = 1
	od
}

/* A pass over the Ps would do something. */
#define moves(i) (i < asked && up[i] && status[i] != Stopped && (idlebit[i] || !attn[i]))
#define counts(i) (i < nps && up[i])

proctype stopper() {
	byte n, i, asked, new = 3;

	do
	:: n == STOPS -> break
	:: n < STOPS ->
		n++;
		/* stop_world() */
		lock_sched();
		d_step {
			stopwait = (counts(1) -> 1 : 0) + (counts(2) -> 1 : 0);
			asked = nps;
			stopping = 1
		};
		locked = 0;
		do
		:: stopwait == 0 -> break
		:: stopwait > 0 && (moves(1) || moves(2)) ->
			i = 1;
			do
			:: i < asked && up[i] && status[i] != Stopped ->
				if
#ifdef NO_TOKEN
				:: idlebit[i] ->
#else
				:: atomic { idlebit[i] -> idlebit[i] = 0 };
#endif
					asleep[i] = 1;
					status[i] = Stopped;
					atomic { assert(stopwait > 0); stopwait-- }
				:: else -> attn[i] = 1
				fi;
				i++
			:: i < asked && (!up[i] || status[i] == Stopped) -> i++
			:: i >= asked -> break
			od
		od;
		atomic { world = 0; assert(!running[1] && !running[2]) };
#ifdef RESIZE
		if
		:: new = 2
		:: new = 3
		fi;
#endif
#ifdef RESIZE_EARLY
		nps = new;
#endif
#ifdef JOB
		/* stw_parallel() */
		d_step { closed = 0 };
		d_step { job_new[1] = 1; job_new[2] = 1 };
		raised[1] = 1;
		raised[2] = 1;
#ifndef OPEN_JOB
		closed = 1;
#endif
		inside == 0;
#endif
		/* start_world() */
		lock_sched();
		atomic { assert(!running[1] && !running[2] && inside == 0); world = 1; stopping = 0 };
		nps = new;
		d_step { bumped[1] = 1; bumped[2] = 1 };
		locked = 0;
		i = 1;
		do
		:: i < 3 && up[i] && i < nps ->
			if
			:: asleep[i] ->
				asleep[i] = 0;
				status[i] = Idle;
				idlebit[i] = 1
			:: else ->
#ifndef NO_RAISE
				raised[i] = 1
#else
				skip
#endif
			fi;
			i++
		:: i < 3 && (!up[i] || i >= nps) -> i++
		:: i == 3 -> break
		od
	od;
	finished = 1
}

active proctype still() {
	timeout;
	assert(finished && stopwait == 0 && !stopping && inside == 0);
	assert(!running[1] && !running[2]);
	assert(!(1 < nps) || idlebit[1]);
	assert(!(2 < nps) || idlebit[2])
}

init {
	atomic {
		up[1] = 1;
#ifndef JOIN
		up[2] = 1;
#endif
		bumped[1] = 1; bumped[2] = 1;
		run core(1); run core(2); run stopper(); run waker()
	}
}
