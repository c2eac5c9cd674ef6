#!/usr/bin/python3 -B
"""Timers in numbers: tickers that nobody stopped and nobody can reach leave
neither memory nor interrupts; many tasks sleep at once.

test: limit=200"""
import re
import sys

from qemu import Report, boot, built

report = Report("timers")

# A deadlock is reported when no timer is left in any heap.
for smp in (1, 4):
    done = boot(built("timers"), smp=smp, mem="128M", args="dropped 100000")
    found = re.search(r"(\d+) bytes before, (\d+) with tickers and garbage, (\d+) left", done.text)
    report.check(f"{smp} cores: 100,000 running tickers are garbage", found and int(found[3]) - int(found[1]) < 50000, done)
    report.check(f"{smp} cores: and no timer is left", done.status == 2 and
                 "fatal error: all goroutines are asleep - deadlock!" in done.text, done)
done = boot(built("timers"), mem="128M", args="kept 1000")
report.check("a function's timer fires", done.status == 0 and "fired" in done.text, done)

for smp in (1, 4):
    done = boot(built("timers"), smp=smp, mem="512M", args="sleepers 50000")
    report.check(f"{smp} cores: 50,000 sleepers", done.status == 0 and "; 0 early, 0 out of order" in done.text, done)

sys.exit(report.end())
