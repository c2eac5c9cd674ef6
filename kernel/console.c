/* console.c: bytes to the outside: a 16550 on COM1 and, when a door gave one,
 * a text screen on the framebuffer (fbcon.c); and bytes from outside, by the
 * UART's interrupt (nobody polls).
 *
 * One spin lock makes whole calls atomic between cores.  The holder is not
 * switched away (kernel_enter), but takes interrupts: a page of text is 350 ms
 * on a real line.  No interrupt handler writes but on the fatal path, and that
 * turns the lock off: the other cores are stopped then, one of them perhaps
 * inside.  A machine without a UART must not hang: probed once, and every
 * wait is bounded. */
#include "kernel.h"
#include "base.h"

#define COM1 0x3f8
enum { UART_DATA = 0, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5, UART_SCRATCH = 7 };

#define COM1_IRQ 4
#define FIFO_BYTES 16

static bool have_uart;
static void (*on_byte)(uint8_t);
static bool fatal;
static uint32_t lock_word; /* 0 free; acquire / release */

void console_init(void)
{
	outb(COM1 + UART_SCRATCH, 0x5a);
	have_uart = inb(COM1 + UART_SCRATCH) == 0x5a && inb(COM1 + UART_LSR) != 0xff;
	if (!have_uart)
		return;
	outb(COM1 + UART_IER, 0);    /* polled */
	outb(COM1 + UART_LCR, 0x80); /* divisor latch: 115200 baud */
	outb(COM1 + UART_DATA, 1);
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, 3);    /* 8N1 */
	outb(COM1 + UART_FCR, 7);    /* FIFOs on and cleared */
	outb(COM1 + UART_MCR, 3);    /* DTR, RTS */
}

static void uart_put(char c)
{
	/* A byte takes 87 us at 115200 baud, a full FIFO 1.4 ms: a line that
	 * stays busy for far longer is lost, not waited for. */
	for (unsigned i = 0; i < 100000; i++) {
		if (inb(COM1 + UART_LSR) & 0x20)
			break;
		cpu_pause();
	}
	outb(COM1 + UART_DATA, (uint8_t)c);
}

void console_fatal(void)
{
	__atomic_store_n(&fatal, true, __ATOMIC_SEQ_CST);
}

void console_write(const char *s, size_t n)
{
	bool locked = false;

	kernel_enter();
	while (!__atomic_load_n(&fatal, __ATOMIC_RELAXED)) {
		/* acquire pairs with the release below: the device is ours */
		if (!__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE)) {
			locked = true;
			break;
		}
		cpu_pause();
	}
	for (size_t i = 0; have_uart && i < n; i++) {
		if (s[i] == '\n')
			uart_put('\r');
		uart_put(s[i]);
	}
	fbcon_write(s, n);
	if (locked)
		__atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
	else
		kept_write(s, n);
	kernel_leave();
}

/* Edge triggered: the line has to fall, so all that waits is taken.  A device
 * that claims to have ever more is left after a FIFO's worth many times over. */
static void uart_irq(struct plat_frame *f, void *arg)
{
	for (unsigned i = 0; i < 64 * FIFO_BYTES && inb(COM1 + UART_LSR) & 1; i++)
		on_byte(inb(COM1 + UART_DATA));
}

bool console_listen(void (*fn)(uint8_t))
{
	if (!have_uart) {
		klog("console: no UART, so no input\n");
		return false;
	}
	on_byte = fn;
	irq_set(VEC_CONSOLE, uart_irq, NULL);
	if (!ioapic_route_isa(COM1_IRQ, VEC_CONSOLE, cpu_self->apic_id)) {
		klog("console: no I/O APIC takes ISA interrupt %u, so no input\n", COM1_IRQ);
		return false;
	}
	outb(COM1 + UART_MCR, 0xb); /* OUT2: lets the interrupt out of the chip */
	outb(COM1 + UART_IER, 1);   /* on received data */
	klog("console: input by interrupt\n");
	return true;
}
