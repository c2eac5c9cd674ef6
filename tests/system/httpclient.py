#!/usr/bin/python3 -B
"""The HTTP client in QEMU, asking Python's http.server on the host: HTTP/1.0 and 1.1,
redirects, chunks, large files, a name, a server that breaks off."""
import functools
import http.server
import os
import sys
import tempfile
import threading
import zlib

from qemu import Report, boot, built

report = Report("httpclient")


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = set()
    requests = 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        Handler.connections.add(self.client_address)
        Handler.requests += 1
        if self.path == "/broken":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x" * 50)
            self.close_connection = True
        elif self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            super().do_GET()

    def do_POST(self):
        data = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while n := int(self.rfile.readline(), 16):
                data += self.rfile.read(n)
                self.rfile.readline()
            self.rfile.readline()
        answer = b"%d %08x" % (len(data), zlib.crc32(data))
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class Old(Handler):
    protocol_version = "HTTP/1.0"


with tempfile.TemporaryDirectory() as folder:
    big = os.urandom(3_000_000)
    os.mkdir(f"{folder}/dir")
    for name, data in (("hello.txt", b"Hello from the host"), ("big.bin", big), ("dir/index.html", b"<p>index")):
        with open(f"{folder}/{name}", "wb") as f:
            f.write(data)
    servers = []
    for kind in (Handler, Old):
        s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=folder))
        threading.Thread(target=s.serve_forever, daemon=True).start()
        servers.append(f"http://10.0.2.2:{s.server_address[1]}")
    new, old = servers
    urls = [f"{new}/hello.txt", f"{old}/hello.txt", f"{new}/big.bin", f"{old}/big.bin", f"{new}/dir", f"{old}/dir",
            f"{new}/none", f"{new}/chunks", f"{new}/broken", "POST", f"{new}/x", "HEAD", f"{new}/hello.txt",
            "http://10.0.2.2:1/", "http://nowhere.invalid/"]
    for what, settings in (("q35", {}), ("microvm, 1 core", {"machine": "microvm", "smp": 1})):
        Handler.connections.clear()
        Handler.requests = 0
        nic = "virtio-net-device" if "machine" in settings else "virtio-net-pci"
        done = boot(built("fetch"), ["-netdev", "user,id=net", "-device", f"{nic},netdev=net"], args=" ".join(urls), **settings)
        lines = done.text.splitlines()
        want = {
            "a file, HTTP/1.1": f"200 text/plain 19 19 {zlib.crc32(b'Hello from the host'):08x} {new}/hello.txt Hello from the host",
            "a file, HTTP/1.0": f"200 text/plain 19 19 {zlib.crc32(b'Hello from the host'):08x} {old}/hello.txt Hello from the host",
            "3 MB, HTTP/1.1": f"200 application/octet-stream 3000000 3000000 {zlib.crc32(big):08x} {new}/big.bin ...",
            "3 MB, HTTP/1.0": f"200 application/octet-stream 3000000 3000000 {zlib.crc32(big):08x} {old}/big.bin ...",
            "a redirect, HTTP/1.1": f"200 text/html 8 8 {zlib.crc32(b'<p>index'):08x} {new}/dir/ <p>index",
            "a redirect, HTTP/1.0": f"200 text/html 8 8 {zlib.crc32(b'<p>index'):08x} {old}/dir/ <p>index",
            "chunks": f"200  -1 13 {zlib.crc32(b'one two three'):08x} {new}/chunks one two three",
            "HEAD": f"200 text/plain 19 0 00000000 {new}/hello.txt ",
        }
        for case, line in want.items():
            report.check(f"{what}: {case}", line in lines, done)
        posted = b"0123456789" * 30000
        report.check(f"{what}: 300 kB posted in chunks", f"300000 {zlib.crc32(posted):08x}" in done.text and
                     "\n201 " in done.text, done)
        report.check(f"{what}: 404", f" {new}/none ..." in done.text and "\n404 " in done.text, done)
        report.check(f"{what}: a body that breaks off", f'error: Get "{new}/broken": unexpected EOF' in lines, done)
        report.check(f"{what}: nobody there", 'error: Get "http://10.0.2.2:1/": dial tcp 10.0.2.2:1: connection ' in done.text, done)
        report.check(f"{what}: no such name", "nowhere.invalid: no such host" in done.text, done)
        report.check(f"{what}: ends", done.status == 0 and "done" in lines, done)
        # HTTP/1.1: all on one until the one that breaks off, then one more; HTTP/1.0: 4, one for each.
        report.check(f"{what}: connections are kept", len(Handler.connections) == 6 and Handler.requests == 11,
                     (Handler.connections, Handler.requests))
sys.exit(report.end())
