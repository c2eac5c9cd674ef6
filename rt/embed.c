/* embed.c: files that lie in memory as they are: those compiled into the image (Go:
 * embed) and the boot modules.
 *
 * A table of names and bytes; folders are what the names say.  The table of the image
 * is made by rt/gen/mkembed.sh from the program's folder embed/; it is absent (weak)
 * where there is none. */
#include "rt.h"
#include "api_value.h"
#include "api_file.h"

/* mkembed.sh writes these. */
struct rt_embedded {
	const char *name;
	const void *data;
	uint64_t len;
};
extern const struct rt_embedded rt_embed_files[] __attribute__((weak)), rt_embed_end[] __attribute__((weak));

struct mem_fs {
	file_system fs;
	bool boot; /* the boot modules, else the image's */
};

struct mem_file {
	file f;
	slice(byte) data;
};

static size_t count(const struct mem_fs *m)
{
	return m->boot ? plat_nmodules() : (size_t)(rt_embed_end - rt_embed_files);
}

static string name_of(const struct mem_fs *m, size_t i)
{
	return cstring(m->boot ? plat_module((unsigned)i).name : rt_embed_files[i].name);
}

static slice(byte) data_of(const struct mem_fs *m, size_t i)
{
	if (m->boot) {
		struct plat_module b = plat_module((unsigned)i);
		return (slice(byte)){ (byte *)b.data, b.len, b.len };
	}
	return (slice(byte)){ (byte *)rt_embed_files[i].data, rt_embed_files[i].len, rt_embed_files[i].len };
}

static string last_element(string name)
{
	ptrdiff_t i = strings_last_index(name, S("/"));

	return slice_from(name, i + 1);
}

/* The element of a file's name below folder dir; false if it is not in it. */
static bool below(string file, string dir, string *element, bool *is_dir)
{
	ptrdiff_t slash;

	if (!string_eq(dir, S("."))) {
		if (file.len <= dir.len || file.ptr[dir.len] != '/' || !strings_has_prefix(file, dir))
			return false;
		file = slice_from(file, dir.len + 1);
	}
	slash = strings_index_byte(file, '/');
	*is_dir = slash >= 0;
	*element = slash >= 0 ? slice_to(file, slash) : file;
	return true;
}

/* Finds a file (*i) or a folder. */
static error find(const struct mem_fs *m, string name, file_info *info, size_t *i)
{
	size_t n = count(m);
	string element;
	bool is_dir;

	for (*i = 0; *i < n; ++*i)
		if (string_eq(name_of(m, *i), name)) {
			*info = (file_info){ last_element(name), (int64_t)data_of(m, *i).len, false };
			return NULL;
		}
	*info = (file_info){ last_element(name), 0, true };
	for (*i = 0; *i < n; ++*i)
		if (below(name_of(m, *i), name, &element, &is_dir))
			return NULL;
	return string_eq(name, S(".")) ? NULL : fs_not_exist;
}

static error mem_read_at(file *f, byte *p, size_t n, int64_t off, size_t *got)
{
	const struct mem_file *m = (const struct mem_file *)f;

	if ((uint64_t)off >= m->data.len)
		return NULL;
	*got = m->data.len - (size_t)off < n ? m->data.len - (size_t)off : n;
	memcpy(p, m->data.ptr + off, *got);
	return NULL;
}

static error mem_open(file_system *fs, string name, file **out)
{
	const struct mem_fs *m = (const struct mem_fs *)fs;
	file_info info;
	size_t i;
	error err = find(m, name, &info, &i);

	if (err)
		return err;
	struct mem_file *f = rt_malloc(sizeof *f, NULL);
	f->f.info = info;
	if (!info.is_dir) {
		f->f.read_at = mem_read_at;
		f->data = data_of(m, i);
	}
	*out = &f->f;
	return NULL;
}

static error mem_stat(file_system *fs, string name, file_info *info)
{
	size_t i;

	return find((const struct mem_fs *)fs, name, info, &i);
}

static error mem_bytes(file_system *fs, string name, slice(byte) *data)
{
	const struct mem_fs *m = (const struct mem_fs *)fs;
	file_info info;
	size_t i;
	error err = find(m, name, &info, &i);

	if (err || info.is_dir)
		return err ? err : fs_invalid;
	*data = data_of(m, i);
	return NULL;
}

/* Puts an entry where it belongs; a folder comes once for each file in it. */
static slice(file_info) insert(slice(file_info) list, file_info e)
{
	size_t i = list.len;

	while (i && string_cmp(list.ptr[i - 1].name, e.name) > 0)
		i--;
	if (i && e.is_dir && string_eq(list.ptr[i - 1].name, e.name))
		return list;
	list = append(list, e);
	memmove(&list.ptr[i + 1], &list.ptr[i], (list.len - 1 - i) * sizeof e);
	list.ptr[i] = e;
	return list;
}

static error mem_read_dir(file_system *fs, string name, slice(file_info) *entries)
{
	const struct mem_fs *m = (const struct mem_fs *)fs;
	file_info info;
	size_t i;
	error err = find(m, name, &info, &i);

	if (err || !info.is_dir)
		return err ? err : fs_invalid;
	for (i = 0; i < count(m); i++) {
		string element;
		bool is_dir;

		if (below(name_of(m, i), name, &element, &is_dir))
			*entries = insert(*entries, (file_info){ element, is_dir ? 0 : (int64_t)data_of(m, i).len, is_dir });
	}
	return NULL;
}

#define OPS { mem_open, mem_stat, mem_read_dir, mem_bytes }

file_system *embed_fs(void)
{
	static struct mem_fs embedded = { OPS, false };

	return &embedded.fs;
}

file_system *boot_fs(void)
{
	static struct mem_fs boot = { OPS, true };

	return &boot.fs;
}
