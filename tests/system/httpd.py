#!/usr/bin/python3 -B
"""The web server in QEMU, asked by curl through QEMU's own network: by DHCP and
with a static address, over PCI and mmio; many at once; clients that stop half-way."""
import concurrent.futures
import hashlib
import os
import socket
import subprocess
import sys
import tempfile

from qemu import Guest, Report, boot, built

report = Report("httpd")
image = built("httpd")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def curl(port, path, *options):
    """(status of curl, output)"""
    done = subprocess.run(["curl", "-s", "-S", "-m", "60", *options, f"http://127.0.0.1:{port}{path}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def serving(guest):
    return guest.expect(r"httpd: serving on port 80")


STATIC = "10.0.2.15/24,gateway=10.0.2.2,dns=10.0.2.3"
for what, settings in (("q35, DHCP", {}), ("microvm, DHCP", {"machine": "microvm"}), ("q35, static", {"net": STATIC}),
                       ("microvm, static, 1 core, 16 MiB", {"machine": "microvm", "net": STATIC, "smp": 1, "mem": "16M"})):
    port = free_port()
    with Guest(image, ports=f"{port}:80", **settings) as guest:
        up = serving(guest)
        report.check(f"{what}: has its address", up and "eth0 10.0.2.15\n" in guest.text, guest.text)
        status, text = curl(port, "/hello", "-i")
        report.check(f"{what}: answers", status == 0 and text.startswith(b"HTTP/1.1 200 OK\r\n") and
                     text.endswith(b"\r\n\r\nHello, World!\n"), (status, text))

port = free_port()
with Guest(image, ports=f"{port}:80", smp=4) as guest, tempfile.TemporaryDirectory() as folder:
    serving(guest)
    status, text = curl(port, "/")
    report.check("a page", status == 0 and b"<h1>Ingot</h1>" in text and b"4 cores" in text, text)
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

done = boot(image, args="x", net="nonsense", ports=f"{free_port()}:80")
report.check("a bad address is named", done.status == 2 and
             'boot parameter "NET=nonsense": nonsense: want ADDRESS/BITS' in done.text, done)
sys.exit(report.end())
