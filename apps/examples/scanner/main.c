/* Buffered input: a scanner reads lines and words, a reader up to a byte, a writer collects. */
#include "ingot.h"

static const string poem = S("The fog comes\n"
                             "on little cat feet.\n"
                             "\n"
                             "It sits looking\n"
                             "over harbor and city\n");

int main(void)
{
	bufio_writer *out = bufio_new_writer(os_stdout);

	bufio_scanner *lines = bufio_new_scanner(strings_new_reader(poem));
	for (int n = 1; bufio_scan(lines); n++)
		must(bufio_printf(out, "%d: %s\n", n, bufio_text(lines)));

	bufio_scanner *words = bufio_new_scanner(strings_new_reader(poem));
	bufio_scanner_split(words, bufio_scan_words);
	string longest = {};
	while (bufio_scan(words))
		if (len(bufio_text(words)) > len(longest))
			longest = bufio_text(words);
	must(bufio_printf(out, "the longest word is %s\n", longest));

	bufio_reader *in = bufio_new_reader(strings_new_reader(S("a=1;b=2;c")));
	error err;
	do {
		string field;
		err = bufio_read_string(in, ';', &field);
		must(bufio_printf(out, "%s %s\n", field, err));
	} while (err != io_eof);
	must(bufio_flush(out));
	return 0;
}
