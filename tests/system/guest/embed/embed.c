/* embed.c: the files compiled into this image and those handed over at boot, through
 * the one interface.  tests/system/embed.py knows what must be printed; anything
 * unexpected is a line "FAIL ...". */
#include "ingot.h"
#include <string.h>

#define MUST(c) \
	do { \
		if (!(c)) \
			println("FAIL line %d: %s", __LINE__, #c); \
	} while (0)

/* Everything below a folder. */
static void list(file_system *fs, string dir, int depth)
{
	slice(file_info) entries;
	error err = fs_read_dir(fs, dir, &entries);

	if (err) {
		println("FAIL %s", err);
		return;
	}
	for_slice(i, e, entries) {
		string path = string_eq(dir, S(".")) ? e->name : concat(dir, S("/"), e->name);

		println("%*s%s%s %lld", depth * 2, "", e->name, e->is_dir ? "/" : "", (long long)e->size);
		if (e->is_dir)
			list(fs, path, depth + 1);
	}
}

static void fails(file_system *fs, string name, error why)
{
	file *f;
	slice(byte) data;
	error err = fs_open(fs, name, &f);

	MUST(errors_is(err, why) && f == NULL);
	println("%s", err);
	MUST(errors_is(fs_read_file(fs, name, &data), why) && !data.ptr);
}

static void reading(void)
{
	slice(byte) b = make_slice(byte, 100), all;
	file_info info;
	int64 pos;
	size_t n;
	file *f;

	must(fs_open(embed_fs(), S("binary"), &f));
	must(file_stat(f, &info));
	MUST(info.size == 5120 && !info.is_dir && string_eq(info.name, S("binary")));
	int64 sum = 0, total = 0;
	do {
		must(file_read(f, b, &n));
		for (size_t i = 0; i < n; i++, total++) {
			MUST(b.ptr[i] == (byte)total);
			sum += b.ptr[i];
		}
	} while (n);
	println("read %lld bytes, sum %lld", (long long)total, (long long)sum);
	must(file_seek(f, -3, SeekEnd, &pos));
	MUST(pos == 5117);
	must(file_read(f, b, &n));
	MUST(n == 3 && b.ptr[0] == 253 && b.ptr[2] == 255);
	must(file_seek(f, 10, SeekStart, NULL));
	must(file_seek(f, 5, SeekCurrent, &pos));
	MUST(pos == 15);
	must(file_read(f, slice_to(b, 1), &n));
	MUST(n == 1 && b.ptr[0] == 15);
	must(file_read_at(f, b, 256, &n));
	MUST(n == 100 && b.ptr[0] == 0 && b.ptr[99] == 99);
	must(file_seek(f, 0, SeekCurrent, &pos));
	MUST(pos == 16);
	must(file_seek(f, 1 << 20, SeekStart, NULL)); /* behind the end: nothing there */
	must(file_read(f, b, &n));
	MUST(n == 0);
	must(file_read_at(f, (slice(byte)){}, 0, &n));
	MUST(n == 0);
	/* Bad input. */
	MUST(errors_is(file_seek(f, -1, SeekStart, &pos), fs_invalid) && pos == 1 << 20);
	MUST(errors_is(file_seek(f, INT64_MAX, SeekEnd, NULL), fs_invalid));
	MUST(errors_is(file_seek(f, 0, (enum file_whence)7, NULL), fs_invalid));
	MUST(errors_is(file_read_at(f, b, -1, &n), fs_invalid) && n == 0);
	MUST(file_close(f) == NULL);
	error err = file_read(f, b, &n);
	MUST(errors_is(err, fs_closed) && n == 0);
	println("%s", err);
	MUST(errors_is(file_seek(f, 0, SeekStart, NULL), fs_closed) && errors_is(file_stat(f, &info), fs_closed) &&
	     errors_is(file_close(f), fs_closed));
	/* A folder opens, but holds no bytes. */
	must(fs_open(embed_fs(), S("conf"), &f));
	must(file_stat(f, &info));
	MUST(info.is_dir && string_eq(info.name, S("conf")));
	err = file_read(f, b, &n);
	MUST(errors_is(err, fs_invalid));
	println("%s", err);
	file_close(f);
	must(fs_read_file(embed_fs(), S("empty"), &all));
	MUST(all.len == 0);
	must(fs_read_file(embed_fs(), S("hello.txt"), &all));
	print("%s", string_view(all));
	must(fs_stat(embed_fs(), S("conf/deep"), &info));
	MUST(info.is_dir && string_eq(info.name, S("deep")));
	must(fs_stat(embed_fs(), S("conf/deep/x"), &info));
	MUST(!info.is_dir && info.size == 1);
	slice(file_info) entries;
	MUST(errors_is(fs_read_dir(embed_fs(), S("hello.txt"), &entries), fs_invalid) && entries.len == 0);
	MUST(errors_is(fs_read_dir(embed_fs(), S("con"), &entries), fs_not_exist));
}

/* A file system of the program's own: its files come in pieces and have no bytes at hand. */
static error slow_read(file *f, byte *p, size_t n, int64 off, size_t *got)
{
	for (*got = 0; *got < n && *got < 7 && off + (int64)*got < 1000; ++*got)
		p[*got] = (byte)(off + (int64)*got);
	return NULL;
}
static error slow_open(file_system *fs, string name, file **f)
{
	if (!string_eq(name, S("slow")))
		return fs_not_exist;
	*f = new(file, .read_at = slow_read, .info = { name, 10, false }); /* it has grown since */
	return NULL;
}

static void own(void)
{
	static file_system slow = { .open = slow_open };
	slice(byte) all;
	error err = fs_read_file(&slow, S("slow"), &all);

	MUST(!err && all.len == 1000);
	for_slice(i, p, all)
		MUST(*p == (byte)i);
	MUST(errors_is(fs_read_file(&slow, S("other"), &all), fs_not_exist));
}

int main(int argc, char **argv)
{
	list(embed_fs(), S("."), 0);
	reading();
	own();
	fails(embed_fs(), S("nosuch"), fs_not_exist);
	fails(embed_fs(), S("conf/deep/x/y"), fs_not_exist);
	fails(embed_fs(), S("hello.tx"), fs_not_exist);
	string bad[] = { S(""), S("/"), S("/hello.txt"), S("conf/"), S("conf//a.conf"), S("./conf"), S("conf/../conf"), S("..") };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		fails(embed_fs(), bad[i], fs_invalid);
	println("boot:");
	list(boot_fs(), S("."), 1);
	slice(file_info) files;
	slice(byte) all;
	must(fs_read_dir(boot_fs(), S("."), &files));
	for_slice(i, e, files) {
		must(fs_read_file(boot_fs(), e->name, &all));
		print("%s", string_view(all));
	}
	println("end");
	return 0;
}
