/* lend.h: what else other parts of the runtime ask of a TCP connection (tcp.c). */
#ifndef RT_NET_LEND_H
#define RT_NET_LEND_H

#include "../rt.h"
#include "../api_value.h"
#include "../api_error.h"
#include "../api_net.h"

/* conn_read, for connections that may stay silent for long: lend(arg) gives the
 * buffer of n bytes, only when there is something to put into it.  It is called
 * under the network lock: it may allocate, and must not wait.  task */
error conn_read_lent(conn *c, void *(*lend)(void *arg), void *arg, size_t n, size_t *got) must_check;
/* Whether a read would not wait: there are bytes, the end, or an error.  task */
bool conn_ready(conn *c);

/* ev is signalled when the peer will send no more, or the connection is lost or
 * closed, also if that was before; NULL: no more.  task */
void conn_notify_end(conn *c, struct io_event *ev);
bool conn_ended(conn *c);

#endif
