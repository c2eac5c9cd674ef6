/* api_tar.h: the files of a tar archive, to read (part of ingot.h): the content of a disk
 * or a boot module, made by any tar.
 *
 *	file_system *fs;
 *	error err = tar_disk_fs(disk_open(0), &fs);      QEMU: -drive file=site.tar,...
 *	err = tar_fs(data, &fs);                          of bytes in memory
 *
 * Formats: ustar, GNU's and pax's long names and times.  Links and devices are left out; of
 * two files of one name the first counts.  Then everything is as in api_file.h.  Go:
 * archive/tar.  Calls are from a task. */
#ifndef INGOT_API_TAR_H
#define INGOT_API_TAR_H

#ifndef INGOT_API_FILE_H
#error "include ingot.h"
#endif
#include "api_disk.h"

declare_error(tar_err_format); /* "not a tar archive", with what is wrong where */

/* The archive's bytes must not change as long as the file system is used. */
error tar_fs(slice(byte) archive, file_system **out) must_check;
/* The archive begins at the disk's first byte.  Also the disk's errors. */
error tar_disk_fs(disk *d, file_system **out) must_check;

#endif
