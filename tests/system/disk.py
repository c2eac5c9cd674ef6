#!/usr/bin/python3 -B
"""Disks: virtio-blk over PCI with MSI-X and with its line, and over mmio; what the
guest writes is in the host's file, and what the host's disk refuses is an error
in the guest."""
import contextlib
import os
import random
import re
import sys
import tempfile

from qemu import Guest, Report, boot, built

report = Report("disk")
image = built("disk")
MIB = 1 << 20


def pattern(block, age):
    """What the guest's fill() writes."""
    mask = (1 << 64) - 1
    x = (block * 0x9E3779B97F4A7C15 + age) & mask
    out = bytearray()
    for _ in range(512):
        x = (x * 6364136223846793005 + 1442695040888963407) & mask
        out += x.to_bytes(8, "little")
    return bytes(out)


def device(name, path, device_options="", drive_options=""):
    return ["-drive", f"if=none,id=d,format=raw,file={path},discard=unmap{drive_options}",
            "-device", f"{name},drive=d,serial=ingot-1{device_options}"]


WAYS = [
    ("q35 MSI-X", "q35", "virtio-blk-pci", ""),
    ("q35 line", "q35", "virtio-blk-pci", ",vectors=0"),
    ("q35 no event index, no indirect", "q35", "virtio-blk-pci", ",event_idx=off,indirect_desc=off"),
    ("q35 behind a root port", "q35", "virtio-blk-pci", ",bus=rp1"),
    ("pc, ports instead of ECAM", "pc", "virtio-blk-pci", ""),
    ("pc line", "pc", "virtio-blk-pci", ",vectors=0"),
    ("microvm mmio", "microvm", "virtio-blk-device", ""),
    ("nvme MSI-X", "q35", "nvme", ""),
    ("nvme line", "q35", "nvme", ",msix_qsize=1"),
    ("nvme, two queues, 64 KiB at a time, behind a root port", "q35", "nvme", ",bus=rp1,max_ioqpairs=2,mdts=4"),
    ("nvme, pc", "pc", "nvme", ""),
]

with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
    path = f"{folder}/disk.img"
    # Disks that leave a request unanswered, looked at in the end: the host lets one through, and
    # the next not for an hour.
    silent = {name: stack.enter_context(Guest(
        image, ["-drive", "if=none,id=d,driver=null-co,read-zeroes=on,size=4M,throttling.bps-read=512,throttling.bps-read-max=65536",
                "-device", name], limit=400, smp=1, mem="32M", args="read 0 1048576 read 0 512 write 0 512 1"))
        for name in ("virtio-blk-pci,drive=d", "nvme,drive=d,serial=1")}
    for what, machine, name, options in WAYS:
        for smp in (1, 4):
            with open(path, "wb") as f:
                f.truncate(4 * MIB)
            extra = ["-device", "pcie-root-port,id=rp1"] if "bus=" in options else ["-machine", machine]
            done = boot(image, extra + device(name, path, options), machine="microvm" if machine == "microvm" else "q35", smp=smp,
                        args="info mix 16 150 7 flush")
            good = done.status == 0 and "mix 16 tasks 150 ops: 0 bad" in done.text and "ingot-1" in done.text
            # Each block is untouched or holds the last thing that mix writes.
            with open(path, "rb") as f:
                blocks = [f.read(4096) for _ in range(4 * MIB // 4096)]
            wrong = [i for i, b in enumerate(blocks) if b.strip(b"\0") and b != pattern(i, 0xFFFFFFFF)]
            full = sum(1 for b in blocks if b.strip(b"\0"))
            report.check(f"{what}, {smp} cores: many tasks, and the host's file agrees",
                         good and not wrong and full > 500, f"{len(wrong)} wrong, {full} written; {done}")

    # What the host wrote is what the guest reads, at any offset.
    rng = random.Random(5)
    content = rng.randbytes(MIB)
    with open(path, "wb") as f:
        f.write(content)
    reads = [(0, MIB), (1, 1), (511, 2), (4095, 70001), (MIB - 1, 1), (777, 0)]
    done = boot(image, device("virtio-blk-pci", path), args=" ".join(f"read {o} {n}" for o, n in reads))
    missing = [r for r in reads if f"read {r[0]} {r[1]}: ok sum {sum(content[r[0]:r[0] + r[1]])}\n" not in done.text]
    report.check("reads at odd offsets", done.status == 0 and not missing, f"{missing}; {done}")

    # Bounds, blocks, flush, discard.
    done = boot(image, device("virtio-blk-pci", path),
                args=f"read {MIB - 1} 2 read -1 4 write 1 512 9 write 0 100 9 write {MIB} 512 1 discard 0 65536 "
                     "read 0 65536 write 65536 4096 170 flush")
    for text in (f"read {MIB - 1} 2: disk: beyond the end", "read -1 4: disk: beyond the end",
                 "write 1 512: disk: begins or ends within a block",
                 "write 0 100: disk: begins or ends within a block",
                 f"write {MIB} 512: disk: beyond the end", "discard 0 65536: ok", "read 0 65536: ok sum 0\n",
                 "write 65536 4096: ok", "flush 0 0: ok"):
        report.check(text, text in done.text, done)
    with open(path, "rb") as f:
        now = f.read()
    report.check("the host sees the discard and the write, and nothing else changed",
                 now == bytes(65536) + b"\xaa" * 4096 + content[65536 + 4096:], "the file differs")

    done = boot(image, device("virtio-blk-pci", path, drive_options=",readonly=on"), args="info write 0 512 1 read 0 512")
    report.check("a read-only disk", "read-only" in done.text and "write 0 512: disk: the device is read-only" in done.text
                 and "read 0 512: ok" in done.text, done)
    done = boot(image, args="info")
    report.check("no disk is no error", done.status == 3 and "disks 0" in done.text, done)
    done = boot(image, [*device("virtio-blk-pci", path, ",num-queues=4"), "-drive",
                        "if=none,id=e,driver=null-co,size=1M", "-device", "virtio-blk-pci,drive=e"],
                smp=4, args="info")
    report.check("two disks", "disks 2" in done.text, done)
    done = boot(image, device("virtio-blk-pci", path, ",physical_block_size=4096,logical_block_size=4096"),
                args="info write 0 512 1 write 4096 4096 5 read 5000 10")
    report.check("blocks of 4 KiB", "block 4096" in done.text and "write 0 512: disk: begins" in done.text and
                 "write 4096 4096: ok" in done.text and "read 5000 10: ok sum 50\n" in done.text, done)

    # The host's disk fails: errors are values, and it goes on afterwards.
    rules = f"{folder}/rules"
    with open(rules, "w", encoding="utf-8") as f:
        f.write('[inject-error]\nevent = "none"\niotype = "read"\nerrno = "5"\nsector = "128"\n'
                '[inject-error]\nevent = "none"\niotype = "write"\nerrno = "28"\nsector = "256"\n'
                '[inject-error]\nevent = "none"\niotype = "flush"\nerrno = "5"\nonce = "on"\n')
    for name in ("virtio-blk-pci,drive=d", "nvme,drive=d,serial=1"):
        done = boot(image, ["-drive", f"if=none,id=d,file=blkdebug:{rules}:{path},format=raw,werror=report,rerror=report",
                            "-device", name],
                    args="read 65536 512 write 131072 512 3 read 0 512 flush write 0 512 2 flush")
        lines = [line for line in done.text.splitlines() if re.match(r"(read|write|flush) ", line)]
        want = ["read 65536 512: disk: input/output error", "write 131072 512: disk: ", "read 0 512: ok",
                "flush 0 0: disk: input/output error", "write 0 512: ok", "flush 0 0: ok"]
        report.check(f"{name}: errors of the host's disk, and a full one", len(lines) == len(want) and
                     all(line.startswith(w) for line, w in zip(lines, want)) and "end" in done.text, done)

    done = boot(image, ["-drive", f"if=none,id=d,format=raw,file={path}", "-device", "virtio-blk-device,drive=d",
                        "-global", "virtio-mmio.force-legacy=true"], machine="microvm", args="info")
    report.check("an old device is named, and no error", done.status == 3 and "not used" in done.text, done)
    for name, guest in silent.items():
        status = guest.wait()
        report.check(f"{name}: a request without an answer ends, with an error, and so do later ones", status == 0 and
                     "it left a request unanswered" in guest.text and
                     re.search(r"read 0 1048576: .*\n(.*\n)*read 0 512: disk: the device failed sum 0\n"
                               r"write 0 512: disk: the device failed", guest.text), (status, guest.text))
sys.exit(report.end())
