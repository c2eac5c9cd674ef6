#!/usr/bin/python3 -B
"""What a request costs: httpd and cache beside Go's and Redis on Linux in the same QEMU,
over a tap device (so as root), with wrk and redis-benchmark.

    servers.py [--smp 1,2] [--conns 1,16,64] [--depth 1,16] [--seconds 3] [--rounds 1]
               [--count] [--top N] SERVER ...

SERVER: httpd, cache; go-http, go-resp, redis need LINUX=DIR, a kernel's package unpacked
(apt-get download linux-image-..., dpkg -x), the Go ones PEERS=FILE, ../shared/peers/go built
with CGO_ENABLED=0.  --count: instructions (insns.c), whatever else the machine does, and with
--top the functions of an image of ours.  --idle: nobody asks; --conns connections (0 too) that asked
once stay open for --seconds, and the line says QEMU's share of a host core.  Else a line of the result says: requests per second and
the latency that 99 % keep; the time of all of QEMU and of its busiest virtual core for each
request, which is what limits it if the host had cores enough; frames; instructions."""
import argparse
import bisect
import collections
import glob
import gzip
import mmap
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODULES = "virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net".split()
LINUX_LINE = "console=ttyS0 quiet loglevel=1 panic=-1 tsc=reliable clocksource=tsc mitigations=off nokaslr"
LUA = "init = function() local r = {} for i = 1, %s do r[i] = wrk.format('GET', '/hello') end req = table.concat(r) end\n" \
      "request = function() return req end\n"


def archive(files):
    """A cpio archive, newc, compressed: (name, mode, bytes)."""
    out = bytearray()
    for i, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")]):
        name = name.encode() + b"\0"
        out += b"070701" + b"".join(b"%08X" % v for v in (i + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 5, 1, len(name), 0)) + name
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return gzip.compress(bytes(out), 1)


def build_plugin(folder):
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", f"{folder}/insns.so", os.path.join(ROOT, "tests/system/insns.c")], check=True)


def read_plugin(table):
    """{address: instructions executed from there on}: what insns.c counts."""
    with open(table, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        v = struct.unpack(f"<{len(m) // 8}Q", m[:])
    return {pc: n for pc, n in zip(v[::2], v[1::2]) if pc}


def linux(folder, program, modules=MODULES):
    """QEMU's options for a Linux with this program as /server."""
    def content(path):
        with open(path, "rb") as f:
            return f.read()
    base = os.environ["LINUX"]
    subprocess.run(["gcc", "-O2", "-static", "-o", f"{folder}/init", os.path.join(ROOT, "tests/system/linuxinit.c")], check=True)
    files = [("dev", 0o40755, b""), ("dev/console", 0o20600, b""), ("modules", 0o40755, b""), ("init", 0o100755, content(f"{folder}/init")),
             ("server", 0o100755, content(program))]
    for i, m in enumerate(modules):
        for path in glob.glob(f"{base}/lib/modules/*/kernel/**/{m}.ko", recursive=True):
            files.append((f"modules/{i}-{m}.ko", 0o100644, content(path)))
    made = set()
    for lib in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode()):
        parts = lib.strip("/").split("/")
        for i in range(1, len(parts)):
            if "/".join(parts[:i]) not in made:
                made.add("/".join(parts[:i]))
                files.append(("/".join(parts[:i]), 0o40755, b""))
        files.append((lib.strip("/"), 0o100755, content(lib)))
    with open(f"{folder}/initrd", "wb") as f:
        f.write(archive(files))
    return ["-kernel", glob.glob(f"{base}/boot/vmlinuz-*")[-1], "-initrd", f"{folder}/initrd"]


class Server:
    def __init__(self, what, smp, count, folder):
        tap, net = f"bench{os.getpid() % 10000}", 20 + os.getpid() % 200
        self.tap, self.ip, self.http = tap, f"10.91.{net}.15", "http" in what
        self.port = 80 if self.http else 6379
        self.image = os.path.join(ROOT, f"build/metal/app/{what}.elf")
        if what in ("httpd", "cache"):
            boot = ["-kernel", self.image, "-append", f"NET={self.ip}/24"]
        else:
            program = shutil.which("redis-check-rdb") if what == "redis" else os.environ["PEERS"]
            words = "--save --protected-mode no --bind 0.0.0.0" if what == "redis" else f"{what[3:]} :{self.port}"
            boot = linux(folder, program) + ["-append", f"{LINUX_LINE} server.ip={self.ip} GOMAXPROCS={smp} -- {words}"]
        many = smp > 1
        subprocess.run(f"ip tuntap add {tap} mode tap {'multi_queue' if many else ''} && ip addr add 10.91.{net}.1/24 dev {tap} && "
                       f"ip link set {tap} up", shell=True, check=True)
        self.table = f"{folder}/table"
        self.log = open(f"{folder}/log", "wb")
        self.qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi" if many else "tcg", "-cpu", "max", "-smp", str(smp),
             "-m", "512M", "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot", "-name", "s,debug-threads=on",
             *(["-plugin", f"{folder}/insns.so,out={self.table}"] if count else []),
             "-netdev", f"tap,id=n,ifname={tap},script=no,downscript=no" + (f",queues={smp}" if many else ""),
             "-device", "virtio-net-pci,netdev=n,romfile=" + (f",mq=on,vectors={2 * smp + 2}" if many else ""), *boot],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 120
        while True:
            try:
                socket.create_connection((self.ip, self.port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > end:
                    self.stop()
                    sys.exit(f"{what}: no answer; {folder}/log")
                time.sleep(0.1)

    def stop(self):
        self.qemu.kill()
        self.qemu.wait()
        subprocess.call(["ip", "link", "del", self.tap])

    def times(self):
        """Seconds of each thread, by name."""
        out = {}
        for t in os.listdir(f"/proc/{self.qemu.pid}/task"):
            with open(f"/proc/{self.qemu.pid}/task/{t}/schedstat", encoding="ascii") as f, \
                    open(f"/proc/{self.qemu.pid}/task/{t}/comm", encoding="ascii") as name:
                out[name.read().strip() + " " + t] = int(f.read().split()[0]) / 1e9
        return out

    def counts(self):
        return read_plugin(self.table)

    def frames(self):
        total = 0
        for way in ("rx", "tx"):
            with open(f"/sys/class/net/{self.tap}/statistics/{way}_packets", encoding="ascii") as f:
                total += int(f.read())
        return total

    def client(self, conns, depth, seconds, folder):
        """How many requests, in a second, the 99th percentile of the latency."""
        if self.http:
            with open(f"{folder}/pipe.lua", "w", encoding="ascii") as f:
                f.write(LUA % depth)
            text = subprocess.run(["wrk", "-t1", f"-c{conns}", f"-d{seconds}s", "--latency", *(["-s", f"{folder}/pipe.lua"] if depth > 1 else []),
                                   f"http://{self.ip}/hello"], stdout=subprocess.PIPE, check=True).stdout.decode()
            bad = re.search(r"Non-2xx.*|Socket errors.*", text)
            return (int(re.search(r"(\d+) requests in", text)[1]), float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
                    re.search(r"99%\s+([\d.]+\w*s)", text)[1] + (" " + bad[0] if bad else ""))
        n = 20000 * seconds * (depth if depth < 4 else 4)
        text = subprocess.run(["redis-benchmark", "-h", self.ip, "-c", str(conns), "-n", str(n // 2), "-t", "set,get", "-P", str(depth), "-r", "1000",
                               "--csv"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
        rows = [[c.strip('"') for c in line.split(",")] for line in text.splitlines() if line.startswith(('"SET"', '"GET"'))]
        return n // 2 * len(rows), " ".join(f"{r[0]} {float(r[1]):.0f}" for r in rows), " ".join(r[6] + "ms" for r in rows)


def idle(server, conns, o):
    """Connections that asked once and then stay silent."""
    ask, opened = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" if server.http else b"PING\r\n", []
    for _ in range(conns):
        s = socket.create_connection((server.ip, server.port))
        s.sendall(ask)
        s.recv(1000)
        opened.append(s)
    time.sleep(20) # in which stacks are put away, and each peer is asked once whether it lives
    times, counts, begin = server.times(), server.counts() if o.count else {}, time.monotonic()
    time.sleep(o.seconds)
    took = time.monotonic() - begin
    share = sum(t - times.get(name, 0) for name, t in server.times().items()) / took
    say(f"idle, {conns} connections: {100 * share:.2f} % of a host core", "instructions a second", server, counts, took, o)


def say(line, what, server, before, n, o):
    """A line of the result, with --count the instructions since then for each of n, and where."""
    if o.count:
        insns = {pc: c - before.get(pc, 0) for pc, c in server.counts().items()}
        line += f"; {what} {sum(insns.values()) / n:.0f}"
    print(line, flush=True)
    if o.count and o.top:
        top(server, insns, n, o.top)


def top(server, spent, n, lines):
    syms = sorted((int(w[0], 16), w[2]) for w in (line.split() for line in subprocess.run(
        ["nm", server.image], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()) if len(w) == 3 and w[1] in "tTwW")
    starts, by = [s[0] for s in syms], collections.Counter()
    for pc, count in spent.items():
        by[syms[max(bisect.bisect_right(starts, pc) - 1, 0)][1]] += count
    for name, count in by.most_common(lines):
        print(f"{count / n:10.1f} {name}")


def main():
    numbers = lambda s: [int(v) for v in s.split(",")]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("servers", nargs="+", choices=["httpd", "cache", "go-http", "go-resp", "redis"])
    p.add_argument("--smp", type=numbers, default=[1])
    p.add_argument("--conns", type=numbers, default=[64])
    p.add_argument("--depth", type=numbers, default=[1])
    p.add_argument("--seconds", type=int, default=3)
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("--top", type=int, default=0)
    p.add_argument("--count", action="store_true")
    p.add_argument("--idle", action="store_true")
    o = p.parse_args()
    if o.idle:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(o.conns) + 100, max(o.conns) + 100))
    with tempfile.TemporaryDirectory() as folder:
        build_plugin(folder)
        for what, smp in [(w, s) for _ in range(o.rounds) for s in o.smp for w in o.servers]: # in turn
            server = Server(what, smp, o.count, folder)
            try:
                if o.idle:
                    for conns in o.conns:
                        print(f"{what} smp {smp} ", end="")
                        idle(server, conns, o)
                    continue
                server.client(16, 1, 1, folder)
                for conns, depth in [(c, d) for c in o.conns for d in o.depth]:
                    times, frames, counts = server.times(), server.frames(), server.counts() if o.count else {}
                    n, rate, p99 = server.client(conns, depth, o.seconds, folder)
                    spent = {name: t - times.get(name, 0) for name, t in server.times().items()}
                    busiest = max(t for name, t in spent.items() if name.startswith("CPU"))
                    say(f"{what} smp {smp} conns {conns} depth {depth}: {rate}/s, 99 % in {p99}; us/request QEMU {sum(spent.values()) / n * 1e6:.1f}, "
                        f"busiest core {busiest / n * 1e6:.1f}; frames {(server.frames() - frames) / n:.2f}", "instructions", server, counts, n, o)
            finally:
                server.stop()


if __name__ == "__main__":
    main()
