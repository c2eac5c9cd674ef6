/* tasks.c: mixes about tasks themselves: trees, yields, tight loops, deep
 * stacks, panics and goexit. */
#include "soak.h"

/* ---- trees: every node runs once ------------------------------------------ */

static void node(struct run *r, struct rng g, int budget, int64 *nodes, wait_group *wg)
{
	atomic_add(nodes, 1);
	op(r);
	for (budget--; budget > 0;) {
		int share = pick(&g, 1, budget);
		budget -= share;
		wait_group_add(wg, 1);
		go(node, r, split(&g), share, nodes, wg);
		churn(&g);
	}
	wait_group_done(wg);
}

void mix_tree(struct run *r)
{
	for (int i = pick(&r->rng, 4, 12); i > 0; i--) {
		int budget = pick(&r->rng, 1, 200);
		int64 nodes = 0;
		wait_group wg = { 0 };
		wait_group_add(&wg, 1);
		go(node, r, split(&r->rng), budget, &nodes, &wg);
		wait_group_wait(&wg);
		SAME(r, "nodes that ran", nodes, budget);
	}
}

/* Fork and join: the sum comes back through channels. */
static void leaf(struct run *r, struct rng g, int n, chan(int64) out)
{
	op(r);
	if (n > 1) {
		chan(int64) c = make_chan(int64, pick(&g, 0, 2));
		int half = pick(&g, 1, n - 1);
		go(leaf, r, split(&g), half, c);
		go(leaf, r, split(&g), n - half, c);
		churn(&g);
		send(out, recv(c) + recv(c));
	} else {
		send(out, 1);
	}
}

void mix_join(struct run *r)
{
	for (int i = pick(&r->rng, 4, 12); i > 0; i--) {
		chan(int64) c = make_chan(int64);
		int n = pick(&r->rng, 1, 60);
		go(leaf, r, split(&r->rng), n, c);
		SAME(r, "leaves", recv(c), n);
	}
}

/* ---- yields ------------------------------------------------------------------- */

static void yielder(struct run *r, int n, int64 *total, wait_group *wg)
{
	for (int i = 0; i < n; i++) {
		gosched();
		atomic_add(total, 1);
		op(r);
	}
	wait_group_done(wg);
}

void mix_yield(struct run *r)
{
	int64 total = 0, want = 0;
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 2, 40); i > 0; i--) {
		int n = pick(&r->rng, 1, 400);
		want += n;
		wait_group_add(&wg, 1);
		go(yielder, r, n, &total, &wg);
	}
	wait_group_wait(&wg);
	SAME(r, "yields", total, want);
}

/* ---- tight loops, every register class holding checked values ------------ */

static uint64 xcr0(void)
{
	uint32 a = 1, b, c, d;
	__asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	if (!(c & 1u << 27)) /* OSXSAVE */
		return 0;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (uint64)d << 32 | a;
}

#define ALL16(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15)
#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x
#define CLOBBER16 \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
	"xmm12", "xmm13", "xmm14", "xmm15"

/* hold_*(in, out, n): all vector registers get their part of in, n turns of a
 * loop, and then go to out. */
#define SSE_IN(i) "movdqu 16*" TEXT(i) "(%1), %%xmm" TEXT(i) "\n"
#define SSE_OUT(i) "movdqu %%xmm" TEXT(i) ", 16*" TEXT(i) "(%2)\n"
static void hold_sse(const char *in, char *out, int64 n)
{
	__asm__ volatile(ALL16(SSE_IN) "1: decq %0\n jnz 1b\n" ALL16(SSE_OUT)
	                 : "+r"(n) : "r"(in), "r"(out) : "memory", CLOBBER16);
}

#define AVX_IN(i) "vmovdqu 32*" TEXT(i) "(%1), %%ymm" TEXT(i) "\n"
#define AVX_OUT(i) "vmovdqu %%ymm" TEXT(i) ", 32*" TEXT(i) "(%2)\n"
__attribute__((target("avx"))) static void hold_avx(const char *in, char *out, int64 n)
{
	__asm__ volatile(ALL16(AVX_IN) "1: decq %0\n jnz 1b\n" ALL16(AVX_OUT) "vzeroupper\n"
	                 : "+r"(n) : "r"(in), "r"(out) : "memory", CLOBBER16);
}

/* The upper half of the 32, too: one asm statement cannot name them all. */
#define AVX512_IN(i) "vmovdqu64 64*" TEXT(i) "(%1), %%zmm" TEXT(i) "\n"
#define AVX512_OUT(i) "vmovdqu64 %%zmm" TEXT(i) ", 64*" TEXT(i) "(%2)\n"
#define HIGH16(F) \
	F(16) F(17) F(18) F(19) F(20) F(21) F(22) F(23) F(24) F(25) F(26) F(27) F(28) F(29) F(30) F(31)
__attribute__((target("avx512f"))) static void hold_avx512(const char *in, char *out, int64 n)
{
	__asm__ volatile(ALL16(AVX512_IN) HIGH16(AVX512_IN) "kmovw 2048(%1), %%k1\n"
	                 "1: decq %0\n jnz 1b\n"
	                 ALL16(AVX512_OUT) HIGH16(AVX512_OUT) "kmovw %%k1, 2048(%2)\n vzeroupper\n"
	                 : "+r"(n) : "r"(in), "r"(out)
	                 : "memory", CLOBBER16, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21",
	                   "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30",
	                   "xmm31", "k1");
}

static void hold_vectors(struct run *r, struct rng *g, int64 turns)
{
	uint64 in[257] = { 0 }, out[257] = { 0 }, have = xcr0();
	/* XCR0: 2 and 4 are AVX, 0xe0 AVX-512 (SDM vol. 1, 13.3) */
	bool avx = (have & 6) == 6, avx512 = avx && (have & 0xe0) == 0xe0;
	int kind = pick(g, 0, avx512 ? 2 : avx ? 1 : 0), words = kind == 2 ? 256 : kind == 1 ? 64 : 32;
	for (int i = 0; i < words; i++)
		in[i] = rnd64(g);
	if (kind == 2) {
		in[256] = rnd64(g) & 0xffff;
		hold_avx512((char *)in, (char *)out, turns);
	} else {
		(kind ? hold_avx : hold_sse)((char *)in, (char *)out, turns);
	}
	LAW(r, memcmp(in, out, sizeof in) == 0, "vector registers of kind %d changed", kind);
}

/* Values that change, in general and floating-point registers, under a rounding
 * mode of the task's own. */
static void hold_scalars(struct run *r, struct rng *g, int64 turns)
{
	uint32 was, mxcsr;
	uint16 was87, cw;
	__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(was), "=m"(was87));
	int mode = pick(g, 0, 3);
	mxcsr = (was & ~0x6000u) | (uint32)mode << 13;
	cw = (uint16)((was87 & ~0xc00) | mode << 10);
	__asm__ volatile("ldmxcsr %0\n fldcw %1" ::"m"(mxcsr), "m"(cw));
	double a = mode, b = 2 * a, c = 3 * a;
	int64 i = mode, j = 3 * i, k = 5 * i;
	for (int64 n = 0; n < turns; n++) {
		a += 1, b += 2, c += 3, i += 1, j += 2, k += 3;
		__asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+r"(i), "+r"(j), "+r"(k));
	}
	uint32 now;
	uint16 now87;
	__asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(now), "=m"(now87));
	/* A task may also end in its own mode: the next one must not find it. */
	if (one_in(g, 2))
		__asm__ volatile("ldmxcsr %0\n fldcw %1" ::"m"(was), "m"(was87));
	LAW(r, a == (double)i && b == (double)(j - mode) && c == (double)(k - 2 * mode),
	    "scalar registers changed: %g %g %g %ld %ld %ld", a, b, c, (long)i, (long)j, (long)k);
	LAW(r, (now & 0x6000) == (mxcsr & 0x6000) && (now87 & 0xc00) == (cw & 0xc00),
	    "rounding mode changed: %x %x", now, now87);
}

static void hog(struct run *r, struct rng g, int64 *total, wait_group *wg)
{
	uint32 mxcsr;
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	LAW(r, (mxcsr & 0x6000) == 0, "a new task's MXCSR is %x", mxcsr);
	for (int i = 0; i < 4; i++) {
		int64 turns = pick(&g, 1, 400000);
		hold_vectors(r, &g, turns);
		atomic_add(total, 1);
		op(r);
	}
	hold_scalars(r, &g, pick(&g, 1, 100000));
	wait_group_done(wg);
}

void mix_hogs(struct run *r)
{
	int64 total = 0;
	wait_group wg = { 0 };
	int n = pick(&r->rng, 1, 10);
	wait_group_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(hog, r, split(&r->rng), &total, &wg);
	wait_group_wait(&wg);
	SAME(r, "loops", total, 4 * n);
}

/* ---- deep stacks ------------------------------------------------------------- */

/* room: bytes of stack to fill.  Frames of three sizes; each is checked on the
 * way back, also what a pointer to the caller's frame sees. */
static int64 dig(struct run *r, struct rng *g, int room, const int64 *up);

#define DIG(name, words) \
	static __attribute__((noinline)) int64 name(struct run *r, struct rng *g, int room, const int64 *up) \
	{ \
		volatile int64 frame[words]; \
		int64 mark = (int64)rnd64(g), above = *up; \
		frame[0] = mark; \
		frame[words - 1] = ~mark; \
		int64 n = dig(r, g, room - (int)sizeof frame - 64, &mark) + 1; \
		LAW(r, frame[0] == mark && frame[words - 1] == ~mark && *up == above, \
		    "a frame changed, %d bytes above the end", room); \
		return n; \
	}
DIG(dig_small, 4)
DIG(dig_page, 130)
DIG(dig_large, 1300)

static int64 dig(struct run *r, struct rng *g, int room, const int64 *up)
{
	if (room > 0) {
		int kind = pick(g, 0, 15);
		return (kind < 9 ? dig_small : kind < 15 ? dig_page : dig_large)(r, g, room, up);
	}
	op(r);
	switch (pick(g, 0, 7)) {
	case 0:
		gc();
		break;
	case 1:
		sleep(pick(g, 0, 2000) * Microsecond);
		break;
	case 2:
		for (int i = pick(g, 0, 100); i > 0; i--)
			gosched();
		break;
	case 3:
		hold_vectors(r, g, pick(g, 1, 100000));
		break;
	}
	return 0;
}

static void digger(struct run *r, struct rng g, wait_group *wg)
{
	static const int rooms[] = { 500, 3000, 7000, 40000, 70000, 200000, 1500000 };
	int64 top = 0;
	for (int i = pick(&g, 1, 6); i > 0; i--) {
		int room = rooms[pick(&g, 0, one_in(&g, 8) ? 6 : 5)];
		LAW(r, dig(r, &g, pick(&g, room / 2, room), &top) > 0, "nothing was dug");
		churn(&g);
	}
	wait_group_done(wg);
}

void mix_deep(struct run *r)
{
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 12); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(digger, r, split(&r->rng), &wg);
	}
	wait_group_wait(&wg);
}

/* ---- parked stacks -------------------------------------------------------------- */

/* A parked task's stack may be frozen.  Others write into it meanwhile; it
 * finds that, and all else as it left it. */
struct box {
	int64 v[6], check;
};

static void sitter(struct run *r, struct rng g, struct box **place, chan(int64) wake, chan(int64) seen,
                   wait_group *sat, wait_group *wg)
{
	volatile char room[1500];
	int at = pick(&g, 0, sizeof room - 1);
	struct box b = { .check = (int64)rnd64(&g) };
	int64 check = b.check, want;
	room[at] = (char)check;
	*place = &b;
	wait_group_done(sat);
	while (recv(wake, &want)) {
		int64 sum = 0;
		for (int i = 0; i < 6; i++)
			sum += atomic_load(&b.v[i]);
		SAME(r, "what others wrote into a parked stack", sum, want);
		LAW(r, b.check == check && room[at] == (char)check, "a parked stack has changed");
		send(seen, sum);
		op(r);
	}
	wait_group_done(wg);
}

void mix_parked(struct run *r)
{
	struct rng *g = &r->rng;
	int n = pick(g, 1, 40);
	struct box **place = rt_make(struct box *, n);
	chan(int64) wake[40], seen = make_chan(int64, pick(g, 0, 1));
	int64 sum[40] = { 0 };
	wait_group sat = { 0 }, wg = { 0 };
	wait_group_add(&sat, n);
	wait_group_add(&wg, n);
	for (int i = 0; i < n; i++) {
		wake[i] = make_chan(int64);
		go(sitter, r, split(g), &place[i], wake[i], seen, &sat, &wg);
	}
	wait_group_wait(&sat);
	for (int round = pick(g, 1, 6); round > 0; round--) {
		if (one_in(g, 2))
			compact_stacks();
		for (int k = pick(g, 0, n); k > 0; k--) {
			int i = pick(g, 0, n - 1), d = pick(g, 1, 100);
			atomic_add(&place[i]->v[pick(g, 0, 5)], d);
			sum[i] += d;
		}
		for (int i = 0; i < n; i++)
			if (one_in(g, 3)) {
				send(wake[i], sum[i]);
				SAME(r, "what a woken task saw", recv(seen), sum[i]);
			}
		churn(g);
	}
	for (int i = 0; i < n; i++) {
		send(wake[i], sum[i]);
		SAME(r, "what a woken task saw", recv(seen), sum[i]);
		close(wake[i]);
	}
	wait_group_wait(&wg);
}

/* ---- panics and goexit: every deferred call runs --------------------------- */

struct tally {
	int64 deferred, ran, caught, wanted;
};

static void ran(int64 *n)
{
	atomic_add(n, 1);
}

static const struct {
	const char *text;
} panics[] = {
	{ "soak says" },
	{ "runtime error: invalid memory address or nil pointer dereference" },
	{ "runtime error: integer divide by zero" },
	{ "send on closed channel" },
	{ "close of nil channel" },
	{ "sync: negative WaitGroup counter" },
};
#define NPANICS ((int)(sizeof panics / sizeof *panics))

static void raise(int kind)
{
	volatile int zero = 0;
	volatile struct tally *volatile nil = NULL;
	chan(int) c = make_chan(int, 1);
	wait_group wg = { 0 };
	switch (kind) {
	case 0:
		panic("soak says %d", kind);
	case 1:
		nil->ran = 1;
		break;
	case 2:
		zero = 100 / zero; /* gcc knows 1 / x without dividing */
		break;
	case 3:
		close(c);
		send(c, 1);
		break;
	case 4:
		c = NULL;
		close(c);
		break;
	case 5:
		wait_group_add(&wg, -1);
		break;
	default: /* none of them */
		goexit();
	}
}

static void caught(struct run *r, struct tally *t, int kind)
{
	const panicked *p = recover();
	atomic_add(&t->ran, 1);
	if (kind == NPANICS) {
		LAW(r, !p, "recovered from goexit");
		return;
	}
	atomic_add(&t->caught, 1);
	LAW(r, p, "nothing to recover");
	LAW(r, p->text.len >= strlen(panics[kind].text) &&
	       memcmp(p->text.ptr, panics[kind].text, strlen(panics[kind].text)) == 0,
	    "recovered \"%.*s\"", (int)p->text.len, p->text.ptr);
}

static int64 fall(struct run *r, struct rng *g, int depth, int kind, struct tally *t)
{
	volatile char frame[200];
	frame[depth % 200] = (char)depth;
	if (one_in(g, 3)) {
		atomic_add(&t->deferred, 1);
		defer(ran, &t->ran);
	}
	if (one_in(g, 16))
		churn(g);
	if (depth == 0) {
		raise(kind);
		broken(r, __FILE__, __LINE__, "went on after panic %d", kind);
	}
	int64 below = fall(r, g, depth - 1, kind, t) + 1;
	return below + frame[depth % 200];
}

static void catcher(struct run *r, struct rng *g, int kind, struct tally *t)
{
	atomic_add(&t->deferred, 1);
	defer(caught, r, t, kind);
	fall(r, g, pick(g, 0, one_in(g, 8) ? 600 : 30), kind, t);
}

static void faller(struct run *r, struct rng g, struct tally *t, wait_group *wg)
{
	defer(wait_group_done, wg);
	for (int i = pick(&g, 1, 6); i > 0; i--) {
		atomic_add(&t->wanted, 1);
		catcher(r, &g, pick(&g, 0, NPANICS - 1), t);
		op(r);
	}
	if (one_in(&g, 2)) {
		catcher(r, &g, NPANICS, t); /* ends the task */
		broken(r, __FILE__, __LINE__, "went on after goexit");
	}
}

void mix_panics(struct run *r)
{
	struct tally t = { 0 };
	wait_group wg = { 0 };
	for (int i = pick(&r->rng, 1, 30); i > 0; i--) {
		wait_group_add(&wg, 1);
		go(faller, r, split(&r->rng), &t, &wg);
	}
	wait_group_wait(&wg);
	SAME(r, "deferred calls that ran", t.ran, t.deferred);
	SAME(r, "panics recovered", t.caught, t.wanted);
}
