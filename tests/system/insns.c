/* insns.c: counts executed guest instructions: a plugin of QEMU (interface version 1).
 *
 *	gcc -O2 -shared -fPIC -o insns.so tests/system/insns.c
 *	qemu-system-x86_64 -plugin ./insns.so,out=FILE ...
 *
 * FILE is an array of pairs of 64 bits, where a translated block begins and how many
 * instructions were executed in blocks from there, and is right while the guest runs:
 * servers.py looks at it before and after.  With several virtual cores an addition is lost
 * now and then: they are not atomic. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of qemu-plugin.h, which Debian does not install. */
struct qemu_plugin_tb;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *p, uint64_t add);
int qemu_plugin_version = 1;

#define BITS 20
#define N (1u << BITS)
static struct {
	uint64_t pc, count;
} *table; /* open addressing */
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; /* guards the pcs */

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint64_t pc = qemu_plugin_tb_vaddr(tb), i = pc * 0x9e3779b97f4a7c15ull >> (64 - BITS);
	pthread_mutex_lock(&m);
	while (table[i].pc && table[i].pc != pc)
		i = (i + 1) & (N - 1);
	table[i].pc = pc;
	pthread_mutex_unlock(&m);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &table[i].count, qemu_plugin_tb_n_insns(tb));
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int fd = argc == 1 && !strncmp(argv[0], "out=", 4) ? open(argv[0] + 4, O_RDWR | O_CREAT | O_TRUNC, 0644) : -1;
	if (fd < 0 || ftruncate(fd, N * sizeof *table))
		return -1;
	table = mmap(NULL, N * sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (table == MAP_FAILED)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
