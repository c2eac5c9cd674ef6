#!/usr/bin/python3 -B
"""The same objects live, whatever tells the collector which pages were written.

    liveset.py [SEED]

test: limit=400

tests/system/guest/liveset builds, moves and drops objects beside collections and says
after each step what lives, by size and number, and a hash of the objects.  With one
seed the lines must be the same from Linux's write tracking, from pages that Linux is
told to protect, from the page tables' dirty bits, and on both with GODEBUG=gctrack=0, where everything counts as written:
slow and simple, so the others are measured by it.  A collector that leaves out the
written pages of its clean rounds must fail."""
import os
import random
import re
import subprocess
import sys

from qemu import ROOT, Report, boot, built

LIMIT = 120
BESIDE = "allocfail=1000000"  # small heaps are marked beside the tasks, too
PROGRAM = f"{ROOT}/build/sabotage/app/liveset/liveset"


def hosted(seed, words, **track):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env.update(GODEBUG=words, INGOT_CORES="2", **track)
    done = subprocess.run([PROGRAM, str(seed)], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def protected(seed, words):
    return hosted(seed, words, INGOT_TRACK="mprotect")


def booted(seed, words):
    done = boot(built("liveset"), limit=LIMIT, smp=2, mem="256M", args=str(seed), godebug=words)
    return done.status, done.text


def steps(text):
    return re.findall(r"^step .*", text, re.M)


def main():
    report = Report("liveset")
    if not report.builds(os.path.relpath(PROGRAM, ROOT)):
        return report.end()
    for seed in sys.argv[1:] or (1, random.randrange(1 << 32)):
        status, text = hosted(seed, f"{BESIDE},gctrack=0")
        wanted = steps(text)
        report.check(f"seed {seed}: all pages", status == 0 and len(wanted) > 3, text[-2000:])
        for name, run, words in (("Linux tells which pages", hosted, BESIDE),
                                 ("protected pages tell", protected, BESIDE),
                                 ("page tables tell which pages", booted, BESIDE),
                                 ("all pages on metal", booted, f"{BESIDE},gctrack=0")):
            status, text = run(seed, words)
            report.check(f"seed {seed}: {name}", status == 0 and steps(text) == wanted,
                         f"status {status}, wanted\n" + "\n".join(wanted) + "\nnot\n" + text[-3000:])
    if len(sys.argv) == 1:
        for name, run in (("", hosted), (", of protected ones too", protected)):
            status, text = run(1, f"{BESIDE},sabotage=gc_collect")
            report.check(f"pages that are left out are noticed{name}", status != 0, text[-2000:])
    return report.end()


sys.exit(main())
