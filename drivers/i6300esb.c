/* i6300esb.c: Intel's 6300ESB watchdog, which QEMU has too (-device i6300esb).
 *
 * Datasheet 300641, chapter 16.  Two counters run down one after the other; the
 * first one's end could interrupt, which is off here; the second one's resets the
 * machine.  A write to a register counts only after 0x80 and 0x86 were written to
 * the reload register.  Bit 9 there is left by a reset that the watchdog made.
 *
 * In every image, as a setting asks for it (watchdog=): so it looks for its device
 * itself, through ports and on bus 0, and needs no pci.c.  At start no other core
 * uses these ports. */
#include "kernel/kernel.h"
#include "rt/driver.h"

#define ESB_ID 0x25ab8086u
enum { CONFIG_COMMAND = 0x04, CONFIG_BAR = 0x10, CONFIG_WDT = 0x60, CONFIG_LOCK = 0x68 };
enum { WDT_NO_INTERRUPT = 3, LOCK_ENABLE = 2 }; /* resets, counts at 33 MHz / 32768 */
enum { TIMER1 = 0, TIMER2 = 4, RELOAD = 0xc, RELOAD_FEED = 1 << 8, RELOAD_WAS_RESET = 1 << 9 };
#define TICKS_PER_S 1008ul /* rounded up */

static volatile uint8_t *regs;
static bool poked; /* the feeder's */

static uint16_t config(uint32_t at, unsigned off)
{
	outl(0xcf8, at | off);
	return 0xcfc;
}

static void allow_write(void)
{
	regs[RELOAD] = 0x80;
	regs[RELOAD] = 0x86;
}

static void write32(unsigned off, uint32_t v)
{
	allow_write();
	*(volatile uint32_t *)(regs + off) = v;
}

static void reload(uint16_t v)
{
	allow_write();
	*(volatile uint16_t *)(regs + RELOAD) = v;
}

bool plat_watchdog_start(unsigned seconds)
{
	uint32_t at = 0x80000000u, bar = 0;

	while (at < 0x80010000u && inl(config(at, 0)) != ESB_ID)
		at += 0x100;
	if (at < 0x80010000u)
		bar = inl(config(at, CONFIG_BAR)) & ~15u;
	if (!bar) {
		rt_printf("ingot: watchdog=%us: there is no I6300ESB on PCI bus 0%s; nothing resets this machine when it hangs\n",
		        seconds, at < 0x80010000u ? " that the firmware gave an address" : "");
		return false;
	}
	uint16_t command = config(at, CONFIG_COMMAND);
	outw(command, inw(command) | 2); /* decodes memory */
	regs = mmio_map(bar, 16);
	if (*(volatile uint16_t *)(regs + RELOAD) & RELOAD_WAS_RESET) {
		rt_printf("ingot: the last run hung: the watchdog ended it\n");
		reload(RELOAD_WAS_RESET);
	}
	outw(config(at, CONFIG_WDT), WDT_NO_INTERRUPT);
	write32(TIMER1, seconds * TICKS_PER_S / 2);
	write32(TIMER2, seconds * TICKS_PER_S / 2);
	reload(RELOAD_FEED);
	outb(config(at, CONFIG_LOCK), LOCK_ENABLE);
	rt_printf("ingot: the watchdog resets this machine when it hangs for %u s\n", seconds);
	return true;
}

void plat_watchdog_feed(void)
{
	bool all = true;

	for (unsigned i = 0; i < ncpus; i++) {
		uint64_t n = __atomic_load_n(&cpus[i]->irqs[VEC_WAKE - VEC_FIRST], __ATOMIC_RELAXED);
		if (poked && n == cpus[i]->fed)
			all = false;
		cpus[i]->fed = n;
		lapic_send_ipi(cpus[i]->apic_id, VEC_WAKE);
	}
	poked = true;
	if (all)
		reload(RELOAD_FEED);
}
