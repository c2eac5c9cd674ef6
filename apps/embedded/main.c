/* embedded: prints a file that was compiled in.  What lies in the folder embed/ beside
 * this source is part of the image, and embed_fs() has it; files given at boot
 * (FILE=) are read in the same way from boot_fs(). */
#include "ingot.h"

static error show(file_system *fs)
{
	slice(file_info) files;
	error err = fs_read_dir(fs, S("."), &files);

	for_slice(i, f, files) {
		slice(byte) data;
		err = fs_read_file(fs, f->name, &data);
		if (err)
			return err;
		print("%s: %s", f->name, string_view(data));
	}
	return err;
}

int main(void)
{
	error err = show(embed_fs());

	if (!err)
		err = show(boot_fs());
	if (err)
		println("%s", err);
	return err != NULL;
}
