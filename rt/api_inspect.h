/* api_inspect.h: the running program seen from inside (part of ingot.h): cores, tasks,
 * the heap's spans and caches, collections, interrupts, queues of network interfaces; and
 * a console that shows them, on the serial line and over HTTP.
 *
 *	console_serve();                                       commands on the serial line: help
 *	http_handle(mux, S("GET /debug/"), debug_handler);     the same: /debug/ps, /debug/mem, ...
 *
 * Snapshots may be taken by any task at any time.  Only read_heap() stops the world, for
 * the time that reading the Ps' caches takes; all else is read while the cores go on, so
 * that figures of one snapshot may be some microseconds apart.  What an image does not use
 * of this is not in it.  Go has parts of it: runtime/metrics, pprof, expvar. */
#ifndef INGOT_API_INSPECT_H
#define INGOT_API_INSPECT_H

#ifndef INGOT_API_NET_H
#error "include ingot.h"
#endif

/* ---- scheduler ------------------------------------------------------------------ */

/* A P, and the core that it is bound to. */
typedef struct proc_info {
	int id;
	string state;            /* "running", "idle", "scheduling", "offline": GOMAXPROCS is less */
	uint64_t task;           /* the task it runs, 0: none */
	uint64_t next;           /* the one in runnext, 0: none */
	uint32_t runq;           /* tasks in its queue, runnext not counted */
	uint32_t ticks;          /* tasks dispatched so far */
	uint32_t timers;         /* deadlines in its heap, and the next one (nanotime(), 0: none) */
	int64_t next_timer;
	int node;                /* of its memory */
} proc_info;
declare_slice(proc_info);
/* All Ps, by number. */
slice(proc_info) read_procs(void);
/* Tasks in the global queue. */
uint32_t global_runq(void);

/* A task. */
typedef struct task_info {
	uint64_t id;
	string state;            /* "running", "runnable", or what it waits for: "chan receive" */
	int64_t waits;           /* minutes that it has been seen waiting, -1: it does not */
	size_t stack;            /* bytes of its stack, 0 while it is frozen */
	int proc;                /* where it runs or last ran, -1: nowhere yet */
	bool system;             /* the runtime's own: not in num_task() */
	bool leaked;             /* task_leaks() found that nobody can wake it */
	uintptr_t created_by;    /* return address in who started it */
} task_info;
declare_slice(task_info);
/* All tasks, as old as their place in memory. */
slice(task_info) read_tasks(void);

/* How many tasks are in a state: the program's own, the runtime's. */
typedef struct task_count {
	string state;
	uint64_t user, system;
} task_count;
declare_slice(task_count);
/* The states that there are, running and runnable first.  Cheaper than read_tasks(). */
slice(task_count) read_task_counts(void);

/* ---- heap ------------------------------------------------------------------------- */

/* The spans of one span class. */
typedef struct span_info {
	uint32_t size;           /* bytes of an object; 0: large ones, a span each */
	bool noscan;             /* they hold no pointers */
	uint32_t spans;          /* in use, of these ... */
	uint32_t cached;         /* ... in a P's mcache */
	uint32_t partial, full;  /* ... swept, in the mcentral */
	uint32_t unswept;        /* ... not swept since the last collection */
	uint32_t per_span;       /* objects that a span has room for */
	uint64_t bytes;
	uint64_t objects, free;  /* slots: allocated (or not yet swept), free */
} span_info;
declare_slice(span_info);

/* The span that a P's mcache holds of a class. */
typedef struct cache_info {
	int proc;
	uint32_t size;
	bool noscan;
	uint32_t slots, free;
} cache_info;
declare_slice(cache_info);

/* A stretch of the machine's memory, counted in pages of 8 KiB. */
typedef struct heap_cell {
	uint32_t spans;          /* in spans */
	uint32_t runtime;        /* the runtime's own: stacks, tables */
	uint32_t free;           /* free, backed by the host */
	uint32_t released;       /* free, given back to the host (scavenged) */
	uint32_t untouched;      /* never used so far */
} heap_cell;
declare_slice(heap_cell);

/* The heap. */
typedef struct heap_info {
	uint64_t live, trigger, goal; /* bytes allocated since or marked by the last cycle; when
	                               * the next one begins, and where it is to end */
	uint64_t in_use, free, released, runtime, total; /* bytes of pages */
	uint64_t cell;                /* bytes of a cell of the map but the last */
	slice(heap_cell) map;         /* all memory in the order of addresses, holes left out */
	slice(span_info) spans;       /* classes in use, small ones first */
	slice(cache_info) caches;     /* by P, then class */
} heap_info;
/* cells: of the map, at most. */
void read_heap(heap_info *h, uint32_t cells);

/* A collection. */
typedef struct gc_cycle {
	uint32_t number;
	bool forced;                  /* by gc() */
	int64_t began;                /* nanotime() */
	int64_t duration;             /* nanoseconds, from its first stop to its end */
	int64_t stops[2];             /* of the world, at its beginning and end */
	uint64_t heap_before, heap_after; /* bytes when it began and as it ended */
	uint64_t live, goal;          /* marked; the goal it worked for */
} gc_cycle;
declare_slice(gc_cycle);
/* The last 64 cycles, oldest first, from the first call of this on. */
slice(gc_cycle) read_gc_cycles(void);

/* ---- machine ------------------------------------------------------------------------ */

/* Interrupts of one vector, taken by one core. */
typedef struct irq_info {
	int vector, core;
	string name;
	uint64_t count;
} irq_info;
declare_slice(irq_info);
/* Those that came at least once.  None when hosted. */
slice(irq_info) read_irqs(void);

/* One queue of a network interface. */
typedef struct net_queue_info {
	int nic, queue;
	string driver;
	bool sends;              /* else it receives */
	uint64_t frames, bytes, dropped, interrupts;
} net_queue_info;
declare_slice(net_queue_info);
/* Those of all interfaces. */
slice(net_queue_info) read_net_queues(void);

/* ---- all of it --------------------------------------------------------------------------- */

/* Everything above as one JSON object. */
string runtime_json(void);

/* Reads commands from the serial console, a line each, in a task of its own; `help` lists
 * them.  (Ctrl-T goes on to show all stacks.)  Where the platform has no input it does nothing. */
void console_serve(void);
/* What such a command prints; an error names the nearest one known. */
error console_command(string line, string *out) must_check;

struct http_writer;
struct http_request;
/* For http_handle(mux, S("GET /debug/"), debug_handler) or another path that ends in "/": what
 * follows the last "/" is the command, ?arg= its argument, the answer text; "runtime" gives runtime_json(), nothing
 * gives `help`. */
void debug_handler(struct http_writer *w, struct http_request *r);

#endif
