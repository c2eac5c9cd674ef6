/* config.c: the settings, from where they stand into one text.
 *
 * Three sources, each above the ones before it: the file that the door brought
 * (boot_info.config: on a disk image \EFI\INGOT\CONFIG.TXT), QEMU's fw_cfg file
 * opt/ingot/config, and the boot command line.  Files hold words as the command
 * line does, on lines of their own, and lines that begin with '#', which stay
 * behind.  What the words mean is rt/env.c's business, which names file and line
 * of a wrong one; the kernel itself looks up a few (config_word).
 *
 * fw_cfg: QEMU docs/specs/fw_cfg, with its ports; what begins with opt/ is the user's. */
#include "base.h"

enum { FW_SELECT = 0x510, FW_DATA = 0x511, FW_FILE_DIR = 0x19, FW_MAX = 4096 };

static char text[BOOT_CONFIG_MAX + FW_MAX + BOOT_CMDLINE_MAX + 128];
static size_t len;

static void add_name(const char *name)
{
	text[len++] = CONFIG_SOURCE;
	while (*name)
		text[len++] = *name++;
	text[len++] = '\n';
}

/* Appends n bytes, which may lie further up in text; of a file, which has a name,
 * without comments. */
static void add(const char *name, const char *from, size_t n)
{
	bool skip = false, begin = true; /* of a line */

	add_name(name);
	for (size_t i = 0; i < n; i++) {
		char c = from[i];
		if (*name && i < 3 && c == "\xef\xbb\xbf"[i])
			continue; /* the byte order mark of editors */
		if (c == '\r' || (c == '\n' && !*name))
			c = ' ';
		if ((uint8_t)c < ' ' && c != '\n' && c != '\t')
			kpanic("%s: byte %lu is 0x%02x: settings are plain text", *name ? name : "boot command line", i, c);
		if (c == '\n')
			skip = false;
		else if (*name && begin && c == '#')
			skip = true;
		begin = c == '\n' || (begin && (c == ' ' || c == '\t'));
		if (!skip)
			text[len++] = c;
	}
	text[len++] = '\n';
}

static void fw_read(void *to, size_t n)
{
	__asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"(FW_DATA) : "memory");
}

/* A file of QEMU's: its length, 0 if there is none; at most max bytes of it. */
static size_t fw_file(const char *name, char *to, size_t max)
{
	struct { /* numbers are big-endian */
		uint32_t size;
		uint16_t select, reserved;
		char name[56];
	} f;
	uint32_t n;

	if (!qemu_present())
		return 0;
	outw(FW_SELECT, FW_FILE_DIR);
	fw_read(&n, sizeof n);
	for (n = __builtin_bswap32(n); n; n--) {
		size_t i = 0;
		fw_read(&f, sizeof f);
		while (name[i] && name[i] == f.name[i])
			i++;
		if (name[i] || f.name[i])
			continue;
		outw(FW_SELECT, __builtin_bswap16(f.select));
		n = __builtin_bswap32(f.size);
		fw_read(to, n < max ? n : max);
		return n;
	}
	return 0;
}

static size_t length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

void config_init(const struct boot_info *bi)
{
	static const char fw[] = "fw_cfg file opt/ingot/config";
	char *raw = text + sizeof text - BOOT_CMDLINE_MAX - FW_MAX;
	size_t n = length(bi->config);

	len = 0;
	if (n)
		add("\\EFI\\INGOT\\CONFIG.TXT", bi->config, n);
	n = fw_file(fw + 12, raw, FW_MAX);
	if (n >= FW_MAX)
		kpanic("%s: longer than %u bytes", fw, FW_MAX - 1);
	if (n)
		add(fw, raw, n);
	add("", bi->cmdline, length(bi->cmdline));
	text[len] = 0;
}

const char *config_word(const char *name, size_t *n)
{
	const char *found = NULL;
	for (const char *p = text;;) {
		while (*p == ' ' || *p == '\t' || *p == '\n')
			p++;
		const char *word = p;
		while ((uint8_t)*p > ' ')
			p++;
		if (!*p)
			return found;
		size_t i = 0;
		while (name[i] && word[i] == name[i])
			i++;
		if (!name[i] && word[i] == '=') {
			found = word + i + 1;
			*n = (size_t)(p - found);
		} else if (*p == CONFIG_SOURCE || (p - word == 2 && word[0] == '-' && word[1] == '-')) {
			while (*p != '\n') /* arguments, or a name */
				p++;
		}
	}
}

char *config_text(void)
{
	return text;
}
