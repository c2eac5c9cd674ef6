/* bufioscan.c: cutting a reader's bytes into tokens (Go: bufio.Scanner).
 *
 * buf[start:end] is what was read and is not part of a token yet. */
#include "rt.h"
#include "type.h"
#include "text.h"
#include "api_io.h"
#include "api_bufio.h"

#define MAX_TOKEN ((size_t)64 << 10)
#define START_SIZE 4096
#define EMPTY_READS 100

struct bufio_scanner {
	io_reader r;
	bufio_split split;
	size_t max;
	slice(byte) buf, token;
	size_t start, end;
	error err;
	bool scanned, done;
	int empties; /* tokens in a row without an advance */
};

define_error(bufio_too_long, "bufio.Scanner: token too long");
define_error(bufio_bad_split, "bufio.Scanner: SplitFunc returns advance or token beyond its data");

bufio_scanner *bufio_new_scanner(io_reader r)
{
	bufio_scanner *s = rt_malloc(sizeof *s, RT_TYPE(bufio_scanner));

	s->r = r;
	s->split = bufio_scan_lines;
	s->max = MAX_TOKEN;
	return s;
}

static void not_begun(const bufio_scanner *s, const char *what)
{
	if (s->scanned)
		rt_panic("%s called after Scan", what);
}

void bufio_scanner_split(bufio_scanner *s, bufio_split split)
{
	not_begun(s, "Split");
	s->split = split;
}

void bufio_scanner_max(bufio_scanner *s, size_t max)
{
	not_begun(s, "Buffer");
	s->max = max;
}

error bufio_scanner_err(const bufio_scanner *s)
{
	return s->err == io_eof ? NULL : s->err;
}

slice(byte) bufio_bytes(const bufio_scanner *s)
{
	return s->token;
}

string bufio_text(const bufio_scanner *s)
{
	return string_from_bytes(s->token.ptr, s->token.len);
}

static bool stop(bufio_scanner *s, error err)
{
	if (err && (!s->err || s->err == io_eof))
		s->err = err;
	s->token = (slice(byte)){};
	s->start = s->end = 0;
	s->done = true;
	return false;
}

/* Reads some more, into a larger buffer if this one is full. */
static bool more(bufio_scanner *s)
{
	size_t n;

	if (s->start && (s->end == s->buf.len || s->start > s->buf.len / 2)) {
		copy(s->buf, slice_of(s->buf, s->start, s->end));
		s->end -= s->start;
		s->start = 0;
	}
	if (s->end == s->buf.len) {
		if (s->buf.len >= s->max)
			return stop(s, bufio_too_long);

		size_t size = s->buf.len ? 2 * s->buf.len : START_SIZE;
		slice(byte) larger = make_slice(byte, size < s->max ? size : s->max);

		copy(larger, slice_of(s->buf, s->start, s->end));
		s->end -= s->start;
		s->start = 0;
		s->buf = larger;
	}
	for (int empty = 0; empty < EMPTY_READS; empty++) {
		error err = io_read(s->r, slice_of(s->buf, s->end, s->buf.len), &n);

		s->end += n;
		if (!s->err)
			s->err = err;
		if (n || err)
			return true;
	}
	s->err = io_no_progress;
	return true;
}

bool bufio_scan(bufio_scanner *s)
{
	s->scanned = true;
	while (!s->done) {
		if (s->end > s->start || s->err) {
			slice(byte) data = slice_of(s->buf, s->start, s->end), token = {};
			size_t advance = 0;
			error err = s->split(data, s->err != NULL, &advance, &token);

			if (err)
				return stop(s, err);
			if (advance > data.len)
				return stop(s, bufio_bad_split);
			s->start += advance;
			if (token.ptr) {
				s->token = token;
				s->empties = advance ? 0 : s->empties + 1;
				if (s->empties > EMPTY_READS)
					rt_panic("bufio.Scan: too many empty tokens without progressing");
				return true;
			}
			if (advance)
				continue;
		}
		if (s->err)
			return stop(s, NULL);
		if (!more(s))
			return false;
	}
	s->token = (slice(byte)){};
	return false;
}

/* ---- splits ------------------------------------------------------------------ */

error bufio_scan_bytes(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token)
{
	if (data.len) {
		*advance = 1;
		*token = slice_to(data, 1);
	}
	return NULL;
}

error bufio_scan_runes(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token)
{
	static const byte replacement[] = { 0xEF, 0xBF, 0xBD }; /* RuneError */
	string s = string_view(data);
	size_t n;

	if (!data.len || (!at_eof && !utf8_full_rune(s)))
		return NULL;
	*advance = 1;
	if (utf8_decode_rune(s, &n) == RuneError && n == 1) {
		*token = slice_from_array(byte, (byte *)replacement, 3);
		return NULL;
	}
	*advance = n;
	*token = slice_to(data, n);
	return NULL;
}

error bufio_scan_lines(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token)
{
	ptrdiff_t i = strings_index_byte(string_view(data), '\n');
	size_t end = i < 0 ? data.len : (size_t)i;

	if (i < 0 && (!at_eof || !data.len))
		return NULL;
	*advance = i < 0 ? end : end + 1;
	if (end && data.ptr[end - 1] == '\r')
		end--;
	*token = slice_to(data, end);
	return NULL;
}

error bufio_scan_words(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token)
{
	string s = string_view(data);
	size_t begin = data.len;

	for_rune(i, r, s) {
		if (!unicode_is_space(r)) {
			if (begin == data.len)
				begin = i;
			continue;
		}
		if (begin == data.len)
			continue;
		*advance = i + (size_t)utf8_rune_len(r);
		*token = slice_of(data, begin, i);
		return NULL;
	}
	if (at_eof && begin < data.len) {
		*advance = data.len;
		*token = slice_from(data, begin);
	} else {
		*advance = begin; /* leading space is done with */
	}
	return NULL;
}
