/* tarfs.c: the files of a tar archive, in memory or on a disk, as a file system to read.
 * Formats: ustar, GNU's long names, pax's path, size and mtime (POSIX.1-2017, pax,
 * "pax Interchange Format" and "ustar Interchange Format").
 *
 * The archive is walked once, for a table of names and places; the content is read when it
 * is asked for.  What is no file (links, devices) is left out; folders are what the names
 * say. */
#include "filetable.h"
#include "api_disk.h"
#include "api_mem.h"
#include "api_tar.h"
#include "text.h"

#define BLOCK 512
#define LONG_MAX_BYTES (64 * 1024) /* of a long name or pax header */

define_error(tar_err_format, "not a tar archive");

struct header { /* ustar */
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6],
		version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "");

typedef struct tar_entry {
	string name;
	int64_t at, size, modified;
} tar_entry;
declare_slice(tar_entry);

struct tar_fs {
	struct file_table t;
	slice(byte) memory;   /* the archive; or */
	disk *disk;
	int64_t size;
	error (*read)(struct tar_fs *fs, void *p, size_t n, int64_t at);
	slice(tar_entry) entries;
};

struct tar_file {
	file f;
	struct tar_fs *fs;
	int64_t at;
};

static error read_memory(struct tar_fs *fs, void *p, size_t n, int64_t at)
{
	memcpy(p, fs->memory.ptr + at, n);
	return NULL;
}

static error read_disk(struct tar_fs *fs, void *p, size_t n, int64_t at)
{
	return disk_read_at(fs->disk, p, n, at);
}

/* ---- the table ---------------------------------------------------------------------- */

/* A field's text, up to its NUL. */
static string field(const char *p, size_t n)
{
	const char *end = memchr(p, 0, n);
	return (string){ p, end ? (size_t)(end - p) : n };
}

/* Octal digits, or, with the top bit set, GNU's big-endian binary.  -1: neither. */
static int64_t number(const char *p, size_t n)
{
	uint64_t v = 0;
	if ((byte)*p == 0x80) {
		for (size_t i = n - 8; i < n; i++)
			v = v << 8 | (byte)p[i];
		return v <= INT64_MAX ? (int64_t)v : -1;
	}
	string s = strings_trim_space(field(p, n));
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '7')
			return -1;
		v = v << 3 | (unsigned)(s.ptr[i] - '0');
	}
	return (int64_t)v; /* at most 12 digits */
}

static bool sum_holds(const struct header *h)
{
	const byte *p = (const byte *)h;
	int64_t sum = 0;
	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= offsetof(struct header, sum) && i < offsetof(struct header, type) ? ' ' : p[i];
	return sum == number(h->sum, sizeof h->sum);
}

static bool decimal(string s, int64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < s.len && s.ptr[i] != '.'; i++)
		if (digit_value((byte)s.ptr[i]) > 9 || *v > INT64_MAX / 10 - 1)
			return false;
		else
			*v = *v * 10 + (s.ptr[i] - '0');
	return s.len > 0;
}

/* What the headers before a file said of it. */
struct said {
	string name;
	int64_t size, modified; /* -1: nothing */
};

/* "LENGTH KEY=VALUE\n" ... */
static bool take_pax(string s, struct said *said)
{
	while (s.len) {
		string length, key, value;
		int64_t n;
		if (!strings_cut(s, S(" "), &length, &value) || !decimal(length, &n) || n <= (int64_t)length.len + 1 ||
		    n > (int64_t)s.len || s.ptr[n - 1] != '\n')
			return false;
		string record = { s.ptr + length.len + 1, (size_t)n - length.len - 2 };
		s = slice_from(s, n);
		if (!strings_cut(record, S("="), &key, &value))
			return false;
		if (string_eq(key, S("path")))
			said->name = value;
		else if (string_eq(key, S("size")) && !decimal(value, &said->size))
			return false;
		else if (string_eq(key, S("mtime")) && !decimal(value, &said->modified))
			said->modified = -1; /* before 1970 */
	}
	return true;
}

static string name_of_header(const struct header *h)
{
	string name = field(h->name, sizeof h->name), prefix = field(h->prefix, sizeof h->prefix);
	if (memcmp(h->magic, "ustar", 6) == 0 && prefix.len)
		return concat(prefix, S("/"), name);
	return string_from_bytes(name.ptr, name.len);
}

/* As names are here (fs_open): "./a//b" is a/b.  "": one with "..", which nobody could ask
 * for, or of no file. */
static string plain(string name)
{
	string all = S(""), part;
	while (name.len) {
		strings_cut(name, S("/"), &part, &name);
		if (string_eq(part, S("..")))
			return S("");
		if (part.len && !string_eq(part, S(".")))
			all = all.len ? sprint("%s/%s", all, part) : part;
	}
	return all;
}

static error bad(int64_t at, string why)
{
	return errorf("%s: at byte %lld %s", errors_wrap(tar_err_format), (long long)at, why);
}

static error walk(struct tar_fs *fs)
{
	struct header *h = rt_malloc(BLOCK, RT_NOSCAN);
	struct said said = { S(""), -1, -1 };
	int64_t at = 0, size;
	error err = NULL;
	for (; !err && fs->size - at >= BLOCK; at += (size + BLOCK - 1) / BLOCK * BLOCK) {
		err = fs->read(fs, h, BLOCK, at);
		if (err || h->name[0] == 0) /* two blocks of zeros are the end */
			break;
		if (!sum_holds(h))
			return bad(at, S("a header's checksum is wrong"));
		at += BLOCK;
		size = number(h->size, sizeof h->size);
		bool extra = h->type == 'L' || h->type == 'x' || h->type == 'g' || h->type == 'K';
		if (!extra && said.size >= 0)
			size = said.size;
		if (size < 0 || size > fs->size - at)
			return bad(at, S("a file goes beyond the end"));
		if (extra) {
			if (size > LONG_MAX_BYTES)
				return bad(at, S("a header is too long"));
			char *p = rt_malloc((size_t)size + 1, RT_NOSCAN);
			err = fs->read(fs, p, (size_t)size, at);
			if (!err && h->type == 'L')
				said.name = field(p, (size_t)size);
			else if (!err && h->type == 'x' && !take_pax((string){ p, (size_t)size }, &said))
				return bad(at, S("a pax header is wrong"));
			continue;
		}
		if (h->type == '0' || h->type == 0 || h->type == '7') {
			string name = said.name.len ? said.name : name_of_header(h);
			bool folder = strings_has_suffix(name, S("/")); /* an old one's */
			tar_entry e = { plain(name), at, size,
				        said.modified >= 0 ? said.modified : number(h->mtime, sizeof h->mtime) };
			e.modified = e.modified > 0 ? e.modified : 0;
			if (e.name.len && !folder)
				fs->entries = append(fs->entries, e);
		} else {
			size = h->type == '5' || h->type == '1' || h->type == '2' ? 0 : size;
		}
		said = (struct said){ S(""), -1, -1 };
	}
	return err ? err : at == 0 ? bad(0, S("there is no header")) : NULL;
}

/* ---- the file system ------------------------------------------------------------------- */

static struct tar_fs *of(const void *fs)
{
	return (struct tar_fs *)fs;
}

static size_t count(const struct file_table *t)
{
	return of(t)->entries.len;
}

static string name_of(const struct file_table *t, size_t i)
{
	return of(t)->entries.ptr[i].name;
}

static file_info info_of(const struct file_table *t, size_t i)
{
	return (file_info){ .size = of(t)->entries.ptr[i].size, .modified = of(t)->entries.ptr[i].modified };
}

static error tar_read_at(file *f, byte *p, size_t n, int64_t off, size_t *got)
{
	struct tar_file *t = (struct tar_file *)f;
	if (off >= f->info.size)
		return NULL;
	size_t k = (uint64_t)(f->info.size - off) < n ? (size_t)(f->info.size - off) : n;
	error err = t->fs->read(t->fs, p, k, t->at + off);
	if (!err)
		*got = k;
	return err;
}

static error tar_open(file_system *fs, string name, file **out)
{
	file_info info;
	size_t i;
	error err = file_table_find(&of(fs)->t, name, &info, &i);
	if (err)
		return err;
	struct tar_file *f = rt_malloc(sizeof *f, NULL);
	f->f.info = info;
	if (!info.is_dir) {
		f->f.read_at = tar_read_at;
		f->fs = of(fs);
		f->at = of(fs)->entries.ptr[i].at;
	}
	*out = &f->f;
	return NULL;
}

static error tar_bytes(file_system *fs, string name, slice(byte) *data)
{
	file_info info;
	size_t i;
	error err = file_table_find(&of(fs)->t, name, &info, &i);
	if (err || info.is_dir)
		return err ? err : fs_invalid;
	*data = (slice(byte)){ of(fs)->memory.ptr + of(fs)->entries.ptr[i].at, (size_t)info.size, (size_t)info.size };
	return NULL;
}

static error open_archive(struct tar_fs *fs, file_system **out)
{
	fs->t = (struct file_table){ { tar_open, file_table_stat, file_table_read_dir, NULL }, count, name_of, info_of };
	error err = walk(fs);
	*out = err ? NULL : &fs->t.fs;
	return err;
}

error tar_fs(slice(byte) archive, file_system **out)
{
	struct tar_fs *fs = new(struct tar_fs, .memory = archive, .size = (int64_t)archive.len, .read = read_memory);
	error err = open_archive(fs, out);
	fs->t.fs.bytes = tar_bytes;
	return err;
}

error tar_disk_fs(disk *d, file_system **out)
{
	return open_archive(new(struct tar_fs, .disk = d, .size = disk_size(d), .read = read_disk), out);
}
