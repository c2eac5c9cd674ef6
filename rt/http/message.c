/* message.c: HTTP/1 messages as they come: requests for the server, responses
 * for the client.  The syntax is llhttp's.
 *
 * llhttp is fed what was read and stopped where a head ends, at each piece of a
 * body and at a message's end.  Its spans of the head are collected in
 * m->scratch and copied once, so that the strings outlive the buffer; those of
 * the body are read in place.
 *
 * Invariants: between messages the parser stands at one's beginning; all of a
 * body is parsed before the next head. */
#include "http.h"
#include "../libc.h"

define_error(message_malformed, "malformed message");
define_error(http_err_too_large, "http: body too large");

/* ---- llhttp's calls ----------------------------------------------------------- */

static struct message *of(llhttp_t *p)
{
	return p->data;
}

/* Adds to the head; s: the span that it belongs to, which grows. */
static int collect(struct message *m, struct span *s, const char *p, size_t n)
{
	if (m->scratch.len + n > m->max_head) {
		m->too_large = true;
		return HPE_USER;
	}
	if (s->n == 0)
		s->at = (uint32_t)m->scratch.len;
	m->scratch = append_slice(m->scratch, ((slice(byte)){ (byte *)p, n, n }));
	s->n += (uint32_t)n;
	return 0;
}

static int on_begin(llhttp_t *p)
{
	struct message *m = of(p);
	m->scratch.len = 0;
	m->method = m->target = m->names[0] = (struct span){ 0, 0 };
	m->nheaders = 0;
	m->head_done = m->done = false;
	m->body_n = 0;
	return 0;
}

static int on_method(llhttp_t *p, const char *at, size_t n)
{
	return collect(of(p), &of(p)->method, at, n);
}

static int on_target(llhttp_t *p, const char *at, size_t n)
{
	return collect(of(p), &of(p)->target, at, n);
}

static int on_name(llhttp_t *p, const char *at, size_t n)
{
	struct message *m = of(p);
	if (m->head_done)
		return 0; /* trailers are skipped */
	if (m->nheaders == HEADERS_MAX) {
		m->too_large = true;
		return HPE_USER;
	}
	return collect(m, &m->names[m->nheaders], at, n);
}

static int on_name_done(llhttp_t *p)
{
	struct message *m = of(p);
	if (!m->head_done) {
		m->values[m->nheaders++] = (struct span){ (uint32_t)m->scratch.len, 0 };
		if (m->nheaders < HEADERS_MAX)
			m->names[m->nheaders].n = 0;
	}
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct message *m = of(p);
	return m->head_done ? 0 : collect(m, &m->values[m->nheaders - 1], at, n);
}

static int on_head(llhttp_t *p)
{
	struct message *m = of(p);
	m->head_done = true;
	m->no_body |= p->type == HTTP_RESPONSE && (p->status_code == 204 || p->status_code == 304);
	if (m->no_body)
		p->flags |= F_SKIPBODY; /* what returning 1 would do; but we stop here */
	return HPE_PAUSED;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct message *m = of(p);
	m->body_at = (const byte *)at;
	m->body_n = n;
	return HPE_PAUSED;
}

static int on_done(llhttp_t *p)
{
	of(p)->done = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_message_begin = on_begin,
	.on_method = on_method,
	.on_url = on_target,
	.on_status = on_target,
	.on_header_field = on_name,
	.on_header_field_complete = on_name_done,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_done,
};

/* ---- reading -------------------------------------------------------------------- */

void message_begin(struct message *m, llhttp_type_t type, byte *in, size_t n, size_t max_head)
{
	llhttp_init(&m->parser, type, &callbacks);
	m->parser.data = m;
	m->in = in;
	m->in_at = 0;
	m->in_end = (uint32_t)n;
	m->max_head = max_head;
	m->scratch.len = 0;
	m->no_body = m->too_large = m->head_done = m->done = false;
	m->body_n = 0;
}

/* Goes on until the parser stops, or wants more than there is. */
static error parse(struct message *m)
{
	const char *begin = (const char *)m->in + m->in_at;
	llhttp_errno_t e = llhttp_execute(&m->parser, begin, m->in_end - m->in_at);
	if (e == HPE_OK) {
		m->in_at = m->in_end;
		return NULL;
	}
	m->in_at = (uint32_t)(llhttp_get_error_pos(&m->parser) - (const char *)m->in);
	if (e == HPE_PAUSED) {
		llhttp_resume(&m->parser);
		return NULL;
	}
	if (e == HPE_PAUSED_UPGRADE) { /* CONNECT, Upgrade: we do not */
		llhttp_resume_after_upgrade(&m->parser);
		return NULL;
	}
	return message_malformed;
}

error message_read_head(struct message *m)
{
	error err = NULL;
	m->head_done = false;
	m->scratch.len = 0; /* as long as it is, nothing of a message has come */
	while (!err && !m->head_done) {
		if (m->in_at == m->in_end)
			err = m->fill(m);
		if (!err)
			err = parse(m);
	}
	if (err)
		return err;
	m->head = string_from_bytes(m->scratch.ptr, m->scratch.len);
	for (uint32_t i = 0; i < m->nheaders; i++) { /* llhttp keeps the space after a value */
		struct span *v = &m->values[i];
		while (v->n && (m->head.ptr[v->at + v->n - 1] == ' ' || m->head.ptr[v->at + v->n - 1] == '\t'))
			v->n--;
	}
	return NULL;
}

error message_read_body(struct message *m)
{
	error err = NULL;
	while (!err && m->body_n == 0 && !m->done) {
		err = parse(m); /* even of nothing: the end may be where it stopped */
		if (err || m->body_n || m->done || m->in_at < m->in_end)
			continue;
		err = m->fill(m);
		if (err == io_eof) { /* it may be what ends a response */
			llhttp_errno_t e = llhttp_finish(&m->parser);
			err = m->done || e == HPE_OK ? NULL : io_unexpected_eof;
			m->done = true;
		}
	}
	return err;
}

error message_read(struct message *m, void *buf, size_t n, size_t *got)
{
	*got = 0;
	if (n == 0)
		return NULL;
	error err = message_read_body(m);
	if (err || m->body_n == 0)
		return err ? err : io_eof;
	size_t k = n < m->body_n ? n : m->body_n;
	memcpy(buf, m->body_at, k);
	m->body_at += k;
	m->body_n -= k;
	*got = k;
	return NULL;
}

error read_all(error (*read)(void *r, void *buf, size_t n, size_t *got), void *r, int64_t length,
               size_t limit, slice(byte) *out)
{
	byte buf[1024];
	size_t n;
	error err;
	if (length > 0 && (uint64_t)length > limit)
		return http_err_too_large;
	/* What was promised may never come: no more at first than a buffer or two. */
	slice(byte) all = make_slice(byte, 0, length > 0 ? (size_t)(length < 2 * IN_MAX ? length : 2 * IN_MAX) : 0);
	while (!(err = read(r, buf, sizeof buf, &n))) {
		if (n > limit - all.len)
			return http_err_too_large;
		all = append_slice(all, ((slice(byte)){ buf, n, n }));
	}
	*out = all;
	return err == io_eof ? NULL : err;
}

/* ---- heads -------------------------------------------------------------------------- */

string message_text(const struct message *m, struct span s)
{
	return (string){ m->head.ptr + s.at, s.n };
}

string message_header(const struct message *m, string name)
{
	for (uint32_t i = 0; i < m->nheaders; i++)
		if (m->names[i].n == name.len && equal_fold(message_text(m, m->names[i]), name))
			return message_text(m, m->values[i]);
	return S("");
}

void message_header_at(const struct message *m, size_t i, string *name, string *value)
{
	if (i >= m->nheaders)
		rt_panic("http: header %zu of %u", i, m->nheaders);
	*name = message_text(m, m->names[i]);
	*value = message_text(m, m->values[i]);
}

int64_t message_length(const struct message *m)
{
	uint64_t n = m->parser.content_length;
	if (m->parser.flags & F_CHUNKED || llhttp_message_needs_eof(&m->parser))
		return -1;
	return n < INT64_MAX ? (int64_t)n : INT64_MAX;
}

bool has_token(string list, string word)
{
	string one;
	while (list.len) {
		strings_cut(list, S(","), &one, &list);
		strings_cut(one, S(";"), &one, &(string){});
		if (equal_fold(strings_trim_space(one), word))
			return true;
	}
	return false;
}

bool header_clean(string name, string value)
{
	/* What is in a token, RFC 9110, 5.6.2: !#$%&'*+-. 0-9 A-Z ^_` a-z |~ */
	static const uint32_t token[4] = { 0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff };
	if (name.len == 0)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		byte c = (byte)name.ptr[i];
		if (c > '~' || !(token[c / 32] >> c % 32 & 1))
			return false;
	}
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == 0)
			return false;
	return true;
}

string head_without(string head, string name)
{
	for (size_t at = 0; at < head.len;) {
		const char *nl = memchr(head.ptr + at, '\n', head.len - at);
		size_t end = (size_t)(nl - head.ptr) + 1;
		if (end - at > name.len && head.ptr[at + name.len] == ':' &&
		    equal_fold((string){ head.ptr + at, name.len }, name))
			return sprint("%s%s", ((string){ head.ptr, at }), ((string){ head.ptr + end, head.len - end }));
		at = end;
	}
	return head;
}
