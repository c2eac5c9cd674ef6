/* log.h: the log, for those inside the runtime that must not allocate. */
#ifndef RT_LOG_H
#define RT_LOG_H

#include <stddef.h>

/* Keeps a line that is formatted already; level: a log_level.  task or system */
void log_put(int level, const char *text, size_t n);

#endif
