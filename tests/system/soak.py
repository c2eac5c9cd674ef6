#!/usr/bin/python3 -B
"""The soak (tests/system/guest/soak): random mixes of everything tasks do, in
nasty mode on 4 cores, and nothing may be lost.

    tests/system/soak.py                      what CI runs: 8 s with seed 1, 8 s with a random one
    tests/system/soak.py MINUTES [SEED]       make soak: shows the image's lines as they come
    tests/system/soak.py MINUTES [SEED] host  the same as a Linux process

SMP is the number of cores (4), ARGS further words for the program.

The image itself finds a mix that stands still; what it cannot report, because
no core of it runs any more, shows here as an image without output: limit.

test: limit=600"""
import os
import random
import re
import subprocess
import sys
import time

from qemu import ROOT, Guest, Report, built

NASTY = "gcstress=67,quantum=200,junkfill=1,allocfail=11,freezestress=1,gccheckmark=1"
SILENCE = 400  # s without a line: generous, for machines that have other work
END = r"soak: (\d+) rounds, (\d+) ops, 0 lost\r?\n"


def soak(seed, seconds, smp, args, show):
    """One run on metal: (ok, text)."""
    words = f"seed={seed} seconds={seconds} {args}".strip()
    with Guest(built("soak", "mnasty"), limit=seconds * 3 + 2 * SILENCE, smp=smp, mem="512M", godebug=NASTY,
               args=words) as guest:
        if show:
            print(guest.command, flush=True)
        while True:
            line = guest.expect(r"[^\n]*\n", limit=SILENCE)
            if not line:
                break
            if show:
                sys.stdout.write(line[0].decode("utf-8", "replace").replace("\r", ""))
                sys.stdout.flush()
        guest.deadline = time.monotonic() + 5
        status = guest.wait()
        ok = status == 0 and re.search(END, guest.text)
        hung = "" if status is not None else f"\nno line for {SILENCE} s\n"
        return ok, f"{guest.command}\nstatus {status}{hung}\n" + "\n".join(guest.text.splitlines()[-60:])


def main():
    smp, args = int(os.environ.get("SMP") or 4), os.environ.get("ARGS") or ""
    if len(sys.argv) > 1:
        words = [w for w in sys.argv[1:] if w != "host"]
        seconds = int(float(words[0]) * 60)
        seed = int(words[1]) if len(words) > 1 and words[1] else random.randrange(1 << 32)
        if "host" in sys.argv:
            env = {**os.environ, "GODEBUG": NASTY, "INGOT_CORES": str(smp)}
            command = [f"{ROOT}/build/nasty/app/soak/soak", f"seed={seed}", f"seconds={seconds}", *args.split()]
            return subprocess.call(command, env=env)
        ok, text = soak(seed, seconds, smp, args, True)
        if not ok:
            print(f"soak.py: failed: make soak SEED={seed} SMP={smp}\n{text.splitlines()[1]}")
        return 0 if ok else 1
    report = Report("soak")
    for seed in (1, random.randrange(1 << 32)):
        ok, text = soak(seed, 8, smp, args, False)
        report.check(f"seed {seed}", ok, text)
    return report.end()


sys.exit(main())
