/* print.c: the kernel's own formatter.
 *
 * libc's vsnprintf is split-stack code, uses SSE and kilobytes of stack; this
 * one may run anywhere: first instructions, interrupts, the fatal path.  The
 * buffer of kprintf is on the stack, so it must not be called on a task's. */
#include "kernel.h"

bool klog_on;

struct out {
	char *buf;
	size_t n, len; /* room; bytes wanted so far */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->n)
		o->buf[o->len] = c;
	o->len++;
}

static void put_padded(struct out *o, const char *s, size_t n, unsigned width, bool left, char pad)
{
	if (!left)
		for (size_t i = n; i < width; i++)
			put(o, pad);
	for (size_t i = 0; i < n; i++)
		put(o, s[i]);
	if (left)
		for (size_t i = n; i < width; i++)
			put(o, ' ');
}

static void put_number(struct out *o, uint64_t v, unsigned base, bool neg, unsigned width, bool left,
		       char pad)
{
	char digits[24];
	size_t i = sizeof digits;
	do {
		digits[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (neg && pad == '0') {
		put(o, '-');
		if (width)
			width--;
	} else if (neg) {
		digits[--i] = '-';
	}
	put_padded(o, digits + i, sizeof digits - i, width, left, pad);
}

int kvsnprintf(char *buf, size_t n, const char *fmt, va_list ap)
{
	struct out o = {buf, n, 0};
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		bool left = false, wide = false;
		char pad = ' ';
		unsigned width = 0, precision = -1u;
		for (fmt++; *fmt == '-' || *fmt == '0'; fmt++) {
			left |= *fmt == '-';
			pad = *fmt == '0' ? '0' : pad;
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (unsigned)(*fmt - '0');
		if (*fmt == '.') {
			precision = 0;
			if (*++fmt == '*') {
				precision = (unsigned)va_arg(ap, int);
				fmt++;
			}
			for (; *fmt >= '0' && *fmt <= '9'; fmt++)
				precision = precision * 10 + (unsigned)(*fmt - '0');
		}
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			wide = true;
		switch (*fmt) {
		case 'd': {
			int64_t v = wide ? va_arg(ap, int64_t) : va_arg(ap, int);
			put_number(&o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, width, left, pad);
			break;
		}
		case 'u':
		case 'x': {
			uint64_t v = wide ? va_arg(ap, uint64_t) : va_arg(ap, unsigned);
			put_number(&o, v, *fmt == 'x' ? 16 : 10, false, width, left, pad);
			break;
		}
		case 'p':
			put(&o, '0');
			put(&o, 'x');
			put_number(&o, va_arg(ap, uintptr_t), 16, false, width, left, pad);
			break;
		case 'c':
			put(&o, (char)va_arg(ap, int));
			break;
		case 's': {
			const char *s = va_arg(ap, const char *);
			size_t len = 0;
			if (!s)
				s = "(null)";
			while (len < precision && s[len])
				len++;
			put_padded(&o, s, len, width, left, ' ');
			break;
		}
		case '%':
			put(&o, '%');
			break;
		default: /* not one of ours: show it rather than guess its argument */
			put(&o, '%');
			fmt--;
			break;
		}
	}
	if (n)
		buf[o.len < n ? o.len : n - 1] = 0;
	return (int)o.len;
}

int ksnprintf(char *buf, size_t n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = kvsnprintf(buf, n, fmt, ap);
	va_end(ap);
	return r;
}

static void vprint(const char *fmt, va_list ap)
{
	char buf[512];
	size_t n = (size_t)kvsnprintf(buf, sizeof buf, fmt, ap);
	console_write(buf, n < sizeof buf ? n : sizeof buf - 1);
}

void kprintf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}

void klog(const char *fmt, ...)
{
	if (!klog_on)
		return;
	va_list ap;
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}
