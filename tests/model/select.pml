/* select.pml: select of rt/select.c on channels of rt/chan.c.
 *
 * run: -DOPPOSITE
 * run: -DTWICE
 * run: -DCROSS
 * bug NO_CAS: -DCROSS         waitq_pop() takes a select's sudog without select_done
 * bug CASE_ORDER: -DOPPOSITE  lock_all() in the order of the cases
 * bug NOT_REMOVED: -DTWICE    the losers' sudogs stay in their queues
 * bug NO_DEDUP: -DTWICE       lock_all() takes a channel once for each case
 * bug NO_SECOND: -DOPPOSITE   no look under all locks before the sudogs are queued
 *
 * Held beside the code: selects() is rt_select() with its first look left out
 * (it is a try under one lock, which NO_SECOND's look contains), select_locked()
 * and select_wait(); plain is rt_chan_send() or rt_chan_recv(); pop() is
 * waitq_pop(), go_now() is send_now() and recv_now() of an unbuffered channel.
 * Two channels; a channel's queue holds sudogs by number: 2 * task + case.
 * Programs: OPPOSITE two tasks, each {send on one, receive on the other}, one
 * naming the channels in the other order; TWICE a select that names one
 * channel twice, and a sender, twice over; CROSS a select that receives from
 * both channels, and a sender on each, and a second receiver.
 *
 * Covered: every interleaving of the steps between lock operations; inside a
 * lock's section only select_done is seen by others, by one CAS.  Properties:
 * no deadlock on locks; no value is lost or received twice: each send that
 * returned was received by exactly one receive that returned; when nothing
 * moves, a sender and a receiver do not both wait on one channel; no sudog of
 * a task that returned is in a queue.
 *
 * Not covered: what a core that is alone leaves out (rt_alone: there all steps
 * between two switches are one), buffers, close, default, nil channels, the
 * random order (any ready case may be taken), parking itself (park.pml). */
#define T 4               /* tasks */
#define NONE 99

#define SEND 0
#define RECV 1
#define Q(c, dir) q[2 * (c) + (dir)]
#define unlock_both atomic { lck[second] = 0; lck[first] = 0 }

bool lck[2];
chan q[4] = [8] of { byte }; /* Q(channel, SEND or RECV) */
byte won[T];              /* g->param: the winning sudog; NONE */
bool fired[T];            /* g->select_done */
bool is_select[T];
bool parked[T];
byte sent[T], got[T];     /* sends and receives that took place, by task */
byte returned[T];         /* operations that returned: 1 a send, 2 a receive */
byte program[T];          /* operations still to do */

inline take_lock(c) { atomic { !lck[c] -> lck[c] = 1 } }

/* px: a waiter of pc that may be woken, or NONE. */
inline pop(pc, pd, px) {
	do
	:: atomic { len(Q(pc, pd)) == 0 -> px = NONE }; break
	:: atomic { len(Q(pc, pd)) > 0 -> Q(pc, pd)?px };
#ifndef NO_CAS
		if
		:: !is_select[px / 2] -> break
		:: atomic { is_select[px / 2] && !fired[px / 2] -> fired[px / 2] = 1 }; break
		:: is_select[px / 2] && fired[px / 2]
		fi
#else
		break
#endif
	od
}

/* Both sides of a communication: the peer's sudog x is woken. */
inline communicate(dir, x) {
	if
	:: dir == SEND -> sent[me]++; got[x / 2]++
	:: else -> got[me]++; sent[x / 2]++
	fi;
	won[x / 2] = x
}

inline wake(x) {
	assert(parked[x / 2]); /* ready(): bad g status; it parked before the lock was free */
	parked[x / 2] = 0
}

proctype plain(byte me; byte c; byte dir; byte times) {
	byte x;

	do
	:: times == 0 -> break
	:: times > 0 ->
		times--;
		take_lock(c);
		pop(c, 1 - dir, x);
		if
		:: x != NONE -> d_step { communicate(dir, x); lck[c] = 0 }; wake(x)
		:: else ->
			d_step { Q(c, dir)!2 * me; parked[me] = 1; lck[c] = 0 };
			!parked[me]
		fi;
		d_step { returned[me]++; x = 0; won[me] = NONE }
	od
}

proctype selects(byte me; byte c0; byte d0; byte c1; byte d1; byte times) {
	byte x, first, second;

	is_select[me] = 1;
#ifdef CASE_ORDER
	first = c0; second = c1;
#else
	d_step { first = (c0 < c1 -> c0 : c1); second = (c0 < c1 -> c1 : c0) };
#endif
	do
	:: times == 0 -> break
	:: times > 0 ->
		times--;
		take_lock(first);
#ifdef NO_DEDUP
		take_lock(second);
#else
		if
		:: second != first -> take_lock(second)
		:: else
		fi;
#endif
#ifndef NO_SECOND
		/* The cases in any order; a second look at the other if one has none. */
		if
		:: pop(c0, 1 - d0, x);
			if
			:: x != NONE -> communicate(d0, x); goto now
			:: else -> pop(c1, 1 - d1, x);
				if
				:: x != NONE -> communicate(d1, x); goto now
				:: else
				fi
			fi
		:: pop(c1, 1 - d1, x);
			if
			:: x != NONE -> communicate(d1, x); goto now
			:: else -> pop(c0, 1 - d0, x);
				if
				:: x != NONE -> communicate(d0, x); goto now
				:: else
				fi
			fi
		fi;
#endif
		d_step {
			fired[me] = 0;
			Q(c0, d0)!2 * me;
			Q(c1, d1)!2 * me + 1;
			parked[me] = 1
		};
		unlock_both;
		!parked[me];
		assert(won[me] != NONE && won[me] / 2 == me);
		take_lock(first);
		if
		:: second != first -> take_lock(second)
		:: else
		fi;
#ifndef NOT_REMOVED
		d_step {
			if
			:: Q(c0, d0)??[eval(2 * me)] -> Q(c0, d0)??eval(2 * me)
			:: else
			fi;
			if
			:: Q(c1, d1)??[eval(2 * me + 1)] -> Q(c1, d1)??eval(2 * me + 1)
			:: else
			fi
		};
#endif
		unlock_both;
		goto next;
now:
		unlock_both;
		wake(x);
next:
		atomic { returned[me]++; x = 0; won[me] = NONE }
	od;
	/* Its frame, and the sudogs in it, are gone. */
	atomic {
		assert(!(Q(c0, d0)??[eval(2 * me)]));
		assert(!(Q(c1, d1)??[eval(2 * me + 1)]))
	}
}

active proctype still() {
	timeout;
	byte i = 0;
	assert(!lck[0] && !lck[1]);
	assert(sent[0] + sent[1] + sent[2] + sent[3] == got[0] + got[1] + got[2] + got[3]);
	do
	:: i < T ->
		/* Each operation that returned took place once, none that did not. */
		assert(sent[i] + got[i] == returned[i]);
		i++
	:: else -> break
	od;
	/* Only a select may be in both queues of a channel: with itself it does not speak. */
	assert(len(Q(0, SEND)) == 0 || len(Q(0, RECV)) == 0);
	assert(len(Q(1, SEND)) == 0 || len(Q(1, RECV)) == 0)
}

init {
	atomic {
		won[0] = NONE; won[1] = NONE; won[2] = NONE; won[3] = NONE;
#ifdef OPPOSITE
		run selects(0, 0, SEND, 1, RECV, 2);
		run selects(1, 1, SEND, 0, RECV, 2)
#endif
#ifdef TWICE
		run selects(0, 0, RECV, 0, RECV, 2);
		run plain(1, 0, SEND, 2);
		run plain(2, 0, RECV, 1)
#endif
#ifdef CROSS
		run selects(0, 0, RECV, 1, RECV, 2);
		run plain(1, 0, SEND, 2);
		run plain(2, 1, SEND, 2);
		run plain(3, 1, RECV, 1)
#endif
	}
}
