/* http.h: what the files of rt/http share. */
#ifndef RT_HTTP_HTTP_H
#define RT_HTTP_HTTP_H

#include "../rt.h"
#include "../type.h"
#include "../api_value.h"
#include "../api_string.h"
#include "../api_mem.h"
#include "../api_error.h"
#include "../api_task.h"
#include "../api_date.h"
#include "../api_defer.h"
#include "../api_io.h"
#include "../api_net.h"
#include "../api_http.h"
#include "../link.h"
#include <llhttp.h>

#define IN_MAX 4096      /* bytes read at a time */
#define OUT_MAX 4096     /* bytes of answers collected before they are sent */
#define HEADERS_MAX 100  /* of a request */
#define PARAMS_MAX 8     /* wildcards of a pattern */

struct span {
	uint32_t at, n;      /* in head */
};

struct http_writer {
	struct http_conn *c;
	int code;
	bool sent_head;      /* the status line is out, or in c->out */
	bool chunked, no_body, failed;
	bool has_type, has_length, has_date, has_connection;
	string head;         /* headers set by the handler, as they will be sent */
	size_t body_at;      /* where the body collected so far begins in c->body */
};

/* One connection, used by its task only but for the list and conn. */
struct http_conn {
	http_server *server;
	struct http_conn *next, **link; /* of the server's; under its mu */
	bool busy;                  /* in a request; under its mu */
	conn *conn;
	llhttp_t parser;
	byte in[IN_MAX];            /* what was read: in_at .. in_end is not parsed yet */
	uint32_t in_at, in_end;
	/* The request's head: collected in scratch, then copied so that the strings
	 * outlive it. */
	slice(byte) scratch;
	struct span method, target, names[HEADERS_MAX], values[HEADERS_MAX];
	uint32_t nheaders;
	string head;
	int64 read_deadline, write_deadline;
	bool slow;                  /* read_deadline is that of a head */
	bool too_large, head_done, message_done, expect_continue, close;
	const byte *body_at;        /* of the body, parsed and not read: in `in` */
	size_t body_n;
	http_request request;
	http_writer writer;
	string param_names[PARAMS_MAX], param_values[PARAMS_MAX];
	uint32_t nparams;
	uint32_t out_n, body_len;
	byte out[OUT_MAX];          /* answers to be sent */
	byte body[OUT_MAX];         /* of the answer that is being written */
};

/* mux.c: the handler, and fills c's params; NULL: *allow is what 405 says, "" for 404. */
http_handler mux_find(http_mux *m, struct http_conn *c, string *allow);

/* writer.c */
void writer_begin(struct http_conn *c);
error writer_end(struct http_conn *c);    /* the answer is complete */
error out_flush(struct http_conn *c);
error out_put(struct http_conn *c, const void *p, size_t n);

/* url.c: %XX and, in a query, +.  False: bad escapes. */
bool url_decode(string s, bool plus, string *out);

bool equal_fold(string a, string b);

#endif
