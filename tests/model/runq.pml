/* runq.pml: the ring of rt/runq.c and rt/proc.h, taken from at both ends.
 *
 * run: -DTHIEVES=1 -DTASKS=6 -DTRIES=2
 * run: -DTHIEVES=2 -DTASKS=5 -DTRIES=1
 * bug NO_FENCE: -DTHIEVES=1 -DTASKS=5 -DTRIES=2    the head is looked at while the new tail is on its way
 * bug NO_LOOK: -DTHIEVES=1 -DTASKS=5 -DTRIES=2     the head as it was before the tail was lowered
 * bug UNSIGNED: -DTHIEVES=2 -DTASKS=4 -DTRIES=2   a head beyond the lowered tail is taken for a full ring
 * bug TOO_LOW: -DTHIEVES=1 -DTASKS=5 -DTRIES=2     the newest is taken of half a ring, too
 *
 * Held beside the code: owner's first case is runq_push(), its second the end
 * of runq_get(), its third runq_take_newest(); thief is runq_steal().
 *
 * Covered: every interleaving of the shared accesses of an owner and its
 * thieves, with what x86 adds: the owner's stores stay in its store buffer
 * until a fence, a locked instruction or chance drains it.
 *
 * Properties: no task runs twice, and when nothing moves any more, each has
 * run.
 *
 * Not covered: runnext, the overflow to the global queue (its owner's CAS of
 * the head is as the one here), indices that wrap. */
#define SIZE 4
#define HALF (SIZE / 2)
#ifdef TOO_LOW
#define LEAST (HALF - 1)
#else
#define LEAST HALF
#endif

byte head, tail, slot[SIZE];  /* as memory has them */
byte mine[SIZE], mt;          /* as the owner does */
byte ran[TASKS];
bool done;

#define TAIL SIZE
chan sb = [6] of { byte, byte }; /* the owner's stores: slot or TAIL, and what */

inline run_it(g) {
	ran[g]++;
	assert(ran[g] == 1)
}

proctype owner() {
	byte h, made;
	do
	:: made < TASKS && mt - head < SIZE && nfull(sb) ->
		d_step { mine[mt % SIZE] = made; made++ };
		sb!mt % SIZE, mine[mt % SIZE];
		d_step { mt++ };
		sb!TAIL, mt
	:: head != mt ->
		h = head;
		if
		:: atomic { empty(sb) && h == head && h != mt -> head = h + 1; run_it(mine[h % SIZE]) }
		:: h != head || h == mt
		fi
	:: mt - head > LEAST && nfull(sb) ->
		h = head;
		mt--;
		sb!TAIL, mt;
#ifndef NO_FENCE
		empty(sb);
#endif
#ifndef NO_LOOK
		h = head;
#endif
		if
#ifdef UNSIGNED
		:: mt >= h && mt - h < LEAST -> mt++; sb!TAIL, mt
#else
		:: mt - h < LEAST -> mt++; sb!TAIL, mt
#endif
		:: else -> run_it(mine[mt % SIZE])
		fi
	:: made == TASKS && head == mt -> break
	od;
	done = 1
}

proctype drain() {
	byte at, what;
	do
	:: d_step { sb?at, what;
			if
			:: at == TAIL -> tail = what
			:: else -> slot[at] = what
			fi }
	:: done && empty(sb) -> break
	od
}

proctype thief() {
	byte vh, n, tries = TRIES, c[HALF];
	do
	:: tries > 0 ->
		tries--;
		vh = head;
		n = (tail >= vh -> tail - vh : 0);
		n = n - n / 2;
		if
		:: n > 0 && n <= HALF ->
			c[0] = slot[vh % SIZE];
			if
			:: n == 2 -> c[1] = slot[(vh + 1) % SIZE]
			:: else
			fi;
			atomic {
				if
				:: head == vh ->
					head = vh + n;
					run_it(c[0]);
					if
					:: n == 2 -> run_it(c[1])
					:: else
					fi
				:: else
				fi
			}
		:: else
		fi
	:: tries == 0 || done -> break
	od
}

active proctype still() {
	byte g;
	timeout;
	assert(done);
	do
	:: g < TASKS -> assert(ran[g] == 1); g++
	:: else -> break
	od
}

init {
	atomic {
		byte i = 0;
		run owner();
		run drain();
		do
		:: i < THIEVES -> run thief(); i++
		:: else -> break
		od
	}
}
