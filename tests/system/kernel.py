#!/usr/bin/python3 -B
"""What the kernel forbids, and how it says so: W^X, address 0, exceptions,
a core that only an NMI can stop, panic= on the command line, least memory."""
import re
import sys

from qemu import Report, boot, built

report = Report("kernel")
faults = built("faults")


def case(what, status, *patterns, **settings):
    done = boot(faults, **{"mem": "32M", "machine": "microvm", "panic": "exit", **settings})
    missing = [p for p in patterns if not re.search(p, done.text)]
    report.check(what, done.status == status and not missing, f"wanted status {status} and {missing}; got {done}")


case("code is not writable", 2, r"write of read-only memory", r"faults\.c:\d+", args="code")
case("constants are not writable", 2, r"write of read-only memory", args="constant")
case("data is not executable", 2, r"execute of non-executable memory", args="data")
case("stacks are not executable", 2, r"execute of non-executable memory", args="stack")
case("the heap is not executable", 2, r"execute of non-executable memory", args="heap")
case("call of nil", 2, r"nil pointer dereference", args="null")
case("invalid opcode", 2, r"invalid opcode", r"faults\.c:\d+", args="opcode")
case("non-canonical address", 2, r"general protection fault", args="noncanonical")
case("breakpoint", 2, r"breakpoint", args="breakpoint")
case("lost stack pointer", 2, r"unmapped address 0x12338", args="lostsp")
for machine in ("q35", "microvm"):
    case(f"{machine}: a core with interrupts off is stopped and shown", 2, r"invalid opcode", r"stuck",
         args="opcode with", machine=machine, smp=3)
case("panic=reboot", 0, r"invalid opcode", args="opcode", panic="reboot", machine="q35")
case("bad panic=", 2, r"panic=never", args="opcode", panic="never")

# The least that works is named, and it does work.
for smp in (1, 4):
    done = boot(faults, machine="microvm", mem="1500k", smp=smp, args="opcode")
    found = re.search(r"too little memory: .* at least (\d+) MiB", done.text)
    report.check(f"{smp} cores in 1500 KiB: message", done.status == 2 and found, done)
    if found:
        done = boot(faults, machine="microvm", mem=f"{found[1]}M", smp=smp, args="opcode")
        report.check(f"{smp} cores in {found[1]} MiB: works", "pokes opcode" in done.text, done)
sys.exit(report.end())
