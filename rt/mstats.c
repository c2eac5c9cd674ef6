/* mstats.c: figures about memory, and the settings of the collector that can be
 * changed while it runs.  After Go's mstats.go and runtime/debug.
 *
 * Figures are taken in a stop of the world, with all mcaches given back, so
 * they agree with each other; settings change in one, since the pacer reads several. */
#include "api_mem.h"
#include "freeze.h"
#include "heap.h"
#include "proc.h"
#include "api_value.h"
#include "api_heap.h"

/* fn(arg) in a stop of the world. */
struct in_stop {
	const char *why;
	void (*fn)(void *);
	void *arg;
	bool done;
};

static void in_stop_system(void *arg)
{
	struct in_stop *s = arg;
	if (!stop_world(s->why))
		return;
	s->fn(s->arg);
	s->done = true;
	start_world();
}

void in_stop(const char *why, void (*fn)(void *), void *arg)
{
	struct in_stop s = { why, fn, arg, false };
	while (!s.done)
		rt_systemstack(in_stop_system, &s);
}

/* The span that begins at *page, which moves behind it; NULL: none up to the end. */
static const struct mspan *next_span(uint32_t *page)
{
	for (; *page < mheap.used_bytes >> PAGE_SHIFT; ++*page) {
		uint64_t e = mheap.index[*page];
		if (e == 0)
			continue;
		const struct mspan *s = index_span(e);
		*page += s->npages;
		return s;
	}
	return NULL;
}

static void mem_stats_read(void *arg)
{
	struct mem_stats *m = arg;
	const struct mspan *s;
	*m = (struct mem_stats){ 0 };
	for (struct mcache *c = all_mcaches; c; c = c->all_next) {
		mcache_flush(c);
		for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++) {
			m->mallocs += c->nsmall[spc];
			m->total_alloc += c->nsmall[spc] * class_info[spc].size;
		}
		m->mallocs += c->ntiny;
		m->total_alloc += c->large_bytes;
		m->mcache_inuse += sizeof *c;
	}
	for (uint32_t page = 0; (s = next_span(&page));) {
		m->heap_objects += s->alloc_count;
		m->heap_alloc += s->alloc_count * s->elemsize;
		m->heap_inuse += (uint64_t)s->npages << PAGE_SHIFT;
		m->mspan_inuse += sizeof *s;
	}
	m->heap_sys = (uint64_t)mheap.used_bytes;
	m->heap_released = (uint64_t)mheap.released << PAGE_SHIFT;
	m->heap_idle = (uint64_t)mheap_pages_free() << PAGE_SHIFT;
	m->stack_inuse = stack_bytes_inuse();
	m->sys = ((uint64_t)mheap.total_pages << PAGE_SHIFT) + mheap.sys_bytes;
	m->other_sys = mheap.sys_bytes + ((uint64_t)mheap.pages_manual << PAGE_SHIFT);
	m->frees = m->mallocs > m->heap_objects ? m->mallocs - m->heap_objects : 0;
	m->enable_gc = rt_settings.gogc >= 0;
	gc_stats(m);
	freeze_stats(m);
}

void read_mem_stats(struct mem_stats *m)
{
	in_stop("read_mem_stats", mem_stats_read, m);
}

struct pauses {
	gc_pause *v;
	uint32_t n;
};

static void pauses_read(void *arg)
{
	struct pauses *a = arg;
	for (a->n = 0; a->n < GC_PAUSES && a->n < gc_cycles; a->n++) {
		const struct gc_pause_note *p = &gc_pauses[(gc_cycles - a->n) % GC_PAUSES];
		a->v[a->n] = (gc_pause){ (int64_t)p->ns, (int64_t)p->end };
	}
}

slice(gc_pause) read_gc_pauses(void)
{
	slice(gc_pause) v = make_slice(gc_pause, GC_PAUSES);
	struct pauses a = { .v = v.ptr };
	in_stop("read_gc_pauses", pauses_read, &a);
	v.len = a.n;
	return v;
}

/* ---- by class --------------------------------------------------------------------- */

static void class_stats_read(void *arg)
{
	struct class_stats *v = arg;
	const struct mspan *s;
	for (struct mcache *c = all_mcaches; c; c = c->all_next) {
		mcache_flush(c);
		for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
			v[spc].mallocs += c->nsmall[spc];
	}
	for (uint32_t page = 0; (s = next_span(&page));) {
		struct class_stats *k = &v[s->spanclass];
		k->spans++;
		k->objects += s->alloc_count;
		k->bytes += (uint64_t)s->npages << PAGE_SHIFT;
		k->waste += ((uint64_t)s->npages << PAGE_SHIFT) - s->alloc_count * s->elemsize;
	}
}

slice(class_stats) read_class_stats(void)
{
	slice(class_stats) v = make_slice(class_stats, NUM_SPAN_CLASSES);
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++) {
		v.ptr[spc].size = class_info[spc].size;
		v.ptr[spc].noscan = SPANCLASS_NOSCAN(spc);
	}
	in_stop("read_class_stats", class_stats_read, v.ptr);
	size_t n = 0;
	for (unsigned spc = 0; spc < NUM_SPAN_CLASSES; spc++)
		if (v.ptr[spc].mallocs) {
			v.ptr[n] = v.ptr[spc];
			v.ptr[n].frees = v.ptr[n].mallocs - v.ptr[n].objects;
			n++;
		}
	v.len = n;
	return v;
}

/* ---- settings ------------------------------------------------------------------------ */

struct setting {
	int64_t value, old;
};

static void gc_percent_set(void *arg)
{
	struct setting *s = arg;
	s->old = rt_settings.gogc;
	rt_settings.gogc = s->value < 0 ? -1 : (int)s->value;
	gc_goal_update();
}

int set_gc_percent(int percent)
{
	struct setting s = { percent, 0 };
	in_stop("GOGC", gc_percent_set, &s);
	return (int)s.old;
}

static void memory_limit_set(void *arg)
{
	struct setting *s = arg;
	s->old = rt_settings.gomemlimit > INT64_MAX ? INT64_MAX : (int64_t)rt_settings.gomemlimit;
	if (s->value < 0)
		return;
	rt_settings.gomemlimit = s->value == INT64_MAX ? UINT64_MAX : (uint64_t)s->value;
	gc_goal_update();
}

int64_t set_memory_limit(int64_t bytes)
{
	struct setting s = { bytes, 0 };
	in_stop("GOMEMLIMIT", memory_limit_set, &s);
	return s.old;
}
