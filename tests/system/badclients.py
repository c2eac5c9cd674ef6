#!/usr/bin/python3 -B
"""Clients that do not go on, and disks that fail, under the two servers: beside who takes nothing
of an answer, or sends no more of a body, all others are served, and what was theirs comes
back.  A disk that returns errors costs the requests for its files and nothing else.

test: limit=240"""
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

from qemu import Guest, Report, built, free_port

report = Report("badclients")
STATIC = "10.0.2.15/24,gateway=10.0.2.2,dns=10.0.2.3"
BIG = 24 << 20  # more than all buffers between the server and a client that does not read
HEAD = b"GET /site/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def connect(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(150)
    s.connect(("127.0.0.1", port))
    return s


def curl(port, path, *options):
    """(status of curl, output)"""
    done = subprocess.run(["curl", "-s", "-m", "100", *options, f"http://127.0.0.1:{port}{path}"], stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout


def tasks(port):
    return json.loads(curl(port, "/api/gc")[1])["tasks"]


with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
    small = os.urandom(100_000)
    with open(f"{folder}/a.bin", "wb") as f:
        f.write(small)
    with open(f"{folder}/big.bin", "wb") as f:
        f.truncate(BIG)
    tar = f"{folder}/site.tar"
    subprocess.run(["tar", "-C", folder, "--format=ustar", "-cf", tar, "a.bin", "big.bin"], check=True)
    with open(f"{folder}/rules", "w", encoding="utf-8") as f:
        f.write('[inject-error]\nevent = "none"\niotype = "read"\nerrno = "5"\nsector = "20000"\n')

    def httpd(device, drive):
        port = free_port()
        guest = stack.enter_context(Guest(built("httpd"), ["-drive", f"if=none,id=d,format=raw,{drive}", "-device", device],
                                          ports=f"{port}:80", net=STATIC, mem="64M", limit=200))
        guest.expect("serving on port 80")
        return guest, port

    # Who does not read, who sends no more.  That they are cut off after a time is tests/unit/http.c's.
    guest, port = httpd("virtio-blk-pci,drive=d", f"file={tar},readonly=on")
    before = tasks(port)
    stuck = [connect(port) for _ in range(20)]
    for i, s in enumerate(stuck):
        s.sendall(HEAD % b"big.bin" if i % 2 else b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
    read = stuck[1].recv(1000)
    during = tasks(port)
    good = sum(curl(port, "/site/a.bin") == (0, small) for _ in range(10))
    report.check("others are served beside clients that do not go on", during >= before + 20 and good == 10 and
                 read.startswith(b"HTTP/1.1 200 OK"), (before, during, good, read))
    for s in stuck:
        s.close()
    until = time.monotonic() + 60
    while (after := tasks(port)) > before and time.monotonic() < until:
        time.sleep(0.1)
    report.check("when they go their tasks do", after == before, (before, after))
    guest.kill()

    # A disk with errors: what lies there ends early, all else is as before.
    for device in ("virtio-blk-pci,drive=d", "nvme,drive=d,serial=1"):
        bad, bad_port = httpd(device, f"file=blkdebug:{folder}/rules:{tar},readonly=on,rerror=report")
        status, data = curl(bad_port, "/site/big.bin", "-i")
        report.check(f"{device}: a file on a bad block: 500", status == 0 and data.startswith(b"HTTP/1.1 500 "), (status, data[:300]))
        report.check(f"{device}: another file is there, and so is the rest", curl(bad_port, "/site/a.bin") == (0, small) and
                     curl(bad_port, "/hello")[0] == 0, bad.text)
        bad.kill()

    # Who does not read answers of the cache: all others are served, and when it goes so does its task.
    cache_port = free_port()
    cache = stack.enter_context(Guest(built("cache"), ports=f"{cache_port}:6379", net=STATIC, mem="64M", args="maxmemory=16M"))
    cache.expect("serving on port")

    def info():
        with connect(cache_port) as s, s.makefile("rb") as file:
            s.sendall(b"INFO\r\nQUIT\r\n")
            return {k: int(v) for k, v in re.findall(r"^(tasks|connected_clients):(\d+)\r$", file.read().decode(), re.M)}

    cache_before = info()
    deaf_cache = connect(cache_port)
    deaf_cache.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n" + b"x" * 1000000 + b"\r\n" + b"GET k\r\n" * 40)
    now = [info() for _ in range(5)]
    # Three: the asker before has its answer, and its task has not come to its end.
    report.check("cache: others are served beside one that does not read", all(n["connected_clients"] in (2, 3) for n in now), now)
    deaf_cache.close()
    until = time.monotonic() + 60
    while (after := info()) != cache_before and time.monotonic() < until:
        time.sleep(0.1)
    report.check("cache: when it goes its task does", after == cache_before, (cache_before, after))
    cache.kill()

    # Who never reads is cut off, a subscriber too; who reads slowly is not.
    cache = stack.enter_context(Guest(built("cache"), ports=f"{cache_port}:6379", net=STATIC, mem="64M",
                                      args="maxmemory=16M timeout=5"))
    cache.expect("serving on port")
    cache_before = info()
    big = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n" + b"x" * 1000000 + b"\r\n"
    deaf = [connect(cache_port) for _ in range(2)]
    deaf[1].sendall(b"SUBSCRIBE news\r\n")
    deaf[1].recv(100)
    deaf[0].sendall(big + b"GET k\r\n" * 40)
    with connect(cache_port) as speaker:
        for _ in range(8):
            speaker.sendall(b"*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n$1000000\r\n" + b"y" * 1000000 + b"\r\n")
            speaker.recv(100)
    with socket.create_connection(("127.0.0.1", cache_port), 150) as slow:
        slow.sendall(big + b"GET k\r\n" * 8 + b"QUIT\r\n")
        got = b""
        while piece := slow.recv(1 << 16):
            got += piece
            time.sleep(0.06) # seven seconds in all, and more
    until = time.monotonic() + 60
    while (after := info()) != cache_before and time.monotonic() < until:
        time.sleep(0.1)
    report.check("cache: who never reads is cut off", after == cache_before, (cache_before, after, cache.text))
    report.check("cache: who reads slowly gets all", len(got) == 5 + 8 * 1000012 + 5, (len(got), got[-100:]))
    for s in deaf:
        s.close()
    cache.kill()
sys.exit(report.end())
