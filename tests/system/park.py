#!/usr/bin/python3 -B
"""Stacks at scale: what a parked task takes, everything counted, that it comes
back, how deep one can go, and what is said when it is too many or too deep."""
import os
import re
import sys

from qemu import Report, boot, built

report = Report("park")
park = built("park")
LIMIT = 2300   # bytes: stack, struct g, their share of page tables; Go: 2,750
REMAINS = 450  # of an ended task: struct g, page tables


def case(what, status, *patterns, **settings):
    done = boot(park, **{"panic": "exit", "godebug": "stackfreeze=0", **settings})
    missing = [p for p in patterns if not re.search(p, done.text)]
    report.check(what, done.status == status and not missing, f"wanted status {status} and {missing}; got {done}")


def bytes_each(what, n, **settings):
    done = boot(park, args=str(n), godebug="stackfreeze=0", **settings)
    each = [int(x) for x in re.findall(r"bytes_each (\d+)", done.text)]
    report.check(what, done.status == 0 and len(each) == 2 and each[0] <= LIMIT and each[1] <= REMAINS,
                 f"{each}, limits {LIMIT} and {REMAINS}: {done}")


bytes_each("100,000 tasks, 2,300 bytes each, and back", 100000, mem="512M")
bytes_each("the same on two cores", 100000, mem="512M", smp=2)
bytes_each("a million in 2.5 GiB", 1000000, mem="2560M", limit=400)

case("64 MiB deep, beside ten thousand tasks", 0, r"came back from \d{5} frames", args="below 0", mem="256M", smp=2)
case("1 GiB deep on request", 0, r"came back from \d{6,} frames", args="below 1073741824", mem="1400M")
for n, mem in ((0, "256M"), (1 << 20, "256M"), (1 << 30, "1400M")):
    case(f"past a limit of {n or 64 << 20} bytes", 2, f"runtime: goroutine stack exceeds {n or 64 << 20}-byte limit",
         r"fatal error: stack overflow\s+goroutine \d+ \[running\]:\s+down\(", r"created by ingot_main", args=f"deep {n}",
         mem=mem)
case("a million tasks in 64 MiB", 2, r"fatal error: out of memory: no stack for a new goroutine; \d+ goroutines have "
     r"\d+ KiB of stacks, of \d+ KiB", args="fill 1000000", mem="64M")

sys.exit(report.end())
