/* api_http.h: an HTTP/1.1 server, of ingot.h.  After Go's net/http.
 *
 *	static void hello(http_writer *w, http_request *r)
 *	{
 *		http_print(w, "Hello, %s\n", http_path_value(r, S("name")));
 *	}
 *	...
 *	http_handle(mux, S("GET /hello/{name}"), hello);
 *	must(http_listen_and_serve(S(":8080"), mux));
 *
 * Each connection has a task, in which its handlers run one after the other;
 * connections stay open for further requests, which may come before the
 * answers (pipelining).  An answer that fits into the buffer gets its
 * Content-Length, a longer one goes out in chunks.  A handler that panics loses
 * its connection, and the server goes on.
 *
 * What does not follow HTTP is answered 400 and the connection closed, larger
 * headers than allowed 431, an unknown path 404, another method 405. */
#ifndef INGOT_API_HTTP_H
#define INGOT_API_HTTP_H

#ifndef INGOT_API_NET_H
#error "include ingot.h"
#endif
#include "api_context.h"

/* ---- requests ------------------------------------------------------------- */

/* Valid until the handler returns; the strings stay valid. */
typedef struct http_request {
	string method;         /* "GET" */
	string target;         /* as sent: "/a%20b?x=1" */
	string path;           /* decoded: "/a b" */
	string query;          /* raw: "x=1" */
	string host;
	int64 content_length;  /* -1: not known (chunked) */
	bool http10;           /* HTTP/1.0 */
	net_addr remote;
	void *arg;             /* http_handle_with()'s */
	struct http_exchange *x;
} http_request;

/* A header's first value, "" if there is none; names in any case. */
string http_header(http_request *r, string name);
/* How many headers there are, and the i-th. */
size_t http_header_count(http_request *r);
void http_header_at(http_request *r, size_t i, string *name, string *value);
/* What stood at {name} of the pattern. */
string http_path_value(http_request *r, string name);
/* The first value of a key in the query, decoded; "" if there is none. */
string http_query_value(http_request *r, string key);

/* Reads the body as conn_read does, io_eof at its end.  What a handler leaves of
 * it is skipped. */
error http_read(http_request *r, void *buf, size_t n, size_t *got) must_check;
/* The whole body, if it is at most limit bytes; else http_err_too_large. */
error http_read_all(http_request *r, size_t limit, slice(byte) *out) must_check;
/* From now on reading more than n bytes more of the body is http_err_too_large, and the
 * connection ends with the answer.  Go: http.MaxBytesReader. */
void http_limit_body(http_request *r, int64 n);
/* Ends when the client goes away or will send no more, when the server is
 * closed, and with the request: for handlers that go on for long.  Go: r.Context(). */
context *http_context(http_request *r);

declare_error(http_err_too_large);      /* "http: body too large" */
declare_error(http_err_server_closed);  /* "http: Server closed" */
declare_error(http_err_content_length); /* "http: wrote more than the declared Content-Length" */

/* ---- answers ----------------------------------------------------------------- */

/* The answer to one request.  Go: http.ResponseWriter. */
typedef struct http_writer http_writer;

/* Before the first byte of the body: sets a header, instead of what it was or
 * what the server would send by itself (Content-Type, Date, ...). */
void http_set_header(http_writer *w, string name, string value);
/* 200 without it. */
void http_status(http_writer *w, int code);
/* More of the body.  With a Content-Length set, that is the most there may be, and if it
 * was less the connection ends.  An error: the client is gone. */
error http_write(http_writer *w, const void *p, size_t n);
/* http_print(w, fmt, ...): formats of api_format.h, to the body.  Go: fmt.Fprintf(w, ...). */
#define http_print(w, fmt, ...) \
	({ \
		http_writer *rt_hw = (w); \
		string rt_hs = sprint(fmt, ##__VA_ARGS__); \
		http_write(rt_hw, rt_hs.ptr, rt_hs.len); \
	})
/* The same for what takes writers (api_io.h). */
io_writer http_body(http_writer *w);
/* Sends what there is now, as a chunk: for answers that go on. */
error http_flush(http_writer *w);
/* An answer of one line, text/plain.  Go: http.Error. */
void http_error(http_writer *w, int code, string text);
/* An answer that leads to `to`, with a code of 3xx.  Go: http.Redirect. */
void http_redirect(http_writer *w, int code, string to);
/* "Not Found" of 404; "" of an unknown one. */
string http_status_text(int code);

/* One server-sent event of a stream: what a browser's EventSource gets. */
typedef struct http_event {
	string event, id, data;
	int64 retry;           /* ns: how soon the client comes again; 0 as it likes */
} http_event;
/* Sends an event at once.  The first makes the answer a text/event-stream.  data may have several lines; all
 * empty: a comment that keeps the connection in use.  Until the client is gone:
 *
 *	context *ctx = http_context(r);
 *	while (!context_err(ctx) && !http_send_event(w, (http_event){ .data = next() }))
 *		sleep(Second);
 */
error http_send_event(http_writer *w, http_event e);

/* The media type of a file's name, "" if that says none; of a body by its first bytes.
 * Go: mime.TypeByExtension, http.DetectContentType. */
string http_type_by_name(string name);
string http_detect_type(const void *body, size_t n);

/* ---- routes --------------------------------------------------------------------- */

/* Answers one request, in the connection's task.  Go: http.HandlerFunc. */
typedef void (*http_handler)(http_writer *w, http_request *r);

/* Patterns as Go 1.22 has them, "[METHOD ]/PATH": {name} stands for one segment,
 * {name...} at the end for all that follow, {$} for the end of the path; a path
 * that ends in / has all below it.  GET is also for HEAD.  Of the patterns that
 * match the most specific wins, wherever it stands.  A pattern that is wrong or
 * there already is a panic. */
typedef struct http_mux http_mux;
/* An empty one.  Go: http.NewServeMux(). */
http_mux *new_http_mux(void);
/* fn answers what matches the pattern.  Go: mux.HandleFunc(pattern, fn). */
void http_handle(http_mux *m, string pattern, http_handler fn);
/* The same; the handler finds arg in r->arg. */
void http_handle_with(http_mux *m, string pattern, http_handler fn, void *arg);

/* ---- files ------------------------------------------------------------------------ */

/* Serves the files of fs (api_file.h, api_tar.h) below a path, "[METHOD ]/PATH/" without
 * wildcards: with their type by name or content, a strong ETag of the content,
 * conditions (If-None-Match, If-Modified-Since, If-Match, If-Range ...), ranges, HEAD;
 * NAME.gz instead of NAME to who accepts gzip.  A folder is its index.html, under its
 * name with a slash; what is in one is not listed.  The files must not change: what is
 * known of them is kept.  Go: http.FileServerFS, with StripPrefix. */
void http_handle_files(http_mux *m, string pattern, file_system *fs);
/* The files of a file system, and what is known of them: for answers with one file. */
typedef struct http_files http_files;
/* Of the files of fs; one for each file system is enough. */
http_files *new_http_files(file_system *fs);
/* Answers with the file of that name, likewise, from a handler; 404 if there is none.
 * Go: http.ServeFileFS. */
void http_serve_file(http_writer *w, http_request *r, http_files *h, string name);
/* For bytes that a handler has; the name says their type.  Go: http.ServeContent. */
void http_serve_bytes(http_writer *w, http_request *r, string name, slice(byte) data);

/* ---- servers ---------------------------------------------------------------------- */

/* Zero fields mean the values in brackets. */
typedef struct http_server {
	http_mux *mux;
	size_t max_header_bytes;    /* request line and headers (64 KiB) */
	int64 read_header_timeout;  /* from the first byte to the end of the headers (10 s) */
	int64 idle_timeout;         /* between requests (75 s) */
	int64 write_timeout;        /* for the client to take some of an answer (60 s) */
	int64 read_timeout;         /* for a body to come, all of it (each piece within idle_timeout) */
	int64 max_body_bytes;       /* of a request; more is answered 413 (no limit) */
	mutex mu;
	listener *l;                /* the server's own, as is all below */
	struct http_conn *conns;
	bool closing;
	chan(bool) drained;
} http_server;

/* Serves until the listener fails, or http_shutdown(): then
 * http_err_server_closed, at once.  A server has one listener. */
error http_serve(http_server *s, listener *l) must_check;
/* The same for a server with this mux, on a listener for this address.  Go:
 * http.ListenAndServe(addr, mux). */
error http_listen_and_serve(string addr, http_mux *mux) must_check;
/* Accepts no more, lets requests in progress end, and returns when all
 * connections are closed, or the time is over: then net_err_timeout. */
error http_shutdown(http_server *s, int64 timeout) must_check;
/* Closes everything now.  Go: Server.Close. */
void http_close(http_server *s);

#endif
