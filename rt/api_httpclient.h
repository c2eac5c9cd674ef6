/* api_httpclient.h: an HTTP/1.1 client, of ingot.h.  After Go's net/http.
 *
 *	http_response *r;
 *	error err = http_get(S("http://example.org/data"), &r);
 *	if (err)
 *		...
 *	err = http_response_read_all(r, 1 << 20, &data);
 *	http_response_close(r);
 *
 * A response is there when its head has come; its body is read as it comes.  Each must be
 * closed.  Connections are kept and used again once a body was read to its end; one that
 * the server has closed meanwhile is replaced unasked, if the call may be made twice (GET,
 * HEAD, OPTIONS, TRACE).  Only http:, no https:.
 *
 * A status such as 404 is no error.  Errors say what was tried, `Get "http://x/": dial tcp
 * ...`, and wrap one of those below, the network's (api_net.h: net_err_timeout when the
 * client's time was over), io_unexpected_eof, or the context's.  All calls are from a task;
 * a client is for any number of tasks and lives longer than its responses; a response is
 * for one task at a time. */
#ifndef INGOT_API_HTTPCLIENT_H
#define INGOT_API_HTTPCLIENT_H

#ifndef INGOT_API_HTTP_H
#error "include ingot.h"
#endif

declare_error(http_err_url);              /* "invalid URL" */
declare_error(http_err_response);         /* "malformed HTTP response" */
declare_error(http_err_header_too_large); /* "server response headers too large" */
declare_error(http_err_redirects);        /* "too many redirects" */
declare_error(http_err_body_length);      /* "request body is not as long as was said" */
declare_error(http_err_body_closed);      /* "read on closed response body" */

/* Zero fields mean the values in brackets. */
typedef struct http_client {
	int64 timeout;            /* for a call: connecting, redirects, reading the body (none) */
	int max_redirects;        /* that are followed (10); negative: none, they are responses */
	size_t max_header_bytes;  /* of a response (64 KiB) */
	int max_idle_per_host;    /* connections kept (2); negative: none */
	int64 idle_timeout;       /* how long they are kept (90 s) */
	mutex mu;                 /* the client's own, as is what follows */
	struct client_conn *idle;
} http_client;

/* What is asked.  Go: http.Request. */
typedef struct http_call {
	string method;            /* "": GET */
	string url;               /* "http://host[:port][/path][?query]" */
	slice(byte) body;
	io_reader reader;         /* instead of body: sent in chunks, or, if content_length is */
	int64 content_length;     /* not 0, so many bytes of it */
	bool expect_continue;     /* the body is sent when the server asks for it, or after 1 s */
	context *ctx;             /* whose end ends call and response; NULL: none */
	string header;            /* http_call_header()'s lines */
} http_call;

/* Sets a header, instead of what it was or what the client would send by itself. */
void http_call_header(http_call *call, string name, string value);

/* What came back.  Go: http.Response. */
typedef struct http_response {
	int status;               /* 200 */
	string reason;            /* "OK", as the server put it */
	int64 content_length;     /* -1: not known (chunked, or to the connection's end) */
	bool http10;
	string url;               /* that answered, after redirects */
	struct client_exchange *x;
} http_response;

/* Makes the call; client NULL: one that all programs share, without a timeout.  Go:
 * client.Do. */
error http_do(http_client *client, http_call *call, http_response **out) must_check;
/* By that shared client; the body of a post has the media type `type`. */
error http_get(string url, http_response **out) must_check;
error http_post(string url, string type, slice(byte) body, http_response **out) must_check;

/* A header's first value, "" if there is none; names in any case; how many there are,
 * and the i-th. */
string http_response_header(http_response *r, string name);
size_t http_response_header_count(http_response *r);
void http_response_header_at(http_response *r, size_t i, string *name, string *value);

/* Reads the body as conn_read does, io_eof at its end. */
error http_response_read(http_response *r, void *buf, size_t n, size_t *got) must_check;
/* The same for what takes readers (api_io.h).  Go: resp.Body. */
io_reader http_response_body(http_response *r);
/* The whole body, if it is at most limit bytes; else http_err_too_large. */
error http_response_read_all(http_response *r, size_t limit, slice(byte) *out) must_check;
/* No more of it is wanted.  What has come already of the body is dropped; if that was
 * not all the connection is closed.  Again has no effect. */
void http_response_close(http_response *r);

/* Closes the connections that nobody uses now. */
void http_close_idle(http_client *client);

#endif
