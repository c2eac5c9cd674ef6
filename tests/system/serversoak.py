#!/usr/bin/python3 -B
"""The two servers under load for long: wrk at apps/httpd, redis-benchmark at apps/cache, of
which some are killed in the midst, beside clients that break off wherever they are.  Those
that were left alone must have met no error, and afterwards the heap and the number of tasks
are what they were.

    tests/system/serversoak.py                          what CI runs: both, some seconds each
    tests/system/serversoak.py httpd|cache MINUTES [SEED]   make soak APP=httpd MINUTES=20

test: limit=400"""
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request

from qemu import Guest, Report, built, free_port

STATIC = "10.0.2.15/24,gateway=10.0.2.2,dns=10.0.2.3"
# Of each tool, of which three run beside one another.  QEMU's network listens with a backlog of one, and
# where dozens connect at once it is the host that loses some.
CLIENTS = (1, 4, 8)
SLACK = 256 << 10  # bytes of heap between two looks that are nobody's leak
SETTLE = 60        # s until what TCP keeps of closed connections must be gone
PIECE = 5          # s of load in a row


def reset(s):
    """Ends the connection by a reset."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class Server:
    """What the two have in common: piece() is some load, look() reads (tasks, heap)."""

    def __init__(self, rng, port):
        self.rng, self.port = rng, port
        self.done, self.cut, self.broken = 0, 0, 0  # requests of whole runs, runs killed, clients that broke off
        self.errors = []

    def tool(self, command, cut):
        """Runs a load generator to its end, or kills it after so many seconds."""
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if cut:
            time.sleep(cut)
            child.send_signal(signal.SIGKILL)
            child.communicate()
            self.cut += 1
            return
        try:
            text = child.communicate(timeout=120)[0]
        except subprocess.TimeoutExpired:
            child.kill()
            text = child.communicate()[0] + "\nno end after 120 s"
        if child.returncode:
            self.errors.append(f"{' '.join(command)}: status {child.returncode}: {text}")
        self.judge(command, text)

    def breaker(self, seconds):
        """Clients that break off: before, in, or after a request, or amid the answer."""
        rng, until = random.Random(self.rng.random()), time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=0.3) as s:
                    text = self.request(rng)
                    s.sendall(text[:rng.randrange(len(text) + 1)] if rng.randrange(2) else text)
                    how = rng.randrange(4)
                    if how == 0:
                        s.shutdown(socket.SHUT_WR)
                    if how <= 1:
                        s.recv(rng.randrange(1, 3000)) if text else None
                    if how != 2:
                        reset(s)
            except OSError:
                pass # such is their life
            self.broken += 1

    def piece(self, seconds):
        jobs = [threading.Thread(target=self.tool, args=(self.command(seconds), 0)),
                threading.Thread(target=self.tool, args=(self.command(seconds + 5), self.rng.uniform(0.1, seconds))),
                threading.Thread(target=self.tool, args=(self.command(seconds + 5), self.rng.uniform(0.1, seconds))),
                threading.Thread(target=self.breaker, args=(seconds,))]
        for j in jobs:
            j.start()
        for j in jobs:
            j.join()

    def settled(self, base):
        """Waits until tasks and heap are those of base, if there is one: what they are in the end."""
        until = time.monotonic() + SETTLE
        while True:
            tasks, heap = now = self.look()
            if base and tasks <= base[0] and heap <= base[1] + SLACK or not base and tasks <= self.least or time.monotonic() > until:
                return now
            time.sleep(0.2)


class Httpd(Server):
    app, ready, mem, guest_port, least = "httpd", "httpd: serving on port 80", "32M", 80, 6

    def command(self, seconds):
        path = self.rng.choice(("/hello", "/", "/api/stats", "/style.css"))
        return ["wrk", "-t1", f"-c{self.rng.choice(CLIENTS)}", f"-d{seconds}s", "--timeout", "60s",
                f"http://127.0.0.1:{self.port}{path}"]

    def warm(self):
        pass

    def judge(self, command, text):
        found = re.search(r"(\d+) requests in", text)
        if not found or "Socket errors" in text or "Non-2xx" in text:
            self.errors.append(f"{' '.join(command)}: {text}")
        self.done += int(found[1]) if found else 0

    def request(self, rng):
        return rng.choice((b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" * rng.randrange(1, 50), b"GET /stats.js HTTP/1.1\r\nHost: x\r\n\r\n",
                           b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20000,
                           b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 200 + b"0\r\n\r\n",
                           b"GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n", rng.randbytes(300)))

    def look(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/gc", timeout=60) as answer:
            now = json.load(answer)
        return now["tasks"], now["heap"]


class Cache(Server):
    app, ready, mem, guest_port, least = "cache", "cache: serving on port", "64M", 6379, 6

    def command(self, seconds):
        # It takes a number of requests, not a time.  What is large is not pipelined: of a pipeline
        # that the socket does not take at once redis-benchmark 7.0 sends parts again and again.
        pipeline = self.rng.choice((1, 8, 32))
        return ["redis-benchmark", "-p", str(self.port), "-t", self.rng.choice(("set,get", "incr,mset", "ping,set", "get")),
                "-n", str((500 if pipeline == 1 else 2000) * seconds), "-r", "1000", "-d", str(self.rng.choice((3, 1000)) if pipeline == 1 else 3),
                "-c", str(self.rng.choice(CLIENTS)), "-P", str(pipeline), "-q", "--csv"]

    def warm(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as s, s.makefile("rb") as file:
            s.sendall(b"".join(b"SET warm:%d x\r\n" % i for i in range(5000)) + b"QUIT\r\n")
            file.read() # its maps are as large as they become

    def judge(self, command, text):
        rows = len(re.findall(r'^"(?!test)', text, re.M))
        if not rows or "rror" in text or "WARNING" in text:
            self.errors.append(f"{' '.join(command)}: {text}")
        self.done += rows * int(command[command.index("-n") + 1])

    def request(self, rng):
        return rng.choice((b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" * rng.randrange(1, 200),
                           b"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$90000\r\n" + b"x" * 90000 + b"\r\nGET b\r\nGET b\r\n",
                           b"SUBSCRIBE news\r\n", b"PUBLISH news text\r\n", rng.randbytes(300)))

    def look(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as s, s.makefile("rb") as file:
            s.sendall(b"FLUSHALL\r\nMEMORY PURGE\r\nINFO\r\nQUIT\r\n")
            now = dict(re.findall(r"^(\w+):(\S*)\r$", file.read().decode(), re.M))
        return int(now["tasks"]), int(now["heap_alloc"])


def soak(kind, seconds, seed, every, show):
    """Load for so long, a look at it after each `every` seconds: (ok, what happened)."""
    rng, port, looks = random.Random(seed), free_port(), []
    with Guest(built(kind.app), ports=f"{port}:{kind.guest_port}", net=STATIC, mem=kind.mem, limit=2 * seconds + 1000) as guest:
        if not guest.expect(kind.ready):
            return False, guest.text
        server = kind(rng, port)
        server.warm() # whatever is made once and kept is there now
        server.piece(1)
        base, began = server.settled(None), time.monotonic()
        while (passed := time.monotonic() - began) < seconds and not server.errors:
            until = time.monotonic() + min(every, seconds - passed)
            while time.monotonic() < until and not server.errors:
                server.piece(max(3, min(PIECE, int(until - time.monotonic()))))
            looks.append(server.settled(base))
            if show:
                print(f"{time.monotonic() - began:6.0f} s: {server.done} requests, {server.cut} clients killed, {server.broken} that "
                      f"broke off, {len(server.errors)} errors, {looks[-1][0]} tasks, {looks[-1][1]} bytes of heap", flush=True)
            guest.read_some(0)
        tasks, heap = looks[-1] if looks else base
        story = (f"{kind.app}, {seconds} s, seed {seed}: {server.done} requests, {server.cut} clients killed, {server.broken} broke off; "
                 f"at first {base[0]} tasks, {base[1]} bytes of heap, in the end {tasks}, {heap}")
        alive = guest.process.poll() is None and "panic" not in guest.text
        good = not server.errors and alive and tasks <= base[0] and heap <= base[1] + SLACK and server.done and server.cut
        return good, "\n".join([story, *server.errors[:5], *([] if alive else [guest.text[-4000:]])])


def main():
    kinds = {"httpd": Httpd, "cache": Cache}
    if len(sys.argv) > 2 and sys.argv[1] in kinds:
        seed = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else random.randrange(1 << 32)
        good, story = soak(kinds[sys.argv[1]], int(float(sys.argv[2]) * 60), seed, 60, True)
        print(story if good else f"serversoak.py: failed: {story}")
        return 0 if good else 1
    report = Report("serversoak")
    for kind in kinds.values():
        good, story = soak(kind, 4, random.randrange(1 << 32), 4, False)
        report.check(f"{kind.app}: no error, and all comes back", good, story)
        print(story)
    return report.end()


sys.exit(main())
