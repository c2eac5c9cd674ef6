/* A condition variable: a queue of bounded length, whose users wait for room or for content. */
#include "ingot.h"

typedef struct queue {
	mutex mu;
	cond changed;
	slice(int) items;
} queue;

static void put(queue *q, int n)
{
	mutex_lock(&q->mu);
	defer(mutex_unlock, &q->mu);
	while (len(q->items) == 3)
		cond_wait(&q->changed);
	q->items = append(q->items, n);
	cond_broadcast(&q->changed);
}

static int take(queue *q)
{
	mutex_lock(&q->mu);
	defer(mutex_unlock, &q->mu);
	while (len(q->items) == 0)
		cond_wait(&q->changed);
	int n = at(q->items, 0);
	q->items = slice_from(q->items, 1);
	cond_broadcast(&q->changed);
	return n;
}

static void put_squares(queue *q)
{
	for (int i = 1; i <= 10; i++)
		put(q, i * i);
}

int main(void)
{
	queue *q = new(queue);
	q->changed.l = &q->mu;
	go(put_squares, q);
	for (int i = 0; i < 10; i++)
		print("%d ", take(q));
	println("");
	return 0;
}
