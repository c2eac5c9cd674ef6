#!/usr/bin/python3 -B
"""The time of day: what the machine's clock says, dates that are easily got
wrong, machines without a clock, and what QEMU without KVM does not have.

test: limit=200"""
import calendar
import os
import re
import subprocess
import sys
import time

from qemu import ROOT, Report, boot, built

report = Report("walltime")


def unix(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


def look(what, extra, begin, **settings):
    """Boots and compares: the clock began at `begin` when QEMU started (None:
    it is now, and goes with this machine's)."""
    before = time.time()
    done = boot(built("walltime"), extra, boot="kernel=verbose", **settings)
    after = time.time()
    found = re.search(r"unix (-?\d+) to (-?\d+) ns, up (\d+) to (\d+) ns, 0 times back", done.text)
    good = done.status == 0 and found is not None
    if good:
        lo, hi = int(found[1]) / 1e9, int(found[2]) / 1e9
        # The middle of the second is what is shown.
        first, last = (before - 0.6, after + 0.6) if begin is None else (begin - 0.1, begin + 0.6 + after - before)
        good = first <= lo <= hi <= last
    report.check(what, good, f"expected {begin}\n{done}")
    return done


# The middle of every century's trouble; PVH on q35 with its century register.
for date in ("2001-09-09T01:46:40", "1970-01-01T00:00:00", "1999-12-31T23:59:59", "2000-02-29T12:00:00",
             "2000-02-28T23:59:59", "2004-02-29T23:59:59", "2023-02-28T23:59:59", "2026-12-31T23:59:59",
             "2038-01-19T03:14:07", "2069-12-31T11:59:59", "2070-01-01T12:00:00", "2099-12-31T23:59:59",
             "2100-02-28T23:59:59", "2100-03-01T00:00:00", "2261-12-31T00:00:00"):
    look(f"q35 {date}", ("-rtc", f"base={date},clock=vm"), unix(date))
done = look("microvm", ("-rtc", "base=2001-09-09T01:46:40"), 1000000000, machine="microvm")
report.check("microvm: by CMOS", "time of day by CMOS" in done.text, done)
look("now", ("-rtc", "base=utc"), None, smp=4)
for date in ("2262-01-01T00:00:00", "2500-01-01T00:00:00"):
    done = look(f"{date} cannot be told", ("-rtc", f"base={date},clock=vm"), 0)
    report.check(f"{date}: says so", "the CMOS clock shows no date: the time of day begins at 1970" in done.text, done)

# Machines without.
done = look("microvm without a clock", ("-machine", "rtc=off"), 0, machine="microvm")
report.check("without a clock: says so, once",
             done.text.count("this machine has no clock: the time of day begins at 1970-01-01") == 1, done)

# What cannot be had here: KVM's clock against a hypervisor of a few lines, CMOS
# clocks of other habits.
binary = os.path.join(ROOT, "build/test/wallclock")
os.makedirs(os.path.dirname(binary), exist_ok=True)
made = subprocess.run(["gcc", "-std=gnu17", "-g", "-O1", "-Wall", "-Wextra", "-fsanitize=address,undefined",
                       "-fno-sanitize-recover", "-I.", "-o", binary, "tests/system/wallclock_test.c"],
                      cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
if report.check("wallclock_test.c builds", made.returncode == 0, made.stdout):
    ran = subprocess.run([binary], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    report.check("KVM's clock, odd CMOS clocks", ran.returncode == 0, ran.stdout)

sys.exit(report.end())
