/* inspectjson.c: the snapshots of inspect.c as one JSON object, for pages and scripts.
 * Times are nanoseconds of nanotime(), sizes bytes; names are those of api_inspect.h. */
#include "proc.h"
#include "inspect.h"

/* A string of JSON: RFC 8259, 7. */
static void quoted(builder *b, string s)
{
	builder_write_byte(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		byte c = (byte)s.ptr[i];
		if (c == '"' || c == '\\')
			builder_write_byte(b, '\\');
		if (c < 0x20)
			builder_printf(b, "\\u%04x", c);
		else
			builder_write_byte(b, c);
	}
	builder_write_byte(b, '"');
}

/* Before each element but the first. */
static void comma(builder *b, size_t i)
{
	if (i)
		builder_write_byte(b, ',');
}

static void put_tasks(builder *b)
{
	slice(task_count) v = read_task_counts();
	builder_printf(b, ",\"num_task\":%d,\"tasks\":[", num_task());
	for (size_t i = 0; i < v.len; i++) {
		comma(b, i);
		builder_printf(b, "{\"state\":\"%s\",\"user\":%lu,\"system\":%lu}", v.ptr[i].state, v.ptr[i].user,
		               v.ptr[i].system);
	}
	builder_write(b, S("]"));
}

static void put_procs(builder *b)
{
	slice(proc_info) v = read_procs();
	builder_printf(b, ",\"gomaxprocs\":%u,\"global_runq\":%u,\"procs\":[", at_load(&rt_nps), global_runq());
	for (size_t i = 0; i < v.len; i++) {
		const proc_info *p = &v.ptr[i];
		comma(b, i);
		builder_printf(b, "{\"id\":%d,\"state\":\"%s\",\"task\":%lu,\"next\":%lu,\"runq\":%u,\"ticks\":%u,"
		                  "\"timers\":%u,\"next_timer\":%ld,\"node\":%d}",
		               p->id, p->state, p->task, p->next, p->runq, p->ticks, p->timers, p->next_timer, p->node);
	}
	builder_write(b, S("]"));
}

static void put_heap(builder *b)
{
	heap_info h;
	read_heap(&h, MAP_CELLS);
	builder_printf(b, ",\"heap\":{\"live\":%lu,\"trigger\":%lu,\"goal\":%lu,\"in_use\":%lu,\"free\":%lu,"
	                  "\"released\":%lu,\"runtime\":%lu,\"total\":%lu,\"stacks\":%zu,\"cell\":%lu,\"map\":[",
	               h.live, h.trigger == UINT64_MAX ? 0 : h.trigger, h.goal == UINT64_MAX ? 0 : h.goal, h.in_use,
	               h.free, h.released, h.runtime, h.total, stack_bytes_inuse(), h.cell);
	for (size_t i = 0; i < h.map.len; i++) {
		const heap_cell *c = &h.map.ptr[i];
		comma(b, i);
		builder_printf(b, "[%u,%u,%u,%u,%u]", c->spans, c->runtime, c->free, c->released, c->untouched);
	}
	builder_write(b, S("],\"spans\":["));
	for (size_t i = 0; i < h.spans.len; i++) {
		const span_info *s = &h.spans.ptr[i];
		comma(b, i);
		builder_printf(b, "{\"size\":%u,\"noscan\":%s,\"spans\":%u,\"cached\":%u,\"partial\":%u,\"full\":%u,"
		                  "\"unswept\":%u,\"per_span\":%u,\"bytes\":%lu,\"objects\":%lu,\"free\":%lu}",
		               s->size, s->noscan ? "true" : "false", s->spans, s->cached, s->partial, s->full, s->unswept,
		               s->per_span, s->bytes, s->objects, s->free);
	}
	builder_write(b, S("],\"caches\":["));
	for (size_t i = 0; i < h.caches.len; i++) {
		const cache_info *c = &h.caches.ptr[i];
		comma(b, i);
		builder_printf(b, "{\"proc\":%d,\"size\":%u,\"noscan\":%s,\"slots\":%u,\"free\":%u}", c->proc, c->size,
		               c->noscan ? "true" : "false", c->slots, c->free);
	}
	builder_write(b, S("]}"));
}

static void put_gc(builder *b)
{
	slice(gc_cycle) v = read_gc_cycles();
	builder_printf(b, ",\"gogc\":%d,\"num_gc\":%u,\"gc\":[", rt_settings.gogc, v.len ? v.ptr[v.len - 1].number : 0);
	for (size_t i = 0; i < v.len; i++) {
		const gc_cycle *c = &v.ptr[i];
		comma(b, i);
		builder_printf(b, "{\"number\":%u,\"forced\":%s,\"began\":%ld,\"duration\":%ld,\"stops\":[%ld,%ld],",
		               c->number, c->forced ? "true" : "false", c->began, c->duration, c->stops[0], c->stops[1]);
		builder_printf(b, "\"heap_before\":%lu,\"heap_after\":%lu,\"live\":%lu,\"goal\":%lu}", c->heap_before,
		               c->heap_after, c->live, c->goal == UINT64_MAX ? 0 : c->goal);
	}
	builder_write(b, S("]"));
}

static void put_machine(builder *b)
{
	slice(irq_info) v = read_irqs();
	builder_write(b, S(",\"irqs\":["));
	for (size_t i = 0; i < v.len; i++) {
		comma(b, i);
		builder_printf(b, "{\"vector\":%d,\"core\":%d,\"name\":\"%s\",\"count\":%lu}", v.ptr[i].vector, v.ptr[i].core,
		               v.ptr[i].name, v.ptr[i].count);
	}
	slice(net_queue_info) q = read_net_queues();
	builder_write(b, S("],\"queues\":["));
	for (size_t i = 0; i < q.len; i++) {
		comma(b, i);
		builder_printf(b, "{\"nic\":%d,\"queue\":%d,\"driver\":\"%s\",\"sends\":%s,\"frames\":%lu,\"bytes\":%lu,"
		                  "\"dropped\":%lu,\"interrupts\":%lu}",
		               q.ptr[i].nic, q.ptr[i].queue, q.ptr[i].driver, q.ptr[i].sends ? "true" : "false",
		               q.ptr[i].frames, q.ptr[i].bytes, q.ptr[i].dropped, q.ptr[i].interrupts);
	}
	builder_write(b, S("]"));
}

#define LOG_LINES 20

static void put_log(builder *b)
{
	slice(log_line) v = log_read(1);
	size_t first = v.len > LOG_LINES ? v.len - LOG_LINES : 0;
	builder_write(b, S(",\"log\":["));
	for (size_t i = first; i < v.len; i++) {
		const log_line *l = &v.ptr[i];
		comma(b, i - first);
		builder_printf(b, "{\"number\":%lu,\"time\":%ld,\"level\":\"%s\",\"task\":%lu,\"text\":", l->number, l->time,
		               log_level_name(l->level), l->task);
		quoted(b, l->text);
		builder_write(b, S("}"));
	}
	builder_write(b, S("]"));
}

string runtime_json(void)
{
	builder b = {};
	builder_printf(&b, "{\"now\":%ld,\"cores\":%u", nanotime(), plat_ncores);
	put_procs(&b);
	put_tasks(&b);
	put_heap(&b);
	put_gc(&b);
	put_machine(&b);
	put_log(&b);
	builder_write(&b, S("}\n"));
	return builder_string(&b);
}
