#!/usr/bin/python3 -B
"""apps/wordcount prints what coreutils print, for ordinary and for odd files: handed over
at boot, on a disk, of a web server.

test: limit=600"""
import functools
import http.server
import os
import random
import subprocess
import sys
import tempfile
import threading

from qemu import Report, boot, built

report = Report("wordcount")
PIPE = r"""tr -cs A-Za-z '\n' <"$1" | tr A-Z a-z | sort | uniq -c | sort -rn"""


def expected(path, lines=None):
    out = subprocess.run(["sh", "-c", PIPE + (f" | head -n {lines}" if lines else ""), "sh", path],
                         env=dict(os.environ, LC_ALL="C"), stdout=subprocess.PIPE, check=True).stdout
    return out.decode("latin-1")


def case(what, path, lines=None, source="", extra=(), **settings):
    settings = {"mem": "128M", "smp": 2, **settings}
    if source or lines:
        settings["args"] = f"{source} {lines or ''}".strip()
    if not source:
        settings["file"] = path
    done = boot(built("wordcount"), extra, **settings)
    want = expected(path, lines)
    good = done.status == 0 and done.text == want
    evidence = done
    if not good and done.status == 0:
        pairs = zip(want.splitlines() + [None], done.text.splitlines() + [None])
        evidence = "first difference (wanted, printed): " + str(next(((a, b) for a, b in pairs if a != b), "in length"))
    report.check(what, good, evidence)


rng = random.Random(2)
letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
words = ["".join(rng.choices(letters, k=rng.randint(1, 12))) for _ in range(3000)]
text = "".join(rng.choice(words) + rng.choice([" ", "\n", ", ", ".\n", "'s ", "-"]) for _ in range(200000)).encode()
FILES = {
    "zero length": b"",
    "one letter": b"x",
    "no letter": b"123 \n\n 456",
    "only newlines": b"\n" * 70000,
    "no newline at the end": b"one two two three three three",
    "begins with a space": b"  a b a",
    "NUL bytes": b"one\0two\0\0two\n\0" * 1000,
    "invalid UTF-8": b"caf\xc3\xa9 na\xefve \xff\xfe \xc3( x\x80y " * 500,
    "every byte": bytes(range(256)) * 300,
    "random bytes": rng.randbytes(300000),
    "one word of 600,000 letters": b"a" * 600000 + b" b",
    "words across every piece": (b"abcdefg " * 200000)[3:],
    "capitals": b"The THE the tHe",
    "generated text": text,
}
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "text.txt")
    for what, content in FILES.items():
        with open(path, "wb") as f:
            f.write(content)
        case(what, path)
    for smp in (1, 4):
        case(f"generated text on {smp} cores", path, lines=100, smp=smp)
    case("generated text on microvm", path, lines=100, machine="microvm")
    case("generated text on qemu64", path, lines=100, cpu="qemu64")
    case("generated text with a collection now and then", path, lines=100, gogc=10)
    with open(path, "wb") as f:
        for _ in range(12):
            f.write(text)
    case("20 MB on 4 cores", path, lines=50, smp=4)
    case("the license", "/usr/share/common-licenses/GPL-3")
    # The same on disks: all of it is text, and the file ends within a block.
    for what, device, machine in (("virtio-blk", "virtio-blk-pci,drive=d", "q35"), ("NVMe", "nvme,drive=d,serial=1", "q35"),
                                  ("virtio-blk, mmio", "virtio-blk-device,drive=d", "microvm")):
        case(f"20 MB on {what}", path, lines=50, source="disk", machine=machine,
             extra=["-drive", f"if=none,id=d,format=raw,readonly=on,file={path}", "-device", device])

    # And of a web server: with its length, and without.
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://10.0.2.2:{server.server_address[1]}"
    net = ["-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n"]
    case("20 MB of a web server", path, lines=50, source=f"{url}/text.txt", extra=net)
    for what, source, extra, message in (
            ("no such page", f"{url}/none", net, f"{url}/none: 404 File not found"),
            ("no web server", "http://10.0.2.2:1/", net, "connection refused"),
            ("no disk", "disk", (), "there is no disk"),
            ("a disk larger than the memory", "disk", ("-drive", "if=none,id=d,driver=null-co,size=1G", "-device",
             "virtio-blk-pci,drive=d"), "the disk has more bytes"),
            ("a disk that fails", "disk", ("-drive", f"if=none,id=d,format=raw,file=blkdebug::{path},file.inject-error.0.event=none,"
             "file.inject-error.0.iotype=read,file.inject-error.0.errno=5,rerror=report", "-device", "virtio-blk-pci,drive=d"),
             "disk: input/output error"),
            ("an unknown argument", "dsk", (), "usage: wordcount [disk | http://HOST/PATH] [LINES]")):
        done = boot(built("wordcount"), extra, args=source, mem="128M")
        report.check(f"{what}: says so", done.status == 2 and message in done.text, done)
    server.shutdown()
done = boot(built("wordcount"))
report.check("no file: says so", done.status not in (0, None, 125) and "FILE" in done.text, done)
sys.exit(report.end())
