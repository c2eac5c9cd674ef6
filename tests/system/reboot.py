#!/usr/bin/python3 -B
"""Reboot after a crash: with a delay, and with the report kept for the next boot to print
(kernel/kept.c); by a watchdog (drivers/i6300esb.c).  By UEFI: uefi.py."""
import os
import re
import struct
import sys
import tempfile
import time

from qemu import Guest, Report, boot, built

report = Report("reboot")
AGAIN = ("-action", "reboot=reset")  # what tests/qemu.sh's -no-reboot takes away
MAGIC, ROOM = 0x7065b420746f676e, 2 * 4096 - 16
KEPT = r"the last run ended with:\r?\n((?s:.*?))ingot: that was the last run"


def lines(found, group=1):
    return found[group].decode().replace("\r", "").splitlines() if found else None


for machine, extra in (("microvm", ()), ("q35", ()), ("q35", ("-machine", "pc"))):
    with Guest(built("ends"), (*AGAIN, *extra), machine=machine, mem="64M", panic="reboot", args="panic") as guest:
        first = guest.expect(r"(?s)panic: boom 42.*?ends\.c:\d+.*?(?=ingot:)")
        kept = guest.expect(KEPT)
        report.check(f"the report of a panic is there after the reboot, {' '.join((machine, *extra))}",
                     first and b"last run" not in first[0] and lines(first, 0) == lines(kept), guest.text[-2000:])

with Guest(built("ends"), AGAIN, machine="microvm", mem="64M", panic="reboot:2", args="abort") as guest:
    seen = guest.expect(r"ingot: reboot in 2 s")
    began = time.monotonic()
    kept = lines(guest.expect(KEPT))
    report.check("a reboot after a delay", seen and kept and time.monotonic() - began > 1.8 and
                 any("abort" in line for line in kept) and not any("reboot in" in line for line in kept), guest.text[-2000:])

# What ends well leaves none.
with Guest(built("ends"), AGAIN, machine="microvm", mem="64M", panic="reboot",
           args="exit 0") as guest:
    status = guest.wait()
    report.check("an end that is no crash", status == 0 and "last run" not in guest.text, guest.text[-500:])

# The watchdog ends a run that hangs, on one core or on one of two, and only such a one.
DOG = ("-device", "i6300esb")
for machine, smp in (((), 1), ((), 2), (("-machine", "pc"), 1)):
    with Guest(built("ends"), (*AGAIN, *DOG, *machine), mem="64M", smp=smp, boot="watchdog=2s", args="hang") as guest:
        seen = guest.expect(r"watchdog resets this machine when it hangs for 2 s\s+hangs\s+ingot: the last run hung: the watchdog ended it")
        report.check(f"the watchdog resets, {' '.join(('q35', *machine))}, {smp} cores", seen, guest.text)
# The guest's time is what it executes and what it sleeps: 100 s pass at once.
done = boot(built("ends"), (*DOG, "-icount", "shift=0,sleep=off"), mem="64M", smp=1, accel="tcg", boot="watchdog=2s", args="sleep 100")
report.check("the watchdog is fed", done.status == 0 and done.seconds < 100, done)
done = boot(built("ends"), DOG, mem="64M", boot="watchdog=60s", args="deadlock")
report.check("a deadlock is seen in spite of its feeder", done.status == 2 and "deadlock!" in done.text, done)
for machine in ("q35", "microvm"):
    done = boot(built("ends"), machine=machine, mem="64M", boot="watchdog=2s", args="exit 3")
    report.check(f"no watchdog where one is wanted, {machine}", done.status == 3 and
                 "watchdog=2s: there is no I6300ESB on PCI bus 0; nothing resets this machine" in done.text, done)
for word in ("0s", "2", "s", "", "2001s", "10m", "5ss"):
    done = boot(built("ends"), machine="microvm", mem="64M", boot=f"watchdog={word}")
    report.check(f"watchdog={word}", done.status == 2 and f'"watchdog={word}": watchdog is a number of seconds' in done.text, done)

# Records in all states, where the kernel looks for its own.
done = boot(built("hello"), machine="microvm", mem="64M", boot="kernel=verbose")
place = re.search(r"kept: reports of crashes at (0x[0-9a-f]+)", done.text)
report.check("says where reports are kept", place, done)


def record(text, magic=MAGIC, length=None, add=0):
    length = len(text) if length is None else length
    total = length
    for c in text:
        total = total * 31 + c & 0xffffffff
    return struct.pack("<QII", magic, length, total + add & 0xffffffff) + text


GOOD = b"panic: of old\n" * 3
with tempfile.TemporaryDirectory() as folder:
    for what, content, shown in (
            ("whole", record(GOOD), True),
            ("as long as can be", record(b"panic: of old\n" + b"x" * (ROOM - 15) + b"\n"), True),
            ("empty", record(b""), True),
            ("another magic", record(GOOD, magic=MAGIC ^ 1), False),
            ("another checksum", record(GOOD, add=1), False),
            ("one bit of the text", record(GOOD)[:-1] + b"\x0b", False),
            ("longer than can be", record(GOOD + b"x" * (ROOM - len(GOOD) + 1)), False),
            ("a length beyond memory", record(GOOD, length=0xffffffff), False),
            ("noise", os.urandom(8192), False)):
        path = os.path.join(folder, "record")
        with open(path, "wb") as f:
            f.write(content)
        done = boot(built("hello"), ("-device", f"loader,file={path},addr={place[1]},force-raw=on"), machine="microvm",
                    mem="64M", boot="kernel=verbose")
        found = re.search(KEPT, done.text)
        report.check(f"a record: {what}", done.status == 0 and "hello" in done.text and bool(found) == shown and
                     (not shown or found[1].encode() == content[16:]), done)

for word in ("reboot:", "reboot:x", "reboot:-1", "reboot:86401", "reboot:1s", "reboots", "rebot"):
    done = boot(built("hello"), machine="microvm", mem="64M", panic=word)
    report.check(f"panic={word}", done.status == 2 and f'"panic={word}": panic is halt, reboot, reboot:SECONDS or exit' in done.text,
                 done)
sys.exit(report.end())
