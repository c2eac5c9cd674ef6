/* moves.c: the mix about the collector beside tasks: the last pointer to a list moves
 * through every place where a pointer can be, while others allocate flat out.
 *
 * Lists lie on a shelf, a heap object that all movers share.  A mover takes one off, so
 * that it has the only pointer, sends it through some places, and puts it back
 * elsewhere.  An item knows its own address and its number: one that was freed, and
 * is junk or something else now, is noticed at the next look. */
#include "soak.h"

#define SHELF 64

struct item {
	struct item *self, *next;
	int64 number, check;
};

struct shelf {
	mutex mu;
	struct item *item[SHELF];
	chan(struct item *) back; /* what finalizers give back */
	bool over;                /* the litterers end; atomic */
};

struct mover {
	struct run *r;
	struct rng g;
	struct shelf *shelf;
};

/* For finalizers, which may come when the round is over. */
static struct run late = { .name = "moves" };

static struct item *item_new(int64 number)
{
	struct item *it = new(struct item, .number = number, .check = ~number);
	it->self = it;
	return it;
}

static struct item *list_new(struct rng *g, int64 number)
{
	struct item *list = NULL;
	for (int i = pick(g, 1, 6); i > 0; i--) {
		struct item *it = item_new(number);
		it->next = list;
		list = it;
	}
	return list;
}

static void look(struct run *r, const struct item *list)
{
	int64 number = list->number;
	for (const struct item *it = list; it; it = it->next)
		LAW(r, it->self == it && it->check == ~it->number && it->number == number,
		    "an item of list %ld at %p has changed: self %p, number %ld", (long)number, it, it->self,
		    (long)it->number);
}

/* ---- places: each takes a list and gives the same back ---------------------------- */

/* The pointer is in one register, inverted in all others, for as long as a task may be
 * interrupted and its core be another's. */
#define VIA_REGISTER(reg, in, out, clear) \
	static struct item *via_##reg(struct mover *m, struct item *it) \
	{ \
		uintptr_t v = ~(uintptr_t)it, n = (uintptr_t)pick(&m->g, 1, 30000); \
		it = NULL; \
		__asm__ volatile("notq %0\n\t" in "\n\txorq %0, %0\n" \
		                 "1:\tdecq %1\n\tjnz 1b\n\t" out "\n\t" clear "\n\tnotq %0" \
		                 : "+&r"(v), "+&r"(n) \
		                 : \
		                 : #reg, "cc"); \
		return (struct item *)~v; \
	}
VIA_REGISTER(r10, "movq %0, %%r10", "movq %%r10, %0", "xorq %%r10, %%r10")
VIA_REGISTER(xmm7, "movq %0, %%xmm7", "movq %%xmm7, %0", "pxor %%xmm7, %%xmm7")
VIA_REGISTER(xmm15, "movq %0, %%xmm15\n\tpslldq $8, %%xmm15", "psrldq $8, %%xmm15\n\tmovq %%xmm15, %0",
             "pxor %%xmm15, %%xmm15")

static struct item *via_sleep(struct mover *m, struct item *it)
{
	sleep(pick(&m->g, 0, 200) * Microsecond);
	return it;
}

static void borrow(struct mover *m, struct rng g, struct item **theirs, chan(bool) done)
{
	struct item *mine = *theirs;
	*theirs = NULL;
	churn(&g);
	look(m->r, mine);
	*theirs = mine;
	send(done, true);
}

/* Another task takes it out of our stack, and writes it there again. */
static struct item *via_stack(struct mover *m, struct item *it)
{
	struct item *local = it;
	it = NULL;
	chan(bool) done = make_chan(bool);
	go(borrow, m, split(&m->g), &local, done);
	recv(done);
	return local;
}

static void pass_on(chan(struct item *) to, struct rng g, struct item *it)
{
	churn(&g);
	send(to, it);
}

static struct item *via_task(struct mover *m, struct item *it)
{
	chan(struct item *) c = make_chan(struct item *);
	go(pass_on, c, split(&m->g), it);
	it = NULL;
	return recv(c);
}

static struct item *via_buffer(struct mover *m, struct item *it)
{
	chan(struct item *) c = make_chan(struct item *, pick(&m->g, 1, 5));
	send(c, it);
	it = NULL;
	churn(&m->g);
	return recv(c);
}

/* It stands in the select of a parked task, or in the buffer of either channel. */
static void chooses(chan(struct item *) a, chan(struct item *) b, struct item *it)
{
	select {
		case_send(a, it) { }
		case_send(b, it) { }
	}
}

static struct item *via_select(struct mover *m, struct item *it)
{
	chan(struct item *) a = make_chan(struct item *, pick(&m->g, 0, 1));
	chan(struct item *) b = make_chan(struct item *, pick(&m->g, 0, 1));
	go(chooses, a, b, it);
	it = NULL;
	churn(&m->g);
	select {
		case_recv(a, &it) { }
		case_recv(b, &it) { }
	}
	return it;
}

struct parcel {
	struct item *it;
	chan(struct item *) to;
};

static void deliver(void *arg)
{
	struct parcel *p = arg;
	send(p->to, p->it);
}

static struct item *via_timer(struct mover *m, struct item *it)
{
	chan(struct item *) c = make_chan(struct item *, 1);
	struct parcel *p = new(struct parcel, it, c);
	timer *t = after_func(Hour, deliver, p);
	it = NULL;
	p = NULL;
	churn(&m->g);
	timer_reset(t, pick(&m->g, 0, 200) * Microsecond);
	t = NULL;
	return recv(c);
}

static void hand_back(struct item **to, struct item *it)
{
	*to = it;
}

static __attribute__((noinline)) void deferred(struct mover *m, struct item **to)
{
	defer(hand_back, to, *to);
	*to = NULL;
	churn(&m->g);
}

static struct item *via_defer(struct mover *m, struct item *it)
{
	deferred(m, &it);
	return it;
}

static void rescue(struct item **to)
{
	const panicked *p = recover();
	if (p)
		hand_back(to, *to);
}

static __attribute__((noinline)) void panics(struct mover *m, struct item **to)
{
	struct item *it = *to;
	*to = NULL;
	defer(rescue, to);
	defer(hand_back, to, it);
	it = NULL;
	churn(&m->g);
	panic("moves");
}

static struct item *via_panic(struct mover *m, struct item *it)
{
	panics(m, &it);
	return it;
}

static struct item *via_map(struct mover *m, struct item *it)
{
	map(int64, struct item *) to = make_map(int64, struct item *);
	map_set(to, it->number, it);
	int64 k = it->number;
	it = NULL;
	for (int i = pick(&m->g, 0, 20); i > 0; i--) /* it grows, and moves */
		map_set(to, -i, (struct item *)NULL);
	churn(&m->g);
	it = map_get(to, k);
	delete(to, k);
	return it;
}

static struct item *via_sync_map(struct mover *m, struct item *it)
{
	sync_map(int64, struct item *) to = make_sync_map(int64, struct item *);
	sync_map_store(to, it->number, it);
	int64 k = it->number;
	it = NULL;
	churn(&m->g);
	LAW(m->r, sync_map_load_and_delete(to, k, &it), "not in the map");
	return it;
}

typedef struct item *item_ptr;
declare_slice(item_ptr);

static struct item *via_slice(struct mover *m, struct item *it)
{
	slice(item_ptr) s = { 0 };
	int n = pick(&m->g, 1, 40);
	s = append(s, it);
	it = NULL;
	for (int i = 0; i < n; i++)
		s = append(s, (struct item *)NULL);
	churn(&m->g);
	return s.ptr[0];
}

static struct item *via_arena(struct mover *m, struct item *it)
{
	arena *a = arena_new();
	struct parcel *p = arena_alloc(a, struct parcel);
	p->it = it;
	it = NULL;
	for (int i = pick(&m->g, 0, 30); i > 0; i--)
		arena_alloc(a, struct item);
	churn(&m->g);
	it = p->it;
	arena_free(a);
	return it;
}

static struct item *via_object(struct mover *m, struct item *it)
{
	struct parcel *p = new(struct parcel, .it = it);
	it = NULL;
	churn(&m->g);
	it = p->it;
	p->it = NULL;
	return it;
}

static struct item *on_the_table[8]; /* global data */
static mutex table;

static struct item *via_global(struct mover *m, struct item *it)
{
	int i = pick(&m->g, 0, 7);
	mutex_lock(&table);
	on_the_table[i] = it;
	it = NULL;
	churn(&m->g);
	it = on_the_table[i];
	on_the_table[i] = NULL;
	mutex_unlock(&table);
	return it;
}

/* Only the finalizer of what holds it gets it; the mover goes on with another. */
static void finalized(struct parcel *p)
{
	look(&late, p->it);
	select {
		case_send(p->to, p->it) { }
		case_default { }
	}
}

static struct item *via_finalizer(struct mover *m, struct item *it)
{
	struct parcel *p = new(struct parcel, .to = m->shelf->back);
	set_finalizer(p, finalized);
	int64 number = it->number;
	churn(&m->g);
	p->it = it;
	return list_new(&m->g, number);
}

/* The same for the arguments of a cleanup. */
static void cleaned(chan(struct item *) to, struct item *it)
{
	look(&late, it);
	select {
		case_send(to, it) { }
		case_default { }
	}
}

static struct item *via_cleanup(struct mover *m, struct item *it)
{
	add_cleanup(new(struct parcel), cleaned, m->shelf->back, it);
	return list_new(&m->g, it->number);
}

/* A weak pointer gives the whole list, or nothing. */
static struct item *via_weak(struct mover *m, struct item *it)
{
	weak(struct item) w = weak_make(it);
	int64 number = it->number;
	it = NULL;
	churn(&m->g);
	it = weak_get(w);
	return it ? it : list_new(&m->g, number);
}

/* ---- the mix ------------------------------------------------------------------------ */

static struct item *(*const places[])(struct mover *, struct item *) = {
	via_r10, via_xmm7, via_xmm15, via_sleep, via_stack, via_task, via_buffer, via_select, via_timer, via_defer,
	via_panic, via_map, via_sync_map, via_slice, via_arena, via_object, via_global, via_finalizer, via_cleanup,
	via_weak,
};

static struct item *take(struct mover *m, int i)
{
	mutex_lock(&m->shelf->mu);
	struct item *it = m->shelf->item[i];
	m->shelf->item[i] = NULL;
	mutex_unlock(&m->shelf->mu);
	return it;
}

/* What lay there changes places with what the caller has; NULL: nothing did. */
static struct item *put(struct mover *m, int i, struct item *it)
{
	mutex_lock(&m->shelf->mu);
	struct item *other = m->shelf->item[i];
	m->shelf->item[i] = it;
	mutex_unlock(&m->shelf->mu);
	return other;
}

static void moves(struct mover *m, int steps, wait_group *wg)
{
	struct item *it = NULL;
	for (; steps > 0; steps--) {
		if (!it)
			it = take(m, pick(&m->g, 0, SHELF - 1));
		if (!it)
			it = list_new(&m->g, steps);
		for (int i = pick(&m->g, 1, 3); i > 0; i--) {
			it = places[pick(&m->g, 0, sizeof places / sizeof *places - 1)](m, it);
			LAW(m->r, it, "a list is gone");
			look(m->r, it);
			op(m->r);
		}
		it = put(m, pick(&m->g, 0, SHELF - 1), it);
		select {
			case_recv(m->shelf->back, &it) { look(m->r, it); }
			case_default { }
		}
	}
	wait_group_done(wg);
}

static void litters(struct shelf *s, struct rng g, wait_group *wg)
{
	while (!atomic_load(&s->over)) {
		for (int i = 0; i < 100; i++)
			memset(rt_malloc((size_t)pick(&g, 8, 400), one_in(&g, 2) ? NULL : &rt_type_noscan), 0x66, 8);
		item_new(0x5555);
		gosched();
	}
	wait_group_done(wg);
}

void mix_moves(struct run *r)
{
	struct rng *g = &r->rng;
	wait_group wg = { 0 }, litter = { 0 };
	struct shelf *s = new(struct shelf, .back = make_chan(struct item *, 4));
	for (int i = 0; i < SHELF; i++)
		s->item[i] = one_in(g, 2) ? list_new(g, i) : NULL;
	for (int i = pick(g, 1, 2); i > 0; i--) {
		wait_group_add(&litter, 1);
		go(litters, s, split(g), &litter);
	}
	for (int i = pick(g, 2, 8); i > 0; i--) {
		struct mover *m = new(struct mover, r, split(g), s);
		wait_group_add(&wg, 1);
		go(moves, m, pick(g, 10, 80), &wg);
	}
	wait_group_wait(&wg);
	atomic_store(&s->over, true);
	wait_group_wait(&litter);
	/* The shelf is emptied: a stale pointer to it may stay somewhere. */
	for (int i = 0; i < SHELF; i++) {
		if (s->item[i])
			look(r, s->item[i]);
		s->item[i] = NULL;
	}
}
