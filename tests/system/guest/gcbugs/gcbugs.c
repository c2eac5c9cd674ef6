/* gcbugs.c: programs with the bug that a collector invites: a pointer is hidden from it,
 * what it points to goes, and the pointer comes back.  The argument says what then:
 *
 *     read   what it points to is read: junk
 *     store  it is written to a live object: the next collection finds it
 *     large  the same for an object of pages of its own: its last page, which is the last to be used again
 *     end    no bug: an object's begin and end, where the next is free
 *
 * With GODEBUG=junkfill=1, for tests/system/gcbugs.py. */
#include <string.h>
#include "ingot.h"

#define BYTES 416 /* a size that nobody else uses */
#define LARGE 200000
#define N 8

struct thing {
	byte bytes[BYTES];
};
struct large {
	byte bytes[LARGE];
};
struct holder {
	int64 pad; /* so that its map says where pointers are */
	void *begin, *p;
};

static struct thing *kept[N];

/* In a task of its own, whose stack is gone when it ends.  Every other one stays, so
 * their span does. */
static void make(uintptr_t *hidden, bool large, wait_group *wg)
{
	for (int i = 0; i < N; i++) {
		struct thing *t = new(struct thing);
		if (i % 2 == 0)
			kept[i] = t;
		else
			*hidden = ~(uintptr_t)t;
	}
	if (large)
		*hidden = ~(uintptr_t)&new(struct large)->bytes[LARGE - 1];
	wait_group_done(wg);
}

static void come_back(struct holder *h, uintptr_t hidden, wait_group *wg)
{
	h->p = (void *)~hidden;
	wait_group_done(wg);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	wait_group wg = { 0 };
	uintptr_t hidden = 0;
	wait_group_add(&wg, 1);
	go(make, &hidden, strcmp(what, "large") == 0, &wg);
	wait_group_wait(&wg);
	while (num_task() > 1) /* who has said so has not ended yet, and its stack has the pointer */
		gosched();
	gc();
	gc();
	if (strcmp(what, "read") == 0) {
		const byte *p = ((const struct thing *)~hidden)->bytes;
		print("reads %x %x\n", p[0], p[BYTES - 1]);
		return 0;
	}
	struct holder *h = new(struct holder);
	if (strcmp(what, "end") == 0) {
		h->begin = kept[N - 2];
		h->p = kept[N - 2] + 1; /* kept[N - 1] was not */
		print("holder %p\n", h);
	} else {
		wait_group_add(&wg, 1);
		go(come_back, h, hidden, &wg);
		wait_group_wait(&wg);
		print("holder %p freed %p\n", h, h->p);
	}
	gc();
	gc_verify();
	keep_alive(h);
	print("nothing found\n");
	return 0;
}
