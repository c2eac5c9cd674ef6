/* env.c: the boot command line: "NAME=value ... -- arguments of main".
 *
 * Runtime settings by Go's names (GOMAXPROCS, GOGC, GOMEMLIMIT, GODEBUG) and
 * the platform's own words (plat_knows_word).  Anything else before "--" is an
 * error that names the nearest known word: a typing mistake must not be a
 * setting silently lost.
 *
 * Invariants: runs once on core 0 before the heap exists; allocates nothing;
 * argv points into args_buf, which lives for ever. */
#include "heap.h"
#include "proc.h"

#define MAX_ARGS 64
#define LINE_MAX 4096

struct rt_settings rt_settings NOSCAN_DATA = {
	.gogc = 100, .quantum = QUANTUM_NS / 1000, .gomemlimit = UINT64_MAX, .stackfreeze = 2000, .gctrack = true
};
static char args_buf[LINE_MAX] NOSCAN_BSS;
static char *argv_buf[MAX_ARGS + 2] NOSCAN_BSS;

static noreturn void bad(const char *word, const char *why)
{
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

static noreturn void unknown(const char *word, const char *name, const char *const *known)
{
	const char *best = known[0];
	for (unsigned i = 0; known[i]; i++)
		if (word_distance(name, known[i]) < word_distance(name, best))
			best = known[i];
	char why[160];
	snprintf(why, sizeof why, "unknown; the nearest known one is %s (arguments of main go after \"--\")",
	         best);
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
		{ "gcstress", SETTING(gcstress) },
		{ "allocfail", SETTING(allocfail) },
		{ "junkfill", SETTING(junkfill) },
		{ "gccheckmark", SETTING(gccheckmark) },
		{ "gctrack", SETTING(gctrack) },
		{ "stackfreeze", SETTING(stackfreeze) },
		{ "freezestress", SETTING(freezestress) },
	};
	enum { NWORDS = sizeof words / sizeof words[0] };
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
		unsigned i = 0;
		while (i < NWORDS && strcmp(item, words[i].name) != 0)
			i++;
		if (i == NWORDS) {
			const char *known[NWORDS + 1] = { NULL };
			while (i--)
				known[i] = words[i].name;
			unknown(word, item, known);
		}
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

static void setting(char *word)
{
	static const char *const known[] = { "GOMAXPROCS", "GOGC",   "GOMEMLIMIT",
		                             "GODEBUG",    "NET",    "panic",  "module",
		                             "kernel", NULL };
	char copy[LINE_MAX], *v = NULL;
	snprintf(copy, sizeof copy, "%s", word);
	for (char *c = word; *c && !v; c++)
		if (*c == '=') {
			*c = 0;
			v = c + 1;
		}
	uint64_t n;
	if (strcmp(word, "GOMAXPROCS") == 0) {
		if (!v || !number(v, 1u << 20, &n) || n == 0)
			bad(copy, "GOMAXPROCS is a number of cores, 1 or more");
		rt_settings.gomaxprocs = (unsigned)n;
	} else if (strcmp(word, "GOGC") == 0) {
		if (v && strcmp(v, "off") == 0)
			rt_settings.gogc = -1;
		else if (v && number(v, 1u << 30, &n))
			rt_settings.gogc = (int)n;
		else
			bad(copy, "GOGC is a percentage, or off");
	} else if (strcmp(word, "GOMEMLIMIT") == 0) {
		if (!v || !memory_size(v, &rt_settings.gomemlimit))
			bad(copy, "GOMEMLIMIT is a number with B, KiB, MiB, GiB or TiB, or off");
	} else if (strcmp(word, "GODEBUG") == 0) {
		if (!v)
			bad(copy, "GODEBUG needs a value");
		godebug(v, copy);
	} else if (strcmp(word, "NET") == 0) {
		if (!v || !*v)
			bad(copy, "NET is dhcp, off, or ADDRESS/BITS,gateway=ADDRESS,dns=ADDRESS");
		rt_settings.net = v;
	} else if (strcmp(word, "panic") == 0) {
		if (!v || (strcmp(v, "halt") && strcmp(v, "reboot") && strcmp(v, "exit")))
			bad(copy, "panic is halt, reboot or exit");
	} else if (strcmp(word, "kernel") == 0) {
		if (!v || strcmp(v, "verbose"))
			bad(copy, "kernel is verbose");
	} else if (strcmp(word, "module") == 0) {
		/* A boot module's name: the door used it (boot/pvhinfo.c). */
		if (!v || !*v)
			bad(copy, "module is the name of a boot module");
	} else {
		unknown(copy, word, known);
	}
}

void rt_settings_parse(void)
{
	const char *line = plat_cmdline();
	if (strlen(line) >= sizeof args_buf) {
		rt_printf("ingot: the boot command line is longer than %u bytes\n", LINE_MAX - 1);
		plat_exit(2);
	}
	memcpy(args_buf, line, strlen(line) + 1);
	rt_settings.argv = argv_buf;
	argv_buf[0] = "ingot";
	rt_settings.argc = 1;
	bool args = false;
	for (char *s = args_buf; *s;) {
		while (*s == ' ' || *s == '\t' || *s == '\n')
			s++;
		if (!*s)
			break;
		/* A word may be quoted whole or in part: "a b" or 'a b'. */
		char *word = s, *out = s, quote = 0;
		for (; *s && (quote || (*s != ' ' && *s != '\t' && *s != '\n')); s++) {
			if (quote ? *s == quote : (*s == '"' || *s == '\''))
				quote = quote ? 0 : *s;
			else
				*out++ = *s;
		}
		if (*s)
			s++;
		*out = 0;
		if (quote)
			bad(word, "a quote is not closed");
		if (args) {
			if (rt_settings.argc > MAX_ARGS)
				bad(word, "too many arguments (64 is the limit)");
			argv_buf[rt_settings.argc++] = word;
		} else if (strcmp(word, "--") == 0) {
			args = true;
		} else {
			setting(word);
		}
	}
}
