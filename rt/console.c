/* console.c: commands that show the running program, on the serial line (console_serve)
 * and for whoever asks (console_command: HTTP, rt/http/debug.c).
 *
 * A command makes a text and does nothing else, so it may run at any time.  An image
 * without a call of these contains nothing of them; of the network's report (netstat)
 * only one with the network has it (a weak symbol in an archive). */
#include "proc.h"
#include "inspect.h"
#include "driver.h"
#include "console.h"

/* ---- what they print ------------------------------------------------------------- */

static unsigned long kib(uint64_t bytes)
{
	return (unsigned long)((bytes + 1023) / 1024);
}

static string class_name(uint32_t size, bool noscan)
{
	return size ? sprint("%u%s", size, noscan ? " noscan" : "") : noscan ? S("large noscan") : S("large");
}

#define PS_LINES 100

static void ps(builder *b, string arg)
{
	slice(task_info) v = read_tasks();
	slice(task_count) n = read_task_counts();
	size_t most = string_eq(arg, S("all")) || v.len < PS_LINES ? v.len : PS_LINES;
	for (size_t i = 0; i < n.len; i++)
		builder_printf(b, "%s%lu %s", i ? ", " : "", n.ptr[i].user + n.ptr[i].system, n.ptr[i].state);
	builder_printf(b, "\n%8s %2s %8s %5s  %-24s %s\n", "TASK", "P", "STACK", "WAITS", "STATE", "STARTED BY");
	for (size_t i = 0; i < most; i++) {
		const task_info *t = &v.ptr[i];
		struct rt_sym sym;
		bool known = t->created_by && rt_symbolize(t->created_by - 1, &sym);
		string waits = t->waits < 0 ? S("-") : sprint("%ldm", t->waits);
		string state = sprint("%s%s%s", t->state, t->leaked ? " (leaked)" : "", t->system ? " (system)" : "");
		builder_printf(b, "%8lu %2d %8zu %5s  %-24s %s", t->id, t->proc, t->stack, waits, state,
		               known ? sym.func : "the runtime");
		if (known && sym.line)
			builder_printf(b, " %s:%u", sym.file, sym.line);
		builder_write(b, S("\n"));
	}
	if (most < v.len)
		builder_printf(b, "... and %zu more: ps all\n", v.len - most);
}

static void procs(builder *b, string arg)
{
	slice(proc_info) v = read_procs();
	int64 now = nanotime();
	builder_printf(b, "%2s %-10s %8s %8s %6s %10s %6s  %s\n", "P", "STATE", "TASK", "RUNNEXT", "RUNQ", "TICKS",
	               "TIMERS", "NEXT TIMER");
	for (size_t i = 0; i < v.len; i++) {
		const proc_info *p = &v.ptr[i];
		builder_printf(b, "%2d %-10s %8lu %8lu %6u %10u %6u  ", p->id, p->state, p->task, p->next, p->runq, p->ticks,
		               p->timers);
		if (p->next_timer)
			builder_printf(b, "in %ld ms\n", p->next_timer > now ? (p->next_timer - now) / Millisecond : 0);
		else
			builder_write(b, S("-\n"));
	}
	builder_printf(b, "global queue: %u\n", global_runq());
}

static void mem(builder *b, string arg)
{
	heap_info h;
	read_heap(&h, 1);
	builder_printf(b, "memory %lu KiB: spans %lu, the runtime's own %lu (stacks %lu), free %lu, given back %lu\n",
	               kib(h.total), kib(h.in_use), kib(h.runtime), kib(stack_bytes_inuse()), kib(h.free), kib(h.released));
	builder_printf(b, "heap %lu KiB, collected at %lu, goal %lu\n", kib(h.live), kib(h.trigger), kib(h.goal));
	builder_printf(b, "%-14s %6s %6s %7s %6s %7s %10s %10s %8s\n", "CLASS", "SPANS", "CACHED", "PARTIAL", "FULL", "UNSWEPT",
	               "OBJECTS", "FREE", "KIB");
	for (size_t i = 0; i < h.spans.len; i++) {
		const span_info *s = &h.spans.ptr[i];
		builder_printf(b, "%-14s %6u %6u %7u %6u %7u %10lu %10lu %8lu\n", class_name(s->size, s->noscan), s->spans,
		               s->cached, s->partial, s->full, s->unswept, s->objects, s->free, kib(s->bytes));
	}
}

static void caches(builder *b, string arg)
{
	heap_info h;
	read_heap(&h, 1);
	builder_printf(b, "%2s %-14s %6s %6s\n", "P", "CLASS", "SLOTS", "FREE");
	for (size_t i = 0; i < h.caches.len; i++) {
		const cache_info *c = &h.caches.ptr[i];
		builder_printf(b, "%2d %-14s %6u %6u\n", c->proc, class_name(c->size, c->noscan), c->slots, c->free);
	}
}

static void collections(builder *b, string arg)
{
	slice(gc_cycle) v = read_gc_cycles();
	struct mem_stats m;
	read_mem_stats(&m);
	builder_printf(b, "%u cycles, %u by gc(), world stopped for %lu us in all; GOGC %d, heap %lu KiB, goal %lu KiB\n",
	               m.num_gc, m.num_forced_gc, m.pause_total_ns / 1000, rt_settings.gogc, kib(m.heap_alloc), kib(m.next_gc));
	if (v.len == 0)
		return;
	builder_printf(b, "%6s %10s %9s %9s %9s %10s %10s %10s\n", "CYCLE", "BEGAN s", "TOOK us", "STOP us", "STOP us",
	               "BEFORE KiB", "LIVE KiB", "GOAL KiB");
	for (size_t i = 0; i < v.len; i++) {
		const gc_cycle *c = &v.ptr[i];
		builder_printf(b, "%6u %6ld.%03ld %9ld %9ld %9ld %10lu %10lu %10lu%s\n", c->number, c->began / Second,
		               c->began / Millisecond % 1000, c->duration / 1000, c->stops[0] / 1000, c->stops[1] / 1000,
		               kib(c->heap_before), kib(c->live), kib(c->goal), c->forced ? " (forced)" : "");
	}
}

static void irq(builder *b, string arg)
{
	slice(irq_info) v = read_irqs();
	builder_printf(b, "%6s %4s %12s  %s\n", "VECTOR", "CORE", "COUNT", "FOR");
	for (size_t i = 0; i < v.len; i++)
		builder_printf(b, "%6d %4d %12lu  %s\n", v.ptr[i].vector, v.ptr[i].core, v.ptr[i].count, v.ptr[i].name);
}

static void netstat(builder *b, string arg)
{
	slice(net_queue_info) v = read_net_queues();
	if (net_report)
		net_report(b);
	else
		builder_write(b, S("this image has no TCP/IP\n"));
	if (v.len)
		builder_printf(b, "%-3s %-12s %-8s %12s %14s %8s %12s\n", "NIC", "DRIVER", "QUEUE", "FRAMES", "BYTES", "DROPPED",
		               "INTERRUPTS");
	for (size_t i = 0; i < v.len; i++) {
		const net_queue_info *q = &v.ptr[i];
		builder_printf(b, "%-3d %-12s %s %-5d %12lu %14lu %8lu %12lu\n", q->nic, q->driver, q->sends ? "tx" : "rx",
		               q->queue, q->frames, q->bytes, q->dropped, q->interrupts);
	}
}

static void dmesg(builder *b, string arg)
{
	slice(log_line) v = log_read(1);
	for (size_t i = 0; i < v.len; i++) {
		const log_line *l = &v.ptr[i];
		builder_printf(b, "%6ld.%03ld %-5s task %lu: %s\n", l->time / Second, l->time / Millisecond % 1000,
		               log_level_name(l->level), l->task, l->text);
	}
	if (v.len == 0)
		builder_write(b, S("nothing was logged\n"));
}

/* ---- commands ---------------------------------------------------------------------- */

static void help(builder *b, string arg);

static const struct command {
	const char *name, *what;
	void (*fn)(builder *b, string arg);
} commands[] = {
	{ "help", "this list", help },
	{ "ps", "tasks: state, stack, who started them; ps all: more than 100", ps },
	{ "p", "cores and their Ps: what they run, run queues, timers", procs },
	{ "mem", "memory, and spans by size class", mem },
	{ "mcache", "the spans that the Ps hold", caches },
	{ "gc", "collections", collections },
	{ "irq", "interrupts by vector and core", irq },
	{ "netstat", "addresses, connections, packets by queue", netstat },
	{ "log", "the last lines of the log", dmesg },
};
#define NCOMMANDS (sizeof commands / sizeof commands[0])

static void help(builder *b, string arg)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		builder_printf(b, "%-8s %s\n", commands[i].name, commands[i].what);
}

error console_command(string line, string *out)
{
	builder b = {};
	slice(string) words = strings_fields(line);
	*out = S("");
	if (words.len == 0)
		return NULL;
	char name[32];
	size_t n = words.ptr[0].len < sizeof name ? words.ptr[0].len : sizeof name - 1;
	memcpy(name, words.ptr[0].ptr, n);
	name[n] = 0;
	const struct command *best = &commands[0];
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			commands[i].fn(&b, words.len > 1 ? words.ptr[1] : S(""));
			*out = builder_string(&b);
			return NULL;
		}
		if (word_distance(name, commands[i].name) < word_distance(name, best->name))
			best = &commands[i];
	}
	return errorf("unknown command \"%s\"; the nearest known one is %s (help lists all)", words.ptr[0], best->name);
}

/* ---- the serial line ------------------------------------------------------------------- */

/* The next byte.  Interrupts put them in; one that finds no room is lost. */
static byte next_byte(void)
{
	struct console_in *in = &console_in;
	while (at_load_acq(&in->tail) == in->head)
		io_wait(&in->ev);
	byte c = in->buf[in->head % sizeof in->buf];
	at_store_rel(&in->head, in->head + 1);
	return c;
}

/* A line as it is typed, echoed; backspace takes a letter back. */
static string read_line(void)
{
	char line[128];
	size_t n = 0;
	for (;;) {
		byte c = next_byte();
		if (c == '\r' || c == '\n') {
			plat_write("\n", 1);
			return string_from_bytes(line, n);
		}
		if ((c == 8 || c == 127) && n) {
			n--;
			plat_write("\b \b", 3);
		} else if (c >= ' ' && c < 127 && n < sizeof line) {
			line[n++] = (char)c;
			plat_write(&line[n - 1], 1);
		}
	}
}

static void serve(void *unused)
{
	for (;;) {
		string out, line = read_line();
		error err = console_command(line, &out);
		if (err)
			println("%s", err);
		else
			print_string(out);
	}
}

void console_serve(void)
{
	read_gc_cycles(); /* which are noted from here on */
	if (!at_swap(&console_in.on, 1))
		rt_go_system(serve, NULL);
}
