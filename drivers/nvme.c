/* nvme.c: disks of NVM Express controllers (NVM Express 1.4; section numbers are
 * its): a pair of queues for each core, flush, discard.
 *
 * The task that wants a block puts a command into the submission queue of its core
 * and waits for the request's own event; the queue's task takes completions and
 * marks it.  Each namespace is a disk.
 *
 * A controller that reports a fatal error, answers nonsense, is unplugged or leaves
 * a command unanswered for nvme_patience is switched off and given up: what is under way
 * and what comes later ends with IO_FAILED.
 *
 * Invariants: a queue's state is under its m.  A request that is busy belongs to
 * the controller, with the memory it names, until take() sees its completion or
 * the controller is off.  There are fewer requests than entries, so a submission
 * queue never overruns (4.1). */
#include "nvme.h"
#include "rt/ingot.h"

enum { CAP = 0, VS = 8, CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30, DOORBELLS = 0x1000 }; /* 3.1 */
enum { CC_EN = 1, CC_SIZES = 6 << 16 | 4 << 20 };     /* 64 byte commands, 16 byte completions */
enum { CSTS_RDY = 1, CSTS_CFS = 2 };
enum { ADMIN_CREATE_SQ = 1, ADMIN_CREATE_CQ = 5, ADMIN_IDENTIFY = 6, ADMIN_SET_FEATURES = 9 }; /* 5 */
enum { NVM_FLUSH = 0, NVM_WRITE = 1, NVM_READ = 2, NVM_DSM = 9 };                              /* 6 */
enum { FEATURE_QUEUES = 7 };
#define PAGE 4096u
#define ENTRIES 128u
#define MAX_BYTES (256u << 10)
#define PRP_ENTRIES (MAX_BYTES / PAGE)
#define NAMESPACES_MAX 16

int64_t nvme_patience = 30 * Second;

struct command { /* 4.2 */
	uint8_t opcode, flags;
	uint16_t id;
	uint32_t nsid;
	uint64_t reserved, metadata;
	uint64_t prp[2];
	uint32_t dw[6]; /* 10 to 15 */
};
struct completion { /* 4.6 */
	uint32_t dw0, dw1;
	uint16_t sq_head, sq_id, id, status; /* bit 0 of status: the phase */
};
_Static_assert(sizeof(struct command) == 64 && sizeof(struct completion) == 16, "4.2, 4.6");

struct request {
	uint64_t *list;      /* of pages (4.3), or the range to discard */
	int64_t began;
	bool busy;
	enum io_result result;
	uint32_t dw0;
	struct io_event done;
	struct request *next; /* free list */
};

struct queue {
	struct nvme *n;
	uint16_t id, size, tail, head;
	uint16_t phase;      /* of a new completion */
	struct command *sq;
	volatile struct completion *cq;
	volatile uint32_t *sq_tail, *cq_head;
	struct io_event ev;
	mutex m;
	cond room;           /* a request was freed, or the controller failed */
	struct request *requests, *free;
};

struct nvme {
	const char *where;
	volatile uint8_t *regs;
	uint64_t cap;
	void (*line_done)(struct io_event *); /* no messages: all share the admin queue's event */
	unsigned nq;         /* queue[1] to queue[nq] are for reads and writes */
	uint32_t failed;     /* atomic */
	struct io_watch watch;
	bool flushes, discards;
	uint32_t max_bytes;
	char serial[24];
	void *page;          /* for Identify */
	struct queue queue[NVME_QUEUES_MAX + 1];
};

struct namespace {
	struct blkdev dev;
	struct nvme *n;
	uint32_t id, shift;
};

static uint32_t get32(struct nvme *n, unsigned at) { return *(volatile uint32_t *)(n->regs + at); }
static void put32(struct nvme *n, unsigned at, uint32_t v) { *(volatile uint32_t *)(n->regs + at) = v; }

static void put64(struct nvme *n, unsigned at, uint64_t v)
{
	put32(n, at, (uint32_t)v);
	put32(n, at + 4, (uint32_t)(v >> 32));
}

/* ---- completions ------------------------------------------------------------ */

/* Under q->m. */
static void finish(struct queue *q, struct request *r, enum io_result result)
{
	r->busy = false;
	r->result = result;
	io_watch_end(&q->n->watch);
	io_signal(&r->done);
}

/* Waits for CSTS.RDY to be `on`, as long as the controller asks for (3.1.1, TO). */
static bool wait_ready(struct nvme *n, uint32_t on)
{
	int64_t until = nanotime() + (int64_t)((n->cap >> 24 & 0xff) + 1) * 500 * Millisecond;
	for (;;) {
		uint32_t s = get32(n, CSTS);
		if ((s & CSTS_RDY) == on)
			return true;
		if (s == UINT32_MAX || (on && s & CSTS_CFS) || nanotime() > until)
			return false;
		sleep(Millisecond);
	}
}

/* Off it goes; with no lock held.  The first caller's reason is printed. */
static void give_up(struct nvme *n, const char *why)
{
	if (__atomic_exchange_n(&n->failed, 1, __ATOMIC_SEQ_CST))
		return;
	put32(n, CC, 0);
	wait_ready(n, 0); /* now it touches no memory; one that does not stop is gone, or lost to us */
	io_log("nvme at %s: %s; given up", n->where, why);
	for (unsigned i = 0; i <= n->nq; i++) {
		struct queue *q = &n->queue[i];
		mutex_lock(&q->m);
		for (unsigned k = 0; q->requests && k < q->size - 1u; k++)
			if (q->requests[k].busy)
				finish(q, &q->requests[k], IO_FAILED);
		cond_broadcast(&q->room);
		mutex_unlock(&q->m);
	}
}

static bool failed(struct nvme *n)
{
	return __atomic_load_n(&n->failed, __ATOMIC_SEQ_CST);
}

/* 4.6.1 */
static enum io_result result(uint16_t status)
{
	switch (status >> 1 & 0x7ff) {
	case 0:
		return IO_OK;
	case 0x01: /* invalid opcode, field */
	case 0x02:
		return IO_UNSUPPORTED;
	case 0x81:
		return IO_NO_SPACE;
	default:
		return IO_ERROR;
	}
}

/* Under q->m: what is complete.  False: nonsense. */
static bool take(struct queue *q)
{
	bool any = false;
	for (;;) {
		volatile struct completion *c = &q->cq[q->head];
		uint16_t status = __atomic_load_n(&c->status, __ATOMIC_ACQUIRE);
		if ((status & 1) != q->phase)
			break;
		uint16_t id = c->id;
		if (id >= q->size - 1 || !q->requests[id].busy || c->sq_id != q->id)
			return false;
		q->requests[id].dw0 = c->dw0;
		finish(q, &q->requests[id], result(status));
		if (++q->head == q->size) {
			q->head = 0;
			q->phase ^= 1;
		}
		any = true;
	}
	if (any)
		*q->cq_head = q->head;
	return true;
}

static void queue_task(void *arg)
{
	struct queue *q = arg;
	struct nvme *n = q->n;
	for (;;) {
		io_wait(&q->ev);
		bool good = true;
		for (unsigned i = q->id; i <= (n->line_done ? n->nq : q->id) && !failed(n); i++) {
			mutex_lock(&n->queue[i].m);
			good &= !n->queue[i].requests || take(&n->queue[i]);
			mutex_unlock(&n->queue[i].m);
		}
		if (!good)
			give_up(n, "it completed what nobody asked for");
		if (n->line_done)
			n->line_done(&q->ev);
	}
}

/* Looks after requests that get no answer, while there are some. */
static void watch_task(void *arg)
{
	struct nvme *n = arg;
	while (!failed(n)) {
		int64_t old = io_watch_wait(&n->watch, nvme_patience);
		uint32_t s = get32(n, CSTS);
		if (s == UINT32_MAX)
			give_up(n, "it is gone");
		else if (s & CSTS_CFS)
			give_up(n, "it reports a fatal error");
		bool late = false;
		for (unsigned i = 0; i <= n->nq; i++) {
			struct queue *q = &n->queue[i];
			mutex_lock(&q->m);
			for (unsigned k = 0; q->requests && k < q->size - 1u; k++)
				late |= q->requests[k].busy && q->requests[k].began < old;
			mutex_unlock(&q->m);
		}
		if (late)
			give_up(n, "it left a request unanswered");
	}
}

/* ---- requests ----------------------------------------------------------------- */

/* 4.3: the first page, and the second or the list of the others. */
static void set_prp(struct command *c, struct request *r, uint64_t at, uint64_t bytes)
{
	uint64_t next = (at & ~(uint64_t)(PAGE - 1)) + PAGE;
	c->prp[0] = at;
	if (at + bytes <= next)
		return;
	if (at + bytes <= next + PAGE) {
		c->prp[1] = next;
		return;
	}
	for (unsigned i = 0; next < at + bytes; next += PAGE)
		r->list[i++] = next;
	c->prp[1] = plat_dma_addr(r->list, 8);
}

/* Carries out c (its id and memory are set here) and waits for the end. */
static enum io_result execute(struct queue *q, struct command c, const void *p, uint64_t bytes, uint32_t *dw0)
{
	struct nvme *n = q->n;
	struct request *r = NULL;
	mutex_lock(&q->m);
	while (!failed(n) && !(r = q->free))
		cond_wait(&q->room);
	if (failed(n)) {
		mutex_unlock(&q->m);
		return IO_FAILED;
	}
	q->free = r->next;
	c.id = (uint16_t)(r - q->requests);
	if (c.opcode == NVM_DSM && q->id) { /* 6.7: attributes, blocks, first block */
		r->list[0] = bytes << 32;
		r->list[1] = (uint64_t)(uintptr_t)p;
		c.prp[0] = plat_dma_addr(r->list, 16);
	} else if (bytes) {
		set_prp(&c, r, plat_dma_addr(p, bytes), bytes);
	}
	r->busy = true;
	r->began = nanotime();
	io_watch_begin(&n->watch);
	q->sq[q->tail] = c;
	q->tail = q->tail + 1 == q->size ? 0 : q->tail + 1;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	*q->sq_tail = q->tail;
	mutex_unlock(&q->m);

	io_wait(&r->done);
	enum io_result result = r->result;
	if (dw0)
		*dw0 = r->dw0;
	mutex_lock(&q->m);
	r->next = q->free;
	q->free = r;
	cond_signal(&q->room);
	mutex_unlock(&q->m);
	return result;
}

static enum io_result io(struct blkdev *dev, enum blk_op op, uint64_t off, void *p, uint64_t bytes)
{
	static const uint8_t opcodes[] = { [BLK_READ] = NVM_READ, [BLK_WRITE] = NVM_WRITE, [BLK_FLUSH] = NVM_FLUSH,
	                                   [BLK_DISCARD] = NVM_DSM };
	struct namespace *ns = dev->priv;
	struct nvme *n = ns->n;
	struct command c = { .opcode = opcodes[op], .nsid = ns->id };
	uint64_t block = off >> ns->shift, blocks = bytes >> ns->shift;
	if (op == BLK_FLUSH && !n->flushes)
		return IO_OK; /* there is no cache that power could take */
	if (op == BLK_DISCARD) {
		c.dw[1] = 1 << 2; /* deallocate; one range */
		p = (void *)(uintptr_t)block;
		bytes = blocks;
	} else if (op != BLK_FLUSH) {
		c.dw[0] = (uint32_t)block;
		c.dw[1] = (uint32_t)(block >> 32);
		c.dw[2] = (uint32_t)blocks - 1;
	}
	return execute(&n->queue[1 + plat_core_id() % n->nq], c, p, bytes, NULL);
}

/* ---- the controller ------------------------------------------------------------- */

static const char *queue_init(struct nvme *n, unsigned id)
{
	struct queue *q = &n->queue[id];
	unsigned most = (unsigned)(n->cap & 0xffff) + 1, stride = 4u << (n->cap >> 32 & 15);
	q->n = n;
	q->id = (uint16_t)id;
	q->size = (uint16_t)(most < ENTRIES ? most : ENTRIES);
	q->phase = 1;
	q->room.l = &q->m;
	q->sq = dma_alloc(q->size * sizeof *q->sq, PAGE);
	q->cq = dma_alloc(q->size * sizeof *q->cq, PAGE);
	q->requests = dma_alloc(q->size * sizeof *q->requests, 64);
	if (!q->sq || !q->cq || !q->requests)
		return "out of memory";
	for (unsigned i = 0; i < q->size - 1u; i++) {
		struct request *r = &q->requests[i];
		if (!(r->list = dma_alloc(PRP_ENTRIES * 8, PRP_ENTRIES * 8))) /* within a page */
			return "out of memory";
		r->next = q->free;
		q->free = r;
	}
	q->sq_tail = (volatile uint32_t *)(n->regs + DOORBELLS + 2 * id * stride);
	q->cq_head = (volatile uint32_t *)(n->regs + DOORBELLS + (2 * id + 1) * stride);
	return NULL;
}

static enum io_result admin(struct nvme *n, struct command c, uint32_t *dw0)
{
	return execute(&n->queue[0], c, n->page, c.opcode == ADMIN_IDENTIFY ? PAGE : 0, dw0);
}

/* 5.3, 5.4 */
static bool queue_create(struct nvme *n, unsigned id)
{
	struct queue *q = &n->queue[id];
	uint32_t size = (q->size - 1u) << 16 | id;
	struct command cq = { .opcode = ADMIN_CREATE_CQ, .prp[0] = plat_dma_addr((void *)q->cq, 16),
	                      .dw = { size, (n->line_done ? 0 : id) << 16 | 3 } };
	struct command sq = { .opcode = ADMIN_CREATE_SQ, .prp[0] = plat_dma_addr(q->sq, 64), .dw = { size, id << 16 | 1 } };
	if (admin(n, cq, NULL) != IO_OK || admin(n, sq, NULL) != IO_OK)
		return false;
	if (!n->line_done)
		rt_go_system(queue_task, q);
	return true;
}

static const char *identify_controller(struct nvme *n)
{
	const uint8_t *id = n->page;
	if (admin(n, (struct command){ .opcode = ADMIN_IDENTIFY, .dw = { 1 } }, NULL) != IO_OK)
		return "it does not say what it is";
	unsigned len = 20;
	while (len && id[4 + len - 1] <= ' ')
		len--;
	for (unsigned i = 0; i < len; i++)
		n->serial[i] = id[4 + i] >= ' ' && id[4 + i] < 127 ? (char)id[4 + i] : '?';
	n->max_bytes = MAX_BYTES;
	if (id[77] && id[77] < 6) /* 2^n pages; the seam asks for 64 KiB at least */
		n->max_bytes = PAGE << id[77];
	if (n->max_bytes < 65536)
		return "it takes too little at a time";
	n->discards = id[520] & 4;
	n->flushes = id[525] & 1;
	return NULL;
}

static void namespace_add(struct nvme *n, uint32_t id)
{
	uint64_t blocks;
	uint32_t format;
	const uint8_t *p = n->page;
	if (admin(n, (struct command){ .opcode = ADMIN_IDENTIFY, .nsid = id }, NULL) != IO_OK)
		return;
	memcpy(&blocks, p, 8);
	memcpy(&format, p + 128 + 4 * (p[26] & 15), 4); /* 5.15.2, LBA format */
	unsigned shift = format >> 16 & 0xff;
	if (!blocks)
		return; /* not active */
	if (shift < 9 || shift > 16 || format & 0xffff || blocks > (uint64_t)INT64_MAX >> shift) {
		io_log("nvme at %s: namespace %u: blocks of an unknown form; not used", n->where, id);
		return;
	}
	struct namespace *ns = dma_alloc(sizeof *ns, 64);
	if (!ns)
		return;
	*ns = (struct namespace){
		.n = n, .id = id, .shift = shift,
		.dev = { .driver = "nvme", .bytes = blocks << shift, .block = 1u << shift, .max_bytes = n->max_bytes,
		         .max_discard = n->discards ? (uint64_t)UINT32_MAX << shift : 0, .read_only = p[99] & 1,
		         .alignment = 4, .io = io, .priv = ns },
	};
	memcpy(ns->dev.serial, n->serial, sizeof n->serial);
	blkdev_add(&ns->dev);
}

struct nvme *nvme_new(volatile uint8_t *regs, const char *where)
{
	struct nvme *n = dma_alloc(sizeof *n, 64);
	if (n) {
		n->regs = regs;
		n->where = where;
	}
	return n;
}

struct io_event *nvme_event(struct nvme *n, unsigned i)
{
	return &n->queue[i].ev;
}

const char *nvme_start(struct nvme *n, unsigned messages, void (*line_done)(struct io_event *))
{
	const char *why;
	n->line_done = messages ? NULL : line_done;
	n->cap = get32(n, CAP) | (uint64_t)get32(n, CAP + 4) << 32;
	if (n->cap == UINT64_MAX || !(n->cap >> 37 & 1) || n->cap >> 48 & 15 || (n->cap & 0xffff) == 0 ||
	    (n->cap >> 32 & 15) > 8)
		return "it cannot do what this driver needs";
	put32(n, CC, 0);
	if (!wait_ready(n, 0))
		return "it does not stop";
	n->nq = messages ? messages - 1 : 1;
	unsigned fit = (NVME_WINDOW - DOORBELLS) / (8u << (n->cap >> 32 & 15)); /* pairs of doorbells */
	if (fit < 2)
		return "its doorbells are too far apart";
	if (n->nq > fit - 1)
		n->nq = fit - 1;
	if (!(n->page = dma_alloc(PAGE, PAGE)))
		return "out of memory";
	if ((why = queue_init(n, 0)))
		return why;
	struct queue *q = &n->queue[0];
	put32(n, AQA, (q->size - 1u) << 16 | (q->size - 1u));
	put64(n, ASQ, plat_dma_addr(q->sq, 64));
	put64(n, ACQ, plat_dma_addr((void *)q->cq, 16));
	put32(n, CC, CC_SIZES | CC_EN);
	if (!wait_ready(n, 1))
		return "it does not start";
	rt_go_system(queue_task, q);
	rt_go_system(watch_task, n);
	if ((why = identify_controller(n)))
		return why;
	uint32_t granted;
	struct command queues = { .opcode = ADMIN_SET_FEATURES, .dw = { FEATURE_QUEUES, (n->nq - 1) << 16 | (n->nq - 1) } };
	if (admin(n, queues, &granted) != IO_OK)
		return "it gives no queues";
	unsigned most = (granted & 0xffff) < granted >> 16 ? (granted & 0xffff) + 1 : (granted >> 16) + 1;
	unsigned want = most < n->nq ? most : n->nq;
	for (unsigned i = 1; i <= want; i++)
		if ((why = queue_init(n, i)))
			return why;
	for (n->nq = 0; n->nq < want && queue_create(n, n->nq + 1);)
		n->nq++;
	if (!n->nq)
		return "it makes no queues";
	for (uint32_t id = 1; id <= NAMESPACES_MAX; id++)
		namespace_add(n, id);
	return NULL;
}
