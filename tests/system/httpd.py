#!/usr/bin/python3 -B
"""The web server in QEMU, asked by curl through QEMU's own network: by DHCP and
with a static address, over PCI and mmio; many at once; clients that stop half-way, are
slow, send nonsense, stay idle; files of the image, of a disk, of the boot.

test: limit=300"""
import concurrent.futures
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

from qemu import Guest, Report, boot, built, free_port

report = Report("httpd")
image = built("httpd")


def curl(port, path, *options):
    """(status of curl, output)"""
    done = subprocess.run(["curl", "-s", "-S", "-m", "60", *options, f"http://127.0.0.1:{port}{path}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def serving(guest):
    return guest.expect(r"httpd: serving on port 80")


STATIC = "10.0.2.15/24,gateway=10.0.2.2,dns=10.0.2.3"
for what, settings in (("q35, DHCP", {}), ("microvm, DHCP", {"machine": "microvm"}), ("q35, static", {"net": STATIC}),
                       ("q35, DHCP, 4 cores, 8 MiB", {"smp": 4, "mem": "8M"}),
                       ("microvm, static, 1 core, 8 MiB", {"machine": "microvm", "net": STATIC, "smp": 1, "mem": "8M"})):
    port = free_port()
    with Guest(image, ports=f"{port}:80", **settings) as guest:
        up = serving(guest)
        report.check(f"{what}: has its address", up and "eth0 10.0.2.15\n" in guest.text, guest.text)
        status, text = curl(port, "/hello", "-i")
        report.check(f"{what}: answers", status == 0 and text.startswith(b"HTTP/1.1 200 OK\r\n") and
                     text.endswith(b"\r\n\r\nHello, World!\n"), (status, text))

port = free_port()
with Guest(image, ports=f"{port}:80", args="debug") as guest:
    serving(guest)
    status, text = curl(port, "/debug/netstat")
    report.check("the console over HTTP, when asked for", status == 0 and b"10.0.2.15" in text and b":80" in text, text)
with Guest(image, args="debig") as guest:
    report.check("an unknown argument", guest.expect("httpd: unknown argument 'debig'; there is debug") and guest.wait() != 0, guest.text)

port = free_port()
with Guest(image, ports=f"{port}:80", smp=4) as guest, tempfile.TemporaryDirectory() as folder:
    serving(guest)
    status, text = curl(port, "/")
    report.check("a page", status == 0 and b"<h1>Ingot</h1>" in text, text)
    status, text = curl(port, "/api/stats")
    report.check("figures in JSON", status == 0 and json.loads(text)["cores"] == 4, text)
    guest.send("ps\n")
    report.check("the console shows its tasks", guest.expect(r"\n *\d+ +\d+ +\d+ +\S+  IO wait \(system\) +\w+ \S+:\d+", 60), guest.text)
    status, text = curl(port, "/debug/ps", "-i")
    report.check("but not to everyone", status == 0 and text.startswith(b"HTTP/1.1 404 "), text)
    status, text = curl(port, "/api/echo", "-d", 'a "quoted"\n\x01line', "-H", "Content-Type: text/x")
    report.check("an echo in JSON", status == 0 and json.loads(text) == {
        "method": "POST", "path": "/api/echo", "type": "text/x", "length": 16, "body": 'a "quoted"\n\x01line'}, text)
    status, text = curl(port, "/nothing", "-i")
    report.check("404", status == 0 and text.startswith(b"HTTP/1.1 404 Not Found\r\n"), text)
    status, text = curl(port, "/hello", "-i", "-X", "DELETE")
    report.check("405 says what is allowed", status == 0 and b"\r\nAllow: GET\r\n" in text, text)
    status, text = curl(port, "/hello", "-I")
    report.check("HEAD", status == 0 and b"Content-Length: 14" in text and text.endswith(b"\r\n\r\n"), text)

    with open(f"{folder}/data", "wb") as f:
        f.write(os.urandom(3_000_000))
    with open(f"{folder}/data", "rb") as f:
        want = hashlib.sha256(f.read()).hexdigest()
    for how in ("-T", "--data-binary"):
        options = ["-X", "POST", "-T", f"{folder}/data"] if how == "-T" else ["--data-binary", f"@{folder}/data"]
        chunked = ["-H", "Transfer-Encoding: chunked"] if how == "-T" else []
        status, text = curl(port, "/echo", *options, *chunked)
        report.check(f"3 MB there and back {how}", status == 0 and hashlib.sha256(text).hexdigest() == want,
                     (status, len(text)))
    status, text = curl(port, "/hello", "-w", "%{num_connects}\n", f"http://127.0.0.1:{port}/hello", "-w", "%{num_connects}\n")
    report.check("one connection for two requests", status == 0 and sorted(text.split(b"\n"))[1:3] == [b"0", b"1"], text)

    # Clients that stop half-way, in every way.
    idle = []
    for text in (b"", b"GET /he", b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab", b"\0\0\0"):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(text)
        idle.append(s)
    for s in idle[2:]:
        s.close()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: curl(port, "/hello"), range(128)))
    good = sum(a == (0, b"Hello, World!\n") for a in answers)
    report.check("128 requests, 32 at a time", good == 128, [a for a in answers if a[0]][:3])
    for s in idle[:2]:
        s.close()

# A tap device hands the host's frames over as they are: segments of 64 KiB, checksums
# left to be made, both ways.  Needs a machine where we may make one.
tap, subnet = f"ingot{os.getpid() % 10000}", f"10.{os.getpid() % 200 + 30}.{os.getpid() // 200 % 200}"
made = os.path.exists("/dev/net/tun") and subprocess.call(
    f"ip tuntap add {tap} mode tap && ip addr add {subnet}.1/24 dev {tap} && ip link set {tap} up",
    shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
if made:
    try:
        for what, options in (("with offloads", ""), ("without", ",csum=off,guest_csum=off,mrg_rxbuf=off")):
            extra = ["-netdev", f"tap,id=n,ifname={tap},script=no,downscript=no",
                     "-device", f"virtio-net-pci,netdev=n{options}"]
            with Guest(image, extra, net=f"{subnet}.2/24") as guest, tempfile.TemporaryDirectory() as folder:
                serving(guest)
                with open(f"{folder}/data", "wb") as f:
                    f.write(os.urandom(3_000_000))
                with open(f"{folder}/data", "rb") as f:
                    want = hashlib.sha256(f.read()).hexdigest()
                done = subprocess.run(["curl", "-s", "-S", "-m", "60", "--data-binary", f"@{folder}/data",
                                       f"http://{subnet}.2/echo"], stdout=subprocess.PIPE, check=False)
                report.check(f"3 MB there and back on a tap device {what}", done.returncode == 0 and
                             hashlib.sha256(done.stdout).hexdigest() == want, (done.returncode, len(done.stdout)))
    finally:
        subprocess.call(["ip", "link", "del", tap])
else:
    report.skip("a tap device", "none can be made on this machine")

# The first NIC of real boards, which computes TCP's checksums another way.
port = free_port()
with Guest(image, ["-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:80", "-device", "e1000e,netdev=n"], smp=2) as guest:
    serving(guest)
    body = os.urandom(300_000)
    done = subprocess.run(["curl", "-s", "-S", "-m", "60", "--data-binary", "@-", f"http://127.0.0.1:{port}/echo"], input=body,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    report.check("over an e1000e: 300 KB there and back", done.stdout == body, (done.returncode, done.stdout[:200], guest.text))
def connect(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(60)
    return s


def read_all(s):
    """To the end, or the reset."""
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except ConnectionResetError:
        data += b"(reset)"
    return data


def ask(port, text):
    with connect(port) as s:
        s.sendall(text)
        return read_all(s)


def stats(port):
    """After a collection, and with the stacks of idle tasks put away."""
    return json.loads(curl(port, "/api/gc")[1])


GET = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
port = free_port()
with Guest(image, ports=f"{port}:80") as guest:
    serving(guest)
    # Slow with the head: cut off after 10 s; looked at below.
    slow = connect(port)
    slow.sendall(b"GET /hello HTT")
    begun = time.monotonic()

    with connect(port) as s:
        sender = threading.Thread(target=s.sendall, args=(GET * 2000 + LAST,))
        sender.start()
        data = read_all(s)
        sender.join()
    report.check("2001 requests in one go", data.count(b"HTTP/1.1 200 OK\r\n") == 2001, data[-300:])
    with connect(port) as s:
        s.sendall(GET)
        s.shutdown(socket.SHUT_WR)
        data = read_all(s)
    report.check("a client that closed its half gets its answer", data.endswith(b"\r\n\r\nHello, World!\n"), data)
    for what, text, status, message in (
            ("nonsense", b"nonsense\r\n\r\n", 400, b"Bad Request"),
            ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, b"Bad Request"),
            ("no host", b"GET / HTTP/1.1\r\n\r\n", 400, b"Bad Request"),
            ("a bad escape", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, b"Bad Request"),
            ("two lengths", b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, b""),
            ("a long header", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 70000 + b"\r\n\r\n", 431, b"Header Fields Too Large"),
            ("many headers", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431, b""),
            ("a long target", b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431, b""),
            ("another version", b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, b"Not Supported"),
            ("an expectation", b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: x\r\nContent-Length: 1\r\n\r\n", 417, b""),
            ("a body of 1 MB where 64 KB are the limit",
             b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000000, 413, b"body too large")):
        data = ask(port, text)
        report.check(f"{what}: {status}", data.startswith(b"HTTP/1.1 %d " % status) and message in data and
                     b"\r\nConnection: close\r\n" in data and b"(reset)" not in data, data[:300])

    before = stats(port)
    watcher = connect(port)
    watcher.sendall(b"GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n")
    data = b""
    while data.count(b"event: stats\ndata: {") < 2:
        data += watcher.recv(4096)
    report.check("events come one by one", b"Content-Type: text/event-stream\r\n" in data, data)
    during = stats(port)["tasks"]
    watcher.close()
    until = time.monotonic() + 30
    while (after := stats(port)["tasks"]) > before["tasks"] and time.monotonic() < until:
        time.sleep(0.2)
    report.check("and end with the client", during >= before["tasks"] + 2 and after == before["tasks"], (before, during, after))

    # Files of the image, as curl and browsers ask for them.
    status, text = curl(port, "/style.css", "-i")
    tag = re.search(rb'\r\nETag: ("[0-9a-f]{32}")\r\n', text)
    report.check("a file and its tag", status == 0 and tag and b"Content-Type: text/css; charset=utf-8" in text, text)
    status, text = curl(port, "/style.css", "-i", "-H", b"If-None-Match: " + tag[1] if tag else "")
    report.check("304", status == 0 and text.startswith(b"HTTP/1.1 304 Not Modified\r\n") and text.endswith(b"\r\n\r\n"), text)
    for path in ("/../main.c", "/%2e%2e/main.c", "/..%2f..%2fetc/passwd", "//style.css", "/./style.css"):
        status, text = curl(port, path, "-i", "--path-as-is")
        report.check(f"{path}: 404", text.startswith(b"HTTP/1.1 404 "), text)

    data = read_all(slow)
    waited = time.monotonic() - begun
    report.check("who is slow with the head is cut off", data.startswith(b"HTTP/1.1 408 Request Timeout\r\n") and waited > 5,
                 (data, waited))
    slow.close()

    # 1,000 idle connections, again and again: cheap, and all of it comes back.  What a round
    # takes differs by what the one before has left; what is lost is lost each time.
    rounds, grows = [], True
    while grows and len(rounds) < 5:
        before = stats(port)
        idle, answered = [], 0
        for _ in range(1000):
            s = connect(port)
            s.sendall(GET)
            answered += b"Hello" in s.recv(1000)
            idle.append(s)
        during = stats(port)
        for s in idle:
            s.close()
        until = time.monotonic() + 20
        while time.monotonic() < until:  # stacks and what the network keeps go back a little later
            after = stats(port)
            if (after["tasks"] <= before["tasks"] and after["heap"] < before["heap"] + 65536 and
                    (not rounds or after["free"] > rounds[-1][2]["free"] - 65536)):
                break
            time.sleep(0.2)
        grows = not rounds or any(now["free"] < last["free"] - 65536 for now, last in zip((during, after), rounds[-1][1:]))
        rounds.append((before, during, after))
        report.check("1,000 idle connections", answered == 1000 and during["tasks"] >= 1000, (answered, during))
        report.check("and none is left", after["tasks"] == before["tasks"] and after["heap"] < before["heap"] + 65536,
                     (before, after))
    each = (rounds[0][0]["free"] - rounds[0][1]["free"]) / 1000
    print(f"{each:.0f} bytes for an idle connection, everything counted")
    report.check("at most 4 KiB each", each <= 4096, each)
    report.check("the next thousand takes no more than one before", not grows, rounds)

# A site on a disk, or given at the boot, by the real tar.
with tempfile.TemporaryDirectory() as folder:
    os.makedirs(f"{folder}/site/sub/{'long' * 20}/{'long' * 20}")
    big = os.urandom(1_000_000)
    for name, data in (("index.html", b"<p>from the disk"), ("big.bin", big), ("z.txt", b"plain"), ("z.txt.gz", b"(gz)"),
                       ("sub/index.html", b"<p>sub"), (f"sub/{'long' * 20}/{'long' * 20}/\xe4.txt", b"deep")):
        with open(f"{folder}/site/{name}", "wb") as f:
            f.write(data)
    os.utime(f"{folder}/site/z.txt", (1700000000, 1700000000))
    for kind in ("gnu", "pax", "ustar"):
        subprocess.run(["tar", "-C", f"{folder}/site", f"--format={kind}", "-cf", f"{folder}/{kind}.tar", "."], check=True)
    disk = ["-drive", f"if=none,id=d,format=raw,file={folder}/gnu.tar", "-device", "virtio-blk-pci,drive=d"]
    mmio = ["-drive", f"if=none,id=d,format=raw,file={folder}/pax.tar", "-device", "virtio-blk-device,drive=d"]
    for what, extra, settings in (("disk", disk, {}), ("disk, mmio, 1 core", mmio, {"machine": "microvm", "smp": 1}),
                                  ("boot", [], {"file": f"{folder}/ustar.tar"})):
        port = free_port()
        with Guest(image, extra, ports=f"{port}:80", **settings) as guest:
            serving(guest)
            report.check(f"{what}: index", curl(port, "/site/") == (0, b"<p>from the disk"), guest.text)
            report.check(f"{what}: a folder", curl(port, "/site/sub", "-L") == (0, b"<p>sub"), guest.text)
            status, text = curl(port, f"/site/sub/{'long' * 20}/{'long' * 20}/%C3%A4.txt")
            report.check(f"{what}: a long name", (status, text) == (0, b"deep"), text)
            status, text = curl(port, "/site/big.bin")
            report.check(f"{what}: 1 MB", status == 0 and text == big, (status, len(text)))
            status, text = curl(port, "/site/big.bin", "-r", "400000-499999")
            report.check(f"{what}: a piece of it", status == 0 and text == big[400000:500000], (status, len(text)))
            status, text = curl(port, "/site/big.bin", "-i", "-r", "0-0,10-19,-5")
            report.check(f"{what}: three pieces", b" 206 " in text and b"Content-Type: multipart/byteranges" in text and
                         big[10:20] in text and big[-5:] in text, text)
            with open(f"{folder}/part", "wb") as f:
                f.write(big[:700000])
            status, text = curl(port, "/site/big.bin", "-C", "-", "-o", f"{folder}/part")
            with open(f"{folder}/part", "rb") as f:
                report.check(f"{what}: curl goes on where it was", status == 0 and f.read() == big, text)
            status, text = curl(port, "/site/z.txt", "-i", "-H", "Accept-Encoding: gzip")
            report.check(f"{what}: the compressed form", b"Content-Encoding: gzip" in text and text.endswith(b"(gz)"), text)
            status, text = curl(port, "/site/z.txt", "-i", "-z", "Tue, 14 Nov 2023 22:13:20 GMT")
            report.check(f"{what}: not modified since", text.startswith(b"HTTP/1.1 304 "), text)
            slow = connect(port)  # reads a little at a time; others do not wait for it
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(b"GET /site/big.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            data = slow.recv(1000)
            report.check(f"{what}: beside a slow reader", curl(port, "/hello") == (0, b"Hello, World!\n"))
            data += read_all(slow)
            report.check(f"{what}: which gets it all", data.endswith(big), len(data))
            slow.close()

done = boot(image, net="nonsense", ports=f"{free_port()}:80")
report.check("a bad address is named", done.status == 2 and
             'boot parameter "NET=nonsense": nonsense: want ADDRESS/BITS' in done.text, done)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["strip", "--strip-all", "-o", f"{folder}/httpd", image], check=True)
    size = os.path.getsize(f"{folder}/httpd")
    report.check("the image is at most 512 KiB", size <= 512 * 1024, size)
sys.exit(report.end())
