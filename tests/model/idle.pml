/* idle.pml: submit, idle and wake of rt/proc.c, with the deadlock check.
 *
 * run: -DNP=2 -DSUBMITS=1 -DTIMERS=1 -DDEVS=1
 * run: -DNP=2 -DSUBMITS=1 -DTIMERS=2 -DDEVS=0
 * run: -DNP=2 -DSUBMITS=0 -DTIMERS=2 -DDEVS=0 -DTHIRD_WOKEN
 * run: -DNP=3 -DSUBMITS=1 -DTIMERS=0 -DDEVS=0 -DTHIRD_LOOPS -DCOARSE
 * bug NO_FENCE: -DNP=2 -DSUBMITS=2 -DTIMERS=0 -DDEVS=0      wakep() without at_fence() after the put
 * bug NO_RECHECK: -DNP=2 -DSUBMITS=2 -DTIMERS=0 -DDEVS=0    no work_anywhere() after idle_publish()
 * bug MASK_FIRST: -DNP=2 -DSUBMITS=1 -DTIMERS=1 -DDEVS=0    awake_ps() looks at the mask before idle_publish()
 * bug NO_RAISE: -DNP=2 -DSUBMITS=1 -DTIMERS=1 -DDEVS=0      rt_irq_timer(), ready_irq() leave wakeword
 * bug NO_RELOOK: -DNP=3 -DSUBMITS=1 -DTIMERS=0 -DDEVS=0 -DTHIRD_LOOPS -DCOARSE
 *      wakep_slow() that found nobody does not look again
 * bug LATE_DROP: -DNP=2 -DSUBMITS=1 -DTIMERS=1 -DDEVS=0     spinning read and cleared after idle_publish()
 * bug NO_EPOCH: -DNP=2 -DSUBMITS=0 -DTIMERS=2 -DDEVS=0 -DTHIRD_WOKEN       check_dead() without idle_epoch
 * bug EPOCH_FIRST: -DNP=2 -DSUBMITS=0 -DTIMERS=2 -DDEVS=0 -DTHIRD_WOKEN    idle_claim() counts before npidle falls
 *
 * NO_RELOOK, NO_EPOCH and EPOCH_FIRST want a third core, which would make the search long:
 * THIRD_WOKEN lets a wake-up go to one that is not modelled (and then only the
 * deadlock check is judged); THIRD_LOOPS has a third core whose task submits
 * once and loops; COARSE looks at all queues in one step and has no store
 * buffers.
 *
 * Held beside the code: find: is find_runnable(), take: the end of its search
 * and schedule(), idle: what follows "Nothing: become idle", check: is
 * check_dead() with all_quiet(), sleep: is idle_sleep(), halt: plat_idle()
 * with cpu_idle(); claim() is idle_claim(), wakep() is wakep() and
 * wakep_slow(); proctype interrupts is rt_irq_timer() and ready_irq().
 *
 * Covered: every interleaving of the shared accesses of NP cores, with what
 * x86 adds: a put into the own ring (runq_put: plain stores) may stay in the
 * core's store buffer (sb) until a locked instruction, a fence, an interrupt
 * or chance drains it.  Tasks are numbers in queues.  A running task submits,
 * sleeps by a timer, loops until nothing runnable is left in any queue, or
 * ends.  An interrupt is one step, between any two steps of its core; wakeword
 * and idle_epoch are bits: changed since the core read them.
 *
 * Properties: when nothing moves any more, nothing is runnable (a lost
 * wake-up leaves a looping task and a queued one, or sleepers and a queued
 * one), all Ps are idle, nobody spins, and the deadlock was reported; when it
 * is reported, nothing is queued or runs and no timer is pending.
 *
 * Not covered: stops and GOMAXPROCS (stop.pml), which task it is (park.pml),
 * ring and lock details, the one-core shortcut of wakep(), the quantum; a
 * device interrupt that comes while check_dead() looks.  Liveness only as far
 * as "nothing moves": no model of a fair schedule. */
byte q[NP], sb[NP];       /* a P's ring; puts in its core's store buffer */
byte gq;                  /* the global queue */
bool mask[NP];            /* sched.idle */
byte npidle, nmspinning;
bool moved[NP];           /* idle_epoch != epoch, check_dead()'s */
bool running[NP];         /* p->status, as the waker sets it: P_RUNNING */
bool spinning[NP];
bool raised[NP];          /* wakeword != seen */
bool idling[NP], halted[NP];
bool armed[NP], due[NP];  /* a timer in the heap (timer_when); timer_due */
byte irqr[NP];            /* irq_ready */
bool busy[NP];            /* a task runs */
byte submits = SUBMITS, timers = TIMERS, devs = DEVS;
bool reported, late[NP];  /* a device interrupt since check_dead() began */

#define drain q[me] = q[me] + sb[me]; sb[me] = 0

#ifdef COARSE
#define put q[me]++
#else
#define put sb[me]++
#endif

/* Nothing in any queue, as nobody in the program could see it: all at once. */
#if NP == 2
#define queued (q[0] + q[1] + sb[0] + sb[1] + gq)
#define epoch_up moved[0] = 1; moved[1] = 1
#define any_armed (armed[0] || armed[1])
#define any_busy (busy[0] || busy[1])
#define all_busy (busy[0] && busy[1])
#define all_irqr (irqr[0] + irqr[1])
#else
#define queued (q[0] + q[1] + q[2] + sb[0] + sb[1] + sb[2] + gq)
#define epoch_up moved[0] = 1; moved[1] = 1; moved[2] = 1
#define any_armed (armed[0] || armed[1] || armed[2])
#define any_busy (busy[0] || busy[1] || busy[2])
#define all_busy (busy[0] && busy[1] && busy[2])
#define all_irqr (irqr[0] + irqr[1] + irqr[2])
#endif

inline claim(x) {
	d_step { drain; got = mask[x]; mask[x] = 0 };
	if
	:: got ->
#ifdef EPOCH_FIRST
		d_step { epoch_up };
		npidle--
#else
		npidle--;
		d_step { epoch_up }
#endif
	:: else
	fi
}

inline wakep() {
#ifndef NO_FENCE
	d_step { drain };
#endif
	if
	:: npidle == 0
#ifdef THIRD_WOKEN
	:: npidle != 0 /* it woke a third P, which found nothing */
#endif
	:: npidle != 0 ->
		do
		:: atomic { nmspinning == 0 -> drain; nmspinning = 1; w = 0 };
			do
			:: w < NP && mask[w] ->
				claim(w);
				if
				:: got ->
					d_step { spinning[w] = 1; running[w] = 1 };
					d_step { raised[w] = 1; drain };
					/* plat_wake() */
					if
					:: idling[w] -> halted[w] = 0
					:: else
					fi;
					goto_done = 1;
					break
				:: else
				fi
			:: w < NP && !mask[w] -> w++
			:: w == NP -> break
			od;
			if
			:: goto_done -> goto_done = 0; w = 0; break
			:: else
			fi;
			atomic { drain; nmspinning--; w = 0 };
#ifdef NO_RELOOK
			break
#else
			do
			:: w < NP && !mask[w] -> w++
			:: else -> break
			od;
			if
			:: w == NP -> w = 0; break
			:: else -> w = 0
			fi
#endif
		:: nmspinning != 0 -> break
		od
	fi
}

proctype core(byte me) {
	bool got, was, goto_done;
	byte w, asleep; /* the idle mask as it was seen */

	if
	:: me == 0 -> busy[0] = 1; goto task /* main */
#ifdef THIRD_LOOPS
	:: me == 2 -> busy[2] = 1; put; wakep(); false /* a task that submits one more and loops */
#endif
	:: else
	fi;
find:
	if
	:: atomic { irqr[me] > 1 -> drain; sb[me] = irqr[me] - 1; irqr[me] = 0; busy[me] = 1 };
		wakep();
		goto take
	:: atomic { irqr[me] == 1 -> drain; irqr[me] = 0; busy[me] = 1 };
		goto take
	:: else
	fi;
	if
	:: due[me] ->
		due[me] = 0;
		d_step { drain; armed[me] = 0 }; /* under the heap's lock */
		put; /* ready(g, false) */
		wakep()
	:: else
	fi;
	if
	:: atomic { q[me] + sb[me] > 0 -> drain; q[me]--; busy[me] = 1 }; goto take
	:: else
	fi;
	if
	:: atomic { gq > 0 -> drain; gq--; busy[me] = 1 }; goto take
	:: else
	fi;
	if
	:: spinning[me] || 2 * nmspinning < NP - npidle ->
		if
		:: !spinning[me] -> d_step { drain; spinning[me] = 1; nmspinning++ }
		:: else
		fi;
#ifdef COARSE
		if
		:: atomic { q[0] > 0 -> drain; q[0]--; busy[me] = 1 }; goto take
		:: atomic { q[1] > 0 -> drain; q[1]--; busy[me] = 1 }; goto take
		:: atomic { q[2] > 0 -> drain; q[2]--; busy[me] = 1 }; goto take
		:: else
		fi
#else
		w = 0; /* an idle P, which awake_ps() leaves out, has nothing in q */
		do
		:: atomic { w < NP && w != me && q[w] > 0 -> drain; q[w]--; busy[me] = 1; w = 0 }; goto take
		:: w < NP && (w == me || q[w] == 0) -> w++
		:: w == NP -> w = 0; break
		od
#endif
	:: else
	fi;
idle:
#ifdef MASK_FIRST
	atomic { asleep = mask[0] + 2 * mask[1] };
#endif
	atomic { running[me] = 0;
#ifndef LATE_DROP
		was = spinning[me]; spinning[me] = 0;
#endif
		drain; mask[me] = 1 };
	npidle++;
#ifdef LATE_DROP
	d_step { was = spinning[me]; spinning[me] = 0 };
#endif
	if
	:: was -> nmspinning--
	:: else
	fi;
#ifndef NO_RECHECK
	if
	:: gq > 0 || due[me] || irqr[me] > 0 -> goto look_found
	:: else
	fi;
#ifdef COARSE
	if
	:: q[0] + q[1] + q[2] > 0 -> goto look_found
	:: else
	fi;
#else
#ifndef MASK_FIRST
	atomic { asleep = mask[0] + 2 * mask[1] }; /* one word: awake_ps() */
#endif
	do
	:: w < NP && (asleep >> w & 1 || q[w] == 0) -> w++
	:: w < NP && !(asleep >> w & 1) && q[w] > 0 -> w = 0; asleep = 0; goto look_found
	:: w == NP -> w = 0; asleep = 0; break
	od;
#endif
#endif
	if
	:: npidle == NP -> goto check
	:: else -> goto sleep
	fi;
look_found:
	claim(me);
	if
	:: got ->
		running[me] = 1;
		if
		:: was || nmspinning == 0 -> d_step { was = 0; spinning[me] = 1; nmspinning++ }
		:: else
		fi;
		got = 0;
		goto find
	:: else -> goto sleep
	fi;
check:
	atomic { moved[me] = 0; late[me] = 0 };
	if
	:: npidle != NP -> goto sleep
	:: else
	fi;
	if
	:: gq > 0 -> goto sleep
	:: else
	fi;
#ifdef COARSE
	if
	:: any_armed -> goto sleep
	:: else
	fi;
	if
	:: q[0] + q[1] + q[2] + all_irqr > 0 || due[0] || due[1] || due[2] -> goto sleep
	:: else
	fi;
#else
	do
	:: w < NP && !armed[w] -> w++
	:: w < NP && armed[w] -> w = 0; goto sleep
	:: w == NP -> w = 0; break
	od;
	do
	:: w < NP && q[w] == 0 && irqr[w] == 0 && !due[w] -> w++
	:: w < NP && (q[w] > 0 || irqr[w] > 0 || due[w]) -> w = 0; goto sleep
	:: w == NP -> w = 0; break
	od;
#endif
	if
	:: npidle != NP -> goto sleep
	:: else
	fi;
#ifndef NO_EPOCH
	if
	:: moved[me] -> goto sleep
	:: else
	fi;
#endif
	atomic { assert(late[me] || queued == 0 && !any_armed && !any_busy); reported = 1 };
	false; /* fatal_deadlock() */
sleep:
	atomic { raised[me] = 0; moved[me] = 1; was = 0 }; /* seen = wakeword */
	if
	:: running[me] -> goto find
	:: else
	fi;
	if
	:: due[me] || irqr[me] > 0 ->
		claim(me);
		if
		:: got -> got = 0; running[me] = 1; goto find
		:: else -> goto sleep /* claimed by another, who is about to set status */
		fi
	:: else
	fi;
halt:
	d_step { drain; idling[me] = 1 };
	d_step { /* interrupts off */
		if
		:: !raised[me] -> halted[me] = 1
		:: else
		fi
	};
	!halted[me];
	idling[me] = 0;
	goto sleep;
take:
	if
	:: spinning[me] ->
		d_step { drain; spinning[me] = 0; nmspinning-- };
		wakep()
	:: else
	fi;
task:
	do
	:: atomic { submits > 0 -> submits--; put };
		wakep()
	:: atomic { timers > 0 && !armed[me] -> timers--; drain; armed[me] = 1; busy[me] = 0 };
		goto find
	:: atomic { (queued > 0 || all_irqr > 0) && irqr[me] == 0 && !due[me] -> skip };
		/* The tight loop: until others have taken all there is, or preempted. */
		if
		:: queued == 0 && all_irqr == 0
		:: atomic { irqr[me] > 0 || due[me] -> drain; gq++; busy[me] = 0 };
			wakep();
			goto find
		fi
	:: busy[me] = 0; goto find
	od
}

proctype interrupts(byte me) {
	do
	:: atomic { armed[me] && !due[me] && !reported -> drain; due[me] = 1; halted[me] = 0;
#ifndef NO_RAISE
		raised[me] = 1
#endif
		}
	:: atomic { devs > 0 && !reported -> devs--; late[0] = 1; late[1] = 1; drain; irqr[me]++; halted[me] = 0;
#ifndef NO_RAISE
		raised[me] = 1
#endif
		}
	:: atomic { sb[me] > 0 -> drain } /* chance */
	od
}

active proctype still() {
	timeout;
	if
#ifdef THIRD_WOKEN
	:: true
#endif
	:: reported || all_busy /* in loops: nobody idles */
	:: else ->
		assert(queued == 0 && all_irqr == 0);
		assert(nmspinning == 0);
#ifndef THIRD_LOOPS
		assert(npidle == NP && reported)
#endif
	fi
}

init {
	atomic {
		byte i = 0;
		do
		:: i < NP -> running[i] = 1; moved[i] = 1; run core(i); run interrupts(i); i++
		:: else -> break
		od
	}
}
