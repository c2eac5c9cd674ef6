/* nvme.h: NVM Express controllers, whatever bus they are on. */
#ifndef DRIVERS_NVME_H
#define DRIVERS_NVME_H

#include "rt/driver.h"

#define NVME_QUEUES_MAX 16
/* Bytes of registers that are used at most, with doorbells side by side. */
#define NVME_WINDOW (0x1000u + 8 * (NVME_QUEUES_MAX + 1))

/* How long a controller may leave a request unanswered, ns: 30 s; tests take less. */
extern int64_t nvme_patience;

struct nvme;
/* A controller whose registers are at regs; `where` stays.  NULL: no memory.  task */
struct nvme *nvme_new(volatile uint8_t *regs, const char *where);
/* What interrupt message i is to mark: 0 for administration, then one for each
 * queue.  Without messages the line marks 0. */
struct io_event *nvme_event(struct nvme *n, unsigned i);
/* Starts it and adds its disks.  messages: how many lead to their events, at least
 * two, or 0: a line, which line_done() opens again.  Returns what is wrong, or
 * NULL.  task */
const char *nvme_start(struct nvme *n, unsigned messages, void (*line_done)(struct io_event *));

#endif
