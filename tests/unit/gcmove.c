/* gcmove.c: the last pointer to an object moves while the collector marks.
 *
 * Collections run one after the other beside tasks that carry boxes from place
 * to place: a heap cell, a register, another task's stack, a channel's buffer,
 * a fresh object, a global, a sleeping task.  Each box knows its own address
 * and number, so one that was freed, and given out again, is noticed when it is
 * next looked at.  In nasty mode freed memory holds junk and each cycle's marks
 * are verified.
 *
 * test: limit=240 mem=256M */
#include "ingot.h"
#include "test.h"

#ifdef INGOT_NASTY
#define ROUNDS 300
#define CYCLES 10
#else
#define ROUNDS 50000
#define CYCLES 50
#endif
#define CELLS 512
#define LINKS 64

struct box {
	struct box *self;
	int64 number;
	struct box *friend; /* lives as long as this does, and only through it */
	int64 check;
};

/* Where boxes lie.  The cells are reached by one long chain, so the marker comes
 * to them one after the other in the course of a cycle: a box that is carried
 * from a late one to an early one passes it by. */
struct cell {
	struct box *box;
	int64 pad[5];
};

struct link {
	struct link *next;
	struct cell *cell; /* of each LINKS-th */
};

struct cells {
	struct link *chain;  /* the only way to the cells that the collector knows */
	uintptr_t at[CELLS]; /* the cells, inverted */
};

#define CELL(cells, i) (((struct cell *)~(cells)->at[i])->box)

static struct cells *cells_new(void)
{
	struct cells *c = new(struct cells);
	for (int i = CELLS * LINKS - 1; i >= 0; i--) {
		struct link *l = new(struct link, .next = c->chain);
		if (i % LINKS == 0) {
			l->cell = new(struct cell);
			c->at[i / LINKS] = ~(uintptr_t)l->cell;
		}
		c->chain = l;
	}
	return c;
}

struct holder {
	int64 pad[3];
	struct box *box;
};

static struct box *global_box;
static mutex global_lock;
static int64 lost; /* atomic */

static struct box *box_new(int64 number, bool with_friend)
{
	struct box *b = new(struct box);
	b->self = b;
	b->number = number;
	b->check = ~number;
	if (with_friend)
		b->friend = box_new(-number, false);
	return b;
}

static void look(struct box *b)
{
	if (b->self != b || b->check != ~b->number || (b->friend && (b->friend->self != b->friend ||
	                                                            b->friend->number != -b->number)))
		__atomic_add_fetch(&lost, 1, __ATOMIC_SEQ_CST);
}

/* Fresh boxes and blocks of other sizes: what was freed too early is soon
 * something else. */
static void litter(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct box *b = new(struct box);
		b->number = 0x5555;
		memset(rt_malloc(48 + 16 * (i % 9), &rt_type_noscan), 0x66, 48);
	}
}

static void take_by_pointer(chan(struct box **) from, chan(bool) done)
{
	struct box **p;
	while (recv(from, &p)) {
		struct box *mine = *p; /* the giver's stack lets go of it */
		*p = NULL;
		gosched();
		look(mine);
		*p = mine;
		send(done, true);
	}
}

static void sleeper(struct box *b, chan(struct box *) back)
{
	struct box *mine = b;
	b = NULL;
	sleep(100 * Microsecond);
	send(back, mine);
}

static void mover(int id, struct cells *cells, const bool *stop, wait_group *wg)
{
	chan(struct box *) pipe = make_chan(struct box *, 4);
	chan(struct box *) back = make_chan(struct box *);
	chan(struct box **) lend = make_chan(struct box **);
	chan(bool) done = make_chan(bool);
	uint64 x = 88172645463325252ull + (uint64)id * 7919;
	go(take_by_pointer, lend, done);
	for (int64 n = 0; stop ? !__atomic_load_n(stop, __ATOMIC_SEQ_CST) : n < ROUNDS; n++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		unsigned i = x % CELLS, j = x >> 20 & (CELLS - 1);
		struct box *b = CELL(cells, i);
		if (!b)
			continue;
		CELL(cells, i) = NULL;
		look(b);
		switch (x >> 40 & 15) {
		case 0: { /* a buffer */
			send(pipe, b);
			b = NULL;
			litter(2);
			b = recv(pipe);
			break;
		}
		case 1: { /* another task's local variable, by way of ours */
			struct box *local = b;
			b = NULL;
			send(lend, &local);
			recv(done);
			b = local;
			break;
		}
		case 2: { /* a fresh object, and out of it again */
			struct holder *h = new(struct holder, .box = b);
			b = NULL;
			litter(1);
			b = h->box;
			h->box = NULL;
			break;
		}
		case 3: /* a global */
			mutex_lock(&global_lock);
			global_box = b;
			b = NULL;
			litter(1);
			b = global_box;
			global_box = NULL;
			mutex_unlock(&global_lock);
			break;
		case 4: /* a task that sleeps */
			if (n % 64 == 0) {
				go(sleeper, b, back);
				b = recv(back);
			}
			break;
		case 5: { /* a vector register, while the core is another's */
			struct box *out;
			__asm__ volatile("movq %1, %%xmm7\n\txorl %k1, %k1\n\t"
			                 "movl $2000, %%ecx\n"
			                 "1:\tdecl %%ecx\n\tjnz 1b\n\t"
			                 "movq %%xmm7, %0\n\tpxor %%xmm7, %%xmm7"
			                 : "=r"(out), "+r"(b)
			                 :
			                 : "ecx", "xmm7", "cc");
			b = out;
			break;
		}
		case 6: /* replaced: the old one and its friend may die */
			b = box_new(b->number, true);
			break;
		default:
			if (x >> 50 & 1)
				litter(3);
		}
		look(b);
		/* Where it goes somebody may be already: they change places. */
		struct box *other = CELL(cells, j);
		CELL(cells, j) = b;
		if (other)
			CELL(cells, i) = other;
		if (n % 128 == 0)
			gosched();
	}
	close(lend);
	wait_group_done(wg);
}

static void collector(bool *stop)
{
	for (int i = 0; i < CYCLES; i++)
		gc();
	__atomic_store_n(stop, true, __ATOMIC_SEQ_CST);
}

static void move_boxes(int movers, bool with_collector)
{
	wait_group wg = { 0 };
	struct cells *cells[8];
	bool stop = false;
	struct mem_stats before, after;
	read_mem_stats(&before);
	lost = 0;
	for (int m = 0; m < movers; m++) {
		cells[m] = cells_new();
		for (int i = 0; i < CELLS; i += 2)
			CELL(cells[m], i) = box_new(m * CELLS + i + 1, true);
	}
	wait_group_add(&wg, movers);
	for (int m = 0; m < movers; m++)
		go(mover, m, cells[m], with_collector ? &stop : NULL, &wg);
	if (with_collector)
		go(collector, &stop);
	wait_group_wait(&wg);
	gc();
	gc();
	int64 sum = 0, want = 0;
	for (int m = 0; m < movers; m++)
		for (int i = 0; i < CELLS; i++) {
			if (i % 2 == 0)
				want += m * CELLS + i + 1;
			struct box *b = CELL(cells[m], i);
			if (!b)
				continue;
			look(b);
			sum += b->number;
		}
	CHECK_EQ(lost, 0);
	CHECK_EQ(sum, want);
	read_mem_stats(&after);
	CHECK(after.num_gc > before.num_gc + 2);
	gc_verify();
}

TEST(one_carrier_beside_collections)
{
	move_boxes(1, true);
}

TEST(carriers_beside_collections)
{
	move_boxes(4, true);
}

TEST(carriers_pay_for_collections)
{
	int old = set_gc_percent(10);
	move_boxes(3, false);
	set_gc_percent(old);
}

TEST_MAIN
{
	RUN(one_carrier_beside_collections);
	RUN(carriers_beside_collections);
	RUN(carriers_pay_for_collections);
}
