/* pci.h: the PCI bus for drivers (PCI Local Bus 3.0, PCI Express Base 3.0). */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include "kernel/kernel.h"
#include "rt/driver.h"

struct pci_dev {
	uint8_t bus, slot, fn;
	uint8_t line;             /* what the firmware wrote: an ISA line; 255 none */
	uint8_t pin;              /* 1..4: INTA..INTD, 0 none */
	uint16_t vendor, device;
	uint32_t class;           /* base << 16 | sub << 8 | interface */
	bool claimed;             /* a driver has it */
	uint16_t msix;            /* offset of the capability, 0 none */
	uint16_t msix_n;          /* messages */
	volatile uint32_t *msix_table;
	volatile uint8_t *bar[6]; /* pci_map()'s */
};

/* Finds what is there, once; how many, pci_devs[] then.  task, one at a time */
unsigned pci_scan(void);
#define PCI_DEVS_MAX 64
extern struct pci_dev pci_devs[PCI_DEVS_MAX];

/* Configuration space; size 1, 2, 4; all ones where nothing answers.  task */
uint32_t pci_read(const struct pci_dev *d, unsigned off, unsigned size);
void pci_write(const struct pci_dev *d, unsigned off, unsigned size, uint32_t v);
/* The offset of the next capability with this id after `after` (0: the first);
 * 0: none. */
unsigned pci_cap(const struct pci_dev *d, unsigned id, unsigned after);
/* Registers behind a memory BAR, uncached, mapped once; NULL with *why if there
 * are none or fewer than need. */
volatile uint8_t *pci_map(struct pci_dev *d, unsigned bar, uint64_t need, const char **why);
/* Lets the device read and write memory, and decode its BARs. */
void pci_enable(struct pci_dev *d);
/* MSI-X on, n messages at most; how many it has, 0: none, a line must do. */
unsigned pci_msix_on(struct pci_dev *d, unsigned n);
void pci_msix_off(struct pci_dev *d);
/* Message i marks ev, on this core.  False: no vector. */
bool pci_msix_route(struct pci_dev *d, unsigned i, unsigned core, struct io_event *ev);
/* The interrupt line marks ev (level triggered: devirq_done()).  False: none. */
bool pci_line_route(struct pci_dev *d, struct io_event *ev);

/* mmio_map() from a task. */
volatile void *dev_map(uint64_t pa, size_t n);

#endif
