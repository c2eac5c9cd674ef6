/* files.c: files as answers.  After Go's net/http/fs.go; the rules for conditions and
 * ranges are RFC 9110's, sections 13 and 14.
 *
 * What is known of a file (type, tag, size) is found out at its first request and kept:
 * the files do not change.  A name that is none is not kept, so clients cannot make it
 * grow. */
#include "http.h"
#include "../api_hash.h"
#include "../api_map.h"
#include "../api_rand.h"
#include "../api_slices.h"
#include "../api_strconv.h"
#include "../libc.h"

#define COPY_MAX (16 * 1024)   /* read at a time of what does not lie in memory */
#define RANGES_MAX 32          /* of a request; more of them gets it all */
#define SNIFF_MAX 512

struct entry {
	string name, type, etag;
	int64_t size, modified;
	bool in_memory;
	slice(byte) bytes;     /* in_memory */
	struct entry *gz;      /* the same, compressed; NULL: there is none */
	bool is_gz;            /* of another, which accepts were compared for */
};
typedef struct entry *entry_ptr;

struct http_files {
	file_system *fs;
	string prefix;         /* of the URL's path, "/static/" */
	mutex mu;
	map(string, entry_ptr) known; /* under mu */
};

/* ---- what is known of a file ------------------------------------------------------ */

/* All of e's bytes from `at` on, n of them, in pieces. */
static error each_piece(file_system *fs, const struct entry *e, int64_t at, int64_t n,
                        error (*fn)(void *arg, const byte *p, size_t n), void *arg)
{
	if (e->in_memory)
		return fn(arg, e->bytes.ptr + at, (size_t)n);
	file *f;
	error err = fs_open(fs, e->name, &f);
	if (err)
		return err;
	size_t max = n < COPY_MAX ? (size_t)n : COPY_MAX;
	slice(byte) buf = { rt_malloc(max ? max : 1, RT_NOSCAN), max, max };
	while (n && !err) {
		size_t want = n < COPY_MAX ? (size_t)n : COPY_MAX, got;
		err = file_read_at(f, (slice(byte)){ buf.ptr, want, want }, at, &got);
		if (!err && got == 0)
			err = io_unexpected_eof;
		if (!err)
			err = fn(arg, buf.ptr, got);
		at += (int64_t)got;
		n -= (int64_t)got;
	}
	errors_ignore(file_close(f));
	return err;
}

struct digest {
	sha256 sum;
	byte first[SNIFF_MAX];
	size_t n;
};

static error add_to_digest(void *arg, const byte *p, size_t n)
{
	struct digest *d = arg;
	size_t k = n < SNIFF_MAX - d->n ? n : SNIFF_MAX - d->n;
	memcpy(d->first + d->n, p, k);
	d->n += k;
	rt_sha256_write(&d->sum, p, n);
	return NULL;
}

/* Type and tag from the name and the content. */
static error look_at(file_system *fs, struct entry *e)
{
	static const char hex[] = "0123456789abcdef";
	struct digest *d = rt_malloc(sizeof *d, RT_NOSCAN);
	d->sum = sha256_new();
	error err = each_piece(fs, e, 0, e->size, add_to_digest, d);
	if (err)
		return err;
	sha256_digest sum = sha256_sum(&d->sum);
	char tag[34];
	tag[0] = tag[33] = '"';
	for (int i = 0; i < 16; i++) {
		tag[1 + 2 * i] = hex[sum.b[i] >> 4];
		tag[2 + 2 * i] = hex[sum.b[i] & 15];
	}
	e->etag = string_from_bytes(tag, sizeof tag);
	e->type = http_type_by_name(e->name);
	if (e->type.len == 0)
		e->type = http_detect_type(d->first, d->n);
	return NULL;
}

static error load(file_system *fs, string name, const file_info *info, struct entry **out)
{
	struct entry *e = new(struct entry);
	e->name = concat(name, S("")); /* a copy: it may be a piece of a request */
	e->size = info->size;
	e->modified = info->modified;
	if (fs->bytes) {
		error err = fs_read_file(fs, name, &e->bytes);
		if (err)
			return err;
		e->in_memory = true;
		e->size = (int64_t)e->bytes.len;
	}
	*out = e;
	return look_at(fs, e);
}

/* The file of that name, and its compressed form. */
static error find_entry(http_files *h, string name, struct entry **out)
{
	file_info info;
	mutex_lock(&h->mu);
	bool known = map_lookup(h->known, name, out);
	mutex_unlock(&h->mu);
	if (known)
		return NULL;
	error err = fs_stat(h->fs, name, &info);
	if (!err && info.is_dir)
		err = fs_invalid;
	if (!err)
		err = load(h->fs, name, &info, out);
	if (err)
		return err;
	string gz = concat(name, S(".gz"));
	if (!fs_stat(h->fs, gz, &info) && !info.is_dir && !load(h->fs, gz, &info, &(*out)->gz)) {
		(*out)->gz->is_gz = true;
		(*out)->gz->type = (*out)->type;
	}
	mutex_lock(&h->mu);
	map_set(h->known, (*out)->name, *out);
	mutex_unlock(&h->mu);
	return NULL;
}

/* ---- conditions -------------------------------------------------------------------- */

/* Whether the list of tags has this one; weak ones count too if weak. */
static bool tag_matches(string list, string etag, bool weak)
{
	if (string_eq(strings_trim_space(list), S("*")))
		return true;
	for (;;) {
		list = strings_trim_left(list, S(" \t,"));
		string strong;
		bool is_weak = strings_cut_prefix(list, S("W/"), &strong);
		if (is_weak)
			list = strong;
		const char *end = list.len && list.ptr[0] == '"' ? memchr(list.ptr + 1, '"', list.len - 1) : NULL;
		if (!end)
			return false;
		string one = { list.ptr, (size_t)(end - list.ptr) + 1 };
		if ((weak || !is_weak) && string_eq(one, etag))
			return true;
		list = slice_from(list, one.len);
	}
}

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool digits(string s, int64_t *n)
{
	uint64_t v;
	if (s.len == 0 || s.ptr[0] == '+' || s.ptr[0] == '-' || strconv_parse_uint(s, 10, 63, &v))
		return false;
	*n = (int64_t)v;
	return true;
}

/* The next run of digits, or of letters, in *s; false: none is left. */
static bool next_word(string *s, string *word)
{
	size_t i = 0, n = 0;
	while (i < s->len && !is_letter(s->ptr[i]) && !is_digit(s->ptr[i]))
		i++;
	while (i + n < s->len && (is_letter(s->ptr[i]) ? is_letter : is_digit)(s->ptr[i + n]))
		n++;
	*word = (string){ s->ptr + i, n };
	*s = slice_from(*s, i + n);
	return n > 0;
}

/* The three forms of RFC 9110, 5.6.7: they differ in their separators, in the year's
 * length, and in where it stands:
 *	Sun, 06 Nov 1994 08:49:37 GMT   Sunday, 06-Nov-94 08:49:37 GMT   Sun Nov  6 08:49:37 1994 */
static bool parse_date(string s, int64_t *t)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	string word, month = S("");
	int64_t v[5], n = 0;
	if (!next_word(&s, &word) || !is_letter(word.ptr[0]))
		return false;
	while (n < 5 && next_word(&s, &word)) {
		if (is_letter(word.ptr[0]) && month.len == 0)
			month = word;
		else if (!digits(word, &v[n++]))
			return false;
	}
	ptrdiff_t m = strings_index((string){ months, sizeof months - 1 }, month);
	if (n < 5 || month.len != 3 || m < 0 || m % 3)
		return false;
	bool asctime = v[4] > 60; /* the year comes last */
	int64_t year = asctime ? v[4] : v[1], *time = asctime ? &v[1] : &v[2];
	if (year < 100)
		year += year < 70 ? 2000 : 1900; /* RFC 9110: not more than 50 years ahead */
	*t = time_date(year, m / 3 + 1, v[0], time[0], time[1], time[2], 0).sec;
	return year < 10000 && v[0] < 32 && time[0] < 25 && time[1] < 60 && time[2] < 61;
}

static string date_text(int64_t t)
{
	return rt_time_format(time_unix(t, 0), S("Mon, 02 Jan 2006 15:04:05 GMT"));
}

/* RFC 9110, 13.2.2: 0, or the status that ends it. */
static int check_conditions(http_request *r, const struct entry *e)
{
	string match = http_header(r, S("If-Match")), none = http_header(r, S("If-None-Match")), when;
	int64_t t;
	if (match.len) {
		if (!tag_matches(match, e->etag, false))
			return 412;
	} else if ((when = http_header(r, S("If-Unmodified-Since"))).len && e->modified && parse_date(when, &t) &&
	           e->modified > t) {
		return 412;
	}
	if (none.len)
		return tag_matches(none, e->etag, true) ? 304 : 0;
	if ((when = http_header(r, S("If-Modified-Since"))).len && e->modified && parse_date(when, &t) &&
	    e->modified <= t)
		return 304;
	return 0;
}

/* ---- ranges -------------------------------------------------------------------------- */

typedef struct range {
	int64_t at, n;
} range;
declare_slice(range);

/* One of "0-99", "100-", "-50".  False: it is none; n < 0: none of it is there. */
static bool parse_range(string s, int64_t size, range *r)
{
	string from, to;
	int64_t last;
	if (!strings_cut(s, S("-"), &from, &to))
		return false;
	from = strings_trim_space(from);
	to = strings_trim_space(to);
	if (from.len == 0) {
		if (!digits(to, &r->n))
			return false;
		r->n = r->n < size ? r->n : size;
		r->at = size - r->n;
		if (r->n == 0)
			r->n = -1;
		return true;
	}
	if (!digits(from, &r->at))
		return false;
	last = size - 1;
	if (to.len && (!digits(to, &last) || last < r->at))
		return false;
	last = last < size ? last : size - 1;
	r->n = r->at < size ? last - r->at + 1 : -1;
	return true;
}

/* The ranges that are asked for and there.  0, or 416. */
static int parse_ranges(string s, int64_t size, slice(range) *out)
{
	string list, one;
	bool any = false, more = true;
	int64_t sum = 0;
	if (!strings_cut_prefix(s, S("bytes="), &list))
		return 416;
	while (more) {
		range r = { 0 };
		more = strings_cut(list, S(","), &one, &list);
		one = strings_trim_space(one);
		if (one.len == 0)
			continue;
		if (!parse_range(one, size, &r))
			return 416;
		any = true;
		if (r.n < 0)
			continue;
		*out = append(*out, r);
		sum += r.n;
		if (out->len > RANGES_MAX || sum > size) { /* overlapping, or out of proportion: all of it */
			out->len = 0;
			return 0;
		}
	}
	return any && out->len == 0 ? 416 : 0;
}

static bool range_holds(http_request *r, const struct entry *e)
{
	string cond = http_header(r, S("If-Range"));
	int64_t t;
	if (cond.len == 0)
		return true;
	if (cond.ptr[0] == '"')
		return string_eq(cond, e->etag);
	return e->modified && parse_date(cond, &t) && t == e->modified;
}

/* ---- answers ------------------------------------------------------------------------- */

static error put_piece(void *w, const byte *p, size_t n)
{
	return http_write(w, p, n);
}

/* A failure in the middle ends the connection: less came than was announced. */
static void send_piece(http_writer *w, file_system *fs, const struct entry *e, int64_t at, int64_t n)
{
	if (!w->no_body && n)
		errors_ignore(each_piece(fs, e, at, n, put_piece, w));
}

static string content_range(range r, int64_t size)
{
	return sprint("bytes %lld-%lld/%lld", (long long)r.at, (long long)(r.at + r.n - 1), (long long)size);
}

static void set_length(http_writer *w, int64_t n)
{
	http_set_header(w, S("Content-Length"), strconv_itoa(n));
}

/* multipart/byteranges: RFC 9110, 14.6. */
static void send_parts(http_writer *w, file_system *fs, const struct entry *e, slice(range) ranges)
{
	string boundary = strconv_format_int((int64_t)(rand_uint64() >> 1), 36);
	slice(string) heads = make_slice(string, ranges.len);
	string end = sprint("\r\n--%s--\r\n", boundary);
	int64_t length = (int64_t)end.len;
	for (size_t i = 0; i < ranges.len; i++) {
		heads.ptr[i] = sprint("%s--%s\r\nContent-Range: %s\r\nContent-Type: %s\r\n\r\n", i ? "\r\n" : "",
		                      boundary, content_range(ranges.ptr[i], e->size), e->type);
		length += (int64_t)heads.ptr[i].len + ranges.ptr[i].n;
	}
	http_set_header(w, S("Content-Type"), concat(S("multipart/byteranges; boundary="), boundary));
	set_length(w, length);
	for (size_t i = 0; i < ranges.len; i++) {
		errors_ignore(http_write(w, heads.ptr[i].ptr, heads.ptr[i].len));
		send_piece(w, fs, e, ranges.ptr[i].at, ranges.ptr[i].n);
	}
	errors_ignore(http_write(w, end.ptr, end.len));
}

static void serve_entry(http_writer *w, http_request *r, file_system *fs, const struct entry *e)
{
	bool head = string_eq(r->method, S("HEAD"));
	if (!head && !string_eq(r->method, S("GET"))) {
		http_set_header(w, S("Allow"), S("GET, HEAD"));
		http_error(w, 405, http_status_text(405));
		return;
	}
	slice(range) ranges = {};
	int status = check_conditions(r, e);
	string asked = http_header(r, S("Range"));
	if (!status && !head && asked.len && range_holds(r, e))
		status = parse_ranges(asked, e->size, &ranges);
	if (status == 412 || status == 416) {
		if (status == 416)
			http_set_header(w, S("Content-Range"), sprint("bytes */%lld", (long long)e->size));
		http_error(w, status, http_status_text(status));
		return;
	}
	http_set_header(w, S("ETag"), e->etag);
	if (e->modified)
		http_set_header(w, S("Last-Modified"), date_text(e->modified));
	if (status) {
		http_status(w, status);
		return;
	}
	http_set_header(w, S("Accept-Ranges"), S("bytes"));
	if (e->is_gz)
		http_set_header(w, S("Content-Encoding"), S("gzip"));
	if (ranges.len)
		http_status(w, 206);
	if (ranges.len > 1) {
		send_parts(w, fs, e, ranges);
		return;
	}
	http_set_header(w, S("Content-Type"), e->type);
	range all = { 0, e->size };
	if (ranges.len) {
		all = ranges.ptr[0];
		http_set_header(w, S("Content-Range"), content_range(all, e->size));
	}
	set_length(w, all.n);
	send_piece(w, fs, e, all.at, all.n);
}

/* Whether Accept-Encoding has gzip, and not with q=0. */
static bool accepts_gzip(http_request *r)
{
	string list = http_header(r, S("Accept-Encoding")), one, q;
	while (list.len) {
		strings_cut(list, S(","), &one, &list);
		strings_cut(one, S(";"), &one, &q);
		if (!equal_fold(strings_trim_space(one), S("gzip")))
			continue;
		q = strings_trim_space(q);
		return !(strings_cut_prefix(q, S("q="), &q) && strings_trim(q, S("0.")).len == 0);
	}
	return false;
}

static void not_found(http_writer *w)
{
	http_error(w, 404, S("404 page not found"));
}

static void serve_name(http_writer *w, http_request *r, http_files *h, string name)
{
	struct entry *e;
	error err = find_entry(h, name, &e);
	if (err) {
		if (errors_is(err, fs_not_exist) || errors_is(err, fs_invalid))
			not_found(w);
		else
			http_error(w, 500, http_status_text(500));
		return;
	}
	if (e->gz)
		http_set_header(w, S("Vary"), S("Accept-Encoding"));
	serve_entry(w, r, h->fs, e->gz && accepts_gzip(r) ? e->gz : e);
}

void http_serve_file(http_writer *w, http_request *r, http_files *h, string name)
{
	serve_name(w, r, h, name);
}

void http_serve_bytes(http_writer *w, http_request *r, string name, slice(byte) data)
{
	struct entry e = { .name = name, .size = (int64_t)data.len, .in_memory = true, .bytes = data };
	errors_ignore(look_at(NULL, &e)); /* of memory: none */
	serve_entry(w, r, NULL, &e);
}

/* To another name in the same folder, relative to the request's own; "./" so that a colon
 * in it is not taken for a scheme's. */
static void redirect_beside(http_writer *w, http_request *r, string name)
{
	string to = concat(S("./"), name);
	http_redirect(w, 301, r->query.len ? concat(to, S("?"), r->query) : to);
}

static void serve_path(http_writer *w, http_request *r)
{
	http_files *h = r->arg;
	string name, path = r->path, last, target;
	struct entry *e;
	file_info info;
	if (!strings_cut_prefix(path, h->prefix, &name) || string_eq(name, S("."))) {
		not_found(w);
		return;
	}
	strings_cut(r->target, S("?"), &target, &(string){});
	if (strings_has_suffix(path, S("/index.html"))) {
		redirect_beside(w, r, S(""));
		return;
	}
	bool folder = name.len == 0 || name.ptr[name.len - 1] == '/';
	if (folder) {
		serve_name(w, r, h, concat(name, S("index.html")));
	} else if (find_entry(h, name, &e) && !fs_stat(h->fs, name, &info) && info.is_dir) {
		last = slice_from(target, strings_last_index_byte(target, '/') + 1);
		redirect_beside(w, r, concat(last, S("/")));
	} else {
		serve_name(w, r, h, name);
	}
}

http_files *new_http_files(file_system *fs)
{
	http_files *h = new(http_files, .fs = fs);
	h->known = make_map(string, entry_ptr);
	return h;
}

void http_handle_files(http_mux *m, string pattern, file_system *fs)
{
	http_files *h = new_http_files(fs);
	ptrdiff_t at = strings_index_byte(pattern, '/');
	if (at < 0 || !strings_has_suffix(pattern, S("/")) || strings_contains(pattern, S("{")))
		rt_panic("http: pattern \"%.*s\": want [METHOD ]/PATH/", (int)pattern.len, pattern.ptr);
	h->prefix = slice_from(pattern, at);
	http_handle_with(m, pattern, serve_path, h);
}
