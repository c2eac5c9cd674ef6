/* A reader of one's own: what comes from another one, each letter moved on by 13 places. */
#include "ingot.h"

static byte rot13(byte c)
{
	if (c >= 'a' && c <= 'z')
		return 'a' + (c - 'a' + 13) % 26;
	if (c >= 'A' && c <= 'Z')
		return 'A' + (c - 'A' + 13) % 26;
	return c;
}

static error rot13_read(void *self, slice(byte) p, size_t *n)
{
	io_reader *r = self;
	error err = io_read(*r, p, n);
	for_slice(i, c, slice_to(p, *n))
		*c = rot13(*c);
	return err;
}

static io_reader rot13_reader(io_reader r)
{
	return (io_reader){ rot13_read, new(io_reader, r.read, r.self) };
}

int main(void)
{
	io_reader s = strings_new_reader(S("Lbh penpxrq gur pbqr!\n"));
	int64 n;
	error err = io_copy(os_stdout, rot13_reader(s), &n);
	println("%ld %s", n, err);

	io_reader twice = rot13_reader(rot13_reader(strings_new_reader(S("as it was"))));
	slice(byte) b;
	must(io_read_all(io_limit_reader(twice, 5), &b));
	println("%s", string_view(b));
	return 0;
}
