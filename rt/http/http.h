/* http.h: what the files of rt/http share. */
#ifndef RT_HTTP_HTTP_H
#define RT_HTTP_HTTP_H

#include "../rt.h"
#include "../type.h"
#include "../driver.h"
#include "../api_value.h"
#include "../api_string.h"
#include "../api_mem.h"
#include "../api_error.h"
#include "../api_task.h"
#include "../api_context.h"
#include "../api_date.h"
#include "../api_defer.h"
#include "../api_file.h"
#include "../api_io.h"
#include "../api_net.h"
#include "../api_pool.h"
#include "../api_http.h"
#include "../api_httpclient.h"
#include "../link.h"
#include "../net/lend.h"
#include <llhttp.h>

#define IN_MAX 4096      /* bytes read at a time */
#define OUT_MAX 4096     /* bytes of answers collected before they are sent */
#define HEADERS_MAX 100  /* of a message */
#define PARAMS_MAX 8     /* wildcards of a pattern */

/* ---- message.c: reading messages, requests or responses --------------------------- */

struct span {
	uint32_t at, n;      /* in the head */
};

/* Memory without pointers, so that the collector does not read it. */
struct buffers {
	byte in[IN_MAX], out[OUT_MAX], body[OUT_MAX];
};

struct message {
	llhttp_t parser;
	/* Reads more into in; io_eof at the stream's end. */
	error (*fill)(struct message *m);
	byte *in;                   /* what was read: in_at .. in_end is not parsed yet */
	uint32_t in_at, in_end;
	uint32_t nheaders;
	/* The head: collected in scratch, then copied so that its strings outlive it. */
	slice(byte) scratch;
	string head;
	size_t max_head;
	struct span method, target; /* target: of a response the reason */
	struct span names[HEADERS_MAX], values[HEADERS_MAX];
	bool no_body;               /* of a response, because of its request or status */
	bool too_large, head_done, done;
	const byte *body_at;        /* of the body, parsed and not read: in `in` */
	size_t body_n;
};

declare_error(message_malformed);

/* At a message's beginning, with n bytes in `in`. */
void message_begin(struct message *m, llhttp_type_t type, byte *in, size_t n, size_t max_head);
/* Reads to the end of the next head and makes its strings. */
error message_read_head(struct message *m);
/* Makes m->body_n more than 0, or m->done true.  An end too early is
 * io_unexpected_eof. */
error message_read_body(struct message *m);
/* Up to n bytes of the body; io_eof at its end. */
error message_read(struct message *m, void *buf, size_t n, size_t *got);
string message_text(const struct message *m, struct span s);
string message_header(const struct message *m, string name);
void message_header_at(const struct message *m, size_t i, string *name, string *value);
/* Of the body; -1 not known. */
int64_t message_length(const struct message *m);
/* All of the body by read(r, ...), if it is at most limit bytes. */
error read_all(error (*read)(void *r, void *buf, size_t n, size_t *got), void *r, int64_t length,
               size_t limit, slice(byte) *out);

/* ---- the server ------------------------------------------------------------------------ */

struct http_writer {
	struct http_exchange *x;
	int code;
	bool sent_head;      /* the status line is out, or in x->out */
	bool chunked, no_body, failed;
	bool has_type, has_length, has_date, has_connection;
	int64_t length;      /* has_length: of the body, as the handler said */
	int64_t written;     /* of the body */
	string head;         /* headers set by the handler, as they will be sent */
};

/* A connection.  Used by its task only, but for the list, conn and busy. */
struct http_conn {
	http_server *server;
	struct http_conn *next, **link; /* of the server's; under its mu */
	bool busy;                  /* in a request; seq_cst, see set_busy() */
	bool slow;                  /* read_deadline is that of a head or of a whole request */
	bool close;                 /* after this request */
	bool linger;                /* the client may still be sending */
	conn *conn;
	int64 read_deadline, write_deadline;
	struct http_exchange *x;    /* NULL: idle */
};

/* What a connection has while requests come and are answered: lent to it when
 * the first byte comes, taken back when it is idle. */
struct http_exchange {
	struct http_conn *c;
	struct buffers *b;
	struct message m;
	bool expect_continue;
	int64_t body_left;          /* how much of the body may still be read; -1: there was more */
	struct watch *watch;        /* of the request's context; NULL: nobody asked for it */
	http_request request;
	http_writer writer;
	string param_names[PARAMS_MAX], param_values[PARAMS_MAX];
	uint32_t nparams;
	uint32_t out_n, body_len;
	byte *out;                  /* answers to be sent */
	byte *body;                 /* of the answer that is being written */
};

/* mux.c: the handler, and fills x's params and r->arg; NULL: *allow is what 405 says, "" for 404. */
http_handler mux_find(http_mux *m, struct http_exchange *x, string *allow);

/* writer.c */
void writer_begin(struct http_exchange *x);
error writer_end(struct http_exchange *x);    /* the answer is complete */
error out_flush(struct http_exchange *x);
error out_put(struct http_exchange *x, const void *p, size_t n);

/* events.c: at a request's end, if x->watch. */
void watch_stop(struct http_exchange *x);

/* url.c: %XX and, in a query, +.  False: bad escapes. */
bool url_decode(string s, bool plus, string *out);

/* The parts of an absolute URL. */
struct url {
	string host;         /* as the Host header has it */
	string addr;         /* host:port, to dial */
	string target;       /* path and query, not empty */
};
error url_parse(string s, struct url *u);
/* ref as seen from base: RFC 3986, 5.2. */
string url_resolve(string base, string ref);

bool equal_fold(string a, string b);
/* Lines of a head but those of this name. */
string head_without(string head, string name);
/* Whether a list of words separated by commas has this one, its parameters aside. */
bool has_token(string list, string word);
/* A header must not end itself, nor the head. */
bool header_clean(string name, string value);

#endif
