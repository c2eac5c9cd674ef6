#!/usr/bin/python3 -B
"""Frozen tasks (rt/freeze.c) on a booted image: what they cost, and how reports show them."""
import re
import sys

from qemu import Report, boot, built

report = Report("frozen")
frozen = built("frozen")


def case(what, status, *patterns, without=(), **settings):
    done = boot(frozen, **{"mem": "64M", "panic": "exit", "limit": 120, **settings})
    missing = [p for p in patterns if not re.search(p, done.text)] + [p for p in without if re.search(p, done.text)]
    report.check(what, done.status == status and not missing, f"wanted status {status} and {missing}; got {done}")
    return done


TASK = r"(?s)\[chan receive.*wait_here\(.*frozen\.c:\d+.*created by freeze_waiters"
case("a deadlock of frozen tasks is found, and each is shown", 2, r"frozen, all",
     r"all goroutines are asleep - deadlock!", TASK, args="deadlock")
case("a compactor that would look again keeps no deadlock from being found", 2, r"frozen, all", r"deadlock!",
     args="deadlock 2000", smp=2)
case("a dump shows frozen tasks and leaves them frozen", 0, TASK, r"thaws 0\b", args="dump", smp=2)
case("a panic among frozen tasks", 2, r"panic: boom", args="panic", smp=2)
case("frozen tasks that need more memory than there is", 2, r"frozen, all",
     r"fatal error: out of memory \(thawing a stack\)", r"goroutine \d+ \[running\]", r"ingot_main\(",
     args="wake 36000", smp=2)
case("frozen tasks wake, and their copies are freed", 0, r"woken, frozen 0 in 0 bytes", args="wake 5000", smp=4)
case("tasks that stay parked are frozen", 0, r"^frozen|\nfrozen", args="alone 4000", godebug="stackfreeze=50")
case("GODEBUG=stackfreeze=0", 0, r"none", args="alone 4000", godebug="stackfreeze=0")
done = case("memory of 100,000 parked tasks", 0, r"parked", args="memory 100000", mem="1G", smp=1)
found = re.search(r"frozen (\d+), longest", done.text)
report.check("at most 1,000 bytes for each frozen task", found and int(found[1]) <= 1000, done)
sys.exit(report.end())
