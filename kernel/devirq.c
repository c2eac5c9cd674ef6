/* devirq.c: interrupts of devices become events of the runtime.
 *
 * No driver's code runs in interrupt context: the handler of a vector marks an
 * event (rt_irq_event), and the task that waits for it does the rest.  A
 * message (MSI-X) has a vector of its own and needs no more.  A line may be
 * shared and, when level triggered, would interrupt again at once: the handler
 * masks it in the I/O APIC, and when the tasks of all its events have quieted
 * their devices it is let through again.
 *
 * Invariants: vectors and lines are never given back, there are more than any
 * machine has devices for.  line->n only grows, and an event is in place before
 * it does.  Lines are spread over the cores, one after another. */
#include "kernel.h"
#include "rt/plat.h"

#define EVENTS_MAX 8 /* devices on one line */
enum { VEC_DEVICE = VEC_CONSOLE + 1, VEC_DEVICE_END = 0xe0 };

static struct line {
	uint32_t gsi;
	bool level;
	uint32_t n;      /* release / acquire with ev[] */
	uint32_t owed;   /* events of the last interrupt whose devices are not quiet; seq_cst */
	struct io_event *ev[EVENTS_MAX];
} lines[32];
static unsigned nlines;
static uint32_t next_vector = VEC_DEVICE; /* atomic */
static struct {
	const void *arg; /* its handler's: an event, or a line */
	char name[32];   /* written once, before anybody may see the device */
} vectors[VEC_DEVICE_END - VEC_DEVICE];

static void message_irq(struct plat_frame *f, void *arg)
{
	rt_irq_event(arg);
}

static void line_irq(struct plat_frame *f, void *arg)
{
	struct line *l = arg;
	uint32_t n = __atomic_load_n(&l->n, __ATOMIC_ACQUIRE);
	if (l->level) {
		ioapic_mask(l->gsi, true);
		__atomic_store_n(&l->owed, n, __ATOMIC_SEQ_CST);
		for (uint32_t i = 0; i < n; i++)
			__atomic_store_n(&l->ev[i]->owed, 1, __ATOMIC_SEQ_CST);
	}
	for (uint32_t i = 0; i < n; i++)
		rt_irq_event(l->ev[i]);
}

static unsigned vector_alloc(void (*fn)(struct plat_frame *, void *), void *arg)
{
	uint32_t v = __atomic_fetch_add(&next_vector, 1, __ATOMIC_RELAXED);
	if (v >= VEC_DEVICE_END) {
		__atomic_store_n(&next_vector, VEC_DEVICE_END, __ATOMIC_RELAXED);
		return 0;
	}
	vectors[v - VEC_DEVICE].arg = arg;
	irq_set(v, fn, arg);
	return v;
}

void devirq_name(const struct io_event *ev, const char *name)
{
	for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
		if (vectors[i].arg == ev || (ev->line && vectors[i].arg == ev->line))
			ksnprintf(vectors[i].name, sizeof vectors[i].name, "%s", name);
}

const char *devirq_name_of(unsigned vector)
{
	if (vector - VEC_DEVICE >= sizeof vectors / sizeof vectors[0] || !vectors[vector - VEC_DEVICE].arg)
		return NULL;
	return vectors[vector - VEC_DEVICE].name[0] ? vectors[vector - VEC_DEVICE].name : "device";
}

unsigned devirq_vector(struct io_event *ev)
{
	return vector_alloc(message_irq, ev);
}

bool devirq_message(unsigned core, unsigned vector, uint64_t *addr, uint32_t *data)
{
	uint32_t id = cpus[core % ncpus]->apic_id;
	if (id > 0xfe)
		return false;
	*addr = 0xfee00000u | id << 12;
	*data = vector;
	return true;
}

bool devirq_line(bool isa, unsigned number, bool level, struct io_event *ev)
{
	bool low = isa && level; /* as PCI lines are, unless the firmware says otherwise */
	uint32_t gsi = isa ? ioapic_isa_gsi(number, &level, &low) : number;
	for (unsigned i = 0; i < nlines; i++)
		if (lines[i].gsi == gsi) {
			struct line *l = &lines[i];
			if (l->n == EVENTS_MAX)
				return false;
			ev->line = l;
			l->ev[l->n] = ev;
			__atomic_store_n(&l->n, l->n + 1, __ATOMIC_RELEASE);
			return true;
		}
	if (nlines == sizeof lines / sizeof lines[0])
		return false;
	struct line *l = &lines[nlines];
	*l = (struct line){ .gsi = gsi, .level = level, .n = 1, .ev = { ev } };
	ev->line = l;
	unsigned vector = vector_alloc(line_irq, l);
	if (!vector || !ioapic_route(gsi, vector, cpus[nlines % ncpus]->apic_id, level, low))
		return false;
	nlines++;
	return true;
}

void devirq_done(struct io_event *ev)
{
	struct line *l = ev->line;
	if (l && __atomic_exchange_n(&ev->owed, 0, __ATOMIC_SEQ_CST) &&
	    __atomic_sub_fetch(&l->owed, 1, __ATOMIC_SEQ_CST) == 0)
		ioapic_mask(l->gsi, false);
}
