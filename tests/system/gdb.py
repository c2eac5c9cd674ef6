#!/usr/bin/python3 -B
"""kernel/gdb.py: gdb on a guest that was stopped from outside, while its tasks run, wait
in several ways, and are frozen: lists them with their states and stacks, the Ps, the spans."""
import re
import subprocess
import sys

from qemu import ROOT, Guest, Report, built, free_port

report = Report("gdb")
image = built("dump")
port = free_port()


def gdb(image, *commands):
    """What gdb prints in batch mode."""
    words = ["gdb", "-nx", "-batch", image, "-ex", "set pagination off", "-ex", "set confirm off", "-x", f"{ROOT}/kernel/gdb.py",
             "-ex", f"target remote 127.0.0.1:{port}"]
    for c in commands:
        words += ["-ex", c]
    done = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120, check=False)
    return done.stdout


with Guest(image, extra=["-gdb", f"tcp:127.0.0.1:{port}"], args="loops 2", smp=2, godebug="stackfreeze=20",
           limit=200) as guest:
    report.check("the guest runs", guest.expect("looping"), guest.text)
    text = gdb(image, "ingot tasks", "ingot ps", "ingot spans")
    count = re.search(r"^(\d+) tasks$", text, re.M)
    report.check("lists all tasks", count and int(count[1]) >= 1000 + 3 + 2 + 1, text[-1500:])
    states = {s: len(re.findall(rf"^ *\d+ +\S+  {s}\*? ", text, re.M)) for s in ("chan receive", "sleep", "semacquire", "running", "runnable")}
    report.check("by state", states["chan receive"] == 1000 and states["sleep"] >= 3 and
                 1 <= states["running"] + states["runnable"] <= 4, states)
    report.check("and place", len(re.findall(r"chan receive +recv_wait rt/\S+:\d+$", text, re.M)) >= 1000, text[:1500])
    report.check("shows the Ps", re.search(r"^ 0 +\S+ +\S+ +\d+ +\d+$", text, re.M) and re.search(r"^ 1 +\S+ +\S+ +\d+ +\d+$", text, re.M) and
                 "global queue: " in text, text[-1500:])
    spans = re.findall(r"^(\S+(?: noscan)?) +(\d+) +(\d+) +(\d+) +(\d+)$", text, re.M)
    report.check("shows spans by class", len(spans) >= 3 and all(int(s[3]) <= int(s[4]) and int(s[1]) > 0 for s in spans), text[-1500:])

    sleepers = re.findall(r"^ *(\d+) +\S+  sleep  ", text, re.M)
    receiver = re.search(r"^ *(\d+) +\S+  chan receive ", text, re.M)
    looper = re.search(r"^ *(\d+) .*(?:running|runnable) .*tight_loop", text, re.M)
    text = gdb(image, f"ingot bt {receiver[1] if receiver else 0}", f"ingot bt {looper[1] if looper else 0}",
               *(f"ingot bt {s}" for s in sleepers), "ingot tasks sleep")
    stacks = re.split(r"^task ", text, flags=re.M)[1:] + ["", ""]
    report.check("the stack of a task that waits", re.search(
        r"\[chan receive\]\n#0 (?:.*\n)*#\d+ +0x\w+ parked tests/system/guest/dump/\S+:\d+\n(?:.*\n)*started by loops tests/",
        stacks[0]), text[:2000])
    report.check("of one that runs or was preempted", re.search(
        r"\[runn\w+\]\n(?:#.*\n)*?#\d+ +0x\w+ tight_loop tests/system/\S+\n(?:.*\n)*started by loops ", stacks[1]), text[:3000])
    report.check("of those that sleep", len(stacks) >= 6 and sum("sleeper tests/" in one for one in stacks[2:]) == 3, text[:3000])
    report.check("only those of one state", re.search(r"^\d+ tasks$", text, re.M) and "chan receive  " not in text.split("TASK")[-1], text[-500:])
    text = gdb(image, "ingot bt 99999", "ingot bt x", "ingot help")
    report.check("a task that is not there is an error", "there is no task 99999" in text and "the number of a task" in text, text)
    report.check("and the guest goes on", guest.process.poll() is None, guest.text[-300:])

# A machine that has ended, with all its stacks frozen: read where their copies are.
image = built("frozen")
with Guest(image, extra=["-gdb", f"tcp:127.0.0.1:{port}"], args="deadlock 200", mem="64M", panic="halt", limit=100) as guest:
    report.check("a dead machine", guest.expect("deadlock!") and guest.expect("created by freeze_waiters"), guest.text[-500:])
    text = gdb(image, "python cold = [int(g['id']) for g in tasks() if int(g['frozen'])]", "python print(len(cold), 'are frozen')",
               "python gdb.execute(f'ingot bt {cold[0]}')")
    frozen = re.search(r"^(\d+) are frozen$", text, re.M)
    report.check("its frozen tasks", frozen and int(frozen[1]) >= 100, text)
    report.check("the stack of one", re.search(r"\[chan receive\]\n#0 (?:.*\n)*#\d+ +0x\w+ wait_here tests/system/guest/frozen/", text), text)
sys.exit(report.end())
