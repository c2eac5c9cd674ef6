/* fatal.c: the end that nobody wanted.
 *
 * One core wins the right to report; it stops the others by NMI, waits for
 * them for a bounded time, turns the console's lock off, prints, and ends as
 * panic= says.  Takes no lock.  The other cores stay in their NMI handler,
 * their frames readable, until the machine ends. */
#include "base.h"
#include "rt/plat.h"

enum panic_mode { PANIC_EXIT, PANIC_HALT, PANIC_REBOOT };

#define STOP_LIMIT_NS 200000000ul

static enum panic_mode panic_mode;
static unsigned reboot_delay; /* seconds */
static char reboot_says[32];
static bool have_screen;
static uint32_t owner; /* 1 + reporting core, 0 none; the winner's CAS decides */

static bool is_word(const char *v, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] != word[i]) /* a shorter word ends in NUL, which differs */
			return false;
	return word[n] == 0;
}

/* Any other word is refused by the runtime, which can say where it stands. */
void fatal_init(bool screen)
{
	size_t n;
	const char *v = config_word("panic", &n);

	have_screen = screen;
	if (v && is_word(v, n, "halt"))
		panic_mode = PANIC_HALT;
	else if (v && n >= 6 && is_word(v, 6, "reboot")) {
		panic_mode = PANIC_REBOOT;
		for (size_t i = 7; i < n; i++) /* reboot:SECONDS */
			reboot_delay = reboot_delay * 10 + (unsigned)(v[i] - '0');
		ksnprintf(reboot_says, sizeof reboot_says, "ingot: reboot in %u s\n", reboot_delay);
	}
}

noreturn void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

bool fatal_begin(void)
{
	struct cpu *c = cpu_self;
	uint32_t none = 0;

	if (!__atomic_compare_exchange_n(&owner, &none, c->id + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
		if (none == c->id + 1)
			return false;
		cpu_halt(); /* the winner's NMI finds us here */
	}
	for (unsigned i = 0; i < ncpus; i++)
		if (cpus[i] != c)
			lapic_send_nmi(cpus[i]->apic_id);
	uint64_t start = ncpus > 1 ? clock_now() : 0;
	for (unsigned i = 0; i < ncpus; i++)
		/* acquire pairs with the release in fatal_nmi: fatal_frame is set */
		while (cpus[i] != c && !__atomic_load_n(&cpus[i]->stopped, __ATOMIC_ACQUIRE) &&
		       clock_now() - start < STOP_LIMIT_NS)
			cpu_pause();
	console_fatal();
	return true;
}

bool fatal_going(void)
{
	return __atomic_load_n(&owner, __ATOMIC_RELAXED) != 0;
}

bool fatal_nmi(struct plat_frame *f)
{
	struct cpu *c = cpu_self;
	uint32_t by = __atomic_load_n(&owner, __ATOMIC_SEQ_CST);

	if (by == 0)
		return false;
	if (by == c->id + 1)
		return true;
	c->fatal_frame = f;
	__atomic_store_n(&c->stopped, 1, __ATOMIC_RELEASE);
	cpu_halt();
}

noreturn void fatal_end(int status)
{
	kept_end();
	switch (panic_mode) {
	case PANIC_HALT:
		cpu_halt();
	case PANIC_REBOOT:
		/* Not kprintf: this may be a task's stack. */
		for (const char *c = reboot_says; reboot_delay && *c; c++)
			console_write(c, 1);
		for (unsigned i = 0; i < reboot_delay; i++)
			clock_delay_us(1000000);
		power_reset();
	case PANIC_EXIT:
		break;
	}
	if (qemu_present())
		qemu_debug_exit(status);
	if (have_screen)
		cpu_halt(); /* so that a person can read it */
	power_off();
}

noreturn void kpanic(const char *fmt, ...)
{
	char buf[400];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	fatal_begin();
	kprintf("ingot: %s\n", buf);
	fatal_end(2);
}

bool plat_fatal_begin(void)
{
	return fatal_begin();
}

const struct plat_frame *plat_fatal_frame(unsigned core)
{
	if (core >= ncpus || !__atomic_load_n(&cpus[core]->stopped, __ATOMIC_ACQUIRE))
		return NULL;
	return cpus[core]->fatal_frame;
}

noreturn void plat_fatal_end(int status)
{
	fatal_end(status);
}
