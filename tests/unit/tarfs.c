/* tarfs.c: tar archives as file systems, in memory and on a disk, written here in each
 * format; and archives that are none, with every byte of one changed in turn.  Those of
 * the real tar are in tests/system/httpd.py. */
#include "test.h"
#include <stdio.h>

static byte archive[32 * 512];
static size_t at;

static void seal(char *h)
{
	unsigned sum = 0;
	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (byte)h[i];
	snprintf(h + 148, 8, "%06o", sum);
}

static void add(char type, const char *name, const char *prefix, const char *data, size_t n)
{
	char *h = (char *)archive + at;
	memset(h, 0, 512);
	strncpy(h, name, 100);
	snprintf(h + 124, 12, "%011zo", n);
	snprintf(h + 136, 12, "%011o", 1700000000);
	h[156] = type;
	memcpy(h + 257, "ustar\0" "00", 8);
	strncpy(h + 345, prefix, 155);
	seal(h);
	memcpy(archive + at + 512, data, n);
	at += 512 + (n + 511) / 512 * 512;
}

static void build(void)
{
	static char long_name[150];
	memset(archive, 0, sizeof archive);
	memset(long_name, 'n', 149);
	at = 0;
	add('5', "./", "", "", 0);
	add('0', "./a.txt", "", "first", 5);
	add('0', "b", "deep/folder", "second", 6);
	add('L', "././@LongLink", "", long_name, 150);
	add('0', "nnn", "", "long", 4);
	add('x', "pax", "", "19 path=pax/\xc3\xa9.txt\n22 mtime=1600000000.5\n", 41);
	add('0', "short", "", "pax", 3);
	add('2', "link", "", "", 0);
	add(0, "old", "", "", 0);
	at += 1024;
}

static slice(byte) whole(void) { return (slice(byte)){ archive, at, at }; }

static disk *a_disk(int64 bytes)
{
	disk *d;
	while (!(d = disk_in_memory(bytes)))
		;
	return d;
}

static string read_file(file_system *fs, const char *name)
{
	slice(byte) data;
	error err = TRY(fs_read_file(fs, cstring(name), &data));
	return err ? error_text(err) : string_of(data);
}

static void check_all(file_system *fs)
{
	slice(file_info) list;
	file_info info;
	CHECK_S(read_file(fs, "a.txt"), S("first"));
	CHECK_S(read_file(fs, "deep/folder/b"), S("second"));
	CHECK_S(read_file(fs, cstr(strings_repeat(S("n"), 149))), S("long"));
	CHECK_S(read_file(fs, "pax/\xc3\xa9.txt"), S("pax"));
	CHECK_S(read_file(fs, "old"), S(""));
	CHECK_S(read_file(fs, "link"), S("open link: file does not exist"));
	CHECK_S(read_file(fs, "deep"), string_of(fs->bytes ? "open deep: invalid argument" : "read deep: invalid argument"));
	must(TRY(fs_stat(fs, S("a.txt"), &info)));
	CHECK(info.size == 5 && info.modified == 1700000000 && !info.is_dir);
	must(TRY(fs_stat(fs, S("pax/\xc3\xa9.txt"), &info)));
	CHECK_EQ(info.modified, 1600000000);
	must(TRY(fs_read_dir(fs, S("."), &list)));
	CHECK_EQ(len(list), 5);
	CHECK_S(list.ptr[1].name, S("deep"));
	CHECK(list.ptr[1].is_dir && !list.ptr[0].is_dir);
	file *f;
	byte b[10];
	size_t n;
	must(TRY(fs_open(fs, S("deep/folder/b"), &f)));
	must(TRY(file_read_at(f, (slice(byte)){ b, 10, 10 }, 2, &n)));
	CHECK(n == 4 && memcmp(b, "cond", 4) == 0);
	must(TRY(file_read_at(f, (slice(byte)){ b, 10, 10 }, 6, &n)));
	CHECK_EQ(n, 0);
	must(file_close(f));
}

TEST(in_memory)
{
	file_system *fs;
	build();
	must(tar_fs(whole(), &fs));
	check_all(fs);
}

TEST(on_a_disk)
{
	file_system *fs;
	build();
	disk *d = a_disk(sizeof archive);
	must(TRY(disk_write_at(d, archive, sizeof archive, 0)));
	must(TRY(tar_disk_fs(d, &fs)));
	check_all(fs);
}

TEST(what_is_no_archive)
{
	file_system *fs;
	build();
	CHECK(errors_is(tar_fs((slice(byte)){}, &fs), tar_err_format) && !fs);
	CHECK(errors_is(tar_fs((slice(byte)){ archive, 511, 511 }, &fs), tar_err_format));
	CHECK(errors_is(TRY(tar_disk_fs(a_disk(4096), &fs)), tar_err_format));
	archive[512]++; /* the second header's name */
	CHECK_S(error_text(tar_fs(whole(), &fs)), S("not a tar archive: at byte 512 a header's checksum is wrong"));
	at = 0;
	add('0', "a", "", "", 0);
	memcpy(archive + 124, "77777777777", 11);
	seal((char *)archive);
	CHECK_S(error_text(tar_fs((slice(byte)){ archive, 2048, 2048 }, &fs)),
	        S("not a tar archive: at byte 512 a file goes beyond the end"));
	/* Cut anywhere it is an error or a shorter archive; no byte outside is read. */
	build();
	for (size_t n = 0; n < at; n += 37) {
		slice(byte) part = make_slice(byte, n);
		memcpy(part.ptr, archive, n);
		if (!tar_fs(part, &fs))
			read_file(fs, "pax/\xc3\xa9.txt");
	}
}

TEST(bytes_that_are_changed)
{
	file_system *fs;
	slice(file_info) list;
	build();
	size_t n = at, opened = 0;
	for (size_t i = 0; i < n; i++) {
		byte old = archive[i];
		archive[i] ^= (byte)(1 << i % 8) | 0x80;
		/* With the sum right again, so that what follows it is looked at. */
		if (archive[i / 512 * 512 + 257] == 'u')
			seal((char *)archive + i / 512 * 512);
		if (!tar_fs((slice(byte)){ archive, n, n }, &fs)) {
			opened++;
			must(TRY(fs_read_dir(fs, S("."), &list)));
			for (size_t k = 0; k < len(list); k++)
				read_file(fs, cstr(list.ptr[k].name));
		}
		archive[i] = old;
		if (archive[i / 512 * 512 + 257] == 'u')
			seal((char *)archive + i / 512 * 512);
	}
	CHECK(opened > n / 2);
	must(tar_fs((slice(byte)){ archive, n, n }, &fs));
	check_all(fs);
}

TEST_MAIN
{
	RUN(in_memory);
	RUN(on_a_disk);
	RUN(what_is_no_archive);
	RUN(bytes_that_are_changed);
}
