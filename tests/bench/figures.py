#!/usr/bin/python3 -B
"""The figures of README that need a clock: prints them as README's table has them.

    figures.py [boot] [answer] [cores] [loop] [idle] [words]

Run by `make figures` on a machine with nothing else to do; the images are
built.  Times depend on the host: a bare guest (bare.S) runs beside ours."""
import os
import re
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tests/system"))
from qemu import free_port

APPS = os.path.join(ROOT, "build/metal/app")
RUNS = 7


def spread(values, unit):
    return f"{statistics.median(values):.1f} {unit} ({min(values):.1f} .. {max(values):.1f})"


def microvm(image, *more, **popen):
    return subprocess.Popen(["qemu-system-x86_64", "-machine", "microvm", "-global", "virtio-mmio.force-legacy=false",
                             "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "64M", "-nodefaults", "-no-user-config",
                             "-display", "none", "-no-reboot", "-kernel", image, *more], stdin=subprocess.DEVNULL, **popen)


def first_line(image):
    """Milliseconds from exec of QEMU to the end of the first line."""
    read, write = os.pipe()
    began = time.perf_counter()
    qemu = microvm(image, "-serial", "stdio", stdout=write)
    os.close(write)
    while os.read(read, 1) not in (b"\n", b""):
        pass
    took = (time.perf_counter() - began) * 1000
    qemu.kill()
    qemu.wait()
    os.close(read)
    return took


def bare_guest(tmp):
    subprocess.run(["gcc", "-m32", "-c", "-o", f"{tmp}/bare.o", os.path.join(ROOT, "tests/bench/bare.S")], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext=0x100000", "-N", "--no-warn-rwx-segments", "-o", f"{tmp}/bare", f"{tmp}/bare.o"], check=True)
    return f"{tmp}/bare"


def boot():
    with tempfile.TemporaryDirectory() as tmp:
        image = bare_guest(tmp)
        ours, bare = [], []
        for _ in range(RUNS):
            bare.append(first_line(image))
            ours.append(first_line(os.path.join(APPS, "hello.stripped")))
    print(f"exec of QEMU to hello's line, microvm: {spread(ours, 'ms')}; a bare guest beside it {spread(bare, 'ms')}")


def first_answer():
    """Milliseconds from exec of QEMU to httpd's first answer, over QEMU's user network.  That loses the first
    connections, made when nobody there has an address yet: one is tried every 2 ms until one is answered."""
    port = free_port()
    began = time.perf_counter()
    qemu = microvm(os.path.join(APPS, "httpd.stripped"), "-append", "NET=10.0.2.15/24,gateway=10.0.2.2", "-netdev",
                   f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:80", "-device", "virtio-net-device,netdev=net")
    tried, answer = [], b""
    while not answer and qemu.poll() is None:
        s = socket.socket()
        s.settimeout(0.01) # the kernel would ask QEMU again after a second
        try:
            s.connect(("127.0.0.1", port))
            s.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            tried.append(s)
        except OSError:
            pass
        for s in select.select(tried, [], [], 0.002)[0]:
            try:
                answer = answer or s.recv(4096)
            except OSError:
                pass
            if not answer:
                tried.remove(s)
    took = (time.perf_counter() - began) * 1000
    qemu.kill()
    qemu.wait()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"httpd answered {answer!r}")
    return took


def answer():
    with tempfile.TemporaryDirectory() as tmp:
        bare = bare_guest(tmp)
        pairs = [(first_line(bare), first_answer()) for _ in range(RUNS)]
    print(f"exec of QEMU to httpd's first answer, microvm: {spread([p[1] for p in pairs], 'ms')}; "
          f"a bare guest's line beside it {spread([p[0] for p in pairs], 'ms')}")


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


for name in sys.argv[1:] or ("boot", "answer", "cores", "loop", "idle", "words"):
    {"boot": boot, "answer": answer, "cores": cores, "loop": loop, "idle": idle, "words": words}[name]()
    sys.stdout.flush()
