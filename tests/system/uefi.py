#!/usr/bin/python3 -B
"""The UEFI door: loader, disk image, OVMF.  test: limit=900

What the loader hands over is judged with a probe in the kernel's place
(probe/probe.c); then an app boots from each kind of disk; then images with
something wrong with them must each be told what."""

import concurrent.futures
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from qemu import ROOT, Guest, Report, boot, built

os.environ["PATH"] += ":/usr/sbin:/sbin"
TMP = tempfile.mkdtemp(prefix="ingot-uefi-")
MIB = 1 << 20
USABLE, RESERVED, ACPI = 1, 2, 3
PROBE_STATUS = 7
report = Report("uefi")


def run(*command, **options):
    """(status, output) of a command."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **options)
    return done.returncode, done.stdout


def must(*command, **options):
    status, text = run(*command, **options)
    if status != 0:
        raise SystemExit(f"{' '.join(command)}: status {status}\n{text}")
    return text


def write(name, data):
    path = f"{TMP}/{name}"
    with open(path, "wb") as f:
        f.write(data)
    return path


def image(name, kernel, line="", modules=()):
    """A disk image made by boot/mkimage.sh."""
    path = f"{TMP}/{name}.img"
    must("boot/mkimage.sh", kernel, path, "-c", line, *[w for m in modules for w in ("-m", m)])
    return path


def mtool(tool, disk, *words):
    must(tool, "-i", f"{disk}@@1M", *words, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})


def plain(text):
    """The console's text without the firmware's cursor and colour codes."""
    return re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]", "", text)


# ---- the image file ---------------------------------------------------------


def check_image_file():
    """GPT and FAT are as their checkers want them; the same input, the same file."""
    big = write("big.bin", os.urandom(50 * MIB + 123))
    for name, modules in (("small", []), ("with 50 MiB module", [big])):
        disk = image("check", PROBE, "a b", modules)
        _, text = run("sgdisk", "-v", disk)
        report.check(f"sgdisk {name}", "No problems found" in text, text)
        with open(disk, "rb") as f:
            data = f.read()
        report.check(f"protective MBR {name}", data[450] == 0xee and data[510:512] == b"\x55\xaa")
        start, last = struct.unpack_from("<QQ", data, 2 * 512 + 32)
        fat = write("fat", data[start * 512:(last + 1) * 512])
        status, text = run("fsck.vfat", "-n", fat)
        report.check(f"fsck.vfat {name}", status == 0, text)
        report.check(f"alignment and size {name}", start % 2048 == 0 and len(data) % MIB == 0 and
                     len(data) < 40 * MIB + sum(map(os.path.getsize, modules)) * 1.03, (start, len(data)))
    first = image("once", PROBE, "a b", [__file__])
    time.sleep(2.1)  # FAT's times have steps of 2 s
    again = image("again", PROBE, "a b", [__file__])
    report.check("image is reproducible", run("cmp", first, again)[0] == 0)
    kernel = f"{TMP}/from-image.elf"
    mtool("mcopy", first, "::/EFI/INGOT/KERNEL.ELF", kernel)
    report.check("kernel in the image is stripped", ".symtab" not in must("readelf", "-SW", kernel))


def check_refusals_of_mkimage():
    long_name = write("n" * 64, b"")
    short = write("m", b"")
    for what, words, want in (
            ("missing kernel", ["/nowhere/k.elf", f"{TMP}/x.img"], "kernel /nowhere/k.elf: no such file"),
            ("kernel that is no ELF", [__file__, f"{TMP}/x.img"], "is it an ELF file"),
            ("missing module", [PROBE, f"{TMP}/x.img", "-m", "/nowhere/m"], "module /nowhere/m: no such file"),
            ("long module name", [PROBE, f"{TMP}/x.img", "-m", long_name], "longer than 63 bytes"),
            ("two modules of one name", [PROBE, f"{TMP}/x.img", "-m", short, "-m", short], "a second one"),
            ("names that differ in case alone", [PROBE, f"{TMP}/x.img", "-m", short, "-m", write("M", b"")],
             "a second one"),
            ("module name that FAT lacks", [PROBE, f"{TMP}/x.img", "-m", write("a:b", b"")], "FAT cannot hold"),
            ("nine modules", [PROBE, f"{TMP}/x.img"] + [w for i in range(9) for w in ("-m", write(f"m{i}", b""))],
             "more than 8 modules"),
            ("long command line", [PROBE, f"{TMP}/x.img", "-c", "x" * 4096], "longer than 4095 bytes")):
        status, text = run("boot/mkimage.sh", *words)
        report.check(f"mkimage: {what}", status != 0 and want in text and not os.path.exists(f"{TMP}/x.img"),
                     (status, text))


def check_elf_code():
    """The loader's ELF code under sanitizers, with damaged files."""
    fuzz = f"{TMP}/fuzz"
    must("gcc", "-std=gnu17", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-I.", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=all", "-o", fuzz, "tests/system/probe/elf_fuzz.c", "boot/efi/kernel_elf.c")
    seed = int(time.time())
    status, text = run(fuzz, PROBE, "20000", str(seed))
    found = re.search(r"accepted (\d+) refused (\d+)", text)
    report.check("damaged ELF files stay in bounds", status == 0 and found and int(found[1]) > 100 and
                 int(found[2]) > 1000, f"seed {seed}: {text}")


# ---- what the loader hands over -----------------------------------------------


def probe_facts(disk, **settings):
    """Boots the probe; its facts as {name: [list of values, ...]}."""
    with Guest(disk, ["-vga", "std"], **settings) as guest:
        status = guest.wait()
        text = plain(guest.text)
    facts = {}
    for line in text.partition("\nprobe\n")[2].splitlines():
        name, _, rest = line.partition(" ")
        facts.setdefault(name, []).append(rest)
    return status, facts, text


def check_handover():
    rng = os.urandom
    modules = [write("words.txt", rng(100001)), write("empty", b""), write("Größe π.bin", rng(3 * MIB))]
    line = "GOMAXPROCS=2 x=\"q\" -- one two"
    disk = image("probe", PROBE, line, modules)
    for mem in ("256M", "6G"):
        status, facts, text = probe_facts(disk, mem=mem)
        if not report.check(f"probe runs, {mem}", status == PROBE_STATUS and "end" in facts, (status, text[-3000:])):
            continue

        def one(name):
            return int(facts[name][0], 16)

        ranges = [[int(w, 16) for w in r.split()] for r in facts["mem"]]

        def inside(base, size, kind):
            return any(b <= base and base + size <= b + n and t == kind for b, n, t in ranges)

        start, info = one("start"), one("info")
        report.check(f"{mem}: magic, door, no cut", one("magic") == 0x31544f474e49 and one("door") == 2 and
                     one("flags") == 0, facts)
        # The text segment is linked at 0x101000; the image moves by 2 MiB steps.
        report.check(f"{mem}: image moved by a multiple of 2 MiB below 4 GiB",
                     (start - 0x101000) % (2 * MIB) == 0 and start < 1 << 32, hex(start))
        report.check(f"{mem}: data and bss", one("bss") == 0 and one("data") == 0x1234, facts)
        report.check(f"{mem}: interrupts off, direction up, stack aligned as in a call",
                     one("rflags") & 0x600 == 0 and one("rsp") % 16 == 8, facts)
        report.check(f"{mem}: kernel, boot_info, tables, stack are reserved", all(
            inside(base, size, RESERVED) for base, size in (
                (start - 0x1000, 0x3000 + 3 * MIB), (info, one("infosize")), (one("cr3"), 4096),
                (one("rsp") - 64, 64))), facts)
        report.check(f"{mem}: map is sorted, without overlap, below its bound", len(ranges) <= 256 and all(
            a[0] + a[1] <= b[0] for a, b in zip(ranges, ranges[1:])), ranges)
        usable = sum(n for _, n, t in ranges if t == USABLE)
        size = {"256M": 256, "6G": 6144}[mem] * MIB
        report.check(f"{mem}: nearly all memory is usable", size * 0.9 < usable < size, usable / MIB)
        report.check(f"{mem}: ACPI root pointer", inside(one("rsdp"), 36, ACPI), facts)
        base, size, width, height, pitch, _ = [int(w, 16) for w in facts["fb"][0].split()]
        report.check(f"{mem}: framebuffer", base and 640 <= width <= pitch // 4 and height >= 480 and
                     pitch * height <= size, facts["fb"])
        report.check(f"{mem}: command line", facts["cmdline"][0] == line, facts["cmdline"])
        got = [m.split(" ", 3) for m in facts.get("module", [])]
        good = len(got) == len(modules)
        for path, (at, length, total, name) in zip(modules, got):
            with open(path, "rb") as f:
                data = f.read()
            good = good and name == os.path.basename(path) and int(length, 16) == len(data) and \
                int(total, 16) == sum(data) and (not data or inside(int(at, 16), len(data), RESERVED))
        report.check(f"{mem}: modules whole, in order, reserved", good, got)


# ---- apps on each disk ------------------------------------------------------------


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "return" in answer or "error" in answer:
                return answer

    def wait_event(self, name):
        while True:
            line = self.file.readline()
            if not line or json.loads(line).get("event") == name:
                return line


def pixels_of(ppm):
    """width, height and the RGB bytes of a binary PPM's bytes."""
    found = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", ppm)
    return int(found[1]), int(found[2]), ppm[found.end():]


def check_disks():
    disk = image("hello", built("hello"), "-- from uefi")
    for kind in ("virtio", "ahci", "nvme", "usb"):
        for smp in (1, 4) if kind == "virtio" else (2,):
            with Guest(disk, disk=kind, smp=smp, mem="256M") as guest:
                status = guest.wait()
                text = plain(guest.text)
            report.check(f"hello from {kind}, {smp} cores", status == 0 and re.search("hello", text, re.I),
                         f"status {status} {text[-1500:]}")


def screen(disk, name, last, event=None, **settings):
    """Boots disk, waits for `last` on the console, then for the machine's event
    if any, then until the screen changes no more, and looks at the framebuffer:
    the pixel rows with text on them, the rows there are, the console's text.
    Leaves build/test/uefi-NAME.png."""
    path = f"{TMP}/qmp"
    with Guest(disk, ["-vga", "std", "-no-shutdown", "-qmp", f"unix:{path},server=on,wait=off"], mem="256M",
               **settings) as guest:
        qmp = Qmp(path)
        guest.expect(last)
        if event:
            qmp.wait_event(event)
        before, now = None, b""
        while before != now:
            before = now
            time.sleep(0.5)
            qmp.command("screendump", filename=f"{TMP}/screen.ppm", format="ppm")
            with open(f"{TMP}/screen.ppm", "rb") as f:
                now = f.read()
        os.makedirs(f"{ROOT}/build/test", exist_ok=True)
        qmp.command("screendump", filename=f"{ROOT}/build/test/uefi-{name}.png", format="png")
        qmp.command("quit")
        guest.wait()
        text = plain(guest.text)
    width, height, data = pixels_of(now)
    row = 3 * width
    # The last row is blank, whatever the background is.
    background = data[-3:] * width
    return sum(data[y * row:(y + 1) * row] != background for y in range(height)), height, text


def check_screen():
    """The kernel's text stands on the framebuffer, also when all goes wrong."""
    # After power-off, with the machine kept by -no-shutdown.
    rows, height, text = screen(image("screen", built("hello")), "hello", "(?i)hello", "SHUTDOWN")
    # A line of text has at least 7 pixel rows with something on them.
    report.check("text on the framebuffer", 7 <= rows < 40, f"{rows} of {height} rows with text\n{text[-800:]}")

    disk = image("fault", built("faults"), "panic=halt -- opcode")
    rows, height, text = screen(disk, "fault", r"(?s)invalid opcode.*faults\.c:\d+")
    lines = len(text.partition("pokes opcode")[2].strip().splitlines())
    report.check("exception on the framebuffer", lines > 3 and 7 * lines <= rows < height,
                 f"{rows} of {height} rows with text\n{text[-1500:]}")


def check_wordcount():
    """A module through the UEFI door: the same table as through PVH."""
    text = "/usr/share/common-licenses/GPL-3"
    with Guest(image("wordcount", built("wordcount"), modules=[text]), mem="256M") as guest:
        status = guest.wait()
        table = plain(guest.text)
    done = boot(built("wordcount"), mem="256M", file=text)
    report.check("wordcount as by PVH", status == 0 == done.status and len(done.text) > 1000 and
                 table.endswith(done.text), (status, table[-500:], done))


# ---- what can be wrong ---------------------------------------------------------------


def patched(data, at, form, value):
    changed = bytearray(data)
    struct.pack_into(form, changed, at, value)
    return bytes(changed)


def check_bad_inputs():
    with open(PROBE, "rb") as f:
        elf = f.read()
    kernel = "/EFI/INGOT/KERNEL.ELF"
    phoff = struct.unpack_from("<Q", elf, 32)[0]
    text, data = phoff + 56, phoff + 112
    modules = [write(f"module{i}", b"x") for i in range(8)]

    # Each case has its own files: two run at a time.
    def replace(content):
        return lambda disk: mtool("mcopy", disk, "-o", write(os.path.basename(disk) + ".new", content), f"::{kernel}")

    def add(where, name, content):
        return lambda disk: mtool("mcopy", disk, write(os.path.basename(disk) + ".new", content),
                                  f"::/EFI/INGOT/{where}{name}")

    def config(content):
        return lambda disk: mtool("mcopy", disk, "-o", write(os.path.basename(disk) + ".conf", content), f"::{CONFIG}")

    cases = (
        ("missing kernel", lambda disk: mtool("mdel", disk, f"::{kernel}"), r"KERNEL\.ELF: no such file"),
        ("empty kernel", replace(b""), r"KERNEL\.ELF: is shorter than an ELF header"),
        ("truncated ELF header", replace(elf[:40]), r"KERNEL\.ELF: is shorter than an ELF header"),
        ("truncated kernel", replace(elf[:0x1100]),
         r"program header 1 reaches past the end of the file"),
        ("no ELF file", replace(b"#!/bin/sh\n" * 20), r"KERNEL\.ELF: is not an ELF file"),
        ("segment outside the file", replace(patched(elf, data + 8, "<Q", 2**64 - 4)),
         r"program header 2 reaches past the end .* = 0xfffffffffffffffc"),
        ("segment that wraps", replace(patched(elf, data + 24, "<Q", 2**64 - 4096)),
         r"program header 2 wraps around"),
        ("entry outside", replace(patched(elf, 24, "<Q", 0x200000)), r"entry .* = 0x200000"),
        ("segments that overlap", replace(patched(elf, text + 24, "<Q", 0x102000)),
         r"program header 2 overlaps"),
        ("kernel larger than memory", replace(patched(elf, data + 40, "<Q", 900 * MIB)),
         r"KERNEL\.ELF: no \d+ KiB of memory"),
        ("nine modules", add("MODULES/", "ninth", b"y"), r"module ninth: more than 8 modules"),
        ("module name too long", lambda disk: (mtool("mdel", disk, "::/EFI/INGOT/MODULES/module0"), add(
            "MODULES/", "n" * 64, b"y")(disk)), r"name longer than 63 bytes"),
        ("long file of settings", config(b"#" * 4096), r"CONFIG\.TXT: longer than 4095 bytes"),
        ("UTF-16 file of settings", config("GOGC=1\r\n".encode("utf-16")), r"CONFIG\.TXT: NUL byte at offset 3"),
        ("UTF-16 command line", add("", "CMDLINE.TXT", "a=b\r\n".encode("utf-16-le")),
         r"CMDLINE\.TXT: NUL byte at offset 1"),
    )

    def one(case):
        what, spoil, want = case
        disk = image("bad " + what, PROBE, "", modules)
        spoil(disk)
        with Guest(disk, mem="256M") as guest:
            seen = guest.expect("press a key")
            found = re.search(want, plain(guest.text), re.I)
            report.check(f"bad input: {what}", seen and found, plain(guest.text)[-1500:])
            if what == "missing kernel" and seen:
                guest.send(" ")
                report.check("a key goes back to the firmware, with the error",
                             guest.expect(r"(?s)BdsDxe: failed to start.*Not Found"), plain(guest.text)[-800:])

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, cases))


def check_cmdline():
    """Line ends and byte order mark are the editor's, not the command line's."""
    disk = image("cmdline", PROBE)
    mtool("mcopy", disk, write("cmd", b"\xef\xbb\xbfa=b\r\n-- c\r\n\r\n"), "::/EFI/INGOT/CMDLINE.TXT")
    status, facts, text = probe_facts(disk)
    report.check("command line of an editor", status == PROBE_STATUS and facts.get("cmdline") == ["a=b  -- c"], text[-800:])


def check_config():
    """Settings in the image's CONFIG.TXT, below fw_cfg's, below the command line's; kernel/config.c."""
    ends = built("ends")
    fw = ("-fw_cfg", "name=opt/ingot/config,file=" + write("fw", b"-- status 4"))
    for what, line, file, extra, want, words in (
            ("as it is made", "", None, (), 0, ""),
            ("of an editor", "", b"\xef\xbb\xbf# a b\r\n\r\nGOGC=off GOMAXPROCS=1\r\n-- garbage", (), 0, r" 0 cycles"),
            ("below fw_cfg", "", b"-- status 3\n", fw, 4, ""),
            ("below the command line", "-- status 5", b"-- status 3\n", fw, 5, ""),
            ("with a wrong word", "-- status 5", b"GOGC=50\nGOMEMLIMITS=1MiB\n", (), 2,
             r'\\EFI\\INGOT\\CONFIG\.TXT, line 2: "GOMEMLIMITS=1MiB": unknown; the nearest known one is GOMEMLIMIT')):
        disk = image("config", ends, line)
        if file is not None:
            mtool("mcopy", disk, "-o", write("conf", file), f"::{CONFIG}")
        with Guest(disk, extra, mem="512M") as guest:
            status = guest.wait()
            report.check(f"settings in the image: {what}", status == want and re.search(words, plain(guest.text)),
                         (status, plain(guest.text)[-800:]))


def check_reboot():
    """The report of a crash lasts over a reset and the firmware's start; kernel/kept.c."""
    with Guest(image("reboot", built("ends"), "panic=reboot -- panic"), ("-action", "reboot=reset"), mem="256M", smp=1) as guest:
        kept = guest.expect(r"(?s)the last run ended with:\s+panic: boom 42.*ends\.c:\d+.*that was the last run")
        report.check("the report of a crash is there after the reboot", kept, plain(guest.text)[-1500:])


CONFIG = "/EFI/INGOT/CONFIG.TXT"
PROBE = f"{TMP}/probe.elf"
try:
    must("make", "-s", "build/efi/BOOTX64.EFI")
    must("gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-I.", "-ffreestanding", "-fpie", "-mno-red-zone",
         "-mgeneral-regs-only", "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
         "-nostdlib", "-static", "-no-pie", "-Wl,-T,tests/system/probe/probe.ld,--build-id=none,-z,noexecstack",
         "-o", PROBE, "tests/system/probe/probe.c")
    parts = {"file": check_image_file, "mkimage": check_refusals_of_mkimage, "elf": check_elf_code,
             "handover": check_handover, "cmdline": check_cmdline, "config": check_config, "reboot": check_reboot, "bad": check_bad_inputs, "disks": check_disks,
             "wordcount": check_wordcount, "screen": check_screen}
    for part in sys.argv[1:] or parts:
        parts[part]()
finally:
    shutil.rmtree(TMP)
sys.exit(report.end())
