/* api_time.h: sleeping, timers and tickers, of ingot.h.  Go's package time,
 * with the guarantee of Go 1.23: after timer_stop or timer_reset returns, no
 * value of the old setting is received.
 *
 * Durations are int64 nanoseconds; the values on channels are nanotime(). */
#ifndef INGOT_API_TIME_H
#define INGOT_API_TIME_H

#ifndef INGOT_API_TASK_H
#error "include ingot.h"
#endif

/* Durations: sleep(10 * Millisecond). */
#define Nanosecond INT64_C(1)
#define Microsecond INT64_C(1000)
#define Millisecond INT64_C(1000000)
#define Second INT64_C(1000000000)
#define Minute (60 * Second)
#define Hour (60 * Minute)

/* Sleeps at least ns; ns <= 0 returns at once.  task. */
void sleep(int64_t ns);
/* Monotonic nanoseconds since boot.  any. */
int64_t nanotime(void);

/* Nanoseconds since 1970-01-01 00:00:00 UTC (time.Now().UnixNano()): what the
 * machine's clock said when first asked, and nanotime() from there on, so it
 * never goes back; a PC's clock is right to half a second.  On a machine that
 * does not know the time, which the console then says, it begins at 0 with the
 * boot.  A time server (NET=...,ntp=HOST or DHCP's) sets it when it has answered: then
 * it may step.  task or system. */
int64_t unix_nano(void);

/* A timer or ticker, in collected memory.  c is NULL for after_func's. */
typedef struct timer {
	chan(int64_t) c; /* receives the time when it fires */
} timer;

/* Fires once, d from now; at once if d <= 0.  task. */
timer *new_timer(int64_t d);
/* The channel of a new timer: for select with a time limit. */
#define after(d) (new_timer(d)->c)
/* Calls f(arg) in a task of its own, d from now. */
timer *after_func(int64_t d, void (*f)(void *), void *arg);
/* Fires every d > 0 (panics otherwise); a slow receiver misses ticks. */
timer *new_ticker(int64_t d);
/* False if it had fired or was stopped already.  task. */
bool timer_stop(timer *t);
/* Sets it anew (a ticker to the period d > 0); true if it was running.  task. */
bool timer_reset(timer *t, int64_t d);

#endif
