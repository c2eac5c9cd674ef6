#!/usr/bin/python3 -B
"""All tasks shown at any time: the console's key while the image runs, and what
a program asks for itself."""
import os
import re
import socket
import sys
import tempfile

from qemu import Guest, Report, boot, built

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
            # A press may find a core between two tasks: look again.
            for _ in range(10):
                dump = press(guest)
                if not dump:
                    break
                counts, entries = dump
                loop = [e for e in entries if "tight_loop(" in e[3] and "created by loops" in e[3]]
                if sum(e[2] for e in loop if e[1] == "running") == cores:
                    break
            if not report.check(f"{name}: the key shows all tasks", dump, guest.text[-3000:]):
                return
            report.check(f"{name}: the loops' stacks, running",
                         counts.get("running", 0) >= cores and sum(e[2] for e in loop if e[1] == "running") == cores, entries)
            parked = [e for e in entries if e[1] == "chan receive"]
            report.check(f"{name}: 1000 equal stacks once",
                         counts.get("chan receive") == 1000 and len(parked) == 1 and parked[0][2] == 1000 and
                         re.match(r"rt_chan_recv\(.*\n.*\nparked\(.*\n.*dump\.c:\d+", parked[0][3]), parked)
            report.check(f"{name}: sleepers", sum(e[2] for e in entries if e[1] == "sleep" and "sleeper(" in e[3]) == 3,
                         entries)
            report.check(f"{name}: main", any(e[0] == 1 and "loops(" in e[3] for e in entries), entries)
            with socket.socket(socket.AF_UNIX) as word:
                word.connect(door)
                word.sendall(b"!")
                right = guest.expect(r"sum 500500", 30)
                report.check(f"{name}: the program goes on to its end", right and guest.wait() == 0, guest.text[-2000:])


loops("q35", 1)
loops("q35", 2)
loops("microvm", 2)
loops("q35", 4)
sys.exit(report.end())
