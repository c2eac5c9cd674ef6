/* api_select.h: select, of ingot.h.
 *
 *     select {
 *             case_recv(jobs, &j) { work(j); }
 *             case_send(out, v)   { n++; }
 *             case_default        { idle(); }
 *     }
 *
 * Go's rules: channel and value expressions are evaluated once, in order;
 * one case that can go is chosen uniformly; without default it waits; nil
 * channels never go.  `break` in a case leaves the select; so does
 * `continue`, which unlike Go's does not reach an enclosing loop.
 *
 * How: the block runs twice as a loop body.  The first time each case_*
 * notes its channel and is false; then the choice is made; the second time
 * only the chosen case is true, and nothing is evaluated again. */
#ifndef INGOT_API_SELECT_H
#define INGOT_API_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hchan;

struct rt_case {
	struct hchan *c;  /* may be NULL: never ready */
	void *elem;       /* value to send, or where to receive, or NULL */
	bool is_send;
	bool ok;          /* result: a value was received (sent) */
};

int32_t rt_select(struct rt_case *cases, uint32_t n, bool block);

#define RT_SELECT_INLINE 8  /* cases in the frame; a power of two */
#define RT_SELECT_VALUE 16  /* bytes of a value to send in the frame */
#define RT_SELECT_MAX 65536 /* as Go's reflect.Select */

/* What the runtime sees. */
struct rt_select_mem {
	struct rt_case inl[RT_SELECT_INLINE];
	char value[RT_SELECT_INLINE][RT_SELECT_VALUE] __attribute__((aligned(16)));
};

/* The rest.  Its address is not taken, so that after unrolling it is constants
 * and registers. */
struct rt_select {
	struct rt_case *cases;
	uint32_t n, at; /* cases noted; looked at in the second pass */
	int32_t chosen;
	int pass;
	bool has_default;
};

struct rt_case *rt_select_grow(struct rt_case *cases, uint32_t n);
void *rt_select_value(size_t size);

#define RT_SELECT_ADD(ch, p, send) \
	({ \
		if (__builtin_expect(rt_sel.n >= RT_SELECT_INLINE, 0)) \
			rt_sel.cases = rt_select_grow(rt_sel.cases, rt_sel.n); \
		struct rt_case *rt_k = &rt_sel.cases[rt_sel.n++]; \
		rt_k->c = (struct hchan *)(ch); \
		rt_k->elem = (p); \
		rt_k->is_send = (send); \
		false; \
	})

/* Where the value of the next send case is kept until the choice. */
#define RT_SELECT_ROOM(size) \
	(rt_sel.n < RT_SELECT_INLINE && (size) <= RT_SELECT_VALUE ? (void *)rt_selm.value[rt_sel.n] \
	                                                          : rt_select_value(size))

#define RT_SELECT_HIT ((int32_t)rt_sel.at++ == rt_sel.chosen)

/* Waits for the first of its cases that can go, as Go's select; see the top. */
#define select \
	for (struct rt_select_mem rt_selm, *rt_selo = &rt_selm; rt_selo; rt_selo = NULL) \
		_Pragma("GCC unroll 2") \
		for (struct rt_select rt_sel = { .cases = rt_selm.inl }; rt_sel.pass < 2; \
		     rt_sel.pass++ ? 0 : (rt_sel.chosen = rt_select(rt_sel.cases, rt_sel.n, !rt_sel.has_default)))

/* Sends v on ch when chosen. */
#define case_send(ch, v) \
	if (rt_sel.pass == 0 ? ({ \
		    __auto_type rt_cc = (ch); \
		    RT_CHAN_ELEM(rt_cc) rt_cv = RT_CONV(RT_CHAN_ELEM(rt_cc), v); \
		    void *rt_room = RT_SELECT_ROOM(sizeof rt_cv); \
		    __builtin_memcpy(rt_room, &rt_cv, sizeof rt_cv); \
		    RT_SELECT_ADD(rt_cc, rt_room, true); \
	    }) \
	                     : RT_SELECT_HIT)

/* Receives into *p (may be NULL) when chosen; a closed channel gives zero. */
#define case_recv(ch, p) if (RT_CASE_RECV(ch, p))

/* The same, and *okp tells a value from the close. */
#define case_recv_ok(ch, p, okp) \
	if (RT_CASE_RECV(ch, p) && (*(okp) = rt_sel.cases[rt_sel.chosen].ok, true))

#define RT_CASE_RECV(ch, p) \
	(rt_sel.pass == 0 ? ({ \
		__auto_type rt_cc = (ch); \
		RT_CHAN_ELEM(rt_cc) *rt_cp = (p); \
		RT_SELECT_ADD(rt_cc, rt_cp, false); \
	}) \
	                  : RT_SELECT_HIT)

/* Taken when no other case can go at once. */
#define case_default if (rt_sel.pass == 0 ? (rt_sel.has_default = true, false) : rt_sel.chosen == -1)

#endif
