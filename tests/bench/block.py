#!/usr/bin/python3 -B
"""What a read of a virtio-blk disk costs, beside Linux in the same QEMU.

    LINUX=DIR block.py [--rounds 3] [--count] [--size MIB] [WAY ...]

LINUX: a kernel's package unpacked (apt-get download linux-image-..., dpkg -x).  WAY: sequential
(1 MiB each), random (4 KiB), 16 (random, sixteen at once), cached (Linux only: through its
page cache).  Linux reads with O_DIRECT.  The guests take turns; ns by the guest's clock.
--count: executed instructions of one read, as the difference of two runs (insns.c)."""
import argparse
import os
import re
import statistics
import subprocess
import tempfile

from servers import LINUX_LINE, ROOT, build_plugin, linux, read_plugin

MODULES = "virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk".split()
READS = {"sequential": 500, "cached": 500, "random": 5000, "16": 20000}


def run(boot, way, n, folder, count):
    """ns of one read, instructions of the whole run."""
    words = f"speed {way} {n}"
    command = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "512M", "-nodefaults",
               "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4",
               *(["-plugin", f"{folder}/insns.so,out={folder}/table"] if count else []),
               "-drive", f"id=d,if=none,format=raw,file={folder}/disk", "-device", "virtio-blk-pci,drive=d", *boot]
    command[-1] += words
    text = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout.decode(errors="replace")
    found = re.search(r"^speed \S+ \d+: (\d+) ns each", text, re.M)
    if not found:
        raise SystemExit(f"no figure from {' '.join(command)}:\n{text[-2000:]}")
    insns = 0
    if count:
        insns = sum(read_plugin(f"{folder}/table").values())
        os.unlink(f"{folder}/table")
    return int(found[1]), insns


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("ways", nargs="*", default=["sequential", "random", "16"])
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--size", type=int, default=512)
    p.add_argument("--count", action="store_true")
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build_plugin(folder)
        subprocess.run(["gcc", "-O2", "-static", "-pthread", "-o", f"{folder}/read", os.path.join(ROOT, "tests/system/linuxread.c")], check=True)
        with open(f"{folder}/disk", "wb") as f:
            for _ in range(o.size):
                f.write(os.urandom(1 << 20))
        guests = {"ingot": ["-kernel", os.path.join(ROOT, "build/metal/app/disk.elf"), "-append", "-- "],
                  "linux": [*linux(folder, f"{folder}/read", MODULES), "-append", LINUX_LINE + " -- "]}
        for way in o.ways:
            ns, insns = {}, {}
            for _ in range(o.rounds):
                for name, boot in guests.items():
                    if way != "cached" or name == "linux":
                        ns.setdefault(name, []).append(run(list(boot), way, READS[way], folder, False)[0])
            if o.count:
                for name in ns:
                    one, two = (run(list(guests[name]), way, n, folder, True)[1] for n in (READS[way], 2 * READS[way]))
                    insns[name] = (two - one) / READS[way]
            print(f"{way}: " + "; ".join(f"{name} {statistics.median(v) / 1000:.1f} us ({min(v) / 1000:.1f})"
                                         + (f", {insns[name]:.0f} instructions" if insns else "") for name, v in ns.items())
                  + (f"; ratio {statistics.median(ns['ingot']) / statistics.median(ns['linux']):.2f}" if len(ns) == 2 else ""), flush=True)


main()
