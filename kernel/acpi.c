/* acpi.c: the machine as the firmware describes it.
 *
 * Walks RSDP -> XSDT or RSDT -> MADT, FADT (-> DSDT), HPET once at boot and
 * copies what the other files ask for into `acpi`.  There is no AML
 * interpreter: the one value needed from AML, the sleep type of \_S5, is found
 * by its byte pattern in DSDT and SSDTs.
 *
 * Tables are input from outside.  No byte of one is used before its length
 * is known to be sane, wholly mapped, and its sum correct; every field is read
 * at an offset checked against that length; a bad table is named in a message
 * and treated as absent.  Invariant: acpi_init() never faults and never ends
 * the machine, whatever memory holds.  With no tables at all the machine has
 * one core and the architectural defaults.
 *
 * Offsets and signatures: ACPI specification 6.5, chapters 5.2, 20.2. */
#include "machine.h"

struct acpi_info acpi;

enum {
	SDT_HEADER = 36,
	SDT_MAX_LEN = 4 << 20,  /* real ones: DSDT up to about 1 MiB */
	MAX_TABLES = 128,
	MAX_CPUS = 1024,
};

struct table {
	const uint8_t *p; /* mapped for ever */
	uint32_t len;     /* >= SDT_HEADER */
	char sig[5];
};

static struct table tables[MAX_TABLES];
static unsigned ntables;

static struct { uint32_t apic_id, uid; } madt_cpus[MAX_CPUS];
static unsigned nmadt_cpus, nmadt_cut;

/* ---- reading ---------------------------------------------------------------- */

/* Little endian, unaligned. */
static uint16_t get16(const uint8_t *p) { return p[0] | p[1] << 8; }
static uint32_t get32(const uint8_t *p) { return get16(p) | (uint32_t)get16(p + 2) << 16; }
static uint64_t get64(const uint8_t *p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

static bool same(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;
	while (n > 0 && *x == *y)
		x++, y++, n--;
	return n == 0;
}

static bool sum_ok(const uint8_t *p, size_t n)
{
	uint8_t s = 0;
	while (n--)
		s += *p++;
	return s == 0;
}

/* Is this a place where physical memory can be? */
static bool pa_ok(uint64_t pa, uint64_t len)
{
	uint64_t end = 1ull << cpu_feat.phys_bits;
	return pa != 0 && pa < end && len <= end - pa;
}

/* A signature fit for printing. */
static void sig_text(char out[5], const uint8_t *p)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = p[i] >= 32 && p[i] < 127 ? p[i] : '?';
	out[4] = 0;
}

/* Maps and checks the table at pa.  `want`, when given, is the signature it
 * must have.  False after a message when it is unusable. */
static bool table_open(uint64_t pa, const char *want, struct table *t)
{
	if (!pa_ok(pa, SDT_HEADER)) {
		kprintf("acpi: table address 0x%lx is outside of memory, ignored\n", (unsigned long)pa);
		return false;
	}
	const uint8_t *h = phys_map(pa, SDT_HEADER);
	sig_text(t->sig, h);
	t->len = get32(h + 4);
	if (want && !same(h, want, 4)) {
		kprintf("acpi: table at 0x%lx is \"%s\", expected \"%s\", ignored\n", (unsigned long)pa,
			t->sig, want);
		return false;
	}
	if (t->len < SDT_HEADER || t->len > SDT_MAX_LEN || !pa_ok(pa, t->len)) {
		kprintf("acpi: table \"%s\" at 0x%lx has impossible length %u, ignored\n", t->sig,
			(unsigned long)pa, t->len);
		return false;
	}
	t->p = phys_map(pa, t->len);
	if (!sum_ok(t->p, t->len)) {
		kprintf("acpi: table \"%s\" at 0x%lx has a bad checksum, ignored\n", t->sig,
			(unsigned long)pa);
		return false;
	}
	return true;
}

static const struct table *table_find(const char *sig, unsigned index)
{
	for (unsigned i = 0; i < ntables; i++)
		if (same(tables[i].sig, sig, 4) && index-- == 0)
			return &tables[i];
	return NULL;
}

const void *acpi_table(const char sig[4], unsigned index)
{
	const struct table *t = table_find(sig, index);
	return t ? t->p : NULL;
}

/* ---- root ------------------------------------------------------------------- */

static bool rsdp_ok(const uint8_t *p) { return same(p, "RSD PTR ", 8) && sum_ok(p, 20); }

/* 5.2.5.1: on a 16-byte boundary in the first KiB of the EBDA or in the BIOS
 * area. */
static uint64_t rsdp_search(void)
{
	const uint8_t *bda = phys_map(0x400, 0x100);
	uint64_t ebda = (uint64_t)get16(bda + 0x0e) << 4;
	if (ebda >= 0x400 && ebda + 1024 <= 0xa0000) {
		const uint8_t *p = phys_map(ebda, 1024);
		for (unsigned i = 0; i + 36 <= 1024; i += 16)
			if (rsdp_ok(p + i))
				return ebda + i;
	}
	const uint8_t *p = phys_map(0xe0000, 0x20000);
	for (unsigned i = 0; i + 36 <= 0x20000; i += 16)
		if (rsdp_ok(p + i))
			return 0xe0000 + i;
	return 0;
}

/* Opens each table that the root table (entries of `width` bytes) lists. */
static void root_walk(const struct table *root, unsigned width)
{
	for (uint32_t off = SDT_HEADER; off + width <= root->len; off += width) {
		uint64_t pa = width == 8 ? get64(root->p + off) : get32(root->p + off);
		if (pa == 0)
			continue;
		if (ntables == MAX_TABLES) {
			kprintf("acpi: more than %u tables, the rest is ignored\n", MAX_TABLES);
			return;
		}
		if (table_open(pa, NULL, &tables[ntables]))
			ntables++;
	}
}

static bool root_open(uint64_t rsdp_pa)
{
	if (!pa_ok(rsdp_pa, 36)) {
		kprintf("acpi: root pointer address 0x%lx is outside of memory, ignored\n",
			(unsigned long)rsdp_pa);
		return false;
	}
	const uint8_t *r = phys_map(rsdp_pa, 36);
	if (!rsdp_ok(r)) {
		kprintf("acpi: no valid root pointer at 0x%lx, ignored\n", (unsigned long)rsdp_pa);
		return false;
	}
	struct table root;
	if (r[15] >= 2 && get64(r + 24) != 0 && sum_ok(r, 36) && table_open(get64(r + 24), "XSDT", &root)) {
		root_walk(&root, 8);
		return true;
	}
	if (!table_open(get32(r + 16), "RSDT", &root))
		return false;
	root_walk(&root, 4);
	return true;
}

/* ---- MADT (5.2.12) -------------------------------------------------------------- */

static void madt_cpu(uint32_t apic_id, uint32_t uid, uint32_t flags)
{
	if (!(flags & 1)) {
		acpi.nstandby += flags >> 1 & 1; /* online capable: a slot for hot-plug */
		return;
	}
	for (unsigned i = 0; i < nmadt_cpus; i++)
		if (madt_cpus[i].apic_id == apic_id)
			return; /* listed as LAPIC and as x2APIC */
	if (nmadt_cpus == MAX_CPUS) {
		nmadt_cut++;
		return;
	}
	madt_cpus[nmadt_cpus].apic_id = apic_id;
	madt_cpus[nmadt_cpus++].uid = uid;
}

static void madt_nmi(bool all, uint32_t uid, uint16_t flags, uint8_t lint)
{
	if (lint <= 1 && acpi.nnmi < sizeof(acpi.nmi) / sizeof(acpi.nmi[0]))
		acpi.nmi[acpi.nnmi++] = (struct acpi_nmi){ all, uid, flags, lint };
}

/* One entry; e has len bytes. */
static void madt_entry(const uint8_t *e, unsigned len)
{
	/* Least length of each type, ACPI 6.5 tables 5.21 to 5.33. */
	static const uint8_t least[] = { [0] = 8, [1] = 12, [2] = 10, [4] = 6, [5] = 12, [9] = 16, [10] = 12 };
	if (e[0] < sizeof(least) && len < least[e[0]]) {
		kprintf("acpi: MADT entry of type %u has only %u bytes, ignored\n", e[0], len);
		return;
	}
	switch (e[0]) {
	case 0: /* local APIC; id 255 marks an empty slot */
		if (e[3] != 0xff)
			madt_cpu(e[3], e[2], get32(e + 4));
		break;
	case 1:
		if (acpi.nioapic < sizeof(acpi.ioapic) / sizeof(acpi.ioapic[0]))
			acpi.ioapic[acpi.nioapic++] =
				(struct acpi_ioapic){ e[2], get32(e + 4), get32(e + 8) };
		break;
	case 2: /* interrupt source override; bus 0 is ISA */
		if (e[2] == 0 && acpi.noverride < sizeof(acpi.override) / sizeof(acpi.override[0]))
			acpi.override[acpi.noverride++] =
				(struct acpi_override){ e[3], get16(e + 8), get32(e + 4) };
		break;
	case 4:
		madt_nmi(e[2] == 0xff, e[2], get16(e + 3), e[5]);
		break;
	case 5: /* 64-bit address of the local APICs */
		acpi.lapic_addr = get64(e + 4);
		break;
	case 9: /* local x2APIC */
		if (get32(e + 4) != 0xffffffff)
			madt_cpu(get32(e + 4), get32(e + 12), get32(e + 8));
		break;
	case 10:
		madt_nmi(get32(e + 4) == 0xffffffff, get32(e + 4), get16(e + 2), e[8]);
		break;
	}
}

static void madt_read(const struct table *t)
{
	if (t->len < 44) {
		kprintf("acpi: MADT of %u bytes is too short, ignored\n", t->len);
		return;
	}
	acpi.lapic_addr = get32(t->p + 36);
	acpi.pcat = get32(t->p + 40) & 1;
	for (uint32_t off = 44; off + 2 <= t->len;) {
		unsigned len = t->p[off + 1];
		if (len < 2 || len > t->len - off) {
			kprintf("acpi: MADT entry at offset %u has bad length %u, the rest is ignored\n",
				off, len);
			return;
		}
		madt_entry(t->p + off, len);
		off += len;
	}
}

uint32_t acpi_uid_of(uint32_t apic_id)
{
	for (unsigned i = 0; i < nmadt_cpus; i++)
		if (madt_cpus[i].apic_id == apic_id)
			return madt_cpus[i].uid;
	return UINT32_MAX;
}

unsigned acpi_cores(uint32_t *apic_ids, unsigned max)
{
	uint32_t r[4], self;
	cpuid(1, 0, r);
	self = r[1] >> 24;
	if (cpu_ident.max_leaf >= 0xb) {
		cpuid(0xb, 0, r);
		if (r[1] & 0xffff)
			self = r[3];
	}
	unsigned n = 0, total = 1;
	if (max > 0)
		apic_ids[n++] = self;
	for (unsigned i = 0; i < nmadt_cpus; i++) {
		if (madt_cpus[i].apic_id == self)
			continue;
		if (n < max)
			apic_ids[n++] = madt_cpus[i].apic_id;
		total++;
	}
	return total + nmadt_cut;
}

/* ---- FADT (5.2.9) and \_S5 ------------------------------------------------- */

/* Generic address structure of 12 bytes at off, absent when the table is
 * too short for it. */
static struct acpi_reg reg_at(const struct table *t, uint32_t off)
{
	struct acpi_reg r = { 0 };
	if (off + 12 > t->len)
		return r;
	r.space = t->p[off];
	r.addr = get64(t->p + off + 4);
	if (r.space == ACPI_IO && r.addr > 0xffff)
		r.addr = 0;
	if (r.space == ACPI_MEM && r.addr != 0) {
		if (pa_ok(r.addr, 4))
			r.mmio = mmio_map(r.addr, 4);
		else
			r.addr = 0;
	}
	if (r.space != ACPI_IO && r.space != ACPI_MEM)
		r.addr = 0;
	return r;
}

/* An I/O port given twice: as extended register at xoff or, in older tables,
 * as 32-bit port at off.  Registers in memory are not used by PCs here. */
static uint16_t port_at(const struct table *t, uint32_t off, uint32_t xoff)
{
	if (xoff + 12 <= t->len && t->p[xoff] == ACPI_IO) {
		uint64_t a = get64(t->p + xoff + 4);
		if (a != 0 && a <= 0xffff)
			return a;
	}
	uint32_t a = off + 4 <= t->len ? get32(t->p + off) : 0;
	return a <= 0xffff ? a : 0;
}

/* An AML integer (20.2.3) of at most 8 bits worth; advances. */
static bool aml_small(const uint8_t **pp, const uint8_t *end, uint8_t *out)
{
	const uint8_t *p = *pp;
	if (p >= end)
		return false;
	unsigned size = p[0] == 0x0a ? 1 : p[0] == 0x0b ? 2 : p[0] == 0x0c ? 4 : 0;
	if (size == 0) {
		if (p[0] > 1) /* ZeroOp, OneOp */
			return false;
		*out = p[0];
	} else {
		if (end - p < 1 + (long)size)
			return false;
		*out = p[1];
	}
	*pp = p + 1 + size;
	return *out <= 7; /* SLP_TYP has three bits */
}

/* Finds Name(_S5, Package{a, b, ...}): 08 ['\'] "_S5_" 12 PkgLength count a b. */
static bool s5_scan(const struct table *t)
{
	const uint8_t *end = t->p + t->len;
	for (const uint8_t *p = t->p + SDT_HEADER; p + 8 < end; p++) {
		if (!same(p, "_S5_", 4) || p[4] != 0x12)
			continue;
		if (p[-1] != 0x08 && !(p[-1] == '\\' && p[-2] == 0x08))
			continue;
		const uint8_t *q = p + 5 + 1 + (p[5] >> 6); /* PkgLength: 1 to 4 bytes */
		if (q >= end || *q++ < 1)
			continue;
		uint8_t a, b;
		if (!aml_small(&q, end, &a))
			continue;
		if (!aml_small(&q, end, &b))
			b = a;
		acpi.s5_a = a;
		acpi.s5_b = b;
		return true;
	}
	return false;
}

static void s5_find(const struct table *fadt)
{
	struct table dsdt;
	uint64_t pa = fadt->len >= 148 ? get64(fadt->p + 140) : 0;
	if (pa == 0)
		pa = get32(fadt->p + 40);
	if (pa != 0 && table_open(pa, "DSDT", &dsdt))
		acpi.s5_valid = s5_scan(&dsdt);
	const struct table *t;
	for (unsigned i = 0; !acpi.s5_valid && (t = table_find("SSDT", i)) != NULL; i++)
		acpi.s5_valid = s5_scan(t);
}

static void fadt_read(const struct table *t)
{
	if (t->len < 116) {
		kprintf("acpi: FADT of %u bytes is too short, ignored\n", t->len);
		return;
	}
	uint32_t flags = get32(t->p + 112);
	acpi.rtc_century = t->p[108] < 128 ? t->p[108] : 0;
	acpi.no_rtc = get16(t->p + 109) >> 5 & 1; /* IAPC_BOOT_ARCH */
	acpi.hw_reduced = flags >> 20 & 1;
	if (!acpi.hw_reduced) {
		uint32_t smi = get32(t->p + 48);
		acpi.smi_cmd = smi <= 0xffff ? smi : 0;
		acpi.acpi_enable = t->p[52];
		acpi.pm1a_cnt = port_at(t, 64, 172);
		acpi.pm1b_cnt = port_at(t, 68, 184);
		if (t->p[91] == 4)
			acpi.pm_timer = port_at(t, 76, 208);
		acpi.pm_timer_32 = flags >> 8 & 1;
	}
	if ((flags >> 10 & 1) && t->len >= 129) {
		acpi.reset = reg_at(t, 116);
		acpi.reset_value = t->p[128];
	}
	acpi.sleep_control = reg_at(t, 244);
	s5_find(t);
}

/* HPET specification 1.0a, 3.2.4. */
static void hpet_read(const struct table *t)
{
	if (t->len >= 56 && t->p[40] == ACPI_MEM && pa_ok(get64(t->p + 44), 0x400))
		acpi.hpet = get64(t->p + 44);
}

/* ---- all -------------------------------------------------------------------- */

void acpi_init(uint64_t rsdp_pa)
{
	if (rsdp_pa == 0)
		rsdp_pa = rsdp_search();
	if (rsdp_pa == 0) {
		klog("acpi: no root pointer: one core, defaults\n");
		return;
	}
	acpi.present = root_open(rsdp_pa);
	const struct table *t;
	if ((t = table_find("APIC", 0)) != NULL)
		madt_read(t);
	if ((t = table_find("FACP", 0)) != NULL)
		fadt_read(t);
	if ((t = table_find("HPET", 0)) != NULL)
		hpet_read(t);
	klog("acpi: %u tables, %u cores (+%u standby), %u I/O APICs, pm timer 0x%x, hpet 0x%lx%s, S5 %s\n",
	     ntables, nmadt_cpus, acpi.nstandby, acpi.nioapic, acpi.pm_timer, (unsigned long)acpi.hpet,
	     acpi.hw_reduced ? ", hardware-reduced" : "", acpi.s5_valid ? "found" : "not found");
}
