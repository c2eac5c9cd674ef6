/* settings.c: the settings of an image (rt/env.c), from a file and the command line
 * (config.c beside this), which both are somebody's typing. */
static char *fuzz_text;
_Noreturn void fuzz_refused(void);
char *fuzz_settings_text(const unsigned char *file, unsigned long nfile, const unsigned char *line, unsigned long nline);

#define rt_settings fuzz_rt_settings
#define rt_settings_parse fuzz_rt_settings_parse
#define word_distance fuzz_word_distance
#include "rt/heap.h"
#include "rt/proc.h"
#define plat_cmdline() fuzz_text
#define plat_exit(status) fuzz_refused()
#define rt_printf(...) snprintf(said, sizeof said, __VA_ARGS__)
static char said[512];
#define file settings_file /* a type of ingot.h's */
#include "rt/env.c"
#undef rt_printf
#undef file

static void forget(void)
{
	settings_file = NULL;
	line = given = 0;
}

#include <string.h>
#include "ingot.h"
#include "fuzz.h"

void fuzz_refused(void)
{
	panic("refused");
}

static void let_go(void)
{
	const panicked *p = recover();
	FUZZ_CHECK(!p || string_eq(p->text, S("refused")));
}

static void parse(const uint8_t *p, size_t n, size_t nfile)
{
	defer(let_go);
	fuzz_text = fuzz_settings_text(p, nfile, p + nfile, n - nfile);
	rt_settings_parse();
	FUZZ_CHECK(rt_settings.argc >= 1 && rt_settings.argc <= MAX_ARGS + 1);
	FUZZ_CHECK(rt_settings.gomaxprocs <= 1u << 20 && rt_settings.gogc >= -1 && rt_settings.watchdog <= 2000);
	for (int i = 0; i < rt_settings.argc; i++)
		for (const char *c = rt_settings.argv[i]; *c; c++)
			FUZZ_CHECK((uint8_t)*c >= ' ' || *c == '\t' || *c == '\n');
}

/* How long the file is, in sixteenths of the input; the file; the command line. */
FUZZ(settings, NULL)
{
	unsigned part = fuzz_byte(&p, &n) % 17;

	forget();
	parse(p, n, n * part / 16);
}
