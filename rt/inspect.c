/* inspect.c: snapshots of the scheduler, the heap, the machine (api_inspect.h).
 *
 * Other cores' fields are read as they are, without a lock, as schedtrace.c does.  That
 * is safe because what is looked at never goes away: Gs, Ps, spans' structures and
 * page tables are memory of their kind for ever, and a span that was freed under the
 * reader's eyes is told by its page number.  Only the mcaches, whose words mean
 * something together alone, are read in a stop.
 *
 * The console and its texts are console.c's, JSON inspectjson.c's. */
#include "heap.h"
#include "proc.h"
#include "stack.h"
#include "driver.h"
#include "inspect.h"

static string name_of(const char *s)
{
	return (string){ s, strlen(s) };
}

/* ---- scheduler ------------------------------------------------------------------- */

static uint64_t id_of(const struct g *g)
{
	return g ? at_load(&g->id) : 0;
}

slice(proc_info) read_procs(void)
{
	slice(proc_info) v = make_slice(proc_info, plat_ncores);
	for (unsigned i = 0; i < plat_ncores; i++) {
		const struct p *p = rt_ps[i];
		uint64_t task = id_of(at_load(&p->curg)), when = at_load(&p->timer_when);
		bool offline = i >= at_load(&rt_nps) || !at_load(&p->up);
		bool idle = at_load(&sched.idle[i / 64]) >> i % 64 & 1;
		v.ptr[i] = (proc_info){
			.id = (int)i,
			.state = offline ? S("offline") : task ? S("running") : idle ? S("idle") : S("scheduling"),
			.task = task,
			.next = id_of(at_load(&p->runnext)),
			.runq = runq_len(p),
			.ticks = at_load(&p->schedtick),
			.timers = timers_count(p),
			.next_timer = when == UINT64_MAX ? 0 : (int64_t)when,
			.node = (int)p->node,
		};
		if (v.ptr[i].runq > RUNQ_SIZE) /* head was read after more had come and gone */
			v.ptr[i].runq = 0;
	}
	return v;
}

uint32_t global_runq(void)
{
	return at_load(&sched.runq_size);
}

enum { RUNNING, RUNNABLE, WAITING, NSTATES = WAITING + WAIT_NREASONS };

static unsigned state_of(const struct g *g, uint32_t status)
{
	return status == G_RUNNING ? RUNNING : status == G_RUNNABLE ? RUNNABLE : WAITING + g_wait_reason(g);
}

static string state_name(unsigned state)
{
	if (state >= WAITING)
		return state == WAITING ? S("waiting") : name_of(wait_reason_names[state - WAITING]);
	return state == RUNNING ? S("running") : S("runnable");
}

/* Minutes that a waiting task has been seen so.  Who looks first, sets the mark; if it
 * went on and waits for the same again meanwhile, then that is when it began. */
static int64_t waits(struct g *g)
{
	uint32_t now = wait_since(plat_now()), why = at_load(&g->wait_reason);
	if (why >> WAIT_SINCE_SHIFT)
		return (now >> WAIT_SINCE_SHIFT) - (why >> WAIT_SINCE_SHIFT);
	at_cas(&g->wait_reason, &why, why | now);
	return 0;
}

/* Of a task that may be changing it: nonsense is 0. */
static size_t stack_size(const struct g *g)
{
	size_t n = at_load(&g->frozen) ? 0 : plat_stack_slot;
	const struct stack_ext *x = at_load(&g->ext);
	for (unsigned i = 0; x && i < 2; i++) {
		uintptr_t lo = at_load(&x->seg[i].lo), hi = at_load(&x->seg[i].hi);
		if (lo && hi > lo && hi - lo <= (size_t)1 << 30)
			n += hi - lo;
	}
	return n;
}

slice(task_info) read_tasks(void)
{
	slice(task_info) v = {};
	for (struct g *g = at_load_acq(&rt_allgs); g; g = g->all_next) {
		uint32_t status = at_load(&g->status);
		const struct p *p = at_load(&g->p);
		if (status == G_DEAD)
			continue;
		v = append(v, ((task_info){
			.id = g->id,
			.state = state_name(state_of(g, status)),
			.waits = status == G_WAITING ? waits(g) : -1,
			.stack = stack_size(g),
			.proc = p ? (int)p->id : -1,
			.system = g->is_system,
			.leaked = status == G_WAITING && at_load(&g->wait_reason) & WAIT_LEAKED,
			.created_by = (uintptr_t)g->created_by,
		}));
	}
	return v;
}

slice(task_count) read_task_counts(void)
{
	uint64_t n[NSTATES][2] = {};
	unsigned states = 0;
	for (const struct g *g = at_load_acq(&rt_allgs); g; g = g->all_next) {
		uint32_t status = at_load(&g->status);
		if (status != G_DEAD)
			n[state_of(g, status)][g->is_system != 0]++;
	}
	for (unsigned i = 0; i < NSTATES; i++)
		states += n[i][0] || n[i][1];
	slice(task_count) v = make_slice(task_count, states);
	for (unsigned i = 0, k = 0; i < NSTATES; i++)
		if (n[i][0] || n[i][1])
			v.ptr[k++] = (task_count){ state_name(i), n[i][0], n[i][1] };
	return v;
}

/* ---- heap ---------------------------------------------------------------------------- */

struct caches {
	cache_info *v;
	size_t n;
};

static void caches_read(void *arg)
{
	struct caches *c = arg;
	for (unsigned i = 0; i < plat_ncores; i++) {
		const struct mcache *m = rt_ps[i]->mcache;
		for (unsigned spc = 0; m && spc < NUM_SPAN_CLASSES; spc++) {
			const struct mcache_slot *k = &m->slot[spc];
			if (k->span != &empty_span)
				c->v[c->n++] = (cache_info){ (int)i, class_info[spc].size, SPANCLASS_NOSCAN(spc),
				                             k->span->nelems, mcache_slot_free(k) };
		}
	}
}

/* Adds a span to what is known of its class. */
static void count_span(span_info *k, const struct mspan *s, uint32_t sweepgen)
{
	uint32_t n = at_load(&s->alloc_count), gen = at_load(&s->sweepgen);
	k->spans++;
	k->bytes += (uint64_t)s->npages << PAGE_SHIFT;
	if (gen == sweepgen + 3) {
		k->cached++;
		return; /* its slots are the mcache's to count */
	}
	k->objects += n;
	k->free += s->nelems > n ? s->nelems - n : 0;
	if (gen != sweepgen)
		k->unswept++;
	else if (n < s->nelems)
		k->partial++;
	else
		k->full++;
}

/* Counts the pages [page, end) of memory, which a cell shows. */
static void count_pages(heap_cell *cell, uint32_t page, uint32_t end)
{
	uint32_t used = at_load(&mheap.used_chunks) * CHUNK_PAGES, fresh = at_load(&mheap.zeroed_base);
	const uint64_t *released = at_load(&mheap.released_bits);
	for (; page < end; page++) {
		if (page >= used)
			cell->untouched++;
		else if (at_load(&mheap.index[page]))
			cell->spans++;
		else if (!page_is_free(page))
			cell->runtime++;
		else if (page >= fresh)
			cell->untouched++;
		else if (released && at_load(&released[page / 64]) >> page % 64 & 1)
			cell->released++;
		else
			cell->free++;
	}
}

static void read_map(slice(heap_cell) map, uint32_t each)
{
	uint32_t room = each, at = 0;
	for (unsigned r = 0; r < mheap.nranges; r++) {
		uint32_t page = (uint32_t)((mheap.ranges[r].base - mheap.lo) >> PAGE_SHIFT);
		uint32_t end = page + (uint32_t)(mheap.ranges[r].len >> PAGE_SHIFT);
		while (page < end && at < map.len) {
			uint32_t k = end - page < room ? end - page : room;
			count_pages(&map.ptr[at], page, page + k);
			page += k;
			room -= k;
			if (room == 0) {
				at++;
				room = each;
			}
		}
	}
}

void read_heap(heap_info *h, uint32_t cells)
{
	*h = (heap_info){};
	if (cells == 0)
		cells = 1;
	uint32_t each = (uint32_t)((mheap.total_pages + cells - 1) / cells);
	/* All memory for the answer first, so that taking it does not change what is seen. */
	h->cell = (uint64_t)each << PAGE_SHIFT;
	h->map = make_slice(heap_cell, (mheap.total_pages + each - 1) / each);
	slice(cache_info) caches = make_slice(cache_info, plat_ncores * NUM_SPAN_CLASSES);
	slice(span_info) classes = make_slice(span_info, NUM_SPAN_CLASSES);
	struct caches c = { caches.ptr, 0 };
	in_stop("read_heap", caches_read, &c);
	h->caches = slice_to(caches, c.n);

	uint32_t sweepgen = at_load(&mheap.sweepgen);
	for (uint32_t page = 0, end = (uint32_t)(at_load_acq(&mheap.used_bytes) >> PAGE_SHIFT); page < end; page++) {
		uint64_t e = at_load(&mheap.index[page]);
		const struct mspan *s = index_span(e);
		if (e == 0 || at_load(&s->page) != page || s->npages == 0)
			continue; /* free, or freed just now and used again elsewhere */
		count_span(&classes.ptr[s->spanclass], s, sweepgen);
		page += s->npages - 1;
	}
	for (size_t i = 0; i < c.n; i++)
		for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
			if (class_info[spc].size == caches.ptr[i].size && SPANCLASS_NOSCAN(spc) == caches.ptr[i].noscan) {
				classes.ptr[spc].objects += caches.ptr[i].slots - caches.ptr[i].free;
				classes.ptr[spc].free += caches.ptr[i].free;
			}
	size_t n = 0;
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++) {
		span_info *k = &classes.ptr[spc];
		k->size = class_info[spc].size;
		k->noscan = SPANCLASS_NOSCAN(spc);
		k->per_span = class_info[spc].nelems;
		if (k->spans)
			classes.ptr[n++] = *k;
	}
	h->spans = slice_to(classes, n);

	read_map(h->map, each);
	for (size_t i = 0; i < h->map.len; i++) {
		const heap_cell *m = &h->map.ptr[i];
		h->in_use += (uint64_t)m->spans << PAGE_SHIFT;
		h->runtime += (uint64_t)m->runtime << PAGE_SHIFT;
		h->free += (uint64_t)(m->free + m->untouched) << PAGE_SHIFT;
		h->released += (uint64_t)m->released << PAGE_SHIFT;
	}
	h->total = (uint64_t)mheap.total_pages << PAGE_SHIFT;
	h->live = at_load(&mheap.heap_live);
	h->trigger = at_load(&mheap.gc_trigger);
	h->goal = gc_goal();
}

/* ---- collections ----------------------------------------------------------------------- */

#define CYCLES 64
static gc_cycle cycles[CYCLES] NOSCAN_BSS; /* cycle n is in [n % CYCLES] */
static uint32_t cycles_first;   /* the first that was noted, 0: none */
static uint32_t cycles_last;    /* the last; all of it under cycles_lock */
static struct lock cycles_lock = LOCK_INIT(RANK_LEAF);

/* In the stop that ends a cycle. */
static void note(const struct gc_note *n)
{
	lock(&cycles_lock);
	cycles[n->number % CYCLES] = (gc_cycle){
		n->number, n->forced, (int64_t)n->start, (int64_t)(n->end - n->start),
		{ (int64_t)n->stops[0], (int64_t)n->stops[1] }, n->heap_before, n->heap_after, n->live, n->goal
	};
	cycles_last = n->number;
	if (!cycles_first)
		cycles_first = n->number;
	unlock(&cycles_lock);
}

slice(gc_cycle) read_gc_cycles(void)
{
	at_store_rel(&gc_noted, note);
	slice(gc_cycle) v = make_slice(gc_cycle, CYCLES);
	lock(&cycles_lock);
	uint32_t from = cycles_first, n = 0;
	if (cycles_last >= CYCLES && from <= cycles_last - CYCLES)
		from = cycles_last - CYCLES + 1;
	for (uint32_t i = from; i && i <= cycles_last; i++)
		v.ptr[n++] = cycles[i % CYCLES];
	unlock(&cycles_lock);
	v.len = n;
	return v;
}

/* ---- machine ----------------------------------------------------------------------------- */

slice(irq_info) read_irqs(void)
{
	slice(irq_info) v = {};
	for (unsigned vector = 0; vector < PLAT_VECTORS; vector++)
		for (unsigned core = 0; core < plat_ncores; core++) {
			uint64_t n = 0;
			const char *name = plat_irq(core, vector, &n);
			if (name && n)
				v = append(v, ((irq_info){ (int)vector, (int)core, name_of(name), n }));
		}
	return v;
}

slice(net_queue_info) read_net_queues(void)
{
	slice(net_queue_info) v = {};
	struct netdev *d;
	for (int i = 0; (d = netdev_known(i)) != NULL; i++)
		for (unsigned q = 0; q < 2u * d->nqueues; q++) {
			struct net_queue_stats s = d->queue_stats(d, q / 2, q % 2);
			v = append(v, ((net_queue_info){ i, (int)q / 2, name_of(d->driver), q % 2, s.frames, s.bytes,
			                                 s.dropped, s.interrupts }));
		}
	return v;
}
