/* power.c: switching off, resetting, and QEMU's test exit.
 *
 * Each tries what the firmware describes, then what chipsets have in common,
 * and waits a moment after each attempt because the effect is not immediate.
 * Everything here works from any context, also the fatal path: ports, mapped
 * registers and no locks.
 *
 * Registers: ACPI 6.5, 4.8.3 (PM1 control) and 4.8.3.7 (sleep control). */
#include "machine.h"

enum {
	SCI_EN = 1 << 0,
	SLP_EN = 1 << 13,        /* PM1 control */
	SLP_TYP_SHIFT = 10,
	SLEEP_SLP_EN = 1 << 5,   /* sleep control register */
	SLEEP_SLP_TYP_SHIFT = 2,
	QEMU_FW_CFG = 0x510,     /* QEMU docs/specs/fw_cfg: selector; data at +1 */
	QEMU_EXIT = 0xf4,        /* isa-debug-exit as our scripts place it */
	QEMU_Q35_PM1A = 0x604,
	QEMU_PC_PM1A = 0xb004,   /* older SeaBIOS placement */
};

static void reg_write8(const struct acpi_reg *r, uint8_t v)
{
	if (r->addr == 0)
		return;
	if (r->space == ACPI_IO)
		outb(r->addr, v);
	else
		*r->mmio = v;
}

/* About so many milliseconds, without relying on a clock: this may run before
 * there is one. */
static void settle(unsigned ms)
{
	clock_delay_us(ms * 1000);
}

/* Fixed hardware obeys PM1 only in ACPI mode. */
static void acpi_mode(void)
{
	if (!acpi.smi_cmd || !acpi.acpi_enable || (inw(acpi.pm1a_cnt) & SCI_EN))
		return;
	outb(acpi.smi_cmd, acpi.acpi_enable);
	for (unsigned i = 0; i < 300 && !(inw(acpi.pm1a_cnt) & SCI_EN); i++)
		clock_delay_us(10000);
}

static void pm1_sleep(uint8_t typ_a, uint8_t typ_b)
{
	if (!acpi.pm1a_cnt)
		return;
	acpi_mode();
	uint16_t keep = inw(acpi.pm1a_cnt) & ~(7 << SLP_TYP_SHIFT | SLP_EN);
	outw(acpi.pm1a_cnt, keep | typ_a << SLP_TYP_SHIFT | SLP_EN);
	if (acpi.pm1b_cnt)
		outw(acpi.pm1b_cnt, (inw(acpi.pm1b_cnt) & ~(7 << SLP_TYP_SHIFT | SLP_EN)) |
					    typ_b << SLP_TYP_SHIFT | SLP_EN);
	settle(200);
}

noreturn void power_off(void)
{
	__asm__ volatile("cli");
	if (acpi.sleep_control.addr) {
		/* 5 is what hardware-reduced virtual machines use; there is no other hint. */
		unsigned typ = acpi.s5_valid ? acpi.s5_a : 5;
		reg_write8(&acpi.sleep_control, typ << SLEEP_SLP_TYP_SHIFT | SLEEP_SLP_EN);
		settle(200);
	}
	if (acpi.s5_valid)
		pm1_sleep(acpi.s5_a, acpi.s5_b);
	else
		pm1_sleep(7, 7); /* S5 of Intel's chipsets since the ICH */
	if (qemu_present()) {
		outw(QEMU_Q35_PM1A, SLP_EN);
		outw(QEMU_PC_PM1A, SLP_EN);
		settle(200);
		/* No ACPI at all (microvm,acpi=off): a reset ends it under -no-reboot. */
		power_reset();
	}
	/* Not kprintf: this may be a task's stack. */
	static const char off[] = "ingot: the machine can be switched off now\n";
	console_write(off, sizeof(off) - 1);
	cpu_halt();
}

noreturn void power_reset(void)
{
	__asm__ volatile("cli");
	if (acpi.reset.addr) {
		reg_write8(&acpi.reset, acpi.reset_value);
		settle(50);
	}
	outb(0xcf9, 0x02); /* PCI reset control: full reset on the 0 -> 1 edge of bit 2 */
	outb(0xcf9, 0x06);
	settle(50);
	for (unsigned i = 0; i < 1000 && (inb(0x64) & 2); i++)
		clock_delay_us(10);
	outb(0x64, 0xfe); /* keyboard controller: pulse the reset line */
	settle(50);
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} none = { 0, 0 };
	__asm__ volatile("lidt %0; int3" ::"m"(none)); /* triple fault */
	cpu_halt();
}

bool qemu_present(void)
{
	static const char signature[4] = "QEMU";
	outw(QEMU_FW_CFG, 0); /* FW_CFG_SIGNATURE */
	for (unsigned i = 0; i < 4; i++)
		if (inb(QEMU_FW_CFG + 1) != (uint8_t)signature[i])
			return false;
	return true;
}

/* The device takes one byte and QEMU exits with 2 * status + 1. */
void qemu_debug_exit(int status)
{
	if (qemu_present())
		outl(QEMU_EXIT, (uint32_t)status);
}
