/* filetable.h: file systems that are a table of names: what embed.c and tarfs.c share.
 * Folders are what the names say. */
#ifndef RT_FILETABLE_H
#define RT_FILETABLE_H

#include "rt.h"
#include "api_value.h"
#include "api_file.h"

struct file_table {
	file_system fs;
	size_t (*count)(const struct file_table *t);
	string (*name)(const struct file_table *t, size_t i);
	file_info (*info)(const struct file_table *t, size_t i); /* but its name */
};

/* Finds a file (*i) or a folder (*i: no file's). */
error file_table_find(const struct file_table *t, string name, file_info *info, size_t *i);
/* For fs.stat, fs.read_dir. */
error file_table_stat(file_system *fs, string name, file_info *info);
error file_table_read_dir(file_system *fs, string name, slice(file_info) *entries);

#endif
