/* acpi_tables.h: writes ACPI tables to mem[MEM], for who includes it and has these. */
static void put(uint64_t at, uint64_t v, unsigned bytes) { memcpy(mem + at, &v, bytes); }

static void fix_sum(uint64_t at, uint64_t field, unsigned len)
{
	uint8_t s = 0;
	mem[field] = 0;
	for (unsigned i = 0; i < len && at + i < MEM; i++)
		s += mem[at + i];
	mem[field] = -s;
}

static void header(uint64_t at, const char *sig, unsigned len)
{
	memcpy(mem + at, sig, 4);
	put(at + 4, len, 4);
	fix_sum(at, at + 9, len);
}
