/* ioapic.c: the I/O APICs: device lines become vectors of a core.
 *
 * Found by the MADT; each serves the lines (GSIs) from its gsi_base on.  What
 * the firmware left in the redirection entries is masked first.  An ISA line
 * is the GSI of its number, active high and edge triggered, unless an
 * interrupt source override says otherwise.  Interrupts go to one core,
 * physically addressed: the entry holds 8 bits of its APIC id.
 *
 * Invariants: the index register is shared by all that program an I/O APIC: a
 * spin lock guards it, held with interrupts off, because handlers mask lines.
 *
 * Registers: Intel 82093AA data sheet; flags: ACPI 6.5, table 5.26. */
#include "machine.h"

enum { REG_SELECT = 0x00, REG_WINDOW = 0x10 }; /* offsets in the page */
enum { INDEX_VERSION = 1, INDEX_REDIRECT = 0x10 };
enum { ENTRY_MASKED = 1 << 16, ENTRY_LEVEL = 1 << 15, ENTRY_LOW = 1 << 13 };

static struct {
	volatile uint32_t *regs;
	uint32_t gsi_base, lines;
} chips[sizeof acpi.ioapic / sizeof acpi.ioapic[0]];
static unsigned nchips;
static uint32_t lock_word; /* acquire / release */

static uint32_t chip_read(unsigned chip, uint32_t index)
{
	chips[chip].regs[REG_SELECT / 4] = index;
	return chips[chip].regs[REG_WINDOW / 4];
}

static void chip_write(unsigned chip, uint32_t index, uint32_t v)
{
	chips[chip].regs[REG_SELECT / 4] = index;
	chips[chip].regs[REG_WINDOW / 4] = v;
}

void ioapic_init(void)
{
	for (unsigned i = 0; i < acpi.nioapic; i++) {
		uint32_t pa = acpi.ioapic[i].addr;
		if (pa == 0)
			continue;
		chips[nchips].regs = mmio_map(pa, 32);
		chips[nchips].gsi_base = acpi.ioapic[i].gsi_base;
		uint32_t version = chip_read(nchips, INDEX_VERSION);
		if (version == UINT32_MAX) {
			klog("ioapic: nothing answers at 0x%x\n", pa);
			continue;
		}
		chips[nchips].lines = (version >> 16 & 255) + 1;
		for (unsigned line = 0; line < chips[nchips].lines; line++)
			chip_write(nchips, INDEX_REDIRECT + 2 * line, ENTRY_MASKED);
		nchips++;
	}
}

/* The chip that serves a GSI; -1: none. */
static int chip_of(uint32_t gsi, uint32_t *line)
{
	for (unsigned i = 0; i < nchips; i++) {
		*line = gsi - chips[i].gsi_base;
		if (*line < chips[i].lines)
			return (int)i;
	}
	return -1;
}

static uint64_t chips_lock(void)
{
	uint64_t f = irq_save();
	while (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
	return f;
}

static void chips_unlock(uint64_t f)
{
	__atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
	irq_restore(f);
}

bool ioapic_route(uint32_t gsi, unsigned vector, uint32_t apic_id, bool level, bool low)
{
	uint32_t line;
	int chip = chip_of(gsi, &line);
	if (chip < 0 || apic_id > 0xfe)
		return false;
	uint64_t f = chips_lock();
	chip_write((unsigned)chip, INDEX_REDIRECT + 2 * line + 1, apic_id << 24);
	chip_write((unsigned)chip, INDEX_REDIRECT + 2 * line,
	           vector | (level ? ENTRY_LEVEL : 0) | (low ? ENTRY_LOW : 0));
	chips_unlock(f);
	return true;
}

void ioapic_mask(uint32_t gsi, bool masked)
{
	uint32_t line;
	int chip = chip_of(gsi, &line);
	if (chip < 0)
		return;
	uint64_t f = chips_lock();
	uint32_t low = chip_read((unsigned)chip, INDEX_REDIRECT + 2 * line) & ~(uint32_t)ENTRY_MASKED;
	chip_write((unsigned)chip, INDEX_REDIRECT + 2 * line, low | (masked ? ENTRY_MASKED : 0));
	chips_unlock(f);
}

uint32_t ioapic_isa_gsi(unsigned irq, bool *level, bool *low)
{
	uint32_t gsi = irq;
	for (unsigned i = 0; i < acpi.noverride; i++) {
		const struct acpi_override *o = &acpi.override[i];
		if (o->irq != irq)
			continue;
		gsi = o->gsi;
		if (o->flags & 3)
			*low = (o->flags & 3) == 3;
		if (o->flags & 12)
			*level = (o->flags >> 2 & 3) == 3;
	}
	return gsi;
}

bool ioapic_route_isa(unsigned irq, unsigned vector, uint32_t apic_id)
{
	bool level = false, low = false;
	uint32_t gsi = ioapic_isa_gsi(irq, &level, &low);
	return ioapic_route(gsi, vector, apic_id, level, low);
}
