#!/usr/bin/python3 -B
"""The web server on a bad network, which this test plays itself, frame by frame: a
flood of SYNs, packets with anything changed in them, thousands of connections that
stay silent, no DHCP server for a while, a link that is lost, time from a server.

test: limit=600"""
import json
import os
import random
import re
import socket
import struct
import sys
import tempfile
import time

from qemu import Guest, Report, built

report = Report("badnet")
image = built("httpd")
GUEST, US = bytes.fromhex("525400abcdef"), bytes.fromhex("020000000001")
IP, GATE = bytes([10, 0, 2, 15]), bytes([10, 0, 2, 2])
STATIC = "10.0.2.15/24,gateway=10.0.2.2"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def checksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s ^ 0xffff


def ipv4(source, target, proto, body):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, proto, 0, source, target)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body


def tcp(source, sport, seq, ack, flags, body=b"", options=b"", dport=80):
    head = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, (5 + len(options) // 4) << 4, flags, 65535, 0, 0) + options
    pseudo = source + IP + struct.pack(">HH", 6, len(head) + len(body))
    head = head[:16] + struct.pack(">H", checksum(pseudo + head + body)) + head[18:]
    return GUEST + US + b"\x08\x00" + ipv4(source, IP, 6, head + body)


def udp(source, sport, target, dport, body):
    return ipv4(source, target, 17, struct.pack(">HHHH", sport, dport, 8 + len(body), 0) + body)


class Wire:
    """The guest's only neighbour: answers ARP for everybody; the rest is the test's."""

    def __init__(self, folder):
        self.ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.ours.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            self.port = other.getsockname()[1]
        self.monitor = f"{folder}/mon"
        self.extra = ["-netdev", f"dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port={self.port},"
                      f"remote.type=inet,remote.host=127.0.0.1,remote.port={self.ours.getsockname()[1]}",
                      "-device", "virtio-net-pci,netdev=n,mac=52:54:00:ab:cd:ef", "-monitor",
                      f"unix:{self.monitor},server,nowait"]

    def send(self, frame):
        self.ours.sendto(frame.ljust(60, b"\0"), ("127.0.0.1", self.port))

    def get(self, wanted, limit=30):
        """The first frame for which wanted(frame) is true; None: none came."""
        until = time.monotonic() + limit
        while (left := until - time.monotonic()) > 0:
            self.ours.settimeout(left)
            try:
                f = self.ours.recv(65536)
            except TimeoutError:
                return None
            if f[12:14] == b"\x08\x06" and f[20:22] == b"\0\1" and f[28:32] != f[38:42]:
                self.send(f[6:12] + US + f[12:20] + b"\0\2" + US + f[38:42] + f[22:32])
            elif (found := wanted(f)):
                return found
        return None

    def set_link(self, state):
        with socket.socket(socket.AF_UNIX) as mon:
            mon.connect(self.monitor)
            mon.settimeout(5)
            mon.recv(4096)
            mon.sendall(f"set_link n {state}\n".encode())
            time.sleep(0.2)


def tcp_of(f, port):
    """(seq, ack, flags, body) of a frame to this port of ours."""
    if f[12:14] != b"\x08\x00" or f[23] != 6:
        return None
    t = 14 + 4 * (f[14] & 15)
    if struct.unpack(">H", f[t + 2:t + 4])[0] != port:
        return None
    seq, ack, off, flags = struct.unpack(">IIBB", f[t + 4:t + 14])
    return seq, ack, flags, f[t + 4 * (off >> 4):14 + struct.unpack(">H", f[16:18])[0]]


class Client:
    """One connection of a well-behaved client."""
    ports = iter(range(2000, 60000))

    def __init__(self, wire, source=GATE):
        self.wire, self.source, self.port, self.seq, self.ack = wire, source, next(self.ports), 1000, 0

    def packet(self, flags, body=b""):
        self.wire.send(tcp(self.source, self.port, self.seq, self.ack, flags, body))

    def syn(self):
        self.packet(SYN)

    def connect(self, limit=30):
        """Sends SYN, every second again, as TCP does."""
        for _ in range(limit):
            self.syn()
            got = self.wire.get(lambda f: tcp_of(f, self.port), 1)
            if got and got[2] == SYN | ACK:
                self.established(got)
                return True
        return False

    def established(self, got):
        self.seq, self.ack = 1001, got[0] + 1
        self.packet(ACK)

    def ask(self, limit=30):
        """The answer to one request, or what came of it."""
        text = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = b""
        for _ in range(limit):
            self.packet(ACK | PSH, text)
            while not answer.endswith(b"World!\n"):
                got = self.wire.get(lambda f: tcp_of(f, self.port), 1)
                if not got or got[2] & RST:
                    break
                if got[0] == self.ack:
                    answer += got[3]
                    self.ack += len(got[3])
            else:
                self.seq += len(text)
                self.packet(ACK)
                break
        return answer

    def reset(self):
        self.packet(RST | ACK)


def answers(wire):
    c = Client(wire)
    good = c.connect() and c.ask().endswith(b"\r\n\r\nHello, World!\n")
    c.reset()
    return good


def stats(wire):
    """What the server says after a collection."""
    c, answer = Client(wire), b""
    c.connect()
    c.packet(ACK | PSH, b"GET /api/gc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    while not answer.endswith(b"}\n") and (got := wire.get(lambda f: tcp_of(f, c.port), 60)):
        if got[0] == c.ack:
            answer += got[3]
            c.ack += len(got[3])
    c.packet(RST | ACK)
    return json.loads(answer[answer.index(b"\r\n\r\n"):])


def flood(wire, rng):
    """SYNs from everywhere, whose senders never answer, and a real client amid them."""
    def some(n):
        for _ in range(n):
            wire.send(tcp(bytes([11, rng.randrange(256), rng.randrange(256), 1]), rng.randrange(1024, 65536),
                          rng.getrandbits(32), 0, SYN))
            wire.ours.setblocking(False)
            try:
                while True:
                    wire.ours.recv(65536)
            except BlockingIOError:
                pass
    some(2000)
    served = 0
    for _ in range(5):
        c = Client(wire)
        good = c.connect(5)
        some(100)
        served += good and c.ask().endswith(b"World!\n")
        c.reset()
    return served


def mutate(rng, frame):
    """Something of it is other than it was; the checksums often match again."""
    f = bytearray(frame)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        how = rng.randrange(4)
        at = rng.randrange(12, len(f))
        if how == 0:
            f[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            f[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff))
        elif how == 2 and len(f) > 20:
            del f[rng.randrange(15, len(f)):]
        else:
            f[at:at] = rng.randbytes(rng.randrange(1, 40))
    if rng.randrange(4) and len(f) >= 54 and f[12:14] == b"\x08\x00":
        ihl = 4 * (f[14] & 15)
        if rng.randrange(8):
            f[16:18] = struct.pack(">H", len(f) - 14)
        if 20 <= ihl <= len(f) - 14:
            f[24:26] = b"\0\0"
            f[24:26] = struct.pack(">H", checksum(bytes(f[14:14 + ihl])))
        t = 14 + ihl
        if f[23] == 6 and len(f) >= t + 20:
            f[t + 16:t + 18] = b"\0\0"
            f[t + 16:t + 18] = struct.pack(">H", checksum(bytes(f[26:34]) + struct.pack(">HH", 6, len(f) - t) + bytes(f[t:])))
    return bytes(f[:1514])


def samples(wire):
    """What is changed: of each protocol one, and the connection that some belong to."""
    c = Client(wire)
    c.connect()
    request = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    name = b"\3www\7example\0\0\1\0\1"
    v6 = lambda nh, body: (GUEST + US + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(body), nh, 255) + bytes.fromhex(
        "fe800000000000000000000000000001") + bytes.fromhex("fe80000000000000505400fffeabcdef") + body)
    ip = lambda p: GUEST + US + b"\x08\x00" + p
    return c, [
        tcp(GATE, c.port, c.seq, c.ack, ACK | PSH, request),
        tcp(GATE, c.port, c.seq + 10, c.ack, ACK | PSH, request), tcp(GATE, c.port, c.seq, c.ack, ACK | FIN),
        tcp(GATE, 1999, 77, 0, SYN, options=bytes.fromhex("020405b40402080a00000001000000000103030a")),
        GUEST + US + bytes.fromhex("0806000108000604000102000000000100000000") + GATE + bytes(6) + IP,
        ip(ipv4(GATE, IP, 1, bytes.fromhex("08000000000100010000") + bytes(30))),
        ip(ipv4(GATE, IP, 1, bytes.fromhex("0303000000000000") + ipv4(IP, GATE, 6, bytes(20)))),
        ip(udp(GATE, 53, IP, 53, b"\0\1\x81\x80\0\1\0\1\0\0\0\0" + name + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4")),
        ip(udp(GATE, 67, IP, 68, b"\2\1\6\0" + bytes(232) + bytes.fromhex("6382536335010536040a00020201040a000202ff"))),
        v6(58, bytes.fromhex("86000000400007080000000000000000") + bytes.fromhex("0101020000000001") +
           bytes.fromhex("030440c0000151800000384000000000fd000000000000000000000000000000")),
        v6(58, bytes.fromhex("8700000000000000fe80000000000000505400fffeabcdef0101020000000001")),
        v6(0, bytes.fromhex("3a00050200000000") + bytes.fromhex("8000000000010001") + bytes(8)),
        v6(44, bytes.fromhex("3a00000100000007") + bytes(64)),
    ]


def dhcp_answer(frame, wire, more=b""):
    """Plays the server to one question."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17 or frame[36:38] != b"\0\x43":
        return None
    kind = frame[frame.index(b"\x63\x82\x53\x63") + 6]
    options = bytes([53, 1, 2 if kind == 1 else 5, 54, 4]) + GATE + b"\x33\4\0\0\x0e\x10\1\4\xff\xff\xff\0\3\4" + GATE + more + b"\xff"
    body = b"\2\1\6\0" + frame[46:50] + bytes(8) + IP + GATE + bytes(4) + GUEST + bytes(10 + 64 + 128) + b"\x63\x82\x53\x63" + options
    wire.send(b"\xff" * 6 + US + b"\x08\x00" + udp(GATE, 67, b"\xff" * 4, 68, body))
    return kind


def ntp_answer(frame, wire, seconds):
    if frame[12:14] != b"\x08\x00" or frame[23] != 17 or frame[36:38] != b"\0\x7b":
        return None
    sport = struct.unpack(">H", frame[34:36])[0]
    stamp = struct.pack(">II", (seconds + 2208988800) & 0xffffffff, 0)
    body = b"\x24\2\4\xec" + bytes(12) + stamp + frame[42 + 40:42 + 48] + stamp + stamp
    wire.send(GUEST + US + b"\x08\x00" + udp(GATE, 123, IP, sport, body))
    return True


def silent(wire, n):
    """That many connections that say nothing: how many came to be."""
    clients = {}
    for _ in range(n):
        c = Client(wire)
        clients[c.port] = c
    waiting = list(clients.values())
    made = []
    for begin in range(0, n, 64): # no more at once than a listener takes
        some = {c.port: c for c in waiting[begin:begin + 64]}
        for _ in range(30):
            for c in some.values():
                c.syn()
            while some:
                port, got = wire.get(lambda f: (p := struct.unpack(">H", f[36:38])[0]) in some and (p, tcp_of(f, p)), 1) or (0, None)
                if not got:
                    break
                if got[2] == SYN | ACK:
                    c = some.pop(port)
                    c.established(got)
                    made.append(c)
            if not some:
                break
    return made


def probes(wire, made, limit=60):
    """Waits until each of these connections was asked whether its peer lives, which answers:
    when the first was after the last had been made, and how many times at once the others."""
    begun = last = time.monotonic()
    left, bursts, first = {c.port: c for c in made}, 0, None
    def wanted(f):
        port = struct.unpack(">H", f[36:38])[0]
        got = port in left and tcp_of(f, port)
        return (port, got) if got and got[2] == ACK and not got[3] and got[0] == (left[port].ack - 1) & 0xffffffff else None
    while left and (found := wire.get(wanted, limit)):
        now = time.monotonic()
        first = first or now - begun
        bursts += now - last > 2
        last = now
        left.pop(found[0]).packet(ACK)
    return not left, first, bursts


with tempfile.TemporaryDirectory() as folder:
    rng = random.Random(7)
    wire = Wire(folder)
    with Guest(image, wire.extra, net=STATIC, limit=400) as guest:
        guest.expect("serving on port 80")
        report.check("a client is served", answers(wire), guest.text)
        served = flood(wire, rng)
        report.check("five clients are served amid a flood of SYNs", served == 5, f"{served}\n{guest.text}")
        for i in range(30):
            c, frames = samples(wire)
            for _ in range(300):
                wire.send(mutate(rng, rng.choice(frames)))
            if not answers(wire):
                break
        report.check("9,000 broken packets of every protocol do no harm", i == 29 and answers(wire), f"{i}\n{guest.text}")
        wire.set_link("off")
        c = Client(wire)
        lost = not c.connect(2)
        wire.set_link("on")
        report.check("a lost link comes back", lost and answers(wire), guest.text)

    wire = Wire(folder)
    with Guest(image, wire.extra, net=STATIC, mem="32M", limit=400) as guest:
        guest.expect("serving on port 80")
        for i in range(3): # each time as many as fit: the memory has come back
            made = silent(wire, 1500)
            good = len(made) == 1500 and answers(wire)
            for c in made:
                c.reset()
            if not good:
                break
        report.check("1,500 silent connections in 32 MiB, three times", good, f"round {i}: {len(made)}\n{guest.text}")
        begun = time.monotonic()
        made = silent(wire, 300)
        most = 2 + (time.monotonic() - begun) // 4 # those whose turn comes within 4 s, together
        all_asked, first, bursts = probes(wire, made)
        report.check("300 silent peers are asked whether they live, after 15 s, many at once",
                     all_asked and first > 10 and bursts <= most and answers(wire), (all_asked, first, bursts, most, guest.text))

    wire = Wire(folder)
    with Guest(image, wire.extra, net=STATIC, mem="64M", limit=400) as guest:
        guest.expect("serving on port 80")
        before = stats(wire)
        made = silent(wire, 10000)
        served, during = answers(wire), stats(wire)
        for i, c in enumerate(made):
            c.reset()
            if i % 50 == 49: # no more at once than the socket of QEMU's side holds
                served += answers(wire)
        until = time.monotonic() + 60
        def left(now): # a collection that began while they lived does not see all of it
            return (now["tasks"] != before["tasks"] or now["heap"] >= before["heap"] + 65536 or
                    now["stacks"] >= before["stacks"] + (1 << 20))
        while left(after := stats(wire)) and time.monotonic() < until:
            time.sleep(0.2)
        report.check("10,000 silent connections, and the others are served", len(made) == 10000 and
                     during["tasks"] >= 10000 and served == 201, (len(made), served, during))
        report.check("and none of their tasks and memory is left", not left(after), (before, during, after))

    wire = Wire(folder)
    with Guest(image, wire.extra, limit=200) as guest:
        asked = [wire.get(lambda f: f[12:14] == b"\x08\x00" and f[36:38] == b"\0\x43") for _ in range(2)]
        said = guest.expect("eth0: no DHCP server answers", 60)
        report.check("without a DHCP server it says so", all(asked) and said, guest.text)
        kinds = [wire.get(lambda f: dhcp_answer(f, wire, b"\x2a\4" + GATE), 60) for _ in range(2)]
        report.check("and takes the address of one that comes late", kinds == [1, 3] and guest.expect("eth0 10.0.2.15"),
                     (kinds, guest.text))
        # 2040-01-01: behind the end of the first 136 years.
        report.check("it asks the time server of DHCP", wire.get(lambda f: ntp_answer(f, wire, 2208988800), 60), guest.text)
        c = Client(wire)
        for _ in range(20):
            text = c.ask() if c.connect() else b""
            c.reset()
            if b"Date: Sun, 01 Jan 2040 00:" in text:
                break
            c = Client(wire)
        report.check("and has its time", b"Date: Sun, 01 Jan 2040 00:" in text, text)
sys.exit(report.end())
