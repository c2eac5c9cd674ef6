#!/usr/bin/python3 -B
"""All tasks shown at any time: the console's key while the image runs, and what
a program asks for itself."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from qemu import ROOT, Guest, Report, boot, built

report = Report("dump")
image = built("dump")
KEY = "\x14"  # Ctrl-T


def groups(text):
    """(id, state, alike, frames) of each entry of a dump."""
    for head, rest in re.findall(r"^goroutine (\d+ \[[^]\n]*\]):\n((?:.+\n)*)", text, re.M):
        number, state = re.fullmatch(r"(\d+) \[(.*)\]", head).groups()
        alike = re.search(r", (\d+) alike$", state)
        yield int(number), re.sub(r", \d+ alike$", "", state), int(alike[1]) if alike else 1, rest


def press(guest):
    """Presses the key: the counts by state and the entries of one dump, or None.
    It is complete when the entries add up and an empty line ends it."""
    guest.send("x" + KEY)
    found = guest.expect(r"\r?\n(\d+) goroutines: ([^\r\n]+)\r?\n", 20)
    while found:
        text = guest.raw[found.end():].decode().replace("\r\n", "\n")
        entries = list(groups(text))
        if sum(e[2] for e in entries) == int(found[1]) and text.endswith("\n\n"):
            return {s: int(n) for n, s in re.findall(r"(\d+) ([^,]+)", found[2].decode())}, entries
        if not guest.read_some(guest.deadline):
            break
    return None


def loops(machine, cores):
    name = f"{machine}, {cores} cores in tight loops"
    with tempfile.TemporaryDirectory() as folder:
        door = os.path.join(folder, "go")
        extra = ("-chardev", f"socket,id=go,path={door},server=on,wait=off", "-device", "isa-serial,chardev=go,index=1")
        with Guest(image, extra, limit=60, machine=machine, smp=cores, mem="128M", args=f"loops {cores}") as guest:
            if not report.check(f"{name}: reaches them", guest.expect("looping"), guest.text[-2000:]):
                return
            # A press may find a core between two tasks, or a task on its way: look again.
            for _ in range(20):
                dump = press(guest)
                if not dump:
                    break
                counts, entries = dump
                loop = [e for e in entries if "tight_loop(" in e[3] and "created by loops" in e[3]]
                parked = [e for e in entries if e[1] == "chan receive"]
                good = {
                    "the loops' stacks, running": counts.get("running", 0) >= cores and
                                                  sum(e[2] for e in loop if e[1] == "running") == cores,
                    "1000 equal stacks once": counts.get("chan receive") == 1000 and len(parked) == 1 and
                                              parked[0][2] == 1000 and
                                              re.match(r"\w+\(.*\n\t.*\nparked\(.*\n.*dump\.c:\d+", parked[0][3]),
                    "sleepers": sum(e[2] for e in entries if e[1] == "sleep" and "sleeper(" in e[3]) == 3,
                    "main": any(e[0] == 1 and "loops(" in e[3] for e in entries),
                }
                if all(good.values()):
                    break
            if not report.check(f"{name}: the key shows all tasks", dump, guest.text[-3000:]):
                return
            for what in good:
                report.check(f"{name}: {what}", good[what], entries)
            with socket.socket(socket.AF_UNIX) as word:
                word.connect(door)
                word.sendall(b"!")
                right = guest.expect(r"sum 500500", 30)
                report.check(f"{name}: the program goes on to its end", right and guest.wait() == 0, guest.text[-2000:])


loops("q35", 1)
loops("q35", 2)
loops("microvm", 2)
loops("q35", 4)

# A deadlock of many tasks in all kinds of wait: each kind once.
for smp in (1, 4):
    done = boot(image, args="dead", smp=smp, mem="64M", panic="exit")
    entries = list(groups(done.text))
    wanted = {"chan receive": 300, "select": 300, "sync.Mutex.Lock": 50, "sync.WaitGroup.Wait": 50, "sync.Cond.Wait": 50,
              "chan receive (nil chan)": 1, "sync.RWMutex.RLock": 1}
    report.check(f"deadlock of 752 tasks on {smp} cores: status and words",
                 done.status == 2 and "fatal error: all goroutines are asleep - deadlock!" in done.text, done)
    report.check(f"deadlock of 752 tasks on {smp} cores: every wait reason, once",
                 {e[1]: e[2] for e in entries} == wanted and len(entries) == len(wanted), entries)
    report.check(f"deadlock of 752 tasks on {smp} cores: frames", all(
        re.search(rf"^{f}\(.*\n.*dump\.c:\d+", next(e[3] for e in entries if e[1] == s), re.M)
        for s, f in (("chan receive", "parked"), ("select", "selects"), ("sync.Mutex.Lock", "locks"),
                     ("sync.WaitGroup.Wait", "waits"), ("sync.Cond.Wait", "waits_for"), ("sync.RWMutex.RLock", "dead"))), entries)

# Misuse that ends the image, by one task among a hundred.
for what, words in (
        ("unlock", "fatal error: sync: unlock of unlocked mutex"),
        ("unlock-twice", "fatal error: sync: unlock of unlocked mutex"),
        ("runlock", "fatal error: sync: RUnlock of unlocked RWMutex"),
        ("runlock-twice", "fatal error: sync: RUnlock of unlocked RWMutex"),
        ("runlock-written", "fatal error: sync: RUnlock of unlocked RWMutex"),
        ("wunlock", "fatal error: sync: Unlock of unlocked RWMutex"),
        ("wunlock-read", "fatal error: sync: Unlock of unlocked RWMutex"),
        ("cond", "fatal error: sync: unlock of unlocked mutex"),
        ("cond-nil", "panic: runtime error: invalid memory address or nil pointer dereference"),
        ("chan-too-large", "fatal error: out of memory"),
        ("go-nil", "panic: go of nil func value")):
    done = boot(image, args=f"misuse {what}", smp=2, mem="64M", panic="exit", limit=60)
    shown = re.search(r"^goroutine \d+ \[running\]:\n(?:.*\n)*?misuse\(\.\.\.\)\n.*dump\.c:\d+", done.text, re.M)
    report.check(f"misuse: {what}", done.status == 2 and words in done.text and "still here" not in done.text and
                 (shown or what == "chan-too-large"), done)
done = boot(image, args="leave", smp=2, mem="64M", godebug="leaks=1")
entries = list(groups(done.text))
report.check("GODEBUG=leaks=1 names what is leaked as main returns", done.status == 0 and "leaked: 5 goroutines: 5 chan receive" in
             done.text and [e[1:3] for e in entries] == [("chan receive (leaked)", 5)], done)

# More stacks than a dump has room for, and how long a task has waited.
done = boot(image, args="distinct 4000", smp=2, mem="256M")
entries, left = list(groups(done.text)), re.search(r"^\.\.\.(\d+) goroutines with further stacks left out\.\.\.$", done.text, re.M)
report.check("4000 different stacks: as many as fit, the others counted",
             done.status == 0 and left and 200 <= len(entries) <= 256 and sum(e[2] for e in entries) + int(left[1]) == 4001,
             f"{len(entries)} entries, {left}, status {done.status}")
done = boot(image, ("-icount", "shift=0,sleep=off"), args="minutes", machine="microvm", smp=1, accel="tcg")
states = sorted(e[1] for e in groups(done.text))
report.check("minutes of waiting", done.status == 0 and states == ["chan receive", "chan receive, 3 minutes", "running"], done)

# A machine without what the key needs works without it.
for what, machine, extra in (("no I/O APIC tables", "microvm", ("-machine", "acpi=off")),
                             ("no serial port", "microvm", ("-machine", "isa-serial=off"))):
    done = boot(image, extra, machine=machine, args="leave", boot="kernel=verbose", limit=30)
    report.check(f"{what}: no key, nothing breaks", done.status == 0, done)

# Hosted, SIGQUIT is the key.
process = subprocess.Popen([f"{ROOT}/build/host/unit/task", "sleep_sleeps", "a_tight_loop_is_preempted"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, cwd=ROOT)
for _ in range(20):
    time.sleep(0.02)
    if process.poll() is None:
        process.send_signal(signal.SIGQUIT)
text = process.communicate(timeout=60)[0].decode()
report.check("hosted: SIGQUIT shows the tasks and the program goes on",
             process.returncode == 0 and re.search(r"^\d+ goroutines: ", text, re.M) and "goroutine 1 [" in text, text[-2000:])
sys.exit(report.end())
