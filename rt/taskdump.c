/* taskdump.c: all tasks by state and stack, at any time.  Go: runtime.Stack(buf,
 * true) and what SIGQUIT prints, in that format.
 *
 * Ways in: task_dump(); task_leaks(), for leaked tasks alone; the console's key
 * (Ctrl-T; hosted: SIGQUIT), whose interrupt wakes a system task, so that it
 * works while every core is in a tight loop; and the report of a deadlock.
 *
 * The world is stopped while stacks are walked and not while they are printed
 * (a line of text is 9 ms on a serial port): what is printed was true at one
 * moment.  Tasks with the same state and the same frames are one entry with a
 * count, as in pprof, so a million tasks print as few stacks as they have.
 *
 * Invariants: memory is one block of manual pages, taken before the stop; the
 * work is O(tasks).  Entries that do not fit are counted and said.  An entry
 * shows the task that waits longest; how long is known from the first
 * collection or dump that saw it waiting (WAIT_SINCE_SHIFT). */
#include "api_task.h"
#include "proc.h"
#include "leak.h"

#define PAGE_SIZE 8192ul
#define PAGES 16          /* 128 KiB: 256 entries; fewer where memory is short */
#define TEXT_BYTES 2048
#define ALIKE_MAX 256
#define NINDEX 512        /* power of two */

enum { RUNNING, RUNNABLE, WAITING, NSTATES = WAITING + WAIT_NREASONS };

/* Tasks that look the same. */
struct alike {
	uint64_t hash, id, count;
	uint32_t state;      /* RUNNING, RUNNABLE, WAITING + why */
	uint32_t since;      /* WAIT_SINCE_SHIFT's minute, 0 not known */
	bool leaked;
	const void *created_by;
	struct frames frames;
};

struct dump {
	uint64_t ntasks, left_out, nleaked;
	uint64_t of_state[NSTATES];
	uint32_t minute;     /* when it was taken, as in since */
	uint32_t n, cap;
	size_t pages;
	struct text text;
	uint16_t index[NINDEX], order[ALIKE_MAX]; /* of alike; index: + 1, by hash */
	struct alike *alike;
};

struct dump_key dump_key NOSCAN_DATA;

/* ---- memory ------------------------------------------------------------- */

/* Empty; NULL where memory is out. */
struct dump *dump_new(void)
{
	for (size_t pages = PAGES; pages; pages /= 2) {
		struct dump *d = mheap_alloc_manual(pages);
		if (!d)
			continue;
		memset(d, 0, sizeof *d);
		d->pages = pages;
		d->text.cap = TEXT_BYTES;
		d->text.buf = (char *)d + pages * PAGE_SIZE - TEXT_BYTES;
		d->alike = (struct alike *)(d + 1);
		d->cap = (uint32_t)((size_t)(d->text.buf - (char *)d->alike) / sizeof *d->alike);
		if (d->cap > ALIKE_MAX)
			d->cap = ALIKE_MAX;
		return d;
	}
	return NULL;
}

static void dump_free(void *arg)
{
	struct dump *d = arg;
	mheap_free_manual(d, d->pages);
}

/* ---- collecting, with the world stopped ----------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static bool is_running(const struct g *g)
{
	if (g->status == G_RUNNING)
		return true;
	const struct p *p = g->p;
	return g->status == G_RUNNABLE && p && p->interrupted == g && p->interrupted_gen == sched.stop_gen &&
	       sched.stopping;
}

/* The entry for this key, made if there is room; else NULL. */
static struct alike *entry(struct dump *d, uint64_t hash, bool *made)
{
	uint32_t i = hash % NINDEX;
	for (; d->index[i]; i = (i + 1) % NINDEX) {
		struct alike *a = &d->alike[d->index[i] - 1];
		if (a->hash == hash) {
			*made = false;
			return a;
		}
	}
	if (d->n == d->cap)
		return NULL;
	*made = true;
	d->order[d->n] = (uint16_t)d->n;
	d->index[i] = (uint16_t)++d->n;
	return &d->alike[d->n - 1];
}

static void add(struct dump *d, struct g *g)
{
	struct frames f;
	uint32_t since = 0, state = is_running(g) ? RUNNING : RUNNABLE;
	bool leaked = false, made;
	if (g->status == G_WAITING) {
		state = WAITING + g_wait_reason(g);
		leaked = g->wait_reason & WAIT_LEAKED;
		if (!(g->wait_reason >> WAIT_SINCE_SHIFT))
			g->wait_reason |= d->minute << WAIT_SINCE_SHIFT;
		since = g->wait_reason >> WAIT_SINCE_SHIFT;
	}
	d->ntasks++;
	d->nleaked += leaked;
	d->of_state[state]++;
	frames_of(g, &f);
	uint64_t hash = mix(mix(state * 2u + leaked, (uintptr_t)g->created_by), f.more);
	for (unsigned i = 0; i < f.n; i++)
		hash = mix(hash, i == 0 && f.first_func ? f.first_func : f.pc[i]);
	struct alike *a = entry(d, hash, &made);
	if (!a) {
		d->left_out++;
		return;
	}
	a->count++;
	if (!made && (since > a->since || (since == a->since && g->id > a->id)))
		return;
	uint64_t count = made ? 1 : a->count;
	*a = (struct alike){ hash, g->id, count, state, since, leaked, g->created_by, f };
}

/* World stopped, or the machine dead. */
static void collect(struct dump *d, bool only_leaked)
{
	d->minute = wait_since(plat_now()) >> WAIT_SINCE_SHIFT;
	for (struct g *g = at_load_acq(&rt_allgs); g; g = g->all_next)
		if (g->status != G_DEAD && !g->is_system && (!only_leaked || g->wait_reason & WAIT_LEAKED))
			add(d, g);
}

/* ---- printing -------------------------------------------------------------- */

static const char *state_name(uint32_t state)
{
	return state == RUNNING ? "running" : state == RUNNABLE ? "runnable" : wait_reason_names[state - WAITING];
}

/* By state, then the most frequent first, then the oldest. */
static bool before(const struct alike *a, const struct alike *b)
{
	if (a->state != b->state)
		return a->state < b->state;
	if (a->count != b->count)
		return a->count > b->count;
	return a->id < b->id;
}

static void sort(struct dump *d)
{
	for (uint32_t i = 1; i < d->n; i++)
		for (uint32_t k = i; k && before(&d->alike[d->order[k]], &d->alike[d->order[k - 1]]); k--) {
			uint16_t t = d->order[k];
			d->order[k] = d->order[k - 1];
			d->order[k - 1] = t;
		}
}

static void print_alike(struct dump *d, const struct alike *a)
{
	struct text *t = &d->text;
	uint32_t minutes = a->since ? d->minute - a->since : 0;
	text_printf(t, "\ngoroutine %lu [%s%s", (unsigned long)a->id, state_name(a->state),
	            a->leaked ? " (leaked)" : "");
	if (minutes)
		text_printf(t, ", %u minutes", minutes);
	if (a->count > 1)
		text_printf(t, ", %lu alike", (unsigned long)a->count);
	text_printf(t, "]:\n");
	for (unsigned i = 0; i < a->frames.n; i++)
		print_frame(t, a->frames.pc[i], i || a->frames.first_is_return);
	if (a->frames.more)
		text_printf(t, "...additional frames elided...\n");
	print_created_by(t, a->created_by);
	text_flush(t);
}

static void print_all(struct dump *d)
{
	sort(d);
	for (uint32_t i = 0; i < d->n; i++)
		print_alike(d, &d->alike[d->order[i]]);
	if (d->left_out)
		text_printf(&d->text, "\n...%lu goroutines with further stacks left out...\n",
		            (unsigned long)d->left_out);
	text_printf(&d->text, "\n");
	text_flush(&d->text);
}

/* "12 goroutines: 2 running, 1 runnable, 9 chan receive" */
static void print_summary(struct dump *d)
{
	struct text *t = &d->text;
	text_printf(t, "%lu goroutines", (unsigned long)d->ntasks);
	for (uint32_t s = 0, n = 0; s < NSTATES; s++)
		if (d->of_state[s])
			text_printf(t, "%s%lu %s", n++ ? ", " : ": ", (unsigned long)d->of_state[s], state_name(s));
	text_printf(t, "\n");
}

/* ---- ways in ------------------------------------------------------------------ */

/* One at a time, or their entries mix.  Who comes second sleeps in between:
 * not worth a mutex, with its table of waiters, in every image. */
static uint32_t busy;
#define BUSY_NS 1000000

static void new_system(void *arg)
{
	*(struct dump **)arg = dump_new();
}

static struct dump *begin(void)
{
	struct dump *d;
	while (at_swap(&busy, 1))
		sleep(BUSY_NS);
	rt_systemstack(new_system, &d);
	if (!d) {
		rt_printf("task dump: out of memory\n");
		at_store_rel(&busy, 0);
	}
	return d;
}

static void end(struct dump *d)
{
	rt_systemstack(dump_free, d);
	at_store_rel(&busy, 0);
}

struct taking {
	struct dump *d;
	bool done;
};

static void take_system(void *arg)
{
	struct taking *t = arg;
	if (!stop_world("task dump"))
		return;
	collect(t->d, false);
	t->done = true;
	start_world();
}

void task_dump(void)
{
	struct taking t = { begin(), false };
	if (!t.d)
		return;
	while (!t.done)
		rt_systemstack(take_system, &t);
	print_summary(t.d);
	print_all(t.d);
	end(t.d);
}

static void collect_leaked(void *d)
{
	collect(d, true);
}

int task_leaks(bool print)
{
	struct dump *d = begin();
	if (!d)
		return -1;
	gc_leaks(collect_leaked, d);
	if (print && d->ntasks) {
		text_printf(&d->text, "leaked: ");
		print_summary(d);
		print_all(d);
	}
	int n = (int)d->ntasks;
	end(d);
	return n;
}

void dump_deadlock(struct dump *d)
{
	collect(d, false);
	if (d->ntasks > 1)
		print_summary(d);
	print_all(d);
}

/* ---- the key ------------------------------------------------------------------- */

/* The interrupt says "pressed" and then looks for the sleeper; this does the
 * reverse, and whoever takes the sleeper out of the word wakes it. */
static bool sleep_on_key(struct g *g, void *unused)
{
	(void)unused;
	at_store_sc(&dump_key.waiter, g);
	return !(at_load_sc(&dump_key.pressed) && at_swap(&dump_key.waiter, NULL));
}

static void key_task(void *unused)
{
	(void)unused;
	for (;;) {
		while (!at_swap(&dump_key.pressed, 0))
			park(sleep_on_key, NULL, WAIT_IO);
		task_dump();
	}
}

void dump_start(void)
{
	if (plat_console_listen())
		rt_go_system(key_task, NULL);
}
