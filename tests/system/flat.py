#!/usr/bin/python3 -B
"""Nothing on a hot path of the scheduler grows with the number of tasks or of
cores: executed instructions of an op with 10^2 ... 10^6 tasks parked, and with
1 ... 64 cores of which the others are idle.  Nor does a collection's last stop
grow with what lives or with the tasks that are parked, by more than 20 %.

    flat.py              compares (a test)
    flat.py --print      prints the tables
    flat.py --live       prints the collector's only, up to 4 GiB: minutes

test: limit=900

The figures are tests/bench's under -icount (see counts.py), so they leave out what
caches cost.  With several cores they count the instructions of all: those that an
op wakes in vain, too.  Two steps are not growth: with a second core ops use atomics
and wake somebody, with a third the one that was woken wakes the next.  So 8 ... 64
cores are held to the larger of 2 and 4.

Allowed: 5 % and 20 instructions, for random stealing and stack colours; 15 % for ops
that are single events (medians of 400 preemptions, 50 wake-ups)."""
import os
import sys

from qemu import Report, boot, built

OPS = ("yield", "chan_pingpong", "chan_buffered", "spawn", "select_2ready", "mutex_contended", "timer_create_stop")
EVENTS = ("preempt_switch", "wake_core")
TASKS = (100, 1000, 10000, 100000, 1000000)
CORES = (2, 4, 8, 16, 64)
BYTES_PER_TASK = 6000  # of memory given to the guest, above 200 MiB; a page of stack and the rest


def bench(names, smp, mem, machine, args=""):
    """{name: instructions}, and the boot as evidence."""
    done = boot(built("bench"), ["-icount", "shift=0,sleep=off"], limit=400, accel="tcg,thread=single", machine=machine,
                godebug="stackfreeze=0", # it would take its turns among the yielding tasks
                smp=smp, mem=mem, args=f"-q 1 -s 2 -r 1 {args} {' '.join(names)}")
    found = {}
    for line in done.text.splitlines():
        words = line.split()
        if len(words) == 5 and words[0] in names:
            found[words[0]] = float(words[1])
    return found, done


def collections(sizes, mem, parked=0):
    """{size: {"first", "last", "all": instructions}}: of the stops, and of the whole cycle."""
    done = boot(built("bench"), ["-icount", "shift=0,sleep=off"], limit=400, accel="tcg,thread=single", machine="microvm",
                godebug="stackfreeze=0", smp=1, mem=mem, args=f"-p {parked} " + " ".join(f"gc_stop_{size}" for size in sizes))
    found = {size: {} for size in sizes}
    for line in done.text.splitlines():
        words = line.split()
        if len(words) == 5 and words[0].startswith("gc_stop_"):
            size, what = words[0].split("_")[2:]
            found[size][what] = float(words[1])
    return found, done


def live_table(found, head=True):
    if head:
        print(f"{'live':>8}{'first stop':>12}{'last stop':>12}{'cycle':>14}")
    for size, row in found.items():
        print(f"{size:>8}" + "".join(f"{row.get(what, float('nan')):{n}.0f}" for what, n in (("first", 12), ("last", 12), ("all", 14))),
              flush=True)


def as_before(name, before, now):
    return before and now and now <= before * (1.15 if name in EVENTS else 1.05) + 20


def memory(tasks):
    return f"{200 + tasks * BYTES_PER_TASK // (1 << 20)}M"


def table(title, columns, rows, out):
    print(f"{title:20}" + "".join(f"{c:>10}" for c in columns))
    for name in rows:
        print(f"{name:20}" + "".join(f"{found.get(name, float('nan')):10.1f}" for found, _ in out), flush=True)


def main():
    if "--live" in sys.argv:
        for size, mem in (("1m", "512M"), ("16m", "512M"), ("64m", "512M"), ("256m", "512M"), ("1g", "1500M"), ("4g", "5500M")):
            live_table(collections([size], mem)[0], size == "1m")
        return 0
    report = Report("flat")
    found, done = collections(("64m", "256m"), "512M")
    if "--print" in sys.argv:
        live_table(found)
    few, now = (found[size].get("last") for size in found)
    report.check("last stop with 256 MiB live as with 64 MiB", few and now and now < 1.2 * few, f"{few} -> {now}\n{done if not now else ''}")
    stops = {n: collections(["1m"], memory(n), n) for n in (10, 1000, 10000)}
    for n, (found, done) in stops.items():
        few, now = stops[10][0]["1m"].get("last"), found["1m"].get("last")
        if "--print" in sys.argv:
            print(f"last stop with {n} tasks parked: {now}")
        report.check(f"last stop with {n} tasks parked as with 10", few and now and now < 1.2 * few,
                     f"{few} -> {now}\n{done if not now else ''}")
    with open("/proc/meminfo", encoding="ascii") as f: # half of what there is: others use it, too
        free = next(int(line.split()[1]) for line in f if line.startswith("MemAvailable")) >> 11
    tasks = [n for n in TASKS if int(memory(n)[:-1]) < free]
    names = OPS + ("preempt_switch",)
    out = [bench(names, 1, memory(n), "microvm", f"-p {n}") for n in tasks]
    if "--print" in sys.argv:
        table("tasks parked", tasks, names, out)
    for n, (found, done) in zip(tasks, out):
        for name in names:
            first, now = out[0][0].get(name), found.get(name)
            report.check(f"{name} with {n} tasks as with {tasks[0]}", as_before(name, first, now),
                         f"{first} -> {now}\n{done if not now else ''}")
    for n in TASKS[len(tasks):]:
        report.skip(f"{n} tasks", f"the guest needs {memory(n)}, this machine has {free}M free")
    names = OPS + ("wake_core", "sleep_1ms_over_p50")
    out = [bench(names + ("sleep_1ms_over",), n, "256M", "microvm" if n <= 16 else "q35") for n in CORES]
    for found, _ in out: # microseconds
        if "sleep_1ms_over_p50" in found:
            found["sleep_1ms_over_p50"] *= 1000
    if "--print" in sys.argv:
        table("cores", CORES, names, out)
    for n, (found, done) in zip(CORES, out):
        report.check(f"{n} cores are up", "left out" not in done.text, done)
        for name in names:
            few, now = max(found.get(name, 0) for found, _ in out[:2]), found.get(name)
            report.check(f"{name} with {n} cores as with few", as_before(name, few, now),
                         f"{few} -> {now}\n{done if not now else ''}")
    return report.end()


sys.exit(main())
