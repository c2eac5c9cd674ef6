/* filetable.c: folders, made of a table of files' names. */
#include "filetable.h"

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

error file_table_find(const struct file_table *t, string name, file_info *info, size_t *i)
{
	size_t n = t->count(t);
	string element;
	bool is_dir;

	for (*i = 0; *i < n; ++*i)
		if (string_eq(t->name(t, *i), name)) {
			*info = t->info(t, *i);
			info->name = last_element(name);
			return NULL;
		}
	*info = (file_info){ .name = last_element(name), .is_dir = true };
	for (*i = 0; *i < n; ++*i)
		if (below(t->name(t, *i), name, &element, &is_dir))
			return NULL;
	return string_eq(name, S(".")) ? NULL : fs_not_exist;
}

error file_table_stat(file_system *fs, string name, file_info *info)
{
	size_t i;

	return file_table_find((const struct file_table *)fs, name, info, &i);
}

/* Puts an entry where it belongs; a folder comes once for each file in it.  Of one name
 * there is one: the first file, else the folder, as for file_table_find(). */
static slice(file_info) insert(slice(file_info) list, file_info e)
{
	size_t i = list.len;

	while (i && string_cmp(list.ptr[i - 1].name, e.name) > 0)
		i--;
	if (i && string_eq(list.ptr[i - 1].name, e.name)) {
		if (list.ptr[i - 1].is_dir)
			list.ptr[i - 1] = e;
		return list;
	}
	list = append(list, e);
	memmove(&list.ptr[i + 1], &list.ptr[i], (list.len - 1 - i) * sizeof e);
	list.ptr[i] = e;
	return list;
}

error file_table_read_dir(file_system *fs, string name, slice(file_info) *entries)
{
	const struct file_table *t = (const struct file_table *)fs;
	file_info info;
	size_t i;
	error err = file_table_find(t, name, &info, &i);

	if (err || !info.is_dir)
		return err ? err : fs_invalid;
	for (i = 0; i < t->count(t); i++) {
		string element;
		bool is_dir;

		if (!below(t->name(t, i), name, &element, &is_dir))
			continue;
		file_info e = { .is_dir = true };
		if (!is_dir)
			e = t->info(t, i);
		e.name = element;
		*entries = insert(*entries, e);
	}
	return NULL;
}
