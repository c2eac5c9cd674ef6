#!/usr/bin/python3 -B
"""A pointer to freed memory that a program stores is found: junk fill and the verifier.

tests/system/guest/gcbugs has the programs.  As Linux processes with assertions, and
booted."""
import os
import re
import subprocess
import sys

from qemu import ROOT, Report, boot

GODEBUG = "junkfill=1"
PROGRAM = "build/nasty/app/gcbugs/gcbugs"


def hosted(what):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env["GODEBUG"] = GODEBUG
    done = subprocess.run([f"{ROOT}/{PROGRAM}", what], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def booted(what):
    done = boot(f"{ROOT}/build/mnasty/app/gcbugs.elf", smp=2, args=what, godebug=GODEBUG)
    return done.status, done.text


def main():
    report = Report("gcbugs")
    if not report.builds(PROGRAM, "build/mnasty/app/gcbugs.elf"):
        return report.end()
    for where, run in (("hosted", hosted), ("booted", booted)):
        status, text = run("read")
        report.check(f"{where}: freed memory is junk", status == 0 and "reads db db\n" in text, text[-2000:])
        for what in ("store", "large"):
            # A stale word of a stack may keep what is hidden alive: then there is no bug to find.
            for _ in range(5):
                status, text = run(what)
                if status != 0:
                    break
            found = re.search(r"^holder (0x\w+) freed (0x\w+)$", text, re.M)
            wanted = found and re.search(rf"^fatal error: gc_verify_heap: object {found[1]} of 24 bytes holds at \+16 "
                                         rf"a pointer to freed memory, {found[2]}$", text, re.M)
            report.check(f"{where}: {what}", status == 2 and wanted, f"status {status}\n{text[-2000:]}")
        status, text = run("end")
        report.check(f"{where}: the end of an object is none", status == 0 and "nothing found" in text, text[-2000:])
    return report.end()


sys.exit(main())
