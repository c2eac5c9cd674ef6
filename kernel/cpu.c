/* cpu.c: what this processor can do, random bytes, and sleeping.
 *
 * CPUID is read once, on the core that booted; all cores of a machine are
 * taken to be alike.  A missing feature is either named in a message and the
 * end (what Ingot cannot do without), or a false flag in cpu_feat.  Nothing
 * is assumed from vendor or family, with the one exception of the delay after
 * INIT (smp.c).
 *
 * Random bytes come from a ChaCha20 generator with fast key erasure: each
 * block yields the next key and 32 bytes of output, and before each block what
 * the hardware offers (RDSEED, else RDRAND, and always the TSC) is mixed into
 * the key.  Without either instruction the key is first filled from the jitter
 * of the TSC around port reads, which leave the guest or cross a slow bus.
 * Invariant: pool.lock is held only with interrupts off, so a holder is never
 * interrupted by another user on its core. */
#include "machine.h"

struct cpu_features cpu_feat;
struct cpu_ident cpu_ident;

/* ---- CPUID (Intel SDM vol. 2, CPUID; AMD APM vol. 3, appendix E) --------- */

static void put_regs(char *dst, uint32_t a, uint32_t b, uint32_t c)
{
	kmemcpy(dst, &a, 4);
	kmemcpy(dst + 4, &b, 4);
	kmemcpy(dst + 8, &c, 4);
	dst[12] = 0;
}

static bool text_is(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* The name in leaves 0x80000002..4, without the blanks some vendors pad with. */
static void read_brand(uint32_t max_ext)
{
	uint32_t r[12];
	if (max_ext < 0x80000004)
		return;
	for (unsigned i = 0; i < 3; i++)
		cpuid(0x80000002 + i, 0, r + 4 * i);
	const char *s = (const char *)r, *end = s + sizeof(r);
	while (s < end && *s == ' ')
		s++;
	unsigned n = 0;
	while (s < end && *s)
		cpu_feat.brand[n++] = *s++;
	while (n > 0 && cpu_feat.brand[n - 1] == ' ')
		n--;
	cpu_feat.brand[n] = 0;
}

static void read_ident(uint32_t eax)
{
	unsigned family = eax >> 8 & 15, model = eax >> 4 & 15;
	if (family == 6 || family == 15)
		model |= (eax >> 16 & 15) << 4;
	if (family == 15)
		family += eax >> 20 & 255;
	cpu_ident.family = family;
	cpu_ident.model = model;
	if (text_is(cpu_feat.vendor, "GenuineIntel"))
		cpu_ident.maker = CPU_INTEL;
	else if (text_is(cpu_feat.vendor, "AuthenticAMD") || text_is(cpu_feat.vendor, "HygonGenuine"))
		cpu_ident.maker = CPU_AMD;
}

static bool rdrand64(uint64_t *v)
{
	bool ok;
	__asm__ volatile("rdrand %0" : "=r"(*v), "=@ccc"(ok));
	return ok;
}

static bool rdseed64(uint64_t *v)
{
	bool ok;
	__asm__ volatile("rdseed %0" : "=r"(*v), "=@ccc"(ok));
	return ok;
}

/* Some processors return a constant with success after a firmware mishap. */
static bool source_varies(bool (*draw)(uint64_t *))
{
	uint64_t first = 0, v;
	unsigned got = 0;
	for (unsigned i = 0; i < 64 && got < 8; i++) {
		if (!draw(&v)) {
			cpu_pause();
			continue;
		}
		if (got++ == 0)
			first = v;
		else if (v != first)
			return true;
	}
	return false;
}

/* What the kernel needs, for the message. */
struct need {
	bool have;
	const char *name;
};

void cpu_features_check(void)
{
	struct cpu_features *f = &cpu_feat;
	uint32_t l0[4], l1[4], l7[4] = { 0 }, ext[4], e1[4] = { 0 }, e7[4] = { 0 }, e8[4] = { 0 };

	cpuid(0, 0, l0);
	cpu_ident.max_leaf = l0[0];
	put_regs(f->vendor, l0[1], l0[3], l0[2]);
	cpuid(1, 0, l1);
	read_ident(l1[0]);
	if (l0[0] >= 7)
		cpuid(7, 0, l7);
	cpuid(0x80000000, 0, ext);
	if (ext[0] >= 0x80000001)
		cpuid(0x80000001, 0, e1);
	if (ext[0] >= 0x80000007)
		cpuid(0x80000007, 0, e7);
	if (ext[0] >= 0x80000008)
		cpuid(0x80000008, 0, e8);
	read_brand(ext[0]);

	const struct need needs[] = {
		{ e1[3] >> 29 & 1, "long mode" },
		{ e1[3] >> 20 & 1, "NX (no-execute pages)" },
		{ l1[3] >> 4 & 1, "TSC" },
		{ l1[3] >> 5 & 1, "MSR" },
		{ l1[3] >> 9 & 1, "APIC" },
		{ l1[3] >> 24 & 1, "FXSR" },
		{ l1[3] >> 26 & 1, "SSE2" },
	};
	char missing[160];
	unsigned n = 0;
	for (unsigned i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!needs[i].have && n < sizeof(missing))
			n += ksnprintf(missing + n, sizeof(missing) - n, "%s%s", n ? ", " : "", needs[i].name);
	if (n)
		kpanic("this CPU lacks %s, which Ingot needs", missing);

	f->nx = true;
	f->hypervisor = l1[2] >> 31 & 1;
	f->x2apic = l1[2] >> 21 & 1;
	f->tsc_deadline = l1[2] >> 24 & 1;
	f->xsave = l1[2] >> 26 & 1;
	f->avx = f->xsave && (l1[2] >> 28 & 1);
	f->avx512 = f->avx && (l7[1] >> 16 & 1);
	f->mwait = l1[2] >> 3 & 1;
	f->fsgsbase = l7[1] & 1;
	f->smep = l7[1] >> 7 & 1;
	f->erms = l7[1] >> 9 & 1;
	f->smap = l7[1] >> 20 & 1;
	f->umip = l7[2] >> 2 & 1;
	f->pg1g = e1[3] >> 26 & 1;
	f->tsc_invariant = e7[3] >> 8 & 1;
	f->phys_bits = e8[0] & 255;
	if (f->phys_bits < 36 || f->phys_bits > 52)
		f->phys_bits = 36;
	f->rdrand = (l1[2] >> 30 & 1) && source_varies(rdrand64);
	f->rdseed = (l7[1] >> 18 & 1) && source_varies(rdseed64);
	if (f->hypervisor) {
		uint32_t h[4];
		cpuid(0x40000000, 0, h);
		put_regs(f->hv, h[1], h[2], h[3]);
		cpu_ident.tcg = text_is(f->hv, "TCGTCGTCGTCG");
		/* KVM of old reports 0 and means 0x40000001. */
		cpu_ident.max_hv = h[0] ? h[0] : 0x40000001;
	}
}

/* ---- random bytes ---------------------------------------------------------- */

static struct {
	uint32_t lock;    /* 0 free; taken with interrupts off */
	bool seeded;
	uint32_t key[8];
	uint64_t block;   /* blocks made so far: the nonce */
} pool;

static inline uint32_t rotl(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b, *d = rotl(*d ^ *a, 16);
	*c += *d, *b = rotl(*b ^ *c, 12);
	*a += *b, *d = rotl(*d ^ *a, 8);
	*c += *d, *b = rotl(*b ^ *c, 7);
}

/* One ChaCha20 block (RFC 8439, 2.3) of the pool's key: the first half
 * becomes the key, the second goes to out. */
static void pool_block(uint32_t out[8])
{
	uint32_t in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, x[16];
	for (unsigned i = 0; i < 8; i++)
		in[4 + i] = pool.key[i];
	in[12] = (uint32_t)pool.block;
	in[13] = (uint32_t)(pool.block >> 32);
	pool.block++;
	kmemcpy(x, in, sizeof(x));
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned j = 0; j < 4; j++)
			quarter(&x[j], &x[4 + j], &x[8 + j], &x[12 + j]);
		for (unsigned j = 0; j < 4; j++)
			quarter(&x[j], &x[4 + (j + 1) % 4], &x[8 + (j + 2) % 4], &x[12 + (j + 3) % 4]);
	}
	for (unsigned i = 0; i < 8; i++) {
		pool.key[i] = x[i] + in[i];
		out[i] = x[8 + i] + in[8 + i];
	}
}

/* A word from the best instruction there is; false when it has none ready
 * (Intel: ten attempts at RDRAND are enough unless it is broken). */
static bool hardware_word(uint64_t *v)
{
	for (unsigned i = 0; cpu_feat.rdseed && i < 10; i++) {
		if (rdseed64(v))
			return true;
		cpu_pause();
	}
	for (unsigned i = 0; cpu_feat.rdrand && i < 10; i++)
		if (rdrand64(v))
			return true;
	return false;
}

static void pool_mix(unsigned word, uint64_t v)
{
	pool.key[word % 4 * 2] ^= (uint32_t)v;
	pool.key[word % 4 * 2 + 1] ^= (uint32_t)(v >> 32);
}

/* Without RDRAND: 128 x 4 time stamps behind port reads, hashed every 4.  Even
 * at one uncertain bit in two samples that is 256 bits.  Under a deterministic
 * clock (QEMU -icount) there is nothing to gather and it stays predictable. */
static void pool_seed_jitter(void)
{
	uint32_t out[8];
	for (unsigned i = 0; i < 9; i++) { /* RTC date and time, MC146818 registers */
		outb(0x70, i);
		pool_mix(i, rotl(inb(0x71), 3 * i));
	}
	for (unsigned round = 0; round < 128; round++) {
		for (unsigned i = 0; i < 4; i++) {
			uint64_t port = acpi.pm_timer ? inl(acpi.pm_timer) : inb(0x71);
			pool_mix(i, rdtsc() ^ port << 40);
		}
		pool_block(out);
	}
}

void cpu_entropy(void *buf, size_t n)
{
	uint64_t f = irq_save();
	while (__atomic_exchange_n(&pool.lock, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
	if (!pool.seeded) {
		if (!cpu_feat.rdrand && !cpu_feat.rdseed)
			pool_seed_jitter();
		pool.seeded = true;
	}
	uint8_t *p = buf;
	while (n > 0) {
		uint32_t out[8];
		uint64_t v;
		for (unsigned i = 0; i < 4 && hardware_word(&v); i++)
			pool_mix(i, v);
		pool_mix(3, rdtsc());
		pool_block(out);
		size_t k = n < sizeof(out) ? n : sizeof(out);
		kmemcpy(p, out, k);
		kmemset(out, 0, sizeof(out));
		p += k;
		n -= k;
	}
	__atomic_store_n(&pool.lock, 0, __ATOMIC_RELEASE);
	irq_restore(f);
}

/* ---- sleeping -------------------------------------------------------------- */

/* Interrupts are off from the test to the instruction after sti, which takes
 * effect only behind hlt: an IPI sent after the word changed is pending then
 * and ends the hlt.  Kept out of line, so that there is one cpu_idle_hlt.
 * (MWAIT would save the IPI, at the price of every waker knowing who watches
 * which word; HLT is what hypervisors handle best.) */
__attribute__((noinline, noclone)) void cpu_idle(const uint32_t *word, uint32_t seen)
{
	__asm__ volatile("cli" ::: "memory");
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == seen)
		__asm__ volatile("sti\n"
				 ".globl cpu_idle_hlt\n"
				 "cpu_idle_hlt:\n\t"
				 "hlt" ::: "memory");
	else
		__asm__ volatile("sti" ::: "memory");
}
