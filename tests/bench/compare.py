#!/usr/bin/python3 -B
"""Prints our hosted benchmarks beside Go's, taken in one run on this machine.

    compare.py OURS GO [NAME...]

OURS is build/host/app/bench/bench, GO the built peers program ("" when there is
none).  Both run on one P, those marked P=2 on two.  Each name is measured by one
and then the other, ROUNDS times in turn, so that a change of the machine's mood
hits both; shown is the median of the medians, with the least and the most seen.
The last column is the median of the rounds' ratios."""

import os
import statistics
import subprocess
import sys

# Our name; the peers' command that prints it, if they have it.  A fresh one takes one sample of a process.
MICRO = [("yield", "yield"), ("chan_pingpong", "chan_pingpong"), ("chan_buffered", "chan_buffered"),
         ("chan_fanin_8", "chan_fanin"), ("chan_fanin_8_unbuf", "chan_fanin"), ("spawn", "spawn"), ("spawn_join", "spawn_join"),
         ("select_2ready", "select_2ready"), ("select_4_blocking", "select_4_blocking"),
         ("mutex_uncontended", "mutex"), ("mutex_contended", "mutex"),
         ("rwmutex_read", "rwmutex_read"), ("waitgroup", "waitgroup"), ("once", "once"), ("pool_getput", "pool_getput"),
         ("cond_pingpong", "cond"), ("timer_create_stop", "timer_create_stop"), ("timer_reset", "timer_create_stop"),
         ("time_now", "timer_create_stop"),
         ("alloc_8_tiny", "alloc_8"), ("alloc_16_noscan", "alloc_16"), ("alloc_16_ptr", "alloc_16"), ("alloc_64", "alloc_64"),
         ("alloc_64_ptr", "alloc_64"), ("alloc_256", "alloc_256"), ("alloc_1k", "alloc_1k"), ("alloc_1m", "alloc_1m"), ("append_1e6", "append"), ("append_16", "append"),
         ("string_concat", "string_concat"), ("map_insert_int", "map_int"), ("map_get_int", "map_int"),
         ("map_get_miss_int", "map_int"), ("map_delete_insert_int", "map_int"), ("map_get_int_16", "map_int"),
         ("map_insert_string", "map_string"), ("map_get_string", "map_string"),
         ("defer_return", None), ("panic_recover", None), ("sort_1e6", None)]
PARALLEL = [("mutex_contended", "mutex"), ("rwmutex_read_par", "rwmutex_read"), ("alloc_64_parallel", "alloc_parallel"),
            ("binary_trees_par_18", "binary_trees_par_18")]
FRESH = [("fib", "fib"), ("spawn_1e5_parked", "spawn_1e5_parked"), ("spawn_1e5_parked_release", "spawn_1e5_parked"),
         ("spawn_1e6_parked", "spawn_1e6_parked"), ("spawn_1e6_parked_release", "spawn_1e6_parked"),
         ("timers_1e5_create", "timers_1e5"), ("timers_1e5_late_p50", "timers_1e5"), ("timers_1e5_late_p99", "timers_1e5"),
         ("sleep_1ms_over_p50", "sleep_accuracy"), ("sleep_1ms_over_p99", "sleep_accuracy"),
         ("binary_trees_18", "binary_trees_18"), ("binary_trees_18_heap", "binary_trees_18"),
         ("gc_cycle_64m_ns_per_object", "gc_cycle_64m"), ("gc_cycle_64m_shuffled_ns_per_object", "gc_cycle_64m_shuffled"),
         ("gc_cycle_512m_ns_per_object", "gc_cycle_512m"), ("gc_cycle_512m_shuffled_ns_per_object", "gc_cycle_512m_shuffled"),
         ("preempt_wait_p50", "preempt"), ("preempt_wait_p99", "preempt"), ("preempt_wait_max", "preempt")]
ROWS = [(n, c, 1) for n, c in MICRO] + [(n, c, 2) for n, c in PARALLEL] + [(n, c, 1) for n, c in FRESH]
ROUNDS = int(os.environ.get("ROUNDS") or 3)


def measure(command, procs):
    """{name: (median, minimum, maximum, unit)} of "name value unit minimum maximum" lines."""
    env = dict(os.environ, GOMAXPROCS=str(procs))
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) >= 5 and not line.startswith("#"):
            found[words[0]] = (float(words[1]), float(words[3]), float(words[4]), words[2])
    return found


def cell(rounds):
    if not rounds:
        return "-"
    return (f"{statistics.median(r[0] for r in rounds):9.1f} ({min(r[1] for r in rounds):.1f} .. {max(r[2] for r in rounds):.1f})")


def command_of(name):
    """Ours takes the name of the benchmark, not of each of its results."""
    for ending in ("_p50", "_p99", "_max", "_release", "_create", "_late", "_ns_per_object", "_heap"):
        name = name.removesuffix(ending)
    return name


def main():
    ours, go, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    print(f"{'median (minimum .. maximum)':28} {'unit':8} {'Ingot':>30} {'Go':>30} {'Go / Ingot':>12}")
    rows = [r for r in ROWS if not names or r[0] in names]
    done = {}
    for name, command, procs in rows:
        key = (command_of(name), command, procs)
        if key not in done:
            # Go's command prints several of our names: measured anew only if asked for both.
            done[key] = [], []
            for _ in range(ROUNDS):
                done[key][0].append(measure([ours, key[0]], procs))
                if go and command:
                    done[key][1].append(measure([go, "-spread", "-runs", "1" if (name, command) in FRESH else "5", command], procs))
        mine, peer = ([r[name] for r in side if name in r] for side in done[key])
        ratios = [p[0] / m[0] for m, p in zip(mine, peer) if m[0]]
        shown = name + (f" P={procs}" if procs > 1 else "")
        unit = mine[0][3].split("/")[0] if mine else "-"
        print(f"{shown:28} {unit:8} {cell(mine):>30} {cell(peer):>30} "
              f"{f'{statistics.median(ratios):.2f}' if ratios else '-':>12}", flush=True)


main()
