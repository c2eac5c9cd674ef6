/* numa.c: which memory and which cores belong together, as the SRAT says.
 *
 * Proximity domains become nodes 0, 1, ... in the order in which the table first
 * names them with memory.  The table is walked anew for each question, which only
 * start-up asks; without one, or with one that makes no sense, all is node 0.
 * Offsets: ACPI specification 6.5, 5.2.16. */
#include "machine.h"

enum { SRAT_ENTRIES = 48, CPU = 0, MEMORY = 1, X2APIC = 2, ENABLED = 1 };

enum { MAX_NODES = 8 };
static uint32_t domains[MAX_NODES];
static unsigned ndomains;

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}
static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* The next entry after e (NULL: the first) of at least its type's length, or NULL. */
static const uint8_t *srat_next(const uint8_t *srat, const uint8_t *e)
{
	static const uint8_t least[] = { [CPU] = 16, [MEMORY] = 40, [X2APIC] = 24 };
	const uint8_t *end = srat + get32(srat + 4);
	for (e = e ? e + e[1] : srat + SRAT_ENTRIES; e + 2 <= end; e += e[1]) {
		if (e[1] < 2 || e[1] > end - e)
			break;
		if (e[0] < sizeof least && e[1] >= least[e[0]])
			return e;
	}
	return NULL;
}

static unsigned node_of_domain(uint32_t domain)
{
	for (unsigned i = 0; i < ndomains; i++)
		if (domains[i] == domain)
			return i;
	return 0;
}

unsigned numa_init(void)
{
	const uint8_t *srat = acpi_table("SRAT", 0);
	for (const uint8_t *e = NULL; srat && (e = srat_next(srat, e)) != NULL;) {
		if (e[0] != MEMORY || !(get32(e + 28) & ENABLED) || get64(e + 16) == 0)
			continue;
		uint32_t d = get32(e + 2);
		if (ndomains < MAX_NODES && (ndomains == 0 || domains[node_of_domain(d)] != d))
			domains[ndomains++] = d;
	}
	if (ndomains <= 1)
		return 1;
	klog("numa: %u nodes\n", ndomains);
	return ndomains;
}

unsigned numa_of_memory(uint64_t pa, uint64_t *end)
{
	const uint8_t *srat = ndomains > 1 ? acpi_table("SRAT", 0) : NULL;
	unsigned node = 0;
	for (const uint8_t *e = NULL; srat && (e = srat_next(srat, e)) != NULL;) {
		if (e[0] != MEMORY || !(get32(e + 28) & ENABLED))
			continue;
		uint64_t lo = get64(e + 8), hi = lo + get64(e + 16);
		if (lo <= pa && pa < hi) {
			node = node_of_domain(get32(e + 2));
			if (hi < *end)
				*end = hi;
		} else if (lo > pa && lo < *end) {
			*end = lo;
		}
	}
	return node;
}

unsigned numa_of_core(uint32_t id)
{
	const uint8_t *srat = ndomains > 1 ? acpi_table("SRAT", 0) : NULL;
	for (const uint8_t *e = NULL; srat && (e = srat_next(srat, e)) != NULL;) {
		if (e[0] == CPU && e[3] == id && get32(e + 4) & ENABLED)
			return node_of_domain(e[2] | (get32(e + 8) & 0xffffff00));
		if (e[0] == X2APIC && get32(e + 8) == id && get32(e + 12) & ENABLED)
			return node_of_domain(get32(e + 4));
	}
	return 0;
}
