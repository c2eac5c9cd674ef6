#!/usr/bin/python3 -B
"""Fragmentation: after a day of a server's allocations the heap needs at most 1.2 times
what Go's needs for the same trace (tests/bench/churn.c, churn.go; hosted, one P).

    churn.py             compares with Go on this machine, without one with its recorded figures (a test)
    churn.py --print     prints both

test: limit=400"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from qemu import ROOT, Report

RECORDED = "churn sys 63.8 inuse 58.8 mean 38.4 live 12.6 MiB"  # Go 1.19.8, the least of four runs


def parse(text):
    found = re.search(r"churn sys ([\d.]+) inuse ([\d.]+) mean ([\d.]+) live ([\d.]+) MiB", text)
    return dict(zip(("most taken from the system", "most in spans", "mean in spans", "live"), map(float, found.groups())))


def run_go():
    go = shutil.which("go")
    if go is None:
        return RECORDED
    with tempfile.TemporaryDirectory() as d:
        env = dict(os.environ, GOMAXPROCS="1", GOCACHE=d + "/cache", GOFLAGS="-mod=mod")
        subprocess.run([go, "build", "-o", d + "/churn", os.path.join(ROOT, "tests/bench/churn.go")], check=True, env=env)
        return subprocess.run([d + "/churn"], check=True, env=env, stdout=subprocess.PIPE, text=True).stdout


def main():
    binary = "build/host/app/bench/bench"
    subprocess.run(["make", "-s", binary], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    env = dict(os.environ, INGOT_CORES="1")
    ours = subprocess.run([os.path.join(ROOT, binary), "churn"], check=True, env=env, stdout=subprocess.PIPE, text=True).stdout
    theirs = run_go()
    if "--print" in sys.argv:
        print("Ingot", ours, "Go   ", theirs, sep=" ")
    report = Report("churn")
    a, b = parse(ours), parse(theirs)
    report.check("the same trace", a["live"] == b["live"], f"{ours} {theirs}")
    for what in ("most taken from the system", "most in spans", "mean in spans"):
        report.check(f"{what} is at most 1.2 of Go's ({a[what] / b[what]:.2f})", a[what] <= 1.2 * b[what], f"{ours} {theirs}")
    return report.end()


sys.exit(main())
