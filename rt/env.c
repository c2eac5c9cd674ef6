/* env.c: the settings: "NAME=value ... -- arguments of main".
 *
 * Runtime settings by Go's names (GOMAXPROCS, GOGC, GOMEMLIMIT, GODEBUG) and
 * the platform's own words.  Anything else before "--" is an error that names
 * the nearest known word, and where the wrong one stands: a typing mistake must
 * not be a setting silently lost.
 *
 * They come from the boot command line and, below it, from files: the platform
 * gives all in one text, the lowest first (plat_cmdline()), and what is read
 * later replaces what was read before.
 *
 * Invariants: runs once on core 0 before the heap exists; allocates nothing;
 * argv points into the platform's text, which lives for ever. */
#include "heap.h"
#include "proc.h"

#define MAX_ARGS 64
#define SHOWN_MAX 160 /* bytes of a word that a message shows */

struct rt_settings rt_settings NOSCAN_DATA = {
	.gogc = 100, .quantum = QUANTUM_NS / 1000, .gomemlimit = UINT64_MAX, .stackfreeze = 2000, .gcperiod = 120000, .gctrack = true
};
static char *argv_buf[MAX_ARGS + 2] NOSCAN_BSS;
static const char *file NOSCAN_BSS; /* whose lines are being read; NULL: the command line */
static unsigned line NOSCAN_BSS;

static noreturn void bad(const char *word, const char *why)
{
	if (file)
		rt_printf("ingot: %s, line %u: \"%s\": %s\n", file, line, word, why);
	else
		rt_printf("ingot: boot parameter \"%s\": %s\n", word, why);
	plat_exit(2);
}

/* Edit distance of short words, for the nearest known name. */
unsigned word_distance(const char *a, const char *b)
{
	unsigned row[33];
	size_t la = strlen(a), lb = strlen(b);
	if (la > 32 || lb > 32)
		return 99;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diag = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned up = row[j], same = (a[i - 1] | 32) == (b[j - 1] | 32) ? 0 : 1;
			unsigned v = diag + same;
			if (up + 1 < v)
				v = up + 1;
			if (row[j - 1] + 1 < v)
				v = row[j - 1] + 1;
			row[j] = v;
			diag = up;
		}
	}
	return row[lb];
}

/* The index of name among n known ones, strings that lie `size` bytes apart; where
 * it is not there, the end. */
static unsigned find(const char *word, const char *name, const char *known, size_t size, unsigned n)
{
	const char *best = known;
	for (unsigned i = 0; i < n; i++, known += size) {
		if (strcmp(name, known) == 0)
			return i;
		if (word_distance(name, known) < word_distance(name, best))
			best = known;
	}
	char why[160];
	snprintf(why, sizeof why, "unknown; the nearest known one is %s (arguments of main go after \"--\")", best);
	bad(word, why);
}

/* Decimal digits only; false on anything else or overflow. */
static bool number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > (max - (uint64_t)(*s - '0')) / 10)
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*out = v;
	return v <= max;
}

/* Go's GOMEMLIMIT: digits and an optional B, KiB, MiB, GiB, TiB; or off. */
static bool memory_size(const char *s, uint64_t *out)
{
	static const struct {
		const char *suffix;
		unsigned shift;
	} units[] = { { "", 0 }, { "B", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 }, { "TiB", 40 } };
	char digits[24];
	size_t n = 0;
	if (strcmp(s, "off") == 0) {
		*out = UINT64_MAX;
		return true;
	}
	while (s[n] >= '0' && s[n] <= '9' && n < sizeof digits - 1) {
		digits[n] = s[n];
		n++;
	}
	digits[n] = 0;
	for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(s + n, units[i].suffix) == 0) {
			uint64_t v;
			if (!number(digits, UINT64_MAX >> units[i].shift >> 1, &v))
				return false;
			*out = v << units[i].shift;
			return true;
		}
	return false;
}

#ifdef INGOT_SABOTAGE
enum sabotage rt_sabotage;

/* "sabotage=STEP": true if it is that. */
static bool sabotage(const char *item)
{
	static const char *const words[] = {
#define SABOTAGE_WORD(step) "sabotage=" #step,
		SABOTAGE_STEPS(SABOTAGE_WORD)
	};
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(item, words[i]) == 0) {
			rt_sabotage = (enum sabotage)i;
			return true;
		}
	return false;
}
#endif

static void godebug(char *list, const char *word)
{
	/* Each is the setting of that name: a number, or yes or no (1 byte). */
#define SETTING(name) offsetof(struct rt_settings, name), sizeof rt_settings.name
	static const struct {
		char name[15];
		uint8_t at, size;
	} words[] = {
		{ "gctrace", SETTING(gctrace) },
		{ "schedtrace", SETTING(schedtrace) },
		{ "scheddetail", SETTING(scheddetail) },
		{ "leaks", SETTING(leaks) },
		{ "quantum", SETTING(quantum) },
		{ "gcperiod", SETTING(gcperiod) },
		{ "gcstress", SETTING(gcstress) },
		{ "allocfail", SETTING(allocfail) },
		{ "junkfill", SETTING(junkfill) },
		{ "gccheckmark", SETTING(gccheckmark) },
		{ "gctrack", SETTING(gctrack) },
		{ "stackfreeze", SETTING(stackfreeze) },
		{ "freezestress", SETTING(freezestress) },
	};
	while (*list) {
		char *item = list, *eq = NULL;
		while (*list && *list != ',') {
			if (*list == '=' && !eq)
				eq = list;
			list++;
		}
		if (*list)
			*list++ = 0;
#ifdef INGOT_SABOTAGE
		if (sabotage(item))
			continue;
#endif
		uint64_t v;
		if (!eq || !number(eq + 1, 1u << 30, &v))
			bad(word, "GODEBUG is a list of name=number, separated by commas");
		*eq = 0;
		unsigned i = find(word, item, words[0].name, sizeof words[0], sizeof words / sizeof words[0]);
		char *at = (char *)&rt_settings + words[i].at;
		if (words[i].size == 1)
			*(bool *)at = v != 0;
		else
			*(unsigned *)at = (unsigned)v;
	}
	if (rt_settings.quantum < QUANTUM_MIN_NS / 1000 || rt_settings.quantum > QUANTUM_MAX_NS / 1000)
		bad(word, "quantum is a number of microseconds, from 20 to 10000000");
	if (!GC_CHECKS && rt_settings.gccheckmark)
		bad(word, "gccheckmark is for the variants with assertions, as build/mdebug");
}

enum { GOMAXPROCS, GOGC, GOMEMLIMIT, GODEBUG, NET, PANIC, KERNEL, WATCHDOG, MODULE, ARGUMENTS };

/* In a file each may be once: bits of those that were. */
static uint32_t given NOSCAN_BSS;

static void once_a_file(const char *word, unsigned what)
{
	if (file && given & 1u << what)
		bad(word, "given twice in this file");
	given |= 1u << what;
}

static void setting(char *word)
{
	static const char known[][11] = { "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "NET", "panic", "kernel", "watchdog",
	                                  "module" };
	_Static_assert(sizeof known / sizeof known[0] == ARGUMENTS, "the enum above");
	char copy[SHOWN_MAX], *v = "";
	snprintf(copy, sizeof copy, "%s", word);
	for (char *c = word; *c && !*v; c++)
		if (*c == '=') {
			*c = 0;
			v = c + 1;
		}
	uint64_t n;
	unsigned i = find(copy, word, known[0], sizeof known[0], ARGUMENTS);
	once_a_file(copy, i);
	switch (i) {
	case GOMAXPROCS:
		if (!number(v, 1u << 20, &n) || n == 0)
			bad(copy, "GOMAXPROCS is a number of cores, 1 or more");
		rt_settings.gomaxprocs = (unsigned)n;
		break;
	case GOGC:
		if (strcmp(v, "off") == 0)
			rt_settings.gogc = -1;
		else if (number(v, 1u << 30, &n))
			rt_settings.gogc = (int)n;
		else
			bad(copy, "GOGC is a percentage, or off");
		break;
	case GOMEMLIMIT:
		if (!memory_size(v, &rt_settings.gomemlimit))
			bad(copy, "GOMEMLIMIT is a number with B, KiB, MiB, GiB or TiB, or off");
		break;
	case GODEBUG:
		if (!*v)
			bad(copy, "GODEBUG needs a value");
		godebug(v, copy);
		break;
	case NET:
		if (!*v)
			bad(copy, "NET is dhcp, off, or ADDRESS/BITS,gateway=ADDRESS,dns=ADDRESS");
		rt_settings.net = v;
		break;
	case PANIC: /* the platform has read it: kernel/fatal.c */
		if (strcmp(v, "halt") && strcmp(v, "reboot") && strcmp(v, "exit") &&
		    (strncmp(v, "reboot:", 7) || !number(v + 7, 86400, &n)))
			bad(copy, "panic is halt, reboot, reboot:SECONDS or exit");
		break;
	case KERNEL:
		if (strcmp(v, "verbose"))
			bad(copy, "kernel is verbose");
		break;
	case WATCHDOG:
		i = strlen(v);
		if (i)
			v[i - 1] -= 's'; /* ends the number */
		if (!i || v[i - 1] || !number(v, 2000, &n) || !n)
			bad(copy, "watchdog is a number of seconds, 1s to 2000s");
		rt_settings.watchdog = (unsigned)n;
		break;
	case MODULE:
		/* A boot module's name: the door used it (boot/pvhinfo.c). */
		if (!*v || file)
			bad(copy, "module is the name of a boot module, and for the command line only");
		break;
	}
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

void rt_settings_parse(void)
{
	char *s = plat_cmdline();
	bool args = false;
	rt_settings.argv = argv_buf;
	argv_buf[0] = "ingot";
	rt_settings.argc = 1;
	for (char end = 0;;) {
		for (;; s++) { /* end: what stood where a NUL ends the last word */
			char c = end ? end : *s;
			end = 0;
			if (!blank(c))
				break;
			if (c == '\n' && file) {
				line++;
				args = false;
			}
		}
		if (!*s)
			return;
		if (*s == PLAT_SOURCE && (file || !args)) {
			file = *++s == '\n' ? NULL : s;
			while (*s != '\n')
				s++;
			*s++ = 0;
			line = 1;
			given = 0;
			args = false;
			continue;
		}
		/* A word may be quoted whole or in part: "a b" or 'a b'. */
		char *word = s, *out = s, quote = 0;
		for (; *s && (quote ? !file || *s != '\n' : !blank(*s)); s++) {
			if (quote ? *s == quote : (*s == '"' || *s == '\''))
				quote = quote ? 0 : *s;
			else
				*out++ = *s;
		}
		end = *s;
		*out = 0;
		if (quote)
			bad(word, "a quote is not closed");
		if (args) {
			if (rt_settings.argc > MAX_ARGS)
				bad(word, "too many arguments (64 is the limit)");
			argv_buf[rt_settings.argc++] = word;
		} else if (strcmp(word, "--") == 0) {
			once_a_file(word, ARGUMENTS);
			rt_settings.argc = 1;
			args = true;
		} else {
			setting(word);
		}
	}
}
