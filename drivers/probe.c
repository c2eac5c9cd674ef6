/* probe.c: which drivers serve which kind of device: the one list of them.  A
 * function here is called by the public function that needs such devices
 * (rt/driver.h), and the linker takes only what is called. */
#include "virtio.h"

/* virtio_pci.c, virtio_mmio.c */
void virtio_pci_each(const struct virtio_driver *drv);
void virtio_mmio_each(const struct virtio_driver *drv);

/* e1000e.c, nvme_pci.c */
void e1000e_each(void);
void nvme_pci_each(void);

static void virtio(const struct virtio_driver *drv)
{
	virtio_mmio_each(drv);
	virtio_pci_each(drv);
}

void plat_find_disks(void)
{
	virtio(&virtio_blk_driver);
	nvme_pci_each();
}

void plat_find_nics(void)
{
	virtio(&virtio_net_driver);
	e1000e_each();
}

void plat_find_entropy(void)
{
	virtio(&virtio_rng_driver);
}

void plat_find_balloon(void)
{
	virtio(&virtio_balloon_driver);
}

void plat_find_ports(void)
{
	virtio(&virtio_console_driver);
}
