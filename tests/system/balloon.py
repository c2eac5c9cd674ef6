#!/usr/bin/python3 -B
"""Free memory goes back to the host by virtio-balloon's free page reporting: what
QEMU takes falls, and rises when the guest uses it again; without such a device,
or with one that cannot, nothing happens."""
import re
import sys

from qemu import Guest, Report, built

report = Report("balloon")
image = built("balloon")


def qemu_kib(guest):
    """What QEMU, a child of qemu.sh, has in memory."""
    pid = guest.process.pid
    while True:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            children = f.read().split()
        if not children:
            break
        pid = int(children[0])
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


for what, machine, options, falls in (
        ("q35", "q35", ["-device", "virtio-balloon-pci,free-page-reporting=on"], True),
        ("q35 with hints", "q35", ["-object", "iothread,id=io", "-device",
                                   "virtio-balloon-pci,free-page-reporting=on,free-page-hint=on,iothread=io"], True),
        ("microvm", "microvm", ["-device", "virtio-balloon-device,free-page-reporting=on"], True),
        ("a balloon that cannot", "q35", ["-device", "virtio-balloon-pci"], False),
        ("no device", "q35", [], False)):
    with Guest(image, options, machine=machine, smp=2) as guest:
        sizes = []
        for step in ("used", "free", "again"):
            if not guest.expect(step + r" idle \d+"):
                break
            sizes.append(qemu_kib(guest))
        good = guest.expect("end") and guest.wait() == 0 and guest.text.count(": 0 wrong") == 2
        fell = len(sizes) == 3 and sizes[0] - sizes[1] > 48 << 10 and sizes[2] - sizes[1] > 48 << 10
        report.check(f"{what}: 64 MiB {'go to the host and come back' if falls else 'stay'}", good and fell == falls,
                     f"{sizes} KiB of QEMU\n{guest.text}")
sys.exit(report.end())
