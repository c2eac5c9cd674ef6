/* wordcount: counts the words of a text, in parallel.
 *
 *	wordcount [disk | http://HOST/PATH] [LINES]
 *
 * The text is the first boot file, all of the first disk, or what a web server has there.
 *
 * A word is a run of A-Z a-z, in lower case.  The table is, byte for byte,
 * that of
 *	tr -cs A-Za-z '\n' | tr A-Z a-z | sort | uniq -c | sort -rn
 * with LC_ALL=C, also its oddity: a file that begins with anything but a
 * letter has one empty word.  With LINES only the first of them.
 *
 * One worker task for each core takes pieces of the file from a channel and
 * counts into a map of its own; main merges the maps, sorts and prints. */
#include "ingot.h"

#define PIECE ((size_t)256 << 10)
#define SHORT_WORD 64 /* words up to this length are looked up without allocating */

typedef map(string, uint64) counts;

struct entry {
	string word;
	uint64 count;
};
typedef struct entry entry;
declare_slice(entry);

/* The lower-case letter, or 0. */
static inline byte letter(byte c)
{
	byte low = c | 0x20;

	return (byte)(low - 'a') < 26 ? low : 0;
}

/* Adds n for a word whose bytes stay. */
static void add(counts m, string word, uint64 n)
{
	map_at(m, word) += n;
}

/* Counts the words that begin in [begin, end); the last may end behind it. */
static void count_piece(counts m, slice(byte) text, size_t begin, size_t end)
{
	const byte *p = text.ptr;
	size_t i = begin;

	if (i > 0 && letter(p[i - 1]))
		while (i < end && letter(p[i]))
			i++;
	for (;;) {
		char low[SHORT_WORD];
		size_t start, n = 0;
		byte c, changed = 0;

		while (i < end && !letter(p[i]))
			i++;
		if (i >= end)
			return;
		for (start = i; i < text.len && (c = letter(p[i])); i++, n++) {
			if (n < SHORT_WORD)
				low[n] = (char)c;
			changed |= c ^ p[i];
		}
		string word = { (const char *)p + start, n };

		if (n > SHORT_WORD) {
			add(m, changed ? strings_to_lower(word) : word, 1);
			continue;
		}
		uint64 *count = map_find(m, ((string){ low, n }));

		if (count)
			++*count;
		else
			add(m, changed ? string_from_bytes(low, n) : word, 1);
	}
}

static void worker(slice(byte) text, chan(size_t) pieces, chan(counts) results)
{
	counts m = make_map(string, uint64);

	for_recv(begin, pieces) {
		size_t end = text.len - begin > PIECE ? begin + PIECE : text.len;

		count_piece(m, text, begin, end);
	}
	send(results, m);
}

static counts count_all(slice(byte) text)
{
	int workers = gomaxprocs(0);
	chan(size_t) pieces = make_chan(size_t, 4 * workers);
	chan(counts) results = make_chan(counts, workers);

	for (int i = 0; i < workers; i++)
		go(worker, text, pieces, results);
	for (size_t begin = 0; begin < text.len; begin += PIECE)
		send(pieces, begin);
	close(pieces);

	counts all = recv(results);

	for (int i = 1; i < workers; i++) {
		for_map(word, n, recv(results))
			add(all, word, n);
	}
	if (text.len && !letter(text.ptr[0]))
		add(all, S(""), 1);
	return all;
}

/* sort -rn: larger counts first, ties by the word's bytes, descending. */
static int by_count(const entry *a, const entry *b)
{
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return string_cmp(b->word, a->word);
}

static void print_table(counts m, size_t lines)
{
	slice(entry) v = make_slice(entry, 0, len(m));
	builder out = {};

	for_map(word, n, m)
		v = append(v, ((entry){ word, n }));
	sort_func(v, by_count);
	for (size_t i = 0; i < len(v) && i < lines; i++) {
		entry e = at(v, i);

		builder_printf(&out, "%7llu ", (unsigned long long)e.count);
		builder_write(&out, e.word);
		builder_write_byte(&out, '\n');
		if (len(out.buf) >= 32 << 10) {
			print_string(builder_string(&out));
			builder_reset(&out);
		}
	}
	print_string(builder_string(&out));
}

/* All of the first disk. */
static error read_disk(slice(byte) *text)
{
	disk *d = disk_open(0);

	if (!d)
		return errors_new(S("there is no disk"));
	if ((uint64)disk_size(d) > memory_total() / 2)
		return errors_new(S("the disk has more bytes than half of the memory"));
	*text = make_slice(byte, (size_t)disk_size(d));
	return disk_read_at(d, text->ptr, text->len, 0);
}

/* What a GET answers, if it answers 200. */
static error read_url(string url, slice(byte) *text)
{
	http_response *r;
	error err = net_wait_up(30 * Second);

	if (!err)
		err = http_get(url, &r);
	if (err)
		return err;
	err = r->status == 200 ? http_response_read_all(r, memory_total() / 2, text)
	                       : errorf("%s: %d %s", url, r->status, r->reason);
	http_response_close(r);
	return err;
}

int main(int argc, char **argv)
{
	uint64 lines = UINT64_MAX;
	string from = argc > 1 ? cstring(argv[1]) : S("");
	bool on_disk = string_eq(from, S("disk")), from_url = strings_has_prefix(from, S("http://"));
	int args = on_disk || from_url ? 1 : 0;
	slice(byte) text;
	error err = NULL;

	if (argc > args + 2 || (argc == args + 2 && strconv_parse_uint(cstring(argv[args + 1]), 10, 64, &lines))) {
		println("usage: wordcount [disk | http://HOST/PATH] [LINES]");
		return 2;
	}
	if (on_disk)
		err = read_disk(&text);
	else if (from_url)
		err = read_url(from, &text);
	else if (boot_files())
		text = boot_file(0).data;
	else
		err = errors_new(S("there is no file to count; name one by FILE=, as in: make run FILE=book.txt"));
	if (err) {
		println("wordcount: %s", err);
		return 2;
	}
	print_table(count_all(text), lines);
	return 0;
}
