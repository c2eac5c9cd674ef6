#!/usr/bin/python3 -B
"""The figures of README that need a clock: prints them as README's table has them.

    figures.py [boot] [cores] [loop] [idle] [words]

Run by `make figures` on a machine with nothing else to do; the images are
built.  Times depend on the host: a bare guest (bare.S) runs beside ours."""
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
APPS = os.path.join(ROOT, "build/metal/app")
RUNS = 7


def spread(values, unit):
    return f"{statistics.median(values):.1f} {unit} ({min(values):.1f} .. {max(values):.1f})"


def first_line(image):
    """Milliseconds from exec of QEMU to the end of the first line."""
    read, write = os.pipe()
    began = time.perf_counter()
    qemu = subprocess.Popen(["qemu-system-x86_64", "-machine", "microvm", "-accel", "tcg", "-cpu", "max", "-smp", "1",
                             "-m", "64M", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
                             "-no-reboot", "-kernel", image], stdout=write, stdin=subprocess.DEVNULL)
    os.close(write)
    while os.read(read, 1) not in (b"\n", b""):
        pass
    took = (time.perf_counter() - began) * 1000
    qemu.kill()
    qemu.wait()
    os.close(read)
    return took


def boot():
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(["gcc", "-m32", "-c", "-o", f"{tmp}/bare.o", os.path.join(ROOT, "tests/bench/bare.S")], check=True)
        subprocess.run(["ld", "-m", "elf_i386", "-Ttext=0x100000", "-N", "--no-warn-rwx-segments", "-o", f"{tmp}/bare", f"{tmp}/bare.o"], check=True)
        ours, bare = [], []
        for _ in range(RUNS):
            bare.append(first_line(f"{tmp}/bare"))
            ours.append(first_line(os.path.join(APPS, "hello.stripped")))
    print(f"exec of QEMU to hello's line, microvm: {spread(ours, 'ms')}; a bare guest beside it {spread(bare, 'ms')}")


def run(image, **settings):
    env = dict(os.environ, TIMEOUT="120", **{k: str(v) for k, v in settings.items()})
    done = subprocess.run([os.path.join(ROOT, "tests/qemu.sh"), os.path.join(APPS, image)], env=env,
                          stdout=subprocess.PIPE, check=False)
    return done.stdout.decode(errors="replace")


def cores():
    took = [float(re.search(r"8 of 8 cores up in (\d+) us", run("hello.elf", SMP=8, MACHINE="microvm", BOOT="kernel=verbose"))[1])
            / 1000 for _ in range(RUNS)]
    print(f"8 cores up, INIT-SIPI included: {spread(took, 'ms')} of guest time")


def loop():
    for smp in (1, 2):
        found = [re.search(r"slept (\d+) us, collected in (\d+) us", run("ends.elf", SMP=smp, ARGS="loop")) for _ in range(RUNS)]
        print(f"beside a tight loop, {smp} core(s): a 50 ms sleep ends after {spread([int(f[1]) / 1000 for f in found], 'ms')}, "
              f"a collection takes {spread([int(f[2]) / 1000 for f in found], 'ms')}")


def cpu_seconds(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def idle():
    qemu = subprocess.Popen(["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2",
                             "-m", "64M", "-nodefaults", "-display", "none", "-serial", "null", "-no-reboot", "-kernel",
                             os.path.join(APPS, "idle.elf"), "-append", "-- 60"], stdin=subprocess.DEVNULL)
    time.sleep(3)
    before = cpu_seconds(qemu.pid)
    time.sleep(10)
    print(f"idle guest, 2 cores: {(cpu_seconds(qemu.pid) - before) * 10:.3f} % of a host core over 10 s")
    qemu.kill()
    qemu.wait()


def words():
    with tempfile.TemporaryDirectory() as tmp:
        text = b"".join(open(os.path.join("/usr/share/common-licenses", n), "rb").read()
                        for n in sorted(os.listdir("/usr/share/common-licenses")))
        path = os.path.join(tmp, "text")
        with open(path, "wb") as f:
            f.write((text * ((100 << 20) // len(text) + 1))[:100 << 20])
        took, out = {1: [], 2: []}, {}
        for _ in range(3):
            for smp in (1, 2):
                began = time.perf_counter()
                out[smp] = run("wordcount.elf", SMP=smp, MEM="1G", FILE=path)
                took[smp].append(time.perf_counter() - began)
    one, two = statistics.median(took[1]), statistics.median(took[2])
    print(f"word count of 100 MiB, whole run of QEMU: {one:.2f} s on one core, {two:.2f} s on two: {one / two:.2f} times as fast, "
          f"{'same' if out[1] == out[2] and len(out[1]) > 1000 else 'DIFFERENT'} output")


for name in sys.argv[1:] or ("boot", "cores", "loop", "idle", "words"):
    {"boot": boot, "cores": cores, "loop": loop, "idle": idle, "words": words}[name]()
    sys.stdout.flush()
