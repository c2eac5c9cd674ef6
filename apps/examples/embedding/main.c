/* Embedding: the files of the folder embed/ are a part of the image. */
#include "ingot.h"

int main(void)
{
	slice(byte) text;
	error err = fs_read_file(embed_fs(), S("greeting.txt"), &text);
	print_string(string_view(text));
	println("%s", err);

	slice(file_info) poems;
	must(fs_read_dir(embed_fs(), S("poems"), &poems));
	for_slice(i, p, poems) {
		must(fs_read_file(embed_fs(), concat(S("poems/"), p->name), &text));
		print("%s, %zu bytes: %s", p->name, len(text), string_view(text));
	}
	err = fs_read_file(embed_fs(), S("poems/none.txt"), &text);
	println("%s", err);
	return 0;
}
