#!/usr/bin/python3 -B
"""The symbol and line table (rt/gen/symtab.c writes, rt/symtab.c reads).

Known points of a program at every optimisation level and debug format; and
every address of a whole image against what binutils read from it.

test: limit=300"""
import bisect
import os
import re
import subprocess
import sys
import tempfile
import time

from qemu import ROOT, Report, built

report = Report("symtab")
TOOL = os.environ.get("SYMTAB", f"{ROOT}/build/tools/symtab")
SOURCES = ["tests/system/symtab_test.c", "rt/symtab.c"]
os.chdir(ROOT)


def run(*command, **kw):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **kw)


def compile(out, *flags):
    done = run("gcc", "-std=gnu17", "-g", "-no-pie", "-Wl,--section-start=rt_symtab=0x10000000", *flags, "-o", out, *SOURCES)
    if done.returncode:
        report.check(f"build {' '.join(flags)}", False, done.stdout)
    return done.returncode == 0


def truth(image):
    """Functions [(lo, hi, {names})] and lines [(address, file, line)] of an image, by binutils."""
    sections = {}
    for line in run("readelf", "-SW", image).stdout.splitlines():
        m = re.match(r"\s*\[ *(\d+)\] (\S+) +(\S+) +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) \S+ +(\w*)", line)
        if m and "X" in m.group(6):
            sections[m.group(1)] = (int(m.group(4), 16), int(m.group(4), 16) + int(m.group(5), 16))
    funcs = {}
    for line in run("readelf", "-sW", image).stdout.splitlines():
        m = re.match(r"\s*\d+: ([0-9a-f]{16}) +(\w+) FUNC +\w+ +\w+ +(\d+) (\S+)", line)
        if m and m.group(3) in sections and int(m.group(2), 0):
            lo = int(m.group(1), 16)
            funcs.setdefault((lo, lo + int(m.group(2), 0)), set()).add(re.sub(r"(?<=.)\..*", "", m.group(4)))
    lines = []
    for line in run("readelf", "--debug-dump=decodedline", "-W", image).stdout.splitlines():
        m = re.match(r"(\S+) +(\d+) +(0x[0-9a-f]+)", line)
        if m:
            lines.append((int(m.group(3), 16), len(lines), m.group(1), int(m.group(2))))
    lines.sort()
    return funcs, [(a, f, n) for a, _, f, n in lines if n and any(lo <= a < hi for lo, hi in sections.values())]


def compare(reader, image, folder):
    """Asks the reader about every byte of every function of image."""
    table = os.path.join(folder, "table")
    run("objcopy", "-O", "binary", "-j", "rt_symtab", image, table)
    funcs, lines = truth(image)
    ranges = sorted(funcs)
    got = {}
    asked = "".join(f"{lo:x} {hi:x}\n" for lo, hi in ranges)
    for line in run(reader, table, input=asked).stdout.splitlines():
        pc, func, file, number, start = line.split()
        got[int(pc, 16)] = (func, os.path.basename(file), int(number), int(start, 16))
    points = sorted(got)
    starts = [a for a, _, _ in lines]
    wrong, count = [], 0
    for lo, hi in ranges:
        want = None
        nested = any(lo <= a < hi for a, b in ranges if (a, b) != (lo, hi))
        for pc in range(lo, hi):
            count += 1
            first, last = bisect.bisect_left(starts, lo), bisect.bisect_right(starts, pc)
            want = lines[last - 1][1:] if last > first else None
            i = bisect.bisect_right(points, pc)
            func, file, number, start = got[points[i - 1]] if i else ("-", "-", 0, 0)
            bad = not nested and (func not in funcs[lo, hi] or start != lo)
            if want and (os.path.basename(want[0]), want[1]) != (file, number):
                bad = True
            if bad:
                wrong.append(f"{pc:#x}: {func} {file}:{number}, want {funcs[lo, hi]} {want}")
    return count, len(ranges), wrong


with tempfile.TemporaryDirectory() as folder:
    prog = os.path.join(folder, "prog")
    for dwarf in ("-gdwarf-4", "-gdwarf-5"):
        for flags in (["-O0"], ["-O1"], ["-O2"], ["-O3"], ["-O2", "-flto"], ["-O2", "-ffunction-sections", "-Wl,--gc-sections"]):
            if not compile(prog, dwarf, *flags):
                continue
            before = run(prog, "empty")
            report.check(f"empty before the tool {dwarf} {' '.join(flags)}", before.returncode == 0, before.stdout)
            tool = run(TOOL, prog)
            done = run(prog)
            report.check(f"known points {dwarf} {' '.join(flags)}", tool.returncode == 0 and done.returncode == 0,
                         tool.stdout + done.stdout)
    if compile(prog, "-O2"):
        run(TOOL, prog)
        with open(prog, "rb") as f:
            once = f.read()
        run(TOOL, prog)
        with open(prog, "rb") as f:
            report.check("a second run changes nothing", f.read() == once)
        stripped = os.path.join(folder, "stripped")
        run("strip", "-o", stripped, prog)
        done = run(stripped)
        report.check("stripped", done.returncode == 0, done.stdout)
        reader = prog
        for original in (prog, built("hello"), built("wordcount")):
            name = os.path.basename(original)
            image = os.path.join(folder, "image")
            run("cp", original, image)
            run(TOOL, image)
            count, nfuncs, wrong = compare(reader, image, folder)
            report.check(f"all {count} addresses in {nfuncs} functions of {name}", count > 1000 and not wrong,
                         f"{len(wrong)} differ: " + "; ".join(wrong[:5]))
    # In the middle of the image there is no room to grow.
    middle = os.path.join(folder, "middle")
    run("gcc", "-g", "-no-pie", "-o", middle, *SOURCES)
    tool = run(TOOL, middle)
    report.check("refuses a section that cannot grow", tool.returncode == 2 and "segment of its own" in tool.stdout, tool.stdout)

    image = os.path.join(folder, "hello.elf")
    run("cp", built("hello"), image)
    best = 9.0
    for _ in range(3):
        began = time.monotonic()
        text = run(TOOL, "-v", image).stdout
        best = min(best, time.monotonic() - began)
    print(f"{text.strip()}\n{best * 1000:.0f} ms", flush=True)
    rate = re.search(r"rows of ([0-9.]+) bytes", text)
    report.check("at most 2.2 bytes a row", rate and float(rate.group(1)) <= 2.2, text)
sys.exit(report.end())
