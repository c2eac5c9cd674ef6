/* api_device.h: network interfaces as frames, the host's entropy, and byte
 * streams to it; of ingot.h.  What is above frames is another header's.
 *
 * All calls are from a task.  Programs that call none of these
 * have none of these drivers in them. */
#ifndef INGOT_API_DEVICE_H
#define INGOT_API_DEVICE_H

#include "api_value.h"
#include "api_error.h"

/* ---- network interfaces, frame by frame ------------------------------------ */

/* A network interface. */
typedef struct nic nic;

/* How many there are; they are looked for at the first call. */
int nic_count(void);
/* Interface i, from 0 in the order found, for whoever wants its frames himself;
 * NULL if there is none.  One owner: the second call gives the same nic. */
nic *nic_open(int i);
const uint8_t *nic_mac(nic *n);     /* its address, 6 bytes */
int nic_mtu(nic *n);                /* bytes behind the 14 of a frame's header, at most */
int nic_queues(nic *n);             /* pairs of rings that cores can use side by side */
bool nic_link(nic *n);              /* whether the cable is in */
const char *nic_driver(nic *n);     /* "virtio-net" */
declare_error(nic_err_length); /* a frame has 14 bytes and at most its MTU more */
/* Sends one Ethernet frame, without its checksum; waits for room. */
error nic_send(nic *n, const void *frame, size_t len) must_check;
/* Waits for a frame, for at most `timeout` nanoseconds (0: for ever): its first
 * max bytes go to buf; returns its length, 0: none came in time.  Frames that
 * nobody takes are dropped, oldest first, beyond 256 KiB.  One may have more than the
 * MTU: segments of a stream that the device put together. */
size_t nic_recv(nic *n, void *buf, size_t max, int64_t timeout);

/* Of an interface, since the start. */
struct nic_stats {
	uint64_t rx_frames, rx_bytes, rx_dropped, tx_frames, tx_bytes;
};
/* The figures of n. */
struct nic_stats nic_stats(nic *n);

/* ---- entropy --------------------------------------------------------------- */

/* Fills p with n unpredictable bytes, of the host's device and the CPU's
 * generator together; what one of them lacks does no harm.  Never fails. */
void entropy_read(void *p, size_t n);
/* The device's name, "virtio-rng", NULL if there is none. */
const char *entropy_device(void);

/* ---- byte streams to the host ------------------------------------------------ */

/* A port of virtio-console: what the host writes to it is read here, and back.
 * It has no end: the host may come and go. */
typedef struct port port;
declare_error(port_err_failed); /* the device was given up: why is on the console */

/* How many there are; they are looked for at the first call. */
int port_count(void);
/* Port i, from 0 in the order found; NULL if there is none. */
port *port_open(int i);
/* Waits for bytes: at least one, max at most, *got of them. */
error port_read(port *p, void *buf, size_t max, size_t *got) must_check;
/* Returns when the host has all n bytes.  (QEMU's virtconsole drops what its backend has no
 * room for.) */
error port_write(port *p, const void *buf, size_t n) must_check;

#endif
