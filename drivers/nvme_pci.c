/* nvme_pci.c: NVM Express over PCI: a message for each queue, or the line. */
#include "nvme.h"
#include "pci.h"

#define CLASS_NVME 0x010802u

static const char *open(struct pci_dev *p, const char *where)
{
	const char *why;
	struct nvme *n;
	pci_enable(p);
	volatile uint8_t *regs = pci_map(p, 0, NVME_WINDOW, &why);
	if (!regs)
		return why;
	if (!(n = nvme_new(regs, where)))
		return "out of memory";
	unsigned cores = plat_ncores < NVME_QUEUES_MAX ? plat_ncores : NVME_QUEUES_MAX, have = pci_msix_on(p, cores + 1);
	for (unsigned i = 0; i < have; i++)
		if (!pci_msix_route(p, i, i ? i - 1 : 0, nvme_event(n, i)))
			have = i;
	if (have < 2) {
		have = 0;
		pci_msix_off(p);
		if (!pci_line_route(p, nvme_event(n, 0)))
			return "it has neither interrupt messages nor a line";
	}
	devirq_name(nvme_event(n, 0), "nvme");
	return nvme_start(n, have, devirq_done);
}

void nvme_pci_each(void)
{
	for (unsigned i = 0; i < pci_scan(); i++) {
		struct pci_dev *p = &pci_devs[i];
		char *where;
		if (p->class != CLASS_NVME || p->claimed || !(where = dma_alloc(16, 16)))
			continue;
		ksnprintf(where, 16, "pci %02x:%02x.%x", p->bus, p->slot, p->fn);
		const char *why = open(p, where);
		if (why)
			io_log("nvme at %s: %s; not used", where, why);
	}
}
