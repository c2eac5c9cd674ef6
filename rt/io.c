/* io.c: waiting for devices, and memory for them; see driver.h.
 *
 * An event is after Go's netpoll: the word of a pollDesc is nothing, ready, or
 * the G that waits.  The interrupt and the task meet in one atomic word, so
 * none is lost and no lock is taken.  A user's task that waits here is counted
 * in sched.nio: as long as there is one, idle cores are no deadlock. */
#include "driver.h"
#include "proc.h"
#include "heap.h"
#include "log.h"
#include "timer.h"
#include "api_value.h"
#include "api_log.h"

static bool wait_commit(struct g *g, void *arg)
{
	struct io_event *ev = arg;
	uintptr_t none = 0;
	if (at_cas(&ev->word, &none, (uintptr_t)g))
		return true;
	if (none != IO_READY)
		throw("io_wait: two tasks wait for one event");
	return false;
}

void io_wait(struct io_event *ev)
{
	uintptr_t ready = IO_READY;
	if (at_cas(&ev->word, &ready, 0))
		return;
	bool user = !rt_self.g->is_system;
	if (user)
		at_add(&sched.nio, 1);
	do {
		park(wait_commit, ev, WAIT_IO);
		ready = IO_READY;
	} while (!at_cas(&ev->word, &ready, 0));
	if (user)
		at_sub(&sched.nio, 1);
}

void io_signal(struct io_event *ev)
{
	uintptr_t was = at_swap(&ev->word, IO_READY);
	if (was > IO_READY)
		ready((struct g *)was, true);
}

void io_signal_here(struct io_event *ev)
{
	uintptr_t was = at_swap(&ev->word, IO_READY);
	if (was > IO_READY)
		ready_here((struct g *)was);
}

/* ---- requests without an answer -------------------------------------------- */

void io_watch_begin(struct io_watch *w)
{
	if (__atomic_fetch_add(&w->busy, 1, __ATOMIC_SEQ_CST) == 0)
		io_signal(&w->ev);
}

void io_watch_end(struct io_watch *w)
{
	at_sub(&w->busy, 1);
}

int64_t io_watch_wait(struct io_watch *w, int64_t patience)
{
	while (!at_load_sc(&w->busy))
		io_wait(&w->ev);
	sleep(patience / 30);
	return (int64_t)plat_now() - patience;
}

/* ---- memory -------------------------------------------------------------- */

#define DMA_PAGE 8192ul

/* The rest of the page that small pieces are cut from. */
static struct lock dma_lock = LOCK_INIT(RANK_LEAF);
static uintptr_t dma_next NOSCAN_DATA, dma_end NOSCAN_DATA; /* under dma_lock */

struct dma_request {
	size_t pages;
	void *p;
};

static void dma_pages(void *arg)
{
	struct dma_request *r = arg;
	r->p = mheap_alloc_manual(r->pages);
}

void *dma_alloc(size_t bytes, size_t align)
{
	struct dma_request r = { (bytes + DMA_PAGE - 1) / DMA_PAGE, NULL };
	if (bytes > DMA_PAGE / 2) {
		rt_systemstack(dma_pages, &r);
	} else {
		for (;;) {
			lock(&dma_lock);
			uintptr_t at = (dma_next + align - 1) & -align;
			bool fits = dma_next && at + bytes <= dma_end;
			if (fits)
				dma_next = at + bytes;
			unlock(&dma_lock);
			if (fits) {
				r.p = (void *)at;
				break;
			}
			r.pages = 1;
			rt_systemstack(dma_pages, &r);
			if (!r.p)
				break;
			lock(&dma_lock);
			dma_next = (uintptr_t)r.p;
			dma_end = dma_next + DMA_PAGE;
			unlock(&dma_lock);
		}
	}
	if (r.p)
		memset(r.p, 0, bytes);
	return r.p;
}

/* ---- messages ------------------------------------------------------------- */

void io_log(const char *fmt, ...)
{
	char line[192];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	log_put(LogWarn, line, (size_t)n);
	line[n++] = '\n';
	plat_write(line, (size_t)n);
}
