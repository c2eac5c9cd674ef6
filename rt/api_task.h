/* api_task.h: tasks and channels, of ingot.h.
 *
 * Unless a line says otherwise everything is called from a task, and misuse
 * is a panic in Go's words. */
#ifndef INGOT_API_TASK_H
#define INGOT_API_TASK_H

#include "api_value.h"
#include "api_select.h"
#include "api_sync.h"

/* A program's main is the first task; the runtime calls it. */
#define main ingot_main
int ingot_main();

/* ---- tasks ----------------------------------------------------------------- */

void rt_go(void (*fn)(void *), const void *args, size_t size);

/* go f(x, y): starts a task that calls f with these arguments, evaluated now
 * and type-checked against f; its result is dropped.  Up to 16 arguments,
 * 1 KiB in all. */
#define go(f, ...) \
	do { \
		RT_CALL(, f, ##__VA_ARGS__) \
		_Static_assert(sizeof rt_call_v <= 1024, "go: arguments over 1 KiB"); \
		rt_go(rt_call_v.fn ? rt_call_thunk : (void (*)(void *))0, &rt_call_v, sizeof rt_call_v); \
	} while (0)

/* go_stack(bytes, f, x, y): the same, for a task whose stack may grow to this
 * many bytes, whatever set_max_stack() says: 68 KiB to 1 GiB.  Only what is
 * used takes memory. */
#define go_stack(bytes, f, ...) \
	do { \
		size_t rt_call_stack = (bytes); \
		RT_CALL(, f, ##__VA_ARGS__) \
		_Static_assert(sizeof rt_call_v <= 1024, "go_stack: arguments over 1 KiB"); \
		rt_go_stack(rt_call_stack, rt_call_v.fn ? rt_call_thunk : (void (*)(void *))0, &rt_call_v, \
		            sizeof rt_call_v); \
	} while (0)
void rt_go_stack(size_t max, void (*fn)(void *), const void *args, size_t size);

/* The most bytes a task's stack may grow to, 64 MiB at first: sets it, 68 KiB
 * to 1 GiB, and returns the former (debug.SetMaxStack).  A task past its
 * limit ends the program with "stack overflow".  Tasks deeper than 68 KiB
 * already keep the limit they have. */
size_t set_max_stack(size_t bytes);

/* Gives way to other tasks (runtime.Gosched). */
void gosched(void);
/* Ends the calling task after its deferred calls (runtime.Goexit). */
_Noreturn void goexit(void);
/* Cores that run tasks: sets it if n > 0, returns the former number. */
int gomaxprocs(int n);
/* How long a task runs while others of its core wait, in nanoseconds, 10 ms at
 * the start (or GODEBUG=quantum=): sets it if ns > 0, 20 us to 10 s, else
 * panics; returns the former one. */
int64_t set_quantum(int64_t ns);
/* Cores of the machine. */
int num_cpu(void);
/* Tasks alive, the caller included (runtime.NumGoroutine). */
int num_task(void);

/* Prints all tasks by state and stack, as Go does on SIGQUIT; equal stacks once,
 * with a count.  The console's Ctrl-T (hosted: SIGQUIT) does the same, at any
 * time.  Stops the world, but not while it prints (runtime.Stack(buf, true)). */
void task_dump(void);
/* Runs a collection that looks for leaked tasks: blocked on channels, locks, wait
 * groups or conds that no task that can still run could reach.  Returns how many
 * there are (-1 without memory to tell) and, if asked to, prints them as
 * task_dump() does, with the state "(leaked)".  Never counts a task that could be woken; misses
 * some: what a stack seems to hold is held, and a lock or wait group that lies
 * on a stack or in a global counts as reachable.  GODEBUG=leaks=1
 * prints them as main returns.  (Go 1.26: the goroutine leak profile.) */
int task_leaks(bool print);

/* For tests: checks that every task is in exactly one place, and throws if
 * not.  Stops the world. */
void sched_check(void);
/* For tests: throws if a core sleeps while a task waits to run, for so many
 * nanoseconds.  Returns the longest it saw that, 0 when all is well at the first
 * look; keeps its core while it looks. */
int64_t sched_watch(int64_t bound);

/* ---- channels ---------------------------------------------------------------- */

/* The type chan T; the zero value NULL is the nil channel.  (A pointer to a
 * function that is never called: the one type constructor of C that two uses
 * of chan(T) agree on and from which T can be had again.)  T is any type but
 * an array. */
#define chan(T) __typeof__(__typeof__(T) (*)(struct hchan *))
#define RT_CHAN_ELEM(c) __typeof__((c)((struct hchan *)0))

struct hchan *rt_make_chan(size_t elemsize, const struct rt_type *type, int64_t cap);
void rt_chan_send(struct hchan *c, const void *elem);
bool rt_chan_recv(struct hchan *c, void *elem);
void rt_chan_close(struct hchan *c);
size_t rt_chan_len(struct hchan *c);
size_t rt_chan_cap(struct hchan *c);

/* make_chan(T) or make_chan(T, n): a channel with room for n values, below
 * 2^32 - 1; of values without size n may be larger, but no more wait in it. */
#define make_chan(T, ...) ((chan(T))rt_make_chan(sizeof(T), RT_TYPE(T), RT_SECOND(0, ##__VA_ARGS__, 0)))

/* ch <- v.  Waits for a receiver or room. */
#define send(ch, v) \
	({ \
		__auto_type rt_send_c = (ch); \
		RT_CHAN_ELEM(rt_send_c) rt_send_v = RT_CONV(RT_CHAN_ELEM(rt_send_c), v); \
		rt_chan_send((struct hchan *)rt_send_c, &rt_send_v); \
	})

/* recv(ch): the value, zero once ch is closed and empty (v := <-ch).
 * recv(ch, p): stores it to *p (p may be NULL); true if it was sent, false
 * if the channel is closed (v, ok := <-ch). */
#define recv(...) RT_CAT(RT_RECV, RT_NARGS(__VA_ARGS__))(__VA_ARGS__)
#define RT_RECV1(ch) \
	({ \
		__auto_type rt_recv_c = (ch); \
		RT_CHAN_ELEM(rt_recv_c) rt_recv_v; \
		rt_chan_recv((struct hchan *)rt_recv_c, &rt_recv_v); \
		rt_recv_v; \
	})
#define RT_RECV2(ch, p) \
	({ \
		__auto_type rt_recv_c = (ch); \
		RT_CHAN_ELEM(rt_recv_c) *rt_recv_p = (p); \
		rt_chan_recv((struct hchan *)rt_recv_c, rt_recv_p); \
	})

/* No more values will be sent; receivers get the rest, then zero. */
#define close(ch) \
	({ \
		__auto_type rt_close_c = (ch); \
		(void)sizeof(RT_CHAN_ELEM(rt_close_c)); \
		rt_chan_close((struct hchan *)rt_close_c); \
	})

/* for v := range ch: until the channel is closed and empty. */
#define for_recv(v, ch) \
	for (struct { \
		     __typeof__(ch) c; \
		     bool once; \
	     } rt_range = { (ch), true }; \
	     rt_range.once; rt_range.once = false) \
		for (RT_CHAN_ELEM(rt_range.c) v; rt_chan_recv((struct hchan *)rt_range.c, &v);)

#include "api_time.h"

#endif
