/* esp.c: reads files from the EFI system partition that the loader came from.
 *
 * Firmware file systems differ in what they accept: reads are cut into pieces
 * (some drivers fail on very large transfers), and a read that returns less
 * than the directory promised is an error, never a shorter file. */
#include "boot/efi/loader.h"

#define READ_CHUNK (4u << 20) /* bytes */

/* Directory entries carry the name in UTF-16 behind the fixed part; FAT names
 * have at most 255 units. */
#define INFO_BYTES (sizeof(EFI_FILE_INFO) + 256 * sizeof(CHAR16))

union info_buffer {
	EFI_FILE_INFO info;
	UINT8 bytes[INFO_BYTES];
};

EFI_STATUS esp_open(EFI_HANDLE image, EFI_FILE_HANDLE *root)
{
	EFI_LOADED_IMAGE *loaded;
	EFI_FILE_IO_INTERFACE *volume;
	EFI_STATUS st = BS->HandleProtocol(image, &LoadedImageProtocol, (VOID **)&loaded);
	if (EFI_ERROR(st))
		return say_error(st, L"the firmware does not say where the loader came from: %r", st);
	st = BS->HandleProtocol(loaded->DeviceHandle, &FileSystemProtocol, (VOID **)&volume);
	if (EFI_ERROR(st))
		return say_error(st, L"the loader's volume has no file system: %r", st);
	st = volume->OpenVolume(volume, root);
	if (EFI_ERROR(st))
		return say_error(st, L"the loader's volume cannot be opened: %r", st);
	return EFI_SUCCESS;
}

/* Reads `size` bytes from the file's position to `to`. */
static EFI_STATUS read_all(EFI_FILE_HANDLE file, CHAR16 *name, UINT8 *to, UINTN size)
{
	for (UINTN done = 0; done < size;) {
		UINTN want = size - done < READ_CHUNK ? size - done : READ_CHUNK;
		UINTN got = want;
		EFI_STATUS st = file->Read(file, &got, to + done);
		if (EFI_ERROR(st))
			return say_error(st, L"%s: read error after %ld of %ld bytes: %r", name, done, size,
			                 st);
		if (got == 0 || got > want)
			return say_error(EFI_END_OF_FILE, L"%s: short read, %ld of %ld bytes", name, done,
			                 size);
		done += got;
	}
	return EFI_SUCCESS;
}

EFI_STATUS esp_read(EFI_FILE_HANDLE dir, CHAR16 *name, struct esp_file *out)
{
	union info_buffer buf;
	UINTN len = sizeof buf;
	EFI_FILE_HANDLE file;

	out->base = 0;
	out->size = 0;
	EFI_STATUS st = dir->Open(dir, &file, name, EFI_FILE_MODE_READ, 0);
	if (st == EFI_NOT_FOUND)
		return st;
	if (EFI_ERROR(st))
		return say_error(st, L"%s: cannot be opened: %r", name, st);

	st = file->GetInfo(file, &GenericFileInfo, &len, &buf);
	if (EFI_ERROR(st)) {
		st = say_error(st, L"%s: its size cannot be read: %r", name, st);
	} else if (buf.info.Attribute & EFI_FILE_DIRECTORY) {
		st = say_error(EFI_INVALID_PARAMETER, L"%s: is a directory, not a file", name);
	} else if (buf.info.FileSize != 0) {
		UINTN pages = EFI_SIZE_TO_PAGES(buf.info.FileSize);
		st = alloc_pages(pages, FALSE, &out->base);
		if (EFI_ERROR(st)) {
			st = say_error(st, L"%s: no memory for its %ld KiB", name, pages * 4);
		} else {
			out->size = buf.info.FileSize;
			st = read_all(file, name, (UINT8 *)out->base, out->size);
			if (EFI_ERROR(st))
				esp_free(out);
		}
	}
	file->Close(file);
	return st;
}

void esp_free(struct esp_file *file)
{
	if (file->base)
		BS->FreePages(file->base, EFI_SIZE_TO_PAGES(file->size));
	file->base = 0;
	file->size = 0;
}

/* UTF-16 to UTF-8.  Returns FALSE when `to` is too small; `to` is always
 * terminated.  A lone surrogate becomes U+FFFD. */
static BOOLEAN utf8_from_utf16(char *to, UINTN size, const CHAR16 *from)
{
	UINTN n = 0;
	while (*from) {
		UINT32 c = *from++;
		if (c >= 0xd800 && c < 0xdc00 && *from >= 0xdc00 && *from < 0xe000)
			c = 0x10000 + ((c - 0xd800) << 10) + (*from++ - 0xdc00);
		else if (c >= 0xd800 && c < 0xe000)
			c = 0xfffd;
		UINTN need = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		if (n + need >= size) {
			to[n] = 0;
			return FALSE;
		}
		if (need == 1) {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = (char)((0xf00 >> need) | (c >> (6 * (need - 1))));
		for (UINTN i = need - 1; i-- > 0;)
			to[n++] = (char)(0x80 | ((c >> (6 * i)) & 0x3f));
	}
	to[n] = 0;
	return TRUE;
}

/* Reads the directory's next file as the next module. */
static EFI_STATUS read_module(EFI_FILE_HANDLE dir, EFI_FILE_INFO *entry, struct boot_info *info)
{
	struct esp_file data;
	if (info->nmodules == BOOT_MAX_MODULES)
		return say_error(EFI_BUFFER_TOO_SMALL, L"module %s: more than %d modules", entry->FileName,
		                 BOOT_MAX_MODULES);
	struct boot_module *m = &info->modules[info->nmodules];
	if (!utf8_from_utf16(m->name, sizeof m->name, entry->FileName))
		return say_error(EFI_BUFFER_TOO_SMALL, L"module %s: name longer than %d bytes",
		                 entry->FileName, sizeof m->name - 1);
	EFI_STATUS st = esp_read(dir, entry->FileName, &data);
	if (st == EFI_NOT_FOUND)
		return say_error(st, L"module %s: listed in its directory, but not found", entry->FileName);
	if (EFI_ERROR(st))
		return st;
	m->base = data.base;
	m->len = data.size;
	info->nmodules++;
	return EFI_SUCCESS;
}

EFI_STATUS esp_read_modules(EFI_FILE_HANDLE root, CHAR16 *path, struct boot_info *info)
{
	union info_buffer buf;
	UINTN len = sizeof buf;
	EFI_FILE_HANDLE dir;
	EFI_STATUS st = root->Open(root, &dir, path, EFI_FILE_MODE_READ, 0);
	if (st == EFI_NOT_FOUND)
		return EFI_SUCCESS;
	if (EFI_ERROR(st))
		return say_error(st, L"%s: cannot be opened: %r", path, st);
	st = dir->GetInfo(dir, &GenericFileInfo, &len, &buf);
	if (!EFI_ERROR(st) && !(buf.info.Attribute & EFI_FILE_DIRECTORY))
		st = say_error(EFI_INVALID_PARAMETER, L"%s: is a file, not a directory", path);
	while (!EFI_ERROR(st)) {
		len = sizeof buf;
		st = dir->Read(dir, &len, &buf);
		if (EFI_ERROR(st))
			st = say_error(st, L"%s: cannot be listed: %r", path, st);
		else if (len == 0)
			break;
		else if (!(buf.info.Attribute & EFI_FILE_DIRECTORY))
			st = read_module(dir, &buf.info, info);
	}
	dir->Close(dir);
	return st;
}
