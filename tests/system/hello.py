#!/usr/bin/python3 -B
"""apps/hello boots on each machine, CPU model and number of cores, and ends with 0."""
import sys

from qemu import Report, boot, built

report = Report("hello")
for machine in ("q35", "microvm"):
    for cpu in ("max", "qemu64"):
        for smp in (1, 2, 4):
            done = boot(built("hello"), machine=machine, cpu=cpu, smp=smp, mem="64M")
            report.check(f"{machine} {cpu} {smp} cores", done.status == 0 and "hello" in done.text.lower(), done)
    for smp in (8, 64):
        done = boot(built("hello"), machine=machine, smp=smp, mem="256M")
        report.check(f"{machine} {smp} cores", done.status == 0 and "hello" in done.text.lower(), done)
sys.exit(report.end())
