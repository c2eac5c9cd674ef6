/* sema.pml: the semaphore of rt/sync.c with its table of waiters.
 *
 * run: -DNA=2 -DNR=2
 * run: -DNA=3 -DNR=2 -DSTART=1
 * run: -DNA=2 -DNR=2 -DHANDOFF
 * bug RAISE_LATE: -DNA=2 -DNR=2          nwait is raised after the look at the word
 * bug NO_LOOK: -DNA=2 -DNR=2             no look at the word after nwait was raised
 * bug LOOK_FIRST: -DNA=2 -DNR=2          release looks at nwait before it adds the unit
 * bug TICKET_BLIND: -DNA=2 -DNR=2 -DHANDOFF   a ticket without taking the unit
 *
 * Held beside the code: acquirer is sema_acquire() with cansem(), releaser is
 * sema_release(); the row of the table (struct sema_root) is lock, nwait and
 * a set of waiters, all of one word.  NA tasks acquire once each, NR units
 * are released, START are there at first.  Parking is a blocking wait:
 * park.pml has its inside.
 *
 * Covered: every interleaving of the accesses to the word, nwait and the row.
 * All of them are locked instructions or loads, a lock's section included, so
 * store buffers add nothing.  Properties: units are neither lost nor made
 * (START + NR = taken + the word), and when nothing moves, nobody waits while
 * the word has a unit.
 *
 * Not covered: FIFO order, several words in one row (find(), heads), the
 * life of the word after the last access, Mutex's modes above it. */
#ifndef START
#define START 0
#endif
byte word = START, nwait, taken, released;
bool locked;
bool queued[NA], woken[NA], ticket[NA];

inline lock_row() { atomic { !locked -> locked = 1 } }

/* cansem(): a load, and a CAS that fails when another was quicker */
inline cansem(ok) {
	ok = 0;
	do
	:: word == 0 -> break
	:: word > 0 ->
		if
		:: atomic { word > 0 -> word--; ok = 1 }; break
		:: word == 0
		fi
	od
}

proctype acquirer(byte me) {
	bool ok;

	cansem(ok);
	if
	:: ok -> goto done
	:: else
	fi;
again:
	lock_row();
#ifndef RAISE_LATE
	nwait++;
#endif
#ifndef NO_LOOK
	cansem(ok);
	if
	:: ok ->
#ifndef RAISE_LATE
		nwait--;
#endif
		locked = 0;
		goto done
	:: else
	fi;
#endif
#ifdef RAISE_LATE
	nwait++;
#endif
	queued[me] = 1;
	locked = 0; /* park_unlock() */
	atomic { woken[me] -> woken[me] = 0 };
	if
	:: ticket[me] -> goto done
	:: else
	fi;
	cansem(ok);
	if
	:: ok
	:: else -> goto again
	fi;
done:
	taken++
}

proctype releaser() {
	byte w, ok;

#ifdef LOOK_FIRST
	bool none = nwait == 0;
	word++;
	if
	:: none -> goto done
	:: else
	fi;
#else
	word++;
	if
	:: nwait == 0 -> goto done
	:: else
	fi;
#endif
	lock_row();
	/* dequeue(): any waiter of the word */
	if
	:: atomic { queued[0] -> queued[0] = 0; w = 0 }
	:: atomic { queued[1] -> queued[1] = 0; w = 1 }
#if NA > 2
	:: atomic { queued[2] -> queued[2] = 0; w = 2 }
#endif
	:: else -> locked = 0; goto done
	fi;
	nwait--;
#ifdef HANDOFF
#ifdef TICKET_BLIND
	ok = word > 0;
#else
	cansem(ok);
#endif
	if
	:: ok -> ticket[w] = 1
	:: else
	fi;
#endif
	locked = 0;
	woken[w] = 1; /* ready() */
done:
	released++
}

active proctype still() {
	timeout;
	assert(released == NR && !locked);
	assert(START + NR == taken + word);
	assert(taken == NA || word == 0);
	assert(nwait == NA - taken)
}

init {
	atomic {
		byte i = 0;
		do
		:: i < NA -> run acquirer(i); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < NR -> run releaser(); i++
		:: else -> break
		od
	}
}
