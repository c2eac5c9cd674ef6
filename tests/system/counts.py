#!/usr/bin/python3 -B
"""Executed instructions per operation, exact: tests/bench booted with -icount.

    counts.py            compares with tests/bench/counts.txt, within 2 % (interrupts 5) (a test)
    counts.py --print    prints the table
    counts.py --update   writes the table that is committed

test: limit=400

With -icount shift=0,sleep=off a virtual nanosecond is one instruction, so the
benchmark's ns/op are instructions, repeatable to the digit."""
import os
import sys

from qemu import ROOT, Report, boot, built

TABLE = os.path.join(ROOT, "tests/bench/counts.txt")
# Cores; milliseconds of a sample: an allocation's must be long enough for its
# collections, a map's for its growth; names.  Those in ticks take their own time.
SETS = ((1, 2, ("yield", "chan_pingpong", "chan_buffered", "chan_fanin_8", "spawn", "spawn_join", "fib", "select_2ready",
                "select_4_blocking", "mutex_uncontended", "mutex_contended", "rwmutex_read", "waitgroup", "cond_pingpong",
                "time_now",
                "timer_create_stop", "timer_reset",
                "timer_among_1e2", "timer_among_1e4", "timer_among_1e6", "sleep_among_1e2", "sleep_among_1e4", "sleep_among_1e6",
                "preempt_switch", "timer_irq", "map_get_int_16", "defer_return", "panic_recover")),
        (2, 2, ("wake_core",)),
        (1, 50, ("alloc_8_tiny", "alloc_16_noscan", "alloc_16_ptr", "alloc_64", "alloc_64_ptr", "alloc_1k", "append_16",
                 "string_concat")))


def count():
    """{name: instructions}, and the boots' evidence."""
    found, evidence = {}, ""
    for smp, sample, names in SETS:
        # Several cores take turns in one thread: the clock counts the instructions of all.
        done = boot(built("bench"), ["-icount", "shift=0,sleep=off"], limit=300, accel="tcg,thread=single", machine="microvm",
                    smp=smp, args=f"-q 1 -s {sample} -r 1 {' '.join(names)}")
        evidence += str(done)
        for line in done.text.splitlines():
            words = line.split()
            if len(words) == 5 and words[0] in names:
                found[words[0]] = float(words[1])
    return found, evidence


# Where in its loop an interrupt finds the core, and how far off the deadline is,
# differs from image to image; a map's seed decides which of its keys collide.
LOOSE = {"timer_irq": 5, "preempt_switch": 5, "map_get_int_16": 10}


def main():
    found, evidence = count()
    table = "".join(f"{name:20} {value:10.1f}\n" for name, value in found.items())
    if "--print" in sys.argv or "--update" in sys.argv:
        print("instructions per operation; wake_core: of both cores\n" + table, end="")
        if "--update" in sys.argv:
            with open(TABLE, "w", encoding="utf-8") as f:
                f.write(table)
        return 0 if found else 1
    report = Report("counts")
    with open(TABLE, encoding="utf-8") as f:
        for line in f:
            name, value = line.split()
            now = found.get(name)
            percent = LOOSE.get(name, 2)
            report.check(f"{name} within {percent} % of {value}",
                         now is not None and abs(now / float(value) - 1) <= percent / 100,
                         f"now {now}; if that is meant: make counts UPDATE=1\n{evidence if now is None else ''}")
    return report.end()


sys.exit(main())
