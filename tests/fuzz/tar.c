/* tar.c: tar archives as a disk or a boot module may hold them: opened, listed, every file
 * read, in pieces and whole. */
#include <stdio.h>
#include <string.h>
#include "ingot.h"
#include "fuzz.h"

static void walk(file_system *fs, string dir, int depth)
{
	slice(file_info) all;
	slice(byte) data;

	if (depth > 20 || fs_read_dir(fs, dir, &all))
		return;
	for_slice(i, f, all) {
		string path = string_eq(dir, S(".")) ? f->name : sprint("%s/%s", dir, f->name);
		file_info info;
		byte buf[100];
		size_t got;
		file *one;

		FUZZ_CHECK(i == 0 || string_cmp(at(all, i - 1).name, f->name) < 0);
		FUZZ_CHECK(!fs_stat(fs, path, &info) && info.is_dir == f->is_dir && info.size == f->size);
		if (info.is_dir) {
			walk(fs, path, depth + 1);
			continue;
		}
		if (!fs_read_file(fs, path, &data))
			FUZZ_CHECK((int64)len(data) == info.size);
		if (fs_open(fs, path, &one))
			continue;
		errors_ignore(file_read_at(one, (slice(byte)){ buf, sizeof buf, sizeof buf }, info.size / 2, &got));
		errors_ignore(file_read(one, (slice(byte)){ buf, sizeof buf, sizeof buf }, &got));
		errors_ignore(file_close(one));
	}
}

/* Long runs of zeros are what archives are made of and mutations lose, and their sums
 * nothing guesses.  So an input is a list of blocks: where its bytes lie in the block (in
 * steps of 4), how many there are, then they.  The sum is made right, but for odd lengths. */
FUZZ(tar, NULL)
{
	slice(byte) all = make_slice(byte, 0, 16384);
	file_system *fs;

	while (n > 2 && len(all) < 16384) {
		byte block[512] = {};
		size_t at = (size_t)fuzz_byte(&p, &n) % 128 * 4, k = fuzz_byte(&p, &n);
		unsigned sum = 8 * ' ';
		bool header = !(k & 1);

		k = k < n ? k : n;
		k = k < sizeof block - at ? k : sizeof block - at;
		memcpy(block + at, p, k);
		p += k, n -= k;
		for (size_t i = 0; i < sizeof block; i++)
			sum += i >= 148 && i < 156 ? 0 : block[i];
		if (header)
			snprintf((char *)block + 148, 8, "%06o", sum);
		all = append_slice(all, ((slice(byte)){ block, sizeof block, sizeof block }));
	}
	/* At exactly this size, for ASan. */
	uint8_t *exact = fuzz_copy(all.ptr, len(all));
	if (!tar_fs((slice(byte)){ exact, len(all), len(all) }, &fs))
		walk(fs, S("."), 0);
	fuzz_free(exact);
}
