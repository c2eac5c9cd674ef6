/* config.c: the settings' sources put together (kernel/config.c), for settings.c. */
#include "kernel/config.c"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "fuzz.h"

_Noreturn void fuzz_refused(void);
char *fuzz_settings_text(const uint8_t *file, size_t nfile, const uint8_t *line, size_t nline);

void kpanic(const char *fmt, ...)
{
	char buf[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap); /* so that its arguments are looked at */
	va_end(ap);
	fuzz_refused();
}

bool qemu_present(void)
{
	return false;
}

/* As a door leaves them: cut off, ended. */
char *fuzz_settings_text(const uint8_t *file, size_t nfile, const uint8_t *line, size_t nline)
{
	static struct boot_info bi;
	size_t n;

	memset(bi.config, 0, sizeof bi.config);
	memset(bi.cmdline, 0, sizeof bi.cmdline);
	memcpy(bi.config, file, nfile < sizeof bi.config ? nfile : sizeof bi.config - 1);
	memcpy(bi.cmdline, line, nline < sizeof bi.cmdline ? nline : sizeof bi.cmdline - 1);
	config_init(&bi);
	FUZZ_CHECK(len < sizeof text && text[len] == 0);
	const char *found = config_word("panic", &n);
	FUZZ_CHECK(!found || (found > text && found + n <= text + len));
	return config_text();
}
