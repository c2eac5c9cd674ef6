/* chans.c: mixes about channels and select.  What was sent is received, once
 * and whole. */
#include "soak.h"

/* ---- pipes of all element sizes -------------------------------------------- */

struct nothing {};
struct small {
	int64 v[1];
};
struct middle {
	int64 v[88];
};
struct page {
	int64 v[1024];
};

struct flow {
	int64 count, sum; /* atomic */
};

/* Values are numbers; an element of n words holds v, v + 1, ... */
static void note(struct flow *f, int64 v)
{
	atomic_add(&f->count, 1);
	atomic_add(&f->sum, v);
}

static void put_words(int64 *p, int n, int64 v)
{
	for (int i = 0; i < n; i++)
		p[i] = v + i;
}

static int64 get_words(struct run *r, const int64 *p, int n)
{
	for (int i = 1; i < n; i++)
		LAW(r, p[i] == p[0] + i, "word %d of an element is %ld, not %ld", i, (long)p[i], (long)(p[0] + i));
	return p[0];
}

#define PUT_WORDS(x, n) put_words((x)->v, sizeof (x)->v / sizeof *(x)->v, n)
#define GET_WORDS(r, x) get_words(r, (x)->v, sizeof (x)->v / sizeof *(x)->v)
#define PUT_NOTHING(x, n) ((void)(x), (void)(n))
#define GET_NOTHING(r, x) ((void)(x), (int64)0)
#define PUT_BYTE(x, n) (*(x) = (uint8)(n))
#define GET_BYTE(r, x) ((int64)*(x))

#define PIPE(name, T, put, get, top) \
	static void name##_source(struct run *r, struct rng g, chan(T) c, int n, struct flow *in, wait_group *wg) \
	{ \
		for (int i = 0; i < n; i++) { \
			T x; \
			put(&x, (int64)(rnd64(&g) & (top))); \
			note(in, get(r, &x)); \
			send(c, x); \
			churn(&g); \
		} \
		wait_group_done(wg); \
	} \
	static void name##_sink(struct run *r, struct rng g, chan(T) c, struct flow *out, wait_group *wg) \
	{ \
		if (one_in(&g, 2)) { \
			for_recv(x, c) { \
				note(out, get(r, &x)); \
				op(r); \
				churn(&g); \
			} \
		} else { \
			T x; \
			while (recv(c, &x)) { \
				note(out, get(r, &x)); \
				op(r); \
			} \
		} \
		wait_group_done(wg); \
	} \
	static void name##_pipe(struct run *r) \
	{ \
		struct rng *g = &r->rng; \
		struct flow in = { 0 }, out = { 0 }; \
		wait_group sources = { 0 }, sinks = { 0 }; \
		int room = one_in(g, 3) ? 0 : pick(g, 1, 20); \
		chan(T) c = make_chan(T, room); \
		for (int i = pick(g, 1, 8); i > 0; i--) { \
			wait_group_add(&sources, 1); \
			go(name##_source, r, split(g), c, pick(g, 0, 60), &in, &sources); \
		} \
		for (int i = pick(g, 1, 8); i > 0; i--) { \
			wait_group_add(&sinks, 1); \
			go(name##_sink, r, split(g), c, &out, &sinks); \
		} \
		wait_group_wait(&sources); \
		close(c); \
		wait_group_wait(&sinks); \
		SAME(r, #name " received", out.count, in.count); \
		SAME(r, #name " sum received", out.sum, in.sum); \
		SAME(r, #name " length", len(c), 0); \
	}
PIPE(nothing, struct nothing, PUT_NOTHING, GET_NOTHING, 1)
PIPE(byte, uint8, PUT_BYTE, GET_BYTE, 255)
PIPE(small, struct small, PUT_WORDS, GET_WORDS, 0xffffff)
PIPE(middle, struct middle, PUT_WORDS, GET_WORDS, 0xffffff)
PIPE(page, struct page, PUT_WORDS, GET_WORDS, 0xffffff)

void mix_pipes(struct run *r)
{
	static void (*const kinds[])(struct run *) = { nothing_pipe, byte_pipe, small_pipe, middle_pipe, page_pipe };
	for (int i = pick(&r->rng, 3, 9); i > 0; i--)
		kinds[pick(&r->rng, 0, 4)](r);
}

/* ---- a token goes around a ring ---------------------------------------------- */

static void link_of_ring(struct run *r, chan(int64) in, chan(int64) out)
{
	int64 v;
	while (recv(in, &v)) {
		send(out, v + 1);
		op(r);
	}
	close(out);
}

void mix_ring(struct run *r)
{
	int n = pick(&r->rng, 1, 40), laps = pick(&r->rng, 1, 60);
	chan(int64) first = make_chan(int64, pick(&r->rng, 0, 1)), last = first;
	for (int i = 0; i < n; i++) {
		chan(int64) next = make_chan(int64, pick(&r->rng, 0, 1));
		go(link_of_ring, r, last, next);
		last = next;
	}
	int64 v = 0;
	for (int i = 0; i < laps; i++) {
		send(first, v);
		LAW(r, recv(last, &v), "the ring is closed");
	}
	SAME(r, "hops", v, n * laps);
	close(first);
	LAW(r, !recv(last, &v), "the ring is not closed");
}

/* ---- close wakes all ---------------------------------------------------------- */

struct closing {
	chan(int64) c;
	int64 got, ended, refused; /* atomic */
};

static void wants(struct run *r, struct closing *k, wait_group *wg)
{
	int64 v;
	while (recv(k->c, &v)) {
		atomic_add(&k->got, v);
		op(r);
	}
	SAME(r, "zero of a closed channel", v, 0);
	atomic_add(&k->ended, 1);
	wait_group_done(wg);
}

static void refused(struct closing *k, wait_group *wg)
{
	const panicked *p = recover();
	if (p)
		atomic_add(&k->refused, 1);
	wait_group_done(wg);
}

static void offers(struct run *r, struct closing *k, int64 *sent, wait_group *wg)
{
	defer(refused, k, wg);
	for (;;) { /* until the channel is closed */
		send(k->c, 1);
		atomic_add(sent, 1);
		op(r);
	}
}

void mix_close(struct run *r)
{
	for (int i = pick(&r->rng, 2, 8); i > 0; i--) {
		struct closing k = { .c = make_chan(int64, pick(&r->rng, 0, 3)) };
		wait_group wg = { 0 };
		int64 sent = 0;
		int receivers = pick(&r->rng, 1, 20), senders = pick(&r->rng, 0, 20);
		wait_group_add(&wg, receivers + senders);
		for (int j = 0; j < receivers; j++)
			go(wants, r, &k, &wg);
		for (int j = 0; j < senders; j++)
			go(offers, r, &k, &sent, &wg);
		churn(&r->rng);
		sleep(pick(&r->rng, 0, 500) * Microsecond);
		close(k.c);
		wait_group_wait(&wg);
		SAME(r, "receivers that saw the close", k.ended, receivers);
		SAME(r, "senders that were refused", k.refused, senders);
		SAME(r, "values of a closed channel", k.got, sent);
		op(r);
	}
}

/* ---- select ------------------------------------------------------------------- */

#define CASES 40

struct mesh {
	int n;                  /* channels */
	chan(int64) c[CASES];
	chan(bool) over;        /* closed when all is received */
	int64 quota;            /* values to be received in all */
	struct flow in, out;
};

static void received(struct run *r, struct mesh *m, int64 v)
{
	atomic_add(&m->out.sum, v);
	if (atomic_add(&m->out.count, 1) == m->quota)
		close(m->over);
	op(r);
}

/* Sends its quota and receives whatever comes, by selects with up to 40 cases
 * and more in which channels repeat and some are nil, until all is over.  Who
 * has nothing to send receives from every channel, and there always is such
 * a task: so whatever the others choose, no value waits for ever. */
static void selector(struct run *r, struct rng g, struct mesh *m, int quota, wait_group *wg)
{
	for (bool over = false; !over;) {
		int sends = quota ? pick(&g, 1, 20) : 0, recvs = quota ? pick(&g, 0, 19) : m->n;
		int base = pick(&g, 0, 1000), step = quota ? 5 : 1, patience = pick(&g, 0, 15);
		int64 v, mine = (int64)(rnd64(&g) & 0xffff), at;
		bool sent = false, got = false, mixed = one_in(&g, 2);
		chan(int64) nil = NULL;
		timer *t = patience == 1 ? new_timer(pick(&g, 0, 400) * Microsecond) : NULL;
		select {
			case_recv(m->over, NULL) { over = true; }
			for (int i = 0; i < sends; i++)
				case_send(m->c[(base + i * 7) % m->n], mine) { sent = true; }
			if (mixed)
				case_recv(nil, &v) { broken(r, __FILE__, __LINE__, "received from nil"); }
			for (int i = 0; i < recvs; i++)
				case_recv(m->c[(base + i * step) % m->n], &v) { got = true; }
			if (t)
				case_recv(t->c, &at) { LAW(r, nanotime() >= at, "a timer fired early"); }
			if (patience == 0)
				case_default { gosched(); }
		}
		if (t)
			timer_stop(t);
		if (sent) {
			quota--;
			note(&m->in, mine);
		}
		if (got)
			received(r, m, v);
	}
	SAME(r, "values not sent", quota, 0);
	wait_group_done(wg);
}

/* Plain sends and receives meet the selects. */
static void plain_sender(struct run *r, struct rng g, struct mesh *m, int quota, wait_group *wg)
{
	for (; quota > 0; quota--) {
		int64 v = (int64)(rnd64(&g) & 0xffff);
		send(m->c[pick(&g, 0, m->n - 1)], v);
		note(&m->in, v);
		op(r);
	}
	wait_group_done(wg);
}

void mix_select(struct run *r)
{
	struct rng *g = &r->rng;
	for (int round = pick(g, 1, 4); round > 0; round--) {
		struct mesh *m = new(struct mesh, .n = pick(g, 1, CASES), .over = make_chan(bool));
		wait_group wg = { 0 };
		for (int i = 0; i < m->n; i++)
			m->c[i] = make_chan(int64, one_in(g, 2) ? 0 : pick(g, 1, 4));
		int ntasks = pick(g, 2, 12), nplain = pick(g, 0, 6), quotas[18];
		for (int i = 0; i < ntasks + nplain; i++)
			m->quota += quotas[i] = i ? pick(g, 1, 40) : 0;
		wait_group_add(&wg, ntasks + nplain);
		for (int i = 0; i < ntasks; i++)
			go(selector, r, split(g), m, quotas[i], &wg);
		for (int i = ntasks; i < ntasks + nplain; i++)
			go(plain_sender, r, split(g), m, quotas[i], &wg);
		wait_group_wait(&wg);
		SAME(r, "values received", m->out.count, m->quota);
		SAME(r, "values sent", m->in.count, m->quota);
		SAME(r, "sum received", m->out.sum, m->in.sum);
		for (int i = 0; i < m->n; i++)
			SAME(r, "values left in a channel", len(m->c[i]), 0);
	}
}
