#!/usr/bin/python3 -B
"""Prints our hosted benchmarks beside Go's, taken in one run on this machine.

    compare.py OURS GO [NAME...]

OURS is build/host/app/bench/bench, GO the built peers program ("" when there is
none).  Both run on one P.  Each name is measured by one and then the other, so
that a change of the machine's mood hits both."""

import os
import subprocess
import sys

# Our names, and the peers' command that prints them.
NAMES = [("yield", "yield"), ("chan_pingpong", "chan_pingpong"), ("chan_buffered", "chan_buffered"),
         ("spawn", "spawn"), ("spawn_join", "spawn_join"), ("select_2ready", "select_2ready"),
         ("mutex_uncontended", "mutex"), ("timer_create_stop", "timer_create_stop"),
         ("timer_reset", "timer_create_stop"), ("sleep_1ms_over_p50", "sleep_accuracy"),
         ("sleep_1ms_over_p99", "sleep_accuracy"), ("alloc_8_tiny", "alloc_8"), ("alloc_16_noscan", "alloc_16"),
         ("alloc_16_ptr", "alloc_16"), ("alloc_64", "alloc_64"), ("alloc_64_ptr", "alloc_64"), ("alloc_1k", "alloc_1k")]


def measure(command):
    """{name: (median, minimum, maximum)} of "name value unit minimum maximum" lines."""
    env = dict(os.environ, GOMAXPROCS="1")
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) >= 5 and not line.startswith("#"):
            found[words[0]] = tuple(float(w) for w in (words[1], words[3], words[4]))
    return found


def main():
    ours, go, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    print(f"{'ns/op (minimum .. maximum)':22} {'Ingot':>28} {'Go':>28} {'Go / Ingot':>12}")
    for name, command in NAMES:
        if names and name not in names:
            continue
        mine = measure([ours, name]).get(name)
        peer = measure([go, "-spread", command]).get(name) if go else None
        cells = [f"{v[0]:9.1f} ({v[1]:.1f} .. {v[2]:.1f})" if v else "-" for v in (mine, peer)]
        ratio = f"{peer[0] / mine[0]:.2f}" if mine and peer and mine[0] else "-"
        print(f"{name:22} {cells[0]:>28} {cells[1]:>28} {ratio:>12}", flush=True)


main()
