/* io.c: readers and writers, buffered ones, scanners, pipes. */
#include "ingot.h"
#include "test.h"

static define_error(broken, "broken");

/* Gives s in pieces of `piece` bytes, then err; every `idle`-th read gives nothing. */
struct slow {
	string s;
	size_t piece;
	int idle, reads;
	error err;
};

static error slow_read(void *self, slice(byte) p, size_t *n)
{
	struct slow *r = self;

	if (r->idle && ++r->reads % r->idle == 0)
		return NULL;
	if (!r->s.len)
		return r->err;
	*n = copy(slice_to(p, p.len < r->piece ? p.len : r->piece), r->s);
	r->s = slice_from(r->s, *n);
	return NULL;
}

static io_reader slow(string s, size_t piece, int idle, error err)
{
	return (io_reader){ slow_read, new(struct slow, .s = s, .piece = piece, .idle = idle, .err = err) };
}

/* Takes `room` bytes, then it is broken. */
struct small {
	bytes_buffer b;
	size_t room;
};

static error small_write(void *self, slice(byte) p, size_t *n)
{
	struct small *w = self;

	*n = p.len < w->room ? p.len : w->room;
	buffer_write(&w->b, slice_to(p, *n));
	w->room -= *n;
	return *n < p.len ? broken : NULL;
}

TEST(read_all_of_a_string)
{
	slice(byte) b;
	string long_one = strings_repeat(S("0123456789"), 5000);

	CHECK(!io_read_all(strings_new_reader(S("hello")), &b));
	CHECK_S(string_view(b), S("hello"));
	CHECK(!io_read_all(strings_new_reader(S("")), &b) && len(b) == 0);
	CHECK(!io_read_all(bytes_new_reader(bytes_of(long_one)), &b));
	CHECK_S(string_view(b), long_one);
	CHECK(!io_read_all(slow(S("abc"), 1, 2, io_eof), &b));
	CHECK_S(string_view(b), S("abc"));
	CHECK(io_read_all(slow(S("abc"), 2, 0, broken), &b) == broken);
	CHECK_S(string_view(b), S("abc"));
	CHECK(io_read_all(slow(S(""), 1, 1, io_eof), &b) == io_no_progress);
}

TEST(read_full)
{
	slice(byte) p = make_slice(byte, 4);
	io_reader r = slow(S("abcdef"), 1, 0, io_eof);
	size_t n;

	CHECK(!io_read_full(r, p, &n) && n == 4);
	CHECK_S(string_view(p), S("abcd"));
	CHECK(io_read_full(r, p, &n) == io_unexpected_eof && n == 2);
	CHECK(io_read_full(r, p, &n) == io_eof && n == 0);
	CHECK(!io_read_at_least(slow(S("abcdef"), 3, 0, io_eof), p, 2, &n) && n == 3);
}

TEST(copies)
{
	bytes_buffer b = {};
	int64 n;

	CHECK(!io_copy(buffer_writer(&b), slow(S("some text"), 2, 3, io_eof), &n) && n == 9);
	CHECK_S(buffer_string(&b), S("some text"));
	CHECK(io_copy(io_discard, slow(S("some"), 2, 0, broken), &n) == broken && n == 4);
	buffer_reset(&b);
	CHECK(!io_copy_n(buffer_writer(&b), strings_new_reader(S("abcdef")), 4, &n) && n == 4);
	CHECK(io_copy_n(buffer_writer(&b), strings_new_reader(S("abc")), 4, &n) == io_eof && n == 3);
	CHECK_S(buffer_string(&b), S("abcdabc"));
	struct small w = { .room = 5 };
	CHECK(io_copy((io_writer){ small_write, &w }, strings_new_reader(S("abcdefgh")), &n) == broken && n == 5);
	CHECK(!io_copy(os_stdout, strings_new_reader(S("copied to the console\n")), NULL));
	CHECK(!io_printf(os_stdout, "%s %d\n", S("printed"), 5));
}

TEST(readers_of_readers)
{
	slice(byte) b;
	bytes_buffer seen = {}, also = {};

	CHECK(!io_read_all(io_limit_reader(slow(S("abcdef"), 2, 0, io_eof), 3), &b));
	CHECK_S(string_view(b), S("abc"));
	CHECK(!io_read_all(io_limit_reader(strings_new_reader(S("ab")), 3), &b) && len(b) == 2);
	CHECK(!io_read_all(io_limit_reader(strings_new_reader(S("ab")), -1), &b) && len(b) == 0);
	CHECK(!io_read_all(io_multi_reader(strings_new_reader(S("ab")), strings_new_reader(S("")), strings_new_reader(S("c"))), &b));
	CHECK_S(string_view(b), S("abc"));
	CHECK(!io_read_all(io_tee_reader(slow(S("abc"), 1, 0, io_eof), buffer_writer(&seen)), &b));
	CHECK_S(buffer_string(&seen), S("abc"));
	CHECK(!io_write_string(io_multi_writer(buffer_writer(&seen), buffer_writer(&also)), S("d")));
	CHECK_S(buffer_string(&seen), S("abcd"));
	CHECK_S(buffer_string(&also), S("d"));
}

TEST(buffers)
{
	bytes_buffer b = {};
	slice(byte) p = make_slice(byte, 3);
	size_t n;
	byte c;
	rune r;
	string s;

	CHECK(buffer_read(&b, p, &n) == io_eof && n == 0);
	buffer_printf(&b, "%s-%d", S("a"), 5);
	buffer_write_byte(&b, '\n');
	buffer_write_rune(&b, 0x20AC);
	buffer_write_string(&b, S("rest"));
	CHECK_EQ(buffer_len(&b), 11);
	CHECK(!buffer_read_string(&b, '\n', &s));
	CHECK_S(s, S("a-5\n"));
	CHECK(!buffer_read_rune(&b, &r, &n) && r == 0x20AC && n == 3);
	CHECK(!buffer_unread_rune(&b) && buffer_len(&b) == 7 && buffer_unread_rune(&b));
	CHECK(!buffer_read_rune(&b, &r, &n));
	CHECK(!buffer_read_byte(&b, &c) && c == 'r' && !buffer_unread_byte(&b) && buffer_unread_byte(&b));
	CHECK_S(string_view(buffer_next(&b, 2)), S("re"));
	CHECK(buffer_read_string(&b, '\n', &s) == io_eof);
	CHECK_S(s, S("st"));
	for (int i = 0; i < 2000; i++) { /* does not grow for ever */
		buffer_write_string(&b, S("0123456789"));
		CHECK_EQ(len(buffer_next(&b, 9)), 9);
		if (i % 10 == 9)
			CHECK_EQ(len(buffer_next(&b, 10)), 10);
	}
	CHECK(cap(b.buf) < 4096);
	buffer_truncate(&b, 0);
	CHECK_EQ(buffer_len(&b), 0);
	CHECK(buffer_read_byte(&b, &c) == io_eof && buffer_read_rune(&b, &r, &n) == io_eof);
}

TEST(buffered_reading)
{
	/* Every size of buffer and piece sees the same. */
	for (size_t size = 16; size < 40; size += 7) {
		for (size_t piece = 1; piece < 30; piece += 4) {
			bufio_reader *b = bufio_new_reader_size(slow(S("first line\n\xE2\x82\xAC second\nlast"), piece, 4, io_eof), size);
			slice(byte) p, four = make_slice(byte, 4);
			string s;
			rune r;
			size_t n;
			byte c;

			CHECK(!bufio_peek(b, 5, &p));
			CHECK_S(string_view(p), S("first"));
			CHECK(!bufio_read_byte(b, &c) && c == 'f' && !bufio_unread_byte(b));
			CHECK(!bufio_read_string(b, '\n', &s));
			CHECK_S(s, S("first line\n"));
			CHECK(!bufio_read_rune(b, &r, &n) && r == 0x20AC && n == 3);
			CHECK(!bufio_unread_rune(b) && bufio_unread_rune(b) == bufio_invalid_unread_rune);
			CHECK(!bufio_read_rune(b, &r, &n) && r == 0x20AC);
			CHECK(!bufio_discard(b, 1, &n) && n == 1);
			CHECK(!io_read_full(bufio_reader_reader(b), four, &n));
			CHECK_S(string_view(four), S("seco"));
			CHECK(!bufio_read_bytes(b, '\n', &p));
			CHECK_S(string_view(p), S("nd\n"));
			CHECK(bufio_peek(b, 5, &p) == io_eof);
			CHECK_S(string_view(p), S("last"));
			CHECK(bufio_read_string(b, '\n', &s) == io_eof);
			CHECK_S(s, S("last"));
			CHECK(bufio_read_byte(b, &c) == io_eof && bufio_read_rune(b, &r, &n) == io_eof);
		}
	}
	bufio_reader *b = bufio_new_reader_size(strings_new_reader(strings_repeat(S("x"), 50)), 16);
	slice(byte) p;
	CHECK(bufio_read_slice(b, '\n', &p) == bufio_buffer_full && len(p) == 16);
	CHECK(bufio_peek(b, 17, &p) == bufio_buffer_full);
	CHECK(bufio_read_bytes(b, '\n', &p) == io_eof && len(p) == 34);
}

TEST(buffered_writing)
{
	bytes_buffer out = {};
	bufio_writer *b = bufio_new_writer_size(buffer_writer(&out), 8);
	size_t n;

	CHECK(!bufio_write_string(b, S("abc")) && buffer_len(&out) == 0 && bufio_available(b) == 5);
	CHECK(!bufio_write_byte(b, 'd') && !bufio_write_rune(b, 0x20AC));
	CHECK(!bufio_write(b, bytes_of(S("0123456789abcdefghij")), &n) && n == 20);
	CHECK(!bufio_printf(b, "%s|%d", S("x"), 7));
	CHECK(!bufio_flush(b));
	CHECK_S(buffer_string(&out), S("abcd\xE2\x82\xAC" "0123456789abcdefghijx|7"));
	struct small w = { .room = 10 };
	b = bufio_new_writer_size((io_writer){ small_write, &w }, 8);
	CHECK(!bufio_write_string(b, S("12345678")));
	CHECK(bufio_write_string(b, S("abcdefgh")) == NULL);
	CHECK(bufio_flush(b) == broken && bufio_write_byte(b, 'x') == broken && bufio_flush(b) == broken);
	CHECK_S(buffer_string(&w.b), S("12345678ab"));
}

static string tokens(io_reader r, bufio_split split, size_t max, error *err)
{
	bufio_scanner *sc = bufio_new_scanner(r);
	builder b = {};

	bufio_scanner_split(sc, split);
	if (max)
		bufio_scanner_max(sc, max);
	while (bufio_scan(sc))
		builder_printf(&b, "<%s>", bufio_text(sc));
	*err = bufio_scanner_err(sc);
	CHECK(!bufio_scan(sc));
	return builder_string(&b);
}

TEST(scanning)
{
	error err;

	for (size_t piece = 1; piece < 20; piece += 3) {
		CHECK_S(tokens(slow(S("a\r\n\nlong line\nend"), piece, 3, io_eof), bufio_scan_lines, 0, &err), S("<a><><long line><end>"));
		CHECK(!err);
		CHECK_S(tokens(slow(S("a\n\n"), piece, 0, io_eof), bufio_scan_lines, 0, &err), S("<a><>"));
		CHECK_S(tokens(slow(S(" \t one\xC2\xA0two \xE3\x80\x80 three"), piece, 0, io_eof), bufio_scan_words, 0, &err),
		        S("<one><two><three>"));
		CHECK_S(tokens(slow(S("a\xE2\x82\xAC\xFF\xE2\x82"), piece, 0, io_eof), bufio_scan_runes, 0, &err),
		        S("<a><\xE2\x82\xAC><\xEF\xBF\xBD><\xEF\xBF\xBD><\xEF\xBF\xBD>"));
		CHECK_S(tokens(slow(S("ab"), piece, 0, io_eof), bufio_scan_bytes, 0, &err), S("<a><b>"));
		CHECK_S(tokens(slow(S("a\nb"), piece, 0, broken), bufio_scan_lines, 0, &err), S("<a><b>"));
		CHECK(err == broken);
		CHECK_S(tokens(slow(S("ab\nabcdefghijkl\n"), piece, 0, io_eof), bufio_scan_lines, 8, &err), S("<ab>"));
		CHECK(err == bufio_too_long);
	}
	string line = strings_repeat(S("x"), 60000);
	CHECK_S(tokens(slow(concat(line, S("\n"), line), 777, 0, io_eof), bufio_scan_lines, 0, &err),
	        concat(S("<"), line, S("><"), line, S(">")));
	CHECK_S(tokens(strings_new_reader(S("")), bufio_scan_lines, 0, &err), S(""));
	CHECK_S(tokens(strings_new_reader(S("   ")), bufio_scan_words, 0, &err), S(""));
	CHECK_S(tokens(slow(S(""), 1, 1, io_eof), bufio_scan_lines, 0, &err), S(""));
	CHECK(err == io_no_progress);
}

static void produce(io_pipe *p, int64 n, wait_group *wg)
{
	for (int64 i = 0; i < n; i++)
		must(io_printf(io_pipe_writer(p), "%ld\n", (long)i));
	if (wg)
		wait_group_done(wg);
	else
		io_pipe_close_write(p, NULL);
}

TEST(a_pipe_joins_tasks)
{
	io_pipe *p = io_new_pipe();
	bufio_scanner *sc = bufio_new_scanner(io_pipe_reader(p));
	int64 n = 0, v;

	go(produce, p, (int64)2000, NULL);
	while (bufio_scan(sc)) {
		must(strconv_atoi(bufio_text(sc), &v));
		CHECK_EQ(v, n);
		n++;
	}
	CHECK(!bufio_scanner_err(sc));
	CHECK_EQ(n, 2000);
}

static void close_after(io_pipe *p, wait_group *wg)
{
	wait_group_wait(wg);
	io_pipe_close_write(p, broken);
}

TEST(many_writers_of_a_pipe_are_not_mixed)
{
	io_pipe *p = io_new_pipe();
	slice(byte) piece = make_slice(byte, 3);
	bytes_buffer all = {};
	wait_group wg = {};
	int64 sum = 0, v;
	size_t n;
	error err;
	string s;

	wait_group_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(produce, p, (int64)200, &wg);
	go(close_after, p, &wg);
	while (!(err = io_read(io_pipe_reader(p), piece, &n)))
		buffer_write(&all, slice_to(piece, n));
	CHECK(err == broken);
	while (!buffer_read_string(&all, '\n', &s)) {
		must(strconv_atoi(strings_trim_space(s), &v));
		sum += v;
	}
	CHECK_EQ(sum, 4 * 199 * 200 / 2);
}

static void read_some(io_pipe *p, chan(bool) done)
{
	slice(byte) b = make_slice(byte, 2);

	CHECK(!io_read_full(io_pipe_reader(p), b, NULL));
	io_pipe_close_read(p, broken);
	CHECK(io_read(io_pipe_reader(p), b, NULL) == io_closed_pipe);
	send(done, true);
}

TEST(a_pipe_without_its_reader)
{
	io_pipe *p = io_new_pipe();
	chan(bool) done = make_chan(bool, 1);
	size_t n;

	go(read_some, p, done);
	CHECK(io_write(io_pipe_writer(p), bytes_of(S("abcd")), &n) == broken && n == 2);
	recv(done);
	CHECK(io_write(io_pipe_writer(p), bytes_of(S("x")), &n) == broken && n == 0);
	p = io_new_pipe();
	io_pipe_close_write(p, NULL);
	CHECK(io_write_string(io_pipe_writer(p), S("x")) == io_closed_pipe);
	CHECK(io_read(io_pipe_reader(p), make_slice(byte, 1), &n) == io_eof);
}

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static error liar_read(void *self, slice(byte) p, size_t *n)
{
	*n = p.len + 1;
	return NULL;
}

static void read_liar(void)
{
	defer(catch);
	errors_ignore(io_read((io_reader){ liar_read, NULL }, make_slice(byte, 3), NULL));
}

static void truncate(bytes_buffer *b)
{
	defer(catch);
	buffer_truncate(b, 1);
}

static void split_late(void)
{
	defer(catch);
	bufio_scanner *sc = bufio_new_scanner(strings_new_reader(S("x")));
	bufio_scan(sc);
	bufio_scanner_split(sc, bufio_scan_words);
}

TEST(misuse)
{
	read_liar();
	CHECK_S(caught, S("io: a reader returned 4 bytes for 3"));
	truncate(&(bytes_buffer){});
	CHECK_S(caught, S("bytes.Buffer: truncation out of range"));
	split_late();
	CHECK_S(caught, S("Split called after Scan"));
}

TEST_MAIN
{
	RUN(read_all_of_a_string);
	RUN(read_full);
	RUN(copies);
	RUN(readers_of_readers);
	RUN(buffers);
	RUN(buffered_reading);
	RUN(buffered_writing);
	RUN(scanning);
	RUN(a_pipe_joins_tasks);
	RUN(many_writers_of_a_pipe_are_not_mixed);
	RUN(a_pipe_without_its_reader);
	RUN(misuse);
}
