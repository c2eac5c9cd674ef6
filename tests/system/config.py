#!/usr/bin/python3 -B
"""Settings from QEMU's fw_cfg below those of the command line, and what is wrong in them;
the file on a disk image is uefi.py's."""
import os
import re
import sys
import tempfile

from qemu import Report, boot, built

report = Report("config")
ends = built("ends")
folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "config")


def case(what, content, status, words="", **settings):
    with open(path, "wb") as f:
        f.write(content)
    extra = ("-fw_cfg", f"name=opt/ingot/config,file={path}", *settings.pop("extra", ()))
    done = boot(ends, extra, **{"mem": "64M", "machine": "microvm", "smp": 1, **settings})
    report.check(what, done.status == status and re.search(words, done.text), f"wanted {status} and {words}; got {done}")


FILE = b"# a comment: GOGC=50\n\n  # GOGC=40\nGOGC=off GOMAXPROCS=1\n\t-- garbage\n"
for machine, extra in (("microvm", ()), ("q35", ()), ("q35", ("-machine", "pc"))):
    case(f"settings and arguments, {' '.join((machine, *extra))}", FILE, 0, r" 0 cycles", machine=machine, extra=extra, mem="256M")
case("the command line's settings are above", FILE, 0, r" [1-9]\d* cycles", mem="256M", gogc=100)
case("the command line's arguments are above", b"-- exit 3\nGOGC=50", 4, args="exit 4")
case("lines after the arguments' count", b"-- exit 3\npanic=halt\nGOGC=x", 2, "line 3: .GOGC=x.: GOGC is a percentage")
case("arguments may be quoted", b"-- args 'a  # b' \"c\"", 0, r"arg 2 <a  # b>\s+arg 3 <c>")
case("as another system's editor writes it", b"\xef\xbb\xbfGOGC=50\r\n\r\n# c\r\n-- exit 9\r\n", 9)
case("no newline at the end", b"-- exit 8", 8)
case("a file without settings", b"# all comments", 0)
case("an empty file", b"", 0)
case("the longest", b"#" * 4082 + b"\n   -- exit 7", 7)
for what, content, words in (
        ("unknown name", b"#\n\nGOGCC=50\n", r'fw_cfg file opt/ingot/config, line 3: "GOGCC=50": unknown; the nearest known one is GOGC\b'),
        ("bad number", b"GOMAXPROCS=0x2", r'line 1: "GOMAXPROCS=0x2": GOMAXPROCS is a number'),
        ("bad word", b"GODEBUG=gctracer=1", r'line 1: "GODEBUG=gctracer=1": unknown; the nearest known one is gctrace\b'),
        ("no value", b"GODEBUG", r'line 1: "GODEBUG": GODEBUG needs a value'),
        ("blanks about the sign", b"GOGC = 50", r'line 1: "GOGC": GOGC is a percentage'),
        ("given twice", b"GOGC=50\nGOMAXPROCS=1\nGOGC=60\n", r'line 3: "GOGC=60": given twice in this file'),
        ("arguments given twice", b"-- a\n-- b\n", r'line 2: "--": given twice in this file'),
        ("open quote", b"-- 'a\nb'\n", r"line 1: .a.: a quote is not closed"),
        ("what only the command line can say", b"module=x", r'line 1: "module=x": .*command line only'),
        ("a word as long as the file", b"x" * 4095, r'line 1: "x{100,}": unknown; the nearest'),
        ("too long", b"#" * 4096, r"fw_cfg file opt/ingot/config: longer than 4095 bytes"),
        ("NUL", b"GOGC=50\n\0", r"fw_cfg file opt/ingot/config: byte 8 is 0x00: settings are plain text"),
        ("UTF-16", "GOGC=50".encode("utf-16-le"), r"byte 1 is 0x00"),
        ("a control character", b"\x01GOGC=50", r"byte 0 is 0x01")):
    case(f"bad: {what}", content, 2, words)
case("a file of another name is not ours", b"", 0, extra=("-fw_cfg", "name=opt/ingot/config2,string=GOGCC=1"))
case("panic=reboot is read early", b"panic=reboot\n", 0, "panic: boom", args="panic")
sys.exit(report.end())
