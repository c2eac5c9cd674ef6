/* loader.c: BOOTX64.EFI, Ingot's way in on machines with UEFI.
 *
 * Reads from the volume it was loaded from
 *     \EFI\INGOT\KERNEL.ELF     the kernel, required
 *     \EFI\INGOT\CMDLINE.TXT    the command line, optional
 *     \EFI\INGOT\CONFIG.TXT    settings for below it, optional (kernel/config.c)
 *     \EFI\INGOT\MODULES\*      boot modules, optional, in directory order
 * loads the kernel to one block of memory below 4 GiB, a multiple of 2 MiB away
 * from where it was linked to lie (boot_info.h), fills struct boot_info, leaves
 * the firmware and enters the kernel.
 *
 * Whatever goes wrong before that is said on the firmware's console; then the
 * loader waits for a key or ten seconds and returns an error, so that the
 * firmware tries its next boot entry.
 *
 * Firmware calls use Microsoft's calling convention: every file here is built
 * with -DGNU_EFI_USE_MS_ABI, without which each call goes silently wrong. */
#include "boot/efi/kernel_elf.h"
#include "boot/efi/loader.h"

#ifndef GNU_EFI_USE_MS_ABI
#error "build with -DGNU_EFI_USE_MS_ABI"
#endif

#define KERNEL_PATH L"\\EFI\\INGOT\\KERNEL.ELF"
#define CMDLINE_PATH L"\\EFI\\INGOT\\CMDLINE.TXT"
#define CONFIG_PATH L"\\EFI\\INGOT\\CONFIG.TXT"
#define MODULES_PATH L"\\EFI\\INGOT\\MODULES"

#define ERROR_WAIT_100NS (10ull * 10000000) /* 10 s */

/* Reads the kernel file, loads it, and gives its entry's physical address. */
static EFI_STATUS load_kernel(EFI_FILE_HANDLE root, UINT64 *entry)
{
	struct esp_file file;
	struct kernel_elf elf;
	struct kernel_elf_error err;
	EFI_PHYSICAL_ADDRESS base;

	EFI_STATUS st = esp_read(root, KERNEL_PATH, &file);
	if (st == EFI_NOT_FOUND)
		return say_error(st, L"%s: no such file on the loader's volume", KERNEL_PATH);
	if (EFI_ERROR(st))
		return st;
	if (kernel_elf_check((VOID *)file.base, file.size, &elf, &err) < 0) {
		if (err.phdr >= 0)
			Print(L"ingot: %s: program header %d ", KERNEL_PATH, err.phdr);
		else
			Print(L"ingot: %s: ", KERNEL_PATH);
		Print(L"%a = 0x%lx\r\n", err.what, err.value);
		st = EFI_LOAD_ERROR;
	} else {
		st = alloc_pages_aligned(EFI_SIZE_TO_PAGES(elf.span), KERNEL_ALIGN, elf.lowest,
		                         &base);
		if (EFI_ERROR(st)) {
			st = say_error(st, L"%s: no %ld KiB of memory in one piece below 4 GiB", KERNEL_PATH,
			               elf.span >> 10);
		} else {
			kernel_elf_load((VOID *)file.base, &elf, (VOID *)base);
			*entry = base + elf.entry;
		}
	}
	esp_free(&file);
	return st;
}

/* Copies a text file of at most size - 1 bytes to `to`, less the byte order mark
 * that editors add; no file is an empty one.  Returns EFI_BUFFER_TOO_SMALL with no
 * message when it is longer. */
static EFI_STATUS read_text(EFI_FILE_HANDLE root, CHAR16 *path, char *to, UINTN size)
{
	struct esp_file file;
	EFI_STATUS st = esp_read(root, path, &file);
	if (st == EFI_NOT_FOUND)
		return EFI_SUCCESS;
	if (EFI_ERROR(st))
		return st;
	const char *text = (const char *)file.base;
	UINTN from = 0, n = 0;
	if (file.size >= 3 && CompareMem((VOID *)text, "\xef\xbb\xbf", 3) == 0)
		from = 3;
	for (; from < file.size && n < size - 1; from++) {
		if (text[from] == 0) {
			st = say_error(EFI_LOAD_ERROR, L"%s: NUL byte at offset %ld; is it UTF-16? "
			                               L"It must be plain text or UTF-8", path, from);
			break;
		}
		to[n++] = text[from];
	}
	to[n] = 0;
	if (!EFI_ERROR(st) && from < file.size)
		st = EFI_BUFFER_TOO_SMALL;
	esp_free(&file);
	return st;
}

/* The command line: one line, without the line ends that editors add. */
static EFI_STATUS read_cmdline(EFI_FILE_HANDLE root, struct boot_info *info)
{
	EFI_STATUS st = read_text(root, CMDLINE_PATH, info->cmdline, sizeof info->cmdline);
	UINTN n = strlena((CHAR8 *)info->cmdline);
	if (st == EFI_BUFFER_TOO_SMALL) {
		info->flags |= BOOT_F_CMDLINE_CUT; /* the kernel says so */
		st = EFI_SUCCESS;
	}
	while (n && (info->cmdline[n - 1] == '\n' || info->cmdline[n - 1] == '\r'))
		info->cmdline[--n] = 0;
	for (char *c = info->cmdline; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	return st;
}

/* The settings that the owner of the stick may edit: the kernel reads them. */
static EFI_STATUS read_config(EFI_FILE_HANDLE root, struct boot_info *info)
{
	EFI_STATUS st = read_text(root, CONFIG_PATH, info->config, sizeof info->config);
	if (st == EFI_BUFFER_TOO_SMALL)
		return say_error(st, L"%s: longer than %d bytes", CONFIG_PATH, BOOT_CONFIG_MAX - 1);
	return st;
}

static EFI_STATUS boot(EFI_HANDLE image)
{
	EFI_FILE_HANDLE root;
	EFI_PHYSICAL_ADDRESS page;
	UINT64 entry;

	EFI_STATUS st = esp_open(image, &root);
	if (EFI_ERROR(st))
		return st;
	st = alloc_pages(EFI_SIZE_TO_PAGES(sizeof(struct boot_info)), TRUE, &page);
	if (EFI_ERROR(st))
		return say_error(st, L"no memory for the boot information below 4 GiB");
	struct boot_info *info = (struct boot_info *)page;
	info->magic = BOOT_INFO_MAGIC;
	info->door = BOOT_UEFI;

	st = load_kernel(root, &entry);
	if (!EFI_ERROR(st))
		st = read_cmdline(root, info);
	if (!EFI_ERROR(st))
		st = read_config(root, info);
	if (!EFI_ERROR(st))
		st = esp_read_modules(root, MODULES_PATH, info);
	root->Close(root);
	if (EFI_ERROR(st))
		return st;
	info->rsdp = find_rsdp();
	find_framebuffer(&info->fb);
	return handoff(image, entry, info);
}

/* Waits until a key is pressed or ten seconds are over. */
static void wait_for_reader(void)
{
	EFI_EVENT events[2];
	UINTN which;
	Print(L"ingot: not started; press a key, or wait 10 seconds, to go back to the firmware\r\n");
	events[0] = ST->ConIn->WaitForKey;
	if (EFI_ERROR(BS->CreateEvent(EVT_TIMER, 0, NULL, NULL, &events[1])))
		return;
	if (!EFI_ERROR(BS->SetTimer(events[1], TimerRelative, ERROR_WAIT_100NS)))
		BS->WaitForEvent(2, events, &which);
	BS->CloseEvent(events[1]);
}

/* Called by gnu-efi's start code with the System V convention. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	InitializeLib(image, table);
	/* Reading a large module from a slow stick may take longer than the
	 * firmware's five-minute watchdog allows. */
	BS->SetWatchdogTimer(0, 0, 0, NULL);
	EFI_STATUS st = boot(image);
	wait_for_reader();
	return st;
}
