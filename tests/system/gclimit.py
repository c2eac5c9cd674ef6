#!/usr/bin/python3 -B
"""How much time the collector may take, and how long it may do nothing (rt/gclimit.c).

With a limit far below what lives each collection frees hardly anything.  Once they
have taken a second more than the tasks, the heap passes its goal and they take half of
the time, no more; without that step nearly all of it.  A program that does nothing is
collected once a period, and that timer keeps no deadlock from being found."""
import os
import re
import subprocess
import sys

from qemu import ROOT, Report, boot, built

LIMIT = 120
PROGRAM = f"{ROOT}/build/sabotage/app/gclimit/gclimit"


def hosted(args, words):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    env.update(GODEBUG=words, INGOT_CORES="2")
    done = subprocess.run([PROGRAM] + args.split(), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def booted(args, words):
    done = boot(built("gclimit"), limit=LIMIT, smp=2, mem="256M", args=args, godebug=words)
    return done.status, done.text


def limit(run, words, nodes):
    """(whole, limited, percent of the time, KiB past the goal, text)"""
    status, text = run(f"limit {nodes}", words)
    found = re.search(r"enabled (\d) after \d+ ms, share (\d+) %, past the goal (-?\d+) KiB", text)
    whole = status == 0 and f"{nodes} of {nodes} nodes" in text and found
    return (whole,) + (tuple(int(v) for v in found.groups()) if found else (0, 0, 0)) + (text[-2000:],)


def main():
    report = Report("gclimit")
    if not report.builds(os.path.relpath(PROGRAM, ROOT)):
        return report.end()
    nodes = 1000000
    # In an image under TCG one turn of the collector is long beside what the bucket holds, and what
    # runs over is forgotten: more than half.
    for where, run, most_share in (("a Linux process", hosted, 60), ("an image", booted, 75)):
        whole, limited, share, past, text = limit(run, "gctrace=0", nodes)
        report.check(f"{where}: collections take about half of the time ({share} %)", whole and limited and share <= most_share, text)
        report.check(f"{where}: the heap passes its goal ({past} KiB)", past >= 4096, text)
        for period, n, least, most in ((50, 3, 3, 4), (0, 1, 0, 0), (120000, 1, 0, 0)):
            status, text = run(f"period {n}", f"gcperiod={period}")
            found = re.search(r"(\d+) more in (\d+) ms, 0 forced", text)
            report.check(f"{where}: collected every {period} ms" if least else f"{where}: not with gcperiod={period}",
                         status == 0 and found and least <= int(found[1]) <= most and int(found[2]) >= n * period * bool(least), text)
        status, text = run("deadlock", "gcperiod=120000")
        report.check(f"{where}: a deadlock is found", status == 2 and "all goroutines are asleep - deadlock!" in text, text)
    whole, limited, share, past, text = limit(hosted, "sabotage=gc_limit", nodes)
    report.check(f"without the limit they take more ({share} %)", whole and share >= 70 and past < 4096, text)
    return report.end()


sys.exit(main())
