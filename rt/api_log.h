/* api_log.h: what happened, in lines with levels (part of ingot.h).  After Go's
 * log/slog, with formats instead of attributes.
 *
 *	log_info("serving on port %d", port);
 *	log_warn("%s: %s", name, err);
 *
 * The last lines are kept in a ring in memory, as dmesg shows them on Linux; those of
 * the console's level and above also go to the console at once.  Drivers and the network
 * write here too.  Reading: log_read(), the command `log` of the console (api_inspect.h).
 * Lines longer than 240 bytes are cut. */
#ifndef INGOT_API_LOG_H
#define INGOT_API_LOG_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif
#include "api_format.h"

/* Go's numbers. */
typedef enum log_level { LogDebug = -4, LogInfo = 0, LogWarn = 4, LogError = 8 } log_level;

/* Formats of api_format.h.  task. */
#define log_debug(fmt, ...) log_at(LogDebug, fmt, ##__VA_ARGS__)
#define log_info(fmt, ...) log_at(LogInfo, fmt, ##__VA_ARGS__)
#define log_warn(fmt, ...) log_at(LogWarn, fmt, ##__VA_ARGS__)
#define log_error(fmt, ...) log_at(LogError, fmt, ##__VA_ARGS__)
/* A line below the level of log_set_level() costs its arguments and a comparison. */
#define log_at(level, fmt, ...) \
	({ \
		RT_FMT_EVALS(__VA_ARGS__) \
		log_level rt_ll = (level); \
		if (rt_ll >= rt_log_level()) \
			rt_log(rt_ll, RT_FMT_KINDS(__VA_ARGS__), fmt RT_FMT_ARGS(__VA_ARGS__)); \
	})
log_level rt_log_level(void);
void rt_log(log_level level, unsigned kinds, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The least level that is kept, LogInfo at first, and that goes to the console too, LogInfo at
 * first; each returns the former.  any.  Go: slog.SetLogLoggerLevel */
log_level log_set_level(log_level level);
log_level log_set_console_level(log_level level);

/* One line.  Numbers rise by one from 1 on. */
typedef struct log_line {
	uint64_t number;
	int64_t time;     /* nanotime() */
	log_level level;
	uint64_t task;    /* who wrote it */
	string text;
} log_line;
declare_slice(log_line);

/* The lines in memory from this number on, oldest first.  task. */
slice(log_line) log_read(uint64_t from);
/* "DEBUG", "INFO", "WARN", "ERROR", as Go writes them.  any. */
string log_level_name(log_level level);

#endif
