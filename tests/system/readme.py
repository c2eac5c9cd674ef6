#!/usr/bin/python3 -B
"""README.md and rt/HACKING.md say what is so: their commands run and print what
they show, what they name exists.  One that goes on until Ctrl-C is ended when it has
printed the last line shown, and the address that it names is asked for its page; what is to be
typed in another terminal is, while the server before it runs.

test: limit=600

README's blocks marked "console" hold commands ("$ ...") and what they print: a
line "..." stands for any lines, "..." inside a line for anything there, and runs
of blanks count as one.  The C program in it is saved where README says, with a
folder of this test's as $HOME, so it is built and booted from outside the tree.

Not run here: make test and make check (this is part of them), make bench (it
takes minutes and the peer) and make counts (counts.py is its test); that they
exist is checked, and what README says was counted is compared."""
import os
import re
import shlex
import subprocess
import sys
import tempfile

import urllib.request

from qemu import ROOT, MakeRun, Report, built, free_port, pattern

report = Report("readme")
LIMIT = 240  # seconds for one command; against hanging only


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


README, HACKING = read("README.md"), read("rt/HACKING.md")


def shell(command, home):
    """(status, output) of a command typed in the tree, in one process group."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in (
        "MFLAGS", "APP", "SMP", "MEM", "MACHINE", "CPU", "ARGS", "FILE", "GDB", "GOMAXPROCS", "GOGC", "GOMEMLIMIT",
        "GODEBUG", "PANIC", "BOOT", "DISK", "ON", "V", "PORTS", "NET", "CONFIG")}
    env.update(HOME=home, TIMEOUT=str(LIMIT))
    try:
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT + 60, check=False)
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode("utf-8", "replace")
    return done.returncode, done.stdout.decode("utf-8", "replace").replace("\r", "")


ANOTHER = "    # in another terminal"


def commands(text):
    """(command, lines shown, what is typed meanwhile) of the blocks marked console; the last is a
    list of (command, lines shown): those that say ANOTHER, while the one before them runs."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        found = []
        for one in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *shown = one.splitlines()
            if command.endswith(ANOTHER):
                found[-1][2].append((command.removesuffix(ANOTHER), shown))
            else:
                found.append((command, shown, []))
        yield from found


def endless(command, shown):
    """`make run ...` of a server: (whether it prints that and serves its page, output)."""
    shown = [line.replace("localhost:8080/", "localhost:.../") for line in shown]  # or the next free port
    with MakeRun(*command.split()[2:]) as guest:
        if not guest.expect(pattern(shown[-1:]).pattern.replace(r"\n", r"\r?\n"), LIMIT):
            return False, guest.text
        with urllib.request.urlopen(re.search(r"http://localhost:\d+/", guest.text)[0], timeout=60) as answer:
            served = answer.status == 200 and b"<title>" in answer.read()
        return served and pattern(shown).match(guest.text), guest.text


def served(command, shown, meanwhile, home):
    """A server, and what is asked of it, by another port: a case for each."""
    taken, port = re.search(r"PORTS=(\d+):", command)[1], str(free_port())
    with MakeRun(*shlex.split(command.replace(f"PORTS={taken}:", f"PORTS={port}:"))[2:]) as guest:
        up = guest.expect(pattern(shown[-1:]).pattern.replace(r"\n", r"\r?\n"), LIMIT)
        report.check(command, up and pattern(shown).match(guest.text), guest.text[-3000:])
        for one, wanted in meanwhile:
            status, text = shell(re.sub(rf"\b{taken}\b", port, one), home)
            report.check(one, status == 0 and pattern(wanted).fullmatch(text), f"status {status}; it printed\n{text[-3000:]}")


with tempfile.TemporaryDirectory() as home:
    # The program, saved as README says, and what is shown of it.
    named = re.search(r"`~/(\S+\.c)`:\n\n```c\n(.*?)^```", README, re.M | re.S)
    report.check("holds a program", named is not None)
    path = os.path.join(home, named[1])
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as f:
        f.write(named[2])
    report.check("its program is short", named[2].count("\n") <= 40, named[2].count("\n"))

    ran = 0
    for command, shown, meanwhile in commands(README):
        ran += 1
        if meanwhile:
            served(command, shown, meanwhile, home)
            continue
        if "Ctrl-C" in shown[-1]:
            good, text = endless(command, shown)
            report.check(command, good, text[-3000:])
            continue
        status, text = shell(command, home)
        # `make` itself fails with 2 when an image ends with a status.
        wanted = (2,) if any(line.startswith("ingot: ") for line in shown) else (0,)
        report.check(command, status in wanted and pattern(shown).fullmatch(text),
                     f"status {status}; it shows\n" + "\n".join(shown) + "\nand printed\n" + text[-3000:])
    report.check("shows commands", ran >= 6, ran)

    status, text = shell("make help", home)
    listed = set(re.findall(r"^  (\S+)", text, re.M))
    lines = text.partition("Settings:")[2].partition("Example:")[0]
    settings = set(re.findall(r"\b([A-Z]{3,}|V)\b(?=[= ])", lines)) | {"BOOT"}
    for document, name in ((README, "README"), (HACKING, "HACKING")):
        for target in sorted(set(re.findall(r"\bmake ([a-z][a-z/_.A-Z-]*)", re.sub(r"```c\n.*?```", "", document, flags=re.S)))):
            if target.startswith("build/"):
                status, text = shell(f"make {target}", home)
                report.check(f"{name}: make {target}", status == 0, text[-1000:])
            elif "`make " + target in document or "$ make " + target in document or target.startswith("t/"):
                known = "t/NAME" if target.startswith("t/") else target
                report.check(f"{name}: make {target} is in make help", known in listed, sorted(listed))
    for command in re.findall(r"\| `(make run [^`]*)` \|$", README, re.M):
        status, text = shell(command, home)
        report.check(command, status == 0, text[-2000:])
    for setting in sorted(settings):
        report.check(f"explains the setting {setting}", f"`{setting}=" in README)

# Figures: what was counted and measured here is still so.
counts = os.path.join(ROOT, "tests/bench/counts.txt")
if os.path.exists(counts):
    table = {name: float(value) for name, value in (line.split() for line in open(counts, encoding="utf-8"))}
    for name, row in (("yield", "yield"), ("chan_pingpong", "channel round trip"), ("spawn", "spawn, run, end"),
                      ("spawn_join", "spawn and wait for it"), ("select_2ready", "select, 2 ready"),
                      ("mutex_uncontended", "mutex, uncontended"), ("timer_create_stop", "timer, create and stop"),
                      ("fib", "fork-join task (fib)"), ("preempt_switch", "preemption: interrupt, switch, resumed task"),
                      ("wake_core", "wake a sleeping core: `send` to the receiver there"),
                      ("alloc_16_noscan", "allocate 16 bytes, collection included"),
                      ("alloc_16_ptr", "the same with a pointer"), ("alloc_64", "allocate 64 bytes"),
                      ("alloc_1k", "allocate 1 KiB")):
        found = re.search(rf"^\| {re.escape(row)} \| ([\d,]+) instructions", README, re.M)
        if report.check(f"has a row: {row}", found):
            says = float(found[1].replace(",", ""))
            report.check(f"{row}: counted within 5 %", abs(says / table[name] - 1) <= 0.05 or abs(says - table[name]) < 1,
                         f"README says {says}, counts.txt {table[name]}")
else:
    report.skip("instruction counts", "tests/bench/counts.txt is not there")
found = re.search(r"^\| hello image, stripped \| (\d+) KiB", README, re.M)
size = os.path.getsize(built("hello").replace(".elf", ".stripped")) / 1024
report.check("the size of hello, within 2 KiB", found and abs(int(found[1]) - size) <= 2, f"{size:.1f} KiB")

# What the two name must exist.
TOPS = ("apps", "boot", "drivers", "kernel", "rt", "tests")
for document, name in ((README, "README"), (HACKING, "HACKING")):
    words = re.findall(r"`([^`\n]+)`", document)
    paths = {w.split(":")[0] for w in words if re.fullmatch(r"[\w.*-]+(/[\w.*-]+)+/?(:.*)?", w) and w.split("/")[0] in TOPS}
    gone = [p for p in sorted(paths) if "*" not in p and "NAME" not in p and not os.path.exists(os.path.join(ROOT, p))]
    report.check(f"{name}: the files it names exist", paths and not gone, gone)

# Its list of documents: each is there, and each text of rt/ is in it.
rows = re.findall(r"^\| `([^`]*)` \| ", README.split("## From Go to Ingot")[1].split("\n## ")[0], re.M)
texts = {f"rt/{f}" for f in os.listdir(os.path.join(ROOT, "rt")) if f.endswith(".md")}
report.check("lists all documents", {r for r in rows if r.startswith("rt/")} == texts and "make reference" in rows, (rows, texts))

# HACKING: lock ranks in rt.h's order, GODEBUG's words, the rings.
enum = re.search(r"enum lock_rank \{(.*?)\};", read("rt/rt.h"), re.S)[1]
ranks = [r for r in re.findall(r"^\s*(RANK_\w+)", enum, re.M) if r != "RANK_NONE"]
report.check("HACKING: lock ranks as in rt/rt.h", re.findall(r"^\| `(RANK_\w+)`", HACKING, re.M) == ranks, ranks)
debug = set(re.findall(r'^\t\t\{ "(\w+)", SETTING\(\1\) \},$', read("rt/env.c"), re.M))
explained = set(re.findall(r"^\| `(\w+)=", HACKING, re.M))
report.check("HACKING: GODEBUG's words exist", explained and explained <= debug, explained - debug)
nasty = re.search(r'^NASTY_GODEBUG = "(.*)"', read("tests/run"), re.M)[1]
report.check("HACKING: the nasty ring's settings", f"`GODEBUG={nasty}`" in HACKING, nasty)
rings = set(re.findall(r'"([a-z]+\d?)"', re.search(r"^HOSTED.*?^RINGS", read("tests/run"), re.M | re.S)[0])) | {"static", "system"}
missing = [r for r in sorted(rings) if f"`{r}`" not in HACKING]
report.check("HACKING: names every ring", not missing, missing)
sys.exit(report.end())
