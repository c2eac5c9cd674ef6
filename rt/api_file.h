/* api_file.h: files to read (part of ingot.h): those compiled into the image, those
 * handed over at boot, and whatever else offers the same interface.  Go's packages
 * embed and io/fs.
 *
 * A file system is a set of files by name: "conf/a.txt", elements between single
 * slashes, none of them "." or ".."; "." is the root.  Folders are files too.
 *
 *	slice(byte) text;
 *	error err = fs_read_file(embed_fs(), S("conf/a.txt"), &text);
 *
 * Everything here is for tasks.  A call that fails says "open conf/a.txt: file does
 * not exist": a path_error that wraps one of the errors below.  A file has one
 * position, for one task at a time; everything else may be used by many. */
#ifndef INGOT_API_FILE_H
#define INGOT_API_FILE_H

#ifndef INGOT_API_ERROR_H
#error "include ingot.h"
#endif

declare_error(fs_not_exist); /* "file does not exist"   Go: fs.ErrNotExist */
declare_error(fs_invalid);   /* "invalid argument": no valid name, a folder where a file is
                              * needed or the other way round, a place before the start.  Go: fs.ErrInvalid */
declare_error(fs_closed);    /* "file already closed"   Go: fs.ErrClosed */

/* What failed, with which file, why.  Go: fs.PathError. */
typedef struct path_error {
	error_head head;
	string op, path;
	error err;
} path_error;
/* For errors_as(err, path_error, &p). */
declare_error_type(path_error);

/* Go: fs.FileInfo, fs.DirEntry. */
typedef struct file_info {
	string name;  /* the last element */
	int64_t size; /* bytes; 0 of a folder */
	bool is_dir;
	int64_t modified; /* seconds since 1970; 0: not known */
} file_info;
declare_slice(file_info);

/* Files by name.  Go: fs.FS. */
typedef struct file_system file_system;
/* An open file or folder.  Go: fs.File. */
typedef struct file file;

/* The files of the folder embed/ of the program's source folder, as they were when it
 * was built; empty if there is none.  Go: //go:embed. */
file_system *embed_fs(void);
/* The files handed over at boot (FILE=), by their names. */
file_system *boot_fs(void);

/* Opens a file or folder; *f must be closed.  Go: fs.FS.Open. */
error fs_open(file_system *fs, string name, file **f) must_check;
/* All bytes of a file.  Those of embed_fs and boot_fs are not copied and must not
 * be written to (they are read-only memory).  Go: fs.ReadFile. */
error fs_read_file(file_system *fs, string name, slice(byte) *data) must_check;
/* What is in a folder, by name.  Go: fs.ReadDir. */
error fs_read_dir(file_system *fs, string name, slice(file_info) *entries) must_check;
/* What a file is, without opening it.  Go: fs.Stat. */
error fs_stat(file_system *fs, string name, file_info *info) must_check;

/* Reads up to len(buf) bytes at the position, which moves on.  *n: how many; 0 only
 * at the end (Go: io.EOF), or for an empty buf. */
error file_read(file *f, slice(byte) buf, size_t *n) must_check;
/* The same at an offset; the position stays.  Go: io.ReaderAt. */
error file_read_at(file *f, slice(byte) buf, int64_t off, size_t *n) must_check;
/* From where file_seek counts: the start, the position, the end. */
enum file_whence { SeekStart, SeekCurrent, SeekEnd };
/* Moves the position to off bytes from there; *pos (may be NULL): from the start.  It
 * may lie behind the end.  Go: io.Seeker. */
error file_seek(file *f, int64_t off, enum file_whence whence, int64_t *pos) must_check;
/* What it is.  Go: f.Stat(). */
error file_stat(file *f, file_info *info) must_check;
/* The file cannot be used any more.  An error only if it was closed already. */
error file_close(file *f);

/* ---- for those who offer files --------------------------------------------------- */

/* Names are valid when these are called.  They return one of the errors above or one
 * of their own, without name: the callers add it. */
struct file_system {
	/* *f: a new struct file at the start of what the file system needs for it. */
	error (*open)(file_system *fs, string name, file **f);
	error (*stat)(file_system *fs, string name, file_info *info);
	error (*read_dir)(file_system *fs, string name, slice(file_info) *entries); /* sorted */
	/* All bytes without a copy; NULL: fs_read_file reads them. */
	error (*bytes)(file_system *fs, string name, slice(byte) *data);
};
/* An open file: what those who offer files set, but pos and closed. */
struct file {
	error (*read_at)(file *f, byte *p, size_t n, int64_t off, size_t *got); /* NULL: a folder */
	error (*close)(file *f); /* NULL: nothing to do */
	string name;             /* as opened */
	file_info info;
	int64_t pos;
	bool closed;
};

#endif
