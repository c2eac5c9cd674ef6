/* embed.c: files that lie in memory as they are: those compiled into the image (Go:
 * embed) and the boot modules.
 *
 * The table of the image is made by rt/gen/mkembed.sh from the program's folder embed/; it
 * is absent (weak) where there is none. */
#include "filetable.h"

/* mkembed.sh writes these. */
struct rt_embedded {
	const char *name;
	const void *data;
	uint64_t len;
};
extern const struct rt_embedded rt_embed_files[] __attribute__((weak)), rt_embed_end[] __attribute__((weak));

struct mem_fs {
	struct file_table t;
	bool boot; /* the boot modules, else the image's */
};

struct mem_file {
	file f;
	slice(byte) data;
};

static bool is_boot(const struct file_table *t)
{
	return ((const struct mem_fs *)t)->boot;
}

static size_t count(const struct file_table *t)
{
	return is_boot(t) ? plat_nmodules() : (size_t)(rt_embed_end - rt_embed_files);
}

static string name_of(const struct file_table *t, size_t i)
{
	return cstring(is_boot(t) ? plat_module((unsigned)i).name : rt_embed_files[i].name);
}

static slice(byte) data_of(const struct file_table *t, size_t i)
{
	if (is_boot(t)) {
		struct plat_module b = plat_module((unsigned)i);
		return (slice(byte)){ (byte *)b.data, b.len, b.len };
	}
	return (slice(byte)){ (byte *)rt_embed_files[i].data, rt_embed_files[i].len, rt_embed_files[i].len };
}

static file_info info_of(const struct file_table *t, size_t i)
{
	return (file_info){ .size = (int64_t)data_of(t, i).len };
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
	const struct file_table *t = (const struct file_table *)fs;
	file_info info;
	size_t i;
	error err = file_table_find(t, name, &info, &i);

	if (err)
		return err;
	struct mem_file *f = rt_malloc(sizeof *f, NULL);
	f->f.info = info;
	if (!info.is_dir) {
		f->f.read_at = mem_read_at;
		f->data = data_of(t, i);
	}
	*out = &f->f;
	return NULL;
}

static error mem_bytes(file_system *fs, string name, slice(byte) *data)
{
	const struct file_table *t = (const struct file_table *)fs;
	file_info info;
	size_t i;
	error err = file_table_find(t, name, &info, &i);

	if (err || info.is_dir)
		return err ? err : fs_invalid;
	*data = data_of(t, i);
	return NULL;
}

#define TABLE { { mem_open, file_table_stat, file_table_read_dir, mem_bytes }, count, name_of, info_of }

file_system *embed_fs(void)
{
	static struct mem_fs embedded = { TABLE, false };

	return &embedded.t.fs;
}

file_system *boot_fs(void)
{
	static struct mem_fs boot = { TABLE, true };

	return &boot.t.fs;
}
