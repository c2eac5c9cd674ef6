#!/usr/bin/python3 -B
"""Parsers and drivers under libFuzzer (tests/fuzz/README.md): a bug that was planted is
found, then each target runs a fixed number of inputs, the same each time, from its
committed corpus.

    fuzz.py                        that
    fuzz.py TARGET [runs=N] [seconds=N] [seed=N]
                                   one target, or "all", for longer (a minute each)
    fuzz.py TARGET FILE            one input
    fuzz.py TARGET merge           what was found is added to the corpus: of what shows
                                   something new only, and of a bounded size

test: limit=300"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from qemu import ROOT, Report

PROGRAM = f"{ROOT}/build/fuzz/fuzz/fuzz"
CORPUS = f"{ROOT}/tests/fuzz/corpus"
FOUND = f"{ROOT}/build/fuzz/found"
# Inputs in the test: some two seconds each.
RUNS = {"text": 6000, "tar": 3000, "http_message": 5000, "http_server": 1200, "http_client": 700, "cache": 800, "net": 3000,
        "virtio": 1200, "acpi": 3000, "memory_map": 3000,
        "pci": 1000, "e1000e": 3000, "settings": 10000, "nvme": 800}
# Each input of these leaves something behind, for the process's life: so many in one.
ROUND = {"virtio": 20000, "nvme": 2000}
# Of a corpus, bytes in all and of one input.
CORPUS_MAX, INPUT_MAX = 16 << 10, 1024


def environment(artifacts):
    os.makedirs(artifacts, exist_ok=True)
    # One core: see engine.c.
    return {**os.environ, "INGOT_CORES": "1", "INGOT_MEM": "1024", "FUZZ_ARTIFACTS": artifacts + "/"}


def build():
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", PROGRAM[len(ROOT) + 1:]], cwd=ROOT, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(done.stdout[-3000:])
    return done.returncode == 0


def run(target, *words, limit=300):
    """Status and output; new inputs are lost."""
    with tempfile.TemporaryDirectory() as new:
        seeds = [d for d in (f"{CORPUS}/{target}",) if os.path.isdir(d)]
        try:
            done = subprocess.run([PROGRAM, target, *words, new, *seeds], env=environment(f"{FOUND}/{target}"),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit)
        except subprocess.TimeoutExpired as e:
            return None, (e.stdout or b"").decode("utf-8", "replace")
    return done.returncode, done.stdout.decode("utf-8", "replace")


def planted():
    """Status 1 or 77 is not enough: it is that bug."""
    status, text = run("planted", "-runs=200000", "-seed=1")
    good = status not in (0, None) and re.search(r"heap-buffer-overflow tests/fuzz/planted\.c", text)
    return good, f"status {status}: {text[-2000:]}"


def fixed(target):
    began = time.monotonic()
    status, text = run(target, f"-runs={RUNS[target]}", "-seed=1")
    done = re.search(r"Done (\d+) runs", text)
    good = status == 0 and done
    return good, f"{time.monotonic() - began:.1f} s", f"status {status}; again: tests/system/fuzz.py {target} " \
        f"build/fuzz/found/{target}/...; the end of its output:\n{text[-3000:]}"


def targets():
    out = subprocess.run([PROGRAM], env=environment(FOUND), stdout=subprocess.PIPE, text=True).stdout.split()
    return sorted(t for t in out if t != "planted")


def test():
    report = Report("fuzz")
    if not report.check("the targets are built", build()):
        return report.end()
    names = targets()
    report.check("each target has its number of runs and a corpus", set(names) == set(RUNS) and
                 all(os.path.isdir(f"{CORPUS}/{t}") for t in names), f"{names}, {sorted(RUNS)}")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bug = pool.submit(planted)
        for target, (good, took, why) in zip(names, pool.map(fixed, names)):
            report.check(f"{target} survives {RUNS[target]} inputs", good, why)
            print(f"   {took}")
        report.check("a planted bug is found", *bug.result())
    return report.end()


def fuzz(target, settings):
    """For as long as asked; what shows something new is kept in build/fuzz/found."""
    new = f"{FOUND}/{target}/new"
    os.makedirs(new, exist_ok=True)
    seed = [f"-seed={settings['seed']}"] if "seed" in settings else []
    runs = int(settings["runs"]) if "runs" in settings else None
    end = time.monotonic() + float(settings.get("seconds", 60 if runs is None else 1e9))
    os.makedirs(f"{CORPUS}/{target}", exist_ok=True)
    print(f"{target}: what it finds goes to build/fuzz/found/{target}/", flush=True)
    status = 0
    while status == 0 and runs != 0 and time.monotonic() < end:
        part = min(n for n in (runs, ROUND.get(target), 1 << 30) if n is not None)
        status = subprocess.run([PROGRAM, target, *seed, f"-runs={part}", f"-max_total_time={int(end - time.monotonic()) + 1}",
                                 new, f"{CORPUS}/{target}"], env=environment(f"{FOUND}/{target}")).returncode
        runs = None if runs is None else runs - part
    return status


def merge(target):
    """Writes the corpus anew: libFuzzer's choice, the smallest inputs first."""
    new, old = f"{FOUND}/{target}/new", f"{CORPUS}/{target}"
    with tempfile.TemporaryDirectory() as best:
        sources = [d for d in (old, new) if os.path.isdir(d)]
        subprocess.run([PROGRAM, target, "-set_cover_merge=1", f"-max_len={INPUT_MAX}", best, *sources], check=True,
                       env={**environment(f"{FOUND}/{target}"), "FUZZ_EDGES": "1"}, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        size = 0
        os.makedirs(old, exist_ok=True)
        for name in os.listdir(old):
            if not name.startswith("regression-"):
                os.remove(f"{old}/{name}")
        for name in sorted(os.listdir(best), key=lambda n: (os.path.getsize(f"{best}/{n}"), n)):
            size += os.path.getsize(f"{best}/{name}")
            if size > CORPUS_MAX:
                break
            shutil.copy(f"{best}/{name}", f"{old}/{name}")
    print(f"{target}: {len(os.listdir(old))} inputs, {min(size, CORPUS_MAX)} bytes at most")
    return 0


def main():
    if len(sys.argv) < 2:
        return test()
    if not build():
        return 1
    target, words = sys.argv[1], sys.argv[2:]
    if target != "all" and target not in targets() + ["planted"]:
        print(f"there is no target {target}; there are: {' '.join(targets())}", file=sys.stderr)
        return 2
    if words and os.path.exists(words[0]):
        return subprocess.run([PROGRAM, target, words[0]], env=environment(f"{FOUND}/{target}")).returncode
    worst = 0
    for one in targets() if target == "all" else [target]:
        worst = max(worst, merge(one) if words == ["merge"] else fuzz(one, dict(w.split("=") for w in words)))
    return worst


sys.exit(main())
