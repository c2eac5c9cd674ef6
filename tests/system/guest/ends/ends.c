/* ends.c: every way a program can end, chosen by its first argument.
 * tests/system/ends.py knows what each must print and return. */
#include "ingot.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
	struct node *next;
	char fill[1000];
};

static struct node *kept;

static int deeper(int n)
{
	volatile char frame[1000];

	frame[0] = (char)n;
	return n < 0 ? 0 : deeper(n + 1) + frame[0];
}

static void overflow(void)
{
	print("%d\n", deeper(0));
}

/* Others are in all states when one task's stack ends. */
static void idler(int n)
{
	volatile char frame[3000];

	for (frame[n % 3000] = 1; frame[n % 3000]; n % 3 ? sleep(50 * Millisecond) : gosched())
		;
}

static void overflow_among_many(void)
{
	for (int i = 0; i < 10000; i++)
		go(idler, i);
	sleep(5 * Millisecond);
	go(overflow);
	recv(make_chan(int)); /* nobody sends */
}

/* A fatal error where less than room bytes are left above the stack's limit. */
static int abort_at_limit(int n, long room)
{
	volatile char frame[16];
	char *limit;

	__asm__("movq %%fs:0x70, %0" : "=r"(limit));
	frame[0] = (char)n;
	if ((char *)__builtin_frame_address(0) - limit < room)
		abort();
	return n < 0 ? 0 : abort_at_limit(n + 1, room) + frame[0];
}

/* The core that runs this serves nobody any more. */
static void hang(void)
{
	__asm__ volatile("cli; 1: jmp 1b");
}

static void spin(void)
{
	for (volatile long i = 0;; i++)
		;
}

/* The C library on a task's stack: formats, conversions, sorting. */
static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void libc(void)
{
	int v[] = { 5, 3, 9, 1 };
	char text[64];
	double d = strtod("0.1", NULL);

	qsort(v, 4, sizeof(v[0]), by_value);
	snprintf(text, sizeof(text), "%d%d%d%d %.17g %.3f", v[0], v[1], v[2], v[3], d, sqrt(2));
	printf("libc %s %s\n", text, strerror(2));
}

static void wait_for_ever(chan(int) c)
{
	recv(c);
}

/* A map whose writer stops in the middle, in the function that compares keys,
 * until another task has done what how says. */
struct key {
	int n;
};
static chan(int) in_the_middle;

static uint64 key_hash(const struct key *k, uint64 seed)
{
	return 1;
}

static bool key_equal(const struct key *a, const struct key *b)
{
	if (in_the_middle) {
		send(in_the_middle, 1);
		recv(make_chan(int)); /* nobody sends */
	}
	return a->n == b->n;
}

static void map_writer(map(struct key, int) m)
{
	map_set(m, ((struct key){ 2 }), 2);
}

static void concurrent_map(const char *how)
{
	map(struct key, int) m = make_map_func(struct key, int, key_hash, key_equal);

	map_set(m, ((struct key){ 1 }), 1);
	in_the_middle = make_chan(int);
	go(map_writer, m);
	recv(in_the_middle);
	in_the_middle = NULL;
	if (strcmp(how, "write") == 0)
		map_set(m, ((struct key){ 3 }), 3);
	else if (strcmp(how, "delete") == 0)
		delete(m, ((struct key){ 3 }));
	else if (strcmp(how, "read") == 0)
		print("%d\n", map_get(m, (struct key){ 3 }));
	else if (strcmp(how, "clone") == 0)
		print("%zu\n", len(map_clone(m)));
	else
		for_map_of(struct key, k, v, m)
			print("%d\n", v);
}

/* ---- panics whose reports the test compares with Go's ---------------------------- */

struct point {
	int x, y;
};
typedef int celsius;

static void raise_b(void)
{
	panic("B");
}

static void raise_c_in_b(void)
{
	defer(raise_b);
	panic("C");
}

static void recover_only(void)
{
	recover();
}

static void recover_and_raise(void)
{
	const panicked *p = recover();

	panic("%.*s", STR(p->text));
}

static void read_nil(void)
{
	struct node *volatile nobody = NULL;
	print("%p\n", (void *)nobody->next);
}

static void raise(const char *what)
{
	struct point p = { 1, 2 };
	celsius t = 3;
	void (*volatile nothing)(void) = NULL;

	if (strcmp(what, "nested") == 0) {
		defer(raise_c_in_b);
		panic("A");
	} else if (strcmp(what, "again") == 0) {
		defer(recover_and_raise);
		panic("A");
	} else if (strcmp(what, "after") == 0) {
		defer(raise_b);
		defer(recover_only);
		panic("A");
	} else if (strcmp(what, "nil-in-deferred") == 0) {
		defer(read_nil);
		panic("A");
	} else if (strcmp(what, "goexit") == 0) {
		defer(raise_b);
		goexit();
	} else if (strcmp(what, "lines") == 0) {
		panic("one\ngoroutine 9\nthree");
	} else if (strcmp(what, "call") == 0) {
		nothing();
	} else if (strcmp(what, "struct") == 0) {
		panic_any(p);
	} else if (strcmp(what, "typedef") == 0) {
		panic_any(t);
	} else if (strcmp(what, "string") == 0) {
		panic_any(S("text"));
	} else if (strcmp(what, "overflow") == 0) {
		volatile int least = -2147483647 - 1, minus = -1;
		print("%d\n", least / minus);
	} else if (strcmp(what, "main-exits") == 0) {
		goexit();
	}
}

static void panics(struct node *n)
{
	panic("finalizer of %p", (void *)n->next);
}

static __attribute__((noinline)) void make_final(void)
{
	for (int i = 0; i < 10; i++)
		set_finalizer(new(struct node), panics);
}

/* Addresses of objects that nobody holds, in disguise. */
static uintptr_t freed[100];

static __attribute__((noinline)) void make_freed(void)
{
	for (int i = 0; i < 100; i++)
		freed[i] = ~(uintptr_t)new(struct node);
}

/* A bug: uses an object after it was freed. */
static void use_freed(void)
{
	make_freed();
	gc();
	gc();
	for (int i = 0; i < 100; i++) {
		struct node *n = (struct node *)~freed[i];
		if (n->next)
			n->next->next = NULL;
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "return";

	if (strcmp(how, "args") == 0) {
		for (int i = 1; i < argc; i++)
			print("arg %d <%s>\n", i, argv[i]);
	} else if (strcmp(how, "status") == 0) {
		return atoi(argv[2]);
	} else if (strcmp(how, "hang") == 0) {
		print("hangs\n");
		hang();
	} else if (strcmp(how, "sleep") == 0) {
		sleep(atoi(argv[2]) * Second);
	} else if (strcmp(how, "exit") == 0) {
		exit(atoi(argv[2]));
	} else if (strcmp(how, "panic") == 0) {
		panic("boom %d", 42);
	} else if (strcmp(how, "raise") == 0) {
		raise(argv[2]);
	} else if (strcmp(how, "nil") == 0) {
		read_nil();
	} else if (strcmp(how, "wild") == 0) {
		*(volatile char *)0x123456789000 = 1;
	} else if (strcmp(how, "divide") == 0) {
		volatile int zero = 0;
		print("%d\n", 10 / zero);
	} else if (strcmp(how, "overflow") == 0) {
		overflow();
	} else if (strcmp(how, "overflow-among-many") == 0) {
		overflow_among_many();
	} else if (strcmp(how, "abort-at-limit") == 0) {
		print("%d\n", abort_at_limit(0, atoi(argv[2])));
	} else if (strcmp(how, "map") == 0) {
		concurrent_map(argv[2]);
	} else if (strcmp(how, "deadlock") == 0) {
		chan(int) c = make_chan(int);
		print("%d\n", recv(c));
	} else if (strcmp(how, "garbage") == 0) {
		/* 100 MiB that nobody keeps: only a collector makes that fit. */
		struct mem_stats m;
		for (int i = 0; i < 100 * 1024; i++)
			kept = rt_malloc(1024, NULL);
		read_mem_stats(&m);
		print("heap %lu KiB, %u cycles\n", (unsigned long)(m.heap_sys >> 10), (unsigned)m.num_gc);
	} else if (strcmp(how, "tasks") == 0) {
		chan(int) c = make_chan(int);
		for (;;)
			go(wait_for_ever, c);
	} else if (strcmp(how, "freed") == 0) {
		use_freed();
	} else if (strcmp(how, "finalizer") == 0) {
		make_final();
		for (;;) {
			gc();
			sleep(Millisecond);
		}
	} else if (strcmp(how, "abort") == 0) {
		abort();
	} else if (strcmp(how, "oom") == 0) {
		for (;;) {
			struct node *n = new(struct node);
			n->next = kept;
			kept = n;
		}
	} else if (strcmp(how, "loop") == 0) {
		/* A task that never yields does not keep main from its sleep. */
		go(spin);
		int64 t0 = nanotime();
		sleep(50 * Millisecond);
		int64 t1 = nanotime();
		gosched();
		gc();
		print("slept %ld us, collected in %ld us\n", (long)(t1 - t0) / 1000,
		      (long)(nanotime() - t1) / 1000);
	} else if (strcmp(how, "files") == 0) {
		for (unsigned i = 0; i < boot_files(); i++) {
			struct boot_file f = boot_file(i);
			print("file %u <%.*s> %zu bytes\n", i, STR(f.name), len(f.data));
		}
	} else if (strcmp(how, "libc") == 0) {
		libc();
	}
	return 0;
}
