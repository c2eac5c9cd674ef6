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

#define RT_SELECT_INLINE 8
#define RT_SELECT_VALUE 16

struct rt_select {
	uint32_t n, at;
	int32_t chosen;
	uint8_t pass;
	bool has_default;
	struct rt_case *cases;
	struct rt_case inl[RT_SELECT_INLINE];
	char value[RT_SELECT_INLINE][RT_SELECT_VALUE] __attribute__((aligned(16)));
};

struct rt_case *rt_select_grow(struct rt_select *s);
void *rt_select_value(size_t size);

static inline struct rt_select *rt_select_begin(struct rt_select *s)
{
	s->n = 0;
	s->pass = 0;
	s->has_default = false;
	s->cases = s->inl;
	return s;
}

static inline bool rt_select_step(struct rt_select *s)
{
	if (s->pass == 0) {
		s->pass = 1;
		return true;
	}
	if (s->pass == 2)
		return false;
	s->chosen = rt_select(s->cases, s->n, !s->has_default);
	s->at = 0;
	s->pass = 2;
	return true;
}

static inline struct rt_case *rt_select_add(struct rt_select *s, struct hchan *c, void *elem, bool send)
{
	struct rt_case *k = __builtin_expect(s->n < RT_SELECT_INLINE, 1) ? &s->inl[s->n] : rt_select_grow(s);
	s->n++;
	k->c = c;
	k->elem = elem;
	k->is_send = send;
	return k;
}

/* Where the value of the next send case is kept until the choice. */
static inline void *rt_select_room(struct rt_select *s, size_t size)
{
	return s->n < RT_SELECT_INLINE && size <= RT_SELECT_VALUE ? (void *)s->value[s->n]
	                                                         : rt_select_value(size);
}

static inline bool rt_select_hit(struct rt_select *s)
{
	return (int32_t)s->at++ == s->chosen;
}

#define select \
	for (struct rt_select rt_sel, *rt_selp = rt_select_begin(&rt_sel); rt_select_step(rt_selp);)

/* Sends v on ch when chosen. */
#define case_send(ch, v) \
	if (rt_selp->pass == 1 ? ({ \
		    __auto_type rt_cc = (ch); \
		    RT_CHAN_ELEM(rt_cc) rt_cv = RT_CONV(RT_CHAN_ELEM(rt_cc), v); \
		    void *rt_room = rt_select_room(rt_selp, sizeof rt_cv); \
		    __builtin_memcpy(rt_room, &rt_cv, sizeof rt_cv); \
		    rt_select_add(rt_selp, (struct hchan *)rt_cc, rt_room, true); \
		    false; \
	    }) \
	                       : rt_select_hit(rt_selp))

/* Receives into *p (may be NULL) when chosen; a closed channel gives zero. */
#define case_recv(ch, p) if (RT_CASE_RECV(ch, p))

/* The same, and *okp tells a value from the close. */
#define case_recv_ok(ch, p, okp) \
	if (RT_CASE_RECV(ch, p) && (*(okp) = rt_selp->cases[rt_selp->chosen].ok, true))

#define RT_CASE_RECV(ch, p) \
	(rt_selp->pass == 1 ? ({ \
		__auto_type rt_cc = (ch); \
		RT_CHAN_ELEM(rt_cc) *rt_cp = (p); \
		rt_select_add(rt_selp, (struct hchan *)rt_cc, rt_cp, false); \
		false; \
	}) \
	                    : rt_select_hit(rt_selp))

/* Taken when no other case can go at once. */
#define case_default \
	if (rt_selp->pass == 1 ? (rt_selp->has_default = true, false) : rt_selp->chosen == -1)

#endif
