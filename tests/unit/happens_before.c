/* happens_before.c: the rules of rt/MEMORY_MODEL.md, each as many short rounds.
 *
 * test: limit=300
 *
 * In every round one task fills a payload of four cache lines with plain
 * stores, does what the rule calls synchronising, and another reads the
 * payload with plain loads on the other side of the rule: it must be that
 * round's, whole.  Where the rule says when memory may be used again, the
 * payload is used again then and no later.
 *
 * tests/system/fences.py shows that these tests fail when a step of the
 * runtime is left out. */
#include <stdlib.h>
#include "ingot.h"
#include "rounds.h"

#define WORDS 32 /* four cache lines */
struct payload {
	uint64 w[WORDS];
} __attribute__((aligned(64)));

static uint64 word(uint64 n, int i)
{
	return n * UINT64_C(0x9e3779b97f4a7c15) + (uint64)i;
}

static void fill(struct payload *p, uint64 n)
{
	for (int i = 0; i < WORDS; i++)
		p->w[i] = word(n, i);
}

static bool is(const struct payload *p, uint64 n)
{
	uint64 differ = 0;
	for (int i = 0; i < WORDS; i++)
		differ |= p->w[i] ^ word(n, i);
	return !differ;
}

#define EXPECT(p, n) \
	do { \
		if (!is(p, n)) \
			TEST_FAIL("round %llu: the payload is another's", (unsigned long long)(n)); \
	} while (0)

/* A test's end: enough time, or a failure. */
static int64 until;
static bool more(uint64 n)
{
	return (n % 32 || nanotime() < until) && !atomic_load(&test_bad);
}

/* Spins until *p is v. */
static void await(const uint64 *p, uint64 v)
{
	for (uint32 spin = 1; atomic_load(p) != v; spin++)
		spin_step(spin);
}

static wait_group all;
static void players(int n)
{
	until = nanotime() + budget;
	wait_group_add(&all, n);
}
static void finish(const char *rule, const uint64 *rounds)
{
	wait_group_wait(&all);
	print("%s: %llu rounds\n", rule, (unsigned long long)*rounds);
}

/* ---- go ------------------------------------------------------------------------ */

static void started(struct payload *p, uint64 n, uint64 *done)
{
	EXPECT(p, n);
	fill(p, ~n); /* what comes back is seen by the rule of atomics */
	atomic_store(done, n);
}

TEST(go_comes_before_the_task_starts)
{
	static struct payload p;
	static uint64 done;
	uint64 n = 1;
	for (players(0); more(n); n++) {
		fill(&p, n);
		go(started, &p, n, &done);
		if (n % 2) /* here, or on a core that steals it */
			gosched();
		await(&done, n);
		EXPECT(&p, ~n);
	}
	finish("go", &n);
}

/* A task's own accesses keep their order wherever it runs, preempted and moved. */
static void wanderer(uint32 me, uint64 *rounds)
{
	struct payload own, *heap = new (struct payload);
	uint64 n = me * UINT64_C(1000000007);
	for (; more(n); n++) {
		fill(&own, n);
		*heap = own;
		gosched();
		EXPECT(&own, n);
		EXPECT(heap, n);
	}
	atomic_add(rounds, n - me * UINT64_C(1000000007));
	wait_group_done(&all);
}

TEST(a_task_keeps_its_own_order)
{
	uint64 rounds = 0;
	int cores = gomaxprocs(0);
	players(4 * cores);
	for (int i = 0; i < 4 * cores; i++)
		go(wanderer, (uint32)i, &rounds);
	while (nanotime() < until) { /* and they change cores */
		gomaxprocs(1 + (int)(nanotime() / Millisecond % cores));
		sleep(2 * Millisecond);
	}
	gomaxprocs(cores);
	finish("own order", &rounds);
}

/* ---- channels ---------------------------------------------------------------------- */

/* A send comes before its receive, and the k-th receive before the end of send
 * k + C: the slots are as few as that allows.  n 0 ends it. */
#define ROOM 10
#define SLOTS (ROOM + 2)
static struct payload slots[SLOTS];

static void buffered_sender(chan(uint64) c)
{
	uint64 n = 1;
	for (; more(n); n++) {
		fill(&slots[n % SLOTS], n);
		send(c, n);
	}
	send(c, 0);
	wait_group_done(&all);
}

TEST(a_send_comes_before_its_receive)
{
	chan(uint64) c = make_chan(uint64, ROOM);
	uint64 n, last = 0;
	players(1);
	go(buffered_sender, c);
	while ((n = recv(c))) {
		EXPECT(&slots[n % SLOTS], n);
		CHECK_EQ(n, last + 1);
		last = n;
	}
	finish("buffered channel", &last);
}

/* Without a buffer, a receive also comes before the end of its send. */
static struct payload there[2], back[2];

static void unbuffered_sender(chan(uint64) c)
{
	uint64 n = 1;
	for (; more(n); n++) {
		fill(&there[n % 2], n);
		send(c, n);
		EXPECT(&back[n % 2], n);
	}
	send(c, 0);
	wait_group_done(&all);
}

TEST(a_receive_comes_before_the_end_of_its_send)
{
	chan(uint64) c = make_chan(uint64);
	uint64 n = 1;
	players(1);
	go(unbuffered_sender, c);
	for (fill(&back[1], 1); recv(c); fill(&back[n % 2], n)) {
		EXPECT(&there[n % 2], n);
		n++;
	}
	finish("unbuffered channel", &n);
}

/* The value itself comes whole. */
static void value_sender(chan(struct payload) c)
{
	struct payload p;
	for (uint64 n = 1; more(n); n++) {
		fill(&p, n);
		send(c, p);
	}
	close(c);
	wait_group_done(&all);
}

TEST(a_value_comes_whole)
{
	for (int room = 0; room <= 3; room += 3) {
		chan(struct payload) c = make_chan(struct payload, room);
		struct payload p;
		uint64 n = 0;
		players(1);
		go(value_sender, c);
		while (recv(c, &p))
			EXPECT(&p, ++n);
		finish("values of 256 bytes", &n);
	}
}

/* The same by select: two senders at a time, who may both find the receiver
 * waiting.  A value is the sender and its round. */
static struct payload from[2][2], to[2][2];

static void select_sender(uint64 me, chan(uint64) c)
{
	chan(uint64) never = make_chan(uint64);
	uint64 n = 1;
	for (; more(n); n++) {
		fill(&from[me][n % 2], n);
		select {
			case_send(c, 2 * n + me) { }
			case_recv(never, NULL) { TEST_FAIL("a value from nowhere"); }
		}
		EXPECT(&to[me][n % 2], n);
	}
	send(c, me); /* round 0: the end */
	wait_group_done(&all);
}

TEST(select_is_as_send_and_receive)
{
	chan(uint64) c = make_chan(uint64), d = make_chan(uint64);
	uint64 n[2] = { 1, 1 }, v = 0, rounds;
	players(2);
	fill(&to[0][1], 1);
	fill(&to[1][1], 1);
	go(select_sender, 0, c);
	go(select_sender, 1, d);
	for (int running = 2; running > 0;) {
		select {
			case_recv(c, &v) { CHECK(v % 2 == 0); }
			case_recv(d, &v) { CHECK(v % 2 == 1); }
		}
		uint64 who = v % 2;
		if (v < 2) {
			running--;
			continue;
		}
		CHECK_EQ(v / 2, n[who]);
		EXPECT(&from[who][n[who] % 2], n[who]);
		n[who]++;
		fill(&to[who][n[who] % 2], n[who]);
	}
	rounds = n[0] + n[1];
	finish("select", &rounds);
}

/* Close comes before the receive that returns because of it. */
struct closing {
	chan(bool) c, d;
	struct payload p;
};

static void sees_close(chan(struct closing *) rounds, chan(bool) done, bool by_select)
{
	struct closing *r;
	for (uint64 n = 1; recv(rounds, &r); n++) {
		bool v = true, sent = true;
		if (by_select)
			select {
				case_recv_ok(r->c, &v, &sent) { }
				case_recv(r->d, NULL) { TEST_FAIL("a value from nowhere"); }
			}
		else
			sent = recv(r->c, &v);
		CHECK(!sent && !v);
		EXPECT(&r->p, n);
		send(done, true);
	}
	wait_group_done(&all);
}

TEST(close_comes_before_the_receive_of_zero)
{
	chan(struct closing *) c1 = make_chan(struct closing *, 1), c2 = make_chan(struct closing *, 1);
	chan(bool) done = make_chan(bool, 2);
	uint64 n = 1;
	players(2);
	go(sees_close, c1, done, false);
	go(sees_close, c2, done, true);
	for (; more(n); n++) {
		struct closing *r = new (struct closing, .c = make_chan(bool), .d = make_chan(bool));
		send(c1, r);
		send(c2, r);
		fill(&r->p, n);
		close(r->c);
		recv(done);
		recv(done);
	}
	close(c1);
	close(c2);
	finish("close", &n);
}

/* ---- locks: the n-th release comes before the next acquisition ------------------ */

/* What a holder left, the next one finds. */
static struct payload guarded;
static uint64 guarded_n;

struct lock_kind {
	const char *name;
	void (*enter)(void), (*leave)(void);
};

static void contender(const struct lock_kind *kind, uint32 rand, uint64 *rounds)
{
	uint64 n = 0;
	for (; more(n); n++) {
		kind->enter();
		EXPECT(&guarded, guarded_n);
		fill(&guarded, ++guarded_n);
		if (n % 4 == 0) /* long enough for others to go to sleep, just now */
			dawdle(pick(&rand, 8192));
		kind->leave();
	}
	atomic_add(rounds, n);
	wait_group_done(&all);
}

static void exclusive(const struct lock_kind *kind)
{
	uint64 rounds = 0;
	guarded_n = 0;
	fill(&guarded, 0);
	for (int n = 2; n <= 3; n++) { /* with two, nobody makes up for a lost wake-up */
		players(n);
		for (int i = 0; i < n; i++)
			go(contender, kind, (uint32)i, &rounds);
		finish(kind->name, &guarded_n);
		CHECK_EQ(guarded_n, rounds);
	}
}
#define EXCLUSIVE(test, title, get, put) \
	static void test##_enter(void) { get; } \
	static void test##_leave(void) { put; } \
	TEST(test) \
	{ \
		static const struct lock_kind kind = { title, test##_enter, test##_leave }; \
		exclusive(&kind); \
	}

static void try_until(bool (*try)(void))
{
	for (uint32 spin = 1; !try(); spin++)
		spin_step(spin);
}

static mutex m;
EXCLUSIVE(an_unlock_comes_before_the_next_lock, "mutex", mutex_lock(&m), mutex_unlock(&m))
static bool try_m(void) { return mutex_try_lock(&m); }
EXCLUSIVE(a_successful_try_lock_is_a_lock, "mutex_try_lock", try_until(try_m), mutex_unlock(&m))

static rwmutex rw;
EXCLUSIVE(writers_of_a_rwmutex_exclude_each_other, "rwmutex, writers", rwmutex_lock(&rw), rwmutex_unlock(&rw))

static semaphore units = { .size = 1 };
EXCLUSIVE(a_release_comes_before_its_acquire, "semaphore", must(semaphore_acquire(&units, context_background(), 1)),
          semaphore_release(&units, 1))

static bool held;
static bool try_held(void) { return !atomic_swap(&held, true); }
EXCLUSIVE(a_swap_makes_a_lock, "lock by atomic_swap", try_until(try_held), atomic_store(&held, false))
static uint64 owner;
static bool try_owner(void) { return atomic_compare_and_swap(&owner, 0, 1); }
EXCLUSIVE(a_compare_and_swap_makes_a_lock, "lock by atomic_compare_and_swap", try_until(try_owner),
          atomic_add(&owner, -1))

/* The k-th receive comes before the end of send k + 1: a channel as a lock. */
static chan(bool) token;
EXCLUSIVE(a_channel_with_room_for_one_is_a_lock, "channel as a lock", send(token, true), recv(token))

/* ... and before the end of send k + C: at most C are inside. */
static int32 inside;

static void limited(chan(bool) limit, uint64 *rounds)
{
	uint64 n = 0;
	for (; more(n); n++) {
		send(limit, true);
		int32 now = atomic_add(&inside, 1);
		if (now > (int32)cap(limit))
			TEST_FAIL("%d inside, the limit is %d", (int)now, (int)cap(limit));
		dawdle((uint32)n % 64);
		atomic_add(&inside, -1);
		recv(limit);
	}
	atomic_add(rounds, n);
	wait_group_done(&all);
}

TEST(a_channel_limits_how_many_are_inside)
{
	chan(bool) limit = make_chan(bool, 2);
	uint64 rounds = 0;
	players(5);
	for (int i = 0; i < 5; i++)
		go(limited, limit, &rounds);
	finish("channel as a limit", &rounds);
}

/* Readers see the last writer's; a writer sees what the readers before it did. */
static uint64 noted[3];

static void reader(int me, uint64 *rounds)
{
	uint64 n = 0;
	for (; more(n); n++) {
		rwmutex_rlock(&rw);
		EXPECT(&guarded, guarded_n);
		if (noted[me] > guarded_n)
			TEST_FAIL("a reader saw write %llu after %llu", (unsigned long long)guarded_n,
			          (unsigned long long)noted[me]);
		noted[me] = guarded_n;
		rwmutex_runlock(&rw);
	}
	atomic_add(rounds, n);
	wait_group_done(&all);
}

TEST(readers_come_between_writers)
{
	uint64 rounds = 0, writes = 0;
	memset(noted, 0, sizeof noted);
	guarded_n = 0;
	fill(&guarded, 0);
	players(3);
	for (int i = 0; i < 3; i++)
		go(reader, i, &rounds);
	for (; more(writes); writes++) {
		rwmutex_lock(&rw);
		for (int i = 0; i < 3; i++)
			if (noted[i] > guarded_n)
				TEST_FAIL("a reader was ahead of its writer");
		fill(&guarded, ++guarded_n);
		rwmutex_unlock(&rw);
		if (writes % 16 == 0)
			gosched();
	}
	finish("rwmutex, readers", &rounds);
}

/* Who goes to sleep just when the lock is let go is woken, or sees that.  There
 * are only two: nobody makes up for a lost wake-up, and both would sleep. */
static void brief_reader(void)
{
	uint32 rand = 1;
	for (uint64 n = 1; more(n); n++) {
		rwmutex_rlock(&rw);
		rwmutex_runlock(&rw);
		dawdle(pick(&rand, 256));
	}
	wait_group_done(&all);
}

TEST(no_release_is_lost)
{
	uint32 rand = 2;
	uint64 n = 1;
	players(1);
	go(brief_reader);
	for (; more(n); n++) {
		rwmutex_lock(&rw);
		dawdle(pick(&rand, 512));
		rwmutex_unlock(&rw);
		dawdle(pick(&rand, 256));
	}
	finish("rwmutex, sleepers", &n);
}

/* A cond's waiter goes on under the lock; no signal that follows the wait is lost. */
static mutex box_m;
static cond box_full = { .l = &box_m }, box_empty = { .l = &box_m };
static uint64 box_n; /* 0: empty */
static struct payload box;

static void boxer(void)
{
	uint64 n = 1;
	for (; more(n); n++) {
		mutex_lock(&box_m);
		while (box_n)
			cond_wait(&box_empty);
		fill(&box, n);
		box_n = n;
		if (n % 2)
			cond_signal(&box_full);
		else
			cond_broadcast(&box_full);
		mutex_unlock(&box_m);
	}
	mutex_lock(&box_m);
	while (box_n)
		cond_wait(&box_empty);
	box_n = UINT64_MAX;
	cond_signal(&box_full);
	mutex_unlock(&box_m);
	wait_group_done(&all);
}

TEST(a_signal_comes_before_the_end_of_its_wait)
{
	box_n = 0;
	players(1);
	go(boxer);
	uint64 n = 0;
	for (;; n++) {
		mutex_lock(&box_m);
		while (!box_n)
			cond_wait(&box_full);
		uint64 got = box_n;
		if (got != UINT64_MAX)
			EXPECT(&box, n + 1);
		box_n = 0;
		mutex_unlock(&box_m);
		cond_signal(&box_empty);
		if (got == UINT64_MAX)
			break;
	}
	finish("cond", &n);
}

/* The one call of f comes before every once_do returns. */
static once the_once;
static struct payload once_made;
static uint64 once_n, once_calls;
static bool once_over;
static struct gate once_gate;

static void make_once(void)
{
	once_calls++;
	fill(&once_made, once_n);
}

static void once_user(bool leads)
{
	for (int32 n = 1;; n++) {
		if (leads) {
			the_once = (once){ 0 };
			once_n = (uint64)n;
			once_over = !more(once_n);
		}
		meet(&once_gate, 2 * n - 1);
		if (once_over)
			break;
		once_do(&the_once, make_once);
		EXPECT(&once_made, once_n);
		meet(&once_gate, 2 * n);
	}
	wait_group_done(&all);
}

TEST(the_call_comes_before_once_returns)
{
	once_calls = 0;
	once_gate = (struct gate){ .n = 2 };
	players(2);
	go(once_user, true);
	go(once_user, false);
	finish("once", &once_calls);
	CHECK_EQ(once_calls, once_n - 1);
}

/* Done comes before the wait that it ends. */
static struct payload parts[2];
static struct gate part_gate;
static wait_group part_wg;

static void part(int me, chan(uint64) rounds)
{
	for_recv(n, rounds) {
		fill(&parts[me], n);
		meet(&part_gate, (int32)n);
		wait_group_done(&part_wg);
	}
	wait_group_done(&all);
}

TEST(done_comes_before_the_end_of_wait)
{
	chan(uint64) a = make_chan(uint64, 1), b = make_chan(uint64, 1);
	part_gate = (struct gate){ .n = 2 };
	players(2);
	go(part, 0, a);
	go(part, 1, b);
	uint64 n = 1;
	for (; more(n); n++) {
		wait_group_add(&part_wg, 2);
		send(a, n);
		send(b, n);
		wait_group_wait(&part_wg);
		EXPECT(&parts[0], n);
		EXPECT(&parts[1], n);
	}
	close(a);
	close(b);
	finish("wait_group", &n);
}

static error fills(struct payload *p, uint64 n)
{
	fill(p, n);
	return NULL;
}

TEST(a_groups_tasks_come_before_the_end_of_its_wait)
{
	uint64 n = 1;
	for (players(0); more(n); n++) {
		task_group g = { 0 };
		task_group_go(&g, fills, &parts[0], n);
		task_group_go(&g, fills, &parts[1], n);
		must(task_group_wait(&g));
		EXPECT(&parts[0], n);
		EXPECT(&parts[1], n);
	}
	finish("task_group", &n);
}

/* ---- atomics ------------------------------------------------------------------------ */

static struct payload ping, pong;
static uint64 ping_n __attribute__((aligned(64)));
static uint64 pong_n __attribute__((aligned(64)));

/* Each operation that changes *p from n - 1 to n. */
static void publish(uint64 *p, uint64 n)
{
	switch (n % 4) {
	case 0:
		atomic_store(p, n);
		break;
	case 1:
		atomic_add(p, 1);
		break;
	case 2:
		atomic_swap(p, n);
		break;
	case 3:
		if (!atomic_compare_and_swap(p, n - 1, n))
			TEST_FAIL("somebody else's store");
		break;
	}
}

static void ponger(void)
{
	for (uint64 n = 1;; n++) {
		uint64 v;
		for (uint32 spin = 1; (v = atomic_load(&ping_n)) != n && v != UINT64_MAX; spin++)
			spin_step(spin);
		if (v == UINT64_MAX)
			break;
		EXPECT(&ping, n);
		fill(&pong, n);
		publish(&pong_n, n);
	}
	wait_group_done(&all);
}

TEST(an_atomic_operation_comes_before_what_sees_it)
{
	uint64 n = 1;
	ping_n = pong_n = 0;
	players(1);
	go(ponger);
	for (; more(n); n++) {
		fill(&ping, n);
		publish(&ping_n, n);
		await(&pong_n, n);
		EXPECT(&pong, n);
	}
	atomic_store(&ping_n, UINT64_MAX);
	finish("atomics", &n);
}

/* ---- maps and pools -------------------------------------------------------------------- */

struct note {
	uint64 n;
	struct payload p;
};

static struct note *new_note(uint64 n)
{
	struct note *x = new (struct note, .n = n);
	fill(&x->p, n);
	return x;
}

static void map_writer(sync_map(uint64, struct note *) notes)
{
	struct note *x;
	for (uint64 n = 1; more(n); n++) {
		sync_map_load(notes, 0, &x);
		if (n % 3 == 0)
			sync_map_store(notes, 0, new_note(n));
		else if (n % 3 == 1)
			CHECK(sync_map_compare_and_swap(notes, 0, x, new_note(n)));
		else
			sync_map_swap(notes, 0, new_note(n), &x);
	}
	sync_map_store(notes, 0, new_note(UINT64_MAX));
	wait_group_done(&all);
}

TEST(a_maps_store_comes_before_the_load_that_sees_it)
{
	sync_map(uint64, struct note *) notes = make_sync_map(uint64, struct note *);
	struct note *x;
	uint64 last = 0, loads = 0;
	sync_map_store(notes, 0, new_note(0));
	players(1);
	go(map_writer, notes);
	for (; last != UINT64_MAX; loads++) {
		CHECK(sync_map_load(notes, 0, &x));
		EXPECT(&x->p, x->n);
		CHECK(x->n >= last);
		last = x->n;
	}
	finish("sync_map", &loads);
}

static void pool_user(uint64 me, pool(struct note) notes, uint64 *rounds)
{
	uint64 n = 1;
	for (; more(n); n++) {
		struct note *x = pool_get(notes), *y = pool_get(notes);
		if (!x)
			x = new_note(me);
		if (!y)
			y = new_note(me);
		EXPECT(&x->p, x->n);
		EXPECT(&y->p, y->n);
		fill(&x->p, x->n += 2 * n + me);
		fill(&y->p, y->n += 3 * n + me);
		pool_put(notes, x);
		pool_put(notes, y);
		if (n % 16 == 0)
			gosched();
	}
	atomic_add(rounds, n);
	wait_group_done(&all);
}

TEST(a_put_comes_before_the_get_of_the_same)
{
	pool(struct note) notes = make_pool(struct note, NULL);
	uint64 rounds = 0;
	players(4);
	for (int i = 0; i < 4; i++)
		go(pool_user, (uint64)i, notes, &rounds);
	finish("pool", &rounds);
}

/* ---- contexts, timers ---------------------------------------------------------------------- */

static define_error(odd, "odd");
static define_error(even, "even");

struct ending {
	context *ctx;
	error cause;
	struct payload p, before;
	uint64 n, called;
};

static void sees_end(chan(struct ending *) rounds, chan(bool) done, bool polls)
{
	struct ending *r;
	while (recv(rounds, &r)) {
		if (polls)
			for (uint32 spin = 1; !context_err(r->ctx); spin++)
				spin_step(spin);
		else
			recv(context_done(r->ctx));
		CHECK(context_cause(r->ctx) == r->cause);
		EXPECT(&r->p, r->n);
		send(done, true);
	}
	wait_group_done(&all);
}

static void called_at_end(void *a)
{
	struct ending *r = a;
	EXPECT(&r->before, r->n);
	EXPECT(&r->p, r->n);
	atomic_store(&r->called, 1);
}

TEST(a_cancel_comes_before_what_sees_it)
{
	chan(struct ending *) c1 = make_chan(struct ending *, 1), c2 = make_chan(struct ending *, 1);
	chan(bool) done = make_chan(bool, 2);
	uint64 n = 1;
	players(2);
	go(sees_end, c1, done, false);
	go(sees_end, c2, done, true);
	for (; more(n); n++) {
		struct ending *r = new (struct ending, .n = n, .cause = n % 2 ? odd : even);
		r->ctx = context_with_cancel(context_background());
		fill(&r->before, n);
		context_after_func(r->ctx, called_at_end, r);
		send(c1, r);
		send(c2, r);
		fill(&r->p, n);
		context_cancel_cause(r->ctx, r->cause);
		recv(done);
		recv(done);
		await(&r->called, 1);
	}
	close(c1);
	close(c2);
	finish("context", &n);
}

static uint64 fired __attribute__((aligned(64)));

static void at_time(void *a)
{
	struct note *x = a;
	EXPECT(&x->p, x->n);
	atomic_store(&fired, x->n);
}

TEST(a_timers_setting_comes_before_its_function)
{
	struct note x;
	uint64 n = 1;
	for (players(0); more(n); n++) {
		x.n = n;
		fill(&x.p, n);
		after_func((int64)(n % 3) * 5 * Microsecond, at_time, &x);
		await(&fired, n);
	}
	finish("after_func", &n);
}

static void sees_tick(timer *t, uint64 *n)
{
	while (recv(t->c), *n) {
		EXPECT(&ping, *n);
		atomic_store(&pong_n, *n);
	}
	wait_group_done(&all);
}

TEST(a_timers_setting_comes_before_its_tick)
{
	timer *t = new_timer(Hour);
	uint64 n = 1, now = 1;
	players(1);
	go(sees_tick, t, &now);
	for (; more(n); n++) {
		now = n;
		fill(&ping, n);
		timer_reset(t, (int64)(n % 3) * 5 * Microsecond);
		await(&pong_n, n);
	}
	now = 0;
	timer_reset(t, 0);
	finish("timer_reset", &n);
}

/* ---- a task made ready runs -------------------------------------------------------------------- */

/* The waker goes on without giving way, so another core, perhaps just going to
 * sleep, must come for the task: before the waker's quantum of ten seconds is over. */
static void woken(chan(uint64) c, uint64 *seen)
{
	uint64 n;
	while ((n = recv(c)))
		atomic_store(seen, n);
	wait_group_done(&all);
}

TEST(no_wake_up_is_lost)
{
	chan(uint64) c = make_chan(uint64, 1);
	static uint64 seen;
	uint32 rand = 1;
	uint64 n = 1;
	int64 quantum = set_quantum(10 * Second);
	players(1);
	seen = 0;
	go(woken, c, &seen);
	for (; more(n); n++) {
		send(c, n);
		int64 from = nanotime();
		for (uint32 spin = 1; atomic_load(&seen) != n; spin++)
			if (spin % 4096 == 0 && nanotime() - from > 2 * Second) {
				TEST_FAIL("round %llu: a ready task waits while a core is idle", (unsigned long long)n);
				break;
			}
		dawdle(pick(&rand, 4096));
	}
	send(c, 0);
	finish("wake-up", &n);
	set_quantum(quantum);
}

TEST_MAIN
{
	budget_args();
	token = make_chan(bool, 1);
	RUN(go_comes_before_the_task_starts);
	RUN(a_task_keeps_its_own_order);
	RUN(a_send_comes_before_its_receive);
	RUN(a_receive_comes_before_the_end_of_its_send);
	RUN(a_value_comes_whole);
	RUN(select_is_as_send_and_receive);
	RUN(close_comes_before_the_receive_of_zero);
	RUN(a_channel_with_room_for_one_is_a_lock);
	RUN(a_channel_limits_how_many_are_inside);
	RUN(an_unlock_comes_before_the_next_lock);
	RUN(a_successful_try_lock_is_a_lock);
	RUN(writers_of_a_rwmutex_exclude_each_other);
	RUN(readers_come_between_writers);
	RUN(no_release_is_lost);
	RUN(a_release_comes_before_its_acquire);
	RUN(a_signal_comes_before_the_end_of_its_wait);
	RUN(the_call_comes_before_once_returns);
	RUN(done_comes_before_the_end_of_wait);
	RUN(a_groups_tasks_come_before_the_end_of_its_wait);
	RUN(an_atomic_operation_comes_before_what_sees_it);
	RUN(a_swap_makes_a_lock);
	RUN(a_compare_and_swap_makes_a_lock);
	RUN(a_maps_store_comes_before_the_load_that_sees_it);
	RUN(a_put_comes_before_the_get_of_the_same);
	RUN(a_cancel_comes_before_what_sees_it);
	RUN(a_timers_setting_comes_before_its_function);
	RUN(a_timers_setting_comes_before_its_tick);
	if (num_cpu() > 1)
		RUN(no_wake_up_is_lost);
	else
		print("skip no_wake_up_is_lost: it takes two cores\n");
}
