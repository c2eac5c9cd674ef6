#!/usr/bin/python3 -B
"""The scheduler's protocols as spin models (tests/model): each verifies, and
each bug that can be planted in it is found.

    models.py [MODEL ...]

test: limit=200

A model's first comment lists its runs, with the size of the state space:

    run: DEFINES              must be searched through without an error
    bug NAME: DEFINES  text   the same with -DNAME, must give an error

Every run is a spin, a gcc and the search itself, two of them at a time."""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build/model")
# -E: how a run may end, the models say themselves.
SEARCH = ["./pan", "-m1000000", "-E"]


def runs_of(path):
    """(name, defines, is a bug) of each run of a model."""
    with open(path, encoding="utf-8") as f:
        head = f.read().split("*/")[0]
    model = os.path.basename(path)[:-4]
    found = []
    for number, line in enumerate(re.findall(r"^ \* run:(.*)$", head, re.M), 1):
        found.append((f"{model}-{number}", line.split(), False))
    for bug, rest in re.findall(r"^ \* bug (\w+):(.*)$", head, re.M):
        found.append((f"{model}-{bug}", [w for w in rest.split() if w.startswith("-D")] + ["-D" + bug], True))
    return found


def search(path, name, defines, bug):
    """None if the run ends as it must, else what was wrong; and a summary."""
    where = os.path.join(BUILD, name)
    os.makedirs(where, exist_ok=True)
    began = time.monotonic()
    # Searches are short: compiling is what costs.
    optimise = "-O0" if bug else "-O1"
    text = ""
    for command in (["spin", "-a"] + defines + [path],
                    ["gcc", optimise, "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=1500", "-o", "pan", "pan.c"], SEARCH):
        done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", errors="replace")
        text += done.stdout
        if done.returncode != 0 or (command[0] != "./pan" and "Error:" in done.stdout):
            return f"{' '.join(command)}: {text.strip()[-600:]}", ""
    errors = re.search(r"errors: (\d+)", text)
    states = re.search(r"(\S+) states, stored", text)
    summary = f"{states[1] if states else '?'} states, {time.monotonic() - began:.1f} s"
    if not errors or "max search depth too small" in text or "out of memory" in text or "reached -DMEMLIM" in text:
        return f"the search was cut short: {text.strip()[-600:]}", summary
    if bug and errors[1] == "0":
        return "the planted bug was not found", summary
    if not bug and errors[1] != "0":
        return (f"{re.search('pan:1: .*', text)[0]}; the trail: cd {where} && spin -t -p -k *.trail "
                f"{' '.join(defines)} {path}"), summary
    return None, summary


def main():
    models = sorted(glob.glob(os.path.join(ROOT, "tests/model/*.pml")))
    wanted = sys.argv[1:]
    models = [m for m in models if not wanted or os.path.basename(m)[:-4] in wanted]
    passed = failed = 0
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [(run[0], pool.submit(search, path, *run)) for path in models for run in runs_of(path)]
        for name, job in jobs:
            wrong, summary = job.result()
            if wrong:
                failed += 1
                print(f"FAIL {name} {wrong} ({summary})", flush=True)
            else:
                passed += 1
                print(f"ok {name} ({summary})", flush=True)
    print(f"{time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
