/* liveset.c: what lives after each collection of a seeded run, said in lines that do
 * not depend on how the collector found it out.
 *
 *     liveset [seed]
 *
 * Tasks build, move and drop trees of nodes of several sizes while collections run one
 * after the other; each task has its own trees, so what they are in the end follows from
 * the seed.  After each step no task is left, and weak pointers to all nodes ever made
 * must still give all that a walk reaches, and not much more: who has a pointer to the
 * start of an object, as globals of the runtime do, holds the object before it too, by
 * what may be its end.  One line tells number and bytes in each size, and a hash of the
 * nodes' numbers.  tests/system/liveset.py compares the lines of collectors that know
 * which pages were written with those of one that looks at all. */
#include <stdlib.h>
#include <string.h>
#include "ingot.h"

#define SHARDS 4
#define ROOTS 32
#define KIDS 6
#define STEPS 6
#define OPS 1500
#define SIZES 6

/* Nodes of different sizes begin alike. */
struct node {
	int64 id;
	struct node *kid[KIDS];
	int64 kind; /* which of the sizes */
	int64 seen; /* the last step in which a walk came by */
};
#define NODE(n) \
	struct node##n { \
		struct node head; \
		byte pad[n]; \
	}
NODE(64);
NODE(400);
NODE(1500);
NODE(9000);
NODE(50000);
static const int64 sizes[SIZES] = { sizeof(struct node), sizeof(struct node64), sizeof(struct node400),
	sizeof(struct node1500), sizeof(struct node9000), sizeof(struct node50000) };

/* A node ever made and not yet known to be gone. */
struct made {
	struct made *next;
	weak(struct node) w;
	int64 id, kind;
};

struct shard {
	struct node *root[ROOTS];
	struct made *made;
	int64 next_id;
	uint64 rng;
};

struct count {
	int64 step, more; /* more: alive, and not reached */
	int64 n[SIZES];
	uint64 hash;
};

static uint64 next(struct shard *s)
{
	/* splitmix64, Steele, Lea, Flood 2014 */
	uint64 z = s->rng += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void note(struct count *c, int64 id, int64 kind)
{
	uint64 h = (uint64)id * 0x9e3779b97f4a7c15;
	c->n[kind]++;
	c->hash += h ^ h >> 32;
}

static struct node *node_new(struct shard *s)
{
	uint64 r = next(s) % 100;
	struct node *n;
	int64 kind = r < 50 ? 0 : r < 75 ? 1 : r < 90 ? 2 : r < 97 ? 3 : r < 99 ? 4 : 5;
	switch (kind) {
	case 0: n = new(struct node); break;
	case 1: n = &new(struct node64)->head; break;
	case 2: n = &new(struct node400)->head; break;
	case 3: n = &new(struct node1500)->head; break;
	case 4: n = &new(struct node9000)->head; break;
	default: n = &new(struct node50000)->head; break;
	}
	n->id = s->next_id++;
	n->kind = kind;
	s->made = new(struct made, s->made, weak_make(n), n->id, n->kind);
	return n;
}

/* A place for a node, some way down the trees. */
static struct node **somewhere(struct shard *s)
{
	uint64 r = next(s);
	struct node **at = &s->root[r % ROOTS];
	r >>= 8;
	for (int depth = (int)(r % 6); *at && depth > 0; depth--, r = r / 8 + next(s))
		at = &(*at)->kid[r % KIDS];
	return at;
}

static __attribute__((noinline)) void one_op(struct shard *s)
{
	struct node **a, *n;
	switch (next(s) % 8) {
	case 0: /* moved: nobody else has it for a while */
	case 1:
	case 2:
		a = somewhere(s);
		n = *a;
		*a = NULL;
		if (n && next(s) % 4 == 0)
			gosched();
		*somewhere(s) = n;
		break;
	case 3: { /* two change places, unless one is below the other */
		a = &s->root[next(s) % ROOTS];
		struct node **b = &s->root[next(s) % ROOTS];
		n = *a;
		*a = *b;
		*b = n;
		break;
	}
	default:
		a = somewhere(s);
		n = node_new(s);
		if (*a && next(s) % 2) /* above what is there */
			n->kid[next(s) % KIDS] = *a;
		*a = n;
	}
}

static void work(struct shard *s, wait_group *wg)
{
	for (int i = 0; i < OPS; i++)
		one_op(s);
	wait_group_done(wg);
}

static void collect(bool *stop, wait_group *wg)
{
	while (!atomic_load(stop))
		gc();
	wait_group_done(wg);
}

static void walk(struct node *n, struct count *c)
{
	if (!n)
		return;
	note(c, n->id, n->kind);
	n->seen = c->step;
	for (int i = 0; i < KIDS; i++)
		walk(n->kid[i], c);
}

/* A task of their own each: nothing of them is left on a stack. */
static void count_reached(struct shard *shards, struct count *c, wait_group *wg)
{
	for (int s = 0; s < SHARDS; s++)
		for (int i = 0; i < ROOTS; i++)
			walk(shards[s].root[i], c);
	wait_group_done(wg);
}

static void count_alive(struct shard *shards, struct count *c, wait_group *wg)
{
	for (int s = 0; s < SHARDS; s++)
		for (struct made **at = &shards[s].made; *at;) {
			struct made *m = *at;
			struct node *n = weak_get(m->w);
			if (!n) {
				*at = m->next;
				continue;
			}
			if (n->id != m->id || n->kind != m->kind)
				print("FAIL node %ld is %ld\n", (long)m->id, (long)n->id);
			if (n->seen == c->step)
				note(c, m->id, m->kind);
			else
				c->more++;
			at = &m->next;
		}
	wait_group_done(wg);
}

static struct count counted(void (*f)(struct shard *, struct count *, wait_group *), struct shard *shards, int k)
{
	struct count c = { .step = k };
	wait_group wg = { 0 };
	wait_group_add(&wg, 1);
	go(f, shards, &c, &wg);
	wait_group_wait(&wg);
	return c;
}

static bool step(struct shard *shards, int k)
{
	wait_group wg = { 0 }, c = { 0 };
	bool stop = false;
	wait_group_add(&wg, SHARDS);
	wait_group_add(&c, 1);
	for (int i = 0; i < SHARDS; i++)
		go(work, &shards[i], &wg);
	go(collect, &stop, &c);
	wait_group_wait(&wg);
	atomic_store(&stop, true);
	wait_group_wait(&c);
	struct count reached = counted(count_reached, shards, k), alive = { 0 };
	for (int i = 0; i < 5; i++) { /* what died in a cycle goes in the next */
		gc();
		alive = counted(count_alive, shards, k);
		if (alive.more == 0)
			break;
	}
	int64 all = 0;
	print("step %d:", k);
	for (int i = 0; i < SIZES; all += reached.n[i++])
		print(" %ldx%ld", (long)alive.n[i], (long)sizes[i]);
	print(" %lx\n", (unsigned long)alive.hash);
	bool same = alive.hash == reached.hash && memcmp(alive.n, reached.n, sizeof alive.n) == 0;
	if (!same)
		print("FAIL some of what is reached is gone\n");
	if (alive.more > all / 4)
		print("FAIL %ld nodes live that nothing reaches, beside %ld\n", (long)alive.more, (long)all);
	return same && alive.more <= all / 4;
}

int main(int argc, char **argv)
{
	struct shard *shards = rt_make(struct shard, SHARDS);
	for (int i = 0; i < SHARDS; i++) {
		shards[i].rng = (argc > 1 ? strtoull(argv[1], NULL, 0) : 1) * 0x100000001 + (uint64)i;
		shards[i].next_id = (int64)i << 32;
	}
	for (int k = 1; k <= STEPS; k++)
		if (!step(shards, k))
			return 1;
	struct mem_stats m;
	read_mem_stats(&m);
	print("liveset: %u collections\n", m.num_gc);
	return 0;
}
