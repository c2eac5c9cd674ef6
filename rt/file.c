/* file.c: the interface to files (Go: io/fs, os.File): names, positions, errors.
 * The files themselves are a file_system's: embed.c, later disks. */
#include "rt.h"
#include "api_value.h"
#include "api_file.h"

define_error(fs_not_exist, "file does not exist");
define_error(fs_invalid, "invalid argument");
define_error(fs_closed, "file already closed");

static string path_error_text(error e)
{
	const path_error *p = (const path_error *)e;

	return concat(p->op, S(" "), p->path, S(": "), error_text(p->err));
}

static error path_error_unwrap(error e)
{
	return ((const path_error *)e)->err;
}

define_error_type(path_error, .text = path_error_text, .unwrap = path_error_unwrap);

/* err, with what it was about; NULL stays. */
static error about(string op, string name, error err)
{
	return err ? new_error(path_error, .op = op, .path = name, .err = err) : NULL;
}

/* Go: fs.ValidPath. */
static bool valid(string name)
{
	size_t start = 0;

	if (string_eq(name, S(".")))
		return true;
	for (size_t i = 0; i <= name.len; i++) {
		if (i < name.len && name.ptr[i] != '/')
			continue;
		string part = { name.ptr + start, i - start };
		if (!part.len || string_eq(part, S(".")) || string_eq(part, S("..")))
			return false;
		start = i + 1;
	}
	return true;
}

error fs_open(file_system *fs, string name, file **f)
{
	error err = valid(name) ? fs->open(fs, name, f) : fs_invalid;

	if (!err)
		(*f)->name = name;
	else
		*f = NULL;
	return about(S("open"), name, err);
}

error fs_stat(file_system *fs, string name, file_info *info)
{
	*info = (file_info){};
	return about(S("stat"), name, valid(name) ? fs->stat(fs, name, info) : fs_invalid);
}

error fs_read_dir(file_system *fs, string name, slice(file_info) *entries)
{
	*entries = (slice(file_info)){};
	return about(S("readdir"), name, valid(name) ? fs->read_dir(fs, name, entries) : fs_invalid);
}

error fs_read_file(file_system *fs, string name, slice(byte) *data)
{
	slice(byte) all = {};
	size_t n = 0;
	file *f;

	*data = all;
	if (fs->bytes)
		return about(S("open"), name, valid(name) ? fs->bytes(fs, name, data) : fs_invalid);
	error err = fs_open(fs, name, &f);
	if (err)
		return err;
	if (f->info.size > 0)
		all = make_slice(byte, 0, f->info.size);
	do {
		if (all.len == all.cap) /* it may have grown meanwhile */
			all = slices_grow(all, 512);
		err = file_read(f, ((slice(byte)){ all.ptr + all.len, all.cap - all.len, all.cap - all.len }), &n);
		all.len += n;
	} while (!err && n);
	errors_ignore(file_close(f));
	if (!err)
		*data = all;
	return err;
}

static error read_at(file *f, slice(byte) buf, int64_t off, size_t *n)
{
	*n = 0;
	if (f->closed)
		return fs_closed;
	if (!f->read_at || off < 0)
		return fs_invalid;
	return buf.len ? f->read_at(f, buf.ptr, buf.len, off, n) : NULL;
}

error file_read(file *f, slice(byte) buf, size_t *n)
{
	error err = read_at(f, buf, f->pos, n);

	f->pos += (int64_t)*n;
	return about(S("read"), f->name, err);
}

error file_read_at(file *f, slice(byte) buf, int64_t off, size_t *n)
{
	return about(S("read"), f->name, read_at(f, buf, off, n));
}

error file_seek(file *f, int64_t off, enum file_whence whence, int64_t *pos)
{
	int64_t from = whence == SeekCurrent ? f->pos : whence == SeekEnd ? f->info.size : 0, to;
	error err = f->closed ? fs_closed
	          : !f->read_at || (unsigned)whence > SeekEnd || __builtin_add_overflow(from, off, &to) || to < 0 ? fs_invalid
	                                                                                                         : NULL;

	if (!err)
		f->pos = to;
	if (pos)
		*pos = f->pos;
	return about(S("seek"), f->name, err);
}

error file_stat(file *f, file_info *info)
{
	*info = f->closed ? (file_info){} : f->info;
	return about(S("stat"), f->name, f->closed ? fs_closed : NULL);
}

error file_close(file *f)
{
	if (f->closed)
		return about(S("close"), f->name, fs_closed);
	f->closed = true;
	return f->close ? about(S("close"), f->name, f->close(f)) : NULL;
}
