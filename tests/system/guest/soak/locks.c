/* locks.c: mixes about package sync, contexts and groups.  What a lock guards is
 * changed by one task at a time; whoever waits is woken. */
#include "soak.h"

/* ---- mutex -------------------------------------------------------------------- */

struct guarded {
	mutex mu;
	int64 in, n; /* plain: the mutex guards them */
	int64 held;  /* times it was locked, atomic */
};

static void locker(struct run *r, struct rng g, struct guarded *k, wait_group *wg)
{
	for (int i = pick(&g, 1, 100); i > 0; i--) {
		op(r);
		if (one_in(&g, 4)) {
			if (!mutex_try_lock(&k->mu)) {
				churn(&g);
				continue;
			}
		} else {
			mutex_lock(&k->mu);
		}
		atomic_add(&k->held, 1);
		LAW(r, k->in++ == 0, "two tasks hold one mutex");
		k->n++;
		if (one_in(&g, 4))
			churn(&g);
		k->in--;
		mutex_unlock(&k->mu);
	}
	wait_group_done(wg);
}

void mix_mutex(struct run *r)
{
	struct guarded k = { 0 };
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 30); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(locker, r, split(&r->rng), &k, &wg);
	}
	wait_group_wait(&wg);
	SAME(r, "turns under a mutex", k.n, k.held);
	LAW(r, mutex_try_lock(&k.mu), "a mutex nobody holds is locked");
}

/* ---- rwmutex ------------------------------------------------------------------- */

struct pair {
	rwmutex mu;
	int64 a, b; /* equal but under the write lock */
	int64 readers, writes; /* atomic */
};

static void reader_writer(struct run *r, struct rng g, struct pair *k, int writes, wait_group *wg)
{
	for (int i = pick(&g, 1, 60); i > 0; i--) {
		if (pick(&g, 0, 9) < writes) {
			rwmutex_lock(&k->mu);
			SAME(r, "readers beside a writer", atomic_load(&k->readers), 0);
			k->a++;
			churn(&g);
			k->b++;
			atomic_add(&k->writes, 1);
			rwmutex_unlock(&k->mu);
		} else {
			rwmutex_rlock(&k->mu);
			atomic_add(&k->readers, 1);
			int64 a = k->a;
			churn(&g);
			LAW(r, a == k->a && a == k->b, "a writer beside a reader");
			atomic_add(&k->readers, -1);
			rwmutex_runlock(&k->mu);
		}
		op(r);
	}
	wait_group_done(wg);
}

void mix_rwmutex(struct run *r)
{
	struct pair k = { 0 };
	wait_group wg = { 0 };
	int writes = pick(&r->rng, 0, 5);
	for (int i = pick(&r->rng, 1, 30); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(reader_writer, r, split(&r->rng), &k, writes, &wg);
	}
	wait_group_wait(&wg);
	SAME(r, "writes", k.a, k.writes);
}

/* ---- wait groups and once --------------------------------------------------- */

static once only; /* reset when nobody uses it, under once_turn */
static mutex once_turn;
static int64 once_ran;

static void first(void)
{
	gosched();
	once_ran++;
}

static void worker(struct run *r, struct rng g, bool with_once, int64 *n, wait_group *wg, wait_group *seen)
{
	churn(&g);
	if (with_once) {
		once_do(&only, first);
		SAME(r, "calls by once", once_ran, 1);
	}
	atomic_add(n, 1);
	op(r);
	wait_group_done(wg);
	wait_group_wait(wg); /* many wait for one */
	wait_group_done(seen);
}

void mix_wait_groups(struct run *r)
{
	for (int round = pick(&r->rng, 2, 10); round > 0; round--) {
		bool with_once = mutex_try_lock(&once_turn); /* another run of this mix may have it */
		int64 n = 0;
		int tasks = pick(&r->rng, 1, 30);
		wait_group wg = { 0 }, seen = { 0 };
		if (with_once) {
			memset(&only, 0, sizeof only);
			once_ran = 0;
		}
		wait_group_add(&wg, tasks);
		wait_group_add(&seen, tasks);
		for (int i = 0; i < tasks; i++)
			go(worker, r, split(&r->rng), with_once, &n, &wg, &seen);
		wait_group_wait(&wg);
		SAME(r, "tasks that were waited for", n, tasks);
		wait_group_wait(&seen);
		if (with_once)
			mutex_unlock(&once_turn);
	}
}

/* ---- cond: a bounded buffer --------------------------------------------------- */

struct buffer {
	mutex mu;
	cond not_empty, not_full;
	int64 v[8];
	int n, size;
	bool over;
	int64 in, out;
};

static void producer(struct run *r, struct rng g, struct buffer *b, wait_group *wg)
{
	for (int i = pick(&g, 1, 60); i > 0; i--) {
		mutex_lock(&b->mu);
		while (b->n == b->size)
			cond_wait(&b->not_full);
		int64 v = pick(&g, 0, 1000);
		b->v[b->n++] = v;
		b->in += v;
		if (one_in(&g, 4))
			cond_broadcast(&b->not_empty);
		else
			cond_signal(&b->not_empty);
		mutex_unlock(&b->mu);
		op(r);
		churn(&g);
	}
	wait_group_done(wg);
}

static void consumer(struct run *r, struct rng g, struct buffer *b, wait_group *wg)
{
	mutex_lock(&b->mu);
	for (;;) {
		while (b->n == 0 && !b->over)
			cond_wait(&b->not_empty);
		if (b->n == 0)
			break;
		b->out += b->v[--b->n];
		if (one_in(&g, 4))
			cond_broadcast(&b->not_full);
		else
			cond_signal(&b->not_full);
		op(r);
		if (one_in(&g, 4)) {
			mutex_unlock(&b->mu);
			churn(&g);
			mutex_lock(&b->mu);
		}
	}
	mutex_unlock(&b->mu);
	wait_group_done(wg);
}

void mix_cond(struct run *r)
{
	struct buffer b = { .size = pick(&r->rng, 1, 8) };
	b.not_empty.l = b.not_full.l = &b.mu;
	wait_group in = { 0 }, out = { 0 };
	for (int i = pick(&r->rng, 1, 12); i > 0; i--) {
		wait_group_add(&in, 1);
		go(producer, r, split(&r->rng), &b, &in);
	}
	for (int i = pick(&r->rng, 1, 12); i > 0; i--) {
		wait_group_add(&out, 1);
		go(consumer, r, split(&r->rng), &b, &out);
	}
	wait_group_wait(&in);
	mutex_lock(&b.mu);
	b.over = true;
	cond_broadcast(&b.not_empty);
	mutex_unlock(&b.mu);
	wait_group_wait(&out);
	SAME(r, "sum through a buffer", b.out, b.in);
}

/* ---- semaphores ---------------------------------------------------------------- */

struct units {
	semaphore *s;
	int size;
	int64 taken; /* atomic */
};

static void taker(struct run *r, struct rng g, struct units *u, wait_group *wg)
{
	for (int i = pick(&g, 1, 30); i > 0; i--) {
		int64 n = pick(&g, 1, u->size);
		bool got = true;
		context *ctx = NULL;
		switch (pick(&g, 0, 3)) {
		case 0:
			got = semaphore_try_acquire(u->s, n);
			break;
		case 1:
			ctx = context_with_timeout(context_background(), pick(&g, 0, 500) * Microsecond);
			got = semaphore_acquire(u->s, ctx, n) == NULL;
			context_cancel(ctx);
			break;
		default:
			LAW(r, !semaphore_acquire(u->s, context_background(), n), "the background context ended");
		}
		if (got) {
			LAW(r, atomic_add(&u->taken, n) <= u->size, "more units taken than there are");
			churn(&g);
			atomic_add(&u->taken, -n);
			semaphore_release(u->s, n);
		}
		op(r);
	}
	wait_group_done(wg);
}

void mix_semaphore(struct run *r)
{
	struct units u = { .size = pick(&r->rng, 1, 10) };
	u.s = new_semaphore(u.size);
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 20); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(taker, r, split(&r->rng), &u, &wg);
	}
	wait_group_wait(&wg);
	SAME(r, "units taken", u.taken, 0);
	LAW(r, semaphore_try_acquire(u.s, u.size), "units were lost");
}

/* ---- atomics ------------------------------------------------------------------ */

struct words {
	int64 sum, by_cas, bits, moved;
};

static void adder(struct run *r, struct rng g, struct words *w, int turns, wait_group *wg)
{
	int64 mine = 0;
	for (int i = 0; i < turns; i++) {
		atomic_add(&w->sum, 1);
		for (;;) {
			int64 was = atomic_load(&w->by_cas);
			if (atomic_compare_and_swap(&w->by_cas, was, was + 1))
				break;
		}
		mine += atomic_swap(&w->moved, 0) + 1; /* whatever lies there is ours, and one more */
		mine = atomic_swap(&w->moved, mine);
		atomic_or(&w->bits, (int64)1 << pick(&g, 0, 39));
		churn(&g);
		op(r);
	}
	/* What this task still has goes back. */
	atomic_add(&w->moved, mine);
	wait_group_done(wg);
}

void mix_atomics(struct run *r)
{
	struct words w = { 0 };
	wait_group wg = { 0 };
	int n = pick(&r->rng, 1, 20), turns = pick(&r->rng, 40, 200);
	wait_group_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(adder, r, split(&r->rng), &w, turns, &wg);
	wait_group_wait(&wg);
	SAME(r, "additions", w.sum, n * turns);
	SAME(r, "additions by compare and swap", w.by_cas, n * turns);
	SAME(r, "what was passed on by swap", w.moved, n * turns);
	LAW(r, w.bits != 0 && w.bits >> 40 == 0, "bits %lx", (long)w.bits);
}

/* ---- contexts ------------------------------------------------------------------- */

static context_key(int64) depth_key;

struct family {
	int64 ended, called, stopped; /* atomic */
};

static void call_back(void *arg)
{
	struct family *f = arg;
	atomic_add(&f->called, 1);
}

static void member(struct run *r, struct rng g, context *parent, int depth, struct family *f, wait_group *wg)
{
	context *ctx = one_in(&g, 3) ? context_with_timeout(parent, pick(&g, 0, 1500) * Microsecond)
	                             : context_with_cancel(parent);
	int64 *d = new(int64);
	*d = depth;
	context *named = context_with_value(ctx, &depth_key, d);
	context_call *call = context_after_func(named, call_back, f);
	if (depth > 0)
		for (int i = pick(&g, 1, 3); i > 0; i--) {
			wait_group_add(wg, 1);
			go(member, r, split(&g), named, depth - 1, f, wg);
		}
	bool stopped = false, ended = one_in(&g, 2);
	if (ended) { /* waits for its end, by whatever cause */
		recv(context_done(named));
		LAW(r, context_err(named), "a context that ended has no error");
	} else {
		churn(&g);
		if (one_in(&g, 3))
			stopped = context_stop(call);
	}
	SAME(r, "a context's value", *context_value(named, &depth_key), depth);
	context_cancel(ctx);
	LAW(r, context_err(named), "a context that was cancelled has no error");
	atomic_add(&f->ended, 1);
	atomic_add(&f->stopped, stopped);
	op(r);
	wait_group_done(wg);
}

void mix_context(struct run *r)
{
	struct rng *g = &r->rng;
	for (int round = pick(g, 1, 5); round > 0; round--) {
		struct family *f = new(struct family);
		context *root = one_in(g, 2) ? context_with_cancel(context_background())
		                             : context_with_timeout(context_background(), pick(g, 0, 2000) * Microsecond);
		wait_group wg = { 0 };
		wait_group_add(&wg, 1);
		go(member, r, split(g), root, pick(g, 0, 3), f, &wg);
		sleep(pick(g, 0, 1000) * Microsecond);
		context_cancel(root);
		wait_group_wait(&wg);
		/* The calls run in tasks of their own. */
		while (atomic_load(&f->called) + f->stopped < f->ended)
			gosched();
		SAME(r, "functions called or stopped", f->called + f->stopped, f->ended);
	}
}

/* ---- groups --------------------------------------------------------------------- */

static define_error(failed, "this one failed");

struct crew {
	int64 running, ran; /* atomic */
};

static error job(struct run *r, struct rng g, struct crew *c, int limit, bool fails)
{
	int64 n = atomic_add(&c->running, 1);
	LAW(r, limit < 0 || n <= limit, "%ld tasks run, the limit is %d", (long)n, limit);
	churn(&g);
	atomic_add(&c->ran, 1);
	op(r);
	atomic_add(&c->running, -1);
	return fails ? failed : NULL;
}

void mix_groups(struct run *r)
{
	struct rng *g = &r->rng;
	for (int round = pick(g, 1, 5); round > 0; round--) {
		struct crew c = { 0 };
		task_group tg = { 0 };
		context *ctx = NULL;
		int limit = one_in(g, 2) ? pick(g, 1, 8) : -1, started = 0;
		bool any_fails = false;
		if (one_in(g, 2))
			ctx = task_group_with_context(&tg, context_background());
		task_group_set_limit(&tg, limit);
		for (int i = pick(g, 1, 30); i > 0; i--) {
			bool fails = one_in(g, 20);
			if (one_in(g, 4)) {
				if (!task_group_try_go(&tg, job, r, split(g), &c, limit, fails))
					continue;
			} else {
				task_group_go(&tg, job, r, split(g), &c, limit, fails);
			}
			any_fails |= fails;
			started++;
		}
		error err = task_group_wait(&tg);
		string text = error_text(err);
		SAME(r, "tasks of a group that ran", c.ran, started);
		LAW(r, err == (any_fails ? failed : NULL), "a group's error is %.*s", STR(text));
		LAW(r, !ctx || context_err(ctx), "a group's context goes on");
	}
}
