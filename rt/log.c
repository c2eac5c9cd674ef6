/* log.c: the ring of log lines (api_log.h).
 *
 * Fixed places: a line takes the place of the one LINES before it.  The text is
 * formatted before the lock is taken and goes to the console after it was given
 * back (9 ms a line on a serial port), so lines of two cores may reach the console in
 * the other order.  An image that logs nothing contains nothing of this.
 *
 * Invariant: line number n is in ring[n % LINES], for the last LINES numbers. */
#include "proc.h"
#include "libc.h"
#include "log.h"
#include "api_value.h"
#include "api_log.h"

#define LINES 256
#define TEXT_MAX 240

struct place {
	int64_t time;
	uint64_t task;
	int8_t level;
	uint8_t n;
	char text[TEXT_MAX];
};

static struct place ring[LINES] NOSCAN_BSS;
static uint64_t last;                   /* number of the newest line; under ring_lock */
static struct lock ring_lock = LOCK_INIT(RANK_LEAF);
static int32_t level_kept = LogInfo, level_console = LogInfo; /* relaxed */

log_level rt_log_level(void)
{
	return (log_level)at_load(&level_kept);
}

log_level log_set_level(log_level level)
{
	return (log_level)at_swap(&level_kept, (int32_t)level);
}

log_level log_set_console_level(log_level level)
{
	return (log_level)at_swap(&level_console, (int32_t)level);
}

string log_level_name(log_level level)
{
	return level < LogInfo ? S("DEBUG") : level < LogWarn ? S("INFO") : level < LogError ? S("WARN") : S("ERROR");
}

void log_put(int level, const char *text, size_t n)
{
	struct place p = { .time = (int64_t)plat_now(), .task = rt_self.g->id, .level = (int8_t)level };
	p.n = (uint8_t)(n < TEXT_MAX ? n : TEXT_MAX);
	lock(&ring_lock);
	struct place *at = &ring[++last % LINES];
	memcpy(at, &p, offsetof(struct place, text));
	memcpy(at->text, text, p.n);
	unlock(&ring_lock);
}

void rt_log(log_level level, unsigned kinds, const char *fmt, ...)
{
	builder b = {};
	va_list ap;
	va_start(ap, fmt);
	rt_vformat(&b, NULL, kinds, fmt, ap);
	va_end(ap);
	string s = builder_string(&b);
	log_put(level, s.ptr, s.len);
	if (level >= (log_level)at_load(&level_console)) {
		/* As Go's slog does it, with the seconds since the start. */
		uint64_t ms = plat_now() / 1000000;
		print("%lu.%03lu %s %s\n", (unsigned long)(ms / 1000), (unsigned long)(ms % 1000),
		      log_level_name(level), s);
	}
}

slice(log_line) log_read(uint64_t from)
{
	slice(log_line) v = {};
	struct place p;
	uint64_t end;
	lock(&ring_lock);
	end = last;
	unlock(&ring_lock);
	if (end >= LINES && from <= end - LINES)
		from = end - LINES + 1;
	for (uint64_t n = from ? from : 1; n <= end; n++) {
		lock(&ring_lock);
		bool there = last < n + LINES; /* else newer lines have its place */
		memcpy(&p, &ring[n % LINES], sizeof p);
		unlock(&ring_lock);
		if (there)
			v = append(v, ((log_line){ n, p.time, (log_level)p.level, p.task,
			                           string_from_bytes(p.text, p.n) }));
	}
	return v;
}
